"""The periodic table of the 144 strict ordinal 2 x 2 games, coloured by what is asked of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nomoi.errors import Refusal, nearest
from nomoi.report.figures import COLOURS, INK, QUIET, SMALL, _styled
from nomoi.solve import ordinal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EMPTY = "#eceef1"  # of "none", "0" and the like


def periodic(name: str = "dilemma") -> Figure:
    """12 x 12 cells, the row player's pattern up and the column player's across, as Robinson and Goforth lay them out.

    `name` is one of `nomoi.solve.ordinal.PROPERTIES`.  Dots: payoff ranks of both in each of the four outcomes.
    """
    if name not in ordinal.PROPERTIES:
        raise Refusal(f"there is no property {name!r}; {nearest(name, ordinal.PROPERTIES, 'property')}")
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch, Rectangle

    found = [ordinal.PROPERTIES[name](entry) for entry in ordinal.table()]
    kinds = sorted(set(found), key=lambda k: (not _plain(k), -found.count(k), k))
    tones = {k: EMPTY if _plain(k) else COLOURS[i % len(COLOURS)] for i, k in enumerate(k for k in kinds)}
    names = list(ordinal.PATTERNS)
    with _styled():
        fig = Figure(figsize=(8.6, 8.2), layout="constrained")
        ax = fig.add_subplot()
        for entry, kind in zip(ordinal.table(), found, strict=True):
            x, y = entry.place.column, entry.place.row
            ax.add_patch(Rectangle((x - 0.47, y - 0.47), 0.94, 0.94, color=tones[kind], linewidth=0))
            ink = INK if _plain(kind) else "#ffffff"
            for (i, j), mine in np.ndenumerate(entry.game.payoff[0]):
                ranks = f"{mine:.0f}{entry.game.payoff[1, i, j]:.0f}"
                ax.text(x + (j - 0.5) * 0.44, y - (i - 0.5) * 0.4, ranks, ha="center", va="center", size=6.5, color=ink)
        for k in range(12):
            ax.add_patch(Rectangle((k - 0.5, k - 0.5), 1, 1, fill=False, edgecolor=INK, linewidth=1.1))
        ax.set_xlim(-0.55, 11.55)
        ax.set_ylim(-0.55, 11.55)
        ax.set_xticks(range(12), names, rotation=40, ha="right")
        ax.set_yticks(range(12), names)
        ax.tick_params(length=0)
        ax.grid(visible=False)
        ax.spines["bottom"].set_visible(False)
        ax.set_aspect("equal")
        ax.set_xlabel("pattern of the column player")
        ax.set_ylabel("pattern of the row player")
        ax.set_title(f"Ordinal 2 x 2 games: {name}", pad=22)
        note = "ranks of row and column player, 4 the best; outlined: symmetric games"
        ax.annotate(note, (0, 1), (0, 8), "axes fraction", "offset points", color=QUIET, size=SMALL)
        key = [Patch(color=tones[k], label=f"{k} ({found.count(k)})") for k in kinds]
        fig.legend(handles=key, loc="outside lower center", ncols=4)
    return fig


def _plain(kind: str) -> bool:
    """Whether a kind means that there is nothing of what is asked."""
    return kind in ("none", "none pure", "0", "not worse for both")
