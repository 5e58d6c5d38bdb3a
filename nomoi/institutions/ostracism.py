"""Ostracism: whoever broke a rule is kept out for a while, by all (boycotts, merchants' guilds; Greif 1993)."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, setting, size, unit_of
from nomoi.core.situation import Action, Observation, State
from nomoi.grid import Scene
from nomoi.institutions.choices import offered


class Ostracism(Institution):
    """Whoever did any of `on` is kept from choosing anything but 0 of `head` for the next `spell` steps.

    It takes no court and no force, but a memory that all share and a future: who is kept out tomorrow loses what
    tomorrow would have brought, and on a last day nothing.  Those who would have dealt with that one lose as well.

    needs     the event `on`, [n] or [n, n] (then the row's agent did it), and a head of the situation
    emits     ostracism.out [n] steps in which one was kept out
    senses    ostracism.left [n, n]: steps that each is still kept out / spell, oneself first
    memory    left [n], steps to come

    >>> from nomoi import govern
    >>> from nomoi.institutions.ostracism import Ostracism
    >>> from nomoi.situations.bazaar import Bazaar
    >>> "ostracism.out" in govern(Bazaar(horizon=9), Ostracism()).emits
    True
    """

    on: str = size("withheld", "the event that one is kept out for", "ours (the bazaar's)")
    head: str = size("amount", "the choice that one is kept from; 0 does nothing", "ours (the bazaar's)")
    spell: Int[Array, ""] = setting(1, "how long one is kept out", "ours", "steps", 0)

    @property
    def sentence(self) -> str:
        return f"Whoever did a {unit_of(self.on)} is kept out of the market for {int(self.spell)} steps."

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.on,)

    def fits(self, situation: Situation) -> None:
        offered(self, situation, self.head, f"keeps from {self.head!r}")

    @property
    def emits(self) -> dict[str, Event]:
        return {"out": Event("out", "[n]", "steps", "was kept out", True)}

    def chance(self, situation: Situation) -> str:
        return ""

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Int[Array, " n"]:
        return jnp.zeros(situation.agents, jnp.int32)

    def permit(self, memory: Array, situation: Situation, state: State, action: Action) -> Action:
        return action | {self.head: jnp.where(memory > 0, 0, action[self.head])}

    def inform(
        self, memory: Array, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        n = situation.agents
        left = memory.astype(jnp.float32) / jnp.maximum(self.spell, 1).astype(jnp.float32)
        return {"left": left[(jnp.arange(n)[:, None] + jnp.arange(n)) % n]}

    def settle(
        self, key: PRNGKeyArray, memory: Array, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Array, State, Outcome]:  # fmt: skip
        broke: Float[Array, " n"] = outcome.units(self.on)
        left = jnp.where(broke > 0, self.spell, jnp.maximum(memory - 1, 0))
        return left, state, outcome.note(self, out=memory > 0)
