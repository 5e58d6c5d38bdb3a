"""How much of what all together could have is reached in equilibrium: shares, the prices of anarchy and of stability.

Price of anarchy (Koutsoupias & Papadimitriou 1999): the best sum of payoffs over that of the worst equilibrium.  Price
of stability (Anshelevich et al. 2008): over that of the best equilibrium.  Of costs (sums below 0) both are inverted.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from nomoi.solve.exact import tidy
from nomoi.solve.game import NormalForm


@dataclasses.dataclass(frozen=True)
class Reached:
    """best, the largest sum of payoffs of an outcome; at, the outcomes (actions) where it lies; sums of the points.

    shares     of `best` that each point reaches; empty where a share makes no sense, and `why` then says why
    anarchy    best over the worst of the points;  stability  over the best of them; infinite where that is 0, and NaN
               where the best sum is 0, sums have unlike signs, or there are no points
    """

    best: float
    at: tuple[tuple[int, ...], ...]
    sums: tuple[float, ...]
    shares: tuple[float, ...]
    anarchy: float
    stability: float
    why: str


def reached(game: NormalForm, payoffs: Sequence[Sequence[float]] | np.ndarray) -> Reached:
    """Of points with payoffs [points, n], such as equilibria."""
    total = _whole(tidy(game.payoff.sum(0)), game)
    best = float(total.max())
    at = tuple(tuple(map(int, a)) for a in np.argwhere(total == best))
    sums = _whole(np.asarray(payoffs, np.float64).reshape(-1, game.n).sum(1), game)
    shares, anarchy, stability, why = (), math.nan, math.nan, ""
    if not len(sums):
        why = "no equilibrium was found"
    elif best > 0 and sums.min() >= 0:
        shares = tuple((sums / best).tolist())
        anarchy, stability = (best / s if s else math.inf for s in (float(sums.min()), float(sums.max())))
    elif best < 0:  # and so are all sums
        anarchy, stability = float(sums.min()) / best, float(sums.max()) / best
        why = "all sums are below 0, so they are costs"
    else:
        why = "the best sum is 0" if best == 0 else "a sum in equilibrium is below 0"
    return Reached(best, at, tuple(sums.tolist()), shares, anarchy, stability, why)


def _whole(sums: np.ndarray, game: NormalForm) -> np.ndarray:
    """Sums of payoffs, of which 0 is what rounding leaves of 0.1 + 0.2 - 0.3."""
    dust = game.n * np.finfo(float).eps * np.abs(game.payoff).max()
    return np.where(np.abs(sums) <= dust, 0.0, sums)
