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
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Governed, Situation
from nomoi.core.learner import Learner
from nomoi.core.worlds import step
from nomoi.errors import Refusal
from nomoi.situations.berries import Berries

STEPS = 30  # Koster et al. 2022, figure notebook
FAR = 10_000  # steps: out of play for the whole probe
BERRIES, OTHERS = ("poison", "silly", "healthy"), ("marked", "unmarked")


def probes(
    key: PRNGKeyArray, situation: Situation, learner: Learner, mind: Any, worlds: int = 128
) -> Mapping[str, float]:
    """Mean scores over `worlds` random placements, by probe; the situation is berries under a taboo."""
    berries, rules = situation.bare, [i.name for i in situation.institutions]
    if not isinstance(situation, Governed) or not isinstance(berries, Berries) or "taboo" not in rules:
        under = f" under {', '.join(rules)}" if rules else ""
        raise Refusal(f"the probes are staged in berries under a taboo, and this is {situation.name}{under}.")
    if len(berries.kinds) < len(BERRIES) or berries.agents < 2:
        raise Refusal(
            f"the probes need berries of {len(BERRIES)} kinds and two agents, and here are {len(berries.kinds)} kinds "
            f"and {berries.agents} agents."
        )
    found = _scores(key, situation, learner, mind, worlds)
    return {name: float(value) for name, value in zip((*BERRIES, *OTHERS), found, strict=True)}


@eqx.filter_jit
def _scores(key: PRNGKeyArray, situation: Governed, learner: Learner, mind: Any, worlds: int) -> Float[Array, " 5"]:
    berry = jnp.array([*range(len(BERRIES)), *(-1 for _ in OTHERS)])
    marked = jnp.array([name == "marked" for name in (*BERRIES, *OTHERS)])
    each = jax.vmap(lambda k, b, m: _score(k, situation, learner, mind, b, m), (None, 0, 0))
    return jax.vmap(lambda k: each(k, berry, marked))(jax.random.split(key, worlds)).mean(0)


def _score(
    key: PRNGKeyArray, situation: Governed, learner: Learner, mind: Any, berry: Int[Array, ""], marked: Bool[Array, ""]
) -> Float[Array, ""]:
    """Of one placement: alone with a berry of the kind `berry`, or, where that is -1, with another."""
    world: Any = situation.situation
    barren = eqx.tree_at(lambda g: g.situation.regrowth, situation, jnp.zeros(()))
    state = barren.reset(key)
    alone, sites, who = berry >= 0, len(world.land.sites), jnp.arange(situation.agents)
    spot = jax.random.randint(jax.random.fold_in(key, 1), (), 0, sites)
    # nobody is there but agent 0, and agent 1 where the probe is about another
    body = eqx.tree_at(lambda b: b.out, state.world.body, jnp.where(who < jnp.where(alone, 1, 2), 0, FAR))
    at = (jnp.arange(sites) == spot) & alone
    bush = jnp.where(at, berry, len(world.kinds))
    first = eqx.tree_at(lambda s: (s.body, s.bush, s.live), state.world, (body, bush, at))
    state = eqx.tree_at(lambda s: s.world, state, first)
    place = [i.name for i in situation.institutions].index("taboo")
    guilty = (who == 1) & marked
    marks = state.memory[place]
    bearing = (guilty, jnp.where(guilty, 0, marks.trace), jnp.where(guilty, 0, marks.age))
    marks = eqx.tree_at(lambda m: (m.verdict, m.trace, m.age), marks, bearing)
    state = eqx.tree_at(lambda s: s.memory[place], state, marks)

    def tick(now: tuple[Any, Array, Any], t: Array) -> tuple[tuple[Any, Array, Any], Array]:
        state, turn, carry = now
        own = jax.random.fold_in(key, t + 2)
        action, carry = learner.act(own, mind, barren, barren.observe(state), carry)
        still = {h: jnp.where(who == 0, a, 0) for h, a in action.items()}
        state, turn, outcome = step(barren, key, turn, state, still)
        did = jnp.where(alone, outcome.events["harvest"][0], outcome.events["zap"][0].sum())
        return (state, turn, carry), did > 0

    first = (state, jnp.int32(2), learner.start(mind, situation))  # 0 and 1 of the key have placed who is there
    _, did = jax.lax.scan(tick, first, jnp.arange(STEPS))
    steps = jnp.where(did.any(), did.argmax() + 1, STEPS)
    return 1 - steps.astype(jnp.float32) / STEPS
