"""What `nomoi decisions` does and shows."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from nomoi import files
from nomoi.errors import Refusal, printable
from nomoi.measure.statistics import number
from nomoi.report.console import console
from nomoi.voices import decisions, ratings, senate
from nomoi.voices.decisions import Cases, Line


def command(votes: Path | None, cases: Path | None, group: str, seed: int, as_json: bool) -> None:
    """Read, compare, show; the Senate's roll calls where no files are given."""
    given = _given(votes, cases, group)
    every, test = decisions.aggregates(given), decisions.learned(given, seed)
    if as_json:
        print(json.dumps(_data(given, every, test), indent=1, allow_nan=False))
        return
    accepted = f"{given.decided.mean():.0%} accepted"
    counts = f"{len(given.voters):,} voters, {int(given.contested.sum()):,} contested."
    said = f"{len(given.decided):,} decisions ({accepted}), {counts}"
    console.print(f"[bold]{escape(printable(given.title))}[/bold]: {said}", highlight=False)
    for remark in given.remarks:
        console.print(f"! {escape(remark)}", style="yellow", highlight=False)
    _table("Rules of votes alone, on all cases", every)
    _table(f"Learned from the first cases, tested on the last {test[0].tested}", test)


def _given(votes: Path | None, cases: Path | None, group: str) -> Cases:
    """The cases that were asked about: of two files, of ratings that have the decision beside them, or the Senate's."""
    rated = ratings.cases(votes, group) if votes and not cases else None
    if rated:
        return rated
    if group:
        raise Refusal(f"--group {group} is a column of ratings (rater_id, item_id, Q_overall, safety_gold), which are "
                      "given as --votes alone; else the votes have a column group.")  # fmt: skip
    if (votes is None) != (cases is None):
        raise Refusal("--votes and --cases belong together; give both, or neither for the Senate (in NOMOI_DATA).")
    return decisions.read(votes, cases) if votes and cases else senate.senate(files.data("senate"))


def _data(given: Cases, every: list[Line], test: list[Line]) -> dict[str, Any]:
    def plain(rows: list[Line]) -> list[dict[str, Any]]:
        known = [dataclasses.asdict(r).items() for r in rows]
        return [{k: None if isinstance(v, float) and math.isnan(v) else v for k, v in r} for r in known]

    return {"title": given.title, "decisions": len(given.decided), "voters": len(given.voters),
            "remarks": list(given.remarks), "all": plain(every), "learned": plain(test)}  # fmt: skip


def _table(title: str, rows: list[Line]) -> None:
    out = Table(title=title, title_justify="left")
    for name in ("", "agrees", "of contested", "kappa"):
        out.add_column(name, justify="right" if name else "left", overflow="fold")
    for r in rows:
        out.add_row(escape(printable(r.model)), number(r.agreement), number(r.contested), number(r.kappa))
    console.print(out)
