"""Any situation, governed or not, in the shape of JaxMARL's environments (Rutherford et al. 2024).

That package is not needed.  Pure functions of one world, to be jitted, vmapped and scanned by one's own training loop.

>>> import jax, nomoi
>>> from nomoi.play.jaxmarl import multi_agent_env
>>> env = multi_agent_env(nomoi.govern(nomoi.Pool(agents=2), nomoi.Levy(on="request", rate=0.1)))
>>> seen, state = env.reset(jax.random.key(0))
>>> answers = {agent: env.action_space(agent).sample(jax.random.key(1)) for agent in env.agents}
>>> seen, state, rewards, dones, infos = env.step(jax.random.key(2), state, answers)
>>> sorted(dones)
['__all__', 'agent_0', 'agent_1']
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Float, Int, Key, PRNGKeyArray

from nomoi.core import Situation, outline
from nomoi.core import worlds as clock
from nomoi.core.govern import choose
from nomoi.core.pilot import made
from nomoi.errors import Refusal
from nomoi.grid import bitplanes

MANY = 4096  # combinations of answers up to which several heads are one choice (ours)


class State(eqx.Module):
    """A world in the middle of an episode: its state, the episode's key, its clock, and steps so far."""

    world: Any
    key: Key[Array, ""]
    turn: Int[Array, ""]
    step: Int[Array, ""]
    done: Bool[Array, ""]


@dataclasses.dataclass(frozen=True)
class Discrete:
    """A choice from 0 to n - 1."""

    n: int
    shape: tuple[int, ...] = ()
    dtype: Any = jnp.int32

    def sample(self, key: PRNGKeyArray) -> Int[Array, ""]:
        return jax.random.randint(key, (), 0, self.n, self.dtype)

    def contains(self, x: Any) -> Bool[Array, ""]:
        return jnp.logical_and(x >= 0, x < self.n)


@dataclasses.dataclass(frozen=True)
class MultiDiscrete:
    """A choice a head, each from 0 to its size - 1."""

    num_categories: tuple[int, ...]
    dtype: Any = jnp.int32

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.num_categories),)

    def sample(self, key: PRNGKeyArray) -> Int[Array, " heads"]:
        return jax.random.randint(key, self.shape, 0, jnp.array(self.num_categories), self.dtype)

    def contains(self, x: Any) -> Bool[Array, ""]:
        return jnp.all(jnp.logical_and(x >= 0, x < jnp.array(self.num_categories)))


@dataclasses.dataclass(frozen=True)
class Box:
    """Numbers between two bounds, which may be endless."""

    low: float
    high: float
    shape: tuple[int, ...]
    dtype: Any = jnp.float32

    def sample(self, key: PRNGKeyArray) -> Array:
        """Uniform between the bounds, as far as they are finite."""
        low, high = max(self.low, -1.0), min(self.high, 1.0)
        return jax.random.uniform(key, self.shape, self.dtype, low, high)

    def contains(self, x: Any) -> Bool[Array, ""]:
        return jnp.all(jnp.logical_and(x >= self.low, x <= self.high))


def multi_agent_env(situation: Situation, several: str = "joint") -> Village:
    """The situation as an environment of JaxMARL's shape; for `several` heads see `Village`."""
    return Village(made(situation, "multi_agent_env"), several)


class Village:
    """A situation behind the interface of JaxMARL's `MultiAgentEnv` (jaxmarl/environments/multi_agent_env.py).

    agents         agent_0, agent_1, ...; they stay to the end, also while out of play
    observations   {agent: [F] float32}: the view as planes of 0 and 1, row by row, then each feature; `layout` says
                   where which is: {name: (first, shape)}
    actions        {agent: choice}.  Discrete where there is one head.  Several heads are, with `several` = joint, one
                   Discrete over all combinations, the first head slowest (`heads`: their sizes in order, `split` takes
                   it apart); with `several` = each, a MultiDiscrete with one entry a head
    rewards        {agent: payoff}: material reward and transfers
    dones          {agent: whether the episode ended}, and "__all__"; the horizon is an end as any other
    infos          {name: [n]}: reward, transfer, present, and events (of what is done to others, the sum over them)
    auto-reset     `step` begins a new episode where the old one ended, as JaxMARL's does: observation and state are
                   then the new episode's, reward and done the old one's.  `step_env` does not

    Chance of an episode follows from the key of its `reset` alone, so that regimes can be compared in the same worlds;
    the key of `step` is for the episode that may begin there.
    """

    def __init__(self, situation: Situation, several: str = "joint"):
        if several not in ("joint", "each"):
            raise Refusal(f"several is {several!r}; joint (one choice of all combinations) or each would be right.")
        self.situation, self.heads = situation, dict(situation.actions)
        self.num_agents = situation.agents
        self.agents = [f"agent_{i}" for i in range(situation.agents)]
        sizes, look = tuple(self.heads.values()), outline(situation)
        many = math.prod(sizes)
        if len(sizes) > 1 and several == "joint" and many > MANY:
            raise Refusal(f"the heads of {situation.name} ({', '.join(self.heads)}) have {many:,} combinations, too "
                          'many for one choice; several="each" gives a choice a head.')  # fmt: skip
        self._each = len(sizes) > 1 and several == "each"
        self._action = MultiDiscrete(sizes) if self._each else Discrete(many)
        self.planes, self.layout, first = look.planes, dict[str, tuple[int, tuple[int, ...]]](), 0
        for name in sorted(look.told, key=lambda name: (name != "view", name)):
            shape = look.told[name].shape[1:] + ((len(self.planes),) if name == "view" and self.planes else ())
            self.layout[name] = first, shape
            first += math.prod(shape)
        self._observation = Box(-np.inf, np.inf, (first,))

    @property
    def name(self) -> str:
        return self.situation.name

    @property
    def agent_classes(self) -> dict[str, list[str]]:
        """The agents of each role, which may share a policy."""
        roles = self.situation.roles
        return {r: [a for a, role in zip(self.agents, roles, strict=True) if role == r] for r in dict.fromkeys(roles)}

    def observation_space(self, agent: str) -> Box:
        self._known(agent)
        return self._observation

    def action_space(self, agent: str) -> Discrete | MultiDiscrete:
        self._known(agent)
        return self._action

    @partial(jax.jit, static_argnums=(0,))
    def reset(self, key: PRNGKeyArray) -> tuple[dict[str, Array], State]:
        """Begin the episode of a key."""
        key = _typed(key)
        zero = jnp.zeros((), jnp.int32)
        state = State(self.situation.reset(key), key, zero, zero, jnp.array(False))
        return self.get_obs(state), state

    def step(self, key: PRNGKeyArray, state: State, actions: Any, reset_state: State | None = None) -> Any:
        """One step, and a new episode where the old one ended: that of `reset_state`, or one drawn by the key.

        Gives observations, state, rewards, dones, infos.  Choices that there are not are refused where they are
        numbers; inside of a program of one's own (jit, scan) nobody can look at them.
        """
        return self._step(key, state, self._rows(actions), reset_state)

    def step_env(self, key: PRNGKeyArray, state: State, actions: Any) -> Any:
        """One step, without a new episode; what comes after an end is worth nothing."""
        return self._step_env(key, state, self._rows(actions))

    @partial(jax.jit, static_argnums=(0,))
    def _step(self, key: PRNGKeyArray, state: State, rows: list[Array], reset_state: State | None) -> Any:
        seen, after, rewards, dones, infos = self._step_env(key, state, rows)
        drawn = jax.random.split(_typed(key))[1]
        fresh = self.reset(drawn) if reset_state is None else (self.get_obs(reset_state), reset_state)
        seen, after = choose(dones["__all__"], fresh, (seen, after))
        return seen, after, rewards, dones, infos

    @partial(jax.jit, static_argnums=(0,))
    def _step_env(self, key: PRNGKeyArray, state: State, rows: list[Array]) -> Any:
        answer = self.split(jnp.stack(rows).astype(jnp.int32))
        world, turn, outcome = clock.step(self.situation, state.key, state.turn, state.world, answer)
        after = State(world, state.key, turn, state.step + 1, outcome.done)
        payoff = outcome.reward + outcome.transfer
        rewards = {a: payoff[i] for i, a in enumerate(self.agents)}
        dones = dict.fromkeys([*self.agents, "__all__"], outcome.done)
        infos = {"reward": outcome.reward, "transfer": outcome.transfer, "present": self.situation.present(world)}
        infos |= {name: x if x.ndim == 1 else x.sum(1, dtype=x.dtype) for name, x in outcome.events.items()}
        return self.get_obs(after), after, rewards, dones, infos

    def get_obs(self, state: State) -> dict[str, Float[Array, " F"]]:
        """What each agent observes, as one row of numbers."""
        told = dict(self.situation.observe(state.world))
        if self.planes and "view" in told:
            told["view"] = bitplanes(told["view"], len(self.planes))
        rows = [told[name].reshape(self.num_agents, -1).astype(jnp.float32) for name in self.layout]
        return dict(zip(self.agents, jnp.concatenate(rows, 1), strict=True))

    @partial(jax.jit, static_argnums=(0,))
    def get_avail_actions(self, state: State) -> dict[str, Bool[Array, " choices"]]:
        """Which choices make a difference now: of a head that is not asked of an agent, only the first.

        Of several heads with a choice each, their masks one after another.
        """
        asked = self.situation.asked(state.world)
        first = {h: jnp.arange(k) == 0 for h, k in self.heads.items()}
        out = {}
        for i, a in enumerate(self.agents):
            masks = [asked[h][i] | first[h] for h in self.heads]
            both = lambda x, y: (x[:, None] & y).reshape(-1)  # noqa: E731
            whole = masks[0]
            for mask in masks[1:]:
                whole = jnp.concatenate([whole, mask]) if self._each else both(whole, mask)
            out[a] = whole
        return out

    def split(self, choice: Array) -> dict[str, Array]:
        """The answer to each head that a choice (or an array of choices) stands for."""
        if self._each:
            return {head: choice[..., k] for k, head in enumerate(self.heads)}
        out, rest = {}, choice
        for head, size in reversed(self.heads.items()):
            out[head], rest = rest % size, rest // size
        return {head: out[head] for head in self.heads}

    def _rows(self, actions: Any) -> list[Array]:
        """Everybody's choices in the order of agents, each of the shape and type of the action space."""
        if not isinstance(actions, Mapping):
            raise Refusal(f"step takes the actions as {{agent: choice}}, and {type(actions).__name__} is given.")
        if lacking := [a for a in self.agents if a not in actions]:
            raise Refusal(f"step needs an action of everybody; {lacking[0]} has none.")
        for a in actions:
            self._known(a)
        return [self._choice(a, actions[a]) for a in self.agents]

    def _choice(self, agent: str, given: Any) -> Array:
        try:
            choice = jnp.asarray(given)
        except (TypeError, ValueError):
            raise Refusal(f"the action of {agent} is {given!r}; whole numbers would be right.") from None
        if choice.shape != self._action.shape:
            raise Refusal(f"the action of {agent} has the shape {choice.shape}; {self._action.shape} would be right.")
        if not jnp.issubdtype(choice.dtype, jnp.integer):
            raise Refusal(f"the action of {agent} is of the type {choice.dtype}; int32 would be right.")
        if not isinstance(choice, Tracer) and not self._action.contains(choice):
            most = [k - 1 for k in getattr(self._action, "num_categories", (getattr(self._action, "n", 1),))]
            right = f"0 to {most[0]}" if len(most) == 1 else f"a choice a head, up to {most},"
            raise Refusal(f"the action of {agent} is {choice.tolist()}; {right} would be right.")
        return choice

    def _known(self, agent: str) -> None:
        if agent not in self.agents:
            raise Refusal(f"there is no {agent!r}; the agents are {self.agents[0]} to {self.agents[-1]}.")


def _typed(key: Array) -> PRNGKeyArray:
    """The key as nomoi takes it: JaxMARL's examples use `jax.random.PRNGKey`, which is two plain numbers."""
    return key if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) else jax.random.wrap_key_data(key)
