"""Title: what somebody owns cannot be taken (property; Demsetz 1967)."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, setting, size
from nomoi.core.situation import Action, State
from nomoi.institutions.choices import offered


class Title(Institution):
    """Whoever tries to take what is another's is kept from it; guards cost everybody `cost` a step, which nobody gets.

    Property that others respect without guards costs nothing; the cost is what the market must be worth beyond.

    needs     the event taken, and a head of the situation by whose choice 0 nothing is taken
    emits     title.kept [n] attempts that were stopped; title.paid [n] for guards, in units of reward
    memory    none

    >>> from nomoi import govern
    >>> from nomoi.institutions.title import Title
    >>> from nomoi.situations.bazaar import Bazaar
    >>> "title.kept" in govern(Bazaar(), Title()).emits
    True
    """

    head: str = size("take", "the choice by which things are taken; 0 takes nothing", "ours (the bazaar's)")
    cost: Float[Array, ""] = setting(0.0, "what guards cost each in a step", "ours", "reward", 0)

    @property
    def needs(self) -> tuple[str, ...]:
        return ("taken",)

    def fits(self, situation: Situation) -> None:
        offered(self, situation, self.head, f"guards against {self.head!r}")

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "kept": Event("kept", "[n]", "attempts", "tried to take, and was kept from it", True),
            "paid": Event("paid", "[n]", "reward", "paid for guards", True),
        }

    def chance(self, situation: Situation) -> str:
        return ""

    def permit(self, memory: Any, situation: Situation, state: State, action: Action) -> Action:
        return action | {self.head: jnp.zeros_like(action[self.head])}

    def settle(
        self,
        key: PRNGKeyArray,
        memory: Any,
        situation: Situation,
        state: State,
        tried: Action,
        action: Action,
        outcome: Outcome,
    ) -> tuple[Any, State, Outcome]:
        paid = jnp.broadcast_to(self.cost, (situation.agents,))
        return memory, state, outcome.pay(-paid, self, kept=tried[self.head] > 0, paid=paid)
