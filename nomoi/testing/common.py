"""What the checks share: how one is asked, random play, and the comparison of trees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from nomoi import catalogue
from nomoi.core import Outcome, Situation, govern
from nomoi.core.pilot import Wrong, fault, mismatches, place, random_action, shape
from nomoi.core.worlds import step
from nomoi.institutions.bench import Bench
from nomoi.situations.matrix import Matrix
from nomoi.situations.moderation import Moderation
from nomoi.situations.pool import Pool

__all__ = ["Wrong", "mismatches", "place", "random_action", "shape"]  # of `nomoi.core.pilot`, for the checks

LONGEST = 20_000  # steps: an episode longer than this is not played to its end
CARD = ("observation", "actions", "reward", "events", "end", "state", ">>>")  # what a situation's docstring says
PATIENCE = 256  # steps that institutions may convene, in an episode of random answers


class Check(NamedTuple):
    """passed is None where the check does not apply, or where its sentence is only a warning."""

    name: str
    passed: bool | None
    sentence: str


class Skip(Exception):
    """The check does not apply; the sentence says why, or warns."""


def ask(name: str, question: Callable[[], str]) -> Check:
    """Put one question; it returns a sentence when all is well, and raises `Wrong` or `Skip` otherwise."""
    try:
        return Check(name, True, question())
    except Skip as skip:
        return Check(name, None, str(skip))
    except Wrong as wrong:
        return Check(name, False, str(wrong))
    except Exception as error:
        return Check(name, False, fault(error))


class Life(eqx.Module):
    """One episode of random play; every leaf is [T, ...].

    alive before the step the episode had not ended; held an institution convened; finite all that was observed
    after the step is; stock [T, 2, kinds] before and after
    """

    outcome: Outcome
    alive: Bool[Array, ...]
    held: Bool[Array, ...]
    finite: dict[str, Bool[Array, ...]]
    stock: Array
    clock: Int[Array, ...]


def grounds(among: Sequence[Situation]) -> Iterator[Situation]:
    """Where behaviour and wants are tried: on `among`, or else on those that come with nomoi, small ones first."""
    yield from among or (Matrix(horizon=3), Pool(horizon=3))
    if not among:
        yield from (cls() for cls in catalogue.situations().values())
        yield govern(Moderation(members=3, marks=3), Bench())  # for what wants decisions


@eqx.filter_jit
def live(situation: Situation, key: PRNGKeyArray, steps: int) -> Life:
    """Random play with the clock of rollout: it stands still while an institution convenes."""
    born, playing, acting = jax.random.split(key, 3)

    def stock(state: Any) -> Array:
        return situation.stock(state) if situation.kinds else jnp.zeros(0)

    def tick(carry: Any, t: Array) -> tuple[Any, Life]:
        state, clock, alive = carry
        held = situation.held(state)
        action = random_action(jax.random.fold_in(acting, t), situation)
        after, later, outcome = step(situation, playing, clock, state, action)
        finite = {name: jnp.isfinite(value).all() for name, value in situation.observe(after).items()}
        stocks = jnp.stack([stock(state), stock(after)])
        return (after, later, alive & ~outcome.done), Life(outcome, alive, held, finite, stocks, later)

    first = (situation.reset(born), jnp.zeros((), jnp.int32), jnp.array(True))
    return jax.lax.scan(tick, first, jnp.arange(steps))[1]


def glimpse(key: PRNGKeyArray, situation: Situation) -> dict[str, Any]:
    """Everything a situation computes in its first step, for looking at shapes and types."""
    born, playing, acting = jax.random.split(key, 3)
    state = situation.reset(born)
    out = {"reset": state, "observe": situation.observe(state), "asked": situation.asked(state)}
    state, outcome = situation.step(playing, state, random_action(acting, situation))
    later = {"state": state, "observe later": situation.observe(state), "present": situation.present(state)}
    return out | {"outcome": outcome} | later


def brief(key: PRNGKeyArray, situation: Situation) -> tuple[Any, Any]:
    """Observations and outcomes of the first four steps, and the state after them."""
    born, playing, acting = jax.random.split(key, 3)

    def tick(now: tuple[Any, Array], t: Array) -> tuple[tuple[Any, Array], Any]:
        state, clock = now
        action = random_action(jax.random.fold_in(acting, t), situation)
        after, later, outcome = step(situation, playing, clock, state, action)
        return (after, later), (situation.observe(state), outcome)

    (state, _), told = jax.lax.scan(tick, (situation.reset(born), jnp.zeros((), jnp.int32)), jnp.arange(4))
    return state, told


def differences(a: Any, b: Any, exact: bool = True) -> list[str]:
    """Paths of the leaves in which two trees differ in value; numbers with a fraction may differ by float dust."""
    out = []
    if jax.tree.structure(a) != jax.tree.structure(b):
        return ["the structure"]
    flat, other = jax.tree_util.tree_flatten_with_path(a)[0], jax.tree.leaves(b)
    for (path, x), y in zip(flat, other, strict=True):
        x, y = (np.asarray(jax.random.key_data(v) if _is_key(v) else v) for v in (x, y))
        near = x.shape == y.shape and np.allclose(x, y, 1e-5, 1e-6, equal_nan=True)
        if not (np.array_equal(x, y, equal_nan=x.dtype.kind == "f") if exact or x.dtype.kind != "f" else near):
            out.append(place(path))
    return out


def _is_key(x: Any) -> bool:
    return isinstance(x, jax.Array) and jnp.issubdtype(x.dtype, jax.dtypes.prng_key)


def card(cls: type, words: tuple[str, ...]) -> str:
    """Warns where the docstring of a class lacks parts of a card."""
    text = cls.__doc__ or ""
    missing = [word for word in words if word not in text]
    if missing:
        raise Skip(f"warning: the docstring of {cls.__name__} does not say: {', '.join(missing)}.")
    return "the docstring is a card."
