"""Which prices clear all markets, how many such prices are there, and does adjusting prices find them?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nomoi.markets import economies, tatonnement
from nomoi.markets.reading import economy
from nomoi.markets.verify import verify
from nomoi.populations.engine import seed_of
from nomoi.runs.effects import of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial

NAMES = ("three_equilibria", "kehoe_exchange", "kehoe", "scarf", "scarf_hansen")
STARTS = ((1.2, 0.9, 0.9), (1.3, 1.0, 0.7))


def solved(key: None, name: str) -> Mapping[str, float]:
    """How many equilibria an economy has, what their indices sum to, and how far the worst of them is from one."""
    found = economies.named(name).equilibria()
    return {
        "equilibria": float(len(found)),
        "sum of indices": float(sum(e.index or 0 for e in found)),
        "worst gain": max(e.certificate.gain for e in found),
        **{f"price {k + 1} in {j + 1}": float(p) for j, e in enumerate(found) for k, p in enumerate(e.prices)},
    }


def cycles(key: None, times: float) -> Mapping[str, float]:
    """Scarf's economy, dp/dt = z(p): how much prices still swing in the last half, and what of p never changes."""
    scarf = economies.named("scarf")
    path = tatonnement.flow(scarf, np.array(STARTS[0]), np.linspace(0, times, 2001))
    calm = tatonnement.flow(economies.named("three_equilibria"), np.array([0.51, 0.49]), np.linspace(0, times, 101))
    return {
        "swing": float(np.ptp(path[1000:], axis=0).min()),
        "sum of squares": float((path[-1] ** 2).sum()),
        "product": float(path[-1].prod()),
        "ends at": float(calm[-1, 0] / calm[-1].sum()),
    }


def _stubborn(rng: np.random.Generator) -> dict[str, object]:
    """A utility with little wish to substitute."""
    return {"family": "ces", "rho": -float(rng.uniform(2, 12)), "weights": rng.lognormal(0, 2, 2).tolist()}


def drawn(key: object, worlds: int) -> Mapping[str, float]:
    """Exchange economies of two with CES utilities of low elasticity, drawn at random: in how many there are several
    equilibria; of those found, how many still pass the verifier with a price off by 1e-3."""
    rng = np.random.default_rng(seed_of(key))  # type: ignore[arg-type]
    several, fooled, odd, total = 0, 0, 0, 0
    for _ in range(worlds):
        part = rng.uniform(0, 0.1)
        e = economy(
            {
                "goods": ["a", "b"],
                "consumers": [
                    {"utility": _stubborn(rng), "endowment": [1 - part, part]},
                    {"utility": _stubborn(rng), "endowment": [part, 1 - part]},
                ],
            }
        )
        found = e.equilibria()
        several += len(found) > 1
        odd += sum(x.index or 0 for x in found) == 1
        for x in found:
            total += 1
            fooled += verify(e, x.prices * [1.001, 1], x.allocation).holds
    return {
        "several": several / worlds,
        "fooled": fooled / total,
        "indices sum to one": odd / worlds,
    }


def trials(size: str) -> Sequence[Trial]:
    worlds = {"smoke": 4, "laptop": 100, "paper": 1000}[size]
    return [
        *(Computed(name, solved, {"name": name}, exact=True) for name in NAMES),
        Computed("tatonnement", cycles, {"times": 200.0}, exact=True),
        Computed("drawn", drawn, {"worlds": worlds}),
    ]


CLAIMS = [
    Claim(
        "Of traders drawn with little wish to substitute, more than one pair in twenty has several equilibria",
        "ours",
        of("drawn", "several"),
        above=0.05,
        unit="of economies",
        kind="ours",
    ),
    Claim(
        "Indices sum to one, so that none was missed that the theory can tell",
        "Dierker 1972",
        of("drawn", "indices sum to one"),
        above=0.95,
        unit="of economies",
        kind="ours",
    ),
    Claim(
        "Control: no equilibrium passes the verifier with a price off by 1e-3",
        "ours",
        of("drawn", "fooled"),
        below=0.001,
        unit="of equilibria",
        kind="control",
    ),
]

READINGS = [
    *(
        Reading(f"{text}: equilibria that are found", source, of(name, "equilibria"))
        for name, text, source in (
            ("three_equilibria", "Two traders (three by the textbook)", "Mas-Colell et al. 1995, 15.B.2"),
            ("kehoe_exchange", "Two traders with CES utilities (three)", "Kehoe 1991"),
            ("kehoe", "Four goods with production (three)", "Kehoe 1985"),
            ("scarf_hansen", "Six goods with production (one)", "Scarf & Hansen 1973"),
        )
    ),
    *(
        Reading(
            f"{name}: the most that anybody could gain in an equilibrium found",
            "ours",
            of(name, "worst gain"),
            unit="of what is at stake",
        )
        for name in NAMES
    ),
    *(
        Reading(
            f"Kehoe's second equilibrium: price of good {k}, good 2 being 1",
            "Kehoe 1985",
            lambda r, k=k: r.late("kehoe", f"price {k} in 1") / r.late("kehoe", "price 2 in 1"),
        )
        for k in (1, 3, 4)
    ),
    Reading(
        "Scarf's economy: by how much a price still swings after t = 100", "Scarf 1960", of("tatonnement", "swing")
    ),
    Reading("... sum of squared prices after t = 200 (3.06 at the start)", "Scarf 1960",
            of("tatonnement", "sum of squares")),
    Reading("... and their product (0.972 at the start)", "Scarf 1960", of("tatonnement", "product")),
    Reading(
        "A start beside the middle one of three equilibria (p = 1/2, relative to all) ends at",
        "Mas-Colell et al. 1995, 15.B.2",
        of("tatonnement", "ends at"),
    ),
]  # fmt: skip

FALSE_IF = [
    ["several equilibria", "they are rarer than that among economies drawn so. They are, so it fails"],
    ["indices", "the search along the line of relative prices misses roots, such as two within one cell of its grid"],
    ["control", "the verifier is too lax for prices that are wrong in the third digit"],
]


def sections(results: Results) -> list[object]:
    from nomoi.report import edgeworth, figures, page

    three, scarf = economies.named("three_equilibria"), economies.named("scarf")
    found = three.equilibria()
    flows = [tatonnement.flow(scarf, np.array(s), np.linspace(0, 40, 801)) for s in STARTS]
    return [
        page.Table("What would make a claim false", ["claim", "it is false where"], FALSE_IF),
        page.Figure(
            "Three equilibria in a box",
            figures.svg(edgeworth.box(found)),
            "Dotted: indifference curves through what is owned; the budget line of each equilibrium goes through it.",
        ),
        page.Figure("Excess demand and its roots", figures.svg(edgeworth.roots(found)), "With the index of each."),
        page.Figure(
            "Scarf's cycles",
            figures.svg(edgeworth.paths(scarf, flows, np.ones(3) / 3, "Prices that rise and fall for ever")),
            "Two starts, t from 0 to 40; the star is the only equilibrium.",
        ),
    ]


STUDY = Study(
    "equilibria",
    "Which prices clear all markets, how many are there, and does adjusting prices find them?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 4, "paper": 10},
    sections,
    "Every equilibrium is certified by a verifier that imports no solver. That there are no others is proved for gross "
    "substitutes alone; elsewhere indices tell whether one was missed. How many equilibria cases of the literature "
    "have, and that prices which adjust go round in Scarf's economy, is known: that nomoi finds the same is a check of "
    "the code, which the tests hold, and gets no verdict.",
    readings=READINGS,
)
