"""Levy: a charge on something that agents do (Pigou 1920)."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, choice, setting, size, unit_of
from nomoi.core.situation import Action, State

BURNT, SHARED, KEPT = range(3)


class Levy(Institution):
    """Each unit of the event `on` costs who does it `rate`; what comes in is burnt, shared equally, or kept in a fund.

    A levy on *sparse* units, the last ones of a patch, makes each agent bear what its bite costs the others.
    At a rate of 1 the bite is worth nothing, and a selfish learner stays indifferent; above 1 it is a loss.

    needs     the event `on`, [n] or [n, n] (then the row's agent pays)
    emits     levy.paid [n], in units of reward
    memory    fund [], what has been kept so far

    >>> from nomoi import govern
    >>> from nomoi.institutions.levy import Levy
    >>> from nomoi.situations.harvest import Harvest
    >>> sorted(set(govern(Harvest(), Levy(rate=2.0)).emits) - set(Harvest().emits))
    ['levy.paid']
    """

    rate: Float[Array, ""] = setting(2.0, "charge per unit; negative is a subsidy", "ours", "reward/unit")
    on: str = size(
        "sparse", "the event that is charged", 'the tutorial (Hadfield et al. 2024), "Harvest" (low-density apples)'
    )
    proceeds: Int[Array, ""] = choice("burnt", ("burnt", "shared", "kept"), "what becomes of what is paid")

    @property
    def sentence(self) -> str:
        fate = ("burnt", "shared equally among all", "kept in a fund")[int(self.proceeds)]
        if float(self.rate) < 0:
            return f"Each {unit_of(self.on)} brings {-float(self.rate):g}."
        return f"Each {unit_of(self.on)} costs {float(self.rate):g}, which is {fate}."

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.on,)

    @property
    def emits(self) -> dict[str, Event]:
        return {"paid": Event("paid", "[n]", "reward", "paid to the levy", True, "levied")}

    def chance(self, situation: Situation) -> str:
        return ""

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Float[Array, ""]:
        return jnp.zeros(())

    def settle(
        self, key: PRNGKeyArray, memory: Array, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Array, State, Outcome]:  # fmt: skip
        outcome, kept = charge(outcome, self.rate * outcome.units(self.on), self.proceeds, self)
        return memory + kept, state, outcome


def charge(
    outcome: Outcome, due: Float[Array, " n"], proceeds: Int[Array, ""] | int, by: Institution
) -> tuple[Outcome, Float[Array, ""]]:
    """Everybody pays what is `due`: the outcome, in which `by` notes it as *paid*, and what is kept of it."""
    back = jnp.where(proceeds == SHARED, due.mean(), 0.0)
    return outcome.pay(back - due, by, paid=due), jnp.where(proceeds == KEPT, due.sum(), 0.0)
