"""Claims: published statements, and the verdicts that records give on them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping

import numpy as np

from nomoi.measure.statistics import Estimate, estimate, number
from nomoi.store import Record

HOLDS, FAILS, INCONCLUSIVE, UNTESTED = "holds", "fails", "inconclusive", "not tested at this size"


@dataclasses.dataclass(frozen=True)
class Results:
    """Records by condition, in the order of the seeds."""

    records: Mapping[str, tuple[Record, ...]]

    def late(self, label: str, measure: str) -> np.ndarray:
        """[seeds] over the last eighth of training."""
        return np.array([r.late().get(measure, np.nan) for r in self.records[label]])

    def measures(self, label: str) -> list[str]:
        """The measures that a condition has."""
        return list(self.records[label][0].curve())

    def curve(self, label: str, measure: str) -> tuple[np.ndarray, np.ndarray]:
        """steps [K], values [seeds, K]."""
        drawn = [r.curve()[measure] for r in self.records[label]]
        return drawn[0][0], np.stack([v for _, v in drawn])

    def bins(self, label: str, measure: str, count: int = 10) -> np.ndarray:
        """[seeds, count] means over equal parts of training."""
        _, values = self.curve(label, measure)
        return np.stack([_mean(part) for part in np.array_split(values, count, axis=1)], 1)


def _mean(values: np.ndarray) -> np.ndarray:
    """[seeds] means over the second axis, NaN where nothing is defined."""
    there = np.isfinite(values)
    return np.where(there.any(1), np.where(there, values, 0).sum(1) / np.maximum(there.sum(1), 1), np.nan)


@dataclasses.dataclass(frozen=True)
class Claim:
    """One statement with its source.

    effect      seed by seed, from the results: [seeds]; or an Estimate of its own, such as a correlation over seeds
    published   the published value in words; empty where there is none (recalled values are not published)
    above, below, near   what the mean effect must be: above a bound, below it, or within `tolerance` of a value
    """

    text: str
    source: str
    effect: Callable[[Results], np.ndarray | Estimate]
    published: str = ""
    above: float | None = None
    below: float | None = None
    near: float | None = None
    tolerance: float = 0.0
    unit: str = ""

    def judge(self, results: Results, size: str) -> Verdict:
        effect = self.effect(results)
        found = effect if isinstance(effect, Estimate) else estimate(effect)
        if size == "smoke" or found.n < 2:
            return Verdict(self, UNTESTED, found)
        low, high = self._bounds()
        if found.low > low and found.high < high:
            return Verdict(self, HOLDS, found)
        if found.high <= low or found.low >= high:
            return Verdict(self, FAILS, found)
        return Verdict(self, INCONCLUSIVE, found)

    def _bounds(self) -> tuple[float, float]:
        if self.near is not None:
            return self.near - self.tolerance, self.near + self.tolerance
        return (
            -math.inf if self.above is None else self.above,
            math.inf if self.below is None else self.below,
        )


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A claim, what was found, and whether the whole interval lies where the claim says."""

    claim: Claim
    verdict: str
    estimate: Estimate

    def found(self) -> str:
        e = self.estimate
        return f"{number(e.mean)} {e.interval()} {self.claim.unit}".strip() + f" (n = {e.n})"
