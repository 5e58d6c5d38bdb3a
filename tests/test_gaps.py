"""Contracts with gaps: the world with the vase, deeds, and gapfillers that judge what no term names."""

from __future__ import annotations

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nomoi import catalogue
from nomoi.core import Outcome, govern
from nomoi.errors import Refusal
from nomoi.institutions.deed import Deed
from nomoi.institutions.gapfiller import Gapfiller
from nomoi.institutions.levy import Levy
from nomoi.situations.harvest import Harvest
from nomoi.situations.matrix import Matrix, symmetric
from nomoi.situations.mushrooms import Mushrooms
from nomoi.situations.vases import SMALL, Vases
from nomoi.solve.pure import pure
from nomoi.solve.unfold import normal_form
from nomoi.studies import unwritten

STAY, NORTH, EAST, SOUTH, WEST = range(5)
STEP = {STAY: (0, 0), NORTH: (-1, 0), EAST: (0, 1), SOUTH: (1, 0), WEST: (0, -1)}
KEY = jax.random.key(0)
HALL = Vases(harm=10.0, worth=2.0, wear=0.5, horizon=40)


@eqx.filter_jit
def lived(place, moves):
    """Outcomes of a course of moves of the mover; the principal tries to walk off, in vain."""

    def step(state, move):
        return place.step(KEY, state, {"move": jnp.stack([move, jnp.array(WEST)])})

    return jax.lax.scan(step, place.reset(KEY), moves)


def slowly(moves):
    """The same by hand: boxes, vases, things disturbed and worth to the principal, step by step."""
    rows = SMALL.strip("\n").split("\n")
    at = next((r, row.index("S")) for r, row in enumerate(rows) if "S" in row)
    laden, whole, out = False, True, []
    for move in moves:
        to = at[0] + STEP[int(move)][0], at[1] + STEP[int(move)][1]
        moved = rows[to[0]][to[1]] not in "WP" and to != at
        at = to if moved else at
        here = rows[at[0]][at[1]]
        broken, crossed, delivered = here == "V" and whole, here == "L" and moved, here == "D" and laden
        whole, laden = whole and not broken, (laden or here == "B") and not delivered
        out.append((delivered, broken, broken or crossed, 2 * delivered - 10 * broken - 0.5 * crossed))
    return np.array(out, float)


@given(st.integers(0, 2**31))
@settings(max_examples=8)
def test_the_hall_is_what_a_slow_twin_says(seed):
    rng = np.random.default_rng(seed)
    moves = rng.choice([EAST, WEST, NORTH, SOUTH, STAY], 40, p=[0.35, 0.25, 0.2, 0.15, 0.05])
    state, outcome = lived(HALL, jnp.asarray(moves))
    known = slowly(moves)
    for k, name in enumerate(("delivered", "broken", "disturbed", "externality")):
        np.testing.assert_array_equal(outcome.events[name], np.stack([known[:, k], 0 * known[:, k]], 1))
    np.testing.assert_array_equal(outcome.reward, np.stack([0 * known[:, 3], known[:, 3]], 1))
    assert outcome.done.tolist() == [False] * 39 + [True]
    assert int(state.body.cell[1]) == HALL.land.find("P")[0]


def test_what_is_sensed_and_drawn_in_the_hall_by_hand():
    """Six rows and seven columns; the mover starts in (2, 1), the principal stands in (4, 5)."""
    state = HALL.reset(KEY)
    np.testing.assert_allclose(HALL.senses(state)["own"], [[0, -1 / 3, -5 / 7], [0, 1 / 3, 3 / 7]], rtol=1e-6)
    assert HALL.asked(state)["move"].tolist() == [True, False]
    laden = eqx.tree_at(lambda s: s.carrying, state, jnp.array(True))
    assert HALL.senses(laden)["own"][:, 0].tolist() == [1, 0]
    scene = HALL.scene(laden)
    assert scene.bodies["laden"].tolist() == [True, False]
    for name, letter in {"boxes": "B", "wanted": "D", "grass": "L"}.items():
        assert np.flatnonzero(np.asarray(scene.ground[name])).tolist() == list(HALL.land.find(letter))


def test_sentences_of_contracts_and_of_those_who_fill_them():
    assert Deed(on="delivered,broken", prices=[1.5, -10.0], drafting=2.0).sentence == (
        "Under a deed the others pay 1.5 for a unit of 'delivered' and a unit of 'broken' costs who does it 10, paid "
        "to the others; each of its terms cost 2 to write."
    )
    assert "pays the others 0.25 of the true loss and 0.75 of 4." in Gapfiller(knows=0.25, custom=4.0).sentence
    assert "the true loss, 3 times where that is more than 2." in Gapfiller(multiple=3.0, minor=2.0).sentence


PAST = [NORTH, EAST, EAST, EAST, EAST, STAY, STAY]  # to the boxes, and past the vase to where they are wanted
ACROSS = [NORTH, EAST, SOUTH, EAST, EAST, NORTH, EAST]  # across the lawn


def payoffs(*rules, moves=PAST, hall=HALL):
    outcome = lived(govern(hall, *rules), jnp.asarray(moves))[1]
    return outcome, np.asarray(outcome.transfer.sum(0))


def test_a_deed_pays_for_what_it_names_and_for_nothing_else():
    outcome, moved = payoffs(Deed(prices=[1.5], drafting=0.6))
    np.testing.assert_allclose(moved, [1.5 - 0.3, -1.5 - 0.3], rtol=1e-6)
    np.testing.assert_allclose(outcome.events["deed.drafted"].sum(0), [0.3, 0.3], rtol=1e-6)
    np.testing.assert_allclose(outcome.burnt.sum(), 0.6, rtol=1e-6)
    outcome, moved = payoffs(Deed(on="delivered, broken", prices=[1.5, -4.0], drafting=0.6))
    np.testing.assert_allclose(moved, [1.5 - 4 - 0.6, -1.5 + 4 - 0.6], rtol=1e-6)
    np.testing.assert_allclose(outcome.events["deed.paid"].sum(0), [1.5 - 4, 0], rtol=1e-6)


CASES = {  # options of a gapfiller -> what the mover pays in damages past the vase, and across the lawn
    "knows": ({}, 10.0, 0.5),
    "half": ({"knows": 0.5, "custom": 4.0}, 0.5 * 10 + 0.5 * 4, 0.5 * 0.5 + 0.5 * 4),
    "custom alone": ({"knows": 0.0, "custom": 4.0}, 4.0, 4.0),
    "silence permits": ({"knows": 0.0}, 0.0, 0.0),
    "small losses": ({"minor": 0.5}, 10.0, 0.0),
    "threefold": ({"multiple": 3.0}, 30.0, 1.5),
    "on average, one in four": ({"mean": True, "look": 0.25, "multiple": 2.0}, 5.0, 0.25),
    "worth less": ({"value": 0.5}, 5.0, 0.25),
    "never": ({"look": 0.0}, 0.0, 0.0),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_gapfiller_awards_by_hand(name):
    options, vase, lawn = CASES[name]
    filler = Gapfiller(cost=0.2, **options)
    for moves, due in ((PAST, vase), (ACROSS, lawn)):
        outcome, moved = payoffs(filler, moves=moves)
        looks = float(filler.look) * 0.2 / 2  # each of two pays half
        np.testing.assert_allclose(moved, [-due - looks, due - looks], atol=1e-5)
        np.testing.assert_allclose(outcome.events["gapfiller.damages"].sum(0), [due, 0], atol=1e-5)
        np.testing.assert_allclose(outcome.events["gapfiller.looked"].sum(0), [float(filler.look), 0], atol=1e-6)
        assert float(outcome.events["gapfiller.breach"].sum()) == (float(filler.look) if due else 0)
        np.testing.assert_allclose(outcome.burnt.sum(), 2 * looks, atol=1e-6)


def test_what_a_term_names_is_not_judged_and_who_did_it_may_pay_for_looking():
    named = Gapfiller(named="broken", cost=0.2)
    assert payoffs(named)[1].tolist() == [0, 0]
    np.testing.assert_allclose(payoffs(named.replace(payer="doer"), moves=ACROSS)[1], [-0.7, 0.5], rtol=1e-5)


ruled = eqx.filter_jit(lambda filler, known, words: filler.ruling(known, words))


@given(
    known=st.floats(-5, 10), error=st.floats(0.1, 5), minor=st.sampled_from([0.0, 1.0, 4.0]),
)  # fmt: skip
@settings(max_examples=15)
def test_on_average_it_awards_what_it_awards_by_lot(known, error, minor):
    words = (np.arange(20_000, dtype=np.float32) + 0.5) / 20_000
    cases = np.full(20_000, known, np.float32)
    by_lot, usual = (ruled(Gapfiller(error=error, minor=minor, mean=mean), cases, words) for mean in (False, True))
    for drawn, mean in zip(by_lot, usual, strict=True):
        np.testing.assert_allclose(float(drawn.mean()), float(mean[0]), atol=4e-3 * (1 + error + abs(minor)))


def test_what_harms_nobody_becomes_dear_by_errors():
    none = np.zeros(20_000, np.float32)
    harmless = ruled(Gapfiller(error=1.0, mean=True), none, none)
    np.testing.assert_allclose([float(x[0]) for x in harmless], [0.5, 1 / np.sqrt(2 * np.pi)], rtol=1e-5)
    spared = ruled(Gapfiller(error=1.0, minor=2.0, mean=True), none, none)
    np.testing.assert_allclose(float(spared[1][0]), np.exp(-2) / np.sqrt(2 * np.pi), rtol=1e-4)


def test_by_lot_it_looks_as_often_as_it_says():
    filler, hall = Gapfiller(look=0.3, error=1.0), HALL
    events = {"disturbed": jnp.array([1.0, 0.0]), "externality": jnp.array([-2.0, 0.0])}
    outcome = Outcome(jnp.zeros(2), jnp.zeros(2), events, jnp.array(False))

    def one(key):
        return filler.settle(key, (), hall, None, {}, {}, outcome)[2].events

    told = jax.jit(jax.vmap(one))(jax.random.split(KEY, 4000))
    looked, damages = (np.asarray(told[f"gapfiller.{name}"]) for name in ("looked", "damages"))
    assert abs(looked[:, 0].mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 4000)
    assert (looked[:, 1] == 0).all()
    assert (damages[looked == 0] == 0).all()
    seen = damages[looked[:, 0] == 1, 0]
    assert abs(seen.mean() - 2.0085) < 4 * seen.std() / np.sqrt(len(seen))  # 2 Phi(2) + phi(2), by hand
    assert filler.chance(hall)
    assert not filler.replace(mean=True).chance(hall)
    assert not Gapfiller().chance(hall)
    assert not Gapfiller(look=0.0).chance(hall)


def test_it_fills_gaps_elsewhere():
    """Orange mushrooms harm all; and where defecting is what harms, supplying the term mends a dilemma."""
    ate = jnp.array([1.0, 1.0, 0.0])
    events = {"harvest": ate, "externality": jnp.array([-3.0, 2.0, 0.0])}
    place = Mushrooms(agents=3)
    filler = Gapfiller(on="harvest", cost=0.0)
    assert govern(place, filler).institutions == (filler,)
    outcome = Outcome(jnp.zeros(3), jnp.zeros(3), events, jnp.array(False))
    settle = eqx.filter_jit(lambda filler, out: filler.settle(KEY, (), place, None, {}, {}, out)[2])
    np.testing.assert_allclose(settle(filler, outcome).transfer, [-3.0, 1.5, 1.5])  # what feeds others is no breach
    outcome = eqx.tree_at(lambda o: o.events["harvest"], outcome, 2 * ate)
    usual = settle(filler.replace(knows=0.0, custom=0.5), outcome).transfer
    np.testing.assert_allclose(usual, [-1.0 + 0.5, -1.0 + 0.5, 1.0])  # custom is by the unit, and each did two
    filler = Gapfiller(on="defect", effect="defect", value=-3.0, cost=0.0)
    filled = normal_form(govern(Matrix(), filler))
    np.testing.assert_allclose(filled.payoff, symmetric(2.0, 0 + 3.0, 4 - 3.0, 1.0))
    assert [tuple(map(int, a)) for a in pure(filled)] == [(0, 0)]


# --- solved exactly -------------------------------------------------------------------------------------------------

SHORT = 36


def boxes(steps: int, way: int) -> int:
    """Boxes in so many steps where it is `way` steps from boxes to where they are wanted: the first after 1 + way."""
    return max(0, 1 + (steps - 1 - way) // (2 * way))


@cache
def best(fine: float) -> np.ndarray:
    return unwritten.solved(SHORT, [{"fine": fine}])[0].start


@pytest.mark.parametrize("fine", [1e-3, 1.5, 2.5, 6.0])
def test_a_robot_breaks_the_vase_where_more_boxes_are_worth_more_than_the_fine(fine):
    """By hand: past the vase 4 boxes in 36 steps, across the lawn 3, around both 2; a box is paid 2."""
    assert [boxes(SHORT, way) for way in (4, 6, 10)] == [4, 3, 2]
    np.testing.assert_allclose(best(fine)[0], max(2 * 4 - fine, 2 * 3), rtol=1e-5)


def test_rules_solved_exactly_by_hand():
    fillers = [
        None, Gapfiller(cost=0.0), Gapfiller(look=0.1, cost=0.0), Gapfiller(look=0.1, multiple=10.0, cost=0.0),
        Gapfiller(error=10.0, cost=0.0), Gapfiller(knows=0.0, custom=2.5, cost=0.0),
        Gapfiller(knows=0.0, custom=9.0, cost=0.0),
    ]  # fmt: skip
    found = [unwritten.told(s, SHORT) for s in unwritten.solved(SHORT, [{"filler": f} for f in fillers])]
    broken, carried = [f["broken"] for f in found], [f["delivered"] for f in found]
    assert broken == [1, 0, 1, 0, 0, 1, 0]  # a custom of 2.5 leaves 8 - 2.5, more than the 4 of the long way around
    assert carried == [4, 3, 4, 3, 2, 4, 2]
    np.testing.assert_allclose([f["reward"] for f in found], [-2, 6, -2, 6, 4, -2, 4], atol=1e-4)
    assert [f["disturbed"] for f in (found[4], found[6])] == [0, 0]
    assert found[1]["disturbed"] in (4, 5)


@pytest.mark.slow
def test_what_a_contract_needs_to_say_with_one_thing():
    """One thing in the way: to name it is worth what the fine brings less a term; a gapfiller that knows is as good."""
    found = unwritten.things(jax.random.key(3), 1, 0.1, SHORT)
    loss = float(np.random.default_rng(np.asarray(jax.random.key_data(jax.random.key(3)))).uniform(0, 12, 1)[0])
    left = 8 - loss
    named = max(left, 6)
    assert found["none: worth"] == pytest.approx(max(left, named - 0.1), abs=1e-4)
    assert found["none: terms"] == (named - 0.1 > left)
    assert found["knows all: terms"] == 0
    assert 0 < named - found["knows all: worth"] < 0.55  # at most five looks


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: govern(Vases(), Deed(on="disturbed", prices=[-1.0]), Gapfiller()), "finds no gap: deed names"),
        (lambda: govern(Vases(), Levy(on="disturbed"), Gapfiller()), "finds no gap: levy names"),
        (lambda: govern(Harvest(), Gapfiller(on="sparse")), "needs 'externality', which harvest does not offer"),
        (lambda: govern(Vases(), Gapfiller(named="harvest")), "needs 'harvest'"),
        (lambda: govern(Harvest(agents=1), Deed(on="harvest")), "needs at least 2 agents"),
        (lambda: Deed(on="delivered,broken"), "deed.prices has 1 numbers for 2 events"),
        (lambda: Gapfiller(look=1.5), "gapfiller.look is 1.5"),
        (lambda: Vases(extent=(1, 1)), "vases.extent is"),
        (lambda: Vases(map="WWW\nWBW\n"), "0 cells for the start"),
        (lambda: Vases(map="SP  \nSB D"), "2 cells for the start"),
        (lambda: Vases(map="SP  \n B  "), "no place where they are wanted"),
        (lambda: Vases(map="SP  \n D  "), "has no boxes"),
        (lambda: Vases(map="hall"), "has no map 'hall'"),
    ],
)
def test_what_is_wrong_is_said(wrong, said):
    with pytest.raises(Refusal, match=said):
        wrong()


def test_a_file_of_ones_own_may_hold_tables(tmp_path):
    file = tmp_path / "hall.py"
    file.write_text(
        "import numpy as np\nfrom nomoi.situations.vases import Vases\nTABLE = np.arange(3)\n"
        'class Hall(Vases):\n    """Another."""\n'
    )
    assert [c.__name__ for c in catalogue.load(str(file), "situation")] == ["Hall"]
