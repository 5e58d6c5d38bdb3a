"""Nash equilibria: one door, several methods behind it, and a certificate on every answer.

Games of two: all equilibria, by enumerating the vertices of the best-response polytopes (small games: nomoi's own,
which lists every extreme point of degenerate games too; larger ones: quantecon).  Games of more: all pure equilibria,
and mixed ones as far as they are found.  Whatever found it, an answer counts only if nobody could gain by leaving it.
"""

from __future__ import annotations

import dataclasses
import itertools
import time
from typing import Any

import numpy as np

from nomoi.errors import Refusal, nearest
from nomoi.solve.game import NormalForm
from nomoi.solve.methods import METHODS, PAIRS, fitting
from nomoi.solve.pure import TIE, Profile

CERTAIN = 1e-8  # the largest regret of an answer, as a share of the payoff range


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
    chosen = fitting(game) if method == "auto" else method
    if chosen not in METHODS:
        raise Refusal(f"there is no method {method!r}; {nearest(method, ['auto', *METHODS], 'method')}")
    if chosen in PAIRS and game.n != 2:
        raise Refusal(f"{chosen} is for two players and {game.title} has {game.n}; pure or mclennan-tourky would do.")
    begun = time.perf_counter()
    found, complete, degenerate, said = METHODS[chosen](game)
    points, certificates, dropped = _certified(game, found)
    seconds = time.perf_counter() - begun
    if degenerate is None and _degenerate_at(game, points):
        degenerate, complete = True, False  # a method that does not know loses points of such games
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
    return max(game.regret(profile), 0.0) / game.range  # dust below 0 is none


def _certified(game: NormalForm, found: list[Profile]) -> tuple[tuple[Profile, ...], np.ndarray, int]:
    """Those that are equilibria, each once, in a fixed order; their certificates; how many were dropped."""
    kept: list[Profile] = []
    marks, dropped = [], 0
    for point in found:
        whole = all(x.min() > -CERTAIN and abs(x.sum() - 1) < CERTAIN for x in point)
        point = tuple(np.maximum(x, 0) / np.maximum(x, 0).sum() for x in point) if whole else point
        mark = certificate(game, point) if whole else np.inf
        if mark > CERTAIN:
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
    if degenerate:
        out.append("The game is degenerate (some strategy has more best replies than actions in its support): only "
                   "extreme points are listed; a continuum of equilibria joins those of one component.")  # fmt: skip
        if not complete and game.n == 2:
            out.append("Not even all extreme points may be listed; the methods extreme and gambit list them.")
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
