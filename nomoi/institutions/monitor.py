"""Monitor: somebody looks at what people do, which takes no land and no beam (Ostrom 1990, her fourth principle)."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, choice, setting, size, unit_of
from nomoi.core.situation import Action, State
from nomoi.grid.words import uniform

ALL, WATCHED = range(2)


class Monitor(Institution):
    """Looks at each agent with chance `share` in each step, and catches whom it sees do more than `allowed` of `on`.

    What is beyond `allowed` is a violation, seen or not.  It punishes nobody: others may act on what it says, as a fine
    on *monitor.caught* does.  To whoever minds expected payoffs alone only share x fine matters (Becker 1968), but
    looking costs: each look takes `cost`, from all evenly or from the one who is looked at, and nobody gets it.

    needs     the event `on`, [n] or [n, n] (then the row's agent did it); an institution's too: tax.paid
    emits     monitor.violation [n] units beyond what is allowed; monitor.caught [n] those of them that it saw;
              monitor.looked [n] steps in which it looked at one; monitor.paid [n] for being watched, in units of reward
    memory    none

    >>> from nomoi import govern
    >>> from nomoi.institutions.fine import Fine
    >>> from nomoi.institutions.monitor import Monitor
    >>> from nomoi.situations.matrix import Matrix
    >>> "fine.paid" in govern(Matrix(), Monitor(on="defect", share=0.5), Fine(rate=3.0)).emits
    True
    """

    on: str = size("sparse", "the event that is watched", "ours, the levy's")
    allowed: Float[Array, ""] = setting(0.0, "units of it in a step that are nobody's business", "ours", "units", 0)
    share: Float[Array, ""] = setting(1.0, "chance to be looked at in a step", "ours (everybody, always)", "", 0, 1)
    cost: Float[Array, ""] = setting(0.1, "what a look costs", "ours", "reward", 0)
    payer: Int[Array, ""] = choice("all", ("all", "watched"), "who pays for a look: all evenly, or who is looked at")

    @property
    def sentence(self) -> str:
        beyond = f" beyond {float(self.allowed):g}" if float(self.allowed) else ""
        whose = ("which all pay evenly", "which that one pays")[int(self.payer)]
        return (
            f"At each step each is looked at with chance {float(self.share):g}, and caught with each {unit_of(self.on)}"
            f"{beyond}; a look costs {float(self.cost):g}, {whose}."
        )

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.on,)

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "violation": Event("violation", "[n]", "units", "done beyond what is allowed", True),
            "caught": Event("caught", "[n]", "units", "done beyond what is allowed, and seen", True),
            "looked": Event("looked", "[n]", "steps", "was looked at", True),
            "paid": Event("paid", "[n]", "reward", "paid for being watched", True),
        }

    def chance(self, situation: Situation) -> str:
        some = (np.asarray(self.share) > 0) & (np.asarray(self.share) < 1)
        return "whom it looks at (share=1 looks at everybody)" if some.any() else ""

    def settle(
        self, key: PRNGKeyArray, memory: Any, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Any, State, Outcome]:  # fmt: skip
        looked = uniform(key, situation.agents) < self.share
        violation = jnp.maximum(outcome.units(self.on) - self.allowed, 0.0)
        looks = self.cost * looked.astype(jnp.float32)
        paid = jnp.where(self.payer == ALL, looks.mean(), looks)
        caught = jnp.where(looked, violation, 0.0)
        return memory, state, outcome.pay(-paid, self, violation=violation, caught=caught, looked=looked, paid=paid)
