"""How fast economies are solved, against plain scipy that does the bare minimum: python benchmarks/markets.py

Ratios are of one run on one machine.  Plain scipy finds one root of excess demand from one start, certifying nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from scipy.optimize import root

from nomoi.markets import economies
from nomoi.markets.economy import Economy
from nomoi.markets.reading import economy


def best(work: Callable[[], object], times: int = 3) -> float:
    """Seconds of the fastest of a few runs."""
    spent = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        spent.append(time.perf_counter() - begun)
    return min(spent)


def plain(e: Economy) -> Callable[[], object]:
    """One root of excess demand in logarithms of prices, the last good being money."""

    def excess(logs: np.ndarray) -> np.ndarray:
        return e.excess(np.exp(np.append(logs, 0.0)))[:-1]

    return lambda: root(excess, np.zeros(e.l - 1))


def drawn(consumers: int, goods: int, family: str, alike: bool = False) -> Economy:
    """An exchange economy drawn at random; `alike` makes it a Fisher market."""
    rng = np.random.default_rng(0)
    number = {"cobb_douglas": "shares", "linear": "worth"}[family]
    rows = [
        {
            "utility": {"family": family, number: rng.random(goods).tolist()},
            "endowment": np.full(goods, 1 / consumers).tolist() if alike else rng.random(goods).tolist(),
        }
        for _ in range(consumers)
    ]
    return economy({"goods": [str(k) for k in range(goods)], "consumers": rows})


def main() -> None:
    cases: list[tuple[str, Economy, float, bool]] = [
        ("2 x 2, Cobb-Douglas", economies.named("edgeworth"), 0.05, True),
        ("2 x 2, three equilibria", economies.named("three_equilibria"), 0.05, True),
        ("100 consumers x 10 goods, Cobb-Douglas", drawn(100, 10, "cobb_douglas"), 1.0, True),
        ("Fisher, linear 100 x 100", drawn(100, 100, "linear", alike=True), 2.0, False),
        ("Kehoe, all three", economies.named("kehoe"), 3.0, False),
    ]
    for name, e, bound, smooth in cases:
        e.equilibria()  # what is loaded late is loaded
        own = best(e.equilibria)
        ratio = f"{own / best(plain(e)):.1f} x plain scipy" if smooth else "no plain scipy finds it"
        print(f"{name:42} {own * 1e3:8.1f} ms (at most {bound * 1e3:.0f}), {ratio}")


if __name__ == "__main__":
    main()
