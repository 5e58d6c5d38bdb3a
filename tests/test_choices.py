"""Worlds that are planned or explored, practices that tip, and the pure functions of three studies."""

import itertools

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi.errors import Refusal
from nomoi.populations.tipping import Reservations, technology
from nomoi.runs.study import run
from nomoi.solve.attractors import rest_points
from nomoi.solve.foresight import (
    SILENT,
    Explorer,
    Follower,
    Worlds,
    garnets,
    listed,
    live,
    model,
    plan,
    planned,
    visits,
)
from nomoi.solve.game import bimatrix
from nomoi.studies import conventions, savage, turn_taking

seeds = st.integers(0, 2**32 - 1)

# --- worlds ---------------------------------------------------------------------------------------------------------


@given(seeds)
def test_the_plan_is_the_best_of_all_policies(seed):
    place = garnets(np.random.default_rng(seed), 2, 3, 3, 2)
    found = plan(place, 0.8)
    for w in range(2):

        def value(policy, w=w):
            step = np.stack([place.transitions[w, s, a] for s, a in enumerate(policy)])
            reward = np.array([place.rewards[w, s, a] for s, a in enumerate(policy)])
            return np.linalg.solve(np.eye(3) - 0.8 * step, reward)

        best = np.max([value(p) for p in itertools.product(range(3), repeat=3)], 0)
        np.testing.assert_allclose(value(found[w]), best, atol=1e-9)


def test_visits_are_shares_of_time():
    rng = np.random.default_rng(0)
    place = garnets(rng, 3, 5, 2, 2)
    policy = plan(place, 0.9)
    mass = visits(place, policy)
    np.testing.assert_allclose(mass.sum(1), 1)
    _, seen = live(place, Follower(policy, 2, rng), rng, 20_000)
    for w in range(3):
        np.testing.assert_allclose(np.bincount(seen[:, w], minlength=5) / len(seen), mass[w], atol=0.02)


def test_common_states_are_listed_first():
    mass = np.array([[0.1, 0.6, 0.3], [0.5, 0.25, 0.25]])
    np.testing.assert_array_equal(listed(mass, 0.5), [[False, True, False], [True, False, False]])
    np.testing.assert_array_equal(listed(mass, 0.7), [[False, True, True], [True, True, False]])
    assert listed(mass, 1.0).all()


def test_a_model_knows_only_what_it_lists():
    place = garnets(np.random.default_rng(1), 4, 6, 2, 3)
    known = listed(visits(place, plan(place, 0.9)), 0.6)
    inside = model(place, known)
    np.testing.assert_allclose(inside.sum(-1), 1)
    leaves = place.transitions * known[:, None, None] > 0
    stuck = ~leaves.any(-1)
    assert ((inside > 0) == leaves)[~stuck].all()
    w, s, a = (x[0] for x in np.nonzero(stuck & known[..., None])) if (stuck & known[..., None]).any() else (0, 0, 0)
    if stuck[w, s, a]:
        assert inside[w, s, a, s] == 1
    small = planned(place, known, 0.9)
    assert ((small == SILENT) == ~known).all()
    np.testing.assert_array_equal(planned(place, np.ones_like(known), 0.9), plan(place, 0.9))


def test_explorers_learn():
    rng = np.random.default_rng(0)
    place = garnets(rng, 10, 5, 3, 2)
    agent = Explorer(place.rewards.shape, 0.5, rng)
    first = live(place, agent, rng, 2_000)[0]
    chance = live(place, Follower(np.full((10, 5), SILENT), 3, rng), rng, 2_000)[0].mean()
    best = live(place, Follower(plan(place, 0.5), 3, rng), rng, 2_000)[0].mean()
    assert chance < first[:200].mean() < first[1_000:].mean() < best
    assert (first[1_000:].mean() - chance) / (best - chance) > 0.6


def test_one_lesson_moves_one_value():
    agent = Explorer((2, 3, 2), 0.9, np.random.default_rng(0), rate=0.5, hope=0.0)
    agent.value[0, 2] = [1.0, 4.0]
    agent.learn(np.array([0, 1]), np.array([1, 0]), np.array([2.0, 6.0]), np.array([2, 1]))
    assert agent.value[0, 0, 1] == pytest.approx(0.5 * (2 + 0.9 * 4))
    assert agent.value[1, 1, 0] == pytest.approx(3.0)
    assert agent.value.sum() == pytest.approx(0.5 * 5.6 + 3 + 5)


# --- practices that tip ---------------------------------------------------------------------------------------------


def test_bookings_are_those_worked_out_before():
    own, best = (4.1, 7.2, 14.4, 24.7, 35.1), (2.3, 4.1, 6.4, 7.1, 7.2)
    for cost, made, good in zip((1, 0.5, 0.1, 0.01, 0.001), own, best, strict=True):
        world = Reservations(cost)
        assert world.bookings() == pytest.approx(made, abs=0.05)
        assert world.best() == pytest.approx(good, abs=0.05)
        assert world.bookings(world.attention) == world.best()
    assert Reservations(5e-10).bookings() == pytest.approx(100, abs=0.1)
    assert Reservations().breaks() == pytest.approx(0.268, abs=0.001)
    edge = Reservations().breaks()
    assert Reservations(edge * 1.01).load() < 500 < Reservations(edge * 0.99).load()
    assert Reservations(0.1).welfare() == 0 < Reservations(0.1).welfare(0.5)


@given(st.floats(0.01, 1.5))
def test_the_best_number_of_bookings_is_the_best(cost):
    world, k = Reservations(cost), np.arange(0, 60, 0.01)
    worth = world.value * (1 - (1 - world.free) ** k) - (cost + world.attention) * k
    marginal = np.diff(world.value * (1 - (1 - world.free) ** np.arange(60)))  # of a whole booking more
    count = int(np.floor(world.best()))
    assert marginal[count - 1] >= cost + world.attention - 1e-9 if count else True
    assert marginal[count] <= cost + world.attention + 1e-9
    assert worth[np.searchsorted(k, world.best())] > worth[0] - 1e-9


@given(st.floats(0, 1.4))
def test_dynamite_is_stable_where_the_algebra_says(cost):
    """Stable spears: cost > 0.4; stable dynamite: cost < 1; between them the unstable share 1 - (1 - cost) / 0.6."""
    found = {tuple(p.strategies[0].round(9)): p.kind for p in rest_points(technology(cost), one=True)}
    if abs(cost - 0.4) > 1e-6 and abs(cost - 1) > 1e-6:
        assert (found[(1, 0)] == "sink") == (cost > 0.4)
        assert (found[(0, 1)] == "sink") == (cost < 1)
        assert (len(found) == 3) == (0.4 < cost < 1)
    if 0.41 < cost < 0.99:
        share = next(p for p in found if 0 < p[1] < 1)[1]
        assert share == pytest.approx(1 - (1 - cost) / 0.6)


# --- studies --------------------------------------------------------------------------------------------------------


def test_a_signal_by_hand():
    game = turn_taking.signalled(bimatrix([[3, 0], [0, 2]], [[2, 0], [0, 3]]), 1.0, 0.5)
    follow, always = turn_taking.FOLLOW, 0
    np.testing.assert_allclose(game.payoff[:, follow, follow], 2.5)
    np.testing.assert_allclose(game.payoff[:, always, always], [2.75, 1.75])  # half of the time it is not appropriate
    np.testing.assert_allclose(game.payoff[:, follow, always], [1.5, 0.75])
    private = turn_taking.signalled(bimatrix([[3, 0], [0, 2]], [[2, 0], [0, 3]]), 0.5, 0.0)
    np.testing.assert_allclose(private.payoff[:, follow, follow], 1.25)


def test_turn_taking_is_counted():
    found = turn_taking.machines(None)
    assert (found["alternate"], found["equilibria"], found["fair to itself"]) == (52, 268, 8)
    assert [found[f"equilibria {p}"] for p in ("(3, 2)", "(2, 3)", "(2.5, 2.5)")] == [108, 108, 52]
    assert (found["rounds to agree"], found["opener's payoff"]) == (2, 2.5)


def test_dynamite_has_a_memory():
    found = conventions.dynamite(None, conventions.COSTS, 1e-3, 0.6)
    assert found["falling, cost 0.7"] < 0.1 < 0.9 < found["rising, cost 0.7"]
    assert found["width"] == pytest.approx(0.6, abs=0.1)
    assert (found["tips at"], found["recovers beyond"]) == pytest.approx((0.4, 1.0), abs=0.051)  # 1 - 0.6, and 1


def test_reservations_by_their_formulas():
    found = conventions.reservations(None, conventions.KAPPAS)
    assert found["own, cost 0.001"] == pytest.approx(35.1, abs=0.05)
    assert found["best, cost 0.001"] == pytest.approx(7.2, abs=0.05)
    assert found["breaks below"] == pytest.approx(0.268, abs=0.001)
    assert found["load with fee, cost 0.001"] == pytest.approx(360, abs=1)


def test_the_same_key_gives_the_same_numbers():
    for function, settings in (
        (conventions.basins, {"worth": (1.0, 2.0), "populations": 1, "starts": 50}),
        (turn_taking.signal, {"agreement": 1.0, "sanction": 0.0, "unfair": False, "rounds": 20, "runs": 10}),
        (savage.lives, {"coverages": (0.5, 1.0), "right": 0.7, "worlds": 2, "steps": 50}),
    ):
        a, b, other = (function(jax.random.key(k), **settings) for k in (1, 1, 2))
        assert a == b
        assert a != other


def test_norms_of_another_quality_leave_all_else_as_it_was():
    settings = {"coverages": (0.5, 1.0), "right": 0.7, "worlds": 20, "steps": 200}
    one, more = (savage.lives(jax.random.key(0), **settings, others=others) for others in ((), (0.0, 1.0)))
    assert one.items() < more.items()
    assert more["norm 0, 0.5"] < more["planner with a norm, 0.5"] < more["norm 1, 0.5"]


@pytest.mark.parametrize("study", [conventions.STUDY, turn_taking.STUDY, savage.STUDY])
def test_smoke_runs_judge_nothing_and_draw_everything(study, tmp_path):
    findings = run(study, "smoke", tmp_path)
    assert {v.verdict for v in findings.verdicts} == {"not tested at this size"}
    assert all(np.isfinite(v.estimate.mean) for v in findings.verdicts)
    assert all(np.isfinite(e.mean) for r, e in findings.readings() if r.unit != "coverage")  # they need not cross
    assert study.sections(findings.results)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: Reservations(0.0), "cost"),
        (lambda: Reservations(free=1.0), "chance"),
        (lambda: technology(np.nan), "cost"),
        (lambda: garnets(np.random.default_rng(0), 1, 2, 2, 3), "branches"),
        (lambda: Worlds(np.ones((1, 2, 2, 2)), np.zeros((1, 2, 2))), "sum to 1"),
        (lambda: Worlds(np.ones((1, 2, 2, 2)) / 2, np.zeros((1, 2, 3))), "transitions"),
        (lambda: plan(garnets(np.random.default_rng(0), 1, 2, 2, 2), 1.0), "discount"),
        (lambda: listed(np.ones((1, 2)) / 2, 0.0), "coverage"),
    ],
)
def test_refusals(call, word):
    with pytest.raises(Refusal, match=word):
        call()
