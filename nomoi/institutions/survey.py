"""Survey: somebody looks at the stock itself, not at the catch (Ostrom 1990, half of her fourth principle)."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, setting
from nomoi.core.saying import number
from nomoi.core.situation import Action, Observation, State
from nomoi.grid import Scene
from nomoi.institutions.units import column, ground, heads, members, room, units


class Survey(Institution):
    """Tells the people of each unit after every step how much of their stock is left, without bias.

    What it finds is off by a factor exp(noise z), z normal, one for each unit.  Who wants to use it, as a quota does,
    hears it.  The members of each unit bear the `fee` evenly.

    needs     stock
    emits     survey.estimate [n] units left of what one's own unit holds, 0 for strangers; survey.cost [n] paid, in
              units of reward
    senses    survey.estimate [n, 1] the same, of what it can hold
    memory    estimate [n] units

    >>> from nomoi import govern
    >>> from nomoi.institutions.survey import Survey
    >>> from nomoi.situations.pool import Pool
    >>> sorted(set(govern(Pool(), Survey()).emits) - set(Pool().emits))
    ['survey.cost', 'survey.estimate']
    """

    noise: Float[Array, ""] = setting(0.1, "how far off it is", "ours", "log", 0)
    fee: Float[Array, ""] = setting(0.4, "what it costs each unit", "ours", "reward/step", 0)

    @property
    def sentence(self) -> str:
        return f"The stock is surveyed in each step, which costs {float(self.fee):g}."

    @property
    def needs(self) -> tuple[str, ...]:
        return ("stock",)

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "estimate": Event("estimate", "[n]", "units", "what the own unit holds, as the survey finds it"),
            "cost": Event("cost", "[n]", "reward", "paid for the survey", True),
        }

    def chance(self, situation: Situation) -> str:
        return "how far off the survey is (noise=0 is exact)" if (np.asarray(self.noise) > 0).any() else ""

    def _looks(self, key: PRNGKeyArray, situation: Situation, state: State) -> Float[Array, " n"]:
        of = units(situation)
        error = self.noise * (of * jax.random.normal(key, (of.shape[1],))).sum(1)
        return ground(situation, state) * jnp.exp(error)

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Float[Array, " n"]:
        return self._looks(key, situation, state)

    def inform(
        self, memory: Array, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        return {"estimate": column(memory / jnp.maximum(room(situation), 1e-9))}

    def words(self, situation: Situation, seen: Mapping[str, np.ndarray]) -> str:
        full = float(room(situation).max())
        return f"The survey finds {number(float(seen['estimate'][0]) * full)} left, of at most {number(full)}."

    def settle(
        self, key: PRNGKeyArray, memory: Array, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Array, State, Outcome]:  # fmt: skip
        estimate = self._looks(key, situation, state)
        cost = self.fee * jnp.asarray(members(situation) / heads(situation), jnp.float32)
        return estimate, state, outcome.pay(-cost, self, estimate=estimate, cost=cost)
