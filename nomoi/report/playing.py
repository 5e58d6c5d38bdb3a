"""`nomoi play`: some who speak, and perhaps scripts, at one table under several regimes; a table of what came of it."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.markup import escape
from rich.table import Table

from nomoi.core.learner import Learner
from nomoi.errors import Refusal
from nomoi.measure.statistics import Estimate, estimate
from nomoi.play.called import with_names
from nomoi.play.words import WORDINGS, rules
from nomoi.report.terminal import _cell, console, shares
from nomoi.runs import chosen, regimes
from nomoi.runs.chosen import Choices
from nomoi.runs.engine import Tell
from nomoi.runs.make import check, make
from nomoi.runs.record import Record
from nomoi.runs.spoken import Spoken
from nomoi.runs.store import Store
from nomoi.situations.matrix import Matrix
from nomoi.speak.desk import Desk, desk
from nomoi.speak.endpoint import Endpoint
from nomoi.speak.speaker import Speaker

COLUMNS = ("survival", "gained", "reward", "payoff", "defection", "agreement", "malformed")  # and an institution's
SITTINGS = 8  # steps in which institutions may convene, in the estimate of what is asked (ours)
_MODEL = re.compile(r"model:(?P<model>.+)@(?P<url>https?://.*)")


@dataclasses.dataclass(frozen=True)
class Row:
    """A regime in one wording: a record a seed."""

    label: str
    wording: int | None
    records: tuple[Record, ...]

    def estimate(self, measure: str) -> Estimate:
        late = [r.late() for r in self.records]
        return estimate(np.array([row[measure] for row in late if measure in row]))


def seat(text: str, key: str = "", temperature: float = 1.0, wording: int = 0) -> Speaker | Learner:
    """Who sits there, from text: `model:NAME@URL`, or a script such as `constant(choice=10)`."""
    if not text.startswith("model:") and "@http" not in text:
        return regimes.player(text)
    found = _MODEL.fullmatch(text)
    if not found:
        raise Refusal(f"{text!r} names no model; something like model:phi4@http://127.0.0.1:8000/v1 would be right.")
    return Speaker(Endpoint(found["model"], found["url"], key), temperature, wording=wording)


def trials(
    situation: str, seats: Sequence[str], under: Sequence[str] = (), *, set: Sequence[str] = (), map: str | None = None,
    talk: int = 0, between: int = 0, wordings: int = 1, key: str = "", temperature: float = 1.0,
) -> list[Spoken]:  # fmt: skip
    """What is to be played: a trial for each regime in each wording; a script is told nothing in words."""
    if not seats:
        raise Refusal("nobody sits at the table; --seat model:NAME@URL, or a script, puts somebody there.")
    if not 1 <= wordings <= len(WORDINGS):
        raise Refusal(f"--wordings {wordings} is not right; there are {len(WORDINGS)}.")
    for name, rounds in (("talk", talk), ("between", between)):
        if rounds < 0:
            raise Refusal(f"--{name} {rounds} is no number of rounds; 0 or more would be right.")
    options = regimes.settings(set)
    place, game = regimes.place(situation, map, options), regimes.game(situation)
    if isinstance(place, Matrix):
        place = with_names(place, regimes.source(situation))
    out = []
    for regime in regimes.asked(under, options):
        scripted = [s if isinstance(s, Learner) else None for s in (seat(t, key, temperature) for t in seats)]
        for wording in range(wordings if None in scripted else 1):
            label = regime.label + (f", wording {wording + 1}" if wordings > 1 else "")
            sit = tuple(s or seat(t, key, temperature, wording) for s, t in zip(scripted, seats, strict=True))
            out.append(Spoken(label, place, sit, regime.institutions, talk, between, game=game))
    return out


def play(
    made: Sequence[Spoken],
    seeds: int = 3,
    out: str | Path = "runs",
    tell: Tell = lambda _: None,
    at: Desk | None = None,
) -> list[Row]:
    """Play what is missing, and give a row for each trial."""
    if seeds < 1:
        raise Refusal(f"--seeds {seeds} is no number of runs; 1 or more would be right.")
    check(made)
    with desk(at or Desk()):
        records = make(Store(out), made, range(seeds), tell).results.records
    return [Row(trial.label, _wording(trial), records[trial.label]) for trial in made]


def _wording(trial: Spoken) -> int | None:
    return next((s.wording for s in trial.seats if isinstance(s, Speaker)), None)


def asks(trial: Spoken) -> tuple[int, int]:
    """At most how many calls a run takes, and about how many tokens; answers that must be mended come on top."""
    n, place = trial.place.agents, trial.place
    speaking = sum(isinstance(trial.seats[min(i, len(trial.seats) - 1)], Speaker) for i in range(n))
    sittings = SITTINGS if any("." in head for head in place.actions) else 0
    calls = speaking * (place.horizon + sittings + trial.talk + trial.between * (place.horizon - 1))
    words = len(rules(place)) + len(str(place.choices)) // 4 + 600
    return calls, calls * (words // 4 + 30)


def dry(made: Sequence[Spoken], seeds: int) -> None:
    """Say what it would take, and ask nobody."""
    out = Table(title=f"what is asked at most, {seeds} seeds", title_justify="left")
    for column in ("regime", "calls a run", "calls in all", "tokens in all, about"):
        out.add_column(column, justify="left" if column == "regime" else "right")
    whole = [0, 0]
    for trial in made:
        calls, tokens = asks(trial)
        out.add_row(escape(trial.label), f"{calls:,}", f"{calls * seeds:,}", f"{tokens * seeds:,}")
        whole = [whole[0] + calls * seeds, whole[1] + tokens * seeds]
    out.add_row("all", "", f"{whole[0]:,}", f"{whole[1]:,}")
    console.print(out)


def choices(made: Sequence[Spoken], rows: Sequence[Row], situation: str) -> Choices | None:
    """How often each player of a game took each choice."""
    return chosen.choices(made[0].place, regimes.source(situation), {row.label: row.records for row in rows})


def show(rows: Sequence[Row], at: Desk, found: Choices | None = None, who: str = "") -> None:
    """The table, the spread over wordings before any regime is compared, and what was asked; of games, the choices.

    `who` says who plays what.
    """
    told = {name: words for row in rows for r in row.records[:1] for name, words in r.facts["measures"].items()}
    known = [m for c in COLUMNS for m in told if m.rpartition(".")[2] == c and any(r.estimate(m).n for r in rows)]
    first = known[0]
    if len({r.wording for r in rows}) > 1:
        means = [r.estimate(first).mean for r in rows]
        said = f"over wordings and regimes {first} goes from {min(means):.4g} to {max(means):.4g}; regimes differ only "
        console.print(f"{said}where they do so by more than wordings do", style="yellow", highlight=False)
    many = f"{len(rows[0].records)} seed{'s' * (len(rows[0].records) > 1)} each"
    out = Table(title=escape(f"{who}, {many}" if who else many), title_justify="left")
    out.add_column("regime")
    for measure in known:
        out.add_column(f"{measure}\n[dim]{told[measure][0] if measure in told else ''}[/dim]", justify="right")
    for row in rows:
        out.add_row(escape(row.label), *(_cell(row.estimate(m), full=m == first) for m in known))
    console.print(out)
    if found:
        console.print(shares(found, list(found.shares), "chose"))
    meant = "; ".join(f"{measure}: {told[measure][1]}" for measure in known if told.get(measure, ("", ""))[1])
    console.print(meant, style="dim", highlight=False, markup=False)
    if any(row.wording is not None for row in rows):
        console.print(f"{at.calls} calls were made, {at.tokens:,} tokens; records keep transcripts and what was said",
                      style="dim", highlight=False)  # fmt: skip


def data(rows: Sequence[Row], at: Desk, found: Choices | None = None) -> str:
    """The table as JSON."""
    chose = {label: found.data(label) for label in found.shares} if found else {}
    told = [{"label": r.label, "wording": r.wording, "records": [x.id for x in r.records],
             "measures": {m: {"mean": _finite(e.mean), "low": _finite(e.low), "high": _finite(e.high), "n": e.n}
                          for m in r.records[0].late() if (e := r.estimate(m)).n},
             **({"choices": chose[r.label]} if r.label in chose else {})} for r in rows]  # fmt: skip
    return json.dumps({"rows": told, "calls": at.calls, "tokens": at.tokens}, indent=1)


def _finite(x: float) -> float | None:
    return float(x) if abs(x) < float("inf") else None
