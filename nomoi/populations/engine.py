"""What models of populations share: streams of chance, whom one copies, selection, and sampling of a finite population.

Every replicate has a seed of its own and draws from its own streams, so a seed gives the same numbers whatever runs
beside it.  The environment has a stream apart from that of people: two conditions with one seed meet the same changes.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import numpy as np

from nomoi.core import option
from nomoi.core.parameters import checked
from nomoi.errors import Refusal

ENVIRONMENT, PEOPLE = range(2)  # streams of a seed


def seed_of(key: jax.Array) -> int:
    """The seed that a random key stands for, where a study hands its key to a model of this package."""
    return int(jax.random.bits(key))


def whole(value: float, name: str, low: int = 1) -> int:
    """`value` as a whole number of at least `low`; else a sentence that names it."""
    return int(checked(value, option.count(low, "", "", low=low), name))


def share(value: float, name: str) -> float:
    """`value` as a number in [0, 1]; else a sentence that names it."""
    return float(checked(value, option.probability(0, "", ""), name))


def shares(values: np.ndarray | float, name: str) -> np.ndarray:
    """`values` as an array of numbers in [0, 1]; else a sentence that names them."""
    array = np.asarray(values, float)
    if not ((array >= 0) & (array <= 1)).all():  # NaN is neither
        raise Refusal(f"{name} has a value outside [0, 1]; numbers in [0, 1] would be right.")
    return array


def streams(seeds: Sequence[int], stream: int) -> list[np.random.Generator]:
    """A generator for each seed.  SFC64 is the fastest of NumPy's that pass the usual batteries of tests."""
    if not len(seeds):
        raise Refusal("a simulation needs at least one seed.")
    return [np.random.Generator(np.random.SFC64([whole(s, "seed", 0), stream])) for s in seeds]


def changes(seeds: Sequence[int], chance: np.ndarray | float, generations: int) -> np.ndarray:
    """[T, R] whether the environment of each seed changes; `chance` is one number or [R]."""
    drawn = np.stack([rng.random(generations) for rng in streams(seeds, ENVIRONMENT)], 1)
    return drawn < chance


def models(rng: np.random.Generator, people: int, each: int, replace: bool = True) -> np.ndarray:
    """[each, people] whom each person looks at: `each` members of the population, itself not excluded.

    Without replacement the members a person looks at differ (Floyd's sampling; their order is then shuffled by one
    rotation, so that the first of them is a fair choice among them).
    """
    if replace or each == 1:
        return rng.integers(0, people, (each, people))
    if each > people:
        raise Refusal(f"{each} different models cannot be chosen among {people} people; at most {people} can.")
    chosen = np.empty((each, people), np.int64)
    for k in range(each):
        top = people - each + k
        one = rng.integers(0, top + 1, people)
        chosen[k] = np.where((chosen[:k] == one).any(0), top, one)
    turn = (np.arange(each)[:, None] + rng.integers(0, each, people)) % each
    return np.take_along_axis(chosen, turn, 0)


def select(frequency: np.ndarray, fitness: np.ndarray, mutation: float | np.ndarray = 0.0) -> np.ndarray:
    """[..., K] frequencies after types [..., K] reproduced in proportion to their fitness, then mutated.

    A mutant becomes any of the K - 1 other types alike (discrete replicator-mutator equation).  Fitness must not be
    negative.
    """
    if (fitness < 0).any():
        raise Refusal("a fitness is below 0, so it is no number of offspring; a weaker selection would be right.")
    kept = frequency * fitness
    kept = kept / kept.sum(-1, keepdims=True)
    return kept + mutation * ((1 - kept) / (kept.shape[-1] - 1) - kept)


def resample(rngs: Sequence[np.random.Generator], frequency: np.ndarray, people: int | None) -> np.ndarray:
    """[R, K] frequencies among `people` drawn from [R, K] (Wright-Fisher); None is an endless population."""
    if people is None:
        return frequency
    return np.stack([rng.multinomial(people, f) for rng, f in zip(rngs, frequency, strict=True)]) / people
