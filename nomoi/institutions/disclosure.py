"""Disclosure: what sellers say of their goods is proven, and buyers pay for what is (Grossman 1981)."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, setting, size
from nomoi.core.situation import Action, State
from nomoi.errors import Refusal


class Disclosure(Institution):
    """Whoever offers with papers has the goods inspected: the buyer pays what they are worth, and the seller the cost.

    Nobody must show anything.  Where a proof costs nothing the best are shown, so that what is not shown is worse than
    thought; then the next best are, and so on until all are (Grossman 1981; Milgrom 1981).  Where it costs something
    only those above some quality are shown; and who is shown may only have moved money to itself (Jovanovic 1982).

    needs     the event `on`, [n]; and the events goods and handed, both [n, n]
    emits     disclosure.shown [n] units that were proven; disclosure.paid [n] for proofs, in units of reward
    memory    none

    >>> from nomoi import govern
    >>> from nomoi.institutions.disclosure import Disclosure
    >>> from nomoi.situations.lemons import Lemons
    >>> "disclosure.shown" in govern(Lemons(), Disclosure()).emits
    True
    """

    on: str = size("papers", "the event that asks for a proof: units offered with papers", "ours (the lemons')")
    cost: Float[Array, ""] = setting(0.0, "what a proof costs the seller; nobody gets it", "ours", "reward/unit", 0)

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.on, "goods", "handed")

    def fits(self, situation: Situation) -> None:
        shape = situation.emits[self.on].shape
        if shape != "[n]":
            raise Refusal(f"{self.name}.on is {self.on!r}, which is {shape}; an event [n], such as papers, is right.")

    @property
    def sentence(self) -> str:
        price = f" for {float(self.cost):g}" if float(self.cost) else ""
        return f"Whoever offers with papers has the goods inspected{price}, and is paid what they are worth."

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "shown": Event("shown", "[n]", "units", "were proven to be what they are", True),
            "paid": Event("paid", "[n]", "reward", "paid for proofs", True),
        }

    def chance(self, situation: Situation) -> str:
        return ""

    def settle(
        self, key: PRNGKeyArray, memory: Any, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Any, State, Outcome]:  # fmt: skip
        shown = outcome.units(self.on)
        # what is still due for goods that are shown: their worth beyond what was paid for them unseen
        due = jnp.where(shown[:, None] > 0, outcome.events["goods"] - outcome.events["handed"].T, 0.0)
        cost = self.cost * shown
        return memory, state, outcome.pay(due.sum(1) - due.sum(0) - cost, self, shown=shown, paid=cost)
