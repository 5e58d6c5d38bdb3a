"""Sanity checks of what a reward wants (2 to 5 of the eight of Knox et al. 2023), computed from the function itself.

The names, warning signs and remedies are the paper's as others tell them; how each is computed is ours.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nomoi.errors import Refusal
from nomoi.measure.statistics import number as short
from nomoi.proxies import drives, fields, graphs
from nomoi.proxies.drives import CRASH, DESTINATION, IDLE, ORDER, paid, total
from nomoi.proxies.findings import FAIL, NOT_APPLICABLE, NOT_ENOUGH, PASS, WARN, Finding
from nomoi.proxies.indifference import ALWAYS, CRASHES, NEVER, UNDEFINED, VALID, Indifference, indifference, tied
from nomoi.proxies.reading import Part, number
from nomoi.proxies.reward import Reward
from nomoi.proxies.reward_form import gamma_of

DEFAULT_OUTCOMES: Sequence[tuple[str, str, bool]] = (
    ("a collision", "collision", True),
    ("running a red light", "red_light", False),
    ("driving in the opposite lane", "opp_lane_frac", False),
    ("leaving the road", "offroad_frac", False),
    ("discomfort of passengers", "accel", False),
)


def pairs(reward: Reward) -> list[tuple[str, str]]:
    """(worse, better) trajectories, as the file orders them, or as people do."""
    if "prefer" in reward.given:
        rows = reward.given["prefer"]
        names = list(drives.drives(reward))
        if isinstance(rows, str) or not isinstance(rows, Sequence) or len(rows) < 2:
            raise Refusal(
                f"{reward.title}: prefer is {rows!r}; trajectories from the worst to the best would be right."
            )
        for row in rows:
            if row not in names:
                raise Refusal(f"{reward.title}: prefer has {row!r}; the trajectories are {', '.join(names)}.")
        if twice := [row for k, row in enumerate(rows) if row in rows[:k]]:
            raise Refusal(f"{reward.title}: prefer has {twice[0]!r} twice; each trajectory once would be right.")
        return list(itertools.combinations(rows, 2))
    there = [n for n in ORDER if n in drives.drives(reward)]
    return list(itertools.combinations(there, 2))


def lacking(reward: Reward) -> str:
    """What keeps drives from being valued at all; empty where nothing does."""
    if "trajectories" in reward.given:
        return ""
    if reward.reads("damage") and reward.scenario.damage is None and "damage" not in reward.unknown:
        return "the reward reads damage, and the file gives no scenario: damage (how much a crash does, in its unit)"
    return ""


def _settled(reward: Reward, name: str, judge: Callable[[Reward], Finding]) -> Finding:
    """A finding over all that is unknown: undecided where the cases disagree."""
    if not reward.unknown:
        return judge(reward)
    found = [(words, judge(case)) for words, case in reward.cases()]
    statuses = {f.status for _, f in found}
    told = "; ".join(f"with {words}: {f.status} ({f.evidence})" for words, f in found[:8])
    if len(found) > 8:
        told += f"; and {len(found) - 8} more"
    if len(statuses) == 1:
        one = found[0][1]
        told = f"in all {len(found)} cases; {told}" if len(found) > 1 else told
        return Finding(name, one.status, one.value, one.threshold, told, one.advice)
    advice = f"the description leaves open what decides: {', '.join(reward.unknown)}; say which it is"
    return Finding(name, NOT_ENOUGH, {w: f.value for w, f in found}, found[0][1].threshold, told, advice)


def preference_order(reward: Reward) -> Finding:
    """2: is what people hold worse worth less?"""
    name = "2 preference order"
    if not reward.episodic and "trajectories" not in reward.given:
        return Finding(name, NOT_APPLICABLE, evidence="the task does not end, so nothing arrives")
    if missing := lacking(reward):
        return Finding(name, NOT_ENOUGH, evidence=missing, advice="give it, or its possible values under `unknown`")
    order = pairs(reward)
    if not order:
        return Finding(
            name,
            NOT_ENOUGH,
            evidence="nobody says which trajectory is better",
            advice="give `prefer`: trajectories from the worst to the best",
        )

    def judge(case: Reward) -> Finding:
        g = drives.returns(case, gamma_of(case))
        wrong = [(bad, good) for bad, good in order if g[bad] >= g[good] or tied(g[bad], g[good])]
        told = ", ".join(f"{k} {short(v, 6)}" for k, v in g.items())
        if wrong:
            for bad, good in wrong:
                told += f"; {bad} is worth {'as much as' if tied(g[bad], g[good]) else 'more than'} {good}"
        advice = "what is worse pays as much or more: change the weights until the order is right" if wrong else ""
        return Finding(name, FAIL if wrong else PASS, len(wrong), 0, told, advice)

    return _settled(reward, name, judge)


def point(reward: Reward, gamma: float | None = None) -> Indifference:
    """The point of indifference of a reward in which nothing is unknown."""
    g = drives.returns(reward, gamma_of(reward) if gamma is None else gamma)
    s = reward.scenario
    return indifference(g[CRASH], g[IDLE], g[DESTINATION], s.distance_m / 1000, s.crash_fraction)


def rated(reward: Reward) -> str:
    """Why there is no point of indifference to ask for; empty where there is one."""
    if not reward.episodic:
        return "the task does not end, so nothing arrives"
    if "trajectories" in reward.given and not set(ORDER) <= set(reward.given["trajectories"]):
        return f"the trajectories are not {', '.join(ORDER)}"
    return ""


def risk_tolerance(reward: Reward, humans: Mapping[str, float]) -> Finding:
    """3: at which rate of crashes does the reward still want to drive?"""
    name = "3 risk tolerance"
    if why := rated(reward):
        return Finding(name, NOT_APPLICABLE, evidence=why)
    if missing := lacking(reward):
        return Finding(name, NOT_ENOUGH, evidence=missing, advice="give it, or its possible values under `unknown`")
    least, usual = humans["drunk_16_17"], humans["average"]

    def judge(case: Reward) -> Finding:
        i = point(case)
        words = {
            ALWAYS: "drives at any rate of crashes",
            NEVER: "never drives, however safely",
            CRASHES: "is paid better for crashing than for arriving",
            UNDEFINED: "crashing and arriving are worth the same",
        }
        if i.kind == VALID:
            told = f"indifferent at p = {short(i.p, 4)}, {short(i.km, 4)} km a crash"
            status = FAIL if i.km < least else WARN if i.km < usual else PASS
        else:
            told, status = words[i.kind], WARN if i.kind == NEVER else FAIL
        advice = (
            ""
            if status == PASS
            else (
                "idling is worth more than arriving: lower what time costs less than arriving pays"
                if i.kind == NEVER
                else f"it approves of driving that crashes more often than people's (drunk, 16 to 17: {least:,.0f} km; "
                f"sober adults: {usual:,.0f} km): weigh collisions more, see what weight is needed"
            )
        )
        return Finding(name, status, i.km, least, told, advice)

    return _settled(reward, name, judge)


def loophole(reward: Reward) -> Finding:
    """4: does something pay better for ever than what is wanted pays once?"""
    name = "4 learnable loophole"
    if "graph" in reward.given:
        return graphs.loop(reward, name)
    if "rollouts" in reward.given:
        return graphs.flagged(reward, name)
    if "trajectories" in reward.given:
        return Finding(
            name,
            NOT_ENOUGH,
            evidence="neither a `graph` of the task nor `rollouts` of what was learned",
            advice="give one of them",
        )
    if not reward.episodic:
        return Finding(name, NOT_APPLICABLE, evidence="the task does not end, so nothing arrives")
    if missing := lacking(reward):
        return Finding(name, NOT_ENOUGH, evidence=missing, advice="give it, or its possible values under `unknown`")

    def judge(case: Reward) -> Finding:
        gamma = gamma_of(case)
        every = drives.standard(case)
        goal = total(paid(case, every[DESTINATION], gamma)[0], gamma)
        aimless = {what: total(paid(case, drive, gamma)[0], gamma) for what, drive in graphs.aimless(case).items()}
        what, best = max(aimless.items(), key=lambda item: item[1])
        bad = best > goal and not tied(best, goal)
        told = f"{what} brings {short(best, 4)} until time is up, arriving {short(goal, 4)}"
        advice = f"{what} pays more than arriving: pay for progress towards the destination" if bad else ""
        return Finding(name, FAIL if bad else PASS, best, goal, told, advice)

    return _settled(reward, name, judge)


def missing_attribute(reward: Reward) -> Finding:
    """5: is there an outcome that people care about, and the reward does not?"""
    name = "5 missing attribute"
    own = "trajectories" in reward.given
    if own and "outcomes" not in reward.given:
        return Finding(
            name,
            NOT_ENOUGH,
            evidence="no list of outcomes",
            advice="give `outcomes`: name, field, and whether it must count",
        )
    case = next(reward.cases())[1]
    wanted = _outcomes(case)
    if lacking(case):
        case = dataclasses.replace(case, scenario=dataclasses.replace(case.scenario, damage=0.0))
    blind, must = [], []
    base = next(reversed(drives.drives(case).values()))
    for label, field, needed in wanted:
        if not any(abs(a) > 1e-12 for a in _moves(case, base, field)):
            blind.append(label)
            must += [label] if needed else []
    status = FAIL if must else WARN if blind else PASS
    told = f"no reward moves with {', '.join(blind)}" if blind else f"it moves with all {len(wanted)} outcomes"
    return Finding(
        name, status, len(blind), 0, told, "add an attribute for each, or say why none is needed" if blind else ""
    )


def _outcomes(reward: Reward) -> list[tuple[str, str, bool]]:
    if "outcomes" not in reward.given:
        return list(DEFAULT_OUTCOMES)
    out = []
    known = set(
        fields.view(reward.declared, next(iter(drives.drives(reward).values())).columns, "trajectories" in reward.given)
    )
    for row in Part({"outcomes": reward.given["outcomes"]}, reward.title).parts("outcomes"):
        field = row.choice("field", known)
        out.append((row.words("name", field), field, row.truth("must", False)))
        row.close()
    return out


def _moves(reward: Reward, drive: drives.Drive, field: str) -> list[float]:
    """By how much each step's reward changes where one outcome is changed in the middle of a drive, all else equal."""
    gamma = gamma_of(reward)
    middle = drive.steps // 2
    means = reward.declared[field].means if field in reward.declared and reward.declared[field].means else field
    column = reward.declared[field].column if drive.own and field in reward.declared else means
    names = [column]
    if means == "collision":
        names = [n for n in ("collision", f"collision_{reward.scenario.collision}", "damage") if n in drive.columns]
    changed = dict(drive.columns)
    for name in names:
        changed[name] = np.array(changed[name], float)
        changed[name][middle] += 1.0
    one = sum(paid(reward, drive, gamma)[0].values())
    two = sum(paid(reward, dataclasses.replace(drive, columns=changed), gamma)[0].values())
    return list(np.asarray(two - one, float))


def humans(reward: Reward, known: Mapping[str, Any]) -> dict[str, float]:
    """Kilometres a collision by kind of driver, with the file's own over nomoi's."""
    out = {k: number(v["km"], f"humans: {k}") for k, v in known.items()}
    if "humans" in reward.given:
        part = Part(reward.given["humans"], f"{reward.title}: humans")
        out |= {k: part.number(k, low=0, open_low=True) for k in part.data}
    return out
