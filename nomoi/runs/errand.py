"""Errands: what a worker of a cluster does with the runs that it is sent.

It keeps nothing.  What it hears of a training, each checkpoint and what is made go back as news, which the driver asks
for; files of one's own and the records of parents come with the errand.  Nothing here needs Ray: `Errands` is a plain
class, which the driver makes an actor of.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pickle
import platform
import queue
import shutil
import tempfile
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

THREADS = ("PJRT_NPROC", "NPROC")  # XLA looks here, in this order, how many threads it shall have, before it counts
PATIENCE = 0.5  # seconds that a worker waits for something to tell before it says that there is nothing (ours)


class Errands:
    """A worker: on a processor of its own, with the programs that it has built.

    threads  with how many the driver computes, and so does the worker on its processor; 0 leaves both as they are
    """

    def __init__(self, threads: int = 0):
        if threads:  # before JAX counts processors
            os.environ |= dict.fromkeys(THREADS, str(threads))
        self._core = _pinned() if threads else None
        from nomoi.runs import programs
        from nomoi.runs.hands import Programs

        programs.keep()
        programs.single()
        self._programs, self._news, self._stop = Programs(), queue.SimpleQueue[tuple[str, Any]](), threading.Event()
        self._folder = Path(tempfile.mkdtemp(prefix="nomoi-"))  # for files of one's own and records of parents

    def versions(self) -> dict[str, str]:
        """Of what numbers depend on here."""
        return versions()

    def train(self, errand: bytes, files: dict[str, bytes], kept: dict[str, Any], lanes: int) -> None:
        """Begin to train (runs and their names as pickled by the driver) from the checkpoints `kept`, if all are."""

        def work() -> list[Any]:
            from nomoi.runs.engine import Stack

            runs = self._runs(errand, files)
            mail = _Mail(self._news, kept)
            stack = Stack(runs, self._build(runs, lanes), mail, lambda p: self._news.put(("tell", p)), self._stop)
            return stack.train()

        self._begin(work)

    def make(self, errand: bytes, files: dict[str, bytes]) -> None:
        """Begin to make a run that does not train."""

        def work() -> Any:
            from nomoi.runs.hands import made

            return made(*self._runs(errand, files))

        self._begin(work)

    def news(self) -> list[tuple[str, Any]]:
        """What there is to tell since the last time: ("tell" | "save" | "made" | "refused" | ..., what)."""
        out = list[tuple[str, Any]]()
        with contextlib.suppress(queue.Empty):
            out.append(self._news.get(timeout=PATIENCE))
            while True:
                out.append(self._news.get_nowait())
        return out

    def halt(self) -> None:
        """Save, and tell that it was interrupted."""
        self._stop.set()

    def leave(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _begin(self, work: Any) -> None:
        self._stop.clear()
        threading.Thread(target=self._tried, args=(work,), daemon=True).start()

    def _tried(self, work: Any) -> None:
        from nomoi.errors import Missing, Refusal
        from nomoi.runs.engine import Interrupted

        try:
            self._news.put(("made", work()))
        except Interrupted:
            self._news.put(("interrupted", None))
        except Missing as missing:
            self._news.put(("missing", str(missing)))
        except Refusal as refusal:
            self._news.put(("refused", str(refusal)))
        except BaseException as error:
            if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error):  # JAX has no other word for it
                why = str(error).split("\n")[0].rstrip(".")
                said = (f"a worker on {platform.node()} has not enough memory for this ({why}); one on a larger "
                        "machine, or fewer --workers, may do. What is finished is kept.")  # fmt: skip
                self._news.put(("refused", said))
                return
            self._news.put(("failed", (f"{type(error).__name__}: {error}", traceback.format_exc())))

    def _runs(self, errand: bytes, files: dict[str, bytes]) -> list[Any]:
        """The runs as the driver has them; refused where the code here would make other records of them."""
        from nomoi.core import own
        from nomoi.errors import Refusal

        folder = self._folder
        for name, text in files.items():
            (folder / name).write_bytes(text)
            own.module(folder / name)  # before what is pickled asks for it by name
        runs = list[Any]()
        for trial, seed, parents, name in pickle.loads(errand):  # the driver's own: nobody else reaches a worker
            run = _run(trial, seed, [_record(folder, *one) for one in parents])
            if run.asked.id != name:
                raise Refusal(f"a worker on {platform.node()} runs other code than the driver (it would make the "
                              f"record {run.asked.id}, not {name}); install the same nomoi there.")  # fmt: skip
            runs.append(run)
        return runs

    def _build(self, runs: Sequence[Any], lanes: int) -> Any:
        """The program, built by one worker of a machine at a time: the others find it compiled."""
        import jax

        with _locked(Path(str(jax.config.jax_compilation_cache_dir or self._folder)) / "building"):
            return self._programs.of(runs[0], lanes)


class _Mail:
    """What a training takes for its store: checkpoints go to the driver, and come from there."""

    def __init__(self, news: queue.SimpleQueue[tuple[str, Any]], kept: dict[str, Any]):
        self.news, self.kept = news, kept

    def save(self, asked: Any, leaves: list[Any], rows: list[dict[str, float]]) -> None:
        self.news.put(("save", (asked.id, leaves, rows)))

    def resume(self, asked: Any) -> Any:
        return self.kept.get(asked.id)


def threads() -> int:
    """With how many threads XLA computes in this process; how it splits a sum, and so rounds, goes by it."""
    for name in THREADS:
        with contextlib.suppress(KeyError, ValueError):  # what is no number is passed over, by XLA too
            return max(1, int(os.environ[name]))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def versions() -> dict[str, str]:
    """Python, nomoi, and the libraries that its numbers depend on."""
    from nomoi.runs.store import provenance

    return {"Python": ".".join(platform.python_version_tuple()[:2]), **provenance()["versions"]}


def _run(trial: Any, seed: int | None, parents: list[Any]) -> Any:
    from nomoi.runs.trial import Run

    return Run(trial, seed, tuple(parents))


def _record(folder: Path, name: str, files: dict[str, bytes]) -> Any:
    """A parent's record, as it lies in the driver's store."""
    from nomoi.runs.record import read

    home = folder / "records" / name
    if not (home / "record.json").exists():
        home.mkdir(parents=True, exist_ok=True)
        for file, content in sorted(files.items(), key=lambda f: f[0] == "record.json"):
            (home / file).write_bytes(content)
    return read(home)


def _pinned() -> IO[str] | None:
    """A processor that no other worker of this machine has, held as long as the process lives.

    However many threads XLA starts, they have that one.
    """
    if not hasattr(os, "sched_setaffinity"):
        return None
    for core in sorted(os.sched_getaffinity(0)):
        handle = open(Path(tempfile.gettempdir()) / f"nomoi-{os.getuid()}-core-{core}", "w")  # noqa: SIM115
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for task in os.listdir("/proc/self/task") if os.path.isdir("/proc/self/task") else ["0"]:
                with contextlib.suppress(OSError):  # a thread that has ended meanwhile
                    os.sched_setaffinity(int(task), {core})
            return handle
        handle.close()
    return None  # more workers than processors: wherever there is room


@contextlib.contextmanager
def _locked(path: Path) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
