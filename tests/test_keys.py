"""The random streams of a world and of its institutions are different and independent of one another."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nomoi.core.govern import _own
from nomoi.core.keys import key_of
from nomoi.institutions.altar import Altar
from nomoi.institutions.sanction import Sanction

WORLDS, LENGTH = 2_000, 8


def uniform(key):
    return np.asarray(jax.vmap(lambda k: jax.random.uniform(k, (LENGTH,)))(key)).ravel()


@pytest.mark.parametrize("impl", ["threefry2x32", "rbg"])
def test_streams_are_independent(impl):
    seeds = jax.vmap(lambda s: jax.random.key(s, impl=impl))(jnp.arange(WORLDS))  # keys that differ in few bits
    own = lambda who, sitting: jax.vmap(lambda k: _own(k, who, sitting))(seeds)  # noqa: E731
    keys = [seeds, own(Altar(), 0), own(Altar(), 1), own(Sanction(by=""), 0), own(Altar(title="second"), 0)]
    words = np.concatenate([np.asarray(jax.random.key_data(k)) for k in keys])
    assert len(np.unique(words, axis=0)) == len(words)
    streams = [uniform(k) for k in keys]
    for stream in streams:
        assert abs(stream.mean() - 0.5) < 5 / np.sqrt(12 * stream.size)
    for a, b in itertools.combinations(streams, 2):
        assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(a.size)


def test_the_key_of_an_institution_depends_on_its_name_alone():
    key = jax.random.key(3)
    data = lambda who: np.asarray(jax.random.key_data(_own(key, who))).tolist()  # noqa: E731
    assert data(Altar()) == data(Altar(threshold=0.1))
    assert data(Altar(title="sanction")) == data(Sanction(by=""))


def test_seeds_beyond_32_bits_are_worlds_of_their_own():
    seeds = [0, 1, 2**32, 2**32 + 1, 2**33, 2**33 + 1, 3 * 2**32, 2**64, 2**64 + 2**32]
    assert len({tuple(np.asarray(jax.random.key_data(key_of(seed))).tolist()) for seed in seeds}) == len(seeds)
