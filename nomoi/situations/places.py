"""Places: whose place in a situation is the same, where its settings decide that."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jax.core import Tracer
from jaxtyping import Array

from nomoi.errors import Refusal


def known(leaf: Array, name: str) -> np.ndarray:
    """The numbers of a setting on which roles depend, which must not be traced: roles are no arrays."""
    if isinstance(leaf, Tracer):
        raise Refusal(f"roles depend on {name}, so they must be asked for outside of a program that is given {name}.")
    return np.asarray(leaf)


def players(n: int, alike: Callable[[list[int]], bool]) -> tuple[str, ...]:
    """The roles of n players of a game: *player*, or where some play another part, each called after the first of its
    kind, from *player 1*.  `alike` says whether the game stays the same when players change places in that order.
    """
    first: list[int] = []
    for i in range(n):
        swaps = [[*range(j), i, *range(j + 1, i), j, *range(i + 1, n)] for j in range(i)]
        same = [j for j in range(i) if first[j] == j and alike(swaps[j])]
        first.append(same[0] if same else i)
    return ("player",) * n if not any(first) else tuple(f"player {k + 1}" for k in first)
