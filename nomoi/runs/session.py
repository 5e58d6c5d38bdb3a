"""Session: what people, scripts and learners did at one table, as a kind of trial.

Its spec holds the whole transcript, so that states, events, measures and film are made from the record alone, by living
through it again, bit for bit.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from nomoi.core import Outcome, Situation
from nomoi.core.rollout import Trajectory
from nomoi.grid.still import pack
from nomoi.measure import films
from nomoi.measure.ledger import Ledger
from nomoi.measure.measures import measures
from nomoi.play.table import Table
from nomoi.play.transcript import Transcript, replay
from nomoi.runs.record import Curve, Record
from nomoi.runs.shapes import in_force
from nomoi.runs.trial import Arrays, Trial


@dataclasses.dataclass(frozen=True, eq=False)
class Session(Trial):
    """One episode, or what was played of it, as a transcript.

    transcript  its lines as text (see `nomoi.play.transcript`)
    terms       how it was played, as plain data: who sat where, deadline, who answered late, the consent's digest
    """

    situation: Situation  # type: ignore[misc]
    transcript: tuple[str, ...]  # type: ignore[misc]
    terms: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    reaches: ClassVar[Sequence[str]] = ("nomoi.play.table", "nomoi.measure.films", "nomoi.measure.ledger")

    @property
    def lived(self) -> Transcript:
        """The transcript as data."""
        head, *lines = map(json.loads, self.transcript)
        return Transcript(head, tuple(lines))

    def measures(self) -> dict[str, tuple[str, str]]:
        known, meant = measures(self.situation), in_force(self.situation)
        return {name: (m.unit, m.meaning) for name, m in known.items() if name in meant}

    def make(self, key: Any, parents: Sequence[Record]) -> tuple[Curve, Arrays]:
        place, account = self.situation, _Account(self.situation)
        replay(self.lived, place, account.watch)
        values = np.asarray(_measured(place, account.ledger))
        every = dict(zip(measures(place), map(float, values), strict=True))
        steps = np.array([len(account.outcomes)])
        return {name: (steps, np.array([every[name]])) for name in self.measures()}, account.film()


class _Account:
    """What is written down while a transcript is lived through again."""

    def __init__(self, situation: Situation):
        self.place, self.kept, self.outcomes = situation, [], list[Outcome]()
        self.ledger: Any = None
        self.land = films.outline(situation).scene is not None

    def watch(self, table: Table) -> None:
        if table.brought is None:
            self.ledger = _open(self.place, table.state)
        else:
            self.ledger = _add(self.place, self.ledger, table.state, table.brought, table.world[2])
            self.outcomes.append(table.brought)
        if self.land and not table.over:
            self.kept.append(jax.device_get(_seen(self.place, table.state)))

    def film(self) -> Arrays:
        """The film, as arrays of a record; none where there is no land."""
        steps = min(len(self.outcomes), len(self.kept), films.LONGEST)
        if not steps:
            return {}
        stack = lambda parts: jax.tree.map(lambda *x: np.stack(x)[:, None], *parts[:steps])  # noqa: E731
        brought = jax.tree.map(jnp.asarray, stack(self.outcomes))
        happened = films.events(Trajectory(brought, brought.done, None))
        return {f"film.{k}": v for k, v in pack(films.shot(self.place, stack(self.kept), happened)).items()}


@eqx.filter_jit
def _open(place: Situation, state: Any) -> Ledger:
    return Ledger.open(place, state)


@eqx.filter_jit
def _add(place: Situation, ledger: Ledger, state: Any, brought: Outcome, turn: Any) -> Ledger:
    return ledger.add(place, state, brought, turn)


@eqx.filter_jit
def _measured(place: Situation, ledger: Ledger) -> Any:
    return jnp.stack([m.of(ledger.episode) for m in measures(place).values()])


@eqx.filter_jit
def _seen(place: Situation, state: Any) -> dict[str, Any]:
    return films.seen(place)(state)
