"""Desk: where answers are kept by content, and how many may still be asked for.

An answer is one file, `<sha256>.json`, named by all that was asked: endpoint, model, messages, parameters, and which
draw it is.  Whoever asks the same again asks nobody: a run is reproduced from what was said, as servers do not give the
same answer twice.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from nomoi import files
from nomoi.errors import Refusal

Said = dict[str, Any]


class Spent(Refusal):
    """The budget does not allow for what would be asked next; nothing that was said is lost."""


@dataclasses.dataclass
class Desk:
    """What those who ask in one run share.

    folder      of the answers; None keeps them for as long as the desk stands
    most_calls, most_tokens   of all that is asked now (what is kept costs nothing); 0 is as many as it takes
    patience    seconds for one answer;  tries  of one that fails;  pause  seconds before the second, twice that later
    at_once     how many may be asked at the same time
    calls, tokens   what was asked so far;  heard  whether anybody ever answered
    """

    folder: Path | None = None
    most_calls: int = 0
    most_tokens: int = 0
    patience: float = 60.0
    tries: int = 6
    pause: float = 0.5
    at_once: int = 8
    calls: int = 0
    tokens: int = 0
    heard: bool = False

    def __post_init__(self) -> None:
        self._lock, self._kept = threading.Lock(), dict[str, Said]()

    def find(self, asked: Mapping[str, Any]) -> Said | None:
        """What was answered to this, if it ever was."""
        name = named(asked)
        if self.folder is None:
            return self._kept.get(name)
        path = self.folder / f"{name}.json"
        if not path.exists():
            return None
        try:
            found = json.loads(files.text(path))
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or found.get("asked") != _plain(asked) or not isinstance(found.get("text"), str):
            raise Refusal(f"{path} is damaged: it is no answer to what names it; delete it, and it is asked for anew.")
        return found

    def keep(self, asked: Mapping[str, Any], text: str, tokens: int) -> Said:
        """Put an answer away, in one step."""
        said = {"asked": _plain(asked), "text": text, "tokens": tokens}
        name = named(asked)
        if self.folder is None:
            self._kept[name] = said
        else:
            self.folder.mkdir(parents=True, exist_ok=True)
            files.write(self.folder / f"{name}.json", json.dumps(said, indent=1))
        with self._lock:
            self.tokens += tokens
        return said

    def room(self, calls: int) -> None:
        """Refuse, between two turns, what would be more than was allowed."""
        if self.most_calls and self.calls + calls > self.most_calls:
            raise Spent(
                f"{self.calls} calls are made, and the next turn may take {calls} more, beyond --most-calls "
                f"{self.most_calls}; what was said is kept, and the same command with more goes on from here."
            )
        if self.most_tokens and self.tokens >= self.most_tokens:
            raise Spent(
                f"{self.tokens} tokens are used, and --most-tokens is {self.most_tokens}; what was said is "
                "kept, and the same command with more goes on from here."
            )

    def count(self) -> None:
        """One more call."""
        with self._lock:
            if self.most_calls and self.calls >= self.most_calls:
                raise Spent(
                    f"--most-calls {self.most_calls} is reached; what was said is kept, and the same command "
                    "with more goes on from here."
                )
            self.calls += 1


def named(asked: Mapping[str, Any]) -> str:
    """The name of an answer: a digest of all that was asked."""
    spelt = json.dumps(_plain(asked), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(spelt.encode()).hexdigest()


def _plain(asked: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(asked))


_STANDS: ContextVar[Desk | None] = ContextVar("desk", default=None)


def current() -> Desk:
    """The desk that stands, or a new one that keeps nothing on disk."""
    return _STANDS.get() or Desk()


@contextlib.contextmanager
def desk(one: Desk | None = None, folder: Path | None = None) -> Iterator[Desk]:
    """Let a desk stand (the one that stands already, where none is given); `folder` is for one that has none."""
    one = one or current()
    if one.folder is None:
        one.folder = folder
    token = _STANDS.set(one)
    try:
        yield one
    finally:
        _STANDS.reset(token)
