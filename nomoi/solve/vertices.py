"""Every extreme Nash equilibrium of a game of two, degenerate or not, by its best-response polytopes.

Kernel of `nomoi.solve.nash`.  quantecon's vertex enumeration is faster on large games but loses points where more than
m inequalities meet in a vertex, and computes in floating point; here all is done in whole numbers, so that no vertex is
lost and none invented, however unlike in size payoffs are.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from nomoi.errors import Refusal
from nomoi.solve.exact import tidy, whole

BASES = 1000  # sets of inequalities up to which this is the method of choice: 6 x 6, or 2 x 40 (ours; about 20 ms)
MOST = 4000  # vertices of a polytope, and equilibria, beyond which it is given up (ours; some seconds)

Pair = tuple[np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Extremes:
    """All extreme equilibria, and whether the game is degenerate: a strategy of support k has over k best replies."""

    points: tuple[Pair, ...]
    degenerate: bool


def bases(rows: int, columns: int) -> int:
    """How many sets of inequalities might meet in a vertex."""
    return math.comb(rows + columns, rows)


def extremes(row: np.ndarray, column: np.ndarray) -> Extremes:
    """Of the game with payoffs row and column, both [m, n]: pairs of vertices that together bear every label.

    Label i < m: the first player's action i is unused or, seen from the second's polytope, a best reply; m + j likewise
    for the second's action j (Lemke & Howson 1964; von Stengel 2007).  Refused where there are too many vertices.
    """
    m, n = row.shape
    first, mine = _vertices(column.T)  # of the first player's strategies; labels: own unused, other's best
    second, theirs = _vertices(row)
    theirs = np.concatenate([theirs[:, n:], theirs[:, :n]], 1)
    pairs = np.argwhere((~mine).astype(np.float32) @ (~theirs).T.astype(np.float32) == 0)
    if len(pairs) > MOST:
        raise _too_many()
    degenerate = bool((mine.sum(1) > m).any() or (theirs.sum(1) > n).any())
    return Extremes(tuple((first[i], second[j]) for i, j in pairs), degenerate)


def _too_many() -> Refusal:
    return Refusal(f"the game is too large for the method extreme (over {MOST:,} vertices); vertex or lemke-howson "
                   "would do.")  # fmt: skip


def _vertices(replies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices but 0 of {x >= 0, replies x <= 1}, normed [V, m]; their labels [V, m + n]: x_i = 0, reply j binds.

    replies  payoffs [n, m], which are moved above 0 here; that moves no equilibrium

    The double description method (Motzkin and others 1953; Fukuda and Prodon 1996) on the cone of (x, t), t standing
    for 1: its rays are kept as inequalities t - reply_j x >= 0 are added one after the other.  Two rays are neighbours
    if no third meets all the inequalities in which both are sharp.
    """
    n, m = replies.shape
    table = np.array(whole(tidy(replies))[0], object)
    table = table - table.min()
    table = table + max(int(table.max()), 1)
    if int(table.max()) < 2**31:
        table = table.astype(np.int64)
    rays = np.eye(m + 1, dtype=table.dtype)
    sharp = np.concatenate([~np.eye(m + 1, dtype=bool), np.zeros((m + 1, n), bool)], 1)
    for j, reply in enumerate(table):
        if rays.dtype != object and 4 * (m + 1) * float(np.abs(rays).max()) ** 2 * float(reply.max()) >= 2**62:
            rays, table = rays.astype(object), table.astype(object)
        slack = rays[:, m] - rays[:, :m] @ reply.astype(rays.dtype)
        up, down = np.flatnonzero(slack > 0), np.flatnonzero(slack < 0)
        sharp[:, m + 1 + j] = slack == 0
        p, q = _neighbours(sharp, up, down, m)
        new = slack[p, None] * rays[q] - slack[q, None] * rays[p]
        new = new // np.gcd.reduce(new, axis=1, keepdims=True) if len(new) else new
        meet = sharp[p] & sharp[q]
        meet[:, m + 1 + j] = True
        keep = slack >= 0
        rays, sharp = np.concatenate([rays[keep], new]), np.concatenate([sharp[keep], meet])
        if len(rays) > MOST:
            raise _too_many()
    ends = (rays[:, :m] != 0).any(1)  # all but 0
    shares = [[x / sum(ray) for x in ray] for ray in rays[ends, :m].tolist()]  # of whole numbers: rounded once
    return np.array(shares, np.float64).reshape(-1, m), np.delete(sharp[ends], m, 1)


def _neighbours(sharp: np.ndarray, up: np.ndarray, down: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Rays, one of `up` and one of `down` each, between which the cone has an edge."""
    bits = sharp.astype(np.float32)
    a, b = np.nonzero(bits[up] @ bits[down].T >= m - 1)
    p, q = up[a], down[b]
    simple = (sharp.sum(1) <= m).all()
    if simple or not len(p):  # then that many in common make an edge
        return p, q
    edge = []
    for part in np.array_split(np.arange(len(p)), 1 + len(p) * len(bits) // 10_000_000):
        both = bits[p[part]] * bits[q[part]]
        edge.append(((both @ (1 - bits).T) == 0).sum(1) == 2)  # no third meets them all
    found = np.concatenate(edge)
    return p[found], q[found]
