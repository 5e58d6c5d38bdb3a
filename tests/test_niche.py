"""Small improvements, selective learning, cumulative adaptation: thresholds, tables, and individuals."""

import math

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from nomoi.errors import Refusal
from nomoi.measure.statistics import over_time
from nomoi.populations.niche import ALWAYS, IMITATE, LEARN, MIXED, NEVER, Niche, evolve, improve, simulate
from nomoi.populations.selective import UNCHANGING, Cheap, Cue, Cumulative

niches = st.builds(
    Niche,
    value=st.floats(0.5, 3),
    learning=st.floats(0.2, 0.45),
    imitating=st.floats(0, 0.15),
    improve=st.floats(0.01, 0.6),
    switch=st.floats(0.005, 0.9),
    order=st.sampled_from(["I", "II"]),
    loss=st.sampled_from(["linear", "quadratic"]),
)


def at(delta, **other):
    return Niche(learning=delta, imitating=0, **other)


# --- the algebra ------------------------------------------------------------------------------------------------------


def test_losses_and_thresholds_follow():
    a, gamma, delta, q, D = sympy.symbols("a gamma delta q D", positive=True)
    inherited = gamma + (1 - gamma) * q * D
    one = sympy.solve(sympy.Eq(D, (1 - a) * inherited), D)[0]
    other = sympy.solve(sympy.Eq(D, gamma + (1 - gamma) * (1 - a) * q * D), D)[0]
    assert sympy.simplify(one - gamma * (1 - a) / (1 - (1 - gamma) * (1 - a) * q)) == 0
    assert sympy.simplify(other - gamma / (1 - (1 - gamma) * (1 - a) * q)) == 0
    for lost, bound in (
        (one, a * delta / ((1 - a) * (1 - delta))),
        (other, a * delta / (1 - delta + a * delta)),
    ):
        (found,) = sympy.solve(sympy.Eq(lost.subs(q, 1), delta), gamma)
        assert sympy.simplify(found - bound) == 0
    t = sympy.symbols("t", positive=True)
    small = one.subs({q: 1, a: t * a, gamma: t * gamma})
    assert sympy.simplify(sympy.limit(small, t, 0) - gamma / (a + gamma)) == 0  # the tutorial's limit


@pytest.mark.parametrize(("order", "expected"), [("I", 1 / 9), ("II", 1 / 11)])
def test_the_threshold_by_bisection(order, expected):
    world = lambda gamma: at(0.5, improve=0.1, switch=gamma, order=order)  # noqa: E731
    margin = lambda gamma: float(world(gamma).imitators(1.0)) - world(gamma).learners  # noqa: E731
    assert optimize.bisect(margin, 1e-6, 0.9, xtol=1e-12) == pytest.approx(expected, abs=1e-9)
    assert world(0.2).threshold().value == pytest.approx(expected, abs=1e-12)
    assert world(0.2).tutorial_threshold().value == pytest.approx(0.1)


@given(niches)
def test_imitation_raises_mean_fitness_exactly_where_it_is_stable(m):
    rest, regime = m.equilibrium().value, m.regime()
    stable = m.switch < m.threshold().value
    if abs(m.switch - m.threshold().value) < 1e-9:
        return
    assert (regime == IMITATE) == stable == (m.gain() > 0)
    assert (regime == LEARN) == (float(m.lost(0.0)) > m.saving)
    assert float(m.mean(rest)) - m.learners == pytest.approx(m.gain(), abs=1e-9)
    if regime == MIXED:
        assert 0 < rest <= 1
        assert float(m.imitators(rest)) == pytest.approx(m.learners, abs=1e-9)
        assert float(m.imitators(max(0, rest - 0.01))) >= m.learners >= float(m.imitators(min(1, rest + 0.01))) - 1e-12


@given(niches)
def test_the_tutorials_condition_lies_between_the_two_orders(m):
    if m.loss == "quadratic" or not 0 < m.saving < 1:
        return
    one, two = (Niche(**(vars(m) | {"order": order})).threshold().value for order in ("I", "II"))
    if one < 1:
        assert two < m.tutorial_threshold().value < one


def test_with_a_quadratic_loss_small_improvements_count_twice():
    for order in ("I", "II"):
        m = at(0.5, improve=1e-4, order=order, loss="quadratic")
        assert m.threshold().value == pytest.approx(2 * m.tutorial_threshold().value, rel=1e-3)
    assert float(at(0.5, improve=0.2, switch=0.1, loss="quadratic").lost(1.0)) == pytest.approx(
        0.1 * 0.64 / (1 - 0.9 * 0.64)
    )


# --- individuals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("q", "a", "g"), [(1, 0.1, 0.05), (0.6, 0.1, 0.1)])
@pytest.mark.parametrize(("order", "loss"), [("I", "linear"), ("II", "linear"), ("I", "quadratic")])
def test_individuals_agree_with_the_formula(q, a, g, order, loss):
    m = Niche(improve=a, switch=g, order=order, loss=loss)
    mean, error = simulate(m, q, 100, 8000, [1]).late(burn=0.05)
    assert 1 - mean == pytest.approx(float(m.lost(q)), abs=max(0.015, 4 * error))


def test_one_generation_by_hand():
    rng = np.random.default_rng(0)
    before = np.linspace(0, 1, 9)
    after = improve(rng, Niche(improve=0.25), before, False)
    assert set(np.round(after / 0.75, 9)) <= set(np.round(before, 9))
    assert (improve(rng, Niche(improve=0.25), before, True) == 0.75).all()
    assert (improve(rng, Niche(improve=0.25, order="II"), before, True) == 1).all()


def test_genes_come_to_rest_where_the_formula_says():
    worlds = [
        at(d, improve=a, switch=g, order=o)
        for a, g, d in [(0.05, 0.01, 0.45), (0.05, 0.1, 0.45), (0.1, 0.2, 0.3)]
        for o in ("I", "II")
    ]
    course = evolve(worlds, range(20), 20_000)
    fold = lambda x: x[7000:].reshape(-1, 6, 20).mean((0, 2))  # noqa: E731
    assert fold(course.imitators) == pytest.approx([m.equilibrium().value for m in worlds], abs=0.015)
    delta = np.repeat([m.saving for m in worlds], 20)
    gains = fold(course.imitators * (course.fitting - 1 + delta))
    assert gains == pytest.approx([m.gain() for m in worlds], abs=0.02)
    crowd = evolve(worlds[2:3], [0], 2500, 0.1, mutation=2e-4, people=5000)
    mean, error = crowd.late("imitators")
    assert mean == pytest.approx(worlds[2].equilibrium().value, abs=max(0.03, 4 * error))


# --- selective learning ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("highest", "gamma", "expected"),
    [
        (1, 0.1, (0.3904, 0.8810, 0.6858, 0.5)),
        (1, 0.01, (0.1330, 0.9423, 0.8758, 0.5)),
        (2, 0.1, (0.5, 0.8125, 0.5625, 0.0)),
        (0.2, 0.1, (0.2, 1.0, 0.9, 0.9)),
    ],
)
def test_learning_when_it_is_cheap(highest, gamma, expected):
    m = Cheap(highest=highest, switch=gamma)
    limit = m.limit()
    assert (limit.value, m.right(limit.value), m.fitness(limit.value), m.alone) == pytest.approx(expected, abs=1e-4)
    assert bool(limit.flags) == (highest == 0.2)


@given(st.floats(0.3, 3), st.floats(0.5, 2), st.floats(0.005, 0.6))
def test_too_little_is_learned_for_the_good_of_all(highest, gap, gamma):
    m = Cheap(highest=highest, gap=gap, switch=gamma)
    limit = m.limit()
    if limit.flags:
        assert 2 * gap * (1 - m.copied(highest)) >= highest
        return
    assert limit.value == pytest.approx(2 * gap * (1 - m.copied(limit.value)))
    assert m.fitness(limit.value) > m.alone
    if m.learners(limit.value) < 0.999 and abs(gamma - 0.5) > 0.02:
        more, now = m.fitness(limit.value * (1 + 1e-4)), m.fitness(limit.value)
        assert (more > now) == (gamma < 0.5)  # a little more would help all, unless copies are mostly wrong


CUES = {  # sigma -> gamma -> d, share that is right
    1: {0.001: (2.12, 0.9868), 0.01: (1.48, 0.9602), 0.1: (0.74, 0.8929)},
    2: {0.001: (4.68, 0.9131), 0.01: (3.30, 0.8458), 0.1: (1.66, 0.7447)},
    4: {0.001: (9.65, 0.7700), 0.01: (6.80, 0.7046), 0.1: (3.41, 0.6313)},
}


@pytest.mark.parametrize("sigma", CUES)
def test_weak_cues(sigma):
    copying = {1: (0.868, 0.679, 0.357)}
    alone = {1: 0.8413, 2: 0.6915, 4: 0.5987}
    step = (6 * sigma + 2) / 4000  # of the grid behind these numbers
    for k, (gamma, (d, right)) in enumerate(CUES[sigma].items()):
        m = Cue(noise=sigma, switch=gamma)
        found = m.limit().value
        assert found == pytest.approx(d, abs=step + 0.006)
        assert float(m.right(found)) == pytest.approx(right, abs=2e-3)
        assert m.alone == pytest.approx(alone[sigma], abs=1e-4)
        if sigma in copying:
            assert float(m.chances(found)[1]) == pytest.approx(copying[sigma][k], abs=2e-3)


@given(st.floats(0.4, 4), st.floats(0.002, 0.4))
def test_what_is_stable_is_best_and_uses_a_cue_where_it_tells_more_than_a_copy(sigma, gamma):
    m = Cue(noise=sigma, switch=gamma)
    d = m.limit().value
    around = m.right(np.linspace(0, 3 * d + 1, 2001))
    assert float(m.right(d)) >= around.max() - 1e-9
    copied = gamma + (1 - 2 * gamma) * float(m.right(d))
    values = lambda x: float(m.chances(x)[0] + m.chances(x)[1] * copied)  # noqa: E731  with Pc fixed
    assert values(d) >= max(values(0.98 * d), values(1.02 * d + 1e-3))
    odds = stats.norm.pdf(d, 1, sigma) / stats.norm.pdf(-d, 1, sigma)
    assert odds == pytest.approx(copied / (1 - copied), rel=1e-6)


def test_more_is_copied_where_cues_are_noisy_and_less_where_things_change():
    copied = lambda s, g: float(Cue(noise=s, switch=g).chances(Cue(noise=s, switch=g).limit().value)[1])  # noqa: E731
    assert copied(1, 0.05) < copied(2, 0.05) < copied(4, 0.05)
    assert copied(2, 0.01) > copied(2, 0.05) > copied(2, 0.2)


def test_those_who_learn_now_and_then_agree_with_the_formula():
    m = Cheap()
    limit = m.limit().value
    mean, error = over_time(m.simulate(limit, 400, 3000, [0])[100:])
    assert mean == pytest.approx(m.right(limit), abs=max(0.01, 4 * error))
    m = Cue(noise=2, switch=0.1)
    limit = m.limit().value
    mean, error = over_time(m.simulate(limit, 400, 3000, [0])[100:])
    assert mean == pytest.approx(float(m.right(limit)), abs=max(0.01, 4 * error))


# --- cumulative adaptation ------------------------------------------------------------------------------------------


def test_levels_add_up():
    assert Cumulative(fidelity=0, improve=0.1).level == 0.1
    assert Cumulative(switch=0).level == pytest.approx(1)
    m = Cumulative(improve=0.1, switch=0.1, fidelity=0.9)
    assert m.level == pytest.approx(0.1 / (1 - 0.9 * 0.9 * 0.9))
    mean, error = over_time(m.simulate(3000, range(5))[100:])
    assert mean == pytest.approx(m.level, abs=max(1e-3, 4 * error))
    full = Cumulative(improve=0.1, switch=0.1)
    assert 1 - full.level == pytest.approx(float(Niche(improve=0.1, switch=0.1).lost(1.0)))


@given(st.floats(0.01, 0.5), st.floats(0, 0.9), st.floats(0, 0.95))
def test_whoever_doubts_more_stands_lower_and_passes_less_on(a, gamma, reject):
    m = Cumulative(improve=a, switch=gamma)
    doubting = m.doubting(reject)
    assert doubting.fidelity == pytest.approx(1 - reject)
    assert doubting.level <= m.level
    assert a <= doubting.doubting(0.5).level <= doubting.level
    assert doubting.persistence(3) == pytest.approx((1 - reject) ** 3)
    assert m.persistence(10) == 1


# --- edges ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Niche(value=0), "value"),
        (lambda: Niche(learning=math.nan), "learning"),
        (lambda: Niche(imitating=-1), "imitating"),
        (lambda: Niche(learning=0.1, imitating=0.2), "niche.learning is 0.1, below niche.imitating"),
        (lambda: Niche(improve=0), "improve"),
        (lambda: Niche(improve=1), "improve"),
        (lambda: Niche(switch=1.5), "switch"),
        (lambda: Niche(order="III"), "order"),
        (lambda: Niche(loss="cubic"), "loss"),
        (lambda: Niche().lost(1.5), "q has"),
        (lambda: simulate(Niche(), 0.0, 10, 5, [0]), "no imitator"),
        (lambda: evolve([], [0], 5), "world"),
        (lambda: evolve([Niche()], [0], 5, strength=-1.0), "strength"),
        (lambda: Cheap(highest=0), "highest"),
        (lambda: Cue(noise=0), "noise"),
        (lambda: Cue(switch=-0.1), "switch"),
        (lambda: Cumulative(fidelity=1.1), "fidelity"),
        (lambda: Cumulative().doubting(1.5), "reject"),
        (lambda: Cumulative().persistence(-1), "generations"),
    ],
)
def test_bad_parameters_are_refused_by_name(make, word):
    with pytest.raises(Refusal, match=word):
        make()


def test_degenerate_cases_are_flagged():
    dear = Niche(learning=1.5, imitating=0.1)
    assert dear.threshold().flags == (ALWAYS,) == dear.tutorial_threshold().flags
    assert dear.regime() == IMITATE
    same = Niche(learning=0.2, imitating=0.2)
    assert same.threshold().flags == same.equilibrium().flags == same.tutorial_threshold().flags == (NEVER,)
    assert same.regime() == LEARN
    assert same.gain() == 0
    quick = at(0.9, improve=0.9)
    assert quick.threshold().value == 1
    assert quick.threshold().flags[0].startswith("any_gamma")
    still = at(0.3, switch=0.0)
    assert still.equilibrium().value == 1
    assert still.gain() == pytest.approx(0.3)
    tie = at(1 - 0.05, switch=1.0)
    assert tie.equilibrium().flags[0].startswith("neutral")
    assert Cheap(switch=0).limit().flags == Cue(switch=0).limit().flags == (UNCHANGING,)
    assert Cheap(switch=0).right(0.0) == 1
    assert Cue(switch=0.5).limit().value == 0
    assert Cue(switch=0.5).limit().flags
