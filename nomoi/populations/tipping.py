"""What happens to a practice when an action becomes cheap: reservations, and a destructive technology.

Both are reconstructions of ours after stories of the tutorial; their numbers are made up.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from nomoi.errors import Refusal
from nomoi.solve.game import NormalForm, symmetric


@dataclasses.dataclass(frozen=True)
class Reservations:
    """Diners who book several restaurants and cancel all but one, each booking taking the staff's attention.

    With k bookings a diner gets a table with chance 1 - (1 - free)^k, worth `value`; each costs the diner `cost` and
    the staff `attention`.  Restaurants take reservations while all bookings together cost the staff no more than
    `capacity`.  All values are ours.
    """

    cost: float = 0.5
    value: float = 10.0
    free: float = 0.2
    attention: float = 0.5
    diners: int = 100
    capacity: float = 500.0

    def __post_init__(self) -> None:
        for name in ("cost", "value", "attention", "capacity"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise Refusal(f"reservations: {name} is {getattr(self, name)}; it must be a number above 0.")
        if not 0 < self.free < 1 or self.diners < 1:
            raise Refusal("reservations: `free` is a chance between 0 and 1, and there is at least one diner.")

    def bookings(self, fee: float = 0.0) -> float:
        """The k at which one more brings what it costs, value free (1 - free)^(k - 1) = cost + fee; 0 at least."""
        k = 1 + np.log((self.cost + fee) / (self.value * self.free)) / np.log(1 - self.free)
        return float(max(0.0, k))

    def best(self) -> float:
        """The k that is best for diners and staff together: what diners choose who pay for the staff's attention."""
        return self.bookings(self.attention)

    def load(self, fee: float = 0.0) -> float:
        """What all bookings cost the staff."""
        return self.diners * self.attention * self.bookings(fee)

    def breaks(self) -> float:
        """The cost of a booking below which restaurants stop taking reservations."""
        most = self.capacity / (self.diners * self.attention)
        return float(self.value * self.free * (1 - self.free) ** (most - 1))

    def welfare(self, fee: float = 0.0) -> float:
        """Of a diner and the attention spent: the table's worth less what bookings cost; 0 once none are taken."""
        if self.load(fee) > self.capacity:
            return 0.0
        k = self.bookings(fee)
        return float(self.value * (1 - (1 - self.free) ** k) - k * (self.cost + self.attention))


def technology(cost: float, gain: float = 1.0, disapproval: float = 0.6) -> NormalForm:
    """Spears or dynamite: users of dynamite gain `gain`, pay `cost`, and lose `disapproval` on meeting a spear.

    Spears (the first action) are stable while cost >= gain - disapproval, dynamite while cost <= gain; in between both.
    """
    for name, value in (("cost", cost), ("gain", gain), ("disapproval", disapproval)):
        if not np.isfinite(value):
            raise Refusal(f"technology: {name} is {value}; it must be a number.")
    return symmetric([[0, 0], [gain - cost - disapproval, gain - cost]], "spears or dynamite", ("spear", "dynamite"))
