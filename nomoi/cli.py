"""The command line.  Heavy imports happen inside the commands, so that `nomoi --help` answers at once."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from nomoi.errors import Refusal, printable

app = typer.Typer(
    help="nomoi: a laboratory for one question, how can we live together?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


# what typer raises where a command, an option or a value is none: its click is a package or a part of it, by version
_MISTYPED: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")


def main() -> None:
    """Entry point: what a person did wrong is said in one sentence, with exit status 2."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if hasattr(sys.stdout, "reconfigure"):  # a letter that the terminal has not is shown by its number
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            raise SystemExit(app(standalone_mode=False))  # so that what was typed wrongly is said below
        finally:
            sys.stdout.flush()  # here, where it is known what to do with a pipe that is closed
    except _MISTYPED as error:
        if not sys.argv[1:]:  # nothing was typed: the message is the help
            print(error.format_message(), file=sys.stderr)
            raise SystemExit(2) from None
        said = " ".join(error.format_message().split()).rstrip(".")
        _end(f"{said[:1].lower()}{said[1:]} (`nomoi --help` and `nomoi COMMAND --help` tell more).")
    except typer.Abort:
        raise SystemExit(130) from None
    except Refusal as refusal:
        _end(str(refusal))
    except SystemExit as end:
        if not isinstance(end.__context__, BrokenPipeError):  # by which typer and rich end with 1
            raise
        _unread()
    except BrokenPipeError:
        _unread()
    except OSError as error:
        _end(f"{error.filename or 'a file'} cannot be used: {error.strerror or error}.")
    except UnicodeError as error:
        _end(f"a text has letters that cannot be read or written ({error}); text in UTF-8 would be right.")
    except MemoryError:
        _end("there is not enough memory for this; fewer or smaller worlds, seeds or settings would do.")


def _unread() -> NoReturn:
    """Who read what is printed has had enough, as `head` has: nothing is wrong, and nothing more is printed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(0) from None


def _end(sentence: str) -> NoReturn:
    """Say what was wrong; words of thousands of letters are cut."""
    said = re.sub(r"\S{200,}", lambda word: f"{word[0][:60]}...{word[0][-20:]}", printable(sentence))
    print(f"nomoi: {said}", file=sys.stderr)
    raise SystemExit(2) from None


@contextlib.contextmanager
def _resumable() -> Iterator[None]:
    """An interrupted run goes on later, whether the keyboard, a scheduler or a closed terminal ends it."""
    from nomoi.runs.engine import Interrupted

    caught = [signal.SIGINT]

    def stop(number: int, _: Any) -> NoReturn:
        caught.append(signal.Signals(number))
        raise KeyboardInterrupt

    # one that is ignored (nohup) stays so
    ends = [s for s in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(s) is signal.SIG_DFL]
    for end in ends:
        signal.signal(end, stop)
    try:
        yield
    except (Interrupted, KeyboardInterrupt):
        print("\nnomoi: interrupted; the same command goes on from here.", file=sys.stderr)
        raise SystemExit(128 + caught[-1]) from None
    finally:
        for end in ends:
            signal.signal(end, signal.SIG_DFL)


@app.command()
def compare(
    situation: Annotated[str, typer.Argument(help="a situation's name, or FILE.py:Name")],
    under: Annotated[list[str] | None, typer.Option(help="a regime, such as altar+sanction or levy(rate=1)")] = None,
    set: Annotated[list[str] | None, typer.Option(help="an option, such as levy.rate=2 or situation.agents=7")] = None,
    map: Annotated[str | None, typer.Option(help="a preset of the situation, or the file of a drawing")] = None,
    who: Annotated[str, typer.Option(help="who plays: a learner or a script, such as forager(spare=3)")] = "",
    seeds: Annotated[int, typer.Option(help="runs a regime")] = 3,
    steps: Annotated[float, typer.Option(help="world steps a run")] = 500_000,
    out: Annotated[Path, typer.Option(help="folder of records")] = Path("runs"),
    report: Annotated[Path, typer.Option(help="the page to write")] = Path("report.html"),
    as_json: Annotated[bool, typer.Option("--json", help="print the table as JSON")] = False,
    old: Annotated[bool, typer.Option(help="let records stand that other code made, and say so")] = False,
) -> None:
    """Let agents live in a situation under several regimes; print a table and write a page."""
    from nomoi import files
    from nomoi.report import terminal
    from nomoi.runs import compare as comparing

    files.check_place(report, out)
    with _resumable(), terminal.live(quiet=as_json) as tell:
        result = comparing.compare(
            situation, under or (), who=who, seeds=seeds, steps=steps, out=out, map=map, set=set or (), tell=tell,
            old=old,
        )  # fmt: skip
    from nomoi.report.comparison import write_page

    page = write_page(result, report)
    if as_json:
        print(json.dumps(result.data(), indent=1))
    else:
        terminal.table(result, page)


@app.command("list")
def list_(kind: Annotated[str, typer.Argument(help="one kind, such as institution, measure or game")] = "") -> None:
    """What there is, kind by kind, each with its first sentence."""
    from nomoi.report import cards

    cards.catalogue(kind)


@app.command()
def show(name: Annotated[str, typer.Argument(help="a name, such as altar, or study:altar; or FILE.py:Name")]) -> None:
    """The card of whatever has that name: what it is, and every option with its default and source."""
    from nomoi.report import cards

    cards.show(name)


OUT = Annotated[Path, typer.Option(help="folder of records")]


@app.command()
def runs(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[show RUN]", help="all of one; its first letters do")
    ] = None,
    out: OUT = Path("runs"),
) -> None:
    """The records in a folder; or of one of them all: what was run, by which code, and what came of it."""
    from nomoi.report import records

    store = _records(out)
    if not words:
        records.records(store)
    elif len(words) == 2 and words[0] == "show":
        records.record(store.pick(words[1]))
    else:
        said = " ".join(words)
        right = "`nomoi runs`, `nomoi runs show RUN` and `nomoi runs --out FOLDER` are"
        raise Refusal(f"`nomoi runs {said}` is nothing; {right}.")


def _records(out: Path) -> Any:
    """The store in a folder that is there."""
    from nomoi.runs.store import Store

    if not out.is_dir():
        raise Refusal(f"there is no folder {out}; give with --out the folder in which runs were kept.")
    return Store(out)


@app.command()
def film(
    run: Annotated[str, typer.Argument(help="a record's name (its first letters do), as `nomoi runs` lists them")],
    seed: Annotated[int | None, typer.Option(help="the world to film; without it, the film that was kept")] = None,
    out: OUT = Path("runs"),
    to: Annotated[Path | None, typer.Option(help="file to write, .webp or .gif")] = None,
    old: Annotated[bool, typer.Option(help="film a record that other code made, with the code that is here")] = False,
) -> None:
    """Write the film of a run: the one that was kept, or another episode of what was learned."""
    from nomoi import files
    from nomoi.report import comparison

    record = _records(out).pick(run)
    path = to or Path(f"{record.id}{'' if seed is None else f'-{seed}'}.webp")
    files.check_place(path, out)
    content = comparison.film_of(record, path.suffix, seed, old)
    print(printable(str(files.write(path, content))))


@app.command()
def check(file: Annotated[str, typer.Argument(help="FILE.py or FILE.py:Name")]) -> None:
    """Check what you wrote (situations, institutions, learners, scripts, objectives, studies): shapes, laws, purity."""
    from nomoi import testing
    from nomoi.report import terminal

    checks, ok = testing.report(file)
    terminal.checks(checks)
    if not ok:
        raise SystemExit(1)


@app.command()
def solve(
    game: Annotated[str, typer.Argument(help="a file (.nfg, .csv, .json) or a known game, such as stag_hunt")],
    method: Annotated[str, typer.Option(help="how equilibria are found; see nomoi.solve.nash")] = "auto",
    picture: Annotated[Path | None, typer.Option(help="phase portrait to write, .svg or .png")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print everything as JSON")] = False,
) -> None:
    """Solve a game in normal form: class, equilibria, dominance, basins."""
    from nomoi import files
    from nomoi.report import solution
    from nomoi.solve.analysis import analyse
    from nomoi.solve.formats import find

    given = find(game)
    if picture:
        from nomoi.report import portrait

        files.check_place(picture)
        portrait.check(given, picture)
    found = analyse(given, method)
    if as_json:
        print(json.dumps(found.data(), indent=1, allow_nan=False))
    else:
        solution.show(found)
    if picture:
        print(printable(str(portrait.write(found.game, picture))), file=sys.stderr if as_json else sys.stdout)


@app.command()
def market(
    economy: Annotated[
        str, typer.Argument(help="a file (.yaml, .json, .toml) or an economy of nomoi's, such as edgeworth")
    ],
    method: Annotated[str, typer.Option(help="how equilibria are found; see nomoi.markets.equilibria")] = "auto",
    picture: Annotated[Path | None, typer.Option(help="Edgeworth box to write, .svg or .png")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print everything as JSON")] = False,
) -> None:
    """Solve an economy: all equilibria that are found, each certified, and the assumptions of existence."""
    from nomoi.report import market as reporting

    reporting.market(economy, method, picture, as_json)


@app.command()
def run(
    study: Annotated[str, typer.Argument(help="a study or a family of studies; `nomoi list` shows them")],
    set: Annotated[
        list[str] | None, typer.Option(help="a setting of what is computed: NAME=VALUE, or STUDY.NAME=VALUE")
    ] = None,
    size: Annotated[str, typer.Option(help="smoke (seconds to a minute), laptop (minutes), paper")] = "laptop",
    out: Annotated[Path, typer.Option(help="folder of records")] = Path("runs"),
    report: Annotated[Path | None, typer.Option(help="the page to write")] = None,
    keep: Annotated[Path | None, typer.Option(help="folder for a summary in Markdown, with its figures")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the verdicts as JSON")] = False,
    old: Annotated[bool, typer.Option(help="let records stand that other code made, and say so")] = False,
) -> None:
    """Run a study: published claims, tested, with verdicts."""
    from nomoi import files
    from nomoi.report import study as reporting
    from nomoi.report import terminal
    from nomoi.runs import study as studying

    chosen = studying.find(study)
    if set and keep:
        raise Refusal("--keep is for a study with its own settings; leave out --set or --keep.")
    changes = studying.settings(set or (), [s.name for s in chosen])
    path, single = report or Path(f"{Path(study).stem if study.endswith('.py') else study}.html"), len(chosen) == 1
    summaries = [keep / f"{s.name}.md" for s in chosen if keep]
    for place in (path, *summaries):
        files.check_place(place, out, keep)
    if os.path.realpath(path) in map(os.path.realpath, summaries):
        raise Refusal(f"{path} is the place of the page and of a summary; give --report or --keep another.")
    found = []
    with _resumable(), terminal.live(quiet=as_json) as tell:
        for one in chosen:
            found.append(studying.run(one, size, out=out, tell=tell, set=changes[one.name], old=old))
    page = reporting.write_page(found[0] if single else found, path, study, studying.question(study))
    for findings in found if keep else ():
        reporting.write_summary(findings, keep)
    if as_json:
        print(json.dumps(found[0].data() if single else [f.data() for f in found], indent=1))
    else:
        for findings in found:
            terminal.verdicts(findings)
        terminal.said(page)
