"""Files that people give to an audit, YAML or JSON, asked key by key; what is unknown or doubtful is refused."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from nomoi import files
from nomoi.errors import Refusal, nearest
from nomoi.proxies.expression import Expression

REQUIRED: Any = object()


def read(path: str | Path) -> dict[str, Any]:
    """The table that a YAML or JSON file is; refused, with the line, where it is none."""
    return files.table(path, (".yaml", ".yml", ".json"))


class Part:
    """A table of a file, asked key by key; `close` refuses keys that nobody asked for."""

    def __init__(self, data: Any, where: str):
        if not isinstance(data, Mapping):
            raise Refusal(f"{where} is {data!r}; a table of names and values would be right.")
        self.data, self.where, self.asked = {str(k): v for k, v in data.items()}, where, set[str]()

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def of(self, key: str) -> str:
        """What a sentence calls a value of this table."""
        return f"{self.where}: {key}"

    def value(self, key: str, default: Any = REQUIRED) -> Any:
        """Whatever stands there."""
        self.asked.add(key)
        if key not in self.data:
            if default is REQUIRED:
                others = ", ".join(k for k in self.data if k not in self.asked)
                raise Refusal(
                    f"{self.where} has no {key!r}; it must be given{f' (there are: {others})' if others else ''}."
                )
            return default
        return self.data[key]

    def number(
        self,
        key: str,
        default: Any = REQUIRED,
        low: float = -math.inf,
        high: float = math.inf,
        open_low: bool = False,
        infinite: bool = False,
    ) -> Any:
        """A finite number, or a text of arithmetic such as 1/30; within [low, high], or (low, high] if `open_low`."""
        given = self.value(key, default)
        if key not in self.data:
            return default
        return number(given, self.of(key), low, high, open_low, infinite)

    def words(self, key: str, default: Any = REQUIRED) -> Any:
        """A text that is not empty."""
        given = self.value(key, default)
        if key in self.data and (not isinstance(given, str) or not given.strip()):
            raise Refusal(f"{self.of(key)} is {given!r}; a text would be right.")
        return given

    def choice(self, key: str, known: Collection[str], default: Any = REQUIRED) -> Any:
        """One of the words that are known."""
        given = self.value(key, default)
        if key in self.data and not (isinstance(given, str) and given in known):
            raise Refusal(f"{self.of(key)} is {given!r}; {nearest(str(given), known, 'value')}")
        return given

    def truth(self, key: str, default: Any = REQUIRED) -> Any:
        """true or false."""
        given = self.value(key, default)
        if key in self.data and not isinstance(given, bool):
            raise Refusal(f"{self.of(key)} is {given!r}; true or false would be right.")
        return given

    def rows(self, key: str, default: Any = REQUIRED) -> Any:
        """A list."""
        given = self.value(key, default)
        if key in self.data and (isinstance(given, (str, Mapping)) or not isinstance(given, Sequence)):
            raise Refusal(f"{self.of(key)} is {given!r}; a list would be right.")
        return given

    def part(self, key: str, default: Any = REQUIRED) -> Part:
        """A table in it."""
        return Part(self.value(key, default), self.of(key))

    def parts(self, key: str, default: Any = REQUIRED) -> list[Part]:
        """A list of tables."""
        return [Part(row, f"{self.of(key)}, number {k + 1}") for k, row in enumerate(self.rows(key, default))]

    def close(self, *others: str) -> None:
        """Refuse what nobody asked for, and is none of `others`: nothing that a person wrote is passed over."""
        for key in self.data:
            if key not in self.asked:
                known = {*self.asked, *others}
                raise Refusal(f"{self.where} has {key!r}, which means nothing here; {nearest(key, known, 'key')}")


def number(
    given: Any,
    where: str,
    low: float = -math.inf,
    high: float = math.inf,
    open_low: bool = False,
    infinite: bool = False,
) -> float:
    """A value of a file as a number; a sentence that names `where` if it is none, or out of range."""
    interval = f"{'(' if open_low else '['}{low:g}, {high:g}]"
    right = "a finite number" if (low, high) == (-math.inf, math.inf) else f"a number in {interval}"
    if isinstance(given, bool) or not isinstance(given, (int, float, str)):
        raise Refusal(f"{where} is {given!r}; {right} would be right.")
    if isinstance(given, str):
        text = Expression(given, where)
        if text.names:
            raise Refusal(f"{where} is {given!r}; {right} would be right.")
        given = text({})
    try:
        value = float(given)
    except OverflowError:  # a whole number of hundreds of digits
        value = math.inf if given > 0 else -math.inf
    bad = math.isnan(value) or (math.isinf(value) and not infinite)
    if bad or not low <= value <= high or (open_low and value == low):
        raise Refusal(f"{where} is {value:g}; {right} would be right.")
    return value
