"""Norms: what agents expect others to disapprove of, against what others do and what the rule says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from nomoi.core import Situation
from nomoi.core.rollout import rollout
from nomoi.errors import Refusal
from nomoi.learners.conscience import chance, logit
from nomoi.learners.ppo import PPO

TOLD = ("accuracy", "truth", "disapproved", "chances")


def judgement(
    key: PRNGKeyArray, situation: Situation, learner: PPO, mind: Any, worlds: int = 16
) -> Mapping[str, float]:
    """How well the judges of agents with a conscience foresee punishing, over one horizon in `worlds` worlds.

    accuracy      balanced accuracy of "this chance to punish will be taken", on the chances of all agents
    truth         balanced accuracy of "this one carries a violation", where a sanction says so (else NaN)
    disapproved   share of the chances that were taken;  chances, how many there were, an agent and step
    """
    if learner.conscience is None:
        raise Refusal(
            "judgement asks what a conscience has learned, and this learner has none; PPO(conscience=Conscience()) has."
        )
    found = _judgement(key, situation, learner, mind, worlds)
    return {name: float(value) for name, value in zip(TOLD, found, strict=True)}


@eqx.filter_jit
def _judgement(
    key: PRNGKeyArray, situation: Situation, learner: PPO, mind: Any, worlds: int
) -> tuple[Float[Array, ""], ...]:
    keep = lambda state: (situation.observe(state), chance(situation, state))  # noqa: E731
    played = rollout(key, situation, learner, worlds=worlds, mind=mind, keep=keep)
    told, could = played.kept  # [T, W, n, ...]
    events = played.outcome.events
    expects = lambda judge: logit(judge, told) > 0  # noqa: E731
    guess = expects(mind.judge)[None] if learner.shared else eqx.filter_vmap(expects)(mind.judge)  # [judges, T, W, n]
    struck = events["shot"] > 0
    nan = jnp.full((), jnp.nan)
    accuracy, truth = balanced(guess, could & struck, could & ~struck), nan
    if "sanction.ripe" in events:
        truth = balanced(guess, events["sanction.ripe"] > 0, events["sanction.idle"] > 0)
    count = could.sum(dtype=jnp.float32)
    share = jnp.where(count > 0, (could & struck).sum(dtype=jnp.float32) / jnp.maximum(count, 1.0), jnp.nan)
    return accuracy, truth, share, could.astype(jnp.float32).mean()


def balanced(guess: Bool[Array, "..."], yes: Bool[Array, "..."], no: Bool[Array, "..."]) -> Float[Array, ""]:
    """Mean of the shares of `yes` and of `no` that were guessed right; NaN where there is none of one."""

    def share(right: Array, of: Array) -> Array:
        of = jnp.broadcast_to(of, right.shape)
        count = of.sum(dtype=jnp.float32)
        return jnp.where(count > 0, (right & of).sum(dtype=jnp.float32) / jnp.maximum(count, 1.0), jnp.nan)

    return (share(guess, yes) + share(~guess, no)) / 2
