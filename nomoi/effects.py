"""Effects that claims are about, seed by seed: differences between two conditions of a study.

Each function gives a function of the results: [seeds] values, which a `Claim` then judges.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nomoi.measure.statistics import Test, estimate, number, welch
from nomoi.study import Results

Effect = Callable[[Results], np.ndarray]


def late(measure: str, one: str, other: str) -> Effect:
    """`one` minus `other` over the last eighth of training."""
    return lambda r: r.late(one, measure) - r.late(other, measure)


def percent(measure: str, one: str, other: str) -> Effect:
    """How many per cent more `one` has than `other` over the last eighth of training."""
    return lambda r: 100 * (r.late(one, measure) / r.late(other, measure) - 1)


def tenths(measure: str, one: str, other: str, first: int, last: int) -> Effect:
    """`one` minus `other`, mean over the tenths of training from `first` to `last` (counted from 1)."""

    def effect(results: Results) -> np.ndarray:
        each = [results.bins(label, measure)[:, first - 1 : last].mean(1) for label in (one, other)]
        return each[0] - each[1]

    return effect


def rows(results: Results, labels: Sequence[str], measures: Sequence[str]) -> list[list[str]]:
    """Rows of a table: each of `labels` with the mean over seeds of each measure that it has, and its interval."""
    out = []
    for label in labels:
        known = results.measures(label)
        found = [estimate(results.late(label, m)) if m in known else None for m in measures]
        out.append([label, *(f"{number(e.mean)} {e.interval()}".strip() if e and e.n else "-" for e in found)])
    return out


def tests(results: Results, pairs: list[tuple[str, str, str]]) -> list[list[str]]:
    """Rows of a table of Welch's tests, corrected together (Holm), for each (measure, one, other), late in training."""
    found = welch([(results.late(one, m), results.late(other, m)) for m, one, other in pairs])
    return [[m, f"{one} - {other}", *row(test)] for (m, one, other), test in zip(pairs, found, strict=True)]


COLUMNS = ["difference", "95 %", "Welch t", "p", "p, Holm", "Cohen d"]


def row(test: Test) -> list[str]:
    """A test as the cells of a table, under COLUMNS."""
    span = f"[{number(test.low)}, {number(test.high)}]"
    return [number(test.difference), span, *map(number, (test.t, test.p, test.corrected, test.d))]
