"""Studies: published claims, tested by runs, with verdicts.

A study is a file in `nomoi.studies` (or FILE.py of your own) with a `STUDY`.  It names trials, and claims about them;
running it makes the records that are missing, and judges every claim from records alone.
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
from typing import TYPE_CHECKING, Any

from nomoi.core.option import like
from nomoi.core.own import module
from nomoi.core.spec import spec
from nomoi.errors import Refusal, nearest, once
from nomoi.measure.statistics import Estimate
from nomoi.runs.claims import Claim, Promised, Reading, Results, Verdict, found, idle
from nomoi.runs.claims import check as check_claims
from nomoi.runs.engine import Tell
from nomoi.runs.make import check, make
from nomoi.runs.shapes import one_program
from nomoi.runs.store import Store
from nomoi.runs.trained import Trained
from nomoi.runs.trial import Run, Trial
from nomoi.runs.trials import Computed, Evaluated, Scripted

if TYPE_CHECKING:
    import pyarrow as pa

SIZES = ("smoke", "laptop", "paper")


@dataclasses.dataclass(frozen=True)
class Study:
    """A question, trials by size, and claims.

    trials(size) gives the trials; seeds is {size: how many}, counted from `first` (so that a study can leave out seeds
    of pilots that chose its settings); sections(results) may add to the page; shown are the
    measures of the table of all trials; readings are what a model says by its definitions, which gets no verdict.
    """

    name: str
    question: str
    claims: Sequence[Claim]
    trials: Callable[[str], Sequence[Trial]]
    seeds: Mapping[str, int]
    sections: Callable[[Results], Sequence[Any]] | None = None
    note: str = ""
    shown: Sequence[str] = ()
    readings: Sequence[Reading] = ()
    first: int = 0


@dataclasses.dataclass(frozen=True)
class Family:
    """Studies of one theme, by name, that share a page."""

    name: str
    question: str
    studies: Sequence[str]


@dataclasses.dataclass(frozen=True)
class Findings:
    """A study that was run at a size.

    changed   the settings that were not the study's own (name=value);  remarks   what a reader must know of old records
    fresh     runs that were made now; the others were on disk
    """

    study: Study
    size: str
    results: Results
    verdicts: tuple[Verdict, ...]
    changed: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    fresh: int = 0

    def readings(self) -> list[tuple[Reading, Estimate]]:
        """What the model says, with its numbers."""
        return [(r, found(r.effect, self.results)) for r in self.study.readings]

    def frame(self, late: bool = False) -> pa.Table:
        """The runs as a table of Arrow, with the columns of `nomoi.frame`; `late`: one row a measure of each run."""
        from nomoi.runs import frames

        return frames.of(self.results.records, late)

    def verdict_frame(self) -> pa.Table:
        """The verdicts as a table of Arrow: one row a claim, with its estimate; null where nothing was found."""
        from nomoi.runs import frames

        return frames.judged(self.data()["verdicts"])

    def data(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "study": self.study.name,
            "size": self.size,
            "changed": list(self.changed),
            "remarks": list(self.remarks),
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
            "old": sorted(self.results.old),
        }  # fmt: skip


def names() -> list[str]:
    """The studies that come with nomoi, and their families, by the names of their files."""
    return sorted(m.name for m in pkgutil.iter_modules(importlib.import_module("nomoi.studies").__path__))


@lru_cache
def named(name: str) -> Study | Family:
    """A study or a family that comes with nomoi; only its file is loaded."""
    if name not in names():
        raise Refusal(f"there is no study {name!r}; {nearest(name, names(), 'study')}")
    home = importlib.import_module(f"nomoi.studies.{name}")
    return home.STUDY if hasattr(home, "STUDY") else home.FAMILY


def known() -> dict[str, str]:
    """The studies that come with nomoi, and their families: name -> question."""
    return {name: named(name).question for name in names()}


def find(name: str) -> tuple[Study, ...]:
    """A study by name, the `STUDY` of a file, or the studies of a family."""
    if name.endswith(".py"):
        if not (mine := own(name)):
            raise Refusal(f"{name} has no STUDY; write STUDY = Study(...) in it.")
        return (mine,)
    one = named(name)
    return (one,) if isinstance(one, Study) else tuple(s for part in one.studies for s in find(part))


def own(word: str) -> Study | None:
    """The study that FILE.py, or FILE.py:STUDY, has; None where it has none."""
    path, colon, name = word.rpartition(":")
    path, name = (path, name) if colon and name.isidentifier() else (word, "STUDY")
    found = getattr(module(path), name, None)
    return found if isinstance(found, Study) else None


def question(name: str) -> str:
    """What a study or a family asks; nothing where it is a file of one's own."""
    return named(name).question if name in names() else ""


def settings(set: Sequence[str], studies: Sequence[str]) -> dict[str, list[str]]:
    """Settings (NAME=VALUE, or STUDY.NAME=VALUE) by study; one that names no study is for the only one."""
    out: dict[str, list[str]] = {name: [] for name in studies}
    for text in set:
        name, dot, rest = text.partition(".")
        if dot and name in out:
            out[name].append(rest)
        elif len(studies) == 1:
            out[studies[0]].append(text)
        else:
            raise Refusal(
                f"{text!r} must name its study, such as {studies[0]}.NAME=VALUE; these are {', '.join(studies)}."
            )
    return out


def run(
    study: Study,
    size: str = "laptop",
    out: str | Path = "runs",
    tell: Tell = lambda _: None,
    set: Sequence[str] = (),
    old: bool = False,
    on: str = "",
    workers: int | None = None,
) -> Findings:
    """Make what is missing, then judge.  `set` (name=value) changes a setting of what is computed.

    on, workers  who makes it: this process, or workers of Ray ("ray", "ray://HOST:PORT"), and how many

    With `old`, records that other code made are used where there are no others; what they say is marked.
    """
    if size not in SIZES:
        raise Refusal(f"there is no size {size!r}; {nearest(size, SIZES, 'size')}")
    if size not in study.seeds:
        raise Refusal(f"{study.name} has no size {size}; its sizes are {', '.join(study.seeds)}.")
    seeds = range(study.first, study.first + study.seeds[size])
    trials = shared(changed(study.name, study.trials(size), set))
    store = Store(out)
    promise(study, trials, len(seeds), figures=_begins(store, trials, study.first))
    said = still(study, trials, len(seeds))
    for sentence in said:
        tell(sentence)
    with _computable(study.name, set):
        made = make(store, trials, seeds, tell, on=on, workers=workers, old=old)
    verdicts = tuple(claim.judge(made.results, size) for claim in study.claims)
    return Findings(study, size, made.results, verdicts, tuple(set), (*said, *made.remarks), made.fresh)


def _begins(store: Store, trials: Sequence[Trial], seed: int = 0) -> bool:
    """Whether anything is still to be trained: then a figure that cannot be drawn would come too late."""
    first = [t for t in trials if isinstance(t, Trained) and not t.parent]
    return any(store.get(Run(t, seed).asked) is None for t in first)


def promise(study: Study, trials: Sequence[Trial], seeds: int, figures: bool) -> None:
    """Refuse, before anything is made, trials that cannot be, and claims and figures about what will not be there."""
    try:
        check(trials)
    except Refusal as refusal:
        raise Refusal(f"{study.name}: {refusal}") from None
    promised = _promised(trials, seeds)
    check_claims([*study.claims, *study.readings], promised)
    if study.sections and figures:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                study.sections(promised)
        except Refusal as refusal:
            raise Refusal(f"{study.name}: its page cannot be made: {refusal}") from None
        except Exception:
            pass  # values are noise here, and what they break is no fault


def still(study: Study, trials: Sequence[Trial], seeds: int) -> tuple[str, ...]:
    """What the study claims that cannot fail, or cannot hold, in sentences."""
    return tuple(f"{study.name}: {said}" for said in idle(study.claims, _promised(trials, seeds)))


def _promised(trials: Sequence[Trial], seeds: int) -> Promised:
    exact = frozenset(t.label for t in trials if t.exact)
    return Promised({t.label: sorted(t.measures()) or None for t in trials}, seeds, exact)


def shared(trials: Sequence[Trial]) -> list[Trial]:
    """Trained trials in one situation as one program where their shapes allow it, so that all see and answer alike."""
    groups: dict[str, list[int]] = {}
    out = list(trials)
    bare = lambda t: t.place.bare  # noqa: E731
    for k, t in enumerate(trials):
        if isinstance(t, Trained):
            groups.setdefault(json.dumps(spec(bare(t)), sort_keys=True), []).append(k)
    for group in groups.values():
        some = [t for k in group if isinstance(t := trials[k], Trained)]
        stacks = [t.place.institutions for t in some]
        for k, t, place in zip(group, some, one_program(bare(some[0]), stacks), strict=True):
            out[k] = dataclasses.replace(t, situation=place, under=())
    return out


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


def changed(name: str, trials: Sequence[Trial], set: Sequence[str]) -> list[Trial]:
    """The trials with settings (name=value) of the computed ones changed; each must be a setting of some."""
    out = list(trials)
    once(((text.partition("=")[0], text) for text in set), f"{name}: --set")
    for text in set:
        option, equals, value = text.partition("=")
        known = {o: v for t in out if isinstance(t, Computed) for o, v in t.settings.items()}
        if not equals or option not in known:
            raise Refusal(f"{name}: {text!r} sets nothing; write NAME=VALUE; {nearest(option, known, 'setting')}")
        new = like(known[option], value, f"{name}.{option}")
        for k, t in enumerate(out):
            if isinstance(t, Computed) and option in t.settings:
                out[k] = dataclasses.replace(t, settings={**t.settings, option: new})
    return out


__all__ = ["Computed", "Evaluated", "Family", "Findings", "Scripted", "Study", "Trained", "Trial", "run"]
