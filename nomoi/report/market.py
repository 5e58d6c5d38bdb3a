"""What `nomoi market` shows: equilibria with certificates, assumptions, and for a box of two a picture."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from nomoi import files
from nomoi.errors import printable
from nomoi.markets import economies
from nomoi.markets.assumptions import PROVED, REFUTED, existence
from nomoi.markets.economy import Economy
from nomoi.markets.equilibria import Equilibria, Equilibrium
from nomoi.markets.verify import rates
from nomoi.measure.statistics import number
from nomoi.report.terminal import console

MANY = 12  # consumers, goods or equilibria that are printed; JSON has all
WAIT = 1.5  # seconds after which a person is told that it takes longer (ours)
WORDS, NUMBER = 14, 13  # letters of a name and of a number in a table, with its edge


def market(word: str, method: str = "auto", picture: Path | None = None, as_json: bool = False) -> None:
    """The body of the command."""
    economy = economies.find(word)
    if picture:
        from nomoi.report import edgeworth

        files.check_place(picture)
        edgeworth.check(economy, picture)
    with _patience():
        found, assumed = economy.equilibria(method), economy.assumptions()
    if as_json:
        told = {"title": economy.title, "goods": list(economy.goods), "consumers": [c.name for c in economy.consumers]}
        told |= found.data() | {"assumptions": [f.data() for f in assumed], "existence": existence(assumed)}
        print(json.dumps(told, indent=1, allow_nan=False))
    else:
        _show(economy, found)
        _assumptions(economy)
    if picture:
        from nomoi.report import edgeworth

        print(printable(str(edgeworth.write(found, picture))), file=sys.stderr if as_json else sys.stdout)


@contextlib.contextmanager
def _patience(wait: float = WAIT) -> Iterator[None]:
    """Say so, aside, where what is done takes long."""
    word = "looking for equilibria from many starts; a hard economy takes up to a minute ..."
    late = threading.Timer(wait, lambda: print(word, file=sys.stderr, flush=True))
    late.daemon = True
    late.start()
    try:
        yield
    finally:
        late.cancel()


def _show(economy: Economy, found: Equilibria) -> None:
    counts = (len(economy.consumers), "consumer"), (economy.l, "good"), (len(economy.producers), "producer")
    what = ", ".join(f"{count} {name}{'s' * (count != 1)}" for count, name in counts)
    console.print(f"[bold]{escape(economy.title)}[/bold]  {what}", highlight=False)
    for k, e in enumerate(found[:MANY], 1):
        held = e.certificate
        sign = "not defined" if e.index is None else f"{e.index:+d}" if e.index else "0"
        proof = "that it is one is proved" if held.proved else "that it is one is certified as far as a search tells"
        console.print(
            f"equilibrium {k}, index {sign}: {proof}; nobody could gain more than {held.gain:.1e} of what is at stake",
            highlight=False,
        )
        for some in _abreast(economy.goods[:MANY]):
            console.print(_table(economy, e, some))
        same = rates(economy, e.prices, e.allocation)
        if same:
            off = max(abs(rate - price) / (price or 1.0) for _, _, rate, price in same)  # some goods are free
            console.print(f"{len(same)} marginal rates of substitution equal the price ratios, within {off:.1e}.", "")
    asked = "Are there others? " if found.found else ""
    console.print(escape(asked + found.promise[:1].upper() + found.promise[1:]), highlight=False)
    console.print(f"[dim]How it was found: {escape('; '.join(found.tried))}.[/dim]", "", highlight=False)


def _abreast(goods: Sequence[str]) -> Iterator[range]:
    """The numbers of goods that stand side by side where the terminal is so wide, so that no number is cut."""
    fit = max((console.width - WORDS - NUMBER) // NUMBER, 1)
    for k in range(0, len(goods), fit):
        yield range(k, min(k + fit, len(goods)))


def _table(economy: Economy, e: Equilibrium, goods: range) -> Table:
    """What some goods cost, who has and makes how much of them; beside the last of them, utilities."""
    last = goods.stop == min(economy.l, MANY)
    out = Table(show_edge=False, pad_edge=False)
    out.add_column("", max_width=WORDS)
    for g in goods:
        out.add_column(escape(economy.goods[g]), justify="right", max_width=NUMBER - 3)
    if last:
        out.add_column("utility", justify="right")
    cells = lambda row: [number(row[g], 5) for g in goods]  # noqa: E731
    out.add_row("price", *cells(e.prices))
    for c, x, u in list(zip(economy.consumers, e.allocation, e.utilities, strict=True))[:MANY]:
        out.add_row(escape(c.name), *cells(x), *[number(float(u), 5)] * last)
    for q, y in list(zip(economy.producers, e.production, strict=True))[:MANY]:
        out.add_row(escape(q.name), *cells(y))
    return out


def _assumptions(economy: Economy) -> None:
    found = economy.assumptions()
    colour = {PROVED: "green", REFUTED: "red"}
    console.print("assumptions of the existence theorem (Arrow & Debreu 1954)", highlight=False)
    out = Table(show_edge=False, pad_edge=False)
    for head in ("", "says", "here", "because"):
        out.add_column(head)
    for f in found:
        shade = colour.get(f.status, "yellow")
        out.add_row(f.name, escape(f.says), f"[{shade}]{f.status}[/{shade}]", escape(f.why))
    console.print(out)
    console.print(escape(existence(found)), highlight=False)
