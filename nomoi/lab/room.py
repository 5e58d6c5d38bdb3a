"""Rooms: one session, from the first who comes to the record that is kept of it.

A room lives on the event loop, which moves bytes alone; all that needs JAX runs in the room's one worker thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import json
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from nomoi.errors import Refusal
from nomoi.lab.diary import Diary
from nomoi.lab.plan import Plan

WORDS = {"script": "a script takes over the seat", "pause": "the session pauses", "end": "the session ends"}
QUEUE = 64  # messages that wait for a slow browser; then it is cut off, and may come back (ours)


class Link:
    """One open socket, as a queue of texts to be sent; None closes it."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[str | None] = asyncio.Queue()

    def send(self, text: str) -> None:
        if self.queue.qsize() < QUEUE:
            self.queue.put_nowait(text)
        elif self.queue.qsize() == QUEUE:
            self.queue.put_nowait(None)


@dataclasses.dataclass
class Chair:
    """A seat for a person.  state: empty (nobody came yet), here, away (held), gone (the room went on without)."""

    seat: int
    state: str = "empty"
    links: set[Link] = dataclasses.field(default_factory=set)
    heard: float = 0.0
    away: float = 0.0
    agreed: bool = False
    answer: dict[str, int] | None = None
    ms: int | None = None
    told: str = ""

    @property
    def label(self) -> str:
        return f"seat {self.seat + 1}"


class Room:
    """One session.  phase: warming, waiting, playing, paused, over."""

    def __init__(self, name: str, plan: Plan, make: Callable[[], Any], keep: Callable[..., str], diary: Diary):
        self.name, self.plan, self.diary = name, plan, diary
        self.chairs = [Chair(i) for i in range(plan.persons)]
        self.watchers, self.phase, self.said = set[Link](), "warming", "The lab is getting ready."
        self.record, self.fixed, self.watched, self.step = "", "", "", 0
        self._make, self._keep = make, keep  # both are called in the worker thread
        self._hands = ThreadPoolExecutor(1, f"room-{name}")
        self._stir, self._until = asyncio.Event(), 0.0
        self._pressed, self._ended, self._begun = False, "", 0.0
        self._play: Any = None
        self._heads: dict[str, int] = {}
        self._asked: list[list[str]] = [[] for _ in self.chairs]

    @property
    def consent(self) -> str:
        """The digest of the consent's text."""
        return hashlib.sha256(self.plan.consent.encode()).hexdigest()

    # --- the one task ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Live through the session."""
        try:
            self._play = await self._call(self._make)
            self.fixed = json.dumps({"t": "room", "title": self.plan.title, "about": self.plan.about,
                                     "consent": self.plan.consent, "pace": self.plan.pace,
                                     "watch": not self.chairs} | self._play.fixed)  # fmt: skip
            self._heads = self._play.heads
            self._take(await self._call(self._play.shown))
            self._change("waiting", "Waiting until everybody is here.")
            for chair in self.chairs:
                for link in chair.links:
                    self._welcome(link, chair)
            for link in self.watchers:
                self._welcome(link, None)
            while not self._pressed and not self._ended and not self._ready():
                await self._wait(self._watch())
            if not self._ended:
                self._change("playing", "The session begins.")
            while not self._play.over and not self._ended:
                await self._turn()
            self._change(self.phase, "The session is kept.")
            self.record = await self._call(self._keep, self._play, self._ended)
            self._change("over", self._ended or "The session is over.")
        except Refusal as refusal:
            self._change("over", str(refusal))
        except Exception:  # a fault of ours: everybody is told, and the terminal says where
            traceback.print_exc()
            self._change("over", "The lab has failed; what was played up to the last turn is kept.")
        finally:
            self._tell_all()
            self._hands.shutdown(wait=False)

    async def _call(self, work: Callable[..., Any], *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._hands, work, *given)

    async def _turn(self) -> None:
        """One step: tell, wait for answers, step, write down."""
        self._begun, waits = time.monotonic(), self.plan.waits
        if not self.chairs and not waits:
            waits = 0.15  # scripts alone: slowly enough to be watched (ours)
        self._until = self._begun + waits if waits else 0.0
        for chair in self.chairs:
            chair.answer = chair.ms = None
        self._tell_all()
        self._show()
        while not self._ended:
            pause = self._watch()
            left = self._until - time.monotonic() if self._until else pause
            if self.phase == "paused":
                self._until += pause if self._until else 0.0
            elif (self._until and left <= 0) or (not self.plan.pace and self.chairs and not self._lacking()):
                break
            await self._wait(max(0.001, min(pause, left)))
        if self._ended:
            return
        answers = {c.seat: c.answer for c in self.chairs if c.answer is not None}
        late = [c.seat for c in self.chairs if self._asked[c.seat] and c.answer is None]
        gone = [c.seat for c in self.chairs if c.state == "gone"]
        self._take(await self._call(self._play.turn, answers, late, gone, [c.ms for c in self.chairs],
                                    bool(self.watchers)))  # fmt: skip

    def _lacking(self) -> list[Chair]:
        return [c for c in self.chairs if self._asked[c.seat] and c.answer is None and c.state != "gone"]

    def _ready(self) -> bool:
        return all(c.state == "here" and c.agreed for c in self.chairs) and (bool(self.chairs) or bool(self.watchers))

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stir.wait(), seconds)
        self._stir.clear()

    # --- who is there -----------------------------------------------------------------------------------------------

    def _watch(self) -> float:
        """Notice who fell silent and whose time is up; gives the seconds after which to look again."""
        now, begun = time.monotonic(), self.phase in ("playing", "paused")
        for chair in self.chairs:
            if chair.state == "here" and (not chair.links or now - chair.heard > 3 * self.plan.beat):
                chair.state, chair.away = "away", now
                then = f"; after {self.plan.hold:g} seconds {WORDS[self.plan.leaves]}" if begun else ""
                self._change(self.phase, f"{chair.label.capitalize()} is away{then}.")
            if begun and chair.state == "away" and now - chair.away > self.plan.hold:
                chair.state = "gone"
                sentence = f"{chair.label.capitalize()} did not come back: {WORDS[self.plan.leaves]}."
                if self.plan.leaves == "end":
                    self._ended = sentence
                phase = "paused" if self.plan.leaves == "pause" else self.phase
                self._change(phase, sentence)
        return min(0.25, self.plan.beat)

    def join(self, place: int | None, link: Link) -> None:
        """A socket opens: of a chair's person, or (None) of somebody who watches."""
        if place is None:
            self.watchers.add(link)
        else:
            chair = self.chairs[place]
            chair.links.add(link)
            self._hears(chair)
        if self.fixed:
            self._welcome(link, None if place is None else self.chairs[place])
        self._change(self.phase, self.said)

    def _welcome(self, link: Link, chair: Chair | None) -> None:
        """All that whoever comes needs to know."""
        link.send(self.fixed)
        if chair is None:
            if self.watched:
                link.send(self.watched)
            return
        link.send(json.dumps({"t": "you", "seat": chair.seat, "agreed": chair.agreed}))
        if chair.told and self.phase in ("playing", "paused", "over"):
            link.send(self._with_time(chair.told))

    def leave(self, place: int | None, link: Link) -> None:
        """A socket closes."""
        (self.watchers if place is None else self.chairs[place].links).discard(link)
        self._stir.set()

    def _hears(self, chair: Chair) -> None:
        chair.heard = time.monotonic()
        if chair.state != "here":
            back = chair.state in ("away", "gone") and self.phase in ("playing", "paused")
            chair.state = "here"
            if self.phase == "paused" and not any(c.state == "gone" for c in self.chairs):
                self.phase = "playing"
            if back:
                self._change(self.phase, f"{chair.label.capitalize()} is back.")
            self._stir.set()

    # --- what comes in ----------------------------------------------------------------------------------------------

    def hear(self, place: int | None, text: str) -> str:
        """A message of a person (or of a host, None); gives a sentence where it says nothing that can be used."""
        if place is not None:
            self._hears(self.chairs[place])
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            return "That was no message: a JSON object would be right."
        kind = said.get("t") if isinstance(said, dict) else None
        if kind == "beat":
            return ""
        if place is None:
            return self._host(kind)
        if kind == "agree":
            self.chairs[place].agreed = True
            self._change(self.phase, self.said)
            return ""
        if kind == "answer":
            return self._answered(self.chairs[place], said)
        return "The lab does not know that message."

    def _host(self, kind: Any) -> str:
        if kind == "start" and self.phase == "waiting":
            self._pressed = True
        elif kind == "end" and self.phase in ("waiting", "playing", "paused"):
            self._ended = "The host has ended the session."
        elif kind == "go on" and self.phase == "paused":
            self._change("playing", "The host lets the session go on: scripts answer for who is gone.")
        else:
            return "The room cannot do that now."
        self._stir.set()
        return ""

    def _answered(self, chair: Chair, said: dict[str, Any]) -> str:
        """An answer counts if it is to this turn, to all heads that are asked, and legal."""
        if self.phase != "playing" or said.get("step") != self.step or type(said.get("step")) is not int:
            return "That answer is not to what is asked now."
        if not chair.agreed:
            return "Before the first answer the consent is to be read and agreed to."
        given, asked = said.get("choices"), self._asked[chair.seat]
        if not isinstance(given, dict) or set(given) != set(asked):
            return f"An answer to {', '.join(asked) or 'nothing'}, and nothing else, would be right."
        for head, choice in given.items():
            if type(choice) is not int or not 0 <= choice < self._heads[head]:
                return f"A whole number from 0 to {self._heads[head] - 1} would be right for {head}."
        if not asked or (chair.answer is not None and not self.plan.pace):
            return "That has been answered."
        chair.answer, chair.ms = dict(given), round(1000 * (time.monotonic() - self._begun))
        self._stir.set()
        return ""

    # --- what goes out ----------------------------------------------------------------------------------------------

    def _take(self, shown: Any) -> None:
        """What the worker thread made of the table: texts to send, and who is asked what."""
        self.watched, self.step = shown.all, shown.step
        for chair in self.chairs:
            chair.told, self._asked[chair.seat] = shown.seats[chair.seat], shown.asked[chair.seat]

    def _show(self) -> None:
        for chair in self.chairs:
            for link in chair.links if chair.told else ():
                link.send(self._with_time(chair.told))
        for link in self.watchers if self.watched else ():
            link.send(self.watched)

    def _with_time(self, told: str) -> str:
        left = max(0.0, self._until - time.monotonic()) if self._until and not self.plan.pace else None
        return f'{{"t": "turn", "left": {json.dumps(left and round(left, 1))}, "of": {told}}}'

    def _change(self, phase: str, said: str) -> None:
        self.phase, self.said = phase, said
        self._stir.set()
        self._tell_all()

    def roster(self) -> dict[str, Any]:
        """Who is there, for everybody."""
        seats = [{"label": c.label, "state": c.state, "agreed": c.agreed, "answered": c.answer is not None}
                 for c in self.chairs]  # fmt: skip
        return {"t": "roster", "phase": self.phase, "said": self.said, "seats": seats, "record": self.record}

    def _tell_all(self) -> None:
        text = json.dumps(self.roster())
        for link in [k for c in self.chairs for k in c.links] + list(self.watchers):
            link.send(text)
        if self.phase == "over":
            self._show()
