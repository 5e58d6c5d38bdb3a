"""The eight sanity checks of a reward function (Knox et al. 2023), each computed from the function itself.

The names, warning signs and remedies are the paper's as others tell them; how each is computed is ours.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
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
from nomoi.proxies.reward import Reward, Term, rewards

SAMPLES = 2000
POTENTIAL, NEARLY = 1e-6, 1e-2  # shares of a shaping term that no potential explains: below, and at most a warning
SAME, INFLATED = 0.95, 10.0  # correlation, and variance inflation, from which two attributes are one
DEFAULT_OUTCOMES: Sequence[tuple[str, str, bool]] = (
    ("a collision", "collision", True),
    ("running a red light", "red_light", False),
    ("driving in the opposite lane", "opp_lane_frac", False),
    ("leaving the road", "offroad_frac", False),
    ("discomfort of passengers", "accel", False),
)
Cases = Sequence[tuple[str, Reward]]


def gamma_of(reward: Reward) -> float:
    """The discount that returns are taken at: its own, or 1 where the file does not say."""
    return 1.0 if reward.gamma is None else reward.gamma


def unsafe_shaping(reward: Reward, seed: int) -> Finding:
    """1: does what guides behaviour change which behaviour is best?"""
    name = "1 unsafe shaping"
    if reward.call and not reward.terms:
        return Finding(
            name,
            NOT_ENOUGH,
            evidence="a function does not say which of its parts are shaping",
            advice="write the reward as attributes with a kind",
        )
    untagged = [t.name for t in reward.terms if not t.kind]
    shaping = [t for t in reward.terms if t.kind == "shaping"]
    if not shaping:
        if untagged:
            return Finding(
                name,
                NOT_ENOUGH,
                evidence=f"no kind is given for {', '.join(untagged)}",
                advice="give each attribute its kind: outcome, shaping or constraint",
            )
        return Finding(name, PASS, 0.0, POTENTIAL, "no attribute is shaping")
    rest = {t.name: _unexplained(reward, t, seed) for t in shaping}
    if any(math.isnan(v) for v in rest.values()):
        return Finding(name, NOT_ENOUGH, rest, POTENTIAL, "too few steps, or a field that random driving has not")
    worst = max(rest.values())
    status = PASS if worst <= POTENTIAL else WARN if worst <= NEARLY else FAIL
    told = "; ".join(f"{k}: {v:.2g} of it is no difference of a potential of the state" for k, v in rest.items())
    advice = (
        ""
        if status == PASS
        else (
            "give the shaping as a `potential` of the state, paid as gamma Phi(s') - Phi(s), or leave it out; tell the "
            "true return apart from the shaped one"
        )
    )
    return Finding(name, status, worst, POTENTIAL, told, advice)


def _unexplained(reward: Reward, term: Term, seed: int) -> float:
    """The share of a shaping term's square that no potential (quadratic in the state) explains."""
    if term.potential:
        return 0.0
    gamma = gamma_of(reward)
    alone = _only(reward, term)
    if "trajectories" in reward.given:
        before, after, paid_out = [], [], []
        for drive in drives.own(reward).values():
            table = np.stack([np.asarray(c, float) for c in drive.columns.values()], 1)
            before.append(table[:-1])
            after.append(table[1:])
            paid_out.append(paid(alone, drive, gamma)[0][term.name][1:])
        old, new, f = np.concatenate(before), np.concatenate(after), np.concatenate(paid_out)
    else:
        steps, states = drives.sample(reward, SAMPLES, np.random.default_rng(seed))
        f = paid(alone, steps, gamma)[0][term.name]
        old = np.stack(list(states.values()), 1)
        new = np.stack([steps.columns[k] for k in states], 1)
    scale = np.abs(old).max(0) + np.abs(new).max(0)
    used = scale > 0
    features = gamma * _quadratic(new[:, used] / scale[used]) - _quadratic(old[:, used] / scale[used])
    if len(f) < 3 * features.shape[1] or not features.shape[1]:
        return math.nan
    if not np.any(f):
        return 0.0
    fit = features @ np.linalg.lstsq(features, f, rcond=None)[0]
    return float(np.sum((f - fit) ** 2) / np.sum(f**2))


def _quadratic(x: np.ndarray) -> np.ndarray:
    """Features of a state without a constant, which would explain any bonus a step where gamma < 1."""
    pairs = itertools.combinations_with_replacement(range(x.shape[1]), 2)
    return np.concatenate([x, np.stack([x[:, i] * x[:, j] for i, j in pairs], 1)], 1)


def _only(reward: Reward, *terms: Term) -> Reward:
    return dataclasses.replace(reward, terms=terms)


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


def redundant(reward: Reward, seed: int) -> Finding:
    """6: is one thing counted twice?"""
    name = "6 redundant attribute"
    if reward.call and not reward.terms:
        return Finding(
            name,
            NOT_ENOUGH,
            evidence="a function does not name its attributes",
            advice="write the reward as attributes",
        )
    case = next(reward.cases())[1]
    gamma = gamma_of(case)
    if "trajectories" in case.given:
        parts = [paid(case, d, gamma)[0] for d in drives.own(case).values()]
        table = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}
    else:
        steps, _ = drives.sample(case, SAMPLES, np.random.default_rng(seed))
        kept = [t for t in case.terms if not t.potential]
        view = fields.view(case.declared, steps.columns)
        inside = fields.clipped(case.declared, view)[0]
        flat = dataclasses.replace(case, terms=[dataclasses.replace(t, terminal=False) for t in kept])
        table = rewards(flat, inside, {}, gamma, case.title) if kept else {}
    table = {k: v for k, v in table.items() if np.ptp(v) > 0}
    said = [
        (a.name, b.name) for a, b in itertools.combinations(case.terms, 2) if a.measures and a.measures == b.measures
    ]
    found = dict.fromkeys(said, 1.0)
    for a, b in itertools.combinations(table, 2):
        r = float(np.corrcoef(table[a], table[b])[0, 1])
        if abs(r) > SAME:
            found[a, b] = r
    inflated = _inflated(table)
    strict = case.given.get("strict", False)
    twice = [(a, b) for (a, b), r in found.items() if r > 0]
    status = PASS if not found and not inflated else FAIL if strict and twice else WARN
    told = "; ".join(f"{a} and {b} vary together (r = {r:.3g})" for (a, b), r in found.items())
    if inflated and not found:
        told = "; ".join(
            f"{k} is nearly a sum of others (variance inflation {short(v, 3)})" for k, v in inflated.items()
        )
    worst = max([abs(r) for r in found.values()] + [0.0]) if found or not inflated else max(inflated.values())
    return Finding(
        name,
        status,
        worst,
        SAME,
        told or "no two attributes vary together over random steps",
        "keep one of them, with the weight of both" if status != PASS else "",
    )


def _inflated(table: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Attributes whose variance inflation factor is above the bound."""
    if len(table) < 2:
        return {}
    z = np.stack([(v - v.mean()) / v.std() for v in table.values()], 1)
    out = {}
    for k, name in enumerate(table):
        others = np.delete(z, k, 1)
        rest = z[:, k] - others @ np.linalg.lstsq(others, z[:, k], rcond=None)[0]
        factor = float(np.sum(z[:, k] ** 2) / max(float(np.sum(rest**2)), 1e-300))
        if factor > INFLATED:
            out[name] = factor
    return out


def trial_and_error(reward: Reward) -> Finding:
    """7: was the reward shaped until some learner behaved?"""
    name = "7 trial and error"
    if "design" not in reward.given:
        return Finding(
            name,
            NOT_ENOUGH,
            evidence="no function tells how it was made",
            advice="answer under `design`: edits_after_watching, algorithms, separate_true_reward; versions "
            "with the true metric by algorithm, if there were several",
        )
    part = Part(reward.given["design"], f"{reward.title}: design")
    edits = part.number("edits_after_watching", 0, 0)
    part.number("algorithms", 1, 0)
    separate = part.truth("separate_true_reward", False)
    scores: list[dict[str, float]] = []
    for row in part.parts("versions", []):
        true = row.part("true")
        scores.append({a: true.number(a) for a in true.data})
        row.words("name", "")
        row.close()
    part.close()
    if any(s.keys() != scores[0].keys() for s in scores):
        raise Refusal(f"{part.where}: every version needs the true metric of the same algorithms.")
    taus = []
    if len(scores) > 1:
        from scipy.stats import kendalltau  # takes a second to import

        for a, b in itertools.combinations(scores[0], 2):
            taus.append(float(kendalltau([s[a] for s in scores], [s[b] for s in scores]).statistic))
    worst = min((t for t in taus if not math.isnan(t)), default=math.nan)
    told = f"{edits:g} edits after watching a policy, {'with' if separate else 'without'} a true reward of its own"
    if taus:
        told += f"; versions are ranked alike by algorithms with tau = {short(worst)}"
    status = FAIL if worst < 0.5 else WARN if edits > 0 and not separate else PASS
    return Finding(
        name,
        status,
        worst if taus else edits,
        0.5 if taus else 0,
        told,
        "" if status == PASS else "keep a true measure apart from the reward, and test versions with several learners",
    )


def incomplete(reward: Reward) -> Finding:
    """8: could a reader rebuild the task?"""
    name = "8 incomplete description"
    unsaid = [
        word
        for word, there in (
            ("the discount (gamma)", reward.gamma is not None or "gamma" in reward.unknown),
            ("what ends an episode (ends)", reward.ends is not None or not reward.episodic),
            (
                "the limit of time (time_limit_s; none if there is none)",
                reward.time_limit_s is not None or "time_limit_s" in reward.unknown or not reward.episodic,
            ),
            ("the length of a step (dt_s)", reward.dt_s is not None or "dt_s" in reward.unknown),
        )
        if not there
    ]
    open_ = [k for k in ("gamma", "time_limit_s", "dt_s") if k in reward.unknown]
    unsaid += [f"one value of {k} ({', '.join(f'{v:g}' for v in reward.unknown[k])} are possible)" for k in open_]
    lesser = [] if "chosen_by" in reward.given else ["who chose it, and why (chosen_by)"]
    if any(not t.unit for t in reward.terms):
        lesser.append("units of " + ", ".join(t.name for t in reward.terms if not t.unit))
    status = FAIL if unsaid else WARN if lesser else PASS
    told = f"not said: {'; '.join(unsaid + lesser)}" if unsaid or lesser else "all of it is said"
    return Finding(
        name, status, len(unsaid), 0, told, "say it in the file and in the paper" if unsaid or lesser else ""
    )


def humans(reward: Reward, known: Mapping[str, Any]) -> dict[str, float]:
    """Kilometres a collision by kind of driver, with the file's own over nomoi's."""
    out = {k: number(v["km"], f"humans: {k}") for k, v in known.items()}
    if "humans" in reward.given:
        part = Part(reward.given["humans"], f"{reward.title}: humans")
        out |= {k: part.number(k, low=0, open_low=True) for k in part.data}
    return out
