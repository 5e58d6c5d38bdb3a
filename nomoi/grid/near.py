"""Nearness: how much lies near each site, and how far it is to a place."""

from __future__ import annotations

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from nomoi.grid.body import Body
from nomoi.grid.layout import STEP, Land


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


def distance(land: Land, letters: str) -> np.ndarray:
    """[cells] int32: king's moves from each cell to the nearest one drawn with any of the letters; there is one."""
    row, col = np.divmod(np.arange(land.cells), land.width)
    at = land.find(letters)
    down, over = land.shortest(row[:, None] - row[at], col[:, None] - col[at])
    return np.maximum(abs(down), abs(over)).min(1).astype(np.int32)


def bearing(land: Land, body: Body, letters: str) -> Float[Array, "n 2"]:
    """How far ahead and how far right the middle of those cells is, in tens of cells; 0 for who is not here."""
    middle = np.stack(np.divmod(land.find(letters), land.width)).mean(1)
    row, col = jnp.divmod(body.cell, land.width)
    down, over = float(middle[0]) - row.astype(jnp.float32), float(middle[1]) - col.astype(jnp.float32)
    down, over = land.shortest(down, over)
    ahead = jnp.asarray(STEP, jnp.float32)[body.facing]
    right = jnp.asarray(np.roll(STEP, -1, 0), jnp.float32)[body.facing]
    steps = [down * way[:, 0] + over * way[:, 1] for way in (ahead, right)]
    return jnp.where(body.here[:, None], jnp.stack(steps, -1) / 10, 0.0)
