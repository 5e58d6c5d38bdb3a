"""Frames: records as one table of Arrow, for whoever goes on with other tools (pandas, DuckDB, Polars, R)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from nomoi.errors import Refusal, printable
from nomoi.files import why
from nomoi.runs import told
from nomoi.runs.code import changed
from nomoi.runs.record import Record
from nomoi.runs.store import Store

SCHEMA = pa.schema({
    "record": pa.string(), "label": pa.string(), "kind": pa.string(), "of": pa.string(), "under": pa.string(),
    "who": pa.string(), "options": pa.string(), "seed": pa.int64(), "current": pa.bool_(), "step": pa.int64(),
    "measure": pa.string(), "unit": pa.string(), "value": pa.float64(),
})  # fmt: skip
VERDICT = pa.schema({
    "claim": pa.string(), "kind": pa.string(), "verdict": pa.string(), "mean": pa.float64(), "low": pa.float64(),
    "high": pa.float64(), "n": pa.int64(), "exact": pa.bool_(), "bound": pa.string(), "published": pa.string(),
    "source": pa.string(),
})  # fmt: skip


def frame(out: str | Path = "runs", late: bool = False) -> pa.Table:
    """All runs of a folder as a pyarrow.Table, one row for each measure at each step of each run.

    late      one row for each measure of each run instead: its mean over the last eighth, as tables and claims take it

    record    the name of the record;  label  what the run was called;  kind  trained, scripted, ...
    of        the situation, or the file of the game, or what was computed;  under  the institutions in force
    who       the learner or script;  options  what differs from the defaults: "situation.defect=9, levy.rate=4"
    seed      null where a run is exact
    current   whether the code that made it is the code that is here
    step      world steps so far;  measure, unit, value

    What `nomoi.compare` and a study give back has the same table of its own runs: `result.frame()`.

    >>> import nomoi
    >>> nomoi.frame("runs").column_names[:4]  # doctest: +SKIP
    ['record', 'label', 'kind', 'of']
    """
    store = Store(_folder(out))
    if not (store.root / "records").is_dir():
        kept = sorted(str(p.parent) for p in store.root.parent.glob("*/records") if p.is_dir())
        there = (
            f"those with runs beside it are: {', '.join(kept)}" if kept else "`nomoi compare --out FOLDER` makes one"
        )
        what = "has no runs in it" if store.root.exists() else "is no folder"
        raise Refusal(f"{out} {what}; {there}.")
    return rows(((record.label, record) for record in store.all()), late)


def _folder(out: Any) -> Path:
    """The path of a folder of records; a sentence for whoever calls from Python, where there is no --out."""
    if not isinstance(out, (str, Path)) or not str(out):
        raise Refusal(f"{out!r} is no folder of records; its path would be right, such as 'runs'.")
    try:
        file = Path(out).exists() and not Path(out).is_dir()
    except (OSError, ValueError) as error:
        said, short = why(error) if isinstance(error, OSError) else str(error), f"{out}"
        short = f"{short[:40]}..." if len(short) > 40 else short
        raise Refusal(
            f"there can be no folder {printable(short)} ({said}); give the path of one with records."
        ) from None
    if file:
        raise Refusal(f"{out} is a file, and a folder of records is needed; give the path of one, such as 'runs'.")
    return Path(out)


def of(records: Mapping[str, Sequence[Record]], late: bool = False) -> pa.Table:
    """The same of records by the labels that they have in a comparison or a study."""
    return rows(((label, record) for label, some in records.items() for record in some), late)


def rows(records: Iterable[tuple[str, Record]], late: bool = False) -> pa.Table:
    """The table of records, each with its label; see `frame`."""
    parts = [SCHEMA.empty_table()]
    for label, record in records:
        if late:
            last, means = record.glance()
            steps, measures, values = [last] * len(means), list(means), list(means.values())
        else:
            curve = record.table()
            steps, measures, values = curve.column("step"), curve.column("measure").to_pylist(), curve.column("value")
        units = {name: words[0] for name, words in record.facts["measures"].items()}
        same = (record.id, label, record.kind, *told.told(record), record.seed, not changed(record.facts["code"]))
        columns = [*([value] * len(measures) for value in same), steps, measures,
                   [units.get(m, "") for m in measures], values]  # fmt: skip
        parts.append(pa.table({f.name: _as(column, f.type) for f, column in zip(SCHEMA, columns, strict=True)}))
    return pa.concat_tables(parts)


def judged(verdicts: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A study's verdicts, as its data has them: one row a claim."""
    return pa.Table.from_pylist([dict(v) for v in verdicts], VERDICT)


def _as(column: list[object] | pa.ChunkedArray, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    return pa.array(column, kind) if isinstance(column, list) else column.cast(kind)
