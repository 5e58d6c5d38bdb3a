"""CPU seconds from typing a small command to its answer, and those of listing a folder of many records.

    python benchmarks/startup.py [--records 1000] [--repeats 5]

The least of some runs on one core: whatever else the machine does only adds to it.  The records are written for it into
a folder that is removed again, without waiting for the disk (a hundred a second); what 10,000 would take is told from
what the large folder takes more than one of a single record.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from common import pin, table

COMMANDS = (["--help"], ["list"], ["show", "altar"], ["show", "stag_hunt"], ["solve", "stag_hunt"],
            ["solve", "shapley"])  # fmt: skip


def spent(words: list[str]) -> float:
    """CPU seconds of one command, and of what it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = f"import sys; sys.argv = ['nomoi', *{words!r}]; from nomoi.cli import main; main()"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def keep(folder: Path, count: int) -> str:
    """Small records of trainings, ten seeds a label; the name of one."""
    import numpy as np

    import nomoi
    from nomoi.core.spec import addresses
    from nomoi.runs import code, store
    from nomoi.runs.record import Asked

    store._sync = lambda path: None
    kept, rng = store.Store(folder), np.random.default_rng(0)
    base = nomoi.Trained("", nomoi.Harvest(), (nomoi.Altar(), nomoi.Levy())).spec()
    made_by = code.reached([*addresses(base), "nomoi.core.keys"])
    record = None
    for k in range(count):
        told = base | {"options": base["options"] | {"steps": 500_000.0 + k // 10}}
        curve = {name: (np.arange(1, 6) * 100_000, rng.random(5)) for name in ("harvest", "reward", "equality")}
        record = kept.put(
            Asked({"trial": told, "seed": k % 10, "parents": []}, made_by), curve, {"mind": rng.random((4, 8))},
            named={"label": f"altar(span={k // 10})", "film": False, "parent": ""}, own={}, parents=[],
            measures={name: ["units", "what is measured"] for name in curve}, wall_seconds=1.25, steps_per_second=30000,
        )  # fmt: skip
    return record.id if record else ""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--records", type=int, default=1_000, help="records in the large folder (1,000)")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each command (5)")
    asked = parser.parse_args()
    if asked.records < 2:
        parser.error("--records must be 2 or more, to be compared with a folder of one.")
    pin()
    with tempfile.TemporaryDirectory() as place:
        one = keep(Path(place) / "small", 1)
        keep(Path(place) / "large", asked.records)
        commands = [*COMMANDS, ["runs", "--out", f"{place}/small"], ["runs", "show", one, "--out", f"{place}/small"],
                    ["runs", "--out", f"{place}/large"]]  # fmt: skip
        rows = [
            {
                "command": "nomoi " + " ".join(Path(w).name if w.startswith(place) else w for w in words),
                "CPU s": min(spent(words) for _ in range(asked.repeats)),
            }
            for words in commands
        ]
    print(table(rows))
    few, _, many = (float(str(row["CPU s"])) for row in rows[-3:])
    each = (many - few) / (asked.records - 1)
    print(f"\nnomoi runs with 10,000 records: {few + each * 9_999:.2f} CPU s")
