"""Objectives: what a learner wants, given what everybody ended each step with."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

from nomoi.core import setting
from nomoi.core.settings import Rule


class Objective(Rule):
    """From the payoffs of a step to the utilities that are learned from.  `memory` [n] lasts an episode."""

    def feel(
        self, memory: Float[Array, " n"], payoff: Float[Array, " n"]
    ) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
        """(memory, payoff) -> (memory, utility) for one world."""
        return memory, payoff


class Own(Objective):
    """One's own payoff."""


class Common(Objective):
    """The mean payoff of all, for everybody."""

    def feel(self, memory: Array, payoff: Array) -> tuple[Array, Array]:
        return memory, jnp.full_like(payoff, payoff.mean())


class SocialValue(Objective):
    """Social value orientation: cos(angle) own + sin(angle) mean of the others' (Griesinger & Livingston 1973)."""

    angle: Float[Array, ""] = setting(45.0, "0 is selfish, 45 prosocial, 90 altruistic", "McKee et al. 2020", "degrees")

    def feel(self, memory: Array, payoff: Array) -> tuple[Array, Array]:
        others = (payoff.sum() - payoff) / max(payoff.shape[0] - 1, 1)
        angle = jnp.deg2rad(self.angle)
        return memory, jnp.cos(angle) * payoff + jnp.sin(angle) * others


class InequityAverse(Objective):
    """Dislikes having less (envy) and having more (guilt) than others, on smoothed payoffs (Hughes et al. 2018)."""

    envy: Float[Array, ""] = setting(
        5.0, "weight of disadvantageous inequity (alpha)", "ours, after Hughes et al. 2018", "", 0
    )
    guilt: Float[Array, ""] = setting(
        0.05, "weight of advantageous inequity (beta)", "ours, after Hughes et al. 2018", "", 0
    )
    decay: Float[Array, ""] = setting(
        0.975, "memory of past payoffs (gamma x lambda)", "ours, after Hughes et al. 2018", "per step", 0, 1
    )

    def feel(self, memory: Array, payoff: Array) -> tuple[Array, Array]:
        smooth = self.decay * memory + payoff
        gap = smooth[None, :] - smooth[:, None]  # [i, j] how much more j has than i
        others = max(payoff.shape[0] - 1, 1)
        envy = jnp.maximum(gap, 0).sum(1) / others
        guilt = jnp.maximum(-gap, 0).sum(1) / others
        return smooth, payoff - self.envy * envy - self.guilt * guilt


OBJECTIVES: dict[str, type[Objective]] = {
    "own": Own,
    "common": Common,
    "svo": SocialValue,
    "inequity": InequityAverse,
}

__all__ = ["OBJECTIVES", "Common", "InequityAverse", "Objective", "Own", "SocialValue"]
