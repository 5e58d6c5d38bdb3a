"""Which of several conventions is found in the long run, where people err now and then.

Stochastic stability (Foster & Young 1990; Young 1993; Kandori et al. 1993): from convention to
convention lead *resistances*, the least share of errors that makes people leave one for the other.  The *potential* of
a convention is that of the cheapest tree of transitions by which all others lead to it.  As errors become rare, time is
spent at the conventions of least potential.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy.optimize import linprog

from nomoi.errors import Refusal
from nomoi.solve.game import NormalForm


@dataclasses.dataclass(frozen=True, eq=False)
class Selection:
    """conventions [(row, column)], resistances [K, K] from row to column, potentials [K], and which are stable."""

    conventions: tuple[tuple[int, int], ...]
    resistances: np.ndarray
    potentials: np.ndarray
    stable: tuple[tuple[int, int], ...]


def select(game: NormalForm) -> Selection:
    """The stochastically stable conventions (strict equilibria) of a game of two, for large samples.

    Holds for games in which best replies lead to a convention from everywhere (Young's weakly acyclic games, where
    samples are a small enough part of memory); that is not checked.
    """
    at = conventions(game)
    if not at:
        raise Refusal(f"{game.title} has no strict equilibrium, so there is no convention to select.")
    r = resistances(game, at)
    potentials = np.array([cheapest(r, root)[0] for root in range(len(at))])
    stable = tuple(c for c, p in zip(at, potentials, strict=True) if p <= potentials.min() + 1e-9)
    return Selection(at, r, potentials, stable)


def conventions(game: NormalForm) -> tuple[tuple[int, int], ...]:
    """The strict equilibria (row, column) of a game of two: each answer is the only best one."""
    if game.n != 2:
        raise Refusal(f"conventions are selected in games of two; {game.title} has {game.n} players.")
    row, column = game.exact
    return tuple(
        (a, b)
        for a, b in np.ndindex(*game.shape)
        if (np.delete(row[:, b], a) < row[a, b]).all() and (np.delete(column[a], b) < column[a, b]).all()
    )


def resistances(game: NormalForm, at: Sequence[tuple[int, int]]) -> np.ndarray:
    """[K, K] the least share of a large sample that must err at one convention for the other to be a best reply.

    One side errs, the other answers with its part of the new convention, which the first then learns to meet; the
    cheaper of the two sides counts.  For conventions a, b of a game diag(worth) it is worth_a / (worth_a + worth_b).
    """
    out = np.zeros((len(at), len(at)))
    row, column = game.exact
    for i, (a, b) in enumerate(at):
        for j, (c, d) in enumerate(at):
            if i != j:
                out[i, j] = min(_errors(row, c, b), _errors(column.T, d, a))
    return out


def _errors(payoff: np.ndarray, reply: int, usual: int) -> float:
    """The least share of others [A_j] off their usual action for which `reply` is best in payoff [A_i, A_j]."""
    off = np.ones(payoff.shape[1])
    off[usual] = 0
    lure = payoff - payoff[reply]
    lure = lure / np.maximum(np.abs(lure).max(1, keepdims=True), np.finfo(float).tiny)  # each row in its own unit
    found = linprog(
        off, lure, np.zeros(len(payoff)), np.ones((1, len(off))), [1], method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )  # fmt: skip
    return float(found.fun) if found.success else np.inf


def cheapest(cost: np.ndarray, root: int) -> tuple[float, np.ndarray]:
    """The cheapest tree in which every node leads to the root: its cost, and where each node goes [K] (the root: -1).

    cost  [K, K] of going from row to column; the diagonal is not read.  By contracting cycles (Edmonds 1967)
    """
    cost = np.array(cost, np.float64)
    square = cost.ndim == 2 and cost.shape[0] == cost.shape[1]
    if not square or not 0 <= root < len(cost):
        raise Refusal(f"costs of shape {list(cost.shape)} and root {root} make no tree; a square and one of its rows.")
    np.fill_diagonal(cost, 0)
    if not np.isfinite(cost).all():
        raise Refusal("a cost of going from one node to another is not a finite number.")
    np.fill_diagonal(cost, np.inf)
    nodes = [i for i in range(len(cost)) if i != root]
    to = _tree(cost, root)
    return float(sum(cost[i, to[i]] for i in nodes)), to


def _tree(cost: np.ndarray, root: int) -> np.ndarray:
    to = cost.argmin(1)
    to[root] = -1
    cycle = _cycle(to)
    if not cycle:
        return to
    # the cycle becomes one node, the last; leaving it from v saves what v pays on the cycle
    rest = [i for i in range(len(cost)) if i not in cycle]
    leave = cost[np.ix_(cycle, rest)] - cost[cycle, to[cycle]][:, None]
    small = np.full((len(rest) + 1,) * 2, np.inf)
    small[:-1, :-1] = cost[np.ix_(rest, rest)]
    small[:-1, -1], small[-1, :-1] = cost[np.ix_(rest, cycle)].min(1), leave.min(0)
    inner = _tree(small, rest.index(root))
    for i, node in enumerate(rest):
        if node != root:
            to[node] = cycle[cost[node, cycle].argmin()] if inner[i] == len(rest) else rest[inner[i]]
    to[cycle[leave[:, inner[-1]].argmin()]] = rest[inner[-1]]
    return to


def _cycle(to: np.ndarray) -> list[int]:
    for start in range(len(to)):
        seen: list[int] = []
        node = start
        while node >= 0 and node not in seen:
            seen.append(node)
            node = int(to[node])
        if node >= 0:
            return seen[seen.index(node) :]
    return []
