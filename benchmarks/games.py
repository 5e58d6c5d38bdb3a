"""CPU time to all equilibria of random games of two, and whether each passes its certificate; beside quantecon.

    python benchmarks/games.py [--games 50] [--json]

Payoffs are whole numbers 0 .. 999, or drawn from [0, 1] (real).  The first game of a method is left out: quantecon
compiles then.  quantecon's enumeration of vertices proves nothing of what it gives; where `auto` takes it, the ratio is
what the proof costs.  One core.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from common import pin, table

from nomoi.solve import nash
from nomoi.solve.game import NormalForm, bimatrix

SIZES = (
    (2, "auto", False), (4, "auto", False), (6, "auto", False), (6, "auto", True), (8, "auto", False),
    (8, "lemke-howson", False), (10, "auto", False), (12, "auto", False),
)  # fmt: skip
ASKED = 0.1  # seconds for an 8 x 8 game, at most (ours)


def random(rng: np.random.Generator, size: int, real: bool = False) -> NormalForm:
    return bimatrix(*(rng.random((2, size, size)) if real else rng.integers(0, 1000, (2, size, size))))


def timed(solve: Callable[[NormalForm], Any], games: list[NormalForm]) -> tuple[np.ndarray, list[Any]]:
    """CPU milliseconds a game, and the answers."""
    solve(games[0])
    spent, found = [], []
    for game in games[1:]:
        began = time.process_time()
        found.append(solve(game))
        spent.append(1e3 * (time.process_time() - began))
    return np.array(spent), found


def quantecon(game: NormalForm) -> Any:
    import quantecon.game_theory as theory

    players = [theory.Player(np.ascontiguousarray(p)) for p in (game.payoff[0], game.payoff[1].T)]
    return theory.vertex_enumeration(theory.NormalFormGame(players))


def measure(games: int) -> list[dict[str, object]]:
    rng, rows = np.random.default_rng(0), []
    for size, method, real in SIZES:
        tried = [random(rng, size, real) for _ in range(games + 1)]
        ours, found = timed(partial(nash.solve, method=method), tried)
        peer = timed(quantecon, tried)[0] if method == "auto" else None
        rows.append(
            {
                "what": f"{size} x {size}{', real' * real}, {found[0].method}",
                "median ms": float(np.median(ours)),
                "slowest ms": float(ours.max()),
                "quantecon ms": None if peer is None else float(np.median(peer)),
                "of quantecon": None if peer is None else float(np.median(ours) / np.median(peer)),
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
    pin()
    found = measure(asked.games)
    if asked.json:
        print(json.dumps(found, indent=1))
    else:
        print(table(found))
        slowest = max(float(str(r["slowest ms"])) for r, (size, how, _) in zip(found, SIZES, strict=True)
                      if (size, how) == (8, "auto"))  # fmt: skip
        print(f"\nasked: all equilibria of an 8 x 8 game in {ASKED * 1e3:.0f} ms; slowest here {slowest:.1f} ms")
