"""Statistics over seeds.  Every number that is shown comes with its spread."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence

import numpy as np
from scipy import stats

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
