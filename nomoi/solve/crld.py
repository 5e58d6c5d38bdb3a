"""Learning as a deterministic system: actor-critic dynamics in Markov games, without the noise of samples.

What independent learners would do in the mean, between two updates of which they see endlessly many rounds (Barfuss
et al. 2019; equations as in pyCRLD).  A strategy [n, S, A] moves by

    X <- X exp(alpha beta (pre R_isa + gamma NextV_isa - V_is)) / norm,    V = pre (I - gamma T)^-1 R

where R, T and NextV are means over what all others do.  Axes: transitions [S, A_1, ..., A_n, S'], rewards [n, S, A_1,
..., A_n, S']; all players have as many actions.
"""

from __future__ import annotations

import dataclasses
import string
from typing import Any

import numpy as np

from nomoi.errors import Refusal


@dataclasses.dataclass(frozen=True, eq=False)
class Markov:
    """A tabular Markov game: transitions [S, A_1, ..., A_n, S'] and rewards [n, S, A_1, ..., A_n, S']."""

    transitions: np.ndarray
    rewards: np.ndarray
    title: str = "Markov game"

    def __post_init__(self) -> None:
        t, r = np.asarray(self.transitions, np.float64), np.asarray(self.rewards, np.float64)
        players = t.ndim - 2
        if players < 1 or r.shape != (players, *t.shape) or t.shape[0] != t.shape[-1] or len(set(t.shape[1:-1])) != 1:
            raise Refusal(f"{self.title} has transitions {list(t.shape)} and rewards {list(r.shape)}; [S, A, ..., S] "
                          "with as many actions for each, and [players, S, A, ..., S] are right.")  # fmt: skip
        if not ((t >= 0).all() and np.allclose(t.sum(-1), 1, atol=1e-9)):
            raise Refusal(f"{self.title} has chances of going somewhere that do not sum to 1.")
        if not np.isfinite(r).all():
            raise Refusal(f"{self.title} has a reward that is not a finite number.")
        object.__setattr__(self, "transitions", t)
        object.__setattr__(self, "rewards", r)

    @property
    def players(self) -> int:
        """How many."""
        return self.transitions.ndim - 2

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of a strategy: players, states, actions."""
        return self.players, self.transitions.shape[0], self.transitions.shape[1]


def values(game: Markov, x: np.ndarray, discount: float, prefactor: bool = False) -> np.ndarray:
    """[N, n, S] the value of each state to each player under strategies x [N, n, S, A].

    prefactor  payoffs are weighed by 1 - discount, so that values are of the size of rewards
    """
    pre = 1 - discount if prefactor else 1.0
    step, reward = _means(game, x, None)
    system = np.eye(step.shape[-1]) - discount * step
    return np.stack([np.linalg.solve(system, pre * reward[:, i, :, None])[..., 0] for i in range(game.players)], 1)


def surprise(game: Markov, x: np.ndarray, discount: float, prefactor: bool = False) -> np.ndarray:
    """[N, n, S, A] the reward-prediction error of each action: what it brings and leads to, less the state's value."""
    pre = 1 - discount if prefactor else 1.0
    value = values(game, x, discount, prefactor)
    out = []
    for i in range(game.players):
        step, reward = _means(game, x, i)
        out.append(pre * reward + discount * np.einsum("zsat,zt->zsa", step, value[:, i]) - value[:, i, :, None])
    return np.stack(out, 1)


def update(x: np.ndarray, error: np.ndarray, rate: float) -> np.ndarray:
    """Strategies after one step of learning at `rate` (alpha times the intensity beta of choice)."""
    with np.errstate(divide="ignore"):
        log = np.log(x) + rate * error
    log = log - log.max(-1, keepdims=True)
    new = np.exp(log)
    return new / new.sum(-1, keepdims=True)


def learn(
    game: Markov, starts: Any, discount: float, rate: float = 0.1, steps: int = 10_000, prefactor: bool = False,
    tolerance: float = 1e-5,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Where learners end [N, n, S, A] from strategies of that shape, and which of them [N] have come to rest.

    rate, tolerance   ours; at rest no chance of an action moves by more than `tolerance` in a step.
    """
    x = np.asarray(starts, np.float64)
    if x.ndim != 4 or x.shape[1:] != game.shape:
        raise Refusal(f"starts have shape {list(x.shape)}; [runs, {', '.join(map(str, game.shape))}] is right.")
    if not ((x >= 0).all() and np.allclose(x.sum(-1), 1, atol=1e-9)):
        raise Refusal("a start holds chances of actions that do not sum to 1.")
    if not 0 <= discount < 1:
        raise Refusal(f"the discount factor is {discount}; it must be from 0 to less than 1.")
    if not (np.isfinite(rate) and rate > 0) or steps < 1:
        raise Refusal(f"{steps} steps at a rate of {rate}: at least one step, and a rate above 0, are right.")
    x, rest = x.copy(), np.zeros(len(x), bool)
    for _ in range(steps):
        going = np.flatnonzero(~rest)
        if not len(going):
            break
        new = update(x[going], surprise(game, x[going], discount, prefactor), rate)
        rest[going] = np.abs(new - x[going]).max((1, 2, 3)) < tolerance
        x[going] = new
    return x, rest


def _means(game: Markov, x: np.ndarray, keep: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Means over what players do: transitions [N, S, S'] and rewards [N, n, S]; with the actions of `keep` left open,
    [N, S, A, S'] and that player's [N, S, A]."""
    n = game.players
    acts = string.ascii_lowercase[:n]
    others = [j for j in range(n) if j != keep]
    factors = ["z", *(f"zs{acts[j]}" for j in others)]
    own = "" if keep is None else acts[keep]
    shares = [np.ones(len(x)), *(x[:, j] for j in others)]
    step = np.einsum(",".join([f"s{acts}t", *factors]) + f"->zs{own}t", game.transitions, *shares, optimize=True)
    if keep is None:
        expected = (game.transitions * game.rewards).sum(-1)
        reward = np.einsum(",".join([f"ys{acts}", *factors]) + "->zys", expected, *shares, optimize=True)
    else:
        expected = (game.transitions * game.rewards[keep]).sum(-1)
        reward = np.einsum(",".join([f"s{acts}", *factors]) + f"->zs{own}", expected, *shares, optimize=True)
    return step, reward


def social_dilemma(reward: float, temptation: float, sucker: float, punishment: float) -> Markov:
    """A 2x2 game played for ever in one state (first action: cooperate)."""
    row = np.array([[reward, sucker], [temptation, punishment]])
    pays = np.stack([row, row.T])[:, None, :, :, None]
    return Markov(np.ones((1, 2, 2, 1)), pays, "social dilemma")


DEGRADED, PROSPEROUS = 0, 1


def ecological_public_good(
    players: int = 2, factor: float = 1.2, cost: float = 5.0, impact: float = -5.0, collapse: float = 0.2,
    recovery: float = 0.1, choice: bool = False,
) -> Markov:  # fmt: skip
    """A public good in an environment that defectors may degrade (Barfuss et al. 2020).

    Actions: 0 cooperate, 1 defect.  From prosperous it collapses at collapse * defectors / players; from degraded it
    recovers at `recovery` (times the share of cooperators with `choice`).  While it stays prosperous each gets factor *
    cost * cooperators / players, less `cost` if cooperating; in and on the way to or from degradation each gets
    `impact`.  Defaults are those of pyCRLD's notebooks, where it has them.
    """
    for name, value in (("collapse", collapse), ("recovery", recovery)):
        if not 0 <= value <= 1:
            raise Refusal(f"ecological public good: {name} is {value}; it is a chance, from 0 to 1.")
    if players < 2:
        raise Refusal(f"a public good of {players} player is none; 2 or more are right.")
    t = np.zeros((2, *[2] * players, 2))
    r = np.full((players, *t.shape), float(impact))
    for actions in np.ndindex(*[2] * players):
        defectors = sum(actions)
        cooperators = players - defectors
        worse = collapse * defectors / players
        better = recovery * (cooperators / players if choice else 1)
        t[(PROSPEROUS, *actions)] = worse, 1 - worse
        t[(DEGRADED, *actions)] = 1 - better, better
        for i, action in enumerate(actions):
            r[(i, PROSPEROUS, *actions, PROSPEROUS)] = factor * cost * cooperators / players - cost * (action == 0)
    return Markov(t, r, "ecological public good")
