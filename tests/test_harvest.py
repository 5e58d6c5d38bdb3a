"""Commons Harvest: the published constants, and every step against a slow twin with the same random words."""

import hashlib

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import twins
from scipy import stats

from nomoi import grid
from nomoi.errors import Refusal
from nomoi.situations.harvest import Harvest, State
from nomoi.situations.harvest_maps import MAPS
from nomoi.situations.walkers import AHEAD, STAY, ZAP

# Melting Pot's commons_harvest__open
OPEN = """
WWWWWWWWWWWWWWWWWWWWWWWW
WAAA    A      A    AAAW
WAA    AAA    AAA    AAW
WA    AAAAA  AAAAA    AW
W      AAA    AAA      W
W       A      A       W
W  A                A  W
W AAA  Q        Q  AAA W
WAAAAA            AAAAAW
W AAA              AAA W
W  A                A  W
W                      W
W                      W
W                      W
W  PPPPPPPPPPPPPPPPPP  W
W PPPPPPPPPPPPPPPPPPPP W
WPPPPPPPPPPPPPPPPPPPPPPW
WWWWWWWWWWWWWWWWWWWWWWWW
"""


def close(a, b):
    return np.asarray(a).tolist() == pytest.approx(b, abs=1e-6)


def plain(state):
    """A state as the twin keeps it."""
    body = state.body
    arrays = {"cell": body.cell, "facing": body.facing, "out": body.out, "cooling": state.cooling}
    arrays |= {"apples": state.apples, "time": state.time}
    return {name: np.asarray(value).tolist() for name, value in arrays.items()}


def state_of(cell, facing, apples, time=0, out=0, cooling=0):
    n = len(cell)
    full = lambda value: jnp.broadcast_to(jnp.asarray(value, jnp.int32), (n,))  # noqa: E731
    body = grid.Body(full(jnp.asarray(cell)), full(facing), full(out))
    return State(body, full(cooling), jnp.asarray(apples), jnp.asarray(time, jnp.int32))


@eqx.filter_jit
def step(h, key, state, move):
    """One step, compiled once a shape."""
    return h.step(key, state, {"move": move})


def patches(land):
    """The sites of each patch: apples that touch, also by a corner, in the order of their first cell."""
    left, found = set(land.sites.tolist()), []
    while left:
        edge, patch = [min(left)], set()
        while edge:
            cell = edge.pop()
            if cell in left:
                left.remove(cell)
                patch.add(cell)
                edge += [cell + down * land.width + over for down in (-1, 0, 1) for over in (-1, 0, 1)]
        found.append(sorted(patch))
    return found


# The published set-ups


def test_the_open_preset_is_melting_pots():
    h = Harvest.preset("open")
    assert (h.land.height, h.land.width, h.agents) == (18, 24, 7)
    assert close(h.regrowth, [0, 0.0025, 0.005, 0.025])
    assert (h.radius, h.beam, int(h.cooldown), int(h.exile)) == (2.0, (3, 1), 2, 4)
    assert (h.extent, int(h.least)) == ((9, 1, 5), 1000)
    assert h.actions == {"move": 8}


@pytest.mark.parametrize("name", ["closed", "partnership"])
def test_the_rooms_are_melting_pots(name):
    h = Harvest.preset(name)
    assert (h.land.height, h.land.width, h.agents) == (18, 24, 7)
    assert close(h.regrowth, [0, 0.001, 0.005, 0.025])
    assert (h.radius, h.beam, int(h.cooldown), int(h.exile)) == (2.0, (4, 1), 1, 100)
    assert float(h.trespass) == -10
    assert len(h.land.find("I")) == (14 if name == "partnership" else 0)


def test_the_open_map_is_melting_pots_row_by_row():
    drawn = MAPS["open"]
    assert drawn.translate(str.maketrans("RBG", "AAA")).strip() == OPEN.strip()


@pytest.mark.parametrize("name", ["open", "closed", "partnership"])
def test_64_apples_in_six_patches_of_three_zones(name):
    land = Harvest.preset(name).land
    assert land.sites.tolist() == Harvest.preset("open").land.sites.tolist()
    if name == "open":
        assert [len(patch) for patch in patches(land)] == [6, 13, 13, 6, 13, 13]
        zones = [{str(land.grid.ravel()[cell]) for cell in patch} for patch in patches(land)]
        assert zones == [{"R"}, {"B"}, {"B"}, {"R"}, {"G"}, {"G"}]
    h = Harvest.preset(name)
    assert h.kinds == ("red", "blue", "green")
    assert h.capacity().tolist() == [12, 26, 26]


def test_each_closed_room_has_one_door_and_the_partnership_rooms_share_a_divider():
    def reachable(land, start, shut=()):
        seen, edge = set(), [start]
        while edge:
            cell = edge.pop()
            if cell not in seen and not land.walls[cell] and cell not in shut:
                seen.add(cell)
                edge += [cell - 1, cell + 1, cell - land.width, cell + land.width]
        return seen

    for name in ("closed", "partnership"):
        land = Harvest.preset(name).land
        left, right = (int(c) for c in land.find("Q"))
        spawn = int(land.find("P")[0])
        doors = [11 * land.width + 10, 11 * land.width + 13]
        assert spawn in reachable(land, left)
        assert spawn not in reachable(land, left, doors)
        assert (right in reachable(land, left, doors)) == (name == "partnership")
        assert right not in reachable(land, left, [*doors, *land.find("I").tolist()])


def test_small_is_the_laptop_variant():
    h = Harvest.preset("small")
    assert (h.land.height, h.land.width, h.agents, h.horizon) == (11, 17, 5, 300)
    assert close(h.regrowth, [0, 0.005, 0.02, 0.05])
    assert h.capacity().tolist() == [13, 11, 13]


# The whole step


CASES = {
    "small": ("small", {"exile": 3}),
    "small, fast": ("small", {"regrowth": (0.1, 0.3, 0.5, 0.9), "agents": 9, "cooldown": 0, "thin": 5, "lottery": 1}),
    "open": ("open", {}),
    "open, fast": ("open", {"regrowth": (0, 0.1, 0.2, 0.6), "least": 100, "lottery": 0.7, "beam": (4, 2)}),
    "partnership": ("partnership", {"cooperators": 4, "exile": 2, "cooldown": 4, "horizon": 120}),
}


@pytest.mark.parametrize("case", CASES)
def test_step_against_the_twin(case):
    preset, changes = CASES[case]
    h = Harvest.preset(preset, **changes)
    rng = np.random.default_rng(len(case))
    land, n, total = h.land, h.agents, len(h.land.sites)
    # agents start anywhere, many near each other, so that they meet, and near the hundredth step
    free = np.flatnonzero(~land.walls)
    start = rng.choice(np.concatenate([free, land.sites, land.find("I")]), 4 * n)
    cell = list(dict.fromkeys(start.tolist()))[:n]
    state = state_of(cell, rng.integers(0, 4, n), rng.random(total) < 0.7, time=70)
    expected = plain(state)
    happened = {"harvest": 0, "zap": 0, "shot": 0, "regrown": 0, "back": 0}
    for t in range(60):
        key = jax.random.key(1000 + t)
        action = rng.choice(8, n, p=[0.05, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.15])
        words = {k: np.asarray(v) for k, v in grid.draw(key, order=n, spawn=n, grow=total, end=1).items()}
        away = np.array(expected["out"])
        state, outcome = step(h, key, state, jnp.asarray(action, jnp.int32))
        expected, told = twins.harvest_step(h, expected, action, words)
        assert plain(state) == expected
        assert outcome.reward.tolist() == told["reward"]
        assert bool(outcome.done) == told["done"]
        assert not outcome.transfer.any()
        assert set(outcome.events) == set(h.emits) == set(told["events"])
        for name, value in told["events"].items():
            assert np.asarray(outcome.events[name]).tolist() == np.asarray(value).tolist()
        for name in ("harvest", "zap", "shot"):
            happened[name] += int(np.sum(told["events"][name]))
        happened["regrown"] += sum(told["regrown"])
        happened["back"] += int(((away > 0) & (np.array(expected["out"]) == 0)).sum())
    assert happened["harvest"] > 5
    assert happened["shot"] > 10
    assert happened["zap"] > 0
    if int(h.exile) in (2, 3, 4):
        assert happened["back"] > 0
    if "fast" in case:
        assert happened["regrown"] > 20


@pytest.mark.parametrize("preset", ["small", "open"])
def test_conservation(preset):
    h = Harvest.preset(preset, regrowth=(0, 0.05, 0.1, 0.2))
    n, total, land = h.agents, len(h.land.sites), h.land

    def step(state, key):
        kept, moves = jax.random.split(key)
        words = grid.draw(kept, order=n, spawn=n, grow=total, end=1)
        move = jax.random.choice(moves, jnp.array([0, 1, 1, 1, 2, 3, 4, 5, 6], jnp.int32), (n,))
        after, outcome = h.step(kept, state, {"move": move})
        standing = grid.on(grid.site(land, after.body), total).any(0)
        return after, (state.apples, after.apples, standing, outcome.events["harvest"].sum(), words["grow"])

    rng = np.random.default_rng(0)
    cell = rng.permutation(np.flatnonzero(~land.walls))[:n]
    state = state_of(cell, 0, np.ones(total, bool))
    ran = jax.jit(lambda s: jax.lax.scan(step, s, jax.random.split(jax.random.key(1), 150)))(state)[1]
    before, after, standing, eaten, words = (np.asarray(x) for x in ran)
    gone = before & standing  # nobody is ever out of play here
    assert gone.sum() > 20
    assert (gone.sum(1) == eaten).all()
    rate = np.array([0, 0.05, 0.1, 0.2], np.float32)
    for t in range(len(before)):
        left = before[t] & ~gone[t]
        near = np.minimum(twins.neighbours(land, left, 2.0), 3)
        regrown = ~left & (np.array(twins.chance(words[t])) < rate[near])
        assert (after[t] == (left | regrown)).all()
        assert after[t].sum() == before[t].sum() - eaten[t] + regrown.sum()


def test_without_regrowth_what_is_eaten_is_gone():
    h = Harvest.preset("small", regrowth=(0, 0, 0, 0))
    state, eaten = h.reset(jax.random.key(0)), 0.0
    for t in range(80):
        key = jax.random.fold_in(jax.random.key(7), t)
        move = jax.random.choice(key, jnp.array([1, 1, 1, 3, 4, 5, 6], jnp.int32), (h.agents,))
        state, outcome = step(h, key, state, move)
        eaten += float(outcome.events["harvest"].sum())
        assert float(h.stock(state).sum()) == 37 - eaten
    assert eaten > 5


# Regrowth


def test_a_dead_patch_never_grows_back():
    h = Harvest.preset("open", regrowth=(0, 1, 1, 1))
    land = h.land

    @jax.jit
    def wait(state):
        still = jnp.zeros(7, jnp.int32)
        keys = jax.random.split(jax.random.key(0), 200)
        return jax.lax.scan(lambda s, key: (h.step(key, s, {"move": still})[0], None), state, keys)[0]

    for patch in patches(land):
        apples = ~np.isin(land.sites, patch)
        assert wait(state_of(land.find("P")[:7], 0, apples)).apples.tolist() == apples.tolist()


def test_regrowth_frequency_by_live_neighbours():
    h = Harvest.preset("open", regrowth=(0.0, 0.0025, 0.05, 0.25))
    apples = np.random.default_rng(4).random(64) < 0.35
    near = np.minimum(twins.neighbours(h.land, apples, 2.0), 3)
    state = state_of(h.land.find("P")[:7], 0, apples)
    keys, still = jax.random.split(jax.random.key(8), 6000), {"move": jnp.zeros(7, jnp.int32)}
    after = np.asarray(jax.jit(jax.vmap(lambda key: h.step(key, state, still)[0].apples))(keys))
    assert after[:, apples].all()
    for k, rate in enumerate([0.0, 0.0025, 0.05, 0.25]):
        sites = ~apples & (near == k)
        assert sites.any()
        grown, tries = int(after[:, sites].sum()), after[:, sites].size
        assert grown == 0 if rate == 0 else stats.binomtest(grown, tries, rate).pvalue > 1e-3


# Zapping


def duel(exile, cooldown=2):
    """Agent 0 stands behind agent 1, both looking north at an apple of the small map."""
    h = Harvest.preset("small", agents=2, exile=exile, cooldown=cooldown, regrowth=(0, 0, 0, 0))
    width = h.land.width
    return h, state_of([7 * width + 3, 6 * width + 3], grid.NORTH, np.ones(37, bool))


@pytest.mark.parametrize("exile", [1, 4, 10])
def test_the_zapped_are_absent_exactly_so_many_steps(exile):
    h, state = duel(exile)
    cell = int(state.body.cell[1])
    state, outcome = step(h, jax.random.key(0), state, jnp.array([ZAP, STAY], jnp.int32))
    assert outcome.events["zap"].tolist() == [[0, 1], [0, 0]]
    absent, observe, aim = 0, eqx.filter_jit(h.observe), eqx.filter_jit(h.aim)
    while not bool(h.present(state)[1]):
        assert int(state.body.cell[1]) == cell
        assert not np.asarray(observe(state)["view"])[1].any()
        assert not aim(state).any()
        absent += 1
        move = jnp.array([ZAP, AHEAD if absent % 2 else ZAP], jnp.int32)  # it cannot act, nor be hit again
        state, outcome = step(h, jax.random.key(absent), state, move)
        assert not outcome.events["zap"].any()
        assert not outcome.events["harvest"].any()
        assert outcome.events["shot"][1] == 0
        assert absent < 50
    assert absent == exile
    assert int(state.body.cell[1]) in h.land.find("P")
    assert int(state.body.facing[1]) == grid.NORTH


def test_without_exile_a_hit_is_only_told():
    h, state = duel(0)
    state, outcome = step(h, jax.random.key(0), state, jnp.array([ZAP, STAY], jnp.int32))
    assert outcome.events["zap"].tolist() == [[0, 1], [0, 0]]
    assert state.body.out.tolist() == [0, 0]


def test_two_who_fire_at_each_other_both_hit():
    h, state = duel(4)
    state = state_of(state.body.cell, [grid.NORTH, grid.SOUTH], state.apples)
    state, outcome = step(h, jax.random.key(0), state, jnp.array([ZAP, ZAP], jnp.int32))
    assert outcome.events["zap"].tolist() == [[0, 1], [1, 0]]
    assert state.body.out.tolist() == [4, 4]


@pytest.mark.parametrize("cooldown", [0, 1, 2, 5])
def test_so_many_full_steps_lie_between_two_shots(cooldown):
    h, state = duel(0, cooldown)
    shots = []
    for t in range(13):
        assert (float(h.senses(state)["ready"][0, 0]) == 1) == (t % (cooldown + 1) == 0)
        state, outcome = step(h, jax.random.key(t), state, jnp.array([ZAP, STAY], jnp.int32))
        shots.append(int(outcome.events["shot"][0]))
    assert shots == [int(t % (cooldown + 1) == 0) for t in range(13)]


# Eating and seeing


def test_the_last_apple_of_a_patch_is_sparse_and_a_zone_has_its_kind():
    h = Harvest.preset("open", agents=2)
    width, apples = h.land.width, np.zeros(64, bool)
    red, blue = 1 * width + 1, 3 * width + 8
    near = [blue - 1, blue + 1, blue - width]
    apples[h.land.site_of[[red, blue, *near]]] = True
    state = state_of([red + 1, blue + width], [grid.WEST, grid.NORTH], apples)
    state, outcome = step(h, jax.random.key(0), state, jnp.array([AHEAD, AHEAD], jnp.int32))
    assert outcome.events["harvest"].tolist() == [1, 1]
    assert outcome.events["sparse"].tolist() == [1, 0]
    assert outcome.events["kind"].tolist() == [0, 1]
    assert outcome.reward.tolist() == [1, 1]
    assert h.stock(state).tolist() == [0, 3, 0]


def test_only_bearers_of_the_role_pay_for_trespass():
    h = Harvest.preset("partnership", agents=2, cooperators=1)
    tiles = h.land.find("I")
    state = state_of(tiles[[0, 5]], grid.NORTH, np.ones(64, bool))
    _, outcome = step(h, jax.random.key(0), state, jnp.zeros(2, jnp.int32))
    assert outcome.events["trespass"].tolist() == [1, 0]
    assert outcome.reward.tolist() == [-10, 0]


def test_what_is_seen():
    h = Harvest.preset("partnership", agents=3, compass=True)
    rng = np.random.default_rng(5)
    cell = rng.permutation(np.flatnonzero(~h.land.walls))[:3]
    cell[:2] = h.land.find("I")[1], h.land.find("I")[2]
    facing = np.array([1, 3, 0])
    apples = rng.random(64) < 0.5
    state = state_of(cell, facing, apples, out=[0, 0, 2])
    seen = eqx.filter_jit(h.observe)(state)
    scene = h.scene(state)
    words = ["same", "right", "towards", "left"]
    turned = {
        f"heading.{w}": np.array([[(b - a) % 4 == k for b in facing] for a in facing]) for k, w in enumerate(words)
    }
    ground = {"wall": h.land.walls, "closed": h.land.mask("I")}
    bodies = {"agent": np.ones(3, bool)} | turned
    expected = twins.view(h.land, scene.extent, cell, facing, [0, 0, 2], ground, {"apple": apples}, bodies, {})
    assert (np.asarray(seen["view"]) == expected).all()
    assert seen["view"].shape == (3, 11, 11)
    row, col = cell // 24, cell % 24
    assert close(seen["compass"][0], [0, 1, 0, 0, 2 * row[0] / 18 - 1, 2 * col[0] / 24 - 1])
    assert not seen["compass"][2].any()


def test_which_way_others_face_is_told_as_oneself_would_see_it():
    """Every pair of headings: to who faces north, who faces east is turned to the right."""
    h = Harvest.preset("partnership", agents=4)
    scene = h.scene(state_of(h.land.find("P")[:4], np.arange(4), np.zeros(64, bool)))
    words = {"same": "NESW", "right": "ESWN", "towards": "SWNE", "left": "WNES"}  # as N, E, S, W see them
    for word, seen in words.items():
        told = np.asarray(scene.bodies[f"heading.{word}"])
        assert told.tolist() == [[facing == other for other in "NESW"] for facing in seen]


# Beginnings and ends


@pytest.mark.parametrize("preset", ["small", "open", "closed", "partnership"])
def test_reset_puts_everyone_on_a_cell_of_their_own(preset):
    h = Harvest.preset(preset)
    state = jax.jit(jax.vmap(h.reset))(jax.random.split(jax.random.key(0), 2000))
    cell = np.asarray(state.body.cell)
    assert all(len(set(row)) == h.agents for row in cell)
    inner = h.land.find("Q")
    assert np.isin(cell[:, : len(inner)], inner).all()
    assert np.isin(cell[:, len(inner) :], h.land.find("P")).all()
    assert state.apples.all()
    assert not np.asarray(state.body.out).any()
    assert not np.asarray(state.time).any()
    assert stats.chisquare(np.bincount(np.asarray(state.body.facing).ravel(), minlength=4)).pvalue > 1e-3
    last = np.unique(cell[:, -1], return_counts=True)[1]
    assert len(last) == len(h.land.find("P"))
    assert stats.chisquare(last).pvalue > 1e-3


def test_reset_where_the_outer_places_are_too_few(tmp_path):
    file = tmp_path / "crowded.txt"
    file.write_text("A Q\nPPQ\nQ A\n", encoding="utf-8")
    h = Harvest.preset("small", map=str(file), agents=5)
    cell = np.asarray(jax.jit(jax.vmap(h.reset))(jax.random.split(jax.random.key(0), 500)).body.cell)
    assert all(len(set(row)) == 5 for row in cell)


@pytest.mark.parametrize(
    ("drawing", "sentence"),
    [
        ("PP", "has no apple"),
        ("AP", "has 1 places to start"),
        ("AQQ", "has no spawn place"),
        ("A?P", "has '\\?' in row 1, column 2; its letters are space, W, P"),
    ],
)
def test_maps_that_cannot_be_played_are_refused(tmp_path, drawing, sentence):
    file = tmp_path / "map.txt"
    file.write_text(drawing, encoding="utf-8")
    with pytest.raises(Refusal, match=sentence):
        Harvest.preset("small", map=str(file), agents=2)


@pytest.mark.parametrize("beam", [(-1, 0), (0, 0), (0, 2), (7, 2), (3, -1), (3,), (3, 1, 1)])
def test_beams_that_cannot_be_fired_are_refused(beam):
    with pytest.raises(Refusal, match=r"harvest\.beam is"):
        Harvest.preset("small", beam=beam)


@pytest.mark.parametrize("beam", [(1, 0), (1, 2), (3, 1), (6, 2)])
def test_beams_that_can_be_fired_are_not_refused(beam):
    h = Harvest.preset("small", beam=beam)
    state = state_of(h.land.find("P")[:5], 0, np.ones(37, bool))
    assert h.aim(state).shape == (5, 5)


def test_the_lottery_ends_episodes_only_at_hundreds_from_the_least_on():
    h = Harvest.preset("open", lottery=0.15, least=1000, horizon=3000)
    times, keys = jnp.arange(3001, dtype=jnp.int32), jax.random.split(jax.random.key(0), 300)
    words = jax.vmap(lambda key: grid.draw(key, end=3001)["end"])(keys)
    over = np.asarray(jax.jit(jax.vmap(jax.vmap(h.over), (None, 0)))(times, words))
    may = np.array([t >= 1000 and t % 100 == 0 for t in range(3000)])
    assert over[:, 3000].all()
    assert not over[:, :3000][:, ~may].any()
    drawn = over[:, :3000][:, may]
    assert stats.binomtest(int(drawn.sum()), drawn.size, 0.15).pvalue > 1e-3


@pytest.mark.parametrize(
    ("time", "rate"), [(998, 0), (999, 0.15), (1000, 0), (1099, 0.15), (899, 0), (2998, 0), (2999, 1)]
)
def test_the_lottery_is_held_in_the_step(time, rate):
    h = Harvest.preset("open", lottery=0.15, least=1000, horizon=3000)
    state, still = h.reset(jax.random.key(0)), {"move": jnp.zeros(7, jnp.int32)}
    state = State(state.body, state.cooling, state.apples, jnp.asarray(time, jnp.int32))
    step = jax.jit(jax.vmap(lambda key: h.step(key, state, still)[1].done))
    ended = int(np.asarray(step(jax.random.split(jax.random.key(3), 2000))).sum())
    assert ended == 2000 * rate if rate in (0, 1) else stats.binomtest(ended, 2000, rate).pvalue > 1e-3


# One seed, one trajectory


def scripted(t, n):
    """Actions that need no generator: eight choices, mixed well."""
    return jnp.array([((t * 7919 + i * 104729 + t * i * 31) >> 3) % 8 for i in range(n)], jnp.int32)


def trajectory(h, seed, steps=100):
    """The whole integer state after each step, as bytes."""
    key = jax.random.key(seed)
    state = h.reset(key)
    kept = []
    for t in range(steps):
        kept.append(np.concatenate([np.ravel(v).astype("<i4") for v in plain(state).values()]))
        state, _ = step(h, jax.random.fold_in(key, t), state, scripted(t, h.agents))
    kept.append(np.concatenate([np.ravel(v).astype("<i4") for v in plain(state).values()]))
    return np.stack(kept).tobytes()


@pytest.mark.parametrize(("preset", "golden"), [("small", "290393f1d5d98d03"), ("open", "99fe1e917f5133ae")])
def test_one_seed_is_one_trajectory(preset, golden):
    h = Harvest.preset(preset, exile=5)
    ran = trajectory(h, 42)
    assert ran == trajectory(h, 42)
    assert ran != trajectory(h, 43)
    assert hashlib.sha256(ran).hexdigest()[:16] == golden
