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
SIGHTS = ("relative", "raw")
SCRATCH = "from scratch"
FIXED = ", not learning"
# both have three kinds, the same window, and bodies that sense their place; berries have no stock to run low, so the
# altar there names another kind every 100 steps (ours)
SCHOOL = build(Berries, map="shrine", extent=(7, 1, 4), compass=True, bushes=(10, 10, 10), horizon=300, **REACH)
TERM = 100


def _after(school: str, sight: str) -> str:
    return _named(f"after berries with {school}", sight)


def _named(label: str, sight: str) -> str:
    return label if sight == "relative" else f"{label}, {sight}"


def trials(size: str) -> Sequence[Trial]:
    first, then, fixed = {
        "smoke": (10_000, 10_000, 10_000), "laptop": (400_000, 400_000, 100_000), "paper": (10**8, 10**8, 10**6),
    }[size]  # fmt: skip
    learner = PPO() if size != "smoke" else build(PPO, worlds=16, steps=32, minibatches=4)
    still = learner.replace(learning_rate=0.0, learning_rate_end=0.0)
    commons = build(Harvest, **REACH)
    out = []
    for sight in SIGHTS:
        out += [
            Trained(_named(f"berries with {name}", sight), SCHOOL, norm(display, sight, term=TERM), first, learner)
            for name, display in SCHOOLS.items()
        ]
        for school in ("", *SCHOOLS):
            label = _after(school, sight) if school else _named(SCRATCH, sight)
            school_of = _named(f"berries with {school}", sight) if school else ""
            out += [
                Trained(label, commons, norm("place", sight), then, learner, parent=school_of),
                Trained(label + FIXED, commons, norm("place", sight), fixed, still, parent=school_of),
            ]
    return out


def _reach(label: str, sight: str) -> Callable[[Results], np.ndarray]:
    """[seeds] share of training until the harvest first reaches 80 % of what is had in the end from scratch."""

    def effect(results: Results) -> np.ndarray:
        steps, values = results.curve(label, "harvest")
        there = values >= 0.8 * results.late(_named(SCRATCH, sight), "harvest").mean()
        return np.where(there.any(1), steps[there.argmax(1)], steps[-1]) / steps[-1]

    return effect


def _claims(sight: str) -> list[Claim]:
    altar, scratch = _after("altar", sight), _named(SCRATCH, sight)
    shuffled = _after("shuffled altar", sight)
    eyes = "" if sight == "relative" else " (raw colours)"

    def gain(measure: str, other: str) -> Callable[[Results], np.ndarray]:
        return effects.late(measure, altar + FIXED, _after(other, sight) + FIXED)

    def ours(text: str, effect: effects.Effect, unit: str) -> Claim:
        return Claim(text + eyes, ASKED, effect, above=0, unit=unit, kind="ours")

    return [
        ours("Who lived by an altar elsewhere keeps the rule better at once than who lived under a hidden one",
             gain("compliance", "hidden rule"), "of takings"),
        ours("... than who had a shuffled altar", gain("compliance", "shuffled altar"), "of takings"),
        ours("... strikes more precisely at once than who lived under a hidden rule", gain("precision", "hidden rule"),
             "of hits"),
        ours("... visits the altar more at once than who lived under a hidden rule", gain("visits", "hidden rule"),
             "/100 steps"),
        ours("... complies better in the first three tenths than who begins from scratch",
             effects.tenths("compliance", altar, scratch, 1, 3), "of takings"),
        ours("... harvests more in the first three tenths than who begins from scratch",
             effects.tenths("harvest", altar, scratch, 1, 3), "apples"),
        ours("... reaches 80 % of the final harvest sooner than who begins from scratch",
             lambda r: _reach(scratch, sight)(r) - _reach(altar, sight)(r), "of training"),
        ours("... harvests more in the end than who begins from scratch", effects.late("harvest", altar, scratch),
             "apples"),
        ours("... harvests more in the end than who had a shuffled altar",
             effects.late("harvest", altar, shuffled), "apples"),
    ]  # fmt: skip


CLAIMS = [claim for sight in SIGHTS for claim in _claims(sight)]
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

    labels = {sight: [_named(SCRATCH, sight), *(_after(school, sight) for school in SCHOOLS)] for sight in SIGHTS}
    rows = [[label, *_interval(results, label, sight)] for sight in SIGHTS for label in labels[sight]]
    return [
        *(curves(results, f"In the commons: {sight} sight", labels[sight]) for sight in SIGHTS),
        page.Table("Share of training until 80 % of the harvest", ["condition", "mean", "95 %"], rows),
    ]


def _interval(results: Results, label: str, sight: str) -> list[str]:
    from nomoi.measure.statistics import estimate, number

    found = estimate(_reach(label, sight)(results))
    return [number(found.mean), found.interval()]


STUDY = Study(
    "altar_transfer",
    "Does following an altar, learned among berries, carry over to a commons with an altar?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 8, "paper": 10},
    sections,
    "What was learned is carried over plane by plane and feature by feature where both worlds have it; apples are new.",
    SHOWN,
    first=10,
)
