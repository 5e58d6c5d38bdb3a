"""The random streams of a world and of its institutions are different and independent of one another."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nomoi.core.govern import _own
from nomoi.core.keys import key_of
from nomoi.grid.lanes import once
from nomoi.grid.words import fold, uniform, words
from nomoi.institutions.altar import Altar
from nomoi.institutions.sanction import Sanction

WORLDS, LENGTH = 2_000, 8


def drawn(key):
    return np.asarray(jax.vmap(lambda k: jax.random.uniform(k, (LENGTH,)))(key)).ravel()


@pytest.mark.parametrize("impl", ["threefry2x32", "rbg"])
def test_streams_are_independent(impl):
    seeds = jax.vmap(lambda s: jax.random.key(s, impl=impl))(jnp.arange(WORLDS))  # keys that differ in few bits
    own = lambda who, sitting: jax.vmap(lambda k: _own(k, who, sitting))(seeds)  # noqa: E731
    keys = [seeds, own(Altar(), 0), own(Altar(), 1), own(Sanction(by=""), 0), own(Altar(title="second"), 0)]
    words = np.concatenate([np.asarray(jax.random.key_data(k)) for k in keys])
    assert len(np.unique(words, axis=0)) == len(words)
    streams = [drawn(k) for k in keys]
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


def equal(ours, theirs):
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    data = [jax.random.key_data(x) if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else x for x in (ours, theirs)]
    np.testing.assert_array_equal(*map(np.asarray, data))


@pytest.mark.parametrize("partitionable", [True, False])
@pytest.mark.parametrize("impl", ["threefry2x32", "rbg"])
def test_what_is_drawn_is_what_jax_draws(impl, partitionable):
    with jax.threefry_partitionable(partitionable):
        for seed, count in itertools.product((0, 1, 2**31), (1, 7, 200)):
            key = jax.random.key(seed, impl=impl)
            equal(words(key, count), jax.random.bits(key, (count,), jnp.uint32))
            equal(uniform(key, count), jax.random.uniform(key, (count,)))
            equal(fold(key, jnp.uint32(count)), jax.random.fold_in(key, jnp.uint32(count)))
            equal(fold(key, jnp.uint32(0xFFFFFFFF)), jax.random.fold_in(key, jnp.uint32(0xFFFFFFFF)))
        keys = jax.random.split(jax.random.key(5, impl="threefry2x32"), 3)
        equal(jax.jit(jax.vmap(lambda k: words(k, 5)))(keys), jax.vmap(lambda k: jax.random.bits(k, (5,)))(keys))
    old = jax.random.PRNGKey(3)
    equal(words(old, 5), jax.random.bits(old, (5,)))
    equal(fold(old, 5), jax.random.fold_in(old, 5))


@pytest.mark.parametrize("shape", [(1,), (7,), (7, 7), (2, 3, 4)])
def test_what_is_computed_once_is_the_same(shape):
    x = jnp.asarray(np.random.default_rng(0).integers(0, 255, (3, *shape)), jnp.uint8)
    equal(jax.jit(jax.vmap(once))(x), x)
    equal(once(x[0] > 99), x[0] > 99)
