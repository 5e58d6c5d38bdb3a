"""A finite Markov game as tensors: what unfolding gives, and what solvers of sequential games take."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from nomoi.errors import Refusal

Group = tuple[np.ndarray, np.ndarray, tuple[int, ...]]  # states [k], their rows [k, J], and the shape of J
ENDS = -1  # as a next state: the episode is over.  Value vectors have a zero at their end, which it indexes


@dataclasses.dataclass(frozen=True, eq=False)
class Markov:
    """A finite Markov game over its reachable states; state 0 is the first.

    S states, n agents, L outcomes of chance, and R rows: a row is a state together with one joint choice.  The rows
    of state s are first[s] to first[s + 1] - 1, in the order of an array of shape choices[s].

    choices   [S, n]  among how many things each agent chooses there; 1 where it is not asked
    first     [S + 1] where the rows of each state begin
    next      [R, L]  the state that follows, or ENDS
    prob      [R, L]  how probable that is
    payoff    [n, R]  expected, with transfers;  material [n, R] without them, which is what welfare counts
    asked     [S, H, n] who is asked which head;  held [S] whether an institution convenes and the world stands still
    states    the states themselves, every leaf [S, ...];  heads  name -> number of choices, in the order of H
    symmetric only profiles "one agent does a, all others b" are there, choices [S, 2], payoffs [1, R]
    memo      what has been found out about the moves, shared by games that differ in payoffs only
    """

    title: str
    heads: dict[str, int]
    choices: np.ndarray
    first: np.ndarray
    next: np.ndarray
    prob: np.ndarray
    payoff: np.ndarray
    material: np.ndarray
    asked: np.ndarray
    held: np.ndarray
    states: Any
    symmetric: bool = False
    memo: dict[str, Any] = dataclasses.field(default_factory=dict, repr=False)

    @property
    def agents(self) -> int:
        return self.asked.shape[2]

    @property
    def size(self) -> int:
        """How many states."""
        return len(self.choices)

    @property
    def owner(self) -> np.ndarray:
        """[R] the state of each row."""
        return self.once("owner", lambda: np.repeat(np.arange(self.size), np.diff(self.first)))

    @property
    def lots(self) -> tuple[np.ndarray, np.ndarray]:
        """prob and next, lot by lot: [L, R] each."""
        return self.once("lots", lambda: (np.ascontiguousarray(self.prob.T), np.ascontiguousarray(self.next.T)))

    @property
    def layers(self) -> list[np.ndarray]:
        """States by how many steps may still follow, fewest first; refuses where a state may come back to itself."""
        return self.once("layers", self._layers)

    def _layers(self) -> list[np.ndarray]:
        out, known = [], np.zeros(self.size + 1, bool)
        known[ENDS] = True
        rows = np.arange(len(self.owner))
        while not known.all():
            rows = rows[~known[self.owner[rows]]]
            waits = np.bincount(self.owner[rows], ~known[self.next[rows]].all(1), self.size) > 0
            ready = ~waits & ~known[:-1]
            if not ready.any():
                raise Refusal(
                    f"{self.title} may come back to a state it was in, so it has no last step to begin from; "
                    "solve it with a discount below 1 (`markov_perfect`)."
                )
            known[:-1] |= ready
            out.append(np.flatnonzero(ready))
        return out

    def once(self, name: str, find: Callable[[], Any]) -> Any:
        """What `find` finds out about the moves, found once for all games that share them."""
        if name not in self.memo:
            self.memo[name] = find()
        return self.memo[name]

    @property
    def stages(self) -> list[list[Group]]:
        """The layers, each in groups of states that ask the same."""
        return self.once("stages", lambda: [self._groups(layer) for layer in self.layers])

    @property
    def groups(self) -> list[Group]:
        """All states, in groups of states that ask the same."""
        return self.once("groups", lambda: self._groups(np.arange(self.size)))

    def _groups(self, states: np.ndarray) -> list[Group]:
        shapes, which = np.unique(self.choices[states], axis=0, return_inverse=True)
        parts = [states[which.ravel() == g] for g in range(len(shapes))]
        rows = [self.first[mine][:, None] + np.arange(shape.prod()) for mine, shape in zip(parts, shapes, strict=True)]
        return list(zip(parts, rows, [tuple(map(int, shape)) for shape in shapes], strict=True))

    def answers(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """{head: [k, n]} what the agents answer in some rows; 0 where they are not asked."""
        s = self.owner[rows]
        return answers_of(self.heads, self.asked[s], self.choices[s], rows - self.first[s], self.symmetric)

    def with_payoffs(self, payoff: np.ndarray, material: np.ndarray) -> Markov:
        """The same states and moves with other payoffs [n, R] (symmetric: [1, R])."""
        return dataclasses.replace(self, payoff=payoff, material=material)


def at(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """values[..., rows] for the rows [k, J] of a group: a view where they follow one another, as they mostly do."""
    begin = int(rows.flat[0]) if rows.size else 0
    if rows.size and int(rows.flat[-1]) - begin == rows.size - 1:  # rows of a group rise, and none comes twice
        return values[..., begin : begin + rows.size].reshape(*values.shape[:-1], *rows.shape)
    return values[..., rows]


def answers_of(
    heads: dict[str, int], asked: np.ndarray, choices: np.ndarray, local: np.ndarray, symmetric: bool
) -> dict[str, np.ndarray]:
    """{head: [k, n]} from the number `local` [k] of a joint choice among `choices` [k, n], with asked [k, H, n]."""
    after = np.cumprod(np.concatenate([choices[:, 1:], np.ones_like(choices[:, :1])], 1)[:, ::-1], 1)[:, ::-1]
    each = local[:, None] // after % choices
    if symmetric:
        each = np.concatenate([each[:, :1], np.repeat(each[:, 1:], asked.shape[2] - 1, 1)], 1)
    out = {}
    for h, (head, k) in reversed(list(enumerate(heads.items()))):
        among = np.where(asked[:, h], k, 1)
        out[head] = (each % among).astype(np.int32)
        each = each // among
    return out
