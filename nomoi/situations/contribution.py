"""Contribution: a public good that all gain by, whoever pays for it (Samuelson 1954; the linear game)."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Event, Measure, Outcome, Situation, setting, size, vocabulary
from nomoi.core.measure import Episode, ratio
from nomoi.core.saying import amounts
from nomoi.errors import Refusal


class State(eqx.Module):
    """kept [n] share of the endowment that each kept last; time [] rounds so far."""

    kept: Float[Array, " n"]
    time: Int[Array, ""]


class Contribution(Situation):
    """Each member keeps some of an endowment and gives the rest; what is given is multiplied and shared by all.

    Dilemma: a unit given costs its giver 1 - r / n and is worth r > 1 to all together, so each keeps and all are poorer
    for it.  Nobody can be kept from what is given, and nobody's gain takes from another's.

    With `bystanders` the last agents have no stake: they neither give nor gain, and watch.  Institutions may ask them
    to punish, which is what third-party punishment is.

    observation  given [n, 1] share of all endowments that was given in the round before, 1 at first;  kept [n, 1]
                 share of the own one that one kept;  with bystanders stranger [n, 1] whether one is a bystander
    actions      keep: 0 .. levels-1, standing for 0 .. `endowment` in equal steps (a bystander's does nothing)
    reward       a member: what it kept + `multiplier` x all that was given / members;  a bystander: its endowment
    events       given, shirked (units kept), defect (share kept)
    end          at `horizon`
    state        see State

    >>> from nomoi.situations.contribution import Contribution
    >>> Contribution(members=3, bystanders=1).roles
    ('member', 'member', 'member', 'bystander')
    """

    regimes: ClassVar = {
        "nothing": "",
        "peers": "peers",
        "fine": "monitor(on=shirked,share=0.5)+fine(rate=1.3)",
    }

    members: int = size(4, "how many share the good", "ours", low=1)
    bystanders: int = size(0, "how many watch and have no stake", "ours", low=0)
    levels: int = size(11, "how many amounts can be kept", "ours", low=2)
    horizon: int = size(10, "longest episode", "ours", "rounds", low=1)
    endowment: Float[Array, ""] = setting(1.0, "what each could give in a round", "ours", "units", 1e-6)
    multiplier: Float[Array, ""] = setting(1.6, "what a unit given is worth to all together, r", "ours", "", 0)

    def __check_init__(self) -> None:
        super().__check_init__()
        if self.members < 2 and self.bystanders == 0:
            raise Refusal("contribution.members is 1, who shares with nobody; members=2 would be right.")

    @property
    def agents(self) -> int:  # type: ignore[override]
        return self.members + self.bystanders

    @property
    def roles(self) -> tuple[str, ...]:
        return ("member",) * self.members + ("bystander",) * self.bystanders

    @property
    def belongs(self) -> np.ndarray:
        return self._member.astype(np.float32)[:, None]

    @property
    def _member(self) -> np.ndarray:
        """[n] who has a stake."""
        return np.arange(self.agents) < self.members

    @property
    def actions(self) -> dict[str, int]:
        return {"keep": self.levels}

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"keep": amounts(0, self.endowment, self.levels)}

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("given", "shirked", "defect")

    @property
    def measures(self) -> tuple[Measure, ...]:
        def giving(e: Episode) -> Array:
            return ratio(e.sum("given"), e.sum("given") + e.sum("shirked"))

        return (Measure("giving", "share", "of what could have been given, what was", giving, ("given", "shirked")),)

    @property
    def lots(self) -> int:
        return 1

    def reset(self, key: PRNGKeyArray) -> State:
        return State(jnp.zeros(self.agents), jnp.zeros((), jnp.int32))

    def asked(self, state: State) -> dict[str, Array]:
        return {"keep": jnp.asarray(self._member)}

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        share = jnp.where(self._member, action["keep"].astype(jnp.float32) / (self.levels - 1), 0.0)
        kept = self.endowment * share
        given = jnp.where(self._member, self.endowment - kept, 0.0)
        reward = jnp.where(self._member, kept + self.multiplier * given.sum() / self.members, self.endowment)
        after = State(share, state.time + 1)
        events = {"given": given, "shirked": kept, "defect": share}
        return after, Outcome(reward, jnp.zeros(self.agents), events, after.time >= self.horizon)

    def senses(self, state: State) -> dict[str, Array]:
        given = 1 - state.kept.sum() / self.members
        told = {"given": jnp.broadcast_to(given, (self.agents, 1)), "kept": state.kept[:, None]}
        stranger = {"stranger": jnp.asarray(~self._member[:, None], jnp.float32)}
        return told | (stranger if self.bystanders else {})
