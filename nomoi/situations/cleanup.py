"""Clean Up (Hughes et al. 2018; Melting Pot `clean_up`)."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, UInt32

from nomoi import grid
from nomoi.core import Event, Measure, Outcome, setting, size, vocabulary
from nomoi.errors import Refusal
from nomoi.situations.walkers import ZAP, Walkers, drawn, fireable, land

_MP = "Melting Pot (Leibo et al. 2021), clean_up"
CLEAN = ZAP + 1

# Letters: W wall, space floor, P start, H altar, A apple, river that is at first D dirty or S clean.  Maps are ours.
SMALL = """
WWWWWWWWWWWWWWWWW
WDSDSDSDSDSDSDSDW
WDSDSDSDSDSDSDSDW
WDSDSDSDSDSDSDSDW
W P P P   P P P W
W      HHH      W
W P P P   P P P W
WAAAAAAAAAAAAAAAW
WAAAAAAAAAAAAAAAW
WAAAAAAAAAAAAAAAW
WWWWWWWWWWWWWWWWW
"""

# Melting Pot's size and counts: 147 cells of river, 79 of them dirty, and 122 of apples.
PAPER = """
WWWWWWWWWWWWWWWWWWWWWWWWWWWWWW
WSDSDSDSD             AAAAAAAW
WSDSDSDDS    P  P  P  AAAAAAAW
W DSDSDSDS             AAAAAAW
W DSDDSDSD             AAAAAAW
W  SDSDSDSD  P  P  P   AAAAAAW
W  DSDSDSDS            AAAAAAW
W DSDSDDS              AAAAAAW
W DSDSDSD    P  P  P  AAAAAAAW
WSDSDDSD              AAAAAAAW
WSDSDSDSD      HHH    AAAAAAAW
W SDSDDSDS            AAAAAAAW
W  DSDSDSDS  P  P  P   AAAAAAW
W   DDSDSDSD           AAAAAAW
W   SDSDSDDS           AAAAAAW
W  DSDSDSD   P  P  P   AAAAAAW
W  SDSDDSD             AAAAAAW
W SDSDSDSD             AAAAAAW
W SDDSDSDS   P  P  P  AAAAAAAW
WDSDSDSDD             AAAAAAAW
WWWWWWWWWWWWWWWWWWWWWWWWWWWWWW
"""

MAPS = {"small": SMALL, "paper": PAPER}

_PAPER = {"map": "paper", "agents": 7, "horizon": 1000, "extent": (9, 1, 5), "headings": True, "compass": False}
PRESETS = {
    "small": {},
    "paper": _PAPER,
    # the SSD games (Vinitsky et al. 2019), but for agents, calm and exile, which are ours; that a shot costs 1 and a
    # hit 50 there is for a sanction to say (fire=1, harm=50)
    "ssd": _PAPER | {"agents": 5, "extent": (7, 7, 7), "beam": (5, 1), "brush": (5, 1), "exile": 0, "calm": 0},
}


class State(eqx.Module):
    """body; cooling, resting [n] steps until the beam, and the brush, is ready; merit [n] steps for which one still
    counts as a contributor; apples, dirt [S] on the sites of the orchard and of the river; time [] steps so far."""

    body: grid.Body
    cooling: Int[Array, " n"]
    resting: Int[Array, " n"]
    merit: Int[Array, " n"]
    apples: Bool[Array, " S"]
    dirt: Bool[Array, " S"]
    time: Int[Array, ""]


class Cleanup(Walkers):
    """Apples grow in an orchard only while a river is clean enough, and dirt comes down the river all the time.

    Dilemma: cleaning feeds everybody and rewards nobody, and whoever is at the river is not in the orchard.  Each
    does best where the others clean; where nobody does, nothing grows.  A public good, where Commons Harvest is a
    common pool.

    What can be governed: `clean`, by a subsidy (a levy with a negative rate); `freeride`, the apples of those who
    have not cleaned for `credit` steps, by a levy or a contract; and, as the apples are all of one kind, the same
    by an altar that forbids it (on=freeride, names=forbidden, content=0) and a sanction.

    observation  view [n, rows, columns] bits: wall, grass, river, apple, dirt, agent (and four headings where
                 `headings`); ready [n, 1] 1 when the beam can fire; brush [n, 1] 1 when one can clean; compass [n, 6]
                 heading and place, where `compass`
    actions      move: stay, ahead, back, left, right (steps relative to the heading), turn left, turn right, zap,
                 clean (each of the brush's rays stops at the first dirt, and removes it)
    reward       1 an apple, on entering its cell
    events       harvest, kind, clean, freeride, shot, zap.  Of several who clean a cell the first to move counts
    end          at `horizon`
    state        see State.  Stock: live apples

    >>> from nomoi.situations.cleanup import Cleanup
    >>> Cleanup.preset("paper").actions
    {'move': 9}
    """

    presets: ClassVar = PRESETS
    tools: ClassVar = ("clean",)
    regimes: ClassVar = {
        "nothing": "",
        "subsidy": "levy(on=clean,rate=-0.5)",
        "contract": "contract(on=freeride,high=2)",
        "altar": "altar(on=freeride,names=forbidden,content=0,threshold=0,recovery=0,display=broadcast)"
        "+sanction(cost=0.6,reward=3,exile=0)",
    }

    map: str = size("small", "small, paper, or the path of a text file with a drawing", converter=drawn)
    agents: int = size(5, "how many play", "ours", low=1)
    horizon: int = size(300, "longest episode", "ours", "steps", low=1)
    extent: tuple[int, ...] = size((7, 1, 4), "how far agents see: cells ahead, back, and to each side", "ours", low=0)
    cooldown: Int[Array, ""] = setting(10, "full steps between two shots", _MP, "steps", 0)
    brush: tuple[int, ...] = size((3, 1), "length and radius of the cleaning beam", _MP, "cells")
    rest: Int[Array, ""] = setting(2, "full steps between two cleanings", _MP, "steps", 0)
    exile: Int[Array, ""] = setting(50, "steps out of play for whoever is zapped; 0 is none", _MP, "steps", 0)
    growth: Float[Array, ""] = setting(0.05, "chance of an apple where the river is clean", _MP, "", 0, 1)
    depletion: Float[Array, ""] = setting(0.4, "share of dirt in the river from which on nothing grows", _MP, "", 0, 1)
    restoration: Float[Array, ""] = setting(0.0, "share of dirt up to which all grows at full rate", _MP, "", 0, 1)
    spawn: Float[Array, ""] = setting(0.5, "chance that one clean cell of the river gets dirty", _MP, "per step", 0, 1)
    calm: Int[Array, ""] = setting(50, "first steps of an episode without new dirt", _MP, "steps", 0)
    credit: Int[Array, ""] = setting(
        50, "steps for which a cleaning counts as a contribution (only for `freeride`)", unit="steps", low=0
    )

    def __check_init__(self) -> None:
        land = self.land
        fireable("cleanup.brush", self.brush)
        if not (land.letter == "A").any() or (land.letter == "A").all():
            raise Refusal(f"cleanup: {land.name} needs an orchard (A) and a river (D, S); draw both.")
        if len(land.find("P")) < self.agents:
            raise Refusal(
                f"cleanup: {land.name} has {len(land.find('P'))} places to start (P) for {self.agents} agents; "
                "draw more, or ask for fewer agents."
            )
        ends = self.restoration, self.depletion
        if not any(isinstance(end, Tracer) for end in ends) and (np.asarray(ends[0]) >= ends[1]).any():
            raise Refusal(f"cleanup.restoration is {ends[0]:g}, and must lie below cleanup.depletion, {ends[1]:g}.")

    @property
    def land(self) -> grid.Land:
        return land("cleanup", self.map, MAPS, "ADS", " WPHADS")

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("harvest", "kind", "clean", "freeride", "shot", "zap")

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (
            Measure("freeriding", "share", "of what was taken, by who had not contributed for long",
                    lambda e: e.ratio("freeride", "harvest"), ("freeride", "harvest"), ("freeride",)),
        )  # fmt: skip

    def reset(self, key: PRNGKeyArray) -> State:
        n, land = self.agents, self.land
        draw = grid.draw(key, start=2 * n, facing=n)
        none = jnp.zeros(n, jnp.int32)
        body = grid.Body(grid.scatter(draw["start"], land.find("P")), grid.pick(draw["facing"], 4), none)
        apples, dirt = jnp.zeros(len(land.sites), bool), jnp.asarray(land.letter == "D")
        return State(body, none, none, none, apples, dirt, jnp.zeros((), jnp.int32))

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        n, land, total = self.agents, self.land, len(self.land.sites)
        draw = grid.draw(key, order=n, spawn=n, grow=total, dirt=1, where=1)
        move = self.chosen(state, action)
        body = self.march(state.body, move, draw["order"])

        site = grid.site(land, body)
        ate = grid.under(state.apples, site)
        left = state.apples & ~grid.trodden(site, total)

        fires = (move == ZAP) & (state.cooling == 0)
        zap = grid.reach(land, body, *self.beam) & fires[:, None]
        brushes = (move == CLEAN) & (state.resting == 0)
        removed = self.wash(body, state.dirt, brushes, draw["order"])

        dirt = state.dirt & ~removed.any(0)
        apples = self.grow(left, dirt, draw["grow"])
        dirt = self.soil(dirt, state.time, draw["dirt"], draw["where"])

        clean = removed.sum(1)
        events = {"harvest": ate, "clean": clean, "freeride": ate & (state.merit == 0), "shot": fires, "zap": zap}
        events = {name: value.astype(jnp.float32) for name, value in events.items()}
        events["kind"] = jnp.zeros(n, jnp.int32)

        merit = jnp.where(clean > 0, self.credit, jnp.maximum(state.merit - 1, 0))
        resting = jnp.where(brushes, self.rest, jnp.maximum(state.resting - 1, 0))
        body = grid.respawn(body, draw["spawn"], land.find("P"))
        time = state.time + 1
        state = State(body, self.cooled(state.cooling, fires), resting, merit, apples, dirt, time)
        outcome = Outcome(events["harvest"], jnp.zeros(n), events, time >= self.horizon)
        return self.remove(state, zap.any(0), self.exile), outcome

    def wash(
        self, body: grid.Body, dirt: Bool[Array, " S"], brushes: Bool[Array, " n"], order: UInt32[Array, " n"]
    ) -> Bool[Array, "n S"]:
        """The dirt that each of those who clean removes; a cell that several reach is the first one's in the order."""
        reached = grid.sweep(self.land, body, dirt, *self.brush) & dirt & brushes[:, None]
        turn = jnp.where(reached, grid.rank(order)[:, None], self.agents)
        return reached & (turn == turn.min(0))

    def rate(self, dirt: Bool[Array, " S"]) -> Float[Array, ""]:
        """The chance that an empty site of the orchard bears an apple; 0 or below is none."""
        share = dirt.sum(dtype=jnp.float32) / float((self.land.letter != "A").sum())
        return self.growth * jnp.minimum(1.0, (share - self.depletion) / (self.restoration - self.depletion))

    def grow(self, apples: Bool[Array, " S"], dirt: Bool[Array, " S"], bits: UInt32[Array, " S"]) -> Bool[Array, " S"]:
        """Empty sites of the orchard may bear, also under an agent."""
        return apples | ((grid.chance(bits) < self.rate(dirt)) & jnp.asarray(self.land.letter == "A"))

    def soil(
        self, dirt: Bool[Array, " S"], time: Int[Array, ""], bits: UInt32[Array, " 1"], where: UInt32[Array, " 1"]
    ) -> Bool[Array, " S"]:
        """One clean cell of the river may get dirty."""
        comes = (time >= self.calm) & (grid.chance(bits)[0] < self.spawn)
        cell = grid.among(where, ~dirt & (self.land.letter != "A"))
        return dirt | (grid.on(cell, len(dirt))[0] & comes)

    def senses(self, state: State) -> dict[str, Array]:
        full = jnp.maximum(self.rest, 1)
        ready = ((full - state.resting) / full)[:, None]
        return super().senses(state) | {"brush": jnp.where(state.body.here[:, None], ready, 0.0)}

    def ground(self) -> dict[str, np.ndarray]:
        return super().ground() | {"grass": self.land.mask("A"), "river": self.land.mask("DS")}

    def scene(self, state: State) -> grid.Scene:
        goods = grid.Goods(state.apples, np.zeros(len(self.land.sites), np.int32))
        return super().scene(state).add(sites={"apple": state.apples, "dirt": state.dirt}, goods=goods)

    @property
    def kinds(self) -> tuple[str, ...]:
        return ("apple",)

    def stock(self, state: State) -> Float[Array, " kinds"]:
        return state.apples.sum(dtype=jnp.float32)[None]

    def capacity(self) -> Float[Array, " kinds"]:
        return jnp.array([(self.land.letter == "A").sum()], jnp.float32)
