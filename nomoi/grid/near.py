"""Neighbourhoods: how much lies near each site."""

from __future__ import annotations

from functools import lru_cache

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from nomoi.grid.layout import Land


@lru_cache(maxsize=64)
def _near(land: Land, radius: float) -> np.ndarray:
    return land.near(radius)


def neighbours(land: Land, live: Bool[Array, " S"], radius: float) -> Int[Array, " S"]:
    """How many other live sites lie within Euclidean distance `radius` of each site."""
    # A product of zeros and ones in float32 is exact far beyond the number of sites of any map.
    return jnp.round(live.astype(jnp.float32) @ jnp.asarray(_near(land, radius))).astype(jnp.int32)
