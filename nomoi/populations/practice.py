"""Practice: a new way of doing something that pays more the more people do it, and that those who do not resist.

People differ in what it costs them (a normal spread around one cost), so the share who take it up answers to the share
who have: y -> Phi((gain - cost + feedback y - resistance (1 - y)) / spread), a threshold model after Granovetter 1978.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import special

from nomoi.core.parameters import Answer, Parameters, number

ROOT = float(np.sqrt(2 * np.pi))


@dataclasses.dataclass(frozen=True)
class Practice(Parameters):
    """A practice, and what stands for and against it.  All defaults are ours."""

    gain: float = number(1.0, "g", "what it brings, whoever else does it")
    feedback: float = number(0.0, "a", "what it brings more where all do it", low=0)
    resistance: float = number(0.6, "d", "what those who do not take from who does, where nobody else does", low=0)
    spread: float = number(0.05, "s", "standard deviation of what it costs one person or another", low=1e-6)

    def lead(self, share: float | np.ndarray, cost: float) -> float | np.ndarray:
        """What it brings beyond the old way to the average person, where a share does it."""
        return self.gain - cost + self.feedback * share - self.resistance * (1 - share)

    def answer(self, share: float | np.ndarray, cost: float) -> float | np.ndarray:
        """The share whom it pays, where a share does it."""
        return special.ndtr(self.lead(share, cost) / self.spread)

    @property
    def steep(self) -> float:
        """By how many people one more moves at most: (a + d) / (s sqrt(2 pi)).  Above 1 there is a loop."""
        return (self.feedback + self.resistance) / (self.spread * ROOT)

    @property
    def _fold(self) -> float:
        """z at which the answer is as steep as the diagonal, phi(z) = s / (a + d)."""
        return float(np.sqrt(2 * np.log(self.steep))) if self.steep > 1 else 0.0

    def _held(self, z: float) -> float:
        """The cost at which the share Phi(z) stays where it is."""
        pull = self.feedback + self.resistance
        return self.gain - self.resistance + pull * float(special.ndtr(z)) - self.spread * z

    @property
    def tips(self) -> Answer:
        """The cost below which few become nearly all.  With no spread it is g - d."""
        flags = () if self.steep > 1 else ("no tipping: people differ so much that the share follows the cost",)
        return Answer(self._held(-self._fold), flags)

    @property
    def returns(self) -> Answer:
        """The cost above which nearly all become few again.  With no spread it is g + a."""
        return Answer(self._held(self._fold), self.tips.flags)

    @property
    def width(self) -> float:
        """By how much the cost must rise beyond where it tipped until the practice is given up."""
        return self.returns.value - self.tips.value

    def swept(self, costs: np.ndarray, people: int, seed: int, steps: int = 200, first: float = 0.0) -> np.ndarray:
        """[C] the share who do it after each cost in turn has lasted `steps`, among people with costs of their own.

        In each step a tenth of them, drawn at random, ask anew whether it pays; `first` had taken it up before.
        """
        rng = np.random.default_rng(seed)
        own = self.spread * rng.standard_normal(people)
        does = np.argsort(np.argsort(own)) < first * people
        out = np.zeros(len(costs))
        for k, cost in enumerate(costs):
            for _ in range(steps):
                asks = rng.random(people) < 0.1
                does = np.where(asks, self.lead(does.mean(), cost) > own, does)
            out[k] = does.mean()
        return out
