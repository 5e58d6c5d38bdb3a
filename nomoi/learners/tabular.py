"""Q-learning from a table (Watkins & Dayan 1992), each agent for itself: for small situations, without a network."""

from __future__ import annotations

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Situation, setting, size
from nomoi.core.learner import Learner
from nomoi.core.settings import Rule
from nomoi.core.situation import Observation
from nomoi.errors import Refusal
from nomoi.learners.lives import Lives
from nomoi.learners.objectives import Objective, Own
from nomoi.measure.ledger import Tally

MOST = 1024  # columns: answers to all heads together (ours)
Table = Float[Array, "n cells answers"]


class Practice(eqx.Module):
    """A run: tables, the worlds lived in, its key, and how many steps are over."""

    table: Table
    lives: Lives
    key: PRNGKeyArray
    time: Int[Array, ""]


class Tabular(Learner, Rule):
    """Independent Q-learning: Q(s, a) += learning_rate (u + gamma max_b Q(s', b) - Q(s, a)), epsilon-greedy.

    Each agent has a table of its own, with a row (*cell*) for what it is told and a column for each way to answer all
    heads at once.  Features are rounded to 1 / `grain` and hashed into cells: two observations may share one (of d,
    about d^2 / (2 cells) pairs do), and are one to the agent.  Nothing promises that it converges: the others learn
    too.  It learns in every step, also where it is asked nothing, so no value is used that nobody learned.  Where
    several worlds land on one entry, it moves towards their mean.  Evaluated it never strays; ties are by lot.
    """

    objective: Objective = eqx.field(default_factory=Own)
    cells: int = size(4096, "rows of each table", "ours", low=1)
    grain: int = size(20, "parts into which a unit of a feature is cut", "ours", low=1)
    worlds: int = size(16, "worlds side by side", "ours", low=1)
    steps: int = size(32, "steps between two updates", "ours", low=1)
    learning_rate: Float[Array, ""] = setting(0.1, "how far an entry moves", "ours", "", 0, 1)
    gamma: Float[Array, ""] = setting(0.95, "discount", "ours", "", 0, 1)
    epsilon: Float[Array, ""] = setting(0.3, "chance of an answer by lot, at the start", "ours", "", 0, 1)
    epsilon_end: Float[Array, ""] = setting(0.02, "and at the end (linear)", "ours", "", 0, 1)

    def init(self, key: PRNGKeyArray, situation: Situation) -> Table:
        told = jax.eval_shape(lambda k: situation.observe(situation.reset(k)), key)
        for name in (name for name, x in told.items() if x.ndim != 2):
            raise Refusal(f"a table has no row for what is seen in {situation.name} ({name}); ppo looks at views.")
        columns = math.prod(situation.actions.values())
        if columns > MOST:
            raise Refusal(f"a table of {columns} answers is too wide for {situation.name}; {MOST} at most, or ppo.")
        return jnp.zeros((situation.agents, self.cells, columns))

    def cell(self, situation: Situation, told: Observation) -> Int[Array, " n"]:
        """The row of its table for what each agent is told, in one world."""
        features = jnp.concatenate([jnp.zeros((situation.agents, 1)), *(told[name] for name in sorted(told))], -1)
        level = jnp.round(features * self.grain).astype(jnp.int32).astype(jnp.uint32)
        odd = np.array([pow(0x9E3779B1, k, 2**32) for k in range(level.shape[-1])], np.uint32)  # Knuth's multiplier
        mixed = (level * odd).sum(-1, dtype=jnp.uint32)
        mixed = (mixed ^ (mixed >> 15)) * np.uint32(0x85EBCA6B)
        return ((mixed ^ (mixed >> 13)) % np.uint32(self.cells)).astype(jnp.int32)

    def best(self, key: PRNGKeyArray, table: Table, cell: Int[Array, " n"]) -> Int[Array, " n"]:
        """The column that each agent values most where it is."""
        values = table[np.arange(table.shape[0]), cell]
        most = values == values.max(-1, keepdims=True)
        return jnp.where(most, jax.random.uniform(key, values.shape), -1.0).argmax(-1).astype(jnp.int32)

    def act(self, key: PRNGKeyArray, mind: Table, situation: Situation, seen: Observation, carry: Any) -> Any:
        return _answers(situation, self.best(key, mind, self.cell(situation, seen))), carry

    @property
    def batch(self) -> int:
        return self.worlds * self.steps

    def begin(self, key: PRNGKeyArray, situation: Situation, mind: Table | None = None) -> Practice:
        table = self.init(key, situation) if mind is None else mind
        return Practice(table, Lives.begin(key, situation, self.worlds), key, jnp.zeros((), jnp.int32))

    def mind(self, run: Practice) -> Table:
        return run.table

    def learn(self, situation: Situation, run: Practice, updates: int, total: Int[Array, ""]) -> tuple[Practice, Tally]:
        where = jax.vmap(lambda told: self.cell(situation, told), axis_size=self.worlds)
        best, n = jax.vmap(self.best, (0, None, 0)), np.arange(situation.agents)

        def step(now: tuple[Practice, Tally], _: None) -> tuple[tuple[Practice, Tally], None]:
            run, tally = now
            chosen, stray, lot = jax.random.split(jax.random.fold_in(run.key, run.time), 3)
            progress = run.time // self.steps / total
            place, cell = situation.at(progress), where(run.lives.told)
            epsilon = self.epsilon + (self.epsilon_end - self.epsilon) * progress
            column = best(jax.random.split(chosen, self.worlds), run.table, cell)
            random = jax.random.randint(lot, cell.shape, 0, run.table.shape[2])
            column = jnp.where(jax.random.bernoulli(stray, epsilon, cell.shape), random, column)
            lives, lived, tally = run.lives.step(place, self.objective, _answers(place, column), tally)
            ahead = jnp.where(lived.done[:, None], 0.0, run.table[n, where(lives.told)].max(-1))
            wrong = lived.utility + self.gamma * ahead - run.table[n, cell, column]
            same = (cell[:, None] == cell) & (column[:, None] == column)  # worlds that land on one entry
            table = run.table.at[n, cell, column].add(self.learning_rate * wrong / same.sum(0, dtype=jnp.float32))
            return (Practice(table, lives, run.key, run.time + 1), tally), None

        return jax.lax.scan(step, (run, Tally.empty(situation)), None, updates * self.steps)[0]


def _answers(situation: Situation, column: Int[Array, "*W n"]) -> dict[str, Int[Array, "*W n"]]:
    """What columns mean, {head: ...}."""
    return dict(zip(situation.actions, jnp.unravel_index(column, tuple(situation.actions.values())), strict=True))
