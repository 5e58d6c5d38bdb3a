"""Learned contracts in Clean Up: the others pay whoever cleans the river."""

from __future__ import annotations

from collections.abc import Sequence

from nomoi.core import build
from nomoi.institutions.contract import Contract
from nomoi.runs.effects import late
from nomoi.runs.study import Claim, Evaluated, Results, Study, Trial
from nomoi.situations.cleanup import Cleanup
from nomoi.studies import moca

TAG = "clean up"
# 0 to 0.2 a cell in the published code; whether that pays here is a finding, so a tenfold range stands beside it
WIDE = "clean up, to 2"
CLEANED = f"{moca.EACH}, cleaned"


def trials(size: str) -> Sequence[Trial]:
    steps = {"smoke": 4_000, "laptop": 500_000, "paper": 15_000_000}[size]
    tiny = {"worlds": 8, "steps": 16, "minibatches": 2} if size == "smoke" else {}
    shots = [build(Contract, on="shot", high=0.2, rehearsal=0.5)]
    terms = {"on": "clean", "to": "doer"}
    narrow = moca.arms(Cleanup(), TAG, terms | {"high": 0.2}, shots, 1.0, steps, tiny)
    wide = moca.arms(Cleanup(), WIDE, terms | {"high": 2}, shots, 1.0, steps, tiny)
    own = (moca.VANILLA, moca.PLAY, moca.MOCA, moca.SETTLED, moca.EACH)
    contracts = {f"{label}, {WIDE}" for label in own}
    cleaned = Evaluated(f"{CLEANED}, {TAG}", f"{moca.PLAY}, {TAG}", moca.each, {"measure": "cleaned"})
    return [*narrow, *(c for c in wide if c.label in contracts), cleaned]


CLAIMS = [
    *moca.orderings(TAG, "apples", moca.COMMON),
    Claim("MOCA cleans more than separate learners, and than its own play without a contract", moca.INFERRED,
          moca.gain(moca.MOCA, "cleaned", CLEANED, TAG), above=0, unit="cells", kind="ours"),
    Claim("A range to 2 a cell brings more than one to 0.2", "ours, after SocialJax (9zehn)",
          late("reward", f"{moca.MOCA}, {WIDE}", f"{moca.MOCA}, {TAG}"), above=0, unit="apples", kind="ours"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    labels = [moca.SEPARATE, moca.COMMON, moca.GIFTING, moca.VANILLA, moca.PLAY, moca.MOCA]
    narrow = moca.curves(results, TAG, labels, "apples an episode")
    wide = moca.curves(results, WIDE, labels[3:], "apples an episode")
    under = [moca.choices(results, tag, "apples an episode") for tag in (TAG, WIDE)]
    return [narrow, wide, *under, moca.table(results, TAG), moca.table(results, WIDE)]


STUDY = Study(
    "moca_cleanup",
    "Do agents that can sign contracts learn to clean the river that feeds them?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 8, "paper": 10},
    sections,
    "Our small map, not the paper's. Orderings are inferred from abstracts; no figure of the papers was at hand.",
    ("reward", "cleaned", "equality", "bound", "contracted"),
    first=10,
)
