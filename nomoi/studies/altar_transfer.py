"""Does norm-following generalise?  Agents who learned to live by an altar among berries come to a commons with one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nomoi import effects
from nomoi.core import build
from nomoi.learners.ppo import PPO
from nomoi.situations.berries import Berries
from nomoi.situations.harvest import Harvest
from nomoi.studies.altar import REACH, norm
from nomoi.study import Claim, Condition, Results, Study, Trained

SEED = "seed (tutorial: asked, no result shown)"
SCHOOLS = {"altar": "place", "hidden rule": "hidden", "shuffled altar": "distractor"}
SCRATCH = "from scratch"
FIXED = ", not learning"
# both have three kinds, the same window, and bodies that sense their place; berries have no stock to run low, so the
# altar there names another kind every 100 steps (spec G)
SCHOOL = build(Berries, map="shrine", extent=(7, 1, 4), compass=True, bushes=(10, 10, 10), horizon=300, **REACH)
TERM = 100


def _after(school: str) -> str:
    return f"after berries with {school}"


def conditions(size: str) -> Sequence[Condition]:
    first, then, fixed = {
        "smoke": (10_000, 10_000, 10_000), "laptop": (400_000, 400_000, 100_000), "paper": (10**8, 10**8, 10**6),
    }[size]  # fmt: skip
    learner = PPO() if size != "smoke" else build(PPO, worlds=16, steps=32, minibatches=4)
    still = learner.replace(rate=0.0, rate_end=0.0)
    out = [
        Trained(f"berries with {name}", SCHOOL, norm(display, term=TERM), first, learner)
        for name, display in SCHOOLS.items()
    ]
    commons = build(Harvest, **REACH)
    for school in ("", *SCHOOLS):
        label = _after(school) if school else SCRATCH
        after = f"berries with {school}" if school else ""
        out += [
            Trained(label, commons, norm("place"), then, learner, after=after),
            Trained(label + FIXED, commons, norm("place"), fixed, still, after=after),
        ]
    return out


def _reach(label: str) -> Callable[[Results], np.ndarray]:
    """[seeds] share of training until the harvest first reaches 80 % of what is had in the end from scratch."""

    def effect(results: Results) -> np.ndarray:
        steps, values = results.curve(label, "harvest")
        there = values >= 0.8 * results.late(SCRATCH, "harvest").mean()
        return np.where(there.any(1), steps[there.argmax(1)], steps[-1]) / steps[-1]

    return effect


def _sooner(school: str) -> Callable[[Results], np.ndarray]:
    return lambda r: _reach(SCRATCH)(r) - _reach(_after(school))(r)


def _gain(measure: str, school: str, other: str) -> Callable[[Results], np.ndarray]:
    return effects.late(measure, _after(school) + FIXED, _after(other) + FIXED)


CLAIMS = [
    Claim("Who lived by an altar elsewhere keeps the rule better at once than who lived under a hidden one", SEED,
          _gain("compliance", "altar", "hidden rule"), above=0, unit="of takings"),
    Claim("... than who had a shuffled altar", SEED, _gain("compliance", "altar", "shuffled altar"), above=0,
          unit="of takings"),
    Claim("... strikes more precisely at once than who lived under a hidden rule", SEED,
          _gain("precision", "altar", "hidden rule"), above=0, unit="of hits"),
    Claim("... visits the altar more at once than who lived under a hidden rule", SEED,
          _gain("visits", "altar", "hidden rule"), above=0, unit="/100 steps"),
    Claim("... complies better in the first three tenths than who begins from scratch", SEED,
          effects.tenths("compliance", _after("altar"), SCRATCH, 1, 3), above=0, unit="of takings"),
    Claim("... harvests more in the first three tenths than who begins from scratch", SEED,
          effects.tenths("harvest", _after("altar"), SCRATCH, 1, 3), above=0, unit="apples"),
    Claim("... reaches 80 % of the final harvest sooner than who begins from scratch", SEED + "; measure: spec G",
          _sooner("altar"), above=0, unit="of training"),
    Claim("... harvests more in the end than who begins from scratch", SEED,
          effects.late("harvest", _after("altar"), SCRATCH), above=0, unit="apples"),
    Claim("... harvests more in the end than who had a shuffled altar", SEED,
          effects.late("harvest", _after("altar"), _after("shuffled altar")), above=0, unit="apples"),
]  # fmt: skip
SHOWN = (
    "harvest",
    "payoff",
    "depletion",
    "compliance",
    "visits",
    "informed",
    "correct",
    "wrong",
    "precision",
    "removed",
)


def sections(results: Results) -> list[object]:
    from nomoi.report import page
    from nomoi.studies.altar import curves

    labels = [SCRATCH, *map(_after, SCHOOLS)]
    rows = [[label, *_interval(results, label)] for label in labels]
    return [
        curves(results, "In the commons", labels),
        page.Table("Share of training until 80 % of the harvest", ["condition", "mean", "95 %"], rows),
    ]


def _interval(results: Results, label: str) -> list[str]:
    from nomoi.measure.statistics import estimate, number

    found = estimate(_reach(label)(results))
    return [number(found.mean), found.interval()]


STUDY = Study(
    "altar_transfer",
    "Does following an altar, learned among berries, carry over to a commons with an altar?",
    CLAIMS,
    conditions,
    {"smoke": 1, "laptop": 3, "paper": 10},
    sections,
    "What was learned is carried over plane by plane and feature by feature where both worlds have it; apples are new.",
    SHOWN,
)
