"""Joint control, and how contracts come about once play is learned."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import SITUATIONS, equal

from nomoi.core import build, govern
from nomoi.errors import Refusal
from nomoi.institutions.contract import PLAY, Contract
from nomoi.learners.joint import Crowd, Joint
from nomoi.learners.negotiation import Settlement
from nomoi.learners.ppo import PPO, Residents
from nomoi.measure.evaluate import evaluate
from nomoi.measure.measures import measures
from nomoi.runs.claims import Results
from nomoi.studies import moca

TINY = {"worlds": 8, "steps": 8, "minibatches": 2, "epochs": 1, "hidden": 8}
POOL = SITUATIONS["pool"]
SIGNED = govern(POOL, Contract(on="request", high=1.0, levels=3))


begun_mind = eqx.filter_jit(lambda learner, situation: learner.init(jax.random.key(3), situation))
begun = eqx.filter_jit(lambda learner, situation, mind=None: learner.begin(jax.random.key(0), situation, mind))


def updated(learner, situation):
    """What was learned before and after an update."""
    run = begun(learner, situation)
    return run.mind, eqx.filter_jit(lambda r: learner.learn(situation, r, 1, jnp.int32(1))[0])(run).mind


# sums of the absolute weights of the heads after an update, as they were when both learners were subclasses of PPO
# (the second since lots are drawn otherwise)
BEFORE_JOINT = {"request.0": 0.36827, "request.1": 0.432, "request.2": 0.43772}
BEFORE_TALK = {"contract.propose": 0.13890, "contract.sign": 0.07887, "request": 0.37726}


def weighs(net, heads):
    found = {head: float(jnp.abs(parts["w"]).sum()) for head, parts in net.heads.items()}
    assert found == pytest.approx(heads, rel=1e-3)


taken = eqx.filter_jit(lambda situation, *args: situation.step(*args))
told = eqx.filter_jit(lambda situation, state: (situation.observe(state), situation.asked(state)))
chosen = eqx.filter_jit(lambda settlement, rows: settlement.choose(rows))


@eqx.filter_jit
def born(situation, key):
    return situation.reset(key)


@eqx.filter_jit
def answers(situation, key):
    return {h: jax.random.randint(key, (situation.agents,), 0, k) for h, k in situation.actions.items()}


# --- joint control --------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 2**30))
def test_a_crowd_gets_what_its_members_get_together(seed):
    crowd, key = Crowd(SIGNED), jax.random.key(seed)
    state = born(SIGNED, key)
    for t in range(4):
        own = answers(SIGNED, jax.random.fold_in(key, t))
        (seen, asked), (all_seen, all_asked) = told(SIGNED, state), told(crowd, state)
        joint = {f"{h}.{i}": x[i : i + 1] for h, x in own.items() for i in range(3)}
        equal(crowd.apart(joint), own)
        np.testing.assert_array_equal(all_seen["contract.terms"][0], np.ravel(seen["contract.terms"]))
        assert all(all_asked[f"{h}.{i}"][0] == asked[h][i] for h in asked for i in range(3))
        after, one = taken(crowd, key, state, joint)
        state, all_ = taken(SIGNED, key, state, own)
        equal(after, state)
        np.testing.assert_allclose(one.reward, [all_.reward.sum()], rtol=1e-6)
        np.testing.assert_allclose(one.transfer, 0, atol=1e-6)
        np.testing.assert_allclose(one.events["request"], [all_.events["request"].sum()], rtol=1e-6)
        assert set(one.events) == set(all_.events)


@pytest.mark.slow
def test_one_mind_learns_for_all():
    before, after = updated(Joint(build(PPO, **TINY)), POOL)
    weighs(after, BEFORE_JOINT)
    assert all((after.heads[h]["w"] != before.heads[h]["w"]).any() for h in after.heads)


def test_one_mind_sees_all_views_and_answers_for_each():
    situation, learner = SITUATIONS["harvest"], Joint(build(PPO, **TINY))
    mind = jax.eval_shape(lambda k: learner.init(k, situation), jax.random.key(0))
    seen = jax.eval_shape(lambda k: situation.observe(situation.reset(k)), jax.random.key(1))
    n, rows, columns = seen["view"].shape
    assert mind.shape.window == (n * rows, columns)
    act = lambda k, m, s: learner.act(k, m, situation, s, learner.start(m, situation))[0]  # noqa: E731
    assert eqx.filter_eval_shape(act, jax.random.key(2), mind, seen)["move"].shape == (n,)


def test_joint_control_leaves_no_residents():
    from nomoi.scripts.fixed import Random

    with pytest.raises(Refusal, match="joint control decides for everybody"):
        Joint(PPO(residents=Residents(Random())))


# --- the second stage of MOCA ---------------------------------------------------------------------------------


def test_a_negotiator_learns_to_propose_and_to_sign_and_nothing_else():
    learner = build(PPO, **TINY, only="contract")
    before, after = updated(learner, SIGNED)
    weighs(after, BEFORE_TALK)
    for head in ("contract.propose", "contract.sign"):
        assert (before.heads[head]["w"] != after.heads[head]["w"]).any()
    play = lambda net: (net.first, net.second, net.value, net.heads["request"])  # noqa: E731
    equal(play(before), play(after))
    # who goes on from what was learned begins as anybody does, but for the mind
    afresh, goes_on = (begun(learner, SIGNED, mind) for mind in (None, after))
    equal(learner.mind(goes_on), after)
    equal((goes_on.lives.worlds.state, goes_on.lives.told), (afresh.lives.worlds.state, afresh.lives.told))


def test_a_negotiator_without_a_contract_is_refused():
    learner = build(PPO, **TINY, only="contract")
    with pytest.raises(Refusal, match="asks nothing here"):
        jax.eval_shape(
            lambda k: learner.learn(POOL, learner.begin(k, POOL), 1, jnp.int32(1))[0].mind, jax.random.key(0)
        )


# --- settlement by values -------------------------------------------------------------------------------------


@given(rows=st.lists(st.tuples(*[st.integers(-3, 3)] * 3), min_size=2, max_size=6))
def test_the_rules_as_a_plain_search(rows):
    null = rows[0]
    for rule in ("majority", "unanimity", "max"):
        best = 0
        for k, row in enumerate(rows):
            worse = sum(v < w for v, w in zip(row, null, strict=True))
            passes = {"majority": 3 - worse >= worse, "unanimity": worse == 0, "max": True}[rule]
            if passes and sum(row) > sum(rows[best]):
                best = k
        assert chosen(Settlement(rule=rule), jnp.asarray(rows, jnp.float32)) == best


def test_values_are_those_of_the_critic_at_the_start_of_play():
    learner = build(PPO, **TINY)
    mind = begun_mind(learner, SIGNED)
    settlement, state, carry = Settlement(learner=learner), born(SIGNED, jax.random.key(0)), learner.start(mind, SIGNED)
    values = jax.jit(lambda state: settlement.values(mind, SIGNED, SIGNED.observe(state), carry))(state)
    think = jax.jit(lambda state: learner.think(mind, SIGNED.observe(state), carry)[1])
    for k, (theta, bound) in enumerate(((0.0, False), (0.0, True), (0.5, True), (1.0, True))):
        agreed = eqx.tree_at(
            lambda m: (m.stage, m.theta, m.bound),
            state.memory[0],
            (jnp.int32(PLAY), jnp.float32(theta), jnp.array(bound)),
        )
        now = eqx.tree_at(lambda s: s.memory, state, (agreed,))
        np.testing.assert_allclose(values[k], think(now), rtol=1e-5)


def test_what_is_settled_is_signed_and_played():
    class Sure(Settlement):
        """Values that are best for the third contract, for all."""

        def values(self, mind, situation, seen, carry):
            return jnp.array([[0.0] * 3, [1.0] * 3, [3.0] * 3, [2.0] * 3])

    learner = build(PPO, **TINY)
    mind = begun_mind(learner, SIGNED)
    found = jax.jit(lambda key: evaluate(key, SIGNED, Sure(learner=learner), mind, worlds=4))(jax.random.key(0))
    lived = dict(zip(measures(SIGNED), map(float, found), strict=True))
    assert lived["bound"] == 1

    @jax.jit
    def turn(key, state):
        seen, carry = SIGNED.observe(state), learner.start(mind, SIGNED)
        return SIGNED.step(key, state, Sure(learner=learner).act(key, mind, SIGNED, seen, carry)[0])[0]

    state = born(SIGNED, jax.random.key(0))
    for _ in range(2):
        state = turn(jax.random.key(0), state)
    assert (float(state.memory[0].theta), bool(state.memory[0].bound)) == (0.5, True)


def test_without_a_contract_nothing_can_be_settled():
    learner = build(PPO, **TINY)
    plain = govern(POOL, Contract(on="request", title="treaty"))

    def act(key):
        mind, seen = learner.init(key, plain), plain.observe(plain.reset(key))
        return Settlement(learner=learner).act(key, mind, plain, seen, learner.start(mind, plain))[0]

    with pytest.raises(Refusal, match="no contract called 'contract' on pool"):
        jax.eval_shape(act, jax.random.key(0))


# --- the study ------------------------------------------------------------------------------------------------


def test_worth_discounts_the_worlds_steps_of_the_first_episode():
    greedy = build(PPO, **TINY)
    pool = POOL.replace(most=0.5)
    for place in (pool, govern(pool, Contract(on="request", high=1.0))):
        mind = begun_mind(greedy, place)
        bias = jnp.zeros(13).at[12].set(99.0)  # everybody asks for as much as can be asked for
        mind = eqx.tree_at(lambda m: m.heads["request"]["b"], mind, bias)
        # three ask for 1.5 of 1: all is gone in the first step, though two steps were spent on the contract
        np.testing.assert_allclose(
            moca.worth(jax.random.key(1), place, greedy, mind)["worth"], 1 / moca.OPTIMUM, rtol=1e-5
        )
    slow = POOL.replace(most=0.1, growth=0.0)
    mind = begun_mind(greedy, slow)
    mind = eqx.tree_at(lambda m: m.heads["request"]["b"], mind, jnp.zeros(13).at[12].set(99.0))
    by_hand = sum(0.95**t * min(0.3, 1 - 0.3 * t) for t in range(4)) / moca.OPTIMUM
    np.testing.assert_allclose(moca.worth(jax.random.key(1), slow, greedy, mind)["worth"], by_hand, rtol=1e-4)


def test_every_claim_of_the_study_is_about_conditions_that_there_are():
    labels = {c.label for c in moca.trials("smoke")}
    assert len(labels) == len(moca.trials("smoke"))
    for claim in moca.CLAIMS:
        read = []

        class Reader(Results):
            def late(self, label, measure, read=read):
                read.append(label)
                return np.ones(2)

            def measures(self, label):
                return (moca.UNBOUND, "theta = 1")

        claim.effect(Reader({}))
        assert set(read) <= labels
