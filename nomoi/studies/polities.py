"""Institutional dynamics: two stable regimes, and three ways out of the worse one (after Acemoglu et al. 2005)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.populations.polities import Polity, follow, rests
from nomoi.study import Claim, Computed, Condition, Results, Study

SOURCE = "derived (spec F.7): a minimal map after Acemoglu, Johnson & Robinson 2005"
THREE = "condition of Acemoglu, Johnson & Robinson 2005 (seed); the number is derived (spec F.7)"


def regime(key: jax.Array, law: float, wealth: float, **settings: float) -> Mapping[str, float]:
    """Where a polity ends that begins at J = law and h = wealth, and how many of its states at rest are stable."""
    polity = Polity(**settings)
    path = follow(polity, law, wealth, 4000)
    at = rests(polity)
    unstable = [r.wealth for r in at if not r.stable]
    return {
        "wealth": float(path.wealth[-1]), "law": float(path.law[-1]), "extraction": float(path.extraction[-1]),
        "growth": float(path.growth[-1]), "stable": float(sum(r.stable for r in at)),
        "divide": unstable[0] if unstable else float("nan"),
    }  # fmt: skip


ARMS: Mapping[str, Mapping[str, float]] = {
    "begins open": {"law": 0.2, "wealth": 0.2},
    "begins closed": {"law": 0.9, "wealth": 0.9},
    "just below the divide": {"law": 0.5345, "wealth": 0.5345},
    "just above the divide": {"law": 0.5365, "wealth": 0.5365},
    "few rents (tau_max .7)": {"law": 0.9, "wealth": 0.9, "rents": 0.7},
    "constraints (cap .2)": {"law": 0.9, "wealth": 0.9, "cap": 0.2},
    "constraints (cap .4)": {"law": 0.9, "wealth": 0.9, "cap": 0.4},
    "constraints (cap .5)": {"law": 0.9, "wealth": 0.9, "cap": 0.5},
    "constraints (cap .6)": {"law": 0.9, "wealth": 0.9, "cap": 0.6},
    "broad power (law to all)": {"law": 0.0, "wealth": 0.801},
    "redistribution": {"law": 0.801, "wealth": 0.1},
}


def conditions(size: str) -> Sequence[Condition]:
    return [Computed(arm, regime, settings) for arm, settings in ARMS.items()]


def _at(arm: str, measure: str, value: float, text: str, source: str = SOURCE) -> Claim:
    return Claim(text, source, lambda r: r.late(arm, measure), near=value, tolerance=0.003)


CLAIMS = [
    _at("begins open", "wealth", 0.106, "The inclusive regime: the elite holds .106"),
    _at("begins open", "extraction", 0.007, "where .007 is extracted"),
    _at("begins closed", "wealth", 0.801, "The extractive regime: the elite holds .801"),
    _at("begins closed", "extraction", 0.779, "where .779 is extracted"),
    _at("begins closed", "stable", 2, "Both are stable"),
    _at("begins closed", "divide", 0.5355, "What divides their basins on J = h is .5355"),
    _at("just below the divide", "wealth", 0.106, "Just below it a polity becomes inclusive"),
    _at("just above the divide", "wealth", 0.801, "Just above it, extractive"),
    Claim("The inclusive regime grows faster", THREE,
          lambda r: r.late("begins open", "growth") - r.late("begins closed", "growth"), above=0, unit="growth"),
    _at("few rents (tau_max .7)", "wealth", 0.106, "With few rents only the inclusive regime is left", THREE),
    _at("few rents (tau_max .7)", "stable", 1, "and it is the only stable one", THREE),
    _at("constraints (cap .2)", "wealth", 0.106, "Constrained to .2, the powerful lose the extractive regime", THREE),
    _at("constraints (cap .4)", "wealth", 0.106, "Constrained to .4, too", THREE),
    _at("constraints (cap .5)", "wealth", 0.55, "Constrained to .5, they keep it, at .55", THREE),
    _at("constraints (cap .6)", "wealth", 0.64, "Constrained to .6, they keep it, at .64", THREE),
    _at("broad power (law to all)", "wealth", 0.106, "If de jure power goes to all, the extractive regime ends", THREE),
    _at("redistribution", "wealth", 0.106, "If resources are redistributed, it ends too"),
]  # fmt: skip


SHOWN = ("wealth", "law", "extraction", "growth", "stable")


def sections(results: Results) -> list[object]:
    from nomoi.report import charts, figures, page
    from nomoi.report import study as reporting

    starts = np.array([0.1, 0.3, 0.45, 0.53, 0.54, 0.6, 0.75, 0.95])
    path = follow(Polity(), starts, starts, 80)
    time = np.arange(81)
    lines = {f"from {s:g}": (time, path.wealth[:, k]) for k, s in enumerate(starts)}
    drawn = charts.lines(lines, "the elite's share of resources", "Two regimes", "periods")
    rents = np.linspace(0.6, 1, 81)
    table = [rests(Polity(rents=float(x))) for x in rents]
    pick = lambda k: [at[k].wealth if k < len(at) else np.nan for at in table]  # noqa: E731
    names = ("inclusive (stable)", "divide (unstable)", "extractive (stable)")
    fork = charts.lines(
        {n: (rents, pick(k)) for k, n in enumerate(names)}, "the elite's share at rest", "Few rents leave one regime",
        "tau_max, the most that can be extracted",
    )  # fmt: skip
    return [
        page.Figure("Two regimes", figures.svg(drawn), "Paths from J = h; what begins above the divide stays above."),
        page.Figure(
            "Few rents leave one regime", figures.svg(fork), "States at rest by the rents that power can take."
        ),
        reporting.conditions(results, list(ARMS), SHOWN),
    ]


STUDY = Study(
    "polities",
    "Do political institutions and resources hold each other in two regimes?",
    CLAIMS,
    conditions,
    {"smoke": 1, "laptop": 2, "paper": 2},
    sections,
    "A reconstruction: the paper has the scheme, and the map and its constants are ours.  Nothing is random; seeds "
    "only repeat.",
)
