"""Irrigation: a canal that farmers keep up together, and that the upper ones reach first (Janssen, Anderies et al.)."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Event, Measure, Outcome, Situation, setting, size, vocabulary
from nomoi.core.measure import Episode, ratio
from nomoi.errors import Refusal, nearest

LAB = "Irrigation software (Janssen et al.)"
OURS = "ours"
SECONDS = 50  # of a round
# Cubic feet from which on a crop earns so many tokens: too little water is worth nothing, and too much drowns it.
WATER = np.array([150, 200, 250, 300, 350, 400, 500, 550, 650, 700, 750, 800, 850, 900], np.float32)
TOKENS = np.array([1, 4, 10, 15, 18, 19, 20, 19, 18, 15, 10, 4, 1, 0], np.float32)
KEPT = np.array([45, 51, 55, 58, 61, 65, 70, 80], np.float32)  # above each of these the canal carries 5 more
# What changes in the last ten rounds of a treatment: what the canal loses, or the water that there is, round by round.
SHOCKS = {
    "none": (),
    "wear": (20, 30, 25, 20, 35, 20, 15, 30, 30, 25),
    "wide wear": (25, 10, 10, 80, 10, 5, 10, 80, 10, 10),
    "supply": (27, 31, 26, 35, 33, 28, 29, 25, 34, 32),
    "wide supply": (27, 31, 22, 36, 25, 32, 38, 21, 29, 39),
}


def delivered(kept: Float[Array, "..."]) -> Float[Array, "..."]:
    """Cubic feet a second that a canal can carry which is kept up so well (0 to 100)."""
    return 5 * (jnp.asarray(kept)[..., None] > KEPT).sum(-1, dtype=jnp.float32)


def crop(water: Float[Array, "..."]) -> Float[Array, "..."]:
    """Tokens that a field earns with so much water, in cubic feet."""
    dust = 1e-3  # what is within rounding of a bin's edge has reached it
    return jnp.where(jnp.asarray(water)[..., None] + dust >= WATER, np.diff(TOKENS, prepend=np.float32(0)), 0.0).sum(-1)


def shared_out(flow: Float[Array, ""], wish: Float[Array, " n"], gate: Float[Array, ""]) -> Float[Array, " n"]:
    """Cubic feet that each gets in a round, in order down the canal, who shuts the gate after `wish` cubic feet.

    In each second an open gate takes up to `gate` of what those above have left of the `flow`.
    """

    def second(got: Array, _: None) -> tuple[Array, None]:
        left, taken = flow, []
        for open in jnp.minimum(gate, wish - got):
            taken.append(jnp.minimum(left, open))
            left = left - taken[-1]
        return got + jnp.stack(taken), None

    return jax.lax.scan(second, jnp.zeros_like(wish), None, SECONDS)[0]


class State(eqx.Module):
    """canal [] how well it is kept up, 0 to 100; water, given [n] what each got and gave last; time [] rounds."""

    canal: Float[Array, ""]
    water: Float[Array, " n"]
    given: Float[Array, " n"]
    time: Int[Array, ""]


class Irrigation(Situation):
    """Farmers along a canal water their fields from it, the head first, and give tokens to keep it up.

    Two dilemmas in one place.  *Appropriation*: who is at the head takes before who is at the tail.  *Provision*: the
    canal wears, and what is given to it serves all, in the order in which they take.  So a canal that waters the upper
    fields alone is kept up by the upper farmers alone.  A step is the water of a round, and the tokens for the next:
    the canal carries 0 to 40 cubic feet a second by how well it is kept up, if there is a `supply` of so much; then it
    loses `wear`, and gains a point for each token.  (In the laboratory the first round has tokens too, which a canal at
    its start does not need.)  A unit of water is what one cubic foot a second brings in a round of 50 s.

    observation  place [n, 1] 0 at the head, 1 at the tail;  canal [n, 1] how well it is kept up, 0 to 1;  stream [n, 1]
                 cubic feet a second that it carries now, and perceived [n, 1] that as a share of the most;
                 watered [n, 1] units that one got last;  nearby [n, 2] what the next one above and below got;
                 given [n, 1] what one gave last, and mean [n, 1] what all did, of the endowment;  need [n, 1] an equal
                 part of the supply, in units;  duty [n, 1] tokens that keep the canal as it is if all give them
    actions      draw: 0 .. levels-1, the units of water after which one shuts the gate;  provide: 0 .. endowment,
                 tokens given to the canal
    reward       tokens: what is kept of the endowment, and what the field earns
    events       harvest (units of water), request (units wished for), worked (tokens given, of one's duty), standing
    end          at `horizon`
    state        see State.  Stock: one kind, water: the units that the canal carries in this round

    >>> from nomoi.situations.irrigation import Irrigation
    >>> Irrigation().roles
    ('head', 'place 2', 'place 3', 'place 4', 'tail')
    """

    presets: ClassVar = {
        "steady": {},
        "uneven wear": {"shock": "wear"},
        "very uneven wear": {"shock": "wide wear"},
        "uneven supply": {"shock": "supply"},
        "very uneven supply": {"shock": "wide supply"},
    }
    regimes: ClassVar = {
        "nothing": "",
        "quota": "quota(target=0)+fine(on=quota.excess,rate=7)",
        "rotation": "rotation(together=3,length=1)",
    }
    who: ClassVar[str] = "villagers"

    agents: int = size(5, "how many farm along the canal", LAB, low=2)
    horizon: int = size(20, "how long it lasts", LAB, "rounds", low=1)
    levels: int = size(13, "how many amounts of water can be wished for", OURS, low=2)
    endowment: int = size(10, "tokens that each has in a round", LAB, "tokens", low=1)
    shock: str = size("none", f"what changes in the last ten rounds: {', '.join(SHOCKS)}", LAB)
    start: Float[Array, ""] = setting(75.0, "how well the canal is kept up at first", LAB, "points", 0, 100)
    wear: Float[Array, ""] = setting(25.0, "what the canal loses from one round to the next", LAB, "points", 0, 100)
    supply: Float[Array, ""] = setting(30.0, "the most water that there is", LAB, "cubic feet/s", 1, 40)
    gate: Float[Array, ""] = setting(25.0, "the most that passes a gate", LAB, "cubic feet/s", 0)

    def __check_init__(self) -> None:
        super().__check_init__()
        if self.shock not in SHOCKS:
            raise Refusal(f"irrigation.shock is {self.shock!r}; {nearest(self.shock, SHOCKS, 'shock')}")
        if SHOCKS[self.shock] and self.horizon < (late := len(SHOCKS[self.shock])):
            raise Refusal(
                f"irrigation.shock {self.shock!r} is about the last {late} rounds, and irrigation.horizon is "
                f"{self.horizon}; {late} or more would be right."
            )

    @property
    def roles(self) -> tuple[str, ...]:
        return ("head", *(f"place {i}" for i in range(2, self.agents)), "tail")

    @property
    def actions(self) -> dict[str, int]:
        return {"draw": self.levels, "provide": self.endowment + 1}

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("harvest", "request", "worked", "standing")

    @property
    def measures(self) -> tuple[Measure, ...]:
        half = self.agents // 2

        def inequality(e: Episode) -> Array:
            water = e.events["harvest"]
            return ratio(jnp.abs(water[:, None] - water).sum(), 2 * self.agents * water.sum())

        def tail(e: Episode) -> Array:
            return ratio(e.events["harvest"][-half:].sum(), e.events["harvest"][:half].sum())

        return (
            Measure("inequality", "0..1", "Gini coefficient of the water that each got", inequality, ("harvest",)),
            Measure("tail", "ratio", f"water of the last {half} along the canal, of what the first {half} got", tail,
                    ("harvest",)),
            Measure("provision", "share", "tokens given, of those that keep the canal as it is",
                    lambda e: e.share("worked"), ("worked",), covers=("worked",)),
            Measure("running", "share", "rounds in which the canal carried more than a fifth of what it can",
                    lambda e: e.share("standing"), ("standing",), covers=("standing",)),
        )  # fmt: skip

    @property
    def lots(self) -> int:
        return 1

    @property
    def duty(self) -> Float[Array, ""]:
        """Tokens with which, if all give them, the canal stays as it is."""
        return jnp.clip(jnp.ceil(self.wear / self.agents), 1, self.endowment)

    def reset(self, key: PRNGKeyArray) -> State:
        none = jnp.zeros(self.agents)
        return State(jnp.asarray(self.start, jnp.float32), none, none, jnp.zeros((), jnp.int32))

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        wish, given = action["draw"].astype(jnp.float32), action["provide"].astype(jnp.float32)
        flow = self.stock(state)[0]
        feet = shared_out(flow, SECONDS * wish, self.gate)
        water, time = feet / SECONDS, state.time + 1
        canal = jnp.minimum(jnp.maximum(state.canal - self._wears(time), 0.0) + given.sum(), 100.0)
        after = State(canal, water, given, time)
        events = {
            "harvest": water,
            "request": wish,
            "worked": given / self.duty,
            "standing": jnp.broadcast_to(flow > 0.2 * self.capacity()[0], water.shape).astype(jnp.float32),
        }
        reward = self.endowment - given + crop(feet)
        return after, Outcome(reward, jnp.zeros(self.agents), events, time >= self.horizon)

    def _late(self, usual: Array, time: Int[Array, ""], *shocks: str) -> Float[Array, ""]:
        """What is usual, or in the last rounds of a treatment with one of `shocks` what its table says."""
        table = SHOCKS[self.shock] if self.shock in shocks else ()
        if not table:
            return usual
        late = time - (self.horizon - len(table))
        return jnp.where(late >= 0, jnp.asarray(table, jnp.float32)[jnp.clip(late, 0, len(table) - 1)], usual)

    def _wears(self, time: Int[Array, ""]) -> Float[Array, ""]:
        return self._late(self.wear, time, "wear", "wide wear")

    def _comes(self, time: Int[Array, ""]) -> Float[Array, ""]:
        return self._late(self.supply, time, "supply", "wide supply")

    def senses(self, state: State) -> dict[str, Array]:
        tell = lambda x: jnp.broadcast_to(x, (self.agents,)).astype(jnp.float32)[:, None]  # noqa: E731
        above = jnp.concatenate([jnp.zeros(1), state.water[:-1]])
        below = jnp.concatenate([state.water[1:], jnp.zeros(1)])
        stream = self.stock(state)[0]
        return {
            "place": tell(np.linspace(0, 1, self.agents)),
            "canal": tell(state.canal / 100),
            "stream": tell(stream),
            "perceived": tell(stream / self.capacity()[0]),
            "watered": tell(state.water),
            "nearby": jnp.stack([above, below], 1),
            "given": tell(state.given / self.endowment),
            "mean": tell(state.given.mean() / self.endowment),
            "need": tell(self.supply / self.agents),
            "duty": tell(self.duty),
        }

    @property
    def kinds(self) -> tuple[str, ...]:
        return ("water",)

    def stock(self, state: State) -> Float[Array, " 1"]:
        return jnp.minimum(delivered(state.canal), self._comes(state.time))[None]

    def capacity(self) -> Float[Array, " 1"]:
        most = max(SHOCKS[self.shock]) if "supply" in self.shock else 0
        return jnp.minimum(jnp.maximum(self.supply, float(most)), 40.0)[None]
