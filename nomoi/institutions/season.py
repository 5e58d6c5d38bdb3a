"""Season: a time of the year in which nothing is taken (closed seasons are older than any statistics of a stock)."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, setting, size
from nomoi.core.situation import Action, Observation, State
from nomoi.grid import Scene
from nomoi.institutions.choices import chosen
from nomoi.institutions.units import column


class Season(Institution):
    """In each year of `year` steps the last ones are closed: whatever one answers to `head` is taken to be 0, nothing.

    A closed season needs no count and no limit for each, and everybody sees a boat that is out.  It lets the stock grow
    while it lasts, and says nothing about how much is taken before and after.

    needs     a choice of how much, `head`
    emits     season.kept [n] closed steps in which one would have taken something
    senses    season.closed [n, 1] whether it is closed now;  season.left [n, 1] of the year, what is still open
    memory    clock [], steps so far

    >>> from nomoi import govern
    >>> from nomoi.institutions.season import Season
    >>> from nomoi.situations.pool import Pool
    >>> "season.kept" in govern(Pool(), Season(year=4, closed=0.5)).emits
    True
    """

    year: Int[Array, ""] = setting(4, "steps of a year", "ours", "steps", 1)
    closed: Float[Array, ""] = setting(0.5, "share of the year that is closed, in whole steps", "ours", "", 0, 1)
    head: str = size("", "the choice that is closed; the first one where none is named", "ours")

    @property
    def sentence(self) -> str:
        return f"Of every {int(self.year)} steps {int(self._shut())} are closed, and nothing is taken in them."

    def fits(self, situation: Situation) -> None:
        chosen(self, situation, self.head)

    @property
    def emits(self) -> dict[str, Event]:
        return {"kept": Event("kept", "[n]", "steps", "closed, and one would have taken something", True)}

    def chance(self, situation: Situation) -> str:
        return ""

    def _shut(self) -> Int[Array, ""]:
        """How many steps of a year are closed."""
        return jnp.round(self.closed * self.year.astype(jnp.float32)).astype(jnp.int32)

    def _closed(self, clock: Int[Array, ""]) -> Bool[Array, ""]:
        return clock % self.year >= self.year - self._shut()

    def _choice(self, situation: Situation) -> str:
        return self.head or next(iter(situation.actions))

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Int[Array, ""]:
        return jnp.zeros((), jnp.int32)

    def permit(self, memory: Array, situation: Situation, state: State, action: Action) -> Action:
        head = self._choice(situation)
        return action | {head: jnp.where(self._closed(memory), 0, action[head])}

    def inform(
        self, memory: Array, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        left = jnp.maximum(self.year - self._shut() - memory % self.year, 0) / self.year
        tell = lambda x: column(jnp.broadcast_to(x, (situation.agents,)))  # noqa: E731
        return {"closed": tell(self._closed(memory)), "left": tell(left)}

    def settle(
        self, key: PRNGKeyArray, memory: Array, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Array, State, Outcome]:  # fmt: skip
        kept = self._closed(memory) & (tried[self._choice(situation)] > 0)
        return (memory + 1) % self.year, state, outcome.note(self, kept=kept)
