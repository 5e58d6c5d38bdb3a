"""Runs and records: nothing is lost, nothing is doubled, whatever happens in between."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import jax
import numpy as np
import pytest

from nomoi import files
from nomoi.core import govern
from nomoi.errors import Refusal
from nomoi.institutions.levy import Levy
from nomoi.learners.ppo import PPO
from nomoi.runs import engine, regimes, store
from nomoi.runs.engine import Interrupted, train
from nomoi.runs.jobs import Job
from nomoi.runs.store import Store, identity
from nomoi.situations.pool import Pool

LEARNER = PPO(worlds=4, steps=8, minibatches=2, epochs=1, hidden=8)


def job(seed=0, rate=0.5, updates=6, chunk=2, **changes):
    situation = govern(Pool(horizon=6, **changes), Levy(on="request", rate=rate))
    return Job(situation, LEARNER, seed, updates, chunk)


def values(record):
    return {m: v for m, (_, v) in record.curve().items()}


def same(one, other):
    a, b = values(one), values(other)
    assert a.keys() == b.keys()
    for m in a:
        np.testing.assert_array_equal(a[m], b[m])
    for k, v in one.arrays().items():
        np.testing.assert_array_equal(v, other.arrays()[k])


def test_what_is_present_is_not_run_again(tmp_path, monkeypatch):
    first = train(Store(tmp_path), [job(), job(1)])
    monkeypatch.setattr(engine.Program, "build", lambda self: pytest.fail("compiled again"))
    again = train(Store(tmp_path), [job(), job(1)])
    assert [r.id for r in first] == [r.id for r in again]
    assert len(Store(tmp_path).all()) == 2


def test_settings_make_other_records_and_one_program(tmp_path):
    assert identity(job().spec()) != identity(job(rate=0.6).spec())
    assert identity(job().spec()) != identity(job(1).spec())
    assert identity(job().spec()) == identity(job().spec())
    assert engine._kind(job()) == engine._kind(job(rate=0.6, growth=0.3))
    assert engine._kind(job()) != engine._kind(job(levels=5))


def test_an_interrupted_run_goes_on_and_ends_the_same(tmp_path, monkeypatch):
    whole = train(Store(tmp_path / "whole"), [job(updates=8)])[0]
    monkeypatch.setattr(engine, "CHECKPOINT", 0.0)
    broken = Store(tmp_path / "broken")
    chunks = []

    def stop_after_two(progress):
        chunks.extend([progress.steps] * (progress.steps > 0))
        if len(chunks) == 2:
            raise KeyboardInterrupt

    with pytest.raises((Interrupted, KeyboardInterrupt)):
        train(broken, [job(updates=8)], stop_after_two, workers=1)
    assert broken.all() == []
    chunks.clear()
    resumed = train(broken, [job(updates=8)], lambda p: chunks.extend([p.steps] * (p.steps > 0)), workers=1)[0]
    assert len(chunks) <= 3  # of four: at least one was kept
    same(whole, resumed)
    assert not list((tmp_path / "broken" / "unfinished").iterdir())


def test_a_killed_process_loses_little_and_doubles_nothing(tmp_path):
    script = textwrap.dedent(f"""
        import sys; sys.path.insert(0, {os.path.dirname(__file__)!r})
        import jax; jax.config.update("jax_numpy_dtype_promotion", "strict")
        import nomoi.runs.engine as engine, time
        from nomoi.runs.store import Store
        from test_engine import job
        engine.CHECKPOINT = 0.0
        def tell(progress):
            if progress.steps:
                print(progress.steps, flush=True); time.sleep(0.3)
        engine.train(Store({str(tmp_path / "killed")!r}), [job(updates=8)], tell, workers=1)
    """)
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    left = Store(tmp_path / "killed")
    assert left.all() == []
    assert left.resume(job(updates=8).spec()) is not None
    steps = []
    record = train(left, [job(updates=8)], lambda p: steps.extend([p.steps] * (p.steps > 0)), workers=1)[0]
    assert len(steps) < 4
    same(record, train(Store(tmp_path / "whole"), [job(updates=8)])[0])
    assert len(record.curve()["reward"][0]) == 4


def test_two_at_once_run_it_once(tmp_path):
    told = []
    threads = [
        threading.Thread(
            target=lambda: train(
                Store(tmp_path), [job()], lambda p: told.extend([p.resumed] * (p.steps > 0)), workers=1
            )
        )
        for _ in range(2)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(Store(tmp_path).all()) == 1
    assert sum(not resumed for resumed in told) == 3  # three chunks, once


def test_stacked_runs_equal_single_ones(tmp_path):
    jobs = [job(0), job(1, rate=0.2), job(2)]
    single = train(Store(tmp_path / "single"), jobs, lanes=1)
    stacked = train(Store(tmp_path / "stacked"), jobs, lanes=2)
    for one, other in zip(single, stacked, strict=True):
        a, b = values(one), values(other)
        for m in a:
            np.testing.assert_allclose(a[m], b[m], rtol=2e-3, atol=2e-3)


def test_regimes_of_one_comparison_share_a_program():
    stack = [regimes.parse(text, text) for text in ("nothing", "levy(rate=1,on=request)", "contract(on=request)")]
    jobs = [Job(s, LEARNER, 0, 2, 1) for s in regimes.one_program(Pool(), stack)]
    assert len({engine._kind(j) for j in jobs}) == 1
    assert len({identity(j.spec()) for j in jobs}) == 3


def test_a_corrupt_record_is_refused_in_a_sentence(tmp_path):
    record = train(Store(tmp_path), [job()])[0]
    file = record.folder / "curve.parquet"
    file.write_bytes(file.read_bytes()[:-7])
    with pytest.raises(Refusal, match="damaged"):
        train(Store(tmp_path), [job()])
    (record.folder / "record.json").write_text("{")
    with pytest.raises(Refusal, match="damaged"):
        Store(tmp_path).all()


def test_a_corrupt_checkpoint_only_costs_time(tmp_path):
    store_ = Store(tmp_path)
    spec = job().spec()
    store_.save(spec, [np.zeros(3)], [{"seconds": 1.0}])
    file = store_._unfinished(spec) / "checkpoint.npz"
    file.write_bytes(b"PK\x03\x04 no archive")
    assert store_.resume(spec) is None
    store_.save(spec, [np.zeros(3)], [{"seconds": 1.0}])  # readable, but of another shape
    assert len(train(store_, [job()])[0].curve()["reward"][0]) == 3


def test_an_array_that_is_no_key_is_no_part_of_a_checkpoint():
    key = jax.random.key(3)
    data, shape = np.asarray(jax.random.key_data(key)), jax.eval_shape(lambda: key)
    for wrong in (data.astype(np.float32), data[:1], np.append(data, data), data.astype(np.int64), data[None]):
        assert engine._typed(wrong, shape) is None
    assert engine._typed(data, shape) == key


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    store_ = Store(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(store, "_write_text", full)
        with pytest.raises(Refusal, match="disk is full"):
            store_.put(job().spec(), {"reward": (np.zeros(1), np.ones(1))})
    assert list((tmp_path / "records").iterdir()) == []
    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", full)
        with pytest.raises(Refusal, match="disk is full"):
            store_.save(job().spec(), [np.zeros(1)], [])
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(Refusal, match="disk is full"):
            files.write(tmp_path / "page.html", "text")
    assert not (tmp_path / "page.html").exists()


def test_records_can_be_asked(tmp_path):
    store_ = Store(tmp_path / "it's")
    assert store_.query("select 1") == []
    record = store_.put({"kind": "x"}, {"reward": (np.arange(3), np.array([1.0, 2.0, np.nan]))}, label="one")
    assert store_.query("select max(value) from curves where step < 2") == [(2.0,)]
    assert store_.query("select distinct id from curves") == [(record.id,)]
    assert record.facts["label"] == "one"
    assert set(record.facts["versions"]) >= {"jax", "numpy"}
    assert json.loads((record.folder / "record.json").read_text())["spec"] == {"kind": "x"}


def test_a_file_is_no_store(tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(Refusal, match="is a file"):
        Store(tmp_path / "runs")


def test_idle_institutions_are_not_measured(tmp_path):
    stack = [regimes.parse("nothing", ""), regimes.parse("altar", "altar")]
    idle, acting = (Job(s, LEARNER, 0, 2, 2) for s in regimes.one_program(Pool(horizon=6), stack))
    one, other = train(Store(tmp_path), [idle, acting])
    assert "compliance" not in one.curve()
    assert "compliance" in other.curve()
    assert dataclasses.replace(idle, seed=5).seed == 5
    assert one.facts["device"] == jax.devices()[0].device_kind
    assert time.time() - one.facts["created"] < 600
