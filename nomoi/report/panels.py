"""Figures of several panels: how measures go together over training, as papers lay them out."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nomoi.measure.statistics import correlation, number
from nomoi.report.figures import QUIET, SMALL, _band, _over, _styled, _tone

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Series = Mapping[str, tuple[Any, Any]]  # label -> steps [K], values [S, K]


def panels(
    grid: Sequence[tuple[str, str, Series]], columns: int = 3, labels: Sequence[str] = (), letters: bool = True
) -> Figure:
    """One small chart for each (title, unit, series), lettered from A: means over seeds with 95 % bands."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.ticker import EngFormatter, MaxNLocator

    names = tuple(labels) or tuple(dict.fromkeys(label for _, _, series in grid for label in series))
    rows = max(1, -(-len(grid) // columns))
    counts = [len(np.atleast_2d(y)) for _, _, series in grid for _, y in series.values()] or [1]
    with _styled():
        fig = Figure(figsize=(3.1 * columns, 2.5 * rows + 0.4), layout="constrained")
        fig.get_layout_engine().set(w_pad=0.1, h_pad=0.09)  # type: ignore[union-attr]
        axes = np.atleast_1d(fig.subplots(rows, columns)).ravel()
        for ax in axes[len(grid) :]:
            ax.set_visible(False)
        for k, (ax, (title, unit, series)) in enumerate(zip(axes, grid, strict=False)):
            letter = string.ascii_uppercase[k : k + 1] if letters else ""
            ax.set_title(f"{letter}  {title}" if letter else title, size=10.5, pad=16)
            ax.annotate(unit, (0, 1), (0, 5), "axes fraction", "offset points", color=QUIET, size=SMALL - 1)
            for label, (steps, values) in series.items():
                tone, steps = _tone(label, names), np.asarray(steps, float)
                mean, low, high = _band(np.atleast_2d(np.asarray(values, float)))
                known = np.isfinite(mean)
                ax.fill_between(steps[known], low[known], high[known], color=tone, alpha=0.18, linewidth=0)
                # a line needs two points to be seen
                mark = "o" if known.sum() == 1 else ""
                ax.plot(steps[known], mean[known], color=tone, linewidth=1.8, marker=mark, mew=0)
            ax.margins(x=0)
            ax.set_xlim(left=0)
            ax.set_ylim(bottom=min(0, ax.get_ylim()[0]))
            ax.xaxis.set_major_formatter(EngFormatter(sep=""))
            ax.xaxis.set_major_locator(MaxNLocator(4))
            ax.yaxis.set_major_locator(MaxNLocator(4))
        lines = [Line2D([], [], color=_tone(label, names), linewidth=2) for label in names]
        note = f"{_over(counts)}; across: world steps"
        columns = min(max(len(names), 1), 4)
        fig.legend(lines, names, loc="outside lower center", ncols=columns, title=note, title_fontsize=SMALL)
    return fig


def scatter(
    title: str, across: str, up: str, points: Mapping[str, tuple[Any, Any]], labels: Sequence[str] = ()
) -> Figure:
    """One point a seed, with a line of least squares and Pearson's r for each label -> (x [S], y [S])."""
    from matplotlib.figure import Figure

    names = tuple(labels) or tuple(points)
    with _styled():
        fig = Figure(figsize=(3.4 * len(points), 3.3), layout="constrained")
        fig.suptitle(title, size=12, weight="bold", x=0.02, ha="left")
        axes = np.atleast_1d(fig.subplots(1, len(points)))
        for ax, (label, (x, y)) in zip(axes, points.items(), strict=True):
            x, y, tone = np.asarray(x, float), np.asarray(y, float), _tone(label, names)
            both = np.isfinite(x) & np.isfinite(y)
            x, y = x[both], y[both]
            found = correlation(x, y)
            ax.scatter(x, y, color=tone, s=28, linewidth=0)
            if len(x) > 1 and np.ptp(x) > 0:
                ends = np.array([x.min(), x.max()])
                ax.plot(ends, np.polyval(np.polyfit(x, y, 1), ends), color=tone, linewidth=1.5)
            ax.set_title(f"{label}\nr = {number(found.mean, 2)} {found.interval(2)}", size=10, weight="normal")
            ax.set_xlabel(across)
            ax.set_ylabel(up)
    return fig


def heat(
    title: str, across: str, up: str, x: Sequence[str], y: Sequence[str], values: Any, text: Any = None, unit: str = ""
) -> Figure:
    """A table as colours: values [y, x], from the lowest (blue) over zero (white) to the highest (orange)."""
    from matplotlib.colors import TwoSlopeNorm
    from matplotlib.figure import Figure

    values = np.asarray(values, float)
    reach = max(float(np.abs(values[np.isfinite(values)]).max(initial=0)), 1e-9)
    with _styled():
        fig = Figure(figsize=(1.5 + 0.9 * len(x), 1.3 + 0.62 * len(y)), layout="constrained")
        ax = fig.add_subplot()
        shown = ax.imshow(values, cmap="PuOr_r", norm=TwoSlopeNorm(0, -reach, reach), aspect="auto", origin="lower")
        ax.grid(visible=False)
        ax.set_xticks(range(len(x)), x)
        ax.set_yticks(range(len(y)), y)
        ax.set_title(title, size=11)
        ax.set_xlabel(across)
        ax.set_ylabel(up)
        for (j, i), value in np.ndenumerate(values):
            word = number(value) if text is None else str(text[j][i])
            dark = abs(value) > 0.6 * reach
            ax.text(i, j, word, ha="center", va="center", size=SMALL, color="#ffffff" if dark else "#24282f")
        fig.colorbar(shown, ax=ax, label=unit, fraction=0.05)
    return fig
