"""Code: what a run's numbers were computed by, as digests of the modules that its spec reaches inside nomoi.

The digest is of the parsed code without comments, docstrings, the words of errors, settings, events and measures, and
the `sentence` of an institution: a reworded sentence makes no record old.  The machinery of runs, which makes no
numbers, is left out.  Of a study's file, and of a file that is not nomoi's, only the definitions count that the spec
reaches.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import os
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nomoi import __version__
from nomoi.core.own import OWN, SCRIPT, installed
from nomoi.errors import Refusal
from nomoi.runs import equal

if TYPE_CHECKING:
    from nomoi.runs.record import Record

Code = Mapping[str, str]  # module, or module:name where only that counts -> digest
# what runs, reports and refuses, but computes no number of a record
ASIDE = ("nomoi", "nomoi.runs", "nomoi.report", "nomoi.cli", "nomoi.lab", "nomoi.errors", "nomoi.files",
         "nomoi.catalogue", "nomoi.testing", "nomoi.core.own", "nomoi.core.spec", "nomoi.core.pages",
         "nomoi.core.pilot", "nomoi.core.written", "nomoi.grid.paint", "nomoi.grid.frames",
         "nomoi.grid.still")  # fmt: skip
# arguments of nomoi's own functions that are words, where they are texts: first of them, and the one after the last
ALL = 99
WORDS = {"setting": (1, ALL), "size": (1, ALL), "choice": (2, ALL), "number": (1, ALL), "probability": (1, ALL),
         "count": (1, ALL), "Event": (3, 4), "Measure": (2, 3)}  # fmt: skip
TOLD = {"setting": ("meaning", "source", "unit"), "Event": ("meaning",), "Measure": ("meaning",)}


def reached(addresses: Iterable[str]) -> dict[str, str]:
    """The digests of the modules that things at these addresses (module:name, or a module alone) are made of."""
    waiting = [(home, name.partition(".")[0]) for home, _, name in (a.partition(":") for a in addresses)]
    whole, parts = set[str](), dict[str, set[str]]()
    while waiting:
        home, name = waiting.pop()
        if _aside(home) or home in whole or name in parts.get(home, ()):
            continue
        if name and _by_name(home):
            parts.setdefault(home, set()).add(name)
            waiting += _met(home, name)
        else:
            whole.add(home)
            waiting += _met(home, "")
    # of a file of one's own the text is part of the spec; what it imports is not
    out = {home: _digest(home, "") for home in whole if _file(home) and not home.startswith(OWN)}
    return out | {f"{home}:{name}": _digest(home, name) for home, names in parts.items() for name in names}


def digest(code: Code) -> str:
    """One digest of all."""
    return _together(frozenset(code.items()))


@lru_cache(maxsize=256)  # most records of a folder share theirs with others
def _together(code: frozenset[tuple[str, str]]) -> str:
    return _joined(f"{home} {one}" for home, one in sorted(code))


def changed(old: Code) -> list[str]:
    """The files that are not as they were when a record was made, as people find them.

    What it did not reach then it can only reach now because one of these changed.
    """
    places = [(one, *one.partition(":")[::2], was) for one, was in old.items()]
    return sorted({_shown(home) for one, home, name, was in places if not equal.same(one, _digest(home, name), was)})


def since(records: Iterable[Record]) -> str:
    """Since when files have changed, in words: since, or since nomoi 0.1.0 where that version made the records."""
    made = {str(r.facts["versions"].get("nomoi", "")) for r in records} - {__version__, ""}
    return " ".join(["since", *(["nomoi", " and ".join(sorted(made))] if made else [])])


def current(record: Record, old: bool, otherwise: str) -> None:
    """Refuse a record that other code made, unless `old` lets it; `otherwise` is what --old does then, in words."""
    if not old and (files := changed(record.facts["code"])):
        raise Refusal(f"the record {record.id} was made by other code ({', '.join(files)} changed {since([record])}); "
                      f"--old {otherwise}.")  # fmt: skip


def defined(address: str) -> bool:
    """Whether nomoi has what stands at an address (module:name), by its text; false for what is not nomoi's."""
    home, _, name = address.partition(":")
    return home.split(".")[0] == "nomoi" and name.partition(".")[0] in _bound(home)


def _shown(home: str) -> str:
    return f"{home.replace('.', '/')}.py" if home.startswith("nomoi.") else home


def _aside(home: str) -> bool:
    return home == "nomoi" or any(home == a or home.startswith(f"{a}.") for a in ASIDE[1:])


def _by_name(home: str) -> bool:
    """Whether of this module only what is reached by name counts: a study says much that computes nothing."""
    return home.startswith("nomoi.studies") or not home.startswith(("nomoi.", OWN))


@lru_cache(maxsize=4096)
def _file(home: str) -> Path | None:
    """The source of a module of nomoi's, or of one that is neither installed nor Python's own."""
    loaded = sys.modules.get("__main__" if home == SCRIPT else home)
    file = getattr(loaded, "__file__", None)
    if loaded is None and home.split(".")[0] == "nomoi":
        return _written(home)
    if loaded is None:
        found = _found(home)
        file = found.origin if found else None
    if not file or not file.endswith(".py"):
        return None
    return Path(file) if home.split(".")[0] == "nomoi" or not installed(file) else None


def _found(home: str) -> ModuleSpec | None:
    """Where a module is, without running the packages that it is in: its name may come from somebody's record."""
    top, *parts = home.split(".")
    try:
        found = importlib.util.find_spec(top)
        for part in parts:
            if found is None or found.submodule_search_locations is None:
                return None
            found = PathFinder.find_spec(f"{found.name}.{part}", found.submodule_search_locations)
    except (ImportError, ValueError):
        return None
    return found


def _written(home: str) -> Path | None:
    """The source of a module of nomoi's; Python would load the packages that it is in, and JAX with them."""
    place = Path(sys.modules["nomoi"].__path__[0]).joinpath(*home.split(".")[1:])
    beside = _inside(place.parent)
    if place.name in beside and "__init__.py" in _inside(place):
        return place / "__init__.py"
    return place.with_name(f"{place.name}.py") if f"{place.name}.py" in beside else None


@lru_cache
def _inside(folder: Path) -> frozenset[str]:
    """What a folder has, as it is spelt: some systems find `Pool.py` where `pool.py` is."""
    return frozenset(os.listdir(folder)) if folder.is_dir() else frozenset()


@lru_cache(maxsize=1024)
def _tree(home: str) -> ast.Module:
    """The parsed module, as it was when this process first asked."""
    file = _file(home)
    return ast.parse(file.read_bytes()) if file else ast.Module([], [])


@lru_cache(maxsize=1024)
def _bound(home: str) -> dict[str, list[ast.stmt]]:
    """The statements of a module's top level by the names that they bind."""
    out: dict[str, list[ast.stmt]] = {}
    for statement in _tree(home).body:
        for name in _names(statement):
            out.setdefault(name, []).append(statement)
    return out


def _names(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
    else:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id


@lru_cache(maxsize=4096)
def _taken(home: str, name: str) -> tuple[ast.stmt, ...]:
    """The statements of a module that make what `name` is, in the order of the text; all for no name."""
    if not name:
        return tuple(_tree(home).body)
    bound, waiting, seen, kept = _bound(home), [name], set[str](), list[ast.stmt]()
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        for statement in bound.get(one, ()):
            if not any(statement is k for k in kept):
                kept.append(statement)
                waiting += [n.id for n in ast.walk(statement) if isinstance(n, ast.Name)]
    return tuple(sorted(kept, key=lambda s: s.lineno))


@lru_cache(maxsize=1024)
def _nodes(home: str) -> list[ast.AST]:
    """All nodes of a module, walked once: of forty modules that takes a second."""
    return list(ast.walk(_tree(home)))


@lru_cache(maxsize=4096)
def _met(home: str, name: str) -> list[tuple[str, str]]:
    """What those statements import: (module, name), or (module, "") where all of it counts."""
    out: list[tuple[str, str]] = []
    called = {a.asname or a.name for n in _nodes(home) if isinstance(n, ast.Import) for a in n.names
              if a.name == "nomoi"}  # fmt: skip
    nodes = [n for s in _taken(home, name) for n in ast.walk(s)] if name else _nodes(home)
    used = {n.id for n in nodes if isinstance(n, ast.Name)} | {name}
    for node in nodes:
        if isinstance(node, ast.Import):
            out += [(a.name, "") for a in node.names if a.name.startswith("nomoi.") or _file(a.name)]
        elif isinstance(node, ast.ImportFrom) and _reachable(node):
            wanted = [a.name for a in node.names if not name or (a.asname or a.name) in used]
            out += [_one(str(node.module), word) for word in wanted]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in called:
            out.append(_one("nomoi", node.attr))
    return out


def _reachable(node: ast.ImportFrom) -> bool:
    """Whether what is imported is nomoi's, or a person's own."""
    home = str(node.module or "")
    return not node.level and (home.split(".")[0] == "nomoi" or (bool(home) and _file(home) is not None))


def _one(home: str, name: str) -> tuple[str, str]:
    """What `from home import name` means: a module of its own, or a name in one."""
    inner = f"{home}.{name}"
    if _file(inner):
        return inner, ""
    return _pages(home).get(name, (home, name))


@lru_cache(maxsize=256)
def _pages(home: str) -> dict[str, tuple[str, str]]:
    """Of a folder's page, which only passes names on: where each of them is from."""
    file = _file(home)
    if file is None or file.name != "__init__.py":
        return {}
    passed = [
        n for n in ast.walk(_tree(home)) if isinstance(n, ast.ImportFrom) and (n.module or "").startswith("nomoi")
    ]
    return {a.asname or a.name: (str(n.module), a.name) for n in passed for a in n.names}


@lru_cache(maxsize=4096)
def _digest(home: str, name: str) -> str:
    if name and not _taken(home, name):  # what a notebook defines is in no file
        return _joined(_compiled(getattr(sys.modules.get(home), name, None)))
    ours = home.startswith("nomoi.")  # a person's `count` or `sentence` may be anything
    return _joined(_said(statement, ours) for statement in _taken(home, name))


def _compiled(thing: Any) -> Iterator[str]:
    """What code without a file does: its compiled form, and that of all that a class defines."""
    if isinstance(thing, type):
        for name, part in sorted(vars(thing).items()):
            yield name
            yield from _compiled(getattr(part, "fget", None) or getattr(part, "__func__", part))
    done = getattr(inspect.unwrap(thing) if callable(thing) else thing, "__code__", thing)
    if isinstance(done, types.CodeType):
        yield from (done.co_code.hex(), *map(str, done.co_names))
        for part in done.co_consts:
            yield from _compiled(part) if isinstance(part, types.CodeType) else [repr(part)]


def _joined(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _said(node: Any, ours: bool) -> str:
    """A node in one spelling for all versions of Python, without words that change no number."""
    if isinstance(node, list):
        return f"[{','.join(_said(part, ours) for part in node)}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    parts = []
    for field, value in ast.iter_fields(node):
        if value is None or value == [] or field in ("ctx", "kind", "type_comment", "type_params"):
            continue
        if field == "body" and isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            value = [s for s in value if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
            if ours and isinstance(node, ast.ClassDef):
                value = [s for s in value if not _sentence(s)]
        elif field == "exc" and isinstance(value, ast.Call):
            value = value.func  # without what it says
        elif ours and isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in WORDS:
            value = _without_words(node.func.id, field, value)
        parts.append(f"{field}={_said(value, ours)}")
    return f"{type(node).__name__}({','.join(parts)})"


def _sentence(line: ast.stmt) -> bool:
    """Whether it is what an institution says of itself to people, which no world reads."""
    return isinstance(line, ast.FunctionDef) and line.name == "sentence"


def _without_words(name: str, field: str, value: Any) -> Any:
    """A setting without its meaning and source; an event or a measure without its meaning."""
    wordy = lambda x: isinstance(x, ast.JoinedStr) or (isinstance(x, ast.Constant) and isinstance(x.value, str))  # noqa: E731
    if field == "args":
        first, end = WORDS[name]
        return value[:first] + [x for x in value[first:end] if not wordy(x)] + value[end:]
    told = TOLD.get(name, TOLD["setting"])
    return [k for k in value if k.arg not in told] if field == "keywords" else value
