"""When does culture make a species fitter?  Small improvements, learning when it is cheap, and clear cues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.measure.statistics import over_time
from nomoi.populations.engine import seed_of
from nomoi.populations.niche import Niche, evolve, simulate
from nomoi.populations.selective import Cheap, Cue, Cumulative
from nomoi.runs.effects import of, scores
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial

TUTORIAL = "the tutorial (Hadfield et al. 2024), condition for an ESS; Boyd et al. 2011, as told there"
OURS = "ours, derived in nomoi/populations/niche.py"
CHOOSY = "ours, derived in nomoi/populations/selective.py"
ABSTRACT = "Boyd & Richerson 1995, abstract"
MODEL = vars(Niche())
PLACES = {  # one in each regime, and one between the thresholds of the two orders
    "imitate": MODEL,
    "mixed": MODEL | {"switch": 0.1},
    "learn": MODEL | {"switch": 0.6},
}
ORDERS = ("I", "II")
EDGE = MODEL | {"learning": 0.5, "imitating": 0.0, "improve": 0.1}  # thresholds .0909 (II), .1 (tutorial), .1111 (I)
CHEAP = ((1.0, 0.1), (1.0, 0.01), (2.0, 0.1), (0.2, 0.1))  # highest cost, gamma
NOISES = (1.0, 2.0, 4.0)
CROWDS = ((1.0, "I"), (0.6, "II"))  # shares of imitators, and orders of events
GAIN = 0.01  # of V: what all must have more than learners to count as fitter (ours)


def genes(
    key: jax.Array, generations: int, strength: float, mutants: float, replicates: int, **model: float | str
) -> Mapping[str, float]:
    """Where the share of imitators comes to rest, and what all gain by it; means over the last two thirds.

    Mutation is `mutants` for each unit of the strength of selection.
    """
    m = Niche(**model)  # type: ignore[arg-type]
    first = seed_of(key)
    course = evolve([m], [first + r for r in range(replicates)], generations, strength, mutants * strength)
    q, lost = course.imitators[generations // 3 :], 1 - course.fitting[generations // 3 :]
    gain = float((q * m.value * (m.saving - lost)).mean())
    return {"q": float(q.mean()), "off q": float(q.mean()) - m.equilibrium().value, "gain": gain}


def drawn(
    key: jax.Array, worlds: int, generations: int, strength: float, mutants: float, replicates: int, order: str
) -> Mapping[str, float]:
    """In how many worlds drawn at random all gain, where the tutorial's condition for imitation holds and elsewhere."""
    rng, first = np.random.default_rng(seed_of(key)), seed_of(key)
    many = [
        Niche(
            learning=rng.uniform(0.1, 0.8), imitating=0.0, improve=rng.uniform(0.01, 0.4),
            switch=float(np.exp(rng.uniform(np.log(0.002), np.log(0.3)))), order=order,
        )
        for _ in range(worlds)
    ]  # fmt: skip
    course = evolve(many, [first + r for r in range(replicates)], generations, strength, mutants * strength)
    saving = np.repeat([m.saving for m in many], replicates)
    late = (course.imitators * (saving - 1 + course.fitting))[generations // 3 :]
    fitter = late.mean(0).reshape(worlds, replicates).mean(1) > GAIN
    inside = np.array([m.switch < m.tutorial_threshold().value for m in many])
    share = lambda where: float(fitter[where].mean()) if where.any() else np.nan  # noqa: E731
    return {"inside": share(inside), "outside": share(~inside), "worlds inside": float(inside.mean())}


def individuals(key: jax.Array, q: float, people: int, generations: int, **model: float | str) -> Mapping[str, float]:
    """Mean loss of imitators, individuals one by one, against the formula."""
    m = Niche(**model)  # type: ignore[arg-type]
    fitting, error = simulate(m, q, people, generations, [seed_of(key)]).late("fitting", 0.1)
    return {"lost": 1 - fitting, "standard errors off": (1 - fitting - float(m.lost(q))) / error}


def threshold(key: None, **model: float | str) -> Mapping[str, float]:
    """Exact and printed threshold of gamma."""
    m = Niche(**model)  # type: ignore[arg-type]
    exact, printed = m.threshold().value, m.tutorial_threshold().value
    return {"exact": exact, "printed": printed, "printed over exact": printed - exact}


def cheap(key: jax.Array, people: int, generations: int, **model: float) -> Mapping[str, float]:
    """Learning where it is cheap: fitness at the stable limit by individuals, against learning always."""
    m = Cheap(**model)
    limit = m.limit().value
    right, error = over_time(m.simulate(limit, people, generations, [seed_of(key)])[generations // 10 :])
    fitness = m.gap * (2 * right - 1) - min(limit, m.highest) ** 2 / (2 * m.highest)
    off = (right - m.right(limit)) / (error or np.inf)  # where all learn all are right, without chance
    return {"limit": limit, "fitness": fitness, "gain": fitness - m.alone, "standard errors off": off,
            "more learning": m.fitness(limit * 1.01) - m.fitness(limit)}  # fmt: skip


def cues(key: jax.Array, people: int, generations: int, **model: float) -> Mapping[str, float]:
    """Copying where the cue is weak: how many copy, and how many are right, by individuals."""
    m = Cue(**model)
    limit = m.limit().value
    right, error = over_time(m.simulate(limit, people, generations, [seed_of(key)])[generations // 10 :])
    return {"limit": limit, "copy": float(m.chances(limit)[1]), "right": right, "gain": right - m.alone,
            "standard errors off": (right - float(m.right(limit))) / error}  # fmt: skip


def reliance(key: None, steps: int) -> Mapping[str, float]:
    """How much copying there is at rest, over a grid of noise and of change: its least rise with one, most with the
    other."""
    noise, switch = np.linspace(0.3, 5, steps), np.linspace(0.005, 0.45, steps)
    worlds = [[Cue(noise=float(s), switch=float(g)) for g in switch] for s in noise]
    copy = np.array([[float(m.chances(m.limit().value)[1]) for m in row] for row in worlds])
    return {"least rise with noise": float(np.diff(copy, axis=0).min()),
            "most rise with change": float(np.diff(copy, axis=1).max())}  # fmt: skip


def heights(key: jax.Array, generations: int, replicates: int, **model: float) -> Mapping[str, float]:
    """Mean height of lineages, against what one reaches alone, and against the formula."""
    m = Cumulative(**model)
    first = seed_of(key)
    found, error = over_time(m.simulate(generations, [first + r for r in range(replicates)])[generations // 10 :])
    return {"height": found, "times": found / m.improve, "standard errors off": (found - m.level) / error}


def trials(size: str) -> Sequence[Trial]:
    people = {"smoke": 50, "laptop": 300, "paper": 3000}[size]
    long = {"smoke": 300, "laptop": 6000, "paper": 40_000}[size]
    slow = {"smoke": 600, "laptop": 30_000, "paper": 60_000}[size]
    weak = {"generations": slow, "strength": 0.02, "mutants": 1e-5, "replicates": 20}
    some = weak | {"worlds": {"smoke": 20}.get(size, 100), "replicates": 2}
    crowd = {"people": people, "generations": long}
    edge = EDGE | {"people": people // 2, "generations": 4 * long, "switch": 0.05}
    return [
        *(
            Computed(f"genes, {name}, order {order}", genes, model | weak | {"order": order})
            for name, model in PLACES.items()
            for order in ORDERS
        ),
        *(Computed(f"drawn, order {o}", drawn, some | {"order": o}) for o in ORDERS),
        *(Computed(f"individuals, q {q:g}, order {o}", individuals, edge | {"order": o, "q": q}) for q, o in CROWDS),
        *(Computed(f"threshold, order {o}", threshold, EDGE | {"order": o}, exact=True) for o in ORDERS),
        Computed("threshold, quadratic", threshold, EDGE | {"loss": "quadratic", "improve": 0.01}, exact=True),
        *(Computed(f"cheap {k:g}, gamma {g:g}", cheap, crowd | {"gap": 1.0, "highest": k, "switch": g})
          for k, g in CHEAP),
        *(Computed(f"cue {s:g}", cues, crowd | {"noise": s, "switch": 0.05}) for s in NOISES),
        Computed("reliance", reliance, {"steps": {"smoke": 4}.get(size, 12)}, exact=True),
        *(Computed(f"height, fidelity {f:g}", heights,
                   {"generations": long, "replicates": 20, "improve": 0.05, "switch": 0.01, "fidelity": f})
          for f in (0.9, 1.0)),
    ]  # fmt: skip


def _agrees(text: str, source: str, label: str) -> Claim:
    return Claim(text, source, scores(label, "standard errors off"), near=0, tolerance=2, unit="standard errors",
                 kind="ours")  # fmt: skip


CLAIMS = [
    Claim("Culture raises mean fitness where (delta / (1 - delta)) a > gamma: in nine of ten worlds that are drawn "
          "(order II)", TUTORIAL, of("drawn, order II", "inside"), above=0.9, unit="of worlds"),
    *(
        Claim(f"... and hardly anywhere else (order {order})", OURS, of(f"drawn, order {order}", "outside"), below=0.1,
              unit="of worlds", kind="ours")
        for order in ORDERS
    ),
    *(
        Claim(f"Imitators come to rest where D(q) = delta (mixed, order {order})", OURS,
              of(f"genes, mixed, order {order}", "off q"), near=0, tolerance=0.01, unit="share", kind="ours")
        for order in ORDERS
    ),
    *(
        _agrees(f"Individuals lose as much as the formula says (q = {q:g}, order {o})", OURS,
                f"individuals, q {q:g}, order {o}")
        for q, o in CROWDS
    ),
    *(
        _agrees(f"Who learns when it is cheap is right as often as the formula says (Kmax {k:g}, gamma {g:g})", CHOOSY,
                f"cheap {k:g}, gamma {g:g}")
        for k, g in CHEAP[:3]
    ),
    *(
        _agrees(f"... and so is who copies where a cue is weak (sigma {s:g})", CHOOSY, f"cue {s:g}")
        for s in NOISES
    ),
    *(
        _agrees(f"Lineages stand as high as the formula says (fidelity {f:g})", CHOOSY, f"height, fidelity {f:g}")
        for f in (0.9, 1.0)
    ),
]  # fmt: skip

READINGS = [
    Reading("in how many worlds drawn at random with (delta / (1 - delta)) a > gamma culture raises mean fitness "
            "(order I, where the exact threshold is above the tutorial's)", TUTORIAL, of("drawn, order I", "inside"),
            unit="of worlds"),
    *(
        Reading(f"how far from {corner} imitators come to rest ({name}, order {order})", OURS,
                of(f"genes, {name}, order {order}", "off q"), unit="share")
        for name, corner in (("imitate", 1), ("learn", 0))
        for order in ORDERS
    ),
    Reading("the least by which more copy where cues are noisier, over a grid of noise and change", CHOOSY,
            of("reliance", "least rise with noise"), unit="share"),
    Reading("the most by which more copy where things change more often, over that grid (less than 0: fewer do)",
            CHOOSY, of("reliance", "most rise with change"), unit="share"),
    Reading("the tutorial's threshold of gamma less the exact one, order I (a = .1, delta = .5)", OURS,
            of("threshold, order I", "printed over exact")),
    Reading("the same, order II", OURS, of("threshold, order II", "printed over exact")),
    Reading("the exact threshold with a quadratic loss (a = .01), in parts of the tutorial's", OURS,
            lambda r: r.late("threshold, quadratic", "exact") / r.late("threshold, quadratic", "printed")),
    *(
        Reading(f"what all gain where imitation is stable (order {order})", OURS,
                of(f"genes, imitate, order {order}", "gain"), unit="of V")
        for order in ORDERS
    ),
    *(
        Reading(f"what is left of it where imitators and learners mix (order {order})", OURS,
                of(f"genes, mixed, order {order}", "gain"), unit="of V")
        for order in ORDERS
    ),
    *(
        Reading(f"gained by who learns when it is cheap over who always learns (Kmax {k:g}, gamma {g:g})", ABSTRACT,
                of(f"cheap {k:g}, gamma {g:g}", "gain"), unit="of D")
        for k, g in CHEAP
    ),
    Reading("gained by all if each learned for 1 % more (Kmax 1, gamma 0.1)", CHOOSY,
            of("cheap 1, gamma 0.1", "more learning"), unit="of D"),
    *(
        Reading(f"by how much who copies where a cue is weak is right more often (sigma {s:g})", ABSTRACT,
                of(f"cue {s:g}", "gain"), unit="share")
        for s in NOISES
    ),
    Reading("how many times higher than anybody alone what is copied faithfully stands", OURS,
            of("height, fidelity 1", "times"), unit="times"),
    Reading("what is left of that where one copy in ten is dropped for looking worse", CHOOSY,
            lambda r: r.late("height, fidelity 0.9", "height") / r.late("height, fidelity 1", "height")),
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
    trials,
    {"smoke": 1, "laptop": 5, "paper": 10},
    sections,
    "Mechanics are derived from the tutorial's statement, and parameters are ours; the bodies of the papers were not "
    "available to us. Worlds drawn at random have a from 0.01 to 0.4, delta from 0.1 to 0.8 and gamma from 0.002 to "
    "0.3 (evenly in its logarithm), 100 a seed; all count as fitter where they have 0.01 of V more than learners. "
    "Mutation is 1e-5 a unit of the strength of selection.",
    readings=READINGS,
)
