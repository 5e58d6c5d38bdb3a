"""Commands that ask: of games, objectives, markets and votes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from nomoi.cli.start import app, small
from nomoi.errors import Refusal, printable


@app.command()
def solve(
    game: Annotated[
        str, typer.Argument(help="a file (.nfg, .csv, .json), a known game, such as stag_hunt, or a situation")
    ],
    under: Annotated[str, typer.Option(help="of a situation: a regime, such as contract")] = "",
    set: Annotated[list[str] | None, typer.Option(help="of a situation: an option, such as situation.noise=1")] = None,
    map: Annotated[str | None, typer.Option(help="of a situation: a preset, such as small of pool")] = None,
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

    if game in GAMES and (under or set or map):
        raise Refusal(f"{game} is a game in normal form; --set, --map and --under are for situations.")
    if game not in GAMES and (_lived(game) or under or set or map):
        from nomoi.report import unfolded

        place, source = unfolded.place(game, under, set or (), map)
        given, notes = unfolded.game(place, source), [*unfolded.notes(place, source), *unfolded.net(place)]
        if given is None:
            if picture:
                raise Refusal(f"{game} has several steps and no phase portrait; leave out --picture.")
            if method != "auto":
                raise Refusal(f"{game} has several steps and is solved by backward induction; leave out --method.")
            try:
                found = unfolded.solve(place, source=source, without=True)
            except Refusal as refusal:
                presets = ", ".join(type(place.bare).presets) if place.bare.lots and not map else ""
                raise Refusal(f"{refusal}{presets and f' A preset may be small enough: --map {presets}.'}") from None
            print(json.dumps(found, indent=1)) if as_json else unfolded.show(found)
            return
    else:
        given, notes = find(game), []
    if picture:
        from nomoi.report import portrait

        files.check_place(picture)
        portrait.check(given, picture)
    found = analyse(given, method, notes)
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
    small()
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
    small()
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
    small()
    from nomoi.report import decisions as decided

    decided.command(votes, cases, group, seed, as_json)
