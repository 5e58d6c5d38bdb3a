"""How input came about: a score card of a process, and records of norms that groups put into words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nomoi.errors import Refusal, nearest, once
from nomoi.voices import sheets

QUESTIONS: Mapping[str, str] = {
    "participants": "who took part, and how many",
    "representativeness": "of whom they are representative, and how they were found",
    "deliberation": "whether they spoke with one another before they answered",
    "binding": "whether who asked is bound by the answer",
    "iteration": "whether they are asked again",
    "contestability": "how somebody can object to the outcome, and who decides then",
}  # what a democratic process is asked; a card, not a sum: no good answer makes up for a bad one (ours)


@dataclasses.dataclass(frozen=True)
class Process:
    """Answers to QUESTIONS; what is not answered is said to be so."""

    answers: Mapping[str, str]

    def __post_init__(self) -> None:
        for question in self.answers:
            if question not in QUESTIONS:
                raise Refusal(f"a process is not asked for {question!r}; {nearest(question, QUESTIONS, 'question')}")

    def lines(self) -> list[str]:
        """The card, a line a question."""
        return [
            f"{name}: {self.answers.get(name, '').strip() or 'not said'} ({asks})" for name, asks in QUESTIONS.items()
        ]


def process(path: str | Path) -> Process:
    """The card from a file of question,answer."""
    sheet = sheets.read(path)
    sheets.need(sheet, ("question", "answer"), "a score card")
    answers = sheet.column("answer")
    for i, said in enumerate(answers):
        for date in sheets.DATE.findall(said):
            sheets.moment(date, sheet.where(i), "a date in the answer")
    return Process(once(zip(sheet.column("question"), answers, strict=True), str(path)))


@dataclasses.dataclass(frozen=True)
class Norm:
    """What a group put into words in a session (as in Bergman et al. 2024): the rule's id where it is the same as
    others', its text, the share of the session that supports it, why, with what it is in tension, and when it was said
    (a date of the calendar, or nothing)."""

    group: str
    rule: str
    text: str
    support: float
    rationale: str = ""
    tensions: tuple[str, ...] = ()
    date: str = ""


@dataclasses.dataclass(frozen=True, eq=False)
class Elicited:
    """Norms by rule, with the groups that each comes from; and how far groups (and a developer) have the same rules.

    union    rule -> norms, one a group;  names  groups, and the developer last where its list was given
    overlap  [names, names] Jaccard index of the sets of rules
    """

    union: Mapping[str, tuple[Norm, ...]]
    names: tuple[str, ...]
    overlap: np.ndarray


def elicited(path: str | Path, developer: tuple[str, ...] = ()) -> Elicited:
    """The union of what groups said, from a file of group, rule, text, support (a share), and perhaps rationale,
    tensions (rules, separated by ;) and date.  `developer`: the ids of the rules that its own list has."""
    sheet = sheets.read(path)
    sheets.need(sheet, ("group", "rule", "text", "support"), "a record of elicitation")
    optional = {name: sheet.column(name) if name in sheet else [""] * len(sheet.rows) for name in
                ("rationale", "tensions", "date")}  # fmt: skip
    union: dict[str, list[Norm]] = {}
    for i, row in enumerate(sheet.rows):
        group, rule, text, said = (row[sheet.at(c)] for c in ("group", "rule", "text", "support"))
        support = sheets.number(said, sheet.where(i), "the support")
        if not 0 <= support <= 1:
            raise Refusal(f"{sheet.where(i)}: the support is {said}; a share in [0, 1] would be right.")
        if any(n.group == group for n in union.get(rule, ())):
            raise Refusal(
                f"{sheet.where(i)}: {group!r} has the rule {rule!r} twice; one row a group and rule is right."
            )
        tensions = tuple(t.strip() for t in optional["tensions"][i].split(";") if t.strip())
        date = optional["date"][i]
        if date:
            sheets.moment(date, sheet.where(i))
        union.setdefault(rule, []).append(Norm(group, rule, text, support, optional["rationale"][i], tensions, date))
    for rule, norms in union.items():
        for other in (t for n in norms for t in n.tensions):
            if other not in union:
                raise Refusal(f"{sheet.path}: {rule!r} is in tension with {other!r}, which is no rule of it; "
                              f"{nearest(other, union, 'rule')}")  # fmt: skip
    groups = tuple(dict.fromkeys(n.group for norms in union.values() for n in norms))
    sets = [{r for r, norms in union.items() if any(n.group == g for n in norms)} for g in groups]
    names = groups
    if developer:
        sets, names = [*sets, set(developer)], (*groups, "developer")
    matrix = np.array([[len(a & b) / max(len(a | b), 1) for b in sets] for a in sets])
    return Elicited({r: tuple(n) for r, n in union.items()}, names, matrix)
