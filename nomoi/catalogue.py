"""What there is: things are found in their files, not registered.

A name such as `harvest` means a class of nomoi's own folders, of which only the file that it is in is loaded;
`FILE.py:Name` means a class of a file of the user's, anywhere on disk.  Names are told apart within a kind only: an
altar is an institution, and a study.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from collections.abc import Mapping
from functools import lru_cache
from types import ModuleType
from typing import Any

from nomoi.core import written
from nomoi.core.own import module
from nomoi.errors import Refusal, nearest

# kind -> what a thing of it derives from, and the packages in which those that come with nomoi stand
KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "situation": ("nomoi.core.situation:Situation", ("nomoi.situations",)),
    "institution": ("nomoi.core.institution:Institution", ("nomoi.institutions",)),
    "learner": ("nomoi.core.learner:Learner", ("nomoi.learners",)),
    "script": ("nomoi.core.learner:Learner", ("nomoi.scripts",)),
    "player": ("nomoi.core.learner:Learner", ("nomoi.learners", "nomoi.scripts")),  # either of these two
    "objective": ("nomoi.learners.objectives:Objective", ("nomoi.learners",)),
    "model": ("nomoi.core.parameters:Parameters", ("nomoi.populations", "nomoi.law", "nomoi.proxies")),
}
RULES = ("situation", "institution")
OWN = {
    "": RULES,
    "checked": (*RULES, "player", "objective"),
    "any": (*RULES, "player", "objective", "model"),
}


@dataclasses.dataclass(frozen=True)
class Card:
    """What a person is told of a class: its text, options by name, and presets."""

    title: str
    text: str
    options: Mapping[str, Any]
    presets: Mapping[str, Mapping[str, Any]]


def card(cls: type) -> Card:
    """The card of a class."""
    from nomoi.core.option import options

    fields = options(cls) if dataclasses.is_dataclass(cls) else {}
    return Card(cls.__name__.lower(), inspect.getdoc(cls) or "", fields, getattr(cls, "presets", {}))


def kind(cls: type) -> str:
    """The kind of a class of one's own; who learns is a learner, and who only acts a script."""
    found = next((k for k in ("situation", "institution", "objective", "player") if issubclass(cls, base(k))), "model")
    return found if found != "player" else "learner" if cls.learn is not base(found).learn else "script"  # type: ignore[attr-defined]


def read(cls: written.Class) -> Card:
    """The card of a class of nomoi's, from the text of its file, which is not loaded if that says enough."""
    try:
        return Card(cls.name.lower(), cls.card, cls.options(), cls.setups())
    except written.Unread:
        return card(_loaded(cls))


def presets(cls: written.Class) -> list[str]:
    """The names of the presets of a class of nomoi's."""
    try:
        return list(cls.setups(names=True))
    except written.Unread:
        return list(card(_loaded(cls)).presets)


def _loaded(cls: written.Class) -> type[Any]:
    return getattr(importlib.import_module(cls.home), cls.name)


@lru_cache
def texts(kind: str, word: str = "") -> tuple[written.Class, ...]:
    """The classes of a kind (and of a name) as they are written, by name; nothing is loaded for it."""
    home, _, name = KINDS[kind][0].partition(":")
    files = (file for package in KINDS[kind][1] for file in written.defining(package, word))
    every = (c for file in files for c in written.module(file).classes() if word in ("", c.name.lower()))
    found = (c for c in every if c.derives(home, name) and not c.abstract and not c.name.startswith("_"))
    return tuple(sorted(found, key=lambda c: c.name.lower()))


def base(kind: str) -> type:
    """The class that things of a kind derive from."""
    home, _, name = KINDS[kind][0].partition(":")
    return getattr(importlib.import_module(home), name)


def things(kind: str) -> dict[str, type[Any]]:
    """All that come with nomoi of a kind, by name; loads their files."""
    found: dict[str, type[Any]] = {}
    for cls in texts(kind):
        if (name := cls.name.lower()) in found:
            raise Refusal(f"{cls.home} and {found[name].__module__} both define {name!r}; rename one of them.")
        found[name] = _loaded(cls)
    return found


def situations() -> dict[str, type[Any]]:
    """The situations that come with nomoi, by name."""
    return things("situation")


def institutions() -> dict[str, type[Any]]:
    """The institutions that come with nomoi, by name."""
    return things("institution")


def find(word: str, kind: str) -> type[Any]:
    """The class that `word` means, a name or FILE.py:Name, of a kind of KINDS."""
    if any(mark in word for mark in (".py", "/", ":")):
        loaded = load(word, kind)
        fitting = [c for c in (loaded if isinstance(loaded, list) else [loaded]) if issubclass(c, base(kind))]
        if len(fitting) != 1:
            names = ", ".join(c.__name__ for c in fitting) or "none"
            raise Refusal(f"{word} must name one {kind} and has {names}; write it as FILE.py:Name.")
        return fitting[0]
    for cls in texts(kind, word.lower()) if word else ():
        return _loaded(cls)
    known = [cls.name.lower() for cls in texts(kind)]
    raise Refusal(f"there is no {kind} called {word!r}; {nearest(word.lower(), known, kind)}")


def load(spec: str, kind: str = "", none: bool = False) -> type[Any] | list[type[Any]]:
    """From `FILE.py:Name` the class; from `FILE.py` all that the file defines of a kind (situations and institutions).

    With the kind "checked" learners, scripts and objectives are meant as well, with "any" models too.  A file that did
    not change is loaded once.  One that defines nothing of the kind is refused, unless `none` is right too.
    """
    path, colon, name = spec.rpartition(":")
    if not colon or not name.isidentifier():
        path, name = spec, ""
    home = module(path)
    kinds = OWN.get(kind, OWN[""] if kind in OWN[""] else (kind,))
    what = " nor ".join(f"{'an' if k[0] in 'aeiou' else 'a'} {base(k).__name__}" for k in kinds)
    rules = {n: c for k in kinds for n, c in defined(home, k).items()}
    rules = {
        c.__name__.lower(): c for c in vars(home).values() if isinstance(c, type) and c in rules.values()
    }  # in the order of the text
    if not name:
        if not rules and not none:
            raise Refusal(f"{path} defines neither {what}." if len(kinds) > 1 else f"{path} does not define {what}.")
        return list(rules.values())
    thing = getattr(home, name, None)
    if thing is None:
        raise Refusal(f"{path} has no class {name!r}; {nearest(name, [c.__name__ for c in rules.values()], 'class')}")
    if not (isinstance(thing, type) and issubclass(thing, tuple(base(k) for k in kinds))):
        said = f"neither {what}; it must derive from one of them" if len(kinds) > 1 else f"not {what}"
        raise Refusal(f"{name} in {path} is {said}.")
    if inspect.isabstract(thing):
        missing = ", ".join(sorted(thing.__abstractmethods__))
        raise Refusal(f"{name} in {path} is not finished; it still lacks: {missing}.")
    return thing


def defined(home: ModuleType, kind: str) -> dict[str, type[Any]]:
    """The finished things of a kind that a module defines itself, in the order of its text."""
    parent = base(kind)
    return {
        cls.__name__.lower(): cls
        for cls in vars(home).values()
        if isinstance(cls, type)
        and issubclass(cls, parent)
        and cls is not parent
        and cls.__module__ == home.__name__
        and not inspect.isabstract(cls)
        and not cls.__name__.startswith("_")
    }
