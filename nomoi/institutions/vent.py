"""Vent: a trap has a hole by which the young escape."""

from __future__ import annotations

from collections.abc import Mapping

from nomoi.core import Situation
from nomoi.institutions.bans import Ban


class Vent(Ban):
    """Every trap has a vent, by which what is too young to be landed leaves it unhurt.

    A slot throws the young back, and some die of that; a vent does not catch them.

    needs     the event blind, and the choice blind
    emits     vent.violation [n] steps with traps that have none
    memory    keeps [n], who keeps to it in this step

    >>> from nomoi import govern
    >>> from nomoi.institutions.vent import Vent
    >>> from nomoi.situations.lobster import Lobster
    >>> "vent.violation" in govern(Lobster(), Vent()).emits
    True
    """

    @property
    def sentence(self) -> str:
        return "Every trap must have a vent."

    @property
    def needs(self) -> tuple[str, ...]:
        return ("blind",)

    def bans(self, situation: Situation) -> Mapping[str, str]:
        return {"blind": "blind"}
