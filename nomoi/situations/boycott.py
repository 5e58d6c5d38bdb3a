"""Boycott: buyers, a seller, and performances that may be wrongful (Hadfield & Weingast 2012)."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Event, Outcome, Situation, setting, size, vocabulary


class State(eqx.Module):
    """bought [n] who bought last; got [n] who valued what she got; suits [n] whom the law suits now; time []."""

    bought: Bool[Array, " n"]
    got: Bool[Array, " n"]
    suits: Bool[Array, " n"]
    time: Int[Array, ""]


class Boycott(Situation):
    """The last agent sells to all others, period by period, and saves by performing without care.

    Dilemma: one buyer's boycott costs the seller little and the buyer something.  If all stay away after a wrong that
    any of them suffered, wrongs do not pay; but for that they must agree what a wrong is.  The situation classifies
    nothing: a breach is a fact that no buyer can see.  Institutions that classify it (a charter on *breach*) tell.

    Buying and performing are chosen at once: who stays away cannot be wronged, so the seller needs not know who does.
    Whether there is a next period is drawn with chance `delta`, so sums of reward are discounted values.

    observation  role [n, 1] 1 for the seller; market [n, n] who bought last, oneself first; suits [n, n] whom the law
                 suits now, oneself first; got [n, 1] valued what one got
    actions      buy: stay away or buy (buyers); wrong: how many of those who buy to wrong, drawn by lot (the seller)
    reward       a buyer: value if she values the performance, less the price; staying away costs `boycott_cost`.
                 the seller: the price, less `perf_cost` for each performance with care
    events       sale (of the buyer), breach (of the seller)
    end          after each period with chance 1 - delta, and at `horizon`
    state        see State

    >>> from nomoi.situations.boycott import Boycott
    >>> Boycott().actions
    {'buy': 2, 'wrong': 3}
    """

    regimes: ClassVar = {"nothing": "", "law": "charter(law=care)"}

    unsuited: Float[Array, " n"] = setting(
        (0.1, 0.2, 0.0), "chance rho that the law does not suit an agent in a period; the last is the seller",
        "ours", "", 0, 1,
    )  # fmt: skip
    horizon: int = size(200, "longest game", "ours", "periods", low=1)
    price: Float[Array, ""] = setting(1.0, "paid for a performance (P)", "ours", "reward", 0)
    perf_cost: Float[Array, ""] = setting(0.5, "saved by performing without care (c)", "ours", "reward", 0)
    delta: Float[Array, ""] = setting(0.9, "chance that there is a next period", "ours", "", 0, 1)
    value: Float[Array, ""] = setting(2.0, "worth of a performance to a buyer who values it (v)", "ours", "", 0)
    right: Float[Array, ""] = setting(0.9, "chance that a buyer values a performance with care (r)", "ours", "", 0, 1)
    careless: Float[Array, ""] = setting(0.1, "chance that she values one without", "ours", "", 0, 1)
    boycott_cost: Float[Array, ""] = setting(0.2, "cost of a period of staying away (kappa)", "ours", "reward", 0)

    @property
    def agents(self) -> int:  # type: ignore[override]
        return self.unsuited.shape[0]

    @property
    def roles(self) -> tuple[str, ...]:
        return (*("buyer",) * (self.agents - 1), "seller")

    @property
    def actions(self) -> dict[str, int]:
        return {"buy": 2, "wrong": max(self.agents, 2)}

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"buy": ("no", "yes"), "wrong": tuple(map(str, range(self.actions["wrong"])))}

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("sale", "breach")

    @property
    def seller(self) -> np.ndarray:
        """[n] who sells."""
        return np.arange(self.agents) == self.agents - 1

    def reset(self, key: PRNGKeyArray) -> State:
        nobody = jnp.zeros(self.agents, bool)
        return State(nobody, nobody, self._suits(key), jnp.zeros((), jnp.int32))

    def _suits(self, key: PRNGKeyArray) -> Bool[Array, " n"]:
        return jax.random.uniform(key, (self.agents,)) >= self.unsuited

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        lots, likes, ends, suits = jax.random.split(key, 4)
        buys = (action["buy"] == 1) & ~self.seller
        order = jnp.where(buys, jax.random.uniform(lots, (self.agents,)), 2.0)
        rank = (order[:, None] > order[None, :]).sum(1)
        wronged = buys & (rank < action["wrong"][-1])
        chance = jnp.where(wronged, self.careless, self.right)
        got = buys & (jax.random.uniform(likes, (self.agents,)) < chance)
        buyers = jnp.where(buys, self.value * got.astype(jnp.float32) - self.price, -self.boycott_cost)
        sold, breach = buys.sum().astype(jnp.float32), wronged.sum().astype(jnp.float32)
        reward = jnp.where(self.seller, self.price * sold - self.perf_cost * (sold - breach), buyers)
        events = {"sale": buys.astype(jnp.float32), "breach": jnp.where(self.seller, breach, 0.0)}
        time = state.time + 1
        done = (time >= self.horizon) | (jax.random.uniform(ends) >= self.delta)
        return State(buys, got, self._suits(suits), time), Outcome(reward, jnp.zeros(self.agents), events, done)

    def asked(self, state: State) -> dict[str, Bool[Array, " n"]]:
        return {"buy": jnp.asarray(~self.seller), "wrong": jnp.asarray(self.seller)}

    def senses(self, state: State) -> dict[str, Array]:
        n = self.agents
        around = (np.arange(n)[:, None] + np.arange(n)) % n  # oneself first, then the others in turn
        return {
            "role": jnp.asarray(self.seller[:, None], jnp.float32),
            "market": state.bought[around].astype(jnp.float32),
            "suits": state.suits[around].astype(jnp.float32),
            "got": state.got[:, None].astype(jnp.float32),
        }
