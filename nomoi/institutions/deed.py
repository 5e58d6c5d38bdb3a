"""Deed: a contract that stands, pays for the events that it names, and says nothing of any other."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, setting, size
from nomoi.core.situation import Action, State
from nomoi.errors import Refusal
from nomoi.institutions.parley import among_others


class Deed(Institution):
    """For each unit of an event that it names the others pay who does it a price; below zero, who does it pays them.

    It is what two parties have signed before anything begins, so nobody is asked; what it does not name has no price,
    which is its gap.  To name an event has a price too: the parties pay `drafting` for each, evenly, once.

    needs     the events `on`, with commas; [n] or [n, n] (then the row's agent does it)
    emits     deed.paid [n], received under the deed, below zero where one paid; deed.drafted [n], paid for its terms
    memory    drafted [], whether the terms are paid for

    >>> from nomoi.institutions.deed import Deed
    >>> Deed(on="delivered,broken", prices=[1.0, -10.0]).needs
    ('delivered', 'broken')
    """

    least = 2
    on: str = size("delivered", "the events that it names, with commas", "ours")
    prices: Float[Array, " k"] = setting([1.0], "what the others pay for a unit of each", "ours", "reward/unit")
    drafting: Float[Array, ""] = setting(0.0, "what it costs to name an event, shared by all", "ours", "reward", 0)

    def __check_init__(self) -> None:
        if self.prices.shape[-1:] != (len(self.needs),):
            raise Refusal(
                f"deed.prices has {self.prices.size} numbers for {len(self.needs)} events ({self.on}); "
                "one number for each would be right."
            )

    @property
    def sentence(self) -> str:
        terms = [
            f"the others pay {float(p):g} for a unit of '{e}'" if float(p) >= 0 else
            f"a unit of '{e}' costs who does it {-float(p):g}, paid to the others"
            for e, p in zip(self.needs, self.prices, strict=True)
        ]  # fmt: skip
        price = f"; each of its terms cost {float(self.drafting):g} to write" if float(self.drafting) else ""
        return f"Under a deed {' and '.join(terms)}{price}."

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.on.split(","))

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "paid": Event("paid", "[n]", "reward", "received from the others under the deed", True, "earned"),
            "drafted": Event("drafted", "[n]", "reward", "paid for its terms", True),
        }

    def chance(self, situation: Situation) -> str:
        return ""

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Bool[Array, ""]:
        return jnp.array(False)

    def settle(
        self, key: PRNGKeyArray, memory: Array, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Array, State, Outcome]:  # fmt: skip
        due = sum((p * outcome.units(e) for e, p in zip(self.needs, self.prices, strict=True)), jnp.zeros(()))
        terms = jnp.where(memory, 0.0, self.drafting * len(self.needs) / len(due))
        drafted = jnp.broadcast_to(terms, due.shape)
        return memory | True, state, outcome.pay(due - among_others(due) - drafted, self, paid=due, drafted=drafted)
