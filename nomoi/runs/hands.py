"""Hands: who makes runs.  This process does (`Here`), or workers of a Ray cluster do (`nomoi.runs.cluster`).

Hands keep nothing.  What is to be made, what is finished and every checkpoint is the store's, which the driver alone
writes: a worker that dies costs what it did since its last checkpoint.
"""

from __future__ import annotations

import abc
import contextlib
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import jax

from nomoi.core.keys import key_of
from nomoi.errors import Refusal
from nomoi.runs import programs
from nomoi.runs.engine import Program, Stack, Tell, kind
from nomoi.runs.store import Store
from nomoi.runs.trial import Run
from nomoi.speak.desk import desk

STACKS = 4  # stacks at a time on a GPU: one compiles while others train (ours)
_ADDRESS = re.compile(r"ray://(\[[0-9a-fA-F:.]+\]|[^\s:/?\[\]]+):(?P<port>[0-9]{1,5})(?=[/?]|$)")

Made = tuple[Any, Any, dict[str, Any]]  # curve and arrays as `Trial.make` gave them, to be looked at; and facts


class Hand(abc.ABC):
    """One worker: makes one thing at a time."""

    @abc.abstractmethod
    def train(self, runs: Sequence[Run], lanes: int) -> list[Made]:
        """These runs trained as one, each from its checkpoint in the store where all have left one."""

    @abc.abstractmethod
    def make(self, run: Run) -> Made:
        """A run that does not train."""


class Hands(abc.ABC):
    """Several workers.  `gpu`: whether runs are stacked on theirs; `far`: whether theirs are other processes."""

    workers: int
    gpu: bool
    far: ClassVar[bool]

    @abc.abstractmethod
    def hand(self, store: Store, tell: Tell, stop: threading.Event) -> contextlib.AbstractContextManager[Hand]:
        """One of the workers, for as long as the context lasts; `stop` set, it saves what it has and is Interrupted."""


class Here(Hands):
    """This process: threads, since XLA leaves Python while it computes."""

    far = False

    def __init__(self, workers: int | None = None):
        self.gpu = jax.default_backend() != "cpu"
        self.workers = max(1, workers or (STACKS if self.gpu else os.cpu_count() or 1))
        self.programs = Programs()

    @contextlib.contextmanager
    def hand(self, store: Store, tell: Tell, stop: threading.Event) -> Iterator[Hand]:
        yield _Thread(self.programs, store, tell, stop)


class Programs:
    """The programs that a process has built, one for each kind of run and number of lanes."""

    def __init__(self) -> None:
        self._known: dict[Any, Program] = {}
        self._lock = threading.Lock()

    def of(self, run: Run, lanes: int) -> Program:
        with self._lock:
            what = (kind(run), lanes)
            if what not in self._known:
                self._known[what] = Program(run.trial, lanes)  # type: ignore[arg-type]
            program = self._known[what]
        return program.build()


class _Thread(Hand):
    def __init__(self, programs: Programs, store: Store, tell: Tell, stop: threading.Event):
        self.programs, self.store, self.tell, self.stop = programs, store, tell, stop

    def train(self, runs: Sequence[Run], lanes: int) -> list[Made]:
        program = self.programs.of(runs[0], lanes)
        return list(Stack(runs, program, self.store, self.tell, self.stop).train())

    def make(self, run: Run) -> Made:
        with desk(folder=self.store.root / "answers"):  # of those who speak
            return made(run)


def made(run: Run) -> Made:
    """A run that does not train, and how long it took."""
    started = time.perf_counter()
    curve, arrays = run.trial.make(None if run.seed is None else key_of(run.seed), run.parents)
    return curve, arrays, {"wall_seconds": round(time.perf_counter() - started, 3), **programs.device()}


def hands(on: str = "", workers: int | None = None, tell: Tell = lambda _: None) -> Callable[[], Hands]:
    """Who makes runs, by name: "" is this process, "ray" workers of this machine, "ray://HOST:PORT" a cluster's.

    What is given back reaches them when the first run is to be made: a cluster is asked only for work that is there.
    """
    if workers is not None and (not isinstance(workers, int) or workers < 1):
        raise Refusal(f"--workers is {workers!r}; a whole number of at least 1 would be right.")
    if not on:
        return lambda: Here(workers)
    at = _ADDRESS.match(on)
    if on != "ray" and not (at and 0 < int(at["port"]) < 65536):
        raise Refusal(f"--on is {on!r}; ray (workers of this machine) or ray://HOST:PORT (a cluster) would be right.")
    from nomoi.runs import cluster

    return lambda: cluster.reached(on, workers, tell)
