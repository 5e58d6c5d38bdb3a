"""Villagers: what they do where a quota is told, whom they copy, what their trust is made of."""

from __future__ import annotations

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nomoi import catalogue
from nomoi.core import govern
from nomoi.errors import Refusal
from nomoi.institutions.quota import Quota
from nomoi.learners import experience
from nomoi.learners.people import Plan, Told, model, taking
from nomoi.learners.villagers import Villagers
from nomoi.situations.commons import Commons
from nomoi.situations.harvest import Harvest
from nomoi.situations.irrigation import Irrigation
from nomoi.situations.matrix import Matrix
from nomoi.situations.pool import Pool
from nomoi.testing.learner import check_learner

KEY = jax.random.key(0)
WHO = Villagers(villages=2)
HALF = 0.5


@eqx.filter_jit
def begun(situation):
    state = situation.reset(KEY)
    return WHO.born(KEY, situation), state, situation.observe(state)


def alive(situation, **changes):
    """A group, a state, and what is told there; with changes to the people."""
    people, state, seen = begun(situation)
    return dataclasses.replace(people, **changes), state, seen


@eqx.filter_jit
def answered(situation, people, seen):
    return WHO.answer(jnp.full((20, situation.agents), HALF), people, situation, seen)


@eqx.filter_jit
def stepped(situation, state, action):
    return situation.step(KEY, state, action)


def answers(situation, people, seen):
    return {h: np.asarray(x) for h, x in answered(situation, people, seen).items()}


def test_they_keep_what_a_learner_promises():
    assert all(check.passed for check in check_learner(WHO, [Matrix()]))


def test_they_are_who_plays_in_commons_unless_told_otherwise():
    assert Commons().who == "villagers"
    assert catalogue.find("villagers", "learner") is Villagers


def test_land_is_refused_in_a_sentence():
    with pytest.raises(Refusal, match="in harvest what counts is a way through land; ppo"):
        WHO.init(KEY, Harvest())


def test_imitators_keep_to_what_is_allowed_or_take_all_they_can():
    """Quota 1 x (stock 1 - .5) over four: an eighth of a unit each; a notch is a 24th, so three of twelve."""
    pool = govern(Pool(agents=4), Quota(on="request"))
    over = jnp.array([True, False, False, True])
    people, _, seen = alive(pool, over=over, cooperator=jnp.zeros(4, bool), reach=jnp.full(4, 0.5))
    assert answers(pool, people, seen)["request"].tolist() == [12, 3, 3, 12]


def test_who_trusts_does_his_part_and_nobody_else_does():
    """Willingness is (trust + how well rules are kept) / 2 = (.8 + .4) / 2 = .6."""
    pool = govern(Pool(agents=4), Quota(on="request"))
    people, _, seen = alive(
        pool, over=jnp.zeros(4, bool), cooperator=jnp.array([True, True, True, False]), reach=jnp.full(4, 0.5),
        threshold=jnp.array([0.59, 0.61, 0.9, 0.9]), trust=jnp.full(4, 0.8), kept=jnp.full(4, 0.4),
    )  # fmt: skip
    assert answers(pool, people, seen)["request"].tolist() == [3, 12, 12, 3]


def test_where_nothing_is_allowed_or_forbidden_all_follow_habits():
    habit = {"request": jnp.array([1, 7, 0, 12], jnp.int32)}
    free = Pool(agents=4)
    people, _, seen = alive(free, habit=habit, cooperator=jnp.ones(4, bool))
    assert answers(free, people, seen)["request"].tolist() == [1, 7, 0, 12]
    void = govern(free, Quota(on="request", in_force=False))
    people, _, seen = alive(void, habit=habit, cooperator=jnp.ones(4, bool))
    assert answers(void, people, seen)["request"].tolist() == [1, 7, 0, 12]


def test_in_a_dilemma_the_part_is_to_cooperate():
    people, _, seen = alive(
        Matrix(), cooperator=jnp.ones(2, bool), trust=jnp.ones(2), kept=jnp.ones(2), threshold=jnp.array([0.9, 1.1])
    )
    assert answers(Matrix(), people, seen)["choose"].tolist() == [0, 1]


def test_one_looks_at_another_of_ones_role():
    place = Commons(villages=2, insiders=2, outsiders=1)
    whom = np.asarray(model(place, jnp.array([0.0, 0.99, 0.5, 0.2, 0.7])))
    assert whom.argmax(1).tolist() == [1, 0, 3, 2, 4]  # the only stranger has himself
    assert (whom.sum(1) == 1).all()


def test_who_fares_better_is_copied_with_all_his_ways():
    """With beta large the poorer of a pair copies the richer and never the other way round."""
    who = Villagers(rate=1.0, beta=1000.0, mutation=0.0)
    game = Matrix()
    people, state, seen = alive(game, cooperator=jnp.zeros(2, bool), over=jnp.array([True, False]))
    people = dataclasses.replace(people, earned=jnp.zeros(2), habit={"choose": jnp.array([1, 0], jnp.int32)})
    action = who.answer(jnp.full((11, 2), HALF), people, game, seen)
    _, outcome = stepped(game, state, action)
    assert outcome.payoff.tolist() == [4, 0]
    after = who.adapt(jnp.full((11, 2), HALF), people, game, seen, action, outcome, outcome.payoff)
    assert after.over.tolist() == [True, True]
    assert after.habit["choose"].tolist() == [1, 1]
    assert after.earned.tolist() == pytest.approx([0.3 * 4, 0])


def test_trust_is_measured_from_what_was_lived():
    """By hand: a fine without cause of a fifth of the need; a due share of 1 for 1.1 / .6 deserved; catch of half."""
    place = govern(Commons(villages=1, insiders=2, outsiders=0), Quota(public=True))
    people, state, seen = alive(place, record=jnp.array([1.0, 0.0]))
    need = seen["need"][:, 0]
    told = Told(place, seen | {"fine.price": jnp.ones((2, 1))})
    _, outcome = stepped(place, state, {h: jnp.zeros(2, jnp.int32) for h in place.actions})
    events = outcome.events | {
        "wardens.wrong": jnp.array([1.0, 0.0]), "fine.paid": need / 5, "harvest": need / 2,
    }  # fmt: skip
    outcome = dataclasses.replace(outcome, events=events)
    plan = Plan(jnp.zeros(2, bool), jnp.zeros(2, bool), jnp.array([1, 2], jnp.int32), jnp.ones(2))
    lived, counts = experience.experiences(told, people, plan, outcome, need)
    assert np.asarray(lived).tolist() == [
        pytest.approx([0.8, 1.0]),
        pytest.approx([0.6 / 1.1, 1.0]),
        pytest.approx([1.0, 0.0]),  # nobody to hear him; the first wants no change
        pytest.approx([0.5, 0.5]),
    ]
    assert counts.tolist() == [1, 1, 1, 1]
    void = Told(place, seen | {"shares.part": jnp.zeros((2, 1)), "fine.price": jnp.ones((2, 1))})
    assert experience.experiences(void, people, plan, outcome, need)[0][1, 1] == 1  # shares that are void are equal
    told = Told(place, seen | {"shares.part": jnp.array([[1.1 / 0.6], [0.1 / 0.6]])})
    assert experience.experiences(told, people, plan, outcome, need)[0][1].tolist() == pytest.approx([1, 1])
    people, state, seen = alive(Matrix())
    _, outcome = stepped(Matrix(), state, {"choose": jnp.zeros(2, jnp.int32)})
    assert experience.experiences(Told(Matrix(), seen), people, plan, outcome, jnp.ones(2))[1].tolist() == [1, 0, 0, 0]


def test_strangers_learn_from_the_fines_of_others():
    """Two of three come; the third hears what it brought them, at a quarter of their speed."""
    place = Commons(villages=1, insiders=1, outsiders=3)
    people, state, seen = alive(place)
    action = {taking(place)[0]: jnp.array([0, 20, 20, 0], jnp.int32)}
    told = Told(place, seen | {"fine.price": jnp.ones((4, 1))})
    _, outcome = stepped(place, state, {h: jnp.zeros(4, jnp.int32) for h in place.actions})
    fined = dataclasses.replace(outcome, events=outcome.events | {"fine.paid": jnp.array([0.0, 1.0, 0.0, 3.0])})
    found = experience.coming(told, people, action, fined, jnp.array([9.0, 2.0, -4.0, 1.5]))
    assert found[1:].tolist() == pytest.approx(
        [0.2 * 2, 0.2 * -4, 0.05 * -1 - 0.2 * 3]
    )  # the last, for an earlier time


def test_learning_goes_on_under_a_quota():
    """A few steps of two groups side by side: everything stays finite, and somebody changes his ways."""
    place = govern(Pool(agents=4, horizon=3), Quota(on="request", public=True))
    run = eqx.filter_jit(lambda place: WHO.begin(KEY, place))(place)
    after, tally = jax.jit(lambda r: WHO.learn(place, r, 12, jnp.int32(12)))(run)
    assert float(tally.count.max()) > 0
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(after.people))
    assert ((after.people.trust >= 0) & (after.people.trust <= 1)).all()
    assert (np.asarray(after.people.earned) != np.asarray(run.people.earned)).any()


def test_who_is_alone_in_a_role_looks_at_another_group():
    """On a canal every place is a role of its own: a head copies the head of another canal that fares better."""
    who, canal = Villagers(rate=1.0, beta=1000.0, mutation=0.0), Irrigation()
    people, state, seen = alive(canal, cooperator=jnp.zeros(5, bool), provides=jnp.zeros(5, bool))
    rich = dataclasses.replace(people, earned=jnp.array([9.0, 0, 9, 0, 9]), provides=jnp.ones(5, bool))

    @eqx.filter_jit
    def provide(*beside):
        lots = jnp.full((11, 5), HALF)
        action = who.answer(lots, people, canal, seen)
        outcome = dataclasses.replace(canal.step(KEY, state, action)[1], reward=jnp.full(5, 10.0))
        return who.adapt(lots, people, canal, seen, action, outcome, outcome.payoff, *beside).provides

    assert provide(rich).tolist() == [True, False, True, False, True]
    assert not provide().any()


def test_who_provides_gives_what_is_his_duty():
    people, _, seen = alive(Irrigation(), cooperator=jnp.zeros(5, bool), provides=jnp.arange(5) < 2)
    assert answers(Irrigation(), people, seen)["provide"].tolist() == [5, 5, 0, 0, 0]
