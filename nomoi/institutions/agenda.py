"""Agenda: somebody decides what is measured and paid for, and may decide anew (Zhuang & Hadfield-Menell 2020)."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, choice, counted, setting, size
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal
from nomoi.grid import Scene
from nomoi.grid.words import uniform

FIXED, PRINCIPAL, AGENTS, LOT = range(4)


class Memory(eqx.Module):
    """listed [k] what is measured now; done [k] how much of each an agent did of late; clock [] steps so far."""

    listed: Bool[Array, " k"]
    done: Float[Array, " k"]
    clock: Int[Array, ""]


class Agenda(Institution):
    """Of the events `on`, `count` are measured and paid for; every `period` steps it is decided anew which.

    What is paid for is an incomplete proxy: what is not on the agenda is done less and less.  *Who decides* is `by`:
    nobody (fixed, the first ones for good), the principal (those of which one more is worth the most, which is weight /
    amount of late: the utility is the sum of weight x log amount), those who are paid (agents: what they do most), or
    the lot.  To choose anew is one remedy for incomplete proxies (Zhuang & Hadfield-Menell 2020; this form is ours).
    The money comes from outside, as a principal's does.

    needs     the events `on`, [n] or [n, n] (then the row's agent is paid)
    emits     agenda.paid [n] received, in units of reward; agenda.listed [n], agenda.unlisted [n] units done of what is
              on the agenda, and of what is not
    senses    agenda.listed [n, k] what is on it
    memory    listed [k]; done [k] a mean over agents that forgets; clock []

    >>> from nomoi.institutions.agenda import Agenda
    >>> Agenda(on="harvest,clean", weights=[1.0, 2.0]).needs
    ('harvest', 'clean')
    """

    on: str = size("harvest,request", "the events that may be measured, with commas", "ours")
    weights: Float[Array, " k"] = setting(
        [1.0], "how much the principal cares for each event, or for all", "ours", "", 0
    )
    count: int = size(1, "how many are measured at a time", "ours", low=1)
    rate: Float[Array, ""] = setting(1.0, "payment for a unit of what is measured", "ours", "reward/unit", 0)
    period: Int[Array, ""] = setting(20, "steps until it is decided anew", "ours", "steps", 1)
    forgets: Float[Array, ""] = setting(0.05, "share of what was done that is forgotten in a step", "ours", "", 0, 1)
    by: Int[Array, ""] = choice("principal", ("fixed", "principal", "agents", "lot"), "who decides what is measured")

    def __check_init__(self) -> None:
        events = len(self.needs)
        if self.weights.shape[-1:] not in ((1,), (events,)):
            raise Refusal(f"agenda.weights has {self.weights.size} numbers for {events} events ({self.on}); one number "
                          "for each, or for all, would be right.")  # fmt: skip
        if self.count > events:
            raise Refusal(f"agenda.count is {self.count}, and there are {events} events ({self.on}); at most that many "
                          "can be measured.")  # fmt: skip

    @property
    def sentence(self) -> str:
        who = ("for good", "the principal decides anew", "those who are paid decide anew", "a lot decides anew")
        often = "" if int(self.by) == FIXED else f" every {int(self.period)} steps"
        return f"{self.count} of {self.on} measured and paid {float(self.rate):g} a unit: {who[int(self.by)]}{often}."

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.on.split(","))

    def chance(self, situation: Situation) -> str:
        return "what it measures (by=lot)" if (np.asarray(self.by) == LOT).any() else ""

    @property
    def emits(self) -> dict[str, Event]:
        unit = counted(*self.needs)
        return {
            "paid": Event("paid", "[n]", "reward", "received for what is measured", True),
            "listed": Event("listed", "[n]", unit, "done of what is measured", True),
            "unlisted": Event("unlisted", "[n]", unit, "done of what is not measured, and could be", True),
        }

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Memory:
        k = len(self.needs)
        return Memory(jnp.arange(k) < self.count, jnp.zeros(k), jnp.zeros((), jnp.int32))

    def inform(
        self, memory: Memory, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        listed = memory.listed.astype(jnp.float32)
        return {"listed": jnp.broadcast_to(listed, (situation.agents, len(self.needs)))}

    def settle(
        self, key: PRNGKeyArray, memory: Memory, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Memory, State, Outcome]:  # fmt: skip
        units = jnp.stack([outcome.units(event) for event in self.needs])  # [k, n]
        listed = memory.listed.astype(jnp.float32)[:, None] * units
        paid = self.rate * listed.sum(0)
        done, clock = (1 - self.forgets) * memory.done + units.mean(1), memory.clock + 1
        due = clock % self.period == 0
        memory = Memory(jnp.where(due, self._chosen(key, done), memory.listed), done, clock)
        unlisted = (units - listed).sum(0)
        return memory, state, outcome.pay(paid, self, paid=paid, listed=listed.sum(0), unlisted=unlisted)

    def _chosen(self, key: PRNGKeyArray, done: Float[Array, " k"]) -> Bool[Array, " k"]:
        """The events that come first in the eyes of who decides; of equal ones those that are named first."""
        by_principal = self.weights / (jnp.maximum(done, 0.0) + 1e-3)
        wish = jnp.stack([jnp.zeros_like(done), by_principal, done, uniform(key, len(self.needs))])[self.by]
        place = jnp.argsort(jnp.argsort(-wish, stable=True), stable=True)
        return place < self.count
