"""Films: what they keep of a run is what happened in it, and what they show can be seen."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import small

from nomoi.core import Institution, govern
from nomoi.core.rollout import rollout
from nomoi.grid.frames import ROW, telling
from nomoi.grid.paint import AGENTS, PALETTE, colour, legend, paint
from nomoi.grid.still import Still, merged, pack, unpack
from nomoi.institutions.altar import Altar
from nomoi.institutions.sanction import Sanction
from nomoi.measure import films
from nomoi.scripts.fixed import Random
from nomoi.situations.harvest import Harvest

PX, STEPS = 16, 60
PLACE = govern(
    Harvest(map=str(small.MAP), agents=4, horizon=40, regrowth=(0.3, 0.3, 0.3, 0.3), cooldown=0),
    Altar(threshold=0.9, recovery=0.95),
    Sanction(exile=5),
)


def rgb(text):
    return np.array(list(bytes.fromhex(text[1:])))


@pytest.fixture(scope="module")
def lived():
    """A film of the second of two worlds, and all that happened in that world: two episodes, at random."""

    def play(key):
        run = rollout(key, PLACE, Random(), STEPS, 2, None, lambda s: (films.seen(PLACE)(s), s.memory[0]))
        return run.kept, films.events(run), run.outcome.events

    (kept, memory), happened, events = jax.jit(play)(jax.random.key(4))
    second = jax.tree.map(lambda x: np.asarray(x)[:, 1], (memory, events))
    return films.shot(PLACE, kept, happened, world=1), *second


def board(name, line, kind, struck=None, **more):
    """A map of 3 x 5 with one altar and two agents in one row."""
    altar = np.zeros((3, 5), np.uint32)
    altar[0, 0] = 1
    blank = np.zeros(2, np.int32)
    return Still(
        3, 5, ("altar",), 1, altar, np.full((3, 5), -1, np.int8), np.array([6, 8]), blank, blank, {},
        ("red", "blue"), struck=struck, boards={name: (line,) * 3}, posted={name: np.array(kind)}, **more,
    )  # fmt: skip


def test_a_film_keeps_what_happened(lived):
    film, memory, events = lived
    assert film.steps == STEPS
    np.testing.assert_array_equal(film.struck, events["zap"] > 0)
    assert film.struck.any()
    np.testing.assert_array_equal(film.posted["altar"], memory.content)
    assert film.boards["altar"][0] == "only red is allowed"
    assert film.boards["altar"][-1] == "everything is forbidden"
    assert len(np.unique(film.posted["altar"])) > 1
    np.testing.assert_array_equal(film.stock.sum(1), (film.goods >= 0).sum((1, 2)))
    assert sum(film.capacity) == len(PLACE.situation.land.sites)


def test_a_mark_is_shown_from_the_step_after_it_was_made_and_ends_with_the_episode(lived):
    film, memory, _ = lived
    marks = memory.marks
    guilty = marks.verdict & (marks.age <= 20)
    shown = film.marks["altar.violator"]
    assert shown.any()
    assert guilty[40].sum() == 0  # the second episode begins there
    np.testing.assert_array_equal(shown, guilty)


def test_a_film_survives_a_record_and_old_records_are_still_read(lived):
    film = lived[0]
    again = unpack(pack(film))
    for part in dataclasses.fields(Still):
        one, other = getattr(film, part.name), getattr(again, part.name)
        assert jax.tree.all(jax.tree.map(np.array_equal, one, other)), part.name
    old = pack(dataclasses.replace(film, struck=None, stock=None, boards={}, posted={}, capacity=()))
    facts = b'{"height": 5, "width": 9, "planes": ["wall", "altar"], "fixed": 2, "kinds": ["red", "blue", "green"]}'
    old = unpack(old | {"facts": np.frombuffer(facts, np.uint8)})
    assert (old.struck, old.stock, old.boards, old.torus) == (None, None, {}, False)
    assert telling(paint(old, 3), old.at(3), 3).shape[0] == 5 * PX + ROW + 6


def test_a_film_that_skips_steps_loses_no_blow(lived):
    film = lived[0]
    blows = np.flatnonzero(film.struck.any((1, 2)))
    first = int(blows[blows > 0][0]) - 1
    np.testing.assert_array_equal(merged(film, first, first + 3).struck, film.struck[first : first + 3].any(0))
    assert merged(film, first, first + 3).struck.any()
    np.testing.assert_array_equal(merged(film, first, first + 3).cell, film.cell[first])


def test_what_the_altar_says_is_seen_at_its_place_and_read_below():
    for kind, tone in enumerate(("red", "blue")):
        picture = paint(board("altar", f"only {tone} is allowed", kind))
        np.testing.assert_array_equal(picture[PX // 2, PX // 2], rgb(PALETTE[tone]))
        forbidden = paint(board("altar", f"{tone} is forbidden", kind))
        np.testing.assert_array_equal(forbidden[PX // 2, PX // 2], rgb(PALETTE["ink"]))  # crossed out
        assert (forbidden[:PX, :PX] == rgb(PALETTE[tone])).all(-1).any()
    hidden, blank = paint(board("altar", "hidden: only red is allowed", 0)), paint(board("other", "", 0))
    np.testing.assert_array_equal(hidden, blank)
    one, other = (telling(blank, board("altar", line, 0), 3) for line in ("only red is allowed", "red is forbidden"))
    assert one.shape == (3 * PX + 2 * ROW + 6, 5 * PX, 3)
    assert (one != other).any()


def test_blows_are_lines_in_the_strikers_colour_to_whom_they_strike():
    struck = np.array([[False, True], [False, False]])
    plain, shown = paint(board("altar", "", 2)), paint(board("altar", "", 2, struck))
    between = (slice(PX, 2 * PX), slice(2 * PX, 3 * PX))  # the cell between the two
    assert (plain[between] != rgb(AGENTS[0])).any(-1).all()
    assert (shown[between] == rgb(AGENTS[0])).all(-1).any()
    assert (shown[between] != rgb(AGENTS[1])).any(-1).all()
    np.testing.assert_array_equal(plain[2 * PX :], shown[2 * PX :])  # nothing elsewhere
    round_about = paint(board("altar", "", 2, struck, torus=True))
    far = dataclasses.replace(board("altar", "", 2, struck, torus=True), cell=np.array([5, 9]))
    np.testing.assert_array_equal(round_about, shown)  # the short way is the straight one
    over = paint(far)
    assert (over[PX : 2 * PX, 2 * PX : 3 * PX] == plain[PX : 2 * PX, 2 * PX : 3 * PX]).all()  # over the edge


def test_below_the_map_stand_who_is_out_who_is_marked_the_step_and_the_stock():
    now = board("altar", "only red is allowed", 0, stock=np.array([3.0, 1.0]), capacity=(5.0, 5.0))
    now = dataclasses.replace(now, width=5)
    picture = np.zeros((3 * PX, 20 * PX, 3), np.uint8)
    rows = telling(picture, now, 7)[3 * PX + 3 :]
    assert len(rows) == 3 * ROW + 3
    people = rows[ROW : 2 * ROW]
    assert all((people == rgb(tone)).all(-1).any() for tone in AGENTS[:2])
    gone = telling(picture, dataclasses.replace(now, out=np.array([0, 4])), 7)[3 * PX + 3 :][ROW : 2 * ROW]
    assert (gone == rgb(AGENTS[0])).all(-1).any()
    assert not (gone == rgb(AGENTS[1])).all(-1).any()
    marked = dataclasses.replace(now, marks={"altar.violator": np.array([True, False])})
    assert (telling(picture, marked, 7) == rgb(PALETTE["violator"])).all(-1).any()
    bar = rows[2 * ROW :]
    red, blue = ((bar == rgb(PALETTE[k])).all(-1).sum() for k in ("red", "blue"))
    assert red == pytest.approx(3 * blue, rel=0.15)
    assert (telling(picture, now, 8) != telling(picture, now, 7)).any()


def test_the_key_says_what_the_signs_mean(lived):
    key = dict(legend(lived[0]))
    assert {"carries a violation (altar)", "line to a cross: a blow", "crossed-out disc: out of play"} <= set(key)
    assert key["carries a violation (altar)"] == colour("altar.violator")


def test_an_institution_displays_nothing_by_default():
    assert Sanction().board(PLACE) == ()
    assert type(Sanction()).posted is Institution.posted
    assert int(Sanction().posted(())) == 0
    quiet = govern(PLACE.situation, Altar(in_force=jnp.array(False)))
    kept = {name: np.zeros((2, 1, *x.shape), x.dtype) for name, x in _seen(quiet).items()}
    assert films.shot(quiet, kept, {"done": np.zeros((2, 1), bool)}).boards == {}


def _seen(place):
    return jax.eval_shape(lambda key: films.seen(place)(place.reset(key)), jax.random.key(0))


@pytest.mark.parametrize(
    ("display", "begins"),
    [("hidden", "hidden: "), ("place", "only"), ("broadcast", "only"), ("distractor", "at random"), ("stale", "unch")],
)
def test_an_altar_says_how_it_is_displayed(display, begins):
    assert Altar(display=display).board(PLACE)[0].startswith(begins)
    assert "red is forbidden" in Altar(display=display, names="forbidden").board(PLACE)[0]
