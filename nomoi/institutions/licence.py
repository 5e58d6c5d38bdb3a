"""Licence: a boundary of who may take (Ostrom 1990, her first principle)."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from nomoi.core import Event, Institution, Measure, Outcome, Situation, setting, size
from nomoi.core.situation import Action, State
from nomoi.errors import Refusal, nearest
from nomoi.grid.words import uniform
from nomoi.institutions.units import heads, members


class Licence(Institution):
    """Strangers need a licence, which none gets: who tries to take is stopped at the landing with chance `bar`.

    Who is stopped has its answer to `head` taken to be 0, nothing; what is taken by who slips through is *poached*,
    for others to act on.  The members of each unit bear the `fee` of the landing evenly.

    needs     the event intrusion, and strangers
    emits     licence.tried [n] strangers who tried; licence.barred [n] those of them who were stopped;
              licence.poached [n] units taken by who slipped through; licence.cost [n] paid, in units of reward
    memory    stopped [n], who would be in this step

    >>> from nomoi import govern
    >>> from nomoi.institutions.licence import Licence
    >>> from nomoi.situations.pool import Pool
    >>> "licence.poached" in govern(Pool(agents=4, outsiders=2), Licence()).emits
    True
    """

    bar: Float[Array, ""] = setting(0.6, "chance to be stopped", "ours", "", 0, 1)
    fee: Float[Array, ""] = setting(0.1, "what the landing costs each unit", "ours", "reward/step", 0)
    lost: Float[Array, ""] = setting(0.0, "what who is stopped has lost on the way", "ours", "reward", 0)
    head: str = size("", "the choice that is taken from who is stopped; the first one where none is named", "ours")

    @property
    def sentence(self) -> str:
        return f"A stranger who tries to take is stopped with chance {float(self.bar):g}."

    def fits(self, situation: Situation) -> None:
        mine = situation.bare
        if members(situation).all():
            made = "; a stranger is of no unit (`belongs`), and what it takes an event `intrusion`."
            made = f"; {mine.name}.outsiders=1 makes one." if hasattr(mine, "outsiders") else made
            raise Refusal(f"{self.name} keeps strangers out, and there are none in {mine.name}{made}")
        if "intrusion" not in situation.offers:
            raise Refusal(
                f"{self.name} goes by what strangers take, the event intrusion, which {mine.name} does not emit."
            )
        if self.head and self.head not in situation.actions:
            raise Refusal(f"{self.name}.head is {self.head!r}; {nearest(self.head, situation.actions, 'choice')}")

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "tried": Event("tried", "[n]", "tries", "a stranger tried to take", True),
            "barred": Event("barred", "[n]", "tries", "a stranger tried to take and was stopped", True),
            "poached": Event("poached", "[n]", "units", "taken without a licence", True),
            "cost": Event("cost", "[n]", "reward", "paid for the landing", True),
        }

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (
            Measure("stopped", "share", "tries of strangers that were stopped", lambda e: e.ratio("barred", "tried"),
                    ("barred", "tried")),
        )  # fmt: skip

    def chance(self, situation: Situation) -> str:
        some = (np.asarray(self.bar) > 0) & (np.asarray(self.bar) < 1)
        return "whom it stops (bar=1 stops everybody)" if some.any() else ""

    def _choice(self, situation: Situation) -> str:
        return self.head or next(iter(situation.actions))

    def _stops(self, key: PRNGKeyArray, situation: Situation) -> Bool[Array, " n"]:
        return (uniform(key, situation.agents) < self.bar) & (members(situation) == 0)

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Bool[Array, " n"]:
        return self._stops(key, situation)

    def permit(self, memory: Array, situation: Situation, state: State, action: Action) -> Action:
        head = self._choice(situation)
        return action | {head: jnp.where(memory, 0, action[head])}

    def settle(
        self, key: PRNGKeyArray, memory: Array, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Array, State, Outcome]:  # fmt: skip
        came = (tried[self._choice(situation)] > 0) & (members(situation) == 0)
        barred = came & memory
        cost = self.fee * jnp.asarray(members(situation) / heads(situation), jnp.float32)
        paid = cost + self.lost * barred.astype(jnp.float32)
        poached = outcome.events["intrusion"]
        outcome = outcome.pay(-paid, self, tried=came, barred=barred, poached=poached, cost=cost)
        return self._stops(key, situation), state, outcome
