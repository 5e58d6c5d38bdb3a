"""Phase portraits of the replicator dynamics: two populations on the unit square, or one with three strategies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nomoi.errors import Refusal
from nomoi.report import figures
from nomoi.report.figures import COLOURS, GRID, INK, QUIET, SMALL, _styled
from nomoi.solve import nash
from nomoi.solve.dilemma import symmetric
from nomoi.solve.game import NormalForm
from nomoi.solve.pure import strict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FINE = 61  # points along each side from which stream lines are drawn
CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(3) / 2]])  # of the triangle, one a strategy


def _fitting(game: NormalForm) -> Callable[[NormalForm], Figure]:
    if game.shape == (2, 2):
        return square
    if game.shape == (3, 3) and symmetric(game):
        return triangle
    raise Refusal(f"{game.title} has no phase portrait: that is drawn of 2 x 2 games and of symmetric 3 x 3 games.")


def portrait(game: NormalForm) -> Figure:
    """The picture that fits the game; Refusal where it has too many players or actions for one."""
    return _fitting(game)(game)


def check(game: NormalForm, path: Path) -> None:
    """Refuse a game that has no portrait, and a file that is no picture."""
    figures.check(path)
    _fitting(game)


def write(game: NormalForm, path: Path) -> Path:
    """Draw it into a .svg or .png file, on its own."""
    check(game, path)
    return figures.write(portrait(game), path)


def flow(game: NormalForm, mixed: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """The replicator's velocity [A_i, ...] of each of two populations with shares [A_i, ...] (any axes after)."""
    x, y = mixed
    values = np.tensordot(game.payoff[0], y, 1), np.tensordot(game.payoff[1].T, x, 1)
    return tuple(z * (v - (z * v).sum(0)) for z, v in zip(mixed, values, strict=True))


def square(game: NormalForm) -> Figure:
    """Two populations: across, who of the first plays its first action; up, who of the second plays its first."""
    side = np.linspace(0, 1, FINE)
    x, y = np.meshgrid(side, side)
    dx, dy = flow(game, (np.stack([x, 1 - x]), np.stack([y, 1 - y])))
    names = game.actions
    with _styled():
        fig, ax = _sheet(game.title, "replicator dynamics of two populations", 5.4)
        _stream(ax, x, y, dx[0], dy[0])
        _nullclines(ax, game)
        ax.set_xlabel(f"share of {game.players[0]} who play {names[0][0]}", color=COLOURS[0])
        ax.set_ylabel(f"share of {game.players[1]} who play {names[1][0]}", color=COLOURS[1])
        _dots(ax, game, lambda point: (point[0][0], point[1][0]))
        ax.set_xlim(-0.04, 1.04)
        ax.set_ylim(-0.04, 1.04)
        ax.set_aspect("equal")
    return fig


def triangle(game: NormalForm) -> Figure:
    """One population of three strategies: each corner is all of one."""
    side = np.linspace(0, 1, 2 * FINE)
    across, up = np.meshgrid(side, side * CORNERS[2, 1])
    third = up / CORNERS[2, 1]
    second = across - third / 2
    x = np.stack([1 - second - third, second, third])
    velocity = np.tensordot(CORNERS.T, flow(game, (x, x))[0], 1)
    outside = x.min(0) < -1e-9
    with _styled():
        fig, ax = _sheet(game.title, "replicator dynamics of one population", 5.0)
        _stream(ax, across, up, *(np.ma.masked_where(outside, v) for v in velocity))
        ax.plot(*CORNERS[[0, 1, 2, 0]].T, color=QUIET, linewidth=1)
        for place, name, (right, above) in zip(CORNERS, game.actions[0], ((-8, -18), (8, -18), (0, 10)), strict=True):
            spot: Any = {"ha": "center", "size": SMALL, "weight": "bold", "color": INK}
            ax.annotate(f"all {name}", place, (right, above), textcoords="offset points", **spot)
        _dots(ax, game, lambda point: tuple(point[0] @ CORNERS) if np.allclose(*point, atol=1e-6) else None)
        ax.set_xlim(-0.12, 1.12)
        ax.set_ylim(-0.1, CORNERS[2, 1] + 0.08)
        ax.set_aspect("equal")
        ax.axis("off")
    return fig


def _sheet(title: str, subtitle: str, height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    fig = Figure(figsize=(5.2, height), layout="constrained")
    ax = fig.add_subplot()
    ax.set_title(title, pad=32)
    ax.annotate(subtitle, (0, 1), (0, 18), "axes fraction", "offset points", color=QUIET, size=SMALL)
    note = "filled: equilibrium that is strict; open: other equilibrium"
    ax.annotate(note, (0, 1), (0, 5), "axes fraction", "offset points", color=QUIET, size=SMALL - 1)
    ax.grid(visible=False)
    return fig, ax


def _stream(ax: Axes, x: np.ndarray, y: np.ndarray, dx: np.ndarray, dy: np.ndarray) -> None:
    if np.hypot(dx, dy).max() > 0:
        ax.streamplot(x, y, dx, dy, color=QUIET, density=1.1, linewidth=0.8, arrowsize=0.9, broken_streamlines=True)


def _nullclines(ax: Axes, game: NormalForm) -> None:
    """Dashed where one population stands still inside the square, because its two actions pay alike."""
    (f1, f0), (g1, g0) = game.payoff[0][0] - game.payoff[0][1], game.payoff[1][:, 0] - game.payoff[1][:, 1]
    for (high, low), draw, tone in (((f1, f0), ax.axhline, COLOURS[0]), ((g1, g0), ax.axvline, COLOURS[1])):
        if high * low < 0:
            draw(low / (low - high), color=tone, linewidth=1.4, linestyle=(0, (5, 3)))
    ax.plot([0, 1, 1, 0, 0], [0, 0, 1, 1, 0], color=GRID, linewidth=1)


def _dots(ax: Axes, game: NormalForm, place: Any) -> None:
    """The equilibria that have a place in the picture."""
    for point in nash.solve(game).points:
        spot = place(point)
        if spot is not None:
            corner = all(p.max() > 1 - 1e-9 for p in point)
            firm = corner and strict(game, tuple(int(p.argmax()) for p in point))
            ax.plot(*spot, "o", color=COLOURS[4], ms=9, mew=1.8, mfc=COLOURS[4] if firm else "#ffffff",
                    clip_on=False, zorder=5)  # fmt: skip
