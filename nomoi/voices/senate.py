"""The roll calls of the 109th Senate of the United States: votes, questions, and what came of them.

The files are those of object s109 of the R package pscl, whose source is voteview; they do not come with nomoi.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nomoi.errors import Missing, Refusal
from nomoi.voices import sheets
from nomoi.voices.decisions import Cases

ADOPTED = ("Agreed to", "Passed", "Confirmed")
LEFT_OUT = ("Not Sustained", "Held Nongermane")  # answers to points of order, which adopt and reject nothing
HOUSE = 100  # seats
OPEN = 67  # yes votes from which every rule of the house is met


def kind(question: str, description: str) -> str:
    """The kind of question of a roll call, from its words."""
    said = f"{question} {description}".lower()
    if "cloture" in question.lower():
        return "cloture"
    if "waive" in said and ("motion" in question.lower() or "budget" in said):
        return "waiver"
    if "ratification" in said or "treaty" in said:
        return "treaty"
    if "override" in said or "veto" in said:
        return "veto"
    if "joint resolution" in question.lower() and "amendment to the constitution" in said:
        return "amendment of the constitution"
    for word in ("table", "amendment", "nomination", "passage", "motion", "resolution", "conference"):
        if word in question.lower():
            return word
    return "other"


def needed(of: str, yes: float, no: float) -> bool:
    """Whether votes suffice for a question of a kind, by the Senate's rules as they are commonly told (ours).

    Three fifths of the house for cloture and waivers; two thirds of who votes for treaties, vetoes and the
    constitution; else most.
    """
    if of in ("cloture", "waiver"):
        return yes >= 0.6 * HOUSE
    if of in ("treaty", "veto", "amendment of the constitution"):
        return 3 * yes >= 2 * (yes + no)
    return yes > no


class _Senate(Cases):
    @property
    def contested(self) -> np.ndarray:
        return (self.yes > self.no) & (self.yes < OPEN)  # type: ignore[operator]


def senate(folder: str | Path) -> Cases:
    """The roll calls of the 109th Senate, from s109_rollcalls.csv and s109_votes.csv in a folder."""
    calls, cast = (Path(folder) / name for name in ("s109_rollcalls.csv", "s109_votes.csv"))
    for path in (calls, cast):
        if not path.is_file():
            raise Missing(f"there is no {path.name} in {folder}, where the roll calls are kept.")
    sheet = sheets.read(calls)
    sheets.need(sheet, ("question", "result", "description", "yeatotal", "naytotal"), "the file of roll calls")
    result = sheet.column("result")
    used = [i for i, r in enumerate(result) if r not in LEFT_OUT]
    rows = sheets.rows(cast)[1:]
    if not rows or any(len(cells) <= len(result) for _, cells in rows):
        raise Refusal(f"{cast} must have a row a senator, with a name and a vote on each of {len(result)} roll calls.")
    people = [cells[0] for _, cells in rows]
    meaning = {"1": 1.0, "6": -1.0, "7": 0.0, "9": np.nan, "0": np.nan}  # yea, nay, present, not voting, no member
    for line, cells in rows:
        for cell in cells[1 : len(result) + 1]:
            if cell.removesuffix(".0") not in meaning:
                raise Refusal(f"{cast}, line {line}: {cell!r} is no vote; {', '.join(meaning)} are.")
    table = np.array([[meaning[cells[1 + i].removesuffix(".0")] for _, cells in rows] for i in used])
    totals = [np.array([sheets.number(sheet.column(c)[i], sheet.where(i), c) for i in used])
              for c in ("yeatotal", "naytotal")]  # fmt: skip
    words = [kind(sheet.rows[i][sheet.at("question")], sheet.rows[i][sheet.at("description")]) for i in used]
    rule = np.array([needed(w, float(y), float(n)) for w, y, n in zip(words, *totals, strict=True)])
    party = np.array([{"R": 0, "D": 1}.get(p.split("(")[-1][:1], -1) for p in people])
    return _Senate("109th Senate", tuple(people), table, np.array([result[i] in ADOPTED for i in used]),
                   {"kind of question": tuple(words)}, party, rule, yes=totals[0], no=totals[1])  # fmt: skip
