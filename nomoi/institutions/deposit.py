"""Deposit: what is held needs money down, which comes back for what is used (a fee on what is taken and wasted)."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, choice, setting, size, unit_of
from nomoi.core.situation import Action, State
from nomoi.institutions.choices import amounts
from nomoi.institutions.levy import charge


class Deposit(Institution):
    """Each unit of `on` needs a deposit of `amount`, of which the share `back` is returned for each unit of `kept`.

    With `back` 0 it is a fee on every booking, and as a price for what others bear (Pigou 1920) right where it is what
    a unit costs them.  With `back` 1 only what was held and not used is paid for.  Who pays at once feels it at once:
    a deposit needs no record and no monitor, but somebody who can hold money.

    needs     the events `on` and `kept`, [n]
    emits     deposit.paid [n] what was not returned, in reward; deposit.held [n] units that needed one
    memory    none

    >>> from nomoi import govern
    >>> from nomoi.institutions.deposit import Deposit
    >>> from nomoi.situations.reservations import Reservations
    >>> "deposit.paid" in govern(Reservations(), Deposit()).emits
    True
    """

    amount: Float[Array, ""] = setting(0.5, "deposit for a unit", "ours (what a booking costs staff)", "reward/unit", 0)
    back: Float[Array, ""] = setting(1.0, "share that is returned for what is kept", "ours", "", 0, 1)
    on: str = size("booked", "the event that needs a deposit", "ours")
    kept: str = size("used", "the event for which it comes back", "ours")
    proceeds: Int[Array, ""] = choice("burnt", ("burnt", "shared"), "what becomes of what is not returned")

    @property
    def sentence(self) -> str:
        fate = ("burnt", "shared equally among all")[int(self.proceeds)]
        return (
            f"Each {unit_of(self.on)} needs a deposit of {float(self.amount):g}, of which {float(self.back):.0%} comes "
            f"back for each unit of {self.kept}; the rest is {fate}."
        )

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.on, self.kept)

    def fits(self, situation: Situation) -> None:
        amounts(self, situation, "on", "kept")

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "paid": Event("paid", "[n]", "reward", "paid in deposits that were not returned", True),
            "held": Event("held", "[n]", "units", "taken on a deposit", True),
        }

    def chance(self, situation: Situation) -> str:
        return ""

    def settle(
        self, key: PRNGKeyArray, memory: Any, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Any, State, Outcome]:  # fmt: skip
        held = outcome.units(self.on)
        back = self.back * jnp.minimum(outcome.units(self.kept), held)
        outcome = charge(outcome, self.amount * (held - back), self.proceeds, self)[0]
        return memory, state, outcome.note(self, held=held)
