"""Every extreme Nash equilibrium of a game of two, degenerate or not, by its best-response polytopes.

Kernel of `nomoi.solve.nash`.  quantecon's vertex enumeration is faster on large games but loses points where more than
m inequalities meet in a vertex, and computes in floating point.  Here no vertex is lost and none invented, however
unlike in size payoffs are: floating point is used with a bound on its errors, and where a sign is within the bound (as
all zeros are, so in every degenerate game) all is done in whole numbers instead.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from nomoi.errors import Refusal
from nomoi.solve.exact import tidy, whole

BASES = 1000  # sets of inequalities up to which this is the method of choice: 6 x 6, or 2 x 40 (ours; about a ms)
MOST = 4000  # vertices of a polytope, and equilibria, beyond which it is given up (ours; some seconds)
TRUSTED = 1e-8  # error in floating point, in any share of an equilibrium, beyond which whole numbers are used (ours)

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
    quick = _simple(row, column)
    if quick is not None:
        return quick
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


# --- in floating point ----------------------------------------------------------------------------------------------


def _simple(row: np.ndarray, column: np.ndarray) -> Extremes | None:
    """The same of a game that is proved not to be degenerate on the way; None where rounding leaves a doubt."""
    m, n = row.shape
    if m + n > 62:  # labels are the bits of a word
        return None
    one, two = _Simple.of(column.T), _Simple.of(row)
    if one is None or two is None:
        return None
    theirs = two.labels >> np.uint64(n) | (two.labels & np.uint64((1 << n) - 1)) << np.uint64(m)
    pairs = np.argwhere(one.labels[:, None] & theirs == 0)  # each bears as many labels as it has actions: none twice
    if len(pairs) > MOST:
        raise _too_many()
    points = [(one.point(i), two.point(j)) for i, j in pairs.tolist()]
    if any(x is None for point in points for x in point):
        return None
    return Extremes(tuple(points), False)  # type: ignore[arg-type]


@dataclasses.dataclass(frozen=True)
class _Simple:
    """Vertices but 0 of {x >= 0, table x <= 1} where no more than m inequalities meet, table [n, m].

    each  bounds the relative error of an entry of the table
    shares [V, m], normed;  error [V] bounds the relative error of each;  labels [V] the inequalities that meet, x_i = 0
    as bit i and reply j as bit m + j
    """

    table: np.ndarray
    each: float
    shares: np.ndarray
    error: np.ndarray
    labels: np.ndarray

    @classmethod
    def of(cls, replies: np.ndarray) -> _Simple | None:
        """By double description, as `cone`; None where the sign of a slack is not certain.

        New rays are sums of numbers above 0: relative errors grow only by those of slacks, which are differences.
        """
        m = replies.shape[1]
        table, unit = replies - replies.min(), 4 * float(np.spacing(np.abs(replies).max()))
        range_ = float(table.max()) or 1.0
        table = table / range_ + 1.0
        # what a sum of m products, or a payoff that was moved and may stand for a simple fraction, may be off by
        each = (m + 8) * 2.0**-52 + unit / range_
        rays, error = np.eye(m + 1), np.zeros(m + 1)  # of (x, t), t standing for 1
        labels = np.uint64((1 << (m + 1)) - 1) ^ (np.uint64(1) << np.arange(m + 1, dtype=np.uint64))
        for j, reply in enumerate(table):
            used, t = rays[:, :m] @ reply, rays[:, m]
            slack = t - used
            size, dust = np.abs(slack), (used + t) * (error + each)
            if not (size > dust).all():
                return None
            above = slack > 0
            up, down = above.nonzero()[0], (~above).nonzero()[0]
            a, b = (np.bitwise_count(labels[up, None] & labels[down]) == m - 1).nonzero()  # these share an edge
            p, q = up[a], down[b]
            new = size[p, None] * rays[q] + size[q, None] * rays[p]
            new /= new.max(1, keepdims=True)
            off, right = 1 + dust / size, 1 + error
            wrong = np.maximum(off[p] * right[q], off[q] * right[p]) - 1 + each
            rays, error = np.concatenate([rays[up], new]), np.concatenate([error[up], wrong])
            labels = np.concatenate([labels[up], labels[p] & labels[q] | np.uint64(1 << (m + 1 + j))])
            if len(rays) > MOST:
                raise _too_many()
        total = rays[:, :m].sum(1)
        ends = total > 0  # all but 0; in none of them is t = 0
        labels = labels & np.uint64((1 << m) - 1) | labels >> np.uint64(m + 1) << np.uint64(m)
        return cls(table, each, rays[ends, :m] / total[ends, None], 2 * error[ends], labels[ends])

    def point(self, v: int) -> np.ndarray | None:
        """A vertex, solved for anew where the bound on its error is too wide; None where that does not help."""
        shares = self.shares[v]
        if self.error[v] <= TRUSTED:
            return shares
        m, n = len(shares), len(self.table)
        used = shares.nonzero()[0]
        sharp = [j for j in range(n) if int(self.labels[v]) >> (m + j) & 1]
        try:
            inverse = np.linalg.inv(self.table[np.ix_(sharp, used)])
        except np.linalg.LinAlgError:
            return None
        x = inverse.sum(1)
        if not 16 * m * self.each * np.abs(inverse).sum() * self.table.max() * x.sum() <= TRUSTED * x.sum():
            return None
        out = np.zeros(m)
        out[used] = x / x.sum()
        return out


# --- in whole numbers -----------------------------------------------------------------------------------------------


def _vertices(replies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices but 0 of {x >= 0, replies x <= 1}, normed [V, m]; their labels [V, m + n]: x_i = 0, reply j binds.

    replies  payoffs [n, m], which are moved above 0 here; that moves no equilibrium
    """
    m = replies.shape[1]
    table = np.array(whole(tidy(replies))[0], object)
    table = table - table.min()
    table = table + max(int(table.max()), 1)
    rays, sharp = cone(np.concatenate([-table, np.ones((len(table), 1), object)], 1))  # of (x, t), t standing for 1
    ends = (rays[:, :m] != 0).any(1)  # all but 0
    return normed(rays[ends, :m]), np.delete(sharp[ends], m, 1)


def normed(rays: np.ndarray) -> np.ndarray:
    """Rays of whole numbers [V, d], of which none is 0, as shares; each is rounded once."""
    return np.array([[x / sum(ray) for x in ray] for ray in rays.tolist()], np.float64).reshape(rays.shape)


def cone(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The extreme rays [V, d] of {x >= 0, rows x >= 0}, rows [k, d], in whole numbers; which of x >= 0 and of the rows
    are sharp there [V, d + k].

    The double description method (Motzkin and others 1953; Fukuda and Prodon 1996): rays are kept as inequalities are
    added one after the other.  Two rays are neighbours if no third meets all the inequalities in which both are sharp.
    """
    k, d = rows.shape
    if int(np.abs(rows).max(initial=0)) < 2**31:
        rows = rows.astype(np.int64)
    rays = np.eye(d, dtype=rows.dtype)
    sharp = np.concatenate([~np.eye(d, dtype=bool), np.zeros((d, k), bool)], 1)
    for j, row in enumerate(rows):
        large = int(np.abs(rays).max(initial=1)) ** 2 * int(np.abs(row).max())
        if rays.dtype != object and 4 * d * large >= 2**62:
            rays, rows = rays.astype(object), rows.astype(object)
        slack = rays @ row.astype(rays.dtype)
        up, down = np.flatnonzero(slack > 0), np.flatnonzero(slack < 0)
        sharp[:, d + j] = slack == 0
        p, q = _neighbours(sharp, up, down, d)
        new = slack[p, None] * rays[q] - slack[q, None] * rays[p]
        new = new // np.gcd.reduce(new, axis=1, keepdims=True) if len(new) else new
        meet = sharp[p] & sharp[q]
        meet[:, d + j] = True
        keep = slack >= 0
        rays, sharp = np.concatenate([rays[keep], new]), np.concatenate([sharp[keep], meet])
        if len(rays) > MOST:
            raise _too_many()
    return rays, sharp


def _neighbours(sharp: np.ndarray, up: np.ndarray, down: np.ndarray, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Rays, one of `up` and one of `down` each, between which the cone has an edge."""
    bits = sharp.astype(np.float32)
    a, b = np.nonzero(bits[up] @ bits[down].T >= d - 2)
    p, q = up[a], down[b]
    simple = (sharp.sum(1) < d).all()
    if simple or not len(p):  # then that many in common make an edge
        return p, q
    edge = []
    for part in np.array_split(np.arange(len(p)), 1 + len(p) * len(bits) // 10_000_000):
        both = bits[p[part]] * bits[q[part]]
        edge.append(((both @ (1 - bits).T) == 0).sum(1) == 2)  # no third meets them all
    found = np.concatenate(edge)
    return p[found], q[found]
