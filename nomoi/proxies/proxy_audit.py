"""The audit of a proxy: which attribute that it does not mention is driven down, when that costs more than it brings,
and what each remedy saves."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nomoi.errors import Refusal
from nomoi.measure.statistics import number as short
from nomoi.proxies import incomplete
from nomoi.proxies.deferred import deferred
from nomoi.proxies.expression import Expression, identifier
from nomoi.proxies.findings import FAIL, NOT_APPLICABLE, PASS, WARN, Audit, Finding
from nomoi.proxies.incomplete import Path as Flow
from nomoi.proxies.incomplete import World
from nomoi.proxies.reading import Part, number, read

UPDATES = 20  # times in all that the principal chooses anew, where the file does not say (ours)
# what is audited within seconds (ours): attributes, the shortest and the longest time, updates in all
ATTRIBUTES, SHORT, LONG, OFTEN = 30, 1e-3, 200, 1000


@dataclasses.dataclass(frozen=True)
class Objective:
    """A proxy for a utility, in a world of shared resources, optimised until `until`."""

    title: str
    world: World
    mentioned: Sequence[int]
    proxy: Any
    until: float
    every: float


def find(path: str | Path) -> Objective:
    """The proxy of a YAML or JSON file."""
    return parse(read(path), str(path))


def parse(data: Mapping[str, Any], where: str) -> Objective:
    """A proxy from plain data, as it stands in a file."""
    part = Part(data, where)
    title = part.words("name", Path(where).stem)
    names = [str(n) for n in part.rows("attributes")]
    for name in names:
        if not identifier(name):
            raise Refusal(f"{where}: attributes has {name!r}, which can be no name; letters, digits and _ are right.")
    if len(set(names)) < len(names) or len(names) < 2:
        raise Refusal(f"{where}: attributes is {names!r}; at least two, each once, would be right.")
    if len(names) > ATTRIBUTES:
        raise Refusal(f"{where}: there are {len(names)} attributes; at most {ATTRIBUTES} would be right.")
    table = part.part("constants", {})
    for name in table.data:
        if not identifier(name) or name in names:
            why = "is an attribute, too" if name in names else "can be no name"
            raise Refusal(f"{table.where} has {name!r}, which {why}; another name would be right.")
    constants = {n: table.number(n) for n in table.data}
    known = {*names, *constants}
    parsed = lambda key: Expression(part.value(key), f"{where}: {key}").known(known, "attribute")  # noqa: E731
    of = lambda key: deferred(parsed(key), names, constants)  # noqa: E731
    start = part.part("start")
    first = np.array([start.number(n) for n in names])
    start.close()
    lowest = np.full(len(names), -np.inf)
    if "lowest" in part:
        given = part.value("lowest")
        if isinstance(given, Mapping):
            low = part.part("lowest")
            lowest = np.array([low.number(n, -math.inf, infinite=True) for n in names])
            low.close()
        else:
            lowest[:] = number(given, f"{where}: lowest", infinite=True)
    world = World(names, of("utility"), of("cost"), first, lowest)
    given = part.value("proxy")
    if isinstance(given, str):
        proxy: Any = of("proxy")
        mentioned = [names.index(n) for n in names if n in parsed("proxy").names]
    else:
        chosen = [str(n) for n in part.rows("proxy")]
        for n in chosen:
            if n not in names:
                raise Refusal(f"{where}: proxy has {n!r}; the attributes are {', '.join(names)}.")
        mentioned = [names.index(n) for n in dict.fromkeys(chosen)]
        proxy = incomplete.mention(world, mentioned)
    until = part.number("until", 8.0, SHORT, LONG)
    every = part.number("update_every", until / UPDATES, until / OFTEN)
    for key in ("about", "source"):
        part.value(key, "")
    part.close()
    if not mentioned:
        raise Refusal(f"{where}: the proxy mentions no attribute; those that are measured would be right.")
    try:
        world.check(np.random.default_rng(0))
    except Refusal as refusal:
        raise Refusal(f"{where}: {refusal}") from None
    return Objective(title, world, mentioned, proxy, until, every)


def audit(given: Objective | str | Path, seed: int = 0) -> Audit:
    """What optimising the proxy does to the utility, and what four remedies leave of it."""
    o = given if isinstance(given, Objective) else find(given)
    w, names = o.world, o.world.names
    count = len(o.mentioned)
    path = incomplete.flow(w, o.proxy, o.mentioned, o.until)
    when, best = path.peak()
    best, end, begin = (path.told(float(u)) for u in (best, path.utility[-1], path.utility[0]))
    rest = [k for k in range(len(names)) if k not in o.mentioned]
    findings = []
    if not rest:
        findings.append(Finding("incomplete", WARN, 0, 0, "the proxy mentions every attribute: nothing is left out"))
    falls = path.s[0] - path.s[-1]
    sunk = max(rest, key=lambda k: falls[k]) if rest else 0
    tolerance = 1e-6 * max(1.0, abs(best), abs(end))
    turns = end < best - tolerance
    findings.append(
        Finding(
            "second phase",
            FAIL if turns else PASS,
            when if turns else None,
            None,
            f"utility is {short(begin, 4)} at first, {short(best, 4)} at best (t = {short(when, 4)}) and "
            f"{short(end, 4)} at t = {short(o.until)}, while the proxy rises from {short(float(path.proxy[0]), 4)} to "
            f"{short(float(path.proxy[-1]), 4)}",
            f"stop by t = {short(when, 4)}, or mend the proxy" if turns else "",
        )
    )
    if rest:
        bound = w.lowest[sunk]
        ruined = falls[sunk] > 1e-6
        findings.append(
            Finding(
                "driven down",
                WARN if ruined else PASS,
                float(falls[sunk]),
                0,
                f"{names[sunk]} falls from {short(w.start[sunk], 4)} to {short(path.s[-1, sunk], 4)}"
                + (f" (it can fall to {short(bound)})" if np.isfinite(bound) else " (it can fall without end)")
                if ruined
                else "nothing that is not mentioned falls",
                f"mention {names[sunk]}" if ruined else "",
            )
        )
        findings.append(_costly(o, seed))
    else:
        findings.append(Finding("driven down", NOT_APPLICABLE, evidence="nothing is left out"))
    remedies, paths = _remedies(o, path, when, best, count)
    for name, (value, told) in remedies.items():
        findings.append(Finding(f"remedy: {name}", PASS if value >= end - tolerance else WARN, value, end, told))
    details = {
        "peak": {"t": when, "utility": best},
        "end": end,
        "begin": begin,
        "resources_used_up": path.full,
        "final": dict(zip(names, path.s[-1].tolist(), strict=True)),
        "remedies": {k: v for k, (v, _) in remedies.items()},
    }
    return Audit("proxy", o.title, findings, details, (), {"path": path, "names": names, "remedies": paths})


def _costly(o: Objective, seed: int) -> Finding:
    """Whether every incomplete proxy, optimised without end, ends arbitrarily low."""
    found = incomplete.slices(o.world, seed=seed)
    sinking = [n for n, s in found.items() if s.sinks]
    every = len(sinking) == len(found)
    told = (
        "with any attribute sinking, the best of all others sinks too"
        if every
        else "even with " + ", ".join(n for n in found if n not in sinking) + " gone, at best "
        f"{short(max(float(s.best[-1]) for n, s in found.items() if n not in sinking), 4)} is left"
    )
    return Finding(
        "any incomplete proxy",
        WARN if every else PASS,
        "without a bound in sight" if every else max(float(s.best[-1]) for s in found.values()),
        None,
        told,
        "no choice of fewer attributes is safe to optimise without end" if every else "",
    )


def _remedies(
    o: Objective, path: Flow, when: float, best: float, count: int
) -> tuple[dict[str, tuple[float, str]], dict[str, Flow]]:
    w = o.world
    still = incomplete.flow(w, o.proxy, o.mentioned, o.until, movable=o.mentioned)
    anew = incomplete.updated(w, count, o.every, o.until, min(0.1, o.until / 100))
    rounds = max(1, min(50, round(o.until / o.every)))
    both = incomplete.careful(w, rounds)
    out = {
        "no impact on what is not mentioned": (
            float(still.utility[-1]),
            "utility at the end where the rest may not move",
        ),
        f"attributes chosen anew every {short(o.every)}": (
            float(anew.utility[-1]),
            f"utility at the end; those {count} are asked for that are worth the most then",
        ),
        "both": (float(both[-1]), f"utility after {rounds} updates, each moving two attributes alone"),
        "stopping early": (best, f"utility where one who watches stops, at t = {short(when, 4)}"),
    }
    return {k: (path.told(value), told) for k, (value, told) in out.items()}, {"no impact": still, "chosen anew": anew}
