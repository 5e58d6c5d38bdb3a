"""Figures of lines that have no seeds, mostly of formulas, with what was simulated as dots; and maps of regimes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nomoi.report.figures import COLOURS, INK, QUIET, SMALL, _band, _name, _sheet, _styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def lines(
    series: Mapping[str, tuple[Any, Any]],
    unit: str,
    title: str,
    xlabel: str,
    dots: Mapping[str, tuple[Any, Any]] | None = None,
    marks: Mapping[str, float] | None = None,
    log: bool = False,
    of: str = "formula",
) -> Figure:
    """One line a label from (x [K], y [K]).

    dots    by the same labels, (x [J], values [S, J]): what was simulated, means over seeds with 95 % intervals
    marks   name -> x of a dotted upright line;   log   the axis across is logarithmic, to the base of 2
    of      where the lines come from, in a word or two
    """
    from matplotlib.ticker import MaxNLocator, NullLocator, ScalarFormatter

    with _styled():
        fig, ax = _sheet(title, f"{unit} · lines: {of}{'; dots: simulated, 95 % over seeds' if dots else ''}", 4.0)
        if log:
            ax.set_xscale("log", base=2)
        ends = []
        for k, (label, (x, y)) in enumerate(series.items()):
            x, y, tone = np.asarray(x, float), np.asarray(y, float), COLOURS[k % len(COLOURS)]
            ax.plot(x, y, color=tone, linewidth=2)
            ends.append((label, x[-1], y[-1], tone))
            if dots and label in dots:
                at, values = np.asarray(dots[label][0], float), np.atleast_2d(np.asarray(dots[label][1], float))
                mean, low, high = _band(values)
                ax.vlines(at, low, high, color=tone, linewidth=1.4)
                ax.plot(at, mean, "o", color=tone, ms=6, mew=0)
        x = np.concatenate([np.asarray(x, float) for x, _ in series.values()])
        ax.set_xlim(x.min(), x.max())
        if not log:
            ax.xaxis.set_major_locator(MaxNLocator(6))
        else:
            ax.set_xticks(sorted({float(2**k) for k in range(12) if x.min() <= 2**k <= x.max()}))
            ax.xaxis.set_major_formatter(ScalarFormatter())
            ax.xaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_major_locator(MaxNLocator(5))
        ax.set_xlabel(xlabel)
        for name, at in (marks or {}).items():
            ax.axvline(at, color=QUIET, linewidth=1.1, linestyle=(0, (1, 2)))
            ax.annotate(
                name, (at, 0), (4, 4), xycoords=("data", "axes fraction"), textcoords="offset points", color=QUIET,
                size=SMALL, style="italic",
            )  # fmt: skip
        _name(fig, ax, ends)
    return fig


def regions(
    title: str,
    across: str,
    up: str,
    x: Any,
    y: Any,
    values: Any,
    borders: Mapping[str, tuple[Any, Any]],
    names: Sequence[tuple[str, float, float]],
    unit: str,
) -> Figure:
    """A map of values [y, x] from none (grey) to the most (blue), borders label -> (x, y) and names (word, x, y)."""
    from matplotlib.colors import LinearSegmentedColormap

    with _styled():
        fig, ax = _sheet(title, "lines: exact borders", 4.4)
        ax.set_anchor("W")
        tint = LinearSegmentedColormap.from_list("calm", ["#eceef1", COLOURS[0]])
        shown = ax.pcolormesh(np.asarray(x), np.asarray(y), np.asarray(values), cmap=tint, shading="nearest",
                              rasterized=True)  # fmt: skip
        ax.grid(visible=False)
        for k, (label, (bx, by)) in enumerate(borders.items()):
            style = "-" if k == 0 else (0, (3, 2))
            ax.plot(bx, by, color=COLOURS[1 + k % 9], linewidth=1.8, linestyle=style, label=label)
        ax.set_xlim(np.min(x), np.max(x))
        ax.set_ylim(np.min(y), np.max(y))
        for word, wx, wy in names:
            ax.annotate(word, (wx, wy), color=INK, size=SMALL + 1, weight="bold", ha="center", va="center")
        ax.set_xlabel(across)
        ax.set_ylabel(up)
        fig.colorbar(shown, ax=ax, label=unit, fraction=0.05)
        fig.legend(loc="outside lower left", ncols=2)
    return fig


def stacked(
    top: Mapping[str, tuple[Any, Any]], below: Sequence[tuple[str, str, Any, Any]], unit: str, title: str
) -> Figure:
    """Lines over time, label -> (x [K], y [K]), and thin panels below on the same time: (label, unit, x, y)."""
    from matplotlib.figure import Figure

    with _styled():
        fig = Figure(figsize=(7.2, 3.4 + 0.95 * len(below)), layout="constrained")
        axes = fig.subplots(1 + len(below), 1, sharex=True, height_ratios=[3.2] + [0.8] * len(below), squeeze=False)
        first, *thin = axes[:, 0]
        first.set_title(title, pad=24)
        first.annotate(unit, (0, 1), (0, 9), "axes fraction", "offset points", color=QUIET, size=SMALL)
        ends = []
        for k, (label, (x, y)) in enumerate(top.items()):
            x, y = np.asarray(x, float), np.asarray(y, float)
            known, tone = np.isfinite(y), COLOURS[k % len(COLOURS)]
            first.plot(x[known], y[known], color=tone, linewidth=2)
            ends.append((label, x[known][-1], y[known][-1], tone))
        first.set_ylim(bottom=0)
        for ax, (label, of, x, y) in zip(thin, below, strict=True):
            x, y = np.asarray(x, float), np.asarray(y, float)
            known = np.isfinite(y)
            ax.plot(x[known], y[known], color=QUIET, linewidth=1.4)
            ax.annotate(
                f"{label} · {of}", (0, 1), (0, 2), "axes fraction", "offset points", color=QUIET, size=SMALL - 1
            )
            ax.locator_params(axis="y", nbins=2)
        for ax in axes[:, 0]:
            ax.margins(x=0)
        _name(fig, first, ends)
    return fig
