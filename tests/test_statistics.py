"""Statistics against their definitions and against SciPy, and where they say that they cannot say anything."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nomoi.measure import statistics
from nomoi.measure.statistics import correlation, holm, welch

NAN = math.nan
numbers = st.floats(-100, 100).map(lambda x: round(x, 3))
samples = st.lists(numbers, min_size=4, max_size=12)


def undefined(found, *but):
    """All fields but these are NaN."""
    told = dataclasses.asdict(found)
    assert all(np.isnan(value) == (name not in but) for name, value in told.items()), told


# --- correlation ----------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(numbers, numbers), min_size=4, max_size=12))
def test_r_is_pearsons_with_fishers_interval(pairs):
    x, y = np.array(pairs).T
    found = correlation(x, y)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        undefined(found, "n")
        return
    r = ((x - x.mean()) * (y - y.mean())).mean() / (x.std() * y.std())
    np.testing.assert_allclose(found.mean, r, atol=1e-9)
    if abs(r) < 1 - 1e-6:
        reach = stats.norm.ppf(0.975) / np.sqrt(len(x) - 3)
        np.testing.assert_allclose([found.low, found.high], np.tanh([np.arctanh(r) - reach, np.arctanh(r) + reach]))
    assert found.n == len(x)


def test_what_is_not_defined_takes_its_partner_with_it():
    x, y = np.arange(8.0), np.array([3, 1, 4, 1, 5, 9, 2, 6.0])
    whole = correlation(x[2:7], y[2:7])
    holed = np.where(np.arange(8) < 2, NAN, x), np.where(np.arange(8) == 7, np.inf, y)
    assert correlation(*holed) == whole
    assert whole.n == 5
    assert whole.mean == pytest.approx(stats.pearsonr(x[2:7], y[2:7]).statistic)


def test_too_few_or_nothing_that_varies_is_no_correlation():
    undefined(correlation([], []), "n")
    undefined(correlation([1, 2], [3, 4]), "n")
    undefined(correlation([1, 2, 3, 4], [0.1 + 0.2, 0.3, 0.3, 0.3]), "n")  # the same, but for rounding
    undefined(correlation([0, 0, 0, 0], [1, 2, 3, 4]), "n")
    undefined(correlation([1, NAN, 3, NAN], [1, 2, NAN, 4]), "n")
    three = correlation([1, 2, 3], [1, 3, 2])
    assert three.mean == pytest.approx(0.5)
    assert np.isnan([three.low, three.high]).all()
    assert correlation([1, 2, 3, 4], [2, 4, 6, 8]).low == pytest.approx(1)


# --- Welch ----------------------------------------------------------------------------------------------------


@given(a=samples, b=samples)
def test_the_test_is_welchs(a, b):
    (found,) = welch([(a, b)])
    a, b = np.array(a), np.array(b)
    assert found.difference == pytest.approx(a.mean() - b.mean(), abs=1e-9)
    if np.ptp(a) == 0 and np.ptp(b) == 0:
        undefined(found, "difference")
        return
    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    t = (a.mean() - b.mean()) / np.sqrt(va + vb)
    free = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
    half = stats.t.ppf(0.975, free) * np.sqrt(va + vb)
    np.testing.assert_allclose([found.t, found.p], [t, 2 * stats.t.sf(abs(t), free)], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(
        [found.low, found.high], found.difference + np.array([-half, half]), rtol=1e-6, atol=1e-9
    )
    assert found.corrected == found.p
    assert found.d == pytest.approx(found.difference / np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2), abs=1e-9)


def test_the_level_is_that_of_the_interval():
    rng = np.random.default_rng(0)
    a, b = rng.normal(1, 2, 9), rng.normal(0, 1, 6)
    wide, narrow = (welch([(a, b)], level)[0] for level in (0.95, 0.9))
    expected = stats.ttest_ind(a, b, equal_var=False)
    assert (narrow.low, narrow.high) == pytest.approx(tuple(expected.confidence_interval(0.9)))
    assert wide.low < narrow.low < narrow.difference < narrow.high < wide.high
    assert (wide.t, wide.p) == (narrow.t, narrow.p)


def test_several_tests_are_corrected_together_and_those_that_are_none_do_not_count():
    rng = np.random.default_rng(1)
    pairs = [(rng.normal(m, 1, 7), rng.normal(0, 1, 5)) for m in (0.2, 3, 1)]
    alone = [test.p for test in welch(pairs)]
    together = welch([pairs[0], ([1, 1], [1, 1]), pairs[1], ([NAN], [1.0, 2]), pairs[2]])
    assert [together[k].p for k in (0, 2, 4)] == alone
    assert [together[k].corrected for k in (0, 2, 4)] == holm(alone).tolist()
    undefined(together[1], "difference")
    undefined(together[3])


def test_what_is_not_defined_is_left_out_of_a_test():
    a, b = [1.0, 2, 4], [0.0, 1, 0, 3]
    assert welch([([*a, NAN], [NAN, *b])]) == welch([(a, b)])
    undefined(welch([([], [])])[0])
    undefined(welch([([5.0], [1.0, 2])])[0], "difference")
    assert welch([([5.0], [1.0, 2])])[0].difference == 3.5
    still = welch([([2.0, 2], [1.0, 2, 3])])[0]  # one side that varies is enough
    assert still.p == pytest.approx(stats.ttest_1samp([1.0, 2, 3], 2.0).pvalue)
    assert welch([]) == []


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
