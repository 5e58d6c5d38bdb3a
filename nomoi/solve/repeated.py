"""Repeated games of two machines: what they do to each other, for ever or discounted, with and without errors.

Two machines together are a Markov chain on pairs of states; where both are pure and nobody errs, play runs into a
cycle, which is found and averaged exactly.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from nomoi.errors import Refusal
from nomoi.solve.game import NormalForm, bimatrix
from nomoi.solve.machines import Machine


def walk(a: Machine, b: Machine) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """What two pure machines do: before the cycle, and in it."""
    _fit(a, b)
    if not (a.pure and b.pure):
        raise Refusal(f"{a.title if b.pure else b.title} leaves something to chance, so play need not cycle; "
                      "ask `meet` for its shares.")  # fmt: skip
    seen: dict[tuple[int, int], int] = {}
    played, now = [], (0, 0)
    while now not in seen:
        seen[now] = len(played)
        x, y = int(a.output[now[0]].argmax()), int(b.output[now[1]].argmax())
        played.append((x, y))
        now = int(a.to[now[0], x, y]), int(b.to[now[1], y, x])
    return played[: seen[now]], played[seen[now] :]


def exact(game: NormalForm, a: Machine, b: Machine) -> tuple[Fraction, Fraction]:
    """The limit of mean payoffs of two pure machines, as fractions."""
    cycle = walk(a, b)[1]
    one, two = (sum(Fraction(float(game.payoff[i][at])) for at in cycle) / len(cycle) for i in (0, 1))
    return one, two


@dataclasses.dataclass(frozen=True, eq=False)
class Pair:
    """Two machines together: chances of outcomes in each pair of states, `play`, and which pair comes `then` [S, A, B].

    The first pair of states is 0.
    """

    play: np.ndarray
    then: np.ndarray

    @cached_property
    def chain(self) -> np.ndarray:
        """[S, S] chances of going from one pair of states to another."""
        return self._moves(self.play)

    @cached_property
    def shares(self) -> np.ndarray:
        """[S] of time at each pair of states, in the limit of means."""
        size = len(self.chain)
        count, label = connected_components(csr_array(self.chain), directed=True, connection="strong")
        closed = [c for c in range(count) if not self.chain[np.ix_(label == c, label != c)].any()]
        inner = ~np.isin(label, closed)
        leaves = np.stack([self.chain[np.ix_(inner, label == c)].sum(1) for c in closed], 1)
        ends = np.linalg.solve(np.eye(inner.sum()) - self.chain[np.ix_(inner, inner)], leaves)
        out = np.zeros(size)
        for k, c in enumerate(closed):
            part = np.flatnonzero(label == c)
            chance = ends[0, k] if inner[0] else float(label[0] == c)
            out[part] = chance * _still(self.chain[np.ix_(part, part)])
        return out

    def outcomes(self, delta: float | None = None) -> np.ndarray:
        """[A, B] shares of outcomes: of time in the limit of means, or weighed by (1 - delta) delta^t."""
        if delta is None:
            return np.tensordot(self.shares, self.play, 1)
        eye = np.eye(len(self.chain))
        weight = np.linalg.solve(eye - _discount(delta) * self.chain.T, eye[0])
        return (1 - delta) * np.tensordot(weight, self.play, 1)

    def alternation(self) -> float:
        """Share of rounds that are followed by the other agreement: AA then BB, or BB then AA (limit of means)."""
        agree = self.play[:, [0, 1], [0, 1]]  # [S, 2]; of the first two actions
        after = self.then[:, [0, 1], [0, 1]]
        return float(self.shares @ (agree * agree[after, [1, 0]]).sum(1))

    def wait(self, goal: Any) -> float:
        """Expected rounds to the first outcome in `goal` [A, B] (bool), that one counted; inf where it may not come."""
        miss = self._moves(np.where(np.asarray(goal, bool), 0.0, self.play))
        return float(_rounds(miss)[0])

    def recovery(self) -> float:
        """Expected rounds after one error until play is back where it went round; inf where it may not come back.

        The mean over the long run's pairs of states, and over whose action was changed to any other.
        """
        back = np.where(self.shares > 0, 0.0, _rounds(np.where(self.shares > 0, 0.0, self.chain)))
        found = []
        for erring in (0, 1):
            wrong = _erring(self.play, erring)
            lost = (wrong > 0) & np.isinf(back[self.then])
            value = np.where(lost, np.inf, wrong * np.where(np.isinf(back[self.then]), 0, back[self.then])).sum((1, 2))
            found.append(sum(s * v for s, v in zip(self.shares, value, strict=True) if s > 0))
        return float(np.mean(found))

    def _moves(self, play: np.ndarray) -> np.ndarray:
        out = np.zeros((len(play), len(play)))
        np.add.at(out, (np.arange(len(play))[:, None, None], self.then), play)
        return out


def meet(a: Machine, b: Machine, error: float = 0.0) -> Pair:
    """Two machines that meet; with chance `error` each does, instead of what it means to, any of its other actions."""
    _fit(a, b)
    if not 0 <= error <= 1:
        raise Refusal(f"the chance of an error is {error}; it must be from 0 to 1.")
    each = []
    for m in (a, b):
        k = m.output.shape[1]
        each.append((1 - error) * m.output + error * (1 - m.output) / max(1, k - 1))
    play = each[0][:, None, :, None] * each[1][None, :, None, :]
    later = a.to[:, None] * len(b.output) + np.swapaxes(b.to, 1, 2)[None]
    size = len(a.output) * len(b.output)
    return Pair(play.reshape(size, *play.shape[2:]), np.ascontiguousarray(later).reshape(size, *play.shape[2:]))


def payoffs(
    game: NormalForm, a: Machine, b: Machine, delta: float | None = None, error: float = 0.0
) -> tuple[float, float]:
    """Mean payoffs of two machines: the limit of means, or discounted and times 1 - delta."""
    if delta is None and error == 0 and a.pure and b.pure:
        cycle = walk(a, b)[1]
        one, two = (float(np.mean([game.payoff[i][at] for at in cycle])) for i in (0, 1))
    else:
        one, two = map(float, game.joint(meet(a, b, error).outcomes(delta)))
    return one, two


def tournament(
    game: NormalForm,
    rows: Sequence[Machine],
    columns: Sequence[Machine],
    delta: float | None = None,
    error: float = 0.0,
    cost: float = 0.0,
) -> NormalForm:
    """The game of choosing a machine: mean payoffs, less `cost` for each state of the smallest that does the same."""
    table = np.array([[payoffs(game, a, b, delta, error) for b in columns] for a in rows])
    own, other = (np.array([cost * m.size for m in side]) for side in (rows, columns))
    names = (tuple(m.title for m in rows), tuple(m.title for m in columns))
    return bimatrix(table[..., 0] - own[:, None], table[..., 1] - other, f"machines for {game.title}", actions=names)


def temptation(game: NormalForm, a: Machine, b: Machine, delta: float) -> float:
    """The most that one other action, once, brings either player after any history (mean payoffs); 0: subgame perfect.

    By the one-shot deviation principle, over all pairs of states that some play leads to.
    """
    pair, now = meet(a, b), (1 - _discount(delta))
    ever = _reached((pair.play >= 0), pair.then)
    gains = []
    for i in (0, 1):
        flow = np.tensordot(pair.play, game.payoff[i], 2)
        value = np.linalg.solve(np.eye(len(flow)) - delta * pair.chain, now * flow)
        brings = now * game.payoff[i] + delta * value[pair.then]  # [S, A, B] of an outcome
        chance = pair.play.sum(1 + i)  # of the other's actions
        by_action = (brings * np.expand_dims(chance, 1 + i)).sum(2 - i)
        gains.append((by_action.max(1) - value)[ever].max())
    return float(max(gains))


def _reached(may: np.ndarray, then: np.ndarray) -> list[int]:
    out = [0]
    for s in out:
        out += [int(t) for t in np.unique(then[s][may[s]]) if t not in out]
    return out


def _rounds(go_on: np.ndarray) -> np.ndarray:
    """[S] expected rounds until play stops, where it goes on by chances [S, S]; inf where it may never stop."""
    size = len(go_on)
    ends = go_on.sum(1) < 1 - 1e-12
    for _ in range(size):  # who may come to an end
        ends |= go_on @ ends > 0
    lost = ~ends
    for _ in range(size):  # who may come to those who do not
        lost |= go_on @ lost > 0
    out = np.full(size, np.inf)
    fine = ~lost
    out[fine] = np.linalg.solve(np.eye(fine.sum()) - go_on[np.ix_(fine, fine)], np.ones(fine.sum()))
    return out


def _erring(play: np.ndarray, who: int) -> np.ndarray:
    """[S, A, B] chances of outcomes where one player's action is changed to any other."""
    k = play.shape[1 + who]
    return (play.sum(1 + who, keepdims=True) - play) / max(1, k - 1)


def _still(chain: np.ndarray) -> np.ndarray:
    """[S] the stationary distribution of a chain in which all lead to all."""
    system = np.vstack([chain.T - np.eye(len(chain)), np.ones(len(chain))])
    return np.linalg.lstsq(system, np.eye(len(chain) + 1)[-1], rcond=None)[0].clip(0)


def _discount(delta: float) -> float:
    if not 0 <= delta < 1:
        raise Refusal(f"the discount factor is {delta}; it must be from 0 to less than 1.")
    return delta


def _fit(a: Machine, b: Machine) -> None:
    if a.to.shape[1:] != b.to.shape[:0:-1]:
        raise Refusal(f"{a.title} knows {a.to.shape[1:]} own and other's actions, {b.title} {b.to.shape[1:]}; "
                      "what is one's own must be the other's.")  # fmt: skip
