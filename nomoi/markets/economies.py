"""Economies that come with nomoi: test cases of the literature, and small ones that show one thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nomoi.errors import Refusal, nearest
from nomoi.markets.economy import Economy
from nomoi.markets.reading import economy, read

R = 2 ** (8 / 9) - 2 ** (1 / 9)
AB = ["a", "b"]


def _kept(money: str) -> dict[str, Any]:
    """x_money - x_other^-8 / 8."""
    return {"family": "quasi_linear", "money": money, "worth": [1, 1], "power": -8}


def _shared(sigma: float, demands: list[float], owned: list[float]) -> dict[str, Any]:
    """A consumer of Scarf's activity model, by what it demands at prices 1."""
    goods = ["capeop", "nondurbl", "durable", "capbop", "skillab", "unsklab"]
    names = {"capeop": 0, "skillab": 1, "unsklab": 2, "nondurbl": 3, "durable": 4}
    shares = [demands[names[g]] if g in names else 0.0 for g in goods]
    capital, skilled, unskilled, durable = owned
    return {
        "utility": {"family": "ces", "sigma": sigma, "shares": shares},
        "endowment": {"capbop": capital, "skillab": skilled, "unsklab": unskilled, "durable": durable},
    }


def _circular(k: int) -> dict[str, Any]:
    """A consumer of Scarf's unstable economy: owns good k, and wants it with the next one in fixed proportions."""
    return {
        "utility": {"family": "leontief", "needs": [1.0 if j in (k, (k + 1) % 3) else 0.0 for j in range(3)]},
        "endowment": [1.0 if j == k else 0.0 for j in range(3)],
    }


def _mostly(k: int) -> dict[str, Any]:
    """A consumer who owns and wants little beside good k, and would hardly replace it."""
    return {
        "utility": {"family": "ces", "rho": -4, "weights": [1024.0 if j == k else 1.0 for j in range(4)]},
        "endowment": [20.0 if j == k else 1.0 for j in range(4)],
    }


def _process(**netput: float) -> dict[str, float]:
    return netput


ECONOMIES: Mapping[str, dict[str, Any]] = {
    "edgeworth": {
        "note": "Two who own one good each and want both: the box of every textbook.  p = (2/5, 3/5) by hand",
        "goods": ["wine", "bread"],
        "consumers": [
            {"name": "Ann", "utility": {"family": "cobb_douglas", "shares": [0.25, 0.75]}, "endowment": [1, 0]},
            {"name": "Bob", "utility": {"family": "cobb_douglas", "shares": [0.5, 0.5]}, "endowment": [0, 1]},
        ],
    },
    "three_equilibria": {
        "note": "Three equilibria in one box, p_a / p_b = 1/2, 1 and 2 (Mas-Colell et al. 1995, 15.B.2)",
        "goods": AB,
        "consumers": [
            {"name": "Ann", "utility": _kept("a"), "endowment": [2, R]},
            {"name": "Bob", "utility": _kept("b"), "endowment": [R, 2]},
        ],
    },
    "kehoe_exchange": {
        "note": "Three equilibria of CES utilities, p_a = 0.1129, 1/2 and 0.8871 (Kehoe 1991)",
        "goods": AB,
        "consumers": [
            {"utility": {"family": "ces", "rho": -4, "weights": [1024, 1]}, "endowment": [12, 1]},
            {"utility": {"family": "ces", "rho": -4, "weights": [1, 1024]}, "endowment": [1, 12]},
        ],
    },
    "fifteen": {
        "note": "Fifteen equilibria of four who each own and want mostly one good (ours; as many as in that of "
        "Gauthier et al. 2022, 2^4 - 1)",
        "goods": ["a", "b", "c", "d"],
        "consumers": [_mostly(k) for k in range(4)],
    },
    "scarf": {
        "note": "One equilibrium, which the adjusting of prices never reaches (Scarf 1960)",
        "goods": ["1", "2", "3"],
        "consumers": [_circular(k) for k in range(3)],
    },
    "kehoe": {
        "note": "Three equilibria with production (Kehoe 1985)",
        "goods": ["1", "2", "3", "4"],
        "consumers": [
            {"utility": {"family": "cobb_douglas", "shares": s}, "endowment": [e if j == k else 0 for j in range(4)]}
            for k, (s, e) in enumerate(
                zip(
                    (
                        [0.52, 0.4, 0.04, 0.04],
                        [0.86, 0.1, 0.02, 0.02],
                        [0.5, 0.2, 0.2975, 0.0025],
                        [0.06, 0.25, 0.0025, 0.6875],
                    ),
                    (5, 5, 40, 40),
                    strict=True,
                )
            )
        ],
        "producers": [{"technology": {"family": "activities", "processes": [[6, -1, -4, -1], [-1, 3, -1, -1]]}}],
    },
    "scarf_hansen": {
        "note": "Six goods, five consumers, eight processes (Scarf & Hansen 1973)",
        "goods": ["capeop", "nondurbl", "durable", "capbop", "skillab", "unsklab"],
        "consumers": [
            _shared(1.2, [4, 0.2, 0, 2, 3.2], [3, 5, 0.1, 1]),
            _shared(1.6, [0.4, 0, 0.6, 4, 1], [0.1, 0.1, 7, 2]),
            _shared(0.8, [2, 0.5, 0, 2, 1.5], [2, 6, 0.1, 1.5]),
            _shared(0.5, [5, 0, 0.2, 5, 4.5], [1, 0.1, 8, 1]),
            _shared(0.6, [3, 0, 0.2, 4, 2], [6, 0.1, 0.5, 2]),
        ],
        "producers": [
            {
                "technology": {
                    "family": "activities",
                    "processes": [
                        _process(durable=4, capeop=4, capbop=-5.3, skillab=-2, unsklab=-1),
                        _process(durable=3.5, capeop=4, capbop=-5, skillab=-1, unsklab=-6),
                        _process(nondurbl=6, capeop=1.6, capbop=-2, skillab=-2, unsklab=-3),
                        _process(nondurbl=8, capeop=1.6, capbop=-2, skillab=-4, unsklab=-1),
                        _process(nondurbl=7, capeop=1.6, capbop=-2, skillab=-1, unsklab=-8),
                        _process(capeop=0.9, capbop=-1),
                        _process(capeop=7, capbop=-4, skillab=-3, unsklab=-1),
                        _process(capeop=8, capbop=-5, skillab=-2, unsklab=-8),
                    ],
                }
            }
        ],
    },
    "fisher": {
        "note": "Three buyers with money in parts 1/2, 1/3, 1/6 value three goods linearly (Eisenberg & Gale 1959)",
        "goods": ["a", "b", "c"],
        "consumers": [
            {"utility": {"family": "linear", "worth": w}, "endowment": [part] * 3}
            for w, part in zip(([4, 2, 1], [1, 3, 2], [2, 1, 5]), (1 / 2, 1 / 3, 1 / 6), strict=True)
        ],
    },
    "robinson": {
        "note": "One who works and eats, and a farm with decreasing returns whose profit is his",
        "goods": ["leisure", "corn"],
        "consumers": [
            {
                "name": "Robinson",
                "utility": {"family": "cobb_douglas", "shares": [0.5, 0.5]},
                "endowment": [1, 0],
                "shares": [1],
            }
        ],
        "producers": [
            {
                "name": "farm",
                "technology": {"family": "cobb_douglas", "output": "corn", "shares": [1, 0], "returns": 0.5},
            }
        ],
    },
    "free_good": {
        "note": "Tea is drunk with sugar, one to one, and there is more sugar than anybody needs: its price is 0",
        "goods": ["tea", "sugar"],
        "consumers": [
            {"name": "Ann", "utility": {"family": "leontief", "needs": [1, 1]}, "endowment": [1, 0]},
            {"name": "Bob", "utility": {"family": "leontief", "needs": [1, 1]}, "endowment": [1, 3]},
        ],
    },
    "exceptional": {
        "note": "Arrow's exceptional case (1951): Ann minds wine alone and has it, Bob wants both and has bread: no "
        "equilibrium, and no prices that support an allocation which is Pareto optimal",
        "goods": ["wine", "bread"],
        "consumers": [
            {"name": "Ann", "utility": {"family": "linear", "worth": [1, 0]}, "endowment": [1, 0]},
            {
                "name": "Bob",
                "utility": {"family": "quasi_linear", "money": "bread", "worth": [2, 0], "power": 0.5},
                "endowment": [0, 1],
            },
        ],
    },
}


def named(name: str) -> Economy:
    """An economy that comes with nomoi."""
    if name not in ECONOMIES:
        raise Refusal(
            f"there is no economy {name!r}; {nearest(name, ECONOMIES, 'economy').replace('economys', 'economies')}"
        )
    return economy({"title": name} | ECONOMIES[name], name)


def find(word: str) -> Economy:
    """The economy that `word` means: one that comes with nomoi, else a file."""
    return named(word) if word in ECONOMIES or not any(mark in word for mark in "./\\") else read(word)
