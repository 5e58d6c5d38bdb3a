"""Where silly rules help: the cost of punishing against how long a mark lasts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nomoi.core import Institution
from nomoi.runs.regimes import parse
from nomoi.runs.study import Claim, Results, Study, Trained, Trial
from nomoi.situations.berries import Berries, rule
from nomoi.studies.silly_rules import LEARNER

COSTS, SPANS = (0.3, 0.6, 1.0, 1.5), (40, 100, 160)
RULES = {"important": "poison", "silly": "poison,silly"}
STARTED = 0.25  # of the chances to strike a marked one, late in training, from which on punishing has started (ours)
BEFORE = "ours (1 or 2 seeds, poison and silly bushes 2 + 2)"


def _label(name: str, cost: float, span: int) -> str:
    return f"{name}, cost {cost:g}, mark {span}"


def _under(kinds: str, span: int, cost: float) -> tuple[Institution, ...]:
    return parse("", rule(kinds, span=span, cost=cost)).institutions


def trials(size: str) -> Sequence[Trial]:
    steps = {"smoke": 8_000, "laptop": 550_000, "paper": 10_000_000}[size]
    return [
        Trained(_label(name, cost, span), Berries(), _under(kinds, span, cost), steps, LEARNER)
        for cost in COSTS
        for span in SPANS
        for name, kinds in RULES.items()
    ]


def _started(name: str, cost: float, span: int) -> Callable[[Results], np.ndarray]:
    return lambda r: r.late(_label(name, cost, span), "seized")


def _lead(cost: float, span: int) -> Callable[[Results], np.ndarray]:
    """How much more the silly rule earns midway (tenths 4 to 7)."""

    def effect(results: Results) -> np.ndarray:
        one, other = (results.bins(_label(name, cost, span), "payoff")[:, 3:7].mean(1) for name in RULES)
        return other - one

    return effect


def _starts(text: str, name: str, cost: float, span: int, **bounds: Any) -> Claim:
    return Claim(text, BEFORE, _started(name, cost, span), unit="of chances", kind="replica", **bounds)


CLAIMS = [
    Claim("At a cost of 0.6 and marks of 100 steps the silly rule is ahead midway", BEFORE, _lead(0.6, 100), above=0,
          unit="reward", kind="replica"),
    _starts("At a cost of 1 punishing does not start under the important rule", "important", 1.0, 100, below=STARTED),
    _starts("... but under the silly rule it does", "silly", 1.0, 100, above=STARTED),
    _starts("At a cost of 1.5 it starts under neither (important)", "important", 1.5, 100, below=STARTED),
    _starts("At a cost of 1.5 it starts under neither (silly)", "silly", 1.5, 100, below=STARTED),
    _starts("With marks of 40 steps it does not start under the important rule at 0.6", "important", 0.6, 40,
            below=STARTED),
    _starts("At a cost of 0.3 it starts under the important rule", "important", 0.3, 100, above=STARTED),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page, panels

    share = {n: [[_started(n, c, s)(results).mean() for s in SPANS] for c in COSTS] for n in RULES}
    started = {n: np.array(v) >= STARTED for n, v in share.items()}
    lead = np.array([[_lead(c, s)(results).mean() for s in SPANS] for c in COSTS])
    words = [
        [
            f"{'both' if i and o else 'silly only' if o else 'important only' if i else 'neither'}\n{v:+.0f}"
            for i, o, v in zip(*rows, strict=True)
        ]
        for rows in zip(started["important"], started["silly"], lead, strict=True)
    ]
    across, up = "steps for which a mark lasts", "cost of a hit (reward 3)"
    spans, costs = [str(s) for s in SPANS], [f"{c:g}" for c in COSTS]
    title = "The silly rule's lead midway"
    phase = panels.heat(title, across, up, spans, costs, lead, words, "reward")
    rows = [
        [f"{c:g}", s, *(f"{share[n][i][j]:.2f}" for n in RULES), f"{lead[i, j]:+.1f}"]
        for i, c in enumerate(COSTS)
        for j, s in enumerate(SPANS)
    ]
    head = ["cost", "mark", "struck, important", "struck, silly", "silly's lead midway"]
    note = "Struck: of the chances to strike a marked one, the share that was taken late in training."
    return [
        page.Figure("Phase diagram", figures.svg(phase), "In words: under which of the rules punishing starts."),
        page.Table("Cells", head, rows, note),
    ]


STUDY = Study(
    "silly_phase",
    "At which cost of punishing, and for how lasting a mark, does a silly rule help?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 4, "paper": 10},
    sections,
    "Runs are half as long as in `silly_rules`: whether punishing starts shows early.",
)
