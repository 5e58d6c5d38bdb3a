"""What a person sees of the catalogue: lists and cards."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from nomoi import catalogue as there
from nomoi.core import written
from nomoi.errors import Refusal
from nomoi.report.console import console
from nomoi.report.examples import EXAMPLES
from nomoi.report.listed import KINDS, Thing, listed, named, sentence, single

if TYPE_CHECKING:
    from nomoi.runs.study import Study

# what a person derives from, or makes one of: word -> where it stands
BASES = {
    "situation": ("nomoi.core.situation", "Situation"), "institution": ("nomoi.core.institution", "Institution"),
    "learner": ("nomoi.core.learner", "Learner"), "script": ("nomoi.core.learner", "Learner"),
    "objective": ("nomoi.learners.objectives", "Objective"), "measure": ("nomoi.core.measure", "Measure"),
    "event": ("nomoi.core.events", "Event"), "study": ("nomoi.runs.study", "Study"),
    "claim": ("nomoi.runs.claims", "Claim"), "trial": ("nomoi.runs.trial", "Trial"),
}  # fmt: skip


@written.reading()
def catalogue(kind: str = "") -> None:
    """All things, or those of a kind, each with its first sentence."""
    for one in [single(kind)] if kind else KINDS:
        things = listed(one)
        wide = max(len(thing.name) for thing in things) + 2
        lines = [_line(thing, wide, console.width) for thing in things]
        console.out(KINDS[one], style="italic", highlight=False)
        console.out("\n".join([*lines, ""]), highlight=False)


def fitting(kind: str, situation: str) -> None:
    """The institutions that fit a situation, each as --under takes it, with its first sentence."""
    from nomoi.runs import regimes

    if single(kind or "institution") != "institution":
        right = "`nomoi list institution --fits NAME` would be right"
        raise Refusal(f"--fits is of institutions, and {kind!r} is asked for; {right}.")
    place, name = regimes.place(situation, None, {}), regimes.game(situation)
    texts = {_fits(cls, place): cls for cls in there.institutions().values()}
    found = {text: sentence(there.card(cls).text) for text, cls in texts.items() if text}
    many = f"{len(found)} of {len(there.institutions())} institutions fit {name or place.name} by themselves"
    console.out(f"{many}; others go by one that stands before them (altar+sanction)", style="italic", highlight=False)
    wide = max(map(len, found), default=0) + 2
    lines = [_line(Thing("institution", text, said), wide, console.width) for text, said in found.items()]
    console.out("\n".join([*lines, ""]), highlight=False)


def _fits(cls: type[Any], place: Any) -> str:
    """How --under names an institution that fits; empty where it does not."""
    from nomoi.runs import regimes

    options, name = regimes.fitting(cls, place), cls.__name__.lower()
    if options is None:
        return ""
    return name + "".join(f"({option}={value})" for option, value in options.items())


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
    base = BASES.get(word.lower())
    if base:
        _base(written.Class(*base), word.lower())
    try:
        things = named(word)
    except Refusal:
        if not base:
            raise
        return
    for thing in things:
        if thing.written:
            _card(there.read(thing.written), thing.kind)
        else:
            _told(thing)


def _base(cls: written.Class, word: str) -> None:
    """What a person derives from, or makes one of: its card, and what is called or said, with the shapes."""
    console.print(f"[bold]{cls.name}[/bold] (from {cls.home} import {cls.name})", highlight=False)
    text = cls.card
    console.print(escape(laid(text, console.width)), highlight=False)
    rows = [row for row in _members(cls) if not re.search(rf"^{row[0]}\b[(,; ]", text, re.M)]
    wide = min(28, max((len(said) for _, said, _ in rows), default=0)) + 2
    for _, said, told in rows:
        first = said.ljust(wide) if len(said) < wide else f"{said}\n{' ' * wide}"
        lines = textwrap.fill(told, max(console.width, wide + 20) - wide).replace("\n", "\n" + " " * wide)
        console.out(f"{first}{lines}".rstrip(), highlight=False)
    example = {"script": "learner", "trial": "study", "claim": "study"}.get(word, word)
    if example in EXAMPLES:
        console.print(f"\n`nomoi new {example}` writes one to begin with; `nomoi check FILE.py` tries it.")
    console.print()


def _members(cls: written.Class) -> Iterator[tuple[str, str, str]]:
    """Name, how it is called or declared, and what is said of it."""
    for node in cls.node.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            gives = f" -> {_type(node.returns)}" if node.returns and _type(node.returns) != "None" else ""
            marks = {ast.unparse(mark).rpartition(".")[2] for mark in node.decorator_list}
            args = "" if "property" in marks else f"({', '.join(a.arg for a in node.args.args[1:])})"
            doc = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
            needed = "To be written: " if "abstractmethod" in marks else ""
            yield node.name, f"{node.name}{args}{gives}", needed + (doc[:1].lower() + doc[1:] if needed else doc)
        elif isinstance(node, ast.AnnAssign) and not isinstance(node.value, ast.Call):
            usual = f" = {ast.unparse(node.value)}" if node.value else ""
            yield ast.unparse(node.target), f"{ast.unparse(node.target)}: {_type(node.annotation)}{usual}", ""


def _type(node: ast.expr) -> str:
    """A type as people say it: Float[Array, " n"] is float [n]."""
    shaped = re.sub(
        r"(Float|Int|Bool)\[(?:np\.nd)?[Aa]rray, '([^']*)'\]",
        lambda m: f"{m[1].lower()} [{', '.join(m[2].split())}]",
        ast.unparse(node),
    )
    return re.sub(r"^(?:tuple|ClassVar)\[(.*)\]$", r"\1", shaped).replace("ClassVar[", "(").replace("'", "")


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
