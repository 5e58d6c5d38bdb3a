"""Any situation, governed or not, as a PettingZoo parallel environment.

>>> import nomoi
>>> from nomoi.play.pettingzoo import parallel_env
>>> env = parallel_env(nomoi.govern(nomoi.Harvest(), nomoi.Levy(rate=2.0)), seed=7)
>>> observations, infos = env.reset()
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray

from nomoi.core import Outcome, Situation, outline
from nomoi.core.keys import key_of
from nomoi.core.situation import Action
from nomoi.errors import Refusal
from nomoi.grid import bitplanes

try:
    from gymnasium import spaces
    from pettingzoo import ParallelEnv
except ImportError:  # said in a sentence when an environment is asked for
    ParallelEnv = object


def parallel_env(situation: Situation, seed: int = 0) -> Village:
    """The situation as a `pettingzoo.ParallelEnv`; `seed` fixes all chance in it."""
    if ParallelEnv is object:
        raise Refusal("the PettingZoo adapter needs the packages pettingzoo and gymnasium: pip install nomoi[envs]")
    return Village(situation, seed)


class Told(eqx.Module):
    """What one step brings to light for all agents: features and view [n, ...], who is present, whose answer counts."""

    seen: dict[str, Array]
    present: Array
    asked: dict[str, Array]


class Village(ParallelEnv):  # type: ignore[misc,valid-type]
    """A situation behind PettingZoo's parallel interface.

    agents         agent_0, agent_1, ...; they stay to the end, also while out of play (`infos[a]["present"]`)
    observations   {name: array}: features as they are; the view as planes [rows, columns, planes] of 0 and 1
                   (their names: `planes`)
    actions        Discrete where there is one head, else MultiDiscrete with one entry a head (their order: `heads`)
    rewards        the payoff: material reward and transfers
    infos          present, asked {head: whether the answer counts in the next step}, and after a step reward,
                   transfer, events {name: number, or [n] for what the agent did to each}
    end            always a termination, at the horizon too: it is part of the game, as for nomoi's own learners and
                   solvers, and nothing that follows is worth anything
    """

    def __init__(self, situation: Situation, seed: int = 0):
        self.situation = situation
        self.metadata = {"name": situation.name, "render_modes": ["rgb_array"], "is_parallelizable": True}
        self.render_mode = "rgb_array"
        self.heads = tuple(situation.actions)
        self.planes = outline(situation).planes
        self.possible_agents = [f"agent_{i}" for i in range(situation.agents)]
        self.agents: list[str] = []
        told = jax.eval_shape(lambda key: _tell(situation, situation.reset(key)), jax.random.key(0))
        self._observations = {a: _box(told.seen) for a in self.possible_agents}
        self._actions = {a: _choices(list(situation.actions.values())) for a in self.possible_agents}
        self._root, self._episode = key_of(seed), -1

    def observation_space(self, agent: str) -> Any:
        return self._observations[agent]

    def action_space(self, agent: str) -> Any:
        return self._actions[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Begin an episode: with `seed` the first of that seed, without it the next one.  Takes no options."""
        if seed is not None:
            self._root, self._episode = key_of(seed), -1
        self._episode += 1
        self._key = jax.random.fold_in(self._root, self._episode)
        self._state, self._clock, told = _begin(self.situation, self._key)
        self.agents = list(self.possible_agents)
        told = jax.device_get(told)
        return self._share(told.seen), {a: self._info(told, i) for i, a in enumerate(self.agents)}

    def step(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
        """One step of everybody at once."""
        if not self.agents:
            return {}, {}, {}, {}, {}
        answers = self._answers(actions)
        self._state, self._clock, told, outcome = _advance(self.situation, self._key, self._state, self._clock, answers)
        told, outcome = jax.device_get((told, outcome))
        done = bool(outcome.done)
        payoff = outcome.reward + outcome.transfer
        infos = {}
        for i, a in enumerate(self.agents):
            events = {e: float(x[i]) if x.ndim == 1 else x[i] for e, x in outcome.events.items()}
            paid = {"reward": float(outcome.reward[i]), "transfer": float(outcome.transfer[i]), "events": events}
            infos[a] = self._info(told, i) | paid
        seen = self._share(told.seen)
        rewards = {a: float(payoff[i]) for i, a in enumerate(self.agents)}
        terminated, truncated = dict.fromkeys(self.agents, done), dict.fromkeys(self.agents, False)
        self.agents = [] if done else self.agents
        return seen, rewards, terminated, truncated, infos

    def render(self) -> np.ndarray:
        """The world as a picture, [height, width, 3]."""
        from nomoi.grid import still
        from nomoi.grid.paint import paint

        if not hasattr(self, "_state"):
            raise Refusal("nothing to paint yet; call reset first.")
        scene = self.situation.scene(self._state)
        if scene is None:
            raise Refusal(f"{self.situation.name} has no land, so there is nothing to paint.")
        return np.asarray(paint(still(scene)))

    def close(self) -> None:
        """Nothing to close."""

    def _answers(self, actions: dict[str, Any]) -> Action:
        lacking = [a for a in self.agents if a not in actions]
        if lacking:
            raise Refusal(f"step needs an action of everybody; {lacking[0]} has none.")
        for a in self.agents:
            if not self._actions[a].contains(actions[a]):
                raise Refusal(f"{actions[a]!r} of {a} is not an action; {self._actions[a]} for {self.heads} is right.")
        rows = np.array([actions[a] for a in self.agents], np.int32).reshape(len(self.agents), -1)
        return {head: jnp.asarray(rows[:, k]) for k, head in enumerate(self.heads)}

    def _share(self, seen: dict[str, Any]) -> dict[str, dict[str, np.ndarray]]:
        return {a: {name: x[i] for name, x in seen.items()} for i, a in enumerate(self.possible_agents)}

    def _info(self, told: Told, i: int) -> dict[str, Any]:
        return {"present": bool(told.present[i]), "asked": {h: bool(x[i]) for h, x in told.asked.items()}}


def _tell(situation: Situation, state: Any) -> Told:
    seen = dict(situation.observe(state))
    scene = situation.scene(state)
    if scene is not None and "view" in seen:
        seen["view"] = bitplanes(seen["view"], len(scene.planes), jnp.uint8)
    return Told(seen, situation.present(state), situation.asked(state))


@eqx.filter_jit
def _begin(situation: Situation, key: PRNGKeyArray) -> tuple[Any, Int[Array, ""], Told]:
    state = situation.reset(key)
    return state, jnp.zeros((), jnp.int32), _tell(situation, state)


@eqx.filter_jit
def _advance(
    situation: Situation, key: PRNGKeyArray, state: Any, clock: Int[Array, ""], action: Action
) -> tuple[Any, Int[Array, ""], Told, Outcome]:
    """The clock of rollout: it stands still while an institution convenes."""
    after, outcome = situation.step(jax.random.fold_in(key, clock), state, action)
    later = clock + (~situation.held(state)).astype(jnp.int32)
    return after, later, _tell(situation, after), outcome


def _box(seen: dict[str, Any]) -> Any:
    def box(x: Any) -> Any:
        low, high = (0, 1) if jnp.issubdtype(x.dtype, jnp.unsignedinteger) else (-np.inf, np.inf)
        return spaces.Box(low, high, x.shape[1:], np.dtype(x.dtype))

    return spaces.Dict({name: box(x) for name, x in sorted(seen.items())})


def _choices(sizes: list[int]) -> Any:
    return spaces.Discrete(sizes[0]) if len(sizes) == 1 else spaces.MultiDiscrete(sizes)
