"""Claims and verdicts: what the whole interval allows, and what cannot be judged."""

from __future__ import annotations

import dataclasses
import math
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from training import put, what

from nomoi.errors import Refusal
from nomoi.measure.statistics import Estimate, estimate, exactly
from nomoi.report import study as reporting
from nomoi.runs import study
from nomoi.runs.claims import KINDS, Claim, Promised, Reading, Results, check, count, found, idle, told
from nomoi.runs.effects import scores
from nomoi.runs.record import Record
from nomoi.runs.study import Computed, Study, run

NONE = Results({})
SPREAD = [1.0, 2.0, 3.0]  # its interval is [-0.484, 4.48]


def judged(values, size="laptop", **bound):
    return Claim("It is so", "ours", lambda r: np.array(values, float), **bound).judge(NONE, size).verdict


@pytest.mark.parametrize(
    ("bound", "verdict"),
    [
        ({"above": -0.5}, "holds"), ({"above": -0.48}, "inconclusive"), ({"above": 4.4}, "inconclusive"),
        ({"above": 4.5}, "fails"), ({"below": 4.5}, "holds"), ({"below": 4.4}, "inconclusive"),
        ({"below": -0.5}, "fails"), ({"near": 2, "tolerance": 2.5}, "holds"),
        ({"near": 2, "tolerance": 2.4}, "inconclusive"), ({"near": 8, "tolerance": 3.5}, "fails"),
        ({"near": -4, "tolerance": 3.5}, "fails"), ({"above": -1, "below": 5}, "holds"),
        ({"above": -1, "below": 4}, "inconclusive"), ({"above": 0, "below": 5}, "inconclusive"),
    ],
)  # fmt: skip
def test_the_whole_interval_decides(bound, verdict):
    assert judged(SPREAD, **bound) == verdict


@pytest.mark.parametrize(
    ("values", "verdict"),
    [([1, 1, 1], "holds"), ([0, 0], "fails"), ([5.0], "not tested at this size"), ([], "not tested at this size"),
     ([math.nan, math.nan], "not tested at this size"), ([1, 2, math.inf], "inconclusive"), ([3, 3], "holds"),
     ([1.0, math.nan], "not tested at this size")],
)  # fmt: skip
def test_few_seeds_and_strange_values(values, verdict):
    assert judged(values, above=0) == verdict


def test_what_is_on_a_bound_is_outside():
    for bound in ({"above": 2}, {"below": 2}, {"near": 1, "tolerance": 1}, {"near": 3, "tolerance": 1}):
        assert judged([2.0, 2.0], **bound) == "fails", bound


def test_smoke_decides_nothing():
    assert judged([9, 9, 9], size="smoke", above=0) == "not tested at this size"
    point = Claim("It is so", "ours", lambda r: exactly(2.0), above=0)
    assert [point.judge(NONE, size).verdict for size in ("smoke", "laptop")] == ["not tested at this size", "holds"]


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=8), st.floats(-5, 5), st.floats(0.01, 5))
def test_near_is_above_and_below_at_once(values, near, tolerance):
    one = judged(values, near=near, tolerance=tolerance)
    assert one == judged(values, above=near - tolerance, below=near + tolerance)
    if one == "holds":
        assert judged(values, below=near - tolerance) == "fails"


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=8), st.floats(-5, 5))
def test_a_claim_and_its_opposite_never_both_hold(values, bound):
    verdicts = {judged(values, above=bound), judged(values, below=bound)}
    assert verdicts in ({"holds", "fails"}, {"inconclusive"}, {"fails"})


@pytest.mark.parametrize(
    "bound", [{}, {"near": 1}, {"near": 1, "tolerance": -1}, {"above": 2, "below": 1}, {"above": 1, "below": 1}]
)
def test_a_claim_that_says_nothing_or_the_impossible_is_refused(bound):
    with pytest.raises(Refusal, match="'It is so' cannot be judged"):
        Claim("It is so", "ours", lambda r: np.ones(3), **bound)


def test_a_kind_must_be_one_of_those_that_pages_count():
    with pytest.raises(Refusal, match="did you mean 'control'"):
        Claim("It is so", "ours", lambda r: np.ones(3), above=0, kind="contrl")


def test_bounds_and_findings_in_words():
    claim = lambda **b: Claim("x", "ours", lambda r: np.ones(3), unit="apples", **b)  # noqa: E731
    assert claim(above=0).bound() == "> 0"
    assert claim(below=0.5).bound() == "< 0.5"
    assert claim(above=1, below=2).bound() == "> 1 and < 2"
    assert claim(near=0, tolerance=0.02).bound() == "0 +- 0.02"
    assert told(estimate(SPREAD), "apples") == "2.00 [-0.484, 4.48] apples (n = 3)"
    assert told(exactly(0.5)) == "0.500 (exact)"
    assert told(estimate([4.0]), "apples") == "4.00 apples (one seed)"
    assert told(estimate([1.0, 1.0, math.nan])) == "1.00 [1.00, 1.00] (n = 2 of 3)"
    alone = lambda values: Claim("x", "ours", lambda r: np.array(values), above=0).judge(NONE, "smoke").found()  # noqa: E731
    assert (alone([1.0]), alone(SPREAD)) == ("1.00, of no run", "2.00 [-0.484, 4.48] (n = 3)")


def test_verdicts_are_counted_in_words():
    words = ["holds", "fails", "fails", "inconclusive", "not tested at this size"]
    verdict = Claim("x", "ours", lambda r: np.ones(3), above=0).judge(NONE, "laptop")
    told = [dataclasses.replace(verdict, verdict=word) for word in words]
    assert count(told) == "1 of 5 hold, 2 fail, 1 inconclusive, 1 not tested at this size"
    assert count(told[:1]) == "1 of 1 holds"
    assert count(told[1:2]) == "0 of 1 holds, 1 fails"


# --- exact and sampled ------------------------------------------------------------------------------------------


def half(key: None, of: float):
    assert key is None, "what is exact gets no key"
    return {"half": of / 2}


def noise(key, scale: float):
    import jax

    return {"noise": float(scale * jax.random.normal(key))}


CLAIMS = [
    Claim("Half of 4 is above 1", "Euclid", lambda r: r.late("four", "half"), above=1),
    Claim("Half of 4 is above half of 2", "Euclid", lambda r: r.late("four", "half") - r.late("two", "half"), below=0),
    Claim("Noise is no signal", "ours", lambda r: r.late("noise", "noise") + r.late("two", "half"), near=1,
          tolerance=99, kind="control"),
]  # fmt: skip
STUDY = Study(
    "halves", "?", CLAIMS,
    lambda size: [Computed("four", half, {"of": 4.0}, exact=True), Computed("two", half, {"of": 2.0}, exact=True),
                  Computed("noise", noise, {"scale": 0.1})],
    {"smoke": 1, "laptop": 4},
    readings=[Reading("half of two", "ours", lambda r: r.late("two", "half"), "one", "units")],
)  # fmt: skip


@pytest.fixture(scope="module")
def halves(tmp_path_factory):
    return run(STUDY, "laptop", tmp_path_factory.mktemp("halves"))


def test_what_is_exact_is_computed_once_and_gets_a_verdict(halves):
    assert [len(halves.results.records[label]) for label in ("four", "two", "noise")] == [1, 1, 4]
    assert [v.verdict for v in halves.verdicts] == ["holds", "fails", "holds"]
    assert [v.estimate.exact for v in halves.verdicts] == [True, True, False]
    assert [v.estimate.n for v in halves.verdicts] == [1, 1, 4]
    assert halves.verdicts[0].found() == "2.00 (exact)"
    assert found(lambda r: r.late("noise", "noise"), halves.results).n == 4
    with pytest.raises(Refusal, match="one number, and here are 2"):
        found(lambda r: np.repeat(r.late("two", "half"), 2), halves.results)


def test_kinds_are_counted_apart_and_what_the_model_says_gets_no_verdict(halves, tmp_path):
    assert reporting.summary(halves) == "Published claims: 1 of 2 hold, 1 fails. Controls: 1 of 1 holds."
    text = reporting.write_summary(halves, tmp_path).read_text()
    assert "| Half of 4 is above 1 | holds | 2.00 (exact) | > 1 | Euclid |" in text
    assert "| claim | verdict | found, 95 % interval | must be | source |" in text
    assert "published |" not in text.split("## What the model says")[0]
    assert "| half of two | 1.00 units (exact) | one | ours |" in text
    assert list(KINDS.values())[3] in text
    data = halves.data()
    assert data["verdicts"][0] | {"bound": "> 1", "kind": "published", "exact": True} == data["verdicts"][0]
    assert data["model says"][0]["mean"] == 1.0


# --- names that will not be there -------------------------------------------------------------------------------


def test_a_claim_about_what_will_not_be_there_is_refused_before_anything_is_made(tmp_path, monkeypatch):
    from nomoi.runs import study
    from nomoi.situations.pool import Pool

    monkeypatch.setattr(study, "make", lambda *_, **__: pytest.fail("made"))
    place = Pool(horizon=6)
    for effect, said in (
        (lambda r: r.late("pol", "harvest"), "trial 'pol'; did you mean 'pool'"),
        (lambda r: r.late("pool", "harvset"), "measure of 'pool' 'harvset'; did you mean 'harvest'"),
        (lambda r: r.bins("pool", "levied"), "measure of 'pool' 'levied'"),  # no levy stands there
    ):
        claim = Claim("It is so", "ours", effect, above=0)
        bad = Study("x", "?", [claim], lambda size: [study.Trained("pool", place)], {"smoke": 1})
        with pytest.raises(Refusal, match=f"'It is so' cannot be judged: there is no {said}"):
            study.run(bad, "smoke", tmp_path)
    bad = Study("x", "?", CLAIMS[:1], lambda size: [Computed("for", half, {"of": 1.0})], {"smoke": 1})
    with pytest.raises(Refusal, match="no trial 'four'; did you mean 'for'"):
        run(bad, "smoke", tmp_path)


def test_functions_that_would_share_a_name_in_the_records_are_refused(tmp_path):
    import functools

    def inner(key):
        return {"m": 1.0}

    for function in (lambda key: {"m": 1.0}, inner, functools.partial(half, of=2.0)):
        bad = Study("x", "?", [], lambda size, f=function: [Computed("a", f)], {"smoke": 1})
        with pytest.raises(Refusal, match="'a' needs a function with a name of its own in a file"):
            run(bad, "smoke", tmp_path)


def test_noise_that_breaks_an_effect_is_no_fault_and_a_measure_unknown_until_made_is_refused_then(tmp_path):
    promised = Promised({"a": None, "b": ["m"]}, 3, frozenset("b"))
    check([Claim("x", "ours", lambda r: 1 / 0, above=0), Claim("x", "ours", lambda r: r.late("a", "any"), above=0)],
          promised)  # fmt: skip
    assert promised.late("a", "any").shape == (3,)
    assert promised.late("b", "m").shape == (1,)
    record = put(tmp_path, {"m": (np.zeros(1), np.ones(1))})
    with pytest.raises(Refusal, match="no measure of 'a' 'mm'; did you mean 'm'"):
        Results({"a": (record,)}).late("a", "mm")
    with pytest.raises(Refusal, match="no measure of 'a' 'mm'"):
        Results({"a": (record,)}).curve("a", "mm")


def test_a_claim_that_is_the_same_whatever_comes_is_said_and_others_are_not(tmp_path, nomoi):
    promised = Promised({"a": ["m"], "b": ["m"]}, 3, frozenset("b"))
    of = lambda effect: idle([Claim("so", "ours", effect, above=0)], promised)  # noqa: E731
    never = "0 whatever the runs bring, so it cannot hold, which asks for > 0; an effect of what"
    for effect, why in ((lambda r: 1.0, "1 whatever the runs bring, so it cannot fail; an effect of what"),
                        (lambda r: exactly(2.0), "2 whatever the runs bring, so it cannot fail"),
                        (lambda r: np.zeros(3), never), (lambda r: r.late("a", "m") * 0, never),
                        (lambda r: r.late("a", "m") - r.late("a", "m"), never)):  # fmt: skip
        (said,) = of(effect)
        assert why in said
    for effect in (lambda r: r.late("a", "m"), lambda r: r.late("a", "m") - r.late("b", "m"), lambda r: 1 / 0,
                   lambda r: (r.late("a", "m") < 0.05) * 1.0, lambda r: np.full(3, np.nan),
                   lambda r: exactly(r.late("a", "m").mean()),
                   lambda r: 1.0 if np.abs(r.late("a", "m")).max() > 20 else 1 / 0):  # fmt: skip
        assert of(effect) == []  # the last is defined on one noise alone, which tells nothing about others
    Path("st.py").write_text(IDLE)
    status, out, _ = nomoi("check", "st.py")
    assert status == 1
    assert "the claim 'Nothing is nothing' is 0 whatever the runs bring" in " ".join(out.split())
    assert "'Two is two'" not in out
    status, out, err = nomoi("run", "st.py")
    assert status == 0
    assert "the claim 'Nothing is nothing' is 0 whatever the runs bring" in " ".join(err.split())
    assert "0, of no run" in " ".join(out.split())
    assert "one seed" not in out


IDLE = """
from nomoi.runs.study import Claim, Computed, Study

def two(key):
    return {"two": 2.0}

STUDY = Study("st", "?", [Claim("Nothing is nothing", "ours", lambda r: 0.0, above=-1, kind="ours"),
                          Claim("Two is two", "ours", lambda r: r.late("two", "two"), above=1, kind="ours")],
              lambda size: [Computed("two", two, exact=True)], {"laptop": 2})
"""


def test_late_is_the_last_eighth_and_no_more(tmp_path):
    steps = np.arange(1, 33) * 100
    record = put(tmp_path, {"m": (steps, np.arange(1.0, 33.0)), "gone": (steps, np.full(32, np.nan))})
    assert record.late()["m"] == np.mean([29, 30, 31, 32])
    assert np.isnan(record.late()["gone"])
    assert record.late(0.5)["m"] == np.mean(np.arange(17, 33))


def test_scores_have_an_error_that_is_known_and_falls_with_the_root_of_the_seeds():
    class Seed(Record):
        def late(self):
            return self.facts

    at = lambda *z: scores("a", "z")(Results({"a": tuple(Seed(Path(), {"z": x}) for x in z)}))  # noqa: E731
    of = at(1.0, -1.0, 2.0, 0.0)
    assert (of.mean, of.n) == (0.5, 4)
    assert (of.low, of.high) == pytest.approx((0.5 - 1.96 / 2, 0.5 + 1.96 / 2), abs=1e-3)
    of = at(*[0.25] * 16)  # whatever the spread
    assert (of.low, of.high) == pytest.approx((0.25 - 1.96 / 4, 0.25 + 1.96 / 4), abs=1e-3)
    assert at(3.0).low == pytest.approx(3 - 1.96, abs=1e-3)  # one seed is enough to know it
    assert at(1.0, math.nan).n == 1


def test_an_effect_may_be_an_estimate_of_its_own():
    own = Estimate(-0.5, -0.5, -0.9, -0.1, 6)
    assert Claim("x", "ours", lambda r: own, below=0).judge(NONE, "laptop").verdict == "holds"


def test_what_names_are_tried_on_warns_of_nothing():
    """Noise, and names that only a run will tell, are divided by; that is nobody's number."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for name in study.names():
            one = study.named(name)
            if isinstance(one, study.Study):
                trials = one.trials("smoke")
                exact = frozenset(t.label for t in trials if t.exact)
                promised = Promised({t.label: None for t in trials}, one.seeds["smoke"], exact)
                check([*one.claims, *one.readings], promised)
    assert [str(w.message) for w in warned] == []


def test_a_claim_about_what_could_not_be_made_is_not_tested():
    some = Results({"a": ()}, exact=frozenset("ab"), missing={"b": "no maps here"})
    verdict = Claim("x", "ours", lambda r: r.late("b", "m"), above=0).judge(some, "laptop")
    assert (verdict.verdict, verdict.estimate.n, verdict.about) == ("not tested at this size", 0, True)
    assert verdict.found() == "- (n = 0)"


# --- old and fresh ----------------------------------------------------------------------------------------------


def test_what_other_code_made_is_never_set_against_what_this_code_made(tmp_path):
    """A claim about old and fresh records together is not tested; about old ones alone it is, and pages say so."""
    many = lambda label: tuple(  # noqa: E731
        put(tmp_path, {"m": (np.zeros(1), np.full(1, 1.0 + s))}, what(k=label, seed=s), label=label) for s in range(3)
    )
    results = Results({label: many(label) for label in "abc"}, old=frozenset("ab"))
    both = lambda one, other: lambda r: r.late(one, "m") - r.late(other, "m") + 1  # noqa: E731
    words = [Claim("x", "ours", both(*pair), above=0).judge(results, "laptop").verdict for pair in ("ab", "cc", "ac")]
    assert words == ["holds", "holds", "not tested at this size"]
