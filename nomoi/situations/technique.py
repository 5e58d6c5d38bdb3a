"""Technique: an old way and a new one that pays whoever uses it and harms all; spears or dynamite."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Event, Measure, Outcome, Situation, setting, size, vocabulary

OURS = "ours"


class State(eqx.Module):
    """stock [] of the reef, 0 to 1; users [n] 1 where one used the new technique last; time []."""

    stock: Float[Array, ""]
    users: Float[Array, " n"]
    time: Int[Array, ""]


class Technique(Situation):
    """Each fishes with a spear or with dynamite, on one reef; who uses dynamite meets the disapproval of who does not.

    Dilemma: dynamite brings `gain` more and costs `cost`, and each use kills `harm` of what the reef can hold.  What
    keeps people from it is that others frown: `disapproval` times the share of the others who use spears.  So both are
    conventions while the cost lies between gain - disapproval and gain: a technique that gets cheaper tips all at once,
    and its cost must rise above the gain before anybody goes back.

    observation  share [n, 1] of all who used dynamite last;  stock [n, 1] of the reef;  mine [n, 1] what one used
    actions      dynamite: 0 a spear, 1 dynamite
    reward       `catch` x stock with a spear;  with dynamite catch x stock + gain - cost - disapproval x share of the
                 others who used spears
    events       defect (1 with dynamite), harvest (of the reef, what one's own use killed or took)
    end          at `horizon`
    state        see State.  Stock: one kind, the reef

    >>> from nomoi.situations.technique import Technique
    >>> Technique(agents=3).actions
    {'dynamite': 2}
    """

    regimes: ClassVar = {
        "nothing": "",
        "fine": "fine(on=defect,rate=0.5)",
        "levy": "levy(on=defect,rate=0.5,proceeds=shared)",
        "peers": "peers(on=defect,fine=0.2)",
    }
    who: ClassVar[str] = "villagers"

    agents: int = size(10, "how many fish", OURS, low=2)
    horizon: int = size(50, "longest episode", OURS, "seasons", low=1)
    gain: Float[Array, ""] = setting(1.0, "what dynamite brings more", OURS, "reward", 0)
    cost: Float[Array, ""] = setting(0.6, "what it costs", OURS, "reward", 0)
    disapproval: Float[Array, ""] = setting(0.6, "what it is to be disapproved of by all others", OURS, "reward", 0)
    catch: Float[Array, ""] = setting(1.0, "what a spear brings where the reef is full", OURS, "reward", 0)
    growth: Float[Array, ""] = setting(0.5, "intrinsic growth rate of the reef", OURS, "per season", 0, 3)
    harm: Float[Array, ""] = setting(0.3, "of the reef, killed in a season in which all use dynamite", OURS, "", 0, 1)
    take: Float[Array, ""] = setting(0.05, "of the reef, taken in a season by all spears", OURS, "", 0, 1)
    start: Float[Array, ""] = setting(0.9, "first stock of the reef, of what it can hold", OURS, "", 0, 1)

    @property
    def actions(self) -> dict[str, int]:
        return {"dynamite": 2}

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"dynamite": ("no", "yes")}

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("defect", "harvest")

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (
            Measure("dynamite", "share", "of agent-time, with dynamite", lambda e: e.share("defect"), ("defect",)),
        )  # fmt: skip

    @property
    def lots(self) -> int:
        return 1

    def reset(self, key: PRNGKeyArray) -> State:
        stock = jnp.asarray(self.start, jnp.float32)
        return State(stock, jnp.zeros(self.agents), jnp.zeros((), jnp.int32))

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        uses = (action["dynamite"] == 1).astype(jnp.float32)
        spears = (self.agents - 1 - (uses.sum() - uses)) / (self.agents - 1)  # [n] share of the others
        reward = self.catch * state.stock + uses * (self.gain - self.cost - self.disapproval * spears)
        each = (self.harm * uses + self.take * (1 - uses)) / self.agents  # of what is there
        left = state.stock * jnp.maximum(1 - each.sum(), 0.0)
        stock = jnp.clip(left + self.growth * left * (1 - left), 0.0, 1.0)
        time = state.time + 1
        events = {"defect": uses, "harvest": each * state.stock}
        return State(stock, uses, time), Outcome(reward, jnp.zeros(self.agents), events, time >= self.horizon)

    def senses(self, state: State) -> dict[str, Array]:
        tell = lambda x: jnp.broadcast_to(x, (self.agents, 1))  # noqa: E731
        return {"share": tell(state.users.mean()), "stock": tell(state.stock), "mine": state.users[:, None]}

    @property
    def kinds(self) -> tuple[str, ...]:
        return ("reef",)

    def stock(self, state: State) -> Float[Array, " 1"]:
        return state.stock[None]

    def capacity(self) -> Float[Array, " 1"]:
        return jnp.ones(1)
