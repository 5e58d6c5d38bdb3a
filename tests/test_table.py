"""A table: one world lived in from the host; what is lived there is what is lived inside a program."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small import SITUATIONS, equal, made
from test_worlds import DICE, LENGTH, Counter, Patience

from nomoi.core import Situation, govern
from nomoi.core.keys import key_of
from nomoi.core.learner import Learner
from nomoi.core.rollout import rollout
from nomoi.core.worlds import following
from nomoi.errors import Refusal
from nomoi.institutions.levy import Levy
from nomoi.learners.ppo import PPO
from nomoi.play import Table
from nomoi.scripts.fixed import Constant, Forager, Random
from nomoi.situations.driving import Driving
from nomoi.situations.pool import Pool

TALL = ("harvest, contract+altar+sanction", "pool, altar+contract+levy", "matrix, levy+two contracts")


def seated(situation: Situation, seed: int, *seats: Any) -> Table:
    """A table with somebody on each of the first seats."""
    table = Table(situation, seed)
    for seat, who in enumerate(seats):
        table.sit(seat, *(who if isinstance(who, tuple) else (who,)))
    return table


def alike(found: Any, wanted: Any) -> None:
    """To the last whole number; with a fraction, to float dust: the programs are not the same."""
    for x, y in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6 if np.asarray(y).dtype.kind == "f" else 0)


def lives_as_its_rollout(situation: Situation, learner: Learner, steps: int) -> Table:
    run = jax.jit(lambda key: rollout(key, situation, learner, steps, keep=situation.observe))(key_of(3))
    run = jax.tree.map(np.asarray, run)
    table = seated(situation, 3, *[learner] * situation.agents)
    for t in range(steps):
        if table.over:
            table.renew()
        for i in table.seats:
            alike(table.told(i).seen, {name: x[t, 0, i] for name, x in run.kept.items()})
        table.step()
        for i, share in table.outcome.items():
            assert set(share.events) == set(run.outcome.events)
            alike(share.events, {name: x[t, 0, i] for name, x in run.outcome.events.items()})
            alike((share.reward, share.transfer), (run.outcome.reward[t, 0, i], run.outcome.transfer[t, 0, i]))
        assert table.over == run.done[t, 0]
    return table


def test_a_table_of_one_learned_mind_lives_through_its_rollout_into_the_next_episode():
    place = govern(SITUATIONS["matrix"], Levy(on="defect"), Patience())
    assert lives_as_its_rollout(place, PPO(hidden=4, recurrent=True), 13).episode == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SITUATIONS, *TALL])
def test_every_situation_is_lived_at_a_table_as_in_a_rollout(name):
    lives_as_its_rollout(SITUATIONS[name] if name in SITUATIONS else made(name), Random(), 36)


def test_each_seat_is_told_what_its_agent_alone_observes():
    situation = SITUATIONS["harvest"]
    table = Table(situation, 1)
    whole = jax.tree.map(np.asarray, jax.jit(lambda state: situation.observe(state))(table.state))
    for i, told in table.ask().items():
        equal(told.seen, {name: x[i] for name, x in whole.items()})
        for x in told.seen.values():
            assert x.base is None  # no way from one's own row to the others'
            x[...] = 1
    equal(table.told(2).seen, {name: x[2] for name, x in whole.items()})


def test_only_what_is_asked_must_be_answered_and_the_world_stands_still_meanwhile():
    table, called = Table(made("matrix, levy+two contracts")), []
    table.sit(1, lambda told: called.append(told.step) or dict.fromkeys(told.asked, 0))
    assert [told.asked for told in table.ask().values()] == [{"contract.propose": 6, "second.propose": 6}, {}]
    table.answer(0, {"contract.propose": 2})
    with pytest.raises(Refusal, match=r"seat 0 has not answered 'second.propose'; a choice from 0 to 5"):
        table.step()
    table.answer(0, {"second.propose": 0})
    table.step()
    assert table.log[-1]["answers"] == {
        "choose": [0, 0, 0], "contract.propose": [2, 0, 0], "contract.sign": [0, 0, 0],
        "second.propose": [0, 0, 0], "second.sign": [0, 0, 0],
    }  # fmt: skip
    assert [set(told.asked) for told in table.ask().values()] == [set(), {"contract.sign", "second.sign"}]
    assert table.told(0).step == 1
    assert int(table._turn) == 0
    assert called == []  # nothing was asked of it
    table.answer(2, {"contract.sign": 1, "second.sign": 1})
    table.step()
    assert called == [1]


def test_persons_functions_scripts_and_minds_sit_at_one_table():
    asked = []

    def copycat(told):
        asked.append(told)
        return {"say": len(asked) + 10}

    table = seated(DICE, 5, copycat, "Ann")
    for step in range(3):
        table.answer(1, {"say": 40})
        table.answer(1, {"say": 50 + step})
        table.step()
    assert [told.step for told in asked] == [0, 1, 2]
    assert {told.seat for told in asked} == {0}
    table.sit(1, Counter())  # who has gone is stood in for; a script remembers from when it sat down
    table.step()
    table.sit(0, None)
    table.answer(0, {"say": 7})
    table.step()
    assert [line["answers"]["say"] for line in table.log[1:]] == [[11, 50], [12, 51], [13, 52], [14, 0], [7, 1]]
    assert [line.get("seats") for line in table.log[1:]] == [
        ["copycat", "Ann"], None, None, ["copycat", "counter"], ["", "counter"],
    ]  # fmt: skip
    assert table.outcome[0].payoff == 7


class Saying(Learner):
    """Says its mind."""

    def act(self, key, mind, situation, seen, carry):
        return {"say": jnp.full(situation.agents, mind, jnp.int32)}, carry


def test_each_seat_acts_by_its_own_mind():
    one, other = Saying(), Saying()
    for seats, said in (([(one, 3), (one, 5)], [3, 5]), ([(one, 5), (other, 3)], [5, 3]), ([(one, 4)] * 2, [4, 4])):
        table = seated(DICE, 0, *seats)
        table.step()
        assert table.log[-1]["answers"]["say"] == said


def test_what_institutions_give_and_take_is_told_to_those_who_get_and_pay_it():
    table = Table(govern(Pool(agents=2), Levy(on="request", rate=0.5)))
    for seat, many in ((0, 4), (1, 8)):
        table.answer(seat, {"request": many})
    table.step()
    for i, (share, paid) in enumerate(zip(table.outcome.values(), table.log[-1]["transfer"], strict=True)):
        asked_for = share.events["request"]
        assert share.transfer == paid == pytest.approx(-0.5 * asked_for)
        assert share.payoff == pytest.approx(share.reward - 0.5 * asked_for)
        assert asked_for == pytest.approx(table.outcome[0].events["request"] * (i + 1))
        assert asked_for > 0


def test_a_role_is_seated_at_once():
    table, mild = Table(Driving(agents=4)), Constant(choice=1)
    table.sit("car", mild)
    table.sit("ambulance", "Ann")
    assert list(table.ask()) == [0]
    table.answer(0, {"pedal": 2})
    table.step()
    assert table.log[-1]["answers"]["pedal"] == [2, 1, 1, 1]
    assert table.log[-1]["seats"] == ["Ann", *["constant"] * 3]
    assert len(table._parties) == 1
    with pytest.raises(Refusal, match="driving has no role 'ambulence'; did you mean 'ambulance'"):
        table.sit("ambulence", None)
    with pytest.raises(Refusal, match="driving has no role 'pilot'; the roles are: ambulance, car"):
        table.sit("pilot", mild)


def test_a_learner_remembers_within_an_episode_and_seats_of_one_learner_share_a_memory():
    counter = Counter()
    table = seated(DICE, 0, counter, counter)
    for t in range(2 * LENGTH):
        if table.over:
            table.renew()
        table.step()
        assert table.log[-1]["answers"]["say"] == [t % LENGTH] * 2
    assert len(table._parties) == 1


def test_two_learners_who_draw_do_not_draw_the_same():
    one = seated(DICE, 0, Random(), Random())
    one.step()
    both = seated(DICE, 0, *[Random()] * 2)
    both.step()
    assert one.log[-1]["answers"]["say"][0] == both.log[-1]["answers"]["say"][0]
    assert one.log[-1]["answers"]["say"][1] != both.log[-1]["answers"]["say"][1]


class Watched(Pool):
    """A pool that counts how often a program is made of it."""

    def step(self, key, state, action):
        TRACED.append(self)
        return super().step(key, state, action)


TRACED: list[Any] = []


def test_a_setting_that_is_moved_compiles_nothing():
    for growth in (0.2, 0.4, 0.8):
        table = seated(Watched(growth=growth), 0, *[Constant(choice=2)] * 2)
        table.step()
        table.step()
    assert len(TRACED) == 1


def far(told):
    return {"say": 100}


WRONG = {
    "there is no seat 2; those of dice are 0 to 1": lambda t: t.answer(2, {"say": 1}),
    "there is no seat 'Ann'": lambda t: t.told("Ann"),
    "dice has no role 'agnet'; did you mean 'agent'": lambda t: t.sit("agnet", None),
    "there is no seat -1": lambda t: t.told(-1),
    "seat 0 .Ann. answers 'sing'; the heads are: say": lambda t: t.answer(0, {"sing": 1}),
    "seat 0 .Ann. answers 100 to 'say'; a whole number from 0 to 99": lambda t: t.answer(0, {"say": 100}),
    "answers -1 to 'say'": lambda t: t.answer(0, {"say": -1}),
    "answers True to 'say'": lambda t: t.answer(0, {"say": True}),
    "answers 0.5 to 'say'": lambda t: (t.sit(0, lambda told: {"say": 0.5}), t.step()),
    r"answers 3; \{head: choice\} would be right": lambda t: (t.sit(0, lambda told: 3), t.step()),
    r"seat 1 \(far\) answers by itself": lambda t: t.answer(1, {"say": 1}),
    r"seat 0 \(Ann\) has not answered 'say'; a choice from 0 to 99": lambda t: t.step(),
    r"seat 1 \(far\) answers 100 to 'say'": lambda t: (t.answer(0, {"say": 1}), t.step()),
    "there is no seat True": lambda t: t.told(True),
    "3 cannot sit at a table": lambda t: t.sit(0, 3),
    "cannot sit at a table": lambda t: t.sit(0, Forager),
    "foragers walk to apples, and dice shows none": lambda t: t.sit(0, Forager()),
    "a mind belongs to a learner, and 'Ann' at seat 0 is none": lambda t: t.sit(0, "Ann", ()),
    "the episode of dice is not over after 0 steps": lambda t: t.renew(),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_what_is_wrong_is_refused_in_a_sentence_and_nothing_happens(sentence):
    table = seated(DICE, 0, "Ann", far)
    with pytest.raises(Refusal, match=sentence):
        WRONG[sentence](table)
    assert table.steps == 0
    assert len(table.log) == 1


def test_after_the_end_nothing_is_asked_or_answered():
    table = Table(DICE, key=key_of(9))
    table.sit(0, Constant())
    table.sit(1, Constant())
    for _ in range(LENGTH):
        table.step()
    assert table.told(0).step == LENGTH  # what came of it can still be seen
    table.sit(0, None)
    for late in (table.ask, table.step, lambda: table.answer(0, {"say": 0})):
        with pytest.raises(Refusal, match=r"the episode of dice is over; renew\(\) begins the next one"):
            late()
    table.renew()
    assert table.ask()[0].step == 0
    assert table.state["first"] == jax.random.bits(following(key_of(9)))


def test_a_learner_that_answers_what_is_no_choice_is_refused():
    class Wild(Learner):
        def act(self, key, mind, situation, seen, carry):
            return {"say": jnp.array([0, 100])}, carry

    table = seated(DICE, 0, Wild(), Constant())
    table.step()  # its second row is nobody's
    table.sit(1, table._who[0].learner)
    with pytest.raises(Refusal, match=r"wild answers \[0, 100\] to 'say'; 0 to 99 would be right"):
        table.step()
