"""Vote: agents choose together how high a levy shall be (collective choice; Ostrom's third principle)."""

from __future__ import annotations

from collections.abc import Mapping

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Measure, Outcome, Situation, choice, setting, size, unit_of
from nomoi.core.saying import number
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal
from nomoi.grid import Scene
from nomoi.institutions.levy import SHARED, charge
from nomoi.institutions.sittings import Sittings

MAJORITY, PLURALITY, MEDIAN = range(3)


class Ballot(eqx.Module):
    """place [] which of the rates binds; sittings, when agents convene to vote."""

    place: Int[Array, ""]
    sittings: Sittings


class Vote(Institution):
    """Agents vote on which of several rates a levy on `on` has; what it brings in is shared equally among all.

    They vote before play, while the world stands still, and anew every `period` steps, by what they answered in the
    last of them.  *majority*: the rate for which more than half voted, else the rate stays as it is, at first
    rates[0]; *plurality*: the one with most votes, of several the first; *median*: the lower median of the votes, by
    their places in `rates`: where each has one best rate nobody gains from voting for another (Black 1948).

    needs     the event `on`, [n] or [n, n] (then the row's agent pays)
    heads     vote.rate, one of the rates, from 0
    emits     vote.paid [n], in units of reward; vote.rate [n] the rate that bound
    senses    vote.rates [n, 2]: the rate that binds / the largest, and whether a vote is held now
    memory    see Ballot

    >>> from nomoi import govern
    >>> from nomoi.institutions.vote import Vote
    >>> from nomoi.situations.harvest import Harvest
    >>> govern(Harvest(), Vote(rates=[0, 1, 2, 3])).actions
    {'move': 8, 'vote.rate': 4}
    """

    on: str = size("sparse", "the event that is charged", "ours, the levy's")
    rates: Float[Array, " k"] = setting([0.0, 1.0, 2.0], "the rates to choose from", "ours", "reward/unit")
    rule: Array = choice("majority", ("majority", "plurality", "median"), "how votes make a choice", "ours")
    period: Int[Array, ""] = setting(0, "steps after which agents vote anew; 0 is never", "ours", "steps", 0)

    def __check_init__(self) -> None:
        if self.rates.ndim != 1 or self.rates.size < 2:
            raise Refusal(f"vote.rates is {np.asarray(self.rates).tolist()}; a list of at least two makes a choice.")

    @property
    def sentence(self) -> str:
        rule = ("majority", "plurality", "the median vote")[int(self.rule)]
        rates = ", ".join(f"{float(r):g}" for r in self.rates)
        return f"By {rule} agents choose what a {unit_of(self.on)} costs ({rates}); what is paid is shared equally."

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.on,)

    def heads(self, situation: Situation) -> dict[str, int]:
        return {"rate": self.rates.size}

    def chance(self, situation: Situation) -> str:
        return ""

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "paid": Event("paid", "[n]", "reward", "paid to the levy", True),
            "rate": Event("rate", "[n]", "reward/unit", "the rate that bound", True),
        }

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (
            Measure("rate", "reward/unit", "the rate that bound, mean over time", lambda e: e.share("rate"), ("rate",)),
        )

    def choices(self, situation: Situation) -> dict[str, tuple[str, ...]]:
        return {"rate": tuple(map(number, self.rates))}

    def answered(self, situation: Situation, head: str, label: str) -> str:
        return f"votes for a charge of {label} on each unit of {self.on}"

    def words(self, situation: Situation, seen: Mapping[str, np.ndarray]) -> str:
        rate, due = map(float, seen["rates"])
        held = " A vote is held now." if due else ""
        return f"A {unit_of(self.on)} costs {number(rate * float(abs(np.asarray(self.rates)).max()))}.{held}"

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Ballot:
        return Ballot(jnp.zeros((), jnp.int32), Sittings.first())

    def holds(self, memory: Ballot) -> Bool[Array, ""]:
        return memory.sittings.open

    def asked(self, memory: Ballot, present: Bool[Array, " n"]) -> dict[str, Bool[Array, " n"]]:
        return {"rate": present & memory.sittings.due(self.period)}

    def inform(
        self, memory: Ballot, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        rate = self.rates[memory.place] / jnp.maximum(jnp.abs(self.rates).max(), 1e-6)
        news = jnp.stack([rate, memory.sittings.due(self.period).astype(jnp.float32)])
        return {"rates": jnp.broadcast_to(news, (situation.agents, 2))}

    def settle(
        self, key: PRNGKeyArray, memory: Ballot, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Ballot, State, Outcome]:  # fmt: skip
        rate = jnp.where(memory.sittings.open, 0.0, self.rates[memory.place])
        outcome, _ = charge(outcome, rate * outcome.units(self.on), SHARED, self)
        outcome = outcome.note(self, rate=jnp.full(situation.agents, rate))

        due = memory.sittings.due(self.period)
        place = jnp.where(due, self.count(self.said(tried, "rate"), memory.place), memory.place)
        return Ballot(place, memory.sittings.after(self.period)), state, outcome

    def count(self, votes: Int[Array, " n"], standing: Int[Array, ""]) -> Int[Array, ""]:
        """The rate (its place) that votes [n] make, where `standing` is the one that stands."""
        tally = (votes[:, None] == np.arange(self.rates.size)).sum(0)
        most = tally.argmax().astype(jnp.int32)
        majority = jnp.where(2 * tally.max() > len(votes), most, standing)
        median = jnp.sort(votes)[(len(votes) - 1) // 2]
        return jnp.where(self.rule == MAJORITY, majority, jnp.where(self.rule == PLURALITY, most, median))
