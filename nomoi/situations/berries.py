"""Taboo berries (Koster et al. 2022, as far as its sources are known; our laptop variant)."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi import grid
from nomoi.core import Event, Measure, Outcome, setting, size, vocabulary
from nomoi.errors import Refusal
from nomoi.situations.walkers import ZAP, Walkers, drawn, land

KINDS = ("poison", "silly", "healthy", "plenty")


def _open(height: int, width: int) -> str:
    return "\n".join([" " * width] * height)


MAPS = {
    "meadow": _open(9, 9),
    "wide": _open(12, 18),
    # an altar in the middle: for learning what it says before living by it elsewhere
    "shrine": "\n".join([_open(4, 11), "    HHH    ", _open(4, 11)]),
}
# With these, striking at random earns a little (precision x 3 - 0.6 > 0), and so is not unlearned at once; ours.
_SANCTION = {
    "by": "taboo", "cost": 0.6, "reward": 3, "harm": 5, "fire": 0.01, "exile": 0, "credit": "all", "aware": "false",
}  # fmt: skip


def rule(kinds: str, known: bool = False, span: int = 100, **changes: float) -> str:
    """A regime: a taboo on `kinds`, and our sanction with some of its options changed."""
    options = ",".join(f"{name}={value}" for name, value in (_SANCTION | changes).items())
    return f"taboo(kinds={kinds},known={str(known).lower()},span={span})+sanction({options})"


PRESETS = {
    "meadow": {},
    # the first laptop variant; half of the bushes may be taboo, and silly obedience then costs half of the food
    "dense": {"bushes": (6, 6, 6, 6), "regrowth": 0.05, "lasts": 60},
    # ours, after Koster et al. 2022: about the paper's scale
    "paper": {"map": "wide", "agents": 8, "horizon": 1000, "berry": 4.0, "delay": 100, "bushes": (6, 6, 42, 42)},
}


class State(eqx.Module):
    """body; cooling [n]; bush [S] kind of the bush on each site, K where none; live [S] bears a berry now;
    onset [n] steps until the poison acts; ends [n] steps until it is over, 0 where there is none; time []."""

    body: grid.Body
    cooling: Int[Array, " n"]
    bush: Int[Array, " S"]
    live: Bool[Array, " S"]
    onset: Int[Array, " n"]
    ends: Int[Array, " n"]
    time: Int[Array, ""]


class Berries(Walkers):
    """Berries of several kinds grow on bushes; one kind is poisonous, but whoever eats it feels it only later.

    Dilemma: the poison acts `delay` steps after the berry and lowers what later berries are worth, so that
    experience alone does not teach to avoid it.  Others can: if eating it shows (a taboo), and striking the
    marked is worth while (a sanction), people are taught by each other what the world teaches too late.  A
    harmless kind (silly) may be forbidden too; then there is more to practise on.

    observation  view [n, rows, columns] bits: wall, four kinds of berry, agent; ready [n, 1]; compass, if asked for
    actions      move: stay, ahead, back, left, right, turn left, turn right, zap (a block ahead; hits all in it)
    reward       `berry` for a berry, `dulled` times that while the poison acts
    events       harvest, kind, poison, silly, sick, shot, zap.  Beams strike first, on what their owners saw
    end          at `horizon`
    state        see State.  Bushes stand on random cells, drawn anew for each episode.  Stock: berries by kind

    >>> from nomoi.situations.berries import Berries
    >>> Berries().kinds
    ('poison', 'silly', 'healthy', 'plenty')
    """

    presets: ClassVar = PRESETS
    regimes: ClassVar = {
        "no rule": "",
        "important rule": rule("poison"),
        "silly rule": rule("poison,silly"),
    }

    map: str = size("meadow", f"{', '.join(MAPS)}, or the path of a text file with a drawing", converter=drawn)
    horizon: int = size(200, "longest episode", "ours", "steps", low=1)
    extent: tuple[int, ...] = size((5, 1, 3), "how far agents see: cells ahead, back, and to each side", "ours", low=0)
    compass: bool = size(False, "whether agents sense their own heading and place", "ours")
    bushes: tuple[int, ...] = size((2, 1, 14, 13), "bushes of each kind: poison, silly, two healthy ones", "ours")
    regrowth: Float[Array, ""] = setting(0.1, "chance that an empty bush bears again", "ours", "per step", 0, 1)
    berry: Float[Array, ""] = setting(1.0, "reward of a berry", "ours", "reward")
    dulled: Float[Array, ""] = setting(
        0.25, "what a berry is worth under the poison, as a share", "ours, after Koster et al. 2022", "", 0
    )
    delay: Int[Array, ""] = setting(30, "steps from the poisonous berry until the poison acts", "ours", "steps", 0)
    lasts: Int[Array, ""] = setting(80, "steps for which it acts after the last poisonous berry", "ours", "steps", 0)

    def __check_init__(self) -> None:
        if not 1 <= len(self.bushes) <= len(KINDS) or min(self.bushes) < 0 or not sum(self.bushes):
            raise Refusal(f"berries.bushes is {self.bushes}; one to four counts, such as 2,1,14,13, would be right.")
        room = len(self.land.sites)
        if sum(self.bushes) > room or self.agents > room:
            raise Refusal(
                f"berries: {self.land.name} has {room} cells for {sum(self.bushes)} bushes and {self.agents} agents; "
                "ask for fewer, or draw a larger map."
            )

    @property
    def land(self) -> grid.Land:
        return land("berries", self.map, MAPS, " ", " WHP")

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("harvest", "kind", "poison", "silly", "sick", "shot", "zap")

    @property
    def measures(self) -> tuple[Measure, ...]:
        sick = "agent-time under the poison"
        return (Measure("poisoned", "share", sick, lambda e: e.share("sick"), ("sick",), ("sick",)),)

    def reset(self, key: PRNGKeyArray) -> State:
        n, land = self.agents, self.land
        draw = grid.draw(key, start=2 * n, facing=n, place=len(land.sites))
        bush = np.repeat(np.arange(len(self.bushes)), self.bushes)
        bush = np.pad(bush, (0, len(land.sites) - len(bush)), constant_values=len(self.bushes)).astype(np.int32)
        bush = jnp.asarray(bush)[jnp.argsort(draw["place"])]
        body = grid.Body(grid.scatter(draw["start"], land.sites), grid.pick(draw["facing"], 4), jnp.zeros(n, jnp.int32))
        none = jnp.zeros(n, jnp.int32)
        return State(body, none, bush, bush < len(self.bushes), none, none, jnp.zeros((), jnp.int32))

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        n, land = self.agents, self.land
        draw = grid.draw(key, order=n, spawn=n, grow=len(land.sites))
        move = self.chosen(state, action)

        fires = (move == ZAP) & (state.cooling == 0)
        zap = self.aim(state) & fires[:, None]
        body = self.march(state.body, move, draw["order"])

        site = grid.site(land, body)
        ate, kind = grid.under(state.live, site), grid.under(state.bush, site)
        sick = (state.ends > 0) & (state.onset == 0)
        reward = jnp.where(ate, self.berry * jnp.where(sick, self.dulled, 1.0), 0.0)

        poisoned = ate & (kind == 0)
        onset = jnp.where(poisoned & (state.ends == 0), self.delay, jnp.maximum(state.onset - 1, 0))
        ends = jnp.where(poisoned, self.delay + self.lasts, jnp.maximum(state.ends - 1, 0))
        trodden = grid.trodden(site, len(land.sites))  # what somebody stands on bears nothing
        bears = state.live | ((grid.chance(draw["grow"]) < self.regrowth) & (state.bush < len(self.bushes)))

        body = grid.respawn(body, draw["spawn"], land.sites)
        time = state.time + 1
        events = {
            "harvest": ate, "kind": kind, "poison": poisoned, "silly": ate & (kind == 1), "sick": sick,
            "shot": fires, "zap": zap,
        }  # fmt: skip
        events = {name: value.astype(jnp.int32 if name == "kind" else jnp.float32) for name, value in events.items()}
        state = State(body, self.cooled(state.cooling, fires), state.bush, bears & ~trodden, onset, ends, time)
        return state, Outcome(reward, jnp.zeros(n), events, time >= self.horizon)

    def aim(self, state: State) -> Bool[Array, "n n"]:
        return grid.block(self.land, state.body, *self.beam) & (state.cooling == 0)[:, None]

    def scene(self, state: State) -> grid.Scene:
        berries = {f"berry.{kind}": state.live & (state.bush == k) for k, kind in enumerate(self.kinds)}
        return super().scene(state).add(sites=berries, goods=grid.Goods(state.live, state.bush))

    @property
    def kinds(self) -> tuple[str, ...]:
        return KINDS[: len(self.bushes)]

    def stock(self, state: State) -> Float[Array, " kinds"]:
        there = state.live[:, None] & (state.bush[:, None] == np.arange(len(self.bushes)))
        return there.sum(0, dtype=jnp.float32)

    def capacity(self) -> Float[Array, " kinds"]:
        return jnp.array(self.bushes, jnp.float32)
