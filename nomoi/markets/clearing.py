"""From prices to a whole candidate: who buys what where several things are equally good, and which processes run."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.optimize import nnls

from nomoi.markets.economy import Economy
from nomoi.markets.utilities import Linear

TIED = 1e-8  # relative differences below which two goods are equally good, or a process breaks even (ours)
ROUNDING = 1e-9  # of an elasticity that is a difference (ours)


@dataclasses.dataclass(frozen=True, eq=False)
class Candidate:
    """prices [goods], allocation [consumers, goods], netputs [producers, goods], levels [processes]."""

    prices: np.ndarray
    allocation: np.ndarray
    netputs: np.ndarray
    levels: np.ndarray


def complete(economy: Economy, prices: np.ndarray, tied: float = TIED) -> Candidate:
    """The allocation and production that come nearest to clearing all markets at given prices.

    Demand that is a set (linear utilities) and levels of processes that break even are chosen together, by least
    squares over amounts of 0 or more.
    """
    p = prices / prices.sum()
    m, x = economy.incomes(p), economy.demands(p)
    base = -economy.supply - sum((q.technology.supply(p) for q in economy.producers), np.zeros(economy.l))
    columns, rights, places = [], [], []  # what is chosen
    linear = [i for i, c in enumerate(economy.consumers) if isinstance(c.utility, Linear)]
    for row, i in enumerate(linear):
        worth = economy.consumers[i].utility.worth  # type: ignore[attr-defined]
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(worth > 0, worth / p, 0.0)
        for k in np.flatnonzero(rate >= rate.max() * (1 - tied)):
            column = np.zeros(economy.l + len(linear))
            column[k], column[economy.l + row] = (m[i] / p[k]) if p[k] > 0 else np.inf, 1.0
            columns.append(column)
            places.append((i, k))
        x[i] = 0.0
        rights.append(float(m[i] > 0))
    units = economy.processes(p)
    size = np.abs(p) @ np.abs(units)
    even = np.flatnonzero(np.abs(p @ units) <= tied * 10 * np.maximum(size, 1e-300))
    for j in even:
        columns.append(np.r_[-units[:, j], np.zeros(len(linear))])
    levels = np.zeros(units.shape[1])
    if columns:
        # a good that costs nothing may be left over
        slack = [np.r_[np.eye(economy.l)[k], np.zeros(len(linear))] for k in np.flatnonzero(p <= 0)]
        A = np.array(columns + slack).T
        b = np.r_[-(base + x.sum(0)), rights]
        scale = np.r_[economy.scale, np.ones(len(linear))]
        A, b = A / scale[:, None], b / scale
        unit = np.maximum(np.abs(A).max(0), 1e-300)
        if np.isfinite(A).all() and np.isfinite(b).all():
            chosen = nnls(A / unit, b, maxiter=50 * A.shape[1] + 100)[0] / unit
            for (i, k), share in zip(places, chosen, strict=False):
                x[i, k] = share * m[i] / p[k]
            levels[even] = chosen[len(places) : len(places) + len(even)]
    return Candidate(p, x, netputs(economy, p, levels), levels)


def netputs(economy: Economy, p: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """[producers, goods] what all make at prices p [goods], of processes as much as their levels [processes] say."""
    out, done = np.zeros((len(economy.producers), economy.l)), 0
    for row, q in zip(out, economy.producers, strict=True):
        own = q.technology.processes(p)
        row[:] = own @ levels[done : done + own.shape[1]] + q.technology.supply(p)
        done += own.shape[1]
    return out


def index(economy: Economy, found: Candidate) -> int | None:
    """+1 or -1, whose sum over all equilibria is +1 (Dierker 1972; with processes Kehoe 1985); 0 where it may not stand
    alone; None where demand is a set, so that it is not defined.

    The sign of the determinant of the Jacobian of supply less demand, and of losses, in prices and levels that are
    above 0, without the dearest good.
    """
    if any(c.utility.many for c in economy.consumers):
        return None
    p, y, scale = found.prices, found.levels, economy.scale
    live = np.flatnonzero(p > 0)
    live = np.delete(live, np.argmax((p * scale)[live]))
    units = economy.processes(p)
    runs = np.flatnonzero(y > 1e-12 * max(float(np.max(y, initial=0.0)), 1e-300))
    # all in logarithms of prices and shares of what there is, so that what is nothing but rounding can be told
    moved = np.concatenate([p + np.diag(p)[live] * 1e-6 * s for s in (1, -1)])
    oversupply = economy.processes(moved) @ y - economy.excess(moved)
    slopes = ((oversupply[: len(live)] - oversupply[len(live) :]) / 2e-6).T  # [goods, live]
    a = slopes[live] / scale[live][:, None]
    a = np.where(np.abs(a) < ROUNDING, 0.0, a)
    b = units[live][:, runs] / scale[live][:, None]
    margins = -(p[live][:, None] * units[live][:, runs]).T
    matrix = np.block([[a, b], [margins, np.zeros((len(runs), len(runs)))]])
    if not matrix.size:
        return 1
    rows = np.abs(matrix).max(1, keepdims=True)
    matrix = matrix / np.where(rows > 0, rows, 1.0)
    columns = np.abs(matrix).max(0, keepdims=True)
    matrix = matrix / np.where(columns > 0, columns, 1.0)
    if np.linalg.svd(matrix, compute_uv=False)[-1] < 1e-7:
        return 0
    return int(np.sign(np.linalg.det(matrix)))
