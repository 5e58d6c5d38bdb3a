"""How much of a picture of opinion would come again: with other people, another seed, another reading."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from nomoi.voices.consensus import consensus, tally
from nomoi.voices.groups import WAYS, Grouping, group, rand
from nomoi.voices.votes import Votes

SHARE = 0.8  # of the people, drawn without return (ours)
SEEN = (20, 10, 5, 1)  # votes that each of two groups must have on a statement to be compared, the most that leaves one
PERMUTATIONS = 400  # (ours): p is at least 1 / 401
CHANCE = 0.05  # p above which ids of groups are no better than a split at random (ours)


@dataclasses.dataclass(frozen=True)
class Chance:
    """Whether groups differ in their votes more than a split at random of the same people into groups as large.

    apart   mean squared difference of the groups' shares of agreement;  expected  its mean over random splits
    p       share of random splits that differ as much (one added to both counts);  statements  compared
    """

    apart: float
    expected: float
    p: float
    statements: int

    @property
    def scrambled(self) -> bool:
        """No better than chance: the ids do not belong to these votes."""
        return not self.p <= CHANCE


def permuted(votes: Votes, labels: np.ndarray, times: int = PERMUTATIONS, seed: int = 0) -> Chance:
    """The permutation test of ids of groups against the votes that they are said to be of."""
    there = labels >= 0
    agree, seen = (votes.cast[there] == 1).astype(np.float32), votes.seen[there].astype(np.float32)
    own = labels[there]
    k = int(own.max()) + 1 if len(own) else 0
    member = (own == np.arange(k)[:, None]).astype(np.float32)
    asked = member @ seen
    for least in SEEN:
        enough = asked >= least
        if k > 1 and ((enough[:, None] & enough[None]) & ~np.eye(k, dtype=bool)[..., None]).any():
            break
    else:
        return Chance(np.nan, np.nan, np.nan, 0)
    observed = _apart(agree, seen, own, k, least)
    rng = np.random.default_rng(seed)
    drawn = np.array([_apart(agree, seen, rng.permutation(own), k, least) for _ in range(times)])
    drawn = drawn[np.isfinite(drawn)]
    p = (1 + (drawn >= observed).sum()) / (1 + len(drawn))
    return Chance(float(observed), float(drawn.mean()), float(p), int((enough.sum(0) >= 2).sum()))


def _apart(agree: np.ndarray, seen: np.ndarray, own: np.ndarray, k: int, least: int) -> float:
    """Mean over statements and pairs of groups with enough votes of the squared difference of shares of agreement."""
    member = (own == np.arange(k)[:, None]).astype(np.float32)
    asked = member @ seen
    share = (member @ agree) / np.maximum(asked, 1)
    squared, count = 0.0, 0
    for a in range(k):
        for b in range(a):
            both = (asked[a] >= least) & (asked[b] >= least)
            squared += float(((share[a] - share[b])[both].astype(float) ** 2).sum())
            count += int(both.sum())
    return squared / count if count else float("nan")


@dataclasses.dataclass(frozen=True, eq=False)
class Stability:
    """draws of a share of the people, grouped anew.

    k          how often each number of groups was best;  alike  [draws] adjusted Rand index with the whole
    admitted   [draws] Jaccard index of what passes with what passes in the whole, by the whole's groups
    regrouped  [draws] the same where each draw makes its own groups
    passes     [statements] share of draws in which a statement passes, by the whole's groups
    beside     [people] share of draws that put a person with whom the whole puts them; NaN for who is in no group
    seeds      [seeds] Rand index of the whole grouped with another seed;  ways  of each other reading of the pipeline
    """

    k: Mapping[int, int]
    alike: np.ndarray
    admitted: np.ndarray
    regrouped: np.ndarray
    passes: np.ndarray
    beside: np.ndarray
    seeds: np.ndarray
    ways: np.ndarray


def jaccard(one: np.ndarray, other: np.ndarray) -> float:
    """How far two sets (masks) are one: shared over all of either; 1 where both are empty."""
    either = (one | other).sum()
    return float((one & other).sum() / either) if either else 1.0


def stability(
    votes: Votes, labels: np.ndarray, own: Grouping, passing: Callable[[Votes, np.ndarray], np.ndarray],
    draws: int = 20, seed: int = 0, forced: int | None = None,
) -> Stability:  # fmt: skip
    """`labels` are the groups that consensus is taken over, `own` what the pipeline makes of the votes itself.

    passing(votes, labels) gives which statements pass.  With `forced` groups each draw makes as many.
    """
    rng = np.random.default_rng(seed)
    n = len(votes.people)
    whole = passing(votes, labels)
    ks: dict[int, int] = {}
    alike, admitted, regrouped, passes = [], [], [], np.zeros(len(votes.statements))
    together, counted = np.zeros(n), np.zeros(n)
    for draw in range(draws):
        some = np.sort(rng.permutation(n)[: max(1, round(SHARE * n))])
        part = votes.of(some)
        again = group(part, forced, seed=draw)
        ks[again.k] = ks.get(again.k, 0) + 1
        alike.append(rand(own.labels[some], again.labels))
        now = passing(part, labels[some]) if (labels[some] >= 0).any() else np.zeros_like(whole)
        admitted.append(jaccard(now, whole))
        passes += now
        anew = passing(part, again.labels) if (again.labels >= 0).any() else np.zeros_like(whole)
        regrouped.append(jaccard(anew, whole))
        same, known = _beside(own.labels[some], again.labels)
        together[some] += same
        counted[some] += known
    beside = np.divide(together, counted, out=np.full(n, np.nan), where=counted > 0)
    seeds = (
        [rand(own.labels, group(votes, own.k, s, where=own.plane).labels) for s in range(1, draws + 1)]
        if own.k > 1
        else []
    )
    ways = [rand(own.labels, group(votes, own.k, way=way).labels) for way in WAYS[1:]] if own.k > 1 and draws else []
    return Stability(dict(sorted(ks.items())), np.array(alike), np.array(admitted), np.array(regrouped),
                     passes / max(draws, 1), beside, np.array(seeds), np.array(ways))  # fmt: skip


def _beside(whole: np.ndarray, again: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[people] whether the group a person is in again is the one in which most of their own group are; who counts."""
    same, known = np.zeros(len(whole)), (whole >= 0) & (again >= 0)
    for g in np.unique(whole[known]):
        mine = known & (whole == g)
        home = np.bincount(again[mine]).argmax()
        same[mine] = again[mine] == home
    return same, known.astype(float)


def by_groups(votes: Votes, own: Grouping, mode: str, above: float, most_groups: int = 5) -> dict[int, tuple[int, int]]:
    """How far the number of groups decides: k -> (statements past `above`, past the same for the mean of groups).

    The second bound is above^(1/2) for the k-th root: what two groups would need each, whatever the number of groups.
    """
    out = {}
    for k in range(2, most_groups + 1):
        found = group(votes, k, where=own.plane) if k <= own.plane.kept.sum() else own
        if found.k != k:
            continue
        counted = tally(votes, found.labels)
        value = consensus(counted, mode)
        rooted = value ** (1 / k) if mode == "polis" else value
        bar = above**0.5 if mode == "polis" else above
        out[k] = (int((value >= above).sum()), int((rooted >= bar).sum()))
    return out
