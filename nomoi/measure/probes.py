"""Probes: small staged scenes that show what has been learned (Koster et al. 2022, Fig. 6).

In each, one agent of the trained group is alone with one thing: a berry of some kind, or another who stands still,
marked or not.  The score is 1 - steps / 30 until it eats the berry or strikes the other, and 0 if it never does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from nomoi.core import Governed, Situation
from nomoi.core.learner import Learner
from nomoi.errors import Refusal
from nomoi.situations.berries import Berries

STEPS = 30  # Koster et al. 2022, figure notebook
FAR = 10_000  # steps: out of play for the whole probe
BERRIES, OTHERS = ("poison", "silly", "healthy"), ("marked", "unmarked")


def probes(
    key: PRNGKeyArray, situation: Situation, learner: Learner, mind: Any, worlds: int = 128
) -> Mapping[str, float]:
    """Mean scores over `worlds` random placements, by probe; the situation is berries under a taboo."""
    berries = situation.situation if isinstance(situation, Governed) else situation
    if not isinstance(berries, Berries) or not isinstance(situation, Governed):
        raise Refusal(f"the probes are staged in berries under a taboo, and this is {situation.name}.")
    found = _scores(key, situation, learner, mind, worlds)
    return {name: float(value) for name, value in zip((*BERRIES, *OTHERS), found, strict=True)}


@eqx.filter_jit
def _scores(key: PRNGKeyArray, situation: Governed, learner: Learner, mind: Any, worlds: int) -> Float[Array, " 5"]:
    keys = jax.random.split(key, worlds)
    one = lambda k: [  # noqa: E731
        *(_score(k, situation, learner, mind, berry=kind) for kind in range(len(BERRIES))),
        *(_score(k, situation, learner, mind, marked=mark) for mark in (True, False)),
    ]
    return jnp.stack(jax.vmap(one)(keys)).mean(1)


def _score(
    key: PRNGKeyArray, situation: Governed, learner: Learner, mind: Any, berry: int | None = None, marked: bool = False
) -> Float[Array, ""]:
    world: Any = situation.situation
    barren = eqx.tree_at(lambda g: g.situation.regrowth, situation, jnp.zeros(()))
    state = barren.reset(key)
    sites = len(world.land.sites)
    spot = jax.random.randint(jax.random.fold_in(key, 1), (), 0, sites)
    # nobody is there but agent 0, and agent 1 where the probe is about another
    there = jnp.arange(situation.agents) < (1 if berry is not None else 2)
    body = eqx.tree_at(lambda b: b.out, state.world.body, jnp.where(there, 0, FAR))
    at = jnp.arange(sites) == spot if berry is not None else jnp.zeros(sites, bool)
    bush = jnp.where(at, berry or 0, len(world.kinds))
    first = eqx.tree_at(lambda s: (s.body, s.bush, s.live), state.world, (body, bush, at))
    state = eqx.tree_at(lambda s: s.world, state, first)
    place = [i.name for i in situation.institutions].index("taboo")
    guilty = (jnp.arange(situation.agents) == 1) & marked
    marks = state.memory[place]
    bearing = (guilty, jnp.where(guilty, 0, marks.trace), jnp.where(guilty, 0, marks.age))
    marks = eqx.tree_at(lambda m: (m.verdict, m.trace, m.age), marks, bearing)
    state = eqx.tree_at(lambda s: s.memory[place], state, marks)

    def tick(now: tuple[Any, Any], t: Array) -> tuple[tuple[Any, Any], Array]:
        state, carry = now
        own = jax.random.fold_in(key, t + 2)
        action, carry = learner.act(own, mind, barren, barren.observe(state), carry)
        still = {h: jnp.where(jnp.arange(situation.agents) == 0, a, 0) for h, a in action.items()}
        state, outcome = barren.step(own, state, still)
        did = outcome.events["harvest"][0] if berry is not None else outcome.events["zap"][0].sum()
        return (state, carry), did > 0

    _, did = jax.lax.scan(tick, (state, learner.start(mind, situation)), jnp.arange(STEPS))
    steps = jnp.where(did.any(), did.argmax() + 1, STEPS)
    return 1 - steps.astype(jnp.float32) / STEPS
