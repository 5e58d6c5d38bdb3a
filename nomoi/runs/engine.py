"""The engine: runs that are missing are trained, side by side, and become records.

One program serves all runs whose shapes agree.  On a CPU each core trains one run at a time (threads: XLA
leaves Python while it computes); on a GPU runs are stacked and trained as one (`lanes`).  A run can be
interrupted at any moment and goes on from its last checkpoint.
"""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from nomoi.core import Situation
from nomoi.core.keys import key_of
from nomoi.core.learner import Learner, Run
from nomoi.core.rollout import rollout
from nomoi.measure.measures import measures
from nomoi.runs.jobs import Job, check_memory, inherited
from nomoi.runs.store import Record, Store

CHECKPOINT = 10.0  # seconds between two checkpoints of a run (ours)


@dataclasses.dataclass
class Progress:
    """Told before compiling (0 steps) and after each chunk: which job, its world steps so far, latest measures."""

    job: Job
    steps: int
    latest: dict[str, float]
    resumed: bool = False


class Interrupted(Exception):
    """The person at the keyboard wants to stop; what is done is on disk."""


class Program:
    """The compiled functions of all jobs of one shape."""

    def __init__(self, job: Job, lanes: int = 1):
        self.lanes, self._example, self.compile_seconds = lanes, job, 0.0
        self._film: Any = None
        self._lock = threading.Lock()

    def build(self) -> Program:
        """Compile; both functions at once, since a core is idle otherwise."""
        start = time.perf_counter()
        job, lanes = self._example, self.lanes

        def begin(learner: Learner, situation: Situation, key: Any) -> Run:
            return learner.begin(key, situation)

        def learn(learner: Learner, situation: Situation, run: Run, total: Any) -> tuple[Run, Any]:
            run, tally = learner.learn(situation, run, job.chunk, total)
            return run, tally.means()

        if lanes > 1:
            begin, learn = jax.vmap(begin), jax.vmap(learn, (0, 0, 0, None))
        args = [job.learner, job.situation, jax.random.key(0)]
        args = _stack([args] * lanes) if lanes > 1 else args
        run = jax.eval_shape(begin, *args)
        self.shape = run
        check_memory(job, lanes, run)
        with ThreadPoolExecutor(2) as pool:
            begun = pool.submit(jax.jit(begin).lower(*args).compile)
            self.learn = jax.jit(learn).lower(*args[:2], run, jnp.int32(0)).compile()
            self.begin = begun.result()
        self.compile_seconds = time.perf_counter() - start
        return self

    def film(self, job: Job, mind: Any) -> dict[str, np.ndarray]:
        """One episode of what was learned, as the layers that a bystander sees; empty where there is no land."""
        from nomoi.grid.still import pack
        from nomoi.measure import films

        situation = job.situation
        if jax.eval_shape(lambda k: situation.scene(situation.reset(k)), jax.random.key(0)) is None:
            return {}

        def play(learner: Learner, situation: Situation, mind: Any, key: Any) -> Any:
            lived = rollout(key, situation, learner, min(situation.horizon, 300), 1, mind, films.seen(situation))
            return lived.kept, films.events(lived)

        with self._lock:  # compile once
            if self._film is None:
                self._film = jax.jit(play)
        frames = self._film(job.learner, situation, mind, key_of(job.seed))
        return {f"film.{name}": value for name, value in pack(films.shot(situation, *frames)).items()}


def train(
    store: Store,
    jobs: Sequence[Job],
    tell: Callable[[Progress], None] = lambda _: None,
    workers: int | None = None,
    lanes: int | None = None,
) -> list[Record]:
    """A record for every job: those on disk are read, the others are run or go on from where they stopped.

    `tell` hears of every chunk (from several threads, one at a time).  Raises Interrupted, with nothing lost,
    when the keyboard interrupts.
    """
    records: dict[int, Record] = {}
    missing: list[int] = []
    specs = [job.spec() for job in jobs]
    for i, what in enumerate(specs):
        found = store.get(what)
        if found:
            records[i] = found
        else:
            missing.append(i)
    gpu = jax.default_backend() != "cpu"
    lanes = lanes or (min(len(missing), 32) if gpu else 1)
    workers = workers or (1 if gpu else os.cpu_count() or 1)
    stop, speaking = threading.Event(), threading.Lock()

    def say(progress: Progress) -> None:
        with speaking:
            tell(progress)

    for i in records:
        say(Progress(jobs[i], jobs[i].steps, records[i].late(), resumed=True))
    if missing:
        say(Progress(jobs[missing[0]], 0, {}))  # compiling takes a while
    programs = _programs([jobs[i] for i in missing], lanes)
    batches = _batches(missing, jobs, programs, lanes)
    with ThreadPoolExecutor(max(1, workers)) as pool:
        futures = [
            pool.submit(_Batch(store, [jobs[i] for i in b], [specs[i] for i in b], programs[p], say, stop).run)
            for b, p in batches
        ]
        try:
            for (batch, _), future in zip(batches, futures, strict=True):
                records |= dict(zip(batch, future.result(), strict=True))
        except BaseException as error:
            stop.set()
            for future in futures:
                future.cancel()
            if isinstance(error, KeyboardInterrupt):
                raise Interrupted from None
            raise
    return [records[i] for i in range(len(jobs))]


def _programs(jobs: Sequence[Job], lanes: int) -> dict[Any, Program]:
    out: dict[Any, Program] = {}
    for job in jobs:
        if _kind(job) not in out:
            out[_kind(job)] = Program(job, lanes).build()
    return out


def _kind(job: Job) -> Any:
    """Jobs of one kind share a program."""
    leaves, tree = jax.tree.flatten((job.learner, job.situation))
    return tree, tuple(x.shape for x in leaves), job.chunk


def _batches(missing: Sequence[int], jobs: Sequence[Job], programs: Any, lanes: int) -> list[tuple[list[int], Any]]:
    """Jobs of one kind and length, at most `lanes` together; seeds first, so that all regimes advance alike."""
    out: list[tuple[list[int], Any]] = []
    groups: dict[Any, list[int]] = {}
    for i in sorted(missing, key=lambda i: jobs[i].seed):
        groups.setdefault((_kind(jobs[i]), jobs[i].updates, jobs[i].snapshots, jobs[i].start is None), []).append(i)
    for (kind, *_), members in groups.items():
        out += [(members[k : k + lanes], kind) for k in range(0, len(members), lanes)]
    return out


class _Batch:
    """Some jobs trained together, one lane each (the last job fills lanes that are left over)."""

    def __init__(
        self, store: Store, jobs: list[Job], specs: list[dict[str, Any]], program: Program,
        say: Callable[[Progress], None], stop: threading.Event,
    ):  # fmt: skip
        self.store, self.jobs, self.specs, self.program = store, jobs, specs, program
        self.say, self.stop = say, stop

    def run(self) -> list[Record]:
        claims = [self.store.claim(s) for s in self.specs]
        held = [c.__enter__() for c in claims]
        try:
            while not all(held):  # another process is at one of these runs: wait for it
                if self.stop.wait(1.0):
                    raise Interrupted
                for i, mine in enumerate(held):
                    if not mine:
                        claims[i].__exit__(None, None, None)
                        claims[i] = self.store.claim(self.specs[i])
                        held[i] = claims[i].__enter__()
            done = [self.store.get(s) for s in self.specs]
            return [r for r in done if r] if all(done) else self._train()
        finally:
            for claim in claims:
                claim.__exit__(None, None, None)

    def _train(self) -> list[Record]:
        lanes, jobs, first = self.program.lanes, self.jobs, self.jobs[0]
        padded = jobs + [jobs[-1]] * (lanes - len(jobs))
        args = [[j.learner, j.situation, key_of(j.seed)] for j in padded]
        learner, situation, key = _stack(args) if lanes > 1 else args[0]
        run, kept, rows, seconds = self._resume() or (*self._begin(learner, situation, key), [[] for _ in jobs], 0.0)
        total, names = jnp.int32(first.updates), list(measures(first.situation))
        saved = started = time.perf_counter()
        per_chunk = first.chunk * first.learner.batch
        while len(rows[0]) * first.chunk < first.updates:
            if self.stop.is_set():
                self._save(run, kept, rows, seconds + time.perf_counter() - started)
                raise Interrupted
            run, means = self.program.learn(learner, situation, run, total)
            values = np.asarray(means).reshape(lanes, -1)
            for job, mine, row in zip(jobs, rows, values, strict=False):
                mine.append(dict(zip(names, map(float, row), strict=True)))
                self.say(Progress(job, len(mine) * per_chunk, mine[-1]))
            if len(rows[0]) in first.due():
                kept.append(first.learner.mind(run))
            if time.perf_counter() - saved > CHECKPOINT:
                self._save(run, kept, rows, seconds + time.perf_counter() - started)
                saved = time.perf_counter()
        seconds += time.perf_counter() - started
        return [self._record(i, first.learner.mind(run), kept, rows[i], seconds) for i in range(len(jobs))]

    def _begin(self, learner: Any, situation: Any, key: Any) -> tuple[Run, list[Any]]:
        """A run before its first update, with what the earlier runs learned where jobs start from them."""
        run = self.program.begin(learner, situation, key)
        if self.jobs[0].start is None:
            return run, []
        of = self.jobs[0].learner.mind
        lane = lambda i: jax.tree.map(lambda x: x[i], of(run)) if self.program.lanes > 1 else of(run)  # noqa: E731
        minds = [inherited(j, lane(i)) for i, j in enumerate(self.jobs)]
        minds += [minds[-1]] * (self.program.lanes - len(minds))
        return eqx.tree_at(of, run, _stack(minds) if self.program.lanes > 1 else minds[0]), []

    def _record(self, i: int, mind: Any, kept: list[Any], rows: list[dict[str, float]], seconds: float) -> Record:
        job = self.jobs[i]
        mine = lambda x: x[i] if self.program.lanes > 1 else x  # noqa: E731
        mind = jax.tree.map(mine, mind)
        arrays = {f"mind.{k}": np.asarray(x) for k, x in enumerate(jax.tree.leaves(mind))}
        for chunk, earlier in zip(job.due(), kept, strict=True):
            arrays |= {f"mind@{chunk}.{k}": np.asarray(mine(x)) for k, x in enumerate(jax.tree.leaves(earlier))}
        if job.film:
            arrays |= self.program.film(job, mind)
        steps = np.arange(1, len(rows) + 1) * (job.steps // len(rows))
        mine = in_force(job.situation)
        curve = {name: (steps, np.array([row[name] for row in rows])) for name in rows[0] if name in mine}
        device = jax.devices()[0].device_kind
        return self.store.put(
            self.specs[i], curve, arrays, label=job.label, wall_seconds=round(seconds, 2), device=device,
            steps_per_second=round(job.steps * len(self.jobs) / max(seconds, 1e-9)), lanes=self.program.lanes,
        )  # fmt: skip

    def _save(self, run: Run, kept: list[Any], rows: list[list[dict[str, float]]], seconds: float) -> None:
        leaves = [np.asarray(_plain(x)) for x in jax.tree.leaves((run, kept))]
        for i, what in enumerate(self.specs):
            mine = [x[i] for x in leaves] if self.program.lanes > 1 else leaves
            self.store.save(what, mine, [{"seconds": seconds}, *rows[i]])

    def _resume(self) -> tuple[Run, list[Any], list[list[dict[str, float]]], float] | None:
        """The state of all jobs, where every one left a checkpoint at the same update."""
        found = [self.store.resume(s) for s in self.specs]
        if not all(found):
            return None
        rows, chunks = [f[1] for f in found if f], self.jobs[0].updates // self.jobs[0].chunk
        names = set(measures(self.jobs[0].situation))
        if len({len(r) for r in rows}) != 1 or not 1 <= len(rows[0]) <= chunks + 1:
            return None
        if any("seconds" not in r[0] or any(set(row) != names for row in r[1:]) for r in rows):
            return None
        lanes = self.program.lanes
        leaves = [f[0] for f in found if f]
        leaves += [leaves[-1]] * (lanes - len(leaves))
        kept = [self.jobs[0].learner.mind(self.program.shape) for chunk in self.jobs[0].due() if chunk < len(rows[0])]
        shapes, tree = jax.tree.flatten((self.program.shape, kept))
        merged = [np.stack(x) for x in zip(*leaves, strict=True)] if lanes > 1 else leaves[0]
        if len(merged) != len(shapes):
            return None
        restored = [_typed(x, s) for x, s in zip(merged, shapes, strict=True)]
        if any(x is None for x in restored):
            return None
        return *jax.tree.unflatten(tree, restored), [r[1:] for r in rows], rows[0][0]["seconds"]


def in_force(situation: Situation) -> set[str]:
    """Measures that mean something here: not those of institutions that are there only to keep the shape."""
    idle = {i.name for i in getattr(situation, "institutions", ()) if not bool(i.in_force)}
    return {m for m, measure in measures(situation).items() if not idle & {n.partition(".")[0] for n in measure.needs}}


def _stack(items: Sequence[Any]) -> Any:
    return jax.tree.map(lambda *x: jnp.stack(x), *items)


def _plain(leaf: Any) -> Any:
    return jax.random.key_data(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf


def _typed(value: np.ndarray, shape: Any) -> Any:
    """A checkpoint's array as the program wants it; None where it does not fit."""
    keys = jnp.issubdtype(shape.dtype, jax.dtypes.prng_key)
    plain = jax.eval_shape(jax.random.key_data, shape) if keys else shape
    if value.shape != plain.shape or value.dtype != plain.dtype:
        return None
    return jax.random.wrap_key_data(jnp.asarray(value)) if keys else jnp.asarray(value)
