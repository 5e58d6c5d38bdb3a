"""The page of a comparison, made of its records alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from nomoi.core.keys import key_of
from nomoi.errors import Refusal
from nomoi.files import write
from nomoi.grid.frames import film
from nomoi.grid.paint import legend
from nomoi.grid.still import Still, unpack
from nomoi.report import figures, page, phases
from nomoi.runs.chosen import WORLDS
from nomoi.runs.code import current
from nomoi.runs.compare import ACCOUNTS, Comparison, Row, kept
from nomoi.runs.engine import film_of as film_arrays
from nomoi.runs.record import Record
from nomoi.runs.session import Session
from nomoi.runs.trained import Trained, learned
from nomoi.runs.trial import trial_of
from nomoi.runs.trials import Scripted

CURVES = ("harvest", "reward", "stock", "removed")


def write_page(result: Comparison, path: Path, tell: Callable[[str], None] = lambda _: None) -> Path:
    """Write the self-contained page; returns its path.  `tell` hears what takes long."""
    return write(path, html(result, tell))


def html(result: Comparison, tell: Callable[[str], None] = lambda _: None) -> str:
    """What was tried, the curves, the table, the films."""
    many = f"{len(result.rows)} regimes, {len(result.seeds)} seed{'s' if len(result.seeds) > 1 else ''} each"
    learned = f"{result.steps:,} world steps a run. Numbers are means over the last eighth of training; "
    played = "one episode in each of 16 worlds a run. Numbers are means over episodes; "
    lead = (
        f"{many}; {result.who.name} plays, {learned if result.steps else played}"
        "brackets are 95 % intervals over seeds (Student's t)."
    )
    lead = " ".join([lead, *result.remarks])
    sections: list[page.Section] = [page.Text("The regimes", [f"{r.label}: {r.sentence}" for r in result.rows])]
    sections += phases.sections(result)
    rules = [m for m in result.measures if kept(m)]
    for name in dict.fromkeys((result.headline, *CURVES, *rules)) if result.steps else ():
        said = name in result.measures and not (name == "reward" and result.headline == "harvest")
        if said and any(np.nan_to_num(values).any() for _, values in _courses(result, name).values()):  # else empty
            sections.append(curve(result, name))
    sections += _accounts(result)
    sections += _choices(result)
    sections.append(_table(result))
    films = [(r.label, r.sentence, shown, "image/webp") for r in result.rows if (shown := _film(r, tell))]
    if films:
        stills = [s for r in result.rows for record in r.records if (s := still_of(record))]
        sections.append(page.Films("What the trained agents do (seed 0)", films, key=legend(stills[-1])))
    return page.page(f"How can we live together? {result.place}", lead, sections)


def curve(result: Comparison, name: str) -> page.Figure:
    """Learning curves of one measure, with the scripts as dotted lines."""
    unit, meaning = result.words[name]
    series = _courses(result, name)
    scripts = {r.label: r.estimate(name).mean for r in result.scripts if r.estimate(name).n}
    caption = "Mean over seeds with 95 % band (Student's t); dotted: behaviours that do not learn, under no rule."
    if kept(name) and result.chance:
        scripts |= _chance(result, name)
        caption += " Chance is what random play reaches under the same regime."
    labels = [row.label for row in result.rows]
    figure = figures.curves(series, unit, f"{name}: {meaning}", scripts, labels=labels)
    return page.Figure(f"{name.capitalize()} during training", figures.svg(figure), caption)


def _courses(result: Comparison, name: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """steps [K] and values [seeds, K] of a measure in training, by regime."""
    courses = {row.label: [r.curve()[name] for r in row.records if name in r.curve()] for row in result.rows}
    return {label: (some[0][0], np.stack([v for _, v in some])) for label, some in courses.items() if some}


def _accounts(result: Comparison) -> list[page.Section]:
    """Where payoffs come from, where institutions pay."""
    if not result.accounts:
        return []
    rows = [[row.label, *(row.estimate(m) for m in result.accounts)] for row in (*result.rows, *result.scripts)]
    note = (
        "Sums over all agents, an episode. The payoff is what was earned, plus what institutions made out of nothing, "
        "less what they burnt (took and gave to nobody). What is moved is one agent's loss and another's gain, so it "
        "is no part of the sum. Each institution is accounted for by itself, step by step."
    )
    columns = ["", *(f"{ACCOUNTS[m]} (reward)" for m in result.accounts)]
    return [page.Table("Where payoffs come from", columns, rows, note)]


def _choices(result: Comparison) -> list[page.Section]:
    """How often each player of a game takes each choice in the end."""
    if (found := result.choices) is None:
        return []
    rows = [[f"{label}: {who}", *shares] for label in found.shares for who, shares in found.lines(label)]
    note = (
        f"What was learned, played in {WORLDS:,} more episodes a run; the table below averages the end of training. "
        f"Defection is to choose {' or '.join(found.defections)}."
    )
    note = " ".join(filter(None, (note, found.unlike)))
    return [page.Table("What they choose in the end", ["", *(f"{k} (share)" for k in found.heads)], rows, note)]


def _chance(result: Comparison, name: str) -> dict[str, float]:
    """What random play reaches under the regimes, one line for those of one value."""
    by_value: dict[float, list[str]] = {}
    for row in result.chance:
        by_value.setdefault(round(row.estimate(name).mean, 3), []).append(row.label)
    one = len(by_value) == 1
    return {"chance" if one else f"chance: {', '.join(who)}": value for value, who in by_value.items()}


def _table(result: Comparison) -> page.Table:
    shown = [m for m in result.measures if m not in result.accounts or m in ("reward", result.headline)]
    columns = ["", *(f"{m} ({result.words[m][0]})" for m in shown), f"{result.headline} against {result.rows[0].label}"]
    rows = []
    for row in (*result.rows, *result.scripts):
        gain = result.gain(row) if row in result.rows[1:] else None
        rows.append([row.label, *(row.estimate(m) for m in shown), gain])
    note = "Interquartile means and all numbers are in the JSON that --json prints. Scripts play under no rule."
    return page.Table("All measures", columns, rows, note)


def _film(row: Row, tell: Callable[[str], None]) -> bytes | None:
    kept = next((still for record in row.records if (still := still_of(record))), None)
    if kept:
        tell(f"painting the film of {row.label} ...")
    return _painted(kept, ".webp") if kept else None


def film_of(record: Record, suffix: str = ".webp", seed: int | None = None, old: bool = False) -> bytes:
    """The film that a record holds, painted; or, with a seed or where it holds none, another episode of the same run.

    That one is lived by the code that is here, so `old` must allow it where other code made the record.
    """
    still = still_of(record) if seed is None else None
    return _painted(still or _lived(record, record.seed or 0 if seed is None else seed, old), suffix)


def _lived(record: Record, seed: int, old: bool) -> Still:
    """One more episode of what was learned, or of a script."""
    current(record, old, "films what it learned in the world as it is now")
    trial = trial_of(record)
    if isinstance(trial, Trained):
        arrays = film_arrays(trial.place, trial.learner, key_of(seed), learned(record, trial))
    elif isinstance(trial, Scripted):
        arrays = film_arrays(trial.place, trial.script, key_of(seed))
    elif isinstance(trial, Session):  # lived once, by people; its film was kept if there was anything to see
        why = "without --seed it is filmed as it was" if still_of(record) else \
            f"it is of {trial.situation.name}, which has no land; `nomoi export` tells of it"  # fmt: skip
        raise Refusal(f"the session {record.id} was lived once, and cannot be lived with another seed; {why}.")
    else:
        raise Refusal(
            f"the record {record.id} is {record.kind}, so nobody can be filmed; trained and scripted runs can, and "
            "sessions on land."
        )
    if not arrays:
        raise Refusal(f"{trial.place.name} has no land, so there is nothing to film.")
    return unpack(arrays)


def _painted(still: Still, suffix: str) -> bytes:
    return film(still, cell_px=_cell(still), form=suffix.lstrip(".").lower(), told=True)


def still_of(record: Record) -> Still | None:
    """The moments that a record holds for its film; None where it holds none."""
    arrays = {k.removeprefix("film."): v for k, v in record.arrays().items() if k.startswith("film.")}
    return unpack(arrays) if arrays else None


def _cell(still: Still) -> int:
    """Pixels of a cell, so that a film is about as wide as a phone and its lines can be read."""
    return int(np.clip(380 // still.width, 10, 32))
