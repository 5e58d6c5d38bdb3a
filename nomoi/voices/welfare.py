"""Welfare: orders of options from what each is worth to each person, and what such numbers may mean.

A function that stays the same under every change that leaves the information as it is uses no more than that
information (Sen 1970): whoever adds utilities must hold their units to be comparable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from nomoi.errors import Refusal
from nomoi.voices.rules import Profile, borda_scores

Utilities = np.ndarray  # [people, options]
Order = np.ndarray  # [options] ranks, the best 0; what is equal has one rank


def _ranks(scores: np.ndarray) -> Order:
    """Dense ranks of scores, where what differs by dust is equal."""
    digits = np.round(np.asarray(scores, float), 9)
    return np.unique(-digits, return_inverse=True)[1]


def utilitarian(u: Utilities) -> Order:
    """By the sum (Bentham)."""
    return _ranks(u.sum(0))


def nash(u: Utilities) -> Order:
    """By the product of what is above nothing."""
    if (u <= 0).any():
        raise Refusal("a product of utilities needs them above 0, each over what the person has without agreement.")
    return _ranks(np.log(u).sum(0))


def egalitarian(u: Utilities) -> Order:
    """By the worst off (Rawls 1971)."""
    return _ranks(u.min(0))


def leximin(u: Utilities) -> Order:
    """By the worst off, then the next, and so on (Sen 1970)."""
    rows = [tuple(np.round(column, 9)) for column in np.sort(u, 0).T]
    order = sorted(set(rows), reverse=True)
    return np.array([order.index(row) for row in rows])


def ordinal(u: Utilities) -> Order:
    """By Borda's count of each person's order."""
    return _ranks(borda_scores(Profile((-u).argsort(1, kind="stable"))))


def fair(u: Utilities, alpha: float) -> np.ndarray:
    """[options] alpha-fair mean: 0 the mean, 1 the geometric, 2 the harmonic, inf the least (Mo & Walrand 2000)."""
    if alpha < 0:
        raise Refusal(f"alpha is {alpha:g}; a number of at least 0 (inf is the least) would be right.")
    if alpha > 0 and (u < 0).any():
        raise Refusal("a fair mean with alpha above 0 needs scores of at least 0.")
    if np.isinf(alpha):
        return u.min(0)
    if alpha == 0:
        return u.mean(0)
    with np.errstate(divide="ignore"):
        if alpha == 1:
            return np.exp(np.log(u).mean(0))
        made = (u ** (1 - alpha)).mean(0)
        return np.where((u == 0).any(0) & (alpha > 1), 0.0, made ** (1 / (1 - alpha)))


FUNCTIONS: Mapping[str, Callable[[Utilities], Order]] = {
    "sum": utilitarian, "product": nash, "worst off": egalitarian, "leximin": leximin, "Borda": ordinal,
}  # fmt: skip


def _own_order(u: Utilities, rng: np.random.Generator) -> Utilities:
    return np.stack([np.interp(row, np.sort(row), np.sort(rng.uniform(0.1, 3, len(row)))) for row in u])


def _one_order(u: Utilities, rng: np.random.Generator) -> Utilities:
    grid = np.sort(u.ravel())
    return np.interp(u, grid, np.sort(rng.uniform(0.1, 3, len(grid))))


# what may be done to utilities if they mean no more than it says
CHANGES: Mapping[str, Callable[[Utilities, np.random.Generator], Utilities]] = {
    "own order": _own_order,
    "own zero and unit": lambda u, rng: u * rng.uniform(0.2, 5, (len(u), 1)) + rng.uniform(0, 3, (len(u), 1)),
    "own unit": lambda u, rng: u * rng.uniform(0.2, 5, (len(u), 1)),
    "own zero, one unit": lambda u, rng: u * rng.uniform(0.2, 5) + rng.uniform(0, 3, (len(u), 1)),
    "one zero and unit": lambda u, rng: u * rng.uniform(0.2, 5) + rng.uniform(0, 3),
    "one order": _one_order,
}


def invariant(function: Callable[[Utilities], Order], change: str, tries: int = 300, seed: int = 0) -> bool:
    """Whether no change was found, among random ones of random utilities, that turns the order of options."""
    rng = np.random.default_rng(seed)
    for _ in range(tries):
        u = rng.uniform(0.1, 2, (int(rng.integers(2, 5)), int(rng.integers(2, 5))))
        if (function(u) != function(CHANGES[change](u, rng))).any():
            return False
    return True


def table(tries: int = 300, seed: int = 0) -> dict[str, dict[str, bool]]:
    """function -> change -> whether it is invariant, as far as the search has seen."""
    return {name: {c: invariant(f, c, tries, seed) for c in CHANGES} for name, f in FUNCTIONS.items()}
