"""Called: what the players of a game and their choices are called, where its file has names for them."""

from __future__ import annotations

import equinox as eqx

from nomoi.core import Situation
from nomoi.situations.matrix import Matrix
from nomoi.solve.game import NormalForm


class Called(Matrix):
    """The same game with names of choices: nothing in it is another but what is said.

    Where players have unlike names for a choice, its label has all of them: low/left is *low* of the first player and
    *left* of the second.
    """

    labels: tuple[tuple[str, ...], ...] = eqx.field(static=True, default=())  # each player's, in their order

    @property
    def name(self) -> str:
        return "matrix"

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"choose": joined(self.labels)}

    @property
    def sentences(self) -> tuple[str, ...]:
        told = " A choice that players call by names of their own has them all, the first player's first."
        return tuple(said + told * (len(set(self.labels)) > 1) for said in super().sentences)


def called(situation: Situation, source: NormalForm | None = None) -> tuple[str, ...]:
    """What each agent is called: as in the file; or its role, and its number where several have it."""
    roles = situation.roles
    return source.players if source else tuple(
        role if roles.count(role) == 1 else f"{role} {i}" for i, role in enumerate(roles))  # fmt: skip


def joined(labels: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """A name for the k-th choice of all: theirs, where all call it the same, or each player's own.

    All are numbered where two would be called the same, as x/y of one and z of the other, and x and y/z.
    """
    names = tuple("/".join(dict.fromkeys(own)) for own in zip(*labels, strict=True))
    return names if len(set(names)) == len(names) else tuple(f"{name} ({k})" for k, name in enumerate(names, 1))


def with_names(game: Matrix, source: NormalForm | None) -> Matrix:
    """The game in the words of its file, where that has any beside numbers."""
    if source is None or all(name.isdigit() for own in source.actions for name in own):
        return game
    return Called(game.payoff, game.horizon, game.defect, source.actions)
