"""Tables of people's files: comma-separated text with a header, read as data and never evaluated."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import io
import math
import re
from collections.abc import Sequence
from pathlib import Path

from nomoi import files
from nomoi.errors import Refusal, nearest

DATE = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?)?"
)  # as ISO 8601 writes most
BYTES = 500_000_000  # a larger file would not fit beside its matrix on a small machine (ours)


@dataclasses.dataclass(frozen=True)
class Sheet:
    """Columns by name, in lower case with - for _, and rows of cells; `lines` are the rows' numbers in the file."""

    path: Path
    columns: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def at(self, *names: str) -> int:
        """The place of the first of `names` (ways to call one column) that is there; else a sentence."""
        for name in names:
            if name in self.columns:
                return self.columns.index(name)
        raise Refusal(f"{self.path} has no column {names[0]!r}; its columns are {few(self.columns)}.")

    def column(self, *names: str) -> list[str]:
        """The cells of a column."""
        k = self.at(*names)
        return [row[k] for row in self.rows]

    def where(self, row: int) -> str:
        """The place of a row, as a sentence names it."""
        return f"{self.path}, line {self.lines[row]}"


def filled(sheet: Sheet, *names: str) -> list[str]:
    """The cells of a column that says who or what a row is of; refused where one is empty."""
    cells = sheet.column(*names)
    if "" in cells:
        which = sheet.columns[sheet.at(*names)]
        raise Refusal(f"{sheet.where(cells.index(''))}: the {which} is empty; every row must have one.")
    return cells


def ids(sheet: Sheet, *names: str) -> list[str]:
    """The same of names and numbers: one of several lines with commas is what two stray quotes make of rows."""
    cells = filled(sheet, *names)
    for i, cell in enumerate(cells):
        if "," in cell and len(cell.splitlines()) > 1:
            raise Refusal(f"{sheet.where(i)}: the {sheet.columns[sheet.at(*names)]} is {cell[:40]!r}, and goes on over "
                          f"{len(cell.splitlines())} lines; the quote before it swallows them, so leave it "
                          "out.")  # fmt: skip
    return cells


def few(words: Sequence[str], most: int = 8) -> str:
    """Some words, and how many more there are."""
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


def name(text: str) -> str:
    """A column's name as files vary it: Group_ID, group id and group-id are one."""
    return "-".join(text.strip().lower().replace("_", " ").replace("-", " ").split())


def rows(path: str | Path) -> list[tuple[int, list[str]]]:
    """(line, cells) of a file of comma-separated values, without empty lines."""
    path = Path(path)
    if not path.is_file():
        raise Refusal(f"there is no file {path}; check the path.")
    if path.stat().st_size > BYTES:
        raise Refusal(f"{path} has {path.stat().st_size / 1e6:.0f} MB; up to {BYTES / 1e6:.0f} can be read.")
    text = files.text(path)
    files.closed(path, io.StringIO(text, newline=""))
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return [(lines.line_num, row) for row in lines if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise Refusal(f"{path}, line {lines.line_num}: {error}.") from None


def read(path: str | Path) -> Sheet:
    """A file with a header; refused where a row is shorter or longer than it, or a name comes twice."""
    found = rows(path)
    if len(found) < 2:
        raise Refusal(f"{path} has {'no row below its header' if found else 'nothing in it'}; a header and rows are "
                      "right.")  # fmt: skip
    head = [name(cell) for cell in found[0][1]]
    if len(head) == 1 and any(mark in found[0][1][0].strip() for mark in ";\t|"):
        raise Refusal(f"{path} has no comma in its first line; separate its columns by commas.")
    twice = sorted({h for h in head if head.count(h) > 1 and h})
    if twice:
        raise Refusal(f"{path} has the column {twice[0]!r} twice; leave one of them out.")
    for line, cells in found[1:]:
        if len(cells) != len(head):
            raise Refusal(f"{path}, line {line} has {len(cells)} cells, and its header {len(head)}; all rows must have "
                          "as many (a text with a comma stands in quotes).")  # fmt: skip
    return Sheet(Path(path), tuple(head), [[c.strip() for c in cells] for _, cells in found[1:]],
                 [line for line, _ in found[1:]])  # fmt: skip


def need(sheet: Sheet, columns: Sequence[str], what: str) -> None:
    """Refuse a file without one of `columns`, saying all that it must have."""
    for column in columns:
        if column not in sheet:
            raise Refusal(f"{sheet.path} has no column {column!r}; {what} has {', '.join(columns)}; "
                          f"{nearest(column, sheet.columns, 'column')}")  # fmt: skip


def number(cell: str, where: str, what: str) -> float:
    """A finite number; else a sentence."""
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in cell:
        raise Refusal(f"{where}: {what} is {cell!r}; a number would be right.")
    return value


def moment(cell: str, where: str, what: str = "the date") -> datetime.datetime:
    """A day, or a day and an hour, of the calendar; where no zone is said, that of Greenwich."""
    try:
        if not DATE.fullmatch(cell):
            raise ValueError
        found = datetime.datetime.fromisoformat(cell)
    except ValueError:  # of the calendar, too: no February has 31 days, and no hour 61 minutes
        raise Refusal(f"{where}: {what} is {cell!r}; a date of the calendar such as 2024-12-31, or 2024-12-31 23:59, "
                      "is right.") from None  # fmt: skip
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
