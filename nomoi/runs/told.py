"""What a record is of, in words: the situation, its rules, who plays, and what differs from the defaults.

All is read from what the record says; no file is run for it, so that a list of thousands is quick.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nomoi.core import written
from nomoi.core.option import typed
from nomoi.runs.record import Record

LONG = 40  # letters of a value; the record has all (ours)
PLAYERS = ("learner", "script", "seats", "terms")  # fields of trials that say who plays


class Told(NamedTuple):
    """of  the situation (of a game from a file, its file) or the function;  under  the institutions in force;  who
    the learner or script;  options  what differs from the defaults, such as "situation.defect=9, levy.rate=4"."""

    of: str
    under: str
    who: str
    options: str


def told(record: Record) -> Told:
    """What a record is of."""
    trial = record.spec["trial"]
    given, stack = dict(trial["options"]), list[Any]()
    thing = given.get("situation", {})
    while isinstance(thing, dict) and isinstance(inner := thing.get("options", {}).get("situation"), dict):
        own = thing["options"]
        stack = [*_parts(own.get("institutions")), *stack]  # of several wrappings, the innermost acts first
        thing = inner
    function, game = given.get("function"), record.facts["named"].get("game", "")
    of = game or _named(thing) or _named(function)
    stack = [one for one in stack if one["options"].get("in_force", True) is not False]
    who = "+".join(dict.fromkeys(_player(part) for name in PLAYERS for part in _parts(given.get(name))))
    changed = list[str]()
    if thing:
        changed += _changed(record, thing, "situation")
    for one in stack:
        changed += _changed(record, one, one["options"].get("title") or _named(one), ("title", "in_force"))
    for name in PLAYERS:
        for part in _parts(given.get(name)):
            changed += _changed(record, part, _named(part) if name == "seats" else "learner")
    rest = {k: v for k, v in given.items() if k not in ("situation", "function", "transcript", "steps", *PLAYERS)}
    changed += _changed(record, {"class": trial["class"], "options": rest}, "")
    under = "+".join(one["options"].get("title") or _named(one) for one in stack) or ("nothing" if thing else "")
    return Told(of, under, who, ", ".join(dict.fromkeys(changed)))


def _parts(value: Any) -> list[Any]:
    """The things in a field that is one of them, or several."""
    several = value["tuple"] if isinstance(value, dict) and "tuple" in value else value
    every = several if isinstance(several, list) else [several]
    return [one for one in every if isinstance(one, dict) and isinstance(one.get("options"), dict) and "class" in one]


def _named(thing: Any) -> str:
    """The class or function that a thing is, in a word."""
    address = thing.get("class", thing.get("function", "")) if isinstance(thing, dict) else ""
    return str(address).rpartition(":")[2].lower()


def _player(thing: Mapping[str, Any]) -> str:
    """Who plays, with those that it is made of: joint(ppo)."""
    inner = [part for value in thing["options"].values() for part in _parts(value) if _plays(part)]
    return _named(thing) + (f"({', '.join(map(_player, inner))})" if inner else "")


def _plays(thing: Mapping[str, Any]) -> bool:
    home = str(thing["class"])
    return home.startswith(("nomoi.learners.", "nomoi.scripts.")) and "objectives:" not in home


def _changed(record: Record, thing: Mapping[str, Any], title: str, but: tuple[str, ...] = ()) -> Iterator[str]:
    """Each option of a thing, and of its parts, that is not the default: "levy.rate=4"."""
    usual = _usual(str(thing["class"]), record.folder if str(thing["class"]).split(".")[0] != "nomoi" else None)
    for name, value in thing["options"].items():
        if name in but or value is None:
            continue
        known, parts = usual.get(name), _parts(value)
        if parts:
            for part in parts:
                if not (isinstance(known, _Part) and known.name == _named(part)):
                    yield f"{title}.{name}={_named(part)}".lstrip(".")
                yield from _changed(record, part, _named(part))
        elif isinstance(value, Mapping) and name == "settings":  # those of a function
            yield from (f"{k}={_text(v)}" for k, v in value.items())
        elif name not in usual or _plain(known) != _plain(value):
            yield f"{title}.{name}={_text(value)}".lstrip(".")


def _text(value: Any) -> str:
    while isinstance(value, dict) and (
        mark := next((m for m in ("tuple", "array", "float", "path") if m in value), "")
    ):
        value = value[mark]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    said = typed(value).replace("\n", " ")
    if len(said) <= LONG:
        return said
    mark = f"#{hashlib.sha256(said.encode()).hexdigest()[:4]}"  # so that two long ones are told apart
    shape = np.shape(value) if isinstance(value, list) else ()
    return f"{'x'.join(map(str, shape))} values {mark}" if shape else f"{said[: LONG - 10]}... {mark}"


def _plain(value: Any) -> Any:
    """A value so that what means the same is equal: lists for tuples, numbers as floats of single precision."""
    if isinstance(value, dict):
        mark = next((m for m in ("tuple", "array", "path") if m in value), "")
        return _plain(value[mark]) if mark else {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, Path):
        return str(value)
    return float(f"{value:.6g}") if isinstance(value, (int, float)) and not isinstance(value, bool) else value


class _Part(NamedTuple):
    """A part that a thing has by default, by the name of its class."""

    name: str


@lru_cache(maxsize=512)
def _usual(address: str, folder: Path | None) -> dict[str, Any]:
    """The defaults of the class at an address, as its text says them; of one's own, the copy in the record's folder."""
    home, _, name = address.partition(":")
    if folder is None:
        try:
            cls = written.Class(home, name)
            nodes = [line.node for line in reversed(cls.lines)]
            known = {option: _json(one.default) for option, one in cls.options().items()}
        except (written.Unread, OSError, AssertionError, KeyError):
            return {}
    else:
        nodes, known = _own(folder, name), {}
    return _said(nodes) | known


def _json(value: Any) -> Any:
    return json.loads(json.dumps(value, default=lambda x: x.tolist() if hasattr(x, "tolist") else str(x)))


def _own(folder: Path, name: str) -> list[ast.ClassDef]:
    for file in sorted(folder.glob("*.py")):
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, SyntaxError):
            continue
        if found := [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]:
            return found
    return []


def _said(nodes: list[ast.ClassDef]) -> dict[str, Any]:
    """The defaults that fields of classes are written with, as far as they are plain."""
    out: dict[str, Any] = {}
    for line in (line for node in nodes for line in node.body):
        if not isinstance(line, ast.AnnAssign) or not isinstance(line.target, ast.Name) or line.value is None:
            continue
        value: Any = line.value
        if isinstance(value, ast.Call):  # setting(0.5, ...), field(default=0.5) or field(default_factory=Own)
            factory = {k.arg: k.value for k in value.keywords}
            made = factory.get("default_factory")
            if isinstance(made, ast.Name):
                out[line.target.id] = {} if made.id == "dict" else _Part(made.id.lower())
                continue
            value = factory.get("default", value.args[0] if value.args else None)
        try:
            out[line.target.id] = _json(ast.literal_eval(value))
        except (ValueError, TypeError):
            continue
    return out
