"""Which institution counts (Sarkar et al. 2024): a newcomer among several altars, of which people enforce one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from nomoi.core import Governed, build, govern
from nomoi.institutions.altar import Altar
from nomoi.institutions.authority import NOBODY, Authority
from nomoi.institutions.chronicle import Chronicle
from nomoi.institutions.sanction import Sanction
from nomoi.probes.newcomers import CURVE, EVERY, behaviour, beliefs, lives
from nomoi.runs.effects import Effect, late, of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial
from nomoi.scripts.enforcer import Enforcer
from nomoi.scripts.fixed import Mixed
from nomoi.scripts.newcomer import Newcomer
from nomoi.situations.harvest import Harvest

ALTARS = ("altar", "shrine", "temple")  # exchangeable: the first is the one that counts, the second its heir
NAMES = ",".join(ALTARS)
TRUE, HEIR = 0, 1
HORIZON, TURN = 400, 200
# An arbitrary law: contents drawn every so often, each altar's by itself; what keeps the commons alive is that all
# spare the last apples.  Under a law that is needed, contents follow the stock, and nobody spares anything.
ARBITRARY, NEEDED = {"term": 40, "spare": 3}, {"term": 0, "spare": 0}
FOREVER = 10**6  # steps
# ours: a violator who is hit loses too, so that violations are dear to whoever commits them
PUNISHES = {"by": "authority", "cost": 10, "reward": 20, "loss": 10, "exile": 15}
# no room for doubt: one of the candidates counts for certain, the best is obeyed, and enforced
LETTER = {"doubt": 0.0, "caution": 1.0, "sure": 0.0}


def community(term: int, seat: int = TRUE, heir: int = NOBODY, turn: int = 0, record: bool = True) -> Governed:
    """A commons with three altars, whose contents everybody can read, and a public record of sanctions."""
    altars = [
        build(Altar, title=t, place=p, display="broadcast", term=term) for t, p in zip(ALTARS, "HJK", strict=True)
    ]
    place = Harvest(map="altars", horizon=HORIZON)
    counts = build(Authority, among=NAMES, seat=seat, heir=heir, turn=turn)
    return _governed(
        place, *altars, counts, build(Sanction, **PUNISHES), build(Chronicle, among=NAMES, in_force=record)
    )


def hidden(kind: int, seat: int = 0) -> Governed:
    """A commons in which apples of one kind are prohibited, as only the residents know.

    What newcomers see of it are the kinds (another altar shows them as they are), not the rule.
    """
    fixed = {"term": FOREVER, "sticky": False}
    law = build(Altar, title="law", place="H", display="broadcast", names="forbidden", content=kind, **fixed)
    kinds = build(Altar, title="zones", place="J", display="hidden", sight="raw", content=kind, **fixed)
    counts = build(Authority, among="law", seat=seat)
    return _governed(
        Harvest(map="altars", horizon=HORIZON), law, kinds, counts, build(Sanction, **PUNISHES), Chronicle()
    )


def _governed(*parts: Any) -> Governed:
    place = govern(*parts)
    assert isinstance(place, Governed)
    return place


def joins(key: PRNGKeyArray, worlds: int, spare: int, rule: bool = False, **options: Any) -> Mapping[str, float]:
    """What becomes of a newcomer (agent 0) among residents, over one episode in each of some worlds.

    options   of the community (term, seat, heir, turn, record), of the residents (zeal, whim, slip), and of the
              newcomer (believes, caution, sure, hit, forget, doubt)
    rule      whether it is about the hidden rule instead
    """
    part = lambda *names: {name: options[name] for name in names if name in options}  # noqa: E731
    turn = options.get("turn", 0)
    seats = (options.get("seat", TRUE), options.get("heir", NOBODY))
    if rule:
        drawn = int(jax.random.randint(jax.random.fold_in(key, 0), (), 0, 3))
        place, true = hidden(drawn, **part("seat")), drawn if seats[0] >= 0 else NOBODY
        kind: dict[str, Any] = {"among": "", "zones": "zones"}
        residents = build(Enforcer, law="law", spare=spare, **part("zeal", "whim", "slip"))
    else:
        place, true = community(**part("term", "seat", "heir", "turn", "record")), seats[0]
        kind = {"among": NAMES}
        residents = build(
            Enforcer, law=ALTARS[TRUE], heir=ALTARS[HEIR], turn=turn, spare=spare, **part("zeal", "whim", "slip")
        )
    told = {"spare": spare, "named": true, "heir": seats[1], "turn": turn}
    mind = part("believes", "caution", "sure", "hit", "forget", "doubt")
    newcomer = build(Newcomer, **kind, **told, **mind)
    counts = np.where((turn > 0) & (np.arange(HORIZON) >= turn), seats[1], true)
    life = lives(key, place, Mixed(newcomer, residents, 1), ((), ()), worlds)
    undefined = {} if (counts >= 0).any() else {"compliance": float("nan")}  # there is nothing to comply with
    believed = beliefs(life["belief"], counts, life["chances"], turn, float(newcomer.caution))
    return behaviour(life) | undefined | believed


NONE, MAJORITY, MODULE, LITERAL = "no module", "majority of the altars", "module", "module without doubt"
RASH, TOLD, CLOSED = "module, most probable hypothesis", "told which counts", "module, record closed"
IDLE, IDLE_LITERAL, KEPT, RANDOM = (
    "nobody enforces", "nobody enforces, without doubt", "obeyed but not enforced", "sanctions at random",
)  # fmt: skip
TURNED, FADES, TURNED_LITERAL, FADES_LITERAL, TURNED_TOLD = (
    "switch", "switch, forgets", "switch, without doubt", "switch, without doubt, forgets", "switch, told",
)  # fmt: skip
NEEDS = {arm: f"needed law: {arm}" for arm in (NONE, MAJORITY, MODULE, TOLD)}
RULE = {arm: f"hidden rule: {arm}" for arm in (NONE, MODULE, TOLD, IDLE)}


def trials(size: str) -> Sequence[Trial]:
    worlds = {"smoke": 1, "laptop": 4, "paper": 64}[size]
    # residents who neither obey nor enforce
    idle = {"seat": NOBODY, "zeal": 0.0, "slip": 1.0}
    turn = {"heir": HEIR, "turn": TURN}
    simple: dict[str, dict[str, Any]] = {
        NONE: {"believes": "nothing"},
        MAJORITY: {"believes": "majority"},
        MODULE: {},
        TOLD: {"believes": "told"},
        IDLE: idle,
    }
    arms = simple | {
        LITERAL: LETTER,
        RASH: {"caution": 0.5},
        CLOSED: {"record": False},
        IDLE_LITERAL: idle | LETTER,
        KEPT: {"seat": NOBODY, "zeal": 0.0},
        RANDOM: idle | {"zeal": 0.5, "whim": 0.5},
        TURNED: turn,
        FADES: turn | {"forget": 0.98},
        TURNED_LITERAL: turn | LETTER,
        FADES_LITERAL: turn | LETTER | {"forget": 0.98},
        TURNED_TOLD: turn | {"believes": "told"},
    }
    every = {label: ARBITRARY | options for label, options in arms.items()}
    every |= {label: NEEDED | simple[arm] for arm, label in NEEDS.items()}
    every |= {label: {"spare": 3, "rule": True} | simple[arm] for arm, label in RULE.items()}
    return [Computed(label, joins, {"worlds": worlds} | options) for label, options in every.items()]


PAPER = "Sarkar et al. 2024, abstract"
HIDDEN = "ours, after Oldenburg & Zhi-Xuan 2024"


def _claim(text: str, effect: Effect, unit: str, source: str = "ours", kind: str = "ours", **bounds: Any) -> Claim:
    return Claim(text, source, effect, unit=unit, kind=kind, **bounds)


def _published(text: str, effect: Effect, unit: str, **bounds: Any) -> Claim:
    return Claim(text, PAPER, effect, unit=unit, **bounds)


CLAIMS = [
    _published("Identifies: it complies with the altar that counts more than a newcomer without a module",
               late("compliance", MODULE, NONE), "of what it ate", above=0),
    _published("Ignores: it complies more than one that goes by the majority of all altars",
               late("compliance", MODULE, MAJORITY), "of what it ate", above=0),
    _published("Ignores: it complies as one does who was told which altar counts", late("compliance", MODULE, TOLD),
               "of what it ate", near=0, tolerance=0.1),
    _published("Cooperates: it is sanctioned less than a newcomer without a module", late("struck", MODULE, NONE),
               "hits", below=0),
    _published("Stable: under a law that is needed, the commons is fuller than with a newcomer without a module",
               late("stock", NEEDS[MODULE], NEEDS[NONE]), "of capacity", above=0),
    _published("Stable: under a law that is needed, the others harvest more",
               late("others", NEEDS[MODULE], NEEDS[NONE]), "apples", above=0),
    _claim("Identifies: without room for doubt too, it complies more than without a module",
           late("compliance", LITERAL, NONE), "of what it ate", above=0),
    _claim("Cooperates: it is sanctioned less than one that goes by the majority", late("struck", MODULE, MAJORITY),
           "hits", below=0),
    _claim("Cooperates: it sanctions less wrongly than one that goes by the majority",
           late("wrong", MODULE, MAJORITY), "hits", below=0),
    _claim("It earns more than a newcomer without a module (arbitrary law)", late("payoff", MODULE, NONE), "reward",
           above=0),
    _claim("It earns more than one that goes by the majority (arbitrary law)", late("payoff", MODULE, MAJORITY),
           "reward", above=0),
    _claim("Under a law that is needed, it earns more than a newcomer without a module",
           late("payoff", NEEDS[MODULE], NEEDS[NONE]), "reward", above=0),
    _claim("After a switch, forgetting finds the heir sooner", late("steps", FADES_LITERAL, TURNED_LITERAL), "steps",
           below=0),
    _claim("After a switch, forgetting finds the heir sooner (with room for doubt)", late("steps", FADES, TURNED),
           "steps", below=0),
    _claim("After a switch, forgetting lowers the violations", late("late violation", FADES_LITERAL, TURNED_LITERAL),
           "apples", below=0),
    _claim("After a switch, forgetting lowers the violations (with room for doubt)",
           late("late violation", FADES, TURNED), "apples", below=0),
    _claim("Who infers a hidden rule from the record complies more than who does not",
           late("compliance", RULE[MODULE], RULE[NONE]), "of what it ate", HIDDEN, above=0),
    _claim("Who infers a hidden rule is sanctioned less than who does not", late("struck", RULE[MODULE], RULE[NONE]),
           "hits", HIDDEN, below=0),
    _claim("Control: where nobody enforces anything, no altar is heeded", of(IDLE, "heeds false"), "of steps",
           kind="control", below=0.05),
    _claim("Control: where sanctions fall at random, no altar is heeded", of(RANDOM, "heeds false"), "of steps",
           kind="control", below=0.05),
    _claim("Control: an altar that is obeyed but not enforced is not heeded", of(KEPT, "heeds false"), "of steps",
           kind="control", below=0.05),
    _claim("Control: where the record is closed, the module is sanctioned more", late("struck", CLOSED, MODULE),
           "hits", kind="control", above=0),
    _claim("Control: a hidden rule that nobody enforces is not heeded", of(RULE[IDLE], "heeds false"), "of steps",
           kind="control", below=0.05),
]  # fmt: skip

# What is believed follows from the record, whoever acts on it or not, so that it tells no arm from another.
READINGS = [
    *(Reading(f"Finds which altar counts, among three: {arm}", "ours", of(arm, "found"), unit="of worlds")
      for arm in (MODULE, LITERAL, NONE)),
    *(Reading(f"Late, would by its beliefs heed an altar that does not count: {arm}", "ours",
              of(arm, "heeds false"), unit="of steps") for arm in (MODULE, NONE)),
    *(Reading(f"Finds the rule from the record, {RULE[arm]}", HIDDEN, of(RULE[arm], "found"), unit="of worlds")
      for arm in (MODULE, NONE)),
    Reading("Where the record is closed the module knows what it knew: it finds the altar by luck", "ours",
            of(CLOSED, "found"), unit="of worlds"),
    Reading("Without room for doubt it must believe in some altar, and strikes for one that nobody enforces", "ours",
            of(IDLE_LITERAL, "wrong"), unit="hits"),
]  # fmt: skip

COLUMNS = {
    "found": "finds the truth", "true": "posterior of it", "seen": "chances needed", "steps": "steps needed",
    "heeds false": "heeds a false one", "compliance": "complies", "struck": "is hit", "correct": "hits rightly",
    "wrong": "hits wrongly", "harvest": "eats", "payoff": "earns", "others": "others eat", "stock": "stock",
}  # fmt: skip


def sections(results: Results) -> list[object]:
    """What is believed, by chances to sanction and by steps; and what became of every newcomer."""
    from nomoi.measure.statistics import estimate
    from nomoi.report import figures, page

    def course(arms: Sequence[str], letter: str, points: Sequence[int]) -> dict[str, tuple[Any, Any]]:
        return {arm: (points, np.stack([results.late(arm, f"{letter} {p}") for p in points], 1)) for arm in arms}

    learning = course((MODULE, LITERAL, RASH, CLOSED, IDLE, RANDOM, RULE[MODULE]), "p", CURVE)
    switching = course((TURNED, FADES, TURNED_LITERAL, FADES_LITERAL), "q", tuple(range(0, HORIZON, EVERY)))
    hits = {arm: results.late(arm, "struck") for arm in results.records}
    rows = [[arm, *(estimate(results.late(arm, name)) for name in COLUMNS)] for arm in results.records]
    return [
        page.Figure("What is believed", figures.svg(figures.curves(
            learning, "posterior of the truth", "The truth, by what has been seen", xlabel="chances to sanction seen")),
            "Where no altar counts, the truth is that none does."),
        page.Figure("When the authority passes on", figures.svg(figures.curves(
            switching, "posterior of the truth among the three altars", f"A switch at step {TURN}")),
            "Up to the switch the truth is the first altar, from then on the heir."),
        page.Figure("Sanctions received", figures.svg(figures.intervals(hits, "hits an episode", "Hits taken"))),
        page.Table("Every newcomer", ["arm", *COLUMNS.values()], rows,
                   "A newcomer that does not infer (told, majority, no module) still has beliefs, which it ignores."),
    ]  # fmt: skip


STUDY = Study(
    "authority",
    "Among several institutions, can a newcomer find out which one counts, and live by it?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 8, "paper": 32},
    sections,
    "The paper's agents are language models, whose prompts and numbers we do not have: orderings are compared, and "
    "bounds are ours. Here the module is Bayesian inference from a public record of sanctions, and all behaviour is "
    "scripted.",
    readings=READINGS,
)
