"""Six practices that get cheap: what stands for and against each, where it tips, and what it takes to come back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.populations.engine import seed_of
from nomoi.populations.practice import Practice
from nomoi.runs.effects import Effect, of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial

OURS = "ours"
STEP = 0.02  # by which the cost moves (ours)


@dataclasses.dataclass(frozen=True)
class Case:
    """A practice that gets cheap, in words: what speaks for it, what against it, and what comes as others do it."""

    practice: Practice
    gives: str
    against: str
    feeds: str


CASES: Mapping[str, Case] = {
    "spears or dynamite": Case(
        Practice(gain=1.0, feedback=0.0, resistance=0.6), "more fish at once", "those with spears frown", "nothing"
    ),
    "shaming in person or online": Case(
        Practice(gain=0.5, feedback=0.5, resistance=0.4), "it is heard by many, and costs no courage",
        "who is seen to shame answers for it", "what many share is shared further",
    ),
    "disinformation": Case(
        Practice(gain=0.6, feedback=0.3, resistance=0.5), "attention", "readers who check, and say so",
        "where all is doubtful, nobody checks",
    ),
    "zero-days": Case(
        Practice(gain=0.8, feedback=0.2, resistance=0.7), "what a hole in a program sells for",
        "defenders find it first", "who mends cannot keep up",
    ),
    "companionship": Case(
        Practice(gain=0.4, feedback=0.6, resistance=0.3), "company at any hour", "friends who miss one",
        "friends who are with machines are not there",
    ),
    "paid thought": Case(
        Practice(gain=0.7, feedback=0.4, resistance=0.2), "an hour's wage saved", "who pays for a person's word",
        "skill that nobody practises is not there to be paid",
    ),
}  # fmt: skip


def formula(key: None, gain: float, feedback: float, resistance: float, spread: float) -> Mapping[str, float]:
    """Where it tips and returns, by the formula; and what spread of people would close the loop."""
    p = Practice(gain, feedback, resistance, spread)
    return {"tips": p.tips.value, "returns": p.returns.value, "width": p.width, "steep": p.steep,
            "spread that closes it": p.spread * p.steep}  # fmt: skip


def lived(
    key: jax.Array, gain: float, feedback: float, resistance: float, spread: float, people: int
) -> Mapping[str, float]:
    """Where people with costs of their own tip as the common cost falls, and return as it rises again."""
    p = Practice(gain, feedback, resistance, spread)
    costs = np.arange(gain + feedback + 0.4, gain - resistance - 0.4, -STEP)
    seed = seed_of(key)
    down, up = p.swept(costs, people, seed), p.swept(costs[::-1], people, seed, first=1.0)
    own = {f"falling {k}": float(y) for k, y in enumerate(down)} | {f"rising {k}": float(y) for k, y in enumerate(up)}
    return own | {
        "tips": float(costs[np.argmax(down >= 0.5)]) + STEP / 2,
        "returns": float(costs[::-1][np.argmax(up < 0.5)]) - STEP / 2,
        "highest cost": float(costs[0]),
    }


def trials(size: str) -> Sequence[Trial]:
    people = 200 if size == "smoke" else 2_000
    out: list[Trial] = []
    for name, case in CASES.items():
        settings = dataclasses.asdict(case.practice)
        out += [Computed(f"{name}: formula", formula, settings, exact=True),
                Computed(name, lived, settings | {"people": people})]  # fmt: skip
    alike = dataclasses.asdict(CASES["companionship"].practice)
    return [*out, Computed("people who differ", lived, alike | {"people": people, "spread": 0.45})]


def _off(name: str, measure: str) -> Effect:
    """By how much people tip elsewhere than the formula says."""
    return lambda r: r.late(name, measure) - r.late(f"{name}: formula", measure)


CLAIMS = [
    *(Claim(f"{name}: people {what} within .03 of the cost that the formula says", OURS, _off(name, measure), near=0,
            tolerance=0.03, unit="of cost", kind="control")
      for name in CASES for what, measure in (("go over", "tips"), ("come back", "returns"))),
    Claim("Where people differ by .45 in what a companion costs them, half go over and come back at one cost", OURS,
          lambda r: r.late("people who differ", "returns") - r.late("people who differ", "tips"), near=0,
          tolerance=0.1, unit="of cost", kind="ours"),
]  # fmt: skip
READINGS = [
    Reading(f"{name}: {what}", OURS, of(f"{name}: formula", measure), unit=unit)
    for name in CASES
    for what, measure, unit in (
        ("it tips below", "tips", "of cost"),
        ("... it is given up above", "returns", "of cost"),
        ("... people would have to differ so much for it not to tip", "spread that closes it", "of cost"),
    )
]


def sections(results: Results) -> list[object]:
    from nomoi.measure.statistics import number
    from nomoi.report import figures, page

    rows = [[name, case.gives, case.against, case.feeds,
             *(number(results.late(f"{name}: formula", m)[0], 3) for m in ("tips", "returns"))]
            for name, case in CASES.items()]  # fmt: skip

    def loop(name: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        many = sum(m.startswith("falling ") for m in results.measures(name))
        costs = float(results.late(name, "highest cost")[0]) - STEP * np.arange(many)
        down = np.stack([results.late(name, f"falling {k}") for k in range(many)], 1)
        up = np.stack([results.late(name, f"rising {k}") for k in range(many)], 1)
        return {"cost falling": (costs[::-1], down[:, ::-1]), "cost rising": (costs[::-1], up)}

    shown = (*CASES, "people who differ")
    return [
        page.Table("Forces", ["practice", "for it", "against it", "what comes as others do it", "tips below",
                              "given up above"], rows, "Costs in units of ours; no number is measured."),
        *(page.Figure(name, figures.svg(figures.curves(loop(name), "share who do it", name[0].upper() + name[1:],
                                                       xlabel="cost to the average person")),
                      "Two thousand people, of whom a tenth ask anew in each step whether it pays.")
          for name in (shown[1], shown[4], shown[6])),
    ]  # fmt: skip


STUDY = Study(
    "tipping",
    "What happens to a practice when it gets cheap, and what does it take to come back?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 5, "paper": 20},
    sections,
    "Models of ours of what the tutorial (Hadfield et al. 2024) lists as actions that machines make cheap: one form, "
    "in which a practice gains by being common and is resisted while it is rare. Their numbers are made up, and say "
    "nothing about how near the real ones are to tipping.",
    readings=READINGS,
)
