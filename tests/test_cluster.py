"""A cluster: what a worker makes is what this process makes, and whoever dies costs no more than a checkpoint.

Ray itself is in the slow tests; in the others stands a small one that does at once, in this process, what it is asked.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import threading
import types
from unittest.mock import Mock

import numpy as np
import pytest
from training import UPDATE, asked, same, train, trial

from nomoi.core import own
from nomoi.errors import Missing, Refusal
from nomoi.runs import cluster, engine, errand, hands
from nomoi.runs import make as making
from nomoi.runs.make import make
from nomoi.runs.store import Store
from nomoi.runs.trial import Run
from nomoi.runs.trials import Computed

pytestmark = pytest.mark.usefixtures("shared_programs")


class Died(Exception):
    """What Ray raises when a worker is lost."""


class TooLate(Died):
    """What it raises when one does not answer in time."""


class Ray:
    """As much of Ray as the driver uses: one machine, workers in this process."""

    cloudpickle = pickle
    exceptions = types.SimpleNamespace(RayError=Died, GetTimeoutError=TooLate)

    def __init__(self, doomed=False, room=2.0, late=False, gpus=0.0):
        self.untold, self.gpus, self.asked = {}, gpus, []
        self.doomed, self.always, self.room, self.late, self.started, self.killed = doomed, doomed, room, late, 0, 0

    def is_initialized(self):
        return True

    def cluster_resources(self):
        return {name: x for name, x in (("CPU", self.room), ("GPU", self.gpus)) if x}

    def nodes(self):
        return [{"Alive": True}]

    def remote(self, cls):
        def options(**wants):
            return types.SimpleNamespace(remote=lambda threads: self._start(cls, threads, wants))

        return types.SimpleNamespace(options=options)

    def _start(self, cls, threads, wants):
        self.started += 1
        self.asked.append((threads, wants.get("num_cpus"), wants.get("num_gpus")))
        worker = cls()
        return types.SimpleNamespace(**{name: self._method(worker, name) for name in Methods})

    def _method(self, worker, name):
        return types.SimpleNamespace(remote=lambda *given: lambda: self._call(worker, name, given))

    def _call(self, worker, name, given):
        if name == "news" and self.doomed:
            self.doomed = self.always
            raise Died("The actor died.\nBecause of much.")
        told = getattr(worker, name)(*given)
        if name != "news":
            return told
        kept = self.untold.setdefault(id(worker), [])  # one thing at a time, so that a worker can die between two
        kept += told
        return [kept.pop(0)] if kept else []

    def get(self, ref, timeout=None):
        if timeout and self.late:
            raise TooLate
        return ref()

    def kill(self, worker):
        self.killed += 1


Methods = ("versions", "train", "make", "news", "halt", "leave")


@pytest.fixture
def ray(monkeypatch):
    """ray(...): from then on that is Ray."""

    def give(**how):
        made = Ray(**how)
        monkeypatch.setattr(cluster, "_ray", lambda: made)
        return made

    return give


def test_a_worker_that_dies_costs_what_it_did_since_its_checkpoint(tmp_path, ray, monkeypatch):
    monkeypatch.setattr(engine, "CHECKPOINT", 0.0)
    whole = train(tmp_path / "whole", trial(updates=4), workers=1)[0]
    monkeypatch.setattr(errand, "PATIENCE", 0.0)
    heard, said, stand_in = [], [], ray()

    def tell(told):
        if isinstance(told, str):
            said.append(told)
            return
        heard.append(told.steps)
        if told.steps == 2 * UPDATE and stand_in.started == 1:
            stand_in.doomed = True  # at the next news, when this chunk's checkpoint may have come or not

    record = train(tmp_path / "left", trial(updates=4), tell=tell, on="ray", workers=1)[0]
    same(whole, record)
    assert (record.id, stand_in.started) == (whole.id, 2)
    died = "A worker died over 'levied' (The actor died); another goes on from the last checkpoint."
    assert said == ["1 worker of Ray on 1 machine.", died]
    assert heard.count(UPDATE) == 1, "it began anew"
    assert not list((tmp_path / "left" / "unfinished").iterdir())


def test_who_is_halted_sends_its_checkpoint():
    worker, run = errand.Errands(), Run(trial(updates=4))
    worker.train(pickle.dumps([(run.trial, 0, [], asked(run.trial).id)]), {}, {}, 1)
    worker.halt()
    heard = list[str]()
    while heard[-1:] != ["interrupted"]:
        heard += [what for what, _ in worker.news()]
        assert "made" not in heard
    assert heard[-2] == "save"
    worker.leave()


def test_runs_that_kill_every_worker_are_refused(tmp_path, ray):
    stand_in = ray(doomed=True)
    with pytest.raises(
        Refusal, match=r"3 workers died over 'levied' \(The actor died\); more memory or fewer --workers"
    ):
        train(tmp_path, trial(), on="ray", workers=1)
    assert stand_in.started == cluster.LIVES


OWN = """
import dataclasses
from nomoi.runs.trial import Trial


def halved(key, x):
    return {"half": x / 2}


@dataclasses.dataclass(frozen=True, eq=False)
class Twice(Trial):
    def make(self, key, parents):
        return {"twice": 4.0 * parents[0].late()["half"]}, {}
"""


def test_parents_and_files_of_ones_own_travel(tmp_path, ray, monkeypatch):
    (tmp_path / "mine.py").write_text(OWN)
    mine = own.module(tmp_path / "mine.py")
    trials = [Computed("half", mine.halved, {"x": 3.0}), mine.Twice("twice", parent="half")]
    stand_in, loaded = ray(), []
    monkeypatch.setattr(own, "module", lambda path, load=own.module: loaded.append(path) or load(path))
    results = make(Store(tmp_path / "there"), trials, range(3), on="ray", workers=2).results
    assert [r.late() for r in results.records["twice"]] == [{"twice": 6.0}] * 3
    assert stand_in.started == stand_in.killed > 0
    assert {path.name for path in loaded} == {"mine.py"}
    assert all(not path.exists() for path in loaded), "a worker left something behind"
    (parent, *_) = results.records["half"]
    assert cluster._own(parent) == ["mine.py"]  # of a parent too, whose child may name none


@pytest.mark.parametrize(
    ("how", "given", "said"),
    [
        ({"room": 0}, {}, "no processor that is free"),
        ({"late": True}, {}, "no worker of the cluster has started within 180 s"),
        ({}, {"on": "slurm"}, r"--on is 'slurm'; ray \(workers of this machine\) or ray://HOST:PORT"),
        *(({}, {"on": f"ray://{at}"}, "--on is") for at in ("", "lab", "lab:", ":1", "lab:0", "lab:65536", "a b:1")),
        ({}, {"workers": 0}, "--workers is 0; a whole number of at least 1"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, ray, how, given, said):
    ray(**how)
    with pytest.raises(Refusal, match=said):
        train(tmp_path, trial(), **{"on": "ray", "workers": 1, **given})
    assert not (tmp_path / "records").exists()


def test_a_cluster_that_does_not_answer_is_a_sentence(tmp_path, ray, monkeypatch):
    monkeypatch.setattr(cluster.atexit, "register", lambda *call: None)
    fresh = ray()

    def init(**_):
        raise ConnectionError("ray client connection timeout\nand forty lines of Ray")

    fresh.is_initialized, fresh.init = lambda: False, init
    with pytest.raises(Refusal) as refused:
        train(tmp_path, trial(), on="ray://lab:10001", workers=1)
    said = str(refused.value)
    assert said.startswith(
        "the cluster ray://lab:10001 cannot be reached (ray client connection timeout); `ray status`"
    )
    assert "forty" not in said
    assert not (tmp_path / "records").exists()


def test_no_place_is_given_by_an_empty_text(nomoi):
    status, _, err = nomoi("compare", "pool", "--on", "")
    assert (status, err) == (2, "nomoi: --on is empty; ray or ray://HOST:PORT would be right, and nothing at all for "
                                "this process.\n")  # fmt: skip


def test_who_is_interrupted_says_at_once_that_it_ends(tmp_path, ray, monkeypatch):
    """A worker that compiles has nothing to save, and is waited for no longer than HALT."""
    monkeypatch.setattr(cluster, "HALT", 0.05)
    monkeypatch.setattr(errand, "PATIENCE", 0.01)
    ray()
    monkeypatch.setattr(errand.Errands, "train", lambda *_: None)  # it compiles for ever

    def waited(futures):
        raise KeyboardInterrupt

    monkeypatch.setattr(making, "wait", waited)
    said = []
    with pytest.raises(engine.Interrupted):
        train(tmp_path, trial(), tell=lambda p: said.extend([p] * isinstance(p, str)), on="ray", workers=1)
    assert said == ["1 worker of Ray on 1 machine.", making.ENDING]


@pytest.mark.parametrize(
    ("told", "kind", "says"),
    [
        (("refused", "Too much memory."), Refusal, "Too much memory"),
        (("missing", "No such data."), Missing, "No such data"),
        (("failed", ("ValueError: no", "where it was")), RuntimeError, "ValueError: no\non a worker:\nwhere it was"),
    ],
)
def test_what_goes_wrong_on_a_worker_goes_wrong_here(tmp_path, ray, monkeypatch, told, kind, says):
    stand_in = ray()
    monkeypatch.setattr(errand.Errands, "train", lambda *_: None)
    monkeypatch.setattr(errand.Errands, "news", lambda _: [told])
    with pytest.raises(kind, match=says):
        train(tmp_path, trial(), on="ray", workers=1)
    assert stand_in.started == stand_in.killed == 1, "a worker was left, or another was tried in vain"


def test_workers_of_other_versions_or_other_code_are_refused(tmp_path, ray, monkeypatch):
    ray()
    ours = errand.versions()
    for name, has in (("jax", "on the driver"), ("more", "not there on the driver")):
        monkeypatch.setattr(errand.Errands, "versions", lambda self, name=name: {**ours, name: "0.1"})
        with pytest.raises(Refusal, match=rf"{name} is 0\.1 on a worker and .*{has}; install the same"):
            train(tmp_path, trial(), on="ray", workers=1)
    monkeypatch.undo()
    ray()
    real = cluster._Far._sent

    def renamed(self, runs):
        errand_, files = real(self, runs)
        return pickle.dumps([(*one[:3], "another-name") for one in pickle.loads(errand_)]), files

    monkeypatch.setattr(cluster._Far, "_sent", renamed)
    with pytest.raises(Refusal, match="runs other code than the driver"):
        train(tmp_path, trial(), on="ray", workers=1)


def test_a_worker_has_one_processor_and_computes_with_as_many_threads_as_the_driver(tmp_path):
    """By these XLA splits sums, and so rounds: with one, records would be others under the same name."""
    code = """
import contextlib
import os
from nomoi.runs import errand
for name in errand.THREADS:
    os.environ.pop(name, None)
known = errand.threads() == len(os.sched_getaffinity(0))
os.environ |= {"PJRT_NPROC": "x", "NPROC": "5"}
known &= errand.threads() == 5
os.environ["PJRT_NPROC"] = "0"  # one, and not as many as there are
known &= errand.threads() == 1
worker = errand.Errands(3)
known &= errand._pinned() is None  # it is taken
import jax
jax.numpy.zeros(1)
names = [open(f"/proc/self/task/{task}/comm").read() for task in os.listdir("/proc/self/task")]
print(known, errand.threads(), len(os.sched_getaffinity(0)), sum("XLAEigen" in name for name in names))
"""
    env = os.environ | {"TMPDIR": str(tmp_path)}  # where it is noted which processors are taken
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.stdout.split() == ["True", "3", "1", "3"], done.stderr


@pytest.mark.parametrize(
    ("room", "gpus", "workers", "got"),
    [(3.0, 0.0, None, 3), (3.0, 0.0, 2, 2), (3.0, 0.0, 9, 3), (3.0, 1.0, None, 1), (3.0, 2.0, 9, 2)],
)
def test_a_worker_asks_for_one_device_and_has_the_drivers_threads_where_it_is_a_processor(
    ray, room, gpus, workers, got
):
    stand_in = ray(room=room, gpus=gpus)
    hands_ = hands.hands("ray", workers)()
    assert (hands_.workers, hands_.gpu) == (got, gpus > 0)
    hands_.start(threading.Event())
    assert stand_in.asked == [(0, 0, 1) if gpus else (errand.threads(), 1, None)]


def test_a_worker_that_dies_as_it_starts_tells_of_its_machine_alone_once_another_has_started(tmp_path, ray):
    stand_in, stop = ray(), threading.Event()
    some, answer = hands.hands("ray", 2)(), stand_in.get

    def died(ref, timeout=None):
        raise Died("The node died.")

    stand_in.get = died
    with pytest.raises(Refusal, match=r"cannot start \(The node died\); nomoi must be installed"):
        some.start(stop)
    stand_in.get = answer
    some.start(stop)
    stand_in.get = died
    with pytest.raises(Died):
        some.start(stop)
    asked = []

    def late(ref, timeout=None):  # no room, as long as the other is at work
        asked.append(ref)
        if len(asked) > 2 * cluster.START:
            stop.set()
        raise TooLate

    stand_in.get = late
    some.busy.add("another")
    with pytest.raises(engine.Interrupted):
        some.start(stop)
    stop.clear()
    asked.clear()
    some.busy.clear()
    with pytest.raises(Refusal, match="no worker of the cluster has started within 180 s"):
        some.start(stop)
    assert len(asked) == cluster.START


def test_who_is_halted_is_told_once_and_waited_for_until_its_checkpoint_is_there(tmp_path, ray):
    store, one, stop, halts = Store(tmp_path), Run(trial()), threading.Event(), []
    told = iter([[], [("save", (one.asked.id, [np.arange(3)], [{"seconds": 1.0}]))], [("interrupted", None)]])
    far = cluster._Far(hands.hands("ray", 1)() if ray() else None, store, lambda _: None, stop)
    far.worker = types.SimpleNamespace(
        halt=types.SimpleNamespace(remote=lambda: halts.append(1)),
        news=types.SimpleNamespace(remote=lambda: lambda: next(told)),
    )
    stop.set()
    with pytest.raises(engine.Interrupted):
        far._followed([one])
    assert halts == [1]
    assert store.resume(one.asked)[1] == [{"seconds": 1.0}]


def test_who_has_left_is_at_work_no_more():
    """Else whoever waits for a worker would wait for ever, since one of ours might end."""
    ours = Mock(spec=cluster.Cluster, busy=set(), ray=Mock())
    far = cluster._Far(ours, Mock(spec=Store), print, threading.Event())
    ours.busy.add(far)
    far.leave()
    assert not ours.busy


def test_no_memory_on_a_worker_is_a_sentence():
    worker, sent = errand.Errands(), []
    worker._news = types.SimpleNamespace(put=sent.append)
    for error in (MemoryError("no 4 GB"), RuntimeError("RESOURCE_EXHAUSTED: no 4 GB\nand much"), RuntimeError("other")):
        worker._tried(lambda error=error: (_ for _ in ()).throw(error))
    assert [kind for kind, _ in sent] == ["refused", "refused", "failed"]
    for _, said in sent[:2]:
        assert "has not enough memory for this (" in said
        assert "no 4 GB); one on a larger machine, or fewer --workers, may do. What is finished is kept." in said
    worker.leave()


def test_nothing_of_ray_is_loaded_without_it():
    code = "import sys, nomoi.runs.make; sys.exit(bool({'ray', 'nomoi.runs.cluster'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_without_ray_a_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(Refusal, match=r"pip install 'nomoi\[cluster\]'"):
        hands.hands("ray")()


def test_who_ends_waits_until_ray_has_ended_what_it_started(ray, monkeypatch):
    known, at_the_end, done = {end: signal.getsignal(end) for end in cluster.ENDS}, [], []
    monkeypatch.setattr(cluster.atexit, "register", lambda *call: at_the_end.append(call))
    fresh = ray()
    fresh.is_initialized, fresh.init = lambda: False, lambda **_: None
    fresh.shutdown = lambda: done.append({signal.getsignal(end) for end in cluster.ENDS})
    hands.hands("ray://lab:10001")()
    ((ended, *of),) = at_the_end
    assert {end: signal.getsignal(end) for end in cluster.ENDS} == known
    try:
        ended(*of)
    finally:
        for end, handler in known.items():
            signal.signal(end, handler)
    assert done == [{signal.SIG_IGN}]


@pytest.mark.slow
def test_ray_itself_makes_the_same_though_a_worker_is_killed(tmp_path):
    """Half a minute on two processors, in a process of its own: Ray's threads and sockets stay as long as it does."""
    pytest.importorskip("ray", reason="Ray is not installed; pip install 'nomoi[cluster]' does that")
    done = subprocess.run([sys.executable, "-c", REAL, tmp_path], capture_output=True, text=True, cwd=HERE)
    assert done.returncode == 0, done.stderr[-2000:]
    records = [Store(tmp_path / side).all() for side in ("there", "here")]
    there, here = (sorted(some, key=lambda r: r.id) for some in records)
    assert [r.id for r in there] == [r.id for r in here]
    for one, other in zip(there, here, strict=True):
        same(one, other)
    assert "another goes on from the last checkpoint" in done.stdout
    left = subprocess.run(["pgrep", "-f", f"ray::Errands.*|{tmp_path}"], capture_output=True, text=True).stdout
    assert not left


HERE = pathlib.Path(__file__).parent
REAL = """
import os, signal, subprocess, sys
from nomoi.runs import engine
from nomoi.runs.make import make
from nomoi.runs.store import Store
from training import trial

killed = []

def tell(told):
    if isinstance(told, str):
        print(told)
    elif told.steps and not killed:
        workers = subprocess.run(["pgrep", "-f", "ray::Errand[s]"], capture_output=True, text=True).stdout.split()
        killed.append(workers[0])
        os.kill(int(workers[0]), signal.SIGKILL)

long = trial(updates=15_000)
make(Store(sys.argv[1] + "/there"), [long], range(2), tell, on="ray", workers=2)
make(Store(sys.argv[1] + "/here"), [long], range(2), workers=2)
"""

HUNGRY = """
import os, resource, time
import numpy as np
from nomoi.runs.study import Study
from nomoi.runs.trials import Computed

MB, SIZE = 1_000_000, int(os.environ.get("HUNGER", 0))  # workers of this machine have the environment of who starts


def modest(key):
    return {"eaten": 0.0}


def hungry(key):
    if limit := int(os.environ.get("LIMIT", 0)):
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + limit * MB, -1))
    eaten = []
    for _ in range(SIZE // 50):
        eaten.append(np.ones(50 * MB, np.uint8))
        time.sleep(0.1)
    time.sleep(3 * bool(SIZE))
    return {"eaten": float(sum(map(len, eaten)))}


STUDY = Study("hunger", "?", [], lambda size: [Computed("modest", modest), Computed("hungry", hungry, exact=True)],
              {"laptop": 2})
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limit", "said"),
    [("process", "has not enough memory for this (Unable to allocate"), ("machine", "3 workers died over 'hungry' (")],
)
def test_a_worker_without_memory_is_a_sentence_and_loses_nothing(tmp_path, limit, said):
    """A limit of the process, at which it is told no, and Ray's watch over the machine, which kills; a minute each."""
    pytest.importorskip("ray", reason="Ray is not installed; pip install 'nomoi[cluster]' does that")
    (tmp_path / "hunger.py").write_text(HUNGRY)
    told = dict(line.split(":") for line in pathlib.Path("/proc/meminfo").read_text().splitlines())
    whole, free = (int(told[name].split()[0]) / 1e3 for name in ("MemTotal", "MemAvailable"))
    more = {"LIMIT": "300"} if limit == "process" else {
        "RAY_memory_usage_threshold": str((whole - free + 2500) / whole),
        "RAY_memory_monitor_refresh_ms": "50",
    }  # fmt: skip
    env = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
    env |= {"NPROC": "1", "OF": str(tmp_path)}  # by which what is left is known
    words = [sys.executable, "-c", "from nomoi.cli import main; main()", "run", "hunger.py", "--workers", "1"]

    def ran(*on, **more):
        return subprocess.run([*words, *on], capture_output=True, text=True, cwd=tmp_path, env=env | more)

    for _ in range(3):
        done = ran("--on", "ray", HUNGER="4000", **more)
        if "Ray cannot start" not in done.stderr:  # in time, on a machine that others use
            break
    assert done.returncode == 2, done.stderr[-2000:]
    assert said in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    kept = {record.label: record.id for record in Store(tmp_path / "runs").all()}
    assert kept.keys() == {"modest"}
    assert not list((tmp_path / "runs" / "unfinished").iterdir())
    assert not _of(tmp_path), "a process was left"
    assert ran(HUNGER="0").returncode == 0
    assert len(Store(tmp_path / "runs").all()) == 3


def _of(folder):
    """The processes that stand in a folder, or were told of it."""
    found = []
    for pid in (p for p in os.listdir("/proc") if p.isdigit() and int(p) != os.getpid()):
        with contextlib.suppress(OSError):
            told = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() + pathlib.Path(f"/proc/{pid}/environ").read_bytes()
            if str(folder).encode() in told:
                found.append(pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found
