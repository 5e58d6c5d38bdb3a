"""Commands that let agents live in a situation, or look at what they did."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from nomoi.cli.start import ON, OUT, WORKERS, app, resumable
from nomoi.errors import Refusal, printable


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
    seeds: Annotated[int, typer.Option(help="independent runs of each regime")] = 3,
    steps: Annotated[float, typer.Option(help="world steps a run")] = 500_000,
    out: Annotated[Path, typer.Option(help="folder of records")] = Path("runs"),
    report: Annotated[Path, typer.Option(help="the page to write")] = Path("report.html"),
    as_json: Annotated[bool, typer.Option("--json", help="print the table as JSON")] = False,
    old: Annotated[bool, typer.Option(help="keep records that other code made, and mark them")] = False,
    on: ON = None,
    workers: WORKERS = None,
) -> None:
    """Let agents live in a situation under several regimes; print a table and write a page."""
    from nomoi import files
    from nomoi.report import terminal
    from nomoi.runs import compare as comparing

    files.check_place(report, out)
    with resumable(), terminal.live() as tell:
        result = comparing.compare(
            situation, under or (), who=who, objective=objective, seeds=seeds, steps=steps, out=out, map=map,
            set=set or (), tell=tell, old=old, on=on or "", workers=workers,
        )  # fmt: skip
    from nomoi.report.comparison import write_page

    if as_json:
        print(json.dumps(result.data(), indent=1), flush=True)
    else:
        terminal.table(result)
    page = write_page(result, report, terminal.note)
    if not as_json:
        terminal.said(page)


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
    focal: Annotated[int, typer.Option(help="how many agents act as the guest; 0 is half of all")] = 0,
    worlds: Annotated[int, typer.Option(help="worlds, the same for all who meet")] = 32,
    population: Annotated[int, typer.Option(help="people of the Moran process")] = 50,
    beta: Annotated[float, typer.Option(help="its strength of selection")] = 0.1,
    picture: Annotated[Path | None, typer.Option(help="table as a picture, .svg or .png; one a regime")] = None,
    out: OUT = Path("runs"),
    old: Annotated[bool, typer.Option(help="accept agents that other code trained")] = False,
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
    seeds: Annotated[int, typer.Option(help="independent runs of each regime")] = 3,
    talk: Annotated[int, typer.Option(help="rounds of talk before play")] = 0,
    between: Annotated[int, typer.Option(help="rounds of talk after each step of the world")] = 0,
    wordings: Annotated[int, typer.Option(help="in how many wordings each regime is played, up to 3")] = 1,
    key: Annotated[str, typer.Option(help="the name of the environment variable that has the endpoint's key")] = "",
    temperature: Annotated[float, typer.Option(help="sampling temperature of the models")] = 1.0,
    most_calls: Annotated[int, typer.Option(help="stop after so many calls (go on later); 0: no limit")] = 0,
    most_tokens: Annotated[int, typer.Option(help="stop after so many tokens")] = 0,
    patience: Annotated[float, typer.Option(help="seconds to wait for an answer")] = 60.0,
    dry: Annotated[bool, typer.Option("--dry", help="say what would be asked, and ask nobody")] = False,
    out: OUT = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="print the table as JSON")] = False,
) -> None:
    """Let language models play, in words, among themselves or with scripts; print what came of it."""
    from nomoi.report import playing, terminal
    from nomoi.speak.desk import Desk

    made = playing.trials(situation, seat or (), under or (), set=set or (), map=map, talk=talk, between=between,
                          wordings=wordings, key=key, temperature=temperature)  # fmt: skip
    if dry:
        playing.dry(made, seeds)
        return
    desk = Desk(most_calls=most_calls, most_tokens=most_tokens, patience=patience)
    with resumable(), terminal.live() as tell:
        rows = playing.play(made, seeds, out, tell, desk)
    chosen = playing.choices(made, rows, situation)
    if as_json:
        print(playing.data(rows, desk, chosen))
    else:
        playing.show(rows, desk, chosen, f"{situation}: {' and '.join(dict.fromkeys(seat or ()))} at the seats")


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
    old: Annotated[bool, typer.Option(help="keep records that other code made, and mark them")] = False,
    on: ON = None,
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
    with resumable(), terminal.live() as tell:
        for one in chosen:
            found.append(studying.run(
                one, size, out=out, tell=tell, set=changes[one.name], old=old, on=on or "", workers=workers,
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
