"""Altars (Trivedi et al. 2024): does it help if what is right can be read at a place in the world?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nomoi.core import Institution, Situation, build
from nomoi.institutions.altar import Altar
from nomoi.institutions.levy import Levy
from nomoi.institutions.sanction import Sanction
from nomoi.learners.ppo import PPO
from nomoi.probes.crossplay import crossplay
from nomoi.probes.scenarios import scenarios
from nomoi.runs import effects
from nomoi.runs.study import Claim, Evaluated, Results, Scripted, Study, Trained, Trial
from nomoi.scripts.fixed import Random
from nomoi.situations.harvest import Harvest

NOTHING, HIDDEN, ALTAR, CENTRAL = "nothing", "hidden rule", "altar", "central"
DISTRACTOR, STALE, LEVY, RANDOM = "distractor", "stale", "levy", "random"
RAW_HIDDEN, RAW_ALTAR, RAW_CENTRAL = "hidden rule, raw", "altar, raw", "central, raw"
SHORT = "altar, short reach"
LEARNER = PPO()
# Melting Pot's beam is 3 long, with 2 steps between shots (the arm SHORT); that of the SSD games is 5 long and always
# ready, so that punishing reaches more of those who deserve it.
REACH: dict[str, Any] = {"beam": (5, 1), "cooldown": 0}

SLIDES = "the tutorial (Hadfield et al. 2024), altar slides (no numbers)"
BEFORE = "ours (1 to 3 seeds)"


def norm(display: str, sight: str = "relative", reward: float = 20, **options: Any) -> tuple[Institution, ...]:
    """An altar with a display, and the slides' sanction (cost 10, reward 20, removal 25)."""
    return build(Altar, display=display, sight=sight, **options), build(Sanction, reward=reward)


def arms(place: Situation, steps: float, learner: PPO = LEARNER, **options: Any) -> list[Trial]:
    """The arms with a view relative to what one last read; all of one shape."""
    regimes = {
        NOTHING: norm("hidden", reward=0, **options),
        HIDDEN: norm("hidden", **options),
        DISTRACTOR: norm("distractor", **options),
        STALE: norm("stale", **options),
        ALTAR: norm("place", **options),
        CENTRAL: norm("broadcast", **options),
        LEVY: (build(Levy, rate=2),),
    }
    return [Trained(label, place, under, steps, learner) for label, under in regimes.items()]


def trials(size: str) -> Sequence[Trial]:
    steps = {"smoke": 20_000, "laptop": 800_000, "paper": 100_000_000}[size]
    place = build(Harvest, "orchard" if size == "paper" else None, **REACH)
    learner = LEARNER if size != "smoke" else build(PPO, worlds=16, steps=32, minibatches=4)
    raw = {
        RAW_HIDDEN: norm("hidden", "raw"),
        RAW_ALTAR: norm("place", "raw"),
        RAW_CENTRAL: norm("broadcast", "raw"),
    }
    return [
        Scripted(RANDOM, place, Random(), norm("place")),
        *arms(place, steps, learner),
        *(Trained(label, place, under, steps, learner) for label, under in raw.items()),
        Trained(SHORT, place.replace(beam=(3, 1), cooldown=2), norm("place"), steps, learner),
        *(Evaluated(f"{label}: cross-play", label, crossplay, crossed=True) for label in (HIDDEN, ALTAR)),
        *(Evaluated(f"{label}: among strangers", label, scenarios) for label in (HIDDEN, ALTAR)),
    ]


CLAIMS = [
    Claim("An altar feeds more than a hidden rule (harvest alone)", SLIDES, effects.late("harvest", ALTAR, HIDDEN),
          above=0, published="significantly higher", unit="apples"),
    Claim("At least 1.3 times as much", "ours", effects.percent("harvest", ALTAR, HIDDEN), above=30,
          unit="%", kind="ours"),
    Claim("A hidden rule feeds more than nothing", BEFORE, effects.late("harvest", HIDDEN, NOTHING), above=0,
          unit="apples", kind="replica"),
    Claim("Collective return, with what sanctions pay, is higher with an altar than with a hidden rule", SLIDES,
          effects.late("payoff", ALTAR, HIDDEN), above=0, published="significantly higher", unit="reward"),
    Claim("Fewer zones are emptied with an altar than under a hidden rule", SLIDES,
          effects.late("depletion", ALTAR, HIDDEN), below=0, published="significantly lower", unit="of zones"),
    Claim("Fewer zones are emptied under a hidden rule than under nothing", BEFORE,
          effects.late("depletion", HIDDEN, NOTHING), below=0, unit="of zones", kind="replica"),
    Claim("More is taken as the rule permits with an altar than under a hidden rule", BEFORE,
          effects.late("compliance", ALTAR, HIDDEN), above=0, unit="of takings", kind="replica"),
    Claim("Agents come to the altar more often than random walkers", SLIDES, effects.late("visits", ALTAR, RANDOM),
          above=0, published="consistently visit", unit="/100 steps"),
    Claim("More correct sanctions with an altar, early (tenths 1 to 3)", SLIDES,
          effects.tenths("correct", ALTAR, HIDDEN, 1, 3), above=0, published="significantly more", unit="hits"),
    Claim("More correct sanctions with an altar, late (tenths 8 to 10)", SLIDES,
          effects.tenths("correct", ALTAR, HIDDEN, 8, 10), above=0, published="significantly more", unit="hits"),
    Claim("Fewer wrong sanctions with an altar, early (tenths 1 to 3)", SLIDES,
          effects.tenths("wrong", ALTAR, HIDDEN, 1, 3), below=0, published="significantly fewer", unit="hits"),
    Claim("Fewer wrong sanctions with an altar, late (tenths 8 to 10)", SLIDES,
          effects.tenths("wrong", ALTAR, HIDDEN, 8, 10), below=0, published="significantly fewer", unit="hits"),
    Claim("Less agent-time is spent out of play with an altar than under a hidden rule", BEFORE,
          effects.late("removed", ALTAR, HIDDEN), below=0, unit="of time", kind="replica"),
    Claim("A distractor is worth no more than a hidden rule, within 15 %", "ours",
          effects.percent("harvest", DISTRACTOR, HIDDEN), near=0, tolerance=15, unit="%", kind="control"),
    Claim("A stale altar is worth less than a true one", "ours", effects.late("harvest", STALE, ALTAR), below=0,
          unit="apples", kind="control"),
    Claim("Told to everybody, the rule feeds more than at a place", BEFORE,
          effects.late("harvest", CENTRAL, ALTAR), above=0, unit="apples", kind="replica"),
    Claim("With a beam of 3 and 2 steps between shots, less is taken as the rule permits", BEFORE,
          effects.late("compliance", SHORT, ALTAR), below=0, unit="of takings", kind="replica"),
    Claim("A levy of 2 on sparse apples feeds more than the altar", BEFORE, effects.late("harvest", LEVY, ALTAR),
          above=0, unit="apples", kind="replica"),
    Claim("Populations that learned apart keep the rule among each other as among their own", "ours",
          lambda r: r.late(f"{ALTAR}: cross-play", "compliance.difference"), near=0, tolerance=0.05, unit="of takings",
          kind="ours"),
    Claim("A newcomer from an altar earns more among strangers who obey than one from a hidden rule", "ours",
          lambda r: r.late(f"{ALTAR}: among strangers", "visitor.obedient")
          - r.late(f"{HIDDEN}: among strangers", "visitor.obedient"), above=0, unit="reward", kind="ours"),
    Claim("With the zones' own colours in view, too, the altar feeds more than a hidden rule", SLIDES,
          effects.late("harvest", RAW_ALTAR, RAW_HIDDEN), above=0, published="significantly higher", unit="apples"),
]  # fmt: skip

SHOWN = (
    "harvest", "payoff", "depletion", "stock", "compliance", "visits", "heard", "informed", "correct", "wrong",
    "precision", "recall", "removed", "ban",
)  # fmt: skip
PANELS = (
    ("Harvest", "apples an episode", "harvest"), ("Collective return", "reward an episode", "payoff"),
    ("Zones emptied", "share", "depletion"), ("Compliance", "share of takings", "compliance"),
    ("Visits to the altar", "an agent, in 100 steps", "visits"), ("Changes read", "share", "heard"),
    ("Correct sanctions", "hits an episode", "correct"), ("Wrong sanctions", "hits an episode", "wrong"),
    ("Out of play", "share of agent-time", "removed"),
)  # fmt: skip


def curves(results: Results, title: str, labels: Sequence[str]) -> object:
    """The panels of an altar study for some of its conditions."""
    from nomoi.report import figures, page, panels

    def shown(measure: str) -> dict[str, tuple[object, object]]:
        return {a: results.curve(a, measure) for a in labels if measure in results.measures(a)}

    grid = [(head, unit, shown(measure)) for head, unit, measure in PANELS]
    return page.Figure(title, figures.svg(panels.panels(grid, labels=labels)))


def comparisons(results: Results, pairs: Sequence[tuple[str, str]]) -> object:
    """Tests of harvest, depletion, compliance and sanctions for pairs of conditions."""
    measures = ("harvest", "payoff", "depletion", "compliance", "wrong", "removed")
    asked = [(m, one, other) for one, other in pairs for m in measures]
    return effects.pairwise(results, "Pairs of conditions", asked, "Last eighth of training.")


def sections(results: Results) -> list[object]:
    return [
        curves(results, "A view relative to what was read", [NOTHING, HIDDEN, ALTAR, CENTRAL]),
        curves(results, "Controls", [HIDDEN, DISTRACTOR, STALE, ALTAR]),
        curves(results, "The zones' own colours in view", [RAW_HIDDEN, RAW_ALTAR, RAW_CENTRAL]),
        comparisons(results, [(ALTAR, HIDDEN), (HIDDEN, NOTHING), (RAW_ALTAR, RAW_HIDDEN)]),
        _tested(results, "cross-play", "Half of the agents by one seed's mind, half by another's"),
        _tested(results, "among strangers", "Payoff of a learned agent among scripts that it never met"),
    ]


def _tested(results: Results, test: str, title: str) -> object:
    """What was learned with a hidden rule and with an altar, side by side, in one test."""
    from nomoi.measure.statistics import estimate, number
    from nomoi.report import page

    labels = [f"{label}: {test}" for label in (HIDDEN, ALTAR)]
    names = [m for m in results.measures(labels[0]) if m in results.measures(labels[1])]
    found = [[estimate(results.late(label, m)) for label in labels] for m in names]
    rows = [[m, *(f"{number(e.mean)} {e.interval()}" for e in pair)] for m, pair in zip(names, found, strict=True)]
    return page.Table(title, ["", HIDDEN, ALTAR], rows)


STUDY = Study(
    "altar",
    "Do people keep a changing rule better if it can be read at a place, and is that worth anything?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 5, "paper": 10},
    sections,
    "Harvest is counted apart from what sanctions pay: a correct hit brings its striker 10, ten times an apple. "
    "14 configurations of the altar arm alone were tried before, a run each, on seeds 0 to 2; seeds 3 and 4 are fresh.",
    SHOWN,
)
