"""Citizens: foragers who live under a charter, as a script."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from nomoi.core import Situation, setting, size
from nomoi.core.learner import Learner
from nomoi.core.settings import Rule
from nomoi.core.situation import Action, Observation
from nomoi.errors import Refusal
from nomoi.scripts.enforcer import Eyes
from nomoi.situations.walkers import ZAP


class Citizen(Learner, Rule):
    """Spares sparse apples while the charter forbids anything to it, else eats any; strikes whoever bears a mark.

    It reads the law as the charter publishes it.  `obeys` and `zeal` make it worse than that; with both at 0 it is a
    greedy forager who minds no law.
    """

    law: str = size("charter", "the charter it lives under, by its title")
    sanction: str = size("sanction", "the sanction it strikes with, which must be aware")
    spare: Array = setting(3, "live neighbours that an apple must have to be eaten under the law", "ours", "", 0)
    obeys: Array = setting(1.0, "chance to heed the law in a step", "ours", "per step", 0, 1)
    zeal: Array = setting(1.0, "chance to strike, where it could strike somebody marked", "ours", "per step", 0, 1)

    def act(
        self, key: PRNGKeyArray, mind: Any, situation: Situation, seen: Observation, carry: Any
    ) -> tuple[Action, Any]:
        walk, heeds, strikes = jax.random.split(key, 3)
        eyes = Eyes("citizens", situation, seen, self.sanction)
        if f"{self.law}.law" not in seen:
            raise Refusal(f"citizens read a charter called {self.law!r}, and {situation.name} is under none.")
        n = situation.agents
        bound = (seen[f"{self.law}.law"] > 0).any(1) & (jax.random.uniform(heeds, (n,)) < self.obeys)
        willing = jnp.where(bound[:, None, None], eyes.restrained(self.spare), eyes.plane("apple"))
        move = eyes.forage(walk, willing, jnp.zeros_like(willing))
        strike = eyes.target(f"{self.law}.marked") & (jax.random.uniform(strikes, (n,)) < self.zeal)
        other = {h: jnp.zeros(n, jnp.int32) for h in situation.actions if h != "move"}
        return {"move": jnp.where(strike, ZAP, move).astype(jnp.int32), **other}, carry
