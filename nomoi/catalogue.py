"""What there is: situations and institutions are found in their files, not registered.

A name such as `harvest` means a class of `nomoi.situations` or `nomoi.institutions`; `FILE.py:Name` means a class
of a file of the user's, anywhere on disk.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import pkgutil
import sys
import traceback
import zlib
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from nomoi.core import Institution, Rule, Situation
from nomoi.core.govern import Governed
from nomoi.errors import Refusal, nearest

KINDS: dict[str, type[Rule]] = {"situation": Situation, "institution": Institution}


def situations() -> dict[str, type[Situation]]:
    """The situations that come with nomoi, by name."""
    return {name: cls for name, cls in _scan("nomoi.situations").items() if issubclass(cls, Situation)}


def institutions() -> dict[str, type[Institution]]:
    """The institutions that come with nomoi, by name."""
    return {name: cls for name, cls in _scan("nomoi.institutions").items() if issubclass(cls, Institution)}


def find(word: str, kind: str) -> type[Rule]:
    """The class that `word` means, a name or FILE.py:Name; `kind` is "situation" or "institution"."""
    if any(mark in word for mark in (".py", "/", ":")):
        loaded = load(word)
        fitting = [c for c in (loaded if isinstance(loaded, list) else [loaded]) if issubclass(c, KINDS[kind])]
        if len(fitting) != 1:
            names = ", ".join(c.__name__ for c in fitting) or "none"
            raise Refusal(f"{word} must name one {kind} and has {names}; write it as FILE.py:Name.")
        return fitting[0]
    known = situations() if kind == "situation" else institutions()
    if word.lower() not in known:
        raise Refusal(f"there is no {kind} called {word!r}; {nearest(word.lower(), known, kind)}")
    return known[word.lower()]


def address(cls: type) -> str:
    """How records name a class: its home, and for a user's file a stamp of the file's text."""
    return f"{cls.__module__}:{cls.__qualname__}"


def load(spec: str) -> type[Rule] | list[type[Rule]]:
    """From `FILE.py:Name` the class; from `FILE.py` all situations and institutions that the file defines.

    A file that did not change is loaded once.
    """
    path, colon, name = spec.rpartition(":")
    if not colon or not name.isidentifier():
        path, name = spec, ""
    home = module(Path(os.path.expanduser(path)))  # leaves ~nobody as it is
    rules = _rules(home)
    if not name:
        if not rules:
            raise Refusal(f"{path} defines neither a Situation nor an Institution.")
        return list(rules.values())
    thing = getattr(home, name, None)
    if thing is None:
        raise Refusal(f"{path} has no class {name!r}; {nearest(name, [c.__name__ for c in rules.values()], 'class')}")
    if not (isinstance(thing, type) and issubclass(thing, (Situation, Institution))):
        raise Refusal(f"{name} in {path} is neither a Situation nor an Institution; it must derive from one of them.")
    if inspect.isabstract(thing):
        missing = ", ".join(sorted(thing.__abstractmethods__))
        raise Refusal(f"{name} in {path} is not finished; it still lacks: {missing}.")
    return thing


@lru_cache
def _scan(package: str) -> dict[str, type[Rule]]:
    home = importlib.import_module(package)
    out: dict[str, type[Rule]] = {}
    for entry in pkgutil.iter_modules(home.__path__):
        for name, cls in _rules(importlib.import_module(f"{package}.{entry.name}")).items():
            if name in out:
                raise Refusal(f"{cls.__module__} and {out[name].__module__} both define {name!r}; rename one of them.")
            out[name] = cls
    return dict(sorted(out.items()))


def _rules(module: ModuleType) -> dict[str, type[Rule]]:
    """The finished situations and institutions that a module defines itself, in the order of its text."""
    return {
        cls.__name__.lower(): cls
        for cls in vars(module).values()
        if isinstance(cls, type)
        and issubclass(cls, (Situation, Institution))
        and cls is not Governed
        and cls.__module__ == module.__name__
        and not inspect.isabstract(cls)
        and not cls.__name__.startswith("_")
    }


def module(path: Path) -> ModuleType:
    """A user's Python file as a module."""
    if path.suffix != ".py":
        raise Refusal(f"{path} is not a Python file; something like my_village.py or my_village.py:Village is right.")
    if not path.is_file():
        if not path.parent.is_dir():
            raise Refusal(f"there is no file {path}, nor a folder {path.parent}; check the path.")
        raise Refusal(
            f"there is no file {path}; {nearest(path.name, [p.name for p in path.parent.glob('*.py')], 'file')}"
        )
    path = path.resolve()
    # The name holds place and text, so two files never collide and a changed file is read anew.
    stamp = zlib.crc32(path.read_bytes(), zlib.crc32(str(path).encode()))
    name = f"nomoi_file_{path.stem}_{stamp:08x}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Refusal(f"{path} cannot be loaded as a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # before it runs: dataclasses look their module up by name
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        said = str(error).split("\n")[0] or "no message"
        raise Refusal(f"{path}{_line(error, path)} cannot be loaded: {type(error).__name__}: {said}") from error
    return module


def _line(error: BaseException, path: Path) -> str:
    """Where in the file the error arose."""
    if isinstance(error, SyntaxError):
        return f", line {error.lineno},"
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    return f", line {lines[-1]}," if lines else ""
