"""Studies: published claims, tested by runs, with verdicts.

A study is a file in `nomoi.studies` (or FILE.py of your own) with a `STUDY`.  It names conditions, and claims
about them; running it makes the records that are missing, and judges every claim from records alone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import pkgutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from nomoi import catalogue
from nomoi.core import Situation, govern
from nomoi.core.keys import key_of
from nomoi.core.learner import Learner
from nomoi.errors import Refusal, nearest, once
from nomoi.learners.ppo import PPO
from nomoi.measure.measures import measures
from nomoi.measure.statistics import Estimate
from nomoi.runs import regimes
from nomoi.runs.claims import Claim, Promised, Reading, Results, Verdict, check, found
from nomoi.runs.compare import script_record
from nomoi.runs.engine import Progress, in_force, train
from nomoi.runs.jobs import Job, check_inheritance, mind_of, schedule, snapshots
from nomoi.runs.store import Record, Store

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
    learner: Learner = dataclasses.field(default_factory=PPO)
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
    """Any pure function(key, **settings) -> {measure: value}: a simulation, an unfolded game, a closed formula.

    What is `exact` has no chance in it: it is computed once, with None for a key, and is judged as a point.
    """

    label: str
    function: Callable[..., Mapping[str, float]]
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    exact: bool = False


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
class Study:
    """A question, conditions by size, and claims.

    conditions(size) gives the conditions; seeds is {size: how many}; sections(results) may add to the page;
    shown are the measures of the table of all conditions; readings are what a model says by its definitions, which
    gets no verdict.
    """

    name: str
    question: str
    claims: Sequence[Claim]
    conditions: Callable[[str], Sequence[Condition]]
    seeds: Mapping[str, int]
    sections: Callable[[Results], Sequence[Any]] | None = None
    note: str = ""
    shown: Sequence[str] = ()
    readings: Sequence[Reading] = ()


@dataclasses.dataclass(frozen=True)
class Family:
    """Studies of one theme, by name, that share a page."""

    name: str
    question: str
    studies: Sequence[str]


@dataclasses.dataclass(frozen=True)
class Findings:
    """A study that was run at a size; `changed` are the settings that were not the study's own (name=value)."""

    study: Study
    size: str
    results: Results
    verdicts: tuple[Verdict, ...]
    changed: tuple[str, ...] = ()

    def readings(self) -> list[tuple[Reading, Estimate]]:
        """What the model says, with its numbers."""
        return [(r, found(r.effect, self.results)) for r in self.study.readings]

    def data(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "study": self.study.name,
            "size": self.size,
            "changed": list(self.changed),
            "seeds": self.study.seeds[self.size],
            "verdicts": [
                {
                    "claim": v.claim.text, "kind": v.claim.kind, "verdict": v.verdict, "bound": v.claim.bound(),
                    "source": v.claim.source, "published": v.claim.published, **v.estimate.data(),
                }
                for v in self.verdicts
            ],
            "model says": [
                {"text": r.text, "source": r.source, "published": r.published, **e.data()} for r, e in self.readings()
            ],
            "records": {label: [r.id for r in rs] for label, rs in self.results.records.items()},
        }  # fmt: skip


@lru_cache
def _found() -> dict[str, Study | Family]:
    home = importlib.import_module("nomoi.studies")
    modules = [importlib.import_module(f"nomoi.studies.{m.name}") for m in pkgutil.iter_modules(home.__path__)]
    studies = [m.STUDY for m in modules if hasattr(m, "STUDY")]
    return {s.name: s for s in [*studies, *(m.FAMILY for m in modules if hasattr(m, "FAMILY"))]}


def known() -> dict[str, str]:
    """The studies that come with nomoi, and their families: name -> question."""
    return {name: s.question for name, s in _found().items()}


def find(name: str) -> tuple[Study, ...]:
    """A study by name, the `STUDY` of a file, or the studies of a family."""
    if name.endswith(".py"):
        module = catalogue.module(Path(name))
        if not isinstance(getattr(module, "STUDY", None), Study):
            raise Refusal(f"{name} has no STUDY; write STUDY = Study(...) in it.")
        return (module.STUDY,)
    if name not in known():
        raise Refusal(f"there is no study {name!r}; {nearest(name, known(), 'study')}")
    one = _found()[name]
    return (one,) if isinstance(one, Study) else tuple(s for part in one.studies for s in find(part))


def run(
    study: Study,
    size: str = "laptop",
    out: str | Path = "runs",
    tell: Callable[[Progress], None] = lambda _: None,
    set: Sequence[str] = (),
) -> Findings:
    """Make what is missing, then judge.  `set` (name=value) changes a setting of what is computed."""
    if size not in SIZES:
        raise Refusal(f"there is no size {size!r}; {nearest(size, SIZES, 'size')}")
    if size not in study.seeds:
        raise Refusal(f"{study.name} has no size {size}; its sizes are {', '.join(study.seeds)}.")
    store, seeds = Store(out), range(study.seeds[size])
    conditions = changed(study.name, list(study.conditions(size)), set)
    records: dict[str, tuple[Record, ...]] = {}
    jobs = _jobs(conditions)
    _check(study.name, conditions, jobs)
    exact = frozenset(c.label for c in conditions if isinstance(c, Computed) and c.exact)
    check([*study.claims, *study.readings], Promised(_promised(conditions, jobs), len(seeds), exact))
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
            records[c.label] = tuple(script_record(store, _place(c), c.script, s) for s in seeds)
        elif isinstance(c, Computed):
            with _computable(study.name, set):
                records[c.label] = tuple(_computed(store, c, s) for s in ((None,) if c.exact else seeds))
        elif isinstance(c, Evaluated):
            records[c.label] = _evaluated(store, c, jobs[c.of], records[c.of])
    results = Results({c.label: records[c.label] for c in conditions}, exact)
    return Findings(study, size, results, tuple(claim.judge(results, size) for claim in study.claims), tuple(set))


@contextlib.contextmanager
def _computable(name: str, set: Sequence[str]) -> Iterator[None]:
    """What settings of a person's own break is said in a sentence, without the words of a library."""
    try:
        with warnings.catch_warnings():
            if set:
                warnings.simplefilter("ignore", RuntimeWarning)  # what comes of it is refused, or shown as no number
            yield
    except (ArithmeticError, ValueError, LookupError, TypeError, AssertionError, MemoryError) as error:
        if not set:
            raise
        raise Refusal(
            f"{name} cannot be computed with {', '.join(set)}; values nearer to the study's own would be right."
        ) from error


def changed(name: str, conditions: Sequence[Condition], set: Sequence[str]) -> list[Condition]:
    """The conditions with settings (name=value) of the computed ones changed; each must be a setting of some."""
    out = list(conditions)
    once(((text.partition("=")[0], text) for text in set), f"{name}: --set")
    for text in set:
        option, equals, value = text.partition("=")
        known = {o: v for c in out if isinstance(c, Computed) for o, v in c.settings.items()}
        if not equals or option not in known:
            raise Refusal(f"{name}: {text!r} sets nothing; write NAME=VALUE; {nearest(option, known, 'setting')}")
        new = _like(known[option], value, f"{name}.{option}")
        for k, c in enumerate(out):
            if isinstance(c, Computed) and option in c.settings:
                out[k] = dataclasses.replace(c, settings={**c.settings, option: new})
    return out


def _like(old: Any, text: str, where: str) -> Any:
    """A value of the kind of `old` from the text a person typed (JSON, or a word); its numbers are finite."""
    try:
        new = json.loads(text, object_pairs_hook=lambda pairs: once(pairs, where))
    except ValueError:
        new = text
    except RecursionError:
        new = None
    if not _fits(old, new):
        raise Refusal(f"{where} cannot be {text!r}; something like {json.dumps(old)} would be right.")
    return type(old)(new) if isinstance(old, (float, tuple)) else new  # pyright: ignore[reportArgumentType]


def _fits(old: Any, new: Any) -> bool:
    """Whether a value is of the kind of another, and so is all that it holds, as far as that goes."""
    if isinstance(old, (list, tuple)) and isinstance(new, list):
        return bool(new) and (not old or all(_fits(old[0], part) for part in new))
    number = isinstance(old, (int, float)) and not isinstance(old, bool)
    if number and isinstance(new, (int, float)) and not isinstance(new, bool):
        return abs(new) < 2**63 and (isinstance(old, float) or isinstance(new, int))  # false for NaN
    return type(new) is type(old)


def _check(name: str, conditions: Sequence[Condition], jobs: Mapping[str, Job]) -> None:
    """Refuse what would fail only after long training."""
    labels = [c.label for c in conditions]
    for c in conditions:
        where = f"{name}: {c.label!r}"
        if labels.count(c.label) > 1:
            raise Refusal(f"{where} is the label of two conditions; give one of them another.")
        if isinstance(c, Computed | Evaluated) and "<" in getattr(c.function, "__qualname__", "<"):
            raise Refusal(f"{where} needs a function with a name of its own in a file, since records go by that name.")
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


def _place(c: Scripted) -> Situation:
    return govern(c.situation, *regimes.parse(c.label, c.under).institutions)


def _promised(conditions: Sequence[Condition], jobs: Mapping[str, Job]) -> dict[str, list[str] | None]:
    """The measures that each condition will have; None where only making it will tell."""
    trained = {label: sorted(in_force(job.situation)) for label, job in jobs.items()}
    played = {c.label: list(measures(_place(c))) for c in conditions if isinstance(c, Scripted)}
    return dict.fromkeys([c.label for c in conditions]) | trained | played


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
            key, call = key_of(seed), lambda k, m: c.function(k, job.situation, job.learner, m, **c.settings)
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


def _computed(store: Store, condition: Computed, seed: int | None) -> Record:
    """The record of one seed; of what is exact, which has none, the only one."""
    what = {"kind": "computed", "seed": seed} | _function(condition)
    found = store.get(what)
    if found:
        return found
    values = condition.function(None if seed is None else key_of(seed), **condition.settings)
    curve = {name: (np.zeros(1), np.array([float(v)])) for name, v in values.items()}
    return store.put(what, curve, label=condition.label)
