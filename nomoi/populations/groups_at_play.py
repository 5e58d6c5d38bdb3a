"""Groups that play the game of `nomoi.populations.punishment`, member by member, side by side in arrays.

For groups of kinds that no closed form covers, and as the check of those forms.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np
from scipy import stats

from nomoi.errors import Refusal
from nomoi.populations.engine import PEOPLE, select, streams, whole
from nomoi.populations.punishment import TYPES, Punishment

LONGEST = 100_000  # periods after which a group that goes on by chance is refused (ours)


def play(g: Punishment, members: str, groups: int, seed: int, periods: int | None = None) -> np.ndarray:
    """[groups, n] payoffs of each member of `groups` groups that all consist of `members`, such as "MMMU".

    Each group goes on with chance w after each period, or for `periods` periods where given (which has a far smaller
    error than a length left to chance).
    """
    if len(members) != g.size or set(members) - set(TYPES):
        raise Refusal(f"{members!r} are no {g.size} members; {g.size} letters of {TYPES} would be right.")
    groups = whole(groups, "groups")
    (rng,) = streams([seed], PEOPLE)
    left = rng.geometric(1 - g.again, groups) if periods is None else np.full(groups, whole(periods, "periods"))
    if left.max() > LONGEST:
        raise Refusal(f"a group would go on for {left.max():,} periods; a smaller w would be right.")
    left = -np.sort(-left)  # groups are alike, so those that go on longest may come first
    kind = np.array(list(members))
    willing, reluctant = kind != "U", kind == "R"
    strict, moral = np.isin(kind, ["P", "M"]), kind == "M"
    n, payoff = g.size, np.zeros((groups, g.size))
    coerced, tainted = np.zeros((groups, n), bool), np.zeros((groups, n), bool)
    apart = ~np.eye(n, dtype=bool)  # nobody punishes, or is blamed for, itself
    for period in range(int(left[0])):
        on = int(np.searchsorted(-left, -period))  # the first `on` groups go on
        coerced, tainted = coerced[:on], tainted[:on]
        gives = willing & (coerced | ~reluctant) & (rng.random((on, n)) >= g.error)
        bad = ~gives | tainted
        punish = strict[:, None] & np.where(moral[:, None], bad[:, None], ~gives[:, None]) & apart  # [G, by, whom]
        fined = punish.sum(1)
        gain = g.benefit / n * gives.sum(1, keepdims=True) - g.cost * gives
        payoff[:on] += gain - g.punished * fined - g.punishing * punish.sum(2)
        tainted = (bad[:, None] & ~punish & apart).any(2)
        coerced = coerced | (fined > 0)
    return payoff


@dataclasses.dataclass(frozen=True)
class Table:
    """Payoffs by who is in the group.

    types     letters, K of them
    groups    [C, K] how many of each type, all ways to fill a group of n
    payoff    [C, K] mean payoff of a member of each type in such a group (NaN where there is none);  error  likewise
    """

    types: str
    groups: np.ndarray
    payoff: np.ndarray
    error: np.ndarray

    def expected(self, x: np.ndarray) -> np.ndarray:
        """[K] mean payoff of each type where groups are drawn from a population of shares `x` [K]."""
        out = np.zeros(len(self.types))
        for k in range(len(self.types)):
            own = self.groups[:, k] > 0
            others = self.groups[own] - np.eye(len(self.types), dtype=int)[k]
            weight = stats.multinomial.pmf(others, self.groups[0].sum() - 1, x)
            out[k] = weight @ self.payoff[own, k]
        return out


def table(g: Punishment, types: str, groups: int, seed: int, periods: int | None = None) -> Table:
    """The payoff table of at most three types, each composition played by `groups` groups with the same seed."""
    if not 1 <= len(set(types)) == len(types) <= 3 or set(types) - set(TYPES):
        raise Refusal(f"{types!r} are no types for a table; one to three different letters of {TYPES} would be right.")
    filled = [c for c in itertools.product(range(g.size + 1), repeat=len(types)) if sum(c) == g.size]
    payoff, error = np.full((2, len(filled), len(types)), np.nan)
    for row, many in enumerate(filled):
        got = play(g, "".join(t * c for t, c in zip(types, many, strict=True)), groups, seed, periods)
        start = 0
        for k, c in enumerate(many):
            if c:
                mean = got[:, start : start + c].mean(1)
                payoff[row, k], error[row, k] = mean.mean(), mean.std(ddof=1) / np.sqrt(groups)
            start += c
    return Table(types, np.array(filled), payoff, error)


def replicate(
    payoff: Callable[[np.ndarray], np.ndarray], x: np.ndarray, generations: int, strength: float, mutation: float = 1e-4
) -> np.ndarray:
    """[T + 1, K] shares from `x` under x' ~ x (1 + s (W - mean W)), with mutation; `payoff(x)` gives W [K],
    such as `Table.expected`."""
    course = [np.asarray(x, float)]
    for _ in range(whole(generations, "generations")):
        now = course[-1]
        worth = np.asarray(payoff(now))
        course.append(select(now, 1 + strength * (worth - now @ worth), mutation))
    return np.array(course)
