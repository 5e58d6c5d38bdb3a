"""Readers of what opinion platforms export: one row a person, one row a vote, and the file of the statements.

What is easily misread is checked and said: which sign is agreement, who voted twice, what was moderated out.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np

from nomoi.errors import Refusal
from nomoi.voices import sheets
from nomoi.voices.sheets import Sheet
from nomoi.voices.votes import Votes

ABOUT = ("participant", "xid", "group-id", "n-comments", "n-votes", "n-agree", "n-disagree")  # of a person, no vote
PERSON = ("participant", "participant-id", "voter-id")
STATEMENT = ("comment-id", "statement-id")
TIME = ("timestamp", "modified")
MOST_ID = 9_999  # of a group; ids are places in tables (ours)
# of a statement: what leaves it out, and what does not
MODERATED = {"moderated": (("-1", "-1.0"), ("0", "1", "0.0", "1.0", "")),
             "is-meta": (("true", "1", "t"), ("false", "0", "f", ""))}  # fmt: skip
LEAST = 0.1  # difference of the two correlations below which either sign could be meant (ours)
_CAST = {"": math.nan, "1": 1.0, "0": 0.0, "-1": -1.0, "1.0": 1.0, "0.0": 0.0, "-1.0": -1.0, "+1": 1.0, "-0": 0.0,
         "-0.0": 0.0}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class _Cast:
    """A matrix of votes as a file has it, before anything is known of its statements."""

    cast: np.ndarray
    people: list[str]
    statements: list[str]
    groups: np.ndarray | None = None
    xid: list[str] | None = None
    remarks: tuple[str, ...] = ()


def read(path: str | Path, comments: str | Path | None = None, agree: int | None = None) -> Votes:
    """The votes in a folder of an export, or in one file of either layout.

    comments  the file of the statements; else the one that stands beside, by its name
    agree     which vote means agreement, 1 or -1; else 1, and checked against the counts of the statements' file
    """
    path = Path(path)
    if agree not in (None, 1, -1):
        raise Refusal(f"agree is {agree!r}; the vote that means agreement is 1 or -1.")
    if not path.exists():
        raise Refusal(f"there is no {path}; give a folder of an export, or a file of votes.")
    if path.is_dir():
        wide, long = path / "participants-votes.csv", path / "votes.csv"
        there = [p for p in (wide, long) if p.is_file()]
        if not there:
            raise Refusal(f"{path} has neither participants-votes.csv nor votes.csv; give the file of votes itself.")
        found = cast(there[0])
        if len(there) == 2:
            other = cast(long)
            found = dataclasses.replace(found, remarks=(*found.remarks, *other.remarks, *_differ(found, other)))
        title = _title(path)
        beside = path / "comments.csv"
    else:
        found, title = cast(path), path.stem
        beside = path.with_name(path.name.replace("participants-votes", "comments").replace("votes", "comments"))
    if comments is None and beside.is_file() and beside != path:
        comments = beside
    return _with_statements(found, None if comments is None else sheets.read(comments), agree, title, path)


def cast(path: str | Path) -> _Cast:
    """The matrix of a file, of whichever layout its header tells."""
    sheet = sheets.read(path)
    if "vote" in sheet:
        return _long(sheet)
    return _wide(sheet)


def _vote(cell: str, where: str) -> float:
    if cell not in _CAST:
        raise Refusal(f"{where}: {cell!r} is no vote; 1 (agree), 0 (pass), -1 (disagree) or nothing (not seen) is "
                      "right.")  # fmt: skip
    return _CAST[cell]


def _wide(sheet: Sheet) -> _Cast:
    """A row a person, a column a statement."""
    columns = [k for k, name in enumerate(sheet.columns) if name and name not in (*ABOUT, *PERSON)]
    if not columns:
        raise Refusal(f"{sheet.path} has no column of votes; it has {sheets.few(sheet.columns)}.")
    people = next((sheets.ids(sheet, p) for p in PERSON if p in sheet), [str(k) for k in range(len(sheet.rows))])
    twice = _twice(people)
    if twice:
        raise Refusal(f"{sheet.path} has the person {twice!r} in two rows; one row a person is right.")
    found = np.empty((len(sheet.rows), len(columns)))
    for i, row in enumerate(sheet.rows):
        for j, k in enumerate(columns):
            cell = row[k]
            found[i, j] = _CAST[cell] if cell in _CAST else _vote(cell, f"{sheet.where(i)}, {sheet.columns[k]!r}")
    groups = _groups(sheet) if "group-id" in sheet else None
    return _Cast(found, people, [sheet.columns[k] for k in columns], groups,
                 sheet.column("xid") if "xid" in sheet else None)  # fmt: skip


def _groups(sheet: Sheet) -> np.ndarray:
    """[rows] the ids of groups, -1 where there is none."""
    out = np.full(len(sheet.rows), -1)
    for i, cell in enumerate(sheet.column("group-id")):
        if cell and cell.lower() not in ("nan", "na"):
            value = sheets.number(cell, sheet.where(i), "a group's id")
            if value != int(value) or not 0 <= value <= MOST_ID:
                raise Refusal(f"{sheet.where(i)}: the group's id is {cell!r}; a whole number from 0 to "
                              f"{MOST_ID:,} is right.")  # fmt: skip
            out[i] = int(value)
    return out


def _long(sheet: Sheet) -> _Cast:
    """A row a vote.  Of several votes of one person on one statement the latest counts."""
    voter, on, value = sheets.ids(sheet, *PERSON), sheets.ids(sheet, *STATEMENT), sheet.column("vote")
    people, statements = _order(voter), _order(on)
    row = {p: i for i, p in enumerate(people)}
    column = {s: j for j, s in enumerate(statements)}
    timed = next((t for t in TIME if t in sheet), None)
    moment = [0.0] * len(sheet.rows)
    if timed:
        moment = [sheets.number(c, sheet.where(i), f"its {timed}") for i, c in enumerate(sheet.column(timed))]
    found = np.full((len(people), len(statements)), np.nan)
    again, changed = 0, 0
    for i in sorted(range(len(sheet.rows)), key=lambda i: moment[i]):  # stable: of one moment, the later row counts
        new = _vote(value[i], sheet.where(i))
        if math.isnan(new):
            continue
        at = row[voter[i]], column[on[i]]
        if not math.isnan(found[at]):
            again, changed = again + 1, changed + (found[at] != new)
            if not timed and found[at] != new:
                raise Refusal(f"{sheet.where(i)}: {voter[i]!r} has voted on {on[i]!r} before, otherwise, and the file "
                              "has no timestamp; leave in the vote that counts, or add the column.")  # fmt: skip
        found[at] = new
    said = (f"{sheet.path.name}: {again:,} votes repeat a person and a statement ({changed:,} change the vote); the "
            "latest counts.",) if again else ()  # fmt: skip
    return _Cast(found, people, statements, remarks=said)


def _order(ids: list[str]) -> list[str]:
    """Each once; numbers by size, else as they come."""
    once = list(dict.fromkeys(ids))
    size = lambda i: (len(i.lstrip("0")), i.lstrip("0"))  # noqa: E731  as int would have it, for any length
    return sorted(once, key=size) if all(i.isascii() and i.isdecimal() for i in once) else once


def _twice(ids: list[str]) -> str:
    seen: set[str] = set()
    for i in ids:
        if i in seen:
            return i
        seen.add(i)
    return ""


def _differ(one: _Cast, other: _Cast) -> tuple[str, ...]:
    """What is to be said where two files of one conversation have unlike votes."""
    row, column = {p: i for i, p in enumerate(other.people)}, {s: j for j, s in enumerate(other.statements)}
    rows, columns = [row.get(p, -1) for p in one.people], [column.get(s, -1) for s in one.statements]
    padded = np.pad(other.cast, ((0, 1), (0, 1)), constant_values=np.nan)
    unlike = int((np.nan_to_num(padded[np.ix_(rows, columns)], nan=9) != np.nan_to_num(one.cast, nan=9)).sum())
    lost, more = (len(set(a) - set(b)) for a, b in ((other.people, one.people), (other.statements, one.statements)))
    out = [f"{unlike:,} cells of participants-votes.csv are not what votes.csv says; the former are used."] * (
        unlike > 0
    )
    return (*out, *(f"{n:,} {what} of votes.csv are not in participants-votes.csv."
                    for n, what in ((lost, "people"), (more, "statements")) if n))  # fmt: skip


def _title(folder: Path) -> str:
    """The topic that summary.csv gives (rows of two cells, without a header), or the folder's name."""
    summary = folder / "summary.csv"
    told = dict(r[:2] for _, r in sheets.rows(summary) if len(r) == 2) if summary.is_file() else {}
    return told.get("topic", "").strip() or folder.resolve().name


def _with_statements(found: _Cast, sheet: Sheet | None, agree: int | None, title: str, path: Path) -> Votes:
    cast, remarks, texts = found.cast, list(found.remarks), {}
    out = np.zeros(len(found.statements), bool)
    if sheet is None:
        remarks += ["no file of the statements: that 1 means agree is taken on trust."] * (agree is None)
    else:
        ids = sheet.column(*STATEMENT)
        if _twice(ids):
            raise Refusal(f"{sheet.path} has the statement {_twice(ids)!r} twice; one row a statement is right.")
        known = {s: k for k, s in enumerate(ids)}
        lacking = [s for s in found.statements if s not in known]
        remarks += [f"{len(lacking)} statements with votes are not in {sheet.path.name}."] * bool(lacking)
        if len(lacking) == len(found.statements):
            raise Refusal(f"{sheet.path} has none of the statements of {path}; give the file that belongs to it.")
        body = next((b for b in ("comment-body", "txt", "text", "body") if b in sheet), None)
        if body:
            texts = {s: " ".join(t.split()) for s, t in zip(ids, sheet.column(body), strict=True)}
        out = _moderated(sheet, known, found.statements)
        if agree is None and "agrees" in sheet:
            remarks += _sign(sheet, known, found, path)
    if agree == -1:
        cast = -cast
    voters = ~np.isnan(cast).all(1)
    if found.groups is not None and (found.groups[~voters] >= 0).any():
        remarks.append(f"{int((found.groups[~voters] >= 0).sum())} people without a vote have a group's id.")
    return Votes(cast, tuple(found.people), tuple(found.statements), texts, out, found.groups,
                 None if found.xid is None else tuple(found.xid), tuple(remarks), title)  # fmt: skip


def _moderated(sheet: Sheet, known: dict[str, int], statements: list[str]) -> np.ndarray:
    """[statements] moderated out (-1; 0 is not looked at, 1 let in), or meta."""
    out = np.zeros(len(sheet.rows), bool)
    # is_meta as well: a column or a word that is overlooked would change the groups without a word
    for name, (wrong, right) in MODERATED.items():
        for i, cell in enumerate(sheet.column(name) if name in sheet else ()):
            if cell.lower() not in (*wrong, *right):
                raise Refusal(f"{sheet.where(i)}: {name} is {cell!r}; {', '.join((*wrong, *right[:-1]))} or nothing is "
                              "right.")  # fmt: skip
            out[i] |= cell.lower() in wrong
    return np.array([s in known and out[known[s]] for s in statements])


def _sign(sheet: Sheet, known: dict[str, int], found: _Cast, path: Path) -> list[str]:
    """Refuse votes whose -1 goes with the statements' counts of agreement; what to say where that cannot be told.

    Exports of Polis have agree = 1, its database and its interface agree = -1.  The counts are not equal to the cell
    (they go on after an export), so the higher of two correlations decides.
    """
    both = [(j, known[s]) for j, s in enumerate(found.statements) if s in known]
    column = sheet.column("agrees")
    told = np.array([sheets.number(column[k] or "0", sheet.where(k), "agrees") for _, k in both])
    if (told < 0).any():
        k = both[int(told.argmin())][1]
        raise Refusal(f"{sheet.where(k)}: agrees is {column[k]}; a count of at least 0 would be right.")
    cast = found.cast[:, [j for j, _ in both]]
    right, wrong = (_correlation((cast == sign).sum(0), told) for sign in (1, -1))
    if math.isnan(right) or math.isnan(wrong):
        return [f"{sheet.path.name} does not tell which vote means agreement; 1 is taken to."]
    numbers = f"votes of 1 go with its counts of agreement by {right:.2f}, votes of -1 by {wrong:.2f} (correlations)"
    if abs(right - wrong) < LEAST:
        raise Refusal(f"{path} and {sheet.path.name} do not tell which vote means agreement: {numbers}; say it with "
                      "--agree 1 or --agree -1.")  # fmt: skip
    if wrong > right:
        raise Refusal(f"{path} has its signs turned, as Polis' database has them: {numbers}; read it with --agree -1.")
    return []


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return math.nan
    return float(np.corrcoef(a, b)[0, 1])


def joined(votes: Votes, path: str | Path) -> Votes:
    """The votes with the groups of another file, person by person: by xid where both have it, else by participant."""
    sheet = sheets.read(path)
    if "group-id" not in sheet:
        raise Refusal(f"{path} has no column 'group-id'; its columns are {sheets.few(sheet.columns)}.")
    by = "xid" if votes.xid is not None and "xid" in sheet else next((p for p in PERSON if p in sheet), "")
    if not by:
        raise Refusal(f"{path} does not say whose groups these are; a column xid or participant would be right.")
    ids, mine = sheet.column(by), votes.xid if by == "xid" and votes.xid is not None else votes.people
    for whose, some in ((path, ids), (votes.title, list(mine))):
        if _twice(some):
            raise Refusal(f"{whose} has the {by} {_twice(some)!r} twice, so that groups cannot be joined by it.")
    group = dict(zip(ids, _groups(sheet), strict=True))
    found = np.array([group.get(i, -1) for i in mine])
    there = sum(i in group for i in mine)
    if not there:
        raise Refusal(f"{path} has nobody of {votes.title} (by {by}); give the file of the same people.")
    said = f"groups of {Path(path).name}, joined by {by}: {there:,} of {len(mine):,} people are in it."
    return votes.grouped(found, (said,))
