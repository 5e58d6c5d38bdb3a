"""Sittings: when agents convene, before play and perhaps again.  Shared by institutions that ask now and then."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int


class Sittings(eqx.Module):
    """open [] whether agents convene now, the world standing still, as they do before play; time [] steps since."""

    open: Bool[Array, ""]
    time: Int[Array, ""]

    @classmethod
    def first(cls) -> Sittings:
        return cls(jnp.array(True), jnp.zeros((), jnp.int32))

    def due(self, period: Int[Array, ""]) -> Bool[Array, ""]:
        """Whether what is answered now counts: while they convene, and in the last of each `period` steps (0: none)."""
        return self.open | ((period > 0) & (self.time + 1 >= period))

    def after(self, period: Int[Array, ""]) -> Sittings:
        """One step later."""
        return Sittings(jnp.array(False), jnp.where(self.due(period), 0, self.time + 1))
