"""How much of their own payoff agents may keep, and what fine they need, for a profile to be dominant.

Rewards are exchanged before play (Willis et al. 2023, arXiv 2310.12928, of which we read the abstract
and the code; the linear programme is written from its idea): r'_i = sum_j T[j, i] r_j, where row j of T says how j's
payoff is shared out; rows sum to 1.  A profile is dominant if every part of it is, for its player, at least as good as
any other choice, whatever the others do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from nomoi.errors import Refusal
from nomoi.solve.game import NormalForm

DUST = 1e-12  # of the gains compared: what differs by less is alike (ours)


def self_interest(game: NormalForm, target: Sequence[int]) -> float:
    """The largest share s of its own payoff that each may keep, the rest split evenly among the others.

    Then `target` [n], one action each, is dominant.  NaN where no share from 0 to 1 makes it so.  For two players with
    payoffs R, S, T, P it is min(1, (R - S) / (T - S), (T - P) / (T - S)) in a dilemma, and r / N in the
    linear public goods game.
    """
    low, high = 0.0, 1.0
    for i, change in _changes(game, target):
        own = change[i]  # [K] what the target brings more than each alternative, to i and to the others on average
        other = (change.sum(0) - own) / (game.n - 1)
        # s own + (1 - s) other >= 0, a half-line of s for each alternative
        slope = own - other
        dust = DUST * (np.abs(own) + np.abs(other))  # each in its own unit: what else may be paid does not matter
        flat = np.abs(slope) <= dust
        if (other[flat] < -dust[flat]).any():
            return float("nan")
        at = -other / np.where(flat, 1.0, slope)
        high = min(high, at[(slope < 0) & ~flat].min(initial=high))
        low = max(low, at[(slope > 0) & ~flat].max(initial=low))
    return high if high >= low - 1e-9 else float("nan")


def least_transfer(game: NormalForm, target: Sequence[int]) -> tuple[float, np.ndarray]:
    """The largest g such that some exchange T [n, n] with g <= T[i, i] makes `target` dominant, and such a T.

    A linear programme; g is at least `self_interest`, since there T need not be symmetric.  NaN where there is none.
    """
    from scipy.optimize import linprog

    n = game.n
    rows = []
    for i, change in _changes(game, target):
        row = np.zeros((change.shape[1], n, n))
        unit = np.abs(change).max(0)  # each choice in its own unit
        row[:, :, i] = -(change / np.where(unit > 0, unit, 1.0)).T  # sum_j T[j, i] change_j >= 0
        rows.append(row.reshape(-1, n * n))
    keep = np.zeros((n, n, n))
    keep[np.arange(n), np.arange(n), np.arange(n)] = -1.0  # g <= T[i, i]
    bounded = np.vstack([np.hstack([np.vstack(rows), np.zeros((sum(map(len, rows)), 1))]),
                         np.hstack([keep.reshape(n, -1), np.ones((n, 1))])])  # fmt: skip
    sums = np.hstack([np.kron(np.eye(n), np.ones(n)), np.zeros((n, 1))])
    aim = np.append(np.zeros(n * n), -1.0)
    found = linprog(aim, bounded, np.zeros(len(bounded)), sums, np.ones(n), (0, 1), method="highs")
    if not found.success:
        return float("nan"), np.full((n, n), np.nan)
    return float(found.x[-1]), found.x[:-1].reshape(n, n)


def least_fine(game: NormalForm, target: Sequence[int], detect: float = 1.0) -> float:
    """The smallest fine on leaving one's part of `target`, paid to the others, that makes `target` dominant.

    What the others are fined does not depend on the own choice, so it is the largest gain from leaving, or 0; in the
    linear public goods game 1 - r / N.  To players who care for expected payoffs alone, a fine that is paid with
    probability `detect` deters as much as `detect` times that fine.
    """
    if not 0 < detect <= 1:
        raise Refusal(f"the probability of being detected is {detect}; it must be above 0 and at most 1.")
    gain = max(float(-change[i].min(initial=0.0)) for i, change in _changes(game, target))
    return gain / detect


def _changes(game: NormalForm, target: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
    """For each player i, [n, K] what i's part of `target` brings everybody more than another choice of i's.

    K: every other choice of i, for every profile of the others.
    """
    if len(target) != game.n or any(not 0 <= t < a for t, a in zip(target, game.shape, strict=True)):
        raise Refusal(f"{list(target)} is no profile of {game.title}; its players have {list(game.shape)} actions.")
    for i, mine in enumerate(target):
        payoff = np.moveaxis(game.exact, 1 + i, 1)
        others = np.delete(payoff, mine, 1)
        yield i, (payoff[:, mine : mine + 1] - others).reshape(game.n, -1)
