"""Tatonnement: prices rise where more is wanted than there is.  It need not lead anywhere (Scarf 1960)."""

from __future__ import annotations

import numpy as np

from nomoi.errors import Refusal
from nomoi.markets.economy import Economy


def _smooth(economy: Economy, start: np.ndarray) -> np.ndarray:
    if not economy.exchange or any(c.utility.many for c in economy.consumers):
        raise Refusal(
            f"tatonnement takes exchange with one best bundle at each price, and {economy.title} has producers "
            "or linear utilities."
        )
    p = np.asarray(start, float)
    if p.shape != (economy.l,) or not (p > 0).all():
        raise Refusal(f"tatonnement begins at {p.tolist()}; {economy.l} prices above 0 would be right.")
    return p


def steps(
    economy: Economy, start: np.ndarray, rate: float = 0.1, count: int = 1000, factor: bool = False
) -> np.ndarray:
    """Prices [count + 1, goods] in discrete time: p + rate z(p), none below a tiny bit; with `factor` p exp(rate
    z(p))."""
    p = _smooth(economy, start)
    path = [p]
    for _ in range(count):
        z = economy.excess(p)
        p = p * np.exp(np.clip(rate * z, -50, 50)) if factor else np.maximum(p + rate * z, 1e-12)
        path.append(p)
    return np.array(path)


def flow(economy: Economy, start: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Prices [times, goods] in continuous time, dp/dt = z(p): the sum of squares of p never changes (Walras' law)."""
    from scipy.integrate import solve_ivp

    p = _smooth(economy, start)
    times = np.asarray(times, float)
    found = solve_ivp(
        lambda _, q: economy.excess(np.maximum(q, 1e-12)),
        (times[0], times[-1]),
        p,
        "DOP853",
        times,
        rtol=1e-10,
        atol=1e-12,
    )
    return found.y.T
