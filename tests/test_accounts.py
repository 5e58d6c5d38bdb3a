"""What institutions move between agents, and what they make or burn, each accounted for by itself."""

import jax
import jax.numpy as jnp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Array

from nomoi.core import Institution, govern, setting
from nomoi.learners.joint import Crowd
from nomoi.situations.pool import Pool


class Till(Institution):
    """Gives everybody the same amounts at each step, or takes them."""

    amounts: Array = setting([0.0, 0.0, 0.0], "what each is given", "ours", "reward")

    def settle(self, key, memory, situation, state, tried, action, outcome):
        half = outcome.pay(self.amounts / 2)  # in two parts, which are one institution's all the same
        return memory, state, half.pay(self.amounts / 2)


@jax.jit
def step(place):
    state = place.reset(jax.random.key(0))
    nothing = {head: jnp.zeros(place.agents, jnp.int32) for head in place.actions}
    return place.step(jax.random.key(1), state, nothing)[1]


def paid(*amounts, crowd=False):
    """The accounts of one step under one till for each list of amounts, and the sum of all transfers."""
    tills = (Till(title=f"till {k}", amounts=jnp.array(a, jnp.float32)) for k, a in enumerate(amounts))
    place = govern(Pool(agents=3), *tills)
    out = step(Crowd(place) if crowd else place)
    return [float(x) for x in (out.moved, out.made, out.burnt, out.transfer.sum())]


@pytest.mark.parametrize(
    ("amounts", "want"),
    [
        ([20, 0, 0], (0, 20, 0)),  # a sanction that pays for a hit
        ([-2, -2, -2], (0, 0, 6)),  # a levy that is burnt
        ([-4, 2, 2], (4, 0, 0)),  # one that is shared
        ([20, -5, -1], (6, 14, 0)),  # a sanction that pays for a hit, which hurts
        ([1, -5, -3], (1, 0, 7)),  # a tax of which little comes back
        ([0, 0, 0], (0, 0, 0)),
    ],
)
def test_one_institution_by_hand(amounts, want):
    assert paid(amounts, [0, 0, 0])[:3] == list(want)


def test_what_one_makes_is_not_set_off_against_what_another_one_takes():
    assert paid([20, 0, 0], [-10, -10, 0]) == [0, 20, 20, 0]  # together they would have moved 10 and made nothing
    assert paid([-3, 3, 0], [3, -3, 0]) == [6, 0, 0, 0]  # and here nothing at all would have happened


amount = st.lists(st.integers(-40, 40).map(lambda k: k / 8), min_size=3, max_size=3)


@given(one=amount, other=amount)
def test_the_accounts_add_up_in_either_order(one, other):
    moved, made, burnt, all_ = paid(one, other)
    assert all_ == pytest.approx(made - burnt, abs=1e-5)
    given_, taken = (sum(max(sign * x, 0) for x in (*one, *other)) for sign in (1, -1))
    assert (moved + made, moved + burnt) == pytest.approx((given_, taken), abs=1e-5)
    assert paid(other, one) == pytest.approx([moved, made, burnt, all_], abs=1e-5)


@given(share=st.floats(0.01, 10), before=st.sampled_from([0.0, 3.0, 1000.0]))
def test_rounding_makes_nothing_and_burns_nothing(share, before):
    """What is shared out does not add up to the last bit, least of all after somebody was given much."""
    moved, made, burnt, _ = paid([before, 0, 0], [-share, share / 3, share / 3 * 2])
    assert (made, burnt) == (before, 0)
    assert moved == pytest.approx(share, rel=1e-4, abs=1e-3 * (before > 3))
    assert paid([share * 3e-8, -share * 1e-8, share * 1e-8], [0, 0, 0])[:3] == [0, 0, 0]


def test_one_controller_of_all_keeps_the_accounts_of_all():
    assert paid([20, -5, -1], [-3, 1, 0], crowd=True) == [7, 14, 2, 12]
