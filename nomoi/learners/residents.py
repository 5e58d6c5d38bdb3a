"""Residents: agents who follow a script among others who learn."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from nomoi.core import Situation, outline
from nomoi.core.learner import Learner
from nomoi.core.situation import Observation
from nomoi.errors import Refusal, nearest


class Residents(eqx.Module):
    """A population in which only the first `pupils` agents learn; all others follow a script.

    The pupils do not sense what `blind` names (with commas; empty is nothing), which residents do: features, and of
    the view planes, or all whose names begin so (`altar.kind` is `altar.kind.0` and so on).
    """

    script: Learner
    pupils: int = eqx.field(static=True, default=1)
    blind: str = eqx.field(static=True, default="")

    def blinded(self, situation: Situation, told: Observation) -> Observation:
        """What pupils sense of what they are told."""
        for name in filter(None, map(str.strip, self.blind.split(","))):
            if name in told:
                told = told | {name: jnp.zeros_like(told[name])}
                continue
            planes = outline(situation).planes
            lost = [bit for bit, plane in enumerate(planes) if f"{plane}.".startswith(f"{name}.")]
            if not lost:
                raise Refusal(f"pupils cannot be blind to {name!r}; {nearest(name, [*told, *planes], 'feature')}")
            view = told["view"]
            told = told | {"view": view & ~jnp.asarray(sum(1 << bit for bit in lost), view.dtype)}
        return told

    def join(
        self, key: PRNGKeyArray, situation: Situation, seen: Observation, action: dict[str, Array], bore: Any
    ) -> tuple[dict[str, Array], Any]:
        """Everybody's answers {head: [n]} in one world: those of the pupils, then the residents'; and what these
        remember."""
        theirs, bore = self.script.act(key, (), situation, seen, bore)
        return {h: jnp.concatenate([x, theirs[h][x.shape[0] :]]) for h, x in action.items()}, bore
