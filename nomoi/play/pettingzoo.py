"""Any situation, governed or not, as a PettingZoo parallel environment.

>>> import nomoi
>>> from nomoi.play.pettingzoo import parallel_env
>>> env = parallel_env(nomoi.govern(nomoi.Harvest(), nomoi.Levy(rate=2.0)), seed=7)
>>> observations, infos = env.reset()
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from nomoi.core import Situation, outline
from nomoi.core.keys import key_of
from nomoi.core.pilot import made
from nomoi.errors import Refusal
from nomoi.play.table import Table

try:
    from gymnasium import spaces
    from pettingzoo import ParallelEnv
except ImportError:  # said in a sentence when an environment is asked for
    ParallelEnv = object


def parallel_env(situation: Situation, seed: int = 0) -> Village:
    """The situation as a `pettingzoo.ParallelEnv`; `seed` fixes all chance in it."""
    if ParallelEnv is object:
        raise Refusal("the PettingZoo adapter needs the packages pettingzoo and gymnasium: pip install nomoi[envs]")
    return Village(made(situation, "parallel_env"), seed)


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
        look = outline(situation)
        self.planes, seen = look.planes, look.told
        self.possible_agents = [f"agent_{i}" for i in range(situation.agents)]
        self.agents: list[str] = []
        blank = {name: np.zeros(x.shape[1:], x.dtype) for name, x in seen.items()}
        self._observations = {a: _box(self._spread(blank)) for a in self.possible_agents}
        self._actions = {a: _choices(list(situation.actions.values())) for a in self.possible_agents}
        self._root, self._episode = key_of(seed), -1
        self.table: Table | None = None

    def observation_space(self, agent: str) -> Any:
        return self._observations[agent]

    def action_space(self, agent: str) -> Any:
        return self._actions[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Begin an episode: with `seed` the first of that seed, without it the next one.  Takes no options."""
        if seed is not None:
            self._root, self._episode = key_of(seed), -1
        self._episode += 1
        self.table = Table(self.situation, key=jax.random.fold_in(self._root, self._episode))
        self.agents = list(self.possible_agents)
        return self._told(self.table)

    def step(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
        """One step of everybody at once."""
        if not self.agents or self.table is None:
            return {}, {}, {}, {}, {}
        for i, row in enumerate(self._rows(actions)):
            self.table.answer(i, dict(zip(self.heads, row.tolist(), strict=True)))
        self.table.step()
        seen, infos = self._told(self.table)
        outcome = dict(zip(self.agents, self.table.outcome.values(), strict=True))
        for a, share in outcome.items():
            infos[a] |= {"reward": share.reward, "transfer": share.transfer, "events": share.events}
        rewards = {a: share.payoff for a, share in outcome.items()}
        terminated, truncated = dict.fromkeys(self.agents, self.table.over), dict.fromkeys(self.agents, False)
        self.agents = [] if self.table.over else self.agents
        return seen, rewards, terminated, truncated, infos

    def render(self) -> np.ndarray:
        """The world as a picture, [height, width, 3]."""
        from nomoi.grid import still
        from nomoi.grid.paint import paint

        if self.table is None:
            raise Refusal("nothing to paint yet; call reset first.")
        scene = self.situation.scene(self.table.state)
        if scene is None:
            raise Refusal(f"{self.situation.name} has no land, so there is nothing to paint.")
        return np.asarray(paint(still(scene)))

    def close(self) -> None:
        """Nothing to close."""

    def _rows(self, actions: dict[str, Any]) -> np.ndarray:
        """Everybody's choices, [agents, heads]."""
        if not isinstance(actions, Mapping):
            raise Refusal(f"step takes the actions as {{agent: choice}}, and {type(actions).__name__} is given.")
        lacking = [a for a in self.agents if a not in actions]
        if lacking:
            raise Refusal(f"step needs an action of everybody; {lacking[0]} has none.")
        if unknown := [a for a in actions if a not in self.possible_agents]:
            raise Refusal(f"there is no {unknown[0]!r}; the agents are {self.agents[0]} to {self.agents[-1]}.")
        for a in self.agents:
            if not self._actions[a].contains(actions[a]):
                raise Refusal(f"{actions[a]!r} of {a} is not an action; {self._actions[a]} for {self.heads} is right.")
        return np.array([actions[a] for a in self.agents], np.int32).reshape(len(self.agents), -1)

    def _told(self, table: Table) -> tuple[dict, dict]:
        """Observations and infos of everybody."""
        seen, infos = {}, {}
        for i, a in enumerate(self.possible_agents):
            told = table.told(i)
            seen[a] = self._spread(told.seen)
            infos[a] = {"present": told.present, "asked": {head: head in told.asked for head in self.heads}}
        return seen, infos

    def _spread(self, seen: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One agent's observation, with the view's codes [rows, columns] as planes of 0 and 1."""
        if not self.planes or "view" not in seen:
            return seen
        bits = np.arange(len(self.planes), dtype=seen["view"].dtype)
        return seen | {"view": (seen["view"][..., None] >> bits & 1).astype(np.uint8)}


def _box(seen: dict[str, np.ndarray]) -> Any:
    def box(x: np.ndarray) -> Any:
        low, high = (0, 1) if np.issubdtype(x.dtype, np.unsignedinteger) else (-np.inf, np.inf)
        return spaces.Box(low, high, x.shape, x.dtype)

    return spaces.Dict({name: box(x) for name, x in sorted(seen.items())})


def _choices(sizes: list[int]) -> Any:
    return spaces.Discrete(sizes[0]) if len(sizes) == 1 else spaces.MultiDiscrete(sizes)
