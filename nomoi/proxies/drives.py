"""What a reward is asked about: three drives (crash, idle, destination), drives of a person's own, and random steps."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Mapping

import numpy as np

from nomoi.errors import Refusal
from nomoi.proxies import fields
from nomoi.proxies.fields import FIELDS
from nomoi.proxies.reading import Part
from nomoi.proxies.reward import Reward, rewards
from nomoi.proxies.tables import columns as read_columns

CRASH, IDLE, DESTINATION = ORDER = ("crash", "idle", "destination")  # from the worst to the best
STEP_S, LIMIT_S = 0.1, 60.0  # where a file does not say (ours)
LONGEST = 2_000_000  # steps of a drive (ours)
OF_EVENTS = [name for name, (unit, _) in FIELDS.items() if unit == "yes or no"]


@dataclasses.dataclass(frozen=True)
class Drive:
    """Steps as columns [K], and the state before the first one; `own` where the columns are a file's own."""

    name: str
    columns: Mapping[str, np.ndarray]
    start: Mapping[str, float]
    own: bool = False

    @property
    def steps(self) -> int:
        """How many."""
        return len(next(iter(self.columns.values())))


def standard(reward: Reward) -> dict[str, Drive]:
    """A drive that crashes on its way, one that never starts, and one that arrives, all at one speed.

    The car rolls at its speed from the first step on, in the middle of its lane.  Where the reward has no limit of
    time, idling lasts as long as arriving takes, at least 60 s.
    """
    s, dt = reward.scenario, reward.dt_s or STEP_S
    takes = s.distance_m / s.speed_mps
    limit = reward.time_limit_s if reward.time_limit_s not in (None, math.inf) else max(LIMIT_S, takes)
    lengths = s.crash_fraction * takes / dt, limit / dt, takes / dt
    if max(lengths) > LONGEST:
        raise Refusal(
            f"a drive of {max(lengths):.3g} steps is too long to audit; a longer dt_s or a shorter distance_m "
            "or time_limit_s would be right."
        )
    steps, out = [max(1, round(length)) for length in lengths], {}
    for name, count in zip(ORDER, steps, strict=True):
        moving = name != IDLE
        c = {field: np.zeros(count) for field in FIELDS}
        speed = s.speed_mps if moving else 0.0
        c["time_s"] = dt * np.arange(1, count + 1)
        c["speed_mps"] += speed
        c["desired_speed_mps"] += s.speed_mps
        c["dist_m"] += speed * dt
        c["progress_m"] += speed * dt
        c["position_m"] = speed * dt * np.arange(1, count + 1)
        c["done"][-1] = 1.0
        if name == CRASH:
            for field in ("collision", f"collision_{s.collision}"):
                c[field][-1] = 1.0
            c["damage"][-1] = math.nan if s.damage is None else s.damage
        elif name == DESTINATION:
            c["at_goal"][-1] = 1.0
        elif reward.time_limit_s is not None:
            c["timeout"][-1] = float(reward.time_limit_s != math.inf)
        start = dict.fromkeys(FIELDS, 0.0) | {"speed_mps": speed, "desired_speed_mps": s.speed_mps}
        out[name] = Drive(name, c, start)
    return out


def own(reward: Reward) -> dict[str, Drive]:
    """The trajectories that the file names: NAME: FILE.csv, or a table of columns."""
    part = Part(reward.given["trajectories"], f"{reward.title}: trajectories")
    out = {}
    for name in part.data:
        given = part.value(name)
        if isinstance(given, str):
            c = read_columns(reward.folder / given)
        else:
            table = Part(given, part.of(name))
            c = {k: np.array([table_number(v, table.of(k)) for v in table.rows(k)]) for k in table.data}
        if not c or len({len(v) for v in c.values()}) != 1 or not len(next(iter(c.values()))):
            raise Refusal(f"{part.of(name)} needs columns of one length, with at least one step.")
        for column, values in c.items():
            if not np.isfinite(values).all():
                k = int(np.flatnonzero(~np.isfinite(values))[0])
                raise Refusal(f"{part.of(name)}: {column} is no finite number at step {k}.")
        out[name] = Drive(name, c, {k: float(v[0]) for k, v in c.items()}, own=True)
    if not out:
        raise Refusal(f"{part.where} has none; give at least two, or leave the key out.")
    return out


def table_number(value: object, where: str) -> float:
    """A cell of a table in the file."""
    if isinstance(value, bool):
        return float(value)
    if not isinstance(value, (int, float)) or not abs(value) <= sys.float_info.max:
        raise Refusal(f"{where} has {str(value)[:40]!r}; finite numbers would be right.")
    return float(value)


def drives(reward: Reward) -> dict[str, Drive]:
    """The file's own trajectories, or else the three drives."""
    return own(reward) if "trajectories" in reward.given else standard(reward)


def paid(reward: Reward, drive: Drive, gamma: float) -> tuple[dict[str, np.ndarray], list[str]]:
    """{attribute: [K] reward}, and the fields that left the range for which the reward was written."""
    view = fields.view(reward.declared, drive.columns, drive.own)
    start = {k: np.array([v]) for k, v in drive.start.items()}
    first = fields.view(reward.declared, start, drive.own)
    inside, left = fields.clipped(reward.declared, view)
    if reward.outside == "clip":
        view, first = inside, fields.clipped(reward.declared, first)[0]
    before = {k: float(v[0]) for k, v in first.items()}
    return rewards(reward, view, before, gamma, f"{reward.title}: trajectory {drive.name!r}"), left


def returns(reward: Reward, gamma: float) -> dict[str, float]:
    """{trajectory: sum of gamma^t r_t}."""
    return {name: total(paid(reward, drive, gamma)[0], gamma) for name, drive in drives(reward).items()}


def total(parts: Mapping[str, np.ndarray], gamma: float) -> float:
    """The return of rewards by attribute; refused where it is too large to be a number."""
    with np.errstate(all="ignore"):
        per_step = sum(parts.values())
        out = float(np.sum(per_step * gamma ** np.arange(len(per_step))))
    if not math.isfinite(out):
        raise Refusal(f"the rewards of a drive ({', '.join(parts)}) sum to {out}; smaller ones would be right.")
    return out


def sample(reward: Reward, count: int, rng: np.random.Generator) -> tuple[Drive, Mapping[str, np.ndarray]]:
    """Random steps of driving as one long drive whose steps do not follow one another, and the states before them.

    Speeds, places and angles of a step and of the one before are drawn near to one another; events happen now and then,
    each on its own, so that two attributes vary together only where they measure one thing.
    """
    s, dt = reward.scenario, reward.dt_s or STEP_S
    standing = rng.random(count) < 0.2
    before = {
        "speed_mps": np.where(standing, 0.0, rng.uniform(0, 2 * s.speed_mps, count)),
        "position_m": rng.uniform(0, s.distance_m, count),
        "lane_dist_m": np.abs(rng.normal(0, 0.7, count)),
        "heading_err_rad": rng.normal(0, 0.2, count),
    }
    still = standing & (rng.random(count) < 0.5)
    accel = np.where(still, 0.0, rng.normal(0, 2, count))
    c = {field: np.zeros(count) for field in FIELDS}
    c["speed_mps"] = np.maximum(before["speed_mps"] + accel * dt, 0)
    c["accel"] = accel
    c["speed_change_mps"] = c["speed_mps"] - before["speed_mps"]
    c["heading_err_rad"] = before["heading_err_rad"] + rng.normal(0, 0.05, count)
    c["lane_dist_m"] = np.abs(before["lane_dist_m"] + rng.normal(0, 0.1, count))
    c["dist_m"] = c["speed_mps"] * dt
    c["progress_m"] = c["dist_m"] * np.cos(c["heading_err_rad"])
    c["position_m"] = before["position_m"] + c["progress_m"]
    c["time_s"] = rng.uniform(0, 60, count)
    c["desired_speed_mps"] += s.speed_mps
    c["steer"], c["jerk"] = rng.uniform(-1, 1, count), rng.normal(0, 1, count)
    for field in ("offroad_frac", "opp_lane_frac"):
        c[field] = np.where(rng.random(count) < 0.2, rng.random(count), 0)
    for field in OF_EVENTS:
        c[field] = np.where(rng.random(count) < 0.1, 1.0, 0.0)
    kind = rng.integers(0, 3, count)
    for k, field in enumerate(("collision_vehicle", "collision_pedestrian", "collision_other")):
        c[field] = np.where(kind == k, c["collision"], 0.0)
    c["damage"] = c["collision"] * rng.uniform(0, 1, count)
    return Drive("random steps", c, dict.fromkeys(FIELDS, 0.0)), before
