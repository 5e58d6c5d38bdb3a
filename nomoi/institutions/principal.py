"""Principal: one outside the game pays agents for what happens (principal-agent contracts; Ivanov et al. 2024)."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, setting, size
from nomoi.core.situation import Action, State
from nomoi.errors import Refusal


class Principal(Institution):
    """A principal outside the game pays whoever does a unit of `on`; agents do not pay (limited liability).

    It pays for outcomes, not for choices, as it need not see these.  The money comes from outside, so transfers do not
    sum to zero but to `principal.paid`, its cost: what is good for all is reward, and payoff counts the payments.

    needs     the events `on`, [n] or [n, n] (then the row's agent is paid)
    emits     principal.paid [n], received from the principal, in units of reward
    memory    spent [], what the principal has paid so far

    >>> from nomoi.institutions.principal import Principal
    >>> Principal(on="clean,harvest", rates=[0.5, 0.0]).needs
    ('clean', 'harvest')
    """

    on: str = size("clean", "the events that are paid for, with commas", "ours")
    rates: Float[Array, " k"] = setting([0.5], "payment per unit of each event", "ours", "reward/unit", 0)
    budget: Float[Array, ""] = setting(0.0, "the most that it pays in an episode; 0 is no limit", "ours", "reward", 0)

    def __check_init__(self) -> None:
        if self.rates.shape != (len(self.needs),):
            raise Refusal(
                f"principal.rates has {self.rates.size} numbers for {len(self.needs)} events ({self.on}); "
                "one number for each would be right."
            )

    @property
    def sentence(self) -> str:
        prices = " and ".join(f"{float(r):g} for a unit of '{e}'" for e, r in zip(self.needs, self.rates, strict=True))
        limit = f", up to {float(self.budget):g} an episode" if float(self.budget) else ""
        return f"A principal from outside pays {prices}{limit}."

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.on.split(","))

    def chance(self, situation: Situation) -> str:
        return ""

    @property
    def emits(self) -> dict[str, Event]:
        return {"paid": Event("paid", "[n]", "reward", "received from the principal", True, "spent")}

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Float[Array, ""]:
        return jnp.zeros(())

    def settle(
        self, key: PRNGKeyArray, memory: Array, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Array, State, Outcome]:  # fmt: skip
        due = sum((r * outcome.units(e) for e, r in zip(self.needs, self.rates, strict=True)), jnp.zeros(()))
        left = jnp.where(self.budget > 0, jnp.maximum(self.budget - memory, 0.0), jnp.inf)
        paid = due * jnp.where(due.sum() > left, left / jnp.maximum(due.sum(), 1e-12), 1.0)
        return memory + paid.sum(), state, outcome.pay(paid, self, paid=paid)
