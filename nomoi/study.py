"""Studies: published claims, tested by runs, with verdicts.

A study is a file in `nomoi.studies` (or FILE.py of your own) with a `STUDY`.  It names conditions, and claims
about them; running it makes the records that are missing, and judges every claim from records alone.
"""

from __future__ import annotations

import dataclasses
import importlib
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
from nomoi.engine import Job, Progress, schedule, train
from nomoi.errors import Refusal, nearest
from nomoi.learners.ppo import PPO
from nomoi.measure.statistics import Estimate, estimate, number
from nomoi.store import Record, Store, write

HOLDS, FAILS, INCONCLUSIVE, UNTESTED = "holds", "fails", "inconclusive", "not tested at this size"
SIZES = ("smoke", "laptop", "paper")


@dataclasses.dataclass(frozen=True)
class Trained:
    """Agents that learn in a situation under a regime."""

    label: str
    situation: Situation
    under: str = ""
    steps: float = 500_000
    learner: PPO = dataclasses.field(default_factory=PPO)


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


Condition = Trained | Scripted | Computed


@dataclasses.dataclass(frozen=True)
class Results:
    """Records by condition, in the order of the seeds."""

    records: Mapping[str, tuple[Record, ...]]

    def late(self, label: str, measure: str) -> np.ndarray:
        """[seeds] over the last eighth of training."""
        return np.array([r.late().get(measure, np.nan) for r in self.records[label]])

    def curve(self, label: str, measure: str) -> tuple[np.ndarray, np.ndarray]:
        """steps [K], values [seeds, K]."""
        drawn = [r.curve()[measure] for r in self.records[label]]
        return drawn[0][0], np.stack([v for _, v in drawn])


@dataclasses.dataclass(frozen=True)
class Claim:
    """One statement with its source.

    effect      seed by seed, from the results: [seeds]
    published   the published value in words; empty where there is none (recalled values are not published)
    above, below, near   what the mean effect must be: above a bound, below it, or within `tolerance` of a value
    """

    text: str
    source: str
    effect: Callable[[Results], np.ndarray]
    published: str = ""
    above: float | None = None
    below: float | None = None
    near: float | None = None
    tolerance: float = 0.0
    unit: str = ""

    def judge(self, results: Results, size: str) -> Verdict:
        found = estimate(self.effect(results))
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

    conditions(size) gives the conditions; seeds is {size: how many}; sections(results) may add to the page.
    """

    name: str
    question: str
    claims: Sequence[Claim]
    conditions: Callable[[str], Sequence[Condition]]
    seeds: Mapping[str, int]
    sections: Callable[[Results], Sequence[Any]] | None = None
    note: str = ""


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
    trained = [c for c in conditions if isinstance(c, Trained)]
    made = train(store, [_job(c, seed) for seed in seeds for c in trained], tell)
    for k, c in enumerate(trained):
        records[c.label] = tuple(made[k :: len(trained)])
    for c in conditions:
        if isinstance(c, Scripted):
            place = govern(c.situation, *regimes.parse(c.label, c.under).institutions)
            records[c.label] = tuple(script_record(store, place, c.script, s) for s in seeds)
        elif isinstance(c, Computed):
            records[c.label] = tuple(_computed(store, c, s) for s in seeds)
    results = Results({c.label: records[c.label] for c in conditions})
    return Findings(study, size, results, tuple(claim.judge(results, size) for claim in study.claims))


def _job(condition: Trained, seed: int) -> Job:
    stack = regimes.parse(condition.label, condition.under).institutions
    learner = condition.learner
    updates, chunk = schedule(learner, condition.steps)
    return Job(govern(condition.situation, *stack), learner, seed, updates, chunk, label=condition.label)


def _computed(store: Store, condition: Computed, seed: int) -> Record:
    what = {
        "kind": "computed",
        "function": f"{condition.function.__module__}:{condition.function.__qualname__}",
        "settings": dict(condition.settings),
        "seed": seed,
    }
    found = store.get(what)
    if found:
        return found
    values = condition.function(jax.random.key(seed), **condition.settings)
    curve = {name: (np.zeros(1), np.array([float(v)])) for name, v in values.items()}
    return store.put(what, curve, label=condition.label)


def write_page(findings: Findings, path: Path) -> Path:
    """The study as a page: question, verdicts, figures, numbers."""
    from nomoi.report import page

    study = findings.study
    rows = [[v.claim.text, v.verdict, v.found(), v.claim.published or "-", v.claim.source] for v in findings.verdicts]
    sections: list[Any] = [
        page.Table("Verdicts", ["claim", "verdict", "found, 95 % interval", "published", "source"], rows, study.note)
    ]
    if study.sections:
        sections += study.sections(findings.results)
    lead = f"Size {findings.size}, {study.seeds[findings.size]} seeds a condition. {study.question}"
    return write(path, page.page(f"Study: {study.name}", lead, sections))
