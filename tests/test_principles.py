"""Principles as mechanisms: one program for all combinations says of each what its stack by itself says."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nomoi.core import govern
from nomoi.probes import principles as p
from nomoi.runs.claims import Results
from nomoi.studies import ostrom

KEY, SEASONS = jax.random.key(3), 12
ORDER = {name: 1 << j for j, name in enumerate(p.NAMES)}
HERE = ("1A", "2B", "3", "4B")  # those whose institutions are in force or not; 7 is away where it is had
STRUCTURES = ({"1A", "3", "7"}, {"2B", "4B", "7"})


def combinations() -> list[int]:
    """Twenty, ten a structure, in which all other principles are drawn; then one, and each principle turned in it."""
    rng, out = np.random.default_rng(1), []
    for have in STRUCTURES:
        for free in rng.integers(0, 1 << len(p.NAMES), 10):
            fixed = sum(ORDER[name] for name in (*HERE, "7"))
            out.append((int(free) & ~fixed) | sum(ORDER[name] for name in have))
    base = p.ALL - 1 - ORDER["7"] - ORDER["5"] - ORDER["6"]
    return [*out, base, *(base ^ bit for bit in ORDER.values())]


@pytest.fixture(scope="module")
def lived():
    return p.table(KEY, {**p.DEFAULTS, "wardens.base": 0.3}, SEASONS, combinations())


def test_twenty_combinations_are_what_their_stacks_say_by_themselves(lived):
    numbers = {name: jnp.float32(x) for name, x in {**p.DEFAULTS, "wardens.base": 0.3}.items()}
    for k, have in enumerate(STRUCTURES):
        some = combinations()[10 * k : 10 * k + 10]

        def alone(has, have=have):
            full = p.stack(has, numbers, SEASONS)
            away = {"licence": "1A", "shares": "2B", "assembly": "3", "survey": "4B"}
            keep = [i for i in full.institutions if i.name != "challenged" and away.get(i.name, "1B") in have | {"1B"}]
            assert len(keep) == 4 + len(have) - 1
            single = govern(full.bare, *keep)
            return p.lived(KEY, single, p.people(numbers), SEASONS)

        has = jnp.asarray(np.array(some)[:, None] >> np.arange(len(p.NAMES)) & 1 == 1)
        found = eqx.filter_jit(jax.vmap(alone))(has)
        for name in p.MEASURES:
            assert np.asarray(found[name]) == pytest.approx(lived[name][10 * k : 10 * k + 10], rel=1e-3, abs=2e-4), name


def test_each_principle_changes_something(lived):
    base, turned = 20, range(21, 21 + len(p.NAMES))
    for name, at in zip(p.NAMES, turned, strict=True):
        assert any(abs(x[at] - x[base]) > 1e-6 for x in lived.values()), name


def test_what_comes_of_a_combination_does_not_depend_on_the_others(lived):
    again = p.table(KEY, {**p.DEFAULTS, "wardens.base": 0.3}, SEASONS, combinations()[::-1])
    assert set(again) == set(p.MEASURES)
    assert all((again[name][::-1] == x).all() for name, x in lived.items())


def test_what_is_invented_is_drawn_from_around_what_it_is():
    assert set(p.RANGES) == set(p.DEFAULTS)
    for name, (value, low, high) in p.INVENTED.items():
        assert low <= value <= high, name
    stack = p.stack(jnp.ones(11, bool))
    assert float(stack.bare.leak) == pytest.approx(p.SEALED)
    assert p.people().weights.tolist() == [1, 1, 1, 1]


def test_a_claim_counts_draws_only_if_every_check_bears_it_out(monkeypatch):
    """Made-up tables, in which one principle helps by .1 in so many draws, and in the checks."""
    has = (np.arange(p.ALL) >> 0 & 1).astype(float)[:, None]

    def told(signs, checked):
        def tables(results, labels, measure):
            name = labels[0]
            size = signs[int(name.split()[1]) - 1] if name.startswith("draw ") else checked
            return 0.5 + 0.1 * size * has

        monkeypatch.setattr(ostrom, "tables", tables)
        results = Results(dict.fromkeys(ostrom.DRAWN, ()))
        return ostrom.borne_out(ostrom.main("1A"), "success")(results)

    assert told([1] * 22 + [0] * 2, 1).mean == 22
    assert told([1] * 21 + [0] * 3, 1).mean == 21
    assert told([1] * 24, -1).mean == 0
    assert 21 < ostrom.CLAIMS[0].above < 22
