"""Games from files.  Files are data: they are parsed, never evaluated.  Payoffs are 3, -0.5, .8, 1e-3 or 1/3.

.nfg   Gambit's strategic form, any number of players (see nomoi.solve.nfg)
.csv   games of two, as a table whose first row and column may be names (the first column only where the
       first row is), in one of three layouts: cells of two payoffs
       ("3,1" in quotes, or 3 1, or 3;1); two tables of single payoffs with an empty line between them, the row
       player's first; one square table, which makes a symmetric game.  Lines that begin with # are left out.  Columns
       are separated by commas: a file of other columns is refused, since it would be another game.
.json  {"payoff": [player][action of 1][action of 2]..., "title": "", "players": [...], "actions": [[...], ...]},
       of which only the payoffs are needed; they may be text such as "1/3"

docs/games.md describes them with examples.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nomoi import files
from nomoi.errors import Refusal, once
from nomoi.solve import nfg
from nomoi.solve.game import NormalForm, blank, check_players
from nomoi.solve.games import GAMES, named
from nomoi.solve.nfg import number

SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}  # what files have beside commas
BYTES = 200_000_000  # a larger file holds more payoffs than can be solved (ours)


def read(path: str | Path) -> NormalForm:
    """A game from a .nfg, .csv or .json file; Refusal that names file and line where it cannot be one."""
    path = Path(path)
    readers: dict[str, Callable[[str, Path], NormalForm]] = {".nfg": nfg.parse, ".csv": _csv, ".json": _json}
    if path.suffix.lower() not in readers:
        raise Refusal(f"{path} is no file of a game; its name must end in {', '.join(readers)}.")
    if not path.is_file():
        raise Refusal(f"there is no file {path}; check the path.")
    if path.stat().st_size > BYTES:
        raise Refusal(f"{path} has {path.stat().st_size / 1e6:.0f} MB, more than the {BYTES / 1e6:.0f} of any game "
                      "that can be solved.")  # fmt: skip
    return readers[path.suffix.lower()](files.text(path), path)


def find(word: str) -> NormalForm:
    """The game that `word` means: a known one by its name, else a file."""
    if word in GAMES or not any(mark in word for mark in "./\\"):
        return named(word)
    return read(word)


def _csv(text: str, path: Path) -> NormalForm:
    _separated(text, path)
    try:
        return _tabled(text, path)
    except Refusal:
        for mark, name in SEPARATORS.items():  # cells of pairs have commas, whatever stands between columns
            if _reads(text, path, mark):
                raise _otherwise(f"{path} seems to have {name} between its columns") from None
        raise


def _reads(text: str, path: Path, mark: str) -> bool:
    """Whether it would be a game if this mark, which every line has, were between its columns."""
    if any(line and mark not in line for line in _lines(text)):
        return False
    try:
        _tabled(text, path, mark)
    except Refusal:
        return False
    return True


def _tabled(text: str, path: Path, separator: str = ",") -> NormalForm:
    """The game of one or two tables whose columns a separator sets apart."""
    files.closed(path, io.StringIO(text), separator, spaces=True)
    blocks: list[list[tuple[int, list[str]]]] = [[]]
    try:
        lines = csv.reader(io.StringIO(text), delimiter=separator, strict=True, skipinitialspace=True)
        for row in lines:
            cells = [c.strip() for c in row]
            if cells and cells[0].startswith("#"):
                continue
            for cell in row:  # one that is doubled inside quotes, as it should be, is but one here
                if cell.count('"') % 2 and '"{}"'.format(cell.replace('"', '""')) not in text:
                    raise Refusal(f"{path}, line {lines.line_num}: the cell {cell.strip()} has a quote without its "
                                  "other half; close it, or leave it out.")  # fmt: skip
            if any(cells):
                blocks[-1].append((lines.line_num, cells))
            elif blocks[-1]:
                blocks.append([])
    except csv.Error as error:
        said = "something follows a closing quote, where a comma or the end of the line would be right"
        slip = '"' in str(error)  # of all that it says, what people get wrong
        raise Refusal(f"{path}, line {lines.line_num}: {said if slip else error}.") from None
    blocks = [b for b in blocks if b]
    if not 1 <= len(blocks) <= 2:
        raise Refusal(f"{path} has {len(blocks)} tables; one with the payoffs of both, or one for each of two players, "
                      "would be right (.nfg and .json hold games of more).")  # fmt: skip
    tables, names = [], ((), ())
    for block in reversed(blocks):
        table, names = _table(block, path)
        tables.insert(0, table)
    first = tables[0]
    if len(tables) == 2:
        if first.shape != tables[1].shape or first.shape[2] != 1:
            raise Refusal(f"{path} has tables of {_size(first)} and {_size(tables[1])}; both must hold one payoff a "
                          "cell and be of one size.")  # fmt: skip
        payoff = np.stack([t[..., 0] for t in tables])
    elif first.shape[2] == 2:
        payoff = np.moveaxis(first, 2, 0)
    elif first.shape[0] == first.shape[1]:
        payoff = np.stack([first[..., 0], first[..., 0].T])
        names = (names[0] or names[1], names[1] or names[0])
    else:
        raise Refusal(f"{path} is one table of {_size(first)} single payoffs; it must be square (a symmetric game), "
                      "have two payoffs a cell, or be followed by the other player's table.")  # fmt: skip
    shape = payoff.shape[1:]
    labels = tuple(n or tuple(map(str, range(1, k + 1))) for n, k in zip(names, shape, strict=True))
    return NormalForm(payoff, path.stem, actions=labels)


def _separated(text: str, path: Path) -> None:
    """Refuse a file without any comma, or without one in its first line, where there are other separators."""
    lines = _lines(text)
    if re.match(r'\s*"?sep=', "\n".join(lines), re.IGNORECASE):
        raise Refusal(f"{path} begins with sep=, which only some spreadsheets understand; leave that line out and "
                      "separate the columns by commas.")  # fmt: skip
    some, first = any("," in line for line in lines), next(filter(None, lines), "")
    for mark, name in SEPARATORS.items():
        if not some and any(mark in line for line in lines):
            raise _otherwise(f"{path} has no comma but {name}")
        if mark in first and mark != " " and "," not in first:  # a name may have a space, and be the only one
            raise _otherwise(f"{path} has no comma but {name} in its first line")


def _lines(text: str) -> list[str]:
    """The lines that are no remarks; one that begins with a tab has an empty cell there."""
    return [line.strip(" ") for line in text.splitlines() if not line.lstrip().startswith("#")]


def _otherwise(found: str) -> Refusal:
    return Refusal(f"{found}; separate its columns by commas, as in 3,0 - or write two payoffs of one cell in quotes, "
                   'as in "3,1".')  # fmt: skip


def _size(table: np.ndarray) -> str:
    return f"{table.shape[0]} x {table.shape[1]} cells with {table.shape[2]} payoff(s)"


def _table(block: list[tuple[int, list[str]]], path: Path) -> tuple[np.ndarray, tuple[tuple[str, ...], ...]]:
    """Payoffs [rows, columns, 1 or 2] of a table, and the names of rows and columns where it has them."""
    body = [cells for _, cells in block]
    top = not _payoff(body[0][-1])
    rest = body[1:] if top else body
    side = top and any(not _payoff(cells[0]) and len(cells) > 1 for cells in rest)  # rows have names where columns have
    for (line, cells), first in zip(block, [top] + [False] * (len(block) - 1), strict=True):
        _names(cells[side:] if first else cells[:side], f"{path}, line {line}")
    if side and _like_payoff(body[0][0]):
        _names(body[0][:1], f"{path}, line {block[0][0]}")
    columns = tuple(body[0][1:] if side else body[0]) if top else ()
    rows = tuple(cells[0] for cells in rest) if side else ()
    out: list[list[list[float]]] = []
    if top and _listed(rest):
        raise Refusal(f"{path} seems to list outcomes, one a line; a table of cells would be right: rows are the "
                      "first player's choices, columns the second's, and a cell has both payoffs.")  # fmt: skip
    for line, cells in block[1:] if top else block:
        where = f"{path}, line {line}"
        named = [f" ({name})" for name in (("", *columns) if side else columns)]
        places = (f"{where}, column {k + 1}{''.join(named[k : k + 1])}" for k in range(side, len(cells)))
        out.append([_pair(cell, place) for cell, place in zip(cells[side:], places, strict=True)])
        if len(out[-1]) != len(out[0]):
            raise Refusal(f"{where} has {len(out[-1])} cells of payoffs and the first row {len(out[0])}; all rows must "
                          "be of one length.")  # fmt: skip
        if len({len(c) for row in (out[0], out[-1]) for c in row}) > 1:
            raise Refusal(f"{where}: some cells hold one payoff and some two; all must hold as many.")
    if not out or not out[0]:
        raise Refusal(f"{path} has a table without payoffs; it needs a row of numbers for every action.")
    if columns and len(columns) != len(out[0]):
        pairs = ', or two payoffs of one cell stand in quotes, as in "3,1"' * (len(out[0]) == 2 * len(columns))
        raise Refusal(f"{path} names {len(columns)} columns and has {len(out[0])}; each needs its name{pairs}.")
    return np.array(out), (rows, columns)


def _listed(rows: list[list[str]]) -> bool:
    """Whether rows say an outcome each: two choices, by name or by number, and then what both get."""
    if any(len(cells) != 4 or not (cells[0] and cells[1]) for cells in rows) or not all(
        _payoff(cell) for cells in rows for cell in cells[2:]
    ):
        return False
    pairs = {(cells[0], cells[1]) for cells in rows}
    own, other = ({cells[k] for cells in rows} for k in (0, 1))
    return len(rows) == len(pairs) == len(own) * len(other) and min(len(own), len(other)) > 1


def _names(cells: list[str], where: str) -> None:
    """Refuse names that are empty, or that must be payoffs with a slip of the pen: they would make another game."""
    for cell in cells:
        if blank(cell):
            raise Refusal(f"{where}: a name is empty; each row and each column needs its own, or none of them has one.")
        if _like_payoff(cell):
            raise Refusal(f"{where}: {cell!r} stands among names and looks like a payoff; payoffs are numbers such as "
                          "3, -0.5 or 1/3, and names begin with a letter.")  # fmt: skip


def _pair(cell: str, where: str) -> list[float]:
    """The one or two payoffs of a cell."""
    words = [w for w in re.split(r"\s*[,;]\s*|\s+(?![/])(?<![/]\s)", cell) if w]
    if not words:
        raise Refusal(f"{where}: the cell is empty; one or two payoffs would be right.")
    if not 1 <= len(words) <= 2:
        raise Refusal(f"{where}: the cell {cell!r} holds {len(words)} payoffs; one or two would be right.")
    return [number(word, where) for word in words]


def _payoff(cell: str) -> bool:
    """Whether a cell is meant as a payoff rather than a name."""
    return bool(re.match(r"[+-]?\.?\d", cell)) or cell.lower() in ("nan", "inf", "-inf")


def _like_payoff(cell: str) -> bool:
    """Whether a cell is a payoff, or would be one without the signs before its first digit (as in $3)."""
    return _payoff(cell) or bool(re.match(r"[^\w]+\d", cell))


def _json(text: str, path: Path) -> NormalForm:
    def constant(word: str) -> None:
        raise Refusal(f"{path}: {word} is no payoff; every payoff must be a finite number.")

    try:
        data = json.loads(
            text, parse_constant=constant, parse_float=lambda word: number(word, str(path)),
            object_pairs_hook=lambda pairs: once(pairs, str(path)),
        )  # fmt: skip
    except json.JSONDecodeError as error:
        raise Refusal(f"{path}, line {error.lineno}: this is not JSON ({error.msg}).") from None
    except (RecursionError, ValueError):
        raise Refusal(f"{path} cannot be read as JSON: it is nested too deeply, or a number is too long.") from None
    if not isinstance(data, dict) or "payoff" not in data:
        raise Refusal(f'{path} must be an object with "payoff": [player][action of 1][action of 2]...')
    unknown = set(data) - {"payoff", "title", "players", "actions"}
    if unknown:
        raise Refusal(
            f"{path} has {sorted(unknown)[0]!r}, which a game has not; it has payoff, title, players, actions."
        )
    players, actions = data.get("players", []), data.get("actions", [])
    if not _texts(players) or not (isinstance(actions, list) and all(_texts(a) for a in actions)):
        raise Refusal(f"{path}: players must be a list of names, and actions a list of such lists, one a player.")
    title = data.get("title", "")
    if not isinstance(title, str) or title != title.encode(errors="ignore").decode():
        raise Refusal(f"{path} has a title that is no text; a title in quotes would be right, or none.")
    if isinstance(data["payoff"], list):
        check_players(len(data["payoff"]), str(path))
    try:
        payoff = np.array(_numbers(data["payoff"], path), np.float64)
    except (ValueError, RecursionError):
        raise Refusal(f"{path} has payoffs that make no table; every player needs a number in every outcome.") from None
    return NormalForm(payoff, title or path.stem, tuple(players), tuple(map(tuple, actions)))


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)


def _numbers(value: Any, path: Path) -> Any:
    """Nested lists with every payoff a number."""
    if isinstance(value, list):
        return [_numbers(v, path) for v in value]
    if isinstance(value, str):
        return number(value, str(path))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Refusal(f'{path}: {value!r} is no payoff; numbers, or text such as "1/3", would be right.')
    return number(repr(value), str(path))
