"""Worlds side by side: no episode is lived twice, cut ones do not count, and nobody remembers the one before."""

import re
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nomoi
from nomoi.core import Institution, Outcome, Situation, govern, size
from nomoi.core.learner import Learner
from nomoi.core.rollout import rollout
from nomoi.core.worlds import advance, begin, following, renew, step
from nomoi.learners.ppo import PPO
from nomoi.measure.evaluate import episodes, evaluate
from nomoi.measure.measures import measures

KEY = jax.random.key(5)


class Dice(Situation):
    """A face is drawn at first and another one at each step; who answers k earns k."""

    agents: int = size(2, "players")
    horizon: int = size(6, "steps")
    most: int = size(100, "the highest answer, and one")

    @property
    def actions(self):
        return {"say": self.most}

    @property
    def emits(self):
        return {}

    def reset(self, key):
        return {"first": jax.random.bits(key), "face": jax.random.bits(key), "time": jnp.zeros((), jnp.int32)}

    def senses(self, state):
        return {"time": jnp.broadcast_to(state["time"] / self.horizon, (self.agents, 1))}

    def step(self, key, state, action):
        state = state | {"face": jax.random.bits(key), "time": state["time"] + 1}
        earned = action["say"].astype(jnp.float32)
        return state, Outcome(earned, jnp.zeros(self.agents), {}, state["time"] >= self.horizon)


class Patience(Institution):
    """The world stands still for three steps."""

    def found(self, key, situation, state):
        return jnp.int32(3)

    def holds(self, memory):
        return memory > 0

    def settle(self, key, memory, situation, state, tried, action, outcome):
        return jnp.maximum(memory - 1, 0), state, outcome


class Counter(Learner):
    """Answers how often it has been asked since the episode began."""

    def start(self, mind: Any, situation: Situation) -> Any:
        return jnp.zeros(situation.agents, jnp.int32)

    def act(self, key, mind, situation, seen, carry):
        return {"say": carry}, carry + 1


DICE = Dice()
LENGTH, WORLDS, EPISODES = DICE.horizon, 3, 3


@pytest.fixture(scope="module")
def lived():
    live = lambda key: rollout(key, DICE, Counter(), LENGTH * EPISODES, WORLDS, keep=lambda state: state)  # noqa: E731
    return jax.tree.map(np.asarray, jax.jit(live)(KEY))


def test_no_two_episodes_are_alike(lived):
    first = lived.kept["first"].reshape(EPISODES, LENGTH, WORLDS)
    assert (first == first[:, :1]).all()
    assert len(set(first[:, 0].ravel())) == EPISODES * WORLDS  # over time and side by side
    assert len(set(lived.kept["face"].ravel())) == lived.kept["face"].size


def test_episodes_end_at_the_horizon_and_begin_anew(lived):
    time = np.arange(LENGTH * EPISODES) % LENGTH
    np.testing.assert_array_equal(lived.kept["time"], np.tile(time[:, None], WORLDS))
    np.testing.assert_array_equal(lived.done, np.tile(time[:, None] == LENGTH - 1, WORLDS))


def test_nobody_remembers_the_episode_before(lived):
    time = np.arange(LENGTH * EPISODES) % LENGTH
    np.testing.assert_array_equal(lived.outcome.reward, np.broadcast_to(time[:, None, None], (18, WORLDS, 2)))


def test_what_is_measured_is_one_episode_of_who_remembers_only_it():
    steps = 2 * LENGTH + 3  # two episodes that end, and one that does not
    found = jax.jit(lambda key: evaluate(key, DICE, Counter(), worlds=2, steps=steps))(KEY)
    found = dict(zip(measures(DICE), found.tolist(), strict=True))
    assert found["reward"] == 2 * sum(range(LENGTH))
    assert found["efficiency"] == found["reward"] / LENGTH  # the clock begins anew, too
    first = jax.jit(lambda key: episodes(key, DICE, Counter(), worlds=2, steps=steps))(KEY)
    assert first.reward.tolist() == [[sum(range(LENGTH))] * 2] * 2
    assert first.steps.tolist() == [LENGTH] * 2


@eqx.filter_jit
def watched(key: Any, worlds: int, stagger: bool) -> Any:
    """Three horizons: which episodes ended and which of them were whole, and the face at each step, [T, W]."""

    def tick(now: Any, _: Any) -> Any:
        after, _, done = advance(DICE, now, {"say": jnp.zeros((worlds, 2), jnp.int32)})
        return renew(DICE, after, done), (done, after.whole, now.state["face"])

    first = begin(key, DICE, worlds, stagger=stagger)
    return first.left, *jax.lax.scan(tick, first, None, 3 * LENGTH)[1]


def test_staggered_worlds_cut_their_first_episode_and_do_not_count_it():
    left, done, whole, face = (np.asarray(x) for x in watched(KEY, 64, True))
    assert set(left) == set(range(1, LENGTH + 1))  # all phases of the episode are there
    for w, cut in enumerate(left):
        ends = np.flatnonzero(done[:, w]) + 1
        np.testing.assert_array_equal(ends, np.arange(cut, 3 * LENGTH + 1, LENGTH))  # whole ones ever after
        assert not whole[: ends[0], w].any()
        assert whole[ends[0] :, w].all()
    assert len(set(face.ravel())) == face.size


def test_worlds_that_are_not_staggered_begin_together_and_all_count():
    _, done, whole, _ = (np.asarray(x) for x in watched(KEY, 4, False))
    np.testing.assert_array_equal(done, np.tile((np.arange(3 * LENGTH) % LENGTH == LENGTH - 1)[:, None], 4))
    assert whole.all()


def test_the_curves_of_training_count_whole_episodes_only():
    dice = Dice(most=2)
    learner = PPO(worlds=8, steps=LENGTH - 1, minibatches=1, hidden=4)
    gather = jax.jit(lambda run: learner._gather(dice, run, KEY)[::2])
    run = jax.jit(lambda key: learner.begin(key, dice))(KEY)
    ends = np.asarray(run.lives.worlds.left)[:, None] + LENGTH * np.arange(1, 4)  # the first is cut, whenever it ends
    for u in range(3):
        run, tally = gather(run)
        want = ((ends > learner.steps * u) & (ends <= learner.steps * (u + 1))).sum()
        assert float(tally.count[list(measures(dice)).index("reward")]) == want
        assert (want == 0) == (u == 0)


def test_which_key_belongs_to_which_step_is_said_in_one_place():
    """Who steps a world by hand gets its clock wrong sooner or later."""
    root = Path(nomoi.__file__).parent
    by_hand = re.compile(r"\.step\(\s*jax\.random\.fold_in|\(~\w*\.?held(\(\w+\))?\)\.astype|0xFFFFFFFF", re.I)
    found = [str(file.relative_to(root)) for file in root.rglob("*.py") if by_hand.search(file.read_text())]
    assert found == ["core/worlds.py"]


def test_the_clock_stands_still_while_an_institution_convenes():
    """The world draws the same faces whether three turns were spent on a contract before or not."""
    ruled = govern(DICE, Patience())
    state, turn, faces, turns = ruled.reset(KEY), jnp.int32(0), [], []
    for _ in range(6):
        state, turn, _ = step(ruled, KEY, turn, state, {"say": jnp.zeros(2, jnp.int32)})
        faces.append(int(state.world["face"]))
        turns.append(int(turn))
    assert turns == [0, 0, 0, 1, 2, 3]
    assert faces[2] == int(jax.random.bits(KEY))  # as at the start
    assert faces[3:] == [int(jax.random.bits(jax.random.fold_in(KEY, t))) for t in range(3)]
    assert (jax.random.key_data(following(KEY)) == jax.random.key_data(jax.random.fold_in(KEY, 2**32 - 1))).all()
