"""Trial: one thing that can be run, seed by seed, and leaves a record.

A trial has a label, parents, a `spec` and a `make`.  Trained, scripted, computed and evaluated trials are the four
kinds that come with nomoi; any other kind is one class in one file (`nomoi/examples/trial.py`).
"""

from __future__ import annotations

import abc
import dataclasses
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from nomoi.core.spec import address, addresses, fields, near, own, rebuild
from nomoi.errors import Refusal, nearest
from nomoi.runs import code
from nomoi.runs.record import Asked, Curve, Record

Arrays = Mapping[str, np.ndarray]


def named(default: Any = dataclasses.MISSING) -> Any:
    """A field of a trial that says how it is called or shown, and changes no number: it names no record."""
    return dataclasses.field(default=default, metadata={"named": True})


@dataclasses.dataclass(frozen=True, eq=False)
class Trial(abc.ABC):
    """A frozen dataclass whose fields say what is run; `label` is what claims and tables call it.

    parent   the label of the trial that this one goes on from, or asks something of; empty is none
    game     the file of the game that is lived in, which its payoffs do not tell; empty is none
    """

    label: str = named()
    parent: str = dataclasses.field(default="", kw_only=True, metadata={"named": True})
    game: str = dataclasses.field(default="", kw_only=True, metadata={"named": True})

    reaches: ClassVar[Sequence[str]] = ()  # modules that its numbers depend on, beside what its spec names

    @property
    def exact(self) -> bool:
        """Whether nothing in it is left to chance: it is made once, and not for every seed."""
        return False

    @property
    def crossed(self) -> bool:
        """Whether each seed needs the parent's records of all seeds."""
        return False

    def spec(self) -> dict[str, Any]:
        """What it is, as plain data: class and fields, without how it is called."""
        return {"class": address(type(self)), "options": fields(self, without=_names(type(self)))}

    @abc.abstractmethod
    def make(self, key: Any, parents: Sequence[Record]) -> tuple[Curve | Mapping[str, float], Arrays]:
        """One run: (measure -> value, or -> (steps [K], values [K])), and arrays to keep.

        key is the seed's, None where the trial is exact; parents, the parent's record of that seed, followed by those
        of the other seeds where the trial is crossed.
        """

    def measures(self) -> dict[str, tuple[str, str]]:
        """The measures that it will have, each with unit and meaning; empty where only making it will tell."""
        return {}

    def check(self, trials: Mapping[str, Trial]) -> None:
        """Refuse, in a sentence, what would fail only after long work; `trials` are those of the study."""
        if self.parent and self.parent not in trials:
            others = [label for label in trials if label != self.label]
            raise Refusal(f"{self.label!r} goes on from {self.parent!r}, which is not there; "
                          f"{nearest(self.parent, others, 'trial')}")  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """A trial with a seed (None where it is exact) and the records of its parents."""

    trial: Trial
    seed: int | None = None
    parents: tuple[Record, ...] = ()

    @cached_property
    def asked(self) -> Asked:
        """What names its record."""
        spec = {"trial": self.trial.spec(), "seed": self.seed, "parents": [p.asked.of for p in self.parents]}
        spec = json.loads(json.dumps(spec, allow_nan=False))
        made_by = dict(code.reached([*addresses(spec), *self.trial.reaches, "nomoi.core.keys"]))
        for parent in self.parents:
            made_by |= parent.facts["code"]
        return Asked(spec, made_by)

    def facts(self) -> dict[str, Any]:
        """What is kept beside the spec: names, units, and where files of one's own were."""
        said = {name: getattr(self.trial, name) for name in _names(type(self.trial))}
        places = {home: str(file) for home, file in own(self.asked.spec).items()}
        measures = {name: list(words) for name, words in self.trial.measures().items()}
        return {"named": said, "measures": measures, "own": places, "parents": [p.id for p in self.parents]}

    def files(self) -> dict[str, bytes]:
        """The files of one's own that the spec names."""
        out: dict[str, bytes] = {}
        for home, file in own(self.asked.spec).items():
            out[f"{file.stem}-{home[-6:]}.py" if file.name in out else file.name] = file.read_bytes()
        return out


def trial_of(record: Record) -> Trial:
    """The trial that a record is of, made again from the record alone.

    A file of one's own is looked for where it was, and in the folder one stands in; it must have the very same text.
    """
    told = record.spec["trial"]
    where = list(record.facts["own"].values())
    try:
        places = near(where, but=record.folder.parent.parent)  # what came with the record is not run
        made = rebuild({"class": told["class"], "options": told["options"] | record.facts["named"]}, places)
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError, RecursionError) as error:
        raise Refusal(f"the record {record.id} cannot be made again: it does not say what it is ({error}).") from None
    except Refusal as refusal:
        kept = f" (a copy is kept in {record.folder})" if where else ""
        raise Refusal(f"the record {record.id} cannot be made again: {str(refusal).rstrip('.')}{kept}.") from None
    if not isinstance(made, Trial):
        raise Refusal(f"the record {record.id} is of no trial.")
    return made


def as_curve(made: Curve | Mapping[str, float]) -> Curve:
    """measure -> (steps, values) of what `make` gave, which may be plain numbers."""
    once = lambda v: (np.zeros(1), np.array([float(v)]))  # noqa: E731
    return {name: v if isinstance(v, tuple) else once(v) for name, v in made.items()}  # type: ignore[misc]


def _names(cls: type) -> list[str]:
    return [f.name for f in dataclasses.fields(cls) if f.metadata.get("named")]
