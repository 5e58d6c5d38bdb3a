"""Rules as data: primary rules say what may be done; secondary rules (Hart 1961) say which rules count, who may
change them, and who judges.

A condition is a closed vocabulary of comparisons, never code: {"act": "harvest", "kind": ["red", "blue"],
"amount": {"at least": 2}}.  All clauses must hold; a list means one of; a case that lacks a field fails its clause.
What a thing carries are its marks, asked for by {"marks": {"has": ["insult", "threat"], "lacks": "satire"}}: it must
carry all of those that it has, and none of those that it lacks.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from nomoi.errors import Refusal, nearest
from nomoi.files import shallow

FIELDS = ("actor", "target", "role", "act", "kind", "amount", "marks")
PARTIES = ("actor", "target")  # a rule that names one is not general
TESTS = ("is", "not", "at least", "at most", "has", "lacks")
MARKED = ("has", "lacks")  # what marks are asked by, and nothing else is
VERDICTS = ("obligatory", "forbidden", "permitted", "power")
KINDS = ("primary", "recognition", "change", "adjudication")
OPERATIONS = ("enact", "amend", "repeal")
CANONS = ("rank", "specificity", "recency")  # lex superior, lex specialis, lex posterior

Case = Mapping[str, str | float | frozenset[str]]  # a set only for the marks
Clause = tuple[str, str, tuple[str | float, ...]]  # field, test, values


@dataclasses.dataclass(frozen=True)
class Condition:
    """Clauses that must all hold; none at all holds of every case."""

    clauses: tuple[Clause, ...] = ()

    def holds(self, case: Case) -> bool:
        """Whether the case meets every clause."""
        return all(field in case and _passes(case[field], test, values) for field, test, values in self.clauses)

    @property
    def named(self) -> bool:
        """Whether it singles out a party."""
        return any(field in PARTIES for field, _, _ in self.clauses)

    def data(self) -> dict[str, Any]:
        """As in a charter's file."""
        out: dict[str, Any] = {}
        for field, test, values in self.clauses:
            plain = list(values) if len(values) > 1 else values[0]
            if test == "is" and field not in out:
                out[field] = plain
            else:
                out.setdefault(field, {})[test] = plain
        return out


def _passes(found: Any, test: str, values: tuple[str | float, ...]) -> bool:
    if test in MARKED:
        return all((value in found) == (test == "has") for value in values)
    if test in ("is", "not"):
        return (found in values) == (test == "is")
    if isinstance(found, str):
        return False
    return found >= values[0] if test == "at least" else found <= values[0]


def condition(data: Any, where: str = "a condition") -> Condition:
    """A condition from its data, or a sentence about what is wrong with it."""
    if not isinstance(data, Mapping):
        raise Refusal(f'{where} has the condition {data!r}; something like {{"act": "harvest"}} would be right.')
    clauses: list[Clause] = []
    for field, asked in data.items():
        if field not in FIELDS:
            raise Refusal(f"{where} asks for {field!r}; {nearest(str(field), FIELDS, 'field')}")
        for test, value in (asked if isinstance(asked, Mapping) else {"is": asked}).items():
            if test not in TESTS:
                raise Refusal(f"{where} compares {field} by {test!r}; {nearest(str(test), TESTS, 'comparison')}")
            if (test in MARKED) != (field == "marks"):
                right = "has or lacks" if field == "marks" else "is, not, at least or at most"
                raise Refusal(f"{where} compares {field} by {test!r}; {right} would be right.")
            values = tuple(value) if isinstance(value, (list, tuple)) else (value,)
            bound = test in ("at least", "at most")
            if not values or (bound and (len(values) > 1 or not number(values[0]))):
                raise Refusal(
                    f"{where} compares {field} {test} {value!r}; {'one number' if bound else 'a value'} is right."
                )
            if not all(isinstance(v, str) or number(v) for v in values):
                raise Refusal(f"{where} compares {field} with {value!r}; words and finite numbers would be right.")
            clauses.append((field, test, values))
    return Condition(tuple(sorted(clauses, key=repr)))


def number(value: Any) -> bool:
    """Whether it is a finite number (and not true or false)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


@dataclasses.dataclass(frozen=True)
class Rule:
    """One rule.  It is in force at the times t with start <= t < end; `enacted_at` is when it was made, and it starts
    then unless `start` says otherwise.

    id, kind, source, rank        its name; one of KINDS; who made it; higher rank prevails
    condition, verdict, sanction  primary: of which acts it says what, and what a breach is worth (units of payoff)
    recognises, under             recognition: the sources whose rules count, and the rule of recognition that this
                                  one rests on (empty: the ultimate one, which is accepted and not validated)
    grants, over, holders, electorate, quorum, majority
                                  change: who (roles) may do which operations to which kinds of rule, if that share of
                                  the electorate votes, and more than that share of the votes is for it
    holders, order                adjudication: who (roles) may judge, by which canons in turn
    """

    id: str
    kind: str = "primary"
    source: str = ""
    rank: int = 0
    enacted_at: int = 0
    start: int | None = None
    end: int | None = None
    condition: Condition = Condition()
    verdict: str = "forbidden"
    sanction: float = 0.0
    recognises: tuple[str, ...] = ()
    under: str = ""
    grants: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    electorate: tuple[str, ...] = ()
    quorum: float = 0.5
    majority: float = 0.5
    order: tuple[str, ...] = CANONS

    def in_force(self, time: int) -> bool:
        """Whether it is in force at a time."""
        return self.begins <= time and (self.end is None or time < self.end)

    @property
    def begins(self) -> int:
        """When it comes into force."""
        return self.enacted_at if self.start is None else self.start

    def data(self) -> dict[str, Any]:
        """As in a charter's file: only what its kind has."""
        out: dict[str, Any] = {name: getattr(self, name) for name in (*_COMMON, *_FORMS[self.kind])}
        out["start"] = self.begins
        out |= {name: list(value) for name, value in out.items() if isinstance(value, tuple)}
        if "condition" in out:
            out["condition"] = self.condition.data()
        return out


_COMMON = ("id", "kind", "source", "rank", "enacted_at", "start", "end")
_FORMS = {
    "primary": ("condition", "verdict", "sanction"),
    "recognition": ("recognises", "under"),
    "change": ("grants", "over", "holders", "electorate", "quorum", "majority"),
    "adjudication": ("holders", "order"),
}
_CHOSEN = {"grants": OPERATIONS, "over": KINDS, "order": CANONS}


def rule(data: Any) -> Rule:
    """A rule from its data, or a sentence about what is wrong with it."""
    if not isinstance(data, Mapping) or not isinstance(data.get("id"), str) or not data["id"]:
        raise Refusal(f"a rule is an object with an id, and this is {short(data)}.")
    where, kind = f"rule {data['id']!r}", data.get("kind", "primary")
    if kind not in KINDS:
        raise Refusal(f"{where} is of the kind {kind!r}; {nearest(str(kind), KINDS, 'kind')}")
    known, values = (*_COMMON, *_FORMS[kind]), dict(data)
    for name, value in data.items():
        if name not in known:
            raise Refusal(f"{where} has {name!r}, which a {kind} rule has not; {nearest(str(name), known, 'part')}")
        if name == "condition":
            values[name] = condition(value, where)
        elif name == "verdict" and value not in VERDICTS:
            raise Refusal(f"{where} has the verdict {value!r}; {nearest(str(value), VERDICTS, 'verdict')}")
        elif isinstance(getattr(Rule, name, None), tuple):
            values[name] = _names(value, f"{where}.{name}", _CHOSEN.get(name))
        elif name in ("source", "under") and not isinstance(value, str):
            raise Refusal(f"{where}.{name} is {value!r}; a name would be right.")
        elif name in ("quorum", "majority") and not (number(value) and 0 <= value <= 1):
            raise Refusal(f"{where}.{name} is {value!r}; a share in [0, 1] would be right.")
        elif name in ("rank", "enacted_at", "start", "end") and not (name in ("start", "end") and value is None):
            values[name] = whole(value, f"{where}.{name}", 0 if name != "rank" else None)
        elif name == "sanction" and not (number(value) and value >= 0):
            raise Refusal(f"{where}.sanction is {value!r}; a number of at least 0 would be right.")
    made = Rule(**values)
    if made.end is not None and made.end < made.begins:
        raise Refusal(f"{where} ends at {made.end}, before it starts at {made.begins}.")
    return dataclasses.replace(made, start=made.begins)


def _names(value: Any, where: str, among: Sequence[str] | None) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(v, str) for v in value):
        raise Refusal(f"{where} is {short(value)}; a list of names would be right.")
    for name in value:
        if among and name not in among:
            raise Refusal(f"{where} has {name!r}; {nearest(name, among, 'name')}")
    return tuple(value)


def whole(value: Any, where: str, low: int | None = 0) -> int:
    """The value, if it is a whole number of at least `low`."""
    if isinstance(value, bool) or not isinstance(value, int) or (low is not None and value < low):
        raise Refusal(f"{where} is {value!r}; a whole number{'' if low is None else f' of at least {low}'} is right.")
    return value


def short(value: Any) -> str:
    """The value as a sentence quotes it."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def canonical(data: Any) -> str:
    """JSON with one spelling, for hashing and comparing."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def parsed(text: str, where: str) -> Any:
    """What a JSON text says, or a sentence; NaN and infinities are no JSON."""

    def constant(word: str) -> None:
        raise Refusal(f"{where} has {word}, which is no number.")

    try:
        return shallow(lambda: json.loads(text, parse_constant=constant), where)
    except json.JSONDecodeError as error:
        raise Refusal(f"{where} is no JSON: {str(error).rstrip('.')}.") from None
