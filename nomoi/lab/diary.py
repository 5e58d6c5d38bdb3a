"""Diaries: a session on disk, turn by turn, so that nothing is lost when the power is.

rooms/<name>/diary.jsonl    a first line with the plan, then a line a turn: {"turn": a transcript's line, "ms": [...],
                            "by": [...]}; each is on the disk before anybody is told what the turn brought.  A line
                            {"said": {...}} is a text that somebody wrote to the others (see nomoi.lab.talk)
rooms/<name>/keys.json      the tokens of its links, for the owner's eyes alone
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
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
            raise Refusal(f"{self.path} cannot be written ({why(error)}); give another folder with --out.") from None
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

    def resume(self) -> tuple[Plan, dict[str, Any], Transcript, list[dict[str, Any]]]:
        """What was written: plan, setup, transcript so far, and lines; what a kill cut short is cut off."""
        from nomoi.play.transcript import Transcript  # which loads JAX

        try:
            text = self.path.read_bytes()
        except OSError as error:
            raise Refusal(f"{self.path} cannot be read ({why(error)}); `nomoi lab --resume ROOM` takes the name of a "
                          "room that was begun in this --out.") from None  # fmt: skip
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
        self._file.truncate(len(whole))
        return plan, first["setup"], played, lines

    def keys(self, make: Any = None) -> list[str]:
        """The tokens of the room's links: as they were kept, or those that `make` gives, which are kept."""
        place = self.folder / "keys.json"
        if make is None:
            try:
                return list(json.loads(place.read_text()))
            except (OSError, ValueError):
                raise Refusal(f"{place} cannot be read, so that nobody could come back by the old links.") from None
        made = make()
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(os.open(place, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            json.dump(made, file)
        return made

    def close(self) -> None:
        if self._file:
            self._file.close()
