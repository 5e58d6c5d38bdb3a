"""How often 95 % intervals of a mean hold it, and how often no effect is taken for one.

    python benchmarks/intervals.py [--times 20000]

Draws n values again and again from a known distribution: normal, and ones as skewed as runs that now and then collapse.
"""

from __future__ import annotations

import argparse

import numpy as np

from nomoi.measure.statistics import estimate

SIZES = (2, 3, 4, 5, 8, 10, 20, 30)
DRAWS = {
    "normal": lambda rng, n: rng.normal(0, 1, n),
    "uniform": lambda rng, n: rng.uniform(-1, 1, n),
    "exponential": lambda rng, n: rng.exponential(1, n) - 1,
    "lognormal (sigma 1)": lambda rng, n: rng.lognormal(0, 1, n) - np.exp(0.5),
    "one run in five collapses": lambda rng, n: rng.normal(0, 0.1, n) - (rng.random(n) < 0.2) + 0.2,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20_000, help="draws for each number")
    times = parser.parse_args().times
    print(f"share of {times:,} intervals that hold the mean / share that lie wholly above it (nominal .950 / .025)")
    print("| values | " + " | ".join(f"n = {n}" for n in SIZES) + " |\n|---|" + "---|" * len(SIZES))
    for name, draw in DRAWS.items():
        rng, cells = np.random.default_rng(0), []
        for n in SIZES:
            found = [estimate(draw(rng, n)) for _ in range(times)]
            held, above = (np.mean(x) for x in ([e.low <= 0 <= e.high for e in found], [e.low > 0 for e in found]))
            cells.append(f"{held:.3f} / {above:.3f}")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
