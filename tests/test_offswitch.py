"""The off-switch game as a situation: what waiting is worth, solved exactly and held against the formulas."""

from __future__ import annotations

import json
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nomoi import cli
from nomoi.errors import Refusal
from nomoi.proxies import goodhart
from nomoi.situations.offswitch import ACT, DEFER, OFF, Offswitch, normal
from nomoi.solve.subgame import backward
from nomoi.solve.unfold import tabular

FINE = 60


def solved(mean, spread, noise=0.0, points=FINE):
    found = backward(tabular(Offswitch(worth=normal(mean, spread, points), noise=noise)))
    assert found.deviation == 0
    return float(found.start[0]), int(found.path()[0]["does"][0])


@pytest.mark.parametrize(("mean", "gain"), [(0.0, 0.39894), (1.0, 0.08332), (-1.0, 0.08332)])
def test_waiting_is_worth_what_the_formula_says_if_the_person_knows(mean, gain):
    for points in (8, FINE):  # no part lies across zero, so that few points do
        value, does = solved(mean, 1.0, points=points)
        assert does == DEFER
        assert value - max(mean, 0) == pytest.approx(gain, abs=2e-5)
        assert goodhart.deferring(mean, 1.0) == pytest.approx(gain, abs=1e-5)


@pytest.mark.parametrize(("noise", "gain"), [(0.1, 0.28018), (0.5, 0.19104), (1.0, 0.09255)])
def test_a_person_who_errs_a_little_is_still_asked(noise, gain):
    value, does = solved(0.25, 1.0, noise)
    assert does == DEFER
    assert value - 0.25 == pytest.approx(gain, abs=2e-3)


def test_nobody_is_asked_who_errs_much_and_who_is_sure_gains_nothing_by_asking():
    value, does = solved(0.25, 1.0, 3.0)
    assert (round(value, 3), does) == (0.25, ACT)
    sure = backward(tabular(Offswitch.preset("sure", noise=1.0)))
    assert int(sure.path()[0]["does"][0]) == ACT
    assert float(backward(tabular(Offswitch(worth=[[-0.5], [1.0]], noise=1.0))).start[0]) == 0  # off


@pytest.mark.parametrize("mean", [-1.0, 0.0, 0.7])
def test_few_points_keep_the_means_of_the_normal_belief(mean):
    worth, chance = np.array(normal(mean, 2.0, 5))
    assert chance.sum() == pytest.approx(1, abs=3e-4)
    assert (chance * worth).sum() == pytest.approx(mean, abs=1e-3)
    assert (chance * np.maximum(worth, 0)).sum() - max(mean, 0) == pytest.approx(goodhart.deferring(mean, 2), abs=1e-3)
    assert (np.diff(worth) > 0).all()


def test_steps_by_hand():
    place = Offswitch(worth=[[-2.0, 3.0], [0.5, 0.5]])
    first, says = place.reset(jax.random.key(0)), jnp.array([0, 0])
    rewards = {}
    for does in (ACT, OFF, DEFER):
        after, outcome = place.by_lot(jnp.int32(2), first, {"does": jnp.array([does, 0]), "says": says})
        assert not outcome.events["stopped"].any()  # by itself, if at all
        rewards[does] = (outcome.reward.tolist(), bool(outcome.done), outcome.events["deferred"].tolist())
    assert rewards == {ACT: ([3, 3], True, [0, 0]), OFF: ([0, 0], True, [0, 0]), DEFER: ([0, 0], False, [1, 0])}
    assert place.senses(after)["worth"].tolist() == [[0], [3]]  # the person alone knows
    assert place.senses(first)["worth"].tolist() == [[0], [0]]
    for word, reward, stopped in ((0, 3, 0), (1, 0, 1)):
        _, outcome = place.by_lot(jnp.int32(0), after, {"does": says, "says": jnp.array([0, word])})
        assert (outcome.reward.tolist(), bool(outcome.done)) == ([reward] * 2, True)
        assert outcome.events["stopped"].tolist() == [0, stopped]
    erring = place.replace(noise=1.0)
    np.testing.assert_allclose(erring.odds(after, {})[:2], [1 / (1 + np.exp(-3)), 1 - 1 / (1 + np.exp(-3))], rtol=1e-5)
    np.testing.assert_allclose(erring.odds(first, {}), [0.5, 0, 0.5, 0])
    rounded = Offswitch(worth=[[-2.0, 3.0], [0.5, 0.4995]])  # chances as tables print them
    np.testing.assert_allclose(rounded.odds(first, {}).sum(), 1, atol=1e-6)
    assert not erring.asked(after)["says"].any()


def test_refusals():
    with pytest.raises(Refusal, match=r"offswitch\.worth has shape \[1, 2\]; two rows"):
        Offswitch(worth=[[1.0, 2.0]])
    with pytest.raises(Refusal, match="chances of at least 0 that sum to 1"):
        Offswitch(worth=[[1.0, 2.0], [-0.5, 1.5]])
    with pytest.raises(Refusal, match=r"chances that sum to 1\.5"):
        Offswitch(worth=[[1.0, 2.0], [0.5, 1.0]])


def asked(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["nomoi", "solve", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return end.value.code or 0, *capsys.readouterr()


def test_the_command_solves_a_situation(monkeypatch, capsys):
    status, out, _ = asked(monkeypatch, capsys, "offswitch", "--json")
    told = json.loads(out)
    assert status == 0
    assert told["agents"] == ["robot", "person"]
    assert told["path"] == [{"robot": {"does": DEFER}}, {"person": {"says": 0}}]
    np.testing.assert_allclose(told["values"], 0.5363, atol=1e-3)
    status, out, _ = asked(monkeypatch, capsys, "offswitch", "--set", "situation.noise=3")
    assert "Step 1, most probably: robot: does act." in out
    status, out, _ = asked(monkeypatch, capsys, "matrix", "--under", "levy(on=defect)")  # one step: a normal form
    assert "matrix under levy" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["stag_hunt", "--set", "situation.noise=1"], "stag_hunt is a game in normal form; --set, --map and"),
        (["offswitch", "--picture", "a.svg"], "offswitch has several steps and no phase portrait"),
        (["offswitch", "--method", "support"], "is solved by backward induction; leave out --method"),
        (["offswitch", "--set", "levy.rate=1"], "--set levy.… touches nothing here"),
        (["harvest"], "harvest does not declare what a step leaves to chance"),
    ],
)
def test_what_the_command_refuses(monkeypatch, capsys, words, says):
    status, out, err = asked(monkeypatch, capsys, *words)
    assert (status, out) == (2, "")
    assert says in err
