"""Communities with silly rules: the worth of staying, exact survival against members one by one, shocks."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nomoi.errors import Refusal
from nomoi.populations.shocks import FEW, History, simulate
from nomoi.populations.silly import (
    NOBODY,
    Community,
    boundary,
    informed,
    legibility,
    patience,
    staying,
    survival,
    value,
    welfare,
)

DENSITIES = (0, 1, 2, 5, 10, 20)
# (cost, alpha, beta, theta) -> % there after 100 periods by density (simulated; +- 2)
TABLE = {
    (0.0005, 1, 1, 0.6): (55.6, 56.2, 67.7, 75.1, 84.9, 93.2),
    (0.0005, 1, 1, 0.7): (81.8, 81.9, 89.7, 92.6, 97.6, 99.7),
    (0.0005, 2, 3, 0.6): (34.3, 56.1, 49.2, 67.8, 83.2, 89.2),
    (0.01, 1, 1, 0.6): (55.6, 56.1, 64.6, 65.6, 67.2, 9.7),
    (0.05, 1, 1, 0.6): (55.6, 52.8, 37.9, 1.4, 0, 0),
}
small = st.builds(
    Community,
    density=st.integers(0, 4),
    cost=st.floats(0, 0.1),
    gain=st.floats(0.5, 2),
    loss=st.floats(0.5, 2),
    discount=st.floats(0, 0.95),
    alpha=st.floats(0.3, 4),
    beta=st.floats(0.3, 4),
    cap=st.just(20),
    mode=st.sampled_from(["add", "replace"]),
)


# --- the worth of staying ---------------------------------------------------------------------------------------------


def by_recursion(c, k, s):
    """Q by the definition, with SciPy's beta-binomial and no arrays."""
    a, b = c.alpha + s, c.beta + k * c.seen - s
    m = a / (a + b)
    if c.mode == "add":
        flow = m * c.gain - (1 - m) * c.loss - c.density * c.cost
    else:
        flow = (m * c.gain - (1 - m) * c.loss - c.density * c.cost) / (1 + c.density)
    if k == c.stages:
        return flow / (1 - c.discount)
    return flow + c.discount * sum(
        stats.betabinom.pmf(x, c.seen, a, b) * max(c.outside, by_recursion(c, k + 1, s + x)) for x in range(c.seen + 1)
    )


def test_backward_induction_is_the_recursion():
    for c in (
        Community(density=1, cap=12, alpha=2, beta=3),
        Community(density=0, cap=5, outside=0.4),
        Community(density=3, mode="replace", cap=4, gain=2.0),
    ):
        worth = staying(c)
        assert len(worth) == c.stages + 1 == 11 + max(0, c.stages - 10)
        later = c.stages - 4
        for s in (0, later * c.seen // 2, later * c.seen):
            assert worth[later][s] == pytest.approx(by_recursion(c, later, s))


@given(small)
def test_the_worth_of_staying_rises_with_what_was_seen(c):
    for worth in staying(c):
        assert (np.diff(worth) > 0).all()


@given(small)
def test_nobody_acts_on_less_than_the_myopic_would(c):
    assert all((far >= near - 1e-12).all() for far, near in zip(staying(c), staying(c, myopic=True), strict=True))


def test_the_value_at_the_prior():
    found = [value(Community(density=d)) for d in DENSITIES]
    assert found == pytest.approx([1.68, 1.94, 1.99, 2.09, 2.14, 2.15], abs=6e-3)
    assert informed(Community(density=0)) == pytest.approx(2.25, abs=1e-6)
    assert max(found) < informed(Community(density=0))


def test_free_information_never_harms():
    """Blackwell: at no cost the value of joining is nondecreasing in the density of silly rules."""
    found = [value(Community(density=d, cost=0, alpha=2, beta=3)) for d in range(8)]
    assert (np.diff(found) > -1e-9).all()


def test_the_threshold():
    c = Community(density=5, cost=0.1, gain=2, loss=1)
    assert c.threshold == pytest.approx((1 + 0.5) / 3)
    assert c.flow(c.threshold) == pytest.approx(0)
    crowded = Community(density=5, cost=0.1, gain=2, loss=1, mode="replace")
    assert crowded.threshold == pytest.approx((1 + 0.5) / 3)
    assert crowded.important == pytest.approx(1 / 6)
    away = Community(density=0, outside=3.0)
    assert away.flow(away.threshold) / (1 - away.discount) == pytest.approx(3)


@given(small, st.booleans())
def test_the_boundary_says_what_the_induction_says(c, diluted):
    weights, least = boundary(c, diluted=diluted)
    for k, worth in enumerate(staying(c)):
        s = np.arange(k * c.seen + 1)
        clear = np.abs(worth - c.outside) > 1e-9
        means = (c.alpha + s) / weights[k]
        assert (means > least[k])[clear].tolist() == (worth > c.outside)[clear].tolist()
    assert least[-1] == pytest.approx(min(1, max(0, c.threshold)), abs=1e-9) or c.stages * c.seen < 30


def test_between_the_prior_and_the_first_counts_the_boundary_is_that_of_other_priors():
    c = Community(density=1, cap=20, alpha=2, beta=2)
    weights, least = boundary(c, diluted=True)
    assert weights[0] == 4
    for step, stays in ((0.01, True), (-0.01, False)):
        m = least[0] + step
        other = Community(density=1, cap=20, alpha=4 * m, beta=4 * (1 - m))
        assert (staying(other)[0][0] > 0) == stays


# --- survival ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("case", "expected"), TABLE.items())
def test_the_table(case, expected):
    cost, alpha, beta, theta = case
    found = [100 * survival(Community(d, cost, alpha=alpha, beta=beta), theta, 100)[-1] for d in DENSITIES]
    assert found == pytest.approx(expected, abs=2)


def test_bad_communities_empty_the_sooner_the_more_silly_rules_they_have():
    soon = [100 * survival(Community(density=d), 0.35, 100)[[5, 100]] for d in DENSITIES]
    assert [s[0] for s in soon] == pytest.approx([39.0, 15.8, 13.8, 7.2, 2.0, 0.1], abs=2)
    assert max(s[1] for s in soon) < 0.1
    assert (np.diff([s[0] for s in soon]) < 0).all()


def test_welfare():
    found = [welfare(Community(density=d), theta) for theta in (0.7, 0.35) for d in (0, 20)]
    assert found == pytest.approx([3.56, 3.88, -1.20, -0.41], abs=0.06)
    away = Community(density=0, outside=20.0)
    assert welfare(away, 0.5) == pytest.approx(20)  # nobody joins
    assert welfare(Community(density=0, alpha=500), 0.8) == pytest.approx(0.6 / 0.1, rel=1e-6)  # nobody leaves


@pytest.mark.parametrize("mode", ["add", "replace"])
@pytest.mark.parametrize("myopic", [False, True])
def test_members_one_by_one_agree_with_exact_survival(mode, myopic):
    c = Community(density=3, mode=mode, alpha=2, beta=1.5, cap=60)
    h = History(theta=0.55)
    course = simulate(c, h, 40, range(12), myopic)
    exact = survival(c, 0.55, 40, myopic)
    for t in (0, 1, 3, 10, 40):
        error = math.sqrt(exact[t] * (1 - exact[t]) / 1200)
        assert course.size[t].mean() / 100 == pytest.approx(exact[t], abs=4 * error + 1e-9)
    spread = course.welfare.std(ddof=1) / math.sqrt(12)
    there = c.discount**40 * exact[-1] * float(c.flow(0.55)) / (1 - c.discount)
    assert course.welfare.mean() == pytest.approx(welfare(c, 0.55, 40, myopic) - there, abs=4.5 * spread)


@pytest.mark.parametrize("theta", [0.0, 1.0])
def test_what_a_period_brings_where_all_punish_or_none(theta):
    c = Community(density=3, cost=0.1, gain=1.5, loss=0.5, alpha=30, beta=1)
    course = simulate(c, History(people=10, theta=theta), 3, [0])
    assert course.size[3] == 10
    a_period = (1.5 if theta else -0.5) - 0.3
    assert course.welfare[0] == pytest.approx(a_period * (1 + 0.9 + 0.81))


# --- shocks -----------------------------------------------------------------------------------------------------------


def test_what_happens_is_counted():
    c, h = Community(density=4), History(people=30)
    course = simulate(c, h, 20, range(5))
    assert course.size.shape == (21, 5)
    assert (course.important == course.size[:-1]).all()
    assert (course.encounters == 5 * course.size[:-1]).all()
    assert (np.diff(course.size, axis=0) <= 0).all()
    assert (course.alive == (course.size[-1] >= FEW)).all()
    assert course.misled == pytest.approx((30 - course.size[-1]) / 30)  # theta is above the threshold throughout
    replaced = simulate(Community(density=4, mode="replace"), h, 20, range(5))
    assert replaced.encounters.sum() == replaced.size[:-1].sum()
    assert replaced.important.sum() / replaced.encounters.sum() == pytest.approx(0.2, abs=0.05)


def test_a_reset_makes_doubters_of_those_who_knew():
    c = Community(density=5)
    calm, shaken = (simulate(c, History(theta=0.7, shock=s, at=30), 60, range(6)) for s in ("none", "reset"))
    assert (calm.size[:30] == shaken.size[:30]).all()  # paired
    assert calm.size[-1].mean() - shaken.size[-1].mean() > 3
    again = survival(c, 0.7, 30)[-1] * shaken.size[29].mean()
    assert shaken.size[-1].mean() == pytest.approx(again, abs=3)


def test_newcomers_join_dilute_beliefs_and_change_theta():
    c = Community(density=10)
    none = History(theta=0.9, theirs=0.0, newcomers=400, shock="newcomers", at=10)
    course = simulate(c, none, 40, range(4))
    assert (course.size[10] > 300).all()
    assert course.size[-1].max() < FEW  # theta is .18 now
    assert (course.collapse < 40).all()
    kin = simulate(c, History(theta=0.8, theirs=0.8, newcomers=50, shock="newcomers", at=10), 60, range(4))
    assert kin.size[-1].mean() > 140
    assert (kin.collapse == 61).all()


@pytest.mark.parametrize("theta", [0.0, 1.0])
def test_a_member_weighs_those_it_knows_against_those_it_does_not(theta):
    """Where all punish, or none, all counts are known, so beliefs after the shock are too."""
    c = Community(density=1, alpha=30, beta=1)
    h = History(people=10, theta=theta, theirs=1 - theta, newcomers=30, shock="newcomers", at=3)
    course = simulate(c, h, 3, [0])
    yes, no = 30 + 0.25 * 6 * theta, 1 + 0.25 * 6 * (1 - theta)  # six encounters, known of a quarter of the members
    now = 0.25 * theta + 0.75 * (1 - theta)
    expected = math.sqrt((10 * (yes / (yes + no) - now) ** 2 + 30 * (30 / 31 - now) ** 2) / 40)
    assert course.size[3] == 40
    assert course.error[3, 0] == pytest.approx(expected)


def test_after_a_turn_a_legible_community_knows_sooner():
    half = []
    for d in (0, 5, 20):
        course = simulate(Community(density=d), History(theta=0.7, shock="turn", at=5), 200, range(8))
        after = course.size[5:].mean(1)
        half.append(int(np.argmax(after < after[0] / 2)))
        assert course.size[-1].max() < FEW
    assert half[0] > half[1] > half[2]


def test_what_all_see_moves_all():
    course = simulate(Community(density=5), History(theta=0.6, sight="public"), 30, range(20))
    assert set(np.unique(course.size)) <= {0, 100}


def test_bystanders_of_flesh_leave_too():
    c = Community(density=2)
    alone = simulate(c, History(people=2, theta=1.0, bystanders="finite"), 30, range(40))
    assert alone.size[1].mean() == pytest.approx(2)
    none = simulate(c, History(people=20, theta=0.0, bystanders="finite"), 30, range(5))
    assert none.size[-1].max() == 0
    assert none.misled.max() == 0
    turned = simulate(c, History(people=20, theta=1.0, after=0.0, shock="turn", at=3, bystanders="finite"), 80, [0])
    assert turned.size[3] == 20
    assert turned.size[-1] == 0


def test_a_seed_gives_the_same_whatever_runs_beside_it():
    c, h = Community(), History(people=20)
    one, two = simulate(c, h, 15, [4]), simulate(c, h, 15, [1, 4])
    assert (one.size[:, 0] == two.size[:, 1]).all()
    assert one.welfare[0] == two.welfare[1]


# --- legibility -------------------------------------------------------------------------------------------------------


def test_a_newcomer_is_right_sooner_where_there_are_silly_rules():
    right = [sum(legibility(Community(density=d, cost=0), theta, 5) for theta in (0.6, 0.35)) / 2 for d in DENSITIES]
    assert (np.diff(right) > 0).all()
    for theta in (0.6, 0.35):
        waits = [patience(Community(density=d, cost=0), theta) for d in DENSITIES]
        assert (np.diff(waits) <= 0).all()
        evidence = [w * (1 + d) for w, d in zip(waits, DENSITIES, strict=True) if d <= 5]
        assert max(evidence) < 1.6 * min(evidence)  # it is the number of encounters that counts


def test_legibility_by_hand():
    c = Community(density=0, cost=0)
    assert legibility(c, 0.6, 1) == pytest.approx(0.6)
    assert legibility(c, 0.3, 1) == pytest.approx(0.7)
    three = 0.6**3 + 3 * 0.6**2 * 0.4
    assert legibility(c, 0.6, 3) == pytest.approx(three)


# --- edges ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Community(density=-1), "density"),
        (lambda: Community(cost=-0.1), "cost"),
        (lambda: Community(cost=math.nan), "cost"),
        (lambda: Community(discount=1.0), "discount"),
        (lambda: Community(alpha=0), "alpha"),
        (lambda: Community(beta=-1), "beta"),
        (lambda: Community(gain=-1, loss=1), "gain"),
        (lambda: Community(mode="more"), "mode"),
        (lambda: History(people=1), "people"),
        (lambda: History(theta=1.2), "theta"),
        (lambda: History(shock="quake"), "shock"),
        (lambda: History(sight="none"), "sight"),
        (lambda: History(bystanders="some"), "bystanders"),
        (lambda: simulate(Community(), History(), 0, [0]), "periods"),
        (lambda: survival(Community(), 1.2, 5), "theta"),
        (lambda: legibility(Community(), 0.5, 0), "periods"),
        (lambda: patience(Community(cost=0), 0.501, longest=20), "told apart"),
    ],
)
def test_bad_parameters_are_refused_by_name(make, word):
    with pytest.raises(Refusal, match=word):
        make()


def test_nobody_joins_what_is_worth_nothing():
    c = Community(density=20, cost=0.2)
    assert value(c) == 0
    course = simulate(c, History(), 5, [0])
    assert course.size.max() == 0
    assert course.flags == (NOBODY,)
    assert np.isnan(course.error).all()
    assert simulate(Community(), History(), 5, [0]).flags == ()
