"""Names: what there is, kind by kind; how it is told, found and imported; and what a wheel holds."""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest

import nomoi as package
from nomoi import catalogue, files
from nomoi.core import govern, options
from nomoi.core.option import like
from nomoi.core.spec import addresses, spec
from nomoi.errors import Missing, Refusal, nearest
from nomoi.measure import measures
from nomoi.report.listed import KINDS, listed, named
from nomoi.runs import Store, Trained, code, study, told
from nomoi.runs.record import Asked, Record
from nomoi.solve.games import GAMES

HOME = Path(__file__).parents[1]
CLASSES = [(kind, cls) for kind in catalogue.KINDS if kind != "player" for cls in catalogue.texts(kind)]
PAGES = ("nomoi", *(f"nomoi.{name}" for name in (
    "core", "situations", "institutions", "learners", "scripts", "runs", "measure", "probes", "play", "solve", "law",
    "populations")))  # fmt: skip


# --- what is read from texts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "cls"), CLASSES, ids=lambda x: getattr(x, "name", x))
def test_a_card_that_is_read_is_the_card_of_the_class(kind, cls):
    made = getattr(importlib.import_module(cls.home), cls.name)
    assert issubclass(made, catalogue.base(kind))
    assert catalogue.Card(cls.name.lower(), cls.card, cls.options(), cls.setups()) == catalogue.card(made)
    assert catalogue.kind(made) == kind or cls.name == "Settlement"  # it agrees, and learns nothing itself
    if kind in catalogue.RULES:  # what has its defaults has no options to tell
        assert list(told._changed(Record(Path(), {}), spec(made()), "it")) == []


@pytest.mark.parametrize("kind", [kind for kind in catalogue.KINDS if kind != "player"])
def test_no_class_is_overlooked(kind):
    """What is read as being of a kind is what importing every file finds."""
    files = [
        f"{p}.{m.name}"
        for p in catalogue.KINDS[kind][1]
        for m in pkgutil.iter_modules(importlib.import_module(p).__path__)
    ]
    found = [
        (cls.__module__, name)
        for file in files
        for name, cls in catalogue.defined(importlib.import_module(file), kind).items()
    ]
    assert sorted((cls.home, cls.name.lower()) for cls in catalogue.texts(kind)) == sorted(found)


def test_studies_families_and_games_are_told_as_they_are():
    told = {thing.name: thing.said for kind in ("study", "family") for thing in listed(kind)}
    assert told == study.known()
    assert {thing.name for thing in listed("family")} == {n for n in study.names() if len(study.find(n)) > 1}
    assert {thing.name: thing.said for thing in listed("game")} == {name: e.game.title for name, e in GAMES.items()}


def test_measures_are_told_as_they_are_declared():
    told = {(thing.name, dict(thing.rows)["unit"]) for thing in listed("measure")}
    for cls in catalogue.situations().values():
        own = {(name, m.unit) for name, m in measures(cls()).items()}
        assert own <= told, own - told
    for cls in catalogue.institutions().values():
        own = {(m.short or f"{cls.__name__.lower()}.{m.name}", m.unit) for m in cls().measures}
        assert own <= told, own - told
    governed = measures(govern(package.Harvest(), package.Altar(), package.Sanction()))
    assert {"visits", "recall", "compliance"} <= set(governed)


# --- list and show ------------------------------------------------------------------------------------------------


def test_a_name_of_several_kinds_is_shown_under_each(nomoi):
    assert [thing.kind for thing in named("altar")] == ["institution", "study"]
    status, both, _ = nomoi("show", "altar")
    assert status == 0
    assert "altar, an institution" in both
    assert "altar, a study" in both
    status, one, _ = nomoi("show", "study:altar")
    assert status == 0
    assert "an institution" not in one
    assert "nomoi run altar" in one


def test_every_kind_can_be_listed_and_each_of_its_names_shown(nomoi):
    _, everything, _ = nomoi("list")
    for kind, title in KINDS.items():
        status, out, _ = nomoi("list", kind)
        assert status == 0
        assert out in everything
        assert out.startswith(title)
        name = listed(kind)[0].name
        status, out, _ = nomoi("show", f"{kind}:{name}")
        assert status == 0
        assert out.startswith(f"{name}, a")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["list", "situatons"], "no kind 'situatons'; did you mean 'situation'?"),
        (["show", "zap:altar"], "no kind 'zap'; the kinds are: family, folly, game, institution"),
        (["show", "study:altr"], "no study called 'altr'; did you mean 'altar'?"),
        (["show", "tragdy"], "nothing called 'tragdy'; did you mean 'tragedy'?"),
        (["show", "§"], "nothing called '§'; `nomoi list` has all names."),
    ],
)
def test_what_is_not_there_is_one_sentence(nomoi, words, part):
    status, out, err = nomoi(*words)
    assert (status, out) == (2, "")
    assert part in err
    assert err.count("\n") == 1


def test_learners_and_objectives_of_a_file_are_shown(nomoi):
    Path("own.py").write_text(
        "from nomoi import Objective, Random, setting\n"
        "class Nobody(Random):\n    'Does as it likes.'\n"
        "class Envy(Objective):\n    'Wants what others have.'\n"
        "    much: object = setting(1.5, 'how much of it')\n"
        "    def feel(self, memory, situation, outcome):\n        return memory, -outcome.payoff\n"
    )
    status, out, err = nomoi("show", "own.py")
    assert status == 0, err
    for word in ("nobody, a script", "Does as it likes.", "envy, an objective", "how much of it"):
        assert word in out
    status, out, _ = nomoi("show", "own.py:Envy")
    assert status == 0
    assert "nobody" not in out


def fresh(code: str) -> str:
    """What a fresh Python prints."""
    environment = os.environ | {"PYTHONPATH": str(HOME)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    return done.stdout


def test_lists_and_cards_do_not_wait_for_jax():
    """Nor for anything that computes, as far as it has names and texts only; CPU time is what this guards."""
    code = (
        "import contextlib, io, sys, nomoi\nfrom nomoi.report import cards\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n    cards.catalogue()\n"
        "print('numpy' in sys.modules)\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    [cards.show(name) for name in ('altar', 'matrix', 'signals', 'ppo', 'svo', 'village', 'pd', 'harvest')]\n"
        "print('jax' in sys.modules, 'scipy' in sys.modules)\n"
    )
    assert fresh(code).split() == ["False", "False", "False"]


HEAVY = ("jax", "scipy.stats", "scipy.optimize", "scipy.special", "scipy.sparse", "quantecon", "numba", "pandas",
         "pyarrow", "duckdb", "matplotlib", "PIL", "equinox")  # fmt: skip


@pytest.mark.parametrize(
    "words", [["solve", "stag_hunt"], ["solve", "shapley", "--json"], ["runs"], ["runs", "show", "{}"]], ids=" ".join
)
def test_small_commands_wait_for_nothing_heavy(words, tmp_path):
    store = Store(tmp_path)
    named = {"label": "a", "film": False}
    spec = {"trial": Trained("a", package.Pool(), steps=1e6).spec(), "seed": 0, "parents": []}
    reached = code.reached(addresses(spec))
    kept = store.put(Asked(spec, reached), {"harvest": (np.arange(3), np.ones(3))}, None, None, named=named,
                     measures={"harvest": ["units", "taken"]}, own={}, parents=[])  # fmt: skip
    typed = [word.format(kept.id) for word in words] + ["--out", str(tmp_path)] * (words[0] == "runs")
    said = fresh(
        "import sys\nfrom nomoi import cli\n"
        f"sys.argv = ['nomoi', *{typed!r}]\n"
        "try:\n    cli.main()\nexcept SystemExit as end:\n    print(end.code)\n"
        f"print('loaded:', *(m for m in {HEAVY!r} if m in sys.modules))"
    )
    assert said.splitlines()[-2:] == ["None", "loaded:"]


def test_a_study_is_run_without_the_others():
    code = (
        "import sys\nfrom nomoi.runs import study\nstudy.find('polities')\n"
        "print(*(m for m in sys.modules if m.startswith('nomoi.studies.')))"
    )
    assert fresh(code).split() == ["nomoi.studies.polities"]


# --- what can be imported -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_every_name_of_a_page_is_there(name):
    page = importlib.import_module(name)
    assert page.__all__
    assert set(page.__all__) <= set(dir(page))
    for word in page.__all__:
        thing = getattr(page, word)
        assert not isinstance(thing, type(sys)), f"{name}.{word} is a module"
    with pytest.raises(AttributeError, match="has no 'nonsense'"):
        _ = page.nonsense


@pytest.mark.parametrize(("kind", "cls"), CLASSES, ids=lambda x: getattr(x, "name", x))
def test_every_class_is_on_the_page_of_its_folder_and_what_meets_agents_on_the_first(kind, cls):
    made = getattr(importlib.import_module(cls.home), cls.name)
    if cls.name != "Village":  # there are two
        assert getattr(importlib.import_module(cls.home.rpartition(".")[0]), cls.name) is made
    if kind != "model":
        assert getattr(package, cls.name) is made


def test_a_name_that_is_also_a_file_is_the_name():
    import nomoi.core.govern  # as any module that is loaded does, this binds the file to its package
    import nomoi.measure.evaluate

    assert callable(nomoi.core.govern)
    assert callable(nomoi.measure.evaluate)


# --- what is in the package ---------------------------------------------------------------------------------------


def test_no_file_of_the_package_is_ignored_and_every_folder_is_packed():
    from setuptools import find_packages

    setup = tomllib.loads((HOME / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {str(p.parent.relative_to(HOME)) for p in (HOME / "nomoi").rglob("*.py") if p.parent.name != "examples"}
    packed = {p.replace(".", "/") for p in find_packages(str(HOME), **setup["packages"]["find"])}
    assert packed == folders
    data = setup["package-data"]["nomoi"]
    held = {str(p.relative_to(HOME)) for p in (HOME / "nomoi").rglob("data/**/*") if p.is_file()}
    assert held <= {str(p.relative_to(HOME)) for some in data for p in (HOME / "nomoi").glob(some)}
    inside = [str(p) for p in (HOME / "nomoi").rglob("*") if "__pycache__" not in p.parts]
    told = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin"],
        input="\n".join(inside),
        cwd=HOME,
        capture_output=True,
        text=True,
    )
    assert told.returncode == 1, told.stdout + told.stderr  # git says so where it ignores none


@pytest.mark.slow
def test_the_wheel_holds_every_module_and_says_that_it_is_typed(tmp_path):
    pytest.importorskip("setuptools", minversion="77")  # as pyproject.toml asks; nothing is fetched for it here
    words = ["wheel", str(HOME), "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), "--quiet"]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True)
    held = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    modules = {str(p.relative_to(HOME)) for p in (HOME / "nomoi").rglob("*.py") if p.parent.name != "examples"}
    data = {str(p.relative_to(HOME)) for p in (HOME / "nomoi").rglob("data/**/*") if p.is_file() and p.suffix != ".py"}
    assert modules | data | {"nomoi/py.typed"} == {name for name in held if name.startswith("nomoi/")}


# --- options ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "text", "new"),
    [
        (1.0, "2", 2.0), (1.0, "2e3", 2000.0), (1, "2e3", 2000), (1, str(2**60 + 1), 2**60 + 1), (True, "no", False),
        ("a", "[b]", "[b]"), ((1, 2), "3,4,5", (3, 4, 5)), ([0.5], "1", [1.0]), ([0.5], "[1, 2]", [1, 2]),
        ([[1, 2]], "[[3, 4]]", [[3, 4]]), ({"a": 1}, '{"a": 2}', {"a": 2}),
    ],
)  # fmt: skip
def test_typed_text_is_read_as_what_it_stands_for(old, text, new):
    found = like(old, text, "x")
    assert found == new
    assert type(found) is type(new)


@pytest.mark.parametrize(
    ("old", "text"),
    [(1, "2.5"), (1, "x"), (1.0, "nan"), (1.0, "1e400"), (True, "maybe"), ([1.0], "1,x"), ([[1]], "1"), ([1], "[]"),
     (1, "9" * 30), ({"a": 1}, "3")],
)  # fmt: skip
def test_text_that_stands_for_something_else_is_refused(old, text):
    with pytest.raises(Refusal, match=r"x cannot be .*; something like .* would be right"):
        like(old, text, "x")


def test_both_carriers_word_a_domain_alike():
    """A leaf of a program and a plain number, in [0, 1]."""
    from nomoi.institutions import Monitor
    from nomoi.populations import Groups

    for make, where in ((lambda: Monitor(share=2.0), "monitor.share"), (lambda: Groups(error=2.0), "groups.error")):
        with pytest.raises(Refusal) as caught:
            make()
        assert str(caught.value) == f"{where} is 2.0; a number in [0, 1] would be right."
        cls = {"monitor": Monitor, "groups": Groups}[where.split(".")[0]]
        assert options(cls)[where.split(".")[1]].words() == "a number in [0, 1]"


# --- data of one's own machine ------------------------------------------------------------------------------------


def test_data_of_ones_own_machine_are_found_or_missed_in_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "open.txt").write_text("x")
    monkeypatch.setenv("NOMOI_DATA", str(tmp_path))
    assert files.data("maps/open.txt").read_text() == "x"
    with pytest.raises(Missing, match=r"no maps/opn.txt in .*; did you mean 'open.txt'\?"):
        files.data("maps/opn.txt")
    for bad in ("../x", "/etc/passwd"):
        with pytest.raises(Refusal, match="not a place inside NOMOI_DATA"):
            files.data(bad)
    monkeypatch.setenv("NOMOI_DATA", str(tmp_path / "gone"))
    with pytest.raises(Missing, match="to which NOMOI_DATA is set"):
        files.data("maps")
    monkeypatch.delenv("NOMOI_DATA")
    with pytest.raises(Missing, match=r"set NOMOI_DATA to a folder that has it"):
        files.data("maps")


def test_a_test_without_its_data_is_skipped(data, monkeypatch):
    monkeypatch.delenv("NOMOI_DATA", raising=False)
    with pytest.raises(pytest.skip.Exception, match="set NOMOI_DATA"):
        data("anything")


# --- what one derives from ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("learner", ["act(key, mind, situation, seen, carry)", "{head: [n] int32}", "bitplanes", "nomoi new learner"]),
        ("Situation", ["step(key, state, action) -> State, Outcome", "To be written", "present(state) -> bool [n]"]),
        ("institution", ["permit(memory, situation, state, action) -> Action", "posted(memory) -> int []"]),
        ("objective", ["feel(memory, situation, outcome) -> float [n], float [n]"]),
        ("study", ["claims: Sequence[Claim]", "trials(size)"]), ("measure", ["NaN where it is not defined"]),
        ("event", ["from nomoi.core.events import Event"]), ("claim", ["effect"]), ("trial", ["make(key, parents)"]),
    ],
)  # fmt: skip
def test_what_one_derives_from_is_shown(word, parts, nomoi):
    status, out, _ = nomoi("show", word)
    assert status == 0
    for part in parts:
        assert part in " ".join(out.split()), part


def test_what_fits_a_situation_is_told_as_it_is_asked_for(nomoi, tmp_path):
    (tmp_path / "trade.csv").write_text(',a,b\nx,"3,3","0,5"\ny,"5,0","1,1"\n')
    status, out, _ = nomoi("list", "institution", "--fits", "trade.csv")
    assert status == 0
    assert "institutions fit trade.csv by themselves" in out
    assert "contract(on=defect)" in out
    assert "\naltar" not in out
    status, out, err = nomoi("compare", "trade.csv", "--under", "contract")
    assert (status, out) == (2, "")
    assert err == ("nomoi: contract needs 'sparse', which matrix does not offer; contract(on=defect) would be right.\n")
    status, _, err = nomoi("list", "scripts", "--fits", "pool")
    assert status == 2
    assert "--fits is of institutions" in err
    with pytest.raises(Refusal, match=r"levy\(on=harvest\) would be right; so would levy\(on=[\w.]+\)"):
        govern(package.Harvest(), package.Levy(on="harvests"))


def test_kinds_may_be_named_as_several(nomoi):
    for one, several in (("script", "scripts"), ("study", "studies"), ("family", "families"), ("folly", "follies")):
        assert nomoi("list", one) == nomoi("list", several)
    assert nomoi("show", "studies:altar") == nomoi("show", "study:altar")
    for what, plural in (("class", "classes"), ("property", "properties"), ("way", "ways"), ("name", "names")):
        assert f"the {plural} are: a, b." in nearest("zzz", ["a", "b"], what)
