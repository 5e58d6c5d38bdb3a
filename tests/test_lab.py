"""The lab without a browser: plans, setups, rooms, diaries, the gate, and what a session leaves."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import errno
import io
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import jax
import numpy as np
import pytest

from nomoi import lab
from nomoi.core import govern
from nomoi.core.option import Option
from nomoi.errors import Refusal
from nomoi.institutions.contract import Contract
from nomoi.institutions.levy import Levy
from nomoi.lab import consequences, gate, plan, report, sheet, villages
from nomoi.lab.bench import Bench
from nomoi.lab.chairs import Chair, Link
from nomoi.lab.diary import Diary
from nomoi.lab.room import Room
from nomoi.lab.setup import Shelf, control, controls
from nomoi.learners.ppo import PPO
from nomoi.play.table import Table
from nomoi.play.transcript import replay
from nomoi.play.words import choices
from nomoi.report.comparison import film_of
from nomoi.runs import trained as minds
from nomoi.runs.make import make
from nomoi.runs.store import Store
from nomoi.runs.trained import Trained
from nomoi.situations.matrix import Matrix
from nomoi.situations.pool import Pool

OWN = """
import jax.numpy as jnp
from nomoi.core import Institution, setting

class Tithe(Institution):
    \"\"\"Everybody pays a share of what they earn into a fire.\"\"\"

    part: jnp.ndarray = setting(0.1, "the share that is burnt", "ours", "", 0, 1)

    def settle(self, key, memory, situation, state, tried, action, outcome):
        return memory, state, outcome.pay(-self.part * outcome.reward, self)
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("lab"))


# --- plans and setups -----------------------------------------------------------------------------------------------


def test_all_rooms_that_come_along_can_be_opened():
    assert plan.presets() == [
        "ballot",
        "class",
        "commons",
        "commons_talk",
        "contribution",
        "fishery",
        "irrigation",
    ]
    for name in plan.presets():
        one = plan.read(name)
        place = Shelf().typed(one.situation, one.under, one.set, one.map or None)
        assert one.persons <= place.agents
        assert one.about
        assert one.title


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"leaves": "sit"}, "leaves cannot be 'sit'"),
        ({"persons": True}, "gives True for persons"),
        ({"persons": 61}, "a number from 0 to 60"),
        ({"deadlin": 3}, "did you mean 'deadline'"),
        ({"set": "a=1"}, "something like"),
        ({"pace": 0.5}, "gives 0.5 for pace"),
    ],
)
def test_plans_that_are_wrong_are_refused_in_a_sentence(told, said):
    with pytest.raises(Refusal, match=said):
        plan.of(told, "room.toml")


def test_a_plan_says_which_file_is_wrong_and_a_room_without_a_situation_is_refused(bench):
    with pytest.raises(Refusal, match=r"room.toml: persons cannot be 99"):
        plan.of({"persons": 99}, "room.toml")
    for nothing in ({}, {"situation": ""}):
        with pytest.raises(Refusal, match="no situation called ''"):
            bench.fits(plan.of(nothing, "room.toml"))


def test_one_room_is_not_lived_in_two_labs(tmp_path):
    one = Diary(tmp_path)
    one.begin(plan.Plan(), {}, {"seats": []})
    with pytest.raises(Refusal, match="lived in another lab"):
        Diary(tmp_path).resume()
    one.close()


PLAN = {"situation": "matrix", "persons": 2}
ROOM, KEYS = {"plan": PLAN, "setup": None}, {"seats": ["a", "b"], "door": "abcdef"}
HEAD = {"transcript": 1, "situation": {"class": "", "options": {}}, "own": {}, "agents": 2, "actions": {"choose": 2},
        "seed": 0, "key": None, "versions": {}}  # fmt: skip
FIRST = {"diary": 1, **ROOM, "setup": {"situation": "matrix"}, "head": HEAD}
EPISODE = {"turn": {"episode": 1, "digest": "0" * 16}, "ms": [], "by": []}
STEP = {"turn": {"step": 1, "answers": {"choose": [0, 1]}, "reward": [0.5, 1], "transfer": [0, 0], "done": False,
                 "digest": "1" * 16}, "ms": [7, None], "by": ["person", "late"]}  # fmt: skip
SAID = {"said": {"step": 1, "seat": 1, "words": "x", "ms": 3}}
DEEP = b"[" * 100000


def room_of(folder, room=ROOM, keys=KEYS, diary=None):
    """A room on disk; bytes are written as they are, data as JSON, a list as lines of it."""
    folder.mkdir()
    for name, told in (("room.json", room), ("keys.json", keys), ("diary.jsonl", diary)):
        if isinstance(told, list):
            told = b"".join(x if isinstance(x, bytes) else json.dumps(x).encode() + b"\n" for x in told)
        if told is not None:
            (folder / name).write_bytes(told if isinstance(told, bytes) else json.dumps(told).encode())
    return Diary(folder)


@pytest.mark.parametrize(
    ("file", "told", "said"),
    [
        *(("room", x, r"1/room\.json is no JSON object") for x in (b"", b'{"plan": {', b"\xff", b"null", b"[]")),
        ("room", DEEP, r"1/room\.json is nested more"),
        *(("room", {**ROOM, "plan": x}, r"1/room\.json has no plan") for x in ([], None, "x")),
        ("room", {**ROOM, "plan": {"new": 1}}, r"1/room\.json has 'new'"),
        *(("room", {**ROOM, "setup": x}, r"1/room\.json has no setup")
          for x in (5, [1], {}, {"situation": 5}, {"situation": "pool", "stack": {}})),
        ("room", {"plan": PLAN}, r"1/room\.json has no setup"),
        ("room", None, r"1/diary\.jsonl cannot be read .*--resume ROOM"),
        ("keys", None, r"1/keys\.json cannot be read \(No such file"),
        *(("keys", x, r"1/keys\.json is no JSON object") for x in (b"", b"null", b"5")),
        ("keys", DEEP, r"1/keys\.json is nested more"),
        *(("keys", {**KEYS, "seats": x}, r"1/keys\.json does not have 2 different tokens")
          for x in (None, "ab", ["a"], ["a", "a"], ["", "b"], [1, 2], ["a", "b", "c"], ["a", "b", "b"], ["a;", "b"],
                    ["a\n", "b"])),
        *(("keys", {**KEYS, "door": x}, r"1/keys\.json does not have a door's code")
          for x in (None, 5, [], "", "ABCDEF", "\u00fc/#?aa", "abc", list("abcdef"))),
        ("diary", [{**FIRST, "diary": 2}], r"1/diary\.jsonl is a diary of format 2, and 1 is"),
        ("diary", [{}], r"line 1 of .*1/diary\.jsonl does not begin"),
        *(("diary", [x, b"\n"], r"line 1 of .*1/diary\.jsonl is no JSON object")
          for x in (b"[]", b"\0\0", b"5", b"\xff")),
        ("diary", [DEEP, b"\n"], r"line 1 of .*1/diary\.jsonl is nested more"),
        *(("diary", [{**FIRST, "plan": x}], r"1/diary\.jsonl has no plan") for x in ([], None)),
        ("diary", [{**FIRST, "setup": 5}], r"1/diary\.jsonl has no setup"),
        *(("diary", [{**FIRST, "head": x}, EPISODE], r"transcript in .*1/diary\.jsonl")
          for x in (5, None, {}, {k: v for k, v in HEAD.items() if k != "situation"})),
        ("diary", [FIRST, b"\n", 5], r"line 3 of .*1/diary\.jsonl is no JSON object"),
        ("diary", [FIRST, {"turn": 5, "ms": [], "by": []}], r"line 2 of .*1/diary\.jsonl is neither"),
        ("diary", [FIRST, {"turn": {}, "ms": [], "by": []}], r"transcript in .*1/diary\.jsonl"),
        ("diary", [FIRST, SAID], r"1/diary\.jsonl has no turn"),
        *(("diary", [FIRST, EPISODE, {"said": {**SAID["said"], **x}}], r"line 3 of .*1/diary\.jsonl does not say who")
          for x in ({"step": "1"}, {"seat": 2}, {"seat": -1}, {"words": None}, {"ms": None})),
        *(("diary", [FIRST, EPISODE, {**STEP, "ms": x}], r"line 3 of .*1/diary\.jsonl does not have 2 times")
          for x in (None, [], [7], [7, "8"], 7)),
        *(("diary", [FIRST, EPISODE, {**STEP, "by": x}], r"line 3 of .*1/diary\.jsonl does not have 2 words")
          for x in (None, ["person"], ["person", None])),
        ("diary", [FIRST, EPISODE, {**STEP, "turn": {**STEP["turn"], "reward": [1]}}], r"in .*1/diary\.jsonl has the"),
        ("diary", [FIRST, EPISODE, STEP, {"over": "0a1b"}], "the room 1 is over; its record is 0a1b"),
        ("diary", [FIRST, EPISODE, {"over": "../x"}], "line 3 of .*1/diary\\.jsonl names no record"),
        ("diary", [FIRST, EPISODE, {"over": ""}], "the room 1 is over; nothing was played"),
    ],
)  # fmt: skip
def test_a_damaged_room_is_refused_in_a_sentence_that_names_its_file(tmp_path, file, told, said):
    diary = room_of(tmp_path / "1", **{file: told})
    for _ in range(2):  # who was refused holds nothing, and has changed nothing
        with pytest.raises(Refusal, match=said) as refused:
            diary.keys(diary.resume()[0].persons)
        diary.close()
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("cut", [b"", b"\n", json.dumps(FIRST).encode()[:90], json.dumps(FIRST).encode() + b"\n"])
def test_a_session_whose_first_lines_were_cut_short_had_not_begun(tmp_path, cut):
    diary = room_of(tmp_path / "1", diary=cut)
    there, setup, *played = diary.resume()
    assert (there, setup) == (plan.Plan(**PLAN), FIRST["setup"] if cut.endswith(b"}\n") else None)
    assert played == [None, []]
    assert diary.keys(2) == (["a", "b"], "abcdef")
    diary.begin(there, {}, {})
    diary.close()


def test_blank_lines_between_turns_are_passed_over(tmp_path):
    diary = room_of(tmp_path / "1", diary=[FIRST, b"\n", EPISODE, b" \n\n", SAID, STEP, b"\n", b'{"turn"'])
    _, _, played, lines = diary.resume()
    assert (played.lines, lines) == ((EPISODE["turn"], STEP["turn"]), [EPISODE, SAID, STEP])
    diary.add(EPISODE["turn"], [], [])
    diary.close()
    assert json.loads(diary.path.read_text().splitlines()[-1]) == EPISODE
    with pytest.raises(Refusal, match=r"2/diary.jsonl has a setup that cannot be built \(ZeroDivisionError"):
        room_of(tmp_path / "2", diary=[FIRST, EPISODE]).resume(lambda *room: 1 / 0)
    assert diary.over("0a1b-2") == "0a1b-2"
    with pytest.raises(Refusal, match="the room 1 is over; its record is 0a1b-2"):
        diary.resume()


def test_a_room_for_which_the_disk_has_no_place_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(told, file):
        file.write("{")
        if "seats" in told:
            raise OSError(errno.ENOSPC, "")

    diary = Diary(tmp_path / "rooms" / "1")
    monkeypatch.setattr("nomoi.lab.diary.json.dump", full)
    with pytest.raises(Refusal, match=r"rooms/1/keys\.json cannot be written \(the disk is full\)"):
        diary.opened(plan.Plan(), None, ["a"], "abcdef")
    assert list((tmp_path / "rooms").iterdir()) == []


def test_one_person_alone_is_waited_for_and_several_have_twenty_seconds():
    assert plan.Plan(persons=1).waits == 0
    assert plan.Plan(persons=2).waits == 20
    assert plan.Plan(persons=2, deadline=0).waits == 0
    assert plan.Plan(pace=500).waits == 0.5


def test_a_setup_is_the_situation_again():
    shelf = Shelf()
    place = shelf.typed("pool", "levy(on=request,rate=0.25)+contract(on=request,to=doer)", ["situation.agents=3"])
    setup = json.loads(json.dumps(shelf.setup(place)))
    assert setup["options"] == {"agents": "3"}
    assert setup["stack"][0]["options"] == {"on": "request", "rate": "0.25"}
    again = shelf.build(setup)
    assert jax.tree.structure(again) == jax.tree.structure(place)
    assert all(np.array_equal(a, b) for a, b in zip(jax.tree.leaves(again), jax.tree.leaves(place), strict=True))


@pytest.mark.parametrize("word", ["/etc/passwd", "x.py:Y", "a:b", "..", 3, None, "harvst"])
def test_a_page_can_name_no_file(word):
    with pytest.raises(Refusal):
        Shelf().build({"situation": word, "options": {}, "stack": []})


@pytest.mark.parametrize("preset", [3, ["small"], {"small": 1}, True])
def test_a_preset_is_a_name(preset):
    with pytest.raises(Refusal, match="a preset is given by its name"):
        Shelf().build({"situation": "pool", "preset": preset})


def test_no_option_of_a_page_reads_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_text("WWW\nWPA\n")
    for value in ("/etc/hostname", "secret", "..\\x"):
        for setup in ({"situation": "harvest", "options": {"map": value}},
                      {"situation": "harvest", "stack": [
                          {"institution": "charter", "options": {"law": value}}]}):  # fmt: skip
            with pytest.raises(Refusal, match="command line"):
                Shelf().build(setup)


def test_each_option_gets_its_control():
    found = {c["name"]: c for c in controls(Contract())}
    assert found["to"]["form"] == "radio"
    assert found["to"]["values"] == ["others", "whom", "doer"]
    assert found["null"]["form"] == "slider"
    assert (found["null"]["low"], found["null"]["high"]) == (0, 1)
    assert found["high"]["form"] == "slider"  # its end is open: three times the default, or as far as the value needs
    assert [found["high"][k] for k in ("from", "to", "step", "low", "high")] == [0, 30, 0.1, 0, None]
    assert not found["high"]["anew"]
    assert found["levels"]["anew"]
    assert found["on"]["form"] == "text"
    assert found["in_force"]["form"] == "check"
    regrowth = {c["name"]: c for c in controls(Pool())}["growth"]
    assert regrowth["value"] == "0.8" == regrowth["default"]
    levy = {c["name"]: c for c in controls(Levy(rate=9.5))}["rate"]  # open at both ends
    assert [levy[k] for k in ("from", "to", "low", "high")] == [0, 9.5, None, None]
    fee = control("fee", Option("setting", 0.0, "", low=0), "0.0")
    assert [fee[k] for k in ("from", "to", "step")] == [0, 1, 0.01]
    spell = control("spell", Option("setting", 1, "", low=0, whole=True), "1")
    assert [spell[k] for k in ("from", "to", "step")] == [0, 3, 1]


# --- consequences ---------------------------------------------------------------------------------------------------


def test_a_moved_slider_compiles_nothing(bench):
    counted = []
    jax.monitoring.register_event_duration_secs_listener(lambda e, _, **more: counted.append(e))
    setup = {"situation": "pool", "options": {"horizon": "12"}, "stack": [
        {"institution": "levy", "options": {"on": "request", "rate": "0.5"}}]}  # fmt: skip
    first = bench.follow({"setup": setup})
    bench.follow({"setup": setup})
    counted.clear()
    rows = []
    for rate in ("0.7", "0.9"):
        setup["stack"][0]["options"]["rate"] = rate
        rows.append({row[0]: row[1] for row in bench.follow({"setup": setup})["rows"]})
    assert not [e for e in counted if "compile" in e]
    assert "16 worlds" in first["how"]
    assert "Not solved exactly" in first["said"][1]
    assert first["without"]["harvest"] == rows[0]["harvest"] == rows[1]["harvest"]  # random people mind no price,
    assert "random) never learns" in first["said"][0]  # and the page says so
    levied = [float(r["levied"]) for r in rows]
    assert levied[1] / levied[0] == pytest.approx(9 / 7, rel=0.01)


def test_what_is_not_solved_says_why_and_a_preset_keeps_its_name(bench):
    stack = [{"institution": "altar", "options": {}}]
    found = bench.follow({"setup": {"situation": "pool", "preset": "small", "options": {}, "stack": stack}})
    assert any("because altar leaves to chance" in said for said in found["said"])
    told = bench.shelf.setup(bench.shelf.build({"situation": "pool", "preset": "small", "options": {}, "stack": []}))
    assert (told["preset"], told["options"]) == ("small", {})


def test_a_small_fishery_is_solved_and_a_levy_mends_it(bench):
    stack = [{"institution": "levy", "options": {"on": "request", "rate": "0.75", "proceeds": "shared"}}]
    first = {"situation": "pool", "preset": "small", "options": {}, "stack": stack}
    assert first == bench.build({})["setup"]  # which is what a newcomer sees
    assert not any(bench.build({"setup": lesson["setup"]})["refused"] for lesson in bench.lessons)
    found = bench.follow({"setup": first})
    assert found["how"] == "solved exactly"
    rows = {row[0]: row[1] for row in found["rows"]}
    assert (rows["welfare"], found["without"]["welfare"], rows["the most"]) == ("2.95", "1.00", "3.19")
    other = bench.follow(
        {"setup": {"situation": "pool", "preset": "small", "options": {"growth": "0.2"}, "stack": stack}}
    )
    assert other["without"]["the most"] != found["without"]["the most"]  # it is that of what stands there now
    game = next(x["setup"] for x in bench.lessons if x["setup"]["situation"] == "matrix")
    assert any(x.startswith("Without any rule: ") for x in bench.follow({"setup": game})["said"])
    assert found["said"][0] == "Step 1, most probably: agent 0: request 0; agent 1: request 0.5."  # amounts, no indices
    assert found["sentences"] == found["rules"]


def test_villagers_react_to_a_levy_to_which_random_people_do_not():
    def stock(rate):
        place = govern(Pool(agents=8, most=0.1, horizon=30), Levy(on="request", rate=rate))
        found = consequences.follow(place, villages.settled(place), exact=False)
        assert "villagers who had 300 steps to adapt" in found["how"]
        return {row[0]: float(row[1]) for row in found["rows"]}["stock"]

    assert stock(3.0) > 1.2 * stock(0.0)


def test_whoever_changes_the_situation_keeps_the_stack(bench):
    stack = [{"institution": "levy", "options": {"on": "request"}}, {"institution": "gift", "options": {}}]
    fishery = bench.build({"setup": {"situation": "pool", "options": {}, "stack": stack}})
    assert fishery["script"][0] == "villagers"
    land = bench.build({"setup": {"situation": "harvest", "options": {}, "stack": stack}})
    assert "villagers" not in land["script"]
    assert [part["refused"] for part in land["stack"]] == [
        land["refused"],
        "",
    ]  # each for itself
    assert land["setup"]["stack"] == stack


def test_what_can_be_added_fits_with_the_options_that_are_given_along(bench):
    """What a sanction needs is what an altar before it brings; a fine is on an event that the fishery has."""
    setup = {"situation": "pool", "options": {}, "stack": []}
    fits = bench.build({"setup": setup})["fits"]
    assert fits["levy"] == {}
    assert fits["fine"] == {"on": "harvest"}
    assert "sanction" not in fits
    for name, given in fits.items():
        stack = [{"institution": name, "options": given}]
        assert not bench.build({"setup": setup | {"stack": stack}})["refused"], name
    land = {"situation": "harvest", "options": {}, "stack": [{"institution": "altar", "options": {}}]}
    assert "sanction" in bench.build({"setup": land})["fits"]
    assert "sanction" not in bench.build({"setup": land | {"stack": []}})["fits"]


def test_nothing_has_no_sign():
    made = Shelf().institution({"institution": "levy", "options": {"on": "request", "rate": "-0"}})
    assert "costs 0," in made.sentence


def test_a_contract_is_solved_exactly(bench):
    stack = [{"institution": "contract", "options": {"on": "defect", "high": "4", "voters": "0"}}]
    found = bench.follow({"setup": {"situation": "matrix", "options": {}, "stack": stack}})
    assert found["how"] == "solved exactly"
    assert {row[0]: row[1] for row in found["rows"]}["welfare"] == "4.00"


def test_a_refusal_stands_on_the_page_as_it_is(bench):
    setup = {"situation": "matrix", "options": {}, "stack": [{"institution": "altar", "options": {}}]}
    with pytest.raises(Refusal) as refused:
        bench.follow({"setup": setup})
    assert bench.build({"setup": setup})["refused"] == str(refused.value)


def test_what_a_person_wrote_appears_with_its_controls(tmp_path):
    (tmp_path / "mine.py").write_text(OWN)
    found = Bench(tmp_path / "runs", [str(tmp_path / "mine.py")]).build(
        {"setup": {"situation": "pool", "options": {}, "stack": [{"institution": "tithe", "options": {}}]}}
    )
    assert found["institution"][0] == "tithe"
    assert not found["refused"]
    part = next(c for c in found["stack"][0]["controls"] if c["name"] == "part")
    assert part["form"] == "slider"
    assert "burnt" in part["meaning"]
    assert found["stack"][0]["sentence"] == "Everybody pays a share of what they earn into a fire."


# --- rooms ----------------------------------------------------------------------------------------------------------


class Crowd:
    """A room of a situation, with a link for each person, driven from a test."""

    def __init__(self, bench, setup, **more):
        self.plan = plan.Plan(**{"persons": 2, "deadline": 0, "beat": 0.1, "hold": 0.4} | more)
        self.diary = Diary(bench.store.root / "rooms" / f"t{random.getrandbits(60)}")
        self.links = [Link() for _ in range(self.plan.persons)]
        self.room = Room("1", self.plan, lambda: bench.play(self.plan, setup, self.diary, None),
                         lambda play, ended: bench.keep(play, ended, self.room.consent), self.diary)  # fmt: skip

    async def begin(self, phase="playing"):
        self.task = asyncio.create_task(self.room.run())
        for i, link in enumerate(self.links):
            self.room.join(i, link)
            self.room.hear(i, '{"t": "agree"}')
        await self.until(lambda: self.room.phase == phase or self.task.done())
        assert self.room.phase == phase, self.room.said

    async def until(self, test, seconds=60):
        for _ in range(seconds * 100):
            self.beat()
            if test():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(self.room.roster())

    def beat(self):
        for i, link in enumerate(self.links):
            if link:
                self.room.hear(i, '{"t": "beat"}')

    async def answer(self, **choices):
        """Everybody who is asked answers, and the turn is made."""
        step = self.room.step
        for i, link in enumerate(self.links):
            if link and (asked := self.room.chairs[i].asked):
                said = {"t": "answer", "step": step, "choices": {h: choices[h.replace(".", "_")] for h in asked}}
                assert self.room.hear(i, json.dumps(said)) == ""
        await self.until(lambda: self.room.step != step or self.task.done())

    def told(self, i):
        """All that a person was sent."""
        out = []
        while not self.links[i].queue.empty():
            out.append(json.loads(self.links[i].queue.get_nowait()))
        return out


MATRIX = {"situation": "matrix", "options": {"horizon": "4"}, "stack": [
    {"institution": "contract", "options": {"on": "defect", "high": "4", "voters": "0"}}]}  # fmt: skip


def test_two_people_propose_sign_and_play_and_the_record_replays_bit_for_bit(bench):
    async def session():
        crowd = Crowd(bench, MATRIX)
        await crowd.begin()
        room = crowd.room
        assert [c.asked for c in room.chairs] == [["contract.propose"], []]
        told = [m for m in crowd.told(0) if m["t"] == "turn"][-1]["of"]
        assert told["asked"] == ["contract.propose"]
        assert "reward" not in told
        await crowd.answer(contract_propose=5)
        await crowd.answer(contract_sign=1)
        await crowd.answer(choose=0)
        await crowd.answer(choose=1)
        await crowd.answer(choose=0)
        room.hear(0, json.dumps({"t": "answer", "step": room.step, "choices": {"choose": 1}}))
        room.hear(1, json.dumps({"t": "answer", "step": room.step, "choices": {"choose": 0}}))
        await crowd.until(crowd.task.done)
        assert room.phase == "over"
        assert room.record
        return room.record

    record = bench.store.pick(asyncio.run(session()))
    assert record.kind == "session"
    assert record.glance()[0] == 6
    told = report.session(record)
    table = replay(told.lived, told.situation)
    assert [line["digest"] for line in table.log] == [x["digest"] for x in told.lived.lines[:-1]]
    # the last round: seat 1 defects (4 for 0) and pays 4 under the contract
    assert table.outcome[0].payoff == 0
    assert table.outcome[1].payoff == 4
    rows = list(csv.DictReader(io.StringIO(sheet.rows(told))))
    assert len(rows) == 12
    assert rows[-1]["by"] == "person"
    assert rows[-1]["ms"].isdigit()
    assert {r["by"] for r in rows[:2]} == {"person", ""}  # only the proposer was asked
    assert told.terms["consent"]
    assert "person" in report.html(told, record)
    for seed, why in ((None, "matrix, which has no land; `nomoi export`"), (3, "cannot be lived with another seed")):
        with pytest.raises(Refusal, match=why):
            film_of(record, seed=seed, old=True)


def test_payoffs_of_a_matrix_game_are_those_of_its_normal_form(bench):
    from nomoi.solve.unfold import normal_form

    game = normal_form(Matrix())
    setup = {"situation": "matrix", "options": {}, "stack": []}

    async def session(choices):
        crowd = Crowd(bench, setup)
        await crowd.begin()
        for i, c in enumerate(choices):
            crowd.room.hear(i, json.dumps({"t": "answer", "step": 0, "choices": {"choose": c}}))
        await crowd.until(crowd.task.done)
        return crowd.told(0)[-1]["of"]["total"], crowd.room.record

    for both in ((0, 1), (1, 1)):
        total, _ = asyncio.run(session(both))
        assert float(total) == game.payoff[(0, *both)]


@pytest.mark.parametrize("leaves", ["script", "pause", "end"])
def test_somebody_leaves_and_all_are_told_what_happens(bench, leaves):
    async def session():
        crowd = Crowd(bench, MATRIX, leaves=leaves)
        await crowd.begin()
        room, link = crowd.room, crowd.links[1]
        crowd.links[1] = None
        room.leave(1, link)
        await crowd.until(lambda: room.chairs[1].state == "away")
        said = [m["said"] for m in crowd.told(0) if m["t"] == "roster"]
        assert any("Seat 2 is away; after 0.4 seconds" in s for s in said)
        await crowd.until(lambda: room.chairs[1].state == "gone" or crowd.task.done())
        said = [m["said"] for m in crowd.told(0) if m["t"] == "roster"]
        assert any(s.startswith("Seat 2 did not come back") for s in said)
        if leaves == "end":
            await crowd.until(crowd.task.done)
            assert room.phase == "over"
            return
        if leaves == "pause":
            assert room.phase == "paused"
            assert "not to what" in room.hear(0, '{"t": "answer", "step": 0, "choices": {"contract.propose": 1}}')
        else:
            await crowd.answer(contract_propose=1)
            assert room.step >= 1  # a slow machine may have been past the next turn's time, too
        back = Link()
        room.join(1, back)
        crowd.links[1] = back
        assert room.phase == "playing"
        assert room.chairs[1].state == "here"
        turn = [m for m in crowd.told(1) if m["t"] == "turn"][-1]["of"]
        assert turn["step"] == room.step == json.loads(room.chairs[1].told)["step"]
        room.hear(None, '{"t": "end"}')
        await crowd.until(crowd.task.done)

    asyncio.run(session())


def test_a_room_that_everybody_has_left_waits_for_them_or_for_the_host(bench):
    async def session(back):
        crowd = Crowd(bench, MATRIX, hold=0.1)
        await crowd.begin()
        room, links, crowd.links = crowd.room, crowd.links, [None, None]
        for i, link in enumerate(links):
            room.leave(i, link)
        await crowd.until(lambda: room.phase == "paused")
        assert "Nobody is left" in room.said
        await asyncio.sleep(0.3)
        assert (room.phase, room.step) == ("paused", 0)  # no script plays it to the end
        if back:
            room.join(1, Link())
            assert room.phase == "playing"
            room.hear(None, '{"t": "end"}')
        else:
            assert room.hear(None, '{"t": "go on"}') == ""
        await crowd.until(crowd.task.done)
        return room.step

    assert asyncio.run(session(False)) == 6
    asyncio.run(session(True))


def test_whoever_does_not_answer_in_time_is_answered_for_and_that_is_kept(bench):
    async def session():
        crowd = Crowd(bench, {"situation": "matrix", "options": {}, "stack": []}, deadline=0.2)
        await crowd.begin()
        crowd.room.hear(0, '{"t": "answer", "step": 0, "choices": {"choose": 1}}')
        await crowd.until(crowd.task.done)
        return crowd.room.record

    record = bench.store.pick(asyncio.run(session()))
    told = report.session(record)
    assert told.terms["by"] == [["person", "late"]]
    cells = re.findall(r"seat (.)</th>.*?(\d of \d)<", report.html(told, record))
    assert cells == [("1", "1 of 1"), ("2", "0 of 1")]  # what a script gave for somebody is nobody's own answer
    assert told.lived.lines[1]["seats"] == ["seat 1", "random"]
    late = list(csv.DictReader(io.StringIO(sheet.rows(told))))[1]
    assert (late["name"], late["by"]) == ("seat 2", "late")
    assert late["choose.words"] == choices(told.situation)["choose"][int(late["choose"])]
    assert float(late["payoff"]) == float(late["total"]) == float(late["reward"])


def test_a_sheet_has_no_float_dust():
    assert [sheet._number(x) for x in (0.019999999552965164, -1.49e-10, -0.25, 1234.567891)] == [
        "0.02",
        "0",
        "-0.25",
        "1234.568",
    ]


def test_ten_thousand_random_frames_change_no_state(bench):
    frames = ['{"t": "answer"}', "[]", "null", "3", '"x"', "{", "\x00", '{"t": "agree"', '{"t": ["answer"]}', "1e999",
              '{"t": "answer", "step": 0, "choices": {"choose": true}}', "[" * 5000, '{"t": {}}', "NaN",
              '{"t": "answer", "step": 0, "choices": {"contract.propose": 6}}',
              '{"t": "answer", "step": 0, "choices": {"contract.propose": -1}}',
              '{"t": "answer", "step": 0.0, "choices": {"contract.propose": 1}}',
              '{"t": "answer", "step": false, "choices": {"contract.propose": 1}}',
              '{"t": "answer", "step": 1, "choices": {"contract.propose": 1}}',
              '{"t": "answer", "step": 0, "choices": [1]}', '{"t": "start"}', '{"t": "end"}']  # fmt: skip
    draw = random.Random(7)

    async def session():
        crowd = Crowd(bench, MATRIX)
        await crowd.begin()
        before = crowd.room._play.table.log, json.dumps(crowd.room.roster())
        for k in range(10_000):
            frame = frames[k] if k < len(frames) else "".join(chr(draw.randrange(1, 300)) for _ in range(40))
            if k % 3 == 0:
                text = draw.choice(frames)
                frame = text[: draw.randrange(1, len(text) + 1)] if k > 99 else frame
            crowd.room.hear(draw.randrange(2), frame)
        assert [c.answer for c in crowd.room.chairs] == [None, None]
        assert (crowd.room._play.table.log, json.dumps(crowd.room.roster())) == before
        assert crowd.room.step == 0
        crowd.room.hear(None, '{"t": "end"}')
        await crowd.until(crowd.task.done)

    asyncio.run(session())


def test_before_the_consent_nothing_is_answered(bench):
    async def session():
        crowd = Crowd(bench, MATRIX)
        crowd.task = asyncio.create_task(crowd.room.run())
        for i, link in enumerate(crowd.links):
            crowd.room.join(i, link)
        await crowd.until(lambda: crowd.room.phase == "waiting")
        await asyncio.sleep(0.05)
        assert crowd.room.phase == "waiting"
        crowd.room.hear(None, '{"t": "start"}')
        await crowd.until(lambda: crowd.room.phase == "playing")
        assert "consent" in crowd.room.hear(0, '{"t": "answer", "step": 0, "choices": {"contract.propose": 1}}')
        crowd.room.hear(None, '{"t": "end"}')
        await crowd.until(crowd.task.done)
        assert crowd.room.record == ""  # of nothing played nothing is kept

    asyncio.run(session())


def test_a_diary_that_was_cut_short_goes_on(bench, tmp_path):
    setup = {"situation": "pool", "options": {"horizon": "6"}, "stack": []}
    one = plan.Plan(persons=1, seed=5)
    diary = Diary(tmp_path / "rooms" / "1")
    play = bench.play(one, setup, diary, None)
    for _ in range(3):
        play.turn({0: {"request": 2}}, [], [], [40])
    with open(diary.path, "a") as file:
        file.write('{"turn": {"step": 4, "ans')  # the power went
    shutil.copytree(diary.folder, tmp_path / "rooms" / "2")  # the first one is lived on, to compare
    again = Diary(tmp_path / "rooms" / "2")
    resumed, told, *played = again.resume()
    assert resumed == one
    assert told == setup
    other = bench.play(resumed, told, again, tuple(played))
    assert other.table.steps == 3
    assert other.ms == [[40]] * 3
    early = Diary(tmp_path / "rooms" / "3")  # the power went while the table was made
    early.folder.mkdir()
    early.path.write_text(diary.path.read_text().splitlines(True)[0] + '{"turn": {"epis')
    assert early.resume() == (one, setup, None, [])
    bench.play(one, setup, early, None).diary.close()
    assert early.resume()[2] is not None
    early.close()
    for one_play in (play, other):
        one_play.turn({0: {"request": 2}}, [], [], [40])
        one_play.diary.close()
    assert other.table.log[-1]["digest"] == play.table.log[-1]["digest"]  # scripts go on as if nothing had been


def test_a_room_that_had_not_begun_comes_back_as_it_was_meant(tmp_path):
    one, setup = plan.Plan(persons=3), {"situation": "pool", "preset": "", "options": {"agents": "3"}, "stack": []}
    first = Diary(tmp_path / "1")
    first.opened(one, setup, ["a", "b", "c"], "")
    first.close()
    assert Diary(tmp_path / "1").resume() == (one, setup, None, [])


def test_a_disk_that_is_full_in_a_turn_is_a_sentence_and_leaves_no_half_line(tmp_path):
    """A limit on the size of files does what a full disk does: some bytes are taken, and then no more."""
    diary, said = Diary(tmp_path / "1"), {"step": 0, "seat": 0, "words": "word " * 40, "ms": 1}
    diary.begin(plan.Plan(), {"situation": "pool"}, {})
    whole, limits = diary.path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 20, limits[1]))
    try:
        with pytest.raises(Refusal, match=r"cannot be written \(.+\); what was played before this turn is kept"):
            diary.add({"step": 1}, [None], ["person"])
        with pytest.raises(Refusal, match=r"cannot be written \(.+\); nobody was told of that text"):
            diary.say(said)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert diary.path.read_bytes() == whole
    diary.say(said)
    assert json.loads(diary.path.read_bytes().removeprefix(whole)) == {"said": said}
    diary.close()


def test_thirty_people_cost_little(bench):
    """At most one CPU second a minute at one turn a second: 16 ms a turn."""
    setup = {"situation": "pool", "options": {"agents": "30", "horizon": "60"}, "stack": []}

    async def session():
        crowd = Crowd(bench, setup, persons=30)
        await crowd.begin()
        await crowd.answer(request=0)
        used = time.process_time()
        for _ in range(10):
            step = crowd.room.step
            for i in range(30):
                crowd.room.hear(i, json.dumps({"t": "answer", "step": step, "choices": {"request": 0}}))
            while crowd.room.step == step:
                await asyncio.sleep(0.002)
        used = (time.process_time() - used) / 10
        crowd.room.hear(None, '{"t": "end"}')
        await crowd.until(crowd.task.done)
        return used

    assert asyncio.run(session()) < 0.16  # ten times as much as is promised: checked types cost here


# --- who learned ----------------------------------------------------------------------------------------------------


SMALL = PPO(hidden=8, worlds=2, steps=8, minibatches=1, epochs=1)


@pytest.fixture(scope="module")
def learned(bench):
    """The record of a training of a moment, in a pool under a levy."""
    place = bench.shelf.typed("pool", "levy(on=request,rate=0.5)", ["situation.agents=2", "situation.horizon=8"])
    one = Trained("levy", place, steps=64, learner=SMALL)
    (record,) = make(bench.store, [one], [3]).results.records["levy"]
    return place, record


def test_what_a_run_learned_has_the_seats_that_no_person_has(bench, learned):
    place, record = learned
    name = f"learned:{record.id[:8]}"
    assert [name, f"learned in levy, seed 3 ({record.id[:8]})"] in bench.shelf_names()["learned"]
    setup = bench.shelf.setup(place)
    play = bench.play(plan.Plan(script=name), setup, Diary(bench.store.root / "rooms" / "l"), None)
    table = Table(place, 0)
    table.sit(1, SMALL, minds.learned(record))
    for _ in range(3):
        play.turn({0: {"request": 2}}, [], [], [40])
        table.answer(0, {"request": 2})
        table.step()
    assert [x["answers"] for x in play.table.log[1:]] == [x["answers"] for x in table.log[1:]]
    play.diary.close()
    assert record.id[:6] in play.others.name
    found = bench.follow({"setup": setup, "script": name})
    assert record.id[:6] in found["how"]
    assert {row[0] for row in found["rows"]} >= {"payoff", "levied"}


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("learned:{}", "what .* has learned does not fit matrix: it sees or does other things there"),
        ("learned:zz", "no single record 'zz'"),
        ("learned:", "no single record|does not fit"),
        ("ppo", "has learned nothing yet"),
        ("mine.py:Me", "a page names what is there"),
        ("../mine", "a page names what is there"),
    ],
)
def test_who_does_not_fit_is_refused_in_a_sentence(bench, learned, word, said):
    setup = {"situation": "matrix", "options": {}, "stack": []}
    with pytest.raises(Refusal, match=said):
        bench.follow({"setup": setup, "script": word.format(learned[1].id)})


# --- the door ---------------------------------------------------------------------------------------------------------


def test_at_the_door_each_phone_gets_the_next_free_seat_and_keeps_it(tmp_path):
    from starlette.requests import Request

    from nomoi.lab.server import Lab

    async def session():
        lab_ = Lab(tmp_path, [], {}, 80)
        room = lab_.open(plan.Plan(situation="pool", set=("situation.agents=3",), persons=3))
        alone = lab_.open(plan.Plan(situation="matrix", persons=1))
        assert lab_.way_in(alone) == ""
        code = lab_.way_in(room).rpartition("/")[2]

        async def knock(code, cookie=""):
            scope = {"type": "http", "path_params": {"code": code}, "headers": [(b"cookie", cookie.encode())]}
            got = await lab_.join(Request(scope))
            return got.status_code, json.loads(got.body), got.headers.get("set-cookie", "")

        links = lab_.links(room)
        status, told, cookie = await knock(code.upper())
        assert (status, told["link"]) == (200, links[0].removeprefix("http://127.0.0.1:80"))
        assert f"Path=/join/{code}" in cookie
        assert "HttpOnly" in cookie
        room.join(1, Link())  # somebody came by a link of its own
        assert (await knock(code))[1]["link"] == links[2].removeprefix("http://127.0.0.1:80")
        assert (await knock(code))[0] == 409  # all are taken, or given away and held for a minute
        lab_.doors[room.name]._given[2] -= 61
        assert (await knock(code))[1]["link"].endswith(links[2].rpartition("/")[2])  # who got it never came
        assert (await knock("aaaaaa"))[0] == 404
        room.phase = "playing"
        lab_.doors[room.name]._given.clear()
        status, told, _ = await knock(code)
        assert (status, "has begun" in told["refused"]) == (409, True)
        assert (await knock(code, cookie.split(";")[0]))[1]["link"] == links[0].removeprefix("http://127.0.0.1:80")
        assert 429 in [(await knock(code))[0] for _ in range(40)]
        for task in lab_._tasks:
            task.cancel()
        after = Lab(tmp_path, [], {}, 80)
        with pytest.raises(Refusal, match="lived in another lab"):  # nothing has begun, and it is taken all the same
            after.open(plan.Plan(), resume=room.name)
        for one in (room, alone):
            one.diary.close()  # as the system does when a lab dies
        again = after.open(plan.Plan(), resume=room.name)
        assert (again.plan, after.links(again), after.way_in(again)) == (room.plan, links, lab_.way_in(room))
        again.diary.close()
        for task in after._tasks:
            task.cancel()
        room_of(tmp_path / "rooms" / "8", {**ROOM, "plan": {"situation": "nowhere"}})
        with pytest.raises(Refusal, match=r"8/room.json: there is no situation called 'nowhere'"):
            after.open(plan.Plan(), resume="8")
        room_of(tmp_path / "rooms" / "9", {**ROOM, "setup": {"situation": "pool", "options": {"agents": {}}}})
        with pytest.raises(Refusal, match=r"9/room.json"):
            after.open(plan.Plan(), resume="9")
        with pytest.raises(Refusal, match=r"7/diary.jsonl cannot be read .* a room that was opened in this --out"):
            after.open(plan.Plan(), resume="7")

    asyncio.run(session())


# --- the gate -------------------------------------------------------------------------------------------------------


def test_who_loads_a_page_anew_is_told_to_which_step_the_seat_has_answered():
    assert [Chair(0, answer=one).you(4)["answered"] for one in ({"choose": 1}, None)] == [4, None]


def test_a_meter_lets_fifty_through_in_a_moment():
    meter = gate.Meter()
    assert [meter.full() for _ in range(52)].count(True) in (1, 2)
    refused = [meter.full() for _ in range(1000)].count(True)
    meter.at -= 1.5 / 50  # a moment later: what was refused is not held against anybody
    assert (refused > 900, meter.full()) == (True, False)


def test_a_meter_never_holds_more_than_a_seconds_worth(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("nomoi.lab.gate.time.monotonic", lambda: now[0])
    meter = gate.Meter(5)
    let_through = lambda: [meter.full() for _ in range(9)].count(False)  # noqa: E731
    assert let_through() == 5
    for later, many in ((0.2, 1), (0.5, 2), (3600.0, 5)):
        now[0] += later
        assert let_through() == many


def ask(url, body=None, **headers):
    """(status, headers, text) of a request."""
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=90) as got:
            return got.status, got.headers, got.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


SERVE = "import sys; sys.argv = ['nomoi', *sys.argv[1:]]; from nomoi.cli import main; main()"


@contextlib.contextmanager
def served(folder, *words):
    """A lab in a process of its own: (its process, links as printed)."""
    folder.mkdir(parents=True, exist_ok=True)
    given = [w for w in words if "--resume" not in words or w != "person"]  # who goes on has its seats already
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, "lab", *given], cwd=folder, stdout=subprocess.PIPE, text=True
    ) as lab_:
        try:
            links = [lab_.stdout.readline().split("the lab is at ")[1].split(" ")[0]]
            links += [lab_.stdout.readline().split(": ")[1].strip() for _ in range(words.count("person"))]
            yield lab_, links
        finally:
            lab_.send_signal(signal.SIGINT)
            lab_.wait(60)  # it ends what it compiles, on a machine that may be busy


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with served(tmp_path_factory.mktemp("house"), "matrix", "--seat", "person") as (_, links):
        yield links


def test_foreign_hosts_origins_and_tokens_are_refused(house):
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect

    url, token = house[0].split("#")
    port = url.split(":")[2].rstrip("/")
    mine = f"http://127.0.0.1:{port}"
    assert ask(url, Host="evil.example")[0] == 421
    assert ask(url, Host=f"evil.example:{port}")[0] == 421
    status, headers, text = ask(url)
    assert status == 200
    assert "script-src 'self'" in headers["content-security-policy"]
    assert "http://" not in text
    assert "https://" not in text
    assert headers["cache-control"] == "no-store"
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        assert ask(f"{url}enter", {"token": token}, Origin=origin)[0] == 403
    assert ask(f"{url}enter", {"token": token})[0] == 403  # no origin is no page of ours
    assert ask(f"{url}enter", {"token": "x" * 22}, Origin=mine)[0] == 403
    assert ask(f"{url}enter", {"token": 3}, Origin=mine)[0] == 403
    assert ask(f"{url}ask/rooms", {}, Origin=mine)[0] == 403
    assert ask(f"{url}enter", {"token": "x" * 70_000}, Origin=mine)[0] == 413
    assert ask(f"{url}enter", {"token": "\ud800"}, Origin=mine)[0] == 403  # half a letter
    assert ask(f"{url}r/1/{'9' * 5000}/")[0] == 404
    status, headers, _ = ask(f"{url}enter", {"token": token}, Origin=mine)
    cookie = headers["set-cookie"]
    assert status == 200
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    host = {"Cookie": cookie.split(";")[0]}
    assert ask(f"{url}ask/rooms", {}, Origin=mine, **host)[0] == 200
    status, _, text = ask(f"{url}ask/formula", {"form": "edgeworth", "options": {}}, Origin=mine, **host)
    assert status == 200
    assert json.loads(text)["rows"][0][:2] == ["price of wine", "0.4000"]
    assert ask(f"{url}ask/formula", {"form": "edgeworth"}, Origin=mine)[0] == 403
    for name, odd in (("formula", {"form": []}), ("build", {"setup": "x"}), ("follow", {"script": "a" * 5000}),
                      ("build", {"setup": {"situation": "pool", "stack": None}})):  # fmt: skip
        status, _, text = ask(f"{url}ask/{name}", odd, Origin=mine, **host)
        assert json.loads(text)["refused"], (name, odd)
    title = {"plan": {"title": "\ud800"}, "setup": MATRIX}
    assert ask(f"{url}ask/room", title, Origin=mine, **host)[0] == 422
    assert ask(f"{url}ask/rooms", {}, Origin=mine, **host)[0] == 200
    for told in ({"situation": "x.py:Y"}, {"under": "charter(law=/etc/passwd)"}, {"script": "x.py:Y"}):
        assert ask(f"{url}ask/room", {"plan": told, "setup": MATRIX}, Origin=mine, **host)[0] == 422
    assert ask(f"{url}ask/room", {"preset": "/etc/passwd"}, Origin=mine, **host)[0] == 422
    assert ask(f"{url}static/..%2fserver.py")[0] == 404
    assert ask(f"{url}kept/_ask/x", **host)[0] == 403
    ws = f"ws://127.0.0.1:{port}/r/1/ws"
    for origin, more in (("http://evil.example", host), (mine, {}), (mine, {"Cookie": "nomoi=1"})):
        with pytest.raises(InvalidStatus) as refused:
            connect(ws, origin=origin, additional_headers=more)
        assert refused.value.response.status_code == 403
    with contextlib.ExitStack() as stack:
        open_ = lambda: stack.enter_context(connect(ws, origin=mine, additional_headers=host, close_timeout=0.02))  # noqa: E731
        for _ in range(gate.SOCKETS):
            open_()
        with pytest.raises(InvalidStatus) as refused:
            open_()
        assert refused.value.response.status_code == 503


def test_a_seats_cookie_opens_its_own_seat_alone(house):
    seat, token = house[1].split("#")
    root = house[0].split("#")[0]
    mine = root.rstrip("/")
    assert ask(f"{root}enter", {"token": token}, Origin=mine)[0] == 403
    status, headers, _ = ask(f"{seat}enter", {"token": token}, Origin=mine)
    assert status == 200
    assert "Path=/r/1/1/" in headers["set-cookie"]
    assert ask(f"{root}ask/rooms", {}, Origin=mine, Cookie=headers["set-cookie"].split(";")[0])[0] == 403
    assert ask(f"{root}r/1/2/enter", {"token": token}, Origin=mine)[0] == 403


def test_a_server_that_was_killed_goes_on_with_the_same_links(tmp_path):
    from websockets.sync.client import connect

    from nomoi.lab.server import Lab

    def enter(link):
        (seat, token), root = link.split("#"), link.split("/r/")[0]
        ask(seat)
        cookie = ask(f"{seat}enter", {"token": token}, Origin=root)[1]["set-cookie"].split(";")[0]
        return connect(f"{seat.replace('http', 'ws')}ws", origin=root, additional_headers={"Cookie": cookie})

    def turn(ws, step):
        """What is told at a step."""
        while True:
            said = json.loads(ws.recv(60))
            if said["t"] == "you" and not said["agreed"]:
                ws.send('{"t": "agree"}')
            if said["t"] == "turn" and said["of"]["step"] == step:
                return said["of"]

    def play(ws, step):
        ws.send(json.dumps({"t": "answer", "step": step, "choices": {"choose": 1}}))
        return turn(ws, step + 1)

    words = ("matrix", "--set", "situation.horizon=9", "--seat", "person")
    with served(tmp_path, *words) as (lab_, links), enter(links[1]) as ws:
        turn(ws, 0)
        told = [play(ws, step) for step in range(2)]
        ws.send('{"t":"beat"}')
        assert json.loads(ws.recv(60))["t"] == "beat"  # by which a browser knows that the line is alive
        lab_.kill()
        lab_.wait(20)
    with served(tmp_path, "--resume", "1", "person") as (_, again), enter(again[1]) as ws:
        assert again[1].split("#")[1] == links[1].split("#")[1]
        assert turn(ws, 2) == told[1]
        assert play(ws, 2)["step"] == 3
        for step in range(3, 8):
            play(ws, step)
        ws.send(json.dumps({"t": "answer", "step": 8, "choices": {"choose": 1}}))
        while not (record := json.loads(ws.recv(timeout=90)).get("record")):
            pass
    if not {"PJRT_NPROC", "NPROC"} & set(os.environ):
        assert Store(tmp_path / "runs").pick(record).facts["threads"] == 1
    with pytest.raises(Refusal, match=f"the room 1 is over; its record is {record}"):
        Lab(tmp_path / "runs", [], {}, 80).open(plan.Plan(), resume="1")


def test_the_first_page_does_not_wait_for_jax():
    code = ("import sys, asyncio; from pathlib import Path; import nomoi.cli, nomoi.lab.command, uvicorn\n"
            "from nomoi.lab.server import Lab, FILES; from starlette.requests import Request\n"
            "async def main():\n"
            "    got = await Lab(Path('runs'), [], {}, 1).page(None)\n"
            "    print(got.status_code, 'jax' in sys.modules, 'lab.js' in FILES)\n"
            "asyncio.run(main())")  # fmt: skip
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "200 False True\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["harvst"], "did you mean 'harvest'"),
        (["harvest", "--seat", "person", "--seat", "forager", "--seat", "random"], "one script plays"),
        (["--seat", "person"], "a seat stands in a situation"),
        (["--room", "comons"], "did you mean 'commons'"),
        (["--room", "commons", "--seat", "person"], "says all of a room"),
        (["--lan", "here"], "no address"),
        (["--lan", "192.0.2.7"], "--lan 192.0.2.7 is no address of this machine"),
        (["--resume", "../1"], "names no room"),
        (["--resume", "1", "--room", "commons"], "as it was; give it without"),
        (["--under", "levy"], "are about a situation, and none is given; `nomoi lab pool --under levy` would"),
        (["--set", "situation.agents=3"], "are about a situation"),
        (["--map", "small"], "are about a situation"),
        (["--port", "99999"], "--port 0"),
        (["tol.py"], "there is no file tol.py"),
        (["pool", "--own", "tol.py"], "there is no file tol.py"),
        (["pool", "--under", "levi(rate=1)"], "did you mean 'levy'"),
        (["pool", "--set", "situation.agnts=3"], "did you mean 'agents'"),
        (["pool", "--map", "nowhere"], "no preset"),
        (["pool", "--seat", "person", "--seat", "rndom"], "did you mean 'random'"),
    ],
)
def test_what_was_typed_wrongly_is_said(nomoi, words, said):
    status, _, complaint = nomoi("lab", *words)
    assert status == 2
    assert said in complaint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('situation = "pol"', "did you mean 'pool'"),
        ('situation = "pool"\npersons = 40\nset = ["situation.agents=30"]', "40 seats are for people, and pool has 30"),
        ('situation = "pool"\nunder = "levy(rat=0.5)"', "did you mean 'rate'"),
        ('situation = "pool"\nunder = "altar+sanction"\nset = ["quota.to=1"]', "touches nothing here"),
        ('situation = "matrix"\nunder = "altar"', "altar needs"),
        ('situation = "pool"\nscript = "rndom"', "did you mean 'random'"),
        ('situation = "pool"\nscript = "forager"', "pool shows none"),
        ('situation = "pool"\ndeadline = -1.5', "a number from 0 to 86400"),
    ],
)
def test_a_room_in_which_nothing_could_begin_is_refused_before_there_is_a_link_or_a_folder(
    nomoi, tmp_path, monkeypatch, text, said
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "room.toml").write_text(text)
    status, printed, complaint = nomoi("lab", "--room", "room.toml")
    assert (status, printed) == (2, "")
    assert said in complaint
    assert not (tmp_path / "runs").exists()


def test_only_sessions_are_exported(nomoi, tmp_path):
    assert nomoi("export", "abc")[0] == 2
    assert lab.__doc__
    assert Store(tmp_path).all() == []
    assert govern(Pool()).name == "pool"
