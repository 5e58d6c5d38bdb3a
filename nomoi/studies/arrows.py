"""Arrows: why do rules persist that help nobody?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.populations.arrows import RULES, Village, kept, persist
from nomoi.populations.engine import seed_of
from nomoi.study import Claim, Computed, Condition, Results, Study

SOURCE = "seed (González-Ruibal et al. 2011, as told there: a question, not a result); the model is ours"
ARMS: Mapping[str, Mapping[str, float]] = {
    "copying alone": {"judgement": 0.0},
    "own judgement": {},
    "conformity": {"conformity": 1.5},
    "third-party punishment": {"punishment": 0.2},
    "punishment, much forgotten": {"punishment": 0.2, "fidelity": 0.9},
    "alone in the forest": {"people": 1},
}
HELPFUL = [k for k, r in enumerate(RULES) if r.worth > 0]
NEUTRAL = [k for k, r in enumerate(RULES) if r.worth == 0]
COSTLY = [k for k, r in enumerate(RULES) if r.worth < 0]


def village(key: jax.Array, generations: int, villages: int, **settings: float) -> Mapping[str, float]:
    """Shares that follow each rule after some generations, from all following; and means by what rules are worth."""
    seed = seed_of(key)
    own = Village(**settings)
    shares = persist(own, np.array([r.worth for r in RULES]), generations, seed, villages)[-1].mean(0)
    out = {r.name: float(x) for r, x in zip(RULES, shares, strict=True)}
    for name, which in (("helpful", HELPFUL), ("neutral", NEUTRAL), ("costly", COSTLY)):
        out[name] = float(shares[which].mean())
    return out | {"more than f^t": float(shares.mean() - own.fidelity**generations)}


def conditions(size: str) -> Sequence[Condition]:
    worlds = {"smoke": 5, "laptop": 200, "paper": 1000}[size]
    return [Computed(arm, village, {"generations": 100, "villages": worlds} | dict(s)) for arm, s in ARMS.items()]


def _late(arm: str, measure: str):
    return lambda r: r.late(arm, measure)


CLAIMS = [
    Claim("Copied and nothing else, a rule is kept for f^t, whatever it is worth", "spec B.5",
          _late("copying alone", "more than f^t"), near=0, tolerance=0.02, unit="share"),
    Claim("Own judgement keeps some of the rules that help", SOURCE, _late("own judgement", "helpful"), above=0.2,
          unit="share"),
    Claim("and loses those that cost", SOURCE, _late("own judgement", "costly"), below=0.05, unit="share"),
    Claim("Conformity keeps also the rules that cost", SOURCE, _late("conformity", "costly"), above=0.8, unit="share"),
    Claim("So does third-party punishment", SOURCE, _late("third-party punishment", "costly"), above=0.5, unit="share"),
    Claim("Punishment keeps what helps better than own judgement alone", SOURCE,
          lambda r: r.late("third-party punishment", "helpful") - r.late("own judgement", "helpful"), above=0,
          unit="share"),
    Claim("Who lives alone loses the arbitrary rules", SOURCE, _late("alone in the forest", "neutral"), below=0.15,
          unit="share"),
    Claim("and more of those that help, too", SOURCE,
          lambda r: r.late("alone in the forest", "helpful") - r.late("third-party punishment", "helpful"), below=0,
          unit="share"),
    Claim("Where too much is forgotten, punishment of that strength keeps no arbitrary rule", "derived (ours)",
          _late("punishment, much forgotten", "neutral"), below=0.05, unit="share"),
]  # fmt: skip


SHOWN = ("helpful", "neutral", "costly")


def sections(results: Results) -> list[object]:
    from nomoi.report import charts, figures, page
    from nomoi.report import study as reporting

    worth = np.array([r.worth for r in RULES])
    time = np.arange(101)
    arms = [a for a in ARMS if a != "punishment, much forgotten"]
    means = {
        a: [persist(Village(**ARMS[a]), worth[COSTLY], 100, seed, 50).mean((1, 2)) for seed in range(6)] for a in arms
    }
    drawn = figures.curves({a: (time, m) for a, m in means.items()}, "share that follows",
                           "Rules about arrows that cost something", xlabel="generations")  # fmt: skip
    force = np.linspace(0, 0.3, 61)
    gone = {f"worth {w:g}": (force, [kept(Village(punishment=float(p)), w) for p in force]) for w in (0.05, 0.0, -0.02)}
    tip = charts.lines(gone, "share that follows in the long run, large village", "How much punishment a rule needs",
                       "lost by who breaks it where all others follow")  # fmt: skip
    return [
        page.Figure(
            "Rules about arrows that cost something",
            figures.svg(drawn),
            "All follow them at first; each seed is the mean of 50 villages.",
        ),
        page.Figure("How much punishment a rule needs", figures.svg(tip), "From all following; fidelity .97."),
        reporting.conditions(results, list(ARMS), SHOWN),
    ]


STUDY = Study(
    "arrows",
    "Is it conformity or third-party punishment that keeps rules which help nobody?",
    CLAIMS,
    conditions,
    {"smoke": 1, "laptop": 6, "paper": 20},
    sections,
    "The tutorial tells of the arrows and asks the question; neither it nor the specification has a model.  That a "
    "rule helps or costs is our guess.  The model shows that either force is enough, so it cannot tell "
    "which one it was.",
)
