"""How Nash equilibria are sought; `nomoi.solve.nash` checks what comes of it.

Every method takes a game and returns candidate points, whether they are all, whether the game is degenerate (None where
the method does not know), and what a reader must know.  quantecon and pygambit are imported when a method needs them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from nomoi.errors import Refusal
from nomoi.solve import crowds, late, vertices
from nomoi.solve.elimination import eliminate
from nomoi.solve.exact import fractions
from nomoi.solve.game import NormalForm
from nomoi.solve.pure import Profile, profile, pure

ENUMERABLE = 12  # actions of the larger side up to which quantecon enumerates vertices: 0.03 to 0.2 s, measured
LARGEST = 1_000_000  # sets of inequalities up to which nomoi's own enumeration is tried: 11 x 11 (ours; seconds)
STARTS = 40  # Lemke-Howson's first labels that are tried in larger games (ours)
KEPT = 4000  # pure equilibria that are kept of a game, as of vertices (ours): one of equal payoffs alone has millions
SMALL = 20_000  # payoffs up to which a mixed equilibrium of three or more is sought (ours)

Found = tuple[list[Profile], bool, bool | None, list[str]]  # points, complete, degenerate, warnings


def fitting(game: NormalForm) -> str:
    """The method that is complete for the game's size, or gets nearest to it."""
    if set(game.shape) == {1}:  # dominance has left one outcome
        return "dominance"
    if game.n > 2:
        return "several"
    if min(game.shape) == 1 or vertices.bases(*game.shape) <= vertices.BASES:
        return "extreme"
    return "vertex" if max(game.shape) <= ENUMERABLE else "lemke-howson"


def _pure(game: NormalForm) -> Found:
    found, said = _pures(game)
    if eliminate(game).solved:
        return found, True, False, []
    return found, False, None, [*said, "Mixed equilibria were not looked for."]


def _pures(game: NormalForm) -> tuple[list[Profile], list[str]]:
    """The pure equilibria as profiles, as many as are kept, and what a reader must know of it where there are more."""
    found = pure(game)
    few = [f"Only {KEPT:,} of {len(found):,} pure equilibria are kept, the first by number."] * (len(found) > KEPT)
    return [profile(game, a) for a in found[:KEPT]], few


def _dominance(game: NormalForm) -> Found:
    """The one outcome that iterated strict dominance leaves, which then is the only equilibrium."""
    left = eliminate(game)
    if not left.solved:
        many = ", ".join(str(len(mine)) for mine in left.kept)
        raise Refusal(f"{game.title} is not solved by dominance, which leaves its players {many} actions; auto or pure "
                      "would do.")  # fmt: skip
    return [profile(game, (mine[0] for mine in left.kept))], True, False, []


def _extreme(game: NormalForm) -> Found:
    if min(game.shape) == 1:  # one of them has no choice, so the other's best replies are the extreme points
        found, said = _pures(game)
        return found, not said, len(found) > 1, said
    if vertices.bases(*game.shape) > LARGEST:
        raise Refusal(f"{game.title} is too large for the method extreme; vertex or lemke-howson would do.")
    got = vertices.extremes(*game.exact)
    return list(got.points), True, got.degenerate, []


def _quantecon(name: str) -> Callable[[NormalForm], Found]:
    def enumerated(game: NormalForm) -> Found:
        theory = _theory()
        try:
            points = [tuple(p) for p in getattr(theory, name)(_scaled(theory, game))]
        except Exception as error:  # Qhull says so where a polytope is flat
            said = str(error).split("\n")[0]
            found, _, few = _starts(game)
            return found, False, None, [*few, f"Vertices could not be enumerated ({said}); Lemke-Howson was used."]
        return points, True, None, []

    return enumerated


def _lemke_howson(game: NormalForm) -> Found:
    found, tried, few = _starts(game)
    some = "each" if tried == sum(game.shape) else str(tried)
    said = f"One equilibrium was sought from {some} of the first labels; there may be others."
    return found, False, None, [*few, said]


def _starts(game: NormalForm) -> tuple[list[Profile], int, list[str]]:
    theory = _theory()
    scaled, tries = _scaled(theory, game), min(sum(game.shape), STARTS)
    found, few = _pures(game)
    for label in np.unique(np.linspace(0, sum(game.shape) - 1, tries).astype(int)):
        point, end = theory.lemke_howson(scaled, init_pivot=int(label), max_iter=100_000, full_output=True)
        if end.converged:
            found.append(tuple(point))
    return found, tries, few


def _mclennan_tourky(game: NormalForm) -> Found:
    theory = _theory()
    point = theory.mclennan_tourky(_scaled(theory, game), init=_middle(game), epsilon=1e-4, max_iter=500)
    return [_polished(game, tuple(point))], False, None, ["One equilibrium was sought; there may be others."]


def _several(game: NormalForm) -> Found:
    """Three or more: all pure ones; of crowds those in which everybody plays alike; one sought from the middle."""
    (found, few), crowd = _pures(game), crowds.read(game)
    found += [(np.array([x, 1 - x]),) * game.n for x in crowds.mixed(crowd)] if crowd else []
    if game.payoff.size > SMALL:
        why = "the game is too large"
    else:
        try:
            found += _mclennan_tourky(game)[0]
            return found, False, None, [*few, "Mixed equilibria of three or more players are not all listed."]
        except Refusal:
            why = "that needs pip install 'nomoi[games]'"
    kind = "Mixed equilibria in which players play unlike" if crowd else "Mixed equilibria"
    return found, False, None, [*few, f"{kind} were not looked for: {why}."]


def _gambit(game: NormalForm) -> Found:
    try:
        pygambit = late.module("pygambit")
    except ImportError:
        raise Refusal("pygambit is not installed here; without it the methods extreme and vertex remain.") from None
    arrays = [np.array(fractions(p.ravel()), object).reshape(game.shape) for p in game.exact]
    make = getattr(pygambit, "StrategicGame", pygambit.Game).from_arrays  # in version 17, and in 16
    result = pygambit.nash.enummixed_solve(make(*arrays), rational=True)
    return [_exactly(x, game.shape) for x in result.equilibria], True, None, []


def _exactly(found: Any, shape: tuple[int, ...]) -> Profile:
    """pygambit's profile as ours; it names players and strategies by numbers from 1."""
    try:  # version 17: players are labels
        parts = [[float(found[f"{i + 1}"][f"{k + 1}"]) for k in range(a)] for i, a in enumerate(shape)]
    except (KeyError, IndexError, TypeError, ValueError):  # version 16: players are objects
        parts = [[float(found[s]) for s in player.strategies] for player in found.game.players]
    return tuple(map(np.array, parts))


METHODS: dict[str, Callable[[NormalForm], Found]] = {
    "dominance": _dominance,
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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return late.module("quantecon.game_theory")
    except ImportError:
        raise Refusal("this needs quantecon: pip install 'nomoi[games]'.") from None


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
    root = late.module("scipy.optimize").root
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
