"""Files of answers: what people answer, group by group, and what a model presents.

answers.csv    question, option, share or count, and perhaps group
presented.csv  question, option; with share or count, what the model's answers are; with group, as whom it was asked
order.csv      question, option: the options in their order, where they have one
Also read are JSON lists as Modular Pluralism has them (question, options, attribute, gold_distribution,
pred_distribution), and the layouts of `nomoi.voices.layouts` and `ratings`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nomoi.errors import Refusal, nearest
from nomoi.voices import layouts, ratings, sheets
from nomoi.voices.layouts import ALL
from nomoi.voices.pluralism import shares

__all__ = ["ALL", "Answers", "Presented", "answers", "both", "modular", "order", "presented", "vector"]
TEXTS = {"situation", "vrd", "explanation", "output", "label"}  # of Modular Pluralism's lists of texts


@dataclasses.dataclass(frozen=True)
class Answers:
    """by question, group and option: shares that sum to 1.  weights: counts by question and group, where known."""

    table: Mapping[str, Mapping[str, Mapping[str, float]]]
    weights: Mapping[tuple[str, str], float] = dataclasses.field(default_factory=dict)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of people, without everybody."""
        return tuple(dict.fromkeys(g for by in self.table.values() for g in by if g != ALL))

    def everybody(self, question: str) -> dict[str, float]:
        """The answers of all: as the file has them, else the groups' together (by their counts, or alike)."""
        by = self.table[question]
        if ALL in by:
            return dict(by[ALL])
        weight = {g: self.weights.get((question, g), 1.0) for g in by}
        total = sum(weight.values())
        options = dict.fromkeys(o for p in by.values() for o in p)
        return {o: sum(weight[g] * by[g].get(o, 0.0) for g in by) / total for o in options}


@dataclasses.dataclass(frozen=True)
class Presented:
    """said: question -> options that were presented;  shares: question -> group asked for ("" none) -> option -> share,
    where the file has them."""

    said: Mapping[str, tuple[str, ...]]
    shares: Mapping[str, Mapping[str, Mapping[str, float]]]


def answers(path: str | Path, group: str = "") -> Answers:
    """What people answer, from any of the layouts; `group`: of ratings, the column of the raters' groups."""
    return both(path, group)[0]


def both(path: str | Path, group: str = "") -> tuple[Answers, Presented]:
    """What people answer, and what of a model's answers stands beside it (in a list of Modular Pluralism alone)."""
    none = Presented({}, {})
    if Path(path).suffix.lower() == ".json":
        _ungrouped(path, group)
        data = layouts.loaded(path)
        return (Answers(*layouts.surveys(data, path)), none) if isinstance(data, dict) and data else modular(path)
    sheet = sheets.read(path)
    if ratings.is_ratings(sheet):
        return Answers(*ratings.table(sheet, group)), none
    _ungrouped(path, group)
    return Answers(layouts.opinions(sheet)) if "selections" in sheet else Answers(*_table(sheet)), none


def _ungrouped(path: str | Path, group: str) -> None:
    """Refuse a column of groups of a file that is no table of ratings."""
    if group:
        raise Refusal(f"{path} is no table of ratings (rater_id, item_id, Q_overall), of whose raters {group!r} could "
                      "be the groups; leave it out.")  # fmt: skip


def presented(path: str | Path) -> Presented:
    """What a model presents."""
    if Path(path).suffix.lower() == ".json":
        raise Refusal(f"{path} is no table; a model's answers stand in one of question, option and share, or with "
                      "people's in one JSON list, which is given alone.")  # fmt: skip
    sheet = sheets.read(path)
    sheets.need(sheet, ("question", "option"), "a file of what was presented")
    if "group" in sheet and "share" not in sheet and "count" not in sheet:
        raise Refusal(f"{path} says as whom a model was asked, and not how often it gave each option; add a column "
                      "share or count, or leave the column group out.")  # fmt: skip
    if "share" in sheet or "count" in sheet:
        table = _table(sheet)[0]
        return Presented({q: _given(by) for q, by in table.items()}, table)
    said: dict[str, dict[str, None]] = {}
    for question, option in zip(sheet.column("question"), sheet.column("option"), strict=True):
        said.setdefault(question, {})[option] = None
    return Presented({q: tuple(options) for q, options in said.items()}, {})


def _given(by: Mapping[str, Mapping[str, float]]) -> tuple[str, ...]:
    """The options that a model gives of itself, or, where it was only asked as groups, as any of them."""
    some = [by[ALL]] if ALL in by else list(by.values())
    return tuple(dict.fromkeys(o for p in some for o, share in p.items() if share > 0))


def order(path: str | Path) -> dict[str, tuple[str, ...]]:
    """Options in their order, by question."""
    sheet = sheets.read(path)
    sheets.need(sheet, ("question", "option"), "a file of the order of options")
    found: dict[str, list[str]] = {}
    for i, (question, option) in enumerate(zip(sheet.column("question"), sheet.column("option"), strict=True)):
        if option in found.setdefault(question, []):
            raise Refusal(f"{sheet.where(i)}: the option {option!r} of {question!r} has a place before; leave one out.")
        found[question].append(option)
    return {question: tuple(options) for question, options in found.items()}


def _table(sheet: sheets.Sheet) -> tuple[dict[str, dict[str, dict[str, float]]], dict[tuple[str, str], float]]:
    sheets.need(sheet, ("question", "option"), "a file of answers")
    kind = "count" if "count" in sheet else "share"
    if "share" in sheet and "count" in sheet:
        raise Refusal(f"{sheet.path} has both a column share and a column count; leave one of them out.")
    if kind not in sheet:
        raise Refusal(f"{sheet.path} has neither a column share nor a column count; one of them would be right.")
    groups = sheet.column("group") if "group" in sheet else [ALL] * len(sheet.rows)
    rows: dict[str, dict[str, dict[str, float]]] = {}
    for i, (question, option, cell) in enumerate(
        zip(sheet.column("question"), sheet.column("option"), sheet.column(kind), strict=True)
    ):
        value = sheets.number(cell, sheet.where(i), f"the {kind}")
        if value < 0:
            raise Refusal(f"{sheet.where(i)}: the {kind} is {cell}; it must be at least 0.")
        by = rows.setdefault(question, {}).setdefault(groups[i], {})
        if option in by:
            raise Refusal(
                f"{sheet.where(i)}: the option {option!r} of {question!r} stands there before; leave one out."
            )
        by[option] = value
    counts: dict[tuple[str, str], float] = {}
    for question, by in rows.items():
        for group, found in by.items():
            where = f"{sheet.path}: {question!r}{f' ({group})' if group else ''}"
            if kind == "count":
                counts[question, group] = total = sum(found.values())
                if not 0 < total < math.inf:
                    what = "no answer at all" if total == 0 else "more answers than can be counted"
                    raise Refusal(f"{where} has {what}; counts must sum to a number above 0.")
                by[group] = {o: n / total for o, n in found.items()}
            else:
                shares(list(found.values()), where)
    return rows, counts


def modular(path: str | Path) -> tuple[Answers, Presented]:
    """A JSON list of {question, options, attribute, gold_distribution, pred_distribution}: people's and a model's."""
    data = layouts.loaded(path)
    if not isinstance(data, list) or not data or not all(isinstance(d, dict) for d in data):
        raise Refusal(f"{path} must be a list of objects, each with question and gold_distribution.")
    people: dict[str, dict[str, dict[str, float]]] = {}
    model: dict[str, dict[str, dict[str, float]]] = {}
    for k, entry in enumerate(data):
        where = f"{path}, entry {k + 1}"
        if "question" not in entry and len(TEXTS & set(entry)) > 1:
            raise Refusal(f"{where} is a text that a model wrote, of which a person or a model must first say which "
                          "option it gives; a table of question, option would be right.")  # fmt: skip
        for name in ("question", "gold_distribution"):
            if name not in entry:
                raise Refusal(f"{where} has no {name!r}; {nearest(name, entry, 'key')}")
        group = str(entry.get("attribute", ALL))
        for name, table in (("gold_distribution", people), ("pred_distribution", model)):
            if name not in entry:
                continue
            values = entry[name]
            if not isinstance(values, list) or not all(map(layouts.is_number, values)):
                raise Refusal(f"{where}: {name} is no list of numbers.")
            options = entry.get("options") or list(map(str, range(len(values))))
            if not isinstance(options, list) or len(options) != len(values):
                raise Refusal(f"{where}: {name} has {len(values)} shares, and options {len(options)} names.")
            if len(set(map(str, options))) < len(options):
                raise Refusal(f"{where}: its options name one twice; each once would be right.")
            if group in table.get(str(entry["question"]), {}):
                raise Refusal(
                    f"{where}: {group or 'everybody'!r} has the {name} of this question before; leave one out."
                )
            checked = shares(values, f"{where}: {name}")
            table.setdefault(str(entry["question"]), {})[group] = dict(zip(map(str, options), map(float, checked),
                                                                           strict=True))  # fmt: skip
    return Answers(people), Presented({q: _given(by) for q, by in model.items()}, model)


def vector(distribution: Mapping[str, float], options: tuple[str, ...]) -> np.ndarray:
    """The shares of options in order, 0 for what nobody gives."""
    return np.array([distribution.get(o, 0.0) for o in options])
