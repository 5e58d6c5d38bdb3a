"""Build the site: guides, pages by subject, reference, results, sources.  No network is needed.

    python docs/site.py [FOLDER]        (default: site; needs pip install -e '.[docs]')

README, CONTRIBUTING, CHANGELOG and docs are copied as they lie, so that a link that works in the repository works on
the site; reference pages are made of the cards and docstrings (docs/reference.py).  A link that leads nowhere ends it.
"""

from __future__ import annotations

import importlib.util
import logging
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

import reference  # noqa: E402

GUIDES = ("README", "begin", "game", "institution", "study", "verdicts", "data", "meetings", "learners", "cluster",
          "lesson")  # fmt: skip
SUBJECTS = (
    "games",
    "commons",
    "markets",
    "proxies",
    "voices",
    "play",
    "speaking",
    "lab",
    "compatibility",
    "architecture",
)
CSS = """
.wy-nav-content { max-width: 1080px; }
.rst-content pre, .rst-content code { font-size: 13px; }
.rst-content table.docutils td, .rst-content table.docutils th { white-space: normal; font-size: 14px; line-height: 1.4;
  vertical-align: top; }
.wy-table-responsive { overflow: auto; }
.rst-content code.literal, .rst-content code { color: #34495e; }
.rst-content a code { color: inherit; }
.codehilite pre { white-space: pre-wrap; }
.codehilite .go { color: inherit; }
.rst-content img { max-width: 100%; height: auto; background: white; }
"""


def slug(title: str, separator: str = "-") -> str:
    """The anchor of a heading, as the usual hosts of Markdown make it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", separator)


def gather(into: Path) -> None:
    """Everything that becomes a page, in one folder, each at its place in the repository."""
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff", "LICENSE"):
        shutil.copy(ROOT / name, into / name)
    shutil.copytree(ROOT / "docs", into / "docs", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for path, text in reference.pages(ROOT).items():
        (into / path).parent.mkdir(parents=True, exist_ok=True)
        (into / path).write_text(text, encoding="utf-8")


def nav(there: Path) -> list[dict[str, Any]]:
    """What stands at the side of every page."""
    kept = [name for name in GUIDES if (there / f"docs/guide/{name}.md").exists()]
    kinds = [f"reference/{reference.folder(kind)}/README.md" for kind in reference.KINDS]
    return [
        {"nomoi": "README.md"},
        {"Guides": [f"docs/guide/{name}.md" for name in kept]},
        {"Subjects": [f"docs/{name}.md" for name in SUBJECTS]},
        {"Reference": ["reference/README.md", *kinds, "reference/commands.md",
                       {"Python": [{home: f"reference/python/{home}.md"} for home in reference.FOLDERS]}]},
        {"Results": ["docs/results/README.md", "docs/results/CHANGES.md"]},
        {"About": ["docs/glossary.md", "docs/sources.md", "docs/decisions/README.md", "CONTRIBUTING.md",
                   "CHANGELOG.md"]},
    ]  # fmt: skip


def build(folder: Path) -> None:
    """Write the site; SystemExit where a link leads nowhere, or where there is nothing to build it with."""
    if lacking := [name for name in ("mkdocs", "pygments") if importlib.util.find_spec(name) is None]:
        raise SystemExit(f"the site is built with {' and '.join(lacking)}, which is not here: pip install -e '.[docs]'")
    from mkdocs.commands.build import build as write
    from mkdocs.config import load_config
    from mkdocs.exceptions import Abort
    from pygments.formatters import HtmlFormatter

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    with tempfile.TemporaryDirectory() as temporary:
        there = Path(temporary) / "pages"
        there.mkdir()
        gather(there)
        (there / "nomoi.css").write_text(HtmlFormatter(style="friendly").get_style_defs(".codehilite") + CSS)
        settings = Path(temporary) / "mkdocs.yml"
        settings.write_text("site_name: nomoi\n")
        every = {"not_found": "warn", "anchors": "warn", "absolute_links": "warn", "unrecognized_links": "warn"}
        config = load_config(
            str(settings), docs_dir=str(there), site_dir=str(folder.resolve()), strict=True, use_directory_urls=False,
            theme={"name": "readthedocs", "highlightjs": False, "navigation_depth": 3, "collapse_navigation": False},
            extra_css=["nomoi.css"], nav=nav(there), validation={"links": every, "nav": {"omitted_files": "ignore"}},
            markdown_extensions=["tables", "fenced_code", "sane_lists", {"codehilite": {"guess_lang": False}},
                                 {"toc": {"slugify": slug}}],
        )  # fmt: skip
        try:
            write(config)
        except Abort as abort:
            raise SystemExit(str(abort)) from None


if __name__ == "__main__":
    place = Path(sys.argv[1] if len(sys.argv) > 1 else "site")
    build(place)
    print(place / "index.html")
