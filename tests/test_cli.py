"""The command line: what a person gets, and what a person is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from nomoi.runs import errand
from nomoi.runs.store import Store
from nomoi.scripts.fixed import Random
from nomoi.situations.walkers import drawn

QUICK = ["--set", "learner.worlds=4", "--set", "learner.steps=8", "--set", "learner.minibatches=2", "--seeds", "1"]
EXAMPLES = Path(__file__).parent.parent / "nomoi" / "examples"


BAD = {
    "a situation that is not there": (["compare", "harvset"], "did you mean 'harvest'"),
    "an institution that is not there": (["compare", "harvest", "--under", "altr"], "did you mean 'altar'"),
    "an option that is not there": (["compare", "harvest", "--set", "levy.rat=2"], "did you mean 'rate'"),
    "an option of the situation": (["compare", "harvest", "--set", "situation.agnets=3"], "did you mean 'agents'"),
    "an option of the learner": (["compare", "harvest", "--set", "learner.gama=3"], "did you mean 'gamma'"),
    "an owner that is not there": (["compare", "harvest", "--set", "levi.rate=2"], "touches nothing"),
    "an option without a value": (["compare", "harvest", "--set", "levy.rate"], "sets nothing"),
    "an option without an owner": (["compare", "harvest", "--set", "rate=2"], "names no owner"),
    "a value that is no number": (["compare", "harvest", "--set", "levy.rate=two"], "cannot be 'two'"),
    "a rate that is not a number": (["compare", "harvest", "--set", "levy.rate=nan"], "something like 2.0"),
    "a chance above one": (["compare", "harvest", "--set", "situation.regrowth=0,0,0,2"], "numbers in [0, 1]"),
    "no agents": (["compare", "harvest", "--set", "situation.agents=0"], "a whole number in [1, 1000000]"),
    "too many agents": (["compare", "harvest", "--set", "situation.agents=99"], "places to start"),
    "no seeds": (["compare", "harvest", "--seeds", "0"], "at least one run"),
    "no steps": (["compare", "harvest", "--steps", "nan"], "world steps"),
    "a preset that is not there": (["compare", "harvest", "--map", "opne"], "did you mean 'open'"),
    "a regime that is no regime": (["compare", "harvest", "--under", "levy("], "is not a regime"),
    "two of one name": (["compare", "harvest", "--under", "levy+levy"], "two institutions are called 'levy'"),
    "a missing classification": (["compare", "harvest", "--under", "sanction"], "altar.violator"),
    "an event never emitted": (["compare", "pool", "--under", "levy(on=zap)"], "needs 'zap', which pool"),
    "a misspelt choice": (["compare", "harvest", "--under", "altar(display=hiden)"], "did you mean 'hidden'"),
    "a file that is not there": (["compare", "nowhere.py:Village"], "there is no file"),
    "a study that is not there": (["run", "tragdy"], "did you mean 'tragedy'"),
    "a size that is not there": (["run", "tragedy", "--size", "huge"], "size"),
    "a card that is not there": (["show", "altr"], "did you mean 'altar'"),
    "a folder that is not there": (["film", "0123"], "there is no folder runs"),
    "a record that is not there": (["film", "0123", "--out", "."], "no single record"),
    "minibatches that do not divide": (["compare", "pool", "--set", "learner.minibatches=7"], "does not divide"),
    "a command that is not there": (["compar", "pool"], "no such command 'compar'"),
    "no situation": (["compare"], "missing argument"),
    "a number that is none": (["compare", "pool", "--seeds", "x"], "invalid value for '--seeds'"),
    "a switch that is not there": (["solve", "stag_hunt", "--zap"], "no such option: --zap"),
    "a picture of another kind": (["solve", "stag_hunt", "--picture", "a.pdf"], "must end in .svg or .png"),
    "a picture that is no file": (["solve", "stag_hunt", "--picture", "/dev/null"], "must end in .svg or .png"),
    "a game without a portrait": (["solve", "large.csv", "--picture", "a.svg"], "has no phase portrait"),
    "an objective that is not there": (["compare", "pool", "--set", "learner.objective=envy"], "no objective"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_exit_2(nomoi, case):
    words, part = BAD[case]
    Path("large.csv").write_text("1,2,3\n4,5,6\n\n1,2,3\n4,5,6\n")
    status, out, err = nomoi(*words)
    assert status == 2, err
    assert part in err
    assert err.startswith("nomoi: ")
    assert err.strip().count("\n") == 0
    assert out == ""
    assert not Path("report.html").exists()
    assert not list(Path().glob("runs/records/*"))


@pytest.mark.parametrize(
    ("drawing", "part"),
    [
        ("WWWW\nWA W\nWWWW", "places to start"),
        ("WWWW\nW PW\nWWWW", "no apple"),
        ("WWWW\nWAxW\nWPPW", "'x' in row 2, column 3"),
        ("", "empty"),
        ("WWWW\nWA\0W\nWPPW", "map.txt', line 2 has a character of code 0 (NUL)"),
    ],
)
def test_maps_that_cannot_be(nomoi, drawing, part):
    Path("map.txt").write_text(drawing)
    status, _, err = nomoi("compare", "harvest", "--map", "map.txt", "--set", "situation.agents=1")
    assert status == 2
    assert part in err


def test_a_map_may_begin_with_the_mark_of_an_editor(nomoi):
    for file, mark in (("marked.txt", "\ufeff"), ("plain.txt", "")):
        Path(file).write_text(f"{mark}WWWW\nWA W\nWPPW\n", encoding="utf-8")
    assert drawn("marked.txt") == drawn("plain.txt") == "WWWW\nWA W\nWPPW\n"


def test_an_altar_needs_a_place(nomoi):
    Path("map.txt").write_text("WWWWWW\nWA  PW\nWWWWWW")
    words = ["compare", "harvest", "--map", "map.txt", "--set", "situation.agents=1", "--under", "altar", *QUICK]
    status, _, err = nomoi(*words)
    assert status == 2
    assert "drawn H" in err


def test_what_is_no_fault_but_should_be_known_is_said_in_a_sentence(nomoi):
    with warnings.catch_warnings():  # pytest would make an error of it, or keep it to itself
        warnings.simplefilter("always")
        rules = "quota+wardens(posts=1,wage=0.1,accountable=0)"
        status, _, err = nomoi("compare", "pool", "--who", "random", "--under", rules, "--seeds", 1)
    assert status == 0, err
    assert "nomoi: wardens.wage is below the effort of watching" in err
    assert "UserWarning" not in err


def test_what_needs_more_memory_than_there_is_says_so(nomoi, monkeypatch):
    def much(*_, **__):
        raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 86 bytes.")

    monkeypatch.setattr("nomoi.report.goods.goods", much)
    status, _, err = nomoi("goods", "pool")
    assert (status, err.count("\n")) == (2, 1)
    assert "there is not enough memory for this" in err


def test_of_a_commons_it_is_shown_whether_it_stands_and_what_villagers_have(nomoi):
    words = ["--who", "random", "--set", "situation.horizon=4", "--under", "nothing", "--seeds", 1]
    status, out, err = nomoi("compare", "commons", *words)
    assert status == 0, err
    assert all(word in out for word in ("standing", "income"))


def test_compare_writes_a_page_and_the_same_table_as_json(nomoi):
    words = ["compare", "pool", "--under", "nothing", "--under", "levy(on=request)", "--steps", "600", *QUICK]
    status, out, err = nomoi(*words)
    assert status == 0, err
    assert "report.html" in out
    page = Path("report.html").read_text()
    assert "levy" in page
    assert "<svg" in page
    status, out, _ = nomoi(*words, "--json")
    table = json.loads(out)
    assert status == 0
    assert [r["label"] for r in table["regimes"]] == ["nothing", "levy(on=request)"]
    record = next(r for r in Store("runs").all() if r.id == table["regimes"][0]["records"][0])
    assert table["regimes"][0]["measures"]["harvest"]["mean"] == pytest.approx(record.late()["harvest"])
    assert table["units"]["harvest"] == "units"
    status, out, _ = nomoi("runs")
    assert record.id in out


def test_a_trained_commons_leaves_a_film(nomoi, monkeypatch):
    monkeypatch.setattr("nomoi.runs.compare._scripts", lambda _: [("random", "Every action equally likely.", Random())])
    short = ("--set", "situation.horizon=60")  # frames of a film
    status, _, err = nomoi("compare", "harvest", "--under", "nothing", "--steps", "600", *short, *QUICK)
    assert status == 0, err
    assert "data:image/webp" in Path("report.html").read_text()
    record = next(r for r in Store("runs").all() if r.kind == "trained")
    status, _, _ = nomoi("film", record.id[:6], "--to", "film.gif")
    assert status == 0
    assert Path("film.gif").read_bytes()[:3] == b"GIF"
    # made again from the record alone, the film of its own seed is the one that was kept; another seed is another world
    for seed in (0, 7):
        status, _, err = nomoi("film", record.id[:6], "--seed", seed, "--to", f"{seed}.gif")
        assert status == 0, err
    assert Path("0.gif").read_bytes() == Path("film.gif").read_bytes()
    assert Path("7.gif").read_bytes() != Path("film.gif").read_bytes()
    script = next(r for r in Store("runs").all() if r.kind == "scripted")
    assert nomoi("film", script.id, "--to", "script.gif")[0] == 0
    status, out, _ = nomoi("runs", "show", record.id[:6])
    assert status == 0
    for word in ("nothing", record.id, "trained, seed 0", "made by the code that is here", "regrowth", "gae_lambda",
                 f"with {errand.threads()} thread", "harvest", "taken from the commons"):  # fmt: skip
        assert word in out, word
    status, _, err = nomoi("runs", "shwo", record.id)
    assert (status, "`nomoi runs show RUN`" in err) == (2, True)


def test_who_plays_may_be_anybody(nomoi):
    words = ["compare", "harvest", "--who", "forager(spare=3)", "--under", "nothing", "--under", "levy", "--seeds", 2]
    status, out, err = nomoi(*words, "--json")
    assert status == 0, err
    table = json.loads(out)
    assert table["who"] == {"class": "nomoi.scripts.fixed:Forager", "options": {"spare": 3, "heed": False}}
    assert table["steps"] == 0
    one, other = (r["measures"]["harvest"]["mean"] for r in table["regimes"])
    assert one == other == table["scripts"][1]["measures"]["harvest"]["mean"]  # a levy moves no script
    status, out, _ = nomoi(*words)
    assert "harvest: played by forager, 2 seeds" in out
    assert "forager plays" in Path("report.html").read_text()
    for who, said in (("forger", "no player called 'forger'; did you mean 'forager'"), ("ppo(hiden=3)", "'hidden'"),
                      ("person", "`nomoi lab SITUATION --seat person` opens a seat"),
                      ("mixed", "made of other players"), ("random(a=1)", "has no options"),
                      ("forager(objective=svo)", "has no objective"), ("ppo(", "is not a player")):  # fmt: skip
        status, _, err = nomoi("compare", "harvest", "--who", who)
        assert (status, said in err) == (2, True), err


@pytest.mark.slow  # what is checked and compared here is so in test_examples and test_open_measures too
def test_a_situation_and_an_institution_of_ones_own(nomoi):
    for file, limit in (("meadow.py", 100), ("fallow.py", 70)):
        assert len((EXAMPLES / file).read_text().splitlines()) < limit
        status, out, err = nomoi("check", EXAMPLES / file)
        assert status == 0, out + err
        assert "0 fail" in out
    name = f"{EXAMPLES / 'meadow.py'}:Meadow"
    status, _, err = nomoi("compare", name, "--under", "nothing", "--steps", "600", *QUICK)
    assert status == 0, err
    fallow = f"{EXAMPLES / 'fallow.py'}:Fallow(head=graze)"
    status, _, err = nomoi("compare", name, "--under", fallow, "--steps", "600", *QUICK)
    assert status == 0, err


def test_lists_and_cards(nomoi):
    status, out, _ = nomoi("list")
    assert status == 0
    for word in ("harvest", "pool", "matrix", "levy", "contract", "altar", "sanction", "tragedy"):
        assert word in out
    status, out, _ = nomoi("show", "altar")
    assert status == 0
    assert "threshold" in out
    assert "source" in out


@pytest.mark.filterwarnings("default")  # as a person's Python has it
@pytest.mark.parametrize("setting", ["polities=0", "polities=-1"])
def test_a_setting_that_nothing_can_be_computed_with_is_one_sentence(nomoi, setting):
    status, out, err = nomoi("run", "polities", "--size", "smoke", "--set", setting)
    assert (status, out) == (2, "")
    said = f"polities cannot be computed with {setting}; values nearer to the study's own would be right."
    assert err == f"nomoi: {said}\n"


def test_a_smoke_study_never_claims(nomoi, monkeypatch):
    status, out, err = nomoi("run", "savage", "--size", "smoke", "--json")
    assert status == 0, err
    verdicts = json.loads(out)["verdicts"]
    assert {v["verdict"] for v in verdicts} == {"not tested at this size"}
    assert Path("savage.html").exists()


def test_a_command_without_words_and_help(nomoi):
    _, out, err = nomoi()
    assert "Usage: " in out + err
    assert "nomoi: no" not in err
    status, out, _ = nomoi("--help")
    assert status == 0
    assert "Usage: " in out


def test_a_picture_may_end_in_capitals(nomoi):
    assert nomoi("solve", "stag_hunt", "--picture", "a.PNG")[0] == 0
    assert Path("a.PNG").read_bytes()[1:4] == b"PNG"


PRINTS = "@cli.app.command()\ndef say(): print('something')\n"


def test_who_starts_it_with_no_place_to_write_to_is_no_error(monkeypatch):
    from nomoi import cli

    monkeypatch.setattr(sys, "argv", ["nomoi", "market", "edgeworth"])
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit) as end:
        cli.main()
    sys.stdout.close()
    assert not end.value.code


@pytest.mark.parametrize("words", [("show", "altar"), ("list", "game"), ("--help",), ("say",)])
def test_who_has_read_enough_closes_the_pipe_and_nothing_is_wrong(words):
    read, write = os.pipe()
    os.close(read)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    call = [sys.executable, "-c", f"from nomoi import cli\n{PRINTS}cli.main()", *words]
    done = subprocess.run(call, stdout=write, stderr=subprocess.PIPE, text=True, env=environment)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_study_of_ones_own_is_shown_checked_and_not_made_twice(nomoi):
    text = (EXAMPLES / "trial.py").read_text().replace("games: int = 200", "games: int = 2")
    Path("mine.py").write_text(text)
    Path("odd.py").write_text(text.replace('r.late("two"', 'r.late("too"'))
    for place in ("mine.py", "mine.py:STUDY"):
        status, out, err = nomoi("show", place)
        assert status == 0, err
        assert "census, a study" in out
        assert "smoke (1 seed), laptop (5 seeds)" in out
        status, out, err = nomoi("check", place)
        assert status == 0, err
        assert "2 hold, 0 fail" in out
    status, out, err = nomoi("check", "odd.py")
    assert status == 1, err
    assert "did you mean 'two'" in " ".join(out.split())
    for said in (False, True):
        status, out, _ = nomoi("run", "mine.py", "--size", "smoke")
        assert status == 0
        assert ("2 of 2 runs were there already." in out) == said


def test_help_does_not_wait_for_jax():
    code = "import sys, nomoi, nomoi.cli; nomoi.cli.app; print('jax' in sys.modules, 'matplotlib' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.split() == ["False", "False"]
