"""Deterministic learning in Markov games: against loops over histories, and thresholds solved for by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from nomoi.errors import Refusal
from nomoi.solve import crld
from nomoi.solve.crld import PROSPEROUS, Markov, ecological_public_good, learn, social_dilemma, surprise, update, values

seeds = st.integers(0, 2**32 - 1)


def some(rng, players=2, states=2, actions=2):
    t = rng.dirichlet(np.ones(states), (states, *[actions] * players))
    return Markov(t, rng.normal(size=(players, *t.shape)))


@given(seeds, st.integers(1, 3), st.floats(0, 0.9), st.booleans())
def test_values_and_surprise_are_sums_over_what_may_happen(seed, players, discount, prefactor):
    rng = np.random.default_rng(seed)
    game = some(rng, players)
    x = rng.dirichlet([1, 1], (2, *game.shape[:2]))
    pre = 1 - discount if prefactor else 1
    value = np.zeros((players, 2))
    outcomes = list(itertools.product(range(2), repeat=players))
    chance = {(s, a): np.prod([x[1, i, s, a[i]] for i in range(players)]) for s in range(2) for a in outcomes}
    then = lambda i, s, a: sum(  # noqa: E731
        game.transitions[(s, *a, t)] * (pre * game.rewards[(i, s, *a, t)] + discount * value[i, t]) for t in range(2)
    )
    for _ in range(400):
        new = [[sum(chance[s, a] * then(i, s, a) for a in outcomes) for s in range(2)] for i in range(players)]
        done = np.abs(np.array(new) - value).max() < 1e-12
        value = np.array(new)
        if done:
            break
    np.testing.assert_allclose(values(game, x, discount, prefactor)[1], value, atol=1e-9)
    error = surprise(game, x, discount, prefactor)[1]
    for i, s, b in itertools.product(range(players), range(2), range(2)):
        others = [(a, np.prod([x[1, j, s, a[j]] for j in range(players) if j != i])) for a in outcomes if a[i] == b]
        assert error[i, s, b] == pytest.approx(sum(p * then(i, s, a) for a, p in others) - value[i, s], abs=1e-9)


@given(seeds)
def test_surprise_is_zero_on_average_and_updates_keep_chances(seed):
    rng = np.random.default_rng(seed)
    game = some(rng, 2, 3, 3)
    x = rng.dirichlet(np.ones(3), (4, 2, 3))
    error = surprise(game, x, 0.8)
    np.testing.assert_allclose((x * error).sum(-1), 0, atol=1e-10)
    new = update(x, error, 0.3)
    np.testing.assert_allclose(new.sum(-1), 1)
    by_hand = x * np.exp(0.3 * error)
    np.testing.assert_allclose(new, by_hand / by_hand.sum(-1, keepdims=True))


def threshold(game, other):
    """The discount from which cooperating (in both states) beats defecting against one who always does `other`."""

    def gain(discount):
        v = []
        for own in (0, 1):
            x = np.zeros((1, *game.shape))
            x[0, 0, :, own], x[0, 1, :, other] = 1, 1
            v.append(values(game, x, discount)[0, 0, PROSPEROUS])
        return v[0] - v[1]

    return brentq(gain, 0.01, 0.9999) if gain(0.9999) > 0 else None


@pytest.mark.parametrize(
    ("impact", "recovery", "stable", "dominant"),
    [(-5, 0.01, 0.672, 0.912), (-5, 0.1, 0.715, 0.993), (-4, 0.01, 0.728, 0.982), (-4, 0.1, 0.779, None)],
)
def test_thresholds_of_the_ecological_public_good(impact, recovery, stable, dominant):
    game = ecological_public_good(impact=impact, recovery=recovery)
    assert threshold(game, 0) == pytest.approx(stable, abs=0.005)
    found = threshold(game, 1)
    assert found is None if dominant is None else found == pytest.approx(dominant, abs=0.005)


@pytest.mark.parametrize(("recovery", "shares"), [(0.01, (0, 0.77, 1, 1)), (0.1, (0, 0.20, 0.90, 1))])
def test_shares_of_starts_that_come_to_cooperate(recovery, shares):
    """Tolerance .1, as for its 30 random starts.  Here chances are uniform numbers over their sum (it is silent)."""
    game, rng = ecological_public_good(recovery=recovery), np.random.default_rng(0)
    x = rng.random((300, *game.shape))
    for discount, want in zip((0.7, 0.8, 0.9, 0.95), shares, strict=True):
        end, rest = learn(game, x / x.sum(-1, keepdims=True), discount, tolerance=1e-4)
        assert rest.all()
        assert (end[:, :, PROSPEROUS, 0] > 0.5).all(1).mean() == pytest.approx(want, abs=0.1)
    below = learn(game, x / x.sum(-1, keepdims=True), 0.6, tolerance=1e-4)[0]
    assert below[:, :, PROSPEROUS, 0].max() < 0.5


def test_one_state_is_a_matrix_game():
    x = np.random.default_rng(0).dirichlet([1, 1], (50, 2, 1))
    end, rest = learn(social_dilemma(1, 1.2, -0.5, 0), x, 0.0)  # defection is dominant
    assert rest.all()
    assert end[..., 1].min() > 0.99
    end, _ = learn(social_dilemma(1, 0.8, -0.5, 0), x, 0.0)  # stag hunt: both, or none
    both = end[:, :, 0, 0] > 0.5
    assert (both[:, 0] == both[:, 1]).all()
    assert 0.1 < both.mean() < 0.9


def test_no_discount_and_prefactor_change_only_the_pace_of_one_state():
    x = np.array([[[[0.4, 0.6]], [[0.7, 0.3]]]])
    game = social_dilemma(3, 5, 0, 1)
    np.testing.assert_allclose(surprise(game, x, 0.5, prefactor=True), 0.5 * surprise(game, x, 0.5))


def test_the_public_good_pays_what_its_card_says():
    game = ecological_public_good(3, 1.2, 5.0, -4.0, 0.3, 0.2, choice=True)
    assert game.transitions[PROSPEROUS, 1, 0, 1, crld.DEGRADED] == pytest.approx(0.2)
    assert game.transitions[crld.DEGRADED, 1, 0, 1, PROSPEROUS] == pytest.approx(0.2 / 3)
    assert game.rewards[0, PROSPEROUS, 1, 0, 1, PROSPEROUS] == pytest.approx(2.0)
    assert game.rewards[1, PROSPEROUS, 1, 0, 1, PROSPEROUS] == pytest.approx(2.0 - 5.0)
    assert (game.rewards[:, crld.DEGRADED] == -4).all()


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: Markov(np.ones((1, 2, 2, 1)), np.zeros((1, 1, 2, 2, 1))), "rewards"),
        (lambda: Markov(np.ones((2, 2, 2)), np.zeros((1, 2, 2, 2))), "sum to 1"),
        (lambda: Markov(np.ones((1, 2, 1)), np.full((1, 1, 2, 1), np.nan)), "finite"),
        (lambda: ecological_public_good(1), "2 or more"),
        (lambda: ecological_public_good(collapse=1.2), "chance"),
        (lambda: learn(social_dilemma(3, 5, 0, 1), np.ones((1, 2, 2)) / 2, 0.5), "shape"),
        (lambda: learn(social_dilemma(3, 5, 0, 1), np.ones((1, 2, 1, 2)), 0.5), "sum to 1"),
        (lambda: learn(social_dilemma(3, 5, 0, 1), np.ones((1, 2, 1, 2)) / 2, 1.0), "discount"),
        (lambda: learn(social_dilemma(3, 5, 0, 1), np.ones((1, 2, 1, 2)) / 2, 0.5, rate=0.0), "rate"),
    ],
)
def test_refusals(call, word):
    with pytest.raises(Refusal, match=word):
        call()
