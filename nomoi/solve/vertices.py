"""Every extreme Nash equilibrium of a small game of two, degenerate or not, by its best-response polytopes.

Kernel of `nomoi.solve.nash`.  quantecon's vertex enumeration is faster on large games but loses points where more than
m inequalities meet in a vertex; here all bases are tried, so none is lost.
"""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np

BASES = 1000  # the most bases that are tried: up to 6 x 6, or 2 x 40 (ours; about 20 ms)
DUST = 1e-10  # payoffs are scaled to [1, 2]; slacks below this are zero (ours)

Pair = tuple[np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Extremes:
    """All extreme equilibria, and whether the game is degenerate: a strategy of support k has over k best replies."""

    points: tuple[Pair, ...]
    degenerate: bool


def bases(rows: int, columns: int) -> int:
    """How many sets of inequalities would have to be tried."""
    return math.comb(rows + columns, rows)


def extremes(row: np.ndarray, column: np.ndarray) -> Extremes:
    """Of the game with payoffs row and column, both [m, n]: pairs of vertices that together bear every label.

    Label i < m: the first player's action i is unused or, seen from the second's polytope, a best reply; m + j likewise
    for the second's action j (Lemke & Howson 1964; von Stengel 2007).
    """
    m, n = row.shape
    first, mine = _vertices(_scaled(column).T)  # of the first player's strategies; labels: own unused, other's best
    second, theirs = _vertices(_scaled(row))
    theirs = np.concatenate([theirs[:, n:], theirs[:, :n]], 1)
    pairs = np.argwhere((~mine).astype(int) @ (~theirs).T.astype(int) == 0)
    degenerate = bool((mine.sum(1) > m).any() or (theirs.sum(1) > n).any())
    return Extremes(tuple((first[i], second[j]) for i, j in pairs), degenerate)


def _scaled(payoff: np.ndarray) -> np.ndarray:
    """To [1, 2], which moves no equilibrium."""
    return 1.0 + (payoff - payoff.min()) / (np.ptp(payoff) or 1.0)


def _vertices(replies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices but 0 of {x >= 0, replies x <= 1}, normed [V, m]; their labels [V, m + n]: x_i = 0, reply j binds."""
    n, m = replies.shape
    sides = np.concatenate([np.eye(m), replies])
    ends = np.concatenate([np.zeros(m), np.ones(n)])
    chosen = np.array(list(itertools.combinations(range(m + n), m)))
    chosen = chosen[(chosen >= m).any(1)]  # the others meet in 0
    square = sides[chosen]
    sound = np.linalg.svd(square, compute_uv=False)[:, -1] > DUST
    x = np.linalg.solve(square[sound], ends[chosen[sound]][..., None])[..., 0]
    slack = np.concatenate([x, 1.0 - x @ replies.T], 1)
    x, slack = x[(slack > -DUST).all(1)], slack[(slack > -DUST).all(1)]
    x = np.where(x < DUST, 0.0, x)
    _, once = np.unique(np.round(x / 1e-9) + 0.0, axis=0, return_index=True)
    x, slack = x[np.sort(once)], slack[np.sort(once)]
    return x / x.sum(1, keepdims=True), np.abs(slack) < 10 * DUST
