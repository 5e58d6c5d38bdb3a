"""Joint control: one mind sees what all agents see, answers for all, and wants the sum of what all get.

The upper bound of what contracts can bring (the *joint* baseline of Christoffersen et al. 2023).  The weaker baseline,
in which each decides for itself and wants the mean of all, is `PPO(objective=Common())`.
"""

from __future__ import annotations

import dataclasses

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Outcome, Situation
from nomoi.core.learner import Carry, Learner, Mind, Run
from nomoi.core.recast import Recast
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal
from nomoi.grid import Scene
from nomoi.learners.ppo import PPO
from nomoi.measure.ledger import Tally


class Crowd(Recast):
    """A situation whose agents are one: it sees all that they see side by side, and gets what they get together."""

    @property
    def agents(self) -> int:  # type: ignore[override]
        return 1

    @property
    def roles(self) -> tuple[str, ...]:
        return ("crowd",)

    @property
    def bare(self) -> Crowd:
        return Crowd(self.situation.bare)

    @property
    def actions(self) -> dict[str, int]:
        """One head for each of an agent's: `move.0`, `move.1` and so on."""
        return {f"{h}.{i}": k for h, k in self.situation.actions.items() for i in range(self.situation.agents)}

    def reset(self, key: PRNGKeyArray) -> State:
        return self.situation.reset(key)

    def step(self, key: PRNGKeyArray, state: State, action: Action) -> tuple[State, Outcome]:
        state, outcome = self.situation.step(key, state, self.apart(action))
        good = {name: event.good for name, event in self.situation.emits.items()}
        # labels, such as a kind, cannot be summed: the first agent's stands for all
        events = {name: x.sum()[None] if good[name] else x[:1] for name, x in outcome.events.items()}
        reward, transfer = outcome.reward.sum()[None], outcome.transfer.sum()[None]
        return state, dataclasses.replace(outcome, reward=reward, transfer=transfer, events=events)

    def apart(self, action: dict[str, Array]) -> dict[str, Array]:
        """The answers of all agents {head: [n]} from those of the one."""
        n = self.situation.agents
        return {h: jnp.concatenate([action[f"{h}.{i}"] for i in range(n)]) for h in self.situation.actions}

    def together(self, told: Observation) -> Observation:
        """What all are told, as told to one: views one below the other, features one after the other."""
        return {name: x.reshape(1, -1, *x.shape[2:]) for name, x in told.items()}

    def observe(self, state: State) -> Observation:
        return self.together(self.situation.observe(state))

    def scene(self, state: State) -> Scene | None:
        return self.situation.scene(state)

    def present(self, state: State) -> Bool[Array, " 1"]:
        return self.situation.present(state).any()[None]

    def asked(self, state: State) -> dict[str, Bool[Array, " 1"]]:
        asked = self.situation.asked(state)
        return {f"{h}.{i}": asked[h][i : i + 1] for h in self.situation.actions for i in range(self.situation.agents)}

    def held(self, state: State) -> Bool[Array, ""]:
        return self.situation.held(state)

    def at(self, progress: Float[Array, ""]) -> Crowd:
        return Crowd(self.situation.at(progress))


class Joint(Learner):
    """One controller of all agents: `learner` in the crowd of them.  Its heads are factored, one for each head of each
    agent; a mind is that of the learner.

    While it learns, its curves count all agents as one: sums are right, equality and means over agents are not.  In
    `evaluate` it acts for the agents themselves, and all measures are right.
    """

    learner: Learner = eqx.field(default_factory=PPO)

    def __check_init__(self) -> None:
        if isinstance(self.learner, PPO) and (self.learner.residents or self.learner.conscience):
            raise Refusal("joint control decides for everybody; take residents and conscience away.")

    def init(self, key: PRNGKeyArray, situation: Situation) -> Mind:
        return self.learner.init(key, Crowd(situation))

    def start(self, mind: Mind, situation: Situation) -> Carry:
        return self.learner.start(mind, Crowd(situation))

    def act(
        self, key: PRNGKeyArray, mind: Mind, situation: Situation, seen: Observation, carry: Carry
    ) -> tuple[Action, Carry]:
        crowd = Crowd(situation)
        action, carry = self.learner.act(key, mind, crowd, crowd.together(seen), carry)
        return crowd.apart(action), carry

    @property
    def batch(self) -> int:
        return self.learner.batch

    def begin(self, key: PRNGKeyArray, situation: Situation, mind: Mind | None = None) -> Run:
        return self.learner.begin(key, Crowd(situation), mind)

    def learn(self, situation: Situation, run: Run, updates: int, total: Int[Array, ""]) -> tuple[Run, Tally]:
        return self.learner.learn(Crowd(situation), run, updates, total)

    def mind(self, run: Run) -> Mind:
        return self.learner.mind(run)
