"""Archives: a public archive, the people who write it, and machines that learn from it and write into it."""

from __future__ import annotations

import dataclasses

import numpy as np

from nomoi.core.parameters import Parameters, number, probability


@dataclasses.dataclass(frozen=True)
class Digital(Parameters):
    """Answers of people H and of machines A, and the share u of questions that machines are asked.  All of it is ours.

    With D = H + A, quality Q = (H + eta A) / D and a machine's skill M = Q^2 D / (D + K):
    H' = k ((1 - s u) Q + f u) - d H, A' = alpha u (1 - g) - d A, u' = (1 / (1 + exp(-beta (M - m))) - u) / 5.
    """

    inflow: float = number(1.0, "k", "answers that people give where nobody asks a machine", low=0)
    decay: float = number(0.1, "d", "answers that go out of date", low=1e-6)
    flood: float = number(0.6, "alpha", "answers that machines give where all ask them", low=0)
    right: float = probability(0.3, "eta", "of a machine's answers, those that are right")
    half: float = number(3.0, "K", "answers with which half of all questions are answered", low=1e-6)
    keen: float = number(8.0, "beta", "how sharply people turn to the better one", low=0)
    least: float = number(0.35, "m", "skill at which half of all ask a machine")
    silenced: float = probability(1.0, "s", "of answers that people give, those that they do not who ask a machine")
    gate: float = probability(0.0, "g", "of machines' answers, those that are turned away")
    back: float = number(0.0, "f", "answers that givebacks pay for, where all ask machines", low=0)

    def rates(self, state: np.ndarray, machines: bool = True) -> np.ndarray:
        """[3, ...] how H, A and u change."""
        h, a, u = state
        whole = np.maximum(h + a, 1e-12)
        quality = (h + self.right * a) / whole
        skill = quality**2 * whole / (whole + self.half)
        turns = 1 / (1 + np.exp(-self.keen * (skill - self.least))) if machines else 0.0
        people = self.inflow * ((1 - self.silenced * u) * quality + self.back * u) - self.decay * h
        return np.stack([people, self.flood * u * (1 - self.gate) - self.decay * a, 0.2 * (turns - u)])

    def settles(self, machines: bool = True, starts: tuple[float, ...] = (1.0, 10.0)) -> np.ndarray:
        """[4, starts] H, A, u and Q once nothing changes, from so many answers of people and no machine."""
        state = np.stack([np.array(starts), np.zeros(len(starts)), np.zeros(len(starts))])
        for _ in range(20_000):
            change = self.rates(state, machines)
            if np.abs(change).max() < 1e-12:
                break
            state = state + 0.05 * change
        h, a, u = state
        return np.stack([h, a, u, (h + self.right * a) / (h + a)])
