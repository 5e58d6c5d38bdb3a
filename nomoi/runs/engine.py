"""The engine: trainings that share a program run side by side, or stacked as one, and become records.

One program serves all runs whose shapes agree.  On a CPU each core trains one run at a time (threads: XLA leaves
Python while it computes); on a GPU runs are stacked and trained as one (`lanes`).  A run can be interrupted at any
moment and goes on from its last checkpoint.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from nomoi.core.keys import key_of
from nomoi.core.outline import outline
from nomoi.grid.still import pack
from nomoi.measure import films
from nomoi.measure.measures import measures
from nomoi.runs import programs
from nomoi.runs.record import Asked, Curve, Record
from nomoi.runs.trained import Trained, check_memory, inherited
from nomoi.runs.trial import Arrays, Run

CHECKPOINT = 10.0  # seconds between two checkpoints of a run (ours)


@dataclasses.dataclass(frozen=True)
class Progress:
    """Told before compiling (0 steps) and after each chunk: which run, its world steps so far, latest measures."""

    label: str
    seed: int | None
    steps: int
    length: int
    latest: dict[str, float]


Tell = Callable[[Progress | str], None]  # a text is a remark that a person should see at once


@runtime_checkable
class Checkpoints(Protocol):
    """What a training needs of a store: a place for its checkpoint."""

    def save(self, asked: Asked, leaves: list[np.ndarray], rows: list[dict[str, float]]) -> None: ...

    def resume(self, asked: Asked) -> tuple[list[np.ndarray], list[dict[str, float]]] | None: ...


class Interrupted(Exception):
    """The person at the keyboard wants to stop; what is done is on disk."""


def trained(run: Run) -> Trained:
    """The trial of a run that trains."""
    assert isinstance(run.trial, Trained)
    return run.trial


def kind(run: Run) -> Any:
    """Runs of one kind share a program, and those of one kind and length can be stacked."""
    trial = trained(run)
    leaves, tree = jax.tree.flatten((trial.learner, trial.place))
    return tree, tuple(x.shape for x in leaves), trial.schedule[1]


def stackable(run: Run) -> Any:
    """What runs that are stacked have in common besides."""
    return kind(run), trained(run).schedule, trained(run).snapshots, bool(run.parents)


class Program:
    """The compiled functions of all runs of one kind."""

    def __init__(self, trial: Trained, lanes: int = 1, chunk: int = 0):
        self.lanes, self._example, self.chunk = lanes, trial, chunk or trial.schedule[1]  # updates a call of `learn`
        self._film: Any = None
        self._built = False
        self._lock = threading.Lock()

    def build(self) -> Program:
        """Compile, once; both functions at the same time, since a core is idle otherwise."""
        with self._lock:
            if not self._built:
                self._compile()
                self._built = True
        return self

    def _compile(self) -> None:
        trial, lanes = self._example, self.lanes
        chunk = self.chunk

        def begin(learner: Any, situation: Any, key: Any) -> Any:
            return learner.begin(key, situation)

        def learn(learner: Any, situation: Any, run: Any, total: Any) -> tuple[Any, Any]:
            run, tally = learner.learn(situation, run, chunk, total)
            return run, tally.means()

        if lanes > 1:
            begin, learn = jax.vmap(begin), jax.vmap(learn, (0, 0, 0, None))
        args = [trial.learner, trial.place, jax.random.key(0)]
        args = _stack([args] * lanes) if lanes > 1 else args
        run = jax.eval_shape(begin, *args)
        self.shape = run
        check_memory(trial, lanes, run)
        with ThreadPoolExecutor(2) as pool:
            begun = pool.submit(programs.jit(begin).lower(*args).compile)
            self.learn = jax.jit(learn).lower(*args[:2], run, jnp.int32(0)).compile()
            self.begin = begun.result()

    def film(self, trial: Trained, seed: int, mind: Any) -> dict[str, np.ndarray]:
        """One episode of what was learned, as arrays for a record; empty where there is no land."""
        with self._lock:  # compile once
            if self._film is None:
                self._film = programs.jit(films.play)
        shot = film_of(trial.place, trial.learner, key_of(seed), mind, self._film)
        return {f"film.{name}": x for name, x in shot.items()}


def film_of(situation: Any, learner: Any, key: Any, mind: Any = None, play: Any = None) -> dict[str, np.ndarray]:
    """One episode of a behaviour, as packed moments; empty where there is no land to look at."""
    if outline(situation).scene is None:
        return {}
    frames = (play or programs.jit(films.play))(learner, situation, mind, key)
    return dict(pack(films.shot(situation, *frames)))


def alone(trial: Trained, key: Any, parents: Sequence[Record]) -> tuple[Curve, Arrays]:
    """One training by itself, without a store."""
    stack = Stack([Run(trial, None, tuple(parents))], Program(trial).build(), keys=[key])
    return stack.train()[0][:2]


class Stack:
    """Some runs trained together, one lane each (the last run fills lanes that are left over).

    With a store they leave checkpoints there, and go on from those that they find.
    """

    def __init__(
        self, runs: Sequence[Run], program: Program, store: Checkpoints | None = None, tell: Tell = lambda _: None,
        stop: threading.Event | None = None, keys: Sequence[Any] | None = None,
    ):  # fmt: skip
        self.runs, self.program, self.store, self.tell = list(runs), program, store, tell
        self.stop = stop or threading.Event()
        self.keys = list(keys or [key_of(r.seed or 0) for r in runs])
        self.first = trained(self.runs[0])
        self.device = programs.device()

    def train(self) -> list[tuple[Curve, Arrays, dict[str, Any]]]:
        """Curve, arrays and facts of each run."""
        lanes, first = self.program.lanes, self.first
        padded = list(zip(self.runs, self.keys, strict=True))
        padded += [padded[-1]] * (lanes - len(padded))
        args = [[trained(r).learner, trained(r).place, key] for r, key in padded]
        learner, situation, key = _stack(args) if lanes > 1 else args[0]
        run, kept, rows, seconds = self._resume() or (
            self._begin(learner, situation, key), [], [[] for _ in self.runs], 0.0
        )  # fmt: skip
        (updates, chunk), names = first.schedule, list(measures(first.place))
        total = jnp.int32(updates)
        saved = started = time.perf_counter()
        while len(rows[0]) * chunk < updates:
            if self.stop.is_set():
                self._save(run, kept, rows, seconds + time.perf_counter() - started)
                raise Interrupted
            run, means = self.program.learn(learner, situation, run, total)
            values = np.asarray(means).reshape(lanes, -1)
            for mine, row, one in zip(rows, values, self.runs, strict=False):
                mine.append(dict(zip(names, map(float, row), strict=True)))
                steps = len(mine) * chunk * first.learner.batch
                self.tell(Progress(one.trial.label, one.seed, steps, trained(one).length, mine[-1]))
            if len(rows[0]) in first.due():
                kept.append(first.learner.mind(run))
            if time.perf_counter() - saved > CHECKPOINT:
                self._save(run, kept, rows, seconds + time.perf_counter() - started)
                saved = time.perf_counter()
        seconds += time.perf_counter() - started
        return [self._made(i, first.learner.mind(run), kept, rows[i], seconds) for i in range(len(self.runs))]

    def _begin(self, learner: Any, situation: Any, key: Any) -> Any:
        """A run before its first update, with what the earlier runs learned where these start from them."""
        run = self.program.begin(learner, situation, key)
        if not self.runs[0].parents:
            return run
        mind = self.first.learner.mind
        minds = [inherited(r.parents[0], self._lane(mind(run), i)) for i, r in enumerate(self.runs)]
        minds += [minds[-1]] * (self.program.lanes - len(minds))
        return eqx.tree_at(mind, run, _stack(minds) if self.program.lanes > 1 else minds[0])

    def _lane(self, tree: Any, i: int) -> Any:
        return jax.tree.map(lambda x: x[i], tree) if self.program.lanes > 1 else tree

    def _made(
        self, i: int, mind: Any, kept: list[Any], rows: list[dict[str, float]], seconds: float
    ) -> tuple[Curve, Arrays, dict[str, Any]]:
        run, trial = self.runs[i], trained(self.runs[i])
        mind = self._lane(mind, i)
        arrays = {f"mind.{k}": np.asarray(x) for k, x in enumerate(jax.tree.leaves(mind))}
        for chunk, earlier in zip(trial.due(), kept, strict=True):
            leaves = jax.tree.leaves(self._lane(earlier, i))
            arrays |= {f"mind@{chunk}.{k}": np.asarray(x) for k, x in enumerate(leaves)}
        if trial.film and run.seed is not None:
            arrays |= self.program.film(trial, run.seed, mind)
        steps = np.arange(1, len(rows) + 1) * (trial.length // len(rows))
        curve = {name: (steps, np.array([row[name] for row in rows])) for name in trial.measures()}
        facts = {
            "wall_seconds": round(seconds / len(self.runs), 3),  # a run's share of those that it was stacked with
            **self.device, "lanes": self.program.lanes,
            "steps_per_second": round(trial.length * len(self.runs) / max(seconds, 1e-9)),
        }  # fmt: skip
        return curve, arrays, facts

    def _save(self, run: Any, kept: list[Any], rows: list[list[dict[str, float]]], seconds: float) -> None:
        if self.store is None:
            return
        leaves = [np.asarray(_plain(x)) for x in jax.tree.leaves((run, kept))]
        for i, one in enumerate(self.runs):
            mine = [x[i] for x in leaves] if self.program.lanes > 1 else leaves
            self.store.save(one.asked, mine, [{"seconds": seconds, "threads": self.device.get("threads", 0)}, *rows[i]])

    def _resume(self) -> tuple[Any, list[Any], list[list[dict[str, float]]], float] | None:
        """The state of all runs, where every one left a checkpoint at the same update."""
        found = [self.store.resume(r.asked) if self.store else None for r in self.runs]
        if not all(found):
            return None
        updates, chunk = self.first.schedule
        rows, names = [f[1] for f in found if f], set(measures(self.first.place))
        if len({len(r) for r in rows}) != 1 or not 1 <= len(rows[0]) <= updates // chunk + 1:
            return None
        if any("seconds" not in r[0] or any(set(row) != names for row in r[1:]) for r in rows):
            return None
        lanes = self.program.lanes
        leaves = [f[0] for f in found if f]
        leaves += [leaves[-1]] * (lanes - len(leaves))
        kept = [self.first.learner.mind(self.program.shape) for c in self.first.due() if c < len(rows[0])]
        shapes, tree = jax.tree.flatten((self.program.shape, kept))
        merged = [np.stack(x) for x in zip(*leaves, strict=True)] if lanes > 1 else leaves[0]
        if len(merged) != len(shapes):
            return None
        restored = [_typed(x, s) for x, s in zip(merged, shapes, strict=True)]
        if any(x is None for x in restored):
            return None
        if rows[0][0].get("threads", 0) != self.device.get("threads", 0):
            self.device["threads"] = 0  # several, or nobody knows
        return *jax.tree.unflatten(tree, restored), [r[1:] for r in rows], rows[0][0]["seconds"]


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
