"""Claims: statements about what people do, and the verdicts that records give on them."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nomoi.errors import Missing, Refusal, nearest
from nomoi.measure.statistics import Estimate, estimate, exactly
from nomoi.runs.record import Record

HOLDS, FAILS, INCONCLUSIVE, UNTESTED = "holds", "fails", "inconclusive", "not tested at this size"
KINDS = {
    "published": "Published claims",
    "replica": "What trials of ours found, asked again",
    "ours": "Claims of ours",
    "control": "Controls",
}


@dataclasses.dataclass(frozen=True)
class Results:
    """Records by trial, in the order of the seeds.

    exact     what was computed once, without chance;  old   what was made by other code than the one that is here
    missing   why a trial could not be made: data that is not on this machine
    """

    records: Mapping[str, tuple[Record, ...]]
    exact: frozenset[str] = frozenset()
    old: frozenset[str] = frozenset()
    missing: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def late(self, label: str, measure: str) -> np.ndarray:
        """[seeds] over the last eighth of training; [1] where it is exact."""
        return np.array([_known(r.late(), label, measure) for r in self._of(label)])

    def measures(self, label: str) -> list[str]:
        """The measures that a trial has."""
        return list(self._of(label)[0].curve())

    def unit(self, label: str, measure: str) -> str:
        """The unit of a measure, where the trial knows it."""
        return str(self._of(label)[0].facts["measures"].get(measure, [""])[0])

    def curve(self, label: str, measure: str) -> tuple[np.ndarray, np.ndarray]:
        """steps [K], values [seeds, K]."""
        drawn = [_known(r.curve(), label, measure) for r in self._of(label)]
        return drawn[0][0], np.stack([v for _, v in drawn])

    def bins(self, label: str, measure: str, count: int = 10) -> np.ndarray:
        """[seeds, count] means over equal parts of training; NaN where a part has no point of the curve."""
        steps, values = self.curve(label, measure)
        # a point stands for the stretch that it ends; the tiny bit keeps 3/10 of 10 in the third part
        part = np.clip(np.ceil(steps / steps[-1] * count - 1e-9) - 1, 0, count - 1)
        return np.stack([_mean(values[:, part == k]) for k in range(count)], 1)

    def _of(self, label: str) -> tuple[Record, ...]:
        if isinstance(self.records, _Noted):
            self.records.asked.add(label)
        if label in self.missing:
            raise Missing(self.missing[label])
        return _known(self.records, label, label)


def _known(table: Mapping[str, Any], label: str, name: str) -> Any:
    if name in table:
        return table[name]
    what = "trial" if name == label else f"measure of {label!r}"
    raise Refusal(f"there is no {what} {name!r}; {nearest(name, list(table), 'name')}")


def _mean(values: np.ndarray) -> np.ndarray:
    """[seeds] means over the second axis, NaN where nothing is defined."""
    there = np.isfinite(values)
    return np.where(there.any(1), np.where(there, values, 0).sum(1) / np.maximum(there.sum(1), 1), np.nan)


# of several sizes and signs, so that what looks for a threshold finds some on each side of it
NOISES: tuple[Callable[[np.random.Generator, tuple[int, int]], np.ndarray], ...] = (
    lambda rng, shape: rng.uniform(0.1, 1.0, shape),
    lambda rng, shape: rng.uniform(0.1, 1.0, shape),
    lambda rng, shape: rng.normal(size=shape),
    lambda rng, shape: 100 * rng.normal(size=shape),
    lambda rng, shape: 1e-3 * rng.uniform(0.1, 1.0, shape),
    lambda rng, shape: 1 + 1e-3 * rng.uniform(-1.0, 1.0, shape),
)


class Promised(Results):
    """What results will hold, before anything is made: values are noise, but a name that will not be there is refused.

    measures   of each condition, or None where only making it will tell;   draw  which noise it is, of NOISES
    """

    promised: Mapping[str, Sequence[str] | None]
    seeds: int
    draw: int  # which noise it is

    def __init__(
        self, measures: Mapping[str, Sequence[str] | None], seeds: int, exact: frozenset[str] = frozenset(),
        draw: int = 0,
    ):  # fmt: skip
        super().__init__(dict.fromkeys(measures, ()), exact)
        object.__setattr__(self, "promised", measures)
        object.__setattr__(self, "seeds", seeds)
        object.__setattr__(self, "draw", draw)

    def late(self, label: str, measure: str) -> np.ndarray:
        return self.curve(label, measure)[1][:, -1]

    def measures(self, label: str) -> list[str]:
        self._of(label)
        return list(self.promised[label] or ())

    def unit(self, label: str, measure: str) -> str:
        return ""

    def curve(self, label: str, measure: str) -> tuple[np.ndarray, np.ndarray]:
        self._of(label)
        names = self.promised[label]
        if names is not None:
            _known(dict.fromkeys(names), label, measure)
        rng = np.random.default_rng([self.draw, *f"{label} {measure}".encode()] if self.draw else len(label))
        return np.arange(1.0, 33.0), NOISES[self.draw](rng, (1 if label in self.exact else self.seeds, 32))


def check(claims: Sequence[Claim | Reading], promised: Promised) -> None:
    """Refuse claims about conditions or measures that will not be there."""
    for claim in claims:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # nor is what noise, or no name at all, is divided by
                claim.effect(promised)
        except Refusal as error:
            raise Refusal(f"the claim {claim.text!r} cannot be judged: {error}") from None
        except Exception:
            pass  # values are noise here, and what they break is no fault


def idle(claims: Sequence[Claim], promised: Promised) -> list[str]:
    """Claims whose verdict is settled, a sentence each: their effect is the same number whatever the runs bring."""
    out = []
    for claim in claims:
        values = [_tried(claim, promised, draw) for draw in range(len(NOISES))]
        known = np.concatenate(values)
        if sum(len(some) > 0 for some in values) > 1 and (known == known[0]).all():
            right = "an effect of what they bring, such as r.late(LABEL, MEASURE), would be right"
            (low, high), value = claim.limits(), float(known[0])
            can = "cannot fail" if low < value < high else f"cannot hold, which asks for {claim.bound()}"
            same = f"{claim.text!r} is {value:g} whatever the runs bring"
            out.append(f"the effect of the claim {same}, so it {can}; {right}.")
    return out


def _tried(claim: Claim, promised: Promised, draw: int) -> np.ndarray:
    """The effect on some noise, as far as it is defined there."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = claim.effect(Promised(promised.promised, promised.seeds, promised.exact, draw))
        found = np.ravel(np.asarray(value.mean if isinstance(value, Estimate) else value, float))
    except Exception:
        return np.array([])  # values are noise here, and what they break is no fault
    return found[np.isfinite(found)]


class _Noted(Mapping[str, tuple[Record, ...]]):
    """Records of which it is noted which trials an effect asked for."""

    def __init__(self, records: Mapping[str, tuple[Record, ...]]):
        self.records, self.asked = records, set[str]()

    def __getitem__(self, label: str) -> tuple[Record, ...]:
        return self.records[label]

    def __iter__(self) -> Iterator[str]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def __contains__(self, label: object) -> bool:
        return label in self.records


def found(effect: Callable[[Results], np.ndarray | Estimate], results: Results) -> Estimate:
    """An effect over seeds; a point where all conditions that it is about are exact."""
    return _found(effect, results)[0]


def _found(effect: Callable[[Results], np.ndarray | Estimate], results: Results) -> tuple[Estimate, set[str]]:
    """An effect, and the labels of the trials that it is about."""
    noted = _Noted(results.records)
    try:
        value = effect(dataclasses.replace(results, records=noted))
    except Missing:
        return estimate(np.array([])), noted.asked
    if isinstance(value, Estimate):
        return value, noted.asked
    if noted.asked and noted.asked <= results.exact:
        if np.size(value) != 1:
            raise Refusal(f"an effect of exact trials is one number, and here are {np.size(value)}.")
        return exactly(float(np.reshape(value, ()))), noted.asked
    return estimate(np.atleast_1d(value)), noted.asked


@dataclasses.dataclass(frozen=True)
class Claim:
    """One statement with its source, which may turn out wrong.

    effect      seed by seed, from the results: [seeds]; or an Estimate of its own, such as a correlation over seeds
    published   the published value in words; empty where there is none (recalled values are not published); of a
                replica what our trial found, which pages do not call published
    above, below, near   what the mean effect must be: above a bound, below it, or within `tolerance` of a value
    kind        published, replica (of a trial of ours), ours, or control: pages count them apart
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
    kind: str = "published"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise Refusal(
                f"{self.text!r}: there is no kind {self.kind!r} of claim; {nearest(self.kind, KINDS, 'kind')}"
            )
        low, high = self.limits()
        if not low < high or (low, high) == (-math.inf, math.inf):
            raise Refusal(f"{self.text!r} cannot be judged: it must say above or below or near what, and how near.")

    def judge(self, results: Results, size: str) -> Verdict:
        """The verdict that the whole interval, or the exact value, allows."""
        effect, labels = _found(self.effect, results)
        mixed = bool(labels & results.old) and not labels <= results.old  # what other code made is no comparison
        if mixed or size == "smoke" or not effect.n or (effect.n < 2 and not effect.exact):
            return Verdict(self, UNTESTED, effect, about=bool(labels))
        low, high = self.limits()
        if effect.low > low and effect.high < high:
            return Verdict(self, HOLDS, effect)
        if effect.high <= low or effect.low >= high:
            return Verdict(self, FAILS, effect)
        return Verdict(self, INCONCLUSIVE, effect)

    def limits(self) -> tuple[float, float]:
        """Between which values, both excluded, the effect must lie."""
        if self.near is not None:
            return self.near - self.tolerance, self.near + self.tolerance
        return (
            -math.inf if self.above is None else self.above,
            math.inf if self.below is None else self.below,
        )

    def bound(self) -> str:
        """What the effect must be, as a reader sees it: '> 0', '< 5', '0 +- 0.05'."""
        if self.near is not None:
            return f"{self.near:g} +- {self.tolerance:g}"
        parts = [f"{sign} {value:g}" for sign, value in ((">", self.above), ("<", self.below)) if value is not None]
        return " and ".join(parts)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A claim, what was found, and whether the whole interval lies where the claim says."""

    claim: Claim
    verdict: str
    estimate: Estimate
    about: bool = True  # whether any run was asked for it

    def found(self) -> str:
        if not self.about and self.estimate.n == 1:
            return f"{self.estimate.text()}, of no run"
        return told(self.estimate, self.claim.unit)


@dataclasses.dataclass(frozen=True)
class Reading:
    """What a model says: a number that follows from its definitions, so that no verdict is due.

    published   the number that a source prints for it, if one does
    """

    text: str
    source: str
    effect: Callable[[Results], np.ndarray | Estimate]
    published: str = ""
    unit: str = ""


def told(e: Estimate, unit: str = "") -> str:
    """An estimate in words: '0.5 [0.4, 0.6] of time (n = 5)'."""
    return " ".join(part for part in (e.text(), e.interval(), unit, f"({e.sample()})") if part)


def count(verdicts: Sequence[Verdict]) -> str:
    """'5 of 7 hold, 1 fails, 1 inconclusive'."""
    tally = {word: sum(v.verdict == word for v in verdicts) for word in (HOLDS, FAILS, INCONCLUSIVE, UNTESTED)}
    verb = {HOLDS: "hold" if len(verdicts) > 1 else "holds", FAILS: "fails" if tally[FAILS] == 1 else "fail"}
    more = [f"{k} {verb.get(word, word)}" for word, k in tally.items() if k and word != HOLDS]
    return ", ".join([f"{tally[HOLDS]} of {len(verdicts)} {verb[HOLDS]}", *more])
