"""Formulas of the lab: every model, game, economy and objective with a control for each option."""

from __future__ import annotations

import math

import pytest

from nomoi.errors import Refusal
from nomoi.lab import form as forms
from nomoi.lab import formulas, models
from nomoi.lab.form import Form, Found
from nomoi.proxies.goodhart import Deferring


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A slow machine draws fewer points of a curve, and none where it is slower still."""
    monkeypatch.setattr(forms, "SECONDS", 60)


def said(form, of="", along="", **options):
    """{row: value} and the whole of what a page is told."""
    told = formulas.asked({"form": form, "options": options, "of": of, "along": along})
    return {row[0]: row[1] for row in told["rows"]}, told


@pytest.mark.parametrize("form", formulas.forms().values(), ids=lambda f: f.name)
def test_every_formula_answers_and_every_option_is_documented(form):
    told = form.told({})
    assert told["rows"] or told["said"]
    assert form.about
    for c in form.controls():
        assert c["meaning"]
        assert c["source"]
        assert not c["anew"]
    names = {row[0] for row in told["rows"]}
    assert told["of"] in (*told["numbers"], *names, "")
    if told["curve"]:
        assert len(told["curve"]["x"]) == len(next(iter(told["curve"]["lines"].values())))


def test_all_wings_are_there():
    wings = {f["wing"] for f in formulas.listed()}
    assert wings == {"populations", "law", "proxies", "games", "markets"}
    assert {"imitation", "punishment", "trade", "deferring", "incomplete", "stag_hunt", "edgeworth"} <= {
        f["name"] for f in formulas.listed()
    }


def test_numbers_worked_by_hand():
    # delta = .5 - .1 = .4; s = 1 - .2 = .8; threshold delta (1 - s) / (s (1 - delta)) = .08 / .48
    assert said("niche", learning="0.5", imitating="0.1", improve="0.2")[0]["threshold"] == "0.167"
    assert said("edgeworth")[0]["price of wine"] == "0.4000"
    assert said("deferring", mean="0", spread="2", noise="0")[0] == {
        "to whom knows": "0.798", "to whom errs": "0.798"
    }  # sigma / sqrt(2 pi)  # fmt: skip
    assert said("tasks", paid="1", first="1", second="1", rho="0")[0]["lost"] == "0.500"  # 1/2 of 1
    _, told = said("stag_hunt", of="basin of all C", along="P1 at D, C", **{"P1 at D, C": "2"})
    at = dict(zip(told["curve"]["x"], told["curve"]["lines"]["basin of all C"], strict=True))
    assert at[0.0] == pytest.approx(4 / 5)  # R - T = 4 against P - S = 1
    assert told["curve"]["at"] == 2
    rows, told = said("incomplete")
    assert float(rows["t*"]) > 0
    assert float(rows["at the end"]) < float(rows["at best"])
    u = told["curve"]["lines"]["utility"]
    assert told["curve"]["x"][u.index(max(u))] == pytest.approx(float(rows["t*"]), abs=0.1)


def test_a_curve_is_the_answer_at_each_value_and_a_gap_where_there_is_none():
    _, told = said("deferring", of="to whom knows", along="spread", mean="-1")
    curve = told["curve"]
    for x, y in list(zip(curve["x"], curve["lines"]["to whom knows"], strict=True))[::13]:
        assert y == pytest.approx(Deferring(mean=-1.0, spread=x).to_whom_knows(), abs=1e-5)
    assert min(curve["x"]) > 0  # the end that is left out is not asked for

    def answer(values, only):
        if values["mean"] > 0:
            raise Refusal("no.")
        return Found([], [], {"a": values["mean"], "b": math.inf})

    one = Form("odd", "ours", "about", {"mean": models.options(Deferring)["mean"]}, answer)
    line = one.told({"mean": "-1"})["curve"]
    assert [y is None for y in line["lines"]["a"]] == [x > 0 for x in line["x"]]


@pytest.mark.parametrize(
    ("form", "options", "why"),
    [
        ("nich", {}, "did you mean 'niche'"),
        (None, {}, "there is no formula"),
        (["niche"], {}, "there is no formula"),
        ("niche", {"switc": "0.1"}, "did you mean 'switch'"),
        ("niche", {"switch": "2"}, r"niche.switch is 2.0; a number in \[0, 1\]"),
        ("niche", {"switch": "often"}, "something like"),
        ("niche", {"switch": "nan"}, "something like"),
        ("niche", {"switch": 1}, "texts by name"),
        ("edgeworth", {"Ann utility shares wine": "-1"}, "would be right"),
        ("incomplete", {"start calm": "0.9"}, "the start costs"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(form, options, why):
    with pytest.raises(Refusal, match=why):
        formulas.asked({"form": form, "options": options})
