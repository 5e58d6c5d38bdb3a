"""What the documents show runs, and what they promise is there."""

from __future__ import annotations

import doctest
import importlib
import re
import runpy
import shlex
import tomllib
from pathlib import Path

import pytest

import nomoi
from nomoi import catalogue
from nomoi.core import govern
from nomoi.runs import regimes, study

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
RESULTS = (ROOT / "docs" / "results" / "README.md").read_text()
CARDS = {**catalogue.situations(), **catalogue.institutions()}


def test_the_example_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)```", README, re.S)
    assert code
    text = code[1].replace("steps=100_000", "steps=1").replace("seeds=2", "seeds=2, set=SET")
    # all regimes are one program: without the third, which only has to govern here, it is a third of it
    less = text.replace(', "altar+sanction"]', "]").replace("agents=5)", "agents=5, horizon=20)")
    Path("example.py").write_text(less)
    told = runpy.run_path("example.py", {"SET": ["learner.worlds=4", "learner.steps=8"]})
    assert "Estimate(mean=" in capsys.readouterr().out
    govern(told["village"], *regimes.parse("", "altar+sanction", {}).institutions)


def test_the_readme_solves_a_governed_game(tmp_path, capsys):
    (tmp_path / "example.py").write_text(re.findall(r"```python\n(.*?)```", README, re.S)[1])
    runpy.run_path(str(tmp_path / "example.py"))
    assert capsys.readouterr().out.split() == ["4.0", "0.0"]


def test_what_the_page_about_play_shows_is_what_happens(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "play.md").read_text()
    (tmp_path / "page.py").write_text("\n".join(re.findall(r"```python\n(.*?)```", page, re.S)))
    told = runpy.run_path("page.py")
    said = capsys.readouterr().out
    asked = re.search(r"```text\n(.*?)```", page, re.S)
    assert asked
    assert said.startswith(asked[1])
    assert said.endswith("True 6\n")
    assert told["table"].outcome[0].events["contract.bound"] == 1


def test_what_the_page_about_speaking_shows_is_what_is_said(tmp_path, capsys):
    page = (ROOT / "docs" / "speaking.md").read_text()
    (tmp_path / "page.py").write_text(re.findall(r"```python\n(.*?)```", page, re.S)[0])
    runpy.run_path(str(tmp_path / "page.py"))
    assert capsys.readouterr().out == re.findall(r"```text\n(.*?)```", page, re.S)[0]


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "examples").glob("*.py"))]
SHOWN = sorted({
    " ".join(found.replace("\\\n", " ").partition(" #")[0].split())
    for page in PAGES
    for found in re.findall(r"nomoi ((?:compare|goods) [a-z](?:[^`\n\\]|\\\n)*)", page.read_text())
    if not re.search(r"FILE|my_|\.json", found)
})  # fmt: skip


@pytest.mark.parametrize("words", SHOWN)
def test_every_comparison_that_is_shown_is_one_that_can_be_made(words):
    """Its situation is there, its regimes govern it, and each option touches something; nothing is run."""
    given: dict[str, list[str]] = {}
    first, *rest = shlex.split(words)[1:]
    for flag, value in zip(rest[::2], rest[1::2], strict=True):
        given.setdefault(flag, []).append(value)
    options = regimes.settings(given.get("--set", []))
    place = regimes.place(str(ROOT / first) if "/" in first else first, *given.get("--map", [None]), options)
    chosen = [regimes.parse(text, text, options) for text in given.get("--under", [])]
    for regime in chosen:
        govern(place, *regime.institutions)
    regimes.check_overrides(options, chosen, ["situation", "learner"])
    for text in given.get("--who", []):
        regimes.player(text, options.get("learner"))


def test_the_readme_has_its_two_commands_and_its_picture():
    assert "pip install -e . && nomoi compare harvest" in README
    tests = re.search(r"<!-- tests -->\n```\n(pip .*?)\n```", README)
    assert tests
    assert "pytest" in tests[1]
    for place in re.findall(r"\]\(([\w./-]+)\)", README):
        assert (ROOT / place).exists(), place


STUDIES = [name for name in study.known() if len(study.find(name)) == 1]


@pytest.mark.parametrize("name", STUDIES)
def test_the_list_of_results_says_of_every_study_what_its_page_says(name):
    rows = [line for line in RESULTS.splitlines() if line.startswith(f"| [`{name}`]({name}.md) |")]
    assert len(rows) == 1
    page = (ROOT / "docs" / "results" / f"{name}.md").read_text()
    counted = re.search(r"^## Verdicts\n\n(.*)$", page, re.M)
    head = page.split("\n## ")[0]
    said = "withdrawn" if "**Being rerun.**" in head else "not run yet" if "**Not run yet.**" in head else None
    assert rows[0].rsplit(" | ", 1)[1] == f"{said or (counted[1] if counted else None)} |"


@pytest.mark.parametrize("name", CARDS)
def test_cards_have_their_parts_and_their_snippets_run(name):
    cls = CARDS[name]
    card = cls.__doc__ or ""
    parts = (
        ("observation", "actions", "reward", "events", "end", "state") if name in catalogue.situations() else ("needs",)
    )
    for part in parts:
        assert part in card, f"{name} lacks {part}"
    module = importlib.import_module(cls.__module__)
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


@pytest.mark.parametrize("name", CARDS)
def test_every_option_says_what_it_means_and_where_it_is_from(name):
    from nomoi.core import options

    for option, facts in options(CARDS[name]).items():
        assert facts.meaning, option
        assert facts.source, option


def test_no_document_names_a_registry():
    for file in [*ROOT.glob("*.md"), *ROOT.glob("*.toml"), *ROOT.glob("*.txt"), *ROOT.glob("docs/**/*.md")]:
        assert not re.search(r"pypi\.org|pythonhosted|registry\.npm", file.read_text()), file


def test_all_that_the_package_needs_is_packed():
    """Whatever is in it beside modules is named as its data, and its version stands in one place."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())
    home, packed = ROOT / "nomoi", told["tool"]["setuptools"]["package-data"]["nomoi"]
    there = {f for f in home.rglob("*") if f.is_file() and "__pycache__" not in f.parts}
    modules = {f for f in there if f.suffix == ".py" and (f.parent / "__init__.py").exists()}
    assert there == modules | {f for pattern in packed for f in home.glob(pattern) if f.is_file()}
    assert told["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "nomoi.__version__"}
    assert f"version: {nomoi.__version__}" in (ROOT / "CITATION.cff").read_text()
