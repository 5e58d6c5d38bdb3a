"""How the house is built: imports go one way, and what stands at the root is little."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import nomoi

HOME = Path(nomoi.__file__).parent
FLOORS = [
    {"errors", "files"},
    {"core", "grid", "law"},
    {"situations", "institutions", "solve", "populations", "proxies", "voices", "markets", "measure"},
    {"learners", "scripts"},
    {"probes", "play", "speak"},
    {"catalogue"},
    {"runs", "testing"},
    {"report"},
    {"lab", "studies"},
    {"cli"},
]
FLOOR = {name: k for k, floor in enumerate(FLOORS) for name in floor}
MODULES = {".".join(("nomoi", *p.relative_to(HOME).with_suffix("").parts)).removesuffix(".__init__"): p
           for p in HOME.rglob("*.py") if p.parent.name != "examples"}  # fmt: skip  # those are people's own


def imported(home: str) -> Iterator[str]:
    """The modules of nomoi that a module imports, also inside of functions; not what only types name."""
    tree = ast.parse(MODULES[home].read_text())
    typing = [n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test)]
    unseen = {id(n) for branch in typing for n in ast.walk(branch)}
    for node in ast.walk(tree):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "nomoi":
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else str(node.module)
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.startswith("nomoi."))


def folder(home: str) -> str:
    return home.split(".")[1]


@pytest.mark.parametrize("home", sorted(set(MODULES) - {"nomoi"}))
def test_no_import_runs_up(home):
    for other in imported(home):
        if other != "nomoi":
            assert FLOOR[folder(other)] <= FLOOR[folder(home)], f"{home} imports {other}"


def test_folders_of_one_floor_do_not_import_one_another_in_a_circle():
    edges = {(folder(m), folder(o)) for m in MODULES if m != "nomoi" for o in imported(m) if o != "nomoi"}
    for one, other in edges:
        assert one == other or (other, one) not in edges, f"{one} and {other} import each other"


def test_a_situation_imports_no_institution_and_no_learner():
    for home in MODULES:
        if home.startswith("nomoi.situations"):
            assert not {folder(o) for o in imported(home) if o != "nomoi"} & {"institutions", "learners", "scripts"}, (
                home
            )


def test_little_stands_at_the_root():
    assert {p.name for p in HOME.glob("*.py")} == {"__init__.py", "catalogue.py", "errors.py", "files.py"}
    assert all(importlib.util.find_spec(f"nomoi.{name}") is None for name in
               ("study", "comparison", "engine", "jobs", "regimes", "store", "claims", "effects"))  # fmt: skip


@pytest.mark.skipif(not (HOME.parent / ".git").exists(), reason="only in a clone")
def test_no_file_of_the_package_is_ignored():
    files = [str(p.relative_to(HOME.parent)) for p in MODULES.values()]
    said = subprocess.run(
        ["git", "-C", str(HOME.parent), "check-ignore", "--no-index", *files], capture_output=True, text=True
    )
    assert said.stdout == ""
