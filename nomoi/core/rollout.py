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


class Inhabited(eqx.Module):
    """Worlds, and what the agents in each of them carry: leaves [W, ...]."""

    worlds: Worlds
    carry: Any


Live = Callable[[Inhabited, Array], tuple[Inhabited, Worlds, Outcome, Bool[Array, " W"]]]


def inhabited(
    key: PRNGKeyArray, situation: Situation, learner: Learner, worlds: int, mind: Mind | None = None
) -> tuple[Inhabited, Live]:
    """Worlds in which agents live by a mind (default: one before any experience), and how step t is lived there.

    `live(now, t)` gives what comes next (new episodes where old ones ended), and of the step itself the worlds right
    after it (not yet renewed), what it brought, and which episodes ended.
    """
    begun, minds, acting = jax.random.split(key, 3)
    mind = learner.init(minds, situation) if mind is None else mind
    start = learner.start(mind, situation)
    carry = jax.tree.map(lambda x: jnp.broadcast_to(x, (worlds, *x.shape)), start)

    def live(now: Inhabited, t: Array) -> tuple[Inhabited, Worlds, Outcome, Bool[Array, " W"]]:
        keys = jax.random.split(jax.random.fold_in(acting, t), worlds)
        seen = now.worlds.observe(situation)
        action, carry = jax.vmap(lambda k, s, c: learner.act(k, mind, situation, s, c))(keys, seen, now.carry)
        after, outcome, done = advance(situation, now.worlds, action)
        carry = jax.vmap(lambda d, c: choose(d, start, c))(done, carry)
        return Inhabited(renew(situation, after, done), carry), after, outcome, done

    return Inhabited(begin(begun, situation, worlds), carry), live


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
    first, live = inhabited(key, situation, learner, worlds, mind)

    def tick(now: Inhabited, t: Array) -> tuple[Inhabited, Trajectory]:
        later, _, outcome, done = live(now, t)
        return later, Trajectory(outcome, done, jax.vmap(keep)(now.worlds.state) if keep else ())

    return jax.lax.scan(tick, first, jnp.arange(steps))[1]
