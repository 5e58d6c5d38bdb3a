"""Any convex economy as one system: a price is 0 or its market clears, a process stands still or breaks even.

0 <= p, excess supply >= 0, and one of them 0; 0 <= level, loss >= 0, and one of them 0 (Mathiesen 1985).  Each pair
is written as one equation, phi(a, b) = a + b - sqrt(a^2 + b^2) = 0 (Fischer 1992), and solved by Levenberg and
Marquardt's method from many starts.  Consumers whose demand is a set bring their own amounts and the price of utility
as unknowns.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
from scipy.optimize import OptimizeResult, least_squares

from nomoi.markets.economy import Economy
from nomoi.markets.nest import Nest
from nomoi.markets.utilities import Ces, Linear

LEAST = 1e-13  # prices below this share are counted as this, so that demand stays a number (ours)
LARGEST = 400  # unknowns that are solved for (ours): a start then takes seconds
NEARLY = (3.0, 10.0, 30.0, 100.0)  # elasticities on the way to goods that replace one another (ours)
PATIENT = 12  # starts between two that take the longer way (ours)
SOLVED = 1e-9  # the largest residual of a point that is worth completing (ours)


class System:
    """Residuals of all conditions; unknowns are values of goods (prices x scale), levels, and what linear consumers
    do."""

    def __init__(self, economy: Economy):
        self.economy, self.scale = economy, economy.scale
        self.linear = [i for i, c in enumerate(economy.consumers) if isinstance(c.utility, Linear)]
        self.worth = np.array([economy.consumers[i].utility.worth for i in self.linear]).reshape(-1, economy.l)  # type: ignore
        self.worth = self.worth * self.scale
        self.worth = self.worth / self.worth.max(1, keepdims=True, initial=1e-300)
        self.count = economy.processes(1 / self.scale).shape[1]
        sample = economy.processes(1 / self.scale) / self.scale[:, None]
        self.unit = np.maximum(np.abs(sample).max(0, initial=0.0), 1e-300)  # size of one unit of each process

    def start(self, rng: np.random.Generator) -> np.ndarray:
        L, n = self.economy.l, len(self.linear)
        q = rng.dirichlet(np.ones(L)) * 0.9 + 0.1 / L
        return np.r_[q, 0.3 * rng.random(self.count), rng.random(n * L) / max(n, 1), rng.random(n)]

    def prices(self, v: np.ndarray) -> np.ndarray:
        return np.maximum(v[..., : self.economy.l], 0.0) / self.scale

    def residual(self, v: np.ndarray) -> np.ndarray:
        """[..., equations] at [..., unknowns]."""
        L, n = self.economy.l, len(self.linear)
        q, y = v[..., :L], v[..., L : L + self.count]
        p = np.maximum(q, LEAST) / self.scale
        units = self.economy.processes(p) / self.unit
        with np.errstate(over="ignore", invalid="ignore"):
            demand = self.economy.demands(p)
        x = v[..., L + self.count : L + self.count + n * L].reshape(*v.shape[:-1], n, L)
        demand[..., self.linear, :] = np.maximum(x, 0.0) * self.scale
        firms = sum((f.technology.supply(p) for f in self.economy.producers), np.zeros(p.shape))
        spare = self.economy.supply + firms + (units @ np.maximum(y, 0.0)[..., None])[..., 0] - demand.sum(-2)
        loss = -(p[..., None, :] @ units)[..., 0, :] / (p @ self.scale)[..., None]
        parts = [_either(q, spare / self.scale), _either(y, loss), q.sum(-1, keepdims=True) - 1]
        if n:
            mu = v[..., L + self.count + n * L :]
            m = self.economy.incomes(p)[..., self.linear]
            parts += [
                _either(x, q[..., None, :] - mu[..., None] * self.worth).reshape(*v.shape[:-1], n * L),
                (x * q[..., None, :]).sum(-1) - m,
            ]
        return np.nan_to_num(np.concatenate(parts, -1), nan=1e6, posinf=1e6, neginf=-1e6)

    def slopes(self, v: np.ndarray) -> np.ndarray:
        """[equations, unknowns] by central differences, all in one evaluation."""
        step = 1e-6 * np.maximum(np.abs(v), 1e-5)
        both = self.residual(np.concatenate([v + np.diag(step), v - np.diag(step)]))
        return ((both[: len(v)] - both[len(v) :]) / (2 * step[:, None])).T


def _either(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """0 where both are 0 or more and one of them is 0."""
    return a + b - np.hypot(a, b)


def _solved(system: System, start: np.ndarray) -> OptimizeResult:
    close = dict.fromkeys(("xtol", "ftol", "gtol"), 1e-15)
    return least_squares(system.residual, start, system.slopes, method="lm", max_nfev=150, **close)


def _smoothed(economy: Economy, sigma: float) -> Economy:
    """The same with goods that replace one another nearly, but not quite, at fixed rates."""
    nearly = lambda u: Ces(u.goods, Nest(u.goods, range(u.goods), u.worth, sigma)) if isinstance(u, Linear) else u  # noqa: E731
    some = (dataclasses.replace(c, utility=nearly(c.utility)) for c in economy.consumers)
    return dataclasses.replace(economy, consumers=tuple(some))


def _warm(system: System, nearly: list[System], start: np.ndarray) -> np.ndarray:
    """A start where demand is a set: the answer with elasticities that rise, each from that of the one before."""
    v = start[: system.economy.l + system.count]
    for one in nearly:
        v = _solved(one, v).x
    p = np.maximum(system.prices(v), LEAST / system.scale)
    x = nearly[-1].economy.demands(p)[system.linear] / system.scale
    with np.errstate(divide="ignore"):
        dear = np.where(system.worth > 0, p * system.scale / system.worth, np.inf).min(1)
    return np.r_[v, x.ravel(), dear]


def size(economy: Economy) -> int:
    """How many unknowns there are."""
    linear = sum(isinstance(c.utility, Linear) for c in economy.consumers)
    return economy.l + economy.processes(1 / economy.scale).shape[1] + linear * (economy.l + 1)


def search(economy: Economy, seed: int = 0, starts: int = 200) -> Iterator[np.ndarray | None]:
    """Prices [goods], start after start; None where a start leads nowhere."""
    system, rng = System(economy), np.random.default_rng(seed)
    nearly = [System(_smoothed(economy, sigma)) for sigma in NEARLY] if system.linear else []
    for k in range(starts):
        start = system.start(rng)
        yield _prices(system, start)
        if nearly and k % PATIENT == PATIENT - 1:
            yield _prices(system, _warm(system, nearly, start))


def _prices(system: System, start: np.ndarray) -> np.ndarray | None:
    """Prices [goods] that a start leads to; None where it leads nowhere."""
    found = _solved(system, start)
    if np.abs(found.fun).max() > SOLVED:
        return None
    q = np.maximum(found.x[: system.economy.l], 0.0)
    q = np.where(q < 1e-9, 0.0, q)  # what is so cheap is free, or its equation would not be solved so well
    return q / system.scale / (q / system.scale).sum()
