"""Trials that do not train: played by a script, computed, evaluated."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import jax
import numpy as np

from nomoi.core import Institution, Situation, govern, pilot
from nomoi.core.learner import Learner
from nomoi.core.spec import address, spec
from nomoi.errors import Refusal
from nomoi.measure.evaluate import evaluate
from nomoi.measure.measures import measures
from nomoi.runs import programs
from nomoi.runs.record import Curve, Record
from nomoi.runs.shapes import in_force, plain
from nomoi.runs.trained import Trained, learned, snapshots
from nomoi.runs.trial import Arrays, Trial, named, trial_of


class Lived(Trial):
    """A trial that is lived in a situation under institutions, without training; which fields it has, its kind says."""

    situation: Situation
    under: tuple[Institution, ...]

    @cached_property
    def place(self) -> Situation:
        """The situation under its institutions."""
        return plain(govern(self.situation, *self.under))

    def spec(self) -> dict[str, Any]:
        told = super().spec()
        del told["options"]["under"]
        told["options"] |= {"situation": spec(self.place)}
        return told

    def measures(self) -> dict[str, tuple[str, str]]:
        known, meant = measures(self.place), in_force(self.place)
        return {name: (m.unit, m.meaning) for name, m in known.items() if name in meant}

    def check(self, trials: Mapping[str, Trial]) -> None:
        super().check(trials)
        pilot.once(self.place, *self.players())

    def players(self) -> Sequence[Learner]:
        """Who of those that live there are learners or scripts."""
        return ()


@dataclasses.dataclass(frozen=True, eq=False)
class Scripted(Lived):
    """Behaviour that does not learn: one episode in each of `worlds` worlds."""

    situation: Situation
    script: Learner
    under: tuple[Institution, ...] = ()
    worlds: int = 16

    reaches: ClassVar[Sequence[str]] = ("nomoi.measure.evaluate",)

    def players(self) -> Sequence[Learner]:
        return (self.script,)

    def make(self, key: Any, parents: Sequence[Record]) -> tuple[Mapping[str, float], Arrays]:
        values = np.asarray(_lived(self)(self.place, self.script, key))
        every = dict(zip(measures(self.place), map(float, values), strict=True))
        return {name: every[name] for name in self.measures()}, {}


_PROGRAMS: dict[Any, Any] = {}


def _lived(trial: Scripted) -> Any:
    """The compiled evaluation, one a shape."""
    kind = (jax.tree.structure((trial.place, trial.script)), trial.worlds)
    if kind not in _PROGRAMS:
        worlds = trial.worlds
        play = lambda s, learner, key: evaluate(key, s, learner, worlds=worlds)  # noqa: E731
        _PROGRAMS[kind] = programs.jit(play, worlds * trial.place.horizon)
    return _PROGRAMS[kind]


@dataclasses.dataclass(frozen=True, eq=False)
class Computed(Trial):
    """Any pure function(key, **settings) -> {measure: value}: a simulation, an unfolded game, a closed formula.

    What is `exact` has no chance in it: it is computed once, with None for a key, and is judged as a point.
    """

    function: Callable[..., Mapping[str, float]]
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    exact: bool = False  # type: ignore[assignment]

    def __post_init__(self) -> None:
        _named(self.label, self.function)

    def make(self, key: Any, parents: Sequence[Record]) -> tuple[Mapping[str, float], Arrays]:
        return self.function(key, **self.settings), {}


@dataclasses.dataclass(frozen=True, eq=False)
class Evaluated(Trial):
    """What was learned under the trained trial `parent`, put to a test.

    function(key, situation, learner, mind, **settings) -> {measure: value}, for one seed; the situation is that of
    the parent, governed.  With `along` it is asked of every snapshot, and the record is a curve.  With `crossed` the
    function gets the list of the minds of all seeds, and is called for each seed with that seed's mind first.
    """

    parent: str = named()
    function: Callable[..., Mapping[str, float]]
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    along: bool = False
    crossed: bool = False  # type: ignore[assignment]

    def __post_init__(self) -> None:
        _named(self.label, self.function)

    def check(self, trials: Mapping[str, Trial]) -> None:
        super().check(trials)
        of = trials.get(self.parent)
        if not isinstance(of, Trained):
            raise Refusal(f"{self.label!r} evaluates {self.parent!r}, which is not trained.")
        if self.along and not of.snapshots:
            raise Refusal(f"{self.label!r} is asked along {self.parent!r}, which keeps no snapshots; give it some.")
        if self.along and self.crossed:
            raise Refusal(f"{self.label!r} is along and crossed; an evaluation is one of them at a time.")

    def make(self, key: Any, parents: Sequence[Record]) -> tuple[Curve | Mapping[str, float], Arrays]:
        of = trial_of(parents[0])
        assert isinstance(of, Trained)
        call = lambda mind: self.function(key, of.place, of.learner, mind, **self.settings)  # noqa: E731
        if not self.along:
            minds = [learned(record, of) for record in parents]
            return call(minds if self.crossed else minds[0]), {}
        steps, minds = snapshots(parents[0])
        rows = [call(mind) for mind in minds]
        return {name: (steps, np.array([float(row[name]) for row in rows])) for name in rows[0]}, {}


def _named(label: str, function: Any) -> None:
    """Refuse a function that records could not name."""
    try:
        address(function)
    except (Refusal, AttributeError):
        raise Refusal(f"{label!r} needs a function with a name of its own in a file, since records go by that name.") \
            from None  # fmt: skip
