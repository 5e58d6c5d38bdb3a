"""The site: every public name has its place on a reference page, and it is built with no link that leads nowhere."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from nomoi.cli import app
from nomoi.report.cards import laid
from nomoi.report.listed import KINDS, listed

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def docs():
    sys.path.insert(0, str(ROOT / "docs"))
    yield importlib.import_module
    sys.path.remove(str(ROOT / "docs"))


@pytest.fixture(scope="module")
def pages(docs):
    return docs("reference").things(ROOT)


def test_every_name_of_the_catalogue_has_its_page(docs, pages):
    for kind in KINDS:
        folder = f"reference/{docs('reference').folder(kind)}"
        whole = pages[f"{folder}/README.md"]
        for thing in listed(kind):
            page = pages.get(f"{folder}/{thing.name}.md")
            if page is None:
                assert f"\n## {thing.name}\n" in whole
                continue
            assert page.startswith(f"# {thing.name}\n")
            assert f"[`{thing.name}`]({thing.name}.md)" in whole
            if thing.written:
                assert f"`{thing.written.home}.{thing.written.name}`" in page
    altar = pages["reference/institutions/altar.md"]
    assert "| `threshold` | `0.4` |   | a kind below this share of its capacity is locked | ours |" in altar


def test_every_package_of_python_and_every_command_has_its_page(docs):
    known = docs("reference")
    packages = {f"nomoi.{p.parent.name}" for p in ROOT.glob("nomoi/*/__init__.py")}
    assert packages - set(known.FOLDERS) == {
        "nomoi.cli",
        "nomoi.lab",
        "nomoi.report",
        "nomoi.studies",
    }  # commands reach these
    for home in ("nomoi", "nomoi.solve", "nomoi.markets"):
        assert len(known.public(home)) >= 8
    signature = known._signature("slug", lambda title, *more, separator="-": title)
    assert "slug(title, *more, separator='-')" in signature
    commands = known._commands()
    for command in app.registered_commands:
        assert f"\n## nomoi {command.name or command.callback.__name__}\n" in commands
    assert "--under" in commands


def test_every_page_and_guide_stands_at_the_side(docs):
    shown = str(_site().nav(ROOT))
    for page in (*ROOT.glob("docs/*.md"), *ROOT.glob("docs/guide/*.md")):
        assert f"'{page.relative_to(ROOT)}'" in shown, page


def test_without_its_tools_the_site_is_refused_in_a_sentence(docs, tmp_path, monkeypatch):
    site = _site()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"built with mkdocs and pygments, .*pip install -e '\.\[docs\]'"):
        site.build(tmp_path)


def _site():
    """docs/site.py, whose name is that of a module of Python's."""
    spec = importlib.util.spec_from_file_location("site_of_nomoi", ROOT / "docs/site.py")
    module, before = importlib.util.module_from_spec(spec), list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = before
    return module


def test_a_card_as_markdown_keeps_columns_and_snippets_and_escapes_what_is_no_markup(docs):
    text = "Of `a_b`, x_i < *two*.  A second\nline.\n\nneeds   that\nemits   this\n\n>>> 1 + 1\n2"
    assert docs("reference").prose(text) == (
        "Of `a_b`, x\\_i &lt; \\*two\\*.  A second\nline.\n\n"
        "```text\nneeds   that\nemits   this\n```\n\n```pycon\n>>> 1 + 1\n2\n```"
    )


def test_a_card_fits_a_terminal_of_80_columns():
    text = (
        "Says which may be taken.  The rest\nis a violation, " + "and so on " * 12 + "\n\n"
        "needs     a\nemits     one event, "
        + "another, " * 9
        + "and\n          a last one.  It is of all "
        + "such " * 12
        + "\n\n"
        ">>> 1 +  1\n2"
    )
    lines = laid(text, 80).split("\n")
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("Says which may be taken. The rest is a violation, and so on")
    assert lines[-2:] == [">>> 1 +  1", "2"]
    columns = lines[lines.index("needs     a") + 1 : -3]
    assert columns[0].startswith("emits     one event")
    assert len(columns) == 4
    assert all(line.startswith(" " * 10) and line[10] != " " for line in columns[1:])
    assert " ".join(laid(text, 80).split()) == " ".join(text.split())


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_the_site_is_built_and_a_link_that_leads_nowhere_ends_it(docs, tmp_path, monkeypatch):
    pytest.importorskip("mkdocs")
    site = importlib.util.spec_from_file_location("nomoi_site", ROOT / "docs" / "site.py")
    home = importlib.util.module_from_spec(site)
    site.loader.exec_module(home)
    home.build(tmp_path / "site")
    for package in home.reference.FOLDERS:
        page = (tmp_path / "site" / "reference" / "python" / f"{package}.html").read_text()
        assert set(re.findall(r'<h2 id="[\w-]+">(\w+)<', page)) == set(home.reference.public(package))
    built = {str(p.relative_to(tmp_path / "site")) for p in tmp_path.rglob("*.html")}
    assert {"index.html", "docs/guide/begin.html", "reference/institutions/altar.html", "docs/sources.html"} <= built
    for page in tmp_path.rglob("*.html"):  # nothing is asked of a network
        assert not re.search(r'(?:src=|rel="stylesheet" href=)"(?:https?:)?//', page.read_text())
    monkeypatch.setattr(home.reference, "pages", lambda root: {"reference/README.md": "[nowhere](nothing.md)"})
    with pytest.raises(SystemExit):
        home.build(tmp_path / "broken")
