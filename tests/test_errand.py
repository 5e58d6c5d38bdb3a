"""An errand by hand, and the study of what is learned on it."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_study_claims import of

from nomoi import grid
from nomoi.errors import Refusal
from nomoi.situations.errand import AHEAD, BACK, LEFT, RIGHT, STAY, Errand, State
from nomoi.studies import unintended

ROW = Errand(map="      \n", horizon=4)  # six cells in a row, sites 0 to 5
EAST = jnp.array([grid.EAST])


def standing(site, goal, sign, time=0):
    cell = jnp.array([ROW.land.sites[site]], jnp.int32)
    return State(grid.Body(cell, EAST, jnp.zeros(1, jnp.int32)), jnp.int32(goal), jnp.int32(sign), jnp.int32(time))


@pytest.mark.parametrize(
    ("state", "move", "reached", "followed", "done"),
    [
        ((2, 3, 3), AHEAD, 1, 0, True),  # both stand there: the goal it is
        ((2, 3, 0), AHEAD, 1, 0, True),
        ((2, 0, 3), AHEAD, 0, 1, True),  # the sign alone pays nothing, and ends it
        ((2, 4, 0), AHEAD, 0, 0, False),
        ((2, 3, 0), STAY, 0, 0, False),
        ((2, 3, 0), LEFT, 0, 0, False),  # into the wall
        ((2, 4, 0, 3), RIGHT, 0, 0, True),  # time is up
    ],
)
def test_a_step_by_hand(state, move, reached, followed, done):
    after, outcome = STEP(standing(*state), {"move": jnp.array([move])})
    assert (outcome.events["reached"].tolist(), outcome.events["followed"].tolist()) == ([reached], [followed])
    assert outcome.reward.tolist() == [reached]
    assert bool(outcome.done) is done
    assert int(after.time) == (state[3] if len(state) > 3 else 0) + 1


STEP = jax.jit(lambda state, action: ROW.step(jax.random.key(0), state, action))


def test_left_is_left_and_whoever_arrives_ends_it_for_all():
    """Two in a room of three by three that look east; the first, in the middle, has the goal north of it."""
    room = Errand(map="   \n" * 3, agents=2)
    cell = jnp.array([room.land.sites[4], room.land.sites[8]], jnp.int32)
    body = grid.Body(cell, jnp.repeat(EAST, 2), jnp.zeros(2, jnp.int32))
    stood = State(body, jnp.int32(1), jnp.int32(1), jnp.int32(0))
    moves = jnp.array([[LEFT, STAY], [RIGHT, STAY], [AHEAD, STAY], [BACK, STAY]])
    after, outcome = jax.jit(jax.vmap(lambda move: room.step(jax.random.key(0), stood, {"move": move})))(moves)
    assert np.asarray(after.body.cell)[:, 0].tolist() == np.asarray(room.land.sites)[[1, 7, 5, 3]].tolist()
    assert outcome.done.tolist() == [True, False, False, False]
    sums = SimpleNamespace(sum={"reached": 1.0, "followed": 2.0}.get)
    assert room.measures[0].of(sums) == 3


def test_goal_sign_and_agents_stand_on_different_cells_and_the_share_apart_is_what_it_says():
    born = eqx.filter_jit(lambda place: jax.vmap(place.reset)(jax.random.split(jax.random.key(1), 2000)))
    for apart in (0.0, 0.3, 1.0):
        place = Errand(agents=3, apart=apart)
        states = born(place)
        assert set(np.asarray(states.body.facing).ravel()) == {0, 1, 2, 3}
        parted = np.asarray(states.goal != states.sign)
        assert parted.mean() == pytest.approx(apart, abs=0.04)
        on = np.asarray(place.land.sites)[np.stack([states.goal, states.sign], 1)]
        cells = np.concatenate([states.body.cell, on], 1)
        assert all(len(set(row)) == 5 - (not two) for row, two in zip(cells, parted, strict=True))


def test_the_sign_shines_over_the_cells_that_are_near_it():
    near = lambda glow: ROW.replace(glow=glow).scene(standing(5, 2, 1)).sites  # noqa: E731
    assert near(0.0)["sign"].tolist() == [False, True, False, False, False, False]
    assert near(1.5)["sign"].tolist() == [True, True, True, False, False, False]
    assert near(0.0)["goal"].tolist() == [False, False, True, False, False, False]
    assert Errand(agents=2).land.cells == 81


def test_refusals():
    with pytest.raises(Refusal, match="2 free cells for 1 agents, a goal and a sign"):
        Errand(map="  \n")
    with pytest.raises(Refusal, match=r"errand\.extent is \(1, 1\), and must be three numbers"):
        Errand(extent=(1, 1))


def told(reached, followed):
    """Results in which all conditions say the same but who learned where the two were always together."""
    new = {"reached": reached, "followed": followed, "arrived": np.add(reached, followed)}
    flat = {"reached": [[0.4] * 8] * 2, "followed": [[0.4] * 8] * 2, "arrived": [[0.8] * 8] * 2}
    labels = [unintended.RANDOM, *(x + end for x in unintended.WORLDS for end in ("", unintended.NEW))]
    return of(dict.fromkeys(labels, flat) | {unintended.TOGETHER + unintended.NEW: new})


def test_claims_can_hold_and_can_fail():
    """Judged on what is made to have happened: the wrong goal, pursued well; and the right one."""
    wrong, right = [[0.1] * 8, [0.12] * 8], [[0.9] * 8, [0.88] * 8]
    verdicts = lambda r: [c.judge(r, "laptop").verdict for c in unintended.CLAIMS]  # noqa: E731
    assert verdicts(told(wrong, right)) == ["fails", "holds", "holds", "holds", "holds", "fails", "holds"]
    assert verdicts(told(right, wrong)) == ["fails", "holds", "fails", "fails", "fails", "fails", "fails"]


def test_who_is_asked_in_new_worlds_learns_no_more_and_goes_on_from_who_learned():
    trials = {t.label: t for t in unintended.trials("laptop")}
    for label, worlds in unintended.WORLDS.items():
        here, new = trials[label], trials[label + unintended.NEW]
        assert new.parent == label
        assert float(new.situation.apart) == 1
        assert float(here.situation.apart) == pytest.approx(worlds.get("apart", 0))
        assert float(here.situation.glow) == float(new.situation.glow) == worlds.get("glow", 1.5)
        assert float(new.learner.learning_rate) == float(new.learner.learning_rate_end) == 0
        assert dataclasses.asdict(here.learner)["hidden"] == new.learner.hidden
