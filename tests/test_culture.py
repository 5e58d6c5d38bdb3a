"""The studies of culture and law: end to end at their smallest, what can turn their verdicts, and their charts."""

import dataclasses
import json
import re
from pathlib import Path

import jax
import numpy as np
import pytest

from nomoi.report import charts, figures, page
from nomoi.runs import study
from nomoi.runs.claims import FAILS, HOLDS, UNTESTED, Results
from nomoi.runs.store import Record
from nomoi.studies import (
    anything_else,
    arrows,
    average_fitness,
    charter_harvest,
    division_of_labour,
    group_size,
    law_coordination,
    niche,
    polities,
    silly_communities,
)

FAMILY = [
    average_fitness, niche, anything_else, silly_communities, group_size, division_of_labour, arrows, polities,
]  # fmt: skip
KEYS = re.findall(r"^- \*\*(.+?)\*\*:", (Path(__file__).parent.parent / "docs/sources.md").read_text("utf-8"), re.M)


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return {m.STUDY.name: study.run(m.STUDY, "smoke", folder) for m in FAMILY}


def test_names_are_those_of_the_families(findings):
    named = [s for family in ("culture", "law") for s in study.find(family)]
    assert {s.name for s in named} == {*findings, "law_coordination", "charter_harvest"}
    assert all(study.find(name)[0].name == name for name in findings)


@pytest.mark.parametrize("module", [*FAMILY, law_coordination, charter_harvest])
def test_every_source_can_be_opened_or_is_ours(module):
    for one in [*module.STUDY.claims, *module.STUDY.readings]:
        assert not re.search(r"\bspec\b|seed \(|trial of|^derived|^inferred|\btutorial \((?!Hadfield)", one.source)
        if not re.match(r"ours\b", one.source):
            assert all(any(part.startswith(key) for key in KEYS) for part in one.source.split("; ")), one.source
            continue
        assert getattr(one, "kind", "ours") != "published", one.text


@pytest.mark.parametrize("module", FAMILY)
def test_every_claim_has_an_effect_and_none_is_judged_at_smoke(module, findings):
    found = findings[module.STUDY.name]
    for verdict in found.verdicts:
        assert verdict.verdict == UNTESTED
        if module is not group_size:  # which is smaller at smoke
            assert np.isfinite(verdict.estimate.mean), verdict.claim.text
            assert verdict.claim.published == ""  # no value of these papers was read
    for reading, estimate in found.readings():
        assert np.isfinite(estimate.mean), reading.text
    texts = [v.claim.text for v in found.verdicts]
    assert len(texts) == len(set(texts))


@pytest.mark.parametrize("module", FAMILY)
def test_settings_are_plain_and_name_every_parameter(module):
    for size in ("smoke", "laptop", "paper"):
        for condition in module.trials(size):
            json.dumps(dict(condition.settings))
            assert all(isinstance(v, (int, float, str)) for v in condition.settings.values())


@pytest.mark.parametrize("module", FAMILY)
def test_sections_make_a_page(module, findings):
    sections = module.STUDY.sections(findings[module.STUDY.name].results)
    assert any(isinstance(s, page.Figure) for s in sections)
    text = page.page("x", "y", sections)
    assert text.count("<figure>") == sum(isinstance(s, page.Figure) for s in sections)


# --- verdicts that something could turn ------------------------------------------------------------------------------


class Row(Record):
    """A record that is just what a condition's function gave: {measure: value}."""

    def late(self):
        return {name: float(value) for name, value in self.facts.items()}


def given(exact=(), **made):
    """Results in which each condition has what its function gave, seed by seed."""
    rows = {label: tuple(Row(Path(), dict(row)) for row in found) for label, found in made.items()}
    return Results(rows, frozenset(exact))


def judged(module, text, **made):
    """The verdict on the only claim that begins with `text`; `made` gives what each seed found, by condition."""
    (claim,) = [c for c in module.CLAIMS if c.text.startswith(text)]
    return claim.judge(given(**made), "laptop").verdict


def seeds(function, times=3, /, **settings):
    return [function(jax.random.key(k), **settings) for k in range(times)]


def test_a_mutation_that_is_not_scaled_with_selection_turns_rogers_paradox():
    rare = dict(average_fitness.RARE) | {"generations": 4000, "strength": 0.02, "replicates": 20}
    text = "... where nobody fares better than if all learned: Rogers' paradox (n 1, gamma .01"
    for mutants, fails in ((1e-5, False), (2e-3, True)):
        made = {"genes, n 1, gamma .01, C .3": seeds(average_fitness.genes, **rare, mutants=mutants)}
        assert (judged(average_fitness, text, **made) == FAILS) == fails


def test_play_with_half_the_punishment_turns_what_moralists_resist(monkeypatch):
    games = {"low": -3.0, "high": 6.0, "many": 6, "groups": 300}
    text = "Where being punished costs enough, a quarter more than the bound, moralists resist who never contributes"

    def found(times):
        return {"M against U, p 1.25 of the bound": seeds(anything_else.drawn, mutants="U", times=times, **games)}

    contest = dict(anything_else.PLAYED) | {"resident": "M", "mutant": "U", "groups": 300}
    agrees = "Play agrees with the closed form (U among M)"
    assert judged(anything_else, text, **found(1.25)) == HOLDS
    assert judged(anything_else, text, **found(0.8)) == FAILS
    assert judged(anything_else, agrees, **{"U among M": seeds(anything_else.contest, **contest)}) == HOLDS
    honest = anything_else.play
    monkeypatch.setattr(anything_else, "play", lambda g, *a: honest(g.but(punished=g.punished / 2), *a))
    assert judged(anything_else, text, **found(1.25)) == FAILS
    assert judged(anything_else, agrees, **{"U among M": seeds(anything_else.contest, **contest)}) == FAILS


def test_without_a_cut_no_extractive_regime_ends():
    nothing = seeds(polities.drawn, 2, polities=2, cut=0.0)
    for text in ("Constraints", "Broad power", "It ends in most where the elite once"):
        assert judged(polities, text, drawn=nothing) == FAILS
    assert judged(polities, "Constraints", drawn=seeds(polities.drawn, 2, polities=2, cut=0.9)) == HOLDS


def test_a_bound_that_is_off_by_a_thousandth_is_found_by_value_iteration(monkeypatch):
    monkeypatch.setattr(law_coordination, "GRID", ((0.6,), ((0.1, 0.2),)))
    off = lambda: law_coordination.iteration(None, 0.2)["joint"]  # noqa: E731
    assert off() < 1e-6
    honest = law_coordination.bound
    monkeypatch.setattr(law_coordination, "bound", lambda *a: dataclasses.replace(
        honest(*a), value=1.001 * honest(*a).value))  # fmt: skip
    assert off() > 1e-4


def test_only_attributes_that_can_lower_the_bound_are_asked():
    found = law_coordination.laws(jax.random.key(0), 8, 25)
    lowers = {name for name in law_coordination.attributes.ATTRIBUTES if found[f"{name} lowers"] > 0}
    assert lowers
    assert lowers <= set(law_coordination.MAY_HARM)


def test_a_little_judgement_is_seen_where_rules_are_said_to_be_only_copied():
    (copied,) = [r for r in arrows.READINGS if r.text.startswith("copied and nothing else")]
    for judgement, little in ((0.0, True), (0.5, False)):
        made = seeds(arrows.village, generations=100, villages=200, judgement=judgement)
        found = copied.effect(given(**{"copying alone": made}))
        assert (max(abs(found.low), abs(found.high)) < 2) == little


def test_how_much_of_the_gap_norms_close():
    """4 of 20 needed: the best is 0.8 + 2."""
    text = "They close more than half of the gap to the best, h (1 - m / N) + B (4"
    none, better = "no norms, 4 needed", "norms, copied from better groups, 4 needed"
    for paid, verdict in (((2.60, 2.61), HOLDS), ((2.00, 2.01), FAILS)):
        made = {none: [{"payoff": 1.8}] * 2, better: [{"payoff": x} for x in paid]}
        assert judged(division_of_labour, text, **made) == verdict


def test_in_nine_of_ten_worlds_the_tutorials_condition_says_who_gains(monkeypatch):
    few = {"worlds": 24, "generations": 3000, "strength": 0.05, "mutants": 1e-5, "replicates": 2, "order": "II"}
    text = "Culture raises mean fitness where (delta / (1 - delta)) a > gamma: in nine of ten worlds that are drawn"
    text += " (order II)"
    assert judged(niche, text, **{"drawn, order II": seeds(niche.drawn, 2, **few)}) == HOLDS
    honest = niche.Niche.tutorial_threshold
    monkeypatch.setattr(niche.Niche, "tutorial_threshold", lambda m: dataclasses.replace(
        honest(m), value=10 * honest(m).value))  # fmt: skip
    assert judged(niche, text, **{"drawn, order II": seeds(niche.drawn, 2, **few)}) != HOLDS


# --- charts ---------------------------------------------------------------------------------------------------------


def test_lines_draw_what_they_are_given():
    x = np.linspace(0, 1, 5)
    dots = {"b": ([0.5], np.array([[1.0], [2.0]]))}
    text = figures.svg(charts.lines({"a": (x, x), "b": (x, 1 - x)}, "unit", "Title", "across", dots, {"here": 0.3}))
    for word in ("Title", "across", "unit", "here", "simulated"):
        assert word in text
    bare = figures.svg(charts.lines({"n": ([4, 8, 16, 64], [1, 2, 3, 4])}, "unit", "T", "size", log=True))
    assert "simulated" not in bare
    assert "lines: formula" in bare
    assert "lines: fitted" in figures.svg(charts.lines({"n": (x, x)}, "unit", "T", "size", of="fitted"))
    assert {"4", "8", "16", "32", "64"} <= set(re.findall(r">(\d+)</text>", bare))


def test_regions_name_their_borders():
    x = y = np.linspace(0, 1, 4)
    chart = charts.regions("T", "across", "up", x, y, np.outer(y, x), {"edge": (x, y)}, [("inside", 0.5, 0.2)], "gain")
    text = figures.svg(chart)
    for word in ("edge", "inside", "gain", "across", "up"):
        assert word in text
