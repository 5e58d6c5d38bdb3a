"""Where do markets fail, how much is lost, and which institution mends it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from nomoi import govern
from nomoi.core import Institution, Situation
from nomoi.institutions.levy import Levy
from nomoi.institutions.permits import Permits
from nomoi.markets import failures
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial
from nomoi.situations.works import Works
from nomoi.solve.pure import pure
from nomoi.solve.unfold import normal_form

KINDS: Mapping[str, tuple[Callable[..., failures.Loss], str]] = {
    "externality": (failures.externality, "a levy of the harm"),
    "power": (failures.power, "a subsidy of the margin"),
    "returns": (failures.returns, "a fixed part paid by all"),
    "missing": (failures.missing, "a security for the weather"),
    "lemons": (failures.lemons, "disclosure of the quality"),
    "wedge": (failures.wedge, "a lump sum"),
    "rationing": (failures.rationing, "a free price"),
}
SWEEPS: Mapping[str, tuple[str, Sequence[float]]] = {
    "externality": ("harm", (0.25, 0.5, 1.0, 1.5)),
    "power": ("firms", (1, 2, 5)),
    "returns": ("fixed", (1.0, 4.0, 9.0)),
    "missing": ("risk", (0.3, 0.6, 0.9)),
    "lemons": ("worth", (1.2, 1.5, 1.9)),
    "wedge": ("tax", (0.5, 1.0, 2.0)),
    "rationing": ("cut", (0.5, 1.0, 2.0)),
}


def lost(key: None, kind: str, name: str, values: Sequence[float]) -> Mapping[str, float]:
    """Over a sweep of one number: how far what is computed is from the formula, what is lost, and what is left
    mended."""
    found = [KINDS[kind][0](**{name: v}) for v in values]
    return {
        "off the formula": max(abs(f.computed - f.formula) for f in found),
        "left when mended": max(abs(f.mended) for f in found),
        **{f"lost at {v:g}": f.computed for f, v in zip(found, values, strict=True)},
    }


PLAYED: Mapping[str, tuple[str, tuple[Institution, ...]]] = {
    "smoke": ("smoke", ()),
    "smoke, levy": ("smoke", (Levy(on="output", rate=0.5),)),
    "smoke, half a levy": ("smoke", (Levy(on="output", rate=0.25),)),
    "smoke, permits": ("smoke", (Permits(cap=1.5, price=0.5),)),
    "smoke, permits too dear": ("smoke", (Permits(cap=1.5, price=1.0),)),
    "oligopoly": ("oligopoly", ()),
    "oligopoly, levy": ("oligopoly", (Levy(on="output", rate=0.5),)),
    "oligopoly, subsidy": ("oligopoly", (Levy(on="output", rate=-4.0),)),
}


def works(preset: str) -> Situation:
    """Two firms, on a grid of amounts that has both what they make and what would be best."""
    return Works.preset(preset, firms=2)


def played(key: None, name: str) -> Mapping[str, float]:
    """Firms that answer one another, governed: the worst pure equilibrium's shortfall of what could be made,
    transfers apart."""
    preset, under = PLAYED[name]
    bare, game = normal_form(works(preset)), normal_form(govern(works(preset), *under))
    total = bare.payoff.sum(0)
    short = [float(total.max() - total[a]) for a in pure(game)]
    return {"lost": max(short), "equilibria": float(len(short))}


def priced(key: None, steps: int, start: float) -> Mapping[str, float]:
    """Permits whose price begins at `start`: firms answer the posted price each step, and the institution moves it."""
    place, rule = works("smoke"), Permits(cap=1.5, price=start)
    price, path = start, []
    for _ in range(steps):
        game = normal_form(govern(place, rule.replace(price=price)))
        made = np.linspace(0, 2, 9)[list(pure(game)[0][:2])].sum()
        path.append(price)
        price = max(price + float(rule.speed) * (float(made) - 1.5), 0.0)
    return {"price": price, "used": float(made)}


def trials(size: str) -> Sequence[Trial]:
    return [
        *(
            Computed(kind, lost, {"kind": kind, "name": n, "values": list(v)}, exact=True)
            for kind, (n, v) in SWEEPS.items()
        ),
        *(Computed(name, played, {"name": name}, exact=True) for name in PLAYED),
        Computed("permits find their price", priced, {"steps": 12, "start": 0.0}, exact=True),
    ]


def _is(label: str, measure: str):
    return lambda r: r.late(label, measure)


FORMULAS = {
    "externality": "Pigou 1920",
    "power": "Cournot 1838",
    "returns": "Hotelling 1938",
    "missing": "Arrow 1964",
    "lemons": "Akerlof 1970",
    "wedge": "Harberger 1964",
    "rationing": "ours",
}
CLAIMS = [
    *(
        Claim(
            f"{kind}: what is lost, found by solving, is what the formula says",
            FORMULAS[kind],
            _is(kind, "off the formula"),
            below=1e-6,
            kind="ours",
        )
        for kind in KINDS
    ),
    *(
        Claim(
            f"{kind}: under {mend} nothing is lost",
            FORMULAS[kind],
            _is(kind, "left when mended"),
            below=1e-6,
            kind="ours",
        )
        for kind, (_, mend) in KINDS.items()
    ),
    Claim(
        "Played by two firms whose smoke harms: a levy of the harm brings the optimum",
        "Pigou 1920",
        _is("smoke, levy", "lost"),
        below=1e-5,
        kind="ours",
    ),
    Claim(
        "... and permits as many as is best do, at the price that clears",
        "Dales 1968",
        _is("smoke, permits", "lost"),
        below=1e-5,
        kind="ours",
    ),
    Claim(
        "Permits whose price begins at 0 come to one at which as many are used as there are",
        "Dales 1968",
        _is("permits find their price", "used"),
        near=1.5,
        tolerance=0.01,
        unit="permits",
        kind="ours",
    ),
    Claim(
        "Control: half the levy does not bring the optimum",
        "ours",
        _is("smoke, half a levy", "lost"),
        above=0.001,
        kind="control",
    ),
    Claim(
        "Control: nor do permits at twice the price",
        "ours",
        _is("smoke, permits too dear", "lost"),
        above=0.001,
        kind="control",
    ),
    Claim(
        "Played by two firms with market power: a subsidy of the margin brings the optimum",
        "ours",
        _is("oligopoly, subsidy", "lost"),
        below=1e-4,
        kind="ours",
    ),
    Claim(
        "... where a levy, which mends smoke, makes it worse",
        "ours",
        lambda r: r.late("oligopoly, levy", "lost") - r.late("oligopoly", "lost"),
        above=0.1,
        kind="ours",
    ),
]

READINGS = [
    Reading(
        "... on this grid of amounts any price from 0.25 to 0.75 does; they come to",
        "ours",
        _is("permits find their price", "price"),
        unit="reward/unit",
    ),
    *(
        Reading(f"{kind}: lost at {SWEEPS[kind][0]} = {v:g}", FORMULAS[kind], _is(kind, f"lost at {v:g}"))
        for kind in KINDS
        for v in SWEEPS[kind][1]
    ),
    Reading("Played: lost to smoke of two firms (formula 0.125)", "ours", _is("smoke", "lost")),
    Reading("Played: lost to two firms with market power (formula 3.556)", "ours", _is("oligopoly", "lost")),
]


def sections(results: Results) -> list[object]:
    from nomoi.report import edgeworth, figures, page

    rows = [
        [kind, f"{SWEEPS[kind][0]} = {v:g}", float(results.late(kind, f"lost at {v:g}")[0]), KINDS[kind][1]]
        for kind in KINDS
        for v in SWEEPS[kind][1]
    ]
    return [
        page.Figure(
            "What is lost",
            figures.svg(edgeworth.triangles()),
            "Shaded: what is lost between what is made and what would be best.",
        ),
        page.Table(
            "Losses",
            ["failure", "at", "lost", "mended by"],
            rows,
            "Surplus, or equivalent variation for missing markets.",
        ),
    ]


STUDY = Study(
    "failures",
    "Where do markets fail, how much is lost, and which institution mends it?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 1, "paper": 1},
    sections,
    "Each failure breaks one assumption. Levies and permits are institutions of the commons, played by firms that "
    "answer one another; "
    "a fixed part, a security, disclosure, a lump sum and a free price are computed without an institution of their "
    "own.",
    readings=READINGS,
)
