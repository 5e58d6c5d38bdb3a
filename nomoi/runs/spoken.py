"""Trials in which some of those who play speak: a table, a transcript, and measures as for everybody else."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import jax
import numpy as np

from nomoi.core import Institution, Situation, govern
from nomoi.core.learner import Learner
from nomoi.core.spec import spec
from nomoi.errors import Missing, Refusal
from nomoi.measure.measures import measures
from nomoi.play.lines import parse_lines
from nomoi.play.transcript import Transcript
from nomoi.runs.record import Record
from nomoi.runs.shapes import in_force, plain
from nomoi.runs.trial import Arrays, Trial
from nomoi.speak.session import SPEECH, play
from nomoi.speak.speaker import Speaker

NOBODY = "nobody is there to speak; set NOMOI_ENDPOINT to MODEL@URL, such as phi4@http://127.0.0.1:8000/v1"


@dataclasses.dataclass(frozen=True, eq=False)
class Spoken(Trial):
    """One episode at a table, a seed each.

    seats   who sits where (`Speaker`, or a learner or script), in the order of agents; the last takes what is left.
            Without any the trial is missing, and claims about it are not tested
    talk    rounds of talk before play
    """

    situation: Situation
    seats: tuple[Any, ...]
    under: tuple[Institution, ...] = ()
    talk: int = 0

    reaches: ClassVar[Sequence[str]] = ("nomoi.speak.session",)

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
        told = {name: (m.unit, m.meaning) for name, m in known.items() if name in meant}
        return told | (SPEECH if any(isinstance(who, Speaker) for who in self.seats) or not self.seats else {})

    def check(self, trials: Mapping[str, Trial]) -> None:
        super().check(trials)
        wrong = [who for who in self.seats if not isinstance(who, (Speaker, Learner))]
        if wrong or len(self.seats) > self.place.agents or self.talk < 0:
            raise Refusal(f"{self.label!r} has the seats {self.seats!r}; at most {self.place.agents} speakers, "
                          "learners or scripts would be right.")  # fmt: skip

    def make(self, key: Any, parents: Sequence[Record]) -> tuple[Mapping[str, float], Arrays]:
        if not self.seats:
            raise Missing(NOBODY + ".")
        seed = int(np.asarray(jax.random.key_data(key))[-1])  # that of the key, up to 2**32
        played = play(self.place, self.seats, seed, self.talk)
        return {name: played.measures[name] for name in self.measures()}, played.arrays()


def transcript(record: Record) -> Transcript:
    """What was played, from its record: `nomoi.play.replay` lives through it again."""
    arrays = record.arrays()
    if "transcript" not in arrays:
        raise Refusal(f"the record {record.id} has no transcript; those of trials at a table do.")
    head, *lines = parse_lines(arrays["transcript"].tobytes().decode(), f"the record {record.id}")
    return Transcript(head, tuple(lines))
