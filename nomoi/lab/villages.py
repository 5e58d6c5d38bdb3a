"""Villages: people for simulated worlds who have adapted to the rules that hold there, where such people can live."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from nomoi.core import Situation
from nomoi.errors import Refusal
from nomoi.learners.people import fits
from nomoi.learners.villagers import Villagers
from nomoi.probes.meeting import Guest

NAME = "villagers"
ABOUT = "People who imitate those who fare better, or do their part as long as they trust the rest"
STEPS = 600  # for which they adapt before anybody looks, or ten horizons if these are shorter (ours)


def live(place: Situation) -> bool:
    """Whether villagers can live there: what counts there must not be a way through land."""
    try:
        fits(place)
    except Refusal:
        return False
    return True


def settled(place: Situation) -> Guest:
    """Villagers who have lived there for a while, each group in its own world; from then on they stay as they are.

    They adapt anew whenever a rule or a number moves, from the same beginning and with the same luck.
    """
    fits(place)
    steps = min(STEPS, 10 * place.horizon)
    return Guest(f"villagers who had {steps} steps to adapt", Villagers(), _settled(place, Villagers(), steps))


@eqx.filter_jit
def _settled(place: Situation, who: Villagers, steps: int) -> Any:
    run = who.begin(jax.random.key(0), place)
    return who.mind(who.learn(place, run, steps, jnp.int32(steps))[0])
