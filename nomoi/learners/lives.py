"""Lives: the worlds in which a learner lives while it learns, and all that is written down of them."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from nomoi.core import Outcome, Situation
from nomoi.core.situation import Observation
from nomoi.core.worlds import Worlds, advance, begin, renew
from nomoi.learners.objectives import Objective
from nomoi.measure.ledger import Ledger, Tally


class Lived(eqx.Module):
    """One step in W worlds: what it brought, what that was worth to each, and which episodes ended."""

    outcome: Outcome
    utility: Float[Array, "W n"]
    done: Bool[Array, " W"]


class Lives(eqx.Module):
    """W worlds that never stop: a part of a learner's run.

    What agents want (`utility`, by the objective) goes to the learner.  What is true goes into the ledgers and, when
    an episode ends, into the tally, whatever the objective.

    told     what agents are told now, {name: [W, n, ...]}
    feeling  [W, n] what the objective remembers of the episode
    """

    worlds: Worlds
    told: Observation
    feeling: Float[Array, "W n"]
    ledger: Ledger

    @classmethod
    def begin(cls, key: PRNGKeyArray, situation: Situation, worlds: int) -> Lives:
        """Worlds in all phases of their first episode, which is cut and does not count."""
        running = begin(key, situation, worlds, stagger=True)
        ledger = jax.vmap(lambda s: Ledger.open(situation, s))(running.state)
        return cls(running, running.observe(situation), jnp.zeros((worlds, situation.agents)), ledger)

    def step(
        self, situation: Situation, objective: Objective, action: dict[str, Array], tally: Tally
    ) -> tuple[Lives, Lived, Tally]:
        """Everybody answers, {head: [W, n]}; where an episode ended the next one has begun.

        A learner that remembers must begin to remember anew where it is `done`.
        """
        worlds, outcome, done = advance(situation, self.worlds, action)
        feel: Any = lambda memory, o: objective.feel(memory, situation, o)  # noqa: E731
        feeling, utility = jax.vmap(feel)(self.feeling, outcome)
        ledger = jax.vmap(lambda led, *x: led.add(situation, *x))(self.ledger, worlds.state, outcome, worlds.turn)
        tally = tally.close(situation, ledger, done & worlds.whole)
        worlds = renew(situation, worlds, done)
        feeling = jnp.where(done[:, None], 0.0, feeling)
        ledger = jax.vmap(lambda d, led, s: led.reopen(d, situation, s))(done, ledger, worlds.state)
        return Lives(worlds, worlds.observe(situation), feeling, ledger), Lived(outcome, utility, done), tally
