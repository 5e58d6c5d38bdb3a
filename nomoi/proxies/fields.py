"""What a step of driving holds: fields with units, under the names that a reward's own file gives them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from nomoi.errors import Refusal, nearest
from nomoi.proxies.expression import identifier
from nomoi.proxies.reading import Part, number

# how many of each unit make one of the first, which is nomoi's own
UNITS: Mapping[str, Mapping[str, float]] = {
    "speed": {"m/s": 1.0, "km/h": 3.6, "kph": 3.6, "mph": 3600 / 1609.344, "ft/s": 1 / 0.3048, "cm/s": 100.0},
    "length": {"m": 1.0, "km": 1e-3, "cm": 100.0, "mi": 1 / 1609.344, "ft": 1 / 0.3048},
    "time": {"s": 1.0, "ms": 1e3, "min": 1 / 60, "h": 1 / 3600},
    "angle": {"rad": 1.0, "deg": 180 / math.pi},
    "acceleration": {"m/s^2": 1.0, "g": 1 / 9.80665, "km/h/s": 3.6},
    "share": {"1": 1.0, "%": 100.0},
    "yes or no": {"1": 1.0},
    "number": {"1": 1.0},
}

# name -> what is measured, meaning; each is of one step, which ends in the state that it tells of
FIELDS: Mapping[str, tuple[str, str]] = {
    "time_s": ("time", "since the start"),
    "position_m": ("length", "along the way to the destination"),
    "speed_mps": ("speed", "speed"),
    "speed_change_mps": ("speed", "change of speed in the step"),
    "dist_m": ("length", "driven in the step"),
    "progress_m": ("length", "gained in the step on the way to the destination"),
    "desired_speed_mps": ("speed", "speed that is wanted on this road"),
    "lane_dist_m": ("length", "from the middle of the lane"),
    "heading_err_rad": ("angle", "between the heading and the road"),
    "offroad_frac": ("share", "of the car that is off the road"),
    "opp_lane_frac": ("share", "of the car that is in the opposite lane"),
    "steer": ("number", "steering, -1 to 1"),
    "accel": ("acceleration", "acceleration"),
    "jerk": ("number", "change of acceleration, m/s^3"),
    "damage": ("number", "damage done in the step, in the unit that the reward means"),
    "collision": ("yes or no", "a collision with whatever it is"),
    "collision_vehicle": ("yes or no", "a collision with a vehicle"),
    "collision_pedestrian": ("yes or no", "a collision with a pedestrian"),
    "collision_other": ("yes or no", "a collision with something else"),
    "lane_change": ("yes or no", "a change of lane"),
    "overtook": ("yes or no", "a car was overtaken"),
    "red_light": ("yes or no", "a red light was run"),
    "wrong_lane": ("yes or no", "in a lane that does not lead to the destination"),
    "at_goal": ("yes or no", "the destination is reached"),
    "timeout": ("yes or no", "time is up"),
    "done": ("yes or no", "the episode ends with this step"),
}
Columns = Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Field:
    """A name of the file's own: the field that it means, how many of its unit make one of ours, its range, its column.

    `means` is empty where it is a column of the file's own trajectories that no field is like.
    """

    name: str
    means: str = ""
    factor: float = 1.0
    low: float = -math.inf
    high: float = math.inf
    column: str = ""

    @property
    def bounded(self) -> bool:
        """Whether the file gives it a range."""
        return (self.low, self.high) != (-math.inf, math.inf)


def read(part: Part) -> dict[str, Field]:
    """The fields that a file declares: NAME: FIELD, or NAME: {means, unit, range, column}."""
    out = {}
    for name in part.data:
        given = part.value(name)
        one = Part({"means": given} if isinstance(given, str) else given, part.of(name))
        if not identifier(name):
            raise Refusal(
                f"{part.where}: {name!r} can be no name in an expression; letters, digits and _ are right "
                "(a column of another name is said by `column:`)."
            )
        means = one.choice("means", FIELDS, "")
        kind = FIELDS[means][0] if means else ""
        unit = one.value("unit", "") or (next(iter(UNITS[kind])) if means else "")
        if means and str(unit) not in UNITS[kind]:
            raise Refusal(f"{one.of('unit')} is {unit!r}; {nearest(str(unit), UNITS[kind], f'{kind} unit')}")
        low, high = -math.inf, math.inf
        if "range" in one:
            ends = one.rows("range")
            if len(ends) != 2:
                raise Refusal(f"{one.of('range')} is {ends!r}; two numbers, such as [0, 100], would be right.")
            low, high = (number(end, one.of("range"), infinite=True) for end in ends)
            if not low < high:
                raise Refusal(f"{one.of('range')} is {ends!r}; the lower number comes first.")
        column = one.words("column", name)
        one.close()
        out[name] = Field(name, means, UNITS[kind][str(unit)] if means else 1.0, low, high, column)
    return out


def view(declared: Mapping[str, Field], columns: Columns, own: bool = False) -> dict[str, np.ndarray]:
    """Columns under all names that an expression may read; those that are declared in the file's own units.

    columns   nomoi's fields; with `own`, those of a file of trajectories, in the units that were declared
    """
    out: dict[str, Any] = {}
    if own:
        out |= columns
        for field in declared.values():
            if field.column in columns:
                out[field.name] = columns[field.column]
                if field.means:
                    out.setdefault(field.means, columns[field.column] / field.factor)
        return out
    out |= columns
    for field in declared.values():
        if field.means in columns:
            out[field.name] = columns[field.means] * field.factor
    return out


def clipped(declared: Mapping[str, Field], columns: Columns) -> tuple[dict[str, np.ndarray], list[str]]:
    """A view with every ranged field put inside of its range, and which of them had left it."""
    out, left = dict(columns), []
    for field in declared.values():
        if field.bounded and field.name in out:
            inside = np.clip(out[field.name], field.low, field.high)
            if not np.allclose(inside, out[field.name], rtol=1e-12, atol=1e-12):
                left.append(field.name)
            out[field.name] = inside
    return out, left
