"""Laboratory: the foraging commons in which people were asked to govern themselves (Janssen et al. 2010)."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi import grid
from nomoi.core import Event, Outcome, setting, size, vocabulary
from nomoi.errors import Refusal
from nomoi.situations.walkers import SLANTS, ZAP, Walkers, parsed

LAB = "Janssen et al. 2010, software"
NEAR = 1.5  # cells: the eight around one (Moore's neighbourhood)


class State(eqx.Module):
    """body; cooling [n] steps until the beam is ready; tokens [S] live; got [n] tokens so far; time [] steps."""

    body: grid.Body
    cooling: Int[Array, " n"]
    tokens: Bool[Array, " S"]
    got: Float[Array, " n"]
    time: Int[Array, ""]


class Laboratory(Walkers):
    """Tokens grow back beside tokens, in seconds, while people move as fast as they can.

    Dilemma: what one leaves to grow, another takes, and there is no time to wait: in the laboratory people emptied the
    field in the first minutes, unless they could talk.  Once in a second an empty cell bears a token with the chance
    `growth` x the share of its neighbours (at most eight) that bear one.  A step is one move of each; `speed` of them
    make a second.  Standing on a token is not having it: collecting takes a move of its own, unless `collecting` is
    off.  What comes of it hangs on that, and on whether one may move to four cells or, with `diagonals`, to eight.

    observation  view [n, rows, columns] bits: wall, apple (a token), agent (and four headings where `headings`);
                 ready [n, 1] 1 when the beam can fire; compass [n, 6] heading and place, where `compass`;
                 got [n, 2] the own tokens so far and the most that anybody has, in hundreds;
                 left [n, 1] the share of the time that is left
    actions      move: stay, ahead, back, left, right (steps relative to the heading), turn left, turn right, zap;
                 then collect, and ahead right, back right, back left, ahead left, where there are such
    reward       1 a token
    events       harvest, sparse (tokens with fewer than `thin` neighbours), kind, shot, zap
    end          at `horizon`
    state        see State.  Stock: tokens

    >>> from nomoi.situations.laboratory import Laboratory
    >>> Laboratory().actions
    {'move': 9}
    """

    presets: ClassVar = {
        "laboratory": {},
        "patchy": {"patchy": True},
        "practice": {"side": 13, "agents": 1},
        "small": {"side": 13, "horizon": 240},
    }
    regimes: ClassVar = {
        "nothing": "",
        "punishment": "sanction(by=,cost=1,harm=2,exile=0)",
        "quota": "quota(on=sparse)+fine(on=quota.excess)",
    }

    side: int = size(29, "how many cells the field has to each side", LAB, "cells", low=2)
    horizon: int = size(480, "how long it lasts: 240 s at two steps a second", LAB, "steps", low=1)
    extent: tuple[int, ...] = size((6, 6, 6), "how far agents see: cells ahead, back, and to each side", LAB, low=0)
    beam: tuple[int, ...] = size((6, 1), "length and radius of the beam", "ours (there people were named)", "cells")
    cooldown: Int[Array, ""] = setting(0, "full steps between two shots", "ours", "steps", 0)
    speed: int = size(2, "steps in a second", "ours", "steps", low=1)
    collecting: bool = size(True, "whether collecting a token takes a move of its own", LAB)
    diagonals: bool = size(False, "whether one may move to eight cells around one, and not to four", "ours")
    patchy: bool = size(
        False, "whether the upper half of the rows bears twice as many tokens at first, and twice as fast", LAB
    )
    density: Float[Array, ""] = setting(0.25, "share of cells that bear a token at first", LAB, "", 0, 1)
    growth: Float[Array, ""] = setting(
        0.01, "chance that a cell bears a token when all around it do", LAB, "per second", 0, 1
    )
    thin: Int[Array, ""] = setting(3, "a token with fewer neighbours than this is sparse", "ours", "tokens", 0)

    def __check_init__(self) -> None:
        super().__check_init__()
        if self.side**2 < 2 * self.agents:
            raise Refusal(
                f"laboratory.side is {self.side}, and {self.side**2} cells are too few for {self.agents} agents; "
                f"{int(np.ceil(np.sqrt(2 * self.agents)))} or more would be right."
            )

    @property
    def land(self) -> grid.Land:
        return field(self.side)

    @property
    def tools(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("collect",) * self.collecting + SLANTS * self.diagonals

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("harvest", "sparse", "kind", "shot", "zap")

    def reset(self, key: PRNGKeyArray) -> State:
        n, land = self.agents, self.land
        total = len(land.sites)
        draw = grid.draw(key, start=2 * n, lay=2 * total)
        tokens = self._laid(grid.chance(draw["lay"][:total]))
        body = grid.Body(grid.scatter(draw["start"], land.sites), jnp.zeros(n, jnp.int32), jnp.zeros(n, jnp.int32))
        return State(body, jnp.zeros(n, jnp.int32), tokens, jnp.zeros(n), jnp.zeros((), jnp.int32))

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        n, land, total = self.agents, self.land, len(self.land.sites)
        draw = grid.draw(key, order=n, spawn=n, grow=total)
        move = self.chosen(state, action)
        body = self.march(state.body, move, draw["order"])

        near = grid.neighbours(land, state.tokens, NEAR)
        site = jnp.where(self.takes(move), grid.site(land, body), total)
        took = grid.under(state.tokens, site)
        sparse = took & (grid.under(near, site) < self.thin)
        tokens = state.tokens & ~grid.trodden(site, total)
        time = state.time + 1
        tokens = jnp.where(time % self.speed == 0, self.grow(tokens, draw["grow"]), tokens)

        fires = (move == ZAP) & (state.cooling == 0)
        zap = grid.reach(land, body, *self.beam) & fires[:, None]
        events = {"harvest": took, "sparse": sparse, "shot": fires, "zap": zap}
        events = {name: value.astype(jnp.float32) for name, value in events.items()}
        events["kind"] = jnp.zeros(n, jnp.int32)
        body = grid.respawn(body, draw["spawn"], land.sites)
        after = State(body, self.cooled(state.cooling, fires), tokens, state.got + events["harvest"], time)
        return after, Outcome(events["harvest"], jnp.zeros(n), events, time >= self.horizon)

    @property
    def _times(self) -> np.ndarray:
        """[S] how many times as much a cell bears as `density` and `growth` say."""
        upper = np.arange(self.side**2) < self.side // 2 * self.side
        return np.where(upper & self.patchy, np.float32(2), np.float32(1))

    def _laid(self, lots: Float[Array, " S"]) -> Bool[Array, " S"]:
        """Of the cells that bear as much, exactly their share: those with the lowest lots."""
        tokens = jnp.zeros(len(lots), bool)
        for times in np.unique(self._times):
            alike = self._times == times
            many = jnp.floor(jnp.minimum(times * self.density, 1.0) * int(alike.sum()) + 0.5).astype(jnp.int32)
            tokens |= alike & (lots < jnp.append(jnp.sort(lots[alike]), jnp.inf)[many])
        return tokens

    def takes(self, move: Int[Array, " n"]) -> Bool[Array, " n"]:
        """Who has the token on the cell where it stands."""
        return move == ZAP + 1 if self.collecting else jnp.ones(self.agents, bool)

    def grow(self, tokens: Bool[Array, " S"], bits: Array) -> Bool[Array, " S"]:
        """All cells at once, also under an agent."""
        share = grid.neighbours(self.land, tokens, NEAR).astype(jnp.float32) / _around(self.land)
        return tokens | (grid.chance(bits) < self.growth * self._times * share)

    def senses(self, state: State) -> dict[str, Array]:
        here = state.body.here[:, None]
        most = jnp.broadcast_to(state.got.max(), state.got.shape)
        left = jnp.broadcast_to(1 - state.time / self.horizon, here.shape)
        told = {"got": jnp.stack([state.got, most], 1) / 100, "left": left}
        return super().senses(state) | {name: jnp.where(here, x, 0.0) for name, x in told.items()}

    def scene(self, state: State) -> grid.Scene:
        goods = grid.Goods(state.tokens, np.zeros(len(self.land.sites), np.int32))
        return super().scene(state).add(sites={"apple": state.tokens}, goods=goods)

    @property
    def kinds(self) -> tuple[str, ...]:
        return ("token",)

    def stock(self, state: State) -> Float[Array, " kinds"]:
        return state.tokens.sum(dtype=jnp.float32)[None]

    def capacity(self) -> Float[Array, " kinds"]:
        return jnp.array([len(self.land.sites)], jnp.float32)


def field(side: int) -> grid.Land:
    """A square of cells, each of which may bear a token, with a wall around."""
    return parsed("\n".join(["A" * side] * side), "A", "A", f"a field of {side} x {side}")


@lru_cache(maxsize=16)
def _around(land: grid.Land) -> np.ndarray:
    """[S] how many neighbours each cell has: eight, and fewer at the edge."""
    return land.near(NEAR).sum(1)
