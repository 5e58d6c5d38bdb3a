"""compare: one situation under several regimes, lived in, measured, and set side by side.  A study without claims."""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nomoi.core import Institution, Situation
from nomoi.core.learner import Learner
from nomoi.core.outline import outline
from nomoi.core.spec import spec
from nomoi.errors import Refusal, once
from nomoi.measure.measures import measures
from nomoi.measure.statistics import Estimate, difference, estimate
from nomoi.runs import proxied, regimes
from nomoi.runs.engine import Tell
from nomoi.runs.make import check, make
from nomoi.runs.record import Record
from nomoi.runs.regimes import Regime
from nomoi.runs.shapes import one_program
from nomoi.runs.store import Store
from nomoi.runs.trained import Trained
from nomoi.runs.trial import Trial
from nomoi.runs.trials import Scripted
from nomoi.scripts.fixed import Forager, Random

if TYPE_CHECKING:
    import pyarrow as pa

    from nomoi.runs.chosen import Choices
    from nomoi.solve.game import NormalForm

Seeds = dict[str, np.ndarray]  # measure -> [seeds]
# where payoffs come from: earned, moved between agents, made and burnt by institutions, and what is left
ACCOUNTS = {
    "reward": "earned from the world", "moved": "moved between agents", "made": "made by institutions",
    "burnt": "burnt by institutions", "payoff": "payoff",
}  # fmt: skip
COURSE = ("equality", "sustainability")  # measures of the course of an episode
SEEDS = 1000  # the most runs a regime (ours)
FEW = 8  # updates below which a run is remarked upon: its last eighth is not even one of them (ours)


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table: a regime that was lived in, or a script under no rule; `old` where other code made it."""

    label: str
    sentence: str
    values: Seeds
    records: tuple[Record, ...] = ()
    old: bool = False

    @cached_property
    def estimates(self) -> dict[str, Estimate]:
        return {name: estimate(values) for name, values in self.values.items()}

    def estimate(self, measure: str) -> Estimate:
        return self.estimates[measure] if measure in self.values else estimate(np.array([]))


@dataclasses.dataclass(frozen=True, repr=False)
class Comparison:
    """What `compare` found.  `rows` are the regimes, `scripts` the behaviours to compare with, under no rule.

    `chance` is random play under those regimes of which it is measured how well they are kept.
    """

    situation: Situation
    who: Learner
    steps: int  # world steps of a training; 0 where who plays never learns
    seeds: tuple[int, ...]
    rows: tuple[Row, ...]
    scripts: tuple[Row, ...]
    chance: tuple[Row, ...] = ()
    fresh: int = 0  # runs that were made now; the others were on disk
    said: tuple[str, ...] = ()
    own: frozenset[str] = frozenset()  # measures that files of one's own declare or emit
    game: str = ""  # the file of the game, where that is what is lived in
    source: NormalForm | None = None  # the game itself, with its names

    def __repr__(self) -> str:
        """What a notebook shows: of each regime and script what matters first, with its interval."""
        found = {label: r.estimate(self.headline) for label, r in self.labelled.items()}
        wide = max(map(len, found))
        lines = [f"{label:{wide}}  {e.text()} {e.interval()}".rstrip() for label, e in found.items()]
        return "\n".join((f"{self.place}, {self.who.name}, n = {len(self.seeds)}: {self.headline}", *lines))

    @property
    def labelled(self) -> dict[str, Row]:
        """Regimes and scripts by label; a script's begins so that it is no regime's."""
        return {r.label: r for r in self.rows} | {SCRIPT + r.label: r for r in self.scripts}

    @property
    def place(self) -> str:
        """What is lived in, in a word: a game of a file by its file."""
        return self.game or self.situation.name

    @property
    def headline(self) -> str:
        """The measure that matters first: the harvest where there is one, else the material reward.

        Never the payoff, which an institution that pays out of nothing raises without anybody being better fed.
        """
        return "harvest" if "harvest" in self.rows[0].values else "reward"

    @cached_property
    def measures(self) -> list[str]:
        """Measures that are defined for some row, in their documented order.

        Where an episode is one step, those that are about its course say nothing.
        """
        rows = (*self.rows, *self.scripts)
        every = dict.fromkeys(m for r in rows for m in r.values if self.situation.horizon > 1 or m not in COURSE)
        return [m for m in every if any(r.estimate(m).n for r in (*self.rows, *self.scripts))]

    @cached_property
    def words(self) -> dict[str, tuple[str, str]]:
        """Unit and meaning of every measure, from the records."""
        rows = (*self.rows, *self.scripts)
        told = {name: words for row in rows for r in row.records[:1] for name, words in r.facts["measures"].items()}
        return {name: tuple(told.get(name, ("", ""))) for row in rows for name in row.values}  # type: ignore[misc]

    @property
    def accounts(self) -> list[str]:
        """The accounts of payoffs, where institutions moved, made or burnt anything at all; else none are needed."""
        paid = any(r.estimate(m).mean > 0 for r in self.rows for m in ("moved", "made", "burnt") if r.estimate(m).n)
        return [m for m in ACCOUNTS if m in self.measures] if paid else []

    @cached_property
    def choices(self) -> Choices | None:
        """How often each player of a game takes each choice in the end; None where there is no such game."""
        from nomoi.runs import chosen

        kept = {label: r.records for label, r in self.labelled.items() if not r.old and r.records}
        return chosen.choices(self.situation, self.source, kept)

    def gain(self, row: Row, measure: str | None = None) -> Estimate:
        """Paired difference from the first regime, seed by seed; undefined where other code made one of them."""
        measure = measure or self.headline
        if row.old != self.rows[0].old:
            return estimate(np.array([]))
        return difference(row.values[measure], self.rows[0].values[measure])

    @property
    def remarks(self) -> list[str]:
        """What a reader must know before believing the table, in sentences."""
        batch, out = self.who.batch, list(self.said)
        updates = self.steps // batch if batch else 0
        if batch and updates < FEW:
            many = f"The whole run is {updates} update{'s' if updates > 1 else ''} of {batch:,} world steps, so "
            what = "nothing" if updates == 1 else "hardly anything"
            out.append(f"{many}{what} had been learned when it was measured: ask for more with --steps.")
        if len(self.seeds) < 2:
            out.append("One seed gives no interval: ask for more with --seeds.")
        return out + [p.sentence for p in proxied.phases(self) if p.second]

    def frame(self, late: bool = False) -> pa.Table:
        """The runs as a table of Arrow, with the columns of `nomoi.frame`; `late`: one row a measure of each run.

        Scripts, and random play under a rule, are labelled `script: random` and `by chance: altar`.
        """
        from nomoi.runs import frames

        labelled = {label: r.records for label, r in self.labelled.items()}
        return frames.of(labelled | {CHANCE + r.label: r.records for r in self.chance}, late)

    def data(self) -> dict[str, Any]:
        """The table as plain data (the `--json` of the command line)."""

        def line(row: Row, title: str = "") -> dict[str, Any]:
            out: dict[str, Any] = {"label": row.label, "sentence": row.sentence}
            out["measures"] = {m: row.estimate(m).data() for m in row.values if row.estimate(m).n}
            out["records"], out["old"] = [r.id for r in row.records], row.old
            if self.choices and title + row.label in self.choices.shares:
                out["choices"] = self.choices.data(title + row.label)
            return out

        learned = [line(r) | {"gain": self.gain(r).data()} for r in self.rows]
        return {
            "situation": spec(self.situation),
            "who": spec(self.who),
            "steps": self.steps,
            "seeds": list(self.seeds),
            "remarks": self.remarks,
            "headline": self.headline,
            "units": {m: unit for m, (unit, _) in self.words.items()},
            "meanings": {m: meaning for m, (_, meaning) in self.words.items()},
            "regimes": learned,
            "scripts": [line(r, SCRIPT) for r in self.scripts],
            "chance": [line(r, CHANCE) for r in self.chance],
        }


def compare(
    situation: Situation | str,
    under: Mapping[str, Any] | Sequence[Any] = (),
    *,
    who: Learner | str = "",
    objective: str | None = None,
    seeds: int = 3,
    steps: float = 500_000,
    out: str | Path = "runs",
    map: str | None = None,
    set: Mapping[str, str] | Sequence[str] = (),
    tell: Tell = lambda _: None,
    on: str = "",
    workers: int | None = None,
    old: bool = False,
) -> Comparison:
    """Let agents live in a situation under several regimes and compare what becomes of it.

    situation  an instance, a name, or FILE.py:Name;    map  a preset of it (or a drawing's file, for harvest)
    under      regimes in a list, or in a table by label: texts such as "altar+sanction" or "levy(rate=1)", or tuples of
               institutions; by default those of the situation
    who        who plays: a learner or a script, or its text, such as "forager(spare=3)"; by default the situation's
    objective  what is learned from, where it is not the own payoff: a name, or an expression such as "own - 2*sparse"
    seeds      how many runs a regime;    steps  world steps a run;    out  the folder of the records
    set        options, {"levy.rate": "2"} or ["levy.rate=2"]; `situation` (or its own name) and `learner` are those two
    on         who makes the runs: this process, or workers of Ray ("ray", "ray://HOST:PORT");    workers  how many
    old        whether records that other code made may stand where there are no others

    >>> import nomoi
    >>> result = nomoi.compare("pool", ["nothing", "levy(on=request)"], seeds=1, steps=2e4)  # doctest: +SKIP
    >>> result.gain(result.rows[1]).mean  # doctest: +SKIP
    """
    _kinds(situation, under, who, seeds, steps)
    if not 1 <= seeds <= SEEDS:
        raise Refusal(f"--seeds is {seeds}; at least one run is needed, and {SEEDS:,} are the most.")
    options = regimes.settings(set)
    place = regimes.place(situation, map, options)
    player = proxied.given(_player(who or place.who, options.pop("learner", {})), objective)
    of = proxied.text(player)
    asked = dict(under) if isinstance(under, Mapping) else once(_labelled(under), "--under")
    chosen = [_regime(label, given, options) for label, given in (asked or regimes.default(place)).items()]
    regimes.check_overrides(options, chosen, ["situation", "learner"])

    governed = one_program(place, proxied.gauged(place, {r.label: r.institutions for r in chosen}, of))
    said = proxied.pilot(dict(zip([r.label for r in chosen], governed, strict=True)), of) if of else []
    game = regimes.game(situation)
    lived = [_lived(r.label, g, player, steps, game) for g, r in zip(governed, chosen, strict=True)]
    free = proxied.free(place, of)
    scripts = {SCRIPT + label: (sentence, Scripted(SCRIPT + label, free, s, game=game))
               for label, sentence, s in _scripts(place)}  # fmt: skip
    chance = {t.label: Scripted(CHANCE + t.label, g, Random(), game=game) for g, t in zip(governed, lived, strict=True)
              if not isinstance(player, Random) and any(kept(m) for m in t.measures())}  # fmt: skip
    trials: list[Trial] = [*lived, *(t for _, t in scripts.values()), *chance.values()]
    check(trials)
    made = make(Store(out), trials, range(seeds), tell, on=on, workers=workers, old=old)

    def row(trial: Trial, sentence: str, label: str = "") -> Row:
        records = made.results.records[trial.label]
        return Row(label or trial.label, sentence, _late(records), records, trial.label in made.results.old)

    rows = [row(t, r.sentences()) for t, r in zip(lived, chosen, strict=True)]
    unruled = [row(t, sentence, label.removeprefix(SCRIPT)) for label, (sentence, t) in scripts.items()]
    by_chance = [row(chance[r.label], f"Random play: {r.sentence}", r.label) for r in rows
                 if r.label in chance and any(r.estimate(m).n for m in r.values if kept(m))]  # fmt: skip
    length = lived[0].length if isinstance(lived[0], Trained) else 0
    return Comparison(place, player, length, tuple(range(seeds)), tuple(rows), tuple(unruled), tuple(by_chance),
                      made.fresh, (*said, *made.remarks), _own(governed), game, regimes.source(situation))  # fmt: skip


def _own(places: Sequence[Situation]) -> frozenset[str]:
    """The measures of situations and institutions that do not come with nomoi."""
    out = set[str]()
    for place in places:
        mine = [i.name for i in place.institutions if not type(i).__module__.startswith("nomoi.")]
        known = measures(place)
        out |= {m for m, one in known.items() for need in (m, *one.needs) if need.partition(".")[0] in mine}
        if not type(place.bare).__module__.startswith("nomoi."):
            out |= {m for m, one in known.items() if any(n in place.bare.emits for n in one.needs)}
    return frozenset(out)


def kept(measure: str) -> bool:
    """Whether a measure says how well a rule is kept; who takes at random obeys now and then."""
    return measure.rpartition(".")[2] == "compliance"


SCRIPT, CHANCE = "script: ", "by chance: "  # so that no label of a regime is theirs


def _lived(label: str, place: Situation, player: Learner, steps: float, game: str) -> Trained | Scripted:
    """The regime lived in: learned in, and filmed, by who learns; by others only played."""
    if player.batch:
        return Trained(label, place, (), steps, player, film=True, game=game)
    return Scripted(label, place, player, game=game)


def _kinds(situation: Any, under: Any, who: Any, seeds: Any, steps: Any) -> None:
    """Refuse what is of another kind than a comparison takes."""
    if not isinstance(situation, (str, Situation)):
        meant = f"{situation.__name__}()" if isinstance(situation, type) else 'Pool() or "pool"'
        raise Refusal(f"{situation!r} is no situation; one that is made, or a name, would be right: {meant}.")
    if not isinstance(who, (str, Learner)):
        raise Refusal(f'who is {who!r}; a learner or a script, or its text, would be right: "forager(spare=3)".')
    regime = ('regimes are texts or institutions in a list, or in a table by their labels, such as ["nothing", '
              '"levy(rate=1)"]')  # fmt: skip
    if isinstance(under, str) or not isinstance(under, (Mapping, Sequence)):
        raise Refusal(f"under is {under!r}; {regime}.")
    for given in under.values() if isinstance(under, Mapping) else under:
        parts = given if isinstance(given, (tuple, list)) else (given,)
        if not isinstance(given, str) and not all(isinstance(part, Institution) for part in parts):
            raise Refusal(f"under has {given!r}; {regime}.")
    for label in under if isinstance(under, Mapping) else ():
        if not isinstance(label, str):
            raise Refusal(f"under has {label!r}; {regime}.")
    if not isinstance(seeds, numbers.Integral):
        raise Refusal(f"seeds is {seeds!r}; a whole number of runs would be right.")
    if not isinstance(steps, numbers.Real):
        raise Refusal(f"steps is {steps!r}; a number of world steps would be right.")


def _late(records: Sequence[Record]) -> Seeds:
    """Each measure over the last eighth of training, [seeds]."""
    late = [r.late() for r in records]
    return {m: np.array([row.get(m, np.nan) for row in late]) for m in late[0]}


def _scripts(situation: Situation) -> list[tuple[str, str, Learner]]:
    """Behaviours that do not learn, in the same action space and under no rule: label, sentence, script."""
    known: list[tuple[str, str, Learner]] = [("random", "Every action equally likely; no rule.", Random())]
    scene = outline(situation).scene
    if scene is not None and "apple" in scene.planes:
        sentence = "A script that spares apples with fewer than 3 near them; no rule."
        known.append(("restrained", sentence, Forager(spare=3)))
    return known


def _regime(label: str, given: Any, options: Mapping[str, Mapping[str, str]]) -> Regime:
    """A regime from its text, or from institutions."""
    if isinstance(given, str):
        return regimes.parse(label, given, options)
    stack = tuple(given) if isinstance(given, (tuple, list)) else (given,)
    return Regime(label, stack, frozenset((i.name, o) for i in stack for o in options.get(i.name, {})))


def _player(who: Learner | str, options: Mapping[str, str]) -> Learner:
    if isinstance(who, str):
        return regimes.player(who, options)
    if options:
        raise Refusal("a learner that is already made takes no options; set them when making it.")
    return who


def _labelled(under: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """Regimes with their labels: what was typed, or the names of the institutions."""
    for given in under:
        stack = given if isinstance(given, (tuple, list)) else (given,)
        text = given.strip() if isinstance(given, str) else "+".join(i.name for i in stack)
        yield text or regimes.NOTHING, given
