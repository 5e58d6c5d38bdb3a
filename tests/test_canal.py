"""Irrigation and rotation: the published constants, who comes first, and what keeps a canal up, by hand and by law."""

from __future__ import annotations

import itertools

import equinox as eqx
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
from nomoi.probes import canal as solved
from nomoi.situations.irrigation import Irrigation, State, crop, delivered
from nomoi.studies import canal

KEY = jax.random.key(0)


@eqx.filter_jit
def born(place):
    return place.reset(KEY)


@eqx.filter_jit
def stepped(place, state, draw, provide):
    return place.step(KEY, state, {"draw": draw, "provide": provide})


def watered(flow, wish, gate=25.0):
    return np.asarray(solved.GATES(jnp.float32(flow), jnp.asarray(wish, jnp.float32), jnp.float32(gate)))


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
    wide = Irrigation(horizon=20, shock="wide wear")
    assert [float(wide._wears(jnp.int32(t))) for t in range(9, 20)] == [25, 25, 10, 10, 80, 10, 5, 10, 80, 10, 10]


def test_what_a_farmer_sees_and_owes():
    place = Irrigation()
    water, gave = jnp.array([5.0, 4, 3, 2, 1]), jnp.array([10.0, 5, 0, 0, 0])
    seen = place.senses(State(jnp.float32(63), water, gave, jnp.int32(0)))
    of = {name: np.asarray(x)[:, 0].tolist() for name, x in seen.items() if name != "nearby"}
    assert of["place"] == [0, 0.25, 0.5, 0.75, 1]
    assert of["given"] == [1, 0.5, 0, 0, 0]
    assert of["watered"] == [5, 4, 3, 2, 1]
    same = {"canal": 0.63, "stream": 25, "perceived": 25 / 30, "mean": 0.3, "need": 6, "duty": 5}
    np.testing.assert_allclose([of[name] for name in same], [[x] * 5 for x in same.values()], rtol=1e-6)
    assert np.asarray(seen["nearby"]).tolist() == [[0, 4], [5, 3], [4, 2], [3, 1], [2, 0]]
    assert Irrigation(wear=26.0).duty == 6  # five tokens each would not do
    none = jnp.zeros(5, jnp.int32)
    runs = [stepped(p, born(p), none, none)[1].events["standing"][0] for p in map(at, (46.0, 52.0))]
    assert runs == [0, 1]  # 5 and 10 cubic feet a second, of 30


def at(start):
    return Irrigation(start=start)


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
    state = born(place)
    assert place.observe(state)["quota.allowed"][:, 0].tolist() == [6] * 5
    none = jnp.zeros(5, jnp.int32)
    _, outcome = stepped(place, state, none.at[0].set(10), none)
    assert outcome.events["quota.excess"].tolist() == [4, 0, 0, 0, 0]
    np.testing.assert_allclose(outcome.transfer, [-8, 0, 0, 0, 0], rtol=1e-6)


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
    _, outcome = stepped(place, born(place), jnp.full(5, 8), jnp.full(5, 5))
    assert outcome.events["worked"].tolist() == [1, 0, 0, 0, 0]
    assert outcome.events["request"].tolist() == [8] * 5  # also what was wished for in vain
    assert (outcome.events["harvest"] > 0).all()
    many = "rotation.together is 9, and irrigation has 5 agents; 4 or fewer"
    for wrong, said in (({"head": "drw"}, "rotation.head is 'drw'; did you mean 'draw'"), ({"together": 9}, many)):
        with pytest.raises(Refusal, match=said):
            govern(Irrigation(), Rotation(**wrong))


# --- solved


def test_what_one_hand_could_make_of_it():
    """By the earlier program: crops at 5, 10 .. 40 cubic feet a second, and ten rounds from 75 that earn 1034."""
    found = canal.bounds(None)
    assert [found[f"crops at {f}"] for f in canal.SUPPLIES] == [10, 20, 37, 51, 63, 75, 90, 95]
    assert (found["planned"], found["nobody gives"]) == (1034, 585)
    assert (found["crops, greedy"], found["crops, equal"]) == (59, 70)


def test_turns_go_round_as_the_institution_has_them():
    place, waters = govern(Irrigation(), Rotation(length=1, together=3)), solved.turns(Irrigation(), 3)
    state = born(place)
    for t in range(3):
        state, outcome = stepped(place, state, jnp.full(5, 10), jnp.full(5, 5))
        np.testing.assert_allclose(50 * outcome.events["harvest"], waters(30.0, t), rtol=1e-5)


@pytest.mark.parametrize(("start", "how"), [(56, "equal"), (60, "equal"), (60, "greedy"), (63, "greedy")])
def test_an_equilibrium_is_one_by_trying_every_departure(start, how):
    """Three farmers with four tokens, two rounds; in the last one nobody gives.  Of all that nobody gains by leaving
    the first round is one with most welfare, and of those the most even."""
    place = Irrigation(agents=3, endowment=4, horizon=2, wear=6.0, start=float(start), supply=20.0)
    waters = getattr(solved, how)(place)
    crops = [np.asarray(crop(jnp.asarray(waters(f, 0)))) for f in solved.flows(place)]
    stable = []
    for gave in itertools.product(range(5), repeat=3):
        worth = lambda i, x, gave=gave: 4 - x + crops[start - 6 + sum(gave) - gave[i] + x][i]  # noqa: E731
        if all(worth(i, gave[i]) >= worth(i, x) for i in range(3) for x in range(5)):
            stable.append((sum(crops[start - 6 + sum(gave)]) - sum(gave), -sum(x * x for x in gave), gave))
    found = solved.equilibrium(place, waters)
    first = tuple(found.given[0].tolist())
    assert max(stable)[:2] == next(s[:2] for s in stable if s[2] == first)
    assert found.kept.tolist() == [start, start - 6 + sum(first)]
    assert (found.given[1] == 0).all()
    income = (4 - found.given + [crops[start], crops[int(found.kept[1])]]).sum(0)
    np.testing.assert_array_equal(found.income, income)


def test_a_quota_dear_enough_is_never_worth_breaking():
    """No field gains more than the fine from units beyond the equal part, whatever the canal carries."""
    feet = jnp.arange(26, dtype=jnp.float32) * 50
    earns = np.asarray(crop(feet))
    for flow in range(5, 45, 5):
        part = flow / 5
        own = float(crop(jnp.float32(50 * part)))
        beyond = np.arange(26) > part
        assert (earns[beyond] - own <= canal.RATE * (np.arange(26)[beyond] - part)).all()


def test_inequality_is_counted_round_by_round():
    water = np.array([[1.0, 1, 1, 1, 1], [5, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
    np.testing.assert_allclose(canal.gini(water), [0, 0.8, np.nan])
    unequal = np.array([[0.1], [0.5], [0.3], [np.nan], [0.9]])
    assert canal.followed_by(unequal, np.array([[0.0], [0.9], [0.5], [0.7], [0.2]])) == pytest.approx(-1)


def test_a_head_that_takes_too_much_is_left_alone():
    """It earns more at eight units than at an equal part of six, and less at ten: nobody below gives."""
    head = {k: solved.bandit(Irrigation(), k)[0] for k in (6, 8, 10)}
    assert head[8] > head[6] > head[10]
