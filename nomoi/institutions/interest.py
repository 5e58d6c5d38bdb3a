"""Interest: everybody keeps a share of what it gets, and the rest goes to the others (Willis et al. 2023)."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from nomoi.core import Event, Institution, Measure, Outcome, Situation, setting
from nomoi.core.situation import Action, State
from nomoi.institutions.parley import among_others


class Interest(Institution):
    """Each agent keeps the share `share` of its payoff, and gives the rest to the others evenly.

    r'_i = s r_i + (1 - s) / (n - 1) * the sum of all other r_j, the symmetric reward exchange.  The largest s at which
    a good outcome is an equilibrium, the *self-interest level*, tells how much a dilemma asks of people: .5 in the
    tutorial's dilemma, r / n in a linear public good.  At s = 1 it is the identity; at s = 1 / n all want the mean.

    needs     nothing; at least two agents.  It shares what institutions before it paid, too
    emits     interest.shared [n], given to the others less what they gave, in units of reward
    memory    none

    >>> from nomoi import govern
    >>> from nomoi.institutions.interest import Interest
    >>> from nomoi.situations.matrix import Matrix
    >>> sorted(govern(Matrix(), Interest(share=0.5)).emits)
    ['defect', 'interest.shared']
    """

    least: ClassVar = 2

    share: Float[Array, ""] = setting(0.5, "what one keeps", "ours, what the tutorial's dilemma takes", "", 0, 1)

    @property
    def sentence(self) -> str:
        return f"Each keeps {float(self.share):.0%} of what it gets, and the rest goes to the others evenly."

    def chance(self, situation: Situation) -> str:
        return ""

    @property
    def emits(self) -> dict[str, Event]:
        return {"shared": Event("shared", "[n]", "reward", "given to the others, less what they gave", True)}

    @property
    def measures(self) -> tuple[Measure, ...]:
        given = "given to others over the episode, by all who gave more than they got"  # what all gave sums to nothing
        return (Measure("shared", "reward", given, lambda e: jnp.maximum(e.events["shared"], 0.0).sum(), ("shared",)),)

    def settle(
        self, key: PRNGKeyArray, memory: Any, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Any, State, Outcome]:  # fmt: skip
        own = outcome.payoff
        shared = (1 - self.share) * (own - among_others(own))
        return memory, state, outcome.pay(jnp.zeros_like(own) - shared, self, shared=shared)
