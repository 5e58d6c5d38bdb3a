"""Seconds to all equilibria of random games of two, and whether each passes its certificate.  One run, no claim beyond.

    python benchmarks/games.py [--games 50] [--json]

Payoffs are whole numbers 0 .. 999.  The first game of a method is left out: quantecon compiles then.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from common import table

from nomoi.solve import nash
from nomoi.solve.game import NormalForm, bimatrix

SIZES = ((2, "auto"), (4, "auto"), (6, "auto"), (8, "auto"), (8, "lemke-howson"), (10, "auto"), (12, "auto"))
ASKED = 0.1  # seconds for an 8 x 8 game, at most (ours)


def random(rng: np.random.Generator, size: int) -> NormalForm:
    return bimatrix(*rng.integers(0, 1000, (2, size, size)))


def measure(games: int) -> list[dict[str, object]]:
    rng, rows = np.random.default_rng(0), []
    for size, method in SIZES:
        nash.solve(random(rng, size), method)
        found = [nash.solve(random(rng, size), method) for _ in range(games)]
        seconds = np.array([e.seconds for e in found])
        rows.append(
            {
                "what": f"{size} x {size}, {found[0].method}",
                "median ms": 1e3 * float(np.median(seconds)),
                "slowest ms": 1e3 * float(seconds.max()),
                "equilibria a game": float(np.mean([len(e.points) for e in found])),
                "largest regret": f"{max(float(e.certificates.max()) for e in found):.0e}",
            }
        )
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--games", type=int, default=50, help="games a size (50)")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    asked = parser.parse_args()
    found = measure(asked.games)
    if asked.json:
        print(json.dumps(found, indent=1))
    else:
        print(table(found))
        slowest = max(float(str(r["slowest ms"])) for r, (size, how) in zip(found, SIZES, strict=True)
                      if (size, how) == (8, "auto"))  # fmt: skip
        print(f"\nasked: all equilibria of an 8 x 8 game in {ASKED * 1e3:.0f} ms; slowest here {slowest:.1f} ms")
