"""What there is: things are found in their files, not registered.

A name such as `harvest` means a class of nomoi's own folders, of which only the file that it is in is loaded;
`FILE.py:Name` means a class of a file of the user's, anywhere on disk.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from nomoi.core.own import module
from nomoi.errors import Refusal, nearest

# kind -> what a thing of it derives from, and the packages in which those that come with nomoi stand
KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "situation": ("nomoi.core.situation:Situation", ("nomoi.situations",)),
    "institution": ("nomoi.core.institution:Institution", ("nomoi.institutions",)),
    "learner": ("nomoi.core.learner:Learner", ("nomoi.learners",)),
    "script": ("nomoi.core.learner:Learner", ("nomoi.scripts",)),
    "player": ("nomoi.core.learner:Learner", ("nomoi.learners", "nomoi.scripts")),  # either of these two
}


def base(kind: str) -> type:
    """The class that things of a kind derive from."""
    home, _, name = KINDS[kind][0].partition(":")
    return getattr(importlib.import_module(home), name)


def things(kind: str) -> dict[str, type[Any]]:
    """All that come with nomoi of a kind, by name; loads their files."""
    found: dict[str, type[Any]] = {}
    for home in sorted({home for name in _homes(kind).values() for home in name}):
        for name, cls in defined(importlib.import_module(home), kind).items():
            if name in found:
                both = f"{cls.__module__} and {found[name].__module__}"
                raise Refusal(f"{both} both define {name!r}; rename one of them.")
            found[name] = cls
    return dict(sorted(found.items()))


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
        fitting = loaded if isinstance(loaded, list) else [loaded]
        if len(fitting) != 1 or not issubclass(fitting[0], base(kind)):
            names = ", ".join(c.__name__ for c in fitting if issubclass(c, base(kind))) or "none"
            raise Refusal(f"{word} must name one {kind} and has {names}; write it as FILE.py:Name.")
        return fitting[0]
    for home in _homes(kind).get(word.lower(), ()):
        there = defined(importlib.import_module(home), kind)
        if word.lower() in there:
            return there[word.lower()]
    known = things(kind)
    raise Refusal(f"there is no {kind} called {word!r}; {nearest(word.lower(), known, kind)}")


def load(spec: str, kind: str = "") -> type[Any] | list[type[Any]]:
    """From `FILE.py:Name` the class; from `FILE.py` all that the file defines of a kind (situations and institutions).

    A file that did not change is loaded once.
    """
    path, colon, name = spec.rpartition(":")
    if not colon or not name.isidentifier():
        path, name = spec, ""
    home = module(path)
    kinds = [kind] if kind in ("learner", "script", "player") else ["situation", "institution"]
    what = " nor ".join(f"{'an' if k[0] in 'aeiou' else 'a'} {base(k).__name__}" for k in kinds)
    rules = {n: c for k in kinds for n, c in defined(home, k).items()}
    rules = {c.__name__.lower(): c for c in vars(home).values() if c in rules.values()}  # in the order of the text
    if not name:
        if not rules:
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


@lru_cache
def _homes(kind: str) -> dict[str, tuple[str, ...]]:
    """The modules that define a class of a name, by the text of their files: nothing is loaded for it."""
    out: dict[str, tuple[str, ...]] = {}
    for package in KINDS[kind][1]:
        for name, home in classes(package):
            out[name] = (*out.get(name, ()), home)
    return out


@lru_cache
def classes(package: str) -> tuple[tuple[str, str], ...]:
    """(name, module) of every class of a package's files."""
    found = importlib.util.find_spec(package)
    places = [Path(p) for p in (found.submodule_search_locations or ())] if found else []
    out = []
    for file in sorted(file for place in places for file in place.glob("*.py") if file.stem != "__init__"):
        tree = ast.parse(file.read_bytes())
        out += [(n.name.lower(), f"{package}.{file.stem}") for n in tree.body if isinstance(n, ast.ClassDef)]
    return tuple(out)
