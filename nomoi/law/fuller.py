"""Fuller's eight (Fuller 1964) as scores in [0, 1], computed from a legal system
and what was done under it.

The eight names are the tutorial's; how each is computed is ours.  The aggregate is the least of them, so that the
failure of any one is no legal system at all (Fuller 1964), beside the geometric mean, which is zero with it.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nomoi.law.log import Entry
from nomoi.law.rules import Case
from nomoi.law.system import LegalSystem

EIGHT = (
    "generality", "stability", "prospectivity", "promulgation", "clarity", "consistency", "congruence", "possibility",
)  # fmt: skip
Reader = Callable[[Case], bool]


@dataclasses.dataclass(frozen=True)
class Decision:
    """A case that was decided: when the act was done, and whether it was punished."""

    case: Case
    act_at: int
    sanctioned: bool


def fuller(
    system: LegalSystem,
    periods: int,
    decisions: Sequence[Decision] = (),
    known: Mapping[str, frozenset[str]] | None = None,
    readers: Sequence[Reader] = (),
    cases: Sequence[Case] = (),
    options: Sequence[Sequence[Case]] = (),
) -> dict[str, float]:
    """The eight scores, `least` and `mean` (geometric).

    periods    over how many periods the log runs;   decisions  what was punished and what was not
    known      member -> ids of the rules it knows; None is all know all
    readers, cases   whether each reader finds a case rightful, and the cases that readers are tried on
    options    for each of some situations, the acts that were feasible in it
    A score about which nothing is given is 1.
    """
    now, rules = system.time, [r for r in system.rules if r.kind == "primary"]
    living = [r for r in rules if r.in_force(now)]
    changes = sum(_changes_primary(system, e) for e in system.log)
    judged = [system.adjudicate(d.case, d.act_at) for d in decisions]
    versions = [(r, d) for d, j in zip(decisions, judged, strict=True) for r in rules
                if r.id in j.cited and r.in_force(d.act_at)]  # fmt: skip
    subjects = [m for m, _ in system.members]
    learnt = [(r.id in known.get(m, frozenset())) for m in subjects for r in living] if known is not None else []
    verdicts = [{r.verdict for r in system.applying(c, now)} for c in cases]
    scores = {
        "generality": _share([not r.condition.named for r in living]),
        "stability": max(0.0, 1 - changes / (max(len(living), 1) * max(periods, 1))),
        "prospectivity": _share([r.enacted_at <= d.act_at for r, d in versions]),
        "promulgation": _share(learnt),
        "clarity": agreement([[reader(c) for c in cases] for reader in readers]),
        "consistency": 1 - (_share([{"obligatory", "forbidden"} <= v for v in verdicts]) if verdicts else 0.0),
        "congruence": _share([d.sanctioned == (not j.rightful) for d, j in zip(decisions, judged, strict=True)]),
        "possibility": _share([any(system.adjudicate(c, now).rightful for c in acts) for acts in options]),
    }
    values = list(scores.values())
    mean = math.exp(sum(map(math.log, values)) / len(values)) if min(values) > 0 else 0.0
    return scores | {"least": min(values), "mean": mean}


def _changes_primary(system: LegalSystem, entry: Entry) -> bool:
    """Whether an entry of the log changed what primary rules say."""
    content = json.loads(entry.content)
    id = content.get("rule", content).get("id")
    return id is not None and any(r.id == id and r.kind == "primary" for r in system.rules)


def _share(found: Sequence[Any]) -> float:
    return float(np.mean(found)) if len(found) else 1.0


def agreement(readings: Sequence[Sequence[bool]]) -> float:
    """Mean pairwise Cohen's kappa of readers, not below 0; 1 with fewer than two, or where all say one thing."""
    pairs = list(itertools.combinations([np.asarray(r, bool) for r in readings], 2))
    kappas = []
    for a, b in pairs:
        if not len(a):
            continue
        seen = float((a == b).mean())
        chance = float(a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean()))
        kappas.append(1.0 if chance == 1 else (seen - chance) / (1 - chance))
    return max(0.0, float(np.mean(kappas))) if kappas else 1.0


def reader(system: LegalSystem, misreads: float, rng: np.random.Generator) -> Reader:
    """A reader of the system as it is now, who misreads a case with a chance, always the same case alike."""
    flips: dict[str, bool] = {}

    def read(case: Case) -> bool:
        name = repr(sorted(case.items()))
        if name not in flips:
            flips[name] = bool(rng.random() < misreads)
        return system.adjudicate(case).rightful != flips[name]

    return read
