"""Gift: agents reward one another (Lupu & Precup 2020; Wang et al. 2021)."""

from __future__ import annotations

from typing import ClassVar

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, choice, setting, size
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal
from nomoi.grid import Scene

OWN, BUDGET, REPLENISHED = range(3)
TO = ("all", "one")


class Gift(Institution):
    """Beside whatever else one does, one may give `amount` to others.

    Whose reward it is that is given makes three games.  *own*: the giver pays, and transfers sum to zero.  *budget*:
    gifts come out of a purse of `budget` an episode that is worth nothing to its bearer; the purse is an outside
    principal's, so transfers sum to what was given.  *replenished*: the same, and the purse gains `refill` for each
    unit of reward that the bearer takes.  A selfish agent never gives for the gift's own sake: it pays only where it
    makes others learn, or keep, what is good for the giver.

    needs     nothing; at least two agents
    heads     gift.give: 0 keep, 1 give to all others evenly; where `to` is one: 0 keep, k give to the k-th agent
              after oneself, counted round
    emits     gift.given [n], in units of reward
    senses    gift.purse [n, 1] what is left in the purse, as a share of `budget`; 0 where the giver pays
    memory    purse [n], in units of reward

    >>> from nomoi import govern
    >>> from nomoi.institutions.gift import Gift
    >>> from nomoi.situations.pool import Pool
    >>> govern(Pool(agents=4), Gift(to="one")).actions
    {'request': 13, 'gift.give': 4}
    """

    least: ClassVar = 2

    amount: Float[Array, ""] = setting(1.0, "what a gift is worth", "ours", "reward", 0)
    source: Array = choice(
        "own", ("own", "budget", "replenished"), "who pays for gifts", "ours, after Lupu & Precup 2020"
    )
    budget: Float[Array, ""] = setting(10.0, "what is in a purse at first", "ours", "reward", 0)
    refill: Float[Array, ""] = setting(1.0, "what a purse gains for a unit of reward taken", "ours", "", 0)
    to: str = size("all", "whom a gift goes to: all others evenly, or one of them")

    @property
    def sentence(self) -> str:
        whom = "all others, evenly," if self.to == "all" else "one other"
        purse = f"from a purse of {float(self.budget):g}"
        paid = ("at one's own cost", purse, f"{purse}, which refills as one takes reward")[int(self.source)]
        return f"At each step one may give {float(self.amount):g} to {whom} {paid}."

    def __check_init__(self) -> None:
        if self.to not in TO:
            raise Refusal(f"gift.to is {self.to!r}, and must be one of: {', '.join(TO)}.")

    def chance(self, situation: Situation) -> str:
        return ""

    @property
    def emits(self) -> dict[str, Event]:
        return {"given": Event("given", "[n]", "reward", "given to others", True, "given")}

    def heads(self, situation: Situation) -> dict[str, int]:
        return {"give": situation.agents if self.to == "one" else 2}

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Float[Array, " n"]:
        return jnp.broadcast_to(jnp.where(self.source == OWN, 0.0, self.budget), situation.agents)

    def inform(
        self, memory: Array, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        return {"purse": (memory / jnp.maximum(self.budget, 1e-6))[:, None]}

    def settle(
        self, key: PRNGKeyArray, memory: Array, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Array, State, Outcome]:  # fmt: skip
        shares = self._shares(self.said(tried, "give"), situation.agents)
        own = self.source == OWN
        given = jnp.where(own, self.amount, jnp.minimum(self.amount, memory)) * shares.sum(1)
        received = (given[:, None] * shares).sum(0)
        taken = jnp.where(self.source == REPLENISHED, self.refill * jnp.maximum(outcome.reward, 0.0), 0.0)
        purse = jnp.where(own, memory, jnp.maximum(memory - given, 0.0) + taken)
        return purse, state, outcome.pay(received - jnp.where(own, given, 0.0), self, given=given)

    def _shares(self, give: Array, n: int) -> Float[Array, "n n"]:
        """What part of its gift each agent (row) gives to each other (column); rows sum to 1, or to 0."""
        if self.to == "all":
            return (give > 0).astype(jnp.float32)[:, None] * (1 - np.eye(n, dtype=np.float32)) / (n - 1)
        after = (np.arange(n) - np.arange(n)[:, None]) % n  # [i, j] how far j comes after i
        return ((give[:, None] == after) & (after > 0)).astype(jnp.float32)
