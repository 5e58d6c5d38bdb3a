"""Permits: a market for the right to do harm, of which there is a fixed amount (Dales 1968)."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, setting, size
from nomoi.core.situation import Action, Observation, State
from nomoi.grid import Scene


class Permits(Institution):
    """Each unit of `on` needs a permit; `cap` of them are given out evenly, and traded at the price that is posted.

    Who does more buys, who does less sells: payments are price x (units - own part).  After each step the price rises
    by
    `speed` for each unit wanted beyond the cap, and falls where fewer are wanted, so that it finds by itself what a
    levy
    would have to know: the harm that the last unit allowed is worth.  Away from that price the institution stands in
    for the missing buyers or sellers.

    needs     the event `on`, [n] or [n, n] (then the row's agent did it)
    emits     permits.used [n] units; permits.paid [n] for permits, negative where sold, in units of reward
    senses    permits.price [n, 1]
    memory    price []

    >>> from nomoi import govern
    >>> from nomoi.institutions.permits import Permits
    >>> from nomoi.situations.works import Works
    >>> "permits.paid" in govern(Works(), Permits()).emits
    True
    """

    on: str = size("output", "the event that permits are for", "ours")
    cap: Float[Array, ""] = setting(0.75, "how many there are in a step", "ours", "units", 0)
    price: Float[Array, ""] = setting(0.5, "the first price that is posted", "ours", "reward/unit", 0)
    speed: Float[Array, ""] = setting(0.2, "by how much a unit wanted too many raises it", "ours", "", 0)

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.on,)

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "used": Event("used", "[n]", "units", "done under a permit", True),
            "paid": Event("paid", "[n]", "reward", "paid for permits, beyond what was sold", True),
        }

    def chance(self, situation: Situation) -> str:
        return ""

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Float[Array, ""]:
        return self.price

    def inform(
        self, memory: Array, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        return {"price": jnp.broadcast_to(memory, (situation.agents, 1))}

    def settle(
        self,
        key: PRNGKeyArray,
        memory: Array,
        situation: Situation,
        state: State,
        tried: Action,
        action: Action,
        outcome: Outcome,
    ) -> tuple[Array, State, Outcome]:
        used = outcome.units(self.on)
        paid = memory * (used - self.cap / situation.agents)
        after = jnp.maximum(memory + self.speed * (used.sum() - self.cap), 0.0)
        return after, state, outcome.pay(-paid, self, used=used, paid=paid)
