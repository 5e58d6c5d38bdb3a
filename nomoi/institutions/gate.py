"""Gate: what comes in is looked at, and what is not of people is turned away (provenance)."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from nomoi.core import Event, Institution, Measure, Outcome, Situation, setting, size
from nomoi.core.situation import Action, State
from nomoi.grid.words import uniform
from nomoi.institutions.choices import offered


class Gate(Institution):
    """Each answer `yes` to `head` is turned away with chance `strict`: it is taken to be 0, nothing.

    Nobody is punished; what is turned away does not get in.  All bear the cost of looking at what came.

    needs     a choice `head`
    emits     gate.tried [n] what came to the gate; gate.stopped [n] those of them that were turned away;
              gate.cost [n] paid for looking, in reward
    memory    shut [n], whose would be turned away in this step

    >>> from nomoi import govern
    >>> from nomoi.institutions.gate import Gate
    >>> from nomoi.situations.archive import Archive
    >>> "gate.stopped" in govern(Archive(), Gate(strict=0.9)).emits
    True
    """

    head: str = size("post", "the choice that is looked at", "ours")
    strict: Float[Array, ""] = setting(0.9, "chance to be turned away", "ours", "", 0, 1)
    price: Float[Array, ""] = setting(0.02, "what it costs to look at one, borne by all", "ours", "reward", 0)

    @property
    def sentence(self) -> str:
        return f"What comes by {self.head} is turned away with chance {float(self.strict):g}."

    def fits(self, situation: Situation) -> None:
        offered(self, situation, self.head, f"looks at {self.head!r} (its head)")

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "tried": Event("tried", "[n]", "tries", "came to the gate", True),
            "stopped": Event("stopped", "[n]", "tries", "came to the gate and was turned away", True),
            "cost": Event("cost", "[n]", "reward", "paid for looking", True),
        }

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (
            Measure("turned", "share", "of what came to the gate, turned away", lambda e: e.ratio("stopped", "tried"),
                    ("stopped", "tried")),
        )  # fmt: skip

    def chance(self, situation: Situation) -> str:
        some = (np.asarray(self.strict) > 0) & (np.asarray(self.strict) < 1)
        return "what it turns away (strict=1 is all)" if some.any() else ""

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Bool[Array, " n"]:
        return uniform(key, situation.agents) < self.strict

    def permit(self, memory: Array, situation: Situation, state: State, action: Action) -> Action:
        return action | {self.head: jnp.where(memory, 0, action[self.head])}

    def settle(
        self, key: PRNGKeyArray, memory: Array, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Array, State, Outcome]:  # fmt: skip
        came = tried[self.head] > 0
        cost = jnp.broadcast_to(self.price * came.astype(jnp.float32).mean(), (situation.agents,))
        outcome = outcome.pay(-cost, self, tried=came, stopped=came & memory, cost=cost)
        return self.found(key, situation, state), state, outcome
