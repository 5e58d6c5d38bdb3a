"""Neighbourhoods: how much lies near each site."""

from __future__ import annotations

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from nomoi.grid.layout import Land


@lru_cache(maxsize=64)
def _near(land: Land, radius: float) -> np.ndarray:
    """[words, S] the neighbours of each site as bits, packed as `neighbours` packs the live sites."""
    near = land.near(radius).T > 0
    words = -(-near.shape[0] // 32)
    bits = np.pad(near, ((0, 32 * words - near.shape[0]), (0, 0))).reshape(32, words, -1)
    return (bits.astype(np.uint32) << np.arange(32, dtype=np.uint32)[:, None, None]).sum(0, dtype=np.uint32)


def neighbours(land: Land, live: Bool[Array, " S"], radius: float) -> Int[Array, " S"]:
    """How many other live sites lie within Euclidean distance `radius` of each site."""
    near = _near(land, radius)
    words = len(near)  # site s is bit s // words of word s % words
    bits = jnp.pad(live, (0, 32 * words - len(live))).reshape(32, words).astype(jnp.uint32)
    packed = (bits << np.arange(32, dtype=np.uint32)[:, None]).sum(0, dtype=jnp.uint32)
    count = jnp.zeros(len(live), jnp.uint32)
    for word, mask in zip(packed, near, strict=True):
        count = count + jax.lax.population_count(word & mask)
    return count.astype(jnp.int32)
