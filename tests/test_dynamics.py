"""Dynamics of games against plain loops, laws that they keep, and numbers worked out before."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi.errors import Refusal
from nomoi.solve import dynamics, learning
from nomoi.solve.attractors import basins, jacobian, rest_points
from nomoi.solve.dynamics import best_response, bnn, flow, logit, mutating, path, replicator, smith, tables
from nomoi.solve.game import NormalForm, bimatrix, symmetric

ALIKE, UNLIKE = symmetric(np.eye(3), "alike"), symmetric(np.diag([1.0, 2.0, 3.0]), "unlike")
STAG, CHICKEN = symmetric([[4, 0], [3, 1]]), symmetric([[3, 1], [4, 0]])
ROCK = symmetric([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], "rock, paper, scissors")
PENNIES = bimatrix([[1, -1], [-1, 1]], [[-1, 1], [1, -1]])
SHAPLEY = bimatrix(np.eye(3), np.roll(np.eye(3), 1, 1))
RULES = {"replicator": replicator, "best response": best_response, "bnn": bnn, "smith": smith,
         "logit": logit(0.2), "mutating": mutating(0.1)}  # fmt: skip


def games(players=2, most=4):
    """What random games are made of; a game itself cannot be drawn, as the type checks of tests are random too."""
    return st.tuples(st.lists(st.integers(2, most), min_size=players, max_size=players), st.integers(0, 2**32 - 1))


def made(drawn):
    """A random game, payoffs in [-3, 3]."""
    sizes, seed = drawn
    return NormalForm(np.random.default_rng(seed).uniform(-3, 3, (len(sizes), *sizes)))


def some(game, n=5, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.dirichlet(np.ones(k), n) for k in game.shape]


# --- the vector fields --------------------------------------------------------------------------------------------


def plain(name, x, u):
    """The rules as their authors write them, action by action."""
    actions = range(len(x))
    mean = sum(x[a] * u[a] for a in actions)
    gain = [max(u[a] - mean, 0.0) for a in actions]
    up = lambda z: max(z, 0.0)  # noqa: E731
    if name == "best response":
        best = [a for a in actions if u[a] == max(u)]
        return [(a in best) / len(best) - x[a] for a in actions]
    if name == "smith":
        return [sum(x[b] * up(u[a] - u[b]) for b in actions) - x[a] * sum(up(u[b] - u[a]) for b in actions)
                for a in actions]  # fmt: skip
    if name == "bnn":
        return [gain[a] - x[a] * sum(gain) for a in actions]
    if name == "logit":
        weight = [np.exp(u[a] / 0.2) for a in actions]
        return [weight[a] / sum(weight) - x[a] for a in actions]
    mutation = 0.1 if name == "mutating" else 0.0
    return [x[a] * (u[a] - mean) + mutation * (1 / len(x) - x[a]) for a in actions]


@pytest.mark.parametrize("name", RULES)
@given(drawn=st.one_of(games(2), games(3, 3)))
def test_fields_are_those_of_the_plain_rules(name, drawn):
    game = made(drawn)
    starts = some(game)
    field = flow(tables(game), RULES[name])(tuple(x.T for x in starts))
    for n, i in itertools.product(range(5), range(game.n)):
        u = [0.0] * game.shape[i]
        for actions in np.ndindex(*game.shape):
            chance = np.prod([starts[j][n, actions[j]] for j in range(game.n) if j != i])
            u[actions[i]] += chance * game.payoff[(i, *actions)]
        np.testing.assert_allclose(field[i][:, n], plain(name, starts[i][n], u), atol=1e-12)


def test_best_actions_that_tie_share_those_who_turn():
    x = np.array([[0.2], [0.3], [0.5]])
    np.testing.assert_allclose(best_response(x, np.array([[1.0], [1.0], [0.0]])), [[0.3], [0.2], [-0.5]])


def test_one_population_meets_itself():
    starts = some(UNLIKE)[0]
    alone = path(UNLIKE, [starts], 50, one=True)[0]
    both = path(UNLIKE, [starts, starts], 50)
    np.testing.assert_allclose(alone[-1], both[0][-1], atol=1e-12)
    cube = np.random.default_rng(0).normal(size=(3, 3, 3))
    three = sum(np.transpose(cube, p) for p in ((0, 1, 2), (0, 2, 1)))
    game = NormalForm(np.stack([three, np.swapaxes(three, 0, 1), np.moveaxis(three, 0, 2)]))
    alone = path(game, [starts], 20, one=True)[0]
    np.testing.assert_allclose(alone[-1], path(game, [starts] * 3, 20)[2][-1], atol=1e-12)


# --- integration ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RULES)
@given(drawn=games())
def test_states_stay_on_the_simplex(name, drawn):
    game = made(drawn)
    for x in path(game, some(game), 100, RULES[name], keep=10):
        assert abs(x.sum(-1) - 1).max() < 1e-12
        assert x.min() >= 0


@pytest.mark.parametrize("name", ["replicator", "smith", "logit", "bnn"])
def test_compiled_is_the_same_to_single_precision(name):
    game = NormalForm(np.random.default_rng(3).uniform(-1, 1, (3, 2, 3, 2)))
    exact, fast = (path(game, some(game), 60, RULES[name], keep=3, single=s) for s in (False, True))
    for a, b in zip(exact, fast, strict=True):
        assert a.shape == b.shape == (4, 5, a.shape[-1])
        np.testing.assert_allclose(a, b, atol=1e-5)
        assert abs(b.sum(-1) - 1).max() < 1e-6


def test_many_starts_go_in_blocks_and_come_back_in_order():
    """More starts than a block holds, and not a multiple of it."""
    starts = some(UNLIKE, 2 * dynamics.BLOCK + 7)
    exact, fast = (path(UNLIKE, starts, 8, keep=2, single=s) for s in (False, True))
    for a, b in zip(exact, fast, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_path_keeps_what_shorter_paths_end_with():
    whole = path(UNLIKE, some(UNLIKE), 40, keep=4)
    for k in range(1, 5):
        np.testing.assert_array_equal(whole[1][k], path(UNLIKE, some(UNLIKE), 10 * k)[1][-1])
    np.testing.assert_allclose(whole[0][0], some(UNLIKE)[0], atol=1e-15)


def test_steps_are_of_the_fourth_order():
    start = [[[0.2, 0.3, 0.5]]]
    fine = path(ROCK, start, 1280, dt=0.0025, one=True)[0][-1]
    errors = [abs(path(ROCK, start, n, dt=3.2 / n, one=True)[0][-1] - fine).max() for n in (20, 40)]
    assert 12 < errors[0] / errors[1] < 20  # 2^4, about


def test_replicator_of_two_actions_is_logistic():
    game = symmetric([[1, 1], [0, 0]])  # the first action brings one more, whatever the others do
    x, t = path(game, [[[0.1, 0.9]]], 300, dt=0.02, one=True)[0][-1, 0, 0], 6.0
    assert x == pytest.approx(0.1 * np.exp(t) / (0.9 + 0.1 * np.exp(t)), abs=1e-9)


def test_zero_sum_cycles_conserve_the_product():
    for start in ([0.5, 0.3, 0.2], [0.8, 0.15, 0.05]):
        x = path(ROCK, [[start]], 3_000, one=True, keep=10)[0]
        np.testing.assert_allclose(x.prod(-1), np.prod(start), rtol=1e-4)
        assert np.ptp(x[:, 0, 0]) > 0.1  # and it does move


def test_welfare_never_falls_in_common_interest():
    """The fundamental theorem of natural selection, for one population with symmetric payoffs ."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        a = rng.uniform(size=(4, 4))
        game = symmetric(a + a.T)
        x = path(game, [rng.dirichlet(np.ones(4), 20)], 300, one=True, keep=300)[0]
        welfare = np.einsum("tna,ab,tnb->tn", x, game.payoff[0], x)
        assert np.diff(welfare, axis=0).min() > -1e-12


@given(drawn=games())
def test_what_is_dominated_dies_out(drawn):
    game = made(drawn)
    worse = np.concatenate([game.payoff[0], game.payoff[0].min(0, keepdims=True) - 1])
    other = np.concatenate([game.payoff[1], game.payoff[1][:1]])
    extended = bimatrix(worse, other)
    assert path(extended, some(extended), 1000)[0][-1, :, -1].max() < 1e-3


# --- rest points and basins -----------------------------------------------------------------------------------------


def test_rest_points_of_conventions():
    for game in (ALIKE, UNLIKE):
        found = rest_points(game, one=True)
        assert len(found) == 7
        assert [p.kind for p in found] == ["sink"] * 3 + ["saddle"] * 3 + ["source"]
        assert all(p.nash for p in found)
    np.testing.assert_allclose(rest_points(UNLIKE, one=True)[-1].strategies[0], [6 / 11, 3 / 11, 2 / 11])
    two = rest_points(UNLIKE)
    assert sum(p.nash for p in two) == 7
    assert sum(p.kind == "sink" for p in two) == 3


def test_rest_points_of_well_known_games():
    middle = rest_points(ROCK, one=True)[-1]
    assert middle.kind == "centre"
    np.testing.assert_allclose(sorted(middle.eigenvalues.imag), [-(3**-0.5), 3**-0.5])
    assert [p.kind for p in rest_points(CHICKEN, one=True)] == ["source", "source", "sink"]
    assert [p.kind for p in rest_points(CHICKEN)] == ["source", "sink", "sink", "source", "saddle"]
    assert rest_points(PENNIES)[-1].kind == "centre"
    assert rest_points(symmetric([[0, 0], [0, 0]]), one=True)[0].kind == "degenerate"
    np.testing.assert_allclose(rest_points(STAG, one=True)[-1].strategies[0], [0.5, 0.5])
    named = bimatrix([[3, 0], [0, 2]], [[2, 0], [0, 3]])
    np.testing.assert_allclose(np.concatenate(rest_points(named)[-1].strategies), [0.6, 0.4, 0.4, 0.6])


@given(drawn=games(2, 3))
def test_the_field_is_zero_at_rest_points(drawn):
    game = made(drawn)
    for point in rest_points(game):
        for change in flow(tables(game), replicator)(tuple(x[:, None] for x in point.strategies)):
            assert abs(change).max() < 1e-9


@pytest.mark.parametrize("rule", [replicator, logit(0.5), mutating(0.2)])
def test_jacobian_is_that_of_finite_differences(rule):
    game, h = NormalForm(np.random.default_rng(1).uniform(-1, 1, (2, 3, 2))), 1e-6
    field, point = flow(tables(game), rule), [np.array([0.2, 0.3, 0.5]), np.array([0.6, 0.4])]
    found = np.sort_complex(np.linalg.eigvals(jacobian(field, point)))
    free = lambda z: [z[0], z[1], z[2]]  # noqa: E731  shares of all actions but the last
    full = lambda z: (np.array([[z[0]], [z[1]], [1 - z[0] - z[1]]]), np.array([[z[2]], [1 - z[2]]]))  # noqa: E731
    at, out = np.array([0.2, 0.3, 0.6]), np.zeros((3, 3))
    for k in range(3):
        up, down = (field(full(at + s * h * np.eye(3)[k])) for s in (1, -1))
        ends = [np.array(free([f[0][0, 0], f[0][1, 0], f[1][0, 0]])) for f in (up, down)]
        out[:, k] = (ends[0] - ends[1]) / (2 * h)
    np.testing.assert_allclose(found, np.sort_complex(np.linalg.eigvals(out)), atol=1e-7)


def test_basins_are_those_worked_out_before():
    for one, expected in ((True, [0.132, 0.338, 0.530]), (False, [0.076, 0.321, 0.603])):
        found = basins(UNLIKE, 2_000, 2_000, np.random.default_rng(0), one=one)
        assert len(found.points) == 3
        np.testing.assert_allclose(found.shares, expected, atol=0.025)  # two standard errors
        np.testing.assert_allclose(found.errors, np.sqrt(found.shares * (1 - found.shares) / 2_000))
        assert found.unsettled == 0
    same = basins(ALIKE, 2_000, 2_000, np.random.default_rng(1), one=True)
    np.testing.assert_allclose(same.shares, 1 / 3, atol=0.025)
    half = basins(STAG, 2_000, 2_000, np.random.default_rng(1), one=True)
    np.testing.assert_allclose(half.shares, 0.5, atol=0.03)


def test_what_goes_round_is_not_counted_as_settled():
    found = basins(ROCK, 50, 2_000, np.random.default_rng(0), one=True)
    assert found.unsettled > 0.9
    assert found.shares.sum() + found.unsettled == pytest.approx(1)


def test_three_players_settle_on_pure_profiles():
    both = np.zeros((3, 2, 2, 2))
    both[:, 0, 0, 0], both[:, 1, 1, 1] = 1, 1
    found = basins(NormalForm(both), 500, 3_000, np.random.default_rng(0))
    assert {tuple(np.concatenate(p)) for p in found.points} <= {(1, 0) * 3, (0, 1) * 3}
    np.testing.assert_allclose(found.shares, 0.5, atol=0.1)


# --- learning -------------------------------------------------------------------------------------------------------


def test_fictitious_play_against_a_plain_loop():
    game = NormalForm(np.random.default_rng(5).uniform(size=(2, 3, 4)))
    scores, plays = [[0.3, 0.1, 0.0], [0.0, 0.2, 0.1, 0.0]], [np.zeros(3), np.zeros(4)]
    a, b = game.payoff
    for _ in range(200):
        r, c = int(np.argmax(scores[0])), int(np.argmax(scores[1]))
        plays[0][r] += 1
        plays[1][c] += 1
        scores = [scores[0] + a[:, c], scores[1] + b[r]]
    found = learning.learn(game, learning.fictitious, 200, [[[0.3, 0.1, 0]], [[0, 0.2, 0.1, 0]]])
    for i in range(2):
        np.testing.assert_allclose(found.play[i][-1, 0], plays[i] / 200)


def test_fictitious_play_settles_in_zero_sum_games_and_not_in_shapleys():
    start = [[[1.0, 0, 0]], [[0, 1.0, 0]]]
    calm = learning.learn(ROCK, learning.fictitious, 20_000, start, keep=4, single=True).play[0][:, 0]
    assert abs(calm[-1] - 1 / 3).max() < 0.02
    wild = learning.learn(SHAPLEY, learning.fictitious, 20_000, start, keep=10, single=True).play[0][:, 0]
    assert abs(wild - 1 / 3).max(-1).min() > 0.1  # every moment far from the only equilibrium
    assert np.ptp(wild, axis=0).max() > 0.15  # and on the move


@pytest.mark.parametrize("way", [learning.weights(0.02), learning.regret])
@given(drawn=st.one_of(games(2, 3), games(3, 2)))
def test_without_regret_play_comes_to_coarse_correlated_equilibria(way, drawn):
    game = made(drawn)
    starts = [np.random.default_rng(0).normal(0, 0.1, (3, k)) for k in game.shape]
    found = learning.learn(game, way, 1_000, starts, keep=2)
    assert found.gain(game)[-1].max() < 0.1 * game.range
    np.testing.assert_allclose(found.outcomes.reshape(2, 3, -1).sum(-1), 1)
    for i, play in enumerate(found.play):
        axes = tuple(2 + j for j in range(game.n) if j != i)
        np.testing.assert_allclose(found.outcomes.sum(axes), play, atol=1e-12)


def test_gain_is_that_of_the_definition():
    joint = np.array([[0.5, 0.1], [0.2, 0.2]])
    found = learning.Learned((np.zeros((1, 1, 2)),) * 2, joint[None, None])
    column = joint.sum(0) @ STAG.payoff[0].T - (joint * STAG.payoff[0]).sum()
    row = joint.sum(1) @ STAG.payoff[1] - (joint * STAG.payoff[1]).sum()
    assert found.gain(STAG)[0, 0] == pytest.approx(max(*column, *row))


def test_learning_compiled_is_the_same():
    game = NormalForm(np.random.default_rng(5).uniform(size=(2, 3, 2)))
    starts = [np.random.default_rng(0).normal(0, 0.1, (3, k)) for k in game.shape]
    for way in (learning.weights(0.1), learning.smoothed(0.3), learning.regret):
        exact, fast = (learning.learn(game, way, 100, starts, keep=2, single=s) for s in (False, True))
        np.testing.assert_allclose(exact.outcomes, fast.outcomes, atol=2e-3)


def test_smoothed_play_comes_to_the_logit_equilibrium():
    found = learning.learn(PENNIES, learning.smoothed(0.5), 4_000, [[[1.0, 0]], [[0, 1.0]]])
    np.testing.assert_allclose(found.play[0][-1, 0], 0.5, atol=0.01)


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: path(PENNIES, [[[0.5, 0.5]]], 10, one=True), "not symmetric"),
        (lambda: path(STAG, [[[0.5, 0.5]]], 10), "2"),
        (lambda: path(STAG, [[[0.5, 0.6]]], 10, one=True), "distribution"),
        (lambda: path(STAG, [[[1.5, -0.5]]], 10, one=True), "distribution"),
        (lambda: path(STAG, [[[np.nan, 1]]], 10, one=True), "distribution"),
        (lambda: path(STAG, [[[0.2, 0.3, 0.5]]], 10, one=True), "shape"),
        (lambda: path(STAG, [[[0.5, 0.5]]], 10, one=True, dt=1.0), "too long"),
        (lambda: path(STAG, [[[0.5, 0.5]]], 10, one=True, dt=np.nan), "too long"),
        (lambda: path(STAG, [[[0.5, 0.5]]], 10, one=True, keep=3), "divide"),
        (lambda: path(STAG, [[[0.5, 0.5]]], 0, one=True), "1 or more"),
        (lambda: logit(0.0), "above 0"),
        (lambda: mutating(-1.0), "0 or more"),
        (lambda: rest_points(symmetric(np.eye(9))), "up to 8"),
        (lambda: basins(STAG, 0, 10, np.random.default_rng(0)), "starts"),
        (lambda: learning.learn(STAG, learning.regret, 10, [[[0, 0]]]), "table"),
        (lambda: learning.learn(STAG, learning.regret, 10, [[[0, np.inf]], [[0, 0]]]), "finite"),
        (lambda: learning.learn(STAG, learning.regret, 10, [[[0, 0]], [[0, 0]]], keep=3), "divide"),
        (lambda: learning.weights(0.0), "above 0"),
        (lambda: learning.smoothed(-1.0), "above 0"),
    ],
)
def test_refusals(call, word):
    with pytest.raises(Refusal, match=word):
        call()


def test_the_same_seed_gives_the_same_basins():
    a, b = (basins(UNLIKE, 500, 1_000, np.random.default_rng(4), dynamics.replicator, one=True) for _ in range(2))
    np.testing.assert_array_equal(a.shares, b.shares)
