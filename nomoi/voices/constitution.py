"""Constitutions made of votes: the statements that pass, where each comes from, and who stands behind it.

A statement is text.  It becomes a rule that an altar or a sanction can keep only where a person has said which event
it is about: a file of statement, event or mark, verdict, and who mapped it.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nomoi import files
from nomoi.errors import Refusal, nearest, printable
from nomoi.voices import sheets
from nomoi.voices.opinion import Opinion
from nomoi.voices.process import Process

VERDICTS = ("forbidden", "permitted")  # what a charter can judge of an event; text can say more
MAPPING = ("statement", "event", "verdict", "mapped-by")
PEOPLE = "the people"  # the source that the charter's rule of recognition names
NEAR = 0.5  # share of words in common from which two texts may say the same (ours)


@dataclasses.dataclass(frozen=True)
class Statement:
    """One that passed: its consensus, the share and number asked of each group, and of resamples in which it passes."""

    id: str
    text: str
    consensus: float
    shares: tuple[float, ...]
    asked: tuple[int, ...]
    steady: float


@dataclasses.dataclass(frozen=True)
class Constitution:
    """Statements in the order of their consensus, and the lines that say how they came about."""

    statements: tuple[Statement, ...]
    provenance: tuple[str, ...]
    groups: tuple[int, ...]

    def text(self) -> str:
        """As a person or a language agent reads it: provenance behind #, then the statements, numbered."""
        head = [f"# {_line(line)}" for line in self.provenance]
        body = []
        for k, s in enumerate(self.statements, 1):
            groups = ", ".join(f"{share:.2f} of {asked}" for share, asked in zip(s.shares, s.asked, strict=True))
            steady = f"; in {s.steady:.0%} of resamples" if np.isfinite(s.steady) else ""
            body.append(f"{k}. {_line(s.text or f'(statement {s.id}, without a text)')}")
            body.append(f"   # statement {_line(s.id)}: consensus {s.consensus:.3f}; agree, by group: {groups}{steady}")
        return "\n".join([*head, "", *body]) + "\n"

    def data(self) -> dict[str, Any]:
        """As plain data."""
        told = [dataclasses.asdict(s) for s in self.statements]
        for one in told:
            one["steady"] = one["steady"] if np.isfinite(one["steady"]) else None
        return {"provenance": list(self.provenance), "groups": list(self.groups), "statements": told}

    def write(self, path: str | Path) -> Path:
        """Write it: JSON where the name ends so, else text."""
        if Path(path).suffix.lower() == ".json":
            return files.write(path, json.dumps(self.data(), indent=1, ensure_ascii=False, allow_nan=False) + "\n")
        return files.write(path, self.text())


def _line(text: str) -> str:
    """On one line: no id, topic or answer of a file may begin a line of its own, and so pass for a statement."""
    return " ".join(printable(text).split())


def constitution(found: Opinion, source: str = "", process: Process | None = None) -> Constitution:
    """The statements of an examined conversation that pass."""
    v, asked = found.votes, found.asked
    shares = found.tally.shares
    chosen = [j for j in found.order() if found.passes[j]]
    draws = len(found.stability.alike)
    statements = tuple(
        Statement(
            v.statements[j], v.texts.get(v.statements[j], ""), float(found.agree[j]),
            tuple(float(x) for x in shares[:, j]), tuple(int(x) for x in found.tally.seen[:, j]),
            float(found.stability.passes[j]) if draws else float("nan"),
        )
        for j in chosen
    )  # fmt: skip
    sizes = tuple(int(s) for s in found.tally.sizes)
    lines = [
        f"{v.title}{f' ({source})' if source else ''}: {len(v.people):,} people, {len(v.statements):,} statements, "
        f"{int(v.seen.sum()):,} votes",
        f"passed: {len(statements)}, by {asked.rule}, group-aware, mode {asked.mode}",
        f"groups: {found.source}, {len(sizes)} ({', '.join(map(str, sizes))} people); how many there are is an "
        "assumption",
        *([f"{draws} resamples of four fifths of the people: what passes is the same by "
           f"{found.stability.admitted.mean():.2f} (Jaccard; 1 is all)"] if draws else []),
        *(f"mind: {remark}" for remark in found.remarks),
        *(process.lines() if process else ()),
    ]  # fmt: skip
    return Constitution(statements, tuple(lines), sizes)


# --- rules ------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Mapped:
    """What a person says a statement means for agents: the event (and the mark, a kind of thing) that it is about,
    the verdict on it, and who said so."""

    statement: str
    event: str
    mark: str
    verdict: str
    by: str
    where: str = ""  # the place in the file that says so


def mapping(path: str | Path) -> tuple[Mapped, ...]:
    """The file of who mapped what: statement, event, verdict, mapped by, and perhaps a mark."""
    sheet = sheets.read(path)
    sheets.need(sheet, MAPPING, "a mapping")
    cells = [sheet.column(name) for name in MAPPING]
    marks = sheet.column("mark") if "mark" in sheet else [""] * len(sheet.rows)
    found: dict[tuple[str, str], Mapped] = {}
    out = []
    for i, (statement, event, verdict, by) in enumerate(zip(*cells, strict=True)):
        where = sheet.where(i)
        if not statement or not event or not by:
            raise Refusal(f"{where}: statement, event and mapped by must all be filled in.")
        if verdict not in VERDICTS:
            raise Refusal(f"{where}: the verdict is {verdict!r}; {nearest(verdict, VERDICTS, 'verdict')}")
        one = Mapped(statement, event, marks[i], verdict, by, where)
        before = found.setdefault((event, marks[i]), one)
        if before.verdict != verdict:
            raise Refusal(f"{where}: {event}{f' ({marks[i]})' if marks[i] else ''} is {verdict} by statement "
                          f"{statement} and {before.verdict} by statement {before.statement}; map one of them "
                          "otherwise.")  # fmt: skip
        out.append(one)
    return tuple(out)


def charter(made: Constitution, mapped: Sequence[Mapped], votes_ids: Sequence[str] = ()) -> str:
    """The text of a charter (see `nomoi.law.charters`) with a primary rule for each statement that is mapped.

    Statements that nobody mapped stay text, which readers and language agents have; a charter without a single rule
    is refused, since there is nothing that an altar or a sanction could keep.
    """
    from nomoi.law.charters import read

    passed = {s.id: s for s in made.statements}
    for m in mapped:
        if votes_ids and m.statement not in votes_ids:
            raise Refusal(f"the mapping names the statement {m.statement!r}, on which nobody voted; "
                          f"{nearest(m.statement, votes_ids, 'statement')}")  # fmt: skip
    kept = [m for m in mapped if m.statement in passed]
    if not any(m.verdict == "forbidden" for m in kept):
        raise Refusal(f"none of the {len(passed)} statements that passed is mapped to an event that it forbids, so an "
                      "altar or a sanction would have nothing to keep; a line such as 12,sparse,forbidden,Ada in the "
                      "mapping would be right.")  # fmt: skip
    rules: list[Mapping[str, Any]] = [
        {"id": "recognition", "kind": "recognition", "recognises": [PEOPLE]},
        {"id": "adjudication", "kind": "adjudication", "source": PEOPLE, "holders": ["court"]},
    ]
    for k, m in enumerate(kept):
        condition = {"act": m.event} | ({"kind": m.mark} if m.mark else {})
        twice = "" if [x.statement for x in kept].count(m.statement) == 1 else f", {k + 1}"
        rules.append({"id": f"statement {m.statement}{twice} (mapped by {m.by})", "kind": "primary", "source": PEOPLE,
                      "condition": condition, "verdict": m.verdict})  # fmt: skip
    text = json.dumps({"members": {}, "rules": rules}, indent=1, ensure_ascii=False) + "\n"
    read(text, "the charter of the constitution")
    return text


# --- another list ---------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Overlap:
    """How far a constitution and another list, such as a developer's, say the same.

    pairs    (statement, line of the list, how): "mapped" by a person, "same" words, or "near": half of the words
    covered  share of the constitution that the list has, not counting near ones;  of  the list's that it has
    """

    pairs: tuple[tuple[str, str, str], ...]
    covered: float
    of: float
    size: int


def listed(path: str | Path) -> tuple[list[str], list[str]]:
    """Rules of another list, and the statement that a person mapped each to: a CSV with a column rule and perhaps a
    column statement (an id), or text with one rule a line."""
    path = Path(path)
    if path.suffix.lower() == ".csv":
        sheet = sheets.read(path)
        sheets.need(sheet, ("rule",), "a list of rules")
        rules = sheets.filled(sheet, "rule")
        mapped = sheet.column("statement") if "statement" in sheet else [""] * len(rules)
    else:
        lines = (line.strip() for line in files.text(path).splitlines())
        # as `Constitution.text` writes it: remarks behind #, statements numbered
        rules = [re.sub(r"^(\d+[.)]|[-*])\s+", "", line) for line in lines if line and not line.startswith("#")]
        mapped = [""] * len(rules)
    if not rules:
        raise Refusal(f"{path} has no rule in it; one a line would be right.")
    return rules, mapped


def overlap(made: Constitution, path: str | Path, votes_ids: Sequence[str] = ()) -> Overlap:
    """Against a list, see `listed`.  Texts that are near are offered to a person, and never counted as one."""
    rules, mapped = listed(path)
    for by in mapped:
        if by and votes_ids and by not in votes_ids:
            raise Refusal(f"{path} names the statement {by!r}, on which nobody voted; "
                          f"{nearest(by, votes_ids, 'statement')}")  # fmt: skip
    pairs = []
    for s in made.statements:
        for rule, by in zip(rules, mapped, strict=True):
            if by:
                how = "mapped" if by == s.id else ""
            else:
                alike = _alike(s.text, rule)
                how = "same" if alike == 1 else "near" if alike >= NEAR else ""
            if how:
                pairs.append((s.id, rule, how))
    sure = [p for p in pairs if p[2] != "near"]
    return Overlap(tuple(pairs), len({p[0] for p in sure}) / max(len(made.statements), 1),
                   len({p[1] for p in sure}) / len(rules), len(rules))  # fmt: skip


def _alike(one: str, other: str) -> float:
    a, b = (set(re.findall(r"\w+", text.casefold())) for text in (one, other))
    return len(a & b) / len(a | b) if a and b else 0.0
