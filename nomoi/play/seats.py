"""Who sits at a table: nobody yet, a person, a function, or a learner with its mind."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray

from nomoi.core import Situation
from nomoi.core.learner import Learner
from nomoi.core.situation import Action, Observation
from nomoi.errors import Refusal, nearest, printable


class Party:
    """A learner with its mind and what it carries in the episode.

    It acts for all agents at once, as everywhere, and each seat that follows it takes its own row.
    """

    def __init__(self, place: int, learner: Learner, mind: Any, given: Any, situation: Situation):
        self.learner, self.mind, self.given = learner, mind, given
        self._place, self._situation = place, situation
        self.restart()

    def restart(self) -> None:
        """A new episode: nothing is remembered of the one before."""
        self.carry = self.learner.start(self.mind, self._situation)

    def act(self, key: PRNGKeyArray, t: int, seen: Observation) -> tuple[Action, Any]:
        """Everybody's answers [n] in step t, and what would be carried on; the first party draws as `rollout` does."""
        step: Any = np.array(t, np.int32)  # which is traced, as JAX's are
        return _act(key, step, self._place, self.learner, self.mind, self._situation, seen, self.carry)


@eqx.filter_jit
def _act(
    key: PRNGKeyArray, t: Int[Array, ""], place: int, learner: Learner, mind: Any, situation: Situation,
    seen: Observation, carry: Any,
) -> tuple[Action, Any]:  # fmt: skip
    own = jax.random.split(jax.random.fold_in(key, t), 1)[0]
    return learner.act(jax.random.fold_in(own, place) if place else own, mind, situation, seen, carry)


def named(who: Any) -> str:
    """What is written in a transcript about who sits there; empty where nobody is named."""
    if who is None:
        return ""
    if isinstance(who, (str, Learner)):
        return printable(who if isinstance(who, str) else who.name)
    if callable(who) and not isinstance(who, type):
        return printable(getattr(who, "__name__", type(who).__name__))
    raise Refusal(
        f"{who!r} cannot sit at a table; a name (of a person), a function of what is told, or a learner is right."
    )


def playing(situation: Situation, role: str) -> list[int]:
    """The seats of a role."""
    roles = situation.roles
    if role not in roles:
        raise Refusal(f"{situation.name} has no role {role!r}; {nearest(role, dict.fromkeys(roles), 'role')}")
    return [seat for seat, its in enumerate(roles) if its == role]
