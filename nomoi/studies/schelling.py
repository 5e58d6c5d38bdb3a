"""Is Commons Harvest a dilemma?  Schelling diagrams of restraint against greed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.learners.fixed import Forager
from nomoi.measure.schelling import Diagram, schelling
from nomoi.situations.harvest import Harvest
from nomoi.study import Claim, Computed, Condition, Results, Study

SOURCE = "derived (Hughes et al. 2018 conditions; spec D.3)"
MAPS = ("small", "open")


def diagram(key: jax.Array, preset: str, worlds: int) -> Mapping[str, float]:
    """Payoff of a cooperator (c) and of a defector (d) by the number of other cooperators, for one seed."""
    found = schelling(key, Harvest.preset(preset), Forager(spare=3), Forager(), seeds=1, worlds=worlds)
    cooperate = {f"c{k}": float(v) for k, v in enumerate(found.cooperate[0])}
    return cooperate | {f"d{k}": float(v) for k, v in enumerate(found.defect[0])}


def conditions(size: str) -> Sequence[Condition]:
    worlds = {"smoke": 2, "laptop": 16, "paper": 64}[size]
    return [Computed(name, diagram, {"preset": name, "worlds": worlds}) for name in MAPS]


def _read(results: Results, name: str) -> Diagram:
    n = Harvest.preset(name).agents
    column = lambda letter: np.stack([results.late(name, f"{letter}{k}") for k in range(n)], 1)  # noqa: E731
    return Diagram(column("c"), column("d"))


def _claims(name: str) -> list[Claim]:
    first, last = 0, Harvest.preset(name).agents - 1

    def gap(one: str, i: int, other: str, j: int):
        return lambda r: r.late(name, f"{one}{i}") - r.late(name, f"{other}{j}")

    unit = "apples an agent"
    return [
        Claim(f"All restrained fare better than all greedy ({name})", SOURCE, gap("c", last, "d", 0), above=0,
              unit=unit),
        Claim(f"The restrained fare better among the restrained ({name})", SOURCE, gap("c", last, "c", first), above=0,
              unit=unit),
        Claim(f"Fear: among the greedy, greed pays ({name})", SOURCE, gap("d", 0, "c", first), above=0, unit=unit),
        Claim(f"Greed: among the restrained, greed pays ({name})", SOURCE, gap("d", last, "c", last), above=0,
              unit=unit),
    ]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page

    out: list[object] = []
    for name in MAPS:
        found = _read(results, name)
        others = np.arange(found.agents)
        figure = figures.schelling(others, found.cooperate, found.defect, ("restrained", "greedy"))
        out.append(
            page.Figure(f"{name} map", figures.svg(figure), "Payoff of one agent in an episode; 95 % intervals.")
        )
    return out


STUDY = Study(
    "schelling",
    "Is the commons a social dilemma for restrained and greedy foragers?",
    [claim for name in MAPS for claim in _claims(name)],
    conditions,
    {"smoke": 1, "laptop": 5, "paper": 20},
    sections,
    "A myopically greedy forager kills its own future, so greed may fail where all others are restrained.",
)
