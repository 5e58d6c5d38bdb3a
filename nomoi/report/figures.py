"""Figures: curves, intervals and Schelling diagrams in one calm style, as SVG for pages and PNG for files.

Matplotlib is imported late and used without pyplot, so that drawing leaves no state behind.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nomoi import files
from nomoi.errors import Refusal, printable
from nomoi.measure.statistics import Estimate, estimate, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Middle tones that stand out on white and on black, apart for the colour-blind by hue and by lightness.
COLOURS = ("#2f7ec0", "#dd7f1d", "#1f9d78", "#b3589f", "#cf4448", "#8a6d45", "#4fa6cf", "#8d9a2f", "#7a68c4", "#7d8790")
INK, QUIET, GRID = "#24282f", "#6b717b", "#d9dbe0"  # in a page these follow the reader's light or dark scheme
SMALL, TEXT = 9.0, 10.0  # points
LONG, LINES = 90, 3  # letters of a line and lines of a text that are drawn (ours)
FEW = 5  # seeds that are still drawn one by one

FONTS = ("DejaVu Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans Devanagari", "Noto Sans Bengali",
         "Noto Sans Thai", "Noto Sans Ethiopic", "WenQuanYi Zen Hei", "Droid Sans Fallback", "Unifont")  # fmt: skip
_MISSING = "(?s)Glyph .* missing from"  # how matplotlib says that no font has a letter

_STYLE: Any = {
    "font.family": "sans-serif", "font.size": TEXT, "text.color": INK,
    "axes.edgecolor": GRID, "axes.labelcolor": QUIET, "axes.labelsize": SMALL, "axes.spines.top": False,
    "axes.spines.right": False, "axes.spines.left": False, "axes.grid": True, "axes.grid.axis": "y",
    "axes.axisbelow": True, "grid.color": GRID, "grid.linewidth": 0.7, "xtick.color": GRID, "ytick.color": GRID,
    "xtick.labelcolor": QUIET, "ytick.labelcolor": QUIET, "xtick.labelsize": SMALL, "ytick.labelsize": SMALL,
    "ytick.major.size": 0, "axes.titlesize": 12, "axes.titleweight": "bold", "axes.titlecolor": INK,
    "axes.titlelocation": "left", "svg.fonttype": "none", "svg.hashsalt": "nomoi", "legend.frameon": False,
    "legend.fontsize": SMALL, "axes.unicode_minus": True, "text.parse_math": False,
}  # fmt: skip


@contextmanager
def _styled() -> Iterator[None]:
    import matplotlib

    with matplotlib.rc_context(_STYLE | {"font.sans-serif": _fonts()}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", _MISSING)  # who looks at an svg has other fonts
        yield


@lru_cache
def _fonts() -> list[str]:
    """The first font, and of those for other scripts the ones that are installed."""
    from matplotlib.font_manager import fontManager

    return [FONTS[0], *sorted({f.name for f in fontManager.ttflist} & set(FONTS[1:]), key=FONTS.index)]


def _sheet(title: str, subtitle: str, height: float = 3.7, room: float = 0) -> tuple[Figure, Axes]:
    """An empty figure with its title and, in quiet type below it, what the axis measures; `room` points for a key."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(7.2, height), layout="constrained")
    fig.get_layout_engine().set(w_pad=0.08, h_pad=0.06)  # type: ignore[union-attr]
    ax = fig.add_subplot()
    ax.set_title(textwrap.fill(title, 64), pad=24 + room)
    ax.annotate(
        subtitle, (0, 1), (0, 9 + room), xycoords="axes fraction", textcoords="offset points", color=QUIET, size=SMALL
    )
    return fig, ax


def _band(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, low and high [K] of values [S, K], point by point (see nomoi.measure.statistics)."""
    found = [estimate(column) for column in values.T]
    return tuple(np.array([getattr(e, name) for e in found]) for name in ("mean", "low", "high"))  # type: ignore


def _tone(label: str, labels: Sequence[str]) -> str:
    return COLOURS[list(labels).index(label) % len(COLOURS)]


def _over(counts: Sequence[int], what: str = "band") -> str:
    """In words, what spread is shown, of how many seeds."""
    low, high = min(counts), max(counts)
    if high < 2:
        return "one seed, so no interval"
    return f"mean and 95 % {what} over {low if low == high else f'{low} to {high}'} seeds"


def curves(
    series: Mapping[str, tuple[Any, Any]],
    unit: str,
    title: str,
    baselines: Mapping[str, float] | None = None,
    xlabel: str = "world steps",
    labels: Sequence[str] = (),
    note: str = "",
    least: float | None = None,
) -> Figure:
    """One line a label from (steps [K], values [S, K]): mean over the S seeds with its interval.

    Up to five seeds are also drawn one by one; baselines (name -> value) are dotted.  Lines pass over what is not
    defined (NaN).  Give all `labels` of a page, in order, and a label has the same colour in all its figures.
    `note` says what the values are where they are not means over seeds; the axis begins at `least`, where one is given.
    """
    from matplotlib.ticker import EngFormatter, MaxNLocator

    data = {label: (np.asarray(x, float), np.atleast_2d(np.asarray(y, float))) for label, (x, y) in series.items()}
    note = note or (_over([len(y) for _, y in data.values()]) if data else "no data")
    thin = any(1 < len(y) <= FEW for _, y in data.values())
    with _styled():
        fig, ax = _sheet(title, f"{unit} · {note}{'; thin lines are single seeds' if thin else ''}")
        ends = []
        for label, (steps, values) in data.items():
            tone = _tone(label, labels or tuple(data))
            mean, low, high = _band(values)
            known = np.isfinite(mean)
            if not known.any():
                ends.append((f"{label} (not defined)", steps[-1], np.nan, tone))
                continue
            # a line needs two points to be seen
            style: Any = {"color": tone, "mew": 0} | ({"marker": "o", "clip_on": False} if known.sum() == 1 else {})
            ax.fill_between(steps[known], low[known], high[known], color=tone, alpha=0.16, linewidth=0)
            for one in values if 1 < len(values) <= FEW else ():
                there = np.isfinite(one)
                ax.plot(steps[there], one[there], alpha=0.35, linewidth=0.7, ms=4, **style)
            ax.plot(steps[known], mean[known], linewidth=2, solid_capstyle="round", ms=7, **style)
            ends.append((label, steps[known][-1], mean[known][-1], tone))
        _baselines(ax, baselines or {}, ends)
        ax.margins(x=0)
        if data:
            first, last = min(x[0] for x, _ in data.values()), max(x[-1] for x, _ in data.values())
            ax.set_xlim(first if last / 4 < first < last else 0, last)  # what begins far from zero begins there
        ax.set_xlabel(xlabel)
        if ax.get_xlim()[1] >= 1000:
            ax.xaxis.set_major_formatter(EngFormatter(sep=""))
        ax.xaxis.set_major_locator(MaxNLocator(6))
        ax.yaxis.set_major_locator(MaxNLocator(5))
        if least is not None:
            ax.set_ylim(bottom=least)
        _name(fig, ax, ends)
    return fig


def _baselines(ax: Axes, baselines: Mapping[str, float], ends: list[tuple[str, float, float, str]]) -> None:
    right = max((x for _, x, _, _ in ends), default=1.0)
    for name, value in baselines.items():
        ax.axhline(value, color=QUIET, linewidth=1.1, linestyle=(0, (1, 2)))
        ends.append((name, right, float(value), QUIET))


def _name(fig: Figure, ax: Axes, ends: Sequence[tuple[str, float, float, str]]) -> None:
    """Names beside the ends of the lines (label, x, y, colour), moved apart where they would touch."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.lines import Line2D
    from matplotlib.transforms import offset_copy

    from_the_top = sorted(ends, key=lambda e: -np.nan_to_num(e[2], nan=-np.inf))
    fig.set_gid(json.dumps([[printable(label), tone] for label, _, _, tone in from_the_top]))  # see `svg`
    longest = max((len(e[0]) for e in ends), default=0)
    if longest > 30 or len(ends) > 14:  # no room at the side
        lines = [Line2D([], [], color=c, linewidth=2, linestyle=":" if c == QUIET else "-") for *_, c in ends]
        columns = 2 if longest < 48 else 1
        fig.set_figheight(fig.get_figheight() + 0.2 * -(-len(ends) // columns))
        fig.legend(lines, [e[0] for e in ends], loc="outside lower left", ncols=columns)
        return
    FigureCanvasAgg(fig)
    fig.draw_without_rendering()
    height = ax.get_window_extent().height * 72 / fig.dpi
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    ends = sorted(ends, key=lambda e: np.nan_to_num(e[2], nan=-np.inf))
    wish = np.array([(y - low) / (high - low) * height if np.isfinite(y) else 0 for _, _, y, _ in ends])
    for (label, x, _, tone), at, end in zip(ends, spread(wish, 1.35 * SMALL), wish, strict=True):
        moved = abs(at - end) > 2 or x < right
        line = {"arrowstyle": "-", "color": tone, "linewidth": 0.7, "shrinkA": 1, "shrinkB": 1, "relpos": (0, 0.5)}
        ax.annotate(
            label, ((x - left) / (right - left), end / height), (1, at / height), xycoords="axes fraction",
            textcoords=offset_copy(ax.transAxes, fig, 14 if moved else 6, 0, "points"), color=tone, size=SMALL,
            va="center", style="italic" if tone == QUIET else "normal", weight="normal" if tone == QUIET else "bold",
            arrowprops=line if moved else None, annotation_clip=False,
        )  # fmt: skip


def spread(wish: np.ndarray, gap: float) -> np.ndarray:
    """Sorted places [n] at least `gap` apart, in the same order, as near to `wish` [n] as least squares can be."""
    blocks: list[list[float]] = []  # of places that touch: [sum of (wish - offset), how many]
    for k, place in enumerate(np.asarray(wish, float)):
        blocks.append([place - k * gap, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] >= blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1] = [blocks[-1][0] + total, blocks[-1][1] + count]
    flat = [total / count for total, count in blocks for _ in range(int(count))]
    return np.array(flat) + gap * np.arange(len(flat))


def intervals(
    table: Mapping[str, Estimate | Sequence[float] | np.ndarray],
    unit: str,
    title: str,
    baselines: Mapping[str, float] | None = None,
    labels: Sequence[str] = (),
    note: str = "",
) -> Figure:
    """One measure over regimes, label -> an Estimate or the values of its seeds: a dot and its interval a row.

    Seeds, where they are given and few, stand as small open dots on the line.  `labels` and `note` as for `curves`.
    """
    found = {label: v if isinstance(v, Estimate) else estimate(v) for label, v in table.items()}
    counts = [e.n for e in found.values()] or [0]
    with _styled():
        fig, ax = _sheet(
            title,
            f"{unit} · {note or _over(counts, 'interval')}",
            1.2 + 0.36 * len(found) + 0.14 * len(baselines or {}),
        )
        for row, (label, e) in enumerate(found.items()):
            tone = _tone(label, labels or tuple(found))
            given = table[label]
            if not isinstance(given, Estimate) and 1 < e.n <= 4 * FEW:
                ax.plot(given, np.full(len(given), row), "o", color=tone, ms=3.5, mfc="none", mew=0.8, alpha=0.6)
            if e.n > 1:
                ax.plot([e.low, e.high], [row, row], color=tone, linewidth=2.6, solid_capstyle="round", alpha=0.55)
            ax.plot([e.mean], [row], "o", color=tone, ms=7, mew=0)
            ax.annotate(
                number(e.mean), (1, row), (8, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                color=INK, size=SMALL, va="center", weight="bold", annotation_clip=False,
            )  # fmt: skip
        ax.margins(x=0.06)
        marks = sorted((baselines or {}).items(), key=lambda item: item[1])
        for k, (name, value) in enumerate(marks):
            ax.axvline(value, color=QUIET, linewidth=1.1, linestyle=(0, (1, 2)))
            late = value > sum(ax.get_xlim()) / 2
            ax.annotate(
                name, (value, 0), (-4 if late else 4, 3 + 1.3 * SMALL * k), xycoords=("data", "axes fraction"),
                textcoords="offset points", color=QUIET, size=SMALL, style="italic", ha="right" if late else "left",
            )  # fmt: skip
        ax.set_yticks(range(len(found)), [_cut(label, 2 * LONG // 3) for label in found], color=INK, size=TEXT)
        ax.set_ylim(len(found) - 0.5 + 0.4 * len(marks), -0.6)
        ax.grid(False, axis="y")
        ax.grid(True, axis="x")
        ax.spines["bottom"].set_visible(False)
        ax.tick_params(axis="x", length=0)
    return fig


def schelling(
    others: Any,
    cooperate: Any,
    defect: Any,
    labels: tuple[str, str] = ("to a cooperator", "to a defector"),
    unit: str = "payoff",
    title: str = "Schelling diagram",
) -> Figure:
    """Payoff to a cooperator and to a defector [S, N] against the number of other cooperators [N], over S seeds.

    Where `others` is 0..N-1, a thin line gives the mean of all N agents at each number of cooperators, 0..N.
    """
    from matplotlib.ticker import MaxNLocator

    x, pair = np.asarray(others), [np.atleast_2d(np.asarray(v, float)) for v in (cooperate, defect)]
    n, means = len(x), []
    with _styled():
        fig, ax = _sheet(title, f"{unit} · {_over([len(v) for v in pair], 'interval')}", 4.0, room=22)
        for values, label, tone, form in zip(pair, labels, COLOURS[:2], ("o", "s"), strict=True):
            mean, low, high = _band(values)
            ax.fill_between(x, low, high, color=tone, alpha=0.14, linewidth=0)
            ax.vlines(x, low, high, color=tone, linewidth=1.4)
            ax.plot(x, mean, color=tone, linewidth=2, marker=form, ms=5.5, mew=0, label=label)
            means.append(mean)
        xlabel = "other agents who cooperate"
        if np.array_equal(x, np.arange(n)):
            # With k cooperators in all, each meets k - 1 others who cooperate, and each defector k.
            k = np.arange(n + 1)
            welfare = (k * np.append(0.0, means[0]) + (n - k) * np.append(means[1], 0.0)) / n
            ax.plot(k, welfare, color=QUIET, linewidth=1.1, linestyle=(0, (4, 2)), label=f"mean of all {n}")
            xlabel += " (dashed line: all who cooperate)"
        key = ax.legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderpad=0, borderaxespad=0.5, handlelength=1.8
        )
        for text, tone in zip(key.get_texts(), (*COLOURS[:2], QUIET), strict=False):
            text.set(color=tone, weight="normal" if tone == QUIET else "bold")
        ax.set_xlabel(xlabel)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.yaxis.set_major_locator(MaxNLocator(5))
        ax.margins(x=0.02)
    return fig


def _cut(line: str, most: int) -> str:
    return line if len(line) <= most else f"{line[: most - 1]}\u2026"


def _fit(fig: Figure) -> None:
    """Cut words that would leave no room for the picture."""
    from matplotlib.text import Text

    for text in fig.findobj(Text):
        said = text.get_text()  # type: ignore[attr-defined]
        lines = [_cut(line, LONG) for line in said.split("\n")[:LINES]]
        if "\n".join(lines) != said:
            text.set_text("\n".join(lines))  # type: ignore[attr-defined]


def svg(fig: Figure) -> str:
    """The figure as one <svg> element to put into a page: scalable, without outside references.

    Its ids begin with a hash of its content, so that several can stand on one page; its ink, quiet and grid
    tones are the page's custom properties --ink, --quiet and --grid where it has them.  What its lines are called,
    from the top, stands in its attribute data-key, so that a page can say it where the names have no room.
    """
    key, named = fig.get_gid(), ""
    if key:
        named = f'data-key="{escape(key)}" '
        fig.set_gid(None)
    _fit(fig)
    with _styled():
        fig.savefig(out := io.StringIO(), format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = printable(out.getvalue())
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r' (width|height)="[\d.]+pt"', "", text, count=2)
    mark = "f" + hashlib.sha256(text.encode()).hexdigest()[:10]
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{mark}-", text)
    for tone, name in ((INK, "ink"), (QUIET, "quiet"), (GRID, "grid")):
        text = text.replace(tone, f"var(--{name}, {tone})")
    return text.replace("<svg ", f'<svg role="img" {named}', 1).strip()


def check(path: Path) -> None:
    """Refuse a file that is no picture."""
    if path.suffix.lower() not in (".svg", ".png"):
        raise Refusal(f"{path} is no picture that can be written; its name must end in .svg or .png.")


def write(fig: Figure, path: Path) -> Path:
    """Write a figure into a .svg or .png file, on its own: the svg's tones are plain, not those of a page."""
    check(path)
    if path.suffix.lower() == ".png":
        return png(fig, path)
    return files.write(path, re.sub(r"var\(--\w+, (#\w+)\)", r"\1", svg(fig)))


def png(fig: Figure, path: str | Path, dpi: float = 200) -> Path:
    """Write the figure as PNG on white; Refusal where no font here has its letters."""
    _fit(fig)
    with _styled():
        warnings.filterwarnings("error", _MISSING)
        try:
            fig.savefig(out := io.BytesIO(), format="png", dpi=dpi, facecolor="white")
        except UserWarning:
            why = "no font here has all its letters; write an .svg, or install a font that has them"
            raise Refusal(f"{path} cannot be drawn: {why}.") from None
    return files.write(path, out.getvalue())
