"""How scripts walk, one step towards the nearest goal in sight, and by which law."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from small import SITUATIONS

from nomoi.core import govern
from nomoi.errors import Refusal
from nomoi.grid import Extent
from nomoi.institutions.charter import Charter
from nomoi.institutions.sanction import Sanction
from nomoi.scripts.citizens import Citizen
from nomoi.scripts.fixed import _around, _step
from nomoi.scripts.newcomer import Newcomer
from nomoi.situations.walkers import AHEAD, BACK, LEFT, RIGHT, TURN_LEFT, TURN_RIGHT, ZAP

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


# --- citizens ---------------------------------------------------------------------------------------------------------

TOWN = govern(SITUATIONS["harvest"], Charter(law="thin"), Sanction(by="charter"))


@eqx.filter_jit
def acts(citizen, seen):
    return jax.vmap(lambda key: citizen.act(key, None, TOWN, seen, None)[0]["move"])(KEYS)


def one_apple_ahead(law, aim=()):
    """What citizens see with one lone apple before them; the law binds these, and these have somebody marked before
    them."""
    scene, seen = jax.eval_shape(lambda key: (TOWN.scene(TOWN.reset(key)), TOWN.observe(TOWN.reset(key))), KEYS[0])
    seen = {name: jnp.zeros(x.shape, x.dtype) for name, x in seen.items()}
    extent, apple = scene.extent, scene.planes.index("apple")
    view = seen["view"].at[:, extent.ahead - 1, extent.side].set(1 << apple)
    marked = 1 + sorted(scene.bodies).index("charter.marked")
    told = {"charter.law": seen["charter.law"].at[jnp.array(law)].set(1.0)}
    told["sanction.aim"] = seen["sanction.aim"].at[jnp.array(aim, int), marked].set(1.0)
    return seen | {"view": view} | told


def test_citizens_spare_a_lone_apple_where_the_law_binds_them_as_often_as_they_obey():
    seen = one_apple_ahead(law=[0, 1])
    ahead = lambda **how: (np.asarray(acts(Citizen(**how), seen)) == AHEAD).mean(0)  # noqa: E731
    np.testing.assert_array_equal(ahead(), [0, 0, 1, 1])
    np.testing.assert_array_equal(ahead(obeys=0.0), [1, 1, 1, 1])
    np.testing.assert_allclose(ahead(obeys=0.75), [0.25, 0.25, 1, 1], atol=0.05)
    np.testing.assert_array_equal(ahead(spare=0), [1, 1, 1, 1])


def test_citizens_strike_whoever_is_marked_as_often_as_they_are_zealous():
    seen = one_apple_ahead(law=[0], aim=[1, 2])
    for zeal in (0.0, 0.25, 1.0):
        struck = (np.asarray(acts(Citizen(zeal=zeal), seen)) == ZAP).mean(0)
        np.testing.assert_allclose(struck, [0, zeal, zeal, 0], atol=0.05 if 0 < zeal < 1 else 0)


def test_citizens_are_refused_where_there_is_no_charter():
    place = govern(SITUATIONS["harvest"], Sanction(by=""))
    seen = jax.eval_shape(lambda k: place.observe(place.reset(k)), jax.random.key(0))
    with pytest.raises(Refusal, match="citizens read a charter called 'charter', and harvest is under none"):
        jax.eval_shape(lambda s: Citizen().act(jax.random.key(0), None, place, s, None), seen)


# --- newcomers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("believes", "time", "votes"),
    [
        ("nothing", 9, [0, 0, 0]),
        ("majority", 9, [1 / 3, 1 / 3, 1 / 3]),
        ("told", 4, [0, 1, 0]),
        ("told", 5, [0, 0, 1]),  # the first step has time 1: this is the step of the change
        ("inferred", 9, [1, 0, 0]),
    ],
)
def test_whose_word_a_newcomer_goes_by(believes, time, votes):
    belief = jnp.array([[0.5, 0.2, 0.1, 0.1, 0.1]])
    newcomer = Newcomer(among="one,two,three", believes=believes, named=1, heir=2, turn=4)
    np.testing.assert_allclose(newcomer._votes(belief, jnp.array(time))[0], votes)
    assert Newcomer(believes="told", named=1, heir=2)._votes(belief, jnp.array(9))[0].tolist() == [0, 1, 0]


def test_a_newcomer_heeds_none_when_it_is_probable_enough_that_none_counts():
    heeds = lambda *belief: int(Newcomer(caution=0.6).heeds(jnp.array(belief)))  # noqa: E731
    assert heeds(0.1, 0.35, 0.25, 0.3) == 1
    assert heeds(0.3, 0.05, 0.25, 0.4) == -1
