"""Lanes: cells of views as bits and bytes, so that one instruction works on as many of them as it can."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, Shaped, UInt


def lanes(bits: int) -> Any:
    """The narrowest unsigned type that holds so many bits."""
    return jnp.uint8 if bits <= 8 else jnp.uint16 if bits <= 16 else jnp.uint32


def padded(table: np.ndarray) -> np.ndarray:
    """The table [_, K] with at least one more column, up to whole vectors of 32 bytes."""
    return np.pad(table, ((0, 0), (0, 32 - table.shape[1] % 32)), mode="edge")


def at(table: np.ndarray, spot: Int[Array, " n"]) -> Array:
    """[n, K] the rows of a table [_, K] at `spot`."""
    return jnp.asarray(table).at[spot].get(mode="promise_in_bounds")


def fenced(codes: UInt[Array, "n K"]) -> UInt[Array, "n K"]:
    """The same with a zero in the padding: on CPUs XLA fuses through a barrier, and not through a scatter."""
    return codes.at[np.arange(codes.shape[0]), -1].set(0, mode="promise_in_bounds")


def once(x: Shaped[Array, "*batch K"]) -> Shaped[Array, "*batch K"]:
    """The same, computed once: XLA computes it anew for every pair of agents that it is used for, unless fenced off."""
    spare = 2 if x.ndim == 1 else 1  # a scatter to a single place would be no fence
    wide = jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, spare)])
    place = (*np.indices((*x.shape[:-1], spare))[:-1], x.shape[-1] + np.arange(spare))
    return wide.at[place].set(jnp.zeros((), x.dtype), mode="promise_in_bounds")[..., :-spare]


def packed(layer: Bool[Array, "... S"], words: int) -> UInt[Array, "*n words"]:
    """Eight sites a byte: site s is bit s // words of byte s % words, so that bytes are made by whole slices."""
    pad = [(0, 0)] * (layer.ndim - 1) + [(0, 8 * words - layer.shape[-1])]
    bits = jnp.pad(layer, pad).reshape(*layer.shape[:-1], 8, words).astype(jnp.uint8)
    return (bits << np.arange(8, dtype=np.uint8)[:, None]).sum(-2, dtype=jnp.uint8)


def lookup(packed: UInt[Array, "*n words"], byte: UInt[Array, "n K"]) -> UInt[Array, "n K"]:
    """What was `packed`, at these bytes; for each agent from its own row where there is one each."""
    packed = jnp.broadcast_to(packed, (byte.shape[0], packed.shape[-1]))
    if packed.shape[-1] > 100:  # past this many comparisons a real look-up is faster
        return jnp.take_along_axis(packed, byte.astype(jnp.int32), axis=1, mode="promise_in_bounds")
    out = jnp.zeros(byte.shape, jnp.uint8)
    for b in range(packed.shape[-1]):
        out = jnp.where(byte == b, packed[:, b, None], out)
    return out


def bitplanes(codes: UInt[Array, "*batch rows columns"], planes: int, dtype: Any = jnp.float32) -> Array:
    """[..., rows, columns] codes -> [..., rows, columns, planes] of zeros and ones.

    The barrier keeps XLA from recomputing the codes once a plane (forty times slower without).
    """
    codes = jax.lax.optimization_barrier(codes)
    return ((codes[..., None] >> np.arange(planes, dtype=codes.dtype)) & 1).astype(dtype)
