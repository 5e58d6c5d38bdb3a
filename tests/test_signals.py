"""Signals: games in which each sees something of its own, and contracts about what was seen."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi import govern
from nomoi.errors import Refusal
from nomoi.institutions.treaty import Treaty
from nomoi.situations.signals import Signals
from nomoi.solve.subgame import backward, planner
from nomoi.solve.unfold import normal_form, tabular
from nomoi.studies import teams


def drawn(seed: int, signals: int, deeds: int, n: int = 2) -> Signals:
    rng = np.random.default_rng(seed)
    prior = rng.integers(1, 6, [signals] * n).astype(float)
    payoff = rng.integers(0, 10, [n] + [signals] * n + [deeds] * n)
    return Signals(payoff=payoff.tolist(), prior=(prior / prior.sum()).tolist(), plan=[0] * n)


@given(st.integers(0, 2**16), st.sampled_from([(2, 2), (3, 2), (2, 3)]))
def test_rules_are_worth_what_their_actions_bring_on_average(seed, shape):
    """Against the slow way: over all pairs of rules and all pairs of signals."""
    world = drawn(seed, *shape)
    signals, deeds = shape
    payoff, prior = np.asarray(world.payoff), np.asarray(world.prior)
    rules = [r[::-1] for r in itertools.product(range(deeds), repeat=signals)]  # the action on signal 0 turns fastest
    want = np.zeros((2, len(rules), len(rules)))
    for (i, one), (j, other) in itertools.product(enumerate(rules), repeat=2):
        for s, t in np.ndindex(signals, signals):
            want[:, i, j] += prior[s, t] * payoff[:, s, t, one[s], other[t]]
    np.testing.assert_allclose(normal_form(world).payoff, want, atol=1e-5)


def test_what_is_drawn_is_what_the_prior_says():
    world = Signals(prior=[[0.7, 0.1], [0.2, 0.0]])
    state = world.reset(jax.random.key(0))
    keys = jax.random.split(jax.random.key(1), 4000)
    rule = {"rule": jnp.array([1, 2], jnp.int32)}  # act on signal 0; act on signal 1
    after, outcome = jax.vmap(lambda k: world.step(k, state, rule))(keys)
    seen = np.asarray(after.signal)
    share = np.array([[(seen == [s, t]).all(1).mean() for t in (0, 1)] for s in (0, 1)])
    np.testing.assert_allclose(share, world.prior, atol=0.03)
    np.testing.assert_array_equal(after.choice, np.stack([seen[:, 0] == 0, seen[:, 1] == 1], 1))
    np.testing.assert_array_equal(outcome.events["act"], after.choice)
    departs = np.stack([np.ones(4000), np.zeros(4000)], 1)  # the plan is to act on signal 1
    np.testing.assert_array_equal(outcome.events["defect"], departs)


def test_what_was_seen_and_done_is_told_to_all_oneself_first():
    world = Signals(horizon=2)
    state, _ = world.by_lot(jnp.int32(1), world.reset(jax.random.key(0)), {"rule": jnp.array([3, 0], jnp.int32)})
    told = world.senses(state)["last"]  # signals 0 and 1; the first acted, the second did not
    np.testing.assert_array_equal(told, [[1, 0, 0, 1, 0, 1, 1, 0], [0, 1, 1, 0, 1, 0, 0, 1]])
    assert not world.senses(world.reset(jax.random.key(0)))["last"].any()


def test_only_a_contract_that_knows_the_signals_makes_a_team():
    world = Signals()
    terms = {"low": -2.0, "high": 2.0, "fines": 3, "apart": True, "lumps": 17}
    under = {on: backward(tabular(govern(world, Treaty(on=on, **terms)))).welfare for on in ("defect", "act")}
    assert backward(tabular(world)).welfare == pytest.approx(-1)
    assert under == pytest.approx({"defect": 1, "act": 0})
    assert planner(tabular(world)) == pytest.approx(1)


def test_the_claims_read_what_the_study_computes():
    key = jax.random.key(0)
    known = {c.label: c.function(None if c.exact else key, **c.settings) for c in teams.trials("smoke")}

    class Reader:
        def late(self, label, measure):
            return np.array([known[label][measure]])

    for claim in (*teams.CLAIMS, *teams.READINGS):
        assert np.isfinite(claim.effect(Reader())).all(), claim.text
    found = known["random games"]
    assert found[f"{teams.SEEN}: reached"] == 1
    assert found[f"{teams.SEEN}: lost"] < teams.STEP


def test_a_plan_may_be_swept():
    """Nobody acts, on signals 0 and 0: only who planned to act on signal 0 departs."""
    state, rule = Signals().reset(jax.random.key(0)), {"rule": jnp.zeros(2, jnp.int32)}
    departs = jax.vmap(lambda plan: Signals(plan=plan).by_lot(jnp.int32(0), state, rule)[1].events["defect"])
    np.testing.assert_array_equal(departs(jnp.array([[0, 1], [2, 3]], jnp.int32)), [[0, 1], [0, 1]])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"payoff": [[[1.0, 2.0], [3.0, 4.0]]] * 2}, "signals.payoff has shape"),
        ({"prior": [[0.5, 0.5], [0.5, 0.5]]}, "sums to 2"),
        ({"plan": [4, 0]}, "a rule from 0 to 3"),
        ({"plan": [0]}, "for each of 2 agents"),
    ],
)
def test_what_makes_no_game_is_refused(changes, said):
    with pytest.raises(Refusal, match=said):
        Signals(**changes)
