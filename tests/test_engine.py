"""Trainings: what is present is read, what was interrupted goes on, what shares a program is stacked."""

from __future__ import annotations

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
from training import LEARNER, Run, asked, same, train, trial, values

from nomoi.errors import Refusal
from nomoi.institutions.altar import Altar
from nomoi.institutions.contract import Contract
from nomoi.institutions.fine import Fine
from nomoi.institutions.gift import Gift
from nomoi.institutions.levy import Levy
from nomoi.institutions.vote import Vote
from nomoi.runs import engine, errand
from nomoi.runs.engine import Interrupted, Program, kind
from nomoi.runs.hands import Here, Programs
from nomoi.runs.make import _Queue, _Work
from nomoi.runs.shapes import one_program
from nomoi.runs.store import Store
from nomoi.runs.trained import Trained, schedule
from nomoi.runs.trial import trial_of
from nomoi.scripts.fixed import Random
from nomoi.situations.pool import Pool

pytestmark = pytest.mark.usefixtures("shared_programs")


def test_a_program_is_of_so_many_lanes(monkeypatch):
    monkeypatch.setattr(Program, "build", lambda self: self)
    known = Programs()
    one, four, again = (known.of(Run(trial(rate=rate)), lanes) for rate, lanes in ((0.5, 1), (0.6, 4), (0.5, 4)))
    assert (one.lanes, four.lanes, again) == (1, 4, four)


def test_what_is_present_is_not_run_again(tmp_path, monkeypatch):
    first = train(tmp_path, trial(), seeds=(0, 1))
    monkeypatch.setattr(Program, "build", lambda self: pytest.fail("compiled again"))
    again = train(tmp_path, trial(label="under another name"), seeds=(0, 1))
    assert [r.id for r in first] == [r.id for r in again]
    assert len(Store(tmp_path).all()) == 2


def test_settings_make_other_records_and_one_program():
    assert asked(trial()).id != asked(trial(rate=0.6)).id
    assert asked(trial()).id != asked(trial(), 1).id
    assert asked(trial()).id == asked(trial()).id
    assert kind(Run(trial())) == kind(Run(trial(rate=0.6, growth=0.3)))
    assert kind(Run(trial())) != kind(Run(trial(levels=5)))


def test_an_interrupted_run_goes_on_and_ends_the_same(tmp_path, monkeypatch):
    whole = train(tmp_path / "whole", trial(updates=4))[0]
    monkeypatch.setattr(engine, "CHECKPOINT", 0.0)
    broken, chunks = Store(tmp_path / "broken"), []

    def stop_after_two(progress):
        chunks.extend([progress.steps] * (progress.steps > 0))
        if len(chunks) == 2:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        train(broken, trial(updates=4), tell=stop_after_two, workers=1)
    assert broken.all() == []
    chunks.clear()
    monkeypatch.setattr(errand, "threads", lambda: 1 + whole.facts["threads"])  # as on another machine
    resumed = train(broken, trial(updates=4), tell=lambda p: chunks.extend([p.steps] * (p.steps > 0)), workers=1)[0]
    assert len(chunks) <= 3  # of four: at least one was kept
    same(whole, resumed)
    assert (whole.id, resumed.facts["threads"]) == (resumed.id, 0)  # not of one number of threads
    assert not list((tmp_path / "broken" / "unfinished").iterdir())


def process(body, *words):
    """Another process, with the tests' own modules."""
    head = f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r})\n"
    head += 'import jax; jax.config.update("jax_numpy_dtype_promotion", "strict")\nfrom training import *\n'
    return subprocess.Popen(
        [sys.executable, "-c", head + textwrap.dedent(body), *map(str, words)], stdout=subprocess.PIPE, text=True
    )


def test_a_killed_process_loses_little_and_doubles_nothing(tmp_path):
    other = process(
        """
        import nomoi.runs.engine as engine, time
        engine.CHECKPOINT = 0.0
        def tell(progress):
            if progress.steps:
                print(progress.steps, flush=True); time.sleep(0.3)
        train(sys.argv[1], trial(updates=4), tell=tell, workers=1)
        """,
        tmp_path / "killed",
    )
    assert other.stdout is not None
    other.stdout.readline()
    other.stdout.readline()
    other.send_signal(signal.SIGKILL)
    other.wait()
    other.stdout.close()
    left = Store(tmp_path / "killed")
    assert left.all() == []
    assert left.resume(asked(trial(updates=4))) is not None
    steps = []
    record = train(left, trial(updates=4), tell=lambda p: steps.extend([p.steps] * (p.steps > 0)), workers=1)[0]
    assert len(steps) < 4
    same(record, train(tmp_path / "whole", trial(updates=4))[0])
    assert len(record.curve()["reward"][0]) == 4
    assert record.facts["threads"] == errand.threads()  # of which both made their part
    assert [r.id for r in left.all()] == [record.id]
    assert not list((tmp_path / "killed" / "unfinished").iterdir())


def test_two_at_once_run_it_once(tmp_path):
    told = []
    threads = [
        threading.Thread(
            target=lambda: train(tmp_path, trial(), tell=lambda p: told.extend([p.steps] * (p.steps > 0)), workers=1)
        )
        for _ in range(2)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(Store(tmp_path).all()) == 1
    # three chunks by one of them, and the whole by the other, which read it
    assert sorted(told) == [32, 64, 96, 96]


def test_two_processes_share_the_work(tmp_path):
    """Of eight equal runs each makes at least three; together they make each once."""
    body = """
        import time, pathlib
        def tell(progress):
            if progress.steps:
                time.sleep(0.15)
        out, mine = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
        train(out / "warm" / mine.name, trial(), workers=1)  # compiled before they begin together
        mine.touch()
        while len(list(mine.parent.glob("ready*"))) < 2:
            time.sleep(0.01)
        made = make(Store(out), [trial(updates=4)], range(8), tell, workers=1)
        print(made.fresh)
    """
    both = [process(body, tmp_path / "shared", tmp_path / f"ready{k}") for k in range(2)]
    made = [int(p.communicate()[0]) for p in both]
    assert sum(made) == 8
    assert min(made) >= 3
    assert len(Store(tmp_path / "shared").all()) == 8


def test_what_another_process_holds_is_waited_for(tmp_path):
    store, done = Store(tmp_path), []
    with store.claim(asked(trial())) as mine:
        assert mine
        thread = threading.Thread(target=lambda: done.extend(train(tmp_path, trial(), workers=1)))
        thread.start()
        time.sleep(0.5)
        assert not done
        record = store.put(
            asked(trial()), {"reward": (np.zeros(1), np.ones(1))}, measures={}, named={}, own={}, parents=[]
        )
    thread.join()
    assert [r.id for r in done] == [record.id]
    assert values(done[0])["reward"].tolist() == [1.0]  # what the other one wrote


def test_an_error_in_one_worker_ends_all(tmp_path, monkeypatch):
    def fails(self):
        raise Refusal("no more memory")

    monkeypatch.setattr(Program, "build", fails)
    with pytest.raises(Refusal, match="no more memory"):
        train(tmp_path, trial(), seeds=(0, 1, 2), workers=2)
    assert not list((tmp_path / "unfinished").iterdir())


def test_stacked_runs_equal_single_ones(tmp_path):
    arms = [trial("a"), trial("b", rate=0.2)]
    single = train(tmp_path / "single", *arms, seeds=(0, 1, 2), lanes=1)
    stacked = train(tmp_path / "stacked", *arms, seeds=(0, 1, 2), lanes=4)
    for one, other in zip(single, stacked, strict=True):
        a, b = values(one), values(other)
        for m in a:
            np.testing.assert_allclose(a[m], b[m], rtol=2e-3, atol=2e-3)
    facts = stacked[0].facts
    assert facts["lanes"] == 4
    assert facts["wall_seconds"] * facts["steps_per_second"] == pytest.approx(arms[0].length, rel=0.2)  # its share


def test_on_a_gpu_runs_are_stacked_with_their_like_in_equal_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("nomoi.runs.make.LANES", 4)
    work = _Work(Store(tmp_path), lambda _: None, Here, None, old=False)
    short, long = trial("short"), trial("long", updates=9)
    runs = [Run(one, seed) for one, seeds in ((short, 10), (long, 3)) for seed in range(seeds)]
    queues = []
    for work.hands.gpu in (False, True):
        queues.append(_Queue(work, list(runs), {}))
    assert [[q.lanes(Run(one, 0)) for one in (short, long)] for q in queues] == [[1, 1], [4, 3]]
    groups = []
    while queues[1].waiting:
        group, held = queues[1].take()
        groups.append(sorted((r.trial.label, r.seed) for r in group))
        held.close()
    assert [len(g) for g in groups] == [4, 4, 2, 3]
    assert all(len({label for label, _ in g}) == 1 for g in groups)


def test_a_trial_can_be_made_without_a_store(tmp_path):
    curve, arrays = trial().make(jax.random.key(0), ())
    record = train(tmp_path, trial())[0]
    for m, (steps, value) in record.curve().items():
        np.testing.assert_array_equal(value, curve[m][1])
        np.testing.assert_array_equal(steps, curve[m][0])
    for name, array in record.arrays().items():
        np.testing.assert_array_equal(array, arrays[name])
    again = trial_of(record)
    assert isinstance(again, Trained)
    assert Run(again, 0).asked.id == record.id


def test_regimes_of_one_comparison_share_a_program():
    stacks = [(), (Levy(rate=1, on="request"),), (Contract(on="request"),)]
    trials = [Trained(str(k), s, (), 64, LEARNER) for k, s in enumerate(one_program(Pool(), stacks))]
    assert len({kind(Run(t)) for t in trials}) == 1
    assert len({asked(t).id for t in trials}) == 3


def test_stacks_share_a_program_as_long_as_their_orders_agree():
    levy, gift, fine = Levy(on="request"), Gift(), Fine(on="request")
    trees = lambda *stacks: len({jax.tree.structure(s) for s in one_program(Pool(), stacks)})  # noqa: E731
    assert trees((levy, gift), (gift,), (levy, gift), (levy, fine, gift)) == 1
    assert trees((levy, gift), (gift, levy)) == 2
    (one, other) = one_program(Pool(), [(levy, gift), (fine, levy)])
    assert [i.name for i in one.institutions] == [i.name for i in other.institutions] == ["fine", "levy", "gift"]
    assert [bool(i.in_force) for i in other.institutions] == [True, True, False]


def test_what_is_not_in_force_keeps_the_shape_of_what_is():
    """A vote on four rates asks for one of four, also of those who have no vote."""
    free, voting = one_program(Pool(), [(), (Vote(on="request", rates=[0.0, 1.0, 2.0, 3.0]),)])
    idle, acting = (Trained("n", s, (), 64, LEARNER) for s in (free, voting))
    assert kind(Run(idle)) == kind(Run(acting)) == kind(Run(trial_of_spec(idle)))


def test_a_regime_is_one_run_whatever_it_is_compared_with():
    """What is not in force, and adds nothing that is seen or answered, is not part of what was run."""
    alone = Trained("n", Pool(), (), 64, LEARNER)
    for more in ((Levy(on="request"),), (Levy(on="request", rate=3), Levy(title="second", on="request"))):
        padded = Trained("n", one_program(Pool(), [(), more])[0], (), 64, LEARNER)
        assert asked(padded).id == asked(alone).id
    seen = [Trained("n", one_program(Pool(), [(), (c,)])[0], (), 64, LEARNER)
            for c in (Contract(on="request"), Contract(on="request", high=2.0))]  # fmt: skip
    assert asked(seen[0]).id != asked(alone).id  # the network answers more
    assert asked(seen[0]).id == asked(seen[1]).id  # whatever the other regime's contract would pay
    assert kind(Run(trial_of_spec(seen[0]))) == kind(Run(seen[0]))


class Late(Levy):
    """A levy that comes into force in the second half of training."""

    def at(self, progress):
        return self.replace(in_force=progress > 0.5)


def test_what_comes_into_force_later_or_is_read_by_others_is_part_of_the_run():
    later = Trained("l", Pool(), (Late(on="request", in_force=False),), 64, LEARNER)
    assert asked(later).id != asked(Trained("n", Pool(), (), 64, LEARNER)).id
    read = Trained("r", Pool(), (Levy(on="request", in_force=False), Fine(on="levy.paid")), 64, LEARNER)
    again = trial_of_spec(read)
    assert [i.name for i in again.place.institutions] == ["levy", "fine"]
    assert [bool(i.in_force) for i in again.place.institutions] == [False, True]
    assert asked(again).id == asked(read).id


def trial_of_spec(one):
    from nomoi.core.spec import rebuild

    told = one.spec()
    return rebuild(told | {"options": told["options"] | {"label": one.label}})


def test_a_corrupt_record_is_refused_in_a_sentence(tmp_path):
    record = train(tmp_path, trial())[0]
    file = record.folder / "curve.parquet"
    file.write_bytes(file.read_bytes()[:-7])
    with pytest.raises(Refusal, match="damaged"):
        train(tmp_path, trial())
    (record.folder / "record.json").write_text("{")
    with pytest.raises(Refusal, match="damaged"):
        Store(tmp_path).all()


def test_a_corrupt_checkpoint_only_costs_time(tmp_path):
    store, what = Store(tmp_path), asked(trial())
    store.save(what, [np.zeros(3)], [{"seconds": 1.0}])
    file = store._unfinished(what) / "checkpoint.npz"
    file.write_bytes(b"PK\x03\x04 no archive")
    assert store.resume(what) is None
    store.save(what, [np.zeros(3)], [{"seconds": 1.0}])  # readable, but of another shape
    assert len(train(store, trial())[0].curve()["reward"][0]) == 3


def test_an_array_that_is_no_key_is_no_part_of_a_checkpoint():
    key = jax.random.key(3)
    data, shape = np.asarray(jax.random.key_data(key)), jax.eval_shape(lambda: key)
    for wrong in (data.astype(np.float32), data[:1], np.append(data, data), data.astype(np.int64), data[None]):
        assert engine._typed(wrong, shape) is None
    assert engine._typed(data, shape) == key


def test_idle_institutions_are_not_measured(tmp_path):
    idle, acting = one_program(Pool(horizon=6), [(), (Altar(),)])
    one, other = train(tmp_path, Trained("idle", idle, (), 32, LEARNER), Trained("acting", acting, (), 32, LEARNER))
    assert "compliance" not in one.curve()
    assert "compliance" in other.curve()
    assert other.facts["measures"]["compliance"][0] == "share"
    assert one.facts["device"] == jax.devices()[0].device_kind
    assert time.time() - one.facts["created"] < 600


def test_a_script_cannot_be_trained():
    with pytest.raises(Refusal, match="random never learns"):
        schedule(Random(), 100)
