"""Walkers: what gridworlds share.  Bodies that walk and turn, see a window of the land, and fire a beam."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, UInt32

from nomoi import files, grid
from nomoi.core import Situation, setting, size
from nomoi.errors import Refusal

_MP = "Melting Pot (Leibo et al. 2021), commons_harvest__open"
STAY, AHEAD, BACK, LEFT, RIGHT, TURN_LEFT, TURN_RIGHT, ZAP = range(8)
_GO = np.array([0, 1, 1, 1, 1, 0, 0, 0])
_QUARTER = np.array([0, 0, 2, 3, 1, 0, 0, 0])  # which way a move goes, in right turns from ahead
_TURN = np.array([0, 0, 0, 0, 0, -1, 1, 0])
MOVES = ("stay", "ahead", "back", "left", "right", "turn left", "turn right", "zap")
SLANTS = ("ahead right", "back right", "back left", "ahead left")  # tools that are steps, where a situation has them


class Walkers(Situation):
    """A situation on land.  Its state has at least `body` and `cooling` [n], steps until the beam is ready.

    actions   move: stay, ahead, back, left, right (steps relative to the heading), turn left, turn right, zap, and
              the `tools` of the subclass
    senses    ready [n, 1] 1 when the beam can fire; compass [n, 6] heading and place, where `compass`
    scene     wall; agent, and four headings where `headings`
    """

    agents: int = size(5, "how many play", low=1)
    horizon: int = size(300, "longest episode", unit="steps", low=1)
    extent: tuple[int, ...] = size((7, 1, 4), "how far agents see: cells ahead, back, and to each side", low=0)
    headings: bool = size(False, "whether the view shows which way others face")
    compass: bool = size(True, "whether agents sense their own heading and place")
    beam: tuple[int, ...] = size((3, 1), "length and radius of the beam", _MP, "cells")
    cooldown: Int[Array, ""] = setting(2, "full steps between two shots", _MP, "steps", 0)

    tools: ClassVar[tuple[str, ...]] = ()  # further choices of `move`, after zap

    @property
    @abc.abstractmethod
    def land(self) -> grid.Land:
        """The map."""

    def __check_init__(self) -> None:
        if len(self.extent) != 3:
            raise Refusal(f"{self.name}.extent is {self.extent}, and must be three numbers: ahead, back, side.")
        fireable(f"{self.name}.beam", self.beam)

    @property
    def actions(self) -> dict[str, int]:
        return {"move": 8 + len(self.tools)}

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"move": (*MOVES, *self.tools)}

    def march(self, body: grid.Body, move: Int[Array, " n"], order: UInt32[Array, " n"]) -> grid.Body:
        """Turn and step as chosen."""
        slant = np.array([t in SLANTS for t in self.tools], bool)
        ways = [SLANTS.index(t) if t in SLANTS else 0 for t in self.tools]
        tables = np.append(_GO, slant), np.append(_QUARTER, ways), np.append(_TURN, 0 * slant)
        go, quarter, turn = (jnp.asarray(table, jnp.int32)[move] for table in tables)
        body = grid.turn(body, turn)
        slants = jnp.asarray(np.append(0 * _GO, slant) > 0)[move] if slant.any() else None
        return grid.walk(self.land, body, go > 0, quarter, order, slants)

    def chosen(self, state: Any, action: dict[str, Array]) -> Int[Array, " n"]:
        """What each does; who is out of play does nothing."""
        return jnp.where(state.body.here, action["move"], STAY)

    def cooled(self, cooling: Int[Array, " n"], fires: Bool[Array, " n"]) -> Int[Array, " n"]:
        """Steps until the beams are ready, after one more step."""
        return jnp.where(fires, self.cooldown, jnp.maximum(cooling - 1, 0))

    def senses(self, state: Any) -> dict[str, Array]:
        here = state.body.here[:, None]
        full = jnp.maximum(self.cooldown, 1)
        ready = ((full - state.cooling) / full)[:, None]
        out = {"ready": jnp.where(here, ready, 0.0)}
        if self.compass:
            row, col = jnp.divmod(state.body.cell, self.land.width)
            heading = (state.body.facing[:, None] == np.arange(4)).astype(jnp.float32)
            place = jnp.stack([2 * row / self.land.height - 1, 2 * col / self.land.width - 1], -1)
            out["compass"] = jnp.where(here, jnp.concatenate([heading, place], -1), 0.0)
        return out

    def ground(self) -> dict[str, np.ndarray]:
        """Fixed layers of the scene, name -> [cells] bool."""
        return {"wall": self.land.walls}

    def scene(self, state: Any) -> grid.Scene:
        body = state.body
        bodies = {"agent": body.here}
        if self.headings:
            relative = (body.facing[None, :] - body.facing[:, None]) % 4
            for k, word in enumerate(("same", "right", "towards", "left")):
                bodies[f"heading.{word}"] = relative == k
        return grid.Scene(self.land, grid.Extent(*self.extent), body, self.ground(), bodies=bodies)

    def aim(self, state: Any) -> Bool[Array, "n n"]:
        return grid.reach(self.land, state.body, *self.beam) & (state.cooling == 0)[:, None]

    def present(self, state: Any) -> Bool[Array, " n"]:
        return state.body.here

    def remove(self, state: Any, who: Bool[Array, " n"], steps: Int[Array, ""]) -> Any:
        out = jnp.where(who & (steps > 0), steps, state.body.out)
        return eqx.tree_at(lambda s: s.body.out, state, out)


def fireable(option: str, beam: tuple[int, ...]) -> None:
    """Refuse a beam that the kernel cannot fire."""
    length, radius = beam if len(beam) == 2 else (0, 0)
    if length < 1 or not 0 <= radius <= length + 1 or sum(map(len, grid.rays(length, radius))) > 31:
        raise Refusal(f"{option} is {beam}; a length of 1 to 6 and a radius of 0 to 2 would be right.")


def drawn(name: str) -> str:
    """The option `map` as it is kept: a map's name, or of a user's file the drawing itself, wherever the file lies.

    A plain word is a name, whatever files are called so.
    """
    file = Path(str(name))
    if "\n" in str(name) or str(name).isidentifier() or len(str(name)) > 4096 or not file.is_file():
        return name
    return files.text(file, f"the map file {name!r}").rstrip("\n") + "\n"


def land(situation: str, map: str, known: Mapping[str, str], sites: str, legend: str, torus: bool = False) -> grid.Land:
    """The land of the option `map`: one of the `known` drawings by name, or a drawing of one's own."""
    if map not in known and "\n" not in map:
        raise Refusal(f"{situation} has no map {map!r}, and there is no such file; the maps are {', '.join(known)}.")
    return parsed(known.get(map, map), sites, legend, f"the map {map!r}" if map in known else "the drawing", torus)


@lru_cache(maxsize=64)
def parsed(text: str, sites: str, legend: str, name: str, torus: bool = False) -> grid.Land:
    """The land of a drawing, parsed once."""
    return grid.Land(text, sites=sites, legend=legend, name=name, torus=torus)
