"""Political institutions and the distribution of resources feed each other (Acemoglu et al. 2005).

Their scheme is: political institutions and resources today give power, power gives economic institutions, and these
give performance and tomorrow's resources and institutions.  The map below is a minimal one of ours; so are
its constants.  It shows two stable regimes, and what each of their three conditions for good institutions does.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.optimize import brentq

from nomoi.core.parameters import Parameters, number, probability
from nomoi.errors import Refusal


@dataclasses.dataclass(frozen=True)
class Polity(Parameters):
    """An elite with a share J of de jure power and a share h of resources."""

    weight: float = probability(0.5, "lambda", "weight of de jure power beside resources")
    steep: float = number(12.0, "kappa", "how sharply extraction rises with power", low=0)
    rents: float = probability(0.8, "tau_max", "the most that power can extract: rents")
    share: float = probability(0.1, "s", "the elite's share of what is not extracted")
    wealth: float = probability(0.2, "nu", "speed at which resources follow incomes")
    change: float = probability(0.1, "mu", "speed at which institutions follow power")
    cap: float = probability(1.0, "cap", "the most that institutions let anybody extract: constraints")
    idle: float = number(0.0, "g0", "growth where all is extracted")
    drive: float = number(0.03, "g1", "growth that extraction kills")

    def power(self, law: np.ndarray | float, wealth: np.ndarray | float) -> np.ndarray | float:
        """e = lambda J + (1 - lambda) h."""
        return self.weight * law + (1 - self.weight) * wealth

    def extraction(self, power: np.ndarray | float) -> np.ndarray | float:
        """tau = min(cap, tau_max / (1 + exp(-kappa (e - 1/2))))."""
        return np.minimum(self.cap, self.rents / (1 + np.exp(-self.steep * (power - 0.5))))

    def growth(self, extraction: np.ndarray | float) -> np.ndarray | float:
        """g = g0 + g1 (1 - tau)."""
        return self.idle + self.drive * (1 - extraction)

    def income(self, extraction: np.ndarray | float) -> np.ndarray | float:
        """The elite's share of income, s + (1 - s) tau."""
        return self.share + (1 - self.share) * extraction


@dataclasses.dataclass(frozen=True)
class Path:
    """[T + 1, ...] the elite's de jure power J and wealth h; extraction and growth, which follow from them."""

    law: np.ndarray
    wealth: np.ndarray
    extraction: np.ndarray
    growth: np.ndarray


@dataclasses.dataclass(frozen=True)
class Rest:
    """A state that reproduces itself: J = h; and whether states near it come back to it."""

    wealth: float
    extraction: float
    growth: float
    stable: bool


def follow(polity: Polity, law: np.ndarray | float, wealth: np.ndarray | float, steps: int = 2000) -> Path:
    """The path from J and h, one number or an array of many beginnings side by side."""
    start = np.broadcast_arrays(np.asarray(law, float), np.asarray(wealth, float))
    if not all(np.isfinite(x).all() and ((x >= 0) & (x <= 1)).all() for x in start):
        raise Refusal("the elite's first shares of power and of resources must be numbers in [0, 1].")
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
        raise Refusal(f"steps is {steps!r}; a whole number of at least 0 would be right.")
    j, h = np.empty((2, steps + 1, *start[0].shape))
    j[0], h[0] = start
    for t in range(steps):
        power = polity.power(j[t], h[t])
        h[t + 1] = (1 - polity.wealth) * h[t] + polity.wealth * polity.income(polity.extraction(power))
        j[t + 1] = j[t] + polity.change * (power - j[t])
    tau = polity.extraction(polity.power(j, h))
    return Path(j, h, tau, polity.growth(tau))


def rests(polity: Polity, points: int = 4001) -> tuple[Rest, ...]:
    """All steady states, in order: h = s + (1 - s) tau(h), and J = h (where change and lambda do not vanish).

    A state is stable where the Jacobian of the map has its eigenvalues inside the unit circle.
    """
    if polity.change == 0 or polity.weight == 1 or polity.wealth == 0:
        raise Refusal("with mu = 0, nu = 0 or lambda = 1 power does not follow wealth, so every law is at rest.")

    def gap(h: float) -> float:
        return float(polity.income(polity.extraction(h)) - h)

    grid = np.linspace(0, 1, points)
    signs = np.array([gap(h) for h in grid])
    at = [float(h) for h in grid[signs == 0]]
    at += [
        brentq(gap, a, b, xtol=1e-14) for a, b, x, y in zip(grid, grid[1:], signs, signs[1:], strict=False) if x * y < 0
    ]
    return tuple(_rest(polity, h) for h in sorted(at))


def _rest(polity: Polity, h: float) -> Rest:
    tau, tiny = float(polity.extraction(h)), 1e-6
    slope = float(polity.extraction(h + tiny) - polity.extraction(h - tiny)) / (2 * tiny)
    pull = polity.wealth * (1 - polity.share) * slope
    lam, nu, mu = polity.weight, polity.wealth, polity.change
    jacobian = np.array([[1 - mu * (1 - lam), mu * (1 - lam)], [pull * lam, 1 - nu + pull * (1 - lam)]])
    stable = bool(np.abs(np.linalg.eigvals(jacobian)).max() < 1)
    return Rest(h, tau, float(polity.growth(tau)), stable)
