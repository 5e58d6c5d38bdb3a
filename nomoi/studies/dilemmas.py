"""Which matrix games are social dilemmas, and what decides them: orders, edges, correlation, many players."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.runs.effects import of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial
from nomoi.solve import basins, correlated, crowds, dilemma, dominance, nash, ordinal, taxonomy
from nomoi.solve.analysis import Analysis, analyse
from nomoi.solve.game import bimatrix
from nomoi.solve.games import GAMES, named, rstp

TYPES = "the tutorial (Hadfield et al. 2024), the three classic types of social dilemma"
TABLE = "ours, after Robinson & Goforth 2005"
SLIDE = "the tutorial (Hadfield et al. 2024), Games and equilibria"
# its text names the second row of cells C again, and D an empty one: here the cells alone, in the order of the print
INTRODUCTION = (((2, 2), (0, 4)), ((4, 0), (1, 1)))
DERIVED = "ours (derived in the remarks)"
SHOWN = ("pd_intro", "pd", "chicken", "stag_hunt", "coord3", "coord123", "bos")
TRIALS = {"smoke": 20, "laptop": 1000, "paper": 10_000}  # random games a seed
PRICES = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0)  # P of the stag hunt R = 4, S = 0, T = 3 (ours; the tutorial's is 1)


def orders(key: None) -> Mapping[str, float]:
    """How many of the 24 strict orders of R, S, T, P pass the tutorial's test, and of which type."""
    found = [dilemma.classify(*four) for four in itertools.permutations((4.0, 3.0, 2.0, 1.0))]
    counts = {name: float(sum(d.name == name for d in found)) for name in dilemma.NAMES}
    return {"dilemmas": float(sum(d.dilemma for d in found))} | counts


def known(key: None, name: str) -> Mapping[str, float]:
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


def printed(key: None) -> Mapping[str, float]:
    """Whether the introduction's matrix is a prisoner's dilemma for both, with its cells in the order of the print."""
    (a, b), (c, d) = INTRODUCTION
    rows, columns = dilemma.classify(a[0], b[0], c[0], d[0]), dilemma.classify(a[1], c[1], b[1], d[1])
    return {name: float(rows.name == columns.name == name) for name in dilemma.NAMES}


def hunt(key: None, P: float, R: float = 4.0) -> Mapping[str, float]:
    """The stag hunt R, 0, 3, P: what risk-dominates (1 to hunt, -1 not to), and how many starts end in the hunt."""
    game = rstp(R, 0.0, 3.0, P)
    (duel,) = dominance.risk_dominance(game)
    side = {None: 0.0, (0, 0): 1.0, (1, 1): -1.0}[duel.winner]
    return {"side": side, "one": basins.one_population(game)["all C"], "two": basins.two_populations(game)["C, C"]}


def table(key: None) -> Mapping[str, float]:
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


def many(key: None, n: int) -> Mapping[str, float]:
    """Games of n: which multipliers of public goods make a dilemma, and the price of anarchy on Pigou's roads."""
    steps = np.round(np.arange(0.2, n + 1.01, 0.2), 9)
    hard = [float(r) for r in steps if crowds.test(crowds.public_goods(n, float(r))).dilemma]
    roads = crowds.test(crowds.pigou(n))
    return {"lowest": min(hard), "highest": max(hard), "anarchy": roads.anarchy, "roads": float(roads.dilemma)}


def trials(size: str) -> Sequence[Trial]:
    return [
        Computed("orders", orders, exact=True),
        *(Computed(name, known, {"name": name}, exact=True) for name in (*SHOWN, "aumann_chicken")),
        Computed("introduction", printed, exact=True),
        *(Computed(_price(P), hunt, {"P": P}, exact=True) for P in PRICES),
        Computed("stag hunt, R = 5", hunt, {"P": 1.0, "R": 5.0}, exact=True),
        Computed("ordinal", table, exact=True),
        Computed("random games", chance, {"games": TRIALS[size]}),
        Computed("many", many, {"n": 10}, exact=True),
    ]


def _price(P: float) -> str:
    return f"stag hunt, P = {P:g}"


def _printed(text: str, label: str, measure: str, source: str = TYPES) -> Claim:
    """That a matrix, as the tutorial prints it, is what the tutorial calls it, by the tutorial's own inequalities."""
    return Claim(text, source, of(label, measure), above=0.5, unit="(1 is yes)")


def _says(text: str, label: str, measure: str, source: str = "ours", published: str = "", unit: str = "") -> Reading:
    return Reading(text, source, of(label, measure), published, unit)


CLAIMS = [
    _printed("The matrix printed as the prisoner's dilemma passes the inequalities of one", "pd", "prisoners_dilemma"),
    _printed("The matrix printed as chicken passes those of chicken", "chicken", "chicken"),
    _printed("The matrix printed as the stag hunt passes those of a stag hunt", "stag_hunt", "stag_hunt"),
    _printed("The introduction's matrix, cells as printed (names of rows are garbled), passes a prisoner's dilemma's",
             "introduction", "prisoners_dilemma", SLIDE),
]  # fmt: skip

# Counts and arithmetic on a given matrix are mathematics, which the tests hold; no run could decide about them.
READINGS = [
    _says("Orders of R, S, T, P, of 24, that pass the tutorial's test", "orders", "dilemmas"),
    _says("... among them of fear only and not named by it: assurance", "orders", "assurance"),
    _says("... and coordination", "orders", "coordination"),
    _says("2R - T - S in the introduction's game: what cooperating brings more than taking turns", "pd_intro", "turns"),
    _says("R - T - (P - S) in the tutorial's stag hunt: 0 is a knife's edge", "stag_hunt", "edge"),
    _says("... which convention risk-dominates there (1 to hunt, -1 not to, 0 neither)", _price(1.0), "side"),
    _says("... and where P = 2", _price(2.0), "side"),
    _says("... and where R = 5", "stag hunt, R = 5", "side"),
    _says("... starts that end in the hunt (P = 1, two populations)", _price(1.0), "two", unit="of starts"),
    _says("Equilibria of diag(1, 1, 1)", "coord3", "equilibria"),
    _says("Equilibria of diag(1, 2, 3)", "coord123", "equilibria"),
    _says("Best correlated welfare of chicken", "chicken", "welfare max", "ours, after Aumann 1974"),
    _says("... of coarse correlation", "chicken", "welfare coarse", "ours, after Moulin & Vial 1978"),
    _says("... and the worst of correlation", "chicken", "welfare min"),
    _says("Best correlated welfare of Aumann's chicken", "aumann_chicken", "welfare max", "ours, after Aumann 1974"),
    _says("Bach or Stravinsky: what a fair signal gives each", "bos", "worst off"),
    _says("Ordinal tables", "ordinal", "tables", TABLE),
    _says("... up to names of actions", "ordinal", "games", TABLE),
    _says("... and up to names of players", "ordinal", "classes", TABLE),
    _says("With one pure equilibrium, of those up to names of actions", "ordinal", "pure 1", TABLE),
    _says("... with two", "ordinal", "pure 2", TABLE),
    _says("... that are dilemmas for both players", "ordinal", "dilemmas", DERIVED),
    _says("... as products of two patterns of the test", "ordinal", "product", DERIVED),
    _says("Random games that are dilemmas for both (25/144 = .174 if all orders are as likely)", "random games",
          "dilemmas", DERIVED, unit="of games"),
    _says("... and that have three equilibria (18/144 = .125)", "random games", "three equilibria", DERIVED,
          unit="of games"),
    _says("Most that anybody gains by leaving an equilibrium found", "random games", "regret",
          unit="of what is at stake"),
    _says("Public goods of ten are a dilemma from this multiplier on (steps of .2)", "many", "lowest"),
    _says("... up to this", "many", "highest"),
    _says("Price of anarchy on Pigou's roads", "many", "anarchy", "ours, after Roughgarden & Tardos 2002"),
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
    trials,
    {"smoke": 1, "laptop": 4, "paper": 20},
    sections,
    "All but the random games is exact.",
    readings=READINGS,
)
