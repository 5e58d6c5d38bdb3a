"""Scripts: behaviour that does not learn.  They see what agents see, no more."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from nomoi.core import Situation, outline, size
from nomoi.core.learner import Learner
from nomoi.core.settings import Rule
from nomoi.core.situation import Action, Observation
from nomoi.errors import Refusal
from nomoi.grid.words import uniform
from nomoi.situations.walkers import AHEAD, BACK, LEFT, RIGHT, TURN_LEFT, TURN_RIGHT, ZAP

FAR = 1000


class Random(Learner):
    """Every choice equally likely."""

    def act(
        self, key: PRNGKeyArray, mind: Any, situation: Situation, seen: Observation, carry: Any
    ) -> tuple[Action, Any]:
        keys = jax.random.split(key, len(situation.actions))
        n = situation.agents
        return {
            h: jax.random.randint(k, (n,), 0, c) for k, (h, c) in zip(keys, situation.actions.items(), strict=True)
        }, carry


class Constant(Learner, Rule):
    """The same choice of every head, always."""

    choice: int = size(0, "the choice", low=0)

    def act(
        self, key: PRNGKeyArray, mind: Any, situation: Situation, seen: Observation, carry: Any
    ) -> tuple[Action, Any]:
        return {h: jnp.full(situation.agents, min(self.choice, c - 1)) for h, c in situation.actions.items()}, carry


class Forager(Learner, Rule):
    """Walks to the nearest apple in sight that it is willing to eat; without one, wanders.

    greedy      eats every apple (`spare` 0)
    restrained  eats an apple only if at least `spare` live ones are near it, as far as it can see
    obedient    with `heed`, eats only what the altar permits, as far as it knows, and goes to the altar when it
                does not know and sees one
    It never steps on an apple that it will not eat, and answers 0 to every head but `move`.  Where apples are collected
    by a move of its own, it makes that move on one that it will eat.
    """

    spare: int = size(0, "live neighbours that an apple must have to be eaten", "ours", low=0)
    heed: bool = size(False, "whether to eat only what the altar permits")

    def act(
        self, key: PRNGKeyArray, mind: Any, situation: Situation, seen: Observation, carry: Any
    ) -> tuple[Action, Any]:
        scene = outline(situation).scene
        if scene is None or "apple" not in scene.planes:
            raise Refusal(f"foragers walk to apples, and {situation.name} shows none.")
        plane = {name: (seen["view"] >> scene.planes.index(name)) & 1 == 1 for name in scene.planes}
        apple = plane["apple"]
        willing = apple & (_around(apple) >= self.spare) if self.spare else apple
        if self.heed:
            if "altar.permitted" not in plane:
                raise Refusal("a forager that heeds the altar needs an altar with relative sight on the situation.")
            willing = willing & plane["altar.permitted"]
        blocked = plane["wall"] | plane["agent"] | (apple & ~willing)
        goal = willing
        if self.heed:
            goal = jnp.where(willing.any((1, 2), keepdims=True), willing, plane["altar"])
        move = jax.vmap(_step, (0, 0, 0, None))(jax.random.split(key, situation.agents), goal, blocked, scene.extent)
        if "collect" in (tools := getattr(situation.bare, "tools", ())):
            here = willing[:, scene.extent.ahead, scene.extent.side]
            move = jnp.where(here, ZAP + 1 + tools.index("collect"), move)
        other = {h: jnp.zeros(situation.agents, jnp.int32) for h in situation.actions if h != "move"}
        return {"move": move, **other}, carry


class Mixed(Learner):
    """Some agents follow one learner, the others another: the first `count` follow `first`.

    A mind is a pair, and so is what agents carry; scripts need neither.
    """

    first: Learner
    rest: Learner
    count: Int[Array, ""] = eqx.field(converter=lambda x: jnp.asarray(x, jnp.int32))

    def init(self, key: PRNGKeyArray, situation: Situation) -> Any:
        one, other = jax.random.split(key)
        return self.first.init(one, situation), self.rest.init(other, situation)

    def start(self, mind: Any, situation: Situation) -> Any:
        return self.first.start(mind[0], situation), self.rest.start(mind[1], situation)

    def act(
        self, key: PRNGKeyArray, mind: Any, situation: Situation, seen: Observation, carry: Any
    ) -> tuple[Action, Any]:
        one, other = jax.random.split(key)
        mine, carried = self.first.act(one, mind[0], situation, seen, carry[0])
        theirs, bore = self.rest.act(other, mind[1], situation, seen, carry[1])
        who = np.arange(situation.agents) < self.count
        return {h: jnp.where(who, mine[h], theirs[h]) for h in mine}, (carried, bore)


def _around(apple: Bool[Array, "n rows columns"]) -> Int[Array, "n rows columns"]:
    """Live neighbours within distance 2, counted in the view."""
    rows, cols = apple.shape[1:]
    wide = jnp.pad(apple.astype(jnp.int32), ((0, 0), (2, 2), (2, 2)))
    near = [(i, j) for i in range(-2, 3) for j in range(-2, 3) if 0 < i * i + j * j <= 4]
    return sum((wide[:, 2 + i : 2 + i + rows, 2 + j : 2 + j + cols] for i, j in near), jnp.zeros_like(apple, jnp.int32))


def _step(key: PRNGKeyArray, goal: Array, blocked: Array, extent: Any) -> Array:
    """One move of one agent: towards the nearest goal by an open neighbouring cell, else wander."""
    rows, cols = goal.shape
    r, c = np.divmod(np.arange(rows * cols), cols)
    ahead, right = extent.ahead - r, c - extent.side
    distance = jnp.where(goal.ravel(), abs(ahead) + abs(right) + 0.0, FAR)
    noise = uniform(key, rows * cols + 6)
    # Of numbers above zero the bits are in the same order, and XLA finds the first of the least far faster in integers.
    order = jax.lax.bitcast_convert_type(distance + 0.5 * noise[: rows * cols], jnp.int32)
    nearest = order.min()
    target = jnp.where(order == nearest, np.arange(rows * cols, dtype=np.int32), rows * cols).min()
    ahead, right = jnp.asarray(ahead)[target], jnp.asarray(right)[target]
    # the four relative steps and how much nearer each brings the target
    moves = {AHEAD: (1, 0), BACK: (-1, 0), LEFT: (0, -1), RIGHT: (0, 1)}
    cells = np.array([[extent.ahead - f, extent.side + s] for f, s in moves.values()])
    inside = (cells[:, 0] >= 0) & (cells[:, 0] < rows) & (cells[:, 1] >= 0) & (cells[:, 1] < cols)
    cells = np.clip(cells, 0, [rows - 1, cols - 1])
    shut = blocked[cells[:, 0], cells[:, 1]] | ~inside
    gain = jnp.stack([abs(ahead) + abs(right) - abs(ahead - f) - abs(right - s) for f, s in moves.values()])
    worth = gain.astype(jnp.float32) + 0.5 * noise[-6:-2]
    worth = jnp.where(shut, -FAR, worth)
    towards = jnp.array(list(moves))[worth.argmax()]
    stray = jnp.where(shut[0] | (noise[-1] < 0.2), jnp.where(noise[-2] < 0.5, TURN_LEFT, TURN_RIGHT), AHEAD)
    found = (nearest < np.float32(FAR).view(np.int32)) & (worth.max() > -1)
    return jnp.where(found, towards, stray).astype(jnp.int32)
