"""Fine: whoever was caught pays, and the more the oftener (graduated sanctions, Ostrom 1990, her fifth principle)."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, choice, setting, size, unit_of
from nomoi.core.situation import Action, Observation, State
from nomoi.grid import Scene
from nomoi.institutions.levy import charge


class Fine(Institution):
    """Each unit of `on` costs who did it `rate` for a first offence, and `growth` times that more for each earlier one.

    A levy is a price, the same for all; a fine knows who has offended before.  An offence is a step in which one did
    any of `on`, and the record is kept for the episode.  Without `growth` no record is kept, and the fine is a levy on
    what a monitor saw: then expected payoffs depend on share x rate alone, however seldom it looks (Becker 1968).

    needs     the event `on`, [n] or [n, n] (then the row's agent pays); an institution's too: monitor.caught
    emits     fine.paid [n], in units of reward
    senses    fine.record [n, 1] the own offences so far / 10; 0 where there is no growth
    memory    record [n], offences so far

    >>> from nomoi import govern
    >>> from nomoi.institutions.fine import Fine
    >>> from nomoi.situations.matrix import Matrix
    >>> sorted(govern(Matrix(), Fine(on="defect")).emits)
    ['defect', 'fine.paid']
    """

    on: str = size("monitor.caught", "the event that is fined", "ours, what a monitor saw")
    rate: Float[Array, ""] = setting(2.0, "fine per unit for a first offence", "ours, the levy's", "reward/unit", 0)
    growth: Float[Array, ""] = setting(0.0, "what each earlier offence adds, as a share of that", "ours (flat)", "", 0)
    proceeds: Int[Array, ""] = choice("burnt", ("burnt", "shared"), "what becomes of what is paid")

    @property
    def sentence(self) -> str:
        more = f", and {float(self.growth):.0%} of that more for each earlier offence" if float(self.growth) else ""
        fate = ("burnt", "shared equally among all")[int(self.proceeds)]
        return f"Each {unit_of(self.on)} is fined by {float(self.rate):g}{more}; what is paid is {fate}."

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.on,)

    @property
    def emits(self) -> dict[str, Event]:
        return {"paid": Event("paid", "[n]", "reward", "paid in fines", True)}

    def chance(self, situation: Situation) -> str:
        return ""

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Int[Array, " n"]:
        return jnp.zeros(situation.agents, jnp.int32)

    def inform(
        self, memory: Array, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        return {"record": memory[:, None] / 10}

    def settle(
        self, key: PRNGKeyArray, memory: Array, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Array, State, Outcome]:  # fmt: skip
        units = outcome.units(self.on)
        due = self.rate * (1 + self.growth * memory.astype(jnp.float32)) * units
        # where it changes nothing the record stays empty, so that states that differ in nothing are one
        record = memory + ((units > 0) & (self.growth > 0)).astype(jnp.int32)
        return record, state, charge(outcome, due, self.proceeds, self)[0]
