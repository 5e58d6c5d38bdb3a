"""Pictures of opinion: the map with its stability, consensus by group, and who supports what in a constitution."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from nomoi.measure.statistics import number
from nomoi.report.figures import COLOURS, GRID, INK, QUIET, SMALL, _sheet, _styled
from nomoi.voices.consensus import smoothed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nomoi.voices.opinion import Opinion

SIGNS = ("o", "s", "^", "D", "v", "P", "X", "*")  # a group has a shape beside its colour
STEADY = 0.9  # share of resamples that put a person with the same people, from which the mark is full (ours)


def opinion_map(found: Opinion) -> Figure:
    """People by how they voted: those who are steady full, those whom other samples put elsewhere hollow."""
    plane, s = found.own.plane, found.stability
    shown = plane.kept & (found.labels >= 0)
    draws = len(s.alike)
    said = f"groups: {found.source}"
    if draws and found.own.k > 1:
        ks = ", ".join(f"{k} in {times}" for k, times in s.k.items())
        alike = number(float(np.nanmean(s.alike)), 2)
        said += f" · made of votes, resampled: {ks} of {draws} times; alike by {alike} (Rand)"
    with _styled():
        fig, ax = _sheet(f"Who votes alike: {found.votes.title}", said, 4.6, room=20)
        steady = np.nan_to_num(s.beside, nan=0.0) >= STEADY
        for g, size in enumerate(found.tally.sizes):
            mine = shown & (found.labels == g)
            tone, sign = COLOURS[g % len(COLOURS)], SIGNS[g % len(SIGNS)]
            full = mine & (steady | (draws == 0))
            ax.scatter(*plane.points[full].T, s=16, marker=sign, color=tone, linewidth=0, alpha=0.75,
                       label=f"group {g} ({size:,})")  # fmt: skip
            ax.scatter(*plane.points[mine & ~full].T, s=18, marker=sign, facecolor="none", edgecolor=tone,
                       linewidth=0.8, alpha=0.9)  # fmt: skip
        if draws:
            ax.scatter(
                [],
                [],
                s=18,
                marker="o",
                facecolor="none",
                edgecolor=QUIET,
                label="not with the same people in 9 of 10 resamples",
            )
        for k, set_name in enumerate((ax.set_xlabel, ax.set_ylabel)):
            set_name(f"{'first' if k == 0 else 'second'} component, {100 * plane.explained[k]:.0f} % of the variance")
        ax.set_xticks([])
        ax.set_yticks([])
        ax.axhline(0, color=GRID, linewidth=0.7, zorder=0)
        ax.axvline(0, color=GRID, linewidth=0.7, zorder=0)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderpad=0, borderaxespad=0.5, handletextpad=0.2,
                  columnspacing=1.2)  # fmt: skip
    return fig


def by_group(found: Opinion) -> Figure:
    """Every statement by how many of all agree, and of the group that agrees least: what a majority would admit."""
    votes, counted = found.votes, found.tally
    shown = ~votes.out & ~found.never & (counted.seen.sum(0) > 0)
    least = smoothed(counted.agree, counted.seen)[counted.sizes > 0].min(0)
    with _styled():
        fig, ax = _sheet("What all agree with, and what each group does",
                         f"a dot a statement ({int(shown.sum())}) · shares of those asked, a vote added to either side",
                         4.4, room=20)  # fmt: skip
        ax.plot([0, 1], [0, 1], color=QUIET, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1)
        for mask, tone, label, size in (
            (shown & ~found.passes, COLOURS[9], "does not pass", 12), (shown & found.passes, COLOURS[0], "passes", 22),
        ):  # fmt: skip
            ax.scatter(found.all_agree[mask], least[mask], s=size, color=tone, linewidth=0, alpha=0.8,
                       label=f"{label} ({int(mask.sum())})")  # fmt: skip
        lost = shown & (found.all_agree > 0.5) & (least < 0.5)
        ax.axhspan(0, 0.5, 0.5, 1, color=COLOURS[1], alpha=0.08, linewidth=0)
        said = f"most agree, and one group does not ({int(lost.sum())})"
        ax.annotate(said, (0.99, 0.02), color=COLOURS[1], size=SMALL, ha="right", weight="bold")
        ax.set_xlim(0, 1)
        ax.set_ylim(0, 1)
        ax.grid(True, axis="x")
        ax.set_xlabel("of all people asked, agree")
        ax.set_ylabel("of the group that agrees least")
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderpad=0, borderaxespad=0.5, handletextpad=0.2)
    return fig


def supporters(found: Opinion, most: int = 20) -> Figure:
    """The statements that pass, and how much of each group agrees; grey bars: the share of resamples that keep them."""
    from matplotlib.figure import Figure

    chosen = [j for j in found.order() if found.passes[j]][:most]
    counted, s = found.tally, found.stability
    share = smoothed(counted.agree, counted.seen)
    rows = np.arange(len(chosen))
    total = int(found.passes.sum())
    few = f"the first {len(chosen)} of {total}" if total > len(chosen) else f"{total}"
    with _styled():
        fig = Figure(figsize=(8.4, 1.5 + 0.3 * max(len(chosen), 1)), layout="constrained")
        fig.suptitle(
            f"Who supports what in the constitution ({few} statements)", size=12, weight="bold", x=0.01, ha="left"
        )
        ax = fig.add_subplot()
        if len(s.alike):
            ax.barh(rows, s.passes[chosen], height=0.62, color=GRID, alpha=0.55, linewidth=0, zorder=0,
                    label="resamples in which it passes")  # fmt: skip
        for g in range(len(counted.sizes)):
            ax.plot(share[g, chosen], rows, SIGNS[g % len(SIGNS)], color=COLOURS[g % len(COLOURS)], ms=6, mew=0,
                    alpha=0.9, label=f"group {g}")  # fmt: skip
        texts = [(found.votes.statements[j], found.votes.texts.get(found.votes.statements[j], "")) for j in chosen]
        labels = [textwrap.shorten(f"{j}  {text}", 58, placeholder=" \u2026") for j, text in texts]
        ax.set_yticks(rows, labels, color=INK, size=SMALL - 1)
        ax.set_ylim(max(len(chosen), 1) - 0.5, -0.6)
        ax.set_xlim(0, 1.02)
        ax.grid(False, axis="y")
        ax.grid(True, axis="x")
        ax.set_xlabel("share of each group that agrees, a vote added to either side")
        fig.legend(loc="outside lower left", ncols=4, handletextpad=0.3, columnspacing=1.2)
    return fig
