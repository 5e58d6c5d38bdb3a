"""Schelling diagrams: what cooperating and defecting bring, by how many others cooperate (Schelling 1973)."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from nomoi.core import Situation
from nomoi.core.learner import Learner
from nomoi.core.rollout import rollout
from nomoi.measure.statistics import Estimate, estimate
from nomoi.scripts.fixed import Mixed


@dataclasses.dataclass(frozen=True)
class Diagram:
    """Mean payoff of an agent in an episode, by the number of OTHER cooperators 0 .. n-1.

    cooperate, defect [seeds, n]
    """

    cooperate: np.ndarray
    defect: np.ndarray

    @property
    def agents(self) -> int:
        return self.cooperate.shape[1]

    def conditions(self) -> dict[str, Estimate]:
        """What makes it a dilemma, each as an effect that must be positive (after Hughes et al. 2018).

        Fear: defecting is better among few cooperators; greed: among many.  A dilemma needs one of them.
        """
        c, d = self.cooperate, self.defect
        return {
            "all cooperating beats all defecting": estimate(c[:, -1] - d[:, 0]),
            "cooperators do better among cooperators": estimate(c[:, -1] - c[:, 0]),
            "fear": estimate(d[:, 0] - c[:, 0]),
            "greed": estimate(d[:, -1] - c[:, -1]),
        }

    def total(self) -> np.ndarray:
        """Payoff of all agents together, by the number of cooperators 0 .. n: [seeds, n + 1]."""
        n = self.agents
        k = np.arange(n + 1)
        paid = np.concatenate([np.zeros((len(self.cooperate), 1)), self.cooperate], 1) * k
        kept = np.concatenate([self.defect, np.zeros((len(self.defect), 1))], 1) * (n - k)
        return paid + kept


def schelling(
    key: PRNGKeyArray,
    situation: Situation,
    cooperate: Learner,
    defect: Learner,
    seeds: int = 5,
    worlds: int = 16,
    minds: tuple[Any, Any] | None = None,
) -> Diagram:
    """Play every mixture of two behaviours, `worlds` episodes a seed; the same random worlds for all mixtures."""
    n = situation.agents

    def mixture(key: Array, count: Array) -> tuple[Array, Array]:
        learner = Mixed(cooperate, defect, count)
        played = rollout(key, situation, learner, worlds=worlds, mind=minds)
        payoff = played.outcome.reward + played.outcome.transfer  # [T, W, n]
        # only the first episode of each world
        ended = jnp.cumsum(played.done.astype(jnp.int32), 0) - played.done.astype(jnp.int32)
        each = jnp.where((ended == 0)[..., None], payoff, 0.0).sum(0).mean(0)  # [n]
        cooperates = jnp.arange(n) < count
        mean = lambda who: jnp.where(who, each, 0.0).sum() / jnp.maximum(who.sum(dtype=jnp.float32), 1.0)  # noqa: E731
        return mean(cooperates), mean(~cooperates)

    run = jax.jit(mixture)
    keys = jax.random.split(key, seeds)
    found = np.array([[run(k, jnp.int32(count)) for count in range(n + 1)] for k in keys])  # [seeds, n + 1, 2]
    # a cooperator among l other cooperators lives in the mixture of l + 1; a defector in that of l
    return Diagram(found[:, 1:, 0], found[:, :-1, 1])
