"""Which social choices depend on how utilities are written down?  (Robbins 1932; Sen 1970)

If only the order of a person's options means something, a choice should not change when each one's utilities are put
through any
rising function of its own.  If units can be compared, but not levels, it may change with units alone; and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

Rule = Callable[[np.ndarray], int]


def _sum(u: np.ndarray) -> int:
    return int(u.sum(0).argmax())


def _nash(u: np.ndarray) -> int:
    """The largest product of gains over the first option, the status quo, among those that harm nobody."""
    gains = u - u[:, :1]
    fair = (gains >= 0).all(0)
    with np.errstate(divide="ignore"):
        logs = np.log(np.maximum(gains, 0.0)).sum(0)
    return int(np.where(fair, logs, -np.inf).argmax())


def _rawls(u: np.ndarray) -> int:
    return int(u.min(0).argmax())


def _leximin(u: np.ndarray) -> int:
    each = np.sort(u, 0)
    return max(range(u.shape[1]), key=lambda k: each[:, k].tolist())


def _borda(u: np.ndarray) -> int:
    return int(u.argsort(1).argsort(1).sum(0).argmax())


def _pairs(u: np.ndarray) -> int:
    """The option that wins most comparisons of pairs by majority (Copeland)."""
    wins = (u[:, :, None] > u[:, None, :]).sum(0)
    return int((np.sign(wins - wins.T)).sum(1).argmax())


RULES: Mapping[str, Rule] = {
    "sum": _sum,
    "Nash product": _nash,
    "worst off": _rawls,
    "leximin": _leximin,
    "Borda": _borda,
    "majority": _pairs,
}


def _bend(u: np.ndarray, rng: np.random.Generator, rows: int) -> np.ndarray:
    """Rising functions, one for each of `rows` people (or one for all), through random points."""
    at = np.sort(rng.random((rows, 12)), 1)
    up = np.cumsum(rng.exponential(size=(rows, 12)) ** 2 + 1e-3, 1)
    ends = lambda x, low, high: np.concatenate([[low], x, [high]])  # noqa: E731
    return np.stack(
        [
            np.interp(row, ends(at[i % rows], 0, 1), ends(up[i % rows], 0, 1.1 * up[i % rows][-1]))
            for i, row in enumerate(u)
        ]
    )


SCALES: Mapping[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "each one's order": lambda u, rng: _bend(u, rng, len(u)),
    "each one's zero and unit": lambda u, rng: u * rng.lognormal(0, 1, (len(u), 1)) + rng.normal(size=(len(u), 1)),
    "each one's zero": lambda u, rng: u + rng.normal(size=(len(u), 1)),
    "one order for all": lambda u, rng: _bend(u, rng, 1),
    "one zero and unit for all": lambda u, rng: u * rng.lognormal() + rng.normal(),
}


def changed(
    rule: str, scale: str, rng: np.random.Generator, people: int = 5, options: int = 4, times: int = 1000
) -> float:
    """In which share of random profiles the choice of a rule changes when utilities are rewritten."""
    off = 0
    for _ in range(times):
        u = rng.random((people, options))
        u[:, 0] *= 0.3  # the status quo is poor, so that there is something to gain
        off += RULES[rule](u) != RULES[rule](SCALES[scale](u, rng))
    return off / times
