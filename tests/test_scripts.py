"""How scripts walk: one step towards the nearest goal in sight, round what is in the way, else wandering."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nomoi.grid import Extent
from nomoi.learners.fixed import _around, _step
from nomoi.situations.walkers import AHEAD, BACK, LEFT, RIGHT, TURN_LEFT, TURN_RIGHT

VIEW = Extent(3, 1, 2)  # five rows and five columns; one stands in row 3, column 2
BESIDE = {AHEAD: (2, 2), BACK: (4, 2), LEFT: (3, 1), RIGHT: (3, 3)}
KEYS = jax.random.split(jax.random.key(0), 1000)
MAPS = arrays(bool, (5, 5), elements=st.booleans())


@jax.jit
def steps(goal, blocked):
    return jax.vmap(lambda key: _step(key, goal, blocked, VIEW))(KEYS)


around = jax.jit(_around)


def shares(goal=(), blocked=()):
    """How often each move is made where these cells are goals, and those are in the way."""
    maps = np.zeros((2, 5, 5), bool)
    for layer, cells in zip(maps, (goal, blocked), strict=True):
        for cell in cells:
            layer[cell] = True
    made = np.asarray(steps(*map(jnp.asarray, maps)))
    return {int(move): float((made == move).mean()) for move in np.unique(made)}


@given(goal=MAPS, blocked=MAPS)
def test_a_step_is_open_and_leads_to_a_nearest_goal_if_one_can(goal, blocked):
    rows, columns = np.divmod(np.arange(25), 5)
    away = lambda cell: abs(rows - cell[0]) + abs(columns - cell[1])  # noqa: E731
    far = np.where(goal.ravel(), away((3, 2)), 99)
    nearest = np.flatnonzero(far == far.min())
    open_ = {move: cell for move, cell in BESIDE.items() if not blocked[cell]}
    nearer = [{m for m, cell in open_.items() if away(cell)[g] < far[g]} for g in nearest]
    made = set(np.asarray(steps(jnp.asarray(goal), jnp.asarray(blocked))).tolist())
    assert made <= {*open_, TURN_LEFT, TURN_RIGHT}
    if goal.any() and far.min() > 0 and all(nearer):
        assert made <= set().union(*nearer)  # ties may be broken either way


def test_who_sees_no_goal_walks_on_and_sometimes_turns():
    found = shares()
    assert found == pytest.approx({AHEAD: 0.8, TURN_LEFT: 0.1, TURN_RIGHT: 0.1}, abs=0.05)
    assert shares(blocked=[(2, 2)]) == pytest.approx({TURN_LEFT: 0.5, TURN_RIGHT: 0.5}, abs=0.06)


def test_who_is_shut_in_turns_though_a_goal_is_in_sight():
    assert shares(goal=[(0, 2)], blocked=BESIDE.values()) == pytest.approx({TURN_LEFT: 0.5, TURN_RIGHT: 0.5}, abs=0.06)


def test_the_way_to_the_nearest_goal_and_round_what_is_in_the_way():
    assert shares(goal=[(0, 2), (3, 4)]) == {RIGHT: 1.0}  # two steps away, not three
    assert shares(goal=[(4, 2)]) == {BACK: 1.0}
    assert shares(goal=[(1, 2), (3, 0)]) == pytest.approx({AHEAD: 0.5, LEFT: 0.5}, abs=0.06)  # as far
    aside = shares(goal=[(0, 2)], blocked=[(2, 2)])  # all other steps lead away from it by one
    assert aside == pytest.approx({BACK: 1 / 3, LEFT: 1 / 3, RIGHT: 1 / 3}, abs=0.06)


@given(apple=MAPS)
def test_neighbours_in_a_view_are_those_within_two(apple):
    found = np.asarray(around(jnp.asarray(apple)[None]))[0]
    for r, c in np.ndindex(5, 5):
        near = [apple[i, j] for i, j in np.ndindex(5, 5) if 0 < (i - r) ** 2 + (j - c) ** 2 <= 4]
        assert found[r, c] == sum(near)
