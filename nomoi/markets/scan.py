"""Two goods: all equilibria along the one relative price there is."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from nomoi.markets.economy import Economy

POINTS, WIDE = 2001, 20.0  # ours: relative prices from e^-20 to e^20, in units of what there is of each good
WIDER = 650.0  # where none is found in these (ours): what is plentiful and can hardly replace the other is nearly free
DUST = 1e-12  # an excess, as a share of what there is, that is rounding


def scan(economy: Economy, wide: float = WIDE) -> tuple[list[np.ndarray], bool]:
    """Prices [2] at which all markets may clear, and whether a whole stretch of them does.

    Roots of excess demand are bracketed on a grid of logarithms of the relative price; one that falls on a point of the
    grid, a curve that touches zero and two roots within one cell are found too.  Where a process breaks even the price
    is that process's, and at the ends one good is free.  Beyond the usual width only roots that are crossed count.
    """
    scale = economy.scale
    prices = lambda t: _at(np.asarray(t, float), scale)  # noqa: E731

    def excess(t):
        p = prices(t)
        with np.errstate(invalid="ignore", over="ignore"):
            z = economy.excess(p) * p / (p @ scale)[..., None]
            # what is missing of good 1 in value is left over of good 2 (Walras); that of the cheaper is less rounded
            z = np.where(p[..., 0] * scale[0] < p[..., 1] * scale[1], z[..., 0], -z[..., 1])
        return np.where(np.isfinite(z), z, np.inf)

    grid = np.linspace(-wide, wide, POINTS) + 1e-3 * np.sqrt(2)
    values = excess(grid)
    # how far from 0 counts: what changes hands of the scarcer side, so that ends where nothing is bought are no roots
    p = prices(grid)
    size = np.minimum(p[:, 0] * scale[0], p[:, 1] * scale[1]) / (p @ scale)
    still = np.abs(values) < DUST * size
    if wide > WIDE:  # so far out much comes near 0 without ever being it, so that only what crosses counts
        signs = np.where(still, 0, np.sign(values))
        return [prices(_root(excess, grid[k], grid[k + 1])) for k in np.flatnonzero(signs[:-1] * signs[1:] < 0)], False
    found = _roots(excess, grid, values, size)
    stretch = bool(still.sum() > 3)
    if stretch:
        found = [float(np.median(grid[still]))]
    out = [prices(t) for t in found]
    for good in (0, 1):  # an end, where the other good is free
        out.append(np.eye(2)[good])
    units = economy.processes(p)
    earned = (p[:, :, None] * units).sum(1) / np.maximum((p[:, :, None] * np.abs(units)).sum(1), 1e-300)
    for j in range(units.shape[2]):
        own = lambda t, j=j: float((prices(t)[:, None] * economy.processes(prices(t)))[:, j].sum())  # noqa: E731
        for k in np.flatnonzero(np.sign(earned[:-1, j]) * np.sign(earned[1:, j]) < 0):
            out.append(prices(_root(own, grid[k], grid[k + 1])))
    return out, stretch


def _at(t: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Prices [..., 2] of which the first good's supply is worth e^t times the second's."""
    share = 1 / (1 + np.exp(-t))
    p = np.stack([share / scale[0], 1 / (1 + np.exp(t)) / scale[1]], -1)
    return p / p.sum(-1, keepdims=True)


def _root(function, low: float, high: float) -> float:
    return float(brentq(function, low, high, xtol=1e-15, rtol=8.9e-16, maxiter=300))  # type: ignore[arg-type]


def _roots(function, grid: np.ndarray, values: np.ndarray, size: np.ndarray) -> list[float]:
    """Where a function is 0 or jumps through it, from its values on a grid."""
    rounding = np.abs(values) < DUST * size
    found = [float(grid[k]) for k in np.flatnonzero(rounding)]
    signs = np.where(rounding, 0, np.sign(values))
    for k in np.flatnonzero(signs[:-1] * signs[1:] < 0):
        found.append(_root(function, grid[k], grid[k + 1]))
    inner = np.arange(1, len(grid) - 1)
    near = np.abs(values)
    same = (signs[inner - 1] == signs[inner]) & (signs[inner] == signs[inner + 1]) & (signs[inner] != 0)
    same &= (near[inner] <= near[inner - 1]) & (near[inner] <= near[inner + 1])
    # a parabola that reaches 0 rises to the next point by four times what is left; rounding on a plateau does not
    with np.errstate(invalid="ignore"):
        steep = near[inner] <= 4 * (np.maximum(near[inner - 1], near[inner + 1]) - near[inner])
    dips = inner[same & steep]
    for k in dips:  # it comes nearest here: does it touch, or cross twice?
        sign = float(signs[k])
        low = minimize_scalar(
            lambda t, s=sign: s * float(function(t)),
            bounds=(grid[k - 1], grid[k + 1]),
            method="bounded",
            options={"xatol": 1e-13},
        )
        if low.fun < -DUST * size[k]:
            found += [_root(function, grid[k - 1], low.x), _root(function, low.x, grid[k + 1])]
        elif low.fun < 1e3 * DUST * size[k]:
            found.append(float(low.x))
    return sorted(found)
