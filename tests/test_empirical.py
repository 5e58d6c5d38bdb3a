"""Dilemmas from play: exact in matrix games, undecided where the interval is, and the same as Schelling's diagram."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from nomoi.errors import Refusal
from nomoi.probes import empirical
from nomoi.probes.empirical import FAILS, HOLDS, UNDECIDED, Empirical, judge
from nomoi.probes.schelling import Diagram, schelling
from nomoi.scripts.fixed import Constant, Random
from nomoi.situations.matrix import Matrix, symmetric
from nomoi.situations.pool import Pool

KEY = jax.random.key(0)
C, D = Constant(choice=0), Constant(choice=1)


@pytest.mark.parametrize(
    ("preset", "name"), [("dilemma", "prisoners_dilemma"), ("chicken", "chicken"), ("stag", "stag_hunt")]
)
def test_played_matrices_are_what_they_are(preset, name):
    situation = Matrix.preset(preset, horizon=3)
    payoff = empirical.pairings(KEY, situation, C, D, seeds=2, worlds=2)
    assert np.allclose(payoff, 3 * np.asarray(situation.payoff))
    found = empirical.of_two(payoff)
    assert found.name == name
    assert found.dilemma == HOLDS
    turns = found.inequalities()["turns_lose"].verdict
    assert turns == (FAILS if preset == "dilemma" else HOLDS)  # 2R = T + S there: a tie is not above zero
    assert np.allclose(empirical.game(payoff).payoff, 3 * np.asarray(situation.payoff))


def test_each_player_is_seen_from_its_own_place():
    row, column = symmetric(3, 0, 4, 1)[0], symmetric(4, 0, 3, 1)[1]
    payoff = empirical.pairings(KEY, Matrix(payoff=[row, column]), C, D, seeds=2, worlds=1)
    assert empirical.of_two(payoff, 0).name == "prisoners_dilemma"
    assert empirical.of_two(payoff, 1).name == "stag_hunt"
    assert empirical.of_two(payoff).R.tolist() == [3.5, 3.5]


def test_the_same_behaviour_twice_is_undecided():
    payoff = empirical.pairings(KEY, Matrix.preset("classic", horizon=4), Random(), Random(), seeds=8, worlds=4)
    found = empirical.of_two(payoff)
    assert found.inequalities()["coop_beats_defect"].verdict == UNDECIDED
    assert found.dilemma != HOLDS
    assert found.name is None


def test_the_fishery_of_two_and_of_four():
    """Taking a little against taking all: two fishers by pairings and by the diagram, four by the diagram."""
    little, all_of_it = Constant(choice=2), Constant(choice=12)
    payoff = empirical.pairings(KEY, Pool(), little, all_of_it, seeds=2, worlds=1)
    diagram = schelling(KEY, Pool(), little, all_of_it, seeds=2, worlds=1)
    one, other = empirical.of_two(payoff), empirical.of_many(diagram)
    for letter in "RSTP":
        assert np.allclose(getattr(one, letter), getattr(other, letter), rtol=1e-5)
    assert other.two
    four = empirical.of_many(schelling(KEY, Pool(agents=4), Constant(choice=1), all_of_it, seeds=2, worlds=1))
    assert not four.two
    assert "turns_lose" not in four.inequalities()
    assert four.inequalities()["coop_beats_defect"].verdict == HOLDS
    assert four.inequalities()["fear"].verdict == HOLDS


def test_judging():
    assert judge(np.array([1.0, 1.1, 1.3])).verdict == HOLDS
    assert judge(np.array([-1.0, -1.1])).verdict == FAILS
    assert judge(np.array([1.0, 2.0])).verdict == UNDECIDED  # Student's t of two
    assert judge(np.array([0.0, 0.0])).verdict == FAILS
    assert judge(np.array([-1.0, 1.0])).verdict == UNDECIDED
    assert judge(np.array([5.0])).verdict == UNDECIDED


def _empirical(R, S, T, P, two=True):
    return Empirical(*(np.array(v, float) for v in (R, S, T, P)), two=two)


def test_names_wait_for_what_they_need():
    assert _empirical([4, 4], [1, 1], [2, 2], [3, 3]).name == "assurance"
    assert _empirical([4, 4], [2, 2], [1, 1], [3, 3]).name == "coordination"
    assert _empirical([4, 4], [1, 1], [3, 3], [2, 2]).name == "stag_hunt"
    wavering = _empirical([4, 4], [0, 0], [1.9, 2.1], [2, 2])  # T against P is open, greed is not
    assert wavering.dilemma == HOLDS
    assert wavering.name is None
    assert _empirical([4, 4], [0, 0], [1.9, 2.1], [2, 2], two=False).name == "stag_hunt"
    greedy = _empirical([3, 3], [0, 0], [4, 4], [-0.1, 0.1])  # fear is open: a dilemma, of which kind not known
    assert greedy.dilemma == HOLDS
    assert greedy.name is None
    assert _empirical([3, 3], [0, 0], [2.9, 3.1], [-0.1, 0.1]).dilemma == UNDECIDED
    assert _empirical([3, 3], [0, 0], [2, 2], [-1, -1]).dilemma == FAILS
    assert _empirical([1, 1], [0, 0], [4, 4], [2, 2]).dilemma == FAILS
    assert _empirical([3], [0], [4], [1]).dilemma == UNDECIDED


def test_refusals():
    with pytest.raises(Refusal, match="pairings are for two"):
        empirical.pairings(KEY, Pool(agents=3), C, D)
    with pytest.raises(Refusal, match="one seed"):
        empirical.pairings(KEY, Pool(), C, D, seeds=0)
    with pytest.raises(Refusal, match="shape"):
        empirical.of_two(np.zeros((3, 2, 2)))
    assert isinstance(Diagram(np.ones((1, 2)), np.ones((1, 2))).agents, int)
