"""Statistics over seeds.  Every number that is shown comes with its spread."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

from nomoi.errors import Refusal

RESAMPLES = 2000  # ours; the limits move by less than a hundredth of the interval


@dataclasses.dataclass(frozen=True)
class Estimate:
    """Mean and interquartile mean over seeds, with a 95 % bootstrap interval of the mean (NaN for one seed)."""

    mean: float
    iqm: float
    low: float
    high: float
    n: int

    def data(self) -> dict[str, float | int | None]:
        """As plain data for JSON, which knows no NaN."""
        return {k: v if isinstance(v, int) or np.isfinite(v) else None for k, v in dataclasses.asdict(self).items()}

    def text(self, digits: int = 3) -> str:
        return number(self.mean, digits)

    def interval(self, digits: int = 3) -> str:
        """'[low, high]', or nothing where there is a single seed."""
        return "" if self.n < 2 else f"[{number(self.low, digits)}, {number(self.high, digits)}]"


def number(value: float, digits: int = 3) -> str:
    """A number as people read it: about `digits` significant digits, never an exponent for ordinary sizes."""
    if not np.isfinite(value):
        return "-"
    if value == 0:
        return "0"
    places = max(0, digits - 1 - int(np.floor(np.log10(abs(value)))))
    return f"{value:.{min(places, 4)}f}"


Values = Sequence[float] | np.ndarray


def estimate(values: Values, seed: int = 0) -> Estimate:
    """Over seeds; values that are not defined (NaN) are left out."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if not len(values):
        return Estimate(np.nan, np.nan, np.nan, np.nan, 0)
    low, high = _bootstrap(values, seed)
    return Estimate(float(values.mean()), float(stats.trim_mean(values, 0.25)), low, high, len(values))


def over_time(series: np.ndarray, batches: int = 20) -> tuple[float, float]:
    """Mean and standard error of a stationary series [T], or of R independent ones [T, R], by batch means.

    Neighbours in time are alike, so the error is that of the means of `batches` stretches of each series, which are
    nearly independent where a stretch is much longer than the memory of the series.
    """
    series = np.asarray(series, float)
    series = series.reshape(len(series), -1)
    if len(series) < batches or batches < 2:
        raise Refusal(f"{len(series)} moments make no {batches} batches; at least as many moments, and 2 batches.")
    means = np.concatenate([part.mean(0) for part in np.array_split(series, batches)])
    return float(series.mean()), float(means.std(ddof=1) / np.sqrt(len(means)))


def difference(values: Values, others: Values, seed: int = 0) -> Estimate:
    """Of `values` minus `others`, seed by seed (the same seeds in the same order)."""
    return estimate(np.asarray(values, float) - np.asarray(others, float), seed)


def _bootstrap(values: np.ndarray, seed: int) -> tuple[float, float]:
    if len(values) < 2:
        return np.nan, np.nan
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # BCa needs more than a handful of values to correct anything; with fewer it is the percentile interval
        method = "BCa" if len(values) >= 8 else "percentile"
        found = stats.bootstrap(
            (values,), np.mean, n_resamples=RESAMPLES, method=method, rng=np.random.default_rng(seed)
        )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def correlation(x: Values, y: Values) -> Estimate:
    """Pearson's r over seeds with Fisher's 95 % interval (NaN with fewer than four).

    Pairs of which one is not defined are left out; r is NaN with fewer than three, or where one does not vary.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    both = np.isfinite(x) & np.isfinite(y)
    x, y, n = x[both], y[both], int(both.sum())
    if n < 3 or _still(x) or _still(y):
        return Estimate(np.nan, np.nan, np.nan, np.nan, n)
    found: Any = stats.pearsonr(x, y)
    low, high = found.confidence_interval(0.95) if n > 3 else (np.nan, np.nan)
    return Estimate(float(found.statistic), float(found.statistic), float(low), float(high), n)


def _still(values: np.ndarray) -> bool:
    """Whether values are all the same, up to the rounding of numbers of their size."""
    return bool(np.ptp(values) <= 1e-12 * np.abs(values).max())


@dataclasses.dataclass(frozen=True)
class Test:
    """Welch's two-sample t-test of `values` against `others`: difference of means, t, p, p corrected, Cohen's d."""

    __test__ = False  # no test of pytest's

    difference: float
    t: float
    p: float
    corrected: float
    d: float
    low: float
    high: float


def welch(pairs: Sequence[tuple[Values, Values]], level: float = 0.95) -> list[Test]:
    """A test for each (values, others), with Holm's correction for testing them all; `level` of the interval.

    Values that are not defined are left out.  A test is NaN where a side has fewer than two values, or none varies;
    it does not count among those that are corrected for.
    """
    out = []
    for pair in pairs:
        a, b = (values[np.isfinite(values)] for values in (np.asarray(side, float) for side in pair))
        gap = float(a.mean() - b.mean()) if len(a) and len(b) else np.nan
        if min(len(a), len(b)) < 2 or (_still(a) and _still(b)):
            out.append(Test(gap, *[np.nan] * 6))
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a side that hardly varies; what it adds to the error is small
            found: Any = stats.ttest_ind(a, b, equal_var=False)
        spread = np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
        span, t, p = found.confidence_interval(level), float(found.statistic), float(found.pvalue)
        out.append(Test(gap, t, p, p, float(gap / spread), float(span.low), float(span.high)))
    corrected = holm([test.p for test in out])
    return [dataclasses.replace(test, corrected=float(c)) for test, c in zip(out, corrected, strict=True)]


def holm(p: Values) -> np.ndarray:
    """Holm's step-down correction of p-values; what is not defined is left out."""
    p = np.asarray(p, float)
    out, known = np.full(p.shape, np.nan), np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known])]
    steps = p[order] * (len(order) - np.arange(len(order)))
    out[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return out
