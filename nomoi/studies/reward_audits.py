"""Reward functions for driving, in print: what do they put in the wrong order, and which crashes do they approve?"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nomoi.measure.statistics import number
from nomoi.proxies import drives, reward_checks
from nomoi.proxies.reading import number as read_number
from nomoi.proxies.reward import find
from nomoi.proxies.reward_audit import audit, baselines, papers
from nomoi.runs.claims import Claim, Reading, Results
from nomoi.runs.effects import of
from nomoi.runs.study import Computed, Study, Trial

KNOX, OURS = "Knox et al. 2023", "ours, after Knox et al. 2023"
ORDER, RISK = "2 preference order", "3 risk tolerance"
STATUS = {"pass": 1.0, "fail": 0.0, "warn": 0.5, "not applicable": np.nan, "not enough given": np.nan}


def audits(key: Any, gamma: float, outside: str) -> Mapping[str, float]:
    """Of each paper's file: whether its order is right, whether it passes on risk (NaN: undecided), kilometres a crash.

    gamma   1, or 0 for each file's own;   outside   beyond the speeds that a reward was written for, or "" for both
    """
    out = {}
    for name, path in papers().items():
        found = audit(path, gamma or None, outside or None)
        out[f"{name}: order"], out[f"{name}: risk"] = (STATUS[found.status(check)] for check in (ORDER, RISK))
        label = "gamma 1" if gamma else "own gamma"
        km = [row[label]["km"] for row in found.details["cases"].values() if label in row]
        out[f"{name}: least km"], out[f"{name}: most km"] = (f(km) if km else np.nan for f in (min, max))
    decided = [v for k, v in out.items() if k.endswith(": order") and v == v]
    return out | {
        "wrong order": float(decided.count(0.0)),
        "right order": float(decided.count(1.0)),
        "undecided": float(len(out) / 4 - len(decided) - 1),
    }


def tripped(key: Any, distances_m: Sequence[float], speeds_mps: Sequence[float]) -> Mapping[str, float]:
    """The most kilometres a crash that any paper in the right order asks for, over trips that can be made in time."""
    most = {}
    for name in ("cai19", "ise18"):
        for _, case in find(papers()[name]).cases():
            for d, v in itertools.product(distances_m, speeds_mps):
                if d / v <= (case.time_limit_s or np.inf):  # it can be made in time
                    km = reward_checks.point(case.settled({"distance_m": float(d), "speed_mps": float(v)}), 1.0).km
                    most[name] = max(most.get(name, 0.0), km)
    people = {k: read_number(v["km"], k) for k, v in baselines().items()}
    best = max(most.values())
    return {
        "most km": best,
        "times": people["drunk_16_17"] / best,
        "times, at the most": people["drunk_16_17_most"] / best,
        **{f"people: {k}": v for k, v in people.items()},
    }


def discounted(key: Any, costs: Sequence[float]) -> Mapping[str, float]:
    """Wan20 at its own discount and at none: how much more idling is worth than crashing, by what tracking costs."""
    reward = find(papers()["wan20"])
    out = {}
    for cost in costs:
        for gamma in (1.0, 0.99):
            g = drives.returns(reward.settled({"cost": float(cost)}), gamma)
            out[f"idle - crash, cost {cost:g}, gamma {gamma:g}"] = g["idle"] - g["crash"]
    return out


def trials(size: str) -> Sequence[Trial]:
    return [
        Computed("audits", audits, {"gamma": 1.0, "outside": "extrapolate"}, exact=True),
        Computed("as they are", audits, {"gamma": 0.0, "outside": ""}, exact=True),
        Computed("trips", tripped, {"distances_m": (40, 100, 200, 300), "speeds_mps": (5, 10)}, exact=True),
        Computed("discount", discounted, {"costs": (0, 0.1, 0.3, 0.5)}, exact=True),
    ]


CLAIMS = [
    Claim(
        "None of nine rewards in print asks for driving as safe as that of a drunk driver of 16 to 17",
        KNOX,
        lambda r: sum(r.late("audits", f"{k}: risk") > 0 for k in papers() if k != "hue19") + np.zeros(1),
        published="0 of 9",
        below=0.5,
        unit="rewards",
    ),
    Claim(
        "The most careful of them would approve of crashing 2000 times as often",
        KNOX,
        of("trips", "times"),
        published="2000 times",
        near=2000,
        tolerance=1000,
        unit="times",
    ),
    Claim(
        "On no trip of 40 to 300 m at 5 or 10 m/s does one in the right order ask for as much as of drunk drivers (on "
        "one of 2 km at 20 m/s one does)",
        OURS,
        of("trips", "times"),
        above=1,
        unit="times",
        kind="ours",
    ),
    Claim(
        "... even by the most dangerous reading of drunk drivers (on one of 1 km at 10 m/s one does)",
        OURS,
        of("trips", "times, at the most"),
        above=1,
        unit="times",
        kind="ours",
    ),
]

READINGS = [
    Reading(
        "In the wrong order, without a discount (a figure of the paper names seven rewards; that it names them for "
        "this is inferred)",
        OURS,
        of("audits", "wrong order"),
        unit="rewards of 9",
    ),
    *(
        Reading(text, OURS, of("discount", f"idle - crash, cost {cost:g}, gamma {gamma:g}"), unit="return")
        for text, cost, gamma in (
            ("Wan20: standing still is worth more than a crash, without a discount, by", 0.1, 1.0),
            ("... at its own discount, by", 0.1, 0.99),
            ("... at its own, where tracking costs half a point a step, by", 0.5, 0.99),
        )
    ),
    Reading(
        "In the wrong order as their descriptions stand, each at its own discount",
        OURS,
        of("as they are", "wrong order"),
        unit="rewards",
    ),
    Reading("Not decided by their descriptions", OURS, of("as they are", "undecided"), unit="rewards"),
    Reading(
        "Kilometres a crash of the most careful, on the longest of these trips",
        OURS,
        of("trips", "most km"),
        unit="km",
    ),
]


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page, risks

    read = lambda label, m: float(results.late(label, m)[0])  # noqa: E731
    rows, ladder = [], {}
    words = {1.0: "right", 0.0: "wrong"}
    for name in papers():
        low, high = (read("audits", f"{name}: {m} km") for m in ("least", "most"))
        orders = [
            words.get(read(label, f"{name}: order"), "-" if name == "hue19" else "not decided")
            for label in ("audits", "as they are")
        ]
        rows.append(
            [name.capitalize(), *orders, *("-" if v != v else "any rate" if v == 0 else number(v) for v in (low, high))]
        )
        if low == low:
            ladder[name.capitalize()] = [low, high]
    people = {str(v["label"]): read("trips", f"people: {k}") for k, v in baselines().items()}
    return [
        page.Figure(
            "Crashes that rewards in print approve of",
            figures.svg(risks.ladder(ladder, people, "What rewards in print approve of")),
            "No discount, and rewards read on beyond the speeds they were written for; arrows: at any rate of crashes.",
        ),
        page.Table(
            "Paper by paper",
            ["reward", "order, no discount", "order, as described", "least km a crash", "most"],
            rows,
            "Hue19 drives on without end, and nothing collides: the question does not apply.  Formulas are another's "
            "rendering of the paper's appendix, and were not checked against it; kinds, speeds and lengths of trips "
            "are ours.",
        ),
    ]


STUDY = Study(
    "reward_audits",
    "Would reward functions for driving, as they stand in print, approve of drivers worse than drunk teenagers?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 1, "paper": 1},
    sections,
    "The factor of 2000 rests on trips and on people's rates that we could not read; with ours it is 26 to 68.",
    readings=READINGS,
)
