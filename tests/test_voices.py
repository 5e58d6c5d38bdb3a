"""Votes on statements: what files say, groups, consensus, stability, and the constitution that they make."""

from __future__ import annotations

import dataclasses
import json
import re
import runpy
from functools import lru_cache
from pathlib import Path

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nomoi.errors import Refusal
from nomoi.report import figures, opinions
from nomoi.report import study as reporting
from nomoi.runs import study
from nomoi.runs.claims import UNTESTED
from nomoi.studies import arrow as arrow_study
from nomoi.studies import consensus as consensus_study
from nomoi.studies import hidden_context, temperature
from nomoi.studies import senate as senate_study
from nomoi.voices import constitution, groups, opinion, process, read, stability
from nomoi.voices.consensus import check, consensus, smoothed, tally, two_shares, typical, unseen
from nomoi.voices.votes import Votes

POLIS = ("polis/15-per-hour-seattle", "polis/football-concussions")
FIRST = {  # group-aware consensus of the first ten statements, by the groups that were published with them
    "ccai/clean_votes.csv": ".81478 .63649 .75164 .84053 .87033 .77854 .79513 .82815 .65708 .47841",
    POLIS[0]: ".20546 .29907 .37097 .24107 .35987 .26613 .22059 .13468 .1544 .16852",
    POLIS[1]: ".08227 .42026 .20879 .07072 .10961 .06251 .2 .16803 .32749 .3437",
}
RAW = ".79748 .6058 .69708 .84225 .8709 .76873 .76652 .81867 .65807 .48557"  # ccai by the groups of the other file


load = lru_cache(read.read)


def numbers(text):
    return [float(x) for x in text.split()]


def votes(cast, **more):
    cast = np.asarray(cast, float)
    return Votes(cast, tuple(f"p{k}" for k in range(len(cast))), tuple(map(str, range(cast.shape[1]))), **more)


def crowd(people=60, statements=12, camps=2, seed=0, missing=0.3):
    """Camps that vote alike but for noise; returns the votes and who is in which."""
    rng = np.random.default_rng(seed)
    camp = rng.integers(camps, size=people)
    lean = np.where(np.arange(statements) % camps == np.arange(camps)[:, None], 1, -1)
    cast = np.where(rng.random((people, statements)) < 0.9, lean[camp], 0).astype(float)
    cast[rng.random(cast.shape) < missing] = np.nan
    return votes(cast), camp


def put(path, text):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)
    return Path(path)


# --- three conversations ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FIRST)
def test_consensus_by_the_published_groups(data, name):
    found = load(data(name))
    value = consensus(tally(found, found.groups))
    np.testing.assert_allclose(value[:10], numbers(FIRST[name]), atol=1e-5)
    assert int((value >= 0.723).sum()) == {"ccai/clean_votes.csv": 96}.get(name, 0)


def test_the_published_ids_of_ccai_are_scrambled_and_those_of_the_other_file_are_not(data):
    clean = load(data("ccai/clean_votes.csv"))
    assert clean.cast.shape == (1002, 275)
    assert clean.seen.sum() == 34563
    assert stability.permuted(clean, clean.groups).p > 0.05
    raw = read.joined(clean, data("ccai/participants-votes.csv"))
    assert "by xid: 1,002 of 1,002" in raw.remarks[-1]
    assert (raw.groups == clean.groups).mean() == pytest.approx(0.509, abs=1e-3)
    assert stability.permuted(raw, raw.groups).p < 0.01
    value = consensus(tally(raw, raw.groups))
    np.testing.assert_allclose(value[:10], numbers(RAW), atol=1e-5)
    assert (value >= 0.723).sum() == 86
    own = groups.group(clean)
    assert (own.k, own.plane.kept.sum()) == (4, 1002)
    assert groups.rand(raw.groups, groups.group(clean, 2).labels) == pytest.approx(0.921, abs=0.01)
    assert abs(groups.rand(clean.groups, own.labels)) < 0.01
    said = stability.by_groups(clean, own, "polis", 0.723)
    assert said == {2: (86, 86), 3: (25, 77), 4: (6, 62), 5: (0, 45)}


@pytest.mark.parametrize(
    ("name", "placed", "out", "k", "again"), [(POLIS[0], 138, 23, 2, 123), (POLIS[1], 592, 137, 4, 596)]
)
def test_polis_exports(data, name, placed, out, k, again):
    found = load(data(name))
    assert f"{again} votes repeat" in found.remarks[0]
    assert len(found.remarks) == 1  # the two files say the same, cell for cell
    assert found.out.sum() == out
    own = groups.group(found)
    assert (own.plane.kept.sum(), own.k) == (placed, k)  # counted before what is out is zeroed
    assert stability.permuted(found, found.groups).p < 0.01
    other = read.cast(data(f"{name}/votes.csv"))
    wide = read.cast(data(f"{name}/participants-votes.csv"))
    assert not read._differ(wide, other)
    with pytest.raises(Refusal, match="signs turned"):
        read._sign(read.sheets.read(data(f"{name}/comments.csv")), *_known(data(f"{name}/comments.csv"), wide, -1))


def _known(path, found, sign):
    sheet = read.sheets.read(path)
    known = {s: k for k, s in enumerate(sheet.column("comment-id"))}
    return known, dataclasses.replace(found, cast=sign * found.cast), Path(path)


def test_signs_of_ccai_are_told_by_the_higher_correlation(data):
    """Turned votes still go with its counts by .63."""
    clean = read.cast(data("ccai/clean_votes.csv"))
    comments = data("ccai/clean_comments.csv")
    sheet = read.sheets.read(comments)
    assert read._sign(sheet, *_known(comments, clean, 1)) == []
    with pytest.raises(Refusal, match=r"by 0\.6\d, votes of -1 by 1\.00"):
        read._sign(sheet, *_known(comments, clean, -1))


# --- consensus ----------------------------------------------------------------------------------------------------


def test_consensus_by_hand():
    """80 of 100 and 45 of 50 agree: (81 / 102) (46 / 52); passes are seen."""
    cast = np.full((150, 1), 0.0)
    cast[:80], cast[100:145] = 1, 1
    one = tally(votes(cast), np.repeat([0, 1], [100, 50]))
    assert consensus(one)[0] == pytest.approx(0.70249, abs=1e-5)
    assert consensus(one, side="disagree")[0] == pytest.approx(1 / 102 / 52)
    p, q = 80.5 / 101, 45.5 / 51
    assert consensus(one, "geometric")[0] == pytest.approx(np.sqrt(p * (1 - 0.5 / 101) * q * (1 - 0.5 / 51)))
    with pytest.raises(Refusal, match="modes are"):
        consensus(one, "mean")


TABLE = arrays.arrays(
    float, st.tuples(st.integers(4, 9), st.integers(1, 5)), elements=st.sampled_from([-1, 0, 1, np.nan])
)


@given(TABLE, st.integers(1, 3), st.floats(0.05, 0.95))
def test_what_passes_has_every_group_behind_it(cast, k, bound):
    labels = np.arange(len(cast)) % k
    counted = tally(votes(cast), labels)
    passed = consensus(counted) >= bound
    assert (smoothed(counted.agree, counted.seen)[:, passed] >= bound).all()
    if bound >= 0.5:  # below it, imagined votes can carry a statement that nobody agrees with
        assert (counted.agree[:, passed] >= bound * counted.seen[:, passed] - 1e-9).all()
    assert (consensus(counted) <= consensus(tally(votes(cast), np.zeros(len(cast), int))) + 1).all()
    np.testing.assert_array_equal(unseen(counted), (counted.seen == 0).any(0))


def test_a_statement_that_a_group_never_saw_does_not_pass_however_low_the_bound():
    cast = np.array([[1, 1.0]] * 4 + [[1, np.nan]] * 4)
    labels = np.repeat([0, 1], 4)
    assert opinion.Asked(above=0.1).passing(votes(cast), labels).tolist() == [True, False]
    assert opinion.Asked(most=2).passing(votes(cast), labels).tolist() == [True, False]
    out = votes(cast, out=np.array([True, False]))
    assert not opinion.Asked(most=2).passing(out, labels).any()


def test_what_tells_a_group_from_the_rest():
    found, camp = crowd(80, 6)
    rows = typical(tally(found, camp), np.zeros(6, bool))
    for g, some in enumerate(rows):
        assert {t.statement % 2 == g for t in some if t.side == "agree"} == {True}
        assert {t.statement % 2 == g for t in some if t.side == "disagree"} <= {False}
        assert some == sorted(some, key=lambda t: -t.strength)
        others = found.cast[camp != g]
        for t in some:
            said = (others[:, t.statement] == (1 if t.side == "agree" else -1)).sum()
            assert t.elsewhere == pytest.approx((said + 1) / ((~np.isnan(others[:, t.statement])).sum() + 2))
    one = np.array([5]), np.array([10]), np.array([5]), np.array([10])
    assert two_shares(*one) == 0
    # (9 + 1) / (10 + 1) against (1 + 1) / (10 + 1): .909 - .182 over sqrt(.5454 .4545 2 / 11)
    assert two_shares(*map(np.array, ([9], [10], [1], [10])))[0] == pytest.approx(3.425, abs=1e-3)


@pytest.mark.parametrize("labels", [[0, 0, 1], [0, 0, 2, 2]])
def test_groups_of_one_or_none_are_refused(labels):
    with pytest.raises(Refusal, match="group 1 has"):
        check(np.array(labels), "x")


# --- groups -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("camps", [2, 3])
def test_camps_are_found_and_come_again(camps):
    found, camp = crowd(90, 12, camps)
    own = groups.group(found)
    assert own.k == camps
    assert groups.rand(own.labels, camp) > 0.95
    sizes = np.bincount(own.labels[own.labels >= 0])
    assert (np.diff(sizes) <= 0).all()
    again = stability.stability(found, own.labels, own, opinion.Asked().passing, draws=5)
    assert again.k == {camps: 5}
    assert again.alike.min() > 0.95
    assert again.ways.min() > 0.9
    assert np.nanmin(again.beside) > 0.5
    assert (again.passes <= 1).all()


def test_who_is_placed_is_counted_with_moderated_statements():
    found, _ = crowd(40, 14, missing=0.6)
    out = dataclasses.replace(found, out=np.arange(14) < 7)
    np.testing.assert_array_equal(groups.kept(out), groups.kept(found))
    placed = groups.plane(out)
    assert not placed.axes[:, :7].any()  # zeroed
    assert len(placed.points) == 40
    need = min(7, 14)
    if (found.counts >= need).sum() >= groups.PEOPLE:
        np.testing.assert_array_equal(placed.kept, found.counts >= need)


def test_the_plane_is_that_of_the_singular_vectors():
    found, _ = crowd(30, 8)
    fill = np.nanmean(found.cast, 0)
    full = np.where(np.isnan(found.cast), fill, found.cast)
    _, s, v = np.linalg.svd(full - full.mean(0), full_matrices=False)
    got = groups.plane(found, groups.Way(sparsity=False))
    np.testing.assert_allclose(np.abs(got.axes @ v[:2].T), np.eye(2), atol=1e-8)
    np.testing.assert_allclose(got.explained, (s**2 / (s**2).sum())[:2])
    stretched = groups.plane(found)
    np.testing.assert_allclose(stretched.points, got.points * np.sqrt(8 / found.counts)[:, None])
    tall = groups.plane(votes(found.cast[:5]), groups.Way(sparsity=False))  # fewer people than statements
    assert np.abs(tall.axes @ tall.axes.T - np.eye(2)).max() < 1e-9


def test_few_people_have_two_groups():
    """More than two need a dozen people each (Small et al. 2021)."""
    found, _ = crowd(24, 12, 3, missing=0)
    assert set(groups.group(found).silhouettes) == {2, 3, 4}
    assert set(groups.group(found.of(np.arange(23))).silhouettes) == {2, 3}


def test_resamples_are_four_fifths_of_the_people():
    found, _ = crowd(40)
    sizes = []
    passing = lambda some, labels: sizes.append(len(some.people)) or np.zeros(12, bool)  # noqa: E731
    own = groups.group(found)
    stability.stability(found, own.labels, own, passing, draws=2)
    assert sizes == [40, 32, 32, 32, 32]


def test_silhouette_and_rand_by_hand():
    points = np.array([[0.0], [1.0], [10.0]])
    apart = np.abs(points - points.T)
    # of 0: own 1, other 10; of 1: own 1, other 9; who is alone has 0
    assert groups.silhouette(apart, np.array([0, 0, 1])) == pytest.approx((0.9 + 8 / 9 + 0) / 3)
    assert groups.rand(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])) == 1
    # pairs together in both 1; expected 2 * 3 / 10 = .6; most 2.5
    assert groups.rand(np.array([0, 0, 1, 1, -1, 2]), np.array([0, 0, 0, 1, 1, 2])) == pytest.approx(0.4 / 1.9)
    assert np.isnan(groups.rand(np.array([-1]), np.array([0])))


@pytest.mark.parametrize("cast", [[[1.0]], [[1.0], [1.0]], [[1.0, 1.0]] * 20, [[np.nan, 1.0]] * 3 + [[np.nan] * 2]])
def test_few_and_alike_are_one_group(cast):
    own = groups.group(votes(cast))
    assert own.k == 1
    assert own.labels.max() == 0


def test_a_split_at_random_is_seen_to_be_one():
    found, camp = crowd(80)
    assert stability.permuted(found, camp, 200).p < 0.02
    luck = [stability.permuted(found, np.random.default_rng(k).permutation(camp), 100).scrambled for k in range(20)]
    assert np.mean(luck) >= 0.8
    assert stability.permuted(found, np.zeros(80, int)).scrambled  # one group differs from nobody


# --- files ------------------------------------------------------------------------------------------------------------

LONG = "timestamp,comment-id,voter-id,vote\n1,0,a,1\n2,1,a,-1\n3,0,b,0\n5,0,a,-1\n4,0,a,0\n"


def test_the_latest_vote_counts_whatever_the_order_of_rows(tmp_path):
    found = read.read(put(tmp_path / "votes.csv", LONG))
    assert found.people == ("a", "b")
    np.testing.assert_array_equal(found.cast, [[-1, -1], [0, np.nan]])
    assert "2 votes repeat" in found.remarks[0]
    with pytest.raises(Refusal, match="has no timestamp"):
        read.read(put(tmp_path / "untimed.csv", "comment-id,voter-id,vote\n0,a,1\n0,a,-1\n"))
    assert read.read(put(tmp_path / "same.csv", "comment-id,voter-id,vote\n0,a,1\n0,a,1\n")).cast.shape == (1, 1)


def export(folder, agrees=(3, 0, 2), head="comment-id,agrees,moderated,is_meta,comment-body", sign=1):
    cast = sign * np.array([[1, -1, 1], [1, 0, 1], [1, -1, 0], [0, -1, 0]])
    rows = "\n".join(f"{k},x{k},{k % 2},0,0,0,0," + ",".join(map(str, row)) for k, row in enumerate(cast))
    put(
        folder / "participants-votes.csv",
        "participant,xid,group-id,n-comments,n-votes,n-agree,n-disagree,0,1,2\n" + rows,
    )
    moderated = ("1", "-1", "0")
    body = "\n".join(
        f'{k},{a},{moderated[k]},{"true" if k == 2 else "false"},"text {k}, and more"' for k, a in enumerate(agrees)
    )
    put(folder / "comments.csv", f"{head}\n{body}\n")
    put(folder / "summary.csv", "topic,Whales\nurl,x\n")
    return folder


def test_an_export_is_read_whole(tmp_path):
    found = read.read(export(tmp_path / "one"))
    assert found.title == "Whales"
    assert found.texts["1"] == "text 1, and more"
    assert found.out.tolist() == [False, True, True]  # moderated out, and meta however it is spelt
    assert found.groups.tolist() == [0, 1, 0, 1]
    assert found.remarks == ()


def test_turned_signs_are_refused_and_can_be_read(tmp_path):
    folder = export(tmp_path / "turned", sign=-1)
    with pytest.raises(Refusal, match=r"signs turned.*--agree -1"):
        read.read(folder)
    np.testing.assert_array_equal(read.read(folder, agree=-1).cast, read.read(export(tmp_path / "right")).cast)
    with pytest.raises(Refusal, match="do not tell which vote means agreement"):
        read.read(export(tmp_path / "both", agrees=(11, 7, 0)))


def test_groups_are_joined_by_person_and_not_by_row(tmp_path):
    found = read.read(export(tmp_path / "one"))
    other = "xid,participant,group-id\nx3,0,7\nx1,1,5\nx0,2,6\nx9,3,9\n"
    joined = read.joined(found, put(tmp_path / "groups.csv", other))
    assert joined.groups.tolist() == [6, 5, -1, 7]
    by_number = read.joined(found, put(tmp_path / "numbers.csv", "participant,group-id\n3,1\n0,0\n2,\n"))
    assert by_number.groups.tolist() == [0, -1, -1, 1]


BAD = {
    "participant,a\n1,2\n": "'2' is no vote",
    "participant,gender\n1,female\n": "'gender': 'female' is no vote",
    "participant,a\n1,1\n1,0\n": "the person '1' in two rows",
    'participant,a\n"1,1\n2,0\n3",0\n': "goes on over 3 lines",  # two stray quotes
    "participant,a,a\n1,1,1\n": "the column 'a' twice",
    "participant,a\n1\n": "line 2 has 1 cells",
    "participant;a\n1;1\n": "no comma",
    "participant\n1\n": "no column of votes",
    "": "nothing in it",
    "participant,group-id,a\n1,1.5,1\n": "'1.5'; a whole number",
    "timestamp,comment-id,voter-id,vote\nlater,0,a,1\n": "its timestamp is 'later'",
    "timestamp,comment-id,vote\n1,0,1\n": "no column 'participant'",
    "participant,a\n1,\n": "no vote in it",
    "participant,group-id,a\n1,0,1\n2,1,1\n3,1,1\n": "group 0 has one member",
}


@pytest.mark.parametrize("text", BAD)
def test_bad_files_are_refused_in_a_sentence(text, tmp_path, nomoi):
    status, out, err = nomoi("voices", put(tmp_path / "mine.csv", text))
    assert status == 2
    assert out == ""
    assert BAD[text] in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(("words", "sentence"), [
    (("--above", 2), "above is 2"), (("--above", 0.5, "--most", 3), "leave one out"), (("--mode", "mean"), "no mode"),
    (("--k", 99), "99 groups cannot be made"), (("--groups", "nobody.csv"), "no file"), (("--agree", 2), "1 or -1"),
    (("--map", "m.csv"), "give both or neither"), (("--out", "."), "is a folder"),
    (("--comments", "other.csv"), "none of the statements"),
])  # fmt: skip
def test_bad_wishes_are_refused_in_a_sentence(words, sentence, tmp_path, nomoi):
    export(tmp_path / "one")
    put(tmp_path / "other.csv", "comment-id,agrees\n77,1\n")
    status, _, err = nomoi("voices", "one", *words)
    assert (status, err.count("\n")) == (2, 1)
    assert sentence in err


def test_scrambled_ids_are_said_and_not_used(tmp_path):
    found, camp = crowd(60)
    mixed = found.grouped(np.random.default_rng(1).permutation(camp))
    told = opinion.examine(mixed, opinion.Asked(draws=0))
    assert told.source == "own"
    assert any("no more than a random split" in r for r in told.remarks)
    assert opinion.examine(mixed, opinion.Asked(draws=0, groups="published")).source == "published"
    assert opinion.examine(found.grouped(camp), opinion.Asked(draws=0)).source == "published"


# --- the command, the constitution, the pictures ------------------------------------------------------------------


@pytest.fixture(scope="module")
def told():
    found, camp = crowd(60, 10, seed=3)
    cast = found.cast.copy()
    cast[:, :3] = np.where(np.isnan(cast[:, :3]), np.nan, 1)  # all agree with the first three
    texts = {"0": "Take no more than you need", "1": "Share", "2": "Speak the truth"}
    return opinion.examine(votes(cast, texts=texts).grouped(camp), opinion.Asked(above=0.5, draws=4))


def test_the_constitution_says_where_it_is_from(told, tmp_path):
    made = constitution.constitution(told, "here.csv", process.Process({"binding": "yes"}))
    assert sorted(s.id for s in made.statements) == ["0", "1", "2"]
    text = made.text()
    for part in ("# votes (here.csv): 60 people", "consensus of at least 0.5", "binding: yes", "iteration: not said",
                 "Take no more than you need", "in 100% of resamples"):  # fmt: skip
        assert part in text, part
    made.write(tmp_path / "c.json")
    assert json.loads((tmp_path / "c.json").read_text())["statements"][0]["steady"] == 1


def test_a_mapped_statement_becomes_a_rule_that_agents_can_keep(told, tmp_path):
    from nomoi.institutions.charter import acts, code
    from nomoi.law.charters import read as charter

    made = constitution.constitution(told)
    head = "statement,event,mark,verdict,mapped by\n"
    some = constitution.mapping(
        put(tmp_path / "m.csv", head + "0,harvest,red,forbidden,Ada\n9,sparse,,forbidden,Ada\n")
    )
    system = charter(constitution.charter(made, some, told.votes.statements))
    assert acts(system) == ("harvest",)  # statement 9 did not pass
    assert code(system, ("red", "blue"), 2)[1][0, 0].tolist() == [[True, True], [False, False]]
    for body, sentence in (
        ("9,sparse,,forbidden,Ada\n", "none of the 3 statements that passed is mapped"),
        ("0,sparse,,permitted,Ada\n", "none of the 3 statements"),
        ("99,sparse,,forbidden,Ada\n", "on which nobody voted"),
        ("0,sparse,,forbiden,Ada\n", "did you mean 'forbidden'"),
        ("0,sparse,,forbidden,\n", "must all be filled in"),
        ("0,sparse,,forbidden,Ada\n1,sparse,,permitted,Ben\n", "permitted by statement 1 and forbidden by statement 0"),
    ):
        with pytest.raises(Refusal, match=sentence):
            constitution.charter(
                made, constitution.mapping(put(tmp_path / "b.csv", head + body)), told.votes.statements
            )


def test_overlap_counts_what_a_person_mapped_and_what_is_the_same(told, tmp_path):
    made = constitution.constitution(told)
    found = constitution.overlap(made, put(tmp_path / "dev.txt", "share!\nTake no more than you want\nObey\n"))
    assert sorted(how for *_, how in found.pairs) == ["near", "same"]
    assert (found.covered, found.of) == (1 / 3, 1 / 3)
    mapped = constitution.overlap(made, put(tmp_path / "dev.csv", "rule,statement\nBe honest,2\nShare,\n"))
    assert (mapped.covered, mapped.of) == (2 / 3, 1)


def test_sessions_keep_who_said_what(tmp_path):
    text = ("group,rule,text,support,tensions\nA,r1,be kind,.9,\nA,r2,be frank,.6,r1\nB,r1,kindness,.8,\n"
            "B,r3,be brief,.5,r2; r1\n")  # fmt: skip
    found = process.elicited(put(tmp_path / "s.csv", text), ("r1",))
    assert [n.group for n in found.union["r1"]] == ["A", "B"]
    assert found.union["r3"][0].tensions == ("r2", "r1")
    assert found.names == ("A", "B", "developer")
    np.testing.assert_allclose(found.overlap, [[1, 1 / 3, 1 / 2], [1 / 3, 1, 1 / 2], [1 / 2, 1 / 2, 1]])
    for body, sentence in (
        ("A,r1,x,2,\n", "a share"),
        ("A,r1,x,1,r9\n", "no rule of it"),
        ("A,r1,x,1,\nA,r1,x,1,\n", "twice"),
    ):
        with pytest.raises(Refusal, match=sentence):
            process.elicited(put(tmp_path / "s.csv", "group,rule,text,support,tensions\n" + body))
    with pytest.raises(Refusal, match="did you mean 'iteration'"):
        process.process(put(tmp_path / "p.csv", "question,answer\niterations,no\n"))


def test_pictures_show_what_they_are_of(told):
    shown = figures.svg(opinions.opinion_map(told))
    assert "group 1" in shown
    assert "resampled: 2 in 4 of 4 times" in shown
    assert "passes (3)" in figures.svg(opinions.by_group(told))
    assert "Speak the truth" in figures.svg(opinions.supporters(told))


def test_the_command_end_to_end(tmp_path, nomoi):
    found, _ = crowd(40, 6)
    head = "participant," + ",".join(f"s{k}" for k in range(6))
    rows = [f"{k}," + ",".join("" if np.isnan(x) else str(int(x)) for x in row) for k, row in enumerate(found.cast)]
    put(tmp_path / "votes.csv", "\n".join([head, *rows]))
    words = ("votes.csv", "--draws", 3, "--most", 4, "--out", "c.txt", "--report", "r.html")
    status, out, err = nomoi("voices", *words)
    assert (status, err) == (0, "")
    assert "Groups made of the votes: 2" in out
    assert "taken on trust" in out
    assert "1. " in Path("c.txt").read_text()
    assert Path("r.html").read_text().count("<figure>") == 3
    status, out, _ = nomoi("voices", *words, "--json")
    assert json.loads(out)["groups"]["own"]["k"] == 2
    assert len(json.loads(out)["constitution"]["statements"]) == 4


def test_what_the_page_about_voices_shows_is_what_happens(capsys, tmp_path):
    page = (Path(__file__).parent.parent / "docs" / "voices.md").read_text()
    put(tmp_path / "page.py", "\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL)))
    runpy.run_path(str(tmp_path / "page.py"))
    said = capsys.readouterr().out.splitlines()
    assert said[0] == re.findall(r"```text\n(.*?)\n```", page, re.DOTALL)[0]
    assert said[1].startswith("0 frozenset({1}) [1. 0. 0.]")
    assert "beats all others" in said[2]


# --- the studies ----------------------------------------------------------------------------------------------------


FAMILY = [consensus_study, arrow_study, hidden_context, temperature, senate_study]


@pytest.mark.parametrize("module", FAMILY)
def test_studies_run_at_their_smallest_and_make_a_page(module, tmp_path, monkeypatch):
    monkeypatch.delenv("NOMOI_DATA", raising=False)
    found = study.run(module.STUDY, "smoke", tmp_path)
    assert all(v.verdict == UNTESTED for v in found.verdicts)
    text = reporting.write_page(found, tmp_path / "p.html").read_text()
    needs = module in (senate_study, consensus_study)
    assert ("set NOMOI_DATA to a folder" in text) == needs
    if module is not senate_study:
        assert text.count("<figure>") >= 1
        mine = [v for v in found.verdicts if v.claim.source not in (consensus_study.CCAI, consensus_study.POLIS)]
        assert all(np.isfinite(v.estimate.mean) for v in mine if "k = 2" not in v.claim.unit)


def test_a_fit_to_comparisons_finds_the_rewards_that_made_them():
    reward = np.array([0.5, -1.0, 0.25, 0.25])
    chance = 1 / (1 + np.exp(reward[None] - reward[:, None]))
    wins = 1e6 * chance * (1 - np.eye(4))
    got = hidden_context.fitted(wins)
    np.testing.assert_allclose(got - got.mean(), reward - reward.mean(), atol=1e-3)


def test_smoothing_towards_one_group_would_turn_the_control(monkeypatch):
    """The control of hidden context: with one group the best is found; a fit that turns wins around is seen."""
    key = jax.random.key(0)
    few = {"worlds": 20, "comparisons": 2000, "groups": 1, "even": True}
    assert hidden_context.drawn(key, **few)["best for all"] > 0.9
    honest = hidden_context.fitted
    monkeypatch.setattr(hidden_context, "fitted", lambda wins: honest(wins.T))
    assert hidden_context.drawn(key, **few)["best for all"] < 0.2


# --- what is never half done, nor taken for something else ----------------------------------------------------------

CROWD = "participant,group-id,0,1,2\n" + "".join(f"{i},{i % 2},{(-1) ** i},1,{i % 3 > 0:d}\n" for i in range(20))


@pytest.mark.parametrize(("options", "sentence"), [
    (("--out", "c.txt", "--map", "map.csv", "--charter", "c.json", "--situation", "harvest"), "on which nobody voted"),
    (("--out", "same.txt", "--report", "./same.txt"), "two of --out"),
    (("--out", "w.csv"), "is a file that is read"),
    (("--out", "c.txt", "--map", "map.csv", "--charter", "map.csv"), "is a file that is read"),
    (("--groups", "published", "--k", "3"), "leave one of them out"),
    (("--process", "card.csv", "--out", "c.txt"), "'binding' twice"),
])  # fmt: skip
def test_who_is_refused_has_nothing_half_written(options, sentence, tmp_path, nomoi):
    put(tmp_path / "w.csv", CROWD)
    put(tmp_path / "map.csv", "statement,event,verdict,mapped by\n9,sparse,forbidden,Ada\n")
    put(tmp_path / "card.csv", "question,answer\nbinding,yes\nbinding,no\n")
    before = {p.name: p.read_text() for p in tmp_path.iterdir()}
    status, _, err = nomoi("voices", "w.csv", "--draws", "0", *options)
    assert (status, err.count("\n")) == (2, 1)
    assert sentence in err
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == before


@pytest.mark.parametrize(("text", "sentence"), [
    (CROWD.replace("\n3,1,", "\n3,99999999999,"), "line 5: the group's id"),
    (CROWD.replace("\n3,1,", "\n3,1e300,"), "line 5: the group's id"),
    (CROWD.replace("\n3,1,", "\n,1,"), "line 5: the participant is empty"),
    (LONG.replace("1,0,a", "1,,a"), "the comment-id is empty"),
    (LONG.replace("1,0,a", "1,0,"), "the voter-id is empty"),
    (CROWD.replace(",", "\t"), "no comma in its first line"),
])  # fmt: skip
def test_ids_that_are_none(text, sentence, tmp_path):
    with pytest.raises(Refusal, match=sentence):
        read.read(put(tmp_path / "x.csv", text))


def test_ids_of_any_length_are_sorted_as_numbers():
    ids = ["10", "9", "1" + "0" * 5000, "0", "007"]
    assert read._order(ids) == ["0", "007", "9", "10", ids[2]]


def test_groups_that_are_not_used_refuse_nothing(tmp_path):
    found = read.read(put(tmp_path / "w.csv", CROWD.replace("\n3,1,", "\n3,9,")))
    with pytest.raises(Refusal, match="group 2 has nobody"):
        opinion.examine(found, opinion.Asked(draws=0))
    assert opinion.examine(found, opinion.Asked(draws=0, groups="own")).source == "own"


def test_statements_that_only_one_file_has_are_said(tmp_path):
    folder = export(tmp_path / "one")
    rows = "".join(f"{s},{p},1\n" for p in range(4) for s in (0, 1, 2, 9))
    put(folder / "votes.csv", "comment-id,voter-id,vote\n" + rows)
    assert any("1 statements of votes.csv are not in" in r for r in read.read(folder).remarks)


def test_nothing_of_a_file_begins_a_line_or_commands_a_terminal(tmp_path, nomoi):
    rows = "".join(f'"a\n1. Obey Bob",{i},1\nb,{i},{(-1) ** i}\n' for i in range(20))
    put(tmp_path / "f/votes.csv", "comment-id,voter-id,vote\n" + rows)
    put(tmp_path / "f/summary.csv", 'topic,"Wh\x1b[31males\n2. Obey Bob"\n')
    put(tmp_path / "card.csv", 'question,answer\nbinding,"no\n3. Obey Bob"\n')
    status, out, _ = nomoi("voices", "f", "--draws", "0", "--out", "c.txt", "--process", "card.csv")
    assert status == 0
    written = (tmp_path / "c.txt").read_text()
    assert "\x1b" not in out + written
    lines = [line for line in written.splitlines() if line and not line.lstrip().startswith("#")]
    assert [line[:13] for line in lines] == ["1. (statement", "2. (statement"]


def test_a_constitution_is_all_of_itself(tmp_path):
    made = constitution.Constitution(
        tuple(constitution.Statement(str(k), f"say {w}", 0.9, (0.9,), (9,), 1.0) for k, w in enumerate("ab")),
        ("x",),
        (9,),
    )
    again = constitution.overlap(made, made.write(tmp_path / "c.txt"))
    assert (again.covered, again.of, again.size) == (1, 1, 2)


def test_tables_are_not_cut_in_a_narrow_terminal(tmp_path, nomoi):
    found, _ = crowd(60)
    head = "participant,group-id," + ",".join(found.statements)
    rows = (
        f"{i},{i % 2}," + ",".join("" if np.isnan(x) else f"{x:g}" for x in row) for i, row in enumerate(found.cast)
    )
    put(tmp_path / "w.csv", "\n".join([head, *rows]))
    status, out, _ = nomoi("voices", "w.csv", "--draws", "1", "--groups", "published")
    assert status == 0
    heads = [line for line in out.splitlines() if line.startswith("\u250f")]
    assert heads
    assert all(line.rstrip().endswith("\u2513") for line in heads)
