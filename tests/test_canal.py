"""Irrigation and rotation: the published constants, who comes first, and what keeps a canal up, by hand and by law."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import SITUATIONS, run

from nomoi.core import govern
from nomoi.core.measure import Episode
from nomoi.errors import Refusal
from nomoi.institutions.fine import Fine
from nomoi.institutions.quota import Quota
from nomoi.institutions.rotation import Rotation
from nomoi.situations.irrigation import Irrigation, State, crop, delivered, shared_out

KEY = jax.random.key(0)


GATES = jax.jit(shared_out)


def watered(flow, wish, gate=25.0):
    return np.asarray(GATES(jnp.float32(flow), jnp.asarray(wish, jnp.float32), jnp.float32(gate)))


@jax.jit
def lived(place, draw, provide):
    """Rewards [T, n] and states where in each round all answer the same, or a row of [T, n]."""

    def tick(state, answers):
        after, outcome = place.step(KEY, state, {"draw": answers[0], "provide": answers[1]})
        return after, (outcome.reward, state.canal)

    return jax.lax.scan(tick, place.reset(KEY), (draw, provide))[1]


def episode(place, draw, provide, rounds=10):
    shape = (rounds, place.agents)
    return [np.asarray(x) for x in lived(place, *(np.broadcast_to(x, shape).astype(np.int32) for x in (draw, provide)))]


def test_what_a_canal_carries_and_what_water_earns():
    """The steps of the software, on both sides of each edge."""
    kept = [45, 46, 51, 52, 55, 56, 58, 59, 61, 62, 65, 66, 70, 71, 80, 81, 100]
    carries = [0, 5, 5, 10, 10, 15, 15, 20, 20, 25, 25, 30, 30, 35, 35, 40, 40]
    np.testing.assert_array_equal(delivered(jnp.array(kept, jnp.float32)), carries)
    feet = [149, 150, 200, 250, 300, 350, 400, 499, 500, 549, 550, 649, 650, 700, 750, 800, 850, 900, 2000]
    earns = [0, 1, 4, 10, 15, 18, 19, 19, 20, 20, 19, 19, 18, 15, 10, 4, 1, 0, 0]
    np.testing.assert_array_equal(crop(jnp.array(feet, jnp.float32)), earns)


def test_the_head_comes_first():
    """At 30 cubic feet a second: [20, 20, 19, 0, 0] where each stops at 500, [15, 15, 15, 15, 10] at 300."""
    greedy, modest = watered(30, [500] * 5), watered(30, [300] * 5)
    assert crop(jnp.asarray(greedy)).tolist() == [20, 20, 19, 0, 0]
    assert crop(jnp.asarray(modest)).tolist() == [15, 15, 15, 15, 10]
    assert greedy.tolist() == [500, 500, 430, 70, 0]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 20), min_size=5, max_size=5), st.integers(0, 8), st.integers(0, 4))
def test_who_wishes_for_less_takes_nothing_from_those_below(wish, fives, who):
    """Nobody gets more than was wished for, nor passes more than its gate; all is within the flow; and a smaller wish
    leaves everybody above as it was."""
    feet = 50 * np.array(wish)
    got = watered(5 * fives, feet)
    assert (got >= 0).all()
    assert (got <= feet).all()
    assert got.sum() <= 50 * 5 * fives
    assert (got <= 25 * 50).all()
    less = np.where(np.arange(5) == who, feet // 2, feet)
    again = watered(5 * fives, less)
    np.testing.assert_array_equal(again[:who], got[:who])
    assert again[who] <= got[who]


def test_a_canal_that_nobody_keeps_up_fails_in_the_third_round():
    """Ten rounds without a token: 70 for water at first, 10 at 5 cubic feet a second, then only what is kept, 50."""
    reward, canal = episode(Irrigation(horizon=10), 6, 0)
    assert canal.tolist() == [75, 50, 25, 0, 0, 0, 0, 0, 0, 0]
    assert reward.sum(1).tolist() == [120, 60, *[50] * 8]


def test_tokens_keep_it_up():
    """Five each replace what is lost; ten each fill it to 100 and no further; what is given is not kept."""
    reward, canal = episode(Irrigation(horizon=10), 6, 5)
    assert set(canal.tolist()) == {75}
    assert set(reward.sum(1).tolist()) == {25 + 70}
    assert episode(Irrigation(horizon=10), 0, 10)[1][1:].tolist() == [100] * 9


def test_treatments_change_the_last_ten_rounds():
    supply = Irrigation(horizon=20, shock="supply", start=100.0, wear=0.0)
    carried = [float(supply.stock(State(jnp.float32(100), *(jnp.zeros(5),) * 2, jnp.int32(t)))[0]) for t in range(20)]
    assert carried == [*[30] * 10, 27, 31, 26, 35, 33, 28, 29, 25, 34, 32]
    assert float(supply.capacity()[0]) == 35
    canal = episode(Irrigation(horizon=20, shock="wear", start=100.0, wear=0.0), 0, 0, 20)[1]
    assert canal[:10].tolist() == [100] * 10
    assert (-np.diff(canal[9:])).tolist() == [20, 30, 25, 20, 5, 0, 0, 0, 0, 0]
    assert np.ptp(canal[:10]) == 0


def test_measures_of_inequality():
    by, one = {m.name: m.of for m in Irrigation().measures}, jnp.ones(())
    n, k = jnp.ones(5), jnp.ones(1)
    water = {"harvest": jnp.array([10.0, 10.0, 8.0, 2.0, 0.0])}
    e = Episode(one, n, n, one, one, one, n, n, n, water, k, k, k, k)
    gaps = 2 * (0 + 2 + 8 + 10 + 2 + 8 + 10 + 6 + 8 + 2)
    assert float(by["inequality"](e)) == pytest.approx(gaps / (2 * 5 * 30))
    assert float(by["tail"](e)) == pytest.approx(2 / 20)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"shock": "flood"}, "irrigation.shock is 'flood'"),
        ({"shock": "wear", "horizon": 5}, "about the last 10 rounds, and irrigation.horizon is 5"),
        ({"agents": 1}, "irrigation.agents is 1"),
        ({"supply": 80.0}, "irrigation.supply is 80.0"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(options, said):
    with pytest.raises(Refusal, match=said):
        Irrigation(**options)


def test_a_quota_of_all_the_water_is_an_equal_part_of_it():
    """30 units, five people: six each; whoever takes ten has an excess of four, and pays twice that."""
    place = govern(Irrigation(), Quota(target=0.0), Fine(on="quota.excess"))
    state = place.reset(KEY)
    assert place.observe(state)["quota.allowed"][:, 0].tolist() == [6] * 5
    none = jnp.zeros(5, jnp.int32)
    _, outcome = place.step(KEY, state, {"draw": none.at[0].set(10), "provide": none})
    assert outcome.events["quota.excess"].tolist() == [4, 0, 0, 0, 0]
    assert outcome.transfer.tolist() == [-8, 0, 0, 0, 0]


# --- rotation


def test_in_a_rotation_only_those_on_turn_take():
    got = run(govern(SITUATIONS["pool"], Rotation(length=2)), 1)
    turn = got.outcome.events["rotation.turn"]
    assert turn[:7].tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1], [1, 0, 0]]
    np.testing.assert_array_equal(got.seen["rotation.turn"][..., 0], turn)
    np.testing.assert_array_equal(got.outcome.events["request"] > 0, (turn > 0) & (got.action["request"] > 0))
    two = run(govern(SITUATIONS["pool"], Rotation(length=1, together=2)), 1).outcome.events["rotation.turn"]
    assert two[:3].tolist() == [[1, 1, 0], [1, 0, 1], [0, 1, 1]]


def test_a_rotation_takes_the_first_choice_or_the_one_that_is_named():
    place = govern(Irrigation(), Rotation(head="provide", length=1))
    ask = {"draw": jnp.full(5, 6), "provide": jnp.full(5, 5)}
    _, outcome = place.step(KEY, place.reset(KEY), ask)
    assert outcome.events["worked"].tolist() == [1, 0, 0, 0, 0]
    assert (outcome.events["harvest"] > 0).all()
    with pytest.raises(Refusal, match=r"rotation.head is 'drw'; did you mean 'draw'"):
        govern(Irrigation(), Rotation(head="drw"))
