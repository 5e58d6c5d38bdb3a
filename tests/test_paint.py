"""The painter: what it keeps of a scene, and that pictures show it."""

import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from nomoi.core import govern, outline
from nomoi.errors import Refusal
from nomoi.grid import Body, Extent, Goods, Land, Scene, Still, film, still, strip, trace
from nomoi.grid.frames import ROW
from nomoi.grid.paint import AGENTS, KINDS, PALETTE, _stroke, colour, legend, paint
from nomoi.grid.still import pack, unpack
from nomoi.institutions.altar import Altar
from nomoi.situations.harvest import Harvest

PX = 16
LAND = Land("WWWWWWW\nW  RB W\nW     W\nW   I W\nWWWWWWW", sites="RB", legend="WRBI ")
KIND = np.array([0, 1], np.int32)
APPLE, BLUE, EMPTY, HERE, GONE = 10, 11, 8, 15, 17  # cells


def scene(facing=0, out=0, live=(True, True), show=True, **bodies):
    """Two apples and two agents; the second is out of play for `out` steps."""
    body = Body(jnp.array([HERE, GONE]), jnp.array([facing, 0]), jnp.array([0, out]))
    ground = {"wall": LAND.walls, "closed": LAND.mask("I")}
    live = jnp.array(live)
    sites = {"apple": live, "mine": jnp.ones((2, 2), bool)}
    marks = {"agent": body.here, "seen": jnp.ones((2, 2), bool), **{k: jnp.array(v) for k, v in bodies.items()}}
    shown = {"apple": jnp.array(show)}
    return Scene(LAND, Extent(2, 1, 1), body, ground, sites, marks, shown, Goods(live, KIND))


def cell(picture, at, px=PX):
    """[px, px, 3] of one cell."""
    row, col = divmod(at, LAND.width)
    return picture[row * px : (row + 1) * px, col * px : (col + 1) * px].astype(int)


def middle(picture, at, px=PX):
    return cell(picture, at, px)[px // 2, px // 2]


def rgb(text):
    return np.array(list(bytes.fromhex(text[1:])))


def film_of(situation, steps):
    """A recorded run of random play in two worlds: trace under jit, scan and vmap."""

    def tick(state, key):
        acting, playing = jax.random.split(key)
        action = {head: jax.random.randint(acting, (5,), 0, k) for head, k in situation.actions.items()}
        return situation.step(playing, state, action)[0], trace(situation.scene(state))

    def play(key):
        return jax.lax.scan(tick, situation.reset(key), jax.random.split(key, steps))[1]

    kept = jax.jit(jax.vmap(play, out_axes=1))(jax.random.split(jax.random.key(3), 2))
    abstract = outline(situation).scene
    return still(abstract, {name: x[:, 0] for name, x in kept.items()}, situation.kinds), kept


@pytest.fixture(scope="module")
def lived():
    return film_of(govern(Harvest(regrowth=(0.0, 0.2, 0.2, 0.2)), Altar(sight="raw")), 40)


def test_a_still_holds_what_a_bystander_sees():
    shot = still(scene(vow=[True, False]))
    assert shot.planes == ("wall", "closed", "apple")  # "mine" is a matter of who looks
    assert set(shot.marks) == {"agent", "vow"}
    np.testing.assert_array_equal(shot.shows("wall").ravel(), LAND.walls)
    assert list(np.flatnonzero(shot.shows("apple"))) == [APPLE, BLUE]
    assert shot.goods.ravel()[[APPLE, BLUE, EMPTY]].tolist() == [0, 1, -1]
    assert shot.codes.dtype == np.uint32
    assert shot.codes.shape == (5, 7)


def test_what_is_not_shown_is_not_kept():
    shot = still(scene(show=False))
    assert not shot.shows("apple").any()
    assert (shot.goods < 0).all()
    np.testing.assert_array_equal(middle(paint(shot), APPLE), middle(paint(shot), EMPTY))


@pytest.mark.parametrize("end", [(20.0, 31.0), (9.0, 8.0), (-3.0, 45.0)])
def test_a_stroke_is_as_wide_as_it_is_asked_to_be(end):
    picture, start, end, width = np.zeros((40, 40, 3)), np.array([9.0, 8.0]), np.array(end), 6.0
    _stroke(picture, start, end, width, "#ffffff")
    spots, way = np.moveaxis(np.indices((40, 40)), 0, -1) + 0.5 - start, end - start
    along = np.clip(spots @ way / max(way @ way, 1e-9), 0, 1)
    far = np.linalg.norm(spots - along[..., None] * way, axis=-1)
    np.testing.assert_allclose(picture[..., 0], 255 * np.clip(width / 2 + 0.5 - far, 0, 1), atol=1e-6)


def test_goods_and_walls_stand_out_from_the_floor():
    picture = paint(still(scene(), kinds=("red", "blue")))
    assert picture.shape == (5 * PX, 7 * PX, 3)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(middle(picture, EMPTY), rgb(PALETTE["floor"]))
    np.testing.assert_array_equal(middle(picture, APPLE), rgb(PALETTE["red"]))
    np.testing.assert_array_equal(middle(picture, BLUE), rgb(PALETTE["blue"]))
    np.testing.assert_array_equal(middle(picture, 0), rgb(PALETTE["wall"]))
    assert abs(cell(picture, 25) - cell(picture, EMPTY)).sum() > 1000  # the closed tile
    eaten = paint(still(scene(live=(False, True)), kinds=("red", "blue")))
    np.testing.assert_array_equal(cell(eaten, APPLE), cell(picture, EMPTY))


def test_the_nose_follows_the_facing():
    for px in (12, 16, 24):
        shots = [cell(paint(still(scene(facing=k)), 0, px), HERE, px) for k in range(4)]
        for k, shot in enumerate(shots):
            np.testing.assert_array_equal(shot[2:-2, 2:-2], np.rot90(shots[0], -k)[2:-2, 2:-2])
        ink = [(abs(shot - rgb(PALETTE["floor"])).sum(-1) > 200) for shot in shots]
        touched = [[m[0].any(), m[:, -1].any(), m[-1].any(), m[:, 0].any()] for m in ink]
        np.testing.assert_array_equal(touched, np.eye(4))  # the nose reaches the edge ahead, and nothing else does


def test_agents_have_their_own_colours_and_vanish_when_out():
    picture, gone = paint(still(scene())), paint(still(scene(out=3)))
    np.testing.assert_array_equal(middle(picture, HERE), rgb(AGENTS[0]))
    np.testing.assert_array_equal(middle(picture, GONE), rgb(AGENTS[1]))
    np.testing.assert_array_equal(cell(gone, GONE), cell(gone, EMPTY))
    many, cells = np.zeros(16, int), np.arange(16)
    crowd = Still(4, 4, (), 0, np.zeros((4, 4), np.uint32), np.full((4, 4), -1), cells, many, many, {})
    tiles = paint(crowd).reshape(4, PX, 4, PX, 3).swapaxes(1, 2).reshape(16, -1)
    assert len(np.unique(tiles, axis=0)) == 16


def test_a_mark_is_a_badge_for_its_bearer_only():
    plain, marked = paint(still(scene())), paint(still(scene(vow=[True, False])))
    assert (cell(plain, HERE) != cell(marked, HERE)).any()
    np.testing.assert_array_equal(cell(plain, GONE), cell(marked, GONE))
    assert (cell(marked, HERE) == rgb(colour("vow"))).all(-1).any()
    both = paint(still(scene(vow=[True, False], zeal=[True, False])))
    assert (cell(both, HERE) == rgb(colour("vow"))).all(-1).any()  # a second mark has a corner of its own
    assert (cell(both, HERE) == rgb(colour("zeal"))).all(-1).any()


def test_planes_that_nobody_knows_are_painted_all_the_same():
    shot = still(scene().add({"plaza": np.arange(35) == EMPTY}, {"ripe": jnp.array([True, False])}))
    picture = paint(shot)
    assert (middle(picture, EMPTY) != rgb(PALETTE["floor"])).any()
    assert (cell(picture, APPLE) != cell(paint(still(scene())), APPLE)).any()
    assert colour("plaza") == colour("plaza") != colour("ripe")
    assert colour("berry.red") == PALETTE["red"]
    assert colour("altar.trace.1", ("green", "blue")) == PALETTE["blue"]
    assert colour("altar.trace.1") == PALETTE["blue"]


def test_labels_of_kinds_are_seen_like_sites():
    shot = still(scene(live=(True, False)).add(labels={"quota.spent": jnp.array([True, True])}))
    assert list(np.flatnonzero(shot.shows("quota.spent"))) == [APPLE]


def test_a_legend_names_what_is_to_be_seen():
    shot = still(scene(vow=[True, False], zeal=[False, False]), kinds=("cod", "blue"))
    names = dict(legend(shot))
    assert list(names) == ["wall", "closed", "cod", "blue", "vow"]
    assert names["blue"] == PALETTE["blue"]
    assert list(dict(legend(still(scene())))) == ["wall", "closed", "red", "blue"]


def test_more_planes_than_bits_are_refused():
    with pytest.raises(Refusal, match="32"):
        trace(scene().add(sites={f"p{k}": jnp.ones(2, bool) for k in range(32)}))


def test_a_recorded_run_is_the_run(lived):
    shots, kept = lived
    assert shots.steps == 40
    assert shots.codes.shape == (40, shots.height, shots.width)
    assert shots.cell.shape == (40, 5)
    assert shots.at(7).steps == 1
    np.testing.assert_array_equal(paint(shots, 7), paint(shots.at(7)))
    np.testing.assert_array_equal(shots.at(-1).codes, kept["codes"][-1, 0])
    assert "altar.trace.0" in shots.marks
    with pytest.raises(IndexError):
        shots.at(40)


def test_a_still_survives_a_record(lived, tmp_path):
    np.savez(tmp_path / "film.npz", **pack(lived[0]))
    with np.load(tmp_path / "film.npz") as arrays:
        again = unpack(dict(arrays))
    assert (again.planes, again.kinds, again.fixed) == (lived[0].planes, lived[0].kinds, lived[0].fixed)
    np.testing.assert_array_equal(paint(again, 9), paint(lived[0], 9))


def test_a_film_has_its_frames_and_shows_them(lived):
    content = film(lived[0], cell_px=12)
    with Image.open(io.BytesIO(content)) as movie:
        assert movie.format == "WEBP"
        assert movie.n_frames == 40
        for t in (0, 20, 39):  # nothing is lost
            movie.seek(t)
            np.testing.assert_array_equal(np.asarray(movie.convert("RGB")), paint(lived[0], t, 12))


def test_films_are_small_and_written_where_asked(lived, tmp_path):
    shots = [lived[0]] * 8  # 320 steps
    content = film(shots, tmp_path / "run.gif", caption="a very long caption " * 5, cell_px=12)
    assert (tmp_path / "run.gif").read_bytes() == content
    with Image.open(io.BytesIO(content)) as movie:
        assert movie.format == "GIF"
        assert 100 <= movie.n_frames <= 150
        assert movie.size == (17 * 12, 11 * 12 + 2 * ROW + 6)
    assert film(lived[0], form="gif")[:3] == b"GIF"
    assert len(film(shots, cell_px=16)) < 300_000
    with pytest.raises(Refusal, match="webp"):
        film(lived[0], form="mp4")


def test_a_strip_is_a_row_of_stills(lived):
    row = strip(lived[0], [0, 10, -1], cell_px=12)
    width = 17 * 12
    assert row.shape == (11 * 12 + 22, 3 * width + 2 * 12, 3)
    np.testing.assert_array_equal(row[: 11 * 12, width + 12 : 2 * width + 12], paint(lived[0], 10, 12))


# Machado, Oliveira & Fernandes 2009, table of severity 1.0, for linear RGB.
BLIND = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "nobody": np.eye(3),
}


def lab_of(colour, eye):
    """CIE L*a*b* (D65) of a colour as somebody sees it."""
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.clip(BLIND[eye] @ np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4), 0, 1)
    xyz = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920,
                    0.9503041]]) @ linear / [0.95047, 1, 1.08883]  # fmt: skip
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eye", BLIND)
def test_agents_and_goods_stay_apart_for_the_colour_blind_and_on_their_floor(eye):
    """Differences of CIE76; 2.3 is just noticeable, and 15 is plain (ours)."""
    assert np.linalg.norm(lab_of("#ffffff", eye) - [100, 0, 0]) < 1  # white stays white
    for tones in (AGENTS, [PALETTE[kind] for kind in KINDS]):
        seen = [lab_of(c, eye) for c in (*tones, PALETTE["floor"])]
        apart = [np.linalg.norm(a - b) for k, a in enumerate(seen) for b in seen[:k]]
        assert min(apart) >= 15
