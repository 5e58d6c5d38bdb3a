"""When does culture make a species fitter?  Small improvements, learning when it is cheap, and clear cues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.measure.statistics import over_time
from nomoi.populations.engine import seed_of
from nomoi.populations.niche import Niche, evolve, simulate
from nomoi.populations.selective import Cheap, Cue, Cumulative
from nomoi.study import Claim, Computed, Condition, Results, Study

TUTORIAL = "tutorial (Boyd & Richerson 1995; Boyd, Richerson & Henrich 2011)"
DERIVED = "derived (spec B)"
ABSTRACT = "Boyd & Richerson 1995 (abstract)"
MODEL = vars(Niche())
PLACES = {  # one in each regime, and one between the thresholds of the two orders
    "imitate": MODEL,
    "mixed": MODEL | {"switch": 0.1},
    "learn": MODEL | {"switch": 0.6},
}
EDGE = MODEL | {"learning": 0.5, "imitating": 0.0, "improve": 0.1}  # thresholds .0909 (II), .1 (tutorial), .1111 (I)
CHEAP = ((1.0, 0.1), (1.0, 0.01), (2.0, 0.1), (0.2, 0.1))  # highest cost, gamma
NOISES = (1.0, 2.0, 4.0)


def genes(
    key: jax.Array, generations: int, strength: float, mutation: float, replicates: int, **model: float | str
) -> Mapping[str, float]:
    """Where the share of imitators comes to rest, and what all gain by it; means over the last two thirds."""
    m = Niche(**model)  # type: ignore[arg-type]
    first = seed_of(key)
    course = evolve([m], [first + r for r in range(replicates)], generations, strength, mutation)
    q, lost = course.imitators[generations // 3 :], 1 - course.fitting[generations // 3 :]
    gain = float((q * m.value * (m.saving - lost)).mean())
    return {"q": float(q.mean()), "off q": float(q.mean()) - m.equilibrium().value, "gain": gain,
            "off gain": gain - m.gain()}  # fmt: skip


def individuals(key: jax.Array, q: float, people: int, generations: int, **model: float | str) -> Mapping[str, float]:
    """Mean loss of imitators, individuals one by one, against the formula."""
    m = Niche(**model)  # type: ignore[arg-type]
    course = simulate(m, q, people, generations, [seed_of(key)])
    lost = 1 - course.late("fitting", 0.1)[0]
    return {"lost": lost, "off formula": lost - float(m.lost(q))}


def threshold(key: jax.Array, **model: float | str) -> Mapping[str, float]:
    """Exact and printed threshold of gamma, and the advantage of imitation 1 % below and above the exact one."""
    m = Niche(**model)  # type: ignore[arg-type]
    exact, printed = m.threshold().value, m.tutorial_threshold().value
    margin = lambda gamma: m.saving - float(m.but(switch=gamma).lost(1.0))  # noqa: E731
    return {"exact": exact, "printed": printed, "printed over exact": printed - exact,
            "below": margin(0.99 * exact), "above": margin(1.01 * exact)}  # fmt: skip


def cheap(key: jax.Array, people: int, generations: int, **model: float) -> Mapping[str, float]:
    """Learning where it is cheap: fitness at the stable limit by individuals, against learning always."""
    m = Cheap(**model)
    limit = m.limit().value
    right = over_time(m.simulate(limit, people, generations, [seed_of(key)])[generations // 10 :])[0]
    fitness = m.gap * (2 * right - 1) - min(limit, m.highest) ** 2 / (2 * m.highest)
    return {"limit": limit, "fitness": fitness, "gain": fitness - m.alone, "off formula": fitness - m.fitness(limit),
            "more learning": m.fitness(limit * 1.01) - m.fitness(limit)}  # fmt: skip


def cues(key: jax.Array, people: int, generations: int, **model: float) -> Mapping[str, float]:
    """Copying where the cue is weak: how many copy, and how many are right, by individuals."""
    m = Cue(**model)
    limit = m.limit().value
    right = over_time(m.simulate(limit, people, generations, [seed_of(key)])[generations // 10 :])[0]
    return {"limit": limit, "copy": float(m.chances(limit)[1]), "right": right, "gain": right - m.alone,
            "off formula": right - float(m.right(limit))}  # fmt: skip


def heights(key: jax.Array, generations: int, replicates: int, **model: float) -> Mapping[str, float]:
    """Mean height of lineages, against what one reaches alone, and against the formula."""
    m = Cumulative(**model)
    first = seed_of(key)
    found = over_time(m.simulate(generations, [first + r for r in range(replicates)])[generations // 10 :])[0]
    return {"height": found, "times": found / m.improve, "off formula": found - m.level}


def conditions(size: str) -> Sequence[Condition]:
    people = {"smoke": 50, "laptop": 300, "paper": 3000}[size]
    long = {"smoke": 300, "laptop": 6000, "paper": 40_000}[size]
    slow = {"smoke": 600, "laptop": 30_000, "paper": 60_000}[size]
    weak = {"generations": slow, "strength": 0.02, "mutation": 1e-5, "replicates": 20}
    crowd = {"people": people, "generations": long}
    all_imitate = EDGE | {"people": people // 2, "generations": 4 * long, "q": 1.0, "switch": 0.05}
    return [
        *(
            Computed(f"genes, {name}, order {order}", genes, model | weak | {"order": order})
            for name, model in PLACES.items()
            for order in ("I", "II")
        ),
        *(Computed(f"all imitate, order {o}", individuals, all_imitate | {"order": o})
          for o in ("I", "II")),
        *(Computed(f"threshold, order {o}", threshold, EDGE | {"order": o}) for o in ("I", "II")),
        Computed("threshold, quadratic", threshold, EDGE | {"loss": "quadratic", "improve": 0.01}),
        *(Computed(f"cheap {k:g}, gamma {g:g}", cheap, crowd | {"gap": 1.0, "highest": k, "switch": g})
          for k, g in CHEAP),
        *(Computed(f"cue {s:g}", cues, crowd | {"noise": s, "switch": 0.05}) for s in NOISES),
        *(Computed(f"cue 2, gamma {g:g}", cues, crowd | {"noise": 2.0, "switch": g}) for g in (0.01, 0.2)),
        *(Computed(f"height, fidelity {f:g}", heights,
                   {"generations": long, "replicates": 20, "improve": 0.05, "switch": 0.01, "fidelity": f})
          for f in (0.0, 0.9, 1.0)),
    ]  # fmt: skip


def _of(label: str, measure: str):
    return lambda r: r.late(label, measure)


CLAIMS = [
    *(
        Claim(f"Imitators come to rest where D(q) = delta, or at 1, or at 0 ({name}, order {order})", DERIVED,
              _of(f"genes, {name}, order {order}", "off q"), near=0, tolerance=0.015, unit="share")
        for name in PLACES
        for order in ("I", "II")
    ),
    *(
        Claim(f"Culture raises mean fitness where imitation is stable (order {order})", TUTORIAL,
              _of(f"genes, imitate, order {order}", "gain"), above=0.1, unit="of V")
        for order in ("I", "II")
    ),
    *(
        Claim(f"... and nowhere else (mixed, order {order})", DERIVED, _of(f"genes, mixed, order {order}", "gain"),
              near=0, tolerance=0.02, unit="of V")
        for order in ("I", "II")
    ),
    *(
        Claim(f"Individuals lose as much as the formula says (order {order})", DERIVED,
              _of(f"all imitate, order {order}", "off formula"), near=0, tolerance=0.015, unit="of V")
        for order in ("I", "II")
    ),
    Claim("The tutorial's threshold is below the exact one of order I ...", DERIVED,
          _of("threshold, order I", "printed over exact"), near=-1 / 90, tolerance=1e-9, unit="of gamma"),
    Claim("... and above that of order II", DERIVED, _of("threshold, order II", "printed over exact"),
          near=1 / 110, tolerance=1e-9, unit="of gamma"),
    Claim("With a quadratic loss small improvements count about twice", DERIVED,
          lambda r: r.late("threshold, quadratic", "exact") / r.late("threshold, quadratic", "printed"), near=2,
          tolerance=0.05, unit="times the tutorial's"),
    *(
        Claim(f"Who learns when it is cheap does better than who always learns (Kmax {k:g}, gamma {g:g})", ABSTRACT,
              _of(f"cheap {k:g}, gamma {g:g}", "gain"), above=0, unit="of D")
        for k, g in CHEAP[:3]
    ),
    Claim("Where learning is always cheap, all learn and gain nothing (Kmax 0.2)", DERIVED,
          _of("cheap 0.2, gamma 0.1", "gain"), near=0, tolerance=1e-6, unit="of D"),
    Claim("Who learns when it is cheap learns less than would be good for all (Kmax 1, gamma 0.1)", DERIVED,
          _of("cheap 1, gamma 0.1", "more learning"), above=0, unit="of D for 1 % more"),
    *(
        Claim(f"Who copies where a cue is weak is right more often (sigma {s:g})", ABSTRACT, _of(f"cue {s:g}", "gain"),
              above=0, unit="share")
        for s in NOISES
    ),
    Claim("More copy where cues are noisy", DERIVED, lambda r: r.late("cue 4", "copy") - r.late("cue 1", "copy"),
          above=0, unit="share"),
    Claim("Fewer copy where things change often", DERIVED,
          lambda r: r.late("cue 2, gamma 0.2", "copy") - r.late("cue 2, gamma 0.01", "copy"), below=0, unit="share"),
    Claim("What is copied faithfully stands many times higher than anybody could reach alone", TUTORIAL,
          _of("height, fidelity 1", "times"), near=16.8, tolerance=1, unit="times"),
    Claim("... and much less where one copy in ten is dropped for looking worse", TUTORIAL,
          lambda r: r.late("height, fidelity 0.9", "height") / r.late("height, fidelity 1", "height"), below=0.5,
          unit="of it"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    """The map of regimes; what selective learning gains."""
    from nomoi.report import charts, figures, page

    a, gamma = np.linspace(0.005, 0.4, 80), np.linspace(0.005, 0.6, 80)
    delta = Niche().saving
    world = lambda x, g: Niche(improve=float(x), switch=float(g))  # noqa: E731
    gain = [[world(x, g).gain() for x in a] for g in gamma]
    borders = {
        "imitation stable below (order I)": (a, [world(x, 0.1).threshold().value for x in a]),
        "order II": (a, [world(x, 0.1).but(order="II").threshold().value for x in a]),
        "tutorial: (delta / (1 - delta)) a": (a, [world(x, 0.1).tutorial_threshold().value for x in a]),
        "imitators invade below (order I)": (a, np.minimum(delta / (1 - a), 0.6)),
    }
    names = [("imitate", 0.3, 0.1), ("mixed", 0.1, 0.3), ("learn", 0.1, 0.55)]
    chart = charts.regions("When culture makes a species fitter", "a, share of the distance that imitators take off",
                           "gamma, chance of change", a, gamma, gain, borders, names,
                           "gain over learners, of V")  # fmt: skip
    switch = np.linspace(0.002, 0.5, 60)
    at = lambda k, g: Cheap(highest=k, switch=float(g))  # noqa: E731
    gains = {f"Kmax = {k:g}": (switch, [at(k, g).fitness(at(k, g).limit().value) - at(k, g).alone for g in switch])
             for k in (0.5, 1.0, 2.0)}  # fmt: skip
    dots = {
        f"Kmax = {k:g}": ([g for k_, g in CHEAP if k_ == k], np.stack(
            [results.late(f"cheap {k:g}, gamma {g:g}", "gain") for k_, g in CHEAP if k_ == k], 1))
        for k in (1.0, 2.0)
    }  # fmt: skip
    learning = charts.lines(gains, "mean fitness above that of always learning, in units of D",
                            "Learning when it is cheap", "gamma, chance of change", dots)  # fmt: skip
    copying = charts.lines(
        {f"sigma = {s:g}": (switch[:-1], [float(Cue(noise=s, switch=float(g)).chances(
            Cue(noise=s, switch=float(g)).limit().value)[1]) for g in switch[:-1]]) for s in NOISES},
        "share of decisions that are copied", "Copying where one's own cue is weak", "gamma, chance of change",
    )  # fmt: skip
    return [
        page.Figure(
            "Regimes", figures.svg(chart), f"delta = {delta:g}. Blue: what all gain; none in the mixed regime."
        ),
        page.Figure("Learning when it is cheap", figures.svg(learning), "Costs of learning are drawn from U(0, Kmax)."),
        page.Figure("Copying where cues are weak", figures.svg(copying), "Cues are N(1, sigma)."),
    ]


STUDY = Study(
    "niche",
    "When does culture make a species fitter?",
    CLAIMS,
    conditions,
    {"smoke": 1, "laptop": 5, "paper": 10},
    sections,
    "Mechanics are derived from the tutorial's statement, and parameters are ours; the bodies of the papers were not "
    "available to us. Thresholds and limits are formulas and do not vary over seeds.",
)
