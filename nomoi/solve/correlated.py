"""Correlated and coarse correlated equilibria of any number of players, by linear programming (scipy's HiGHS).

Those of the smallest games are found in whole numbers, from the corners of the set of all.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from nomoi.errors import Refusal, nearest
from nomoi.solve.exact import whole
from nomoi.solve.game import NormalForm
from nomoi.solve.vertices import cone, normed

LARGEST = 2_000_000  # entries of the programme; more takes minutes (ours)
CERTAIN = 1e-8  # the largest gain from departing, as a share of what is at stake (as in nomoi.solve.certify; ours)
DUST = 1e-14  # shares below which an outcome may be left by rounding alone (ours)
FEW = 9  # outcomes of two players up to which the corners of the set of all are listed: some milliseconds (ours)
OBJECTIVES = ("max", "min", "egalitarian")


@dataclasses.dataclass(frozen=True)
class Correlated:
    """A distribution [A_1, ..., A_n] over outcomes from which nobody gains by departing.

    payoffs      [n]; welfare is their sum
    certificate  the most anyone could gain by departing, as a share of what is at stake for it (see `gain`)
    """

    distribution: np.ndarray
    payoffs: np.ndarray
    welfare: float
    certificate: float
    coarse: bool
    objective: str


def solve(game: NormalForm, objective: str = "max", coarse: bool = False) -> Correlated:
    """The one of most (`max`) or least (`min`) welfare, or the one in which the worst off is best off (`egalitarian`).

    Correlated (Aumann 1974): nobody gains by another action than the one advised, knowing the advice.  Coarse (Moulin &
    Vial 1978): nobody gains by an action fixed before.  Where several are best, one is given.
    """
    if objective not in OBJECTIVES:
        raise Refusal(f"there is no objective {objective!r}; {nearest(objective, OBJECTIVES, 'objective')}")
    if size(game) > LARGEST:
        raise Refusal(f"{game.title} is too large for correlated equilibria by linear programming.")
    game.solvable()
    few = game.n == 2 and game.payoff[0].size <= FEW
    x = (_by_corners if few else _by_programme)(game, objective, coarse)
    mark, x = min(((gain(game, one, coarse), one) for one in x), key=lambda t: t[0])
    if not mark <= CERTAIN:
        raise Refusal(f"correlated equilibria of {game.title} were not found: payoffs differ too much in size for a "
                      "linear programme in floating point.")  # fmt: skip
    got = game.joint(x)
    return Correlated(x, got, float(got.sum()), mark, coarse, objective)


def _by_corners(game: NormalForm, objective: str, coarse: bool) -> list[np.ndarray]:
    """Of two players, in whole numbers: the best corner of the set of all such distributions.

    What is best for the worst off of two is a corner, or lies between two where both fare alike.
    """
    rows = []
    for i, k in enumerate(game.shape):
        table = np.array(whole(np.moveaxis(game.exact[i], i, 0))[0], object)
        for played in range(k):
            loss = table - table[played]  # [advised, the other's] of playing this instead
            each = [loss] if coarse else [loss * (np.arange(k) == a)[:, None] for a in range(k) if a != played]
            rows += [np.moveaxis(one, 0, i).ravel() for one in each]
    corners = normed(cone(np.array(rows, object).reshape(-1, game.payoff[0].size))[0])
    payoff = game.payoff.reshape(2, -1)
    if objective == "egalitarian":
        lead = corners @ (payoff[0] - payoff[1])
        i, j = np.nonzero((lead[:, None] > 0) & (lead < 0))
        share = (lead[i] / (lead[i] - lead[j]))[:, None]
        corners = np.concatenate([corners, (1 - share) * corners[i] + share * corners[j]])
    paid = corners @ payoff.T
    worth = paid.min(1) if objective == "egalitarian" else paid.sum(1) * (1.0 if objective == "max" else -1.0)
    return [corners[worth.argmax()].reshape(game.shape)]


def _by_programme(game: NormalForm, objective: str, coarse: bool) -> list[np.ndarray]:
    """The answer of the linear programme, as it is and without what rounding left."""
    from scipy import sparse
    from scipy.optimize import linprog

    gains: Any = departures(game, coarse)
    unit = abs(gains).max(axis=1).toarray().ravel()  # each departure in its own unit
    gains = sparse.diags_array(1 / np.where(unit > 0, unit, 1.0)) @ gains
    payoff = (game.payoff.reshape(game.n, -1) - game.payoff.min()) / game.range
    outcomes = payoff.shape[1]
    if objective == "egalitarian":  # one variable more: the least payoff
        gains = sparse.hstack([gains, sparse.csr_array((gains.shape[0], 1))])
        gains = sparse.vstack([gains, sparse.hstack([sparse.csr_array(-payoff), np.ones((game.n, 1))])])
        aim, bounds = np.append(np.zeros(outcomes), -1.0), [(0, None)] * outcomes + [(None, None)]
    else:
        aim, bounds = payoff.sum(0) * (-1.0 if objective == "max" else 1.0), [(0, None)] * outcomes
    one = np.append(np.ones(outcomes), np.zeros(len(aim) - outcomes))[None]
    found = linprog(
        aim, A_ub=gains, b_ub=np.zeros(gains.shape[0]), A_eq=one, b_eq=[1.0], bounds=bounds, method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )  # fmt: skip
    if found.x is None:  # there always is one (Hart & Schmeidler 1989), so this is a failure of arithmetic
        raise Refusal(f"{game.title}: no correlated equilibrium was found ({found.message}); are payoffs of one size?")
    tried = []
    for least in (0.0, DUST):
        x = np.where(found.x[:outcomes] > least, found.x[:outcomes], 0.0).reshape(game.shape)
        tried.append(x / x.sum())
    return tried


def regret(game: NormalForm, distribution: np.ndarray, coarse: bool = False) -> float:
    """The most that any player could expect to gain by departing, summed over what it is advised; 0 in equilibrium."""
    worst = 0.0
    for i, payoff in enumerate(game.payoff):
        mine = np.moveaxis(payoff, i, 0).reshape(game.shape[i], -1)
        x = np.moveaxis(np.asarray(distribution, np.float64), i, 0).reshape(game.shape[i], -1)
        swapped = x @ mine.T  # [advised, played]
        followed = np.diagonal(swapped)
        gain = swapped.sum(0).max() - followed.sum() if coarse else (swapped.max(1) - followed).sum()
        worst = max(worst, float(gain))
    return worst


def gain(game: NormalForm, distribution: np.ndarray, coarse: bool = False) -> float:
    """The most any player could gain by departing, as a share of what is at stake for it; 0 in equilibrium.

    At stake is what following the advice and the best departures forgo together, on average, against the best answer to
    what the others do: payoffs that the distribution gives no weight do not enter, however large.
    """
    worst = 0.0
    for i, payoff in enumerate(game.exact):
        mine = np.moveaxis(payoff, i, 0).reshape(game.shape[i], -1)
        x = np.moveaxis(distribution, i, 0).reshape(game.shape[i], -1)
        forgone = x @ (mine.max(0) - mine).T  # [advised, played]
        play = float(np.trace(forgone))
        least = float(forgone.sum(0).min() if coarse else forgone.min(1).sum())
        if play > least:
            worst = max(worst, (play - least) / (play + least))
    return worst


def size(game: NormalForm) -> int:
    """Entries of the linear programme of correlated equilibrium."""
    return sum(a - 1 for a in game.shape) * int(np.prod(game.shape))


def departures(game: NormalForm, coarse: bool = False) -> Any:
    """What departures gain [departures, outcomes]; one is (player, advised, played), a coarse one (player, played)."""
    from scipy import sparse

    cells = np.arange(int(np.prod(game.shape))).reshape(game.shape)
    blocks = []
    for i, payoff in enumerate(game.exact):
        k = game.shape[i]
        mine = np.moveaxis(payoff, i, 0).reshape(k, -1)
        where = np.moveaxis(cells, i, 0).reshape(k, -1)
        gain = mine[None] - mine[:, None]  # [advised, played, others]
        advised, played = np.indices((k, k))
        line = played if coarse else advised * k + played
        rows = np.broadcast_to(line[..., None], gain.shape)
        columns = np.broadcast_to(where[:, None], gain.shape)
        lines = k if coarse else k * k
        blocks.append(sparse.coo_array((gain.ravel(), (rows.ravel(), columns.ravel())), shape=(lines, cells.size)))
    return sparse.vstack(blocks).tocsr()
