"""What consumers want: families of utilities with their demand, and what is known of each by its formula.

Those in which one good is money are in `quasilinear`.

`value` and `gradient` say what a utility is; `demand` is a solver's closed formula, which the verifier never calls.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from nomoi.markets.nest import Amounts, Nest

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

    @property
    def enough(self) -> np.ndarray:
        """[goods] amounts beyond which more of one good is worth nothing by itself."""
        return np.full(self.goods, np.inf)

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
    """Cobb-Douglas (an elasticity of 1), CES and nested CES: (sum of w_k x_k^rho)^(1/rho), or the product of x_k^w_k.

    w sums to one: whatever weights or shares are given are divided by their sum (in each nest), which sets the unit of
    utility.  See `Nest` for the two conventions of its numbers.
    """

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
    """Product of (x_k - needs_k)^shares_k: Cobb-Douglas in what is had beyond a least amount, needed to live.

    Shares sum to one; a file's are divided by their sum.
    """

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
