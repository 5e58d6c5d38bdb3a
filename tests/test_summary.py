"""What a study found, kept: tables and figures in Markdown; effects of claims."""

from __future__ import annotations

import numpy as np
import pytest
from training import put, what

from nomoi.measure.statistics import estimate, holm, number, ttest
from nomoi.report import page, terminal
from nomoi.report import study as reporting
from nomoi.runs import effects
from nomoi.runs.study import Claim, Computed, Findings, Results, Study, run


class Fake(Results):
    """Results with curves of ten points: value = slope * tenth + seed."""

    def __init__(self, **slopes: float):
        super().__init__({})
        object.__setattr__(self, "slopes", slopes)

    def curve(self, label, measure):
        return np.arange(1, 11.0), self.slopes[label] * np.arange(1, 11.0)[None] + np.arange(3.0)[:, None]

    def late(self, label, measure):
        return self.curve(label, measure)[1][:, -1]


def test_effects_are_differences_seed_by_seed():
    r = Fake(one=2.0, other=1.0)
    np.testing.assert_allclose(effects.late("x", "one", "other")(r), [10, 10, 10])
    np.testing.assert_allclose(effects.tenths("x", "one", "other", 1, 3)(r), [2, 2, 2])
    np.testing.assert_allclose(
        effects.percent("x", "one", "other")(r), 100 * np.array([20 / 10, 21 / 11, 22 / 12]) - 100
    )
    section = effects.pairwise(r, "Pairs", [("x", "one", "other"), ("x", "other", "other")])
    (table,) = reporting._corrected([section])
    assert table.rows[0][:3] == ["x", "one - other", "10.0"]
    assert len(table.rows[0]) == 2 + len(effects.COLUMNS) == len(table.columns)


def test_what_is_exact_is_the_same_for_every_seed_on_either_side():
    gap = effects._gap
    assert gap(np.array([1.0, 2, 4]), np.array([1.0])).tolist() == [0, 1, 3]
    assert gap(np.array([1.0]), np.array([1.0, 2, 4])).tolist() == [0, -1, -3]


def test_all_tests_of_a_page_are_corrected_together_and_stay_in_their_places():
    rng = np.random.default_rng(0)
    made = [ttest(rng.normal(1, 1, 6), rng.normal(0, 1, 6)) for _ in range(3)]
    sections = [
        effects.Tests("A", ["name"], [(["a"], made[0], ["x"])], ["after"]), page.Text("Words", []),
        effects.Tests("B", ["name"], [(["b"], made[1], []), (["c"], made[2], [])]),
    ]  # fmt: skip
    first, words, second = reporting._corrected(sections)
    holms = [number(p) for p in holm([one.p for one in made])]
    column = 1 + effects.COLUMNS.index("p, Holm")
    assert [row[column] for row in (*first.rows, *second.rows)] == holms
    assert [row[0] for row in (*first.rows, *second.rows)] == ["a", "b", "c"]
    assert first.rows[0][-1] == "x"
    assert words is sections[1]
    assert "holds" not in str((first, second))


def flip(key, shift: float):
    import jax

    return {"tally": float(jax.random.normal(key) + shift)}


def test_a_summary_keeps_tables_figures_and_how_they_were_made(tmp_path):
    svg = '<svg xmlns="http://www.w3.org/2000/svg"></svg>'
    study = Study(
        "flips",
        "Does a shift shift?",
        [Claim("It | does", "ours", lambda r: r.late("high", "tally") - r.late("low", "tally"), above=0)],
        lambda size: [Computed("high", flip, {"shift": 5.0}), Computed("low", flip, {"shift": 0.0})],
        {"laptop": 3},
        lambda r: [
            page.Figure("A picture", svg, "Nothing in it."),
            page.Text("Words", ["One.", "Two."]),
            page.Films("What moves", [("high", "A film.", b"", "image/webp")]),
        ],
        "A note.",
        ("tally",),
    )
    found = run(study, "laptop", tmp_path / "runs")
    assert isinstance(found, Findings)
    assert found.verdicts[0].verdict == "holds"
    path = reporting.write_summary(found, tmp_path / "kept")
    text = path.read_text()
    assert "3 seeds (0 to 2)" in text
    assert "--size laptop" in text
    assert "Brackets are 95 % intervals of the mean over seeds (Student's t)." in text
    assert "| It \\| does | holds |" in text
    assert "![A picture](flips-1.svg)" in text
    assert (tmp_path / "kept" / "flips-1.svg").read_text() == svg
    assert "One.\n\nTwo." in text
    assert "What moves" not in text
    assert "A note." in text
    path.write_text(text + "\n## Remarks\n\n- Written by hand.\n")
    again = reporting.write_summary(found, tmp_path / "kept").read_text()
    assert again == text + "\n## Remarks\n\n- Written by hand.\n"
    html = reporting.write_page(found, tmp_path / "page.html").read_text()
    assert "Does a shift shift?" in html
    assert "What moves" in html


def test_a_study_may_begin_at_a_seed_that_no_pilot_has_seen(tmp_path):
    claim = Claim("It does", "ours", lambda r: r.late("high", "tally"), above=0)
    one = Study("flips", "?", [claim], lambda size: [Computed("high", flip, {"shift": 5.0})], {"laptop": 3}, first=10)
    found = run(one, "laptop", tmp_path / "runs")
    assert [record.facts["spec"]["seed"] for record in found.results.records["high"]] == [10, 11, 12]
    assert "3 seeds (10 to 12)" in reporting.write_summary(found, tmp_path / "kept").read_text()


def test_a_conditions_table_shows_what_was_trained_with_intervals():
    assert estimate([1.0, 2.0, 3.0]).interval() != ""
    assert reporting._rows(["a"], [[None]]) == ["| a |", "| --- |", "| - |"]


LEARNED = ["altar", "altar_open", "altar_raw", "altar_transfer", "silly_rules", "silly_phase"]


@pytest.mark.parametrize("name", LEARNED)
def test_conditions_and_claims_of_a_study_fit_together(name):
    """Every size names its conditions; claims are judged by labels that exist, on curves of the right shape."""
    from nomoi.runs.study import find

    (study,) = find(name)
    for size in study.seeds:
        labels = [c.label for c in study.trials(size)]
        assert len(set(labels)) == len(labels)
        asked: set[str] = set()

        class Asked(Fake):
            def curve(self, label, measure, seen=asked):
                seen.add(label)
                return np.arange(1, 11.0), np.arange(30.0).reshape(3, 10) + 1

        for claim in study.claims:
            claim.effect(Asked())
        assert asked <= set(labels)


def test_how_much_was_computed_is_added_up(tmp_path):
    curve = {"m": (np.array([500.0, 1000.0]), np.ones(2))}
    made = lambda k, minutes, device, kind="Trained": put(  # noqa: E731
        tmp_path, curve, what(k, kind=kind), wall_seconds=60 * minutes, device=device
    )
    results = Results({"a": (made(0, 2, "cpu"), made(1, 3, "cpu")), "b": (made(2, 4, "GPU"),),
                       "c": (made(3, 50, "cpu", "Computed"),)})  # fmt: skip
    found = Findings(Study("x", "?", [], lambda size: [], {"laptop": 2}), "laptop", results, ())
    said = "3 training runs of 1,000 world steps, 9 minutes of one worker (GPU and cpu)"
    assert reporting._effort(found) == f", {said}"


def test_what_a_claim_must_be_is_never_cut_in_a_narrow_terminal(tmp_path, capsys, monkeypatch):
    """At 80 columns words are folded; `> 0.95` was once shown as `> 0.9`."""
    long = "Of those who were asked and answered at all, nearly every single one did as the rule says"
    bounds = {"above": 0.953}, {"near": 0.8751, "tolerance": 0.0125}, {"above": -0.25, "below": 0.751}
    effect = lambda r: r.late("all", "tally")  # noqa: E731
    claims = [
        Claim(f"{long}, {k}", "ours", effect, kind="ours", published="significantly more", **bound)
        for k, bound in enumerate(bounds)
    ]
    study = Study("up", "?", claims, lambda size: [Computed("all", flip, {"shift": 1.0})], {"smoke": 2})
    found = run(study, "smoke", tmp_path)
    monkeypatch.setattr(terminal.console, "_width", 80)
    terminal.verdicts(found)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    words = " ".join(out.split())
    for part in ("must be", "> 0.953", "0.8751 +-", "0.0125", "> -0.25 and", "< 0.751", "significantly"):
        assert part in words, part
