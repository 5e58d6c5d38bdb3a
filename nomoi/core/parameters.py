"""Parameters of models that are formulas: options with a symbol and a domain, kept as plain numbers, checked when made.

Situations and institutions have settings (`nomoi.core.settings`), which are array leaves of a program; models of
populations and of law are plain numbers in double precision.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ParamSpec

from nomoi.core import option as said
from nomoi.core.option import MINE, Option, check, options, plain

P = ParamSpec("P")


def _carried(declare: Callable[P, Option]) -> Callable[P, Any]:
    def field(*args: P.args, **named: P.kwargs) -> Any:
        option = declare(*args, **named)
        return dataclasses.field(default=option.default, metadata={MINE: option})

    field.__name__, field.__doc__ = declare.__name__, declare.__doc__
    return field


number, probability, count = _carried(said.number), _carried(said.probability), _carried(said.count)


def checked(value: Any, option: Option, where: str) -> float | int:
    """`value` as a number that the option may be; else a sentence that names `where`."""
    value = plain(value)
    check(value, option, where)
    return int(value) if option.whole else float(value)


class Parameters:
    """Base of frozen dataclasses whose fields are made by `number`, `probability` and `count`."""

    def __post_init__(self) -> None:
        for name, option in options(type(self)).items():
            where = f"{type(self).__name__.lower()}.{name}"
            object.__setattr__(self, name, checked(getattr(self, name), option, where))

    def but(self, **changes: Any) -> Any:
        """A copy with some parameters changed."""
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]


@dataclasses.dataclass(frozen=True)
class Answer:
    """A number that a formula gives, and in words every degenerate case that it met."""

    value: float
    flags: tuple[str, ...] = ()
