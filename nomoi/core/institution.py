"""Institution: a chainable, stateful, pure transformation of situations.

It is to a situation what an optimiser's transformation is to a gradient.  The hooks follow Ostrom's rule
types; each defaults to the identity, so an institution writes down only what it changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core.events import Event
from nomoi.core.measure import Measure
from nomoi.core.saying import features
from nomoi.core.settings import Rule, setting, size
from nomoi.core.situation import Action, Observation, Outcome, Situation, State
from nomoi.grid.scene import Scene

Memory = Any


class Institution(Rule):
    """Rules that people add to a situation.  Override only the hooks that the institution touches."""

    in_force: Array = setting(True, "whether it is in force at all; where not, `govern` makes it the identity")
    title: str = size("", "the name it acts under, where two of a kind govern one situation; else its class name")

    least: ClassVar[int] = 1  # agents that it takes

    @property
    def name(self) -> str:
        """The name under which it acts, and the first word of its heads, events and features."""
        return self.title or type(self).__name__.lower()

    @property
    def untitled(self) -> bool:
        """Whether it acts under the name of its class; what it measures then goes by short names."""
        return self.name == type(self).__name__.lower()

    @property
    def sentence(self) -> str:
        """What it does, in one sentence for a report; by default the first of its card."""
        card = " ".join((type(self).__doc__ or "").split("\n\n")[0].split())
        return card.split(". ")[0].rstrip(".") + "."

    def says(self, situation: Situation) -> str:
        """Its sentence where it is known whom it governs: how many there are, say."""
        return self.sentence

    @property
    def needs(self) -> tuple[str, ...]:
        """Events and abilities (*stock*, *scene*, *aim*, *remove*) that it reads; checked by `govern`."""
        return ()

    @property
    def emits(self) -> dict[str, Event]:
        """The events that it adds, named without the institution's own name."""
        return {}

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What is measured beside the sums of its events, named without the institution's own name."""
        return ()

    def fits(self, situation: Situation) -> None:
        """Refuse, in a sentence, what it cannot govern; called by `govern` once its needs are met.

        `situation` is with the institutions before this one, whose events are among those that it `emits`.
        """

    def chance(self, situation: Situation) -> str:
        """What it leaves to chance there, in words; empty where nothing it does depends on a key."""
        return "what it does not declare"

    def heads(self, situation: Situation) -> dict[str, int]:
        """Choices that it asks of agents (boundary and choice rules): head -> number of choices."""
        return {}

    def choices(self, situation: Situation) -> dict[str, tuple[str, ...]]:
        """The choices of its heads in words; by default no and yes where there are two, else their numbers."""
        heads = self.heads(situation)
        return {head: ("no", "yes") if k == 2 else tuple(map(str, range(k))) for head, k in heads.items()}

    def answered(self, situation: Situation, head: str, label: str) -> str:
        """What who chose `label`, one of `choices`, at a head of its own did, in words that follow a name."""
        return f"answers {label} to {self.name}.{head}"

    def words(self, situation: Situation, seen: Mapping[str, Any]) -> str:
        """What it tells one agent, in words: the features {name: array} of `inform`; by default each has a line."""
        return features({f"{self.name}.{name}": values for name, values in seen.items()})

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Memory:
        """Its own state at the start of an episode."""
        return ()

    def holds(self, memory: Memory) -> Bool[Array, ""]:
        """Whether it convenes: the world stands still and only the institution's heads are asked."""
        return jnp.array(False)

    def asked(self, memory: Memory, present: Bool[Array, " n"]) -> dict[str, Bool[Array, " n"]]:
        """Whose answers to its heads matter now; by default everybody's who is in play."""
        return {}

    def permit(self, memory: Memory, situation: Situation, state: State, action: Action) -> Action:
        """Forbid or override answers to the situation's heads {head: [n]} before the world sees them."""
        return action

    def layers(self, memory: Memory, scene: Scene) -> Scene:
        """Put its marks into the visible world."""
        return scene

    def board(self, situation: Situation) -> tuple[str, ...]:
        """The lines that it can have on display, for films; a line that begins with "hidden" is displayed nowhere.

        Where the k-th is about the k-th kind alone, films show it in that kind's colour.
        """
        return ()

    def posted(self, memory: Memory) -> Int[Array, ""]:
        """Which line of `board` is on display now."""
        return jnp.zeros((), jnp.int32)

    def inform(
        self, memory: Memory, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        """Publish, display or hide: features [n, ...] to add to what agents sense, named without its own name."""
        return {}

    def said(self, tried: Action, head: str) -> Int[Array, " n"]:
        """What all answered to a head of its own: `self.said(tried, "sign")` is `tried["contract.sign"]`."""
        return tried[f"{self.name}.{head}"]

    def settle(
        self, key: PRNGKeyArray, memory: Memory, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Memory, State, Outcome]:  # fmt: skip
        """After the world's step: monitor, move payoffs, punish, amend.

        `tried` is all that agents answered, {head: [n]}: to the situation's heads under their names, to an
        institution's as `name.head` (to the own ones see `said`).  `action` is what was let through: the situation's
        heads alone, after every `permit`; while an institution convenes the world does nothing with it.
        """
        return memory, state, outcome

    def annuls(self, memory: Memory, other: Institution) -> Bool[Array, ""]:
        """Whether it annuls an institution before it now; that one is then what it calls `annulled`."""
        return jnp.array(False)

    @property
    def annulled(self) -> Institution:
        """What is left of it while another annuls it: by default it is not in force."""
        return eqx.tree_at(lambda i: i.in_force, self, jnp.array(False))

    def at(self, progress: Float[Array, ""]) -> Institution:
        """The institution at a moment of training (0 to 1)."""
        return self
