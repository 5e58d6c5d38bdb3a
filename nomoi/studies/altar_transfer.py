"""Does norm-following generalise?  Agents who learned to live by an altar among berries come to a commons with one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nomoi.core import build
from nomoi.learners.ppo import PPO
from nomoi.runs import effects
from nomoi.runs.study import Claim, Results, Study, Trained, Trial
from nomoi.situations.berries import Berries
from nomoi.situations.harvest import Harvest
from nomoi.studies.altar import REACH, norm

ASKED = "ours, after the tutorial (Hadfield et al. 2024), which asks and shows no result"
SCHOOLS = {"altar": "place", "hidden rule": "hidden", "shuffled altar": "distractor"}
SCRATCH = "from scratch"
FIXED = ", not learning"
# both have three kinds, the same window, and bodies that sense their place; berries have no stock to run low, so the
# altar there names another kind every 100 steps (ours)
SCHOOL = build(Berries, map="shrine", extent=(7, 1, 4), compass=True, bushes=(10, 10, 10), horizon=300, **REACH)
TERM = 100


def _after(school: str) -> str:
    return f"after berries with {school}"


def trials(size: str) -> Sequence[Trial]:
    first, then, fixed = {
        "smoke": (10_000, 10_000, 10_000), "laptop": (400_000, 400_000, 100_000), "paper": (10**8, 10**8, 10**6),
    }[size]  # fmt: skip
    learner = PPO() if size != "smoke" else build(PPO, worlds=16, steps=32, minibatches=4)
    still = learner.replace(learning_rate=0.0, learning_rate_end=0.0)
    out = [
        Trained(f"berries with {name}", SCHOOL, norm(display, term=TERM), first, learner)
        for name, display in SCHOOLS.items()
    ]
    commons = build(Harvest, **REACH)
    for school in ("", *SCHOOLS):
        label = _after(school) if school else SCRATCH
        school_of = f"berries with {school}" if school else ""
        out += [
            Trained(label, commons, norm("place"), then, learner, parent=school_of),
            Trained(label + FIXED, commons, norm("place"), fixed, still, parent=school_of),
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


def _ours(text: str, effect: effects.Effect, unit: str) -> Claim:
    return Claim(text, ASKED, effect, above=0, unit=unit, kind="ours")


CLAIMS = [
    _ours("Who lived by an altar elsewhere keeps the rule better at once than who lived under a hidden one",
          _gain("compliance", "altar", "hidden rule"), "of takings"),
    _ours("... than who had a shuffled altar", _gain("compliance", "altar", "shuffled altar"), "of takings"),
    _ours("... strikes more precisely at once than who lived under a hidden rule",
          _gain("precision", "altar", "hidden rule"), "of hits"),
    _ours("... visits the altar more at once than who lived under a hidden rule",
          _gain("visits", "altar", "hidden rule"), "/100 steps"),
    _ours("... complies better in the first three tenths than who begins from scratch",
          effects.tenths("compliance", _after("altar"), SCRATCH, 1, 3), "of takings"),
    _ours("... harvests more in the first three tenths than who begins from scratch",
          effects.tenths("harvest", _after("altar"), SCRATCH, 1, 3), "apples"),
    _ours("... reaches 80 % of the final harvest sooner than who begins from scratch", _sooner("altar"), "of training"),
    _ours("... harvests more in the end than who begins from scratch",
          effects.late("harvest", _after("altar"), SCRATCH), "apples"),
    _ours("... harvests more in the end than who had a shuffled altar",
          effects.late("harvest", _after("altar"), _after("shuffled altar")), "apples"),
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
    trials,
    {"smoke": 1, "laptop": 3, "paper": 10},
    sections,
    "What was learned is carried over plane by plane and feature by feature where both worlds have it; apples are new.",
    SHOWN,
)
