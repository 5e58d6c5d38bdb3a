"""Aggregates of wishes: what members want done with a thing, made into one score for each of three grades.

Wishes are places on a line: 0 is to keep, 1 to remove, one half to label.  `wishes` [..., n] of all members, `here`
[n] who of them counts (all by default), `groups` [n] the group of each, fixed.  Scores are [..., 3]; the first of the
highest is chosen, so of equals the milder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

GRADES = np.array([0.0, 0.5, 1.0], np.float32)
VERDICTS = ("keep", "label", "remove")
NEAR = 0.375  # how far from one's wish a verdict may be that one still approves of: half-way to the next but one (ours)


def worth(wishes: Array) -> Array:
    """[..., 3, n] what each verdict is worth to each: 1 less how far it is from the wish."""
    return 1 - jnp.abs(GRADES[:, None] - wishes[..., None, :])


def worth_of(verdicts: Array, wishes: Array) -> Array:
    """[..., n] what a verdict [...] is worth to each."""
    return 1 - jnp.abs(jnp.asarray(GRADES)[verdicts][..., None] - wishes)


def wanted(wishes: Array) -> Array:
    """[..., n] the verdict that each wants most."""
    return jnp.abs(GRADES[:, None] - wishes[..., None, :]).argmin(-2).astype(jnp.int32)


def one(verdict: Array) -> Array:
    """[..., 3] the score that is 1 at a verdict and 0 at the others."""
    return (verdict[..., None] == np.arange(3)).astype(jnp.float32)


def middle(votes: Array, here: Array) -> Array:
    """[...] the lower median of the verdicts [..., n] of those who are here; keep, if nobody is."""
    counts = ((votes[..., None] == np.arange(3)) & here[..., None]).sum(-2)  # [..., 3]
    most = (jnp.maximum(counts.sum(-1), 1) - 1) // 2
    return (counts.cumsum(-1) > most[..., None]).argmax(-1).astype(jnp.int32)


def principal(wishes: Array, here: Array, groups: Any, member: int = 0) -> Array:
    """What one of them wants: 1 for that verdict, 0 for the others."""
    return one(wanted(wishes)[..., member])


def mean(wishes: Array, here: Array, groups: Any) -> Array:
    """The mean of what a verdict is worth."""
    return _mean(worth(wishes), here)


def plurality(wishes: Array, here: Array, groups: Any) -> Array:
    """The share of members who want it most."""
    return _mean((wanted(wishes)[..., None, :] == np.arange(3)[:, None]).astype(jnp.float32), here)


def median(wishes: Array, here: Array, groups: Any) -> Array:
    """1 for the median of what members want most (Black 1948), 0 for the others."""
    return one(middle(wanted(wishes), here))


def borda(wishes: Array, here: Array, groups: Any) -> Array:
    """How many other verdicts it is better than, on average (Borda 1781)."""
    value = worth(wishes)
    return _mean((value[..., :, None, :] > value[..., None, :, :]).sum(-2).astype(jnp.float32), here)


def consensus(wishes: Array, here: Array, groups: Any) -> Array:
    """Group-aware consensus: the product over groups of (approve + 1) / (members + 2) (Small et al. 2021)."""
    liked = (jnp.abs(GRADES[:, None] - wishes[..., None, :]) <= NEAR) & here
    shares = [(liked[..., groups == g].sum(-1) + 1) / (here[groups == g].sum() + 2) for g in np.unique(groups)]
    return jnp.stack(shares).prod(0)


def worst(wishes: Array, here: Array, groups: Any) -> Array:
    """The mean worth to the group that it is worth least to, of those of which anybody is here."""
    value = worth(wishes)
    means = [jnp.where(here[groups == g].any(), _mean(value[..., groups == g], here[groups == g]), jnp.inf)
             for g in np.unique(groups)]  # fmt: skip
    return jnp.stack(means).min(0)


RULES: Mapping[str, Any] = {f.__name__: f for f in (mean, plurality, median, borda, consensus, worst)}


def score(rule: str, wishes: Array, here: Array, groups: Sequence[int] | np.ndarray) -> Array:
    """[..., 3] the score of each verdict by one of RULES."""
    return RULES[rule](wishes, here, np.asarray(groups))


def _mean(value: Array, here: Array) -> Array:
    counts = here.astype(jnp.float32)
    return (value * counts).sum(-1) / jnp.maximum(counts.sum(-1), 1.0)
