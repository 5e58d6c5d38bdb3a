"""Schelling's kinds of games (Schelling 1960): pure conflict, common interest, and the mixed motive.

The measure is ours: how the players' payoffs go together over outcomes, by Pearson's r.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from nomoi.solve.game import NormalForm

CONFLICT, COMMON, MIXED, IDLE = "pure conflict", "common interest", "mixed motive", "nothing at stake"
EXACT = 1e-12  # how near 0 the sum of three or more standardised payoffs must be in every outcome (ours)
ULPS = 16  # units in the last place by which payoffs may miss being a multiple of another's, plus a constant (ours)


@dataclasses.dataclass(frozen=True)
class Kind:
    """What kind of game it is.

    rho          the mean of Pearson's r over pairs of players who have something at stake; NaN with fewer than two
    harmony      rho, stretched so that it runs from -1 (pure conflict) to 1 (common interest) for any number of players
    indifferent  the players who get the same in every outcome; they are left out
    """

    name: str
    rho: float
    harmony: float
    indifferent: tuple[str, ...]


def kind(game: NormalForm) -> Kind:
    """From the payoffs of all outcomes, each counted once.

    Common interest: everybody's payoffs rise and fall together (r = 1 for all).  Pure conflict: of two, r = -1; of k,
    standardised payoffs always sum to zero, which is the least mean r that k can have, -1/(k-1).  Which it is, is
    judged in every outcome and not by r, which one outcome far worse than all others brings next to 1.
    """
    flat = game.payoff.reshape(game.n, -1)
    still = np.array([(p == p.flat[0]).all() for p in game.exact])
    indifferent = tuple(name for name, s in zip(game.players, still, strict=True) if s)
    flat = flat[~still]
    k = len(flat)
    if k == 0:
        return Kind(IDLE, np.nan, np.nan, indifferent)
    if k == 1:  # whatever the one wants, nobody minds
        return Kind(COMMON, np.nan, 1.0, indifferent)
    together = all(_affine(flat[0], other) > 0 for other in flat[1:])
    apart = k == 2 and _affine(flat[0], flat[1]) < 0
    flat = flat / np.abs(flat).max(1, keepdims=True)  # squares of small and large payoffs are numbers, too
    flat = flat - flat.mean(1, keepdims=True)
    flat = flat / np.sqrt((flat**2).sum(1, keepdims=True))
    rho = float((((flat.sum(0) ** 2).sum()) - k) / (k * (k - 1)))  # the mean of the pairs' inner products
    harmony = rho if rho >= 0 else rho * (k - 1)
    if k > 2:
        apart = bool((np.abs(flat.sum(0)) <= EXACT).all())
    name = COMMON if together else CONFLICT if apart else MIXED
    return Kind(name, rho, float(np.clip(harmony, -1, 1)), indifferent)


def _affine(one: np.ndarray, other: np.ndarray) -> int:
    """1 or -1 where the payoffs [K] of one are a multiple of the other's plus a constant, by the multiple's sign; or 0.

    Differences from two outcomes are multiplied crosswise; each is off by what rounding of its payoffs explains.
    """
    low, high = int(one.argmin()), int(one.argmax())
    a, b = one - one[low], other - other[low]
    dust = [ULPS * np.spacing(np.maximum(np.abs(p), abs(p[low]))) for p in (one, other)]
    gap = np.abs(a * b[high] - b * a[high])
    slack = np.abs(a) * dust[1][high] + dust[0] * abs(b[high]) + np.abs(b) * dust[0][high] + dust[1] * a[high]
    return int(np.sign(b[high])) if (gap <= slack).all() else 0
