"""Effects that claims are about, seed by seed: measures of a condition, differences between two of a study.

Each function gives a function of the results: [seeds] values, which a `Claim` then judges.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from scipy import special

from nomoi.measure.statistics import LEVEL, Estimate, Test, estimate, number, paired, ttest
from nomoi.runs.claims import Results

Effect = Callable[[Results], np.ndarray]


def of(label: str, measure: str) -> Effect:
    """A measure of one condition over the last eighth of training, or as it was computed."""
    return lambda r: r.late(label, measure)


def late(measure: str, one: str, other: str) -> Effect:
    """`one` minus `other` over the last eighth of training."""
    return lambda r: _gap(r.late(one, measure), r.late(other, measure))


def percent(measure: str, one: str, other: str) -> Effect:
    """How many per cent more `one` has than `other` over the last eighth of training."""
    return lambda r: 100 * (r.late(one, measure) / r.late(other, measure) - 1)


def tenths(measure: str, one: str, other: str, first: int, last: int) -> Effect:
    """`one` minus `other`, mean over the tenths of training from `first` to `last` (counted from 1)."""

    def effect(results: Results) -> np.ndarray:
        return _gap(*(results.bins(label, measure)[:, first - 1 : last].mean(1) for label in (one, other)))

    return effect


def scores(label: str, measure: str) -> Callable[[Results], Estimate]:
    """Mean standard score: by how many standard errors of one seed something simulated is off its closed form.

    Where the two agree each seed's score has variance 1, so the mean of n has the standard error 1 / sqrt(n), known and
    not estimated.  A claim that it is within 2 of 0 then holds in 99 of 100 cases with five seeds where nothing is off,
    and in 1 of 40 where the closed form is off by 2.
    """

    def effect(results: Results) -> Estimate:
        found = estimate(results.late(label, measure))
        if found.exact or found.n < 1 or not np.isfinite(found.mean):
            return found
        reach = float(special.ndtri((1 + LEVEL) / 2)) / np.sqrt(found.n)
        return dataclasses.replace(found, low=found.mean - reach, high=found.mean + reach)

    return effect


def _gap(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Paired differences; what is exact ([1]) is the same for every seed."""
    n = max(len(values), len(others))
    return paired(*(np.repeat(side, n) if len(side) == 1 else side for side in (values, others)))


def rows(results: Results, labels: Sequence[str], measures: Sequence[str]) -> list[list[str]]:
    """Rows of a table: each of `labels` with the mean over seeds of each measure that it has, and its interval."""
    out = []
    for label in labels:
        known = results.measures(label)
        found = [estimate(results.late(label, m)) if m in known else None for m in measures]
        out.append([label, *(f"{number(e.mean)} {e.interval()}".strip() if e and e.n else "-" for e in found)])
    return out


@dataclasses.dataclass(frozen=True)
class Tests:
    """A section of a page: paired t-tests, which are corrected together with all others of the page (Holm).

    rows   (cells before, test, cells after); `before` and `after` head those cells
    """

    __test__ = False  # no test of pytest's

    heading: str
    before: Sequence[str]
    rows: Sequence[tuple[Sequence[str], Test, Sequence[str]]]
    after: Sequence[str] = ()
    note: str = ""


def pairwise(results: Results, heading: str, pairs: Sequence[tuple[str, str, str]], note: str = "") -> Tests:
    """Tests of (measure, one, other), late in training, by the statistic that claims are judged by."""
    rows = [
        ([m, f"{one} - {other}"], ttest(results.late(one, m), results.late(other, m)), []) for m, one, other in pairs
    ]
    return Tests(heading, ["measure", "pair"], rows, (), note)


COLUMNS = ["difference", "95 %", "paired t", "p", "p, Holm", "Cohen d_z"]


def row(one: Test) -> list[str]:
    """A test as the cells of a table, under COLUMNS."""
    e = one.estimate
    return [e.text(), e.interval() or "-", *map(number, (one.t, one.p, one.corrected, one.d))]
