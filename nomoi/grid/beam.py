"""Beams: who and what a shot reaches.

A beam of length L and radius r is a bundle of 2r+1 rays (read in lab2d, `Grid::HitBeamActual`): the middle one
covers the cells 1..L ahead; the ones k to either side start in the shooter's own row and cover L-k+1
cells.  A ray stops at a wall and at the first body it reaches, which it hits.  A side ray whose first cell is
blocked shades the rays further out.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, UInt32

from nomoi.grid.body import FEW, Body, standing
from nomoi.grid.lanes import once
from nomoi.grid.layout import EAST, NORTH, SOUTH, WEST, Land


def rays(length: int, radius: int) -> list[list[tuple[int, int]]]:
    """The cells (ahead, right) of each ray in the order they are reached, middle ray first, then outwards."""
    middle = [(f, 0) for f in range(1, length + 1)]
    side = [[(f, sign * k) for f in range(length - k + 1)] for sign in (-1, 1) for k in range(1, radius + 1)]
    return [middle, *side]


@lru_cache(maxsize=64)
def _shape(length: int, radius: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Beam cells as (ahead [C], right [C]) and before [C, C]: a block at the row's cell shades the column's."""
    cells = [(ray, place, f, s) for ray in rays(length, radius) for place, (f, s) in enumerate(ray)]
    before = np.zeros((len(cells), len(cells)), bool)
    for a, (ray, i, _, s) in enumerate(cells):
        for b, (other, j, _, t) in enumerate(cells):
            outwards = i == 0 and s * t > 0 and abs(t) > abs(s)
            before[a, b] = (ray is other and i < j) or outwards
    return np.array([c[2] for c in cells]), np.array([c[3] for c in cells]), before


@lru_cache(maxsize=64)
def _clear(land: Land, length: int, radius: int) -> np.ndarray:
    """[cells * 4] bit c: no wall on the way to, nor at, beam cell c."""
    ahead, right, before = _shape(length, radius)
    if len(ahead) > 31:
        raise ValueError("a beam may cover at most 31 cells")
    cells = land.relative(ahead, right).reshape(-1, len(ahead))
    wall = (cells < 0) | land.walls[cells]
    clear = ~wall & ~(wall.astype(np.int32) @ before.astype(np.int32) > 0)
    return (clear * (1 << np.arange(len(ahead)))).sum(1).astype(np.uint32)


def offsets(land: Land, body: Body) -> tuple[Int[Array, "n n"], Int[Array, "n n"]]:
    """How far ahead and how far right of agent i (row) agent j (column) is, in i's own frame; the shortest way."""
    row, col = body.cell // land.width, body.cell % land.width
    down, over = land.shortest(row[None, :] - row[:, None], col[None, :] - col[:, None])
    # The step ahead is (south, east) and the step right (east, -south); comparisons cost less than a gather.
    south = ((body.facing == SOUTH).astype(jnp.int32) - (body.facing == NORTH).astype(jnp.int32))[:, None]
    east = ((body.facing == EAST).astype(jnp.int32) - (body.facing == WEST).astype(jnp.int32))[:, None]
    return down * south + over * east, down * east - over * south


@lru_cache(maxsize=64)
def _cells(land: Land, length: int, radius: int) -> np.ndarray:
    """[cells * 4, C] the cells of a beam; `land.cells`, where nobody stands, for those that a wall keeps it from."""
    ahead, right, _ = _shape(length, radius)
    clear = _clear(land, length, radius)[:, None] >> np.arange(len(ahead), dtype=np.uint32)
    cells = np.where(clear & 1, land.relative(ahead, right).reshape(-1, len(ahead)), land.cells)
    return cells.astype(np.min_scalar_type(land.cells + 1))


def reach(land: Land, body: Body, length: int, radius: int) -> Bool[Array, "n n"]:
    """[i, j]: a beam fired by i now would hit j.  Nobody hits itself; who is out of play neither hits nor is hit."""
    cells = _cells(land, length, radius)
    bit, none = (1 << np.arange(cells.shape[1])).astype(np.uint32), jnp.zeros((), jnp.uint32)
    beam = jnp.asarray(cells).at[body.cell * 4 + body.facing].get(mode="promise_in_bounds")  # [n, C]
    if len(body.cell) > FEW:
        who = standing(land, body).at[beam.astype(jnp.int32)].get(mode="promise_in_bounds")  # [n, C]
        nobody = jnp.array(len(body.cell), who.dtype)
        taken = jnp.where((who != nobody) & body.here[:, None], bit, none)
        first = _first(jax.lax.reduce(taken, none, jax.lax.bitwise_or, (1,)), length, radius)[:, None]
        who = jnp.where((taken & first) != 0, who, nobody)
        ends = np.cumsum([0, *map(len, rays(length, radius))])
        who = jnp.stack([who[:, a:b].min(1) for a, b in pairwise(ends) if b > a], 1)  # [n, rays] whom each ray hits
        rows, none = np.arange(len(body.cell))[:, None], jnp.zeros((len(body.cell), len(body.cell) + 1), bool)
        return none.at[rows, who.astype(jnp.int32)].set(True, mode="promise_in_bounds")[:, :-1]
    where = jnp.where(body.here, body.cell, land.cells + 1).astype(beam.dtype)  # in no beam
    at = jnp.where(beam[:, None, :] == where[None, :, None], bit, none)
    at = jax.lax.reduce(at, none, jax.lax.bitwise_or, (2,))  # [i, j] the cell of i's beam, as a bit, where j stands
    at = jnp.where(body.here[:, None], at, none)
    taken = jax.lax.reduce(at, none, jax.lax.bitwise_or, (1,))  # [i] the cells of the beam where somebody stands
    return once((at & _first(taken, length, radius)[:, None]) != 0)


def block(land: Land, body: Body, length: int, radius: int) -> Bool[Array, "n n"]:
    """[i, j]: j stands in the block of cells 1..length ahead of i and up to `radius` to each side; nothing stops it.

    Nobody is in its own block; who is out of play is in none and has none.
    """
    ahead, right = offsets(land, body)
    inside = (ahead >= 1) & (ahead <= length) & (jnp.abs(right) <= radius)
    return inside & body.here[:, None] & body.here[None, :]


def _first(taken: UInt32[Array, " n"], length: int, radius: int) -> UInt32[Array, " n"]:
    """Of the taken cells of a beam, as bits, the one that each ray comes to first."""
    own, nearer, done, gate = [], [], 0, {}  # the bits of each ray; those that keep it from starting
    for ray in filter(len, rays(length, radius)):
        side = np.sign(ray[0][1])
        own.append(((1 << len(ray)) - 1) << done)
        nearer.append(gate.get(side, 0) if side else 0)
        gate[side] = nearer[-1] | 1 << done
        done += len(ray)
    met = taken[:, None] & np.array(own, np.uint32)
    free = (taken[:, None] & np.array(nearer, np.uint32)) == 0
    none = jnp.zeros((), jnp.uint32)
    return jax.lax.reduce(jnp.where(free, met & (~met + 1), none), none, jax.lax.bitwise_or, (1,))


@lru_cache(maxsize=64)
def _line(land: Land, length: int) -> tuple[np.ndarray, np.ndarray]:
    """The first site straight ahead [cells * 4], S for none, and the cells on the way to it [cells * 4, length - 1]."""
    ahead = np.arange(1, length + 1)
    cells = land.relative(ahead, np.zeros_like(ahead)).reshape(-1, length)
    site = np.where(cells < 0, len(land.sites), land.site_of[cells])
    stops = (site < len(land.sites)) | (cells < 0) | land.walls[cells]
    first = np.where(stops.any(1), stops.argmax(1), length)
    met = np.append(site, np.full((len(site), 1), len(land.sites)), 1)[np.arange(len(site)), first]
    way = np.where(np.arange(length - 1) < first[:, None], cells[:, :-1], land.cells)
    return met.astype(np.int32), way.astype(np.int32)


def foremost(land: Land, body: Body, length: int) -> Int[Array, " n"]:
    """The first site within `length` cells straight ahead of each agent; the number of sites where there is none.

    Walls, and bodies in play on the cells before it, stand in the way; a body on the site itself does not.
    """
    site, way = _line(land, length)
    spot = body.cell * 4 + body.facing
    met, way = (jnp.asarray(table).at[spot].get(mode="promise_in_bounds") for table in (site, way))
    stopped = ((way[:, :, None] == body.cell) & body.here).any((1, 2))
    return jnp.where(body.here & ~stopped, met, len(land.sites))


def sweep(land: Land, body: Body, blocks: Bool[Array, " S"], length: int, radius: int) -> Bool[Array, "n S"]:
    """[i, s]: the beam of agent i would reach site s; rays stop at walls and at the first site that `blocks`.

    For beams that work on the land (cleaning, planting): bodies do not stop them.
    """
    ahead, right, before = _shape(length, radius)
    total = len(land.sites)
    site_of = np.append(land.site_of, total)  # index -1 (off the map) holds no site
    table = site_of[land.relative(ahead, right).reshape(-1, len(ahead))]
    spot = body.cell * 4 + body.facing
    sites = jnp.asarray(table)[spot]  # [n, C]
    clear = (
        (jnp.asarray(_clear(land, length, radius))[spot][:, None] >> np.arange(len(ahead), dtype=np.uint32)) & 1
    ) == 1
    stop = jnp.append(blocks, False)[sites] & clear
    shaded = jnp.stack([(stop & before[:, c]).any(1) for c in range(len(ahead))], -1)
    lit = clear & ~shaded & body.here[:, None]
    return ((sites[..., None] == np.arange(total, dtype=np.int32)) & lit[..., None]).any(1)
