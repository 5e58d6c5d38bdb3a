"""Parameters of models that are formulas: each with its symbol, domain, default and source, checked when made.

Situations and institutions have settings (`nomoi.core.settings`), which are array leaves of a program; models of
populations and of law are plain numbers in double precision.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

from nomoi.errors import Refusal

MINE = "nomoi"


@dataclasses.dataclass(frozen=True)
class Domain:
    """What may be given for a parameter; `open_low` and `open_high` exclude the ends."""

    symbol: str
    meaning: str
    source: str
    low: float
    high: float
    open_low: bool
    open_high: bool
    whole: bool

    def words(self) -> str:
        """The domain in words."""
        kind = "a whole number" if self.whole else "a number"
        if math.isinf(self.high):
            return (
                f"{kind} {'above' if self.open_low else 'of at least'} {self.low:g}" if self.low > -math.inf else kind
            )
        left, right = "(" if self.open_low else "[", ")" if self.open_high else "]"
        return f"{kind} in {left}{self.low:g}, {self.high:g}{right}"


def number(
    default: float,
    symbol: str,
    meaning: str,
    source: str = "ours",
    low: float = -math.inf,
    high: float = math.inf,
    open_low: bool = False,
    open_high: bool = False,
) -> Any:
    """A real number in a domain.  `source` says where the default is from."""
    domain = Domain(symbol, meaning, source, low, high, open_low, open_high, False)
    return dataclasses.field(default=default, metadata={MINE: domain})


def probability(default: float, symbol: str, meaning: str, source: str = "ours") -> Any:
    """A number in [0, 1]."""
    return number(default, symbol, meaning, source, 0, 1)


def count(default: int, symbol: str, meaning: str, source: str = "ours", low: int = 1, high: float = math.inf) -> Any:
    """A whole number of at least `low`."""
    return dataclasses.field(
        default=default, metadata={MINE: Domain(symbol, meaning, source, low, high, False, False, True)}
    )


def domains(model: type) -> Iterator[tuple[str, Domain]]:
    """The parameters of a model, by name."""
    return ((f.name, f.metadata[MINE]) for f in dataclasses.fields(model) if MINE in f.metadata)


def checked(value: Any, domain: Domain, where: str) -> float | int:
    """`value` as a number of the domain; else a sentence that names `where`."""
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    fine = plain and math.isfinite(value) and (not domain.whole or float(value).is_integer())
    if fine:
        fine = (domain.low < value if domain.open_low else domain.low <= value) and (
            value < domain.high if domain.open_high else value <= domain.high
        )
    if not fine:
        raise Refusal(f"{where} is {value!r}; {domain.words()} would be right.")
    return int(value) if domain.whole else float(value)


class Parameters:
    """Base of frozen dataclasses whose fields are made by `number`, `probability` and `count`."""

    def __post_init__(self) -> None:
        for name, domain in domains(type(self)):
            where = f"{type(self).__name__.lower()}.{name}"
            object.__setattr__(self, name, checked(getattr(self, name), domain, where))

    def but(self, **changes: Any) -> Any:
        """A copy with some parameters changed."""
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]


@dataclasses.dataclass(frozen=True)
class Answer:
    """A number that a formula gives, and in words every degenerate case that it met."""

    value: float
    flags: tuple[str, ...] = ()
