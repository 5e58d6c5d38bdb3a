"""Fine: whoever was caught pays, and the more the oftener (graduated sanctions, Ostrom 1990, her fifth principle)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, choice, setting, size, unit_of
from nomoi.core.saying import number
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal
from nomoi.grid import Scene
from nomoi.institutions.levy import charge
from nomoi.institutions.units import ACCUSED, column, evenly, events, heard

BURNT, SHARED, MEMBERS = range(3)


class Fine(Institution):
    """Each unit of `on` costs who did it `rate` for a first offence, and more for each earlier one.

    A levy is a price, the same for all; a fine knows who has offended before.  An offence is a step in which one did
    any of `on`.  Each earlier one adds `growth` of the rate; on a *ladder* it doubles the fine instead, up to `cap`
    times the rate, and a step without an offence takes `decay` off the record.  With neither no record is kept, and the
    fine is a levy on what was seen: then expected payoffs depend on share x rate alone, however seldom somebody looks
    (Becker 1968).  Where no event is named it goes by what the court before it convicts of; and where there is none,
    by what wardens or a monitor accuse of.

    needs     somebody before it who accuses; or the event `on`, [n] or [n, n] (then the row's agent pays), of an
              institution too: quota.excess
    emits     fine.paid [n], in units of reward
    senses    fine.record [n, 1] the own offences so far / 10, 0 where no record is kept;  fine.price [n, 1] what a unit
              costs one now
    memory    record [n], offences so far

    >>> from nomoi import govern
    >>> from nomoi.institutions.fine import Fine
    >>> from nomoi.situations.matrix import Matrix
    >>> sorted(govern(Matrix(), Fine(on="defect")).emits)
    ['defect', 'fine.paid']
    """

    on: str = size("", "the event that is fined; convictions, or else accusations, where none is named", "ours")
    rate: Float[Array, ""] = setting(2.0, "fine per unit for a first offence", "ours, the levy's", "reward/unit", 0)
    growth: Float[Array, ""] = setting(0.0, "what each earlier offence adds, as a share of that", "ours (flat)", "", 0)
    ladder: Bool[Array, ""] = setting(False, "whether each earlier offence doubles it instead", "ours")
    cap: Float[Array, ""] = setting(8.0, "largest fine on the ladder, of the rate", "ours", "", 1)
    decay: Float[Array, ""] = setting(0.1, "what a step without offence takes off the record there", "ours", "", 0)
    proceeds: Int[Array, ""] = choice(
        "burnt", ("burnt", "shared", "members"),
        "what becomes of it: burnt, shared by all, or by the unit of who paid, where that is no stranger",
    )  # fmt: skip

    @property
    def sentence(self) -> str:
        more = f", and {float(self.growth):.0%} of that more for each earlier offence" if float(self.growth) else ""
        more = f", and twice as much for each earlier offence, up to {float(self.cap):g} times" if self.ladder else more
        fate = ("burnt", "shared equally among all", "shared among the unit")[int(self.proceeds)]
        what = unit_of(self.on) if self.on else "unit that one is found guilty of"
        return f"Each {what} is fined by {float(self.rate):g}{more}; what is paid is {fate}."

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.on,) if self.on else ()

    @property
    def hears(self) -> tuple[str, ...]:
        return () if self.on else ("convicted", *ACCUSED)

    def fits(self, situation: Situation) -> None:
        if not self.on and not events(situation.emits, *ACCUSED):
            raise Refusal(
                f"{self.name} has nobody to go by: nothing that governs {situation.name} before it accuses anybody; "
                f"wardens or a monitor do, or name an event as {self.name}.on, such as quota.excess."
            )

    @property
    def emits(self) -> dict[str, Event]:
        return {"paid": Event("paid", "[n]", "reward", "paid in fines", True)}

    def chance(self, situation: Situation) -> str:
        return ""

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Float[Array, " n"]:
        return jnp.zeros(situation.agents)

    def price(self, record: Float[Array, " n"]) -> Float[Array, " n"]:
        """What a unit costs each now."""
        return self.rate * jnp.where(self.ladder, jnp.minimum(2**record, self.cap), 1 + self.growth * record)

    def inform(
        self, memory: Array, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        return {"record": memory[:, None] / 10, "price": column(self.price(memory))}

    def words(self, situation: Situation, seen: Mapping[str, Any]) -> str:
        return f"A {unit_of(self.on) if self.on else 'unit'} costs you {number(seen['price'][0])} in fines now."

    def guilty(self, outcome: Outcome) -> Float[Array, " n"]:
        """The units that each is fined for."""
        if self.on:
            return outcome.units(self.on)
        return jnp.where(heard(outcome, "sat") > 0, heard(outcome, "convicted"), heard(outcome, *ACCUSED))

    def settle(
        self, key: PRNGKeyArray, memory: Array, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Array, State, Outcome]:  # fmt: skip
        units = self.guilty(outcome)
        due = self.price(memory) * units
        # where it changes nothing the record stays empty, so that states that differ in nothing are one
        kept = self.ladder | (self.growth > 0)
        rested = jnp.where(self.ladder, jnp.maximum(memory - self.decay, 0.0), memory)
        record = jnp.where(kept & (units > 0), memory + 1, rested)
        outcome = charge(outcome, due, self.proceeds, self)[0]
        return record, state, outcome.pay(jnp.where(self.proceeds == MEMBERS, evenly(situation, due), 0.0))
