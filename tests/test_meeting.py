"""Meetings: everyone with everyone, by hand in the dilemma, and as people ask for them."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nomoi.errors import Refusal
from nomoi.learners.ppo import PPO
from nomoi.probes.meeting import Guest, Meeting, meet
from nomoi.report import meeting as reporting
from nomoi.runs.store import Store
from nomoi.scripts.fixed import Constant, Forager, Random
from nomoi.situations.matrix import Matrix
from nomoi.situations.pool import Pool
from nomoi.solve.finite import rare_mutation
from nomoi.solve.game import symmetric

KEY = jax.random.key(0)
MILD, KEEN, LOTS = Guest("mild", Constant(choice=0)), Guest("keen", Constant(choice=1)), Guest("lots", Random())


@pytest.fixture(scope="module")
def met():
    """The tutorial's dilemma, T = 4, R = 2, P = 1, S = 0, among oneself, each other, and who tosses a coin."""
    return meet(KEY, Matrix(), [MILD, KEEN], [LOTS], worlds=64)


def test_the_table_is_the_game_and_company_that_is_held_out_is_told_apart(met):
    np.testing.assert_array_equal(met.table, [[2, 0], [4, 1]])
    assert (met.guests, met.held_out, met.backgrounds) == (("mild", "keen"), ("lots",), ("mild", "keen", "lots"))
    assert [met.score(r).mean for r in (0, 1)] == [1.0, 2.5]
    mild, keen = met.payoff[:, 2]
    assert set(mild) == {0.0, 2.0}
    np.testing.assert_array_equal(keen, mild / 2 * 3 + 1)  # the same coins fall for both: 2 or 0, and 4 or 1
    assert met.score(0, held_out=True).mean == pytest.approx(mild.mean())
    assert met.cell(0, 2).low < 1 < met.cell(0, 2).high


def test_a_population_goes_where_rare_mutants_lead_it(met):
    """The table measured by its own standard deviation."""
    shares = [s.mean for s in met.shares(size=10, beta=0.5)]
    np.testing.assert_allclose(shares, rare_mutation(symmetric(met.table / met.table.std()), 10, 0.5, "moran"))
    assert shares[1] > shares[0]
    noisy = met.payoff + np.random.default_rng(1).normal(0, 3, met.payoff.shape)
    found = Meeting(met.guests, met.held_out, noisy, 1, 2).shares(size=10, beta=0.5)
    assert all(s.low < s.mean < s.high for s in found)
    assert sum(s.mean for s in found) == pytest.approx(1)


def test_of_more_than_two_the_first_ones_are_focal():
    """Four fishers, of whom one, or three, ask for all: what a focal one gets is the mean of the first."""
    place = Pool(agents=4, horizon=1)
    everybody, nobody = Guest("all", Constant(choice=99)), Guest("none", Constant(choice=0))
    for focal in (1, 3):
        table = meet(KEY, place, [everybody, nobody], focal=focal, worlds=2).table
        alone = place.step(KEY, place.reset(KEY), {"request": jnp.where(jnp.arange(4) < focal, 12, 0)})[1].reward
        np.testing.assert_allclose(table[0, 1], np.asarray(alone[:focal]).mean(), rtol=1e-6)
        assert table[1].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: meet(KEY, Matrix(), [MILD], focal=2), "2 focal agents, and 2 in all in matrix; 1 to 1 would do"),
        (lambda: meet(KEY, Pool(agents=1), [MILD]), "pool has one agent, who can meet nobody"),
        (lambda: reporting.meetings("matrix", ["random", "constant"], size=0), "population"),
        (lambda: reporting.meetings("matrix", ["random", "constant"], beta=float("nan")), "selection is nan"),
        (lambda: reporting.meetings("matrix", ["gone.py:Mine"]), "'gone.py:Mine' names no guest: there is no file"),
        (lambda: meet(KEY, Matrix(), [MILD], worlds=1), "of 1 worlds; at least 2"),
        (lambda: meet(KEY, Matrix(), [MILD, KEEN], [MILD]), "'mild' comes to the meeting twice"),
        (lambda: meet(KEY, Matrix(), []), "nobody comes"),
        (lambda: meet(KEY, Matrix(), [Guest("walker", Forager())]), "forager"),
        (lambda: meet(KEY, Matrix(), [Guest("it", PPO(), (jnp.zeros(3),), "pool")]),
         "it, learned in pool, has learned does not fit matrix"),
        (lambda: meet(KEY, Matrix(), [MILD], worlds=2).shares(), "population of one kind"),
    ],
)  # fmt: skip
def test_what_cannot_meet_is_refused(ask, says):
    with pytest.raises(Refusal, match=says):
        ask()


def test_many_guests_fit_a_terminal_and_those_held_out_are_told_apart(monkeypatch, capsys):
    """Marks stand for names where names would leave numbers no room; a regime has a picture of its own."""
    names = tuple(f"{k}e5a1c (levy(rate=2,on=sparse), seed {k})" for k in range(8))
    payoff = np.random.default_rng(0).normal(size=(8, 10, 4))
    met = Meeting(names, ("greedy", "forager(spare=2)"), payoff, 2, 5)
    found = reporting.Meetings(Pool(agents=5), 4, 50, 0.1, {"nothing": met, "levy": met})
    monkeypatch.setattr(reporting.console, "_width", 80)
    monkeypatch.setattr("nomoi.probes.meeting.DRAWS", 3)
    reporting.show(found)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    rows = [line.split("┃")[0].split("│")[0].strip() for line in out.splitlines()]
    second = rows[rows.index("among") : rows.index("among") + 13]
    assert [r for r in second if r.isalnum()] == ["among", *map(str, range(1, 9)), "a", "b"]
    assert "a greedy, b forager(spare=2)" in " ".join(out.split())
    first, other = reporting.pictures(found)
    assert (first.axes[0].get_title("left"), other.axes[0].get_title("left")) == (
        "pool, nothing: 2 of 5 agents", "pool, levy: 2 of 5 agents",
    )  # fmt: skip
    assert [t.get_text() for t in first.axes[0].get_xticklabels()] == [*map(str, range(1, 9)), "a", "b"]
    assert "b  forager(spare=2), held out" in first.axes[0].get_xlabel()


def test_the_command(nomoi):
    tiny = ("--set", "learner.worlds=4", "--set", "learner.steps=8", "--steps", 32, "--seeds", 2)
    assert nomoi("compare", "matrix", "--under", "nothing", *tiny)[0] == 0
    one, other = sorted(r.id for r in Store(Path("runs")).all() if r.kind == "trained" and r.label == "nothing")
    words = ("meet", "matrix", "--who", one, "--who", other, "--who", "constant(choice=1)", "--among", "random")
    status, out, err = nomoi(*words, "--worlds", 4, "--picture", "met.svg")
    assert status == 0, err
    for said in ("(nothing, seed 0)", "(nothing, seed 1)", "constant(choice=1)", "held out", "share", "1 of 2 agents"):
        assert said in " ".join(out.split()), said
    assert Path("met.svg").read_text().startswith("<svg")
    assert "a  random, held out" in Path("met.svg").read_text()
    assert "adapted to it: a random." in " ".join(out.split())
    found = json.loads(nomoi(*words, "--worlds", 4, "--under", "nothing", "--under", "levy(on=defect)", "--json")[1])
    assert list(found["under"]) == ["nothing", "levy(on=defect)"]
    free, levied = (np.array([[c["mean"] for c in row] for row in found["under"][u]["payoff"]]) for u in found["under"])
    assert (free[2, 2], levied[2, 2]) == (1.0, -1.0)  # who defects pays two
    for words, says in (
        (("--who", "constant(choice=1)", "--who", "forger"), "'forger' names no guest"),
        (("--who", "ppo"), "train it with `nomoi compare matrix --who ppo`"),
        (("--who", "f0f0f0"), "no single record 'f0f0f0'"),
        ((), "nobody comes to the meeting"),
        (("--who", "random", "--picture", "met.gif"), "no picture"),
        (("--who", "random", "--set", "levy.rate=2"), "levy"),
    ):
        status, _, err = nomoi("meet", "matrix", *words)
        assert (status, says in err) == (2, True), err
