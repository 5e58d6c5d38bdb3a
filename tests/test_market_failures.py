"""Welfare theorems, failures and what mends them, the played market, and what survives when utilities are rewritten."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi import govern
from nomoi.errors import Refusal
from nomoi.institutions.escrow import Escrow
from nomoi.institutions.fine import Fine
from nomoi.institutions.levy import Levy
from nomoi.institutions.monitor import Monitor
from nomoi.institutions.permits import Permits
from nomoi.institutions.title import Title
from nomoi.markets import economies, failures, ordinal
from nomoi.markets.reading import economy
from nomoi.markets.welfare import curve, optimum
from nomoi.situations.bazaar import Bazaar
from nomoi.situations.matrix import Matrix
from nomoi.situations.works import Works
from nomoi.solve.pure import pure
from nomoi.solve.unfold import normal_form
from nomoi.studies import property as bazaar

# --- welfare --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["edgeworth", "three_equilibria", "kehoe", "scarf_hansen", "free_good", "fisher"])
def test_equilibria_are_optima_and_their_own_transfers_are_nothing(name):
    e = economies.named(name)
    for found in e.equilibria():
        assert e.pareto(found.allocation).optimal
        brought = e.transfers(found.allocation)
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


@given(st.floats(0.2, 4), st.floats(0.2, 4))
def test_near_cobb_douglas_no_program_finds_gains_that_are_not_there(one, other):
    rows = [
        {"utility": {"family": "ces", "sigma": s, "weights": w}, "endowment": o}
        for s, w, o in ((one, [0.1, 1], [1, 0.2]), (other, [1, 0.3], [0.1, 1]))
    ]
    e = economy({"goods": ["a", "b"], "consumers": rows})
    assert all(e.pareto(x.allocation).optimal for x in e.equilibria())


def test_the_contract_curve_is_made_of_optima():
    """Ann 1/4, Bob 1/2: (1/4 b) / (3/4 a) = (1/2 (1 - b)) / (1/2 (1 - a)), so b (1 - a) = 3 a (1 - b)."""
    for x in curve(economies.named("edgeworth"), 9):
        a, b = x[0]
        assert b * (1 - a) == pytest.approx(3 * a * (1 - b))


# --- failures -------------------------------------------------------------------------------------------------------


@given(st.floats(0.1, 1.9), st.integers(1, 6), st.floats(0.05, 0.95), st.floats(0.1, 3))
def test_losses_are_what_the_formulas_say(harm, firms, risk, size):
    for found in (failures.externality(harm), failures.power(firms), failures.missing(risk), failures.wedge(size),
                  failures.lemons(1 + risk), failures.rationing(size), failures.returns(size)):  # fmt: skip
        assert found.computed == pytest.approx(found.formula, abs=1e-6)
        assert found.mended == pytest.approx(0, abs=1e-6)


def test_losses_by_hand():
    assert [failures.externality(d).computed for d in (0.5, 1.0)] == pytest.approx([0.0625, 0.25], abs=1e-9)
    assert [failures.power(n).computed for n in (1, 2, 5)] == pytest.approx([8, 32 / 9, 8 / 9], abs=1e-6)
    assert failures.missing(0.6).computed == pytest.approx(0.2)
    for bad in (lambda: failures.externality(3.0), lambda: failures.returns(17.0), lambda: failures.missing(1.0)):
        with pytest.raises(Refusal, match="would be right"):
            bad()


def lost(place, *under):
    total = normal_form(place).payoff.sum(0)
    return [float(total.max() - total[a]) for a in pure(normal_form(govern(place, *under)))]


def test_institutions_mend_what_they_are_for_and_nothing_else():
    smoke, few = Works(firms=2), Works.preset("oligopoly")
    assert lost(smoke) == pytest.approx([0.125])
    assert lost(smoke, Levy(on="output", rate=0.5)) == pytest.approx([0], abs=1e-6)
    assert lost(smoke, Permits(cap=1.5, price=0.5)) == pytest.approx([0], abs=1e-6)
    assert lost(smoke, Levy(on="output", rate=1.0))[0] > 0.1
    assert lost(few) == pytest.approx([32 / 9], abs=1e-5)
    assert max(lost(few, Levy(on="output", rate=-4.0))) < 1e-5
    assert lost(few, Levy(on="output", rate=0.5))[0] > 32 / 9


def test_the_price_of_permits_rises_where_too_many_are_wanted():
    import jax
    import jax.numpy as jnp

    place = govern(Works(firms=2, horizon=3), Permits(cap=1.0, price=0.5, speed=0.2))
    state = place.reset(jax.random.key(0))
    state, out = place.step(jax.random.key(0), state, {"make": jnp.array([8, 4, 0])})  # 2 and 1 of 1
    np.testing.assert_allclose(out.events["permits.paid"], 0.5 * (np.array([2.0, 1, 0]) - 1 / 3), atol=1e-6)
    np.testing.assert_allclose(place.senses(state)["permits.price"][:, 0], 0.5 + 0.2 * 2, atol=1e-6)


# --- the played market ----------------------------------------------------------------------------------------------


def test_the_bazaar_at_the_exact_offers_is_the_exact_economy():
    """And who trades, withholds or takes is paid as by hand."""
    import jax
    import jax.numpy as jnp

    place = Bazaar()
    day = lambda **a: place.step(jax.random.key(0), place.reset(jax.random.key(0)),  # noqa: E731
                                 {k: jnp.array(v) for k, v in a.items()})[1]  # fmt: skip
    honest = {"price": [1, 1], "amount": [3, 7], "deliver": [1, 1], "take": [0, 0]}
    found = economies.named("edgeworth").equilibria()[0]
    np.testing.assert_allclose(day(**honest).reward, found.utilities, atol=1e-6)
    np.testing.assert_allclose(day(**honest).events["traded"], 0.75)
    cheat = day(**honest | {"deliver": [0, 1]})  # Ann has all wine, and the bread
    np.testing.assert_allclose(cheat.reward, [0.5**0.75, 0], atol=1e-6)
    np.testing.assert_allclose(cheat.events["withheld"], [0.5, 0], atol=1e-6)  # 0.75 at 2/3
    war = day(price=[0, 0], amount=[0, 0], deliver=[1, 1], take=[1, 1])  # each loses half, and has 0.4 of the other's
    np.testing.assert_allclose(war.reward, [0.5**0.25 * 0.4**0.75, 0.4**0.5 * 0.5**0.5], atol=1e-6)
    np.testing.assert_allclose(war.events["taken"], [[0, 0.5], [0.5, 0]], atol=1e-6)
    assert not day(**honest | {"price": [2, 1]}).events["traded"].any()  # asked for more than is bid
    long = day(**honest | {"amount": [4, 6]})  # Ann offers 1, Bob wants 0.5
    np.testing.assert_allclose(long.events["traded"], 0.5, atol=1e-6)


def test_property_and_contract_bring_the_exact_equilibrium_back():
    gains = {name: bazaar.leaving(*under) for name, under in bazaar.STACKS.items()}
    assert min(gains["nothing"], gains["title"], gains["escrow"]) > 0.1
    assert gains["title and escrow"] == pytest.approx(0, abs=1e-6)
    court = lambda rate: bazaar.leaving(Title(), Monitor(on="withheld", cost=0.0), Fine(on="monitor.caught", rate=rate))  # noqa: E731
    assert court(1.0) == pytest.approx(0, abs=1e-6)
    assert court(0.25) > 0.01
    assert bazaar.leaving(Title(cost=0.1), Escrow()) == pytest.approx(0, abs=1e-6)  # all pay, whatever they do


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
