"""The audit of a reward function: eight checks, the point of indifference, and kilometres a crash against people's."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from nomoi.proxies import drives, reward_checks, reward_form
from nomoi.proxies.drives import CRASH, DESTINATION, IDLE, paid
from nomoi.proxies.findings import Audit
from nomoi.proxies.indifference import CRASHES, VALID, indifference, needed, sensitivity
from nomoi.proxies.reading import number, read
from nomoi.proxies.reward import Reward, find

DATA = Path(__file__).parent / "data"


@lru_cache
def baselines() -> Mapping[str, Any]:
    """Kilometres a collision of people, with sources."""
    return read(DATA / "humans.yaml")


def papers() -> dict[str, Path]:
    """Reward functions in print, as files that are like anyone's, by key."""
    return {p.stem: p for p in sorted((DATA / "rewards").glob("*.yaml"))}


def audit(given: Reward | str | Path, gamma: float | None = None, outside: str | None = None, seed: int = 0) -> Audit:
    """All eight checks.  `gamma` and `outside` say what the file does not, or otherwise than it does."""
    reward = given if isinstance(given, Reward) else find(given)
    if gamma is not None:
        number(gamma, "gamma", 0, 1, open_low=True)
        reward = dataclasses.replace(
            reward, gamma=gamma, unknown={k: v for k, v in reward.unknown.items() if k != "gamma"}
        )
    if outside is not None and reward.ranged:
        reward = reward.settled({"outside": outside})
    people = reward_checks.humans(reward, baselines())
    first = next(reward.cases())[1]
    findings = (
        reward_form.unsafe_shaping(first, seed),
        reward_checks.preference_order(reward),
        reward_checks.risk_tolerance(reward, people),
        reward_checks.loophole(reward),
        reward_checks.missing_attribute(reward),
        reward_form.redundant(reward, seed),
        reward_form.trial_and_error(reward),
        reward_form.incomplete(reward),
    )
    details, drawn = _numbers(reward, people)
    return Audit("reward", reward.title, findings, details | {"humans_km": people}, _notes(reward), drawn)


def _notes(reward: Reward) -> list[str]:
    out = []
    if reward.gamma is None and "gamma" not in reward.unknown:
        out.append("No gamma is given: returns are those of gamma = 1, and may be otherwise with another.")
    if reward.dt_s is None and "dt_s" not in reward.unknown:
        out.append(f"No dt_s is given: a step is taken to last {drives.STEP_S:g} s (ours).")
    if "trajectories" not in reward.given and reward.episodic:
        s = reward.scenario
        takes = s.distance_m / s.speed_mps
        limit = (
            "the limit of time"
            if reward.time_limit_s not in (None, math.inf)
            else f"{max(drives.LIMIT_S, takes):g} s (no limit is given)"
        )
        out.append(
            f"Drives of {s.distance_m:g} m at {s.speed_mps:.3g} m/s: one arrives, one crashes after "
            f"{s.crash_fraction:g} of the way, one stands still for {limit}."
        )
    return out


def _numbers(reward: Reward, people: Mapping[str, float]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns and points of indifference of every case, at the file's own discount and at 1; and what is drawn."""
    if reward_checks.lacking(reward):
        return {}, {}
    rated = not reward_checks.rated(reward)
    cases, drawn = {}, {}
    for words, case in reward.cases():
        row: dict[str, Any] = {}
        for label, gamma in {"own gamma": reward_form.gamma_of(case), "gamma 1": 1.0}.items():
            if not case.episodic and "trajectories" not in case.given:
                continue
            row[label] = {"gamma": gamma, "returns": drives.returns(case, gamma)}
            if rated:
                i = reward_checks.point(case, gamma)
                row[label] |= {"p": i.p, "km": i.km, "kind": i.kind}
        cases[words or "as given"] = row
    first = next(reward.cases())[1]
    out: dict[str, Any] = {"cases": cases}
    if rated and first.terms:
        sums = _sums(first)
        out["sensitivity"] = {t.name: sensitivity(lambda f, t=t: _km(first, sums, t.name, f)) for t in first.terms}
        target = number(
            first.given.get("target_km", people["drunk_16_17"]), f"{first.title}: target_km", 0, open_low=True
        )
        s = first.scenario
        crashing = {a: size for a in sums[CRASH] if (size := _crashes(first, a)) > 1e-12}
        factors = {a: needed(sums, a, target, s.distance_m / 1000, s.crash_fraction) for a in crashing}
        weights = {t.name: t.weight for t in first.terms}
        out["weight_needed"] = {
            a: {"target_km": target, "weight": f * weights[a], "now": weights[a]} for a, f in factors.items() if f > 0
        }
        if out["weight_needed"]:
            a = max(out["weight_needed"], key=lambda a: crashing[a])
            grid = np.geomspace(0.1, max(4.0, 2 * factors[a]), 60).tolist()
            drawn = {
                "attribute": a,
                "now": weights[a],
                "needed": factors[a] * weights[a],
                "weights": [f * weights[a] for f in grid],
                "km": [_km(first, sums, a, f) for f in grid],
            }
    return out, drawn


def _sums(reward: Reward) -> dict[str, dict[str, float]]:
    """{trajectory: {attribute: its part of the return}}."""
    gamma = reward_form.gamma_of(reward)
    out = {}
    for name, drive in drives.drives(reward).items():
        parts = paid(reward, drive, gamma)[0]
        out[name] = {a: drives.total({a: v}, gamma) for a, v in parts.items()}
    return out


def _km(reward: Reward, sums: Mapping[str, Mapping[str, float]], attribute: str, factor: float) -> float:
    """Kilometres a crash where one attribute weighs `factor` times as much; NaN where there is no such point."""
    g = {name: sum(v * (factor if a == attribute else 1) for a, v in parts.items()) for name, parts in sums.items()}
    s = reward.scenario
    i = indifference(g[CRASH], g[IDLE], g[DESTINATION], s.distance_m / 1000, s.crash_fraction)
    return i.km if i.kind == VALID else 0.0 if i.kind != CRASHES and i.km == 0 else math.nan


def _crashes(reward: Reward, attribute: str) -> float:
    """By how much an attribute pays otherwise in the last step of a crash than in that step of a drive that arrives."""
    every, gamma = drives.drives(reward), reward_form.gamma_of(reward)
    crash, calm = (paid(reward, every[name], gamma)[0][attribute] for name in (CRASH, DESTINATION))
    last = min(len(crash), len(calm)) - 1
    return abs(float(crash[-1] - calm[last]))
