"""Diaries: a session on disk, turn by turn, so that nothing is lost when the power is.

rooms/<name>/diary.jsonl    a first line with the plan, then a line a turn: {"turn": a transcript's line, "ms": [...],
                            "by": [...]}; each is on the disk before anybody is told what the turn brought.  A line
                            {"said": {...}} is a text that somebody wrote to the others (see nomoi.lab.talk)
rooms/<name>/room.json      the plan and the setup, as soon as there is a room; until its table is made it has no diary
rooms/<name>/keys.json      the tokens of its links and the code of its door, for the owner's eyes alone
rooms/<name>/lock           held by the lab that lives the room, from its opening on

The last line of a room that is over is {"over": its record's name}.  All that is read again is checked here: files may
be damaged, or be of another version.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nomoi.errors import Refusal, printable
from nomoi.files import shallow, why
from nomoi.lab.plan import Plan, of

if TYPE_CHECKING:
    from nomoi.play.lines import Line
    from nomoi.play.transcript import Transcript

FORMAT = 1
SAFE = getattr(os, "fdatasync", os.fsync)  # on the disk: the bytes and the length, which is all that is read again
TOKEN = r"[A-Za-z0-9_-]+"  # as secrets.token_urlsafe writes them; records have such names too


class Diary:
    """One session's file, to which lines are only ever added."""

    def __init__(self, folder: Path):
        self.folder, self.path = folder, folder / "diary.jsonl"
        self._file: Any = None
        self._lock: int | None = None

    def begin(self, plan: Plan, setup: dict[str, Any], head: Line) -> None:
        """A new file, with its first line."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._alone()
            self._file = open(self.path, "xb", buffering=0)  # noqa: SIM115
            self._write({"diary": FORMAT, "plan": dataclasses.asdict(plan), "setup": setup, "head": head})
        except OSError as error:
            raise self._shut(self.path, error) from None

    def _alone(self) -> None:
        """Refuse a room that another lab lives, whose turns would stand among these."""
        if self._lock is not None:
            return
        lock = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            if not isinstance(error, BlockingIOError):
                raise
            raise Refusal(f"the room {self.folder.name} is lived in another lab; end that one first.") from None
        self._lock = lock

    def add(self, turn: Line, ms: list[int | None], by: list[str]) -> None:
        """One more line, on the disk when this returns."""
        with self._kept("what was played before this turn is kept, and `nomoi lab --resume` goes on from there."):
            self._write({"turn": turn, "ms": ms, "by": by})

    def say(self, said: dict[str, Any]) -> None:
        """A text of somebody's, on the disk when this returns."""
        with self._kept("nobody was told of that text."):
            self._write({"said": said})

    @contextlib.contextmanager
    def _kept(self, otherwise: str) -> Iterator[None]:
        """A line that cannot be written is refused, and the sentence says what stands `otherwise`."""
        try:
            yield
        except OSError as error:
            raise Refusal(f"{self.path} cannot be written ({why(error)}); {otherwise}") from None

    def over(self, record: str) -> str:
        """Write down, once all is kept, as which record, and give it: such a room does not go on."""
        with contextlib.suppress(OSError, Refusal):  # what was played is kept; without this line it can be kept again
            self._alone()
            self._file = open(self.path, "ab", buffering=0)  # noqa: SIM115
            self._write({"over": record})
        self.close()
        return record

    def _write(self, line: dict[str, Any]) -> None:
        """All of a line, or nothing of it: what a full disk took of it is cut off, for later ones to be whole."""
        left, end = memoryview(f"{json.dumps(line)}\n".encode()), self._file.seek(0, os.SEEK_END)
        try:
            while left:
                left = left[self._file.write(left) :]
            SAFE(self._file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(end)
            raise

    def opened(self, plan: Plan, setup: dict[str, Any] | None, seats: list[str], door: str) -> None:
        """Write down what the room is to be, and its keys, before there is anything to be lived; all of it or none."""
        place = self.folder
        try:
            place.mkdir(parents=True)
            with self.held(remove=True):
                self._alone()
                for name, told in (("room", {"plan": dataclasses.asdict(plan), "setup": setup}),
                                   ("keys", {"seats": seats, "door": door})):  # fmt: skip
                    place = self.folder / f"{name}.json"
                    with open(os.open(place, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
                        json.dump(told, file)
        except OSError as error:
            raise self._shut(place, error) from None

    def resume(
        self, fits: Callable[..., Any] = lambda plan, setup: None
    ) -> tuple[Plan, dict[str, Any] | None, Transcript | None, list[dict[str, Any]]]:
        """What was written: plan, setup, transcript so far, and lines; what a kill cut short is cut off.

        Of a session that had not begun there is no transcript, and it can `begin`.  `fits` refuses a plan and a setup
        that are well written, and by which nothing could be lived here.
        """
        try:
            if not self.path.exists() and not (self.folder / "room.json").exists():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            self._alone()
            text = self.path.read_bytes() if self.path.exists() else b""
        except OSError as error:
            self.close()
            raise self._lacking(error) from None
        with self.held():
            found = self._again(text[: text.rfind(b"\n") + 1])
            place = self.path if found[2] else self.folder / "room.json"
            try:
                fits(*found[:2])
            except Refusal as refusal:
                raise Refusal(f"{place}: {refusal}") from None
            except Exception as error:  # of a person's own file, as it is now
                said = printable(" ".join(f"{type(error).__name__}: {error}".split()))[:200]
                raise _damaged(place, f"has a setup that cannot be built ({said})") from error
            return found

    @contextlib.contextmanager
    def held(self, remove: bool = False) -> Iterator[None]:
        """The room is let go where what is done with it fails; and removed, if that is asked."""
        try:
            yield
        except BaseException:
            self.close()
            if remove:
                shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _again(self, whole: bytes) -> tuple[Plan, dict[str, Any] | None, Transcript | None, list[dict[str, Any]]]:
        """The session of a diary's whole lines."""
        from nomoi.play.lines import parse_lines
        from nomoi.play.transcript import Transcript  # which loads JAX

        written = [(k, line) for k, line in enumerate(whole.split(b"\n"), 1) if line.strip()]
        if not written:  # killed before the first line was whole
            self.path.unlink(missing_ok=True)
            place = self.folder / "room.json"
            try:
                plan, setup = _room(_data(place.read_bytes(), place), place)
            except OSError as error:
                raise Refusal(f"{place} cannot be read ({why(error)}), so that nobody knows the room.") from None
            return plan, setup, None, []
        first, *lines = (_data(line, f"line {k} of {self.path}") for k, line in written)
        if (said := first.get("diary")) != FORMAT:
            if type(said) is int:
                raise Refusal(f"{self.path} is a diary of format {said}, and {FORMAT} is the one that can be read.")
            raise _damaged(f"line {written[0][0]} of {self.path}", "does not begin a diary")
        plan, setup = _room(first, self.path)
        for (k, _), line in zip(written[1:], lines, strict=True):
            if wrong := _lacks(line, plan.persons):
                raise _damaged(f"line {k} of {self.path}", wrong)
        if lines and "over" in lines[-1]:
            kept = f"its record is {lines[-1]['over']}" if lines[-1]["over"] else "nothing was played in it"
            raise Refusal(f"the room {self.folder.name} is over; {kept}.")
        turns = [line["turn"] for line in lines if "turn" in line]
        if not lines:  # killed while the table was made
            self.path.unlink()
            return plan, setup, None, []
        if not turns:
            raise _damaged(self.path, "has no turn")
        told = [first.get("head"), *turns, {"end": len(turns), "digest": turns[-1].get("digest")}]
        parse_lines("".join(json.dumps(line) + "\n" for line in told), f"the transcript in {self.path}")
        self._file = open(self.path, "ab", buffering=0)  # noqa: SIM115
        self._file.truncate(len(whole))
        return plan, setup, Transcript(told[0], tuple(turns)), lines

    @staticmethod
    def _shut(place: Path, error: OSError) -> Refusal:
        return Refusal(f"{place} cannot be written ({why(error)}); give another folder with --out.")

    def _lacking(self, error: OSError) -> Refusal:
        return Refusal(f"{self.path} cannot be read ({why(error)}); `nomoi lab --resume ROOM` takes the name of a "
                       "room that was opened in this --out.")  # fmt: skip

    def keys(self, persons: int) -> tuple[list[str], str]:
        """The tokens of the room's links and the code of its door, as they were kept."""
        from nomoi.lab.door import LETTERS, LONG  # which knows rooms, and these know diaries

        with self.held():
            return self._keys(LETTERS, LONG, persons)

    def _keys(self, letters: str, long: int, persons: int) -> tuple[list[str], str]:
        place = self.folder / "keys.json"
        lost = "so that nobody could come back by the old links"
        try:
            kept = _data(place.read_bytes(), place)
        except OSError as error:
            raise Refusal(f"{place} cannot be read ({why(error)}), {lost}.") from None
        seats, door = kept.get("seats"), kept.get("door")
        if not isinstance(seats, list) or not all(isinstance(x, str) and re.fullmatch(TOKEN, x) for x in seats) \
                or len(seats) != persons or len(set(seats)) != persons:  # fmt: skip
            raise Refusal(f"{place} does not have {persons} different tokens for seats, {lost}.")
        if not isinstance(door, str) or len(door) != long or not set(door) <= set(letters):
            raise Refusal(f"{place} does not have a door's code of {long} letters, {lost}.")
        return seats, door

    def close(self) -> None:
        if self._file:
            self._file.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _damaged(where: Path | str, wrong: str) -> Refusal:
    return Refusal(f"{where} {wrong}; it must be as the lab wrote it.")


def _data(text: bytes, where: Path | str) -> dict[str, Any]:
    """The table that a file or line is."""
    try:
        found = shallow(lambda: json.loads(text), where)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _damaged(where, "is no JSON object")
    return found


def _room(told: dict[str, Any], where: Path) -> tuple[Plan, dict[str, Any] | None]:
    """The plan and the setup that a file has."""
    setup = told.get("setup")
    if not isinstance(told.get("plan"), dict):
        raise _damaged(where, "has no plan")
    if "setup" not in told or not (setup is None or (isinstance(setup, dict) and _setup(setup))):
        raise _damaged(where, "has no setup")
    return of(told["plan"], str(where)), setup


def _setup(told: dict[str, Any]) -> bool:
    """Whether a setup has the shape of one; what it names is looked up where it is built."""
    kinds = {"situation": str, "preset": str, "options": dict, "stack": list}
    return "situation" in told and all(isinstance(told[name], kind) for name, kind in kinds.items() if name in told)


def _lacks(line: dict[str, Any], persons: int) -> str:
    """What is wrong with a later line, in words; empty where nothing is.  Turns are checked as a transcript."""
    if isinstance(over := line.get("over"), str):
        return "" if not over or re.fullmatch(TOKEN, over) else "names no record"
    if isinstance(said := line.get("said"), dict):
        right = all(type(said.get(name)) is int for name in ("step", "seat", "ms")) and 0 <= said["seat"] < persons
        return "" if right and isinstance(said.get("words"), str) else "does not say who said what"
    turn, ms, by = line.get("turn"), line.get("ms"), line.get("by")
    if not isinstance(turn, dict):
        return "is neither a turn nor something said"
    many = persons if "step" in turn else 0
    if not isinstance(ms, list) or len(ms) != many or not all(x is None or type(x) is int for x in ms):
        return f"does not have {many} times under ms"
    if not isinstance(by, list) or len(by) != many or not all(isinstance(x, str) for x in by):
        return f"does not have {many} words under by"
    return ""
