"""A room's door: one short address at which each phone gets the next free seat, as long as the room waits.

The address has a code that can be written on a board; what it gives is a seat's own link, with the token that only
that phone then has.  The phone keeps a cookie for this address, so that it finds its own seat again and takes no other.
"""

from __future__ import annotations

import secrets
import time

from nomoi.errors import Refusal
from nomoi.lab.gate import same
from nomoi.lab.room import Room

LETTERS, LONG = "abcdefghjkmnpqrstuvwxyz23456789", 6  # none that looks like another; 31 to the 6th codes (ours)
HELD = 60.0  # seconds for which a seat that was given away is kept for who has not come to it (ours)


def new_code() -> str:
    """A new code of a door."""
    return "".join(secrets.choice(LETTERS) for _ in range(LONG))


class Door:
    """The way into one room."""

    def __init__(self, room: Room, tokens: list[str], code: str):
        self.room, self.tokens, self.code = room, tokens, code
        self._given = dict[int, float]()

    def seat(self, cookie: str | None) -> int:
        """The place of the phone that asks: the one that it has, or the next that is free; refused where none is."""
        for place, token in enumerate(self.tokens):
            if same(cookie, token):
                return place
        if self.room.phase not in ("warming", "waiting"):
            raise Refusal("The session has begun, so that nobody else can come; ask whoever leads it.")
        now = time.monotonic()
        for chair in self.room.chairs:
            if chair.state == "empty" and now - self._given.get(chair.seat, -HELD) >= HELD:
                self._given[chair.seat] = now
                return chair.seat
        raise Refusal("All seats are taken; ask whoever leads the session.")
