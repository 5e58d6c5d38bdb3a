"""Claims of studies that could not fail: a peak is not looked for where it is measured, habit is no contract's gain."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import jax
import numpy as np
import pytest
from small import SITUATIONS

from nomoi.measure.statistics import estimate
from nomoi.report.study import before
from nomoi.runs import study
from nomoi.runs.claims import Claim, Results, Verdict
from nomoi.runs.record import Record
from nomoi.runs.study import Computed, Trained
from nomoi.studies import (
    altar_raw,
    fishery,
    manipulation,
    moca,
    moca_cleanup,
    punishing,
    schelling,
    silly_rules,
    tragedy,
)

HERE = Path(__file__)  # no record is read from disk
EXACT = ("dilemmas", "conventions", "turn_taking", "contracts", "teams", "fishery")
MINE = (*EXACT, "savage", "authority", "tragedy", "schelling", "silly_rules", "silly_phase", "altar", "altar_open",
        "altar_raw", "altar_residents", "altar_transfer", "moca", "moca_cleanup", "moca_driving")  # fmt: skip


class Told(Record):
    """A record that is what it is told to be: {measure: values over training}."""

    def curve(self):
        return {name: (np.arange(1.0, len(v) + 1), v) for name, v in self.facts.items()}


def of(conditions) -> Results:
    """From {condition: {measure: [seeds, K]}}."""
    records = {}
    for label, table in conditions.items():
        seeds = range(len(next(iter(table.values()))))
        records[label] = tuple(Told(HERE, {m: np.asarray(v[k], float) for m, v in table.items()}) for k in seeds)
    return Results(records)


def claims(module, words: str) -> list[Claim]:
    found = [c for c in module.CLAIMS if words in c.text]
    assert found
    return found


FLAT = {
    "silly_rules": (silly_rules, "then declines", (silly_rules.IMPORTANT, silly_rules.SILLY), "correct"),
    "tragedy": (tragedy, "first rises above random", ("learned", "random", "learned, open", "random, open"), "harvest"),
}


def test_a_rise_of_ratings_is_no_share_of_answers():
    units = {r.text: r.unit for r in manipulation.READINGS}
    assert units["2 %: rise of the rating, which is what is learned from"] == "points of 1 to 10"
    assert units["... and of how those fare who can be manipulated"].startswith("welfare")


def test_the_page_of_punishing_says_that_a_norm_to_give_alone_is_felt_less_than_by_drift():
    told = {r.text for r in punishing.READINGS}
    assert {f"How strongly a norm is felt that asks {x}" for x in ("to give", "to give and to punish")} < told


@pytest.mark.parametrize("name", FLAT)
def test_flat_noise_has_no_peak(name):
    module, words, labels, measure = FLAT[name]
    rng, held, shown = np.random.default_rng(0), [], []
    rise = np.array([5.0, 15, 8, *[0] * 7]).repeat(4)
    for _ in range(40):
        flat = of({label: {measure: rng.normal(20, 1, (6, 40))} for label in labels})
        held += [c.judge(flat, "laptop").verdict == "holds" for c in claims(module, words)]
    for _ in range(3):
        bump = of({x: {measure: rng.normal(20, 1, (6, 40)) + rise * ("random" not in x)} for x in labels})
        shown += [c.judge(bump, "laptop").verdict == "holds" for c in claims(module, words)]
    assert np.mean(held) < 0.08  # nominal .025
    assert all(shown)


def test_one_peak_is_higher_only_where_it_is():
    (claim,) = claims(silly_rules, "half as high again")
    rng, shape = np.random.default_rng(1), np.array([5.0, 15, 15, *[0] * 7])
    for ratio, verdict in ((1.2, "fails"), (1.5, "inconclusive"), (2.4, "holds")):
        heights = {silly_rules.IMPORTANT: 1.0, silly_rules.SILLY: ratio}
        found = of({arm: {"correct": rng.normal(h, 0.05, (6, 1)) * shape} for arm, h in heights.items()})
        assert claim.judge(found, "laptop").verdict == verdict


def test_no_contract_is_best_among_contracts_that_do_nothing():
    (claim,) = [c for c in moca_cleanup.CLAIMS if c.text.startswith("It is the contract that binds")]
    label, rng = f"{moca.EACH}, {moca_cleanup.TAG}", np.random.default_rng(2)
    for gain, most, least in ((0.0, 0.1, 0), (2.0, 1, 0.9)):
        held = []
        for _ in range(30):
            table = {f"theta = {k}": rng.normal(10, 1, (5, 1)) + gain * k for k in range(4)}
            found = of({label: {moca.UNBOUND: rng.normal(10, 1, (5, 1))} | table})
            held.append(claim.judge(found, "laptop").verdict == "holds")
        assert least <= np.mean(held) <= most


def test_habit_is_no_gain_of_a_contract():
    """MOCA brings 185 where separate learners have nothing; what its play brings without a contract is not its gain."""
    (claim,) = [c for c in moca_cleanup.CLAIMS if c.text.startswith("MOCA brings more than separate")]
    (cleans,) = claims(moca_cleanup, "MOCA cleans more")
    tag, steady = moca_cleanup.TAG, lambda x: np.array([[x], [x + 0.1]])
    for habit, verdict in ((147, "holds"), (0, "holds"), (185, "fails"), (200, "fails")):
        found = of({
            f"{moca.MOCA}, {tag}": {"reward": steady(185), "cleaned": steady(185)},
            f"{moca.SEPARATE}, {tag}": {"reward": steady(0), "cleaned": steady(0)},
            f"{moca.EACH}, {tag}": {moca.UNBOUND: steady(habit)},
            f"{moca_cleanup.CLEANED}, {tag}": {moca.UNBOUND: steady(habit)},
        })  # fmt: skip
        assert claim.judge(found, "laptop").verdict == cleans.judge(found, "laptop").verdict == verdict
    np.testing.assert_allclose(np.asarray(claim.effect(found)), [-15, -15])


def test_the_lead_of_a_tax_is_over_the_best_of_the_others():
    (claim,) = [c for c in fishery.CLAIMS if c.text.startswith("No other tax makes 2")]
    for rival, verdict in ((3.9, "holds"), (4.2, "fails")):
        told = {"welfare at 0.5": 4.1, "welfare at 0": 1, "welfare at 0.75": rival, "gain from departing at 0": 9}
        found = of({"N = 2, first": {m: [[v]] for m, v in told.items()}})
        found = dataclasses.replace(found, exact=frozenset(found.records))
        assert claim.judge(found, "laptop").verdict == verdict


def test_every_lever_of_the_raw_altar_is_given_to_the_hidden_rule_too():
    made = {c.label: c for c in altar_raw.trials("laptop") if isinstance(c, Trained)}
    for one, other in altar_raw.PAIRS.values():
        a, b = made[one], made[other]
        assert (a.learner, a.steps, bool(a.parent)) == (b.learner, b.steps, bool(b.parent))
        assert a.under != b.under


@pytest.mark.parametrize("name", MINE)
def test_what_is_a_control_is_called_one_and_sources_can_be_opened(name):
    (one,) = study.find(name)
    for claim in one.claims:
        assert claim.text.startswith("Control: ") <= (claim.kind == "control"), claim.text
        assert not claim.published or claim.kind == "published", claim.text
        if claim.kind in ("published", "replica"):
            assert claim.source.startswith("ours") == (claim.kind == "replica"), claim.text


@pytest.mark.parametrize("name", EXACT)
def test_what_has_no_chance_in_it_is_computed_once(name):
    """A function that takes no key is exact, and only such."""
    (one,) = study.find(name)
    for c in one.trials("smoke"):
        assert isinstance(c, Computed)
        assert c.exact == (c.function.__annotations__["key"] == "None"), c.label


def test_a_best_response_is_set_beside_restraint_in_the_same_worlds():
    found = schelling.response(jax.random.key(0), SITUATIONS["harvest"], schelling.RESTRAINED, (), 4)
    assert found["one"] == found["one, if restrained"] > 0
    assert found["others"] == found["others, if restrained"] > 0
    made = {c.label: c for c in schelling.trials("smoke")}
    for name in schelling.MAPS:
        learns = made[made[f"response, {name}"].parent].learner
        assert (learns.residents.pupils, learns.residents.script) == (1, schelling.RESTRAINED)
        assert made[made[f"diagram, {name}"].parent].learner.residents is None


def test_what_is_ours_is_never_called_published():
    """Neither a value of a reading of ours, nor, above its column, what a trial of ours found."""
    for name in study.known():
        for one in study.find(name):
            assert not [r.text for r in one.readings if r.published and r.source.startswith("ours")], name
            for kind in ("published", "replica"):
                some = [Verdict(c, "holds", estimate(np.zeros(2))) for c in one.claims if c.kind == kind]
                assert before(some) in ([], ["published" if kind == "published" else "found before"])
            mine = [c.text for c in one.claims if c.kind == "published" and c.source.startswith("ours")]
            assert not mine, name
