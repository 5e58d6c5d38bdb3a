"""What an institution decides: how far votes alone, and the kind of question, predict it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax

from nomoi.files import data
from nomoi.populations.engine import seed_of
from nomoi.runs.study import Claim, Computed, Results, Study, Trial
from nomoi.voices import decisions
from nomoi.voices.senate import senate

OURS = "ours, on the roll calls of the 109th Senate (voteview)"
MODELS = ("share of yes", "every single vote", "share and kind of case")


def rules(key: None) -> Mapping[str, float]:
    """Agreement with the decisions: of rules of votes alone, of what was read, and of what is learned by date."""
    cases = senate(data("senate"))
    lines = {x.model.split(",")[0].split(" (")[0]: x.agreement for x in decisions.aggregates(cases)}
    lines |= {f"{x.model}, contested": x.contested for x in decisions.aggregates(cases) if x.model == "majority"}
    return lines | {x.model: x.agreement for x in decisions.learned(cases)}


def shuffled(key: jax.Array) -> Mapping[str, float]:
    """The control: the kinds of questions exchanged among them."""
    found = decisions.learned(senate(data("senate")), seed_of(key))
    return {x.model: x.agreement for x in found if x.model.startswith("control")}


def trials(size: str) -> Sequence[Trial]:
    return [Computed("senate", rules, exact=True), Computed("shuffled", shuffled)]


def _late(measure: str, label: str = "senate"):
    return lambda r: r.late(label, measure)


def _gap(one: str, other: str):
    return lambda r: r.late("senate", one) - r.late("senate", other)


def _missed(r: Results):
    majority, rule = r.late("senate", "majority"), r.late("senate", "rule read by kind of case")
    return (rule - majority) / (1 - majority)


CLAIMS = [
    Claim("A rule that asks what kind of question it is predicts nine tenths of what a majority of the votes misses",
          OURS,
          _missed, above=0.9, unit="of what it misses", kind="ours"),
    Claim("No threshold that assemblies use (.55, .6, two thirds) does better than a majority", OURS,
          lambda r: max(r.late("senate", f"threshold {t} of the votes") for t in ("0.55", "0.6", "0.667"))
          - r.late("senate", "majority"), below=0, unit="of decisions", kind="ours"),
    Claim("Nor does consensus over both parties, even at the threshold that is best in hindsight", OURS,
          _gap("product over groups", "majority"), below=0, unit="of decisions", kind="ours"),
    Claim("Knowing how each senator voted adds less than a fiftieth to knowing how many did", OURS,
          _gap("every single vote, from 386", "share of yes, from 386"), below=0.02, unit="of later decisions",
          kind="ours"),
    Claim("Knowing the kind of question adds more than a twentieth", OURS,
          _gap("share and kind of case, from 386", "share of yes, from 386"), above=0.05, unit="of later decisions",
          kind="ours"),
    Claim("What is learned of the share and the kind passes a majority", OURS,
          _gap("share and kind of case, from 386", "majority, on the same test"), above=0, unit="of later decisions",
          kind="ours"),
    Claim("Control: with the kinds exchanged it adds nothing", OURS,
          lambda r: r.late("shuffled", "control: share and kinds shuffled, from 386")
          - r.late("senate", "share of yes, from 386"), near=0, tolerance=0.03, unit="of later decisions",
          kind="control"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.measure.statistics import exactly
    from nomoi.report import figures, page

    names = [
        m for m in results.measures("senate") if ", from " not in m and "contested" not in m and "same test" not in m
    ]
    shown = {m: exactly(float(results.late("senate", m)[0])) for m in names}
    learned: dict[str, Any] = {m: exactly(float(results.late("senate", f"{m}, from 386")[0])) for m in MODELS}
    learned["majority, on the same test"] = exactly(float(results.late("senate", "majority, on the same test")[0]))
    learned["kinds exchanged (control)"] = results.late("shuffled", "control: share and kinds shuffled, from 386")
    return [
        page.Figure("All 643 decisions", figures.svg(figures.intervals(shown, "share of decisions that it agrees with",
                    "What predicts the Senate's decisions")), "Exact: nothing in it is left to chance."),
        page.Figure("The last 257 decisions", figures.svg(figures.intervals(learned, "share of later decisions",
                    "What is learned from the first 386")), ""),
    ]  # fmt: skip


STUDY = Study(
    "senate",
    "Is what an institution decides an aggregate of preferences?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 6, "paper": 20},
    sections,
    "643 of 645 roll calls of 2005 and 2006. The file does not come with nomoi (NOMOI_DATA); without it "
    "nothing is tested. "
    "Thresholds of the rule that was read are commonly known, not fitted; its two misses are rules that "
    "nobody wrote down "
    "here: suspending the rules takes two thirds, and the Vice President breaks a tie. A threshold that is chosen in "
    "hindsight, .51, agrees with two decisions more than a majority does.",
)
