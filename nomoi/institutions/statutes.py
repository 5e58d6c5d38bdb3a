"""Statutes: the rules of a bench as a charter that `nomoi.law` reads, so that both can be asked about any post."""

from __future__ import annotations

import itertools

import numpy as np

from nomoi.errors import Refusal
from nomoi.institutions.bench import NARROW, Practice, language, wide
from nomoi.law.charters import read
from nomoi.law.rules import canonical
from nomoi.law.system import LegalSystem
from nomoi.voices.aggregates import VERDICTS


def statutes(practice: Practice, marks: int) -> LegalSystem:
    """The rules in force and the default that what none covers is kept, as a charter.

    A graded verdict takes two rules, one that forbids the others and one that obliges to it: by prohibitions alone a
    post that two rules cover would leave no lawful act, as the lower rule still forbids what the higher leaves.
    """
    rules: list[dict[str, object]] = [
        {"id": "founding", "kind": "recognition", "recognises": ["members"]},
        {"id": "bench", "kind": "adjudication", "source": "members", "holders": ["bench"], "order": ["rank"]},
        *_graded("silence", "keep", {}, -1),
    ]
    for which, verdict, since, serial in zip(
        *(np.asarray(x).tolist() for x in (practice.which, practice.verdict, practice.since, practice.serial)),
        strict=True,
    ):
        if serial >= 0 and since <= int(practice.time):
            had = [f"mark {m + 1}" for m in language(marks)[which]]
            rank = int(wide(marks)[which]) * NARROW + serial
            rules += _graded(f"rule {serial + 1}", VERDICTS[verdict], {"marks": {"has": had}}, rank)
    return read(canonical({"members": {"bench": "bench"}, "rules": rules}), "the statutes")


def _graded(name: str, verdict: str, condition: dict[str, object], rank: int) -> list[dict[str, object]]:
    others = [v for v in VERDICTS if v != verdict]
    shared = {"source": "members", "rank": rank}
    return [
        shared | {"id": name, "condition": condition | {"act": others}},
        shared | {"id": f"{name}, duty", "condition": condition | {"act": verdict}, "verdict": "obligatory"},
    ]


def lawful(system: LegalSystem, post: np.ndarray) -> tuple[str, ...]:
    """The verdicts that the charter leaves lawful on a post [marks] of true and false; refused where it leaves none."""
    carried = frozenset(f"mark {m + 1}" for m in itertools.compress(range(len(post)), post))
    case = {"actor": "bench", "marks": carried}
    out = tuple(v for v in VERDICTS if system.adjudicate(case | {"act": v}).rightful)
    if not out:
        what = f"with {' and '.join(sorted(carried))}" if carried else "without marks"
        raise Refusal(f"the charter leaves no lawful verdict on a post {what}; a rule that forbids the other verdicts "
                      "takes another one that obliges to what is left.")  # fmt: skip
    return out
