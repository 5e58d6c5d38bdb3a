"""Welfare theorems, failures and what mends them, the played market, and what survives when utilities are rewritten."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nomoi import govern
from nomoi.core import Outcome
from nomoi.errors import Refusal
from nomoi.institutions.disclosure import Disclosure
from nomoi.institutions.escrow import Escrow
from nomoi.institutions.levy import Levy
from nomoi.institutions.ostracism import Ostracism
from nomoi.institutions.permits import Permits
from nomoi.institutions.title import Title
from nomoi.markets import economies, failures, ordinal, programs
from nomoi.markets.clearing import complete
from nomoi.markets.complementarity import search
from nomoi.markets.reading import economy
from nomoi.markets.welfare import curve, optimum
from nomoi.situations.bazaar import Bazaar
from nomoi.situations.lemons import Lemons
from nomoi.situations.matrix import Matrix
from nomoi.situations.works import Works
from nomoi.solve.pure import pure
from nomoi.solve.unfold import normal_form
from nomoi.studies import failures as played
from nomoi.studies import property as bazaar

KEY = jax.random.key(0)


@eqx.filter_jit
def _lived(place, days):
    """The states after each of some days, and what came of it: one program for a whole episode."""
    return jax.lax.scan(lambda state, day: (lambda s, o: (s, (s, o)))(*place.step(KEY, state, day)), place.reset(KEY),
                        days)[1]  # fmt: skip


def lived(place, *days):
    """States and outcomes of days of {head: [n]}."""
    heads = {h: jnp.array([day.get(h, [0] * place.agents) for day in days], jnp.int32) for h in place.actions}
    return _lived(place, heads)


# --- welfare --------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Indices are looked at after two starts instead of a dozen."""
    monkeypatch.setattr("nomoi.markets.equilibria.BATCH", 1)


def some(name):
    """Equilibria; of the large model with production the one that a single start leads to."""
    e = economies.named(name)
    if name != "scarf_hansen":
        return e, [x.allocation for x in e.equilibria()]
    return e, [complete(e, next(p for p in search(e, 3) if p is not None)).allocation]


@pytest.mark.parametrize("name", ["edgeworth", "three_equilibria", "kehoe", "scarf_hansen", "free_good", "fisher"])
def test_equilibria_are_optima_and_their_own_transfers_are_nothing(name):
    e, allocations = some(name)
    for x in allocations:
        assert e.pareto(x).optimal
        brought = e.transfers(x)
        assert brought.supported
        assert abs(brought.amounts.sum()) < 1e-9


def test_what_could_be_better_is_found():
    e = economies.named("edgeworth")
    found = e.pareto(np.array([[0.5, 0.5], [0.5, 0.5]]))
    assert not found.optimal
    assert found.total > 0.05
    np.testing.assert_allclose(found.better.sum(0), 1, atol=1e-6)
    wrong = e.transfers(np.array([[0.5, 0.5], [0.5, 0.5]]))
    assert not wrong.supported
    assert "not Pareto optimal" in wrong.why
    with pytest.raises(Refusal, match="uses more than"):
        e.pareto(np.ones((2, 2)))


def test_any_optimum_is_brought_about_by_transfers():
    e = economies.named("kehoe")
    target = optimum(e, np.array([1.0, 2, 1, 1]))
    brought = e.transfers(target)
    assert brought.supported
    assert abs(brought.amounts.sum()) < 1e-9
    assert np.abs(brought.amounts).max() > 1


def test_arrows_exceptional_case_is_optimal_and_not_supported():
    e = economies.named("exceptional")
    assert e.pareto(e.endowments).optimal
    brought = e.transfers(e.endowments)
    assert not brought.supported
    assert "exceptional" in brought.why
    assert e.transfers(np.array([[0.9, 0.0], [0.1, 1.0]])).supported


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0.2, 4), st.floats(0.2, 4))
def test_near_cobb_douglas_no_program_finds_gains_that_are_not_there(one, other):
    rows = [
        {"utility": {"family": "ces", "sigma": s, "weights": w}, "endowment": o}
        for s, w, o in ((one, [0.1, 1], [1, 0.2]), (other, [1, 0.3], [0.1, 1]))
    ]
    e = economy({"goods": ["a", "b"], "consumers": rows})
    assert all(e.pareto(x.allocation).optimal for x in e.equilibria())


def test_prices_of_a_fisher_market_are_those_of_its_program():
    """Of all homothetic families, nests in nests, a part without weight, and amounts that differ by a thousand."""
    inner = lambda sigma: {"sigma": sigma, "shares": [1, 3], "parts": ["b", "c"]}  # noqa: E731
    tastes = [
        {"family": "cobb_douglas", "shares": [1, 2, 3]},
        {"family": "ces", "rho": 0.5, "weights": [3, 1, 1]},
        {"family": "ces", "rho": -1, "shares": [1, 4, 1]},
        {"family": "leontief", "needs": [1, 2, 1]},
        {"family": "nested_ces", "rho": 0.5, "weights": [1, 2], "parts": ["a", inner(1)]},
        {"family": "nested_ces", "rho": 0.5, "weights": [1, 2], "parts": ["a", inner(3)]},
        {"family": "nested_ces", "rho": 0.3, "weights": [1, 2],
         "parts": ["a", {"sigma": 2, "weights": [5, 0], "parts": ["b", "c"]}]},
        {"family": "nested_ces", "sigma": 1, "weights": [1, 2], "parts": ["a", inner(0.5)]},
    ]  # fmt: skip
    part = np.arange(1, 9) / 36
    rows = [{"utility": u, "endowment": (k * np.array([1, 10, 0.1])).tolist()}
            for u, k in zip(tastes, part, strict=True)]  # fmt: skip
    e = economy({"goods": ["a", "b", "c"], "consumers": rows})
    np.testing.assert_allclose(programs.eisenberg_gale(e)[0], e.equilibria("complementarity")[0].prices, rtol=1e-4)


def test_optima_with_firms_and_with_least_amounts_are_recognised():
    """A farm of which scale and returns matter; and somebody who cannot live without some of each good."""
    data = economies.ECONOMIES["robinson"]
    farm = data["producers"][0]["technology"] | {"scale": 2.0}  # type: ignore[index]
    rows = [{"utility": {"family": "stone_geary", "shares": [1, 1], "least": [0.2, 0.1]}, "endowment": [1, 0.5]},
            {"utility": {"family": "cobb_douglas", "shares": [1, 3]}, "endowment": [0.5, 1]}]  # fmt: skip
    for e in (economy(data | {"producers": [{"name": "farm", "technology": farm}]}),  # type: ignore[arg-type]
              economy({"goods": ["a", "b"], "consumers": rows})):  # fmt: skip
        x = e.equilibria()[0].allocation
        assert e.pareto(x).optimal
        assert e.pareto(x * 0.9).total > 0.05
        assert e.transfers(x).supported
        assert np.abs(e.transfers(x).amounts).max() < 1e-6


def test_the_contract_curve_is_made_of_optima():
    """Ann 1/4, Bob 1/2: (1/4 b) / (3/4 a) = (1/2 (1 - b)) / (1/2 (1 - a)), so b (1 - a) = 3 a (1 - b)."""
    for x in curve(economies.named("edgeworth"), 9):
        a, b = x[0]
        assert b * (1 - a) == pytest.approx(3 * a * (1 - b))


# --- failures -------------------------------------------------------------------------------------------------------


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0.1, 1.9), st.integers(1, 6), st.floats(0.05, 0.95), st.floats(0.1, 3), st.booleans())
def test_losses_are_what_the_formulas_say(harm, firms, risk, size, lot):
    for found in (failures.externality(harm), failures.power(firms), failures.missing(risk), failures.wedge(size),
                  failures.lemons(1 + risk), failures.rationing(size, lot=lot), failures.floor(size, lot=lot),
                  failures.rationing(size / 4, slope=2.0, rise=0.5, lot=lot), failures.returns(size),
                  failures.floor(size / 4, slope=0.5, rise=2.0, lot=lot)):  # fmt: skip
        assert found.computed == pytest.approx(found.formula, abs=1e-6)
        assert found.mended == pytest.approx(0, abs=1e-6)
    for worth in (1 + risk, 2 + risk):
        assert failures.lemons(worth, size / 3).mended == pytest.approx(failures.disclosed(worth, size / 3), abs=1e-6)


def test_losses_by_hand():
    assert [failures.externality(d).computed for d in (0.5, 1.0)] == pytest.approx([0.0625, 0.25], abs=1e-9)
    assert [failures.power(n).computed for n in (1, 2, 5)] == pytest.approx([8, 32 / 9, 8 / 9], abs=1e-6)
    assert failures.missing(0.6).computed == pytest.approx(0.2)
    # worth 10 - q, cost 2 + q: 4 at a price of 6; at 5 there are 3, and at 7 too
    assert [f(1.0).computed for f in (failures.rationing, failures.floor)] == pytest.approx([1, 1])
    # five want them at 5, worth 7.5 to them on average, and 8.5 to the keenest three
    assert [f(1.0, lot=True).computed for f in (failures.rationing, failures.floor)] == pytest.approx([4, 4])
    assert failures.lemons(1.5, 0.1).mended == pytest.approx(0.09)  # above 0.2 all pay 0.1; below all is kept
    assert failures.lemons(2.5, 0.1).mended == pytest.approx(0.092)  # above 0.08 all pay it, though all was sold
    assert failures.lemons(2.5).computed == pytest.approx(0)
    lost, sold = failures.kinds(1.5, 10)
    assert (sold, lost) == (2, pytest.approx(0.5 * (0.5 - 0.02)))  # all but 0.05 and 0.15, which 0.15 buys
    # who is indifferent sells, however numbers are rounded: the worst 1 / (2 - worth)
    for price, many in ((1.5, 2), (1.75, 4)):
        assert {failures.kinds(price, count)[1] for count in range(10, 60)} == {many}
    steep = failures.returns(7.9, slope=2.0)
    assert steep.computed == pytest.approx(steep.formula, abs=1e-6)
    assert failures.wedge(1.0, slope=2.0, rise=3.0).computed == pytest.approx(0.1)
    assert failures.power(1, slope=2.0).formula == pytest.approx(failures.power(1, slope=2.0).computed) == 4
    assert [failures.disclosed(*k) for k in ((1.5, 1.0), (2.5, 2.0))] == pytest.approx([0.25, 0])
    for bad in (lambda: failures.externality(2.5), lambda: failures.externality(0.0),
                lambda: failures.returns(8.1, slope=2.0),
                lambda: failures.externality(3.0), lambda: failures.returns(17.0), lambda: failures.missing(1.0),
                lambda: failures.rationing(5.0), lambda: failures.floor(5.0), lambda: failures.lemons(1.5, -1.0),
                lambda: failures.kinds(0.5)):  # fmt: skip
        with pytest.raises(Refusal, match="would be right"):
            bad()


def lost(place, rate=0.0, permits=False):
    under = Levy(on="output", rate=rate), Permits(cap=1.5, price=0.5, in_force=permits)
    paid = normal_form(govern(place, *under))
    total = normal_form(govern(place, *(one.replace(in_force=False) for one in under))).payoff.sum(0)
    return [float(total.max() - total[a]) for a in pure(paid)]


def test_institutions_mend_what_they_are_for_and_nothing_else():
    smoke, few = Works(firms=2), Works.preset("oligopoly")
    assert lost(smoke) == pytest.approx([0.125])
    assert lost(smoke, 0.5) == pytest.approx([0], abs=1e-6)
    assert lost(smoke, permits=True) == pytest.approx([0], abs=1e-6)
    assert lost(smoke, 1.0)[0] > 0.1
    assert lost(few) == pytest.approx([32 / 9], abs=1e-5)
    assert max(lost(few, -4.0)) < 1e-5
    assert lost(few, 0.5)[0] > 32 / 9


def test_the_price_of_permits_rises_where_too_many_are_wanted():
    place = govern(Works(firms=2, horizon=9), Permits(cap=1.0, price=0.5, speed=0.2))
    state, out = lived(place, {"make": [8, 4, 0]}, *[{"make": [0, 0, 0]}] * 5)  # 2 and 1 of 1, then none
    np.testing.assert_allclose(out.events["permits.paid"][0], 0.5 * (np.array([2.0, 1, 0]) - 1 / 3), atol=1e-6)
    np.testing.assert_allclose(state.memory[0], [0.5 + 0.2 * 2, 0.9 - 0.2, 0.5, 0.3, 0.1, 0], atol=1e-6)
    np.testing.assert_allclose(out.reward[0], [-2 * 0 + 2 * 2 - 4, 2 - 1, -0.5 * 3], atol=1e-6)


# --- lemons ---------------------------------------------------------------------------------------------------------


def test_lemons_by_hand():
    """Two sellers, of 0.25 and 0.75; buyers pay 1.5 times what they expect, first 0.4 of each kind of offer."""
    place = Lemons(sellers=2, belief=0.4, horizon=3)
    state, out = lived(place, {"offer": [1, 2, 0]}, {"offer": [1, 0, 0]}, {"offer": [0, 2, 2]})
    np.testing.assert_allclose(out.reward, [[0.6, 0.6, 0.3], [0.375, 0.75, 0], [0.25, 1.125, 0]], atol=1e-6)
    np.testing.assert_allclose(state.belief, [[0.25, 0.75]] * 3, atol=1e-6)
    np.testing.assert_allclose(out.events["goods"][0], [[0, 0, 0.375], [0, 0, 1.125], [0, 0, 0]], atol=1e-6)
    np.testing.assert_allclose(out.events["handed"][0], [[0, 0, 0], [0, 0, 0], [0.6, 0.6, 0]], atol=1e-6)
    np.testing.assert_allclose(out.events["papers"], [[0, 1, 0], [0, 0, 0], [0, 1, 0]])
    np.testing.assert_allclose(place.senses(place.reset(KEY))["price"], 0.6)
    assert place.asked(place.reset(KEY))["offer"].tolist() == [True, True, False]
    assert out.done.tolist() == [False, False, True]


def test_what_is_shown_is_paid_for_what_it_is():
    place = govern(Lemons(sellers=2), Disclosure(cost=0.1))
    out = lived(place, {"offer": [1, 2, 0]}, {"offer": [2, 0, 0]})[1]
    np.testing.assert_allclose(out.transfer, [[0, 0.375 - 0.1, -0.375], [0.375 - 1.125 - 0.1, 0, 0.75]], atol=1e-6)
    np.testing.assert_allclose(out.events["disclosure.shown"], [[0, 1, 0], [1, 0, 0]])
    np.testing.assert_allclose(out.burnt, 0.1, atol=1e-6)
    with pytest.raises(Refusal, match="papers"):
        govern(Bazaar(), Disclosure())
    with pytest.raises(Refusal, match=r"an event \[n\], such as papers"):
        govern(Lemons(), Disclosure(on="goods"))


def test_proofs_that_cost_nothing_have_all_sold_and_others_some():
    found = {name: played.sold(None, name, 6, 30) for name in ("lemons, papers", "lemons, free proofs")}
    assert found["lemons, papers"]["sold"] == pytest.approx(1 / 6)
    assert found["lemons, free proofs"]["lost"] == pytest.approx(0, abs=1e-6)
    dear = played.sold(None, "lemons, dear proofs", 6, 30)
    # 3/12 and more are worth 0.1 for a proof; 1/12 alone sells without
    assert (dear["shown"], dear["sold"]) == (pytest.approx(5 / 6), pytest.approx(1))
    assert dear["lost"] == pytest.approx(0.1 * 5 / 6, abs=1e-6)


def test_a_price_of_permits_that_begins_at_nothing_comes_to_one_that_clears():
    assert played.priced(None, 6, 0.0, 9) == {"price": pytest.approx(0.3), "used": pytest.approx(1.5)}


# --- the played market ----------------------------------------------------------------------------------------------

HONEST = {"price": [1, 1], "amount": [3, 7], "deliver": [1, 1], "take": [0, 0]}


def ruled(title=False, escrow=False, out=False, rate=0.0, cost=0.0, fee=0.0, spell=1):
    """A stack of which only some is in force, so that one program does for all that is asked of it; `rate` is a fine
    of what is withheld, where somebody sees all."""
    return (Title(in_force=title, cost=cost), Escrow(in_force=escrow, fee=fee), Ostracism(in_force=out, spell=spell),
            Levy(on="withheld", rate=rate))  # fmt: skip


def test_the_bazaar_at_the_exact_offers_is_the_exact_economy():
    """And who trades, withholds or takes is paid as by hand."""
    cheat = HONEST | {"deliver": [0, 1]}
    war = {"price": [0, 0], "amount": [0, 0], "deliver": [1, 1], "take": [1, 1]}
    shy = HONEST | {"price": [2, 1]}
    long = HONEST | {"amount": [4, 6]}
    wide = HONEST | {"price": [0, 2]}  # each would do with less than the middle price, which it is
    state, out = lived(govern(Bazaar(horizon=9), *ruled()), HONEST, cheat, war, shy, long, wide)
    found = economies.named("edgeworth").equilibria()[0]
    np.testing.assert_allclose(out.reward[0], found.utilities, atol=1e-6)
    np.testing.assert_allclose(out.events["traded"][0], 0.75)
    np.testing.assert_allclose(out.reward[1], [0.5**0.75, 0], atol=1e-6)  # Ann has all wine, and the bread
    np.testing.assert_allclose(out.events["withheld"][1], [0.5, 0], atol=1e-6)  # 0.75 at 2/3
    # each loses half, and has 0.4 of the other's
    np.testing.assert_allclose(out.reward[2], [0.5**0.25 * 0.4**0.75, 0.4**0.5 * 0.5**0.5], atol=1e-6)
    np.testing.assert_allclose(out.events["taken"][2], [[0, 0.5], [0.5, 0]], atol=1e-6)
    assert not out.events["traded"][3].any()  # asked for more than is bid
    np.testing.assert_allclose(out.events["traded"][4], 0.5, atol=1e-6)  # Ann offers 1, Bob wants 0.5
    np.testing.assert_allclose(state.world.price, [2 / 3, 2 / 3, 0, 0, 2 / 3, 2 / 3], atol=1e-6)
    assert not out.done.any()


def test_three_traders_meet_in_one_auction():
    """Two would sell 0.5 each, of which one is robbed and has 0.4; the third bids for 0.75, and can pay for 0.6 at 2/3.
    The long side is rationed; one of the sellers withholds."""
    place = Bazaar(tastes=[0.5, 0.5, 0.5], endowments=[[0.8, 0], [1.0, 0], [0, 0.4]])
    day = {"price": [1, 1, 1], "amount": [2, 2, 7], "deliver": [0, 1, 1], "take": [0, 0, 1]}
    out = lived(place, day)[1]
    np.testing.assert_allclose(out.events["traded"][0], [0.6 * 4 / 9, 0.6 * 5 / 9, 0.6], atol=1e-6)
    np.testing.assert_allclose(out.events["withheld"][0], [0.6 * 4 / 9 * 2 / 3, 0, 0], atol=1e-6)
    np.testing.assert_allclose(out.events["taken"][0, 2], [0.4, 0, 0], atol=1e-6)  # the last takes from the first
    np.testing.assert_allclose(place.senses(place.reset(KEY))["owns"], place.endowments)
    assert out.done.tolist() == [True]


def test_property_and_contract_bring_the_exact_equilibrium_back():
    gain = lambda another=0.0, **rules: bazaar.leaving(*ruled(**rules), another=another)  # noqa: E731
    assert min(gain(), gain(title=True), gain(escrow=True)) > 0.1
    assert gain(title=True, escrow=True, cost=0.1) == pytest.approx(0, abs=1e-6)  # all pay, whatever they do
    assert gain(title=True, escrow=True, fee=0.2) > 0  # less is traded
    assert gain(title=True, rate=1.0) == pytest.approx(0, abs=1e-6)
    assert gain(title=True, rate=0.25) > 0.01
    assert gain(title=True, out=True, another=0.42) == pytest.approx(0, abs=1e-6)
    assert gain(title=True, out=True, another=0.40) > 0.001
    # what Ann withholds is worth 0.5, and an appeal frees her where the court is wrong
    assert bazaar.leaving(*bazaar.heard(0.55, 1.0), another=1.0) == pytest.approx(0, abs=1e-6)
    assert bazaar.leaving(*bazaar.heard(0.55, 0.0), another=1.0) > 0.01


def test_who_withholds_is_kept_out_and_comes_back():
    place = govern(Bazaar(horizon=9), *ruled(out=True, spell=2, rate=0.2))
    out = lived(place, HONEST | {"deliver": [0, 1]}, *[HONEST] * 4)[1]
    np.testing.assert_allclose(out.events["traded"][:, 0], [0.75, 0, 0, 0.75, 0.75])
    np.testing.assert_allclose(out.events["ostracism.out"][:4], [[0, 0], [1, 0], [1, 0], [0, 0]])
    np.testing.assert_allclose(out.transfer[:2], [[-0.2 * 0.5, 0], [0, 0]], atol=1e-6)
    with pytest.raises(Refusal, match="no choice in bazaar"):
        govern(Bazaar(), Ostracism(head="leave"))
    taking = Outcome(jnp.zeros(2), jnp.zeros(2), {"taken": jnp.array([[0.0, 1], [0, 0]])}, jnp.array(False))
    left = Ostracism(on="taken", spell=2).settle(KEY, jnp.array([1, 1]), Bazaar(), None, {}, {}, taking)[0]
    np.testing.assert_allclose(left, [2, 0])  # from now on, not on top of what is left
    told = Ostracism(spell=2).inform(jnp.array([0, 1, 2]), Lemons(sellers=2), None, None, {})["left"]
    np.testing.assert_allclose(told, [[0, 0.5, 1], [0.5, 1, 0], [1, 0, 0.5]])  # oneself first


def test_what_guards_and_an_escrow_stop_is_counted_and_paid_for():
    place = govern(Bazaar(horizon=9), *ruled(title=True, escrow=True, cost=0.1, fee=0.2))
    none = HONEST | {"amount": [0, 0], "deliver": [0, 0]}  # nothing is agreed on that could be withheld
    out = lived(place, HONEST | {"deliver": [0, 1], "take": [0, 1]}, *[HONEST] * 3, none)[1]
    np.testing.assert_allclose(out.events["title.kept"][:2], [[0, 1], [0, 0]])
    np.testing.assert_allclose(out.events["escrow.forced"], [[1, 0], *[[0, 0]] * 4])
    np.testing.assert_allclose(out.transfer[:4], -0.1 - 0.2 * 0.75, atol=1e-6)
    np.testing.assert_allclose(out.transfer[4], -0.1, atol=1e-6)
    np.testing.assert_allclose(out.reward[0], bazaar.exact(), atol=1e-6)  # it is delivered all the same


def test_title_and_escrow_say_what_they_cannot_govern():
    with pytest.raises(Refusal, match="taken"):
        govern(Matrix(), Title())
    with pytest.raises(Refusal, match="no choice in bazaar"):
        govern(Bazaar(), Escrow(head="hand"))
    with pytest.raises(Refusal, match="one of each for each"):
        Bazaar(tastes=[0.5, 0.5, 0.5])


# --- orders and more -------------------------------------------------------------------------------------------------


def test_what_each_rule_needs_to_know():
    kept = {"sum": {"each one's zero", "one zero and unit for all"},
            "Nash product": {"each one's zero and unit", "each one's zero", "one zero and unit for all"},
            "worst off": {"one order for all", "one zero and unit for all"},
            "leximin": {"one order for all", "one zero and unit for all"},
            "Borda": set(ordinal.SCALES), "majority": set(ordinal.SCALES)}  # fmt: skip
    for rule in ordinal.RULES:
        share = {s: ordinal.changed(rule, s, np.random.default_rng(0), times=60) for s in ordinal.SCALES}
        assert {s for s, v in share.items() if v == 0} == kept[rule], rule


def test_each_rule_chooses_what_it_says():
    """Three people, four options, the first the status quo: sums 10, 8, 10.5; products 0, 18, 22; worst off 0, 2, 1."""
    u = np.array([[0.0, 9, 3, 5.5], [0.0, 1, 3, 4], [0.0, 0, 2, 1.0]])
    chosen = {rule: choose(u) for rule, choose in ordinal.RULES.items()}
    assert [chosen[rule] for rule in ("sum", "Nash product", "worst off", "leximin")] == [3, 3, 2, 2]
    assert ordinal.RULES["sum"](u * [[2.0], [1], [1]]) == 1  # 19, 11, 16: the first one's unit halved
    ranks = np.array([[3.0, 2, 1, 0], [3, 2, 1, 0], [0, 3, 2, 1]])  # two have 0 first, and one has it last
    assert ordinal.RULES["majority"](ranks) == 0
    assert ordinal.RULES["Borda"](ranks) == 1  # 6 against 7
