"""The central nouns: Situation, Outcome, Institution, and how they compose."""

from nomoi.core.events import VOCABULARY, Event, counted, unit_of, vocabulary
from nomoi.core.govern import Governed, Polity, choose, govern
from nomoi.core.institution import Institution
from nomoi.core.measure import Measure
from nomoi.core.outline import outline
from nomoi.core.settings import Rule, build, choice, describe, options, setting, size
from nomoi.core.situation import Outcome, Situation

__all__ = [
    "VOCABULARY", "Event", "Governed", "Institution", "Measure", "Outcome", "Polity", "Rule", "Situation", "build",
    "choice", "choose", "counted", "describe", "govern", "options", "outline", "setting", "size", "unit_of",
    "vocabulary",
]  # fmt: skip
