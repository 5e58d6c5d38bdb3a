"""What a person sees of the catalogue: lists and cards."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from nomoi import catalogue as there
from nomoi.core import written
from nomoi.report.console import console
from nomoi.report.listed import KINDS, Thing, listed, named

if TYPE_CHECKING:
    from nomoi.runs.study import Study


@written.reading()
def catalogue(kind: str = "") -> None:
    """All things, or those of a kind, each with its first sentence."""
    for one in [kind] if kind else KINDS:
        things = listed(one)
        wide = max(len(thing.name) for thing in things) + 2
        lines = [_line(thing, wide, console.width) for thing in things]
        console.out(KINDS[one], style="italic", highlight=False)
        console.out("\n".join([*lines, ""]), highlight=False)


def _line(thing: Thing, wide: int, width: int) -> str:
    """A name and what is said of it beside it, folded; a table of hundreds of lines takes long to lay out."""
    said = f"{thing.said} {thing.note}".strip()
    return textwrap.fill(
        said, max(width, wide + 20), initial_indent=thing.name.ljust(wide), subsequent_indent=" " * wide
    )


@written.reading()
def show(word: str) -> None:
    """The cards of all that has a name (`altar`, `study:altar`), or of what a file of one's own defines."""
    if ".py" in word or "/" in word:
        from nomoi.runs.study import own

        study = own(word)
        if study:
            _told(_study(study, word))
        if not study or ":" not in word:
            loaded = there.load(word, "any", none=bool(study))
            for cls in loaded if isinstance(loaded, list) else [loaded]:
                _card(there.card(cls), there.kind(cls))
        return
    for thing in named(word):
        if thing.written:
            _card(there.read(thing.written), thing.kind)
        else:
            _told(thing)


def _study(study: Study, word: str) -> Thing:
    """The card of a study of one's own."""
    sizes = ", ".join(f"{size} ({n} seed{'s' * (n != 1)})" for size, n in study.seeds.items())
    claims = [("claim", claim.text) for claim in study.claims]
    return Thing("study", study.name, study.question,
                 rows=(("sizes", sizes), *claims, ("to run it", f"nomoi run {word.partition('.py:')[0]}")))  # fmt: skip


def _told(thing: Thing) -> None:
    console.print(f"[bold]{escape(thing.name)}[/bold], {_a(thing.kind)}", highlight=False)
    console.print(escape(thing.said), highlight=False)
    for what, value in thing.rows:
        console.print(f"{what}: {escape(value)}", highlight=False)
    console.print()


def _card(card: there.Card, kind: str) -> None:
    """What it is, and every option with default, meaning and source."""
    console.print(f"[bold]{escape(card.title)}[/bold], {_a(kind)}", highlight=False)
    console.print(escape(laid(card.text or "no card", console.width)), highlight=False)
    if card.options:
        out = Table(title="options", title_justify="left")
        last = "in the formulas" if kind == "model" else "unit"
        for column in ("name", "default", last, "meaning", "source"):
            out.add_column(column, overflow="fold")
        for name, option in card.options.items():
            meaning = option.meaning + (f" ({', '.join(option.values)})" if option.values else "")
            domain = f"; {option.words()}" if kind == "model" else ""
            cells = (name, option.text(), option.symbol or option.unit, meaning + domain, option.source)
            out.add_row(*map(escape, cells))
        console.print(out)
    for preset, changes in card.presets.items():
        changed = ", ".join(f"{k}={v}" for k, v in changes.items()) or "the defaults"
        console.print(f"preset [bold]{escape(preset)}[/bold]: {escape(changed)}", highlight=False)
    console.print()


def paragraphs(text: str) -> Iterator[tuple[str, str]]:
    """The paragraphs of a card and what each is: prose, columns (or else laid out by hand), or a snippet."""
    for part in re.split(r"\n\s*\n", text.strip()):
        lines = part.split("\n")
        by_hand = any(re.search(r"[^\s.?!] {2,}\S|^\s", line) for line in lines)
        yield "snippet" if lines[0].lstrip().startswith(">>>") else "columns" if by_hand else "prose", part


def laid(text: str, width: int) -> str:
    """A card for a terminal of that width: prose filled anew, and columns folded under their own beginning."""
    return "\n\n".join(
        part if what == "snippet"
        else textwrap.fill(" ".join(part.split()), width) if what == "prose"
        else "\n".join(_folded(line, width) for line in part.split("\n"))
        for what, part in paragraphs(text)
    )  # fmt: skip


def _folded(line: str, width: int) -> str:
    """A line of columns; what does not fit goes on under where its last column begins."""
    under = len(re.match(r"\s+|\S.*?(?<![.?!\s]) {2,}|", line)[0])  # type: ignore[index]
    under = under if under < width - 20 else 0
    return (
        textwrap.fill(line, width, subsequent_indent=" " * under, drop_whitespace=True) if len(line) > width else line
    )


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
