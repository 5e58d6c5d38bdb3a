"""Words: what is drawn from keys, as `jax.random` draws it and faster on CPUs."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, Integer, PRNGKeyArray, UInt32

_ROTATIONS = (13, 15, 26, 6), (17, 29, 16, 24)


def words(key: PRNGKeyArray, count: int) -> UInt32[Array, " count"]:
    """The very words of `jax.random.bits(key, (count,), uint32)`, drawn several times faster on CPUs."""
    if not _threefry(key):
        return jax.random.bits(key, (count,), jnp.uint32)
    first, second = _hashed(key, jnp.arange(count + 1, dtype=jnp.uint32))
    # On CPUs XLA would draw the words anew wherever they are used, but does not fuse through a scatter.
    return (first ^ second).at[count].set(0, mode="promise_in_bounds")[:count]


def uniform(key: PRNGKeyArray, count: int) -> Float32[Array, " count"]:
    """The very numbers of `jax.random.uniform(key, (count,))`, in the same way."""
    one = (words(key, count) >> 9) | jnp.uint32(0x3F800000)  # the fraction of a number in [1, 2)
    return jnp.maximum(jax.lax.bitcast_convert_type(one, jnp.float32) - 1.0, 0.0)


def fold(key: PRNGKeyArray, number: Integer[Array, ""] | int) -> PRNGKeyArray:
    """The very key of `jax.random.fold_in(key, number)`, in the same way."""
    if not _threefry(key):
        return jax.random.fold_in(key, number)
    both = _hashed(key, jnp.asarray(number).astype(jnp.uint32))
    return jax.random.wrap_key_data(jnp.stack(both), impl="threefry2x32")


def _threefry(key: PRNGKeyArray) -> bool:
    """Whether words are drawn from the key by the generator that is written here."""
    typed = jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
    return typed and str(jax.random.key_impl(key)) == "threefry2x32" and bool(jax.config.jax_threefry_partitionable)  # pyright: ignore


def _hashed(key: PRNGKeyArray, count: UInt32[Array, "*n"]) -> tuple[Array, Array]:
    """Threefry-2x32 of 20 rounds (Salmon et al. 2011) of counts below 2**32, whose upper words are 0.

    On CPUs JAX does it in a loop of five turns, each of many small steps, which takes far longer than the arithmetic.
    """
    a, b = jax.random.key_data(key)
    schedule = a, b, a ^ b ^ np.uint32(0x1BD11BDA)
    x, y = a, count + b
    for turn in range(5):
        for by in _ROTATIONS[turn % 2]:
            x = x + y
            y = ((y << by) | (y >> (32 - by))) ^ x
        x = x + schedule[(turn + 1) % 3]
        y = y + schedule[(turn + 2) % 3] + np.uint32(turn + 1)
    return x, y
