"""People-generations per second of learners and imitators, individuals one by one, beside plain loops.  One run.

    python benchmarks/populations.py [--quick] [--json]

A person-generation is one member who keeps what it has learned, or looks at a model and copies: two memory accesses
and one random number.  The plain NumPy loop draws and gathers in the same way without the rest of nomoi, so the ratio
is what the model costs on top of what it must do; the Python loop does one person after another.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
from common import table

Q, SWITCH = 0.68, 0.1  # near q* of the default


def ours(people: int, generations: int) -> None:
    from nomoi.populations.imitation import Imitation, simulate

    simulate(Imitation(switch=SWITCH), Q, people, generations, [0])


def plain_numpy(people: int, generations: int) -> None:
    """The same with NumPy's default generator and fresh arrays, as one would first write it."""
    rng, learners = np.random.default_rng(0), round((1 - Q) * people)
    suits = np.zeros(people, bool)
    for _ in range(generations):
        if rng.random() < SWITCH:
            suits = ~suits
        suits[:learners] = True
        suits = suits[rng.integers(0, people, people)]
        suits[:learners] = True
        suits[learners:].mean()


def plain_python(people: int, generations: int) -> None:
    """One person after another."""
    import random

    rng, learners = random.Random(0), round((1 - Q) * people)
    suits = [False] * people
    for _ in range(generations):
        if rng.random() < SWITCH:
            suits = [not s for s in suits]
        suits[:learners] = [True] * learners
        suits = [True] * learners + [suits[rng.randrange(people)] for _ in range(people - learners)]


def rate(run: Callable[[int, int], None], people: int, generations: int, repeats: int) -> tuple[float, float]:
    """Person-generations per CPU second, median of repeats; and wall seconds of the median run."""
    cpu, wall = [], []
    for _ in range(repeats):
        c, w = time.process_time(), time.perf_counter()
        run(people, generations)
        cpu.append(time.process_time() - c)
        wall.append(time.perf_counter() - w)
    return people * generations / float(np.median(cpu)), float(np.median(wall))


def measure(quick: bool) -> dict[str, object]:
    people, generations = 1_000_000, 100 if quick else 1000
    jobs = {
        "nomoi": (ours, people, generations, 1),
        "plain NumPy loop": (plain_numpy, people, generations // 5, 1),
        "plain Python loop": (plain_python, people // 10, 10, 3),
    }
    ours(1000, 10)  # imports are not measured
    found = {name: rate(*job) for name, job in jobs.items()}
    base = found["plain NumPy loop"][0]
    rows = [
        {"what": name, "people-generations/s": speed, "of plain NumPy": speed / base, "wall s": wall}
        for name, (speed, wall) in found.items()
    ]
    return {"people": people, "generations": generations, "rows": rows}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    parser.add_argument("--quick", action="store_true", help="a tenth as many generations")
    asked = parser.parse_args()
    result = measure(asked.quick)
    if asked.json:
        print(json.dumps(result, indent=1))
    else:
        print(f"{result['people']:,} people, {result['generations']:,} generations; speeds are per CPU second\n")
        print(table(result["rows"]))
