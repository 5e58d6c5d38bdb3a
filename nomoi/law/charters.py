"""Charters on paper: a legal system as a file that people write, and as a log that can be replayed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from nomoi import files
from nomoi.errors import Refusal, nearest
from nomoi.law.log import Entry
from nomoi.law.rules import canonical, parsed, short, whole
from nomoi.law.system import LegalSystem, constitute, replay

PARTS = ("members", "rules", "acceptance", "amendments")


def write(system: LegalSystem) -> str:
    """The log, one entry a line in canonical JSON: all that is needed to have the system again."""
    return "".join(canonical(dataclasses.asdict(e)) + "\n" for e in system.log)


def contents(path: str | Path) -> str:
    """The text of a file."""
    return files.text(path, f"the charter {path}")


def load(path: str | Path) -> LegalSystem:
    """The system in a file (see `read`)."""
    return read(contents(path), f"the charter {path}")


def read(text: str, where: str = "the charter") -> LegalSystem:
    """A system from a saved log (one entry a line), or from a charter as people write it (one JSON object):
    {"members": {name: role}, "rules": [...], "acceptance": 1, "amendments": [{"time": 50, "operation": "amend",
    "actor": name, "votes": {name: true}, "rule": {...}}]}."""
    if text.lstrip().startswith('{"before"'):
        data: Any = [parsed(line, where) for line in text.splitlines() if line.strip()]
    else:
        data = parsed(text, where)
    if isinstance(data, list):
        if not all(isinstance(d, dict) and set(d) == {f.name for f in dataclasses.fields(Entry)} for d in data):
            raise Refusal(f"{where} has a line that is no entry of a log.")
        return replay([Entry(**d) for d in data])
    if not isinstance(data, dict):
        raise Refusal(f"{where} is {short(data)}; an object with members and rules would be right.")
    for name in data:
        if name not in PARTS:
            raise Refusal(f"{where} has {name!r}; {nearest(name, PARTS, 'part')}")
    out = constitute(0, {"acceptance": 1.0} | {k: v for k, v in data.items() if k != "amendments"})
    amendments = data.get("amendments", [])
    if not isinstance(amendments, list):
        raise Refusal(f"the amendments of {where} are {short(amendments)}; a list would be right.")
    for step in amendments:
        if not isinstance(step, dict) or not {"time", "operation"} <= set(step):
            raise Refusal(f"an amendment of {where} is {short(step)}; an object with a time and an operation is right.")
        content = {k: v for k, v in step.items() if k not in ("time", "operation")}
        if isinstance(content.get("rule"), dict):
            time = whole(step["time"], "the time of an amendment", 0)
            content["rule"] = {"start": time} | content["rule"] | {"enacted_at": time}
        out = out.apply(step["operation"], step["time"], content)
    return out
