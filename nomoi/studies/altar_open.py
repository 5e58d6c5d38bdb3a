"""Altars on Melting Pot's open map with seven agents: does what holds in the small orchard hold at full size?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nomoi.core import build
from nomoi.learners.ppo import PPO
from nomoi.runs import effects
from nomoi.runs.study import Claim, Results, Scripted, Study, Trial
from nomoi.scripts.fixed import Random
from nomoi.situations.harvest import Harvest
from nomoi.studies.altar import (
    ALTAR,
    BEFORE,
    HIDDEN,
    NOTHING,
    RANDOM,
    REACH,
    SHOWN,
    SLIDES,
    arms,
    comparisons,
    curves,
    norm,
)  # fmt: skip

# A zone is two patches here: opened again only at 0.6 of its capacity, it would stay closed for ever once one of them
# is bare; and who forages far off reads an altar only if it can be read in passing (see the remarks).
WIDE: dict[str, Any] = {"threshold": 0.3, "recovery": 0.4, "distance": 4}


def trials(size: str) -> Sequence[Trial]:
    steps = {"smoke": 8_000, "laptop": 1_000_000, "paper": 300_000_000}[size]
    place = Harvest.preset("orchard", **REACH)
    if size != "paper":  # as in the small orchard: the SSD games' regrowth, and 300 steps
        place = place.replace(regrowth=Harvest().regrowth, horizon=Harvest().horizon)
    learner = PPO() if size != "smoke" else build(PPO, worlds=8, steps=16, minibatches=2)
    wanted = (NOTHING, HIDDEN, ALTAR)
    learned = [c for c in arms(place, steps, learner, **WIDE) if c.label in wanted]
    return [Scripted(RANDOM, place, Random(), norm("place", **WIDE)), *learned]


CLAIMS = [
    Claim("An altar feeds more than a hidden rule (harvest alone)", SLIDES, effects.late("harvest", ALTAR, HIDDEN),
          above=0, published="significantly higher", unit="apples"),
    Claim("A hidden rule feeds more than nothing", BEFORE, effects.late("harvest", HIDDEN, NOTHING), above=0,
          unit="apples", kind="replica"),
    Claim("Fewer zones are emptied with an altar than under a hidden rule", SLIDES,
          effects.late("depletion", ALTAR, HIDDEN), below=0, published="significantly lower", unit="of zones"),
    Claim("More is taken as the rule permits with an altar than under a hidden rule", BEFORE,
          effects.late("compliance", ALTAR, HIDDEN), above=0, unit="of takings", kind="replica"),
    Claim("Agents come to the altar more often than random walkers", SLIDES, effects.late("visits", ALTAR, RANDOM),
          above=0, published="consistently visit", unit="/100 steps"),
    Claim("Fewer wrong sanctions with an altar, late (tenths 8 to 10)", SLIDES,
          effects.tenths("wrong", ALTAR, HIDDEN, 8, 10), below=0, published="significantly fewer", unit="hits"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    return [
        curves(results, "Melting Pot's open map, seven agents", [NOTHING, HIDDEN, ALTAR]),
        comparisons(results, [(ALTAR, HIDDEN), (HIDDEN, NOTHING)]),
    ]


STUDY = Study(
    "altar_open",
    "Is an altar worth anything on Melting Pot's open map with seven agents?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 5, "paper": 10},
    sections,
    "Map, agents and views are Melting Pot's; at laptop size apples grow back as in the small orchard. The place of "
    "the altar, reading it within 4 cells, and closing a zone at 0.3 of its capacity are ours.",
    SHOWN,
)
