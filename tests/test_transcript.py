"""Transcripts: what was played is lived through again bit for bit, and whatever was changed since is found."""

import contextlib
import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import equal, made
from test_worlds import DICE

from nomoi import catalogue
from nomoi.core import govern
from nomoi.core.spec import spec
from nomoi.errors import Refusal
from nomoi.play import Table, Transcript, read, replay
from nomoi.play.digest import of
from nomoi.scripts.fixed import Random

TALL = ("harvest, contract+altar+sanction", "pool, altar+contract+levy", "matrix, levy+two contracts")
MATRIX = made(TALL[2])


def played(situation: Any, seed: int, steps: int, lot: int = 0, every: bool = False) -> Table:
    """A table after some steps at which what is asked (or every head) was answered by lot."""
    table, draw = Table(situation, seed), np.random.default_rng(lot)
    for _ in range(steps):
        if table.over:
            table.renew()
        for seat, told in table.ask().items():
            heads = table.heads if every else told.asked
            table.answer(seat, {head: int(draw.integers(k)) for head, k in heads.items()})
        table.step()
    return table


def bare(world: Any) -> Any:
    state, key, turn = world
    return state, jax.random.key_data(key), turn


@pytest.mark.parametrize("name", TALL)
@settings(max_examples=4)
@given(seed=st.integers(0, 2**40), steps=st.integers(0, 24), lot=st.integers(0, 99), every=st.booleans())
def test_what_was_played_is_lived_through_again_bit_for_bit(tmp_path_factory, name, seed, steps, lot, every):
    table = played(made(name), seed, steps, lot, every)
    file = Transcript.of(table).save(tmp_path_factory.mktemp("played") / "it.jsonl")
    states = []
    again = replay(read(file), watch=lambda t: states.append(of("", t.world)))
    assert again.log == table.log
    assert states[-1] == of("", table.world)
    equal(bare(again.world), bare(table.world))
    assert read(Transcript.of(again).save(file.with_name("again.jsonl"))) == read(file)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Twelve steps, in which the second episode begins."""
    return Transcript.of(played(MATRIX, 5, 12, 1)).save(tmp_path_factory.mktemp("played") / "matrix.jsonl")


def changed(file: Path, change: Any) -> Path:
    """A copy of a file whose lines, read as data, were changed."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines = change(lines) or lines
    out = file.with_name("changed.jsonl")
    out.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return out


def set_to(line: int, *path: Any) -> Any:
    """Change what is at a path in a line (counted from 1) to the last word of the path."""

    def change(lines: list[Any]) -> None:
        *way, last, value = path
        place = lines[line - 1]
        for word in way:
            place = place[word]
        place[last] = value

    return change


def flip(line: int, head: str, seat: int) -> Any:
    def change(lines: list[Any]) -> None:
        row = lines[line - 1]["answers"][head]
        row[seat] = 1 - min(row[seat], 1)

    return change


FALSE = {
    "step 0 of episode 1 has a digest": set_to(1, "seed", 6),
    "step 1 of episode 1 has a digest": flip(3, "contract.propose", 0),
    "step 1 of episode 1 has  a digest": flip(3, "choose", 1),  # which is not even asked
    "step 4 of episode 1 has ": flip(6, "choose", 2),
    "step 5 of episode 1 has rewards": set_to(7, "reward", 1, 0.25),
    "step 6 of episode 1 has transfers": set_to(8, "transfer", 1, 0.25),
    "step 7 of episode 1 has a digest": set_to(9, "digest", "0" * 16),
    "step 0 of episode 2 has a digest": set_to(13, "digest", "0" * 16),
    "step 2 of episode 2 has a digest": set_to(16, "digest", "0" * 16),
}


@pytest.mark.parametrize("sentence", FALSE)
def test_what_was_changed_is_found_at_its_step(file, sentence):
    with pytest.raises(Refusal, match=re.sub(" +", " ", sentence)) as found:
        replay(read(changed(file, FALSE[sentence])), MATRIX)
    assert "an answer, the seed, the situation or the code is not what it was" in str(found.value)


def test_a_situation_that_is_given_must_be_the_same_before_anything_is_lived(file):
    now = "and in the situation given it is"
    with pytest.raises(Refusal, match=f'situation.class is "nomoi.core.govern:Governed", {now} "nomoi.*:Matrix"'):
        replay(read(file), MATRIX.situation)
    with pytest.raises(Refusal, match=rf"situation.institutions.1.rate is \S+, {now} 7.0\.$"):
        replay(read(file), made(TALL[2], levy={"rate": 7.0}))
    with pytest.raises(Refusal, match=f"situation.situation.horizon is 8, {now} 9"):
        replay(read(file), govern(MATRIX.situation.replace(horizon=9), *MATRIX.institutions))
    with pytest.raises(Refusal, match=rf"situation.institutions.3 is .*Contract.*, {now} null"):
        replay(read(file), govern(MATRIX.situation, *MATRIX.institutions[:2]))


def test_a_file_of_ones_own_is_found_by_its_text_where_it_was_or_where_one_stands(tmp_path, monkeypatch):
    here = tmp_path / "there" / "village.py"
    here.parent.mkdir()
    here.write_text("from nomoi.situations.pool import Pool\nclass Village(Pool): pass\n")
    table = played(catalogue.find(str(here), "situation")(agents=2), 1, 2)
    found = read(Transcript.of(table).save(tmp_path / "it.jsonl"))
    (home,) = found.head["own"]
    assert found.head["own"] == {home: str(here)}
    assert found.head["situation"]["class"] == f"{home}:Village"
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, home)  # as in another process
    assert replay(found).log == table.log
    monkeypatch.delitem(sys.modules, home)
    here.write_text(here.read_text() + "# another text\n")
    with pytest.raises(Refusal, match=r"cannot be made again: .*not here as it was.*village.py.*put it there"):
        replay(found)
    (tmp_path / "village.py").write_text(here.read_text().removesuffix("# another text\n"))
    assert replay(found).situation.agents == 2


NO_PLACE = {
    "there is no nomoi.situations.pool:Pol here": {"class": "nomoi.situations.pool:Pol", "options": {}},
    "it has changed since": {"class": "nomoi.situations.pool:Pool", "options": {"fishes": 3}},
    "subprocess:Popen is neither nomoi's": {"class": "subprocess:Popen", "options": {"args": ["touch", "made"]}},
    "subprocess:run is neither nomoi's": {"class": "subprocess:run", "options": {"args": ["touch", "made"]}},
    "which is no situation": {"class": "nomoi.institutions.levy:Levy", "options": {}},
    "Pool cannot be made as it was kept": {"class": "nomoi.situations.pool:Pool", "options": {"agents": "many"}},
    "cannot be made again: [A-Za-z]*Error": {
        "class": "nomoi.situations.pool:Pool",
        "options": {"growth": {"array": 1}},
    },
    "says 3 for agents, and pool has 4": {"class": "nomoi.situations.pool:Pool", "options": {"agents": 4}},
}


@pytest.mark.parametrize("sentence", NO_PLACE)
def test_a_first_line_of_which_no_situation_can_be_made_is_refused_and_calls_nothing(file, sentence, monkeypatch):
    monkeypatch.chdir(file.parent)
    with pytest.raises(Refusal, match=sentence):
        replay(read(changed(file, set_to(1, "situation", NO_PLACE[sentence]))))
    assert not Path("made").exists()


class Loaded(type(DICE)):
    """Dice that fall otherwise, though nobody is told and nothing hangs on it: as if their code had been changed."""

    @property
    def name(self):
        return "dice"

    def step(self, key, state, action):
        state, outcome = super().step(key, state, action)
        return state | {"face": state["face"] + jnp.uint32(1)}, outcome


def lived_in(situation: Any, transcript: Transcript) -> Transcript:
    """The transcript as if it had been played there."""
    return dataclasses.replace(transcript, head=transcript.head | {"situation": spec(situation)})


@pytest.mark.parametrize("steps", [3, 6])
def test_a_world_that_only_its_state_tells_from_the_one_that_was_lived_in_is_found(steps):
    """At the end of what was played, and at the end of an episode."""
    with pytest.raises(Refusal, match=f"step {steps} of episode 1 has a digest"):
        replay(lived_in(Loaded(), Transcript.of(played(DICE, 1, steps))))


def test_every_tenth_step_the_whole_world_is_compared():
    long = Transcript.of(played(DICE.replace(horizon=30), 1, 12))
    with pytest.raises(Refusal, match="step 10 of episode 1 has a digest"):
        replay(lived_in(Loaded(horizon=30), long))


def test_another_version_is_named_where_something_differs(file):
    def wrong(lines):
        set_to(1, "versions", {"nomoi": "0.0.1", "jax": "0.1"})(lines)
        set_to(7, "reward", 1, 0.25)(lines)

    with pytest.raises(Refusal, match=r"\(it was written by nomoi 0.0.1, jax 0.1, and this is nomoi "):
        replay(read(changed(file, wrong)), MATRIX)


def test_after_a_replay_play_goes_on_as_it_would_have(file):
    again, first = replay(read(file), MATRIX), played(MATRIX, 5, 12, 1)
    for table in (again, first):
        for seat, told in table.ask().items():
            table.answer(seat, dict.fromkeys(told.asked, 1))
        table.step()
    assert again.log[-1]["digest"] == first.log[-1]["digest"]


def test_a_transcript_says_who_answered_and_replays_without_them(tmp_path):
    table = Table(DICE, 3)
    table.sit(0, "A\x1b[2Jnn")
    table.sit(1, Random())
    for k in range(3):
        table.answer(0, {"say": k})
        table.step()
    found = read(Transcript.of(table).save(tmp_path / "dice.jsonl"))
    assert found.lines[1]["seats"] == ["A[2Jnn", "random"]
    again = replay(found, DICE)
    assert again.log == table.log
    again.answer(0, {"say": 1})
    with pytest.raises(Refusal, match=r"seat 1 \(random\) has not answered"):
        again.step()


def test_a_table_of_a_key_of_its_own_replays_by_the_key(tmp_path):
    table = Table(DICE, key=jax.random.key(77))
    table.answer(0, {"say": 1})
    table.answer(1, {"say": 1})
    table.step()
    found = read(Transcript.of(table).save(tmp_path / "dice.jsonl"))
    assert found.head["key"] == [0, 77]
    replay(found, DICE)
    wrong = dataclasses.replace(found, head=found.head | {"key": [0, 78]})
    with pytest.raises(Refusal, match="step 0 of episode 1 has a digest"):
        replay(wrong, DICE)


MALFORMED = {
    "line 1 of .* does not begin a transcript": lambda lines: lines[1:],
    "line 1 of .* says format 2, and 1 is the one": set_to(1, "transcript", 2),
    "line 1 of .* says format true": set_to(1, "transcript", True),
    "line 1 of .* has the seed -1; a whole number": set_to(1, "seed", -1),
    "line 1 of .* has the key .0.; null or two whole numbers": set_to(1, "key", [0]),
    "line 1 of .* has the key .0, 4294967296.": set_to(1, "key", [0, 2**32]),
    "line 1 of .* has 3 for versions; {name: version}": set_to(1, "versions", 3),
    "line 1 of .* has .* for own; {stamp: path}": set_to(1, "own", "x", 3),
    "line 1 of .* has the situation ..; its class and options": set_to(1, "situation", []),
    "line 1 of .* has the situation .*; its class and options": set_to(1, "situation", "horizon2", 3),
    "line 1 of .* says 'more', which no transcript has": set_to(1, "more", 3),
    "line 1 of .* does not say how many agents": set_to(1, "agents", "three"),
    "line 1 of .* lacks 'seed'": lambda lines: lines[0].pop("seed") and lines,
    "line 2 of .* is step 1 where that is not next": lambda lines: lines[:1] + lines[2:],
    "line 2 of .* begins episode 2 where that is not next": set_to(2, "episode", 2),
    "line 4 of .* is step 3 where that is not next": lambda lines: lines[:3] + lines[4:],
    "line 4 of .* begins episode 2 where": lambda lines: lines[:3] + lines[12:],
    "line 3 of .* is no JSON object": lambda lines: [*lines[:2], [3], *lines[3:]],
    "line 3 of .* answers .0, 0. to 'choose'; 3 whole numbers from 0 to 1": set_to(3, "answers", "choose", [0, 0]),
    "line 3 of .* answers .0, 0, 2. to 'choose'": set_to(3, "answers", "choose", [0, 0, 2]),
    "line 3 of .* answers .0, 0, true. to 'choose'": set_to(3, "answers", "choose", [0, 0, True]),
    "line 3 of .* does not answer choose, contract.propose": set_to(3, "answers", {}),
    "line 3 of .* has the reward .*; 3 numbers": set_to(3, "reward", ["much", 0, 0]),
    "line 3 of .* has the transfer null": set_to(3, "transfer", None),
    "line 3 of .* has null for done": set_to(3, "done", None),
    "line 3 of .* has the seats .*; 3 names": set_to(3, "seats", [1, 2, 3]),
    "line 3 of .* has no digest of 16 letters": set_to(3, "digest", "0"),
    "line 3 of .* says 'more', which no transcript has": set_to(3, "more", 1),
    "is cut short after line 15; a whole transcript": lambda lines: lines[:-1],
    "line 16 of .* ends 13 lines, and there are 14": set_to(16, "end", 13),
    "line 17 of .* comes after the end": lambda lines: [*lines, lines[-1]],
}  # fmt: skip


@pytest.mark.parametrize("sentence", MALFORMED)
def test_a_malformed_line_is_named_and_refused(file, sentence):
    with pytest.raises(Refusal, match=sentence) as found:
        read(changed(file, MALFORMED[sentence]))
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "line 1 of .* is no JSON object"), (b"\xff\xfe", "not text in UTF-8"), (b"[" * 100_000, "no JSON object"),
        (b'{"transcript": 1, "transcript": 1}', "line 1 of .* gives 'transcript' twice"),
        (b"9" * 5000, "no JSON object"),
    ],
)  # fmt: skip
def test_what_is_no_transcript_at_all_is_refused(tmp_path, data, sentence):
    (tmp_path / "it.jsonl").write_bytes(data)
    with pytest.raises(Refusal, match=sentence):
        read(tmp_path / "it.jsonl")
    with pytest.raises(Refusal, match="cannot be read"):
        read(tmp_path / "nothing.jsonl")


@settings(max_examples=100)
@given(at=st.integers(0, 10**6), cut=st.integers(0, 9), put=st.binary(max_size=9))
def test_whatever_is_done_to_a_file_it_is_read_or_refused(file, at, cut, put):
    data = file.read_bytes()
    at %= len(data)
    file.with_name("hurt.jsonl").write_bytes(data[:at] + put + data[at + cut :])
    with contextlib.suppress(Refusal):
        assert isinstance(read(file.with_name("hurt.jsonl")), Transcript)


@pytest.mark.slow
def test_another_process_lives_through_the_same(file):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_transcript import MATRIX, read, replay\n"
        "print(replay(read(sys.argv[2]), MATRIX).log[-1]['digest'])"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(Path(__file__).parent), str(file)], capture_output=True)
    assert ran.stdout.decode().strip() == read(file).lines[-2]["digest"], ran.stderr.decode()
