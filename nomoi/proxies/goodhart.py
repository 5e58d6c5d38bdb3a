"""When a measure becomes a target: four ways in which proxy and goal part, and how far to optimise.

The four kinds are those of Manheim & Garrabrant 2018, as simulators of ours with closed forms where there are some.
The curves of over-optimisation are those of Gao et al. 2023.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nomoi.core.parameters import Parameters, count, number, probability
from nomoi.errors import Refusal
from nomoi.proxies.findings import nil

OFFSWITCH = "ours, after Hadfield-Menell et al. 2017"


def shrinkage(goal: float, noise: float) -> float:
    """Slope of E[G | P] on P where P = G + noise, both normal: Var G / (Var G + Var noise)."""
    return goal**2 / (goal**2 + noise**2)


def best_of(n: int, goal: float, noise: float, trials: int, rng: np.random.Generator) -> tuple[float, float]:
    """Regressional: means of (G, P) of the best by P = G + noise among n, over trials."""
    g = rng.normal(0, goal, (trials, n))
    p = g + rng.normal(0, noise, (trials, n))
    k = p.argmax(1)[:, None]
    return float(np.take_along_axis(g, k, 1).mean()), float(np.take_along_axis(p, k, 1).mean())


def divergence(n: np.ndarray | float) -> np.ndarray:
    """KL divergence of the best of n from one draw: ln n - (n - 1) / n."""
    n = np.asarray(n, float)
    return np.log(n) - (n - 1) / n


def extremal(ns: Sequence[int], k: float, trials: int, rng: np.random.Generator) -> np.ndarray:
    """Extremal: mean G = f - k f^2 + k of the best by P = f among n, f standard normal; [len(ns)].

    The best of n is drawn by its own law, so that n may be large.
    """
    from scipy.special import ndtri

    f = ndtri(rng.random((trials, 1)) ** (1 / np.asarray(ns, float)))
    return (f - k * f**2 + k).mean(0)


def causal(n: int, rng: np.random.Generator, push: float = 3.0, share: float = 0.01) -> dict[str, float]:
    """Causal: P and G have one cause; choosing by P works, pushing P does nothing."""
    c = rng.normal(size=n)
    p, g = c + 0.5 * rng.normal(size=n), c + 0.5 * rng.normal(size=n)
    chosen = p >= np.quantile(p, 1 - share)
    pushed = c + 0.5 * rng.normal(size=n)  # G of those whose P is set higher: G does not read P
    assert push >= 0
    return {
        "correlation": float(np.corrcoef(p, g)[0, 1]),
        "chosen": float(g[chosen].mean()),
        "pushed": float(pushed.mean()),
    }


def adversarial(adversaries: int, trials: int, rng: np.random.Generator, honest: int = 1000, top: int = 100) -> float:
    """Adversarial: mean G of the highest by P, where some with G = -1 put their P above all others'."""
    c = rng.normal(size=(trials, honest))
    p, g = c + 0.5 * rng.normal(size=c.shape), c + 0.5 * rng.normal(size=c.shape)
    best = np.argsort(-p, 1)[:, : max(0, top - adversaries)]
    sums = np.take_along_axis(g, best, 1).sum(1) - min(adversaries, top)
    return float((sums / top).mean())


@dataclasses.dataclass(frozen=True)
class Curve:
    """R(d) = d (alpha - beta d), of the best of n, or d (alpha - beta ln d), of reinforcement learning.

    d is the square root of the KL divergence from where it began; r2 and aic are those of the fit.
    """

    form: str
    alpha: float
    beta: float
    r2: float
    aic: float

    def __call__(self, d: Any) -> Any:
        """R at d, a number or [K]; 0 at 0."""
        d = np.asarray(d, float)
        with np.errstate(all="ignore"):
            slope = d if self.form == "best of n" else np.where(d > 0, np.log(d), 0.0)
        return d * (self.alpha - self.beta * slope)

    @property
    def peak(self) -> tuple[float, float]:
        """(d, R) at which it is highest; infinite where it only rises."""
        if self.beta <= 0:
            return math.inf, math.inf
        if self.form == "best of n":
            return self.alpha / (2 * self.beta), self.alpha**2 / (4 * self.beta)
        d = math.exp(self.alpha / self.beta - 1)
        return d, self.beta * d


def fit(d: Sequence[float] | np.ndarray, gold: Sequence[float] | np.ndarray) -> tuple[Curve, Curve]:
    """Both forms by least squares: (best of n, reinforcement learning)."""
    x, y = np.asarray(d, float), np.asarray(gold, float)
    if len(x) < 4 or len(x) != len(y):
        raise Refusal(f"a curve needs at least 4 points of d and of gold, and here are {len(x)} and {len(y)}.")
    if not (np.isfinite(x).all() and np.isfinite(y).all()) or (x < 0).any():
        raise Refusal("d must be finite and not below 0, and gold finite; d is the square root of a divergence.")
    if np.ptp(x) == 0:
        raise Refusal(f"all d are {x[0]:g}; points at several d would be right.")
    out = []
    for form in ("best of n", "reinforcement learning"):
        slope = x if form == "best of n" else np.where(x > 0, np.log(np.where(x > 0, x, 1)), 0)
        features = np.stack([x, -x * slope], 1)
        (alpha, beta), *_ = np.linalg.lstsq(features, y, rcond=None)
        rest = float(np.sum((y - features @ [alpha, beta]) ** 2))
        total = float(np.sum((y - y.mean()) ** 2))
        aic = len(x) * math.log(max(rest, 1e-300) / len(x)) + 4
        out.append(Curve(form, float(alpha), float(beta), 1 - rest / total if total else math.nan, aic))
    return out[0], out[1]


def effort(weights: tuple[float, float], rho: float) -> tuple[float, float]:
    """What an agent with two tasks does at pay w e: the best e >= 0 at the cost (a^2 + b^2)/2 + rho a b (ours).

    rho above 0: effort for one task makes that for the other dearer.
    """
    if not -1 < rho < 1:
        raise Refusal(f"rho is {rho:g}; a number between -1 and 1 would be right.")
    a, b = weights
    one, two = (a - rho * b) / (1 - rho**2), (b - rho * a) / (1 - rho**2)
    if one >= 0 and two >= 0:
        return one, two
    return (max(a, 0.0), 0.0) if a >= b else (0.0, max(b, 0.0))


def folly(weights: tuple[float, float], value: tuple[float, float], rho: float) -> float:
    """The share of the best that is lost by paying w where v is valued: 1 - (v e - cost at w) / (the same at v)."""

    def net(e: tuple[float, float]) -> float:
        return value[0] * e[0] + value[1] * e[1] - (e[0] ** 2 + e[1] ** 2) / 2 - rho * e[0] * e[1]

    best = net(effort(value, rho))
    return 1 - net(effort(weights, rho)) / best if best > 0 else math.nan


def deferring(mean: float, spread: float) -> float:
    """What it is worth to a robot to let a person who knows decide: E max(U, 0) - max(E U, 0), U normal.

    The off-switch game of Hadfield-Menell et al. 2017.
    """
    from scipy.special import ndtr

    z = mean / spread
    gain = mean * float(ndtr(z)) + spread * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return gain - max(mean, 0.0)


def deferring_to_noise(mean: float, spread: float, noise: float) -> float:
    """The same against acting, where the person allows u with chance 1 / (1 + exp(-u / noise)); by quadrature."""
    x = np.linspace(-10, 10, 20_001)
    w = np.exp(-(x**2) / 2)
    u, w = mean + spread * x, w / w.sum()
    with np.errstate(over="ignore"):
        allow = np.where(u > 0, 1.0, 0.0) if noise == 0 else 1 / (1 + np.exp(-u / noise))
    return nil(float(w @ (u * allow)) - mean, spread)


def contract(
    listed: int, accuracy: float, contingencies: int = 50, cost: float = 0.01, value: float = 1.0, loss: float = 2.0
) -> float:
    """What a contract is worth that lists the most frequent of its contingencies (Zipf), each at a cost.

    What is not listed is filled by whoever knows what was meant, rightly with a chance, or it is lost
    (after Hadfield-Menell & Hadfield 2019; the numbers are ours).
    """
    q = 1 / np.arange(1, contingencies + 1)
    q = q / q.sum()
    open_ = q[listed:].sum()
    return float(q[:listed].sum() * value + open_ * (accuracy * value - (1 - accuracy) * loss) - cost * listed)


def best_length(accuracy: float, contingencies: int = 50, cost: float = 0.01) -> int:
    """How many contingencies it is best to list."""
    return int(np.argmax([contract(n, accuracy, contingencies, cost) for n in range(contingencies + 1)]))


# --- the same with their options, for whoever moves them ------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Deferring(Parameters):
    """What it is worth to a robot that is unsure to let a person switch it off: above 0 it defers to her."""

    mean: float = number(0.5, "mu", "what the act is worth, as far as the robot knows", "ours", -3, 3)
    spread: float = number(1.0, "sigma", "how unsure it is: standard deviation", OFFSWITCH, 0, 3, open_low=True)
    noise: float = number(0.5, "beta", "how much the person errs; 0 never", OFFSWITCH, 0, 3)

    def to_whom_knows(self) -> float:
        """Gained by deferring to a person who knows what the act is worth; never below 0."""
        return deferring(self.mean, self.spread)

    def to_whom_errs(self) -> float:
        """Gained, against acting, by deferring to a person who errs."""
        return deferring_to_noise(self.mean, self.spread, self.noise)


@dataclasses.dataclass(frozen=True)
class Tasks(Parameters):
    """Two tasks of which one is paid for: rewarding A while hoping for B."""

    paid: float = number(1.0, "w", "paid for a unit of the first task; nothing for the second", "ours", 0, 3)
    first: float = number(1.0, "v1", "what a unit of the first is worth", "ours", 0, 3)
    second: float = number(1.0, "v2", "what a unit of the second is worth", "ours", 0, 3)
    rho: float = number(0.3, "rho", "how much effort for one makes that for the other dearer", "ours", -1, 1,
                        open_low=True, open_high=True)  # fmt: skip

    def lost(self) -> float:
        """The share of the best that is lost by paying for the first alone."""
        return folly((self.paid, 0.0), (self.first, self.second), self.rho)

    def on_first(self) -> float:
        """Effort for the first task."""
        return effort((self.paid, 0.0), self.rho)[0]

    def on_second(self) -> float:
        """Effort for the second task, which nobody pays for."""
        return effort((self.paid, 0.0), self.rho)[1]


@dataclasses.dataclass(frozen=True)
class Gaps(Parameters):
    """How much of what may happen a contract lists, where somebody fills its gaps (Hadfield-Menell & Hadfield 2019)."""

    accuracy: float = probability(0.7, "q", "chance that a gap is filled as was meant")
    contingencies: int = count(50, "n", "things that may happen, the k-th in proportion to 1/k", high=500)
    cost: float = number(0.01, "c", "of listing one more", "ours", 0, 0.2)

    def listed(self) -> float:
        """How many it is best to list."""
        return float(best_length(self.accuracy, self.contingencies, self.cost))

    def worth(self) -> float:
        """What the contract is worth then."""
        return contract(int(self.listed()), self.accuracy, self.contingencies, self.cost)
