"""What is carried over: minds grafted onto other worlds, pupils among residents, views gated by what was read."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small import SITUATIONS
from training import asked, train

from nomoi.core import govern
from nomoi.core.learner import Learner
from nomoi.errors import Refusal
from nomoi.institutions.altar import Altar
from nomoi.institutions.sanction import Sanction
from nomoi.learners.nets import Net, Shape, graft
from nomoi.learners.ppo import PPO, Residents
from nomoi.runs.trained import Trained, learned
from nomoi.scripts.fixed import Constant, Mixed, Random
from nomoi.situations.pool import Pool

KEY = jax.random.key(0)
HARVEST = SITUATIONS["harvest"]


def shape(planes=("wall", "apple"), features=(("ready", 1), ("mind", 3)), heads=(("move", 4),), window=(2, 3)):
    return Shape(planes, window, features, heads)


def seen(s, rng):
    view = rng.integers(0, 2 ** len(s.planes), (5, *s.window)).astype(np.uint8)
    return {"view": jnp.asarray(view)} | {f: jnp.asarray(rng.normal(size=(5, k)), jnp.float32) for f, k in s.features}


@pytest.mark.parametrize("extra", [{}, {"film": "mind"}, {"recurrent": True}, {"filters": 2}])
def test_a_graft_acts_on_what_both_worlds_know_and_on_nothing_else(extra):
    """With all that is new at zero it answers like the old network; what is new changes nothing yet."""
    window = (3, 4)
    old_shape = shape(window=window)
    new_shape = shape(("agent", "apple", "wall", "altar"), (("mind", 3), ("zeal", 2), ("ready", 1)), window=window)
    rng = np.random.default_rng(0)
    told = seen(old_shape, rng)
    wall, apple = (np.asarray(told["view"]) >> k & 1 for k in range(2))
    agent, altar = rng.integers(0, 2, (2, *wall.shape))
    view = (agent | apple << 1 | wall << 2 | altar << 3).astype(np.uint8)
    more = {"view": jnp.asarray(view), "zeal": jnp.ones((5, 2)), "ready": told["ready"], "mind": told["mind"]}

    @jax.jit
    def answers():
        old, new = Net(KEY, old_shape, 8, **extra), Net(jax.random.key(1), new_shape, 8, **extra)
        grafted = graft(old, new)
        assert jax.tree.structure(grafted) == jax.tree.structure(new)
        return old(told, old.start(5)), grafted(more, new.start(5))

    for a, b in zip(*map(jax.tree.leaves, answers()), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


net = eqx.filter_jit(Net)


def test_heads_that_the_old_world_lacked_stay_as_they_are():
    old, new = net(KEY, shape(), 8), net(jax.random.key(1), shape(heads=(("move", 5), ("sign", 2))), 8)
    grafted = graft(old, new)
    for head in ("move", "sign"):  # another number of choices is another head
        np.testing.assert_array_equal(grafted.heads[head]["w"], new.heads[head]["w"])


def test_a_feature_of_another_width_is_another_feature():
    old, new = net(KEY, shape(), 8), net(KEY, shape(features=(("ready", 1), ("mind", 4))), 8)
    told = np.asarray(graft(old, new).first["told"])
    np.testing.assert_array_equal(told[0], old.first["told"][0])
    assert (told[1:] == 0).all()


@pytest.mark.parametrize("changes", [{"hidden": 9}, {"recurrent": True}, {"film": "mind"}])
def test_networks_of_other_kinds_are_not_grafted(changes):
    with pytest.raises(Refusal, match="same window, size and kind"):
        graft(net(KEY, shape(), 8), net(KEY, shape(), **({"hidden": 8} | changes)))
    with pytest.raises(Refusal, match="same window"):
        graft(net(KEY, shape(), 8), net(KEY, shape(window=(3, 3)), 8))


def test_a_gate_reads_its_feature():
    """A gated view: the same view is felt otherwise under another content; an unknown feature is refused."""
    gated = net(KEY, shape(), 8, film="mind")
    told = seen(shape(), np.random.default_rng(0))
    slope = jax.jit(jax.grad(lambda m: gated(told | {"mind": m}, gated.start(5))[1].sum()))(told["mind"])
    assert jnp.abs(slope).max() > 0
    assert set(gated.gate) == {"scale", "shift"}
    blank = eqx.tree_at(lambda n: n.gate, gated, {k: jnp.zeros_like(w) for k, w in gated.gate.items()})
    plain = net(KEY, shape(), 8)
    np.testing.assert_allclose(blank(told, gated.start(5))[1], plain(told, plain.start(5))[1], atol=1e-6)
    with pytest.raises(Refusal, match=r"ppo.film is 'mnd'.*'mind'"):
        net(KEY, shape(), 8, film="mnd")


def tiny(**changes):
    return PPO(**({"worlds": 2, "steps": 4, "minibatches": 2, "epochs": 1, "hidden": 8} | changes))


@eqx.filter_jit
def learned_first(learner, place, updates):
    return learner.learn(place, learner.begin(KEY, place), updates, jnp.int32(updates))[0]


@eqx.filter_jit
def answer(learner, place, mind, carry=None):
    carry = learner.start(mind, place) if carry is None else carry
    return learner.act(KEY, mind, place, place.observe(place.reset(KEY)), carry)


@pytest.mark.parametrize("shared", [True, False])
def test_residents_do_what_their_script_says_and_only_pupils_learn(shared):
    """A resident who always asks for the most is seen to, whatever the pupil does; minds are the pupils' alone."""
    pool = Pool(agents=3, horizon=6)
    learner = tiny(residents=Residents(Constant(choice=12), 1), shared=shared)
    run = learned_first(learner, pool, 2)
    assert run.carry.shape[1] == 1
    if not shared:
        assert jax.tree.leaves(run.mind)[0].shape[0] == 1
    assert answer(learner, pool, run.mind)[0]["request"][1:].tolist() == [12, 12]


class Counter(Learner):
    """Asks for as many levels as steps of the episode are over."""

    def start(self, mind, situation):
        return jnp.zeros((), jnp.int32)

    def act(self, key, mind, situation, seen, carry):
        return {"request": jnp.full(situation.agents, carry)}, carry + 1


def test_residents_remember_within_an_episode_and_not_beyond():
    pool = Pool(agents=2, horizon=4, levels=5)
    learner = tiny(worlds=1, steps=4, minibatches=1, residents=Residents(Counter(), 1))
    run = learned_first(learner, pool, 3)  # the first episode may be a part
    assert int(run.bore[0]) < 4
    carry, asked = None, []
    for _ in range(3):
        action, carry = answer(learner, pool, run.mind, carry)
        asked.append(int(action["request"][1]))
    assert asked == [0, 1, 2]


def test_residents_are_part_of_what_a_run_is(tmp_path):
    pool = Pool(agents=3, horizon=6)
    alone = [Trained("a", pool, (), 1, tiny(residents=Residents(script, 1))) for script in (
        Constant(choice=12), Constant(choice=11), Mixed(Constant(choice=12), Random(), 1),
        Mixed(Random(), Constant(choice=12), 1), Mixed(Constant(choice=11), Random(), 1))]  # fmt: skip
    plain = Trained("a", pool, (), 1, tiny())
    assert len({asked(t).id for t in (*alone, plain)}) == 6
    assert np.isfinite(train(tmp_path, alone[0])[0].curve()["reward"][1]).any()


def test_as_many_pupils_as_agents_is_the_plain_learner():
    pool = Pool(agents=2, horizon=6)
    plain, full = tiny(), tiny(residents=Residents(Constant(choice=12), 5))
    one, other = (learned_first(x, pool, 1).mind for x in (plain, full))
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_a_run_goes_on_in_another_world_with_what_both_share(tmp_path):
    """Harvest with a bare altar first, then with a sanction too, whose feature is new: at a rate of 0 only zeros."""
    first = Trained("first", govern(HARVEST, Altar()), (), 2 * tiny().batch, tiny())
    then = Trained(
        "then",
        govern(HARVEST, Altar(), Sanction()),
        (),
        2 * tiny().batch,
        tiny(learning_rate=0.0, learning_rate_end=0.0),
        parent="first",
    )
    start, went_on = train(tmp_path, first, then)
    old, new = learned(start), learned(went_on)
    names = [f for f, _ in new.shape.features]
    ends = np.cumsum([0, *(k for _, k in new.shape.features)])
    aim = slice(*ends[names.index("sanction.aim") :][:2])
    assert (np.asarray(new.first["told"])[aim] == 0).all()
    np.testing.assert_array_equal(new.first["view"], old.first["view"])
    np.testing.assert_array_equal(new.value["w"], old.value["w"])
    assert went_on.id != asked(then).id


def test_blind_pupils_do_not_sense_what_residents_do():
    pool = Pool(agents=2, horizon=6)
    learner = tiny(residents=Residents(Constant(), 1, "level"))
    told = pool.observe(pool.reset(KEY))
    assert (np.asarray(learner._sensed(pool, told, 0)["level"]) == 0).all()
    assert (np.asarray(told["level"]) != 0).all()
    run = learner.begin(KEY, pool)
    _, batch, _ = learner._gather(pool, run, KEY)
    assert (np.asarray(batch.told["level"]) == 0).all()
    with pytest.raises(Refusal, match="did you mean 'level'"):
        tiny(residents=Residents(Constant(), 1, "levl")).begin(KEY, pool)
