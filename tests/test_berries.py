"""Taboo berries: every step against a slow twin with the same random words, and what its card promises."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import twins

from nomoi import grid
from nomoi.core import govern
from nomoi.errors import Refusal
from nomoi.runs import regimes
from nomoi.situations.berries import PRESETS, Berries, State, rule
from nomoi.situations.walkers import AHEAD, STAY, TURN_RIGHT, ZAP

POISON, SILLY, HEALTHY, PLENTY = range(4)


@eqx.filter_jit
def step(b, key, state, move):
    return b.step(key, state, {"move": move})


@eqx.filter_jit
def expel(b, state, who, steps):
    return b.remove(state, who, steps)


def plain(state, delay, lasts, first, last):
    """A state as the twin keeps it; the poison's clocks must say what `first` and `last` say."""
    now = int(state.time) - 1
    onset = [0 if f is None else max(f + delay - now, 0) for f in first]
    ends = [0 if k is None else max(k + delay + lasts - now, 0) for k in last]
    assert (state.onset.tolist(), state.ends.tolist()) == (onset, ends)
    arrays = {"cell": state.body.cell, "facing": state.body.facing, "out": state.body.out, "cooling": state.cooling}
    arrays |= {"bush": state.bush, "live": state.live, "time": state.time}
    return {k: np.asarray(v).tolist() for k, v in arrays.items()} | {"first": first, "last": last}


SMALL = {"bushes": (20, 5, 20, 10), "agents": 7}
LONE = {"map": "shrine", "bushes": (35,), "agents": 3, "beam": (2, 0), "regrowth": 1.0}
CASES = {
    "meadow": SMALL | {"delay": 3, "lasts": 5, "regrowth": 0.3, "berry": 2.0},
    "at once": SMALL | {"delay": 0, "lasts": 4, "regrowth": 0.05, "cooldown": 0, "dulled": 0.5},
    "short": SMALL | {"delay": 2, "lasts": 0, "cooldown": 5},  # acts only while the delay of a later berry runs
    "one kind, at a shrine": LONE | {"delay": 1, "lasts": 2},
}


@pytest.mark.parametrize("case", CASES)
def test_step_against_the_twin(case):
    b = Berries(horizon=120, **CASES[case])
    rng = np.random.default_rng(len(case))
    n, total, delay, lasts = b.agents, len(b.land.sites), int(b.delay), int(b.lasts)
    state = b.reset(jax.random.key(len(case)))
    nothing = [None] * n
    expected = plain(state, delay, lasts, nothing, nothing)
    seen = dict.fromkeys(("harvest", "poison", "silly", "sick", "shot", "zap", "regrown", "back", "dulled", "again"), 0)
    for t in range(120):
        key = jax.random.fold_in(jax.random.key(7), t)
        action = rng.choice(8, n, p=[0.05, 0.35, 0.1, 0.1, 0.1, 0.08, 0.07, 0.15])
        words = {k: np.asarray(v) for k, v in grid.draw(key, order=n, spawn=n, grow=total).items()}
        away = np.array(expected["out"])
        state, outcome = step(b, key, state, jnp.asarray(action, jnp.int32))
        expected, told = twins.berries_step(b, expected, action, words)
        assert plain(state, delay, lasts, expected["first"], expected["last"]) == expected
        assert outcome.reward.tolist() == told["reward"]
        assert bool(outcome.done) == told["done"] == (t == 119)
        assert not outcome.transfer.any()
        assert set(outcome.events) == set(b.emits) == set(told["events"])
        for name, value in told["events"].items():
            assert np.asarray(outcome.events[name]).tolist() == np.asarray(value).tolist(), name
        seen |= {k: seen[k] + int(np.sum(told["events"][k])) for k in told["events"] if k != "kind"}
        seen["regrown"] += sum(told["regrown"])
        seen["back"] += int(((away > 0) & (np.array(expected["out"]) == 0)).sum())
        ate, sick, poisoned = (np.array(told["events"][k]) > 0 for k in ("harvest", "sick", "poison"))
        seen["dulled"] += int((ate & sick).sum())
        seen["again"] += int((poisoned & sick).sum())
        if t % 9 == 5:  # somebody takes one of them out of play
            who = rng.integers(n)
            state = expel(b, state, jnp.arange(n) == who, jnp.int32(4))
            expected["out"][who] = 4
    never = ("silly",) if case not in ("meadow", "at once", "short") else ()
    assert all(bool(count) != (name in never) for name, count in seen.items()), seen


def test_who_is_in_the_block_ahead():
    rng, land = np.random.default_rng(0), Berries().land
    for length, radius in ((3, 1), (1, 0), (2, 2)):
        n, batch = 8, 60
        cell = np.stack([rng.choice(land.sites, n, replace=False) for _ in range(batch)]).astype(np.int32)
        facing, out = rng.integers(0, 4, (2, batch, n)).astype(np.int32)
        out = np.maximum(out - 2, 0)
        block = jax.vmap(lambda c, f, o: grid.block(land, grid.Body(c, f, o), length, radius))(cell, facing, out)  # noqa: B023
        assert block.any()
        for k in range(batch):
            assert block[k].tolist() == twins.block(land, cell[k], facing[k], out[k], length, radius)


# How an episode begins


@pytest.mark.parametrize("changes", [{}, {"bushes": (3, 2)}, {"bushes": (0, 0, 81, 0), "agents": 12}])
def test_an_episode_begins_with_just_these_bushes(changes):
    b = Berries(**changes)
    states = jax.jit(jax.vmap(b.reset))(jax.random.split(jax.random.key(0), 100))
    none, sites = len(b.bushes), len(b.land.sites)
    for bush in np.asarray(states.bush):
        assert np.bincount(bush, minlength=none + 1).tolist() == [*b.bushes, sites - sum(b.bushes)]
    assert (states.live == (states.bush < none)).all()
    assert np.isin(states.body.cell, b.land.sites).all()
    assert all(len(set(cell)) == b.agents for cell in np.asarray(states.body.cell).tolist())
    assert set(np.asarray(states.body.facing).ravel().tolist()) == {0, 1, 2, 3}
    for quiet in (states.body.out, states.cooling, states.onset, states.ends, states.time):
        assert not quiet.any()
    np.testing.assert_array_equal(jax.vmap(b.stock)(states)[0], b.capacity())


def test_bushes_stand_anywhere_and_anew_in_each_episode():
    b = Berries(bushes=(9, 0, 0, 9))
    bush = np.asarray(jax.jit(jax.vmap(b.reset))(jax.random.split(jax.random.key(3), 2000)).bush)
    share = (bush == POISON).mean(0)
    assert abs(share - 9 / 81).max() < 4.5 * np.sqrt(9 / 81 * 72 / 81 / 2000)
    assert len(np.unique(bush, axis=0)) == 2000


# By hand: two agents on a meadow of 9 x 9, whose cells are counted from 0 and ringed by a wall


def cell(row, col):
    return (row + 1) * 11 + col + 1


def meadow(cells, facing, berries, **changes):
    """The situation, and a state with `berries` {cell: kind}."""
    b = Berries(agents=2, bushes=(1, 1, 1, 1), **({"regrowth": 0.0} | changes))
    body = grid.Body(jnp.asarray(cells, jnp.int32), jnp.asarray(facing, jnp.int32), jnp.zeros(2, jnp.int32))
    bush = np.full(len(b.land.sites), 4, np.int32)
    for where, kind in berries.items():
        bush[b.land.sites.tolist().index(where)] = kind
    none = jnp.zeros(2, jnp.int32)
    return b, State(body, none, jnp.asarray(bush), jnp.asarray(bush < 4), none, none, jnp.zeros((), jnp.int32))


def row_of(kinds, **changes):
    """Agent 0 walks along a row of these kinds (None: no bush); the other stands in a corner.  Rewards, sickness."""
    berries = {cell(4, k + 1): kind for k, kind in enumerate(kinds) if kind is not None}
    b, state = meadow([cell(4, 0), cell(0, 0)], [grid.EAST, grid.NORTH], berries, **changes)
    told = []
    for t in range(len(kinds)):
        state, outcome = step(b, jax.random.key(t), state, jnp.array([AHEAD, STAY], jnp.int32))
        told.append((float(outcome.reward[0]), float(outcome.events["sick"][0])))
        assert outcome.reward[1] == 0
        assert outcome.events["sick"][1] == 0
    reward, sick = zip(*told, strict=True)
    return list(reward), list(sick)


def test_the_poison_acts_late_for_a_while_and_lowers_what_later_berries_are_worth():
    reward, sick = row_of([POISON, *[HEALTHY] * 7], delay=2, lasts=3)
    assert sick == [0, 0, 0, 1, 1, 1, 0, 0]  # two full steps of peace, then three of sickness
    assert reward == [1, 1, 1, 0.25, 0.25, 0.25, 1, 1]


def test_another_poisonous_berry_prolongs_the_poison_but_does_not_put_it_off():
    assert row_of([POISON, POISON, *[None] * 6], delay=2, lasts=3)[1] == [0, 0, 0, 1, 1, 1, 1, 0]
    assert row_of([POISON, None, None, None, POISON, *[None] * 3], delay=2, lasts=3)[1] == [0, 0, 0, 1, 1, 1, 1, 1]
    # over and begun anew: there is a delay again
    assert row_of([POISON, None, None, POISON, *[None] * 4], delay=1, lasts=1)[1] == [0, 0, 1, 0, 0, 1, 0, 0]


def test_only_the_poison_is_poisonous():
    for kind in (SILLY, HEALTHY, PLENTY):
        reward, sick = row_of([kind] * 8, delay=0, lasts=9, berry=4.0)
        assert reward == [4] * 8
        assert not any(sick)


def test_beams_strike_first_on_what_their_owners_saw():
    """Whoever walks out of the block is hit, and whoever walks into it is not."""
    # agent 0 looks east along row 4; agent 1, at the block's edge or just outside, walks north
    inside, outside = [cell(4, 0), cell(3, 3)], [cell(4, 0), cell(6, 3)]
    for cells, hit in ((inside, 1), (outside, 0)):
        b, state = meadow(cells, [grid.EAST, grid.NORTH], {})
        after, outcome = step(b, jax.random.key(0), state, jnp.array([ZAP, AHEAD], jnp.int32))
        assert outcome.events["zap"].tolist() == [[0, hit], [0, 0]]
        assert outcome.events["shot"].tolist() == [1, 0]
        assert after.body.cell.tolist() == [cells[0], cells[1] - b.land.width]
        assert bool(b.aim(after.__class__(**{**vars(after), "cooling": state.cooling}))[0, 1]) == (not hit)


def test_turning_and_firing_take_a_step_each_and_the_beam_cools():
    b, state = meadow([cell(4, 4), cell(4, 6)], [grid.NORTH, grid.NORTH], {}, cooldown=2)
    fired = []
    for t, move in enumerate((ZAP, TURN_RIGHT, ZAP, ZAP, ZAP, ZAP)):
        state, outcome = step(b, jax.random.key(t), state, jnp.array([move, STAY], jnp.int32))
        fired.append((int(outcome.events["shot"][0]), int(outcome.events["zap"][0, 1])))
    assert fired == [(1, 0), (0, 0), (0, 0), (1, 1), (0, 0), (0, 0)]


def test_what_is_eaten_leaves_the_ground_and_nothing_grows_under_a_body():
    for regrowth in (0.0, 1.0):
        b = Berries(**SMALL | {"regrowth": regrowth})
        state, eaten = b.reset(jax.random.key(1)), 0.0
        for t in range(40):
            key = jax.random.fold_in(jax.random.key(2), t)
            before = state
            state, outcome = step(b, key, state, jax.random.randint(key, (b.agents,), 0, 5))
            eaten += float(outcome.events["harvest"].sum())
            assert (state.bush == before.bush).all()
            trodden = np.isin(b.land.sites, state.body.cell)
            if regrowth:
                assert np.asarray(state.live).tolist() == ((np.asarray(state.bush) < 4) & ~trodden).tolist()
            else:
                assert float(b.stock(state).sum()) == sum(b.bushes) - eaten
                gone = np.asarray(before.live) & ~np.asarray(state.live)
                assert gone.sum() == int(outcome.events["harvest"].sum())
        assert eaten > 20


def test_each_kind_is_seen_in_its_own_plane_and_counted_in_its_own_stock():
    kinds = {cell(3, 4): POISON, cell(4, 3): SILLY, cell(4, 5): HEALTHY, cell(5, 4): PLENTY}
    b, state = meadow([cell(4, 4), cell(0, 8)], [grid.NORTH, grid.NORTH], kinds)
    assert b.kinds == ("poison", "silly", "healthy", "plenty")
    scene = b.scene(state)
    view = np.asarray(scene.view())[0]
    for plane, (row, col) in (("poison", (4, 3)), ("silly", (5, 2)), ("healthy", (5, 4)), ("plenty", (6, 3))):
        bit = view >> scene.planes.index(f"berry.{plane}") & 1
        assert np.argwhere(bit).tolist() == [[row, col]]
    assert b.stock(state).tolist() == [1, 1, 1, 1]
    state = eqx.tree_at(lambda s: s.live, state, state.live & (state.bush != SILLY))
    assert b.stock(state).tolist() == [1, 0, 1, 1]
    assert not (np.asarray(b.scene(state).view()) >> scene.planes.index("berry.silly") & 1).any()


def test_nobody_senses_the_poison():
    b, state = meadow([cell(4, 4), cell(4, 5)], [grid.NORTH, grid.EAST], {cell(4, 6): HEALTHY}, compass=True)
    sick = eqx.tree_at(lambda s: (s.onset, s.ends), state, (jnp.array([0, 3]), jnp.array([9, 9])))
    for name, value in b.observe(state).items():
        np.testing.assert_array_equal(value, b.observe(sick)[name])


# Set-ups and refusals


@pytest.mark.parametrize("name", PRESETS)
def test_presets_build_and_can_be_lived_in_under_their_regimes(name):
    b = Berries.preset(name)
    assert sum(b.bushes) <= len(b.land.sites)
    for label, text in Berries.regimes.items():
        g = govern(b, *regimes.parse(label, text).institutions)
        state = jax.eval_shape(g.reset, jax.random.key(0))
        _, outcome = jax.eval_shape(g.step, jax.random.key(0), state, {"move": jnp.zeros(b.agents, jnp.int32)})
        assert set(outcome.events) == set(g.emits)


def test_the_presets_are_what_their_sources_say():
    dense, paper = Berries.preset("dense"), Berries.preset("paper")
    assert (dense.bushes, float(dense.regrowth), int(dense.lasts), dense.horizon) == (
        (6, 6, 6, 6),
        np.float32(0.05),
        60,
        200,
    )
    assert (paper.agents, paper.horizon, float(paper.berry), int(paper.delay)) == (8, 1000, 4.0, 100)
    assert paper.bushes[POISON] == paper.bushes[SILLY]  # equally many: taboo berries eaten start at half and whole
    assert (paper.land.height, paper.land.width) == (14, 20)
    assert (dense.land.height, dense.land.width, len(dense.land.sites)) == (11, 11, 81)


def test_a_regime_is_our_sanction_with_some_of_its_options_changed():
    taboo, sanction = regimes.parse("", rule("poison,silly", known=True, span=7, reward=0)).institutions
    assert (taboo.kinds, bool(taboo.known), int(taboo.span)) == ("poison,silly", True, 7)
    told = [float(x) for x in (sanction.cost, sanction.reward, sanction.harm, sanction.fire)]
    np.testing.assert_allclose(told, [0.6, 0, 5, 0.01], rtol=1e-6)
    assert (sanction.by, int(sanction.exile), int(sanction.credit), sanction.aware) == ("taboo", 0, 1, False)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bushes": ()}, "berries.bushes is"),
        ({"bushes": (0, 0)}, "berries.bushes is"),
        ({"bushes": (1, 1, 1, 1, 1)}, "berries.bushes is"),
        ({"bushes": (-1, 3)}, "berries.bushes is"),
        ({"bushes": (82,)}, "81 cells for 82 bushes and 5 agents"),
        ({"agents": 82}, "81 cells for 30 bushes and 82 agents"),
        ({"map": "meadw"}, "berries has no map 'meadw'.*meadow, wide, shrine"),
        ({"extent": (5, 1)}, "berries.extent is"),
        ({"beam": (0, 1)}, "berries.beam is"),
        ({"beam": (3,)}, "berries.beam is"),
        ({"regrowth": 1.5}, "berries.regrowth is 1.5"),
        ({"delay": -1}, "berries.delay is -1"),
    ],
)
def test_refusals_are_one_sentence(changes, said):
    with pytest.raises(Refusal, match=said) as caught:
        Berries(**changes)
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    assert not re.search(r"[.?!] +[A-Z]", text)


def test_a_drawing_may_have_a_letter_that_is_wrong(tmp_path):
    drawn = tmp_path / "odd.txt"
    drawn.write_text("   \n X \n   ")
    with pytest.raises(Refusal, match="'X' in row 2, column 2"):
        Berries(map=str(drawn), bushes=(1,), agents=1)
