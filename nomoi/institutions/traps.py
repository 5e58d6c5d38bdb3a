"""Traps: how much effort one may use (the trap limit of a lobster fishery)."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, setting, size
from nomoi.core.situation import Action, State
from nomoi.institutions.choices import chosen


class Traps(Institution):
    """Nobody sets more than a share of the traps that a boat can carry; an answer beyond it is taken to be the limit.

    It limits what each does, and not how many do it: where anybody may come, what some leave others set.

    needs     an ordered choice of how much, `head`
    emits     traps.curbed [n] steps in which one would have set more
    memory    none

    >>> from nomoi import govern
    >>> from nomoi.institutions.traps import Traps
    >>> from nomoi.situations.pool import Pool
    >>> "traps.curbed" in govern(Pool(), Traps(most=0.25)).emits
    True
    """

    most: Float[Array, ""] = setting(0.5, "share of the largest amount that one may choose", "ours", "", 0, 1)
    head: str = size("", "the choice that is limited; the first one where none is named", "ours")

    @property
    def sentence(self) -> str:
        return f"Nobody may choose more than {float(self.most):.0%} of the largest amount."

    def fits(self, situation: Situation) -> None:
        chosen(self, situation, self.head)

    @property
    def emits(self) -> dict[str, Event]:
        return {"curbed": Event("curbed", "[n]", "steps", "would have chosen more than is allowed", True)}

    def chance(self, situation: Situation) -> str:
        return ""

    def _choice(self, situation: Situation) -> tuple[str, Array]:
        """The choice that is limited, and its largest answer that is allowed."""
        head = self.head or next(iter(situation.actions))
        return head, jnp.floor(self.most * (situation.actions[head] - 1) + 1e-4).astype(jnp.int32)

    def permit(self, memory: Any, situation: Situation, state: State, action: Action) -> Action:
        head, most = self._choice(situation)
        return action | {head: jnp.minimum(action[head], most)}

    def settle(
        self, key: PRNGKeyArray, memory: Any, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Any, State, Outcome]:  # fmt: skip
        head, most = self._choice(situation)
        return memory, state, outcome.note(self, curbed=tried[head] > most)
