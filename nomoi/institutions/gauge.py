"""Gauge: somebody writes down what an objective makes of every step, and changes nothing."""

from __future__ import annotations

from typing import Any

from jaxtyping import PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, size
from nomoi.core.situation import Action, State
from nomoi.proxies import wanted


class Gauge(Institution):
    """Writes down what each step is worth to each agent by the expression `of`, whatever anybody learns from.

    So a proxy is measured beside what is true, in whoever lives there: `own - 2*sparse` reads the own payoff and an
    event; what else may be read is told by `nomoi.learners.objectives.Formula`.  It stands last, behind institutions
    whose payments and events it reads.

    needs     the events that the expression reads
    emits     gauge.worth [n] what the step was worth by the expression
    memory    none

    >>> from nomoi import govern
    >>> from nomoi.institutions.gauge import Gauge
    >>> from nomoi.situations.pool import Pool
    >>> govern(Pool(), Gauge(of="own - 2*request")).institutions[0].needs
    ('request',)
    """

    of: str = size("own", "the expression", "ours", converter=wanted.written)

    @property
    def sentence(self) -> str:
        return f"What {self.of} makes of each step is written down."

    @property
    def needs(self) -> tuple[str, ...]:
        return wanted.events(self.of)

    def fits(self, situation: Situation) -> None:
        wanted.fits(self.of, situation)

    def chance(self, situation: Situation) -> str:
        return ""

    @property
    def emits(self) -> dict[str, Event]:
        meaning = f"what happened is worth by {self.of}"
        return {"worth": Event("worth", "[n]", "utility", meaning, True, short="objective")}

    def settle(
        self, key: PRNGKeyArray, memory: Any, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Any, State, Outcome]:  # fmt: skip
        return memory, state, outcome.note(self, worth=wanted.worth(wanted.parsed(self.of), outcome))
