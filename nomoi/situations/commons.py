"""Commons: villages that live on patches of one resource, and strangers who may come (after Ostrom 1990)."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Event, Outcome, setting, size, vocabulary
from nomoi.core.saying import amounts
from nomoi.grid.words import fold, uniform
from nomoi.situations.grounds import Grounds

OURS = "ours"
RICHER = 6.0  # how strongly effort goes to the richer patches, per unit of density (ours)
ALIVE = 0.2  # of the limit: twice the density outside, so that ruins fed from there are not taken for a commons (ours)


class State(eqx.Module):
    """stock [P] units; works [V] how well kept, 0 to 1; shock [P] log-productivity; soil [] local productivity.

    need [n] units a season; record [n] how often one worked, lately; caught [n] last catch; perceived [V] units;
    time [] seasons so far
    """

    stock: Float[Array, " P"]
    works: Float[Array, " V"]
    shock: Float[Array, " P"]
    soil: Float[Array, ""]
    need: Float[Array, " n"]
    record: Float[Array, " n"]
    caught: Float[Array, " n"]
    perceived: Float[Array, " V"]
    time: Int[Array, ""]


class Commons(Grounds):
    """Each village has a ground of a few patches; strangers may fish all of them.  A season is a step.

    Dilemma: what one leaves, others may take, and who keeps the works up pays for what all gain by.  Catch is
    x (1 - exp(-E / K)) on a patch with stock x and effort E (Baranov 1918), shared by effort.  What is left grows by
    r soil exp(shock) (1 - w + w works) x (1 - d) d / (d + allee), d = x / K, so that collapse is sticky; it mixes
    with its neighbours, and with a stretch outside where others hold the density down.  The catch of the richest
    patches is what people see of the stock, so they think it larger than it is.  What an institution allows is no
    business of the world: it tells only what it knows.

    observation  need [n, 1] and caught [n, 1] units;  capacity [n, 1] units of effort;  density [n, 2] catch per unit
                 of effort now, at home and over all patches;  works [n, 1] of the own village;  provision [n, 2] how
                 often one worked lately, and the mean of the own village;  perceived [n, 1] stock of the own ground, as
                 the catch tells, of what it can hold;  stranger [n, 1];  outside [n, 1] what a stranger earns
                 elsewhere;  cost [n, 1] of a unit of effort
    actions      effort: 0 .. levels-1, in equal steps up to the own capacity;  range: 0 the own ground, 1 all patches
                 (strangers have no ground);  provide: 1 to work on the works
    reward       who has a need q: q ln(1 + catch / q) - cost effort - work provide q / 5;  a stranger: catch - cost
                 effort, and what is earned elsewhere in a season in which it does not come
    events       harvest, request (what one would take alone), intrusion, encroached, came, worked, perceived, standing
    end          at `horizon`
    state        see State.  Stock: one kind for each ground, that of the village of the same name

    >>> from nomoi.situations.commons import Commons
    >>> Commons(villages=1, insiders=3, outsiders=1).roles
    ('village 1', 'village 1', 'village 1', 'stranger')
    """

    regimes: ClassVar = {
        "nothing": "",
        "governed": "licence+quota(rate=0.245,target=0,public=true)+wardens+fine",
    }
    who: ClassVar[str] = "villagers"
    place: ClassVar[str] = "village"

    villages: int = size(2, "how many of them, each with a ground of its own", OURS, low=1)
    patches: int = size(2, "patches of each ground", OURS, low=1)
    insiders: int = size(6, "people of each village", OURS, low=1)
    outsiders: int = size(6, "strangers who may come", OURS, low=0)
    levels: int = size(21, "how many amounts of effort there are", OURS, low=2)
    horizon: int = size(200, "longest episode", OURS, "seasons", low=1)
    growth: Float[Array, ""] = setting(0.7, "intrinsic growth rate r", OURS, "per season", 0)
    limit: Float[Array, ""] = setting(100.0, "carrying capacity K of a patch", OURS, "units", 1e-3)
    start: Float[Array, ""] = setting(0.6, "first stock as a share of capacity", OURS, "", 0, 1)
    leak: Float[Array, ""] = setting(0.1, "flow to the outside, .01 where the ground is closed off", OURS, "", 0, 1)
    beyond: Float[Array, ""] = setting(0.1, "density outside", OURS, "", 0, 1)
    mixing: Float[Array, ""] = setting(0.1, "how far patches mix in a season", OURS, "", 0, 1)
    allee: Float[Array, ""] = setting(0.05, "density at which growth is halved", OURS, "", 0, 1)
    crash: Float[Array, ""] = setting(0.02, "chance that half of a patch dies in a season", OURS, "", 0, 1)
    spread: Float[Array, ""] = setting(0.15, "standard deviation of a new shock to growth", OURS, "log", 0)
    drift: Float[Array, ""] = setting(0.7, "what stays of a shock until the next season", OURS, "", 0, 1)
    weight: Float[Array, ""] = setting(0.4, "share of growth that needs the works", OURS, "", 0, 1)
    gain: Float[Array, ""] = setting(0.25, "what the works gain where all provide", OURS, "per season", 0, 1)
    wear: Float[Array, ""] = setting(0.15, "what the works lose", OURS, "per season", 0, 1)
    misfit: Float[Array, ""] = setting(0.7, "how far local soil lies from the region's", OURS, "", 0, 2)
    needs: Float[Array, " 2"] = setting([3.0, 7.0], "least and largest need of a person", OURS, "units", 1e-3)
    reach: Float[Array, ""] = setting(2.25, "largest effort of an insider, of the own need", OURS, "", 0)
    boat: Float[Array, ""] = setting(10.0, "largest effort of a stranger", OURS, "units of effort", 0)
    cost: Float[Array, ""] = setting(0.1, "cost of a unit of effort", OURS, "reward", 0)
    work: Float[Array, ""] = setting(0.5, "cost of working, for a need of 5", OURS, "reward", 0)
    outside: Float[Array, ""] = setting(1.5, "what a stranger earns elsewhere in a season", OURS, "reward", 0)
    arrival: Float[Array, ""] = setting(0.87, "chance that a stranger who sets out gets here", OURS, "", 0, 1)
    noise: Float[Array, ""] = setting(0.5, "how far the catch misleads about the stock", OURS, "log", 0)
    memory: Float[Array, ""] = setting(0.2, "weight of this season in the record of work", OURS, "", 0, 1)

    @property
    def counts(self) -> tuple[int, int, int]:
        return self.villages, self.insiders, self.outsiders

    @property
    def _ground(self) -> np.ndarray:
        """[n, P] which patches are one's own; all of them for strangers."""
        return np.repeat(self.belongs + self._strange[:, None].astype(np.float32), self.patches, 1)

    @property
    def actions(self) -> dict[str, int]:
        return {"effort": self.levels, "range": 2, "provide": 2}

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        shares = tuple(f"{share} of capacity" for share in amounts(0, 1, self.levels))
        return (
            super().choices
            | {"effort": shares, "range": ("own ground", "everywhere")}
            | dict.fromkeys(("provide",), ("no", "yes"))
        )

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary(
            "harvest", "request", "intrusion", "encroached", "came", "worked", "perceived", "standing"
        )  # fmt: skip

    def capacity_of_effort(self, state: State) -> Float[Array, " n"]:
        """The largest effort of each, in units of effort."""
        return jnp.where(self._strange, self.boat, self.reach * state.need)

    def reset(self, key: PRNGKeyArray) -> State:
        n, v, p = self.agents, self.villages, self.villages * self.patches
        drawn = uniform(key, n + 1)
        need = self.needs[0] + (self.needs[1] - self.needs[0]) * drawn[:n]
        soil = 1 + self.misfit * (0.7 * drawn[n] - 0.5)  # half below to a fifth above what suits the region
        stock = jnp.broadcast_to(self.start * self.limit, (p,)).astype(jnp.float32)
        half = jnp.full(n, 0.5)
        seen = stock.reshape(v, -1).sum(1)
        return State(
            stock, jnp.full(v, 0.5), jnp.zeros(p), soil, jnp.where(self._strange, 0.0, need),
            jnp.where(self._strange, 0.0, half), jnp.zeros(n), seen, jnp.zeros((), jnp.int32),
        )  # fmt: skip

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        arrive, luck, crash, misled = self._draws(key)
        provide = (action["provide"] == 1) & ~self._strange
        effort, where = self._efforts(state, action, arrive)
        taken, left = self._fish(state, effort[:, None] * where)
        catch = taken.sum(1)
        works = self._upkeep(state, provide)
        shock = self.drift * state.shock + self.spread * luck
        stock = self._grown(state, left, works, shock) * jnp.where(crash, 0.5, 1.0)
        record = state.record + self.memory * (provide.astype(jnp.float32) - state.record)
        time = state.time + 1
        after = State(stock, works, shock, state.soil, state.need, record, catch, self._sighted(stock, misled), time)
        reward = self._worth(state, catch, effort, provide)
        events = {
            "harvest": catch,
            "request": effort * (where * state.stock).sum(1) / self.limit,
            "intrusion": jnp.where(self._strange, catch, 0.0),
            "encroached": ((1 - self._ground) * taken).sum(1),
            "came": (self._strange & (effort > 0)).astype(jnp.float32),
            "worked": provide.astype(jnp.float32),
            "perceived": (self.belongs * after.perceived).sum(1),
            "standing": jnp.broadcast_to(stock.mean() > ALIVE * self.limit, (self.agents,)).astype(jnp.float32),
        }
        return after, Outcome(reward, jnp.zeros(self.agents), events, time >= self.horizon)

    def _draws(self, key: PRNGKeyArray) -> tuple[Array, Array, Array, Array]:
        """Who would arrive [n], shocks to growth [P], which patches crash [P], how far catches mislead [V]."""
        n, p = self.agents, self.villages * self.patches
        drawn, normal = uniform(key, n + p), jax.random.normal(fold(key, 1), (p + self.villages,))
        return drawn[:n] < self.arrival, normal[:p], drawn[n:] < self.crash, normal[p:]

    def _spots(self, stock: Float[Array, " P"]) -> tuple[Array, Array]:
        """[n, P] how one's effort is spread over the own ground, and [P] over all patches: more to richer ones."""
        drawn = jnp.exp(RICHER * (stock - stock.max()) / self.limit)
        own = self._ground * drawn
        return own / own.sum(1, keepdims=True), drawn / drawn.sum()

    def _efforts(self, state: State, action: dict[str, Array], arrive: Array) -> tuple[Array, Array]:
        """[n] effort of each, and [n, P] where it goes."""
        own, everywhere = self._spots(state.stock)
        share = action["effort"].astype(jnp.float32) / (self.levels - 1)
        effort = share * self.capacity_of_effort(state) * jnp.where(self._strange, arrive, True).astype(jnp.float32)
        return effort, jnp.where((action["range"] == 1)[:, None], everywhere, own)

    def _fish(self, state: State, spent: Float[Array, "n P"]) -> tuple[Array, Array]:
        """[n, P] what each takes where, and [P] what is left."""
        total = spent.sum(0)
        gone = -jnp.expm1(-total / self.limit)
        return spent * state.stock * gone / jnp.maximum(total, 1e-9), state.stock * (1 - gone)

    def _upkeep(self, state: State, provide: Array) -> Float[Array, " V"]:
        hands = (self.belongs * provide[:, None].astype(jnp.float32)).sum(0) / self.insiders
        return jnp.clip(state.works + self.gain * hands - self.wear * state.works, 0.0, 1.0)

    def _grown(self, state: State, left: Array, works: Array, shock: Array) -> Float[Array, " P"]:
        """[P] the next stock, before crashes: what is left grows, leaks to the outside, and mixes."""
        d = left / self.limit
        kept = jnp.repeat(1 - self.weight + self.weight * works, self.patches)
        rate = self.growth * state.soil * jnp.exp(shock) * kept
        stock = left + rate * left * (1 - d) * d / (d + self.allee + 1e-6)
        stock = stock - self.leak * (left - self.beyond * self.limit)
        return jnp.clip(stock + self.mixing * (stock.mean() - stock), 0.0, self.limit)

    def _sighted(self, stock: Float[Array, " P"], misled: Array) -> Float[Array, " V"]:
        """[V] the stock of a ground as catch per effort tells it: on its richest patches, and with luck."""
        ground = stock.reshape(self.villages, -1)
        drawn = jnp.exp(RICHER * (ground - stock.max()) / self.limit)
        rich = (drawn * ground).sum(1) / drawn.sum(1)
        return rich * self.patches * jnp.exp(self.noise * misled)

    def _worth(self, state: State, catch: Array, effort: Array, provide: Array) -> Float[Array, " n"]:
        q = jnp.where(self._strange, 1.0, state.need)
        spent = self.cost * effort + jnp.where(provide, self.work * q / 5, 0.0)
        insider = q * jnp.log1p(catch / q)
        stranger = jnp.where(effort > 0, catch, self.outside)
        return jnp.where(self._strange, stranger, insider) - spent

    def senses(self, state: State) -> dict[str, Array]:
        own, everywhere = self._spots(state.stock)
        home = (own * state.stock).sum(1)
        density = jnp.stack([home, jnp.full_like(home, (everywhere * state.stock).sum())], 1)
        village = (self.belongs * ((self.belongs * state.record[:, None]).sum(0) / self.insiders)).sum(1)
        column = self._column
        return {
            "need": column(state.need),
            "caught": column(state.caught),
            "capacity": column(self.capacity_of_effort(state)),
            "density": density / self.limit,
            "works": column((self.belongs * state.works).sum(1)),
            "provision": jnp.stack([state.record, village], 1),
            "perceived": column((self.belongs * state.perceived).sum(1) / (self.patches * self.limit)),
            "cost": column(self.cost),
        } | self._apart(self.outside)

    def stock(self, state: State) -> Float[Array, " V"]:
        return state.stock.reshape(self.villages, -1).sum(1)

    def capacity(self) -> Float[Array, " V"]:
        return jnp.broadcast_to(self.limit * self.patches, (self.villages,)).astype(jnp.float32)
