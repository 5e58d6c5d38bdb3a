"""Reward edits: is there one that does what a levy, an altar with a fine, or a gapfiller does for a fishery?

The family is stated: the own payoff plus weights on the events of the world.  All edits are trained as long as the
institutions are.  The best is chosen on the first half of the seeds and judged on the other, or it would be the
luckiest; of each institution's four rates likewise.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nomoi.core import build
from nomoi.learners.objectives import Common, Edited
from nomoi.learners.ppo import PPO
from nomoi.measure.statistics import number
from nomoi.runs.regimes import parse
from nomoi.runs.shapes import one_program
from nomoi.runs.study import Claim, Results, Study, Trained, Trial
from nomoi.situations.pool import Pool

OWN, COMMON, LEVY, ALTAR, GAP = "own payoff", "common payoff", "levy", "altar with a fine", "gapfiller"
UNDER = {  # the rates are ours; (n - 1) / n is what the fishery's own equation asks for (study fishery)
    LEVY: ("levy(on=request,rate={},proceeds=shared)", (0.25, 0.5, 0.75, 1)),
    ALTAR: ("altar+fine(on=altar.violation,rate={})", (1, 2, 4, 8)),
    GAP: ("gapfiller(on=sparse,effect=sparse,value=-{},cost=0)", (1, 2, 4, 8)),  # at which it reckons what is taken
}
EVENTS, REACH = "harvest,request,sparse", 2.0  # weights are drawn evenly from -REACH to REACH (ours)
ASKED = "ours, after Hadfield-Menell & Hadfield 2019"


def weights(count: int) -> np.ndarray:
    """[count, events] the edits of the family, the same at every size as far as it goes."""
    return np.random.default_rng(17).uniform(-REACH, REACH, (count, 3)).round(2)


def _name(edit: np.ndarray) -> str:
    """An edit in words: own + 0.5 harvest - 1.2 request ..."""
    terms = [f"{'-' if w < 0 else '+'} {abs(w):g} {e}" for e, w in zip(EVENTS.split(","), edit, strict=True)]
    return " ".join(["own", *terms])


def trials(size: str) -> Sequence[Trial]:
    steps, edits = {"smoke": (1_000, 3), "laptop": (40_000, 200), "paper": (2_000_000, 200)}[size]
    small: dict[str, Any] = {"worlds": 4, "steps": 16, "hidden": 8, "minibatches": 2}
    learner = build(PPO, **small) if size == "smoke" else build(PPO, worlds=16, hidden=32)
    under = {f"{label} {rate}": text.format(rate) for label, (text, rates) in UNDER.items()
             for rate in (rates[:1] if size == "smoke" else rates)}  # fmt: skip
    free, *ruled = one_program(
        Pool(agents=4), [(), *(parse(label, text).institutions for label, text in under.items())]
    )
    wanting = lambda objective: dataclasses.replace(learner, objective=objective)  # noqa: E731
    edited = lambda edit: wanting(Edited(on=EVENTS, weights=list(edit)))  # noqa: E731
    own = edited([0.0, 0.0, 0.0])  # the own payoff itself, in the program of the edits
    return [
        Trained(OWN, free, (), steps, own),
        Trained(COMMON, free, (), steps, wanting(Common())),
        *(Trained(_name(edit), free, (), steps, edited(edit.tolist())) for edit in weights(edits)),
        *(Trained(label, place, (), steps, own) for label, place in zip(under, ruled, strict=True)),
    ]


def best(results: Results, of: str = "own ") -> str:
    """Of the edits, or of an institution's rates, what earned the most, all together, over the first half of the seeds
    (of one seed, over that)."""
    some = [label for label in results.records if label.startswith(of) and label != OWN]
    earned = {label: results.late(label, "reward") for label in some}
    return max(earned, key=lambda label: float(np.nanmean(earned[label][: max(1, len(earned[label]) // 2)])))


def _judged(label: str, results: Results) -> np.ndarray:
    """What a condition earns over the other half of the seeds (with one seed, that one)."""
    values = results.late(label, "reward")
    return values[len(values) // 2 :]


def _beyond(label: str) -> Callable[[Results], np.ndarray]:
    """What an institution earns at its best rate beyond the best edit, seed by seed of the other half."""
    return lambda r: _judged(best(r, label), r) - _judged(best(r), r)


CLAIMS = [
    Claim("A levy on what is asked for, shared out, earns all together more than the best edit of the reward", ASKED,
          _beyond(LEVY), above=0, unit="reward", kind="ours"),
    Claim("... and so does an altar whose violations are fined", ASKED, _beyond(ALTAR), above=0, unit="reward",
          kind="ours"),
    Claim("... and so does a gapfiller that awards the others what is taken of a scarce stock, and more", ASKED,
          _beyond(GAP), above=0, unit="reward", kind="ours"),
    Claim("The best edit earns more than the own payoff alone", ASKED, lambda r: _judged(best(r), r) - _judged(OWN, r),
          above=0, unit="reward", kind="ours"),
    Claim("Control: who wants what all earn earns more, all together, than who wants the own payoff", "ours",
          lambda r: _judged(COMMON, r) - _judged(OWN, r), above=0, unit="reward", kind="control"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page

    first = best(results)
    rows = {"best edit": first, **{label: best(results, label) for label in UNDER}}
    shown = {label: _judged(one, results) for label, one in {OWN: OWN, **rows, COMMON: COMMON}.items()}
    edits = [label for label in results.records if label.startswith("own ") and label != OWN]
    earned = np.sort([float(results.late(label, "reward").mean()) for label in edits])
    marks = ", ".join(number(float(np.quantile(earned, q))) for q in (0, 0.25, 0.5, 0.75, 1))
    return [
        page.Figure("Earned by all, on seeds by which nothing was chosen",
                    figures.svg(figures.intervals(shown, "reward an episode", "Institutions and the best edit"))),
        page.Text("The family", [f"{len(edits)} edits: own payoff plus weights from -{REACH:g} to {REACH:g} on "
                                 f"harvest, request and sparse. The best: {first}.",
                                 f"They earn (least, quarters, most): {marks}.",
                                 f"Of four rates each: {', '.join(best(results, label) for label in UNDER)}."]),
    ]  # fmt: skip


STUDY = Study(
    "reward_edits",
    "Does an institution reach what the best of 200 edits of the reward does not?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 6, "paper": 10},
    sections,
    "A fishery of four. Edits and institutions may read the same events of the world, and train as long. The best edit "
    "is chosen on the first half of the seeds and judged on the other; so is the best of an institution's four rates.",
    ("reward", "harvest", "stock"),
    first=10,
)
