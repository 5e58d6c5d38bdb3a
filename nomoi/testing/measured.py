"""Check of what a situation, or an institution in it, measures."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from nomoi.core import VOCABULARY, Institution, Situation
from nomoi.errors import nearest
from nomoi.measure.ledger import Ledger
from nomoi.measure.measures import measures
from nomoi.testing.common import Wrong, shape


def measured(situation: Situation, institution: Institution | None = None) -> str:
    """Each measure says all that it reads, of what somebody may emit, and is one number."""
    owner = institution or situation
    known = {*owner.emits, *situation.offers, *VOCABULARY}
    for m in owner.measures:
        for need in m.needs:
            if need not in known and "." not in need:  # a name with a dot is of an institution that may not be there
                raise Wrong(f"the measure {m.name!r} of {owner.name} needs {need!r}; {nearest(need, known, 'event')}")
    found = measures(situation)
    episode = jax.eval_shape(lambda key: Ledger.open(situation, situation.reset(key)).episode, jax.random.key(0))
    for name, m in found.items():
        try:
            value = jax.eval_shape(m.of, episode)
        except KeyError as error:
            raise Wrong(f"the measure {name!r} reads {error}, which is not among its needs: {list(m.needs)}.") from None
        if value.shape or not jnp.issubdtype(value.dtype, jnp.floating):
            raise Wrong(f"the measure {name!r} is {shape(value)}; one number, [] float, would be right.")
    return f"{len(found)} are defined, with unit and meaning."
