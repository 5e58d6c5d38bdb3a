"""Treaties: terms, transfers that sum to zero, what the theory promises; self-interest levels and least transfers."""

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
from nomoi.situations.matrix import Matrix, symmetric
from nomoi.solve.game import NormalForm, bimatrix
from nomoi.solve.game import symmetric as table
from nomoi.solve.interest import least_fine, least_transfer, self_interest
from nomoi.solve.subgame import backward
from nomoi.solve.unfold import normal_form, tabular
from nomoi.studies import contracts

KEY = jax.random.key(0)


@pytest.mark.parametrize("apart", [False, True])
def test_terms_are_all_combinations_of_fines_and_lump_sums(apart):
    treaty = Treaty(on="defect", low=-1.0, high=2.0, fines=4, lumps=3, most=5.0, apart=apart)
    count = treaty.heads(Matrix())["propose"]
    found = [treaty.terms(jnp.int32(k), jnp.arange(2)) for k in range(count)]
    assert found[0][0].tolist() == [0, 0]
    assert float(found[0][1]) == 0
    fines = itertools.product([-1, 0, 1, 2], repeat=2) if apart else [(f, f) for f in (-1, 0, 1, 2)]
    expected = [(*f, lump) for f in fines for lump in (-5, 0, 5)]
    assert [(*f.tolist(), float(lump)) for f, lump in found[1:]] == expected


@given(st.integers(0, 2**16), st.integers(1, 2))
def test_transfers_follow_the_terms_and_sum_to_zero(seed, proposers):
    rng = np.random.default_rng(seed)
    n = 3
    payoff = rng.integers(0, 5, (n, 2, 2, 2)).astype(float)
    treaty = Treaty(on="defect", low=-1.0, high=2.0, fines=4, lumps=3, most=5.0, apart=True, proposers=proposers)
    world = govern(Matrix(payoff=payoff.tolist()), treaty)
    state = world.reset(KEY)
    offer, answers, choice = rng.integers(0, 193, n), rng.integers(0, 2, n), rng.integers(0, 2, n)
    if rng.random() < 0.7:
        offer[:], answers[:] = offer[0], 1
    agreed = offer[0] if len(set(offer[:proposers])) == 1 else 0
    signed = agreed if answers[proposers:].all() else 0
    fine, lump = treaty.terms(jnp.int32(signed), jnp.arange(n))
    nothing = {"choose": np.zeros(n), "treaty.propose": np.zeros(n), "treaty.sign": np.zeros(n)}
    expected = [np.zeros(n), float(lump) * np.array([2, -1, -1])]
    due = np.asarray(fine) * (choice >= 1)
    expected.append((due.sum() - due) / 2 - due)
    for said, moved in zip(({"treaty.propose": offer}, {"treaty.sign": answers}, {"choose": choice}), expected,
                           strict=True):  # fmt: skip
        action = {h: jnp.array(x, jnp.int32) for h, x in (nothing | said).items()}
        state, outcome = world.step(KEY, state, action)
        np.testing.assert_allclose(outcome.transfer, moved, atol=1e-5)
        assert float(outcome.transfer.sum()) == pytest.approx(0, abs=1e-5)
    assert outcome.events["treaty.bound"].tolist() == [float(signed > 0)] * n
    np.testing.assert_array_equal(outcome.reward, payoff[(slice(None), *choice)])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lumps": 4}, "treaty.lumps is 4; it must be odd"),
        ({"proposers": 3}, "treaty.proposers is 3; it must be 1 or 2"),
        ({"low": 2.0, "high": 1.0}, "treaty.low is 2.0, above treaty.high"),
    ],
)
def test_wrong_terms_are_refused(options, words):
    with pytest.raises(Refusal, match=words):
        Treaty(**options)


def test_the_proposer_takes_the_surplus():
    lumped = lambda **more: backward(  # noqa: E731
        tabular(govern(Matrix(), Treaty(on="defect", high=4.0, fines=5, most=4.0, lumps=17, **more)))
    )
    np.testing.assert_allclose(lumped().start, [3, 1])
    assert lumped().welfare == 4
    # without lump sums the same fines leave it the even split, and with no fines nothing
    even = backward(tabular(govern(Matrix(), Treaty(on="defect", high=4.0, fines=5, lumps=1))))
    np.testing.assert_allclose(even.start, [2, 2])
    null = backward(tabular(govern(Matrix(), Treaty(on="defect", high=0.0, fines=1, lumps=1))))
    np.testing.assert_allclose(null.start, [1, 1])


def test_two_proposers_may_both_be_stuck():
    assert contracts.split(None, 2, "best", 0.5)["welfare"] == 4
    stuck = contracts.split(None, 2, "worst", 0.5)
    assert stuck["welfare"] == 2
    assert stuck["gain from departing"] == 0
    assert contracts.split(None, 1, "worst", 0.5)["second"] == 1.5


@given(st.integers(0, 2**16))
def test_a_rich_space_reaches_the_best_in_random_games(seed):
    payoff = np.random.default_rng(seed).integers(0, 10, (2, 2, 2)).astype(float)
    world = Matrix(payoff=payoff.tolist())
    markov = tabular(govern(world, Treaty(on="defect", **contracts.RICH)))
    for select in ("best", "worst"):
        found = backward(markov, select=select)
        assert found.welfare == pytest.approx(payoff.sum(0).max(), abs=1e-4)
        assert found.deviation < 1e-4
    alone = backward(tabular(world)).start[1]
    assert -1e-4 < backward(markov).start[1] - alone < 0.5  # T3, up to a step of the lump sums


GAMES = {(2, 0, 4, 1): (0.5, 2), (3, 0, 4, 1): (0.75, 1), (4, 0, 3, 1): (2 / 3, 1), (3, 1, 4, 0): (2 / 3, 1)}


@pytest.mark.parametrize("game", GAMES)
def test_the_table_of_self_interest(game):
    reward, sucker, tempted, punished = game
    made = table([[reward, sucker], [tempted, punished]])
    level, fine = GAMES[game]
    assert self_interest(made, (0, 0)) == pytest.approx(level, abs=1e-9)
    closed = min(1, (reward - sucker) / (tempted - sucker), (tempted - punished) / (tempted - sucker))
    assert self_interest(made, (0, 0)) == pytest.approx(closed)
    assert least_fine(made, (0, 0)) == fine
    assert least_fine(made, (0, 0), 0.25) == 4 * fine
    assert normal_form(Matrix(payoff=symmetric(*map(float, game)))).payoff.tolist() == made.payoff.tolist()


@given(st.integers(2, 4), st.floats(1.05, 1.9))
def test_public_goods_in_closed_form(n, r):
    gives = 1 - np.indices((2,) * n)
    game = NormalForm(r / n * gives.sum(0) - gives)
    assert self_interest(game, (0,) * n) == pytest.approx(r / n)
    assert least_transfer(game, (0,) * n)[0] == pytest.approx(r / n)
    assert least_fine(game, (0,) * n) == pytest.approx(1 - r / n)


def dominant(game, exchange, dust=1e-7):
    """Whether everybody's action 0 is dominant once payoffs are exchanged; plain Python."""
    shared = np.tensordot(exchange.T, game.payoff, 1)
    for i, a in enumerate(game.shape):
        for joint in itertools.product(*map(range, game.shape)):
            best = (*joint[:i], 0, *joint[i + 1 :])
            if any(shared[(i, *best)] < shared[(i, *joint[:i], k, *joint[i + 1 :])] - dust for k in range(a)):
                return False
    return True


@given(st.integers(0, 2**16), st.sampled_from([(2, 2), (2, 3), (3, 2), (2, 2, 2)]))
def test_levels_are_feasible_and_no_larger_one_is(seed, shape):
    n = len(shape)
    game = NormalForm(np.random.default_rng(seed).integers(-4, 5, (n, *shape)).astype(float))
    kept = lambda s: np.full((n, n), (1 - s) / (n - 1)) + np.eye(n) * (s - (1 - s) / (n - 1))  # noqa: E731
    level = self_interest(game, (0,) * n)
    feasible = [s for s in np.linspace(0, 1, 101) if dominant(game, kept(s))]
    if np.isnan(level):
        assert not feasible
    else:
        assert dominant(game, kept(level))
        assert max(feasible, default=level) <= level + 1e-9
    best, exchange = least_transfer(game, (0,) * n)
    if not np.isnan(level):
        assert best >= level - 1e-7
    if not np.isnan(best):
        assert dominant(game, exchange, 1e-6)
        np.testing.assert_allclose(exchange.sum(1), 1, atol=1e-7)
        assert exchange.diagonal().min() == pytest.approx(best, abs=1e-7)


def test_profiles_and_probabilities_that_are_none_are_refused():
    game = table([[2, 0], [4, 1]])
    for wrong in ((0,), (0, 2), (-1, 0)):
        with pytest.raises(Refusal, match="is no profile of game"):
            self_interest(game, wrong)
    for wrong in (0.0, 1.5, float("nan")):
        with pytest.raises(Refusal, match="probability of being detected"):
            least_fine(game, (0, 0), wrong)
    nobody = bimatrix([[0, 0], [1, 1]], [[0, 0], [1, 1]])  # more is better for both, whoever keeps what
    assert np.isnan(self_interest(nobody, (0, 0)))


def test_levels_and_fines_are_those_of_the_unfolded_games():
    found = contracts.thresholds(None, contracts.FIRST)  # R, S, T, P = 2, 0, 4, 1
    assert found["self-interest"] == pytest.approx(0.5)
    assert found["least fine"] == pytest.approx(2)
    assert found["least fine, unfolded"] == pytest.approx(2, abs=0.051)  # found in steps of .05
    assert found["least fine, half detected, unfolded"] == pytest.approx(4, abs=0.051)
    goods = contracts.public_goods(None, 2, 1.5)
    assert [goods["self-interest"], goods["least fine"]] == pytest.approx([0.75, 0.25])  # r / N and 1 - r / N
    assert goods["least fine, unfolded"] == pytest.approx(0.25, abs=0.051)
