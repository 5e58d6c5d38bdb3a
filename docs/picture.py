"""The picture of the README, from what `nomoi compare harvest` gives:

    python docs/picture.py runs docs/harvest.png

It asks for the same comparison, so what the folder `runs` holds is not trained again.  Above, the harvest as agents
learn; below, moments of one episode after training (seed 0) under three of the regimes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import nomoi
from nomoi.grid.frames import telling
from nomoi.grid.paint import PALETTE, paint
from nomoi.grid.still import Still, merged
from nomoi.report import figures
from nomoi.report.comparison import still_of
from nomoi.runs.compare import Comparison

SHOWN = {
    "nothing": "no rule",
    "density levy": "a levy on the last apples of a patch",
    "altar": "an altar says what may be taken, and whoever takes something else may be struck",
}
TIMES, CELL, GAP, WIDTH = (0, 40, 200), 18, 16, 1080  # steps, pixels


def moment(film: Still, t: int) -> Image.Image:
    """One moment with the lines below it, and the blows of the ten steps from there."""
    t = min(t, film.steps - 1)
    now = merged(film, t, t + 10)
    return Image.fromarray(telling(paint(now, 0, CELL), now, t))


def curve(result: Comparison) -> Image.Image:
    """The harvest under all regimes, with the scripts as dotted lines."""
    series = {}
    for row in result.rows:
        drawn = [record.curve()["harvest"] for record in row.records]
        series[row.label] = (drawn[0][0], np.stack([values for _, values in drawn]))
    scripts = {row.label: row.estimate("harvest").mean for row in result.scripts}
    figure = figures.curves(series, "apples an episode", "Harvest under five regimes, as agents learn", scripts)
    with tempfile.TemporaryDirectory() as folder:
        drawing = Image.open(figures.png(figure, Path(folder) / "curve.png")).convert("RGB")
    return drawing.resize((WIDTH, round(drawing.height * WIDTH / drawing.width)), Image.Resampling.LANCZOS)


def picture(result: Comparison) -> Image.Image:
    """The curve, and below it a row of moments for each regime of SHOWN."""
    font, parts = ImageFont.load_default(17), [curve(result)]
    films = {row.label: film for row in result.rows for record in row.records if (film := still_of(record))}
    for label, words in SHOWN.items():
        shots = [moment(films[label], t) for t in TIMES]
        row = Image.new("RGB", (WIDTH, shots[0].height + 30 + GAP), PALETTE["paper"])
        left = (WIDTH - sum(shot.width for shot in shots) - GAP * (len(shots) - 1)) // 2
        ImageDraw.Draw(row).text((left, 22), words, PALETTE["ink"], font, anchor="ls")
        for k, shot in enumerate(shots):
            row.paste(shot, (left + k * (shot.width + GAP), 30))
        parts.append(row)
    out = Image.new("RGB", (WIDTH, sum(part.height for part in parts)), PALETTE["paper"])
    for k, part in enumerate(parts):
        out.paste(part, (0, sum(before.height for before in parts[:k])))
    return out


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python docs/picture.py RUNS FILE.png")
    picture(nomoi.compare("harvest", out=sys.argv[1])).save(sys.argv[2], optimize=True)
