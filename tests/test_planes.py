"""The first layer on a view: what is skipped would have added nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomoi.learners import planes
from nomoi.learners.nets import Net, Shape
from nomoi.learners.planes import weigh

CELLS, SAMPLES, UNITS = 6, 5, 3
KINDS = {4: jnp.uint8, 10: jnp.uint16, 20: jnp.uint32}


def views(count: int, shown: int, seed: int):
    """Codes of `count` planes of which only those whose bit is in `shown` hold anything, weights, and slopes."""
    draw = np.random.default_rng(seed)
    codes = jnp.array(draw.integers(0, 2**count, (CELLS, SAMPLES)) & shown, KINDS[count])
    return codes, *(jnp.array(draw.normal(size=s), jnp.float32) for s in ((CELLS, count, UNITS), (UNITS, SAMPLES)))


def twin(codes, weights, slope):
    """The layer and the slope of its weights, bit by bit."""
    bits = (np.asarray(codes)[:, None] >> np.arange(weights.shape[1])[:, None]) & 1
    bits = bits.astype(float)
    return np.einsum("cps,cpu->us", bits, weights), np.einsum("cps,us->cpu", bits, slope)


run = jax.jit(lambda c, w, g: (weigh(c, w), jax.grad(lambda w: (weigh(c, w) * g).sum())(w)))


@pytest.mark.parametrize("count", KINDS)
@given(data=st.data())
def test_a_view_is_weighed_as_bit_by_bit(count, data):
    shown = data.draw(st.sampled_from([0, 1, 2 ** (count - 1), 2**count - 1]) | st.integers(0, 2**count - 1))
    case = views(count, shown, data.draw(st.integers(0, 99)))
    for found, right in zip(run(*case), twin(*case), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-4, atol=1e-5)


def test_only_planes_that_hold_something_are_unpacked():
    """Ten planes have products of 3, 5, 8 and 10 of them; four have one."""
    assert [int(planes._live(views(10, shown, 0)[0], 10)[0]) for shown in (0, 7, 15, 31, 63, 511, 1023)] == [
        0, 0, 1, 1, 2, 3, 3,
    ]  # fmt: skip
    order = np.asarray(planes._live(views(10, 0b1000100001, 0)[0], 10)[1])
    assert list(order[:3]) == [0, 5, 9]
    assert sorted(order) == list(range(10))
    assert planes._sizes(4) == [4]


def test_networks_of_their_own_ask_once_for_all_which_planes_hold_something():
    """Mapped over agents the choice stays one, of what any of them sees: a choice for each would compute all."""
    cases = [views(10, shown, seed) for seed, shown in enumerate((1, 0b1100000))]
    codes, weights, slope = (jnp.stack(x) for x in zip(*cases, strict=True))
    right = zip(*(twin(*case) for case in cases), strict=True)
    for found, each in zip(jax.vmap(run)(codes, weights, slope), right, strict=True):
        np.testing.assert_allclose(found, np.stack(each), rtol=1e-4, atol=1e-5)
    jaxpr = jax.make_jaxpr(jax.vmap(weigh))(codes, weights)
    (asked,) = [e for e in _equations(jaxpr.jaxpr) if e.primitive.name == "cond"]
    assert asked.invars[0].aval.shape == ()


def _equations(jaxpr):
    for e in jaxpr.eqns:
        yield e
        for inner in (v for v in e.params.values() if hasattr(v, "jaxpr")):
            if e.primitive.name != "cond":
                yield from _equations(inner.jaxpr)


@pytest.mark.parametrize("options", [{}, {"filters": 2}, {"film": "told"}, {"recurrent": True}])
def test_the_network_is_the_formula(options):
    """view and features -> hidden -> (GRU) -> hidden -> heads and value, one sample at a time, with plain NumPy."""
    shape = Shape(("a", "b", "c", "d", "e"), (3, 4), (("more", 2), ("told", 3)), (("go", 4), ("say", 2)))
    net = Net(jax.random.key(1), shape, 8, **options)
    net = jax.tree.map(lambda x: x + 0.1, net)  # so that biases count
    draw = np.random.default_rng(0)
    view = draw.integers(0, 32, (2, 7, 3, 4))
    told = {k: draw.normal(size=(2, 7, n)).astype(np.float32) for k, n in shape.features}
    carry = draw.normal(size=(2, 7, 8 if net.recurrent else 0)).astype(np.float32)
    seen = {"view": jnp.array(view, jnp.uint8)} | {k: jnp.array(x) for k, x in told.items()}
    logits, value, after = jax.jit(lambda n, s, c: n(s, c))(net, seen, jnp.array(carry))
    assert logits["go"].shape == (2, 7, 4)
    assert after.shape == carry.shape
    own = jax.tree.map(np.asarray, net)
    for at in np.ndindex(2, 7):
        bits = (view[at][..., None] >> np.arange(5)) & 1
        if net.filters:
            patch = np.concatenate([bits[i : i + 1, j : j + 2] for i in range(3) for j in range(3)], -1)
            bits = np.maximum(patch @ own.conv["w"] + own.conv["b"], 0)
        words = np.concatenate([told["more"][at], told["told"][at]])
        hidden = bits.ravel() @ own.first["view"] + words @ own.first["told"] + own.first["b"]
        if net.film:
            hidden = hidden * (1 + told["told"][at] @ own.gate["scale"]) + told["told"][at] @ own.gate["shift"]
        hidden = np.maximum(np.maximum(hidden, 0) @ own.second["w"] + own.second["b"], 0)
        if net.recurrent:
            hidden = np.asarray(net.gru(jnp.array(hidden, jnp.float32), jnp.array(carry[at])))
            np.testing.assert_allclose(after[at], hidden, rtol=1e-4, atol=1e-5)
        for head, found in logits.items():
            np.testing.assert_allclose(
                found[at], hidden @ own.heads[head]["w"] + own.heads[head]["b"], rtol=1e-4, atol=1e-4
            )
        np.testing.assert_allclose(value[at], (hidden @ own.value["w"] + own.value["b"])[0], rtol=1e-4, atol=1e-4)
