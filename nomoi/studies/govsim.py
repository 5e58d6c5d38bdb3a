"""GovSim's fishery, by whoever speaks: what keeps language models from emptying a lake, beside scripts and people."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence

import numpy as np

from nomoi.core import Institution
from nomoi.errors import Refusal
from nomoi.institutions.contract import Contract
from nomoi.institutions.fine import Fine
from nomoi.institutions.notice import Notice
from nomoi.institutions.quota import Quota
from nomoi.institutions.survey import Survey
from nomoi.learners.villagers import Villagers
from nomoi.measure.statistics import Estimate, estimate
from nomoi.runs.claims import Reading
from nomoi.runs.effects import late, rows
from nomoi.runs.spoken import Spoken
from nomoi.runs.study import Claim, Results, Scripted, Study, Trained, Trial
from nomoi.scripts.fixed import Constant
from nomoi.situations.lake import Lake
from nomoi.speak.endpoint import Endpoint
from nomoi.speak.speaker import Speaker

ENDPOINT, KEY = "NOMOI_ENDPOINT", "NOMOI_ENDPOINT_KEY"  # MODEL@URL, and the name of the variable that has the key
LAKE = Lake()
MONTHS = LAKE.horizon
MUDDLED = 0.05  # share of malformed answers beyond which nothing is decided (ours)
FINE = (Quota(lot=1), Fine(on="quota.excess", rate=2.0))
UNIVERSAL = "Given the current situation, ask yourself what would happen if everybody asked for as much as you do."
INPUTS = "Half of what there is comes back by the next month, and five of you ask for a part of it."
RULES: dict[str, tuple[Institution, ...]] = {
    "nothing": (),
    "survey": (Survey(noise=0.0, fee=0.0),),
    "universal": (Notice(text=UNIVERSAL),),
    "inputs": (Notice(text=INPUTS),),
    "quota": (Quota(lot=1),),
    "fined": FINE,
    "contract": (Contract(on="defect", high=20.0, voters=0),),
}
WORDINGS = ("nothing", "nothing, wording 2", "nothing, wording 3")


def speaker(wording: int = 0) -> tuple[Speaker, ...]:
    """Who speaks, as the environment says; nobody where it says nothing."""
    told = os.environ.get(ENDPOINT, "")
    if not told:
        return ()
    model, at, url = told.partition("@")
    if not at:
        raise Refusal(f"{ENDPOINT} is {told!r}; MODEL@URL, such as phi4@http://127.0.0.1:8000/v1, would be right.")
    return (Speaker(Endpoint(model, url, os.environ.get(KEY, "")), wording=wording),)


def trials(size: str) -> Sequence[Trial]:
    steps = {"smoke": 2_000, "laptop": 40_000, "paper": 200_000}[size]
    return [
        *(Spoken(label, LAKE, speaker(), under) for label, under in RULES.items()),
        *(Spoken(label, LAKE, speaker(k), ()) for k, label in enumerate(WORDINGS) if k),
        *(Scripted(f"all ask for {ask}", LAKE, Constant(choice=ask), worlds=1) for ask in (10, 11, 20)),
        *(Trained(f"people, {label}", LAKE, RULES[label], steps, learner=Villagers(villages=8))
          for label in ("nothing", "quota", "fined")),
    ]  # fmt: skip


def _clear(effect: Callable[[Results], np.ndarray], *labels: str) -> Callable[[Results], Estimate]:
    """The effect; of no width that decides anything where too many answers could not be read."""

    def clear(results: Results) -> Estimate:
        found = estimate(effect(results))
        muddled = any(np.nanmean(results.late(label, "malformed")) > MUDDLED for label in labels)
        return dataclasses.replace(found, low=-np.inf, high=np.inf) if muddled and found.n > 1 else found

    return clear


def _longer(one: str, other: str) -> Callable[[Results], Estimate]:
    """Months of `one` beyond those of `other`, seed by seed."""
    return _clear(lambda r: r.late(one, "survival") - r.late(other, "survival"), one, other)


def _survived(r: Results) -> np.ndarray:
    """[seeds] share of the wordings in which the lake outlived the year under no rule."""
    return np.mean([r.late(label, "survival") >= MONTHS for label in WORDINGS], 0)


PIATTI, OURS = "Piatti et al. 2024", "ours"
CLAIMS = [
    Claim("Left to themselves, models mostly empty the lake within the year", f"{PIATTI}, abstract",
          _clear(_survived, *WORDINGS), "below 54 % for the best; 2 of 45 instances cooperate", below=0.54,
          unit="of runs"),
    Claim("Who is told the sustainable share, as their universalization does, lets the lake live longer",
          f"ours, after {PIATTI}", _longer("quota", "nothing"), above=0, unit="months", kind="ours"),
    Claim("The number does more than the bare appeal to think of all others", OURS, _longer("quota", "universal"),
          above=0, unit="months", kind="ours"),
    Claim("And more than the inputs of which it is computed", OURS, _longer("quota", "inputs"), above=0,
          unit="months", kind="ours"),
    Claim("To be told exactly what is left, which all see anyway, adds less than half a month", OURS,
          _longer("survey", "nothing"), below=0.5, unit="months", kind="ours"),
    Claim("A fine on what is beyond the number does better still", OURS, _longer("fined", "quota"), above=0,
          unit="months", kind="ours"),
    Claim("A contract on asking for more than the sustainable share does better than nothing", OURS,
          _longer("contract", "nothing"), above=0, unit="months", kind="ours"),
    Claim("Adaptive people, too, keep it longer under the fine than under the number alone", OURS,
          late("survival", "people, fined", "people, quota"), above=0, unit="months", kind="ours"),
]  # fmt: skip


def _months(label: str) -> Callable[[Results], np.ndarray]:
    return lambda r: r.late(label, "survival")


def _spread(r: Results) -> np.ndarray:
    """[seeds] how many months apart the same rules are in three wordings."""
    return np.ptp([r.late(label, "survival") for label in WORDINGS], 0)


READINGS = [
    Reading("All ask for 10 each month", PIATTI, _months("all ask for 10"), unit="months"),
    Reading("All ask for 11", OURS, _months("all ask for 11"), unit="months"),
    Reading("All ask for 20", PIATTI, _months("all ask for 20"), unit="months"),
    Reading("Spread of one model over three wordings of the same rules", OURS, _spread, unit="months"),
]


def sections(results: Results) -> list[object]:
    from nomoi.report import page

    there = [label for label in results.records if label not in results.missing]
    shown = ("survival", "gained", "payoff", "defection", "malformed")
    return [
        page.Table("Who played, and what came of it", ["who, under which rules", *shown], rows(results, there, shown))
    ]


STUDY = Study(
    "govsim",
    "What keeps language models from emptying a lake: information, advice, computation, or a fine?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 5, "paper": 10},
    sections,
    "Claims about models are tested on the one that NOMOI_ENDPOINT names; without it they are not tested, and scripts "
    "and adaptive people are shown alone. Where more than 5 % of answers could not be read nothing is decided.",
    readings=READINGS,
)
