"""What an institution is given, and what a situation says of itself."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from small import SITUATIONS, run

from nomoi.core import Event, Institution, Outcome, govern, outline, setting
from nomoi.institutions.contract import Contract
from nomoi.institutions.levy import Levy

POOL = SITUATIONS["pool"]
REQUEST = Event("request", "[n]", "choices", "what one answered", True)


class Cap(Institution):
    """Nobody may request more than a share of what is there; it writes down what was tried and what was let through."""

    share: jax.Array = setting(0.5, "of the stock", "ours", "", 0, 1)

    @property
    def emits(self):
        return {"tried": REQUEST, "let": REQUEST, "vote": REQUEST}

    def heads(self, situation):
        return {"vote": 3}

    def permit(self, memory, situation, state, action):
        most = self.share * situation.stock(state)[0] / situation.capacity()[0] * (situation.levels - 1)
        return {"request": jnp.minimum(action["request"], most.astype(jnp.int32))}

    def settle(self, key, memory, situation, state, tried, action, outcome):
        said = {"tried": tried["request"], "let": action["request"], "vote": self.said(tried, "vote")}
        return (
            memory,
            state,
            outcome.note(self, **said),
        )


def test_an_institution_is_given_the_situation_and_sees_what_was_tried_and_what_was_let_through():
    """Under two caps: both see what was tried, and what both of them together let through."""
    got = run(govern(POOL, Cap(), Cap(title="dam", share=0.25)), 1)
    tried, most = got.action["request"], (0.25 * got.world("before").stock * (POOL.levels - 1)).astype(int)
    let = np.minimum(tried, most[:, None])
    assert (let < tried).any()
    for name in ("cap", "dam"):
        np.testing.assert_array_equal(got.outcome.events[f"{name}.tried"], tried)
        np.testing.assert_array_equal(got.outcome.events[f"{name}.let"], let)
        np.testing.assert_array_equal(got.outcome.events[f"{name}.vote"], got.action[f"{name}.vote"])
    np.testing.assert_allclose(got.outcome.events["request"], let * 0.15 / 12, rtol=1e-5)


def test_a_situation_says_by_what_it_is_governed():
    levy, contract = Levy(on="request"), Contract(on="request")
    assert (POOL.institutions, POOL.bare) == ((), POOL)
    g = govern(POOL, levy, contract)
    assert (g.institutions, g.bare) == ((levy, contract), POOL)


def test_the_outline_is_the_shapes_of_what_is_computed_and_is_found_once():
    g = govern(SITUATIONS["harvest"], Levy())
    found = outline(g)
    state = eqx.filter_jit(g.reset)(jax.random.key(0))
    for shapes, values in ((found.state, state), (found.told, g.observe(state)), (found.scene, g.scene(state))):
        assert jax.tree.structure(shapes) == jax.tree.structure(values)
        pairs = zip(jax.tree.leaves(shapes), jax.tree.leaves(values), strict=True)
        assert all((a.shape, a.dtype) == (b.shape, b.dtype) for a, b in pairs)
    assert found.planes == g.scene(state).planes
    assert outline(govern(SITUATIONS["harvest"], Levy(rate=0.5))) is found  # a setting changes no shape
    assert outline(govern(SITUATIONS["harvest"].replace(agents=3), Levy())).told["view"].shape[0] == 3
    assert (outline(POOL).scene, outline(POOL).planes) == (None, ())


def test_what_an_institution_notes_and_pays_stands_under_its_name():
    nothing = jnp.zeros(3)
    before = Outcome(nothing, nothing, {"harvest": nothing}, jnp.array(False))
    noted = before.note(Levy(title="tithe"), seen=jnp.array([True, False, True]), sort=jnp.arange(3))
    assert noted.transfer is before.transfer
    assert noted.events["tithe.seen"].tolist() == [1.0, 0.0, 1.0]
    assert [noted.events[e].dtype for e in ("tithe.seen", "tithe.sort")] == [jnp.float32, jnp.int32]
    paid = noted.pay(jnp.ones(3), "dam", by=nothing, amount=nothing)
    assert set(paid.events) == {"harvest", "tithe.seen", "tithe.sort", "dam.by", "dam.amount"}
    assert paid.transfer.tolist() == [1, 1, 1]
    assert set(before.pay(jnp.ones(3)).events) == {"harvest"}
