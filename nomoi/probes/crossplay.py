"""Cross-play: do populations that learned apart get on with one another (Stastny et al. 2021)?

Runs of one learner may settle on different conventions, each as good as the others among those who share it.  So some
agents act by the mind of one run among agents who act by the mind of another, and what they get is compared with
what they get among their own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Situation
from nomoi.core.learner import Learner
from nomoi.errors import Refusal
from nomoi.learners.ppo import PPO
from nomoi.measure.evaluate import episodes
from nomoi.measure.measures import measures
from nomoi.scripts.fixed import Mixed

SOCIAL = ("harvest", "compliance")  # measures of everybody together that are compared, where they are defined


def crossplay(
    key: PRNGKeyArray, situation: Situation, learner: Learner, minds: Sequence[Any], focal: int = 0, worlds: int = 16
) -> Mapping[str, float]:
    """What the first `focal` agents (0 is half of all, at least one) get among their own, and among others.

    They act by the first of the minds; `own`, the rest too; `cross`, the rest act by each of the other minds in turn
    (mean).  The same random worlds for all.  Of an agent and episode: payoff.own, payoff.cross; of all agents
    together, where defined: harvest, compliance.  For each also ratio = cross / own (NaN unless own > 0) and
    difference = cross - own.  Everything but `own` is NaN where there is no other mind.
    """
    meet = _meeting(situation, learner, focal, worlds)
    own, *others = [meet(key, minds[0], mind) for mind in minds]
    out: dict[str, float] = {}
    for name, alike in own.items():
        mixed = _mean([other[name] for other in others])
        ratio = mixed / alike if alike > 0 else float("nan")
        named = {"own": alike, "cross": mixed, "ratio": ratio, "difference": mixed - alike}
        out |= {f"{name}.{word}": value for word, value in named.items()}
    return out


def matrix(
    key: PRNGKeyArray, situation: Situation, learner: Learner, minds: Sequence[Any], focal: int = 0, worlds: int = 16
) -> dict[str, np.ndarray]:
    """Every mind (row) for the focal agents among every mind (column) for the rest: measure -> [S, S].

    To be drawn by `nomoi.report.panels.heat`; the diagonal is play among one's own.
    """
    meet = _meeting(situation, learner, focal, worlds)
    table = [[meet(key, own, other) for other in minds] for own in minds]
    return {name: np.array([[cell[name] for cell in row] for row in table]) for name in table[0][0]}


def everyone(situation: Situation, learner: Learner, count: int) -> Learner:
    """The learner as one that can speak for the first `count` agents, though only some may have learned."""
    if not isinstance(learner, PPO) or learner.pupils(situation) >= count:
        return learner
    if not learner.shared:
        raise Refusal(
            f"{learner.pupils(situation)} agents of {situation.name} learned, each for itself, so no mind is there for "
            f"{count} of them; parameters that are shared speak for everybody."
        )
    return dataclasses.replace(learner, residents=None)


def _meeting(situation: Situation, learner: Learner, focal: int, worlds: int) -> Any:
    """(key, own, other) -> {measure: value}."""
    n = situation.agents
    focal = focal or max(1, n // 2)
    if not 0 < focal < n:
        raise Refusal(f"cross-play has {focal} focal agents, and {situation.name} {n} in all; 1 to {n - 1} would do.")
    learner = everyone(situation, learner, n)
    idle = {i.name for i in situation.institutions if not bool(i.in_force)}
    known = {m: [need.partition(".")[0] for need in measure.needs] for m, measure in measures(situation).items()}
    apply = {"payoff", *(m for m in SOCIAL if m in known and not idle & set(known[m]))}

    def meet(key: PRNGKeyArray, own: Any, other: Any) -> dict[str, float]:
        found = _met(key, situation, learner, own, other, jnp.int32(focal), worlds)
        return {name: float(value) for name, value in found.items() if name in apply}

    return meet


@eqx.filter_jit
def _met(
    key: PRNGKeyArray, situation: Situation, learner: Learner, own: Any, other: Any, focal: Int[Array, ""], worlds: int
) -> dict[str, Float[Array, ""]]:  # fmt: skip
    played = episodes(key, situation, Mixed(learner, learner, focal), (own, other), worlds)
    out = {"payoff": per_capita(played.reward + played.transfer, focal)}
    every = measures(situation)
    return out | {name: jnp.nanmean(jax.vmap(every[name].of)(played)) for name in SOCIAL if name in every}


def per_capita(payoff: Float[Array, "W n"], focal: Int[Array, ""]) -> Float[Array, ""]:
    """The mean over worlds and the first `focal` agents."""
    who = jnp.arange(payoff.shape[1]) < focal
    return jnp.where(who, payoff.mean(0), 0.0).sum() / focal.astype(jnp.float32)


def _mean(values: Sequence[float]) -> float:
    known = [v for v in values if np.isfinite(v)]
    return float(np.mean(known)) if known else float("nan")
