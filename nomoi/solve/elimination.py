"""Iterated elimination of strictly dominated actions (Luce & Raiffa 1957): what no equilibrium can use is left out.

An action is strictly dominated if another one, or a mixture of others, brings its player more whatever the others do.
A linear programme proposes the mixture; it counts only if it dominates in fractions, so that nothing is ever left out
by rounding.  In which order actions go does not matter for strict dominance.
"""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from functools import cached_property

import numpy as np

from nomoi.solve import late
from nomoi.solve.exact import fractions
from nomoi.solve.game import NormalForm
from nomoi.solve.pure import Profile

MIXTURES = 1000  # payoffs of one player, for all that is left, up to which mixtures are tried (ours; half a second)
ROUND = 10**6  # largest denominator of a share in a mixture (ours)


@dataclasses.dataclass(frozen=True)
class Step:
    """Player and action that goes, and the mixture {action: share} by which it is dominated."""

    player: int
    action: int
    by: dict[int, float]


@dataclasses.dataclass(frozen=True, eq=False)
class Reduced:
    """What is left of a game: the actions kept [n][...], and the steps by which the others went.

    players  those who have a choice left, or the first ones where fewer than two have;  game  what they play
    """

    whole: NormalForm
    kept: tuple[tuple[int, ...], ...]
    steps: tuple[Step, ...]

    @property
    def solved(self) -> bool:
        """Whether one outcome is left, which then is the only equilibrium."""
        return all(len(mine) == 1 for mine in self.kept)

    @property
    def players(self) -> tuple[int, ...]:
        busy = [i for i, mine in enumerate(self.kept) if len(mine) > 1]
        idle = [i for i in range(self.whole.n) if i not in busy]
        return tuple(sorted(busy + idle[: max(0, 2 - len(busy))]))

    @cached_property
    def game(self) -> NormalForm:
        if not self.steps:
            return self.whole
        left, who = self.whole.payoff[np.ix_(range(self.whole.n), *self.kept)], self.players
        idle = tuple(1 + i for i in range(self.whole.n) if i not in who)
        names = tuple(tuple(self.whole.actions[i][k] for k in self.kept[i]) for i in who)
        title, players = self.whole.title, tuple(self.whole.players[i] for i in who)
        return NormalForm(left.squeeze(idle)[list(who)], title, players, names)

    def back(self, point: Profile) -> Profile:
        """A profile of `game` as one of the whole game."""
        if not self.steps:
            return point
        out = []
        for i, mine in enumerate(self.kept):
            full = np.zeros(self.whole.shape[i])
            full[list(mine)] = point[self.players.index(i)] if i in self.players else 1.0
            out.append(full)
        return tuple(out)


def eliminate(game: NormalForm) -> Reduced:
    """Strictly dominated actions left out, round by round, until none is."""
    kept, steps, more = [list(range(k)) for k in game.shape], [], True
    while more:
        more = False
        for i in range(game.n):
            mine = np.moveaxis(game.exact[i][np.ix_(*kept)], i, 0).reshape(len(kept[i]), -1)
            there = np.ones(len(mine), bool)
            best = (mine == mine.max(0)).any(1)  # a best reply to something is not dominated
            for a in np.flatnonzero(~best):
                if by := _dominated(mine, there, int(a)):
                    there[a] = False
                    steps.append(Step(i, kept[i][a], {kept[i][k]: share for k, share in by.items()}))
            more = more or not there.all()
            kept[i] = [k for k, stays in zip(kept[i], there, strict=True) if stays]
    return Reduced(game, tuple(map(tuple, kept)), tuple(steps))


def _dominated(mine: np.ndarray, there: np.ndarray, a: int) -> dict[int, float]:
    """The actions, with their shares, that strictly dominate `a` in payoffs [A, others]; empty where none are known."""
    others = np.flatnonzero(there & (np.arange(len(mine)) != a))
    pure = (mine[others] > mine[a]).all(1)
    if pure.any():
        return {int(others[pure.argmax()]): 1.0}
    return _mixture(mine, others, a) if len(others) > 1 and mine.size <= MIXTURES else {}


def _mixture(mine: np.ndarray, others: np.ndarray, a: int) -> dict[int, float]:
    more = mine[others] - mine[a]  # [K, others] what each brings more than a
    if (more.max(0) <= 0).any():
        return {}
    unit = more / np.abs(more).max(0)  # each thing that others may do in its own unit
    linprog = late.module("scipy.optimize").linprog
    k, m = unit.shape  # shares [K] and the least gain, which is made as large as can be
    found = linprog(np.append(np.zeros(k), -1.0), np.hstack([-unit.T, np.ones((m, 1))]), np.zeros(m),
                    np.append(np.ones(k), 0.0)[None], [1.0], [(0, 1)] * k + [(None, None)], method="highs")  # fmt: skip
    if found.x is None or found.x[-1] <= 0:
        return {}
    shares = [Fraction(x).limit_denominator(ROUND) for x in found.x[:-1].tolist()]
    used = [j for j, share in enumerate(shares) if share > 0]
    total = sum(shares[j] for j in used)
    table = [fractions(mine[row]) for row in (*others[used], a)]  # more than [a] in every column, exactly
    mixed = (sum(shares[j] * v for j, v in zip(used, column, strict=True)) for column in zip(*table[:-1], strict=True))
    proved = all(sum_ > total * least for sum_, least in zip(mixed, table[-1], strict=True))
    return {int(others[j]): float(shares[j] / total) for j in used} if proved else {}
