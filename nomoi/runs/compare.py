"""compare: one situation under several regimes, learned in, measured, and set side by side."""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from nomoi import catalogue
from nomoi.core import Governed, Situation, build
from nomoi.core.keys import key_of
from nomoi.core.learner import Learner
from nomoi.errors import Refusal, nearest, once
from nomoi.learners import objectives
from nomoi.learners.ppo import PPO
from nomoi.measure.evaluate import evaluate
from nomoi.measure.measures import measures
from nomoi.measure.statistics import Estimate, difference, estimate
from nomoi.runs import regimes
from nomoi.runs.engine import Progress, train
from nomoi.runs.jobs import Job, schedule
from nomoi.runs.regimes import Regime, spec
from nomoi.runs.store import Record, Store
from nomoi.scripts.fixed import Forager, Random

Seeds = dict[str, np.ndarray]  # measure -> [seeds]
# where payoffs come from: earned, moved between agents, made and burnt by institutions, and what is left
ACCOUNTS = {
    "reward": "earned from the world", "moved": "moved between agents", "made": "made by institutions",
    "burnt": "burnt by institutions", "payoff": "payoff",
}  # fmt: skip
SEEDS = 1000  # the most runs a regime (ours)
FEW = 8  # updates below which a run is remarked upon: its last eighth is not even one of them (ours)


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table: a regime that was learned in, or a script that was not."""

    label: str
    sentence: str
    values: Seeds
    records: tuple[Record, ...] = ()

    def estimate(self, measure: str) -> Estimate:
        return estimate(self.values.get(measure, np.array([])))


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What `compare` found.  `rows` are the regimes, `scripts` the behaviours to compare with, under no rule.

    `chance` is random play under those regimes of which it is measured how well they are kept.
    """

    situation: Situation
    learner: PPO
    steps: int
    seeds: tuple[int, ...]
    rows: tuple[Row, ...]
    scripts: tuple[Row, ...]
    trained: int  # runs that were trained now; the others were on disk
    compile_seconds: float = 0.0
    chance: tuple[Row, ...] = ()

    @property
    def headline(self) -> str:
        """The measure that matters first: the harvest where there is one, else the material reward.

        Never the payoff, which an institution that pays out of nothing raises without anybody being better fed.
        """
        return "harvest" if "harvest" in self.rows[0].values else "reward"

    @property
    def measures(self) -> list[str]:
        """Measures that are defined for some row, in their documented order."""
        every = dict.fromkeys(m for r in (*self.rows, *self.scripts) for m in r.values)
        return [m for m in every if any(r.estimate(m).n for r in (*self.rows, *self.scripts))]

    @property
    def accounts(self) -> list[str]:
        """The accounts of payoffs, where institutions moved, made or burnt anything at all; else none are needed."""
        paid = any(r.estimate(m).mean > 0 for r in self.rows for m in ("moved", "made", "burnt") if r.estimate(m).n)
        return [m for m in ACCOUNTS if m in self.measures] if paid else []

    def gain(self, row: Row, measure: str | None = None) -> Estimate:
        """Paired difference from the first regime, seed by seed."""
        measure = measure or self.headline
        return difference(row.values[measure], self.rows[0].values[measure])

    @property
    def remarks(self) -> list[str]:
        """What a reader must know before believing the table, in sentences."""
        batch = self.learner.batch
        updates, out = self.steps // batch, []
        if updates < FEW:
            many = f"The whole run is {updates} update{'s' if updates > 1 else ''} of {batch:,} world steps, so "
            what = "nothing" if updates == 1 else "hardly anything"
            out.append(f"{many}{what} had been learned when it was measured: ask for more with --steps.")
        if len(self.seeds) < 2:
            out.append("One seed gives no interval: ask for more with --seeds.")
        return out

    def data(self) -> dict[str, Any]:
        """The table as plain data (the `--json` of the command line)."""

        def line(row: Row) -> dict[str, Any]:
            out: dict[str, Any] = {"label": row.label, "sentence": row.sentence}
            out["measures"] = {m: row.estimate(m).data() for m in row.values if row.estimate(m).n}
            out["records"] = [r.id for r in row.records]
            return out

        learned = [line(r) | {"gain": self.gain(r).data()} for r in self.rows]
        return {
            "situation": regimes.spec(self.situation),
            "learner": regimes.spec(self.learner),
            "steps": self.steps,
            "seeds": list(self.seeds),
            "remarks": self.remarks,
            "headline": self.headline,
            "units": {m: measure.unit for m, measure in _known(self.rows).items()},
            "meanings": {m: measure.meaning for m, measure in _known(self.rows).items()},
            "regimes": learned,
            "scripts": [line(r) for r in self.scripts],
            "chance": [line(r) for r in self.chance],
        }


def compare(
    situation: Situation | str,
    under: Mapping[str, str] | Sequence[str] = (),
    *,
    seeds: int = 3,
    steps: float = 500_000,
    out: str | Path = "runs",
    map: str | None = None,
    set: Mapping[str, str] | Sequence[str] = (),
    tell: Callable[[Progress], None] = lambda _: None,
    workers: int | None = None,
) -> Comparison:
    """Train agents in a situation under several regimes and compare what becomes of it.

    situation  an instance, a name, or FILE.py:Name;    map  a preset of it (or a drawing's file, for harvest)
    under      regimes such as "altar+sanction" or "levy(rate=1)"; by default those of the situation
    seeds      how many runs a regime;    steps  world steps a run;    out  the folder of the records
    set        options, {"levy.rate": "2"} or ["levy.rate=2"]; `situation` (or its own name) and `learner` are those two

    >>> import nomoi
    >>> result = nomoi.compare("pool", ["nothing", "levy(on=request)"], seeds=1, steps=2e4)  # doctest: +SKIP
    >>> result.gain(result.rows[1]).mean  # doctest: +SKIP
    """
    _kinds(situation, under, seeds, steps)
    if not 1 <= seeds <= SEEDS:
        raise Refusal(f"--seeds is {seeds}; at least one run is needed, and {SEEDS:,} are the most.")
    options = _options(set)
    place = _situation(situation, map, options)
    learner = _learner(options.pop("learner", {}))
    updates, chunk = schedule(learner, steps)
    asked = dict(under) if isinstance(under, Mapping) else once(_labelled(under), "--under")
    chosen = [regimes.parse(label, text, options) for label, text in (asked or regimes.default(place)).items()]
    regimes.check_overrides(options, chosen, ["situation", "learner"])

    store = Store(out)
    governed = regimes.one_program(place, chosen)
    jobs = [
        Job(g, learner, seed, updates, chunk, film=seed == 0, label=r.label)
        for seed in range(seeds)
        for g, r in zip(governed, chosen, strict=True)
    ]
    fresh = sum(store.get(j.spec()) is None for j in jobs)
    records = train(store, jobs, tell, workers)
    rows = []
    for k, regime in enumerate(chosen):
        mine = records[k :: len(chosen)]
        rows.append(Row(regime.label, regime.sentences(), _late(mine), tuple(mine)))
    scripts = _scripts(store, place, seeds)
    chance = _chance(store, governed, rows, seeds)
    return Comparison(place, learner, jobs[0].steps, tuple(range(seeds)), tuple(rows), scripts, fresh, chance=chance)


def _kinds(situation: Any, under: Any, seeds: Any, steps: Any) -> None:
    """Refuse what is of another kind than a comparison takes."""
    if not isinstance(situation, (str, Situation)):
        meant = f"{situation.__name__}()" if isinstance(situation, type) else 'Pool() or "pool"'
        raise Refusal(f"{situation!r} is no situation; one that is made, or a name, would be right: {meant}.")
    regime = 'regimes are texts in a list, or in a table by their labels, such as ["nothing", "levy(rate=1)"]'
    if isinstance(under, str) or not isinstance(under, (Mapping, Sequence)):
        raise Refusal(f"under is {under!r}; {regime}.")
    for text in [*under, *(under.values() if isinstance(under, Mapping) else ())]:
        if not isinstance(text, str):
            raise Refusal(f"under has {text!r}; {regime}.")
    if not isinstance(seeds, numbers.Integral):
        raise Refusal(f"seeds is {seeds!r}; a whole number of runs would be right.")
    if not isinstance(steps, numbers.Real):
        raise Refusal(f"steps is {steps!r}; a number of world steps would be right.")


def _late(records: Sequence[Record]) -> Seeds:
    """Each measure over the last eighth of training, [seeds]."""
    late = [r.late() for r in records]
    return {m: np.array([row.get(m, np.nan) for row in late]) for m in late[0]}


def _scripts(store: Store, situation: Situation, seeds: int) -> tuple[Row, ...]:
    """Behaviours that do not learn, in the same action space and under no rule."""
    known: list[tuple[str, str, Learner]] = [("random", "Every action equally likely; no rule.", Random())]
    state = jax.eval_shape(situation.reset, jax.random.key(0))
    scene = jax.eval_shape(situation.scene, state)
    if scene is not None and "apple" in scene.planes:
        known.append(
            ("restrained", "A script that spares apples with fewer than 3 near them; no rule.", Forager(spare=3))
        )
    rows = []
    for label, sentence, script in known:
        records = [script_record(store, situation, script, seed) for seed in range(seeds)]
        rows.append(Row(label, sentence, _late(records), tuple(records)))
    return tuple(rows)


def _chance(store: Store, governed: Sequence[Situation], rows: Sequence[Row], seeds: int) -> tuple[Row, ...]:
    """Random play under each regime that has a compliance: who takes at random obeys now and then."""
    out = []
    for situation, row in zip(governed, rows, strict=True):
        if row.estimate("compliance").n:
            records = [script_record(store, situation, Random(), seed) for seed in range(seeds)]
            out.append(Row(row.label, f"Random play: {row.sentence}", _late(records), tuple(records)))
    return tuple(out)


def script_record(store: Store, situation: Situation, script: Learner, seed: int, worlds: int = 16) -> Record:
    """The measures of a script over one episode in each of `worlds` worlds, kept as a record."""
    governed = situation if isinstance(situation, Governed) else None
    rules = {"institutions": [spec(i) for i in governed.institutions]} if governed else {}
    what = rules | {
        "kind": "script",
        "situation": spec(governed.situation if governed else situation),
        "script": {"class": catalogue.address(type(script)), "options": _plain_fields(script)},
        "seed": seed,
        "worlds": worlds,
    }
    found = store.get(what)
    if found:
        return found
    values = np.asarray(_evaluated(situation, script, worlds)(situation, script, key_of(seed)))
    curve = {name: (np.zeros(1), values[k : k + 1]) for k, name in enumerate(measures(situation))}
    return store.put(what, curve, label=script.name)


_PROGRAMS: dict[Any, Any] = {}


def _evaluated(situation: Situation, script: Learner, worlds: int) -> Any:
    """The compiled evaluation, one a shape."""
    kind = (jax.tree.structure((situation, script)), worlds)
    if kind not in _PROGRAMS:
        _PROGRAMS[kind] = jax.jit(lambda s, learner, key: evaluate(key, s, learner, worlds=worlds))
    return _PROGRAMS[kind]


def _plain_fields(script: Learner) -> dict[str, Any]:
    from nomoi.core.settings import Rule, describe

    return describe(script) if isinstance(script, Rule) else {}


def _known(rows: Sequence[Row]) -> dict[str, Any]:
    from nomoi.measure.measures import ALL

    names = {m for r in rows for m in r.values}
    return {m.name: m for m in ALL if m.name in names}


def _labelled(under: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Regimes with their labels: what was typed."""
    return ((text.strip() or regimes.NOTHING, text) for text in under)


def _options(given: Mapping[str, str] | Sequence[str]) -> dict[str, dict[str, str]]:
    """{"levy": {"rate": "2"}} from {"levy.rate": "2"} or ["levy.rate=2"]."""
    pairs = given.items() if isinstance(given, Mapping) else [_pair(text) for text in given]
    out: dict[str, dict[str, str]] = {}
    for name, value in once(((name.strip(), value) for name, value in pairs), "--set").items():
        owner, dot, option = name.partition(".")
        if not dot:
            raise Refusal(f"--set {name}={value} names no owner; something like levy.rate=2 would be right.")
        out.setdefault(owner, {})[option] = str(value).strip()
    return out


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Refusal(f"--set {text} sets nothing; something like levy.rate=2 would be right.")
    return name, value


def _situation(situation: Situation | str, map: str | None, options: dict[str, dict[str, str]]) -> Situation:
    """The situation that is meant; its part of the options, under "situation" or its own name, is taken out of them."""
    cls = type(situation) if isinstance(situation, Situation) else catalogue.find(situation, "situation")
    name = situation.name if isinstance(situation, Situation) else cls.__name__.lower()
    mine = [pair for owner in ("situation", name) for pair in options.pop(owner, {}).items()]
    extra = once(mine, f"--set (situation and {name} are one)")
    if isinstance(situation, Situation):
        if map or extra:
            raise Refusal("a situation that is already made takes no map and no options; set them when making it.")
        return situation
    preset = map
    if map is not None and map not in cls.presets:
        if not Path(map).is_file():
            raise Refusal(f"{name} has no preset {map!r}; {nearest(map, cls.presets, 'preset')}")
        preset, extra = None, once([("map", map), *extra.items()], "--map and --set situation.map")
    return build(cls, preset, **extra)


def _learner(options: Mapping[str, str]) -> PPO:
    named = dict(options)
    name = named.pop("objective", "own")
    known = objectives.known()
    if name not in known:
        raise Refusal(f"there is no objective {name!r}; {nearest(name, known, 'objective')}")
    own = {k.removeprefix("objective."): named.pop(k) for k in list(named) if k.startswith("objective.")}
    learner = build(PPO, **named)
    return dataclasses.replace(learner, objective=build(known[name], **own))


__all__ = ["Comparison", "Regime", "Row", "compare", "script_record"]
