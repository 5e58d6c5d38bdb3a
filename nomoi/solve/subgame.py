"""Markov games solved exactly: backward induction, Markov-perfect equilibrium, and the planner's optimum.

A governed situation that convenes before play (propose, sign, then play) needs nothing of its own: its states carry
the stage, so the same backward induction gives the subgame-perfect contract.  In every state the players face a stage
game of what follows each joint choice; `nomoi.solve.stage` says which of its equilibria is played.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from nomoi.errors import Refusal
from nomoi.solve.markov import Group, Markov, at
from nomoi.solve.stage import FINEST, Stage, equilibrium, one_hot


@dataclasses.dataclass(frozen=True, eq=False)
class Solution:
    """A strategy of everybody, and what it brings.

    weight    [R] how probable each joint choice is in its state;  value [n, S] payoff to come, with transfers
    material  [n, S] the same without transfers
    deviation the most that any agent could gain by departing once, in any state; 0 in a subgame-perfect equilibrium
    """

    markov: Markov
    weight: np.ndarray
    value: np.ndarray
    material: np.ndarray
    deviation: float

    @property
    def start(self) -> np.ndarray:
        """[n] what each agent gets from the first state on."""
        return self.value[:, 0]

    @property
    def welfare(self) -> float:
        """What all get together from the first state on; transfers move it, but make none of it."""
        return float(self.material[:, 0].sum())

    def path(self) -> list[dict[str, np.ndarray]]:
        """The most probable course of events: what each agent answers to each head [n], step by step."""
        m, out, s = self.markov, [], 0
        while s >= 0 and len(out) < m.size:
            row = m.first[s] + int(np.argmax(self.weight[m.first[s] : m.first[s + 1]]))
            out.append({head: answer[0] for head, answer in m.answers(np.array([row])).items()})
            s = int(m.next[row, np.argmax(m.prob[row])])
        return out


def backward(markov: Markov, discount: float = 1.0, select: str = "best", slack: float = 0.0) -> Solution:
    """Subgame-perfect equilibrium of a game that ends, by backward induction.

    A step in which an institution convenes is not discounted, because the world's clock stands still in it.  Where a
    symmetric stage game has no symmetric pure equilibrium, the profile is played from which a departure gains least,
    if that is no more than `slack`; the certificate then says by how much the answer is short of an equilibrium.
    """
    return backwards([markov], discount, select, slack)[0]


def backwards(
    games: Sequence[Markov], discount: float = 1.0, select: str = "best", slack: float = 0.0
) -> list[Solution]:
    """`backward` of games that differ in payoffs alone (see `nomoi.solve.unfold.repaid`), side by side."""
    markov = games[0]
    if any(game.memo is not markov.memo for game in games):
        raise Refusal(f"{markov.title} and others do not share their moves; games that `repaid` gives of one would do.")
    payoff, material = _stacked([g.payoff for g in games]), _stacked([g.material for g in games])
    factor, stage = _factor(markov, discount), equilibrium(markov, select, slack)
    value = np.zeros((*payoff.shape[:2], markov.size + 1))
    earned, weight, worst = np.zeros_like(value), np.zeros(payoff.shape[1:]), np.zeros(len(games))
    for layer in markov.stages:
        for group, ahead, played in _improve(markov, payoff, factor, stage, layer, value, weight):
            worst = np.maximum(worst, _departing(group, ahead, played, value))
            _earn(markov, material, factor, group, played, earned)
    return [_solution(g, weight[t], value[:, t], earned[:, t, :-1], worst[t]) for t, g in enumerate(games)]


def _stacked(parts: Sequence[np.ndarray]) -> np.ndarray:
    """[n, T, R] of T arrays [n, R], which may be one and the same."""
    if all(part is parts[0] for part in parts):
        return np.broadcast_to(parts[0][:, None], (len(parts[0]), len(parts), parts[0].shape[1]))
    return np.stack(parts, 1)


def markov_perfect(
    markov: Markov, discount: float, select: str = "best", slack: float = 0.0, tolerance: float = 1e-9, most: int = 5000
) -> Solution:
    """Markov-perfect equilibrium of a discounted game that may go on for ever, by iterating on values.

    Games with several agents need not converge; then it is refused, never returned unfinished.
    """
    if not 0 <= discount < 1:
        raise Refusal(f"the discount is {discount}; a game that may go on for ever needs one from 0 to below 1.")
    if markov.held.any():
        raise Refusal(f"an institution convenes in {markov.title}; solve a game that convenes by `backward`.")
    factor, stage = _factor(markov, discount), equilibrium(markov, select, slack)
    payoff = markov.payoff[:, None]
    value, weight = np.zeros((len(payoff), 1, markov.size + 1)), np.zeros((1, len(markov.owner)))
    scale = max(float(np.abs(markov.payoff).max()), 1e-12) / (1 - discount)
    for _ in range(most):
        before = value.copy()
        _improve(markov, payoff, factor, stage, markov.groups, value, weight)
        if (np.abs(value - before) <= tolerance * np.abs(value) + FINEST * scale).all():
            return _certified(markov, factor, weight[0], value[:, 0])
    raise Refusal(f"values of {markov.title} still change after {most:,} rounds; no Markov-perfect equilibrium found.")


def planner(markov: Markov, discount: float = 1.0) -> float:
    """The most welfare that all agents together could reach from the first state (by unfolded profiles), if it ends."""
    together = markov.material * (markov.agents if markov.symmetric else 1)

    def stage(values: np.ndarray) -> np.ndarray:
        total = values.sum(0)
        if markov.symmetric:  # only where all do the same is the payoff of one everybody's
            total = np.where(np.eye(total.shape[1], dtype=bool), total, -np.inf)
        return one_hot(total.reshape(len(total), -1).argmax(1), total.shape)

    factor = _factor(markov, discount)
    value, weight = np.zeros((len(together), 1, markov.size + 1)), np.zeros((1, len(markov.owner)))
    for layer in markov.stages:
        _improve(markov, together[:, None], factor, stage, layer, value, weight)
    return float(value[:, 0, 0].sum())


def _factor(markov: Markov, discount: float) -> np.ndarray:
    """[R] the discount of what follows each joint choice."""
    if not 0 <= discount <= 1:
        raise Refusal(f"the discount is {discount}; it must lie between 0 and 1.")
    return markov.once(f"factor {discount!r}", lambda: np.where(markov.held[markov.owner], 1.0, discount))


def _improve(
    markov: Markov, payoff: np.ndarray, factor: np.ndarray, stage: Stage, layer: list[Group], value: np.ndarray,
    weight: np.ndarray,
) -> list[tuple[Group, np.ndarray, np.ndarray]]:  # fmt: skip
    """Solve the stage games of the states in `layer`, given the values of what follows, for T payoffs [n, T, R].

    Writes value [n, T, S + 1] and weight [T, R]; gives for each group what its joint choices bring [n, T, k, J], and
    how probable each is [T, k, J].
    """
    done = []
    for group in layer:
        states, rows, shape = group
        ahead = _ahead(markov, payoff, factor, rows, value)
        played = stage(ahead.reshape(len(ahead), -1, *shape)).reshape(ahead.shape[1:])
        weight[:, rows] = played
        done.append((group, ahead, played))
    for (states, _, _), ahead, played in done:  # only now, so that all of a layer are solved from the same values
        value[..., states] = (ahead * played).sum(-1)
    return done


def _ahead(markov: Markov, payoff: np.ndarray, factor: np.ndarray, rows: np.ndarray, value: np.ndarray) -> np.ndarray:
    """[..., *rows] what each joint choice brings: the payoff now [..., R], and the discounted value [..., S + 1] of
    what follows."""
    prob, then = markov.lots
    follows = np.zeros((*value.shape[:-1], *rows.shape))
    for lot in range(len(prob)):
        if (odds := at(prob[lot], rows)).any():
            follows += odds * value.take(at(then[lot], rows), -1, mode="wrap")
    follows *= at(factor, rows)
    follows += at(payoff, rows)
    return follows


def _departing(group: Group, ahead: np.ndarray, played: np.ndarray, value: np.ndarray) -> np.ndarray:
    """[T] the most that anybody gains by departing once in a state of the group, from what `_improve` gave."""
    states, _, shape = group
    many, worst = len(played), np.zeros(len(played))
    joint = played.reshape(-1, *shape)
    for i, mine in enumerate(ahead):
        others = joint.sum(axis=1 + i, keepdims=True)  # players mix independently
        departs = (mine.reshape(-1, *shape) * others).sum(axis=tuple(a for a in range(1, 1 + len(shape)) if a != 1 + i))
        gains = departs.reshape(many, len(states), -1).max(2) - value[i][:, states]
        worst = np.maximum(worst, gains.max(1))
    return worst


def _earn(
    markov: Markov, paid: np.ndarray, factor: np.ndarray, group: Group, played: np.ndarray, earned: np.ndarray
) -> None:
    """Write into `earned` [n, T, S + 1] what play in the group brings of `paid` [n, T, R] and of what follows."""
    states, rows, _ = group
    t, k, j = np.nonzero(played)
    row, share = rows[k, j], played[t, k, j]
    prob, then = markov.lots
    follows = sum(prob[lot][row] * earned[:, t, then[lot][row]] for lot in range(len(prob)))
    each = share * (paid[:, t, row] + factor[row] * follows)
    place, shape = t * len(states) + k, (len(played), len(states))
    earned[..., states] = [np.bincount(place, one, shape[0] * shape[1]).reshape(shape) for one in each]


def _certified(markov: Markov, factor: np.ndarray, weight: np.ndarray, value: np.ndarray) -> Solution:
    """The answer with its certificate: no departure once, in any state, by anybody, gains more than `deviation`."""
    worst = 0.0
    for group in markov.groups:
        ahead = _ahead(markov, markov.payoff, factor, group[1], value)[:, None]
        worst = max(worst, float(_departing(group, ahead, at(weight, group[1])[None], value[:, None])[0]))
    return _solution(markov, weight, value, _evaluated(markov, factor, weight, markov.material), worst)


def _solution(markov: Markov, weight: np.ndarray, value: np.ndarray, material: np.ndarray, worst: float) -> Solution:
    alike = (markov.agents, 1) if markov.symmetric else (1, 1)
    return Solution(markov, weight, np.tile(value[:, :-1], alike), np.tile(material, alike), float(worst))


def _evaluated(markov: Markov, factor: np.ndarray, weight: np.ndarray, paid: np.ndarray) -> np.ndarray:
    """[n, S] what a strategy brings of `paid` [n, R]: the solution of its linear equations."""
    from scipy.sparse import coo_array, eye_array
    from scipy.sparse.linalg import splu

    used = np.flatnonzero(weight)
    s = markov.owner[used]
    now = np.stack([np.bincount(s, weight[used] * p[used], markov.size) for p in paid])
    there = markov.next[used] >= 0
    share = (weight[used] * factor[used])[:, None] * markov.prob[used]
    at = (np.broadcast_to(s[:, None], there.shape)[there], markov.next[used][there])
    moves = coo_array((share[there], at), shape=(markov.size, markov.size))
    return splu((eye_array(markov.size) - moves).tocsc()).solve(now.T).T
