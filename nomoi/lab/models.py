"""Models as formulas: classes of parameters, whose answers are found by their annotations.

An answer is a property, a method without arguments, or a function of the model's module that needs the model alone, and
gives a number, an `Answer`, yes or no, or a word.  What it means is the first paragraph that is written about it.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable, Iterator
from typing import Any

from nomoi.core.option import options
from nomoi.core.parameters import Answer, Parameters
from nomoi.errors import Refusal
from nomoi.lab.form import Form, Found
from nomoi.measure.statistics import number as said

WINGS = ("populations", "law", "proxies")  # where models of parameters are found
KINDS = (float, int, bool, str, Answer)  # what an answer may be


def _answers(cls: type[Any]) -> Iterator[tuple[str, str, Callable[[Any], Any]]]:
    """(name, meaning, of) of all that a model answers by itself."""
    for name, member in vars(cls).items():
        call = member.fget if isinstance(member, property) else member
        if not name.startswith("_") and inspect.isfunction(call) and _alone(call):
            yield name.replace("_", " "), _first(call), call
    home = importlib.import_module(cls.__module__)
    for name, call in vars(home).items():
        mine = inspect.isfunction(call) and call.__module__ == home.__name__ and not name.startswith("_")
        if mine and _alone(call) and next(iter(_hints(call).values()), None) is cls:
            yield name.replace("_", " "), _first(call), call


def _alone(call: Callable[..., Any]) -> bool:
    """Whether a function needs one thing alone, and gives what can be shown."""
    needed = [p for p in inspect.signature(call).parameters.values() if p.default is p.empty]
    return (
        len(needed) == 1 and needed[0].kind is needed[0].POSITIONAL_OR_KEYWORD and _hints(call).get("return") in KINDS
    )


def _hints(call: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(call)
    except NameError:  # what only a type checker imports
        return {}


def _first(thing: Any) -> str:
    """The first paragraph that is written about it."""
    return " ".join((thing.__doc__ or "").strip().split("\n\n")[0].split())


def model(cls: type[Any], wing: str) -> Form:
    """The formula of a class of parameters."""
    asked = sorted(_answers(cls), key=lambda a: _hints(a[2])["return"] is not Answer)  # what is asked for comes first

    def answer(values: dict[str, Any], only: str) -> Found:
        one, rows, remarks, numbers = cls(**values), [], [], {}
        for name, meaning, of in asked:
            if only not in ("", name):
                continue
            try:
                value = of(one)
            except Refusal as refusal:
                remarks.append(f"{name}: {refusal}")
                continue
            if isinstance(value, Answer):
                remarks += [f"{name}: {flag}." for flag in value.flags]
                value = value.value
            if isinstance(value, (bool, str)):
                rows.append([name, value if isinstance(value, str) else "yes" if value else "no", "", "", meaning])
            else:
                rows.append([name, said(float(value)), "", "", meaning])
                numbers[name] = float(value)
        return Found(rows, remarks, numbers)

    return Form(cls.__name__.lower(), wing, _first(cls), options(cls), answer)


def models() -> Iterator[Form]:
    """The formulas of all models that answer anything."""
    for wing in WINGS:
        folder = importlib.import_module(f"nomoi.{wing}")
        for found in pkgutil.iter_modules(folder.__path__, f"nomoi.{wing}."):
            home = importlib.import_module(found.name)
            for cls in vars(home).values():
                mine = inspect.isclass(cls) and cls.__module__ == home.__name__ and issubclass(cls, Parameters)
                if mine and options(cls) and any(True for _ in _answers(cls)):
                    yield model(cls, wing)
