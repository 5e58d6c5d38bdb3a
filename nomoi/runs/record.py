"""Records: what a finished run left on disk, checked against its own name on reading."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nomoi import __version__
from nomoi.errors import Refusal
from nomoi.runs import code
from nomoi.runs.code import Code

FORMAT = 2  # raise when the meaning of a spec or a file changes, or what `nomoi.runs` makes of a spec
Spec = Mapping[str, Any]
Curve = Mapping[str, tuple[np.ndarray, np.ndarray]]  # measure -> (steps [K], values [K])


@dataclasses.dataclass(frozen=True)
class Asked:
    """What names a record: what was run, as plain data, and a stamp of the code that made it."""

    spec: Spec
    code: Code

    @property
    def of(self) -> str:
        """What was run, whichever code made it: the first part of its name."""
        return _of(json.loads(json.dumps(self.spec)))

    @property
    def id(self) -> str:
        return f"{self.of}-{code.digest(self.code)[:5]}"


_spelt = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def _of(spec: Spec) -> str:
    return hashlib.sha256(_spelt({"format": FORMAT, **spec}).encode()).hexdigest()[:10]


@dataclasses.dataclass(frozen=True)
class Record:
    """A finished run.

    facts   spec, code, format, label, measures {name: [unit, meaning]}, versions, commit, device, threads (0:
            several, or not known), wall time, checksums
    """

    folder: Path
    facts: dict[str, Any]

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def asked(self) -> Asked:
        return Asked(self.facts["spec"], self.facts["code"])

    @property
    def spec(self) -> dict[str, Any]:
        """What was run: the trial, its seed, and the records it went on from."""
        return self.facts["spec"]

    @property
    def label(self) -> str:
        return str(self.facts.get("named", {}).get("label", ""))

    @property
    def kind(self) -> str:
        """The kind of trial, in a word: trained, scripted, computed, evaluated, or one's own."""
        return str(self.spec["trial"]["class"]).rpartition(":")[2].lower()

    @property
    def seed(self) -> int | None:
        return self.spec["seed"]

    def table(self) -> Any:
        """The curve as a table of Arrow: step, measure, value."""
        import pyarrow.parquet as parquet

        with open(self.folder / "curve.parquet", "rb") as file:  # by name, Arrow reads ~ and = in folders its own way
            return parquet.ParquetFile(file, pre_buffer=False).read(use_threads=False)  # for a few rows no threads

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
        return late(self.curve(), share)

    def glance(self) -> tuple[int, dict[str, float]]:
        """The last step, and `late()`: as they were noted with the record, without a look at its curve."""
        if "late" in self.facts:
            return self.facts["steps"], {name: float(x) for name, x in self.facts["late"].items()}
        curve = self.curve()  # made before they were noted
        return last(curve), late(curve)


def late(curve: Curve, share: float = 0.125) -> dict[str, float]:
    """Of a curve, what `Record.late` says."""
    out = {}
    for name, (step, value) in curve.items():
        value = np.asarray(value, np.float64)  # as a curve is kept
        tail = value[step > step.max() * (1 - share)] if len(step) > 1 else value
        out[name] = float(np.nanmean(tail)) if np.isfinite(tail).any() else math.nan
    return out


def last(curve: Curve) -> int:
    """The last step of a curve."""
    return max((int(np.max(step)) for step, _ in curve.values() if len(step)), default=0)


def read(folder: Path, whole: bool = True) -> Record:
    """The record in a folder, once its format and its own name are found right, and its files by their checksums.

    whole  false, for a list of thousands: of its files it is only asked whether they are there
    """
    try:
        with open(f"{folder}/record.json", "rb") as file:
            facts = json.loads(file.read().decode())
        if isinstance(facts, dict) and facts.get("format") == 1:
            raise Refusal(f"the record {folder} has format 1, which does not say what code made it and is not read any "
                          "more; delete that folder and run again.")  # fmt: skip
        if isinstance(facts, dict) and _count(facts.get("format")) and facts["format"] > FORMAT:
            raise Refusal(f"the record {folder} has format {facts['format']}, which a newer nomoi wrote, and {FORMAT} "
                          f"is the newest that nomoi {__version__} reads; upgrade, or give another folder with "
                          "--out.")  # fmt: skip
        _check(facts, folder, whole)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Refusal(f"the record {folder} is damaged ({error}); delete that folder and run again.") from None
    return Record(folder, facts)


def checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check(facts: Any, folder: Path, whole: bool) -> None:
    """ValueError or the like where a record is not what it says it is."""
    if facts["format"] != FORMAT:
        raise ValueError(f"its format is {facts['format']!r}, and {FORMAT} is read here")
    if not _number(facts["created"]) or not _number(facts.get("wall_seconds", 0)):
        raise ValueError("its date, or how long it took, is no number")
    if not _count(facts.get("threads", 0)):
        raise ValueError("with how many threads it was computed is no number")
    spec, trial = facts["spec"], facts["spec"]["trial"]
    seed = spec["seed"]
    if not (isinstance(trial["class"], str) and isinstance(trial["options"], dict)):
        raise ValueError("it does not say what was run")
    if not (seed is None or _count(seed)) or not isinstance(spec["parents"], list):
        raise ValueError("its seed is no number, or its parents are no list")
    for name in ("code", "named", "own", "versions"):
        if not isinstance(facts[name], dict):
            raise ValueError(f"its {name} is no table")
    words = lambda x: isinstance(x, list) and all(isinstance(part, str) for part in x)  # noqa: E731
    if not words(facts["parents"]) or not all(words(x) and len(x) == 2 for x in facts["measures"].values()):
        raise ValueError("its parents are no names, or its measures have no unit and meaning")
    name = f"{_of(spec)}-{code.digest(facts['code'])[:5]}"
    if name != folder.name:
        raise ValueError(f"it is that of {name}")
    word = ("nan", "inf", "-inf")  # numbers that JSON does not know
    if "late" in facts and not (
        _count(facts["steps"]) and all(_number(x) or x in word for x in facts["late"].values())
    ):
        raise ValueError("what came of it are no numbers")
    if "curve.parquet" not in facts["files"]:
        raise ValueError("it lists no curve")
    for name, digest in facts["files"].items():
        if not whole:
            os.stat(f"{folder}/{name}")  # a path of pathlib's takes longer than to look
        elif checksum(folder / name) != digest:
            raise ValueError(f"{name} has changed since it was written")


def _number(x: Any) -> bool:
    """A finite number, of a size that a double can hold."""
    return math.isfinite(x) if isinstance(x, float) else isinstance(x, int) and _count(abs(x))


def _count(x: Any) -> bool:
    return isinstance(x, int) and not isinstance(x, bool) and 0 <= x < 2**128
