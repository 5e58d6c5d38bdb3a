"""Conscience: what it learns, what it feels, when it stops, and that without one nothing changes."""

from __future__ import annotations

import dataclasses
from functools import lru_cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small import SITUATIONS

from nomoi.core import Outcome, Situation, govern, size, vocabulary
from nomoi.core.learner import Learner
from nomoi.errors import Refusal
from nomoi.institutions.altar import Altar
from nomoi.institutions.sanction import Sanction
from nomoi.learners import ppo
from nomoi.learners.conscience import BLAME, Conscience, Public, logit, witness
from nomoi.learners.nets import Net, Shape
from nomoi.learners.ppo import PPO, Residents
from nomoi.probes.norms import balanced, judgement
from nomoi.runs.trained import Trained
from nomoi.situations.matrix import Matrix

KEY = jax.random.key(0)
BLUE, RED, PLAIN = range(3)


class State(eqx.Module):
    hat: jax.Array
    ready: jax.Array
    time: jax.Array


class Hats(Situation):
    """Everybody looks at a hat, new in each step, and may strike whoever wears it, if ready.  Nothing is paid."""

    agents: int = size(4, "how many")
    horizon: int = size(20, "steps")

    @property
    def actions(self):
        return {"move": 2}

    @property
    def emits(self):
        return vocabulary("shot", "zap")

    def reset(self, key):
        one, other = jax.random.split(key)
        n = self.agents
        return State(
            jax.random.randint(one, (n,), 0, 3), jax.random.bernoulli(other, 0.7, (n,)), jnp.zeros((), jnp.int32)
        )

    def step(self, key, state, action):
        fires = (action["move"] == 1) & state.ready
        new = dataclasses.replace(self.reset(key), time=state.time + 1)
        events = {"shot": fires.astype(jnp.float32), "zap": (self.aim(state) & fires[:, None]).astype(jnp.float32)}
        nothing = jnp.zeros(self.agents)
        return new, Outcome(nothing, nothing, events, new.time >= self.horizon)

    def senses(self, state):
        return {"hat": (state.hat[:, None] == np.arange(3)).astype(jnp.float32)}

    def aim(self, state):
        return jnp.roll(jnp.eye(self.agents, dtype=bool), 1, 1) & state.ready[:, None]


class Custom(Learner):
    """The planted rule: strike whoever wears red, and nobody else, but for one slip in twenty."""

    def act(self, key, mind, situation, seen, carry):
        slip = jax.random.bernoulli(key, 0.05, (situation.agents,))
        return {"move": ((seen["hat"][:, RED] > 0) ^ slip).astype(jnp.int32)}, carry


BEFORE = [0.01991, 9.62000, 0.0, 0.00536, 26.68746, 0.01098, 0.0505, 0.00543, 0.33865]
HATS = Hats()
QUICK = Conscience(hidden=16, learning_rate=2e-2, weight=1.0)
PUPIL = PPO(
    worlds=16, steps=16, minibatches=4, epochs=2, hidden=16, learning_rate=5e-3, learning_rate_end=5e-3,
    entropy_coef=0.02, entropy_coef_end=0.0, scale=1.0, residents=Residents(Custom(), 1), conscience=QUICK,
)  # fmt: skip


@lru_cache
def runs():
    """Before training, at its half, when the judge freezes, and at its end."""
    learn = jax.jit(lambda run: PUPIL.learn(HATS, run, 12, jnp.int32(24))[0])
    first = jax.jit(lambda key: PUPIL.begin(key, HATS))(KEY)
    half = learn(first)
    return first, half, learn(half)


@lru_cache
def teach(shared):
    """A lesson of one judge, or of two: minds, the state of their optimisers, and how to teach them."""
    learner = dataclasses.replace(PUPIL, shared=shared, residents=Residents(Custom(), 2))
    minds = learner.init(KEY, HATS)
    lesson = lambda minds, state, public: QUICK.learn(minds, state, public, KEY, jnp.float32(0.2), shared)  # noqa: E731
    return minds, QUICK.begin(minds, shared), jax.jit(lesson)


def public(hat, chance, struck):
    """The record of a hundred steps of one agent."""
    return Public({"hat": jnp.eye(3)[hat]}, jnp.asarray(chance), jnp.asarray(struck))


def arrays(tree):
    return jax.tree.leaves(eqx.filter(tree, eqx.is_array))


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(arrays(one), arrays(other), strict=True))


@pytest.mark.slow
def test_it_learns_the_planted_rule_from_what_others_do():
    first, half, last = runs()
    before, after = (judgement(KEY, HATS, PUPIL, run.mind) for run in (first, last))
    assert before["accuracy"] < 0.7
    assert after["accuracy"] > 0.9
    assert np.isnan(after["truth"])  # there is no institution to ask
    assert after["chances"] == pytest.approx(0.7, abs=0.05)
    assert after["disapproved"] == pytest.approx(0.95 / 3 + 2 * 0.05 / 3, abs=0.05)
    np.testing.assert_array_equal(logit(half.mind.judge, {"hat": jnp.eye(3)}) > 0, [False, True, False])


@pytest.mark.slow
def test_who_feels_so_punishes_as_the_others_do():
    """Nothing is paid for striking: only the conscience can make a pupil strike the red and spare the others."""
    _, _, last = runs()
    told = last.mind.reflect({"hat": jnp.eye(3)})
    logits, _, _ = last.mind(told, last.mind.start(3))
    strikes = np.asarray(jax.nn.softmax(logits["move"])[:, 1])
    assert strikes[RED] > 0.8
    assert max(strikes[BLUE], strikes[PLAIN]) < 0.1


def test_frozen_it_stays_as_it_is_while_the_policy_learns_on():
    first, half, last = runs()
    assert not same(first.mind.judge, half.mind.judge)
    assert same(half.mind.judge, last.mind.judge)
    assert same(half.scruple, last.scruple)
    assert not same(half.mind.net, last.mind.net)


def test_pride_and_shame_have_their_signs_and_only_who_strikes_when_it_can_feels_them():
    told = {BLAME: jnp.array([[1.0], [0.0], [0.5], [1.0], [1.0]])}
    could, struck = jnp.array([True, True, True, False, True]), jnp.array([True, True, True, True, False])
    felt = Conscience().feel(told, Public({}, could, struck))
    np.testing.assert_allclose(felt, [0.2, -0.4, -0.1, 0, 0], atol=1e-6)


def test_what_is_felt_is_all_that_is_learned_from_where_nothing_is_paid():
    first, _, _ = runs()
    _, batch, _ = jax.jit(lambda r: PUPIL._gather(HATS, r, KEY))(first)
    expected = batch.told[BLAME][..., 0]
    could, struck = batch.public.chance[..., :1], batch.public.disapproved[..., :1]
    np.testing.assert_array_equal(struck, (batch.action["move"] == 1) & could)
    felt = np.where(struck, 0.2 * expected - 0.4 * (1 - expected), 0)
    np.testing.assert_allclose(batch.utility, felt, atol=1e-6)
    assert batch.public.told["hat"].shape[2] == 4  # also what the residents saw
    assert batch.told["hat"].shape[2] == 1


def test_the_public_record_is_of_the_step_and_of_before_it():

    @jax.jit
    def lived(key, own):
        state, action = jax.vmap(HATS.reset)(jax.random.split(key, 5)), {"move": jnp.ones((5, 4), jnp.int32)}
        after, outcome = jax.vmap(HATS.step)(jax.random.split(own, 5), state, action)
        return state, after, witness(HATS, state, jax.vmap(HATS.observe)(state), outcome)

    state, after, seen = lived(KEY, jax.random.key(1))
    np.testing.assert_array_equal(seen.chance, state.ready)
    np.testing.assert_array_equal(seen.disapproved, state.ready)
    assert not np.array_equal(seen.chance, after.ready)


@pytest.mark.parametrize("struck", [True, False])
def test_where_nobody_struck_or_all_did_nothing_is_learned(struck):
    minds, state, lesson = teach(True)
    told = public(np.arange(100) % 3, np.ones(100, bool), np.full(100, struck))
    after = lesson(minds, state, told)
    assert same(after, (minds, state))


@pytest.mark.parametrize("shared", [True, False])
def test_every_judge_learns_in_private_from_both_classes_and_nothing_but_chances(shared):
    """Of a hundred steps three are disapproval, of one context, and the steps without a chance are of a third one."""
    minds, state, lesson = teach(shared)
    hat = np.full(100, BLUE)
    hat[[10, 40, 99]], hat[50:90] = RED, PLAIN
    told = public(hat, hat != PLAIN, hat != BLUE)
    for _ in range(4):
        minds, state = lesson(minds, state, told)
    if shared:
        found = np.asarray(logit(minds.judge, {"hat": jnp.eye(3)}))[None]
    else:
        judges = [jax.tree.map(lambda x, i=i: x[i], minds.judge) for i in (0, 1)]
        found = np.stack([logit(judge, {"hat": jnp.eye(3)}) for judge in judges])
        assert not np.allclose(found[0], found[1], atol=1e-3)
    assert (found[:, BLUE] < -3).all()
    assert (found[:, RED] > 3).all()
    assert (found[:, PLAIN] < found[:, RED] - 1).all()


def test_balanced_accuracy():
    guess, yes = np.array([1, 1, 0, 0, 0, 1], bool), np.array([1, 0, 1, 0, 0, 0], bool)
    no = np.array([0, 1, 0, 1, 1, 0], bool)
    assert balanced(jnp.asarray(guess), jnp.asarray(yes), jnp.asarray(no)) == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert np.isnan(balanced(jnp.asarray(guess), jnp.asarray(yes), jnp.zeros(6, bool)))


@pytest.mark.parametrize(("recurrent", "shared"), [(True, False), (False, True)])
def test_it_fits_land_institutions_and_memory(recurrent, shared):
    place = govern(SITUATIONS["harvest"], Altar(), Sanction())
    learner = PPO(
        worlds=4, steps=8, minibatches=2, hidden=8, shared=shared, recurrent=recurrent, film=BLAME, conscience=QUICK
    )
    run = jax.eval_shape(lambda key: learner.begin(key, place), KEY)
    after, _ = jax.eval_shape(lambda run: learner.learn(place, run, 2, jnp.int32(2)), run)
    assert jax.tree.structure(after) == jax.tree.structure(run)
    told = dict(run.mind.judge.shape.features)
    assert "sanction.aim" in told
    assert BLAME not in told
    assert dict(run.mind.net.shape.features)[BLAME] == 1


def test_it_needs_somebody_to_strike():
    with pytest.raises(Refusal, match="conscience learns from who strikes whom, and matrix does not offer 'aim'"):
        PPO(conscience=QUICK).init(KEY, Matrix())
    with pytest.raises(Refusal, match="this learner has none"):
        judgement(KEY, HATS, PPO(), None)


def test_without_one_the_learner_is_what_it_was(monkeypatch):
    """Numbers of a learner without any; they were as before there was one until lots were drawn otherwise."""
    for name in ("witness", "attentive", "Scrupulous"):
        monkeypatch.setattr(ppo, name, lambda *_: pytest.fail("asked without a conscience"))
    learner = PPO(worlds=4, steps=8, minibatches=2, epochs=1, hidden=8)
    run = jax.jit(lambda k: learner.begin(k, Matrix()))(KEY)
    run, _ = jax.jit(lambda r: learner.learn(Matrix(), r, 3, jnp.int32(9)))(run)
    assert isinstance(run.mind, Net)
    assert run.scruple == ()
    found = [float(jnp.abs(x).sum()) for x in arrays(run.mind)]
    np.testing.assert_allclose(found, BEFORE, rtol=1e-3, atol=1e-5)


def test_a_record_names_its_conscience_and_others_keep_their_address():
    told = lambda norm: Trained("a", HATS, (), 1, PPO(conscience=norm)).spec()["options"]["learner"]["options"]  # noqa: E731
    assert told(None)["conscience"] is None
    assert told(Conscience())["conscience"]["options"]["shame"] == 0.4
    assert told(Conscience()) != told(Conscience(shame=0.0))
    assert told(Conscience()) | {"conscience": None} == told(None)
    assert Shape.of(HATS).features == (("hat", 3),)
