"""Consequences: what follows from a setup.

Equilibria and welfare where the situation unfolds; else worlds in which scripts live, with intervals.  A setting that
moves compiles nothing: programs are kept by structure, and settings are traced.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from nomoi.core import Situation
from nomoi.core.learner import Learner
from nomoi.errors import Refusal
from nomoi.measure.evaluate import episodes
from nomoi.measure.measures import measures
from nomoi.measure.statistics import estimate, number
from nomoi.probes.meeting import Guest
from nomoi.report import solution, unfolded
from nomoi.runs import regimes
from nomoi.runs.shapes import in_force
from nomoi.solve import unfold
from nomoi.solve.analysis import analyse

WORLDS = 16
SMALL = 20_000  # joint choices that are solved while somebody waits (ours)
UNFOLDS = 500  # steps and choices beyond which nobody asks whether it unfolds (ours)


def follow(situation: Situation, who: Guest, exact: bool = True) -> dict[str, Any]:
    """Tables and sentences for a page: {how, said: [...], rows: [[name, value, interval, unit, meaning]]}.

    `who` lives in the worlds that are simulated; with `exact`, only where it cannot be solved.
    """
    said = [i.says(situation.bare) for i in situation.institutions if bool(i.in_force)]
    said += regimes.unheard(situation.institutions)
    same = shape(situation)
    if exact and same not in _too_large:
        try:
            if solved := _solved(situation):
                return {"how": "solved exactly", "exact": True, "rules": said, **solved}
        except Refusal as refusal:
            _too_large[same] = str(refusal)
    why = [f"Not solved exactly: {_too_large[same]}"] if same in _too_large else []
    return {"rules": said, **simulated(situation, who, why)}


_too_large: dict[str, str] = {}  # structures that did not unfold, and why: not asked again for each move of a slider


def shape(situation: Situation) -> str:
    """What situations have in common that differ in settings alone."""
    traced, plain = eqx.partition(situation, eqx.is_array)
    leaves, structure = jax.tree.flatten(traced)
    return str((structure, [x.shape for x in leaves], jax.tree.leaves(plain)))


def _solved(situation: Situation) -> dict[str, Any] | None:
    """What backward induction, or the solvers of games in normal form, say."""
    if situation.bare.lots and not situation.lots:
        unfold.declared(situation)
    if not situation.lots or situation.horizon > UNFOLDS:
        return None
    joint = float(np.prod([float(k) for k in situation.actions.values()])) ** situation.agents
    if joint > SMALL:
        raise Refusal(f"{situation.name} has {joint:.3g} joint choices in one step, too many to solve while one waits.")
    game = unfolded.game(situation)
    if game is not None:
        return {"said": solution.sentences(analyse(game)), "rows": []}
    found = unfolded.solve(situation, SMALL)
    rows = [[f"value of {who}", number(v), "", "reward", "what it gets in a subgame-perfect equilibrium"]
            for who, v in zip(found["agents"], found["values"], strict=True)]  # fmt: skip
    rows += [["welfare", number(found["welfare"]), "", "reward", "what the world gives all together, in that "
              "equilibrium; what rules move, make or burn is left out"],
             ["the most", number(found["planner"]), "", "reward", "what the world could give all"]]  # fmt: skip
    steps = [f"Step {k + 1}, most probably: {told}." for k, told in enumerate(found["told"][:12])]
    return {"said": steps, "rows": rows}


def simulated(situation: Situation, who: Guest, said: Sequence[str] = ()) -> dict[str, Any]:
    """Means over worlds in which all agents are one guest, with 95 % intervals."""
    values = np.asarray(_values(situation, who.learner, who.mind, jax.random.key(0)))
    meant, rows = in_force(situation), []
    for (name, m), x in zip(measures(situation).items(), values.T, strict=True):
        if name in meant and np.isfinite(x).any():
            found = estimate(x[np.isfinite(x)])
            rows.append([name, number(found.mean), f"{number(found.low)} to {number(found.high)}", m.unit, m.meaning])
    return {"how": f"{WORLDS} worlds, lived in by {who.name}", "exact": False, "said": list(said), "rows": rows}


@eqx.filter_jit
def _values(situation: Situation, learner: Learner, mind: Any, key: Any) -> Any:
    lived = episodes(key, situation, learner, mind, WORLDS)
    return jax.vmap(lambda e: jnp.stack([m.of(e) for m in measures(situation).values()]))(lived)
