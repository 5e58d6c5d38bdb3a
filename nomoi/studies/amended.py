"""A newcomer who learns under a rule that is amended: what it wants, what it senses, and how far it is made to."""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import numpy as np

from nomoi.core import Institution, build
from nomoi.institutions.altar import Altar
from nomoi.institutions.fine import Fine
from nomoi.institutions.monitor import Monitor
from nomoi.learners.deciding import Decisions
from nomoi.learners.objectives import Common, Objective, Own
from nomoi.learners.ppo import PPO, Residents
from nomoi.probes.keeping import LAWFUL, kept
from nomoi.runs import effects
from nomoi.runs.study import Claim, Evaluated, Reading, Results, Study, Trained, Trial
from nomoi.scripts.fixed import Forager
from nomoi.situations.harvest import Harvest

OURS = "ours"
BREACH = 2.0  # what a breach costs: more than the apple that it brings
OWN, ALL, DECISIONS, ALONE = "own payoff", "everybody's payoff", "decisions", "lawfulness alone"
OBJECTIVES: dict[str, Objective] = {
    OWN: Own(), ALL: Common(), DECISIONS: Decisions(of="altar", weight=BREACH),
    ALONE: Decisions(of="altar", weight=BREACH, beside=0.0),
}  # fmt: skip
# What the newcomer does not sense, of all that residents do: the content by name, and what may be taken by its looks
NOTHING, NAME, LABEL, FALSE = "nothing", "the name", "labels", "false labels"
_NAMED, _LABELS = "altar.mind", "altar.permitted,altar.prohibited,altar.unknown"
BLIND = {NOTHING: f"{_NAMED},{_LABELS}", NAME: _LABELS, LABEL: f"{_NAMED},altar.kind", FALSE: f"{_NAMED},altar.kind"}
ENFORCED = {"always": 1.0, "seldom": 0.3, "never": 0.0}
UNSEEN = 3  # the content (green) that no newcomer has met before the amendment
TERM = 50
REGROWTH = (0.02,) * 4  # wherever apples stood, so that what others leave is not what is asked


def at(objective: str, sense: str, enforced: str = "never", contents: int = 3) -> str:
    """The label of a condition."""
    few = "" if contents == 3 else f", {contents} content"
    return f"{objective}, senses {sense}, fined {enforced}{few}"


FACTORIAL = [
    (o, s, e)
    for o in (OWN, ALL, DECISIONS)
    for s in (NOTHING, NAME, LABEL)
    for e in ENFORCED
    if (o, e) != (ALL, "seldom")
]
ARMS = [
    *((*arm, 3) for arm in FACTORIAL),
    (DECISIONS, FALSE, "never", 3), (ALONE, LABEL, "never", 3),
    *((DECISIONS, sense, "never", 1) for sense in (NAME, LABEL)), (OWN, LABEL, "always", 1),
]  # fmt: skip
LATER = "goes on learning: "


def regime(sense: str, enforced: str, contents: int) -> tuple[Institution, ...]:
    """One kind is forbidden at a time, another every 50 steps; a monitor sees a share of breaches, which are fined."""
    which = {"never": UNSEEN} if contents == 3 else {"content": 0, "then": 0}
    if contents == 0:
        which = {"content": UNSEEN, "then": UNSEEN}
    display = "distractor" if sense == FALSE else "broadcast"
    altar = build(
        Altar, names="forbidden", display=display, term=TERM, sight="both", labels="goods", span=0, **which
    )  # fmt: skip
    return (
        altar,
        build(Monitor, on="altar.violation", share=ENFORCED[enforced], cost=0),
        build(Fine, on="monitor.caught", rate=BREACH),
    )


def _learner(objective: str, sense: str, **options: int) -> PPO:
    learner = build(PPO, **options)  # type: ignore[arg-type]
    who = Residents(Forager(heed=True), 1, BLIND[sense])
    unset = lambda x: x is None  # noqa: E731
    return eqx.tree_at(lambda p: (p.objective, p.residents), learner, (OBJECTIVES[objective], who), is_leaf=unset)


def trials(size: str) -> Sequence[Trial]:
    steps = {"smoke": 2_000, "laptop": 150_000, "paper": 10_000_000}[size]
    place = build(Harvest, map="mixed", agents=3, extent=(3, 1, 2), regrowth=REGROWTH, beam=(1, 0), horizon=200)
    options = {"worlds": 4, "steps": 16, "minibatches": 2} if size == "smoke" else {"worlds": 32, "steps": 32,
                                                                                  "minibatches": 4}  # fmt: skip
    worlds, out = {"worlds": 4 if size == "smoke" else 64, "content": UNSEEN}, []
    for objective, sense, enforced, contents in ARMS:
        label = at(objective, sense, enforced, contents)
        learner = _learner(objective, sense, **options)
        out += [
            Trained(label, place, regime(sense, enforced, contents), steps, learner),
            Evaluated(f"{label}: amended", label, kept, worlds),
        ]
    for sense in (NOTHING, NAME, LABEL):
        label, learner = at(DECISIONS, sense), _learner(DECISIONS, sense, **options)
        under = regime(sense, "never", 0)
        out += [
            Trained(LATER + label, place, under, steps, learner, parent=label, snapshots=8),
            Evaluated(f"{LATER}{label}: amended", LATER + label, kept, worlds, along=True),
        ]
    return out


def _of(label: str, measure: str) -> effects.Effect:
    return effects.of(f"{label}: amended", measure)


def _gap(measure: str, one: str, other: str) -> effects.Effect:
    return effects.late(measure, f"{one}: amended", f"{other}: amended")


def _ours(text: str, effect: effects.Effect, unit: str, kind: str = "ours", **bound: float) -> Claim:
    return Claim(text, OURS, effect, unit=unit, kind=kind, **bound)  # type: ignore[arg-type]


def _relearned(sense: str) -> effects.Effect:
    """[seeds] share of further training until nine of ten takings under the new content are lawful; 1 if never."""
    label = f"{LATER}{at(DECISIONS, sense)}: amended"

    def effect(results: Results) -> np.ndarray:
        steps, values = results.curve(label, "violations, new")
        there = 1 - values >= LAWFUL
        return np.where(there.any(1), steps[there.argmax(1)], steps[-1]) / steps[-1]

    return effect


KNOWN, NEW, TAKINGS = "violations, known", "violations, new", "of takings"
CLAIMS = [
    *(_ours(f"What carries over to a content never met is what is sensed: labels against the name ({who})",
            _gap(NEW, at(who, LABEL, when), at(who, NAME, when)), TAKINGS, below=0)
      for who, when in ((DECISIONS, "never"), (OWN, "always"))),
    _ours("The name is worth something for contents that were met (decisions, against nothing sensed)",
          _gap(KNOWN, at(DECISIONS, NAME), at(DECISIONS, NOTHING)), TAKINGS, below=0),
    _ours("... and for one never met as little as nothing (within 0.1)",
          _gap(NEW, at(DECISIONS, NAME), at(DECISIONS, NOTHING)), TAKINGS, near=0, tolerance=0.1),
    _ours("The objective carries nothing over by itself: decisions, with nothing sensed, against own payoff never "
          "fined (within 0.1)", _gap(NEW, at(DECISIONS, NOTHING), at(OWN, NOTHING)), TAKINGS, near=0, tolerance=0.1),
    _ours("Even labels need more than one content in training (one against three, on one never met)",
          _gap(NEW, at(DECISIONS, LABEL, contents=1), at(DECISIONS, LABEL)), TAKINGS, above=0),
    *(_ours(f"Fined {when}, {who} breaks the rule more than decisions do, with the same labels (new content)",
            _gap(NEW, at(who, LABEL, when), at(DECISIONS, LABEL, when)), TAKINGS, above=0)
      for who, when in ((OWN, "seldom"), (OWN, "never"), (ALL, "never"))),
    _ours("Decisions are kept as well where nobody fines as where all is fined (labels, new content, within 0.05)",
          _gap(NEW, at(DECISIONS, LABEL), at(DECISIONS, LABEL, "always")), TAKINGS, near=0, tolerance=0.05),
    _ours("Lawfulness alone is useless: more than half of what it might take it passes",
          _of(at(ALONE, LABEL), "passes, new"), "of chances", above=0.5),
    _ours("... and decisions beside the own payoff pass less than half", _of(at(DECISIONS, LABEL), "passes, new"),
          "of chances", below=0.5),
    _ours("After an amendment who sees labels is lawful sooner than who knows names",
          _gap("steps to lawful", at(DECISIONS, LABEL), at(DECISIONS, NAME)), "steps", below=0),
    _ours("... and also where both go on learning under the new content",
          lambda r: _relearned(LABEL)(r) - _relearned(NAME)(r), "of training", below=0),
    _ours("Who wants decisions takes less for itself than who is never fined (labels)",
          _gap("value gap, new", at(DECISIONS, LABEL), at(OWN, LABEL)), "apples behind a resident", above=0),
    _ours("Residents have more beside who wants decisions than beside who is never fined (labels)",
          _gap("others, new", at(DECISIONS, LABEL), at(OWN, LABEL)), "apples of theirs", above=0),
    _ours("Labels that say nothing true are worth no more than none (decisions, new content)",
          _gap(NEW, at(DECISIONS, FALSE), at(DECISIONS, NOTHING)), TAKINGS, kind="control", above=-0.05),
]  # fmt: skip
READINGS = [
    Reading(f"Decisions less an own payoff that is always fined ({sense}, {word} content): one number for each act, so "
            "the same is learned", OURS, _gap(measure, at(DECISIONS, sense), at(OWN, sense, "always")), unit=TAKINGS)
    for sense in (NOTHING, NAME, LABEL) for word, measure in (("known", KNOWN), ("new", NEW))
]  # fmt: skip
MEASURES = (
    KNOWN, NEW, "passes, known", "passes, new", "value gap, known", "value gap, new", "others, new", "steps to lawful",
)  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page

    labels = [at(*arm) for arm in ARMS]
    rows = effects.rows(results, [f"{label}: amended" for label in labels], MEASURES)
    rows = [[label, *row[1:]] for label, row in zip(labels, rows, strict=True)]
    resident = [f"resident's {m}" for m in ("violations, known", "violations, new", "passes, known", "passes, new")]
    theirs = effects.rows(results, [f"{labels[0]}: amended"], resident)[0]
    later = {s: results.curve(f"{LATER}{at(DECISIONS, s)}: amended", NEW) for s in (NOTHING, NAME, LABEL)}
    shape = figures.curves(later, "of takings, against the rule", "Going on under the new content")
    return [
        page.Table("Before and after the amendment", ["condition", *MEASURES], rows,
                   "Half an episode each, known contents and then one that was never met; nothing is learned there."),
        page.Table("A resident in the newcomer's place", resident, [theirs[1:]]),
        page.Figure("Going on under the new content", figures.svg(shape), "Decisions; what the newcomer senses."),
    ]  # fmt: skip


STUDY = Study(
    "amended",
    "A newcomer learns to live under a rule, and the rule is amended: what carries over?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 5, "paper": 10},
    sections,
    "One newcomer learns by PPO among two residents, who eat only what is permitted; of four kinds of apples one is "
    "forbidden at a time, and green is never forbidden in training. A breach costs 2, or counts 2 against decisions. "
    "Apples grow back wherever they stood, so that a rule is only a rule: it saves no commons. The map, sizes and "
    "steps were chosen by cost and by whether anything is learned, on seed 0 in three configurations; seeds of this "
    "page are others. Where labels are false residents are misled as well. That decisions and a payoff that is always "
    "fined coincide were four claims until the results were seen; they are readings, since one number stands for each "
    "act in both.",
    readings=READINGS,
    first=10,
)
