"""Who decides what is measured: an agenda by hand."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nomoi.core import Outcome, govern
from nomoi.errors import Refusal
from nomoi.institutions.agenda import Agenda, Memory
from nomoi.measure.measures import measures
from nomoi.situations.pool import Pool

PLACE = Pool(agents=2)
KEY = jax.random.key(0)


@jax.jit
def settled(agenda, memory, harvest, request):
    told = {"harvest": harvest, "request": request}
    outcome = Outcome(jnp.zeros(2), jnp.zeros(2), told, jnp.array(False))
    memory, _, outcome = agenda.settle(KEY, memory, PLACE, (), {}, {}, outcome)
    return memory, outcome


def step(agenda, memory, harvest=(3.0, 1.0), request=(0.5, 0.0)):
    return settled(agenda, memory, jnp.array(harvest), jnp.array(request))


def fresh():
    return Agenda().found(KEY, PLACE, ())


def test_only_what_is_listed_is_paid_and_both_are_counted():
    memory, outcome = step(Agenda(rate=2.0), fresh())
    assert outcome.transfer.tolist() == [6, 2]
    assert outcome.events["agenda.paid"].tolist() == [6, 2]
    assert outcome.events["agenda.listed"].tolist() == [3, 1]
    assert outcome.events["agenda.unlisted"].tolist() == [0.5, 0]
    assert memory.done.tolist() == [2, 0.25]
    assert (int(memory.clock), memory.listed.tolist()) == (1, [True, False])


@pytest.mark.parametrize(
    ("by", "weights", "then"),
    [
        ("fixed", [1.0, 9.0], [True, False]),
        ("principal", [1.0, 1.0], [False, True]),  # of requests there is less: .25 against 2
        ("principal", [9.0, 1.0], [True, False]),  # 9 / 2 a unit of harvest, 1 / .25 one of request
        ("principal", [7.0, 1.0], [False, True]),  # 7 / 2 against 4
        ("agents", [9.0, 9.0], [True, False]),  # what they do most
    ],
)
def test_who_decides_decides_when_it_is_due(by, weights, then):
    agenda = Agenda(by=by, weights=weights, period=2, forgets=0.0)
    memory, _ = step(agenda, fresh())
    assert memory.listed.tolist() == [True, False]  # not yet
    memory, _ = step(agenda, memory)
    assert memory.listed.tolist() == then
    assert memory.done.tolist() == [4, 0.5]


def test_those_who_are_paid_choose_what_they_do_most():
    memory, _ = step(Agenda(by="agents", period=1), fresh(), harvest=(0.0, 0.0), request=(1.0, 1.0))
    assert memory.listed.tolist() == [False, True]


def test_a_lot_lists_each_as_often_and_what_was_done_is_forgotten():
    agenda = Agenda(by="lot", period=1)
    drawn = jax.vmap(lambda k: agenda._chosen(k, jnp.zeros(2)))(jax.random.split(KEY, 400))
    assert np.asarray(drawn.sum(1)).tolist() == [1] * 400
    assert float(drawn[:, 0].mean()) == pytest.approx(0.5, abs=0.08)
    memory, _ = step(Agenda(forgets=0.5), Memory(jnp.array([True, False]), jnp.array([4.0, 2.0]), jnp.int32(0)))
    assert memory.done.tolist() == [4, 1.25]


def test_an_agenda_that_changes_lists_all_that_the_principal_cares_for():
    """Who does what is paid for alone leaves the rest undone if the agenda is fixed, and not if the principal's is."""
    lists = {}
    for by in ("fixed", "principal"):
        agenda, memory = Agenda(by=by, period=3, forgets=0.0), fresh()
        for _ in range(60):
            paid = memory.listed.astype(jnp.float32)
            memory, _ = step(agenda, memory, (paid[0], paid[0]), (paid[1], paid[1]))
        lists[by] = memory.done.tolist()
    assert lists["fixed"] == [60, 0]
    assert min(lists["principal"]) >= 27


def test_what_it_says_and_what_it_refuses():
    assert "the principal decides anew every 20 steps" in Agenda().sentence
    assert "for good" in Agenda(by="fixed").sentence
    assert Agenda(by="lot").chance(PLACE)
    assert not Agenda().chance(PLACE)
    governed = govern(PLACE, Agenda())
    assert measures(governed)["agenda.unlisted"].unit == "units"
    assert governed.observe(governed.reset(KEY))["agenda.listed"].tolist() == [[1, 0], [1, 0]]
    with pytest.raises(Refusal, match=r"agenda\.weights has 2 numbers for 1 events \(harvest\)"):
        Agenda(on="harvest", weights=[1.0, 2.0])
    with pytest.raises(Refusal, match=r"agenda\.count is 3, and there are 2 events"):
        Agenda(count=3)
