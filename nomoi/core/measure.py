"""Measure: one named number about an episode.  Situations and institutions declare theirs beside their events.

Every amount that is an event is measured by its sum without a word said about it; what is declared is what a sum does
not tell, such as a share.  `nomoi.measure.measures` puts together all that is measured in a situation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from nomoi.core.events import Event
from nomoi.errors import Refusal

if TYPE_CHECKING:
    from nomoi.core.institution import Institution


class Episode(eqx.Module):
    """Sums over one episode.

    steps []           world steps
    reward [n]         material reward;  transfer [n] what institutions gave or took
    moved, made, burnt []  the accounts of the transfers: what passed between agents, what institutions added, what they
                       took away (see `Outcome`)
    takes, when [n]    in how many steps an agent was rewarded, and the sum of their times
    out [n]            steps out of play
    events             name -> [n] sums, of the doer where an event is between two
    stock [K]          sum over steps of the stock by kind;  least, last, capacity [K]
    """

    steps: Float[Array, ""]
    reward: Float[Array, " n"]
    transfer: Float[Array, " n"]
    moved: Float[Array, ""]
    made: Float[Array, ""]
    burnt: Float[Array, ""]
    takes: Float[Array, " n"]
    when: Float[Array, " n"]
    out: Float[Array, " n"]
    events: dict[str, Float[Array, " n"]]
    stock: Float[Array, " K"]
    least: Float[Array, " K"]
    last: Float[Array, " K"]
    capacity: Float[Array, " K"]

    def sum(self, event: str) -> Float[Array, ""]:
        """How much of an event all agents did together."""
        return self.events[event].sum()

    def share(self, event: str) -> Float[Array, ""]:
        """Of an event that counts steps: the share of agent-time."""
        return ratio(self.events[event].mean(), self.steps)

    def ratio(self, part: str, whole: str) -> Float[Array, ""]:
        """What all did of one event for each unit of another."""
        return ratio(self.sum(part), self.sum(whole))

    def within(self, title: str, own: Collection[str]) -> Episode:
        """The same, in which the events of the institution called `title` go by their `own` names too."""
        mine = {name: self.events[f"{title}.{name}"] for name in own if f"{title}.{name}" in self.events}
        return dataclasses.replace(self, events=self.events | mine)


def ratio(a: Array, b: Array) -> Array:
    """a / b; not defined (NaN) where b is not above zero."""
    return jnp.where(b > 0, a / jnp.where(b > 0, b, 1.0), jnp.nan)


@dataclasses.dataclass(frozen=True)
class Measure:
    """One number about an episode.

    name     what it is called; an institution's is put behind its title: `altar.visits`
    unit, meaning   in words
    of       the number, of an episode; NaN where it is not defined
    needs    events (or *stock*) without which it is not defined.  An institution's own events come first: its
             `paid` is what it emits itself, under whatever title it acts; `levy.paid` and `harvest` are what others do
    covers   those of them that need no row of their own beside it; as well an event of its own name
    alike    whether all events that it needs must be counted in one unit, as a share asks for
    short    what an institution's measure is called where it acts under the name of its class
    """

    name: str
    unit: str
    meaning: str
    of: Callable[[Episode], Array]
    needs: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()
    alike: bool = False
    short: str = ""

    def __post_init__(self) -> None:
        if not (self.name and self.unit and self.meaning):
            raise Refusal(f"the measure {self.name!r} must have a name, a unit and a meaning.")
        if more := set(self.covers) - set(self.needs):
            raise Refusal(f"the measure {self.name!r} covers {min(more)!r}, which it does not need; name it in both.")

    def defined(self, emits: Mapping[str, Event], offers: Collection[str]) -> bool:
        """Whether all that it needs is there, and what must be alike is counted in one unit."""
        units = {emits[need].unit for need in self.needs if need in emits}
        return set(self.needs) <= set(offers) and not (self.alike and len(units) > 1)

    def under(self, institution: Institution) -> Measure:
        """The same of an institution that declares it, under the title by which it acts."""
        if "." in self.name:
            raise Refusal(f"{institution.name} declares the measure {self.name!r}; leave the dot out, its title comes "
                          "before it.")  # fmt: skip
        title, own = institution.name, tuple(institution.emits)
        full = lambda names: tuple(f"{title}.{name}" if name in own else name for name in names)  # noqa: E731
        return dataclasses.replace(
            self, name=f"{title}.{self.name}", of=lambda e: self.of(e.within(title, own)), needs=full(self.needs),
            covers=full(self.covers), short=self.short if institution.untitled else "",
        )  # fmt: skip


def total(name: str, event: Event) -> Measure:
    """An amount by itself: its sum over all agents in an episode."""
    return Measure(name, event.unit, f"{event.meaning}, all agents", lambda e: e.sum(name), (name,), short=event.short)


def compliance(title: str, *others: str, short: str = "") -> Measure:
    """Of what was taken, what was taken without violation; of the institution `title`, which emits *violation*.

    A share needs one unit: it is defined where violations (and the events `others`) are counted as harvests are.
    """
    return Measure(
        "compliance", "share", f"of what was taken, taken as the {title} permits",
        lambda e: 1 - e.ratio("violation", "harvest"), ("violation", "harvest", *others), alike=True, short=short,
    )  # fmt: skip


def declared(institution: Institution) -> tuple[Measure, ...]:
    """What an institution measures, under its title; whoever calls something a violation has a compliance."""
    own = tuple(institution.measures)
    if "violation" in institution.emits and all(m.name != "compliance" for m in own):
        own = (compliance(institution.name), *own)
    return tuple(m.under(institution) for m in own)
