"""Nash equilibria: one door, several methods behind it, and a certificate on every answer.

What iterated strict dominance rules out no equilibrium uses: it is left out first (`nomoi.solve.elimination`).  Games
of two, or in which two have a choice left: all equilibria, by enumerating the vertices of best-response polytopes
(small games: nomoi's own, in whole numbers, which lists every extreme point of degenerate games too; larger ones:
quantecon, and nomoi's own where the answer leaves a doubt).  Games of more: all pure equilibria, and mixed ones as far
as they are found.  Whatever found it, an answer counts only if nobody could gain by leaving it (see
nomoi.solve.certify).
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from typing import Any

import numpy as np

from nomoi.errors import Refusal, nearest
from nomoi.solve import late, vertices
from nomoi.solve.certify import CERTAIN, Judge, Verdict, gain
from nomoi.solve.elimination import Reduced, eliminate
from nomoi.solve.game import NormalForm
from nomoi.solve.methods import LARGEST, METHODS, PAIRS, fitting
from nomoi.solve.pure import Profile

SAME = 1e-7  # points in floating point that are nearer in every share are one (ours)
WIDE = 1e6  # differences of payoffs that are more unlike are too much for floating point (ours)


@dataclasses.dataclass(frozen=True)
class Equilibria:
    """What was found.

    points        each a mixed strategy [A_i] for every player
    payoffs       [points, n]
    certificates  [points] the most anyone could gain by leaving, as a share of what is at stake there; all <= 1e-8, and
                  0 where the equilibrium is proved in whole numbers
    components    points (by number) that a continuum of equilibria joins; one each where there is none
    complete      whether these are all (in a degenerate game: all extreme ones)
    degenerate    whether some strategy has more best replies than actions in its support, in what dominance leaves of
                  the game; None where not known
    seconds       of solving, without the import of packages
    reduced       what iterated strict dominance left out beforehand; None where a method was asked for by its name
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
    reduced: Reduced | None = None


def solve(game: NormalForm, method: str = "auto") -> Equilibria:
    """Nash equilibria by `method`; `auto` leaves out what is dominated and picks what is complete for the rest.

    auto, dominance (one outcome is left by it), pure, extreme (two players, small, exact), vertex (quantecon), support
    (quantecon), lemke-howson (quantecon, one for each first label), mclennan-tourky (quantecon, one, any number of
    players), several (all pure ones and what is found of mixed ones), gambit (pygambit, exact, two players).  Where
    what `auto` picked misses something or may, `extreme` is tried as well.
    """
    game.solvable()
    if method != "auto" and method not in METHODS:
        raise Refusal(f"there is no method {method!r}; {nearest(method, ['auto', *METHODS], 'method')}")
    if method in PAIRS and game.n != 2:
        raise Refusal(f"{method} is for two players and {game.title} has {game.n}; pure or mclennan-tourky would do.")
    begun, imports = time.perf_counter(), late.spent
    judge = Judge(game)
    if method == "auto":
        left = eliminate(game)
        method, found = _chosen(judge, left)
    else:
        left, found = None, _sought(judge, method)
    return found.listed(game, method, time.perf_counter() - begun - (late.spent - imports), left)


def _chosen(judge: Judge, left: Reduced) -> tuple[str, _Found]:
    """What is complete for the size of what is left, or gets nearest to it; a doubt is enumerated exactly."""
    method, found = fitting(left.game), None
    if method not in ("vertex", "lemke-howson"):
        return method, _sought(judge, method, left)
    if method == "vertex" and not _wide(left.game):
        with contextlib.suppress(Refusal):  # without quantecon
            found = _sought(judge, method, left)
    if found is None or not found.whole:
        with contextlib.suppress(Refusal):  # too large
            return "extreme", _sought(judge, "extreme", left)
    return method, found or _sought(judge, method, left)


def certificate(game: NormalForm, profile: Profile) -> float:
    """The most that anyone could gain by leaving, as a share of what is at stake there; at most 1e-8 in an equilibrium.

    See `nomoi.solve.certify.gain`.  Payoffs of other outcomes, however large, do not enter.
    """
    return gain(game, profile)


@dataclasses.dataclass(frozen=True)
class _Found:
    """What a method came to, after judgement."""

    verdicts: list[Verdict]
    complete: bool
    degenerate: bool | None
    said: list[str]

    @property
    def whole(self) -> bool:
        """Whether nothing hints that something is missing."""
        return self.complete and not self.degenerate and len(self.verdicts) % 2 == 1

    def listed(self, game: NormalForm, method: str, seconds: float, left: Reduced | None) -> Equilibria:
        points = tuple(v.point for v in self.verdicts)
        payoffs = np.array([v.payoffs for v in self.verdicts]).reshape(len(points), game.n)
        marks = np.array([v.gain for v in self.verdicts])
        who = left.players if left else tuple(range(game.n))
        groups = _components(self.verdicts, who) if len(who) == 2 else tuple((k,) for k in range(len(points)))
        said = [*self.said, *_doubts(game, len(who) == 2, points, self.complete, self.degenerate)]
        unique = tuple(dict.fromkeys(said))
        return Equilibria(points, payoffs, marks, groups, self.complete, self.degenerate, method, seconds, unique, left)


def _sought(judge: Judge, method: str, left: Reduced | None = None) -> _Found:
    """The method's answers (in what is left of the game) that are equilibria, each once, in a fixed order."""
    left = left or Reduced(judge.game, tuple(tuple(range(k)) for k in judge.game.shape), ())
    points, complete, degenerate, said = METHODS[method](game := left.game)
    kept: dict[Any, Verdict] = {}
    dropped = 0
    for point in map(left.back, points):
        verdict = judge(point)
        if verdict is None:
            dropped += 1
        else:
            kept.setdefault(_key(verdict), verdict)
    verdicts = sorted(kept.values(), key=_order)
    if degenerate is None and _degenerate(game, verdicts):
        degenerate, complete = True, False  # a method that does not know loses points of such games
    if dropped:
        complete, said = False, [*said, f"{dropped} answer(s) of {method} failed the certificate and were dropped."]
    return _Found(verdicts, complete, degenerate, said)


def _key(verdict: Verdict) -> tuple[Any, ...]:
    """By player, what is equal where two verdicts mean one strategy: exactly where proved, else to SAME."""
    return tuple(x.tobytes() if verdict.proved else (np.round(x / SAME) + 0.0).tobytes() for x in verdict.point)


def _order(verdict: Verdict) -> Any:
    """Pure ones first, then by the first actions' shares."""
    point = verdict.point
    return sum(int(np.count_nonzero(x)) for x in point), [-v for x in point for v in x.tolist()]


def _doubts(
    game: NormalForm, two: bool, points: tuple[Profile, ...], complete: bool, degenerate: bool | None
) -> list[str]:
    """What a reader must know of the list: degenerate, even in number, not whole."""
    out = []
    if degenerate:
        out.append("The game is degenerate (some strategy has more best replies than actions in its support): only "
                   "extreme points are listed; a continuum of equilibria joins those of one component.")  # fmt: skip
        if not complete and game.n == 2:
            fit = "methods extreme and gambit list" if vertices.bases(*game.shape) <= LARGEST else "method gambit lists"
            out.append(f"Not even all extreme points may be listed; the {fit} them.")
    elif complete and two and len(points) % 2 == 0:
        out.append(f"{len(points)} equilibria were found, and games that are not degenerate have an odd number: the "
                   "game is degenerate, or some are missing.")  # fmt: skip
    return out


def _degenerate(game: NormalForm, verdicts: list[Verdict]) -> bool:
    """Whether a point or a pure strategy (of two players) has more best replies than there may be."""
    if game.n != 2:
        return False
    rows, columns = game.exact
    return any(((p == p.max(0)).sum(0) > 1).any() for p in (rows, columns.T)) or any(v.crowded for v in verdicts)


def _wide(game: NormalForm) -> bool:
    """Whether a player's payoffs differ by amounts so unlike that floating point may merge or lose vertices."""
    for p in game.exact:
        steps = np.diff(np.unique(p))
        if steps.size and steps.sum() > WIDE * steps.min():
            return True
    return False


def _components(verdicts: list[Verdict], who: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Groups of extreme points: two that share the strategy of one of two players belong together, with all between."""
    keys, names = [_key(v) for v in verdicts], dict[Any, int]()
    ties = [(k, names.setdefault((i, key[i]), len(names))) for k, key in enumerate(keys) for i in who]
    if len(names) == len(ties):  # nobody shares any
        return tuple((k,) for k in range(len(keys)))
    sparse, csgraph = late.module("scipy.sparse"), late.module("scipy.sparse.csgraph")
    many, (points, strategies) = len(keys), np.array(ties).T
    joined = sparse.coo_array((np.ones(len(ties)), (points, many + strategies)), shape=(many + len(names),) * 2)
    home = csgraph.connected_components(joined, directed=False)[1][:many].tolist()
    out: dict[int, list[int]] = {}
    for k, group in enumerate(home):
        out.setdefault(group, []).append(k)
    return tuple(map(tuple, out.values()))


__all__ = ["CERTAIN", "Equilibria", "certificate", "solve"]
