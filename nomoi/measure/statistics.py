"""Statistics over seeds.  Every number that is shown comes with its spread."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from nomoi.errors import Refusal

LEVEL = 0.95  # of every interval: the field's convention
DUST = 1e-12  # of the numbers compared: what sums of a few hundred doubles may be off by (ours)


@dataclasses.dataclass(frozen=True)
class Estimate:
    """Mean and interquartile mean over seeds, with the 95 % interval of the mean.

    low, high   Student's t (NaN for one seed); the mean itself where `exact`: computed once, without chance
    n           how many seeds have a value;  missing  how many have none (NaN), and are left out
    """

    mean: float
    iqm: float
    low: float
    high: float
    n: int
    missing: int = 0
    exact: bool = False

    def data(self) -> dict[str, float | int | bool | None]:
        """As plain data for JSON, which knows no NaN."""
        return {k: v if isinstance(v, int) or np.isfinite(v) else None for k, v in dataclasses.asdict(self).items()}

    def text(self, digits: int = 3) -> str:
        return number(self.mean, digits)

    def interval(self, digits: int = 3) -> str:
        """'[low, high]', or nothing where there is a single seed or nothing varies by chance."""
        return "" if self.n < 2 or self.exact else f"[{number(self.low, digits)}, {number(self.high, digits)}]"

    def sample(self) -> str:
        """What it rests on, in words: 'exact', 'one seed', 'n = 5', 'n = 4 of 5'."""
        if self.exact:
            return "exact"
        if self.missing:
            return f"n = {self.n} of {self.n + self.missing}"
        return "one seed" if self.n == 1 else f"n = {self.n}"


def number(value: float, digits: int = 3) -> str:
    """A number as people read it: `digits` significant digits, an exponent only below 0.0001 and from 1e9 on."""
    if math.isnan(value):
        return "-"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    power = math.floor(math.log10(abs(rounded)))
    if not -4 <= power < 9:
        return f"{value:.{digits - 1}e}"
    return f"{rounded if power < digits else value:.{max(0, digits - 1 - power)}f}"


Values = Sequence[float] | np.ndarray


def estimate(values: Values) -> Estimate:
    """Over seeds [n].  Values that are not defined (NaN) are left out and counted as missing.

    A run that diverged is not left out: one infinite value makes the mean infinite (or NaN) and the interval endless.
    """
    every = np.asarray(values, float).reshape(-1)
    values = every[~np.isnan(every)]
    n, missing = len(values), int(np.isnan(every).sum())
    if not n:
        return Estimate(np.nan, np.nan, np.nan, np.nan, 0, missing)
    if np.isinf(values).any():
        with np.errstate(invalid="ignore"):  # inf - inf
            return Estimate(float(values.mean()), np.nan, -np.inf, np.inf, n, missing)
    mean, middle = float(values.mean()), _middle(values)
    if n < 2:
        return Estimate(mean, middle, np.nan, np.nan, n, missing)
    if _still(values):
        return Estimate(mean, middle, mean, mean, n, missing)
    from scipy import special  # late, as in all of this file: importing it takes longer than most commands do

    reach = float(special.stdtrit(n - 1, (1 + LEVEL) / 2) * values.std(ddof=1) / np.sqrt(n))
    return Estimate(mean, middle, mean - reach, mean + reach, n, missing)


def _middle(values: np.ndarray) -> float:
    """The interquartile mean: a quarter left out at either end, rounded down to whole values."""
    low = len(values) // 4
    high = len(values) - low
    return float(np.partition(values, (low, high - 1))[low:high].mean())


def exactly(value: float) -> Estimate:
    """A number that was computed once, without chance: a point."""
    value = float(value)
    return Estimate(value, value, value, value, int(not math.isnan(value)), int(math.isnan(value)), True)


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


def paired(values: Values, others: Values) -> np.ndarray:
    """`values` minus `others`, seed by seed (the same seeds in the same order); rounding is no difference.

    A pair of which one side diverged is infinite, also where both did: it must not vanish among what is undefined.
    """
    values, others = (np.asarray(side, float).reshape(-1) for side in (values, others))
    if len(values) != len(others):
        raise Refusal(f"{len(values)} seeds cannot be paired with {len(others)}; the same seeds on both sides can.")
    with np.errstate(invalid="ignore"):  # inf - inf
        gaps, size = values - others, np.maximum(np.abs(values), np.abs(others))
        gaps = np.where(np.isinf(values) & np.isinf(others), np.inf, gaps)
        return np.where((np.abs(gaps) <= DUST * size) & np.isfinite(size), 0.0, gaps)


def difference(values: Values, others: Values) -> Estimate:
    """The mean of `values` minus `others`, seed by seed."""
    return estimate(paired(values, others))


def correlation(x: Values, y: Values) -> Estimate:
    """Pearson's r over seeds, with Fisher's 95 % interval.

    A few seeds can owe their r to one of them, so the interval is stretched over those that remain when any one seed
    is left out (NaN with fewer than five).  Pairs of which one is not defined are left out; r is NaN with fewer than
    three, or where one side does not vary.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    both = np.isfinite(x) & np.isfinite(y)
    x, y, n, missing = x[both], y[both], int(both.sum()), int((~both).sum())
    if n < 3 or _still(x) or _still(y):
        return Estimate(np.nan, np.nan, np.nan, np.nan, n, missing)
    r = _pearson(x, y)
    spans = [_fisher(r, n), *(_fisher(_pearson(np.delete(x, k), np.delete(y, k)), n - 1) for k in range(n))]
    low, high = (float(f(s)) for f, s in zip((np.min, np.max), np.array(spans).T, strict=True))
    return Estimate(r, r, low, high, n, missing)


def _pearson(x: np.ndarray, y: np.ndarray) -> float:
    return np.nan if _still(x) or _still(y) else float(np.clip(np.corrcoef(x, y)[0, 1], -1, 1))


def _fisher(r: float, n: int) -> tuple[float, float]:
    """Fisher's interval of a correlation over n pairs; NaN with fewer than four."""
    if n < 4 or math.isnan(r):
        return np.nan, np.nan
    if abs(r) == 1:
        return r, r
    from scipy import special

    reach = special.ndtri((1 + LEVEL) / 2) / math.sqrt(n - 3)
    return math.tanh(math.atanh(r) - reach), math.tanh(math.atanh(r) + reach)


def _still(values: np.ndarray) -> bool:
    """Whether values are all the same, up to the rounding of numbers of their size."""
    return bool(np.ptp(values) <= DUST * np.abs(values).max())


@dataclasses.dataclass(frozen=True)
class Test:
    """A paired t-test: the estimate that a claim about the same pair is judged by, its t and p, p corrected for all
    tests of a page (Holm), and Cohen's d_z, the mean difference in standard deviations of the differences."""

    __test__ = False  # no test of pytest's

    estimate: Estimate
    t: float
    p: float
    corrected: float
    d: float


def ttest(values: Values, others: Values) -> Test:
    """Of `values` against `others`, seed by seed; t, p and d are NaN with fewer than two pairs or where none varies."""
    found = difference(values, others)
    gaps = paired(values, others)
    gaps = gaps[~np.isnan(gaps)]
    if len(gaps) < 2 or not np.isfinite(gaps).all() or _still(gaps):
        return Test(found, *[np.nan] * 4)
    from scipy import special

    d = float(gaps.mean() / gaps.std(ddof=1))
    t = d * math.sqrt(len(gaps))
    p = float(2 * special.stdtr(len(gaps) - 1, -abs(t)))
    return Test(found, t, p, p, d)


def corrected(tests: Sequence[Test]) -> list[Test]:
    """The same tests, with p corrected for making them all."""
    together = holm([one.p for one in tests])
    return [dataclasses.replace(one, corrected=float(p)) for one, p in zip(tests, together, strict=True)]


def holm(p: Values) -> np.ndarray:
    """Holm's step-down correction of p-values; what is not defined is left out."""
    p = np.asarray(p, float)
    out, known = np.full(p.shape, np.nan), np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known])]
    steps = p[order] * (len(order) - np.arange(len(order)))
    out[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return out
