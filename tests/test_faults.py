"""Faults found in other implementations of these worlds, none of which may occur here."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from small import SITUATIONS, run

from nomoi import grid
from nomoi.core import Institution, govern
from nomoi.core.rollout import rollout
from nomoi.core.worlds import advance, begin
from nomoi.grid import body
from nomoi.grid import words as drawing
from nomoi.institutions import sanction
from nomoi.institutions.sanction import Sanction
from nomoi.learners.ppo import PPO
from nomoi.situations.harvest import Harvest, State
from nomoi.situations.matrix import Matrix
from nomoi.situations.walkers import AHEAD, BACK, LEFT, RIGHT, STAY, TURN_LEFT, TURN_RIGHT, ZAP

WORDS = drawing.words
NORTH, EAST, SOUTH, WEST = range(4)
STEP = {NORTH: (-1, 0), EAST: (0, 1), SOUTH: (1, 0), WEST: (0, -1)}


@pytest.fixture(scope="module")
def meadow(tmp_path_factory):
    """Two agents on open ground that is drawn without walls: 6 x 6, apples in the second row."""
    drawn = tmp_path_factory.mktemp("maps") / "open.txt"
    drawn.write_text("PPPPPP\nPAPPPP\nPPPPPP\nPPPPPP\nPPPPPP\nPPPPPP")
    return Harvest(map=str(drawn), agents=2, extent=(2, 1, 1), exile=3, regrowth=(0.0, 0.0, 0.0, 0.0))


def place(s, *bodies, out=(0, 0)):
    """A state with bodies at (row, column, facing), counted inside the walls."""
    cell = jnp.array([(r + 1) * s.land.width + c + 1 for r, c, _ in bodies], jnp.int32)
    facing = jnp.array([f for _, _, f in bodies], jnp.int32)
    n = len(bodies)
    body = grid.Body(cell, facing, jnp.array(out[:n], jnp.int32))
    return State(body, jnp.zeros(n, jnp.int32), jnp.ones(len(s.land.sites), bool), jnp.zeros((), jnp.int32))


def where(s, state):
    """[n] of (row, column) inside the walls."""
    return [(int(c) // s.land.width - 1, int(c) % s.land.width - 1) for c in state.body.cell]


@eqx.filter_jit
def _step(s, key, state, move):
    return s.step(key, state, {"move": move})


@eqx.filter_jit
def _view(s, state):
    return s.observe(state)["view"]


def step(s, state, *moves, seed=0):
    return _step(s, jax.random.key(seed), state, jnp.array(moves, jnp.int32))


def draws(function, *args):
    """How many times a function draws random words."""
    drawn = []
    with pytest.MonkeyPatch.context() as patch:
        for home in (drawing, body, sanction):  # `uniform`, the world, and an institution draw by it
            patch.setattr(home, "words", lambda key, count: drawn.append(count) or WORDS(key, count))
        jax.make_jaxpr(function)(*args)
    return len(drawn)


# 1 ------------------------------------------------------------------------------------------------------------


def test_a_beam_does_not_come_out_on_the_other_side_of_the_map(meadow):
    places = list(itertools.product(range(6), range(6)))
    shooters = [(r, c, f) for r, c in places for f in range(4)]
    cases = [(a, (r, c, 0)) for a in shooters for r, c in places if (r, c) != a[:2]]
    cells = jnp.array([[(r + 1) * 8 + c + 1 for r, c, _ in pair] for pair in cases], jnp.int32)
    facing = jnp.array([[f for _, _, f in pair] for pair in cases], jnp.int32)
    none = jnp.zeros((len(cases), 2), jnp.int32)
    hit = np.asarray(
        jax.jit(jax.vmap(lambda *b: grid.reach(meadow.land, grid.Body(*b), 3, 1)[0, 1]))(cells, facing, none)
    )
    for got, ((r, c, f), (y, x, _)) in zip(hit, cases, strict=True):
        down, over = STEP[f]
        ahead, side = (y - r) * down + (x - c) * over, abs((y - r) * over) + abs((x - c) * down)
        assert got == ((side == 0 and 1 <= ahead <= 3) or (side == 1 and 0 <= ahead <= 2)), ((r, c, f), (y, x))


# 2 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("facing", range(4))
@pytest.mark.parametrize(("move", "turned"), [(AHEAD, 0), (RIGHT, 1), (BACK, 2), (LEFT, 3)])
def test_moves_go_by_the_heading(meadow, facing, move, turned):
    after, _ = step(meadow, place(meadow, (3, 3, facing), (0, 5, 0)), move, STAY)
    down, over = STEP[(facing + turned) % 4]
    assert where(meadow, after)[0] == (3 + down, 3 + over)
    assert after.body.facing[0] == facing


@pytest.mark.parametrize("facing", range(4))
def test_turning_changes_the_heading_and_what_is_ahead(meadow, facing):
    start = place(meadow, (3, 3, facing), (0, 5, 0))
    for move, by in ((TURN_LEFT, -1), (TURN_RIGHT, 1)):
        after, _ = step(meadow, start, move, STAY)
        assert after.body.facing[0] == (facing + by) % 4
        assert where(meadow, after)[0] == (3, 3)


# 3 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("agents", [1, 2, 4])
def test_an_apple_is_worth_one_to_who_eats_it_however_many_play(meadow, agents):
    s = meadow.replace(agents=agents)
    bodies = [(1, 0, EAST), (5, 5, 0), (5, 4, 0), (5, 3, 0)][:agents]
    _, outcome = step(s, place(s, *bodies, out=(0,) * 4), *[AHEAD] + [STAY] * (agents - 1))
    assert outcome.reward.tolist() == [1.0] + [0.0] * (agents - 1)
    assert outcome.events["harvest"].tolist() == outcome.reward.tolist()


# 4 ------------------------------------------------------------------------------------------------------------


def test_regrowth_constants_are_those_of_melting_pot():
    np.testing.assert_allclose(Harvest.preset("open").regrowth, [0, 0.0025, 0.005, 0.025])
    for name in ("closed", "partnership"):
        np.testing.assert_allclose(Harvest.preset(name).regrowth, [0, 0.001, 0.005, 0.025])


def test_each_of_the_twelve_neighbours_counts_and_no_other():
    land = grid.Land("\n".join(["A" * 9] * 9), "A", "AW", "all apples")
    middle = int(np.flatnonzero(land.sites == 5 * land.width + 5)[0])
    for down, over in itertools.product(range(-4, 5), repeat=2):
        live = jnp.asarray(land.sites == (5 + down) * land.width + 5 + over)
        counted = int(grid.neighbours(land, live, 2.0)[middle])
        assert counted == (0 < down**2 + over**2 <= 4), (down, over)


def test_apples_grow_back_with_the_stated_chance(tmp_path):
    """The emptied sites of a row have 0, 1, 2 and 3 live neighbours; each chance is met."""
    drawn = tmp_path / "rows.txt"
    drawn.write_text("A    AA    AAA    AAAA\nPPPPPPPPPPPPPPPPPPPPPP")
    rates = np.array([0.0, 0.1, 0.3, 0.6])
    s = Harvest(map=str(drawn), agents=1, regrowth=rates.tolist(), extent=(1, 1, 1))
    column = s.land.sites % s.land.width - 1
    empty = np.isin(column, [0, 5, 12, 19])
    near = np.asarray(grid.neighbours(s.land, jnp.asarray(~empty), 2.0))[empty]
    assert near.tolist() == [0, 1, 2, 3]
    bits = jax.random.bits(jax.random.key(0), (20000, len(empty)), jnp.uint32)
    grown = np.asarray(jax.jit(jax.vmap(lambda b: s.grow(jnp.asarray(~empty), b)))(bits))[:, empty].sum(0)
    assert grown[0] == 0
    for k, rate in zip(grown[1:], rates[1:], strict=True):
        assert stats.binomtest(int(k), 20000, rate).pvalue > 1e-4


# 5 ------------------------------------------------------------------------------------------------------------


def test_who_is_hit_stays_away_for_the_steps_stated_and_does_nothing_there(meadow):
    state = place(meadow, (3, 2, EAST), (3, 3, NORTH))
    state, outcome = step(meadow, state, ZAP, STAY)
    assert outcome.events["zap"].tolist() == [[0, 1], [0, 0]]
    gone = []
    for t in range(5):
        gone.append(int(state.body.out[1]))
        view = _view(meadow, state)[1]
        assert not (gone[-1] and view.any())
        still = where(meadow, state)[1]
        state, outcome = step(meadow, state, AHEAD, ZAP if t < 3 else STAY, seed=t)
        if gone[-1]:
            assert not outcome.events["shot"][1]
            assert where(meadow, state)[1] == still or state.body.out[1] == 0
    assert gone == [3, 2, 1, 0, 0]
    assert state.body.facing[1] == NORTH  # who returns faces north, as the kernel says


def test_who_is_away_is_neither_hit_nor_in_the_way(meadow):
    state = place(meadow, (3, 2, EAST), (3, 3, NORTH), out=(0, 3))
    after, outcome = step(meadow, state, AHEAD, STAY)
    assert where(meadow, after)[0] == (3, 3)
    _, outcome = step(meadow, state, ZAP, STAY)
    assert not outcome.events["zap"].any()
    assert not meadow.aim(state).any()


def test_agents_start_in_all_four_headings():
    start = jax.jit(jax.vmap(lambda k: SITUATIONS["harvest"].reset(k).body.facing))
    facing = start(jax.random.split(jax.random.key(0), 500))
    counts = np.bincount(np.asarray(facing).ravel(), minlength=4)
    assert stats.chisquare(counts).pvalue > 1e-4


# 6 ------------------------------------------------------------------------------------------------------------


def test_one_step_draws_its_chance_once_and_nothing_is_drawn_twice():
    for name, times in (("harvest", 1), ("pool", 0), ("matrix", 0)):
        s = SITUATIONS[name]
        state = s.reset(jax.random.key(0))
        action = {h: jnp.zeros(s.agents, jnp.int32) for h in s.actions}
        assert draws(s.step, jax.random.key(1), state, action) == times
    words = grid.draw(jax.random.key(0), order=50, spawn=50, grow=100, end=1)
    assert [len(w) for w in words.values()] == [50, 50, 100, 1]
    assert len(np.unique(np.concatenate([*map(np.asarray, words.values())]))) == 201


@pytest.mark.parametrize("what", ["reset", "step"])
def test_no_two_decisions_share_a_draw(what, monkeypatch):
    used = []

    class Once(dict):
        def __getitem__(self, name):
            used.append(name)
            return super().__getitem__(name)

    drawn = {}

    def draw(key, **counts):
        drawn.update(counts)
        return Once(real(key, **counts))

    real = grid.draw
    s = SITUATIONS["harvest"]
    state = s.reset(jax.random.key(0))
    monkeypatch.setattr(grid, "draw", draw)
    if what == "reset":
        jax.eval_shape(lambda key: s.reset(key), jax.random.key(0))
    else:
        jax.eval_shape(lambda key: s.step(key, state, {"move": state.cooling}), jax.random.key(0))
    assert sorted(used) == sorted(name for name, count in drawn.items() if count)


def test_institutions_do_not_draw_with_the_key_of_the_world():
    class Watch(Institution):
        """Remembers the key it was given."""

        def found(self, key, situation, state):
            return jax.random.key_data(key)

        def settle(self, key, memory, situation, state, tried, action, outcome):
            return jax.random.key_data(key), state, outcome

    g = govern(SITUATIONS["pool"], Watch(title="one"), Watch(title="two"))
    state = g.reset(jax.random.key(5))
    step = jax.jit(lambda k: g.step(k, state, {"request": jnp.zeros(3, jnp.int32)})[0].memory)
    keys = [jax.random.key(5), jax.random.key(6)]
    seen = [key for k in keys for key in (jax.random.key_data(k), *step(k))] + list(state.memory)
    assert len({tuple(np.asarray(key).tolist()) for key in seen}) == 6 + 2 - 2  # those of key 5 stand there twice


# 7 ------------------------------------------------------------------------------------------------------------


def test_agents_that_share_no_parameters_draw_their_actions_apart():
    """Equal minds in equal positions still act apart: each agent draws from a stream of its own."""
    situation = Matrix(horizon=200)
    learner = PPO(shared=False, hidden=8)

    @jax.jit
    def played(init, key):
        mind = learner.init(init, situation)
        mind = jax.tree.map(lambda x: jnp.broadcast_to(x[:1], x.shape), mind)  # both agents the same network
        return rollout(key, situation, learner, 200, 1, mind).outcome.events["defect"][:, 0]

    chose = np.asarray(played(jax.random.key(0), jax.random.key(1)))
    assert 0.2 < (chose[:, 0] != chose[:, 1]).mean() < 0.8


# 8 ------------------------------------------------------------------------------------------------------------


def test_nothing_is_reset_in_a_step():
    s = govern(SITUATIONS["harvest"], Sanction(by=""))
    worlds = jax.eval_shape(lambda key: begin(key, s, 3), jax.random.key(0))
    action = {"move": jnp.zeros((3, s.agents), jnp.int32)}
    assert draws(s.reset, jax.random.key(0)) == 1
    assert draws(lambda w, a: advance(s, w, a), worlds, action) == 2  # the world's and the sanction's lot
    state = s.situation.reset(jax.random.key(0))
    late = eqx.tree_at(lambda x: x.time, state, jnp.array(s.horizon + 5, jnp.int32))
    after, outcome = step(s.situation, late, *[STAY] * 4)
    assert outcome.done
    assert after.time == s.horizon + 6
    assert (after.body.cell == late.body.cell).all()


# 9 ------------------------------------------------------------------------------------------------------------


def apart(body, land):
    """Nobody in play stands on another, nor in a wall."""
    for cell, out in zip(
        body.cell.reshape(-1, body.cell.shape[-1]), body.out.reshape(-1, body.out.shape[-1]), strict=True
    ):
        here = cell[out == 0]
        assert len(set(here.tolist())) == len(here)
        assert not land.walls[here].any()


@given(seed=st.integers(0, 2**30), exile=st.integers(0, 4))
def test_agents_never_overlap(seed, exile):
    s = SITUATIONS["harvest"].replace(exile=exile)
    got = run(s, seed)
    apart(got.before.body, s.land)
    apart(got.after.body, s.land)


@pytest.mark.parametrize("agents", [3, 5, 7])
def test_agents_start_apart_where_some_start_inside(tmp_path, agents):
    drawn = tmp_path / "inside.txt"
    drawn.write_text("A Q Q Q Q\nPPP  A   ")
    s = Harvest(map=str(drawn), agents=agents)
    body = jax.jit(jax.vmap(lambda k: s.reset(k).body))(jax.random.split(jax.random.key(0), 200))
    apart(jax.tree.map(np.asarray, body), s.land)
    inside = np.isin(np.asarray(body.cell), s.land.find("Q")).sum(1)
    assert (inside == min(agents, 4)).all()
