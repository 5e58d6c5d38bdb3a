"""Berried: no female that bears eggs is landed."""

from __future__ import annotations

from collections.abc import Mapping

from nomoi.core import Situation
from nomoi.institutions.bans import Ban


class Berried(Ban):
    """Females that bear eggs go back into the water.

    The eggs are there to be seen, so anybody can tell; what they become is shared with the whole coast.

    needs     the event berried, and the choice berried
    emits     berried.violation [n] units of such females landed
    memory    keeps [n], who keeps to it in this step

    >>> from nomoi import govern
    >>> from nomoi.institutions.berried import Berried
    >>> from nomoi.situations.lobster import Lobster
    >>> "berried.violation" in govern(Lobster(), Berried()).emits
    True
    """

    @property
    def sentence(self) -> str:
        return "No female that bears eggs may be landed."

    @property
    def needs(self) -> tuple[str, ...]:
        return ("berried",)

    def bans(self, situation: Situation) -> Mapping[str, str]:
        return {"berried": "berried"}
