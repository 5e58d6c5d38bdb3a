"""The cultural niche: imitators who also improve a little (Boyd & Richerson 1995; Boyd et al. 2011).

Behaviour is a distance from the local optimum, 0 for the best and 1 for no use at all.  Learners are at 0, at a high
cost.  Imitators copy a member of the previous generation and take a share a off the distance, at a low cost.  A change
of the environment makes what is inherited worthless.  The tutorial's condition for imitation to be evolutionarily
stable, (delta / (1 - delta)) a > gamma with delta = (C_L - C_I) / V, is the limit of small a and gamma; the exact
threshold depends on the order of events, and lies on one side of it or the other.  The mechanics are derived from the
tutorial's statement; the body of the 2011 paper was not available to us.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from nomoi.core.parameters import Answer, Parameters, number, probability
from nomoi.errors import Refusal, nearest
from nomoi.populations.engine import PEOPLE, changes, models, resample, select, share, shares, streams, whole
from nomoi.populations.imitation import Course, trust

ORDERS, LOSSES = ("I", "II"), ("linear", "quadratic")
LEARN, MIXED, IMITATE = "learn", "mixed", "imitate"
ALWAYS = "always: copying is cheaper by what behaviour is worth at most, or more"
NEVER = "never: copying is no cheaper than learning"


@dataclasses.dataclass(frozen=True)
class Niche(Parameters):
    """Learners, and imitators who improve.

    order   "I": change, copy, improve, selection; "II": in a generation of change the improvement is lost, for it was
            made toward the old optimum
    loss    "linear": behaviour at distance d is worth V (1 - d), which the tutorial's formula needs; "quadratic":
            V (1 - d^2), to see what hangs on that
    """

    value: float = number(1.0, "V", "worth of the best behaviour", "ours", low=0, open_low=True)
    learning: float = number(0.5, "C_L", "cost of learning", "ours", low=0)
    imitating: float = number(0.05, "C_I", "cost of imitating", "ours", low=0)
    improve: float = number(0.05, "a", "share of the distance an imitator takes off", "ours", 0, 1, True,
                            True)  # fmt: skip
    switch: float = probability(0.01, "gamma", "chance that the environment changes in a generation", "ours")
    order: str = "I"
    loss: str = "linear"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, values in (("order", ORDERS), ("loss", LOSSES)):
            given = getattr(self, name)
            if given not in values:
                raise Refusal(f"niche.{name} is {given!r}; {nearest(str(given), values, 'choice')}")
        if self.learning < self.imitating:
            raise Refusal(f"niche.learning is {self.learning}, below niche.imitating; "
                          f"at least {self.imitating} would be right.")  # fmt: skip

    @property
    def saving(self) -> float:
        """delta = (C_L - C_I) / V."""
        return (self.learning - self.imitating) / self.value

    @property
    def kept(self) -> float:
        """What an improvement leaves of the loss: 1 - a, or its square."""
        return (1 - self.improve) ** (1 if self.loss == "linear" else 2)

    @property
    def learners(self) -> float:
        """Fitness of learners, V - C_L."""
        return self.value - self.learning

    def lost(self, q: np.ndarray | float) -> np.ndarray | float:
        """Mean loss of imitators at frequencies `q` of imitators, as a share of V.

        D_I = gamma s / (1 - (1 - gamma) s q), D_II = gamma / (1 - (1 - gamma) s q), with s = `kept`.
        """
        q, s = shares(q, "q"), self.kept
        return self.switch * (s if self.order == "I" else 1) / (1 - (1 - self.switch) * s * q)

    def imitators(self, q: np.ndarray | float) -> np.ndarray | float:
        """Fitness of imitators, V (1 - D(q)) - C_I."""
        return self.value * (1 - self.lost(q)) - self.imitating

    def mean(self, q: np.ndarray | float) -> np.ndarray | float:
        """Mean fitness of all."""
        return (1 - np.asarray(q)) * self.learners + np.asarray(q) * self.imitators(q)

    def threshold(self) -> Answer:
        """The gamma below which a population of imitators is evolutionarily stable, exact for the order of events.

        I: delta (1 - s) / (s (1 - delta));  II: delta (1 - s) / (1 - delta s); where it is above 1, any gamma will do.
        """
        delta, s = self.saving, self.kept
        if delta >= 1:
            return Answer(1.0, (ALWAYS,))
        if delta == 0:
            return Answer(0.0, (NEVER,))
        raw = delta * (1 - s) / (s * (1 - delta) if self.order == "I" else 1 - delta * s)
        return Answer(min(raw, 1.0), ("any_gamma: imitation is stable however often things change",) if raw > 1 else ())

    def tutorial_threshold(self) -> Answer:
        """The gamma of the tutorial's condition, a delta / (1 - delta): the limit of small a and gamma."""
        if self.saving >= 1:
            return Answer(1.0, (ALWAYS,))
        return Answer(self.improve * self.saving / (1 - self.saving), () if self.saving else (NEVER,))

    def equilibrium(self) -> Answer:
        """q at rest: 1 where imitation is stable, 0 where it cannot invade, else where D(q) = delta."""
        delta, s = self.saving, self.kept
        if self.lost(1.0) < delta:
            return Answer(1.0)
        if self.lost(0.0) > delta or delta == 0:
            return Answer(0.0, (NEVER,) if delta == 0 else ())
        if self.switch == 1:
            return Answer(1.0, ("neutral: imitators fare like learners at any q",))
        first = self.switch * (s if self.order == "I" else 1)
        return Answer(float((1 - first / delta) / ((1 - self.switch) * s)))

    def regime(self) -> str:
        """learn, mixed or imitate."""
        q = self.equilibrium().value
        return LEARN if q == 0 else IMITATE if self.lost(1.0) < self.saving else MIXED

    def gain(self) -> float:
        """Mean fitness at rest above that of learners alone: more than 0 exactly where imitation is stable."""
        return float(self.imitators(1.0)) - self.learners if self.regime() == IMITATE else 0.0


def simulate(model: Niche, q: float, people: int, generations: int, seeds: Sequence[int]) -> Course:
    """Individuals one by one, with a fixed share `q` of imitators: `fitting` is 1 minus their mean loss."""
    people, generations = whole(people, "people"), whole(generations, "generations")
    learners = round((1 - share(q, "q")) * people)
    if learners == people:
        raise Refusal(f"q is {q}, which makes no imitator among {people} people; a larger q would be right.")
    changed = changes(seeds, model.switch, generations)
    fitting = np.empty(changed.shape)
    power = 1 if model.loss == "linear" else 2
    for r, rng in enumerate(streams(seeds, PEOPLE)):
        distance = np.ones(people)
        distance[:learners] = 0
        for t in range(generations):
            distance = improve(rng, model, distance, bool(changed[t, r]))
            distance[:learners] = 0
            fitting[t, r] = 1 - (distance[learners:] ** power).mean()
    return Course(fitting, np.full_like(fitting, 1 - learners / people))


def improve(rng: np.random.Generator, model: Niche, distance: np.ndarray, changed: bool) -> np.ndarray:
    """[people] distances after everybody copied a member of the previous generation, and improved."""
    if changed:  # what anybody knew is worthless
        return np.full_like(distance, 1 - model.improve if model.order == "I" else 1.0)
    return (1 - model.improve) * distance.take(models(rng, len(distance), 1)[0])


def evolve(
    worlds: Sequence[Niche],
    seeds: Sequence[int],
    generations: int,
    strength: float = 0.02,
    mutation: float = 1e-5,
    start: float = 0.5,
    people: int | None = None,
) -> Course:
    """Genes under weak selection, R = worlds x seeds replicates (seeds fastest); fitness is 1 + strength (W - W_L).

    The mean loss of imitators follows its own recursion exactly, as they copy blindly.  Flags are those of
    `nomoi.populations.imitation.trust` (where all imitate at rest mutants are a few, and no bias).
    """
    generations, mutation, start = whole(generations, "generations"), share(mutation, "mutation"), share(start, "start")
    if not worlds:
        raise Refusal("evolve needs at least one world.")
    if not (np.isfinite(strength) and strength > 0):
        raise Refusal(f"strength is {strength!r}; a number above 0 would be right.")
    column = lambda values: np.repeat(np.asarray(values, float), len(seeds))  # noqa: E731  one value a replicate
    gamma, kept, saving, value = (
        column([getattr(w, n) for w in worlds]) for n in ("switch", "kept", "saving", "value")
    )
    fresh = np.where(column([w.order == "I" for w in worlds]) > 0, kept, 1.0)  # loss in a generation of change
    every = [s for _ in worlds for s in seeds]
    changed, rngs = changes(every, gamma, generations), streams(every, PEOPLE) if people else []
    q, lost = np.full(len(gamma), start), np.ones(len(gamma))
    fitting, imitators = np.empty(changed.shape), np.empty(changed.shape)
    for t in range(generations):
        held = q if t == 0 else imitators[t - 1]  # imitators among those who are copied
        lost = np.where(changed[t], fresh, kept * held * lost)
        fitting[t], imitators[t] = 1 - lost, q
        fitness = 1 + strength * np.stack([np.zeros_like(q), value * (saving - lost)], 1)
        q = resample(rngs, select(np.stack([1 - q, q], 1), fitness, mutation), people)[:, 1]
    mixed = [w.equilibrium().value for w in worlds if w.regime() == MIXED]
    flags = trust(strength * float((value * saving).min()), max(mixed, default=0.0), mutation, people)
    return Course(fitting, imitators, flags)
