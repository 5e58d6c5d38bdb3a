"""Which matrix games are social dilemmas, and what decides them: orders, edges, correlation, many players."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.solve import basins, correlated, crowds, dilemma, dominance, nash, ordinal, taxonomy
from nomoi.solve.analysis import Analysis, analyse
from nomoi.solve.game import bimatrix
from nomoi.solve.games import GAMES, named, rstp
from nomoi.study import Claim, Computed, Condition, Results, Study

TESTED = "tutorial: the dilemma inequalities; counted in spec games_markets A.2"
COUNTED = "spec games_markets A.3 (counted there)"
ORACLE = "spec games_markets A.4 (measured there)"
EDGE = "spec games_markets 0 and A.6 (measured there)"
DERIVED = "derived here; see Remarks"
SHOWN = ("pd_intro", "pd", "chicken", "stag_hunt", "coord3", "coord123", "bos")
TRIALS = {"smoke": 20, "laptop": 1000, "paper": 10_000}  # random games a seed
PRICES = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0)  # P of the stag hunt R = 4, S = 0, T = 3 (ours; the tutorial's is 1)


def orders(key: jax.Array) -> Mapping[str, float]:
    """How many of the 24 strict orders of R, S, T, P pass the tutorial's test, and of which type."""
    found = [dilemma.classify(*four) for four in itertools.permutations((4.0, 3.0, 2.0, 1.0))]
    counts = {name: float(sum(d.name == name for d in found)) for name in dilemma.NAMES}
    return {"dilemmas": float(sum(d.dilemma for d in found))} | counts


def known(key: jax.Array, name: str) -> Mapping[str, float]:
    """What is to be judged of a known game, in numbers."""
    game = named(name)
    found, view = nash.solve(game), dilemma.best_labelling(game).views[0] if game.shape == (2, 2) else None
    out = {"equilibria": float(len(found.points)), "regret": float(found.certificates.max())}
    for aim in correlated.OBJECTIVES:
        out[f"welfare {aim}"] = correlated.solve(game, aim).welfare
    out["welfare coarse"] = correlated.solve(game, "max", coarse=True).welfare
    out["worst off"] = float(correlated.solve(game, "egalitarian").payoffs.min())
    if view:
        out |= {"turns": 2 * view.R - view.T - view.S, "edge": (view.R - view.T) - (view.P - view.S)}
        out |= {name: float(view.name == name) for name in dilemma.NAMES}
    return out


def hunt(key: jax.Array, P: float, R: float = 4.0) -> Mapping[str, float]:
    """The stag hunt R, 0, 3, P: what risk-dominates (1 to hunt, -1 not to), and how many starts end in the hunt."""
    game = rstp(R, 0.0, 3.0, P)
    (duel,) = dominance.risk_dominance(game)
    side = {None: 0.0, (0, 0): 1.0, (1, 1): -1.0}[duel.winner]
    return {"side": side, "one": basins.one_population(game)["all C"], "two": basins.two_populations(game)["C, C"]}


def table(key: jax.Array) -> Mapping[str, float]:
    """The ordinal games, counted."""
    raw, games, met = ordinal.classes()
    entries = ordinal.table()
    count = {f"pure {k}": float(sum(e.equilibria == k for e in entries)) for k in range(3)}
    both = [e.place.patterns for e in entries if e.dilemma]
    sides = len({a for a, _ in both}) * len({b for _, b in both})
    worse = float(sum(e.inferior for e in entries))
    return count | {"tables": raw, "games": games, "classes": met, "dilemmas": len(both), "product": sides,
                    "inferior": worse}  # fmt: skip


def chance(key: jax.Array, games: int) -> Mapping[str, float]:
    """Random 2 x 2 games (independent uniform payoffs): how often a dilemma for both; how many equilibria."""
    payoff = np.asarray(jax.random.uniform(key, (games, 2, 2, 2)), np.float64)
    drawn = [bimatrix(*p) for p in payoff]
    found = [nash.solve(g) for g in drawn]
    share = float(np.mean([dilemma.best_labelling(g).dilemma for g in drawn]))
    several = float(np.mean([len(e.points) == 3 for e in found]))
    mixed = float(np.mean([taxonomy.kind(g).name == taxonomy.MIXED for g in drawn]))
    regret = max(float(e.certificates.max()) for e in found)
    return {"dilemmas": share, "three equilibria": several, "mixed motive": mixed, "regret": regret}


def many(key: jax.Array, n: int) -> Mapping[str, float]:
    """Games of n: which multipliers of public goods make a dilemma, and the price of anarchy on Pigou's roads."""
    steps = np.round(np.arange(0.2, n + 1.01, 0.2), 9)
    hard = [float(r) for r in steps if crowds.test(crowds.public_goods(n, float(r))).dilemma]
    roads = crowds.test(crowds.pigou(n))
    return {"lowest": min(hard), "highest": max(hard), "anarchy": roads.anarchy, "roads": float(roads.dilemma)}


def conditions(size: str) -> Sequence[Condition]:
    return [
        Computed("orders", orders),
        *(Computed(name, known, {"name": name}) for name in (*SHOWN, "aumann_chicken")),
        *(Computed(_price(P), hunt, {"P": P}) for P in PRICES),
        Computed("stag hunt, R = 5", hunt, {"P": 1.0, "R": 5.0}),
        Computed("ordinal", table),
        Computed("random games", chance, {"games": TRIALS[size]}),
        Computed("many", many, {"n": 10}),
    ]


def _price(P: float) -> str:
    return f"stag hunt, P = {P:g}"


def _is(
    text: str, source: str, label: str, measure: str, value: float, tolerance: float = 1e-6, unit: str = ""
) -> Claim:
    return Claim(text, source, lambda r: r.late(label, measure), near=value, tolerance=tolerance, unit=unit)


CLAIMS = [
    _is("Of the 24 orders of R, S, T, P five pass the tutorial's test", TESTED, "orders", "dilemmas", 5),
    _is("... among them two of fear only that it does not name: assurance", TESTED, "orders", "assurance", 1),
    _is("... and coordination", TESTED, "orders", "coordination", 1),
    _is("The introduction's game is a prisoner's dilemma", "tutorial", "pd_intro", "prisoners_dilemma", 1),
    _is("... in which taking turns pays as much as cooperating: 2R = T + S", EDGE, "pd_intro", "turns", 0),
    _is("Chicken is chicken", "tutorial", "chicken", "chicken", 1),
    _is("The stag hunt is one", "tutorial", "stag_hunt", "stag_hunt", 1),
    _is("... on a knife's edge: R - T = P - S", EDGE, "stag_hunt", "edge", 0),
    _is("... so neither convention risk-dominates", EDGE, _price(1.0), "side", 0),
    _is("... and half of all starts end in each (two populations)", EDGE, _price(1.0), "two", 0.5, 1e-4),
    _is("With P = 2 hunting nothing risk-dominates", EDGE, _price(2.0), "side", -1),
    _is("With R = 5 hunting does", EDGE, "stag hunt, R = 5", "side", 1),
    _is("diag(1, 1, 1) has 7 equilibria", "spec games_markets F2", "coord3", "equilibria", 7),
    _is("diag(1, 2, 3) has 7 equilibria", "spec games_markets F2", "coord123", "equilibria", 7),
    _is("Chicken's best correlated welfare is 16/3", ORACLE, "chicken", "welfare max", 16 / 3),
    _is("... and coarse correlation adds nothing", ORACLE, "chicken", "welfare coarse", 16 / 3),
    _is("... and its worst is 10/3", ORACLE, "chicken", "welfare min", 10 / 3),
    _is("Aumann's chicken: 10.5", ORACLE, "aumann_chicken", "welfare max", 10.5),
    _is("Bach or Stravinsky: a signal gives each 2.5", ORACLE, "bos", "worst off", 2.5),
    _is("There are 576 ordinal tables", COUNTED, "ordinal", "tables", 576),
    _is("... 144 up to names of actions", COUNTED, "ordinal", "games", 144),
    _is("... 78 up to names of players", COUNTED, "ordinal", "classes", 78),
    _is("108 of the 144 have one pure equilibrium", COUNTED, "ordinal", "pure 1", 108),
    _is("18 have two", COUNTED, "ordinal", "pure 2", 18),
    _is("25 of the 144 are dilemmas for both players", DERIVED, "ordinal", "dilemmas", 25),
    _is("... any two of the five patterns", DERIVED, "ordinal", "product", 25),
    _is("So of random games 25/144 = .174 are", DERIVED, "random games", "dilemmas", 25 / 144, 0.02, "of games"),
    _is("... and 18/144 have three equilibria", DERIVED, "random games", "three equilibria", 1 / 8, 0.02, "of games"),
    Claim("Every equilibrium of every random game passes its certificate", "spec games_markets F13",
          lambda r: r.late("random games", "regret"), below=1e-8, unit="of the payoff range"),
    _is("Public goods of ten are a dilemma from r = 1.2 on", "spec games_markets A.8", "many", "lowest", 1.2),
    _is("... up to 9.8, in steps of .2: where 1 < r < n", "spec games_markets A.8", "many", "highest", 9.8),
    _is("On Pigou's roads anarchy costs 4/3", "Roughgarden and Tardos 2002, recalled", "many", "anarchy", 4 / 3),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page
    from nomoi.report.periodic import periodic

    found = [analyse(named(name)) for name in SHOWN]
    head = ["game", "class", "greed", "fear", "turns lose", "knife's edge", "equilibria", "risk dominance",
            "correlated welfare", "kind"]  # fmt: skip
    out: list[object] = [
        page.Table("The tutorial's games", head, [_row(one) for one in found],
                   "Sources: " + "; ".join(f"{n}, {GAMES[n].source}" for n in SHOWN) + "."),
        page.Figure("The five patterns", figures.svg(periodic("dilemma")),
                    "Ordinal games that are dilemmas for both players, by the types of the two."),
    ]  # fmt: skip
    x = np.array(PRICES)
    line = lambda measure: (x, np.stack([results.late(_price(P), measure) for P in PRICES], 1))  # noqa: E731
    series = {"one population": line("one"), "two populations": line("two")}
    drawn = figures.curves(series, "share of starts", "Where the stag hunt is hunted", {"half": 0.5},
                           "P, what is sure without the stag")  # fmt: skip
    drawn.axes[0].xaxis.set_major_formatter("{x:g}")
    out.append(page.Figure("Basins", figures.svg(drawn), "R = 4, S = 0, T = 3. The tutorial's P = 1 is the edge."))
    return out


def _row(found: Analysis) -> list[object]:
    view = found.labelling.views[0] if found.labelling and found.labelling.dilemma else None
    winners = {d.winner for d in found.duels}
    risk = "-" if not winners else "a tie" if winners == {None} else "decided"
    low, high = (found.welfare[aim].welfare for aim in ("min", "max"))
    flags = [None] * 3 if view is None else [view.greed, view.fear, view.turns_lose]
    return [found.game.title, found.name, *(None if f is None else "yes" if f else "no" for f in flags),
            "; ".join(found.knife_edges()) or None, str(len(found.equilibria.points)), risk,
            f"{low:.3g} to {high:.3g}", found.kind.name]  # fmt: skip


STUDY = Study(
    "dilemmas",
    "Which matrix games are social dilemmas, and what stands on a knife's edge?",
    CLAIMS,
    conditions,
    {"smoke": 1, "laptop": 4, "paper": 20},
    sections,
    "All but the random games is exact, so its intervals are points; seeds repeat the arithmetic.",
)
