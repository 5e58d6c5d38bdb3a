"""Gear: lobsters are taken in traps alone; nobody drags a net over the bottom."""

from __future__ import annotations

from collections.abc import Mapping

from nomoi.core import Situation
from nomoi.institutions.bans import Ban


class Gear(Ban):
    """Nobody drags a net: it takes more for the same effort, and kills the young on the bottom.

    needs     the event dragged, and the choice drag
    emits     gear.violation [n] steps in which one dragged
    memory    keeps [n], who keeps to it in this step

    >>> from nomoi import govern
    >>> from nomoi.institutions.gear import Gear
    >>> from nomoi.situations.lobster import Lobster
    >>> "gear.violation" in govern(Lobster(), Gear()).emits
    True
    """

    @property
    def sentence(self) -> str:
        return "Nobody may drag a net."

    @property
    def needs(self) -> tuple[str, ...]:
        return ("dragged",)

    def bans(self, situation: Situation) -> Mapping[str, str]:
        return {"drag": "dragged"}
