"""Why arbitrary rules persist: the arrows of the Awá (González-Ruibal et al. 2011, as the tutorial tells it).

Of seven rules about arrows some help and some do not; all are kept, except by a man who lived alone for years.  The
tutorial asks whether this is a propensity to conform or third-party punishment.  It gives no model; this one
is ours, and the simplest that can tell the three answers apart.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from nomoi.core.parameters import Parameters, count, number, probability
from nomoi.errors import Refusal


@dataclasses.dataclass(frozen=True)
class Rule:
    """A rule, and what following it is worth a generation.  That it helps or not is our guess, not a finding."""

    name: str
    worth: float


RULES = (
    Rule("hard wood for the shaft", 0.05),
    Rule("bamboo arrowhead", 0.05),
    Rule("feathers on the end", 0.05),
    Rule("only dark feathers", -0.01),
    Rule("smoked over fire while active", -0.02),
    Rule("only personalised arrows", 0.0),
    Rule("1.4 to 1.7 m long", 0.0),
)


@dataclasses.dataclass(frozen=True)
class Village(Parameters):
    """People learn each rule from their elders, forget it with a chance, and judge what it is worth."""

    people: int = count(60, "N", "people of a village")
    fidelity: float = probability(0.97, "f", "chance to learn the rule that the model follows")
    judgement: float = number(1.0, "s", "weight of payoffs in what people keep", low=0)
    conformity: float = number(1.0, "a", "above 1: the more frequent is copied more often than it is met", low=0)
    punishment: float = number(0.0, "p", "lost by who breaks a rule if all others follow it", low=0)
    invention: float = probability(0.0, "nu", "chance that one who has not the rule finds it")


def after(village: Village, share: np.ndarray | float, worth: np.ndarray | float) -> np.ndarray:
    """The share of followers one generation later: copy, forget and find, then keep by payoff.

    copy     x^a / (x^a + (1 - x)^a), which is x where a = 1
    forget   with chance 1 - f;   find with chance nu
    keep     the odds change by exp(s (worth + p x)): what the rule is worth, and what followers do to the others
    With s = 0 and a = 1 the share is f^t.
    """
    x = np.asarray(share, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        copied = np.where(
            (x > 0) & (x < 1), x**village.conformity / (x**village.conformity + (1 - x) ** village.conformity), x
        )
    learnt = village.fidelity * copied + village.invention * (1 - copied)
    odds = np.exp(village.judgement * (np.asarray(worth, float) + village.punishment * learnt))
    return np.asarray(learnt * odds / (learnt * odds + 1 - learnt))


def persist(village: Village, worths: np.ndarray, generations: int, seed: int, villages: int = 50) -> np.ndarray:
    """[T + 1, villages, rules] shares of followers in finite villages where all follow all rules at first.

    Each generation is drawn from the chance that `after` gives (Wright-Fisher).
    """
    if isinstance(generations, bool) or not isinstance(generations, int) or generations < 1:
        raise Refusal(f"generations is {generations!r}; a whole number of at least 1 would be right.")
    rng = np.random.default_rng(seed)
    out = np.ones((generations + 1, villages, len(worths)))
    for t in range(generations):
        out[t + 1] = rng.binomial(village.people, after(village, out[t], worths)) / village.people
    return out


def kept(village: Village, worth: float, generations: int = 20_000) -> float:
    """The share that follows in the long run of a large village, from all following."""
    share = np.ones(())
    for _ in range(generations):
        share, before = after(village, share, worth), share
        if abs(share - before) < 1e-14:
            break
    return float(share)
