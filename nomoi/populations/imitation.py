"""Learners and imitators (Rogers 1988; Boyd & Richerson 1995): why copying alone does not make a species fitter.

Learners find the behaviour that suits the environment, at a cost.  Imitators look at n others: if a learner is among
them they have it for free, else they copy one of those imitators, whose behaviour may be out of date.  Copying pays
while it is rare; at the frequency q* where it pays as much as learning, all fare as if nobody copied (Rogers' paradox).

Equations A2.1 to A2.5 are those of the tutorial, with one correction: it prints the fitness of imitators as
W_I = W0 - D (2P - 1).  The sign must be plus: with P favoured at W0 + D and 1 - P at W0 - D the mean is
W0 + D (2P - 1), and only so does A2.5 follow.  The figures of the 1995 paper were not available to us.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import optimize

from nomoi.core.parameters import Answer, Parameters, count, number, probability
from nomoi.errors import Refusal, nearest
from nomoi.measure.statistics import over_time
from nomoi.populations.engine import PEOPLE, changes, models, resample, select, share, shares, streams, whole

ENVIRONMENTS = ("two", "infinite")
DEGENERATE = "degenerate: all imitate and nothing changes, so P stays where it began"
FIXES = "imitation_fixes: learning costs too much to pay against any imitator"
NO_LEARNER = "no_learners: at this size no member is a learner"


class Fitness(NamedTuple):
    """Mean fitness at each frequency of imitators q, of the shape of q."""

    learner: np.ndarray | float
    imitator: np.ndarray | float
    mean: np.ndarray | float


@dataclasses.dataclass(frozen=True)
class Imitation(Parameters):
    """A population of learners and imitators.

    environment   "two": two states, so that what was right may be right again (Boyd & Richerson);
                  "infinite": a state never comes back (Rogers)
    """

    base: float = number(2.0, "W0", "fitness before behaviour counts", "ours")
    gap: float = number(1.0, "D", "gained by the favoured behaviour, lost by the other", "ours", low=0,
                        open_low=True)  # fmt: skip
    cost: float = number(0.3, "C", "cost of learning", "ours", low=0)
    switch: float = probability(0.1, "gamma", "chance that the environment changes in a generation", "ours")
    models: int = count(1, "n", "others an imitator looks at", "ours")
    environment: str = "two"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.environment not in ENVIRONMENTS:
            raise Refusal(f"imitation.environment is {self.environment!r}; "
                          f"{nearest(str(self.environment), ENVIRONMENTS, 'environment')}")  # fmt: skip

    @property
    def memory(self) -> float:
        """How much of P - P(equilibrium) copying from an imitator passes on: 1 - 2 gamma, or 1 - gamma."""
        return 1 - (2 if self.environment == "two" else 1) * self.switch

    def fitting(self, q: float, start: float = 0.5) -> Answer:
        """P, the mean frequency of the favoured behaviour among imitators (A2.4).

        Where all imitate and nothing ever changes it stays at `start`, and the answer is flagged.
        """
        q, start = share(q, "q"), share(start, "start")
        if q == 1 and self.switch == 0:
            return Answer(start, (DEGENERATE,))
        return Answer(float(self._fitting(np.asarray(q))))

    def _fitting(self, q: np.ndarray) -> np.ndarray | float:
        missed = q**self.models  # Q = q^n, chance that no learner is among the models
        lucky = self.switch if self.environment == "two" else 0.0  # a change makes what was wrong right
        return (1 - missed + missed * lucky) / (1 - missed * self.memory)

    def fitness(self, q: np.ndarray | float) -> Fitness:
        """Mean fitness of learners, of imitators and of all at frequencies `q` of imitators (any shape)."""
        q = shares(q, "q")
        if self.switch == 0 and (q == 1).any():
            raise Refusal("q is 1 and gamma is 0, so the fitness of imitators depends on where they began; "
                          "q below 1 would be right.")  # fmt: skip
        learner = np.full(q.shape, self.base + self.gap - self.cost)
        imitator = self.base + self.gap * (2 * np.asarray(self._fitting(q)) - 1)
        return Fitness(learner, imitator, (1 - q) * learner + q * imitator)

    def spread(self, q: float) -> float:
        """Standard deviation over time of the frequency of the favoured behaviour among endlessly many imitators.

        Derived for two states: X = 2p - 1 becomes (1 - Q) + Q X, or (1 - Q) - Q X at a change.
        """
        if self.environment != "two":
            raise Refusal("the spread is derived for the environment 'two' only.")
        missed = share(q, "q") ** self.models
        if missed == 1:
            raise Refusal("q is 1, so nothing draws imitators to a stationary state; q below 1 would be right.")
        mean = (1 - missed) / (1 - missed * self.memory)
        square = ((1 - missed) ** 2 + 2 * (1 - missed) * missed * self.memory * mean) / (1 - missed**2)
        return float(np.sqrt(max(square - mean**2, 0)) / 2)

    def equilibrium(self) -> Answer:
        """q*, the frequency at which imitators fare like learners (A2.5); at it P = 1 - C / 2D whatever n and gamma.

        Two states: Q* = (C/D) / (2 gamma (1 - C/D) + C/D).  Endlessly many (derived): Q* = h / (1 - (1 - h)(1 - gamma))
        with h = C / 2D, as P(q*) = 1 - h.
        """
        ratio = self.cost / self.gap
        top = 1 if self.environment == "two" else 2  # imitators have at least W0, or W0 - D where nothing comes back
        if ratio >= top:
            return Answer(1.0, (FIXES,) if ratio > top else ())
        if self.switch == 0:
            return Answer(1.0, ("no_change: what was learned once stays right",))
        wrong = ratio / 2
        if self.environment == "two":
            missed = ratio / (2 * self.switch * (1 - ratio) + ratio)
        else:
            missed = wrong / (1 - (1 - wrong) * (1 - self.switch))
        return Answer(float(missed ** (1 / self.models)))

    def optimum(self) -> Answer:
        """The frequency of imitators at which mean fitness is highest, between 0 and q*."""
        top = self.equilibrium()
        if top.value == 0 or self.switch == 0:
            return top
        found = optimize.minimize_scalar(
            lambda q: -self.fitness(q).mean, bounds=(0, top.value), method="bounded", options={"xatol": 1e-10}
        )
        return Answer(float(found.x), top.flags)


@dataclasses.dataclass(frozen=True)
class Course:
    """What became of R replicates in T generations; all [T, R].

    fitting     frequency of the favoured behaviour among imitators (NaN where there are none)
    imitators   frequency of imitators
    """

    fitting: np.ndarray
    imitators: np.ndarray
    flags: tuple[str, ...] = ()

    def late(self, what: str = "fitting", burn: float = 1 / 3) -> tuple[float, float]:
        """Mean and standard error of `what` after a share `burn` of the time (batch means)."""
        series = getattr(self, what)
        return over_time(series[int(burn * len(series)) :])


def simulate(
    model: Imitation, q: float, people: int, generations: int, seeds: Sequence[int], replace: bool = True
) -> Course:
    """Individuals one by one, with a fixed share `q` of imitators: R = len(seeds) replicates.

    A generation: the environment may change; learners have the favoured behaviour; every imitator draws `n` members of
    the population and copies.  A member's behaviour is kept as whether it suits the environment, [people] booleans, of
    which learners are the first.
    """
    people, generations = whole(people, "people"), whole(generations, "generations")
    learners = round((1 - share(q, "q")) * people)
    flags = (NO_LEARNER,) if learners == 0 else ()
    if learners == people:
        raise Refusal(f"q is {q}, which makes no imitator among {people} people; a larger q would be right.")
    changed = changes(seeds, model.switch, generations)
    fitting = np.empty(changed.shape)
    for r, rng in enumerate(streams(seeds, PEOPLE)):
        suits = rng.random(people) < 0.5
        for t in range(generations):
            if changed[t, r]:
                suits = ~suits if model.environment == "two" else np.zeros(people, bool)
            suits[:learners] = True
            suits = imitate(rng, suits, learners, model.models, replace)
            fitting[t, r] = np.count_nonzero(suits[learners:]) / (people - learners)
    return Course(fitting, np.full_like(fitting, 1 - learners / people), flags)


def imitate(rng: np.random.Generator, suits: np.ndarray, learners: int, each: int, replace: bool = True) -> np.ndarray:
    """[people] what suits after everybody beyond the first `learners` looked at `each` others and copied.

    A learner among them is recognised, and has the favoured behaviour; else the first of them is copied, which is a
    fair choice among those seen.
    """
    seen = models(rng, len(suits), each, replace)[:, learners:]  # drawn for all, so that a seed gives what it gave
    copied = np.ones_like(suits)
    # "clip" changes no number here; NumPy would copy all that it gives once more to be safe from any that is too large
    suits.take(seen[0], out=copied[learners:], mode="clip")
    for one in seen[1:]:
        copied[learners:] |= one < learners
    return copied


def evolve(
    worlds: Sequence[Imitation],
    seeds: Sequence[int],
    generations: int,
    strength: float | Sequence[float] = 0.02,
    mutation: float = 1e-5,
    start: float = 0.5,
    people: int | None = None,
) -> Course:
    """Genes under weak selection: R = worlds x seeds replicates (seeds fastest) of q and p together.

    Fitness is 1 + strength (W - W0 - D), types mutate, and a finite population is drawn anew in each generation
    (Wright-Fisher; imitators are alike, so what they hold is drawn as a count).  `strength` may be one for each world.
    Mutation holds q below q* until imitators gain about mutation / (strength (1 - q)) by it, so agreement with q* needs
    mutation / (1 - q*) far below strength x C; in a finite population also people x mutation >= 1 and people x strength
    x C >= 50.  Else the course is flagged.
    """
    generations, mutation, start = whole(generations, "generations"), share(mutation, "mutation"), share(start, "start")
    if not worlds:
        raise Refusal("evolve needs at least one world.")
    weak = np.broadcast_to(np.asarray(strength, float), len(worlds))
    if not ((weak > 0) & np.isfinite(weak)).all():
        raise Refusal(f"strength is {strength!r}; a number above 0 would be right.")
    column = lambda values: np.repeat(np.asarray(values, float), len(seeds))  # noqa: E731  one value a replicate
    gap, cost, gamma = (column([getattr(w, name) for w in worlds]) for name in ("gap", "cost", "switch"))
    each, weak = column([w.models for w in worlds]), column(weak)
    two = column([w.environment == "two" for w in worlds]) > 0
    changed = changes([s for _ in worlds for s in seeds], gamma, generations)
    rngs = streams([s for _ in worlds for s in seeds], PEOPLE) if people else []
    flags = trust((weak * cost).min(), column([w.equilibrium().value for w in worlds]).max(), mutation, people)
    q, p = np.full(len(gap), start), np.full(len(gap), 0.5)
    fitting, imitators = np.empty(changed.shape), np.empty(changed.shape)
    for t in range(generations):
        held = np.where(changed[t], np.where(two, 1 - p, 0), p)
        missed = q**each
        p = 1 - missed + missed * held
        if people:
            crowd = np.rint(q * people).astype(int)
            p = np.array([rng.binomial(c, x) / c if c else x for rng, c, x in zip(rngs, crowd, p, strict=True)])
        fitting[t], imitators[t] = p, q
        fitness = 1 + weak[:, None] * np.stack([-cost, gap * (2 * p - 2)], 1)
        q = resample(rngs, select(np.stack([1 - q, q], 1), fitness, mutation), people)[:, 1]
    return Course(fitting, imitators, flags)


def trust(pull: float, rest: float, mutation: float, people: int | None) -> tuple[str, ...]:
    """Flags where drift or mutation, and not selection, decides; `pull` is strength x C and `rest` is q*.

    With selection and mutation in balance W_I - W_L = mutation (2 q - 1) / (strength q (1 - q)): the fewer learners a
    rest point has, the more of what imitators seem to gain is mutants who learn.
    """
    flags = []
    if mutation > 0.01 * pull * (1 - rest):  # ours: "far below"
        flags.append("mutation_bias: mutation / (1 - q*) is not far below strength x C")
    if people is not None and (people * mutation < 1 or people * pull < 50):
        flags.append("drift: people x mutation < 1 or people x strength x C < 50")
    return tuple(flags)
