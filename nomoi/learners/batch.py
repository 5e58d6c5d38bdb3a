"""Batches of experience, and how they are laid out for learning."""

from __future__ import annotations

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from nomoi.core.situation import Observation


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
    """An answer to every head, each from its own key."""
    keys = jax.random.split(key, len(logits))
    return {h: jax.random.categorical(k, x).astype(jnp.int32) for k, (h, x) in zip(keys, logits.items(), strict=True)}


def chosen(logits: Array, action: Array) -> tuple[Array, Array]:
    """Log-probability of the answers given, and the entropy of the choice."""
    logp = jax.nn.log_softmax(logits)
    return jnp.take_along_axis(logp, action[..., None], -1)[..., 0], -(jnp.exp(logp) * logp).sum(-1)


def stretch(data: Any, length: int) -> Any:
    """[T, W, n, ...] -> [L, B, ...]: single steps for length 1, else whole stretches of T."""
    return jax.tree.map(lambda x: x.reshape(length, math.prod(x.shape[:3]) // length, *x.shape[3:]), data)


def split(key: PRNGKeyArray, data: Any, parts: int) -> Any:
    """[L, B, ...] -> [parts, L, B / parts, ...], shuffled along B."""
    total = jax.tree.leaves(data)[0].shape[1]
    order = jax.random.permutation(key, total).reshape(parts, -1)
    return jax.tree.map(lambda x: jnp.moveaxis(x[:, order], 1, 0), data)
