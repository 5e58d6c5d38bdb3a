"""Sanity checks of how a reward is written (1, 6, 7, 8 of the eight; `reward_checks` has the others)."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping

import numpy as np

from nomoi.errors import Refusal
from nomoi.measure.statistics import number as short
from nomoi.proxies import drives, fields
from nomoi.proxies.drives import paid
from nomoi.proxies.findings import FAIL, NOT_ENOUGH, PASS, WARN, Finding
from nomoi.proxies.reading import Part
from nomoi.proxies.reward import Reward, Term, rewards

SAMPLES = 2000
POTENTIAL, NEARLY = 1e-6, 1e-2  # shares of a shaping term that no potential explains: below, and at most a warning
SAME, INFLATED = 0.95, 10.0  # correlation, and variance inflation, from which two attributes are one


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
    strict = Part(case.given, case.title).truth("strict", False)
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
