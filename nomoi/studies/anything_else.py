"""Punishment allows the evolution of cooperation, or anything else, in sizable groups (Boyd & Richerson 1992)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.populations.engine import seed_of
from nomoi.populations.groups_at_play import play, replicate
from nomoi.populations.punishment import (
    Punishment,
    among_moralists,
    basin,
    coercion,
    least_punishment,
    moralists,
    moralists_stable,
    payoffs,
    polymorphisms,
    punisher_reluctant,
)
from nomoi.study import Claim, Computed, Condition, Results, Study

ABSTRACT = "Boyd & Richerson 1992 (abstract)"
TITLE = "Boyd & Richerson 1992 (title)"
DERIVED = "derived (spec C)"
GAME = vars(Punishment())
HARMFUL = GAME | {"size": 32, "benefit": -2.0, "error": 0.01}
PLAYED = GAME | {"size": 8, "error": 0.05}
SIZES = (4, 8, 16, 32, 64, 128)


def contest(key: jax.Array, resident: str, mutant: str, groups: int, **game: float) -> Mapping[str, float]:
    """Payoff a period of one mutant and of a resident among its own, played, and against the closed forms."""
    g = Punishment(**game)  # type: ignore[arg-type]
    rounds, seed = 1 - g.again, seed_of(key)
    lone = play(g, mutant + resident * g.others, groups, seed)[:, 0]
    own = play(g, resident * g.size, groups, seed + 1).mean(1)
    off = lone.mean() - payoffs(g, resident, mutant)
    return {
        "mutant": lone.mean() * rounds,
        "resident": own.mean() * rounds,
        "margin": (own.mean() - lone.mean()) * rounds,
        "exact margin": (payoffs(g, resident, resident) - payoffs(g, resident, mutant)) * rounds,
        "errors off": off / (lone.std() / np.sqrt(groups)),
    }


def stability(key: jax.Array, **game: float) -> Mapping[str, float]:
    """Bounds of p, the margin of M against U, E and R, and what all have where all are M."""
    g = Punishment(**game)  # type: ignore[arg-type]
    found = {f"least {mutant}": least_punishment(g, mutant).value for mutant in "UER"}
    return found | {
        "least": max(found.values()),
        "margin": moralists_stable(g).margin * (1 - g.again),
        "all M": moralists(g) * (1 - g.again),
        "U among M": among_moralists(g, "U") * (1 - g.again),
        "basin": basin(g).value,
        "coercion": coercion(g),
    }


def mixture(key: jax.Array, generations: int, strength: float, start: float, **game: float) -> Mapping[str, float]:
    """Where replicators of P and R end from a share `start` of P, and the stable mixture by roots."""
    g = Punishment(**game)  # type: ignore[arg-type]
    worth = lambda x: np.array(punisher_reluctant(g, min(max(float(x[0]), 0.0), 1.0)))  # noqa: E731
    end = float(replicate(worth, np.array([start, 1 - start]), generations, strength, 0.0)[-1, 0])
    stable = [rest.x for rest in polymorphisms(g) if rest.stable]
    return {"end": end, "stable": stable[0] if stable else np.nan, "off": end - (stable[0] if stable else np.nan)}


def conditions(size: str) -> Sequence[Condition]:
    groups = {"smoke": 50, "laptop": 3000, "paper": 50_000}[size]
    generations = {"smoke": 200, "laptop": 1500, "paper": 10_000}[size]
    pairs = [("M", "U"), ("M", "E"), ("M", "R"), ("M", "P"), ("P", "E"), ("R", "P"), ("E", "U")]
    return [
        *(Computed(f"{m} among {r}", contest, PLAYED | {"resident": r, "mutant": m, "groups": groups})
          for r, m in pairs),
        Computed("U among M, harmful", contest,
                 HARMFUL | {"resident": "M", "mutant": "U", "groups": max(50, groups // 10)}),
        Computed("harmful", stability, HARMFUL),
        *(Computed(f"n {n}, b {b:g}", stability, GAME | {"size": n, "benefit": b, "error": 0.05})
          for n in SIZES for b in (2.0, 0.0, -2.0)),
        *(Computed(f"P and R, n {n}", mixture,
                   GAME | {"size": n, "again": 0.9, "generations": generations, "strength": 0.02, "start": 0.2})
          for n in (8, 16)),
        Computed("P alone, n 32", stability, GAME | {"size": 32, "again": 0.9}),
        Computed("P alone, n 8", stability, GAME | {"size": 8, "again": 0.9}),
        Computed("without errors", stability, GAME | {"error": 0.0}),
        Computed("one period", stability, GAME | {"again": 0.0}),
    ]  # fmt: skip


def _of(label: str, measure: str):
    return lambda r: r.late(label, measure)


CLAIMS = [
    Claim("Moralists resist who never contributes (n = 8, played)", ABSTRACT, _of("U among M", "margin"), above=0,
          unit="a period"),
    Claim("Moralists resist who contributes and does not punish", ABSTRACT, _of("E among M", "margin"), above=0,
          unit="a period"),
    Claim("Moralists resist who waits to be punished", ABSTRACT, _of("R among M", "margin"), above=0, unit="a period"),
    Claim("Who only punishes those who do not contribute fares like a moralist among moralists", DERIVED,
          _of("P among M", "exact margin"), near=0, tolerance=1e-9, unit="a period"),
    Claim("Without moralism, who leaves punishing to others invades the punishers (second-order free riding)", DERIVED,
          _of("E among P", "margin"), below=0, unit="a period"),
    Claim("One punisher among reluctant cooperators does better than they: it coerces the rest (n = 8)", ABSTRACT,
          _of("P among R", "margin"), below=0, unit="a period"),
    Claim("... but not where the group is too large for one (n = 32, w = 0.9)", ABSTRACT,
          _of("P alone, n 32", "coercion"), below=0, unit="payoff"),
    Claim("Then punishers and reluctant cooperators coexist (n = 8)", ABSTRACT, _of("P and R, n 8", "off"), near=0,
          tolerance=0.003, unit="share of P off the rest point"),
    Claim("... with fewer punishers in a larger group (n = 16)", DERIVED,
          lambda r: r.late("P and R, n 16", "end") - r.late("P and R, n 8", "end"), below=0, unit="share"),
    Claim("Or anything else: moralists are stable although what they enforce harms everybody (n = 32, b = -2)", TITLE,
          _of("harmful", "margin"), above=0, unit="a period"),
    Claim("... all are worse off than if nobody did it", DERIVED, _of("harmful", "all M"), near=-3.745, tolerance=1e-9,
          unit="a period"),
    Claim("... and whoever stops is worse off still (played)", DERIVED, _of("U among M, harmful", "margin"), above=0,
          unit="a period"),
    *(
        Claim(f"In sizable groups: the larger, the less punishment is needed (n = {b} against {a})", TITLE,
              lambda r, a=a, b=b: r.late(f"n {b}, b -2", "least") - r.late(f"n {a}, b -2", "least"), below=0,
              unit="of p")
        for a, b in itertools.pairwise(SIZES)
    ),
    Claim("What is enforced hardly matters in a large group (n = 128, b = 2 against -2)", DERIVED,
          lambda r: r.late("n 128, b -2", "least") - r.late("n 128, b 2", "least"), near=0, tolerance=0.001,
          unit="of p"),
    Claim("Moralists cannot begin from few: they need four in ten (n = 16)", DERIVED, _of("n 16, b 2", "basin"),
          above=0.4, unit="share"),
    *(
        Claim(f"Play agrees with the closed form ({m} among {r_})", DERIVED, _of(f"{m} among {r_}", "errors off"),
              near=0, tolerance=4, unit="standard errors")
        for r_, m in (("M", "U"), ("M", "E"), ("M", "R"), ("P", "E"), ("R", "P"), ("E", "U"))
    ),
    Claim("Without errors, who never punishes is never found out: no more than neutral", DERIVED,
          _of("without errors", "margin"), near=0, tolerance=1e-9, unit="a period"),
    Claim("Where there is no second period moralists do not resist who never punishes", DERIVED,
          _of("one period", "margin"), below=0, unit="a period"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    """The punishment that is needed by the size of groups; punishers and the reluctant."""
    from nomoi.measure.statistics import number
    from nomoi.report import charts, figures, page

    sizes = np.arange(4, 129)
    needed = {
        f"b = {b:g}": (sizes, [max(least_punishment(Punishment(size=int(n), benefit=b, error=0.05), m).value
                                   for m in "UER") for n in sizes])
        for b in (2.0, 0.0, -2.0)
    }  # fmt: skip
    bound = charts.lines(needed, "p above which moralists are stable", "Larger groups need less punishment",
                         "members of a group", log=True)  # fmt: skip
    g, x = Punishment(size=8, again=0.9), np.linspace(0, 1, 201)
    punisher, reluctant = punisher_reluctant(g, x)
    rests = {f"{'stable' if rest.stable else 'unstable'}": rest.x for rest in polymorphisms(g)}
    mixed = charts.lines({"P, punishers": (x, punisher), "R, reluctant": (x, reluctant)}, "payoff in a group's life",
                         "Punishers and reluctant cooperators", "share of punishers", marks=rests)  # fmt: skip
    rows = [
        [f"{m} among {r}", *(number(results.late(f"{m} among {r}", what).mean()) for what in
                             ("resident", "mutant", "margin", "exact margin"))]
        for r, m in (("M", "U"), ("M", "E"), ("M", "R"), ("M", "P"), ("P", "E"), ("R", "P"), ("E", "U"))
    ]  # fmt: skip
    return [
        page.Figure("How much punishment", figures.svg(bound), "c = k = 1, e = 0.05, w = 0.95; below b = 0 what is "
                    "enforced harms all."),
        page.Figure("Punishers and reluctant", figures.svg(mixed), "n = 8, b = 5, c = 1, p = 1.5, k = 1, e = 0.02, "
                    "w = 0.9."),
        page.Table("One mutant among residents", ["who", "resident", "mutant", "margin", "exact margin"], rows,
                   "Payoffs a period, played by groups of 8 (e = 0.05); a positive margin resists."),
    ]  # fmt: skip


STUDY = Study(
    "anything_else",
    "Can punishment hold up anything in a large group, even what harms everybody?",
    CLAIMS,
    conditions,
    {"smoke": 1, "laptop": 5, "paper": 10},
    sections,
    "A reconstruction: the abstract of the paper was read, not its body, so the game and its parameters are ours. U "
    "never contributes, E contributes and does not punish, R contributes once punished, P punishes who does not "
    "contribute, M also who did not punish. Closed forms do not vary over seeds.",
)
