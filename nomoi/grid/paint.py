"""Painting: one painter for all maps, so that no situation draws itself.

`paint` makes a picture of a Still (nomoi.grid.still); nomoi.grid.frames sets pictures side by side, or one after the
other.  What the palette does not know gets a colour of its own, the same in every picture.
"""

from __future__ import annotations

import colorsys
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from nomoi.grid.still import Still

# Names are those of planes, kinds and marks, or the last part of a dotted one ("berry.red" is red).
PALETTE: dict[str, str] = {
    "floor": "#f4f1e9", "line": "#e7e2d6", "ink": "#262a31", "paper": "#ffffff", "note": "#6b7079", "wall": "#69717c",
    "closed": "#b08a8a", "altar": "#8b6fb5", "river": "#8fc1dc", "water": "#8fc1dc", "grass": "#c5d8a4",
    "dirt": "#7a5c3e", "apple": "#d55e00", "berry": "#d55e00", "red": "#d55e00", "blue": "#0072b2", "green": "#009e73",
    "orange": "#e69f00", "yellow": "#f0e442", "violator": "#b8324f", "frozen": "#4aa3c7", "hurt": "#d9622b",
    "goal": "#009e73", "sign": "#f0e442",
}  # fmt: skip
# Okabe and Ito's colours (2008), which stay apart for the colour-blind; agents 9 to 16 bear them with a white heart.
# The five kinds of goods above have theirs from the same eight (red is vermillion); agents have another form.
AGENTS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#4d535c")
KINDS = ("red", "blue", "green", "orange", "yellow")
FORMS = {"wall": "solid", "closed": "hatch", "altar": "frame", "dirt": "blot", "river": "wash", "water": "wash"}
FORMS |= dict.fromkeys(("apple", "berry", "goal", *KINDS), "dot") | {"sign": "wash"}
FORMS |= dict.fromkeys((f"bush.{kind}" for kind in KINDS), "ring") | {"bush.ripe": ""}  # the goods say it
QUIET = ("agent",)  # marks that say no more than that there is an agent


def colour(name: str, kinds: Sequence[str] = ()) -> str:
    """The colour of a plane, kind or mark, "#rrggbb": the palette's, a kind's ("altar.trace.0"), or one of its own."""
    last = name.rpartition(".")[2]
    if last.isdigit() and last != name:
        return colour(kind_name(int(last), kinds))
    if name in PALETTE or last in PALETTE:
        return PALETTE.get(name, PALETTE.get(last, ""))
    word = zlib.crc32(name.encode())
    rgb = colorsys.hls_to_rgb(word % 360 / 360, 0.45 + word // 360 % 3 * 0.07, 0.45)
    return "#" + "".join(f"{round(255 * x):02x}" for x in rgb)


def kind_name(kind: int, kinds: Sequence[str]) -> str:
    """The name of a kind of goods, where none is known that of a colour."""
    return kinds[kind] if kind < len(kinds) else KINDS[kind] if kind < len(KINDS) else f"kind {kind}"


def legend(still: Still) -> list[tuple[str, str]]:
    """(name, colour) of all that is to be seen at some moment: planes, kinds of goods, marks."""
    goods = [int(k) for k in np.unique(still.goods[still.goods >= 0])]
    shown = {p: still.shows(p) for p in still.planes}
    # The dots of the goods stand for the planes that show nothing else.
    said = {p for p in shown if _form(still, p) in ("dot", "") and not (shown[p] & (still.goods < 0)).any()}
    planes = {p: colour(p, still.kinds) for p in shown if shown[p].any() and p not in said}
    kinds = {kind_name(k, still.kinds): colour(kind_name(k, still.kinds)) for k in goods}
    marks = {_said(m): colour(m, still.kinds) for m, who in still.marks.items() if m not in QUIET and who.any()}
    signs = {}
    if still.struck is not None and still.struck.any():
        signs["line to a cross: a blow"] = PALETTE["ink"]
    if (still.out > 0).any():
        signs["crossed-out disc: out of play"] = PALETTE["note"]
    return list((planes | kinds | marks | signs).items())


def looks(still: Still) -> list[tuple[str, str, str]]:
    """(name, form, colour) of each plane, lowest bit first: for whoever paints elsewhere, such as a browser."""
    return [(p, _form(still, p), colour(p, still.kinds)) for p in still.planes]


def _said(mark: str) -> str:
    """A mark in a legend."""
    owner, _, last = mark.rpartition(".")
    return f"carries a violation ({owner})" if last == "violator" else mark


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
        "inside": rim < 0.62,
        "cross": (np.minimum(abs(x - y), abs(x + y)) < 0.26) & (rim < 0.62),
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
    _lay(tiles, live, _mask("dot", px), _rgb(*(colour(kind_name(k, now.kinds)) for k in now.goods[live].tolist())))
    _boards(tiles, now)
    _agents(tiles, now)
    picture = tiles.transpose(0, 2, 1, 3, 4).reshape(now.height * px, now.width * px, 3)
    _strikes(picture, now, px)
    return np.rint(picture).astype(np.uint8)


def _boards(tiles: np.ndarray, now: Still) -> None:
    """What an institution displays, on its place: in the colour of the kind, crossed out where that is forbidden."""
    for name in now.boards.keys() & set(now.planes[: now.fixed]):
        line, kind = now.says(name), int(now.posted[name])
        if line.startswith("hidden"):
            continue
        named = kind < len(now.kinds)
        tone = colour(kind_name(kind, now.kinds)) if named else PALETTE["ink"]
        _lay(tiles, now.shows(name), _mask("inside", tiles.shape[2]), _rgb(tone if named else PALETTE["paper"]))
        if "forbidden" in line:
            _lay(tiles, now.shows(name), _mask("cross", tiles.shape[2]), _rgb(PALETTE["ink"]))


def _strikes(picture: np.ndarray, now: Still, px: int) -> None:
    """Lines in the strikers' colours, from each to whom it strikes, who gets a cross."""
    if now.struck is None:
        return
    for i, j in zip(*np.nonzero(now.struck), strict=True):
        for start, end in _lines(now, int(i), int(j), px):
            cut = start + (end - start) * min(1.0, 0.45 * px / max(np.hypot(*(end - start)), 1e-9))
            for width, tone in ((0.3 * px, PALETTE["ink"]), (0.15 * px, AGENTS[i % len(AGENTS)])):
                _stroke(picture, cut, end, width, tone)
            for turn in (np.array([1.0, 1.0]), np.array([1.0, -1.0])):
                for width, tone in ((0.24 * px, PALETTE["paper"]), (0.12 * px, PALETTE["ink"])):
                    _stroke(picture, end - 0.24 * px * turn, end + 0.24 * px * turn, width, tone)


def _lines(now: Still, i: int, j: int, px: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(start, end) in pixels, down and across, from body i to body j: two where the way leads over the edge."""
    size = np.array([now.height, now.width])
    start, end = (np.array(np.divmod(int(now.cell[k]), now.width)) for k in (i, j))
    way = end - start
    if now.torus:
        way = (way + size // 2) % size - size // 2
    yield (start + 0.5) * px, (start + way + 0.5) * px
    if (start + way != end).any():
        yield (end - way + 0.5) * px, (end + 0.5) * px


def _stroke(picture: np.ndarray, start: np.ndarray, end: np.ndarray, width: float, tone: str) -> None:
    """A line with round ends on [height, width, 3] floats."""
    near = [np.clip((min(a, b) - width, max(a, b) + width + 1), 0, n).astype(int)
            for a, b, n in zip(start, end, picture.shape, strict=False)]  # fmt: skip
    part = picture[slice(*near[0]), slice(*near[1])]  # where it may leave a trace
    y, x = np.ogrid[slice(*near[0]), slice(*near[1])]
    way = end - start
    along = ((y + 0.5 - start[0]) * way[0] + (x + 0.5 - start[1]) * way[1]) / max(way @ way, 1e-9)
    along = np.clip(along, 0, 1)
    far = np.hypot(y + 0.5 - start[0] - along * way[0], x + 0.5 - start[1] - along * way[1])
    part += np.clip(width / 2 + 0.5 - far, 0, 1)[..., None] * (_rgb(tone)[0] - part)


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
