"""Studies: published claims, tested by runs, with verdicts.

A study is a file in `nomoi.studies` (or FILE.py of your own) with a `STUDY`.  It names conditions, and claims
about them; running it makes the records that are missing, and judges every claim from records alone.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import math
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax
import numpy as np

from nomoi import catalogue, regimes
from nomoi.comparison import script_record
from nomoi.core import Situation, govern
from nomoi.core.learner import Learner
from nomoi.engine import Progress, train
from nomoi.errors import Refusal, nearest
from nomoi.jobs import Job, check_inheritance, mind_of, schedule, snapshots
from nomoi.learners.ppo import PPO
from nomoi.measure.statistics import Estimate, estimate, number
from nomoi.store import Record, Store

HOLDS, FAILS, INCONCLUSIVE, UNTESTED = "holds", "fails", "inconclusive", "not tested at this size"
SIZES = ("smoke", "laptop", "paper")


@dataclasses.dataclass(frozen=True)
class Trained:
    """Agents that learn in a situation under a regime.

    snapshots  how many times on the way what has been learned is kept;  after  the label of another Trained
    condition whose minds, seed by seed, these begin with (pretraining); it may be in another situation
    """

    label: str
    situation: Situation
    under: str = ""
    steps: float = 500_000
    learner: PPO = dataclasses.field(default_factory=PPO)
    snapshots: int = 0
    after: str = ""


@dataclasses.dataclass(frozen=True)
class Scripted:
    """Behaviour that does not learn."""

    label: str
    situation: Situation
    script: Learner
    under: str = ""


@dataclasses.dataclass(frozen=True)
class Computed:
    """Any pure function of a random key and settings: an unfolded game, a closed formula, a diagram."""

    label: str
    function: Callable[..., Mapping[str, float]]
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Evaluated:
    """What was learned under the Trained condition `of`, put to a test.

    function(key, situation, learner, mind, **settings) -> {measure: value}, for one seed; the situation is that of
    `of`, governed.  With `along` it is asked of every snapshot, and the record is a curve.  With `crossed` the
    function gets the list of the minds of all seeds, and is called for each seed with that seed's mind first.
    """

    label: str
    of: str
    function: Callable[..., Mapping[str, float]]
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    along: bool = False
    crossed: bool = False


Condition = Trained | Scripted | Computed | Evaluated


@dataclasses.dataclass(frozen=True)
class Results:
    """Records by condition, in the order of the seeds."""

    records: Mapping[str, tuple[Record, ...]]

    def late(self, label: str, measure: str) -> np.ndarray:
        """[seeds] over the last eighth of training."""
        return np.array([r.late().get(measure, np.nan) for r in self.records[label]])

    def measures(self, label: str) -> list[str]:
        """The measures that a condition has."""
        return list(self.records[label][0].curve())

    def curve(self, label: str, measure: str) -> tuple[np.ndarray, np.ndarray]:
        """steps [K], values [seeds, K]."""
        drawn = [r.curve()[measure] for r in self.records[label]]
        return drawn[0][0], np.stack([v for _, v in drawn])

    def bins(self, label: str, measure: str, count: int = 10) -> np.ndarray:
        """[seeds, count] means over equal parts of training."""
        _, values = self.curve(label, measure)
        return np.stack([_mean(part) for part in np.array_split(values, count, axis=1)], 1)


def _mean(values: np.ndarray) -> np.ndarray:
    """[seeds] means over the second axis, NaN where nothing is defined."""
    there = np.isfinite(values)
    return np.where(there.any(1), np.where(there, values, 0).sum(1) / np.maximum(there.sum(1), 1), np.nan)


@dataclasses.dataclass(frozen=True)
class Claim:
    """One statement with its source.

    effect      seed by seed, from the results: [seeds]; or an Estimate of its own, such as a correlation over seeds
    published   the published value in words; empty where there is none (recalled values are not published)
    above, below, near   what the mean effect must be: above a bound, below it, or within `tolerance` of a value
    """

    text: str
    source: str
    effect: Callable[[Results], np.ndarray | Estimate]
    published: str = ""
    above: float | None = None
    below: float | None = None
    near: float | None = None
    tolerance: float = 0.0
    unit: str = ""

    def judge(self, results: Results, size: str) -> Verdict:
        effect = self.effect(results)
        found = effect if isinstance(effect, Estimate) else estimate(effect)
        if size == "smoke" or found.n < 2:
            return Verdict(self, UNTESTED, found)
        low, high = self._bounds()
        if found.low > low and found.high < high:
            return Verdict(self, HOLDS, found)
        if found.high <= low or found.low >= high:
            return Verdict(self, FAILS, found)
        return Verdict(self, INCONCLUSIVE, found)

    def _bounds(self) -> tuple[float, float]:
        if self.near is not None:
            return self.near - self.tolerance, self.near + self.tolerance
        return (
            -math.inf if self.above is None else self.above,
            math.inf if self.below is None else self.below,
        )


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A claim, what was found, and whether the whole interval lies where the claim says."""

    claim: Claim
    verdict: str
    estimate: Estimate

    def found(self) -> str:
        e = self.estimate
        return f"{number(e.mean)} {e.interval()} {self.claim.unit}".strip() + f" (n = {e.n})"


@dataclasses.dataclass(frozen=True)
class Study:
    """A question, conditions by size, and claims.

    conditions(size) gives the conditions; seeds is {size: how many}; sections(results) may add to the page;
    shown are the measures of the table of all conditions.
    """

    name: str
    question: str
    claims: Sequence[Claim]
    conditions: Callable[[str], Sequence[Condition]]
    seeds: Mapping[str, int]
    sections: Callable[[Results], Sequence[Any]] | None = None
    note: str = ""
    shown: Sequence[str] = ()


@dataclasses.dataclass(frozen=True)
class Findings:
    """A study that was run at a size."""

    study: Study
    size: str
    results: Results
    verdicts: tuple[Verdict, ...]

    def data(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "study": self.study.name,
            "size": self.size,
            "seeds": self.study.seeds[self.size],
            "verdicts": [
                {
                    "claim": v.claim.text, "verdict": v.verdict, "source": v.claim.source,
                    "published": v.claim.published, **v.estimate.data(),
                }
                for v in self.verdicts
            ],
            "records": {label: [r.id for r in rs] for label, rs in self.results.records.items()},
        }  # fmt: skip


@lru_cache
def known() -> dict[str, str]:
    """The studies that come with nomoi: name -> question."""
    home = importlib.import_module("nomoi.studies")
    found = [importlib.import_module(f"nomoi.studies.{m.name}") for m in pkgutil.iter_modules(home.__path__)]
    return {m.STUDY.name: m.STUDY.question for m in found if hasattr(m, "STUDY")}


def find(name: str) -> Study:
    """A study by name, or the `STUDY` of a file."""
    if name.endswith(".py"):
        module = catalogue.module(Path(name))
        if not isinstance(getattr(module, "STUDY", None), Study):
            raise Refusal(f"{name} has no STUDY; write STUDY = Study(...) in it.")
        return module.STUDY
    if name not in known():
        raise Refusal(f"there is no study {name!r}; {nearest(name, known(), 'study')}")
    home = importlib.import_module("nomoi.studies")
    modules = [importlib.import_module(f"nomoi.studies.{m.name}") for m in pkgutil.iter_modules(home.__path__)]
    return next(m.STUDY for m in modules if hasattr(m, "STUDY") and m.STUDY.name == name)


def run(
    study: Study, size: str = "laptop", out: str | Path = "runs", tell: Callable[[Progress], None] = lambda _: None
) -> Findings:
    """Make what is missing, then judge."""
    if size not in SIZES:
        raise Refusal(f"there is no size {size!r}; {nearest(size, SIZES, 'size')}")
    if size not in study.seeds:
        raise Refusal(f"{study.name} has no size {size}; its sizes are {', '.join(study.seeds)}.")
    store, seeds, conditions = Store(out), range(study.seeds[size]), list(study.conditions(size))
    records: dict[str, tuple[Record, ...]] = {}
    jobs = _jobs(conditions)
    _check(study.name, conditions, jobs)
    waiting = [c for c in conditions if isinstance(c, Trained)]
    while waiting:  # first those that begin with nothing, then those that go on from them
        ready = [c for c in waiting if not c.after or c.after in records]
        if not ready:
            raise Refusal(f"{study.name}: {waiting[0].label!r} goes on after {waiting[0].after!r}, and that after it.")
        now = [
            dataclasses.replace(
                jobs[c.label], seed=seed, start=records[c.after][seed] if c.after else None, origin=jobs.get(c.after)
            )
            for seed in seeds
            for c in ready
        ]
        made = train(store, now, tell)
        records |= {c.label: tuple(made[k :: len(ready)]) for k, c in enumerate(ready)}
        waiting = [c for c in waiting if c.label not in records]
    for c in conditions:
        if isinstance(c, Scripted):
            place = govern(c.situation, *regimes.parse(c.label, c.under).institutions)
            records[c.label] = tuple(script_record(store, place, c.script, s) for s in seeds)
        elif isinstance(c, Computed):
            records[c.label] = tuple(_computed(store, c, s) for s in seeds)
        elif isinstance(c, Evaluated):
            records[c.label] = _evaluated(store, c, jobs[c.of], records[c.of])
    results = Results({c.label: records[c.label] for c in conditions})
    return Findings(study, size, results, tuple(claim.judge(results, size) for claim in study.claims))


def _check(name: str, conditions: Sequence[Condition], jobs: Mapping[str, Job]) -> None:
    """Refuse what would fail only after long training."""
    labels = [c.label for c in conditions]
    for c in conditions:
        where = f"{name}: {c.label!r}"
        if labels.count(c.label) > 1:
            raise Refusal(f"{where} is the label of two conditions; give one of them another.")
        if isinstance(c, Trained) and c.after:
            if c.after not in jobs:
                raise Refusal(f"{where} goes on after {c.after!r}, which is not trained; {nearest(c.after, jobs)}")
            check_inheritance(jobs[c.after], jobs[c.label])
        if isinstance(c, Evaluated):
            if c.of not in jobs:
                raise Refusal(f"{where} evaluates {c.of!r}, which is not trained; {nearest(c.of, jobs)}")
            if c.along and not jobs[c.of].snapshots:
                raise Refusal(f"{where} is asked along {c.of!r}, which keeps no snapshots; give it some.")
            if c.along and c.crossed:
                raise Refusal(f"{where} is along and crossed; an evaluation is one of them at a time.")


def _jobs(conditions: Sequence[Condition]) -> dict[str, Job]:
    """A job, without its seed, for each trained condition.

    Conditions in one situation are one program where their shapes allow it, so all see and answer alike.
    """
    trained = [c for c in conditions if isinstance(c, Trained)]
    groups: dict[str, list[Trained]] = {}
    for c in trained:
        groups.setdefault(json.dumps(regimes.spec(c.situation), sort_keys=True), []).append(c)
    out = {}
    for group in groups.values():
        stacks = [regimes.parse(c.label, c.under) for c in group]
        for c, place in zip(group, regimes.one_program(group[0].situation, stacks), strict=True):
            updates, chunk = schedule(c.learner, c.steps)
            out[c.label] = Job(place, c.learner, 0, updates, chunk, label=c.label, snapshots=c.snapshots)
    return out


def _evaluated(store: Store, c: Evaluated, job: Job, trained: Sequence[Record]) -> tuple[Record, ...]:
    """A record for every seed."""
    out = []
    for seed, record in enumerate(trained):
        others = [r.id for r in trained] if c.crossed else []
        what = {"kind": "evaluated", "of": record.id, "seed": seed, "along": c.along} | _function(c)
        what |= {"among": others} if others else {}
        found = store.get(what)
        if not found:
            key, call = jax.random.key(seed), lambda k, m: c.function(k, job.situation, job.learner, m, **c.settings)
            if c.along:
                steps, minds = snapshots(record, job)
                rows = [call(key, mind) for mind in minds]
            elif c.crossed:
                minds = [mind_of(r, job) for r in trained]
                steps, rows = np.zeros(1), [call(key, [minds[seed], *minds[:seed], *minds[seed + 1 :]])]
            else:
                steps, rows = np.zeros(1), [call(key, mind_of(record, job))]
            curve = {name: (steps, np.array([float(row[name]) for row in rows])) for name in rows[0]}
            found = store.put(what, curve, label=c.label)
        out.append(found)
    return tuple(out)


def _function(c: Computed | Evaluated) -> dict[str, Any]:
    name = f"{c.function.__module__}:{c.function.__qualname__}"
    return {"function": name, "settings": dict(c.settings)}


def _computed(store: Store, condition: Computed, seed: int) -> Record:
    what = {"kind": "computed", "seed": seed} | _function(condition)
    found = store.get(what)
    if found:
        return found
    values = condition.function(jax.random.key(seed), **condition.settings)
    curve = {name: (np.zeros(1), np.array([float(v)])) for name, v in values.items()}
    return store.put(what, curve, label=condition.label)
