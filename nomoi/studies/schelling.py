"""Is Commons Harvest a dilemma?  Schelling diagrams of restraint against learned self-interest.

A myopically greedy script is no defector: it destroys its own future too.  So whoever defects has learned to: all among
one another (the diagram), and one among the restrained, who shows what a learner finds to gain there (its best
response only where it was trained for long enough).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import numpy as np

from nomoi.core import Situation, build
from nomoi.core.learner import Learner
from nomoi.learners.ppo import PPO, Residents
from nomoi.measure.evaluate import episodes
from nomoi.probes.schelling import Diagram, schelling
from nomoi.runs.effects import Effect
from nomoi.runs.study import Claim, Evaluated, Results, Study, Trained, Trial
from nomoi.scripts.fixed import Forager
from nomoi.situations.harvest import Harvest

SOURCE = "ours, after Hughes et al. 2018 (their conditions of a dilemma)"
MAPS = ("small", "open")
UNIT = "apples an agent"
RESTRAINED = Forager(spare=3)


def diagram(key: jax.Array, situation: Situation, learner: PPO, mind: Any, worlds: int) -> Mapping[str, float]:
    """Payoff of a restrained (c) and of a learned agent (d) by the number of restrained others, for one seed."""
    found = schelling(key, situation, RESTRAINED, learner, seeds=1, worlds=worlds, minds=((), mind))
    cooperate = {f"c{k}": float(v) for k, v in enumerate(found.cooperate[0])}
    return cooperate | {f"d{k}": float(v) for k, v in enumerate(found.defect[0])}


def response(key: jax.Array, situation: Situation, learner: Learner, mind: Any, worlds: int) -> Mapping[str, float]:
    """Payoff of one who learned among the restrained, and the mean of the others; and the same with all restrained."""
    run = eqx.filter_jit(lambda who, mind: episodes(key, situation, who, mind, worlds).reward)  # [W, n]
    paid = {"": run(learner, mind), ", if restrained": run(RESTRAINED, ())}
    return {
        f"{who}{what}": float(payoff[:, part].mean())
        for what, payoff in paid.items()
        for who, part in (("one", slice(0, 1)), ("others", slice(1, None)))
    }


def trials(size: str) -> Sequence[Trial]:
    steps = {"smoke": 2_000, "laptop": 400_000, "paper": 10_000_000}[size]
    worlds = {"worlds": {"smoke": 2, "laptop": 64, "paper": 256}[size]}
    options: dict[str, Any] = {"worlds": 8, "steps": 16, "minibatches": 2} if size == "smoke" else {}
    everybody = build(PPO, **options)
    one = eqx.tree_at(lambda p: p.residents, everybody, Residents(RESTRAINED, 1), is_leaf=lambda x: x is None)
    return [
        condition
        for name in MAPS
        for condition in (
            Trained(f"all learn, {name}", Harvest.preset(name), (), steps, everybody),
            Trained(f"one learns among the restrained, {name}", Harvest.preset(name), (), steps, one),
            Evaluated(f"diagram, {name}", f"all learn, {name}", diagram, worlds),
            Evaluated(f"response, {name}", f"one learns among the restrained, {name}", response, worlds),
        )
    ]


def _gap(test: str, name: str, one: str, other: str) -> Effect:
    return lambda r: r.late(f"{test}, {name}", one) - r.late(f"{test}, {name}", other)


def _claims(name: str) -> list[Claim]:
    last = Harvest.preset(name).agents - 1

    def claim(text: str, effect: Effect, **bounds: Any) -> Claim:
        return Claim(f"{text} ({name})", SOURCE, effect, unit=UNIT, kind="ours", **(bounds or {"above": 0}))

    return [
        claim("All restrained fare better than all who learned to serve themselves",
              _gap("diagram", name, f"c{last}", "d0")),
        claim("The restrained fare better among the restrained", _gap("diagram", name, f"c{last}", "c0")),
        claim("Fear: among the self-interested, restraint does not pay", _gap("diagram", name, "d0", "c0")),
        claim("Greed: among the restrained, who learned to serve itself gets more than restraint would",
              _gap("response", name, "one", "one, if restrained")),
        claim("... at the others' expense", _gap("response", name, "others", "others, if restrained"), below=0),
    ]  # fmt: skip


def _read(results: Results, name: str) -> Diagram:
    n = Harvest.preset(name).agents
    column = lambda letter: np.stack([results.late(f"diagram, {name}", f"{letter}{k}") for k in range(n)], 1)  # noqa: E731
    return Diagram(column("c"), column("d"))


def sections(results: Results) -> list[object]:
    from nomoi.measure.statistics import estimate
    from nomoi.report import figures, page

    out: list[object] = []
    for name in MAPS:
        found = _read(results, name)
        others = np.arange(found.agents)
        figure = figures.schelling(others, found.cooperate, found.defect, ("restrained", "learned"))
        caption = "Payoff of one agent in an episode; who is not restrained learned among such."
        out.append(page.Figure(f"{name} map", figures.svg(figure), caption))
    names = ("one", "one, if restrained", "others", "others, if restrained")
    rows = [[name, *(estimate(results.late(f"response, {name}", m)) for m in names)] for name in MAPS]
    out.append(page.Table("One who learned among the restrained", ["map", *names], rows, f"In {UNIT} an episode."))
    return out


STUDY = Study(
    "schelling",
    "Is the commons a social dilemma for the restrained and for those who learn to serve themselves?",
    [claim for name in MAPS for claim in _claims(name)],
    trials,
    {"smoke": 1, "laptop": 5, "paper": 20},
    sections,
    "A dilemma needs the first two conditions, and fear or greed. All worlds of a seed are the same for all mixtures.",
)
