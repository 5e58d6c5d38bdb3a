"""Scenes: the visible world in named layers, and what each agent sees of it.

A view is one small integer a cell, whose bits are the layers (*planes*), first plane in the lowest bit.  It
is made by copying rows of static tables (the fixed ground, the sites and their kinds in front of a body at each
cell and facing), bit tests for what grows on the sites, and one scatter for the bodies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, UInt

from nomoi.errors import Refusal
from nomoi.grid.beam import offsets
from nomoi.grid.body import FEW, Body, standing
from nomoi.grid.lanes import at, fenced, lanes, lookup, packed, padded
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
    """What can be taken: live [S] where there is some now, kind [S] which kind the site bears.

    Kinds that never change are best given as a NumPy array: then they are part of the static tables.
    """

    live: Bool[Array, " S"]
    kind: Int[Array | np.ndarray, " S"]


class Scene(eqx.Module):
    """The visible world at one moment.

    land, extent   the map and how far bodies see
    ground         fixed layers, name -> [cells] bool (NumPy)
    sites          layers on the sites, name -> [S], or [n, S] where each agent sees its own
    bodies         layers on the other agents, name -> [n], or [n, n] (as the row's agent sees the column's)
    shown          planes that may be switched off: name -> [] bool
    body           where the agents are
    goods          what can be taken where, if anything can
    labels         layers on the live goods by their kind, name -> [K], or [n, K] where each agent sees its own
    """

    land: Land = eqx.field(static=True)
    extent: Extent = eqx.field(static=True)
    body: Body
    ground: Ground = eqx.field(static=True, converter=Ground)
    sites: dict[str, Bool[Array, "... S"]] = eqx.field(default_factory=dict)
    bodies: dict[str, Bool[Array, "... n"]] = eqx.field(default_factory=dict)
    shown: dict[str, Bool[Array, ""]] = eqx.field(default_factory=dict)
    goods: Goods | None = None
    labels: dict[str, Bool[Array, "... K"]] = eqx.field(default_factory=dict)

    @property
    def planes(self) -> tuple[str, ...]:
        """Names of the bits of a view, lowest first: ground, sites and labels, bodies.

        Sorted within each group, as JAX sorts dictionaries.
        """
        return (*self.ground, *sorted([*self.sites, *self.labels]), *sorted(self.bodies))

    def add(
        self,
        ground: Mapping[str, np.ndarray] | None = None,
        sites: Mapping[str, Array] | None = None,
        bodies: Mapping[str, Array] | None = None,
        labels: Mapping[str, Array] | None = None,
        goods: Goods | None = None,
    ) -> Scene:
        """The same scene with more layers, and with goods; labels need goods."""
        return Scene(
            self.land,
            self.extent,
            self.body,
            Ground(dict(self.ground) | dict(ground or {})),
            self.sites | dict(sites or {}),
            self.bodies | dict(bodies or {}),
            self.shown,
            goods or self.goods,
            self.labels | dict(labels or {}),
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
            values = self._label(name) if name in self.labels else self.sites[name]
            values = values if values.ndim == 1 else values.any(0)
            full = jnp.zeros(self.land.cells, bool).at[self.land.sites].set(values)
        return full & self.shown.get(name, True)

    def _label(self, name: str) -> Bool[Array, "... S"]:
        """A label as a layer on the sites."""
        return self.goods.live & self.labels[name][..., self.goods.kind]

    @property
    def marks(self) -> UInt[Array, "n n"]:
        """Bit b of [i, j]: in the eyes of i, the body j bears the b-th layer of `bodies`, in the order of names."""
        marks = _marks(self, sorted(self.bodies), lanes(len(self.bodies)))
        return jnp.broadcast_to(marks, 2 * self.body.cell.shape)

    def borne(self, by: Bool[Array, "n n"]) -> Bool[Array, "n L"]:
        """[i, b]: somebody whom row i of `by` picks out bears, in the eyes of i, the b-th of the L body layers."""
        bits = jnp.where(by, self.marks, jnp.zeros((), self.marks.dtype))
        some = jax.lax.reduce(bits, jnp.zeros((), bits.dtype), jax.lax.bitwise_or, (1,))
        return ((some[:, None] >> np.arange(len(self.bodies), dtype=bits.dtype)) & 1) == 1

    def view(self) -> UInt[Array, "n rows columns"]:
        """What each agent sees: [n, rows, columns], one bit a plane; nothing for who is out of play.

        The own body is not drawn.  Cells off the map count as walls (plane "wall").
        """
        return view(self)


@lru_cache(maxsize=64)
def _window(land: Land, extent: Extent) -> np.ndarray:
    """[cells * 4, K] the cells in front of a body at each cell and facing; off the map, their number."""
    rows, cols = extent.shape
    r, c = np.divmod(np.arange(rows * cols), cols)
    cells = land.relative(extent.ahead - r, c - extent.side).reshape(-1, rows * cols)
    return np.where(cells < 0, land.cells, cells).astype(np.min_scalar_type(land.cells))


@lru_cache(maxsize=64)
def _table(land: Land, extent: Extent, ground: Ground) -> tuple[np.ndarray, np.ndarray]:
    """[cells * 4, K] the site (S for none) and the ground bits in front of a body at each cell and facing."""
    cells = _window(land, extent)
    site = np.append(land.site_of, len(land.sites))[cells]
    bits = np.zeros(land.cells + 1, np.uint32)
    for plane, (name, layer) in enumerate(ground.items()):
        bits[:-1] |= layer.astype(np.uint32) << plane
        bits[-1] |= np.uint32(name == "wall") << plane
    return site, bits[cells]


def view(scene: Scene) -> UInt[Array, "n rows columns"]:
    """See `Scene.view`; the slow twin is in tests/twins.py.

    Bodies in play stand on different cells.
    """
    # Three things make this fast.  All is done in bytes, eight planes at a time, because a vector holds four times as
    # many bytes as words.  Rows are padded to whole vectors: at 121 cells the tail would take most of the time.
    # And the scatter of the bodies stands between the padded rows and the cut at the end, because XLA does not fuse
    # through a scatter; otherwise it would push the cut back to the start, and all would be done at 121 again.
    # Many bodies are found where they stand instead, because a scatter takes each of the n x n in turn.
    land, body, planes = scene.land, scene.body, scene.planes
    rows, cols = scene.extent.shape
    n, cells = body.cell.shape[0], rows * cols
    if len(planes) > 32 or len(scene.ground) > 16:
        raise Refusal(f"a view holds at most 32 planes, 16 of them fixed; this one has {len(planes)}.")
    site, fixed = (padded(table) for table in _table(land, scene.extent, scene.ground))
    spot = body.cell * 4 + body.facing
    words = len(land.sites) // 8 + 1
    byte = at((site % words).astype(lanes((words - 1).bit_length())), spot)
    mask = at((1 << site // words).astype(np.uint8), spot)

    def here(layer: Array) -> Array:
        """[n, K] where the layer [S] or [n, S] has a bit."""
        return (lookup(packed(layer, words), byte) & mask) != 0

    drawn = {name: here(layer) for name, layer in scene.sites.items()}
    if scene.labels:
        live, kind, k = here(scene.goods.live), scene.goods.kind, next(iter(scene.labels.values())).shape[-1]
        if isinstance(kind, np.ndarray) and k <= 8:
            kinds = at(np.append(1 << kind, 0).astype(np.uint8)[site], spot)
            for name, by in scene.labels.items():
                mine = (by.astype(jnp.uint8) << np.arange(k, dtype=np.uint8)).sum(-1, dtype=jnp.uint8)
                drawn[name] = live & ((kinds & mine[..., None]) != 0)
        else:
            drawn |= {name: here(scene._label(name)) for name in scene.labels}

    put = (_scattered if n <= FEW else _gathered)(scene, spot, byte.shape)

    keep = jnp.array(sum(1 << p for p, name in enumerate(planes) if name not in scene.shown), jnp.uint32)
    for name, show in scene.shown.items():
        keep = keep | (show.astype(jnp.uint32) << planes.index(name))
    below, dtype = len(planes) - len(scene.bodies), lanes(len(planes))

    codes = jnp.zeros((), dtype)
    for low in range(0, max(below, 1), 8):
        some = at((fixed >> low & 255).astype(np.uint8), spot) if low < len(scene.ground) else jnp.uint8(0)
        for plane in range(max(low, len(scene.ground)), min(low + 8, below)):
            some = some | jnp.where(drawn[planes[plane]], jnp.uint8(1 << plane - low), jnp.uint8(0))
        some = some & jnp.where(body.here, keep >> low & 255, 0).astype(jnp.uint8)[:, None]
        some = jnp.broadcast_to(some, byte.shape)
        codes = codes | (some if dtype == jnp.uint8 else fenced(some).astype(dtype) << low)
    marks = _marks(scene, planes[below:], dtype) << below if scene.bodies else jnp.zeros(n, dtype)
    codes = put(codes, marks & keep.astype(dtype))
    return codes[:, :cells].reshape(n, rows, cols)


Put = Callable[[UInt[Array, "n K"], UInt[Array, "*n n"]], UInt[Array, "n K"]]  # codes, marks of bodies -> both


def _scattered(scene: Scene, spot: Int[Array, " n"], shape: tuple[int, int]) -> Put:
    """Each body is put where each other sees it."""
    land, body, n = scene.land, scene.body, shape[0]
    rows, cols = scene.extent.shape
    f, s = offsets(land, body)
    row, col = scene.extent.ahead - f, s + scene.extent.side
    if land.torus:  # the one place of each body, of all that stand for it, that can lie in the window
        along = (body.facing % 2 == 0)[:, None]
        row = row % jnp.where(along, land.height, land.width)
        col = col % jnp.where(along, land.width, land.height)
    seen = (row >= 0) & (row < rows) & (col >= 0) & (col < cols)
    seen = seen & body.here[None, :] & body.here[:, None] & ~np.eye(n, dtype=bool)
    place = jnp.where(seen, row * cols + col, rows * cols)  # the first cell of the padding takes the unseen
    return lambda codes, marks: codes.at[np.arange(n)[:, None], place].add(marks, mode="promise_in_bounds")


def _gathered(scene: Scene, spot: Int[Array, " n"], shape: tuple[int, int]) -> Put:
    """Whoever stands on a cell that is seen is drawn there."""
    land, body, own = scene.land, scene.body, scene.extent.ahead * scene.extent.shape[1] + scene.extent.side
    others = body.here[:, None] & (np.arange(shape[1]) != own)
    cell = at(padded(_window(land, scene.extent)), spot).astype(jnp.int32)
    cell = jnp.where(others, cell, land.cells)

    def put(codes: Array, marks: Array) -> Array:
        if marks.ndim == 1:
            there = standing(land, body, marks)
            seen = there.at[cell].get(mode="promise_in_bounds")
        else:
            who = standing(land, body).at[cell].get(mode="promise_in_bounds").astype(jnp.int32)
            seen = jnp.take_along_axis(jnp.pad(marks, ((0, 0), (0, 1))), who, 1, mode="promise_in_bounds")
        return fenced(codes) | seen

    return put


def _marks(scene: Scene, names: Sequence[str], dtype: Any) -> UInt[Array, "*n n"]:
    """Bit b of [j], or of [i, j] in the eyes of i where they differ: the body j bears the b-th of the named layers."""
    bits = jnp.zeros(scene.body.cell.shape, dtype)
    for b, name in enumerate(names):
        bits = bits | (scene.bodies[name].astype(dtype) << b)
    return bits
