"""Kept: the records of a folder, and pages, as they are."""

from __future__ import annotations

import zipfile
from typing import Any

from nomoi.errors import Refusal
from nomoi.lab import report
from nomoi.measure.statistics import number
from nomoi.report import page as pages
from nomoi.runs.code import changed, since
from nomoi.runs.record import Record
from nomoi.runs.session import Session
from nomoi.runs.store import Store
from nomoi.runs.trial import trial_of

MANY = 200  # records that a list shows, the newest (ours)
SHOWN = ("harvest", "payoff", "reward", "welfare")


def records(store: Store) -> dict[str, Any]:
    """The newest records, and the pages that lie beside the folder."""
    found, damaged = store.sound(whole=False)
    rows = []
    for record in reversed(found[-MANY:]):
        late = record.glance()[1]
        name = next((n for n in SHOWN if n in late), next(iter(late), ""))
        rows.append({"id": record.id, "kind": record.kind, "label": record.label, "seed": record.seed,
                     "late": f"{name} {number(late[name])}" if name else "",
                     "film": _filmed(record)})  # fmt: skip
    return {"folder": str(store.root), "damaged": damaged, "rows": rows, "pages": _pages(store)}


def _filmed(record: Record) -> bool:
    """Whether a film was kept, which is of land: only the names of what was kept are read."""
    if "arrays.npz" not in record.facts["files"]:
        return False
    with zipfile.ZipFile(record.folder / "arrays.npz") as kept:
        return any(name.startswith("film.") for name in kept.namelist())


def _pages(store: Store) -> list[str]:
    """Pages that comparisons and studies wrote beside the folder of records."""
    beside = [*store.root.glob("*.html"), *store.root.absolute().parent.glob("*.html")]
    return sorted({p.name for p in beside if p.is_file()})


def page(store: Store, name: str) -> str:
    """One of those pages, as it was written."""
    if name in _pages(store):
        for folder in (store.root, store.root.absolute().parent):
            if (folder / name).is_file():
                return (folder / name).read_text(encoding="utf-8")
    raise Refusal(f"there is no page {name!r} beside {store.root}.")


def page_of(record: Record, store: Store) -> str:
    """A record as a page: of a session its report, of others what was run and what came of it."""
    if record.kind == "session":
        trial = trial_of(record)
        assert isinstance(trial, Session)
        return report.html(trial, record, store)
    files = changed(record.facts["code"])
    stands = f"Old: {', '.join(files)} changed {since([record])}." if files else "Made by the code that is here."
    rows = [[name, number(value), *record.facts["measures"].get(name, ["", ""])]
            for name, value in record.glance()[1].items()]  # fmt: skip
    came = pages.Table("What came of it, late in the run", ["", "value", "unit", "meaning"], rows)
    return pages.page(record.label or record.id, f"{record.kind}, {record.id}. {stands}", [came])
