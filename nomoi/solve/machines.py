"""Machines that play repeated games: finite automata, memory-one strategies, and their smallest size.

A *machine* is a Moore automaton: a state says what is done (perhaps by chance), and the state to come follows from the
own action and the other's.  Memory-one strategies are machines.

Automata: Rubinstein 1986, Abreu & Rubinstein 1988; memory-one: Nowak & Sigmund 1993.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from nomoi.errors import Refusal


@dataclasses.dataclass(frozen=True, eq=False)
class Machine:
    """output [S, A] chances of each action; to [S, A, B] the state after own action and the other's; first state 0."""

    output: np.ndarray
    to: np.ndarray
    title: str = "machine"

    def __post_init__(self) -> None:
        output, to = np.asarray(self.output, np.float64), np.asarray(self.to)
        states = output.shape[0] if output.ndim == 2 else 0
        if not states or to.ndim != 3 or to.shape[:2] != output.shape or to.dtype.kind not in "iu":
            raise Refusal(f"{self.title} has outputs {list(output.shape)} and transitions {list(to.shape)}; [states, "
                          "own actions] and whole numbers [states, own actions, other's] are right.")  # fmt: skip
        if not ((output >= 0).all() and np.allclose(output.sum(1), 1, atol=1e-9)):
            raise Refusal(f"{self.title} has a state whose chances of actions do not sum to 1.")
        if to.min() < 0 or to.max() >= states:
            raise Refusal(f"{self.title} goes to a state that it does not have; they are 0 to {states - 1}.")
        object.__setattr__(self, "output", output)
        object.__setattr__(self, "to", to)

    @property
    def pure(self) -> bool:
        """Whether nothing is left to chance."""
        return bool((self.output.max(1) == 1).all())

    @property
    def size(self) -> int:
        """How many states the smallest machine needs that does the same (while it does what it means to)."""
        states, queue = [0], [0]
        for s in queue:
            for a in np.flatnonzero(self.output[s]):
                new = [int(t) for t in dict.fromkeys(self.to[s, a]) if t not in states]
                states += new
                queue += new
        kind = {s: tuple(self.output[s]) for s in states}  # Moore's partition, refined until it stays
        while True:
            finer: dict[int, tuple] = {}
            for s in states:
                used = np.flatnonzero(self.output[s])
                finer[s] = (kind[s], *(kind[int(t)] for a in used for t in self.to[s, a]))
            names = {k: n for n, k in enumerate(dict.fromkeys(finer.values()))}
            if len(names) == len(set(kind.values())):
                return len(names)
            kind = {s: (names[finer[s]],) for s in states}


def machine(actions: Sequence[int], to: Any, title: str = "machine", choices: int = 2) -> Machine:
    """A pure machine: each state's action, and where it goes [S, A, B], or [S, B] by the other's action alone."""
    table = np.asarray(to)
    if table.ndim == 2:
        table = np.repeat(table[:, None], choices, 1)
    return Machine(np.eye(choices)[list(actions)], table, title)


def memory_one(opening: float, reply: Any, title: str = "memory one") -> Machine:
    """Chances of the first of two actions: at first, and after each (own, other's) [2, 2] of the last round."""
    first = np.array([opening, *np.asarray(reply, np.float64).ravel()])
    if first.shape != (5,) or not ((first >= 0) & (first <= 1)).all():
        raise Refusal(f"{title} needs a chance to open with and a 2 x 2 table of chances, all from 0 to 1.")
    to = np.tile(1 + np.arange(4).reshape(2, 2), (5, 1, 1))
    return Machine(np.stack([first, 1 - first], 1), to, title)


def all_memory_one() -> list[Machine]:
    """The 32 pure ones for two actions: two openings by sixteen replies, as machines of two states or one."""
    out = []
    for opening, *reply in itertools.product((0, 1), repeat=5):
        table = np.array(reply).reshape(2, 2)
        # a state is what it does; written so that state 0 is the opening
        to = np.broadcast_to(table ^ opening, (2, 2, 2)).copy()
        title = "AB"[opening] + " then " + "".join("AB"[r] for r in reply)
        out.append(machine([opening, 1 - opening], to, title))
    return out
