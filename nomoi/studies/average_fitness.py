"""Why copying alone makes nobody fitter: the tutorial's figure of average fitness against the share of imitators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.populations.engine import seed_of
from nomoi.populations.imitation import Imitation, evolve, simulate
from nomoi.study import Claim, Computed, Condition, Results, Study

TUTORIAL = "tutorial, A2.1 to A2.5 (Boyd & Richerson 1995)"
DERIVED = "derived (spec A.2)"
MODEL = vars(Imitation())
GRID = (0.1, 0.25, 0.4073, 0.55, 0.6818, 0.8, 0.9)  # with q_opt and q* of the default
CASES = {
    "n 1, gamma .1, C .3": MODEL,
    "n 5, gamma .1, C .3": MODEL | {"models": 5},
    "n 1, gamma .01, C .3": MODEL | {"switch": 0.01},
    "n 1, gamma .05, C .5": MODEL | {"switch": 0.05, "cost": 0.5},
}


PRINTED_OFF = 2 * (2 * Imitation().fitting(0.4073).value - 1)  # 2D (2P - 1) at the best mixture of the default


def individuals(key: jax.Array, q: float, people: int, generations: int, **model: float | str) -> Mapping[str, float]:
    """Mean fitness where a share `q` of `people` imitate, individuals one by one; and what the formulas say."""
    m = Imitation(**model)  # type: ignore[arg-type]
    course = simulate(m, q, people, generations, [seed_of(key)])
    fitting, share = course.late("fitting", 0.1)[0], float(course.imitators[0, 0])
    imitator = m.base + m.gap * (2 * fitting - 1)
    learner = m.base + m.gap - m.cost
    printed = m.base - m.gap * (2 * m.fitting(q).value - 1)
    return {
        "fitting": fitting,
        "imitator": imitator,
        "mean": (1 - share) * learner + share * imitator,
        "over learners": share * (imitator - learner),
        "off formula": fitting - m.fitting(share).value,
        "off formula as printed": imitator - printed,
    }


def genes(
    key: jax.Array, generations: int, strength: float, mutation: float, replicates: int, **model: float | str
) -> Mapping[str, float]:
    """Where the share of imitators comes to rest under weak selection; means over the last two thirds."""
    m = Imitation(**model)  # type: ignore[arg-type]
    first = seed_of(key)
    course = evolve([m], [first + r for r in range(replicates)], generations, strength, mutation)
    q, p = course.imitators[generations // 3 :], course.fitting[generations // 3 :]
    return {
        "q": float(q.mean()),
        "off q*": float(q.mean()) - m.equilibrium().value,
        "fitting": float(p.mean()),
        "over learners": float((q * (m.cost - 2 * m.gap * (1 - p))).mean()),
    }


def conditions(size: str) -> Sequence[Condition]:
    people = {"smoke": 50, "laptop": 300, "paper": 3000}[size]
    long = {"smoke": 300, "laptop": 8000, "paper": 40_000}[size]
    slow = {"smoke": 600, "laptop": 30_000, "paper": 60_000}[size]
    fixed = {"people": people, "generations": long}
    weak = {"generations": slow, "strength": 0.02, "mutation": 1e-5, "replicates": 20}
    return [
        *(Computed(f"q {q:g}", individuals, MODEL | fixed | {"q": q}) for q in GRID),
        Computed("nothing comes back", individuals, MODEL | fixed | {"q": 0.5, "environment": "infinite"}),
        *(Computed(f"genes, {name}", genes, model | weak) for name, model in CASES.items()),
        Computed("slow genes", genes, MODEL | weak | {"switch": 0.01, "strength": 0.005}),
        Computed("quick genes", genes, MODEL | weak | {"switch": 0.01, "strength": 0.1}),
    ]


def _off(label: str, measure: str):
    return lambda r: r.late(label, measure)


CLAIMS = [
    *(
        Claim(f"Imitators come to rest at q* ({name})", TUTORIAL, _off(f"genes, {name}", "off q*"), near=0,
              tolerance=0.012, unit="share")
        for name in CASES
    ),
    *(
        Claim(f"... where nobody fares better than if all learned: Rogers' paradox ({name})",
              "Rogers 1988, in Boyd & Richerson 1995 (abstract)", _off(f"genes, {name}", "over learners"), near=0,
              tolerance=0.01, unit="fitness")
        for name in CASES
    ),
    Claim("The paradox is exact only where genes are slow: under strong selection all gain by imitating in good times",
          "inferred (spec A.4, caveat)",
          lambda r: r.late("quick genes", "over learners") - r.late("slow genes", "over learners"), above=0,
          unit="fitness"),
    Claim("Imitators are right as often as A2.4 says (q = 0.4)", TUTORIAL, _off("q 0.4073", "off formula"), near=0,
          tolerance=0.02, unit="share"),
    Claim("Imitators are right as often as A2.4 says (q = 0.9)", TUTORIAL, _off("q 0.9", "off formula"), near=0,
          tolerance=0.02, unit="share"),
    Claim("Where nothing comes back, (1 - Q) / (1 - Q (1 - gamma)) are right", DERIVED,
          _off("nothing comes back", "off formula"), near=0, tolerance=0.02, unit="share"),
    Claim("While imitators are few, mean fitness is above that of learners (q = 0.4)", DERIVED,
          _off("q 0.4073", "over learners"), near=0.0730, tolerance=0.01, unit="fitness"),
    Claim("At q* it is back where it began", TUTORIAL, _off("q 0.6818", "over learners"), near=0, tolerance=0.01,
          unit="fitness"),
    Claim("Beyond q* imitators drag all below learners (q = 0.9)", DERIVED, _off("q 0.9", "over learners"), below=0,
          unit="fitness"),
    Claim("The tutorial's W_I = W0 - D (2P - 1) has the wrong sign: it is too low by 2D (2P - 1) (q = 0.4)", DERIVED,
          _off("q 0.4073", "off formula as printed"), near=PRINTED_OFF, tolerance=0.05, unit="fitness"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    """The seed's figure; q* by what it hangs on."""
    from nomoi.report import charts, figures, page

    model, q = Imitation(), np.linspace(0, 1, 201)
    fitness, rest, best = model.fitness(q), model.equilibrium().value, model.optimum().value
    dots = {
        name: (GRID, np.stack([results.late(f"q {x:g}", measure) for x in GRID], 1))
        for name, measure in (("imitators", "imitator"), ("all, on average", "mean"))
    }
    curves = {"learners": fitness.learner, "imitators": fitness.imitator, "all, on average": fitness.mean}
    average = charts.lines(
        {name: (q, y) for name, y in curves.items()}, "fitness", "Average fitness", "frequency of imitators q", dots,
        {"q_opt": best, "q*": rest},
    )  # fmt: skip
    gamma = np.linspace(0.005, 0.5, 100)
    stars = charts.lines(
        {
            f"n = {n}": (gamma, [Imitation(models=n, switch=float(g)).equilibrium().value for g in gamma])
            for n in (1, 2, 5, 20)
        },
        "q*, frequency of imitators at rest", "More models, and a steadier world, make for more imitators",
        "chance gamma that the environment changes",
    )  # fmt: skip
    return [
        page.Figure("Average fitness", figures.svg(average), "n = 1, gamma = 0.1, C/D = 0.3, W0 = 2."),
        page.Figure("At rest", figures.svg(stars), "C/D = 0.3. Mean fitness is that of learners in every point of it."),
    ]


STUDY = Study(
    "average_fitness",
    "Why does copying others make nobody fitter in the end?",
    CLAIMS,
    conditions,
    {"smoke": 1, "laptop": 5, "paper": 10},
    sections,
    "The equations are the tutorial's, with its W_I corrected (plus, not minus; only so does its A2.5 follow). "
    "Parameters are ours: the tutorial's figure bears no numbers, and the figures of the 1995 paper were not available "
    "to us. Each condition of genes is the mean of 20 replicates.",
)
