"""CPU seconds to unfold the fishery (41 points of stock, 13 requests, 60 steps) and to solve it under rates of a tax.

    python benchmarks/contracts.py [--rates 50] [--agents 2]

All rates share one unfolding; only what is paid is computed anew, and all are solved side by side.  Plain NumPy solves
one rate after another on the same tensors, layer by layer, without certificates; the ratio is of the solving alone.
One core; the target is 10 seconds for 50 rates on two.
"""

from __future__ import annotations

import argparse
import itertools
import time
from typing import Any


def plain(markov: Any, discount: float) -> float:
    """Welfare of the smallest request that nobody leaves, or of the one that is left for least, in NumPy alone."""
    import numpy as np

    value, earned = np.zeros(markov.size + 1), np.zeros(markov.size + 1)
    for layer in markov.stages:
        for states, rows, (a, _) in layer:
            follows = (markov.prob[rows] * value[markov.next[rows]]).sum(-1)
            own = (markov.payoff[0][rows] + discount * follows).reshape(-1, a, a)
            same = np.diagonal(own, axis1=1, axis2=2)
            gain = own.max(1) - same
            dust = 1e-6 * np.abs(own.max(1))
            gain[gain <= dust] = 0.0
            chosen = (gain <= gain.min(1, keepdims=True) + dust).argmax(1)
            row = rows[np.arange(len(states)), chosen * (a + 1)]
            value[states] = same[np.arange(len(states)), chosen]
            later = (markov.prob[row] * earned[markov.next[row]]).sum(-1)
            earned[states] = markov.material[0][row] + discount * later
    return float(earned[0] * markov.agents)


def measure(rates: int, agents: int) -> dict[str, float]:
    """CPU seconds for unfolding (with all that is compiled), and for paying and solving a game."""
    from nomoi.solve.subgame import backwards
    from nomoi.solve.unfold import repaid, tabular
    from nomoi.studies.fishery import DISCOUNT, SLACK, fishery

    clock = [time.process_time()]
    markov = tabular(fishery(agents, 0.0), symmetric=True)
    repaid(markov, fishery(agents, 0.0))  # compiled
    _ = markov.stages, markov.lots
    clock.append(time.process_time())
    games = [repaid(markov, fishery(agents, k / max(rates - 1, 1))) for k in range(rates)]
    clock.append(time.process_time())
    solved = backwards(games, DISCOUNT, "first", SLACK)
    clock.append(time.process_time())
    others = [plain(game, DISCOUNT) for game in games]
    clock.append(time.process_time())
    unfolding, paying, solving, numpy = (b - a for a, b in itertools.pairwise(clock))
    return {
        "states": markov.size,
        "joint choices": len(markov.owner),
        "unfold s": unfolding,
        "pay, ms a rate": 1e3 * paying / rates,
        "solve, ms a rate": 1e3 * solving / rates,
        "plain NumPy, ms": 1e3 * numpy / rates,
        "times faster": numpy / solving,
        "welfare differs": max(abs(s.welfare - w) for s, w in zip(solved, others, strict=True)),
    }


if __name__ == "__main__":
    from common import pin, table

    pin()
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rates", type=int, default=50, help="how many rates of the tax (50)")
    parser.add_argument("--agents", type=int, default=2, help="how many fish (2)")
    asked = parser.parse_args()
    print(table([{"rates": asked.rates, "agents": asked.agents} | measure(asked.rates, asked.agents)]))
