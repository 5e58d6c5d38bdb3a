"""Diaries: a session on disk, turn by turn, so that nothing is lost when the power is.

rooms/<name>/diary.jsonl    a first line with the plan, then a line a turn: {"turn": a transcript's line, "ms": [...],
                            "by": [...]}; each is on the disk before anybody is told what the turn brought.  A line
                            {"said": {...}} is a text that somebody wrote to the others (see nomoi.lab.talk)
rooms/<name>/room.json      the plan and the setup, as soon as there is a room; until its table is made it has no diary
rooms/<name>/keys.json      the tokens of its links and the code of its door, for the owner's eyes alone
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nomoi.errors import Refusal
from nomoi.files import why
from nomoi.lab.plan import Plan, of

if TYPE_CHECKING:
    from nomoi.play.lines import Line
    from nomoi.play.transcript import Transcript

FORMAT = 1
SAFE = getattr(os, "fdatasync", os.fsync)  # on the disk: the bytes and the length, which is all that is read again


class Diary:
    """One session's file, to which lines are only ever added."""

    def __init__(self, folder: Path):
        self.folder, self.path = folder, folder / "diary.jsonl"
        self._file: Any = None

    def begin(self, plan: Plan, setup: dict[str, Any], head: Line) -> None:
        """A new file, with its first line."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file = open(self.path, "x", encoding="utf-8")  # noqa: SIM115
        except OSError as error:
            raise self._shut(self.path, error) from None
        self._alone()
        self._write({"diary": FORMAT, "plan": dataclasses.asdict(plan), "setup": setup, "head": head})

    def _alone(self) -> None:
        """Refuse a room that another lab lives, whose turns would stand among these."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise Refusal(f"the room {self.folder.name} is lived in another lab; end that one first.") from None

    def add(self, turn: Line, ms: list[int | None], by: list[str]) -> None:
        """One more line, on the disk when this returns."""
        self._write({"turn": turn, "ms": ms, "by": by})

    def say(self, said: dict[str, Any]) -> None:
        """A text of somebody's, on the disk when this returns."""
        self._write({"said": said})

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        SAFE(self._file.fileno())

    def opened(self, plan: Plan, setup: dict[str, Any] | None) -> None:
        """Write down what the room is to be, before there is anything to be lived."""
        place = self.folder / "room.json"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            place.write_text(json.dumps({"plan": dataclasses.asdict(plan), "setup": setup}))
        except OSError as error:
            raise self._shut(place, error) from None

    def resume(self) -> tuple[Plan, dict[str, Any] | None, Transcript | None, list[dict[str, Any]]]:
        """What was written: plan, setup, transcript so far, and lines; what a kill cut short is cut off.

        Of a session that had not begun there is no transcript, and it can `begin`.
        """
        from nomoi.play.transcript import Transcript  # which loads JAX

        try:
            text = self.path.read_bytes()
        except FileNotFoundError as error:
            if (room := self._waiting()) is not None:
                return room
            raise self._lacking(error) from None
        except OSError as error:
            raise self._lacking(error) from None
        whole = text[: text.rfind(b"\n") + 1]
        try:
            first, *lines = (json.loads(line) for line in whole.decode().splitlines())
            if first["diary"] != FORMAT:
                raise ValueError(first["diary"])
            plan = of(first["plan"], str(self.path))
            played = Transcript(first["head"], tuple(line["turn"] for line in lines if "said" not in line))
        except (ValueError, KeyError, TypeError) as error:
            raise Refusal(f"{self.path} is no diary of a room ({error}); it must be as the lab wrote it.") from None
        self._file = open(self.path, "a", encoding="utf-8")  # noqa: SIM115
        self._alone()
        if not played.lines:  # killed while the table was made
            self.path.unlink()
            self.close()
            return plan, first["setup"], None, []
        self._file.truncate(len(whole))
        return plan, first["setup"], played, lines

    def _waiting(self) -> tuple[Plan, dict[str, Any] | None, None, list[dict[str, Any]]] | None:
        """The room as it was opened, if it was."""
        place = self.folder / "room.json"
        try:
            told = json.loads(place.read_text())
            return of(told["plan"], str(place)), told["setup"], None, []
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @staticmethod
    def _shut(place: Path, error: OSError) -> Refusal:
        return Refusal(f"{place} cannot be written ({why(error)}); give another folder with --out.")

    def _lacking(self, error: OSError) -> Refusal:
        return Refusal(f"{self.path} cannot be read ({why(error)}); `nomoi lab --resume ROOM` takes the name of a "
                       "room that was opened in this --out.")  # fmt: skip

    def keys(self, make: Callable[[], tuple[list[str], str]] | None = None) -> tuple[list[str], str]:
        """The tokens of the room's links and the code of its door: as they were kept, or those that `make` gives, which
        are kept."""
        place = self.folder / "keys.json"
        if make is None:
            try:
                kept = json.loads(place.read_text())
                return (kept["seats"], kept["door"]) if isinstance(kept, dict) else (list(kept), "")
            except (OSError, ValueError, KeyError, TypeError):
                raise Refusal(f"{place} cannot be read, so that nobody could come back by the old links.") from None
        seats, door = make()
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(os.open(place, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            json.dump({"seats": seats, "door": door}, file)
        return seats, door

    def close(self) -> None:
        if self._file:
            self._file.close()
