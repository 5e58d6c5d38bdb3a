"""Authority: of several institutions that classify, one counts (Sarkar et al. 2024)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Measure, Outcome, Situation, setting, size
from nomoi.core.measure import compliance
from nomoi.core.situation import Action, State
from nomoi.errors import Refusal
from nomoi.institutions.marks import judged, marked

NOBODY = -1
FACTS = ("violation", "violator", "marked")


class Authority(Institution):
    """Says which of several institutions that classify counts: the verdicts of that one are passed on as its own.

    A sanction `by` it pays for what the institution in authority calls a violation, and for nothing else, whatever
    the others say.  At step `turn` of an episode the authority passes to another (the `heir`).  It announces
    nothing: who counts can be seen only in what people are punished for.

    needs     the events violation, violator and marked of each institution `among` which the authority is
    emits     authority.violation [n] units against the rule that counts; authority.violator [n] carried such a
              violation when beams struck; authority.marked [n] carries one after the step
    memory    steps so far []
    """

    among: str = size("altar", "the institutions of which one counts, with commas", "Sarkar et al. 2024 (abstract)")
    seat: Int[Array, ""] = setting(0, "which one counts, counted from 0; -1 is none", "ours", "", NOBODY)
    heir: Int[Array, ""] = setting(NOBODY, "which one counts from step `turn` on; -1 is none", "ours", "", NOBODY)
    turn: Int[Array, ""] = setting(0, "the step at which the authority passes on; 0 is never", "ours", "steps", 0)

    @property
    def sentence(self) -> str:
        one, other = (self._word(int(place)) for place in (self.seat, self.heir))
        return f"What counts is {one}" + (f", from step {int(self.turn)} on {other}." if int(self.turn) else ".")

    def _word(self, place: int) -> str:
        return "nobody's word" if place < 0 else f"the word of the {candidates(self.among)[place]}"

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(f"{name}.{fact}" for name in candidates(self.among) for fact in FACTS)

    def fits(self, situation: Situation) -> None:
        names = candidates(self.among)
        for option, place in (("seat", self.seat), ("heir", self.heir)):
            if not isinstance(place, jax.core.Tracer) and int(place) >= len(names):
                known = ", ".join(f"{k} {name}" for k, name in enumerate(names))
                raise Refusal(f"{self.name}.{option} is {int(place)}; those among which one counts are {known}.")

    @property
    def emits(self) -> dict[str, Event]:
        return judged("the rule that counts")

    @property
    def measures(self) -> tuple[Measure, ...]:
        counts = (f"{name}.violation" for name in candidates(self.among))  # in whose units it speaks
        return compliance(self.name, *counts), marked(f"the {self.name}")

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Int[Array, ""]:
        return jnp.zeros((), jnp.int32)

    def settle(
        self, key: PRNGKeyArray, memory: Array, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Array, State, Outcome]:  # fmt: skip
        counts = jnp.where((self.turn > 0) & (memory >= self.turn), self.heir, self.seat)
        names = candidates(self.among)
        facts = {
            fact: sum(
                (jnp.where(counts == k, outcome.events[f"{name}.{fact}"], 0.0) for k, name in enumerate(names)),
                jnp.zeros(situation.agents),
            )
            for fact in FACTS
        }
        return memory + 1, state, outcome.note(self, **facts)


def candidates(names: str) -> list[str]:
    """The names in a list with commas."""
    return [name.strip() for name in names.split(",") if name.strip()]
