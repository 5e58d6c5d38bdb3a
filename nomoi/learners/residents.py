"""Residents: agents who follow a script among others who learn."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from nomoi.core import Situation
from nomoi.core.learner import Learner
from nomoi.core.situation import Observation
from nomoi.errors import Refusal, nearest


class Residents(eqx.Module):
    """A population in which only the first `pupils` agents learn; all others follow a script.

    The pupils do not sense the feature `blind` (empty is none), which residents do: a control.
    """

    script: Learner
    pupils: int = eqx.field(static=True, default=1)
    blind: str = eqx.field(static=True, default="")

    def blinded(self, told: Observation) -> Observation:
        """What pupils sense of what they are told."""
        if not self.blind:
            return told
        if self.blind not in told:
            raise Refusal(f"pupils cannot be blind to {self.blind!r}; {nearest(self.blind, told, 'feature')}")
        return told | {self.blind: jnp.zeros_like(told[self.blind])}

    def join(
        self, key: PRNGKeyArray, situation: Situation, seen: Observation, action: dict[str, Array], bore: Any
    ) -> tuple[dict[str, Array], Any]:
        """Everybody's answers {head: [n]} in one world: those of the pupils, then the residents'; and what these
        remember."""
        theirs, bore = self.script.act(key, (), situation, seen, bore)
        return {h: jnp.concatenate([x, theirs[h][x.shape[0] :]]) for h, x in action.items()}, bore
