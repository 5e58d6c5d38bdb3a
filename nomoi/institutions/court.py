"""Court: who is accused may appeal (cheap arenas for conflicts; Ostrom 1990, her sixth principle)."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from nomoi.core import Event, Institution, Measure, Outcome, Situation, setting, size
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal
from nomoi.grid import Scene
from nomoi.grid.words import uniform
from nomoi.institutions.units import ACCUSED, events, heard


class Docket(eqx.Module):
    """units [n] of what one was accused in the last step;  baseless [n] whether without cause."""

    units: Float[Array, " n"]
    baseless: Bool[Array, " n"]


class Court(Institution):
    """Whoever was accused in a step may appeal in the next one; who does not, or loses, is convicted then.

    The court is right with chance `right`.  An appeal costs its fee whoever wins: `fee` where the court is near, `far`
    where it is not.  It charges nobody for what they did; a fine after it goes by its convictions, and no longer by
    accusations.

    needs     somebody before it who accuses, such as wardens or a monitor; or the event `on`, [n]
    heads     court.appeal (0 no, 1 yes)
    emits     court.sat [n] steps in which there was a court; court.convicted [n] units; court.wrong [n] those of them
              without cause; court.appealed [n]; court.acquitted [n] units; court.cost [n] fees, in units of reward
    senses    court.case [n, 3]: the units of which one is accused, whether that is without cause, and the fee
    memory    see Docket

    >>> from nomoi import govern
    >>> from nomoi.institutions.court import Court
    >>> from nomoi.institutions.monitor import Monitor
    >>> from nomoi.situations.matrix import Matrix
    >>> govern(Matrix(), Monitor(on="defect"), Court()).actions
    {'choose': 2, 'court.appeal': 2}
    """

    on: str = size("", "the event that accuses; all accusations, where none is named", "ours")
    near: Bool[Array, ""] = setting(True, "whether the court is near", "ours")
    fee: Float[Array, ""] = setting(0.2, "fee of an appeal to a near court", "ours", "reward", 0)
    far: Float[Array, ""] = setting(3.0, "fee of an appeal to one that is far", "ours", "reward", 0)
    right: Float[Array, ""] = setting(0.9, "chance that the court is right", "ours", "", 0, 1)

    @property
    def sentence(self) -> str:
        court = f"a court that is right {float(self.right):.0%} of the time"
        return f"Who is accused may appeal for {float(self.price):g}, to {court}."

    @property
    def price(self) -> Float[Array, ""]:
        """What an appeal costs."""
        return jnp.where(self.near, self.fee, self.far)

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.on,) if self.on else ()

    @property
    def hears(self) -> tuple[str, ...]:
        return () if self.on else ACCUSED

    def fits(self, situation: Situation) -> None:
        if not self.on and not events(situation.emits, *ACCUSED):
            raise Refusal(
                f"{self.name} has nobody to hear: nothing that governs {situation.name} before it accuses anybody; "
                f"wardens or a monitor do, or name an event as {self.name}.on."
            )

    def heads(self, situation: Situation) -> dict[str, int]:
        return {"appeal": 2}

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "sat": Event("sat", "[n]", "steps", "lived under a court", True),
            "convicted": Event("convicted", "[n]", "units", "convicted of, rightly or not", True),
            "wrong": Event("wrong", "[n]", "units", "convicted of without cause", True),
            "appealed": Event("appealed", "[n]", "appeals", "appealed", True),
            "acquitted": Event("acquitted", "[n]", "units", "acquitted of", True),
            "cost": Event("cost", "[n]", "reward", "paid for appeals", True),
        }

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (
            Measure("error", "share", "of what one was convicted of, without cause",
                    lambda e: e.ratio("wrong", "convicted"), ("wrong", "convicted")),
        )  # fmt: skip

    def chance(self, situation: Situation) -> str:
        some = (np.asarray(self.right) > 0) & (np.asarray(self.right) < 1)
        return "whether it is right (right=1 always is)" if some.any() else ""

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Docket:
        return Docket(jnp.zeros(situation.agents), jnp.zeros(situation.agents, bool))

    def asked(self, memory: Docket, present: Bool[Array, " n"]) -> dict[str, Bool[Array, " n"]]:
        return {"appeal": present & (memory.units > 0)}

    def inform(
        self, memory: Docket, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        case = memory.units, memory.baseless.astype(jnp.float32), jnp.broadcast_to(self.price, memory.units.shape)
        return {"case": jnp.stack(case, 1)}

    def settle(
        self, key: PRNGKeyArray, memory: Docket, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Docket, State, Outcome]:  # fmt: skip
        appealed = (self.said(tried, "appeal") == 1) & (memory.units > 0)
        right = uniform(key, situation.agents) < self.right
        freed = appealed & (right == memory.baseless)
        convicted = jnp.where(freed, 0.0, memory.units)
        cost = jnp.where(appealed, self.price, 0.0)
        accused = outcome.units(self.on) if self.on else heard(outcome, *ACCUSED)
        docket = Docket(accused, heard(outcome, "wrong") > 0)
        outcome = outcome.pay(
            -cost, self, sat=jnp.ones(situation.agents), convicted=convicted,
            wrong=jnp.where(memory.baseless, convicted, 0.0), appealed=appealed,
            acquitted=jnp.where(freed, memory.units, 0.0), cost=cost,
        )  # fmt: skip
        return docket, state, outcome
