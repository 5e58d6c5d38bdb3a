"""Allelopathic Harvest (Koster et al. 2020; Melting Pot `allelopathic_harvest__open`)."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, UInt32

from nomoi import grid
from nomoi.core import Event, Measure, Outcome, setting, size, vocabulary
from nomoi.core.measure import ratio
from nomoi.errors import Refusal
from nomoi.situations.allelopathic_maps import MAPS, PRESETS
from nomoi.situations.walkers import STAY, ZAP, Walkers, drawn, land

_MP = "Melting Pot (Leibo et al. 2021), allelopathic_harvest__open"
COLOURS = ("red", "green", "blue")
GREY = len(COLOURS)
# The colour worn is judged anew in every step, and the altar names one colour for the whole episode (Trivedi
# et al. 2024, code; so are the sanction's numbers).
_JUDGED = "on=worn,of=colour,threshold=0,recovery=0,sticky=false,grace=50"
# +5 for a correct hit, -5 for a wrong one, .5 a shot; a violator loses 10
_SANCTION = "sanction(cost=5,reward=10,loss=10,fire=0.5,exile=0,immunity=200)"


class State(eqx.Module):
    """body; cooling, resowing [n] steps until the beam, and the planting beams, are ready.

    bush [S]     colour of each bush;   ripe [S] bears a berry now;   wait [S] steps until it may ripen
    worn [n]     colour each agent wears, GREY for none
    marked, frozen [n]   steps for which a hit is remembered, and for which whoever was hit cannot move;   time []
    """

    body: grid.Body
    cooling: Int[Array, " n"]
    resowing: Int[Array, " n"]
    bush: Int[Array, " S"]
    ripe: Bool[Array, " S"]
    wait: Int[Array, " S"]
    worn: Int[Array, " n"]
    marked: Int[Array, " n"]
    frozen: Int[Array, " n"]
    time: Int[Array, ""]


class Allelopathic(Walkers):
    """Bushes of three colours; berries of a colour ripen the faster the more bushes have it; anybody may replant.

    Dilemma: all are better off with bushes of one colour, and tastes differ about which (coordination); planting
    takes time that might be spent eating (free riding).  Whoever plants wears the colour planted.  Eating turns the
    eater grey, the less often the further the bushes agree, so that free riders can be told.

    observation  view [n, rows, columns] bits: wall; bush.red, .green, .blue, .ripe; agent; worn.red, .green, .blue;
                 marked (and four headings where `headings`); ready [n, 1]; sow [n, 1] 1 when it can plant;
                 own [n, 6] the colour worn (grey is the fourth), marked, frozen; taste [n, 3] colour preferred
    actions      move: stay, ahead, back, left, right, turn left, turn right, zap, plant red, green, blue.  A
                 planting beam recolours the first bush straight ahead, if it is unripe and of another colour
    reward       `sweet` for a berry of the preferred colour, `plain` for others, on entering its cell; a `fine`
    events       harvest, kind, planted, worn, colour, frozen, shot, zap.  Agents move, then eat, then beams strike
    end          at `horizon`
    state        see State.  The land is a torus.  Stock: bushes, ripe or not, by colour

    >>> from nomoi.situations.allelopathic import Allelopathic
    >>> Allelopathic.preset("open").capacity().tolist()
    [348.0, 348.0, 348.0]
    """

    presets: ClassVar = PRESETS
    tools: ClassVar = tuple(f"plant {colour}" for colour in COLOURS)
    regimes: ClassVar = {
        "nothing": "",
        "hidden rule": f"altar({_JUDGED},display=hidden)+{_SANCTION}",
        "altar": f"altar({_JUDGED},display=broadcast)+{_SANCTION}",
    }

    map: str = size("small", f"{', '.join(MAPS)}, or the path of a text file with a drawing", converter=drawn)
    agents: int = size(6, "how many play", low=1)
    horizon: int = size(400, "longest episode", unit="steps", low=1)
    extent: tuple[int, ...] = size((7, 1, 4), "how far agents see: cells ahead, back, and to each side", low=0)
    compass: bool = size(False, "whether agents sense their own heading and place", f"{_MP} (no)")
    cooldown: Int[Array, ""] = setting(4, "full steps between two shots", _MP, "steps", 0)
    tastes: tuple[int, ...] = size((0, 1), "colours that agents prefer, dealt out in turn", f"{_MP} (red, green)")
    sweet: Float[Array, ""] = setting(2.0, "reward of a berry of the preferred colour", _MP, "reward")
    plain: Float[Array, ""] = setting(1.0, "reward of another berry", _MP, "reward")
    ripening: Float[Array, ""] = setting(
        0.00174, "chance that an unripe bush ripens, if all have its colour, else times their share",
        f"{_MP} (5e-6 a bush, 348 bushes)", "per step", 0, 1,
    )  # fmt: skip
    tempo: Float[Array, ""] = setting(
        5.0, "times `ripening`: 2000 steps in Melting Pot over 400 here, so that a bush ripens as often in an episode",
        low=0,
    )  # fmt: skip
    rest: Int[Array, ""] = setting(10, "steps after a change before a bush may ripen", _MP, "steps", 0)
    spade: int = size(3, "length of the planting beams", _MP, "cells", 1)
    sowing: Int[Array, ""] = setting(2, "full steps between two plantings", _MP, "steps", 0)
    repaint: Bool[Array, ""] = setting(
        False, "whether a planting beam on an unripe bush that has that colour already paints the planter too",
        f"{_MP} (no, as an option)",
    )  # fmt: skip
    graduated: Bool[Array, ""] = setting(
        False, "whether the world punishes by itself: a hit freezes and marks, a hit on a marked one fines and removes",
        f"{_MP} (yes)",
    )  # fmt: skip
    freeze: Int[Array, ""] = setting(25, "steps for which a first hit freezes", _MP, "steps", 0)
    recovery: Int[Array, ""] = setting(50, "steps for which it marks", _MP, "steps", 0)
    fine: Float[Array, ""] = setting(10.0, "lost by a marked agent that is hit", _MP, "reward", 0)
    exile: Int[Array, ""] = setting(25, "steps for which such a one is out of play", _MP, "steps", 0)

    def __check_init__(self) -> None:
        land, span = self.land, max(sum(self.extent[:2]) + 1, 2 * self.extent[-1] + 1, self.spade + 1, *self.beam)
        if not len(land.sites):
            raise Refusal(f"allelopathic: {land.name} has no bush; draw some with R, G, B.")
        if len(self.floor) < self.agents:
            raise Refusal(
                f"allelopathic: {land.name} has {len(self.floor)} free cells (.) for {self.agents} agents; "
                "draw more, or ask for fewer agents."
            )
        if span > min(land.height, land.width):
            raise Refusal(
                f"allelopathic: {land.name} wraps round after {land.height} x {land.width} cells, and agents reach or "
                f"see over {span}; a larger map, or a smaller extent, would be right."
            )
        if not self.tastes or not all(0 <= taste < GREY for taste in self.tastes):
            raise Refusal(f"allelopathic.tastes is {self.tastes}; colours such as 0,1 (red, green) would be right.")

    @property
    def land(self) -> grid.Land:
        return land("allelopathic", self.map, MAPS, "RGB", ".RGBHW", torus=True)

    @property
    def floor(self) -> np.ndarray:
        """Cells where agents start and come back."""
        return self.land.find(".")

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("harvest", "kind", "planted", "worn", "colour", "frozen", "shot", "zap")

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (
            Measure("monoculture", "share", "bushes of the most common colour, at the end",
                    lambda e: e.last.max() / e.last.sum(), ("stock",)),
            Measure("accord", "share", "bushes of the colour most common over the episode, averaged over time",
                    lambda e: ratio(e.stock.max(), e.stock.sum()), ("stock",)),
        )  # fmt: skip

    @property
    def taste(self) -> np.ndarray:
        """[n] the colour that each agent prefers."""
        return np.resize(np.array(self.tastes, np.int32), self.agents)

    def reset(self, key: PRNGKeyArray) -> State:
        n, total = self.agents, len(self.land.sites)
        draw = grid.draw(key, start=2 * n, facing=n)
        none = jnp.zeros(n, jnp.int32)
        body = grid.Body(grid.scatter(draw["start"], self.floor), grid.pick(draw["facing"], 4), none)
        bush = jnp.asarray([int("RGB".index(letter)) for letter in self.land.letter], jnp.int32)
        unripe, wait = jnp.zeros(total, bool), jnp.broadcast_to(self.rest, (total,))
        return State(body, none, none, bush, unripe, wait, none + GREY, none, none, jnp.zeros((), jnp.int32))

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        n, total = self.agents, len(self.land.sites)
        draw = grid.draw(key, order=n, spawn=n, bare=n, grow=total)
        move = self.chosen(state, action)
        body = self.march(state.body, move, draw["order"])

        site = grid.site(self.land, body)
        ate = grid.under(state.ripe, site) & (body.cell != state.body.cell)
        kind = grid.under(state.bush, site)
        agreed = self.stock(state).max() / total
        worn = jnp.where(ate & (grid.chance(draw["bare"]) >= agreed), GREY, state.worn)
        ripe = state.ripe & ~grid.trodden(jnp.where(ate, site, total), total)

        plot, planted, painted = self.plant(state, body, move, ripe, draw["order"])
        worn = jnp.where(painted, move - ZAP - 1, worn)
        bush = jnp.append(state.bush, 0).at[plot].set(jnp.where(planted, move - ZAP - 1, 0), mode="drop")[:total]
        changed = (ripe != state.ripe) | (bush != state.bush)
        ripe, wait = self.ripen(bush, ripe, changed, state.wait, draw["grow"])

        fires = (move == ZAP) & (state.cooling == 0)
        zap = grid.reach(self.land, body, *self.beam) & fires[:, None]
        body = grid.respawn(body, draw["spawn"], self.floor)
        sows = (move > ZAP) & (state.resowing == 0)
        resowing = jnp.where(sows, self.sowing, jnp.maximum(state.resowing - 1, 0))
        time = state.time + 1
        after = State(
            body, self.cooled(state.cooling, fires), resowing, bush, ripe, wait, jnp.where(state.body.here, worn, GREY),
            jnp.maximum(state.marked - 1, 0), jnp.maximum(state.frozen - 1, 0), time,
        )  # fmt: skip
        after, fined = self.punish(after, zap.any(0))

        facts = {"harvest": ate, "planted": planted, "worn": after.body.here, "shot": fires, "zap": zap}
        events = {name: fact.astype(jnp.float32) for name, fact in facts.items()}
        events |= {"kind": kind, "colour": after.worn, "frozen": (state.frozen > 0).astype(jnp.float32)}
        berry = jnp.where(kind == self.taste, self.sweet, self.plain)
        reward = jnp.where(ate, berry, 0.0) - jnp.where(fined, self.fine, 0.0)
        return after, Outcome(reward, jnp.zeros(n), events, time >= self.horizon)

    def chosen(self, state: State, action: dict[str, Array]) -> Int[Array, " n"]:
        """What each does; the frozen can only plant (as in Melting Pot)."""
        move = super().chosen(state, action)
        return jnp.where((state.frozen > 0) & (move <= ZAP), STAY, move)

    def plant(
        self, state: State, body: grid.Body, move: Int[Array, " n"], ripe: Bool[Array, " S"], order: UInt32[Array, " n"]
    ) -> tuple[Int[Array, " n"], Bool[Array, " n"], Bool[Array, " n"]]:
        """The bush that each recolours (S for none), who does, and who is painted; the first of several at one bush."""
        total = len(self.land.sites)
        sows = (move > ZAP) & (state.resowing == 0)
        aimed = jnp.where(sows, grid.foremost(self.land, body, self.spade), total)
        outrun = ((aimed[:, None] == aimed[None, :]) & grid.earlier(order)).any(0)
        struck = (aimed < total) & ~outrun & ~grid.under(ripe, aimed)
        planted = struck & (grid.under(state.bush, aimed) != move - ZAP - 1)
        return jnp.where(planted, aimed, total), planted, struck & (planted | self.repaint)

    def ripen(
        self, bush: Int[Array, " S"], ripe: Bool[Array, " S"], changed: Bool[Array, " S"], wait: Int[Array, " S"],
        bits: UInt32[Array, " S"],
    ) -> tuple[Bool[Array, " S"], Int[Array, " S"]]:  # fmt: skip
        """Bushes that have waited long enough ripen with a chance in proportion to the share of their colour."""
        share = _count(bush) / len(self.land.sites)
        chance = (self.tempo * self.ripening * share)[bush]
        wait = jnp.where(changed, self.rest, jnp.maximum(wait - 1, 0))
        ripens = ~ripe & ~changed & (wait == 0) & (grid.chance(bits) < chance)
        return ripe | ripens, wait

    def punish(self, state: State, hit: Bool[Array, " n"]) -> tuple[State, Bool[Array, " n"]]:
        """Graduated sanctions, where the world has them: who is hit the first time, and who again."""
        again = hit & (state.marked > 0) & self.graduated
        first = hit & ~again & self.graduated
        marked = jnp.where(first, self.recovery, jnp.where(again, 0, state.marked))
        frozen = jnp.where(first, self.freeze, jnp.where(again, 0, state.frozen))
        state = eqx.tree_at(lambda s: (s.marked, s.frozen), state, (marked, frozen))
        return self.remove(state, again, self.exile), again

    def senses(self, state: State) -> dict[str, Array]:
        here = state.body.here[:, None]
        sow = (1 - state.resowing / jnp.maximum(self.sowing, 1))[:, None]
        colour = state.worn[:, None] == np.arange(GREY + 1)
        own = jnp.concatenate([colour, jnp.stack([state.marked > 0, state.frozen > 0], -1)], -1)
        taste = jnp.asarray(np.eye(GREY, dtype=np.float32)[self.taste])
        told = {"sow": sow, "own": own.astype(jnp.float32), "taste": taste}
        return super().senses(state) | {name: jnp.where(here, value, 0.0) for name, value in told.items()}

    def scene(self, state: State) -> grid.Scene:
        sites = {f"bush.{colour}": state.bush == k for k, colour in enumerate(COLOURS)} | {"bush.ripe": state.ripe}
        bodies = {f"worn.{colour}": state.worn == k for k, colour in enumerate(COLOURS)}
        bodies |= {"marked": state.marked > 0}
        goods = grid.Goods(state.ripe, state.bush)
        return super().scene(state).add(sites=sites, bodies=bodies, goods=goods)

    @property
    def kinds(self) -> tuple[str, ...]:
        return COLOURS

    def stock(self, state: State) -> Float[Array, " kinds"]:
        return _count(state.bush)

    def capacity(self) -> Float[Array, " kinds"]:
        return jnp.full(GREY, float(len(self.land.sites)))


def _count(bush: Int[Array, " S"]) -> Float[Array, " kinds"]:
    """Bushes of each colour."""
    return (bush[:, None] == np.arange(GREY)).sum(0, dtype=jnp.float32)
