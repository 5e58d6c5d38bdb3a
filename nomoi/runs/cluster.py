"""A cluster: runs made by workers of Ray, on this machine or on many.

The driver owns the store.  It sends a worker what is to be made with the last checkpoint, asks for news, and writes
what comes: so no folder is shared, a worker or a machine that dies costs seconds, and a driver that dies goes on as it
does without Ray.  See docs/guide/cluster.md.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from nomoi.errors import Missing, Refusal
from nomoi.runs import errand
from nomoi.runs.engine import Interrupted, Progress, Tell
from nomoi.runs.hands import Hand, Hands, Made, made
from nomoi.runs.spoken import Spoken
from nomoi.runs.store import Store
from nomoi.runs.trial import Run
from nomoi.speak.desk import desk

LIVES = 3  # workers that may die over the same runs before it is taken for the runs' fault (ours)
HALT = 10.0  # seconds within which a worker that is halted must have sent its checkpoint (ours)
START = 180  # seconds within which a worker must have started, where no other of ours is at work (ours)
ENDS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")  # who says goodbye late must not start another cluster
    if (Path.home() / ".ray" / "auth_token").exists():  # clusters ask for it, and clients only show it when told to
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    try:
        import ray
    except ImportError:
        raise Refusal("--on ray needs Ray, which is not installed; pip install 'nomoi[cluster]' does that.") from None
    return ray


def reached(on: str, workers: int | None, tell: Tell) -> Hands:
    """The cluster at an address; one that is started here ends with this process."""
    ray = _ray()
    _connect(ray, on, workers)
    cluster = Cluster(ray, workers)
    machines = sum(node["Alive"] for node in ray.nodes())
    tell(f"{cluster.workers} worker{'s' * (cluster.workers > 1)} of Ray on {machines} machine{'s' * (machines > 1)}.")
    return cluster


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Ray's handlers end the process at once; ours save what there is."""
    main = threading.current_thread() is threading.main_thread()
    before = {end: signal.getsignal(end) for end in ENDS} if main else {}
    try:
        yield
    finally:
        for end, handler in before.items():
            signal.signal(end, handler)


def _ended(ray: Any) -> None:
    """Ray ends what it has started when this process ends, which takes seconds; nobody's impatience cuts that short."""
    for end in ENDS:
        signal.signal(end, signal.SIG_IGN)
    ray.shutdown()


def _connect(ray: Any, on: str, workers: int | None) -> None:
    # words of Ray's own about dashboards and statistics are of no help to who waits for a table
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        with contextlib.redirect_stderr(io.StringIO()), _own_signals():
            if ray.is_initialized():
                return
            atexit.register(_ended, ray)
            if on != "ray":
                ray.init(address=on, **quiet)
            else:
                os.environ.setdefault("RAY_worker_niceness", "0")  # a machine of one's own; Ray would say 15
                ray.init(address="local", num_cpus=workers, include_dashboard=False, **quiet)
    except Exception as error:  # Ray raises nearly anything, in many lines
        why = str(error).strip().split("\n")[0] or type(error).__name__
        if on == "ray":
            raise Refusal(
                f"Ray cannot start on this machine ({why.rstrip('.')}); where the machine is busy, or short of memory "
                "or of room in /tmp, the same command may do later, and without --on it needs no Ray."
            ) from None
        raise Refusal(
            f"the cluster {on} cannot be reached ({why.rstrip('.')}); `ray status` on its head tells whether it runs; "
            "both sides need the same Ray, the same Python, and its token (~/.ray/auth_token)."
        ) from None


class Cluster(Hands):
    """The workers of a cluster: one a GPU where it has some, else one a processor."""

    far = True

    def __init__(self, ray: Any, workers: int | None):
        self.ray, room = ray, ray.cluster_resources()
        self.gpu = room.get("GPU", 0) >= 1
        most = int(room.get("GPU", 0) if self.gpu else room.get("CPU", 0))
        if most < 1:
            raise Refusal("the cluster has no processor that is free; start a node with `ray start`.")
        self.workers = min(workers or most, most)
        needs = {"num_gpus": 1, "num_cpus": 0} if self.gpu else {"num_cpus": 1}
        self.busy, self.known = set[Any](), False  # hands that have a worker; whether any has started
        self._actor = ray.remote(errand.Errands).options(scheduling_strategy="SPREAD", max_concurrency=4, **needs)

    def start(self, stop: threading.Event) -> Any:
        """A new worker, of the same versions as the driver; one for which there is no room waits for ours to end."""
        worker = self._actor.remote(0 if self.gpu else errand.threads())
        try:
            theirs = self._answer(worker.versions.remote(), stop)
        except self.ray.exceptions.RayError as error:
            if self.known:  # one has started before, so that nothing is amiss but this worker or its machine
                raise
            raise Refusal(f"a worker of the cluster cannot start ({_first(error)}); nomoi must be installed on every "
                          "node.") from None  # fmt: skip
        ours = errand.versions()
        if theirs != ours:
            name = next(n for n in {**ours, **theirs} if ours.get(n) != theirs.get(n))
            has = [side.get(name, "not there") for side in (theirs, ours)]
            raise Refusal(f"{name} is {has[0]} on a worker and {has[1]} on the driver; "
                          "install the same on every node.")  # fmt: skip
        self.known = True
        return worker

    def _answer(self, asked: Any, stop: threading.Event) -> Any:
        """The first answer of a worker, once it has started."""
        waited = 0
        while True:
            try:
                return self.ray.get(asked, timeout=1)
            except self.ray.exceptions.GetTimeoutError:
                waited += 1
            if stop.is_set():
                raise Interrupted
            if waited >= START and not self.busy:
                raise Refusal(f"no worker of the cluster has started within {START} s; `ray status` tells what is in "
                              "use, and fewer --workers may do.")  # fmt: skip

    @contextlib.contextmanager
    def hand(self, store: Store, tell: Tell, stop: threading.Event) -> Iterator[Hand]:
        far = _Far(self, store, tell, stop)
        try:
            yield far
        finally:
            far.leave()


class _Far(Hand):
    """One worker, seen from the driver; when it dies, another takes its place."""

    def __init__(self, cluster: Cluster, store: Store, tell: Tell, stop: threading.Event):
        self.cluster, self.ray, self.store, self.tell, self.stop = cluster, cluster.ray, store, tell, stop
        self.worker: Any = None

    def leave(self) -> None:
        self.cluster.busy.discard(self)
        if self.worker is not None:
            with contextlib.suppress(Exception):  # one that is dead
                self.ray.get(self.worker.leave.remote(), timeout=HALT)
            with contextlib.suppress(Exception):
                self.ray.kill(self.worker)
            self.worker = None

    def train(self, runs: Sequence[Run], lanes: int) -> list[Made]:
        def kept() -> dict[str, Any]:
            return {r.asked.id: found for r in runs if (found := self.store.resume(r.asked))}

        return self._done(runs, lambda worker, sent: worker.train.remote(*sent, kept(), lanes))

    def make(self, run: Run) -> Made:
        if isinstance(run.trial, Spoken):  # the key of the endpoint and the answers are the driver's
            with desk(folder=self.store.root / "answers"):
                return made(run)
        return self._done([run], lambda worker, sent: worker.make.remote(*sent))

    def _done(self, runs: Sequence[Run], begin: Callable[[Any, Any], Any]) -> Any:
        sent = self._sent(runs)
        for life in range(1, LIVES + 1):
            try:
                self.worker = self.worker or self.cluster.start(self.stop)
                self.cluster.busy.add(self)
                self.ray.get(begin(self.worker, sent))
                return self._followed(runs)
            except self.ray.exceptions.RayError as error:  # it died, its machine did, or it had no memory left
                self.leave()
                label, why = runs[0].trial.label, _first(error)
                if life == LIVES:
                    raise Refusal(f"{LIVES} workers died over {label!r} ({why}); more memory or fewer --workers would "
                                  "do. What is finished is kept.") from None  # fmt: skip
                self.tell(f"A worker died over {label!r} ({why}); another goes on from the last checkpoint.")
        raise AssertionError

    def _sent(self, runs: Sequence[Run]) -> tuple[bytes, dict[str, bytes]]:
        """Runs as a worker can read them, and the files of one's own that they need."""
        files: dict[str, bytes] = {}
        for run in runs:
            for r in (run.files(), *({n: (p.folder / n).read_bytes() for n in _own(p)} for p in run.parents)):
                files |= r
        parents = {p.id: {f.name: f.read_bytes() for f in p.folder.iterdir()} for r in runs for p in r.parents}
        told = [(r.trial, r.seed, [(p.id, parents[p.id]) for p in r.parents], r.asked.id) for r in runs]
        return self.ray.cloudpickle.dumps(told), files

    def _followed(self, runs: Sequence[Run]) -> Any:
        """Ask for news until there is an end of it."""
        named, halted = {r.asked.id: r for r in runs}, 0.0
        while True:
            if self.stop.is_set() and not halted:
                self.worker.halt.remote()
                halted = time.monotonic()
            if halted and time.monotonic() - halted > HALT:  # it compiles, and has nothing to save
                raise Interrupted
            for what, told in self.ray.get(self.worker.news.remote()):
                if what == "tell" and isinstance(told, (Progress, str)):
                    self.tell(told)
                elif what == "save":
                    name, leaves, rows = told
                    self.store.save(named[name].asked, leaves, rows)
                elif what == "made":
                    return told
                elif what == "interrupted":
                    raise Interrupted
                elif what == "missing":
                    raise Missing(told)
                elif what == "refused":
                    raise Refusal(told)
                elif what == "failed":
                    raise RuntimeError(f"{told[0]}\non a worker:\n{told[1]}")


def _own(record: Any) -> list[str]:
    return [name for name in record.facts["files"] if name.endswith(".py")]


def _first(error: BaseException) -> str:
    said = [line.strip() for line in str(error).split("\n") if line.strip()]
    return (said[0] if said else type(error).__name__).rstrip(".")
