"""Layouts: a map drawn in letters, parsed once into static index tables.

A cell is a flat index, row by row.  *Sites* are the cells whose contents change (a bush, an apple, a stretch
of river); everything that changes is stored per site, everything fixed per cell.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from nomoi.errors import Refusal

NORTH, EAST, SOUTH, WEST = range(4)
STEP = np.array([[-1, 0], [0, 1], [1, 0], [0, -1]])  # row, column; one turn to the right each


class Land:
    """A parsed map.  Hashable by its text, so it can be a static part of a situation.

    height, width   of the walled map: a ring of wall is added where the drawing lacks one
    torus           there is no ring: who leaves at one edge comes back at the opposite one
    walls           [cells] bool
    sites           [S] cell of each site, row by row;   letter [S] its letter in the drawing
    site_of         [cells] the site at each cell, S where there is none
    """

    def __init__(self, text: str, sites: str, legend: str, name: str = "the map", torus: bool = False):
        self.text, self._letters, self.name, self.torus = text.strip("\n"), sites, name, torus
        rows = self.text.split("\n")
        width = max(map(len, rows))
        rows = [row.ljust(width) for row in rows]
        grid = np.array([list(row) for row in rows])
        if width == 0:
            raise Refusal(f"{name} is empty; draw it with the letters {_list(legend)}.")
        for r, c in zip(*np.where(~np.isin(grid, list(legend))), strict=True):
            odd = f"{rows[r][c]!r} in row {r + 1}, column {c + 1}"
            raise Refusal(f"{name} has {odd}; its letters are {_list(legend)}.")
        rim = np.concatenate([grid[0], grid[-1], grid[:, 0], grid[:, -1]])
        if (rim != "W").any() and not torus:
            grid = np.pad(grid, 1, constant_values="W")
        self.grid = grid
        self.height, self.width = grid.shape
        self.walls = (grid == "W").ravel()
        self.sites = np.flatnonzero(np.isin(grid.ravel(), list(sites)))
        self.letter = grid.ravel()[self.sites]
        self.site_of = np.full(self.cells, len(self.sites), np.int32)
        self.site_of[self.sites] = np.arange(len(self.sites))

    @property
    def cells(self) -> int:
        return self.height * self.width

    def find(self, letters: str) -> np.ndarray:
        """Cells drawn with any of the letters, row by row."""
        return np.flatnonzero(np.isin(self.grid.ravel(), list(letters)))

    def mask(self, letters: str) -> np.ndarray:
        """[cells] bool: drawn with any of the letters."""
        return np.isin(self.grid.ravel(), list(letters))

    @cached_property
    def ahead(self) -> np.ndarray:
        """[cells, 4] the cell one step in each direction (a wall keeps its own place)."""
        row, col = np.divmod(np.arange(self.cells), self.width)
        r, c = row[:, None] + STEP[:, 0], col[:, None] + STEP[:, 1]
        if self.torus:
            return (r % self.height * self.width + c % self.width).astype(np.int32)
        r, c = np.clip(r, 0, self.height - 1), np.clip(c, 0, self.width - 1)
        return (r * self.width + c).astype(np.int32)

    @cached_property
    def slant(self) -> np.ndarray:
        """[cells, 4] the cell one step ahead and one to the right, for each facing (at the edge its own place)."""
        cells = self.relative(np.array([1]), np.array([1]))[..., 0]
        return np.where(cells < 0, np.arange(self.cells)[:, None], cells).astype(np.int32)

    def shortest(self, down: Any, over: Any) -> tuple[Any, Any]:
        """A way of so many cells `down` and `over`; on a torus the shortest one to the same cell."""
        if not self.torus:
            return down, over
        rows, cols = self.height // 2, self.width // 2
        return (down + rows) % self.height - rows, (over + cols) % self.width - cols

    def near(self, radius: float) -> np.ndarray:
        """[S, S] float32: 1 where two different sites lie within Euclidean distance `radius` of each other."""
        row, col = np.divmod(self.sites, self.width)
        down, over = self.shortest(row[:, None] - row, col[:, None] - col)
        squared = down**2 + over**2
        return ((squared <= radius**2) & (squared > 0)).astype(np.float32)

    def relative(self, ahead: np.ndarray, right: np.ndarray) -> np.ndarray:
        """[cells, 4, K] the cell `ahead` [K] and `right` [K] of a body at each cell and facing; -1 off the map.

        A torus has to be larger than what is asked for, so that no cell stands for two places.
        """
        for steps in (ahead, right) if self.torus else ():
            if np.ptp([0, *steps]) >= min(self.height, self.width):
                size = f"{self.height} x {self.width} cells"
                raise Refusal(f"{self.name} wraps round after {size}; what is seen and struck at must be smaller.")
        row, col = np.divmod(np.arange(self.cells), self.width)
        forward, side = STEP, np.roll(STEP, -1, axis=0)
        r = row[:, None, None] + ahead * forward[:, 0, None] + right * side[:, 0, None]
        c = col[:, None, None] + ahead * forward[:, 1, None] + right * side[:, 1, None]
        if self.torus:
            r, c = r % self.height, c % self.width
        inside = (r >= 0) & (r < self.height) & (c >= 0) & (c < self.width)
        return np.where(inside, r * self.width + c, -1).astype(np.int32)

    def _identity(self) -> tuple[str, str, bool]:
        return self.text, self._letters, self.torus

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Land) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        return f"Land({self.name}, {self.height}x{self.width}, {len(self.sites)} sites)"


def _list(legend: str) -> str:
    return ", ".join("space" if c == " " else c for c in legend)
