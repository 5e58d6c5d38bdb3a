"""Assembly: those who live under a rule change it (collective choice; Ostrom 1990, her third principle)."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, setting
from nomoi.core.situation import Action, Observation, State
from nomoi.grid import Scene
from nomoi.institutions.units import column, members, within

DOWN, STAY, UP = range(3)


class Sessions(eqx.Module):
    """factor [n] by which the rule of one's own unit was moved so far; moved [n] -1, 0 or 1, the last decision.

    voters [n] who has a vote; clock [] steps since the last meeting, and due [] whether the next step ends with one
    """

    factor: Float[Array, " n"]
    moved: Float[Array, " n"]
    voters: Bool[Array, " n"]
    clock: Int[Array, ""]
    due: Bool[Array, ""]


class Assembly(Institution):
    """Every `period` steps the members of each unit vote whether they may take less, as much, or more.

    The side with more votes moves the rule of its unit by `step`; a tie, or no wish for a change, leaves it.  It is for
    a quota after it to go by that.  They need not convene: the world goes on while they vote.  A meeting costs each
    member `fee`.

    needs     nothing
    heads     assembly.vote (0 less, 1 as much, 2 more)
    emits     assembly.moved [n] -1, 0 or 1; assembly.factor [n] by which the rule of the own unit is moved by now, 0
              for strangers; assembly.cost [n] paid for the meeting, in units of reward
    senses    assembly.due [n, 1] whether a vote counts in this step;  assembly.moved [n, 1] the last decision;
              assembly.factor [n, 1]
    memory    see Sessions

    >>> from nomoi import govern
    >>> from nomoi.institutions.assembly import Assembly
    >>> from nomoi.situations.pool import Pool
    >>> govern(Pool(), Assembly()).actions
    {'request': 13, 'assembly.vote': 3}
    """

    period: Int[Array, ""] = setting(3, "steps from one meeting to the next", "ours", "steps", 1)
    step: Float[Array, ""] = setting(0.2, "how far a decision moves the rule", "ours", "log", 0)
    lowest: Float[Array, ""] = setting(0.1, "least factor that can be decided", "ours", "", 0, 1)
    highest: Float[Array, ""] = setting(5.0, "largest factor that can be decided", "ours", "", 1)
    fee: Float[Array, ""] = setting(0.1, "what a meeting costs each member", "ours", "reward", 0)

    @property
    def sentence(self) -> str:
        return f"Every {int(self.period)} steps the members vote whether they may take less, as much or more."

    def heads(self, situation: Situation) -> dict[str, int]:
        return {"vote": 3}

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "moved": Event("moved", "[n]", "decisions", "the rule of the own unit went down (-1) or up (1)"),
            "factor": Event("factor", "[n]", "shares", "by which the rule of the own unit is moved"),
            "cost": Event("cost", "[n]", "reward", "paid for meetings", True),
        }

    def chance(self, situation: Situation) -> str:
        return ""

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Sessions:
        voters = jnp.asarray(members(situation))
        return Sessions(voters, 0 * voters, voters > 0, jnp.zeros((), jnp.int32), jnp.asarray(self.period == 1))

    def asked(self, memory: Sessions, present: Bool[Array, " n"]) -> dict[str, Bool[Array, " n"]]:
        return {"vote": present & memory.voters & memory.due}

    def inform(
        self, memory: Sessions, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        due = memory.voters & memory.due
        return {"due": column(due), "moved": column(memory.moved), "factor": column(memory.factor)}

    def settle(
        self, key: PRNGKeyArray, memory: Sessions, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Sessions, State, Outcome]:  # fmt: skip
        votes = (self.said(tried, "vote") - STAY).astype(jnp.float32) * memory.voters.astype(jnp.float32)
        moved = jnp.where(memory.due, jnp.sign(within(situation, votes)), 0.0)
        factor = jnp.clip(memory.factor * jnp.exp(self.step * moved), self.lowest, self.highest)
        factor = jnp.where(memory.voters, factor, 0.0)
        cost = jnp.where(memory.voters & memory.due, self.fee, 0.0)
        clock = jnp.where(memory.due, 0, memory.clock + 1)
        after = Sessions(
            factor, jnp.where(memory.due, moved, memory.moved), memory.voters, clock, clock + 1 >= self.period
        )
        return after, state, outcome.pay(-cost, self, moved=moved, factor=factor, cost=cost)
