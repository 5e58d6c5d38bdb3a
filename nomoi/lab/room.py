"""Rooms: one session, from the first who comes to the record that is kept of it.

A room lives on the event loop, which moves bytes alone; all that needs JAX runs in the room's one worker thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from nomoi.errors import Refusal
from nomoi.lab.chairs import Chair, Company, Link
from nomoi.lab.diary import Diary
from nomoi.lab.plan import Plan
from nomoi.lab.talk import Talk

WORDS = {"script": "a script takes over the seat", "pause": "the session pauses", "end": "the session ends"}


class Room:
    """One session.  phase: warming, waiting, talking (before play), playing, paused, over."""

    def __init__(self, name: str, plan: Plan, make: Callable[[], Any], keep: Callable[..., str], diary: Diary):
        self.name, self.plan, self.diary = name, plan, diary
        self.company, self.talk = Company(plan.persons), Talk(plan)
        self.phase, self.said = "warming", "The lab is getting ready."
        self.record, self.fixed, self.watched, self.step = "", "", "", 0
        self._make, self._keep = make, keep  # both are called in the worker thread
        self._hands = ThreadPoolExecutor(1, f"room-{name}")
        self._stir, self._until, self._telling = asyncio.Event(), 0.0, set[Any]()
        self._pressed, self._ended, self._begun = False, "", 0.0
        self._play: Any = None
        self._heads, self._told = dict[str, int](), dict[str, Any]()

    @property
    def chairs(self) -> list[Chair]:
        return self.company.chairs

    @property
    def consent(self) -> str:
        """The digest of the consent's text."""
        return hashlib.sha256(self.plan.agreed.encode()).hexdigest()

    # --- the one task ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Live through the session."""
        plan = self.plan
        try:
            self._play = await self._call(self._make)
            self._heads, self.talk.said = self._play.heads, list(self._play.said)
            self.fixed = json.dumps({"t": "room", "title": plan.title, "about": plan.about, "consent": plan.agreed,
                                     "pace": plan.pace, "watch": not self.chairs, "talk": plan.talk,
                                     "letters": plan.letters} | self._play.fixed)  # fmt: skip
            self._take(await self._call(self._play.shown))
            self._change("waiting", "Waiting until everybody is here.")
            for link, chair in self.company.links():
                self._welcome(link, chair)
            while not self._pressed and not self._ended and not self.company.ready():
                await self._wait(self._watch())
            if plan.talk != "no" and self.chairs and not self.step and not self._ended:
                await self._before()
            if not self._ended:
                self._change("playing", "The session begins.")
            while not self._play.over and not self._ended:
                await self._turn()
            self._change(self.phase, "The session is kept.")
            self.talk.closed = True
            if self._telling:
                await asyncio.wait(self._telling)
            self.record = await self._call(self._keep, self._play, self._ended)
            self._change("over", self._ended or "The session is over.")
        except Refusal as refusal:
            self._change("over", str(refusal))
        except Exception:  # a fault of ours: everybody is told, and the terminal says where
            traceback.print_exc()
            self._change("over", "The lab has failed; what was played up to the last turn is kept.")
        finally:
            self.diary.close()
            self._tell_all()
            self._hands.shutdown(wait=False)

    async def _call(self, work: Callable[..., Any], *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._hands, work, *given)

    async def _before(self) -> None:
        """Talk before play: until all who are here are ready, the time is over, or the host presses start."""
        self._pressed, self._begun = False, time.monotonic()
        self._until = self._begun + self.plan.talking if self.plan.talking else 0.0
        limit = f", for {self.plan.talking:g} seconds at most" if self.plan.talking else ""
        self._change("talking", f"You can talk to each other before it begins{limit}.")
        while not self._pressed and not self._ended:
            pause, here = self._watch(), [c for c in self.chairs if c.state == "here" and c.agreed]
            left = self._until - time.monotonic() if self._until else pause
            if left <= 0 or (here and all(c.talked for c in here)):
                break
            await self._wait(max(0.001, min(pause, left)))

    async def _turn(self) -> None:
        """One step: tell, wait for answers, step, write down."""
        self._begun, waits = time.monotonic(), self.plan.waits
        if not self.chairs and not waits:
            waits = 0.15  # scripts alone: slowly enough to be watched (ours)
        self._until = self._begun + waits if waits else 0.0
        if self.said.endswith("is back."):  # which is news for one turn
            self.said = "The session goes on."
        for chair in self.chairs:
            chair.answer = chair.ms = None
        self._tell_all()
        self._show()
        while not self._ended:
            pause = self._watch()
            left = self._until - time.monotonic() if self._until else pause
            if self.phase == "paused":
                self._until += pause if self._until else 0.0
            elif (self._until and left <= 0) or (
                not self.plan.pace and self.chairs and not any(c.lacking for c in self.chairs)
            ):
                break
            await self._wait(max(0.001, min(pause, left)))
        if self._ended:
            return
        answers = {c.seat: c.answer for c in self.chairs if c.answer is not None}
        late = [c.seat for c in self.chairs if c.asked and c.answer is None]
        gone = [c.seat for c in self.chairs if c.left]
        self._take(await self._call(self._play.turn, answers, late, gone, [c.ms for c in self.chairs],
                                    bool(self.company.watchers)))  # fmt: skip

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stir.wait(), seconds)
        self._stir.clear()

    # --- who is there -----------------------------------------------------------------------------------------------

    def _watch(self) -> float:
        """Notice who fell silent and whose time is up; gives the seconds after which to look again."""
        begun, leaves = self.phase in ("playing", "paused"), self.plan.leaves
        for chair in self.company.silent(self.plan.beat):
            then = f"; after {self.plan.hold:g} seconds {WORDS[leaves]}" if begun else ""
            self._change(self.phase, f"{chair.label.capitalize()} is away{then}.")
        for chair in self.company.lost(self.plan.hold) if begun else ():
            sentence = f"{chair.label.capitalize()} did not come back: {WORDS[leaves]}."
            if leaves == "end":
                self._ended = sentence
            if deserted := leaves == "script" and all(c.left for c in self.chairs):  # a network may have failed
                sentence = (
                    "Nobody is left. The session waits for somebody to come back, or for the host to let it go on."
                )
            self._change("paused" if leaves == "pause" or deserted else self.phase, sentence)
        return min(0.25, self.plan.beat)

    def join(self, place: int | None, link: Link) -> None:
        """A socket opens: of a chair's person, or (None) of somebody who watches."""
        chair = None if place is None else self.chairs[place]
        (chair.links if chair else self.company.watchers).add(link)
        if chair:
            self._hears(chair)
        if self.fixed:
            self._welcome(link, chair)
        link.send(json.dumps(self.roster()))
        self._change(self.phase, self.said)

    def _welcome(self, link: Link, chair: Chair | None) -> None:
        """All that whoever comes needs to know."""
        link.send(self.fixed)
        if self.talk.said:
            link.send(json.dumps(self.talk.told()))
        if chair is None:
            if self.watched:
                link.send(self.watched)
            return
        link.send(json.dumps({"t": "you", **chair.you(self.step)}))
        if chair.told and self.phase in ("playing", "paused", "over"):
            link.send(self._with_time(chair.told))

    def leave(self, place: int | None, link: Link) -> None:
        """A socket closes."""
        (self.company.watchers if place is None else self.chairs[place].links).discard(link)
        self._stir.set()

    def _hears(self, chair: Chair) -> None:
        was = chair.state
        if self.company.heard(chair):
            waits = self.plan.leaves == "pause" and any(c.state == "gone" for c in self.chairs)
            if self.phase == "paused" and not waits:
                self.phase = "playing"
            if was in ("away", "gone") and self.phase in ("playing", "paused"):
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
        chair = self.chairs[place]
        if kind == "agree":
            chair.agreed = True
            self._change(self.phase, self.said)
            return ""
        if kind == "ready" and self.phase == "talking":
            chair.talked = True
            self._stir.set()
            return ""
        if kind == "say":
            return self._says(chair, said.get("words"))
        if kind == "answer":
            return self._answered(chair, said)
        return "The lab does not know that message."

    def _host(self, kind: Any) -> str:
        if kind == "start" and self.phase in ("waiting", "talking"):
            if self.chairs and not any(c.state == "here" for c in self.chairs):
                return "Nobody has come yet; a session begins with one person at least."
            self._pressed = True
        elif kind == "end" and self.phase in ("waiting", "talking", "playing", "paused"):
            self._ended = "The host has ended the session."
        elif kind == "go on" and self.phase == "paused":
            self._change("playing", "The host lets the session go on: scripts answer for who is gone.")
        else:
            return "The room cannot do that now."
        self._stir.set()
        return ""

    def _says(self, chair: Chair, words: Any) -> str:
        """A text is on the disk before anybody else is told of it, like a turn."""
        sentence, one = self.talk.take(chair, self.phase, words, self.step, self._since())
        if one:
            task = asyncio.get_running_loop().create_task(self._spread(chair, one))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)
        return sentence

    async def _spread(self, chair: Chair, one: dict[str, Any]) -> None:
        try:
            await self._call(self._play.say, one)
        except Refusal as refusal:  # a full disk, say
            return chair.tell({"t": "refused", "said": str(refusal)})
        self.talk.said.append(one)
        self.company.tell(self.talk.told(one))

    def _since(self) -> int:
        return round(1000 * (time.monotonic() - self._begun))

    def _answered(self, chair: Chair, said: dict[str, Any]) -> str:
        """An answer counts if it is to this turn, to all heads that are asked, and legal."""
        if self.phase != "playing" or said.get("step") != self.step or type(said.get("step")) is not int:
            return "That answer is not to what is asked now."
        if not chair.agreed:
            return "Before the first answer the consent is to be read and agreed to."
        given: Any = said.get("choices")
        if sentence := chair.wrong(given, self._heads):
            return sentence
        if not chair.asked or (chair.answer is not None and not self.plan.pace):
            return "That has been answered."
        chair.answer, chair.ms = dict(given), self._since()
        if self.company.watchers:  # who else has answered is told to them alone: to all it would be the cost of a turn
            self.company.tell(self.roster(), watchers=True)
        if not any(c.lacking for c in self.chairs):
            self._stir.set()
        return ""

    # --- what goes out ----------------------------------------------------------------------------------------------

    def _take(self, shown: Any) -> None:
        """What the worker thread made of the table: texts to send, and who is asked what."""
        self.watched, self.step = shown.all, shown.step
        for chair in self.chairs:
            chair.told, chair.asked = shown.seats[chair.seat], shown.asked[chair.seat]

    def _show(self) -> None:
        for link, chair in self.company.links():
            if text := self.watched if chair is None else chair.told and self._with_time(chair.told):
                link.send(text)

    def _with_time(self, told: str) -> str:
        left = max(0.0, self._until - time.monotonic()) if self._until and not self.plan.pace else None
        return f'{{"t": "turn", "left": {json.dumps(left and round(left, 1))}, "of": {told}}}'

    def _change(self, phase: str, said: str) -> None:
        self.phase, self.said = phase, said
        self._stir.set()
        self._tell_all()

    def roster(self) -> dict[str, Any]:
        """Who is there, for everybody."""
        return {"t": "roster", "phase": self.phase, "said": self.said, "seats": self.company.roster(),
                "record": self.record}  # fmt: skip

    def _tell_all(self) -> None:
        if (now := self.roster()) != self._told:  # most turns change nothing of it
            self._told = now
            self.company.tell(now)
        if self.phase == "over":
            self._show()
