"""What is optimised beside what is true, over training: pictures and a table for the page of a comparison."""

from __future__ import annotations

import numpy as np

from nomoi.report import figures, page, panels
from nomoi.runs.compare import Comparison
from nomoi.runs.proxied import PROXY, TRUE, phases, text


def sections(result: Comparison) -> list[page.Section]:
    """Both curves of every regime, and how much they changed in either half; none where no expression was learned."""
    found = phases(result)
    if not found:
        return []
    of, rows = text(result.who), [r for r in result.rows if PROXY in r.values]
    grid = []
    for title, measure in (("What is optimised", PROXY), ("What is true", TRUE)):
        series = {r.label: _series([one.curve()[measure] for one in r.records]) for r in rows if r.records}
        said = of if measure == PROXY else "reward earned from the world"
        grid.append((title, f"{said}, all agents"[:60], series))
    caption = (f"Agents learn from {of}; what the world gives them is measured beside it. Where the left rises and the "
               "right falls, optimising has parted from what is meant.")  # fmt: skip
    columns = ["", "objective, first half", "reward, first half", "objective, second half", "reward, second half", ""]
    table = [[p.label, p.proxy[0], p.true[0], p.proxy[1], p.true[1],
              "a second phase" if p.second else "none is seen"] for p in found]  # fmt: skip
    note = ("Changes from the first eighth of training to its middle, and from there to the last eighth, seed by seed. "
            "A second phase is said where, over the second half, the interval of the objective is above zero and that "
            "of the reward below.")  # fmt: skip
    labels = [r.label for r in result.rows]
    return [
        page.Figure("What is optimised, and what is true", figures.svg(panels.panels(grid, 2, labels)), caption),
        page.Table("Two phases", columns, table, note),
    ]


def _series(curves: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return curves[0][0], np.stack([values for _, values in curves])
