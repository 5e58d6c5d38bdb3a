"""Commands about what there is, and about what was run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nomoi.cli.start import OUT, app, kept
from nomoi.errors import Refusal, printable


@app.command("list")
def list_(
    kind: Annotated[str, typer.Argument(help="one kind, such as institution, measure or game")] = "",
    fits: Annotated[str, typer.Option(help="of institutions: those that fit a situation, or a game's file")] = "",
) -> None:
    """What there is, kind by kind, each with its first sentence."""
    from nomoi.report import cards

    cards.fitting(kind, fits) if fits else cards.catalogue(kind)


@app.command()
def show(name: Annotated[str, typer.Argument(help="a name, such as altar, or study:altar; or FILE.py:Name")]) -> None:
    """The card of whatever has that name: what it is, and every option with its default and source."""
    from nomoi.report import cards

    cards.show(name)


@app.command()
def new(
    kind: Annotated[
        str,
        typer.Argument(
            help="situation, commons, institution, learner, measure or study; or reward, label, proxy or scores"
        ),
    ],
    to: Annotated[Path | None, typer.Option(help="the file to write")] = None,
) -> None:
    """Write an example of a file of your own, to be changed."""
    from nomoi.report import examples

    path = printable(str(examples.example(kind, to)))
    print(path)
    if step := examples.NEXT.get(kind):
        print(f"next: {step.format(path)}", file=sys.stderr)


@app.command()
def check(file: Annotated[str, typer.Argument(help="FILE.py or FILE.py:Name")]) -> None:
    """Check what you wrote (situations, institutions, learners, scripts, objectives, studies): shapes, laws, purity."""
    from nomoi import testing
    from nomoi.report import terminal

    if not terminal.checks(testing.reports(file)):
        raise SystemExit(1)


@app.command()
def runs(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[show RUN]", help="all of one; its first letters do")
    ] = None,
    out: OUT = Path("runs"),
) -> None:
    """The records in a folder; or of one of them all: what was run, by which code, and what came of it."""
    from nomoi.report import records

    store = kept(out)
    if not words:
        records.records(store)
    elif len(words) == 2 and words[0] == "show":
        records.record(store.pick(words[1]))
    else:
        said = " ".join(words)
        right = "`nomoi runs`, `nomoi runs show RUN` and `nomoi runs --out FOLDER` are"
        raise Refusal(f"`nomoi runs {said}` is nothing; {right}.")


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

    record = kept(out).pick(run)
    path = to or Path(f"{record.id}{'' if seed is None else f'-{seed}'}.webp")
    files.check_place(path, out)
    print("nomoi: living through what was not kept, and painting it frame by frame, may take a minute or two.",
          file=sys.stderr, flush=True)  # fmt: skip
    content = comparison.film_of(record, path.suffix, seed, old)
    print(printable(str(files.write(path, content))))


@app.command()
def export(
    run: Annotated[str, typer.Argument(help="a session's record (its first letters do), as `nomoi runs` lists them")],
    out: OUT = Path("runs"),
    csv: Annotated[Path | None, typer.Option(help="the file to write; without it, it is printed")] = None,
    page: Annotated[Path | None, typer.Option(help="the page to write: people beside scripts and theory")] = None,
) -> None:
    """What people did in a session of the lab, as CSV: one row a seat and turn; or as a page."""
    from nomoi.lab import command

    command.export(kept(out).pick(run), csv, page, out)
