"""The lab among people: talk, presets to their end, and what a session leaves, without a browser."""

from __future__ import annotations

import asyncio
import csv
import errno
import io
import json
import random
import re
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest
from test_lab import MATRIX, Crowd

from nomoi.core.spec import spec
from nomoi.errors import Refusal
from nomoi.lab import plan, report, sheet
from nomoi.lab.bench import Bench
from nomoi.lab.chairs import Link
from nomoi.lab.diary import Diary
from nomoi.play.transcript import replay
from nomoi.play.words import choices
from nomoi.runs.session import Session
from nomoi.runs.shapes import plain
from nomoi.runs.store import Store
from nomoi.situations.pool import Pool


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("people"))


def say(crowd, i, words):
    return crowd.room.hear(i, json.dumps({"t": "say", "words": words}))


def session_of(bench, name):
    """(record, session) of a name; the record replays bit for bit."""
    record = bench.store.pick(name)
    told = report.session(record)
    table = replay(told.lived, told.situation)
    assert [line["digest"] for line in table.log] == [x["digest"] for x in told.lived.lines[:-1]]
    return record, told


# --- talk -----------------------------------------------------------------------------------------------------------

NASTY = '=cmd|"/c calc"!A1 <img src=x onerror=alert(1)> \u202edlrow\nnew line'
TAMED = '=cmd|"/c calc"!A1 <img src=x onerror=alert(1)> dlrow new line'


def test_people_talk_before_and_between_turns_and_all_of_it_is_kept_as_text(bench, monkeypatch):
    monkeypatch.setattr("nomoi.lab.gate.Meter.full", lambda self: False)

    async def session():
        crowd = Crowd(bench, MATRIX, talk="always", letters=80, talking=0)
        await crowd.begin("talking")
        room = crowd.room
        assert "not to what is asked" in room.hear(0, '{"t": "answer", "step": 0, "choices": {"contract.propose": 5}}')
        for wrong, sentence in (("x" * 81, "81 letters, and 80"), (" \n", "nothing in that"), (7, "nothing in that"),
                                (None, "nothing in that")):  # fmt: skip
            assert sentence in say(crowd, 0, wrong)
        assert say(crowd, 0, "x" * 80) == say(crowd, 1, NASTY) == ""
        await crowd.until(lambda: len(room.talk.said) == 2)
        kept = [json.loads(line) for line in crowd.diary.path.read_text().splitlines()]
        assert [line["said"]["words"] for line in kept if "said" in line] == ["x" * 80, TAMED]
        told = [one for m in crowd.told(0) if m["t"] == "said" for one in m["of"]]
        assert told == [{"seat": 1, "step": 0, "words": "x" * 80}, {"seat": 2, "step": 0, "words": TAMED}]
        room.hear(0, '{"t": "ready"}')
        await asyncio.sleep(0.05)
        assert room.phase == "talking"
        room.hear(1, '{"t": "ready"}')
        await crowd.until(lambda: room.phase == "playing")
        await crowd.answer(contract_propose=5)
        assert say(crowd, 1, "I sign") == say(crowd, 1, "now") == ""
        await crowd.answer(contract_sign=1)
        assert say(crowd, 0, "the last word") == ""
        await crowd.until(lambda: len(room.talk.said) == 5)
        room.hear(None, '{"t": "end"}')
        await crowd.until(crowd.task.done)
        assert "Nothing can be said" in say(crowd, 0, "too late")
        return crowd, room.record

    crowd, name = asyncio.run(session())
    record, one = session_of(bench, name)
    assert [x["step"] for x in one.terms["said"]] == [0, 0, 1, 1, 2]
    rows = list(csv.DictReader(io.StringIO(sheet.rows(one))))
    assert [(r["step"], r["seat"], json.loads(r["said"])) for r in rows if r["said"] != "[]"] == [
        ("1", "1", ["x" * 80]), ("1", "2", [TAMED]), ("2", "2", ["I sign", "now"]), ("3", "1", ["the last word"])
    ]  # fmt: skip
    assert not any(r["said"].startswith(("=", "+", "-", "@")) for r in rows)
    page = report.html(one, record, bench.store)
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
    again = Diary(crowd.diary.folder)
    assert sum("said" in line for line in again.resume()[3]) == 5
    again.close()


def test_a_text_that_cannot_be_kept_is_told_to_nobody_and_its_writer_hears_why(bench, monkeypatch):
    def full(diary, line):
        raise OSError(errno.ENOSPC, "")

    async def session():
        crowd = Crowd(bench, MATRIX, talk="before", talking=0)
        await crowd.begin("talking")
        with monkeypatch.context() as disk:
            disk.setattr(Diary, "_write", full)
            assert say(crowd, 0, "hello") == ""
            await crowd.until(lambda: not crowd.room._telling)
        heard = [[m["said"] for m in crowd.told(i) if m["t"] == "refused"] for i in (0, 1)]
        assert "(the disk is full); nobody was told" in heard[0][0]
        assert heard[1] == crowd.room.talk.said == []
        crowd.room.hear(None, '{"t": "end"}')
        await crowd.until(crowd.task.done)

    asyncio.run(session())


def test_without_a_word_in_the_room_nobody_talks_and_nothing_of_it_is_kept(bench):
    async def session():
        crowd = Crowd(bench, MATRIX)
        await crowd.begin()
        assert "Nothing can be said" in say(crowd, 0, "hello")
        await crowd.answer(contract_propose=0)
        crowd.room.hear(None, '{"t": "end"}')
        await crowd.until(crowd.task.done)
        return crowd.room.record

    one = session_of(bench, asyncio.run(session()))[1]
    assert "said" not in one.terms
    assert "said" not in sheet.rows(one).splitlines()[0]


def test_talk_before_play_ends_with_its_time_and_is_over_then(bench):
    async def session():
        crowd = Crowd(bench, MATRIX, talk="before", talking=0.3)
        await crowd.begin("talking")
        assert [say(crowd, 0, "hello") for _ in range(3)][2] == "That is too fast; two texts a second is the most."
        await crowd.until(lambda: crowd.room.phase == "playing")
        assert "Nothing can be said" in say(crowd, 1, "hello")
        crowd.room.hear(None, '{"t": "end"}')
        await crowd.until(crowd.task.done)
        alone = Crowd(bench, MATRIX, talk="before", talking=0, persons=0)  # scripts alone say nothing to each other
        alone.room.join(None, Link())
        await alone.begin()
        alone.room.hear(None, '{"t": "end"}')
        await alone.until(alone.task.done)

    asyncio.run(session())


def test_whoever_agrees_knows_that_words_are_kept():
    assert plan.TALKED in plan.Plan(talk="before").agreed
    assert plan.Plan().agreed == plan.CONSENT
    with pytest.raises(Refusal, match="talk cannot be 'yes'"):
        plan.of({"talk": "yes"}, "room.toml")


# --- who begins -------------------------------------------------------------------------------------------------


def test_a_host_begins_with_one_at_least_and_seats_that_nobody_took_are_not_waited_for(bench):
    async def session():
        setup = {"situation": "pool", "options": {"agents": "3", "most": "0.1"}, "stack": []}
        crowd = Crowd(bench, setup, persons=3, deadline=600)
        room, here = crowd.room, crowd.links[0]
        crowd.links, crowd.task = [None] * 3, asyncio.create_task(crowd.room.run())
        await crowd.until(lambda: room.phase == "waiting")
        assert room.hear(None, '{"t": "start"}').startswith("Nobody has come yet")
        crowd.links[0] = here
        room.join(0, here)
        room.hear(0, '{"t": "agree"}')
        assert room.hear(None, '{"t": "start"}') == ""
        await crowd.until(lambda: room.phase == "playing" and room.chairs[0].asked)
        while not crowd.task.done():
            await crowd.answer(request=0)
        return room.record

    record, told = session_of(bench, asyncio.run(session()))
    assert {tuple(row) for row in told.terms["by"]} == {("person", "script", "script")}
    lines = [line for line in told.lived.lines if "step" in line]
    amounts = [float(word) for word in choices(told.situation)["request"]]
    left, asked = sheet.again(told)
    assert len(left) == len(asked) == len(lines)
    assert sheet.chosen(told, asked, ("person",))["request"].tolist() == [0.0] * len(lines)
    scripts = [(amounts[x["answers"]["request"][1]] + amounts[x["answers"]["request"][2]]) / 2 for x in lines]
    np.testing.assert_allclose(sheet.chosen(told, asked, ("script", "late"))["request"], scripts)
    nothing = [[frozenset(), *row[1:]] for row in asked]  # an answer that nobody asked for is no choice
    assert np.isnan(sheet.chosen(told, nothing, ("person",))["request"]).all()
    assert report.seats_of(told) == ["person", "random", "random"]
    paid = np.sum([np.add(x["reward"], x["transfer"]) for x in lines], 0)
    html = report.html(told, record)
    rows = re.findall(
        r"<th scope=\"row\">(people|beside them: random) \((. seats?)\)</th><td>[^<]*</td><td[^>]*>([^<]*)", html
    )
    assert [row[:2] for row in rows] == [("people", "1 seat"), ("beside them: random", "2 seats")]
    found = [float(row[2].replace("\u2212", "-")) for row in rows]
    np.testing.assert_allclose(found, [paid[0], paid[1:].mean()], rtol=0.01)
    n = len(lines)
    assert f"{3 * n} answers were due there: {n} from people, {2 * n} from random where nobody sat." in html
    for line in ("request, people", "request, random"):
        assert f"{line}<" in html


# --- what a session's page says -------------------------------------------------------------------------------------


def sat(*by):
    """A session of three seats, two of them people's, as far as its page asks who answered."""
    terms = {"persons": 2, "by": by, "script": "random", "ended": ""}
    return Mock(spec=Session, situation=Pool(agents=3), terms=terms)


def test_a_seat_is_whose_answers_it_had():
    assert report.seats_of(sat(["late", "nobody"], ["late", "nobody"])) == ["random", report.NOBODY, "random"]
    assert report.seats_of(sat(["late", "late"], ["person", "late"])) == ["person", "random", "random"]


def test_only_what_was_asked_for_was_due():
    asked = [[frozenset({"vote"}), frozenset(), frozenset({"vote"})], [frozenset({"a"})] * 3]
    said = report._how(sat(["person", "person"], ["late", "nobody"]), 2, asked)
    assert said.endswith("3 answers were due there: 1 from people, 1 from random after the deadline, 1 from nobody.")


def test_how_long_an_answer_took_is_a_median_in_seconds():
    assert report._typical([1000, None, 9000, 2000]) == "2.0"
    assert report._typical([None]) == ""


def test_theory_and_learners_are_told_by_seat(bench):
    place = bench.shelf.build(bench.lessons[0]["setup"])  # a fishery of two, of whom a planner makes 3.187
    rows = {name: found.mean for name, _, found in report.beside(place)}
    assert (rows["the most there is"], rows["equilibrium"]) == pytest.approx((3.187 / 2, 2.948 / 2), abs=1e-3)
    options = {"situation": json.loads(json.dumps(spec(plain(place)))), "learner": {"class": "some:PPO"}}
    runs = [SimpleNamespace(kind="trained", spec={"trial": {"options": options | more}},
                            glance=lambda: (1, {"payoff": 3.0})) for more in ({}, {}, {"situation": {}})]  # fmt: skip
    (row,) = report.learned(Mock(spec=Store, sound=lambda whole: (runs, [])), place)
    assert (*row[:2], row[2].mean) == ("learners: PPO", "learners at all seats, 2 runs", 1.5)


def test_who_waits_is_told_what_is_compiled_and_what_only_computed(bench):
    said, place = [], bench.shelf.build(bench.lessons[0]["setup"])
    for who in ("one", "one", "other"):
        bench._does(place, who, "what follows")
        said.append(bench.doing)
    assert said == ["Compiling what follows", "Computing what follows", "Compiling what follows"]


# --- presets --------------------------------------------------------------------------------------------------------

SHORT = dict.fromkeys(("commons", "commons_talk"), ("situation.horizon=6", "situation.side=9"))  # the rest as it is


DAILY = ("class", "commons_talk", "fishery")  # many people, real time with talk, a contract; the others by name


@pytest.mark.parametrize("name", [n if n in DAILY else pytest.param(n, marks=pytest.mark.slow) for n in plan.presets()])
def test_each_preset_is_lived_to_its_end_and_replays_bit_for_bit(bench, name):
    one = plan.read(name)
    fast = {"pace": 20} if one.pace else {}
    draw = random.Random(1)

    async def session():
        crowd = Crowd(bench, None, **{**vars(one), "set": (*one.set, *SHORT.get(name, ()))} | fast)
        await crowd.begin("talking" if one.talk != "no" else "playing")
        room = crowd.room
        for i in range(one.persons):
            room.hear(i, '{"t": "ready"}')
        await crowd.until(lambda: room.phase == "playing")
        while not crowd.task.done():
            step = room.step
            for i, chair in enumerate(room.chairs):
                choices = {head: draw.randrange(room._heads[head]) for head in chair.asked}
                if choices:
                    assert room.hear(i, json.dumps({"t": "answer", "step": step, "choices": choices})) == ""
            await crowd.until(lambda step=step: room.step != step or crowd.task.done())
        assert room.said == "The session is over."
        return room.record

    record, told = session_of(bench, asyncio.run(session()))
    assert {by for row in told.terms["by"] for by in row} <= {"person", "", "nobody" if one.pace else ""}
    assert told.label == one.title
    if name == "class":  # amounts beside numbers, payoffs that add up, and the lake's own arithmetic
        sheets = list(csv.DictReader(io.StringIO(sheet.rows(told))))[:30]
        asked = sum(float(r["request.words"]) for r in sheets)
        assert [r["request"] for r in sheets] == [r["request.words"] for r in sheets] == [r["payoff"] for r in sheets]
        html = report.html(told, record)
        assert "at 30 of them a person answered at least once. 20 steps were lived, to the end." in html
        assert "What was left after each turn" in html
        assert sheet.chosen(told, sheet.again(told)[1], ("person",))["request"][0] == pytest.approx(asked / 30)
        left = 600 - asked
        assert float(sheets[0]["stock.fish"]) == pytest.approx(min(600, left + 0.8 * left * (1 - left / 600)), rel=1e-5)
    assert name != "class" or record.glance()[0] == 20  # who asks at random does not empty the lake
    assert len(list(csv.DictReader(io.StringIO(sheet.rows(told))))) == record.glance()[0] * told.situation.agents
