"""Major transitions: when a group becomes one (germ and soma, policing), and the tutorial's list of them.

The two formulas are derived here, after the conditions that West et al. 2015 name: division of labour,
and next to no conflict within.  The list is the tutorial's slide; the columns split what it says.
"""

from __future__ import annotations

import dataclasses

from scipy.optimize import minimize_scalar

from nomoi.core.parameters import Answer, Parameters, number, probability


@dataclasses.dataclass(frozen=True)
class Colony(Parameters):
    """A cell that gives b to reproduction keeps v = (1 - b^curve)^depth for viability; W = mean(b) mean(v).

    depth above 1 (with curve 1) is convex: v = (1 - b)^2; curve above 1 (with depth 1) is concave: v = 1 - b^2.
    """

    curve: float = number(1.0, "x", "above 1: the trade-off is concave", low=0, open_low=True)
    depth: float = number(1.0, "y", "above 1: the trade-off is convex", low=0, open_low=True)

    def viability(self, given: float) -> float:
        """v of a cell that gives `given` to reproduction."""
        return (1 - given**self.curve) ** self.depth

    @property
    def specialists(self) -> float:
        """W of a colony of half germ (b = 1) and half soma (v = 1): always 1/4."""
        return 0.25

    @property
    def generalists(self) -> float:
        """W of a colony of cells that are all alike, at the best b."""
        found = minimize_scalar(
            lambda b: -b * self.viability(b), bounds=(0, 1), method="bounded", options={"xatol": 1e-10}
        )
        return float(-found.fun)


@dataclasses.dataclass(frozen=True)
class Policing(Parameters):
    """A share z of what a defector gains inside the group is taken from it, at a cost of k z to the group."""

    gain: float = number(1.0, "s", "what a defector gains inside the group", low=0)
    loss: float = number(0.4, "l", "what it loses because its group does worse", low=0)
    cost: float = number(0.5, "k", "cost of policing fully", low=0)
    benefit: float = number(0.5, "B", "what the group gains by being one", low=0)
    policing: float = probability(0.0, "z", "share of the gain that policing takes")

    @property
    def cooperation(self) -> bool:
        """Whether cooperation is stable: s (1 - z) < l."""
        return self.gain * (1 - self.policing) < self.loss

    @property
    def least(self) -> Answer:
        """z* = max(0, 1 - l / s), above which cooperation is stable."""
        if self.gain == 0:
            return Answer(0.0, ("nobody gains by defecting",))
        return Answer(max(0.0, 1 - self.loss / self.gain))

    @property
    def pays(self) -> bool:
        """Whether the group gains more by being one than just enough policing costs: B > k z*."""
        return self.benefit > self.cost * self.least.value


@dataclasses.dataclass(frozen=True)
class Transition:
    """One row of the slide: the new whole, what holds it together, what carries information."""

    whole: str
    holds: str
    carries: str


TRANSITIONS = (
    Transition("Protocells", "chromosomes as conflict mediators", "genetic information encapsulated in cells"),
    Transition("Prokaryotic cells", "symbiotic autocatalytic networks", "genetic code and translation; symbolic"),
    Transition("Eukaryotic cells", "nucleus, meiosis and mitosis; cells stay together as a whole", "genes"),
    Transition("Plastids", "engulfment; cells stay together as a whole", "genes"),
    Transition("Multicellularity", "cohesion, differentiation, division of labour", "epigenetic inheritance"),
    Transition("Eusocial animal societies", "dominance, punishment, policing", "signals and social learning"),
    Transition("Societies with natural language", "negotiated division of labour, food sharing, levelling", "culture"),
    Transition("At the human boundary", "normativity: shared binary classification of behaviour", "language"),
)  # the tutorial; that each slide's text belongs to the whole below it is our reading, and so is the last row
