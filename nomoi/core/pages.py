"""Pages: the names of a folder, each loaded when it is first used.

A folder's `__init__.py` imports its names for type checkers alone (`if TYPE_CHECKING:`), and calls `page(__name__)`,
which reads those lines: what checkers see and what runs are one list.
"""

from __future__ import annotations

import ast
import importlib
import sys
from types import ModuleType
from typing import Any


class _Page(ModuleType):
    """A folder whose names are loaded when they are first used."""

    _homes: dict[str, str]

    def __getattr__(self, name: str) -> Any:
        if name not in self._homes:
            raise AttributeError(f"{self.__name__} has no {name!r}")
        value = getattr(importlib.import_module(self._homes[name]), name)
        vars(self)[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in self._homes and isinstance(value, ModuleType)):  # `core.govern` is a file, and what it defines
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._homes})


def page(name: str) -> None:
    """Make of the package `name` a page: `__all__`, and names that are loaded when they are first used."""
    package = sys.modules[name]
    loader: Any = package.__spec__ and package.__spec__.loader
    homes = {}
    for node in ast.parse(loader.get_source(name)).body:
        if isinstance(node, ast.If):
            lines = [line for line in node.body if isinstance(line, ast.ImportFrom)]
            homes |= {alias.name: line.module for line in lines for alias in line.names}
    vars(package).update(_homes=homes, __all__=list(homes))
    package.__class__ = _Page
