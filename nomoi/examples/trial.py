"""A kind of trial of one's own: a census of a game's equilibria.  Run it with: nomoi run trial.py

A trial says what is run, and makes one run of it.  Its fields are all that its record is named after; claims call it by
its label.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from nomoi.runs.claims import Claim
from nomoi.runs.study import Study
from nomoi.runs.trial import Trial
from nomoi.solve.game import NormalForm
from nomoi.solve.nash import solve


@dataclasses.dataclass(frozen=True, eq=False)
class Census(Trial):
    """Games with payoffs drawn at random: how many equilibria they have, and a count of each number."""

    choices: int = 2
    games: int = 200

    def measures(self) -> dict[str, tuple[str, str]]:
        return {"pure": ("share", "of the games, those with an equilibrium in pure strategies")}

    def make(self, key: Any, parents: Sequence[Any]) -> tuple[Mapping[str, float], Mapping[str, np.ndarray]]:
        shape = (self.games, 2, self.choices, self.choices)
        payoffs = np.asarray(jax.random.normal(key, shape), float)
        found = [solve(NormalForm(one)).points for one in payoffs]
        pure = [any(all(max(side) == 1 for side in point) for point in points) for points in found]
        return {"pure": float(np.mean(pure))}, {"how many": np.array([len(points) for points in found])}


# In a 2 x 2 game that has no ties, best replies run in a circle in one of eight cases, and in one only there is no
# equilibrium in pure strategies.
STUDY = Study(
    "census",
    "How often has a random game of two an equilibrium in pure strategies?",
    [Claim("Seven in eight have one, with two choices each", "ours (counted)", lambda r: r.late("two", "pure"),
           near=7 / 8, tolerance=0.05, unit="of games", kind="ours")],
    lambda size: [Census("two"), Census("three", choices=3)],
    {"smoke": 1, "laptop": 5},
)  # fmt: skip
