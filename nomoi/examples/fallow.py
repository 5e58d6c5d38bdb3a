"""An institution of one's own, in one file: try `nomoi check fallow.py`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, setting, size
from nomoi.errors import Refusal, nearest


class Fallow(Institution):
    """Who has taken leaves the commons alone for `rest` steps: meanwhile the own answer to `head` is taken to be 0.

    Fields lie fallow like this, and hunters leave off.  It needs no payment and no punishment, and asks the same of
    whoever took little.

    needs     the event harvest
    emits     fallow.rested [n] steps in which one had to leave off
    senses    fallow.left [n, 1] how many more steps one has to
    memory    left [n], the same
    """

    head: str = size("request", "the choice that who rests does not have")
    rest: Int[Array, ""] = setting(2, "steps to leave off after a harvest", "ours", "steps", 1)

    @property
    def needs(self) -> tuple[str, ...]:
        return ("harvest",)

    @property
    def emits(self) -> dict[str, Event]:
        return {"rested": Event("rested", "[n]", "steps", "had to leave the commons alone", True)}

    def chance(self, situation: Situation) -> str:
        return ""  # nothing here is drawn, so that a small situation under it can still be solved exactly

    def fits(self, situation: Situation) -> None:
        if self.head not in situation.actions:
            raise Refusal(f"fallow.head is {self.head!r}; {nearest(self.head, situation.actions, 'choice')}")

    def found(self, key: PRNGKeyArray, situation: Situation, state: Any) -> Int[Array, " n"]:
        return jnp.zeros(situation.agents, jnp.int32)

    def permit(self, memory: Array, situation: Situation, state: Any, action: dict[str, Array]) -> dict[str, Array]:
        return action | {self.head: jnp.where(memory > 0, 0, action[self.head])}

    def inform(self, memory: Array, situation: Situation, state: Any, scene: Any, told: Any) -> dict[str, Array]:
        return {"left": memory[:, None].astype(jnp.float32)}

    def settle(
        self, key: PRNGKeyArray, memory: Array, situation: Situation, state: Any, tried: Any, action: Any,
        outcome: Outcome,
    ) -> tuple[Array, Any, Outcome]:  # fmt: skip
        took = outcome.events["harvest"] > 0
        left = jnp.where(took, self.rest, jnp.maximum(memory - 1, 0))
        return left, state, outcome.note(self, rested=memory > 0)
