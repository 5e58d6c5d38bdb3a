"""Arrow's theorem, and ways out of it: fewer preferences, or giving up one of its conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.populations.engine import seed_of
from nomoi.runs.effects import of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial
from nomoi.voices import arrow, axioms, rules
from nomoi.voices.rules import Profile

OURS = "ours, elections that are drawn"
NOISE = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
VOTERS, OPTIONS = 25, 4
SHOWN = ("plurality", "borda", "median", "copeland", "ranked pairs")


def counted(key: None, voters: int, unanimity: bool, peaked: bool) -> Mapping[str, float]:
    """Ways to make a ranking, pair by pair, that always give one."""
    found = arrow.survivors(voters, unanimity, peaked)
    return {"tried": found.tried, "kept": found.kept, "dictators": found.dictators, "inverted": found.inverted,
            "constant": found.constant, "others": found.others}  # fmt: skip


def peaked(rng: np.random.Generator, voters: int, options: int, noise: float) -> Profile:
    """Voters who rank by distance from a place of their own on a line, but for a share who rank at random."""
    line = np.sort(rng.random(options))
    by_line = np.abs(rng.random((voters, 1)) - line).argsort(1)
    at_random = rng.permuted(np.tile(np.arange(options), (voters, 1)), axis=1)
    return Profile(np.where(rng.random((voters, 1)) < noise, at_random, by_line))


def circles(key: jax.Array, noise: float, elections: int) -> Mapping[str, float]:
    """Elections without an option that beats all others."""
    rng = np.random.default_rng(seed_of(key))
    none = [rules.condorcet(peaked(rng, VOTERS, OPTIONS, noise)) is None for _ in range(elections)]
    return {"no winner": float(np.mean(none))}


def elections(key: jax.Array, elections: int, small: int) -> Mapping[str, float]:
    """Rules in elections at random: how often they choose who beats all, and nobody beside, turn on a loser, and pay
    who lies."""
    rng, out = np.random.default_rng(seed_of(key)), {}
    drawn = [peaked(rng, VOTERS, OPTIONS, 1.0) for _ in range(elections)]
    wanted = [rules.condorcet(p) for p in drawn]
    few = [peaked(rng, 9, 3, 1.0) for _ in range(small)]
    for name in SHOWN:
        rule = rules.RANKED[name]
        right = [rule(p) == {w} for p, w in zip(drawn, wanted, strict=True) if w is not None]
        out[f"{name}: chooses who beats all"] = float(np.mean(right)) if right else float("nan")
        for said, axiom in (("turns on a loser", "losers"), ("pays who lies", "no manipulation")):
            out[f"{name}: {said}"] = float(np.mean([bool(axioms.AXIOMS[axiom](rule, p, rng)) for p in few]))
    return out


def trials(size: str) -> Sequence[Trial]:
    many = {"smoke": 10, "laptop": 400, "paper": 4000}[size]
    small = {"smoke": 4, "laptop": 60, "paper": 400}[size]
    ways = {"2 voters": (2, True, False), "3 voters": (3, True, False), "2 voters, no unanimity": (2, False, False),
            "2 voters on a line": (2, True, True), "3 voters on a line": (3, True, True)}  # fmt: skip
    return [
        *(Computed(label, counted, dict(zip(("voters", "unanimity", "peaked"), way, strict=True)), exact=True)
          for label, way in ways.items()),
        *(Computed(f"noise {noise:g}", circles, {"noise": noise, "elections": many}) for noise in NOISE),
        Computed("elections", elections, {"elections": many, "small": small}),
    ]  # fmt: skip


def _gap(one: str, other: str):
    return lambda r: r.late("elections", one) - r.late("elections", other)


CLAIMS = [
    Claim("Where a quarter of people rank at random and the others by a line, one option still beats all in 99 of 100 "
          "elections", OURS, of("noise 0.25", "no winner"), below=0.01, unit="of elections without", kind="ours"),
    Claim("Where all rank four options at random, a majority goes in circles in more than a tenth of elections", OURS,
          of("noise 1", "no winner"), above=0.1, unit="of elections", kind="ours"),
    Claim("Borda chooses who beats all others more often than plurality", OURS,
          _gap("borda: chooses who beats all", "plurality: chooses who beats all"), above=0, unit="of elections",
          kind="ours"),
    Claim("... and does not choose them alone (a tie is not alone) in more than a tenth of elections", OURS,
          of("elections", "borda: chooses who beats all"), below=0.9, unit="of elections chosen", kind="ours"),
    Claim("Borda's choice turns on an option that loses in more than a tenth of elections (9 voters, 3 options)", OURS,
          of("elections", "borda: turns on a loser"), above=0.1, unit="of elections", kind="ours"),
    Claim("... ranked pairs' less often", OURS, _gap("ranked pairs: turns on a loser", "borda: turns on a loser"),
          below=0,
          unit="of elections", kind="ours"),
    Claim("Some voter gains by a lie less often under ranked pairs than under Borda", OURS,
          _gap("ranked pairs: pays who lies", "borda: pays who lies"), below=0, unit="of elections", kind="ours"),
    Claim("... and than under plurality", OURS, _gap("ranked pairs: pays who lies", "plurality: pays who lies"),
          below=0,
          unit="of elections", kind="ours"),
]  # fmt: skip

READINGS = [
    Reading("2 voters: of 64 ways that respect unanimity and look at each pair alone, give a ranking always",
            "Arrow 1963",
            of("2 voters", "kept"), published="dictators alone", unit="ways"),
    Reading("... of which dictators", "Arrow 1963", of("2 voters", "dictators"), unit="ways"),
    Reading("3 voters: of 262,144 ways", "Arrow 1963", of("3 voters", "kept"), published="dictators alone",
            unit="ways"),
    Reading("... of which dictators", "Arrow 1963", of("3 voters", "dictators"), unit="ways"),
    Reading("2 voters without unanimity: of 4,096 ways, give a ranking always", OURS,
            of("2 voters, no unanimity", "kept"), unit="ways"),
    Reading("... neither a dictator's, nor one turned around, nor fixed", OURS, of("2 voters, no unanimity",
            "others"),
            unit="ways"),
    Reading("2 voters who agree on a line: of 64 ways, besides dictators", OURS, of("2 voters on a line", "others"),
            unit="ways"),
    Reading("3 voters who agree on a line, besides dictators", OURS, of("3 voters on a line", "others"),
            unit="ways"),
    Reading("elections without who beats all where everybody agrees on a line", "Black 1948", of("noise 0",
            "no winner"),
            published="none", unit="of elections"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page
    from nomoi.runs.effects import rows

    none = np.stack([results.late(f"noise {noise:g}", "no winner") for noise in NOISE], 1)
    drawn = figures.curves(
        {"25 voters, 4 options": (np.array(NOISE), none)},
        "elections without an option that beats all",
        "How far people must agree on what they differ about",
        xlabel="share who rank at random",
    )
    what = ("chooses who beats all", "turns on a loser", "pays who lies")
    table = [[name, *(rows(results, ["elections"], [f"{name}: {w}"])[0][1] for w in what)] for name in SHOWN]
    found = {name: axioms.search(rules.RANKED[name], axiom, 500) for name, axiom in
             (("plurality", "clones"), ("borda", "Condorcet"), ("copeland", "participation"))}  # fmt: skip
    said = [f"{name}, {w.profile.rankings.tolist()}: {w.said}." for name, w in found.items() if w]
    return [
        page.Figure("Circles", figures.svg(drawn), "The others rank by distance on a line."),
        page.Table("Rules in elections at random", ["rule", *what], table,
                   "Means over seeds with 95 % intervals; the last two with 9 voters and 3 options; a lie pays for "
                   "certain, however ties are broken."),
        page.Text("Profiles that break an axiom, found by search (rankings, best first)", said),
    ]  # fmt: skip


STUDY = Study(
    "arrow",
    "Is there a fair way to make one ranking of many, and what must be given up for it?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 6, "paper": 20},
    sections,
    "What is counted is a theorem and gets no verdict. Elections that are drawn: 25 voters and 4 options "
    "(400 a seed), or "
    "9 voters and 3 options (60 a seed).",
    readings=READINGS,
)
