"""Challenged: a higher authority may annul what people gave themselves (Ostrom 1990, her seventh principle, absent)."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from nomoi.core import Event, Institution, Measure, Outcome, Situation, setting, size
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal, nearest
from nomoi.grid import Scene
from nomoi.grid.words import uniform


class Challenged(Institution):
    """In spells, the institutions before it are void; people do not have their own rules for good.

    A spell begins with chance `enter` and ends with chance `leave` in each step, none at first.  Meanwhile those that
    `of` names are what they call annulled: out of force, or, of a quota, the one that was imported.  Where rights are
    recognised it is simply not there.

    needs     an institution before it; those that `of` names
    emits     challenged.void [n] steps in a spell
    senses    challenged.void [n, 1] whether it is one now
    memory    void []

    >>> from nomoi import govern
    >>> from nomoi.institutions.challenged import Challenged
    >>> from nomoi.institutions.levy import Levy
    >>> from nomoi.situations.harvest import Harvest
    >>> "challenged.void" in govern(Harvest(), Levy(), Challenged()).emits
    True
    """

    of: str = size("", "the institutions that it annuls, with commas; all before it, where none is named", "ours")
    enter: Float[Array, ""] = setting(0.15, "chance that a spell begins", "ours", "per step", 0, 1)
    leave: Float[Array, ""] = setting(0.35, "chance that a spell ends", "ours", "per step", 0, 1)

    @property
    def sentence(self) -> str:
        return f"An authority outside annuls {self.of.replace(',', ', ') or 'all of this'} now and then."

    @property
    def named(self) -> list[str]:
        return [name.strip() for name in self.of.split(",") if name.strip()]

    def fits(self, situation: Situation) -> None:
        there = [i.name for i in situation.institutions]
        if not there:
            raise Refusal(f"{self.name} has nothing to annul: no institution governs {situation.name} before it.")
        for name in self.named:
            if name not in there:
                raise Refusal(
                    f"{self.name}.of names {name!r}, which does not govern {situation.name} before it; "
                    f"{nearest(name, there, 'institution')}"
                )

    @property
    def emits(self) -> dict[str, Event]:
        return {"void": Event("void", "[n]", "steps", "lived while rules were void", True)}

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (Measure("void", "share", "time in which rules were void", lambda e: e.share("void"), ("void",),
                        covers=("void",)),)  # fmt: skip

    def chance(self, situation: Situation) -> str:
        return "when rules are void (enter=0 never)" if (np.asarray(self.enter) > 0).any() else ""

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Bool[Array, ""]:
        return jnp.array(False)

    def annuls(self, memory: Array, other: Institution) -> Bool[Array, ""]:
        return memory if not self.of or other.name in self.named else jnp.array(False)

    def inform(
        self, memory: Array, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        return {"void": jnp.broadcast_to(memory, (situation.agents, 1)).astype(jnp.float32)}

    def settle(
        self, key: PRNGKeyArray, memory: Array, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Array, State, Outcome]:  # fmt: skip
        luck = uniform(key, 1)[0]
        void = jnp.where(memory, luck >= self.leave, luck < self.enter)
        return void, state, outcome.note(self, void=jnp.broadcast_to(memory, (situation.agents,)))
