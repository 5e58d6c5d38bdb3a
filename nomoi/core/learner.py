"""Learner: what turns experience into behaviour."""

from __future__ import annotations

from typing import Any

import equinox as eqx
from jaxtyping import PRNGKeyArray

from nomoi.core.situation import Action, Observation, Situation

Mind = Any  # what has been learned; a script has none
Carry = Any  # what an agent remembers within an episode


class Learner(eqx.Module):
    """Behaviour for all agents of a situation.  Scripts override `act`; learners also `init` and `learn`."""

    @property
    def name(self) -> str:
        return type(self).__name__.lower()

    @property
    def batch(self) -> int:
        """World steps between two updates; 0 for a script, which never learns."""
        return 0

    def init(self, key: PRNGKeyArray, situation: Situation) -> Mind:
        """A mind before any experience."""
        return ()

    def start(self, mind: Mind, situation: Situation) -> Carry:
        """What agents remember at the start of an episode, for one world."""
        return ()

    def act(
        self, key: PRNGKeyArray, mind: Mind, situation: Situation, seen: Observation, carry: Carry
    ) -> tuple[Action, Carry]:
        """Everybody's answer to every head, {head: [n]}, in one world."""
        raise NotImplementedError
