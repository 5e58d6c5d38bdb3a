"""Films: what one episode looked like to a bystander who also knows what the institutions said of it.

Beside the scene a film keeps who struck whom, who carried a violation, what each institution displayed, and what was
left.  It is made inside `jit` (`seen`, for `rollout`) and put together from what came of it (`shot`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Array

from nomoi.core.institution import Institution
from nomoi.core.learner import Learner
from nomoi.core.outline import outline
from nomoi.core.rollout import Trajectory, rollout
from nomoi.core.situation import Situation
from nomoi.grid.still import Still, still, trace

LONGEST = 300  # steps of a film (ours)
MARKED, VIOLATOR = ".marked", ".violator"  # the event after a step, and the mark that is shown before the next


def _displays(situation: Situation) -> list[tuple[int, Institution]]:
    """The institutions that have something on display, with their places in the stack."""
    return [(k, i) for k, i in enumerate(situation.institutions) if type(i).board is not Institution.board]


def seen(situation: Situation) -> Callable[[Any], dict[str, Array]]:
    """What to keep of each state (the `keep` of `rollout`): the scene's trace, the stock, and what is on display."""

    def keep(state: Any) -> dict[str, Array]:
        out = trace(situation.scene(state))
        if "stock" in situation.offers:
            out["stock"] = situation.stock(state)
        return out | {f"posted.{i.name}": i.posted(state.memory[k]) for k, i in _displays(situation)}

    return keep


def events(trajectory: Trajectory) -> dict[str, Array]:
    """Of what happened, the parts that a film shows: zap, each institution's marks, and where episodes ended."""
    named = trajectory.outcome.events
    shown = {name: value > 0 for name, value in named.items() if name == "zap" or name.endswith(MARKED)}
    return shown | {"done": trajectory.done}


def play(learner: Learner, situation: Situation, mind: Any, key: Any) -> tuple[dict[str, Array], dict[str, Array]]:
    """One episode of a behaviour (at most LONGEST steps): what `shot` is made of.  May be jitted."""
    lived = rollout(key, situation, learner, min(situation.horizon, LONGEST), 1, mind, seen(situation))
    return lived.kept, events(lived)


def shot(situation: Situation, kept: dict[str, Any], happened: dict[str, Any], world: int = 0) -> Still:
    """The film of one world, from what `seen` and `events` give: leaves [T, W, ...].  The situation is concrete."""
    scene: Any = outline(situation).scene
    traced = {name: np.asarray(value)[:, world] for name, value in kept.items()}
    told = {name: np.asarray(value)[:, world] for name, value in happened.items()}
    boards = {i.name: i.board(situation) for _, i in _displays(situation) if bool(i.in_force)}
    ruled = {i.name for i in situation.institutions if bool(i.in_force)}
    for name, marked in told.items():
        owner = name.removesuffix(MARKED)
        if name.endswith(MARKED) and owner in ruled and f"mark.{name}" not in traced:
            before = np.roll(marked, 1, axis=0)  # marked after a step is marked before the next
            before[0] = False
            before[1:][told["done"][:-1]] = False
            traced[f"mark.{owner}{VIOLATOR}"] = before
    if "zap" in told:
        traced["struck"] = told["zap"]
    hidden = {f"posted.{i.name}" for _, i in _displays(situation)} - {f"posted.{name}" for name in boards}
    traced = {name: value for name, value in traced.items() if name not in hidden}
    most = tuple(float(x) for x in np.asarray(situation.capacity())) if "stock" in traced else ()
    return still(scene, traced, situation.kinds, boards=boards, capacity=most)


__all__ = ["events", "play", "seen", "shot"]
