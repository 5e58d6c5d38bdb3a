"""A formula: options in; numbers, sentences and a curve out, for a page with a control for each option."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nomoi.core.option import Option, check, read
from nomoi.errors import Refusal, nearest
from nomoi.lab.setup import control

POINTS, FEW, SECONDS = 41, 9, 0.04  # of a curve, and fewer where those would take so long; below a few, none (ours)


@dataclasses.dataclass(frozen=True)
class Found:
    """What a formula gives: rows of a table (name, value, "", unit, meaning), sentences, and numbers to draw."""

    rows: list[list[str]]
    said: list[str] = dataclasses.field(default_factory=list)
    numbers: dict[str, float] = dataclasses.field(default_factory=dict)
    course: tuple[np.ndarray, dict[str, np.ndarray]] | None = None  # times, and lines over them


@dataclasses.dataclass(frozen=True)
class Form:
    """One formula: its options by name, as everywhere, and its answer to values of all of them.

    answer   (values, "") -> all of it; (values, name) may give that one number alone, of which a curve is made
    """

    name: str
    wing: str
    about: str
    options: Mapping[str, Option]
    answer: Callable[[dict[str, Any], str], Found]

    def values(self, typed: Any) -> dict[str, Any]:
        """The values that texts mean; of options that are not named, the default."""
        if not isinstance(typed, Mapping) or not all(isinstance(x, str) for x in typed.values()):
            raise Refusal("options are texts by name.")
        every = {name: option.default for name, option in self.options.items()}
        for name, text in typed.items():
            if name not in every:
                raise Refusal(f"{self.name} has no option {name!r}; {nearest(str(name), every, 'option')}")
            option, where = self.options[name], f"{self.name}.{name}"
            every[name] = read(text, option, where)
            check(every[name], option, where)
        return every

    def told(self, typed: Any, along: str = "", of: str = "") -> dict[str, Any]:
        """What a page shows: rows, sentences, and a curve: `of` over the whole range of the option `along`."""
        values = self.values(typed)
        found = self.answer(values, "")
        names = list(found.numbers)
        of = of if of in found.numbers else next(iter(names), "")
        curve = None
        if found.course:
            x, lines = found.course
            curve = _drawn("time", x, lines, None)
        elif of:
            along = along if along in self.options else next(iter(self.options))
            curve = self._curve(values, along, of)
        return {"rows": found.rows, "said": found.said, "numbers": [] if found.course else names, "of": of,
                "curve": curve}  # fmt: skip

    def _curve(self, values: dict[str, Any], along: str, of: str) -> dict[str, Any] | None:
        """`of` over the range of an option, at as many points as one waits for."""
        begun = time.process_time()
        self._at(values, along, values[along], of)
        points = min(POINTS, int(SECONDS / max(time.process_time() - begun, 1e-6)))
        if points < FEW:
            return None
        x = _range(self.options[along], values[along], points)
        return _drawn(along, x, {of: np.array([self._at(values, along, v, of) for v in x])}, float(values[along]))

    def _at(self, values: dict[str, Any], along: str, v: float, of: str) -> float:
        try:
            return self.answer({**values, along: v}, of).numbers.get(of, math.nan)
        except Refusal:  # a part of the range may not go with the other values
            return math.nan

    def controls(self) -> list[dict[str, Any]]:
        return [control(name, option, option.text()) for name, option in self.options.items()]


def _range(option: Option, value: float, points: int) -> list[float]:
    """Where a curve is drawn: the whole range of an option, or three times what it is now where that has no end."""
    wide = 3 * max(abs(value), abs(float(option.default)), 1 / 3)
    low = option.low if math.isfinite(option.low) else -wide if value < 0 else 0.0
    high = option.high if math.isfinite(option.high) and option.high < 1e6 else low + wide
    if option.whole:
        return [int(x) for x in np.unique(np.linspace(low, high, points).round())]
    inside = (high - low) / (2 * points)  # an end that is left out is not drawn
    return list(map(float, np.linspace(low + inside * option.open_low, high - inside * option.open_high, points)))


def _drawn(along: str, x: Any, lines: Mapping[str, np.ndarray], at: float | None) -> dict[str, Any]:
    """A curve as plain data: what is not a number is a gap."""
    plain = lambda v: [float(f"{y:.6g}") if math.isfinite(y) else None for y in map(float, v)]  # noqa: E731
    return {"along": along, "x": plain(x), "lines": {k: plain(v) for k, v in lines.items()}, "at": at}
