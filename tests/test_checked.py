"""What tests/conftest.py has checked in all other tests is checked: types everywhere, axes where arrays meet."""

import jax.numpy as jnp
import pytest

from nomoi.core import Outcome
from nomoi.errors import nearest


def test_axes_of_one_name_must_agree_and_types_be_what_is_said():
    done = jnp.array(False)
    Outcome(jnp.zeros(2), jnp.zeros(2), {}, done)
    for reward, transfer in ((jnp.zeros(2), jnp.zeros(3)), (jnp.zeros((2, 2)), jnp.zeros(2)), (2, jnp.zeros(2))):
        with pytest.raises(TypeError):
            Outcome(reward, transfer, {}, done)
    with pytest.raises(TypeError):
        nearest(3, ["a"])
