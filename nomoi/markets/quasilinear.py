"""Utilities in which one good is money: it is worth the same however much one has, and what is left is spent on it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

import numpy as np

from nomoi.errors import Refusal
from nomoi.markets.nest import Amounts, positive
from nomoi.markets.utilities import TINY, Utility


@dataclasses.dataclass(frozen=True, eq=False)
class QuasiLinear(Utility):
    """x_n + sum of worth_k x_k^power_k / power_k over the other goods; a power of 0 is a logarithm.

    With `bend` above 0 a good is worth worth_k x_k - bend_k x_k^2 / 2 instead, and enough of it is enough.  What is
    left of income goes to good n; who has too little for that buys none of it.
    """

    money: int
    worth: np.ndarray
    power: np.ndarray
    bend: np.ndarray
    family: ClassVar[str] = "quasi_linear"

    @property
    def wanted(self) -> np.ndarray:
        return (self.worth > 0) | (np.arange(self.goods) == self.money)

    @property
    def enough(self) -> np.ndarray:
        top = np.divide(self.worth, self.bend, out=np.full(self.goods, np.inf), where=self.bend > 0)
        return np.where(np.arange(self.goods) == self.money, np.inf, top)

    @cached_property
    def others(self) -> np.ndarray:
        """Which goods are wanted beside money."""
        return np.flatnonzero((self.worth > 0) & (np.arange(self.goods) != self.money))

    def value(self, x: np.ndarray) -> Amounts:
        k = self.others
        x_, a, r, b = x[..., k], self.worth[k], self.power[k], self.bend[k]
        with np.errstate(divide="ignore", invalid="ignore"):
            raised = np.where(r == 0, np.log(x_), np.power(x_, r) / np.where(r == 0, 1.0, r))
            # beyond the top of the parabola more is worth nothing, as with free disposal
            top = np.minimum(x_, a / np.where(b > 0, b, 1.0))
            each = np.where(b > 0, a * top - b * top**2 / 2, a * raised)
        return x[..., self.money] + each.sum(-1)

    def gradient(self, x: np.ndarray) -> np.ndarray:
        out = np.zeros(self.goods)
        k = self.others
        with np.errstate(divide="ignore"):
            rise = self.worth[k] * np.power(np.maximum(x[k], 0.0), self.power[k] - 1)
        out[k] = np.where(self.bend[k] > 0, np.maximum(self.worth[k] - self.bend[k] * x[k], 0.0), rise)
        out[self.money] = 1.0
        return out

    def _at(self, rate: np.ndarray) -> np.ndarray:
        """[..., others] what is bought of the other goods where a unit more of each must be worth `rate`."""
        k = self.others
        a, r, b = self.worth[k], self.power[k], self.bend[k]
        with np.errstate(divide="ignore", over="ignore"):
            curved = np.power(a / np.maximum(rate, TINY), 1 / (1 - r))
        return np.where(b > 0, np.maximum(a - rate, 0.0) / np.where(b > 0, b, 1.0), curved)

    def _dear(self, p: np.ndarray, rate: np.ndarray, m: np.ndarray) -> np.ndarray:
        """[poor] logarithms of the factor at which all income m goes to the other goods, at prices p [poor, others]."""
        k = self.others
        if not self.bend[k].any():  # the logarithm of spending is convex in that of the factor: Newton never overshoots
            out = np.zeros(len(m))
            with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
                for _ in range(60):
                    spent = p * self._at(rate * np.exp(out)[:, None])
                    total = spent.sum(1)
                    step = np.log(total / m) * total / (spent / (1 - self.power[k])).sum(1)
                    out = out + np.where(np.isfinite(step), step, 0.0)
                    if (
                        np.abs(step[np.isfinite(step)]).max(initial=0.0) < 1e-9
                    ):  # the step after this one would be below rounding
                        break
            return out
        low, high = np.zeros(len(m)), np.full(len(m), 100.0)
        for _ in range(60):
            middle = (low + high) / 2
            dear = (p * self._at(rate * np.exp(middle)[:, None])).sum(1) > m
            low, high = np.where(dear, middle, low), np.where(dear, high, middle)
        return high

    def demand(self, p: np.ndarray, m: Amounts) -> np.ndarray:
        k = self.others
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            rate = p[..., k] / np.maximum(p[..., self.money, None], TINY)
        # who cannot pay for that values money more, by a factor of which this is the logarithm
        poor = (p[..., k] * self._at(rate)).sum(-1) > m
        factor = np.zeros(m.shape)
        if poor.any():
            factor[poor] = self._dear(p[..., k][poor], rate[poor], np.asarray(m)[poor])
        bought = np.where(np.asarray(m)[..., None] > 0, self._at(rate * np.exp(factor)[..., None]), 0.0)
        out = np.zeros(p.shape)
        out[..., k] = bought
        with np.errstate(divide="ignore", invalid="ignore"):
            left = (m - (p[..., k] * bought).sum(-1)) / p[..., self.money]
        out[..., self.money] = np.where(poor, 0.0, left)
        return out


def quasi_linear(
    goods: int,
    money: int,
    worth: Sequence[float],
    power: Sequence[float] | float = 0.0,
    bend: Sequence[float] | float = 0.0,
    where: str = "a quasi-linear utility",
) -> QuasiLinear:
    """A quasi-linear utility, checked; numbers stand for all goods, lists for each."""
    spread = lambda x: np.broadcast_to(np.asarray(x, np.float64), (goods,)).copy()  # noqa: E731
    worth_ = positive(worth, f"the worth of goods to {where}")
    powers, bends = spread(power), spread(bend)
    if (powers >= 1).any() or (bends < 0).any():
        raise Refusal(
            f"{where} has powers {powers.tolist()} and bends {bends.tolist()}; it is concave (assumption "
            "III.c) with powers below 1 and bends of 0 or more."
        )
    return QuasiLinear(goods, money, worth_, powers, bends)
