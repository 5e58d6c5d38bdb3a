"""Records: what a run leaves on disk.

A record is a folder named after the hash of what was asked for (its *spec*).  Present means finished: it is
written beside its place and moved there in one step, so a reader never sees half a record.  What is present
is not run again, and nothing is ever edited.  An unfinished run leaves a checkpoint, and goes on from there.

    records/<id>/record.json     spec, versions, commit, device, wall time, steps per second, checksums
    records/<id>/curve.parquet   step, measure, value
    records/<id>/arrays.npz      named arrays (what was learned, a film)
    unfinished/<id>/             checkpoint.npz, curve so far, lock
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from nomoi.errors import Refusal
from nomoi.files import why

FORMAT = 1  # raise when the meaning of a spec or a file changes
Spec = Mapping[str, Any]


def identity(spec: Spec) -> str:
    """The name of a record: a hash of its spec, as it is read back."""
    spec = json.loads(json.dumps(spec))
    text = json.dumps({"format": FORMAT, **spec}, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclasses.dataclass(frozen=True)
class Record:
    """A finished run."""

    folder: Path
    facts: dict[str, Any]

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def spec(self) -> dict[str, Any]:
        return self.facts["spec"]

    def table(self) -> Any:
        """The curve as a table of Arrow: step, measure, value."""
        import pyarrow.parquet as parquet

        with open(self.folder / "curve.parquet", "rb") as file:  # by name, Arrow reads ~ and = in folders its own way
            return parquet.ParquetFile(file).read()

    def curve(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """measure -> (steps [K], values [K])."""
        table = self.table().to_pydict()
        step, measure, value = (np.array(table[c]) for c in ("step", "measure", "value"))
        return {m: (step[measure == m], value[measure == m]) for m in dict.fromkeys(table["measure"])}

    def arrays(self) -> dict[str, np.ndarray]:
        """The named arrays."""
        if "arrays.npz" not in self.facts["files"]:
            return {}
        with np.load(self.folder / "arrays.npz", allow_pickle=False) as stored:
            return dict(stored)

    def late(self, share: float = 0.125) -> dict[str, float]:
        """Mean of each measure over the rows that lie wholly in the last `share` of the run (of one row, that one)."""
        out = {}
        for name, (step, value) in self.curve().items():
            tail = value[step > step.max() * (1 - share)] if len(step) > 1 else value
            out[name] = float(np.nanmean(tail)) if np.isfinite(tail).any() else float("nan")
        return out


class Store:
    """A folder of records."""

    def __init__(self, root: str | Path = "runs"):
        self.root = Path(root)
        if self.root.exists() and not self.root.is_dir():
            raise Refusal(f"{self.root} is a file, and a folder for records is needed; give another --out.")
        for part in ("records", "unfinished"):
            if (self.root / part).exists() and not (self.root / part).is_dir():
                raise Refusal(f"{self.root / part} is a file, and a folder is needed there; move it or give another "
                              "--out.")  # fmt: skip

    def folder(self, name: str) -> Path:
        return self.root / "records" / name

    def get(self, spec: Spec) -> Record | None:
        """The record of this spec, if it is there and whole."""
        folder = self.folder(identity(spec))
        return self.read(folder) if folder.exists() else None

    def read(self, folder: Path) -> Record:
        """A record, once its checksums, its format and its own name are found right."""
        try:
            facts = json.loads((folder / "record.json").read_text(encoding="utf-8"))
            _check(facts, folder)
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise Refusal(f"the record {folder} is damaged ({error}); delete that folder and run again.") from None
        return Record(folder, facts)

    def all(self) -> list[Record]:
        """Every record, oldest first."""
        folders = [f.parent for f in sorted(self.root.glob("records/*/record.json"))]
        whole = [f for f in folders if not f.name.startswith(".")]  # a dot: still being written
        return sorted((self.read(f) for f in whole), key=lambda r: r.facts["created"])

    def put(
        self,
        spec: Spec,
        curve: Mapping[str, tuple[np.ndarray, np.ndarray]],
        arrays: Mapping[str, np.ndarray] | None = None,
        **facts: Any,
    ) -> Record:
        """Write a record in one step; if it is there already, that one stays."""
        place = self.folder(identity(spec))
        with _full_disk(self.root):
            place.parent.mkdir(parents=True, exist_ok=True)
            beside = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
            try:
                _write_curve(beside / "curve.parquet", curve)
                if arrays:
                    np.savez_compressed(beside / "arrays.npz", **arrays)  # type: ignore[arg-type]
                files = {f.name: _digest(f) for f in sorted(beside.iterdir())}
                facts |= {"spec": spec, "files": files, "created": time.time(), "format": FORMAT, **_provenance()}
                _write_text(beside / "record.json", json.dumps(facts, indent=1, sort_keys=True))
                for file in beside.iterdir():
                    _sync(file)
                with contextlib.suppress(OSError):  # another process was first; its record is the same
                    os.rename(beside, place)
            finally:
                shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(self._unfinished(spec), ignore_errors=True)
        return self.read(place)

    def _unfinished(self, spec: Spec) -> Path:
        return self.root / "unfinished" / identity(spec)

    @contextlib.contextmanager
    def claim(self, spec: Spec) -> Iterator[bool]:
        """Hold the right to run this spec; false while another process holds it.  Dies with the process."""
        folder = self._unfinished(spec)
        with _full_disk(self.root):
            folder.mkdir(parents=True, exist_ok=True)
            handle = open(folder / "lock", "w")  # noqa: SIM115
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
                return
            yield True

    def save(self, spec: Spec, leaves: list[np.ndarray], rows: list[dict[str, float]]) -> None:
        """Replace the checkpoint of an unfinished run, in one step."""
        folder = self._unfinished(spec)
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

    def resume(self, spec: Spec) -> tuple[list[np.ndarray], list[dict[str, float]]] | None:
        """The checkpoint of an unfinished run; none if there is none, it cannot be read or is another run's.

        Such a one is removed: an unfinished run is worth no more than the time it took.
        """
        file = self._unfinished(spec) / "checkpoint.npz"
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
        except (
            Exception
        ):  # a damaged archive raises nearly anything: BadZipFile, NotImplementedError, RuntimeError, ...
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


def _write_curve(path: Path, curve: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    import pyarrow
    import pyarrow.parquet as parquet

    step = np.concatenate([np.asarray(s, np.int64) for s, _ in curve.values()] or [np.zeros(0, np.int64)])
    value = np.concatenate([np.asarray(v, np.float64) for _, v in curve.values()] or [np.zeros(0)])
    measure = [m for m, (s, _) in curve.items() for _ in s]
    table = pyarrow.table({"step": step, "measure": pyarrow.array(measure, pyarrow.string()), "value": value})
    with open(path, "wb") as file:
        parquet.write_table(table, file)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _sync(path: Path) -> None:
    with open(path, "rb") as handle:
        os.fsync(handle.fileno())


def _check(facts: Any, folder: Path) -> None:
    """ValueError or the like where a record is not what it says it is."""
    if facts["format"] != FORMAT:
        raise ValueError(f"its format is {facts['format']!r}, and {FORMAT} is read here")
    if not isinstance(facts["spec"], dict) or not isinstance(facts["created"], (int, float)):
        raise ValueError("its spec is not a table, or its date no number")
    if identity(facts["spec"]) != folder.name:
        raise ValueError(f"it is that of {identity(facts['spec'])}")
    if "curve.parquet" not in facts["files"]:
        raise ValueError("it lists no curve")
    for name, digest in facts["files"].items():
        if _digest(folder / name) != digest:
            raise ValueError(f"{name} has changed since it was written")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


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


def _provenance() -> dict[str, Any]:
    """What the numbers depend on beside the spec."""
    packages = ("nomoi", "jax", "jaxlib", "equinox", "optax", "numpy")
    versions = {}
    for package in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return {"versions": versions, "commit": _commit()}


@lru_cache
def _commit() -> str:
    """The commit of the source tree nomoi runs from, as it was first asked; empty for an installed package."""
    here = Path(__file__).resolve().parent.parent
    if not (here / ".git").exists():
        return ""
    asked = subprocess.run(
        ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=12"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return asked.stdout.strip()
