"""Which equilibrium?  Payoff dominance, risk dominance (Harsanyi & Selten 1988), p-dominance (Morris et al. 1995)."""

from __future__ import annotations

import dataclasses
import itertools
import math
from fractions import Fraction

import numpy as np

from nomoi.errors import Refusal
from nomoi.solve.exact import ULPS, fractions
from nomoi.solve.game import NormalForm
from nomoi.solve.pure import pure, strict

ROUNDED = 64  # units in the last place by which expected payoffs that are alike may differ (ours)


def payoff_dominant(payoffs: np.ndarray) -> list[int]:
    """Which of the payoffs [points, n] no other dominates (as good for all and better for one)."""
    payoffs = np.asarray(payoffs, np.float64)
    edge = ROUNDED * np.spacing(np.maximum(np.abs(payoffs[:, None]), np.abs(payoffs)))
    better = (payoffs[:, None] >= payoffs - edge).all(2) & (payoffs[:, None] > payoffs + edge).any(2)
    return np.flatnonzero(~better.any(0)).tolist()


@dataclasses.dataclass(frozen=True)
class Duel:
    """Two strict equilibria (actions of both) and which of them risk-dominates; winner None is a tie.

    losses   the products of what the two players would lose by leaving each of them for the other's actions
    """

    first: tuple[int, int]
    second: tuple[int, int]
    losses: tuple[float, float]
    winner: tuple[int, int] | None


def risk_dominance(game: NormalForm) -> tuple[Duel, ...]:
    """Every two strict equilibria of two players, in the 2 x 2 game of their actions; ties are said, not broken."""
    _two(game)
    points = [a for a in pure(game) if strict(game, a)]
    return tuple(_duel(game, a, b) for a, b in itertools.combinations(points, 2))  # type: ignore[arg-type]


def _duel(game: NormalForm, a: tuple[int, int], b: tuple[int, int]) -> Duel:
    cells = a, (b[0], a[1]), (a[0], b[1]), b
    row, column = (fractions([p[cell] for cell in cells]) for p in game.exact)
    losses = (row[0] - row[1], column[0] - column[2]), (row[3] - row[2], column[3] - column[1])
    at_a, at_b = (x * y for x, y in losses)
    # what rounding of payoffs that are no whole numbers may have done to the products
    dust = [0 if all(v.denominator == 1 for v in p) else ULPS * Fraction(math.ulp(float(max(map(abs, p)))))
            for p in (row, column)]  # fmt: skip
    tie = abs(at_a - at_b) <= sum(x * dust[1] + y * dust[0] for x, y in losses)
    return Duel(a, b, (float(at_a), float(at_b)), None if tie else (a if at_a > at_b else b))


def p_dominance(game: NormalForm, actions: tuple[int, int]) -> float:
    """The smallest p such that each action is a best reply to every belief of at least p in the other's.

    Refused where the actions are no strict equilibrium.  Below 1/2 it risk-dominates all others (Morris et al. 1995).
    """
    _two(game)
    if not strict(game, actions):
        raise Refusal(f"{game.title}: the actions {actions} are no strict equilibrium, so no p makes them safe.")
    worst = 0.0
    for payoff, mine, theirs in ((game.exact[0], *actions), (game.exact[1].T, *actions[::-1])):
        loss = payoff[mine, theirs] - np.delete(payoff, mine, 0)[:, theirs]  # of leaving, where the other stays
        lure = np.delete(payoff, mine, 0) - payoff[mine]  # of leaving, where the other does not
        need = np.maximum(np.delete(lure, theirs, 1), 0.0)
        share = need / (need + loss[:, None])
        worst = max(worst, float(share.max(initial=0.0)))
    return worst


def _two(game: NormalForm) -> None:
    if game.n != 2:
        raise Refusal(f"{game.title} has {game.n} players; risk dominance is for two.")
