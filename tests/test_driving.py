"""The merge: beside a plain twin, the scripted references, and the contract that is struck at the merge."""

from functools import lru_cache
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi.core import govern
from nomoi.core.rollout import rollout
from nomoi.errors import Refusal
from nomoi.institutions.contract import Contract
from nomoi.measure.evaluate import episodes
from nomoi.scripts.fixed import Random
from nomoi.situations.driving import Driving
from nomoi.studies.moca_driving import Selfish, Yielding

TERMS = Contract(on="lead", to="whom", high=100.0, levels=2)


def twin(place, speed, pedals, levels=5):
    """One episode in plain Python: rewards, leads, yielded, and places of each step."""
    n = len(place)
    place, speed = [float(x) for x in place], [float(x) for x in speed]
    queue, gone, out = [], set(), []
    for t, pedal in enumerate(pedals):
        here = [i for i in range(n) if i not in gone]
        moved = {}
        for i in here:
            push = -0.1 + 0.2 * int(pedal[i]) / (levels - 1)
            speed[i] = min(max(speed[i] + push, 0.0), 1.0 if i == 0 else 0.25)
            moved[i] = place[i] + speed[i]
        new = [i for i in here if i not in queue and moved[i] > 0]
        new.sort(key=lambda i: -place[i] / speed[i])
        for i in here:
            place[i] = moved[i]
        old = list(queue)
        queue = queue + new
        for front, back in pairwise(queue):
            if front in here and back in here and place[back] > place[front]:
                place[back] = place[front] - 0.01
        queue = [i for i in queue if i in old or place[i] > 0]
        lead, yielded = np.zeros((n, n)), np.zeros(n)
        if 0 in queue and 0 not in old:
            for i in here:
                lead[0, i], lead[i, 0] = max(place[0] - place[i], 0), max(place[i] - place[0], 0)
                yielded[i] = place[i] < place[0]
        reward = [(-100.0 if i == 0 else -1.0) if i in here else 0.0 for i in range(n)]
        gone |= {i for i in here if place[i] > 10}
        out.append((reward, lead, yielded, list(place), t + 1 >= len(pedals) or len(gone) == n))
        if len(gone) == n:
            break
    return out


@lru_cache
def stepper(n):
    return jax.jit(lambda state, pedal: Driving(agents=n).step(jax.random.key(0), state, {"pedal": pedal}))


@pytest.mark.parametrize("n", [2, 4])
@given(seed=st.integers(0, 2**30), bold=st.floats(0, 1))
def test_the_merge_as_a_plain_loop(n, seed, bold):
    rng = np.random.default_rng(seed)
    pedals = np.where(rng.random((100, n)) < bold, 4, rng.integers(0, 5, (100, n))).astype(np.int32)
    state = Driving(agents=n).reset(jax.random.key(seed))
    for t, (reward, lead, yielded, place, done) in enumerate(twin(state.place, state.speed, pedals)):
        here = np.asarray(state.here)
        state, outcome = stepper(n)(state, pedals[t])
        np.testing.assert_allclose(np.where(here, state.place, 0), np.where(here, place, 0), atol=1e-4)
        np.testing.assert_array_equal(outcome.reward, reward)
        np.testing.assert_allclose(outcome.events["lead"], lead, atol=1e-4)
        np.testing.assert_array_equal(outcome.events["yielded"], yielded)
        assert outcome.done == done


def test_where_they_start_and_how_fast():
    state = jax.jit(jax.vmap(Driving(agents=4).reset))(jax.random.split(jax.random.key(0), 500))
    place = np.asarray(state.place)
    for column, low, high in ((place[:, 0], -10, -5), (place[:, 1:], -2.5, -1.875)):
        assert low <= column.min() < low + 0.05 * (high - low)
        assert high - 0.05 * (high - low) < column.max() <= high
    np.testing.assert_allclose(state.speed[0], [0.8, 0.2, 0.2, 0.2])


@pytest.mark.parametrize(("n", "selfish", "yielding"), [(2, -2768, -1894), (4, -3340, -2010)])
def test_the_scripted_references_of_the_spec(n, selfish, yielding):
    """Within 10 % where cars are selfish (its 300 starts have a standard error of 90), and 2 % where they yield.

    In other runs places seem to move by the speed before the pedal, which gives -1892 and -2004 where they yield;
    in the published code, and here, it is the speed after it, which saves the ambulance a quarter of a step.
    """
    lived = jax.jit(lambda key, who: episodes(key, Driving(agents=n), who, (), worlds=2000), static_argnums=1)
    mean = {}
    for who, spec, tolerance in ((Selfish(), selfish, 0.1), (Yielding(), yielding, 0.02)):
        found = lived(jax.random.key(1), who)
        mean[who.name] = float(found.reward.sum(1).mean())
        assert abs(mean[who.name] / spec - 1) < tolerance
        assert 47 < float(found.steps.mean()) < 60
    assert mean["yielding"] - mean["selfish"] > 600
    np.testing.assert_array_equal(found.events["yielded"].sum(1), n - 1)


def test_nobody_overtakes_after_the_merge_and_the_lead_is_emitted_once():
    n = 4
    seed = jax.random.key(3)
    keep = lambda s: (s.place, s.merged, s.here)  # noqa: E731
    lived = jax.jit(lambda k: rollout(k, Driving(agents=n, horizon=200), Random(), 200, 32, (), keep))(seed)
    got = jax.tree.map(np.asarray, lived)
    place, merged, here = got.kept
    both = np.isfinite(merged) & here
    pairs = both[..., :, None] & both[..., None, :] & (merged[..., :, None] < merged[..., None, :])
    assert pairs.any()
    assert (place[..., :, None] >= place[..., None, :])[pairs].all()
    first = np.cumsum(got.done, 0) - got.done == 0
    times = ((got.outcome.events["lead"] > 0).any((2, 3)) & first).sum(0)
    assert times.max() == 1
    assert times.mean() > 0.5


def test_who_is_ahead_at_the_merge_pays_whom_it_is_ahead_of():
    game = govern(Driving(agents=4), TERMS)
    answers = {"contract.propose": jnp.full(4, 2), "contract.sign": jnp.ones(4, jnp.int32)}
    step = jax.jit(lambda s, p: game.step(jax.random.key(0), s, answers | {"pedal": p}))
    for seed in range(3):
        state = game.reset(jax.random.key(seed))
        paid = []
        for t in range(20):
            pedal = jnp.array([4, 4, 0, 2]) if t < 14 else jnp.full(4, 4)
            state, outcome = step(state, pedal)
            lead = np.asarray(outcome.events["lead"])
            want = [100 * (lead[:, i].sum() - lead[i].sum()) for i in range(4)]
            np.testing.assert_allclose(outcome.transfer, want, rtol=1e-4, atol=1e-2)
            np.testing.assert_allclose(outcome.transfer.sum(), 0, atol=1e-2)
            paid += [lead] if lead.any() else []
        assert len(paid) == 1
        assert not (paid[0][1:, 1:]).any()  # cars pay one another nothing
        assert paid[0][0, 2] > 0  # the ambulance pays the one that braked


def test_one_who_was_put_back_before_the_merge_has_not_merged():
    game = Driving(agents=2)
    state = game.reset(jax.random.key(0))
    at = lambda place: state.__class__(place, jnp.array([1.0, 0.0]), state.merged, state.here, state.time)  # noqa: E731
    close = at(jnp.array([-0.2, -0.0001]))
    after, outcome = game.step(jax.random.key(0), close, {"pedal": jnp.array([4, 2])})
    assert jnp.isfinite(after.merged).tolist() == [True, False]
    assert outcome.events["yielded"].tolist() == [0, 1]
    slow = state.__class__(
        jnp.array([-0.2, 0.001]), jnp.array([1.0, 0.0]), jnp.array([jnp.inf, 0.0]), state.here, state.time
    )
    after, outcome = game.step(jax.random.key(0), slow, {"pedal": jnp.array([4, 2])})
    np.testing.assert_allclose(after.place, [-0.009, 0.001], atol=1e-6)
    assert not jnp.isfinite(after.merged[0])
    assert not outcome.events["lead"].any()


def test_what_is_sensed():
    game = Driving(agents=3)
    state = game.reset(jax.random.key(0))
    road = np.asarray(game.observe(state)["road"])
    assert road.shape == (3, 11)
    np.testing.assert_allclose(road[1, :2], [state.place[1] / 10, 0.2], rtol=1e-6)
    np.testing.assert_allclose(road[1, 2:5], (state.place - state.place[1]) / 10, atol=1e-6)
    np.testing.assert_allclose(road[2, 5:8], state.speed)
    np.testing.assert_array_equal(road[:, 8:], [[0, 0, 1], [0, 0, 0], [0, 0, 0]])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Driving(agents=1), "driving.agents is 1"),
        (lambda: Driving(levels=1), "driving.levels is 1"),
        (lambda: Driving(pedal=-1.0), "driving.pedal is -1.0"),
        (lambda: govern(Driving(), Contract(on="yielded", to="whom")), "done to nobody in particular"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(make, sentence):
    with pytest.raises(Refusal, match=sentence):
        make()
