"""Chronicle: a public record of who was sanctioned and who was spared (Vinitsky et al. 2023)."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, setting, size
from nomoi.core.situation import Action, Observation, State
from nomoi.grid import Scene
from nomoi.institutions.authority import candidates
from nomoi.institutions.marks import Marks


class Memory(eqx.Module):
    """What is written.  Ground 0 is anybody at all, then come the kinds, then the institutions.

    marks                what each agent last took, and how long ago
    chance [n, G]        before the step, it could strike somebody to whom the ground applies
    latest [n, 2, G]     of such chances in the last step: taken, passed over
    so_far [n, 2, G]     the same, summed over the episode
    """

    marks: Marks
    chance: Bool[Array, "n G"]
    latest: Float[Array, "n 2 G"]
    so_far: Float[Array, "n 2 G"]


class Chronicle(Institution):
    """Publishes every chance to sanction, whether it was taken, and what there was to sanction somebody for.

    A chance is an agent whose beam is ready and has somebody in it; firing is disapproval, not firing approval
    (Vinitsky et al. 2023).  Written beside it is what those in the beam bore just before: the kind that they last
    took, and whether each institution `among` those that classify holds a violation against them.  Everybody
    reads what the others did; the own choices are left out, since nobody learns a norm from itself.

    It should act after whatever removes agents, so that nobody who is gone counts as spared.

    needs     the events `on` and `of`, shot; aim; for each institution `among`, its event marked
    emits     chronicle.chance [n] could have struck somebody; chronicle.fired [n] did so
    senses    chronicle.latest [n, 2 G] chances of others in the last step, first those taken, then those passed over:
              against anybody, against bearers of each kind, against violators under each institution;
              chronicle.rate [n, G] share taken of all such chances of others in the episode so far, 0 where none
    memory    see Memory
    """

    among: str = size("", "the institutions whose verdicts are written down, with commas", "ours")
    on: str = size("harvest", "the event that leaves a trace", "ours")
    of: str = size("kind", "the event that says of which kind it was", "ours")
    span: Int[Array, ""] = setting(20, "steps for which a trace is visible", "ours", "steps", 0, 98)

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.on, self.of, "shot", "aim", *(f"{name}.marked" for name in candidates(self.among)))

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "chance": Event("chance", "[n]", "steps", "could have struck somebody", True),
            "fired": Event("fired", "[n]", "steps", "could have struck somebody, and fired", True),
        }

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Memory:
        n, kinds = situation.agents, len(situation.kinds)
        grounds = 1 + kinds + len(candidates(self.among))
        none = jnp.zeros((n, 2, grounds))
        return Memory(Marks.blank(n, kinds), jnp.zeros((n, grounds), bool), none, none)

    def settle(
        self, key: PRNGKeyArray, memory: Memory, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Memory, State, Outcome]:  # fmt: skip
        fired = outcome.events["shot"] > 0
        latest = jnp.stack([memory.chance & fired[:, None], memory.chance & ~fired[:, None]], 1).astype(jnp.float32)

        did, kind = outcome.events[self.on] > 0, outcome.events[self.of]
        marks = memory.marks.judge(did, did, kind, self.span, jnp.array(False))
        if "zap" in outcome.events:
            marks = marks.clear((outcome.events["zap"] > 0).any(0))
        bears = marks.visible(self.span)[:, None] & (marks.trace[:, None] == np.arange(marks.none))
        guilty = [outcome.events[f"{name}.marked"][:, None] > 0 for name in candidates(self.among)]
        grounds = jnp.concatenate([jnp.ones((situation.agents, 1), bool), bears, *guilty], 1)
        chance = (situation.aim(state)[:, :, None] & grounds[None]).any(1)

        facts = {"chance": latest[:, :, 0].sum(1), "fired": latest[:, 0, 0]}
        memory = Memory(marks, chance, latest, memory.so_far + latest)
        return memory, state, outcome.note(self, **facts)

    def inform(
        self, memory: Memory, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        n = situation.agents
        latest, so_far = (_others(doings) for doings in (memory.latest, memory.so_far))
        seen = so_far.sum(1)
        rate = jnp.where(seen > 0, so_far[:, 0] / jnp.maximum(seen, 1.0), 0.0)
        return {"latest": latest.reshape(n, -1), "rate": rate}


def _others(doings: Float[Array, "n 2 G"]) -> Float[Array, "n 2 G"]:
    """What all others did, for each agent."""
    return doings.sum(0) - doings
