"""Pure strategies: as profiles, and the equilibria among them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nomoi.solve.game import NormalForm

TIE = 1e-9  # payoffs that are nearer, as a share of the range, are equal (ours)

Profile = tuple[np.ndarray, ...]


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
