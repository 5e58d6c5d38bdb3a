"""People who answer samples of a short memory, or a noisy best reply: as exact chains, and simulated.

*Adaptive play* (Young 1993): each round one person for each role of the game; each looks at `sample` of the last
`memory` actions of the other role, drawn without replacement, and plays a best reply (any of those that tie), or with
chance `error` any action at all.  *Logit response* (Blume 1993): one player at a time, softmax(beta u).  *Kandori,
Mailath and Rob* (1993, one person at a time): a best reply to the others of a population, or with chance `error` any
action.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from nomoi.errors import Refusal
from nomoi.solve.dynamics import tables
from nomoi.solve.exact import tidy
from nomoi.solve.finite import log_stationary
from nomoi.solve.game import NormalForm

DUST = 1e-12  # of what is forgone: sums that differ by less are alike (ours)
LARGEST = 800  # states of a chain that is solved exactly (ours): about 5 seconds


def simulate(
    game: NormalForm, memory: int, sample: int, error: float, rounds: int, runs: int, rng: np.random.Generator,
    keep: int = 1, start: tuple[int, int] | None = None,
) -> np.ndarray:  # fmt: skip
    """[keep, runs, 2] which action most of the memory of each role holds, after every rounds / keep rounds.

    start  the actions that all memory holds at first; at random unless given
    """
    _checked(game, memory, sample, error)
    if min(rounds, runs, keep) < 1 or rounds % keep:
        raise Refusal(f"{rounds} rounds of {runs} runs cannot be kept {keep} times; all are 1 or more, and divide.")
    if start is None:
        held = np.stack([rng.integers(0, k, (runs, memory)) for k in game.shape], 1)
    else:
        held = np.tile(np.array(start)[:, None], (runs, 1, memory))
    counts = [np.stack([(held[:, i] == a).sum(1) for a in range(k)], 1) for i, k in enumerate(game.shape)]
    payoffs, kept = [tidy(t) for t in tables(game)], []
    for t in range(rounds):
        slot = t % memory  # the oldest
        new = [_answers(payoffs[i], counts[1 - i], sample, error, rng) for i in (0, 1)]
        for i in (0, 1):
            every = np.arange(runs)
            counts[i][every, held[:, i, slot]] -= 1
            counts[i][every, new[i]] += 1
            held[:, i, slot] = new[i]
        if (t + 1) % (rounds // keep) == 0:
            kept.append(np.stack([c.argmax(1) for c in counts], 1))
    return np.stack(kept)


def _answers(payoff: np.ndarray, counts: np.ndarray, sample: int, error: float, rng: np.random.Generator) -> np.ndarray:
    """[runs] actions that answer samples of memories with counts [runs, A_j]."""
    seen, left, more = np.zeros_like(counts), counts.sum(1), np.full(len(counts), sample)
    for a in range(counts.shape[1] - 1):
        left = left - counts[:, a]
        seen[:, a] = rng.hypergeometric(counts[:, a], left, more)
        more = more - seen[:, a]
    seen[:, -1] = more
    best = _best(seen, payoff)
    chosen = (best * (rng.random(best.shape) + 1)).argmax(1)
    errs = rng.random(len(counts)) < error
    return np.where(errs, rng.integers(0, len(payoff), len(counts)), chosen)


def adaptive(game: NormalForm, memory: int, sample: int, error: float) -> tuple[np.ndarray, np.ndarray]:
    """Adaptive play exactly: memories [S, 2, memory], oldest first, and the logarithms [S] of their shares of time."""
    _checked(game, memory, sample, error)
    sizes = [k**memory for k in game.shape]
    if math.prod(sizes) > LARGEST:
        raise Refusal(f"adaptive play with a memory of {memory} has {math.prod(sizes):,} states; {LARGEST} can be "
                      "solved exactly.  Simulate it, or take a shorter memory.")  # fmt: skip
    if error == 0:
        raise Refusal("without errors adaptive play stays where it begins; give an error above 0.")
    pasts = [np.array(list(itertools.product(range(k), repeat=memory))) for k in game.shape]
    payoffs = [tidy(t) for t in tables(game)]
    # chances of each action of a role by what the other has done [other's pasts, A]
    answers = [np.array([_chances(payoffs[i], p, sample, error) for p in pasts[1 - i]]) for i in (0, 1)]
    index = [{tuple(p): n for n, p in enumerate(past)} for past in pasts]
    later = [[[index[i][(*p[1:], a)] for a in range(k)] for p in pasts[i]] for i, k in enumerate(game.shape)]
    states = list(itertools.product(range(sizes[0]), range(sizes[1])))
    rates = np.full((len(states), len(states)), -np.inf)
    for s, (r, c) in enumerate(states):
        for a, b in np.ndindex(*game.shape):
            then = later[0][r][a] * sizes[1] + later[1][c][b]
            rates[s, then] = np.log(answers[0][c, a]) + np.log(answers[1][r, b])
    return np.array([[pasts[0][r], pasts[1][c]] for r, c in states]), log_stationary(rates)


def _best(seen: np.ndarray, payoff: np.ndarray) -> np.ndarray:
    """[N, A_i] whether each action is a best answer to what is seen: how often each action of others [N, A_j].

    What is compared is what an action forgoes against the best answer to each thing seen: sums of one sign, so that
    payoffs that add up alike tie whatever else may be paid, and whatever is added to all.
    """
    forgone = seen @ (payoff.max(0) - payoff).T
    return forgone <= forgone.min(1, keepdims=True) * (1 + DUST)


def _chances(payoff: np.ndarray, past: np.ndarray, sample: int, error: float) -> np.ndarray:
    out = np.zeros(len(payoff))
    for seen in itertools.combinations(past, sample):
        best = _best(np.bincount(seen, minlength=payoff.shape[1])[None], payoff)[0]
        out += best / best.sum()
    return (1 - error) * out / out.sum() + error / len(payoff)


def logit_response(game: NormalForm, beta: float) -> np.ndarray:
    """[A_1, ..., A_n] logarithms of the shares of time at each outcome under logit response.

    In a game with an exact potential they are beta * potential, but for a constant (Blume 1993).
    """
    if not (np.isfinite(beta) and beta >= 0):
        raise Refusal(f"the precision beta of logit response is {beta}; it must be a number, 0 or more.")
    size = math.prod(game.shape)
    if size > LARGEST:
        raise Refusal(f"{game.title} has {size:,} outcomes; logit response is solved for up to {LARGEST}.")
    rates, number = np.full((size, size), -np.inf), np.arange(size).reshape(game.shape)
    for i in range(game.n):
        u, ids = np.moveaxis(game.payoff[i] * beta, i, -1), np.moveaxis(number, i, -1)
        log = u - np.logaddexp.reduce(u, axis=-1)[..., None] - np.log(game.n)
        for own in range(game.shape[i]):
            rates[ids[..., own, None], ids] = log
    return log_stationary(rates).reshape(game.shape)


def kandori(game: NormalForm, size: int, error: float) -> np.ndarray:
    """[size + 1] logarithms of the shares of time with 0, 1, ... people at the second action (symmetric 2x2 games)."""
    if game.shape != (2, 2):
        raise Refusal(f"{game.title} has {game.shape} actions; this chain is for two actions each.")
    if not 2 <= size < LARGEST or not 0 < error <= 1:
        raise Refusal(f"{size} people who err with chance {error}: 2 to {LARGEST - 1} people and a chance above 0 "
                      "and up to 1 are right.")  # fmt: skip
    payoff, k = tidy(tables(game, one=True)[0]), np.arange(size + 1)
    rates = np.full((size + 1, size + 1), -np.inf)
    with np.errstate(divide="ignore"):
        rates[k[:-1], k[1:]] = np.log((1 - k[:-1] / size) * _turns(payoff, k[:-1], size, error)[:, 1])
        rates[k[1:], k[:-1]] = np.log(k[1:] / size * _turns(payoff, k[1:] - 1, size, error)[:, 0])
    return log_stationary(rates)


def _turns(payoff: np.ndarray, second: np.ndarray, size: int, error: float) -> np.ndarray:
    """[K, 2] chances of each action of one who meets size - 1 others, of whom `second` [K] play the second."""
    best = _best(np.stack([size - 1 - second, second], 1), payoff)
    return (1 - error) * best / best.sum(1, keepdims=True) + error / 2


def _checked(game: NormalForm, memory: int, sample: int, error: float) -> None:
    if game.n != 2:
        raise Refusal(f"adaptive play is for two roles; {game.title} has {game.n} players.")
    if not 1 <= sample <= memory:
        raise Refusal(
            f"a sample of {sample} from a memory of {memory} cannot be drawn; 1 <= sample <= memory is right."
        )
    if not 0 <= error <= 1:
        raise Refusal(f"the chance of an error is {error}; it must be from 0 to 1.")
