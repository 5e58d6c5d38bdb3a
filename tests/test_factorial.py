"""Factorials: effects of made-up tables, by hand and by brute force; and the rule by which a claim may be printed."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi.errors import Refusal
from nomoi.measure import factorial as f

TABLES = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).random(32))


def test_effects_of_a_table_that_is_known():
    """v = 1 + 2a - 3b + 4ab + 0c: combination 0 to 7 is (a, b, c) bit by bit."""
    a, b, _ = f.present(3).T.astype(float)
    table = 1 + 2 * a - 3 * b + 4 * a * b
    assert f.main(table).tolist() == [4.0, -1.0, 0.0]  # 2 + 4/2, -3 + 4/2, 0
    assert f.interactions(table)[0].tolist() == [0.0, 4.0, 0.0]
    assert f.shapley(table) == pytest.approx([4, -1, 0])
    assert f.by_size(table) == pytest.approx([1, (3 - 2 + 1) / 3, (4 + 3 - 2) / 3, 4])
    assert [f.name(c, ("a", "b", "c")) for c in (0, 5, 7)] == ["none", "a+c", "a+b+c"]


@given(TABLES)
def test_shapley_values_are_means_over_orders_and_add_up(table):
    found = f.shapley(table)
    assert found.sum() == pytest.approx(table[-1] - table[0], abs=1e-6)
    slow = np.zeros(5)
    for order in itertools.permutations(range(5)):
        have = 0
        for j in order:
            slow[j] += table[have | 1 << j] - table[have]
            have |= 1 << j
    assert found == pytest.approx(slow / math.factorial(5))
    assert f.shapley(np.stack([table, 2 * table], 1)) == pytest.approx(np.stack([found, 2 * found], 1))


@given(TABLES)
def test_necessity_sufficiency_and_minimal_conjunctions_are_those_of_brute_force(table):
    consistency, coverage = f.sufficiency(table)
    for c in range(32):
        over = [d for d in range(32) if d & c == c]
        assert consistency[c] == pytest.approx(table[over].mean())
        assert coverage[c] == pytest.approx(table[over].sum() / table.sum())
    for j in range(5):
        assert f.necessity(table)[j] == pytest.approx(coverage[1 << j])
    either = [c for c in range(32) if c & 0b101]
    assert f.necessity(table, 0, 2) == pytest.approx(table[either].sum() / table.sum())
    fine = {c for c in range(32) if consistency[c] >= 0.6}
    slow = {c for c in fine if not any(c & d == d and d.bit_count() == c.bit_count() - 1 for d in fine - {c})}
    assert set(f.minimal(consistency, 0.6)) == slow
    counts = [c.bit_count() for c in f.minimal(consistency, 0.6)]
    assert counts == sorted(counts)


def test_an_error_is_over_places():
    """Two places whose effects are 1 and 3; what is the same in both places has no spread."""
    has = f.present(2)[:, :1].astype(float)
    found = f.over_places(has * np.array([1.0, 3.0]))
    assert found[0].mean == 2
    assert found[0].n == 2
    assert found[0].high - found[0].mean == pytest.approx(12.706, abs=1e-3)  # t(1), standard error 1
    assert (found[1].low, found[1].high) == (0, 0)


GOOD = {"imitators": 0.2, "cooperators": 0.1, "400 seasons": 0.05}


def test_a_claim_is_printed_as_holding_only_in_22_of_24_draws_and_in_every_check():
    up = lambda k, rest=0.0: [0.1] * k + [rest] * (24 - k)  # noqa: E731
    assert f.judge(up(22), GOOD).verdict == f.HELPS
    assert f.judge(up(24), GOOD) == f.Judged(24, 0, 24, f.HELPS)
    assert f.judge(up(21), GOOD).verdict == f.DEPENDS
    assert f.judge(up(22, -0.5), GOOD).verdict == f.HELPS  # it may harm in two
    assert f.judge([-x for x in up(23)], {k: -v for k, v in GOOD.items()}).verdict == f.HARMS
    for check in GOOD:
        for value in (-0.1, 0.0, 0.01, float("nan")):
            found = f.judge(up(24), GOOD | {check: value})
            assert found.verdict == f.DEPENDS
            assert found.against.startswith(check)
    assert f.judge([-x for x in up(24)], GOOD).verdict == f.DEPENDS
    assert f.judge([0.01] * 24, GOOD) == f.Judged(0, 0, 24, f.DEPENDS, "draws")  # dust has no sign
    assert f.judge([float("nan")] * 3 + [0.1] * 21, GOOD).verdict == f.DEPENDS


def test_fewer_draws_test_nothing_unless_they_refute():
    assert f.judge([0.1] * 3, GOOD).verdict == f.UNTESTED
    assert f.judge([0.1, -0.1], GOOD).verdict == f.UNTESTED
    assert f.judge([0.1] * 3, GOOD | {"imitators": -1.0}).verdict == f.DEPENDS
    assert f.judge([0.1] * 5 + [-0.1] * 5, GOOD).verdict == f.DEPENDS


def test_draws_are_a_latin_hypercube():
    ranges = {"a": (0.0, 24.0), "b": (-1.0, 1.0)}
    found = f.hypercube(ranges, 24, 3)
    assert sorted(int(d["a"]) for d in found) == list(range(24))
    assert sorted(int((d["b"] + 1) * 12) for d in found) == list(range(24))
    assert found == f.hypercube(ranges, 24, 3) != f.hypercube(ranges, 24, 4)


@pytest.mark.parametrize(
    ("asks", "says"),
    [
        (lambda: f.main(np.zeros(6)), "6 combinations is no full factorial"),
        (lambda: f.necessity(np.array([0, 2.0])), "one number from 0 to 1"),
        (lambda: f.sufficiency(np.array([np.nan, 1.0])), "one number from 0 to 1"),
        (lambda: f.over_places(np.zeros(8)), "has no places"),
    ],
)
def test_what_is_no_factorial_is_refused(asks, says):
    with pytest.raises(Refusal, match=says):
        asks()


def test_nothing_is_necessary_for_what_never_happens():
    assert np.isnan(f.necessity(np.zeros(4))).all()
    assert np.isnan(f.sufficiency(np.zeros(4))[1]).all()
    assert f.minimal(f.sufficiency(np.zeros(4))[0]) == []
