"""Clean Up: Melting Pot's constants, every step against a slow twin, and what institutions read in it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import twins
from scipy import stats

import nomoi
from nomoi import grid
from nomoi.core import govern
from nomoi.errors import Refusal
from nomoi.institutions.altar import Altar
from nomoi.institutions.levy import Levy
from nomoi.institutions.taboo import Taboo
from nomoi.runs import regimes
from nomoi.situations.cleanup import CLEAN, Cleanup, State
from nomoi.situations.walkers import AHEAD, STAY, TURN_LEFT, ZAP

SMALL = Cleanup()
LAND = SMALL.land
ORCHARD, RIVER = LAND.letter == "A", LAND.letter != "A"


def plain(state):
    """A state as the twin keeps it."""
    body = state.body
    arrays = {"cell": body.cell, "facing": body.facing, "out": body.out, "cooling": state.cooling}
    arrays |= {"resting": state.resting, "merit": state.merit}
    arrays |= {"apples": state.apples, "dirt": state.dirt, "time": state.time}
    return {name: np.asarray(value).tolist() for name, value in arrays.items()}


def state_of(cell, facing, apples, dirt, time=0, **counts):
    n = len(cell)
    full = lambda value: jnp.broadcast_to(jnp.asarray(value, jnp.int32), (n,))  # noqa: E731
    body = grid.Body(full(jnp.asarray(cell)), full(facing), full(counts.get("out", 0)))
    rest = [full(counts.get(name, 0)) for name in ("cooling", "resting", "merit")]
    return State(body, *rest, jnp.asarray(apples), jnp.asarray(dirt), jnp.asarray(time, jnp.int32))


@eqx.filter_jit
def step(c, key, state, move):
    """One step, compiled once a shape."""
    return c.step(key, state, {"move": move})


@eqx.filter_jit
def born(c, key):
    return c.reset(key)


def at(row, col):
    return row * LAND.width + col


# The published set-up


def test_the_paper_preset_has_melting_pots_numbers():
    c = Cleanup.preset("paper")
    letters = "".join(c.land.letter)
    assert (c.land.height, c.land.width, c.agents, c.horizon) == (21, 30, 7, 1000)
    assert (letters.count("D"), letters.count("S"), letters.count("A")) == (79, 68, 122)
    assert c.capacity().tolist() == [122]
    assert (c.beam, c.brush, int(c.cooldown), int(c.rest), int(c.exile)) == ((3, 1), (3, 1), 10, 2, 50)
    numbers = [c.growth, c.depletion, c.restoration, c.spawn, c.calm]
    assert [float(x) for x in numbers] == pytest.approx([0.05, 0.4, 0.0, 0.5, 50])
    assert (c.actions, c.extent) == ({"move": 9}, (9, 1, 5))
    state = born(c, jax.random.key(0))
    assert int(state.dirt.sum()) == 79
    assert not state.apples.any()
    assert float(c.rate(state.dirt)) < 0  # dirty from the start: nothing grows until somebody cleans


def test_the_small_map_is_as_dirty_as_the_paper_one():
    dirty = (LAND.letter == "D").sum() / RIVER.sum()
    assert dirty == pytest.approx(79 / 147, abs=0.01)
    assert (SMALL.agents, SMALL.horizon, SMALL.cooldown.item(), SMALL.exile.item()) == (5, 300, 10, 50)


# Growth


@pytest.mark.parametrize(("dirty", "rate"), [(18, 0.0), (0, 0.05), (9, 0.025), (27, -0.025), (45, -0.075)])
def test_the_rate_of_growth_falls_with_the_dirt(dirty, rate):
    """Of 45 cells of river 18 are four tenths."""
    dirt = np.zeros(len(LAND.sites), bool)
    dirt[np.flatnonzero(RIVER)[:dirty]] = True
    assert float(SMALL.rate(jnp.asarray(dirt))) == pytest.approx(rate, abs=1e-8)
    if dirty == 18:
        assert float(SMALL.rate(jnp.asarray(dirt))) == 0.0


def test_below_restoration_it_grows_no_faster():
    c, dirt = SMALL.replace(restoration=0.2), np.zeros(len(LAND.sites), bool)
    assert float(c.rate(jnp.asarray(dirt))) == pytest.approx(0.05)
    dirt[np.flatnonzero(RIVER)[:9]] = True
    assert float(c.rate(jnp.asarray(dirt))) == pytest.approx(0.05)
    dirt[np.flatnonzero(RIVER)[:27]] = True
    assert float(c.rate(jnp.asarray(dirt))) == pytest.approx(-0.05)


@pytest.mark.parametrize("dirty", [0, 9, 17, 18, 30])
def test_apples_grow_at_that_rate_in_the_orchard_and_nowhere_else(dirty):
    c, total = SMALL.replace(spawn=0.0), len(LAND.sites)
    dirt, apples = np.zeros(total, bool), np.zeros(total, bool)
    dirt[np.flatnonzero(RIVER)[:dirty]] = True
    apples[np.flatnonzero(ORCHARD)[:20]] = True
    state = state_of(LAND.find("P")[:5], 0, apples, dirt)
    keys = jax.random.split(jax.random.key(dirty), 2000)
    after = np.asarray(jax.vmap(lambda key: step(c, key, state, jnp.zeros(5, jnp.int32))[0].apples)(keys))
    assert after[:, apples].all()
    assert not after[:, RIVER].any()
    grown, tries = int(after[:, ORCHARD & ~apples].sum()), after[:, ORCHARD & ~apples].size
    rate = 0.05 * (0.4 - dirty / 45) / 0.4
    assert grown == 0 if rate <= 0 else stats.binomtest(grown, tries, rate).pvalue > 1e-3


# Dirt


@pytest.mark.parametrize(("time", "rate"), [(0, 0.0), (49, 0.0), (50, 0.5), (51, 0.5), (200, 0.5)])
def test_dirt_comes_to_one_clean_cell_after_fifty_steps(time, rate):
    total = len(LAND.sites)
    dirt = np.zeros(total, bool)
    dirt[np.flatnonzero(RIVER)[:30]] = True
    state = state_of(LAND.find("P")[:5], 0, ~RIVER, dirt, time=time)
    keys = jax.random.split(jax.random.key(time), 3000)
    after = np.asarray(jax.vmap(lambda key: step(SMALL, key, state, jnp.zeros(5, jnp.int32))[0].dirt)(keys))
    new = after & ~dirt
    assert after[:, dirt].all()
    assert not new[:, ~RIVER].any()
    assert (new.sum(1) <= 1).all()
    came = int(new.sum())
    if rate == 0:
        assert came == 0
    else:
        assert stats.binomtest(came, len(keys), rate).pvalue > 1e-3
        assert stats.chisquare(new.sum(0)[RIVER & ~dirt]).pvalue > 1e-3


def test_a_river_that_is_all_dirty_gets_no_dirtier():
    state = state_of(LAND.find("P")[:5], 0, ~RIVER & False, RIVER, time=100)
    after, _ = step(SMALL.replace(spawn=1.0), jax.random.key(0), state, jnp.zeros(5, jnp.int32))
    assert after.dirt.tolist() == RIVER.tolist()


# Cleaning


def scene_of(cells, facing, dirty, **counts):
    """Agents on cells (row, column) of the small map, with dirt on the cells `dirty` only."""
    c = SMALL.replace(agents=len(cells), spawn=0.0)
    dirt = np.isin(LAND.sites, [at(*d) for d in dirty])
    return c, state_of([at(*cell) for cell in cells], facing, np.zeros(len(LAND.sites), bool), dirt, **counts)


def dirty_cells(state):
    return {divmod(int(cell), LAND.width) for cell in LAND.sites[np.asarray(state.dirt)]}


def test_each_ray_stops_at_the_first_dirt_and_removes_it():
    block = [(row, col) for row in (1, 2, 3) for col in (3, 4, 5, 6)]
    c, state = scene_of([(4, 4)], grid.NORTH, block)
    state, outcome = step(c, jax.random.key(0), state, jnp.array([CLEAN], jnp.int32))
    assert outcome.events["clean"].tolist() == [3]
    assert dirty_cells(state) == set(block) - {(3, 3), (3, 4), (3, 5)}
    assert outcome.reward.tolist() == [0]  # cleaning is rewarded by nobody but institutions
    for _ in range(3):
        state, outcome = step(c, jax.random.key(0), state, jnp.array([CLEAN], jnp.int32))
    # the sides reach one cell less far: they start in the agent's own row
    assert dirty_cells(state) == set(block) - {(r, k) for r in (2, 3) for k in (3, 4, 5)}


def test_the_brush_reaches_three_ahead_and_not_four():
    for row, cleaned in ((1, 1), (0, 0)):
        c, state = scene_of([(row + 3 if cleaned else 5, 8)], grid.NORTH, [(1, 8)])
        _, outcome = step(c, jax.random.key(0), state, jnp.array([CLEAN], jnp.int32))
        assert outcome.events["clean"].tolist() == [cleaned]


@pytest.mark.parametrize("rest", [0, 2, 5])
def test_so_many_full_steps_lie_between_two_cleanings_and_shots_are_apart(rest):
    c, state = scene_of([(5, 8)], grid.NORTH, [(2, 8), (3, 8)])
    c, cleaned = c.replace(rest=rest), []
    dirt = state.dirt
    for t in range(12):
        assert (float(c.senses(state)["brush"][0, 0]) == 1) == (t % (rest + 1) == 0)
        assert float(c.senses(state)["ready"][0, 0]) == 1
        state = eqx.tree_at(lambda s: s.dirt, state, dirt)
        state, outcome = step(c, jax.random.key(t), state, jnp.array([CLEAN], jnp.int32))
        cleaned.append(int(outcome.events["clean"][0]))
        assert not outcome.events["shot"].any()
    assert cleaned == [int(t % (rest + 1) == 0) for t in range(12)]


def test_a_cell_that_two_clean_counts_for_one_of_them_and_each_as_often():
    c, state = scene_of([(4, 4), (4, 6)], grid.NORTH, [(3, 5)])
    keys = jax.random.split(jax.random.key(1), 400)
    move = jnp.array([CLEAN, CLEAN], jnp.int32)
    got = np.asarray(jax.vmap(lambda key: step(c, key, state, move)[1].events["clean"])(keys))
    assert (got.sum(1) == 1).all()
    assert stats.binomtest(int(got[:, 0].sum()), 400, 0.5).pvalue > 1e-3


def test_who_is_out_of_play_cleans_nothing():
    c, state = scene_of([(4, 4), (4, 8)], grid.NORTH, [(3, 4), (3, 8)], out=[3, 0])
    after, outcome = step(c, jax.random.key(0), state, jnp.array([CLEAN, CLEAN], jnp.int32))
    assert outcome.events["clean"].tolist() == [0, 1]
    assert dirty_cells(after) == {(3, 4)}
    assert not np.asarray(c.senses(after)["brush"])[0].any()


# Zapping


def test_a_zap_removes_for_fifty_steps_and_cools_for_ten():
    c, state = scene_of([(6, 4), (5, 4)], grid.NORTH, [])
    shots, present = [], []
    for t in range(52):
        state, outcome = step(c, jax.random.key(t), state, jnp.array([ZAP, STAY], jnp.int32))
        shots.append(int(outcome.events["shot"][0]))
        present.append(bool(c.present(state)[1]))
    assert [t for t, s in enumerate(shots) if s] == [0, 11, 22, 33, 44]
    assert present.index(True) == 50
    assert int(state.body.cell[1]) in LAND.find("P")


# Free riding


@pytest.mark.parametrize("credit", [0, 1, 3])
def test_who_cleaned_lately_rides_on_nobody(credit):
    """An agent cleans once, and then stands where an apple grows back under it in every step."""
    c, state = scene_of([(4, 4)], grid.NORTH, [(3, 4)])
    c = c.replace(credit=credit, growth=1.0)
    state, outcome = step(c, jax.random.key(0), state, jnp.array([CLEAN], jnp.int32))
    assert outcome.events["clean"].tolist() == [1]
    state = eqx.tree_at(lambda s: s.body.cell, state, jnp.array([at(8, 4)], jnp.int32))
    free = []
    for t in range(6):
        state, outcome = step(c, jax.random.key(t), state, jnp.array([STAY], jnp.int32))
        assert outcome.events["harvest"].tolist() == [1]
        free.append(int(outcome.events["freeride"][0]))
    assert free == [int(t >= credit) for t in range(6)]


def test_at_first_nobody_has_contributed():
    c, state = scene_of([(7, 4)], grid.SOUTH, [])
    state = eqx.tree_at(lambda s: s.apples, state, jnp.asarray(ORCHARD))
    state, outcome = step(c, jax.random.key(0), state, jnp.array([AHEAD], jnp.int32))
    assert outcome.events["freeride"].tolist() == outcome.events["harvest"].tolist() == [1]


# The whole step

CASES = {
    "small": ("small", {}),
    "small, fast": ("small", {"growth": 0.5, "depletion": 1.0, "exile": 3, "cooldown": 1, "rest": 0, "agents": 9}),
    "paper": (
        "paper",
        {"calm": 0, "spawn": 0.9, "exile": 5, "cooldown": 2, "growth": 0.4, "credit": 4, "depletion": 0.8},
    ),
    "ssd": ("ssd", {"depletion": 0.9, "restoration": 0.6}),
}


@pytest.mark.parametrize("case", CASES)
def test_step_against_the_twin(case):
    preset, changes = CASES[case]
    c = Cleanup.preset(preset, **changes)
    rng = np.random.default_rng(len(case))
    land, n, total = c.land, c.agents, len(c.land.sites)
    # agents start anywhere, many near each other and in the river, shortly before dirt comes
    near = land.sites[land.letter != "A"][: 3 * n]
    start = rng.choice(np.concatenate([np.flatnonzero(~land.walls), np.repeat(near, 4)]), 6 * n)
    cell = list(dict.fromkeys(start.tolist()))[:n]
    dirt = (land.letter != "A") & (rng.random(total) < 0.6)
    apples, merit = (land.letter == "A") & (rng.random(total) < 0.5), np.arange(n) % 2 * 60
    state = state_of(cell, rng.integers(0, 4, n), apples, dirt, time=40, merit=merit)
    expected = plain(state)
    happened = dict.fromkeys(("harvest", "zap", "shot", "clean", "freeride", "grown", "soiled"), 0)
    for t in range(80):
        key = jax.random.key(1000 + t)
        action = rng.choice(9, n, p=[0.05, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05, 0.2, 0.15])
        counts = {"order": n, "spawn": n, "grow": total, "dirt": 1, "where": 1}
        words = {k: np.asarray(v) for k, v in grid.draw(key, **counts).items()}
        state, outcome = step(c, key, state, jnp.asarray(action, jnp.int32))
        expected, told = twins.cleanup_step(c, expected, action, words)
        assert plain(state) == expected
        assert outcome.reward.tolist() == told["reward"]
        assert bool(outcome.done) == told["done"]
        assert not outcome.transfer.any()
        assert set(outcome.events) == set(c.emits) == set(told["events"])
        for name, value in told["events"].items():
            assert np.asarray(outcome.events[name]).tolist() == np.asarray(value).tolist()
        for name in happened:
            happened[name] += int(np.sum(told["events"].get(name, told.get(name))))
    assert happened["shot"] > 3
    assert happened["clean"] > 5
    assert happened["harvest"] > 3
    assert happened["soiled"] > 5
    if case != "small":
        assert happened["grown"] > 20
        assert 0 < happened["freeride"] < happened["harvest"]
    assert happened["zap"] > 0 or case == "ssd"


@eqx.filter_jit
def played(c, state, key):
    """250 steps of random play: apples and dirt before and after each, and the events."""

    def tick(state, key):
        move = jax.random.randint(jax.random.fold_in(key, 1), (c.agents,), 0, 9)
        after, outcome = c.step(key, state, {"move": move})
        return after, (state.apples, after.apples, state.dirt, after.dirt, outcome.events)

    return jax.lax.scan(tick, state, jax.random.split(key, 250))[1]


@pytest.mark.parametrize("renewal", [0.0, 0.3])
def test_what_is_eaten_or_cleaned_was_there_and_is_gone(renewal):
    c, state = SMALL.replace(growth=renewal, spawn=renewal, calm=0), state_of(LAND.sites[::18], 0, ORCHARD, RIVER)
    apples, later, dirt, dirtier, events = jax.tree.map(np.asarray, played(c, state, jax.random.key(2)))
    eaten, washed = (apples & ~later).sum(1), (dirt & ~dirtier).sum(1)
    harvest, clean = events["harvest"].sum(1), events["clean"].sum(1)
    assert harvest.sum() > 10
    assert clean.sum() > 20
    assert not (later & ~ORCHARD).any()
    assert not (dirtier & ~RIVER).any()
    if renewal == 0:
        assert (eaten == harvest).all()
        assert (washed == clean).all()
        assert (later.sum(1) == ORCHARD.sum() - harvest.cumsum()).all()
        assert (dirtier.sum(1) == RIVER.sum() - clean.cumsum()).all()
    else:  # what was taken may come back in the same step
        assert (eaten <= harvest).all()
        assert ((clean - washed == 0) | (clean - washed == 1)).all()
        assert (dirtier.sum(1) - dirt.sum(1) + clean <= 1).all()


# What is seen


def test_what_is_seen():
    c = SMALL.replace(agents=2, headings=True)
    rng = np.random.default_rng(5)
    apples, dirt = ORCHARD & (rng.random(len(ORCHARD)) < 0.5), RIVER & (rng.random(len(ORCHARD)) < 0.5)
    cell, facing = np.array([at(3, 7), at(6, 8)]), np.array([grid.SOUTH, grid.NORTH])
    state = state_of(cell, facing, apples, dirt)
    view = np.asarray(eqx.filter_jit(c.observe)(state)["view"])
    scene = c.scene(state)
    assert scene.planes[:5] == ("wall", "grass", "river", "apple", "dirt")
    words = ["same", "right", "towards", "left"]
    bodies = {
        f"heading.{w}": np.array([[(b - a) % 4 == k for b in facing] for a in facing]) for k, w in enumerate(words)
    }
    ground = {"wall": LAND.walls, "grass": LAND.mask("A"), "river": LAND.mask("DS")}
    sites = {"apple": apples, "dirt": dirt}
    seen = twins.view(LAND, scene.extent, cell, facing, [0, 0], ground, sites, bodies | {"agent": [True, True]}, {})
    assert (view == seen).all()


def test_the_river_and_its_dirt_are_painted():
    state = born(SMALL, jax.random.key(0))
    picture = grid.paint.paint(grid.still(SMALL.scene(state), kinds=SMALL.kinds), cell_px=8)
    middle = lambda row, col: picture[row * 8 + 4, col * 8 + 4].tolist()  # noqa: E731
    dirty, clean, sand = middle(1, 1), middle(1, 2), middle(5, 2)
    assert len({tuple(dirty), tuple(clean), tuple(sand)}) == 3


# Under institutions


def test_a_subsidy_pays_for_cleaning_and_a_levy_charges_free_riders():
    c, state = scene_of([(4, 4), (7, 8)], [grid.NORTH, grid.SOUTH], [(3, 3), (3, 4)])
    state = eqx.tree_at(lambda s: s.apples, state, jnp.asarray(ORCHARD))
    g = govern(c, Levy(on="clean", rate=-0.5), Levy(title="duty", on="freeride", rate=0.25))
    world = eqx.tree_at(lambda p: p.world, born(g, jax.random.key(0)), state)
    _, outcome = step(g, jax.random.key(0), world, jnp.array([CLEAN, AHEAD], jnp.int32))
    assert outcome.events["clean"].tolist() == [2, 0]
    assert outcome.reward.tolist() == [0, 1]
    assert outcome.transfer.tolist() == [1.0, -0.25]


def test_an_altar_can_forbid_apples_to_those_who_do_not_clean():
    g = govern(SMALL.replace(agents=2), Altar(on="freeride", names="forbidden", content=0, threshold=0, recovery=0))
    _, state = scene_of([(7, 4), (7, 8)], grid.SOUTH, [], merit=[0, 5])
    state = eqx.tree_at(lambda s: s.apples, state, jnp.asarray(ORCHARD))
    world = eqx.tree_at(lambda p: p.world, born(g, jax.random.key(0)), state)
    after, outcome = step(g, jax.random.key(0), world, jnp.array([AHEAD, AHEAD], jnp.int32))
    assert outcome.events["harvest"].tolist() == [1, 1]
    assert outcome.events["altar.violation"].tolist() == [1, 0]
    assert outcome.events["altar.marked"].tolist() == [1, 0]
    for t in range(30):  # the rule stays, although there may be no apple left
        after, _ = step(g, jax.random.key(t), after, jnp.array([TURN_LEFT, STAY], jnp.int32))
    assert int(after.memory[0].content) == 0


def test_a_taboo_can_mark_whoever_eats():
    govern(SMALL, Taboo(kinds="apple"))
    with pytest.raises(Refusal, match=r"taboo\.kinds has 'aple'"):
        govern(SMALL, Taboo(kinds="aple"))


@pytest.mark.parametrize("label", Cleanup.regimes)
def test_its_regimes_fit(label):
    g = govern(SMALL, *regimes.parse(label, Cleanup.regimes[label]).institutions)
    still = {head: jnp.zeros(5, jnp.int32) for head in g.actions}
    _, outcome = jax.eval_shape(lambda key: g.step(key, g.reset(key), still), jax.random.key(0))
    assert set(outcome.events) == set(g.emits)


# Beginnings


def test_reset_and_names():
    assert nomoi.Cleanup is Cleanup
    state = jax.jit(jax.vmap(SMALL.reset))(jax.random.split(jax.random.key(0), 500))
    cell = np.asarray(state.body.cell)
    assert all(len(set(row)) == 5 for row in cell)
    assert set(cell.ravel().tolist()) == set(LAND.find("P").tolist())
    assert not state.apples.any()


@pytest.mark.parametrize(
    ("drawing", "sentence"),
    [
        ("PPA", "needs an orchard"),
        ("PPS", "needs an orchard"),
        ("PAS", "has 1 places to start"),
        ("P?AS", "has '\\?' in row 1, column 2"),
    ],
)
def test_maps_that_cannot_be_played_are_refused(tmp_path, drawing, sentence):
    file = tmp_path / "map.txt"
    file.write_text(drawing, encoding="utf-8")
    with pytest.raises(Refusal, match=sentence):
        Cleanup(map=str(file), agents=2)


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(Refusal, match=r"cleanup\.brush is \(7, 2\)"):
        Cleanup(brush=(7, 2))
    with pytest.raises(Refusal, match=r"cleanup\.restoration is 0\.4, and must lie below"):
        Cleanup(restoration=0.4)
