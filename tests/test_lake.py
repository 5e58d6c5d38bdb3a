"""The lake: exact by hand where nothing is drawn, fair where tons are; and what governs it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi.core import govern
from nomoi.institutions.contract import Contract
from nomoi.institutions.fine import Fine
from nomoi.institutions.quota import Quota
from nomoi.institutions.survey import Survey
from nomoi.measure.evaluate import evaluate
from nomoi.measure.measures import measures
from nomoi.play import Table
from nomoi.scripts.fixed import Constant
from nomoi.situations.lake import Lake

LAKE = Lake()
landed = jax.jit(jax.vmap(LAKE.landed, (0, None, None)))


def lived(situation, **answers):
    """An episode in which all answer alike; the month's stock at its start, catches [T, n], and what is not reward."""
    table, stocks, caught, paid = Table(situation), [], [], []
    while not table.over:
        stocks.append(int(np.asarray(getattr(table.state, "world", table.state).stock)))
        for seat, told in table.ask().items():
            table.answer(seat, {head: answers[head.replace(".", "__")] for head in told.asked})
        table.step()
        caught.append([share.reward for share in table.outcome.values()])
        paid.append([share.transfer for share in table.outcome.values()])
    return stocks, np.array(caught), np.array(paid)


@pytest.mark.parametrize(
    ("ask", "months", "tons"), [(10, 12, 600), (20, 1, 100), (11, 4, 195), (9, 12, 540), (19, 2, 105), (100, 1, 100)]
)
def test_what_all_ask_for_each_month_is_what_the_paper_says_it_comes_to(ask, months, tons):
    stocks, caught, _ = lived(LAKE, request=ask)
    assert (len(caught), caught.sum()) == (months, tons)
    stock, left = 100, []
    for _ in range(12):  # the closed recursion, to the ton
        left.append(stock)
        rest = stock - min(5 * ask, stock)
        if rest < 5:
            break
        stock = min(100, 2 * rest)
    assert stocks == left


def test_measures_are_survival_and_what_was_gained_of_600():
    told = dict(zip(measures(LAKE), eqx.filter_jit(evaluate)(jax.random.key(0), LAKE, Constant(choice=20), worlds=4),
                    strict=True))  # fmt: skip
    assert told["survival"] == 1
    np.testing.assert_allclose((told["gained"], told["defection"]), (1 / 6, 1), rtol=1e-6)


@given(st.integers(0, 100), st.lists(st.integers(0, 100), min_size=5, max_size=5))
def test_the_lottery_hands_out_what_there_is_and_no_more_than_was_asked_for(stock, asked):
    caught = np.asarray(landed(jax.random.split(jax.random.key(stock), 4), stock, jnp.array(asked, jnp.int32)))
    assert (caught.sum(1) == min(stock, sum(asked))).all()
    assert ((caught >= 0) & (caught <= asked)).all()


def test_the_lottery_favours_nobody():
    """10,000 draws of 37 tons among five who all want more: chi-square below 18.5 (4 degrees, p = .001)."""
    keys = jax.random.split(jax.random.key(1), 10_000)
    caught = np.asarray(landed(keys, jnp.int32(37), jnp.full(5, 60, jnp.int32)))
    total, expected = caught.sum(0), 37 * 10_000 / 5
    assert ((total - expected) ** 2 / expected).sum() < 18.5
    # where the first two want little, each ton they still want is as likely theirs as anybody's
    some = np.asarray(landed(keys, jnp.int32(1), jnp.array([1, 100, 0, 100, 100], jnp.int32))).mean(0)
    np.testing.assert_allclose(some, [0.25, 0.25, 0, 0.25, 0.25], atol=0.02)


def test_a_quota_names_the_sustainable_share_and_a_fine_on_its_excess_bites():
    place = govern(LAKE, Quota(lot=1), Fine(on="quota.excess", rate=2))
    table = Table(place)
    assert table.told(0).seen["quota.allowed"].tolist() == [10]
    _, caught, paid = lived(place, request=10)
    assert (caught.sum(), paid.sum()) == (600, 0)
    _, caught, paid = lived(place, request=12)
    assert paid[0].tolist() == [-4] * 5  # two tons over


def test_a_contract_on_asking_for_more_moves_payoffs_and_makes_none():
    place = govern(LAKE, Contract(on="defect", high=20, voters=0))
    _, caught, paid = lived(place, request=11, contract__propose=5, contract__sign=1)
    assert len(caught) == 4 + 2  # two sittings, in which the lake stands still
    np.testing.assert_allclose(paid.sum(1), 0, atol=1e-5)


def test_a_survey_says_what_is_left():
    table = Table(govern(LAKE, Survey(noise=0, fee=0)))
    assert table.told(3).seen["survey.estimate"].tolist() == [1]
    assert table.told(3).seen["caught"].tolist() == [0] * 5
