"""The guides: what they show runs, in their order, and no link leads nowhere."""

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


PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_link_leads_nowhere(page):
    for place, anchor in re.findall(r"\]\((?!https?:|<)([^)#\s]*)(#[^)\s]*)?\)", page.read_text()):
        there = (page.parent / place) if place else page
        assert there.exists(), place
        if anchor and there.suffix == ".md":
            heads = re.findall(r"^#+ (.+)$", there.read_text(), re.M)
            assert anchor[1:] in {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in heads}, anchor
