"""Which social choices survive, if only the order of what each one prefers means something?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nomoi.markets.ordinal import RULES, SCALES, changed
from nomoi.populations.engine import seed_of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial

ROBBINS, SEN = "Robbins 1932", "Sen 1970"


def rewritten(key: object, times: int) -> Mapping[str, float]:
    """For each rule and each way to rewrite utilities: in which share of random profiles the choice changes."""
    rng = np.random.default_rng(seed_of(key))  # type: ignore[arg-type]
    return {f"{rule}: {scale}": changed(rule, scale, rng, times=times) for rule in RULES for scale in SCALES}


def trials(size: str) -> Sequence[Trial]:
    return [Computed("rewritten", rewritten, {"times": {"smoke": 20, "laptop": 500, "paper": 5000}[size]})]


def _is(rule: str, scale: str):
    return lambda r: r.late("rewritten", f"{rule}: {scale}")


OFTEN = 0.05
CLAIMS = [
    *(
        Claim(
            f"The choice of the {rule} rests on more than orders: bent, they change it in over one profile of twenty",
            ROBBINS,
            _is(rule, "each one's order"),
            above=OFTEN,
            unit="of profiles",
            kind="ours",
        )
        for rule in ("sum", "Nash product", "worst off", "leximin")
    ),
    Claim(
        "The sum needs units that can be compared",
        SEN,
        _is("sum", "each one's zero and unit"),
        above=OFTEN,
        unit="of profiles",
        kind="ours",
    ),
    Claim(
        "The worst off needs levels that can be compared: units alone do not do",
        SEN,
        _is("worst off", "each one's zero"),
        above=OFTEN,
        unit="of profiles",
        kind="ours",
    ),
    Claim(
        "The sum needs more than levels: one rising function for all changes it",
        SEN,
        _is("sum", "one order for all"),
        above=OFTEN,
        unit="of profiles",
        kind="ours",
    ),
]
KEPT = {
    "sum": ("each one's zero", "one zero and unit for all"),
    "Nash product": ("each one's zero and unit",),
    "worst off": ("one order for all",),
    "leximin": ("one order for all",),
    "Borda": ("each one's order",),
    "majority": ("each one's order",),
}
READINGS = [
    Reading(f"{rule}: choices that change with {scale}", SEN, _is(rule, scale), unit="of profiles")
    for rule, scales in KEPT.items()
    for scale in scales
]


def sections(results: Results) -> list[object]:
    from nomoi.report import page

    rows = [
        [rule, *(float(results.late("rewritten", f"{rule}: {scale}").mean()) for scale in SCALES)] for rule in RULES
    ]
    return [
        page.Table(
            "Share of profiles in which the choice changes",
            ["rule", *SCALES],
            rows,
            "Columns: what may be rewritten without loss. Five people, four options, the first the status quo.",
        )
    ]


STUDY = Study(
    "ordinal",
    "Which social choices survive, if only the order of what each one prefers means something?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 6, "paper": 20},
    sections,
    "Utilities are uniform. That Borda and majority never change, and where the others do not, follows from their "
    "definitions: it "
    "is computed, and gets no verdict. A claim is false where so few profiles lie near a tie that rewriting changes "
    "the choice in fewer than one of twenty.",
    readings=READINGS,
)
