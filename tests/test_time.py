"""Time that nobody lives: out of play, held by an institution, after the end.  No value that nobody learned is used."""

from __future__ import annotations

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nomoi.core import Outcome, Situation, govern
from nomoi.core.worlds import advance, begin
from nomoi.institutions.contract import Contract
from nomoi.learners import ppo
from nomoi.learners.advantage import gae
from nomoi.learners.batch import Batch, sample
from nomoi.learners.ppo import PPO
from nomoi.situations.matrix import Matrix

KEY = jax.random.key(0)
GAMMA, LAMBDA = jnp.float32(0.99), jnp.float32(0.95)
AWAY, ODDS = 6, 0.2


class Wait(eqx.Module):
    """left [n] steps until an agent is back in play; time []."""

    left: Any
    time: Any


class Exile(Situation):
    """Whoever is in play gets 1 a step and is sent away for AWAY steps by lot, whatever is done."""

    agents: int = eqx.field(static=True, default=2)
    horizon: int = eqx.field(static=True, default=60)

    @property
    def actions(self):
        return {"move": 2}

    @property
    def emits(self):
        return {}

    def reset(self, key):
        return Wait(jnp.zeros(self.agents, jnp.int32), jnp.zeros((), jnp.int32))

    def step(self, key, state, action):
        here, time = state.left == 0, state.time + 1
        gone = here & jax.random.bernoulli(key, ODDS, (self.agents,))
        left = jnp.where(gone, AWAY, jnp.maximum(state.left - 1, 0))
        none = jnp.zeros(self.agents)
        return Wait(left, time), Outcome(here.astype(jnp.float32), none, {}, time >= self.horizon)

    def present(self, state):
        return state.left == 0

    def senses(self, state):
        return {"away": (state.left[:, None] == jnp.arange(AWAY + 1)).astype(jnp.float32)}


def tiny(**changes):
    return PPO(**({"worlds": 4, "steps": 8, "minibatches": 2, "epochs": 1, "hidden": 8} | changes))


def experience(seed=0, steps=9, worlds=4, n=2, quiet=0.5):
    """Random experience in which agents are often asked nothing, and values after it [W, n]."""
    rng = np.random.default_rng(seed)
    utility, value = rng.normal(size=(2, steps, worlds, n)).astype(np.float32)
    done = rng.random((steps, worlds, 1)).repeat(n, -1) < 0.2
    lived = rng.random((steps, worlds, n)) > quiet
    blank = jnp.zeros((steps, worlds, n))
    batch = Batch({}, {}, {}, *map(jnp.asarray, (value, utility, done)), {}, jnp.asarray(lived), blank)
    return batch, jnp.asarray(rng.normal(size=(worlds, n)).astype(np.float32))


def slowly(batch, last, gamma, trace):
    """Advantages and targets of one long step from each moment in which one was asked to the next."""
    utility, value, done, lived = map(np.asarray, (batch.utility, batch.value, batch.done, batch.lived))
    steps, worlds, n = utility.shape
    advantage, target = np.zeros((2, steps, worlds, n))

    def ahead(t, w, i):
        """What is earned until the next moment that is lived, the discount to it, its value and its advantage."""
        earned, discount = 0.0, 1.0
        for k in range(t, steps):
            earned += discount * utility[k, w, i]
            discount *= gamma
            if done[k, w, i]:
                return earned, 0.0, 0.0, 0.0
            if k + 1 < steps and lived[k + 1, w, i]:
                return earned, discount, value[k + 1, w, i], advantage[k + 1, w, i]
        return earned, discount, float(last[w, i]), 0.0

    for t in reversed(range(steps)):
        for w in range(worlds):
            for i in range(n):
                earned, discount, following, later = ahead(t, w, i)
                if lived[t, w, i]:
                    advantage[t, w, i] = earned + discount * (following + trace * later) - value[t, w, i]
                    target[t, w, i] = value[t, w, i] + advantage[t, w, i]
                else:
                    target[t, w, i] = earned + discount * (following + later)
    return advantage, target


@pytest.mark.parametrize("quiet", [0.0, 0.5, 0.9])
def test_advantages_equal_long_steps_from_choice_to_choice(quiet):
    batch, last = experience(quiet=quiet)
    found = gae(batch, last, jnp.float32(0.9), jnp.float32(0.8))
    for mine, slow in zip(found, slowly(batch, last, 0.9, 0.8), strict=True):
        np.testing.assert_allclose(mine, slow, atol=1e-5)


def test_with_every_step_lived_they_are_the_sum_over_later_errors():
    batch, last = experience(quiet=0.0)
    found, target = map(np.asarray, gae(batch, last, jnp.float32(0.9), jnp.float32(0.8)))
    value, utility, done = map(np.asarray, (batch.value, batch.utility, batch.done))
    for t in range(9):
        total, weight = np.zeros((4, 2)), np.ones((4, 2))
        for k in range(t, 9):
            following = np.asarray(last) if k == 8 else value[k + 1]
            total += weight * (utility[k] + 0.9 * ~done[k] * following - value[k])
            weight = weight * 0.9 * 0.8 * ~done[k]
        np.testing.assert_allclose(found[t], total, atol=1e-5)
    np.testing.assert_allclose(target, value + found, atol=1e-6)


def test_what_is_said_of_time_not_lived_changes_nothing():
    """Values where one is asked nothing are used nowhere; the rest would be felt."""
    batch, last = experience()
    noise = jax.random.normal(KEY, batch.value.shape)
    unlived = dataclasses.replace(batch, value=batch.value + jnp.where(batch.lived, 0.0, noise))
    living = dataclasses.replace(batch, value=batch.value + jnp.where(batch.lived, noise, 0.0))
    told = gae(batch, last, GAMMA, LAMBDA)
    for mine, same in zip(told, gae(unlived, last, GAMMA, LAMBDA), strict=True):
        np.testing.assert_array_equal(mine, same)
    assert not np.allclose(told[0], gae(living, last, GAMMA, LAMBDA)[0])
    # where a rollout is cut, what follows counts, for who is away just then too
    away = ~np.asarray(batch.lived[-1]) & ~np.asarray(batch.done[-1])
    assert away.any()
    moved = np.asarray(gae(batch, last + 1.0, GAMMA, LAMBDA)[1][-1] - told[1][-1])
    np.testing.assert_allclose(moved[away], 0.99, atol=1e-5)


def gathered(situation, learner, seed=0):
    run = jax.jit(lambda k: learner.begin(k, situation))(jax.random.key(seed))
    return jax.jit(lambda r: learner._gather(situation, r, KEY))(run)


def test_lived_is_where_one_is_asked_anything():
    """Neither out of play nor while an institution asks others, but where only an institution asks."""
    learner = tiny(worlds=8, steps=16)
    _, batch, _ = gathered(Exile(), learner)
    away = np.asarray(batch.told["away"][..., 0] == 0)
    assert 0.2 < away.mean() < 0.8
    np.testing.assert_array_equal(batch.lived, ~away)
    governed = govern(Matrix(horizon=3), Contract(on="defect"))
    _, batch, _ = gathered(governed, learner)
    asked = {h: np.asarray(x) for h, x in batch.asked.items()}
    held = ~asked["choose"].any(-1)
    assert 0.2 < held.mean() < 0.8
    np.testing.assert_array_equal(batch.lived, np.any(list(asked.values()), 0))
    assert np.asarray(batch.lived)[held].any()
    assert not np.asarray(batch.lived)[held].all()


def test_where_a_rollout_is_cut_the_critic_is_asked_what_follows(monkeypatch):
    told = {}
    learner, situation = tiny(worlds=8), Exile()

    def listening(batch, last, *rest):
        told["last"] = last
        return gae(batch, last, *rest)

    monkeypatch.setattr(ppo, "gae", listening)

    @jax.jit
    def asked(key):
        run = learner.begin(key, situation)
        learner._update(situation, run, jnp.float32(0))
        _, gather, _ = jax.random.split(run.key, 3)
        after, _, _ = learner._gather(situation, run, gather)
        return told["last"], learner.think(run.mind, after.lives.told, after.carry)[1]

    last, thought = asked(KEY)
    np.testing.assert_allclose(last, thought, rtol=1e-6)
    assert np.ptp(last) > 0


def returns(learner, situation, mind, worlds=32):
    """Values, discounted returns to the end, and who was asked anything: [T, W, n] each, over whole episodes."""
    start = learner.start(mind, situation)
    first = (begin(KEY, situation, worlds), jnp.broadcast_to(start, (worlds, *start.shape)))

    def tick(now, t):
        world, carry = now
        told = world.observe(situation)
        lived = jax.vmap(situation.present)(world.state)
        logits, value, carry = learner.think(mind, told, carry)
        world, outcome, _ = advance(situation, world, sample(jax.random.fold_in(KEY, t), logits))
        return (world, carry), (value, outcome.reward * learner.scale, lived)

    _, (value, utility, lived) = jax.lax.scan(tick, first, jnp.arange(situation.horizon))
    back = lambda later, now: (now + learner.gamma * later,) * 2  # noqa: E731
    worth = jax.lax.scan(back, jnp.zeros_like(utility[0]), utility, reverse=True)[1]
    return value, worth, lived


@pytest.fixture(scope="module")
def learned():
    """A critic after training, its values and the returns that followed."""
    learner = tiny(
        worlds=32, steps=16, epochs=2, hidden=16, gamma=0.9, scale=1.0, learning_rate=1e-2, learning_rate_end=2e-3
    )
    situation = Exile()
    run = jax.jit(lambda k: learner.begin(k, situation))(KEY)
    run, _ = jax.jit(lambda r: learner.learn(situation, r, 80, jnp.int32(80)))(run)
    return tuple(map(np.asarray, jax.jit(lambda m: returns(learner, situation, m))(run.mind)))


@pytest.mark.parametrize("who", ["in play", "out of play"])
def test_after_training_the_critic_knows_what_time_is_worth(learned, who):
    """Within 15 % of what follows, over whole episodes (nobody senses their end), also for who is away."""
    value, worth, lived = learned
    mine = lived if who == "in play" else ~lived
    assert value[mine].mean() == pytest.approx(worth[mine].mean(), rel=0.15)
    assert worth[lived].mean() > 1.2 * worth[~lived].mean()


def test_an_end_is_worth_nothing_more():
    batch, last = experience()
    ended = dataclasses.replace(batch, done=batch.done.at[-1].set(True))
    found = gae(ended, last, GAMMA, LAMBDA)
    for one, other in zip(found, gae(ended, last + 5, GAMMA, LAMBDA), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(found[1][-1], batch.utility[-1], atol=1e-6)
