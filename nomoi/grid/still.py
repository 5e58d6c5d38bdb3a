"""Stills: what a bystander sees, kept as arrays.  `trace` keeps it inside `jit` and `scan`; `still` makes NumPy of it.

What no scene holds (who strikes whom, who carries a mark, what an institution displays, what is left) is added where
the run is known: see `nomoi.measure.films`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from nomoi.errors import Refusal
from nomoi.grid.scene import Scene

FACTS = ("height", "width", "planes", "fixed", "kinds", "torus", "capacity", "boards")
ARRAYS = ("codes", "goods", "cell", "facing", "out")
LATER = ("struck", "stock")  # arrays that a still may lack


@dataclass(frozen=True)
class Still:
    """What a bystander sees, at one moment or (with a leading axis T) at many.

    height, width        of the map in cells;   planes   names of the bits of `codes`, the first `fixed` of them fixed
    codes [T?, H, W]     uint32, one bit a plane;   goods [T?, H, W]   kind of what can be taken there now, or -1
    cell, facing, out    [T?, n] the bodies;   marks   name -> [T?, n] bool;   kinds   names of the goods, if known
    torus                whether the map has no edge
    struck [T?, n, n]    bool: whom (column) each (row) strikes in the step that begins here, if known
    stock [T?, K]        what is left by kind, in units, of at most `capacity` [K], if known
    boards, posted       institution -> the lines that it can display, and which it does, [T?] int
    """

    height: int
    width: int
    planes: tuple[str, ...]
    fixed: int
    codes: np.ndarray
    goods: np.ndarray
    cell: np.ndarray
    facing: np.ndarray
    out: np.ndarray
    marks: dict[str, np.ndarray]
    kinds: tuple[str, ...] = ()
    torus: bool = False
    struck: np.ndarray | None = None
    stock: np.ndarray | None = None
    capacity: tuple[float, ...] = ()
    boards: dict[str, tuple[str, ...]] = field(default_factory=dict)
    posted: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """How many moments there are."""
        return len(self.codes) if self.codes.ndim == 3 else 1

    def at(self, t: int) -> Still:
        """The moment `t` alone (negative counts from the end)."""
        if self.codes.ndim == 2:
            return self
        known = [name for name in (*ARRAYS, *LATER) if getattr(self, name) is not None]
        dicts = {part: {k: np.asarray(v[t]) for k, v in getattr(self, part).items()} for part in ("marks", "posted")}
        return replace(self, **dicts, **{name: getattr(self, name)[t] for name in known})

    def shows(self, plane: str) -> np.ndarray:
        """[T?, H, W] bool: where the plane is to be seen."""
        return (self.codes >> np.uint32(self.planes.index(plane)) & 1).astype(bool)

    def says(self, institution: str) -> str:
        """The line that an institution displays at the only moment."""
        return self.boards[institution][int(self.posted[institution])]


def _public(scene: Scene) -> tuple[list[str], list[str], list[str]]:
    """Names of the fixed layers, and of the layers on sites and bodies that are the same for all who look."""
    sites = sorted(name for name, value in (scene.sites | scene.labels).items() if value.ndim == 1)
    bodies = sorted(name for name, value in scene.bodies.items() if value.ndim == 1)
    return list(scene.ground), sites, bodies


def trace(scene: Scene) -> dict[str, Array]:
    """What the scene shows, as arrays (see Still): codes, goods [H, W], cell, facing, out and mark.<name> [n].

    Pure; under `scan` or `vmap` all of them get a leading axis.  Layers that differ by who looks are left out.
    """
    land, body = scene.land, scene.body
    ground, sites, bodies = _public(scene)
    if len(ground) + len(sites) > 32:
        raise Refusal(f"a still holds at most 32 planes; this scene has {len(ground) + len(sites)}.")

    def bit(value: Any, name: str, place: int) -> Array:
        return (jnp.asarray(value) & scene.shown.get(name, True)).astype(jnp.uint32) << place

    codes, on_sites = jnp.zeros(land.cells, jnp.uint32), jnp.zeros(len(land.sites), jnp.uint32)
    for place, name in enumerate(ground):
        codes = codes | bit(scene.ground[name], name, place)
    for place, name in enumerate(sites, len(ground)):
        layer = scene.sites[name] if name in scene.sites else scene._label(name)
        on_sites = on_sites | bit(layer, name, place)
    goods = jnp.full(land.cells, -1, jnp.int8)
    if scene.goods is not None:
        # A bystander knows of the goods by the layers that show them; where each agent has its own, by the goods.
        seen = scene.goods.live & ((on_sites > 0) if sites else True)
        goods = goods.at[land.sites].set(jnp.where(seen, scene.goods.kind, -1).astype(jnp.int8))
    shape = land.height, land.width
    marks = {f"mark.{name}": scene.bodies[name] & scene.shown.get(name, True) for name in bodies}
    maps = {"codes": codes.at[land.sites].add(on_sites).reshape(shape), "goods": goods.reshape(shape)}
    return {**maps, "cell": body.cell, "facing": body.facing, "out": body.out, **marks}


def still(scene: Scene, traced: Mapping[str, Any] | None = None, kinds: Sequence[str] = (), **more: Any) -> Still:
    """A Still of the scene, or of what `trace` recorded of scenes like it (then `scene` may be abstract).

    `traced` may also hold struck, stock and posted.<institution>; `more` are further fields of a Still.
    """
    ground, sites, _ = _public(scene)
    land, parts = scene.land, _parts(trace(scene) if traced is None else traced)
    about = {"kinds": tuple(kinds), "torus": land.torus, **more}
    return Still(land.height, land.width, (*ground, *sites), len(ground), **parts, **about)


def _parts(traced: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a Still that `trace`, or a film, recorded."""
    arrays = {name: np.asarray(value) for name, value in traced.items()}
    known = {name: arrays[name] for name in (*ARRAYS, *LATER) if name in arrays}

    def under(prefix: str) -> dict[str, np.ndarray]:
        return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}

    return known | {"marks": under("mark."), "posted": under("posted.")}


def pack(still: Still) -> dict[str, np.ndarray]:
    """A Still as named arrays, for a record."""
    facts = {name: getattr(still, name) for name in FACTS}
    arrays = {f"mark.{name}": value for name, value in still.marks.items()}
    arrays |= {f"posted.{name}": value for name, value in still.posted.items()}
    arrays |= {name: getattr(still, name) for name in (*ARRAYS, *LATER) if getattr(still, name) is not None}
    return arrays | {"facts": np.frombuffer(json.dumps(facts).encode(), np.uint8)}


def unpack(arrays: Mapping[str, np.ndarray]) -> Still:
    """The Still that `pack` packed, now or when stills knew less."""
    facts = json.loads(arrays["facts"].tobytes())
    facts |= {name: tuple(facts[name]) for name in ("planes", "kinds", "capacity") if name in facts}
    facts |= {"boards": {name: tuple(lines) for name, lines in facts.get("boards", {}).items()}}
    return Still(**facts, **_parts({name: value for name, value in arrays.items() if name != "facts"}))


def merged(still: Still, first: int, last: int) -> Still:
    """The moment `first` with all blows from there up to the step before `last`: for films that skip steps."""
    now = still.at(first)
    if still.struck is None or still.steps == 1:
        return now
    return dataclasses.replace(now, struck=still.struck[first:last].any(0))
