"""What consumers want: families of utilities with their demand, and what is known of each by its formula.

`value` and `gradient` say what a utility is; `demand` is a solver's closed formula, which the verifier never calls.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import ClassVar

import numpy as np

from nomoi.errors import Refusal
from nomoi.markets.nest import Amounts, Nest, positive

TINY = 1e-300


@dataclasses.dataclass(frozen=True, eq=False)
class Utility:
    """Over bundles of `goods` goods, each at least `least`.

    concave      the gradient is that of a concave function with the same indifference curves
    satiable     somewhere nothing more is wanted (a bliss point): against assumption III.b
    homothetic   `value` is of degree one, so that spending shares do not depend on income
    substitutes  gross substitutes by formula: a dearer good never makes less of another wanted
    many         demand may be a set, of which `demand` gives one point
    """

    goods: int

    family: ClassVar[str] = ""
    concave: ClassVar[bool] = True
    satiable: ClassVar[bool] = False
    many: ClassVar[bool] = False

    @property
    def homothetic(self) -> bool:
        return False

    @property
    def substitutes(self) -> bool:
        return False

    @property
    def least(self) -> np.ndarray:
        """[goods] the lower bounds of the consumption set."""
        return np.zeros(self.goods)

    @property
    def wanted(self) -> np.ndarray:
        """[goods] of which goods more is better, at least somewhere."""
        return np.ones(self.goods, bool)

    def value(self, x: np.ndarray) -> Amounts:
        """Utility [...] of bundles [..., goods]."""
        raise NotImplementedError

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """[goods] at one bundle: of a concave function with the same indifference curves, up to a factor above 0."""
        raise NotImplementedError

    def demand(self, p: np.ndarray, m: Amounts) -> np.ndarray:
        """The best bundles [..., goods] at prices [..., goods] and incomes [...]."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True, eq=False)
class Ces(Utility):
    """Cobb-Douglas (an elasticity of 1), CES and nested CES; see `Nest` for the two conventions of its numbers."""

    nest: Nest
    family: ClassVar[str] = "ces"

    @property
    def concave(self) -> bool:  # type: ignore[override]
        return _all(self.nest, lambda n: n.sigma > 0)

    @property
    def homothetic(self) -> bool:
        return self.concave

    @property
    def flat(self) -> bool:
        """Whether it has one level."""
        return not any(isinstance(part, Nest) for part in self.nest.parts)

    @property
    def substitutes(self) -> bool:
        """True with elasticities of 1 or more on one level, or where each inner one is at least the outer one."""
        return self.concave and _substitutes(self.nest, 1.0)

    @property
    def cobb_douglas(self) -> bool:
        return self.flat and self.nest.unit

    @property
    def wanted(self) -> np.ndarray:
        return self.nest.used

    def value(self, x: np.ndarray) -> Amounts:
        return self.nest.value(np.maximum(x, 0.0))

    def gradient(self, x: np.ndarray) -> np.ndarray:
        if self.cobb_douglas:  # of the logarithm, which is concave too and never 0 times infinite
            a = self.pull
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.where(a > 0, a / np.maximum(x, 0.0), 0.0)
        return self.nest.gradient(np.maximum(x, 0.0))

    def demand(self, p: np.ndarray, m: Amounts) -> np.ndarray:
        if self.flat:
            return ces(self.pull[None], np.array([self.nest.sigma]), p, m[..., None])[..., 0, :]
        return (m / self.nest.cost(p))[..., None] * self.nest.bundle(p)

    @property
    def pull(self) -> np.ndarray:
        """[goods] with which the demand of a nest of one level goes (see `Nest.pull`)."""
        out = np.zeros(self.goods)
        np.add.at(out, list(self.nest.parts), self.nest.pull)
        return out


def ces(pull: np.ndarray, sigma: np.ndarray, p: np.ndarray, m: Amounts) -> np.ndarray:
    """What n consumers with CES utilities buy [..., n, goods]: m b_k p_k^-sigma / sum of b_j p_j^(1 - sigma).

    pull [n, goods], sigma [n], prices p [..., goods], incomes m [..., n].  In logarithms, against overflow.
    """
    logs = np.log(np.maximum(p, TINY))[..., None, :]
    with np.errstate(divide="ignore"):
        spent = np.log(pull) + (1 - sigma)[:, None] * logs
    spent = np.exp(spent - spent.max(-1, keepdims=True))
    with np.errstate(over="ignore"):
        return m[..., None] * spent / spent.sum(-1, keepdims=True) * np.exp(-logs)


def _all(nest: Nest, holds: Callable[[Nest], bool]) -> bool:
    return holds(nest) and all(_all(part, holds) for part in nest.parts if isinstance(part, Nest))


def _substitutes(nest: Nest, outer: float) -> bool:
    return nest.sigma >= outer - 1e-12 and all(_substitutes(p, nest.sigma) for p in nest.parts if isinstance(p, Nest))


@dataclasses.dataclass(frozen=True, eq=False)
class Leontief(Utility):
    """min of x_k / needs_k over the goods that are needed: they are used in fixed proportions."""

    needs: np.ndarray
    family: ClassVar[str] = "leontief"

    @property
    def homothetic(self) -> bool:
        return True

    @property
    def wanted(self) -> np.ndarray:
        return self.needs > 0

    def value(self, x: np.ndarray) -> Amounts:
        some = self.needs > 0
        return (x[..., some] / self.needs[some]).min(-1)

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """One of many where several goods bind: of the scarcest."""
        some = np.flatnonzero(self.needs > 0)
        out = np.zeros(self.goods)
        k = some[np.argmin(x[some] / self.needs[some])]
        out[k] = 1 / self.needs[k]
        return out

    def demand(self, p: np.ndarray, m: Amounts) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return (m / (p @ self.needs))[..., None] * self.needs


@dataclasses.dataclass(frozen=True, eq=False)
class Linear(Utility):
    """sum of worth_k x_k: goods replace one another at fixed rates, and all income goes to the best ones."""

    worth: np.ndarray
    family: ClassVar[str] = "linear"
    many: ClassVar[bool] = True

    @property
    def homothetic(self) -> bool:
        return True

    @property
    def wanted(self) -> np.ndarray:
        return self.worth > 0

    def value(self, x: np.ndarray) -> Amounts:
        return x @ self.worth

    def gradient(self, x: np.ndarray) -> np.ndarray:
        return self.worth

    def demand(self, p: np.ndarray, m: Amounts) -> np.ndarray:
        """All income on one of the best goods."""
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(self.worth > 0, self.worth / p, 0.0)
            best = np.arange(self.goods) == rate.argmax(-1)[..., None]
            return np.where(best, m[..., None] / p, 0.0)


@dataclasses.dataclass(frozen=True, eq=False)
class StoneGeary(Utility):
    """Cobb-Douglas in what is had beyond a least amount of each good, without which nobody lives."""

    shares: np.ndarray
    needs: np.ndarray
    family: ClassVar[str] = "stone_geary"

    @property
    def least(self) -> np.ndarray:
        return self.needs

    @property
    def wanted(self) -> np.ndarray:
        return self.shares > 0

    def value(self, x: np.ndarray) -> Amounts:
        some = self.shares > 0
        beyond = np.maximum(x - self.needs, 0.0)[..., some]
        return np.prod(np.power(beyond, self.shares[some]), -1)

    def gradient(self, x: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.shares > 0, self.shares / np.maximum(x - self.needs, 0.0), 0.0)

    def demand(self, p: np.ndarray, m: Amounts) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            spent = self.shares * (m - p @ self.needs)[..., None] / p
        return self.needs + np.where(self.shares > 0, spent, 0.0)


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
        bought = self._at(rate * np.exp(factor)[..., None])
        out = np.zeros(p.shape)
        out[..., k] = bought
        with np.errstate(divide="ignore", invalid="ignore"):
            left = (m - (p[..., k] * bought).sum(-1)) / p[..., self.money]
        out[..., self.money] = np.where(poor, 0.0, left)
        return out


@dataclasses.dataclass(frozen=True, eq=False)
class Bliss(Utility):
    """Falls with the distance from a best bundle, weighted by good: enough is enough, against assumption III.b."""

    best: np.ndarray
    weights: np.ndarray
    family: ClassVar[str] = "bliss"
    satiable: ClassVar[bool] = True

    def value(self, x: np.ndarray) -> Amounts:
        return -(self.weights * (x - self.best) ** 2).sum(-1)

    def gradient(self, x: np.ndarray) -> np.ndarray:
        return -2 * self.weights * (x - self.best)


@dataclasses.dataclass(frozen=True, eq=False)
class Concave(Utility):
    """Any function of a bundle [goods] that one says to be concave and increasing (from Python alone)."""

    function: Callable[[np.ndarray], float]
    slope: Callable[[np.ndarray], np.ndarray] | None = None
    family: ClassVar[str] = "concave"

    def value(self, x: np.ndarray) -> Amounts:
        x = np.asarray(x, float)
        flat = np.array([self.function(row) for row in x.reshape(-1, self.goods)])
        return flat.reshape(x.shape[:-1])

    def gradient(self, x: np.ndarray) -> np.ndarray:
        if self.slope is not None:
            return np.asarray(self.slope(x), float)
        step = 1e-5 * np.maximum(np.abs(x), 1e-3)
        ends = [
            [float(self.function(x + s * step[k] * np.eye(self.goods)[k])) for s in (-1, 1)] for k in range(self.goods)
        ]
        return np.array([(high - low) / (2 * h) for (low, high), h in zip(ends, step, strict=True)])

    def demand(self, p: np.ndarray, m: Amounts) -> np.ndarray:
        from scipy.optimize import minimize

        out = []
        for price, income in zip(p.reshape(-1, self.goods), np.ravel(m), strict=True):
            # in shares of income, so that units do not matter
            per = income / np.maximum(price, TINY)
            best = minimize(
                lambda s, per=per: -float(self.function(s * per)),
                np.full(self.goods, 1 / self.goods),
                jac=lambda s, per=per: -self.gradient(s * per) * per,
                bounds=[(1e-12, 1)] * self.goods,
                constraints={"type": "eq", "fun": lambda s: s.sum() - 1, "jac": np.ones_like},
                method="SLSQP",
                options={"ftol": 1e-15, "maxiter": 500},
            )
            out.append(best.x * per)
        return np.array(out).reshape(p.shape)


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
