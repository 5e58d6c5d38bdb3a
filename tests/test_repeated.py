"""Machines in repeated games against plain play, and facts counted about Bach or Stravinsky."""

import itertools
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi.errors import Refusal
from nomoi.solve.game import NormalForm, bimatrix, symmetric
from nomoi.solve.machines import Machine, all_memory_one, machine, memory_one
from nomoi.solve.repeated import exact, meet, payoffs, temptation, tournament, walk

NAMED = bimatrix([[3, 0], [0, 2]], [[2, 0], [0, 3]], "Bach or Stravinsky")
DILEMMA = symmetric([[3, 0], [5, 1]], "Axelrod's dilemma")  # cooperate first
ALL = all_memory_one()
ALTERNATE = machine([0, 1], [[1, 1], [0, 0]], "by the clock")
OPENER = Machine(np.array([[0.5, 0.5], [1, 0], [0, 1]]), np.tile([[2, 0], [0, 1]], (3, 1, 1)), "opener")
TFT, WSLS = memory_one(1, [[1, 0], [1, 0]], "tit for tat"), memory_one(1, [[1, 0], [0, 1]], "win-stay, lose-shift")
GRIM = machine([0, 1], [[[0, 1], [1, 1]], [[1, 1], [1, 1]]], "grim")  # also after an own defection
BLIND = machine([0, 1], [[0, 1], [1, 1]], "grim that forgives itself")
DEFECT, COOPERATE = machine([1], [[0, 0]], "defect"), machine([0], [[0, 0]], "cooperate")
seeds = st.integers(0, 2**32 - 1)


def some(seed, states=3, chance=False):
    """A random machine."""
    rng = np.random.default_rng(seed)
    output = rng.dirichlet([1, 1], states) if chance else np.eye(2)[rng.integers(0, 2, states)]
    return Machine(output, rng.integers(0, states, (states, 2, 2)))


def play(a, b, rounds):
    """Two pure machines, round after round."""
    now, out = [0, 0], []
    for _ in range(rounds):
        x, y = (int(np.argmax(m.output[s])) for m, s in zip((a, b), now, strict=True))
        out.append((x, y))
        now = [int(a.to[now[0], x, y]), int(b.to[now[1], y, x])]
    return out


# --- facts that were counted ------------------------------------------------------------------------------------------


def test_there_are_32_and_52_of_their_1024_pairs_alternate():
    assert len({(m.output.tobytes(), m.to.tobytes()) for m in ALL}) == 32
    alternating = [1 for a in ALL for b in ALL if sorted(walk(a, b)[1]) == [(0, 0), (1, 1)]]
    assert len(alternating) == 52


def test_equilibria_of_choosing_a_machine_pay_three_ways():
    row, column = tournament(NAMED, ALL, ALL).payoff
    nash = (row >= row.max(0)) & (column >= column.max(1, keepdims=True))
    found = Counter((float(row[i]), float(column[i])) for i in zip(*np.nonzero(nash), strict=True))
    assert found == {(3.0, 2.0): 108, (2.0, 3.0): 108, (2.5, 2.5): 52}


def test_eight_are_fair_to_themselves():
    fair = [m for m in ALL if exact(NAMED, m, m) == (Fraction(5, 2), Fraction(5, 2))]
    assert len(fair) == 8
    for m in fair:  # AA -> B and BB -> A
        assert m.output[m.to[m.output[:, 0].argmax(), 0, 0], 1] == 1
        assert m.output[m.to[m.output[:, 1].argmax(), 1, 1], 0] == 1


def test_the_opener_coordinates_in_two_rounds_and_then_alternates():
    pair = meet(OPENER, OPENER)
    assert pair.wait(np.eye(2)) == pytest.approx(2)
    assert pair.alternation() == pytest.approx(1)
    np.testing.assert_allclose(NAMED.joint(pair.outcomes()), 2.5)
    assert pair.recovery() == pytest.approx(2)  # one mistake makes a mismatch; then it is as at the opening
    assert OPENER.size == 3
    noisy = meet(OPENER, OPENER, 0.05)
    assert 0.5 < noisy.alternation() < 0.9
    one, two = NAMED.joint(noisy.outcomes())
    assert one == pytest.approx(two)


@given(st.floats(0, 0.99))
def test_alternation_is_subgame_perfect_at_every_discount(delta):
    assert temptation(NAMED, ALTERNATE, ALTERNATE, delta) == pytest.approx(0, abs=1e-12)
    one, two = payoffs(NAMED, ALTERNATE, ALTERNATE, delta)
    assert one == pytest.approx((3 + 2 * delta) / (1 + delta))
    assert two == pytest.approx((2 + 3 * delta) / (1 + delta))


# --- the iterated dilemma -------------------------------------------------------------------------------------------


def test_well_known_strategies():
    assert exact(DILEMMA, TFT, TFT) == (3, 3)
    assert exact(DILEMMA, TFT, DEFECT) == (1, 1)
    assert exact(DILEMMA, WSLS, DEFECT) == (Fraction(1, 2), 3)
    assert payoffs(DILEMMA, TFT, DEFECT, delta=0.5) == (pytest.approx(0.5), pytest.approx(3.0))
    assert meet(WSLS, WSLS).recovery() == pytest.approx(2)  # both defect once, and are back
    assert meet(GRIM, GRIM).recovery() == np.inf
    assert meet(TFT, TFT).recovery() == np.inf  # it echoes for ever
    # with errors, tit for tat goes to a third of outcomes on which nothing is settled: all four alike
    np.testing.assert_allclose(meet(TFT, TFT, 0.01).outcomes(), 0.25)
    assert payoffs(DILEMMA, WSLS, WSLS, error=0.001)[0] == pytest.approx(3, abs=0.02)


def test_grim_deters_where_the_future_weighs_enough():
    """Cooperation pays if 3 >= (1 - d) 5 + d, so from d = 1/2 on."""
    assert temptation(DILEMMA, GRIM, GRIM, 0.51) == pytest.approx(0, abs=1e-12)
    assert temptation(DILEMMA, GRIM, GRIM, 0.4) == pytest.approx(0.6 * 5 + 0.4 - 3)
    assert temptation(DILEMMA, BLIND, BLIND, 0.9) > 0.05  # it would cooperate with one who will not
    assert temptation(DILEMMA, TFT, TFT, 0.9) > 0.01  # not subgame perfect


@given(seeds)
def test_extortion_holds_whoever_it_meets(seed):
    """Press and Dyson 2012: own - P = chi (other's - P), whatever the other does."""
    chi, phi = 3.0, 1 / 26
    x, y = np.array([3, 0, 5, 1]), np.array([3, 5, 0, 1])  # CC, CD, DC, DD
    p = np.array([1, 1, 0, 0]) + phi * ((x - 1) - chi * (y - 1))
    other = np.random.default_rng(seed).uniform(0.05, 0.95, 5)
    one, two = payoffs(DILEMMA, memory_one(0.5, p.reshape(2, 2)), memory_one(other[0], other[1:].reshape(2, 2)))
    assert one - 1 == pytest.approx(chi * (two - 1), abs=1e-9)


# --- against plain play ---------------------------------------------------------------------------------------------


@given(seeds, seeds)
def test_cycles_are_those_of_play(first, second):
    a, b = some(first), some(second, 4)
    before, cycle = walk(a, b)
    rounds = len(before) + 2 * len(cycle)
    assert play(a, b, rounds) == before + cycle + cycle
    game = NormalForm(np.random.default_rng(first).integers(-4, 5, (2, 2, 2)).astype(float))
    long = np.mean([game.payoff[:, x, y] for x, y in play(a, b, 12_000)[-5_040 * 2 :]], 0)  # every cycle divides 5,040
    for route in (payoffs(game, a, b), tuple(map(float, exact(game, a, b))), game.joint(meet(a, b).outcomes())):
        np.testing.assert_allclose(route, long, atol=1e-9)


@given(seeds, seeds, st.floats(0, 0.98))
def test_discounted_is_the_sum_over_rounds(first, second, delta):
    a, b = some(first), some(second)
    outcomes = np.zeros((2, 2))
    for t, at in enumerate(play(a, b, 1_500)):
        outcomes[at] += (1 - delta) * delta**t
    np.testing.assert_allclose(meet(a, b).outcomes(delta), outcomes, atol=1e-9)


@given(seeds, seeds, st.just(0.0) | st.floats(1e-6, 0.3))  # rarer ones do not mix in as many steps as the powers below
def test_long_runs_of_chance_are_powers_of_the_chain(first, second, error):
    pair = meet(some(first, chance=True), some(second), error)
    power = 0.5 * pair.chain + 0.5 * np.eye(len(pair.chain))
    for _ in range(40):  # rare errors mix slowly
        power = power @ power
        power /= power.sum(1, keepdims=True)
    np.testing.assert_allclose(pair.shares, power[0], atol=1e-6)
    np.testing.assert_allclose(pair.play.sum((1, 2)), 1)
    assert pair.shares.sum() == pytest.approx(1)


def test_waiting_and_alternation_by_simulation():
    a, b, rng = some(1, chance=True), some(5, chance=True), np.random.default_rng(0)
    pair = meet(a, b, 0.1)
    waits, turns, goal, last, state = [], [], (1, 0), None, 0
    for _ in range(3_000):
        state, n = 0, 0
        while True:
            n += 1
            at = divmod(rng.choice(4, p=pair.play[state].ravel()), 2)
            state = pair.then[state][at]
            if at == goal:
                break
        waits.append(n)
    for _ in range(30_000):
        at = divmod(rng.choice(4, p=pair.play[state].ravel()), 2)
        turns.append({last, at} == {(0, 0), (1, 1)})
        state, last = pair.then[state][at], at
    wish = np.zeros((2, 2))
    wish[goal] = 1
    assert pair.wait(wish) == pytest.approx(np.mean(waits), rel=0.06)
    assert pair.alternation() == pytest.approx(np.mean(turns), abs=0.015)
    assert meet(DEFECT, DEFECT).wait([[1, 0], [0, 0]]) == np.inf


@given(seeds, seeds)
def test_the_smallest_machine_counts_what_can_be_told_apart(first, second):
    """Brute force: states differ if some sequence of the other's actions leads to different own actions."""
    m = some(first, 4)
    reached, words = set(), [w for n in range(7) for w in itertools.product((0, 1), repeat=n)]

    def after(s, word):
        out = []
        for other in (*word, 0):
            own = int(m.output[s].argmax())
            out.append(own)
            s = int(m.to[s, own, other])
        return tuple(out)

    stack = [0]
    while stack:
        s = stack.pop()
        if s not in reached:
            reached.add(s)
            stack += [int(t) for t in m.to[s, int(m.output[s].argmax())]]
    assert m.size == len({tuple(after(s, w) for w in words) for s in reached})


def test_complexity_costs_by_the_state():
    plain, taxed = (tournament(NAMED, [ALTERNATE, DEFECT], [OPENER], cost=c).payoff for c in (0.0, 0.1))
    np.testing.assert_allclose((plain - taxed)[0, :, 0], [0.2, 0.1])
    np.testing.assert_allclose((plain - taxed)[1, :, 0], 0.3)


def test_unlike_numbers_of_actions():
    game = NormalForm(np.arange(12.0).reshape(2, 2, 3))
    a = Machine(np.eye(2), np.ones((2, 2, 3), int))
    b = Machine(np.eye(3), np.array([[[1, 2]] * 3, [[2, 0]] * 3, [[0, 1]] * 3]))
    np.testing.assert_allclose(list(map(float, exact(game, a, b))), game.joint(meet(a, b).outcomes()))


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: Machine(np.eye(2), np.zeros((2, 2, 2))), "whole numbers"),
        (lambda: Machine(np.eye(2), np.full((2, 2, 2), 2)), "does not have"),
        (lambda: Machine(np.array([[0.5, 0.6]]), np.zeros((1, 2, 2), int)), "sum to 1"),
        (lambda: Machine(np.array([[np.nan, 1]]), np.zeros((1, 2, 2), int)), "sum to 1"),
        (lambda: memory_one(1.2, np.zeros((2, 2))), "from 0 to 1"),
        (lambda: walk(OPENER, TFT), "chance"),
        (lambda: meet(TFT, TFT, -0.1), "error"),
        (lambda: payoffs(NAMED, TFT, TFT, delta=1.0), "discount"),
        (lambda: temptation(NAMED, TFT, TFT, -0.1), "discount"),
        (lambda: meet(TFT, Machine(np.eye(2), np.zeros((2, 2, 3), int))), "other's"),
    ],
)
def test_refusals(call, word):
    with pytest.raises(Refusal, match=word):
        call()
