"""The store: a folder of records, which several processes may share.

A record is a folder named after what was asked for and a stamp of the code that made it.  Present means finished: it is
written beside its place and moved there in one step, so a reader never sees half a record.  What is present is not run
again, and nothing is ever edited.  An unfinished run leaves a checkpoint, and goes on from there.

    records/<id>/record.json     spec, code, versions, commit, device, threads, wall time, steps per second, checksums
    records/<id>/curve.parquet   step, measure, value
    records/<id>/arrays.npz      named arrays (what was learned, a film)
    records/<id>/*.py            files of one's own that the spec names
    unfinished/<id>/             lock, checkpoint.npz, and the record while it is written
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np

from nomoi import __version__
from nomoi.errors import Refusal
from nomoi.files import why
from nomoi.runs import equal
from nomoi.runs.record import FORMAT, Asked, Curve, Record, checksum, last, late, read


class Store:
    """A folder of records."""

    def __init__(self, root: str | Path = "runs"):
        self.root = Path(root)
        self._held = set[tuple[str, int]]()  # what which thread holds the right to run
        if self.root.exists() and not self.root.is_dir():
            raise Refusal(f"{self.root} is a file, and a folder for records is needed; give another --out.")
        for part in ("records", "unfinished"):
            if (self.root / part).exists() and not (self.root / part).is_dir():
                raise Refusal(f"{self.root / part} is a file, and a folder is needed there; move it or give another "
                              "--out.")  # fmt: skip

    def get(self, asked: Asked) -> Record | None:
        """The record of what was asked for, if it is there and whole; one that equal code made is as good."""
        folder = self.root / "records" / asked.id
        if not folder.exists():
            others = self.old(asked) if equal.listed() else ()
            return next((r for r in others if equal.alike(r.facts["code"], asked.code)), None)
        record = read(folder)
        if record.asked != Asked(json.loads(json.dumps(asked.spec)), dict(asked.code)):
            raise Refusal(f"the record {record.id} is of another run that happens to have the same name; give another "
                          "folder with --out.")  # fmt: skip
        return record

    def tidy(self, asked: Asked) -> None:
        """Clear away what a process that was killed left of a run that is finished."""
        if self._unfinished(asked).exists():
            with self.claim(asked):
                pass

    def old(self, asked: Asked) -> list[Record]:
        """The records of the same run that other code made, the newest first."""
        found = [f for f in self.root.glob(f"records/{asked.of}-*") if f.name != asked.id]
        return sorted(map(read, found), key=lambda r: r.facts["created"], reverse=True)

    def all(self) -> list[Record]:
        """Every record, oldest first."""
        found, damaged = self.sound()
        if damaged:
            raise Refusal(damaged[0])
        return found

    def sound(self, whole: bool = True) -> tuple[list[Record], list[str]]:
        """The records that can be read, oldest first, and a sentence about each that cannot; `whole` as for `read`."""
        found, damaged = list[Record](), list[str]()
        for folder in self._folders():
            if "-" in folder.name:
                try:
                    found.append(read(folder, whole))
                except Refusal as refusal:
                    damaged.append(str(refusal))
        return sorted(found, key=lambda r: r.facts["created"]), damaged

    def outdated(self) -> list[str]:
        """The names of records of the format before this one, which are not read any more."""
        return [name for name in self._names() if "-" not in name]

    def _folders(self) -> list[Path]:
        home = self.root / "records"
        return [home / name for name in self._names()]

    def _names(self) -> list[str]:
        home = str(self.root / "records")
        names = sorted(os.listdir(home)) if os.path.isdir(home) else []
        # a dot: what an earlier version left half written
        return [n for n in names if n[0] != "." and os.path.exists(f"{home}/{n}/record.json")]

    def pick(self, name: str) -> Record:
        """The one record whose name begins so."""
        found = [f for f in self._folders() if f.name.startswith(name)]
        if len(found) != 1:
            known = "`nomoi runs` lists them" if not found else f"{len(found)} begin so: give more letters"
            raise Refusal(f"there is no single record {name!r} in {self.root}; {known}.")
        return read(found[0])

    def put(
        self, asked: Asked, curve: Curve, arrays: Mapping[str, np.ndarray] | None = None,
        files: Mapping[str, bytes] | None = None, **facts: Any,
    ) -> Record:  # fmt: skip
        """Write a record in one step; if it is there already, that one stays."""
        # who writes holds the run, so that nobody clears away what is half written
        if (asked.id, threading.get_ident()) not in self._held:
            with self._locking(asked, wait=True):
                return self.put(asked, curve, arrays, files, **facts)
        place, beside = self.root / "records" / asked.id, self._unfinished(asked) / "record"
        with _full_disk(self.root):
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(beside, ignore_errors=True)  # of a writer that was killed
            try:
                beside.mkdir()
                _write_curve(beside / "curve.parquet", curve)
                if arrays:
                    np.savez_compressed(beside / "arrays.npz", **arrays)  # type: ignore[arg-type]
                for name, content in (files or {}).items():
                    (beside / name).write_bytes(content)
                kept = {name: rows for name, rows in curve.items() if len(rows[0])}
                digests = {f.name: checksum(f) for f in sorted(beside.iterdir())}
                facts |= {"spec": asked.spec, "code": dict(asked.code), "files": digests, "created": time.time()}
                facts |= {"format": FORMAT, "steps": last(kept), **provenance()}
                facts["late"] = {name: x if np.isfinite(x) else str(x) for name, x in late(kept).items()}
                (beside / "record.json").write_text(json.dumps(facts, indent=1, sort_keys=True), encoding="utf-8")
                for file in beside.iterdir():
                    _sync(file)
                with contextlib.suppress(OSError):  # another process was first; its record is the same
                    os.rename(beside, place)
            finally:
                shutil.rmtree(beside, ignore_errors=True)
        (self._unfinished(asked) / "checkpoint.npz").unlink(missing_ok=True)
        return read(place)

    def _unfinished(self, asked: Asked) -> Path:
        return self.root / "unfinished" / asked.id

    @contextlib.contextmanager
    def claim(self, asked: Asked) -> Iterator[bool]:
        """Hold the right to run this; false while another process holds it.  Dies with the process.

        What is left in its folder when it ends is a checkpoint, or nothing.
        """
        with self._locking(asked, wait=False) as mine:
            yield mine

    @contextlib.contextmanager
    def _locking(self, asked: Asked, wait: bool) -> Iterator[bool]:
        folder, mine = self._unfinished(asked), (asked.id, threading.get_ident())
        with _full_disk(self.root):
            handle = _locked(folder, wait)
        if handle is None:
            yield False
            return
        with handle:
            self._held.add(mine)
            try:
                yield True
            finally:
                self._held.discard(mine)
                made = (self.root / "records" / asked.id).exists()  # and so needs no checkpoint
                if made or not (folder / "checkpoint.npz").exists():
                    shutil.rmtree(folder, ignore_errors=True)

    def save(self, asked: Asked, leaves: list[np.ndarray], rows: list[dict[str, float]]) -> None:
        """Replace the checkpoint of an unfinished run, in one step."""
        folder = self._unfinished(asked)
        with _full_disk(self.root):
            folder.mkdir(parents=True, exist_ok=True)
            named = {f"leaf{i}": leaf for i, leaf in enumerate(leaves)}
            named["rows"] = np.frombuffer(json.dumps(rows).encode(), np.uint8)
            named["of"] = np.array(folder.name)
            temporary = folder / f"checkpoint.{os.getpid()}.npz"
            try:
                np.savez(temporary, **named)  # type: ignore[arg-type]
                os.replace(temporary, folder / "checkpoint.npz")
            finally:
                temporary.unlink(missing_ok=True)

    def resume(self, asked: Asked) -> tuple[list[np.ndarray], list[dict[str, float]]] | None:
        """The checkpoint of an unfinished run; none if there is none, it cannot be read or is another run's.

        Such a one is removed: an unfinished run is worth no more than the time it took.
        """
        file = self._unfinished(asked) / "checkpoint.npz"
        if not file.exists():
            return None
        try:
            with open(file, "rb") as handle, np.load(handle, allow_pickle=False) as stored:
                leaves = [stored[f"leaf{i}"] for i in range(len(stored.files) - 2)]  # beside rows and of
                rows = json.loads(stored["rows"].tobytes())
                if str(stored["of"]) != file.parent.name:
                    raise ValueError("it is another run's")
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise ValueError("its rows are no rows")
            return leaves, rows
        except Exception:  # a damaged archive raises nearly anything: BadZipFile, NotImplementedError, RuntimeError...
            shutil.rmtree(file) if file.is_dir() else file.unlink(missing_ok=True)
            return None

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask with SQL (DuckDB) of the view `curves`: id, step, measure, value; every record is checked first."""
        import duckdb
        import pyarrow

        tables = []
        for record in self.all():
            table = record.table()
            tables.append(table.append_column("id", pyarrow.array([record.id] * len(table), pyarrow.string())))
        if not tables:
            return []
        with duckdb.connect() as connection:
            connection.register("curves", pyarrow.concat_tables(tables).select(["id", "step", "measure", "value"]))
            return connection.execute(sql).fetchall()


def _locked(folder: Path, wait: bool) -> IO[str] | None:
    """The lock of a folder, held; None while another holds it, unless one waits."""
    failed = 0
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = open(folder / "lock", "w")  # noqa: SIM115
        except (FileNotFoundError, FileExistsError):  # who held it has just finished, and has removed the folder
            failed += 1
            if folder.is_file() or failed > 100:  # or no folder can be made here, as in /proc
                raise
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            handle.close()
            return None
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle.fileno()), os.stat(folder / "lock")):
                return handle
        handle.close()  # what was locked is no longer there


def _write_curve(path: Path, curve: Curve) -> None:
    import pyarrow
    import pyarrow.parquet as parquet

    step = np.concatenate([np.asarray(s, np.int64) for s, _ in curve.values()] or [np.zeros(0, np.int64)])
    value = np.concatenate([np.asarray(v, np.float64) for _, v in curve.values()] or [np.zeros(0)])
    measure = [m for m, (s, _) in curve.items() for _ in s]
    table = pyarrow.table({"step": step, "measure": pyarrow.array(measure, pyarrow.string()), "value": value})
    with open(path, "wb") as file:
        parquet.write_table(table, file)


def _sync(path: Path) -> None:
    with open(path, "rb") as handle:
        os.fsync(handle.fileno())


@contextlib.contextmanager
def _full_disk(root: Path) -> Iterator[None]:
    """Turn what goes wrong with a disk into a sentence."""
    try:
        yield
    except OSError as error:
        raise Refusal(
            f"nothing can be written to {root} ({why(error)}); make room or give another folder with --out, "
            "and run again: what is finished is kept."
        ) from None


def provenance() -> dict[str, Any]:
    """What the numbers depend on beside spec and code."""
    versions = {"nomoi": __version__}  # of the code that runs, not of what is installed beside it
    for package in ("jax", "jaxlib", "equinox", "optax", "numpy"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return {"versions": versions, "commit": _commit()}


@lru_cache
def _commit() -> str:
    """The commit of the source tree nomoi runs from, as it was first asked; empty for an installed package."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():
        return ""
    asked = subprocess.run(
        ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=12"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return asked.stdout.strip()
