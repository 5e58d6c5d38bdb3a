"""Exchange with Cobb-Douglas utilities, in closed form; and rules by which buyers or weights find their way there."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from nomoi.errors import Refusal
from nomoi.markets.economy import Economy
from nomoi.markets.utilities import Ces, Linear


def budget_shares(economy: Economy) -> np.ndarray:
    """[consumers, goods] the share of income that each spends on each good, where all are Cobb-Douglas."""
    shares = []
    for c in economy.consumers:
        if not (isinstance(c.utility, Ces) and c.utility.cobb_douglas):
            raise Refusal(
                f"{c.name} is not Cobb-Douglas, and this solver takes no other exchange; leave out the method."
            )
        shares.append(c.utility.pull)
    return np.array(shares)


def irreducible(economy: Economy, always: bool = True) -> bool:
    """Whether everybody owns, by a chain of others, what everybody wants: no group can be cut off (McKenzie 1959).

    What is wanted is so `always`, however much of it one has, or else somewhere at least.  Who owns nothing is left
    out, and may want no other goods than those who own something do.
    """
    least = np.array([c.utility.least for c in economy.consumers])
    wants = np.array([c.utility.wanted for c in economy.consumers])
    owners = economy.endowments.any(1)
    if not owners.any() or (economy.endowments < least).any() or (wants.any(0) & ~wants[owners].any(0)).any():
        return False
    if always:
        wants &= np.array([c.utility.enough for c in economy.consumers]) > economy.supply
    n = len(economy.consumers)
    i, k = np.nonzero(economy.endowments > least)
    j, g = np.nonzero(wants)
    edges = (np.r_[i, n + g], np.r_[n + k, j])  # from owners to goods, and from goods to who wants them
    graph = coo_array((np.ones(len(edges[0])), edges), (n + economy.l,) * 2).tocsr()
    _, group = connected_components(graph, directed=True, connection="strong")
    return bool((group[:n][owners] == group[:n][owners][0]).all())


def perron(economy: Economy) -> np.ndarray:
    """Prices [goods]: values w_k = p_k x supply stay the same under w_k <- sum_i a_ik sum_l (share of i in L) w_l.

    That is a matrix whose columns sum to one; where the economy is irreducible, all w > 0 and there is no other.
    """
    a, some = budget_shares(economy), economy.supply > 0
    part = economy.endowments[:, some] / economy.supply[some]  # [consumers, goods]
    m = a[:, some].T @ part
    k = m.shape[0]
    w = np.linalg.lstsq(np.vstack([m - np.eye(k), np.ones(k)]), np.r_[np.zeros(k), 1.0], rcond=None)[0]
    w = np.maximum(w, 0.0)
    for _ in range(3):  # of what rounding left
        w = m @ w
    p = np.zeros(economy.l)
    p[some] = w / economy.supply[some]
    return p / p.sum()


def negishi(economy: Economy, seed: int | None = None, steps: int = 10_000) -> np.ndarray:
    """Prices [goods] by the weights of consumers in a sum of (log) utilities at which nobody needs a transfer.

    The optimum under weights w spends sum_i w_i a_ik on good k; each weight then becomes the worth of what one owns
    (Negishi 1960; here without damping, as for Cobb-Douglas the step is a matrix whose columns sum to one).
    """
    a = budget_shares(economy)
    n = len(a)
    weights = np.full(n, 1 / n) if seed is None else np.random.default_rng(seed).dirichlet(np.ones(n))
    part = economy.endowments / np.where(economy.supply > 0, economy.supply, 1.0)
    for _ in range(steps):
        after = part @ (a.T @ weights)
        after = (after + weights) / 2  # half a step, so that a cycle of owners does not go round for ever
        after /= after.sum()
        if np.abs(after - weights).max() < 1e-16:
            break
        weights = after
    worth = a.T @ weights
    p = np.where(economy.supply > 0, worth / np.where(economy.supply > 0, economy.supply, 1.0), 0.0)
    return p / p.sum()


def response(economy: Economy, steps: int = 20_000) -> np.ndarray:
    """Prices [goods] of a linear Fisher market by proportional response: who gets more from a good bids more for it
    next
    time (Wu & Zhang 2007).  It comes near at a rate of 1 / steps."""
    money = economy.proportional
    if money is None or not all(isinstance(c.utility, Linear) for c in economy.consumers):
        raise Refusal(
            f"{economy.title} is no Fisher market with linear utilities: all must own the same part of every good."
        )
    worth = np.array([c.utility.worth for c in economy.consumers]) * economy.supply  # type: ignore[attr-defined]
    bids = money[:, None] * worth / worth.sum(1, keepdims=True)
    for _ in range(steps):
        gains = worth * bids / bids.sum(0)
        bids = money[:, None] * gains / gains.sum(1, keepdims=True)
    p = bids.sum(0) / economy.supply
    return p / p.sum()
