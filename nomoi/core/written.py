"""What the files of nomoi say, read from their text: classes, their cards and options, and plain values.

No file is run for it, and JAX is not waited for; of a file's functions only those are run, by themselves, from which a
value is made (`symmetric(3, 1, 4, 0)`).  A text that says more than plain values is `Unread`: the file must be imported
instead.  A test holds what is read here against what importing gives.
"""

from __future__ import annotations
import __future__

import ast
import contextlib
import dataclasses
import gc
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import nomoi

PLAIN = (ast.Constant, ast.Name, ast.Tuple, ast.List, ast.Dict, ast.UnaryOp, ast.BinOp, ast.JoinedStr,
         ast.FormattedValue, ast.Load, ast.unaryop, ast.operator, ast.Attribute, ast.Call)  # fmt: skip
METHODS = ("join", "replace")  # of texts
CARRIERS = ("setting", "size", "choice", "number", "probability", "count")


class Unread(Exception):
    """A text that says more than plain values."""


def files(package: str) -> list[str]:
    """The modules of a package, in order."""
    return [f"{package}.{file.stem}" for file in sorted(_path(package).glob("*.py")) if file.stem != "__init__"]


@lru_cache
def text(module: str) -> str:
    """The text of a module; of a package, that of its page."""
    path = _path(module)
    return (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text(encoding="utf-8")


def defining(package: str, word: str = "") -> list[str]:
    """The modules of a package in which a class of that name, in letters of any size, may be; all for no name."""
    told = re.compile(rf"^class {re.escape(word)}\b", re.M | re.I)
    return [file for file in files(package) if not word or told.search(text(file))]


def _path(module: str) -> Path:
    return Path(nomoi.__path__[0]).joinpath(*module.split(".")[1:])


class Module(dict[str, Any]):
    """The plain values of a module's top level, by name; each is read when it is first asked for."""

    def __init__(self, name: str):
        self.name, self.tree, self._bound = name, ast.parse(text(name)), dict[str, ast.stmt]()
        for node in self.tree.body:  # of an `if`, what it says to type checkers
            for statement in [node, *(node.body if isinstance(node, ast.If) else ())]:
                self._bound |= dict.fromkeys(_binds(statement), statement)

    def __missing__(self, word: str) -> Any:
        found = self.bound(word)
        if isinstance(found, ast.ImportFrom) and (found.module or "").startswith("nomoi."):
            return module(str(found.module))[word]
        if isinstance(found, (ast.Assign, ast.AnnAssign)) and found.value is not None:
            self[word] = self.value(found.value)
            return self[word]
        if isinstance(found, ast.FunctionDef):
            scope: dict[str, Any] = {"np": importlib.import_module("numpy")}
            exec(compile(ast.Module([found], []), self.name, "exec", __future__.annotations.compiler_flag), scope)
            return scope[word]
        raise KeyError(word)

    def bound(self, word: str) -> ast.stmt | None:
        """The statement of the top level that binds a name."""
        return self._bound.get(word)

    def value(self, node: ast.expr) -> Any:
        """The value of an expression of constants, texts, and names of them, in a file of nomoi's (never a user's)."""
        for part in ast.walk(node):
            if not isinstance(part, PLAIN) or (isinstance(part, ast.Attribute) and part.attr not in METHODS):
                raise Unread(f"{self.name}: {ast.unparse(part)}")
        try:
            return eval(compile(ast.Expression(node), self.name, "eval"), {"__builtins__": {}}, self)
        except (NameError, TypeError) as error:
            raise Unread(f"{self.name}: {error}") from None

    def classes(self) -> Iterator[Class]:
        """The classes that it defines itself."""
        return (Class(self.name, n.name) for n in self.tree.body if isinstance(n, ast.ClassDef))


@lru_cache
def module(name: str) -> Module:
    """A module as it is written."""
    return Module(name)


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """While many files are read.

    Nothing in their trees is garbage, and to look for some, now or when Python ends, takes as long as to read them.
    """
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        module.cache_clear()
        if on:
            gc.enable()


def _binds(statement: ast.stmt) -> list[str]:
    if isinstance(statement, (ast.ClassDef, ast.FunctionDef)):
        return [statement.name]
    if isinstance(statement, ast.ImportFrom):
        return [alias.asname or alias.name for alias in statement.names]
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


@dataclasses.dataclass(frozen=True)
class Class:
    """A class of nomoi as it is written."""

    home: str
    name: str

    @property
    def node(self) -> ast.ClassDef:
        found = module(self.home).bound(self.name)
        assert isinstance(found, ast.ClassDef)
        return found

    @property
    def lines(self) -> tuple[Class, ...]:
        """The class and those of nomoi that it derives from, the nearest first."""
        return _lines(self.home, self.name)

    def derives(self, home: str, name: str) -> bool:
        """Whether it derives from another one."""
        return Class(home, name) in self.lines[1:]

    @property
    def abstract(self) -> bool:
        """Whether it leaves something for others to define."""
        lacks = set[str]()
        for cls in reversed(self.lines):
            for statement in cls.node.body:
                if isinstance(statement, ast.FunctionDef) and "abstractmethod" in map(_last, statement.decorator_list):
                    lacks.add(statement.name)
                elif not isinstance(statement, ast.AnnAssign) or statement.value is not None:
                    lacks -= set(_binds(statement))
        return bool(lacks)

    @property
    def card(self) -> str:
        """What its docstring says, or that of the nearest that has one."""
        said = (ast.get_docstring(cls.node, clean=False) for cls in self.lines)
        return inspect.cleandoc(next((doc for doc in said if doc is not None), ""))

    def options(self) -> dict[str, Any]:
        """Its documented options, those of whom it derives from first."""
        from nomoi.core import option

        found: dict[str, Any] = {}
        for cls in reversed(self.lines):
            home = module(cls.home)
            for line in cls.node.body:
                call = line.value if isinstance(line, ast.AnnAssign) else None
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in CARRIERS:
                    given = {k.arg: home.value(k.value) for k in call.keywords if k.arg and k.arg != "converter"}
                    declare = getattr(option, call.func.id)
                    found |= {name: declare(*map(home.value, call.args), **given) for name in _binds(line)}
        return found

    def setups(self, names: bool = False) -> dict[str, Any]:
        """Its presets, or those of the nearest that has some; or no more than their names."""
        for cls in self.lines:
            for line in cls.node.body:
                if isinstance(line, (ast.Assign, ast.AnnAssign)) and "presets" in _binds(line) and line.value:
                    if names and isinstance(line.value, ast.Dict):
                        return dict.fromkeys(ast.literal_eval(key) for key in line.value.keys if key)
                    return module(cls.home).value(line.value)
        return {}


@lru_cache
def _lines(home: str, name: str) -> tuple[Class, ...]:
    found = module(home).bound(name)
    if isinstance(found, ast.ImportFrom) and (found.module or "").startswith("nomoi."):
        return _lines(str(found.module), name)
    if not isinstance(found, ast.ClassDef):
        return ()
    above = [cls for base in found.bases if isinstance(base, ast.Name) for cls in _lines(home, base.id)]
    kept = [cls for k, cls in enumerate(above) if cls not in above[k + 1 :]]  # what several share comes last
    return (Class(home, name), *kept)


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
