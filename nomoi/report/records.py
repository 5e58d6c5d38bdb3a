"""What a person sees of records in the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, chop_cells
from rich.markup import escape
from rich.table import Table

from nomoi.core.written import reading
from nomoi.errors import Refusal
from nomoi.measure.statistics import number
from nomoi.report.console import console

if TYPE_CHECKING:
    from nomoi.runs.record import Record
    from nomoi.runs.store import Store


LABEL = 400  # letters of a label in a list; `nomoi runs show` has all (ours)
FOLDED = ("label", "options")  # columns that may be folded
NARROW = 16  # letters that such a column has at least (ours)


@reading()
def records(store: Store) -> None:
    """The records of a store, oldest first; those that other code made are said to be old."""
    from nomoi.runs.code import changed
    from nomoi.runs.told import told

    found, damaged = store.sound(whole=False)
    for sentence in damaged:
        console.print(escape(sentence), style="yellow", highlight=False)
    if outdated := len(store.outdated()):
        many = "One record has" if outdated == 1 else f"{outdated} records have"
        console.print(escape(f"{many} format 1; such records are not read any more."), style="yellow")
    if not found:
        none = "no whole records in {}" if damaged else "no records in {} yet"
        console.print(escape(f"There are {none.format(store.root)}."), highlight=False)
        return
    columns = ("record", "kind", "of", "label", "under", "who", "options", "seed", "steps", "seconds", "steps/s",
               "harvest", "code")  # fmt: skip
    rows, old = [], dict[frozenset, str]()  # most share their code with others
    for record in found:
        (steps, late), facts = record.glance(), record.facts
        code = frozenset(facts["code"].items())
        if code not in old:
            old[code] = "old" if changed(facts["code"]) else ""
        of, under, who, options = told(record)
        rows.append([
            record.id, record.kind, of, " ".join(record.label.split()), under, who, options,
            "" if record.seed is None else str(record.seed), f"{steps:,}", str(facts.get("wall_seconds", "")),
            str(facts.get("steps_per_second", "")), number(late["harvest"]) if "harvest" in late else "", old[code],
        ])  # fmt: skip
    told_of = [k for k in range(len(columns)) if any(row[k] for row in rows)]  # what is empty for all is left out
    columns, rows = tuple(columns[k] for k in told_of), [[row[k] for k in told_of] for row in rows]
    names = _fitting(columns, rows, console.width)
    shown = [k for k, name in enumerate(columns) if name in names]
    console.print(escape(f"records in {store.root}"), style="italic", highlight=False)
    head, *lines = _lines([columns[k] for k in shown], [[row[k] for k in shown] for row in rows], console.width)
    console.print(head, style="bold", markup=False, highlight=False, soft_wrap=True)
    console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def _lines(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """A table as lines, the first of them its head: numbers to the right, and labels folded that find no room.

    Thousands of rows are more than a table of rich's is quick with.
    """
    widths = [max(len(name), *(_wide(row[k]) for row in rows)) for k, name in enumerate(columns)]
    long = [columns.index(name) for name in FOLDED if name in columns]
    for left, at in zip(range(len(long) - 1, -1, -1), long, strict=True):  # the first gets what the second can spare
        most = width - sum(w for k, w in enumerate(widths) if k not in long[-left - 1 :]) - 2 * (len(columns) - 1)
        widths[at] = min(widths[at], max(NARROW, most - sum(min(widths[k], 2 * NARROW) for k in long[-left:] if left)))
    right = [name in ("seed", "steps", "seconds", "steps/s", "harvest") for name in columns]
    out = []
    for row in (columns, *rows):
        folded = {at: chop_cells(row[at][:LABEL], widths[at]) or [""] for at in long}
        for n in range(max(1, *map(len, folded.values())) if folded else 1):
            parts = [folded[k][n : n + 1] if k in folded else [text][n : n + 1] for k, text in enumerate(row)]
            cells = ["".join(part) for part in parts]
            gaps = [" " * (w - _wide(text)) for text, w in zip(cells, widths, strict=True)]
            each = [gap + text if r else text + gap for text, gap, r in zip(cells, gaps, right, strict=True)]
            out.append("  ".join(each).rstrip())
    return out


def _wide(text: str) -> int:
    """How many cells of the terminal a text takes."""
    return len(text) if text.isascii() else cell_len(text)


@reading()
def record(one: Record) -> None:
    """One record: what was run, by which code, and what came of it."""
    from nomoi.runs.code import changed, since

    facts = one.facts
    console.print(f"[bold]{escape(one.label)}[/bold]  {escape(one.id)}", highlight=False)
    seed = "without chance" if one.seed is None else f"seed {one.seed}"
    took = f", {facts['wall_seconds']} s" if "wall_seconds" in facts else ""
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    console.print(
        escape(f"{one.kind}, {seed}{took}; {versions}; commit {facts.get('commit') or 'unknown'}"), highlight=False
    )
    console.print(escape(_computed(facts)), highlight=False)
    files = changed(facts["code"])
    stands = f"old: {', '.join(files)} changed {since([one])}" if files else "made by the code that is here"
    console.print(escape(stands), style="yellow" if files else "", highlight=False)
    for name in facts["parents"]:
        console.print(escape(f"goes on from {name}"), highlight=False)
    if lost := _lost(one):
        console.print(escape(lost), style="yellow", highlight=False)
    out = Table("of what", "option", "value", title="what was run", title_justify="left")
    trial = one.spec["trial"]
    for part, option, value in _fields(trial | {"options": facts["named"] | trial["options"]}):
        out.add_row(escape(part), escape(option), escape(value))
    console.print(out)
    out = Table("measure", "value", "unit", "meaning", title="what came of it, late in the run", title_justify="left")
    for name, value in one.glance()[1].items():
        out.add_row(escape(name), number(value), *map(escape, facts["measures"].get(name, ["", ""])))
    console.print(out)


def _computed(facts: Mapping[str, Any]) -> str:
    """On what it was computed, by which the last bits of its numbers go."""
    device, threads = str(facts.get("device", "what was not noted")), facts.get("threads")
    if threads:
        many = f"{threads} thread{'s' * (threads > 1)}"
        return f"computed on {device} with {many}; with another number of them last bits may differ"
    return f"computed on {device}" + (", with how many threads is not known" * (device == "cpu"))


def _lost(one: Record) -> str:
    """Why the record cannot be made again, in a sentence; empty where all that it names is here."""
    from nomoi.core.spec import addresses
    from nomoi.runs.code import defined
    from nomoi.runs.trial import trial_of

    gone = [address for address in addresses(one.spec) if not defined(address)]
    try:
        if gone:  # nomoi's own names are looked up without what they compute by, which takes long to load
            trial_of(one)
    except Refusal as refusal:
        return str(refusal)
    return ""


def _fields(data: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The fields of a thing that is written down (`nomoi.core.spec`), then of its parts: (what it is, field, value)."""
    title, parts = str(data["class"]).rpartition(":")[2].lower(), []
    for name, value in data["options"].items():
        value = value["tuple"] if isinstance(value, dict) and "tuple" in value else value
        inner = [x for x in (value if isinstance(value, list) else [value]) if isinstance(x, dict) and "class" in x]
        parts += inner
        if not inner and name != "parent":  # parents are said above
            yield title, name, _shown(value)
    for part in parts:
        yield from _fields(part)


def _shown(value: Any) -> str:
    """A value that is written down, as text: of a function its name, of an array its numbers."""
    if isinstance(value, dict):
        for mark in ("type", "function"):
            if mark in value:
                return str(value[mark]).rpartition(":")[2]
        for mark in ("tuple", "table", "array", "float", "path"):
            if mark in value:
                return _shown(value[mark])
    return str(value)


def _fitting(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> set[str]:
    """The columns that a narrow terminal has room for, the least telling left out first; labels may be folded."""
    wide = {name: 2 + max(len(name), *(_wide(row[k]) for row in rows)) for k, name in enumerate(columns)}
    for name in FOLDED:
        wide[name] = min(wide.get(name, 0), 2 + NARROW)
    left = set(columns)
    for name in ("steps/s", "seconds", "steps", "under", "kind", "harvest", "options", "who", "of", "code", "seed",
                 "label"):  # fmt: skip
        if sum(wide[n] for n in left) - 2 > width:
            left.discard(name)
    return left
