"""What becomes of what a proxy leaves out: attributes that share resources, of which only some are asked for.

A robot moves attributes s uphill in the proxy while C(s) <= 0 allows it, by a projected gradient flow; people hold the
utility U of all of them.  Once resources are used up, what is asked for grows at the cost of what is not (Zhuang &
Hadfield-Menell 2020; the flow and the example are ours).
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nomoi.errors import Refusal
from nomoi.proxies.findings import nil

WORK = 5000  # slopes that are asked for on one way (ours): some hundreds are usual
DUST = 1e-8  # of the slopes and of the proxy, what is left of a speed that is none (ours): slopes are differences
EXACT = {"rtol": 1e-8, "atol": 1e-9}  # as far as slopes by differences go: asked for more, a solver follows their noise
TOLD = 1e-7  # of the utilities passed through, what a flow and a best are found to (ours): measured, some 3e-8
Function = Callable[[np.ndarray], Any]  # [L, ...] -> [...]


@dataclasses.dataclass(frozen=True)
class World:
    """Attributes by name, utility, cost (feasible where it is at most 0), where they start and cannot fall below.

    Both functions take [L] or [L, K] and give a number or [K].
    """

    names: Sequence[str]
    utility: Function
    cost: Function
    start: np.ndarray
    lowest: np.ndarray

    def gradient(self, f: Function, s: np.ndarray) -> np.ndarray:
        """[L] by central differences, in one call."""
        h = 1e-6 * np.maximum(1, np.abs(s))
        grid = np.concatenate([s[:, None] + np.diag(h), s[:, None] - np.diag(h)], 1)
        values = np.broadcast_to(np.asarray(f(grid), float), 2 * len(s))
        with np.errstate(all="ignore"):  # what is not finite is refused by whoever asked
            return (values[: len(s)] - values[len(s) :]) / (2 * h)

    def check(self, rng: np.random.Generator) -> None:
        """Refuse a start that costs too much, and a utility or a cost that an attribute lowers somewhere near."""
        if not np.isfinite(self.start).all() or (self.start < self.lowest - 1e-12).any():
            raise Refusal("the start lies below what attributes can be, or is not finite; one inside would be right.")
        if not float(self.cost(self.start)) <= 1e-9:
            raise Refusal(
                f"the start costs {float(self.cost(self.start)):.4g} too much; a start with cost of at most 0 "
                "would be right."
            )
        above = self.lowest + 3e-6 * np.maximum(1, np.abs(np.where(np.isfinite(self.lowest), self.lowest, 0)))
        near = np.maximum(  # so far above that slopes ask for nothing below the lowest, where log(s) may be none
            above[:, None], self.start[:, None] - rng.exponential(0.3, (len(self.start), 50))
        )
        for what, f in (("utility", self.utility), ("cost", self.cost)):
            slopes = np.stack([self.gradient(f, s) for s in near.T])
            if not np.isfinite(slopes).all():
                raise Refusal(f"the {what} is not finite near the start; a start where it is would be right.")
            for k in np.flatnonzero((slopes < -1e-9).any(0)):
                raise Refusal(
                    f"{self.names[k]} lowers the {what} somewhere near the start; both must rise with every attribute."
                )


def example(x: Sequence[float] | np.ndarray = (0.2, 0.2, 1.8, 1.8)) -> World:
    """Four attributes with U = sum(1 - exp(-s)) and C = sum exp(s) - 4, from s = log x; at best U = 0 (ours)."""
    return World(
        ("a", "b", "c", "d"),
        lambda s: (1 - np.exp(-s)).sum(0),
        lambda s: np.exp(s).sum(0) - 4,
        np.log(np.asarray(x, float)),
        np.full(4, -np.inf),
    )


@dataclasses.dataclass(frozen=True)
class Path:
    """t [K], s [K, L], utility [K] and proxy [K] along a flow; `full` is when resources were used up (NaN: never)."""

    t: np.ndarray
    s: np.ndarray
    utility: np.ndarray
    proxy: np.ndarray
    full: float

    def told(self, utility: float) -> float:
        """A utility of this world as it can be told: 0 where it is as near to 0 as solvers miss by."""
        return nil(utility, float(np.ptp(self.utility)), TOLD)

    def peak(self) -> tuple[float, float]:
        """(time, utility) where it is best; between the points by a quartic, away from the kink where it is full."""
        k = int(np.argmax(self.utility))
        near = slice(k - 2, k + 3)
        kink = self.full > 0 and abs(self.t[k] - self.full) <= np.ptp(self.t[near])
        if 2 <= k < len(self.t) - 2 and not kink:
            t, u = self.t[near] - self.t[k], self.utility[near]
            fit = np.polynomial.Polynomial.fit(t, u, 4)
            roots = [float(r.real) for r in fit.deriv().roots() if abs(r.imag) < 1e-9 and t[1] <= r.real <= t[3]]
            if roots:
                best = max(roots, key=lambda r: float(fit(r)))
                return float(self.t[k] + best), float(fit(best))
        return float(self.t[k]), float(self.utility[k])


def flow(
    world: World,
    proxy: Function,
    mentioned: Sequence[int],
    until: float,
    points: int = 401,
    start: np.ndarray | None = None,
    movable: Sequence[int] | None = None,
) -> Path:
    """Uphill in the proxy, which reads the attributes `mentioned`; along the edge of what is feasible once it is there.

    movable   attributes that may change; all, if None: those that the proxy does not mention pay for what it asks
    """
    from scipy.integrate import solve_ivp

    s = np.array(world.start if start is None else start, float)
    free = np.zeros(len(s), bool)
    free[list(range(len(s)) if movable is None else movable)] = True
    asked = np.zeros(len(s), bool)
    asked[list(mentioned)] = True
    cost = lambda s: float(world.cost(s))  # noqa: E731
    full, t, at_edge, stuck = math.nan, 0.0, abs(cost(s)) <= 1e-9, np.zeros(len(s), bool)
    times, states = [0.0], [s]
    grid = np.linspace(0, until, points)
    work = itertools.count()

    def course(s: np.ndarray) -> tuple[np.ndarray, float]:
        """Where it goes, and how much of that is only the noise of slopes."""
        g = np.where(asked & free & ~stuck, world.gradient(proxy, s), 0.0)
        if not at_edge:
            return g, 0.0
        c = np.where(free & ~stuck, world.gradient(world.cost, s), 0.0)
        return _along(g, c), DUST * max(np.abs(g).max(), abs(float(proxy(s))))

    def speed(at: float, s: np.ndarray) -> np.ndarray:
        if next(work) > WORK:
            raise Refusal(f"the flow is too steep to be followed past t = {at:.4g}; a smoother utility or cost, or a "
                          "shorter time, would be right.")  # fmt: skip
        return course(s)[0]

    def rest(_: float, s: np.ndarray) -> float:
        """Not above 0 where it has come to rest; a solver that followed the noise from there would never arrive."""
        along, noise = course(s)
        return float(np.abs(along).max()) - noise

    rest.terminal, rest.direction = True, -1  # type: ignore[attr-defined]
    edge = lambda _, s: cost(s)  # noqa: E731
    edge.terminal, edge.direction = True, 1  # type: ignore[attr-defined]
    bounded = [k for k in range(len(s)) if np.isfinite(world.lowest[k])]
    while t < until:
        events: list[Any] = [] if at_edge else [edge]
        here = [k for k in bounded if free[k] and not stuck[k] and not asked[k]]
        for k in here:
            event = lambda _, s, k=k: s[k] - world.lowest[k] - 1e-9  # noqa: E731
            event.terminal, event.direction = True, -1  # type: ignore[attr-defined]
            events.append(event)
        events.append(rest)
        if at_edge and math.isnan(full):
            full = t
        if rest(t, s) <= 0:
            break
        with np.errstate(all="ignore"):
            run = solve_ivp(speed, (t, until), s, t_eval=grid[grid > t], events=events, method="LSODA", **EXACT)
        if not run.success:
            raise Refusal(f"the flow cannot be followed past t = {t:.4g}; a smoother utility or cost would be right.")
        times += list(run.t)
        states += list(np.asarray(run.y).T)
        hit = [(float(e[0]), k, run.y_events[k][0]) for k, e in enumerate(run.t_events or []) if len(e)]
        if not hit:
            break
        t, which, s = hit[0]
        if which == len(events) - 1:
            times.append(t)
            states.append(s)
            break
        if not at_edge and which == 0:
            at_edge = True
        else:
            k = here[which - (0 if at_edge else 1)]
            stuck[k] = True
            s = s.copy()
            s[k] = world.lowest[k]
        times.append(t)
        states.append(s)
    still = grid[grid > times[-1]]
    times += list(still)
    states += [states[-1]] * len(still)
    return _path(world, proxy, np.array(times), np.array(states), full)


def _path(world: World, proxy: Function, t: np.ndarray, s: np.ndarray, full: float) -> Path:
    u, p = (np.broadcast_to(np.asarray(f(s.T), float), len(t)) for f in (world.utility, proxy))
    for what, values in (("proxy", p), ("utility", u)):
        if not np.isfinite(values).all():
            when = t[np.flatnonzero(~np.isfinite(values))[0]]
            raise Refusal(f"the {what} is not finite at t = {when:.4g}; one that stays finite would be right.")
    return Path(t, s, np.array(u), np.array(p), full)


def mention(world: World, names: Sequence[int]) -> Function:
    """The proxy that is the utility as far as the attributes named go: all others are held where they start."""
    kept = np.zeros(len(world.start), bool)
    kept[list(names)] = True

    def proxy(s: np.ndarray) -> Any:
        shape = (len(s),) + (1,) * (s.ndim - 1)
        return world.utility(np.where(kept.reshape(shape), s, world.start.reshape(shape)))

    return proxy


def worth(world: World, s: np.ndarray) -> np.ndarray:
    """[L] what a unit of resources buys of utility in each attribute."""
    with np.errstate(all="ignore"):
        return world.gradient(world.utility, s) / world.gradient(world.cost, s)


def updated(world: World, count: int, every: float, until: float, step: float = 0.02) -> Path:
    """The principal chooses anew, every so often, the attributes that are asked for: those worth the most then.

    In steps of Runge and Kutta of at most `step`, each drawn back to the edge of what is feasible.
    """
    s, t, times, states, full = world.start.copy(), 0.0, [0.0], [world.start], math.nan
    while t < until - 1e-9:
        chosen = np.argsort(-worth(world, s), kind="stable")[:count].tolist()
        proxy, span = mention(world, chosen), min(every, until - t)
        asked = _with(np.zeros(len(s)), chosen, np.ones(len(chosen)))
        for _ in range(max(1, math.ceil(span / step - 1e-9))):
            h = min(step, span)
            edge = float(world.cost(s)) > -1e-9  # for the whole step, whose error would be of first order else
            a = _speed(world, proxy, asked, s, edge)
            b = _speed(world, proxy, asked, s + h / 2 * a, edge)
            c = _speed(world, proxy, asked, s + h / 2 * b, edge)
            d = _speed(world, proxy, asked, s + h * c, edge)
            s = _inside(world, s + h / 6 * (a + 2 * b + 2 * c + d))
            t, span = t + h, span - h
            if math.isnan(full) and float(world.cost(s)) > -1e-9:
                full = t
            times.append(t)
            states.append(s)
    return _path(world, world.utility, np.array(times), np.array(states), full)


def _speed(world: World, proxy: Function, asked: np.ndarray, s: np.ndarray, edge: bool) -> np.ndarray:
    """Uphill in the proxy, along the edge where resources are used up."""
    g = asked * world.gradient(proxy, s)
    if not edge:
        return g
    c = world.gradient(world.cost, s)
    c = np.where((s <= world.lowest + 1e-9) & (asked == 0), 0.0, c)
    return _along(g, c)


def _along(g: np.ndarray, c: np.ndarray) -> np.ndarray:
    """What of the way g [L] does not leave what is feasible, whose cost rises along c [L]."""
    square = float(c @ c)
    return g - max(0.0, float(g @ c) / square) * c if square > 0 else np.zeros_like(g)


def _inside(world: World, s: np.ndarray) -> np.ndarray:
    """Drawn back to where it costs no more than there is, by Newton's method along the slope of the cost."""
    s = np.maximum(s, world.lowest)
    for _ in range(8):
        if (over := float(world.cost(s))) <= 1e-12:
            break
        c = world.gradient(world.cost, s)
        s = np.maximum(s - over * c / float(c @ c), world.lowest)
    return s


def careful(world: World, rounds: int = 10) -> np.ndarray:
    """[rounds + 1] utilities where each update moves the best and the worst attribute alone, all others held still."""
    s = world.start.copy()
    out = [float(world.utility(s))]
    for _ in range(rounds):
        w = worth(world, s)
        trial = _best(world, s, [int(np.argmax(w)), int(np.argmin(w))])
        if trial is None or float(world.utility(trial)) <= out[-1]:
            break  # so would be every update to come
        s = trial
        out.append(float(world.utility(s)))
    return np.array(out + out[-1:] * (rounds + 1 - len(out)))


def _best(world: World, s: np.ndarray, movable: Sequence[int], close: float = 1e-15) -> np.ndarray | None:
    """[L] with the most utility that can be had by changing some attributes alone; None where it is not found."""
    from scipy.optimize import minimize

    places = list(movable)
    put = lambda y: _with(s, places, y)  # noqa: E731
    less = lambda f, size=1.0: lambda y: -float(f(put(y))) / size  # noqa: E731
    slope = lambda f, size=1.0: lambda y: -world.gradient(f, put(y))[places] / size  # noqa: E731
    with np.errstate(all="ignore"):
        large = max(1.0, abs(float(world.utility(s))))  # to be as close as `close` below its last digit would take ages
        found = minimize(
            less(world.utility, large), s[places], jac=slope(world.utility, large),
            bounds=[(None if b == -np.inf else b, None) for b in world.lowest[places]],
            constraints={"type": "ineq", "fun": less(world.cost), "jac": slope(world.cost)},
            method="SLSQP", options={"ftol": close, "maxiter": 300},
        )  # fmt: skip
    return put(found.x) if np.isfinite(found.fun) and float(world.cost(put(found.x))) < 1e-6 else None


def _with(s: np.ndarray, places: Sequence[int], values: Any) -> np.ndarray:
    out = s.copy()
    out[list(places)] = values
    return out


@dataclasses.dataclass(frozen=True)
class Slice:
    """The most utility that is left where one attribute is down at each of `at`, the last nearest to its lowest.

    sinks   whether it goes on falling without a bound in sight
    """

    at: np.ndarray
    best: np.ndarray

    @property
    def sinks(self) -> bool:
        """Whether the last fall is as large as the one before, where gaps double."""
        falls = -np.diff(self.best)
        return bool(falls[-1] > 0.01 and falls[-1] >= 0.5 * falls[-2])


def slices(world: World, steps: int = 6, seed: int = 0) -> Mapping[str, Slice]:
    """For every attribute, the best of all others while it sinks: how low an incomplete proxy can drive utility.

    Where an attribute has no lowest value it goes down by 1, 2, 4, ...; else its distance shrinks to a millionth.
    """
    rng, out = np.random.default_rng(seed), {}
    for k, name in enumerate(world.names):
        low, here = world.lowest[k], world.start[k]
        falling = here - 2.0 ** np.arange(steps)
        at = falling if low == -np.inf else low + (here - low + 1e-3) * np.geomspace(1, 1e-6, steps)
        rest = [j for j in range(len(world.start)) if j != k]
        values, s = [], world.start
        for x in at:
            tried = [_with(s, [*rest, k], [*(s[rest] + rng.normal(0, 0.05, len(rest))), x]) for _ in range(3)]
            found = [b for t in tried if (b := _best(world, t, rest, 1e-9)) is not None]
            s = max(found, key=lambda b: float(world.utility(b)), default=s)
            values.append(float(world.utility(s)) if found else -math.inf)
        out[name] = Slice(np.asarray(at), np.array(values))
    return out
