"""Which of Ostrom's design principles keep a commons, where each is a mechanism and people adapt?  A model of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from nomoi.measure import factorial as f
from nomoi.measure.statistics import Estimate, estimate, exactly, number
from nomoi.probes.principles import DEFAULTS, NAMES, PRINCIPLES, RANGES, table
from nomoi.runs.factorial import Factorial, tables
from nomoi.runs.study import Claim, Reading, Results, Study, Trial

EARLIER = "ours, by our earlier program"
OURS = "ours, the model of nomoi/probes/principles.py"
BLOCKS = {"as invented": 6, "trust frozen": 1, "wardens not accountable": 1}  # of places: 18 on a laptop, for errors
TWICE = 2  # the same for each check of a claim
SEASONS = 200
DRAWN = [f"draw {d + 1}" for d in range(f.DRAWS)]
CHECKS: Mapping[str, Mapping[str, float]] = {
    "payoff imitators alone": {"villagers.cooperators": 0.0},
    "conditional cooperators alone": {"villagers.cooperators": 1.0},
    "400 seasons": {"steps": 2},  # twice as many
}
ASIDE: Mapping[str, Mapping[str, float]] = {
    "trust frozen": {"villagers.trust_rate": 0.0},
    "wardens not accountable": {"wardens.accountable": 0.0},
}


def _trial(label: str, season: int, changes: Mapping[str, float], block: int = 0) -> Factorial:
    changes = dict(changes)
    steps = int(changes.pop("steps", 1)) * season
    return Factorial(label, table, {"numbers": {**DEFAULTS, **changes}, "steps": steps}, block)


def _blocks(label: str) -> list[str]:
    return [label, *(f"{label}, more places {b}" for b in range(1, BLOCKS.get(label, TWICE)))]


def trials(size: str) -> Sequence[Trial]:
    smoke = size == "smoke"
    draws = f.hypercube(RANGES, f.DRAWS, 7)[: 2 if smoke else f.DRAWS]
    named: Mapping[str, Mapping[str, float]] = {"as invented": {}, **CHECKS, **ASIDE}
    once = 20 if smoke else SEASONS
    return [
        *(_trial(label, once, changes, block) for name, changes in named.items()
          for block, label in enumerate(_blocks(name))),
        *(_trial(label, once, numbers) for label, numbers in zip(DRAWN, draws, strict=False)),
    ]  # fmt: skip


# --- effects


def default(results: Results, measure: str = "success") -> np.ndarray:
    """[2^11, places] as invented."""
    return tables(results, _blocks("as invented"), measure)


def check(results: Results, name: str, measure: str = "success") -> np.ndarray:
    return tables(results, _blocks(name), measure)


def draws(results: Results, measure: str) -> np.ndarray:
    """[draws, 2^11] means over places."""
    there = [label for label in DRAWN if label in results.records]
    return np.stack([tables(results, [label], measure).mean(1) for label in there])


Effect = Callable[[np.ndarray], float]  # of a table [2^11]


def main(name: str) -> Effect:
    return lambda t: float(f.main(t)[NAMES.index(name)])


def together(one: str, other: str) -> Effect:
    return lambda t: float(f.interactions(t)[NAMES.index(one), NAMES.index(other)])


def judged(results: Results, effect: Effect, measure: str) -> f.Judged:
    """What may be said of an effect: by draws, and by every check."""
    checks = {name: effect(check(results, name, measure).mean(1)) for name in CHECKS}
    return f.judge([effect(t) for t in draws(results, measure)], checks)


def borne_out(effect: Effect, measure: str, sign: int = 1) -> Callable[[Results], Estimate]:
    """In how many draws an effect has the sign; 0 where a check contradicts it."""

    def count(results: Results) -> Estimate:
        found = judged(results, effect, measure)
        held = found.verdict in ((f.HELPS, f.UNTESTED) if sign > 0 else (f.HARMS, f.UNTESTED))
        many = found.up if sign > 0 else found.down
        return exactly(many if held or found.against == "draws" else 0)

    return count


def of_draws(test: Callable[[np.ndarray], bool], measure: str) -> Callable[[Results], Estimate]:
    """In how many draws a test of the table [2^11] is passed."""
    return lambda results: exactly(sum(bool(test(t)) for t in draws(results, measure)))


def _rises(t: np.ndarray) -> bool:
    return bool((np.diff(f.by_size(t)) >= -0.02).all())


def _necessary(t: np.ndarray) -> bool:
    return bool((np.asarray(f.necessity(t)) >= 0.9).any())


MOST = f.LEAST - 0.5


def _again(text: str, effect: Effect, measure: str, found: str, sign: int = 1) -> Claim:
    return Claim(text, EARLIER, borne_out(effect, measure, sign), found, above=MOST, unit="of 24 draws", kind="replica")


CLAIMS = [
    _again("User boundaries (1A) help survival", main("1A"), "success", "22 of 24"),
    *(_again(f"{name} raises what villagers end with", main(name), "income", said)
      for name, said in (("1A", "24 of 24"), ("1B", "24 of 24"), ("2A", "24 of 24"), ("7", "23 of 24"))),
    _again("A licence that may be annulled is worth less in income: 1A and 7 are complements", together("1A", "7"),
           "income", "24 of 24"),
    _again("... and so are 1A and 1B", together("1A", "1B"), "income", "22 of 24"),
    _again("A survey (4B) costs more than it earns", main("4B"), "income", "24 of 24", -1),
    Claim("Survival rises with the number of principles (no step below -.02)", EARLIER, of_draws(_rises, "success"),
          "22 of 24", above=MOST, unit="of 24 draws", kind="replica"),
    Claim("All eleven are never the best paid", EARLIER, of_draws(lambda t: t[-1] >= t.max() - 1e-6, "income"),
          "0 of 24", below=0.5, unit="of 24 draws", kind="replica"),
    Claim("No principle is necessary (in nine tenths of all survival) but in a few draws", EARLIER,
          of_draws(_necessary, "success"), "4 of 24 at most", below=4.5, unit="of 24 draws", kind="replica"),
]  # fmt: skip


def _mean(name: str, of: str, measure: str = "success") -> Callable[[Results], np.ndarray]:
    pick = {"none": lambda t: t[0], "all": lambda t: t[-1], "mean": lambda t: t.mean(0)}[of]
    return lambda r: pick(default(r, measure) if name == "as invented" else check(r, name, measure))


def _effect(name: str, principle: str, measure: str) -> Callable[[Results], np.ndarray]:
    at = NAMES.index(principle)
    return lambda r: f.main(default(r, measure) if name == "as invented" else check(r, name, measure))[at]


def _reading(text: str, effect: Callable[[Results], np.ndarray], earlier: str, unit: str = "") -> Reading:
    return Reading(f"{text} (by our earlier program {earlier})", OURS, effect, unit=unit)


READINGS = [
    _reading("how often the commons survives with none of the principles", _mean("as invented", "none"), ".06",
             "of places"),
    _reading("... with all of them", _mean("as invented", "all"), ".88", "of places"),
    _reading("... over all 2048 combinations", _mean("as invented", "mean"), ".36", "of runs"),
    _reading("by how much an assembly (3) changes survival", _effect("as invented", "3", "success"), ".10"),
    _reading("... where trust is frozen", _effect("trust frozen", "3", "success"), "-.04"),
    _reading("... over 400 seasons", _effect("400 seasons", "3", "success"), ".01"),
    _reading("how often wardens who answer for it watch, where all principles are",
             _mean("as invented", "all", "watch"), ".46", "of the time"),
    _reading("... and wardens who do not", _mean("wardens not accountable", "all", "watch"), ".12", "of the time"),
    _reading("by how much paid wardens (4A) change survival where they answer for it",
             _effect("as invented", "4A", "success"), ".05"),
    _reading("... and where not", _effect("wardens not accountable", "4A", "success"), "-.02"),
]  # fmt: skip


# --- the page


def _said(one: f.Judged) -> str:
    why = "" if one.verdict != f.DEPENDS else f" ({one.against})" if one.against != "draws" else ""
    return f"{one.verdict}{why}"


def sections(results: Results) -> list[object]:
    """Survival by number; effects over places and draws; what may be said; trust; conjunctions."""
    from nomoi.report import figures, page, panels

    table_, income = default(results), default(results, "income")
    drawn, earned = draws(results, "success"), draws(results, "income")
    number_of = np.arange(len(NAMES) + 1)
    sizes = {"as invented": f.by_size(table_).T}
    sizes |= {name: f.by_size(check(results, name)).T for name in CHECKS}
    sizes["what is invented, drawn"] = np.stack([f.by_size(t) for t in drawn])
    rising = figures.curves({name: (number_of, y) for name, y in sizes.items()}, "share of commons that survive",
                            "Survival by number of principles", xlabel="principles",
                            note="mean and 95 % band over places, or over draws")  # fmt: skip
    called = [f"{name} {what.partition(':')[0]}" for name, what in PRINCIPLES.items()]
    effects = lambda t: dict(zip(called, f.main(t), strict=True))  # noqa: E731
    spread = lambda ts: dict(zip(called, np.stack([f.main(t) for t in ts], 1), strict=True))  # noqa: E731
    places = figures.intervals(effects(table_), "change in survival; seeds are places", "Effects over places",
                               {"nothing": 0.0})  # fmt: skip
    over = figures.intervals(spread(drawn), "change in survival; seeds are draws",
                             "Effects over draws", {"nothing": 0.0})  # fmt: skip
    paid = figures.intervals(spread(earned), "reward a season; seeds are draws",
                             "Effects on what villagers end with, over draws", {"nothing": 0.0})  # fmt: skip
    parts = ("just", "due", "heard", "enough", "trust")
    made = np.stack([f.main(default(results, part).mean(1)) for part in parts], 1)
    words = ("not punished\nwithout cause", "a due\nshare", "heard", "enough", "trust")
    trust = panels.heat("What trust is made of", "", "", words, called[::-1], made[::-1],
                        [[f"{x:+.2f}" for x in row] for row in made[::-1]], "change")  # fmt: skip
    return [
        page.Figure("Survival by number of principles", figures.svg(rising),
                    "A combination survives at a place if the stock stood above a fifth of capacity in nine of ten of "
                    "the last half of the seasons, and at a quarter on average."),
        page.Figure("Effects over places", figures.svg(places), "As invented. Places differ in people, soil and luck."),
        page.Figure("Effects over draws", figures.svg(over), "Each draw has other values of all invented numbers."),
        page.Figure("Effects on income", figures.svg(paid), "Transfers, fines and the costs of governance included."),
        page.Table("What may be said", ["principle", "survival", "up, down", "income", "up, down"],
                   [_row(results, name) for name in NAMES],
                   f"It helps or harms only where the effect is beyond {f.DUST:g} with its sign in {f.LEAST} of "
                   f"{f.DRAWS} draws, in both kinds of people and over 400 seasons; else it depends (in brackets, the "
                   "first check that is against it)."),
        page.Table("Pairs", ["pair", "in survival", "up, down", "in income", "up, down"], _pairs(results),
                   "Complements are above 0, substitutes below; the pairs with the largest effect as invented. The "
                   "same rule."),
        page.Table("As invented", ["principle", "survival", "Shapley", "necessity", "income", "Shapley of income"],
                   _default_rows(table_, income),
                   f"Main effects with intervals over {table_.shape[1]} places. Shapley values add up to "
                   f"{f.shapley(table_.mean(1)).sum():.3f} and {f.shapley(income.mean(1)).sum():.2f}, what all eleven "
                   "make more than none. A necessity of .5 is nothing: half of all combinations have a principle."),
        page.Table("Sufficient conjunctions", ["of these", "consistency", "coverage"], _conjunctions(table_.mean(1)),
                   "The smallest with which at least 80 % survive, of which no principle can be left out; or else the "
                   "one with which most survive."),
        page.Figure("What trust is made of", figures.svg(trust),
                    "What each principle adds: main effects, as invented. Trust follows the mean of the four."),
        page.Text("Draws", [_told(drawn)]),
    ]  # fmt: skip


def _row(results: Results, name: str) -> list[object]:
    out: list[object] = [f"{name} {PRINCIPLES[name]}"]
    for measure in ("success", "income"):
        one = judged(results, main(name), measure)
        out += [_said(one), f"{one.up}, {one.down} of {one.draws}"]
    return out


def _pairs(results: Results, many: int = 8) -> list[list[object]]:
    table_, paid = (f.interactions(default(results, m).mean(1)) for m in ("success", "income"))
    every = [(i, j) for i in range(len(NAMES)) for j in range(i)]
    top = sorted(every, key=lambda p: -abs(table_[p]))[:many] + sorted(every, key=lambda p: -abs(paid[p]))[:many]
    rows = []
    for i, j in dict.fromkeys(top):
        row: list[object] = [f"{NAMES[j]} and {NAMES[i]}"]
        for measure, size in (("success", table_), ("income", paid)):
            one = judged(results, together(NAMES[i], NAMES[j]), measure)
            word = {f.HELPS: "complements", f.HARMS: "substitutes"}.get(one.verdict, _said(one))
            row += [f"{number(size[i, j], 2)}: {word}", f"{one.up}, {one.down}"]
        rows.append(row)
    return rows


def _default_rows(table_: np.ndarray, income: np.ndarray) -> list[list[object]]:
    success, paid = (f.over_places(t) for t in (table_, income))
    shares, values = f.shapley(table_.mean(1)), f.shapley(income.mean(1))
    need = f.necessity(table_.mean(1))
    rows = zip(PRINCIPLES.items(), success, shares, need, paid, values, strict=True)  # type: ignore[arg-type]
    return [[f"{name} {what}", a, float(s), float(n), b, float(v)] for (name, what), a, s, n, b, v in rows]


def _conjunctions(t: np.ndarray, many: int = 8) -> list[list[object]]:
    consistency, coverage = f.sufficiency(t)
    best = int(consistency.argmax())
    some = f.minimal(consistency)[:many] or [best]
    return [[f.name(c, NAMES), float(consistency[c]), float(coverage[c])] for c in some]


def _told(drawn: np.ndarray) -> str:
    """In how many draws there is anything to explain: where none and all do not differ, nothing is ranked."""
    apart = np.abs(drawn[:, -1] - drawn[:, 0]) > f.DUST
    ends = estimate(drawn[apart, -1]) if apart.any() else None
    said = f"In {int(apart.sum())} of {len(drawn)} draws survival with all principles differs from survival with none"
    more = f"; there {number(ends.mean)} of commons survive with all." if ends else "."
    return said + more + " In the others there is little to explain; they count all the same, against every claim."


STUDY = Study(
    "ostrom",
    "Which of Ostrom's design principles keep a commons, where each is a mechanism and people adapt?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 3, "paper": 16},
    sections,
    "A model of ours: principles as mechanisms on one commons (coded after Cox et al. 2010, with 4A users and 4B the "
    "resource monitored), all 2^11 of them, lived by imitators and conditional cooperators. Every number is invented, "
    "so what is claimed must hold in 22 of 24 draws of all of them, in both kinds of people and over two horizons; "
    "what follows from one setting is a reading. It reproduces no study of cases: all combinations are equally likely "
    "here, and cases adopt principles together. What strangers pay in fines is burnt. Nothing was tuned to single "
    "principles.",
    readings=READINGS,
)
