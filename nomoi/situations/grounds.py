"""Grounds: what commons with places share.  People of each place, which has a ground of its own, and strangers."""

from __future__ import annotations

import abc
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nomoi.core import Measure, Situation
from nomoi.core.measure import Episode, ratio


class Grounds(Situation):
    """A situation with as many grounds as there are places, whose stock has one kind for each, named as its place.

    The people of the first place come first, then those of the second, and strangers, who are of none, last.
    """

    place: ClassVar[str]  # what such a place is called

    @property
    @abc.abstractmethod
    def counts(self) -> tuple[int, int, int]:
        """How many places there are, people of each, and strangers."""

    @property
    def agents(self) -> int:  # type: ignore[override]
        places, people, strangers = self.counts
        return places * people + strangers

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(f"{self.place} {k + 1}" for k in range(self.counts[0]))

    @property
    def roles(self) -> tuple[str, ...]:
        _, people, strangers = self.counts
        return tuple(np.repeat(self.kinds, people).tolist()) + ("stranger",) * strangers

    @property
    def belongs(self) -> np.ndarray:
        places, people, strangers = self.counts
        of = np.repeat(np.eye(places, dtype=np.float32), people, 0)
        return np.concatenate([of, np.zeros((strangers, places), np.float32)])

    @property
    def _strange(self) -> np.ndarray:
        """[n] who is a stranger."""
        return self.belongs.sum(1) == 0

    @property
    def measures(self) -> tuple[Measure, ...]:
        """How long the stock lasts, and what the people of the places live on."""
        mine = ~self._strange

        def income(e: Episode) -> Array:
            return ratio((e.reward + e.transfer)[mine].mean(), e.steps)

        return (
            Measure("standing", "share", "seasons that ended with more than a fifth of what the grounds can hold",
                    lambda e: e.share("standing"), ("standing",), ("standing",)),
            Measure("income", "reward/season", "what one of the places ends a season with, transfers included", income),
        )  # fmt: skip

    def _column(self, x: Any) -> Float[Array, "n 1"]:
        """The same for all, or one number each, as a sense."""
        return jnp.broadcast_to(x, (self.agents,)).astype(jnp.float32)[:, None]

    def _apart(self, outside: Float[Array, ""]) -> dict[str, Array]:
        """The senses by which strangers know that they are, and what they earn elsewhere."""
        strange = self._column(jnp.asarray(self._strange))
        return {"stranger": strange, "outside": strange * outside}
