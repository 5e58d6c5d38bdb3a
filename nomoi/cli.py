"""The command line.  Heavy imports happen inside the commands, so that `nomoi --help` answers at once."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sys
import warnings
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


def _version(asked: bool | None) -> None:
    if asked:
        from nomoi import __version__

        print(f"nomoi {__version__}")
        raise typer.Exit


SCARCE = "there is not enough memory for this; fewer or smaller worlds, seeds or settings would do."


@app.callback()
def _all(
    version: Annotated[
        bool | None, typer.Option("--version", callback=_version, is_eager=True, help="say which nomoi this is")
    ] = False,
) -> None:
    """nomoi: a laboratory for one question, how can we live together?"""


def main() -> None:
    """Entry point: what a person did wrong is said in one sentence, with exit status 2."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    warnings.showwarning = _warned
    for name in ("stdout", "stderr"):  # whoever started this may have closed it
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
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
        _end(SCARCE)
    except RuntimeError as error:  # JAX has no other word for it
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        _end(SCARCE)


def _warned(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
    """What is no fault but should be known is said in a sentence too; what is for programmers, with its place."""
    if category is UserWarning:
        print(f"nomoi: {printable(str(message))}", file=sys.stderr)
    else:
        print(warnings.formatwarning(message, category, *where[:2]), file=sys.stderr, end="")


def _unread() -> NoReturn:
    """Who read what is printed has had enough, as `head` has: nothing is wrong, and nothing more is printed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(0) from None


def _end(sentence: str) -> NoReturn:
    """Say what was wrong, on one line; words of thousands of letters are cut."""
    said = re.sub(r"\S{200,}", lambda word: f"{word[0][:60]}...{word[0][-20:]}", printable(sentence))
    said = re.sub(r"\s*\n\s*", " ", said)  # names of a person's file may have lines in them
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


OUT = Annotated[Path, typer.Option(help="folder of records")]
ON = Annotated[
    str, typer.Option(metavar="ray|ray://HOST:PORT", help="workers of Ray make the runs, and not this process")
]
WORKERS = Annotated[int | None, typer.Option(help="how many runs are made at a time; by default one a processor")]


@app.command()
def compare(
    situation: Annotated[str, typer.Argument(help="a situation's name, FILE.py:Name, or a game's .nfg, .csv or .json")],
    under: Annotated[list[str] | None, typer.Option(help="a regime, such as altar+sanction or levy(rate=1)")] = None,
    set: Annotated[list[str] | None, typer.Option(help="an option, such as levy.rate=2 or situation.agents=7")] = None,
    map: Annotated[str | None, typer.Option(help="a preset of the situation, or the file of a drawing")] = None,
    who: Annotated[str, typer.Option(help="who plays: a learner or a script, such as forager(spare=3)")] = "",
    objective: Annotated[
        str | None, typer.Option(help="what is learned from: a name, or an expression such as 'own - 2*sparse'")
    ] = None,
    seeds: Annotated[int, typer.Option(help="runs a regime")] = 3,
    steps: Annotated[float, typer.Option(help="world steps a run")] = 500_000,
    out: Annotated[Path, typer.Option(help="folder of records")] = Path("runs"),
    report: Annotated[Path, typer.Option(help="the page to write")] = Path("report.html"),
    as_json: Annotated[bool, typer.Option("--json", help="print the table as JSON")] = False,
    old: Annotated[bool, typer.Option(help="let records stand that other code made, and say so")] = False,
    on: ON = "",
    workers: WORKERS = None,
) -> None:
    """Let agents live in a situation under several regimes; print a table and write a page."""
    from nomoi import files
    from nomoi.report import terminal
    from nomoi.runs import compare as comparing

    files.check_place(report, out)
    with _resumable(), terminal.live(quiet=as_json) as tell:
        result = comparing.compare(
            situation, under or (), who=who, objective=objective, seeds=seeds, steps=steps, out=out, map=map,
            set=set or (), tell=tell, old=old, on=on, workers=workers,
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
def goods(
    situation: Annotated[str, typer.Argument(help="a situation's name, or FILE.py:Name")],
    under: Annotated[list[str] | None, typer.Option(help="a regime, such as licence or nothing")] = None,
    set: Annotated[list[str] | None, typer.Option(help="an option, such as situation.outsiders=2")] = None,
    map: Annotated[str | None, typer.Option(help="a preset of the situation, or the file of a drawing")] = None,
    who: Annotated[list[str] | None, typer.Option(help="how the others live: a script")] = None,
    less: Annotated[str, typer.Option(help="the script by which the one asked about takes less")] = "",
    more: Annotated[str, typer.Option(help="and more; without it, one notch more in the first step")] = "",
    agent: Annotated[int | None, typer.Option(help="who is asked about; the last stranger, or the first agent")] = None,
    steps: Annotated[int, typer.Option(help="how long; 0 is one horizon")] = 0,
    worlds: Annotated[int, typer.Option(help="worlds, the same for all that is compared")] = 64,
    as_json: Annotated[bool, typer.Option("--json", help="print everything as JSON")] = False,
) -> None:
    """What kind of good a situation holds, by intervention: private, club, common-pool or public."""
    from nomoi.report import goods as asking

    asking.show(asking.goods(situation, under or (), who=who or (), less=less, more=more, map=map, set=set or (),
                             agent=agent, steps=steps, worlds=worlds), as_json)  # fmt: skip


@app.command()
def meet(
    situation: Annotated[str, typer.Argument(help="a situation's name, or FILE.py:Name")],
    who: Annotated[list[str] | None, typer.Option(help="a guest: a record's name, a script, or FILE.py:Mine")] = None,
    among: Annotated[list[str] | None, typer.Option(help="company that is held out: no guest itself")] = None,
    under: Annotated[list[str] | None, typer.Option(help="a regime, such as altar+sanction or nothing")] = None,
    set: Annotated[list[str] | None, typer.Option(help="an option, such as situation.agents=7")] = None,
    map: Annotated[str | None, typer.Option(help="a preset of the situation, or the file of a drawing")] = None,
    focal: Annotated[int, typer.Option(help="how many agents act by the guest; 0 is half of all")] = 0,
    worlds: Annotated[int, typer.Option(help="worlds, the same for all who meet")] = 32,
    population: Annotated[int, typer.Option(help="people of the Moran process")] = 50,
    beta: Annotated[float, typer.Option(help="its strength of selection")] = 0.1,
    picture: Annotated[Path | None, typer.Option(help="table as a picture, .svg or .png; one a regime")] = None,
    out: OUT = Path("runs"),
    old: Annotated[bool, typer.Option(help="let minds come that other code trained")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print everything as JSON")] = False,
) -> None:
    """Let runs, scripts and agents of your own meet: everyone with everyone, and among those held out."""
    from nomoi import files
    from nomoi.report import figures, meeting

    if picture:
        figures.check(picture)
        files.check_place(picture, out)
    found = meeting.meetings(situation, who or (), among or (), under or (), map=map, set=set or (), focal=focal,
                             worlds=worlds, size=population, beta=beta, out=out, old=old)  # fmt: skip
    meeting.show(found, as_json)
    if not picture:
        return
    for k, figure in enumerate(meeting.pictures(found)):  # further regimes: table-2.svg, ...
        path = picture.with_stem(f"{picture.stem}-{k + 1}") if k else picture
        print(printable(str(figures.write(figure, path))), file=sys.stderr if as_json else sys.stdout)


@app.command()
def play(
    situation: Annotated[str, typer.Argument(help="a situation's name, or FILE.py:Name")],
    seat: Annotated[
        list[str] | None, typer.Option(help="who sits there: model:NAME@URL or a script; the last takes what is left")
    ] = None,
    under: Annotated[list[str] | None, typer.Option(help="a regime, such as survey or nothing")] = None,
    set: Annotated[list[str] | None, typer.Option(help="an option, such as situation.agents=7")] = None,
    map: Annotated[str | None, typer.Option(help="a preset of the situation, or the file of a drawing")] = None,
    seeds: Annotated[int, typer.Option(help="runs a regime")] = 3,
    talk: Annotated[int, typer.Option(help="rounds of talk before play")] = 0,
    wordings: Annotated[int, typer.Option(help="in how many wordings each regime is played, up to 3")] = 1,
    key: Annotated[str, typer.Option(help="the name of the environment variable that has the endpoint's key")] = "",
    temperature: Annotated[float, typer.Option(help="of what models draw")] = 1.0,
    most_calls: Annotated[int, typer.Option(help="calls after which it stops, to be gone on with; 0 is no limit")] = 0,
    most_tokens: Annotated[int, typer.Option(help="the same of tokens")] = 0,
    patience: Annotated[float, typer.Option(help="seconds to wait for an answer")] = 60.0,
    dry: Annotated[bool, typer.Option("--dry", help="say what would be asked, and ask nobody")] = False,
    out: OUT = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="print the table as JSON")] = False,
) -> None:
    """Let language models play, in words, among themselves or with scripts; print what came of it."""
    from nomoi.report import playing, terminal
    from nomoi.speak.desk import Desk

    made = playing.trials(situation, seat or (), under or (), set=set or (), map=map, talk=talk, wordings=wordings,
                          key=key, temperature=temperature)  # fmt: skip
    if dry:
        playing.dry(made, seeds)
        return
    desk = Desk(most_calls=most_calls, most_tokens=most_tokens, patience=patience)
    with _resumable(), terminal.live(quiet=as_json) as tell:
        rows = playing.play(made, seeds, out, tell, desk)
    if as_json:
        print(playing.data(rows, desk))
    else:
        playing.show(rows, desk)


@app.command()
def solve(
    game: Annotated[
        str, typer.Argument(help="a file (.nfg, .csv, .json), a known game, such as stag_hunt, or a situation")
    ],
    under: Annotated[str, typer.Option(help="of a situation: a regime, such as contract")] = "",
    set: Annotated[list[str] | None, typer.Option(help="of a situation: an option, such as situation.noise=1")] = None,
    method: Annotated[str, typer.Option(help="how equilibria are found; see nomoi.solve.nash")] = "auto",
    picture: Annotated[Path | None, typer.Option(help="phase portrait to write, .svg or .png")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print everything as JSON")] = False,
) -> None:
    """Solve a game: class, equilibria, dominance, basins; a situation of several steps by backward induction."""
    from nomoi import files
    from nomoi.report import solution
    from nomoi.solve.analysis import analyse
    from nomoi.solve.formats import find
    from nomoi.solve.games import GAMES

    if game in GAMES and (under or set):
        raise Refusal(f"{game} is a game in normal form; --set and --under are for situations.")
    if game not in GAMES and (_lived(game) or under or set):
        from nomoi.report import unfolded

        place = unfolded.place(game, under, set or ())
        given = unfolded.game(place)
        if given is None:
            if picture:
                raise Refusal(f"{game} has several steps and no phase portrait; leave out --picture.")
            if method != "auto":
                raise Refusal(f"{game} has several steps and is solved by backward induction; leave out --method.")
            found = unfolded.solve(place)
            print(json.dumps(found, indent=1)) if as_json else unfolded.show(found)
            return
    else:
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


def _lived(word: str) -> bool:
    """Whether a word means a situation: one of nomoi's by its name, or one of a person's own file."""
    from nomoi import catalogue

    return ".py" in word or any(cls.name.lower() == word for cls in catalogue.texts("situation"))


@app.command()
def audit(
    kind: Annotated[str, typer.Argument(help="reward, label, proxy or measure")],
    file: Annotated[Path, typer.Argument(help="a file of yours; `nomoi new KIND` writes one to begin with")],
    gamma: Annotated[float | None, typer.Option(help="reward: another discount than the file's")] = None,
    outside: Annotated[str | None, typer.Option(help="reward: extrapolate or clip beyond the ranges of fields")] = None,
    score: Annotated[str, typer.Option(help="label: the column of the score")] = "",
    need: Annotated[list[str] | None, typer.Option(help="label, measure: a column of what is meant")] = None,
    proxy: Annotated[list[str] | None, typer.Option(help="label, measure: a column of what stands in for it")] = None,
    group: Annotated[str, typer.Option(help="label: the column of the groups; measure: of who rows are from")] = "",
    pushed: Annotated[str, typer.Option(help="measure: the column that is 1 where somebody pushed the proxy")] = "",
    compare: Annotated[str, typer.Option(help="label: REFERENCE,COMPARED of the groups")] = "",
    other: Annotated[list[str] | None, typer.Option(help="label: a column of another score")] = None,
    weight: Annotated[str, typer.Option(help="label: the column of weights")] = "",
    top: Annotated[int, typer.Option(help="label: percentile from which people are chosen")] = 97,
    permutations: Annotated[int, typer.Option(help="label: shuffles of the groups")] = 200,
    drop: Annotated[bool, typer.Option(help="label, measure: leave rows with empty cells out, and count them")] = False,
    report: Annotated[Path, typer.Option(help="the page to write")] = Path("audit.html"),
    as_json: Annotated[bool, typer.Option("--json", help="print everything as JSON")] = False,
) -> None:
    """Audit what you are about to optimise: a reward, a label, a proxy, a measure.  Exit status 1 if a check fails."""
    from nomoi.report import audits

    asked = {"gamma": gamma, "outside": outside, "score": score, "need": need, "proxy": proxy, "group": group,
             "pushed": pushed, "compare": compare, "other": other, "weight": weight, "top": top,
             "permutations": permutations, "drop": drop}  # fmt: skip
    raise SystemExit(audits.run(kind, file, asked, report, as_json))


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

    print(printable(str(examples.example(kind, to))))


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
    on: ON = "",
    workers: WORKERS = None,
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
            found.append(studying.run(
                one, size, out=out, tell=tell, set=changes[one.name], old=old, on=on, workers=workers,
            ))  # fmt: skip
    page = reporting.write_page(found[0] if single else found, path, study, studying.question(study))
    for findings in found if keep else ():
        reporting.write_summary(findings, keep)
    if as_json:
        print(json.dumps(found[0].data() if single else [f.data() for f in found], indent=1))
    else:
        for findings in found:
            terminal.verdicts(findings)
        terminal.said(page)


@app.command()
def voices(
    place: Annotated[Path, typer.Argument(help="a folder of a Polis export, or one file of votes")],
    above: Annotated[float | None, typer.Option(help="statements pass by a consensus of at least this")] = None,
    most: Annotated[int | None, typer.Option(help="... or as many pass, by their consensus")] = None,
    mode: Annotated[str, typer.Option(help="polis (a product over groups) or geometric (their mean)")] = "polis",
    groups: Annotated[str, typer.Option(help="auto, own, published, or a file that has them")] = "auto",
    k: Annotated[int | None, typer.Option("--k", help="how many groups to make")] = None,
    agree: Annotated[int | None, typer.Option(help="which vote means agreement, 1 or -1")] = None,
    comments: Annotated[Path | None, typer.Option(help="the file of the statements")] = None,
    draws: Annotated[int, typer.Option(help="resamples of the people")] = 20,
    seed: Annotated[int, typer.Option(help="where their chance begins")] = 0,
    out: Annotated[Path | None, typer.Option(help="the constitution to write, .txt or .json")] = None,
    map: Annotated[Path | None, typer.Option(help="who mapped which statement to which event, a file")] = None,
    situation: Annotated[str, typer.Option(help="whose events and marks: a name or FILE.py:Name, else any")] = "",
    charter: Annotated[Path | None, typer.Option(help="the charter to write of the mapped statements")] = None,
    against: Annotated[Path | None, typer.Option(help="another list of rules, to compare")] = None,
    process: Annotated[Path | None, typer.Option(help="how the input came about: question,answer")] = None,
    report: Annotated[Path | None, typer.Option(help="a page with pictures to write")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print everything as JSON")] = False,
) -> None:
    """Groups, consensus and stability of votes on statements, and the constitution that they make."""
    _small()
    from nomoi.report import voices as voiced

    asked = {"above": above, "most": most, "mode": mode, "k": k, "draws": draws, "seed": seed}
    voiced.command(place, comments, agree, groups, asked, out, map, charter, against, process, report, situation,
                   as_json)  # fmt: skip


@app.command()
def plural(
    answers: Annotated[Path, typer.Argument(help="what people answer: question, option, share or count, group")],
    presented: Annotated[Path | None, typer.Argument(help="what a model presents: question, option, share")] = None,
    order: Annotated[Path | None, typer.Option(help="options in their order: question, option")] = None,
    group: Annotated[str, typer.Option(help="of ratings (DICES), the column of the raters' groups")] = "",
    support: Annotated[float, typer.Option(help="share that makes an answer one of the reasonable ones")] = 0.05,
    as_json: Annotated[bool, typer.Option("--json", help="print everything as JSON")] = False,
) -> None:
    """How plural answers are: Overton, steerable, distributional."""
    _small()
    from nomoi.report import plural as pluraled

    pluraled.command(answers, presented, order, support, group, as_json)


@app.command()
def decisions(
    votes: Annotated[
        Path | None, typer.Option(help="case, voter, vote (1, 0, -1), and perhaps group; or ratings")
    ] = None,
    cases: Annotated[Path | None, typer.Option(help="case, decision, and perhaps date and further columns")] = None,
    group: Annotated[str, typer.Option(help="of ratings (DICES), the column of the raters' groups")] = "",
    seed: Annotated[int, typer.Option(help="where the chance of the control begins")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print everything as JSON")] = False,
) -> None:
    """How far votes, and the kind of case, predict what an institution decided; without files, the 109th Senate."""
    _small()
    from nomoi.report import decisions as decided

    decided.command(votes, cases, group, seed, as_json)


@app.command()
def lab(
    situation: Annotated[
        str, typer.Argument(help="a situation's name, or FILE.py:Name; or FILE.py, all of it on the shelf")
    ] = "",
    under: Annotated[str, typer.Option(help="a regime, such as levy(rate=1)+contract")] = "",
    set: Annotated[list[str] | None, typer.Option(help="an option, such as situation.agents=7")] = None,
    map: Annotated[str | None, typer.Option(help="a preset of the situation, or the file of a drawing")] = None,
    seat: Annotated[
        list[str] | None, typer.Option(help="a seat for a person (person), once for each; or who plays the others")
    ] = None,
    room: Annotated[str, typer.Option(help="the file of a room, or one of nomoi's experiments, such as commons")] = "",
    resume: Annotated[str, typer.Option(help="go on with a room after a crash: its name, as the lab gave it")] = "",
    own: Annotated[
        list[str] | None, typer.Option(help="FILE.py, whose situations and institutions are put on the shelf")
    ] = None,
    port: Annotated[int, typer.Option(help="the port; 0 is any that is free")] = 0,
    lan: Annotated[str, typer.Option(help="this machine's own address, such as 192.168.1.5: others may come too")] = "",
    out: OUT = Path("runs"),
) -> None:
    """The lab in a browser: build, see what follows, play and watch, alone or with others."""
    from nomoi.lab import command

    command.lab(situation, under, set or (), map, seat or (), room, resume, own or (), port, lan, out)


@app.command()
def export(
    run: Annotated[str, typer.Argument(help="a session's record (its first letters do), as `nomoi runs` lists them")],
    out: OUT = Path("runs"),
    csv: Annotated[Path | None, typer.Option(help="the file to write; without it, it is printed")] = None,
    page: Annotated[Path | None, typer.Option(help="the page to write: people beside scripts and theory")] = None,
) -> None:
    """What people did in a session of the lab, as CSV: one row a seat and turn; or as a page."""
    from nomoi.lab import command

    command.export(_records(out).pick(run), csv, page, out)


def _small() -> None:
    """Matrices are small here: a library of several threads would spend more on waiting than it saves."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
