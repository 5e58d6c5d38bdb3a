"""Nash equilibria: one door, several methods behind it, and a certificate on every answer.

Games of two: all equilibria, by enumerating the vertices of the best-response polytopes (small games: nomoi's own,
which lists every extreme point of degenerate games too; larger ones: quantecon).  Games of more: all pure equilibria,
and mixed ones as far as they are found.  Whatever found it, an answer counts only if nobody could gain by leaving it.
"""

from __future__ import annotations

import dataclasses
import itertools
import time
import warnings as warning
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from nomoi.errors import Refusal, nearest
from nomoi.solve import vertices
from nomoi.solve.game import NormalForm

CERTAIN = 1e-8  # the largest regret of an answer, as a share of the payoff range (spec games_markets A.4)
TIE = 1e-9  # payoffs that are nearer, as a share of the range, are equal (ours)
ENUMERABLE = 12  # actions of the larger side up to which quantecon enumerates vertices: 0.03 to 0.2 s (spec B.3)
STARTS = 40  # Lemke-Howson's first labels that are tried in larger games (ours)
SMALL = 20_000  # payoffs up to which a mixed equilibrium of three or more is sought (ours)

Profile = tuple[np.ndarray, ...]


@dataclasses.dataclass(frozen=True)
class Equilibria:
    """What was found.

    points        each a mixed strategy [A_i] for every player
    payoffs       [points, n]
    certificates  [points] the most anyone could gain by leaving, as a share of the payoff range; all <= 1e-8
    components    points (by number) that a continuum of equilibria joins; one each where there is none
    complete      whether these are all (in a degenerate game: all extreme ones)
    degenerate    whether some strategy has more best replies than actions in its support; None where not known
    """

    points: tuple[Profile, ...]
    payoffs: np.ndarray
    certificates: np.ndarray
    components: tuple[tuple[int, ...], ...]
    complete: bool
    degenerate: bool | None
    method: str
    seconds: float
    warnings: tuple[str, ...] = ()


def solve(game: NormalForm, method: str = "auto") -> Equilibria:
    """Nash equilibria by `method`; `auto` picks what is complete for the game's size.

    auto, pure, extreme (two players, small), vertex (quantecon), support (quantecon), lemke-howson (quantecon, one for
    each first label), mclennan-tourky (quantecon, one, any number of players), gambit (pygambit, exact, two players).
    """
    chosen = _auto(game) if method == "auto" else method
    if chosen not in METHODS:
        raise Refusal(f"there is no method {method!r}; {nearest(method, ['auto', *METHODS], 'method')}")
    if chosen in PAIRS and game.n != 2:
        raise Refusal(f"{chosen} is for two players and {game.title} has {game.n}; pure or mclennan-tourky would do.")
    begun = time.perf_counter()
    found, complete, degenerate, said = METHODS[chosen](game)
    points, certificates, dropped = _certified(game, found)
    seconds = time.perf_counter() - begun
    said = [*said, *_doubts(game, points, complete, degenerate)]
    if dropped:
        complete = False
        said.append(f"{dropped} answer(s) of {chosen} failed the regret certificate and were dropped.")
    payoffs = np.array([game.expected(p) for p in points]).reshape(len(points), game.n)
    groups = _components(points) if game.n == 2 else tuple((k,) for k in range(len(points)))
    return Equilibria(
        points, payoffs, certificates, groups, complete, degenerate, chosen, seconds, tuple(dict.fromkeys(said))
    )


def certificate(game: NormalForm, profile: Profile) -> float:
    """The most that anyone could gain by leaving, as a share of the payoff range; at most 1e-8 in an equilibrium."""
    return game.regret(profile) / game.range


def pure(game: NormalForm) -> list[tuple[int, ...]]:
    """All pure equilibria as action numbers: where everybody's action is a best reply to the others'."""
    best = [p >= p.max(i, keepdims=True) - TIE * game.range for i, p in enumerate(game.payoff)]
    return [tuple(map(int, a)) for a in np.argwhere(np.logical_and.reduce(best))]


def profile(game: NormalForm, actions: Iterable[int]) -> Profile:
    """Pure actions as mixed strategies."""
    return tuple(np.eye(k)[a] for k, a in zip(game.shape, actions, strict=True))


def strict(game: NormalForm, actions: tuple[int, ...]) -> bool:
    """Whether everybody would lose by leaving the pure equilibrium."""
    values = game.values(profile(game, actions))
    return all(np.sum(v >= v[a] - TIE * game.range) == 1 for v, a in zip(values, actions, strict=True))


Found = tuple[list[Profile], bool, bool | None, list[str]]  # points, complete, degenerate, warnings


def _auto(game: NormalForm) -> str:
    if game.n > 2:
        return "several"
    if min(game.shape) == 1 or vertices.bases(*game.shape) <= vertices.BASES:
        return "extreme"
    return "vertex" if max(game.shape) <= ENUMERABLE else "lemke-howson"


def _pure(game: NormalForm) -> Found:
    return [profile(game, a) for a in pure(game)], False, None, ["Mixed equilibria were not looked for."]


def _extreme(game: NormalForm) -> Found:
    if min(game.shape) == 1:  # one of them has no choice, so the other's best replies are the extreme points
        found = [profile(game, a) for a in pure(game)]
        return found, True, len(found) > 1, []
    size = vertices.bases(*game.shape)
    if size > 100 * vertices.BASES:
        raise Refusal(f"{game.title} is too large for the method extreme; vertex or lemke-howson would do.")
    got = vertices.extremes(*game.payoff)
    return list(got.points), True, got.degenerate, []


def _quantecon(name: str) -> Callable[[NormalForm], Found]:
    def enumerated(game: NormalForm) -> Found:
        theory = _theory()
        try:
            points = [tuple(p) for p in getattr(theory, name)(_scaled(theory, game))]
        except Exception as error:  # Qhull says so where a polytope is flat
            said = str(error).split("\n")[0]
            return _starts(game)[0], False, None, [f"Vertices could not be enumerated ({said}); Lemke-Howson was used."]
        return points, True, None, []

    return enumerated


def _lemke_howson(game: NormalForm) -> Found:
    found, tried = _starts(game)
    some = "each" if tried == sum(game.shape) else str(tried)
    return found, False, None, [f"One equilibrium was sought from {some} of the first labels; there may be others."]


def _starts(game: NormalForm) -> tuple[list[Profile], int]:
    theory = _theory()
    scaled, tries = _scaled(theory, game), min(sum(game.shape), STARTS)
    found = [profile(game, a) for a in pure(game)]
    for label in np.unique(np.linspace(0, sum(game.shape) - 1, tries).astype(int)):
        point, end = theory.lemke_howson(scaled, init_pivot=int(label), max_iter=100_000, full_output=True)
        if end.converged:
            found.append(tuple(point))
    return found, tries


def _mclennan_tourky(game: NormalForm) -> Found:
    theory = _theory()
    point = theory.mclennan_tourky(_scaled(theory, game), init=_middle(game), epsilon=1e-4, max_iter=500)
    return [_polished(game, tuple(point))], False, None, ["One equilibrium was sought; there may be others."]


def _several(game: NormalForm) -> Found:
    """Three or more: all pure ones, and one that McLennan and Tourky's method finds from the middle."""
    found, said = (
        [profile(game, a) for a in pure(game)],
        "Mixed equilibria of three or more players are not all listed.",
    )
    if game.payoff.size > SMALL:
        return found, False, None, ["Mixed equilibria were not looked for: the game is too large."]
    try:
        found += _mclennan_tourky(game)[0]
    except Refusal:
        said = "Mixed equilibria were not looked for: that needs pip install 'nomoi[games]'."
    return found, False, None, [said]


def _gambit(game: NormalForm) -> Found:
    try:
        import pygambit  # type: ignore[import-not-found]
    except ImportError:
        raise Refusal("pygambit is not installed here; without it the methods extreme and vertex remain.") from None
    arrays = [np.vectorize(_exact, otypes=[object])(p) for p in game.payoff]
    result = pygambit.nash.enummixed_solve(pygambit.Game.from_arrays(*arrays), rational=True)
    points = [
        tuple(np.array([float(x[s]) for s in player.strategies]) for player in x.game.players)
        for x in result.equilibria
    ]
    return points, True, None, []


def _exact(value: float) -> Any:
    from fractions import Fraction

    return Fraction(value).limit_denominator(10**9) if value % 1 else int(value)


METHODS: dict[str, Callable[[NormalForm], Found]] = {
    "pure": _pure,
    "extreme": _extreme,
    "vertex": _quantecon("vertex_enumeration"),
    "support": _quantecon("support_enumeration"),
    "lemke-howson": _lemke_howson,
    "mclennan-tourky": _mclennan_tourky,
    "several": _several,
    "gambit": _gambit,
}
PAIRS = ("extreme", "vertex", "support", "lemke-howson", "gambit")


def _theory() -> Any:
    try:
        with warning.catch_warnings():
            warning.simplefilter("ignore")
            import quantecon.game_theory as theory
    except ImportError:
        raise Refusal("this needs quantecon: pip install 'nomoi[games]'.") from None
    return theory


def _scaled(theory: Any, game: NormalForm) -> Any:
    """As quantecon's game, each player's payoffs brought to [0, 1], which moves no equilibrium."""
    players = []
    for i, p in enumerate(game.payoff):
        unit = (p - p.min()) / (np.ptp(p) or 1.0)
        players.append(theory.Player(np.ascontiguousarray(np.transpose(unit, [*range(i, game.n), *range(i)]))))
    return theory.NormalFormGame(players)


def _middle(game: NormalForm) -> Any:
    return tuple(np.full(a, 1.0 / a) for a in game.shape)


def _polished(game: NormalForm, point: Profile) -> Profile:
    """Near an equilibrium: the strategies on the same supports that make everybody indifferent exactly."""
    from scipy.optimize import root

    supports = [np.flatnonzero(x > 1e-3) for x in point]
    cuts = np.cumsum([len(s) for s in supports])[:-1]

    def spread(flat: np.ndarray) -> Profile:
        out = []
        for x, s, part in zip(point, supports, np.split(flat, cuts), strict=True):
            full = np.zeros(len(x))
            full[s] = part
            out.append(full)
        return tuple(out)

    def gap(flat: np.ndarray) -> np.ndarray:
        mixed = spread(flat)
        rows = [
            np.append(np.diff(v[s]), x.sum() - 1) for v, s, x in zip(game.values(mixed), supports, mixed, strict=True)
        ]
        return np.concatenate(rows)

    start = np.concatenate([x[s] for x, s in zip(point, supports, strict=True)])
    found = spread(root(gap, start, tol=1e-14).x)
    return found if all(np.isfinite(x).all() for x in found) else point


def _certified(game: NormalForm, found: list[Profile]) -> tuple[tuple[Profile, ...], np.ndarray, int]:
    """Those that are equilibria, each once, in a fixed order; their certificates; how many were dropped."""
    kept: list[Profile] = []
    marks, dropped = [], 0
    for point in found:
        whole = all(x.min() > -CERTAIN and abs(x.sum() - 1) < CERTAIN for x in point)
        point = tuple(np.maximum(x, 0) / np.maximum(x, 0).sum() for x in point) if whole else point
        mark = certificate(game, point) if whole else np.inf
        if not mark <= CERTAIN:
            dropped += 1
        elif not any(all(np.abs(x - y).max() < 1e-7 for x, y in zip(point, other, strict=True)) for other in kept):
            kept.append(point)
            marks.append(mark)
    order = sorted(range(len(kept)), key=lambda k: _order(kept[k]))
    return tuple(kept[k] for k in order), np.array([marks[k] for k in order]), dropped


def _order(point: Profile) -> Any:
    """Pure ones first, then by the first actions' shares."""
    return sum(int((x > TIE).sum()) for x in point), [-round(float(v), 9) for x in point for v in x]


def _doubts(game: NormalForm, points: tuple[Profile, ...], complete: bool, degenerate: bool | None) -> list[str]:
    """What a reader must know of the list: degenerate, even in number, not whole."""
    out = []
    if degenerate or (degenerate is None and _degenerate_at(game, points)):
        out.append("The game is degenerate (some strategy has more best replies than actions in its support): only "
                   "extreme points are listed; a continuum of equilibria joins those of one component.")  # fmt: skip
    elif complete and game.n == 2 and len(points) % 2 == 0:
        out.append(f"{len(points)} equilibria were found, and games that are not degenerate have an odd number: the "
                   "game is degenerate, or some are missing.")  # fmt: skip
    return out


def _degenerate_at(game: NormalForm, points: tuple[Profile, ...]) -> bool:
    """Whether a point or a pure strategy (of two players) has more best replies than there may be."""
    if game.n != 2:
        return False
    width = TIE * game.range
    rows, columns = game.payoff
    if any(((p >= p.max(0) - width).sum(0) > 1).any() for p in (rows, columns.T)):
        return True
    for point in points:
        replies = [int((v >= v.max() - width).sum()) for v in game.values(point)]
        if any(r > (x > TIE).sum() for r, x in zip(replies, reversed(point), strict=True)):
            return True
    return False


def _components(points: tuple[Profile, ...]) -> tuple[tuple[int, ...], ...]:
    """Groups of extreme points: two that share a player's strategy belong together, for all between them is too."""
    home = list(range(len(points)))
    for a, b in itertools.combinations(range(len(points)), 2):
        if any(np.abs(x - y).max() < 1e-7 for x, y in zip(points[a], points[b], strict=True)):
            home = [home[a] if h == home[b] else h for h in home]
    return tuple(tuple(k for k, h in enumerate(home) if h == g) for g in dict.fromkeys(home))
