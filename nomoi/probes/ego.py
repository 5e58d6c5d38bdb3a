"""Ego: what became of one agent among others, as when a newcomer is put among residents (Trivedi et al. 2024,
code).

`ego` reads one agent's sums out of whole episodes (`evaluate.episodes`), and `gaps` sets an agent beside a resident
who lived in its place, world by world, with the same random keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from nomoi.core import Situation
from nomoi.core.measure import Episode, ratio
from nomoi.errors import Refusal


def ego(situation: Situation, episodes: Episode, agent: int = 0) -> dict[str, Float[Array, " W"]]:
    """What became of one agent in each world, under an altar and a sanction.

    reward       material reward;  earned   gained by striking violators
    costs        paid for own shots and for striking others than violators;  lost   taken by others' hits
    value        reward - costs - lost, so that nobody is the better for punishing (R_eval of Trivedi et al. 2024, code)
    struck       hits taken;  correct, wrong   hits on violators and on others
    compliance   share of the steps judged that were lived without violation;  violations   in 1000 steps in play
    seized       of the steps with a violator in reach, those in which it fired;  strayed   of all others
    """
    named: dict[str, Any] = {i.name: i for i in situation.institutions}
    for name in ("altar", "sanction"):
        if name not in named:
            raise Refusal(f"an ego is measured under altar and sanction, and {situation.name} is not under {name!r}.")
    law, altar = named["sanction"], named["altar"]
    did = {name: total[:, agent] for name, total in episodes.events.items()}
    correct, wrong, shots = did["sanction.correct"], did["sanction.wrong"], did["shot"]
    earned, costs = (law.reward - law.cost) * correct, law.cost * wrong + law.fire * shots
    reward, transfer = episodes.reward[:, agent], episodes.transfer[:, agent]
    here = episodes.steps - episodes.out[:, agent]
    violation, ripe = did["altar.violation"], did["sanction.ripe"]
    return {
        "reward": reward,
        "earned": earned,
        "costs": costs,
        "lost": earned - costs - transfer,
        "value": reward + transfer - earned,
        "struck": did["sanction.struck"],
        "correct": correct,
        "wrong": wrong,
        "compliance": 1 - ratio(violation, here - altar.grace.astype(jnp.float32)),
        "violations": 1000 * ratio(violation, here),
        "seized": ratio(did["sanction.seized"], ripe),
        "strayed": ratio(shots - did["sanction.seized"], here - ripe),
    }


def gaps(one: Mapping[str, Array], resident: Mapping[str, Array]) -> dict[str, Float[Array, " W"]]:
    """How far one agent falls short of a resident in its place: the value gap and the sanction regret (Trivedi et al.
    2024, code).

    The regret is what hits took from it beyond what they took from the resident.
    """
    return {"value gap": resident["value"] - one["value"], "sanction regret": one["lost"] - resident["lost"]}
