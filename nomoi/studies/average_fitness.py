"""Why copying alone makes nobody fitter: the tutorial's figure of average fitness against the share of imitators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.populations.engine import seed_of
from nomoi.populations.imitation import Imitation, evolve, simulate
from nomoi.runs.effects import of, scores
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial

TUTORIAL = "the tutorial (Hadfield et al. 2024)"
PARADOX = (
    "ours, after Rogers 1988, as told in the abstract of Boyd & Richerson 1995 (at q* of A2.5 all fare as learners)"
)
OURS = "ours, derived in nomoi/populations/imitation.py"
REST = f"{OURS} (q* as in A2.5 of {TUTORIAL})"
CURVE = f"{OURS} (mean fitness by A2.4, as in the figure of {TUTORIAL})"
MODEL = vars(Imitation())
GRID = (0.1, 0.25, 0.4073, 0.55, 0.6818, 0.8, 0.9)  # with q_opt and q* of the default
CASES = {
    "n 1, gamma .1, C .3": MODEL,
    "n 5, gamma .1, C .3": MODEL | {"models": 5},
    "n 1, gamma .01, C .3": MODEL | {"switch": 0.01},
    "n 1, gamma .05, C .5": MODEL | {"switch": 0.05, "cost": 0.5},
}
RARE = MODEL | {"switch": 0.01}  # where few learn at rest, so that mutants who learn count most
STRENGTHS = (0.005, 0.02, 0.1)
DRAWN = ((1, 6), (0.02, 0.3), (0.1, 0.7))  # n, gamma and C/D of worlds drawn at random: from, to (ours)


def individuals(key: jax.Array, q: float, people: int, generations: int, **model: float | str) -> Mapping[str, float]:
    """Mean fitness where a share `q` of `people` imitate, individuals one by one; and how far off A2.4 they are."""
    m = Imitation(**model)  # type: ignore[arg-type]
    course = simulate(m, q, people, generations, [seed_of(key)])
    (fitting, error), share = course.late("fitting", 0.1), float(course.imitators[0, 0])
    imitator, learner = m.base + m.gap * (2 * fitting - 1), m.base + m.gap - m.cost
    return {
        "fitting": fitting,
        "imitator": imitator,
        "mean": (1 - share) * learner + share * imitator,
        "standard errors off": (fitting - m.fitting(share).value) / error,
    }


def drawn(key: jax.Array, worlds: int, people: int, generations: int) -> Mapping[str, float]:
    """What all gain by imitating in worlds drawn at random, in parts of the most there is: below q*, at it, beyond."""
    rng, found = np.random.default_rng(seed_of(key)), []
    for _ in range(worlds):
        n, gamma, cost = (rng.uniform(low, high) for low, high in DRAWN)
        m = Imitation(models=int(n), switch=gamma, cost=cost)
        rest, seed = m.equilibrium().value, int(rng.integers(2**31))
        shares = (0.6 * rest, rest, (1 + rest) / 2)
        found.append([_gain(m, q, people, generations, seed) / _most(m) for q in shares])
    return dict(zip(("below", "at", "beyond"), map(float, np.mean(found, 0)), strict=True))


def _gain(m: Imitation, q: float, people: int, generations: int, seed: int) -> float:
    """What all have on average more than learners, individuals one by one."""
    course = simulate(m, q, people, generations, [seed])
    return float(course.imitators[0, 0]) * (m.cost - 2 * m.gap * (1 - course.late("fitting", 0.1)[0]))


def _most(m: Imitation) -> float:
    """What all gain at the best mixture, by formula."""
    return float(m.fitness(m.optimum().value).mean) - (m.base + m.gap - m.cost)


def genes(
    key: jax.Array, generations: int, strength: float, mutants: float, replicates: int, **model: float | str
) -> Mapping[str, float]:
    """Where the share of imitators comes to rest under weak selection; means over the last two thirds.

    Mutation is `mutants` for each unit of the strength of selection.  `balance` is what imitators seem to gain where
    mutation and selection hold each other: mutation (2 q - 1) / (strength (1 - q)).
    """
    m = Imitation(**model)  # type: ignore[arg-type]
    first = seed_of(key)
    course = evolve([m], [first + r for r in range(replicates)], generations, strength, mutants * strength)
    q, p = course.imitators[generations // 3 :], course.fitting[generations // 3 :]
    gain = float((q * (m.cost - 2 * m.gap * (1 - p))).mean())
    return {
        "q": float(q.mean()),
        "off q*": float(q.mean()) - m.equilibrium().value,
        "over learners": gain,
        "of the most": gain / _most(m),
        "balance": float((mutants * (2 * q - 1) / (1 - q)).mean()),
    }


def formulas(key: None, **model: float | str) -> Mapping[str, float]:
    """What the equations say of one world."""
    m = Imitation(**model)  # type: ignore[arg-type]
    best = m.optimum().value
    return {
        "q*": m.equilibrium().value,
        "q_opt": best,
        "most": _most(m),
        "right at q*": m.fitting(m.equilibrium().value).value,
        "off as printed": 2 * m.gap * (2 * m.fitting(best).value - 1),
    }


def trials(size: str) -> Sequence[Trial]:
    people = {"smoke": 50, "laptop": 300, "paper": 3000}[size]
    long = {"smoke": 300, "laptop": 8000, "paper": 40_000}[size]
    slow = {"smoke": 600, "laptop": 30_000, "paper": 60_000}[size]
    fixed = {"people": people, "generations": long}
    weak = {"generations": slow, "strength": 0.02, "mutants": 1e-5, "replicates": 20}
    return [
        *(Computed(f"q {q:g}", individuals, MODEL | fixed | {"q": q}) for q in GRID),
        Computed("nothing comes back", individuals, MODEL | fixed | {"q": 0.5, "environment": "infinite"}),
        Computed("drawn", drawn, {"worlds": {"smoke": 2}.get(size, 8), "people": people, "generations": long}),
        *(Computed(f"genes, {name}", genes, model | weak) for name, model in CASES.items()),
        *(Computed(f"genes, strength {s:g}", genes, RARE | weak | {"strength": s, "mutants": 0.0}) for s in STRENGTHS),
        Computed("slow genes, much mutation", genes, RARE | weak | {"strength": 0.005, "mutants": 0.002}),
        Computed("formulas", formulas, MODEL, exact=True),
    ]


def _quicker(one: float, other: float):
    gain = lambda r, s: r.late(f"genes, strength {s:g}", "over learners")  # noqa: E731
    return lambda r: gain(r, one) - gain(r, other)


SLOW = "slow genes, much mutation"
CLAIMS = [
    # controls: the simulation against the closed forms of the same model
    *(
        Claim(f"Imitators come to rest at q* ({name})", REST, of(f"genes, {name}", "off q*"), near=0, tolerance=0.01,
              unit="share", kind="control")
        for name in CASES
    ),
    *(
        Claim(f"... where nobody fares better than if all learned: Rogers' paradox ({name})", PARADOX,
              of(f"genes, {name}", "of the most"), near=0, tolerance=0.05, unit="of what the best mixture gains",
              kind="control")
        for name in CASES
    ),
    *(
        Claim(f"Imitators are right as often as A2.4 says (q = {q:g})", f"{TUTORIAL}, A2.4",
              scores(f"q {q:g}", "standard errors off"), near=0, tolerance=2, unit="standard errors")
        for q in (0.4073, 0.9)
    ),
    Claim("While imitators are few, mean fitness is above that of learners (0.6 q*, worlds drawn at random)",
          CURVE, of("drawn", "below"), above=0, unit="of what the best mixture gains", kind="control"),
    Claim("At q* it is back where it began", CURVE, of("drawn", "at"), near=0, tolerance=0.05,
          unit="of what the best mixture gains", kind="control"),
    Claim("Beyond q* imitators drag all below learners (halfway to 1)", CURVE, of("drawn", "beyond"), below=0,
          unit="of what the best mixture gains", kind="control"),
    Claim("Where nothing comes back, (1 - Q) / (1 - Q (1 - gamma)) are right", OURS,
          scores("nothing comes back", "standard errors off"), near=0, tolerance=2, unit="standard errors",
          kind="ours"),
    Claim("The paradox is exact only where genes are slow: without mutation, strength 0.02 gains more than 0.005", OURS,
          _quicker(0.02, 0.005), above=0, unit="fitness", kind="ours"),
    Claim("... and strength 0.1 more than 0.02", OURS, _quicker(0.1, 0.02), above=0, unit="fitness", kind="ours"),
]  # fmt: skip

READINGS = [
    Reading("q*, where imitators rest (n = 1, gamma = .1, C/D = .3)", f"{TUTORIAL}, A2.5", of("formulas", "q*")),
    Reading("q_opt, where mean fitness is highest", OURS, of("formulas", "q_opt")),
    Reading("what all gain there", OURS, of("formulas", "most"), unit="fitness"),
    Reading("how many imitators are right at q*, 1 - C / 2D whatever n and gamma", OURS,
            of("formulas", "right at q*"), unit="share"),
    Reading("what imitators gain under a mutation that is not scaled with selection (1e-5, strength 0.005), in parts "
            "of what its balance with selection says, m (2q - 1) / (s (1 - q)), at the q that was simulated", OURS,
            lambda r: r.late(SLOW, "over learners") / r.late(SLOW, "balance"), unit="of the balance"),
    Reading("by how much W_I as the tutorial prints it, W0 - D (2P - 1), is below the mean W0 + D (2P - 1) at q_opt",
            f"{TUTORIAL}, W_I below A2.4", of("formulas", "off as printed"), unit="fitness"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    """The tutorial's figure; q* by what it hangs on."""
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
    trials,
    {"smoke": 1, "laptop": 5, "paper": 10},
    sections,
    "The equations are the tutorial's, with its W_I corrected (plus, not minus; only so does its A2.5 follow). "
    "Parameters are ours: the tutorial's figure bears no numbers, and the figures of the 1995 paper were not available "
    "to us. Each condition of genes is the mean of 20 replicates, with a mutation of 1e-5 a unit of the strength of "
    "selection: mutation keeps learners alive where hardly any are left, which looks like a gain of imitators. "
    "Worlds drawn at random have n from 1 to 5, gamma from 0.02 to 0.3 and C/D from 0.1 to 0.7.",
    readings=READINGS,
)
