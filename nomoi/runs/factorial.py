"""A trial that is a full factorial at one place: a number for every combination of factors."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from nomoi.runs.claims import Results
from nomoi.runs.record import Record
from nomoi.runs.trial import Arrays, Trial


@dataclasses.dataclass(frozen=True, eq=False)
class Factorial(Trial):
    """function(key, **settings) -> {measure: [2^k]}, as `nomoi.measure.factorial` orders combinations.

    A seed is a place, at which all combinations are lived.  Trials that differ in `block` alone have other places, so
    that several of them together have more places than the study has seeds.  The record has the tables as arrays, and
    as its measures what came of none of the factors, of all, and of all combinations on average.
    """

    function: Callable[..., Mapping[str, np.ndarray]]  # type: ignore[misc]  # `parent` is for keywords alone
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    block: int = 0

    def make(self, key: Any, parents: Sequence[Record]) -> tuple[Mapping[str, float], Arrays]:
        tables = self.function(jax.random.fold_in(key, self.block), **self.settings)
        of = {"none": lambda x: x[0], "all": lambda x: x[-1], "mean": lambda x: x.mean()}
        rows = {f"{name}, {what}": float(pick(x)) for name, x in tables.items() for what, pick in of.items()}
        return rows, {name: np.asarray(x, np.float32) for name, x in tables.items()}


def tables(results: Results, labels: Sequence[str], measure: str) -> np.ndarray:
    """[2^k, places] of a measure, the places of all these trials side by side."""
    found = []
    for label in labels:
        results.late(label, f"{measure}, mean")  # refuses what is not there, and notes what was asked for
        found += [record.arrays()[measure] for record in results.records[label]]
    return np.stack(found, 1).astype(float)
