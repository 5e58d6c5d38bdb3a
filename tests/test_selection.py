"""Finite populations, trees of resistances and adaptive play against plain twins, and numbers worked out before."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi.errors import Refusal
from nomoi.solve import adaptive, finite, selection
from nomoi.solve.game import NormalForm, bimatrix, symmetric

ALIKE, UNLIKE = symmetric(np.eye(3), "alike"), symmetric(np.diag([1.0, 2.0, 3.0]), "unlike")
TWO = symmetric(np.diag([1.0, 2.0]))
DILEMMA, STAG = symmetric([[3, 0], [4, 1]]), symmetric([[4, 0], [3, 1]])
NAMED = bimatrix([[3, 0], [0, 2]], [[2, 0], [0, 3]], "Bach or Stravinsky")

# --- fixation -------------------------------------------------------------------------------------------------------


def test_fixation_is_that_worked_out_before():
    """EGTtools and the closed form agree on these : Z = 100, beta = .01."""
    for game, into, out in ((DILEMMA, 0.00574738, 0.01593860), (STAG, 0.00834306, 0.00859714)):
        assert finite.fixation(game, 0, 1, 100, 0.01) == pytest.approx(into, abs=1e-8)
        assert finite.fixation(game, 1, 0, 100, 0.01) == pytest.approx(out, abs=1e-8)


@given(st.integers(2, 9), st.floats(0, 2), st.integers(0, 2**32 - 1), st.sampled_from(finite.PROCESSES))
def test_fixation_is_the_absorption_of_the_whole_chain(size, beta, seed, process):
    beta = min(beta, 0.9) if process == "moran linear" else beta
    a = np.random.default_rng(seed).uniform(0, 2, (2, 2))
    chain = np.zeros((size + 1, size + 1))
    for k in range(1, size):  # people of the mutant type, each step as it is told
        own = (a[0, 0] * (k - 1) + a[0, 1] * (size - k)) / (size - 1)
        other = (a[1, 0] * k + a[1, 1] * (size - k - 1)) / (size - 1)
        if process == "fermi":
            meet = k / size * (size - k) / (size - 1)
            up = meet / (1 + math.exp(-beta * (own - other)))
            down = meet / (1 + math.exp(-beta * (other - own)))
        else:
            fit = (lambda p: math.exp(beta * p)) if process == "moran" else (lambda p: 1 - beta + beta * p)
            born = k * fit(own) / (k * fit(own) + (size - k) * fit(other))
            up, down = born * (size - k) / size, (1 - born) * k / size
        chain[k, k + 1], chain[k, k - 1], chain[k, k] = up, down, 1 - up - down
    inner = slice(1, size)
    hit = np.linalg.solve(np.eye(size - 1) - chain[inner, inner], chain[inner, size])
    assert finite.fixation(symmetric(a), 0, 1, size, beta, process) == pytest.approx(hit[0], rel=1e-8)


def test_without_selection_all_are_alike():
    assert finite.fixation(DILEMMA, 0, 1, 100, 0.0) == pytest.approx(0.01, abs=1e-15)
    np.testing.assert_allclose(finite.rare_mutation(UNLIKE, 40, 0.0), 1 / 3)


def test_strong_selection_neither_overflows_nor_gives_nan():
    """Defectors are ahead by about 1 at every k, so beta = 1000 makes exponents of a hundred thousand."""
    log = finite.log_fixation(DILEMMA, 0, 1, 100, 1000.0)
    k = np.arange(1, 100)
    gap = (4 * k + 99 - k) / 99 - 3 * (k - 1) / 99
    assert log == pytest.approx(-1000.0 * gap.sum(), rel=1e-6)
    assert finite.fixation(DILEMMA, 1, 0, 100, 1000.0) == 1
    np.testing.assert_array_equal(finite.rare_mutation(DILEMMA, 100, 1000.0), [0, 1])


def test_rare_mutation_of_two_types_is_the_ratio_of_fixations():
    share = finite.rare_mutation(STAG, 50, 0.2)
    to, fro = finite.fixation(STAG, 1, 0, 50, 0.2), finite.fixation(STAG, 0, 1, 50, 0.2)
    assert share[1] / share[0] == pytest.approx(to / fro)
    assert share.sum() == pytest.approx(1)


@given(st.integers(2, 7), st.integers(0, 2**32 - 1))
def test_stationary_is_the_left_eigenvector(k, seed):
    rates = np.random.default_rng(seed).uniform(0.01, 1, (k, k)) / k
    np.fill_diagonal(rates, 0)
    found = np.exp(finite.log_stationary(np.log(np.maximum(rates, 1e-300))))
    whole = rates + np.diag(1 - rates.sum(1))
    np.testing.assert_allclose(found @ whole, found, atol=1e-12)
    assert found.sum() == pytest.approx(1)


def test_small_shares_keep_their_digits():
    """A birth-death chain in exact fractions: up at 10^-20, down at 1."""
    rates = np.full((4, 4), -np.inf)
    for n in range(3):
        rates[n, n + 1], rates[n + 1, n] = -20 * math.log(10), 0
    exact = [Fraction(1, 10 ** (20 * n)) for n in range(4)]
    want = [math.log(x / sum(exact)) for x in exact[:4]]
    np.testing.assert_allclose(finite.log_stationary(rates), want, rtol=1e-12, atol=1e-12)


# --- resistances and trees ------------------------------------------------------------------------------------------


def test_potentials_are_those_worked_out_before():
    found = selection.select(UNLIKE)
    np.testing.assert_allclose(found.potentials, [1.15, 0.85, 0.65])
    assert found.stable == ((2, 2),)
    same = selection.select(ALIKE)
    np.testing.assert_allclose(same.potentials, 1.0)
    assert len(same.stable) == 3


@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=4))
def test_resistance_of_conventions_is_the_share_of_the_old_in_both(worth):
    found = selection.select(symmetric(np.diag(worth)))
    for i, j in itertools.permutations(range(len(worth)), 2):
        assert found.resistances[i, j] == pytest.approx(worth[i] / (worth[i] + worth[j]), abs=1e-7)


def test_two_by_two_selects_what_risk_dominates():
    """Young 1993: in 2 x 2 games with two conventions; the tutorial's stag hunt and Bach or Stravinsky are ties."""
    assert len(selection.select(STAG).stable) == 2
    assert len(selection.select(NAMED).stable) == 2
    assert selection.select(symmetric([[5, 0], [3, 1]])).stable == ((0, 0),)
    assert selection.select(symmetric([[4, 0], [3, 2]])).stable == ((1, 1),)


def test_errors_of_a_third_kind_may_be_the_cheapest():
    """To leave 0 for 1 the errors that help most are those at 2, where 1 brings much."""
    game = symmetric([[3, 0, 0], [0, 2, 6], [0, 0, 7]])
    r = selection.resistances(game, selection.conventions(game))
    # 1 must beat 0: 3 (1 - q) <= 2 q1 + 6 q2; and 2: 2 q1 + 6 q2 >= 7 q2; so q1 = q2 / 2: 3 (1 - q) <= 14/3 q
    assert r[0, 1] == pytest.approx(9 / 23)


def brute(cost, root):
    nodes = [i for i in range(len(cost)) if i != root]
    best = math.inf
    for to in itertools.product(range(len(cost)), repeat=len(nodes)):
        go = dict(zip(nodes, to, strict=True))
        ends = []
        for i in nodes:
            for _ in cost:
                i = go.get(i, root)
            ends.append(i == root)
        if all(ends) and all(i != j for i, j in go.items()):
            best = min(best, sum(cost[i][j] for i, j in go.items()))
    return best


@given(st.integers(1, 5), st.integers(0, 2**32 - 1), st.booleans())
def test_trees_are_the_cheapest_of_all(k, seed, coarse):
    rng = np.random.default_rng(seed)
    cost = rng.integers(0, 4, (k, k)).astype(float) if coarse else rng.uniform(size=(k, k))
    for root in range(k):
        total, to = selection.cheapest(cost, root)
        assert total == pytest.approx(brute(cost.tolist(), root) if k > 1 else 0)
        assert to[root] == -1
        for i in range(k):  # it is a tree
            for _ in range(k):
                i = i if i == root else to[i]
            assert i == root


# --- adaptive play and noisy replies --------------------------------------------------------------------------------


def test_errors_that_vanish_leave_the_stable_convention():
    """Exactly, with a memory of 4 and samples of 2: the share of the better convention goes to 1."""
    shares = []
    for error in (0.1, 0.01, 0.001):
        memories, logs = adaptive.adaptive(TWO, 4, 2, error)
        assert np.exp(logs).sum() == pytest.approx(1)
        shares.append([np.exp(logs[(memories == a).all((1, 2))]).sum() for a in (0, 1)])
    assert shares[0][1] < shares[1][1] < shares[2][1]
    assert shares[2][1] > 0.995
    assert shares[2][0] < 1e-6


def test_conventions_alike_share_the_time():
    memories, logs = adaptive.adaptive(symmetric(np.eye(2)), 3, 2, 0.01)
    a, b = (np.exp(logs[(memories == a).all((1, 2))]).sum() for a in (0, 1))
    assert a == pytest.approx(b)
    assert a > 0.45


def test_simulation_agrees_with_the_exact_chain():
    game = bimatrix([[2, 0, 0], [0, 1, 1]], [[1, 0, 0.5], [0, 1, 1]])  # unlike sizes, and ties
    memories, logs = adaptive.adaptive(game, 3, 2, 0.2)
    lead = np.array([[np.bincount(p, minlength=k).argmax() for p, k in zip(m, (2, 3), strict=True)] for m in memories])
    found = adaptive.simulate(game, 3, 2, 0.2, 60, 20_000, np.random.default_rng(0))[-1]
    for role, k in enumerate((2, 3)):
        want = [np.exp(logs[lead[:, role] == a]).sum() for a in range(k)]
        np.testing.assert_allclose([(found[:, role] == a).mean() for a in range(k)], want, atol=0.012)


def test_without_errors_a_convention_stays():
    held = adaptive.simulate(UNLIKE, 5, 2, 0.0, 50, 20, np.random.default_rng(0), start=(1, 1))
    assert (held == 1).all()
    again = [adaptive.simulate(UNLIKE, 5, 2, 0.1, 50, 20, np.random.default_rng(3), keep=2) for _ in range(2)]
    np.testing.assert_array_equal(*again)


@given(st.integers(0, 2**32 - 1), st.floats(0, 4))
def test_logit_response_weighs_by_the_potential(seed, beta):
    """Each player's payoff: a common potential plus what only the others decide."""
    rng = np.random.default_rng(seed)
    potential, others = rng.normal(size=(2, 3, 2)), rng.normal(size=(3, 2, 3, 2))
    payoff = np.stack([potential + others[i].mean(i, keepdims=True) for i in range(3)])
    logs = adaptive.logit_response(NormalForm(payoff), beta)
    np.testing.assert_allclose(logs - logs[0, 0, 0], beta * (potential - potential[0, 0, 0]), atol=1e-9)


def test_kandori_agrees_with_quantecon():
    theory = pytest.importorskip("quantecon.game_theory")
    game = symmetric([[4, 0], [3, 2]])
    want = np.exp(adaptive.kandori(game, 6, 0.4))
    chain = theory.KMR(game.payoff[0], 6, 0.4)
    series = chain.time_series(20_000, init_action_dist=[3, 3], tie_breaking="random", random_state=0)[:, 1]
    np.testing.assert_allclose(np.bincount(series, minlength=7) / len(series), want, atol=0.02)
    assert np.exp(adaptive.kandori(game, 30, 0.05))[25:].sum() > 0.99


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: finite.fixation(NAMED, 0, 1, 10, 0.1), "not symmetric"),
        (lambda: finite.fixation(STAG, 0, 0, 10, 0.1), "two of the actions"),
        (lambda: finite.fixation(STAG, 0, 2, 10, 0.1), "two of the actions"),
        (lambda: finite.fixation(STAG, 0, 1, 1, 0.1), "people"),
        (lambda: finite.fixation(STAG, 0, 1, 10, -1.0), "strength"),
        (lambda: finite.fixation(STAG, 0, 1, 10, math.nan), "strength"),
        (lambda: finite.fixation(STAG, 0, 1, 10, 0.1, "wright"), "processes are"),
        (lambda: finite.fixation(STAG, 0, 1, 10, 1.5, "moran linear"), "up to 1"),
        (lambda: finite.fixation(symmetric([[-1, 0], [0, 1]]), 0, 1, 10, 0.5, "moran linear"), "below 0"),
        (lambda: finite.fixation(symmetric([[0, 0], [0, 0]]), 0, 1, 9, 1.0, "moran linear"), "no fitness"),
        (lambda: finite.log_stationary(np.zeros((2, 3))), "square"),
        (lambda: finite.log_stationary(np.array([[0, np.nan], [0, 0]])), "chain"),
        (lambda: finite.log_stationary(np.array([[0, 0], [-np.inf, 0.0]])), "single distribution"),
        (lambda: selection.select(symmetric([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], "rock")), "no strict equilibrium"),
        (lambda: selection.select(NormalForm(np.zeros((3, 2, 2, 2)))), "games of two"),
        (lambda: selection.cheapest(np.zeros((2, 3)), 0), "tree"),
        (lambda: selection.cheapest(np.zeros((2, 2)), 2), "tree"),
        (lambda: selection.cheapest(np.full((2, 2), np.nan), 0), "finite"),
        (lambda: adaptive.simulate(STAG, 3, 4, 0.1, 5, 5, np.random.default_rng(0)), "sample"),
        (lambda: adaptive.simulate(STAG, 3, 2, 1.1, 5, 5, np.random.default_rng(0)), "error"),
        (lambda: adaptive.simulate(STAG, 3, 2, 0.1, 5, 5, np.random.default_rng(0), keep=2), "divide"),
        (lambda: adaptive.adaptive(UNLIKE, 4, 2, 0.1), "shorter memory"),
        (lambda: adaptive.adaptive(STAG, 2, 1, 0.0), "above 0"),
        (lambda: adaptive.logit_response(STAG, math.inf), "precision"),
        (lambda: adaptive.logit_response(symmetric(np.eye(40)), 1.0), "solved for"),
        (lambda: adaptive.kandori(UNLIKE, 10, 0.1), "two actions"),
        (lambda: adaptive.kandori(STAG, 10, 0.0), "chance"),
    ],
)
def test_refusals(call, word):
    with pytest.raises(Refusal, match=word):
        call()
