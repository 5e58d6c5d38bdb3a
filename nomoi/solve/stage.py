"""Stage games: which equilibrium is played in a state, among those of what follows each joint choice.

Which is played is a rule of ours, since the theory leaves it open: the pure equilibrium with the largest sum of
payoffs (`best`) or the smallest (`worst`), among those the one with the most equal payoffs; or (`first`, and where
the others tie) the first in the order of choices.  Where two agents move and no equilibrium is pure, the same rule
selects among the mixed ones; where more move, a game without a pure one is refused.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nomoi.errors import Refusal, nearest
from nomoi.solve import nash
from nomoi.solve.game import NormalForm
from nomoi.solve.markov import Markov

DUST = 1e-6  # what counts as equal, as a share of the payoffs compared: situations compute in float32 (ours)
FINEST = 1e-14  # of the largest payoff: what rounding leaves of sums that are 0 (ours)
SELECT = {"best": 1.0, "worst": -1.0, "first": 0.0}

# (values of the joint choices [n, k, *A]) -> how probable each is [k, *A]
Stage = Callable[[np.ndarray], np.ndarray]


def equilibrium(markov: Markov, select: str, slack: float) -> Stage:
    """The rule `select` for the stage games of a Markov game; `slack` as for `nomoi.solve.subgame.backward`."""
    if select not in SELECT:
        raise Refusal(f"there is no rule {select!r} to select an equilibrium by; {nearest(select, SELECT, 'rule')}")
    sign = SELECT[select]
    if markov.symmetric:
        return lambda values: _symmetric(markov.title, values, sign, slack)
    return lambda values: _pure(markov.title, values, sign)


def _pure(title: str, values: np.ndarray, sign: float) -> np.ndarray:
    """[k, *A] the selected pure equilibrium of each stage game [n, k, *A], or the mixed one where there is none."""
    n, k = values.shape[:2]
    best = np.ones(values.shape[1:], bool)
    for i in range(n):
        most = values[i].max(axis=1 + i, keepdims=True)
        best &= values[i] >= most - dust(values[i], most)
    flat = values.reshape(n, k, -1)
    among = best.reshape(k, -1)
    if sign:
        total = np.where(among, sign * flat.sum(0), -np.inf)
        size = np.where(among, np.abs(flat).sum(0), 0.0)  # what sum and spread are made of
        among = among & (total >= total.max(1, keepdims=True) - dust(size))
        spread = np.where(among, np.ptp(flat, axis=0), np.inf)
        among = among & (spread <= spread.min(1, keepdims=True) + dust(size))
    played = one_hot(among.argmax(1), values.shape[1:])
    without = np.flatnonzero(~among.any(1))
    if len(without):
        played[without] = _mixed(title, values[:, without], sign)
    return played


def dust(*compared: np.ndarray) -> np.ndarray:
    """What payoffs may differ by and be alike, in the unit of those that are compared."""
    size = np.abs(compared[0])
    for other in compared[1:]:
        size = np.maximum(size, np.abs(other))
    return DUST * size + FINEST * size.max(initial=0.0)


def _mixed(title: str, values: np.ndarray, sign: float) -> np.ndarray:
    """The selected mixed equilibrium [k, *A] of stage games [n, k, *A] of two agents, none of which has a pure one."""
    moves = [a for a in range(len(values)) if values.shape[2 + a] > 1]
    if len(moves) != 2:
        shape = " x ".join(map(str, values.shape[2:]))
        raise Refusal(
            f"{title} has a stage game ({shape}) without a pure equilibrium; only games in which two agents move are "
            "solved in mixed strategies here."
        )
    own, other = (values[a].reshape(-1, *(values.shape[2 + b] for b in moves)) for a in moves)
    joint = _two_by_two(own, other) if own.shape[1:] == (2, 2) else _larger(title, own, other, sign)
    return joint.reshape(values.shape[1:])


def _two_by_two(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """[k, 2, 2] the only equilibrium of games [k, 2, 2] without a pure one: each makes the other indifferent."""
    # p [k] for the first choice of `own`, q [k] for that of `other`
    p = (other[:, 1, 1] - other[:, 1, 0]) / (other[:, 0, 0] - other[:, 0, 1] - other[:, 1, 0] + other[:, 1, 1])
    q = (own[:, 1, 1] - own[:, 0, 1]) / (own[:, 0, 0] - own[:, 0, 1] - own[:, 1, 0] + own[:, 1, 1])
    return np.stack([p, 1 - p], 1)[:, :, None] * np.stack([q, 1 - q], 1)[:, None]


def _larger(title: str, own: np.ndarray, other: np.ndarray, sign: float) -> np.ndarray:
    """[k, A, B] the selected equilibrium of each game [k, A, B], among all that `nash.solve` finds."""
    out = np.zeros(own.shape)
    for g, pair in enumerate(zip(own, other, strict=True)):
        game = NormalForm(np.stack(pair), title)
        found = nash.solve(game)
        if not found.points:
            raise Refusal(f"no equilibrium of a stage game of {title} ({own.shape[1]} x {own.shape[2]}) was found.")
        total, spread = sign * found.payoffs.sum(1), np.ptp(found.payoffs, axis=1)
        among = total >= total.max() - dust(np.abs(found.payoffs).sum(1))
        best = int(np.where(among, spread, np.inf).argmin()) if sign else 0
        out[g] = np.multiply.outer(*found.points[best])
    return out


def _symmetric(title: str, values: np.ndarray, sign: float, slack: float) -> np.ndarray:
    """The selected symmetric pure equilibrium of each stage game [1, k, A, A] of profiles (own, all others)."""
    own = values[0]
    same = np.diagonal(own, axis1=1, axis2=2)
    near = dust(own.max(1), same)
    gain = own.max(1) - same  # [k, A] what departing from "all do b" gains
    gain = np.where(gain <= near, 0.0, gain)
    least = float(gain.min(1).max())
    if least > slack:
        raise Refusal(
            f"{title} has a stage game without a symmetric pure equilibrium (departing gains at least {least:.3g}); "
            "allow for that by `slack`, or unfold it without symmetric=True."
        )
    allowed = gain <= gain.min(1, keepdims=True) + near
    chosen = np.where(allowed, sign * same, -np.inf).argmax(1)
    return one_hot(chosen * (own.shape[2] + 1), own.shape)


def one_hot(flat: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """[k, *A] with a one at place flat[k] of each."""
    out = np.zeros((shape[0], int(np.prod(shape[1:]))))
    out[np.arange(shape[0]), flat] = 1.0
    return out.reshape(shape)
