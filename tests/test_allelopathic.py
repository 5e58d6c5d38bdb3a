"""Allelopathic Harvest: the published constants, every step against a slow twin, and its mechanisms one by one."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import twins
from small import SITUATIONS
from small import run as small_run

from nomoi import grid
from nomoi.core import govern
from nomoi.errors import Refusal
from nomoi.runs.regimes import parse
from nomoi.situations.allelopathic import GREY, Allelopathic
from nomoi.situations.walkers import AHEAD, BACK, STAY, ZAP

PLANT = ZAP + 1  # red; green and blue follow
RED, GREEN, BLUE = range(3)
FIELDS = ("cooling", "resowing", "bush", "ripe", "wait", "worn", "marked", "frozen", "time")


def plain(state):
    """A state as the twin keeps it."""
    arrays = {"cell": state.body.cell, "facing": state.body.facing, "out": state.body.out}
    arrays |= {name: getattr(state, name) for name in FIELDS}
    return {name: np.asarray(value).tolist() for name, value in arrays.items()}


@eqx.filter_jit
def step(s, key, state, move):
    return s.step(key, state, {"move": move})


@eqx.filter_jit
def begin(s, key):
    return s.reset(key)


@eqx.filter_jit
def look(s, state):
    """What all are told."""
    return s.observe(state)


def put(state, **parts):
    """The state with some parts replaced; body parts too."""
    body = {name: parts.pop(name) for name in ("cell", "facing", "out") if name in parts}
    where = lambda s: [getattr(s, name) for name in parts] + [getattr(s.body, name) for name in body]  # noqa: E731
    new = [*parts.values(), *body.values()]
    like = [x.dtype for x in where(state)]
    return eqx.tree_at(where, state, [jnp.asarray(x, d) for x, d in zip(new, like, strict=True)])


# The published set-up


def test_the_open_preset_has_melting_pots_numbers():
    s = Allelopathic.preset("open")
    land = s.land
    assert (land.height, land.width, s.agents, s.horizon, land.torus) == (30, 29, 16, 2000, True)
    assert begin(s, jax.random.key(0)).bush.shape == (348,)
    assert np.bincount(np.asarray(begin(s, jax.random.key(0)).bush)).tolist() == [116, 116, 116]
    assert np.bincount(s.taste).tolist() == [8, 8]  # red and green
    assert s.actions == {"move": 11}
    assert (s.beam, int(s.cooldown), s.spade, int(s.sowing), int(s.rest)) == ((3, 1), 4, 3, 2, 10)
    assert (int(s.freeze), int(s.recovery), float(s.fine), int(s.exile)) == (25, 50, 10, 25)
    assert float(s.tempo * s.ripening) == pytest.approx(348 * 5e-6)
    assert bool(s.graduated)
    assert not bool(Allelopathic.preset("residents").graduated)


def test_the_laptop_map_has_as_dense_bushes_and_as_many_ripenings_in_an_episode():
    s, big = Allelopathic(), Allelopathic.preset("open")
    state = begin(s, jax.random.key(0))
    assert np.bincount(np.asarray(state.bush)).tolist() == [30, 30, 30]
    assert not state.ripe.any()
    assert len(s.land.sites) / s.land.cells == big.land.sites.size / big.land.cells == pytest.approx(0.4)
    assert float(s.tempo) * s.horizon == float(big.tempo) * big.horizon


# The whole step

CASES = {
    "small, graduated": (
        "small",
        {"graduated": True, "tempo": 100, "rest": 3, "freeze": 6, "recovery": 12, "exile": 4},
    ),
    "small, by institutions": (
        "small",
        {"agents": 14, "tempo": 60, "rest": 0, "sowing": 0, "cooldown": 0, "spade": 1, "repaint": 1},
    ),
    "open": ("open", {"tempo": 80}),
}


@pytest.mark.parametrize("case", CASES)
def test_step_against_the_twin(case):
    preset, changes = CASES[case]
    s = Allelopathic.preset(preset, **changes)
    rng = np.random.default_rng(len(case))
    n, total = s.agents, len(s.land.sites)
    state = begin(s, jax.random.key(1))
    # near each other and round the corner of the torus, so that they meet
    near = [(r % s.land.height) * s.land.width + c % s.land.width for r in range(-3, 3) for c in range(-3, 3)]
    state = put(state, cell=rng.permutation(near)[:n], ripe=rng.random(total) < 0.3, time=s.horizon - 50)
    expected, seen = plain(state), dict.fromkeys(("harvest", "planted", "zap", "frozen", "grey", "back", "fined"), 0)
    for t in range(60):
        key = jax.random.key(1000 + t)
        action = rng.choice(11, n, p=[0.02, 0.3, 0.08, 0.06, 0.06, 0.06, 0.06, 0.15, 0.07, 0.07, 0.07])
        words = {k: np.asarray(v) for k, v in grid.draw(key, order=n, spawn=n, bare=n, grow=total).items()}
        before = expected
        state, outcome = step(s, key, state, jnp.asarray(action, jnp.int32))
        expected, told = twins.allelopathic_step(s, expected, action, words)
        assert plain(state) == expected
        assert outcome.reward.tolist() == told["reward"]
        assert bool(outcome.done) == told["done"]
        assert set(outcome.events) == set(s.emits) == set(told["events"])
        for name, value in told["events"].items():
            assert np.asarray(outcome.events[name]).tolist() == np.asarray(value, np.float32).tolist(), name
        for name in ("harvest", "planted", "zap", "frozen"):
            seen[name] += int(np.sum(told["events"][name]))
        pairs = list(zip(before["worn"], expected["worn"], before["out"], expected["out"], strict=True))
        seen["grey"] += sum(old < GREY == new and was == 0 for old, new, was, _ in pairs)
        seen["back"] += sum(was > 0 == now for *_, was, now in pairs)
        seen["fined"] += sum(r < 0 for r in told["reward"])
    assert min(seen["harvest"], seen["planted"], seen["zap"]) > 5, seen
    assert seen["grey"] > 0, seen
    assert (seen["frozen"] > 0) == bool(s.graduated), seen
    if case == "small, graduated":
        assert min(seen["back"], seen["fined"]) > 0, seen


# Ripening


@pytest.mark.parametrize("share", [1 / 3, 1.0])
def test_a_bush_ripens_with_the_share_of_its_colour_three_times_faster_in_a_monoculture(share):
    s = Allelopathic.preset("open", tempo=50)
    state = begin(s, jax.random.key(0))
    bush = state.bush if share < 1 else jnp.zeros_like(state.bush)
    waited = put(state, bush=bush, wait=jnp.ones_like(state.wait))
    still = jnp.zeros(16, jnp.int32)
    count = jax.jit(jax.vmap(lambda key: s.step(key, waited, {"move": still})[0].ripe.sum()))
    ripe = np.asarray(count(jax.random.split(jax.random.key(3), 400)))
    rate, trials = 50 * 0.00174 * share, 400 * 348
    assert ripe.sum() / trials == pytest.approx(rate, abs=4 * (rate / trials) ** 0.5)


def test_no_bush_ripens_before_ten_steps_after_a_change():
    s = Allelopathic.preset("small", tempo=1e6)  # then certainly
    state = begin(s, jax.random.key(0))
    still, found = jnp.zeros(6, jnp.int32), []
    for t in range(10):
        state, _ = step(s, jax.random.key(t), state, still)
        found.append(int(state.ripe.sum()))
    assert found == [0] * 9 + [90]
    assert np.asarray(s.stock(state)).tolist() == [30, 30, 30]


# Planting, painting, eating: agent 0 stands south of the first bush of a column, facing it


def at_a_bush(s, colour, ripe=False, steps=1, **parts):
    """Agent 0 faces a bush of a colour from `steps` away, with free cells between; the others are out of play."""
    state = begin(s, jax.random.key(0))
    land = s.land
    for site, cell in enumerate(land.sites.tolist()):
        way = [twins.spot(land, cell, grid.SOUTH, k, 0) for k in range(1, steps + 1)]
        if int(state.bush[site]) == colour and all(land.site_of[c] == len(land.sites) for c in way):
            break
    n = s.agents
    out = np.where(np.arange(n) == 0, 0, 99)
    ripe = np.asarray(state.ripe) | (ripe & (np.arange(len(land.sites)) == site))
    cell = [way[-1], *[c for c in s.floor.tolist() if c not in way][: n - 1]]
    return put(state, cell=cell, facing=[grid.NORTH] * n, out=out, ripe=ripe, **parts), site, way


def acts(s, state, move, key=0):
    return step(s, jax.random.key(key), state, jnp.full(s.agents, STAY, jnp.int32).at[0].set(move))


SMALL = Allelopathic()


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_planting_recolours_the_first_bush_ahead_and_paints_the_planter(steps):
    state, site, _ = at_a_bush(SMALL, RED, steps=steps, wait=np.zeros(90))
    after, outcome = acts(SMALL, state, PLANT + BLUE)
    done = steps <= 3
    assert int(after.bush[site]) == (BLUE if done else RED)
    assert int(after.worn[0]) == (BLUE if done else GREY)
    assert outcome.events["planted"].tolist() == [done, 0, 0, 0, 0, 0]
    assert np.asarray(SMALL.stock(after)).tolist() == ([29, 30, 31] if done else [30, 30, 30])
    assert int(after.wait[site]) == (10 if done else 0)
    assert int(after.resowing[0]) == 2
    again, outcome = acts(SMALL, after, PLANT + GREEN)  # not yet
    assert not outcome.events["planted"].any()
    for _ in range(2):
        again, outcome = acts(SMALL, again, PLANT + GREEN)
    assert bool(outcome.events["planted"][0]) == done
    assert int(again.worn[0]) == (GREEN if done else GREY)


def test_nothing_is_planted_on_a_ripe_bush_nor_on_one_of_that_colour_nor_through_a_body():
    state, site, way = at_a_bush(SMALL, RED, steps=2)
    assert not acts(SMALL, state, PLANT + RED)[1].events["planted"].any()
    ripe = put(state, ripe=np.arange(90) == site)
    assert not acts(SMALL, ripe, PLANT + BLUE)[1].events["planted"].any()
    cell, out = np.array(state.body.cell), np.array(state.body.out)
    cell[1], out[1] = way[0], 0
    assert not acts(SMALL, put(state, cell=cell, out=out), PLANT + BLUE)[1].events["planted"].any()
    assert acts(SMALL, state, PLANT + BLUE)[1].events["planted"].any()


@pytest.mark.parametrize("repaint", [False, True])
def test_planting_what_grows_there_already_paints_where_the_world_repaints(repaint):
    state, _, _ = at_a_bush(SMALL, RED)
    after, outcome = acts(SMALL.replace(repaint=repaint), state, PLANT + RED)
    assert not outcome.events["planted"].any()
    assert int(after.worn[0]) == (RED if repaint else GREY)
    assert int(after.wait.min()) == 9  # nothing changed


@pytest.mark.parametrize(("colour", "reward"), [(RED, 2), (GREEN, 1), (BLUE, 1)])
def test_a_berry_is_worth_two_to_whom_it_tastes_best(colour, reward):
    state, site, _ = at_a_bush(SMALL, colour, ripe=True)
    after, outcome = acts(SMALL, state, AHEAD)
    assert outcome.reward.tolist() == [reward, 0, 0, 0, 0, 0]
    assert (bool(after.ripe[site]), int(after.wait[site])) == (False, 10)
    # who stands on it when it ripens has to come back
    stands = put(after, ripe=np.arange(90) == site)
    assert not acts(SMALL, stands, STAY)[1].reward.any()


@pytest.mark.parametrize(("reds", "grey"), [(30, 1 - 1 / 3), (72, 0.2), (90, 0.0)])
def test_eating_turns_grey_the_less_often_the_further_the_bushes_agree(reds, grey):
    state, site, _ = at_a_bush(SMALL, RED, ripe=True, worn=[RED] * 6)
    bush = np.array(state.bush)
    others = np.flatnonzero(np.arange(90) != site)
    bush[site] = RED
    bush[others] = np.where(np.arange(89) < reds - 1, RED, np.arange(89) % 2 + 1)
    if reds == 30:
        assert np.bincount(bush).tolist() == [30, 30, 30]
    state = put(state, bush=bush)
    keys = jax.random.split(jax.random.key(5), 4000)
    move = jnp.zeros(6, jnp.int32).at[0].set(AHEAD)
    worn = np.asarray(jax.jit(jax.vmap(lambda k: SMALL.step(k, state, {"move": move})[0].worn[0]))(keys))
    assert set(worn.tolist()) <= {RED, GREY}
    assert (worn == GREY).mean() == pytest.approx(grey, abs=0.03)


# Graduated sanctions


def duel(s, **parts):
    """Agent 0 faces agent 1, who stands two cells ahead; the others are out of play."""
    state, _, way = at_a_bush(s, RED, steps=3)
    cell, out = np.array(state.body.cell), np.array(state.body.out)
    cell[1], out[1] = way[0], 0
    return put(state, cell=cell, out=out, **parts)


def test_a_hit_freezes_and_marks_and_a_second_one_fines_and_removes():
    s = SMALL.replace(graduated=True)
    state, outcome = acts(s, duel(s, worn=[RED] * 6), ZAP)
    assert outcome.events["zap"][0].tolist() == [0, 1, 0, 0, 0, 0]
    assert not outcome.reward.any()
    assert (int(state.frozen[1]), int(state.marked[1])) == (25, 50)
    start = int(state.body.cell[1])
    walks = jnp.zeros(6, jnp.int32).at[1].set(BACK)
    free, moved = state, []
    for t in range(26):
        free, outcome = step(s, jax.random.key(t), free, walks)
        moved.append(int(free.body.cell[1]) != start)
    assert moved == [False] * 25 + [True]
    assert int(free.marked[1]) == 24
    again, outcome = acts(s, put(state, cooling=[0] * 6), ZAP)
    assert outcome.reward.tolist() == [0, -10, 0, 0, 0, 0]
    assert (int(again.body.out[1]), int(again.marked[1]), int(again.frozen[1])) == (25, 0, 0)
    # the mark decays: fifty steps later a hit is a first one again
    late = put(state, marked=[0] * 6, frozen=[0] * 6, cooling=[0] * 6)
    assert int(acts(s, late, ZAP)[0].marked[1]) == 50


def test_who_comes_back_is_grey():
    s = SMALL.replace(graduated=True)
    state = put(duel(s, worn=[RED] * 6), out=[0, 1, 99, 99, 99, 99])
    after, _ = acts(s, state, STAY)
    assert (int(after.body.out[1]), after.worn.tolist()) == (0, [RED] + [GREY] * 5)


def test_without_graduated_sanctions_a_hit_does_nothing_by_itself():
    after, outcome = acts(SMALL, duel(SMALL), ZAP)
    assert outcome.events["zap"].sum() == 1
    assert not outcome.reward.any()
    assert not after.frozen.any()
    assert not after.marked.any()


# What agents see, and the altar


def test_others_see_the_colour_worn():
    state = duel(SMALL, worn=[RED, BLUE, RED, RED, RED, RED])
    planes, told = SMALL.scene(state).planes, look(SMALL, state)
    seen = int(told.pop("view")[0, 7 - 2, 4])
    assert [p for b, p in enumerate(planes) if seen >> b & 1] == ["agent", "worn.blue"]
    assert told["own"][0].tolist() == [1, 0, 0, 0, 0, 0]
    assert told["taste"][:2].tolist() == [[1, 0, 0], [0, 1, 0]]
    assert told["sow"][0].tolist() == [1]
    assert not any(np.asarray(x)[2:].any() for x in told.values())


def under(text):
    return govern(SMALL, *parse("", text).institutions)


@pytest.mark.parametrize("regime", ["altar", "hidden rule"])
def test_the_altar_judges_the_colour_worn_in_every_step_after_the_grace(regime):
    g = under(Allelopathic.regimes[regime].replace("grace=50", "grace=2,content=0"))
    state = begin(g, jax.random.key(0))
    worn = jnp.array([RED, GREEN, BLUE, GREY, RED, RED], jnp.int32)
    state = eqx.tree_at(lambda p: p.world.worn, state, worn)
    still = jnp.zeros(6, jnp.int32)
    for t in range(4):
        state, outcome = step(g, jax.random.key(t), state, still)
        guilty = outcome.events["altar.marked"].tolist()
        assert guilty == ([0, 1, 1, 1, 0, 0] if t >= 2 else [0] * 6)
    # whoever puts on the right colour is innocent at once
    state = eqx.tree_at(lambda p: p.world.worn, state, jnp.full(6, RED, jnp.int32))
    _, outcome = step(g, jax.random.key(9), state, still)
    assert not outcome.events["altar.marked"].any()
    mind = np.asarray(look(g, state)["altar.mind"])[:, :5].argmax(1)
    assert (mind == (RED if regime == "altar" else 4)).all()


def test_the_content_lasts_an_episode_and_differs_between_episodes():
    g = under(Allelopathic.regimes["altar"])
    drawn = jax.jit(jax.vmap(lambda key: g.reset(key).memory[0].content))(jax.random.split(jax.random.key(0), 12))
    assert set(drawn.tolist()) == {RED, GREEN, BLUE}
    got = small_run(govern(SITUATIONS["allelopathic"], *parse("", Allelopathic.regimes["altar"]).institutions), 2)
    assert len(set(got.after.memory[0].content.tolist())) == 1


# Refusals


def test_what_cannot_be_is_refused(tmp_path):
    for text, match in {
        "....\n....": r"has no bush; draw some with R, G, B\.$",
        "RGB\nRG.\nRGB": r"has 1 free cells \(\.\) for 6 agents",
        "\n".join(["R......."] * 8): r"wraps round after 8 x 8 cells, and agents reach or see over 9",
    }.items():
        file = tmp_path / "map.txt"
        file.write_text(text)
        with pytest.raises(Refusal, match=match):
            Allelopathic(map=str(file))
    with pytest.raises(Refusal, match=r"tastes is \(3,\); colours such as 0,1"):
        Allelopathic(tastes=(3,))
