"""Economies at the edge: prices far apart, owners of nothing, firms that hardly move, numbers beyond use."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nomoi.errors import Refusal
from nomoi.markets import economies, tatonnement, welfare
from nomoi.markets.assumptions import existence
from nomoi.markets.reading import economy
from nomoi.markets.verify import verify

HALVES = {"family": "cobb_douglas", "shares": [1, 1]}


def made(*rows, process=None, firm=None):
    """An economy of (utility, endowment), and of a producer whose profit is the first consumer's."""
    some = [{"utility": u, "endowment": list(e)} for u, e in rows]
    data = {"goods": list("abcdefgh"[: len(rows[0][1])]), "consumers": some}
    if process or firm:
        some[0]["shares"] = [1]
        data["producers"] = [{"technology": firm or {"family": "activities", "processes": [process]}}]
    return economy(data)


def status(e):
    return {f.name: f.status for f in e.assumptions()}


@pytest.mark.parametrize("rho", [-30, -40])
def test_prices_beyond_the_usual_line_are_found(rho):
    """One owns a million of a and both replace little: prices are 10^160 apart, and at them both rates are the same."""
    u = {"family": "ces", "rho": rho, "weights": [1, 1]}
    e = made((u, [1e6, 1]), (u, [1, 1]))
    (found,) = e.equilibria()
    x = found.allocation
    np.testing.assert_allclose((x[:, 1] / x[:, 0]) ** (1 - rho) / (found.prices[0] / found.prices[1]), 1, rtol=1e-9)
    np.testing.assert_allclose(x.sum(0), e.supply)


def test_prices_that_no_number_can_hold_are_said_to_be_missed():
    u = {"family": "ces", "rho": -60, "weights": [1, 1]}
    found = made((u, [1e6, 1]), (u, [1, 1])).equilibria()
    assert len(found) == 0
    assert "too far apart" in found.promise


def test_three_goods_whose_prices_are_far_apart():
    """Who is alone keeps what it has, at its marginal rates of substitution: 10^11 apart in value."""
    own, weights = np.array([0.034, 0.0037, 0.875]), np.array([0.005, 48.0, 0.18])
    (found,) = made(({"family": "ces", "rho": -4, "weights": weights.tolist()}, own)).equilibria("newton")
    rates = weights * own**-5
    np.testing.assert_allclose(found.prices, rates / rates.sum(), rtol=1e-9)
    assert found.index == 1


def test_fifteen_equilibria_are_all_found():
    """One for each group of goods that are cheap: 2^4 - 1, of which any order of the goods is one too."""
    found = economies.named("fifteen").equilibria("newton")
    assert len(found) == 15
    assert sorted(e.index for e in found) == [-1] * 7 + [1] * 8
    assert all(e.certificate.gain < 1e-9 and e.certificate.proved for e in found)
    prices = np.array([e.prices for e in found])
    for order in ([1, 0, 2, 3], [1, 2, 3, 0]):
        turned = prices[:, order]
        assert all(np.abs(prices - p).max(1).min() < 1e-9 for p in turned)


def test_linear_tastes_and_a_process_that_stops_for_want_of_an_input():
    """a and b are worth 1, c 2; 1 b is made of 0.12 a and 0.37 c, until no c is left, which is then worth more."""
    a, c = 0.12380050131683962, 0.36755463819041745
    linear = {"family": "linear", "worth": [1, 1, 2]}
    (found,) = made((linear, [3.4383779946288637, 0.12480435043771296, 5.662992553443885]),
                    process=[-a, 1, -c]).equilibria()  # fmt: skip
    np.testing.assert_allclose(found.prices / found.prices[0], [1, 1, (1 - a) / c], rtol=1e-9)
    np.testing.assert_allclose(found.levels, 5.662992553443885 / c, rtol=1e-9)


@pytest.mark.parametrize("scale", [0.1, 10.0])
def test_a_firm_that_hardly_moves_is_certified_and_one_that_should_move_is_not(scale):
    """b = scale a^0.99: at equal prices it makes (0.99 scale)^99 / 0.99 times the cost of what it would use."""
    e = made((HALVES, [1, 1]), firm={"family": "cobb_douglas", "output": "b", "shares": [1, 0], "scale": scale,
                                     "returns": 0.99})  # fmt: skip
    still = verify(e, np.ones(2), np.ones((1, 2)), np.zeros((1, 2)))
    assert still.holds == (scale < 1)
    assert e.equilibria()[0].certificate.holds


def test_who_owns_nothing_gets_nothing_and_what_it_alone_wants_is_no_price():
    poor = {"family": "quasi_linear", "money": "a", "worth": [1, 1], "power": -1}
    (found,) = made((poor, [0, 0]), (HALVES, [1, 3])).equilibria()
    np.testing.assert_allclose(found.allocation, [[0, 0], [1, 3]], atol=1e-12)
    assert found.data()["utilities"][0] is None  # it is below all numbers, which JSON does not know
    json.dumps(found.data(), allow_nan=False)
    lone = made(({"family": "linear", "worth": [1, 0]}, [1, 1]), ({"family": "linear", "worth": [0, 1]}, [0, 0]))
    assert status(lone)["irreducible"] == "refuted"  # b is owned by who does not want it, and its owner asks nothing
    assert len(lone.equilibria()) == 0


def test_who_can_have_enough_of_a_good_does_not_tie_others_in():
    """Ann has more of a than she would use, and Bob owns nothing else: his a is worth nothing to anybody but him."""
    full = {"family": "quasi_linear", "money": "b", "worth": [1, 1], "bend": [1, 1]}
    e = made((full, [5, 2]), (HALVES, [0.1, 0]))
    assert status(e)["irreducible"] == "not checkable"
    assert "silent" in existence(e.assumptions())
    assert len(e.equilibria()) == 0
    short = made((full, [0.5, 2]), (HALVES, [0.1, 0]))  # she would use 1 of it, and there are 0.6
    assert status(short)["irreducible"] == "proved"
    assert len(short.equilibria()) == 1


def test_who_owns_less_than_must_be_had_is_not_proved_to_live():
    needy = {"family": "stone_geary", "shares": [1, 1], "least": [0, 0.1]}
    assert status(made((needy, [1, 0]), (HALVES, [1, 1])))["irreducible"] == "not checkable"
    assert status(made((needy, [1, 0.1]), (HALVES, [1, 1])))["irreducible"] == "proved"


def test_a_stretch_of_prices_is_told_from_one():
    """Each wants both goods one to one, and there is one of each: any price will do, and the middle one is given."""
    pair = {"family": "leontief", "needs": [1, 1]}
    found = made((pair, [1, 0]), (pair, [0, 1])).equilibria()
    (inner,) = [e for e in found if (e.prices > 0).all()]
    assert inner.index == 0
    assert "continuum" in found.promise
    assert inner.prices[0] == pytest.approx(0.5, abs=0.01)


def test_what_is_left_over_of_a_process_is_free():
    """Half of the labour makes bread, and as much ash, which nobody wants."""
    eater = {"family": "cobb_douglas", "shares": [1, 1, 0]}
    (found,) = made((eater, [1, 0, 0]), process=[-1, 1, 1]).equilibria()
    np.testing.assert_allclose(found.prices, [0.5, 0.5, 0], atol=1e-9)
    np.testing.assert_allclose(found.levels, 0.5)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("goods", 0), None, "a name of up to 60 characters"),
        (("goods", 0), "x" * 61, "a name of up to 60 characters"),
        (("goods", 0), True, "a name of up to 60 characters"),
        (("consumers", 0, "name"), "\x1b", "a name of up to 60 characters"),
        (("consumers", 0, "endowment"), [1e60, 1], "between 1e-50 and 1e+50"),
        (("consumers", 0, "endowment"), {"b": 1e-60}, "between 1e-50 and 1e+50"),
        (("consumers", 0, "utility", "family"), "x" * 100, "..."),
    ],
)
def test_names_and_numbers_beyond_use_are_refused(place, value, said):
    data = {"goods": ["a", "b"], "consumers": [{"name": "Ann", "utility": dict(HALVES), "endowment": [1, 1]}]}
    *way, last = place
    inner = data
    for step in way:
        inner = inner[step]
    inner[last] = value
    with pytest.raises(Refusal) as refusal:
        economy(data)
    assert said in str(refusal.value)
    assert len(str(refusal.value)) < 250


def test_numbers_are_names_of_goods_too():
    data = {"goods": [1, 2], "consumers": [{"utility": HALVES, "endowment": {1: 3, 2: 1}}]}
    np.testing.assert_allclose(economy(data).supply, [3, 1])


def test_a_good_that_costs_nothing_is_printed(nomoi):
    full = {"family": "quasi_linear", "money": "a", "worth": [1, 1], "bend": [0, 1]}
    rows = [{"utility": full, "endowment": e} for e in ([1, 5], [1, 0])]
    Path("full.json").write_text(json.dumps({"goods": ["a", "b"], "consumers": rows}))
    code, out, err = nomoi("market", "./full.json")
    assert (code, err) == (0, "")
    assert "2 consumers, 2 goods, 0 producers" in out


def test_numbers_are_whole_on_a_narrow_terminal(nomoi, monkeypatch):
    from nomoi.report import market

    monkeypatch.setattr(market.console, "width", 40)
    code, out, _ = nomoi("market", "fisher")
    assert code == 0
    shown = out[: out.index("Linear exchange")]
    assert all(number in shown for number in ("0.50000", "0.30000", "0.20000", "0.16667", "4.1667"))
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 40


def test_firms_that_use_one_anothers_goods_are_not_said_to_need_inputs():
    """a makes b, and b makes a: by functions, so that no program tells whether it ends in more than it began with."""
    firm = lambda out, k: {"technology": {"family": "cobb_douglas", "output": out, "shares": k, "returns": 0.5}}  # noqa: E731
    rows = [{"utility": HALVES, "endowment": [1, 1], "shares": [1, 1]}]
    for other, said in (("b", "proved"), ("a", "not checkable")):
        firms = [firm("b", [1, 0]), firm(other, [1, 0] if other == "b" else [0, 1])]
        found = status(economy({"goods": ["a", "b"], "consumers": rows, "producers": firms}))
        assert (found["I.b"], found["I.c"]) == (said, said)


def test_reasons_of_refuted_assumptions_are_true_by_hand():
    bent = made((HALVES, [1, 1]), firm={"family": "cobb_douglas", "output": "b", "shares": [1, 0], "returns": 2})
    assert "makes 1 of 1 of each input and 0.25 of half" in bent.assumptions()[0].why
    dear = made((HALVES, [1, 1]), firm={"family": "fixed_cost", "output": "b", "input": "a", "fixed": 1, "marginal": 2})
    assert "can make 1 of 3" in dear.assumptions()[0].why
    assert "fixed proportions" in economies.named("scarf").assumptions()[-1].why


def test_paths_of_prices_keep_above_nothing_and_begin_where_they_can():
    box = economies.named("edgeworth")
    assert tatonnement.steps(box, np.array([0.9, 0.1]), 1e3, 1)[1].min() == 1e-12
    leap = tatonnement.steps(box, np.array([0.9, 0.1]), 1e6, 1, factor=True)
    np.testing.assert_allclose(np.abs(np.log(leap[1] / leap[0])), 50)
    mixed = made((HALVES, [1, 0]), ({"family": "linear", "worth": [1, 1]}, [0, 1]))
    for e, start in ((mixed, [1, 1]), (economies.named("robinson"), [1, 1]), (box, [1, 0]), (box, [1, 1, 1])):
        with pytest.raises(Refusal, match="tatonnement"):
            tatonnement.steps(e, np.array(start, float))


def test_optima_by_hand():
    """2 (m + log b) + (M + log B): all money to the first, and 2 / b = 1 / B."""
    u = {"family": "quasi_linear", "money": "a", "worth": [1, 1], "power": 0}
    e = made((u, [1, 1]), (u, [1, 0]))
    np.testing.assert_allclose(welfare.optimum(e, np.array([2.0, 1.0])), [[2, 2 / 3], [0, 1 / 3]], atol=1e-4)
    box = economies.named("edgeworth")
    assert welfare.improvement(box, np.array([[0.0, 0], [1, 1]])).optimal
    with pytest.raises(Refusal, match="uses more than"):
        box.pareto(np.array([[0.5, 0.5], [0.55, 0.5]]))
    assert (np.diff([x[0, 0] for x in welfare.curve(box, 5)]) > 0).all()


def test_who_waits_is_told_and_who_does_not_is_not(capsys):
    import time

    from nomoi.report.market import _patience

    with _patience(60):
        pass
    assert capsys.readouterr().err == ""
    with _patience(0):
        time.sleep(0.2)
    assert "looking for equilibria" in capsys.readouterr().err


def test_optima_of_fixed_proportions_fill_a_band():
    from nomoi.report import edgeworth

    rows = [({"family": "leontief", "needs": n}, own) for n, own in (([1, 2], [1, 0.5]), ([2, 1], [1, 1.5]))]
    (ax,) = edgeworth.box(made(*rows).equilibria()).axes
    filled = [c for c in ax.collections if c.get_facecolor().size and c.get_paths()[0].contains_point((0.1, 0.6))]
    assert len(filled) == 1  # both have too much sugar there: an optimum, and not in the core
    both = [c for c in ax.collections if c.get_facecolor().size and c.get_paths()[0].contains_point((0.3, 0.9))]
    assert len(both) == 2
