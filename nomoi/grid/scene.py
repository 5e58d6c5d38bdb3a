"""Scenes: the visible world in named layers, and what each agent sees of it.

A view is one small integer a cell, whose bits are the layers (*planes*), first plane in the lowest bit.  It
is made by a single gather from a static table (the sites and the fixed ground in front of a body at each cell
and facing), bit tests for what grows on the sites, and comparisons for the bodies.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, UInt

from nomoi.errors import Refusal
from nomoi.grid.beam import offsets
from nomoi.grid.body import Body
from nomoi.grid.layout import Land


class Extent(eqx.Module):
    """How far a body sees: rows `ahead` and `back`, columns `side` to each side.  Row 0 is farthest ahead."""

    ahead: int = eqx.field(static=True)
    back: int = eqx.field(static=True)
    side: int = eqx.field(static=True)

    @property
    def shape(self) -> tuple[int, int]:
        return self.ahead + self.back + 1, 2 * self.side + 1


class Ground(Mapping[str, np.ndarray]):
    """Fixed layers, name -> [cells] bool; hashable, so that tables made from them are made once."""

    def __init__(self, layers: Mapping[str, np.ndarray]):
        self._layers = dict(layers)
        self._key = tuple((k, v.tobytes()) for k, v in self._layers.items())

    def __getitem__(self, name: str) -> np.ndarray:
        return self._layers[name]

    def __iter__(self) -> Any:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ground) and self._key == other._key


class Goods(eqx.Module):
    """What can be taken: live [S] where there is some now, kind [S] which kind the site bears."""

    live: Bool[Array, " S"]
    kind: Int[Array, " S"]


class Scene(eqx.Module):
    """The visible world at one moment.

    land, extent   the map and how far bodies see
    ground         fixed layers, name -> [cells] bool (NumPy)
    sites          layers on the sites, name -> [S], or [n, S] where each agent sees its own
    bodies         layers on the other agents, name -> [n], or [n, n] (as the row's agent sees the column's)
    shown          planes that may be switched off: name -> [] bool
    body           where the agents are
    goods          what can be taken where, if anything can
    """

    land: Land = eqx.field(static=True)
    extent: Extent = eqx.field(static=True)
    body: Body
    ground: Ground = eqx.field(static=True, converter=Ground)
    sites: dict[str, Bool[Array, "*n S"]] = eqx.field(default_factory=dict)
    bodies: dict[str, Bool[Array, "*n n"]] = eqx.field(default_factory=dict)
    shown: dict[str, Bool[Array, ""]] = eqx.field(default_factory=dict)
    goods: Goods | None = None

    @property
    def planes(self) -> tuple[str, ...]:
        """Names of the bits of a view, lowest first.  (Sorted within each group, as JAX sorts dictionaries.)"""
        return (*self.ground, *sorted(self.sites), *sorted(self.bodies))

    def add(
        self,
        ground: Mapping[str, np.ndarray] | None = None,
        sites: Mapping[str, Array] | None = None,
        bodies: Mapping[str, Array] | None = None,
    ) -> Scene:
        """The same scene with more layers."""
        return Scene(
            self.land,
            self.extent,
            self.body,
            Ground(dict(self.ground) | dict(ground or {})),
            self.sites | dict(sites or {}),
            self.bodies | dict(bodies or {}),
            self.shown,
            self.goods,
        )

    def veil(self, new: Scene, show: Bool[Array, ""]) -> Scene:
        """`new`, with the planes it adds to this scene shown only where `show` is true."""
        added = {p: show for p in new.planes if p not in self.planes}
        return eqx.tree_at(lambda s: s.shown, new, new.shown | added, is_leaf=lambda x: isinstance(x, dict))

    def layer(self, name: str) -> Array:
        """A ground or site layer as [cells] bool, for painting and for tests (per-agent layers: any agent's)."""
        if name in self.ground:
            full = jnp.asarray(self.ground[name])
        else:
            values = self.sites[name]
            values = values if values.ndim == 1 else values.any(0)
            full = jnp.zeros(self.land.cells, bool).at[self.land.sites].set(values)
        return full & self.shown.get(name, True)

    def view(self) -> UInt[Array, "n rows columns"]:
        """What each agent sees: [n, rows, columns], one bit a plane; nothing for who is out of play.

        The own body is not drawn.  Cells off the map count as walls (plane "wall").
        """
        return view(self)


@lru_cache(maxsize=64)
def _table(land: Land, extent: Extent, ground: Ground) -> tuple[np.ndarray, np.ndarray]:
    """[cells * 4, K] the site (S for none) and the ground bits in front of a body at each cell and facing."""
    rows, cols = extent.shape
    r, c = np.divmod(np.arange(rows * cols), cols)
    cells = land.relative(extent.ahead - r, c - extent.side).reshape(-1, rows * cols)
    site = np.append(land.site_of, len(land.sites))[cells]
    bits = np.zeros(land.cells + 1, np.uint32)
    for plane, (name, layer) in enumerate(ground.items()):
        bits[:-1] |= layer.astype(np.uint32) << plane
        bits[-1] |= np.uint32(name == "wall") << plane
    return site, bits[cells]


def view(scene: Scene) -> UInt[Array, "n rows columns"]:
    """See `Scene.view`; the slow twin is in tests/twins.py."""
    land, body, planes = scene.land, scene.body, scene.planes
    rows, cols = scene.extent.shape
    n, total = body.cell.shape[0], len(land.sites)
    if len(planes) > 32 or len(scene.ground) > 16:
        raise Refusal(f"a view holds at most 32 planes, 16 of them fixed; this one has {len(planes)}.")
    dtype = jnp.uint8 if len(planes) <= 8 else jnp.uint16 if len(planes) <= 16 else jnp.uint32
    site, bits = _table(land, scene.extent, scene.ground)
    # one gather for both: ground bits above, site below
    packed = jnp.asarray(site.astype(np.uint32) | bits << 16)
    seen = packed.at[body.cell * 4 + body.facing].get(mode="promise_in_bounds")  # [n, K]
    codes = (seen >> 16).astype(dtype)

    if scene.sites:
        which = (seen & 0xFFFF).astype(jnp.uint16)
        byte, bit = (which >> 3).astype(jnp.uint16 if total > 2000 else jnp.uint8), (which & 7).astype(jnp.uint8)
        for name in sorted(scene.sites):
            at = (_test(scene.sites[name], byte, total) >> bit) & 1
            codes = codes | (at.astype(dtype) << planes.index(name))

    if scene.bodies:
        f, s = offsets(land, body)
        row, col = scene.extent.ahead - f, s + scene.extent.side
        seen_by = (row >= 0) & (row < rows) & (col >= 0) & (col < cols) & body.here[None, :] & ~np.eye(n, dtype=bool)
        where = jnp.where(seen_by, row * cols + col, rows * cols).astype(jnp.uint16)
        marks = jnp.zeros((n, n), dtype)
        for name in sorted(scene.bodies):
            marks = marks | (jnp.broadcast_to(scene.bodies[name], (n, n)).astype(dtype) << planes.index(name))
        cells = np.arange(rows * cols, dtype=np.uint16)
        for j in range(n):
            codes = codes | jnp.where(where[:, j, None] == cells, marks[:, j, None], jnp.zeros((), dtype))

    if scene.shown:
        always = sum(1 << p for p, name in enumerate(planes) if name not in scene.shown)
        keep = jnp.array(always, dtype)
        for name, show in scene.shown.items():
            keep = keep | (show.astype(dtype) << planes.index(name))
        codes = codes & keep
    codes = jnp.where(body.here[:, None], codes, jnp.zeros((), dtype))
    return codes.reshape(n, rows, cols)


def _test(layer: Bool[Array, "*n S"], byte: Array, total: int) -> Array:
    """For each cell of a view, the byte of the packed `layer` that holds the cell's site: [n, K] uint8."""
    pad = -(total + 1) % 8 + 1
    padded = jnp.concatenate([layer, jnp.zeros((*layer.shape[:-1], pad), bool)], -1)
    packed = padded.reshape(*layer.shape[:-1], -1, 8).astype(jnp.uint8)
    packed = (packed << np.arange(8, dtype=np.uint8)).sum(-1, dtype=jnp.uint8)
    packed = jnp.broadcast_to(packed, (byte.shape[0], packed.shape[-1]))
    out = jnp.zeros(byte.shape, jnp.uint8)
    for b in range(packed.shape[-1]):
        out = jnp.where(byte == b, packed[:, b, None], out)
    return out


def bitplanes(codes: UInt[Array, "*batch rows columns"], planes: int, dtype: Any = jnp.float32) -> Array:
    """[..., rows, columns] codes -> [..., rows, columns, planes] of zeros and ones.

    The barrier keeps XLA from recomputing the codes once a plane (forty times slower without).
    """
    codes = jax.lax.optimization_barrier(codes)
    return ((codes[..., None] >> np.arange(planes, dtype=codes.dtype)) & 1).astype(dtype)
