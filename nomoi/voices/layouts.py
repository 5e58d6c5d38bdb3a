"""Answers in the layouts of others, as plain tables: question -> group ("" everybody) -> option -> share.

GlobalOpinionQA  a row a question: question, selections (a dict of Python's as text: group -> shares),
                 options (Durmus et al. 2023)
OpinionQA        a JSON object: question -> group -> option -> count, of Pew's surveys (Santurkar et al. 2023)

Ratings, as DICES has them, are read by `nomoi.voices.ratings`.  All are data: text that looks like a Python dict is
parsed as one, and never evaluated.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nomoi import files
from nomoi.errors import Refusal, once
from nomoi.voices import sheets
from nomoi.voices.pluralism import shares
from nomoi.voices.sheets import Sheet

ALL = ""  # the group of everybody
LETTERS = 20_000  # of a cell that is parsed (ours)
ABOUT = ("MC_options", "question_text")  # of a question of OpinionQA, no group

Table = dict[str, dict[str, dict[str, float]]]
Counts = dict[tuple[str, str], float]


def opinions(sheet: Sheet) -> Table:
    """The table of GlobalOpinionQA; shares stand in the order of the options."""
    sheets.need(sheet, ("question", "selections", "options"), "the table of GlobalOpinionQA")
    table: Table = {}
    for i, (question, said, named) in enumerate(
        zip(sheets.filled(sheet, "question"), sheet.column("selections"), sheet.column("options"), strict=True)
    ):
        options, chosen = parsed(named, sheet.where(i), "options"), parsed(said, sheet.where(i), "selections")
        if not isinstance(options, list) or not isinstance(chosen, dict):
            raise Refusal(f"{sheet.where(i)}: options must be a list and selections a dict of lists.")
        names = [str(o) for o in options]
        for group, values in chosen.items():
            if not isinstance(values, list) or len(values) != len(names):
                raise Refusal(f"{sheet.where(i)}: {group!r} has not one share for each of the {len(names)} options.")
            if not all(map(is_number, values)):
                raise Refusal(f"{sheet.where(i)}: the shares of {group!r} are not numbers.")
            checked = shares(values, f"{sheet.where(i)}: {group!r}")
            if str(group) in table.get(question, {}):
                raise Refusal(f"{sheet.where(i)}: {group!r} has answered {question!r} before; leave one out.")
            by = table.setdefault(question, {}).setdefault(str(group), {})
            for name, value in zip(names, checked, strict=True):
                by[name] = by.get(name, 0.0) + float(value)
    return table


def parsed(text: str, where: str, what: str) -> Any:
    """A list or dict of words and numbers that is written as Python; code is refused, and nothing is evaluated."""
    inner = re.fullmatch(r"\s*defaultdict\(\s*<class '\w+'>\s*,\s*(\{.*\})\s*\)\s*", text, re.DOTALL)
    try:
        if len(text) > LETTERS:
            raise ValueError
        return ast.literal_eval((inner[1] if inner else text).strip())  # parses plain values alone
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise Refusal(f"{where}: {what} is {text[:40]!r}, which is no list or dict of words and numbers; such as "
                      "{'A': [0.4, 0.6]} would be right.") from None  # fmt: skip


def is_number(value: Any) -> bool:
    """Whether it is one; what is true or false is none, though Python would count with it."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def loaded(path: str | Path) -> Any:
    """What a JSON file says; one that names a key twice is refused, since the last would win without a word."""
    try:
        said = files.text(path)
        return files.shallow(lambda: json.loads(said, object_pairs_hook=lambda pairs: once(pairs, str(path))), path)
    except json.JSONDecodeError as error:
        raise Refusal(f"{path} is no JSON: {str(error).rstrip('.')}.") from None
    except ValueError:  # of Python, which reads no number of thousands of digits
        raise Refusal(f"{path} has a number of too many digits; shares in [0, 1] would be right.") from None


def surveys(data: Mapping[str, Any], path: str | Path) -> tuple[Table, Counts]:
    """OpinionQA.  Options are those that somebody gave: its list of them breaks where one has a comma in it."""
    table, counts = {}, {}
    for question, by in data.items():
        groups = {g: found for g, found in by.items() if g not in ABOUT} if isinstance(by, dict) else {}
        if not groups:
            raise Refusal(f"{path}: {question!r} must be an object of groups, each with the counts of its options, "
                          'such as {"Female": {"Yes": 40, "No": 60}}.')  # fmt: skip
        for group, found in groups.items():
            where = f"{path}: {question!r} ({group})"
            if not isinstance(found, dict) or not all(is_number(n) and n >= 0 for n in found.values()):
                raise Refusal(f"{where} must have a number of answers, at least 0, for each option.")
            counts[question, group] = total = _sum(found.values(), where)
            table.setdefault(question, {})[group] = {option: n / total for option, n in found.items()}
    return table, counts


def _sum(values: Any, where: str) -> float:
    try:
        total = math.fsum(values)
    except OverflowError:  # of whole numbers of hundreds of digits
        total = math.inf
    if not 0 < total < math.inf:
        what = "no answer at all" if total == 0 else "more answers than can be counted"
        raise Refusal(f"{where} has {what}; counts must sum to a number above 0.")
    return total
