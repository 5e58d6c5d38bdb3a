"""Loopholes: what goes in circles and is paid for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from nomoi.errors import Refusal
from nomoi.measure.statistics import number as short
from nomoi.proxies import drives
from nomoi.proxies.drives import Drive, paid
from nomoi.proxies.findings import FAIL, PASS, WARN, Finding
from nomoi.proxies.reading import Part
from nomoi.proxies.reward import Reward, rewards
from nomoi.proxies.tables import columns as read_columns

FLAGGED = 0.1  # share of what was earned in behaviour that nobody wants, from which it is said


def aimless(reward: Reward) -> Mapping[str, Drive]:
    """Ways to spend the time without arriving: standing, and going in circles at speed, with and without overtaking."""
    every = drives.standard(reward)
    idle, moving = every[drives.IDLE], every[drives.DESTINATION]
    n, dt = idle.steps, reward.dt_s or drives.STEP_S
    circle = dict(idle.columns)
    for field in ("speed_mps", "dist_m"):
        circle[field] = np.full(n, moving.columns[field][0])
    # it goes round: what is gained on one half of the circle is lost on the other
    phase = 2 * np.pi * np.arange(1, n + 1) * dt / 20
    circle["heading_err_rad"] = np.zeros(n)
    circle["progress_m"] = circle["dist_m"] * np.cos(phase)
    circle["position_m"] = np.cumsum(circle["progress_m"])
    weave = circle | {"lane_change": np.ones(n), "overtook": (np.arange(n) % 2 == 0).astype(float)}
    start = moving.start
    return {
        "standing still": idle,
        "driving in circles": Drive("circles", circle, start),
        "weaving past others in circles": Drive("weaving", weave, start),
    }


WAYS = 100_000  # moves that are tried in search of the best way (ours)
MOVES = 100_000  # that are looked ahead in search of the best loop (ours)


def _straight(moves: Sequence[tuple[str, str, float]], start: str, goals: set[str], gamma: float) -> float:
    """The best return of a way to a goal that passes no place twice; of the first ways found where there are many."""
    onward: dict[str, list[tuple[str, float]]] = {}
    for a, b, value in moves:
        onward.setdefault(a, []).append((b, value))
    best, tried = -math.inf, 0
    stack = [(start, frozenset([start]), 0.0, 1.0)]
    while stack and tried < WAYS:
        place, passed, earned, discount = stack.pop()
        for b, value in onward.get(place, ()):
            tried += 1
            now = earned + discount * value
            if b in goals:
                best = max(best, now)
            elif b not in passed:
                stack.append((b, passed | {b}, now, discount * gamma))
    return best


def loop(reward: Reward, name: str) -> Finding:
    """The best that can be had without ever arriving, by value iteration on a graph, against the best way that arrives.

    graph: {start: a, goals: [z], moves: [{from: a, to: b, reward: 1} or {from, to, FIELD: value, ...}]}
    """
    part = Part(reward.given["graph"], f"{reward.title}: graph")
    start, goals = part.words("start"), {str(goal) for goal in part.rows("goals")}
    moves = []
    for row in part.parts("moves"):
        a, b = row.words("from"), row.words("to")
        if "reward" in row:
            value = row.number("reward")
        else:
            view = {k: np.array([row.number(k)]) for k in row.data if k not in ("from", "to")}
            if not view:
                raise Refusal(f"{row.where} needs a reward, or fields that the reward reads.")
            value = float(sum(v[0] for v in rewards(reward, view, {}, 1.0, row.where).values()))
        row.close()
        moves.append((a, b, value))
    horizon = part.number("horizon", None, 1)
    part.close()
    places = sorted({p for a, b, _ in moves for p in (a, b)} | {start})
    if goals - set(places):
        raise Refusal(f"{part.where}: the goal {sorted(goals - set(places))[0]!r} is where no move leads.")
    gamma = reward.gamma if reward.gamma is not None else 1.0
    if gamma == 1 and horizon is None:
        raise Refusal(f"{part.where} needs a horizon (steps) where gamma is 1.")
    steps = int(horizon) if horizon else max(10, math.ceil(math.log(1e-12) / math.log(gamma)))
    if steps > MOVES:
        raise Refusal(
            f"{part.where} is to be looked ahead for {steps:,} moves; a horizon of at most {MOVES:,} would be right."
        )
    at = {p: k for k, p in enumerate(places)}
    ends = np.array([p in goals for p in places])
    source, to = (np.array([at[m[i]] for m in moves]) for i in (0, 1))
    value = np.array([m[2] for m in moves])
    staying = np.zeros(len(places))
    for _ in range(steps):  # the best within so many steps that never arrives
        new = np.full(len(places), -np.inf)
        np.maximum.at(new, source, np.where(ends[to], -np.inf, value + gamma * staying[to]))
        staying = new
    never, goal = float(staying[at[start]]), _straight(moves, start, goals, gamma)
    bad = never > goal
    told = f"never arriving brings {short(never, 5)}, arriving at best {short(goal, 5)}"
    return Finding(
        name,
        FAIL if bad else PASS,
        never,
        goal,
        told,
        "what pays on the way can be had again and again: pay for it once" if bad else "",
    )


def flagged(reward: Reward, name: str) -> Finding:
    """The share of what was earned in steps that people flagged as undesired.

    rollouts: {file: learned.csv, undesired: COLUMN}
    """
    part = Part(reward.given["rollouts"], f"{reward.title}: rollouts")
    table = read_columns(reward.folder / part.words("file"))
    column = part.choice("undesired", list(table))
    part.close()
    drive = Drive("rollouts", table, {k: float(v[0]) for k, v in table.items()}, own=True)
    parts = paid(reward, drive, 1.0)[0]
    marked = np.asarray(table[column]) != 0
    per_step = np.asarray(sum(parts.values()), float)
    earned = float(np.maximum(per_step, 0).sum())
    share = float(np.maximum(per_step, 0)[marked].sum()) / earned if earned else 0.0
    lead = {
        k: float(v[marked].mean() - v[~marked].mean()) if 0 < marked.sum() < len(marked) else 0.0
        for k, v in parts.items()
    }
    most = max(lead, key=lambda k: lead[k])
    told = f"{share:.3g} of all that is earned above zero is earned in flagged steps"
    if share > FLAGGED:
        told += f"; of its attributes {most} pays most for them"
    return Finding(
        name,
        WARN if share > FLAGGED else PASS,
        share,
        FLAGGED,
        told,
        f"take away what {most} pays for it" if share > FLAGGED else "",
    )
