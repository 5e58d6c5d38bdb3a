"""Pluralism of answers: whether all reasonable ones are shown, any can be asked for, or all come as often as in people.

The three kinds (Overton, steerable, distributional) are those of Sorensen et al. 2024; distances are in base 2, so
that the Jensen-Shannon distance lies in [0, 1].
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from nomoi.errors import Refusal

DUST = 1e-8  # by which shares may miss 1


def shares(values: Sequence[float] | np.ndarray, where: str = "a distribution") -> np.ndarray:
    """A distribution, checked: not negative, and summing to 1 within 1e-8."""
    try:
        p = np.asarray(values, float)
    except OverflowError:  # whole numbers of hundreds of digits
        p = np.array([np.inf])
    if p.ndim != 1 or not len(p) or not np.isfinite(p).all():
        raise Refusal(f"{where} must be a list of numbers, one an option.")
    if (p < 0).any():
        raise Refusal(f"{where} has the share {p.min():g}; shares are at least 0.")
    total = float(p.sum())
    if abs(total - 100) < 0.5:
        raise Refusal(f"{where} sums to {total:g}, as percentages do; divide them by 100, or call the column count.")
    if abs(total - 1) > DUST:
        raise Refusal(
            f"{where} sums to {total:.9g}; shares sum to 1 within {DUST:g} (or give counts in a column count)."
        )
    return p


def _pair(p: Sequence[float] | np.ndarray, q: Sequence[float] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    p, q = shares(p), shares(q)
    if len(p) != len(q):
        raise Refusal(f"two distributions have {len(p)} and {len(q)} options; both need a share for each option.")
    return p, q


def entropy(p: Sequence[float] | np.ndarray) -> float:
    """In bits."""
    p = shares(p)
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum()) + 0.0


def distance(p: Sequence[float] | np.ndarray, q: Sequence[float] | np.ndarray) -> float:
    """Jensen-Shannon distance: the root of the divergence, in base 2; 0 for equal ones, 1 for those without overlap.

    In base e, as scipy has it unless told otherwise, it would be .833 of this.
    """
    p, q = _pair(p, q)
    mid = (p + q) / 2
    divergence = 0.0
    for one in (p, q):
        some = one > 0
        divergence += float((one[some] * np.log2(one[some] / mid[some])).sum()) / 2
    return float(np.sqrt(min(max(divergence, 0.0), 1.0)))


def variation(p: Sequence[float] | np.ndarray, q: Sequence[float] | np.ndarray) -> float:
    """Total variation: the share that would have to answer otherwise."""
    p, q = _pair(p, q)
    return float(np.abs(p - q).sum() / 2)


def steps(p: Sequence[float] | np.ndarray, q: Sequence[float] | np.ndarray) -> float:
    """Wasserstein-1 in steps between options in order: how far the share that answers otherwise has to go.

    Of these measures only this one sees that options have an order.
    """
    p, q = _pair(p, q)
    return float(np.abs(np.cumsum(p - q)).sum())


def gap(p: Sequence[float] | np.ndarray, q: Sequence[float] | np.ndarray) -> float:
    """Entropy of `p` less that of `q`, in bits: below 0 where the answers of `p` are the less varied."""
    return entropy(p) - entropy(q)


def heated(p: Sequence[float] | np.ndarray, temperature: float) -> np.ndarray:
    """The distribution that the same scores give at another temperature: p^(1/T), made to sum to 1."""
    if not temperature > 0:
        raise Refusal(f"the temperature is {temperature:g}; a number above 0 would be right.")
    p = shares(p)
    with np.errstate(divide="ignore"):
        logs = np.log(p) / temperature
    made = np.exp(logs - logs.max())
    return made / made.sum()


@dataclasses.dataclass(frozen=True)
class Overton:
    """coverage of the window by what was presented, weighted by how many hold each answer; precision: of what was
    presented, how much is in the window; f1 of both (unweighted)."""

    coverage: float
    weighted: float
    precision: float
    f1: float


def overton(window: Mapping[str, float] | Collection[str], presented: Collection[str]) -> Overton:
    """How much of a window of reasonable answers is presented; a mapping gives how many hold each."""
    if not window:
        raise Refusal("the window of reasonable answers is empty; lower the support that an answer needs.")
    weight = dict(window) if isinstance(window, Mapping) else dict.fromkeys(window, 1.0)
    total = sum(weight.values())
    if total <= 0 or min(weight.values()) < 0:
        raise Refusal("the weights of a window are shares of those who hold an answer, at least 0 and not all 0.")
    said = set(presented)
    both = said & set(weight)
    coverage, precision = len(both) / len(weight), len(both) / len(said) if said else 0.0
    f1 = 2 * coverage * precision / (coverage + precision) if both else 0.0
    return Overton(coverage, sum(weight[w] for w in both) / total, precision, f1)


@dataclasses.dataclass(frozen=True)
class Steered:
    """fidelity to the group asked for (mean and worst);  leak: mean fidelity to the other groups instead;
    gain: of being asked over not being asked, where that was tried (else None)."""

    mean: float
    worst: float
    leak: float
    gain: float | None = None


def steered(fidelity: np.ndarray, unasked: np.ndarray | None = None) -> Steered:
    """fidelity [asked, to] in [0, 1]: how well answers asked for as of one group are those of each; unasked [to]."""
    f = np.asarray(fidelity, float)
    if f.ndim != 2 or f.shape[0] != f.shape[1] or not f.size or not ((f >= 0) & (f <= 1)).all():
        raise Refusal("fidelity is a square table [asked, to] of shares in [0, 1].")
    own = f.diagonal()
    rest = f[~np.eye(len(f), dtype=bool)]
    gain = None if unasked is None else float(own.mean() - np.mean(unasked))
    return Steered(float(own.mean()), float(own.min()), float(rest.mean()) if len(rest) else 0.0, gain)
