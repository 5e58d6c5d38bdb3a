"""Trials in which some of those who play speak: a table, a transcript, and measures as for everybody else."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import jax
import numpy as np

from nomoi.core import Institution, Situation
from nomoi.core.learner import Learner
from nomoi.errors import Missing, Refusal
from nomoi.play.lines import parse_lines
from nomoi.play.transcript import Transcript
from nomoi.play.words import rules
from nomoi.runs.record import Record
from nomoi.runs.trial import Arrays, Trial
from nomoi.runs.trials import Lived
from nomoi.speak.session import SPEECH, play
from nomoi.speak.speaker import Speaker

NOBODY = "nobody is there to speak; set NOMOI_ENDPOINT to MODEL@URL, such as phi4@http://127.0.0.1:8000/v1"


@dataclasses.dataclass(frozen=True, eq=False)
class Spoken(Lived):
    """One episode at a table, a seed each.

    seats   who sits where (`Speaker`, or a learner or script), in the order of agents; the last takes what is left.
            Without any the trial is missing, and claims about it are not tested
    talk    rounds of talk before play;  between  and after each step of the world
    """

    situation: Situation
    seats: tuple[Any, ...]
    under: tuple[Institution, ...] = ()
    talk: int = 0
    between: int = 0

    reaches: ClassVar[Sequence[str]] = ("nomoi.speak.session",)

    def spec(self) -> dict[str, Any]:
        wordings = sorted({who.wording for who in self.seats if isinstance(who, Speaker)})
        texts = [rules(self.place, role, k) for k in wordings for role in dict.fromkeys(self.place.roles)]
        # cards and sentences are no code, and here they are what is told
        return super().spec() | {"told": hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]}

    def measures(self) -> dict[str, tuple[str, str]]:
        return super().measures() | (
            SPEECH if any(isinstance(who, Speaker) for who in self.seats) or not self.seats else {}
        )

    def check(self, trials: Mapping[str, Trial]) -> None:
        super().check(trials)
        wrong = [who for who in self.seats if not isinstance(who, (Speaker, Learner))]
        if wrong or len(self.seats) > self.place.agents or min(self.talk, self.between) < 0:
            raise Refusal(f"{self.label!r} has the seats {self.seats!r}; at most {self.place.agents} speakers, "
                          "learners or scripts would be right.")  # fmt: skip

    def players(self) -> Sequence[Learner]:
        return [who for who in self.seats if isinstance(who, Learner)]

    def make(self, key: Any, parents: Sequence[Record]) -> tuple[Mapping[str, float], Arrays]:
        if not self.seats:
            raise Missing(NOBODY + ".")
        seed = int(np.asarray(jax.random.key_data(key))[-1])  # that of the key, up to 2**32
        played = play(self.place, self.seats, seed, self.talk, between=self.between)
        return {name: played.measures[name] for name in self.measures()}, played.arrays()


def transcript(record: Record) -> Transcript:
    """What was played, from its record: `nomoi.play.replay` lives through it again."""
    arrays = record.arrays()
    if "transcript" not in arrays:
        raise Refusal(f"the record {record.id} has no transcript; those of trials at a table do.")
    head, *lines = parse_lines(arrays["transcript"].tobytes().decode(), f"the record {record.id}")
    return Transcript(head, tuple(lines))


def models(record: Record) -> list[str]:
    """The models that spoke in a record, with their addresses."""
    seats = record.spec["trial"]["options"].get("seats", {}).get("tuple", [])
    told = [seat["options"]["endpoint"]["options"] for seat in seats if "endpoint" in seat.get("options", {})]
    return [f"{one['model']} at {one['url']}" for one in told]
