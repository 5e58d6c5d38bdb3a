"""Frames: pictures of a run side by side (`strip`) or one after the other (`film`), with what the map cannot say."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from nomoi.errors import Refusal
from nomoi.grid.paint import AGENTS, PALETTE, colour, kind_name, paint
from nomoi.grid.still import Still, merged

ROW, TYPE = 20, 12  # pixels of a line below the map, and of its letters


def _labelled(picture: np.ndarray, left: str) -> np.ndarray:
    """A picture with a line of text below it."""
    from PIL import Image, ImageDraw

    height, width = picture.shape[:2]
    out = Image.new("RGB", (width, height + 22), PALETTE["paper"])
    out.paste(Image.fromarray(picture), (0, 0))
    pen = ImageDraw.Draw(out)
    pen.text((1, height + 16), _cut(left, width - 2), PALETTE["ink"], _font(), anchor="ls")
    return np.asarray(out)


@lru_cache
def _font() -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(TYPE)


def _cut(text: str, room: float) -> str:
    """As much of a text as there is room for."""
    while _font().getlength(text) > room and len(text) > 1:
        text = text[:-2] + "…"
    return text


def strip(still: Still, times: Sequence[int], cell_px: int = 12) -> np.ndarray:
    """Some moments side by side, each with its step below: [height, width, 3] uint8."""
    shots = [_labelled(paint(still, t, cell_px), f"step {t % still.steps}") for t in times]
    gap = np.full((shots[0].shape[0], cell_px, 3), 255, np.uint8)
    return np.concatenate([part for shot in shots for part in (gap, shot)][1:], 1)


def film(
    stills: Still | Sequence[Still], path: str | Path | None = None, fps: float = 10.0, caption: str | None = None,
    cell_px: int = 14, most: int = 150, form: str = "", told: bool = False,
) -> bytes:  # fmt: skip
    """An animation of about `most` frames at most, evenly spaced; its bytes, also written to `path` where it is given.

    `form` is webp or gif, by default as the path ends.  Where it is `told`, lines below the map say the step, what is
    displayed, who is in play and who carries a mark, and what is left; so does a `caption`, which is the first line.
    A frame shows all blows from its step to the next one shown.
    """
    from PIL import Image

    form = form or ("gif" if str(path).lower().endswith(".gif") else "webp")
    # without key frames between, which take as long again to look for and save nothing
    webp = {"lossless": True, "method": 3, "kmin": 0, "kmax": 0}
    options: dict[str, dict[str, Any]] = {"webp": webp, "gif": {"optimize": True}}
    if form not in options:
        raise Refusal(f"a film cannot be {form!r}; webp or gif would be right.")
    parts, frames = [stills] if isinstance(stills, Still) else stills, []
    moments = [(part, t) for part in parts for t in range(part.steps)]
    stride = -(-len(moments) // most)
    for step, (part, t) in list(enumerate(moments))[::stride]:
        now = merged(part, t, t + stride)
        picture = paint(now, 0, cell_px)
        if told or caption is not None:
            picture = telling(picture, now, step, caption or "")
        frames.append(Image.fromarray(picture))
    times = {"save_all": True, "append_images": frames[1:], "loop": 0, "duration": round(1000 / fps)}
    frames[0].save(out := io.BytesIO(), form, **options[form], **times)
    if path is not None:
        Path(path).write_bytes(out.getvalue())
    return out.getvalue()


def telling(picture: np.ndarray, now: Still, step: int, caption: str = "") -> np.ndarray:
    """The picture of one moment with lines below it: caption and step; what is displayed; who is in play; the stock."""
    from PIL import Image, ImageDraw

    height, width = picture.shape[:2]
    lines = 1 + bool(caption) + len(now.boards) + (now.stock is not None)
    out = Image.new("RGB", (width, height + ROW * lines + 6), PALETTE["paper"])
    out.paste(Image.fromarray(picture), (0, 0))
    pen, font, y = ImageDraw.Draw(out), _font(), height + 3

    def write(x: float, text: str, tone: str = PALETTE["ink"], anchor: str = "lm") -> float:
        pen.text((x, y + ROW / 2), text, tone, font, anchor=anchor)
        return x + font.getlength(text)

    right = width - 4 - font.getlength(stepped := f"step {step}")
    if caption:
        write(4, _cut(caption, width - 8))
        y += ROW
    for name in now.boards:
        line, kind = now.says(name), int(now.posted[name])
        tone = colour(kind_name(kind, now.kinds)) if kind < len(now.kinds) else PALETTE["paper"]
        pen.rectangle((4, y + 4, 15, y + ROW - 5), tone, PALETTE["ink"])
        write(20, _cut(f"{name}: {line}", width - 24))
        y += ROW
    write(right, stepped, PALETTE["note"])
    _people(pen, now, y, right - 6)
    if now.stock is not None:
        y += ROW
        _left(pen, now, y, width, write)
    return np.asarray(out)


def _people(pen: Any, now: Still, y: int, room: float) -> None:
    """A disc for each agent: hollow and crossed out while it is out of play, with a dot while it bears a mark."""
    n = len(now.cell)
    apart = min(15.0, (room - 4) / max(n, 1))
    marked = np.any(
        [now.marks[m] for m in now.marks if m.endswith(".violator") or m.endswith(".marked")] or [[0] * n], 0
    )
    r = min(5.5, apart / 2 - 0.5)
    for i in range(n):
        x, mid = 4 + apart * (i + 0.5), y + ROW / 2
        box = (x - r, mid - r, x + r, mid + r)
        if now.out[i] > 0:
            pen.ellipse(box, PALETTE["paper"], PALETTE["note"])
            pen.line((x - r, mid + r, x + r, mid - r), PALETTE["note"])
        else:
            pen.ellipse(box, AGENTS[i % len(AGENTS)], PALETTE["ink"])
        if marked[i]:
            pen.ellipse((x, mid - r - 2, x + r + 1, mid - 1), PALETTE["violator"], PALETTE["paper"])


def _left(pen: Any, now: Still, y: int, width: int, write: Any) -> None:
    """A bar of what is left, kind by kind, and the number."""
    stock, most = np.asarray(now.stock, float), max(sum(now.capacity), 1e-9)
    x = write(4, "left ") + 2
    text = f" {stock.sum():.3g} of {most:.3g}"
    end = width - 8 - max(_font().getlength(text), _font().getlength(f" {most:.3g} of {most:.3g}"))
    pen.rectangle((x, y + 5, end, y + ROW - 6), PALETTE["floor"], PALETTE["note"])
    at = x
    for kind, amount in enumerate(stock):
        to = at + (end - x) * amount / most
        if to - at > 0.5:
            pen.rectangle((at, y + 5, to, y + ROW - 6), colour(kind_name(kind, now.kinds)))
        at = to
    write(end + 2, text, PALETTE["note"])
