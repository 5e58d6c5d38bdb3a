"""Learners and imitators: the algebra, the tables worked out before, and individuals against the formulas."""

import math

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from nomoi.core.option import options
from nomoi.core.parameters import checked
from nomoi.errors import Refusal
from nomoi.measure.statistics import over_time
from nomoi.populations.engine import changes, models, resample, seed_of, select, streams, whole
from nomoi.populations.imitation import FIXES, NO_LEARNER, Imitation, evolve, imitate, simulate

# (n, gamma, C/D) -> q*, q_opt, (max mean - W_L) / D
TABLE = {
    (1, 0.1, 0.3): (0.6818, 0.4073, 0.0730),
    (1, 0.01, 0.3): (0.9554, 0.7629, 0.1827),
    (5, 0.1, 0.3): (0.9263, 0.7142, 0.1831),
    (1, 0.05, 0.5): (0.9091, 0.6373, 0.2234),
    (3, 0.2, 0.1): (0.6013, 0.3886, 0.0294),
}
inside = st.floats(0.01, 0.99)
switches = st.floats(0.01, 1)
counts = st.integers(1, 8)


# --- the algebra ------------------------------------------------------------------------------------------------------


def test_the_equations_of_the_tutorial_follow_with_a_plus_sign_and_not_with_a_minus():
    gamma, D, C, W0, Q, P, p = sympy.symbols("gamma D C W0 Q P p", positive=True)
    stays, turns = 1 - Q + Q * p, 1 - Q + Q * (1 - p)
    mean = (1 - gamma) * stays + gamma * turns  # A2.2, linear in p
    assert sympy.simplify(mean.subs(p, P) - (1 - Q + Q * ((1 - 2 * gamma) * P + gamma))) == 0  # A2.3
    (rest,) = sympy.solve(sympy.Eq(P, mean.subs(p, P)), P)
    assert sympy.simplify(rest - (1 - Q + Q * gamma) / (1 - Q * (1 - 2 * gamma))) == 0  # A2.4
    imitator = rest * (W0 + D) + (1 - rest) * (W0 - D)
    assert sympy.simplify(imitator - (W0 + D * (2 * rest - 1))) == 0
    (indifferent,) = sympy.solve(sympy.Eq(imitator, W0 + D - C), Q)
    printed = (C / D) / (2 * gamma * (1 - C / D) + C / D)  # A2.5
    assert sympy.simplify(indifferent - printed) == 0
    assert sympy.simplify(rest.subs(Q, indifferent) - (1 - C / (2 * D))) == 0  # whatever gamma and n
    (slip,) = sympy.solve(sympy.Eq(W0 - D * (2 * rest - 1), W0 + D - C), Q)
    assert sympy.simplify(slip - (2 * D - C) / (2 * C * gamma - C - 2 * D * gamma + 2 * D)) == 0
    assert sympy.simplify(slip - printed) != 0
    endless = (1 - Q) / (1 - Q * (1 - gamma))  # p' = 1 - Q + Q p, or 1 - Q
    (theirs,) = sympy.solve(sympy.Eq(endless, 1 - C / (2 * D)), Q)
    h = C / (2 * D)
    assert sympy.simplify(theirs - h / (1 - (1 - h) * (1 - gamma))) == 0


def test_the_spread_follows_from_the_recursion_of_the_square():
    gamma, Q, m = sympy.symbols("gamma Q m", positive=True)
    square = sympy.symbols("square")
    again = (1 - gamma) * ((1 - Q) ** 2 + 2 * (1 - Q) * Q * m + Q**2 * square) + gamma * (
        (1 - Q) ** 2 - 2 * (1 - Q) * Q * m + Q**2 * square
    )
    (found,) = sympy.solve(sympy.Eq(square, again), square)
    expected = ((1 - Q) ** 2 + 2 * (1 - Q) * Q * (1 - 2 * gamma) * m) / (1 - Q**2)
    assert sympy.simplify(found - expected) == 0


@pytest.mark.parametrize(("case", "expected"), TABLE.items())
def test_the_table(case, expected):
    n, gamma, ratio = case
    for gap in (1.0, 2.5):
        m = Imitation(models=n, switch=gamma, gap=gap, cost=ratio * gap, base=4)
        q, best = m.equilibrium().value, m.optimum().value
        at = m.fitness(best)
        assert (q, best, float(at.mean - at.learner) / gap) == pytest.approx(expected, abs=1e-4)
        assert q**n == pytest.approx(ratio / (2 * gamma * (1 - ratio) + ratio), rel=1e-12)
        assert m.fitting(q).value == pytest.approx(1 - ratio / 2, abs=1e-12)


@given(n=counts, gamma=switches, ratio=inside, infinite=st.booleans())
def test_rogers_paradox(n, gamma, ratio, infinite):
    m = Imitation(models=n, switch=gamma, cost=ratio, environment="infinite" if infinite else "two")
    q = m.equilibrium().value
    at = m.fitness(q)
    assert float(at.mean - at.learner) == pytest.approx(0, abs=1e-12)  # nobody gains in the end, whatever n
    between = m.fitness(np.linspace(0, q, 12)[1:-1])
    assert (between.mean > between.learner).all()
    assert (np.diff(m.fitness(np.linspace(0, 1, 30)).imitator) < 0).all()
    assert 0 < m.optimum().value < q
    assert m.fitness(0.0).imitator == pytest.approx(m.base + m.gap)
    if not infinite:
        assert m.fitness(1.0).imitator == pytest.approx(m.base)


@given(n=counts, gamma=st.floats(0.01, 0.45), ratio=st.floats(0.05, 0.9))
def test_comparative_statics(n, gamma, ratio):
    q = lambda **other: Imitation(**({"models": n, "switch": gamma, "cost": ratio} | other)).equilibrium().value  # noqa: E731
    assert q(models=n + 1) > q()
    assert q(cost=ratio + 0.05) > q()
    assert q(switch=gamma + 0.05) < q()


def test_the_best_mixture_is_the_root_of_the_quadratic_for_one_model():
    m = Imitation(switch=0.1, cost=0.3)
    q, s = sympy.symbols("q"), 1 - 2 * sympy.Rational(1, 10)
    gain = q * ((1 - q) / (1 - s * q) - (1 - sympy.Rational(3, 10)))
    roots = [float(r) for r in sympy.solve(sympy.diff(gain, q), q)]
    assert m.optimum().value == pytest.approx(next(r for r in roots if 0 < r < 1), abs=1e-7)


# --- individuals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("q", "n", "gamma"), [(0.5, 1, 0.1), (0.9, 1, 0.1), (0.8, 3, 0.1), (0.9, 5, 0.3)])
def test_individuals_agree_with_the_formula(q, n, gamma):
    m = Imitation(models=n, switch=gamma)
    course = simulate(m, q, 300, 6000, [1, 2])
    mean, error = course.late(burn=0.05)
    assert mean == pytest.approx(m.fitting(q).value, abs=max(0.02, 4 * error))
    assert course.fitting[300:].std() == pytest.approx(m.spread(q), abs=0.03)
    assert course.imitators[0, 0] == pytest.approx(q)


def test_an_environment_that_never_comes_back():
    m = Imitation(switch=0.2, environment="infinite", models=2)
    mean, error = simulate(m, 0.8, 300, 4000, [3]).late()
    assert mean == pytest.approx(m.fitting(0.8).value, abs=max(0.02, 4 * error))
    assert m.fitting(0.8).value == pytest.approx((1 - 0.64) / (1 - 0.64 * 0.8))


@pytest.mark.parametrize("learners", [0, 7, 30])
def test_who_looks_copies_what_the_models_of_the_same_seed_have(learners):
    suits = np.random.default_rng(0).random(30) < 0.5
    seen = models(np.random.default_rng(1), 30, 3)
    here = imitate(np.random.default_rng(1), suits, learners, 3)
    for k in range(30):
        assert here[k] == (k < learners or suits[seen[0, k]] or bool((seen[1:, k] < learners).any()))


def test_without_replacement_a_learner_is_missed_as_the_hypergeometric_says():
    people, learners, n = 12, 3, 4
    rng = np.random.default_rng(0)
    suits = np.arange(people) < learners
    seen = np.mean([imitate(rng, suits, learners, n, replace=False)[learners:].mean() for _ in range(1500)])
    missed = math.prod((people - learners - i) / (people - i) for i in range(n))
    assert seen == pytest.approx(1 - missed, abs=0.015)
    with_ = np.mean([imitate(rng, suits, learners, n)[learners:].mean() for _ in range(1500)])
    assert with_ == pytest.approx(1 - (1 - learners / people) ** n, abs=0.015)


def test_genes_come_to_rest_where_the_formula_says():
    worlds = [Imitation(models=n, switch=g, cost=c) for n, g, c in [(1, 0.1, 0.3), (5, 0.1, 0.3), (1, 0.05, 0.5)]]
    course = evolve(worlds, range(20), 20_000, 0.02, mutation=2e-7)
    found = course.imitators[7000:].reshape(-1, 3, 20).mean((0, 2))
    assert found == pytest.approx([m.equilibrium().value for m in worlds], abs=0.012)
    assert course.flags == ()
    gain = (course.imitators * course.fitting)[7000:]
    assert gain.shape == (13_000, 60)


def test_a_finite_population_stays_about_there_or_is_flagged():
    m = Imitation(switch=0.1, cost=0.3)
    course = evolve([m], [0, 1], 2500, 0.1, mutation=5e-5, people=20_000)
    assert course.flags == ()
    mean, error = course.late("imitators")
    assert mean == pytest.approx(m.equilibrium().value, abs=max(0.02, 4 * error))
    assert [f.split(":")[0] for f in evolve([m], [0], 2, 0.02, mutation=1e-3, people=500).flags] == [
        "mutation_bias",
        "drift",
    ]


def test_what_imitators_gain_by_mutation_is_its_balance_with_selection_and_is_flagged():
    """With few learners at rest mutants who learn are many among them: the gain is m (2q - 1) / (s (1 - q))."""
    m = Imitation(switch=0.01)  # q* = .955
    much = evolve([m], range(20), 6000, 0.005, mutation=1e-5, start=0.95)
    q, p = much.imitators[2000:], much.fitting[2000:]
    gain = (q * (m.cost - 2 * m.gap * (1 - p))).mean()
    assert gain == pytest.approx((1e-5 * (2 * q - 1) / (0.005 * (1 - q))).mean(), rel=0.25)
    assert gain > 0.02
    assert [f.split(":")[0] for f in much.flags] == ["mutation_bias"]
    assert evolve([m], [0], 2, 0.005, mutation=5e-8).flags == ()
    few = m.but(switch=0.1)  # q* = .682: the same mutation is a third of that by its share of learners
    assert evolve([few], [0], 2, 0.02, mutation=1.8e-5).flags == ()
    assert evolve([m], [0], 2, 0.02, mutation=1.8e-5).flags


def plain(model, q, people, generations, seed):
    """The same model one person after another, with another source of chance."""
    rng = np.random.default_rng(seed)
    learners = round((1 - q) * people)
    state, held, out = 0, [0] * people, []
    for _ in range(generations):
        if rng.random() < model.switch:
            state = 1 - state
        before = [state] * learners + held[learners:]
        for i in range(learners, people):
            seen = [int(rng.integers(people)) for _ in range(model.models)]
            held[i] = state if min(seen) < learners else before[seen[int(rng.integers(len(seen)))]]
        out.append(sum(h == state for h in held[learners:]) / (people - learners))
    return np.array(out)


def test_arrays_do_what_one_person_after_another_does():
    m = Imitation(models=2, switch=0.15)
    one, other = (over_time(s) for s in (plain(m, 0.85, 30, 2000, 0), simulate(m, 0.85, 30, 2000, [5]).fitting))
    assert one[0] == pytest.approx(other[0], abs=4 * math.hypot(one[1], other[1]))


def test_a_seed_gives_the_same_whatever_runs_beside_it_and_the_same_changes_for_all_conditions():
    m = Imitation()
    alone = simulate(m, 0.5, 50, 60, [7])
    beside = simulate(m, 0.5, 50, 60, [3, 7])
    assert (alone.fitting[:, 0] == beside.fitting[:, 1]).all()
    assert (changes([7], 0.3, 40) <= changes([7], 0.5, 40)).all()
    genes = evolve([m], [7], 50), evolve([Imitation(models=3), m], [3, 7], 50)
    assert (genes[0].imitators[:, 0] == genes[1].imitators[:, 3]).all()


# --- what is not allowed, and what is degenerate --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_", "word"),
    [
        ({"gap": 0}, "gap"),
        ({"gap": math.nan}, "gap"),
        ({"cost": -0.1}, "cost"),
        ({"cost": math.inf}, "cost"),
        ({"models": 0}, "models"),
        ({"models": True}, "models"),
        ({"switch": 1.1}, "switch"),
        ({"switch": -0.1}, "switch"),
        ({"environment": "tow"}, "two"),
    ],
)
def test_bad_parameters_are_refused_by_name(given_, word):
    with pytest.raises(Refusal, match=word):
        Imitation(**given_)


def test_bad_arguments_are_refused_by_name():
    m = Imitation()
    for call, word in [
        (lambda: m.fitting(1.2), "q is 1.2"),
        (lambda: m.fitness(np.array([0.2, math.nan])), "q has"),
        (lambda: m.spread(1.0), "q is 1"),
        (lambda: Imitation(environment="infinite").spread(0.5), "two"),
        (lambda: Imitation(switch=0).fitness(1.0), "gamma is 0"),
        (lambda: simulate(m, 0.5, 0, 5, [0]), "people"),
        (lambda: whole(2.5, "generations"), "generations is 2.5; a whole number of at least 1"),
        (lambda: checked(1.5, options(Imitation)["models"], "imitation.models"), "imitation.models is 1.5"),
        (lambda: simulate(m, 0.0, 10, 5, [0]), "no imitator"),
        (lambda: simulate(m, 0.5, 10, 5, []), "seed"),
        (lambda: simulate(m, 0.5, 10, 5, [-1]), "seed"),
        (lambda: evolve([], [0], 5), "world"),
        (lambda: evolve([m], [0], 5, strength=0.0), "strength"),
        (lambda: evolve([m], [0], 5, mutation=2.0), "mutation"),
        (lambda: evolve([m], [0], 5, strength=9.0), "weaker selection"),
        (lambda: models(np.random.default_rng(0), 3, 4, replace=False), "at most 3"),
        (lambda: over_time(np.ones(5)), "batches"),
    ]:
        with pytest.raises(Refusal, match=word):
            call()


def test_degenerate_cases_are_flagged():
    dear = Imitation(cost=1.5)
    assert dear.equilibrium() == dear.optimum().__class__(1.0, (FIXES,))
    assert Imitation(cost=1.0).equilibrium().value == 1
    assert Imitation(cost=1.0).equilibrium().flags == ()
    assert Imitation(cost=0).equilibrium() == Imitation(cost=0).optimum()
    assert Imitation(cost=0).equilibrium().value == 0
    still = Imitation(switch=0)
    assert still.equilibrium().value == 1
    assert still.equilibrium().flags
    assert still.fitting(1.0, start=0.2).value == 0.2
    assert "degenerate" in still.fitting(1.0).flags[0]
    assert still.fitting(0.9) == still.fitting(0.9, start=0.1)
    assert still.fitting(0.9).value == 1
    assert simulate(Imitation(), 1.0, 20, 10, [0]).flags == (NO_LEARNER,)
    assert Imitation(environment="infinite", cost=2.5).equilibrium().flags == (FIXES,)
    assert Imitation(environment="infinite", cost=1.5).equilibrium().value < 1
    assert Imitation(switch=1.0).fitting(0.5).value == pytest.approx(1 / 1.5)  # alternating is a valid world


# --- the engine ------------------------------------------------------------------------------------------------------


def test_models_without_replacement_differ_and_the_first_is_a_fair_choice():
    rng = np.random.default_rng(1)
    seen = models(rng, 6, 3, replace=False)
    assert seen.shape == (3, 6)
    many = np.concatenate([models(rng, 6, 3, replace=False) for _ in range(4000)], 1)
    assert all(len(set(column)) == 3 for column in many.T)
    for row in many:
        assert np.bincount(row, minlength=6) / many.shape[1] == pytest.approx([1 / 6] * 6, abs=0.01)
    every = models(rng, 4, 4, replace=False)
    assert (np.sort(every, 0) == np.arange(4)[:, None]).all()


@given(st.lists(st.tuples(st.floats(0.01, 1), st.floats(0.01, 3)), min_size=2, max_size=5), st.floats(0, 0.5))
def test_selection_is_the_replicator_equation(pairs, mutation):
    x, w = np.array(pairs).T
    x = x / x.sum()
    after = select(x, w, mutation)
    K, plain_ = len(x), []
    kept = [x[i] * w[i] / sum(x * w) for i in range(K)]
    for i in range(K):
        plain_.append((1 - mutation) * kept[i] + sum(mutation * kept[j] / (K - 1) for j in range(K) if j != i))
    assert after == pytest.approx(plain_)
    assert after.sum() == pytest.approx(1)


def test_resampling_is_multinomial():
    rngs = streams(range(400), 1)
    drawn = resample(rngs, np.tile([0.2, 0.8], (400, 1)), 50)
    assert drawn.sum(1) == pytest.approx(np.ones(400))
    assert drawn[:, 0].mean() == pytest.approx(0.2, abs=4 * math.sqrt(0.16 / 50 / 400))
    assert drawn[:, 0].var() == pytest.approx(0.16 / 50, rel=0.25)
    assert resample([], np.ones((1, 2)), None).tolist() == [[1, 1]]


def test_a_key_is_a_seed():
    import jax

    assert seed_of(jax.random.key(3)) == seed_of(jax.random.key(3)) != seed_of(jax.random.key(4))


def test_batch_means_see_through_the_memory_of_a_series():
    rng = np.random.default_rng(0)
    x, noise = np.zeros((4000, 30)), rng.normal(size=(4000, 30))
    for t in range(1, 4000):
        x[t] = 0.9 * x[t - 1] + noise[t]
    true = 1 / (1 - 0.9) / math.sqrt(4000)  # of the mean of an AR(1) with unit noise
    errors = [over_time(column)[1] for column in x.T]
    assert np.mean(errors) == pytest.approx(true, rel=0.15)
    mean, error = over_time(x)
    assert mean == pytest.approx(x.mean())
    assert error == pytest.approx(true / math.sqrt(30), rel=0.15)
