"""Newcomers who read: a speaker is given a charter in words, and is asked what the institution would decide.

Whoever comes to an institution from outside has its text, and not its practice.  How far reading gets one is the share
of cases in which the speaker says what the charter's own adjudication says, beside what always saying the commoner
verdict would get.

>>> from nomoi.law.samples import charter
>>> from nomoi.speak.newcomer import written
>>> print(written(charter("red")))
Rule 'closed', of founders: an act is forbidden where act is harvest.
Rule 'red', of founders: an act is permitted where act is harvest and kind is red.
What no rule covers is permitted. Where rules differ, the higher rank prevails, then the more specific, then the later.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from nomoi.errors import Refusal
from nomoi.law.rules import CANONS, Rule
from nomoi.law.system import LegalSystem
from nomoi.speak.desk import Desk, current
from nomoi.speak.reading import read, schema
from nomoi.speak.speaker import Speaker

PERMITTED, FORBIDDEN = "permitted", "forbidden"
ORDERS = {CANONS[0]: "the higher rank", CANONS[1]: "the more specific", CANONS[2]: "the later"}
Case = Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Read:
    """How a newcomer judged.

    agreement   share of cases judged as the institution does;  of_rules, of_gaps  the same of those that some rule
                covers, and of those that none does (NaN where there are none)
    base        what always saying the commoner verdict would get;  malformed  share of answers that could not be used
    """

    agreement: float
    of_rules: float
    of_gaps: float
    base: float
    malformed: float

    def measures(self) -> dict[str, float]:
        return dataclasses.asdict(self)


def written(system: LegalSystem, time: int | None = None) -> str:
    """The primary rules in force in words, one a line, and what decides between them."""
    at = system.time if time is None else time
    lines = [_worded(r) for r in system.rules if r.kind == "primary" and r.in_force(at)]
    courts = [r for r in system.rules if r.kind == "adjudication" and r.in_force(at)]
    order = courts[0].order if courts else CANONS
    canons = ", then ".join(ORDERS[canon] for canon in order)
    return "\n".join([*lines, f"What no rule covers is permitted. Where rules differ, {_prevails(canons)}."])


def _prevails(canons: str) -> str:
    first, _, rest = canons.partition(", ")
    return f"{first} prevails" + (f", {rest}" if rest else "")


def _worded(r: Rule) -> str:
    clauses = [f"{field} {test} {' or '.join(map(str, values))}" for field, test, values in r.condition.clauses]
    rank = f", of rank {r.rank}" if r.rank else ""
    return f"Rule {r.id!r}, of {r.source or 'nobody'}{rank}: an act is {r.verdict}" + (
        f" where {' and '.join(clauses)}." if clauses else "."
    )


def cases(system: LegalSystem, acts: Sequence[str], kinds: Sequence[str] = ("nothing",)) -> list[Case]:
    """Every act on every kind by each member, in the order of the charter."""
    people = system.members or (("somebody", ""),)
    return [{"actor": name, "role": role, "act": act, "kind": kind}
            for (name, role), act, kind in itertools.product(people, acts, kinds)]  # fmt: skip


def judge(
    speaker: Speaker, system: LegalSystem, some: Sequence[Case], time: int | None = None, seed: int = 0,
    desk: Desk | None = None,
) -> Read:  # fmt: skip
    """Ask a speaker about each case, apart from the others, and compare with the institution's own adjudication.

    An answer that cannot be used agrees with nothing; where rules contradict each other there is no decision, and
    nothing is asked.
    """
    desk = desk or current()
    decided = [(case, system.adjudicate(case, time)) for case in some]
    decided = [(case, judgment) for case, judgment in decided if judgment.verdict != "contradiction"]
    if not decided:
        raise Refusal("the charter decides none of these cases; acts that its rules name would be right.")
    text = written(system, time)
    with ThreadPoolExecutor(desk.at_once) as pool:
        said = list(pool.map(lambda k: _asked(speaker, desk, text, decided[k][0], seed, k), range(len(decided))))
    wrong = np.array([judgment.verdict == FORBIDDEN for _, judgment in decided])
    ruled = np.array([bool(judgment.cited) for _, judgment in decided])
    right = np.array([one == ruling for one, ruling in zip(said, wrong, strict=True)])
    share = lambda which: float(right[which].mean()) if which.any() else float("nan")  # noqa: E731
    return Read(float(right.mean()), share(ruled), share(~ruled), max(wrong.mean(), 1 - wrong.mean()),
                sum(one is None for one in said) / len(said))  # fmt: skip


def _asked(speaker: Speaker, desk: Desk, text: str, case: Case, seed: int, place: int) -> bool | None:
    """Whether it says that the case is forbidden; None where it says nothing that can be used."""
    labels = (PERMITTED, FORBIDDEN)
    shown = labels if np.random.default_rng([seed, place]).integers(2) else labels[::-1]
    facts = ", ".join(f"{field} {value}" for field, value in case.items() if value)
    form = ('Answer with one JSON object and nothing else, with the key "verdict"; a value is one of the choices.\n'
            f"verdict: {', '.join(shown)}")  # fmt: skip
    question = f"Somebody does this: {facts}. By these rules, what is it?\n\n{form}"
    messages = [{"role": "system", "content": f"You are new here. These are the rules:\n{text}"},
                {"role": "user", "content": question}]  # fmt: skip
    asked = {"verdict": labels}
    said = speaker.endpoint.ask(desk, messages, (seed, place), schema(asked), temperature=speaker.temperature,
                                max_tokens=speaker.tokens)  # fmt: skip
    chosen, _ = read(said, asked)
    return bool(chosen["verdict"]) if chosen else None
