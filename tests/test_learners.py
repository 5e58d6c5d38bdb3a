"""Learners: advantages against a loop, masks, independent streams, recurrence, objectives, networks."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nomoi.core import govern
from nomoi.core.rollout import rollout
from nomoi.errors import Refusal
from nomoi.institutions.contract import Contract
from nomoi.institutions.levy import Levy
from nomoi.learners import batch
from nomoi.learners.advantage import judge
from nomoi.learners.batch import sample
from nomoi.learners.nets import Net, Shape
from nomoi.learners.objectives import Common
from nomoi.learners.ppo import PPO
from nomoi.measure.measures import measures
from nomoi.scripts.fixed import Constant, Forager, Mixed, Random
from nomoi.situations.harvest import Harvest
from nomoi.situations.matrix import Matrix
from nomoi.situations.pool import Pool

KEY = jax.random.key(0)


def tiny(**changes):
    return PPO(**({"worlds": 4, "steps": 8, "minibatches": 2, "epochs": 1, "hidden": 8} | changes))


def test_each_head_is_judged_by_the_answers_that_mattered():
    """Advantages are centred and scaled over a head's own samples; a seldom head keeps a least share of the loss."""
    rng = np.random.default_rng(0)
    advantage = rng.normal(3, 2, (8, 4, 5)).astype(np.float32)
    often, seldom = np.ones((8, 4, 5), bool), np.zeros((8, 4, 5), bool)
    seldom[0, :, 0] = True
    often[0] = False
    asked = {"often": jnp.asarray(often), "seldom": jnp.asarray(seldom)}
    worth, weight = judge(asked, jnp.asarray(advantage), jnp.float32(0.25))
    for head, mask in (("often", often), ("seldom", seldom)):
        mine = np.asarray(worth[head])[mask]
        assert mine.mean() == pytest.approx(0, abs=1e-5)
        assert mine.std() == pytest.approx(1, abs=1e-3)
        assert (np.asarray(weight[head])[~mask] == 0).all()
    assert float(weight["seldom"].mean()) == pytest.approx(0.25)
    assert float(weight["often"].mean()) == pytest.approx(often.sum() / (often.sum() + seldom.sum()), rel=1e-5)


def test_who_has_a_mind_of_its_own_does_not_learn_from_how_much_others_have_at_stake():
    """Two players of the dilemma, one of them paid a hundred times as much: the other learns as if it were not."""
    learner = tiny(shared=False, worlds=16, learning_rate=1e-2, learning_rate_end=1e-2)

    @eqx.filter_jit
    def learned(situation: Matrix) -> jax.Array:
        run, _ = learner.learn(situation, learner.begin(KEY, situation), 1, jnp.int32(1))
        return run.mind.heads["choose"]["w"][1]

    def second(stake: float) -> jax.Array:
        return learned(Matrix(payoff=Matrix().payoff * jnp.array([stake, 1.0])[:, None, None]))

    np.testing.assert_allclose(second(1.0), second(100.0), rtol=1e-5)


def test_agents_and_heads_draw_from_streams_of_their_own():
    logits = {"a": jnp.zeros((500, 4)), "b": jnp.zeros((500, 4))}
    drawn = sample(KEY, logits)
    same = float((drawn["a"] == drawn["b"]).mean())
    assert 0.15 < same < 0.35  # a quarter by chance
    across = float((drawn["a"][:-1] == drawn["a"][1:]).mean())
    assert 0.15 < across < 0.35


def test_answers_come_with_the_chances_of_the_policy():
    chances = np.array([0.5, 0.0, 0.3, 0.2, 0.0])
    logits = jnp.broadcast_to(jnp.log(jnp.array(chances)), (20, 1000, 5))
    drawn = np.asarray(sample(KEY, {"a": logits, "b": jnp.zeros((20, 1000, 1))})["a"])
    found = np.bincount(drawn.ravel(), minlength=5) / drawn.size
    np.testing.assert_allclose(found, chances, atol=0.011)  # three standard errors
    assert (found[chances == 0] == 0).all()


def test_the_lowest_number_that_is_drawn_chooses_nothing_without_a_chance(monkeypatch):
    monkeypatch.setattr(batch, "uniform", lambda key, count: jnp.zeros(count))
    assert sample(KEY, {"a": jnp.array([[-jnp.inf, 0.0, 0.0], [0.0, 0.0, 0.0]])})["a"].tolist() == [1, 0]


def test_the_highest_number_chooses_nothing_without_a_chance(monkeypatch):
    """Nineteen equal chances add up to a little less than one, which is below what may be drawn."""
    monkeypatch.setattr(batch, "uniform", lambda key, count: jnp.full(count, jnp.nextafter(jnp.float32(1), 0)))
    assert sample(KEY, {"a": jnp.zeros((1, 20)).at[0, 19].set(-jnp.inf)})["a"].tolist() == [18]


@pytest.mark.parametrize(("shared", "recurrent"), [(False, True), pytest.param(True, False, marks=pytest.mark.slow)])
def test_it_learns_to_defect_in_the_dilemma(shared, recurrent):
    situation = Matrix()
    learner = tiny(shared=shared, recurrent=recurrent, worlds=16, learning_rate=1e-2, learning_rate_end=1e-2, epochs=2)
    run = jax.jit(lambda k: learner.begin(k, situation))(KEY)
    learn = jax.jit(lambda r: learner.learn(situation, r, 4, jnp.int32(40)))
    for _ in range(11):  # four more than the rates last, to be measured
        run, tally = learn(run)
    found = dict(zip(measures(situation), np.asarray(tally.means()), strict=True))
    assert found["defection"] > 0.9
    if not shared:
        one, other = (jax.tree.map(lambda x, i=i: x[i], run.mind) for i in (0, 1))
        assert not np.allclose(one.first["told"], other.first["told"])


@pytest.mark.slow
def test_common_interest_cooperates_in_the_dilemma():
    situation, learner = (
        Matrix(),
        tiny(objective=Common(), worlds=16, learning_rate=1e-2, learning_rate_end=1e-2, epochs=2),
    )
    run = jax.jit(lambda k: learner.begin(k, situation))(KEY)
    run, _ = jax.jit(lambda r: learner.learn(situation, r, 40, jnp.int32(40)))(run)
    _, tally = jax.jit(lambda r: learner.learn(situation, r, 4, jnp.int32(40)))(run)
    assert dict(zip(measures(situation), np.asarray(tally.means()), strict=True))["defection"] < 0.1


def test_patches_and_product_equal_a_convolution():
    from nomoi.grid import bitplanes

    situation = Harvest()

    @jax.jit
    def felt(key):
        net = Net(key, Shape.of(situation), hidden=16, filters=4)
        told = jax.vmap(situation.observe)(jax.vmap(situation.reset)(jax.random.split(key, 3)))
        logits, value, _ = net(told, net.start(3, 5))
        count = len(net.shape.planes)
        planes = bitplanes(told["view"], count).reshape(-1, *net.shape.window, count)
        kernel, how = net.conv["w"].reshape(3, 3, count, 4), ("NHWC", "HWIO", "NHWC")
        slow = jax.lax.conv_general_dilated(planes, kernel, (1, 1), "VALID", dimension_numbers=how)
        near = [planes[:, i : i + slow.shape[1], j : j + slow.shape[2]] for i in range(3) for j in range(3)]
        return jnp.concatenate(near, -1) @ net.conv["w"], slow, logits, value

    product, slow, logits, value = felt(KEY)
    np.testing.assert_allclose(product, slow, atol=1e-5)
    assert logits["move"].shape == (3, 5, 8)
    assert value.shape == (3, 5)


def test_a_recurrent_mind_remembers_within_an_episode_and_not_beyond():
    situation = govern(Pool(horizon=4), Levy(on="request"))
    learner = tiny(recurrent=True)
    run = jax.jit(lambda k: learner.begin(k, situation))(KEY)
    after, batch, _ = jax.jit(lambda r: learner._gather(situation, r, KEY))(run)
    ended = np.asarray(batch.done[:-1, :, 0])
    carry = np.asarray(jnp.abs(batch.carry[1:]).sum((-1, -2)))
    assert (carry[ended] == 0).all()
    assert (carry[~ended] > 0).all()
    assert after.update == 0


def test_every_layout_of_a_batch_must_divide():
    with pytest.raises(Refusal, match="does not divide"):
        PPO(worlds=3, steps=5, minibatches=2)
    with pytest.raises(Refusal, match="does not divide"):
        PPO(worlds=6, steps=8, minibatches=4, recurrent=True)


def test_contract_heads_are_learned_only_when_asked():
    situation, learner = govern(Pool(), Contract(on="request", rehearsal=0.0)), tiny()
    run = jax.jit(lambda k: learner.begin(k, situation))(KEY)
    _, batch, _ = jax.jit(lambda r: learner._gather(situation, r, KEY))(run)
    asked = {h: np.asarray(a) for h, a in batch.asked.items()}
    assert asked["contract.propose"][0].sum() == 4  # the first agent of each world
    assert not asked["request"][:2].any()
    assert asked["request"][2:].any()
    assert (asked["contract.sign"][1].sum(-1) == 1).all()


def test_scripts_see_only_the_view():
    situation = Harvest()
    keep = lambda state: state.apples.sum(dtype=jnp.int32)  # noqa: E731
    lived = eqx.filter_jit(lambda who: rollout(KEY, situation, who, 150, 2, keep=keep))
    greedy, spare = lived(Forager()), lived(Forager(spare=3))
    assert greedy.kept[-1].max() == 0
    assert spare.kept[-1].min() > 5
    assert spare.outcome.reward.sum() > greedy.outcome.reward.sum()


def test_a_mixture_follows_each_script_where_it_should():
    situation = Matrix()
    played = rollout(KEY, situation, Mixed(Constant(choice=0), Constant(choice=1), 1), 1)
    np.testing.assert_array_equal(played.outcome.events["defect"][0, 0], [0, 1])
    many = rollout(KEY, situation, Random(), 1, worlds=400).outcome.events["defect"].mean()
    assert 0.4 < many < 0.6


def test_foragers_refuse_where_there_is_nothing_to_walk_to():
    with pytest.raises(Refusal, match="shows none"):
        jax.eval_shape(lambda key: rollout(key, Pool(), Forager(), 1), KEY)
    with pytest.raises(Refusal, match="altar"):
        jax.eval_shape(lambda key: rollout(key, Harvest(), Forager(heed=True), 1), KEY)
