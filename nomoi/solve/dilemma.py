"""Social dilemmas in 2 x 2 games: greed, fear, the classic types, and what stands on a knife's edge.

R both cooperate, S alone, T tempted, P neither.  The inequalities are those of Macy & Flache 2002 as Leibo et al.
2017 use them and the tutorial (Hadfield et al. 2024) shows them: R > P, R > S, and greed T > R or fear P > S.  The
fourth of that literature, 2R > T + S, the tutorial does not ask for; it is a flag of its own.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from nomoi.errors import Refusal
from nomoi.solve.exact import balance, tidy
from nomoi.solve.game import SIZES, NormalForm

# Fear only: the tutorial names the first; the others as Robinson & Goforth 2005 and Bruns 2015 name them.
NAMES = ("prisoners_dilemma", "chicken", "stag_hunt", "assurance", "coordination")


@dataclasses.dataclass(frozen=True)
class Dilemma:
    """One player's view of a 2 x 2 game: payoffs, inequalities (strict), name, strengths, and ties.

    turns_lose       2R > T + S: mutual cooperation beats taking turns at exploiting each other
    name             of the classic type where it is a dilemma, else None
    greed_strength   T - R;  fear_strength  P - S;  k_index  (R - P) / (T - S), NaN where T = S (Rapoport)
    knife_edges      what a small change of a payoff would decide, such as "2R = T + S"; where both fear and trust
                     (R > T) are there, "R - T = P - S" says that in a symmetric game neither convention risk-dominates
    """

    R: float
    S: float
    T: float
    P: float
    coop_beats_defect: bool
    coop_beats_sucker: bool
    greed: bool
    fear: bool
    turns_lose: bool
    name: str | None
    greed_strength: float
    fear_strength: float
    k_index: float
    knife_edges: tuple[str, ...]

    @property
    def dilemma(self) -> bool:
        """The tutorial's test."""
        return self.coop_beats_defect and self.coop_beats_sucker and (self.greed or self.fear)

    @property
    def strict(self) -> bool:
        """The tutorial's test and the fourth inequality."""
        return self.dilemma and self.turns_lose


def classify(R: float, S: float, T: float, P: float) -> Dilemma:
    """From the four payoffs, compared as exact numbers; what differs by dust (see solve.exact) counts as equal."""
    four = {"R": float(R), "S": float(S), "T": float(T), "P": float(P)}
    for name, value in four.items():
        if not abs(value) <= SIZES[1]:
            raise Refusal(f"{name} is {value}; each of R, S, T and P must be a finite number, at most {SIZES[1]:g}.")
    R, S, T, P = four.values()
    above = lambda x, y: balance(x, -y) > 0  # noqa: E731
    better, kept, greed, fear = above(R, P), above(R, S), above(T, R), above(P, S)
    ties = [f"{a} = {b}" for a, b in itertools.combinations(four, 2) if not balance(four[a], -four[b])]
    turns = balance(2 * R, -T, -S)
    if not turns:
        ties.append("2R = T + S")
    if above(R, T) and fear and not balance(R, -T, -P, S):
        ties.append("R - T = P - S")
    name = None
    if better and kept and (greed or fear):
        if greed:
            name = "prisoners_dilemma" if fear else "chicken"
        else:
            name = "stag_hunt" if above(T, P) else "assurance" if above(T, S) else "coordination"
    k = (R - P) / (T - S) if balance(T, -S) else np.nan
    return Dilemma(R, S, T, P, better, kept, greed, fear, turns > 0, name, T - R, P - S, float(k), tuple(ties))


def words(name: str) -> str:
    """A type's name as people write it."""
    return name.replace("prisoners", "prisoner's").replace("_", " ")


@dataclasses.dataclass(frozen=True)
class Labelling:
    """Which action each player is said to cooperate by, and what then is each one's dilemma (row, column)."""

    cooperate: tuple[int, int]
    views: tuple[Dilemma, Dilemma]

    @property
    def dilemma(self) -> bool:
        """Whether both players satisfy the tutorial's test."""
        return all(v.dilemma for v in self.views)

    @property
    def name(self) -> str | None:
        """The type where both players see the same one."""
        return self.views[0].name if self.dilemma and self.views[0].name == self.views[1].name else None


def labellings(game: NormalForm) -> tuple[Labelling, ...]:
    """The four ways to say which action of each is to cooperate."""
    if game.shape != (2, 2):
        raise Refusal(f"{game.title} is {' x '.join(map(str, game.shape))}; R, S, T and P are for 2 x 2 games.")
    row, column = game.exact
    out = []
    for c, k in itertools.product(range(2), repeat=2):
        d, e = 1 - c, 1 - k
        mine = classify(row[c, k], row[c, e], row[d, k], row[d, e])
        theirs = classify(column[c, k], column[d, k], column[c, e], column[d, e])
        out.append(Labelling((c, k), (mine, theirs)))
    return tuple(out)


def symmetric(game: NormalForm) -> bool:
    """Whether two players are in the same place, but for dust: each gets what the other would in its stead."""
    if game.n != 2 or game.shape[0] != game.shape[1]:
        return False
    both = tidy(np.stack([game.payoff[0], game.payoff[1].T]))
    return bool((both[0] == both[1]).all())


def best_labelling(game: NormalForm) -> Labelling:
    """The first that makes both satisfy the test (as given if it does); else, as given, or with R > P if symmetric."""
    all_four = labellings(game)
    for one in all_four:
        if one.dilemma:
            return one
    if symmetric(game) and all_four[0].views[0].P > all_four[0].views[0].R:
        return all_four[-1]
    return all_four[0]
