"""A newcomer among residents who keep a rule: what is it worth to see the altar?  (After Trivedi et al. 2024.)"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from nomoi.core import Institution, Situation, build
from nomoi.core.learner import Learner
from nomoi.learners.ppo import PPO, Residents
from nomoi.measure.evaluate import episodes
from nomoi.probes.ego import ego, gaps
from nomoi.runs import effects
from nomoi.runs.effects import late
from nomoi.runs.regimes import parse
from nomoi.runs.study import Claim, Evaluated, Results, Study, Trained, Trial
from nomoi.scripts.wardens import Warden
from nomoi.situations.allelopathic import Allelopathic

CODE = "Trivedi et al. 2024, code (it stores no results)"
SEES, BLIND = "sees the altar", "does not see it"
EVERYWHERE = ("violations", "precision", "accord", "reward", "payoff", "removed")
LEARNED = {"all learn, with an altar": "broadcast", "all learn, under a hidden rule": "hidden"}
WORLDS = {"one community": 0, "many communities": -1}  # the altar's colour: the first for ever, or drawn each episode


def regime(content: int, display: str = "broadcast") -> tuple[Institution, ...]:
    """The situation's own altar and sanction, with colours in view, and this content all episode long."""
    altar, *others = parse("altar", Allelopathic.regimes["altar"]).institutions
    return altar.replace(sight="raw", content=content, display=display), *others


def _everybody(**options: Any) -> PPO:
    return build(PPO, film="altar.mind", gamma=0.995, **options)


def _learner(blind: bool, **options: Any) -> PPO:
    learner = _everybody(**options)
    who = Residents(build(Warden, renew=True), 1, "altar.mind" if blind else "")
    return eqx.tree_at(lambda p: p.residents, learner, who, is_leaf=lambda x: x is None)


def trials(size: str) -> Sequence[Trial]:
    steps = {"smoke": 5_000, "laptop": 400_000, "paper": 10_000_000}[size]
    # Where all bushes agree, nobody can plant a colour on: unless planting repaints, who is grey then stays a violator
    place = build(Allelopathic, "residents" if size == "paper" else None, repaint=True)
    options = {"worlds": 8, "steps": 16, "minibatches": 2} if size == "smoke" else {"worlds": 32, "minibatches": 4}
    out: list[Trial] = []
    for world, content in WORLDS.items():
        for label, blind in ((SEES, False), (BLIND, True)):
            name = f"{world}, {label}"
            under = regime(content)
            out += [
                Trained(name, place, under, steps, _learner(blind, **options)),
                Evaluated(f"{name}: beside a resident", name, beside, {"worlds": 64 if size != "smoke" else 4}),
            ]
    for label, display in LEARNED.items():
        out.append(Trained(label, place, regime(-1, display), steps, _everybody(**options)))
    return out


def beside(key: jax.Array, situation: Situation, learner: PPO, mind: Any, worlds: int) -> Mapping[str, float]:
    """The newcomer's sums, and how far it falls short of a resident in its place, in the same worlds."""
    assert learner.residents is not None
    found = _beside(key, situation, learner, learner.residents.script, mind, worlds)
    return {name: float(jnp.nanmean(value)) for name, value in found.items()}


@eqx.filter_jit
def _beside(
    key: jax.Array, situation: Situation, learner: PPO, resident: Learner, mind: Any, worlds: int
) -> dict[str, jax.Array]:
    mine = ego(situation, episodes(key, situation, learner, mind, worlds))
    theirs = ego(situation, episodes(key, situation, resident, (), worlds))
    return mine | gaps(mine, theirs) | {f"resident's {name}": value for name, value in theirs.items()}


def _gap(measure: str, world: str) -> Callable[[Results], np.ndarray]:
    """What the blind one has more than the one who sees."""
    return lambda r: (
        r.late(f"{world}, {BLIND}: beside a resident", measure) - r.late(f"{world}, {SEES}: beside a resident", measure)
    )


def _claims(world: str) -> list[Claim]:
    return [
        Claim(f"Who sees the altar falls less far short of a resident (value gap; {world})", CODE,
              _gap("value gap", world), above=0, published="expected, no number", unit="reward"),
        Claim(f"... is hit less, beyond what a resident is (sanction regret; {world})", CODE,
              _gap("sanction regret", world), above=0, published="expected, no number", unit="reward"),
        Claim(f"... lives more of its time by the rule ({world})", "ours", _gap("compliance", world), below=0,
              unit="of time", kind="ours"),
        Claim(f"... strikes fewer who are innocent ({world})", "ours", _gap("wrong", world), above=0, unit="hits",
              kind="ours"),
    ]  # fmt: skip


def _everywhere() -> list[Claim]:
    """The commons of colours in which everybody learns: no script keeps the rule."""
    one, other = LEARNED

    def ours(text: str, measure: str, unit: str, **bound: float) -> Claim:
        return Claim(f"Where all learn, {text}", "ours", late(measure, one, other), unit=unit, kind="ours", **bound)

    return [
        ours("an altar that all read makes more of their time lawful than a hidden rule", "violations", "/1000 steps",
             below=0),
        ours("more of the hits are deserved", "precision", "of hits", above=0),
        ours("the bushes come to agree on a colour more", "accord", "of bushes", above=0),
        ours("more is earned from berries", "reward", "reward", above=0),
    ]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.measure.statistics import estimate, number
    from nomoi.report import figures, page, panels

    names = [f"{world}, {label}" for world in WORLDS for label in (SEES, BLIND)]
    wanted = ("value gap", "sanction regret", "value", "struck", "compliance", "correct", "wrong", "seized", "strayed")
    rows = []
    for name in names:
        found = [estimate(results.late(f"{name}: beside a resident", m)) for m in wanted]
        rows.append([name, *(f"{number(e.mean)} {e.interval()}".strip() for e in found)])
    for world in WORLDS:
        label = f"{world}, {SEES}: beside a resident"
        known = results.measures(label)
        found = [estimate(results.late(label, f"resident's {m}")) if f"resident's {m}" in known else None
                 for m in wanted]  # fmt: skip
        rows.append([f"{world}: a resident", *(number(e.mean) if e and e.n else None for e in found)])
    grid = [
        (world, "hits an episode, all agents", {f"{label}": results.curve(f"{world}, {label}", "wrong")
                                                  for label in (SEES, BLIND)})
        for world in WORLDS
    ]  # fmt: skip
    return [
        page.Table("One newcomer beside a resident in its place", ["condition", *wanted], rows,
                   "An episode of one agent; value leaves out what punishing earns."),
        page.Figure("Hits on the innocent in training",
                    figures.svg(panels.panels(grid, columns=2, labels=(SEES, BLIND)))),
        effects.pairwise(results, "Where all learn", [(m, *LEARNED) for m in EVERYWHERE], "Last eighth of training."),
        page.Figure("Where all learn", figures.svg(panels.panels(
            [(m, results.unit(next(iter(LEARNED)), m), {a: results.curve(a, m) for a in LEARNED}) for m in EVERYWHERE],
            labels=tuple(LEARNED)))),
    ]  # fmt: skip


STUDY = Study(
    "altar_residents",
    "What is it worth to a newcomer to see the altar that residents live by?",
    [*(claim for world in WORLDS for claim in _claims(world)), *_everywhere()],
    trials,
    {"smoke": 1, "laptop": 8, "paper": 10},
    sections,
    "Who does not see the altar senses zeros in its place; all else is the same. Laptop: 6 agents on a small torus.",
    first=10,
)
