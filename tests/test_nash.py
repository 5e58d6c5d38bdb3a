"""Nash and correlated equilibria: the spec's numbers, slow twins, certificates, degenerate games, other solvers."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi.errors import Refusal
from nomoi.solve import correlated, crowds, games, methods, nash, vertices
from nomoi.solve.game import NormalForm, bimatrix, symmetric
from nomoi.solve.pure import profile, pure, strict

COUNTS = {
    "pd": 1, "pd_intro": 1, "chicken": 3, "stag_hunt": 3, "bos": 3, "coord3": 7, "coord123": 7,
    "matching_pennies": 1, "rock_paper_scissors": 1, "aumann_chicken": 3, "shapley": 1,
}  # fmt: skip
small = st.integers(0, 2**31).map(np.random.default_rng)


def _game(rng, high=3, sizes=(2, 3, 4)):
    shape = tuple(rng.choice(sizes, 2))
    return bimatrix(rng.integers(0, high, shape), rng.integers(0, high, shape), "random")


def _same(some, others):
    def seen(points):
        return sorted(tuple(np.round(np.concatenate(p), 6) + 0.0) for p in points)

    return len(some) == len(others) and np.allclose(seen(some), seen(others), atol=2e-6)


@pytest.mark.parametrize("name", COUNTS)
def test_how_many_equilibria_the_known_games_have(name):
    found = nash.solve(games.named(name))
    assert len(found.points) == COUNTS[name]
    assert found.complete
    assert found.degenerate is False
    assert not found.warnings
    assert (found.certificates <= 1e-8).all()
    assert found.components == tuple((k,) for k in range(COUNTS[name]))


def test_the_mixed_equilibria_of_the_tutorials_games():
    """Spec games_markets 0 and F2."""
    mixed = {name: nash.solve(games.named(name)) for name in ("chicken", "stag_hunt", "bos", "coord123")}
    for name in ("chicken", "stag_hunt"):
        assert np.allclose(np.concatenate(mixed[name].points[-1]), 0.5)
        assert np.allclose(mixed[name].payoffs[-1], 2)
    assert np.allclose(np.concatenate(mixed["bos"].points[-1]), [0.6, 0.4, 0.4, 0.6])
    assert np.allclose(mixed["bos"].payoffs[-1], 1.2)
    assert np.allclose(mixed["coord123"].points[-1][0], np.array([6, 3, 2]) / 11)
    assert np.allclose(mixed["coord123"].payoffs[-1], 6 / 11)


def test_pure_ones_come_first_and_answers_are_the_same_each_time():
    first, again = (nash.solve(games.named("coord3")) for _ in range(2))
    assert [int((p[0] > 0).sum()) for p in first.points] == [1, 1, 1, 2, 2, 2, 3]
    assert all(
        np.array_equal(x, y) for p, q in zip(first.points, again.points, strict=True) for x, y in zip(p, q, strict=True)
    )


@given(small, st.integers(2, 3))
def test_pure_equilibria_are_those_that_nobody_leaves(rng, n):
    game = NormalForm(rng.integers(0, 4, (n, *rng.integers(1, 4, n))))
    twin = []
    for a in np.ndindex(game.shape):
        stays = True
        for i in range(n):
            for other in range(game.shape[i]):
                b = (*a[:i], other, *a[i + 1 :])
                stays &= bool(game.payoff[(i, *b)] <= game.payoff[(i, *a)])
        twin += [a] if stays else []
    assert pure(game) == twin
    assert all(nash.certificate(game, profile(game, a)) == 0 for a in twin)


def test_strict_equilibria():
    game = bimatrix([[1, 0], [1, 2]], [[1, 0], [0, 2]])
    assert pure(game) == [(0, 0), (1, 1)]
    assert [strict(game, a) for a in pure(game)] == [False, True]


def _twin(game):
    """All equilibria of a game of two that is not degenerate: by trying every pair of supports of one size."""
    rows, columns = game.payoff
    found = []
    for k in range(1, min(game.shape) + 1):
        for mine, theirs in itertools.product(*(itertools.combinations(range(s), k) for s in game.shape)):
            point = []
            for payoff, own, other in ((columns.T, mine, theirs), (rows, theirs, mine)):
                # own shares that make the other indifferent over its support
                a = np.vstack([payoff[np.ix_(other, own)] - payoff[other[0], own], np.ones(k)])[1:]
                x = np.zeros(payoff.shape[1])
                try:
                    x[list(own)] = np.linalg.solve(a, np.append(np.zeros(k - 1), 1))
                except np.linalg.LinAlgError:
                    break
                point.append(x)
            if len(point) == 2 and min(map(np.min, point)) >= 0 and game.regret(tuple(point)) < 1e-9:
                found.append(tuple(point))
    return found


@given(small)
def test_vertices_give_what_trying_all_supports_gives(rng):
    game = _game(rng, 1000)
    found = nash.solve(game)
    if not found.degenerate:
        assert len(found.points) % 2 == 1
        assert _same(found.points, _twin(game))


@given(small)
def test_every_answer_has_its_certificate_and_degenerate_games_are_said_to_be_so(rng):
    game = _game(rng, 3)  # full of ties
    found = nash.solve(game, "extreme")
    assert (found.certificates <= 1e-8).all()
    for k, point in enumerate(found.points):
        assert np.allclose([x.sum() for x in point], 1)
        assert game.regret(point) <= 1e-8 * game.range
        assert np.allclose(found.payoffs[k], game.expected(point))
        replies = [(v > v.max() - 1e-9).sum() for v in game.values(point)]
        if any(r > (x > 0).sum() for r, x in zip(replies, point[::-1], strict=True)):
            assert found.degenerate
    assert bool(found.warnings) == found.degenerate
    assert set(pure(game)) <= {tuple(x.argmax() for x in p) for p in found.points if max(map(np.max, p)) == 1}


@given(small)
def test_between_points_that_share_a_strategy_all_are_equilibria(rng):
    game = _game(rng, 3)
    found = nash.solve(game, "extreme")
    for one, other in itertools.combinations(found.points, 2):
        for i in range(2):
            if np.allclose(one[i], other[i]):
                half = [one[i], (one[1 - i] + other[1 - i]) / 2]
                assert game.regret(tuple(half if i == 0 else half[::-1])) < 1e-9


def test_a_degenerate_game_that_simple_enumeration_gets_wrong():
    """Von Stengel 2007: the second row player's action ties, so equilibria come in a segment."""
    game = bimatrix([[3, 3], [2, 5], [0, 6]], [[3, 3], [2, 6], [3, 1]])
    found = nash.solve(game)
    assert found.degenerate
    assert found.complete
    assert "degenerate" in found.warnings[0]
    assert any(len(group) > 1 for group in found.components)
    segment = next(group for group in found.components if len(group) > 1)
    assert all(found.points[k][0][0] == 1 for k in segment)
    assert {round(found.points[k][1][0], 9) for k in segment} == {1, round(2 / 3, 9)}


def test_all_payoffs_alike():
    found = nash.solve(bimatrix(np.zeros((2, 3)), np.ones((2, 3))))
    assert len(found.points) == 6
    assert found.components == (tuple(range(6)),)
    assert found.degenerate


def test_of_a_large_game_so_many_pure_equilibria_are_kept_and_that_is_said(monkeypatch):
    """Of (i * j) % 17: a profile once held an identity matrix, which was 24 GB of 400 actions."""
    i, j = np.ogrid[:40, :40]
    game = symmetric((i * j) % 17.0)
    assert all(x.base is None and x.size == 40 for x in profile(game, (3, 5)))
    monkeypatch.setattr(methods, "KEPT", 7)
    many = len(pure(game))
    assert many > 7
    found = nash.solve(game, "pure")
    assert len(found.points) == 7
    assert not found.complete
    assert f"Only 7 of {many} pure equilibria are kept, the first by number." in found.warnings
    flat = nash.solve(bimatrix(np.zeros((1, 20)), np.zeros((1, 20))))  # one has no choice
    assert (len(flat.points), flat.complete) == (7, False)
    three = nash.solve(NormalForm(np.zeros((3, 2, 2, 2))))
    assert "Only 7 of 8 pure equilibria are kept, the first by number." in three.warnings


@given(small)
def test_components_are_what_chains_of_shared_strategies_join(rng):
    picks = np.unique(rng.integers(0, 8, (rng.integers(1, 10), 2)), axis=0)
    one = np.eye(8)
    verdicts = [nash.Verdict((one[a], one[b]), np.zeros(2), 0.0, True) for a, b in picks]
    joined = (picks[:, None] == picks).any(2)
    for _ in picks:  # twice as long chains each time
        joined = joined @ joined
    assert nash._components(verdicts, (0, 1)) == tuple(
        dict.fromkeys(tuple(np.flatnonzero(row).tolist()) for row in joined)
    )


def test_a_player_without_choice():
    found = nash.solve(bimatrix([[1, 2, 3]], [[5, 7, 7]]))
    assert [p[1].argmax() for p in found.points] == [1, 2]
    assert found.degenerate
    assert nash.solve(bimatrix([[1, 2, 3]], [[5, 7, 6]])).degenerate is False


def test_scale_and_shift_move_no_equilibrium():
    rng = np.random.default_rng(3)
    a, b = rng.random((2, 4, 4))
    base = nash.solve(bimatrix(a, b))
    for scale, shift in ((1e-6, 0), (1e6, -3), (1, 1e6)):
        assert _same(nash.solve(bimatrix(a * scale + shift, b)).points, base.points)


def test_what_fails_its_certificate_is_dropped_and_said(monkeypatch):
    wrong = (np.array([0.3, 0.7]), np.array([0.5, 0.5]))
    broken = (np.array([np.nan, 1.0]), np.array([1.0, 0.0]))
    outside = (np.array([1.5, -0.5]), np.array([1.0, 0.0]))
    game = games.named("stag_hunt")
    right = profile(game, (0, 0))
    monkeypatch.setitem(nash.METHODS, "extreme", lambda g: ([wrong, broken, outside, right, right], True, False, []))
    found = nash.solve(game)
    assert len(found.points) == 1
    assert not found.complete
    assert "3 answer(s)" in found.warnings[-1]


def _random_games():
    """200 games of whole payoffs; some have ties."""
    rng = np.random.default_rng(13)
    for _ in range(200):
        shape = rng.integers(2, 6, 2)
        yield bimatrix(rng.integers(0, 1000, shape), rng.integers(0, 1000, shape))


def _agree(method):
    """Spec F13: on games that are not degenerate; the certificate holds for all answers."""
    for game in _random_games():
        own, other = nash.solve(game, "extreme"), nash.solve(game, method)
        assert (np.concatenate([own.certificates, other.certificates]) <= 1e-8).all()
        if own.degenerate:
            assert len(other.points) <= len(own.points)
        else:
            assert len(own.points) % 2 == 1
            assert _same(own.points, other.points)


def test_quantecons_vertex_enumeration_agrees_on_200_random_games():
    _agree("vertex")


@pytest.mark.slow
def test_quantecons_support_enumeration_agrees_on_200_random_games():
    """Nine seconds, of which numba's compilation is eight."""
    _agree("support")


@pytest.mark.slow
def test_pygambit_agrees_on_200_random_games():
    pytest.importorskip("pygambit")
    _agree("gambit")


@given(small)
def test_floating_point_gives_what_whole_numbers_give_or_nothing(rng):
    shape = tuple(rng.integers(2, 6, 2))
    scale = 10.0 ** rng.integers(-3, 6)
    for row, column in (rng.integers(0, 4, (2, *shape)), rng.normal(size=(2, *shape)) * scale):
        quick = vertices._simple(row.astype(float), column.astype(float))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(vertices, "_simple", lambda *game: None)
            exact = vertices.extremes(row.astype(float), column.astype(float))
        assert quick is None or not exact.degenerate
        if quick is not None:
            assert len(quick.points) == len(exact.points)
            for point in exact.points:
                assert any(all(np.allclose(x, y, 0, 1e-9) for x, y in zip(point, q, strict=True)) for q in quick.points)


def test_what_rounding_cannot_tell_is_left_to_whole_numbers():
    row, column = np.random.default_rng(4).random((2, 4, 4))
    assert vertices._simple(row, column) is not None
    row[1] = row[0] + 1e-15  # all but twins: more inequalities seem to meet than do
    assert vertices._simple(row, column) is None


def test_what_lies_close_together_is_found_as_exactly(monkeypatch):
    """Payoffs that differ in their eleventh digit: errors in floating point are as large as the bound on them says."""
    monkeypatch.setattr(vertices, "tidy", lambda payoff: payoff)
    for seed in range(8):
        rng = np.random.default_rng(seed)
        row, column = rng.integers(0, 3, (2, 3, 3)) + 1e-11 * rng.normal(size=(2, 3, 3))
        if quick := vertices._simple(row, column):
            with monkeypatch.context() as patch:
                patch.setattr(vertices, "_simple", lambda *game: None)
                exact = vertices.extremes(row, column)
            assert len(quick.points) == len(exact.points)
            for point in exact.points:
                assert any(all(np.allclose(x, y, 0, 1e-8) for x, y in zip(point, q, strict=True)) for q in quick.points)


@pytest.mark.parametrize("more", [0.0, 1e3, 1e6, 1e8])
def test_what_all_payoffs_have_in_common_changes_no_equilibrium(more):
    """A tenth that is added to a thousand is rounded, and still a tenth: the third row ties where the others do."""
    row = np.array([[0.1, 0.3], [0.3, 0.1], [0.2, 0.2]]) + more
    found = nash.solve(bimatrix(row, np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 1.0]])))
    assert found.degenerate
    assert len(found.points) == 2


def test_larger_games_go_to_quantecon():
    rng = np.random.default_rng(5)
    game = bimatrix(rng.random((8, 8)), rng.random((8, 8)))
    found = nash.solve(game)
    assert found.method == "vertex"
    assert found.complete
    assert len(found.points) % 2 == 1
    assert (found.certificates <= 1e-8).all()
    large = nash.solve(bimatrix(rng.random((13, 13)), rng.random((13, 13))))
    assert large.method == "lemke-howson"
    assert not large.complete
    assert len(large.points) >= 1
    assert "others" in large.warnings[0]


def test_ties_in_larger_games_are_noticed():
    rng = np.random.default_rng(5)
    row, column = rng.random((2, 8, 8))
    row[:2, 3] = 2.0
    found, fast = (nash.solve(bimatrix(row, column), method) for method in ("auto", "vertex"))
    assert found.degenerate
    assert found.complete
    assert "degenerate" in found.warnings[0]
    assert fast.degenerate
    assert not fast.complete


@pytest.mark.parametrize("method", ["vertex", "lemke-howson", "extreme", "auto"])
def test_no_method_lists_what_somebody_leaves(method):
    """Chicken with a third action that is terrible for both: floating point takes what differs by 1 for equal."""
    payoff = np.array([[3, 1, -1e13], [4, 0, -1e13], [-1e13, -1e13, -2e13]])
    game = bimatrix(payoff, payoff.T)
    found = nash.solve(game, method)
    pures = {tuple(int(x.argmax()) for x in p) for p in found.points if max(map(np.max, p)) == 1}
    assert pures <= {(0, 1), (1, 0)}  # (0, 0) is left for 4
    if method in ("auto", "extreme"):
        assert len(found.points) == 3
        # the third is mixed: 3 x + 1 - x = 4 x, so x is a half
        assert [x.tolist() for x in found.points[-1]] == [[0.5, 0.5, 0]] * 2
    else:
        assert len(found.points) >= 1


def test_three_players_beside_a_crash():
    payoff = np.zeros((3, 2, 2, 2))
    payoff[:, 0, 0, 0], payoff[0, 1, 0, 0], payoff[:, 1, 1, 1] = 1, 2, -1e10
    game = NormalForm(payoff)
    assert (0, 0, 0) not in pure(game)
    assert nash.certificate(game, profile(game, (0, 0, 0))) == 1
    for point in nash.solve(game).points:
        assert nash.certificate(game, point) <= 1e-8


def test_what_floating_point_loses_is_enumerated_exactly():
    zero = np.zeros((8, 8))
    found = nash.solve(bimatrix(zero, zero))
    assert (found.method, len(found.points), found.complete) == ("extreme", 64, True)
    assert not any("Not even" in w for w in found.warnings)
    rng = np.random.default_rng(11)
    for _ in range(2):
        game = bimatrix(*rng.integers(0, 3, (2, 8, 8)))
        auto, lost = nash.solve(game), nash.solve(game, "vertex")
        assert auto.complete
        assert len(auto.points) > len(lost.points)
        assert not lost.complete
        assert "Not even" in lost.warnings[-1]
    assert all(nash.certificate(game, p) <= 1e-12 for p in auto.points)


def test_too_many_vertices_are_given_up(monkeypatch):
    rng = np.random.default_rng(1)
    game = bimatrix(*rng.integers(0, 9, (2, 8, 8)))
    monkeypatch.setattr(vertices, "MOST", 10)
    found = nash.solve(game)
    assert found.method == "vertex"
    assert not found.complete
    with pytest.raises(Refusal, match="too large for the method extreme"):
        nash.solve(game, "extreme")


def test_three_players_are_told_what_was_looked_for(monkeypatch):
    crowd = crowds.volunteer(11, 3, 1).normal_form()  # too many payoffs to seek others
    found = nash.solve(crowd)
    assert any(0 < p[0][0] < 1 for p in found.points)
    assert found.warnings == (
        "Mixed equilibria in which players play unlike were not looked for: the game is too large.",
    )
    monkeypatch.setitem(sys.modules, "quantecon.game_theory", None)
    rng = np.random.default_rng(1)  # nobody has a dominated action
    assert nash.solve(NormalForm(rng.random((3, 2, 2, 2)))).warnings[0].startswith("Mixed equilibria were not looked")


def test_three_players():
    payoff = np.zeros((3, 2, 2, 2))
    payoff[:, 0, 0, 0], payoff[:, 1, 1, 1] = 1, 2
    found = nash.solve(NormalForm(payoff))
    assert found.method == "several"
    assert not found.complete
    assert {tuple(x.argmax() for x in p) for p in found.points[:2]} == {(0, 0, 0), (1, 1, 1)}
    assert "not all listed" in found.warnings[0]


def test_crowds_of_three_have_their_symmetric_mixed_equilibria():
    found = nash.solve(crowds.stag_hunt(3, 2, 2).normal_form())
    alike = [p[0][0] for p in found.points if np.ptp([x[0] for x in p]) == 0 and 0 < p[0][0] < 1]
    # Rc - Rd is -1, 4/3 - 1, 2 - 4/3 - 1: -(1-x)^2 + 2x(1-x)/3 - x^2/3 = 0, which has no root; r = 3 has two
    assert alike == []
    found = nash.solve(crowds.stag_hunt(3, 2, 3).normal_form())
    alike = [p[0][0] for p in found.points if np.ptp([x[0] for x in p]) == 0 and 0 < p[0][0] < 1]
    assert alike == pytest.approx([1 / 3])  # -(1-x)^2 + 2x(1-x) + 0 x^2, whose other root is 1
    assert (found.certificates <= 1e-8).all()


def test_a_mixed_equilibrium_of_three_is_polished_to_the_certificate():
    """The example of quantecon: the risky action pays 2 to a single one; share of the safe action is 1 / sqrt 2."""
    risky = np.zeros((2, 2, 2))
    risky[0], risky[1, 0, 0] = 1, 2
    payoff = np.stack([np.moveaxis(risky, 0, i) for i in range(3)])
    found = nash.solve(NormalForm(payoff), "mclennan-tourky")
    assert len(found.points) == 1
    assert found.certificates[0] <= 1e-12
    assert np.allclose([x[0] for x in found.points[0]], 2**-0.5, atol=1e-9)


def test_three_with_unlike_many_actions_and_no_pure_equilibrium():
    rng, tried = np.random.default_rng(2), 0
    while tried < 4:
        game = NormalForm(rng.random((3, 2, 3, 2)))
        if not pure(game):
            tried += 1
            found = nash.solve(game)
            assert len(found.points) == 1, found.warnings
            assert not any("failed" in w for w in found.warnings)


def test_methods_that_do_not_fit_are_refused():
    with pytest.raises(Refusal, match="did you mean 'vertex'"):
        nash.solve(games.named("pd"), "vertx")
    with pytest.raises(Refusal, match="for two players"):
        nash.solve(NormalForm(np.zeros((3, 2, 2, 2))), "vertex")
    big = bimatrix(np.zeros((12, 12)), np.zeros((12, 12)))
    with pytest.raises(Refusal, match="too large"):
        nash.solve(big, "extreme")


def test_without_quantecon_small_games_are_solved_and_others_are_refused_in_a_sentence(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "quantecon.game_theory", None)
    assert len(nash.solve(games.named("bos")).points) == 3
    with pytest.raises(Refusal, match=r"nomoi\[games\]"):
        nash.solve(games.named("bos"), "vertex")
    found = nash.solve(NormalForm(np.zeros((3, 2, 2, 2))))
    assert any("nomoi[games]" in w for w in found.warnings)


def test_without_pygambit_its_method_is_refused_in_a_sentence(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pygambit", None)
    with pytest.raises(Refusal, match="pygambit is not installed"):
        nash.solve(games.named("bos"), "gambit")


def test_bases():
    assert vertices.bases(6, 6) <= vertices.BASES < vertices.bases(7, 7)


ORACLE = [  # spec games_markets A.4
    ("chicken", "max", 16 / 3, [[1 / 3, 1 / 3], [1 / 3, 0]]),
    ("chicken", "min", 10 / 3, [[0, 1 / 3], [1 / 3, 1 / 3]]),
    ("aumann_chicken", "max", 10.5, [[1 / 2, 1 / 4], [1 / 4, 0]]),
    ("bos", "egalitarian", 5, [[1 / 2, 0], [0, 1 / 2]]),
]


@pytest.mark.parametrize(("name", "aim", "welfare", "shares"), ORACLE)
def test_correlated_equilibria_of_the_spec(name, aim, welfare, shares):
    found = correlated.solve(games.named(name), aim)
    assert found.welfare == pytest.approx(welfare, abs=1e-9)
    assert np.allclose(found.distribution, shares, atol=1e-9)
    assert found.certificate <= 1e-8


def test_coarse_correlated_equilibria_of_the_spec():
    assert correlated.solve(games.named("chicken"), "max", coarse=True).welfare == pytest.approx(16 / 3, abs=1e-9)
    assert correlated.solve(games.named("bos"), "max").welfare == pytest.approx(5, abs=1e-9)
    fair = correlated.solve(games.named("bos"), "egalitarian")
    assert np.allclose(fair.payoffs, 2.5)  # a correlating device gives each 2.5


def test_coarse_is_weaker():
    """Rock, paper, scissors with -3 where both choose alike: a coarse device may avoid that, a correlated one less."""
    table = np.array([[-3.0, -1, 1], [1, -3, -1], [-1, 1, -3]])
    game = symmetric(table)
    fine, rough = (correlated.solve(game, "max", coarse=c) for c in (False, True))
    assert rough.welfare >= fine.welfare
    assert correlated.regret(game, rough.distribution, coarse=True) <= 1e-9
    device = (1 - np.eye(3)) / 6
    assert correlated.regret(game, device, coarse=True) == 0


def _regret_twin(game, x, coarse):
    worst = 0.0
    for i in range(game.n):
        k = game.shape[i]
        plans = itertools.product(range(k), repeat=k) if not coarse else ((a,) * k for a in range(k))
        for plan in plans:
            gain = 0.0
            for a in np.ndindex(game.shape):
                b = (*a[:i], plan[a[i]], *a[i + 1 :])
                gain += x[a] * (game.payoff[(i, *b)] - game.payoff[(i, *a)])
            worst = max(worst, gain)
    return worst


@given(small, st.integers(2, 3), st.booleans())
def test_regret_and_departures_are_what_every_plan_would_gain(rng, n, coarse):
    game = NormalForm(rng.integers(-3, 4, (n, *rng.integers(1, 4, n))))
    x = rng.random(game.shape) + 0.0
    x /= x.sum()
    twin = _regret_twin(game, x, coarse)
    assert correlated.regret(game, x, coarse) == pytest.approx(twin)
    gains = correlated.departures(game, coarse) @ x.ravel()
    assert (gains.max(initial=0) <= 1e-12) == (twin <= 1e-12)
    found = correlated.solve(game, "max", coarse)
    assert _regret_twin(game, found.distribution, coarse) <= 1e-8 * game.range
    assert found.welfare == pytest.approx(game.joint(found.distribution).sum())


@given(small)
def test_nash_equilibria_lie_in_the_range_of_correlated_ones(rng):
    game = _game(rng, 50)
    low, high, fair = (correlated.solve(game, aim) for aim in ("min", "max", "egalitarian"))
    for payoffs in nash.solve(game).payoffs:
        assert low.welfare - 1e-6 <= payoffs.sum() <= high.welfare + 1e-6
        assert fair.payoffs.min() >= payoffs.min() - 1e-6


def test_correlated_refusals():
    with pytest.raises(Refusal, match="no objective"):
        correlated.solve(games.named("pd"), "most")
    with pytest.raises(Refusal, match="too large"):
        correlated.solve(bimatrix(np.zeros((120, 120)), np.zeros((120, 120))))
