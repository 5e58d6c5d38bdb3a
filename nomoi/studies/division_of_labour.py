"""Division of labour: what it is worth, and whether norms fill the role that all need and nobody is paid for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.populations.engine import seed_of
from nomoi.populations.labour import EASY, HARD, Factory, Village, learning_for, live
from nomoi.study import Claim, Computed, Condition, Results, Study

YAMAN = "Yaman et al. 2023 (abstract); the model is ours (spec F.5)"
SMITH = "Smith 1776 (seed)"
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


def factory(key: jax.Array) -> Mapping[str, float]:
    """The pin factory, by formula."""
    return {
        "alpha at 240": learning_for(240, 18), "alpha at 4800": learning_for(4800, 18), "gain": Factory().gain,
        "trust": Factory().trust, "gain without learning": Factory(learning=1.0).gain,
    }  # fmt: skip


def conditions(size: str) -> Sequence[Condition]:
    generations, steps = {"smoke": (3, 20), "laptop": (40, 200), "paper": (100, 1000)}[size]
    out: list[Condition] = [Computed("pin factory", factory)]
    for needed in (4, 6):
        out += [Computed(f"{way}, {needed} needed", village,
                         {"needed": needed, "copying": copying, "generations": generations, "steps": steps})
                for way, copying in WAYS.items()]  # fmt: skip
    long = {"needed": 4, "copying": "none", "generations": 1, "steps": 10 * steps}
    return [*out, Computed("no norms, long lives, 4 needed", village, long)]


def _late(label: str, measure: str):
    return lambda r: r.late(label, measure)


def _gap(needed: int, one: str, other: str, measure: str):
    return lambda r: r.late(f"{one}, {needed} needed", measure) - r.late(f"{other}, {needed} needed", measure)


NONE, ANY, BETTER = WAYS
CLAIMS = [
    Claim("From certainly fewer than 20 pins to 4,800 a head with 18 operations takes alpha = 2.896", SMITH,
          _late("pin factory", "alpha at 240"), "20 and 4,800 pins a day", near=2.8962, tolerance=1e-4),
    Claim("From scarce one pin it takes alpha = 3.933", SMITH, _late("pin factory", "alpha at 4800"),
          "1 and 4,800 pins a day", near=3.9326, tolerance=1e-4),
    Claim("Without learning a team makes no more a head", "derived (spec F.4)",
          _late("pin factory", "gain without learning"), near=1, tolerance=1e-9),
    Claim("Where each of 18 stages must deliver, specialising pays from a reliability of .7375 on",
          "derived (spec F.4)", _late("pin factory", "trust"), near=0.7375, tolerance=1e-4),
    Claim("Without norms fewer than needed hold the hard role (4 of 20 needed)", YAMAN,
          _late(f"{NONE}, 4 needed", "hard"), below=4 / 20, unit="share"),
    Claim("The same where people live ten times as long", YAMAN, _late("no norms, long lives, 4 needed", "hard"),
          below=4 / 20, unit="share"),
    Claim("Without norms fewer than needed hold the hard role (6 of 20 needed)", YAMAN,
          _late(f"{NONE}, 6 needed", "hard"), below=6 / 20, unit="share"),
    *(claim for n in (4, 6) for claim in (
        Claim(f"Norms copied from better groups raise payoffs ({n} needed)", YAMAN, _gap(n, BETTER, NONE, "payoff"),
              above=0, unit="reward a period"),
        Claim(f"It is selection that does it: they bring more than norms copied at random ({n} needed)",
              "control (ours)", _gap(n, BETTER, ANY, "payoff"), above=0, unit="reward a period"),
        Claim(f"The norms that are selected fine the easy role more than the hard one ({n} needed)", YAMAN,
              lambda r, b=f"{BETTER}, {n} needed": r.late(b, "easy fined") - r.late(b, "hard fined"), above=0,
              unit="chance"),
        Claim(f"Payoffs come near the best, h (1 - m / N) + B ({n} needed)", "inferred (spec F.5)",
              _late(f"{BETTER}, {n} needed", "payoff"), near=3 - n / 20, tolerance=0.25, unit="reward a period"),
    )),
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
    conditions,
    {"smoke": 1, "laptop": 6, "paper": 20},
    sections,
    "The village is a reconstruction: payoffs of the paper were not available to us, and all constants are ours.",
)
