"""Cross-play between seeds, and learned minds among strangers: exact numbers in games with conventions."""

from __future__ import annotations

import dataclasses
import itertools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small import SITUATIONS

from nomoi.core import govern
from nomoi.errors import Refusal
from nomoi.institutions.altar import Altar
from nomoi.learners.ppo import PPO, Residents
from nomoi.measure.evaluate import episodes
from nomoi.probes.crossplay import crossplay, everyone, matrix
from nomoi.probes.scenarios import scenarios
from nomoi.scripts.fixed import Constant, Forager, Random
from nomoi.situations.matrix import Matrix

KEY = jax.random.key(0)


def convention():
    """Four choose a side each; everybody gets 1 for each other on its side, or 2 on the second side."""
    payoff = np.zeros((4, 2, 2, 2, 2))
    for sides in itertools.product((0, 1), repeat=4):
        payoff[(slice(None), *sides)] = [(1 + s) * (sides.count(s) - 1) for s in sides]
    return Matrix(payoff=payoff.tolist(), horizon=5)


ROADS = convention()
PLACE = govern(SITUATIONS["harvest"], Altar())


def tiny(**changes):
    return PPO(**({"worlds": 4, "steps": 8, "minibatches": 2, "epochs": 1, "hidden": 4} | changes))


def settled(learner, *sides):
    """A mind that always takes a side: one for all, or each agent its own."""
    mind = learner.init(KEY, ROADS)
    bias = 50.0 * np.eye(2, dtype=np.float32)[list(sides)]
    return eqx.tree_at(lambda m: m.heads["choose"]["b"], mind, jnp.asarray(bias[0] if learner.shared else bias))


@pytest.mark.parametrize(("shared", "recurrent"), [(True, True), (False, False)])
def test_conventions_clash(shared, recurrent):
    learner = tiny(shared=shared, recurrent=recurrent)
    left, right = (settled(learner, *[s] * 4) for s in (0, 1))
    found = crossplay(KEY, ROADS, learner, [left, right, left], worlds=2)
    assert found["payoff.own"] == 5 * 3
    assert found["payoff.cross"] == pytest.approx(5 * (1 + 3) / 2)  # one clash of two and two, one with its like
    assert found["payoff.ratio"] == pytest.approx(2 / 3)
    assert found["payoff.difference"] == pytest.approx(-5)
    assert set(found) == {f"payoff.{word}" for word in ("own", "cross", "ratio", "difference")}
    # only how many act by the own mind changes: the same program
    assert crossplay(KEY, ROADS, learner, [right, left], focal=1, worlds=2)["payoff.cross"] == 0
    assert crossplay(KEY, ROADS, learner, [right, left], focal=3, worlds=2)["payoff.cross"] == 5 * 2 * 2
    alone = crossplay(KEY, ROADS, learner, [left], worlds=2)
    assert alone["payoff.own"] == 15
    assert math.isnan(alone["payoff.cross"])
    table = matrix(KEY, ROADS, learner, [left, right], worlds=2)
    np.testing.assert_allclose(table["payoff"], 5 * np.array([[3, 1], [2, 6]]))


def test_the_focal_agents_are_the_first_and_keep_their_own_networks():
    learner = tiny(shared=False)
    one, other = settled(learner, 0, 1, 0, 0), settled(learner, 1, 1, 1, 1)
    found = crossplay(KEY, ROADS, learner, [one, other], worlds=2)
    assert found["payoff.own"] == 5 * (2 + 0) / 2  # agents 0 and 1 among 0 1 0 0
    assert found["payoff.cross"] == 5 * (0 + 4) / 2  # among 0 1 1 1


def test_nobody_is_a_stranger_to_itself_and_the_commons_is_compared_too():
    learner = tiny()
    mind = learner.init(KEY, PLACE)
    found = crossplay(KEY, PLACE, learner, [mind, mind], worlds=2)
    for name in ("payoff", "harvest", "compliance"):
        assert found[f"{name}.difference"] == 0, name
        assert found[f"{name}.own"] > 0, name
    assert found["compliance.own"] < 1
    assert found["harvest.own"] > found["payoff.own"]  # of all, and of one


def test_a_rule_that_is_not_in_force_has_no_compliance():
    learner, place = tiny(), govern(SITUATIONS["harvest"], Altar(in_force=False))
    mind = learner.init(KEY, place)
    assert set(matrix(KEY, place, learner, [mind], worlds=2)) == {"payoff", "harvest"}


def test_who_learned_for_itself_alone_does_not_speak_for_others():
    among = Residents(Random(), 2)
    assert everyone(ROADS, tiny(residents=among), 2).residents is among
    assert everyone(ROADS, tiny(residents=among), 3).residents is None
    alone = tiny(residents=among, shared=False)
    with pytest.raises(Refusal, match="2 agents of matrix learned, each for itself"):
        crossplay(KEY, ROADS, alone, [None])
    with pytest.raises(Refusal, match="4 focal agents, and matrix 4 in all; 1 to 3 would do"):
        crossplay(KEY, ROADS, tiny(), [None], focal=4)


def test_an_episode_is_summed_to_its_end_and_no_further():
    played = jax.jit(lambda key: episodes(key, ROADS, Constant(choice=1), worlds=3))(KEY)
    np.testing.assert_array_equal(played.reward, np.full((3, 4), 5 * 2 * 3))
    np.testing.assert_array_equal(played.steps, 5)


def test_a_mind_among_strangers_who_choose_at_random():
    found = scenarios(KEY, ROADS, Constant(choice=1), (), worlds=400)
    assert set(found) == {"resident.random", "resident.random.random", "visitor.random", "visitor.random.random"}
    # of an agent and step: 2 for each of two companions and half of one stranger; or for half of three strangers
    assert found["resident.random"] == pytest.approx(5 * 2 * 2.5, rel=0.03)
    assert found["visitor.random"] == pytest.approx(5 * 2 * 1.5, rel=0.03)
    # at random: on either side half of the others are there
    assert found["resident.random.random"] == pytest.approx(5 * 1.5 * 1.5, rel=0.03)


def test_a_forager_does_as_the_same_forager():
    """The learned mind and the script of reference stand in the same slots, in the same worlds."""
    found = scenarios(KEY, PLACE, Forager(), (), reference="greedy", worlds=4)
    names = ("random", "greedy", "restrained", "obedient")
    assert set(found) == {f"{m}.{b}{r}" for m in ("resident", "visitor") for b in names for r in ("", ".greedy")}
    for name in names:
        for mode in ("resident", "visitor"):
            assert found[f"{mode}.{name}"] == found[f"{mode}.{name}.greedy"], (mode, name)
    assert found["visitor.restrained"] > found["visitor.greedy"]  # fewer hands at the apples
    assert found["visitor.restrained"] > found["resident.restrained"]
    assert len({found[f"visitor.{name}"] for name in names}) == 4  # every background is another


def test_a_learned_mind_speaks_for_the_focal_agents_alone():
    learner = tiny(recurrent=True, residents=Residents(Random(), 1))
    right = settled(dataclasses.replace(learner, residents=None), 1)
    found = scenarios(KEY, ROADS, learner, right, strangers=2, reference="", worlds=400)
    assert found["resident.random"] == pytest.approx(5 * 2 * 2, rel=0.03)
    assert set(found) == {"resident.random", "visitor.random"}


def test_scenarios_refuse_what_cannot_live_there():
    with pytest.raises(Refusal, match=r"there is no background 'greedi'.*greedy"):
        scenarios(KEY, ROADS, Random(), (), ["greedi"])
    with pytest.raises(Refusal, match="matrix shows none"):
        scenarios(KEY, ROADS, Random(), (), ["greedy"])
    with pytest.raises(Refusal, match="4 strangers leave no focal agent of the 4 in matrix"):
        scenarios(KEY, ROADS, Random(), (), strangers=4)
