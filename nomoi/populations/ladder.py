"""The ladder of formality: institutions that classify, and ways to enforce, as points in the other models' parameters.

The names and their order are the tutorial's slide "increasing formality".  Every number is ours: a sketch that lets
the boycott and third-party punishment be swept along the ladder, not a measurement.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from nomoi.law.attributes import Classification, study
from nomoi.law.boycott import Trade, chance_bound
from nomoi.populations.third_party import Commons


@dataclasses.dataclass(frozen=True)
class Classifier:
    """Who says what is wrong: clarity of what they say, how many know it, how stable and how general it is."""

    name: str
    clarity: float
    publicity: float
    stability: float
    generality: float
    impersonality: float

    def law(self) -> Classification:
        """The classification of the boycott with these attributes, and all others ideal."""
        own = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "name"}
        ideal = dict.fromkeys(("prospectivity", "congruence", "consistency", "uniqueness", "possibility"), 1.0)
        return Classification(**(ideal | {"universality": 1.0} | own))


@dataclasses.dataclass(frozen=True)
class Enforcement:
    """What is done about it: what it takes from the one who did wrong, what it costs the others, how often it errs."""

    name: str
    fine: float
    cost: float
    errors: float


CLASSIFIERS = (
    Classifier("emergent practices", 0.80, 0.95, 0.95, 0.70, 0.90),
    Classifier("elders", 0.85, 0.90, 0.90, 0.75, 0.70),
    Classifier("religious leaders", 0.88, 0.90, 0.95, 0.80, 0.80),
    Classifier("dictator", 0.92, 0.85, 0.60, 0.60, 0.30),
    Classifier("legislature", 0.92, 0.85, 0.90, 0.95, 0.95),
    Classifier("courts", 0.95, 0.85, 0.95, 0.95, 0.97),
    Classifier("lawyers", 0.98, 0.90, 0.95, 0.97, 0.97),
)
ENFORCEMENTS = (
    Enforcement("mocking", 0.10, 0.02, 0.20),
    Enforcement("group criticism", 0.20, 0.05, 0.15),
    Enforcement("exclusion", 0.60, 0.20, 0.10),
    Enforcement("injury to person or property", 1.00, 0.80, 0.15),
    Enforcement("authorised retaliation", 1.00, 0.50, 0.08),
    Enforcement("fines", 0.80, 0.10, 0.03),
    Enforcement("incarceration", 2.00, 0.60, 0.02),
)


def rung(
    classifier: Classifier, enforcement: Enforcement, trade: Trade, game: Commons, seed: int = 0
) -> dict[str, float]:
    """What a classifier with a way of enforcing brings.

    bound  the largest cost (share of the price) at which a seller complies, where boycotts err as the enforcement does
    tip    the share of internalisers from which all give, at its fine (above 1: never)
    cost   what it costs those who enforce, for each unit that it takes
    """
    found = study(classifier.law(), trade, np.random.default_rng(seed), 100)
    right = found["after_right"] + enforcement.errors * (found["after_wrong"] - found["after_right"])
    strength = min(
        1.0, enforcement.fine
    )  # an exclusion that takes less than all of a period's profit deters by as much
    x = chance_bound(trade, strength * found["after_wrong"], strength * right)
    own = game.but(fine=enforcement.fine, seen=game.seen * found["read_wrong"])
    return {"bound": x.value / trade.price, "tip": own.tip.value, "cost": enforcement.cost / enforcement.fine}
