"""Economies, their equilibria, and a verifier that knows no solver."""

from __future__ import annotations

import ast
import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nomoi.markets
from nomoi.errors import Refusal
from nomoi.markets import closed, economies, tatonnement
from nomoi.markets.assumptions import existence
from nomoi.markets.complementarity import search
from nomoi.markets.economy import Consumer, Economy, Producer
from nomoi.markets.equilibria import _Kept
from nomoi.markets.nest import nest
from nomoi.markets.quasilinear import QuasiLinear
from nomoi.markets.reading import economy, read
from nomoi.markets.technologies import Activities, Smooth
from nomoi.markets.utilities import Ces, Concave, Leontief, StoneGeary
from nomoi.markets.verify import rates, verify
from nomoi.markets.welfare import curve

HOME = Path(nomoi.markets.__file__).parent


def exchange(*rows, goods="abcdefghij"):
    """An exchange economy of (utility, endowment)."""
    L = len(rows[0][1])
    return economy({"goods": list(goods[:L]), "consumers": [{"utility": u, "endowment": list(e)} for u, e in rows]})


@lru_cache
def solved(name):
    """Equilibria; of the large model with production the one that a single start leads to."""
    e = economies.named(name)
    if name != "scarf_hansen":
        return e.equilibria()
    kept = _Kept(e)
    kept.add(next(p for p in search(e, seed=3) if p is not None))
    return kept.found


@pytest.fixture
def few(monkeypatch):
    """Indices are looked at after two starts instead of a dozen."""
    monkeypatch.setattr("nomoi.markets.equilibria.BATCH", 1)


def random_cobb_douglas(seed, most=8):
    rng = np.random.default_rng(seed)
    n, L = rng.integers(2, most, 2)
    return exchange(*(({"family": "cobb_douglas", "shares": rng.random(L).tolist()}, rng.random(L)) for _ in range(n)))


def ces(numbers, **more):
    return {"family": "ces"} | more | {more.get("convention", "weights"): numbers}


def test_the_verifier_and_what_it_reads_import_no_solver():
    solvers = {"equilibria", "clearing", "closed", "complementarity", "scan", "programs", "tatonnement", "welfare"}
    for name in ("verify", "economy", "utilities", "quasilinear", "technologies", "nest"):
        for node in ast.parse((HOME / f"{name}.py").read_text()).body:  # as the file is loaded
            if isinstance(node, ast.ImportFrom):
                assert str(node.module).split(".")[-1] not in solvers
                assert not solvers & {a.name for a in node.names} or node.module != "nomoi.markets"
    text = (HOME / "verify.py").read_text()
    assert not any(
        f".{word}(" in text for word in ("demand", "demands", "excess", "supply", "incomes", "bundle", "cost")
    )


# --- cases of the literature ----------------------------------------------------------------------------------------


def test_three_equilibria_in_one_box():
    found = solved("three_equilibria")
    assert [e.prices[0] / e.prices[1] for e in found] == pytest.approx([0.5, 1, 2], abs=1e-9)
    assert [e.index for e in found] == [1, -1, 1]
    assert all(e.certificate.holds and e.certificate.proved for e in found)


@pytest.mark.parametrize("method", ["complementarity", "newton"])
@pytest.mark.usefixtures("few")
def test_scarfs_prices_are_found_by_every_solver_that_takes_them(method):
    found = economies.named("scarf").equilibria(method)
    assert (len(found), len(found.tried)) == (1, 1)
    np.testing.assert_allclose(found[0].prices, 1 / 3, atol=1e-9)


def test_scarfs_prices_are_not_found_by_tatonnement():
    scarf = economies.named("scarf")
    path = tatonnement.flow(scarf, np.array([1.2, 0.9, 0.9]), np.linspace(0, 200, 2001))
    np.testing.assert_allclose((path**2).sum(1), 3.06, atol=1e-6)
    np.testing.assert_allclose(path.prod(1), 0.972, atol=1e-6)
    assert np.ptp(path[1000:], axis=0) == pytest.approx(0.393, abs=2e-3)
    stepped = tatonnement.steps(scarf, np.array([1.2, 0.9, 0.9]), 0.05, 400)
    assert np.abs(stepped[-100:] / stepped[-100:].sum(1, keepdims=True) - 1 / 3).max() > 0.03
    calm = tatonnement.steps(economies.named("edgeworth"), np.array([0.9, 0.1]), 0.5, 300, factor=True)
    np.testing.assert_allclose(calm[-1] / calm[-1].sum(), [0.4, 0.6], atol=1e-9)


def test_kehoes_three_equilibria_with_production():
    found = solved("kehoe")
    prices = [[0.15942, 0.25, 0.03865, 0.55193], [0.25] * 4, [0.27514, 0.25, 0.30865, 0.16621]]
    levels = [[4.2701, 8.1198], [5.2, 6.9], [5.3180, 6.5148]]
    assert len(found) == 3
    for e, p, y, sign in zip(found, prices, levels, (1, -1, 1), strict=True):
        np.testing.assert_allclose(e.prices, p, atol=1e-5)
        np.testing.assert_allclose(e.levels, y, atol=1e-4)
        assert e.index == sign
        assert e.certificate.gain < 1e-9
    assert "sum to 1" in found.promise
    assert not found.proved


def test_scarf_and_hansens_model_from_eight_starts():
    model = economies.named("scarf_hansen")
    p = [0.22032, 0.10608, 0.20658, 0.25107, 0.16102, 0.05494]
    found = [q for q in search(model, seed=3, starts=8) if q is not None]
    assert len(found) == 8
    np.testing.assert_allclose(found, np.tile(p, (8, 1)), atol=1e-5)
    e = solved("scarf_hansen")[0]
    np.testing.assert_allclose(e.levels, [0.46349, 0, 3.93920, 0.00602, 0, 0, 0.43826, 0], atol=1e-5)
    assert e.index == 1


def test_random_cobb_douglas_economies_by_three_solvers():
    for seed in range(10):
        e = random_cobb_douglas(seed)
        first, *others = (e.equilibria(m)[0].prices for m in ("perron", "negishi", "newton"))
        for p in others:
            np.testing.assert_allclose(p, first, atol=1e-9)
        found = e.equilibria()
        assert found.proved
        wrong = first.copy()
        wrong[seed % e.l] *= 1.001
        assert not verify(e, wrong, found[0].allocation).holds


def test_a_fisher_market_by_program_and_by_bids():
    fisher = economies.named("fisher")
    e = fisher.equilibria("eisenberg_gale")[0]
    np.testing.assert_allclose(e.prices, [1 / 2, 0.3, 0.2], atol=1e-9)  # 4:2:1 and 1:3:2 and 2:1:5, by hand below
    np.testing.assert_allclose(closed.response(fisher, 5000), e.prices, atol=1e-4)
    assert e.certificate.holds


def test_linear_exchange_is_exact():
    rng = np.random.default_rng(5)
    for _ in range(3):
        n, L = rng.integers(2, 6), rng.integers(3, 6)
        e = exchange(*(({"family": "linear", "worth": rng.random(L).tolist()}, rng.random(L)) for _ in range(n)))
        one, other = e.equilibria("linear_exchange"), e.equilibria("complementarity")
        assert one[0].certificate.gain < 1e-9
        np.testing.assert_allclose(one[0].utilities, other[0].utilities, rtol=1e-8)


# --- corners, free goods, roots on the grid, conventions
# ---------------------------------------------------------------


@pytest.mark.parametrize("much", [[0, 3], [3, 0]])
def test_either_good_may_be_free(much):
    pair = {"family": "leontief", "needs": [1, 1]}
    found = exchange((pair, [1, 1]), (pair, much)).equilibria()
    assert [list(e.prices) for e in found] == [[float(not m) for m in much]]


def test_what_is_had_too_much_of_is_free():
    e = economies.named("free_good").equilibria()
    assert [list(x.prices) for x in e] == [[1.0, 0.0]]
    assert e[0].certificate.holds


def test_a_good_that_nobody_wants_is_free():
    rows = [
        ({"family": "cobb_douglas", "shares": [1, 2, 0]}, [1, 0, 5]),
        ({"family": "cobb_douglas", "shares": [2, 1, 0]}, [0, 1, 1]),
    ]
    e = exchange(*rows).equilibria()
    assert len(e) == 1
    np.testing.assert_allclose(e[0].prices, [0.5, 0.5, 0], atol=1e-9)


def test_no_equilibrium_is_said_to_be_none():
    found = economies.named("exceptional").equilibria()
    assert len(found) == 0
    assert "not known to be irreducible" in found.promise


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_units_and_size_change_nothing(scale):
    """Of a good (its price falls as its unit shrinks), of a consumer, of a worth, of what a process is counted in."""
    half = {"family": "cobb_douglas", "shares": [1, 1]}
    e = exchange((half | {"shares": [1, 3]}, [scale, 0]), (half, [0, 1]))
    assert e.equilibria("scan")[0].prices[0] * scale / e.equilibria()[0].prices[1] == pytest.approx(2 / 3)
    few = [(ces([1024, 1], rho=-4), [12 * scale, scale]), (ces([1, 1024], rho=-4), [scale, 12 * scale])]
    np.testing.assert_allclose([x.prices for x in exchange(*few).equilibria()],
                               [x.prices for x in solved("kehoe_exchange")], rtol=1e-8)  # fmt: skip
    twins = exchange((half, [3 * scale, 0]), (half, [0, 1]), (half, [0, 1]))
    assert twins.equilibria()[0].prices[0] / twins.equilibria()[0].prices[1] == pytest.approx(2 / (3 * scale))
    mill = {"goods": ["l", "c"], "consumers": [{"utility": half, "endowment": [scale, 0]}],
            "producers": [{"technology": {"family": "activities", "processes": [[-1, 2]]}}]}  # fmt: skip
    made = economy(mill).equilibria()[0]
    np.testing.assert_allclose(made.prices, [2 / 3, 1 / 3])
    np.testing.assert_allclose(made.levels, scale / 2, rtol=1e-8)


def test_what_is_plentiful_and_replaces_nothing_is_nearly_free():
    """p_a / p_b = 1024 (b / a)^5 for who has both: far beyond the usual prices, and above 0."""
    found = exchange((ces([1024, 1], rho=-4), [12e6, 1]), (ces([1, 1024], rho=-4), [1, 12])).equilibria()
    assert len(found) == 1
    a, b = found[0].allocation[0]
    assert found[0].prices[0] / found[0].prices[1] == pytest.approx(1024 * (b / a) ** 5)
    assert 0 < found[0].prices[0] < 1e-20


def test_identical_consumers_do_not_trade():
    for utility in (ces([1, 3], sigma=0.5), {"family": "linear", "worth": [1, 2]}):
        found = exchange((utility, [1, 2]), (utility, [1, 2])).equilibria()
        assert len(found) == 1
        np.testing.assert_allclose(found[0].allocation.sum(0), [2, 4])
        np.testing.assert_allclose(found[0].utilities[0], found[0].utilities[1])


@pytest.mark.parametrize("at", ["a point of the grid", 0.003, -0.003])
def test_a_root_on_a_point_of_the_real_grid_and_about_the_middle_is_found_once(at):
    from nomoi.markets.scan import POINTS, WIDE

    at = np.linspace(-WIDE, WIDE, POINTS)[1100] + 1e-3 * np.sqrt(2) if isinstance(at, str) else at
    k = 0.1 * float(np.exp(at))
    rows = [({"family": "cobb_douglas", "shares": s}, own) for s, own in (([0.9, 0.1], [1, 0]), ([k, 1 - k], [0, 1]))]
    found = exchange(*rows).equilibria("scan")
    assert [float(np.log(e.prices[0] / e.prices[1])) for e in found] == pytest.approx([at])


@pytest.mark.parametrize("shift", [0.0, 0.02, 1e-9])
def test_roots_on_a_point_of_the_grid_and_touching_ones_are_found(shift):
    from nomoi.markets.scan import _roots

    grid = np.linspace(-2, 2, 201)
    size = np.ones(201)
    f = lambda t: (t - shift) * (t - 1) * (t + 1)  # noqa: E731
    assert _roots(f, grid, f(grid), size) == pytest.approx([-1, shift, 1], abs=1e-9)
    twice = lambda t: (t - 0.503) * (t - 0.507)  # noqa: E731
    assert _roots(twice, grid, twice(grid), size) == pytest.approx([0.503, 0.507], abs=1e-9)
    touch = lambda t: (t - 0.505) ** 2  # noqa: E731
    assert _roots(touch, grid, touch(grid), size) == pytest.approx([0.505], abs=1e-5)


@pytest.mark.parametrize("sigma", [0.3, 0.8, 1.0, 1.0000001, 2.5, 40.0])
def test_two_conventions_of_ces(sigma):
    """Demand of weights a goes with a^sigma, of shares with s: at prices 1 the bundles are theirs."""
    by = {c: nest(2, [1.0, 3.0], "it", sigma, convention=c) for c in ("weights", "shares")}
    bought = {c: Ces(2, n).demand(np.ones(2), np.ones(())) for c, n in by.items()}
    assert bought["shares"][1] / bought["shares"][0] == pytest.approx(3)
    assert bought["weights"][1] / bought["weights"][0] == pytest.approx(3**sigma, rel=1e-6)
    for n in by.values():
        p = np.array([0.7, 1.9])
        bundle = n.bundle(p)
        assert float(n.value(bundle)) == pytest.approx(1)
        assert float(p @ bundle) == pytest.approx(float(n.cost(p)))
    rho = nest(2, [1.0, 3.0], "it", None, 1 - 1 / sigma)
    assert rho.sigma == pytest.approx(sigma)


def test_ces_with_low_elasticities_has_three_equilibria_all_found():
    """Two mirror images: p = 1/2 is an equilibrium, and the others are each other's mirror."""
    found = solved("kehoe_exchange")
    assert [e.prices[0] for e in found] == pytest.approx([0.11292, 0.5, 0.88708], abs=1e-5)
    assert [e.index for e in found] == [1, -1, 1]
    assert all(e.certificate.gain < 1e-9 for e in found)
    also = economies.named("kehoe_exchange").equilibria("complementarity")
    np.testing.assert_allclose([e.prices for e in also], [e.prices for e in found], atol=1e-9)


UTILITIES = [
    {"family": "cobb_douglas", "shares": [1, 2, 3]},
    ces([1, 2, 3], sigma=0.5),
    ces([1, 2, 3], sigma=3, convention="shares"),
    {"family": "leontief", "needs": [1, 2, 3]},
    {"family": "stone_geary", "shares": [1, 1, 1], "least": [0.1, 0, 0.05]},
    {"family": "quasi_linear", "money": "a", "worth": [1, 2, 1], "power": 0.5},
    {"family": "quasi_linear", "money": "c", "worth": [3, 2, 0], "bend": [1, 2, 0]},
    {
        "family": "nested_ces",
        "sigma": 0.7,
        "weights": [1, 2],
        "parts": ["a", {"sigma": 2, "shares": [1, 1], "parts": ["b", "c"]}],
    },
]


@given(st.integers(0, 10_000))
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("few")
def test_any_mix_of_families_has_a_certified_equilibrium(seed):
    rng = np.random.default_rng(seed)
    chosen = [UTILITIES[k] for k in rng.integers(0, len(UTILITIES), 3)]
    e = exchange(*((u, 0.2 + rng.random(3)) for u in chosen))
    found = e.equilibria(seed=seed)
    assert len(found) >= 1
    assert all(x.certificate.holds for x in found)
    assert sum(x.index or 0 for x in found) == 1 or any(x.index in (0, None) for x in found)


@pytest.mark.parametrize("data", UTILITIES, ids=lambda d: d["family"])
def test_demand_is_the_best_bundle_and_gradients_are_slopes(data):
    e = exchange((data, [1, 1, 1]), ({"family": "cobb_douglas", "shares": [1, 1, 1]}, [1, 1, 1]))
    u, rng = e.consumers[0].utility, np.random.default_rng(1)
    p, m = np.array([0.3, 0.5, 0.2]), 1.7
    best = u.demand(p, np.array(m))
    assert float(p @ best) == pytest.approx(m)
    others = u.least + rng.dirichlet(np.ones(3), 500) * (m - p @ u.least) / p
    assert float(u.value(best)) >= u.value(others).max() - 1e-12
    x = np.array([0.9, 0.7, 0.8])
    slope = u.gradient(x)
    step = np.array([(float(u.value(x + d)) - float(u.value(x - d))) for d in 1e-6 * np.eye(3)])
    if data["family"] != "leontief":
        np.testing.assert_allclose(slope / slope.sum(), step / step.sum(), atol=1e-6)
    many = u.demand(np.stack([p, 2 * p]), np.array([m, 2 * m]))
    np.testing.assert_allclose(many, np.stack([best, best]), rtol=1e-9)


def test_poor_buyers_of_a_quasi_linear_kind_have_no_money_left():
    u = QuasiLinear(2, 0, np.array([0.0, 1.0]), np.zeros(2), np.zeros(2))  # x_0 + log x_1
    np.testing.assert_allclose(u.demand(np.ones(2), np.array(0.4)), [0, 0.4], atol=1e-12)
    np.testing.assert_allclose(u.demand(np.ones(2), np.array(3.0)), [2, 1], atol=1e-12)


@pytest.mark.usefixtures("few")
def test_any_concave_function_will_do():
    f = Concave(2, lambda x: float(np.log(x[0] + 1e-12) + 2 * np.sqrt(x[1])))
    e = Economy(("a", "b"), (Consumer("A", f, np.array([1.0, 0.5])), Consumer("B", f, np.array([0.5, 2.0]))))
    found = e.equilibria("complementarity")
    assert len(found) == 1
    assert not found[0].certificate.proved  # that it is concave is only said
    assert e.assumptions()[6].status == "sampled"


def test_decreasing_returns_pay_profits_to_who_has_shares():
    """max sqrt(L) w + ...: corn sqrt(labour), half of a Cobb-Douglas on each: leisure 2/3 by hand."""
    e = economies.named("robinson").equilibria()[0]
    np.testing.assert_allclose(e.allocation[0], [2 / 3, np.sqrt(1 / 3)], rtol=1e-9)
    assert e.certificate.holds


@pytest.mark.usefixtures("few")
def test_smooth_firms_with_constant_returns():
    data = {
        "goods": ["labour", "land", "bread"],
        "consumers": [
            {"utility": {"family": "cobb_douglas", "shares": [1, 0, 2]}, "endowment": [1, 0, 0]},
            {"utility": {"family": "cobb_douglas", "shares": [0, 0, 1]}, "endowment": [0, 1, 0]},
        ],
        "producers": [{"technology": {"family": "ces", "sigma": 0.5, "shares": [1, 1, 0], "output": "bread"}}],
    }
    found = economy(data).equilibria()
    assert len(found) == 1
    assert found[0].certificate.holds
    assert found[0].production[0][2] > 0
    wrong = found[0].production * np.array([1, 1, 1.01])
    assert not verify(economy(data), found[0].prices, found[0].allocation, wrong).holds


# --- wrong answers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["edgeworth", "three_equilibria", "kehoe", "scarf_hansen", "robinson", "fisher", "scarf"]
)
def test_each_kind_of_wrong_answer_fails(name):
    e = economies.named(name)
    found = solved(name)[0]
    p, x, y = found.prices, found.allocation, found.production
    right = verify(e, p * 7, x, y)  # prices count up to a factor, which is told
    assert right.holds
    assert right.scale == pytest.approx(7)
    assert right.point[0].sum() == pytest.approx(1)
    twisted = p * (1 + 1e-3 * np.arange(e.l))
    swapped = x[::-1] if not np.allclose(x, x[::-1]) else x * [[1.01]] * np.linspace(1, 1.01, e.l)
    idle = x.copy()
    idle[0] *= 0.99
    wrong = {
        "price": (twisted, x, y),
        "sign": (-p, x, y),
        "one sign": (p * np.r_[-1, np.ones(e.l - 1)], x, y),
        "allocation": (p, swapped, y),
        "scale": (p, x * 1.001, y),
        "waste": (p, idle, y),
        "number": (p * np.nan, x, y),
    }
    if e.producers:
        wrong |= {"production": (p, x, y * 1.001), "made of nothing": (p, x, np.maximum(y, 0)), "idle": (p, x, 0 * y)}
    for kind, point in wrong.items():
        assert not verify(e, *point).holds, kind


def test_netputs_that_cannot_be_made_fail():
    """Prices and budgets agree, but the process makes 2 of 1 and the netput says 3."""
    mill = Activities(2, np.array([[-1.0], [2.0]]))
    u = Leontief(2, np.array([0.0, 1.0]))
    e = Economy(("grain", "bread"), (Consumer("A", u, np.array([1.0, 0.0]), np.ones(1)),), (Producer("mill", mill),))
    assert verify(e, np.array([2 / 3, 1 / 3]), np.array([[0.0, 2.0]]), np.array([[-1.0, 2.0]])).holds
    out = verify(e, np.array([3 / 4, 1 / 4]), np.array([[0.0, 3.0]]), np.array([[-1.0, 3.0]]))
    assert out.parts["production set"] == pytest.approx(0.2)
    assert not out.holds


def test_a_price_below_0_fails_where_all_else_is_right():
    """Nobody wants ash, and its owner keeps it: at a price of -0.1 all budgets and markets are still in order."""
    kinds = (
        ({"family": "cobb_douglas", "shares": [1, 1, 0]}, [1, 0, 1]),
        ({"family": "cobb_douglas", "shares": [1, 1, 0]}, [0, 1, 0]),
    )
    e = exchange(*kinds)
    x = np.array([[0.5, 0.5, 1.0], [0.5, 0.5, 0.0]])
    assert verify(e, np.array([0.5, 0.5, 0.0]), x).holds
    out = verify(e, np.array([0.5, 0.5, -0.1]), x)
    assert not out.holds
    assert out.parts["prices"] > 0.01
    less = verify(e, np.array([0.5, 0.5, 0.0]), np.array([[0.5, 0.5, 2.0], [0.5, 0.5, -1.0]]))  # one has less than none
    assert not less.holds
    assert less.parts["consumption set"] == less.gain


def test_a_firm_that_stands_still_though_it_could_earn_fails():
    f = Smooth(2, 1, nest(2, [1.0, 0.0], "f", 1.0), 2.0)  # 2 bread of 1 grain
    u = nest(2, [1.0, 1.0], "u")
    e = Economy(("grain", "bread"), (Consumer("A", Ces(2, u), np.array([1.0, 1.0]), np.ones(1)),), (Producer("f", f),))
    assert not verify(e, np.array([0.5, 0.5]), np.ones((1, 2)), np.zeros((1, 2))).holds
    found = e.equilibria()[0]
    np.testing.assert_allclose(found.prices, [2 / 3, 1 / 3], atol=1e-9)
    assert found.certificate.holds


def test_rates_of_substitution_are_the_price_ratios():
    e = economies.named("edgeworth").equilibria()[0]
    table = rates(e.certificate and economies.named("edgeworth"), e.prices, e.allocation)
    assert [(who, good) for who, good, _, _ in table] == [("Ann", "wine"), ("Bob", "wine")]
    assert all(rate == pytest.approx(price) for *_, rate, price in table)


# --- assumptions ----------------------------------------------------------------------------------------------------


def status(e):
    return {f.name: f.status for f in e.assumptions()}


def test_textbook_examples_violate_what_suffices_and_have_equilibria_all_the_same():
    for name in ("edgeworth", "scarf", "kehoe"):
        assert status(economies.named(name))["IV.a"] == "refuted"
    assert status(economies.named("edgeworth"))["irreducible"] == "proved"
    assert status(economies.named("exceptional"))["irreducible"] == "refuted"
    assert "an equilibrium exists" in existence(economies.named("three_equilibria").assumptions())


def made(*processes):
    return economy(
        {
            "goods": ["a", "b"],
            "consumers": [{"utility": {"family": "cobb_douglas", "shares": [1, 1]}, "endowment": [1, 1]}],
            "producers": [{"technology": {"family": "activities", "processes": list(processes)}}],
        }
    )


def test_cockaigne_and_undoing_are_found_by_linear_programs():
    assert status(made([-1, 1], [2, -1]))["I.b"] == "refuted"  # one a becomes two
    assert status(made([-1, 1], [1, -1])) | {"I.b": "proved", "I.c": "refuted"} == status(made([-1, 1], [1, -1]))
    assert {status(made([-1, 1], [0.5, -1]))[k] for k in ("I.b", "I.c")} == {"proved"}
    idle = Economy(("a", "b"), made([-1, 1]).consumers, (Producer("idle", Activities(2, np.zeros((2, 1)))),))
    assert {status(idle)[k] for k in ("I.b", "I.c")} == {"proved"}


def test_returns_bliss_and_love_of_extremes_are_refuted_and_named_by_solvers():
    base = {
        "goods": ["a", "b"],
        "consumers": [{"utility": {"family": "cobb_douglas", "shares": [1, 1]}, "endowment": [1, 1], "shares": [1]}],
    }
    more = base | {
        "producers": [{"technology": {"family": "cobb_douglas", "output": "b", "shares": [1, 0], "returns": 1.5}}]
    }
    fixed = base | {
        "producers": [{"technology": {"family": "fixed_cost", "output": "b", "input": "a", "fixed": 1, "marginal": 1}}]
    }
    for data in (more, fixed):
        assert status(economy(data))["I.a"] == "refuted"
        with pytest.raises(Refusal, match=r"I\.a"):
            economy(data).equilibria()
    full = exchange(({"family": "bliss", "best": [1, 1]}, [2, 2]), ({"family": "linear", "worth": [1, 1]}, [1, 1]))
    assert status(full)["III.b"] == "refuted"
    with pytest.raises(Refusal, match=r"III\.b"):
        full.equilibria()
    extreme = exchange((ces([1, 1], rho=2), [1, 1]), ({"family": "linear", "worth": [1, 1]}, [1, 1]))
    assert status(extreme)["III.c"] == "refuted"
    with pytest.raises(Refusal, match=r"III\.c"):
        extreme.equilibria()
    assert not verify(extreme, np.array([0.5, 0.5]), np.ones((2, 2))).holds  # who loves extremes would not stay
    assert verify(extreme, np.array([0.5, 0.5]), np.array([[2.0, 0], [0, 2]])).holds


# --- bad input ------------------------------------------------------------------------------------------------------

GOOD = {
    "goods": ["wine", "bread"],
    "consumers": [
        {
            "name": "Ann",
            "utility": {"family": "cobb_douglas", "shares": [1, 3]},
            "endowment": {"wine": 1},
            "shares": {"mill": 1},
        },
        {"name": "Bob", "utility": {"family": "ces", "sigma": 0.5, "weights": [1, 1]}, "endowment": [0, 1]},
    ],
    "producers": [{"name": "mill", "technology": {"family": "activities", "processes": [{"wine": -1, "bread": 0.5}]}}],
}


def spoilt(place, value):
    data = json.loads(json.dumps(GOOD))
    *way, last = place
    inner = data
    for step in way:
        inner = inner[step]
    inner[last] = value
    return data


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("consumers", 0, "endowment"), [-1, 0], "negative (assumption IV)"),
        (("consumers", 0, "shares"), {"mill": 0.7}, "sum to 0.7, and must sum to 1 (assumption IV.b)"),
        (("consumers", 1, "endowment"), [0, float("nan")], "a finite number would be right"),
        (("goods",), ["wine", "bread", "salt"], "2 numbers for 3 goods"),
        (("consumers", 0, "endowment"), {"whine": 1}, "did you mean 'wine'?"),
        (("consumers", 0, "utility", "family"), "cob_douglas", "did you mean 'cobb_douglas'?"),
        (("consumers", 0, "utility", "shares"), [0, 0], "not all 0"),
        (("consumers", 0, "utility", "sharse"), [1, 1], "which means nothing there"),
        (("consumers", 1, "utility", "rho"), 0.5, "either sigma"),
        (("consumers", 1, "utility", "sigma"), 0, "0 is leontief"),
        (("consumers", 1, "utility", "convention"), "mine", "weights"),
        (("producers", 0, "technology", "processes"), [], "has no process"),
        (("producers", 0, "technology", "processes"), [[0, 0]], "neither uses nor makes anything"),
        (("producers", 0, "technology"), {"family": "leontief", "output": "wine", "needs": [1, 0]}, "neither uses nor"),
        (("consumers",), [], "one consumer are the least"),
        (("consumers", 1, "name"), "Ann", "two consumers called 'Ann'"),
        (("goods",), ["wine", "wine"], "gives 'wine' twice"),
        (("consumers",), "Ann", "a list would be right"),
    ],
)
def test_bad_economies_are_refused_in_a_sentence(place, value, said):
    with pytest.raises(Refusal) as refusal:
        economy(spoilt(place, value))
    assert said in str(refusal.value)


def test_a_good_that_nobody_owns_or_makes_is_refused():
    with pytest.raises(Refusal, match=r"nobody owns or makes b .*IV\.a"):
        exchange(({"family": "linear", "worth": [1, 1]}, [1, 0]))
    with pytest.raises(Refusal, match="least that consumers can live with"):
        exchange(({"family": "stone_geary", "shares": [1, 1], "least": [2, 0]}, [1, 1]))


@pytest.mark.parametrize(
    ("method", "name", "said"),
    [
        ("perron", "scarf", "not Cobb-Douglas"),
        ("scan", "scarf", "takes two goods"),
        ("newton", "kehoe", "exchange with smooth"),
        ("eisenberg_gale", "edgeworth", "no Fisher market"),
        ("linear_exchange", "edgeworth", "linear utilities alone"),
        ("scna", "scarf", "did you mean 'scan'?"),
        ("perron", "kehoe", "has producers"),
    ],
)
def test_a_method_that_does_not_solve_such_an_economy_says_so(method, name, said):
    with pytest.raises(Refusal) as refusal:
        economies.named(name).equilibria(method)
    assert said in str(refusal.value)


# --- files and the command ------------------------------------------------------------------------------------------


def test_files_of_three_kinds_say_the_same(tmp_path):
    import yaml

    (tmp_path / "a.json").write_text(json.dumps(GOOD))
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(GOOD))
    (tmp_path / "a.toml").write_text("""
goods = ["wine", "bread"]
[[consumers]]
name = "Ann"
utility = {family = "cobb_douglas", shares = [1, 3]}
endowment = {wine = 1}
shares = {mill = 1}
[[consumers]]
name = "Bob"
utility = {family = "ces", sigma = 0.5, weights = [1, 1]}
endowment = [0, 1]
[[producers]]
name = "mill"
technology = {family = "activities", processes = [{wine = -1, bread = 0.5}]}
""")
    prices = [read(tmp_path / f"a.{end}").equilibria()[0].prices for end in ("json", "yaml", "toml")]
    np.testing.assert_array_equal(prices[0], prices[1])
    np.testing.assert_array_equal(prices[0], prices[2])


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("x.yaml", "goods: [a\n", "cannot be read"),
        ("x.yaml", "a: 1\na: 2\n", "gives 'a' twice"),
        ("x.json", "[1]", "is no table"),
        ("x.yaml", "a: &x [1]\nb: *x\n", "alias"),
        ("x.yaml", "!!python/object/apply:os.system ['true']", "cannot be read"),
        ("x.txt", "", "must end in .yaml"),
        ("x.toml", "a = ", "cannot be read"),
        ("x.json", "{}", "has no 'goods'"),
        ("x.json", '{"goods": ' + "[" * 9000 + "]" * 9000 + "}", "x.json is nested more than 100 times; take it apart"),
        ("x.json", '{"goods": ' + "[" * 100 + "]" * 100 + "}", "nested more than 100 times"),
        ("x.json", '{"goods": ' + "[" * 99 + "]" * 99 + "}", "good 1 is called [["),
        ("x.yaml", "goods: " + "[" * 9000 + "]" * 9000, "nested more than 100 times"),
        ("x.toml", "goods = " + "[" * 9000 + "]" * 9000, "nested more than 100 times"),
        ("x.toml", "goods" + ".a" * 100 + " = 1", "nested more than 100 times"),
        ("x.json", '{"goods": ' + "9" * 5000 + "}", "a number has thousands of digits"),
    ],
    ids=range(15),
)
def test_files_that_are_no_economies_are_refused(nomoi, tmp_path, name, text, said):
    Path(name).write_text(text)
    status_, out, err = nomoi("market", f"./{name}")
    assert (status_, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1


def test_the_command_tells_all_as_text_json_and_picture(nomoi, monkeypatch):
    monkeypatch.setattr("nomoi.report.edgeworth.curve", lambda e: curve(e, 9))
    status_, out, _ = nomoi("market", "edgeworth", "--picture", "box.svg")
    assert status_ == 0
    assert "0.40000" in out
    assert "0.60000" in out
    assert "Pareto optima" in Path("box.svg").read_text()
    status_, out, _ = nomoi("market", "three_equilibria", "--json")
    told = json.loads(out)
    assert [e["index"] for e in told["equilibria"]] == [1, -1, 1]
    assert told["assumptions"][0]["status"] == "proved"
    for words, said in (
        (("edgewort",), "did you mean 'edgeworth'?"),
        (("./none.yaml",), "there is no file"),
        (("kehoe", "--picture", "k.png"), "two consumers, two goods"),
        (("edgeworth", "--picture", "k.pdf"), ".svg or .png"),
    ):
        status_, out, err = nomoi("market", *words)
        assert status_ == 2
        assert said in err


def test_stone_geary_needs_its_least():
    u = StoneGeary(2, np.array([0.5, 0.5]), np.array([1.0, 0.0]))
    np.testing.assert_allclose(u.demand(np.array([1.0, 2.0]), np.array(5.0)), [3, 1])


def test_enough_is_enough_beyond_the_top_of_a_parabola():
    u = QuasiLinear(2, 0, np.array([0.0, 3.0]), np.zeros(2), np.array([0.0, 1.0]))  # x_0 + 3 x_1 - x_1^2 / 2
    np.testing.assert_allclose(u.value(np.array([[1.0, 2.0], [1.0, 3.0], [1.0, 9.0]])), [5, 5.5, 5.5])


def test_prices_that_rise_where_more_is_wanted_settle_in_a_calm_economy():
    path = tatonnement.steps(economies.named("edgeworth"), np.array([0.5, 0.5]), 0.1, 200)
    np.testing.assert_allclose(path[-1] / path[-1].sum(), [0.4, 0.6], atol=1e-6)


def test_weights_come_to_rest_where_owners_stand_in_a_circle():
    """Each wants what the other has alone: a whole step would change the weights places for ever."""
    one = {"family": "cobb_douglas", "shares": [0, 1]}
    e = exchange((one, [1, 0]), (one | {"shares": [1, 0]}, [0, 1]))
    np.testing.assert_allclose(closed.negishi(e, seed=1), [0.5, 0.5], atol=1e-12)
