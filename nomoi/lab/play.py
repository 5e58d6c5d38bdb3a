"""What a room's worker thread does: the table, its scripts, its diary, and the record at the end."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np

from nomoi.core import Situation
from nomoi.core.keys import key_of
from nomoi.lab.diary import Diary
from nomoi.lab.plan import Plan
from nomoi.lab.shown import Eyes
from nomoi.play.lines import Line
from nomoi.play.table import Table
from nomoi.play.transcript import Transcript, head, replay
from nomoi.probes.meeting import Guest
from nomoi.runs import programs
from nomoi.runs.session import Session
from nomoi.runs.store import Store
from nomoi.runs.trial import Run


@dataclasses.dataclass(frozen=True)
class Shown:
    """What is to be sent after a step: texts of JSON, and the heads that each seat is asked for."""

    seats: list[str]
    asked: list[list[str]]
    all: str
    step: int


class Play:
    """A table with people, and with `others`: a script, or what a run learned, at all seats that no person has."""

    def __init__(
        self, situation: Situation, plan: Plan, diary: Diary, setup: dict[str, Any], others: Guest, played: Any = None
    ):
        self.situation, self.plan, self.diary, self.others = situation, plan, diary, others
        self.eyes = Eyes(situation, plan.sees)
        self.fixed, self.heads = self.eyes.fixed(), dict(situation.actions)
        self.by, self.ms, self.said = list[list[str]](), list[list[int | None]](), list[dict[str, Any]]()
        if played is None:
            self.table = Table(situation, plan.seed)
        else:
            transcript, lines = played
            self.table = replay(transcript, situation)
            turns = [x for x in lines if "step" in x.get("turn", ())]
            self.by, self.ms = [x["by"] for x in turns], [x["ms"] for x in turns]
            self.said = [x["said"] for x in lines if "said" in x]
        self.totals = np.zeros(situation.agents)
        for line in self.table.log:
            self._pay(line)
        for i in self.table.seats:
            self._sit(i, i < plan.persons)
        if played is None:
            diary.begin(plan, setup, head(self.table))
            diary.add(self.table.log[-1], [], [])

    @property
    def over(self) -> bool:
        return self.table.over

    def say(self, said: dict[str, Any]) -> None:
        """Keep what somebody wrote to the others; it changes nothing in the world."""
        self.diary.say(said)
        self.said.append(said)

    def turn(
        self, answers: dict[int, Any], late: list[int], gone: list[int], ms: list[int | None], watched: bool = True
    ) -> Shown:
        """One step by what was answered; for who is late the script answers, or in real time nobody."""
        table, persons = self.table, range(self.plan.persons)
        for i in persons:
            if i in answers:
                table.answer(i, answers[i])
            elif i in late and self.plan.pace and i not in gone:
                table.answer(i, dict.fromkeys(table.told(i).asked, 0))
            elif i in late or i in gone:
                self._sit(i, False)
        table.step()
        by = ["person" if i in answers else "script" if i in gone else
              ("nobody" if self.plan.pace else "late") if i in late else "" for i in persons]  # fmt: skip
        self._pay(table.log[-1])
        self.by.append(by)
        self.ms.append(ms)
        self.diary.add(table.log[-1], ms, by)
        for i in persons:
            self._sit(i, True)
        return self.shown(watched or table.over)

    def _sit(self, i: int, person: bool) -> None:
        """A person at a seat, or who plays the others and answers for who does not."""
        if person:
            self.table.sit(i, f"seat {i + 1}")
        else:
            self.table.sit(i, self.others.learner, self.others.mind)

    def _pay(self, line: Line) -> None:
        if "step" in line:
            self.totals += np.add(line["reward"], line["transfer"])

    def shown(self, watched: bool = True) -> Shown:
        """What there is to be told now; to those who watch as well, if there are any."""
        table = self.table
        told = [self.eyes.seat(table, i, float(self.totals[i])) for i in range(self.plan.persons)]
        every = json.dumps({"t": "watch", "of": self.eyes.everything(table, self.totals)}) if watched else ""
        asked = [[] if table.over else one["asked"] for one in told]
        return Shown([json.dumps(one) for one in told], asked, every, table.steps)


def default(situation: Situation) -> str:
    """The script that plays unless another is asked for."""
    from nomoi.core import outline

    return "forager" if "apple" in outline(situation).planes and "move" in situation.actions else "random"


def keep(store: Store, play: Play, ended: str, consent: str) -> str:
    """The session as a record; gives its name.  One of which nothing was played is not kept."""
    play.diary.close()
    if not play.table.steps:
        return ""
    told = Transcript.of(play.table)
    lines = tuple(json.dumps(line) for line in (told.head, *told.lines))
    plan = play.plan
    terms = {"persons": plan.persons, "script": play.others.name, "deadline": plan.waits, "pace": plan.pace,
             "leaves": plan.leaves, "sees": plan.sees, "consent": consent, "ended": ended, "by": play.by,
             "ms": play.ms}  # fmt: skip
    if plan.talk != "no":
        terms["said"] = play.said
    label = plan.title or " + ".join([play.situation.bare.name, *(i.name for i in play.situation.institutions)])
    session = Session(label, play.situation, lines, terms)
    run = Run(session, plan.seed)
    made, arrays = session.make(key_of(plan.seed), ())
    return store.put(run.asked, made, arrays, run.files(), **run.facts(), **programs.device()).id


__all__ = ["Play", "Shown", "default", "keep"]
