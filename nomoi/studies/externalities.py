"""Externality mushrooms: who eats what feeds others, if that brings nothing?  And does it help to pay for it?"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from nomoi.core import build
from nomoi.learners.objectives import Common
from nomoi.learners.ppo import PPO
from nomoi.runs import effects
from nomoi.runs.regimes import parse
from nomoi.runs.study import Claim, Results, Scripted, Study, Trained, Trial
from nomoi.scripts.fixed import Random
from nomoi.situations.mushrooms import Mushrooms

NOTHING, COMMON, PIGOU, TABOO, CONTRACT = "nothing", "common payoff", "pigou", "taboo", "contract"
RANDOM = "random"
DILEMMA = "ours, after Melting Pot (Leibo et al. 2021), externality_mushrooms"
LEARNED = (NOTHING, COMMON, PIGOU, TABOO, CONTRACT)


def trials(size: str) -> Sequence[Trial]:
    steps = {"smoke": 8_000, "laptop": 500_000, "paper": 100_000_000}[size]
    place = Mushrooms.preset("paper") if size == "paper" else Mushrooms()
    learner = PPO() if size != "smoke" else build(PPO, worlds=8, steps=16, minibatches=2)
    under = lambda name: parse(name, Mushrooms.regimes[name]).institutions  # noqa: E731
    return [
        Scripted(RANDOM, place, Random()),
        Trained(COMMON, place, (), steps, dataclasses.replace(learner, objective=Common())),
        *(Trained(name, place, under(name), steps, learner) for name in (NOTHING, PIGOU, TABOO, CONTRACT)),
    ]


def _ours(text: str, measure: str, one: str, other: str, **bound: Any) -> Claim:
    return Claim(text, DILEMMA, effects.late(measure, one, other), unit="reward", kind="ours", **bound)


CLAIMS = [
    _ours("Who minds the own payoff alone earns less, all together, than who minds everybody's", "reward", NOTHING,
          COMMON, below=0),
    _ours("... and gives others less", "externality", NOTHING, COMMON, below=0),
    _ours("Paid what it gives to others (Pigou), the group earns more than under nothing", "reward", PIGOU, NOTHING,
          above=0),
    Claim("... and as much as under a common payoff, within 10 %", DILEMMA,
          effects.percent("reward", PIGOU, COMMON), near=0, tolerance=10, unit="%", kind="ours"),
    _ours("A taboo on red, which others may punish, brings more than nothing", "reward", TABOO, NOTHING, above=0),
    _ours("A contract on eating red brings more than nothing", "reward", CONTRACT, NOTHING, above=0),
    Claim("Control: learners earn more than random behaviour", "ours", effects.late("reward", NOTHING, RANDOM),
          above=0, unit="reward", kind="control"),
]  # fmt: skip

SHOWN = ("reward", "payoff", "made", "moved", "harvest", "externality", "stock", "equality", "removed")


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page, panels

    panes = (("Earned from mushrooms", "reward an episode", "reward"), ("Given to others", "reward", "externality"),
             ("Mushrooms eaten", "an episode", "harvest"), ("Mushrooms standing", "of all sites", "stock"))  # fmt: skip
    grid = [(head, unit, {a: results.curve(a, m) for a in LEARNED}) for head, unit, m in panes]
    pairs = [("reward", NOTHING, COMMON), ("reward", PIGOU, COMMON), ("reward", TABOO, NOTHING),
             ("reward", CONTRACT, NOTHING)]  # fmt: skip
    return [
        page.Figure("Under each rule", figures.svg(panels.panels(grid, columns=2, labels=LEARNED))),
        effects.pairwise(results, "Pairs of conditions", pairs, "Last eighth of training."),
    ]


STUDY = Study(
    "externalities",
    "Who eats what feeds others, if that brings nothing, and does it help to pay for it?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 8, "paper": 10},
    sections,
    "Red feeds the eater (1), green all alike (2 in equal parts), blue all others (3), orange harms all (-1). Our map.",
    SHOWN,
    first=10,
)
