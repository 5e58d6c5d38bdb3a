"""Learning when it is cheap, or when the evidence is clear, and copying otherwise (Boyd & Richerson 1995).

Two states of the environment, as in `nomoi.populations.imitation`.  Here all are alike and each learns sometimes, so
copying does raise mean fitness.  Equations are derived here; the paper's abstract was read, not its body.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from scipy import optimize, stats

from nomoi.core.parameters import Answer, Parameters, number, probability
from nomoi.populations.engine import PEOPLE, changes, models, share, streams, whole

UNCHANGING = "no_change: what was learned once stays right, so nobody need ever learn"


def _known(sure: np.ndarray | float, copying: np.ndarray | float, switch: float) -> np.ndarray | float:
    """P, right where `sure` are so by themselves and `copying` copy: P = sure + copying (gamma + (1 - 2 gamma) P)."""
    return (sure + copying * switch) / (1 - copying * (1 - 2 * switch))


@dataclasses.dataclass(frozen=True)
class Cheap(Parameters):
    """Each draws a cost of learning from U(0, Kmax) and learns where it is below a limit K, else copies."""

    gap: float = number(1.0, "D", "gained by the favoured behaviour, lost by the other", "ours", low=0,
                        open_low=True)  # fmt: skip
    highest: float = number(1.0, "Kmax", "highest cost of learning", "ours", low=0, open_low=True)
    switch: float = probability(0.1, "gamma", "chance that the environment changes in a generation", "ours")

    def learners(self, limit: float) -> float:
        """Share that learns, min(1, K / Kmax)."""
        return min(limit / self.highest, 1.0)

    def right(self, limit: float) -> float:
        """P, the share that has the favoured behaviour."""
        learners = self.learners(limit)
        if learners == 0 and self.switch == 0:
            return 1.0  # the limit of ever fewer learners; `limit` flags it
        return float(_known(learners, 1 - learners, self.switch))

    def copied(self, limit: float) -> float:
        """Pc, the chance that what is copied is right: gamma + (1 - 2 gamma) P."""
        return self.switch + (1 - 2 * self.switch) * self.right(limit)

    def limit(self) -> Answer:
        """K*, evolutionarily stable: learn where it costs less than it brings, K* = 2D (1 - Pc).

        Where gamma is below 1/2 this is too little for the good of all: who learns is copied, and is not paid for it.
        """
        if self.switch == 0:
            return Answer(0.0, (UNCHANGING,))
        over = lambda k: k - 2 * self.gap * (1 - self.copied(k))  # noqa: E731
        if over(self.highest) <= 1e-12 * self.highest:
            return Answer(self.highest, ("all_learn: even the highest cost is worth paying",))
        return Answer(float(optimize.brentq(over, 0, self.highest, xtol=1e-14)))

    def fitness(self, limit: float) -> float:
        """Mean fitness above W0: D (2P - 1) - K^2 / (2 Kmax), K at most Kmax."""
        paid = min(limit, self.highest) ** 2 / (2 * self.highest)
        return self.gap * (2 * self.right(limit) - 1) - paid

    @property
    def alone(self) -> float:
        """Mean fitness above W0 where all always learn: D - Kmax / 2."""
        return self.gap - self.highest / 2

    def simulate(self, limit: float, people: int, generations: int, seeds: Sequence[int]) -> np.ndarray:
        """[T, R] share that is right, individuals one by one."""
        return _generations(people, generations, seeds, self.switch, lambda rng, n: (
            np.where(rng.random(n) * self.highest < limit, 1, 0)))  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Cue(Parameters):
    """Each sees a cue x ~ N(1, sigma), follows its sign where |x| > d, and copies where it is weaker.

    The sign is right where x > 0.
    """

    noise: float = number(1.0, "sigma", "standard deviation of the cue", "ours", low=0, open_low=True)
    switch: float = probability(0.01, "gamma", "chance that the environment changes in a generation", "ours")

    def chances(self, d: np.ndarray | float) -> tuple[np.ndarray | float, np.ndarray | float]:
        """p1, the chance to follow a right cue, and L, the chance to copy, where cues within `d` are weak."""
        d = np.asarray(d, float)
        follow = stats.norm.sf((d - 1) / self.noise)
        return follow, 1 - follow - stats.norm.cdf((-d - 1) / self.noise)

    def right(self, d: np.ndarray | float) -> np.ndarray | float:
        """Share that is right, (p1 + L gamma) / (1 - L (1 - 2 gamma))."""
        return _known(*self.chances(d), self.switch)

    @property
    def alone(self) -> float:
        """Share that is right where all follow their cue whatever it is."""
        return float(stats.norm.cdf(1 / self.noise))

    def limit(self) -> Answer:
        """d*, evolutionarily stable, and where the share that is right is highest: both are the same condition.

        At it a cue tells as much as copying does: exp(2 d / sigma^2) = Pc / (1 - Pc), or d = sigma^2 / 2 logit(Pc).
        """
        if self.switch == 0:
            return Answer(np.inf, (UNCHANGING,))
        if self.switch >= 0.5:
            return Answer(0.0, ("no_copying: what is copied is right in no more than half of the cases",))

        def over(d: float) -> float:
            copied = self.switch + (1 - 2 * self.switch) * float(self.right(d))
            return self.noise**2 / 2 * np.log(copied / (1 - copied)) - d

        top = 1.0
        while over(top) > 0:
            top *= 2
        return Answer(float(optimize.brentq(over, 0, top, xtol=1e-12)))

    def simulate(self, d: float, people: int, generations: int, seeds: Sequence[int]) -> np.ndarray:
        """[T, R] share that is right, individuals one by one."""

        def cues(rng: np.random.Generator, n: int) -> np.ndarray:
            x = rng.normal(1, self.noise, n)
            return np.where(x > d, 1, np.where(x < -d, -1, 0))

        return _generations(people, generations, seeds, self.switch, cues)


def _generations(
    people: int,
    generations: int,
    seeds: Sequence[int],
    switch: float,
    learn: Callable[[np.random.Generator, int], np.ndarray],
) -> np.ndarray:
    """[T, R] share that is right; `learn` gives for each person 1 (learned it right), -1 (wrong) or 0 (copies)."""
    people = whole(people, "people")
    changed = changes(seeds, switch, whole(generations, "generations"))
    out = np.empty(changed.shape)
    for r, rng in enumerate(streams(seeds, PEOPLE)):
        right = rng.random(people) < 0.5
        for t in range(len(changed)):
            found = learn(rng, people)
            inherited = (~right if changed[t, r] else right).take(models(rng, people, 1)[0])
            right = np.where(found == 0, inherited, found > 0)
            out[t, r] = right.mean()
    return out


@dataclasses.dataclass(frozen=True)
class Cumulative(Parameters):
    """A height that nobody reaches alone: each adds a share a of what is missing to what it copied.

    A minimal model of ours.  From scratch one reaches a.  Copies keep a share f of the level; a change
    of the environment loses it all.
    """

    improve: float = number(0.05, "a", "what one reaches from scratch", "ours", 0, 1, True, True)
    switch: float = probability(0.01, "gamma", "chance that the environment changes", "ours")
    fidelity: float = probability(1.0, "f", "share of a level that a copy keeps", "ours")

    @property
    def level(self) -> float:
        """Mean height, a / (1 - (1 - gamma) (1 - a) f)."""
        return self.improve / (1 - (1 - self.switch) * (1 - self.improve) * self.fidelity)

    def doubting(self, reject: float) -> Cumulative:
        """The same with copiers who drop what looks worse to them with chance `reject`."""
        return dataclasses.replace(self, fidelity=self.fidelity * (1 - share(reject, "reject")))

    def persistence(self, generations: int) -> float:
        """Chance that a neutral trait, copied as faithfully, is still there: f^t."""
        return self.fidelity ** whole(generations, "generations", 0)

    def simulate(self, generations: int, seeds: Sequence[int]) -> np.ndarray:
        """[T, R] heights of lineages, beginning with nothing."""
        changed = changes(seeds, self.switch, whole(generations, "generations"))
        height, out = np.zeros(changed.shape[1]), np.empty(changed.shape)
        for t, new in enumerate(changed):
            height = self.improve + (1 - self.improve) * self.fidelity * np.where(new, 0, height)
            out[t] = height
        return out
