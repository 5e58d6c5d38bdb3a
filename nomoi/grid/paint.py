"""Painting: one painter for all maps, so that no situation draws itself.

`trace` keeps, inside `jit` and `scan`, what a scene shows to a bystander; `still` makes NumPy of it; `paint`, `strip`
and `film` make pictures.  What the palette does not know gets a colour of its own, the same in every picture.
"""

from __future__ import annotations

import colorsys
import io
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from nomoi.errors import Refusal
from nomoi.grid.scene import Scene

# Names are those of planes, kinds and marks, or the last part of a dotted one ("berry.red" is red).
PALETTE: dict[str, str] = {
    "floor": "#f4f1e9", "line": "#e7e2d6", "ink": "#262a31", "paper": "#ffffff", "note": "#6b7079", "wall": "#69717c",
    "closed": "#b08a8a", "altar": "#8b6fb5", "river": "#8fc1dc", "water": "#8fc1dc", "grass": "#c5d8a4",
    "dirt": "#7a5c3e", "apple": "#cc3b33", "berry": "#cc3b33", "red": "#cc3b33", "blue": "#2f6db5", "green": "#6fae3e",
    "orange": "#e08a1e", "yellow": "#dcb920", "violator": "#b8324f", "frozen": "#4aa3c7", "hurt": "#d9622b",
}  # fmt: skip
# Okabe and Ito's colours, which stay apart for the colour-blind; agents 9 to 16 bear them again with a white heart.
AGENTS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#4d535c")
KINDS = ("red", "blue", "green", "orange", "yellow")
FORMS = {"wall": "solid", "closed": "hatch", "altar": "frame", "dirt": "blot", "river": "wash", "water": "wash"}
FORMS |= dict.fromkeys(("apple", "berry", *KINDS), "dot")
FORMS |= dict.fromkeys((f"bush.{kind}" for kind in KINDS), "ring") | {"bush.ripe": ""}  # the goods say it
QUIET = ("agent",)  # marks that say no more than that there is an agent
FACTS, ARRAYS = ("height", "width", "planes", "fixed", "kinds"), ("codes", "goods", "cell", "facing", "out")


@dataclass(frozen=True)
class Still:
    """What a bystander sees, at one moment or (with a leading axis T) at many.

    height, width        of the map in cells;   planes   names of the bits of `codes`, the first `fixed` of them fixed
    codes [T?, H, W]     uint32, one bit a plane;   goods [T?, H, W]   kind of what can be taken there now, or -1
    cell, facing, out    [T?, n] the bodies;   marks   name -> [T?, n] bool;   kinds   names of the goods, if known
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

    @property
    def steps(self) -> int:
        """How many moments there are."""
        return len(self.codes) if self.codes.ndim == 3 else 1

    def at(self, t: int) -> Still:
        """The moment `t` alone (negative counts from the end)."""
        if self.codes.ndim == 2:
            return self
        marks = {name: value[t] for name, value in self.marks.items()}
        return replace(self, marks=marks, **{name: getattr(self, name)[t] for name in ARRAYS})

    def shows(self, plane: str) -> np.ndarray:
        """[T?, H, W] bool: where the plane is to be seen."""
        return (self.codes >> np.uint32(self.planes.index(plane)) & 1).astype(bool)


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


def still(scene: Scene, traced: Mapping[str, Any] | None = None, kinds: Sequence[str] = ()) -> Still:
    """A Still of the scene, or of what `trace` recorded of scenes like it (then `scene` may be abstract)."""
    ground, sites, _ = _public(scene)
    land, parts = scene.land, _parts(trace(scene) if traced is None else traced)
    return Still(land.height, land.width, (*ground, *sites), len(ground), **parts, kinds=tuple(kinds))


def _parts(traced: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a Still that `trace` recorded."""
    arrays = {name: np.asarray(value) for name, value in traced.items()}
    marks = {name.removeprefix("mark."): value for name, value in arrays.items() if name.startswith("mark.")}
    return {name: arrays[name] for name in ARRAYS} | {"marks": marks}


def pack(still: Still) -> dict[str, np.ndarray]:
    """A Still as named arrays, for a record."""
    facts = {name: getattr(still, name) for name in FACTS}
    arrays = {f"mark.{name}": value for name, value in still.marks.items()}
    arrays |= {name: getattr(still, name) for name in ARRAYS}
    return arrays | {"facts": np.frombuffer(json.dumps(facts).encode(), np.uint8)}


def unpack(arrays: Mapping[str, np.ndarray]) -> Still:
    """The Still that `pack` packed."""
    facts = json.loads(arrays["facts"].tobytes())
    facts |= {name: tuple(facts[name]) for name in ("planes", "kinds")}
    return Still(**facts, **_parts(arrays))


def colour(name: str, kinds: Sequence[str] = ()) -> str:
    """The colour of a plane, kind or mark, "#rrggbb": the palette's, a kind's ("altar.trace.0"), or one of its own."""
    last = name.rpartition(".")[2]
    if last.isdigit() and last != name:
        return colour(_kind(int(last), kinds))
    if name in PALETTE or last in PALETTE:
        return PALETTE.get(name, PALETTE.get(last, ""))
    word = zlib.crc32(name.encode())
    rgb = colorsys.hls_to_rgb(word % 360 / 360, 0.45 + word // 360 % 3 * 0.07, 0.45)
    return "#" + "".join(f"{round(255 * x):02x}" for x in rgb)


def _kind(kind: int, kinds: Sequence[str]) -> str:
    """The name of a kind of goods, where none is known that of a colour."""
    return kinds[kind] if kind < len(kinds) else KINDS[kind] if kind < len(KINDS) else f"kind {kind}"


def legend(still: Still) -> list[tuple[str, str]]:
    """(name, colour) of all that is to be seen at some moment: planes, kinds of goods, marks."""
    goods = [int(k) for k in np.unique(still.goods[still.goods >= 0])]
    shown = {p: still.shows(p) for p in still.planes}
    # The dots of the goods stand for the planes that show nothing else.
    said = {p for p in shown if _form(still, p) in ("dot", "") and not (shown[p] & (still.goods < 0)).any()}
    planes = {p: colour(p, still.kinds) for p in shown if shown[p].any() and p not in said}
    kinds = {_kind(k, still.kinds): colour(_kind(k, still.kinds)) for k in goods}
    marks = {m: colour(m, still.kinds) for m, who in still.marks.items() if m not in QUIET and who.any()}
    return list((planes | kinds | marks).items())


def _form(still: Still, plane: str) -> str:
    """How a plane is drawn; "" where the dots of the goods say it already."""
    last = plane.rpartition(".")[2]
    if last.isdigit() and last != plane and (still.goods >= 0).any():
        return ""
    default = "wash" if still.planes.index(plane) < still.fixed else "ring"
    return FORMS.get(plane, FORMS.get(last, default))


@lru_cache(maxsize=256)
def _mask(form: str, px: int) -> np.ndarray:
    """[px, px, 1] how much of each pixel a form covers, smooth at its edges."""
    fine = 8
    at = (np.arange(px * fine) + 0.5) / (px * fine) * 2 - 1
    y, x = at[:, None], at[None, :]
    r, rim = np.hypot(x, y), np.maximum(abs(x), abs(y))
    beak = np.maximum(0.8 * abs(x) - 0.6 * y - 0.476, y + 0.2)  # a wedge to the north, tangent to the disc
    agent = np.minimum(np.hypot(x, y - 0.14) - 0.56, beak)
    forms = {
        "solid": np.ones_like(r),
        "wash": np.full_like(r, 0.55),
        "line": rim > 1 - 1 / px,
        "frame": np.where((rim < 0.9) & (rim > 0.66), 0.9, 0.3),
        "hatch": np.where((x + y) % 0.5 < 0.17, 0.85, 0.22),
        "blot": np.where(r < 0.78 + 0.06 * np.sin(3 * np.arctan2(y, x) + 1), 0.8, 0.0),
        "dot": r < 0.52,
        "ring": (r < 0.62) & (r > 0.4),
        "outline": agent < 0.16,
        "agent": agent < 0,
        "heart": np.hypot(x, y - 0.14) < 0.27,
    }
    if form[:-1] in ("badge", "seat"):  # one of four corners, in the order in which they fill up
        cx, cy = [(0.68, -0.68), (-0.68, -0.68), (-0.68, 0.68), (0.68, 0.68)][int(form[-1])]
        forms[form] = np.hypot(x - cx, y - cy) < (0.31 if form[:-1] == "badge" else 0.45)
    return np.asarray(forms[form], np.float32).reshape(px, fine, px, fine).mean((1, 3))[..., None]


def _rgb(*hexes: str) -> np.ndarray:
    """[k, 3] of 0..255 from "#rrggbb"."""
    return np.array([list(bytes.fromhex(h[1:])) for h in hexes], np.float32).reshape(-1, 3)


def _lay(tiles: np.ndarray, where: np.ndarray, mask: np.ndarray, colours: np.ndarray) -> None:
    """Cover cells `where` [H, W] of tiles [H, W, px, px, 3] with a mask, in one colour [1, 3] or one each [k, 3]."""
    old = tiles[where]
    tiles[where] = old + mask * (np.broadcast_to(colours, (len(old), 3))[:, None, None] - old)


def paint(still: Still, t: int = 0, cell_px: int = 16) -> np.ndarray:
    """The map at moment `t`: [H * cell_px, W * cell_px, 3] uint8."""
    now, px = still.at(t), cell_px
    tiles = np.tile(_rgb(PALETTE["floor"]), (now.height, now.width, px, px, 1))
    _lay(tiles, np.ones(now.codes.shape, bool), _mask("line", px), _rgb(PALETTE["line"]))
    for plane in now.planes:
        if form := _form(now, plane):
            where = now.shows(plane) & ((now.goods < 0) | (form != "dot"))
            _lay(tiles, where, _mask(form, px), _rgb(colour(plane, now.kinds)))
    live = now.goods >= 0
    _lay(tiles, live, _mask("dot", px), _rgb(*(colour(_kind(k, now.kinds)) for k in now.goods[live].tolist())))
    _agents(tiles, now)
    return np.rint(tiles.transpose(0, 2, 1, 3, 4)).astype(np.uint8).reshape(now.height * px, now.width * px, 3)


def _agents(tiles: np.ndarray, now: Still) -> None:
    """Discs with a nose; a mark is a badge in a corner of its own."""
    px = tiles.shape[2]
    marks = [name for name in sorted(now.marks) if name not in QUIET]
    for i in np.flatnonzero(now.out == 0):
        at = np.zeros(now.codes.shape, bool)
        at.flat[now.cell[i]] = True
        parts = [("outline", PALETTE["ink"]), ("agent", AGENTS[i % len(AGENTS)]), ("heart", PALETTE["paper"])]
        for form, tone in parts[: 2 + i // len(AGENTS) % 2]:  # np.rot90 turns to the left
            _lay(tiles, at, np.rot90(_mask(form, px), -int(now.facing[i])), _rgb(tone))
        for place, name in enumerate(marks):
            if now.marks[name][i]:
                _lay(tiles, at, _mask(f"seat{place % 4}", px), _rgb(PALETTE["paper"]))
                _lay(tiles, at, _mask(f"badge{place % 4}", px), _rgb(colour(name, now.kinds)))


def _labelled(picture: np.ndarray, left: str, right: str = "") -> Any:
    """A picture, as one of Pillow's, with a line of text below it."""
    from PIL import Image, ImageDraw, ImageFont

    font, (height, width) = ImageFont.load_default(12), picture.shape[:2]
    while font.getlength(left) + font.getlength(right) > width - 10 and len(left) > 1:
        left = left[:-2] + "…"
    out = Image.new("RGB", (width, height + 22), PALETTE["paper"])
    out.paste(Image.fromarray(picture), (0, 0))
    pen = ImageDraw.Draw(out)
    pen.text((1, height + 16), left, PALETTE["ink"], font, anchor="ls")
    pen.text((width - 2, height + 16), right, PALETTE["note"], font, anchor="rs")
    return out


def strip(still: Still, times: Sequence[int], cell_px: int = 12) -> np.ndarray:
    """Some moments side by side, each with its step below: [height, width, 3] uint8."""
    shots = [np.asarray(_labelled(paint(still, t, cell_px), f"step {t % still.steps}")) for t in times]
    gap = np.full((shots[0].shape[0], cell_px, 3), 255, np.uint8)
    return np.concatenate([part for shot in shots for part in (gap, shot)][1:], 1)


def film(
    stills: Still | Sequence[Still], path: str | Path | None = None, fps: float = 10.0, caption: str | None = None,
    cell_px: int = 14, most: int = 150, form: str = "",
) -> bytes:  # fmt: skip
    """An animation of about `most` frames at most, evenly spaced; its bytes, also written to `path` where it is given.

    `form` is webp or gif, by default as the path ends.  With a caption, that and the step stand below the map.
    """
    from PIL import Image

    form = form or ("gif" if str(path).lower().endswith(".gif") else "webp")
    options: dict[str, dict[str, Any]] = {"webp": {"lossless": True, "method": 3}, "gif": {"optimize": True}}
    if form not in options:
        raise Refusal(f"a film cannot be {form!r}; webp or gif would be right.")
    parts, frames = [stills] if isinstance(stills, Still) else stills, []
    moments = [(part, t) for part in parts for t in range(part.steps)]
    for step, (part, t) in list(enumerate(moments))[:: -(-len(moments) // most)]:
        picture = paint(part, t, cell_px)
        frames.append(Image.fromarray(picture) if caption is None else _labelled(picture, caption, f"step {step}"))
    times = {"save_all": True, "append_images": frames[1:], "loop": 0, "duration": round(1000 / fps)}
    frames[0].save(out := io.BytesIO(), form, **options[form], **times)
    if path is not None:
        Path(path).write_bytes(out.getvalue())
    return out.getvalue()
