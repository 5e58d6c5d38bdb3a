"""Punishment: the closed forms against numbers worked out before, against play, and against play by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi.errors import Refusal
from nomoi.populations.groups_at_play import play, replicate, table
from nomoi.populations.punishment import (
    LAG,
    NEUTRAL_E,
    NEUTRAL_P,
    TYPES,
    Punishment,
    among_moralists,
    basin,
    coercion,
    invasions,
    least_punishment,
    moralists,
    moralists_stable,
    payoffs,
    polymorphisms,
    punisher_reluctant,
)

# n -> p_U (b = 2, 0, -2), p_E, p_R (b = 2, 0, -2), basin at b = 5  (e = .05, w = .95)
TABLE = {
    4: ([0.2193, 0.3860, 0.5526], 0.3884, [0.3287, 0.3736, 0.4185], 0.3877),
    8: ([0.1598, 0.1955, 0.2312], 0.1837, [0.1723, 0.1776, 0.1829], 0.4425),
    16: ([0.1110, 0.1193, 0.1276], 0.1032, [0.0992, 0.1000, 0.1007], 0.4394),
    32: ([0.0829, 0.0849, 0.0869], 0.0696, [0.0672, 0.0673, 0.0674], 0.4319),
    64: ([0.0680, 0.0685, 0.0690], 0.0577, [0.0555, 0.0555, 0.0555], 0.4269),
    128: ([0.0604, 0.0605, 0.0606], 0.0555, [0.0531, 0.0531, 0.0531], 0.4241),
}
games = st.builds(
    Punishment,
    size=st.integers(2, 40),
    benefit=st.floats(-5, 10),
    cost=st.floats(0, 3),
    punished=st.floats(0.01, 3),
    punishing=st.floats(0.01, 3),
    error=st.floats(0.001, 0.4),
    again=st.floats(0.05, 0.98),
)


# --- worked out before ----------------------------------------------------------------------------------------------


def test_the_payoffs_of_the_spec():
    g = Punishment(size=8, error=0.05)
    assert coercion(g) == pytest.approx(58.19, abs=5e-3)
    assert moralists(g) == pytest.approx(58.50, abs=5e-3)
    found = [among_moralists(g, mutant) for mutant in "UERP"]
    assert found == pytest.approx([-126.875, 8.33, -1.29, 58.50], abs=5e-3)


@pytest.mark.parametrize(("n", "row"), TABLE.items())
def test_the_table(n, row):
    least = lambda b, mutant: least_punishment(Punishment(size=n, benefit=b, error=0.05), mutant).value  # noqa: E731
    assert [least(b, "U") for b in (2, 0, -2)] == pytest.approx(row[0], abs=1e-4)
    assert least(2, "E") == pytest.approx(row[1], abs=1e-4)
    assert [least(b, "R") for b in (2, 0, -2)] == pytest.approx(row[2], abs=1e-4)
    assert basin(Punishment(size=n, error=0.05)).value == pytest.approx(row[3], abs=1e-4)


def test_or_anything_else():
    g = Punishment(size=32, benefit=-2, error=0.01)
    assert moralists(g) * (1 - g.again) == pytest.approx(-3.745, abs=1e-9)
    assert among_moralists(g, "U") * (1 - g.again) == pytest.approx(-48.418125, abs=1e-9)  # rounded: -48.42
    found = moralists_stable(g)
    assert found.stable
    assert found.flags == (NEUTRAL_P,)
    assert moralists(g) < payoffs(g, "U", "U") == 0  # stable, though all would be better off without


@pytest.mark.parametrize(
    ("n", "w", "expected"),
    [
        (8, 0.9, (0.265, 0.482)),
        (8, 0.95, (0.335, 0.573)),
        (16, 0.9, (0.049, 0.499)),
        (16, 0.95, (0.090, 0.581)),
        (32, 0.95, (0.018, 0.574)),
        (32, 0.9, (0.492,)),
        (4, 0.9, ()),
        (4, 0.95, ()),
    ],
)
def test_where_punishers_and_the_reluctant_mix(n, w, expected):
    g = Punishment(size=n, again=w)
    rests = polymorphisms(g)
    assert [r.x for r in rests] == pytest.approx(expected, abs=3e-3)
    if len(rests) == 2:
        assert [r.stable for r in rests] == [True, False]
        assert coercion(g) > 0
    if len(rests) == 1:
        assert not rests[0].stable
        assert coercion(g) == pytest.approx(-2.13, abs=5e-3)
    for rest in rests:
        assert np.subtract(*punisher_reluctant(g, rest.x)) == pytest.approx(0, abs=1e-8)


def test_two_periods_by_hand():
    g = Punishment(size=8, error=0.05)
    assert punisher_reluctant(g, 0.2, 2) == pytest.approx((-1.955, 1.6293), abs=1e-4)
    assert punisher_reluctant(g, 0.6, 2) == pytest.approx((1.9475, -0.3275), abs=1e-4)


# --- properties -----------------------------------------------------------------------------------------------------


@given(games, st.floats(0.01, 3))
def test_a_mutant_fares_like_a_moralist_at_the_least_punishment_and_worse_above(g, more):
    for mutant in "UER":
        least = least_punishment(g, mutant)
        if least.flags or least.value < 0 or not math.isfinite(least.value):
            continue
        at, above = (Punishment(**(vars(g) | {"punished": p})) for p in (least.value, least.value + more))
        scale = max(1, abs(moralists(at)))
        assert among_moralists(at, mutant) == pytest.approx(moralists(at), abs=1e-8 * scale)
        assert among_moralists(above, mutant) < moralists(above)


@given(games)
def test_stable_is_above_all_three_bounds(g):
    bounds = [least_punishment(g, mutant) for mutant in "UER"]
    if any(math.isnan(b.value) for b in bounds):
        return
    highest = max(b.value for b in bounds)
    if abs(g.punished - highest) > 1e-6:
        assert moralists_stable(g).stable == (g.punished > highest)


@given(games)
def test_the_benefit_counts_for_stability_only_by_what_returns_to_the_giver(g):
    crowd = Punishment(**(vars(g) | {"size": 1000}))
    harmful = Punishment(**(vars(crowd) | {"benefit": crowd.benefit - 5}))
    for mutant in "UR":
        pair = [least_punishment(x, mutant).value for x in (crowd, harmful)]
        assert pair[1] == pytest.approx(pair[0], abs=5 / 1000 / 999 * (1 + 1e-6))


def test_less_punishment_is_needed_in_larger_groups():
    for b in (2, 0, -2):
        for mutant in "UER":
            bounds = [least_punishment(Punishment(size=n, benefit=b, error=0.05), mutant).value for n in TABLE]
            assert (np.diff(bounds) < 0).all()


def test_without_errors_one_invades_where_its_benefit_exceeds_the_cost_of_coercing_all_others():
    for again in (0.5, 0.7, 0.8, 0.9):
        g = Punishment(size=12, error=0, again=again)
        assert (coercion(g) > 0) == (g.later * (g.benefit - g.cost) > g.punishing * 11 + g.cost - g.benefit / 12)


@given(games, st.floats(0, 1).map(lambda x: x if x > 1e-300 else 0.0))  # scipy's binomial overflows below
def test_the_mixture_agrees_with_a_sum_over_groups(g, x):
    small = Punishment(**(vars(g) | {"size": min(g.size, 6)}))
    n, e, L, A = small.size, small.error, small.later, small.others
    total = [0.0, 0.0]
    for j in range(n):
        weight = math.comb(A, j) * x**j * (1 - x) ** (A - j)
        b, c, p, k = small.benefit, small.cost, small.punished, small.punishing
        first = (1 - e) * (b * (j + 1) / n - c) - k * ((A - j) + e * j) - p * e * j
        total[0] += weight * (first + L * ((1 - e) * (b - c) - k * e * A - p * e * j))
        if j:
            total[1] += weight * ((1 - e) * b * j / n - p * j + L * ((1 - e) * (b - c) - p * e * j))
    assert punisher_reluctant(small, x) == pytest.approx(total, rel=1e-9, abs=1e-9)


# --- play -------------------------------------------------------------------------------------------------------------


def by_hand(g, members, rng, periods):
    """A group, member by member."""
    n, coerced, last = len(members), [False] * len(members), None
    payoff = [0.0] * n
    for _ in range(periods):
        gives = []
        for i, m in enumerate(members):
            wants = m in "EPM" or (m == "R" and coerced[i])
            gives.append(wants and rng.random() >= g.error)
        bad = []
        for i in range(n):
            failed = last is not None and any(last[0][j] and j not in last[1][i] for j in range(n) if j != i)
            bad.append(not gives[i] or failed)
        hits = []
        for i, m in enumerate(members):
            target = [not x for x in gives] if m == "P" else bad if m == "M" else [False] * n
            hits.append({j for j in range(n) if j != i and target[j]})
        for i in range(n):
            payoff[i] += g.benefit / n * sum(gives) - g.cost * gives[i] - g.punishing * len(hits[i])
            for j in hits[i]:
                payoff[j] -= g.punished
                coerced[j] = True
        last = (bad, hits)
    return payoff


@pytest.mark.parametrize("members", ["UREPM", "MMMU", "MMEE", "PRR", "ME", "MMR"])
def test_play_is_play_by_hand(members):
    g = Punishment(size=len(members), error=0.2, again=0.7, benefit=3)
    rng = np.random.default_rng(0)
    hand = np.array([by_hand(g, members, rng, 4) for _ in range(3000)])
    arrays = play(g, members, 6000, 1, periods=4)
    error = np.hypot(hand.std(0) / math.sqrt(3000), arrays.std(0) / math.sqrt(6000))
    assert (np.abs(hand.mean(0) - arrays.mean(0)) < 4.5 * error + 1e-12).all()


@pytest.mark.parametrize("n", [2, 3, 5])
def test_every_closed_form_is_what_play_brings(n):
    g = Punishment(size=n, error=0.1, again=0.8, benefit=4)
    for resident in TYPES:
        for mutant in TYPES:
            got = play(g, mutant + resident * (n - 1), 3000, 2)[:, 0]
            error = got.std() / math.sqrt(len(got))
            assert got.mean() == pytest.approx(payoffs(g, resident, mutant), abs=4.5 * error + 1e-9), resident + mutant


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("resident", ["E", "R"])
def test_a_moralist_whose_own_error_puts_all_others_in_bad_standing(n, resident):
    g = Punishment(size=n, error=0.35, again=0.8, punishing=3)
    got = play(g, "M" + resident * (n - 1), 20_000, 3)[:, 0]
    assert got.mean() == pytest.approx(payoffs(g, resident, "M"), abs=4 * got.std() / math.sqrt(len(got)))


def test_the_basin_is_where_play_of_one_period_turns():
    g = Punishment(size=8, error=0.05)
    x = basin(g).value
    found = table(g, "UM", 4000, 3, periods=1)
    gap = lambda share: np.subtract(*found.expected(np.array([1 - share, share]))[::-1])  # noqa: E731
    assert gap(x) == pytest.approx(0, abs=0.06)
    assert gap(0.35) == pytest.approx(-1.55, abs=0.1)
    assert gap(0.55) == pytest.approx(1.78, abs=0.1)


def test_a_table_of_play_agrees_with_the_mixture_and_a_population_goes_where_it_says():
    g = Punishment(size=4, error=0.05)
    found = table(g, "PR", 3000, 4, periods=2)
    assert found.groups.shape == (5, 2)
    assert np.isnan(found.payoff).sum() == 2
    for x in (0.2, 0.6):
        exact = punisher_reluctant(g, x, 2)
        assert found.expected(np.array([x, 1 - x])) == pytest.approx(exact, abs=0.12)
    assert np.nanmax(found.error) < 0.1


def test_replicators_come_to_rest_at_the_stable_mixture_and_leave_the_unstable_one():
    g = Punishment(size=8, again=0.9)
    stable, unstable = polymorphisms(g)
    worth = lambda x: np.array(punisher_reluctant(g, min(1.0, max(0.0, float(x[0])))))  # noqa: E731
    end = lambda x: replicate(worth, np.array([x, 1 - x]), 1500, 0.02, 0.0)[-1, 0]  # noqa: E731
    assert end(unstable.x - 0.02) == pytest.approx(stable.x, abs=1e-3)
    assert end(0.05) == pytest.approx(stable.x, abs=1e-3)
    assert end(unstable.x + 0.02) > 0.95


def test_every_resident_against_every_mutant():
    found = {(i.resident, i.mutant): i for i in invasions(Punishment(size=8))}
    assert len(found) == 20
    sign = {pair: i.sign for pair, i in found.items()}
    assert [sign["M", m] for m in "UREP"] == ["resists", "resists", "resists", "neutral"]
    assert sign["P", "E"] == "invaded"  # the second-order free rider
    assert sign["P", "M"] == "neutral"
    assert sign["E", "U"] == "invaded"
    assert sign["E", "P"] == "resists"
    assert sign["R", "P"] == "invaded"
    assert sign["U", "R"] == sign["R", "U"] == "neutral"
    assert sign["U", "P"] == sign["U", "M"] == "resists"
    for (resident, mutant), i in found.items():
        raw = payoffs(Punishment(size=8), resident, resident) - payoffs(Punishment(size=8), resident, mutant)
        assert i.margin == pytest.approx(raw, abs=1e-9)


# --- edges ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_", "word"),
    [
        ({"size": 1}, "size"),
        ({"size": True}, "size"),
        ({"punished": -1}, "punished"),
        ({"punishing": -0.1}, "punishing"),
        ({"cost": math.nan}, "cost"),
        ({"benefit": math.inf}, "benefit"),
        ({"error": 1.0}, "error"),
        ({"error": -0.1}, "error"),
        ({"again": 1.0}, "again"),
    ],
)
def test_bad_parameters_are_refused_by_name(given_, word):
    with pytest.raises(Refusal, match=word):
        Punishment(**given_)


def test_bad_arguments_are_refused():
    g = Punishment(size=3)
    for call in [
        lambda: among_moralists(g, "X"),
        lambda: least_punishment(g, "M"),
        lambda: payoffs(g, "MM", "U"),
        lambda: payoffs(g, "M", "Q"),
        lambda: play(g, "MM", 5, 0),
        lambda: play(g, "MMX", 5, 0),
        lambda: play(g, "MMM", 0, 0),
        lambda: play(Punishment(size=2, again=0.9999999), "MM", 5, 0),
        lambda: table(g, "MM", 5, 0),
        lambda: table(g, "UREP", 5, 0),
        lambda: punisher_reluctant(g, 1.1),
        lambda: basin(Punishment(punished=0, punishing=0)),
    ]:
        with pytest.raises(Refusal):
            call()


def test_degenerate_cases_are_flagged():
    sure = Punishment(error=0)
    assert least_punishment(sure, "E").flags == (NEUTRAL_E,)
    assert math.isnan(least_punishment(sure, "E").value)
    found = moralists_stable(sure)
    assert not found.stable
    assert found.margin == 0
    assert NEUTRAL_E in found.flags
    once = Punishment(again=0)
    assert least_punishment(once, "E") == least_punishment(once, "E").__class__(math.inf, (LAG,))
    assert not moralists_stable(once).stable
    assert least_punishment(once, "P").flags == (NEUTRAL_P,)
    assert basin(Punishment(size=2, benefit=40)).flags[0].startswith("M_gains")
    assert basin(Punishment(size=2, benefit=-40)).flags[0].startswith("U_gains")
    assert basin(Punishment(size=2, benefit=-40)).value == 1
