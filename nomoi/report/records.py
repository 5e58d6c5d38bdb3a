"""What a person sees of records in the terminal."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.markup import escape
from rich.table import Table

from nomoi.errors import Refusal
from nomoi.measure.statistics import number
from nomoi.report.console import console

if TYPE_CHECKING:
    from nomoi.runs.record import Record
    from nomoi.runs.store import Store


def records(store: Store) -> None:
    """The records of a store, oldest first; those that other code made are said to be old."""
    from nomoi.runs.code import changed

    found, damaged = store.sound()
    for sentence in damaged:
        console.print(escape(sentence), style="yellow", highlight=False)
    if store.outdated():
        console.print(
            escape(f"{len(store.outdated())} records have format 1 and are not read any more."), style="yellow"
        )
    if not found:
        none = "no whole records in {}" if damaged else "no records in {} yet"
        console.print(escape(f"There are {none.format(store.root)}."), highlight=False)
        return
    columns = ("record", "kind", "of", "label", "seed", "steps", "seconds", "steps/s", "harvest", "code")
    rows = []
    for record in found:
        facts, late = record.facts, record.late()
        steps = max((int(s.max()) for s, _ in record.curve().values()), default=0)
        cells = (
            record.id, record.kind, _about(record), record.label, "" if record.seed is None else str(record.seed),
            f"{steps:,}", str(facts.get("wall_seconds", "")), str(facts.get("steps_per_second", "")),
            number(late["harvest"]) if "harvest" in late else "", "old" if changed(record.facts["code"]) else "",
        )  # fmt: skip
        rows.append(cells)
    shown = [k for k, name in enumerate(columns) if name in _fitting(columns, rows, console.width)]
    out = Table(title=escape(f"records in {store.root}"), title_justify="left")
    for k in shown:
        numbers = columns[k] in ("seed", "steps", "seconds", "steps/s", "harvest")
        label = columns[k] == "label"
        out.add_column(
            columns[k], justify="right" if numbers else "left", no_wrap=not label, overflow="fold" if label else "crop"
        )
    for cells in rows:
        out.add_row(*(escape(cells[k]) for k in shown))
    console.print(out)


def _about(record: Record) -> str:
    """The situation or the function that a record is of, in a word."""
    options = record.spec["trial"]["options"]
    thing = options.get("situation", options.get("function", {}))
    while isinstance(thing, dict) and str(thing.get("class", "")).endswith(":Governed"):
        thing = thing["options"]["situation"]
    named = thing.get("class", thing.get("function", "")) if isinstance(thing, dict) else ""
    return str(named).rpartition(":")[2].lower()


def record(one: Record) -> None:
    """One record: what was run, by which code, and what came of it."""
    from nomoi.runs.code import changed
    from nomoi.runs.trial import trial_of

    facts = one.facts
    console.print(f"[bold]{escape(one.label)}[/bold]  {escape(one.id)}", highlight=False)
    seed = "without chance" if one.seed is None else f"seed {one.seed}"
    took = f", {facts['wall_seconds']} s" if "wall_seconds" in facts else ""
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    console.print(
        escape(f"{one.kind}, {seed}{took}; {versions}; commit {facts['commit'] or 'unknown'}"), highlight=False
    )
    files = changed(facts["code"])
    console.print(escape(f"old: {', '.join(files)} changed since" if files else "made by the code that is here"),
                  style="yellow" if files else "", highlight=False)  # fmt: skip
    for name in facts["parents"]:
        console.print(escape(f"goes on from {name}"), highlight=False)
    try:
        made = trial_of(one)
        out = Table("of what", "option", "value", title="what was run", title_justify="left")
        for part, option, value in _fields(made):
            out.add_row(escape(part), escape(option), escape(value))
        console.print(out)
    except Refusal as refusal:
        console.print(escape(str(refusal)), style="yellow", highlight=False)
    out = Table("measure", "value", "unit", "meaning", title="what came of it, late in the run", title_justify="left")
    for name, value in one.late().items():
        out.add_row(escape(name), number(value), *map(escape, facts["measures"].get(name, ["", ""])))
    console.print(out)


def _fields(thing: Any, where: str = "") -> Iterator[tuple[str, str, str]]:
    """The fields of a thing and of its parts: (what it is, field, value)."""
    from nomoi.core.option import describe_option, options

    documented = options(type(thing))
    title = where or type(thing).__name__.lower()
    for field in dataclasses.fields(thing):
        value = getattr(thing, field.name)
        parts = value if isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]) else (value,)
        if dataclasses.is_dataclass(parts[0]) and not isinstance(parts[0], type):
            for part in parts:
                yield from _fields(part, getattr(part, "name", "") or type(part).__name__.lower())
        elif field.init and field.name not in ("under", "parent"):  # the situation is governed; parents are said above
            if field.name in documented:
                value = describe_option(value, documented[field.name])
            yield title, field.name, getattr(value, "__qualname__", str(value))


def _fitting(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> set[str]:
    """The columns that a narrow terminal has room for, the least telling left out first; labels may be folded."""
    wide = {name: 3 + max(len(name), *(cell_len(r[k]) for r in rows)) for k, name in enumerate(columns)}
    wide["label"] = min(wide["label"], 3 + 16)
    left = set(columns)
    for name in ("steps/s", "seconds", "steps", "kind", "harvest", "of", "code", "seed", "label"):
        if 1 + sum(wide[n] for n in left) > width:
            left.discard(name)
    return left
