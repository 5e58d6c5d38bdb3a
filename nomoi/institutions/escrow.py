"""Escrow: what is offered is deposited first, so that nobody can withhold it."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, setting, size
from nomoi.core.situation import Action, State
from nomoi.institutions.choices import offered


class Escrow(Institution):
    """A third party holds what is agreed on until both sides have it; it asks `fee` of each for a unit of `on`.

    It replaces trust: whether somebody would have delivered no longer matters.

    needs     the event `on`, and a head of the situation by whose choice 1 is delivered
    emits     escrow.forced [n] deliveries that would have been withheld; escrow.paid [n], in units of reward
    memory    none

    >>> from nomoi import govern
    >>> from nomoi.institutions.escrow import Escrow
    >>> from nomoi.situations.bazaar import Bazaar
    >>> "escrow.forced" in govern(Bazaar(), Escrow()).emits
    True
    """

    on: str = size("traded", "the event that fees are asked for", "ours (the bazaar's)")
    head: str = size("deliver", "the choice by which goods are delivered (1) or withheld (0)", "ours (the bazaar's)")
    fee: Float[Array, ""] = setting(0.0, "what it asks for a unit", "ours", "reward/unit", 0)

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.on,)

    def fits(self, situation: Situation) -> None:
        offered(self, situation, self.head, f"holds what {self.head!r} would deliver")

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "forced": Event("forced", "[n]", "deliveries", "would have withheld what was agreed on", True),
            "paid": Event("paid", "[n]", "reward", "paid in fees", True),
        }

    def chance(self, situation: Situation) -> str:
        return ""

    def permit(self, memory: Any, situation: Situation, state: State, action: Action) -> Action:
        return action | {self.head: jnp.ones_like(action[self.head])}

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
        traded = outcome.units(self.on)
        forced = (tried[self.head] == 0) & (traded > 0)
        return memory, state, outcome.pay(-self.fee * traded, self, forced=forced, paid=self.fee * traded)
