"""When a label stands in for what is meant: does a score that is fair about the proxy stay fair about the need?

Who is chosen by a score is compared at one score between groups: what they need, and what the proxy says of them
(Obermeyer et al. 2019; Mullainathan & Obermeyer 2021).  Nothing here knows what the columns mean.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from nomoi.errors import Refusal

FEW = 30  # people of a group in the chosen set, below which nothing is said of them


def percentiles(score: np.ndarray) -> np.ndarray:
    """[n] bins 1 to 100 between quantiles of the score (R's type 7), right-closed, the lowest included.

    Where several quantiles are one, their bins are one, and what is above is numbered as if they were not.
    """
    breaks = np.quantile(score, np.linspace(0, 1, 101))
    unique = np.unique(breaks)
    if len(unique) < 3:
        raise Refusal(
            "the score is the same for nearly all, so there are no percentiles; a score that varies is right."
        )
    inside = np.searchsorted(unique, score, side="left").clip(1, len(unique) - 1)
    return np.searchsorted(breaks, unique, side="left")[inside] if len(unique) < 101 else inside


@dataclasses.dataclass(frozen=True)
class Gap:
    """Compared minus reference at one score, pooled over deciles; with its standard error and what is in each decile.

    deciles, low, high   {group: [10]} means and 95 % intervals
    """

    mean: float
    error: float
    deciles: Mapping[str, np.ndarray]
    low: Mapping[str, np.ndarray]
    high: Mapping[str, np.ndarray]

    @property
    def z(self) -> float:
        """The gap in standard errors."""
        return (
            self.mean / self.error if self.error > 0 else 0.0 if self.mean == 0 else float(np.inf * np.sign(self.mean))
        )


def calibration(
    score: np.ndarray, outcome: np.ndarray, group: np.ndarray, names: tuple[str, str], weight: np.ndarray | None = None
) -> Gap:
    """An outcome by group in deciles of the score; the pooled gap weighs deciles by the smaller group's size in them.

    group   [n] 0 (reference) and 1 (compared);  weight   [n], each one's if all are alike
    """
    w = np.ones(len(score)) if weight is None else weight
    decile = np.minimum((percentiles(score) - 1) // 10, 9)
    cell = decile * 2 + group
    count = np.bincount(cell, w, 20).reshape(10, 2)
    people = np.bincount(cell, minlength=20).reshape(10, 2)
    with np.errstate(all="ignore"):
        mean = np.bincount(cell, w * outcome, 20).reshape(10, 2) / count
        spread = np.bincount(cell, w**2 * (outcome - mean.ravel()[cell]) ** 2, 20).reshape(10, 2) / count**2
        spread *= people / np.maximum(people - 1, 1)
    there = (people >= 2).all(1)
    if not there.any():
        raise Refusal("no decile of the score has two people of each group; more rows would be right.")
    share = np.where(there, count.min(1), 0.0)
    share = share / share.sum()
    gap = np.where(there, mean[:, 1] - mean[:, 0], 0.0)
    error = np.where(there, spread.sum(1), 0.0)
    half = 1.96 * np.sqrt(spread)
    table = lambda x: {name: x[:, k] for k, name in enumerate(names)}  # noqa: E731
    return Gap(
        float(share @ gap), float(np.sqrt(share**2 @ error)), table(mean), table(mean - half), table(mean + half)
    )


def swap(
    chosen: np.ndarray,
    score: np.ndarray,
    need: np.ndarray,
    group: np.ndarray,
    both: bool = True,
    order: tuple[np.ndarray, np.ndarray] | None = None,
) -> float:
    """The share of the compared group (1) among the chosen after sicker ones of it took the places of healthier others.

    The chosen of the reference group, the healthiest first, against those of the compared group not chosen, by score
    and then need, the highest first: where the other's need is higher, they change places.  With `both`, as the authors
    mended it, each is compared with the healthiest who is left; without, as it was in 2019, the place of whoever stays
    is passed over as well when one goes.
    `order`   indices of all, by need and by (score, need) downwards, where they were sorted before
    """
    by_need, by_score = order or (np.argsort(need, kind="stable"), np.lexsort((-need, -score)))
    inside = by_need[(chosen & (group == 0))[by_need]]
    outside = by_score[(~chosen & (group == 1))[by_score]]
    before = int((chosen & (group == 1)).sum())
    swaps = _walk(need[inside], need[outside], 1 if both else 2)
    return (before + swaps) / max(int(chosen.sum()), 1)


def _walk(leaving: np.ndarray, coming: np.ndarray, stride: int) -> int:
    """How many change places; the walk ends when one row is left on either side.

    leaving   needs of the chosen, upwards;  coming   needs of those not chosen, as they stand in line
    """
    place, swaps, rows = 0, 0, len(leaving)
    for k, need in enumerate(coming.tolist()):
        if rows - swaps <= 1 or place >= rows or len(coming) - k <= 1:
            break
        if leaving[place] < need:
            swaps += 1
            place += stride
    return swaps


def concentration(outcome: np.ndarray, top: np.ndarray, weight: np.ndarray) -> float:
    """The share of all of an outcome that falls to those on top."""
    total = float(weight @ outcome)
    return float((weight * top) @ outcome) / total if total else float("nan")


def highest(score: np.ndarray, share: float) -> np.ndarray:
    """[n] whether one is among the floor(share n) with the highest score; ties by the order of rows."""
    out = np.zeros(len(score), bool)
    out[np.argsort(-score, kind="stable")[: int(np.floor(share * len(score)))]] = True
    return out


@dataclasses.dataclass(frozen=True)
class Swapped:
    """The swap, and what it would be if groups were names alone.

    before, after   shares of the compared group among the chosen;  published   after, by the walk of 2019
    null, low, high   mean and 95 % band of `after` over shuffles of the groups;  excess   after - null
    p   the share of shuffles at least as high;  reversed   (before, after) with the groups' parts exchanged
    """

    before: float
    after: float
    published: float
    null: float
    low: float
    high: float
    excess: float
    p: float
    reversed: tuple[float, float]
    permutations: int


def swapped(
    score: np.ndarray, need: np.ndarray, group: np.ndarray, percentile: int, permutations: int, seed: int = 0
) -> Swapped:
    """The swap at a percentile, its two variants, its null and its mirror image."""
    chosen = percentiles(score) >= percentile
    order = np.argsort(need, kind="stable"), np.lexsort((-need, -score))
    ask = lambda g, both=True: swap(chosen, score, need, g, both, order)  # noqa: E731
    rng = np.random.default_rng(seed)
    null = np.array([ask(rng.permutation(group)) for _ in range(permutations)])
    after = ask(group)
    share = lambda g: float((g[chosen] == 1).mean())  # noqa: E731
    low, high = np.quantile(null, (0.025, 0.975)) if permutations else (np.nan, np.nan)
    mean = float(null.mean()) if permutations else float("nan")
    p = float((1 + (null >= after).sum()) / (1 + permutations))
    return Swapped(
        share(group),
        after,
        ask(group, False),
        mean,
        float(low),
        float(high),
        after - mean,
        p,
        (share(1 - group), ask(1 - group)),
        permutations,
    )


def compared(
    scores: Mapping[str, np.ndarray],
    outcomes: Mapping[str, np.ndarray],
    group: np.ndarray,
    weight: np.ndarray,
    share: float = 0.03,
) -> Mapping[str, Mapping[str, tuple[float, float]]]:
    """{score: {outcome: (its concentration on top, error), "group": (share of the compared group, error)}}."""
    n, out = len(group), {}
    for name, score in scores.items():
        top = highest(score, share)
        row = {o: concentration(v, top, weight) for o, v in outcomes.items()}
        row["group"] = _share(weight * top, group)
        out[name] = {k: (v, float(np.sqrt(max(v * (1 - v), 0) / n))) for k, v in row.items()}
    return out


def _share(weight: np.ndarray, group: np.ndarray) -> float:
    """Of all weight that of the compared group; NaN where there is none."""
    total = float(weight.sum())
    return float(weight @ group) / total if total else float("nan")


def capture(need: np.ndarray, score: np.ndarray, weight: np.ndarray, share: float = 0.03) -> tuple[float, float, float]:
    """The share of all need among those on top: by the score, at random, and by need itself."""
    by = lambda s: concentration(need, highest(s, share), weight)  # noqa: E731
    return by(score), share, by(need)


@dataclasses.dataclass(frozen=True)
class World:
    """People whose need is known, drawn by a model of ours: (score, need, proxy, group), all [n]."""

    score: np.ndarray
    need: np.ndarray
    proxy: np.ndarray
    group: np.ndarray


def draw(n: int = 48_784, handicap: float = 0.0, alike: bool = False, seed: int = 0) -> World:
    """A world like the published one, of nobody's data: two groups, needs from negative binomials, a noisy score.

    handicap   by how much the score of the compared group is lowered;   alike   both groups draw needs from one law
    The proxy (a cost) is what a fair accountant would see: what it is at one score is the same for both groups.
    """
    rng = np.random.default_rng(seed)
    group = (rng.random(n) < 0.1144).astype(int)
    mean, size = ((1.35, 1.35), (0.8, 0.8)) if alike else ((1.26, 2.06), (0.75, 0.95))
    need = np.zeros(n)
    for k in (0, 1):
        mine = group == k
        need[mine] = rng.negative_binomial(size[k], size[k] / (size[k] + mean[k]), int(mine.sum()))
    score = np.exp(0.8 * np.log1p(need) + 0.6 * rng.normal(size=n) - handicap * group)
    proxy = 2000 * score * np.exp(0.5 * rng.normal(size=n))
    return World(score, need, proxy, group)


def pairs(groups: Sequence[str], sizes: Sequence[int], asked: str = "") -> list[tuple[str, str]]:
    """(reference, compared): the pair that is asked for, or each smaller group against the largest."""
    if asked:
        names = [name.strip() for name in asked.split(",")]
        if len(names) != 2 or len(set(names)) < 2 or set(names) - set(groups):
            raise Refusal(
                f"--compare is {asked!r}; two of the groups, such as {groups[0]},{groups[1]}, would be right "
                f"(they are {', '.join(groups)})."
            )
        return [(names[0], names[1])]
    largest = groups[int(np.argmax(sizes))]
    return [(largest, name) for name in groups if name != largest]
