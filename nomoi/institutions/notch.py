"""Notch: who bears a mark is a known breeder, and is not landed (the V-notch of Maine)."""

from __future__ import annotations

from collections.abc import Mapping

from nomoi.core import Situation
from nomoi.institutions.bans import Ban


class Notch(Ban):
    """A lobster with a notch in its tail is a known breeder, and goes back into the water, with or without eggs.

    Whether to notch is left to each: it costs labour and a lobster now, and what comes of it is shared with all.
    Without this rule a notch protects nobody (Acheson & Gardner 2011 tell how it became a custom).

    needs     the event breeders, and the choice breeders
    emits     notch.violation [n] units of notched lobsters landed
    memory    keeps [n], who keeps to it in this step

    >>> from nomoi import govern
    >>> from nomoi.institutions.notch import Notch
    >>> from nomoi.situations.lobster import Lobster
    >>> "notch.violation" in govern(Lobster(), Notch()).emits
    True
    """

    @property
    def sentence(self) -> str:
        return "No lobster that bears a notch may be landed."

    @property
    def needs(self) -> tuple[str, ...]:
        return ("breeders",)

    def bans(self, situation: Situation) -> Mapping[str, str]:
        return {"breeders": "breeders"}
