"""Pages: one self-contained HTML file, readable on a phone, on paper and in the dark, without a script."""

from __future__ import annotations

import base64
import json
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape, unescape
from typing import Any

from nomoi.errors import Refusal
from nomoi.measure.statistics import Estimate, number


@dataclass(frozen=True)
class Text:
    """Paragraphs under a heading (which may be empty)."""

    heading: str
    paragraphs: Sequence[str]


@dataclass(frozen=True)
class Table:
    """Rows of cells: words, numbers, None (a dash), an Estimate, or (value, low, high) for a number with its interval.

    The first cell of a row names it.  `note` stands in small type below.
    """

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """An <svg> element (see `figures.svg`) with a caption; one that is `slim` fits a phone as it is."""

    heading: str
    svg: str
    caption: str = ""
    slim: bool = False


@dataclass(frozen=True)
class Films:
    """Animations side by side, each (label, sentence, bytes, mime) such as "image/webp".

    `key` explains the colours: (name, "#rrggbb"), as `nomoi.grid.paint.legend` gives them.
    """

    heading: str
    films: Sequence[tuple[str, str, bytes, str]]
    key: Sequence[tuple[str, str]] = ()


Section = Text | Table | Figure | Films
FEW = 3  # columns that a phone has room for
WIDE = "The table goes on to the right: move it sideways."

_SPACES = {"": "http://www.w3.org/2000/svg", "xlink": "http://www.w3.org/1999/xlink"}

_CSS = """
:root { color-scheme: light dark; --paper: #fcfbf8; --card: #ffffff; --ink: #24282f; --quiet: #646b75;
  --grid: #dcdde1; --accent: #2f7ec0; }
@media (prefers-color-scheme: dark) { :root { --paper: #15181c; --card: #1c2026; --ink: #e6e7ea; --quiet: #9aa1ab;
  --grid: #363b43; --accent: #6db1e8; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: clamp(1.5rem, 5vw, 4rem) clamp(1rem, 4vw, 2.5rem); }
header { border-bottom: 1px solid var(--grid); padding-bottom: 1.5rem; }
h1 { font-size: clamp(1.7rem, 1.2rem + 2.4vw, 2.6rem); line-height: 1.15; letter-spacing: -.02em; margin: 0 0 .75rem;
  text-wrap: balance; }
h2 { font-size: 1.3rem; line-height: 1.3; letter-spacing: -.01em; margin: 0 0 .9rem; }
p { max-width: 42rem; margin: 0 0 .9rem; overflow-wrap: break-word; }
.lead { font-size: 1.2rem; line-height: 1.5; color: var(--quiet); margin: 0; }
section { margin-top: clamp(2rem, 5vw, 3.25rem); }
.scroll { overflow-x: auto; scrollbar-width: thin; background:
  linear-gradient(to right, var(--paper) 40%, transparent) 0 0 / 2.5rem 100%,
  linear-gradient(to left, var(--paper) 40%, transparent) 100% 0 / 2.5rem 100%,
  linear-gradient(to right, var(--grid), transparent) 0 0 / 1rem 100%,
  linear-gradient(to left, var(--grid), transparent) 100% 0 / 1rem 100%;
  background-repeat: no-repeat; background-attachment: local, local, scroll, scroll; }
.scroll :is(thead th:first-child, tbody th) { position: sticky; left: 0; background: var(--paper); max-width: 9rem; }
.narrow { display: none !important; }
@media (max-width: 44rem) { .narrow.key { display: flex !important; margin: 0 0 .7rem; }
  p.narrow { display: block !important; } }
table { border-collapse: collapse; width: 100%; font-size: .95rem; line-height: 1.35; }
th, td { text-align: left; vertical-align: top; padding: .55rem 1.5rem .55rem 0; border-bottom: 1px solid var(--grid); }
thead th { color: var(--quiet); font-weight: 500; font-size: .85rem; vertical-align: bottom;
  border-bottom: 2px solid var(--grid); }
tbody th { font-weight: 600; }
.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
:is(th, td):last-child { padding-right: 0; }
.num small { display: block; color: var(--quiet); font-size: .78rem; }
.note, figcaption { color: var(--quiet); font-size: .9rem; line-height: 1.45; max-width: 42rem; margin: .7rem 0 0; }
figure { margin: 0; }
figure .scroll > svg { display: block; width: 100%; min-width: 32rem; max-width: 50rem; height: auto; }
figure.slim .scroll > svg { min-width: 0; max-width: 38rem; }
figure svg text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif !important; }
.films { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); gap: 1.5rem; }
.films figure { max-width: 30rem; }
.films img { display: block; width: 100%; height: auto; border-radius: 6px; border: 1px solid var(--grid); }
.films b { display: block; color: var(--ink); font-size: 1rem; }
.key { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; list-style: none; margin: 1rem 0 0; padding: 0;
  color: var(--quiet); font-size: .85rem; }
.key svg { width: .75em; height: .75em; margin-right: .4em; vertical-align: -.02em; }
@media print { :root { --paper: #fff; --card: #fff; --ink: #000; --quiet: #444; --grid: #bbb; }
  body { font-size: 10pt; } main { max-width: none; padding: 0; } figure, tr { break-inside: avoid; }
  h2 { break-after: avoid; } .scroll { overflow: visible; background: none; } figure .scroll > svg { min-width: 0; } }
"""


def page(title: str, lead: str, sections: Sequence[Section]) -> str:
    """The whole page as text.  Everything in it is escaped, but for the svg of a Figure."""
    body = "\n".join(_section(section) for section in sections)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_CSS}</style>
</head>
<body>
<main>
<header>
<h1>{escape(title)}</h1>
<p class="lead">{escape(lead)}</p>
</header>
{body}
</main>
</body>
</html>
"""


def _section(section: Section) -> str:
    make: dict[type, Any] = {Text: _text, Table: _table, Figure: _figure, Films: _films}
    heading = f"<h2>{escape(section.heading)}</h2>\n" if section.heading else ""
    return f"<section>\n{heading}{make[type(section)](section)}\n</section>"


def _text(section: Text) -> str:
    return "\n".join(f"<p>{escape(p)}</p>" for p in section.paragraphs)


def _table(section: Table) -> str:
    right = [
        any(_numeric(row[c]) for row in section.rows if c < len(row))
        and all(_numeric(row[c]) or row[c] in (None, "", "-") for row in section.rows if c < len(row))
        for c in range(len(section.columns))
    ]
    tint = [' class="num"' if r else "" for r in right]
    head = "".join(f'<th scope="col"{t}>{escape(c)}</th>' for c, t in zip(section.columns, tint, strict=True))
    lines = []
    for row in section.rows:
        cells = [f"<td{t}>{_cell(value)}</td>" for value, t in zip(row, tint, strict=True)]
        if cells and not right[0]:
            cells[0] = f'<th scope="row">{_cell(row[0])}</th>'
        lines.append(f"<tr>{''.join(cells)}</tr>")
    note = f'\n<p class="note">{escape(section.note)}</p>' if section.note else ""
    rows = "\n".join(lines)
    hint = f'\n<p class="note narrow">{WIDE}</p>' if len(section.columns) > FEW else ""
    table = f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
    return f'<div class="scroll" tabindex="0">{table}</div>{hint}{note}'


def _numeric(value: Any) -> bool:
    if isinstance(value, tuple):
        return len(value) == 3 and all(map(_numeric, value))
    return isinstance(value, Estimate) or (hasattr(value, "__float__") and not isinstance(value, bool))


def _cell(value: Any) -> str:
    """A cell's content as HTML."""
    if isinstance(value, Estimate):
        value = (value.mean, value.low, value.high)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "&ndash;"
    if not _numeric(value):
        return escape(str(value))
    if not isinstance(value, tuple):
        return _number(value)
    mean, low, high = value
    spread = f"<small>{_number(low)} to {_number(high)}</small>" if math.isfinite(low) and math.isfinite(high) else ""
    return _number(mean) + spread


def _number(value: Any) -> str:
    """As people read it: whole numbers in full, with thin spaces and a true minus sign."""
    value = float(value)
    if not math.isfinite(value):
        return "&ndash;"
    text = f"{value:.0f}" if value.is_integer() or abs(value) >= 1000 else number(value)
    whole, dot, rest = text.lstrip("-").partition(".")
    whole = f"{int(whole):,}".replace(",", "\u202f") if len(whole) > 4 else whole
    return ("\u2212" if text.startswith("-") else "") + whole + dot + rest


def _figure(section: Figure) -> str:
    text = _drawing(section)
    caption = f"\n<figcaption>{escape(section.caption)}</figcaption>" if section.caption else ""
    named = re.search(r'<svg\b[^>]* data-key="([^"]*)"', text)
    key = _key([(name, tone) for name, tone in json.loads(unescape(named[1]))], "key narrow") if named else ""
    kind = ' class="slim"' if section.slim else ""
    return f'<figure{kind}>{key}<div class="scroll" tabindex="0">{text}</div>{caption}</figure>'


def _key(names: Sequence[tuple[str, str]], kind: str = "key") -> str:
    """What colours mean, as a list."""
    dot = '<svg viewBox="0 0 2 2" aria-hidden="true"><circle cx="1" cy="1" r="1" fill="{}"/></svg>'
    items = "".join(f"<li>{dot.format(escape(tone))}{escape(name)}</li>" for name, tone in names)
    return f'\n<ul class="{kind}">{items}</ul>' if items else ""


def _drawing(section: Figure) -> str:
    """The figure's svg, written anew from what was parsed: what is checked is what stands on the page."""
    refusal = Refusal(
        f"the figure {section.heading!r} must be one <svg> element without scripts and links to elsewhere."
    )
    text = section.svg.strip()
    if not text.startswith("<svg"):
        raise refusal
    try:
        root = ET.fromstring(text)
    except (ET.ParseError, UnicodeError):
        raise refusal from None
    for node in root.iter():
        names = [_local(name) for name in node.attrib]
        links = [value for name, value in node.attrib.items() if _local(name) == "href"]
        if (
            _local(node.tag) in ("script", "foreignobject")
            or any(name.startswith("on") for name in names)
            or any(not link.startswith(("#", "data:image/")) for link in links)
        ):
            raise refusal
    for prefix, space in _SPACES.items():
        ET.register_namespace(prefix, space)
    return ET.tostring(root, encoding="unicode")


def _local(name: str) -> str:
    return name.rpartition("}")[2].lower()


def _films(section: Films) -> str:
    shots = []
    for label, sentence, content, mime in section.films:
        source = f"data:{escape(mime)};base64,{base64.b64encode(content).decode()}"
        shots.append(
            f'<figure><img src="{source}" alt="{escape(f"Film: {label}. {sentence}")}">'
            f"<figcaption><b>{escape(label)}</b>{escape(sentence)}</figcaption></figure>"
        )
    return '<div class="films">\n' + "\n".join(shots) + f"\n</div>{_key(section.key)}"
