"""How players learn a game that they repeat: fictitious play, multiplicative weights, regret matching.

Each player keeps a *score*: what each action would have brought until now, summed.  A *way* turns it into play:

    way(score [A, N], earned [N], t) -> x [A, N]        N runs side by side; earned is what was earned, summed

Payoffs are expected ones, so the runs are deterministic and differ by where they start.  With more than two players
fictitious play answers the joint history of the others, not a product of their frequencies.

Fictitious play: Brown 1951; multiplicative weights: Freund & Schapire 1999; regret matching: Hart & Mas-Colell
2000.  The average play of the latter two comes to the coarse correlated equilibria; that of fictitious play may
go round for ever (Shapley 1964).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import jax
import numpy as np

from nomoi.errors import Refusal
from nomoi.solve.dynamics import Array, State, tables, values
from nomoi.solve.game import NormalForm

Way = Callable[[Array, Array, Any], Array]


def fictitious(score: Array, earned: Array, t: Any) -> Array:
    """The best answer to what the others have done so far; the first of those that tie."""
    xp = score.__array_namespace__()
    return (xp.arange(len(score))[:, None] == score.argmax(0)).astype(score.dtype)


@lru_cache
def smoothed(noise: float) -> Way:
    """Fictitious play with logit responses: softmax(average score / noise)."""
    if not noise > 0:
        raise Refusal(f"the noise of a smoothed response is {noise}; it must be above 0.")
    return lambda score, earned, t: _softmax(score / (t * noise))


@lru_cache
def weights(rate: float) -> Way:
    """Multiplicative weights: softmax(rate * score)."""
    if not rate > 0:
        raise Refusal(f"the rate of multiplicative weights is {rate}; it must be above 0.")
    return lambda score, earned, t: _softmax(score * rate)


def regret(score: Array, earned: Array, t: Any) -> Array:
    """Regret matching: actions by how much they would have brought beyond what was earned; all alike where none."""
    much = (score - earned).clip(0)
    some = (much.sum(0) > 0).astype(score.dtype)
    much = much + (1 - some)
    return much / much.sum(0)


def _softmax(z: Array) -> Array:
    out = z.__array_namespace__().exp(z - z.max(0))
    return out / out.sum(0)


@dataclasses.dataclass(frozen=True, eq=False)
class Learned:
    """Averages over time, at `keep` moments: of each player's play [keep, N, A_i], of outcomes [keep, N, A_1, ...]."""

    play: tuple[np.ndarray, ...]
    outcomes: np.ndarray

    def gain(self, game: NormalForm) -> np.ndarray:
        """[keep, N] the most a player would have gained by one action throughout (coarse correlated equilibrium: 0)."""
        found, axes = [], tuple(range(2, 2 + game.n))
        for i, payoff in enumerate(game.payoff):
            got = (payoff * self.outcomes).sum(axes)
            others = self.outcomes.sum(2 + i, keepdims=True)
            by_action = (payoff * others).sum(tuple(a for a in axes if a != 2 + i))
            found.append(by_action.max(-1) - got)
        return np.max(found, 0)


def learn(
    game: NormalForm, way: Way, steps: int, starts: Sequence[Any], keep: int = 1, single: bool = False
) -> Learned:
    """Repeated play from first scores [N, A_i] of each player (beliefs from before the game; zeros are none).

    single  compiled, in float32
    """
    if steps < 1 or keep < 1 or steps % keep:
        raise Refusal(f"{steps} steps cannot be kept {keep} times; both must be 1 or more, and divide.")
    scores = tuple(np.asarray(s, np.float64).T for s in starts)
    if [s.shape[:1] for s in scores] != [(k,) for k in game.shape] or len({s.shape[1:] for s in scores}) != 1:
        raise Refusal(f"starts must be a table [runs, {' or '.join(map(str, game.shape))}] for each of "
                      f"{game.n} players, all of as many runs.")  # fmt: skip
    if not all(np.isfinite(s).all() for s in scores):
        raise Refusal("a start holds a score that is not a finite number.")
    runs = scores[0].shape[1]
    own, zeros = tables(game), tuple(np.zeros(runs) for _ in scores)
    sums = tuple(np.zeros(s.shape) for s in scores), np.zeros((*game.shape, runs))
    state = (scores, zeros, *sums)
    if single:
        light = jax.tree.map(lambda x: x.astype(np.float32), (state, own))
        kept = _compiled(*light, way, steps // keep, keep)
    else:
        each = []
        for k in range(steps):
            state = _round(own, way, state, k + 1)
            if (k + 1) % (steps // keep) == 0:
                each.append(state[2:])
        kept = jax.tree.map(lambda *x: np.stack(x), *each)
    times = steps // keep * np.arange(1, keep + 1)
    mean = lambda x: np.moveaxis(np.asarray(x, np.float64), -1, 1) / times.reshape(-1, *[1] * (x.ndim - 1))  # noqa: E731
    return Learned(tuple(map(mean, kept[0])), mean(kept[1]))


def _round(own: State, way: Way, state: Any, t: Any) -> Any:
    scores, earned, plays, outcomes = state
    x = tuple(way(s, e, t) for s, e in zip(scores, earned, strict=True))
    u = tuple(values(table, x[:i] + x[i + 1 :]) for i, table in enumerate(own))
    joint = x[0]
    for other in x[1:]:
        joint = joint[..., None, :] * other
    return (
        tuple(s + v for s, v in zip(scores, u, strict=True)),
        tuple(e + (p * v).sum(0) for e, p, v in zip(earned, x, u, strict=True)),
        tuple(a + p for a, p in zip(plays, x, strict=True)),
        outcomes + joint,
    )


@partial(jax.jit, static_argnums=(2, 3, 4))
def _compiled(state: Any, own: State, way: Way, steps: int, keep: int) -> Any:
    def stretch(state: Any, first: Any) -> Any:
        one = lambda k, s: _round(own, way, s, (first + k + 1).astype(np.float32))  # noqa: E731
        state = jax.lax.fori_loop(0, steps, one, state)
        return state, state[2:]

    return jax.lax.scan(stretch, state, steps * jax.numpy.arange(keep))[1]
