"""A legal system and its log, Fuller's eight, and a charter that governs."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import SITUATIONS, run

from nomoi.core import Outcome, describe, govern
from nomoi.errors import Refusal
from nomoi.institutions.altar import Altar
from nomoi.institutions.charter import Charter, code
from nomoi.institutions.sanction import Sanction
from nomoi.law.charters import load, read, write
from nomoi.law.fuller import EIGHT, Decision, agreement, fuller, reader
from nomoi.law.log import Entry
from nomoi.law.rules import VERDICTS, Rule, canonical, condition, rule
from nomoi.law.samples import SAMPLES, SECONDARY, charter
from nomoi.law.system import _passed, found, replay

PEOPLE = {"Ada": "citizen", "Ben": "citizen", "Cleo": "citizen", "Judge": "court"}
YES = dict.fromkeys(("Ada", "Ben", "Cleo"), True)


def primary(id, asks=None, source="assembly", **parts):
    return Rule(id, source=source, condition=condition(asks or {"act": "fish"}), **parts)


def system(*rules, acceptance=1.0):
    return found(PEOPLE, [rule(r) for r in SECONDARY] + list(rules), acceptance)


def verdict(s, time=None, **case):
    return s.adjudicate({"act": "fish"} | case, time).verdict


# --- conditions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asks", "case", "holds"),
    [
        ({}, {}, True),
        ({"act": "fish"}, {"act": "fish"}, True),
        ({"act": "fish"}, {"act": "hunt"}, False),
        ({"act": "fish"}, {}, False),
        ({"act": {"not": "fish"}}, {}, False),
        ({"act": ["fish", "hunt"]}, {"act": "hunt"}, True),
        ({"act": {"not": ["fish", "hunt"]}}, {"act": "sing"}, True),
        ({"amount": {"at least": 2}}, {"amount": 2}, True),
        ({"amount": {"at least": 2, "at most": 3}}, {"amount": 3.5}, False),
        ({"amount": {"at most": 3}}, {"amount": 3}, True),
        ({"amount": {"at least": 2}}, {"amount": "many"}, False),
        ({"act": "fish", "role": "guest"}, {"act": "fish", "role": "host"}, False),
    ],
)
def test_conditions(asks, case, holds):
    assert condition(asks).holds(case) is holds
    assert condition(condition(asks).data()) == condition(asks)


def test_a_condition_names_a_party_or_not():
    assert condition({"actor": "Ada"}).named
    assert condition({"target": {"not": "Ada"}}).named
    assert not condition({"role": "guest"}).named


# --- judging -------------------------------------------------------------------------------------------------


def test_the_higher_then_the_more_specific_then_the_later_rule_prevails():
    s = system(primary("all", source="founders"))
    assert verdict(s) == "forbidden"
    s = s.enact(primary("guests", {"act": "fish", "role": "guest"}, verdict="permitted"), "Ada", YES, 1)
    assert verdict(s, role="guest") == "permitted"  # lex specialis
    assert verdict(s, role="host") == "forbidden"
    s = s.enact(primary("never", rank=1), "Ada", YES, 2)
    assert verdict(s, role="guest") == "forbidden"  # lex superior
    s = s.enact(primary("again", rank=1, verdict="obligatory"), "Ada", YES, 3)
    assert verdict(s, role="guest") == "obligatory"  # lex posterior
    assert verdict(s, 2, role="guest") == "forbidden"  # but not before it was in force
    s = s.enact(primary("at once", rank=1), "Ada", YES, 3)
    judged = s.adjudicate({"act": "fish"})
    assert (judged.verdict, judged.flags) == ("contradiction", ("contradiction",))
    assert set(judged.cited) == {"again", "at once"}


def test_where_no_rule_applies_it_is_permitted_and_flagged():
    judged = system(primary("all", source="founders")).adjudicate({"act": "sing"})
    assert (judged.verdict, judged.flags, judged.rightful) == ("permitted", ("gap",), True)


def test_confidence_is_the_share_of_rules_that_agree():
    s = system(primary("a", source="founders"), primary("b", source="founders"),
               primary("c", source="founders", rank=1, verdict="permitted"))  # fmt: skip
    assert s.adjudicate({"act": "fish"}).confidence == pytest.approx(1 / 3)


def test_of_rules_that_are_level_and_do_not_forbid_the_duty_prevails():
    s = system(primary("may", source="founders", verdict="permitted"),
               primary("must", source="founders", verdict="obligatory"))  # fmt: skip
    judged = s.adjudicate({"act": "fish"})
    assert (judged.verdict, judged.confidence, judged.flags) == ("obligatory", 1, ())


def test_what_was_judged_then_is_judged_by_the_law_of_then():
    """A council is recognised from 5 on and not after 9: a court and a rule of its making count in between alone."""
    sub = Rule("council", "recognition", "founders", recognises=("council",), under="recognition", start=5, end=9)
    court = Rule("bench", "adjudication", "council", holders=("citizen",), start=5)
    s = system(sub, court, primary("all", source="founders"))
    s = s.enact(primary("no", source="council", start=0), "Ada", YES, 5).accept(1.0, 20)
    assert s.adjudicate({"act": "fish"}, 6, judge="Ada").verdict == "forbidden"
    for time in (4, 9, 20):
        with pytest.raises(Refusal, match="Ada has no standing"):
            s.adjudicate({"act": "fish"}, time, judge="Ada")
    assert [r.id for r in s.applying({"act": "fish"}, 2)] == ["all", "no"]  # it reaches back, and was law when made
    assert [r.id for r in s.applying({"act": "fish"}, 9)] == ["all"]


def test_only_who_has_standing_judges_and_the_canons_are_a_rule():
    s = system(primary("all", source="founders"))
    assert s.adjudicate({"act": "fish"}, judge="Judge").verdict == "forbidden"
    with pytest.raises(Refusal, match="Ada has no standing"):
        s.adjudicate({"act": "fish"}, judge="Ada")
    recent = [r | ({"order": ["recency", "rank"]} if r["id"] == "adjudication" else {}) for r in SECONDARY]
    t = found(PEOPLE, [*map(rule, recent), primary("high", rank=5, source="founders")])
    t = t.enact(primary("late", verdict="permitted"), "Ada", YES, 1)
    assert verdict(t) == "permitted"
    u = system(primary("high", rank=5, source="founders")).enact(primary("late", verdict="permitted"), "Ada", YES, 1)
    assert verdict(u) == "forbidden"


# --- change --------------------------------------------------------------------------------------------------


def test_who_has_no_power_or_has_not_the_votes_changes_nothing():
    s = system(primary("all", source="founders"))
    for attempt, sentence in (
        (lambda: s.enact(primary("x"), "Judge", YES, 1), "Judge .court. has no power to enact a primary rule"),
        (lambda: s.enact(primary("x"), "Zoe", YES, 1), "'Zoe' is no member"),
        (lambda: s.enact(primary("x"), "Ada", {"Ada": True}, 1), "has not passed: it needs 0.6 of the electorate"),
        (lambda: s.enact(primary("x"), "Ada", YES | {"Ben": False, "Cleo": False}, 1), "has not passed"),
        (lambda: s.enact(primary("x"), "Ada", YES | {"Judge": True} | dict.fromkeys(("Ben", "Cleo"), False), 1),
         "has not passed"),
        (lambda: s.enact(primary("x", source="king"), "Ada", YES, 1), "no rule of recognition counts .* 'king'"),
        (lambda: s.enact(primary("all"), "Ada", YES, 1), "has been a rule 'all' already"),
        (lambda: s.amend(primary("none"), "Ada", YES, 1), "no rule 'none' in force"),
        (lambda: s.enact(Rule("adj", "adjudication", "assembly"), "Ada", YES, 1), "no power to enact a adjudication"),
        (lambda: s.amend(Rule("recognition", "recognition"), "Ada", YES, 1), "accepted as a practice"),
        (lambda: s.amend(Rule("recognition", "recognition", under="recognition"), "Ada", YES, 1), "nobody may amend"),
        (lambda: s.enact(Rule("second", "recognition", "assembly"), "Ada", YES, 1), "nobody may enact the ultimate"),
        (lambda: s.repeal("recognition", "Ada", YES, 1), "nobody may repeal the ultimate rule"),
        (lambda: s.amend(Rule("change", "primary", "assembly"), "Ada", YES, 1), "cannot make it one of primary"),
        (lambda: s.enact(Rule("c2", "change", "assembly", start=0), "Ada", YES, 1), "only primary .*reach back"),
        (lambda: s.apply("found", 1, {"members": {}, "rules": [], "acceptance": 1}), "founded once"),
        (lambda: s.apply("enakt", 1, {}), "did you mean 'enact'"),
        (lambda: s.apply("enact", 1, {"rule": {}}), "to enact takes rule, actor, votes"),
        (lambda: s.accept(1.5, 1), r"number in \[0, 1\]"),
        (lambda: s.accept(1.0, 1).accept(1.0, 0), "time 0 is before the last entry"),
    ):  # fmt: skip
        with pytest.raises(Refusal, match=sentence):
            attempt()
        assert len(s.log) == 1


def test_an_amendment_ends_the_old_version_when_the_new_one_starts():
    s = system(primary("all", source="founders"))
    s = s.amend(primary("all", verdict="permitted", start=20), "Ada", YES, 10)
    assert [verdict(s, t) for t in (0, 10, 19, 20, 99)] == ["forbidden"] * 3 + ["permitted"] * 2
    s = s.amend(primary("all", {"act": "fish", "role": "guest"}, start=15), "Ben", YES, 12)  # before it ever came
    assert [verdict(s, t) for t in (14, 15, 20)] == ["forbidden", "permitted", "permitted"]
    assert verdict(s, 30, role="guest") == "forbidden"
    s = s.repeal("all", "Cleo", YES, 40)
    assert verdict(s, role="guest") == "permitted"
    assert verdict(s, 39, role="guest") == "forbidden"
    with pytest.raises(Refusal, match="no rule 'all' in force"):
        s.repeal("all", "Cleo", YES, 41)


def test_a_rule_that_ends_by_itself_ends_no_later_where_it_is_amended():
    s = system(primary("all", source="founders", end=10))
    s = s.amend(primary("all", verdict="obligatory", start=20), "Ada", YES, 5)
    assert [verdict(s, t) for t in (9, 10, 19, 20)] == ["forbidden", "permitted", "permitted", "obligatory"]


def test_a_rule_that_is_repealed_before_it_begins_is_gone():
    """It can be neither repealed nor amended again, and a power to change that never comes does not keep law open."""
    s = system(primary("all", source="founders"))
    s = s.enact(primary("new", start=20), "Ada", YES, 5).repeal("new", "Ada", YES, 7)
    assert verdict(s, 25) == "forbidden"
    for again in (lambda: s.repeal("new", "Ada", YES, 8), lambda: s.amend(primary("new"), "Ada", YES, 8)):
        with pytest.raises(Refusal, match="no rule 'new' in force"):
            again()
    later = dataclasses.replace(s.current("change"), id="later", source="assembly", start=20)
    s = s.enact(later, "Ada", YES, 8).repeal("later", "Ada", YES, 9).repeal("change", "Ada", YES, 10)
    assert s.flags == ("entrenched",)


def test_a_quorum_is_reached_by_just_that_share_and_a_majority_is_not():
    half = Rule("half", "change", holders=("citizen", "court"), quorum=0.5, majority=0.5)
    for votes, passed in (({"Ada": True}, False), ({"Ada": True, "Ben": True}, True), ({}, False),
                          ({"Ada": True, "Ben": False}, False), ({"Ada": True, "Ben": True, "Cleo": False}, True),
                          ({"Ada": True, "Ben": True, "Zoe": False, "Max": False}, True)):  # fmt: skip
        assert _passed(half, PEOPLE, votes) == passed, votes


def test_rules_of_change_change_themselves_and_without_any_the_system_is_locked():
    s = system(primary("all", source="founders"))
    assert s.flags == ()
    harder = dataclasses.replace(s.current("change"), majority=0.9, source="assembly", start=None, enacted_at=0)
    s = s.amend(harder, "Ada", YES, 5)
    with pytest.raises(Refusal, match=r"more than 0.9 of the votes"):
        s.repeal("all", "Ada", YES | {"Ben": False}, 6)
    s = s.repeal("change", "Ada", YES, 7)
    assert s.flags == ("entrenched",)
    with pytest.raises(Refusal, match="no power"):
        s.repeal("all", "Ada", YES, 8)
    assert system(acceptance=0.4).flags == ("not accepted",)
    assert system(acceptance=0.4).accept(0.5, 3).valid


def test_recognition_runs_to_one_ultimate_rule():
    sub = Rule("council", "recognition", "founders", recognises=("council",), under="recognition")
    s = system(sub, primary("all", source="council"))
    assert s.recognised(s.current("all"))
    assert not s.recognised(primary("foreign", source="founders"))  # not in the log
    for rules, sentence in (
        ([Rule("a", "recognition", "founders", under="b"), Rule("b", "recognition", "founders", under="a")], "circle"),
        ([Rule("a", "recognition", "founders", under="zzz")], "rests on 'zzz'"),
        ([Rule("a", "recognition", "founders")], "here there is 'recognition' and 'a'"),
        ([primary("x", source="nobody")], "'nobody', so 'x' is no law here"),
        ([primary("x", source="founders"), primary("x", source="founders")], "two rules have the id 'x'"),
    ):
        with pytest.raises(Refusal, match=sentence):
            system(*rules)
    with pytest.raises(Refusal, match="here there is none"):
        found(PEOPLE, [])


def test_who_rests_on_what_has_ended_makes_no_law():
    over = Rule("senate", "recognition", "founders", under="recognition", end=9)
    sub = Rule("council", "recognition", "founders", recognises=("council",), under="senate")
    s = system(over, sub, primary("all", source="council"))
    assert [len(s.applying({"act": "fish"}, t)) for t in (0, 8, 9)] == [1, 1, 0]
    decree = Rule("decree", "change", "council", grants=("enact",), over=("primary",), holders=("court",))
    t, alone = system(over, sub, decree), {"Judge": True}
    assert t.enact(primary("x"), "Judge", alone, 8).current("x").id == "x"
    with pytest.raises(Refusal, match=r"Judge .court. has no power to enact a primary rule"):
        t.enact(primary("x"), "Judge", alone, 9)


def test_an_amendment_cannot_close_a_circle_of_recognition():
    grants = Rule("over", "change", "founders", grants=("amend",), over=("recognition",), holders=("citizen",))
    one = Rule("one", "recognition", "founders", recognises=("x",), under="recognition")
    two = Rule("two", "recognition", "founders", recognises=("y",), under="one")
    s = system(grants, one, two)
    with pytest.raises(Refusal, match="run in a circle"):
        s.amend(dataclasses.replace(one, under="two", source="assembly"), "Ada", YES, 1)


# --- the log -------------------------------------------------------------------------------------------------

steps = st.lists(
    st.tuples(
        st.sampled_from(["enact", "amend", "repeal", "accept"]), st.sampled_from("abc"),
        st.sampled_from([*PEOPLE, "Zoe"]),
        st.dictionaries(st.sampled_from([*PEOPLE]), st.booleans()), st.integers(0, 5), st.integers(-3, 9),
        st.sampled_from(VERDICTS), st.sampled_from(["assembly", "king"]),
    ),
    max_size=12,
)  # fmt: skip


def lived(history):
    """A system that went through a history, as far as its rules allow; and how much of it was refused."""
    s, refused = system(primary("all", source="founders")), 0
    for what, id, actor, votes, wait, shift, word, source in history:
        time = s.time + wait
        new = primary(
            id, {"act": "fish", "amount": {"at least": shift}}, source, verdict=word, start=max(0, time + shift)
        )
        try:
            if what == "accept":
                s = s.accept(wait / 5, time)
            elif what == "repeal":
                s = s.repeal(id, actor, votes, time)
            else:
                s = getattr(s, what)(new, actor, votes, time)
        except Refusal:
            refused += 1
    return s, refused


@given(history=steps)
def test_replaying_the_log_gives_the_state_bit_for_bit(history):
    s, refused = lived(history)
    assert len(s.log) + refused == len(history) + 1  # what is refused is not logged
    again = read(write(s))
    assert again == s
    assert write(again) == write(s)
    assert replay(s.log) == s
    assert [e.time for e in s.log] == sorted(e.time for e in s.log)
    for k in range(1, len(s.log)):
        assert replay(s.log[:k]).log == s.log[:k]  # every beginning of it is a history too


@given(history=steps, at=st.integers(0, 30), data=st.data())
def test_a_log_that_was_changed_is_found_out(history, at, data):
    s, _ = lived(history)
    place = at % len(s.log)
    e = s.log[place]
    forged = data.draw(st.sampled_from([
        dataclasses.replace(e, content=e.content.replace("1", "2", 1) if "1" in e.content else e.content + " "),
        dataclasses.replace(e, time=e.time + 1), dataclasses.replace(e, number=e.number + 1),
        dataclasses.replace(e, before="f" * 64), dataclasses.replace(e, hash="0" * 64),
        dataclasses.replace(e, operation=e.operation[:-1]),
    ]))  # fmt: skip
    with pytest.raises(Refusal, match=f"entry {place} of the log does not fit|does not begin"):
        replay([*s.log[:place], forged, *s.log[place + 1 :]])
    if place + 1 < len(s.log):
        resealed = Entry.make(e.number, e.time, e.operation, json.loads(e.content) | {"extra": 1}, e.before)
        with pytest.raises(Refusal, match=r"does not fit|takes"):
            replay([*s.log[:place], resealed, *s.log[place + 1 :]])
        with pytest.raises(Refusal, match=r"does not fit|does not begin"):
            replay([*s.log[:place], *s.log[place + 1 :]])


@given(history=steps, time=st.integers(0, 60), amount=st.integers(-4, 10))
def test_judging_is_deterministic_and_later_law_leaves_the_past_alone_unless_it_reaches_back(history, time, amount):
    s, _ = lived(history)
    case = {"act": "fish", "amount": amount}
    assert s.adjudicate(case, time) == replay(s.log).adjudicate(case, time)
    later = s.enact(primary("new", rank=9, verdict="obligatory"), "Ada", YES, s.time + 1) if not s.flags else s
    if time <= s.time:
        assert later.adjudicate(case, time) == s.adjudicate(case, time)


WORDS = ["a", "founders", "primary", "enact"]
PARTS = ["members", "rules", "id", "kind", "time", "operation", "amendments", "condition"]
junk = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers(-5, 5) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(PARTS), inner, max_size=4),
    max_leaves=12,
)


@given(data=junk, name=st.sampled_from(["rules", "members", "amendments", "acceptance", ""]))
def test_malformed_charters_are_refused_in_one_sentence(data, name):
    whole = json.loads(canonical(SAMPLES["late"]))
    text = json.dumps(whole | {name: data} if name else data)
    try:
        said = read(text).log[0].operation + "."
    except Refusal as refusal:
        said = str(refusal)
    assert "\n" not in said
    assert said.endswith((".", "?"))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda d: d["rules"].append({"id": "x", "kind": "primry"}), "did you mean 'primary'"),
        (lambda d: d["rules"].append({"id": "x", "verdict": "bad"}), "has the verdict 'bad'"),
        (lambda d: d["rules"].append({"id": "x", "condition": {"akt": 1}}), "did you mean 'act'"),
        (lambda d: d["rules"].append({"id": "x", "condition": {"amount": {"least": 1}}}), "did you mean 'at least'"),
        (lambda d: d["rules"].append({"id": "x", "condition": {"amount": {"at least": "2"}}}), "one number is right"),
        (lambda d: d["rules"].append({"id": "x", "condition": "act == 'fish'"}), "something like"),
        (lambda d: d["rules"].append({"id": "x", "start": 5, "end": 3}), "ends at 3, before it starts at 5"),
        (lambda d: d["rules"].append({"id": "x", "rank": 1.5}), "rank is 1.5; a whole number"),
        (lambda d: d["rules"].append({"id": "x", "sanction": -1}), "sanction is -1"),
        (lambda d: d["rules"].append({"id": "x", "holders": ["a"]}), "which a primary rule has not"),
        (lambda d: d["rules"][1].update(majority=2), "share in .0, 1."),
        (lambda d: d["rules"][1].update(grants=["enakt"]), "did you mean 'enact'"),
        (lambda d: d["rules"].append({"verdict": "forbidden"}), "an object with an id"),
        (lambda d: d.update(memmbers={}), "did you mean 'members'"),
        (lambda d: d.update(members=["Ada"]), "a name and a role"),
        (lambda d: d["amendments"].append({"time": 60}), "an object with a time and an operation"),
        (lambda d: d["amendments"].append({"time": 60, "operation": "repeal", "id": "spare", "actor": "Judge",
                                           "votes": {}}), "no power to repeal"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_charter_is_said(spoil, sentence):
    data = json.loads(canonical(SAMPLES["late"]))
    spoil(data)
    with pytest.raises(Refusal, match=sentence):
        read(json.dumps(data))


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "nan.json").write_text('{"acceptance": NaN}')
    (tmp_path / "good.json").write_text(canonical(SAMPLES["late"]))
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "deep.json").write_text("[" * 9000)
    for name, sentence in (("bad.json", "is no JSON"), ("deep.json", "nested more than 100 times"),
                           ("nan.json", "has NaN"), ("none.json", "cannot be read"),
                           ("binary.json", "those of UTF-8")):  # fmt: skip
        with pytest.raises(Refusal, match=sentence):
            load(tmp_path / name)
    assert charter(str(tmp_path / "good.json")) == charter("late")
    kept = Charter(law=str(tmp_path / "good.json"))
    (tmp_path / "good.json").write_text(canonical(SAMPLES["thin"]))
    assert charter(kept.law) == charter("late")  # a file that changes later is another law
    assert describe(kept)["law"] == canonical(SAMPLES["late"])
    with pytest.raises(Refusal, match="did you mean 'late'"):
        charter("lat")


# --- Fuller --------------------------------------------------------------------------------------------------


def test_fullers_eight_are_one_for_a_law_that_is_law_and_each_can_fail():
    s = system(primary("all", source="founders"))
    whole = fuller(s, 10)
    assert {whole[name] for name in EIGHT} == {1.0}
    assert (whole["least"], whole["mean"]) == (1.0, 1.0)

    named = s.enact(primary("ada", {"act": "fish", "actor": "Ada"}), "Ben", YES, 1)
    assert fuller(named, 10)["generality"] == 0.5
    assert fuller(named, 10)["stability"] == pytest.approx(1 - 1 / 20)
    done = [Decision({"act": "fish"}, 3, True), Decision({"act": "fish"}, 3, False)]
    assert fuller(s, 10, done)["congruence"] == 0.5
    back = s.enact(primary("back", rank=1, start=0), "Ada", YES, 5)
    assert fuller(back, 10, done)["prospectivity"] == 0.0
    assert fuller(s.enact(primary("ahead", rank=1), "Ada", YES, 5), 10, done)["prospectivity"] == 1.0
    known = {"Ada": frozenset({"all"}), "Ben": frozenset({"all"})}
    assert fuller(s, 10, known=known)["promulgation"] == 0.5
    both = s.enact(primary("must", rank=1, verdict="obligatory"), "Ada", YES, 5)
    found_ = fuller(both, 10, cases=[{"act": "fish"}, {"act": "sing"}])
    assert found_["consistency"] == 0.5
    choices = [[{"act": "fish"}], [{"act": "fish"}, {"act": "sing"}]]
    assert fuller(s, 10, options=choices)["possibility"] == 0.5
    broken = fuller(back, 10, done)
    assert (broken["least"], broken["mean"]) == (0.0, 0.0)


def test_clarity_is_agreement_beyond_chance():
    assert agreement([[True, False, True], [True, False, True]]) == 1
    assert agreement([[True, False], [False, True]]) == 0  # floored
    assert agreement([[True, True], [True, True]]) == 1
    assert agreement([[True, True, False, False], [True, True, False, True]]) == pytest.approx(0.5)
    s = system(primary("some", {"act": "fish", "amount": {"at least": 20}}, source="founders"))
    cases, rng = [{"act": "fish", "amount": k} for k in range(40)], np.random.default_rng(0)
    clear = fuller(s, 1, readers=[reader(s, 0.0, rng) for _ in range(3)], cases=cases)["clarity"]
    murky = fuller(s, 1, readers=[reader(s, 0.3, rng) for _ in range(3)], cases=cases)["clarity"]
    assert clear == 1
    assert murky == pytest.approx((1 - 2 * 0.3) ** 2, abs=0.25)  # kappa of readers who flip, where half is forbidden


# --- a charter that governs ----------------------------------------------------------------------------------

HARVEST, POOL = SITUATIONS["harvest"], SITUATIONS["pool"]


def test_what_the_charter_forbids_is_a_violation_step_by_step():
    got = run(govern(HARVEST, Charter(law="thin")), 1)
    events = got.outcome.events
    np.testing.assert_array_equal(events["charter.violation"], events["sparse"])
    assert events["sparse"].sum() > 0


def test_amendments_take_effect_at_their_step_and_reach_back_to_nobody():
    def amended(step, start):
        data = json.loads(canonical(SAMPLES["late"]))
        data["amendments"][0]["time"] = step
        data["amendments"][0]["rule"]["start"] = start
        return json.dumps(data)

    for step, start, first in ((10, 10, 10), (10, 14, 14), (10, 3, 10)):
        since, table = code(charter(amended(step, start)), (), 1)
        forbidden = [bool(table[(since <= t).sum() - 1, 0, 0, 0]) for t in range(20)]
        assert forbidden == [t >= first for t in range(20)]
    events = run(govern(HARVEST, Charter(law=amended(10, 14))), 1).outcome.events
    np.testing.assert_array_equal(events["charter.violation"], events["sparse"] * (np.arange(26) >= 14)[:, None])
    assert events["sparse"][14:].sum() > 0
    assert events["sparse"][:14].sum() > 0


def test_an_amendment_binds_from_the_step_it_says_and_is_told_in_that_step():
    """All do the act at every step, so that a law a step early or late is seen."""
    data = json.loads(canonical(SAMPLES["late"]))
    data["amendments"][0]["time"] = 2
    data["amendments"][0]["rule"]["start"] = 4
    i, s, key = Charter(law=json.dumps(data)), POOL, jax.random.key(0)
    done = Outcome(jnp.zeros(3), jnp.zeros(3), {"sparse": jnp.ones(3)}, jnp.array(False))

    @jax.jit
    def settle(memory):
        told = i.inform(memory, s, s.reset(key), None, {})["law"]
        memory, _, out = i.settle(key, memory, s, s.reset(key), {}, {}, done)
        return memory, told, out.events["charter.violation"]

    memory = i.found(key, s, s.reset(key))
    for t in range(7):
        memory, told, violation = settle(memory)
        assert violation.tolist() == [float(t >= 4)] * 3
        assert told.tolist() == [[float(t >= 4)]] * 3


def test_kinds_and_persons():
    got = run(govern(HARVEST, Charter(law="red")), 1).outcome.events
    red = HARVEST.kinds.index("red")
    np.testing.assert_array_equal(got["charter.violation"], got["harvest"] * (got["kind"] != red))
    got = run(govern(HARVEST, Charter(law="named")), 1).outcome.events
    np.testing.assert_array_equal(got["charter.violation"][:, 1:], 0)
    np.testing.assert_array_equal(got["charter.violation"][:, 0], got["sparse"][:, 0])


def test_the_code_is_the_charters_own_judgment():
    s = charter("lapse")
    since, table = code(s, HARVEST.kinds, 4)
    assert since.tolist() == [0, 150]
    assert table[0].all()
    assert not table[1].any()
    for word in SAMPLES:
        since, table = code(charter(word), (), 3)
        assert table.shape == (len(since), table.shape[1], 1, 3)


def test_a_sanction_pays_for_what_the_charter_forbids():
    g = govern(HARVEST, Charter(span=50), Sanction(by="charter", exile=2))
    got = run(g, 1, move=7)
    events = got.outcome.events
    guilty = events["charter.violator"] > 0
    hits = (events["zap"] > 0) & guilty[:, None, :]
    assert hits.any()
    assert (events["sanction.correct"].sum(1) <= hits.any(1).sum(1)).all()
    assert events["sanction.correct"].sum() > 0
    marked = events["charter.marked"]
    struck = (events["zap"] > 0).any(1)
    assert not (marked[struck] > 0).any()  # a hit clears the mark


def test_marks_last_for_their_span():
    """Verdicts of one step: who did wrong is a violator for `span` steps after it, unless hit."""
    i, s, key = Charter(span=3), POOL, jax.random.key(0)

    @jax.jit
    def settle(memory, sparse):
        none = jnp.zeros(3)
        events = {"sparse": sparse, "kind": jnp.zeros(3, jnp.int32)}
        return i.settle(key, memory, s, s.reset(key), {}, {}, Outcome(none, none, events, jnp.array(False)))

    memory, carried = i.found(key, s, s.reset(key)), []
    for t in range(7):
        memory, _, out = settle(memory, jnp.zeros(3).at[1].set(1.0 if t == 1 else 0.0))
        carried.append(float(out.events["charter.violator"][1]))
    assert carried == [0, 1, 1, 1, 1, 0, 0]


def test_readers_err_as_often_as_said_and_the_law_is_public_or_not():
    g = govern(HARVEST, Charter(misreads=0.25))
    got = run(g, 1)
    reads = got.seen["charter.reads"][1:]
    truth = (got.outcome.events["charter.violation"] > 0)[:-1]
    others = np.stack([np.roll(truth, -k, axis=1) for k in range(1, 4)], -1)
    assert (reads != others).mean() == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / reads.size))
    exact = run(govern(HARVEST, Charter()), 1)
    truth = (exact.outcome.events["charter.violation"] > 0)[:-1]
    others = np.stack([np.roll(truth, -k, axis=1) for k in range(1, 4)], -1)
    np.testing.assert_array_equal(exact.seen["charter.reads"][1:], others)
    assert (exact.seen["charter.law"] == 1).all()
    assert not run(govern(HARVEST, Charter(public=False)), 1).seen["charter.law"].any()


def test_a_charter_can_stand_beside_an_altar_and_in_a_place_without_land():
    run(govern(HARVEST, Altar(), Charter(), Sanction(by="charter")), 0)
    got = run(govern(POOL, Charter()), 0).outcome.events
    np.testing.assert_array_equal(got["charter.violation"] > 0, got["sparse"] > 0)


@pytest.mark.parametrize(
    ("where", "law", "sentence"),
    [
        ("matrix", "thin", "charter needs 'sparse', which matrix does not offer"),
        ("harvest", "care", "charter needs 'breach', which harvest does not offer"),
        ("harvest", "nonsense", "no charter 'nonsense'"),
    ],
)
def test_a_charter_that_does_not_fit_is_refused(where, law, sentence):
    with pytest.raises(Refusal, match=sentence):
        govern(SITUATIONS[where], Charter(law=law))


def test_what_a_situation_does_not_tell_cannot_be_judged():
    base = json.loads(canonical(SAMPLES["thin"]))
    for asks, sentence in (
        ({"act": "sparse", "amount": {"at least": 2}}, "asks for the amount"),
        ({"kind": "red"}, "names no act"),
        ({"act": "kind"}, "a label and no act"),
    ):
        base["rules"][-1]["condition"] = asks
        with pytest.raises(Refusal, match=sentence):
            govern(HARVEST, Charter(law=json.dumps(base)))
    base["rules"] = base["rules"][:-1]
    with pytest.raises(Refusal, match="no primary rule"):
        govern(HARVEST, Charter(law=json.dumps(base)))


def test_the_sentence_counts_rules_and_amendments():
    assert Charter().sentence == "A charter of 1 primary rule says what is wrong."
    assert Charter(law="late").sentence == "A charter of 1 primary rule says what is wrong, amended 1 time."
