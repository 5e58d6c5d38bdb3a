"""Mushrooms: Melting Pot's constants, every step against a slow twin, and what institutions read in it."""

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
from nomoi.institutions.sanction import Sanction
from nomoi.institutions.taboo import Taboo
from nomoi.runs import regimes
from nomoi.situations.mushrooms import BLUE, GREEN, KINDS, NONE, ORANGE, RED, Mushrooms, State
from nomoi.situations.walkers import AHEAD, BACK, LEFT, STAY, TURN_LEFT, ZAP

SMALL = Mushrooms()
LAND = SMALL.land
TOTAL = len(LAND.sites)
LINE = {"cell": [(7, 6), (1, 1), (1, 3), (1, 5), (1, 7)]}  # agent 0 is to eat, the others are far


def plain(state):
    """A state as the twin keeps it."""
    body = state.body
    arrays = {"cell": body.cell, "facing": body.facing, "out": body.out, "cooling": state.cooling}
    arrays |= {"frozen": state.frozen, "hurt": state.hurt, "bears": state.bears, "age": state.age, "time": state.time}
    return {name: np.asarray(value).tolist() for name, value in arrays.items()}


def state_of(cell, facing, bears, age=0, time=0, **counts):
    n = len(cell)
    full = lambda value: jnp.broadcast_to(jnp.asarray(value, jnp.int32), (n,))  # noqa: E731
    body = grid.Body(full(jnp.asarray(cell)), full(facing), full(counts.get("out", 0)))
    rest = [full(counts.get(name, 0)) for name in ("cooling", "frozen", "hurt")]
    ages = jnp.broadcast_to(jnp.asarray(age, jnp.int32), (len(bears),))
    return State(body, *rest, jnp.asarray(bears, jnp.int32), ages, jnp.asarray(time, jnp.int32))


@eqx.filter_jit
def step(m, key, state, move):
    """One step, compiled once a shape."""
    return m.step(key, state, {"move": move})


@eqx.filter_jit
def born(m, key):
    return m.reset(key)


@eqx.filter_jit
def many(m, keys, state, move):
    return jax.vmap(lambda key: m.step(key, state, {"move": move}))(keys)


def at(row, col):
    return row * LAND.width + col


def table(kinds, agents=None, facing=grid.NORTH, **counts):
    """The small map with `kinds` {(row, column): kind} on it, and five agents of which the first is at (7, 6)."""
    bears = np.full(TOTAL, NONE)
    for cell, kind in kinds.items():
        bears[LAND.site_of[at(*cell)]] = kind
    return state_of([at(*cell) for cell in agents or LINE["cell"]], facing, bears, **counts)


def moves(first, *rest):
    return jnp.array([first, *rest, *[STAY] * (4 - len(rest))], jnp.int32)


def keys(count, seed=0):
    return jax.random.split(jax.random.key(seed), count)


# The published set-up


def test_the_paper_preset_has_melting_pots_numbers():
    m = Mushrooms.preset("paper")
    assert (m.land.height, m.land.width, m.agents, m.horizon, m.extent) == (14, 23, 5, 1000, (9, 1, 5))
    assert [int((m.land.letter == letter).sum()) for letter in "RGBO"] == [3, 3, 3, 1]
    assert (m.beam, int(m.cooldown), int(m.stun), int(m.recovery), int(m.exile)) == ((3, 1), 3, 25, 50, 50)
    assert m.worth.tolist() == [1, 2, 3, -1]
    assert m.spores == (3, 3, 3, 1)
    assert m.sprouts.tolist() == pytest.approx([0.25, 0.4, 0.6, 1.0])
    assert m.digestion.tolist() == [0, 10, 15, 15]
    assert m.spoilage.tolist() == [200, 100, 75, 0]
    assert float(m.blight) == 0.25
    assert m.kinds == ("red", "green", "blue", "orange")
    assert m.stock(born(m, jax.random.key(0))).tolist() == [3, 3, 3, 1]
    assert m.capacity().tolist() == [len(m.land.sites)] * 4


# What a mushroom is worth, and to whom

SHARES = {
    RED: [1.0, 0, 0, 0, 0],
    GREEN: [0.4] * 5,
    BLUE: [0, 0.75, 0.75, 0.75, 0.75],
    ORANGE: [-0.2] * 5,
}


@pytest.mark.parametrize("kind", SHARES)
def test_to_whom_each_kind_goes(kind):
    state = table({(6, 6): kind})
    after, outcome = step(SMALL, jax.random.key(0), state, moves(AHEAD))
    assert outcome.reward.tolist() == pytest.approx(SHARES[kind])
    assert outcome.events["harvest"].tolist() == [1, 0, 0, 0, 0]
    assert outcome.events["kind"].tolist() == [kind, 0, 0, 0, 0]
    assert outcome.events["externality"].tolist() == pytest.approx([sum(SHARES[kind][1:]), 0, 0, 0, 0])
    assert int(after.bears[LAND.site_of[at(6, 6)]]) == NONE


@pytest.mark.parametrize("kind", SHARES)
def test_the_share_of_those_out_of_play_is_lost(kind):
    state = table({(6, 6): kind}, out=[0, 0, 9, 0, 9])
    _, outcome = step(SMALL, jax.random.key(0), state, moves(AHEAD))
    here = np.array([1, 1, 0, 1, 0])
    assert outcome.reward.tolist() == pytest.approx((np.array(SHARES[kind]) * here).tolist())
    assert outcome.events["externality"][0] == pytest.approx(sum(SHARES[kind][j] for j in (1, 3)))


def test_two_who_eat_at_once_give_to_each_other():
    agents = [(7, 6), (7, 4), (1, 3), (1, 5), (1, 7)]
    state = table({(6, 6): BLUE, (6, 4): GREEN}, agents)
    _, outcome = step(SMALL, jax.random.key(0), state, moves(AHEAD, AHEAD))
    assert outcome.reward.tolist() == pytest.approx([0.4, 1.15, 1.15, 1.15, 1.15])
    assert outcome.events["externality"].tolist() == pytest.approx([3.0, 1.6, 0, 0, 0])


def test_alone_blue_is_worth_nothing():
    m = SMALL.replace(agents=1)
    state = jax.tree.map(lambda x: x[:1] if x.shape == (5,) else x, table({(6, 6): BLUE}))
    _, outcome = step(m, jax.random.key(0), state, jnp.array([AHEAD], jnp.int32))
    assert outcome.events["harvest"].tolist() == [1]
    assert outcome.reward.tolist() == [0]


# Spores

SPROUTS = {RED: [0.25, 0, 0, 0], GREEN: [0.25, 0.4, 0, 0], BLUE: [0.25, 0.4, 0.6, 0], ORANGE: [0, 0, 0, 1.0]}


@pytest.mark.parametrize("kind", SPROUTS)
def test_what_grows_after_each_kind(kind):
    """Each spore becomes each kind by itself; with so many free cells few fall together or under somebody."""
    state = table({(6, 6): kind})
    after, _ = many(SMALL, keys(3000, kind), state, moves(AHEAD))
    grown = np.asarray((after.bears[..., None] == np.arange(4)).sum(1))  # [keys, kinds]
    spores = 1 if kind == ORANGE else 3
    free = (TOTAL - 1 - 4) / (TOTAL - 1)  # the cells of the four who stand still take none; the eaten one's is not free
    for k, chance in enumerate(SPROUTS[kind]):
        if chance == 0:
            assert not grown[:, k].any()
        else:
            trials, found = 3000 * spores, int(grown[:, k].sum())
            expected = spores * chance * free
            assert found / 3000 == pytest.approx(expected, abs=4 * np.sqrt(trials) / 2 / 3000 + 0.04 * spores)
    assert grown.sum(1).max() <= spores * 3
    if kind == RED:
        counts = np.bincount(grown[:, RED], minlength=4)
        assert counts[0] / 3000 == pytest.approx((1 - 0.25 * free) ** 3, abs=0.03)
    if kind == ORANGE:
        assert stats.binomtest(int(grown.sum()), 3000, free).pvalue > 1e-3


def test_spores_fall_evenly_on_what_is_free_and_never_under_somebody():
    state = table({(6, 6): ORANGE, (3, 3): RED, (3, 4): BLUE})
    after, _ = many(SMALL.replace(blight=0.0), keys(6000, 7), state, moves(AHEAD))
    grown = np.asarray(after.bears == ORANGE).sum(0)
    taken = LAND.site_of[[at(6, 6), at(3, 3), at(3, 4), *[at(*c) for c in LINE["cell"][1:]]]]
    assert not grown[taken].any()
    free = np.setdiff1d(np.arange(TOTAL), taken)
    assert grown[free].min() > 0
    assert stats.chisquare(grown[free]).pvalue > 1e-3


def test_nothing_grows_where_nothing_is_eaten_or_nothing_is_free():
    state = table({(6, 6): BLUE})
    for bears in (state.bears, jnp.full(TOTAL, RED)):
        same = eqx.tree_at(lambda s: s.bears, state, bears.at[LAND.site_of[np.array(state.body.cell)]].set(NONE))
        after, _ = step(SMALL, jax.random.key(0), same, moves(STAY))
        assert after.bears.tolist() == same.bears.tolist()
    full = eqx.tree_at(lambda s: s.bears, state, jnp.full(TOTAL, ORANGE).at[LAND.site_of[at(6, 6)]].set(BLUE))
    after, outcome = step(SMALL, jax.random.key(0), full, moves(AHEAD))
    assert outcome.events["harvest"].sum() == 5
    assert set(np.asarray(after.bears)) <= {ORANGE, NONE}


@pytest.mark.parametrize("oranges", [0, 1, 2])
def test_orange_kills_a_quarter_of_the_red(oranges):
    agents = [(7, 6), (7, 4), (1, 3), (1, 5), (1, 7)]
    food = {(6, 6): ORANGE, (6, 4): ORANGE if oranges == 2 else GREEN}
    reds, greens = [(3, c) for c in range(1, 12)], [(2, c) for c in range(1, 12)]
    state = table(food | dict.fromkeys(reds, RED) | dict.fromkeys(greens, GREEN), agents)
    move = moves(*[STAY, AHEAD, AHEAD][oranges : oranges + 1] or [AHEAD], *([AHEAD] if oranges == 2 else []))
    after, _ = many(SMALL.replace(sprouts=(0.0, 0.0, 0.0, 0.0)), keys(800, oranges), state, move)
    there = np.asarray(after.bears)
    sites = LAND.site_of[[at(*c) for c in reds]]
    assert (there[:, LAND.site_of[[at(*c) for c in greens]]] == GREEN).all()
    dead = int((there[:, sites] == NONE).sum())
    chance = 1 - 0.75**oranges
    assert dead == 0 if oranges == 0 else stats.binomtest(dead, 800 * len(reds), chance).pvalue > 1e-3


# Freezing


@pytest.mark.parametrize(("kind", "steps"), [(RED, 0), (GREEN, 10), (BLUE, 15), (ORANGE, 15)])
def test_who_digests_neither_walks_nor_turns_but_fires(kind, steps):
    state = table({(6, 6): kind})
    state, _ = step(SMALL, jax.random.key(0), state, moves(AHEAD))
    assert int(state.frozen[0]) == steps
    for t in range(steps):
        move = [BACK, TURN_LEFT, LEFT][t % 3]
        state, _ = step(SMALL, jax.random.key(t), state, moves(move))
        assert (int(state.body.cell[0]), int(state.body.facing[0])) == (at(6, 6), grid.NORTH)
    assert bool(SMALL.scene(state).bodies["frozen"][0]) is False
    fired, outcome = step(
        SMALL, jax.random.key(0), eqx.tree_at(lambda s: s.frozen, state, state.frozen + 3), moves(ZAP)
    )
    assert outcome.events["shot"].tolist() == [1, 0, 0, 0, 0]
    assert int(fired.cooling[0]) == 3
    state, _ = step(SMALL, jax.random.key(1), state, moves(BACK))
    assert int(state.body.cell[0]) == at(7, 6)


def duel(**counts):
    """Agent 0 stands behind agent 1."""
    return table({}, [(6, 6), (6, 7), (1, 3), (1, 5), (1, 7)], grid.EAST, **counts)


def test_a_hit_freezes_for_25_steps_and_stops_the_beam():
    state, outcome = step(SMALL, jax.random.key(0), duel(), moves(ZAP))
    assert outcome.events["zap"].sum() == 1
    assert not outcome.reward.any()
    assert bool(SMALL.scene(state).bodies["hurt"][1])
    assert bool(SMALL.scene(state).bodies["frozen"][1])
    told = SMALL.senses(state)
    assert told["still"][1].tolist() == [1, 1]
    assert float(told["ready"][1, 0]) == 0
    free = []
    for t in range(27):
        after, outcome = step(SMALL, jax.random.key(t), state, moves(STAY, ZAP))
        assert bool(SMALL.present(after)[1])
        free.append(int(outcome.events["shot"][1]))
        walked, _ = step(SMALL, jax.random.key(t), state, moves(STAY, AHEAD))
        assert (int(walked.body.cell[1]) != at(6, 7)) == (t >= 25)
        state, _ = step(SMALL, jax.random.key(t), state, moves(STAY))
    assert free == [0] * 25 + [1] * 2


@pytest.mark.parametrize(("wait", "removed"), [(1, True), (30, True), (49, True), (50, False), (60, False)])
def test_a_second_hit_within_fifty_steps_removes(wait, removed):
    """Steps without a hit lie between the two hits."""
    state, _ = step(SMALL, jax.random.key(0), duel(), moves(ZAP))
    state = eqx.tree_at(lambda s: s.cooling, state, jnp.zeros(5, jnp.int32))
    for t in range(wait):
        state, _ = step(SMALL, jax.random.key(t), state, moves(STAY))
    state, outcome = step(SMALL, jax.random.key(0), state, moves(ZAP))
    assert outcome.events["zap"].sum() == 1
    assert bool(SMALL.present(state)[1]) is not removed
    if not removed:
        assert int(state.hurt[1]) == 50
        return
    assert (int(state.frozen[1]), int(state.hurt[1]), int(state.body.out[1])) == (0, 0, 50)
    absent = 0
    while not bool(SMALL.present(state)[1]):
        state, _ = step(SMALL, jax.random.key(absent), state, moves(STAY))
        absent += 1
    assert 50 <= absent < 60  # on a taken cell it tries again
    assert not state.hurt.any()


def test_without_exile_nobody_is_removed_and_one_may_be_hurt_anew():
    m = SMALL.replace(exile=0)
    state, _ = step(m, jax.random.key(0), duel(hurt=[0, 5, 0, 0, 0]), moves(ZAP))
    assert m.present(state).all()
    assert int(state.hurt[1]) == 0


def test_whoever_a_sanction_removes_comes_back_unharmed():
    state = duel(hurt=[0, 5, 0, 0, 0], frozen=[0, 7, 0, 0, 3])
    gone = SMALL.remove(state, jnp.arange(5) == 1, jnp.array(4, jnp.int32))
    assert gone.frozen.tolist() == [0, 0, 0, 0, 3]
    assert not gone.hurt.any()
    assert gone.body.out.tolist() == [0, 4, 0, 0, 0]


def test_a_beam_destroys_the_mushrooms_on_its_way_but_not_behind_somebody():
    food = {(6, c): RED for c in (8, 9, 10)} | {(6, 5): BLUE, (5, 6): GREEN, (5, 8): GREEN, (5, 9): GREEN}
    agents = [(6, 6), (1, 1), (1, 3), (1, 5), (1, 7)]
    state = table(food, agents, grid.EAST)
    after, _ = step(SMALL, jax.random.key(0), state, moves(ZAP))
    left = {divmod(int(c), LAND.width) for c in LAND.sites[np.asarray(after.bears) < NONE]}
    assert left == {(6, 5), (5, 9), (6, 10)}  # sideways the beam reaches one cell less far
    state = table(food, [(6, 6), (6, 8), (1, 3), (1, 5), (1, 7)], grid.EAST)
    after, outcome = step(SMALL, jax.random.key(0), state, moves(ZAP))
    assert outcome.events["harvest"].tolist() == [0, 1, 0, 0, 0]  # it stood on one
    assert int(after.bears[LAND.site_of[at(6, 9)]]) == RED


# Spoiling


@pytest.mark.parametrize(("kind", "steps"), [(RED, 200), (GREEN, 100), (BLUE, 75), (ORANGE, None)])
def test_what_is_not_eaten_spoils(kind, steps):
    last = steps or 10**6
    for age, there in ((last - 2, True), (last - 1, steps is None)):
        after, _ = step(SMALL, jax.random.key(0), table({(3, 3): kind}, age=age), moves(STAY))
        assert (int(after.bears[LAND.site_of[at(3, 3)]]) == kind) is there
        assert int(after.age[LAND.site_of[at(3, 3)]]) == (age + 1 if there else 0)


def test_a_new_one_is_new_although_an_old_one_stood_there():
    state = table({(6, 6): ORANGE}, age=60)
    after, _ = step(SMALL, jax.random.key(0), state, moves(AHEAD))
    assert not after.age.any()
    for t in range(3):
        after, _ = step(SMALL, jax.random.key(t), after, moves(STAY))
    assert (np.asarray(after.age) == np.where(np.asarray(after.bears) == ORANGE, 3, 0)).all()


# The whole step

CASES = {
    "small": ("small", {}),
    "small, fast": ("small", {"stun": 2, "recovery": 6, "exile": 3, "cooldown": 0, "spoilage": (20, 9, 0, 12),
                              "digestion": (0, 1, 3, 2), "agents": 9, "blight": 0.5}),
    "paper": ("paper", {"digestion": (1, 0, 2, 0), "spores": (2, 1, 4, 3), "sprouts": (0.5, 0.9, 0.7, 0.8)}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_step_against_the_twin(case):
    preset, changes = CASES[case]
    m = Mushrooms.preset(preset, **changes)
    rng = np.random.default_rng(len(case))
    land, n, total = m.land, m.agents, len(m.land.sites)
    bears = np.where(rng.random(total) < 0.5, rng.integers(0, 4, total), NONE)
    cell = rng.permutation(land.sites[: 3 * n])[:n]
    state = state_of(cell, rng.integers(0, 4, n), bears, rng.integers(0, 60, total))
    expected = plain(state)
    seeds = n * max(m.spores) * 4
    names = ("harvest", "zap", "shot", "sprouted", "lost", "blighted", "razed", "spoilt")
    happened = dict.fromkeys(names, 0)
    for t in range(60):
        key = jax.random.key(2000 + t)
        action = rng.choice(8, n, p=[0.05, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.15])
        counts = {"order": n, "spawn": n, "sprout": seeds, "place": seeds, "blight": total}
        words = {k: np.asarray(v) for k, v in grid.draw(key, **counts).items()}
        state, outcome = step(m, key, state, jnp.asarray(action, jnp.int32))
        expected, told = twins.mushrooms_step(m, expected, action, words)
        assert plain(state) == expected
        assert outcome.reward.tolist() == pytest.approx(told["reward"], abs=1e-6)
        assert bool(outcome.done) == told["done"]
        assert not outcome.transfer.any()
        assert set(outcome.events) == set(m.emits) == set(told["events"])
        for name, value in told["events"].items():
            np.testing.assert_allclose(np.asarray(outcome.events[name]), np.asarray(value, float), atol=1e-6)
        for name in happened:
            happened[name] += int(np.sum(told["events"].get(name, told.get(name))))
    quiet = {"zap", "lost", "blighted"} if case != "small, fast" else set()
    assert not [name for name in names if happened[name] == 0 and name not in quiet], happened


@eqx.filter_jit
def played(m, state, key):
    """200 steps of random play: what stands before and after each, where agents stand, and the events."""

    def tick(state, key):
        move = jax.random.randint(jax.random.fold_in(key, 1), (m.agents,), 0, 7)
        after, outcome = m.step(key, state, {"move": move})
        return after, (state.bears, after.bears, outcome.events)

    return jax.lax.scan(tick, state, jax.random.split(key, 200))[1]


def test_what_is_eaten_leaves_the_ground():
    """Without spores, spoiling and shots each kind loses exactly what is eaten of it, and red what orange kills."""
    m = SMALL.replace(sprouts=(0.0, 0.0, 0.0, 0.0), spoilage=(0, 0, 0, 0), digestion=(0, 0, 0, 0), blight=0.0)
    bears = np.arange(TOTAL) % 5
    before, after, events = jax.tree.map(
        np.asarray, played(m, state_of(LAND.sites[::15][:5], 0, bears), jax.random.key(1))
    )
    assert events["harvest"].sum() > 30
    for k in range(4):
        took = ((events["harvest"] > 0) & (events["kind"] == k)).sum(1)
        np.testing.assert_array_equal((before == k).sum(1) - (after == k).sum(1), took)
    assert ((before == after) | (after == NONE)).all()


# What is seen


def test_what_is_seen():
    m = SMALL.replace(agents=2)
    bears = np.random.default_rng(5).integers(0, 5, TOTAL)
    cell, facing = np.array([at(3, 7), at(6, 8)]), np.array([grid.SOUTH, grid.NORTH])
    state = state_of(cell, facing, bears, frozen=[3, 0], hurt=[0, 4])
    view = np.asarray(eqx.filter_jit(m.observe)(state)["view"])
    scene = m.scene(state)
    sites = {f"mushroom.{kind}": bears == k for k, kind in enumerate(KINDS)}
    bodies = {"agent": [True, True], "frozen": [True, False], "hurt": [False, True]}
    seen = twins.view(LAND, scene.extent, cell, facing, [0, 0], {"wall": LAND.walls}, sites, bodies, {})
    assert (view == seen).all()
    still = grid.still(scene, kinds=m.kinds)
    assert dict(grid.paint.legend(still)).items() >= {k: grid.paint.colour(k) for k in KINDS}.items()
    assert m.stock(state).tolist() == [(bears == k).sum() for k in range(4)]


# Under institutions


def under(state, first, *institutions):
    """What one step brings under institutions in which agent 0 does `first`."""
    g = govern(SMALL, *institutions)
    world = eqx.tree_at(lambda p: p.world, born(g, jax.random.key(0)), state)
    return step(g, jax.random.key(0), world, moves(first))


@pytest.mark.parametrize("kind", SHARES)
def test_a_levy_on_the_externality_makes_each_bear_what_it_does_to_others(kind):
    _, outcome = under(table({(6, 6): kind}), AHEAD, Levy(on="externality", rate=-1.0))
    total = sum(SHARES[kind])
    assert float(outcome.payoff[0]) == pytest.approx(total)
    assert outcome.reward.tolist() == pytest.approx(SHARES[kind])


@pytest.mark.parametrize(("kind", "wrong"), [(RED, 1), (GREEN, 0), (BLUE, 0), (ORANGE, 1)])
def test_taboos_and_altars_classify_by_colour(kind, wrong):
    altar = Altar(names="forbidden", content=kind, threshold=0, recovery=0)
    after, outcome = under(table({(6, 6): kind}), AHEAD, Taboo(kinds="red,orange"), altar)
    assert outcome.events["taboo.marked"].tolist() == [wrong, 0, 0, 0, 0]
    assert outcome.events["altar.violation"].tolist() == [1, 0, 0, 0, 0]
    assert int(after.memory[1].content) == kind


def test_a_sanction_pays_for_hitting_the_marked_and_the_world_freezes_them():
    g = govern(SMALL, Taboo(kinds="red"), Sanction(by="taboo", cost=1.0, reward=3.0, exile=0))
    state = table({(6, 8): RED}, [(6, 6), (6, 7), (1, 3), (1, 5), (1, 7)], grid.EAST)
    world = eqx.tree_at(lambda p: p.world, born(g, jax.random.key(0)), state)
    world, _ = step(g, jax.random.key(0), world, moves(STAY, AHEAD))
    world, outcome = step(g, jax.random.key(1), world, moves(ZAP))
    assert outcome.transfer.tolist() == [2, 0, 0, 0, 0]
    assert int(world.world.frozen[1]) == 25


@pytest.mark.parametrize("label", Mushrooms.regimes)
def test_its_regimes_fit(label):
    g = govern(SMALL, *regimes.parse(label, Mushrooms.regimes[label]).institutions)
    still = {head: jnp.zeros(5, jnp.int32) for head in g.actions}
    _, outcome = jax.eval_shape(lambda key: g.step(key, g.reset(key), still), jax.random.key(0))
    assert set(outcome.events) == set(g.emits)


# Beginnings


def test_reset_and_names():
    assert nomoi.Mushrooms is Mushrooms
    state = jax.jit(jax.vmap(SMALL.reset))(keys(500))
    cell = np.asarray(state.body.cell)
    assert all(len(set(row)) == 5 for row in cell)
    assert set(cell.ravel().tolist()) == set(LAND.find(" ").tolist())
    assert (np.asarray(state.bears) == np.asarray(state.bears)[0]).all()


@pytest.mark.parametrize(("drawing", "sentence"), [("R G", "has 1 free cells for 2"), ("R?  ", "has '\\?' in row 1")])
def test_maps_that_cannot_be_played_are_refused(tmp_path, drawing, sentence):
    file = tmp_path / "map.txt"
    file.write_text(drawing, encoding="utf-8")
    with pytest.raises(Refusal, match=sentence):
        Mushrooms(map=str(file), agents=2)


@pytest.mark.parametrize("spores", [(3, 3), (0, 0, 0, 0), (1, 1, 1, -1)])
def test_spores_that_make_no_sense_are_refused(spores):
    with pytest.raises(Refusal, match=r"mushrooms\.spores is"):
        Mushrooms(spores=spores)
