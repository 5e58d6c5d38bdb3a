"""The tragedy of the commons, learned: random agents do tolerably, learning makes it worse, a levy rescues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nomoi.institutions.levy import Levy
from nomoi.runs.effects import Effect, late
from nomoi.runs.study import Claim, Results, Scripted, Study, Trained, Trial
from nomoi.scripts.fixed import Forager, Random
from nomoi.situations.harvest import Harvest

RATES = (0.5, 1.0, 1.5, 2.0, 3.0)
TUTORIAL = "the tutorial (Hadfield et al. 2024), Commons Harvest slides"


def trials(size: str) -> Sequence[Trial]:
    steps = {"smoke": 20_000, "laptop": 500_000, "paper": 10_000_000}[size]
    small, wide = Harvest(), Harvest.preset("open")
    alone = Harvest(agents=1)
    return [
        Scripted("random", small, Random()),
        Scripted("greedy", small, Forager()),
        Scripted("restrained", small, Forager(spare=3)),
        Trained("learned", small, (), steps),
        *(Trained(f"levy {rate:g}", small, (Levy(rate=rate),), steps) for rate in RATES),
        Scripted("random, alone", alone, Random()),
        Trained("learned, alone", alone, (), steps),
        Scripted("random, open", wide, Random()),
        Scripted("restrained, open", wide, Forager(spare=3)),
        Trained("learned, open", wide, (), 2 * steps),
    ]


def _fall(label: str, measure: str):
    """Late value minus that of the first tenth of training."""

    return lambda r: r.late(label, measure) - r.bins(label, measure)[:, 0]


def _rise(label: str, random: str):
    """How far above random play the harvest is in the first tenth of training.

    The first points of a curve come after the first whole episodes, when agents have learned to walk already; so
    the rise is measured from random play, which is where an untrained network begins.  Where a curve is highest is
    not asked: the highest of many points is above random play even where nothing rises.
    """
    return lambda r: r.bins(label, "harvest")[:, 0] - r.late(random, "harvest")


def _published(text: str, effect: Effect, **bounds: Any) -> Claim:
    return Claim(text, TUTORIAL, effect, **bounds)


def _replica(text: str, effect: Effect, **bounds: Any) -> Claim:
    return Claim(text, "ours (one seed, 17 x 11 cells)", effect, unit="apples", kind="replica", **bounds)


CLAIMS = [
    _published("Random agents get OK scores; learning makes them worse (small map)",
               late("harvest", "learned", "random"), below=0, unit="apples"),
    _published("Random agents get OK scores; learning makes them worse (Melting Pot's open map)",
               late("harvest", "learned, open", "random, open"), below=0, unit="apples"),
    _published("The stock falls as training proceeds (small map)", _fall("learned", "stock"), below=0,
               unit="of capacity"),
    _published("The stock falls as training proceeds (open map)", _fall("learned, open", "stock"), below=0,
               unit="of capacity"),
    _replica("What is learned is greed, within 10 apples", late("harvest", "learned", "greedy"), near=0, tolerance=10),
    _replica("Restraint would have fed all better", late("harvest", "restrained", "learned"), above=0),
    _replica("A levy of 2 on sparse apples rescues the commons: more is harvested than at random",
             late("harvest", "levy 2", "random"), above=0),
    _replica("A levy of 1 does not rescue: the last apple is worth nothing, and is taken",
             late("harvest", "levy 1", "random"), below=0),
    Claim("A levy of 0.5 does not rescue (an apple is worth 1)", "ours", late("harvest", "levy 0.5", "random"),
          below=0, unit="apples", kind="ours"),
    Claim("Harvest first rises above random play: the first tenth of training (small map)", "ours",
          _rise("learned", "random"), above=0, unit="apples above random", kind="ours"),
    Claim("Harvest first rises above random play: the first tenth of training (open map)", "ours",
          _rise("learned, open", "random, open"), above=0, unit="apples above random", kind="ours"),
    Claim("Control: one agent alone learns to sustain the patch", "ours",
          late("harvest", "learned, alone", "random, alone"), above=0, unit="apples", kind="control"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    """The curves, and the harvest by rate of the levy."""
    from nomoi.report import figures, page

    def curves(title: str, measure: str, labels: Sequence[str], scripts: Sequence[str]) -> object:
        series = {label: results.curve(label, measure) for label in labels}
        lines = {label: float(np.mean(results.late(label, measure))) for label in scripts}
        unit = "apples an episode" if measure == "harvest" else "of capacity"
        figure = figures.curves(series, unit, title, lines)
        return page.Figure(title, figures.svg(figure), "Mean over seeds, 95 % band; dotted: scripts.")

    names = [f"levy {rate:g}" for rate in RATES]
    return [
        curves("Small map: harvest", "harvest", ["learned"], ["random", "greedy", "restrained"]),
        curves("Small map: stock", "stock", ["learned"], ["random", "restrained"]),
        curves("Open map: harvest", "harvest", ["learned, open"], ["random, open", "restrained, open"]),
        curves("Open map: stock", "stock", ["learned, open"], ["random, open", "restrained, open"]),
        curves("The levy, by rate", "harvest", ["learned", *names], ["random", "restrained"]),
        page.Table(
            "Harvest by rate of the levy",
            ["rate", "harvest", "interval", "zones emptied"],
            [_line(results, label) for label in ("learned", *names)],
            "Means over the last eighth of training.",
        ),
    ]


def _line(results: Results, label: str) -> list[str]:
    from nomoi.measure.statistics import estimate, number

    found = estimate(results.late(label, "harvest"))
    gone = estimate(results.late(label, "depletion"))
    return [label, number(found.mean), found.interval(), number(gone.mean)]


STUDY = Study(
    "tragedy",
    "Does learning make a commons worse than random behaviour, and at which rate does a levy rescue it?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 8, "paper": 10},
    sections,
    first=10,
)
