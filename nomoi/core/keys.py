"""Random keys from seeds."""

from __future__ import annotations

import numbers
from typing import Any

import jax

from nomoi.errors import Refusal


def key_of(seed: int) -> Any:
    """The random key of a seed, a whole number of at least 0.

    `jax.random.key` reads the lower 32 bits alone, so that seeds 2**32 apart would be one world; here what is above
    them is folded in, and seeds below 2**32 have the key that JAX gives them.
    """
    if not isinstance(seed, numbers.Integral) or seed < 0:
        raise Refusal(f"{seed!r} is no seed; a whole number of at least 0 would be right.")
    seed = int(seed)
    key = jax.random.key(seed % 2**32)
    while seed := seed >> 32:
        key = jax.random.fold_in(key, seed % 2**32)
    return key
