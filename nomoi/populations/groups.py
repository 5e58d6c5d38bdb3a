"""Punishment in many groups that fight: cultural group selection (Boyd et al. 2003).

Members of one kind in one group are alike, so a world is kept as counts, and every chance is drawn as a binomial or
multinomial over counts: exact in distribution, at a cost that does not grow with the size of groups.  Values are those
that Mesoudi's Model 11, a re-creation, gives as the 2003 paper's; the order of events is his.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from nomoi.core.parameters import Parameters, count, number, probability
from nomoi.errors import Refusal

COOPERATE, PUNISH, DEFECT = range(3)  # types
TYPE = np.array([COOPERATE, COOPERATE, PUNISH, PUNISH, DEFECT])  # of each class; the second of a type erred
EVEN = np.array([1, 0, 1, 0, 0], bool)  # classes that contributed
MESOUDI = "Mesoudi's Model 11"


@dataclasses.dataclass(frozen=True)
class Groups(Parameters):
    """Many groups of one size, with cooperators, punishers and defectors."""

    groups: int = count(128, "N", "groups; an even number, so that all find an opponent", MESOUDI, low=2)
    size: int = count(16, "n", "members of a group", MESOUDI, low=2)
    error: float = probability(0.02, "e", "chance that a contribution fails", MESOUDI)
    cost: float = number(0.2, "c", "cost of a contribution", MESOUDI, low=0)
    benefit: float = number(0.0, "b", "what a contribution brings, shared by the group", "ours (extension)", low=0)
    punished: float = number(0.8, "p", "lost by a defector if all others punish, p/n to each", MESOUDI, low=0)
    punishing: float = number(0.2, "k", "paid by a punisher if all others defect, k/n for each", MESOUDI, low=0)
    mixing: float = probability(0.01, "m", "chance to meet a model from another group", MESOUDI)
    mutation: float = probability(0.01, "mu", "chance to become one of the other types", MESOUDI)
    conflict: float = probability(0.015, "eps", "chance that two groups that are paired fight", MESOUDI)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.groups % 2:
            raise Refusal(f"groups.groups is {self.groups}; an even number would be right, so that all are paired.")


@dataclasses.dataclass(frozen=True)
class Course:
    """What became of R worlds in T steps.  Shares are over all members of a world.

    cooperation   [T, R] share of cooperators and punishers;   punishers [T, R]
    last          [R, N, 3] counts by group and type at the end
    flags         degenerate cases that were met
    """

    cooperation: np.ndarray
    punishers: np.ndarray
    last: np.ndarray
    flags: tuple[str, ...]

    def late(self) -> np.ndarray:
        """[R] mean cooperation over the last half."""
        return self.cooperation[len(self.cooperation) // 2 :].mean(0)


def evolve(worlds: Sequence[Groups], seeds: Sequence[int], steps: int = 2000) -> Course:
    """One world for each of `worlds` in turn and each of `seeds`: R = worlds x seeds, seeds fastest.

    Worlds must have equally many groups and members.  Each seed's worlds draw from one generator, side by side, so a
    grid is one pass; the same worlds and seeds give the same numbers bit for bit.  Starts with one group of punishers.
    """
    if not worlds or not seeds:
        raise Refusal("evolve needs at least one world and one seed.")
    if len({(w.groups, w.size) for w in worlds}) > 1:
        raise Refusal("worlds that evolve side by side must have equally many groups and members.")
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise Refusal(f"steps is {steps!r}; a whole number of at least 1 would be right.")
    rng = np.random.default_rng(list(seeds))
    each = [w for w in worlds for _ in seeds]
    many = np.zeros((len(each), worlds[0].groups, 3), np.int64)
    many[:, 0, PUNISH] = many[:, 1:, DEFECT] = worlds[0].size
    value = _Values.of(each)
    traces, flags = np.zeros((2, steps, len(each))), set()
    for t in range(steps):
        many, low = step(rng, many, value)
        if low:
            flags.add("payoffs at or below 0 were raised to 1e-9")
        total = many.sum((1, 2))
        traces[:, t] = 1 - many[..., DEFECT].sum(1) / total, many[..., PUNISH].sum(1) / total
    return Course(traces[0], traces[1], many, tuple(sorted(flags)))


@dataclasses.dataclass(frozen=True)
class _Values:
    """The parameters of R worlds as [R, 1] arrays."""

    error: np.ndarray
    cost: np.ndarray
    benefit: np.ndarray
    punished: np.ndarray
    punishing: np.ndarray
    mixing: np.ndarray
    mutation: np.ndarray
    conflict: np.ndarray

    @classmethod
    def of(cls, worlds: Sequence[Groups]) -> _Values:
        names = [f.name for f in dataclasses.fields(cls)]
        return cls(*(np.array([[getattr(w, name)] for w in worlds]) for name in names))


def step(rng: np.random.Generator, many: np.ndarray, v: _Values) -> tuple[np.ndarray, bool]:
    """One period of counts [R, N, 3]: contribute and punish, copy, fight, mutate.  And whether payoffs were floored."""
    classes = contribute(rng, many, v)
    payoff = payoffs(classes, v)
    low = bool(((payoff <= 0) & (classes > 0)).any())
    many = copy(rng, classes, np.maximum(payoff, 1e-9), v.mixing)
    return mutate(rng, fight(rng, many, v.conflict), v.mutation), low


def contribute(rng: np.random.Generator, many: np.ndarray, v: _Values) -> np.ndarray:
    """[R, N, 5] counts by class: cooperators who did and who failed to contribute, punishers likewise, defectors."""
    failed = rng.binomial(many[..., :DEFECT], v.error[..., None])
    done = many[..., :DEFECT] - failed
    return np.stack([done[..., 0], failed[..., 0], done[..., 1], failed[..., 1], many[..., DEFECT]], -1)


def payoffs(classes: np.ndarray, v: _Values) -> np.ndarray:
    """[R, N, 5] payoff of each class, 1 at the start: contributions, and each punisher punishes each who gave none."""
    n = classes[0, 0].sum()
    punishers = classes[..., 2] + classes[..., 3]
    idle = classes[..., ~EVEN].sum(-1)
    given = v.benefit * (n - idle) / n
    fined, paid = v.punished / n, v.punishing / n
    each = [
        given - v.cost,
        given - fined * punishers,
        given - v.cost - paid * idle,
        given - fined * (punishers - 1) - paid * (idle - 1),  # nobody punishes itself
        given - fined * punishers,
    ]
    return 1 + np.stack(each, -1)


def copy(rng: np.random.Generator, classes: np.ndarray, payoff: np.ndarray, mixing: np.ndarray) -> np.ndarray:
    """[R, N, 3] after everybody met a model, of another group with chance `mixing`, and took its type with chance
    W(model) / (W(model) + W(own)), all at once.

    Nobody meets itself.  (Where a model may be oneself, imitation is slower in the smallest groups: without punishment
    .64 instead of .61 cooperate at n = 4; that was the other reading we tried.)
    """
    worlds, groups, _ = classes.shape
    n = classes[0, 0].sum()
    out = np.zeros((worlds, groups, 3), np.int64)
    for own in range(5):
        others = (classes - (np.arange(5) == own)) / (n - 1)  # asked only where there is one of this class
        takes = others * payoff / (payoff + payoff[..., own : own + 1])  # [R, N, 5]
        chance = np.zeros((worlds, groups, 4))
        for other in range(5):
            chance[..., TYPE[other]] += takes[..., other]
        chance[..., TYPE[own]] += 1 - takes.sum(-1)
        chance[..., :3] *= 1 - mixing[..., None]
        chance[..., 3] = mixing
        there = classes[..., own] > 0
        drawn = rng.multinomial(classes[..., own][there], chance[there] / chance[there].sum(-1, keepdims=True))
        out[there] += drawn[:, :3]
        world, group = (np.repeat(place, drawn[:, 3]) for place in np.nonzero(there))
        new = abroad(rng, classes, payoff, world, group, payoff[world, group, own], int(TYPE[own]))
        np.add.at(out, (world, group, new), 1)
    return out


def abroad(
    rng: np.random.Generator, classes: np.ndarray, payoff: np.ndarray, world: np.ndarray, group: np.ndarray,
    worth: np.ndarray, own: int,
) -> np.ndarray:  # fmt: skip
    """[K] types of K people of type `own` and payoff `worth` after each met a model from another group."""
    groups, n = classes.shape[1], classes[0, 0].sum()
    there = (group + rng.integers(1, groups, len(group))) % groups
    met = (rng.integers(0, n, len(group))[:, None] >= classes[world, there].cumsum(-1)).sum(-1)
    model = payoff[world, there, met]
    return np.where(rng.random(len(group)) < model / (model + worth), TYPE[met], own)


def fight(rng: np.random.Generator, many: np.ndarray, conflict: np.ndarray) -> np.ndarray:
    """Groups are paired at random; of a pair that fights the first wins with chance 1/2 + (d2 - d1) / 2, where d is
    the share of defectors, and the loser becomes a copy of the winner."""
    worlds, groups, _ = many.shape
    pairs = rng.permuted(np.broadcast_to(np.arange(groups), (worlds, groups)), axis=1).reshape(worlds, -1, 2)
    world, pair = np.nonzero(rng.random(pairs.shape[:2]) < conflict)
    one, two = pairs[world, pair].T
    bad = many[..., DEFECT] / many[0, 0].sum()
    first = rng.random(len(world)) < 0.5 + (bad[world, two] - bad[world, one]) / 2
    out = many.copy()
    out[world, np.where(first, two, one)] = many[world, np.where(first, one, two)]
    return out


def mutate(rng: np.random.Generator, many: np.ndarray, mutation: np.ndarray) -> np.ndarray:
    """Everybody becomes one of the other two types with chance `mutation`."""
    gone = rng.binomial(many, mutation[..., None])
    right = rng.binomial(gone, 0.5)
    return many - gone + np.roll(right, 1, -1) + np.roll(gone - right, -1, -1)
