"""How contracts come about once it is known what they are worth (MOCA, Christoffersen et al. 2023).

MOCA learns in two stages.  In nine tenths of the episodes contracts are drawn by lot (`contract(rehearsal=1)`), and
agents learn to play under each.  Then play is frozen, and contracts come about in one of two ways: agents learn to
propose and to sign (`PPO(only="contract")`, in the last tenth), or the values that they learned decide (`Settlement`).
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Situation, choice, size
from nomoi.core.learner import Learner
from nomoi.core.settings import Rule
from nomoi.core.situation import Action, Observation
from nomoi.errors import Refusal
from nomoi.institutions.contract import PLAY, Contract
from nomoi.learners.ppo import PPO

MAJORITY, UNANIMITY, MAX = range(3)


class Settlement(Learner, Rule):
    """Agents who play as `learner` did, and agree on the contract that their own values say is best.

    Before play each contract is weighed by what every agent's critic expects under it, V_i(s0, theta), and the null
    contract by V_i(s0).  Of those that pass the rule the one with the largest sum of values is signed, the null
    contract where none passes or none is better.  *majority*: at least as many are better off as worse off than
    without; *unanimity*: nobody is worse off; *max*: any.  (The published code tries 50 thetas at random; here all
    that can be proposed are tried.)
    """

    learner: PPO = eqx.field(default_factory=PPO)
    rule: Int[Array, ""] = choice(
        "majority",
        ("majority", "unanimity", "max"),
        "which contracts pass",
        "Christoffersen et al. 2023, code (NegotiationSolver)",
    )
    contract: str = size("contract", "the institution that is negotiated")

    def init(self, key: PRNGKeyArray, situation: Situation) -> Any:
        return self.learner.init(key, situation)

    def start(self, mind: Any, situation: Situation) -> Any:
        return self.learner.start(mind, situation)

    def act(
        self, key: PRNGKeyArray, mind: Any, situation: Situation, seen: Observation, carry: Any
    ) -> tuple[Action, Any]:
        action, after = self.learner.act(key, mind, situation, seen, carry)
        best = self.choose(self.values(mind, situation, seen, carry))
        all_ = jnp.full(situation.agents, best)
        return action | {f"{self.contract}.propose": all_, f"{self.contract}.sign": jnp.ones_like(all_)}, after

    def values(self, mind: Any, situation: Situation, seen: Observation, carry: Any) -> Float[Array, "K n"]:
        """What each agent expects at the start of play under each contract; the first is the null contract."""
        heard = f"{self.contract}.terms"

        def value(theta: Float[Array, ""], bound: Float[Array, ""]) -> Float[Array, " n"]:
            stage = (np.arange(3) == PLAY).astype(np.float32)
            common = jnp.concatenate([stage, jnp.stack([theta, bound])])
            told = jnp.concatenate([jnp.broadcast_to(common, (situation.agents, 5)), seen[heard][:, 5:]], -1)
            return self.learner.think(mind, seen | {heard: told}, carry)[1]

        terms = deal(situation, self.contract)
        thetas = jnp.linspace(terms.low, terms.high, terms.levels) / jnp.maximum(terms.high, 1e-6)
        bound = (np.arange(terms.levels + 1) > 0).astype(np.float32)
        return jax.vmap(value)(jnp.concatenate([jnp.zeros(1), thetas]), jnp.asarray(bound))

    def choose(self, values: Float[Array, "K n"]) -> Int[Array, ""]:
        """The contract (its row) that is signed."""
        gain = values - values[0]
        majority = (gain >= 0).sum(1) >= (gain < 0).sum(1)
        passes = jnp.where(self.rule == MAJORITY, majority, (self.rule == MAX) | (gain >= 0).all(1))
        # the null contract passes always, and comes first among equals
        return jnp.where(passes, values.sum(1), -jnp.inf).argmax().astype(jnp.int32)


def deal(situation: Situation, name: str) -> Contract:
    """The contract of that name on a governed situation."""
    found = [i for i in situation.institutions if i.name == name and isinstance(i, Contract)]
    if not found:
        raise Refusal(f"there is no contract called {name!r} on {situation.name} to be settled; govern it by one.")
    return found[0]
