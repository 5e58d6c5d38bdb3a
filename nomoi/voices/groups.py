"""Groups of opinion: people as points in a plane by how they voted, and clusters of them (the pipeline of Polis).

A clustering is an assumption, not a finding: `nomoi.voices.stability` says how much of it another sample, another
seed or another reading of the same pipeline would give.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping

import numpy as np
from scipy.spatial.distance import cdist

from nomoi.errors import Refusal
from nomoi.voices.votes import Votes

VOTES = 7  # votes that place a person, or all where there are fewer statements (Small et al. 2021)
PEOPLE = 15  # if fewer have as many, those with the most votes up to this number (Small et al. 2021)
GROUPS, A_GROUP = 5, 12  # at most 5 groups, and one more than 2 for each 12 people (Small et al. 2021)
STARTS = 10  # of k-means, of which the best counts (ours)
ROUNDS = 100  # of k-means; it ends where no one moves (ours)


@dataclasses.dataclass(frozen=True)
class Way:
    """One reading of the pipeline, where its descriptions leave a choice.

    impute    what stands where one did not vote: means (of all voters of the statement), zeros, or kept (means of
              those who are placed)
    fit       whose votes give the axes: all, or kept
    sparsity  whether those who saw little are moved outwards, by sqrt(statements / votes)
    """

    impute: str = "means"
    fit: str = "all"
    sparsity: bool = True


WAYS = tuple(Way(*choice) for choice in itertools.product(("means", "zeros", "kept"), ("all", "kept"), (True, False)))


@dataclasses.dataclass(frozen=True, eq=False)
class Plane:
    """points [people, 2]; kept [people], who voted often enough to be placed; explained [2] share of the variance;
    axes [2, statements]."""

    points: np.ndarray
    kept: np.ndarray
    explained: np.ndarray
    axes: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Grouping:
    """labels [people], the largest group 0, and -1 for who is in none; silhouettes by number of groups."""

    labels: np.ndarray
    k: int
    silhouettes: Mapping[int, float]
    plane: Plane


def kept(votes: Votes) -> np.ndarray:
    """[people] who is placed.  Counted before anything is zeroed, or everybody would have votes on what is out."""
    counts = votes.counts
    need = min(VOTES, len(votes.statements))
    out = counts >= max(need, 1)
    if out.sum() < PEOPLE:
        most = np.argsort(-counts, kind="stable")[:PEOPLE]
        out[most[counts[most] > 0]] = True
    return out


def plane(votes: Votes, way: Way = Way()) -> Plane:
    """People in the plane of the first two principal components of their votes.

    Statements that are out are zeroed, not dropped, as Polis does.
    """
    cast, there = votes.cast.copy(), kept(votes)
    cast[:, votes.out] = 0
    fill = np.zeros(cast.shape[1])
    if way.impute != "zeros":
        source = cast[there] if way.impute == "kept" else cast
        seen = ~np.isnan(source)
        fill = np.where(seen, source, 0).sum(0) / np.maximum(seen.sum(0), 1)
    full = np.where(np.isnan(cast), fill, cast)
    basis = full[there] if way.fit == "kept" else full
    center = basis.mean(0) if len(basis) else np.zeros(cast.shape[1])
    axes, explained = _axes(basis - center)
    points = (full - center) @ axes.T
    if way.sparsity:
        points *= np.sqrt(cast.shape[1] / np.maximum(votes.counts, 1))[:, None]
    return Plane(points, there, explained, axes)


def _axes(centered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first two principal axes [2, columns], each with its largest entry positive, and their shares [2]."""
    rows, columns = centered.shape
    wide = columns > rows
    square = centered @ centered.T if wide else centered.T @ centered  # the smaller of the two has the same values
    values, vectors = np.linalg.eigh(square)
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    axes = np.zeros((2, columns))
    for a in range(min(2, len(values))):
        axis = centered.T @ vectors[:, a] if wide else vectors[:, a]
        size = np.linalg.norm(axis)
        if values[a] > 1e-12 * max(values[0], 1e-300) and size > 0:
            axis = axis / size
            axes[a] = axis * np.sign(axis[np.argmax(np.abs(axis))])
    total = values.sum()
    share = np.zeros(2)
    if total > 0:
        share[: min(2, len(values))] = values[:2] / total
    return axes, share


def group(votes: Votes, k: int | None = None, seed: int = 0, way: Way = Way(), where: Plane | None = None) -> Grouping:
    """Groups of those who are placed; as many as have the best silhouette, or `k`.

    `where` is the plane of these votes, if it is known.
    """
    where = where or plane(votes, way)
    points = where.points[where.kept]
    n = len(points)
    if n < 3:
        labels = np.where(where.kept, 0, -1)
        return Grouping(labels, 1 if n else 0, {}, where)
    choices = range(2, min(GROUPS, 2 + n // A_GROUP, n - 1) + 1) if k is None else [k]
    if k is not None and not 1 <= k <= n:
        raise Refusal(f"{k} groups cannot be made of the {n} people who voted often enough; 1 to {n} can.")
    distinct = len(np.unique(points, axis=0))
    apart = cdist(points, points)
    found: dict[int, np.ndarray] = {}
    scores: dict[int, float] = {}
    for count in choices:
        if count <= distinct:
            found[count] = means(points, count, seed)
            scores[count] = silhouette(apart, found[count])
    if not found:
        return Grouping(np.where(where.kept, 0, -1), 1, {}, where)
    best = max(found, key=lambda c: (scores[c], -c))
    labels = np.full(len(votes.people), -1)
    labels[where.kept] = _by_size(found[best])
    return Grouping(labels, best, scores, where)


def _by_size(labels: np.ndarray) -> np.ndarray:
    """The same groups, the largest first."""
    order = np.argsort(-np.bincount(labels), kind="stable")
    return np.argsort(order)[labels]


def means(points: np.ndarray, k: int, seed: int = 0, starts: int = STARTS) -> np.ndarray:
    """[N] labels of k-means (Lloyd 1982), the best of several starts by k-means++ (Arthur & Vassilvitskii 2007).

    All starts go side by side; centres are [starts, k, 2].
    """
    rng = np.random.default_rng(seed)
    n = len(points)
    centres = np.empty((starts, k, points.shape[1]))
    centres[:, 0] = points[rng.integers(n, size=starts)]
    near = np.full((starts, n), np.inf)
    for c in range(1, k):
        near = np.minimum(near, ((points - centres[:, c - 1 : c]) ** 2).sum(-1))
        heaped = np.cumsum(near, 1)
        drawn = (heaped < (rng.random(starts) * heaped[:, -1])[:, None]).sum(1)
        centres[:, c] = points[np.minimum(drawn, n - 1)]
    labels = np.full((starts, n), -1)
    for _ in range(ROUNDS):
        away = _away(points, centres)
        new = away.argmin(-1)
        if (new == labels).all():
            break
        labels = new
        place = (labels + k * np.arange(starts)[:, None]).ravel()
        size = np.bincount(place, minlength=starts * k)
        for axis in range(points.shape[1]):
            total = np.bincount(place, np.tile(points[:, axis], starts), starts * k)
            centres[..., axis] = (total / np.maximum(size, 1)).reshape(starts, k)
        for s, c in zip(*np.nonzero(size.reshape(starts, k) == 0), strict=True):
            centres[s, c] = points[away[s].min(-1).argmax()]  # one without people goes to who is farthest from any
    return labels[int(_away(points, centres).min(-1).sum(1).argmin())]


def _away(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """[starts, N, k] squared distances."""
    cross = points @ centres.reshape(-1, points.shape[1]).T
    square = (points**2).sum(1)[:, None] - 2 * cross + (centres**2).sum(-1).ravel()
    return square.reshape(len(points), *centres.shape[:2]).transpose(1, 0, 2)


def silhouette(apart: np.ndarray, labels: np.ndarray) -> float:
    """Mean silhouette (Rousseeuw 1987) from distances [N, N]; -1 where all are in one group."""
    k = int(labels.max()) + 1
    size = np.bincount(labels, minlength=k)
    if (size > 0).sum() < 2:
        return -1.0
    sums = apart @ (labels[:, None] == np.arange(k))  # [N, k]
    rows = np.arange(len(labels))
    own = sums[rows, labels] / np.maximum(size[labels] - 1, 1)
    other = np.where(size > 0, sums / np.maximum(size, 1), np.inf)
    other[rows, labels] = np.inf
    nearest = other.min(1)
    most = np.maximum(own, nearest)
    score = np.divide(nearest - own, most, out=np.zeros(len(labels)), where=most > 0)
    return float(np.where(size[labels] > 1, score, 0).mean())


def rand(one: np.ndarray, other: np.ndarray) -> float:
    """Adjusted Rand index (Hubert & Arabie 1985) of two labellings of the same people: 1 alike, 0 as by chance.

    Who is in no group (-1) in either is left out.
    """
    both = (one >= 0) & (other >= 0)
    a, b = np.unique(one[both], return_inverse=True)[1], np.unique(other[both], return_inverse=True)[1]
    if not len(a):
        return float("nan")
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), 1)
    pairs = lambda x: float((x * (x - 1) / 2).sum())  # noqa: E731
    same, rows, columns, every = pairs(table), pairs(table.sum(1)), pairs(table.sum(0)), pairs(np.array([len(a)]))
    chance = rows * columns / every if every else 0.0
    most = (rows + columns) / 2
    return 1.0 if most == chance else (same - chance) / (most - chance)
