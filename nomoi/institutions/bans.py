"""Bans: rules that take the choice to do what is not allowed from who keeps to them.  What several of them share."""

from __future__ import annotations

import abc
from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, setting
from nomoi.core.situation import Action, State
from nomoi.errors import Refusal, nearest
from nomoi.grid.words import uniform


class Ban(Institution):
    """A rule by which some choices may not be made: who keeps to it has its answers to them taken to be 0, no.

    `kept` says how surely each keeps to it in a step, unasked.  Who does not does as he likes, and what it comes to is
    a *violation*, for wardens to accuse of, or for a fine on it.

    needs     the events by which it is counted
    emits     <name>.violation [n] units
    memory    keeps [n], who keeps to it in this step
    """

    kept: Float[Array, ""] = setting(1.0, "chance that one keeps to it in a step, unasked", "ours", "", 0, 1)

    @abc.abstractmethod
    def bans(self, situation: Situation) -> Mapping[str, str]:
        """The choices that it takes away, and the event by which each is counted."""

    def binds(self, situation: Situation, head: str) -> Bool[Array, ""]:
        """Whether one of these choices is taken away indeed, as its settings are."""
        return jnp.array(True)

    def fits(self, situation: Situation) -> None:
        for head in self.bans(situation.bare):
            if head not in situation.actions:
                known = nearest(head, situation.actions, "choice")
                raise Refusal(
                    f"{self.name} is about {head!r}, and {situation.bare.name} leaves no such choice; {known}"
                )

    @property
    def emits(self) -> dict[str, Event]:
        return {"violation": Event("violation", "[n]", "units", "done though it is not allowed", True)}

    def chance(self, situation: Situation) -> str:
        some = (np.asarray(self.kept) > 0) & (np.asarray(self.kept) < 1)
        return "who keeps to it (kept=1 is everybody)" if some.any() else ""

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Bool[Array, " n"]:
        return uniform(key, situation.agents) < self.kept

    def permit(self, memory: Array, situation: Situation, state: State, action: Action) -> Action:
        banned = {head: memory & self.binds(situation, head) for head in self.bans(situation)}
        return action | {head: jnp.where(no, 0, action[head]) for head, no in banned.items()}

    def settle(
        self, key: PRNGKeyArray, memory: Array, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Array, State, Outcome]:  # fmt: skip
        bans = self.bans(situation).items()
        did = sum(
            (jnp.where(self.binds(situation, h), outcome.units(e), 0.0) for h, e in bans),
            jnp.zeros_like(outcome.reward),
        )
        return self.found(key, situation, state), state, outcome.note(self, violation=did)
