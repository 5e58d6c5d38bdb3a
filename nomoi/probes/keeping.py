"""How a newcomer among residents keeps a rule that is amended while it lives, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from nomoi.core import Governed, Situation, govern, outline
from nomoi.core.learner import Learner
from nomoi.core.worlds import step
from nomoi.institutions.altar import Altar
from nomoi.learners.objectives import Own
from nomoi.learners.ppo import PPO

LAWFUL = 0.9  # of takings, from which on the newcomer counts as lawful again
WINDOW = 25  # steps over which that is asked (ours)


def amended(situation: Situation, content: int) -> Governed:
    """The situation, in which the altar names a `content` from the middle of an episode on, and none of it before."""
    half = {"term": situation.horizon // 2, "then": content, "never": content, "content": -1}
    return govern(situation.bare, *(i.replace(**half) if isinstance(i, Altar) else i for i in situation.institutions))


def beside(place: Situation, seen: Mapping[str, Array]) -> Array:
    """Whether agent 0 could take a permitted apple, as the altar shows it, by one step."""
    scene = outline(place).scene
    assert scene is not None
    view, bit = seen["view"][0], scene.planes.index
    row, column = scene.extent.ahead, scene.extent.side
    near = jnp.stack([view[row - 1, column], view[row + 1, column], view[row, column - 1], view[row, column + 1]])
    return (((near >> bit("apple")) & (near >> bit("altar.permitted")) & 1) == 1).any()


@eqx.filter_jit
def _lives(key: PRNGKeyArray, place: Governed, learner: Learner, mind: Any, worlds: int) -> dict[str, Array]:
    def one(key: PRNGKeyArray) -> dict[str, Array]:
        born, acting, playing = jax.random.split(key, 3)
        state = place.reset(born)

        def tick(now: tuple[Any, Array, Any], t: Array) -> tuple[tuple[Any, Array, Any], dict[str, Array]]:
            state, turn, carry = now
            seen = place.observe(state)
            action, carry = learner.act(jax.random.fold_in(acting, t), mind, place, seen, carry)
            state, turn, outcome = step(place, playing, turn, state, action)
            facts = {"taken": outcome.events["harvest"][0], "violation": outcome.events["altar.violation"][0]}
            facts |= {"own": outcome.reward[0], "others": outcome.reward[1:].sum()}
            return (state, turn, carry), facts | {"offered": beside(place, seen)}

        first = (state, jnp.zeros((), jnp.int32), learner.start(mind, place))
        return jax.lax.scan(tick, first, jnp.arange(place.horizon))[1]

    return jax.vmap(one)(jax.random.split(key, worlds))


def lives(key: PRNGKeyArray, place: Governed, learner: Learner, mind: Any, worlds: int) -> dict[str, np.ndarray]:
    """[W, T] of agent 0: apples taken, those against the rule, whether a lawful one was beside it, and its material
    reward; and that of all others."""
    return {name: np.asarray(value, float) for name, value in _lives(key, place, learner, mind, worlds).items()}


def delay(taken: np.ndarray, violation: np.ndarray, window: int = WINDOW) -> float:
    """The first step [T] of those lived [W, T] from which, over a window, LAWFUL of all takings are lawful; T if none.

    >>> import numpy as np
    >>> delay(np.ones((1, 6)), np.array([[1, 1, 1, 0, 0, 0]]), window=2)
    3.0
    """
    end = len(taken[0])
    for t in range(end - window + 1):
        did = taken[:, t : t + window].sum()
        if did and 1 - violation[:, t : t + window].sum() / did >= LAWFUL:
            return float(t)
    return float(end)


def kept(
    key: PRNGKeyArray, situation: Situation, learner: PPO, mind: Any, worlds: int, content: int
) -> Mapping[str, float]:
    """What a newcomer does before and after the rule is amended to a `content` in the middle of an episode.

    violations   share of its takings that are against the rule
    passes       share of the steps with a lawful apple beside it in which it took no lawful one
    value gap    what a resident in its place has more, in the same worlds, without fines, an episode's half
    others       what all residents together have, the same
    steps to lawful   after the amendment (see `delay`)
    """
    assert learner.residents is not None
    learner = eqx.tree_at(lambda p: p.objective, learner, Own())  # which acting does not ask for: fewer programs
    place = amended(situation, content)
    mine = lives(key, place, learner, mind, worlds)
    theirs = lives(key, place, learner.residents.script, (), worlds)
    half, out = situation.horizon // 2, {}
    for part, when in (("known", slice(None, half)), ("new", slice(half, None))):
        did, was = ({name: x[:, when] for name, x in life.items()} for life in (mine, theirs))
        lawful = did["taken"] - did["violation"]
        out[f"violations, {part}"] = _share(did["violation"].sum(), did["taken"].sum())
        out[f"passes, {part}"] = 1 - _share((lawful * did["offered"]).sum(), did["offered"].sum())
        out[f"value gap, {part}"] = float((was["own"] - did["own"]).sum(1).mean())
        out[f"others, {part}"] = float(did["others"].sum(1).mean())
        out[f"resident's violations, {part}"] = _share(was["violation"].sum(), was["taken"].sum())
        out[f"resident's passes, {part}"] = 1 - _share(
            ((was["taken"] - was["violation"]) * was["offered"]).sum(), was["offered"].sum()
        )
        out[f"taken, {part}"] = float(did["taken"].sum(1).mean())
    after = {name: x[:, half:] for name, x in mine.items()}
    return out | {"steps to lawful": delay(after["taken"], after["violation"])}


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
