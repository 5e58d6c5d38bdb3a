"""Chairs: who sits where in a room, who is there, and the lines to their browsers.  It knows of no situation."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from nomoi.lab.gate import Meter

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
    asked: list[str] = dataclasses.field(default_factory=list)
    talked: bool = False  # has said that talk before play may end
    meter: Meter = dataclasses.field(default_factory=lambda: Meter(2))  # of what is said: two texts a second (ours)

    @property
    def label(self) -> str:
        return f"seat {self.seat + 1}"

    def you(self, step: int) -> dict[str, Any]:
        """What its own browser is told of it; `answered` is the step to which it has, if it has."""
        answered = step if self.answer is not None else None
        return {"seat": self.seat, "agreed": self.agreed, "talked": self.talked, "answered": answered}

    def tell(self, said: dict[str, Any]) -> None:
        """Something to whoever sits there."""
        text = json.dumps(said)
        for link in self.links:
            link.send(text)

    @property
    def left(self) -> bool:
        """Whether a script has the seat: nobody came before the host began, or the room went on without."""
        return self.state in ("gone", "empty")

    @property
    def lacking(self) -> bool:
        """Whether the turn waits for it."""
        return bool(self.asked) and self.answer is None and not self.left

    def wrong(self, given: Any, heads: Mapping[str, int]) -> str:
        """What is wrong with choices, {head: choice}, as an answer to what is asked; empty where nothing is."""
        if not isinstance(given, dict) or set(given) != set(self.asked):
            return f"An answer to {', '.join(self.asked) or 'nothing'}, and nothing else, would be right."
        for head, choice in given.items():
            if type(choice) is not int or not 0 <= choice < heads[head]:
                return f"A whole number from 0 to {heads[head] - 1} would be right for {head}."
        return ""


class Company:
    """All who have a seat in a room, and those who watch."""

    def __init__(self, persons: int):
        self.chairs = [Chair(i) for i in range(persons)]
        self.watchers = set[Link]()

    def links(self) -> Iterator[tuple[Link, Chair | None]]:
        """Every open line, with the chair whose it is."""
        for chair in self.chairs:
            yield from ((link, chair) for link in chair.links)
        yield from ((link, None) for link in self.watchers)

    def tell(self, said: dict[str, Any], watchers: bool = False) -> None:
        """The same to all, or to those alone who watch."""
        text = json.dumps(said)
        for link in list(self.watchers) if watchers else [link for link, _ in self.links()]:
            link.send(text)

    def ready(self) -> bool:
        """Whether all have come and agreed; where there is no seat for people, whether somebody watches."""
        return all(c.state == "here" and c.agreed for c in self.chairs) and bool(self.chairs or self.watchers)

    def heard(self, chair: Chair) -> bool:
        """Note a sign of life; whether it is of somebody who had not been there."""
        chair.heard, was = time.monotonic(), chair.state
        chair.state = "here"
        return was != "here"

    def silent(self, beat: float) -> Iterator[Chair]:
        """Those who are away from now on: their page is closed, or nothing was heard of them for three beats."""
        now = time.monotonic()
        for chair in self.chairs:
            if chair.state == "here" and (not chair.links or now - chair.heard > 3 * beat):
                chair.state, chair.away = "away", now
                yield chair

    def lost(self, hold: float) -> Iterator[Chair]:
        """Those whose seat has been held for long enough."""
        now = time.monotonic()
        for chair in self.chairs:
            if chair.state == "away" and now - chair.away > hold:
                chair.state = "gone"
                yield chair

    def roster(self) -> list[dict[str, Any]]:
        """Who is there, for everybody."""
        return [{"label": c.label, "state": c.state, "agreed": c.agreed, "answered": c.answer is not None}
                for c in self.chairs]  # fmt: skip
