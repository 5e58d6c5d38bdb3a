"""The audit of a measure: which of Goodhart's four kinds rows show, and what two columns cannot tell."""

from __future__ import annotations

import dataclasses
import json
import sys

import numpy as np
import pytest

from nomoi import cli
from nomoi.proxies.findings import FAIL, NOT_ENOUGH, PASS, WARN
from nomoi.proxies.measure_audit import Rows, _quadratic, _slope, _strict, audit

N = 4000


def normal(seed=0, noise=1.0, rows=N):
    rng = np.random.default_rng(seed)
    goal = rng.normal(size=rows)
    return Rows("drawn", goal + noise * rng.normal(size=rows), goal), rng


def found(rows):
    return [f.status for f in audit(rows).findings]


def test_luck_alone_is_regressional_and_two_columns_tell_nothing_of_causes_and_actors():
    rows, _ = normal()
    got = audit(rows)
    assert [f.status for f in got.findings] == [WARN, PASS, NOT_ENOUGH, NOT_ENOUGH]
    assert got.finding("regressional").value == pytest.approx(0.5**0.5, abs=0.02)
    assert got.details["slope"] == pytest.approx(0.5, abs=0.02)  # E[G | P] = P / 2 at equal variances
    assert not got.failed
    assert found(normal(noise=0.1)[0])[0] == PASS
    unrelated = dataclasses.replace(rows, proxy=np.random.default_rng(9).normal(size=N))
    assert audit(unrelated).finding("regressional").advice.startswith("the measure tells nothing")
    assert audit(dataclasses.replace(rows, proxy=-rows.proxy)).finding("regressional").status == FAIL


@pytest.mark.parametrize(("bend", "status"), [(0.4, FAIL), (0.1, WARN), (0.0, PASS), (-0.3, PASS)])
def test_a_goal_that_bends_down_is_extremal(bend, status):
    """The four simulators' own: P = f, G = f - k f^2; its slope is below zero from f = 1 / 2k, 1.25 or 5 spreads."""
    rng = np.random.default_rng(1)
    f = rng.normal(size=N)
    got = audit(Rows("drawn", f, f - bend * f**2 + 0.2 * rng.normal(size=N)))
    assert got.finding("extremal").status == status
    assert ("look alike in two columns" in " ".join(got.notes)) is (status != PASS)


def test_pushing_what_only_goes_with_the_goal_is_causal():
    rng = np.random.default_rng(2)
    cause, pushed = rng.normal(size=N), (np.arange(N) % 4 == 0).astype(float)
    proxy = cause + 0.5 * rng.normal(size=N) + 3 * pushed
    apart = Rows("drawn", proxy, cause + 0.5 * rng.normal(size=N), pushed=pushed)
    assert found(apart) == [WARN, PASS, FAIL, NOT_ENOUGH]
    assert audit(apart).finding("causal").value == pytest.approx(0, abs=0.1)
    moves = dataclasses.replace(apart, goal=proxy + 0.5 * rng.normal(size=N))
    assert audit(moves).finding("causal").status == PASS
    half = dataclasses.replace(apart, goal=proxy - 0.9 * pushed + 0.5 * rng.normal(size=N))  # .7 of it comes
    assert audit(half).finding("causal").status == WARN
    assert audit(half).finding("causal").value == pytest.approx(0.7, abs=0.03)
    tenfold = dataclasses.replace(half, goal=10 * half.goal)  # in another unit
    assert audit(tenfold).finding("causal").value == pytest.approx(0.7, abs=0.03)
    few = dataclasses.replace(apart, pushed=(np.arange(N) < 10).astype(float))
    assert audit(few).finding("causal").status == NOT_ENOUGH
    idle = dataclasses.replace(apart, proxy=proxy - 3 * pushed)  # "pushed" rows are no higher
    assert audit(idle).finding("causal").advice == "push harder"


def test_who_games_the_measure_is_found_and_is_no_bend_of_the_goal():
    rows, rng = normal(seed=3)
    actor = rng.integers(0, 40, N)
    games = actor == 7
    gamed = dataclasses.replace(
        rows, proxy=np.where(games, 4.0 + 0.1 * rng.normal(size=N), rows.proxy),
        goal=np.where(games, rows.goal - 1, rows.goal), actor=actor, actors=[f"site {k}" for k in range(40)],
    )  # fmt: skip
    got = audit(gamed)
    assert [f.status for f in got.findings] == [WARN, PASS, NOT_ENOUGH, FAIL]
    assert got.finding("adversarial").evidence.endswith(": site 7")
    assert got.finding("adversarial").value == pytest.approx(games.sum() / (N / 10), abs=0.02)
    assert found(dataclasses.replace(gamed, actor=None))[1] == FAIL  # in two columns it looks like a bend
    assert found(dataclasses.replace(rows, actor=actor, actors=gamed.actors))[3] == PASS
    unlucky = dataclasses.replace(
        rows, goal=np.where(games, rows.goal - 1, rows.goal), actor=actor, actors=gamed.actors
    )
    assert found(unlucky)[3] == PASS  # it has less of the goal, and is no oftener on top
    alone = dataclasses.replace(gamed, actor=np.arange(N), actors=list(map(str, range(N))))
    assert found(alone)[3] == NOT_ENOUGH


def test_honest_rows_are_seldom_blamed():
    """At the five per cent of each test, of 60 honest tables few may bend, and hardly any has somebody who games."""
    blamed = np.zeros(4)
    for seed in range(60):
        rows, rng = normal(seed=100 + seed, rows=600)
        pushed = (rng.random(600) < 0.3).astype(float)
        rows = dataclasses.replace(rows, proxy=rows.proxy + pushed, goal=rows.goal + 0.5 * pushed, pushed=pushed,
                                   actor=rng.integers(0, 20, 600), actors=list("abcdefghijklmnopqrst"))  # fmt: skip
        blamed += [f.status in (FAIL, WARN) for f in audit(rows).findings]
    assert blamed[0] == 60  # r is .7: there is luck in all
    assert blamed[1] <= 8
    assert blamed[2] <= 8
    assert blamed[3] <= 2


def test_errors_of_a_bend_and_of_a_slope_by_hand():
    """Where z has three (two) values the fit passes through their means, whose variances are known: HC1."""
    low, middle, high = np.random.default_rng(4).normal(size=(3, 4))
    spread = [x.var() / 4 for x in (low, middle, high)]
    bend, error = _quadratic(np.repeat([-1.0, 0, 1], 4), np.concatenate([low, middle, high]))
    assert bend == pytest.approx((low.mean() + high.mean()) / 2 - middle.mean())
    assert error == pytest.approx(np.sqrt((spread[0] / 4 + spread[1] + spread[2] / 4) * 12 / (12 - 3)))
    slope, error = _slope(np.repeat([0.0, 1], 4), np.concatenate([low, high]))
    assert slope == pytest.approx(high.mean() - low.mean())
    assert error == pytest.approx(np.sqrt((spread[0] + spread[2]) * 8 / (8 - 2)))


def test_who_is_tried_with_many_needs_more_evidence():
    """From a table of Student's t: 4 degrees at .05, and at .05 / 20."""
    assert (_strict(1, 5), _strict(20, 5)) == pytest.approx((2.132, 5.598), abs=1e-3)


def asked(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["nomoi", "audit", "measure", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return end.value.code or 0, *capsys.readouterr()


def table(path, rows, names=("seen", "worth"), mark=",", scale=(1.0, 0.0)):
    point = "," if mark == ";" else "."
    lines = [mark.join(f"{v:.6f}".replace(".", point) for v in pair)
             for pair in zip(rows.proxy * scale[0] + scale[1], rows.goal * 7, strict=True)]  # fmt: skip
    path.write_text("\n".join([mark.join(names), *lines]) + "\n")
    return str(path)


def test_other_names_units_and_separators_change_no_finding(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows, _ = normal(rows=500)
    plain = table(tmp_path / "a.csv", rows)
    other = table(tmp_path / "b.csv", rows, ("klicks je tag", "wert"), ";", (1000.0, 273.15))
    told = []
    for file, proxy, goal in ((plain, "seen", "worth"), (other, "klicks je tag", "wert")):
        status, out, _ = asked(monkeypatch, capsys, file, "--proxy", proxy, "--need", goal, "--json")
        assert status == 0
        told.append([(f["check"], f["status"]) for f in json.loads(out)["findings"]])
    assert told[0] == told[1] == list(zip(("regressional", "extremal", "causal", "adversarial"),
                                          (WARN, PASS, NOT_ENOUGH, NOT_ENOUGH), strict=True))  # fmt: skip


def test_the_example_has_all_four_kinds_and_its_page_is_drawn(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["nomoi", "new", "scores"])
    with pytest.raises(SystemExit):
        cli.main()
    capsys.readouterr()
    words = ["scores.csv", "--proxy", "views", "--need", "value", "--group", "site", "--pushed", "boosted"]
    status, out, _ = asked(monkeypatch, capsys, *words)
    assert status == 1
    assert "site07" in out
    assert "The goal over the measure" in (tmp_path / "audit.html").read_text()


@pytest.mark.parametrize(
    ("text", "words", "says"),
    [
        ("p,g\n1,2\n", [], "--proxy is not given; name the column of what is measured, one of p, g"),
        ("p,g\n1,2\n", ["--proxy", "p"], "--need is not given; name the column of what is meant"),
        ("p,g\n1,2\n2,3\n", ["--proxy", "p", "--need", "p"], "names a column twice"),
        ("p,g\n1,2\n", ["--proxy", "q", "--need", "g"], "'q'"),
        ("p,g\n1,2\n1,3\n", ["--proxy", "p", "--need", "g"], "p is the same in all rows"),
        ("p,g\n1,2\n3,\n", ["--proxy", "p", "--need", "g"], "an empty cell in 1 of 2 rows"),
        ("p,g\n1,\n3,\n", ["--proxy", "p", "--need", "g", "--drop"], "p is the same in all rows"),
        ("p,g,on\n1,2,0\n2,3,2\n", ["--proxy", "p", "--need", "g", "--pushed", "on"], "on has other values than 0 and"),
        ("p,g,on\n1,2,1\n2,3,1\n", ["--proxy", "p", "--need", "g", "--pushed", "on"], "on is 1 in all rows"),
        ("p,g\n1e-200,2\n2e-200,3\n", ["--proxy", "p", "--need", "g"], "p is the same in all rows"),
        ("p,g\n1,2\n", ["--proxy", "p", "--need", "g", "--top", "90"], "--top means nothing to an audit of a measure"),
        ("p,g\n1,2\n", ["--proxy", "p", "--proxy", "g", "--need", "g"], "--proxy is given 2 times"),
    ],
)  # fmt: skip
def test_what_is_refused(text, words, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text(text)
    status, out, err = asked(monkeypatch, capsys, "t.csv", *words)
    assert (status, out) == (2, "")
    assert says in err


def test_few_rows_are_not_enough_for_the_top():
    rows, _ = normal(rows=99)
    assert found(rows)[:2] == [WARN, NOT_ENOUGH]
    assert found(Rows("x", np.arange(3.0), np.arange(3.0)))[0] == NOT_ENOUGH


def test_every_folly_says_what_was_hoped_for_and_can_be_read():
    from test_sources import KEYS, begins

    from nomoi.report.listed import listed

    told = [dict(thing.rows) for thing in listed("folly")]
    assert len(told) == 11
    for one in told:
        assert one.keys() == {"hoped", "rewarded", "came", "kind", "source", "open"}
        assert all(one.values())
        assert one["kind"] in ("missing", "opposite")
        assert any(begins(one["source"], key) for key in KEYS), one["source"]
        assert one["open"].startswith(("https://", "http://"))
    (boat,) = listed("folly", "boat_race")
    assert boat.said == "the points of targets along the course, hoping for: to finish the race"
