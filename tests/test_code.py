"""A record knows the code that made it: what was made by other code is not used, said, and made again."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from training import asked, trial

from nomoi.errors import Refusal
from nomoi.report import records
from nomoi.report import study as reporting
from nomoi.runs import code, study
from nomoi.runs.claims import Claim
from nomoi.runs.store import Store
from nomoi.runs.study import Computed, Study
from nomoi.studies import polities

ROOT = Path(code.__file__).parents[2]
POLITIES = "nomoi.populations.polities"


CACHED = ("_bound", "_taken", "_met", "_digest")


def forget():
    for name in CACHED:
        getattr(code, name).cache_clear()


@pytest.fixture
def edited(monkeypatch):
    """Pretend that the texts of modules are others."""
    whole, texts = code._tree, {}
    monkeypatch.setattr(code, "_tree", lambda home: ast.parse(texts[home]) if home in texts else whole(home))

    def edit(home, *changes):
        text = texts.get(home) or code._file(home).read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        texts[home] = text
        forget()

    yield edit
    monkeypatch.undo()
    forget()


def stamp(*addresses):
    return code.digest(code.reached(addresses))


def test_what_is_reached_is_what_computes_and_not_what_runs_or_reports():
    homes = set(code.reached(["nomoi.situations.pool:Pool", "nomoi.learners.ppo:PPO"]))
    assert {"nomoi.situations.pool", "nomoi.learners.ppo", "nomoi.core.govern", "nomoi.learners.nets"} <= homes
    assert not {h for h in homes if h.startswith(("nomoi.runs", "nomoi.report", "nomoi.cli", "nomoi.errors"))}
    assert "nomoi.situations.harvest" not in homes
    # of a study's file only what is reached by name
    of = code.reached([f"nomoi.studies.polities:{polities.drawn.__name__}"])
    assert f"nomoi.studies.polities:{polities.drawn.__name__}" in of
    assert POLITIES in of
    assert not any(h.startswith("nomoi.runs") for h in of)


RATE = "np.minimum(self.cap, self.rents / "


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ((RATE, "np.minimum(self.cap, 0.5 * self.rents / "), False),
        (("rents: float = probability(0.8,", "rents: float = probability(0.7,"), False),
        (('"the most that power can extract: rents"', '"what can be extracted"'), True),
        (('"""tau = min(cap', '"""What tau is: min(cap'), True),
        (("        return np.minimum", "        # a word\n        return np.minimum"), True),
        (("        return np.minimum", "\n\n        return np.minimum"), True),
    ],
)
def test_what_changes_a_number_changes_the_stamp_and_a_reworded_sentence_does_not(edited, change, same):
    where = f"nomoi.studies.polities:{polities.drawn.__name__}"
    before = stamp(where)
    edited(POLITIES, change)
    assert (stamp(where) == before) == same


def test_a_refusal_may_be_reworded(edited):
    before = stamp("nomoi.situations.pool:Pool")
    edited("nomoi.situations.pool", ('raise Refusal(f"', 'raise Refusal(f"Mind: '))
    assert stamp("nomoi.situations.pool:Pool") == before


LEVY = "nomoi.institutions.levy"


def test_what_is_told_to_people_may_be_reworded_and_what_is_counted_may_not(edited):
    for home, change, same in (
        (LEVY, ("def sentence(self) -> str:", "def sentence(self) -> str:\n        more = 'Mind: '"), True),
        (LEVY, ('"paid to the levy"', '"given to the levy"'), True),
        (LEVY, ('"paid", "[n]", "reward"', '"paid", "[n]", "steps"'), False),
        ("nomoi.measure.measures", ('"mean stock, of capacity"', '"stock"'), True),
        ("nomoi.measure.measures", ('Measure("stock", "share"', 'Measure("stock", "part"'), False),
    ):
        before = stamp(f"{LEVY}:Levy", "nomoi.measure.measures")
        edited(home, change)
        assert (stamp(f"{LEVY}:Levy", "nomoi.measure.measures") == before) == same, change
    reads = re.compile(r"\.(sentence|meaning)\b")
    for file in sorted((ROOT / "nomoi").rglob("*.py")):  # else what is left out could change a number
        home = ".".join(("nomoi", *file.relative_to(ROOT / "nomoi").with_suffix("").parts))
        if not code._aside(home) and home not in SHOWING and file.parent.name != "examples":
            assert not reads.search(file.read_text()), home


SHOWING = (
    "nomoi.core.events",
    "nomoi.core.institution",  # which says its sentence of those whom it governs
    "nomoi.core.measure",  # of meanings they make other meanings
    "nomoi.play.words",
)  # those who speak are told sentences, and their records are named by these too


def test_the_words_of_a_persons_own_code_are_its_own(tmp_path, monkeypatch):
    """Theirs may be called as nomoi's are, and mean something else."""
    for kind in ("apples", "pears"):
        (tmp_path / f"own_{kind}.py").write_text(f"def count(n, kind): ...\ndef worth(): return count(3, {kind!r})\n")
    monkeypatch.syspath_prepend(tmp_path)
    digests = [set(code.reached([f"own_{kind}:worth"]).values()) for kind in ("apples", "pears")]
    assert digests[0]
    assert not digests[0] & digests[1]


def test_a_claim_may_be_reworded_and_a_function_of_a_study_may_not(edited):
    home = "nomoi.studies.polities"
    before = stamp(f"{home}:drawn")
    edited(home, ("CLAIMS = [", "CLAIMS = [*[], "))
    assert stamp(f"{home}:drawn") == before
    edited(home, ("def drawn(", "def drawn(more=0, *, "))
    assert stamp(f"{home}:drawn") != before


def test_a_training_depends_on_core_and_measures_too(edited):
    before = asked(trial()).id
    edited("nomoi.core.worlds", ("0xFFFFFFFF", "0xFFFFFFFE"))
    after = asked(trial())
    assert after.id != before
    assert after.of == before.partition("-")[0]
    edited("nomoi.measure.ledger", ("steps > e.steps", "steps >= e.steps"))
    assert asked(trial()).id != after.id


def thirds(key: None, of: float = 3.0):
    return {"third": of / 3}


def draw(key):
    from nomoi.populations.polities import Polity

    return {"rate": float(Polity().rents) + float(np.asarray(key is None))}


OWN = Study(
    "own", "?", [Claim("It is 1", "ours", lambda r: r.late("a", "third"), near=1, tolerance=0.1, kind="ours"),
                 Claim("Both", "ours", lambda r: r.late("a", "third") + r.late("b", "rate"), above=0, kind="ours")],
    lambda size: [Computed("a", thirds, exact=True), Computed("b", draw, exact=True)], {"laptop": 2},
)  # fmt: skip


def test_old_records_are_said_made_again_and_with_old_marked(tmp_path, edited):
    said = []
    first = study.run(OWN, out=tmp_path, tell=lambda p: said.extend([p] * isinstance(p, str)))
    assert (said, first.remarks) == ([], ())
    edited(POLITIES, (RATE, "np.minimum(self.cap, 0.5 * self.rents / "))
    used = study.run(OWN, out=tmp_path, old=True)
    assert used.results.records["b"][0].id == first.results.records["b"][0].id
    assert used.results.old == {"b"}
    assert "Old records, which other code made, stand for 'b'." in used.remarks
    # never mixed in one claim
    assert [v.verdict for v in used.verdicts] == ["holds", "not tested at this size"]
    assert used.data()["old"] == ["b"]
    assert "Old: other code made some of what is shown here." in reporting.write_summary(used, tmp_path).read_text()
    assert "Old records" in reporting.write_page(used, tmp_path / "page.html").read_text()

    again = study.run(OWN, out=tmp_path, tell=lambda p: said.extend([p] * isinstance(p, str)))
    assert len(said) == 1
    assert "one run that is here already was made by other code (nomoi/populations/polities.py changed" in said[0]
    assert "s of a worker; --old uses them" in said[0]
    assert again.remarks == ()  # what was there before says nothing of what is there now
    assert again.results.old == frozenset()
    assert again.results.records["b"][0].id != first.results.records["b"][0].id
    assert again.results.records["a"][0].id == first.results.records["a"][0].id
    assert [v.verdict for v in again.verdicts] == ["holds", "holds"]
    assert len(Store(tmp_path).all()) == 3  # nothing is ever edited
    assert study.run(OWN, out=tmp_path, old=True).results.old == frozenset()  # fresh ones are preferred


def test_what_another_version_made_is_said_to_be_of_that_version(tmp_path, edited, capsys):
    found = study.run(OWN, out=tmp_path)
    (old,) = found.results.records["b"]
    assert code.since([old]) == "since"
    facts = old.facts | {"versions": old.facts["versions"] | {"nomoi": "0.1.0"}}
    (old.folder / "record.json").write_text(json.dumps(facts))
    records.record(Store(tmp_path).pick(old.id))
    assert "made by the code that is here" in capsys.readouterr().out  # whatever its version is called
    edited(POLITIES, (RATE, "np.minimum(self.cap, 0.5 * self.rents / "))
    said = []
    study.run(OWN, out=tmp_path, tell=lambda p: said.extend([p] * isinstance(p, str)))
    assert "(nomoi/populations/polities.py changed since nomoi 0.1.0), and made again" in said[0]
    records.record(Store(tmp_path).pick(old.id))
    assert "old: nomoi/populations/polities.py changed since nomoi 0.1.0" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(Refusal, match=r"changed since nomoi 0\.1\.0\); --old films"):
        code.current(Store(tmp_path).pick(old.id), False, "films")


def rate(key):
    from nomoi.populations.polities import Polity

    return {"rate": float(Polity().rents)}


def test_old_records_stand_only_together_where_some_seed_has_no_fresh_one(tmp_path, edited):
    one = Study("s", "?", [], lambda size: [Computed("b", rate)], {"smoke": 1, "laptop": 2})
    before = study.run(one, out=tmp_path).results.records["b"]
    edited(POLITIES, (RATE, "np.minimum(self.cap, 0.5 * self.rents / "))
    study.run(one, "smoke", tmp_path)  # of the first seed alone
    used = study.run(one, out=tmp_path, old=True)
    assert [r.id for r in used.results.records["b"]] == [r.id for r in before]
    assert (used.results.old, used.fresh) == ({"b"}, 0)
    edited(POLITIES, ("0.5 * self.rents / ", "0.25 * self.rents / "))  # there is one of both seeds, by one code
    assert [r.id for r in study.run(one, out=tmp_path, old=True).results.records["b"]] == [r.id for r in before]
    newer = study.run(one, out=tmp_path).results.records["b"]
    edited(POLITIES, ("0.25 * self.rents / ", "0.125 * self.rents / "))  # two codes have one of every seed: the newer's
    assert [r.id for r in study.run(one, out=tmp_path, old=True).results.records["b"]] == [r.id for r in newer]


def test_what_is_listed_as_equal_stays_valid_and_what_is_not_is_made_again(tmp_path, edited, equal):
    said = []
    run = lambda: study.run(OWN, out=tmp_path, tell=lambda p: said.extend([p] * isinstance(p, str)))  # noqa: E731
    first = run().results.records["b"][0]
    was = code._digest(POLITIES, "")
    steps = []
    for k in ("1.0 * self.rents / ", "(self.rents) * 1.0 / ", "0.5 * self.rents / "):
        edited(POLITIES, (steps[-1][0] if steps else RATE, f"np.minimum(self.cap, {k}"))
        steps.append((f"np.minimum(self.cap, {k}", code._digest(POLITIES, "")))
    ends = [digest for _, digest in steps]
    equal(f"{POLITIES} {ends[0]} {ends[1]}", f"{POLITIES} {was} {ends[0]}", f"elsewhere {ends[1]} {ends[2]}")
    edited(POLITIES, (steps[2][0], steps[1][0]))  # by two lines equal to what made the record
    again = run()
    assert (again.fresh, said, again.results.old) == (0, [], frozenset())
    assert again.results.records["b"][0].id == first.id
    code.current(Store(tmp_path).pick(first.id), False, "films")  # refuses nothing
    edited(POLITIES, (steps[1][0], steps[2][0]))  # as no line of this module says
    other = run()
    assert (other.fresh, len(said)) == (1, 1)
    assert "one run that is here already was made by other code (nomoi/populations/polities.py changed" in said[0]
    assert other.results.records["b"][0].id != first.id


@pytest.fixture
def equal(monkeypatch):
    """equal(lines): from then on they are the list of equal stamps."""
    from nomoi.runs import equal

    def give(*lines):
        monkeypatch.setattr(equal, "_lines", lambda: list(lines))
        equal.listed.cache_clear()

    yield give
    monkeypatch.undo()
    equal.listed.cache_clear()


def test_equal_stamps_of_one_module_are_equal_along_lines_alone(equal):
    from nomoi.runs.equal import same

    equal("a 1 2", "a 3 4", "b 1 3")
    assert same("a", "1", "2")
    assert same("a", "4", "3")
    assert not same("a", "1", "3")
    assert not same("a", "2", "4")
    assert not same("b", "1", "2")


def test_the_list_of_equal_stamps_can_be_read_and_golden_runs_decide_what_comes_into_it(equal):
    from nomoi.runs import equal as stamps

    assert all(len(line.split()) == 3 for line in stamps._lines())
    spec = importlib.util.spec_from_file_location("equal_stamps", ROOT / "benchmarks" / "equal.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    ran = lambda bits, **code: {"code": code, "bits": bits}  # noqa: E731
    before = {"one": ran("x", a="1", b="1", c="1"), "two": ran("y", b="1", d="1"), "gone": ran("z", e="1")}
    after = {"one": ran("x", a="2", b="2", c="1", f="1"), "two": ran("w", b="2", d="2")}
    # b is reached by a run that came out differently; c did not change, and f is new
    assert tool.judged(before, after) == (["a 1 2", "f - 1"], ["b", "d", "e"], ["two", "gone"])
    equal("a 1 2", "f - 1")
    assert stamps.alike({"a": "1", "c": "1"}, {"a": "2", "c": "1", "f": "1"})
    assert not stamps.alike({"a": "1"}, {"a": "2", "c": "1"})
    assert not stamps.alike({"a": "1"}, {"a": "3"})
    assert not stamps.alike({"b": "1"}, {"b": "2"})


def test_the_list_of_records_says_which_are_old(nomoi, edited):
    study.run(OWN, out="runs")
    assert "old" not in nomoi("runs")[1]
    edited(POLITIES, (RATE, "np.minimum(self.cap, 0.5 * self.rents / "))
    status, out, _ = nomoi("runs")
    assert status == 0
    assert sum(line.endswith("  old") for line in out.splitlines()) == 1
    record = next(r for r in Store("runs").all() if r.label == "b")
    assert "old: nomoi/populations/polities.py changed since" in nomoi("runs", "show", record.id)[1]


def test_children_of_what_other_code_made_are_old_too(tmp_path, edited):
    from test_study import POOL, STEADY, weigh

    from nomoi.runs.study import Evaluated, Trained

    one = Study("s", "?", [], lambda size: [Trained("t", POOL, (), 64, STEADY), Evaluated("e", "t", weigh)],
                {"smoke": 1})  # fmt: skip
    first = study.run(one, "smoke", tmp_path).results.records
    assert set(first["t"][0].facts["code"]) < set(first["e"][0].facts["code"])
    edited("nomoi.learners.ppo", ("self.worlds * self.steps", "self.steps * self.worlds"))
    old = study.run(one, "smoke", tmp_path, old=True).results
    assert old.old == {"t", "e"}
    assert {label: r[0].id for label, r in old.records.items()} == {label: r[0].id for label, r in first.items()}


def called(text):
    """What a person's code gives: how many runs were made, and the number."""
    done = subprocess.run([sys.executable, *text], capture_output=True, text=True, check=True,
                          env=os.environ | {"PYTHONPATH": str(ROOT)})  # fmt: skip
    return done.stdout.split()


MAKE = """
from nomoi.runs.make import make
from nomoi.runs.store import Store
from nomoi.runs.trials import Computed
made = make(Store('runs'), [Computed('f', f, exact=True)], [0])
print(made.fresh, made.results.late('f', 'm')[0])
"""


def test_a_persons_own_code_is_known_with_what_it_imports_and_without_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inline = lambda m: called(["-c", f"def f(key):\n    return {{'m': {m}}}\n{MAKE}"])  # noqa: E731
    assert [inline(1.0), inline(1.0), inline(50.0)] == [["1", "1.0"], ["0", "1.0"], ["1", "50.0"]]
    Path("inner.py").write_text("WORTH = 2.0\n")
    Path("helper.py").write_text("import inner\ndef help():\n    return inner.WORTH\n")
    Path("script.py").write_text(f"import helper\ndef f(key):\n    return {{'m': helper.help()}}\n{MAKE}")
    assert [called(["script.py"]), called(["script.py"])] == [["1", "2.0"], ["0", "2.0"]]
    Path("inner.py").write_text("WORTH = 7.0\n")
    assert called(["script.py"]) == ["1", "7.0"]
    Path("named.py").write_text(f"import nomoi as n\ndef f(key):\n    return {{'m': n.Pool().agents}}\n{MAKE}"
                                "print(*made.results.records['f'][0].facts['code'])")  # fmt: skip
    assert "nomoi.situations.pool" in called(["named.py"])


@pytest.mark.slow
def test_halved_rents_are_another_run(tmp_path):
    """As a person meets it: the package is edited between two calls of the command."""
    shutil.copytree(ROOT / "nomoi", tmp_path / "nomoi", ignore=shutil.ignore_patterns("__pycache__"))
    file = tmp_path / "nomoi" / "populations" / "polities.py"

    def call(*words):
        run = "import sys; sys.argv[0] = 'nomoi'; from nomoi.cli import main; main()"
        command = [sys.executable, "-c", run, "run", "polities", "--size", "smoke", *words]
        path = os.environ | {"PYTHONPATH": str(tmp_path)}
        done = subprocess.run(command, text=True, cwd=tmp_path, env=path, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    assert "other code" not in call()
    file.write_text(file.read_text().replace(RATE, "np.minimum(self.cap, 0.97 * self.rents / "))
    said = " ".join(call().split())
    assert "other code (nomoi/populations/polities.py changed since)" in said
    assert "other code" not in call()


def test_a_name_in_a_record_is_looked_up_and_not_run(tmp_path, monkeypatch):
    """Packages that nobody loaded are not loaded to learn where a module is, whoever sent the record."""
    (tmp_path / "unheard").mkdir()
    (tmp_path / "unheard" / "__init__.py").write_text("raise SystemExit('run')")
    (tmp_path / "unheard" / "part.py").write_text("x = 1")
    monkeypatch.syspath_prepend(tmp_path)
    assert code._found("unheard.part").origin == str(tmp_path / "unheard" / "part.py")
    assert code._found("unheard").origin == str(tmp_path / "unheard" / "__init__.py")
    assert [code._found(name) for name in ("unheard.part.x", "unheard.none", "nowhere.part")] == [None] * 3
    assert code.changed({"unheard.part:x": "0"})
    assert "unheard" not in sys.modules
