"""Moderation, the bench of its members, and objectives on decisions."""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nomoi.core import Outcome, govern, setting
from nomoi.core.worlds import step
from nomoi.errors import Refusal
from nomoi.institutions.altar import Altar
from nomoi.institutions.bench import EVER, NARROW, Bench, Practice, apart, classes, protected, wide
from nomoi.institutions.statutes import lawful, statutes
from nomoi.law.charters import read
from nomoi.law.rules import canonical, condition
from nomoi.learners.deciding import Aggregate, Decisions, Individual
from nomoi.learners.ppo import PPO
from nomoi.probes import amending, compatible
from nomoi.runs import proxied
from nomoi.situations.harvest import Harvest
from nomoi.situations.moderation import Moderation, bits
from nomoi.studies import compatibility
from nomoi.testing.common import random_action
from nomoi.voices import aggregates, rules


class Forum(Moderation):
    """Members of whom some have left before the first post: one program, however many are here."""

    name = "forum"
    there: int | jax.Array = setting(7, "members who are here", "ours", "", 1)

    def reset(self, key):
        return eqx.tree_at(lambda s: s.here, super().reset(key), jnp.arange(self.members) < self.there)


PLACE = Forum(members=7, marks=5, horizon=40)
OPEN = govern(PLACE, Bench())
MARKS, POSTS, STEPS = 5, 32, 30


@eqx.filter_jit
def _founded(place, bench, key):
    born, founding = jax.random.split(key)
    state = place.reset(born)
    said, practice = place.said(state, place.posts), bench.found(founding, place, state)
    return state, said, practice, bench.table(practice, place, said, state.here), place.wishes(state, place.posts)


def founded(bench, key, place=PLACE):
    """A state, what its members say of every post, the bench's practice and its verdicts; and what members wish."""
    return _founded(place, bench, key)


@eqx.filter_jit
def played(place, key):
    """A life of random play: its outcomes, and what the moderator was told before each."""
    born, playing, acting = jax.random.split(key, 3)

    def tick(carry, t):
        state, clock = carry
        told = {name: seen[0] for name, seen in place.observe(state).items()}
        action = random_action(jax.random.fold_in(acting, t), place)
        *later, outcome = step(place, playing, clock, state, action)
        return tuple(later), (outcome, told)

    return jax.lax.scan(tick, (place.reset(born), jnp.zeros((), jnp.int32)), jnp.arange(STEPS))[1]


def life(place, seed):
    return jax.tree.map(np.asarray, played(place, jax.random.key(seed))[0])


def wanted(wishes):
    """The grade next to each wish, the milder of two."""
    return np.abs(aggregates.GRADES[:, None] - np.asarray(wishes)[..., None, :]).argmin(-2)


def lower(votes):
    return np.sort(votes)[(len(votes) - 1) // 2]


# --- aggregates -------------------------------------------------------------------------------------------------------

GROUPS = (0, 0, 1, 1, 1, 2, 2)


@eqx.filter_jit
def scored(wishes, here, groups):
    return {name: aggregates.score(name, wishes, here, groups) for name in aggregates.RULES}


def scores(wishes, here, groups=GROUPS):
    some = scored(jnp.asarray(wishes, jnp.float32), jnp.asarray(here), groups)
    return {name: np.asarray(score) for name, score in some.items()}


def test_scores_by_hand():
    score = scores([0.0, 0.4, 1.0], [True] * 3, GROUPS[:3])  # keep, label, remove
    np.testing.assert_allclose(score["mean"], [1.6 / 3, 1.9 / 3, 1.4 / 3], atol=1e-6)
    np.testing.assert_allclose(score["plurality"], [1 / 3] * 3, atol=1e-6)
    assert score["median"].tolist() == [0, 1, 0]
    # above: the first puts keep over both; the second label, then keep, then remove; the third remove, label, keep
    np.testing.assert_allclose(score["borda"], [3 / 3, 4 / 3, 2 / 3], atol=1e-6)
    # approve of keep: the first alone (.4 > .375), of label the second, of remove the third
    np.testing.assert_allclose(score["consensus"], [2 / 4 * 1 / 3, 2 / 4 * 1 / 3, 1 / 4 * 2 / 3], atol=1e-6)
    np.testing.assert_allclose(score["worst"], [0.0, 0.5, 0.2], atol=1e-6)
    # who wishes just 0.375 approves of keep and of label
    edge = scores([0.375, 0.375, 0.375], [True] * 3, GROUPS[:3])
    np.testing.assert_allclose(edge["consensus"], [3 / 4 * 2 / 3] * 2 + [1 / 4 * 1 / 3], atol=1e-6)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 1000), min_size=7, max_size=7, unique=True))
def test_scores_choose_whom_the_rules_of_rankings_choose(wishes):
    said = np.asarray(wishes, np.float32) / 1000
    value = 1 - np.abs(aggregates.GRADES[:, None] - said)  # [3, n]
    assume(all(len(set(column)) == 3 for column in value.T))  # a ranking has no ties
    people, score = rules.Profile((-value.T).argsort(1)), scores(said, [True] * 7)
    for name in ("plurality", "borda"):
        assert {i for i in range(3) if score[name][i] >= score[name].max() - 1e-6} == rules.RANKED[name](people)


middle = eqx.filter_jit(aggregates.middle)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 2), min_size=7, max_size=7), st.lists(st.booleans(), min_size=7, max_size=7))
def test_the_middle_is_the_lower_median_of_who_is_here(votes, here):
    among = sorted(v for v, h in zip(votes, here, strict=True) if h)
    right = among[(len(among) - 1) // 2] if among else 0
    assert int(middle(np.asarray(votes, np.int32), np.asarray(here))) == right


def test_who_left_counts_for_nothing():
    few = scores([0.1, 0.6, 0.9], [True] * 3, GROUPS[:3])
    many = scores([0.1, 0.6, 0.9, 0.9, 0.0, 0.9, 0.2], [True] * 3 + [False] * 4)
    for name in aggregates.RULES:
        if name != "consensus":  # where a group that is empty counts one half
            np.testing.assert_allclose(many[name], few[name], atol=1e-6)


# --- the bench --------------------------------------------------------------------------------------------------------


def test_with_no_rule_and_all_asked_it_is_the_median_of_its_members():
    asked = Bench(proposals=0, gap="ask")
    for seed in range(20):
        _, said, practice, table, _ = founded(asked, jax.random.key(seed))
        assert np.asarray(table).tolist() == [lower(votes) for votes in wanted(said)]
        assert (practice.serial < 0).all()


@lru_cache
def lived(**knobs):
    return life(govern(PLACE, Bench(**dict(SAME, **knobs))), 3)


SAME = {"proposals": 10}


@pytest.mark.parametrize("off", [
    {"cases": 30}, {"panel": 1}, {"delay": 9}, {"petition": 0.9}, {"audit": 1.0}, {"noise": 0.0}, {"rights": False},
    {"local": False}, {"binds": False},
])  # fmt: skip
def test_a_knob_that_is_off_changes_nothing_bit_for_bit(off):
    for one, other in zip(jax.tree.leaves(lived()), jax.tree.leaves(lived(**off)), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("on", [
    {"gap": "ask"}, {"radius": 1}, {"radius": 1, "cases": 30}, {"rights": True}, {"local": True}, {"noise": 0.5},
    {"audit": 0.2, "petition": 1.0}, {"binds": True}, {"proposals": 0}, {"majority": 0.8},
])  # fmt: skip
def test_a_knob_that_is_on_changes_something(on):
    there = zip(jax.tree.leaves(lived()), jax.tree.leaves(lived(**on)), strict=True)
    assert any((one != other).any() for one, other in there)


def test_a_rule_that_is_passed_in_play_holds_after_its_delay():
    place = govern(PLACE, Bench(proposals=0, period=4, delay=12))
    outcome = life(place, 1)
    passed = np.flatnonzero(outcome.events["bench.passed"][:, 0])
    assert len(passed)
    assert ((passed + 1) % 4 == 0).all()
    decision = outcome.events["bench.decision"][:, 0]
    assert (decision[: passed[0] + 13] == 0).all()  # kept until then: in force from `time + delay`, counted from 1
    assert (decision[passed[0] + 13 :] != 0).any()
    alike = govern(PLACE.replace(often=1.0), Bench(proposals=0, period=4, delay=12))  # any rule covers every post
    outcome = life(alike, 1)
    first = int(np.flatnonzero(outcome.events["bench.passed"][:, 0])[0])
    decision = outcome.events["bench.decision"][:, 0]
    assert (decision != 0).tolist() == [t >= first + 13 for t in range(STEPS)]


@eqx.filter_jit
def proposed(bench, key, practice, said, here):
    return bench.propose(key, practice, PLACE, said, here, 0)


@eqx.filter_jit
def heard(bench, key, practice, said, here, post):
    return bench.hear(key, practice, PLACE, said, here, jnp.asarray(post, jnp.int32))


@eqx.filter_jit
def verdicts(bench, practice, said):
    """What the rules say of each post (-1 nothing), what the bench decides, and the text."""
    ruled, _ = bench.code(practice, MARKS, practice.time)
    return ruled, bench.table(practice, PLACE, said, jnp.ones(7, bool)), bench.text(practice, MARKS)


def slow_code(practice, time):
    """The verdict of the narrowest, then latest rule in force on each post, post by post."""
    p = jax.tree.map(np.asarray, practice)
    out, strong = [], []
    for post in range(POSTS):
        best = (-1, -1)
        for r in range(len(p.which)):
            if p.serial[r] >= 0 and p.since[r] <= time and classes(MARKS)[p.which[r], post]:
                best = max(best, (int(wide(MARKS)[p.which[r]]) * NARROW + int(p.serial[r]), int(p.verdict[r])))
        strong.append(best[0])
        out.append(best[1])
    return np.array(out), np.array(strong)


def slow_proposal(practice, said, who, majority, gap):
    """What a member proposes, and whether it passes, by loops over classes, verdicts, members and posts."""
    ruled, strong = slow_code(practice, EVER)
    votes = wanted(said)
    now = [ruled[x] if ruled[x] >= 0 else (lower(votes[x]) if gap else 0) for x in range(POSTS)]
    often, grades = np.asarray(PLACE.chances, float), aggregates.GRADES

    def gain(c, v, i):
        reach = [x for x in range(POSTS) if classes(MARKS)[c, x] and strong[x] // NARROW <= wide(MARKS)[c]]
        return sum(often[x] * (abs(grades[now[x]] - said[x, i]) - abs(grades[v] - said[x, i])) for x in reach)

    gains = {(c, v): gain(c, v, who) for c in range(len(wide(MARKS))) for v in range(3)}
    c, v = max(gains, key=gains.__getitem__)
    votes = np.mean([gain(c, v, i) > 1e-6 for i in range(said.shape[1])])
    return (c, v, gains[c, v]) if gains[c, v] > 1e-6 and votes > majority else None


@pytest.mark.parametrize("gap", [0, 1])
def test_a_proposal_is_what_a_slow_count_makes_of_it(gap):
    bench = Bench(proposals=0, majority=0.5)
    passed = 0
    for seed in range(6):
        state, said, practice, *_ = founded(Bench(proposals=3 * (seed % 2)), jax.random.key(seed))
        key = jax.random.key(50 + seed)
        who = int(jax.random.uniform(key, (7,)).argmax())
        bench = Bench(gap=("keep", "ask")[gap])
        later = proposed(bench, key, practice, said, state.here)
        right = slow_proposal(practice, np.asarray(said, float), who, 0.5, gap)
        new = int(later.serial.max()) > int(practice.serial.max())
        assert new == (right is not None)
        if right:
            passed += 1
            place = int(later.serial.argmax())
            assert (int(later.which[place]), int(later.verdict[place])) == right[:2]
    assert passed or gap


def test_a_rule_for_which_just_the_share_is_does_not_pass():
    """Of six members half want all removed, and half, like a seventh who has left, all kept."""
    practice, here = STATE[2], jnp.arange(7) < 6
    key = next(k for k in map(jax.random.key, range(9)) if int(jax.random.uniform(k, (7,))[:6].argmax()) < 3)
    said = jnp.broadcast_to((jnp.arange(7) < 3).astype(jnp.float32), (POSTS, 7))
    passes = lambda **share: int(proposed(Bench(**share), key, practice, said, here).serial.max()) >= 0  # noqa: E731
    assert (passes(majority=0.5), passes(majority=0.49)) == (False, True)


def test_a_rule_that_is_passed_where_there_is_no_room_ends_the_oldest():
    """All want all removed, and six rules to keep stand, of which the second is the oldest."""
    full = practice_of([(0, 0, 0)] * 6)
    full = eqx.tree_at(lambda p: p.serial, full, jnp.asarray([2, 0, 1, 5, 4, 3], jnp.int32))
    later = proposed(Bench(), jax.random.key(0), full, jnp.ones((POSTS, 7)), jnp.ones(7, bool))
    assert later.serial.tolist() == [2, 6, 1, 5, 4, 3]
    assert later.verdict.tolist() == [0, 2, 0, 0, 0, 0]


practices = st.lists(st.tuples(st.integers(0, len(wide(MARKS)) - 1), st.integers(0, 2), st.integers(0, 9)), max_size=6)


def practice_of(some, precedents=None, time=5):
    rows = [*some, *[(-1, -1, -1)] * (6 - len(some))]
    serial = [k if k < len(some) else -1 for k in range(6)]
    which, verdict, since = (jnp.asarray(x, jnp.int32) for x in zip(*rows, strict=True))
    blank = np.full(POSTS, -1) if precedents is None else precedents
    return Practice(which, verdict, since, jnp.asarray(serial, jnp.int32), jnp.asarray(blank, jnp.int32),
                    jnp.asarray(time, jnp.int32))  # fmt: skip


@settings(max_examples=6)
@given(practices)
def test_the_law_says_of_every_post_what_the_bench_says_and_leaves_one_lawful_act(some):
    practice = practice_of(some)
    ruled, *_ = verdicts(Bench(), practice, STATE[1])
    system = statutes(practice, MARKS)
    for post, verdict in zip(bits(MARKS), np.maximum(np.asarray(ruled), 0), strict=True):
        assert lawful(system, post) == (aggregates.VERDICTS[verdict],)


@settings(max_examples=15)
@given(practices, st.lists(st.integers(-1, 2), min_size=POSTS, max_size=POSTS), st.integers(-1, 3), st.booleans(),
       st.booleans(), st.integers(0, 1))  # fmt: skip
def test_its_verdicts_are_those_of_a_slow_count(some, precedents, radius, rights, local, gap):
    practice, bench = practice_of(some, precedents), Bench(radius=radius, rights=rights, local=local, gap=gap)
    said = STATE[1]
    table, ruled = np.asarray(verdicts(bench, practice, said)[1]), slow_code(practice, 5)[0]
    votes = wanted(said)
    for x, post in enumerate(bits(MARKS)):
        near = [(apart(MARKS)[x, y], y) for y in range(POSTS) if precedents[y] >= 0]
        right = lower(votes[x]) if gap else 0
        if near and min(near)[0] <= radius:
            right = precedents[min(near)[1]]
        right = ruled[x] if ruled[x] >= 0 else right
        if local and post[-1]:
            right = lower(votes[x][PLACE.groups == PLACE.groups.max()])
        if rights and post[-3] and not post[1]:
            right = min(right, 1)
        assert int(table[x]) == right


STATE = founded(Bench(proposals=0), jax.random.key(8))


def test_a_panel_makes_a_precedent_once():
    bench = Bench(proposals=0, radius=0, panel=0)
    state, said, practice, *_ = founded(bench, jax.random.key(2))
    verdict, after = heard(bench, jax.random.key(0), practice, said, state.here, 9)
    assert int(verdict) == int(after.precedent[9]) == lower(wanted(said[9]))
    assert int((after.precedent >= 0).sum()) == 1
    alone = Bench(proposals=0, radius=0, panel=1)
    many = {int(heard(alone, jax.random.key(k), practice, said, state.here, 9)[0])
            for k in range(40)}  # fmt: skip
    assert many == set(wanted(said[9]).tolist())  # each member sits alone now and then
    again = heard(alone, jax.random.key(1), after, said, state.here, 9)[1]
    assert int(again.precedent[9]) == int(after.precedent[9])


def test_the_text_names_the_strongest_rule_for_each_verdict():
    one, both = 0, next(c for c in range(len(wide(MARKS))) if (classes(MARKS)[c] == bits(MARKS)[:, :2].all(1)).all())
    practice = practice_of([(one, 2, 0), (both, 0, 0), (1, 1, 9)])
    text = np.asarray(verdicts(Bench(rights=True), practice, STATE[1])[2])
    np.testing.assert_allclose(text[0b10000, :3], [0, 0, 1 / 8])  # the first of four to come, of one mark
    np.testing.assert_allclose(text[0b11000, :3], [(1 + 2 / 4) / 2, 0, 1 / 8])  # the third is not in force yet
    assert text[0b01000, :3].tolist() == [0, 0, 0]
    new = np.asarray(verdicts(Bench(), practice_of([(one, 2, 5)]), STATE[1])[2])
    np.testing.assert_allclose(new[0b10000, :3], [0, 0, 1 / 4])  # in force since this very step
    assert (text[:, 3] == protected(MARKS)).all()


# --- members ----------------------------------------------------------------------------------------------------------


def test_groups_chances_and_who_is_asked_what_by_hand():
    assert PLACE.groups.tolist() == [0, 0, 0, 1, 1, 1, 2]
    assert Moderation(members=10).groups.tolist() == [0] * 5 + [1] * 3 + [2] * 2
    often = np.asarray(PLACE.chances)
    np.testing.assert_allclose(often[[0b00000, 0b10000, 0b00111]], [0.7**5, 0.3 * 0.7**4, 0.3**3 * 0.7**2], rtol=1e-5)
    here = jnp.asarray([True, False, *[True] * 5])
    asked = PLACE.asked(eqx.tree_at(lambda s: s.here, STATE[0], here))
    assert np.flatnonzero(asked["verdict"]).tolist() == [0]
    assert np.flatnonzero(asked["appeal"]).tolist() == [1, 3, 4, 5, 6, 7]


def test_weights_are_drawn_as_said():
    """Marks weigh by `spread`, in every group anew; all posts have `mild` against removal, give or take a half."""
    states = [founded(Bench(proposals=0), key)[0] for key in jax.random.split(jax.random.key(5), 80)]
    weights, own = (np.stack([np.asarray(getattr(s, name)) for s in states]) for name in ("weights", "own"))
    assert weights[..., :-1].std() == pytest.approx(1.3, rel=0.1)  # 1200 draws
    assert abs(weights[..., :-1].mean()) < 0.15
    assert weights[..., -1].std() == pytest.approx(0.5, rel=0.2)  # 240 draws
    assert weights[..., -1].mean() == pytest.approx(-1, abs=0.15)
    assert own.std() == pytest.approx(0.4, rel=0.1)
    often = np.bincount([int(s.post).bit_count() for s in states], minlength=6) / 80
    assert often @ np.arange(6) == pytest.approx(5 * 0.3, abs=0.4)


def test_groups_change_their_minds_together_and_by_their_drift():
    """All posts without marks: what members wish moves by what their group's weight does."""
    wish = life(govern(PLACE.replace(often=0.0, drift=0.2), Bench(proposals=0)), 2).events["wish"][:, 1:]
    moves = np.diff(np.log(wish / (1 - wish)), axis=0)  # [steps - 1, members]
    for g in range(3):
        group = moves[:, PLACE.groups == g]
        np.testing.assert_allclose(group, np.broadcast_to(group[:, :1], group.shape), atol=1e-3)
    assert moves.std() == pytest.approx(0.2, rel=0.4)


def test_who_is_in_concert_appeals_by_what_it_says_and_agrees_by_what_it_wishes():
    for seed in range(3):
        outcome = life(govern(PLACE.replace(concert=0.4), Bench(proposals=0)), seed)
        verdict, said = outcome.events["verdict"][:, :1], outcome.events["wish"][:, 1:]
        near = outcome.reward[:, 1:] >= 0.75  # no verdict is nearer to the wish
        np.testing.assert_array_equal(outcome.events["agreed"][:, 1:], near)
        against = wanted(said) != verdict
        appealed = outcome.events["appealed"][:, 1:] == 1
        assert not (appealed & ~against).any()
        assert (appealed & near).any()  # it says otherwise than it wishes
        assert not outcome.events["agreed"][:, 0].any()
        assert not outcome.events["appealed"][:, 0].any()
        middle_ = [lower(votes) for votes in wanted(said)]
        value = np.asarray(felt(govern(PLACE, Bench(proposals=0)), outcome)["median"])
        np.testing.assert_array_equal(value, np.array(middle_) == verdict[:, 0])  # keep, said as 0, counts


def test_who_is_in_concert_says_one_end_and_is_of_the_smallest_group():
    place = PLACE.replace(concert=0.3)
    ends = set()
    for key in jax.random.split(jax.random.key(1), 6):
        state, said, _, _, true = jax.tree.map(np.asarray, founded(Bench(proposals=0), key, place))
        assert int(state.bloc.sum()) == 2
        assert not state.bloc[place.groups == 0].any()
        ours = state.bloc
        ends |= set(np.unique(said[:, ours]).tolist())
        assert (said[:, ours] == said[:, ours][:, :1]).all()
        assert (said[:, ours][:, 0] == (true[:, ours].mean(1) > true[:, ~ours].mean(1))).all()
        np.testing.assert_array_equal(said[:, ~ours], true[:, ~ours])
    assert ends == {0.0, 1.0}


def test_members_leave_who_are_content_too_rarely_and_then_get_nothing():
    still = life(OPEN, 3)
    assert not still.events["left"].any()
    leaving = life(govern(PLACE.replace(leave=0.6), Bench()), 3)
    left = leaving.events["left"]
    assert left.sum() > 0
    assert left.sum(0).max() == 1
    assert not left[:, 0].any()
    content, here = np.ones(7, np.float32), np.ones(7, bool)
    for agreed, gone in zip(leaving.events["agreed"][:, 1:], left[:, 1:], strict=True):
        content = 0.9 * content + 0.1 * agreed
        assert (gone == (here & (content < 0.6))).all()
        here &= gone == 0
    t, who = np.argwhere(left)[0]
    assert not leaving.reward[t + 1 :, who].any()
    assert (leaving.events["wish"][t + 1 :, who] == -1).all()


def test_appeals_bring_a_case_before_the_bench():
    quiet = govern(PLACE, Bench(audit=0.0, petition=1.0))
    outcome = life(quiet, 3)
    share = outcome.events["appealed"].sum(1) / 7
    assert (outcome.events["bench.decided"][:, 0] == (share >= 1)).all()
    loud = govern(PLACE, Bench(audit=0.0, petition=0.3))
    outcome = life(loud, 3)
    was = outcome.events["bench.decided"][:, 0]
    assert (was == (outcome.events["appealed"].sum(1) / 7 >= 0.3)).all()
    assert 0 < was.sum() < 30
    assert ((outcome.events["bench.decision"][:, 0] >= 0) == was).all()
    two = life(govern(PLACE.replace(there=2), Bench(audit=0.0, petition=0.5)), 3)  # of two one is just the half
    many = two.events["appealed"].sum(1)
    assert (many == 1).any()
    np.testing.assert_array_equal(two.events["bench.decided"][:, 0], many >= 1)


def test_who_hears_a_case_judges_by_the_precedent_that_it_makes_and_who_does_not_learns_nothing_of_it():
    """One member drawn by lot makes a precedent for a post and those alike; what stood before counts if none heard."""
    place = govern(PLACE.replace(often=0.15), Bench(proposals=0, radius=0, panel=1, audit=0.5, petition=1.0))
    made, again, missed = 0, 0, 0
    for seed in range(4):
        known, events = {}, life(place, seed).events
        names = ("post", "verdict", "bench.decided", "bench.decision", "bench.lawful", "bench.reversed")
        for post, verdict, heard_, decision, right, turned in zip(*(events[n][:, 0] for n in names), strict=True):
            if heard_:
                made, again = made + (post not in known and decision > 0), again + (post in known)
                assert decision == known.setdefault(post, decision)
            else:
                missed += post not in known
            stands = known.get(post, 0)
            assert (right, turned) == (verdict == stands, heard_ and verdict != stands)
    assert min(made, again, missed) > 3


def test_a_reversed_verdict_is_made_good_where_the_bench_binds():
    bound, free = lived(binds=True), lived()
    verdict, decision = bound.events["verdict"][:, 0], bound.events["bench.decision"][:, 0]
    np.testing.assert_array_equal(bound.reward, free.reward)
    assert (bound.transfer[verdict == decision] == 0).all()
    wish = bound.events["wish"][:, 1:]
    right = 1 - np.abs(aggregates.GRADES[decision][:, None] - wish)
    np.testing.assert_allclose((bound.reward + bound.transfer)[:, 1:], right, atol=1e-5)
    # those in concert get what they wish, not what they say: of keep 1 less the wish is had, of remove the wish
    outcome = life(govern(PLACE.replace(concert=0.4), Bench(**SAME, binds=True)), 3)
    plain = outcome.events["verdict"][:, 0] != 1
    verdict, decision = (outcome.events[e][plain, 0] for e in ("verdict", "bench.decision"))
    got = outcome.reward[plain, 1:]
    true = np.where(verdict[:, None] == 0, 1 - got, got)
    assert np.abs(true - outcome.events["wish"][plain, 1:])[verdict != decision].max() > 0.2
    right = 1 - np.abs(aggregates.GRADES[decision][:, None] - true)
    np.testing.assert_allclose(got + outcome.transfer[plain, 1:], right, atol=1e-5)


def test_noise_draws_any_verdict_and_what_is_lawful_is_without_it():
    """No rule: without noise all is kept."""
    outcome = life(govern(PLACE, Bench(proposals=0, noise=1.0)), 3)
    verdict, decision, lawful_ = (outcome.events[e][:, 0] for e in ("verdict", "bench.decision", "bench.lawful"))
    assert set(decision.tolist()) == {0, 1, 2}
    np.testing.assert_array_equal(lawful_, verdict == 0)


# --- objectives -------------------------------------------------------------------------------------------------------


WANTS = {"decisions": Decisions(), "principal": Individual(), "third": Individual(member=2)}
WANTS |= {rule: Aggregate(rule) for rule in aggregates.RULES}


@eqx.filter_jit
def felt(place, outcome):
    """[steps] what the moderator has of each verdict, by what it wants."""
    feel = lambda want: jax.vmap(lambda o: want.feel(jnp.zeros(place.agents), place, o)[1][0])(outcome)  # noqa: E731
    return {name: feel(want) for name, want in WANTS.items()}


def test_decisions_and_the_median_are_one_objective_where_all_are_asked_and_all_three_with_one_member():
    """Nothing is built in: take every rule away and ask all, and what is wanted is the same, bit for bit."""
    for there in (7, 1):
        place = govern(PLACE.replace(there=there), Bench(proposals=0, gap="ask"))
        value = jax.tree.map(np.asarray, felt(place, life(place, 4)))
        same = ["median", *(["principal", "plurality"] if there == 1 else [])]
        assert 0 < value["decisions"].sum() < STEPS
        for name in same:
            np.testing.assert_array_equal(value["decisions"], value[name])
        assert value["third"].any() == (there == 7)  # who left wants nothing
    alone = scores([0.3, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9], [True] + [False] * 6)
    del alone["consensus"]  # who approves of two verdicts leaves it a tie
    assert {score.argmax() for score in alone.values()} == {1}


def test_decisions_count_only_where_something_was_decided():
    place = govern(PLACE, Bench(audit=0.5, petition=1.0, proposals=10))
    outcome = life(place, 6)
    events, value = outcome.events, np.asarray(felt(place, outcome)["decisions"])
    was, right = events["bench.decided"][:, 0] == 1, events["bench.lawful"][:, 0] == 1
    assert 0 < was.sum() < STEPS
    np.testing.assert_array_equal(value, (was & right).astype(np.float32))


def test_objectives_differ_in_what_is_wanted_and_in_nothing_that_is_sensed():
    place, hidden = (govern(PLACE, Bench(proposals=10, public=public)) for public in (True, False))
    outcome, told = played(place, jax.random.key(4))
    values = [np.asarray(value) for name, value in felt(place, outcome).items() if name != "principal"]
    for i, one in enumerate(values):
        assert all((one != other).any() for other in values[i + 1 :])
    again, untold = played(hidden, jax.random.key(4))
    assert np.asarray(told.pop("bench.law")).any()
    assert not np.asarray(untold.pop("bench.law")).any()
    for one, other in zip(jax.tree.leaves((outcome, told)), jax.tree.leaves((again, untold)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_only_the_moderator_has_a_score_and_all_others_what_they_end_with():
    events = {"verdict": jnp.full(3, 2), "wish": jnp.asarray([-1.0, 0.9, 0.2]), "bench.decision": jnp.full(3, 2)}
    outcome = Outcome(jnp.asarray([0.0, 0.5, 0.25]), jnp.asarray([-0.25, 1.0, -1.0]), events, jnp.asarray(False))
    place = govern(Moderation(members=2, marks=3), Bench())
    for want, score in ((Decisions(weight=3.0, beside=2.0), 3 - 2 * 0.25), (Individual(), 1), (Individual(member=1), 0),
                        (Aggregate("plurality"), 0.5)):  # fmt: skip
        own = 2 if isinstance(want, Decisions) else 1
        np.testing.assert_allclose(want.feel(jnp.zeros(3), place, outcome)[1], [score, own * 1.5, own * -0.75])


def test_decisions_of_an_altar_are_its_violations():
    place = govern(Harvest(), Altar())
    one = jax.tree.map(lambda x: jnp.ones(x.shape, x.dtype), after(place))
    wants = Decisions(of="altar", weight=10.0, beside=0.5)
    _, utility = jax.jit(lambda o: wants.feel(jnp.zeros(place.agents), place, o))(one)
    np.testing.assert_allclose(utility, 0.5 * one.payoff - 10)


def after(place):
    """The shapes of an outcome."""
    acts = {head: jnp.zeros(place.agents, jnp.int32) for head in place.actions}
    return jax.eval_shape(lambda k: place.step(k, place.reset(k), acts)[1], jax.random.key(0))


def wanting(objective, place):
    return jax.eval_shape(lambda o: objective.feel(jnp.zeros(place.agents), place, o), after(place))


# two graded verdicts by prohibitions alone: the lower one still forbids what the higher leaves
FORBIDDING = read(canonical({"members": {"bench": "bench"}, "rules": [
    {"id": "founding", "kind": "recognition", "recognises": ["members"]},
    {"id": "bench", "kind": "adjudication", "source": "members", "holders": ["bench"], "order": ["rank"]},
    *({"id": f"rule {k}", "source": "members", "rank": k, "condition": {"marks": {"has": [f"mark {k}"]}, "act": acts}}
      for k, acts in ((1, ["keep", "label"]), (2, ["label", "remove"])))]}), "two rules")  # fmt: skip


def test_prohibitions_alone_leave_one_verdict_where_one_rule_speaks():
    assert lawful(FORBIDDING, bits(MARKS)[0b10000]) == ("remove",)
    assert lawful(FORBIDDING, bits(MARKS)[0]) == aggregates.VERDICTS
    govern(Moderation(), Bench(majority=1.0, proposals=0))


def test_an_objective_is_typed_with_its_options():
    player = proxied.given(PPO(), "decisions(of=altar, weight=10)")
    assert (player.objective.of, float(player.objective.weight)) == ("altar", 10.0)
    assert proxied.given(PPO(), "own - 2*sparse").objective.text == "own - 2*sparse"


@pytest.mark.parametrize(("do", "words"), [
    (lambda: wanting(Decisions(of="benhc"), OPEN), ("decisions.of is 'benhc'", "did you mean 'bench'")),
    (lambda: wanting(Decisions(), PLACE), ("decides nothing on forum", "nothing that governs it does")),
    (lambda: wanting(Individual(member=9), PLACE), ("individual.member is 9", "0 to 6")),
    (lambda: wanting(Aggregate(), Harvest()), ("harvest emits no 'verdict'", "moderation does")),
    (lambda: Aggregate("medain"), ("aggregate.rule is 'medain'", "'median'")),
    (lambda: Moderation(shares=(0.5, 0.4)), ("moderation.shares", "sum to 1")),
    (lambda: govern(Harvest(), Bench()), ("bench", "post")),
    (lambda: govern(Moderation(marks=2), Bench()), ("at least 3 marks", "is 2")),
    (lambda: govern(Moderation(), Bench(majority=1.0)), ("bench.majority is 1", "below 1")),
    (lambda: lawful(FORBIDDING, bits(MARKS)[0b11000]), ("no lawful verdict on a post with mark 1 and mark 2",)),
    (lambda: condition({"act": "remove", "marks": "insult"}), ("marks by 'is'", "has or lacks")),
    (lambda: condition({"kind": {"has": "insult"}}), ("kind by 'has'", "is, not")),
    (lambda: proxied.given(PPO(), "decisions(off=altar)"), ("off", "of")),
])  # fmt: skip
def test_what_is_wrong_is_said_in_a_sentence(do, words):
    with pytest.raises(Refusal) as refusal:
        do()
    assert all(word in str(refusal.value) for word in words), refusal.value


SMOKE = ("run", "compatibility", "--size", "smoke", "--set")


@pytest.mark.parametrize(("words", "sentence"), [
    (("compare", "moderation", "--under", "bench(majority=1)"), "more than all members can never gain"),
    (("compare", "moderation", "--under", "bench(gap=asks)"), "did you mean 'ask'"),
    (("compare", "moderation", "--under", "bench(quorum=1)"), "bench has no option 'quorum'"),
    (("compare", "moderation", "--under", "bench(petition=2)"), "bench.petition is 2"),
    (("compare", "harvest", "--under", "bench"), "bench needs 'post', which harvest does not offer"),
    (("compare", "moderation", "--objective", "aggregate(rule=medain)"), "did you mean 'median'"),
    (("compare", "moderation", "--who", "ppo(objective=decisons)"), "did you mean 'decisions'"),
    ((*SMOKE, 'bench={"majority": 1}'), "more than all members can never gain"),
    ((*SMOKE, 'bench={"majorty": 0.6}'), "bench has no option 'majorty'"),
    ((*SMOKE, "members=0"), "moderation.members is 0"),
])  # fmt: skip
def test_what_is_typed_wrong_ends_with_a_sentence_and_status_two(words, sentence, nomoi):
    status, _, err = nomoi(*words)
    assert (status, sentence in " ".join(err.split())) == (2, True), err


# --- the study --------------------------------------------------------------------------------------------------------


def test_marks_are_had_and_lacked():
    asked = condition({"marks": {"has": ["insult", "threat"], "lacks": "satire"}})
    assert asked.holds({"marks": frozenset({"insult", "threat", "health"})})
    assert not asked.holds({"marks": frozenset({"insult"})})
    assert not asked.holds({"marks": frozenset({"insult", "threat", "satire"})})
    assert condition(asked.data()) == asked


def test_kappa_takes_off_what_constants_bring():
    often = np.array([0.25, 0.25, 0.25, 0.25])
    one, other = np.array([0, 0, 2, 2]), np.array([0, 0, 2, 0])
    assert compatible.agreement(one, other, often) == 0.75
    assert compatible.kappa(one, other, often) == pytest.approx((0.75 - 0.5) / 0.5)
    assert compatible.kappa(np.zeros(4), np.zeros(4), often) == 1
    assert compatible.kappa(one, np.zeros(4), often) == 0


def test_one_learner_learns_the_same_of_decisions_and_of_the_median_where_all_are_asked():
    got = compatible.compared(jax.random.key(1), {"proposals": 0, "gap": "ask"}, 9, 2, True)
    assert got["median"] == pytest.approx(1)
    assert got["second founding"] == got["all but history"] == pytest.approx(1)
    assert got["decisions and median learn the same"] == 1
    assert got["decisions, 1000 seen"] > got["shuffled, 1000 seen"]
    assert got["worth to all: bench"] == got["worth to all: median"]


def test_where_one_member_is_left_all_who_aggregate_are_the_bench():
    got = compatible.compared(jax.random.key(4), {"proposals": 0, "gap": "ask"}, 9, 2, False, alone=True)
    for rule in ("principal", "mean", "plurality", "median", "borda", "worst"):
        assert got[rule] == pytest.approx(1)
        assert got[f"worth to all: {rule}"] == pytest.approx(got["worth to all: bench"])
    assert got["worth to all: bench"] > 0.75  # the nearest grade is never farther than a quarter
    assert got["worth to all: bench"] == pytest.approx(got["worth to the worst-off group: bench"])
    assert (got["rules passed"], got["ruled"]) == (0, 0)


def test_old_decisions_and_concert_are_measured():
    turned = amending.amended(jax.random.key(1), {}, 9, 2)
    assert 0 < turned["turned"] < 1
    assert turned["all history, 10 since"] == pytest.approx(1 - turned["turned"], abs=0.1)  # the rest is remembered
    assert turned["only since, 300 since"] > max(1 - turned["turned"], turned["all history, 300 since"])
    assert turned["all history, 300 since"] > turned["all history, 10 since"]
    none = amending.drifted(jax.random.key(1), {"gap": "ask", "majority": 0.9999}, 9, 2, 0.0)
    assert none["changed: bench"] == none["changed: median"] == 0
    still = amending.concerted(jax.random.key(1), {}, 9, 2, 0.3)
    assert still["moved: mean"] > 0
    assert still["gained: mean"] > 0


def test_members_move_between_looks_as_in_as_many_steps_and_rules_pass_at_every_second_look():
    place, bench = Moderation(members=9, drift=0.1), Bench(proposals=0)
    born, later = jax.random.split(jax.random.key(3))
    people, practice, _ = amending.begun(place, bench, born, born)
    tables, medians = map(np.asarray, amending._drifted(place, bench, people, practice, later))
    assert not tables[0].any()
    assert tables.any()
    changed = (tables[1:] != tables[:-1]).any(1)
    assert not changed[1::2].any()  # from look 1 to 2, 3 to 4
    weights, members = np.asarray(people.state.weights, float), np.asarray(people.state.own, float)[1:]
    for k, median in enumerate(medians):
        moving, _ = jax.random.split(jax.random.fold_in(later, k))
        weights = weights + 0.1 * 10**0.5 * np.asarray(jax.random.normal(moving, weights.shape))
        lean = bits(8) @ (weights[place.groups] + members)[:, :-1].T + (weights[place.groups] + members)[:, -1]
        right = np.sort(wanted(1 / (1 + np.exp(-lean))), 1)[:, 4]
        assert (median == right).mean() > 0.99


def test_changes_are_counted_in_the_second_half_alone(monkeypatch):
    looks = np.arange(20)
    early = np.where(looks < 10, looks % 2, 0)[:, None] * np.ones((1, 256), int)
    always = (looks % 2)[:, None] * np.ones((1, 256), int)
    monkeypatch.setattr(amending, "begun", lambda *_: (None, None, None))
    monkeypatch.setattr(amending, "_drifted", lambda *_: (early, always))
    got = amending.drifted(jax.random.key(1), {}, 9, 2, 0.1)
    right = {"changed: bench": 0, "changed: median": 1, "median with bench": 0.5}
    assert got == pytest.approx(right, abs=1e-6)


def test_what_a_concert_gains_is_worth_by_what_its_members_wish(monkeypatch):
    """One in concert wishes 0.75 and says 1; its verdicts are turned from keep to remove."""
    state, here = SimpleNamespace(bloc=np.array([True, False])), np.ones((256, 1))
    people = SimpleNamespace(state=state, wishes=here * [0.75, 0.0], said=here * [1.0, 0.0])
    spoken = lambda place, *_: (people, {"mean": np.full(256, 2 if place.concert > 0 else 0)})  # noqa: E731
    monkeypatch.setattr(amending, "_spoken", spoken)
    got = amending.concerted(jax.random.key(1), {}, 2, 1, 0.5)
    assert got == pytest.approx({"moved: mean": 1, "gained: mean": 0.5}, abs=1e-6)


def test_the_widest_rule_is_turned_to_keep_or_from_it():
    place, bench, turned = Moderation(members=9), Bench(), set()
    often = np.asarray(place.chances)
    for key in jax.random.split(jax.random.key(1), 8):
        people, practice, table = amending.begun(place, bench, key, key)
        before, later = np.asarray(table), np.asarray(amending._turned(place, bench, people, practice))
        other = before != later
        assert (later[other] == np.where(before[other] > 0, 0, 2)).all()
        turned |= set(later[other].tolist())
        rules_, reach = slow_widest(practice, often)
        assert (other == (rules_ == reach.argmax())).all() or not other.any()
    assert 0 in turned


def slow_widest(practice, often):
    """[posts] which rule speaks, -1 none; and how often each does, the first of equals."""
    p, rules_ = jax.tree.map(np.asarray, practice), np.full(256, -1)
    for x in range(256):
        over = [(wide(8)[p.which[r]], p.serial[r], r) for r in range(len(p.which))
                if p.serial[r] >= 0 and classes(8)[p.which[r], x]]  # fmt: skip
        rules_[x] = max(over)[2] if over else -1
    return rules_, np.array([often[rules_ == r].sum() for r in range(len(p.which))])


def test_a_reader_learns_texts_only_beside_their_own_decisions():
    rng, often = np.random.default_rng(0), np.full(8, 1 / 8)
    verdict = rng.integers(0, 3, (compatible.READ, 8))
    law = np.concatenate([np.eye(3)[verdict], np.zeros((compatible.READ, 8, 1))], 2)
    books = [compatible.Community(*[None] * 8)._replace(verdicts=v, law=x) for v, x in zip(verdict, law, strict=True)]
    own, other = (compatible._reader(books, 3, often, rng, swapped)[0] for swapped in (False, True))
    right = [((compatible._page(law[0]) @ reader).argmax(1) == verdict[0]).mean() for reader in (own, other)]
    assert right[0] == 1 > right[1]


def test_what_is_learned_of_decisions_wishes_and_texts_each_goes_under_its_name():
    """Verdicts at random over 64 posts, which the text tells; other people's are others, and the mean is never one."""
    rng, often = np.random.default_rng(1), np.full(64, 1 / 64)
    verdict = rng.integers(0, 3, (compatible.READ + 1, 64))
    law = np.concatenate([np.eye(3)[verdict], np.zeros((compatible.READ + 1, 64, 1))], 2)
    books = [compatible.Community(*[None] * 8)._replace(verdicts=v, law=x) for v, x in zip(verdict, law, strict=True)]
    readers = [compatible._reader(books[1:], 6, often, rng, swapped) for swapped in (False, True)]
    other, median = (verdict[0] + 1) % 3, np.where(np.arange(64) < 16, 0, verdict[0])
    score = {"mean": np.eye(3)[other], "median": np.eye(3)[median], "principal": np.eye(3)[other]}
    got = compatible._lessons(books[0]._replace(score=score, others=median), 6, often, rng, readers)
    same = np.mean(median == verdict[0])
    assert got["all but history"] == same
    assert got["text, none seen"] == 1 > max(got["text of others, none seen"], got["decisions of others, none seen"])
    assert got["decisions, 1000 seen"] > got["median, 1000 seen"] > got["mean, 1000 seen"]
    assert got["decisions, 1000 seen"] > 0.8 > 0.6 > got["shuffled, 1000 seen"]
    assert got["decisions and text, 100 seen"] > 0.95 > got["decisions, 100 seen"] > got["decisions, 10 seen"]
    assert max(got["mean and text, 1000 seen"], got["principal, 1000 seen"]) < 0.2
    assert got["decisions and median learn the same"] == 0


def test_posts_are_seen_and_read_as_often_as_they_come():
    """Of 64 posts 8 come.  What the text says of them is right; of the others it is always wrong."""
    rng, often = np.random.default_rng(3), np.where(np.arange(64) < 8, 1 / 8, 0.0)
    verdict = rng.integers(0, 3, (compatible.READ + 1, 64))
    says = np.where(often > 0, verdict, (verdict + 1) % 3)
    law = np.concatenate([np.eye(3)[says], np.zeros((compatible.READ + 1, 64, 1))], 2)
    books = [compatible.Community(*[None] * 8)._replace(verdicts=v, law=x) for v, x in zip(verdict, law, strict=True)]
    readers = [compatible._reader(books[1:], 6, often, rng, swapped) for swapped in (False, True)]
    score = dict.fromkeys(("mean", "median", "principal"), np.eye(3)[verdict[0]])
    got = compatible._lessons(books[0]._replace(score=score, others=verdict[0]), 6, often, rng, readers)
    assert got["text, none seen"] == 1
    assert got["decisions, 100 seen"] == 1
    assert got["decisions and median learn the same"] == 1
    # a ninth post on which the median is another comes once in a hundred: ten seen tell nothing of it, a thousand do
    often = np.r_[np.full(8, 0.99 / 8), 0.01, np.zeros(55)]
    score["median"] = np.eye(3)[np.where(np.arange(64) == 8, (verdict[0] + 1) % 3, verdict[0])]
    got = compatible._lessons(books[0]._replace(score=score, others=verdict[0]), 6, often, rng, readers)
    assert got["decisions, 10 seen"] == got["median, 10 seen"]
    assert got["decisions and median learn the same"] == 0


def test_strangers_have_read_other_communities_and_no_founding_is_another(monkeypatch):
    """Every community is of its own key; a text of its own stands first, and the swapped one second."""
    keys, swaps, readers = [], [], []
    data = lambda key: tuple(np.asarray(jax.random.key_data(key)).tolist())  # noqa: E731
    monkeypatch.setattr(compatible, "community", lambda place, bench, key, *_: keys.append(data(key)))
    monkeypatch.setattr(compatible, "_one", lambda *_: {"one": 1.0})
    monkeypatch.setattr(compatible, "_reader", lambda books, *_: swaps.append(_[-1]) or f"swapped {_[-1]}")
    monkeypatch.setattr(compatible, "_lessons", lambda *_: readers.append(_[-1]) or {"two": 2.0})
    got = compatible.compared(jax.random.key(1), {}, 9, 3, True)
    assert got == {"one": 1, "two": 2}
    assert len(set(keys)) == len(keys) == 3 + compatible.READ
    assert readers == [["swapped False", "swapped True"]] * 3

    keys.clear()
    table = np.zeros(256, int)
    practice, people = practice_of([]), compatible.Forum(None, None, np.zeros((256, 9)), {})
    monkeypatch.undo()
    monkeypatch.setattr(compatible, "_drawn", lambda place, key, here: keys.append(data(key)) or people)
    founded_ = lambda place, bench, state, said, key: keys.append(data(key)) or (practice, table)  # noqa: E731
    monkeypatch.setattr(compatible, "_founded", founded_)
    monkeypatch.setattr(compatible, "_written", lambda *_: (table > 0, np.zeros((256, 4))))
    compatible.community(Moderation(members=9), Bench(), jax.random.key(2), 4, 9)
    assert len(set(keys)) == len(keys) == 1 + 1 + 4


def test_a_mean_is_over_the_communities_where_it_is_defined():
    assert compatible._mean([1.0, np.nan, 4.0]) == 2.5
    assert np.isnan(compatible._mean([np.nan]))


def test_a_page_says_how_strong_each_rule_is_which_prevails_and_what_is_silent_or_barred():
    page = compatible._page(np.array([[0.2, 0.0, 0.7, 1.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]))
    assert page[0].tolist() == [1, 0.2, 0, 0.7, 0, 0, 1, 0, 1, 0, 0, 1, 0]
    assert page[1].tolist() == [1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    assert page[2].tolist() == [1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1]


def test_the_break_even_weight_of_procedure_by_hand():
    """One member who wants all kept: plurality does, the bench removes.  Equal at -0.5 + w = -0.5 + 1."""
    keep, remove = np.zeros(4, int), np.full(4, 2)
    c = compatible.Community(np.zeros((4, 1)), remove, remove, remove, {}, np.zeros((4, 4)), keep > 0, 0)
    got = compatible._brought(c, {"plurality": keep}, Moderation(members=1, marks=2), np.full(4, 1 / 4))
    assert (got["worth to all: plurality"], got["worth to all: bench"]) == (1, 0)
    assert got["break-even weight of procedure"] == pytest.approx(1, abs=0.02)
    sigma = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    assert got["accepted at no weight: bench less plurality"] == pytest.approx(sigma(-0.5) - sigma(0.5))


def test_what_is_shown_of_a_community_by_hand():
    """Four posts; two groups of one, who wish 0 and 1; the bench keeps, labels, removes, removes, the last by rule."""
    often, verdicts_ = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0, 1, 2, 2])
    median, mean = np.array([0, 0, 2, 0]), np.array([0, 1, 2, 0])
    score = {name: np.eye(3)[mean if name == "mean" else median] for name in compatible.SHOWN}
    wishes, ruled = np.tile([0.0, 1.0], (4, 1)), np.array([False, False, True, True])
    c = compatible.Community(wishes, verdicts_, median, median, score, np.zeros((4, 4)), ruled, 2)
    got = compatible._one(c, Moderation(members=2, marks=2, shares=(0.5, 0.5)), often)
    right = {
        "median": 0.6, "mean": 0.9, "constant": 0.4, "mean with median": 0.7, "second founding": 0.6,
        "rules passed": 2, "ruled": 0.3, "median, in gaps": 0.4 / 0.7, "median, under rules": 0.2 / 0.3,
        "kappa, median": (0.6 - (0.4 * 0.8 + 0.3 * 0.2)) / (1 - (0.4 * 0.8 + 0.3 * 0.2)),
        "worth to all: bench": 0.5, "worth to the worst-off group: bench": 0.3 / 2 + 0.3,
        "worth to the worst-off group: median": 0.2, "worth to all: median": 0.5,
    }  # fmt: skip
    assert {name: got[name] for name in right} == pytest.approx(right)


def test_the_learner_is_a_ridge_regression():
    rng = np.random.default_rng(2)
    x, score = rng.normal(size=(20, 4)), rng.random((20, 3))
    padded = np.concatenate([x, np.eye(4) * compatible.RIDGE**0.5])
    right = np.linalg.lstsq(padded, np.concatenate([score - 1 / 3, np.zeros((4, 3))]))[0]
    np.testing.assert_allclose(compatible.fitting(x)(score), right, atol=1e-9)


def test_a_community_counts_the_rules_that_stand():
    place, passed = Moderation(members=9), set()
    for key in jax.random.split(jax.random.key(2), 6):
        c = compatible.community(place, compatible.bench_of({"proposals": 1}, place), key, 0, 9)
        assert c.passed == int(c.ruled.any())
        passed.add(c.passed)
    assert 1 in passed


def test_an_effect_of_the_study_is_the_first_measure_less_the_second():
    results = SimpleNamespace(late=lambda label, measure: {"one": 5.0, "other": 2.0}[measure])
    assert compatibility.less("rules", "one", "other")(results) == 3


def test_who_speaks_of_acceptance_shows_the_weight_at_which_it_turns():
    claims = [c for c in compatibility.CLAIMS if "accept" in c.text]
    shown = [r.text for r in compatibility.READINGS]
    assert claims
    for condition_ in (compatibility.RULES, compatibility.FULL):
        for beside in compatibility.BESIDE:
            assert f"{condition_}: {beside}" in shown
    assert "break-even weight of procedure" in compatibility.BESIDE
