"""When a measure becomes a target: rewarding A while hoping for B, four ways in which a proxy fails, and deferring."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from nomoi.measure.statistics import number
from nomoi.proxies import goodhart, robots
from nomoi.runs.claims import Claim, Reading, Results
from nomoi.runs.study import Computed, Study, Trial

OURS = "ours, after Manheim & Garrabrant 2018"
NS = tuple(2**k for k in range(11))
NOISES = (0.1, 0.5, 1.0, 2.0, 1e9)
ADVERSARIES = (0, 10, 50, 100)


def kinds(key: jax.Array, draws: int, early: float, late: float) -> Mapping[str, float]:
    """Four ways in which a proxy P and a goal G part, each drawn.

    early, late   how strongly the goal bends against the proxy: k of `goodhart.extremal`
    """
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    out = {}
    for n in (10, 100, 1000):
        g, p = goodhart.best_of(n, 1, 1, max(20, draws // n), rng)
        out[f"gold a proxy, best of {n}"] = g / p
    for name, k in (("early", early), ("late", late)):
        gold = goodhart.extremal(NS, k, draws, rng)
        out |= {f"gold, bends {name}, best of {n}": float(v) for n, v in zip(NS, gold, strict=True)}
        bon, rl = goodhart.fit(np.sqrt(goodhart.divergence(np.array(NS))), gold)
        out |= {f"r2, bends {name}": bon.r2, f"r2 of the other form, bends {name}": rl.r2}
    out |= {f"causal: {k}": v for k, v in goodhart.causal(draws * 10, rng).items()}
    for m in ADVERSARIES:
        out[f"{m} adversaries"] = goodhart.adversarial(m, max(5, draws // 200), rng)
    return out


def formulas(key: Any) -> Mapping[str, float]:
    """Kerr's two tasks, deferring to a person, contracts with gaps, and a robot in a new world."""
    out = {f"folly, rho {rho:g}": goodhart.folly((1, 0), (1, 1), rho) for rho in (-0.5, 0.0, 0.5)}
    out |= {f"defer to noise {b:g}": goodhart.deferring_to_noise(0.25, 1, b) for b in NOISES}
    out |= {"defer to who knows": goodhart.deferring_to_noise(0.25, 1, 0), "defer, sure": goodhart.deferring(0.5, 0.1)}
    out |= {f"listed, gaps filled {a:g}": float(goodhart.best_length(a)) for a in (0, 0.3, 0.6, 0.9, 1)}
    likely = robots.posterior(robots.PROXY, robots.TRAINING, robots.WEIGHTS)
    lava = lambda route: float(robots.NEW[route, robots.FEATURES.index("lava")])  # noqa: E731
    return out | {
        "lava, the proxy": lava(robots.plan(robots.NEW, robots.PROXY)),
        "lava, the mean": lava(robots.plan(robots.NEW, likely @ robots.WEIGHTS)),
        "lava, shunning risk": lava(robots.averse(robots.NEW, robots.WEIGHTS, likely)),
    }


def trials(size: str) -> Sequence[Trial]:
    draws = {"smoke": 1_000, "laptop": 20_000, "paper": 100_000}[size]
    return [
        Computed("drawn", kinds, {"draws": draws, "early": 0.4, "late": 0.15}),
        Computed("formulas", formulas, exact=True),
    ]


def _of(measure: str, label: str = "drawn") -> Callable[[Results], np.ndarray]:
    return lambda r: r.late(label, measure)


def _gap(one: str, other: str, label: str = "drawn") -> Callable[[Results], np.ndarray]:
    return lambda r: r.late(label, one) - r.late(label, other)


def _ours(
    text: str, effect: Callable[[Results], np.ndarray], source: str = OURS, kind: str = "ours", **bounds: Any
) -> Claim:
    return Claim(text, source, effect, kind=kind, **bounds)


CLAIMS = [
    _ours(
        "Check against the closed form: of what the best of 100 seems to be worth, that share is real which the goal "
        "has of the variance (half)",
        lambda r: r.late("drawn", "gold a proxy, best of 100") - goodhart.shrinkage(1, 1),
        kind="control",
        near=0,
        tolerance=0.02,
    ),
    _ours(
        "Extremal: the best of 1024 is worth less than the best of 8 (with k below 0.22 more)",
        _gap("gold, bends early, best of 1024", "gold, bends early, best of 8"),
        below=0,
    ),
    _ours(
        "... unless the goal bends late: then it is worth more than the best of 512 (with k above 0.16 less)",
        _gap("gold, bends late, best of 1024", "gold, bends late, best of 512"),
        above=0,
    ),
    _ours(
        "... and its curve is that of over-optimised reward models by best of n: d (alpha - beta d)",
        _of("r2, bends early"),
        "ours, after Gao et al. 2023",
        above=0.98,
    ),
    _ours(
        "... rather than that by reinforcement learning",
        _gap("r2, bends early", "r2 of the other form, bends early"),
        "ours, after Gao et al. 2023",
        above=0.01,
    ),
]

FORMULAS = "formulas"
READINGS = [
    Reading(
        "Causal: the hundredth part on top by a proxy that has the goal's cause is worth", OURS, _of("causal: chosen")
    ),
    Reading("... those whose proxy is pushed, which the goal does not read, are worth", OURS, _of("causal: pushed")),
    Reading(
        "Adversarial: what is left of the 100 on top where 50 of 1050 game the proxy",
        OURS,
        lambda r: r.late("drawn", "50 adversaries") / r.late("drawn", "0 adversaries"),
        unit="of their worth",
    ),
    *(
        Reading(
            f"Rewarding A while hoping for A and B: lost, where doing both costs rho = {rho:g} more",
            "ours, after Kerr 1975",
            _of(f"folly, rho {rho:g}", FORMULAS),
            unit="of the best",
        )
        for rho in (-0.5, 0.0, 0.5)
    ),
    Reading(
        "Worth of being switched off by who knows", "Hadfield-Menell et al. 2017", _of("defer to who knows", FORMULAS)
    ),
    *(
        Reading(
            f"... by who errs with noise {b:g}, against acting",
            "ours, after Hadfield-Menell et al. 2017",
            _of(f"defer to noise {b:g}", FORMULAS),
        )
        for b in NOISES[:-1]
    ),
    *(
        Reading(
            f"Contingencies that it is best to list where gaps are filled rightly in {a:g} of cases",
            "ours, after Hadfield-Menell & Hadfield 2019",
            _of(f"listed, gaps filled {a:g}", FORMULAS),
            unit="of 50",
        )
        for a in (0, 0.6, 0.9, 1)
    ),
    *(
        Reading(
            f"Lava crossed in a new world by {who}",
            "ours, after Hadfield-Menell et al. 2017b",
            _of(f"lava, {who}", FORMULAS),
            unit="cells",
        )
        for who in ("the proxy", "the mean", "shunning risk")
    ),
]


def sections(results: Results) -> list[object]:
    from nomoi.report import charts, figures, page

    read = lambda m: results.late("drawn", m)  # noqa: E731
    d = np.sqrt(goodhart.divergence(np.array(NS)))
    lines, dots = {}, {}
    for name in ("early", "late"):
        values = np.stack([read(f"gold, bends {name}, best of {n}") for n in NS], 1)
        curve = goodhart.fit(d, values.mean(0))[0]
        grid = np.linspace(0, d[-1], 60)
        lines[f"goal bends {name}"] = (grid, curve(grid))
        dots[f"goal bends {name}"] = (d, values)
    rows = [[f"{m} of {1000 + m}", number(float(read(f"{m} adversaries").mean()))] for m in ADVERSARIES]
    return [
        page.Figure(
            "Over-optimisation",
            figures.svg(
                charts.lines(
                    lines,
                    "what is meant, of the best of n by the proxy",
                    "How far to optimise",
                    "d, root of the divergence",
                    dots,
                    of="fitted",
                )
            ),
            "Lines: d (alpha - beta d), fitted.",
        ),
        page.Table("Adversaries", ["who game the proxy", "mean goal of the 100 on top"], rows),
    ]


STUDY = Study(
    "goodhart",
    "How does a good measure turn bad when it becomes a target?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 5, "paper": 20},
    sections,
    "The four kinds are the paper's; the models of them are ours, with closed forms where there are some. Extremal: f "
    "is asked for and f - k f^2 + k meant, k = 0.4 (it bends early) or 0.15 (late); --set early=0.1 tries another.",
    readings=READINGS,
)
