"""Advantages: how much better than expected what followed an answer was."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nomoi.learners.batch import Batch


def gae(batch: Batch, last: Float[Array, "W n"], gamma: Array, gae_lambda: Array) -> tuple[Array, Array]:
    """Generalised advantage estimates (Schulman et al. 2016) and what the critic is to say, [T, W, n] each.

    Time in which one is asked nothing (out of play, or the world held for others) is one long step of a
    semi-Markov process: no value is asked of it, and lambda does not wear on it.  What it was worth the critic
    learns all the same, since a rollout may be cut there and `last`, its word on what follows, is then used.
    An episode's end is worth nothing more.
    """

    def back(later: tuple[Array, Array], now: tuple[Array, ...]) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        advantage, following = later
        utility, done, value, lived = now
        goes_on = jnp.where(done, 0.0, gamma)
        worth, ahead = utility + goes_on * following, goes_on * advantage
        advantage = worth - value + gae_lambda * ahead
        found = jnp.where(lived, advantage, 0.0), jnp.where(lived, value + advantage, worth + ahead)
        return (jnp.where(lived, advantage, ahead), jnp.where(lived, value, worth)), found

    steps = (batch.utility, batch.done, batch.value, batch.lived)
    return jax.lax.scan(back, (jnp.zeros_like(last), last), steps, reverse=True)[1]


def judge(asked: dict[str, Array], advantage: Array, seldom: Array) -> tuple[dict[str, Array], dict[str, Array]]:
    """For each head, advantages centred and scaled over the answers that mattered, and the weights of these.

    What is asked once in an episode (a signature) has a value of its own, which a critic that saw it seldom
    misjudges; centring on these samples alone takes that error out.  All arrays have one shape.
    """
    worth, weight = {}, {}
    every = jnp.stack(list(asked.values())).sum(dtype=jnp.float32)
    for head, mattered in asked.items():
        w = mattered.astype(jnp.float32)
        count = jnp.maximum(w.sum(), 1.0)
        centred = advantage - (advantage * w).sum() / count
        scale = jnp.sqrt((centred**2 * w).sum() / count) + 1e-8
        worth[head] = centred / scale
        # the mean over all answers, but no head counts less than `seldom` of them
        weight[head] = w * w.size / count * jnp.maximum(count / jnp.maximum(every, 1.0), seldom)
    return worth, weight
