"""An institution of one's own, in one file: try `nomoi check rotation.py`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, setting, size
from nomoi.errors import Refusal, nearest


class Rotation(Institution):
    """The commons is used in turn: while it is not one's turn, the own answer to `head` is taken to be 0, nothing.

    Irrigators have shared water like this for a thousand years (Ostrom 1990, the huertas of Valencia).  It needs no
    payment and no punishment, and it wastes what those whose turn it is leave unused.

    needs     the event harvest
    emits     rotation.turn [n] steps in which it was one's turn
    senses    rotation.turn [n, 1] whether it is one's turn
    memory    clock [], steps so far
    """

    head: str = size("request", "the choice that only those on turn have")
    length: Int[Array, ""] = setting(5, "how long a turn is", "ours", "steps", 1)
    together: Int[Array, ""] = setting(1, "how many are on turn at once", "ours", "agents", 1)

    @property
    def needs(self) -> tuple[str, ...]:
        return ("harvest",)

    @property
    def emits(self) -> dict[str, Event]:
        return {"turn": Event("turn", "[n]", "steps", "had the right to harvest", True)}

    def found(self, key: PRNGKeyArray, situation: Situation, state: Any) -> Int[Array, ""]:
        if self.head not in situation.actions:
            raise Refusal(f"rotation.head is {self.head!r}; {nearest(self.head, situation.actions, 'choice')}")
        return jnp.zeros((), jnp.int32)

    def on_turn(self, clock: Int[Array, ""], n: int) -> Bool[Array, " n"]:
        return (np.arange(n) - clock // self.length * self.together) % n < self.together

    def permit(self, memory: Array, situation: Situation, state: Any, action: dict[str, Array]) -> dict[str, Array]:
        wish = action[self.head]
        return action | {self.head: jnp.where(self.on_turn(memory, len(wish)), wish, 0)}

    def inform(self, memory: Array, situation: Situation, state: Any, scene: Any, told: Any) -> dict[str, Array]:
        return {"turn": self.on_turn(memory, situation.agents)[:, None].astype(jnp.float32)}

    def settle(
        self, key: PRNGKeyArray, memory: Array, situation: Situation, state: Any, tried: Any, action: Any,
        outcome: Outcome,
    ) -> tuple[Array, Any, Outcome]:  # fmt: skip
        return memory + 1, state, outcome.note(self, turn=self.on_turn(memory, situation.agents))
