"""Effects in a full factorial: all 2^k ways to have or to lack each of k factors, and what came of each.

A *combination* is a number from 0 to 2^k - 1 whose bit j says whether factor j is there; a *table* [2^k] or
[2^k, places] has what came of every one.  All of this is arithmetic on tables, whatever the factors are.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from nomoi.errors import Refusal
from nomoi.measure.statistics import Estimate, estimate

MOST = 20  # factors: a million combinations (ours)
DRAWS, LEAST = 24, 22  # draws that a claim is tried on, and in how many of them it must have its sign (ours)
DUST = 0.01  # effects that are no larger have no sign (ours)
HELPS, HARMS, DEPENDS, UNTESTED = "helps", "harms", "depends", "not tested"


def factors(table: np.ndarray) -> int:
    """How many factors a table has; refused where its length is no power of two."""
    k = len(table).bit_length() - 1
    if len(table) != 1 << k or not 1 <= k <= MOST:
        raise Refusal(f"a table of {len(table)} combinations is no full factorial; 2, 4, 8, ... up to 2^{MOST} are.")
    return k


def present(k: int) -> np.ndarray:
    """[2^k, k] bool: which factors each combination has."""
    return (np.arange(1 << k)[:, None] >> np.arange(k)) & 1 == 1


def sizes(k: int) -> np.ndarray:
    """[2^k] int: how many factors each combination has."""
    return present(k).sum(1)


def name(combination: int, names: Sequence[str]) -> str:
    """A combination in words: "1A+2A"; "none" where it has no factor."""
    return "+".join(n for j, n in enumerate(names) if combination >> j & 1) or "none"


def _without(k: int, *some: int) -> np.ndarray:
    """The combinations that lack all of some factors."""
    return np.flatnonzero(~present(k)[:, list(some)].any(1))


def main(table: np.ndarray) -> np.ndarray:
    """[k, ...] mean with a factor less the mean without it, over all combinations of the others."""
    k = factors(table)
    lacks = [_without(k, j) for j in range(k)]
    return np.stack([(table[a | 1 << j] - table[a]).mean(0) for j, a in enumerate(lacks)])


def over_places(table: np.ndarray) -> list[Estimate]:
    """The main effect of each factor on [2^k, places], with its interval over places: these are drawn, runs are not."""
    if table.ndim != 2:
        raise Refusal(f"a table of shape {list(table.shape)} has no places; [2^k, places] would be right.")
    return [estimate(one) for one in main(table)]


def interactions(table: np.ndarray) -> np.ndarray:
    """[k, k, ...] by how much one factor's effect is larger where the other is there; 0 on the diagonal.

    Above 0 the two are complements, below 0 substitutes.
    """
    k = factors(table)
    out = np.zeros((k, k, *table.shape[1:]))
    for i in range(k):
        for j in range(i):
            a = _without(k, i, j)
            x, y = 1 << i, 1 << j
            out[i, j] = out[j, i] = (table[a | x | y] - table[a | x] - table[a | y] + table[a]).mean(0)
    return out


def shapley(table: np.ndarray) -> np.ndarray:
    """[k, ...] what each factor adds, mean over all orders in which they may come (Shapley 1953).

    They add up to the value of all less the value of none.
    """
    k, size = factors(table), sizes(factors(table))
    weight = np.array([math.factorial(s) * math.factorial(k - s - 1) / math.factorial(k) for s in range(k)])
    lacks = [_without(k, j) for j in range(k)]
    added = [np.tensordot(weight[size[a]], table[a | 1 << j] - table[a], 1) for j, a in enumerate(lacks)]
    return np.stack(added)


def by_size(table: np.ndarray) -> np.ndarray:
    """[k + 1, ...] mean over the combinations of 0, 1, ..., k factors."""
    k = factors(table)
    return np.stack([table[sizes(k) == s].mean(0) for s in range(k + 1)])


def necessity(table: np.ndarray, *any_of: int) -> np.ndarray | float:
    """How far success is there only where a factor is: of all success, the share with it, in [0, 1] (Ragin 2006).

    [k], a factor each; with `any_of`, of having at least one of these.  One half says nothing: half of all
    combinations have a factor.  NaN where nothing ever succeeds.
    """
    k = factors(_success(table))
    total = table.sum() or np.nan
    if any_of:
        return float(table[present(k)[:, list(any_of)].any(1)].sum() / total)
    return (present(k) * table[:, None]).sum(0) / total


def sufficiency(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Consistency [2^k] and coverage [2^k] of every conjunction of factors being there (Ragin 2006).

    consistency   how much success there is, of 1, where at least these factors are
    coverage      of all success, the share that is there (NaN where nothing ever succeeds)
    """
    k = factors(_success(table))
    held, count = table.astype(float), np.ones(len(table))
    for j in range(k):  # sums over supersets, one factor at a time
        a = _without(k, j)
        held[a] += held[a | 1 << j]
        count[a] += count[a | 1 << j]
    return held / count, held / (table.sum() or np.nan)


def minimal(consistency: np.ndarray, least: float = 0.8) -> list[int]:
    """The sufficient conjunctions (consistency >= least) of which no factor can be left out, smallest first."""
    k = factors(consistency)
    fine = consistency >= least
    needed = lambda c: all(not fine[c ^ 1 << j] for j in range(k) if c >> j & 1)  # noqa: E731
    return sorted((int(c) for c in np.flatnonzero(fine) if needed(c)), key=lambda c: (c.bit_count(), -consistency[c]))


def _success(table: np.ndarray) -> np.ndarray:
    """A table [2^k] of success, each from 0 to 1 (a share of runs)."""
    if table.ndim != 1 or not ((table >= 0) & (table <= 1)).all():
        raise Refusal("necessity and sufficiency are of success, one number from 0 to 1 a combination.")
    return table


@dataclasses.dataclass(frozen=True)
class Judged:
    """A claim about the sign of an effect, and what of it holds.

    up, down   in how many draws the effect is above DUST, and below -DUST;  draws  how many there are
    against    the first check that does not bear the sign out, in words; empty where all do
    """

    up: int
    down: int
    draws: int
    verdict: str
    against: str = ""


def judge(draws: Sequence[float], checks: Mapping[str, float]) -> Judged:
    """What may be said of an effect: it *helps* or *harms* only if that is so in LEAST of DRAWS draws of what was
    invented and in every one of `checks` (such as either kind of people, and a longer horizon); else it *depends*.

    An effect that is not defined has no sign.  With fewer draws than DRAWS it is not tested, unless it depends already.
    """
    found = np.asarray(draws, float)
    up, down = int((found > DUST).sum()), int((found < -DUST).sum())
    need = math.ceil(len(found) * LEAST / DRAWS)
    sign = 1 if up >= need and up > down else -1 if down >= need and down > up else 0
    if not sign:
        verdict = DEPENDS if min(up, down) > DRAWS - LEAST or len(found) >= DRAWS else UNTESTED
        return Judged(up, down, len(found), verdict, "draws")
    against = next((f"{what}: {value:.2g}" for what, value in checks.items() if not sign * value > DUST), "")
    if against:
        return Judged(up, down, len(found), DEPENDS, against)
    verdict = UNTESTED if len(found) < DRAWS else HELPS if sign > 0 else HARMS
    return Judged(up, down, len(found), verdict)


def hypercube(ranges: Mapping[str, tuple[float, float]], draws: int, seed: int = 0) -> list[dict[str, float]]:
    """A Latin hypercube (McKay et al. 1979): each range is cut in `draws` parts, with one point in each."""
    rng = np.random.default_rng(seed)
    part = {n: (rng.permutation(draws) + rng.random(draws)) / draws for n in ranges}
    return [{n: float(low + part[n][d] * (high - low)) for n, (low, high) in ranges.items()} for d in range(draws)]
