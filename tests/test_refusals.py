"""What cannot be is refused in a sentence, and nothing that was typed is silently left out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi import catalogue
from nomoi.core import build, options
from nomoi.core.keys import key_of
from nomoi.errors import Refusal, nearest, printable
from nomoi.learners.ppo import PPO
from nomoi.report import terminal
from nomoi.report.comparison import html
from nomoi.runs import compare as comparison
from nomoi.runs import regimes, study
from nomoi.runs.study import Computed, Study
from nomoi.runs.trained import Trained, check_memory, schedule
from nomoi.situations.harvest import Harvest
from nomoi.situations.matrix import Matrix
from nomoi.situations.pool import Pool


def test_a_name_is_offered_only_where_it_may_have_been_meant():
    names = ["altar", "levy", "monitor", "sanction", "stag_hunt", "tax"]
    meant = {"altr": "altar", "levi": "levy", "sanctions": "sanction", "taxes": "tax", "staghunt": "stag_hunt",
             "stag": "stag_hunt", "hunt": "stag_hunt", "mon": "monitor"}  # fmt: skip
    assert {word: nearest(word, names) for word in meant} == {w: f"did you mean {n!r}?" for w, n in meant.items()}
    for word in ("money", "trade", "welfare", "police", "x", "", "("):  # of these they have some letters in common
        assert nearest(word, names, "rule") == f"the rules are: {', '.join(names)}."


# --- what was typed is used, or refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("owner", ["situation", "pool"])
def test_a_situation_goes_by_its_own_name_too(owner, monkeypatch):
    monkeypatch.setattr(comparison, "make", lambda _, t, *__, **___: pytest.fail(f"{t[0].place.agents} fish"))
    with pytest.raises(pytest.fail.Exception, match="5 fish"):
        comparison.compare("pool", ["nothing"], set=[f"{owner}.agents=5"])
    with pytest.raises(Refusal, match=r"no option 'agnets'; did you mean 'agents'"):
        comparison.compare("pool", ["nothing"], set=[f"{owner}.agnets=5"])
    with pytest.raises(Refusal, match="already made"):
        comparison.compare(Pool(), ["nothing"], set=[f"{owner}.agents=5"])


@pytest.mark.parametrize(
    ("under", "set", "said"),
    [
        (["levy(on=request,rate=1,rate=2)"], [], "gives 'rate' twice"),
        (["levy(on=request)"], ["levy.rate=1", "levy.rate=2"], "--set gives 'levy.rate' twice"),
        (["levy(on=request)"], ["situation.agents=3", "pool.agents=4"], "gives 'agents' twice"),
        (["nothing", " nothing"], [], "--under gives 'nothing' twice"),
        (["levy(on=request,rate=1)"], ["levy.rate=2"], "levy.rate touches nothing here"),
        (["levy(title=a\x1b[31m)"], [], "control characters"),
        (["levy(title=\udcff)"], [], "control characters"),
    ],
)
def test_what_would_be_swallowed_is_refused(under, set, said):
    with pytest.raises(Refusal, match=said):
        comparison.compare("pool", under, set=set)


def test_an_option_that_one_regime_says_itself_reaches_the_others():
    under = [regimes.parse(t, t, {"levy": {"rate": "2"}}) for t in ("levy", "levy(rate=1)")]
    assert [float(r.institutions[0].rate) for r in under] == [2.0, 1.0]
    regimes.check_overrides({"levy": {"rate": "2"}}, under, [])


def test_an_option_that_the_text_of_a_player_says_itself_is_its_own():
    for text, option in (("ppo(hidden=32)", "hidden"), ("ppo(objective=svo)", "objective")):
        with pytest.raises(Refusal, match=f"--set learner.{option} touches nothing here: the player says it itself"):
            regimes.player(text, {option: "16"})
    assert regimes.player("ppo(hidden=32)", {"worlds": "3"}).hidden == 32
    assert regimes.player("ppo(hidden=32)", {"worlds": "3"}).worlds == 3


def test_a_map_is_asked_for_once(tmp_path):
    (tmp_path / "map.txt").write_text("PPA")
    with pytest.raises(Refusal, match="twice"):
        comparison.compare("harvest", map=str(tmp_path / "map.txt"), set=["situation.map=small"])


def test_keys_of_json_stand_once(tmp_path, nomoi):
    Path("game.json").write_text('{"payoff": [[[1]], [[1]]], "title": "a", "title": "b"}')
    status, _, err = nomoi("solve", "game.json")
    assert (status, "game.json gives 'title' twice" in err) == (2, True), err


# --- sizes and settings -------------------------------------------------------------------------------------------

ABSURD = ["inf", "-inf", "nan", "1e18", "1e10", "1e400", "-1e18", "10" * 30]


def numeric():
    """Every option that is a number or several: (class, name, how many are given)."""
    classes = [*catalogue.situations().values(), *catalogue.institutions().values(), PPO]
    for cls in classes:
        for name, option in options(cls).items():
            if option.kind != "choice" and np.asarray(option.default).dtype.kind in "if":
                yield cls, name, np.size(option.default), option


@pytest.mark.parametrize("text", ABSURD)
def test_no_absurd_number_is_a_traceback(text):
    """A size is refused; a setting is refused or finite."""
    for cls, name, many, option in numeric():
        try:
            made = build(cls, None, **{name: ",".join([text] * many)})
        except Refusal:
            continue
        assert option.kind == "setting", (cls, name)
        assert np.isfinite(np.asarray(getattr(made, name))).all(), (cls, name)


def test_a_list_has_its_length():
    for cls, name in ((Harvest, "regrowth"), *((catalogue.situations()["driving"], n) for n in ("start", "behind"))):
        for many in (1, 3, 5):
            with pytest.raises(Refusal, match=f"{name} is .* numbers, such as"):
                build(cls, None, **{name: ",".join(["0.5"] * many)})
    assert Harvest(regrowth=np.zeros((7, 4))).regrowth.shape == (7, 4)  # a sweep


def test_a_crowd_and_what_no_machine_holds_are_refused(nomoi):
    with pytest.raises(Refusal, match="1001 agents, and can have 1000"):
        Pool(agents=1001)
    learner = PPO(worlds=1_000_000, steps=1_000_000)
    with pytest.raises(Refusal, match=r"training in pool needs [\d,]+ GB"):
        check_memory(Trained("a", Pool(), (), 1, learner), 1, None)
    status, _, err = nomoi("compare", "pool", "--seeds", 10**10)
    assert (status, "--seeds is 10000000000" in err) == (2, True)


@pytest.mark.parametrize("steps", [float("inf"), float("nan"), 0, -5, 1e18])
def test_steps_can_be_counted(steps):
    with pytest.raises(Refusal, match="--steps is"):
        schedule(PPO(), steps)
    with pytest.raises(Refusal, match="more than can be counted"):
        schedule(PPO(worlds=1, steps=1, minibatches=1), 1e12)


def half(key, share=0.5, people=3, costs=(0.1, 0.2)):
    return {"half": share * sum(costs) / people}


HALVES = Study(
    "halves",
    "?",
    (),
    lambda size: [Computed("a", half, {"share": 0.5, "people": 3, "costs": (0.1, 0.2)})],
    {"smoke": 1},
)


@pytest.mark.parametrize(
    "text",
    ["share=NaN", "share=Infinity", "share=1e400", f"people={10**30}", "costs=[]", 'costs=[1,"a"]', "costs=[1,NaN]",
     "costs=[[1]]", "costs=1,a", "people=0", 'share={"a":1,"a":2}', "share=" + "[" * 100_000],
)  # fmt: skip
def test_settings_of_studies_are_numbers_too(text, tmp_path):
    with pytest.raises(Refusal):
        study.run(HALVES, "smoke", tmp_path, set=[text])


def test_a_setting_is_given_once_and_a_list_may_be_set(tmp_path):
    with pytest.raises(Refusal, match="gives 'people' twice"):
        study.run(HALVES, "smoke", tmp_path, set=["people=2", "people=4"])
    for costs in ("[1,2,3]", "1,2,3"):
        found = study.run(HALVES, "smoke", tmp_path, set=[f"costs={costs}"])
        assert found.results.late("a", "half") == pytest.approx([1.0])


# --- seeds --------------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 2**32 - 1), above=st.integers(1, 2**70))
def test_seeds_far_apart_are_different_worlds(seed, above):
    data = lambda key: tuple(np.asarray(jax.random.key_data(key)).tolist())  # noqa: E731
    assert data(key_of(seed)) == data(jax.random.key(seed))
    assert data(key_of(seed + above * 2**32)) != data(key_of(seed))


def test_a_seed_is_not_below_zero():
    with pytest.raises(Refusal, match="-1 is no seed"):
        key_of(-1)


KINDS = """
import nomoi
from nomoi.core.keys import key_of
levy = nomoi.Levy()
calls = [
    lambda: key_of(1.5), lambda: key_of(float("nan")), lambda: key_of(None), lambda: nomoi.compare(nomoi.Pool),
    lambda: nomoi.compare(3), lambda: nomoi.compare("pool", [nomoi.Levy]), lambda: nomoi.compare("pool", {"a": 7}),
    lambda: nomoi.compare("pool", "levy"), lambda: nomoi.compare("pool", levy),
    lambda: nomoi.compare("pool", seeds="3"), lambda: nomoi.compare("pool", steps="10"),
]
for call in calls:
    try:
        call()
    except nomoi.Refusal as refusal:
        print(str(refusal).replace(repr(levy), "LEVY"))
"""


def test_values_of_another_kind_are_refused_in_a_sentence(tmp_path):
    """Where nothing else checks types, as for a person."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-c", KINDS], capture_output=True, text=True, env=environment, cwd=tmp_path, check=True
    )
    said = [line.partition(";")[0] for line in done.stdout.splitlines()]
    kind = "<class 'nomoi.situations.pool.Pool'> is no situation"
    seeds = ["1.5 is no seed", "nan is no seed", "None is no seed"]
    under = ["under has <class 'nomoi.institutions.levy.Levy'>", "under has 7", "under is 'levy'", "under is LEVY"]
    assert said == [*seeds, kind, "3 is no situation", *under, "seeds is '3'", "steps is '10'"]
    assert "Pool()" in done.stdout


# --- from outside -------------------------------------------------------------------------------------------------

LONG = "x" * 5000
UNKIND = {
    "a long situation": ["compare", LONG],
    "a long file": ["compare", f"{LONG}.py:Village"],
    "a long map": ["compare", "harvest", "--map", LONG],
    "a long map to set": ["compare", "harvest", "--set", f"situation.map={LONG}"],
    "a long regime": ["compare", "pool", "--under", f"levy(on={LONG})"],
    "a long report": ["compare", "pool", "--report", LONG],
    "a long folder": ["compare", "pool", "--out", LONG],
    "a long folder of records": ["runs", "--out", LONG],
    "a long game": ["solve", f"{LONG}.nfg"],
    "a long picture": ["solve", "stag_hunt", "--picture", f"{LONG}.svg"],
    "a long study": ["run", f"{LONG}.py"],
    "a long card": ["show", f"{LONG}.py"],
    "a long file to check": ["check", f"{LONG}.py"],
    "nobody's home": ["check", "~nobody-of-that-name/a.py"],
    "a surrogate": ["compare", "har\udcff"],
    "a surrogate to set": ["compare", "pool", "--set", "levy.\udcff=2"],
    "a surrogate file": ["compare", "\udcff.py"],
    "a surrogate map": ["compare", "harvest", "--map", "\udcff"],
    "a surrogate card": ["show", "\udcff"],
    "a surrogate game": ["solve", "\udcff.json"],
    "a surrogate study": ["run", "\udcff"],
    "a surrogate record": ["film", "\udcff", "--out", "."],
    "no folder": ["runs", "--out", "nowhere"],
}


@pytest.mark.parametrize("case", UNKIND)
def test_long_paths_and_broken_letters_are_a_sentence(nomoi, case):
    status, out, err = nomoi(*UNKIND[case])
    assert status == 2, err
    assert err.startswith("nomoi: ")
    assert err.count("\n") == 1
    assert len(err) < 600
    assert printable(err) == err
    assert out == ""


def test_a_file_of_control_characters_does_not_command_the_terminal(nomoi):
    Path("bad.py").write_text("raise ValueError('\\x1b[2Jgone')")
    status, _, err = nomoi("check", "bad.py")
    assert status == 2
    assert "gone" in err
    assert "\x1b" not in err


def test_who_has_no_home_can_run_and_others_keep_what_is_compiled(tmp_path, monkeypatch):
    import pwd

    from nomoi.runs import programs

    def nobody(_):
        raise KeyError

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    before = jax.config.jax_compilation_cache_dir
    try:
        jax.config.update("jax_compilation_cache_dir", None)
        programs.keep()
        assert jax.config.jax_compilation_cache_dir is None
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        programs.keep()
        assert jax.config.jax_compilation_cache_dir == str(tmp_path / "nomoi" / "xla")
        monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
        programs.keep()  # a place that was chosen stands
        assert jax.config.jax_compilation_cache_dir == str(tmp_path / "nomoi" / "xla")
    finally:
        jax.config.update("jax_compilation_cache_dir", before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoever_ends_a_run_finds_it_again(number, nomoi, monkeypatch):
    def wait(*_, **__):
        os.kill(os.getpid(), number)
        time.sleep(5)

    if number == signal.SIGINT:  # ignored where the suite itself runs in the background
        signal.signal(number, signal.default_int_handler)
    before = signal.getsignal(number)
    monkeypatch.setattr(signal, "getsignal", lambda _: signal.SIG_DFL)
    monkeypatch.setattr(comparison, "compare", wait)
    status, _, err = nomoi("compare", "pool")
    monkeypatch.undo()
    assert status == 128 + number
    assert err.strip() == "nomoi: interrupted; the same command goes on from here."
    assert signal.getsignal(number) == before


def test_too_short_a_run_says_so(capsys):
    row = comparison.Row("nothing", "No rule.", {"reward": np.zeros(1)})
    short = comparison.Comparison(Matrix(), PPO(), 0, (0, 1), (row,), ())
    made = lambda updates: comparison.dataclasses.replace(short, steps=4096 * updates)  # noqa: E731
    said = "The whole run is 1 update of 4,096 world steps, so nothing had been learned when it was measured"
    assert said in made(1).data()["remarks"][0]
    assert "7 updates of 4,096 world steps, so hardly anything" in made(7).remarks[0]
    assert made(8).remarks == []
    assert said in html(made(1))
    terminal.table(made(1))
    assert said in " ".join(capsys.readouterr().out.split())
