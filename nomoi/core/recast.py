"""Recast: a situation made of another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Array, Float

from nomoi.core.events import Event
from nomoi.core.institution import Institution
from nomoi.core.measure import Measure
from nomoi.core.situation import Situation


class Recast(Situation):
    """What it does not say itself, `situation` says: subclasses change only what becomes different.

    `inner` gives the other's state from one of its own.
    """

    situation: Situation

    def inner(self, state: Any) -> Any:
        return state

    @property
    def agents(self) -> int:  # type: ignore[override]
        return self.situation.agents

    @property
    def horizon(self) -> int:  # type: ignore[override]
        return self.situation.horizon

    @property
    def name(self) -> str:
        return self.situation.name

    @property
    def kinds(self) -> tuple[str, ...]:
        return self.situation.kinds

    @property
    def roles(self) -> tuple[str, ...]:
        return self.situation.roles

    @property
    def belongs(self) -> np.ndarray:
        return self.situation.belongs

    @property
    def institutions(self) -> tuple[Institution, ...]:
        return self.situation.institutions

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return self.situation.choices

    @property
    def sentences(self) -> tuple[str, ...]:
        return self.situation.sentences

    def words(self, seen: Mapping[str, Any], role: str) -> str:
        return self.situation.words(seen, role)

    @property
    def emits(self) -> dict[str, Event]:
        return self.situation.emits

    @property
    def measures(self) -> tuple[Measure, ...]:
        return self.situation.measures

    @property
    def offers(self) -> frozenset[str]:
        return self.situation.offers

    def stock(self, state: Any) -> Float[Array, " kinds"]:
        return self.situation.stock(self.inner(state))

    def capacity(self) -> Float[Array, " kinds"]:
        return self.situation.capacity()
