"""The audit of a label: a table of people with a score, a need, a proxy that stands in for it, and groups."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nomoi.errors import Refusal
from nomoi.measure.statistics import number as short
from nomoi.proxies import labels, tables
from nomoi.proxies.findings import FAIL, NOT_APPLICABLE, NOT_ENOUGH, PASS, WARN, Audit, Finding

Z = 1.96  # standard errors from which a gap is one
SHARE = 0.03  # of people on top whose outcomes are counted (Mullainathan & Obermeyer 2021)
LARGE, FEWER = 200_000, 20  # rows from which fewer shuffles are made, and how many (ours)


@dataclasses.dataclass(frozen=True)
class People:
    """The table: every column [n]; group [n] as the number of its name; dropped rows by the column that was empty."""

    title: str
    score: np.ndarray
    needs: Mapping[str, np.ndarray]
    proxies: Mapping[str, np.ndarray]
    others: Mapping[str, np.ndarray]
    group: np.ndarray
    groups: Sequence[str]
    weight: np.ndarray | None = None
    dropped: Mapping[str, int] = dataclasses.field(default_factory=dict)


def load(
    path: str | Path,
    score: str,
    need: Sequence[str],
    group: str,
    proxy: Sequence[str] = (),
    other: Sequence[str] = (),
    weight: str = "",
    drop: bool = False,
) -> People:
    """The columns of a CSV; empty cells are refused, or with `drop` their rows are left out and counted."""
    for option, given in (("score", score), ("need", need), ("group", group)):
        if not given:
            names = tables.head(path)[1]
            raise Refusal(f"--{option} is not given; name its column, one of {', '.join(names[:30])}.")
    columns = [score, *need, *proxy, *other, *([weight] if weight else [])]
    table = tables.load(path, [*columns, group])
    numbers = {name: tables.numbers(table[name], name, path) for name in dict.fromkeys(columns)}
    words, codes = tables.levels(table[group], group, path)
    empty = {name: np.isnan(v) for name, v in numbers.items()} | {group: codes < 0}
    lost = {name: int(e.sum()) for name, e in empty.items() if e.any()}
    if lost and not drop:
        name, count = next(iter(lost.items()))
        raise Refusal(
            f"{path}: {name} is empty in {count:,} of {len(codes):,} rows; fill them, or leave those "
            "rows out with --drop."
        )
    kept = ~np.logical_or.reduce(list(empty.values()))
    numbers, codes = {k: v[kept] for k, v in numbers.items()}, codes[kept]
    return checked(
        People(
            Path(path).name,
            numbers[score],
            {n: numbers[n] for n in need},
            {n: numbers[n] for n in proxy},
            {n: numbers[n] for n in other},
            codes,
            words,
            numbers[weight] if weight else None,
            lost,
        ),
        score,
        group,
        weight,
    )


def checked(people: People, score: str = "the score", group: str = "the group", weight: str = "the weight") -> People:
    """The people; refused where nothing can be said of them."""
    there = np.bincount(people.group, minlength=len(people.groups))
    names = [name for name, count in zip(people.groups, there, strict=True) if count]
    if len(names) < 2:
        raise Refusal(
            f"{people.title}: {group} has {'one level, ' + repr(names[0]) if names else 'no level'}; at least "
            "two groups would be right."
        )
    if len(names) > 50:
        raise Refusal(f"{people.title}: {group} has {len(names):,} levels; at most 50 groups would be right.")
    if np.ptp(people.score) == 0:
        raise Refusal(f"{people.title}: {score} is {people.score[0]:g} for all; a score that varies would be right.")
    if people.weight is not None and ((people.weight < 0).any() or not people.weight.any()):
        raise Refusal(f"{people.title}: {weight} has a value below 0, or none above; weights of 0 and more are right.")
    return people


def audit(people: People, compare: str = "", top: int = 97, permutations: int = 200, seed: int = 0) -> Audit:
    """Calibration of need and of proxy given the score, by each pair of groups; concentration; and the swap."""
    if not 1 <= top <= 99:
        raise Refusal(f"--top is {top}; a percentile from 1 to 99 would be right.")
    if permutations < 0:
        raise Refusal(f"--permutations is {permutations}; a number of 0 and more would be right.")
    sizes = np.bincount(people.group, minlength=len(people.groups)).tolist()
    there = [name for name, count in zip(people.groups, sizes, strict=True) if count]
    pairs = labels.pairs(there, [s for s in sizes if s], compare)
    weight = np.ones(len(people.score)) if people.weight is None else people.weight
    notes = [
        f"{len(people.score):,} rows: "
        + ", ".join(f"{n} {s:,}" for n, s in zip(people.groups, sizes, strict=True))
        + "."
    ]
    if people.dropped:
        notes.append(
            "Rows left out because a cell is empty: " + ", ".join(f"{n} {c:,}" for n, c in people.dropped.items()) + "."
        )
    if len(people.score) >= LARGE and permutations > FEWER:
        notes.append(f"The groups were shuffled {FEWER} times rather than {permutations}, since there are many rows.")
        permutations = FEWER
    for name, values in people.needs.items():
        if ((values == 0) | (values == 1)).all():
            notes.append(f"{name} is yes or no: means are shares, and the swap knows only two needs.")
    findings, details, drawn = [], {}, {}
    for reference, compared in pairs:
        ref, com = (list(people.groups).index(name) for name in (reference, compared))
        mine = (people.group == ref) | (people.group == com)
        tag = "" if len(pairs) == 1 else f" ({compared} against {reference})"
        one = _pair(people, mine, people.group[mine] == com, (reference, compared), top, permutations, seed, tag)
        findings += one[0]
        details[f"{compared} against {reference}"] = one[1]
        drawn[f"{compared} against {reference}"] = one[2]
    findings += _over_all(people, weight, details)
    return Audit("label", people.title, findings, details, notes, drawn)


def _pair(
    people: People,
    mine: np.ndarray,
    compared: np.ndarray,
    names: tuple[str, str],
    top: int,
    permutations: int,
    seed: int,
    tag: str,
) -> tuple[list[Finding], dict[str, Any], dict[str, Any]]:
    score, group = people.score[mine], compared.astype(int)
    weight = None if people.weight is None else people.weight[mine]
    chosen = labels.percentiles(score) >= top
    least = min(int((chosen & (group == k)).sum()) for k in (0, 1))
    needs = {n: labels.calibration(score, v[mine], group, names, weight) for n, v in people.needs.items()}
    stand = {n: labels.calibration(score, v[mine], group, names, weight) for n, v in people.proxies.items()}
    reference, other = names
    findings = []
    for what, gaps in (("need", needs), ("proxy", stand)):
        for name, gap in gaps.items():
            off = abs(gap.z) > Z
            sign = "more" if gap.mean > 0 else "less"
            spread = f"95 %: +- {short(Z * gap.error)}"
            told = f"at one score {other} has {short(abs(gap.mean))} {sign} than {reference} ({spread})"
            status = (FAIL if off else PASS) if what == "need" else PASS if not off else WARN
            advice = (
                (
                    f"the score does not mean the same for {other} and {reference}: train it on {name} itself"
                    if what == "need"
                    else f"the score is off for {name} itself, whatever it stands for"
                )
                if off
                else ""
            )
            findings.append(
                Finding(f"{what} given score: {name}{tag}", status, gap.mean, f"within {Z} errors of 0", told, advice)
            )
    off = [n for n, g in needs.items() if abs(g.z) > Z]
    fair = [n for n, g in stand.items() if abs(g.z) <= Z]
    signature = f"label choice{tag}"
    if not stand:
        findings.append(
            Finding(signature, NOT_APPLICABLE, evidence="no proxy is given", advice="name its column by --proxy")
        )
    else:
        told = (
            f"fair about {', '.join(fair)}, and not about {', '.join(off)}"
            if off and fair
            else "no need is off at one score"
            if not off
            else f"off about {', '.join(stand)} too"
        )
        findings.append(
            Finding(
                signature,
                FAIL if off and fair else WARN if off else PASS,
                len(off),
                0,
                told,
                f"the label is the fault: {', '.join(fair)} stands in for {', '.join(off)}, and is not it"
                if off and fair
                else "",
            )
        )
    details: dict[str, Any] = {
        "gaps": {n: {"gap": g.mean, "error": g.error, "z": g.z} for n, g in (needs | stand).items()},
        "deciles": {n: g.deciles for n, g in (needs | stand).items()},
    }
    for name, values in people.needs.items():
        check = f"swap: {name}{tag}"
        if least < labels.FEW:
            findings.append(
                Finding(
                    check,
                    NOT_ENOUGH,
                    least,
                    labels.FEW,
                    f"only {least} of a group are chosen at the {top}th percentile",
                    "a lower --top, or more rows",
                )
            )
            continue
        s = labels.swapped(score, values[mine], group, top, permutations, seed)
        details.setdefault("swap", {})[name] = dataclasses.asdict(s)
        if not permutations:
            findings.append(
                Finding(
                    check, NOT_ENOUGH, s.after, None, "the swap says nothing without its null", "ask for --permutations"
                )
            )
            continue
        high = s.after > s.high
        told = (
            f"{short(s.before)} of the chosen are {other}; {short(s.after)} after sicker ones took others' places,"
            f" and {short(s.null)} [{short(s.low)}, {short(s.high)}] would be if groups were names alone"
        )
        findings.append(
            Finding(
                check,
                FAIL if high else PASS,
                s.excess,
                f"within the null's band, {short(s.low - s.null)} to {short(s.high - s.null)}",
                told,
                "read the excess over the null, never the share itself: the walk exchanges one way only"
                if high
                else "",
            )
        )
    return findings, details, {"calibration": {"need": needs, "proxy": stand}, "names": names}


def _over_all(people: People, weight: np.ndarray, details: dict[str, Any]) -> list[Finding]:
    """Concentration of every outcome on top of every score, over all people."""
    scores = {"the score": people.score, **people.others}
    outcomes = {**people.needs, **people.proxies}
    large = int(np.argmax(np.bincount(people.group)))
    table = labels.compared(scores, outcomes, (people.group != large).astype(int), weight, SHARE)
    details["concentration"] = {
        s: {k: {"share": v, "error": e} for k, (v, e) in row.items()} for s, row in table.items()
    }
    out = []
    for name, values in people.needs.items():
        got, chance, most = labels.capture(values, people.score, weight, SHARE)
        details.setdefault("capture", {})[name] = {"score": got, "random": chance, "by need itself": most}
        part = (got - chance) / (most - chance) if most > chance else math.nan
        out.append(
            Finding(
                f"capture: {name}",
                NOT_ENOUGH if math.isnan(part) else WARN if part < 0.25 else PASS,
                part,
                0.25,
                f"the {SHARE:.0%} on top have {short(got)} of all {name}; at random {short(chance)}, at best "
                f"{short(most)}",
                "the score finds little of the need" if part < 0.25 else "",
            )
        )
    if people.others:
        for outcome in outcomes:
            shares = {s: table[s][outcome][0] for s in scores}
            best = max(shares, key=lambda s: shares[s])
            out.append(
                Finding(
                    f"best score for {outcome}",
                    PASS if best == "the score" else WARN,
                    shares["the score"],
                    shares[best],
                    f"{best} puts {short(shares[best])} of it on top",
                    "" if best == "the score" else f"{best} finds more of it",
                )
            )
    return out
