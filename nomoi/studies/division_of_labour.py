"""Division of labour: what it is worth, and whether norms fill the role that all need and nobody is paid for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.populations.engine import seed_of
from nomoi.populations.labour import EASY, HARD, Factory, Village, learning_for, live
from nomoi.runs.effects import of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial

YAMAN = "Yaman et al. 2023, abstract (the model is ours)"
SMITH = "Smith 1776, as the tutorial quotes it"
OURS = "ours, derived in nomoi/populations/labour.py"
WAYS = {"no norms": "none", "norms, copied at random": "any", "norms, copied from better groups": "better"}


def village(key: jax.Array, needed: int, copying: str, generations: int, steps: int) -> Mapping[str, float]:
    """The last five generations of a world of 30 groups: payoff, share of the hard role, how often it was filled, and
    the norms: how often those in the hard role are fined, and those in the easy one."""
    seed = seed_of(key)
    found = live(Village(needed=needed), 1, seed, generations, steps, copying)
    late = lambda x: float(x[-5:].mean())  # noqa: E731
    return {
        "payoff": late(found.payoff), "hard": late(found.hard), "filled": late(found.filled),
        "easy fined": late(found.norms[..., :, EASY]), "hard fined": late(found.norms[..., :, HARD]),
    }  # fmt: skip


def factory(key: None) -> Mapping[str, float]:
    """The pin factory, by formula."""
    return {
        "alpha at 240": learning_for(240, 18), "alpha at 4800": learning_for(4800, 18), "gain": Factory().gain,
        "trust": Factory().trust, "gain without learning": Factory(learning=1.0).gain,
    }  # fmt: skip


def trials(size: str) -> Sequence[Trial]:
    generations, steps = {"smoke": (3, 20), "laptop": (40, 200), "paper": (100, 1000)}[size]
    out: list[Trial] = [Computed("pin factory", factory, exact=True)]
    for needed in (4, 6):
        out += [Computed(f"{way}, {needed} needed", village,
                         {"needed": needed, "copying": copying, "generations": generations, "steps": steps})
                for way, copying in WAYS.items()]  # fmt: skip
    long = {"needed": 4, "copying": "none", "generations": 1, "steps": 10 * steps}
    return [*out, Computed("no norms, long lives, 4 needed", village, long)]


def _gap(needed: int, one: str, other: str, measure: str):
    return lambda r: r.late(f"{one}, {needed} needed", measure) - r.late(f"{other}, {needed} needed", measure)


def _closed(needed: int):
    """The share of the gap between payoffs without norms and the best there is that selected norms close."""
    best = Village().easy * (1 - needed / Village().agents) + Village().bonus

    def effect(r: Results) -> np.ndarray:
        alone, found = (r.late(f"{way}, {needed} needed", "payoff") for way in (NONE, BETTER))
        return (found - alone) / (best - alone)

    return effect


NONE, ANY, BETTER = WAYS
CLAIMS = [
    Claim("Without norms fewer than needed hold the hard role (4 of 20 needed)", YAMAN,
          of(f"{NONE}, 4 needed", "hard"), below=4 / 20, unit="share"),
    Claim("The same where people live ten times as long", YAMAN, of("no norms, long lives, 4 needed", "hard"),
          below=4 / 20, unit="share"),
    Claim("Without norms fewer than needed hold the hard role (6 of 20 needed)", YAMAN,
          of(f"{NONE}, 6 needed", "hard"), below=6 / 20, unit="share"),
    *(claim for n in (4, 6) for claim in (
        Claim(f"Norms copied from better groups raise payoffs ({n} needed)", YAMAN, _gap(n, BETTER, NONE, "payoff"),
              above=0, unit="reward a period"),
        Claim(f"The norms that are selected fine the easy role more than the hard one ({n} needed)", OURS,
              lambda r, b=f"{BETTER}, {n} needed": r.late(b, "easy fined") - r.late(b, "hard fined"), above=0,
              unit="chance", kind="ours"),
        Claim(f"They close more than half of the gap to the best, h (1 - m / N) + B ({n} needed)", OURS, _closed(n),
              above=0.5, unit="of the gap", kind="ours"),
        Claim(f"It is selection that does it: they bring more than norms copied at random ({n} needed)", OURS,
              _gap(n, BETTER, ANY, "payoff"), above=0, unit="reward a period", kind="control"),
    )),
]  # fmt: skip

READINGS = [
    Reading("alpha at which 18 specialists make 240 times as much a head (certainly fewer than 20 pins, and 4,800)",
            SMITH, of("pin factory", "alpha at 240")),
    Reading("alpha at which they make 4,800 times as much (scarce one pin)", SMITH,
            of("pin factory", "alpha at 4800")),
    Reading("how many times more a head makes in a team without learning (alpha = 1)", OURS,
            of("pin factory", "gain without learning")),
    Reading("reliability of each of 18 stages from which it pays to specialise (alpha = 2.896)", OURS,
            of("pin factory", "trust")),
]  # fmt: skip


SHOWN = ("payoff", "hard", "filled", "easy fined", "hard fined")


def sections(results: Results) -> list[object]:
    from nomoi.report import charts, figures, page
    from nomoi.report import study as reporting

    arms = [label for label in results.records if label != "pin factory"]
    drawn = figures.intervals(
        {a: results.late(a, "payoff") for a in arms}, "reward a period", "Who does what must be done"
    )
    trust = np.linspace(0.5, 1, 101)
    gains = {f"alpha = {a:g}": (trust, np.log10([Factory(learning=a, delivery=float(h)).gain for h in trust]))
             for a in (1.5, 2.0, 2.896)}  # fmt: skip
    least = {f"pays from {Factory().trust:.3f} (alpha = 2.896)": Factory().trust}
    worth = charts.lines(gains, "log10 of output a head, team over alone", "Specialising takes trust",
                         "chance that a stage delivers (18 stages)", marks=least)  # fmt: skip
    return [
        page.Figure("Who does what must be done", figures.svg(drawn), "Mean payoff of the last five generations."),
        page.Figure("Specialising takes trust", figures.svg(worth), "h^K K^(alpha - 1), by what learning is worth."),
        reporting.conditions(results, arms, SHOWN),
    ]


STUDY = Study(
    "division_of_labour",
    "Do norms divide labour where the role that all need does not pay?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 6, "paper": 20},
    sections,
    "The village is a reconstruction: payoffs of the paper were not available to us, and all constants are ours.",
    readings=READINGS,
)
