"""Bounds of voices, each tried on both sides, and readings of the pipeline by the long way."""

from __future__ import annotations

import numpy as np
import pytest

from nomoi.errors import Refusal
from nomoi.voices import constitution, decisions, groups, opinion, pluralism, read, senate, sheets
from nomoi.voices.votes import Votes


def votes(cast, **more):
    cast = np.asarray(cast, float)
    return Votes(cast, tuple(map(str, range(len(cast)))), tuple(map(str, range(cast.shape[1]))), **more)


def cases(cast, decided, **more):
    cast = np.asarray(cast, float)
    return decisions.Cases("x", tuple(map(str, range(cast.shape[1]))), cast, np.asarray(decided, bool), {}, **more)


# --- readings of the pipeline -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", groups.WAYS)
def test_each_reading_by_the_long_way(way):
    rng = np.random.default_rng(0)
    cast = rng.choice([-1.0, 0.0, 1.0], (40, 12), p=[0.2, 0.2, 0.6])
    few = rng.random(cast.shape) < np.where(np.arange(40) < 20, 0.1, 0.7)[:, None]
    cast[few] = np.nan
    found = votes(cast, out=np.arange(12) < 2)
    there = (~few).sum(1) >= 7
    assert 15 <= there.sum() < 40
    full = cast.copy()
    full[:, :2] = 0
    for j in range(12):
        some = full[there, j] if way.impute == "kept" else full[:, j]
        fill = 0.0 if way.impute == "zeros" else np.nanmean(some)
        full[np.isnan(full[:, j]), j] = fill
    basis = full[there] if way.fit == "kept" else full
    axes = np.linalg.svd(basis - basis.mean(0))[2][:2]
    axes *= np.sign(axes[np.arange(2), np.abs(axes).argmax(1)])[:, None]
    points = (full - basis.mean(0)) @ axes.T
    if way.sparsity:  # counted with what is moderated
        points *= np.sqrt(12 / (~few).sum(1))[:, None]
    got = groups.plane(found, way)
    np.testing.assert_array_equal(got.kept, there)
    np.testing.assert_allclose(got.points, points, atol=1e-9)


def test_what_passes_stands_first_and_by_its_consensus():
    rng = np.random.default_rng(0)
    cast = np.where(rng.random((40, 8)) < np.linspace(0.95, 0.3, 8), 1.0, -1.0)[:, rng.permutation(8)]
    found = opinion.examine(votes(cast).grouped(np.arange(40) % 2), opinion.Asked(most=3, draws=0, groups="published"))
    order = found.order()
    assert found.passes[order].tolist() == [True] * 3 + [False] * 5
    assert (np.diff(found.agree[order[:3]]) <= 0).all()
    assert (np.diff(found.agree[order[3:]]) <= 0).all()
    assert found.agree[order[2]] >= found.agree[order[3]]


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("right", "wrong", "sentence"), [
    (0.5, 0.39, ""), (0.5, 0.41, "do not tell which"), (0.41, 0.5, "do not tell which"), (0.39, 0.5, "signs turned"),
])  # fmt: skip
def test_a_tenth_between_correlations_tells_which_vote_agrees(right, wrong, sentence, tmp_path, monkeypatch):
    said = iter((right, wrong))
    monkeypatch.setattr(read, "_correlation", lambda a, b: next(said))
    (tmp_path / "w.csv").write_text("participant,0,1,2\n1,1,1,0\n2,1,-1,0\n")
    (tmp_path / "c.csv").write_text("comment-id,agrees\n0,2\n1,1\n2,0\n")
    if sentence:
        with pytest.raises(Refusal, match=sentence):
            read.read(tmp_path / "w.csv", tmp_path / "c.csv")
    else:
        assert read.read(tmp_path / "w.csv", tmp_path / "c.csv").remarks == ()


def test_ids_of_groups_go_to_nine_thousand_nine_hundred_and_ninety_nine(tmp_path):
    (tmp_path / "w.csv").write_text("participant,group-id,0\n1,9999,1\n")
    assert read.read(tmp_path / "w.csv").groups.tolist() == [9999]
    (tmp_path / "w.csv").write_text("participant,group-id,0\n1,10000,1\n")
    with pytest.raises(Refusal, match="from 0 to 9,999"):
        read.read(tmp_path / "w.csv")


def test_files_that_are_too_large_are_refused_before_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "BYTES", 30)
    (tmp_path / "w.csv").write_text("participant,0\n" + "1,1\n" * 4)  # 30 letters
    assert len(sheets.read(tmp_path / "w.csv").rows) == 4
    (tmp_path / "w.csv").write_text("participant,0\n" + "1,1\n" * 5)
    with pytest.raises(Refusal, match="up to 0 can be read"):
        sheets.read(tmp_path / "w.csv")


def test_half_of_the_words_make_two_rules_near_and_never_one(tmp_path):
    one = constitution.Statement("1", "be kind always", 0.9, (0.9,), (9,), 1.0)
    made = constitution.Constitution((one,), (), (9,))
    (tmp_path / "dev.txt").write_text("be kind never\nbe frank with them\n")  # 2 of 4 words, and 1 of 6
    found = constitution.overlap(made, tmp_path / "dev.txt")
    assert found.pairs == (("1", "be kind never", "near"),)
    assert (found.covered, found.of) == (0, 0)


# --- decisions --------------------------------------------------------------------------------------------------------


def test_cases_are_contested_between_a_half_and_two_thirds():
    yes = np.array([50, 51, 66, 67, 68, 0, 0, 0, 0, 0], float)
    found = cases(np.zeros((10, 1)), np.arange(10) % 2, yes=yes, no=100 - yes)
    assert found.contested.tolist() == [False, True, True, False, False] + [False] * 5


def test_rules_of_votes_by_hand():
    """Ten cases of five voters: 3 yes of 5 are enough for a threshold of .6, not for two thirds."""
    cast = np.where(np.arange(5) < np.array([3, 5, 0, 3, 5, 0, 3, 5, 0, 5])[:, None], 1.0, -1.0)
    decided = cast.sum(1) == 5
    found = {x.model: x for x in decisions.aggregates(cases(cast, decided))}
    assert found["majority"].agreement == 0.7  # the three with 3 of 5 are missed
    assert found["threshold 0.6 of the votes"].agreement == 0.7
    assert found["threshold 0.667 of the votes"].agreement == 1
    assert (found["majority"].contested, found["majority"].contested_n) == (0, 3)
    # 7 said to pass, 4 did, 7 of 10 alike: chance .7 x .4 + .3 x .6 = .46, kappa .24 / .54
    assert found["majority"].kappa == pytest.approx(0.24 / 0.54)
    assert found["always reject"].kappa == 0


def test_the_best_single_voter_took_part_in_half_of_the_cases():
    """The first votes as is decided in five of ten cases, the second in four, the third in all but one."""
    decided = np.arange(10) % 2 == 0
    cast = np.where(decided, 1.0, -1.0)[:, None].repeat(3, 1)
    cast[5:, 0] = np.nan
    cast[4:, 1] = 0  # neither yes nor no
    cast[0, 2] = -1
    best = [x for x in decisions.aggregates(cases(cast, decided)) if x.model.startswith("best single")]
    assert best[0].model == "best single voter (0; where they voted)"
    assert (best[0].agreement, best[0].tested) == (1, 5)
    assert [v[0] for v in decisions._each(cases(cast, decided))] == ["0", "2"]


def test_consensus_over_groups_of_voters_by_hand():
    """Of two groups of two all agree with what was accepted, (3 / 4) squared; of one of them none with the others."""
    decided = np.arange(10) % 2 == 0
    cast = np.ones((10, 4))
    cast[~decided, 2:] = -1  # 3 / 4 and 1 / 4
    found = [x.model for x in decisions.aggregates(cases(cast, decided, groups=np.array([0, 0, 1, 1])))]
    assert "product over groups, best threshold (0.56, in sample)" in found
    assert "group that agrees least, best threshold (0.75, in sample)" in found


@pytest.mark.parametrize(("kind", "yes", "no", "passes"), [
    ("cloture", 60, 40, True), ("cloture", 59, 0, False), ("waiver", 60, 0, True), ("waiver", 59, 41, False),
    ("treaty", 66, 33, True), ("treaty", 65, 33, False), ("veto", 60, 30, True), ("veto", 59, 30, False),
    ("amendment of the constitution", 66, 34, False), ("motion", 50, 50, False), ("motion", 51, 49, True),
])  # fmt: skip
def test_what_the_senate_needs(kind, yes, no, passes):
    assert senate.needed(kind, yes, no) == passes


# --- shares -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shares", "sentence"), [
    ([49.8, 49.8], "percentages"), ([48, 48], "sums to 96; shares"), ([0.5, 0.5 + 2e-8], "sums to 1.00000002"),
    ([0.5, 0.5 + 5e-9], ""), ([0.5, -0.0, 0.5], ""),
])  # fmt: skip
def test_shares_are_near_one_or_a_hundred(shares, sentence):
    if sentence:
        with pytest.raises(Refusal, match=sentence):
            pluralism.shares(shares)
    else:
        assert len(pluralism.shares(shares)) == len(shares)
