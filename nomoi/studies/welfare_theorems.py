"""Is what a market brings good for all, and can any good allocation be brought by a market?  Both welfare theorems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nomoi.markets import economies
from nomoi.markets.economy import Economy
from nomoi.markets.reading import economy
from nomoi.markets.welfare import optimum
from nomoi.populations.engine import seed_of
from nomoi.runs.effects import of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial


def _tastes(rng: np.random.Generator) -> dict[str, object]:
    return {"family": "ces", "sigma": float(rng.uniform(0.3, 3)), "weights": rng.uniform(0.1, 1, 3).tolist()}


def _logs(e: Economy, allocation: np.ndarray, weights: np.ndarray) -> float:
    """A weighted sum of the logarithms of utilities."""
    rows = zip(weights, e.consumers, allocation, strict=True)
    return sum(float(w * np.log(c.utility.value(x))) for w, c, x in rows)


def drawn(key: object, worlds: int) -> Mapping[str, float]:
    """Exchange economies of three and three goods, drawn at random, CES and Leontief: gains that a program still
    finds at
    equilibria, and at what is owned; transfers that bring a random Pareto optimum about; sums of utilities."""
    rng = np.random.default_rng(seed_of(key))  # type: ignore[arg-type]
    left, owned, off, wrong, balance, less, most = [], [], [], [], [], [], []
    for k in range(worlds):
        rows = [{"utility": _tastes(rng), "endowment": rng.dirichlet(np.ones(3)).tolist()} for _ in range(3)]
        e = economy({"goods": ["a", "b", "c"], "consumers": rows})
        x = e.equilibria(seed=k)[0]
        left.append(e.pareto(x.allocation).total)
        owned.append(e.pareto(e.endowments).total)
        target = optimum(e, rng.dirichlet(np.ones(3)))
        t = e.transfers(target)
        off.append(t.certificate.gain)
        wrong.append(e.transfers(e.endowments).certificate.gain)
        balance.append(abs(t.amounts.sum()))
        m = e.incomes(x.prices)
        less.append(_logs(e, optimum(e, np.ones(3)), np.ones(3)) - _logs(e, x.allocation, np.ones(3)))
        most.append(_logs(e, optimum(e, m), m) - _logs(e, x.allocation, m))
    return {
        "left to gain": float(np.max(left)),
        "to gain from what is owned": float(np.mean(owned)),
        "worst support": float(np.max(off)),
        "support of what is owned": float(np.min(wrong)),
        "transfers do not balance": float(np.max(balance)),
        "sum falls short": float(np.mean(less)),
        "weighted sum falls short": float(np.max(most)),
    }


def exceptional(key: None) -> Mapping[str, float]:
    """Arrow's exceptional case: an allocation that is optimal, and that no prices support; beside it, one inside."""
    e = economies.named("exceptional")
    t = e.transfers(e.endowments)
    inside = e.transfers(np.array([[0.9, 0.0], [0.1, 1.0]]))
    return {
        "gains": e.pareto(e.endowments).total,
        "supported": float(t.supported),
        "supported inside": float(inside.supported),
    }


def trials(size: str) -> Sequence[Trial]:
    worlds = {"smoke": 2, "laptop": 25, "paper": 250}[size]
    return [Computed("drawn", drawn, {"worlds": worlds}), Computed("exceptional", exceptional, {}, exact=True)]


U = "utility"


CLAIMS = [
    Claim(
        "First theorem: at equilibria of drawn economies a program finds nothing to gain",
        "Arrow 1951",
        of("drawn", "left to gain"),
        below=1e-5,
        unit="log utility, worst",
        kind="ours",
    ),
    Claim(
        "Control: at what is owned before trade it does",
        "ours",
        of("drawn", "to gain from what is owned"),
        above=0.05,
        unit="log utility",
        kind="control",
    ),
    Claim(
        "Second theorem: Pareto optima drawn at random are equilibria after transfers",
        "Arrow 1951",
        of("drawn", "worst support"),
        below=1e-6,
        unit="of what is at stake, worst",
        kind="ours",
    ),
    Claim(
        "Control: what is owned before trade, no optimum, is none after any transfers",
        "ours",
        of("drawn", "support of what is owned"),
        above=1e-3,
        unit="of what is at stake, least",
        kind="control",
    ),
    Claim(
        "A competitive equilibrium does not maximise the sum of utilities (as a slide has it): it falls short",
        "ours",
        of("drawn", "sum falls short"),
        above=0.01,
        unit="log utility",
        kind="ours",
    ),
    Claim(
        "Control: of a sum weighted by incomes it does not",
        "Negishi 1960",
        of("drawn", "weighted sum falls short"),
        below=1e-6,
        unit="log utility, worst",
        kind="control",
    ),
]

READINGS = [
    Reading(
        "Gained by trade from what is owned", "ours", of("drawn", "to gain from what is owned"), unit="log utility"
    ),
    Reading("What transfers sum to, at most", "Arrow 1951", of("drawn", "transfers do not balance")),
    Reading(
        "Arrow's exceptional case: what a program finds to gain at the corner",
        "Arrow 1951",
        of("exceptional", "gains"),
        unit=U,
    ),
    Reading("... and whether prices and transfers bring it about", "Arrow 1951", of("exceptional", "supported")),
    Reading("... and an allocation with some wine for both", "Arrow 1951", of("exceptional", "supported inside")),
]

FALSE_IF = [
    ["first theorem", "an equilibrium was none, or the program finds more than there is: both theorems are proved, and "
     "what may fail is how they are computed, on economies that nobody chose"],
    ["second theorem", "prices that support an optimum cannot be found, or are not precise enough for the verifier"],
    ["the sum of utilities", "incomes happen to be alike, or utilities such that shifting them gains nothing"],
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import edgeworth, figures, page

    e = economies.named("edgeworth")
    target = optimum(e, np.array([0.6, 0.4]))
    t = e.transfers(target)
    p, half = t.prices, e.endowments.copy()
    # the transfer in bread, as far as there is bread to give
    move = t.amounts[0] / p[1]
    half[0, 1] += move
    half[1, 1] -= move
    box = edgeworth.box(e.equilibria(), half, "A transfer moves the market to another optimum")
    return [
        page.Table("What would make a claim false", ["claim", "it is false where"], FALSE_IF),
        page.Figure(
            "The second theorem in a box",
            figures.svg(box),
            f"Ann is given {move:.2f} of bread; the market then goes to the optimum that was aimed at.",
        ),
    ]


STUDY = Study(
    "welfare_theorems",
    "Is what a market brings good for all, and can a market bring any good allocation?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 4, "paper": 10},
    sections,
    "The tutorial's slide says that perfect markets maximise the sum of utilities. The first theorem says that "
    "nobody can be made "
    "better off without making another worse off, and needs neither perfect information nor decreasing returns; "
    "convexity is for "
    "existence and for the second theorem.",
    readings=READINGS,
)
