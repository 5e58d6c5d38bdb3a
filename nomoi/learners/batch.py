"""Batches of experience, and how they are laid out for learning."""

from __future__ import annotations

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from nomoi.core.situation import Observation
from nomoi.grid.words import uniform


class Batch(eqx.Module):
    """Experience; every leaf is [T, W, n, ...] while gathered, [L, B, ...] when learned from."""

    told: Observation
    action: dict[str, Array]
    logp: dict[str, Float[Array, "*b"]]
    value: Float[Array, "*b"]
    utility: Float[Array, "*b"]
    done: Bool[Array, "*b"]
    asked: dict[str, Array]  # which heads mattered
    lived: Bool[Array, "*b"]  # who was asked anything; other time is passed over by advantages
    carry: Array
    public: Any = ()  # what all could witness, of all agents; only gathered where a conscience learns from it


def sample(key: PRNGKeyArray, logits: dict[str, Array]) -> dict[str, Array]:
    """An answer to every head: the choice at which the summed chances pass a number drawn between 0 and 1."""
    lead = next(iter(logits.values())).shape[:-1]
    drawn = uniform(key, len(logits) * math.prod(lead)).reshape(len(logits), *lead, 1)

    def one(lot: Array, x: Array) -> Array:
        below = jnp.cumsum(jax.nn.softmax(x), -1)  # the last is 1 but for rounding
        return (lot * below[..., -1:] >= below[..., :-1]).sum(-1, dtype=jnp.int32)

    return {h: one(lot, x) for lot, (h, x) in zip(drawn, logits.items(), strict=True)}


def chosen(logits: Array, action: Array) -> tuple[Array, Array]:
    """Log-probability of the answers given, and the entropy of the choice."""
    logp = jax.nn.log_softmax(logits)
    return jnp.take_along_axis(logp, action[..., None], -1)[..., 0], -(jnp.exp(logp) * logp).sum(-1)


def stretch(data: Any, length: int) -> Any:
    """[T, W, n, ...] -> [L, B, ...]: single steps for length 1, else whole stretches of T."""
    return jax.tree.map(lambda x: x.reshape(length, math.prod(x.shape[:3]) // length, *x.shape[3:]), data)


def split(key: PRNGKeyArray, data: Any, parts: int) -> Any:
    """[L, B, ...] -> [parts, L, B / parts, ...]: of `parts` neighbours along B each part gets one, by lot.

    So every part is spread over the whole batch, and nothing is sorted.
    """
    blocks = jax.tree.leaves(data)[0].shape[1] // parts
    turn = jax.random.randint(key, (blocks,), 0, parts)
    order = (jnp.arange(parts)[:, None] + turn) % parts + jnp.arange(blocks) * parts  # [parts, blocks]
    return jax.tree.map(lambda x: jnp.moveaxis(x[:, order], 1, 0), data)
