"""The log of a legal system: entries are only added, each chained to the one before by SHA-256."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nomoi.errors import Refusal, nearest
from nomoi.law.rules import canonical, short

FIRST = "0" * 64  # what the first entry has for the hash before it


@dataclasses.dataclass(frozen=True)
class Entry:
    """One entry of the log: what was done at a time, `content` in canonical JSON, chained by SHA-256."""

    number: int
    time: int
    operation: str
    content: str
    before: str
    hash: str

    @classmethod
    def make(cls, number: int, time: int, operation: str, content: Mapping[str, Any], before: str) -> Entry:
        text = canonical(content)
        return cls(number, time, operation, text, before, _hash(number, time, operation, text, before))

    @property
    def sound(self) -> bool:
        """Whether its hash is that of what it says."""
        return self.hash == _hash(self.number, self.time, self.operation, self.content, self.before)


def _hash(*parts: Any) -> str:
    return hashlib.sha256(canonical(list(parts)).encode()).hexdigest()


def verified(log: Sequence[Entry]) -> Iterator[Entry]:
    """The entries, as long as each fits the one before it; else a sentence that says where the log was changed."""
    before = FIRST
    for place, entry in enumerate(log):
        if entry.number != place or entry.before != before or not entry.sound:
            raise Refusal(f"entry {place} of the log does not fit the one before it: the log was changed.")
        before = entry.hash
        yield entry


PARTS = {
    "found": ("members", "rules", "acceptance"),
    "enact": ("rule", "actor", "votes"),
    "amend": ("rule", "actor", "votes"),
    "repeal": ("id", "actor", "votes"),
    "accept": ("share",),
}  # what an entry of each operation says


def complete(operation: Any, content: Any) -> None:
    """Refuse an operation that is none, or does not say exactly what it must."""
    if not isinstance(operation, str) or operation not in PARTS:
        raise Refusal(f"{short(operation)} is no operation; {nearest(str(operation), PARTS, 'operation')}")
    if not isinstance(content, Mapping) or set(content) != set(PARTS[operation]):
        said = ", ".join(map(str, content)) if isinstance(content, Mapping) else short(content)
        raise Refusal(f"to {operation} takes {', '.join(PARTS[operation])}, and what is given is {said or 'nothing'}.")
