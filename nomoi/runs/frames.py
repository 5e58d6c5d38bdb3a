"""Frames: records as one table of Arrow, for whoever goes on with other tools (`.to_pandas()`, DuckDB, R)."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from nomoi.runs.code import changed
from nomoi.runs.store import Store

SCHEMA = pa.schema({
    "record": pa.string(), "label": pa.string(), "kind": pa.string(), "seed": pa.int64(), "current": pa.bool_(),
    "step": pa.int64(), "measure": pa.string(), "unit": pa.string(), "value": pa.float64(),
})  # fmt: skip


def frame(out: str | Path = "runs") -> pa.Table:
    """All runs of a folder as a pyarrow.Table, one row for each measure at each step of each run.

    record    the name of the record;  label  what the run was called;  kind  trained, scripted, ...
    seed      null where a run is exact
    current   whether the code that made it is the code that is here
    step      world steps so far;  measure, unit, value

    >>> import nomoi
    >>> nomoi.frame("runs").column_names[:4]  # doctest: +SKIP
    ['record', 'label', 'kind', 'seed']
    """
    parts = [SCHEMA.empty_table()]
    for record in Store(out).all():
        curve = record.table()
        units = {name: words[0] for name, words in record.facts["measures"].items()}
        same = (record.id, record.label, record.kind, record.seed, not changed(record.facts["code"]))
        measures = curve.column("measure").to_pylist()
        columns = [*([value] * len(curve) for value in same), curve.column("step"), measures,
                   [units.get(m, "") for m in measures], curve.column("value")]  # fmt: skip
        parts.append(pa.table({f.name: _as(column, f.type) for f, column in zip(SCHEMA, columns, strict=True)}))
    return pa.concat_tables(parts)


def _as(column: list[object] | pa.ChunkedArray, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    return pa.array(column, kind) if isinstance(column, list) else column.cast(kind)
