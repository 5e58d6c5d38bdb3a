"""Law as coordination: when buyers who share a classification deter a seller (Hadfield & Weingast 2012)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import equinox as eqx
import jax
import numpy as np

from nomoi.core import Situation, govern
from nomoi.core.learner import Learner
from nomoi.institutions.charter import Charter
from nomoi.law import attributes
from nomoi.law.boycott import INDEPENDENT, JOINT, VICTIM, Trade, bound, loss, noisy_bound, readings, solved_bound
from nomoi.measure.evaluate import episodes
from nomoi.populations.engine import seed_of
from nomoi.populations.ladder import CLASSIFIERS, ENFORCEMENTS, rung
from nomoi.populations.third_party import Commons
from nomoi.runs.effects import of, scores
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial
from nomoi.scripts.traders import Trader
from nomoi.situations.boycott import Boycott

PROPOSITION = "Hadfield & Weingast 2012, proposition as the tutorial prints it"
ABSTRACT = "Hadfield & Weingast 2012, abstract"
DERIVED = "ours, derived in nomoi/law/boycott.py"
OURS = "ours, mechanics of nomoi/law/attributes.py"
KINDS = {"joint": (JOINT, 1), "joint, two wrongs": (JOINT, 2), "independent": (INDEPENDENT, 1), "victim": (VICTIM, 1)}
GRID = (
    (0.3, 0.6, 0.9),
    ((0.0, 0.0), (0.0, 0.3), (0.0, 0.6), (0.3, 0.3), (0.3, 0.6), (0.6, 0.6)),
)  # delta; rho^i, rho^j
LOW, HIGH = 0.6, 0.95  # levels between which an attribute is raised (ours)


def proposition(key: None, delta: float, rho_i: float, rho_j: float) -> Mapping[str, float]:
    """The bounds by formula."""
    trade = Trade(delta=delta, rho_i=rho_i, rho_j=rho_j)
    return {name: bound(trade, *kind).value for name, kind in KINDS.items()}


def iteration(key: None, misread: float) -> Mapping[str, float]:
    """The most by which value iteration is off each formula, over GRID."""
    a1, a0 = readings(misread)
    out = dict.fromkeys([*KINDS, "misread"], 0.0)
    for delta in GRID[0]:
        for rho_i, rho_j in GRID[1]:
            trade = Trade(delta=delta, rho_i=rho_i, rho_j=rho_j)
            off = {name: solved_bound(trade, *kind) - bound(trade, *kind).value for name, kind in KINDS.items()}
            chances = (trade.pi * a0**2, trade.pi * a1**2, 1.0)
            off["misread"] = solved_bound(trade, JOINT, 1, chances) - noisy_bound(trade, a1, a0).value
            out = {name: max(worst, abs(off[name])) for name, worst in out.items()}
    return out


@eqx.filter_jit
def _profit(place: Situation, script: Learner, key: jax.Array, worlds: int) -> jax.Array:
    return episodes(key, place, script, worlds=worlds).reward[:, -1]


def gained(trade: Trade, wrongs: int, resolve: str, key: jax.Array, worlds: int) -> np.ndarray:
    """[worlds] what so many wrongs in the first period bring a seller, played out under a charter, paired by world."""
    settings = {"unsuited": (trade.rho_i, trade.rho_j, 0.0), "delta": trade.delta, "perf_cost": trade.perf_cost}
    place = govern(Boycott(**settings), Charter(law="care"))  # type: ignore[arg-type]
    paid = [np.asarray(_profit(place, Trader(resolve=resolve, wrongs=w), key, worlds), float) for w in (0, wrongs)]
    return paid[1] - paid[0]


def played(key: jax.Array, perf_cost: float, resolve: str, worlds: int) -> Mapping[str, float]:
    """What one wrong in the first period gains a seller, and two; and how far one is off the formula."""
    trade = Trade(perf_cost=perf_cost)
    one, two = (gained(trade, wrongs, resolve, key, worlds) for wrongs in (1, 2))
    formula = perf_cost - loss(trade, {"together": JOINT, "each": INDEPENDENT}[resolve]) * (1 - perf_cost)
    error = one.std(ddof=1) / np.sqrt(worlds)
    return {"one": one.mean(), "two": two.mean(), "standard errors off": (one.mean() - formula) / error}


def trades(key: jax.Array, many: int, worlds: int) -> Mapping[str, float]:
    """In how many trades drawn at random a wrong pays, played out: one where c is a fifth below the bound, and a fifth
    above it; and where c lies between the bounds for two wrongs and for one, one wrong and two at once."""
    rng, pays = np.random.default_rng(seed_of(key)), []
    for k in range(many):
        trade = Trade(delta=rng.uniform(0.6, 0.95), rho_i=rng.uniform(0, 0.4), rho_j=rng.uniform(0, 0.4))
        one, two = bound(trade, JOINT, 1).value, bound(trade, JOINT, 2).value
        asked = ((0.8 * one, 1), (1.2 * one, 1), ((one + two) / 2, 1), ((one + two) / 2, 2))
        own = jax.random.fold_in(key, k)
        pays.append([gained(trade.but(perf_cost=c), w, "together", own, worlds).mean() > 0 for c, w in asked])
    return dict(zip(("below", "above", "between, one", "between, two"), map(float, np.mean(pays, 0)), strict=True))


def collective(key: jax.Array, many: int) -> Mapping[str, float]:
    """How much more a joint boycott deters than that of the victim alone, and how often, in trades drawn at random."""
    rng = np.random.default_rng(seed_of(key))
    drawn = [Trade(delta=rng.uniform(0.3, 0.95), rho_i=rng.random(), rho_j=rng.random()) for _ in range(many)]
    more = np.array([bound(t, JOINT).value - bound(t, VICTIM).value for t in drawn])
    return {"more": float(more.mean()), "share": float((more > 0).mean())}


def laws(key: jax.Array, many: int, draws: int) -> Mapping[str, float]:
    """What raising each attribute from LOW to HIGH does to the bound, and how often it lowers it, in laws and trades
    drawn at random; both levels meet the same people."""
    rng, found = np.random.default_rng(seed_of(key)), []
    for _ in range(many):
        levels = {name: rng.uniform(0.5, 1) for name in attributes.ATTRIBUTES} | {"openness": rng.uniform(0, 0.8)}
        law = attributes.Classification(**levels, alikeness=rng.uniform(0.3, 0.95), features=6)
        trade = Trade(delta=rng.uniform(0.7, 0.95), value=rng.uniform(1.6, 3), boycott_cost=rng.uniform(0.05, 0.4))
        seed, pair = int(rng.integers(2**31)), np.array([LOW, HIGH])
        found.append([np.diff(attributes.sweep(name, trade, seed, pair, draws, law)["bound"])[0]
                      for name in attributes.ATTRIBUTES])  # fmt: skip
    change = np.array(found)
    out = dict(zip(attributes.ATTRIBUTES, map(float, change.mean(0)), strict=True))
    lowers = (change < -1e-12).mean(0)
    return out | {f"{n} lowers": float(x) for n, x in zip(attributes.ATTRIBUTES, lowers, strict=True)}


def attribute(key: jax.Array, name: str, draws: int) -> Mapping[str, float]:
    """The bound with one attribute absent, and with it ideal, all others good."""
    found = attributes.sweep(name, Trade(), seed_of(key), np.array([0.0, 1.0]), draws)["bound"]
    return {"absent": float(found[0]), "ideal": float(found[1])}


def order(key: jax.Array, name: str, draws: int) -> Mapping[str, float]:
    """What an order of society brings."""
    return attributes.study(attributes.preset(name), Trade(), np.random.default_rng(seed_of(key)), draws)


def ladder(key: jax.Array) -> Mapping[str, float]:
    """The bound by classifier (with fines) and the tipping share by way of enforcing (with courts)."""
    game, fines, courts = Commons(members=20), ENFORCEMENTS[5], CLASSIFIERS[5]
    out = {f"bound: {c.name}": rung(c, fines, Trade(), game, seed_of(key))["bound"] for c in CLASSIFIERS}
    return out | {f"tip: {e.name}": rung(courts, e, Trade(), game, seed_of(key))["tip"] for e in ENFORCEMENTS}


CASES = {"delta .9, rho .1 .2": (0.9, 0.1, 0.2), "delta .5, rho .3 .3": (0.5, 0.3, 0.3)}


def trials(size: str) -> Sequence[Trial]:
    draws, worlds = {"smoke": (20, 50), "laptop": (300, 4000), "paper": (2000, 40_000)}[size]
    many = {"smoke": 1, "laptop": 8, "paper": 50}[size]
    out: list[Trial] = [
        Computed(label, proposition, dict(zip(("delta", "rho_i", "rho_j"), case, strict=True)), exact=True)
        for label, case in CASES.items()
    ]
    out += [Computed("value iteration", iteration, {"misread": 0.2}, exact=True)]
    out += [Computed(f"played {resolve}", played, {"perf_cost": 0.4, "resolve": resolve, "worlds": worlds})
            for resolve in ("together", "each")]  # fmt: skip
    out += [
        Computed("trades drawn", trades, {"many": many, "worlds": max(50, worlds // 8)}),
        Computed("victims drawn", collective, {"many": 50 * many}),
        Computed("laws drawn", laws, {"many": 5 * many, "draws": min(draws, 100)}),
    ]
    out += [Computed(name, attribute, {"name": name, "draws": draws}) for name in attributes.ATTRIBUTES]
    out += [Computed(name, order, {"name": name, "draws": draws}) for name in attributes.PRESETS]
    return [*out, Computed("ladder", ladder)]


def _over(label: str, other: str, measure: str):
    return lambda r: r.late(label, measure) - r.late(other, measure)


ONE, FAR = CASES
PAYS = "of trades drawn at random in which it pays"
CLAIMS = [
    # controls: play against our own closed form
    Claim("A fifth below the bound one wrong does not pay, played out under a charter", DERIVED,
          of("trades drawn", "below"), below=0.1, unit=PAYS, kind="control"),
    Claim("A fifth above it one wrong does", DERIVED, of("trades drawn", "above"), above=0.9, unit=PAYS,
          kind="control"),
    Claim("The bound does not deter two wrongs at once: they pay between the bounds for two and for one", DERIVED,
          of("trades drawn", "between, two"), above=0.9, unit=PAYS, kind="control"),
    Claim("... where one wrong does not", DERIVED, of("trades drawn", "between, one"), below=0.1, unit=PAYS,
          kind="control"),
    Claim("Collective punishment deters more than that of the victim alone", f"ours, after {ABSTRACT}",
          of("victims drawn", "more"), above=0, unit="of the price, trades drawn at random", kind="ours"),
    *(Claim(f"Played out under a charter, one wrong gains what the formula says (buyers {resolve})", DERIVED,
            scores(f"played {resolve}", "standard errors off"), near=0, tolerance=2, unit="standard errors",
            kind="ours")
      for resolve in ("together", "each")),
    Claim("A law that does not ask who the buyer is deters more (impersonality; laws drawn at random)",
          f"ours, after {ABSTRACT} (how the attribute works is ours)",
          of("laws drawn", "impersonality"), above=0, unit="of the price", kind="ours"),
    Claim("A law that more people know deters more (publicity)", OURS, of("laws drawn", "publicity"), above=0,
          unit="of the price", kind="ours"),
]  # fmt: skip

MAY_HARM = ("impersonality", "publicity")  # the others cannot lower the bound, by how they are built
READINGS = [
    *(Reading(f"the most by which value iteration is off the bound of the formula ({name}; a grid of delta and rho)",
              source, of("value iteration", name), unit="of the price")
      for name, source in (("joint", PROPOSITION), *((n, DERIVED) for n in (*list(KINDS)[1:], "misread")))),
    *(Reading(f"{text} ({label})", source, of(label, name), unit="of the price")
      for label, name, text, source in (
          (ONE, "joint", "one wrong is deterred up to a cost of", PROPOSITION),
          (ONE, "joint, two wrongs", "two wrongs in one period up to", DERIVED),
          (ONE, "independent", "one wrong, where buyers boycott each on her own, up to", DERIVED),
          (ONE, "victim", "one wrong, where only the victim boycotts, up to", DERIVED),
          (FAR, "joint", "one wrong is deterred up to", PROPOSITION))),
    Reading("in how many trades drawn at random a joint boycott deters more than the victim's (where the law suits one "
            "of the buyers in more than half of the cases)", DERIVED, of("victims drawn", "share"), unit="of trades"),
    Reading("at a cost of .4 one wrong gains, played out", DERIVED, of("played together", "one"), unit="profit"),
    Reading("and two wrongs at once", DERIVED, of("played together", "two"), unit="profit"),
    *(Reading(f"{name}: raised from {LOW} to {HIGH} it adds to the bound", OURS, of("laws drawn", name),
              unit="of the price") for name in attributes.ATTRIBUTES if name not in MAY_HARM),
    *(Reading(f"{name}: in how many laws drawn at random it lowers the bound", OURS,
              of("laws drawn", f"{name} lowers"), unit="of laws") for name in MAY_HARM),
    *(Reading(f"a legal order deters more than {name} by", OURS, _over("legal order", name, "bound"),
              unit="of the price") for name in attributes.PRESETS if name != "legal order"),
    Reading("a tyrant's law is read alike by two buyers more often than emergent norms by", OURS,
            _over("tyrant", "emergent norms", "same"), unit="chance"),
    Reading("and agrees with the neglected buyer more than she needs to bear a boycott by", OURS,
            lambda r: r.late("tyrant", "r_j") - r.late("tyrant", "r_low"), unit="convergence"),
]  # fmt: skip


SHOWN = ("bound", "same", "r_i", "r_j", "pi")


def sections(results: Results) -> list[object]:
    from nomoi.report import charts, figures, page
    from nomoi.report import study as reporting

    delta = np.linspace(0, 0.99, 100)
    kinds = {"one wrong, joint boycott": (JOINT, 1), "both wronged at once": (JOINT, 2),
             "each boycotts on her own": (INDEPENDENT, 1), "only the victim boycotts": (VICTIM, 1)}  # fmt: skip
    trades = [Trade(delta=float(d)) for d in delta]
    lines = {label: (delta, [bound(t, *kind).value for t in trades]) for label, kind in kinds.items()}
    area = charts.lines(lines, "largest cost at which the seller complies, of the price", "What law deters",
                        "discount factor (rho .1 and .2)")  # fmt: skip
    absent = {n: results.late(n, "absent") for n in attributes.ATTRIBUTES}
    good = {"all present": float(results.late("clarity", "ideal").mean())}
    knobs = figures.intervals(absent, "largest cost, of the price", "One legal attribute absent, all others good", good)
    orders = figures.intervals({n: results.late(n, "bound") for n in attributes.PRESETS}, "largest cost, of the price",
                               "Orders of society")  # fmt: skip
    said = [[c.name, float(results.late("ladder", f"bound: {c.name}").mean())] for c in CLASSIFIERS]
    tips = [[e.name, float(results.late("ladder", f"tip: {e.name}").mean())] for e in ENFORCEMENTS]
    return [
        page.Figure("What law deters", figures.svg(area), "c < x P / (w + x); below a line the seller complies."),
        page.Figure("One legal attribute absent, all others good", figures.svg(knobs),
                    "Others at .9 to .98; openness .5."),
        page.Figure("Orders of society", figures.svg(orders), "Settings are ours."),
        page.Table("The ladder of classification", ["classifier", "largest cost, of the price"], said,
                   "With fines.  Names and order from the tutorial; every number that goes in is ours."),
        page.Table("The ladder of enforcement", ["enforcement", "share of internalisers that tips 20 people"], tips,
                   "With courts; above 1 nothing tips.  The same holds of its numbers."),
        reporting.conditions(results, list(attributes.PRESETS), SHOWN, "order of society"),
    ]  # fmt: skip


STUDY = Study(
    "law_coordination",
    "What must a classification of wrongs be like for people to enforce it themselves?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 5, "paper": 20},
    sections,
    "The inequality is the tutorial's.  That c is what the seller saves, the bound for two wrongs and all of the "
    "attributes' mechanics are ours, because the paper's proof was not available to us.  Trades that are drawn have "
    "delta from 0.6 to 0.95 and rho from 0 to 0.4 (for the victim's boycott 0.3 to 0.95 and 0 to 1); laws have "
    "attributes from 0.5 to 1, openness 0 to 0.8, likeness of logics 0.3 to 0.95, v 1.6 to 3 and kappa 0.05 to 0.4.",
    readings=READINGS,
)
