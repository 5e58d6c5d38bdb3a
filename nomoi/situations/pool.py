"""Pool: a fishery on one stock (Gordon 1954; the first domain of formal contracts, Christoffersen et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Event, Outcome, Situation, setting, size, vocabulary
from nomoi.core.saying import amounts, number
from nomoi.errors import Refusal


class State(eqx.Module):
    """stock [] in units of fish; time [] steps so far."""

    stock: Float[Array, ""]
    time: Int[Array, ""]


class Pool(Situation):
    """Fishers request a catch; what they leave grows logistically.

    Dilemma: what one leaves in the water, the others may take.  Requests are met in full while there is
    enough, else in proportion; growth acts on the escapement e = s - catch: s' = min(K, e + r e (1 - e / K)).

    With `points` the stock lies on that many equal steps from nothing to K: the next stock is drawn to one of the two
    points around where it would have gone, so that its mean is right.  What is expected of it is then exactly linear
    interpolation between the points, and the fishery can be unfolded and solved.

    With `outsiders` the last agents are strangers: they fish like the others, and what they take is an *intrusion* too,
    which institutions may bar or charge.  A boundary is what a commons needs first (Ostrom 1990).

    observation  level [n, 1] stock / capacity; with outsiders stranger [n, 1] whether one is a stranger
    actions      request: 0 .. levels-1, standing for 0 .. `most` in equal steps
    reward       the own catch
    events       harvest (catch), request (what was wanted), sparse (catch while the stock is below `low`), kind (0);
                 with outsiders intrusion (a stranger's catch)
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

    presets: ClassVar = {"small": {"horizon": 12, "levels": 4, "points": 11}}  # solved exactly in a moment

    agents: int = size(2, "how many fish", "ours", low=1)
    horizon: int = size(60, "longest episode", "ours", "steps", low=1)
    levels: int = size(13, "how many amounts can be requested", "ours", low=2)
    points: int = size(0, "grid points of the stock; 0 lets it be any number", "ours", low=0)
    outsiders: int = size(0, "how many of them, the last, are strangers; 0 is none", "ours", low=0)
    growth: Float[Array, ""] = setting(0.8, "intrinsic growth rate r", "ours", "per step", 0)
    limit: Float[Array, ""] = setting(1.0, "carrying capacity K", "ours", "units of fish", 1e-6)
    most: Float[Array, ""] = setting(0.5, "largest request", "ours", "units of fish", 0)
    start: Float[Array, ""] = setting(1.0, "first stock as a share of capacity", "ours", "", 0, 1)
    low: Float[Array, ""] = setting(0.5, "catch below this share of capacity is sparse", "ours (peak growth)", "", 0, 1)

    def __check_init__(self) -> None:
        if self.outsiders >= self.agents:
            raise Refusal(
                f"pool.outsiders is {self.outsiders} of {self.agents} agents, and at least one must belong to the "
                f"commons; agents={self.outsiders + 2} would be right."
            )
        if self.points == 1:
            raise Refusal("pool.points is 1; a stock that can change needs at least two (or 0, for any number).")
        if self.points and not isinstance(self.start, jax.core.Tracer):
            place = np.asarray(self.start) * (self.points - 1)
            if (np.abs(place - place.round()) > 1e-4).any():
                start = place.ravel()[0] / (self.points - 1)
                raise Refusal(f"pool.start is {start:g}, which is not one of the {self.points} points of the stock.")

    @property
    def actions(self) -> dict[str, int]:
        return {"request": self.levels}

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"request": amounts(0, self.most, self.levels)}

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("harvest", "request", "sparse", "kind", *(("intrusion",) if self.outsiders else ()))

    @property
    def roles(self) -> tuple[str, ...]:
        insiders = self.agents - self.outsiders
        return ("insider",) * insiders + ("stranger",) * self.outsiders if self.outsiders else super().roles

    @property
    def belongs(self) -> np.ndarray:
        return (~self._strange).astype(np.float32)[:, None]

    @property
    def _strange(self) -> np.ndarray:
        """[n] who is a stranger."""
        return np.arange(self.agents) >= self.agents - self.outsiders

    @property
    def lots(self) -> int:
        return 2 if self.points else 1

    def reset(self, key: PRNGKeyArray) -> State:
        time = jnp.zeros((), jnp.int32)
        if self.points:
            return State(self._point(jnp.round(self.start * (self.points - 1))), time)
        return State(self.start * self.limit, time)

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        if self.points:
            up = jax.random.bernoulli(key, self.odds(state, action)[1])
            return self.by_lot(up.astype(jnp.int32), state, action)
        return self._ends(state, action, self._grown(state, action))

    def odds(self, state: State, action: dict[str, Int[Array, " n"]]) -> Float[Array, " lots"]:
        """Of the point below and of the point above, where there are points."""
        if not self.points:
            return jnp.ones(1)
        _, above = self._between(state, action)
        return jnp.stack([1 - above, above])

    def by_lot(self, lot: Int[Array, ""], state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        if not self.points:
            return self._ends(state, action, self._grown(state, action))
        below, _ = self._between(state, action)
        return self._ends(state, action, self._point(below + lot.astype(jnp.float32)))

    def _wanted(self, action: dict[str, Int[Array, " n"]]) -> Float[Array, " n"]:
        return self.most * action["request"].astype(jnp.float32) / (self.levels - 1)

    def _grown(self, state: State, action: dict[str, Int[Array, " n"]]) -> Float[Array, ""]:
        """The next stock: what is left, grown."""
        wanted = self._wanted(action).sum()
        left = jnp.where(wanted >= state.stock, 0.0, state.stock - wanted)  # exactly nothing, not float dust
        return jnp.minimum(self.limit, left + self.growth * left * (1 - left / self.limit))

    def _between(self, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """The grid point at or below the next stock, and how far it is from there to the point above, 0 to 1."""
        place = self._grown(state, action) / self.limit * (self.points - 1)
        below = jnp.minimum(jnp.floor(place), self.points - 2)
        return below, jnp.clip(place - below, 0.0, 1.0)

    def _point(self, place: Float[Array, ""]) -> Float[Array, ""]:
        return self.limit * place / (self.points - 1)

    def _ends(
        self, state: State, action: dict[str, Int[Array, " n"]], stock: Float[Array, ""]
    ) -> tuple[State, Outcome]:
        """The step that ends with `stock`."""
        request = self._wanted(action)
        wanted = request.sum()
        share = jnp.where(wanted > state.stock, state.stock / jnp.maximum(wanted, 1e-12), 1.0)
        catch = request * share
        time = state.time + 1
        thin = state.stock < self.low * self.limit
        events = {
            "harvest": catch,
            "request": request,
            "sparse": jnp.where(thin, catch, 0.0),
            "kind": jnp.zeros(self.agents, jnp.int32),
        }
        if self.outsiders:
            events["intrusion"] = jnp.where(self._strange, catch, 0.0)
        done = (time >= self.horizon) | (stock <= 0)
        return State(stock, time), Outcome(catch, jnp.zeros(self.agents), events, done)

    def senses(self, state: State) -> dict[str, Array]:
        told = {"level": jnp.broadcast_to(state.stock / self.limit, (self.agents, 1))}
        return told | ({"stranger": jnp.asarray(self._strange[:, None], jnp.float32)} if self.outsiders else {})

    @property
    def sentences(self) -> tuple[str, ...]:
        full, most = number(self.limit), number(self.most)
        grown = self.growth * (self.limit / 2) * (1 - 0.5)
        rule = (f"Each round {self.agents} {{who}} ask for an amount of {{what}} from 0 to {most}. If all "
                "of them ask for more than there is, each gets the same share of what it asked for. What is left grows "
                f"by {number(self.growth)} x left x (1 - left / {full}), to {full} at most: {number(self.limit / 2)} "
                f"that are left become {number(self.limit / 2 + grown)}. It is over when nothing is left. "
                "What you get is the amount that you are given.")  # fmt: skip
        told = ("users", "a common stock"), ("fishers", "fish from a lake"), ("herders", "grass from a pasture")
        return tuple(rule.format(who=who, what=what) for who, what in told)

    def words(self, seen: Mapping[str, np.ndarray], role: str) -> str:
        level = float(seen["level"][0])
        out = f"The stock is {number(level * float(self.limit))} of at most {number(self.limit)}."
        return out + (" You are a stranger, without a share in it." if seen.get("stranger", [0])[0] else "")

    @property
    def kinds(self) -> tuple[str, ...]:
        return ("fish",)

    def stock(self, state: State) -> Float[Array, " 1"]:
        return state.stock[None]

    def capacity(self) -> Float[Array, " 1"]:
        return jnp.broadcast_to(self.limit, (1,)).astype(np.float32)
