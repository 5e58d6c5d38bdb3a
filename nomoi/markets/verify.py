"""Is it a competitive equilibrium?  The four conditions of Arrow & Debreu (1954), checked without any solver of ours.

The verifier reads what utilities and technologies *are* (value, gradient, processes), never the demand and supply
formulas that solvers use.  That nobody could buy better is shown by a supporting plane: for a concave function u all
that is better than x costs at least grad u(x) . x / lambda, where lambda = max grad_k / p_k, so that the part of an
income
beyond that is the most that may have been wasted.  In equilibrium it is 0; the bound is a proof, not a search.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import numpy as np
from scipy.optimize import linprog, minimize

from nomoi.errors import Refusal
from nomoi.markets.economy import Economy
from nomoi.markets.nest import Nest
from nomoi.markets.technologies import Activities, Fixed, Smooth, Technology
from nomoi.markets.utilities import Leontief, Utility

CERTAIN = 1e-6  # how large a share of what is at stake may be wrong in a certified equilibrium (ours)


@dataclasses.dataclass(frozen=True, eq=False)
class Certificate:
    """What was checked, in shares of what is at stake: income, turnover, the amount of a good that there is.

    point     prices [goods] scaled to sum to one, allocation [consumers, goods], netputs [producers, goods]
    payoffs   [consumers] utility
    gain      the largest share that anybody could gain by another choice, or that does not add up
    proved    whether every bound is a proof; where a utility is not known to be concave, better bundles were searched
    parts     each residual by its name
    scale     what the prices summed to before
    """

    point: tuple[np.ndarray, np.ndarray, np.ndarray]
    payoffs: np.ndarray
    gain: float
    proved: bool
    parts: Mapping[str, float]
    scale: float

    @property
    def holds(self) -> bool:
        """Whether all residuals are small: it is an equilibrium."""
        return bool(self.gain <= CERTAIN)  # NaN is not

    def data(self) -> dict[str, object]:
        return {"holds": self.holds, "gain": self.gain, "proved": self.proved, **self.parts}


def verify(
    economy: Economy,
    prices: np.ndarray,
    allocation: np.ndarray,
    production: np.ndarray | None = None,
    transfers: np.ndarray | None = None,
) -> Certificate:
    """The certificate of prices [goods], allocation [consumers, goods] and netputs [producers, goods].

    `transfers` [consumers] are added to incomes, in units of prices that sum to one; they must sum to 0.

    Raises a `Refusal` where shapes are wrong; what is no equilibrium gets a certificate that does not hold.
    """
    n, L, j = len(economy.consumers), economy.l, len(economy.producers)
    p, x = np.asarray(prices, float), np.asarray(allocation, float)
    y = np.zeros((j, L)) if production is None else np.asarray(production, float)
    if p.shape != (L,) or x.shape != (n, L) or y.shape != (j, L):
        raise Refusal(
            f"prices {p.shape}, allocation {x.shape} and production {y.shape} do not fit {economy.title}, "
            f"which has {L} goods, {n} consumers, {j} producers."
        )
    scale = float(p.sum())
    if not (np.isfinite(p).all() and np.isfinite(x).all() and np.isfinite(y).all()) or not scale > 0:
        return Certificate((p, x, y), np.full(n, np.nan), np.inf, True, {"numbers": np.inf}, scale)
    p = p / scale
    owned, out = economy.supply, np.maximum(y, 0.0).sum(0)
    # what there is of a good; of one that there is not, as much as of the others
    there = np.where(owned + out > 0, owned + out, economy.scale)
    turnover = float(np.abs(p) @ there)
    profits = y @ p
    incomes = economy.endowments @ p + economy.shares @ profits
    if transfers is not None:
        incomes = incomes + np.asarray(transfers, float)
    over = x.sum(0) - owned - y.sum(0)
    checks = [_wasted(c.utility, p, x[i], float(incomes[i])) for i, c in enumerate(economy.consumers)]
    firms = [_unearned(q.technology, p, y[k], turnover) for k, q in enumerate(economy.producers)]
    costs = x @ np.abs(p)
    parts = {
        "utility": _worst(w for w, _ in checks),
        "budget": float(
            np.max(np.abs(x @ p - incomes) / np.maximum(np.maximum(np.abs(incomes), costs), 1e-9 * turnover))
        ),
        "consumption set": float(
            max(np.max((c.utility.least - x[i]) / there) for i, c in enumerate(economy.consumers))
        ),
        "profit": _worst(lost for lost, _ in firms),
        "production set": _worst(far for _, far in firms),
        "prices": float(max(np.max(-p * there) / turnover, 0.0)),
        "clearing": float(max(np.max(over / there), 0.0)),
        "free goods": float(np.max(np.abs(p * over)) / turnover),
    }
    if transfers is not None:
        parts["transfers"] = abs(float(np.sum(transfers))) / turnover
    parts = {name: max(float(v), 0.0) for name, v in parts.items()}
    # the proof's own step: a budget that is not used up is a waste, which the bound on utility already counts
    proved = all(sure for _, sure in checks)
    utilities = np.array([float(c.utility.value(x[i])) for i, c in enumerate(economy.consumers)])
    return Certificate((p, x, y), utilities, _worst(parts.values()), proved, parts, scale)


def _worst(residuals: Iterable[float]) -> float:
    """The largest; not a number where one is none, which `max` would pass over."""
    return float(np.max(list(residuals), initial=0.0))


def _wasted(utility: Utility, p: np.ndarray, x: np.ndarray, income: float) -> tuple[float, bool]:
    """The share of an income without which something as good as x could be had; and whether that is proved."""
    beyond, spare = x - utility.least, income - float(p @ utility.least)
    if spare <= 1e-12 * max(float(np.abs(p) @ np.abs(x)), abs(income), 1e-300):
        # nothing to choose with: a good that costs nothing and is wanted would still be taken without end
        free = (p <= 0) & utility.wanted
        return (np.inf if free.any() and not isinstance(utility, Leontief) else 0.0), True
    if isinstance(utility, Leontief):
        return 1 - float(utility.value(x)) * float(p @ utility.needs) / income, True
    if not utility.concave or utility.satiable:
        return _searched(utility, p, x, income), False
    slope = utility.gradient(x)
    if np.isnan(slope).any():
        return np.inf, True
    slope = slope / (np.max(slope[np.isfinite(slope)], initial=0.0) or 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(slope > 0, slope / np.maximum(p, 0.0), 0.0)
    best = float(rate.max())
    if best <= 0 or not np.isfinite(best):
        return (np.inf if best > 0 else 1.0), True
    return 1 - float(slope @ beyond) / (best * spare), utility.family != "concave"


def _searched(utility: Utility, p: np.ndarray, x: np.ndarray, income: float) -> float:
    """The most gain in utility that is found by search over the budget, as a share of what utility varies by."""
    least = utility.least
    if (p <= 0).any():
        return np.inf
    corners = least + np.diag((income - p @ least) / p)
    mixed = np.random.default_rng(0).dirichlet(np.ones(len(p)), 64) @ corners
    tried = np.concatenate([corners, mixed, mixed * 0.5, x[None]])
    values = utility.value(tried)
    start, have = tried[np.argmax(values)], float(utility.value(x))
    found = minimize(
        lambda z: -float(utility.value(z)),
        start,
        bounds=[(a, None) for a in least],
        method="SLSQP",
        constraints={"type": "ineq", "fun": lambda z: income - p @ z},
    )
    best = max(float(values.max()), -float(found.fun) if p @ found.x <= income * (1 + 1e-9) else -np.inf)
    return max(best - have, 0.0) / max(float(np.ptp(values)), abs(best), 1e-300)


def _unearned(technology: Technology, p: np.ndarray, y: np.ndarray, turnover: float) -> tuple[float, float]:
    """What more could be earned than by y, and how far y is from what is possible; in shares of turnover or output."""
    if isinstance(technology, Activities):
        each = p @ technology.matrix  # profit of one unit of each process
        size = np.abs(p) @ np.abs(technology.matrix)
        most = float(np.max(each / np.maximum(size, 1e-300), initial=0.0))
        return max(most, abs(float(p @ y)) / turnover), _apart(technology.matrix, y)
    if isinstance(technology, Fixed):
        inputs, made = max(-y[technology.input], 0.0), max(y[technology.output], 0.0)
        need = (technology.fixed + technology.marginal * made) if made > 0 else 0.0
        margin = p[technology.output] - technology.marginal * p[technology.input]
        return (np.inf if margin > 1e-12 else max(-float(p @ y), 0.0) / turnover), max(need - inputs, 0.0) / max(
            need, 1
        )
    assert isinstance(technology, Smooth)
    return _smooth(technology, p, y, turnover)


def _apart(matrix: np.ndarray, y: np.ndarray) -> float:
    """How far y is from a sum of processes at levels of 0 or more, less what is thrown away: a linear program."""
    size = float(np.abs(y).max())
    if size == 0:
        return 0.0
    scale = np.maximum(np.abs(y), 1e-9 * size)
    L, count = matrix.shape
    # A s >= y - t scale with the least t
    lp = linprog(
        np.r_[np.zeros(count), 1.0],
        A_ub=np.c_[-matrix / scale[:, None], -np.ones(L)],
        b_ub=-y / scale,
        bounds=[(0, None)] * (count + 1),
        method="highs",
    )
    return float(lp.fun) if lp.status == 0 else np.inf


def _smooth(technology: Smooth, p: np.ndarray, y: np.ndarray, turnover: float) -> tuple[float, float]:
    """A concave production function: marginal products that equal prices are enough for the largest profit."""
    if not technology.convex:
        return np.inf, 0.0  # with increasing returns more is always better, or nothing is
    out = technology.output
    inputs = -y.copy()
    inputs[out] = 0.0
    used = technology.nest.used.copy()
    if used[out]:
        return np.inf, np.inf
    amount, wrong = y[out], max(float(np.max(-inputs)), 0.0)
    possible = technology.made(np.maximum(inputs, 0.0))
    short = max(amount - possible, 0.0) / max(amount, possible, 1e-300) + wrong / max(float(np.abs(y).max()), 1e-300)
    if np.abs(y).max() * float(np.abs(p).max()) <= 1e-12 * turnover:  # it stands still
        worth, cost = p[out] * technology.scale, _cheapest(technology.nest, p)  # of what one unit of all inputs makes
        if technology.returns < 1:  # it could earn the most of worth s^r - cost s, in shares of turnover
            with np.errstate(divide="ignore", over="ignore"):
                best = (
                    (1 - technology.returns)
                    * worth
                    * np.power(
                        technology.returns * worth / np.float64(cost), technology.returns / (1 - technology.returns)
                    )
                )
            return (float(best) / turnover if worth > 0 else 0.0), short
        return max(worth - cost, 0.0) / max(worth, 1e-300), short
    slope = technology.nest.gradient(np.maximum(inputs, 0.0))
    f = float(technology.nest.value(np.maximum(inputs, 0.0)))
    if f <= 0:
        return np.inf, short  # something is made, or paid for, and nothing comes of it
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        product = p[out] * technology.scale * technology.returns * f ** (technology.returns - 1) * slope
        gap = np.where(inputs > 0, np.abs(product - p), np.maximum(product - p, 0.0))[used]
    revenue = max(abs(p[out] * amount), 1e-300)
    some = inputs[used] > 0  # of what is not used the gap may be without end, and nothing of it is lost so far
    lost = float(gap[some] @ inputs[used][some] / revenue) + float(np.max(gap[~some], initial=0.0))
    # with constant returns nothing may be left over
    idle = abs(float(p @ y)) / revenue if technology.returns == 1 else max(possible - amount, 0.0) / possible
    return max(lost, idle), short


def _cheapest(nest: Nest, p: np.ndarray) -> float:
    """The least cost of one unit, by search over the logarithms of inputs (not by the formula of the cost function)."""
    used = np.flatnonzero(nest.used)
    if (p[used] <= 0).any():
        return 0.0

    def cost(logs: np.ndarray) -> float:
        v = np.zeros(nest.goods)
        v[used] = np.exp(logs)
        return float(np.log(p @ v) - np.log(nest.value(v)))

    found = [minimize(cost, s - np.log(p[used]), method="BFGS") for s in (0.0, np.log(p[used]))]
    return float(np.exp(min(f.fun for f in found)))


def rates(economy: Economy, prices: np.ndarray, allocation: np.ndarray) -> list[tuple[str, str, float, float]]:
    """Who, good, marginal rate of substitution against the dearest good, and the price ratio, where both are
    consumed."""
    out = []
    k = int(np.argmax(prices * economy.scale))
    for c, x in zip(economy.consumers, allocation, strict=True):
        inside = x > c.utility.least + 1e-9 * economy.scale
        if isinstance(c.utility, Leontief) or not inside[k]:
            continue
        slope = c.utility.gradient(x)
        for g in np.flatnonzero(inside):
            if g != k and slope[k] > 0:
                out.append((c.name, economy.goods[g], float(slope[g] / slope[k]), float(prices[g] / prices[k])))
    return out
