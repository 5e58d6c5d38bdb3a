"""How populations change their strategies: deterministic dynamics of games, in continuous time.

A *rule* says how one population moves, from its state and from what its actions bring:

    rule(x [A, N], u [A, N]) -> dx/dt [A, N]        N states side by side, the action first

and a game says what actions bring.  The same code runs on NumPy arrays (float64) and, compiled, on JAX arrays
(float32).  All rules below keep the simplex; that they do is a property that tests check.

Replicator: Taylor & Jonker 1978; best response: Gilboa & Matsui 1991; logit: Fudenberg & Levine 1998; BNN: Brown &
von Neumann 1950; Smith: Smith 1984; all five in Sandholm 2010.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial, reduce
from operator import add
from typing import Any

import jax
import numpy as np

from nomoi.errors import Refusal
from nomoi.solve.game import NormalForm

Array = Any  # np.ndarray or jax.Array
State = tuple[Array, ...]  # of each population [A_i, N]
Rule = Callable[[Array, Array], Array]
FEW = 8  # actions, up to which products are written out (ours)
BLOCK = 512  # states that go through all steps together, so that they stay in a CPU's nearest cache (ours)


def replicator(x: Array, u: Array) -> Array:
    """An action grows by how much more than the average it brings."""
    return x * (u - (x * u).sum(0))


def best_response(x: Array, u: Array) -> Array:
    """Some of the population at every moment turn to what is best now; best actions that tie share them."""
    best = (u >= u.max(0)).astype(u.dtype)
    return best / best.sum(0) - x


def bnn(x: Array, u: Array) -> Array:
    """Brown, von Neumann and Nash: towards actions that bring more than the average, used so far or not."""
    gain = (u - (x * u).sum(0)).clip(0)
    return gain - x * gain.sum(0)


def smith(x: Array, u: Array) -> Array:
    """Each compares the own action with another and changes at a rate of what it would gain."""
    # one action after another: a table of all pairs is what XLA is slow with on the CPU
    gained = sum(x[a] * (u - u[a]).clip(0) for a in range(len(u)))
    return gained - x * sum((u[a] - u).clip(0) for a in range(len(u)))


@lru_cache
def logit(noise: float) -> Rule:
    """A best response that errs: actions by softmax(u / noise)."""
    if not noise > 0:
        raise Refusal(f"the noise of a logit response is {noise}; it must be above 0.")

    def rule(x: Array, u: Array) -> Array:
        xp = u.__array_namespace__()
        # a complex step (see `jacobian`) must not be compared, so what is subtracted is the largest real part
        weight = xp.exp((u - u.real.max(0)) / noise)
        return weight / weight.sum(0) - x

    return rule


@lru_cache
def mutating(rate: float) -> Rule:
    """Replicator with mutation: a share `rate` of the population a unit of time takes any action."""
    if not rate >= 0:
        raise Refusal(f"the rate of mutation is {rate}; it must be 0 or more.")
    return lambda x, u: replicator(x, u) + rate * (1 / x.shape[0] - x)


def values(payoff: Array, others: Sequence[Array]) -> Array:
    """What actions bring [A, N]: payoff [A, A_j...], own action first, against the others' strategies [A_j, N]."""
    if isinstance(payoff, jax.Array) and all(len(x) <= FEW for x in others):
        left = payoff[..., None]  # written out: XLA is slow on the CPU at products of tables that have few rows
        for x in reversed(others):
            left = reduce(add, (left[..., a, :] * x[a] for a in range(len(x))))
        return left
    *rest, last = others
    # a product of matrices: fused into what follows, XLA would compute it again and again on the CPU
    left = payoff.__array_namespace__().tensordot(payoff, last, 1)
    for x in reversed(rest):
        left = (left * x).sum(-2)
    return left


def flow(tables: Sequence[Array], rule: Rule) -> Callable[[State], State]:
    """The vector field.  A single table stands for one population, whose members meet one another."""
    if len(tables) == 1:
        meets = tables[0].ndim - 1
        return lambda x: (rule(x[0], values(tables[0], [x[0]] * meets)),)
    return lambda x: tuple(rule(x[i], values(t, x[:i] + x[i + 1 :])) for i, t in enumerate(tables))


def tables(game: NormalForm, one: bool = False) -> tuple[np.ndarray, ...]:
    """Payoffs of each population with the own action first; of the first player alone for `one` population."""
    out = tuple(np.moveaxis(game.payoff[i], i, 0) for i in range(game.n))
    if not one:
        return out
    alike = len(set(game.shape)) == 1 and all(np.array_equal(out[0], t) for t in out)
    if not alike or not all(np.array_equal(out[0], np.swapaxes(out[0], 1, j)) for j in range(2, game.n)):
        raise Refusal(f"{game.title} is not symmetric, so one population cannot play it; leave out `one`.")
    return out[:1]


def path(
    game: NormalForm,
    starts: Sequence[Any],
    steps: int,
    rule: Rule = replicator,
    dt: float | None = None,
    one: bool = False,
    keep: int = 1,
    single: bool = False,
) -> tuple[np.ndarray, ...]:
    """States of each population at the start and after every steps/keep steps: [keep + 1, N, A_i].

    starts  of each population [N, A_i], rows on the simplex;  dt  the length of a step of Runge and Kutta's fourth
    order (0.1 over the range of payoffs, or 0.1, whichever is less, unless given);  single  compiled, in float32:
    sums stay 1 within 1e-6 rather than 1e-15
    """
    own = tables(game, one)
    state = _checked(starts, [t.shape[0] for t in own])
    rate = max(1.0, game.range)
    dt = 0.1 / rate if dt is None else dt
    if not 0 < dt * rate <= 1:  # beyond, a step of the fastest rule may leave the simplex
        raise Refusal(f"a step of {dt} is too long or none; it must be above 0 and at most {1 / rate:.3g}.")
    if steps < 1 or keep < 1 or steps % keep:
        raise Refusal(f"{steps} steps cannot be kept {keep} times; both must be 1 or more, and divide.")
    if single:
        light = tuple(x.astype(np.float32) for x in state), tuple(t.astype(np.float32) for t in own)
        out = _compiled(*light, np.float32(dt), rule, steps // keep, keep)
        return tuple(np.moveaxis(np.asarray(x), 1, 2) for x in out)
    step, kept = partial(_step, flow(own, rule), dt), [state]
    for _ in range(keep):
        for _ in range(steps // keep):
            state = step(state)
        kept.append(state)
    return tuple(np.stack([s[i].T for s in kept]) for i in range(len(own)))


def _step(field: Callable[[State], State], dt: Any, x: State) -> State:
    """Runge and Kutta's fourth order; divided by its sum, which rounding has moved from 1."""
    ahead = lambda k, c: tuple(a + c * b for a, b in zip(x, k, strict=True))  # noqa: E731
    a = field(x)
    b = field(ahead(a, dt / 2))
    c = field(ahead(b, dt / 2))
    d = field(ahead(c, dt))
    out = (p + dt / 6 * (q + 2 * r + 2 * s + t) for p, q, r, s, t in zip(x, a, b, c, d, strict=True))
    return tuple(p / p.sum(0) for p in out)


@partial(jax.jit, static_argnums=(3, 4, 5))
def _compiled(state: State, own: State, dt: Any, rule: Rule, steps: int, keep: int) -> State:
    """[keep + 1, A_i, N].  The action first and the states last is what makes it fast: sums become plain additions."""
    step, n = partial(_step, flow(own, rule), dt), state[0].shape[1]

    def stretch(x: State, _: None) -> tuple[State, State]:
        x = jax.lax.fori_loop(0, steps, lambda _, y: step(y), x)
        return x, x

    few = all(len(x) <= FEW for x in state)
    blocks = -(-n // BLOCK) if few and jax.default_backend() == "cpu" else 1
    size = -(-n // blocks)
    # [blocks, A_i, size]; the last block is filled up with copies of the last state
    filled = (jax.numpy.pad(x, ((0, 0), (0, blocks * size - n)), "edge") for x in state)
    split = tuple(x.reshape(-1, blocks, size).swapaxes(0, 1) for x in filled)
    kept = jax.lax.map(lambda x: jax.lax.scan(stretch, x, None, keep)[1], split)
    whole = (jax.numpy.moveaxis(x, 0, 2).reshape(keep, -1, blocks * size)[:, :, :n] for x in kept)
    return tuple(jax.numpy.concatenate([first[None], x]) for first, x in zip(state, whole, strict=True))


def _checked(starts: Sequence[Any], sizes: Sequence[int]) -> tuple[np.ndarray, ...]:
    """Of each population [A_i, N]."""
    found = tuple(np.asarray(s, np.float64) for s in starts)
    if len(found) != len(sizes):
        raise Refusal(f"starts are given for {len(found)} populations; the game has {len(sizes)}.")
    for i, (x, k) in enumerate(zip(found, sizes, strict=True)):
        if x.ndim != 2 or x.shape[1] != k or len(x) != len(found[0]) or not len(x):
            raise Refusal(f"the starts of population {i + 1} have shape {list(x.shape)}; [starts, {k}] is right.")
        if not (np.isfinite(x).all() and (x >= 0).all() and np.allclose(x.sum(1), 1, rtol=0, atol=1e-6)):
            raise Refusal(f"a start of population {i + 1} is no distribution; shares are 0 or more and sum to 1.")
    return tuple((x / x.sum(1, keepdims=True)).T for x in found)
