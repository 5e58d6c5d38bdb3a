"""The guides: what they show runs, in their order, and no link leads nowhere."""

import json
import re
import runpy
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GUIDES = sorted((ROOT / "docs" / "guide").glob("*.md"))
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.M | re.S)


@pytest.mark.parametrize("page", [p for p in GUIDES if "```" in p.read_text()], ids=lambda p: p.stem)
def test_what_a_guide_shows_runs(page, nomoi, capsys):
    names = {}
    shorter = page.read_text().replace("65536", "4096").replace("65_536", "4_096")
    for kind, text in BLOCK.findall(shorter):
        if kind == "console":
            for line in text.splitlines():
                if line.startswith("nomoi check "):  # test_examples.py checks what these check
                    continue
                status, _, err = nomoi(*shlex.split(line)[1:])
                assert status == 0, f"{line}: {err}"
            continue
        Path("snippet.py").write_text(text)
        names |= runpy.run_path("snippet.py", names, "__main__")
        said = capsys.readouterr().out.splitlines()
        for wanted in re.findall(r"^print\(.*\)  # (.+)$", text, re.M):
            assert wanted in said


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_lesson_runs_and_says_what_its_page_promises(whole, nomoi, capsys, monkeypatch):
    """The notebook's cells as one script; who learns in the lake only acts, unless it is lived whole."""
    monkeypatch.setenv("MPLBACKEND", "Agg")
    book = json.loads((ROOT / "docs" / "guide" / "lesson.ipynb").read_text())
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    cells = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] for cell in cells)
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])
    text = "\n".join("".join(cell["source"]) for cell in cells)
    quick = text.replace('"tabular", seeds=5, steps=80_000', '"random", seeds=2')
    assert quick != text
    Path("lesson.py").write_text(text if whole else quick)
    runpy.run_path("lesson.py", run_name="__main__")
    said = capsys.readouterr().out
    for promised in ("P1 plays D and gets 1.0", "levy 1.5: equilibria pay [[0.0, 2.5], [2.5, 0.0], [1.0, 1.0]]",
                     "levy 3.0: equilibria pay [[2.0, 2.0]]", "contract: both together get 4.0",
                     "plurality  chooses free", "borda      chooses levy", "beats each other one alone: levy",
                     "circle: None", "loss: True", "[0.5, 1.0, 2.0]"):  # fmt: skip
        assert promised in said


PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_link_leads_nowhere(page):
    for place, anchor in re.findall(r"\]\((?!https?:|<)([^)#\s]*)(#[^)\s]*)?\)", page.read_text()):
        there = (page.parent / place) if place else page
        assert there.exists(), place
        if anchor and there.suffix == ".md":
            heads = re.findall(r"^#+ (.+)$", there.read_text(), re.M)
            assert anchor[1:] in {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in heads}, anchor
