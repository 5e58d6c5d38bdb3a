"""Kinds of goods: toys by hand, fisheries, barriers, and what no ratio is due to."""

from __future__ import annotations

import json
import math

import jax
import numpy as np
import pytest

from nomoi.core import govern
from nomoi.errors import Refusal
from nomoi.institutions.levy import Levy
from nomoi.institutions.licence import Licence
from nomoi.learners.ppo import PPO
from nomoi.probes import goods
from nomoi.scripts.fixed import Constant
from nomoi.situations.contribution import Contribution
from nomoi.situations.matrix import Matrix
from nomoi.situations.pool import Pool
from nomoi.studies import kinds_of_goods as study

KEY = jax.random.key(0)


@pytest.mark.parametrize(
    ("name", "sigma", "beta", "kappa"),
    [
        ("scarce open fishery", 1.0, 0.0, math.inf),
        ("the same with a licence", 1.0, 1.0, 0.2),
        ("fishery in plenty", 0.0, 0.0, math.inf),
        ("empty toll road", 0.0, 1.0, 0.1),
        ("public goods game", -3.0, 0.0, math.inf),
        ("own baskets, barriers kept", math.nan, 1.0, 0.0),
        ("own baskets, barriers lifted", 1.0, 1.0, 0.0),
    ],
)
def test_the_seven_toys(name, sigma, beta, kappa):
    free, usual, cost, kind = study.TOYS[name]
    good = study.toy(free, usual, cost)
    assert (good.sigma, good.beta, good.kappa) == pytest.approx((sigma, beta, kappa), nan_ok=True)
    assert good.kind == kind


@pytest.mark.parametrize(("start", "choice", "sigma", "kind"), [(1.0, 1, 0, "public"), (0.1, 4, 1, "common-pool")])
@pytest.mark.parametrize("steps", [1, 30])
def test_a_fishery_is_a_common_pool_only_where_it_is_scarce(start, choice, sigma, kind, steps):
    good = goods.probe(KEY, Pool(agents=4, start=start), Constant(choice=choice), steps=steps, worlds=1)
    assert good.sigma == pytest.approx(sigma, abs=1e-3)
    assert good.kind == kind
    assert good.idle == pytest.approx(good.benefit)  # who is idle has none of it,
    assert good.kappa == math.inf  # and is not excluded for that
    assert not good.excludable


def test_a_licence_makes_it_private_and_half_a_boundary_does_not():
    """Who is always barred has nothing; the fee of a step is paid for what is kept from both strangers."""
    fleet = Pool(agents=4, outsiders=2, start=0.1)
    good = goods.probe(KEY, govern(fleet, Licence(bar=1.0, fee=0.001)), Constant(choice=4), steps=1, worlds=8)
    assert (good.beta, good.sigma) == pytest.approx((1, 1), abs=1e-3)
    assert good.kind == "private"
    more, usual = (0.1 * notches / 17 for notches in (5, 4))  # of a stock of .1, 17 notches are asked for together
    assert good.kappa == pytest.approx(0.001 / (more + usual), rel=1e-3)
    half = goods.probe(KEY, govern(fleet, Licence(bar=0.4, fee=0.001)), Constant(choice=4), steps=1, worlds=64)
    assert 0 < half.beta < goods.HALF
    assert half.kind == "common-pool"
    dear = goods.probe(KEY, govern(fleet, Licence(bar=1.0, fee=1.0)), Constant(choice=4), steps=1, worlds=8)
    assert dear.kappa > 1
    assert dear.kind == "common-pool"
    none = goods.probe(KEY, govern(fleet, Licence(bar=0.0, fee=0.001)), Constant(choice=4), steps=1, worlds=1)
    assert none.kept == pytest.approx(0, abs=1e-6)  # with and without it, who takes more has as much
    off = goods.probe(KEY, govern(fleet, Licence(in_force=False)), Constant(choice=4), steps=1, worlds=8)
    assert off.kappa == math.inf


def test_what_is_given_to_all_is_public_by_what_all_have_of_it():
    """A tenth more, worth 1.6 and shared by four: .04 for the giver, .12 for the others; what is kept counts not."""
    for script, rest in ((Constant(choice=1), 0.9), (Constant(choice=10), 0.025)):  # all give nearly all, or nothing
        good = goods.probe(KEY, Contribution(), script, steps=1, worlds=1)
        assert (good.gain, good.harm, good.benefit) == pytest.approx((0.04, -0.12, 1.6 * rest), abs=1e-6)
        assert (good.sigma, good.kind) == (pytest.approx(-3, rel=1e-4), "public")
    both = goods.probe(KEY, Contribution(), Constant(choice=1), None, 1, 1, Constant(choice=10), Constant(choice=0))
    assert both.gain == pytest.approx(0.4, abs=1e-6)  # by scripts of one's own: all rather than nothing


@pytest.mark.parametrize("way", [{"more": Constant(choice=0)}, {"less": Constant(choice=2)}])
def test_a_way_of_ones_own_is_what_it_says_also_where_one_gives(way):
    """All keep one tenth: to keep none is a gift more, and to keep two tenths one less; beside what nobody is told."""
    good = goods.probe(KEY, Contribution(), Constant(choice=1), steps=1, worlds=1, **way)
    # of `less` alone, `more` is that and one notch further at the first step: one that is kept
    assert good.gain == pytest.approx(0.04 if "more" in way else -0.04, abs=1e-6)


def test_who_is_asked_and_what_is_a_barrier():
    assert goods.whom(Pool(agents=4, outsiders=2)) == 3
    assert goods.whom(Pool(agents=4)) == 0
    assert goods.barrier(Licence())
    assert not goods.barrier(Levy())
    free = goods.lifted(govern(Pool(agents=4, outsiders=2), Licence(), Levy(on="request")))
    assert [bool(i.in_force) for i in free.institutions] == [False, True]


def test_no_ratio_where_one_gains_nothing():
    """In a dilemma with more to defect: who cooperates instead loses by it, and the other gains."""
    loses = goods.judge(0, [2, 1], [1, -3], [0, 0], [True, False])
    assert (loses.gain, loses.harm) == (-1, 4)
    assert math.isnan(loses.sigma)
    assert loses.kind == "undecided"
    assert loses.data()["sigma"] is None
    assert goods.judge(0, [2, 1], [2, 1], [0, 0], [True, False]).rival is False  # nobody is harmed


def test_the_others_ways_are_fixed_and_one_more_has_room():
    """At the last notch one takes one less before, so that there is one more to take."""
    good = goods.probe(KEY, Pool(agents=2), Constant(choice=99), steps=1, worlds=1)
    assert good.gain == pytest.approx(0.5 / 12, rel=1e-3)
    usual = np.asarray([2.0, 2.0])  # cooperation, then defection against a cooperator, T = 4, S = 0
    game = goods.probe(KEY, Matrix(), Constant(choice=0), steps=1, worlds=1)
    assert (game.gain, game.harm) == (4 - usual[0], usual[1] - 0)


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: goods.probe(KEY, Pool(agents=2), PPO()), "ppo learns"),
        (lambda: goods.probe(KEY, Pool(agents=2), Constant(), 5), "no agent 5 among the 2"),
        (lambda: goods.probe(KEY, Pool(agents=1), Constant()), "rivals are at least two"),
        (lambda: goods.probe(KEY, Pool(agents=2), Constant(), steps=-1), "-1 steps"),
        (lambda: goods.probe(KEY, Pool(agents=2), Constant(), steps=10**11), "1,000,000 of each are the most"),
        (lambda: goods.probe(KEY, Pool(agents=2), Constant(), worlds=10**12), "1,000,000 of each are the most"),
    ],
)
def test_what_cannot_be_asked_is_refused(ask, says):
    with pytest.raises(Refusal, match=says):
        ask()


def test_the_command(nomoi):
    few = ("--worlds", 2, "--steps", 1, "--set", "situation.agents=4", "--set", "situation.outsiders=2")
    status, said, _ = nomoi("goods", "pool", *few, "--under", "nothing", "--under", "licence(bar=1)", "--json")
    found = json.loads(said)
    assert status == 0
    assert [(row["under"], row["kappa"] is None) for row in found["goods"]] == [
        ("nothing", True), ("nothing", True), ("licence(bar=1)", False), ("licence(bar=1)", False)
    ]  # fmt: skip
    for said in ("Agent 3 of 4 (stranger)", "over 1 steps", "2 worlds", "from where pool begins", "the harvest"):
        assert said in found["terms"]
    found = json.loads(nomoi("goods", "contribution", *few[:4], "--json")[1])
    told = found["terms"]
    assert all(good["idle"] is None for good in found["goods"])  # to answer 0 is to give all
    assert "lives twice: as the others, and one notch more" in told
    assert "what one has of all that is given" in told
    assert nomoi("goods", "pool", "--who", "ppo")[0] == 2
    assert "who ppo learns" in nomoi("goods", "pool", "--who", "ppo")[2]
    assert nomoi("goods", "nowhere")[0] == 2
