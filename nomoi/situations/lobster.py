"""Lobster: harbours along a coast, each with a ground that is its own as far as it is defended (Acheson 1975)."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Event, Measure, Outcome, choice, setting, size, vocabulary
from nomoi.core.measure import ratio
from nomoi.core.saying import amounts
from nomoi.grid.words import fold
from nomoi.situations.grounds import Grounds

OURS = "ours"
RICHER = 8.0  # how strongly traps go to where more is landed for each, per share of what a cell can hold (ours)
ALIVE = 0.2  # of what the bottom can hold (ours)
NUCLEATED, PERIMETER = range(2)
JUVENILE, LEGAL, OVERSIZE, MARKED = range(4)
INCHES = {"small": 3.0, "large": 5.5}  # carapace of juveniles and of the oversize; the legal lie between (ours)


class State(eqx.Module):
    """lobsters [4, P] by class (juvenile, legal, oversize, marked) and cell; caught [n] pounds last; time []."""

    lobsters: Float[Array, "4 P"]
    caught: Float[Array, " n"]
    time: Int[Array, ""]


class Catch(eqx.Module):
    """What a season takes.  landed [4, n], notched [n] lobsters; left [4, P]."""

    landed: Float[Array, "4 n"]
    notched: Float[Array, " n"]
    left: Float[Array, "4 P"]


class Lobster(Grounds):
    """Boats of each harbour set traps, and strangers who may come do.  A season is a step.

    Dilemma: what one leaves, others may take, and larvae drift, so that who spares a breeder shares what comes of it
    with the whole coast.  What keeps strangers out is no wall but people: who guards cuts traps that stand on the own
    ground.  Where territory is *nucleated* guards are where the harbour is, and their force falls with distance; where
    it is *perimeter-defended* the same guards cover the ground evenly, at the cost of going there.  How many strangers
    then come, and what that does to the stock, follows.

    Lobsters grow from juveniles to legal ones to the oversize; a quarter of the legal bear eggs, and may be landed, put
    back, or put back with a notch in the tail, by which anybody knows a breeder until she has moulted.  Of class k a
    share 1 - exp(-E / reach) of a cell is caught (Baranov 1918), E being traps that were not cut.

    observation  density [n, 2] pounds landed for a boatload of traps now, at home and over the whole bottom;  stock
                 [n, 1] of the own ground (a stranger: of all), of what it can hold;  caught [n, 1] pounds last;
                 capacity [n, 1] boatloads;  stranger [n, 1];  outside [n, 1] what a stranger earns elsewhere
    actions      traps: 0 .. levels-1, in equal steps up to a boatload;  range: 0 the own ground, 1 the whole bottom
                 (strangers have no ground);  guard: 1 to guard the own ground;  small, large, berried, breeders: 1 to
                 land these;  mark: 1 to notch berried females that one puts back;  blind: 1 for traps without a
                 vent;  drag: 1 to drag a net
    reward       pounds landed - cost x traps - travel x traps x distance - gear x traps lost - guarding - labour x
                 notches; a stranger who stays away has what is earned elsewhere
    events       harvest (pounds landed), intrusion, encroached, effort (boatloads), small, large, berried, breeders,
                 notched, blind, dragged, guarded, cut, came, standing
    end          at `horizon`
    state        see State.  Stock: pounds, one kind for each ground, that of the harbour of the same name

    >>> from nomoi.situations.lobster import Lobster
    >>> Lobster(harbours=1, boats=2, outsiders=1).roles
    ('harbour 1', 'harbour 1', 'stranger')
    """

    regimes: ClassVar = {
        "nothing": "",
        "size limits": "slot+berried",
        "rules of Maine": "slot+berried+notch+vent+gear+traps",
        "limited entry": "licence(bar=0.9)+slot+berried",
    }
    who: ClassVar[str] = "villagers"
    place: ClassVar[str] = "harbour"

    harbours: int = size(2, "how many, each with a ground of its own", OURS, low=1)
    cells: int = size(4, "cells of each ground, along the coast", OURS, low=1)
    boats: int = size(5, "boats of each harbour", OURS, low=1)
    outsiders: int = size(10, "strangers who may come", OURS, low=0)
    levels: int = size(11, "how many numbers of traps there are, from 0", OURS, low=2)
    horizon: int = size(100, "longest episode", OURS, "seasons", low=1)
    border: Int[Array, ""] = choice("nucleated", ("nucleated", "perimeter"), "where guards are")
    might: Float[Array, ""] = setting(2.0, "traps a guard cuts where all its force is in one cell", OURS, "log", 0)
    near: Float[Array, ""] = setting(
        0.7, "distance over which a nucleated guard's force falls by e", OURS, "cells", 1e-3
    )
    recruits: Float[Array, ""] = setting(
        4.0, "young that find shelter in a cell at most", OURS, "lobsters/season", 1e-6
    )
    half: Float[Array, ""] = setting(2.0, "eggs, in breeders a cell, that fill half of the shelter", OURS, "", 1e-6)
    drift: Float[Array, ""] = setting(0.8, "share of larvae that settle anywhere", OURS, "", 0, 1)
    luck: Float[Array, ""] = setting(0.3, "standard deviation of a season's settlement", OURS, "log", 0)
    death: Float[Array, ""] = setting(0.1, "natural deaths", OURS, "per season", 0, 1)
    grow: Float[Array, ""] = setting(0.25, "juveniles that become legal", OURS, "per season", 0, 1)
    outgrow: Float[Array, ""] = setting(0.15, "legal ones that become oversize", OURS, "per season", 0, 1)
    bearing: Float[Array, ""] = setting(0.25, "legal and oversize ones that bear eggs in a season", OURS, "", 0, 1)
    heal: Float[Array, ""] = setting(0.2, "marks that a moult takes away", OURS, "per season", 0, 1)
    pounds: Float[Array, " 3"] = setting([0.5, 1.0, 2.5], "weight: juvenile, legal, oversize", OURS, "pounds", 1e-3)
    reach: Float[Array, ""] = setting(6.0, "boatloads that leave 1 / e of a cell", OURS, "boatloads", 1e-3)
    vent: Float[Array, ""] = setting(0.1, "juveniles that a trap with a vent holds, of one without", OURS, "", 0, 1)
    wide: Float[Array, ""] = setting(
        0.5, "oversize ones that a trap holds, of those it holds of the legal", OURS, "", 0, 1
    )
    hurt: Float[Array, ""] = setting(0.1, "of what is put back, what dies of it", OURS, "", 0, 1)
    net: Float[Array, ""] = setting(1.5, "what a dragged net catches, of a boatload of traps", OURS, "", 0)
    crush: Float[Array, ""] = setting(1.5, "juveniles it kills, of those a blind trap holds", OURS, "", 0)
    cost: Float[Array, ""] = setting(0.2, "cost of a boatload of traps", OURS, "reward", 0)
    travel: Float[Array, ""] = setting(0.05, "cost of a boatload for each cell from home", OURS, "reward", 0)
    gear: Float[Array, ""] = setting(0.3, "cost of a boatload of traps that are cut", OURS, "reward", 0)
    watch: Float[Array, ""] = setting(0.05, "cost of guarding, beside the way", OURS, "reward", 0)
    labour: Float[Array, ""] = setting(0.02, "cost of a notch", OURS, "reward/lobster", 0)
    outside: Float[Array, ""] = setting(0.15, "what a stranger earns elsewhere in a season", OURS, "reward", 0)
    start: Float[Array, ""] = setting(0.4, "first stock, of what the bottom can hold", OURS, "", 0, 1)

    @property
    def counts(self) -> tuple[int, int, int]:
        return self.harbours, self.boats, self.outsiders

    @property
    def inches(self) -> dict[str, float]:
        """Choices to land a class, and how long the carapace is of what they land; the others land legal ones."""
        return INCHES

    @property
    def _ground(self) -> np.ndarray:
        """[H, P] which cells are whose ground."""
        return np.repeat(np.eye(self.harbours, dtype=np.float32), self.cells, 1)

    @property
    def _distance(self) -> np.ndarray:
        """[H, P] cells between a harbour, in the middle of its ground, and each cell."""
        middle = self.cells * np.arange(self.harbours) + (self.cells - 1) / 2
        return np.abs(np.arange(self.harbours * self.cells) - middle[:, None]).astype(np.float32)

    @property
    def actions(self) -> dict[str, int]:
        yes = ("range", "guard", "small", "large", "berried", "breeders", "mark", "blind", "drag")
        return {"traps": self.levels} | dict.fromkeys(yes, 2)

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        shares = tuple(f"{share} of capacity" for share in amounts(0, 1, self.levels))
        return (
            super().choices
            | {"traps": shares, "range": ("own ground", "everywhere")}
            | dict.fromkeys(tuple(h for h in self.actions if h not in ("traps", "range")), ("no", "yes"))
        )

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary(
            "harvest", "intrusion", "encroached", "effort", "small", "large", "berried", "breeders", "notched", "blind",
            "dragged", "guarded", "cut", "came", "standing",
        )  # fmt: skip

    @property
    def measures(self) -> tuple[Measure, ...]:
        mine = ~self._strange
        return (
            *super().measures,
            Measure("guarding", "share", "seasons that boats of harbours guarded",
                    lambda e: ratio(e.events["guarded"][mine].mean(), e.steps), ("guarded",), ("guarded",)),
            Measure("yield", "pounds/boatload", "landed for a boatload of traps",
                    lambda e: e.ratio("harvest", "effort"), ("harvest", "effort")),
        )  # fmt: skip

    def _full(self) -> Float[Array, " 4"]:
        """Lobsters of each class in a cell that is never fished and where all shelter is filled."""
        young = self.recruits / jnp.maximum(1 - (1 - self.death) * (1 - self.grow), 1e-6)
        legal = (1 - self.death) * self.grow * young / jnp.maximum(1 - (1 - self.death) * (1 - self.outgrow), 1e-6)
        old = (1 - self.death) * self.outgrow * legal / jnp.maximum(self.death, 1e-6)
        return jnp.stack([young, legal, old, jnp.zeros(())])

    def reset(self, key: PRNGKeyArray) -> State:
        lobsters = jnp.broadcast_to(self.start * self._full()[:, None], (4, self.harbours * self.cells))
        return State(lobsters, jnp.zeros(self.agents), jnp.zeros((), jnp.int32))

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        does = {head: action[head] == 1 for head in self.actions if head != "traps"}
        guards = does["guard"] & ~self._strange
        own, whole = self._spots(state, guards)
        boatloads = action["traps"].astype(jnp.float32) / (self.levels - 1)
        spread = boatloads[:, None] * jnp.where(does["range"][:, None], whole, own)  # [n, P]
        fishing = spread * (1 - self.cuts(guards))
        caught = self._catch(state, fishing, does)
        pounds = jnp.append(self.pounds, self.pounds[LEGAL])
        landed = caught.landed * pounds[:, None]
        catch = landed.sum(0)
        lost = (spread - fishing).sum(1)
        lobsters = self._grown(caught.left, fold(key, 1))
        time = state.time + 1
        spent = self.cost * boatloads + self.travel * self._way(spread) + self.gear * lost
        spent = spent + jnp.where(guards, self.watch + self.travel * self._beat(), 0.0) + self.labour * caught.notched
        reward = jnp.where(self._strange & (boatloads == 0), self.outside, catch - spent)
        away = ((1 - self.belongs @ self._ground) * fishing).sum(1) / jnp.maximum(fishing.sum(1), 1e-9)
        lives = (lobsters * pounds[:, None]).sum() > ALIVE * self.capacity().sum()
        flag = lambda x: x.astype(jnp.float32)  # noqa: E731
        events = {
            "harvest": catch, "intrusion": jnp.where(self._strange, catch, 0.0),
            "encroached": jnp.where(self._strange, 0.0, away * catch), "effort": boatloads,
            "small": landed[JUVENILE], "large": landed[OVERSIZE], "breeders": landed[MARKED],
            "berried": jnp.where(does["berried"], self.bearing * (landed[LEGAL] + landed[OVERSIZE]), 0.0),
            "notched": caught.notched, "blind": flag(does["blind"] & (boatloads > 0)),
            "dragged": flag(does["drag"] & (boatloads > 0)), "guarded": flag(guards), "cut": lost,
            "came": flag(self._strange & (boatloads > 0)), "standing": jnp.broadcast_to(flag(lives), (self.agents,)),
        }  # fmt: skip
        return State(lobsters, catch, time), Outcome(reward, jnp.zeros(self.agents), events, time >= self.horizon)

    def force(self) -> Float[Array, "H P"]:
        """How one guard's force is spread: near the harbour, or evenly over the ground; each row sums to 1."""
        close = jnp.exp(-self._distance / self.near)
        even = self._ground / self.cells
        return jnp.where(self.border == NUCLEATED, close / close.sum(1, keepdims=True), even)

    def cuts(self, guards: Bool[Array, " n"]) -> Float[Array, "n P"]:
        """The share of one's traps in each cell that the guards of others cut."""
        many = guards.astype(jnp.float32) @ self.belongs  # [H]
        force = self.might * many[:, None] * self.force() * self._ground
        return -jnp.expm1(-(1 - self.belongs) @ force)

    def _beat(self) -> Float[Array, " n"]:
        """How far from home one guards, in cells."""
        return self.belongs @ (self.force() * self._distance).sum(1)

    def _way(self, spread: Float[Array, "n P"]) -> Float[Array, " n"]:
        """Boatloads times cells from home; strangers live on their boats."""
        return (spread * (self.belongs @ self._distance)).sum(1)

    def _legal(self, state: State) -> Float[Array, " P"]:
        """Pounds landed for a boatload in each cell, of the legal that bear no eggs, before anybody else fishes."""
        return (1 - self.bearing) * self.pounds[LEGAL] * state.lobsters[LEGAL] / self.reach

    def _spots(self, state: State, guards: Bool[Array, " n"]) -> tuple[Array, Array]:
        """[n, P] how one's traps are spread over the own ground, and over the whole bottom: to where most is landed."""
        worth = self._legal(state) * (1 - self.cuts(guards)) - self.travel * (self.belongs @ self._distance)
        most = (1 - self.bearing) * self.pounds[LEGAL] * self._full()[LEGAL] / self.reach
        drawn = jnp.exp(RICHER * (worth - worth.max(1, keepdims=True)) / most)
        own = self.belongs @ self._ground + self._strange[:, None]
        near = drawn * own
        return near / near.sum(1, keepdims=True), drawn / drawn.sum(1, keepdims=True)

    def _catch(self, state: State, spread: Float[Array, "n P"], does: dict[str, Array]) -> Catch:
        """What is landed and notched, and what is left in the water."""
        drag = does["drag"][:, None]
        pull = spread * jnp.where(drag, self.net, 1.0)  # of the legal
        young = pull * jnp.where(does["blind"][:, None] | drag, 1.0, self.vent)
        effort = jnp.stack([young, pull, self.wide * pull, pull])  # [4, n, P]
        total = effort.sum(1)
        gone = -jnp.expm1(-total / self.reach)
        taken = effort * (state.lobsters * gone / jnp.maximum(total, 1e-9))[:, None]  # [4, n, P]
        clear = jnp.where(does["berried"], 1.0, 1 - self.bearing)  # of what may be landed, what is
        small, large, marked = (does[head].astype(jnp.float32) for head in ("small", "large", "breeders"))
        lands = jnp.stack([small, clear, large * clear, marked])
        landed = taken * lands[:, :, None]
        back = taken - landed
        # of those put back that bear eggs, who marks notches all
        marks = (~does["berried"] & does["mark"]).astype(jnp.float32)[:, None]
        grown = np.array([0, 1, 1, 0], np.float32)[:, None, None]  # of these some bear eggs
        notched = (1 - self.hurt) * self.bearing * grown * marks * taken
        lived = (back * (1 - self.hurt)).sum(1)
        left = state.lobsters * (1 - gone) + lived - notched.sum(1)
        left = left.at[MARKED].add(notched.sum((0, 1)))
        crushed = -jnp.expm1(-self.crush * (spread * drag.astype(jnp.float32)).sum(0) / self.reach)
        left = left.at[JUVENILE].multiply(1 - crushed)
        return Catch(landed.sum(2), notched.sum((0, 2)), jnp.maximum(left, 0.0))

    def _grown(self, left: Float[Array, "4 P"], key: PRNGKeyArray) -> Float[Array, "4 P"]:
        """The next stock: eggs drift and settle where there is shelter, and what lives grows."""
        young, legal, old, marked = left
        weight = self.pounds / self.pounds[LEGAL]
        eggs = self.bearing * (legal + weight[OVERSIZE] * old) + marked
        eggs = self.drift * eggs.mean() + (1 - self.drift) * eggs
        settled = eggs / (eggs + self.half) * jnp.exp(self.luck * jax.random.normal(key))
        stays = 1 - self.death
        return jnp.stack([
            stays * (1 - self.grow) * young + self.recruits * jnp.minimum(settled, 1.0),
            stays * ((1 - self.outgrow) * legal + self.grow * young + self.heal * marked),
            stays * (old + self.outgrow * legal),
            stays * (1 - self.heal) * marked,
        ])  # fmt: skip

    def senses(self, state: State) -> dict[str, Array]:
        nobody = jnp.zeros(self.agents, bool)
        legal = self._legal(state)
        density = jnp.stack([(spot * legal).sum(1) for spot in self._spots(state, nobody)], 1)
        whole = self.stock(state).sum() / self.capacity().sum()
        mine = (self.belongs * (self.stock(state) / self.capacity())).sum(1)
        return {
            "density": density, "stock": self._column(jnp.where(self._strange, whole, mine)),
            "caught": self._column(state.caught), "capacity": self._column(1.0), "cost": self._column(self.cost),
        } | self._apart(self.outside)  # fmt: skip

    def stock(self, state: State) -> Float[Array, " H"]:
        pounds = jnp.append(self.pounds, self.pounds[LEGAL])
        return (state.lobsters * pounds[:, None]).sum(0).reshape(self.harbours, -1).sum(1)

    def capacity(self) -> Float[Array, " H"]:
        cell = (self._full()[:3] * self.pounds).sum()
        return jnp.broadcast_to(cell * self.cells, (self.harbours,))
