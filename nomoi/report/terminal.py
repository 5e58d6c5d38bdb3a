"""What a person sees in the terminal."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.segment import Segment
from rich.table import Table

from nomoi.errors import printable
from nomoi.measure.statistics import Estimate, number

if TYPE_CHECKING:
    from nomoi.runs import engine
    from nomoi.runs.compare import Comparison, Row
    from nomoi.runs.store import Store


class Plain(Console):
    """A console that no text commands: control characters are left out, and :words: stay words.

    What comes from files (titles, labels, paths) is escaped besides, so that it is not read as markup.
    """

    def __init__(self, **options: Any):
        super().__init__(emoji=False, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for part in super().render(renderable, options):
            yield part if part.control else Segment(printable(part.text), part.style)


console = Plain()
# the columns of the terminal's table, where they are defined; the page has all
COLUMNS = ("equality", "sustainability", "stock", "depletion", "removed", "compliance", "bound")


@contextlib.contextmanager
def live(quiet: bool = False) -> Iterator[Callable[[engine.Progress], None]]:
    """Progress while runs are trained: a line a regime, with the latest harvest (or reward)."""
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"),
        TimeElapsedColumn(), TimeRemainingColumn(compact=True), console=Plain(stderr=True), disable=quiet,
    )  # fmt: skip
    lines: dict[str, Any] = {}
    done: dict[tuple[str, int], int] = {}
    with contextlib.ExitStack() as shown:

        def tell(progress: engine.Progress) -> None:
            job = progress.job
            if "compiling" not in lines:  # nothing is shown before something runs, so a refusal stands alone
                shown.enter_context(bar)
                lines["compiling"] = bar.add_task("compiling", total=None, said="")
            if not progress.steps:
                return
            label = escape(job.label or "training")
            if label not in lines:
                lines[label] = bar.add_task(label, total=None, said="")
            bar.update(lines["compiling"], visible=False)
            done[label, job.seed] = progress.steps
            seeds = [seed for name, seed in done if name == label]
            key = "harvest" if "harvest" in progress.latest else "reward"
            value = number(progress.latest.get(key, float("nan")))
            steps = sum(done[label, s] for s in seeds)
            said = f"{key} {value:>5}  {steps / 1e6:.2f} M steps, {len(seeds)} run{'s' if len(seeds) > 1 else ''}"
            bar.update(lines[label], completed=steps, total=job.steps * len(seeds), said=said)

        yield tell


def table(result: Comparison, page: Path) -> None:
    """The comparison: regimes, then scripts, with 95 % intervals over seeds."""
    units = {name: m.unit for name, m in result.known.items()}
    head = result.headline
    shown = [head, *(c for c in COLUMNS if c in result.measures)]
    out = Table(title=_title(result), title_justify="left", caption_justify="left")
    out.add_column("regime")
    for name in shown:
        out.add_column(f"{name}\n[dim]{units[name]}[/dim]", justify="right")
        if name == head:
            out.add_column("against\nthe first", justify="right")
    for row in result.rows:
        gain = "" if row is result.rows[0] else _cell(result.gain(row), signed=True)
        out.add_row(escape(row.label), *_cells(row, shown, gain))
    out.add_section()
    for row in result.scripts:
        out.add_row(f"[italic]{escape(row.label)}[/italic]", *_cells(row, shown, ""))
    console.print(out)
    if result.accounts:
        console.print(_accounts(result))
    for row in result.rows:
        console.print(f"[bold]{escape(row.label)}[/bold]  {escape(row.sentence)}", highlight=False)
    for remark in result.remarks:
        console.print(remark, style="yellow", highlight=False)
    said(page)


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


def _title(result: Comparison) -> str:
    scope = f"{len(result.seeds)} seed{'s' if len(result.seeds) > 1 else ''}"
    return f"{result.situation.name}: {result.steps / 1e6:.2g} M world steps a run, {scope}, last eighth of training"


def _cells(row: Row, shown: Sequence[str], gain: str) -> list[str]:
    cells = [_cell(row.estimate(name), full=name == shown[0]) for name in shown]
    return [cells[0], gain, *cells[1:]]


def _cell(e: Estimate, full: bool = True, signed: bool = False) -> str:
    if not e.n:
        return "-"
    text = f"{'+' if signed and e.mean > 0 else ''}{e.text()}"
    return f"{text}\n[dim]{escape(e.interval())}[/dim]" if full and e.n > 1 else text


def catalogue() -> None:
    """Situations, institutions and studies, each with the first sentence of its card."""
    from nomoi import catalogue as there
    from nomoi.runs import study

    for title, group in (("situations", there.situations()), ("institutions", there.institutions())):
        out = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
        for name, cls in group.items():
            presets = f" [dim]({escape(', '.join(cls.presets))})[/dim]" if cls.presets else ""
            out.add_row(f"[bold]{name}[/bold]", escape(first_sentence(cls)) + presets)
        console.print(out, "")
    out = Table(title="studies", title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, text in study.known().items():
        out.add_row(f"[bold]{name}[/bold]", escape(text))
    console.print(out)


def first_sentence(cls: type) -> str:
    card = " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())
    return card.split(". ")[0].rstrip(".") + "."


def card(name: str) -> None:
    """A card: what it is, and every option with default, meaning and source."""
    from nomoi import catalogue as there
    from nomoi.core import options
    from nomoi.core.settings import default_text
    from nomoi.errors import Refusal, nearest

    if ":" in name or name.endswith(".py"):
        loaded = there.load(name)
        classes = loaded if isinstance(loaded, list) else [loaded]
    else:
        known = {**there.situations(), **there.institutions()}
        if name.lower() not in known:
            raise Refusal(f"there is nothing called {name!r}; {nearest(name.lower(), known)}")
        classes = [known[name.lower()]]
    for cls in classes:
        console.print(f"[bold]{cls.__name__.lower()}[/bold]", highlight=False)
        console.print(escape(inspect.getdoc(cls) or "no card"), highlight=False)
        out = Table(title="options", title_justify="left")
        for column in ("name", "default", "unit", "meaning", "source"):
            out.add_column(column, overflow="fold")
        for option, (field, facts) in options(cls).items():
            meaning = facts.meaning + (f" ({', '.join(facts.values)})" if facts.values else "")
            cells = (option, default_text(field), facts.unit, meaning, facts.source)
            out.add_row(*(escape(c) for c in cells))
        console.print(out)
        for preset, changes in cls.presets.items():
            changed = ", ".join(f"{k}={v}" for k, v in changes.items()) or "the defaults"
            console.print(f"preset [bold]{escape(preset)}[/bold]: {escape(changed)}", highlight=False)


def records(store: Store) -> None:
    """The records of a store, oldest first."""
    found = store.all()
    if not found:
        console.print(escape(f"There are no records in {store.root} yet."), highlight=False)
        return
    columns = ("record", "kind", "of", "label", "seed", "steps", "seconds", "steps/s", "harvest")
    rows = []
    for record in found:
        spec, facts, late = record.spec, record.facts, record.late()
        where = spec.get("situation", {}).get("class", "").rpartition(":")[2].lower()
        steps = max((int(s.max()) for s, _ in record.curve().values()), default=0)
        cells = (
            record.id, spec.get("kind", ""), where, str(facts.get("label", "")), str(spec.get("seed", "")),
            f"{steps:,}", str(facts.get("wall_seconds", "")), str(facts.get("steps_per_second", "")),
            number(late["harvest"]) if "harvest" in late else "",
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


def _fitting(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> set[str]:
    """The columns that a narrow terminal has room for, the least telling left out first; labels may be folded."""
    wide = {name: 3 + max(len(name), *(cell_len(r[k]) for r in rows)) for k, name in enumerate(columns)}
    wide["label"] = min(wide["label"], 3 + 16)
    left = set(columns)
    for name in ("steps/s", "seconds", "steps", "kind", "harvest", "of", "seed", "label"):
        if 1 + sum(wide[n] for n in left) > width:
            left.discard(name)
    return left


def checks(found: Sequence[Any]) -> None:
    """The findings of `nomoi check`: what holds, what does not, what does not apply."""
    sign = {True: "[green]holds[/green]", False: "[red]fails[/red]", None: "[dim]-[/dim]"}
    out = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for one in found:
        out.add_row(sign[one.passed], escape(one.name), escape(one.sentence))
    console.print(out)
    failed = sum(one.passed is False for one in found)
    console.print(f"{sum(one.passed is True for one in found)} hold, {failed} fail.", highlight=False)


def verdicts(findings: Any) -> None:
    """A study's claims by kind: verdict, effect, interval, bound; then what its model says (sources: on the page)."""
    from nomoi.report import study as reporting
    from nomoi.runs.claims import KINDS, told

    name = f"{findings.study.name}, {findings.size}"
    colour = {"holds": "green", "fails": "red", "inconclusive": "yellow"}
    for kind, some in reporting.by_kind(findings.verdicts).items():
        known = any(v.claim.published for v in some)
        out = _words(f"{name}: {KINDS[kind]}", "claim", "verdict", "found", "must be", *["published"] * known)
        for v in some:
            style, published = colour.get(v.verdict, "dim"), [escape(v.claim.published or "-")] * known
            out.add_row(escape(v.claim.text), f"[{style}]{v.verdict}[/{style}]", escape(v.found()),
                        escape(v.claim.bound()), *published)  # fmt: skip
        console.print(out)
    if findings.study.readings:
        out = _words(f"{name}: what the model says (no verdict is due)", "", "found", "published")
        for r, e in findings.readings():
            out.add_row(*map(escape, (r.text, told(e, r.unit), r.published or "-")))
        console.print(out)
    console.print(reporting.summary(findings), highlight=False)
    if findings.changed:
        console.print(escape(f"Settings changed: {', '.join(findings.changed)}."), style="yellow")


def _words(title: str, first: str, *others: str) -> Table:
    """A table of words, of which the first column gets what the others leave."""
    out = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD)
    out.add_column(first, ratio=1, min_width=24)
    for column in others:
        out.add_column(column, max_width=20, overflow="fold")
    return out


def said(page: Path) -> None:
    """Where the page was written."""
    console.print(escape(f"report: {page}"), highlight=False)
