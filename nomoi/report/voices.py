"""What `nomoi voices` does and shows: a conversation's groups, consensus both ways, stability, and what is wrong."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
from rich.markup import escape
from rich.table import Table

from nomoi import files
from nomoi.errors import Refusal, printable
from nomoi.measure.statistics import number
from nomoi.report.console import console
from nomoi.voices import constitution, process, read
from nomoi.voices.consensus import TYPICAL
from nomoi.voices.groups import rand
from nomoi.voices.opinion import Asked, Opinion, examine

WORDS = ("statement", "by group", "")  # columns that are read from the left
SHOWN, LETTERS = 10, 90  # statements of a table in the terminal, and letters of each; --json and a page have all


def command(
    place: Path, comments: Path | None, agree: int | None, groups: str, asked: dict[str, Any], out: Path | None,
    mapped: Path | None, charter: Path | None, against: Path | None, card: Path | None, report: Path | None,
    situation: str, as_json: bool,
) -> None:  # fmt: skip
    """Read, examine, show; write what was asked for."""
    written = [p for p in (out, charter, report) if p]
    _apart(written, [p for p in (place, comments, mapped, against, card, Path(groups)) if p])
    for path in written:
        files.check_place(path)
    named = groups in ("auto", "own", "published")
    if not named and asked["k"] is not None:
        raise Refusal("--k says how many groups to make of the votes, and --groups names a file that has some; leave "
                      "one of them out.")  # fmt: skip
    if card and not out and not as_json:
        raise Refusal("--process stands at the head of the constitution; give with --out where to write it, or --json.")
    if (mapped is None) != (charter is None):
        raise Refusal("--map says which statements are rules and --charter where to write them; give both or neither.")
    if situation and not mapped:
        raise Refusal("--situation says whose events and marks a mapping may name; give --map and --charter too.")
    said = _mapped(mapped, situation) if mapped else ()
    how = process.process(card) if card else None
    if against:
        constitution.listed(against)  # what cannot be read is refused before anything takes time
    votes = read.read(place, comments, agree)
    if named:
        wanted = Asked(groups=groups, **asked)
    else:
        votes, wanted = read.joined(votes, groups), Asked(groups="auto", **asked)
    found = examine(votes, wanted)
    made = constitution.constitution(found, str(place), how)
    shared = constitution.overlap(made, against, votes.statements) if against else None
    texts: dict[Path, str] = {}  # all made before any is written: who is refused has no half of it
    if charter:
        texts[charter] = constitution.charter(made, said, votes.statements)
    if report:
        from nomoi.report import page

        texts[report] = page.page(f"Voices: {votes.title}", _lead(found), sections(found, shared))
    if out:
        made.write(out)
    for path, text in texts.items():
        files.write(path, text)
    if as_json:
        told = found.data() | {"constitution": made.data()}
        print(json.dumps(told | ({"overlap": dataclasses.asdict(shared)} if shared else {}), indent=1, allow_nan=False))
        return
    show(found, shared)
    for path in written:
        console.print(escape(str(path)), highlight=False)


def _mapped(path: Path, situation: str) -> tuple[constitution.Mapped, ...]:
    """What a person says of statements, about events and marks that there are."""
    said = constitution.mapping(path)
    from nomoi.report import mapped  # loads all situations

    mapped.check(said, situation)
    return said


def _apart(written: list[Path], read: list[Path]) -> None:
    """Refuse a file that would be written twice, or over what is read."""
    ends = [p.resolve() for p in written]
    inputs = {p.resolve() for p in read} | {f.resolve() for p in read if p.is_dir() and str(p) for f in p.glob("*.csv")}
    for path, end in zip(written, ends, strict=True):
        if ends.count(end) > 1:
            raise Refusal(f"{path} is named for two of --out, --charter and --report; give each a file of its own.")
        if end in inputs and end.is_file():
            raise Refusal(f"{path} is a file that is read; give another path to write.")


def _lead(found: Opinion) -> str:
    v = found.votes
    full = v.seen.mean()
    return (f"{len(v.people):,} people, {len(v.statements):,} statements, {int(v.seen.sum()):,} votes "
            f"({100 * full:.3g} % of all that could be).")  # fmt: skip


def sentences(found: Opinion) -> list[str]:
    """What the numbers say, a line each."""
    own, s, v = found.own, found.stability, found.votes
    placed = int(own.plane.kept.sum())
    out = [f"{placed:,} people voted often enough to be placed."]
    if own.silhouettes:
        scores = ", ".join(f"{k}: {number(x)}" for k, x in own.silhouettes.items())
        how = "as asked" if found.asked.k else "the best silhouette"
        out.append(f"Groups made of the votes: {own.k} ({how}; {scores}).")
    else:
        out.append("Too few people voted otherwise than one another for more than one group.")
    if found.chance is not None and np.isfinite(found.chance.p):
        c = found.chance
        out.append(f"Published groups differ by {number(c.apart)} where a random split of the same people would by "
                   f"{number(c.expected)} (p = {number(c.p, 2)}); with those made here they agree by "
                   f"{number(rand(v.groups, own.labels), 2)} (adjusted Rand; 1 is the same).")  # type: ignore[arg-type]  # fmt: skip
    out.append(f"Consensus is over the {found.source} groups: {', '.join(f'{n:,}' for n in found.tally.sizes)} people.")
    if len(s.alike):
        ks = ", ".join(f"{k} in {times}" for k, times in s.k.items())
        same = (f"what passes is the same by {_mean(s.admitted)}, and by {_mean(s.regrouped)} where each resample "
                "makes its own groups (Jaccard)")  # fmt: skip
        if not found.passes.any() and (s.admitted == 1).all() and (s.regrouped == 1).all():
            same = "nothing passes in any"
        out.append(f"Of {len(s.alike)} resamples of four fifths of the people: number of groups {ks}; alike by "
                   f"{_mean(s.alike)}; {same}.")  # fmt: skip
        if len(s.seeds):
            out.append(f"Another seed gives groups alike by {_least(s.seeds)}, another reading of the pipeline by "
                       f"{_least(s.ways)} at worst.")  # fmt: skip
    if found.by_k:
        past = ", ".join(f"{k}: {a}" for k, (a, _) in found.by_k.items())
        each = ", ".join(f"{k}: {b}" for k, (_, b) in found.by_k.items())
        out.append(f"How far the number of groups decides what is past {found.asked.above:g}: {past}; past as much a "
                   f"group: {each}.")  # fmt: skip
    out.append(f"{int(found.passes.sum())} statements pass ({found.asked.rule}, mode {found.asked.mode}).")
    lost = [int(x.sum()) for x in found.left_out]
    out.append("Agreed with by six in ten of a group, and not passed: "
               + ", ".join(f"group {g} {n}" for g, n in enumerate(lost)) + ".")  # fmt: skip
    return out


def _mean(values: np.ndarray) -> str:
    return number(float(np.nanmean(values)), 2) if np.isfinite(values).any() else "-"


def _least(values: np.ndarray) -> str:
    return number(float(np.nanmin(values)), 2) if np.isfinite(values).any() else "-"


def _statement(found: Opinion, j: int, letters: int | None = None) -> str:
    said = f"{found.votes.statements[j]}  {found.votes.texts.get(found.votes.statements[j], '')}".strip()
    return said if letters is None or len(said) <= letters else f"{said[: letters - 1]}\u2026"


def rows(found: Opinion, side: str, most: int | None) -> list[list[str]]:
    """Statements by consensus of agreeing or of disagreeing: value, share of each group, votes, resamples."""
    value = found.agree if side == "agree" else found.disagree
    counted, steady = found.tally, found.stability
    fit = ~found.never & ~found.votes.out
    order = found.order() if side == "agree" else np.argsort(-value, kind="stable")
    count = counted.agree if side == "agree" else counted.disagree
    out = []
    for j in [int(j) for j in order if fit[j]][:most]:
        groups = [f"{count[g, j]}/{counted.seen[g, j]}" for g in range(len(counted.sizes))]
        own = ["passes" if found.passes[j] else "", *([f"{steady.passes[j]:.0%}"] if len(steady.alike) else [])]
        out.append([_statement(found, j, LETTERS if most else None), number(float(value[j])), *groups,
                    *(own if side == "agree" else [])])  # fmt: skip
    return out


def columns(found: Opinion, side: str) -> list[str]:
    groups = [f"group {g}" for g in range(len(found.tally.sizes))]
    own = ["", *(["resamples"] if len(found.stability.alike) else [])] if side == "agree" else []
    return ["statement", "consensus", *groups, *own]


def typical(found: Opinion, letters: int | None = None) -> list[list[str]]:
    """Of each group, what tells it from the rest."""
    return [
        [f"group {g}", t.side + "s", _statement(found, t.statement, letters), f"{t.share:.2f}", f"{t.elsewhere:.2f}"]
        for g, some in enumerate(found.typical) for t in some
    ]  # fmt: skip


def show(found: Opinion, shared: constitution.Overlap | None) -> None:
    """To the terminal."""
    console.print(f"[bold]{escape(printable(found.votes.title))}[/bold]: {_lead(found)}", highlight=False)
    for remark in found.remarks:
        console.print(f"! {escape(printable(remark))}", style="yellow", highlight=False)
    for line in sentences(found):
        console.print(escape(line), highlight=False)
    groups = len(found.tally.sizes)
    for side, title in (("agree", "Agreed with across groups"), ("disagree", "Disagreed with across groups")):
        _table(f"{title} (votes of those asked)", columns(found, side), rows(found, side, SHOWN), groups)
        console.print(escape(_rest(found, side)), highlight=False, end="")
    if any(found.typical):
        head = ["", "", "statement", "share", "elsewhere"]
        _table(f"What tells a group from the rest ({TYPICAL} at most)", head, typical(found, LETTERS))
    if shared:
        console.print(escape(_overlap(shared)), highlight=False)


def _rest(found: Opinion, side: str) -> str:
    """What a table of the terminal leaves out."""
    fit = ~found.never & ~found.votes.out
    more, passing = int(fit.sum()) - SHOWN, int(found.passes.sum()) - SHOWN
    if more <= 0:
        return ""
    which = f" ({passing:,} of them pass)" if side == "agree" and passing > 0 else ""
    return f"and {more:,} more{which}: --report PAGE and --json have all.\n"


def _overlap(shared: constitution.Overlap) -> str:
    near = sum(how == "near" for *_, how in shared.pairs)
    return (f"Of the constitution, {shared.covered:.0%} stands in the other list, and of its {shared.size} rules "
            f"{shared.of:.0%} here; {near} pairs share half of their words: a person should look.")  # fmt: skip


def _table(title: str, head: list[str], body: list[list[str]], groups: int = 0) -> None:
    """`groups` columns, from the third, are turned into lines of one where they would not fit side by side."""
    wide = [max(len(row[k]) for row in [head, *body]) for k in range(len(head))]
    wide = [16 if name == "statement" else w for name, w in zip(head, wide, strict=True)]
    if groups > 1 and sum(wide) + 3 * len(head) + 1 > console.width:
        last = 2 + groups
        head = [*head[:2], "by group", *head[last:]]
        lines = ["\n".join(f"{g}: {cell}" for g, cell in enumerate(row[2:last])) for row in body]
        body = [[*row[:2], said, *row[last:]] for row, said in zip(body, lines, strict=True)]
    out = Table(title=title, title_justify="left")
    for name in head:
        least = 16 if name == "statement" else None
        out.add_column(name, justify="left" if name in WORDS else "right", overflow="fold", min_width=least)
    for cells in body:
        out.add_row(*(escape(printable(c)) for c in cells))
    console.print(out)


def sections(found: Opinion, shared: constitution.Overlap | None = None) -> list[Any]:
    """The page: what is said, three pictures, both tables, what tells groups apart."""
    from nomoi.report import figures, opinions, page

    out: list[Any] = [page.Text("What the votes say", [*(f"Mind: {r}" for r in found.remarks), *sentences(found)])]
    if shared:
        pairs = [list(p) for p in shared.pairs]
        out.append(page.Table("Beside the other list", ["statement", "its rule", "how"], pairs, _overlap(shared)))
    pictures = [
        ("Opinion map", opinions.opinion_map, "Two axes of many: people near each other here may differ elsewhere. "
         "Hollow are those whom one in ten resamples, or more, puts with others."),
        ("Consensus by group", opinions.by_group, "On the dotted line the group that agrees least agrees as much as "
         "all do; in the shaded corner a majority would speak over a group."),
        ("Who supports what", opinions.supporters, "Grey: the share of resamples of four fifths of the people in which "
         "the statement passes."),
    ]  # fmt: skip
    for heading, draw, caption in pictures:
        out.append(page.Figure(heading, figures.svg(draw(found)), caption))
    for side, title in (("agree", "Agreed with across groups"), ("disagree", "Disagreed with across groups")):
        out.append(page.Table(title, columns(found, side), rows(found, side, None), "Votes of those asked, by group."))
    out.append(page.Table("What tells a group from the rest", ["group", "", "statement", "share", "elsewhere"],
                          typical(found)))  # fmt: skip
    return out
