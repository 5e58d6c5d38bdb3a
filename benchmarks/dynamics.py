"""How fast populations change: replicator dynamics from many starts, compiled and in plain NumPy, in one run.

    python benchmarks/dynamics.py [--starts 10000] [--steps 2000] [--json]

A game of three conventions.  Seconds of wall time want a machine that is left alone meanwhile; the ratio does not.
NumPy takes a twentieth of the steps (a step costs the same), in float64 as it is used.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
from common import table

from nomoi.solve.dynamics import path
from nomoi.solve.game import symmetric

SHARE = 20  # of the steps that NumPy takes


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--starts", type=int, default=10_000)
    options.add_argument("--steps", type=int, default=2_000)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()

    game, rows = symmetric(np.diag([1.0, 2.0, 3.0])), []
    for populations in (1, 2):
        starts = list(np.random.default_rng(0).dirichlet(np.ones(3), (populations, given.starts)))

        def run(steps: int, single: bool, starts: list = starts, one: bool = populations == 1) -> tuple[float, float]:
            wall, worked = time.perf_counter(), time.process_time()
            path(game, starts, steps, one=one, single=single)
            return time.perf_counter() - wall, time.process_time() - worked

        first = run(given.steps, True)[0]
        wall, worked = min(run(given.steps, True) for _ in range(3))
        few = max(1, given.steps // SHARE)
        plain = [given.steps / few * x for x in min(run(few, False) for _ in range(3))]
        rows.append(
            {
                "populations": populations,
                "starts": given.starts,
                "steps": given.steps,
                "seconds": wall,
                "CPU s": worked,
                "with compiling": first,
                "NumPy, seconds": plain[0],
                "times faster": plain[1] / worked,
            }
        )
    print(json.dumps(rows, indent=1) if given.json else table(rows))


if __name__ == "__main__":
    main()
