"""Bazaar: an exchange economy that is played, where goods can be taken and delivery withheld."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Event, Outcome, Situation, setting, size, vocabulary
from nomoi.core.saying import number
from nomoi.errors import Refusal
from nomoi.situations.places import known, players


class State(eqx.Module):
    """time [] days so far; price [] at which the last day's market cleared, 0 where it did not."""

    time: Int[Array, ""]
    price: Float[Array, ""]


class Bazaar(Situation):
    """Traders who own two goods offer some of the first for the second, day after day; goods do not keep.

    Dilemma: all gain by trade, but whoever has been promised goods may keep its own, and may take what others have.
    Where
    that pays, nobody who foresees it offers anything: a market rests on property and on contracts that are kept.

    A day: those who take seize `grab` of what the next trader holds, of which `waste` is lost; offers meet in a call
    auction at the one price of the grid at which most changes hands (of several the middle one), and the long
    side is rationed in proportion; those who deliver hand over what they owe, which is shared among those to whom it
    is owed.  Where its price and amounts lie on the grid, the
    exact equilibrium of the economy (`nomoi.markets`) is what comes of all offering it at its price.

    observation  owns [n, 2] the own endowment; price [n, 1] of the last day
    actions      price: which of `prices` (good 0 in units of good 1); amount: 0 none, 1..k sell, k+1..2k buy that many
                 steps; deliver: 0 withhold, 1 deliver; take: 0 leave, 1 take
    reward       utility of what one ends the day with: x0^taste x1^(1 - taste)
    events       traded (units of good 0 that were agreed on, of buyer and seller), withheld (worth, in good 1, of
    what was
                 owed and kept back), taken [n, n] (worth, in good 1 at price 1, of what one seized from another)
    end          after `horizon` days
    state        see State

    >>> from nomoi.situations.bazaar import Bazaar
    >>> Bazaar().actions
    {'price': 3, 'amount': 9, 'deliver': 2, 'take': 2}
    """

    regimes: ClassVar = {
        "nothing": "",
        "title": "title",
        "escrow": "escrow",
        "title and escrow": "title+escrow",
        "title and fine": "title+monitor(on=withheld)+fine(rate=1)",
    }

    horizon: int = size(1, "how many days there are", "ours", "days", low=1)
    steps: int = size(4, "how many amounts can be sold, and bought", "ours", low=1)
    unit: Float[Array, ""] = setting(0.25, "units of good 0 in one of them", "ours", "units", 0)
    prices: Float[Array, " k"] = setting(
        [1 / 3, 2 / 3, 1.0], "prices that can be named, rising", "ours (the middle one is the exact equilibrium's)"
    )
    tastes: Float[Array, " n"] = setting(
        [0.25, 0.5], "weight of good 0 in each one's utility", "ours (the economy edgeworth)", "", 0, 1
    )
    endowments: Float[Array, "n 2"] = setting(
        [[1.0, 0.0], [0.0, 1.0]], "what each owns of both goods", "ours (the economy edgeworth)", "units", 0
    )
    grab: Float[Array, ""] = setting(0.5, "part of the next one's goods that is seized by who takes", "ours", "", 0, 1)
    waste: Float[Array, ""] = setting(0.2, "part of what is seized that is lost", "ours", "", 0, 1)

    def __check_init__(self) -> None:
        if self.tastes.shape[0] != self.endowments.shape[0] or self.tastes.shape[0] < 2:
            raise Refusal(
                f"bazaar.tastes has {self.tastes.shape[0]} numbers, bazaar.endowments {self.endowments.shape[0]} rows; "
                "one of each for each of two or more traders would be right."
            )

    @property
    def agents(self) -> int:  # type: ignore[override]
        return self.tastes.shape[0]

    @property
    def roles(self) -> tuple[str, ...]:
        """Each trader's own place: whom one takes from goes by the order, so that two alike are so in a pair alone."""
        tastes, owned = known(self.tastes, "bazaar.tastes"), known(self.endowments, "bazaar.endowments")
        alike = self.agents == 2 and tastes[0] == tastes[1] and np.array_equal(owned[0], owned[1])
        return players(self.agents, lambda order: bool(alike))

    @property
    def actions(self) -> dict[str, int]:
        return {"price": self.prices.shape[0], "amount": 2 * self.steps + 1, "deliver": 2, "take": 2}

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        prices = tuple(f"{place + 1}: {number(price)}" for place, price in enumerate(self.prices))
        most = range(1, self.steps + 1)
        amount = ("none", *(f"sell {k}" for k in most), *(f"buy {k}" for k in most))
        return {"price": prices, "amount": amount, "deliver": ("no", "yes"), "take": ("no", "yes")}

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("traded", "withheld", "taken")

    @property
    def lots(self) -> int:
        return 1

    def reset(self, key: PRNGKeyArray) -> State:
        return State(jnp.zeros((), jnp.int32), jnp.zeros(()))

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        holds, taken = self._seized(action["take"])
        price, sold, bought = self._cleared(holds, action["price"], action["amount"])
        after, withheld = self._delivered(holds, price, sold, bought, action["deliver"])
        inside = jnp.maximum(after, 0.0)
        weights = jnp.stack([self.tastes, 1 - self.tastes], -1)
        reward = jnp.where(weights > 0, inside ** jnp.where(weights > 0, weights, 1.0), 1.0).prod(-1)
        events = {"traded": sold + bought, "withheld": withheld, "taken": taken}
        time = state.time + 1
        cleared = jnp.where(sold.sum() > 0, price, 0.0)
        return State(time, cleared), Outcome(reward, jnp.zeros(self.agents), events, time >= self.horizon)

    def _seized(self, take: Int[Array, " n"]) -> tuple[Float[Array, "n 2"], Float[Array, "n n"]]:
        """What all hold once those who take have taken; and who took goods of what worth from whom."""
        n = self.agents
        seized = take.astype(jnp.float32)[:, None] * self.grab * jnp.roll(self.endowments, -1, 0)  # by i from i + 1
        holds = self.endowments + (1 - self.waste) * seized - jnp.roll(seized, 1, 0)
        return holds, seized.sum(1)[:, None] * np.eye(n, k=1, dtype=np.float32) + (
            seized.sum(1)[:, None] * np.eye(n, k=1 - n, dtype=np.float32)
        )

    def _cleared(
        self, holds: Float[Array, "n 2"], named: Int[Array, " n"], amount: Int[Array, " n"]
    ) -> tuple[Float[Array, ""], Float[Array, " n"], Float[Array, " n"]]:
        """The price at which most changes hands, and how much each sells and buys at it."""
        units = amount.astype(jnp.float32)
        sells = jnp.where(amount <= self.steps, units, 0.0) * self.unit
        buys = jnp.where(amount > self.steps, units - self.steps, 0.0) * self.unit
        sells = jnp.minimum(sells, holds[:, 0])
        buys = jnp.minimum(buys, holds[:, 1] / jnp.maximum(self.prices[named], 1e-6))
        places = jnp.arange(self.prices.shape[0])
        willing_to_sell = jnp.where(named[:, None] <= places, sells[:, None], 0.0)  # [n, prices]
        willing_to_buy = jnp.where(named[:, None] >= places, buys[:, None], 0.0)
        supply, demand = willing_to_sell.sum(0), willing_to_buy.sum(0)
        volume = jnp.minimum(supply, demand)
        best = volume >= volume.max() - 1e-6
        first, last = jnp.argmax(best), best.shape[0] - 1 - jnp.argmax(best[::-1])
        at = (first + last) // 2
        part = lambda mine, total: mine[:, at] * volume[at] / jnp.maximum(total[at], 1e-6)  # noqa: E731
        return self.prices[at], part(willing_to_sell, supply), part(willing_to_buy, demand)

    def _delivered(
        self,
        holds: Float[Array, "n 2"],
        price: Float[Array, ""],
        sold: Float[Array, " n"],
        bought: Float[Array, " n"],
        deliver: Int[Array, " n"],
    ) -> tuple[Float[Array, "n 2"], Float[Array, " n"]]:
        """What all have at the end of the day, and the worth of what each kept back."""
        owed = jnp.stack([sold, price * bought], -1)  # [n, goods]
        due = jnp.stack([bought, price * sold], -1)
        handed = owed * deliver.astype(jnp.float32)[:, None]
        share = handed.sum(0) / jnp.maximum(owed.sum(0), 1e-6)
        kept = (owed - handed) @ jnp.stack([price, jnp.ones(())])
        return holds - handed + due * share, kept

    def senses(self, state: State) -> dict[str, Array]:
        return {"owns": self.endowments, "price": jnp.broadcast_to(state.price, (self.agents, 1))}
