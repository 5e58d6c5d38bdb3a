"""Known games by name, each with its source: the tutorial's matrices as corrected, and a few that everybody cites.

Rows are the first player's actions.  The first prisoner's dilemma, both 3 x 3 games of conventions and the caption of
the tutorial's slides were garbled in its text; here stands what they must have been.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from nomoi.errors import Refusal, nearest
from nomoi.solve.game import NormalForm, bimatrix, symmetric

TUTORIAL = "the tutorial (Hadfield et al. 2024)"
CD = ("C", "D")
ABC = ("A", "B", "C")


@dataclasses.dataclass(frozen=True)
class Entry:
    """A game and where its payoffs come from."""

    game: NormalForm
    source: str


def rstp(both: float, alone: float, tempted: float, neither: float, title: str = "game") -> NormalForm:
    """The symmetric 2 x 2 game of R (both cooperate), S (alone), T (tempted) and P (neither); actions C and D."""
    return symmetric([[both, alone], [tempted, neither]], title, CD)


def diagonal(*worth: float, title: str = "conventions") -> NormalForm:
    """Conventions: both get worth[a] where both choose a, else nothing."""
    names = ABC if len(worth) == 3 else ()
    return symmetric(np.diag(np.asarray(worth, np.float64)), title, names)


def _zero_sum(row: list[list[float]], title: str, *names: tuple[str, ...]) -> NormalForm:
    table = np.array(row, np.float64)
    return bimatrix(table, 0.0 - table, title, actions=names)


_SHAPLEY = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
_SHAPLEY_OTHER = [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
_RPS = ("rock", "paper", "scissors")

GAMES: Mapping[str, Entry] = {
    "pd_intro": Entry(
        rstp(2, 0, 4, 1, "Prisoner's dilemma (introduction)"), f"{TUTORIAL}, Games and equilibria, corrected"
    ),
    "pd": Entry(rstp(3, 0, 4, 1, "Prisoner's dilemma"), f"{TUTORIAL}, three classic types"),
    "chicken": Entry(rstp(3, 1, 4, 0, "Chicken"), f"{TUTORIAL}, three classic types"),
    "stag_hunt": Entry(rstp(4, 0, 3, 1, "Stag hunt"), f"{TUTORIAL}, three classic types"),
    "coord3": Entry(diagonal(1, 1, 1, title="Three conventions"), f"{TUTORIAL}, Equilibrium selection, corrected"),
    "coord123": Entry(
        diagonal(1, 2, 3, title="Risk versus opportunity"), f"{TUTORIAL}, Equilibrium selection, corrected"
    ),
    "bos": Entry(
        bimatrix([[3, 0], [0, 2]], [[2, 0], [0, 3]], "Bach or Stravinsky", actions=(("Bach", "Stravinsky"),) * 2),
        f"{TUTORIAL}, Bach or Stravinsky",
    ),
    "matching_pennies": Entry(
        _zero_sum([[1, -1], [-1, 1]], "Matching pennies", ("heads", "tails"), ("heads", "tails")),
        "ours, as everybody writes it",
    ),
    "rock_paper_scissors": Entry(
        _zero_sum([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], "Rock, paper, scissors", _RPS, _RPS),
        "ours, as everybody writes it",
    ),
    "aumann_chicken": Entry(rstp(6, 2, 7, 0, "Aumann's chicken"), "ours, after Aumann 1974"),
    "shapley": Entry(bimatrix(_SHAPLEY, _SHAPLEY_OTHER, "Shapley's game"), "Shapley 1964 (fictitious play circles)"),
}


def named(name: str) -> NormalForm:
    """A known game; Refusal with the nearest name where there is none."""
    if name not in GAMES:
        raise Refusal(f"there is no game called {name!r}; {nearest(name, GAMES, 'game')}")
    return GAMES[name].game
