"""A label for a goal: a score that is fair about what people cost is not fair about how ill they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from nomoi.files import data
from nomoi.measure.statistics import number
from nomoi.proxies import labels, tables
from nomoi.runs.claims import Claim, Reading, Results
from nomoi.runs.effects import of
from nomoi.runs.study import Computed, Study, Trial

PUBLISHED, OURS = "Mullainathan & Obermeyer 2021", "ours, after Obermeyer et al. 2019"
SCORES = {"cost": "log_cost_t_hat", "avoidable": "log_cost_avoidable_t_hat", "conditions": "gagne_sum_t_hat"}
OUTCOMES = {"cost": "cost_t", "avoidable": "cost_avoidable_t", "conditions": "gagne_sum_t"}


def hold_out(key: Any, file: str, top: int, permutations: int) -> Mapping[str, float]:
    """The public synthetic hold-out: gaps at one score, the swap, and concentration by what was predicted."""
    c = tables.columns(data(file))
    score, need, group = c["risk_score_t"], c["gagne_sum_t"], c["dem_race_black"].astype(int)
    out = _world(score, need, c["cost_t"], group, top, permutations)
    table = labels.compared(
        {k: c[v] for k, v in SCORES.items()}, {k: c[v] for k, v in OUTCOMES.items()}, group, np.ones(len(need))
    )
    return out | {f"{s} on {o}": v for s, row in table.items() for o, (v, _) in row.items()}


def _world(
    score: np.ndarray, need: np.ndarray, cost: np.ndarray, group: np.ndarray, top: int, permutations: int
) -> dict[str, float]:
    names = ("reference", "compared")
    one, two = (labels.calibration(score, y, group, names) for y in (need, cost))
    s = labels.swapped(score, need, group, top, permutations)
    out = {
        "need, z": one.z,
        "proxy, z": two.z,
        "need, gap": one.mean,
        "before": s.before,
        "after": s.after,
        "as in 2019": s.published,
        "null": s.null,
        "null, high": s.high,
        "excess": s.excess,
        "beyond the null": s.after - s.high,
        "reversed, after": s.reversed[1],
    }
    for name in names:
        out |= {f"need, {name}, {k + 1}": float(v) for k, v in enumerate(one.deciles[name])}
        out |= {f"need, {name}, {k + 1}, high": float(v) for k, v in enumerate(one.high[name])}
    return out


def drawn(
    key: jax.Array, people: int, handicap: float, alike: bool, top: int, permutations: int
) -> Mapping[str, float]:
    """People of a model of ours, in whom it is known whether there is a bias."""
    w = labels.draw(people, handicap, alike, int(jax.random.bits(key)))
    return _world(w.score, w.need, w.proxy, w.group, top, permutations)


def trials(size: str) -> Sequence[Trial]:
    people, permutations = {"smoke": (4_000, 20), "laptop": (20_000, 60), "paper": (48_784, 200)}[size]
    some = {"people": people, "top": 97, "permutations": permutations}
    return [
        Computed(
            "hold-out",
            hold_out,
            {"file": "label_choice/model_lasso_predictors.csv", "top": 97, "permutations": permutations},
            exact=True,
        ),
        Computed("biased", drawn, {**some, "handicap": 0.0, "alike": False}),
        Computed("worse", drawn, {**some, "handicap": 0.2, "alike": False}),
        Computed("alike", drawn, {**some, "handicap": 0.0, "alike": True}),
    ]


def _cell(text: str, measure: str, value: float) -> Claim:
    return Claim(
        text,
        PUBLISHED,
        of("hold-out", measure),
        published=f"{value:g}",
        near=value,
        tolerance=1e-4,
        unit="of those on top",
    )


CLAIMS = [
    _cell("Chosen by predicted cost, of the 3 % on top so many are Black", "cost on group", 0.1929),
    _cell("... by predicted avoidable cost", "avoidable on group", 0.2593),
    _cell("... by predicted conditions", "conditions on group", 0.2842),
    _cell("Of all conditions, so many fall to those chosen by predicted cost", "cost on conditions", 0.1206),
    _cell("... by predicted conditions", "conditions on conditions", 0.1650),
    Claim(
        "At one score Black patients are sicker (public synthetic hold-out)",
        "Obermeyer et al. 2019",
        of("hold-out", "need, z"),
        above=1.96,
        unit="standard errors",
    ),
    Claim(
        "... and cost as much",
        "Obermeyer et al. 2019",
        of("hold-out", "proxy, z"),
        near=0,
        tolerance=1.96,
        unit="standard errors",
    ),
    Claim(
        "The swap exceeds what it is when groups are names alone",
        OURS,
        of("hold-out", "beyond the null"),
        above=0,
        unit="of the chosen",
        kind="ours",
    ),
    Claim(
        "In a world of ours with a wrong label the audit finds it",
        OURS,
        of("biased", "need, z"),
        above=1.96,
        unit="standard errors",
        kind="ours",
    ),
    Claim(
        "Control: where groups are alike, need is the same at one score",
        OURS,
        of("alike", "need, z"),
        near=0,
        tolerance=1.96,
        unit="standard errors",
        kind="control",
    ),
    Claim(
        "Control: ... and the swap exceeds nothing",
        OURS,
        of("alike", "excess"),
        near=0,
        tolerance=0.03,
        unit="of the chosen",
        kind="control",
    ),
]

READINGS = [
    Reading(
        "Hold-out: Black among those above the 97th percentile", OURS, of("hold-out", "before"), unit="of the chosen"
    ),
    Reading("... after the swap", OURS, of("hold-out", "after"), unit="of the chosen"),
    Reading("... after the swap as it was computed in 2019", OURS, of("hold-out", "as in 2019"), unit="of the chosen"),
    Reading("... after the swap with shuffled groups", OURS, of("hold-out", "null"), unit="of the chosen"),
    Reading("... the excess", OURS, of("hold-out", "excess"), unit="of the chosen"),
    Reading(
        "Where groups are alike: by how much the swap, which exchanges one way only, lifts the share of the group",
        OURS,
        lambda r: r.late("alike", "after") - r.late("alike", "before"),
        unit="of the chosen",
    ),
    Reading(
        "With a wrong label: fewer of the group are found by a score that is lower for it besides, by",
        OURS,
        lambda r: r.late("biased", "before") - r.late("worse", "before"),
        unit="of the chosen",
    ),
]


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page, risks

    out: list[object] = []
    for label, title in (
        ("hold-out", "Public synthetic hold-out"),
        ("biased", "A world of ours with a wrong label"),
        ("alike", "A world of ours without"),
    ):
        if label in results.missing:
            continue
        table: list[dict[str, np.ndarray]] = [{}, {}, {}]
        for name in ("reference", "compared"):
            mean, high = (
                np.array([results.late(label, f"need, {name}, {k}{e}")[0] for k in range(1, 11)])
                for e in ("", ", high")
            )
            for part, values in zip(table, (mean, 2 * mean - high, high), strict=True):
                part[name] = values
        gap = labels.Gap(0, 0, *table)
        out.append(
            page.Figure(
                f"{title}: need at one score",
                figures.svg(risks.deciles(gap, "conditions", f"{title}: need at one score")),
                "One seed where it is drawn.",
            )
        )
    rows = [
        [label, *(number(np.mean(results.late(label, m))) for m in ("before", "as in 2019", "after", "null", "excess"))]
        for label in ("hold-out", "biased", "worse", "alike")
        if label not in results.missing
    ]
    out.append(
        page.Table(
            "The swap",
            ["people", "before", "as in 2019", "after", "null", "excess"],
            rows,
            "The walk exchanges one way only and scores are noisy, so it lifts any group; the excess is what "
            "is left beside groups that are names alone.",
        )
    )
    return out


STUDY = Study(
    "label_choice",
    "Does a score that predicts costs find those who are ill?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 5, "paper": 20},
    sections,
    "The published share of 46.5 % after the swap rests on a walk that its authors mended in 2022.",
    readings=READINGS,
)
