"""Pictures of audits: kilometres a crash beside people's, on a logarithmic scale; outcomes by decile of a score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nomoi.report.figures import COLOURS, INK, LONG, QUIET, SMALL, TEXT, _cut, _name, _sheet, _styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nomoi.proxies.labels import Gap


def ladder(rewards: Mapping[str, Sequence[float]], people: Mapping[str, float], title: str) -> Figure:
    """A row a reward, label -> kilometres a crash (of one or several readings), and people as rows below.

    0 (drives at any rate of crashes) and inf (never drives) stand as arrows at the edges.
    """
    known = [v for row in rewards.values() for v in row if 0 < v < math.inf] + list(people.values())
    low, high = 10 ** math.floor(math.log10(min(known)) - 0.7), 10 ** math.ceil(math.log10(max(known)) + 0.2)
    from matplotlib.ticker import FuncFormatter, NullLocator

    rows = [*rewards, *people]
    with _styled():
        fig, ax = _sheet(
            title,
            "kilometres a crash at which driving is worth as much as standing still (log scale)",
            1.3 + 0.34 * len(rows),
        )
        ax.set_xscale("log")
        ax.set_xlim(low, high)
        for k, (_label, values) in enumerate(rewards.items()):
            for value in sorted(set(values)):
                _dot(ax, k, value, low, high)
            inside = [v for v in values if 0 < v < math.inf]
            said = (
                "any rate"
                if not any(values)
                else "never drives"
                if min(values) == math.inf
                else " to ".join(dict.fromkeys([_short(min(values)), _short(max(values))]))
            )
            if inside and len(set(values)) > 1:
                ax.plot([max(min(values), low), min(max(values), high)], [k, k], color=COLOURS[4], lw=2, alpha=0.4)
            _beside(ax, k, said, INK)
        for k, value in enumerate(people.values(), len(rewards)):
            ax.plot([value], [k], "D", color=COLOURS[0], ms=7, mew=0)
            _beside(ax, k, _short(value), COLOURS[0])
        ax.axhline(len(rewards) - 0.5, color=QUIET, lw=0.8)
        ax.set_yticks(range(len(rows)), [_cut(row, LONG // 3) for row in rows], color=INK, size=TEXT)
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.grid(False, axis="y")
        ax.grid(True, axis="x")
        ax.spines["bottom"].set_visible(False)
        ax.tick_params(axis="x", which="both", length=0)
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: _plain(v)))
    return fig


def _beside(ax: Any, row: int, said: str, tone: str) -> None:
    """A word in the margin right of a row."""
    ax.annotate(
        said, (1, row), (8, 0), xycoords=("axes fraction", "data"), textcoords="offset points", color=tone, size=SMALL,
        va="center", weight="bold", annotation_clip=False,
    )  # fmt: skip


def _dot(ax: object, row: int, value: float, low: float, high: float) -> None:
    tone = COLOURS[4]
    if value == 0:
        ax.plot([low * 1.3], [row], "<", color=tone, ms=9, mew=0)  # type: ignore[attr-defined]
    elif value == math.inf:
        ax.plot([high / 1.3], [row], ">", color=tone, ms=9, mew=0)  # type: ignore[attr-defined]
    elif value == value:
        ax.plot([value], [row], "o", color=tone, ms=7, mew=0)  # type: ignore[attr-defined]


def _short(value: float) -> str:
    if value == 0:
        return "any rate"
    return "never" if value == math.inf else f"{value:,.0f} km" if value >= 10 else f"{value:.2g} km"


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def weights(drawn: Mapping[str, object], people: Mapping[str, float], title: str) -> Figure:
    """Kilometres a crash over the weight of one attribute, with people's as dotted lines, both logarithmic."""
    from matplotlib.ticker import FuncFormatter, NullLocator

    x, km = (np.abs(np.asarray(drawn[k], float)) for k in ("weights", "km"))
    with _styled():
        fig, ax = _sheet(title, "kilometres a crash that the reward approves of; both axes logarithmic", 4.0)
        good = np.isfinite(km) & (km > 0)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.plot(x[good], km[good], color=COLOURS[4], lw=2.2)
        for name, value in people.items():
            ax.axhline(value, color=QUIET, lw=1, linestyle=(0, (1, 2)))
            ax.annotate(
                name,
                (0, value),
                (4, 2),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                color=QUIET,
                size=SMALL,
                style="italic",
            )
        now, wanted = abs(float(drawn["now"])), abs(float(drawn["needed"]))  # type: ignore[arg-type]
        for at, word in ((now, "now"), (wanted, "needed")):
            ax.axvline(at, color=COLOURS[0], lw=1.1, linestyle=(0, (4, 2)))
            late = at > math.sqrt(x.min() * x.max())
            ax.annotate(
                f"{word}: {_plain(at)}",
                (at, 0),
                (-4 if late else 4, 4 + 12 * (word == "now")),
                ha="right" if late else "left",
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                color=COLOURS[0],
                size=SMALL,
            )
        ax.set_xlabel(f"size of the weight of {drawn['attribute']!r}")
        ax.set_xlim(x.min(), x.max())
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(FuncFormatter(lambda v, _: _plain(v)))
    return fig


def deciles(gap: Gap, unit: str, title: str) -> Figure:
    """An outcome over deciles of a score, by group: means with 95 % intervals."""
    with _styled():
        fig, ax = _sheet(title, f"{unit}, mean and 95 % interval", 3.9)
        ends = []
        for k, (name, mean) in enumerate(gap.deciles.items()):
            x, tone = np.arange(1, 11) + 0.12 * (k - 0.5), COLOURS[k]
            known = np.isfinite(mean)
            ax.vlines(x[known], gap.low[name][known], gap.high[name][known], color=tone, linewidth=2, alpha=0.55)
            ax.plot(x[known], mean[known], "-o", color=tone, linewidth=1.2, ms=5.5, mew=0)
            if known.any():
                ends.append((name, x[known][-1], mean[known][-1], tone))
        ax.set_xticks(range(1, 11))
        ax.set_xlabel("decile of the score")
        ax.set_xlim(0.6, 10.4)
        _name(fig, ax, ends)
    return fig


def phases(path: Any, remedies: Mapping[str, Any], title: str) -> Figure:
    """Proxy and utility over optimisation, from their starts, and the utility under remedies; the peak is marked."""
    drawn = {"proxy": (path.t, path.proxy), "utility": (path.t, path.utility)}
    drawn |= {f"utility, {name}": (p.t, p.utility) for name, p in remedies.items()}
    when = path.peak()[0]
    with _styled():
        fig, ax = _sheet(title, "proxy and utility, each in its own unit", 4.2)
        ends = []
        for k, (name, (t, y)) in enumerate(drawn.items()):
            ax.plot(t, y, color=COLOURS[k], linewidth=2.2 if k < 2 else 1.4, linestyle="-" if k < 2 else (0, (4, 2)))
            ends.append((name, t[-1], y[-1], COLOURS[k]))
        if when < path.t[-1]:
            ax.axvline(when, color=QUIET, linewidth=1.1, linestyle=(0, (1, 2)))
            ax.annotate(
                "second phase",
                (when, 0),
                (4, 4),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                color=QUIET,
                size=SMALL,
                style="italic",
            )
        ax.set_xlabel("time of optimisation")
        ax.set_xlim(0, path.t[-1])
        _name(fig, ax, ends)
    return fig
