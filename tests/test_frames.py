"""Records as one table, and games of files that are lived in."""

from __future__ import annotations

import numpy as np
import pytest

import nomoi
from nomoi.errors import Refusal
from nomoi.runs import regimes
from nomoi.runs.make import make
from nomoi.runs.store import Store
from nomoi.runs.trials import Computed, Scripted
from nomoi.scripts.fixed import Random

GAME = '# our game\n,stay,go\nstay,"3,3","0,5"\ngo,"5,0","1,1"\n'


def seven(key):
    return {"seven": 7.0}


def test_a_frame_has_every_value_of_every_run(tmp_path):
    store = Store(tmp_path / "runs")
    made = make(store, [Scripted("chance", nomoi.Pool(agents=2), Random()), Computed("number", seven)], (0, 3))
    table = nomoi.frame(tmp_path / "runs")
    rows = table.to_pylist()
    assert table.column_names == [
        "record", "label", "kind", "seed", "current", "step", "measure", "unit", "value",
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
    assert all(row["current"] for row in rows)


def test_a_frame_of_nothing_has_its_columns(tmp_path):
    assert len(nomoi.frame(tmp_path / "none")) == 0
    assert "value" in nomoi.frame(tmp_path / "none").column_names


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
