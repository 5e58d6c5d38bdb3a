"""Nests: goods gathered by constant elasticities of substitution, level by level; consumers and firms both use them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from nomoi.errors import Refusal

CONVENTIONS = ("weights", "shares")
Amounts = np.ndarray | np.float64  # to NumPy an array without axes is a number
NEAR_ONE = 1e-9  # elasticities this near to 1 are Cobb-Douglas (ours): the powers differ by less than rounding


@dataclasses.dataclass(frozen=True, eq=False)
class Nest:
    """f(x) = (sum of w_k x_k^rho)^(1/rho) with rho = (sigma - 1) / sigma; a part is a good's number or another nest.

    Two conventions are in use, and they are not the same function.  With *weights* a_k the formula has w_k = a_k, and
    demand goes with a_k^sigma p_k^-sigma.  With *shares* s_k it has w_k = s_k^(1/sigma), and demand goes with
    s_k p_k^-sigma, as where a model is calibrated to quantities seen at prices 1 (MPSGE).  Weights w_k are then divided
    by their sum, so that the limit at sigma = 1 is Cobb-Douglas.  No demand notices, but f is (sum of w_k)^(-1/rho)
    times what it would be with weights as they are given; of nests in a nest that is what the outer weights weigh.
    """

    goods: int
    parts: Sequence[int | Nest]
    numbers: np.ndarray
    sigma: float = 1.0
    convention: str = "weights"

    @property
    def unit(self) -> bool:
        return abs(self.sigma - 1) < NEAR_ONE

    @property
    def rho(self) -> float:
        return (self.sigma - 1) / self.sigma

    @property
    def weights(self) -> np.ndarray:
        """[parts] w_k of the formula, summing to one."""
        w = self.numbers if self.convention == "weights" or self.unit else self._scaled(self.numbers, 1 / self.sigma)
        return w / w.sum()

    @property
    def pull(self) -> np.ndarray:
        """[parts] b_k such that the demand for part k goes with b_k p_k^-sigma."""
        if self.unit:
            return self.numbers / self.numbers.sum()
        return self._scaled(self.weights, self.sigma)

    @staticmethod
    def _scaled(numbers: np.ndarray, power: float) -> np.ndarray:
        return np.where(numbers > 0, np.power(np.where(numbers > 0, numbers, 1.0), power), 0.0)

    @property
    def used(self) -> np.ndarray:
        """[goods] which goods matter at all."""
        out = np.zeros(self.goods, bool)
        for part, number in zip(self.parts, self.numbers, strict=True):
            if number > 0:
                out |= part.used if isinstance(part, Nest) else np.arange(self.goods) == part
        return out

    def value(self, x: np.ndarray) -> Amounts:
        """f of bundles [..., goods]: [...]."""
        inner = self._inner(lambda nest: nest.value(x), x)
        return _mean(inner, self.weights, 0.0 if self.unit else self.rho)

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Of f at one bundle [goods]; infinite in what is lacking and cannot be done without."""
        inner, w = self._inner(lambda nest: nest.value(x), x), self.weights
        rho, total = (0.0 if self.unit else self.rho), float(self.value(x))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            outer = np.where(w > 0, w * np.power(inner / total, rho - 1) if total > 0 else np.inf, 0.0)
        out = np.zeros(self.goods)
        for part, slope in zip(self.parts, outer, strict=True):
            if slope > 0 and isinstance(part, Nest):
                out += np.nan_to_num(slope * part.gradient(x), nan=0.0, posinf=np.inf)
            elif slope > 0:
                out[part] += slope
        return out

    def cost(self, p: np.ndarray) -> Amounts:
        """The least that one unit of f costs at prices [..., goods]: [...]."""
        inner = self._inner(lambda nest: nest.cost(p), p)
        b = self.pull
        if self.unit:
            with np.errstate(divide="ignore"):
                parts = np.where(b > 0, b * (np.log(np.where(b > 0, inner, 1.0)) - np.log(np.where(b > 0, b, 1.0))), 0)
            return np.exp(parts.sum(-1))
        with np.errstate(divide="ignore", over="ignore"):
            return _mean(inner, b / b.sum(), 1 - self.sigma) * b.sum() ** (1 / (1 - self.sigma))

    def bundle(self, p: np.ndarray) -> np.ndarray:
        """The cheapest bundle [..., goods] with which f is one, at prices [..., goods] above 0 (Shephard's lemma)."""
        inner = self._inner(lambda nest: nest.cost(p), p)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            each = self.pull * np.power(self.cost(p)[..., None] / inner, self.sigma)
        each = np.where(self.pull > 0, each, 0.0)
        out = np.zeros(p.shape)
        for k, part in enumerate(self.parts):
            if isinstance(part, Nest):
                out = out + each[..., k, None] * part.bundle(p)
            else:
                out[..., part] += each[..., k]
        return out

    def _inner(self, of, x: np.ndarray) -> np.ndarray:
        """[..., parts] the amount (or cost) of each part."""
        return np.stack([of(part) if isinstance(part, Nest) else x[..., part] for part in self.parts], -1)


def _mean(x: np.ndarray, w: np.ndarray, rho: float) -> Amounts:
    """The power mean of x [..., k] of order rho, without overflow; weights w [k] sum to one."""
    there = w > 0
    x, w = x[..., there], w[there]
    with np.errstate(divide="ignore"):
        logs = np.log(x)
    if rho == 0:
        return np.exp((w * logs).sum(-1))
    with np.errstate(invalid="ignore", over="ignore"):
        top = (rho * logs).max(-1, keepdims=True)
        top = np.where(np.isfinite(top), top, 0.0)
        total = (w * np.exp(rho * logs - top)).sum(-1)
        with np.errstate(divide="ignore"):
            out = np.exp((np.log(total) + top[..., 0]) / rho)
    lacking = (x <= 0).any(-1) & (rho < 0)
    return np.where(lacking, 0.0, out)


def nest(
    goods: int,
    numbers: Sequence[float] | np.ndarray,
    where: str,
    sigma: float | None = 1.0,
    rho: float | None = None,
    convention: str = "weights",
    parts: Sequence[int | Nest] | None = None,
) -> Nest:
    """A nest, checked: `where` is what a refusal calls it."""
    if rho is not None:
        if rho == 1:
            raise Refusal(f"{where} has rho 1, which is linear; say family linear.")
        sigma = 1 / (1 - rho)
    numbers_ = positive(numbers, f"the {convention} of {where}")
    parts = list(range(goods)) if parts is None else parts
    if len(numbers_) != len(parts):
        raise Refusal(f"{where} has {len(numbers_)} {convention} for {len(parts)} parts; one for each would be right.")
    if sigma is None or not np.isfinite(sigma) or sigma == 0 or abs(sigma) > 1e4 or 0 < sigma < 1e-4:
        raise Refusal(
            f"{where} has an elasticity of {sigma}, and one from 0.0001 to 10000 would be right; 0 is "
            "leontief, and without end it is linear."
        )
    if convention not in CONVENTIONS:
        raise Refusal(
            f"{where} has the convention {convention!r}; weights (a x^rho, demand with a^sigma) or shares "
            "(demand with s itself) is right."
        )
    return Nest(goods, tuple(parts), numbers_, float(sigma), convention)


def positive(numbers: Sequence[float] | np.ndarray, what: str) -> np.ndarray:
    """[k] numbers of which none is negative and some are above 0."""
    try:
        out = np.asarray(numbers, np.float64)
    except (TypeError, ValueError):
        raise Refusal(f"{what} are {numbers!r}; a list of numbers would be right.") from None
    if out.ndim != 1 or not np.isfinite(out).all() or (out < 0).any() or not (out > 0).any():
        raise Refusal(f"{what} are {out.tolist()}; a list of numbers that are 0 or more, not all 0, would be right.")
    return out
