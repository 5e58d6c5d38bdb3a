"""Talk: short texts among the people of a room, before play or at any time.  They are text, and never markup."""

from __future__ import annotations

from typing import Any

from nomoi.errors import printable
from nomoi.lab.chairs import Chair
from nomoi.lab.plan import Plan

SHOWN = 200  # texts that somebody who comes later is shown, the newest (ours)


class Talk:
    """What was said in a room, and what may be.

    said    all of it in order, as plain data: {"step": turns before it, "seat": from 0, "words": text, "ms": since the
            talk or the turn began}
    """

    def __init__(self, plan: Plan):
        self.plan, self.said, self.closed = plan, list[dict[str, Any]](), False

    def open(self, phase: str) -> bool:
        """Whether anybody may say something now."""
        always = self.plan.talk == "always" and phase in ("playing", "paused")
        return not self.closed and (phase == "talking" or always)

    def take(self, chair: Chair, phase: str, words: Any, step: int, ms: int) -> tuple[str, dict[str, Any] | None]:
        """A text of somebody's: a sentence where it cannot be said, and what is to be kept and told where it can.

        It becomes one line without control characters; nothing else in it is changed.
        """
        if not self.open(phase):
            return "Nothing can be said to the others now.", None
        if not chair.agreed:
            return "Before the first word the consent is to be read and agreed to.", None
        text = " ".join(printable(words).split()) if isinstance(words, str) else ""
        if not text:
            return "There is nothing in that; a short text would be right.", None
        if len(text) > self.plan.letters:
            return f"That has {len(text)} letters, and {self.plan.letters} is the most.", None
        if chair.meter.full():
            return "That is too fast; two texts a second is the most.", None
        return "", {"step": step, "seat": chair.seat, "words": text, "ms": ms}

    def told(self, *said: dict[str, Any]) -> dict[str, Any]:
        """The message by which others are told of texts; of all of them where none is given."""
        of = [
            {"seat": one["seat"] + 1, "step": one["step"], "words": one["words"]} for one in said or self.said[-SHOWN:]
        ]
        return {"t": "said", "all": not said, "of": of}
