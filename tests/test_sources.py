"""Whatever has a source names one that a reader can find: a key of docs/sources.md, or "ours"."""

import dataclasses
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import nomoi
from nomoi.core.option import MINE
from nomoi.runs import study
from nomoi.solve.games import GAMES

HOME = Path(__file__).parents[1]
ENTRIES = re.findall(r"^- \*\*(.+?)\*\*: (.+)$", (HOME / "docs" / "sources.md").read_text(encoding="utf-8"), re.M)
KEYS = [key for key, _ in ENTRIES]
WINGS = ("core", "situations", "institutions", "learners", "scripts", "populations", "law", "solve", "proxies")
NOBODY_HAS = re.compile(r"\bspec(s|ification)?\b|\bseed \(|\btrials?\b|\brecalled\b", re.IGNORECASE)
# as it stands in running text, where a job's spec and a trial of a study are other things
IN_TEXT = re.compile(
    r"\bspecification\b|\bspec [A-Z]\.?\d|\bspec [a-z]+_[a-z]+\b|, recalled|\(recalled[),]|\btrial's\b", re.I
)


def begins(text: str, word: str) -> bool:
    """Whether `text` begins with the whole `word`."""
    return text.startswith(word) and not text[len(word) : len(word) + 1].isalnum()


def faults(source: str) -> str:
    """What is wrong with a source; empty where nothing is."""
    if found := NOBODY_HAS.search(source):
        return f"{found[0]!r} is nothing that a reader could open"
    for part in (p.strip() for p in source.split(";")):
        named = part.partition("after ")[2] if begins(part, "ours") else part
        if not (begins(part, "ours") and not part.startswith("ours, after ")) and not any(
            begins(named, key) for key in KEYS
        ):
            return f"{named!r} begins with no key of docs/sources.md"
    return ""


def everything():
    """(where, source) of every setting, size, choice and parameter of the package."""
    for entry in pkgutil.walk_packages(nomoi.__path__, "nomoi."):
        if entry.name.split(".")[1] in WINGS:
            home = importlib.import_module(entry.name)
            for name, thing in vars(home).items():
                if isinstance(thing, type) and thing.__module__ == home.__name__ and dataclasses.is_dataclass(thing):
                    for field in dataclasses.fields(thing):
                        if MINE in field.metadata:
                            yield f"{home.__name__}.{name}.{field.name}", field.metadata[MINE].source


def test_every_setting_and_parameter_has_a_source_that_can_be_found():
    found = [*everything(), *((f"game {name}", entry.source) for name, entry in GAMES.items())]
    assert len(found) > 450  # nothing was overlooked
    assert not [(where, source, fault) for where, source in found if (fault := faults(source))]


def test_every_claim_has_a_source_that_can_be_found():
    claims = [(s.name, c.source) for names in study.known() for s in study.find(names) for c in s.claims]
    assert not sorted({(where, source, fault) for where, source in claims if (fault := faults(source))})


@pytest.mark.parametrize(
    ("source", "fine"),
    [
        ("ours", True),
        ("ours, after Koster et al. 2022 (35)", True),
        ("ours (peak growth)", True),
        ("Koster et al. 2022, Fig. 4; ours", True),
        ("ours, after Nobody 1900", False),
        ("oursis", False),
        ("Koster et al. 20221", False),
        ("Koster et al. 2022; Nobody 1900", False),
        ("spec B.5", False),
        ("ours, a trial", False),
        ("", False),
    ],
)
def test_what_counts_as_a_source(source, fine):
    assert (not faults(source)) == fine


def test_the_bibliography_has_every_work_once_with_its_title_and_in_order():
    lines = [
        line for line in (HOME / "docs" / "sources.md").read_text(encoding="utf-8").splitlines() if line[:2] == "- "
    ]
    assert len(lines) == len(ENTRIES) == len(set(KEYS))
    assert all(len(text.split()) > 6 and "  " not in text for _, text in ENTRIES)
    assert not [key for key in KEYS if (year := re.search(r"\b(1[789]|20)\d\d", key)) and int(year[0]) > 2026]


def test_no_text_of_the_package_points_to_what_nobody_has():
    files = [p for p in (HOME / "nomoi").rglob("*.py") if "studies" not in p.parts]
    found = [(p.name, m[0]) for p in files for m in IN_TEXT.finditer(p.read_text(encoding="utf-8"))]
    assert not found


def test_works_that_docstrings_name_stand_in_the_bibliography():
    """Author and year, as "Koster et al. 2022" or "Boyd & Richerson 1992", bracketed year or not."""
    name = r"[A-Z][\w'-]+(?:-[A-Z]\w+)*"
    work = re.compile(rf"\b({name}(?: et al\.| & {name}))\s+\(?((?:18|19|20)\d\d)\b")
    named = set()
    for path in (HOME / "nomoi").rglob("*.py"):
        if "studies" not in path.parts:
            named |= {f"{who} {year}" for who, year in work.findall(path.read_text(encoding="utf-8"))}
    assert len(named) > 40
    assert not sorted(n for n in named if not any(n in key for key in KEYS))
