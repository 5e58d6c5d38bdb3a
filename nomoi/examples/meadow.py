"""A situation of one's own, in one file: try `nomoi check meadow.py`."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi import grid
from nomoi.core import Event, Outcome, Situation, setting, size, vocabulary

LAND = grid.Land("\n".join(["ggggggg", "gggPggg", "gPgggPg", "gggPggg", "ggggggg"]), "g", "gPW", "the meadow")
STAY, AHEAD, TURN_LEFT, TURN_RIGHT = range(4)


class State(eqx.Module):
    """body; grass [S] how high it stands on each tile, 0 to 3; time [] steps so far."""

    body: grid.Body
    grass: Int[Array, " S"]
    time: Int[Array, ""]


class Meadow(Situation):
    """Herders let their animals graze on common grass, which grows back from what is left standing (Hardin 1968).

    Dilemma: a tile grows the faster the higher its grass, and bare ground stays bare.  The last blade feeds as well as
    any other whoever takes it, and costs all others the tile.

    observation  view [n, 4, 5] bits: wall, grass, tall, agent;  under [n, 1] how high it stands where one is, 0 to 1
    actions      move: stay, ahead, turn left, turn right;  graze: 0 no, 1 yes
    reward       1 a unit of grass
    events       harvest, sparse (the last blade of a tile), kind (0)
    end          at `horizon`
    state        see State.  Stock: one kind, grass

    >>> Meadow(agents=2).actions
    {'move': 4, 'graze': 2}
    """

    agents: int = size(3, "how many herders", low=1)
    horizon: int = size(100, "longest episode", unit="steps", low=1)
    growth: Float[Array, ""] = setting(0.1, "chance that tall grass grows by one; lower grass less", "ours", "", 0, 1)

    @property
    def actions(self) -> dict[str, int]:
        return {"move": 4, "graze": 2}

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("harvest", "sparse", "kind")

    def reset(self, key: PRNGKeyArray) -> State:
        draw = grid.draw(key, place=2 * self.agents, facing=self.agents)
        cell, nobody_out = grid.scatter(draw["place"], LAND.find("Pg")), jnp.zeros(self.agents, jnp.int32)
        body = grid.Body(cell, grid.pick(draw["facing"], 4), nobody_out)
        return State(body, jnp.full(len(LAND.sites), 3, jnp.int32), jnp.zeros((), jnp.int32))

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        draw, move = grid.draw(key, order=self.agents, grow=len(LAND.sites)), action["move"]
        body = grid.turn(state.body, (move == TURN_RIGHT).astype(jnp.int32) - (move == TURN_LEFT).astype(jnp.int32))
        body = grid.walk(LAND, body, move == AHEAD, jnp.zeros(self.agents, jnp.int32), draw["order"])

        standing = grid.on(grid.site(LAND, body), len(LAND.sites))  # [n, S]
        eaten = standing & (action["graze"] == 1)[:, None] & (state.grass > 0)
        grass = state.grass - eaten.any(0).astype(jnp.int32)
        grows = (grid.chance(draw["grow"]) < self.growth * grass.astype(jnp.float32) / 3) & (grass < 3)

        took, last = eaten.any(1).astype(jnp.float32), (eaten & (state.grass == 1)).any(1).astype(jnp.float32)
        events = {"harvest": took, "sparse": last, "kind": jnp.zeros(self.agents, jnp.int32)}
        after = State(body, grass + grows.astype(jnp.int32), state.time + 1)
        return after, Outcome(took, jnp.zeros(self.agents), events, after.time >= self.horizon)

    def senses(self, state: State) -> dict[str, Array]:
        under = grid.on(grid.site(LAND, state.body), len(LAND.sites))
        return {"under": jnp.where(under, state.grass, 0).sum(1, keepdims=True) / 3}

    def scene(self, state: State) -> grid.Scene:
        goods = grid.Goods(state.grass > 0, np.zeros(len(LAND.sites), np.int32))
        sites, bodies = {"grass": state.grass > 0, "tall": state.grass == 3}, {"agent": state.body.here}
        return grid.Scene(LAND, grid.Extent(2, 1, 2), state.body, {"wall": LAND.walls}, sites, bodies, goods=goods)

    @property
    def kinds(self) -> tuple[str, ...]:
        return ("grass",)

    def stock(self, state: State) -> Float[Array, " 1"]:
        return state.grass.sum().astype(jnp.float32)[None]

    def capacity(self) -> Float[Array, " 1"]:
        return jnp.full(1, 3.0 * len(LAND.sites))
