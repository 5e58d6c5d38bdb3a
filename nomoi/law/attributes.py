"""Legal attributes as knobs of a classification that two buyers read, and what each does to the boycott's bound.

Cases are the 2^m combinations of m features, each equally likely.  Each buyer has a logic of her own, linear in the
features; the institution draws its rule alike.  The names of the attributes are the tutorial's and Fuller's; how each
works is ours, and so is every default.  All chances are exact over cases, given the drawn logics and rules.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from nomoi.core.parameters import Parameters, count, probability
from nomoi.errors import Refusal, nearest
from nomoi.law.boycott import Trade, chance_bound, threshold

NEWS = 4  # rules drawn beside the one announced: by other institutions (3), and by one that changes its mind


@dataclasses.dataclass(frozen=True)
class Classification(Parameters):
    """How lawlike the institution is: 1 is ideal in each attribute, and 0 its absence.  Defaults: a good law."""

    generality: float = probability(0.95, "G", "share of cases that a rule on features decides; others fall by chance")
    prospectivity: float = probability(0.95, "F", "chance to be judged by the rule announced before the act")
    stability: float = probability(0.95, "S", "chance that the rule is that of the period before")
    congruence: float = probability(0.98, "K", "chance that a buyer acts on what she reads, not on its opposite")
    publicity: float = probability(0.95, "B", "chance to know the rule; who does not goes by her own logic")
    clarity: float = probability(0.95, "1 - eps", "chance that a reading is not flipped")
    consistency: float = probability(0.95, "1 - chi", "share of cases without two provisions in conflict")
    uniqueness: float = probability(0.9, "u", "1: one institution is consulted; 0: one of four, each equally likely")
    possibility: float = probability(0.95, "O", "share of cases in which a rightful performance is feasible")
    universality: float = probability(0.95, "U", "share of acts that the rule addresses")
    impersonality: float = probability(0.95, "1 - b", "share of cases in which it is not who the buyer is that decides")
    openness: float = probability(0.5, "eta", "by how much public reasons lower misreading and move the rule to people")
    alikeness: float = probability(0.8, "rho_w", "weight of what all logics have in common")
    features: int = count(8, "m", "features of a case", high=16)
    rounds: int = count(3, "t", "published decisions so far, by which openness works", low=0)

    @property
    def flip(self) -> float:
        """eps_t = eps_0 (1 - eta)^t: the chance of a misreading after `rounds` published decisions."""
        return (1 - self.clarity) * (1 - self.openness) ** self.rounds


ATTRIBUTES = (
    "generality", "prospectivity", "stability", "congruence", "publicity", "clarity", "consistency", "uniqueness",
    "possibility", "universality", "impersonality", "openness",
)  # fmt: skip

# Five orders of ours.  Expected: a legal order has the largest bound; a tyrant coordinates but suits too few.
PRESETS: Mapping[str, Mapping[str, float]] = {
    "emergent norms": {"publicity": 0.0},
    "elders": {"impersonality": 0.5, "stability": 0.6},
    "code without courts": {"generality": 0.98, "stability": 0.98, "clarity": 0.98, "openness": 0.0},
    "legal order": dict.fromkeys(ATTRIBUTES, 0.99),
    "tyrant": {"uniqueness": 1.0, "clarity": 0.99, "stability": 0.3, "impersonality": 0.0},
}


def study(law: Classification, trade: Trade, rng: np.random.Generator, draws: int = 400) -> dict[str, float]:
    """What a classification brings, over `draws` pairs of buyers and institutions.

    same      chance that both buyers read one act alike
    r_i, r_j  convergence: share of what R calls rightful that a buyer values herself (0 where R forbids all)
    r_low     the convergence that a buyer needs in order to bear a boycott
    rho_i, rho_j, pi   how often R suits neither, and how often it suits both
    after_wrong, after_right   chance of a joint boycott after one wrong, and after none
    bound     the largest cost at which the seller complies, as a share of the price
    read_wrong, read_right     chance that a buyer acts as if there was a wrong where there was one, or none
    """
    cases = np.array(list(itertools.product((0.0, 1.0), repeat=law.features)))  # [2^m, m]
    common, mine = rng.standard_normal((draws, 1, law.features)), rng.standard_normal((draws, 2, law.features))
    others = rng.standard_normal((draws, 1 + NEWS, law.features))
    w, own = law.alikeness, np.sqrt(1 - law.alikeness**2)
    people = w * common + own * mine
    rules = w * common + own * others
    rules = (1 - law.openness) * rules + law.openness * people.mean(1, keepdims=True)
    values, rule = _verdicts(people, cases), _verdicts(rules, cases)  # [draws, 2, X], [draws, 1 + NEWS, X]

    personal = 1 - law.impersonality  # what is done to the second buyer is then rightful, whatever it is
    announced = rule[:, 0]
    r_i = _convergence(values[:, 0], announced)
    r_j = (1 - personal) * _convergence(values[:, 1], announced) + personal * values[:, 1].mean(1)
    # a reading that is decided by chance tells a buyer nothing of what she will get
    plain = law.generality * law.consistency
    r_i, r_j = (plain * r + (1 - plain) * v.mean(1) for r, v in ((r_i, values[:, 0]), (r_j, values[:, 1])))
    low = threshold(trade).value
    suits_i, suits_j = r_i > low, r_j > low
    both = suits_i & suits_j

    now = _read(law, values, rule[:, 0], rule[:, 1:NEWS])  # [draws, 2, X] chance to read a wrong
    later = _read(law, values, rule[:, NEWS], rule[:, 1:NEWS])
    kept = law.prospectivity * law.stability  # the act is judged by the rule that was known when it was done
    joint = plain * (kept * now.prod(1) + (1 - kept) * later.prod(1)) + (1 - plain) / 4
    alone = plain * (kept * now + (1 - kept) * later).mean(1) + (1 - plain) / 2
    alike = plain * (1 - now[:, 0] - now[:, 1] + 2 * now.prod(1)) + (1 - plain) / 2

    reach = law.universality * law.stability  # nobody boycotts over what is not addressed, or has just changed
    wrong, right = _within(joint, ~announced), _within(joint, announced)
    after_wrong, done_right = (reach * float(np.mean(both * p)) for p in (wrong, right))
    after_right = law.possibility * done_right + (1 - law.possibility) * after_wrong
    return {
        "same": float(alike.mean()), "r_i": float(r_i.mean()), "r_j": float(r_j.mean()), "r_low": low,
        "rho_i": float(1 - suits_i.mean()), "rho_j": float(1 - suits_j.mean()), "pi": float(both.mean()),
        "after_wrong": after_wrong, "after_right": after_right,
        "bound": chance_bound(trade, after_wrong, after_right).value / trade.price,
        "read_wrong": float(_within(alone, ~announced).mean()), "read_right": float(_within(alone, announced).mean()),
    }  # fmt: skip


def _verdicts(weights: np.ndarray, cases: np.ndarray) -> np.ndarray:
    """[..., X] whether each case is rightful: above the middle of what the weights [..., m] can give."""
    return weights @ (cases.T - 0.5) >= 0


def _convergence(values: np.ndarray, rule: np.ndarray) -> np.ndarray:
    """[draws] Pr(I(X) = 1 | R(X) = 1), 0 where R calls nothing rightful."""
    return (values & rule).sum(1) / np.maximum(rule.sum(1), 1)


def _read(law: Classification, values: np.ndarray, rule: np.ndarray, others: np.ndarray) -> np.ndarray:
    """[draws, 2, X] the chance that each buyer acts as if the case were wrongful."""
    flip = law.flip

    def of(table: np.ndarray) -> np.ndarray:
        return np.where(table, flip, 1 - flip)

    first = law.uniqueness + (1 - law.uniqueness) / (1 + others.shape[1])
    known = first * of(rule) + (1 - first) * of(others).mean(1)
    reads = law.publicity * known[:, None] + (1 - law.publicity) * ~values
    return law.congruence * reads + (1 - law.congruence) * (1 - reads)


def _within(chance: np.ndarray, where: np.ndarray) -> np.ndarray:
    """[draws] the mean of `chance` [draws, X] over the cases where it is asked."""
    return (chance * where).sum(1) / np.maximum(where.sum(1), 1)


def sweep(
    attribute: str, trade: Trade, seed: int, levels: np.ndarray, draws: int = 400, base: Classification | None = None
) -> dict[str, np.ndarray]:
    """`study` at each level of one attribute, on the same draws: measure -> [levels]."""
    law = base or Classification()
    rows = [study(law.but(**{attribute: float(x)}), trade, np.random.default_rng(seed), draws) for x in levels]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def preset(name: str, **changes: Any) -> Classification:
    """One of the five orders, by name."""
    if name not in PRESETS:
        raise Refusal(f"there is no legal order {name!r}; {nearest(name, PRESETS, 'order')}")
    return Classification(**(dict(PRESETS[name]) | changes))
