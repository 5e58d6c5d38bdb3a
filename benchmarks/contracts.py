"""Seconds to unfold the fishery (41 points of stock, 13 requests, 60 steps) and to solve it under many rates of a tax.

    python benchmarks/contracts.py [--rates 50] [--agents 2]

All rates share one unfolding; only what is paid is computed anew.  The target is 10 seconds for 50 rates on two cores.
"""

from __future__ import annotations

import argparse
import time


def measure(rates: int, agents: int) -> dict[str, float]:
    """Seconds for unfolding, and for paying and solving `rates` games, with everything that is compiled on the way."""
    from nomoi.solve.subgame import backward
    from nomoi.solve.unfold import repaid, tabular
    from nomoi.studies.fishery import DISCOUNT, SLACK, fishery

    began = time.perf_counter()
    markov = tabular(fishery(agents, 0.0), symmetric=True)
    unfolded = time.perf_counter()
    for k in range(rates):
        theta = k / max(rates - 1, 1)
        backward(repaid(markov, fishery(agents, theta)), DISCOUNT, "first", SLACK)
    ended = time.perf_counter()
    return {
        "states": markov.size,
        "joint choices": len(markov.owner),
        "unfold s": unfolded - began,
        "solve s": ended - unfolded,
        "all s": ended - began,
    }


if __name__ == "__main__":
    from common import table

    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rates", type=int, default=50, help="how many rates of the tax (50)")
    parser.add_argument("--agents", type=int, default=2, help="how many fish (2)")
    asked = parser.parse_args()
    print(table([{"rates": asked.rates, "agents": asked.agents} | measure(asked.rates, asked.agents)]))
