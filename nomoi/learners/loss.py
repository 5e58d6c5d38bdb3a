"""What PPO descends: the clipped surrogate, the error of the critic, and entropy (Schulman et al. 2017)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nomoi.core.situation import Observation
from nomoi.learners.batch import Batch, chosen


def loss(
    net: Any,
    batch: Batch,
    target: Array,
    worth: dict[str, Array],
    weight: dict[str, Array],
    entropy_coef: Array,
    clip_coef: Array,
    value_coef: Array,
    recurrent: bool,
) -> Float[Array, ""]:
    """Of a network on a minibatch, whose leaves are [L, B, ...].

    target          what the critic was to say;  worth, weight {head: [L, B]} of each answer (see `advantage.judge`)
    """
    if recurrent:

        def tick(carry: Array, now: tuple[Observation, Array]) -> tuple[Array, Any]:
            told, done = now
            logits, value, carry = net(told, carry)
            return jnp.where(done[:, None], 0.0, carry), (logits, value)

        _, (logits, value) = jax.lax.scan(tick, batch.carry[0], (batch.told, batch.done))
    else:
        logits, value, _ = net(batch.told, batch.carry)

    gain = jnp.zeros(())
    for head in logits:
        # each head learns from the samples in which it was asked, however few they are
        logp, spread = chosen(logits[head], batch.action[head])
        ratio = jnp.exp(logp - batch.logp[head])
        bounded = jnp.clip(ratio, 1 - clip_coef, 1 + clip_coef)
        better = jnp.minimum(ratio * worth[head], bounded * worth[head])
        gain = gain + (weight[head] * (better + entropy_coef * spread)).mean()
    return value_coef * ((value - target) ** 2).mean() - gain
