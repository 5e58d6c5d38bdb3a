"""The store: whatever happens in between, a record is there once and whole, or not at all."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import nomoi
from nomoi import files
from nomoi.errors import Refusal
from nomoi.runs import record as recording
from nomoi.runs import store as storing
from nomoi.runs.record import Asked, read
from nomoi.runs.store import Store

ONE = {"reward": (np.arange(3), np.array([1.0, 2.0, np.nan]))}


def what(k=0, code="a"):
    spec = {"trial": {"class": "somewhere:Thing", "options": {"k": k}}, "seed": 0, "parents": []}
    return Asked(spec, {"nomoi.somewhere": code})


def put(store, k=0, code="a", **facts):
    return store.put(
        what(k, code), ONE, {"x": np.arange(2)}, named={"label": "one"}, measures={}, own={}, parents=[], **facts
    )


def test_a_record_is_named_after_what_was_asked_and_the_code_that_made_it(tmp_path):
    store = Store(tmp_path)
    records = [put(store, k, code) for k, code in ((0, "a"), (1, "a"), (0, "b"))]
    assert len({r.id for r in records}) == 3
    assert [r.id for r in store.old(what(0, "b"))] == [records[0].id]
    assert store.old(what(1)) == []
    assert [r.id for r in store.old(what(0, "c"))] == [records[2].id, records[0].id]  # the newest first
    assert store.get(what(0)).id == records[0].id
    assert store.get(what(0, "c")) is None
    assert [r.id for r in store.all()] == [r.id for r in records]
    assert store.pick(records[1].id[:6]).id == records[1].id
    with pytest.raises(Refusal, match="no single record 'nobody'"):
        store.pick("nobody")
    with pytest.raises(Refusal, match="3 begin so: give more letters"):
        store.pick("")
    assert records[0].label == "one"
    assert records[0].kind == "thing"


def test_the_order_of_a_spec_is_no_difference_and_what_is_no_number_names_nothing():
    spec = what().spec
    turned = Asked(dict(reversed(spec.items())), what().code)
    assert list(turned.spec) != list(spec)
    assert turned.id == what().id
    with pytest.raises(ValueError, match="not JSON compliant"):
        _ = Asked(spec | {"rate": np.nan}, what().code).id


def test_every_file_is_on_the_disk_before_the_record_is_in_its_place(tmp_path, monkeypatch):
    done, rename = [], os.rename
    monkeypatch.setattr(storing, "_sync", lambda file: done.append(file.name))
    monkeypatch.setattr(os, "rename", lambda *paths: (done.append("placed"), rename(*paths)))
    record = Store(tmp_path).put(what(), ONE, {"x": np.arange(2)}, {"own.py": b"x = 1"}, named={}, measures={}, own={},
                                 parents=[])  # fmt: skip
    assert done[-1] == "placed"
    assert sorted(done[:-1]) == sorted(f.name for f in record.folder.iterdir())
    assert len(done) == 5


def test_what_is_there_stays_whatever_is_written_after_it(tmp_path):
    store = Store(tmp_path)
    first = put(store, wall_seconds=1.0)
    again = put(store, wall_seconds=2.0)
    assert again.facts == first.facts
    assert len(store.all()) == 1


def test_who_writes_waits_for_another_thread_that_holds_the_run(tmp_path):
    store = Store(tmp_path)
    writer = threading.Thread(target=put, args=(store,))
    with store.claim(what()):
        writer.start()
        writer.join(0.2)
        assert writer.is_alive()
        assert not list(tmp_path.glob("records/*"))
    writer.join()
    assert len(store.all()) == 1


def test_a_checkpoint_of_another_run_is_none(tmp_path):
    store = Store(tmp_path)
    with store.claim(what(0)), store.claim(what(1)):
        store.save(what(0), [np.zeros(1)], [{"seconds": 1.0}])
        mine, other = (store._unfinished(what(k)) / "checkpoint.npz" for k in (0, 1))
        shutil.copy(mine, other)
        assert store.resume(what(1)) is None
        assert not other.exists()
        assert store.resume(what(0)) is not None


def test_records_can_be_asked(tmp_path):
    store = Store(tmp_path / "it's")
    assert store.query("select 1") == []
    record = put(store)
    assert store.query("select max(value) from curves where step < 2") == [(2.0,)]
    assert store.query("select distinct id from curves") == [(record.id,)]
    assert set(record.facts["versions"]) >= {"jax", "numpy"}
    assert json.loads((record.folder / "record.json").read_text())["spec"] == what().spec


def test_others_may_read_a_record(tmp_path):
    """A folder made for temporary files is closed to all others."""
    before = os.umask(0o022)
    try:
        folder = put(Store(tmp_path)).folder
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_a_file_is_no_store(tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(Refusal, match="is a file"):
        Store(tmp_path / "runs")


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    store = Store(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(storing, "_sync", full)
        with pytest.raises(Refusal, match="disk is full"):
            put(store)
    assert list((tmp_path / "records").iterdir()) == []
    assert not (tmp_path / "unfinished").exists() or not list((tmp_path / "unfinished").glob("*/*"))
    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", full)
        with pytest.raises(Refusal, match="disk is full"):
            store.save(what(), [np.zeros(1)], [])
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(Refusal, match="disk is full"):
            files.write(tmp_path / "page.html", "text")
    assert not (tmp_path / "page.html").exists()


def test_a_writer_that_is_killed_leaves_nothing_that_counts(tmp_path):
    """Killed in the middle of `put`: no record, and one more call leaves exactly one and nothing beside it."""
    body = """
import sys, os, signal
sys.path.insert(0, sys.argv[2])
from test_store import *
def die(_): os.kill(os.getpid(), signal.SIGKILL)
storing._sync = die
store = Store(sys.argv[1])
with store.claim(what()): put(store)
"""
    here = str(Path(__file__).parent)
    ended = subprocess.run([sys.executable, "-c", body, str(tmp_path), here], check=False).returncode
    assert ended == -signal.SIGKILL
    store = Store(tmp_path)
    assert store.all() == []
    assert list(store.root.glob("records/*")) + list(store.root.glob("records/.*")) == []
    with store.claim(what()) as mine:
        assert mine
        record = put(store)
    assert [r.id for r in store.all()] == [record.id]
    assert not list((tmp_path / "unfinished").iterdir())


def test_who_only_looks_leaves_no_folder(tmp_path):
    store = Store(tmp_path)
    with store.claim(what()) as mine:
        assert mine
        with store.claim(what()) as also:
            assert not also
    assert not list((tmp_path / "unfinished").iterdir())
    with store.claim(what()):
        store.save(what(), [np.zeros(1)], [{"seconds": 1.0}])
    assert store.resume(what()) is not None  # a checkpoint stays


def test_writing_and_claiming_do_not_get_into_one_anothers_way(tmp_path):
    """One writes and clears away what another is about to lock: neither ever fails."""
    store, said, stop = Store(tmp_path), [], threading.Event()

    def look():
        while not stop.is_set():
            try:
                with store.claim(what()):
                    pass
            except BaseException as error:
                said.append(error)
                return

    threads = [threading.Thread(target=look) for _ in range(2)]
    for t in threads:
        t.start()
    try:
        for _ in range(60):
            put(store)
            shutil.rmtree(store.root / "records")
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert said == []


def test_where_no_folder_can_be_made_is_said_at_once(tmp_path, monkeypatch):
    """As in /proc, where it is as if whoever held the folder had removed it."""

    def mkdir(self, *_, **__):
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(type(tmp_path), "mkdir", mkdir)
    with pytest.raises(Refusal, match="nothing can be written"), Store(tmp_path / "x").claim(what()):
        pass


def test_a_lock_of_a_folder_that_was_removed_is_no_lock(tmp_path):
    """Two who lock one after the other, with the folder removed between, never both hold it."""
    store, held, worst = Store(tmp_path), threading.Semaphore(1), []

    def work():
        for _ in range(150):
            with store.claim(what()) as mine:
                if mine:
                    worst.append(held.acquire(blocking=False))
                    if worst[-1]:
                        held.release()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert all(worst)
    assert len(worst) > 100


def test_a_record_of_the_format_before_is_refused_in_a_sentence(tmp_path):
    folder = tmp_path / "records" / "0123456789abcdef"
    folder.mkdir(parents=True)
    (folder / "record.json").write_text(json.dumps({"format": 1, "spec": {"kind": "training"}}))
    store = Store(tmp_path)
    with pytest.raises(Refusal, match="has format 1"):
        store.pick("0123")
    assert store.outdated() == ["0123456789abcdef"]
    assert store.all() == []
    put(store)
    assert len(store.all()) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda facts: facts | {"format": -3},
        lambda facts: facts | {"code": {"nomoi.somewhere": "b"}},
        lambda facts: facts | {"code": []},
        lambda facts: facts | {"created": "yesterday"},
        lambda facts: facts | {"measures": None},
        lambda facts: facts | {"named": "x"},
        lambda facts: facts | {"own": 3},
        lambda facts: facts | {"versions": "1.0"},
        lambda facts: facts | {"parents": 1},
        lambda facts: facts | {"measures": {"x": True}},
        lambda facts: facts | {"measures": {"x": ["share"]}},
        lambda facts: facts | {"files": {}},
        lambda facts: facts | {"files": facts["files"] | {"more.npz": "0"}},
        lambda facts: facts | {"spec": facts["spec"] | {"seed": 1}},
        lambda facts: facts | {"spec": facts["spec"] | {"seed": "one"}},
        lambda facts: facts | {"spec": {}},
        lambda facts: [],
    ],
)
def test_a_record_that_is_not_what_it_says_is_refused(spoil, tmp_path):
    record = put(Store(tmp_path))
    (record.folder / "record.json").write_text(json.dumps(spoil(record.facts)))
    with pytest.raises(Refusal, match="is damaged"):
        read(record.folder)


@pytest.mark.parametrize("seed", [-1, 1.5, True])
def test_a_seed_is_a_whole_number_of_0_or_more(seed, tmp_path):
    asked = Asked(what().spec | {"seed": seed}, what().code)
    with pytest.raises(Refusal, match="its seed is no number"):
        Store(tmp_path).put(asked, ONE, named={}, measures={}, own={}, parents=[])


def test_a_file_that_was_changed_is_found_out_by_who_reads_it_whole(tmp_path):
    record = put(Store(tmp_path))
    with open(record.folder / "arrays.npz", "ab") as file:
        file.write(b"x")
    assert read(record.folder, whole=False).id == record.id
    with pytest.raises(Refusal, match=r"arrays.npz has changed since it was written"):
        read(record.folder)


def test_a_record_of_a_newer_nomoi_is_told_from_one_that_is_damaged(tmp_path):
    record = put(Store(tmp_path))
    assert record.facts["versions"]["nomoi"] == nomoi.__version__
    (record.folder / "record.json").write_text(json.dumps(record.facts | {"format": 3}))
    with pytest.raises(Refusal, match=r"has format 3, which a newer nomoi wrote, and 2 is the newest that nomoi 0\.\d"):
        read(record.folder)


def test_what_a_killed_process_left_of_a_finished_run_is_cleared_away(tmp_path):
    store = Store(tmp_path)
    record = put(store)
    left = store._unfinished(what())
    left.mkdir(parents=True)
    (left / "lock").touch()
    (left / "checkpoint.npz").write_bytes(b"")
    store.tidy(what())
    assert not left.exists()
    assert [r.id for r in store.all()] == [record.id]


def test_a_list_reads_the_record_alone_and_says_what_the_curve_would(tmp_path, monkeypatch):
    store = Store(tmp_path)
    curve = {"reward": (np.arange(3), np.array([1.0, 2.0, 4.5])), "none": (np.arange(2), np.array([1.0, np.nan]))}
    curve["odd"] = np.arange(1), np.array([np.inf])
    curve["never"] = np.arange(0), np.zeros(0)  # which no row of a curve names
    record = store.put(what(), curve, None, named={"label": "one"}, measures={}, own={}, parents=[])
    json.loads((record.folder / "record.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    for name in ("checksum", "parquet"):
        monkeypatch.setattr(recording, name, lambda *_: pytest.fail("asked"), raising=False)
    ((found,), damaged) = store.sound(whole=False)
    np.testing.assert_equal(found.glance(), (2, {"reward": 4.5, "odd": np.nan, "none": np.nan}))
    assert not damaged
    monkeypatch.undo()
    np.testing.assert_equal(record.late(), found.glance()[1])
    (record.folder / "curve.parquet").unlink()
    assert "damaged" in store.sound(whole=False)[1][0]


def test_late_are_the_rows_that_lie_wholly_in_the_last_eighth():
    assert recording.late({"a": (np.array([7, 8]), np.array([1.0, 2.0]))}) == {"a": 2.0}
    holed = np.array([9.0] * 14 + [np.nan, 3.0])
    assert recording.late({"a": (np.arange(1, 17), holed)}) == {"a": 3.0}  # 15 is not defined, and left out


def test_what_was_left_half_written_is_not_listed(tmp_path):
    left = tmp_path / "records" / ".left-half"
    left.mkdir(parents=True)
    (left / "record.json").write_text("{}")
    assert Store(tmp_path).sound() == ([], [])


def test_records_from_before_anything_was_noted_are_read_whole(tmp_path):
    store = Store(tmp_path)
    record = put(store)
    facts = {name: value for name, value in record.facts.items() if name not in ("late", "steps")}
    (record.folder / "record.json").write_text(json.dumps(facts))
    ((old,), _) = store.sound(whole=False)
    np.testing.assert_equal(old.glance(), record.glance())


@pytest.mark.parametrize(
    "odd",
    [
        {"late": {"reward": 10**400}},
        {"steps": True},
        {"steps": -5},
        {"created": np.nan},
        {"wall_seconds": {}},
        {"threads": -1},
    ],
)
def test_what_is_no_number_in_a_record_is_damage(tmp_path, odd):
    store = Store(tmp_path)
    record = put(store)
    (record.folder / "record.json").write_text(json.dumps(record.facts | odd))
    ((), (said,)) = store.sound(whole=False)
    assert "is damaged" in said
