"""Parley: agents propose, sign, and then play.  Shared by institutions that come about by agreement."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Float, Int

from nomoi.errors import Refusal

PROPOSE, SIGN, PLAY = range(3)


def asks(
    stage: Int[Array, ""], proposers: Bool[Array, " n"], voters: Bool[Array, " n"]
) -> dict[str, Bool[Array, " n"]]:
    """Who is asked now to *propose* and to *sign*."""
    return {"propose": proposers & (stage == PROPOSE), "sign": voters & (stage == SIGN)}


def stages(stage: Int[Array, ""]) -> Float[Array, " 3"]:
    """The stage, one-hot."""
    return (stage == np.arange(3)).astype(jnp.float32)


def among_others(due: Float[Array, " n"]) -> Float[Array, " n"]:
    """What each gets where everybody splits what it owes evenly among the others."""
    return (due.sum() - due) / max(len(due) - 1, 1)


def in_order(name: str, low: Array, high: Array) -> None:
    """Refuse a lowest price above the highest."""
    if not isinstance(low, Tracer) and (np.asarray(low) > np.asarray(high)).any():
        raise Refusal(f"{name}.low is {low}, above {name}.high, which is {high}.")
