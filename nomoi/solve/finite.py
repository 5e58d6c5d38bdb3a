"""Populations of Z people, where chance decides: fixation of a mutant, and where rare mutation leads in the long run.

A population of Z meets itself; nobody meets oneself.  With k of one type among Z, its members earn `pi(k)` on average.
*Pairwise comparison* (Fermi): one person looks at another and copies with probability 1 / (1 + exp(-beta (theirs -
own))) (Traulsen et al. 2006).  *Moran*: a person breeds in proportion to fitness, exp(beta pi) or
1 - w + w pi, and the child replaces anyone (Nowak et al. 2004).  Steps down, over steps up, give

    rho = 1 / (1 + sum_{k=1}^{Z-1} prod_{j=1}^{k} T-(j) / T+(j)),

whose sum is taken of logarithms, so that strong selection neither overflows nor becomes 0 / 0.
"""

from __future__ import annotations

import itertools

import numpy as np

from nomoi.errors import Refusal
from nomoi.solve.dynamics import tables
from nomoi.solve.game import NormalForm

MOST = 1_000_000  # people; more would not end in reasonable time (ours)
PROCESSES = ("fermi", "moran", "moran linear")


def payoffs(game: NormalForm, mutant: int, resident: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean payoff of a mutant and of a resident [Z - 1] where 1, 2, ..., Z - 1 people are mutants."""
    table = _pairs(game, mutant, resident, size)
    k = np.arange(1, size)
    both, against = table[mutant, mutant], table[mutant, resident]
    back, alone = table[resident, mutant], table[resident, resident]
    return (both * (k - 1) + against * (size - k)) / (size - 1), (back * k + alone * (size - k - 1)) / (size - 1)


def log_fixation(game: NormalForm, mutant: int, resident: int, size: int, beta: float, process: str = "fermi") -> float:
    """The logarithm of the chance that one mutant among size - 1 residents takes over.

    beta  the strength of selection (for "moran linear" its w, a weight from 0 to 1)
    """
    if process not in PROCESSES:
        raise Refusal(f"there is no process {process!r}; the processes are {', '.join(PROCESSES)}.")
    if not (np.isfinite(beta) and beta >= 0):
        raise Refusal(f"the strength of selection is {beta}; it must be a number, 0 or more.")
    own, other = payoffs(game, mutant, resident, size)
    if process == "moran linear":
        if beta > 1 or min(own.min(), other.min()) < 0:
            raise Refusal("linear fitness 1 - w + w * payoff wants a weight w up to 1 and no payoff below 0.")
        fitness = 1 - beta + beta * np.stack([own, other])
        if not (fitness > 0).all():
            raise Refusal("with w = 1 and a payoff of 0 some have no fitness, and nobody may breed; take w below 1.")
        steps = np.log(fitness[1] / fitness[0])
    else:  # alike for both: each step up against down weighs exp(beta * difference)
        steps = -beta * (own - other)
    return -float(np.logaddexp.reduce(np.concatenate([[0.0], np.cumsum(steps)])))


def fixation(game: NormalForm, mutant: int, resident: int, size: int, beta: float, process: str = "fermi") -> float:
    """The chance that one mutant among size - 1 residents takes over; 1 / size without selection."""
    return float(np.exp(log_fixation(game, mutant, resident, size, beta, process)))


def rare_mutation(game: NormalForm, size: int, beta: float, process: str = "fermi") -> np.ndarray:
    """[A] shares of time at each action where mutants are so rare that one takes over or dies before the next.

    The stationary distribution of the chain over monomorphic states (Fudenberg & Imhof 2006): from a to b
    at the chance that one b takes over from a, all mutants being equally likely.
    """
    k = len(tables(game, one=True)[0])
    rates = np.full((k, k), -np.inf)
    for a, b in itertools.permutations(range(k), 2):
        rates[a, b] = log_fixation(game, b, a, size, beta, process)
    return np.exp(log_stationary(rates))


def log_stationary(rates: np.ndarray) -> np.ndarray:
    """[S] logarithms of the stationary distribution of a chain, from those of its rates [S, S] from row to column.

    By the elimination of Grassmann et al. 1985, which never subtracts and so can be done in logarithms:
    shares keep their digits however small.  Every state must be reached from every other; the diagonal is not read.
    """
    left = np.array(rates, np.float64)
    k = len(left)
    if left.ndim != 2 or left.shape != (k, k) or k == 0 or np.isnan(left).any() or left.max() == np.inf:
        raise Refusal(f"rates of shape {list(left.shape)} make no chain; they are a square of logarithms.")
    for n in range(k - 1, 0, -1):
        out = np.logaddexp.reduce(left[n, :n])
        if out == -np.inf:
            raise Refusal("a state of the chain never leads to some others, so there is no single distribution.")
        left[:n, n] -= out
        left[:n, :n] = np.logaddexp(left[:n, :n], left[:n, n, None] + left[n, :n])
    share = np.zeros(k)
    for n in range(1, k):
        share[n] = np.logaddexp.reduce(share[:n] + left[:n, n])
    return share - np.logaddexp.reduce(share)


def _pairs(game: NormalForm, mutant: int, resident: int, size: int) -> np.ndarray:
    """The payoffs of a symmetric game of two, where everything fits."""
    if game.n != 2:
        raise Refusal(f"people meet in pairs here; {game.title} has {game.n} players.")
    table = tables(game, one=True)[0]
    if not all(0 <= a < len(table) for a in (mutant, resident)) or mutant == resident:
        raise Refusal(f"mutant {mutant} and resident {resident} must be two of the actions 0 to {len(table) - 1}.")
    if not 2 <= size <= MOST:
        raise Refusal(f"a population of {size} cannot be solved; it needs 2 to {MOST:,} people.")
    return table
