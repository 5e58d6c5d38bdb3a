"""Commons Harvest (Janssen et al. 2010; Perolat et al. 2017; Melting Pot `commons_harvest__*`)."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi import grid
from nomoi.core import Event, Outcome, setting, size, vocabulary
from nomoi.errors import Refusal
from nomoi.situations.harvest_maps import LEGEND, MAPS, PRESETS
from nomoi.situations.places import known
from nomoi.situations.walkers import ZAP, Walkers, drawn, land

_MP = "Melting Pot (Leibo et al. 2021), commons_harvest__open"


class State(eqx.Module):
    """body; cooling [n] steps until the beam is ready; apples [S] live; time [] steps so far."""

    body: grid.Body
    cooling: Int[Array, " n"]
    apples: Bool[Array, " S"]
    time: Int[Array, ""]


class Harvest(Walkers):
    """Apples grow back the faster the more apples are near, and never where none is left.

    Dilemma: the last apple of a patch is worth as much as any other to whoever takes it, and costs all others
    the patch.  Restraint pays only if the others restrain themselves too.

    observation  view [n, rows, columns] bits: wall, apple, agent (and four headings where `headings`);
                 ready [n, 1] 1 when the beam can fire; compass [n, 6] heading and place, where `compass`
    actions      move: stay, ahead, back, left, right (steps relative to the heading), turn left, turn right, zap
    reward       1 an apple, on entering its cell
    events       harvest, sparse (apples with fewer than `thin` live neighbours), kind, shot, zap, trespass
    end          at `horizon`; with `lottery` > 0 earlier, as in Melting Pot
    state        see State.  Stock: live apples by kind (zone)

    >>> from nomoi.situations.harvest import Harvest
    >>> Harvest.preset("open").agents
    7
    """

    presets: ClassVar = PRESETS
    regimes: ClassVar = {
        "nothing": "",
        "density levy": "levy",
        "contract": "contract",
        "hidden rule": "altar(display=hidden)+sanction",
        "altar": "altar+sanction",
    }

    map: str = size(
        "small",
        "small, open, orchard, closed, partnership, altars, mixed, or the path of a text file with a drawing",
        converter=drawn,
    )
    agents: int = size(5, "how many play", "ours", low=1)
    horizon: int = size(300, "longest episode", "ours", "steps", low=1)
    extent: tuple[int, ...] = size((7, 1, 4), "how far agents see: cells ahead, back, and to each side", "ours", low=0)
    regrowth: Float[Array, " 4"] = setting(
        (0.0, 0.005, 0.02, 0.05), "chance that an apple grows back, by live neighbours 0, 1, 2, 3 or more",
        "SSD games (Vinitsky et al. 2019)", "per step", 0, 1,
    )  # fmt: skip
    radius: float = size(2.0, "how near an apple counts as a neighbour", _MP, "cells", low=0)
    exile: Int[Array, ""] = setting(0, "steps out of play for whoever is zapped; 0 is none", unit="steps", low=0)
    thin: Int[Array, ""] = setting(3, "an apple with fewer live neighbours than this is sparse", unit="apples", low=0)
    lottery: Float[Array, ""] = setting(
        0.0, "chance that the episode ends at each 100th step, once past `least`", f"{_MP} (.15)", "", 0, 1
    )
    least: Int[Array, ""] = setting(1000, "first step at which the lottery is held", _MP, "steps", 0)
    cooperators: Int[Array, ""] = setting(0, "how many agents (the first) bear the role that may not trespass", low=0)
    trespass: Float[Array, ""] = setting(
        -10.0, "reward of a bearer of that role on a closed tile", _MP.replace("open", "partnership")
    )

    def __check_init__(self) -> None:
        land = self.land
        if not len(land.sites):
            raise Refusal(f"harvest: {land.name} has no apple; draw some with A, R, B or G.")
        if len(land.find("PQ")) < self.agents:
            raise Refusal(
                f"harvest: {land.name} has {len(land.find('PQ'))} places to start (P, Q) for {self.agents} agents; "
                "draw more, or ask for fewer agents."
            )
        if not len(land.find("P")):
            raise Refusal(f"harvest: {land.name} has no spawn place; draw at least one P.")

    @property
    def land(self) -> grid.Land:
        return land("harvest", self.map, MAPS, "ARBG", " WPQHJKIARBG")

    @property
    def roles(self) -> tuple[str, ...]:
        """Who may not trespass is a *cooperator*; on a map where only some start near the apples, those are *inner*."""
        few, inner = int(known(self.cooperators, "harvest.cooperators")), len(self.land.find("Q"))
        words = [("cooperator " * (i < few) + "inner" * (i < inner < self.agents)).strip() for i in range(self.agents)]
        return tuple(word or "agent" for word in words)

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("harvest", "sparse", "kind", "shot", "zap", "trespass")

    def reset(self, key: PRNGKeyArray) -> State:
        n, land = self.agents, self.land
        inner = land.find("Q")
        k = min(n, len(inner))  # the first players start near the apples (Melting Pot), the others outside
        draw = grid.draw(key, outside=2 * (n - k), inside=2 * k, facing=n)
        starts = [grid.scatter(draw["inside"], inner)] if k else []
        starts += [grid.scatter(draw["outside"], land.find("P"))] if n > k else []
        cell = jnp.concatenate(starts)
        facing = grid.pick(draw["facing"], 4)
        body = grid.Body(cell, facing, jnp.zeros(n, jnp.int32))
        return State(body, jnp.zeros(n, jnp.int32), jnp.ones(len(land.sites), bool), jnp.zeros((), jnp.int32))

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        n, land = self.agents, self.land
        draw = grid.draw(key, order=n, spawn=n, grow=len(land.sites), end=1)
        move = self.chosen(state, action)
        body = self.march(state.body, move, draw["order"])

        site = grid.site(land, body)
        ate = grid.under(state.apples, site)
        sparse = ate & (grid.under(grid.neighbours(land, state.apples, self.radius), site) < self.thin)
        apples = self.grow(state.apples & ~grid.trodden(site, len(land.sites)), draw["grow"])

        fires = (move == ZAP) & (state.cooling == 0)
        zap = grid.reach(land, body, *self.beam) & fires[:, None]
        body = grid.respawn(body, draw["spawn"], land.find("P"))
        cooling = self.cooled(state.cooling, fires)

        closed = jnp.asarray(land.mask("I"))[body.cell] & body.here & (np.arange(n) < self.cooperators)
        time = state.time + 1
        state = self.remove(State(body, cooling, apples, time), zap.any(0), self.exile)
        events = {
            "harvest": ate,
            "sparse": sparse,
            "shot": fires,
            "zap": zap,
            "trespass": closed,
            "kind": grid.under(_kind(land), site),
        }
        events = {name: value.astype(jnp.int32 if name == "kind" else jnp.float32) for name, value in events.items()}
        reward = events["harvest"] + self.trespass * events["trespass"]
        return state, Outcome(reward, jnp.zeros(n), events, self.over(time, draw["end"][0]))

    def grow(self, apples: Bool[Array, " S"], bits: Array) -> Bool[Array, " S"]:
        """Empty sites regrow, also under an agent, with a chance set by their live neighbours."""
        neighbours = grid.neighbours(self.land, apples, self.radius)
        chance = self.regrowth[3]
        for k in range(3):
            chance = jnp.where(neighbours == k, self.regrowth[k], chance)
        return apples | (grid.chance(bits) < chance)

    def over(self, time: Int[Array, ""], bits: Array) -> Bool[Array, ""]:
        drawn = (time >= self.least) & (time % 100 == 0) & (grid.chance(bits) < self.lottery)
        return (time >= self.horizon) | drawn

    def ground(self) -> dict[str, np.ndarray]:
        closed = {"closed": self.land.mask("I")} if "I" in self.land.text else {}
        return super().ground() | closed

    def scene(self, state: State) -> grid.Scene:
        goods = grid.Goods(state.apples, _kind(self.land))
        return super().scene(state).add(sites={"apple": state.apples}, goods=goods)

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(LEGEND[letter] for letter in _kinds(self.land))

    def stock(self, state: State) -> Float[Array, " kinds"]:
        return state.apples.astype(jnp.float32) @ _zones(self.land)

    def capacity(self) -> Float[Array, " kinds"]:
        return jnp.asarray(_zones(self.land).sum(0))


def _kinds(land: grid.Land) -> list[str]:
    return [letter for letter in "ARBG" if letter in land.letter]


def _kind(land: grid.Land) -> np.ndarray:
    """[S] the kind of each site."""
    return np.array([_kinds(land).index(letter) for letter in land.letter], np.int32)


def _zones(land: grid.Land) -> np.ndarray:
    """[S, kinds] one-hot."""
    return np.eye(len(_kinds(land)), dtype=np.float32)[_kind(land)]
