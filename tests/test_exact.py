"""Answers beside payoffs of very unlike size: against rationals, and under changes that move no equilibrium."""

from __future__ import annotations

import itertools
import math
import sys
import types
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi.errors import Refusal
from nomoi.solve import adaptive, correlated, crowds, dilemma, dominance, exact, interest, nash, taxonomy
from nomoi.solve.analysis import analyse
from nomoi.solve.attractors import rest_points
from nomoi.solve.game import NormalForm, bimatrix
from nomoi.solve.games import named, rstp
from nomoi.solve.pure import profile, pure, strict
from nomoi.solve.selection import select
from nomoi.solve.stage import _pure

CRASH = rstp(3, 1, 4, -1e10, "chicken with a crash")
MANY = st.sampled_from([0, 0, 1, 1, 2, 3, -1, 10**10, 10**10 + 1, -(10**10), 2**-20, 0.5, 2.0**40])


@st.composite
def tables(draw, of=MANY):
    """Payoffs of two, up to 3 x 3."""
    shape = (2, draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    size = shape[1] * shape[2] * 2
    return np.array(draw(st.lists(of, min_size=size, max_size=size)), np.float64).reshape(shape)


# --- the twin: every basis, in fractions


def _solved(rows):
    """The solution of a square system [k][k + 1] of fractions; None if there is none or many."""
    rows = [list(map(Fraction, r)) for r in rows]
    for c in range(len(rows)):
        lead = next((k for k in range(c, len(rows)) if rows[k][c]), None)
        if lead is None:
            return None
        rows[c], rows[lead] = rows[lead], rows[c]
        rows[c] = [v / rows[c][c] for v in rows[c]]
        for k in range(len(rows)):
            if k != c:
                rows[k] = [v - rows[k][c] * w for v, w in zip(rows[k], rows[c], strict=True)]
    return tuple(r[-1] for r in rows)


def _corners(replies):
    """{strategy [m]: labels}: where the other's best replies change; replies [n, m] are what its actions bring."""
    n, m = replies.shape
    table = [[Fraction(v) for v in row] for row in replies.tolist()]
    out = {}
    # unknown: m shares and the other's payoff; m - 1 of the inequalities bind
    for bound in itertools.combinations(range(m + n), m):
        system = [[int(k == i) for k in range(m)] + [0, 0] if i < m else [*table[i - m], -1, 0] for i in bound]
        found = _solved([*system, [1] * m + [0, 1]])
        if found:
            x, v = found[:m], found[m]
            paid = [sum(a * b for a, b in zip(row, x, strict=True)) for row in table]
            if min(x) >= 0 and max(paid) <= v:
                out[x] = {i for i in range(m) if x[i] == 0} | {m + j for j in range(n) if paid[j] == v}
    return out


def _twin(game):
    """Every extreme equilibrium in fractions, with payoffs."""
    m, n = game.shape
    rows, columns = game.payoff
    out = []
    for (x, mine), (y, theirs) in itertools.product(_corners(columns.T).items(), _corners(rows).items()):
        if mine | {m + k if k < n else k - n for k in theirs} == set(range(m + n)):
            paid = [sum(Fraction(float(p[i, j])) * x[i] * y[j] for i in range(m) for j in range(n))
                    for p in game.payoff]  # fmt: skip
            out.append((x, y, paid))
    return out


@given(tables())
def test_the_list_is_that_of_a_twin_in_fractions_and_every_entry_an_equilibrium(payoff):
    game = NormalForm(payoff)
    found = nash.solve(game)
    twin = _twin(game)
    as_floats = {(tuple(map(float, x)), tuple(map(float, y))): paid for x, y, paid in twin}
    assert {tuple(tuple(p.tolist()) for p in point) for point in found.points} == set(as_floats)
    assert len(found.points) == len(twin)
    assert found.complete
    assert (found.certificates == 0).all()
    for point, paid in zip(found.points, found.payoffs.tolist(), strict=True):
        assert paid == [float(v) for v in as_floats[tuple(tuple(p.tolist()) for p in point)]]
    crowded = any(len(labels) > len(x) for p in (game.payoff[1].T, game.payoff[0]) for x, labels in _corners(p).items())
    assert bool(nash.solve(game, "extreme").degenerate) == crowded  # of the whole game, not of what dominance leaves
    assert crowded or not found.degenerate


def _alike(one, other):
    """Two answers list the same points, to the last bit."""
    assert [[x.tolist() for x in p] for p in one.points] == [[x.tolist() for x in p] for p in other.points]
    assert (one.components, one.degenerate, one.complete) == (other.components, other.degenerate, other.complete)
    assert (other.certificates == 0).all()


@given(tables(of=st.integers(-5, 5)), st.integers(-(10**12), 10**12), st.integers(-200, 200), st.integers(0, 1))
def test_a_constant_and_a_power_of_two_change_nothing(payoff, constant, power, player):
    game = NormalForm(payoff)
    base = nash.solve(game)
    for moved in (game.payoff[player] + constant, game.payoff[player] * 2.0**power):
        payoff = game.payoff.copy()
        payoff[player] = moved
        other = NormalForm(payoff)
        _alike(base, nash.solve(other))
        assert pure(other) == pure(game)
        assert [d.winner for d in dominance.risk_dominance(other)] == [d.winner for d in dominance.risk_dominance(game)]
        assert taxonomy.kind(other).name == taxonomy.kind(game).name


@given(tables(of=st.sampled_from([0.1, 0.2, 0.3, 1 / 3, 2 / 3, 0.7, 0.1 + 0.2])), st.integers(-200, 20))
def test_decimals_are_decimals_and_scale_with_powers_of_two(payoff, power):
    """A tenth, two and three tenths are evenly spaced, as their floating-point numbers are not.

    Powers up to 20: far above, what were decimals are whole numbers, which stand for themselves.
    """
    game = NormalForm(payoff)
    whole = bimatrix(*np.rint(game.payoff * 30))
    for base in (game, NormalForm(game.payoff * 2.0**power)):
        _alike(nash.solve(whole), nash.solve(base))


def test_what_numbers_stand_for():
    wanted = {
        0.1: "1/10", 1 / 3: "1/3", -2 / 3: "-2/3", 0.123456: "123456/1000000", 7.0: "7", 1e16 + 2: f"{10**16 + 2}",
        1e9 + 0.1: "10000000001/10", 1 / 17: "1/17", 2.0**-60: f"1/{2**60}", 0.1 * 2.0**-60: f"1/{10 * 2**60}",
        2.9999999999999996: "3", 1e15 + 0.125: f"{8 * 10**15 + 1}/8",
    }  # fmt: skip
    assert exact.fractions(list(wanted)) == [Fraction(text) for text in wanted.values()]
    odd = np.random.default_rng(0).random(200)
    near = [abs(Fraction(v) - f) <= 2 * Fraction(np.spacing(v)) for v, f in zip(odd, exact.fractions(odd), strict=True)]
    assert all(near)
    assert exact.tidy(np.array([0.3, 0.1 + 0.2, 0.4])).tolist() == [0.3, 0.3, 0.4]
    assert exact.tidy(np.array([1e16, 1e16 + 2, 0.5])).tolist() == [1e16, 1e16 + 2, 0.5]  # whole ones are exact


# --- games that were answered wrongly


def test_chicken_with_a_terrible_crash():
    """Worked by hand: both swerve is left by either for 4; mixed, x + (1 - x) ... gives 1 - x = 1 / (1e10 + 2)."""
    found = nash.solve(CRASH)
    assert pure(CRASH) == [(0, 1), (1, 0)]
    assert len(found.points) == 3
    assert found.points[2][0][1] == pytest.approx(1 / (10**10 + 2), rel=1e-14)
    assert found.payoffs[2] == pytest.approx([3, 3], rel=1e-9)
    assert found.components == ((0,), (1,), (2,))
    assert nash.certificate(CRASH, profile(CRASH, (0, 0))) == 1
    assert not strict(CRASH, (0, 0))
    whole = analyse(CRASH)
    assert whole.name == "chicken"
    assert whole.kind.name == taxonomy.MIXED  # r is 1 but for 1e-20
    assert len(whole.duels) == 1
    kinds = {tuple(np.round(np.concatenate(p.strategies), 3)): (p.kind, p.nash) for p in rest_points(CRASH)[:4]}
    assert kinds == {(1, 0, 1, 0): ("source", False), (1, 0, 0, 1): ("sink", True), (0, 1, 1, 0): ("sink", True),
                     (0, 1, 0, 1): ("source", False)}  # fmt: skip


def test_a_dominated_row_is_no_equilibrium():
    game = bimatrix([[1e10, 1], [0, 0]], [[-1e10, -1], [0, 0]])
    found = nash.solve(game)
    assert [[x.tolist() for x in p] for p in found.points] == [[[1, 0], [0, 1]]]
    assert nash.certificate(game, profile(game, (1, 1))) == 1


@pytest.mark.parametrize("name", ["bos", "stag_hunt", "pd", "chicken", "coord123", "matching_pennies", "shapley"])
def test_a_thousand_million_more_for_everybody_changes_nothing(name):
    game = named(name)
    base, more = analyse(game), analyse(NormalForm(game.payoff + 1e9, game.title, game.players, game.actions))
    _alike(base.equilibria, more.equilibria)
    assert np.allclose(more.equilibria.payoffs - 1e9, base.equilibria.payoffs, atol=1e-6)
    for part in ("name", "symmetric", "dilemmas", "place", "undominated", "duels", "one", "two"):
        assert getattr(base, part) == getattr(more, part), part
    assert base.kind.name == more.kind.name
    for aim, found in base.welfare.items():
        assert more.welfare[aim].welfare - game.n * 1e9 == pytest.approx(found.welfare, abs=1e-5)


@pytest.mark.parametrize("coarse", [False, True])
def test_who_has_no_choice_does_what_there_is(coarse):
    found = correlated.solve(bimatrix([[2]], [[3]]), "egalitarian", coarse)
    assert (found.distribution.tolist(), found.welfare, found.certificate) == ([[1.0]], 5.0, 0.0)


def test_other_answers_beside_a_crash():
    found = correlated.solve(CRASH, "max")  # and not 6 where both swerve: who is told to must fear the other's not
    assert found.certificate == 0
    np.testing.assert_allclose(found.distribution, [[1 - 2e-10, 1e-10], [1e-10, 0]], rtol=1e-9)
    assert correlated.gain(CRASH, np.array([[1.0, 0], [0, 0]])) == 1
    assert not dilemma.classify(3, 1, 4, -1e10).fear
    assert dilemma.classify(1 + 1e-9, 0, 1, -1e10).knife_edges == ("R = T",)[:0]
    crowd = crowds.Crowd(np.array([-1e10, 1.0, 3]), np.array([0, 0, 4.0]))
    assert crowd.equilibria() == [0, 2]
    assert crowds.read(crowd.normal_form()) is not None
    # to cooperate pays 1 less than to defect but for the share of others' gain that one may keep
    both = bimatrix([[3, 1, 0], [4, 2, 0], [-1e10, -1e10, 0]], [[3, 4, 0], [1, 2, 0], [0, 0, 0]])
    small = bimatrix([[3, 1], [4, 2]], [[3, 4], [1, 2]])
    assert interest.self_interest(small, (0, 0)) == pytest.approx(2 / 3)
    assert interest.least_fine(both, (0, 0)) == 1


def test_ties_in_adaptive_play_are_of_what_is_compared():
    """Best answers to what is seen, in units of 1e-12, and beside 1e10."""
    for scale, shift in ((1, 0), (1e-12, 0), (1, 1e9), (1e10, 0)):
        table = np.array([[3, 0], [0, 2.0]]) * scale + shift
        seen = np.array([[1, 2], [2, 3], [3, 2], [1, 1]])
        assert adaptive._best(seen, table).tolist() == [[False, True], [True, True], [True, False], [True, False]]
    crash = np.array([[3.0, 1], [4, -1e10]])
    assert adaptive._best(np.array([[5, 0], [4, 1]]), crash).tolist() == [[False, True], [True, False]]


def test_conventions_in_small_units_are_selected_as_in_large_ones():
    base = select(bimatrix(*[np.diag([1.0, 2, 3])] * 2))
    for scale in (1e-12, 1e12):
        other = select(bimatrix(*[np.diag([1.0, 2, 3]) * scale] * 2))
        assert other.stable == base.stable
        assert np.allclose(other.resistances, base.resistances)


def test_stage_games_are_compared_within_themselves():
    """One state with a payoff of 1e8 and one in which 1 is at stake, solved together."""
    calm, wild = np.array([[[3.0, 0], [4, 1]], [[3, 4], [0, 1]]]), np.array([[[1e8, 0], [0, 0]], [[1e8, 0], [0, 0]]])
    played = _pure("stages", np.stack([calm, wild], 1), 1.0)
    assert played[0].tolist() == [[0, 0], [0, 1]]
    assert _pure("crash", CRASH.payoff[:, None], 1.0)[0, 0, 0] == 0


@given(st.permutations([0.1, 0.2, 0.3, 0.4]), st.integers(-250, 20))
def test_dilemmas_by_powers_of_two(four, power):
    base, other = dilemma.classify(*four), dilemma.classify(*(v * 2.0**power for v in four))
    assert (base.name, base.knife_edges, base.turns_lose) == (other.name, other.knife_edges, other.turns_lose)


# --- sizes that arithmetic does not stand


@pytest.mark.parametrize(
    "text", ["1e308,-1e308\n0,1\n", "1e-320,0\n0,1e-320\n", "1e200,1\n0,2\n", "1e-200 1,0 0\n0 0,1 1\n"]
)
@pytest.mark.parametrize("words", [[], ["--json"], ["--method", "pure"]])
def test_payoffs_beyond_all_measure_are_one_sentence(nomoi, text, words):
    Path("g.csv").write_text(text)
    status, out, err = nomoi("solve", "./g.csv", *words)
    assert status == 2
    assert "take another unit" in err
    assert err.strip().count("\n") == 0
    assert out == ""


def test_numbers_too_large_or_too_small_for_python(nomoi):
    for text in ("1e-400,1\n0,2\n", "1/" + "9" * 299 + "9999999999999999999999999999,1\n0,2\n", "1e400,1\n0,2\n"):
        Path("g.csv").write_text(text)
        status, _, err = nomoi("solve", "./g.csv")
        assert status == 2
        assert "is no payoff" in err
    with pytest.raises(Refusal, match="too large"):
        bimatrix([[10**400, 1], [0, 2]], [[1, 2], [3, 4]])
    with pytest.raises(Refusal, match=r"at most 1e\+100"):
        dilemma.classify(1e308, -1e308, 0, 0)


def test_payoffs_at_the_ends_of_what_is_allowed_are_solved():
    for payoff in ([[1e100, 0], [0, 1e100]], [[1e100, 0], [0, 1e-100]], [[1e-100, 0], [0, 1e-100]]):
        found = analyse(bimatrix(payoff, payoff))
        assert len(found.equilibria.points) == 3
        found.data()


# --- what is asked of others


def test_gambit_is_given_exact_payoffs(monkeypatch):
    """pygambit has no wheel for every machine: what it is asked is looked at, and what it answers is read."""
    asked = []

    class Game:
        @staticmethod
        def from_arrays(*arrays):
            asked.extend(arrays)

    def solved(game, rational):
        assert rational
        half = Fraction(1, 2)
        return types.SimpleNamespace(equilibria=[{p: {"1": half, "2": half} for p in "12"}])

    fake = types.SimpleNamespace(Game=Game, nash=types.SimpleNamespace(enummixed_solve=solved))
    monkeypatch.setitem(sys.modules, "pygambit", fake)
    tiny = 2.0**-40
    game = bimatrix([[tiny, 1 / 3], [1 / 3, tiny]], [[1 / 3, tiny], [tiny, 1e-11 + 1 / 3]])
    nash.solve(game, "gambit")
    assert asked[0].tolist() == [[Fraction(1, 2**40), Fraction(1, 3)], [Fraction(1, 3), Fraction(1, 2**40)]]
    assert float(asked[1][1, 1]) == 1e-11 + 1 / 3


def test_a_tie_of_one_player_alone_makes_a_game_degenerate():
    rows, columns = np.array([[3.0, 2], [1, 0]]), np.array([[1.0, 0], [5, 5]])  # only the second is torn, at row 2
    assert nash._degenerate(NormalForm(np.array([rows, columns])), [])
    assert nash._degenerate(NormalForm(np.array([columns.T, rows.T])), [])
    assert not nash._degenerate(NormalForm(np.array([rows, [[1.0, 0], [5, 4]]])), [])


def test_ten_units_in_the_last_place_are_a_difference():
    more = 0.1 + 10 * math.ulp(0.1)
    assert exact.balance(more, -0.1) == 1
    assert exact.balance(0.1, -more) == -1
    assert exact.balance(0.1 + math.ulp(0.1), -0.1) == 0
