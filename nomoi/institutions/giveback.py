"""Giveback: who takes from what others made pays those who made it."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, setting, size, unit_of
from nomoi.core.situation import Action, State
from nomoi.institutions.choices import amounts


class Giveback(Institution):
    """Each unit of `on` costs `rate`, which goes to those who did `to` in the same step, each by how much it did.

    It moves payoffs and makes none; in a step in which nobody did `to` nobody pays.  It is a levy with an address: what
    a use takes comes back to those without whom there would be nothing to use.

    needs     the events `on` and `to`, [n]
    emits     giveback.paid [n] and giveback.got [n], in reward
    memory    none

    >>> from nomoi import govern
    >>> from nomoi.institutions.giveback import Giveback
    >>> from nomoi.situations.archive import Archive
    >>> "giveback.got" in govern(Archive(), Giveback(rate=0.2)).emits
    True
    """

    on: str = size("prompted", "the event that is paid for", "ours")
    to: str = size("given", "the event that is paid", "ours")
    rate: Float[Array, ""] = setting(0.1, "what a unit costs", "ours", "reward/unit", 0)

    @property
    def sentence(self) -> str:
        return f"Each {unit_of(self.on)} costs {float(self.rate):g}, which is paid out for each {unit_of(self.to)}."

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.on, self.to)

    def fits(self, situation: Situation) -> None:
        amounts(self, situation, "on", "to")

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "paid": Event("paid", "[n]", "reward", "paid for what others made", True),
            "got": Event("got", "[n]", "reward", "got for what one made", True),
        }

    def chance(self, situation: Situation) -> str:
        return ""

    def settle(
        self, key: PRNGKeyArray, memory: Any, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Any, State, Outcome]:  # fmt: skip
        made = outcome.units(self.to)
        some = made.sum() > 0
        paid = jnp.where(some, self.rate * outcome.units(self.on), 0.0)
        got = paid.sum() * made / jnp.where(some, made.sum(), 1.0)
        return memory, state, outcome.pay(got - paid, self, paid=paid, got=got)
