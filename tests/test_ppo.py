"""The rules of proximal policy optimisation, one by one: clipping, entropy, critic, schedules, gradients."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nomoi.learners.advantage import gae
from nomoi.learners.batch import Batch, chosen, split, stretch
from nomoi.learners.objectives import Inequity
from nomoi.learners.ppo import PPO, Training
from nomoi.measure.ledger import Tally
from nomoi.situations.matrix import Matrix

KEY = jax.random.key(0)


HEAD = "choose"


@pytest.fixture(scope="module")
def deaf():
    """A mind that answers the same whatever it is told."""
    mind = PPO(hidden=4).init(KEY, Matrix())
    return jax.tree.map(jnp.zeros_like, mind)


def loss(learner, mind, p, worth, old=0.5, value=0.0, target=0.0, entropy=0.0):
    """And its slopes by logit and value, of one answer 0 that now has chance p, and had chance `old`."""
    one = jnp.ones((1, 1))
    batch = Batch(
        {"last": jnp.zeros((1, 1, 6))}, {HEAD: jnp.zeros((1, 1), jnp.int32)}, {HEAD: jnp.log(old) * one}, one, one,
        jnp.zeros((1, 1), bool), {HEAD: one > 0}, one > 0, jnp.zeros((1, 1, 0)),
    )  # fmt: skip

    def of(logit, value):
        bias = jnp.stack([logit, jnp.float32(0)]), value[None]
        made = eqx.tree_at(lambda m: (m.heads[HEAD]["b"], m.value["b"]), mind, bias)
        return learner._loss(made, batch, target * one, {HEAD: worth * one}, {HEAD: one}, jnp.float32(entropy))

    return jax.value_and_grad(of, (0, 1))(jnp.float32(np.log(p / (1 - p))), jnp.float32(value))


@pytest.mark.parametrize(
    ("p", "worth", "moves"),
    [(0.5, 1.0, True), (0.7, 1.0, False), (0.3, 1.0, True), (0.3, -1.0, False), (0.7, -1.0, True), (0.58, 1.0, True)],
)
def test_the_ratio_is_clipped_where_it_has_gone_far_enough_and_only_there(deaf, p, worth, moves):
    """PPO's surrogate is min(r A, clip(r) A): no further reward beyond 20 %, but the way back is open."""
    told, (slope, _) = loss(PPO(), deaf, p, worth)
    ratio = p / 0.5
    assert float(told) == pytest.approx(-min(ratio * worth, np.clip(ratio, 0.8, 1.2) * worth), rel=1e-5)
    assert (abs(float(slope)) > 1e-6) == moves
    if moves:  # a descent along the slope makes what was good likelier
        assert np.sign(-float(slope)) == np.sign(worth)


def test_entropy_is_rewarded_and_an_error_of_the_critic_costs_its_weight(deaf):
    spread = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1))
    told, (slope, _) = loss(PPO(), deaf, 0.9, 0.0, entropy=0.5)
    assert float(told) == pytest.approx(-0.5 * spread, rel=1e-5)
    assert float(slope) > 0  # down with what is too sure
    told, (_, slope) = loss(PPO(value_coef=0.25), deaf, 0.5, 0.0, value=1.0, target=3.0)
    assert float(told) == pytest.approx(0.25 * 4)
    assert float(slope) == pytest.approx(0.25 * 2 * -2)


def test_entropy_and_log_probability_by_hand():
    logits = jnp.log(jnp.array([[0.2, 0.8]]))
    logp, spread = chosen(logits, jnp.array([1]))
    assert float(logp[0]) == pytest.approx(np.log(0.8), rel=1e-5)
    assert float(spread[0]) == pytest.approx(-(0.2 * np.log(0.2) + 0.8 * np.log(0.8)), rel=1e-5)


def tiny(**changes):
    return PPO(**({"worlds": 4, "steps": 8, "minibatches": 2, "epochs": 1, "hidden": 8} | changes))


@pytest.fixture(scope="module")
def begun():
    learner = tiny()
    return jax.jit(lambda k: learner.begin(k, Matrix()))(KEY)


@pytest.mark.parametrize("progress", [0.0, 0.25, 1.0])
def test_rate_and_entropy_go_down_linearly(begun, progress, monkeypatch):
    told, learner = {}, tiny(learning_rate=1e-3, learning_rate_end=2e-4, entropy_coef=0.02, entropy_coef_end=0.004)
    plain_loss, plain_optimiser = PPO._loss, PPO._optimiser

    def listening(self, *args):
        told["entropy"] = args[-1]
        return plain_loss(self, *args)

    def optimiser(self, rate):
        told["rate"] = rate
        return plain_optimiser(self, rate)

    monkeypatch.setattr(PPO, "_loss", listening)
    monkeypatch.setattr(PPO, "_optimiser", optimiser)
    _, batch, _ = learner._gather(Matrix(), begun, KEY)
    advantage, target = gae(batch, jnp.zeros((4, 2)), learner.gamma, learner.gae_lambda)
    learner._improve(begun.mind, begun.optimiser, batch, advantage, target, KEY, jnp.float32(progress))
    assert float(told["rate"]) == pytest.approx(1e-3 + progress * (2e-4 - 1e-3))
    assert float(told["entropy"]) == pytest.approx(0.02 + progress * (0.004 - 0.02))


def test_progress_is_the_share_of_all_updates_that_are_done(begun, monkeypatch):
    """Of a run of 8, updates 2 to 4 happen at 2/8, 3/8 and 4/8; and the situation hears of it."""

    def update(self, situation, run, progress):
        return eqx.tree_at(lambda r: r.update, run, run.update + 1), Tally(progress[None], situation.payoff[0, 0, :1])

    monkeypatch.setattr(PPO, "_update", update)
    monkeypatch.setattr(Matrix, "at", lambda self, p: self.replace(payoff=self.payoff * p))
    later = eqx.tree_at(lambda r: r.update, begun, jnp.int32(2))
    run, told = tiny().learn(Matrix(), later, 3, jnp.int32(8))
    assert isinstance(run, Training)
    assert int(run.update) == 5
    assert float(told.total[0]) == pytest.approx((2 + 3 + 4) / 8)
    assert float(told.count[0]) == pytest.approx(2 * (2 + 3 + 4) / 8)


def test_utilities_are_scaled(begun):
    gather = lambda scale: np.asarray(tiny(scale=scale)._gather(Matrix(), begun, KEY)[1].utility)  # noqa: E731
    whole = gather(1.0)
    assert set(np.unique(whole)) <= {0.0, 1.0, 2.0, 4.0}
    assert np.ptp(whole) > 0
    np.testing.assert_allclose(gather(0.1), 0.1 * whole, rtol=1e-6)


def test_gradients_are_clipped_by_their_norm_and_then_go_down_by_adam():
    """Against Adam (Kingma & Ba 2015) written out."""
    learner = tiny(max_grad_norm=0.5)
    step, weights = learner._optimiser(0.1), {"w": jnp.zeros(2)}
    state, m, v = step.init(weights), np.zeros(2), np.zeros(2)
    for t, slope in enumerate(([300.0, 400.0], [0.03, -0.04], [-3.0, 0.0]), 1):
        with jax.numpy_dtype_promotion("standard"):
            change, state = step.update({"w": jnp.array(slope)}, state)
        g = np.array(slope) * min(1.0, 0.5 / np.linalg.norm(slope))
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        expected = -0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-5)
        np.testing.assert_allclose(change["w"], expected, rtol=1e-4)


def test_a_recurrent_mind_is_replayed_as_it_was_lived_across_ends():
    """With a mind unchanged every ratio is 1, so that the loss is the mean of what answers were worth."""
    situation, learner = Matrix(horizon=3), tiny(recurrent=True, value_coef=0.0)
    run = jax.jit(lambda k: learner.begin(k, situation))(KEY)
    # larger weights, so that what is remembered is felt
    run = eqx.tree_at(lambda r: r.mind, run, jax.tree.map(lambda x: 3 * x, run.mind))
    _, batch, _ = jax.jit(lambda r: learner._gather(situation, r, KEY))(run)
    assert np.asarray(batch.done).any()
    data = stretch(batch, learner.steps)
    worth = {HEAD: jax.random.uniform(KEY, data.value.shape, minval=1.0, maxval=2.0)}
    weight = {HEAD: jnp.ones(data.value.shape)}
    told = learner._loss(run.mind, data, data.value, worth, weight, jnp.float32(0))
    assert float(told) == pytest.approx(-float(worth[HEAD].mean()), rel=1e-5)


def test_what_an_objective_remembers_ends_with_the_episode():
    learner = tiny(objective=Inequity())
    run = jax.jit(lambda k: learner.begin(k, Matrix(horizon=1)))(KEY)
    after, batch, _ = jax.jit(lambda r: learner._gather(Matrix(horizon=1), r, KEY))(run)
    assert np.asarray(batch.done).all()
    assert not np.asarray(after.lives.feeling).any()
    long = jax.jit(lambda k: learner.begin(k, Matrix(horizon=99)))(KEY)
    assert np.asarray(jax.jit(lambda r: learner._gather(Matrix(horizon=99), r, KEY))(long)[0].lives.feeling).any()


def test_minibatches_hold_every_sample_once_in_an_order_of_their_key():
    data = {"a": jnp.arange(24).reshape(4, 3, 2), "b": 10 * jnp.arange(24).reshape(4, 3, 2)}
    flat = stretch(data, 1)
    assert flat["a"].shape == (1, 24)
    parts = split(KEY, flat, 4)
    assert parts["a"].shape == (4, 1, 6)
    assert sorted(np.asarray(parts["a"]).ravel()) == list(range(24))
    np.testing.assert_array_equal(parts["b"], 10 * parts["a"])
    assert not np.array_equal(parts["a"], split(jax.random.key(1), flat, 4)["a"])
    place = np.argwhere(np.asarray(parts["a"])[:, 0] >= 0)[np.asarray(parts["a"]).argsort(None), 0].reshape(-1, 4)
    assert (np.sort(place) == np.arange(4)).all()  # of four neighbours each part gets one
    assert len(set(map(tuple, place))) > 1
    placed = np.asarray(jax.vmap(lambda key: split(key, flat, 4)["a"])(jax.random.split(jax.random.key(2), 100)))
    counts = np.array([(placed[:, part, 0] == 0).any(1).sum() for part in range(4)])  # in which part the first one is
    assert counts.sum() == 100
    assert (counts > 10).all()
    whole = stretch(data, 4)  # a stretch of one agent in one world stays in order
    np.testing.assert_array_equal(whole["a"][:, 0], data["a"][:, 0, 0])
