"""Pure strategies: as profiles, and the equilibria among them.  Payoffs are compared one with another, exactly."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nomoi.solve.game import NormalForm

Profile = tuple[np.ndarray, ...]


def pure(game: NormalForm) -> list[tuple[int, ...]]:
    """All pure equilibria as action numbers: where everybody's action is a best reply to the others'."""
    best = [p == p.max(i, keepdims=True) for i, p in enumerate(game.exact)]
    return [tuple(map(int, a)) for a in np.argwhere(np.logical_and.reduce(best))]


def profile(game: NormalForm, actions: Iterable[int]) -> Profile:
    """Pure actions as mixed strategies."""
    # zeros, not a row of np.eye(k), which would keep the whole matrix alive for every profile
    out = tuple(map(np.zeros, game.shape))
    for x, a in zip(out, actions, strict=True):
        x[a] = 1.0
    return out


def chosen(point: Profile) -> tuple[int, ...] | None:
    """The actions of a pure profile; None where somebody mixes."""
    pure = all(x.max() == 1 and np.count_nonzero(x) == 1 for x in point)
    return tuple(int(x.argmax()) for x in point) if pure else None


def replies(game: NormalForm, actions: tuple[int, ...]) -> list[np.ndarray]:
    """For each player, what each of its actions [A_i] brings where the others keep to pure actions."""
    return [p[(*actions[:i], slice(None), *actions[i + 1 :])] for i, p in enumerate(game.exact)]


def strict(game: NormalForm, actions: tuple[int, ...]) -> bool:
    """Whether everybody would lose by leaving the pure equilibrium."""
    return all(np.sum(v >= v[a]) == 1 for v, a in zip(replies(game, actions), actions, strict=True))
