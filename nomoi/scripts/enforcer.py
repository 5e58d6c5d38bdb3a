"""Enforcers: people of a community with a law.  They live by it, and strike whoever can be seen to have broken it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from nomoi.core import Situation, outline, setting, size
from nomoi.core.learner import Learner
from nomoi.core.settings import Rule
from nomoi.core.situation import Action, Observation
from nomoi.errors import Refusal, nearest
from nomoi.grid import Scene
from nomoi.scripts.fixed import _around, _step
from nomoi.situations.walkers import ZAP


class Eyes:
    """What agents see and sense, by name, as scripts read it."""

    def __init__(self, who: str, situation: Situation, seen: Observation, sanction: str):
        scene = outline(situation).scene
        if not isinstance(scene, Scene) or "apple" not in scene.planes:
            raise Refusal(f"{who} walk to apples, and {situation.name} shows none.")
        if f"{sanction}.aim" not in seen:
            raise Refusal(f"{who} strike whom they sense in their beam, which takes a sanction that is aware.")
        self._who, self._where, self._bodies, self.extent = who, situation.name, sorted(scene.bodies), scene.extent
        self._plane = {name: (seen["view"] >> scene.planes.index(name)) & 1 == 1 for name in scene.planes}
        self._aim = seen[f"{sanction}.aim"] > 0

    def plane(self, name: str) -> Bool[Array, "n rows columns"]:
        """A plane of everybody's view."""
        self._known(name, self._plane)
        return self._plane[name]

    def target(self, mark: str = "agent") -> Bool[Array, " n"]:
        """Whether somebody who bears a mark would be hit now."""
        self._known(mark, self._bodies)
        return self._aim[:, 1 + self._bodies.index(mark)]

    def _known(self, name: str, names: Iterable[str]) -> None:
        if name not in names:
            what = f"{self._who} look for {name!r}, which {self._where} does not show"
            raise Refusal(f"{what}; {nearest(name, names, 'plane')}")

    def forage(
        self, key: PRNGKeyArray, willing: Bool[Array, "n rows columns"], otherwise: Bool[Array, "n rows columns"]
    ) -> Int[Array, " n"]:
        """Moves to the nearest apple of the `willing`, or where there is none to what is `otherwise` looked for.

        No step leads onto an apple that one is not willing to eat.
        """
        apple = self.plane("apple")
        blocked = self.plane("wall") | self.plane("agent") | (apple & ~willing)
        goal = jnp.where(willing.any((1, 2), keepdims=True), willing, otherwise)
        keys = jax.random.split(key, len(apple))
        return jax.vmap(_step, (0, 0, 0, None))(keys, goal, blocked, self.extent)

    def restrained(self, spare: Int[Array, ""]) -> Bool[Array, "n rows columns"]:
        """Apples with at least `spare` live neighbours."""
        apple = self.plane("apple")
        return apple & (_around(apple) >= spare)


class Enforcer(Learner, Rule):
    """Eats what the law permits, as far as it knows, and strikes whoever in its beam bears a prohibited trace.

    The law is an altar with relative sight, known by its title.  Where the law is not known, it goes to the altar if
    it sees one.  It can be made lax (`zeal` below 1), erratic (`whim`) and fallible (`slip`).
    """

    law: str = size("altar", "the altar it heeds and enforces")
    heir: str = size("", "the altar it heeds from step `turn` on; empty is the same")
    turn: Int[Array, ""] = setting(0, "the step of the change; 0 is never", "ours", "steps", 0)
    sanction: str = size("sanction", "the sanction it strikes with, which must be aware")
    spare: Array = setting(0, "live neighbours that an apple must have to be eaten", "ours", "apples", 0)
    zeal: Array = setting(1.0, "chance to strike, where it could strike a violator", "ours", "per step", 0, 1)
    whim: Array = setting(0.0, "chance to strike, where it could strike only others", "ours", "per step", 0, 1)
    slip: Array = setting(0.0, "chance to go for any apple, whatever the law", "ours", "per step", 0, 1)

    def start(self, mind: Any, situation: Situation) -> Int[Array, ""]:
        return jnp.zeros((), jnp.int32)

    def act(
        self, key: PRNGKeyArray, mind: Any, situation: Situation, seen: Observation, carry: Array
    ) -> tuple[Action, Array]:
        walk, chance = jax.random.split(key)
        eyes = Eyes("enforcers", situation, seen, self.sanction)
        later = (self.turn > 0) & (carry >= self.turn)

        def under(word: str, find: Any) -> Array:
            """What `find` finds under the law of the moment."""
            return jnp.where(later, find(f"{self.heir or self.law}.{word}"), find(f"{self.law}.{word}"))

        draws = jax.random.uniform(chance, (2, situation.agents))
        lawful = under("permitted", eyes.plane) | (draws[0] < self.slip)[:, None, None]
        unknown = under("unknown", eyes.plane).any((1, 2), keepdims=True)
        altar = jnp.where(later, eyes.plane(self.heir or self.law), eyes.plane(self.law))
        move = eyes.forage(walk, eyes.restrained(self.spare) & lawful, unknown & altar)
        guilty = under("trace.prohibited", eyes.target)
        strikes = draws[1] < jnp.where(guilty, self.zeal, jnp.where(eyes.target(), self.whim, 0.0))
        other = {h: jnp.zeros(situation.agents, jnp.int32) for h in situation.actions if h != "move"}
        return {"move": jnp.where(strikes, ZAP, move).astype(jnp.int32), **other}, carry + 1
