"""Reservations: diners whose assistants book many tables and cancel all but one, and staff who answer each call."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Event, Measure, Outcome, Situation, choice, setting, size, vocabulary
from nomoi.core.measure import Episode, ratio

OURS = "ours"
TABLE, PICK = range(2)
ALIVE = 0.2  # share of restaurants that take reservations, below which the practice is gone (ours)


class State(eqx.Module):
    """open [] share of restaurants that take reservations; asked [] bookings a diner asked for, last; time []."""

    open: Float[Array, ""]
    asked: Float[Array, ""]
    time: Int[Array, ""]


class Reservations(Situation):
    """Diners book tables, more than they need; each booking takes the staff's attention, which no diner pays.

    Dilemma: one more booking costs the diner next to nothing once a machine makes it, and the staff as much as ever.
    The story is the tutorial's (Hadfield et al. 2024), the numbers are ours.  Restaurants take reservations while all
    that is asked for is at most what their staff can answer; then more of them do in each evening, else fewer.  When
    none does, everybody walks in.  k bookings are worth `value` times the chance 1 - (1 - free)^k to get a table; or,
    where what is wanted is a *pick*, `value` k / (k + 1), the best of k.

    observation  open [n, 1] share of restaurants that take reservations;  asked [n, 1] bookings a diner asked for in
                 the evening before, of the most;  stranger [n, 1] 1 for the restaurants
    actions      book: 0 .. levels-1 bookings (what the restaurants answer does nothing)
    reward       a diner, where reservations are taken: the worth of k bookings - cost x k; else `walkin`;  the
                 restaurants, the last agent: - attention x all bookings
    events       request (bookings asked for), booked, used (a share: the chance of a table), cancelled, standing
    end          at `horizon`
    state        see State.  Stock: one kind, the bookings that restaurants will answer in an evening

    >>> from nomoi.situations.reservations import Reservations
    >>> Reservations(diners=2).roles
    ('diner', 'diner', 'restaurants')
    """

    regimes: ClassVar = {
        "nothing": "",
        "deposit": "deposit",
        "fee": "deposit(back=0)",
        "quota": "quota(on=request,rate=0.5,target=0)+fine(on=quota.excess,rate=1)",
    }
    presets: ClassVar = {
        "square": {
            "diners": 100, "levels": 101, "worth": "pick", "value": 40.0, "cost": 0.0, "attention": 1.0,
            "staff": 20.0, "walkin": 8.0,
        },
    }  # fmt: skip

    diners: int = size(20, "how many look for a table", OURS, low=1)
    levels: int = size(41, "how many amounts can be booked, from 0", OURS, low=2)
    horizon: int = size(100, "longest episode", OURS, "evenings", low=1)
    cost: Float[Array, ""] = setting(0.5, "what a booking costs who makes it", OURS, "reward", 0)
    value: Float[Array, ""] = setting(10.0, "what a table, or the best of all, is worth", OURS, "reward", 0)
    free: Float[Array, ""] = setting(0.2, "chance that a booking gets a table", OURS, "", 0, 1)
    attention: Float[Array, ""] = setting(0.5, "what a booking costs the staff", OURS, "reward", 0)
    staff: Float[Array, ""] = setting(10.0, "bookings that staff can answer, for each diner", OURS, "bookings", 0)
    walkin: Float[Array, ""] = setting(0.0, "what an evening without a reservation is worth", OURS, "reward")
    pace: Float[Array, ""] = setting(0.1, "share of restaurants that change their mind in an evening", OURS, "", 0, 1)
    worth: Int[Array, ""] = choice("table", ("table", "pick"), "what bookings are for: any table, or the best")

    @property
    def agents(self) -> int:  # type: ignore[override]
        return self.diners + 1

    @property
    def roles(self) -> tuple[str, ...]:
        return ("diner",) * self.diners + ("restaurants",)

    @property
    def belongs(self) -> np.ndarray:
        return self._diner.astype(np.float32)[:, None]

    @property
    def _diner(self) -> np.ndarray:
        """[n] who dines."""
        return np.arange(self.agents) < self.diners

    @property
    def actions(self) -> dict[str, int]:
        return {"book": self.levels}

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("request", "booked", "used", "cancelled", "standing")

    @property
    def measures(self) -> tuple[Measure, ...]:
        diner = self._diner

        def income(e: Episode) -> Array:
            return ratio((e.reward + e.transfer)[diner].mean(), e.steps)

        return (
            Measure("standing", "share", "evenings on which more than a fifth of restaurants took reservations",
                    lambda e: e.share("standing"), ("standing",), covers=("standing",)),
            Measure("income", "reward/evening", "what a diner ends an evening with, transfers included", income),
        )  # fmt: skip

    @property
    def lots(self) -> int:
        return 1

    def reset(self, key: PRNGKeyArray) -> State:
        return State(jnp.ones(()), jnp.zeros(()), jnp.zeros((), jnp.int32))

    def asked(self, state: State) -> dict[str, Array]:
        return {"book": jnp.asarray(self._diner)}

    def table(self, bookings: Float[Array, " n"]) -> Float[Array, " n"]:
        """The chance that one of so many bookings is used."""
        return jnp.where(self.worth == TABLE, 1 - (1 - self.free) ** bookings, jnp.minimum(bookings, 1.0))

    def gain(self, bookings: Float[Array, " n"]) -> Float[Array, " n"]:
        """What so many bookings are worth to a diner, before they are paid for."""
        best = bookings / (bookings + 1)
        return self.value * jnp.where(self.worth == TABLE, self.table(bookings), best)

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        asked = jnp.where(self._diner, action["book"], 0).astype(jnp.float32)
        booked, used = state.open * asked, state.open * self.table(asked)
        dines = state.open * (self.gain(asked) - self.cost * asked) + (1 - state.open) * self.walkin
        reward = jnp.where(self._diner, dines, -self.attention * booked.sum())
        bears = asked.sum() <= self.staff * self.diners
        opened = state.open + self.pace * (bears.astype(jnp.float32) - state.open)
        after = State(opened, asked.sum() / self.diners, state.time + 1)
        lives = jnp.broadcast_to(opened > ALIVE, (self.agents,)).astype(jnp.float32)
        events = {"request": asked, "booked": booked, "used": used, "cancelled": booked - used, "standing": lives}
        return after, Outcome(reward, jnp.zeros(self.agents), events, after.time >= self.horizon)

    def senses(self, state: State) -> dict[str, Array]:
        tell = lambda x: jnp.broadcast_to(x, (self.agents, 1)).astype(jnp.float32)  # noqa: E731
        stranger = jnp.asarray(~self._diner[:, None], jnp.float32)
        return {"open": tell(state.open), "asked": tell(state.asked / (self.levels - 1)), "stranger": stranger}

    @property
    def kinds(self) -> tuple[str, ...]:
        return ("bookings",)

    def stock(self, state: State) -> Float[Array, " 1"]:
        return (state.open * self.staff * self.diners)[None]

    def capacity(self) -> Float[Array, " 1"]:
        return jnp.broadcast_to(self.staff * self.diners, (1,))
