"""Pool: a fishery on one stock (Gordon 1954; the first domain of formal contracts, Christoffersen et al. 2023)."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Event, Outcome, Situation, setting, size, vocabulary


class State(eqx.Module):
    """stock [] in units of fish; time [] steps so far."""

    stock: Float[Array, ""]
    time: Int[Array, ""]


class Pool(Situation):
    """Fishers request a catch; what they leave grows logistically.

    Dilemma: what one leaves in the water, the others may take.  Requests are met in full while there is
    enough, else in proportion; growth acts on the escapement e = s - catch: s' = min(K, e + r e (1 - e / K)).

    observation  level [n, 1] stock / capacity
    actions      request: 0 .. levels-1, standing for 0 .. `most` in equal steps
    reward       the own catch
    events       harvest (catch), request (what was wanted), sparse (catch while the stock is below `low`), kind (0)
    end          at `horizon`, or when the stock is gone
    state        see State.  Stock: one kind, fish

    >>> from nomoi.situations.pool import Pool
    >>> Pool(agents=4).actions
    {'request': 13}
    """

    regimes: ClassVar = {
        "nothing": "",
        "levy": "levy(on=request,rate=0.5,proceeds=shared)",
        "contract": "contract(on=request,high=1)",
        "closed seasons": "altar",
    }

    agents: int = size(2, "how many fish", "spec A4.3", low=1)
    horizon: int = size(60, "longest episode", "spec A4.3", "steps", low=1)
    levels: int = size(13, "how many amounts can be requested", "spec A4.3 (reference grid)", low=2)
    growth: Float[Array, ""] = setting(0.8, "intrinsic growth rate r", "spec A4.3", "per step", 0)
    limit: Float[Array, ""] = setting(1.0, "carrying capacity K", "spec A4.3", "units of fish", 1e-6)
    most: Float[Array, ""] = setting(0.5, "largest request", "spec A4.3", "units of fish", 0)
    start: Float[Array, ""] = setting(1.0, "first stock as a share of capacity", "spec A4.3", "", 0, 1)
    low: Float[Array, ""] = setting(0.5, "catch below this share of capacity is sparse", "ours (peak growth)", "", 0, 1)

    @property
    def actions(self) -> dict[str, int]:
        return {"request": self.levels}

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("harvest", "request", "sparse", "kind")

    def reset(self, key: PRNGKeyArray) -> State:
        return State(self.start * self.limit, jnp.zeros((), jnp.int32))

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        request = self.most * action["request"].astype(jnp.float32) / (self.levels - 1)
        wanted = request.sum()
        share = jnp.where(wanted > state.stock, state.stock / jnp.maximum(wanted, 1e-12), 1.0)
        catch = request * share
        left = jnp.where(wanted >= state.stock, 0.0, state.stock - wanted)  # exactly nothing, not float dust
        stock = jnp.minimum(self.limit, left + self.growth * left * (1 - left / self.limit))
        time = state.time + 1
        thin = state.stock < self.low * self.limit
        events = {
            "harvest": catch,
            "request": request,
            "sparse": jnp.where(thin, catch, 0.0),
            "kind": jnp.zeros(self.agents, jnp.int32),
        }
        done = (time >= self.horizon) | (stock <= 0)
        return State(stock, time), Outcome(catch, jnp.zeros(self.agents), events, done)

    def senses(self, state: State) -> dict[str, Array]:
        return {"level": jnp.broadcast_to(state.stock / self.limit, (self.agents, 1))}

    @property
    def kinds(self) -> tuple[str, ...]:
        return ("fish",)

    def stock(self, state: State) -> Float[Array, " 1"]:
        return state.stock[None]

    def capacity(self) -> Float[Array, " 1"]:
        return jnp.broadcast_to(self.limit, (1,)).astype(np.float32)
