"""The spatial kernel against its slow twins (tests/twins.py), on random maps with random bodies.

Maps come in a few fixed shapes (height, width, agents, sites, spawns), so that every random map runs the same
compiled operations; each example checks a batch of random bodies in one vmapped call.
"""

import itertools
from contextlib import ExitStack
from functools import cache, partial
from unittest import mock

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import twins
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nomoi import grid
from nomoi.errors import Refusal

DENSE, WIDE = (5, 6, 5, 4, 3), (10, 9, 7, 17, 6)  # tori are wide: larger than all windows and beams
BATCH = 16
BEAMS = ((3, 1), (4, 2), (1, 0), (1, 2))


class Bare(grid.Land):
    """A map with no ring of wall, to see what happens at the very edge."""

    def __init__(self, text, sites="A"):
        super().__init__(text, sites, " WPA")
        inner = np.array([list(row) for row in text.strip("\n").split("\n")])
        assert inner.shape == (self.height - 2, self.width - 2), "the drawing has a ring already"
        self.grid = inner
        self.height, self.width = inner.shape
        self.walls = (inner == "W").ravel()
        self.sites = np.flatnonzero(np.isin(inner.ravel(), list(sites)))
        self.letter = inner.ravel()[self.sites]
        self.site_of = np.full(self.cells, len(self.sites), np.int32)
        self.site_of[self.sites] = np.arange(len(self.sites))

    def _identity(self):
        return (*super()._identity(), "bare")


@st.composite
def worlds(draw, *shapes):
    """A random map, ringed, bare or a torus, how many agents it is for, and a generator for everything else."""
    shape = draw(st.sampled_from(shapes or (DENSE, WIDE)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["ringed", "bare", "torus"]))
    bare = kind != "ringed"
    height, width, agents, sites, spawns = WIDE if kind == "torus" else shape
    floor = (height * width if bare else (height - 2) * (width - 2)) - sites - spawns
    walls = int(rng.integers(0, (floor // 2 if bare else floor) + 1))
    letters = rng.permutation(list("A" * sites + "P" * spawns + "W" * walls + " " * (floor - walls)))
    rows = letters.reshape((height, width) if bare else (height - 2, width - 2))
    if not bare:
        rows = np.pad(rows, 1, constant_values="W")
    text = "\n".join("".join(row) for row in rows)
    land = Bare(text) if kind == "bare" else grid.Land(text, "A", " WPA", torus=kind == "torus")
    return land, agents, rng


def crowd(land, agents, rng, batch=BATCH):
    """Random bodies [batch, agents]: those in play on different cells, those out of play anywhere."""
    free = np.flatnonzero(~land.walls)
    cell = np.stack([rng.permutation(free)[:agents] for _ in range(batch)])
    out = np.where(rng.random((batch, agents)) < 0.25, rng.integers(1, 4, (batch, agents)), 0)
    cell = np.where(out > 0, rng.choice(free, (batch, agents)), cell)
    facing = rng.integers(0, 4, (batch, agents))
    return tuple(x.astype(np.int32) for x in (cell, facing, out))


def words(rng, *shape):
    """Random words; in a third of the cases with ties."""
    bits = rng.integers(0, 2**32, shape, dtype=np.uint32)
    return bits % np.uint32(3) if rng.random() < 1 / 3 else bits


def each(function, *arrays):
    """`function` of one world, over a batch of worlds."""
    out = jax.vmap(function)(*jax.tree.map(jnp.asarray, arrays))
    return jax.tree.map(np.asarray, out)


def apart(cell, out):
    """Nobody in play shares a cell."""
    return all(len(set(c[o == 0])) == (o == 0).sum() for c, o in zip(cell, out, strict=True))


# Layouts


@given(st.integers(1, 6), st.integers(1, 6), st.randoms(use_true_random=False))
def test_a_map_is_read_as_drawn_and_ringed(height, width, random):
    rows = ["".join(random.choice(" WAP") for _ in range(random.randint(1, width))) for _ in range(height)]
    text = "\n".join(rows)
    land = grid.Land(text, "A", " WAP")
    height, width, walls, sites = twins.parse(text, "A")
    assert (land.height, land.width, land.cells) == (height, width, height * width)
    assert land.walls.tolist() == walls
    assert land.sites.tolist() == sites
    assert land.walls.reshape(height, width)[[0, -1]].all()
    assert land.walls.reshape(height, width)[:, [0, -1]].all()
    for cell in range(land.cells):
        assert land.site_of[cell] == (sites.index(cell) if cell in sites else len(sites))
    assert land.find("P").tolist() == np.flatnonzero(land.mask("P")).tolist()
    assert land.letter.tolist() == ["A"] * len(sites)


def test_a_ring_is_added_only_where_it_is_missing():
    open_, closed = grid.Land("P A", "A", " WAP"), grid.Land("WWWWW\nWP AW\nWWWWW", "A", " WAP")
    assert (open_.height, open_.width) == (closed.height, closed.width) == (3, 5)
    assert (open_.grid == closed.grid).all()
    gap = grid.Land("WWWWW\nWP A \nWWWWW", "A", " WAP")  # one gap in the rim
    assert (gap.height, gap.width) == (5, 7)


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_map_is_refused(text):
    with pytest.raises(Refusal, match=r"^the town map is empty; draw it with the letters space, W, A\.$"):
        grid.Land(text, "A", " WA", "the town map")


def test_an_unknown_letter_is_refused_with_its_place():
    sentence = r"^the town map has 'x' in row 2, column 3; its letters are space, W, A\.$"
    with pytest.raises(Refusal, match=sentence):
        grid.Land("WWWW\nW xW\nWWWW", "A", " WA", "the town map")


def test_a_torus_has_no_ring_and_must_be_larger_than_what_is_seen_on_it():
    land = grid.Land("P A\n W \n  A", "A", " WAP", "the pond", torus=True)
    assert (land.height, land.width, int(land.walls.sum())) == (3, 3, 1)
    assert land != grid.Land("P A\n W \n  A", "A", " WAP")
    assert land.ahead[0].tolist() == [6, 1, 3, 2]
    assert [int(x) for x in land.shortest(np.int64(2), np.int64(-2))] == [-1, 1]
    with pytest.raises(Refusal, match=r"^the pond wraps round after 3 x 3 cells; what is seen and struck at must be"):
        land.relative(np.arange(1, 4), np.zeros(3, int))


def test_maps_are_equal_by_their_drawing():
    one, same = grid.Land("A P", "A", " WAP"), grid.Land("\nA P\n", "A", " WAP", "another name")
    assert one == same
    assert hash(one) == hash(same)
    assert one != grid.Land("A P", "P", " WAP")
    assert one != grid.Land("AP ", "A", " WAP")


@given(worlds())
def test_relative_and_ahead(world):
    land, _, rng = world
    ahead, right = rng.integers(-4, 5, 6), rng.integers(-4, 5, 6)
    table = land.relative(ahead, right)
    for cell, facing in itertools.product(range(land.cells), range(4)):
        for k in range(6):
            expected = twins.spot(land, cell, facing, ahead[k], right[k])
            assert table[cell, facing, k] == (-1 if expected is None else expected)
        step = twins.spot(land, cell, facing, 1, 0)
        assert land.ahead[cell, facing] == (cell if step is None else step)


# Random words


def test_draws_are_parts_of_one_stream_and_differ():
    key = jax.random.key(3)
    parts = grid.draw(key, order=500, spawn=300, grow=700, end=1)
    assert {name: len(bits) for name, bits in parts.items()} == {"order": 500, "spawn": 300, "grow": 700, "end": 1}
    whole = np.concatenate([np.asarray(bits) for bits in parts.values()])
    assert (whole == np.asarray(jax.random.bits(key, (1501,), jnp.uint32))).all()
    assert len(np.unique(whole)) > 1490  # no stream repeats another, nor itself
    other = grid.draw(jax.random.key(4), order=500)
    assert not np.isin(np.asarray(other["order"]), whole).any()


@given(st.integers(0, 2**32 - 1))
def test_order(seed):
    rng = np.random.default_rng(seed)
    bits = np.stack([words(rng, 6) for _ in range(BATCH)])
    before, place = each(grid.earlier, bits), each(grid.rank, bits)
    for k in range(BATCH):
        assert before[k].tolist() == twins.earlier(bits[k])
        assert place[k].tolist() == twins.rank(bits[k])
        assert sorted(place[k]) == list(range(6))


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 3, 7, 100]))
def test_chance_and_pick(seed, options):
    bits = np.random.default_rng(seed).integers(0, 2**32, 64, dtype=np.uint32)
    bits[:3] = 0, 255, 2**32 - 1
    chance = np.asarray(grid.chance(jnp.asarray(bits)))
    assert chance.dtype == np.float32
    assert chance.tolist() == twins.chance(bits)
    assert chance[0] == 0
    assert chance.max() < 1
    assert np.asarray(grid.pick(jnp.asarray(bits), options)).tolist() == twins.pick(bits, options)


def test_chance_and_pick_are_uniform():
    bits = grid.draw(jax.random.key(11), a=40_000)["a"]
    bins = np.histogram(np.asarray(grid.chance(bits)), bins=20, range=(0, 1))[0]
    assert stats.chisquare(bins).pvalue > 1e-3
    for options in (2, 3, 7, 22):
        assert stats.chisquare(np.bincount(np.asarray(grid.pick(bits, options)), minlength=options)).pvalue > 1e-3


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.1, 0.6, 1.0]))
def test_among(seed, share):
    rng = np.random.default_rng(seed)
    places, bits = rng.random((BATCH, 9)) < share, words(rng, BATCH, 6)
    got = each(grid.among, bits, places)
    assert got.tolist() == [twins.among(b, p) for b, p in zip(bits, places, strict=True)]
    assert ((got < 9) == places.any(1)[:, None]).all()


def test_among_is_uniform_over_the_places():
    places = np.array([0, 1, 1, 0, 1, 0, 1], bool)
    bits = np.random.default_rng(3).integers(0, 2**32, 8000, dtype=np.uint32)
    got = np.bincount(np.asarray(grid.among(jnp.asarray(bits), jnp.asarray(places))), minlength=7)
    assert not got[~places].any()
    assert stats.chisquare(got[places]).pvalue > 1e-3


@cache
def scattered(total):
    """Some cells, and how they are drawn from: one program for all examples."""
    cells = np.sort(np.random.default_rng(total).choice(200, total, replace=False))
    return cells, jax.jit(jax.vmap(partial(grid.scatter, cells=cells)))


@given(st.integers(0, 2**32 - 1), st.sampled_from([(1, 1), (3, 3), (4, 9), (5, 6)]))
def test_scatter_gives_different_cells_of_the_list(seed, sizes):
    n, total = sizes
    rng = np.random.default_rng(seed)
    cells, draw = scattered(total)
    drawn = np.asarray(draw(np.stack([words(rng, 2 * n) for _ in range(64)])))
    assert np.isin(drawn, cells).all()
    assert all(len(set(row)) == n for row in drawn)


@pytest.mark.parametrize("sizes", [(4, 4), (33, 40)])
def test_scatter_is_what_drawing_one_after_the_other_gives(sizes):
    """Also where many give way in a row, since the one before did."""
    n, total = sizes
    low, rng = total - n, np.random.default_rng(1)
    bits = np.stack([rng.integers(0, 2**32, 2 * n, dtype=np.uint32) for _ in range(32)])
    bits[0, :n] = [0, 0, *low + np.arange(1, n - 1)]  # each tries what the one before gave way to
    drawn = jax.jit(jax.vmap(partial(grid.scatter, cells=np.arange(total))))(bits)
    for row, found in zip(bits.tolist(), drawn.tolist(), strict=True):
        chosen = []
        for top, word in zip(range(low, total), row[:n], strict=True):
            chosen.append(top if word % (top + 1) in chosen else word % (top + 1))
        order = sorted(range(n), key=lambda i: row[n + i])
        assert [found[i] for i in order] == chosen


def test_scatter_is_uniform_over_ordered_choices():
    cells = np.array([4, 8, 15, 16, 23])
    keys = jax.random.split(jax.random.key(5), 24_000)
    drawn = jax.jit(jax.vmap(lambda key: grid.scatter(grid.draw(key, a=6)["a"], cells)))(keys)
    found, count = np.unique(np.asarray(drawn), axis=0, return_counts=True)
    assert len(found) == 5 * 4 * 3
    assert stats.chisquare(count).pvalue > 1e-3


# Moves


@given(worlds())
def test_turn(world):
    land, agents, rng = world
    cell, facing, out = crowd(land, agents, rng)
    quarter = rng.integers(-2, 4, cell.shape).astype(np.int32)
    body = each(lambda c, f, o, q: grid.turn(grid.Body(c, f, o), q), cell, facing, out, quarter)
    assert (body.cell == cell).all()
    assert (body.out == out).all()
    for k in range(BATCH):
        assert body.facing[k].tolist() == twins.turn(facing[k], out[k], quarter[k])


@given(worlds())
def test_walk(world):
    land, agents, rng = world
    cell, facing, out = crowd(land, agents, rng)
    go, quarter = rng.random(cell.shape) < 0.8, rng.integers(-1, 4, cell.shape).astype(np.int32)
    order = np.stack([words(rng, agents) for _ in range(BATCH)])
    move = lambda c, f, o, g, q, w: grid.walk(land, grid.Body(c, f, o), g, q, w)  # noqa: E731
    body = each(move, cell, facing, out, go, quarter, order)
    assert (body.facing == facing).all()
    assert (body.out == out).all()
    assert apart(body.cell, out)
    assert not land.walls[body.cell].any()
    for k in range(BATCH):
        assert body.cell[k].tolist() == twins.walk(land, cell[k], facing[k], out[k], go[k], quarter[k], order[k])
        for i, j in itertools.combinations(np.flatnonzero(out[k] == 0), 2):
            assert (body.cell[k, i], body.cell[k, j]) != (cell[k, j], cell[k, i]), "two agents swapped places"
    slant = rng.random(cell.shape) < 0.5
    move = lambda c, f, o, g, q, w, s: grid.walk(land, grid.Body(c, f, o), g, q, w, s)  # noqa: E731
    body = each(move, cell, facing, out, go, quarter, order, slant)
    for k in range(BATCH):
        told = (x[k] for x in (cell, facing, out, go, quarter, order, slant))
        assert body.cell[k].tolist() == twins.walk(land, *told)


def strides(land, cell, facing, keys=20_000):
    """All step ahead, once a key: the cells where they end [keys, n]."""
    body = grid.Body(jnp.asarray(cell, jnp.int32), jnp.asarray(facing, jnp.int32), jnp.zeros(len(cell), jnp.int32))
    go, quarter = jnp.ones(len(cell), bool), jnp.zeros(len(cell), jnp.int32)

    def stride(key):
        return grid.walk(land, body, go, quarter, grid.draw(key, order=len(cell))["order"]).cell

    return np.asarray(jax.jit(jax.vmap(stride))(jax.random.split(jax.random.key(9), keys)))


def test_of_contenders_for_a_cell_each_is_as_likely_to_get_it():
    land = grid.Land("   \n   \n   ", "A", " WA")
    middle = 2 * land.width + 2
    cell = [middle - 1, middle - land.width, middle + land.width, middle + 1]
    ends = strides(land, cell, [grid.EAST, grid.SOUTH, grid.NORTH, grid.WEST])
    assert ((ends == middle).sum(1) == 1).all()
    assert stats.chisquare((ends == middle).sum(0)).pvalue > 1e-3


def test_followers_move_when_their_turn_comes_later():
    land = grid.Land("    ", "A", " WA")
    ends = strides(land, [6, 7, 8], [grid.EAST] * 3)
    found, count = np.unique(ends, axis=0, return_counts=True)
    share = dict(zip(map(tuple, found.tolist()), count / len(ends), strict=True))
    # the last follows only in one of six orders; the middle one in half of them
    expected = {(7, 8, 9): 1 / 6, (6, 8, 9): 1 / 3, (6, 7, 9): 1 / 2}
    assert share == pytest.approx(expected, abs=0.015)


def test_two_who_face_each_other_do_not_swap():
    land = grid.Land("    ", "A", " WA")
    assert (strides(land, [7, 8], [grid.EAST, grid.WEST], 200) == [7, 8]).all()


# Going out of play and coming back


@given(worlds())
def test_respawn(world):
    land, agents, rng = world
    cell, facing, out = crowd(land, agents, rng)
    spawns = land.find("P")
    cell = np.where(rng.random(cell.shape) < 0.3, spawns[np.arange(agents) % len(spawns)], cell).astype(np.int32)
    out = np.where(
        (np.arange(agents) >= len(spawns)) & np.isin(cell, spawns), np.maximum(out, 1), out
    )  # keep those in play apart
    for k, i, j in itertools.product(range(BATCH), range(agents), range(agents)):
        if i < j and cell[k, i] == cell[k, j] and out[k, i] == 0:
            out[k, j] = max(out[k, j], 1)
    out = out.astype(np.int32)
    bits = np.stack([words(rng, agents) for _ in range(BATCH)])
    body = each(lambda c, f, o, b: grid.respawn(grid.Body(c, f, o), b, spawns), cell, facing, out, bits)
    assert apart(body.cell, body.out)
    back = (out > 0) & (body.out == 0)
    assert (out[back] == 1).all()
    assert np.isin(body.cell[back], spawns).all()
    assert (body.cell[~back] == cell[~back]).all()
    for k in range(BATCH):
        expected = twins.respawn(cell[k], facing[k], out[k], bits[k], spawns)
        assert (body.cell[k].tolist(), body.facing[k].tolist(), body.out[k].tolist()) == expected


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_absence_lasts_exactly_the_stated_steps(steps):
    land = grid.Land("PPPP\n    ", "A", " WAP")
    body = grid.Body(jnp.array([13, 14], jnp.int32), jnp.array([2, 2], jnp.int32), jnp.array([steps, 0], jnp.int32))
    absent = 0
    for k in range(steps + 3):
        absent += int(~body.here[0])
        body = grid.respawn(body, grid.draw(jax.random.key(k), a=2)["a"], land.find("P"))
    assert absent == steps
    assert int(body.cell[0]) in land.find("P")
    assert (int(body.facing[0]), int(body.cell[1]), int(body.facing[1])) == (grid.NORTH, 14, 2)


def test_who_finds_every_spawn_cell_taken_waits():
    cells = np.array([3, 4])
    body = grid.Body(jnp.array([3, 4, 9], jnp.int32), jnp.zeros(3, jnp.int32), jnp.array([0, 0, 1], jnp.int32))
    for k in range(5):
        body = grid.respawn(body, grid.draw(jax.random.key(k), a=3)["a"], cells)
        assert body.out.tolist() == [0, 0, 1]


def test_spawn_cells_are_drawn_evenly():
    cells = np.array([3, 4, 9, 20, 21])
    body = grid.Body(jnp.array([0], jnp.int32), jnp.array([1], jnp.int32), jnp.array([1], jnp.int32))
    bits = grid.draw(jax.random.key(2), a=10_000)["a"][:, None]
    entry = np.asarray(jax.vmap(lambda b: grid.respawn(body, b, cells))(bits).cell)[:, 0]
    assert stats.chisquare([(entry == c).sum() for c in cells]).pvalue > 1e-3


@given(worlds(WIDE))
def test_site_and_on(world):
    land, agents, rng = world
    cell, facing, out = crowd(land, agents, rng)
    where = each(lambda c, f, o: grid.site(land, grid.Body(c, f, o)), cell, facing, out)
    there = each(lambda s: grid.on(s, len(land.sites)), where)
    for k in range(BATCH):
        expected = twins.site(land, cell[k], out[k])
        assert where[k].tolist() == expected
        assert there[k].tolist() == [[s == e for s in range(len(land.sites))] for e in expected]


def test_who_is_out_of_play_is_in_nobodys_way():
    """On land without a rim, where every cell can be walked on."""
    land = grid.Land("\n".join(" " * 5 for _ in range(5)), "A", " WA", torus=True)
    facing, cell = np.divmod(np.arange(4 * land.cells, dtype=np.int32), land.cells)

    def step(cell, facing, gone):
        body = grid.Body(jnp.stack([cell, gone]), jnp.stack([facing, 0]), jnp.array([0, 3], jnp.int32))
        return grid.walk(land, body, jnp.ones(2, bool), jnp.zeros(2, jnp.int32), jnp.arange(2, dtype=jnp.uint32)).cell

    ahead = land.ahead[cell, facing].astype(np.int32)
    after = jax.jit(jax.vmap(step))(cell, facing, ahead)
    assert (np.asarray(after) == ahead[:, None]).all()  # one stands where the other was taken from, who waits there


# Beams


@pytest.mark.parametrize("beam", BEAMS)
@settings(max_examples=12)
@given(world=worlds(WIDE))
def test_reach(world, beam):
    land, agents, rng = world
    cell, facing, out = crowd(land, agents, rng)
    hits = each(lambda c, f, o: grid.reach(land, grid.Body(c, f, o), *beam), cell, facing, out)
    for k in range(BATCH):
        assert hits[k].tolist() == twins.reach(land, cell[k], facing[k], out[k], *beam)


@pytest.mark.parametrize("beam", BEAMS)
@settings(max_examples=6)
@given(world=worlds(WIDE))
def test_sweep(world, beam):
    land, agents, rng = world
    cell, facing, out = crowd(land, agents, rng)
    blocks = rng.random((BATCH, len(land.sites))) < rng.random()
    swept = each(lambda c, f, o, b: grid.sweep(land, grid.Body(c, f, o), b, *beam), cell, facing, out, blocks)
    for k in range(BATCH):
        assert swept[k].tolist() == twins.sweep(land, cell[k], facing[k], out[k], blocks[k], *beam)


@pytest.mark.parametrize("length", [1, 3])
@settings(max_examples=20)
@given(world=worlds(WIDE))
def test_foremost(world, length):
    land, agents, rng = world
    cell, facing, out = crowd(land, agents, rng)
    met = each(lambda c, f, o: grid.foremost(land, grid.Body(c, f, o), length), cell, facing, out)
    for k in range(BATCH):
        assert met[k].tolist() == twins.foremost(land, cell[k], facing[k], out[k], length)


@partial(jax.jit, static_argnums=(0, 1, 2))
def hits(land, length, radius, cells, facing):
    """Whether the first of two agents hits the other, for each pair of cells [k, 2] on which they may stand."""
    body = lambda cell: grid.Body(cell, facing, jnp.zeros(2, jnp.int32))  # noqa: E731
    return jax.vmap(lambda cell: grid.reach(land, body(cell), length, radius)[0, 1])(cells)


def targets(land, shooter, facing, length, radius):
    """The cells where a lone other agent would be hit."""
    others = np.array([c for c in range(land.cells) if not land.walls[c] and c != shooter], np.int32)
    cell = np.stack([np.full_like(others, shooter), others], 1)
    return set(others[np.asarray(hits(land, length, radius, cell, np.array([facing, 0], np.int32)))].tolist())


@pytest.mark.parametrize(
    ("length", "radius", "drawing"),
    [
        (3, 1, ["       ", "   x   ", "  xxx  ", "  xxx  ", "  x^x  ", "       "]),
        (1, 0, ["       ", "       ", "       ", "   x   ", "   ^   ", "       "]),
        (4, 2, ["   x   ", "  xxx  ", " xxxxx ", " xxxxx ", " xx^xx ", "       "]),
        (1, 2, ["       ", "       ", "       ", "   x   ", "  x^x  ", "       "]),
    ],
)
def test_the_shape_of_a_beam_in_the_open(length, radius, drawing):
    art = np.array([list(row) for row in drawing])
    for facing in range(4):
        turned = np.rot90(art, -facing)
        land = grid.Land("\n".join(" " * turned.shape[1] for _ in turned), "A", " WA")
        inner = np.pad(turned, 1, constant_values="W").ravel()
        shooter = int(np.flatnonzero(inner == "^")[0])
        assert targets(land, shooter, facing, length, radius) == set(np.flatnonzero(inner == "x").tolist())


@pytest.mark.parametrize("ringed", [True, False])
@pytest.mark.parametrize("width", [4, 5])
def test_beams_never_wrap_round_the_map(ringed, width):
    rows = "\n".join(" " * width for _ in range(4))
    land = grid.Land(rows, "A", " WA") if ringed else Bare(rows)
    edge = 1 if ringed else 0
    grid_ = np.arange(land.cells).reshape(land.height, land.width)[edge : land.height - edge, edge : land.width - edge]
    rims = {grid.NORTH: grid_[0], grid.EAST: grid_[:, -1], grid.SOUTH: grid_[-1], grid.WEST: grid_[:, 0]}
    for facing, rim in rims.items():
        for shooter in rim.tolist():
            # fired outward, only the neighbours along the rim (the sides of the beam) can be hit
            along = {twins.spot(land, shooter, facing, 0, s) for s in (-2, -1, 1, 2)} & set(rim.tolist())
            assert targets(land, shooter, facing, 3, 2) == along


def test_a_beam_of_too_many_cells_is_refused():
    land = grid.Land("    ", "A", " WA")
    body = grid.Body(jnp.array([7], jnp.int32), jnp.zeros(1, jnp.int32), jnp.zeros(1, jnp.int32))
    with pytest.raises(ValueError, match="at most 31 cells"):
        grid.reach(land, body, 10, 2)


@given(worlds(WIDE))
def test_offsets(world):
    land, agents, rng = world
    cell, facing, out = crowd(land, agents, rng, 4)
    ahead, right = each(lambda c, f, o: grid.offsets(land, grid.Body(c, f, o)), cell, facing, out)
    for k, i, j in itertools.product(range(4), range(agents), range(agents)):
        assert twins.spot(land, cell[k, i], facing[k, i], ahead[k, i, j], right[k, i, j]) == cell[k, j]
        if land.torus:
            assert abs(ahead[k, i, j]) + abs(right[k, i, j]) <= land.height // 2 + land.width // 2


# Neighbours


@given(worlds(), st.sampled_from([0.0, 1.0, 1.5, 2.0, 2.2, 2.3, 3.0]))
def test_neighbours(world, radius):
    land, _, rng = world
    live = rng.random((BATCH, len(land.sites))) < rng.random()
    count = each(lambda a: grid.neighbours(land, a, radius), live)
    for k in range(BATCH):
        assert count[k].tolist() == twins.neighbours(land, live[k], radius)


def test_a_full_patch_has_twelve_neighbours_within_two():
    land = grid.Land("\n".join("A" * 5 for _ in range(5)), "A", " WA")
    assert int(grid.neighbours(land, jnp.ones(25, bool), 2.0)[12]) == 12
    pond = grid.Land("\n".join("A" * 6 for _ in range(5)), "A", " WA", torus=True)  # where there is no rim
    assert grid.neighbours(pond, jnp.ones(30, bool), 2.0).tolist() == [12] * 30


# Views


@eqx.filter_jit
def look(scene):
    return scene.view()


@pytest.mark.parametrize(
    ("extent", "more", "kinds", "fixed"),
    [
        ((6, 0, 4), 0, 3, True),
        ((0, 0, 0), 1, 1, True),
        ((1, 2, 1), 8, 9, True),
        ((2, 1, 1), 14, 2, False),
    ],
)
@settings(max_examples=6)
@given(world=worlds(WIDE))
def test_view(world, extent, more, kinds, fixed):
    """Every sort of plane, and `more` of them, so that views of 8, 16 and 32 bits are all seen."""
    extent = grid.Extent(*extent)
    land, agents, rng = world
    cell, facing, out = crowd(land, agents, rng, 4)
    total = len(land.sites)
    ground = {"wall": land.walls, "closed": rng.random(land.cells) < 0.3}
    flags = lambda *shape: rng.random((4, *shape)) < 0.5  # noqa: E731
    sites = {"apple": flags(total), "own": flags(agents, total)}
    bodies = {"agent": flags(agents), "mark": flags(agents, agents)}
    labels = {"label": flags(kinds), "mine": flags(agents, kinds)}
    for k in range(more):
        (sites if k % 2 else bodies)[f"more{k:02}"] = flags(total if k % 2 else agents)
    shown = {name: flags() for name in ("apple", "mark", "closed", "own", "label")}
    live, kind = flags(total), rng.integers(0, kinds, total).astype(np.int32)

    def seen(cell, facing, out, layers, live, which):
        sites, bodies, shown, labels = layers
        goods, body = grid.Goods(live, kind if fixed else which), grid.Body(cell, facing, out)
        return grid.Scene(land, extent, body, ground, sites, bodies, shown, goods, labels).view()

    codes = each(seen, cell, facing, out, (sites, bodies, shown, labels), live, np.tile(kind, (4, 1)))
    assert codes.dtype == (np.uint8 if more == 0 else np.uint16 if more <= 8 else np.uint32)
    for k in range(4):
        one = [{name: layer[k] for name, layer in group.items()} for group in (sites, bodies, shown)]
        one[0] |= {name: twins.labelled(live[k], kind, by[k]) for name, by in labels.items()}
        expected = twins.view(land, extent, cell[k], facing[k], out[k], ground, *one)
        assert (codes[k] == expected).all()


@pytest.mark.parametrize("layers", [1, 9, 17])
@settings(max_examples=4)
@given(seed=st.integers(0, 2**32 - 1))
def test_marks_on_bodies_and_who_bears_them(seed, layers):
    rng = np.random.default_rng(seed)
    land, n = grid.Land("A    ", "A", " WA"), 4
    cell, facing, out = (jnp.asarray(x[0]) for x in crowd(land, n, rng, 1))
    bodies = {f"b{b:02}": rng.random((n, n) if b % 3 else n) < 0.4 for b in range(layers)}
    by = rng.random((n, n)) < 0.4
    body = grid.Body(cell, facing, out)
    scene = grid.Scene(land, grid.Extent(1, 1, 1), body, {}, {}, jax.tree.map(jnp.asarray, bodies))
    expected = twins.marks(bodies, n)
    assert (np.asarray(scene.marks) == expected).all()
    assert scene.borne(jnp.asarray(by)).tolist() == twins.borne(by, expected, layers)


def test_a_view_in_words():
    land = grid.Land(" A \n   \n  A", "A", " WA")
    here = {name: r * land.width + c for name, (r, c) in {"me": (2, 2), "you": (2, 3), "gone": (2, 1)}.items()}
    body = grid.Body(jnp.array(list(here.values()), jnp.int32), jnp.full(3, grid.EAST), jnp.array([0, 0, 2], jnp.int32))
    everyone, apples = jnp.ones(3, bool), jnp.array([True, False])
    scene = grid.Scene(land, grid.Extent(2, 1, 1), body, {"wall": land.walls}, {"apple": apples}, {"agent": everyone})
    assert scene.planes == ("wall", "apple", "agent")
    wall, apple, agent = np.moveaxis(np.asarray(grid.bitplanes(look(scene), 3, jnp.uint8)), -1, 0)
    # two ahead of me is the wall; one ahead stands the other; the apple of the top row is to my left
    assert wall[0].tolist() == [[1, 1, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert agent[0].tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert apple[0].tolist() == [[0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0]]
    assert not np.asarray(look(scene))[2].any()
    assert scene.layer("apple").sum() == 1


def test_cells_off_the_map_look_like_wall_and_nothing_else():
    land = Bare("AAAA\nAAAA")
    ground = {"floor": ~land.walls, "wall": land.walls}
    body = grid.Body(jnp.array([0, 7], jnp.int32), jnp.array([grid.NORTH, grid.EAST]), jnp.zeros(2, jnp.int32))
    everything = {"apple": jnp.ones(8, bool)}
    codes = look(grid.Scene(land, grid.Extent(2, 2, 2), body, ground, everything, {"agent": jnp.ones(2, bool)}))
    for i in range(2):
        for r, c in itertools.product(range(5), range(5)):
            off = twins.spot(land, int(body.cell[i]), int(body.facing[i]), 2 - r, c - 2) is None
            assert (int(codes[i, r, c]) == 0b10) == off


def test_a_veil_hides_what_was_added_and_only_that():
    land = grid.Land("A P", "A", " WAP")
    body = grid.Body(jnp.array([6], jnp.int32), jnp.zeros(1, jnp.int32), jnp.zeros(1, jnp.int32))
    old = grid.Scene(land, grid.Extent(1, 1, 1), body, {"wall": land.walls}, {"apple": jnp.ones(1, bool)})
    new = old.add(ground={"floor": ~land.walls}, sites={"mark": jnp.ones(1, bool)})
    assert new.planes == ("wall", "floor", "apple", "mark")
    planes = {}
    for show in (True, False):
        seen = grid.bitplanes(look(old.veil(new, jnp.array(show))), 4, jnp.uint8)[0]
        planes[show] = {name: np.asarray(seen[..., p]) for p, name in enumerate(new.planes)}
    for name in ("wall", "apple"):
        assert (planes[True][name] == planes[False][name]).all()
        assert planes[True][name].any()
    for name in ("floor", "mark"):
        assert planes[True][name].any()
        assert not planes[False][name].any()


def test_a_map_of_many_sites_is_seen_site_by_site():
    land = grid.Land("\n".join("A" * 46 for _ in range(46)), "A", " WA")
    total = len(land.sites)
    assert total > 2000
    live = np.arange(total) % 3 == 0
    cell = np.array([land.sites[0], land.sites[-1], land.sites[total // 2]], np.int32)
    body = grid.Body(jnp.asarray(cell), jnp.array([2, 3, 1], jnp.int32), jnp.zeros(3, jnp.int32))
    extent, ground = grid.Extent(3, 1, 2), {"wall": land.walls}
    codes = look(grid.Scene(land, extent, body, ground, {"apple": jnp.asarray(live)}))
    expected = twins.view(land, extent, cell, [2, 3, 1], [0, 0, 0], ground, {"apple": live}, {}, {})
    assert (np.asarray(codes) == expected).all()


def test_too_many_planes_are_refused():
    land = grid.Land("A P", "A", " WAP")
    body = grid.Body(jnp.array([6], jnp.int32), jnp.zeros(1, jnp.int32), jnp.zeros(1, jnp.int32))
    many = {f"layer{k}": jnp.ones(1, bool) for k in range(32)}
    scene = grid.Scene(land, grid.Extent(1, 1, 1), body, {"wall": land.walls}, many)
    with pytest.raises(Refusal, match="at most 32 planes, 16 of them fixed; this one has 33"):
        scene.view()


@given(st.integers(0, 2**32 - 1), st.sampled_from([(np.uint8, 8), (np.uint16, 11), (np.uint32, 32)]))
def test_bitplanes(seed, kind):
    dtype, planes = kind
    codes = np.random.default_rng(seed).integers(0, 2**planes, (2, 3, 4), dtype=np.int64).astype(dtype)
    flat = np.asarray(grid.bitplanes(jnp.asarray(codes), planes))
    assert flat.shape == (2, 3, 4, planes)
    for index in np.ndindex(2, 3, 4):
        assert flat[index].tolist() == [float(int(codes[index]) // 2**p % 2) for p in range(planes)]


# Compiled and not, the same


@settings(max_examples=1)
@given(worlds(WIDE))
def test_compiled_or_not_the_kernel_gives_the_same(world):
    land, agents, rng = world
    arrays = [*crowd(land, agents, rng), np.stack([words(rng, agents) for _ in range(BATCH)])]
    arrays.append(rng.random((BATCH, len(land.sites))) < 0.5)

    def all_of_it(cell, facing, out, bits, live):
        body = grid.Body(cell, facing, out)
        moved = grid.walk(land, body, jnp.ones(agents, bool), jnp.zeros(agents, jnp.int32), bits)
        back = grid.respawn(moved, bits, land.find("P"))
        scene = grid.Scene(land, grid.Extent(2, 1, 1), back, {"wall": land.walls}, {"a": live}, {"b": back.here})
        beams = grid.reach(land, back, 3, 1), grid.sweep(land, back, live, 3, 1)
        return back, scene.view(), *beams, grid.neighbours(land, live, 2.0)

    compiled = jax.jit(jax.vmap(all_of_it))(*map(jnp.asarray, arrays))
    assert eqx.tree_equal(each(all_of_it, *arrays), jax.tree.map(np.asarray, compiled))


# Many agents


@settings(max_examples=2)
@given(worlds(WIDE))
def test_many_are_found_on_the_map_as_few_are_by_comparing_all_pairs(world):
    land, agents, rng = world
    bodies, bits = crowd(land, agents, rng), np.stack([words(rng, agents) for _ in range(BATCH)])
    live, marked = rng.random((BATCH, len(land.sites))) < 0.5, rng.random((BATCH, agents, agents)) < 0.5

    def all_of_it(cell, facing, out, bits, live, marked):
        body = grid.Body(cell, facing, out)
        scene = grid.Scene(land, grid.Extent(2, 1, 1), body, {"wall": land.walls}, {"a": live}, {"b": facing > 1})
        march = partial(grid.walk, land, body, jnp.ones(agents, bool), jnp.zeros(agents, jnp.int32))
        moved = march(bits), march(bits % 3), march(bits, slant=bits % 2 > 0)  # and with ties, and slantwise
        beams = grid.reach(land, body, *BEAMS[0])
        trodden = grid.trodden(grid.site(land, body), len(land.sites))
        return moved, beams, trodden, scene.view(), scene.add(bodies={"c": marked}).view()

    arrays, found = (*bodies, bits, live, marked), []
    for few in (0, agents):
        with ExitStack() as bounds:
            for module in (grid.body, grid.beam, grid.move, grid.scene):
                bounds.enter_context(mock.patch.object(module, "FEW", few))
            compiled = jax.jit(jax.vmap(lambda *a: all_of_it(*a)))
            found.append(jax.tree.map(np.asarray, compiled(*map(jnp.asarray, arrays))))
    assert eqx.tree_equal(*found)


def equations(jaxpr):
    """How many operations a program has, those of its loops included."""
    inner = [x for e in jaxpr.eqns for p in e.params.values() for x in (p if isinstance(p, tuple | list) else [p])]
    return len(jaxpr.eqns) + sum(equations(x.jaxpr) for x in inner if hasattr(x, "jaxpr"))


def test_programs_do_not_grow_with_the_number_of_agents():
    """Unrolled over agents, they would not compile for a hundred: three minutes were not enough."""
    from nomoi.situations.harvest import Harvest

    def size(agents):
        land = Harvest(map="\n".join(["PPPPPPPPPPAPPPPPPPPP"] * 10), agents=agents)

        def life(key):
            state = land.reset(key)
            state, outcome = land.step(key, state, {"move": jnp.zeros(agents, jnp.int32)})
            return state, outcome, land.observe(state)

        return equations(jax.make_jaxpr(life)(jax.random.key(0)).jaxpr)

    few, many, more = size(7), size(40), size(160)
    assert many < 1.2 * few
    assert more < 1.05 * many  # drawing places takes a step more for every doubling
