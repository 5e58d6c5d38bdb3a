"""A world with its clock, and many of them running side by side, each beginning a new episode when one ends.

This is where time and batches live: which random key belongs to which step (`step`) and to which episode (`following`)
is said here and nowhere else.  `step` of a situation never resets; here the worlds whose episode ended are reset, and
nothing is reset in a step in which none ended.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, Key, PRNGKeyArray

from nomoi.core.govern import choose
from nomoi.core.situation import Action, Observation, Outcome, Situation, State
from nomoi.grid.words import fold


def step(
    situation: Situation, key: PRNGKeyArray, turn: Int[Array, ""], state: State, action: Action
) -> tuple[State, Int[Array, ""], Outcome]:
    """One step of one world: the state after it, the turn of the next one, and what it brought.

    `key` is that of the episode, and turn t gets fold_in(key, t).  The clock stands still while an institution
    convenes, so that the world draws the same lots whether anybody convened before or not.
    """
    later = turn + (~situation.held(state)).astype(jnp.int32)
    after, outcome = situation.step(fold(key, turn), state, action)
    return after, later, outcome


def following(key: PRNGKeyArray) -> PRNGKeyArray:
    """The key of the episode after the one that has `key`; no turn of it gets the same."""
    return fold(key, jnp.uint32(0xFFFFFFFF))


class Worlds(eqx.Module):
    """W worlds in the middle of their episodes.

    state    [W, ...]   states of the situation
    key      [W]        one random key an episode
    turn     [W]        steps the world has made in this episode (an institution's convening does not count)
    left     [W]        steps until the episode is cut; beyond the horizon except where the start was staggered
    whole    [W]        whether the episode will run its full course, and so may be counted
    """

    state: Any
    key: Key[Array, " W"]
    turn: Int[Array, " W"]
    left: Int[Array, " W"]
    whole: Bool[Array, " W"]

    def observe(self, situation: Situation) -> Observation:
        return jax.vmap(situation.observe)(self.state)


def begin(key: PRNGKeyArray, situation: Situation, worlds: int, stagger: bool = False) -> Worlds:
    """Fresh worlds.  Staggered ones have their first episode cut at a random step and do not count it, so that
    a batch mixes all phases of the episode."""
    keys = jax.random.split(key, worlds)
    state = jax.vmap(situation.reset)(keys)
    far = jnp.full(worlds, jnp.iinfo(jnp.int32).max)
    zero = jnp.zeros(worlds, jnp.int32)
    if not stagger:
        return Worlds(state, keys, zero, far, jnp.ones(worlds, bool))
    cut = jax.random.randint(jax.random.fold_in(key, worlds), (worlds,), 1, situation.horizon + 1)
    return Worlds(state, keys, zero, cut, cut > situation.horizon)


def advance(
    situation: Situation, worlds: Worlds, action: dict[str, Int[Array, "W n"]]
) -> tuple[Worlds, Outcome, Bool[Array, " W"]]:
    """One step in every world: the worlds after it (not yet reset), outcomes [W, ...], and which episodes ended."""
    each = jax.vmap(lambda *one: step(situation, *one))
    state, turn, outcome = each(worlds.key, worlds.turn, worlds.state, action)
    left = worlds.left - 1
    done = outcome.done | (left <= 0)
    return Worlds(state, worlds.key, turn, left, worlds.whole), outcome, done


def renew(situation: Situation, worlds: Worlds, done: Bool[Array, " W"]) -> Worlds:
    """New episodes where the old ones are done; nothing is computed in a step in which none is."""

    def fresh(w: Worlds) -> Worlds:
        keys = jax.vmap(following)(w.key)
        far = jnp.full_like(w.left, jnp.iinfo(jnp.int32).max)
        new = Worlds(jax.vmap(situation.reset)(keys), keys, jnp.zeros_like(w.turn), far, jnp.ones_like(w.whole))
        return jax.vmap(choose)(done, new, w)

    return jax.lax.cond(done.any(), fresh, lambda w: w, worlds)
