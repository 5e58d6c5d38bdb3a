"""Choices of a game of a file: in its own words, and how often each player takes each of them."""

import dataclasses
import json
from unittest.mock import Mock

import jax.numpy as jnp
import numpy as np
import pytest

from nomoi.core import govern
from nomoi.core.keys import key_of
from nomoi.core.learner import Learner
from nomoi.core.settings import Rule
from nomoi.institutions.contract import Contract
from nomoi.play import Table
from nomoi.play.called import Called, joined, with_names
from nomoi.play.words import choices, words
from nomoi.report import playing, terminal
from nomoi.runs import chosen, regimes
from nomoi.runs.record import Record
from nomoi.runs.told import told as told_of
from nomoi.runs.trained import Trained
from nomoi.scripts.fixed import Constant, Mixed, Random
from nomoi.situations.matrix import Matrix
from nomoi.solve.game import NormalForm
from nomoi.speak.desk import Desk

UNLIKE = ',left,right\nlow,"4,4","1,5"\nhigh,"5,1","2,2"\n'
ALIKE = UNLIKE.replace("left", "low").replace("right", "high")


class Turns(Learner, Rule):
    """The second choice in the first round, and then always the first."""

    def act(self, key, mind, situation, seen, carry):
        first = seen["last"].reshape(situation.agents, -1, 3)[:, 0, 2] == 1  # nobody has chosen yet
        return {h: jnp.where(first, 1, 0).astype(jnp.int32) for h in situation.actions}, carry


def test_shares_are_of_what_came_into_the_world_and_of_whole_episodes_alone():
    held = govern(Matrix(horizon=4), Contract(on="defect"))  # which convenes first, when nobody chooses in the world
    np.testing.assert_allclose(chosen._counted(key_of(0), held, Turns(), None), [[0.75, 0.25]] * 2, atol=1e-6)
    odd = govern(Matrix(horizon=5), Contract(on="defect"))  # where a second episode begins that is not whole
    np.testing.assert_allclose(chosen._counted(key_of(0), odd, Turns(), None), [[0.8, 0.2]] * 2, atol=1e-6)
    mixed = Mixed(Constant(choice=1), Random(), 1)
    (first, second) = np.asarray(chosen._counted(key_of(0), Matrix(), mixed, (None, None)))
    assert first.tolist() == [0, 1]
    assert second[0] == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(chosen.WORLDS))


def test_a_table_of_a_game_speaks_as_its_file_does(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in (("unlike.csv", UNLIKE), ("alike.csv", ALIKE), ("none.csv", '"4,4","1,5"\n"5,1","2,2"\n')):
        (tmp_path / name).write_text(text)
    place = {n: playing.trials(f"{n}.csv", ["random"])[0].place for n in ("unlike", "alike", "none")}
    assert [choices(p)["choose"] for p in place.values()] == [("low/left", "high/right"), ("low", "high"), ("A", "B")]
    assert not isinstance(place["none"], Called)
    said = {n: words(p, Table(p).told(0)) for n, p in place.items()}
    assert "you low, the others high (they get 5): you get 1" in said["alike"]
    assert "the first player's first" in said["unlike"]
    assert "the first player's first" not in said["alike"]
    assert joined((("a", "b"), ("a", "c"), ("d", "c"))) == ("a/d", "b/c")
    assert joined((("x/y", "x"), ("z", "y/z"))) == ("x/y/z (1)", "x/y/z (2)")


THREE = Matrix(payoff=np.arange(18.0).reshape(2, 3, 3), horizon=5, defect=2)


def test_only_a_game_without_any_word_stays_as_it_is_and_one_with_names_is_the_same_game():
    bare = NormalForm(np.asarray(THREE.payoff))
    named = with_names(THREE, dataclasses.replace(bare, actions=(("1", "2", "3"), ("1", "b", "3"))))
    assert isinstance(named, Called)
    assert (named.horizon, named.defect, named.labels[1]) == (5, 2, ("1", "b", "3"))
    assert with_names(THREE, dataclasses.replace(bare, actions=(("1", "2", "3"),) * 2)) is THREE


def test_the_shares_of_a_run_are_of_what_it_learned_and_defection_is_what_the_game_counts(monkeypatch):
    trial, asked = Trained("a", THREE), []
    monkeypatch.setattr(chosen, "trial_of", lambda record: trial)
    monkeypatch.setattr(chosen, "learned", lambda record, of: f"learned by {record.seed}")
    monkeypatch.setattr(chosen, "_counted", lambda key, *given: asked.append(given) or np.full((2, 3), 1 / 3))
    found = chosen.choices(THREE, None, {"nothing": [Mock(spec=Record, seed=seed) for seed in (4, 5)]})
    assert [given[1:] for given in asked] == [(trial.learner, "learned by 4"), (trial.learner, "learned by 5")]
    assert (found.heads, found.defections) == (("A", "B", "C"), ("C",))


def test_as_many_choices_are_shown_as_there_is_room_for_and_the_others_are_counted(monkeypatch):
    monkeypatch.setattr(terminal.console, "_width", 60)
    names = tuple(f"choice {k}" for k in range(12))
    found = chosen.Choices(("P1", "P2"), (names, names), {"nothing": np.full((1, 2, 12), 1 / 12)})
    table = terminal.shares(found, ["nothing"], "chose")
    shown = len(table.columns) - 2
    assert 1 < shown < 12
    assert f"; {12 - shown} further choices are in --json" in table.title
    assert table.caption.startswith("to choose choice 1 or choice 2 or ")
    with terminal.console.capture() as said:
        terminal.console.print(table)
    assert all(name in said.get() for name in names[:shown])  # none of them is broken


def test_what_was_played_at_a_table_is_told_by_choice(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "unlike.csv").write_text(UNLIKE)
    seats, under = ["constant(choice=1)", "constant(choice=0)"], ["contract(on=defect)"]
    made = playing.trials("unlike.csv", seats, under, set=["situation.horizon=3"])
    rows = playing.play(made, 1)
    found = playing.choices(made, rows, "unlike.csv")
    playing.show(rows, Desk(), found, "unlike.csv: two scripts at the seats")
    table, told = " ".join(capsys.readouterr().out.split()).split("what they chose: shares")
    assert table.startswith("unlike.csv: two scripts at the seats, 1 seed each")
    assert "payoff: what agents end with: reward + made - burnt" in told
    assert "calls were made" not in told  # nobody speaks
    assert "low/left" in told
    assert "high/right" in told
    (row,) = json.loads(playing.data(rows, Desk(), found))["rows"]
    mean = {who: {choice: e["mean"] for choice, e in some.items()} for who, some in row["choices"].items()}
    assert mean == {"P1": {"low": 0, "high": 1}, "P2": {"left": 1, "right": 0}}
    assert told_of(rows[0].records[0]).of == "unlike.csv"


def test_shares_as_data_and_as_a_frame(tmp_path):
    (tmp_path / "unlike.csv").write_text(UNLIKE)
    source = regimes.source(str(tmp_path / "unlike.csv"))
    shares = np.array([[[0.25, 0.75], [1.0, 0.0]], [[0.75, 0.25], [1.0, 0.0]]])
    found = chosen.Choices(source.players, source.actions, {"nothing": shares})
    assert found.data("nothing")["P1"]["low"]["mean"] == 0.5
    assert found.data("nothing")["P2"]["left"]["mean"] == 1
    assert found.apart == ("nothing",)
    assert "Runs of one regime differ (nothing): " in found.unlike
    near = dataclasses.replace(found, shares={"nothing": shares, "near": shares[[0, 0]] + [[[0.0]], [[0.25]]]})
    assert near.apart == ("nothing",)
    assert dataclasses.replace(near, shares={"near": near.shares["near"], "one": shares[:1]}).unlike == ""
    rows = found.frame().to_pylist()
    assert len(rows) == 8
    assert rows[5] == {"label": "nothing", "seed": 1, "player": "P1", "choice": "high", "share": 0.25}
    assert chosen.choices(playing.regimes.place("pool", None, {}), None, {"nothing": ()}) is None
    assert playing.data([], Desk()) == json.dumps({"rows": [], "calls": 0, "tokens": 0}, indent=1)
