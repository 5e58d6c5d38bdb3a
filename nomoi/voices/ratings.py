"""Ratings of items by people, with a verdict of experts beside them, as DICES has them (Aroyo et al. 2023): a row a
rating, with rater_id, item_id, Q_overall, and columns about the rater and the item."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nomoi.errors import Refusal, nearest
from nomoi.voices import layouts, sheets
from nomoi.voices.decisions import Cases, many
from nomoi.voices.sheets import Sheet

COLUMNS = ("rater-id", "item-id", "q-overall")
GIVEN = {"Yes": 1, "No": -1, "Unsure": 0}  # what raters say of whether an item is unsafe, and as a vote
VERDICT, ABOUT = "safety-gold", ("harm-type", "degree-of-harm")


def is_ratings(sheet: Sheet) -> bool:
    """Whether a table has the layout of DICES."""
    return all(name in sheet for name in COLUMNS)


def rated(sheet: Sheet, group: str = "") -> Iterator[tuple[int, str, str, str, str]]:
    """(row, rater, item, rating, group of the rater) of a table of DICES; `group` is a column about the raters."""
    if group and sheets.name(group) not in sheet:
        known = [c for c in sheet.columns if c.startswith("rater-") and c != "rater-id"]
        raise Refusal(f"{sheet.path} has no column {group!r}; {nearest(sheets.name(group), known, 'group')}")
    raters, items = sheets.ids(sheet, "rater-id"), sheets.ids(sheet, "item-id")
    whose = sheets.filled(sheet, sheets.name(group)) if group else [layouts.ALL] * len(raters)
    of: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    for i, (rater, item, rating) in enumerate(zip(raters, items, sheet.column("q-overall"), strict=True)):
        if rating not in GIVEN:
            raise Refusal(f"{sheet.where(i)}: the rating is {rating!r}; {', '.join(GIVEN)} are.")
        if (rater, item) in seen:
            raise Refusal(f"{sheet.where(i)}: the rater {rater!r} has rated {item!r} before; leave one out.")
        if of.setdefault(rater, whose[i]) != whose[i]:
            raise Refusal(f"{sheet.where(i)}: the rater {rater!r} is in {whose[i]!r} here and in {of[rater]!r} before.")
        seen.add((rater, item))
        yield i, rater, item, rating, whose[i]


def table(sheet: Sheet, group: str = "") -> tuple[layouts.Table, layouts.Counts]:
    """Of each item, how often each group of raters gave each rating; without a group, all raters together."""
    found: layouts.Table = {}
    for _, _, item, rating, whose in rated(sheet, group):
        by = found.setdefault(item, {}).setdefault(whose, dict.fromkeys(GIVEN, 0.0))
        by[rating] += 1
    counts = {(item, g): sum(n.values()) for item, by in found.items() for g, n in by.items()}
    return {item: {g: {r: n / counts[item, g] for r, n in given.items()} for g, given in by.items()}
            for item, by in found.items()}, counts  # fmt: skip


def cases(path: str | Path, group: str = "") -> Cases | None:
    """From ratings with an expert's verdict on each item, as DICES has them; None where a file is no such table.

    What raters and experts say is whether an item is unsafe.
    """
    sheet = sheets.read(path)
    if not is_ratings(sheet):
        return None
    sheets.need(sheet, (VERDICT,), "a table of ratings and verdicts")
    found = list(rated(sheet, group))
    about = [c for c in ABOUT if c in sheet]
    told: dict[str, tuple[str, ...]] = {}  # item -> verdict, and what it is about
    for i, _, item, _, _ in found:
        said = tuple(sheet.rows[i][sheet.at(c)] for c in (VERDICT, *about))
        if said[0] not in ("Yes", "No"):
            raise Refusal(f"{sheet.where(i)}: the {VERDICT} is {said[0]!r}; Yes or No.")
        if told.setdefault(item, said) != said:
            raise Refusal(f"{sheet.where(i)}: the verdict on {item!r}, or what it is about, is another than before.")
    raters = {r: j for j, r in enumerate(dict.fromkeys(f[1] for f in found))}
    rows = {item: k for k, item in enumerate(told)}
    cast = np.full((len(rows), len(raters)), np.nan)
    groups = np.full(len(raters), -1)
    names = sorted({f[4] for f in found})
    for _, rater, item, rating, whose in found:
        cast[rows[item], raters[rater]] = GIVEN[rating]
        groups[raters[rater]] = names.index(whose)
    context = {c: tuple(said[1 + k] for said in told.values()) for k, c in enumerate(about)}
    remarks = ("items have no dates: those that stand first are learned from.", *many(context))
    return Cases(sheet.path.stem, tuple(raters), cast, np.array([said[0] == "Yes" for said in told.values()]), context,
                 groups if group else None, remarks=remarks)  # fmt: skip
