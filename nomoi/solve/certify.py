"""Whether a point is a Nash equilibrium: proved in whole numbers where that is possible, else measured.

A method that computes in floating point gives a point near an equilibrium.  For two players the equilibrium itself is
found from the actions in use, by solving in whole numbers, and every action's payoff is compared exactly.  Where that
cannot be (three players, hundreds of actions, points inside a continuum), the gain from leaving is measured against
what is at stake at that very point, never against the range of all payoffs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from nomoi.solve.exact import null, whole
from nomoi.solve.game import NormalForm
from nomoi.solve.pure import Profile, chosen, replies

CERTAIN = 1e-8  # the largest gain from leaving an answer, as a share of what is at stake there (ours)
NEAR = 1e-6  # how far from an answer in floating point the exact one may lie, in any share (ours)
DUST = 1e-12  # shares below which an action may be in use by rounding alone (ours)
WIDEST = 2500  # outcomes up to which two players' payoffs are turned into whole numbers (ours; 0.1 s)
SUPPORT = 24  # actions in use up to which equations are solved in whole numbers (ours)


@dataclasses.dataclass(frozen=True, eq=False)
class Verdict:
    """A point as it should be listed, payoffs [n], the gain from leaving (a share of what is at stake, 0 if proved).

    crowded  whether somebody has more best replies there than the other uses actions: the game is degenerate
    """

    point: Profile
    payoffs: np.ndarray
    gain: float
    proved: bool
    crowded: bool = False


def gain(game: NormalForm, point: Profile) -> float:
    """The most anyone could gain by leaving, as a share of what is at stake for it there; 0 in an equilibrium.

    At stake is what its play and its best reply forgo together, on average, against the best answer to each thing that
    the others may happen to do.  Both forgo alike in equilibrium; the share is 1 where the best reply forgoes nothing.
    """
    worst = 0.0
    for i, x in enumerate(point):
        forgone = game.exact[i].max(i, keepdims=True) - game.exact[i]
        for j in reversed(range(game.n)):
            if j != i:
                forgone = np.tensordot(forgone, point[j], axes=(j, 0))
        play, least = float(forgone @ x), float(forgone.min())
        if play > least:
            worst = max(worst, (play - least) / (play + least))
    return worst


class Judge:
    """Verdicts on points of one game; its whole numbers are computed once."""

    def __init__(self, game: NormalForm) -> None:
        self.game = game
        small = game.n == 2 and game.payoff[0].size <= WIDEST
        self.tables = [whole(game.exact[0]), whole(np.ascontiguousarray(game.exact[1].T))] if small else []

    def __call__(self, point: Profile) -> Verdict | None:
        """None where the point is no equilibrium."""
        if not all(x.min() > -NEAR and abs(x.sum() - 1) < NEAR for x in point):  # NaN fails, too
            return None
        pure = chosen(point)
        if pure is not None:
            brings = replies(self.game, pure)
            if any(v.max() > v[a] for v, a in zip(brings, pure, strict=True)):
                return None
            crowded = any(np.count_nonzero(v == v.max()) > 1 for v in brings)
            return Verdict(point, self.game.payoff[(slice(None), *pure)].copy(), 0.0, True, crowded)
        for least in (0.0, DUST) if self.tables else ():  # first as it is: a share of 1e-20 may be meant
            proved = self._proved(point, [np.flatnonzero(x > least).tolist() for x in point])
            if proved:
                return proved
        return self._measured(point)

    def _proved(self, point: Profile, used: list[list[int]]) -> Verdict | None:
        if max(map(len, used)) > SUPPORT:
            return None
        exact: list[np.ndarray] = []
        paid, crowded = [], False
        for (table, unit), own, other, near in zip(self.tables, used, used[::-1], point[::-1], strict=True):
            found = _indifferent(table, own, other, near)
            if found is None:
                return None
            weights, values = found
            total, best = sum(weights), max(values)
            shares = np.zeros(len(near))
            shares[other] = [w / total for w in weights]  # of whole numbers: rounded once
            if np.abs(shares - near).max() > NEAR:
                return None
            exact.append(shares)
            paid.append(best * unit.numerator / (total * unit.denominator))
            crowded = crowded or values.count(best) > len(other)
        return Verdict((exact[1], exact[0]), np.array(paid), 0.0, True, crowded)

    def _measured(self, point: Profile) -> Verdict | None:
        tried = []
        for least in (0.0, DUST):
            clean = tuple(np.where(x > least, x, 0.0) for x in point)
            clean = tuple(x / x.sum() for x in clean)
            tried.append((gain(self.game, clean), clean))
        share, clean = min(tried, key=lambda t: t[0])
        return Verdict(clean, self.game.expected(clean), share, False) if share <= CERTAIN else None


def _indifferent(
    table: list[list[int]], own: Sequence[int], other: Sequence[int], near: np.ndarray
) -> tuple[list[int], list[int]] | None:
    """Weights of the actions `other`, all above 0, against which the actions `own` are best replies; what all bring.

    Where the actions `own` do not settle the weights, others that seem as good help to, as they do in an extreme point
    of a degenerate game.  None where nothing settles them.
    """
    base = table[own[0]]
    equations = [[table[k][j] - base[j] for j in other] for k in own[1:]]
    weights = null(equations, len(other))
    if weights is None:
        loss = {k: _seems(table[k], base, other, near) for k in range(len(table)) if k not in own}
        for k in sorted((k for k, v in loss.items() if v < NEAR), key=loss.__getitem__):
            further = [*equations, [table[k][j] - base[j] for j in other]]
            settled = null(further, len(other))
            if settled != []:  # a tie that may be
                equations, weights = further, settled
            if weights is not None:
                break
    if not weights or min(weights) <= 0:
        return None
    values = [sum(row[j] * w for j, w in zip(other, weights, strict=True)) for row in table]
    return (weights, values) if values[own[0]] == max(values) else None


def _seems(row: list[int], base: list[int], other: Sequence[int], near: np.ndarray) -> float:
    """How unlike two actions seem against the strategy `near`: the mean difference over the mean of its size."""
    each = [float(row[j] - base[j]) * float(near[j]) for j in other]
    return abs(sum(each)) / (sum(map(abs, each)) or 1.0)
