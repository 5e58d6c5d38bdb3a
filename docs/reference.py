"""The reference pages of the site, as Markdown: what `nomoi show` tells of every name, page by page.

`pages(root)` gives {path: text}; docs/site.py builds the site with them.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nomoi import catalogue
from nomoi.core import written
from nomoi.report.cards import paragraphs
from nomoi.report.listed import KINDS, Thing, listed

SHORT = ("measure", "folly")  # a few words each: all on the page of their kind
FOLDERS = ("nomoi", *(f"nomoi.{name}" for name in (
    "core", "grid", "situations", "institutions", "solve", "populations", "law", "markets", "proxies", "voices",
    "measure", "learners", "scripts", "probes", "play", "speak", "runs", "testing",
)))  # fmt: skip


def pages(root: Path) -> dict[str, str]:
    """All reference pages; `root` is the repository, where pages of results are looked for."""
    out = {"reference/README.md": _index(), "reference/commands.md": _commands()}
    return out | things(root) | {f"reference/python/{home}.md": _folder(home) for home in FOLDERS}


@written.reading()
def things(root: Path) -> dict[str, str]:
    """The pages of what has a name in the catalogue, read from the text of files."""
    out: dict[str, str] = {}
    for kind, plural in KINDS.items():
        out[f"reference/{folder(kind)}/README.md"] = _kind(kind, plural, listed(kind))
        for thing in listed(kind) if kind not in SHORT else ():  # two may have one name, and share its page
            place = f"reference/{folder(kind)}/{thing.name}.md"
            out[place] = "\n".join(filter(None, [out.get(place), _thing(thing, root)]))
    return out


def folder(kind: str) -> str:
    """The folder of a kind's pages: situation -> situations."""
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"


def public(home: str) -> list[str]:
    """The public names of a package: those of its page, or what it lists in `__all__`; else its modules."""
    package = importlib.import_module(home)
    inside = [m.name for m in pkgutil.iter_modules(package.__path__)]
    return sorted(getattr(package, "__all__", inside), key=str.lower)


def _title(plural: str) -> str:
    return plural[:1].upper() + plural[1:]


def _index() -> str:
    kinds = "\n".join(f"- [{_title(plural)}]({folder(kind)}/README.md)" for kind, plural in KINDS.items())
    homes = "\n".join(f"- [`{home}`](python/{home}.md): {_plain(_first(_doc(home)))}" for home in FOLDERS)
    return (
        "# Reference\n\nWhat `nomoi list` and `nomoi show NAME` print, and what Python's `help` does.\n\n"
        f"## By kind\n\n{kinds}\n\n## Commands\n\n[All commands](commands.md) with their options.\n\n"
        f"## Python\n\n{homes}\n"
    )


def _kind(kind: str, plural: str, things: tuple[Thing, ...]) -> str:
    """The list of a kind; of what is short, all there is to say."""
    head = f"# {_title(plural)}\n\n"
    if kind not in SHORT:
        lines = [f"| [`{t.name}`]({t.name}.md) | {_cell(t.said)} |" for t in things]
        return head + "\n".join(["| name | what it is |", "|---|---|", *lines, ""])
    told: dict[str, list[Thing]] = {}
    for thing in things:
        told.setdefault(thing.name, []).append(thing)
    parts = [f"## {name}\n\n" + "\n\n".join(map(_short, some)) for name, some in told.items()]
    return head + "\n\n".join(parts) + "\n"


def _short(thing: Thing) -> str:
    rows = [f"- {what}: {_plain(value)}" for what, value in thing.rows if value and what != "unit"]
    return "\n".join([_plain(thing.said), "", *rows])


def _thing(thing: Thing, root: Path) -> str:
    """The card of one thing."""
    title = f"# {thing.name}\n\n*{'An' if thing.kind[0] in 'aeiou' else 'A'} {thing.kind}.* "
    if not thing.written:
        rows = dict(_named(thing))
        lines = [f"- {what}: {_linked(thing.kind, what, value)}" for what, value in rows.items()]
        kept = root / "docs" / "results" / f"{thing.name}.md"
        if thing.kind == "study" and kept.exists():
            lines.append(f"- claims, verdicts, figures: [results](../../docs/results/{thing.name}.md)")
        return f"{title}{_plain(thing.said)}\n\n" + "\n".join(lines) + "\n"
    card, home = catalogue.read(thing.written), thing.written.home
    where = f"In Python `{home}.{thing.written.name}`; in a terminal `nomoi show {thing.name}`."
    out = [title + where, prose(card.text or thing.said)]
    if card.options:
        last = "in formulas" if thing.kind == "model" else "unit"
        out.append(f"## Options\n\n| name | default | {last} | meaning | source |\n|---|---|---|---|---|\n" + "\n".join(
            "| " + " | ".join((f"`{name}`", _code(o.text()), _cell(o.symbol or o.unit), _cell(_meaning(o, thing.kind)),
                               _cell(o.source))) + " |"
            for name, o in card.options.items()
        ))  # fmt: skip
    if card.presets:
        said = lambda some: ", ".join(f"{k}={v}" for k, v in some.items()) or "the defaults"  # noqa: E731
        out.append("## Presets\n\n" + "\n".join(f"- `{n}`: {_plain(said(some))}" for n, some in card.presets.items()))
    return "\n\n".join(out) + "\n"


def _named(thing: Thing) -> tuple[tuple[str, str], ...]:
    """The rows of its card; those of a game are read only where it is named."""
    return thing.rows or next(t for t in listed(thing.kind, thing.name)).rows


def _meaning(option: Any, kind: str) -> str:
    meaning = option.meaning + (f" ({', '.join(option.values)})" if option.values else "")
    return f"{meaning}; {option.words()}" if kind == "model" else meaning


def _linked(kind: str, what: str, value: str) -> str:
    """A row's value: commands as code, names of studies and families with their pages."""
    if what.startswith("to "):
        return f"`{value}`"
    if (kind, what) in (("family", "studies"), ("study", "part of")):
        known = {t.name: k for k in ("study", "family") for t in listed(k)}
        return ", ".join(f"[{n}](../{folder(known[n])}/{n}.md)" if n in known else n for n in value.split(", "))
    return _plain(value)


# --- Python and commands --------------------------------------------------------------------------------------------


def _commands() -> str:
    """Every command with its options, as `--help` prints them."""
    from typer.testing import CliRunner

    from nomoi.cli import app

    plain = {"NO_COLOR": "1", "TERM": "dumb"}
    parts = ["# Commands", "What a person types wrongly is said in one sentence, with exit status 2."]
    for name in sorted(c.name or getattr(c.callback, "__name__", "") for c in app.registered_commands):
        asked = [name, "--help"]
        said = CliRunner().invoke(app, asked, prog_name="nomoi", terminal_width=100, env=plain).output
        parts.append(f"## nomoi {name}\n\n```text\n{said.strip()}\n```")
    return "\n\n".join(parts) + "\n"


def _folder(home: str) -> str:
    """The public names of a package, each with its signature and what its text says."""
    known = {f"{t.written.home}:{t.written.name}": t for kind in KINDS for t in listed(kind) if t.written}
    parts = [f"# {home}", prose(_doc(home))]
    for name in public(home):
        thing = _found(home, name)
        card = known.get(f"{getattr(thing, '__module__', '')}:{name}")
        parts.append(f"## {name}")
        if card:
            parts.append(f"[{card.kind} `{card.name}`](../{folder(card.kind)}/{card.name}.md): {_plain(card.said)}")
        elif inspect.ismodule(thing):
            parts.append(prose(_doc(thing.__name__)))
            lines = [f"- `{name}.{x.__name__}`: {_plain(_first(_own_doc(x)))}" for x in vars(thing).values()
                     if (inspect.isroutine(x) or inspect.isclass(x)) and not x.__name__.startswith("_")
                     and x.__module__ == thing.__name__ and _own_doc(x)]  # fmt: skip
            parts += ["\n".join(lines)] if lines else []
        else:
            parts += filter(None, [_signature(name, thing), prose(_own_doc(thing)), *_methods(thing)])
    return "\n\n".join(parts) + "\n"


def _found(home: str, name: str) -> Any:
    found = getattr(importlib.import_module(home), name, None)
    return importlib.import_module(f"{home}.{name}") if found is None else found


def _methods(cls: Any) -> Iterator[str]:
    """What a class lets one call, in a line each."""
    if not inspect.isclass(cls):
        return
    lines = []
    for name, part in vars(cls).items():
        what = getattr(part, "func", None) or getattr(part, "fget", None) or getattr(part, "__func__", part)
        if not name.startswith("_") and inspect.isfunction(what) and (said := _first(inspect.getdoc(what) or "")):
            lines.append(f"- `{name}`: {_plain(said)}")
    if lines:
        yield "\n".join(lines)


def _signature(name: str, thing: Any) -> str:
    try:
        found = inspect.signature(thing) if callable(thing) else None
    except ValueError:
        found = None
    if found is None:
        return ""
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    given = lambda p: "" if p.default is p.empty else f"={_short_default(p.default)}"  # noqa: E731
    names = (f"{stars.get(p.kind, '')}{p.name}{given(p)}" for p in found.parameters.values())
    return f"```python\n{name}({', '.join(names)})\n```"


def _short_default(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 30 and "object at" not in text and "<" not in text else "..."


def _doc(home: str) -> str:
    return inspect.getdoc(importlib.import_module(home)) or ""


def _own_doc(thing: Any) -> str:
    """Its text, unless that is only inherited from Python's own types."""
    said = inspect.getdoc(thing) or ""
    made = said.startswith(getattr(thing, "__name__", " ") + "(")  # what a dataclass without a text is given
    return "" if made or said == (inspect.getdoc(type(thing)) or "") else said


# --- text to Markdown -----------------------------------------------------------------------------------------------


def prose(text: str) -> str:
    """A docstring as Markdown: paragraphs as they are, what stands in columns as it stands, snippets as Python."""
    how = {"snippet": "```pycon\n{}\n```", "columns": "```text\n{}\n```"}
    return "\n\n".join(how[what].format(part) if what in how else _plain(part) for what, part in paragraphs(text))


def _first(text: str) -> str:
    return re.split(r"(?<=[.?!])\s", " ".join(text.split("\n\n")[0].split()))[0]


def _plain(text: str) -> str:
    """Words in which nothing is Markdown but what stands between backticks."""
    parts = re.split(r"(`[^`]+`)", text)
    plain = lambda p: re.sub(r"([\\*_\[\]#])", r"\\\1", p.replace("&", "&amp;").replace("<", "&lt;"))  # noqa: E731
    return "".join(p if k % 2 else plain(p) for k, p in enumerate(parts))


def _cell(text: str) -> str:
    return _plain(" ".join(text.split())).replace("|", "\\|") or " "


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|") if text else " "
