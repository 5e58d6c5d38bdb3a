"""Shares: what one may take follows from what one gave (Ostrom 1990, the other half of her second principle)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, setting, size
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal
from nomoi.grid import Scene
from nomoi.institutions.units import column, heads, members, within


class Shares(Institution):
    """Whoever did more of `of` lately has a larger part of what the own unit may take.

    The part of each is proportional to base + record; a record moves by `memory` of the way to what was done in a step.
    It says only what the parts are: a quota after it deals out by them, and without it equally.

    needs     the event `of`, [n]
    emits     shares.part [n] one's part, of an equal one; 0 for strangers
    senses    shares.part [n, 1] the same;  shares.record [n, 1]
    memory    record [n]

    >>> from nomoi import govern
    >>> from nomoi.institutions.shares import Shares
    >>> from nomoi.situations.commons import Commons
    >>> "shares.part" in govern(Commons(), Shares()).emits
    True
    """

    of: str = size("worked", "the event that earns a part", "ours")
    base: Float[Array, ""] = setting(0.1, "what everybody has beside the record", "ours", "", 0)
    memory: Float[Array, ""] = setting(0.2, "weight of this step in the record", "ours", "", 0, 1)
    start: Float[Array, ""] = setting(0.5, "first record of everybody", "ours", "", 0)

    def __check_init__(self) -> None:
        super().__check_init__()
        if not isinstance(self.base, jax.core.Tracer) and (np.asarray(self.base) <= 0).any():
            raise Refusal(
                f"{self.name}.base is {float(np.min(self.base)):g}, and then the parts of people who did nothing sum "
                "to 0; something above 0 would be right."
            )

    @property
    def sentence(self) -> str:
        return f"Who did more of {self.of} lately has a larger part of what may be taken."

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.of,)

    @property
    def emits(self) -> dict[str, Event]:
        return {"part": Event("part", "[n]", "shares", "one's part of what may be taken, of an equal one")}

    def chance(self, situation: Situation) -> str:
        return ""

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Float[Array, " n"]:
        return self.start * jnp.asarray(members(situation))

    def parts(self, record: Float[Array, " n"], situation: Situation) -> Float[Array, " n"]:
        """The part of each, of an equal one."""
        deserved = (self.base + record) * members(situation)
        return deserved * heads(situation) / jnp.maximum(within(situation, deserved), 1e-9)

    def inform(
        self, memory: Array, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        return {"part": column(self.parts(memory, situation)), "record": column(memory)}

    def settle(
        self, key: PRNGKeyArray, memory: Array, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Array, State, Outcome]:  # fmt: skip
        record = memory + self.memory * (outcome.units(self.of) * members(situation) - memory)
        return record, state, outcome.note(self, part=self.parts(record, situation))
