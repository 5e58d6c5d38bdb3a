"""Externality mushrooms (Melting Pot `externality_mushrooms__dense`)."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, UInt32

from nomoi import grid
from nomoi.core import Event, Outcome, setting, size, vocabulary
from nomoi.errors import Refusal
from nomoi.situations.walkers import STAY, ZAP, Walkers, drawn, land

_MP = "Melting Pot (Leibo et al. 2021), externality_mushrooms__dense"
_CODE = f"{_MP} (the code, where its docstring differs)"
KINDS = ("red", "green", "blue", "orange")
RED, GREEN, BLUE, ORANGE = range(4)
NONE = len(KINDS)

# What the spores of each kind (row) may become: red among all but the orange ones, orange only after orange.
_BECOME = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 0, 1]], bool)

# Letters: W wall, space floor, H altar, and what stands there at first: R red, G green, B blue, O orange.  A mushroom
# may grow on all cells but those of the altar.  The maps are ours; the paper one has Melting Pot's size and counts,
# and the small one is fuller, lest a few careless bites and shots end an episode of 300 steps.
SMALL = """
WWWWWWWWWWWWW
W           W
W R G B R G W
W  B  O  R  W
W G  HHH  B W
W  R  O  G  W
W B R G B   W
W           W
WWWWWWWWWWWWW
"""

PAPER = """
WWWWWWWWWWWWWWWWWWWWWWW
W                     W
W                     W
W   R      G      B   W
W                     W
W      B       R      W
W                     W
W         HHH         W
W          O          W
W   G             G   W
W                     W
W      R       B      W
W                     W
WWWWWWWWWWWWWWWWWWWWWWW
"""

MAPS = {"small": SMALL, "paper": PAPER}

PRESETS = {
    "small": {},
    "paper": {"map": "paper", "horizon": 1000, "extent": (9, 1, 5), "headings": True, "compass": False},
}

_SANCTION = "sanction(by=taboo,cost=0.6,reward=3,exile=0)"


class State(eqx.Module):
    """body; cooling [n]; frozen [n] steps for which one cannot move; hurt [n] steps for which a further hit removes;
    bears [S] the kind of mushroom on each site, 4 where there is none; age [S] its steps so far; time []."""

    body: grid.Body
    cooling: Int[Array, " n"]
    frozen: Int[Array, " n"]
    hurt: Int[Array, " n"]
    bears: Int[Array, " S"]
    age: Int[Array, " S"]
    time: Int[Array, ""]


class Mushrooms(Walkers):
    """Mushrooms whose worth falls on others: red feeds whoever eats it, green all alike, blue all others, orange harms.

    Dilemma: red is worth 1 to the eater and nothing to anybody else; blue is worth 3, and nothing to the eater, who
    also digests it for long.  What is eaten spreads: the spores of blue grow into every good kind, those of red only
    into red, so the group gets what it eats.  Orange costs everybody, kills a quarter of the red and comes again.

    What can be governed: `externality`, what an act gave to all others, by a levy of rate -1 (Pigou 1920); and the
    kinds by their colours, by taboos and altars.

    observation  view [n, rows, columns] bits: wall, four kinds of mushroom, agent, frozen, hurt (and four headings
                 where `headings`); ready [n, 1] 1 when the beam can fire; still [n, 2] frozen and hurt, of their
                 longest; compass [n, 6] heading and place, where `compass`
    actions      move: stay, ahead, back, left, right (steps relative to the heading), turn left, turn right, zap.
                 A beam destroys the mushrooms on its way.  Whoever it hits can neither move nor fire for `stun`
                 steps; hit again within `recovery` steps, one is out of play.  Whoever digests can only fire
    reward       `worth`, on entering: red to the eater, green and orange to all in equal parts, blue to the others
                 in equal parts; the parts of those out of play are lost
    events       harvest, kind, externality, shot, zap.  Several hits of one step are one
    end          at `horizon`
    state        see State.  Stock: mushrooms by kind

    >>> from nomoi.situations.mushrooms import Mushrooms
    >>> Mushrooms().kinds
    ('red', 'green', 'blue', 'orange')
    """

    presets: ClassVar = PRESETS
    regimes: ClassVar = {
        "nothing": "",
        "pigou": "levy(on=externality,rate=-1)",
        "contract": "taboo(kinds=red)+contract(on=taboo.violation,high=2)",
        "taboo": f"taboo(kinds=red)+{_SANCTION}",
    }

    map: str = size("small", "small, paper, or the path of a text file with a drawing", converter=drawn)
    horizon: int = size(300, "longest episode", "ours", "steps", low=1)
    extent: tuple[int, ...] = size((7, 1, 4), "how far agents see: cells ahead, back, and to each side", "ours", low=0)
    cooldown: Int[Array, ""] = setting(3, "full steps between two shots", _MP, "steps", 0)
    worth: Float[Array, " 4"] = setting(
        (1.0, 2.0, 3.0, -1.0),
        "what one is worth, before it is shared: red, green, blue, orange",
        _MP,
        "reward",
    )
    spores: tuple[int, ...] = size((3, 3, 3, 1), "spores that each kind releases when eaten", _MP, low=0)
    sprouts: Float[Array, " 4"] = setting(
        (0.25, 0.4, 0.6, 1.0), "chance that a spore becomes one of each kind, where it can", _MP, "", 0, 1
    )
    digestion: Int[Array, " 4"] = setting(
        (0, 10, 15, 15), "steps for which the eater of each kind cannot move", _CODE, "steps", 0
    )
    spoilage: Int[Array, " 4"] = setting(
        (200, 100, 75, 0), "steps after which each kind spoils; 0 is never", _CODE, "steps", 0
    )
    blight: Float[Array, ""] = setting(0.25, "chance of each red one to die when an orange one is eaten", _MP, "", 0, 1)
    stun: Int[Array, ""] = setting(25, "steps for which a hit freezes", _MP, "steps", 0)
    recovery: Int[Array, ""] = setting(50, "steps after a hit within which another removes", _CODE, "steps", 0)
    exile: Int[Array, ""] = setting(50, "steps out of play after the second hit; 0 is none", _MP, "steps", 0)

    def __check_init__(self) -> None:
        if len(self.spores) != len(KINDS) or min(self.spores) < 0 or not sum(self.spores):
            raise Refusal(f"mushrooms.spores is {self.spores}; four counts, such as 3,3,3,1, would be right.")
        if len(self.land.find(" ")) < self.agents:
            raise Refusal(
                f"mushrooms: {self.land.name} has {len(self.land.find(' '))} free cells for {self.agents} agents; "
                "draw more, or ask for fewer agents."
            )

    @property
    def land(self) -> grid.Land:
        return land("mushrooms", self.map, MAPS, " RGBO", " WHRGBO")

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("harvest", "kind", "externality", "shot", "zap")

    def reset(self, key: PRNGKeyArray) -> State:
        n, land = self.agents, self.land
        draw = grid.draw(key, start=2 * n, facing=n)
        none = jnp.zeros(n, jnp.int32)
        body = grid.Body(grid.scatter(draw["start"], land.find(" ")), grid.pick(draw["facing"], 4), none)
        bears = jnp.array([NONE if letter == " " else "RGBO".index(letter) for letter in land.letter], jnp.int32)
        return State(body, none, none, none, bears, jnp.zeros_like(bears), jnp.zeros((), jnp.int32))

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        n, land, total = self.agents, self.land, len(self.land.sites)
        seeds = n * max(self.spores) * len(KINDS)
        draw = grid.draw(key, order=n, spawn=n, sprout=seeds, place=seeds, blight=total)
        move = self.chosen(state, action)
        body = self.march(state.body, move, draw["order"])

        site = grid.site(land, body)
        trodden = grid.trodden(site, total)
        live = state.bears < NONE
        ate = grid.under(live, site)
        kind = jnp.where(ate, grid.under(state.bears, site), 0)
        gift = self.share(ate, kind, body.here)

        fires = (move == ZAP) & (state.cooling == 0)
        zap = grid.reach(land, body, *self.beam) & fires[:, None]
        razed = (grid.sweep(land, body, trodden, *self.beam) & fires[:, None]).any(0)

        left = live & ~trodden & ~razed & ~self.blighted(ate & (kind == ORANGE), state.bears, draw["blight"])
        left = left & ~self.spoilt(state.bears, state.age + 1)
        new = self.sprout(~live, ate, kind, draw["sprout"], draw["place"])
        new = jnp.where(trodden, NONE, new)  # what falls where somebody stands is lost
        bears = jnp.where(left, state.bears, new)

        events = {"harvest": ate, "externality": gift.sum(1) - jnp.diagonal(gift), "shot": fires, "zap": zap}
        events = {name: value.astype(jnp.float32) for name, value in events.items()} | {"kind": kind}
        time = state.time + 1
        fed = jnp.where(ate, self.digestion[kind], jnp.maximum(state.frozen - 1, 0))
        hurt = jnp.maximum(state.hurt - 1, 0)
        body = grid.respawn(body, draw["spawn"], land.sites)
        later = State(
            body, self.cooled(state.cooling, fires), fed, hurt, bears, jnp.where(left, state.age + 1, 0), time
        )
        later = self.strike(later, zap.any(0), state.hurt > 0)
        return later, Outcome(gift.sum(0), jnp.zeros(n), events, time >= self.horizon)

    def chosen(self, state: State, action: dict[str, Array]) -> Int[Array, " n"]:
        """Who is frozen neither walks nor turns."""
        move = super().chosen(state, action)
        return jnp.where((state.frozen > 0) & (move != ZAP), STAY, move)

    def share(self, ate: Bool[Array, " n"], kind: Int[Array, " n"], here: Bool[Array, " n"]) -> Float[Array, "n n"]:
        """[i, j] what the mushroom that i ate gives to j."""
        n = self.agents
        own, others = np.array([1, 1 / n, 0, 1 / n]), np.array([0, 1 / n, 1 / max(n - 1, 1), 1 / n])
        own, others = (jnp.where(ate, (self.worth * part.astype(np.float32))[kind], 0.0) for part in (own, others))
        return jnp.where(here, jnp.where(np.eye(n, dtype=bool), own[:, None], others[:, None]), 0.0)

    def sprout(
        self,
        free: Bool[Array, " S"],
        ate: Bool[Array, " n"],
        kind: Int[Array, " n"],
        bits: UInt32[Array, " seeds"],
        place: UInt32[Array, " seeds"],
    ) -> Int[Array, " S"]:
        """The kind that sprouts on each site, if any; each spore falls on one of the `free` ones.

        Of two on one site the later kind grows.
        """
        most = max(self.spores)
        released = np.arange(most) < np.array(self.spores)[:, None]  # [4, most]
        may = jnp.asarray(released[:, :, None] & _BECOME[:, None, :])[kind] & ate[:, None, None]
        grows = may & (grid.chance(bits).reshape(may.shape) < self.sprouts)
        site = jnp.where(grows, grid.among(place, free).reshape(may.shape), len(free)).ravel()
        grown = jnp.broadcast_to(np.arange(len(KINDS), dtype=np.int32), may.shape).ravel()
        none = jnp.full(len(free), -1, jnp.int32)
        kind = none.at[site].max(grown, mode="drop")
        return jnp.where(kind < 0, NONE, kind)

    def blighted(
        self, oranges: Bool[Array, " n"], bears: Int[Array, " S"], bits: UInt32[Array, " S"]
    ) -> Bool[Array, " S"]:
        """Red ones that die, each by itself, for every orange one that was eaten."""
        spared = (1 - self.blight) ** oranges.sum(dtype=jnp.float32)
        return (bears == RED) & (grid.chance(bits) >= spared)

    def spoilt(self, bears: Int[Array, " S"], age: Int[Array, " S"]) -> Bool[Array, " S"]:
        """What has stood for too long."""
        lasts = grid.under(self.spoilage, bears)
        return (lasts > 0) & (age >= lasts)

    def strike(self, state: State, hit: Bool[Array, " n"], hurt: Bool[Array, " n"]) -> State:
        """A first hit freezes, and keeps the beam from firing; one on somebody `hurt` removes."""
        first = hit & ~hurt
        counts = (
            jnp.where(first, jnp.maximum(state.cooling, self.stun), state.cooling),
            jnp.where(first, jnp.maximum(state.frozen, self.stun), state.frozen),
            jnp.where(first, self.recovery, jnp.where(hit, 0, state.hurt)),
        )
        state = eqx.tree_at(lambda s: (s.cooling, s.frozen, s.hurt), state, counts)
        return self.remove(state, hit & hurt, self.exile)

    def remove(self, state: State, who: Bool[Array, " n"], steps: Int[Array, ""]) -> State:
        """Whoever is taken out of play comes back unharmed."""
        gone = who & (steps > 0)
        rest = jnp.where(gone, 0, state.frozen), jnp.where(gone, 0, state.hurt)
        return super().remove(eqx.tree_at(lambda s: (s.frozen, s.hurt), state, rest), who, steps)

    def senses(self, state: State) -> dict[str, Array]:
        told = super().senses(state)
        longest = jnp.maximum(jnp.stack([jnp.maximum(self.digestion.max(), self.stun), self.recovery]), 1)
        still = jnp.stack([state.frozen, state.hurt], -1) / longest
        return told | {"ready": jnp.maximum(told["ready"], 0.0), "still": still}

    def scene(self, state: State) -> grid.Scene:
        live = state.bears < NONE
        sites = {f"mushroom.{kind}": state.bears == k for k, kind in enumerate(KINDS)}
        bodies = {"frozen": state.frozen > 0, "hurt": state.hurt > 0}
        return super().scene(state).add(sites=sites, bodies=bodies, goods=grid.Goods(live, state.bears))

    @property
    def kinds(self) -> tuple[str, ...]:
        return KINDS

    def stock(self, state: State) -> Float[Array, " kinds"]:
        return (state.bears[:, None] == np.arange(len(KINDS))).sum(0, dtype=jnp.float32)

    def capacity(self) -> Float[Array, " kinds"]:
        return jnp.full(len(KINDS), len(self.land.sites), jnp.float32)
