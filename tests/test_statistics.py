"""Statistics against their definitions and against SciPy, and where they say that they cannot say anything."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nomoi.errors import Refusal
from nomoi.measure import statistics
from nomoi.measure.statistics import corrected, correlation, difference, estimate, exactly, holm, number

NAN = math.nan
numbers = st.floats(-100, 100).map(lambda x: round(x, 3))
samples = st.lists(numbers, min_size=4, max_size=12)


# --- estimate -------------------------------------------------------------------------------------------------


@given(samples)
def test_the_interval_of_a_mean_is_students(values):
    found = estimate(values)
    assert found.mean == pytest.approx(np.mean(values), abs=1e-9)
    assert found.iqm == pytest.approx(stats.trim_mean(values, 0.25))
    if np.ptp(values) == 0:
        assert found.low == found.high == found.mean
        return
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    np.testing.assert_allclose([found.low, found.high], expected, atol=1e-9)


def test_estimates_by_hand():
    found = estimate([1.0, 2.0, 3.0, 6.0])
    assert (found.mean, found.iqm, found.n, found.missing) == (3.0, 2.5, 4, 0)
    half = 3.182446 * math.sqrt(14 / 3) / 2  # t of 97.5 % with 3 degrees of freedom
    assert (found.low, found.high) == pytest.approx((3 - half, 3 + half), abs=1e-5)
    two = estimate([0.0, 2.0])
    assert (two.low, two.high) == pytest.approx((1 - 12.7062, 1 + 12.7062), abs=1e-3)


def test_values_alike_but_for_rounding_are_a_point():
    found = estimate([0.7] * 7 + [0.1 * 7])
    assert (found.low, found.high) == pytest.approx((0.7, 0.7), abs=1e-12)
    assert found.low <= found.mean <= found.high


def test_what_is_missing_is_counted_and_what_diverged_is_not_left_out():
    holed = estimate([1.0, NAN, 3.0])
    assert (holed.mean, holed.n, holed.missing, holed.sample()) == (2.0, 2, 1, "n = 2 of 3")
    gone = estimate([1.0, math.inf, 3.0])
    assert (gone.mean, gone.low, gone.high, gone.text()) == (math.inf, -math.inf, math.inf, "inf")
    both = estimate([math.inf, -math.inf])
    assert np.isnan(both.mean)
    assert (both.low, both.high) == (-math.inf, math.inf)
    assert estimate([]).n == estimate([NAN]).n == 0
    assert estimate([NAN]).missing == 1


def test_one_seed_has_no_interval_and_what_is_exact_is_a_point():
    one = estimate([4.0])
    assert (one.mean, one.n, one.interval(), one.sample()) == (4.0, 1, "", "one seed")
    assert np.isnan([one.low, one.high]).all()
    point = exactly(0.5)
    assert (point.mean, point.low, point.high, point.n) == (0.5, 0.5, 0.5, 1)
    assert (point.interval(), point.sample()) == ("", "exact")
    assert exactly(NAN).n == 0


def coverage(draw, mean, n, times=1500):
    """How often intervals of `n` values hold the mean, and how often they lie wholly above it."""
    rng = np.random.default_rng(n)
    found = [estimate(draw(rng, n)) for _ in range(times)]
    return (
        float(np.mean([e.low <= mean <= e.high for e in found])),
        float(np.mean([e.low > mean for e in found])),
    )


@pytest.mark.parametrize("n", [2, 3, 5, 8, 20])
def test_ninety_five_per_cent_are_ninety_five_and_a_null_effect_is_seldom_held(n):
    """On normal values; the bounds are three standard errors of 1,500 draws wide."""
    covered, held = coverage(lambda rng, n: rng.normal(0, 1, n), 0.0, n)
    assert 0.93 <= covered <= 0.97
    assert held <= 0.037  # nominal 0.025


# --- numbers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4e-5, "4.00e-05"), (-4e-5, "-4.00e-05"), (0.000123456, "0.000123"), (0.00999999, "0.0100"), (0.99996, "1.00"),
        (9.9996, "10.0"), (12.345, "12.3"), (-0.5, "-0.500"), (999.6, "1000"), (1234.6, "1235"), (123456.0, "123456"),
        (2.5e9, "2.50e+09"), (0.0, "0"), (-0.0, "0"), (NAN, "-"), (math.inf, "inf"), (-math.inf, "-inf"),
    ],
)  # fmt: skip
def test_a_number_has_three_digits(value, text):
    assert number(value) == text


@given(st.floats(-1e12, 1e12).filter(lambda x: abs(x) > 1e-300))
def test_what_is_printed_is_the_number_to_half_a_unit_of_its_third_digit(value):
    assert float(number(value)) == pytest.approx(value, rel=5.01e-3)


# --- correlation ----------------------------------------------------------------------------------------------


def fisher(x, y):
    r, reach = np.corrcoef(x, y)[0, 1], stats.norm.ppf(0.975) / np.sqrt(len(x) - 3)
    return np.tanh([np.arctanh(r) - reach, np.arctanh(r) + reach])


def test_r_is_pearsons_with_fishers_interval_over_all_but_any_one():
    rng = np.random.default_rng(3)
    for n in (5, 6, 9):
        x = rng.normal(0, 1, n)
        y = x + rng.normal(0, 1, n)
        found = correlation(x, y)
        assert found.mean == pytest.approx(stats.pearsonr(x, y).statistic)
        spans = [fisher(x, y), *(fisher(np.delete(x, k), np.delete(y, k)) for k in range(n))]
        assert found.low == pytest.approx(min(s[0] for s in spans))
        assert found.high == pytest.approx(max(s[1] for s in spans))
        assert found.n == n


def test_a_correlation_that_one_seed_makes_is_none():
    x, y = [0.0, 1, 0, 1, 0, 1, 20], [1.0, 0, 0, 1, 1, 0, 20]
    found = correlation(x, y)
    assert found.mean > 0.98
    assert found.low < 0 < found.high


def test_what_is_not_defined_takes_its_partner_with_it():
    x, y = np.arange(8.0), np.array([3, 1, 4, 1, 5, 9, 2, 6.0])
    whole = correlation(x[1:7], y[1:7])
    holed = np.where(np.arange(8) < 1, NAN, x), np.where(np.arange(8) == 7, np.inf, y)
    found = correlation(*holed)
    assert dataclasses.replace(found, missing=0) == whole
    assert (found.n, found.missing) == (6, 2)


def test_too_few_or_nothing_that_varies_is_no_correlation():
    for x, y in (
        ([], []), ([1, 2], [3, 4]), ([0, 0, 0, 0], [1, 2, 3, 4]),
        ([1, 2, 3, 4], [0.1 + 0.2, 0.3, 0.3, 0.3]),  # the same, but for rounding
    ):  # fmt: skip
        assert np.isnan(correlation(x, y).mean)
    three = correlation([1, 2, 3], [1, 3, 2])
    assert three.mean == pytest.approx(0.5)
    assert np.isnan([three.low, three.high]).all()
    assert correlation([1, 2, 3, 4, 5], [2, 4, 6, 8, 10]).low == pytest.approx(1)


# --- pairs ----------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(numbers, numbers), min_size=3, max_size=10))
def test_the_test_of_a_pair_is_the_paired_t_test_and_agrees_with_the_estimate(pairs):
    a, b = np.array(pairs).T
    found = statistics.ttest(a, b)
    assert found.estimate == difference(a, b)
    if np.ptp(a - b) <= 1e-9:
        assert np.isnan(found.p)
        return
    expected = stats.ttest_rel(a, b)
    np.testing.assert_allclose([found.t, found.p], [expected.statistic, expected.pvalue], rtol=1e-6, atol=1e-9)
    assert found.d == pytest.approx((a - b).mean() / (a - b).std(ddof=1))
    # the same statistic on both sides: above zero exactly where p is below 5 %
    if abs(found.p - 0.05) > 1e-6:
        assert (found.p < 0.05) == (found.estimate.low > 0 or found.estimate.high < 0)


def test_several_tests_are_corrected_together_and_those_that_are_none_do_not_count():
    rng = np.random.default_rng(1)
    tests = [statistics.ttest(rng.normal(m, 1, 7), rng.normal(0, 1, 7)) for m in (0.2, 3, 1)]
    still = statistics.ttest([2.0, 2.0], [1.0, 1.0])
    together = corrected([tests[0], still, tests[1], tests[2]])
    assert [one.corrected for one in (together[0], *together[2:])] == holm([one.p for one in tests]).tolist()
    assert np.isnan(together[1].corrected)
    assert [one.p for one in together[2:]] == [one.p for one in tests[1:]]


def test_unlike_seeds_are_no_pairs_and_rounding_is_no_difference():
    with pytest.raises(Refusal, match="2 seeds cannot be paired with 3"):
        difference([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(Refusal, match="1 seeds cannot be paired with 3"):
        difference([1.0], [1.0, 2.0, 3.0])
    dust = difference([0.1 + 0.2, 0.7], [0.3, 0.1 * 7])
    assert (dust.mean, dust.low, dust.high) == (0, 0, 0)
    assert difference([1.0, NAN, 3], [0.0, 1, 1]).missing == 1


# --- Holm -----------------------------------------------------------------------------------------------------


def accepted(p, level):
    """Holm's procedure in words: from the smallest p on, reject while p <= level / (how many are left)."""
    left, rejected = sorted(range(len(p)), key=lambda k: p[k]), set()
    while left and p[left[0]] <= level / len(left):
        rejected.add(left.pop(0))
    return rejected


@given(st.lists(st.floats(0, 1).map(lambda p: round(p, 3)), max_size=8), st.floats(0.001, 0.999))
def test_a_corrected_p_is_the_level_from_which_the_procedure_rejects(p, level):
    corrected = holm(p)
    assert len(corrected) == len(p)
    assert ((corrected >= p) & (corrected <= 1)).all()
    if all(abs(c - level) > 1e-9 for c in corrected):
        assert accepted(p, level) == {k for k in range(len(p)) if corrected[k] <= level}


@given(st.lists(st.one_of(st.just(NAN), st.floats(0, 1)), max_size=8))
def test_what_is_no_test_is_not_corrected_for(p):
    p = np.array(p)
    known = np.isfinite(p)
    corrected = holm(p)
    assert (np.isfinite(corrected) == known).all()
    assert corrected[known].tolist() == holm(p[known]).tolist()


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]).tolist() == [1, 1]
    assert holm([]).tolist() == []


def test_a_test_is_none_of_pytests():
    assert not statistics.Test.__test__


def test_a_pair_that_diverged_does_not_vanish():
    for side in ([math.inf, 1.0, 1.1], [0.5, math.inf, 1.1]):
        found = difference(side, [math.inf, 0.5, 0.4])
        assert (found.n, found.low, found.high) == (3, -math.inf, math.inf)
    assert difference([math.nan, 1.0], [math.inf, 0.5]).missing == 1
    gaps = statistics.paired([0.5, math.inf, -math.inf, math.inf], [math.inf, 0.5, 0.5, math.inf])
    assert gaps.tolist() == [-math.inf, math.inf, -math.inf, math.inf]


def test_batch_means_by_hand():
    """Halves of means 0 and 2: one apart from 1, so the deviation is sqrt(2), and the error that by sqrt(2)."""
    for series in ([0.0, 2.0], [-1.0, 1, 1, 3]):
        assert statistics.over_time(np.array(series), 2) == pytest.approx((1, 1))
    two = np.array([[0.0, 1], [2, 5]])  # two series: means 0, 1, 2, 5, whose squares about 2 add up to 14
    assert statistics.over_time(two, 2) == pytest.approx((2, math.sqrt(14 / 3 / 4)))
    with pytest.raises(Refusal, match="1 moments make no 2 batches"):
        statistics.over_time(np.ones(1), 2)
