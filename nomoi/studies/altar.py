"""Altars (Trivedi et al. 2024): does it help if what is right can be read at a place in the world?

A factorial that no one tuned: who can read the rule, by which beam agents can punish, what a hit costs, and what
agents are told the kind of.  Every cell has its own hidden rule beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nomoi.core import Institution, Situation, build
from nomoi.institutions.altar import Altar
from nomoi.institutions.levy import Levy
from nomoi.institutions.sanction import Sanction
from nomoi.learners.ppo import PPO
from nomoi.probes.crossplay import crossplay
from nomoi.probes.scenarios import scenarios
from nomoi.runs import effects
from nomoi.runs.study import Claim, Evaluated, Reading, Results, Scripted, Study, Trained, Trial
from nomoi.scripts.fixed import Random
from nomoi.situations.harvest import Harvest

NOTHING, HIDDEN, ALTAR, CENTRAL = "nothing", "hidden rule", "altar", "told to all"
DISTRACTOR, STALE, LEVY, RANDOM = "distractor", "stale", "levy", "random"
LEARNER = PPO()
# The beam of Melting Pot, and that of the SSD games, by which punishing reaches more of those who deserve it
SHORT, LONG = "short beam", "long beam"
REACH: dict[str, Any] = {"beam": (5, 1), "cooldown": 0}
BEAMS: dict[str, dict[str, Any]] = {SHORT: {"beam": (3, 1), "cooldown": 2}, LONG: REACH}
# What is varied beside the display and the beam: changes of the altar, changes of the sanction, changes of the learner
DEAR, GOODS, DEEDS, OWN = "dear", "goods alone", "deeds alone", "minds of their own"
VARIED: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    DEAR: ({}, {"cost": 15}, {}),  # cost / reward .75 in place of .5
    GOODS: ({"labels": "goods"}, {}, {}),
    DEEDS: ({"labels": "deeds"}, {}, {}),
    OWN: ({}, {}, {"shared": False}),
}

SLIDES = "the tutorial (Hadfield et al. 2024), altar slides (no numbers)"
BEFORE = "ours (1 to 3 seeds)"


def norm(
    display: str, sight: str = "relative", reward: float = 20, cost: float = 10, **options: Any
) -> tuple[Institution, ...]:
    """An altar with a display, and the slides' sanction (cost 10, reward 20, removal 25)."""
    return build(Altar, display=display, sight=sight, **options), build(Sanction, reward=reward, cost=cost)


def arms(**options: Any) -> dict[str, tuple[Institution, ...]]:
    """Who can read the rule, and the controls."""
    return {
        NOTHING: norm("hidden", reward=0, **options),
        HIDDEN: norm("hidden", **options),
        DISTRACTOR: norm("distractor", **options),
        STALE: norm("stale", **options),
        ALTAR: norm("place", **options),
        CENTRAL: norm("broadcast", **options),
        LEVY: (build(Levy, rate=2),),
    }


def at(arm: str, beam: str, varied: str = "") -> str:
    """The label of a condition."""
    return ", ".join(part for part in (arm, varied, beam) if part)


def trials(size: str) -> Sequence[Trial]:
    steps = {"smoke": 20_000, "laptop": 800_000, "paper": 100_000_000}[size]
    learner = LEARNER if size != "smoke" else build(PPO, worlds=16, steps=32, minibatches=4)
    out: list[Trial] = []
    for beam, reach in BEAMS.items():
        place = build(Harvest, "orchard" if size == "paper" else None, **reach)
        out.append(Scripted(at(RANDOM, beam), place, Random(), norm("place")))
        out += [Trained(at(arm, beam), place, under, steps, learner) for arm, under in arms().items()]
        for varied, (altar, sanction, mind) in VARIED.items():
            who = learner.replace(**mind)
            for arm, display in ((HIDDEN, "hidden"), (ALTAR, "place")):
                under = norm(display, **altar, **sanction)
                out.append(Trained(at(arm, beam, varied), place, under, steps, who))
        for arm in (HIDDEN, ALTAR):
            label = at(arm, beam)
            out.append(Evaluated(f"{label}: cross-play", label, crossplay, crossed=True))
            out.append(Evaluated(f"{label}: among strangers", label, scenarios))
    return out


def paid(label: str, results: Results) -> Any:
    """[seeds] what sanctions brought all together, late: rewards of hits less their costs."""
    return results.late(label, "payoff") - results.late(label, "reward")


def _gain(measure: str, beam: str, varied: str = "") -> effects.Effect:
    return effects.late(measure, at(ALTAR, beam, varied), at(HIDDEN, beam, varied))


def _published(beam: str) -> list[Claim]:
    one, other = at(ALTAR, beam), at(HIDDEN, beam)
    hits = [
        (f"{more} {which} sanctions with an altar, {when}", measure, first, last, more)
        for measure, which, more in (("correct", "correct", "More"), ("wrong", "wrong", "Fewer"))
        for when, first, last in (("early (tenths 1 to 3)", 1, 3), ("late (tenths 8 to 10)", 8, 10))
    ]
    said = {"More": {"above": 0.0, "published": "significantly more"},
            "Fewer": {"below": 0.0, "published": "significantly fewer"}}  # fmt: skip
    return [
        Claim(f"An altar feeds more than a hidden rule: harvest alone ({beam})", SLIDES, _gain("harvest", beam),
              above=0, published="significantly higher", unit="apples"),
        Claim(f"Collective return, harvest and what sanctions pay, is higher ({beam})", SLIDES, _gain("payoff", beam),
              above=0, published="significantly higher", unit="reward"),
        Claim(f"Fewer zones are emptied ({beam})", SLIDES, _gain("depletion", beam), below=0,
              published="significantly lower", unit="of zones"),
        Claim(f"Agents come to the altar more often than random walkers ({beam})", SLIDES,
              effects.late("visits", one, at(RANDOM, beam)), above=0, published="consistently visit",
              unit="/100 steps"),
        *(Claim(f"{text} ({beam})", SLIDES, effects.tenths(measure, one, other, first, last), unit="hits", **said[more])
          for text, measure, first, last, more in hits),
    ]  # fmt: skip


def _mechanism(beam: str) -> list[Claim]:
    """What the altar changes: obedience, aim, thinning; each with the other two ways left open or closed."""
    ours: dict[str, Any] = {"source": "ours", "kind": "ours"}
    return [
        Claim(f"Obedience: more is taken as the rule permits ({beam})", effect=_gain("compliance", beam), above=0,
              unit="of takings", **ours),
        Claim(f"Aim: more of the hits are deserved ({beam})", effect=_gain("precision", beam), above=0, unit="of hits",
              **ours),
        Claim(f"Thinning: less time is spent out of play ({beam})", effect=_gain("removed", beam), below=0,
              unit="of time", **ours),
        Claim(f"Obedience alone, where nobody sees what others took, feeds more ({beam})",
              effect=_gain("harvest", beam, GOODS), above=0, unit="apples", **ours),
        Claim(f"Aim alone, where nobody sees what may be taken, feeds more ({beam})",
              effect=_gain("harvest", beam, DEEDS), above=0, unit="apples", **ours),
        Claim(f"The dearer a hit, the more an altar adds to the sum: 15 of 20 against 10 of 20 ({beam})",
              effect=lambda r: _gain("payoff", beam, DEAR)(r) - _gain("payoff", beam)(r), above=0, unit="reward",
              **ours),
        Claim(f"With minds of their own, too, an altar feeds more ({beam})", effect=_gain("harvest", beam, OWN),
              above=0, unit="apples", **ours),
        Claim(f"With minds of their own, too, the sum is higher ({beam})", effect=_gain("payoff", beam, OWN), above=0,
              unit="reward", **ours),
        Claim(f"With minds of their own, too, fewer zones are emptied ({beam})", effect=_gain("depletion", beam, OWN),
              below=0, unit="of zones", **ours),
        Claim(f"Populations that learned apart keep the rule among each other as among their own ({beam})",
              effect=lambda r: r.late(f"{at(ALTAR, beam)}: cross-play", "compliance.difference"), near=0,
              tolerance=0.05, unit="of takings", **ours),
        Claim(f"A newcomer from an altar earns more among strangers who obey than one from a hidden rule ({beam})",
              effect=lambda r: r.late(f"{at(ALTAR, beam)}: among strangers", "visitor.obedient")
              - r.late(f"{at(HIDDEN, beam)}: among strangers", "visitor.obedient"), above=0, unit="reward", **ours),
    ]  # fmt: skip


def _others(beam: str) -> list[Claim]:
    """What trials of ours found, asked again, and controls."""
    late = lambda measure, one, other: effects.late(measure, at(one, beam), at(other, beam))  # noqa: E731
    replica: dict[str, Any] = {"source": BEFORE, "kind": "replica"}
    control: dict[str, Any] = {"source": "ours", "kind": "control"}
    return [
        Claim(f"A hidden rule feeds more than nothing ({beam})", effect=late("harvest", HIDDEN, NOTHING), above=0,
              unit="apples", **replica),
        Claim(f"Fewer zones are emptied under a hidden rule than under nothing ({beam})",
              effect=late("depletion", HIDDEN, NOTHING), below=0, unit="of zones", **replica),
        Claim(f"Told to all, the rule feeds more than at a place ({beam})", effect=late("harvest", CENTRAL, ALTAR),
              above=0, unit="apples", **replica),
        Claim(f"A levy of 2 on sparse apples feeds more than the altar ({beam})", effect=late("harvest", LEVY, ALTAR),
              above=0, unit="apples", **replica),
        Claim(f"A distractor is worth no more than a hidden rule, within 15 % ({beam})",
              effect=effects.percent("harvest", at(DISTRACTOR, beam), at(HIDDEN, beam)), near=0, tolerance=15,
              unit="%", **control),
        Claim(f"A stale altar feeds less than a true one ({beam})", effect=late("harvest", STALE, ALTAR), below=0,
              unit="apples", **control),
    ]  # fmt: skip


CLAIMS = [claim for make in (_published, _mechanism, _others) for beam in BEAMS for claim in make(beam)]

READINGS = [
    Reading(f"What sanctions pay, altar minus hidden rule ({at('', beam, varied)})", "ours",
            lambda r, beam=beam, varied=varied: paid(at(ALTAR, beam, varied), r) - paid(at(HIDDEN, beam, varied), r),
            unit="reward")
    for beam in BEAMS for varied in ("", DEAR)
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


def changes(results: Results, pairs: Mapping[str, tuple[str, str]]) -> object:
    """What an altar changes, late in training: differences from the hidden rule beside it, by cell of the factorial."""
    from nomoi.measure.statistics import estimate, number
    from nomoi.report import page

    measures = {"harvest": "harvest (apples)", "sanctions": "sanctions pay (reward)", "payoff": "sum (reward)",
                "depletion": "zones emptied", "compliance": "obedience (of takings)", "precision": "aim (of hits)",
                "removed": "out of play (of time)", "visits": "visits (/100 steps)"}  # fmt: skip

    def cell(measure: str, one: str, other: str) -> str:
        if measure == "sanctions":
            found = estimate(paid(one, results) - paid(other, results))
        else:
            found = estimate(effects.late(measure, one, other)(results))
        return f"{number(found.mean)} {found.interval()}".strip()

    rows = [[name, *(cell(m, *pair) for m in measures)] for name, pair in pairs.items()]
    note = "Altar minus hidden rule, paired over seeds, 95 % (Student's t), last eighth of training."
    return page.Table("What an altar changes", ["cell", *measures.values()], rows, note)


def sections(results: Results) -> list[object]:
    cells = {at("as on the slides" if not varied else varied, beam): (at(ALTAR, beam, varied), at(HIDDEN, beam, varied))
             for beam in BEAMS for varied in ("", *VARIED)}  # fmt: skip
    name = lambda arms, beam: [at(arm, beam) for arm in arms]  # noqa: E731
    return [
        changes(results, cells),
        *(curves(results, f"Who can read the rule: {beam}", name([NOTHING, HIDDEN, ALTAR, CENTRAL], beam))
          for beam in BEAMS),
        *(curves(results, f"Controls: {beam}", name([HIDDEN, DISTRACTOR, STALE, ALTAR], beam)) for beam in BEAMS),
        comparisons(results, [(at(ALTAR, b), at(HIDDEN, b)) for b in BEAMS]
                    + [(at(HIDDEN, b), at(NOTHING, b)) for b in BEAMS]),
        *(_tested(results, "cross-play", f"Half of the agents by one seed's mind, half by another's: {b}", b)
          for b in BEAMS),
        *(_tested(results, "among strangers", f"Payoff of a learned agent among scripts that it never met: {b}", b)
          for b in BEAMS),
    ]  # fmt: skip


def _tested(results: Results, test: str, title: str, beam: str) -> object:
    """What was learned with a hidden rule and with an altar, side by side, in one test."""
    from nomoi.measure.statistics import estimate, number
    from nomoi.report import page

    labels = [f"{at(arm, beam)}: {test}" for arm in (HIDDEN, ALTAR)]
    names = [m for m in results.measures(labels[0]) if m in results.measures(labels[1])]
    found = [[estimate(results.late(label, m)) for label in labels] for m in names]
    rows = [[m, *(f"{number(e.mean)} {e.interval()}" for e in pair)] for m, pair in zip(names, found, strict=True)]
    return page.Table(title, ["", HIDDEN, ALTAR], rows)


STUDY = Study(
    "altar",
    "Do people keep a changing rule better if it can be read at a place, and is that worth anything?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 8, "paper": 10},
    sections,
    "Harvest is counted apart from what sanctions pay: a correct hit brings its striker 10, ten times an apple. "
    "The map, thresholds, spans, amnesty and the view are ours, chosen on seeds 0 to 5 in 14 configurations before the "
    "learner was mended; nothing was chosen since, and no pilot has seen the seeds of this page.",
    SHOWN,
    READINGS,
    first=10,
)
