"""Rotation: the commons is used in turn (irrigators have shared water like this for a thousand years; Ostrom 1990)."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, setting, size
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal, nearest
from nomoi.grid import Scene
from nomoi.institutions.units import column


class Turns(eqx.Module):
    """place [n] in the queue, 0 first; left [] steps until it moves up."""

    place: Int[Array, " n"]
    left: Int[Array, ""]


class Rotation(Institution):
    """While it is not one's turn, the own answer to `head` is taken to be 0, nothing.

    Turns go round in the order of the agents, `together` of them at once, as in the huertas of Valencia (Ostrom 1990).
    It needs no payment and no punishment, and it wastes what those on turn leave unused.

    needs     the event harvest
    emits     rotation.turn [n] steps in which it was one's turn
    senses    rotation.turn [n, 1] whether it is one's turn
    memory    see Turns

    >>> from nomoi import govern
    >>> from nomoi.institutions.rotation import Rotation
    >>> from nomoi.situations.pool import Pool
    >>> "rotation.turn" in govern(Pool(), Rotation()).emits
    True
    """

    least = 2

    head: str = size("", "the choice that only those on turn have; the first one where none is named", "ours")
    length: Int[Array, ""] = setting(5, "how long a turn is", "ours", "steps", 1)
    together: Int[Array, ""] = setting(1, "how many are on turn at once", "ours", "agents", 1)

    @property
    def sentence(self) -> str:
        length = "one step" if int(self.length) == 1 else f"{int(self.length)} steps"
        return f"The commons is used in turn, {int(self.together)} at once, for {length} each."

    @property
    def needs(self) -> tuple[str, ...]:
        return ("harvest",)

    def fits(self, situation: Situation) -> None:
        if not isinstance(self.together, Tracer) and (np.asarray(self.together) > situation.agents).any():
            raise Refusal(
                f"{self.name}.together is {int(np.max(self.together))}, and {situation.name} has {situation.agents} "
                f"agents; {situation.agents - 1} or fewer take turns."
            )
        if self.head and self.head not in situation.actions:
            raise Refusal(f"{self.name}.head is {self.head!r}; {nearest(self.head, situation.actions, 'choice')}")

    @property
    def emits(self) -> dict[str, Event]:
        return {"turn": Event("turn", "[n]", "steps", "had the right to harvest", True)}

    def chance(self, situation: Situation) -> str:
        return ""

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Turns:
        return Turns(jnp.asarray(np.arange(situation.agents), jnp.int32), self.length)

    def on_turn(self, memory: Turns) -> Bool[Array, " n"]:
        """Whose turn it is."""
        return memory.place < self.together

    def permit(self, memory: Turns, situation: Situation, state: State, action: Action) -> Action:
        head = self.head or next(iter(situation.actions))
        return action | {head: jnp.where(self.on_turn(memory), action[head], 0)}

    def inform(
        self, memory: Turns, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        return {"turn": column(self.on_turn(memory))}

    def settle(
        self, key: PRNGKeyArray, memory: Turns, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Turns, State, Outcome]:  # fmt: skip
        over = memory.left <= 1
        place = jnp.where(over, (memory.place - self.together) % situation.agents, memory.place)
        after = Turns(place, jnp.where(over, self.length, memory.left - 1))
        return after, state, outcome.note(self, turn=self.on_turn(memory))
