"""At which chance of a crash a reward is indifferent between driving and standing still; what that is in kilometres.

r(idle) = p r(crash) + (1 - p) r(destination) (Knox et al. 2023).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping

VALID, ALWAYS, NEVER, CRASHES, UNDEFINED = "valid", "always drives", "never drives", "prefers crashing", "undefined"
TIE = 1e-9


@dataclasses.dataclass(frozen=True)
class Indifference:
    """p    the chance of a crash at which driving is worth as much as idling;  km   kilometres a crash at that chance.

    kind    "valid", "always drives" (at any rate of crashes: km is 0), "never drives" (km is infinite), "prefers
            crashing" to arriving, "undefined" (both drives are worth the same)
    """

    p: float
    km: float
    kind: str


def tied(a: float, b: float) -> bool:
    """Whether two returns are one, but for float dust."""
    return bool(abs(a - b) <= TIE * max(1.0, abs(a), abs(b)))


def indifference(crash: float, idle: float, destination: float, distance_km: float, fraction: float) -> Indifference:
    """From three returns and a drive of `distance_km` that crashes, if it does, after `fraction` of it."""
    if tied(crash, destination):
        return Indifference(math.nan, math.nan, UNDEFINED)
    p = (destination - idle) / (destination - crash)
    if destination < crash:
        return Indifference(p, 0.0, CRASHES)
    if idle <= crash or tied(idle, crash):
        return Indifference(p, 0.0, ALWAYS)
    if destination <= idle or tied(idle, destination):
        return Indifference(p, math.inf, NEVER)
    return Indifference(p, kilometres(p, distance_km, fraction), VALID)


def kilometres(p: float, distance_km: float, fraction: float) -> float:
    """Kilometres a crash, where a trip crashes with chance p after a fraction of its way."""
    return distance_km * ((1 - p) / p + fraction)


def chance(km: float, distance_km: float, fraction: float) -> float:
    """The chance of a crash a trip at which there are so many kilometres a crash."""
    return distance_km / (km + distance_km * (1 - fraction))


def needed(
    parts: Mapping[str, Mapping[str, float]], name: str, km: float, distance_km: float, fraction: float
) -> float:
    """By what the attribute `name` must be multiplied for the point of indifference to lie at `km`; NaN if by nothing.

    parts    {crash, idle, destination: {attribute: its part of the return}}
    """
    p = chance(km, distance_km, fraction)
    gap = lambda a: parts["idle"][a] - p * parts["crash"][a] - (1 - p) * parts["destination"][a]  # noqa: E731
    rest = sum(gap(a) for a in parts["idle"] if a != name)
    return -rest / gap(name) if abs(gap(name)) > 1e-300 else math.nan


def sensitivity(of: Callable[[float], float], step: float = 0.01) -> float:
    """d ln km / d ln w, from two values of w one per cent to either side."""
    low, high = of(1 - step), of(1 + step)
    if not (0 < low < math.inf and 0 < high < math.inf):
        return math.nan
    return (math.log(high) - math.log(low)) / (math.log(1 + step) - math.log(1 - step))
