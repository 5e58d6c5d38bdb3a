"""Altars on Melting Pot's open map with seven agents: does what holds in the small orchard hold at full size?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nomoi.core import build
from nomoi.learners.ppo import PPO
from nomoi.runs import effects
from nomoi.runs.study import Claim, Results, Scripted, Study, Trained, Trial
from nomoi.scripts.fixed import Random
from nomoi.situations.harvest import Harvest
from nomoi.studies.altar import (
    ALTAR,
    BEAMS,
    BEFORE,
    HIDDEN,
    NOTHING,
    RANDOM,
    SHORT,
    SHOWN,
    SLIDES,
    arms,
    at,
    changes,
    comparisons,
    curves,
    norm,
)  # fmt: skip

# A zone is two patches here: opened again only at 0.6 of its capacity, it would stay closed for ever once one of them
# is bare; and who forages far off reads an altar only if it can be read in passing (see the remarks).
WIDE: dict[str, Any] = {"threshold": 0.3, "recovery": 0.4, "distance": 4}


def trials(size: str) -> Sequence[Trial]:
    steps = {"smoke": 8_000, "laptop": 1_000_000, "paper": 300_000_000}[size]
    learner = PPO() if size != "smoke" else build(PPO, worlds=8, steps=16, minibatches=2)
    out: list[Trial] = []
    for beam, reach in BEAMS.items():
        place = Harvest.preset("orchard", **reach)
        if size != "paper":  # as in the small orchard: the SSD games' regrowth, and 300 steps
            place = place.replace(regrowth=Harvest().regrowth, horizon=Harvest().horizon)
        wanted = (NOTHING, HIDDEN, ALTAR) if beam == SHORT else (HIDDEN, ALTAR)
        out.append(Scripted(at(RANDOM, beam), place, Random(), norm("place", **WIDE)))
        out += [Trained(at(arm, beam), place, under, steps, learner)
                for arm, under in arms(**WIDE).items() if arm in wanted]  # fmt: skip
    return out


def _claims(beam: str) -> list[Claim]:
    one, other = at(ALTAR, beam), at(HIDDEN, beam)
    return [
        Claim(f"An altar feeds more than a hidden rule: harvest alone ({beam})", SLIDES,
              effects.late("harvest", one, other), above=0, published="significantly higher", unit="apples"),
        Claim(f"Collective return, harvest and what sanctions pay, is higher ({beam})", SLIDES,
              effects.late("payoff", one, other), above=0, published="significantly higher", unit="reward"),
        Claim(f"Fewer zones are emptied ({beam})", SLIDES, effects.late("depletion", one, other), below=0,
              published="significantly lower", unit="of zones"),
        Claim(f"Agents come to the altar more often than random walkers ({beam})", SLIDES,
              effects.late("visits", one, at(RANDOM, beam)), above=0, published="consistently visit",
              unit="/100 steps"),
        Claim(f"More correct sanctions with an altar, late (tenths 8 to 10) ({beam})", SLIDES,
              effects.tenths("correct", one, other, 8, 10), above=0, published="significantly more", unit="hits"),
        Claim(f"Fewer wrong sanctions with an altar, late (tenths 8 to 10) ({beam})", SLIDES,
              effects.tenths("wrong", one, other, 8, 10), below=0, published="significantly fewer", unit="hits"),
        Claim(f"Obedience: more is taken as the rule permits ({beam})", BEFORE,
              effects.late("compliance", one, other), above=0, unit="of takings", kind="replica"),
    ]  # fmt: skip


CLAIMS = [
    *(claim for beam in BEAMS for claim in _claims(beam)),
    Claim("A hidden rule feeds more than nothing (short beam)", BEFORE,
          effects.late("harvest", at(HIDDEN, SHORT), at(NOTHING, SHORT)), above=0, unit="apples", kind="replica"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    pairs = {beam: (at(ALTAR, beam), at(HIDDEN, beam)) for beam in BEAMS}
    return [
        changes(results, pairs),
        curves(results, "Melting Pot's open map, seven agents", [at(NOTHING, SHORT), *(at(arm, beam) for beam in BEAMS
                                                                                      for arm in (HIDDEN, ALTAR))]),
        comparisons(results, [*pairs.values(), (at(HIDDEN, SHORT), at(NOTHING, SHORT))]),
    ]  # fmt: skip


STUDY = Study(
    "altar_open",
    "Is an altar worth anything on Melting Pot's open map with seven agents?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 8, "paper": 10},
    sections,
    "Map, agents and views are Melting Pot's; at laptop size apples grow back as in the small orchard. The place of "
    "the altar, reading it within 4 cells, and closing a zone at 0.3 of its capacity are ours.",
    SHOWN,
    first=10,
)
