"""Slot: a least and a largest size of what may be landed (the double gauge of Maine's lobster fishery)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Float

from nomoi.core import Situation, setting
from nomoi.errors import Refusal
from nomoi.institutions.bans import Ban

MAINE = "Maine Revised Statutes, title 12, section 6431"


class Slot(Ban):
    """What is shorter than `low` or longer than `high` goes back into the water.

    Below the least size they have not bred yet; those beyond the largest breed most.  It needs no count of what is
    there or was taken: whoever meets a boat can measure.

    needs     a situation whose classes have a length (`inches`), and the events by which they are counted
    emits     slot.violation [n] units landed that are too short or too long
    memory    keeps [n], who keeps to it in this step

    >>> from nomoi import govern
    >>> from nomoi.institutions.slot import Slot
    >>> from nomoi.situations.lobster import Lobster
    >>> "slot.violation" in govern(Lobster(), Slot(low=3.25, high=5.0)).emits
    True
    """

    low: Float[Array, ""] = setting(3.25, "least length", MAINE, "inches", 0)
    high: Float[Array, ""] = setting(5.0, "largest length", MAINE, "inches", 0)

    def __check_init__(self) -> None:
        super().__check_init__()
        if not isinstance(self.low, Tracer) and (np.asarray(self.low) > np.asarray(self.high)).any():
            low, high = float(np.max(self.low)), float(np.min(self.high))
            raise Refusal(f"{self.name}.low is {low:g}, above its high of {high:g}; nothing could be landed.")

    @property
    def sentence(self) -> str:
        return f"Nothing shorter than {float(self.low):g} or longer than {float(self.high):g} inches may be landed."

    def fits(self, situation: Situation) -> None:
        if not hasattr(situation.bare, "inches"):
            raise Refusal(
                f"{self.name} goes by length, and {situation.bare.name} does not say how long what is taken is "
                "(`inches`); lobster does."
            )
        super().fits(situation)

    def bans(self, situation: Situation) -> Mapping[str, str]:
        return {head: head for head in situation.inches}  # type: ignore[attr-defined]

    def binds(self, situation: Situation, head: str) -> Bool[Array, ""]:
        inches = situation.inches[head]  # type: ignore[attr-defined]
        return (inches < self.low) | (inches > self.high)
