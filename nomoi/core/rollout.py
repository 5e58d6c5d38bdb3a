"""rollout: let agents live in a situation and keep what happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, PRNGKeyArray

from nomoi.core.govern import choose
from nomoi.core.learner import Learner, Mind
from nomoi.core.situation import Outcome, Situation
from nomoi.core.worlds import Worlds, advance, begin, renew


class Trajectory(eqx.Module):
    """What happened in T steps of W worlds: every leaf is [T, W, ...].

    outcome of each step; done where an episode ended; kept, what the `keep` function of rollout saw before it
    """

    outcome: Outcome
    done: Bool[Array, "*T W"]
    kept: Any


def rollout(
    key: PRNGKeyArray,
    situation: Situation,
    learner: Learner,
    steps: int | None = None,
    worlds: int = 1,
    mind: Mind | None = None,
    keep: Callable[[Any], Any] | None = None,
) -> Trajectory:
    """Run `worlds` worlds for `steps` (default: one horizon), beginning new episodes where old ones end.

    `keep(state)` picks what to remember of each state (one world's, before the step).  Pure; may be jitted.
    """
    steps = situation.horizon if steps is None else steps
    begun, minds, acting = jax.random.split(key, 3)
    mind = learner.init(minds, situation) if mind is None else mind
    first = begin(begun, situation, worlds)
    start = learner.start(mind, situation)
    carry = jax.tree.map(lambda x: jnp.broadcast_to(x, (worlds, *x.shape)), start)

    def tick(now: tuple[Worlds, Any], t: Array) -> tuple[tuple[Worlds, Any], Trajectory]:
        world, carry = now
        keys = jax.random.split(jax.random.fold_in(acting, t), worlds)
        seen = world.observe(situation)
        action, carry = jax.vmap(lambda k, s, c: learner.act(k, mind, situation, s, c))(keys, seen, carry)
        kept = jax.vmap(keep)(world.state) if keep else ()
        world, outcome, done = advance(situation, world, action)
        carry = jax.vmap(lambda d, c: choose(d, start, c))(done, carry)
        return (renew(situation, world, done), carry), Trajectory(outcome, done, kept)

    return jax.lax.scan(tick, (first, carry), jnp.arange(steps))[1]
