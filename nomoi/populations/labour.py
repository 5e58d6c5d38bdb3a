"""Division of labour: the pin factory (Smith 1776), trust along a chain, and who does the work that does not pay.

The pin factory and the chain are formulas.  The village is a minimal model of ours after the abstract of
Yaman et al. 2023: a role that all need pays less, so self-interested learners leave it unfilled, until sanctions that
groups copy from better groups make it worth filling.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from nomoi.core.parameters import Parameters, count, number, probability
from nomoi.errors import Refusal, nearest

SMITH_TEAM, SMITH_ALONE = (
    4800,
    20,
)  # pins a day and worker in a team of ten; "certainly not twenty" alone (the tutorial)


@dataclasses.dataclass(frozen=True)
class Factory(Parameters):
    """K operations make a pin; a worker's output at one is (share of time)^alpha, and pins are the least of them."""

    operations: int = count(18, "K", "operations that make a pin", "ours, after Smith 1776")
    learning: float = number(2.896, "alpha", "1: no gain from keeping at one thing; above: learning", low=0)
    delivery: float = probability(1.0, "h", "chance that a stage delivers as it should")

    @property
    def alone(self) -> float:
        """Pins of a worker who does it all, K^-alpha."""
        return self.operations**-self.learning

    @property
    def team(self) -> float:
        """Pins a head in a team of K specialists where all must deliver, h^K / K."""
        return self.delivery**self.operations / self.operations

    @property
    def gain(self) -> float:
        """How many times more a head makes in the team: h^K K^(alpha - 1)."""
        return self.team / self.alone

    @property
    def trust(self) -> float:
        """The least h at which it pays to specialise, K^(-(alpha - 1) / K); above 1 it never does."""
        return self.operations ** (-(self.learning - 1) / self.operations)


def learning_for(gain: float, operations: int) -> float:
    """The alpha at which K specialists make `gain` times as much a head: 1 + log(gain) / log(K)."""
    if not (math.isfinite(gain) and gain > 0):
        raise Refusal(f"the gain is {gain!r}; a number above 0 would be right.")
    if isinstance(operations, bool) or not isinstance(operations, int) or operations < 2:
        raise Refusal(f"operations is {operations!r}; a whole number of at least 2 would be right.")
    return 1 + math.log(gain) / math.log(operations)


def assign(operations: int, workers: int) -> list[int]:
    """[workers] how many operations each does, as evenly as can be: no other division makes the slowest faster."""
    if min(operations, workers) < 1 or not all(isinstance(x, int) for x in (operations, workers)):
        raise Refusal(f"{operations!r} operations and {workers!r} workers; whole numbers of at least 1 would be right.")
    return [operations // workers + (k < operations % workers) for k in range(workers)]


EASY, HARD = range(2)


@dataclasses.dataclass(frozen=True)
class Village(Parameters):
    """Groups of learners with an easy role that pays and a hard one that does not, but on which all depend.

    Everybody meets one other a period and fines it with chance S[own role, other's role]; the fine goes to the holders
    of the hard role in equal parts.  Learners are born anew each generation; norms S stay with the group.
    """

    groups: int = count(30, "G", "groups of a world", low=2)
    agents: int = count(20, "N", "members of a group", low=2)
    needed: int = count(4, "m", "holders of the hard role that the group needs")
    easy: float = number(1.0, "h", "pay of the easy role; the hard one pays 0", low=0)
    bonus: float = number(2.0, "B", "what everybody gets if enough hold the hard role", low=0)
    fine: float = number(0.5, "f", "taken from whoever is fined", low=0)
    fining: float = number(0.05, "kappa", "paid by whoever fines", low=0)
    rate: float = probability(0.1, "alpha", "learning rate")
    trying: float = probability(0.1, "epsilon", "chance of a random choice")
    mutation: float = probability(0.05, "mu", "chance that an entry of S is drawn anew")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.needed > self.agents:
            raise Refusal(f"village.needed is {self.needed}, more than the {self.agents} agents there are.")


@dataclasses.dataclass(frozen=True)
class Annals:
    """[generations, R] means over the groups of each of R worlds, in the later half of the generation: payoff, share of
    the hard role, and whether enough held it; norms [generations, R, 2, 2] as they were."""

    payoff: np.ndarray
    hard: np.ndarray
    filled: np.ndarray
    norms: np.ndarray


def live(
    village: Village, seeds: int, seed: int, generations: int = 40, steps: int = 200, copying: str = "better"
) -> Annals:
    """R = `seeds` worlds side by side.  Groups begin without norms and copy those of a group drawn at random if it did
    better (copying = better), whatever it did (any), or never, nor do norms mutate (none)."""
    if copying not in ("better", "any", "none"):
        raise Refusal(f"copying is {copying!r}; {nearest(copying, ('better', 'any', 'none'), 'way')}")
    rng = np.random.default_rng(seed)
    norms = np.zeros((seeds, village.groups, 2, 2))
    rows = []
    for _ in range(generations):
        payoff, hard, filled = _learn(rng, village, norms, steps)
        rows.append((payoff.mean(1), hard.mean(1), filled.mean(1), norms.mean(1)))
        if copying != "none":
            norms = _copy(rng, village, norms, payoff, copying == "better")
    return Annals(*(np.array(column) for column in zip(*rows, strict=True)))


def _learn(
    rng: np.random.Generator, v: Village, norms: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[R, G] payoff, hard share and whether filled over the later half of `steps` periods of Q-learning.

    The newly born think the best of both roles, so that both are tried at once.
    """
    shape = (*norms.shape[:2], v.agents)
    worth, sums = np.full((*shape, 2), v.easy + v.bonus), np.zeros((3, *shape[:2]))
    for t in range(steps):
        random = rng.random(shape)
        greedy = worth[..., HARD] + 1e-9 * rng.random(shape) > worth[..., EASY] + 1e-9 * rng.random(shape)
        role = np.where(random < v.trying, random < v.trying / 2, greedy).astype(int)
        paid = period(rng, v, norms, role)
        old = np.take_along_axis(worth, role[..., None], -1)
        np.put_along_axis(worth, role[..., None], old + v.rate * (paid[..., None] - old), -1)
        if t >= steps // 2:
            sums += paid.mean(-1), role.mean(-1), role.sum(-1) >= v.needed
    return tuple(sums / (steps - steps // 2))  # type: ignore[return-value]


def period(rng: np.random.Generator, v: Village, norms: np.ndarray, role: np.ndarray) -> np.ndarray:
    """[R, G, N] payoffs of one period, given norms [R, G, 2, 2] and roles [R, G, N]."""
    agents = role.shape[-1]
    met = (np.arange(agents) + rng.integers(1, agents, role.shape)) % agents
    theirs = np.take_along_axis(role, met, -1)
    world, group = np.indices(role.shape[:2])
    fines = rng.random(role.shape) < norms[world[..., None], group[..., None], role, theirs]
    place = (np.arange(role.shape[0] * role.shape[1]) * agents).reshape(*role.shape[:2], 1) + met
    got = np.bincount(place[fines], minlength=role.size).reshape(role.shape)
    holders = role.sum(-1, keepdims=True)
    shared = v.fine * fines.sum(-1, keepdims=True) / np.maximum(holders, 1)  # where nobody is there, it is lost
    pay = np.where(role == EASY, v.easy, shared) + np.where(holders >= v.needed, v.bonus, 0.0)
    return pay - v.fine * got - v.fining * fines


def _copy(rng: np.random.Generator, v: Village, norms: np.ndarray, payoff: np.ndarray, better: bool) -> np.ndarray:
    groups = norms.shape[1]
    model = (np.arange(groups) + rng.integers(1, groups, payoff.shape)) % groups
    takes = np.take_along_axis(payoff, model, 1) > payoff if better else rng.random(payoff.shape) < 0.5
    world = np.arange(len(norms))[:, None]
    out = np.where(takes[..., None, None], norms[world, model], norms)
    return np.where(rng.random(out.shape) < v.mutation, rng.random(out.shape), out)
