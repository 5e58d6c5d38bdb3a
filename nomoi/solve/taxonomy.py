"""Schelling's kinds of games (Schelling 1960): pure conflict, common interest, and the mixed motive.

The measure is ours: how the players' payoffs go together over outcomes, by Pearson's r.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from nomoi.solve.game import NormalForm

CONFLICT, COMMON, MIXED, IDLE = "pure conflict", "common interest", "mixed motive", "nothing at stake"
EXACT = 1e-9  # how near to its end r must be to be called pure (ours)


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
    standardised payoffs always sum to zero, which is the least mean r that k can have, -1/(k-1).
    """
    flat = game.payoff.reshape(game.n, -1)
    still = np.ptp(flat, axis=1) <= EXACT * np.abs(flat).max(1)
    indifferent = tuple(name for name, s in zip(game.players, still, strict=True) if s)
    flat = flat[~still]
    k = len(flat)
    if k == 0:
        return Kind(IDLE, np.nan, np.nan, indifferent)
    if k == 1:  # whatever the one wants, nobody minds
        return Kind(COMMON, np.nan, 1.0, indifferent)
    flat = flat - flat.mean(1, keepdims=True)
    flat = flat / np.sqrt((flat**2).sum(1, keepdims=True))
    rho = float((((flat.sum(0) ** 2).sum()) - k) / (k * (k - 1)))  # the mean of the pairs' inner products
    harmony = rho if rho >= 0 else rho * (k - 1)
    name = COMMON if harmony > 1 - EXACT else CONFLICT if harmony < EXACT - 1 else MIXED
    return Kind(name, rho, float(np.clip(harmony, -1, 1)), indifferent)
