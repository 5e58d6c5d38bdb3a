"""Institutional dynamics: two stable regimes, and three ways out of the worse one (after Acemoglu et al. 2005)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.populations.engine import seed_of
from nomoi.populations.polities import Path, Polity, follow, rests
from nomoi.runs.effects import of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial

THREE = (
    "ours, after Acemoglu et al. 2005 (the three conditions that the tutorial quotes, with a dose and a bound of ours)"
)
OURS = "ours, a minimal map in nomoi/populations/polities.py after Acemoglu et al. 2005"
RANGES = {  # of polities drawn at random: from, to (ours)
    "weight": (0.2, 0.8), "steep": (6.0, 20.0), "rents": (0.5, 1.0), "share": (0.05, 0.2), "wealth": (0.1, 0.4),
    "change": (0.05, 0.3),
}  # fmt: skip
STEPS = 500  # periods after which a polity is looked at; the slowest of RANGES moves by a twentieth a period


def regime(key: None, law: float, wealth: float, **settings: float) -> Mapping[str, float]:
    """Where a polity ends that begins at J = law and h = wealth, and how many of its states at rest are stable."""
    polity = Polity(**settings)
    path = follow(polity, law, wealth, 2 * STEPS)
    at = rests(polity, 1001)
    unstable = [r.wealth for r in at if not r.stable]
    return {
        "wealth": float(path.wealth[-1]), "law": float(path.law[-1]), "extraction": float(path.extraction[-1]),
        "growth": float(path.growth[-1]), "stable": float(sum(r.stable for r in at)),
        "divide": unstable[0] if unstable else float("nan"),
    }  # fmt: skip


def fold(key: None, low: float, high: float) -> Mapping[str, float]:
    """The rents between `low` (one regime) and `high` (two) at which the second regime appears, by bisection."""
    while high - low > 1e-5:
        middle = (low + high) / 2
        low, high = (low, middle) if len(rests(Polity(rents=middle), 1001)) > 1 else (middle, high)
    return {"rents": high}


def drawn(key: jax.Array, polities: int, cut: float) -> Mapping[str, float]:
    """In how many polities drawn at random that have two regimes the extractive one ends, each beginning in it.

    few rents      what power can take is cut by a share `cut`, for good
    constraints    institutions let anybody take a share `cut` less than what is taken, for good
    broad power    the elite loses a share `cut` of its de jure power, once
    redistribution the same of its resources
    It has ended where the elite has less than the state that divided the two basins before anything was done.
    """
    rng, tried, ended = np.random.default_rng(seed_of(key)), 0, []
    while len(ended) < polities:
        polity, tried = Polity(**{name: rng.uniform(*span) for name, span in RANGES.items()}), tried + 1
        at = rests(polity, 401)
        if [r.stable for r in at] != [True, False, True]:
            continue
        divide, top = at[1].wealth, at[2]
        left = (1 - cut) * top.wealth
        paths: list[Path] = [
            follow(polity.but(rents=(1 - cut) * polity.rents), top.wealth, top.wealth, STEPS),
            follow(polity.but(cap=(1 - cut) * top.extraction), top.wealth, top.wealth, STEPS),
            follow(polity, left, top.wealth, STEPS),
            follow(polity, top.wealth, left, STEPS),
        ]
        ended.append([path.wealth[-1] < divide for path in paths])
    shares = map(float, np.mean(ended, 0))
    return dict(zip(CURES, shares, strict=True)) | {"two regimes": polities / tried}


CURES = ("few rents", "constraints", "broad power", "redistribution")
ARMS: Mapping[str, Mapping[str, float]] = {
    "begins open": {"law": 0.2, "wealth": 0.2},
    "begins closed": {"law": 0.9, "wealth": 0.9},
    "few rents (tau_max .7)": {"law": 0.9, "wealth": 0.9, "rents": 0.7},
    "constraints (cap .2)": {"law": 0.9, "wealth": 0.9, "cap": 0.2},
    "constraints (cap .4)": {"law": 0.9, "wealth": 0.9, "cap": 0.4},
    "constraints (cap .5)": {"law": 0.9, "wealth": 0.9, "cap": 0.5},
    "constraints (cap .6)": {"law": 0.9, "wealth": 0.9, "cap": 0.6},
    "broad power (law to all)": {"law": 0.0, "wealth": 0.801},
    "redistribution": {"law": 0.801, "wealth": 0.1},
}


def trials(size: str) -> Sequence[Trial]:
    polities = {"smoke": 2, "laptop": 40, "paper": 400}[size]
    return [
        Computed("drawn", drawn, {"polities": polities, "cut": 0.5}),
        *(Computed(arm, regime, settings, exact=True) for arm, settings in ARMS.items()),
        Computed("fold", fold, {"low": 0.7, "high": 0.72}, exact=True),
    ]


def _ends(text: str, cure: str, source: str) -> Claim:
    return Claim(text, source, of("drawn", cure), above=0.5, unit="of polities with two regimes", kind="ours")


CLAIMS = [
    _ends("Constraints on the powerful: the extractive regime ends in most polities where they may take half of what "
          "they took", "constraints", THREE),
    _ends("Broad power: it ends in most where the elite once loses half of its de jure power", "broad power", THREE),
    _ends("It ends in most where the elite once loses half of its resources", "redistribution", OURS),
    Claim("To take half of its de jure power from the elite works more often than to take half of its resources", OURS,
          lambda r: r.late("drawn", "broad power") - r.late("drawn", "redistribution"), above=0, unit="of polities",
          kind="ours"),
]  # fmt: skip

READINGS = [
    Reading("few rents: the extractive regime ends where half of them are gone", THREE,
            of("drawn", "few rents"), unit="of polities with two regimes"),
    Reading("polities drawn at random that have two regimes", OURS, of("drawn", "two regimes"), unit="share"),
    Reading("the inclusive regime of the default map: the elite holds", OURS, of("begins open", "wealth")),
    Reading("and extracts", OURS, of("begins open", "extraction")),
    Reading("the extractive regime: the elite holds", OURS, of("begins closed", "wealth")),
    Reading("and extracts", OURS, of("begins closed", "extraction")),
    Reading("what divides their basins on J = h", OURS, of("begins closed", "divide")),
    Reading("the inclusive regime grows faster by", OURS,
            lambda r: r.late("begins open", "growth") - r.late("begins closed", "growth"), unit="growth"),
    Reading("the extractive regime appears at rents (tau_max) of", OURS, of("fold", "rents")),
    *(
        Reading(f"from the extractive side the elite ends with, {arm}", OURS, of(arm, "wealth"))
        for arm in list(ARMS)[2:]
    ),
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
    table = [rests(Polity(rents=float(x)), 401) for x in rents]
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
    trials,
    {"smoke": 1, "laptop": 5, "paper": 10},
    sections,
    "A reconstruction: the paper has the scheme, and the map and its constants are ours.  Polities that are drawn have "
    "lambda from 0.2 to 0.8, kappa 6 to 20, tau_max 0.5 to 1, s 0.05 to 0.2, nu 0.1 to 0.4 and mu 0.05 to 0.3; 40 with "
    "two regimes a seed, each taken from its extractive state.",
    readings=READINGS,
)
