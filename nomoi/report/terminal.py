"""What a person sees in the terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from nomoi.errors import printable
from nomoi.measure.statistics import Estimate, number
from nomoi.report.console import Plain, console
from nomoi.report.listed import sentence

if TYPE_CHECKING:
    from nomoi.runs import engine
    from nomoi.runs.chosen import Choices
    from nomoi.runs.compare import Comparison, Row
    from nomoi.runs.record import Record


OLD = "\n[yellow]old code[/yellow]"
# the columns of the terminal's table, where they are defined; the page has all
COLUMNS = (
    "objective", "standing", "income", "defection", "equality", "sustainability", "stock", "depletion", "removed",
    "compliance", "bound",
)  # fmt: skip


@contextlib.contextmanager
def counted(label: str, many: int) -> Iterator[Callable[[str], None]]:
    """Progress of so many things of a kind, each told as it begins; nothing is shown before the first does."""
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"), TimeElapsedColumn()
    bar = Progress(*columns, console=Plain(stderr=True))
    task, begun = bar.add_task(escape(label), total=many, said=""), 0
    with contextlib.ExitStack() as shown:

        def tell(doing: str) -> None:
            nonlocal begun
            if not begun:
                shown.enter_context(bar)
            begun += 1
            bar.update(task, completed=begun - 1, said=f"{begun} of {many}: {escape(printable(doing))}")

        yield tell
        bar.update(task, completed=many, said=f"{many} of {many}")


CHOICE = 14  # letters that the name of a choice has room for (ours)
NAMED = 28  # letters that the name of a check has room for (ours)


@contextlib.contextmanager
def live() -> Iterator[Callable[[engine.Progress | str], None]]:
    """Progress while runs are made: a line a trial, with the latest harvest (or reward); and what is to be said now."""
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"),
        TimeElapsedColumn(), TimeRemainingColumn(compact=True), console=Plain(stderr=True),
    )  # fmt: skip
    lines: dict[str, Any] = {}
    done: dict[tuple[str, int | None], int] = {}
    with contextlib.ExitStack() as shown:

        def tell(progress: engine.Progress | str) -> None:
            if isinstance(progress, str):
                bar.console.print(escape(progress), style="yellow", highlight=False)
                return
            if "compiling" not in lines:  # nothing is shown before something runs, so a refusal stands alone
                shown.enter_context(bar)
                lines["compiling"] = bar.add_task("compiling", total=None, said="")
            if not progress.steps:
                return
            label = escape(progress.label)
            if label not in lines:
                lines[label] = bar.add_task(label, total=None, said="")
            bar.update(lines["compiling"], visible=False)
            done[label, progress.seed] = progress.steps
            seeds = [seed for name, seed in done if name == label]
            runs = f"{len(seeds)} run{'s' if len(seeds) > 1 else ''}"
            key = "harvest" if "harvest" in progress.latest else "reward"
            value = number(progress.latest.get(key, float("nan")))
            steps = sum(done[label, s] for s in seeds)
            said = f"{key} {value:>5}  {steps / 1e6:.2f} M steps, {runs}" if progress.length > 1 else runs
            bar.update(lines[label], completed=steps, total=progress.length * len(seeds), said=said)

        yield tell


def table(result: Comparison) -> None:
    """The comparison: regimes, then scripts, with 95 % intervals over seeds."""
    units = {m: unit for m, (unit, _) in result.words.items()}
    head = result.headline
    own = [m for m in result.measures if m in result.own]  # of one's own files, which no list of ours can know
    every = (*result.rows, *result.scripts)
    empty = {"removed"} if not any(row.estimate("removed").mean > 0 for row in every) else set()  # nobody ever was
    shown = list(dict.fromkeys([head, *own, *(c for c in COLUMNS if c in result.measures and c not in empty)]))
    shown = _fitting(result, shown)
    out = Table(title=_title(result), title_justify="left", caption_justify="left")
    out.add_column("regime")
    for name in shown:
        out.add_column(f"{name}\n[dim]{units[name]}[/dim]", justify="right")
        if name == head:
            out.add_column("against\nthe first", justify="right")
    for row in result.rows:
        gain = "" if row is result.rows[0] else _cell(result.gain(row), signed=True)
        out.add_row(escape(row.label) + OLD * row.old, *_cells(row, shown, gain))
    out.add_section()
    for row in result.scripts:
        out.add_row(f"[italic]{escape(row.label)}[/italic]" + OLD * row.old, *_cells(row, shown, ""))
    console.print(out)
    if result.accounts:
        console.print(_accounts(result))
    if result.choices:
        console.print(shares(result.choices, [row.label for row in result.rows], "choose in the end"))
        if apart := result.choices.unlike:
            console.print(escape(apart), style="yellow", highlight=False)
    for row in result.rows:
        console.print(f"[bold]{escape(row.label)}[/bold]  {escape(row.sentence)}", highlight=False)
    console.print(f"[bold]{escape(result.who.name)}[/bold]  {escape(sentence(type(result.who).__doc__ or ''))}")
    for remark in result.remarks:
        console.print(remark, style="yellow", highlight=False)
    _kept((r for row in (*result.rows, *result.scripts, *result.chance) for r in row.records), result.fresh)
    sys.stdout.flush()  # a page with films takes a while, and this is known now


def _fitting(result: Comparison, shown: list[str]) -> list[str]:
    """The measures that the terminal has room for, the last left out first; the page has all."""
    rows = (*result.rows, *result.scripts)
    wide = lambda m: 3 + max(len(m), *(len(line) for row in rows for line in _cell(row.estimate(m)).split("\n")))  # noqa: E731
    room = (
        console.width - 4 - min(20, max(len(row.label) for row in rows)) - 12
    )  # for labels, and what is against the first
    while len(shown) > 1 and sum(map(wide, shown)) > room:
        shown = shown[:-1]
    return shown


def _accounts(result: Comparison) -> Table:
    """What is earned apart from what institutions move, make and burn."""
    from nomoi.runs.compare import ACCOUNTS

    out = Table(
        title="where payoffs come from: sums over all agents, an episode", title_justify="left",
        caption="payoff = earned + made - burnt (by institutions); moved is between agents", caption_justify="left",
    )  # fmt: skip
    out.add_column("regime")
    for name in result.accounts:
        out.add_column(f"{ACCOUNTS[name].partition(' ')[0]}\n[dim]reward[/dim]", justify="right")
    for row in result.rows:
        out.add_row(escape(row.label), *(_cell(row.estimate(name), full=False) for name in result.accounts))
    return out


def shares(found: Choices, labels: Sequence[str], what: str) -> Table:
    """How often each player takes each choice, as many choices as there is room for."""
    wide = [min(CHOICE, max(5, cell_len(name))) + 3 for name in found.heads]
    room = console.width - 8 - min(20, max(map(len, labels))) - max(map(cell_len, found.players))
    many = next((k for k in range(len(wide), 1, -1) if sum(wide[:k]) <= room), 1)
    left = f"; {len(wide) - many} further choices are in --json" * (many < len(wide))
    counts = f"to choose {escape(' or '.join(found.defections))} is defection"
    out = Table(title=f"what they {what}: shares{left}", title_justify="left", caption=counts, caption_justify="left")
    for column in ("regime", "player"):
        out.add_column(column)
    for name in found.heads[:many]:
        out.add_column(escape(name), justify="right", max_width=CHOICE, overflow="fold")
    for label in labels:
        for k, (who, some) in enumerate(found.lines(label) if label in found.shares else ()):
            out.add_row("" if k else escape(label), escape(who), *(_cell(e, full=False) for e in some[:many]))
    return out


def _title(result: Comparison) -> str:
    scope = f"{len(result.seeds)} seed{'s' if len(result.seeds) > 1 else ''}"
    learned = (
        f"learned by {result.who.name}, {result.steps / 1e6:.2g} M world steps a run, {scope}, last eighth of training"
    )
    return f"{escape(result.place)}: {learned if result.steps else f'played by {result.who.name}, {scope}'}"


def _cells(row: Row, shown: Sequence[str], gain: str) -> list[str]:
    cells = [_cell(row.estimate(name), full=name == shown[0]) for name in shown]
    return [cells[0], gain, *cells[1:]]


def _cell(e: Estimate, full: bool = True, signed: bool = False) -> str:
    if not e.n:
        return "-"
    text = f"{'+' if signed and e.mean > 0 else ''}{e.text()}"
    return f"{text}\n[dim]{escape(e.interval())}[/dim]" if full and e.n > 1 else text


def checks(found: Iterable[Any]) -> bool:
    """The findings of `nomoi check` as they come (holds, fails, does not apply), and whether all is well."""
    sign = {True: ("holds", "green"), False: ("fails", "red"), None: ("-", "dim")}
    counted = {True: 0, False: 0, None: 0}
    for one in found:
        counted[one.passed] += 1
        word, style = sign[one.passed]
        row = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
        for width in (5, NAMED, None):
            row.add_column(min_width=width)
        row.add_row(f"[{style}]{word}[/{style}]", escape(one.name), escape(one.sentence))
        console.print(row)
        sys.stdout.flush()  # where it goes into a file or a pipe too
    console.print(f"{counted[True]} hold, {counted[False]} fail.", highlight=False)
    return not counted[False]


def verdicts(findings: Any) -> None:
    """A study's claims by kind: verdict, effect, interval, bound; then what its model says (sources: on the page)."""
    from nomoi.report import study as reporting
    from nomoi.runs.claims import KINDS, told

    name = f"{findings.study.name}, {findings.size}{', old code' if findings.results.old else ''}"
    colour = {"holds": "green", "fails": "red", "inconclusive": "yellow"}
    for kind, some in reporting.by_kind(findings.verdicts).items():
        known = reporting.before(some)
        out = _words(f"{name}: {KINDS[kind]}", "claim", "verdict", "found", "must be", *known)
        for v in some:
            style, published = colour.get(v.verdict, "dim"), [escape(v.claim.published or "-")] * len(known)
            out.add_row(escape(v.claim.text), f"[{style}]{v.verdict}[/{style}]", escape(v.found()),
                        escape(v.claim.bound()), *published)  # fmt: skip
        console.print(out)
    if findings.study.readings:
        out = _words(f"{name}: what the model says (no verdict is due)", "", "found", "published")
        for r, e in findings.readings():
            out.add_row(*map(escape, (r.text, told(e, r.unit), r.published or "-")))
        console.print(out)
    console.print(reporting.summary(findings), highlight=False)
    _kept((r for some in findings.results.records.values() for r in some), findings.fresh)
    for remark in findings.remarks:
        console.print(escape(remark), style="yellow", highlight=False)
    if findings.changed:
        console.print(escape(f"Settings changed: {', '.join(findings.changed)}."), style="yellow")


def _words(title: str, first: str, *others: str) -> Table:
    """A table of words that are folded until it fits: the widest column first, which is that of claims."""
    out = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD)
    out.add_column(first, overflow="fold")
    for column in others:
        out.add_column(column, max_width=20, overflow="fold")
    return out


def _kept(records: Iterable[Record], fresh: int) -> None:
    """How many of the runs were there before, where any were."""
    every = len({record.id for record in records})
    if every > fresh:
        console.print(f"{every - fresh} of {every} runs were there already.", highlight=False)


def note(doing: str) -> None:
    """What is being done that takes a while, beside what is printed."""
    print(printable(doing), file=sys.stderr, flush=True)


def said(page: Path) -> None:
    """Where the page was written."""
    console.print(escape(f"report: {page}"), highlight=False)
