"""The studies of culture end to end at their smallest, and their charts."""

import json
import re

import numpy as np
import pytest

from nomoi import study
from nomoi.claims import UNTESTED
from nomoi.report import charts, figures, page
from nomoi.studies import anything_else, average_fitness, niche, silly_communities

FAMILY = [average_fitness, niche, anything_else, silly_communities]


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return {m.STUDY.name: study.run(m.STUDY, "smoke", folder) for m in FAMILY}


def test_names_are_those_of_the_family(findings):
    assert list(findings) == ["average_fitness", "niche", "anything_else", "silly_communities"]
    assert all(study.find(name)[0].name == name for name in findings)


@pytest.mark.parametrize("module", FAMILY)
def test_every_claim_has_an_effect_and_none_is_judged_at_smoke(module, findings):
    found = findings[module.STUDY.name]
    for verdict in found.verdicts:
        assert verdict.verdict == UNTESTED
        assert np.isfinite(verdict.estimate.mean), verdict.claim.text
        assert verdict.claim.published == ""  # no value of these papers was read
    texts = [v.claim.text for v in found.verdicts]
    assert len(texts) - len(set(texts)) <= texts.count("... and nowhere else")


@pytest.mark.parametrize("module", FAMILY)
def test_settings_are_plain_and_name_every_parameter(module):
    for size in ("smoke", "laptop", "paper"):
        for condition in module.conditions(size):
            json.dumps(dict(condition.settings))
            assert all(isinstance(v, (int, float, str)) for v in condition.settings.values())


@pytest.mark.parametrize("module", FAMILY)
def test_sections_make_a_page(module, findings):
    sections = module.STUDY.sections(findings[module.STUDY.name].results)
    assert any(isinstance(s, page.Figure) for s in sections)
    text = page.page("x", "y", sections)
    assert text.count("<svg") == sum(isinstance(s, page.Figure) for s in sections)


def test_lines_draw_what_they_are_given():
    x = np.linspace(0, 1, 5)
    dots = {"b": ([0.5], np.array([[1.0], [2.0]]))}
    text = figures.svg(charts.lines({"a": (x, x), "b": (x, 1 - x)}, "unit", "Title", "across", dots, {"here": 0.3}))
    for word in ("Title", "across", "unit", "here", "simulated"):
        assert word in text
    bare = figures.svg(charts.lines({"n": ([4, 8, 16, 64], [1, 2, 3, 4])}, "unit", "T", "size", log=True))
    assert "simulated" not in bare
    assert {"4", "8", "16", "32", "64"} <= set(re.findall(r">(\d+)</text>", bare))


def test_regions_name_their_borders():
    x = y = np.linspace(0, 1, 4)
    chart = charts.regions("T", "across", "up", x, y, np.outer(y, x), {"edge": (x, y)}, [("inside", 0.5, 0.2)], "gain")
    text = figures.svg(chart)
    for word in ("edge", "inside", "gain", "across", "up"):
        assert word in text
