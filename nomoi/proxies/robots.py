"""Robots with features and weights: a proxy reward that was fine where it was designed, and what to do elsewhere.

Inverse reward design takes the proxy as evidence about what was meant, given where it was designed: what did not occur
there is left open, and a plan that shuns risk keeps away from it (Hadfield-Menell et al. 2017b; this world is ours).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

FEATURES = ("steps", "dirt", "lava")
# routes by what they pass, [routes, features]: where it was designed there is no lava
TRAINING = (np.array([[4.0, 0, 0], [3, 2, 0], [7, 0, 0]]),)
NEW = np.array([[4.0, 0, 3], [4, 3, 0], [7, 0, 0]])
WEIGHTS = np.array(list(itertools.product((-1.0,), (-2.0,), np.linspace(-4, 4, 9))))  # what may have been meant
PROXY = np.array([-1.0, -2, 0])  # what was written: nobody thought of lava


def plan(features: np.ndarray, weights: np.ndarray) -> int:
    """The route that is best by the weights."""
    return int(np.argmax(features @ weights))


def posterior(proxy: np.ndarray, worlds: Sequence[np.ndarray], candidates: np.ndarray, beta: float = 5.0) -> np.ndarray:
    """[W] how likely each candidate is what was meant, given that the proxy was written for these worlds.

    P(w) ~ prod over worlds of exp(beta w phi(route of the proxy)) / Z(w), where Z sums over what else might have been
    written; each world is evidence of its own.
    """
    log = np.zeros(len(candidates))
    for world in worlds:
        reached = np.array([world[plan(world, c)] for c in candidates])
        mine = beta * candidates @ world[plan(world, proxy)]
        every = beta * candidates @ reached.T
        top = every.max(1)
        log += mine - (top + np.log(np.exp(every - top[:, None]).sum(1)))
    p = np.exp(log - log.max())
    return p / p.sum()


def averse(features: np.ndarray, candidates: np.ndarray, likely: np.ndarray, least: float = 1e-3) -> int:
    """The route whose worst value, over all candidates that are not ruled out, is highest."""
    return int(np.argmax((features @ candidates[likely > least].T).min(1)))
