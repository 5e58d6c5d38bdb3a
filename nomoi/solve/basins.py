"""Basins under the replicator dynamics, where they have a closed form: where a population ends that begins anywhere.

They have in 2 x 2 games, and where dominance decides; `nomoi.solve.attractors` samples those of others.
"""

from __future__ import annotations

import numpy as np

from nomoi.errors import Refusal
from nomoi.solve.dilemma import symmetric
from nomoi.solve.elimination import Reduced
from nomoi.solve.game import NormalForm

FINE = 100_001  # midpoints along each side; areas are right to about 1e-5 (ours)


def one_population(game: NormalForm) -> dict[str, float]:
    """Share of starts, uniform in the share x of the first action, that end in each rest point of a symmetric game.

    dx/dt = x (1 - x) (a x - b (1 - x)) with a = R - T and b = P - S turns only at x* = b / (a + b).  Empty where both
    actions always pay alike, for then nothing moves.
    """
    if game.shape != (2, 2) or not symmetric(game):
        raise Refusal(f"{game.title} is no symmetric 2 x 2 game, so it has no single population.")
    (both, alone), (tempted, neither) = game.exact[0]
    a, b = both - tempted, neither - alone
    first, second = (f"all {name}" for name in game.actions[0])
    if a > 0 and b > 0:
        return {first: float(a / (a + b)), second: float(b / (a + b))}
    if a < 0 and b < 0:
        return {f"{b / (a + b):.4g} {game.actions[0][0]}, the rest {game.actions[0][1]}": 1.0}
    return {} if a == b == 0 else {first if a >= 0 and b <= 0 else second: 1.0}


def two_populations(game: NormalForm) -> dict[str, float]:
    """Share of starts (x, y), uniform in the unit square, that end in each pure equilibrium.

    dx/dt = x (1 - x) f(y) and dy/dt = y (1 - y) g(x), with f and g the linear gains of the first actions, leave G(x) -
    F(y) constant, G' = g / (x (1 - x)) and F' = f / (y (1 - y)) (Hofbauer & Sigmund 1998).  The level set
    through the saddle parts the square.  Empty where orbits circle, or where an action ties with another.
    """
    if game.shape != (2, 2):
        raise Refusal(f"{game.title} is no 2 x 2 game, so its basins have no closed form here.")
    row, column = game.exact
    # what the row player gains by its first action where the column player plays first, second
    f1, f0 = row[0] - row[1]
    g1, g0 = column[:, 0] - column[:, 1]
    names = game.actions
    if 0 in (f0, f1, g0, g1):
        return {}
    if f0 * f1 > 0 or g0 * g1 > 0:  # a dominant action decides
        x = int(f0 < 0) if f0 * f1 > 0 else None
        y = int(g0 < 0) if g0 * g1 > 0 else None
        x = int((f1, f0)[y] < 0) if x is None and y is not None else x
        y = int((g1, g0)[x] < 0) if y is None and x is not None else y
        return {f"{names[0][x]}, {names[1][y]}": 1.0}  # type: ignore[index]
    if f1 * g1 < 0:
        return {}
    across = f1 < 0  # conventions are (first, second) and (second, first): turn the column player's actions round
    f1, f0, g1, g0 = (f0, f1, -g1, -g0) if across else (f1, f0, g1, g0)
    at = (np.arange(FINE) + 0.5) / FINE
    pull, push = _signed(at, g1, g0), _signed(at, f1, f0)  # both rise from -inf to inf along the sides
    below = np.searchsorted(push, -pull, "left") + np.searchsorted(push, -pull, "right")
    share = 1.0 - float(below.mean()) / 2 / FINE
    ends = ((0, 0), (1, 1)) if not across else ((0, 1), (1, 0))
    return {f"{names[0][i]}, {names[1][j]}": s for (i, j), s in zip(ends, (share, 1.0 - share), strict=True)}


def decided(left: Reduced) -> dict[str, float]:
    """Of two players, where iterated strict dominance leaves one outcome: from all starts inside they end there.

    Strictly dominated strategies die out under the replicator, and then those that they kept (Samuelson & Zhang 1992).
    Empty where more is left.
    """
    if not left.solved or left.whole.n != 2:
        return {}
    return {", ".join(names[mine[0]] for names, mine in zip(left.whole.actions, left.kept, strict=True)): 1.0}


def _signed(at: np.ndarray, high: float, low: float) -> np.ndarray:
    """The potential of the gain high z + low (1 - z) (low < 0 < high) above its least value, with the side's sign."""
    rest = low / (low - high)
    potential = lambda z: low * np.log(z) - high * np.log1p(-z)  # noqa: E731
    return np.sign(at - rest) * (potential(at) - potential(rest))
