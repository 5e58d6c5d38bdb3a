"""The altar with the zones' own colours in view: what does it take to learn what a colour at the altar means?"""

from __future__ import annotations

from collections.abc import Sequence

from nomoi.core import build
from nomoi.learners.ppo import PPO
from nomoi.runs import effects
from nomoi.runs.study import Claim, Results, Study, Trained, Trial
from nomoi.situations.harvest import Harvest
from nomoi.studies.altar import (
    ALTAR,
    BEAMS,
    CENTRAL,
    HIDDEN,
    LEARNER,
    REACH,
    SHORT,
    SHOWN,
    SLIDES,
    changes,
    comparisons,
    norm,
)

# lever -> learner, and how many times the base length
LEVERS: dict[str, tuple[PPO, int]] = {
    "twice as long": (LEARNER, 2),
    "memory (GRU)": (build(PPO, recurrent=True), 1),
    "twice as wide": (build(PPO, hidden=128), 1),
    "gated by what was read (FiLM)": (build(PPO, film="altar.mind"), 1),
}
CURRICULUM, CONTROL = "told to all first, then at the altar", "told to all first, then hidden"


BEAM = "Melting Pot's beam"


def _named(lever: str, display: str) -> str:
    return f"{lever}: {display}"


def trials(size: str) -> Sequence[Trial]:
    base = {"smoke": 10_000, "laptop": 800_000, "paper": 100_000_000}[size]
    place = build(Harvest, **REACH)
    small = build(PPO, worlds=16, steps=32, minibatches=4)
    out = [
        Trained(HIDDEN, place, norm("hidden", "raw"), base, LEARNER),
        Trained(ALTAR, place, norm("place", "raw"), base, LEARNER),
        Trained(CENTRAL, place, norm("broadcast", "raw"), base, LEARNER),
        Trained(CONTROL, place, norm("hidden", "raw"), base, LEARNER, parent=CENTRAL),
        Trained(CURRICULUM, place, norm("place", "raw"), base, LEARNER, parent=CENTRAL),
    ]
    near = build(Harvest, **BEAMS[SHORT])
    out += [
        Trained(_named(BEAM, "altar"), near, norm("place", "raw"), base, LEARNER),
        Trained(_named(BEAM, "hidden"), near, norm("hidden", "raw"), base, LEARNER),
    ]
    for lever, (learner, times) in LEVERS.items():
        out.append(Trained(_named(lever, "altar"), place, norm("place", "raw"), times * base, learner))
        out.append(Trained(_named(lever, "hidden"), place, norm("hidden", "raw"), times * base, learner))
    if size == "smoke":
        return [Trained(c.label, c.situation, c.under, base, small, parent=c.parent) for c in out]
    return out


PAIRS = {
    "no lever": (ALTAR, HIDDEN), BEAM: (_named(BEAM, "altar"), _named(BEAM, "hidden")),
    "told to all first": (CURRICULUM, CONTROL),
}  # fmt: skip
PAIRS |= {k: (_named(k, "altar"), _named(k, "hidden")) for k in LEVERS}


def _claims() -> list[Claim]:
    return [
        Claim(f"The altar feeds more than a hidden rule ({lever})", SLIDES, effects.late("harvest", one, other),
              above=0, published="significantly higher", unit="apples")
        for lever, (one, other) in PAIRS.items()
    ] + [
        Claim(f"Collective return, with what sanctions pay, is higher ({lever})", SLIDES,
              effects.late("payoff", one, other), above=0, published="significantly higher", unit="reward")
        for lever, (one, other) in PAIRS.items()
    ] + [
        Claim(f"More is taken as the rule permits with the altar ({lever})", "ours",
              effects.late("compliance", one, other), above=0, unit="of takings", kind="ours")
        for lever, (one, other) in PAIRS.items()
    ]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page, panels

    grid = [
        (lever, f"{what}, {unit}", {"altar": results.curve(one, what), "hidden rule": results.curve(other, what)})
        for what, unit in (("harvest", "apples an episode"), ("compliance", "share of takings"))
        for lever, (one, other) in PAIRS.items()
    ]
    figure = panels.panels(grid, labels=("altar", "hidden rule"))
    return [
        changes(results, PAIRS),
        page.Figure("Harvest and compliance by lever", figures.svg(figure)),
        comparisons(results, list(PAIRS.values())),
    ]


STUDY = Study(
    "altar_raw",
    "With raw colours in view, which lever lets agents learn what the altar says?",
    _claims(),
    trials,
    {"smoke": 1, "laptop": 8, "paper": 10},
    sections,
    "A lever is given to the hidden rule as well, so that what it does for foraging alone is not counted. The "
    "long beam but for one pair, since obedience is what is asked.",
    SHOWN,
    first=10,
)
