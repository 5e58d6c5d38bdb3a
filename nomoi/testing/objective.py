"""Checks of an objective, on a situation in which it can be felt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from nomoi.core import Situation
from nomoi.errors import Refusal
from nomoi.learners.objectives import Objective
from nomoi.testing.common import Check, Wrong, ask, card, differences, glimpse, grounds, live, shape

STEPS = 20  # of random play in which it is felt


def check_objective(objective: Objective, among: Sequence[Situation] = ()) -> Iterator[Check]:
    """All that `Objective` promises, on the first situation of `among` that it does not refuse (default: `grounds`)."""
    refused: list[str] = []
    for place in grounds(among):
        feeling = Feeling(objective, place)
        try:
            feeling.shapes  # noqa: B018
        except Refusal as refusal:
            refused.append(str(refusal).rstrip("."))
        except KeyError as error:  # an event, in all likelihood
            refused.append(f"there is no {error.args[0]!r} in {place.name}")
        except Exception:  # the checks say what is wrong
            yield from feeling.run()
            return
        else:
            yield from feeling.run()
            return
    name = type(objective).__name__
    more = f"nomoi.testing.check({name}, among=[...]) takes situations in which it can be felt"
    yield Check("feels", False, f"{name.lower()} refuses every situation; the first one so: {refused[0]} ({more}).")


class Feeling:
    """An objective in a situation, and what its checks share."""

    def __init__(self, objective: Objective, situation: Situation):
        self.o, self.s, self.key = objective, situation, jax.random.key(0)
        self.name = f"{type(objective).__name__.lower()} in {situation.name}"

    def run(self) -> Iterator[Check]:
        """All checks; where its first utilities cannot even be traced, only that."""
        yield ask("card", lambda: card(type(self.o), ()))
        yield (feels := ask("feels", self._feels))
        if feels.passed is not False:
            yield from (ask("finite", self._finite), ask("pure", self._pure))

    @cached_property
    def shapes(self) -> tuple[Any, Any]:
        """What it remembers after a step, and what it is worth."""

        def first(key: Any) -> tuple[Any, Any]:
            return self.o.feel(jnp.zeros(self.s.agents), self.s, glimpse(key, self.s)["outcome"])

        return jax.eval_shape(first, self.key)

    def _feels(self) -> str:
        for what, x in zip(("memory", "utility"), self.shapes, strict=True):
            if x.shape != (self.s.agents,) or x.dtype != jnp.float32:
                raise Wrong(f"the {what} of {self.name} is {shape(x)}; [{self.s.agents}] float32 would be right.")
        return f"{self.name} is traced by jit and gives each agent a utility."

    def _lived(self, key: PRNGKeyArray) -> tuple[Array, Array]:
        """Memory and utility [steps, n] along random play."""

        def tick(memory: Array, outcome: Any) -> tuple[Array, tuple[Array, Array]]:
            memory, utility = self.o.feel(memory, self.s, outcome)
            return memory, (memory, utility)

        return jax.lax.scan(tick, jnp.zeros(self.s.agents), live(self.s, key, STEPS).outcome)[1]

    @cached_property
    def felt(self) -> tuple[Any, Any, Any]:
        """Two lives at once, and the first of them alone, twice."""
        keys, one = jax.random.split(self.key), jax.jit(self._lived)
        return jax.jit(jax.vmap(self._lived))(keys), one(keys[0]), one(keys[0])

    def _finite(self) -> str:
        for what, x in zip(("memory", "utility"), self.felt[0], strict=True):
            if not np.isfinite(x).all():
                raise Wrong(f"the {what} of {self.name} is not finite in {STEPS} steps of random play.")
        return f"{STEPS} steps of random play are worth something finite."

    def _pure(self) -> str:
        many, once, again = self.felt
        if differences(once, again) or differences([x[0] for x in many], list(once), exact=False):
            raise Wrong(f"{self.name} feels otherwise when asked again; utilities must follow from the arguments.")
        return "the same steps are worth the same, alone and in a vmap."
