"""Where dynamics of games come to rest, whether they stay there, and from how many starts they get there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from nomoi.errors import Refusal
from nomoi.solve.dynamics import Rule, State, flow, path, replicator, tables
from nomoi.solve.exact import null, tidy, whole
from nomoi.solve.game import NormalForm


def jacobian(field: Callable[[State], State], point: Sequence[np.ndarray]) -> np.ndarray:
    """Derivatives [D, D] of a smooth field at a point ([A_i] each, D in all), on the space where sums stay the same.

    By a complex step (Squire & Trapp 1998), exact to rounding: the rules replicator, mutating and logit are analytic.
    """
    sizes = [len(x) for x in point]
    at, cuts = np.concatenate(point).astype(complex), np.cumsum(sizes)[:-1]
    moved = at[:, None] + 1e-20j * np.eye(len(at))  # one column a direction
    out = np.concatenate(field(tuple(np.split(moved, cuts)))).imag / 1e-20
    basis = np.zeros((len(at), len(at) - len(sizes)))
    row = column = 0
    for k in sizes:
        # orthonormal directions in which the sum does not change
        q = np.linalg.qr(np.column_stack([np.ones(k), np.eye(k)[:, : k - 1]]))[0][:, 1:]
        basis[row : row + k, column : column + k - 1] = q
        row, column = row + k, column + k - 1
    return basis.T @ out @ basis


@dataclasses.dataclass(frozen=True, eq=False)
class RestPoint:
    """Where the replicator stands still: strategies [A_i] of each population, eigenvalues, and what they make it.

    kind   sink, source, saddle, centre (all real parts 0, none of the values 0) or degenerate (some value is 0, or real
           parts are 0 beside others of one sign: the linear part does not decide)
    """

    strategies: tuple[np.ndarray, ...]
    eigenvalues: np.ndarray
    kind: str
    nash: bool


DUST = 1e-9  # of the largest slope within a support: parts of eigenvalues that are smaller are 0 (ours)
MOST = 8  # actions; supports grow as 2^A, pairs of them as 4^A (ours)


def rest_points(game: NormalForm, one: bool = False) -> tuple[RestPoint, ...]:
    """All isolated rest points of the replicator of a game of two, pure ones first.

    A point of support S, T has all actions of S equally good against the other's, and solves a linear system; supports
    of unlike size, and singular systems, belong to lines of rest points, which are left out.
    """
    if game.n != 2 or max(game.shape) > MOST:
        raise Refusal(f"rest points are found for two players and up to {MOST} actions; {game.title} has "
                      f"{game.n} and {max(game.shape)}.")  # fmt: skip
    own = tables(game, one)
    whole_own = [whole(tidy(t)) for t in own]
    found = []
    for support in _supports(game.shape, one):
        mine, theirs = support * 2 if one else support
        asked = [(whole_own[0], mine, theirs)] + ([] if one else [(whole_own[1], theirs, mine)])
        sides = [side for side in (_indifferent(*a) for a in asked) if side is not None]
        if len(sides) == len(asked):
            point = tuple(side[0] for side in sides)[::-1]
            values = np.concatenate([side[1] for side in sides] + [_inner(own, support, point)])
            nash = all((side[1] <= 0).all() for side in sides)
            found.append(RestPoint(point, values, _kind(values), nash))
    return tuple(found)


def _inner(own: Sequence[np.ndarray], support: tuple[list[int], ...], point: State) -> np.ndarray:
    """Eigenvalues within the supports; parts that rounding explains are 0."""
    inside = tuple(x[s] for x, s in zip(point, support, strict=True))
    cut = [own[0][np.ix_(support[0], support[-1])]]
    cut += [own[1][np.ix_(support[1], support[0])]] if len(support) == 2 else []
    slopes = jacobian(flow(cut, replicator), inside)
    values, small = np.linalg.eigvals(slopes), DUST * np.abs(slopes).max(initial=0.0)
    real, imaginary = (np.where(np.abs(part) <= small, 0.0, part) for part in (values.real, values.imag))
    return real + 1j * imaginary


def _supports(shape: Sequence[int], one: bool) -> list[tuple[list[int], ...]]:
    subsets = [[[a for a in range(k) if m >> a & 1] for m in range(1, 2**k)] for k in shape]
    if one:
        return [(s,) for s in sorted(subsets[0], key=len)]
    pairs = [(s, t) for s in subsets[0] for t in subsets[1] if len(s) == len(t)]
    return sorted(pairs, key=lambda pair: len(pair[0]))


def _indifferent(
    table: tuple[list[list[int]], Fraction], own: list[int], other: list[int]
) -> tuple[np.ndarray, np.ndarray] | None:
    """The strategy [A_j] that uses all of `other` and against which the actions `own` bring the same; or None.

    And what each action that is not in `own` brings more, which is an eigenvalue: at what rate it grows from nothing.
    """
    rows, unit = table
    base = rows[own[0]]
    weights = null([[rows[a][j] - base[j] for j in other] for a in own[1:]], len(other))
    if not weights or min(weights) <= 0:
        return None
    total, out = sum(weights), np.zeros(len(base))
    out[other] = [w / total for w in weights]
    more = [sum((row[j] - base[j]) * w for j, w in zip(other, weights, strict=True))
            for a, row in enumerate(rows) if a not in own]  # fmt: skip
    return out, np.array([m * unit.numerator / (total * unit.denominator) for m in more], np.float64)


def _kind(values: np.ndarray) -> str:
    up, down = (values.real > 0).any(), (values.real < 0).any()
    if up and down:
        return "saddle"
    if (values == 0).any() or ((up or down) and (values.real == 0).any()):
        return "degenerate"
    return "source" if up else "sink" if down else "centre"


@dataclasses.dataclass(frozen=True, eq=False)
class Basins:
    """Shares of starts that end at each point (strategies [A_i] a population), their standard errors, and the rest."""

    points: tuple[tuple[np.ndarray, ...], ...]
    shares: np.ndarray
    errors: np.ndarray
    unsettled: float


def basins(
    game: NormalForm,
    starts: int,
    steps: int,
    rng: np.random.Generator,
    rule: Rule = replicator,
    one: bool = False,
    near: float = 0.01,
) -> Basins:
    """Where populations end that start anywhere (uniform on the simplex, each by itself), in float32.

    Ends are counted at the closest rest point no further than `near` in any share; at pure profiles only where there
    are more than two players.  Standard errors are binomial.
    """
    if starts < 1:
        raise Refusal(f"{starts} starts show nothing; 1 or more are needed.")
    sizes = [t.shape[0] for t in tables(game, one)]
    ends = path(game, [rng.dirichlet(np.ones(k), starts) for k in sizes], steps, rule, one=one, single=True)
    if game.n == 2:
        points = tuple(p.strategies for p in rest_points(game, one))
    else:
        points = tuple(tuple(np.eye(k)[a] for k, a in zip(sizes, at, strict=True)) for at in np.ndindex(*sizes))
    far = np.stack([np.max([np.abs(e[-1] - s).max(1) for e, s in zip(ends, p, strict=True)], 0) for p in points])
    closest = np.where(far.min(0) <= near, far.argmin(0), len(points))
    shares = np.bincount(closest, minlength=len(points) + 1) / starts
    kept = [k for k in range(len(points)) if shares[k]]
    share = shares[kept]
    return Basins(tuple(points[k] for k in kept), share, np.sqrt(share * (1 - share) / starts), float(shares[-1]))
