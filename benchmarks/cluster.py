"""What it costs to share work: many processes at one folder, and workers of Ray on this machine.

    python benchmarks/cluster.py [--processes 16] [--jobs 200] [--workers 2] [--seconds 1.0]

1. Many processes are asked for the same small runs in one folder at the same time: each is to be made once, and none
   damaged.
2. Runs that compute for a fixed CPU time are made by workers of Ray: what driver and Ray spend beside them, how much
   faster two workers are than one, and with how many processors and how much niceness a worker computes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from common import table

TICK = os.sysconf("SC_CLK_TCK")
TINY = """
import sys
sys.path.insert(0, {here!r})
from cluster import tiny
from nomoi.runs.make import make
from nomoi.runs.store import Store
from nomoi.runs.trials import Computed
print(make(Store({folder!r}), [Computed("tiny", tiny)], range({jobs})).fresh)
"""


def tiny(key: object) -> dict[str, float]:
    """The least there is to make."""
    return {"one": 1.0}


def busy(key: object, seconds: float = 1.0, of: int = 0) -> dict[str, float]:
    """Compute for that many CPU seconds of this thread; where and how it was computed."""
    began, wall = time.thread_time(), time.perf_counter()
    while time.thread_time() - began < seconds:
        pass
    return {"cpu": time.thread_time() - began, "wall": time.perf_counter() - wall, "pid": float(os.getpid()),
            "processors": float(len(os.sched_getaffinity(0))), "niceness": float(os.nice(0)),
            "at": time.time()}  # fmt: skip


def many(processes: int, jobs: int) -> None:
    """The first: processes that begin together at one folder."""
    from nomoi.runs.store import Store

    with tempfile.TemporaryDirectory() as folder:
        code = TINY.format(here=str(Path(__file__).parent), folder=folder, jobs=jobs)
        began = time.perf_counter()
        asked = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(processes)]
        made = [int(one.communicate()[0]) for one in asked]
        took = time.perf_counter() - began
        found, damaged = Store(folder).sound()
        left = list((Path(folder) / "unfinished").iterdir())
    print(f"{processes} processes asked for the same {jobs} runs: {len(found)} records, {len(damaged)} damaged, made "
          f"{sum(made)} times in all, by each {min(made)} to {max(made)}; {len(left)} left unfinished; {took:.0f} s "
          "of the clock.\n")  # fmt: skip


class Meter:
    """CPU seconds of this process, of what it started and of what that started, also of those that ended meanwhile.

    What it costs to look is taken off: a look at every process takes some 20 ms, and there are five a second.
    """

    def __init__(self) -> None:
        self.used, self.looked = dict[int, float](), 0.0
        threading.Thread(target=self._look, daemon=True).start()

    def spent(self) -> float:
        began, above, now = time.thread_time(), dict[int, int](), dict[int, float]()
        for one in (p for p in os.listdir("/proc") if p.isdigit()):
            try:
                fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has ended meanwhile
                continue
            above[int(one)], now[int(one)] = int(fields[1]), (int(fields[11]) + int(fields[12])) / TICK
        mine = {os.getpid()}
        while more := {pid for pid, parent in above.items() if parent in mine} - mine:
            mine |= more
        self.used |= {pid: now[pid] for pid in mine}
        self.looked += time.thread_time() - began
        return sum(self.used.values()) - self.looked

    def _look(self) -> None:
        while True:
            time.sleep(0.2)
            self.spent()


def far(workers: int, seconds: float) -> None:
    """The second: runs of a fixed CPU time, made by workers of Ray."""
    import cluster  # by its name, so that records and workers know the function

    from nomoi.runs.make import make
    from nomoi.runs.store import Store
    from nomoi.runs.trials import Computed

    rows, meter = [], Meter()
    with tempfile.TemporaryDirectory() as folder:
        for many in dict.fromkeys((workers, 1)):  # Ray starts with room for the more
            runs = 8 * many
            first, warm, trial = (Computed(name, cluster.busy, {"seconds": s, "of": many})
                                  for name, s in (("first", 0.01), ("warm", 0.02), ("busy", seconds)))  # fmt: skip
            make(Store(folder), [first], range(many), on="ray", workers=many)  # Ray starts
            began = meter.spent()
            make(Store(folder), [warm], range(many), on="ray", workers=many)  # workers start
            before = meter.spent()
            of = make(Store(folder), [trial], range(runs), on="ray", workers=many).results.records["busy"]
            whole, start, told = meter.spent() - before, before - began, [record.late() for record in of]
            ends = sorted(one["at"] for one in told)
            work = sum(one["cpu"] for one in told)
            rows.append({
                "workers": many, "runs": runs, "CPU s of the runs": work, "to start workers": start,
                "share beside": (whole - start - work) / work,
                "CPU s a s of the clock": (runs - many) / (ends[-1] - ends[many - 1]) * work / runs,
                "processors": max(one["processors"] for one in told), "niceness": max(one["niceness"] for one in told),
            })  # fmt: skip
    print(table(rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--processes", type=int, default=16, help="processes at one folder (16)")
    parser.add_argument("--jobs", type=int, default=200, help="runs that each of them is asked for (200)")
    parser.add_argument("--workers", type=int, default=2, help="workers of Ray, beside a single one (2)")
    parser.add_argument("--seconds", type=float, default=1.0, help="CPU seconds of a run made by Ray (1)")
    asked = parser.parse_args()
    if asked.processes:
        many(asked.processes, asked.jobs)
    if asked.workers:
        far(asked.workers, asked.seconds)
