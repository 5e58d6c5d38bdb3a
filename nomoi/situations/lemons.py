"""Lemons: sellers know what they sell, and buyers see none of it."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Event, Outcome, Situation, setting, size, vocabulary

KEEP, OFFER, PAPERS = range(3)


class State(eqx.Module):
    """time [] days so far; belief [2] the mean quality that buyers expect without papers, and with."""

    time: Int[Array, ""]
    belief: Float[Array, "2"]


class Lemons(Situation):
    """Each seller has one thing a day, of a quality that it alone knows; buyers pay what such things were worth before.

    Dilemma: every thing is worth more to buyers than to its seller, so that all should be sold.  But one price for all
    is too low for the best, who keep theirs; what is offered is then worse, buyers pay less, and so on (Akerlof 1970).
    Papers that say how good a thing is are no better than the hand that wrote them: here anybody can.

    Buyers are one agent, the public, whose own choice does nothing: many compete, so that they pay what they expect a
    thing to be worth.  They expect the mean quality of what was last sold likewise, with papers or without.

    observation  quality [n, 1] of the own thing, 0 for the public; price [n, 2] without papers, and with
    actions      offer: 0 keep, 1 offer, 2 offer with papers
    reward       a seller's price, or the quality of what it keeps; the public's worth x quality - price, over all sold
    events       goods [n, n] (worth to the column of what the row sold to it), handed [n, n] (the row paid the column),
                 papers (units offered with papers)
    end          after `horizon` days
    state        see State

    >>> from nomoi.situations.lemons import Lemons
    >>> Lemons(sellers=2).roles
    ('seller 1', 'seller 2', 'public')
    """

    regimes: ClassVar = {"nothing": "", "disclosure": "disclosure", "costly disclosure": "disclosure(cost=0.1)"}

    sellers: int = size(10, "how many sell; qualities are the middles of as many equal parts of 0 to 1", "ours", low=1)
    horizon: int = size(30, "how many days there are", "ours", "days", low=1)
    worth: Float[Array, ""] = setting(1.5, "worth of a unit of quality to buyers, 1 to sellers", "Akerlof 1970", "", 0)
    belief: Float[Array, ""] = setting(0.5, "mean quality that buyers expect at first", "ours (that of all)", "", 0, 1)

    @property
    def agents(self) -> int:  # type: ignore[override]
        return self.sellers + 1

    @property
    def roles(self) -> tuple[str, ...]:
        return (*(f"seller {k + 1}" for k in range(self.sellers)), "public")

    @property
    def actions(self) -> dict[str, int]:
        return {"offer": 3}

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"offer": ("keep", "offer", "offer with papers")}

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("goods", "handed", "papers")

    @property
    def lots(self) -> int:
        return 1

    @property
    def _sells(self) -> np.ndarray:
        return np.arange(self.agents) < self.sellers

    @property
    def quality(self) -> np.ndarray:
        """[n] of what each has; the public has nothing."""
        return np.where(self._sells, (np.arange(self.agents) + 0.5) / self.sellers, 0.0).astype(np.float32)

    def reset(self, key: PRNGKeyArray) -> State:
        return State(jnp.zeros((), jnp.int32), jnp.broadcast_to(self.belief, (2,)))

    def asked(self, state: State) -> dict[str, Array]:
        return {"offer": jnp.asarray(self._sells)}

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        offer = jnp.where(self._sells, action["offer"], KEEP)
        sold, papers = offer > KEEP, offer == PAPERS
        price = jnp.where(sold, self.worth * jnp.where(papers, state.belief[1], state.belief[0]), 0.0)
        goods = jnp.where(sold, self.worth * self.quality, 0.0)
        public = jnp.where(self._sells, 0.0, goods.sum() - price.sum())
        reward = jnp.where(self._sells, jnp.where(sold, price, self.quality), public)
        to = (~self._sells).astype(np.float32)  # all is sold to the public
        events = {
            "goods": goods[:, None] * to,
            "handed": price * to[:, None],
            "papers": papers.astype(jnp.float32),
        }
        seen = [self._mean(offer == kind, state.belief[k]) for k, kind in enumerate((OFFER, PAPERS))]
        time = state.time + 1
        after = State(time, jnp.stack(seen))
        return after, Outcome(reward, jnp.zeros(self.agents), events, time >= self.horizon)

    def _mean(self, which: Array, before: Float[Array, ""]) -> Float[Array, ""]:
        """The mean quality of some, or what was believed before where there are none."""
        count = which.astype(jnp.float32).sum()
        return jnp.where(count > 0, jnp.where(which, self.quality, 0.0).sum() / jnp.maximum(count, 1.0), before)

    def senses(self, state: State) -> dict[str, Array]:
        price = jnp.broadcast_to(self.worth * state.belief, (self.agents, 2))
        return {"quality": jnp.asarray(self.quality)[:, None], "price": price}
