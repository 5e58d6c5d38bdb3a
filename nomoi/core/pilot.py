"""Pilot: what files of one's own promise, tried before anything long begins, and said in a sentence where it fails.

All but `tried` and a suspect `unforged` is abstract evaluation: shapes and types, and no number.
"""

from __future__ import annotations

import dataclasses
import os
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from nomoi.core import worlds
from nomoi.core.govern import Governed
from nomoi.core.institution import Institution
from nomoi.core.learner import Learner
from nomoi.core.own import source
from nomoi.core.situation import Action, Outcome, Situation
from nomoi.errors import Refusal

STEPS = 8  # that somebody of one's own lives through before anything is believed (ours)


class Wrong(Refusal):
    """What fails of a promise: the sentence says what is wrong, where, and what would be right."""


def tried_out(situation: Situation, *players: Learner) -> None:
    """Refuse, in the sentence of `nomoi check`, what a person's own file does not keep; others are not looked at."""
    own = _ones_own(situation.bare)
    if own:
        _said(own, lambda: steps(situation.bare))
    for institution in situation.institutions:
        if file := _ones_own(institution):
            _said(file, lambda: steps(situation))
            _said(file, lambda i=institution: unforged(situation, i))
    for player in players:
        if file := _ones_own(player):
            _said(file, lambda p=player: answers(p, situation))
            _said(file, lambda p=player: learns(p, situation))
            _said(file, lambda p=player: tried(p, situation))


def made(situation: Any, call: str) -> Situation:
    """The situation, where it is one; `call` is what it was given to."""
    if not isinstance(situation, Situation):
        known = isinstance(situation, type) and issubclass(situation, Situation)
        right = f"{call}(nomoi.{situation.__name__ if known else 'Pool'}())"
        raise Refusal(f"{situation!r} is no situation; one that is made would be right: {right}.")
    return situation


_PASSED: set[Any] = set()  # what was tried already, by its structure and the shapes of what is in it


def once(situation: Situation, *players: Learner) -> None:
    """`tried_out`, once for all that differs in settings alone."""
    both = situation, players
    kind: Any = (
        jax.tree.structure(both),
        tuple((np.shape(x), str(getattr(x, "dtype", type(x)))) for x in jax.tree.leaves(both)),
    )
    try:
        if kind in _PASSED:
            return
    except TypeError:  # something in it that cannot be looked up
        kind = None
    tried_out(situation, *players)
    if kind is not None:
        _PASSED.add(kind)


def answers(learner: Learner, situation: Situation) -> str:
    """Everybody's answer to every head, [n] int32, and a memory that keeps its type."""
    name, heads = f"{learner.name} in {situation.name}", situation.actions

    def first(key: Any) -> Any:
        mind = learner.init(key, situation)
        carry = learner.start(mind, situation)
        gave = learner.act(key, mind, situation, situation.observe(situation.reset(key)), carry)
        if not isinstance(gave, (tuple, list)) or len(gave) != 2:
            raise Wrong(f"act of {name} gives {type(gave).__name__}; a pair would be right: (action, carry).")
        if not isinstance(gave[0], dict):
            raise Wrong(f"{name} answers with {type(gave[0]).__name__}; {{head: [n]}} would be right.")
        return carry, dict(gave[0]), gave[1]

    carry, action, later = jax.eval_shape(first, jax.random.key(0))
    if set(action) != set(heads):
        raise Wrong(f"{name} answers {sorted(action)}; it must answer every head, {sorted(heads)}.")
    for head, value in action.items():
        if value.shape != (situation.agents,) or value.dtype != jnp.int32:
            raise Wrong(f"{name} answers {head!r} by {shape(value)}; [{situation.agents}] int32 would be right.")
    if wrong := mismatches(carry, later):
        raise Wrong(f"what {name} remembers changes its type in a step ({wrong[0]}); it must stay the same.")
    return f"{name} is traced by jit and answers every head."


def learns(learner: Learner, situation: Situation) -> str:
    """An update keeps the type of the run; nothing is asked of who never learns."""
    if not learner.batch:
        return f"{learner.name} never learns."

    def first(key: Any) -> Any:
        run = learner.begin(key, situation)
        learner.mind(run)
        return run, learner.learn(situation, run, 1, jnp.int32(2))[0]

    if wrong := mismatches(*jax.eval_shape(first, jax.random.key(0))):
        name = learner.name
        raise Wrong(f"a run of {name} changes its type in an update ({wrong[0]}); it must stay the same.")
    return "an update keeps the type of a run."


def tried(learner: Learner, situation: Situation, lived: int = STEPS) -> str:
    """A few steps lived, in which every answer is a choice that there is."""

    @eqx.filter_jit
    def live(learner: Learner, situation: Situation, key: PRNGKeyArray) -> Any:
        mind = learner.init(key, situation)

        def tick(now: Any, t: Any) -> Any:
            state, turn, carry = now
            seen, own = situation.observe(state), jax.random.fold_in(key, t)
            action, carry = learner.act(own, mind, situation, seen, carry)
            after, later, _ = worlds.step(situation, key, turn, state, action)
            return (after, later, carry), action

        start = situation.reset(key), jnp.zeros((), jnp.int32), learner.start(mind, situation)
        return jax.lax.scan(tick, start, jnp.arange(min(lived, situation.horizon)))[1]

    for head, value in jax.device_get(live(learner, situation, jax.random.key(0))).items():
        in_reach(f"{learner.name} in {situation.name}", head, value, situation.actions[head])
    return "answers are choices that there are."


def in_reach(name: str, head: str, answered: Any, many: int) -> None:
    """Refuse answers that are no choices of a head."""
    low, high = int(np.min(answered)), int(np.max(answered))
    if low < 0 or high >= many:
        out = low if low < 0 else high
        raise Wrong(f"{name} answers {out} to {head!r}; a choice from 0 to {many - 1} would be right.")


def steps(situation: Situation) -> str:
    """A step keeps the state's type, and brings a reward and a transfer [n] float and one bool for the end."""

    def first(key: PRNGKeyArray) -> Any:
        state = situation.reset(key)
        situation.observe(state)
        situation.asked(state)
        return state, *situation.step(key, state, random_action(key, situation))

    before, after, outcome = jax.eval_shape(first, jax.random.key(0))
    if wrong := mismatches(before, after):
        name = situation.name
        raise Wrong(f"the state of {name} changes its type in a step ({wrong[0]}); it must stay the same.")
    outcomes(situation, outcome)
    return "a step keeps the state's structure, shapes and types."


def outcomes(situation: Situation, outcome: Outcome) -> None:
    """Refuse an outcome of other shapes or types."""
    n = situation.agents
    for what, axes, kind in (
        ("reward", (n,), jnp.floating), ("transfer", (n,), jnp.floating), ("done", (), jnp.bool_),
    ):  # fmt: skip
        value = jnp.asarray(x) if not hasattr(x := getattr(outcome, what), "dtype") else x
        if value.shape != axes or not jnp.issubdtype(value.dtype, kind):
            right = f"{list(axes)} {'bool' if kind is jnp.bool_ else 'float'}"
            raise Wrong(f"{what} in the outcome of {situation.name} is {shape(value)}; {right} would be right.")


def unforged(governed: Situation, institution: Institution) -> str:
    """The reward is the world's alone: what the institution hands on is what it was handed."""
    assert isinstance(governed, Governed)
    place = governed.institutions.index(institution)
    before, world = Governed(governed.situation, governed.institutions[:place]), governed.situation

    def settle(reward: Any, key: PRNGKeyArray) -> Any:
        state, action = governed.reset(key), random_action(key, governed)
        own = {h: action[h] for h in world.actions}
        now = dataclasses.replace(state, memory=state.memory[:place])
        after, outcome = before.step(key, now, {h: action[h] for h in before.actions})
        outcome = dataclasses.replace(outcome, reward=reward)
        return institution.settle(key, state.memory[place], world, after.world, action, own, outcome)[2].reward

    key, reward = jax.random.key(0), jax.random.normal(jax.random.key(1), (world.agents,))
    traced = jax.make_jaxpr(settle)(reward, key).jaxpr
    if traced.outvars[0] is not traced.invars[0]:  # it may still be the same number: that is computed
        after = jax.jit(settle)(reward, key)
        if not np.allclose(after, reward, 1e-5, 1e-6):
            raise Wrong(f"{institution.name} changes the reward, which is the world's alone; pay through the transfer "
                        "(outcome.pay) instead.")  # fmt: skip
    return "the reward stays what the world gave."


# --- what it is said with -----------------------------------------------------------------------------------------


def random_action(key: PRNGKeyArray, situation: Situation) -> Action:
    """An answer to every head, uniform and independent."""
    keys = jax.random.split(key, len(situation.actions))
    n = situation.agents
    return {h: jax.random.randint(k, (n,), 0, c) for k, (h, c) in zip(keys, situation.actions.items(), strict=True)}


def mismatches(a: Any, b: Any) -> list[str]:
    """Leaves of two trees that differ in shape or type, each as "path: [2] int32 became [3] float32"."""
    if jax.tree.structure(a) != jax.tree.structure(b):
        return [f"the structure {jax.tree.structure(a)} became {jax.tree.structure(b)}"]
    flat, other = jax.tree_util.tree_flatten_with_path(a)[0], jax.tree.leaves(b)
    return [
        f"{place(path)}: {shape(x)} became {shape(y)}"
        for (path, x), y in zip(flat, other, strict=True)
        if (x.shape, x.dtype) != (y.shape, y.dtype)
    ]


def place(path: Any) -> str:
    return jax.tree_util.keystr(path).lstrip(".") or "the whole"


def shape(x: Any) -> str:
    return f"{list(x.shape)} {x.dtype}"


def fault(error: BaseException) -> str:
    """What went wrong in somebody's code, and where: the last line of theirs, or else of nomoi's."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "site-packages" not in f.filename]
    home = Path(__file__).parents[1]
    own = [f for f in frames if home not in Path(f.filename).parents] or frames
    where = f" at {own[-1].filename}, line {own[-1].lineno}" if own else ""
    said = str(error).strip().splitlines() or ["no message"]
    return f"{type(error).__name__}{where}: {said[0].rstrip('.')}"


def _said(file: str, question: Callable[[], str]) -> None:
    more = f" (`nomoi check {file}` says more)." if file.endswith(".py") else "."
    try:
        question()
    except Wrong as wrong:
        _end(str(wrong), more)
    except Refusal:
        raise
    except (Exception, SystemExit) as error:  # who ends the process has not answered
        hint = ""
        if isinstance(error, jax.errors.ConcretizationTypeError):
            hint = "; `if`, int() and the like need numbers, and under jit there are none yet: jnp.where would be right"
        _end(fault(error) + hint, more)


def _end(sentence: str, more: str) -> NoReturn:
    raise Wrong(sentence.rstrip(".") + more) from None


def _ones_own(thing: Any) -> str:
    """The file of a person's that defines a thing, or a part of it; empty where all of it is nomoi's."""
    homes = [type(part).__module__ for part in _parts(thing)]
    return next((_near(source(home) or home) for home in homes if source(home) or home == "__main__"), "")


def _near(file: Path | str) -> str:
    """A path as one would type it here."""
    here = os.path.relpath(file)
    return str(file) if here.startswith("..") else here


def _parts(thing: Any) -> Iterator[Any]:
    """A thing and the modules that it is made of."""
    if isinstance(thing, eqx.Module):
        yield thing
        for field in dataclasses.fields(thing):
            yield from _parts(getattr(thing, field.name, None))
    elif isinstance(thing, (tuple, list)):
        for part in thing:
            yield from _parts(part)
