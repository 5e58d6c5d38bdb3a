"""Pictures of markets: the Edgeworth box, excess demand with its roots, paths of prices, triangles of loss."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nomoi.errors import Refusal
from nomoi.markets.economy import Economy
from nomoi.markets.equilibria import Equilibria
from nomoi.markets.utilities import Leontief
from nomoi.markets.welfare import curve
from nomoi.report import figures
from nomoi.report.figures import COLOURS, INK, QUIET, _sheet, _styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ANN, BOB, CORE = COLOURS[0], COLOURS[1], COLOURS[2]


def check(economy: Economy, path: Path) -> None:
    """Refuse, before anything is solved, what cannot be drawn."""
    figures.check(path)
    if economy.l != 2 or len(economy.consumers) != 2 or not economy.exchange or not (economy.supply > 0).all():
        raise Refusal(
            f"an Edgeworth box is of two consumers, two goods and no production; {economy.title} has "
            f"{len(economy.consumers)}, {economy.l} and {len(economy.producers)} producers."
        )


def write(found: Equilibria, path: Path) -> Path:
    """The box of an economy in a file."""
    return figures.write(box(found), path)


def box(found: Equilibria, transfers: np.ndarray | None = None, title: str = "") -> Figure:
    """Two consumers and two goods: the first measures from below left, the second from above right.

    Contract curve (Pareto optima; of two with fixed proportions a band), core (those at least as good as what each
    owns), offer curves, indifference curves through what is owned, every equilibrium with its budget line.
    `transfers` [2, 2] draws another equilibrium from there.
    """
    economy = found.economy
    W, own = economy.supply, economy.endowments
    ann, bob = (c.utility for c in economy.consumers)
    first, second = (c.name if len(c.name) < 15 else f"{c.name[:13]}…" for c in economy.consumers)
    fixed = [u for u in (ann, bob) if isinstance(u, Leontief) and (u.needs > 0).all()]
    band = len(fixed) == 2
    one_row = transfers is None and not band and len(first + second) <= 12  # of the key, as far as there is room
    with _styled():
        fig, ax = _sheet(
            title or f"{economy.title}: who has what",
            f"{second} measures from above right",
            5.2,
            18 if one_row else 34,
        )
        gx, gy = np.meshgrid(np.linspace(1e-4, 1 - 1e-4, 301) * W[0], np.linspace(1e-4, 1 - 1e-4, 301) * W[1])
        mine = np.stack([gx, gy], -1)
        with np.errstate(all="ignore"):
            for u, place, at, tone in ((ann, mine, own[0], ANN), (bob, W - mine, own[1], BOB)):
                height = np.nan_to_num(u.value(place), neginf=-1e30)
                base = float(u.value(np.maximum(at, 1e-9 * W)))
                ax.contour(gx, gy, height, [base], colors=tone, linewidths=1, linestyles=":")
                for e in found:
                    level = float(u.value(e.allocation[0 if u is ann else 1]))
                    ax.contour(gx, gy, height, [level], colors=tone, linewidths=0.7, alpha=0.6)
            optima = np.array([x[0] for x in curve(economy)])
            if band:  # optimal wherever both have too much of the same good: what is left over may be anybody's
                left = [
                    x[..., 0] / u.needs[0] - x[..., 1] / u.needs[1]
                    for u, x in zip(fixed, (mine, W - mine), strict=True)
                ]
                ax.contourf(gx, gy, left[0] * left[1], [0, np.inf], colors=QUIET, alpha=0.25)
                as_good = (ann.value(mine) >= ann.value(own[0])) & (bob.value(W - mine) >= bob.value(own[1]))
                ax.contourf(gx, gy, np.where(as_good, left[0] * left[1], -1), [0, np.inf], colors=CORE, alpha=0.4)
            name = "Pareto optima (the band)" if band else "Pareto optima"
            ax.plot(*optima.T, color=QUIET, linewidth=1.6, label=name)
            better = np.array(
                [
                    float(ann.value(x)) >= float(ann.value(own[0])) - 1e-9
                    and float(bob.value(W - x)) >= float(bob.value(own[1])) - 1e-9
                    for x in optima
                ]
            )
            if better.any():
                ax.plot(
                    *np.where(better[:, None], optima, np.nan).T,
                    color=CORE,
                    linewidth=5,
                    alpha=0.5,
                    label="core",
                )
            _offers(ax, economy, (first, second))
        ax.plot(*own[0], "s", color=INK, ms=6, label="owned", clip_on=False, zorder=5)
        _lines(ax, found, own[0], "equilibria")
        if transfers is not None:
            moved = economy.owning(transfers)
            ax.plot(*transfers[0], "D", color=COLOURS[4], ms=6, label="after a transfer", clip_on=False)
            _lines(ax, moved.equilibria(), transfers[0], "its equilibrium", COLOURS[4])
        ax.set(
            xlim=(0, W[0]),
            ylim=(0, W[1]),
            xlabel=f"{economy.goods[0]} of {first}",
            ylabel=f"{economy.goods[1]} of {first}",
        )
        ax.grid(False)
        for side in ax.spines.values():
            side.set_visible(True)
        ax.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=6 if one_row else 4 if transfers is not None else 3,
            borderaxespad=0,
            columnspacing=1,
            handlelength=1.2,
        )
    return fig


def _offers(ax: Any, economy: Economy, names: Sequence[str]) -> None:
    """What each would buy at every relative price."""
    if any(c.utility.many for c in economy.consumers):
        return
    t = np.linspace(-6, 6, 801)
    p = np.stack([np.exp(t) / economy.supply[0], 1 / economy.supply[1] + 0 * t], -1)
    x = economy.demands(p)
    for k, tone in ((0, ANN), (1, BOB)):
        at = x[:, k] if k == 0 else economy.supply - x[:, k]
        ax.plot(*at.T, color=tone, linewidth=1.3, linestyle="--", label=f"offers of {names[k]}")


def _lines(ax: Any, found: Equilibria, through: np.ndarray, name: str, tone: str = INK) -> None:
    W = found.economy.supply
    for k, e in enumerate(found):
        if (e.prices > 0).all():
            x = np.linspace(0, W[0], 2)
            ax.plot(x, through[1] - e.prices[0] / e.prices[1] * (x - through[0]), color=tone, linewidth=0.8, alpha=0.7)
        ax.plot(*e.allocation[0], "o", color=tone, ms=7, label=name if k == 0 else None, zorder=6, clip_on=False)


def roots(found: Equilibria) -> Figure:
    """Excess demand for the first of two goods against its price, with all its roots and their indices."""
    economy = found.economy
    share = np.linspace(0.002, 0.998, 999)
    p = np.stack([share, 1 - share], -1)
    with np.errstate(all="ignore"):
        z = economy.excess(p)[:, 0]
    with _styled():
        fig, ax = _sheet("Where markets clear", f"excess demand for {economy.goods[0]}")
        ax.axhline(0, color=QUIET, linewidth=0.8)
        ax.plot(share, z, color=COLOURS[0], linewidth=2)
        for e in found:
            ax.plot(e.prices[0], 0, "o", color=INK, ms=7)
            sign = "" if e.index is None else f" ({e.index:+d})"
            ax.annotate(
                f"{e.prices[0]:.3f}{sign}",
                (e.prices[0], 0),
                (0, 9),
                textcoords="offset points",
                ha="center",
                size=figures.SMALL,
            )
        low = max(abs(z[(share > 0.2) & (share < 0.8)]).max(), 0.05)
        ax.set(ylim=(-1.5 * low, 1.5 * low), xlabel=f"price of {economy.goods[0]}; both sum to 1", xlim=(0, 1))
    return fig


def paths(economy: Economy, flows: Sequence[np.ndarray], at: np.ndarray, title: str) -> Figure:
    """Price paths [times, 3] of three goods in the triangle of their shares, and the equilibrium [3]."""
    corner = np.array([[0, 0], [1, 0], [0.5, np.sqrt(3) / 2]])
    flat = lambda p: (p / p.sum(-1, keepdims=True)) @ corner  # noqa: E731
    with _styled():
        fig, ax = _sheet(title, "shares of the three prices; a point nearer to a corner is a dearer good", 4.6)
        ax.plot(*corner[[0, 1, 2, 0]].T, color=QUIET, linewidth=1)
        for k, path in enumerate(flows):
            ax.plot(*flat(path).T, color=COLOURS[k % len(COLOURS)], linewidth=1.2)
            ax.plot(*flat(path[0]), "o", color=COLOURS[k % len(COLOURS)], ms=5)
        ax.plot(*flat(at), "*", color=INK, ms=11)
        for point, name in zip(corner, economy.goods, strict=True):
            ax.annotate(
                f"good {name}",
                point,
                (0, -11 if point[1] == 0 else 5),
                textcoords="offset points",
                ha="center",
                size=figures.SMALL,
                color=QUIET,
            )
        ax.set(aspect="equal", xticks=[], yticks=[])
        ax.set_ylim(-0.09, 0.95)
        for side in ax.spines.values():
            side.set_visible(False)
        ax.grid(False)
    return fig


def triangles() -> Figure:
    """Externality, market power and a tax: what the last unit is worth and costs, and the loss between two amounts."""
    from matplotlib.figure import Figure as Sheet

    panes = (
        ("Externality", lambda q: 2 - q, lambda q: q + 0.5, lambda q: q, 1.0, 0.75, "made", "best", 1.5),
        ("Two firms", lambda q: 10 - q, lambda q: 2 + 0 * q, None, 16 / 3, 8.0, "made", "best", 10.0),
        ("A tax of 2", lambda q: 10 - q, lambda q: 2 + q, None, 3.0, 4.0, "sold", "best", 6.0),
    )
    with _styled():
        fig = Sheet(figsize=(7.2, 2.9), layout="constrained")
        for k, (name, worth, costs, own, at, best, here, there, most) in enumerate(panes):
            ax = fig.add_subplot(1, 3, k + 1)
            q = np.linspace(0, most, 200)
            ax.plot(q, worth(q), color=COLOURS[0], linewidth=2)
            ax.plot(q, costs(q), color=COLOURS[1], linewidth=2)
            if own is not None:
                ax.plot(q, own(q), color=COLOURS[1], linewidth=1.2, linestyle="--")
            between = np.linspace(min(at, best), max(at, best), 50)
            ax.fill_between(between, worth(between), costs(between), color=COLOURS[4], alpha=0.5, linewidth=0)
            for x, word in ((at, here), (best, there)):
                ax.axvline(x, color=QUIET, linewidth=0.7, linestyle=":")
                ax.annotate(
                    word,
                    (x, 0),
                    (2 if x == max(at, best) else -2, 3),
                    textcoords="offset points",
                    size=8,
                    color=QUIET,
                    ha="left" if x == max(at, best) else "right",
                )
            ax.set_title(name, size=figures.TEXT)
            ax.set(xlim=(0, most), ylim=(0, None), xlabel="amount")
        fig.axes[0].set_ylabel("worth (blue), cost (orange;\nthe firm's own dashed)")
    return fig
