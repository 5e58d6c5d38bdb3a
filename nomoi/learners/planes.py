"""The first layer on a view: the bits of its cells times weights, without unpacking planes that are empty.

Under one program a regime without an altar carries the altar's planes, all zero.  Which planes hold anything is asked
of each batch, and only these are unpacked and multiplied; the others would add nothing to the product and nothing to
the slope.  Samples come last, so that bits unpack along whole vectors and both products read memory in order: on a CPU
the layer and its slope take half the time of [samples, inputs] @ [inputs, units].
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, UInt


@jax.custom_vjp
def weigh(codes: UInt[Array, "cells samples"], weights: Float[Array, "cells planes units"]) -> Array:
    """[units, samples]: the sum, over cells and planes, of the weights of the bits that are set."""
    return _weigh(codes, weights)[0]


def _weigh(codes: Array, weights: Array) -> tuple[Array, tuple[Array, Array, Array]]:
    branch, order = _live(codes, weights.shape[1])

    def product(some: Int[Array, " k"]) -> Array:
        return weights[:, some].reshape(-1, weights.shape[2]).T @ _unpacked(codes, some)

    return _few(branch, order, product), (codes, branch, order)


def _slope(kept: tuple[Array, Array, Array], slope: Float[Array, "units samples"]) -> tuple[np.ndarray, Array]:
    codes, branch, order = kept

    def product(some: Int[Array, " k"]) -> Array:
        found = (_unpacked(codes, some) @ slope.T).reshape(len(codes), len(some), -1)
        return jnp.zeros((len(codes), len(order), len(slope))).at[:, some].set(found)

    return np.zeros(codes.shape, jax.dtypes.float0), _few(branch, order, product)


weigh.defvjp(_weigh, _slope)


def _unpacked(codes: UInt[Array, "cells samples"], planes: Int[Array, " k"]) -> Float[Array, "cells_k samples"]:
    bits = (codes[:, None] >> planes.astype(codes.dtype)[:, None]) & 1
    return bits.astype(jnp.float32).reshape(-1, codes.shape[1])


def _sizes(planes: int) -> list[int]:
    """For how many planes there is a product of their own: each quarter of them (ours).

    On a GPU for all: it multiplies zeros sooner than it asks where they are.
    """
    quarters = {-(-planes * k // 4) for k in range(1, 5)}
    return sorted(quarters) if jax.default_backend() == "cpu" and planes > 4 else [planes]


def _live(codes: Array, planes: int) -> tuple[Int[Array, ""], Int[Array, " planes"]]:
    """Which size will do, and the planes, those first that hold anything."""
    lit = (_any(codes) >> jnp.arange(planes, dtype=codes.dtype)) & 1 != 0
    return (jnp.array(_sizes(planes)) < lit.sum()).sum(), jnp.argsort(~lit, stable=True)


@jax.custom_batching.custom_vmap
def _any(codes: Array) -> Array:
    """The bits that are set anywhere, also in whatever is mapped over: so that asking stays one question."""
    return jax.lax.reduce(codes, np.zeros((), codes.dtype), jax.lax.bitwise_or, range(codes.ndim))


@_any.def_vmap
def _(size: int, mapped: list[bool], codes: Array) -> tuple[Array, bool]:
    return _any(codes), False


def _few(branch: Array, order: Array, product) -> Array:
    """The product over the first planes of the order, as many as the size at `branch`."""
    sizes = _sizes(len(order))
    return jax.lax.switch(branch, [lambda order, k=k: product(order[:k]) for k in sizes], order)
