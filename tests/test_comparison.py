"""compare: whose records are whose, what a gain is, and how payoffs are shown."""

import dataclasses
import io
import json

import numpy as np
import pytest
from rich.console import Console

from nomoi import compare
from nomoi.report import terminal
from nomoi.report.comparison import html
from nomoi.runs import compare as comparison
from nomoi.runs import make
from nomoi.runs.trial import trial_of
from nomoi.situations.matrix import Matrix

UNDER = {"free": "", "double": "levy(rate=2)", "single": "levy(rate=1)"}
LUCK = [1.0, 50.0, 1000.0]  # of a seed, whatever the regime: much more than any regime matters
GAIN = {0.0: 0.0, 1.0: -3.0, 2.0: 5.0}  # of a rate


def rates_of(trial):
    """The rates of what is in force, by what the trial says that it is."""
    place = trial.spec()["options"]["situation"]["options"]
    stack = place.get("institutions", {"tuple": []})["tuple"]
    return [float(i["options"]["rate"]) for i in stack]


def worth(trial, seed):
    """What a training is made to have brought."""
    rate = sum(rates_of(trial))
    harvest = LUCK[seed] + GAIN[rate]
    accounts = {"reward": harvest, "moved": 4 * rate, "made": 2000 * (rate == 1), "burnt": 0.0}
    return {"harvest": harvest, **accounts, "payoff": harvest + accounts["made"], "removed": 0.5 * (rate == 2)}


@pytest.fixture
def trained(monkeypatch, tmp_path):
    """Compare without training anything; records come as the trials were asked for."""

    def train(work, queue, scripts):
        late = np.array([8.0, 16.0])  # the first row of a curve is not its last eighth
        curve = lambda r: {m: (late, np.array([-9.0 * (m != "removed"), v])) for m, v in worth(r.trial, r.seed).items()}  # noqa: E731
        queue.records |= {run: work._put(run, curve(run), {}, {}) for run in queue.waiting}

    monkeypatch.setattr(make._Work, "_train", train)
    monkeypatch.setattr(comparison, "_scripts", lambda *_: ())
    return lambda under=UNDER, seeds=3: compare("pool", under, seeds=seeds, out=tmp_path)


def test_every_regime_has_its_own_records_seed_by_seed(trained):
    result = trained()
    assert [row.label for row in result.rows] == list(UNDER)  # as they were asked for, whoever has most
    for row, rate in zip(result.rows, (0.0, 2.0, 1.0), strict=True):
        np.testing.assert_array_equal(row.values["harvest"], np.add(LUCK, GAIN[rate]))
        assert [r.spec["seed"] for r in row.records] == [0, 1, 2]
        assert [rates_of(trial_of(r)) for r in row.records] == [[rate] if rate else []] * 3
        assert {r.label for r in row.records} == {row.label}


def test_a_gain_is_over_the_first_regime_and_pairs_the_seeds(trained):
    result = trained()
    free, double, single = (result.gain(row) for row in result.rows)
    assert (free.mean, free.low, free.high) == (0, 0, 0)
    # the luck of the seeds cancels out, which it would not in any other pairing
    assert (double.mean, double.low, double.high) == (5, 5, 5)
    assert (single.mean, single.low, single.high) == (-3, -3, -3)
    assert result.gain(result.rows[2], "payoff").mean == 1997
    said = {row["label"]: row["gain"]["mean"] for row in result.data()["regimes"]}
    assert said == {"free": 0, "double": 5, "single": -3}


def test_what_other_code_made_is_no_gain_over_what_this_code_made(trained):
    result = trained()
    free, double, single = result.rows
    old = lambda row: dataclasses.replace(row, old=True)  # noqa: E731
    mixed = dataclasses.replace(result, rows=(free, old(double), single))
    assert [mixed.gain(row).n for row in mixed.rows] == [3, 0, 3]
    mixed = dataclasses.replace(result, rows=(old(free), old(double), single))
    assert [mixed.gain(row).n for row in mixed.rows] == [3, 3, 0]
    assert mixed.data()["regimes"][2]["gain"]["mean"] is None


def test_what_comes_first_is_never_a_payoff_that_was_made_out_of_nothing(trained):
    result = trained()
    assert result.headline == "harvest"
    plain = comparison.Comparison(Matrix(), result.who, 1, (0,), (), ())
    row = comparison.Row("x", "", {"payoff": np.array([9.0]), "reward": np.array([1.0])})
    assert comparison.dataclasses.replace(plain, rows=(row,)).headline == "reward"


def test_accounts_are_shown_apart_everywhere(trained, monkeypatch, tmp_path):
    result = trained()
    data = json.loads(json.dumps(result.data()))
    names = ["reward", "moved", "made", "burnt", "payoff"]
    assert set(names) <= set(data["units"]) & set(data["meanings"])
    made = {row["label"]: row["measures"]["made"]["mean"] for row in data["regimes"]}
    assert made == {"free": 0, "double": 0, "single": 2000}
    assert {row["label"]: row["measures"]["moved"]["mean"] for row in data["regimes"]}["double"] == 8

    page = html(result)
    table = page.split("<h2>Where payoffs come from</h2>")[1].split("</table>")[0]
    heads = [part.split("</th>")[0].split(">")[-1] for part in table.split("<th ")[1:]]
    assert heads[1:6] == [f"{comparison.ACCOUNTS[m]} (reward)" for m in names]
    every = page.split("<h2>All measures</h2>")[1]
    assert "payoff" not in every
    assert "payoff" not in page.split("<h2>Where payoffs come from</h2>")[0]  # and no curve of it

    said = Console(record=True, width=100, file=io.StringIO())
    monkeypatch.setattr(terminal, "console", said)
    terminal.table(result)
    first, second = said.export_text().split("where payoffs come from")
    assert "payoff" not in first
    assert [w for w in second.split() if w in ("earned", *names)][:5] == ["earned", *names[1:]]


def test_without_payments_there_are_no_accounts_and_what_is_zero_throughout_has_no_chart(trained):
    result = trained({"free": ""})
    assert result.accounts == []
    page = html(result)
    assert "Where payoffs come from" not in page
    assert "Harvest during training" in page
    assert "Removed during training" not in page
    assert "removed" in page.split("<h2>All measures</h2>")[1]  # the table has it all the same
    assert "Removed during training" in html(trained())  # where one regime has some


def test_a_notebook_shows_what_matters_first(trained):
    result = trained({"free": "", "double": "levy(rate=2)"}, seeds=2)
    assert repr(result).splitlines()[0] == "pool, ppo, n = 2: harvest"
    assert [line.split()[:2] for line in repr(result).splitlines()[1:]] == [["free", "25.5"], ["double", "30.5"]]
