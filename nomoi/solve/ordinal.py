"""All strict ordinal 2 x 2 games: 576 tables, 144 games, 78 up to who is who; their periodic table and their graph.

Robinson & Goforth 2005: a game is where each player ranks the four outcomes 1 to 4;
two games are neighbours where a player swaps two adjacent ranks.  Here, as there, actions are named so that each
player's 4 lies in a fixed place, which leaves 12 patterns to each player: 12 x 12 = 144.  A pattern is named by the
symmetric game in which both have it (names after Bruns 2015).
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from nomoi.errors import Refusal
from nomoi.solve.dilemma import best_labelling, words
from nomoi.solve.game import NormalForm, bimatrix
from nomoi.solve.pure import pure

# From best to worst, with the actions named so that the 4 is R or T; in the order of Robinson and Goforth's rows.
PATTERNS: dict[str, str] = {
    "chicken": "TRSP", "battle": "TSRP", "hero": "TSPR", "compromise": "TPSR", "deadlock": "TPRS",
    "prisoner's dilemma": "TRPS", "stag hunt": "RTPS", "assurance": "RPTS", "coordination": "RPST",
    "peace": "RSPT", "harmony": "RSTP", "concord": "RTSP",
}  # fmt: skip
LAYERS = {
    "TT": "discord: the 4s lie in opposed cells", "TR": "the 4s lie in one row",
    "RT": "the 4s lie in one column", "RR": "win-win: the 4s lie in one cell",
}  # fmt: skip
_NAMES = tuple(PATTERNS)


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a strict 2 x 2 game stands: row and column 0 .. 11 of the table, patterns of both, layer, name.

    twin     the place (row, column) of the game with the players exchanged
    """

    row: int
    column: int
    patterns: tuple[str, str]
    layer: str
    name: str
    twin: tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Entry:
    """A game of the table with what is known of it.

    equilibria   pure ones;  inferior  whether the only one, or each of them, is worse for both than some other outcome
    dilemma      the class where both players face a social dilemma of one type, "mixed" where of two types, else ""
    """

    place: Place
    game: NormalForm
    equilibria: int
    inferior: bool
    dilemma: str


def strict(game: NormalForm) -> bool:
    """Whether no player is indifferent between two outcomes of a 2 x 2 game."""
    return game.shape == (2, 2) and all(len(np.unique(p)) == 4 for p in game.exact)


def pattern(order: str) -> np.ndarray:
    """Ranks [[R, S], [T, P]], 4 the best, from an order such as TRPS."""
    rank = {letter: 4.0 - k for k, letter in enumerate(order)}
    return np.array([[rank["R"], rank["S"]], [rank["T"], rank["P"]]])


def game_at(row: int, column: int) -> NormalForm:
    """The game of the table with the row player's pattern `row` and the column player's pattern `column`."""
    a, b = (pattern(PATTERNS[_NAMES[k]]) for k in (row, column))
    name = _name(row, column)
    return bimatrix(a, b.T, name)


def _name(row: int, column: int) -> str:
    return _NAMES[row] if row == column else f"{_NAMES[row]} - {_NAMES[column]}"


def _place(row: int, column: int) -> Place:
    letters = PATTERNS[_NAMES[row]][0] + PATTERNS[_NAMES[column]][0]
    return Place(row, column, (_NAMES[row], _NAMES[column]), LAYERS[letters], _name(row, column), (column, row))


def locate(game: NormalForm) -> Place:
    """A 2 x 2 game's place by its ranks; refused where a player is indifferent between outcomes."""
    if game.shape != (2, 2):
        raise Refusal(f"{game.title} is no 2 x 2 game; only those stand in the table.")
    if not strict(game):
        raise Refusal(f"{game.title} has ties; only games in which all outcomes are ranked stand in the table.")
    row, column = ranks(game.payoff[0]), ranks(game.payoff[1])
    if 4 not in row[:, 0]:  # the column player's actions are named so that the row player's 4 is in the first column
        row, column = row[:, ::-1], column[:, ::-1]
    if 4 not in column[0]:  # and the row player's so that the column player's 4 is in the first row
        row, column = row[::-1], column[::-1]
    tables = [pattern(order) for order in PATTERNS.values()]
    find = lambda t: next(k for k, other in enumerate(tables) if np.array_equal(t, other))  # noqa: E731
    return _place(find(row), find(column.T))


def ranks(payoff: np.ndarray) -> np.ndarray:
    """Ranks 1 to 4 of four payoffs [2, 2]."""
    return payoff.ravel().argsort().argsort().reshape(2, 2) + 1.0


@lru_cache
def table() -> tuple[Entry, ...]:
    """The 144 games, row by row."""
    return tuple(_entry(game_at(i, j), _place(i, j)) for i, j in itertools.product(range(12), repeat=2))


def _entry(game: NormalForm, place: Place) -> Entry:
    points = pure(game)
    beaten = [
        any((game.payoff[:, i, j] > game.payoff[(slice(None), *p)]).all() for i in range(2) for j in range(2))
        for p in points
    ]
    found = best_labelling(game)
    kind = (found.name or "mixed") if found.dilemma else ""
    return Entry(place, game, len(points), bool(points) and all(beaten), kind)


def neighbours(row: int, column: int) -> tuple[tuple[int, int], ...]:
    """The six games one swap away: ranks 1-2, 2-3, 3-4 of the row player, then of the column player."""
    game = game_at(row, column)
    out = []
    for player, low in itertools.product(range(2), (1.0, 2.0, 3.0)):
        payoff = game.payoff.copy()
        swapped = payoff[player].copy()
        payoff[player] = np.where(swapped == low, low + 1, np.where(swapped == low + 1, low, swapped))
        place = locate(NormalForm(payoff))
        out.append((place.row, place.column))
    return tuple(out)


@lru_cache
def graph() -> dict[tuple[int, int], tuple[tuple[int, int], ...]]:
    """The games and their neighbours."""
    return {(i, j): neighbours(i, j) for i, j in itertools.product(range(12), repeat=2)}


def classes() -> tuple[int, int, int]:
    """How many tables of ranks there are; how many games up to the names of actions; and of players.  By counting."""
    orders = [np.array(o, np.float64).reshape(2, 2) for o in itertools.permutations((1, 2, 3, 4))]
    raw, named, met = 0, set(), set()
    for a, b in itertools.product(orders, repeat=2):
        raw += 1
        same = [_code(a[::i, ::j], b[::i, ::j]) for i in (1, -1) for j in (1, -1)]
        turned = [_code(b.T[::i, ::j], a.T[::i, ::j]) for i in (1, -1) for j in (1, -1)]
        named.add(min(same))
        met.add(min(same + turned))
    return raw, len(named), len(met)


def _code(a: np.ndarray, b: np.ndarray) -> tuple[float, ...]:
    return (*a.ravel().tolist(), *b.ravel().tolist())


PROPERTIES: dict[str, Callable[[Entry], str]] = {
    "pure equilibria": lambda e: f"{e.equilibria}",
    "dilemma": lambda e: words(e.dilemma) or "none",
    "equilibrium": lambda e: "worse for both" if e.inferior else "not worse for both" if e.equilibria else "none pure",
    "layer": lambda e: e.place.layer.split(":")[0],
}
