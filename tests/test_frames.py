"""Records as one table, and games of files that are lived in."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

import nomoi
from nomoi.core.spec import spec
from nomoi.errors import Refusal
from nomoi.learners.joint import Joint
from nomoi.learners.objectives import SVO
from nomoi.learners.ppo import PPO
from nomoi.probes.meeting import Meeting
from nomoi.runs import frames, regimes, study, told
from nomoi.runs.make import make
from nomoi.runs.record import Record
from nomoi.runs.store import Store
from nomoi.runs.study import Claim, Study
from nomoi.runs.trial import Trial
from nomoi.runs.trials import Computed, Scripted
from nomoi.scripts.fixed import Random
from nomoi.situations.matrix import Matrix
from nomoi.solve.analysis import analyse
from nomoi.solve.games import GAMES

GAME = '# our game\n,stay,go\nstay,"3,3","0,5"\ngo,"5,0","1,1"\n'


PAYOFF = np.arange(18.0).reshape(2, 3, 3).tolist()


def seven(key):
    return {"seven": 7.0}


def test_a_frame_has_every_value_of_every_run(tmp_path):
    store = Store(tmp_path / "runs")
    made = make(store, [Scripted("chance", nomoi.Pool(agents=3), Random()), Computed("number", seven)], (0, 3))
    table = nomoi.frame(tmp_path / "runs")
    rows = table.to_pylist()
    assert table.column_names == [
        "record", "label", "kind", "of", "under", "who", "options", "seed", "current", "step", "measure", "unit",
        "value",
    ]  # fmt: skip
    for record in (r for some in made.results.records.values() for r in some):
        mine = [row for row in rows if row["record"] == record.id]
        assert {row["label"] for row in mine} == {record.label}
        assert {row["seed"] for row in mine} == {record.seed}
        for measure, (steps, values) in record.curve().items():
            some = [row for row in mine if row["measure"] == measure]
            assert [row["step"] for row in some] == steps.tolist()
            np.testing.assert_array_equal([row["value"] for row in some], values)
            assert {row["unit"] for row in some} == {record.facts["measures"].get(measure, [""])[0]}
    assert {row["kind"] for row in rows} == {"scripted", "computed"}
    assert {(row["of"], row["under"], row["who"], row["options"]) for row in rows} == {
        ("pool", "nothing", "random", "situation.agents=3"), ("seven", "", "", ""),
    }  # fmt: skip
    assert all(row["current"] for row in rows)


OWN = """from nomoi.core.learner import Learner
from nomoi.core.settings import Rule, size

class Mine(Learner, Rule):
    first: int = size(0, "the answer")
    last: int = size(0, "no more")

    def act(self, key, mind, situation, seen, carry):
        import jax.numpy as jnp
        return {h: jnp.full(situation.agents, self.first, jnp.int32) for h in situation.actions}, carry
"""


def test_what_was_run_is_told_by_game_rules_player_and_options(tmp_path, nomoi):
    (tmp_path / "trade.csv").write_text(GAME)
    (tmp_path / "mine.py").write_text(OWN)
    words = ("compare", "trade.csv", "--under", "nothing", "--under", "levy(on=defect,rate=4)", "--seeds", "1")
    status, out, err = nomoi(
        *words, "--set", "situation.horizon=2", "--who", "mine.py:Mine", "--set", "learner.first=1"
    )
    assert status == 0, err
    told = out.split("what they choose in the end: shares")[1]  # in the words of the file: all go
    assert re.search(r"player\W+stay\W+go\W", told)
    assert "to choose go is defection" in told
    assert re.findall(r"(P1|P2)\W+0 \W+1\.00", told) == ["P1", "P2"] * 2
    page = (tmp_path / "report.html").read_text().split("What they choose in the end")[1]
    assert re.search(
        r"stay \(share\).*go \(share\).*nothing: P1.*script: random: P2.*Defection is to choose go\.", page, re.S
    )
    (tmp_path / "mine.py").write_text("raise SystemExit('a file of one that lists is not run')")
    rows = {(r["label"], r["under"], r["who"]): r["options"].split(", ") for r in told_of(tmp_path / "runs")}
    assert {r["of"] for r in told_of(tmp_path / "runs")} == {"trade.csv"}
    assert set(rows) == {("nothing", "nothing", "mine"), ("script: random", "nothing", "random"),
                         ("levy(on=defect,rate=4)", "levy", "mine")}  # fmt: skip
    assert rows["script: random", "nothing", "random"][0] == "situation.horizon=2"
    assert rows["nothing", "nothing", "mine"][2:] == ["learner.first=1"]
    assert rows["levy(on=defect,rate=4)", "levy", "mine"][2:] == ["levy.on=defect", "levy.rate=4", "learner.first=1"]
    status, out, _ = nomoi("runs")
    assert "trade.csv" in out
    assert "harvest" not in out  # which no game has


def told_of(place):
    return nomoi.frame(place, late=True).to_pylist()


def test_values_too_long_to_write_out_are_told_apart(tmp_path):
    of = lambda thing: list(told._changed(Record(tmp_path, {}), spec(thing), "it"))  # noqa: E731
    (one,), (other,) = of(Matrix(payoff=PAYOFF)), of(Matrix(payoff=PAYOFF[::-1]))
    assert one.startswith("it.payoff=2x3x3 values #")
    assert one != other
    assert of(Joint(PPO(hidden=32, objective=SVO(angle=30)))) == ["ppo.objective=svo", "svo.angle=30", "ppo.hidden=32"]


@dataclasses.dataclass(frozen=True, eq=False)
class Grown(Trial):
    def make(self, key, parents):
        return {"grown": (np.array([10, 20, 80, 160]), np.array([1.0, 2.0, 3.0, 5.0]))}, {}


def test_late_is_one_row_a_measure_of_each_run_and_what_a_study_gives_back_has_the_same_table(tmp_path):
    claim = Claim("It grows", "ours", lambda r: r.late("growth", "grown"), above=4, kind="ours", unit="units")
    trials = lambda size: [Grown("growth"), Computed("number", seven, exact=True)]  # noqa: E731
    found = study.run(Study("grown", "Does it?", [claim], trials, {"smoke": 1, "laptop": 2}), "laptop", tmp_path)
    assert found.frame().sort_by("record") == nomoi.frame(tmp_path).sort_by("record")
    rows = [r for r in found.frame().to_pylist() if r["label"] == "growth"]
    assert [(r["seed"], r["step"], r["value"]) for r in rows if r["measure"] == "grown"] == [
        (seed, step, value) for seed in (0, 1) for step, value in ((10, 1), (20, 2), (80, 3), (160, 5))
    ]
    late = found.frame(late=True).to_pylist()
    assert [(r["label"], r["seed"], r["step"], r["value"]) for r in late] == [
        ("growth", 0, 160, 5.0), ("growth", 1, 160, 5.0), ("number", None, late[-1]["step"], 7.0)
    ]  # fmt: skip
    (told,) = found.verdict_frame().to_pylist()
    assert (told["claim"], told["verdict"], told["mean"], told["n"], told["bound"]) == (
        "It grows", found.verdicts[0].verdict, 5.0, 2, found.verdicts[0].claim.bound(),
    )  # fmt: skip


def test_the_frame_of_a_comparison_tells_regimes_from_scripts_of_the_same_name(tmp_path):
    levied = (nomoi.Levy(on="request"),)
    result = nomoi.compare(nomoi.Pool(agents=2), {"free": "nothing", "random": levied}, who="constant(choice=3)",
                           seeds=2, out=tmp_path)  # fmt: skip
    table = result.frame(late=True)
    assert set(table["label"].to_pylist()) == {"free", "random", "script: random"}
    for label, row in (("random", result.rows[1]), ("script: random", result.scripts[0])):
        rows = [r["value"] for r in table.to_pylist() if (r["label"], r["measure"]) == (label, "request")]
        np.testing.assert_array_equal(rows, row.values["request"])


def test_equilibria_and_meetings_as_frames():
    rows = analyse(GAMES["stag_hunt"].game).frame().to_pylist()
    mixed = [r for r in rows if 0 < r["share"] < 1]
    assert len(rows) == 3 * 2 * 2
    assert {r["equilibrium"] for r in mixed} == {3}
    for k in (1, 2, 3):
        for player in ("P1", "P2"):
            shares = [r["share"] for r in rows if (r["equilibrium"], r["player"]) == (k, player)]
            assert sum(shares) == pytest.approx(1)
    payoff = np.arange(12.0).reshape(2, 3, 2)
    met = Meeting(("a", "b"), ("c",), payoff, 1, 2).frame().to_pylist()
    assert len(met) == 12
    assert met[5] == {"who": "a", "among": "c", "held_out": True, "world": 1, "payoff": 5.0}
    assert met[6] == {"who": "b", "among": "a", "held_out": False, "world": 0, "payoff": 6.0}


def test_a_frame_of_nothing_has_its_columns_and_one_of_no_folder_is_refused(tmp_path):
    with pytest.raises(Refusal, match=r"none is no folder; `nomoi compare --out FOLDER` makes one"):
        nomoi.frame(tmp_path / "none")
    for name in ("runs", "mine"):
        (tmp_path / name / "records").mkdir(parents=True)
    assert len(nomoi.frame(tmp_path / "runs")) == 0
    assert "value" in nomoi.frame(tmp_path / "runs").column_names
    (tmp_path / "papers").mkdir()
    for name, wrong in (("run", "is no folder"), ("papers", "has no runs in it")):
        with pytest.raises(Refusal, match=f"{name} {wrong}; those with runs beside it are: .*mine, .*runs"):
            nomoi.frame(tmp_path / name)
    (tmp_path / "game.csv").write_text(GAME)
    for wrong, said in ((5, "5 is no folder"), (None, "None is no folder"), ("", "'' is no folder"),
                        ("x" * 5000, "xxx... .File name too long"), (tmp_path / "game.csv", "is a file")):  # fmt: skip
        with pytest.raises(Refusal, match=said) as refused:
            frames._folder(wrong)  # as `frame` does; types are checked in tests before it
        assert "--out" not in str(refused.value)
        assert len(str(refused.value)) < 300


def test_the_game_of_a_file_can_be_lived_in(tmp_path):
    (tmp_path / "game.csv").write_text(GAME)
    place = regimes.place(str(tmp_path / "game.csv"), None, {"situation": {"horizon": "4"}})
    assert place.payoff.tolist() == [[[3, 0], [5, 1]], [[3, 5], [0, 1]]]
    assert place.horizon == 4
    assert set(place.roles) == {"player"}


@pytest.mark.parametrize(
    ("text", "map", "said"),
    [(',a,b\nx,"1,1","2,2"\ny,"3,3","4,4"\nz,"0,0","1,2"\n', None, "3, 2 actions"), (GAME, "open", "has no map")],
)
def test_a_game_that_cannot_be_lived_in_is_refused(tmp_path, text, map, said):
    (tmp_path / "game.csv").write_text(text)
    with pytest.raises(Refusal, match=said):
        regimes.place(str(tmp_path / "game.csv"), map, {})


def test_the_version_stands_in_one_place(capsys):
    from pathlib import Path

    from typer.testing import CliRunner

    from nomoi.cli import app

    assert CliRunner().invoke(app, ["--version"]).output == f"nomoi {nomoi.__version__}\n"
    assert f"version: {nomoi.__version__}\n" in (Path(nomoi.__file__).parents[1] / "CITATION.cff").read_text()
