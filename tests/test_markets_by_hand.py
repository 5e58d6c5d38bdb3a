"""Assumptions, welfare, losses, paths and certificates, each against a number or a case worked out by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from nomoi.errors import Refusal
from nomoi.markets import economies, failures, tatonnement, welfare
from nomoi.markets.assumptions import existence
from nomoi.markets.economy import Consumer, Economy, Producer
from nomoi.markets.equilibria import _Kept, _promise, _until, only_one
from nomoi.markets.nest import nest
from nomoi.markets.reading import economy
from nomoi.markets.scan import _roots, scan
from nomoi.markets.technologies import Activities, Fixed, Smooth
from nomoi.markets.utilities import Bliss, Ces, Concave, Leontief, Linear, Utility
from nomoi.markets.verify import rates, verify

HALVES = Ces(2, nest(2, [1.0, 1.0], "u"))
SUM = Concave(2, lambda x: float(x.sum()))  # which is concave, but that is only said


def made(*rows: tuple[Utility, list[float]], firms: tuple = ()) -> Economy:
    """Of (utility, endowment); the first consumer has all profits."""
    people = [
        Consumer(f"person {k}", u, np.array(e, float), np.full(len(firms), float(k == 0)))
        for k, (u, e) in enumerate(rows)
    ]
    goods = tuple("abcd"[: len(rows[0][1])])
    return Economy(goods, tuple(people), tuple(Producer(f"firm {k}", t) for k, t in enumerate(firms)))


def found(e: Economy) -> dict[str, tuple[str, str]]:
    return {f.name: (f.status, f.why) for f in e.assumptions()}


# --- assumptions ----------------------------------------------------------------------------------------------------


def test_what_is_only_said_is_not_proved_and_the_worst_finding_counts():
    e = made((SUM, [1, 1]), (HALVES, [1, 1]))
    told = {name: status for name, (status, _) in found(e).items()}
    open_ = {"III.a", "III.b", "irreducible"}
    assert {name for name, status in told.items() if status == "not checkable"} == open_
    assert {name for name, status in told.items() if status == "sampled"} == {"III.c"}
    assert set(told.values()) == {"not checkable", "sampled", "proved"}
    assert existence(e.assumptions()).startswith("III.a, III.b, III.c are not proved")
    full = made((SUM, [1, 1]), (Bliss(2, np.ones(2), np.ones(2)), [1, 1]))
    assert found(full)["III.b"] == ("refuted", "person 1 has a bundle beyond which nothing is better")


def test_a_millionth_out_of_nothing_is_something():
    one = np.array([[-1.0, 1 + 1e-6], [1.0, -1.0]])  # a becomes b, and b a millionth more of a
    assert found(made((HALVES, [1, 1]), firms=(Activities(2, one),)))["I.b"][0] == "refuted"
    back = Smooth(2, 0, nest(2, [0.0, 1.0], "f"), 1.0, 0.5)  # and a firm that is no process makes a of b
    mixed = found(made((HALVES, [1, 1]), firms=(Activities(2, np.array([[-1.0], [0.5]])), back)))
    assert (mixed["I.b"][0], mixed["I.c"][0]) == ("not checkable", "not checkable")
    assert mixed["irreducible"][0] == "not checkable"  # it depends on what can be made


def test_a_mixture_that_is_hardly_worse_is_worse():
    """Of rho 1.001: at most 2^(1/1.001) / 2 and ln 2 a thousandth apart."""
    extreme = Ces(2, nest(2, [1.0, 1.0], "u", None, 1.001))
    assert found(made((extreme, [1, 1])))["III.c"][0] == "refuted"


def test_who_owns_what_is_told():
    needy = economy({"goods": ["a", "b"], "consumers": [
        {"utility": {"family": "stone_geary", "shares": [1, 1], "least": [0, 0.1]}, "endowment": own}
        for own in ([1, 0], [1, 1])]})  # fmt: skip
    assert found(needy)["IV.a"] == ("refuted", "consumer 1 owns none of b")
    bare = found(made((Leontief(2, np.ones(2)), [1, 0]), (HALVES, [0, 1])))["irreducible"]
    assert bare[0] == "not checkable"
    assert "fixed proportions" in bare[1]  # of one of the two


# --- welfare --------------------------------------------------------------------------------------------------------


def test_small_gains_and_small_excesses_are_found():
    """Alike, with 1 + d and 1 - d crosswise: each has sqrt(1 - d^2), and could have 1."""
    e, d = made((HALVES, [2, 0]), (HALVES, [0, 2])), 0.05
    near = e.pareto(np.array([[1 + d, 1 - d], [1 - d, 1 + d]]))
    assert near.total == pytest.approx(-np.log(1 - d**2), rel=1e-3)
    assert not near.optimal
    np.testing.assert_allclose(near.better, 1, atol=1e-3)
    for wrong, said in (([[1.0005, 1], [1, 1]], "uses more than"), ([[2.1, 1], [-0.1, 1]], "of 0 or more")):
        with pytest.raises(Refusal, match=said):
            e.pareto(np.array(wrong))


def test_optima_by_weights_with_a_farm_and_with_unlike_utilities():
    """All of Robinson's tastes: each has a part of his leisure and corn as large as its weight."""
    farm = Smooth(2, 1, nest(2, [1.0, 0.0], "f"), 1.0, 0.5)
    e = made((HALVES, [1, 0]), (HALVES, [0, 0]), firms=(farm,))
    robinson = np.array([2 / 3, np.sqrt(1 / 3)])
    np.testing.assert_allclose(welfare.optimum(e, np.array([1.0, 3])), np.outer([0.25, 0.75], robinson), rtol=1e-6)
    quasi = {"family": "quasi_linear", "money": "b", "worth": [1, 0], "power": 0}
    rows = [{"utility": {"family": "cobb_douglas", "shares": [1, 1]}, "endowment": [1, 1]},
            {"utility": quasi, "endowment": [0, 2]}]  # fmt: skip
    both = economy({"goods": ["a", "b"], "consumers": rows})  # (log a + log b) / 2 + B + log A
    best = welfare.optimum(both, np.ones(2))
    np.testing.assert_allclose(best, [[1 / 3, 0.5], [2 / 3, 2.5]], atol=1e-4)


def test_transfers_by_hand():
    """At prices (2, 1) sqrt(b) earns most with 1 of b: 2 - 1, which is the first one's.  There are 3 and 7 then, worth
    6 and 7, which is how both divide what they spend; so 1/4 and 3/4 of all, worth 13, is optimal."""
    tastes = Ces(2, nest(2, [6.0, 7.0], "u"))
    e = made((tastes, [1, 4]), (tastes, [1, 4]), firms=(Smooth(2, 0, nest(2, [0.0, 1.0], "f"), 1.0, 0.5),))
    told = e.transfers(np.outer([0.25, 0.75], [3, 7]))
    assert told.supported
    np.testing.assert_allclose(told.prices, [2 / 3, 1 / 3], rtol=1e-6)
    np.testing.assert_allclose(told.certificate.point[2], [[1, -1]], rtol=1e-5)
    # they have 2 + 4 + 1 and 2 + 4, and shall have 3.25 and 9.75
    np.testing.assert_allclose(told.amounts, np.array([3.25 - 7, 9.75 - 6]) / 3, rtol=1e-5)


def test_each_producer_runs_its_own_processes():
    """One makes b of a, and the other c: of 6 a sixth is kept, a third goes to the first, and half to the second."""
    firms = tuple(Activities(3, np.array([row], float).T) for row in ([-1, 1, 0], [-1, 0, 1]))
    told = made((Ces(3, nest(3, [1.0, 2.0, 3.0], "u")), [6, 0, 0]), firms=firms).transfers(np.array([[1, 2, 3]]))
    assert told.supported
    np.testing.assert_allclose(told.certificate.point[2], [[-2, 2, 0], [-3, 0, 3]], rtol=1e-6, atol=1e-9)


def test_a_firm_that_is_no_process_makes_its_part_and_processes_the_rest():
    """At prices (2, 1, 1) sqrt(b) makes 1 of a from 1 of b; c is made of b, one of one, and 2 of it are needed."""
    firms = (Smooth(3, 0, nest(3, [0.0, 1.0, 0.0], "f"), 1.0, 0.5), Activities(3, np.array([[0.0, -1, 1]]).T))
    tastes = Ces(3, nest(3, [4.0, 2.0, 2.0], "u"))  # of 2 a, 2 b and 2 c
    told = made((tastes, [1, 5, 0]), firms=firms).transfers(np.array([[2, 2, 2]]))
    assert told.supported
    np.testing.assert_allclose(told.certificate.point[2], [[1, -1, 0], [0, -2, 2]], rtol=1e-5, atol=1e-9)


def test_waste_is_not_arrows_case():
    """Half of the tea is thrown away, and sugar is free: what is wrong is the waste, and all have wealth."""
    told = economies.named("free_good").transfers(np.array([[0.4, 0.4], [0.6, 0.6]]))
    assert not told.supported
    assert "not Pareto optimal" in told.why


def test_who_has_nothing_and_does_not_want_what_is_free_is_no_exception_of_arrows():
    free = economies.named("free_good")
    poor = Consumer("poor", Linear(2, np.array([1.0, 0.0])), np.zeros(2), np.zeros(len(free.producers)))
    told = dataclasses.replace(free, consumers=(*free.consumers, poor)).transfers(
        np.array([[0.4, 0.4], [0.6, 0.6], [0.0, 0.0]])
    )
    assert not told.supported
    assert "not Pareto optimal" in told.why


def test_what_only_fixed_proportions_use_has_a_price_where_another_would_take_it():
    """One needs a of each; the other, who has a alone, would buy b at less than half of its price."""
    pair = made((Leontief(2, np.ones(2)), [1, 1]), (Linear(2, np.array([1.0, 0.5])), [1, 0]))
    told = pair.transfers(np.array([[1.0, 1], [1, 0]]))
    assert told.supported
    assert told.prices[1] >= told.prices[0] / 2 - 1e-6


def test_a_program_that_says_better_than_it_is_is_refused(monkeypatch):
    solve = welfare.programs.solve

    def boasts(problem, of):
        solve(problem, of)
        (gains,) = (v for v in problem.variables() if v.shape == (2,))
        gains.value = gains.value + 1

    monkeypatch.setattr(welfare.programs, "solve", boasts)
    with pytest.raises(Refusal, match="what it says is better is not"):
        economies.named("edgeworth").pareto(np.full((2, 2), 0.5))


def test_the_contract_curve_goes_from_end_to_end():
    ends = [x[0, 0] for x in welfare.curve(economies.named("edgeworth"), 3)]
    assert ends[0] < 0.01
    assert ends[-1] > 0.99


# --- losses ---------------------------------------------------------------------------------------------------------


def test_losses_at_their_borders():
    at_two = failures.lemons(2.0)  # what all is worth on average is what the best ask
    assert (at_two.computed, at_two.formula) == (pytest.approx(0, abs=1e-9), 0)
    with pytest.raises(Refusal, match="top less cost and tax"):
        failures.wedge(8.5)
    most = failures.returns(16.0)  # the dearest that any price pays for: 4 x 4
    assert (most.computed, most.formula) == (pytest.approx(8), pytest.approx(8))
    for held in (
        failures.rationing(0.2, slope=2.0, rise=0.5, lot=True),
        failures.floor(0.3, slope=0.5, rise=2.0, lot=True),
    ):
        assert held.computed == pytest.approx(held.formula, abs=1e-9)  # with unlike slopes, by lot
    assert (most.mended, failures.power(5).mended) == (0, 0)  # but for rounding, which is told as none


# --- paths ----------------------------------------------------------------------------------------------------------


def test_paths_begin_at_their_start_and_have_a_point_for_each_time():
    e, start = economies.named("edgeworth"), np.array([0.5, 0.5])
    late = tatonnement.flow(e, start, np.array([5.0, 5.5]))
    np.testing.assert_allclose(late[0], start)
    np.testing.assert_allclose(late, tatonnement.flow(e, start, np.array([0.0, 0.5])), rtol=1e-8)
    path = tatonnement.steps(e, start, 0.1, 2)
    # Ann has 1 wine and spends 1/4, Bob 1 bread and spends 1/2: at equal prices 3/4 of wine is wanted, and 5/4 of bread
    np.testing.assert_allclose(path[:2], [start, [0.475, 0.525]])
    assert len(path) == 3


# --- the line of relative prices ------------------------------------------------------------------------------------


def far(ratio: float) -> Economy:
    """Of which p_a / p_b is `ratio`: one owns a and spends 1 - 1 / (2 ratio) of it on a, the other b and halves."""
    keeper = Ces(2, nest(2, [1 - 0.5 / ratio, 0.5 / ratio], "u"))
    return made((keeper, [1, 0]), (HALVES, [0, 1]))


def test_the_line_is_wide_and_a_root_on_one_of_its_points_is_no_stretch():
    on_a_point = np.exp(np.linspace(-20, 20, 2001)[1400] + 1e-3 * np.sqrt(2))
    for ratio in (1e6, float(on_a_point)):
        prices, stretch = scan(far(ratio))
        assert not stretch
        assert min(abs(p[0] / p[1] / ratio - 1) for p in prices if (p > 0).all()) < 1e-9


def test_every_process_is_tried_at_the_prices_at_which_it_breaks_even():
    firms = (Activities(2, np.array([[-1.0, 0.3], [0.5, -1.0]])),)  # at p_a / p_b = 1 / 2, and at 10 / 3
    tried = [p[0] / p[1] for p in scan(made((HALVES, [1, 1]), firms=firms))[0] if (p > 0).all()]
    assert sorted(tried) == pytest.approx([0.5, 1, 10 / 3])


class Odd(Ces):
    """Halves, of which nothing is known where a costs less than e^-10 of b."""

    def demand(self, p: np.ndarray, m: np.ndarray) -> np.ndarray:
        known = p[..., 0] > np.exp(-10) * p[..., 1]
        return np.where(known[..., None], super().demand(p, m), np.nan)

    flat = False  # so that its own formula is asked


def test_what_is_no_number_is_no_root():
    prices, stretch = scan(made((Odd(2, HALVES.nest), [1, 1])))
    assert not stretch
    assert [p[0] / p[1] for p in prices if (p > 0).all()] == pytest.approx([1])


def test_how_near_to_0_counts():
    """A crossing is told to 1e-12, beside a point of the grid too; a curve touches 0 if it comes within 1e-9 of it."""
    grid, size = np.linspace(-2, 2, 201), np.ones(201)
    for shift in (1e-10, -3e-11):
        assert _roots(lambda t, s=shift: t - s, grid, grid - shift, size) == pytest.approx([shift], rel=1e-3, abs=0)
    for left, found_ in ((1e-11, 1), (-1e-11, 2), (1e-8, 0)):
        low = lambda t, c=left: (t - 0.505) ** 2 + c  # noqa: E731
        for sign in (1, -1):  # from above and from below
            at = _roots(lambda t, f=low, s=sign: s * f(t), grid, sign * low(grid), size)
            assert at == pytest.approx([0.505] * found_, abs=1e-5)


# --- one door -------------------------------------------------------------------------------------------------------


def test_equilibria_that_are_near_and_goods_that_are_cheap_are_kept():
    """Of fixed proportions any prices will do: those a ten thousandth apart are two, and a billionth apart one."""
    pair = Leontief(2, np.ones(2))
    kept = _Kept(made((pair, [1, 0]), (pair, [0, 1])))
    for shift in (0.0, 1e-4, 1e-9):
        kept.add(np.array([0.5 + shift, 0.5 - shift]))
    assert [e.prices[0] for e in kept.found] == pytest.approx([0.5, 0.5001])
    (cheap,) = far(1e6).equilibria()
    assert cheap.prices[0] / cheap.prices[1] == pytest.approx(1e6)


def test_only_one_where_it_is_proved():
    fixed = Ces(2, nest(2, [1.0, 1.0], "u", 0.2))
    wine = Ces(2, nest(2, [1.0, 0.0], "u"))
    assert "gross substitutes" in only_one(made((HALVES, [1, 0]), (HALVES, [0, 1])))
    assert "as one consumer would" in only_one(made((HALVES, [1, 2]), (fixed, [2, 4])))
    for e in (
        made((HALVES, [1, 0]), (fixed, [0, 1])),  # the second buys more of the one where the other is dearer
        made((wine, [1, 0]), (HALVES, [0, 1])),  # the first wants nothing of the second
        made((wine, [1, 1]), (wine, [1, 2])),  # and nobody b
        economies.named("robinson"),
    ):
        assert only_one(e) == ""


def test_what_is_promised_and_when_the_search_ends():
    e = made((HALVES, [1, 0]), (HALVES, [0, 1]))
    one = e.equilibria()[0]
    for signs, said in (
        ((1, -1, 1), "sum to 1 as those of all do"),
        ((1, 1), "sum to 2 and not to 1"),
        ((1, 0), "may be one of a continuum"),
        ((1, None), "not proved"),
    ):
        some = [dataclasses.replace(one, index=sign) for sign in signs]
        assert said in _promise(e, some, "", "newton", False)
    kept = _Kept(e)
    kept.add(one.prices)
    assert [e.index for e in kept.found] == [1]
    tries = iter([one.prices] * 99)
    assert len(list(_until(e, kept, tries, ""))) == 24  # two dozen that bring nothing new
    assert len(list(_until(e, kept, tries, "it is proved"))) == 1


# --- certificates ---------------------------------------------------------------------------------------------------


def test_a_firm_that_does_without_what_it_needs_most_is_not_certified():
    """Of (sqrt(a) + sqrt(b))^2 / 4 the first bit of b is worth more than any price; all else is in order."""
    firm = Smooth(3, 2, nest(3, [1.0, 1.0, 0.0], "f", 2.0))
    e = made((Ces(3, nest(3, [0.0, 1.0, 1.0], "u")), [1, 1, 0]), firms=(firm,))
    out = verify(e, np.array([0.25, 0.25, 1]), np.array([[0, 1, 0.25]]), np.array([[-1, 0, 0.25]]))
    assert out.parts["profit"] == np.inf
    assert max(v for name, v in out.parts.items() if name != "profit") < 1e-12
    assert not out.holds


def test_a_residual_that_is_no_number_is_no_certificate(monkeypatch):
    e = economies.named("edgeworth")
    x = e.equilibria()[0]
    monkeypatch.setattr("nomoi.markets.verify._wasted", lambda u, p, x, m: (np.nan if x[0] < 0.5 else 0.0, True))
    assert not verify(e, x.prices, x.allocation).holds


@pytest.mark.parametrize("nothing", [(np.nan, 0.0), (0.0, np.nan)])
def test_a_firm_of_which_nothing_is_known_is_not_certified_wherever_it_stands(monkeypatch, nothing):
    e = made((HALVES, [1, 0]), firms=(Smooth(2, 1, nest(2, [1.0, 0.0], "f"), 1.0, 0.5),) * 2)
    x = e.equilibria()[0]
    told = iter([(0.0, 0.0), nothing])  # of the first firm, and of the second
    monkeypatch.setattr("nomoi.markets.verify._unearned", lambda *_: next(told))
    out = verify(e, x.prices, x.allocation, x.production)
    assert np.isnan(out.parts["profit" if np.isnan(nothing[0]) else "production set"])
    assert not out.holds


def test_parts_of_a_certificate_by_hand():
    fixed = made((Linear(2, np.ones(2)), [5, 0]), firms=(Fixed(2, 1, 0, 1.0, 2.0),))  # 1 of a, and 2 for each b
    for prices, y, profit, short in (
        ([1, 2], [-3, 1], 1 / 7, 0),
        ([1, 2], [-2, 1], 0, 1 / 3),
        ([1, 4], [0, 0], np.inf, 0),
    ):
        out = verify(fixed, np.array(prices, float), np.array([[5.0 + y[0], y[1]]]), np.array([y], float))
        assert (out.parts["profit"], out.parts["production set"]) == pytest.approx((profit, short)), prices
    mill = made((HALVES, [2, 0]), firms=(Smooth(2, 1, nest(2, [1.0, 0.0], "f")),))  # b of a, one of one
    out = verify(mill, np.ones(2), np.ones((1, 2)), np.array([[-1.0, 0.8]]))
    assert out.parts["profit"] == pytest.approx(0.25)  # a fifth is thrown away, a quarter of what is left
    less = made((HALVES, [2, 0]), firms=(Smooth(2, 1, nest(2, [1.0, 0.0], "f"), 1.0, 0.5),))  # sqrt(a), 1 of it worth 2
    out = verify(less, np.array([1.0, 2]), np.array([[1, 0.8]]), np.array([[-1.0, 0.8]]))
    assert out.parts["profit"] == pytest.approx(0.2)  # what an input adds is its price; a fifth is thrown away
    left = verify(made((HALVES, [1, 1])), np.ones(2), np.array([[0.5, 1.0]]))
    assert left.parts["free goods"] == left.parts["budget"] == pytest.approx(0.25)  # half of one of two alike
    assert left.parts["clearing"] == 0
    more = verify(made((HALVES, [4, 4])), np.ones(2), np.array([[5.0, 4.0]]))
    assert more.parts["clearing"] == pytest.approx(0.25)  # one of four too many
    press = made((HALVES, [2, 0]), firms=(Activities(2, np.array([[-1.0], [1.0]])),))  # b of a, one of one
    out = verify(press, np.ones(2), np.array([[1, 0.8]]), np.array([[-1.0, 0.8]]))
    assert out.parts["profit"] == pytest.approx(0.2 / 2.8)  # a fifth is thrown away, of all that is turned over
    assert out.parts["production set"] == pytest.approx(0, abs=1e-12)
    asks = rates(made((HALVES, [1, 1])), np.array([1.0, 3]), np.array([[2.0, 2 / 3]]))
    assert asks == [("person 0", "a", pytest.approx(1 / 3), pytest.approx(1 / 3))]  # against b, the dearer
    box = economies.named("edgeworth")
    x = box.equilibria()[0]
    out = verify(box, x.prices, x.allocation, transfers=np.array([-0.1, 0.0]))
    assert out.parts["transfers"] == pytest.approx(0.1)
    needy = economy({"goods": ["a", "b"], "consumers": [
        {"utility": {"family": "stone_geary", "shares": [1, 1], "least": [0, 0.5]}, "endowment": [1, 1]}]})  # fmt: skip
    out = verify(needy, np.ones(2), np.array([[1.6, 0.4]]))
    assert out.parts["consumption set"] == pytest.approx(0.1)
    best = verify(needy, np.ones(2), np.array([[0.75, 1.25]]))  # of 2, a half is needed and the rest is halved
    assert best.parts["utility"] == pytest.approx(0, abs=1e-12)
    said = verify(made((SUM, [1, 1]), (HALVES, [1, 1])), np.ones(2), np.ones((2, 2)))
    assert said.holds
    assert not said.proved  # of one of the two it is only said that it is concave
