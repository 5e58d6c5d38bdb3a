"""Numbers about votes and answers that were worked by hand: each of them sees one constant, or one comparison."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from nomoi.voices import groups, opinion, plural, read, stability
from nomoi.voices.answers import Answers, Presented
from nomoi.voices.consensus import consensus, one_share, smoothed, tally, two_shares, typical
from nomoi.voices.votes import Votes


def votes(cast, **more):
    cast = np.asarray(cast, float)
    return Votes(cast, tuple(map(str, range(len(cast)))), tuple(map(str, range(cast.shape[1]))), **more)


def column(agree, pass_, disagree, group, unseen=0):
    """One statement's votes of a group."""
    cast = np.repeat([1.0, 0.0, -1.0, np.nan], [agree, pass_, disagree, unseen])
    return cast, np.full(len(cast), group)


def poll(*camps):
    """Votes on one statement, and who is in which group; (agree, pass, disagree) a group."""
    cast, labels = zip(*(column(*counts, g) for g, counts in enumerate(camps)), strict=True)
    return votes(np.concatenate(cast)[:, None]), np.concatenate(labels)


# --- the permutation test -----------------------------------------------------------------------------------------


def test_a_split_that_differs_as_much_counts_against_the_groups():
    """Two agree and two do not: of the six splits into pairs two are as far apart as the groups, so p is a third."""
    found, labels = poll((2, 0, 0), (0, 0, 2))
    chance = stability.permuted(found, labels, 2000)
    assert chance.apart == 1
    assert chance.p == pytest.approx(1 / 3, abs=0.03)
    assert chance.expected == pytest.approx(1 / 3, abs=0.03)  # the other four have one of each on either side
    assert chance.scrambled
    # ten and ten: two of 184,756 splits are as far, and none that is drawn: p is one of one more than the splits
    assert stability.permuted(*poll((10, 0, 0), (0, 0, 10)), 99, seed=1).p == 0.01


def test_groups_are_compared_where_twenty_of_each_have_voted():
    """Of the first statement 20 of each were asked, of the second 19 of one: 1/4 and 3/4 agree with the first."""
    first = np.concatenate([column(5, 0, 15, 0)[0], column(15, 0, 5, 1)[0]])
    second = np.concatenate([column(19, 0, 0, 0, 1)[0], column(0, 0, 20, 1)[0]])
    chance = stability.permuted(votes(np.stack([first, second], 1)), np.repeat([0, 1], 20), 5)
    assert (chance.apart, chance.statements) == (0.25, 1)


@pytest.mark.parametrize(("p", "scrambled"), [(0.05, False), (0.0501, True), (np.nan, True)])
def test_five_in_a_hundred_is_the_bound_of_chance(p, scrambled):
    assert stability.Chance(0.1, 0.1, p, 1).scrambled == scrambled


# --- what represents a group --------------------------------------------------------------------------------------


def test_what_represents_a_group_by_hand():
    """Nine of ten agree, and one of ten elsewhere: (10 / 12) over (2 / 12) is five times as much.

    Standard errors: 2 sqrt(11) (10 / 11 - 1 / 2) = 2.71360 against a half, 3.42540 against the others (10 / 11 and
    2 / 11, pooled 12 / 22); the strength is the product of share, both, and the ratio of the shares.
    """
    found, labels = poll((9, 0, 1), (1, 0, 9))
    rows = typical(tally(found, labels), np.zeros(1, bool))
    ((one,), (other,)) = rows
    assert (one.side, other.side) == ("agree", "disagree")
    assert (one.share, one.elsewhere) == pytest.approx((10 / 12, 2 / 12))
    half, apart = 2 * np.sqrt(11) * (10 / 11 - 1 / 2), (8 / 11) / np.sqrt((12 / 22) * (10 / 22) * 2 / 11)
    assert one.tests == pytest.approx((half, apart))
    assert one.strength == pytest.approx(10 / 12 * half * 5 * apart)
    assert other.strength == pytest.approx(one.strength)


@pytest.mark.parametrize(("agree", "typical_"), [(10, True), (9, False)])
def test_nine_in_ten_chances_are_the_bound_of_what_represents_a_group(agree, typical_):
    """Ten of 15 are 8 (11 / 16 - 1 / 2) = 1.5 standard errors above a half, nine of 15 are one: 90 % lies at 1.28."""
    found, labels = poll((agree, 0, 15 - agree), (0, 15, 0))
    rows = typical(tally(found, labels), np.zeros(1, bool))
    assert [t.side for t in rows[0]] == ["agree"] * typical_


def test_what_others_hardly_share_comes_before_what_they_half_share():
    """60 of 60 agree with the first and 30 of 60 elsewhere; 50 and none with the second: twice as much, and 51 times.

    Without the ratio the first would lead: .984 x 7.81 x 6.31 = 48.5 (share, against a half, against the others), and
    the second .823 x 5.25 x 9.15 = 39.5.
    """
    first = np.concatenate([column(60, 0, 0, 0)[0], column(30, 0, 30, 1)[0]])
    second = np.concatenate([column(50, 0, 10, 0)[0], column(0, 0, 60, 1)[0]])
    rows = typical(tally(votes(np.stack([first, second], 1)), np.repeat([0, 1], 60)), np.zeros(2, bool))
    assert [t.statement for t in rows[0] if t.side == "agree"] == [1, 0]


# --- whom a constitution leaves out ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("counts", "left"), [
    ((5, 0, 3), True),  # (5 + 1) / (8 + 2) is six in ten
    ((6, 0, 4), False),  # 7 / 12 = .583
    ((24, 2, 14), False),  # 25 / 42 = .595: passes are among those asked
    ((8, 1, 4), True),  # 9 / 15
])  # fmt: skip
def test_left_out_are_six_in_ten_of_a_group_whose_statement_does_not_pass(counts, left):
    found, labels = poll(counts, (0, 0, 20))
    asked = opinion.Asked(above=0.9, draws=0, groups="published")
    told = opinion.examine(found.grouped(labels), asked)
    assert not told.passes.any()
    assert [row.tolist() for row in told.left_out] == [[left], [False]]


def test_nobody_is_left_out_of_what_passes_or_is_moderated():
    found, labels = poll((19, 0, 1), (19, 0, 1))
    asked = opinion.Asked(above=0.8, draws=0, groups="published")
    told = opinion.examine(found.grouped(labels), asked)  # (20 / 22) squared is .826
    assert told.passes.all()
    assert not np.any(told.left_out)
    out = votes(found.cast, out=np.array([True])).grouped(labels)
    told = opinion.examine(out, asked)
    assert not told.passes.any()
    assert not np.any(told.left_out)


# --- how far the number of groups decides -----------------------------------------------------------------------------


def test_how_many_groups_there_are_decides_by_the_product_and_hardly_by_its_root():
    """Of each of three camps of 30, 26, 24 and 23 agree: 27 / 32 = .844, 25 / 32 = .781 and .75.

    Cubed .601, .477 and .422, of which one is past .6; as much a group is the root of .6, .775, which two are past.
    """
    split = np.kron(np.eye(3), np.ones((30, 8))) * 2 - 1
    alike = [np.tile(column(agree, 30 - agree, 0, 0)[0], 3) for agree in (26, 24, 23)]
    found = votes(np.hstack([split, np.stack(alike, 1)]))
    own = groups.group(found)
    assert own.k == 3
    assert stability.by_groups(found, own, "polis", 0.6)[3] == (1, 2)
    # half a vote on either side: 26.5 / 31 (1 - .5 / 31) = .841, .777, .746; a mean of groups is past its bound itself
    assert stability.by_groups(found, own, "geometric", 0.76)[3] == (2, 2)


def test_who_is_beside_whom():
    """Of the first group two of three are together again, of the second both; one is in no group."""
    same, known = stability._beside(np.array([0, 0, 0, 1, 1, -1]), np.array([1, 1, 0, 2, 2, 0]))
    assert same.tolist() == [1, 1, 0, 1, 1, 0]
    assert known.tolist() == [1, 1, 1, 1, 1, 0]


def test_who_saw_nothing_in_common_is_not_known_to_be_a_group():
    cast = np.array([[1, np.nan]] * 2 + [[np.nan, 1]] * 2)
    chance = stability.permuted(votes(cast), np.array([0, 0, 1, 1]), 5)
    assert np.isnan(chance.p)
    assert chance.scrambled


# --- who is placed --------------------------------------------------------------------------------------------------


def test_seven_votes_place_a_person():
    cast = np.full((32, 9), np.nan)
    for person in range(32):
        cast[person, : 7 if person < 16 else 6] = 1
    assert groups.kept(votes(cast)).tolist() == [True] * 16 + [False] * 16
    # where fewer than 15 have as many, the 15 with the most are placed, and nobody without a vote
    cast[10:16, 6] = np.nan
    assert groups.kept(votes(cast)).sum() == 15
    cast[14:] = np.nan
    assert groups.kept(votes(cast)).sum() == 14


def test_twenty_statements_pass_where_nothing_is_said_and_a_bound_is_passed_by_what_is_on_it():
    labels = np.array([0, 0, 1, 1])
    assert opinion.Asked().passing(votes(np.ones((4, 30))), labels).sum() == 20
    at = float(consensus(tally(votes(np.ones((4, 1))), labels))[0])  # (3 / 4) squared
    assert at == 0.5625
    assert opinion.Asked(above=at).passing(votes(np.ones((4, 1))), labels).all()
    assert not opinion.Asked(above=at + 1e-9).passing(votes(np.ones((4, 1))), labels).any()


# --- the window of reasonable answers -----------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "reasonable"), [(0.05, True), (0.0499, False), (0.051, True)])
def test_an_answer_that_one_in_twenty_give_is_reasonable(share, reasonable):
    people = Answers({"q": {"": {"a": 1 - share, "b": share}}})
    found = plural.measure(people, Presented({"q": ("a",)}, {})).overton["q"]
    assert found.coverage == (0.5 if reasonable else 1)
    assert found.weighted == pytest.approx(1 - share if reasonable else 1)


def test_one_in_twenty_of_some_group_is_enough():
    """A tenth of one of four groups is .025 of all."""
    groups = {g: {"a": 1.0, "b": 0.0} for g in "wxy"} | {"z": {"a": 0.9, "b": 0.1}}
    found = plural.measure(Answers({"q": groups}), Presented({"q": ("a",)}, {})).overton["q"]
    assert (found.coverage, found.weighted) == (0.5, pytest.approx(0.975))


# --- another program ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["crowd", "polis/15-per-hour-seattle", "polis/football-concussions"])
def test_counts_tests_and_consensus_are_those_of_red_dwarf(name, request):
    """Where red-dwarf 0.4.0 is installed, which needs an environment of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pytest.importorskip("reddwarf.utils.stats")
        table = pytest.importorskip("pandas").DataFrame
    if name == "crowd":
        rng = np.random.default_rng(0)
        found = votes(rng.choice([-1.0, 0.0, 1.0, np.nan], (90, 30)))
        found = found.grouped(rng.integers(3, size=90))
    else:
        found = read.read(request.getfixturevalue("data")(name))
        found = found.of(found.groups >= 0)
    counted, labels = tally(found, found.groups), found.groups
    n, cast, share, ratio, half, apart, whole = theirs.calculate_comment_statistics(table(found.cast), labels)
    for v, side, mine in ((theirs.votes.A, "agree", counted.agree), (theirs.votes.D, "disagree", counted.disagree)):
        np.testing.assert_array_equal(cast[v], mine)
        np.testing.assert_allclose(consensus(counted, side=side), whole[v], atol=1e-12)
        np.testing.assert_allclose(smoothed(mine, counted.seen), share[v], atol=1e-12)
        np.testing.assert_allclose(one_share(mine, counted.seen), half[v], atol=1e-12)
        rest, asked = mine.sum(0) - mine, counted.seen.sum(0) - counted.seen
        np.testing.assert_allclose(two_shares(mine, counted.seen, rest, asked), apart[v], atol=1e-9)
        np.testing.assert_allclose(smoothed(mine, counted.seen) / smoothed(rest, asked), ratio[v], atol=1e-12)
    np.testing.assert_array_equal(n, counted.seen)
