"""Measures: named numbers, with units, of what happened in an episode."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from nomoi.core import Situation


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

    def sum(self, event: str) -> Array:
        return self.events[event].sum()


@dataclasses.dataclass(frozen=True)
class Measure:
    """One number about an episode.  `needs` are events (or *stock*) without which it is not defined; with one of
    `unless` it is not either."""

    name: str
    unit: str
    meaning: str
    of: Callable[[Episode], Array]
    needs: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


def _ratio(a: Array, b: Array) -> Array:
    return jnp.where(b > 0, a / jnp.where(b > 0, b, 1.0), jnp.nan)


def equality(e: Episode) -> Array:
    """1 - Gini of material reward (Perolat et al. 2017): 1 where all have the same, 1 / n where one has everything.

    A share of nothing means nothing: it is not defined where any agent's reward is negative, as the Gini coefficient
    then has no upper bound (Chen, Tsaur & Rhai 1982), nor where nobody has any.
    """
    r, n = e.reward, e.reward.shape[0]
    gaps = jnp.abs(r[:, None] - r[None, :]).sum()
    return jnp.where((r >= 0).all(), 1 - _ratio(gaps, 2 * n * r.sum()), jnp.nan)


def sustainability(e: Episode) -> Array:
    """Mean over agents of the mean time of their rewarded steps; the whole length for who never took anything."""
    return jnp.where(e.takes > 0, e.when / jnp.maximum(e.takes, 1.0), e.steps).mean()


def peace(e: Episode) -> Array:
    """Agents in play, averaged over time (Perolat et al. 2017; at most n)."""
    return _ratio(e.reward.shape[0] * e.steps - e.out.sum(), e.steps)


_PEROLAT = "Perolat et al. 2017, on material reward"
ALL = (
    Measure("harvest", "units", "taken from the commons, all agents", lambda e: e.sum("harvest"), ("harvest",)),
    Measure("reward", "reward", "earned from the world (material reward), all agents", lambda e: e.reward.sum()),
    Measure("moved", "reward", "moved from agents to other agents by institutions", lambda e: e.moved),
    Measure("made", "reward", "given to agents by institutions, out of nothing", lambda e: e.made),
    Measure("burnt", "reward", "taken from agents by institutions, and given to nobody", lambda e: e.burnt),
    Measure("payoff", "reward", "what agents end with: reward + made - burnt, all agents",
            lambda e: (e.reward + e.transfer).sum()),
    Measure("efficiency", "reward/step", _PEROLAT, lambda e: _ratio(e.reward.sum(), e.steps)),
    Measure("equality", "0..1", f"1 - Gini; {_PEROLAT}", equality),
    Measure("sustainability", "step", f"mean time of a reward; {_PEROLAT}", sustainability),
    Measure("peace", "agents", f"agents in play; {_PEROLAT}", peace),
    Measure("removed", "share", "agent-time out of play", lambda e: _ratio(e.out.mean(), e.steps)),
    Measure(
        "stock", "share", "mean stock, of capacity",
        lambda e: _ratio(e.stock.sum(), e.steps * e.capacity.sum()), ("stock",),
    ),
    Measure("left", "share", "stock at the end, of capacity", lambda e: e.last.sum() / e.capacity.sum(), ("stock",)),
    Measure(
        "depletion", "share", "kinds whose stock was ever gone",
        lambda e: (e.least <= 0).astype(jnp.float32).mean(), ("stock",),
    ),
    Measure("sparse", "units", "taken where little was left around", lambda e: e.sum("sparse"), ("sparse",)),
    Measure("shots", "shots", "beams fired, all agents", lambda e: e.sum("shot"), ("shot",)),
    Measure("cleaned", "units", "dirt removed, all agents", lambda e: e.sum("clean"), ("clean",)),
    Measure("freeriding", "share", "of what was taken, by who had not contributed for long",
            lambda e: _ratio(e.sum("freeride"), e.sum("harvest")), ("freeride", "harvest")),
    Measure("externality", "reward", "what all acts together gave to others than who acted",
            lambda e: e.sum("externality"), ("externality",)),
    Measure("defection", "share", "choices that were defections",
            lambda e: _ratio(e.events["defect"].mean(), e.steps), ("defect",)),
    Measure("levied", "reward", "paid to the levy, all agents", lambda e: e.sum("levy.paid"), ("levy.paid",)),
    Measure("bound", "share", "steps under a signed contract",
            lambda e: _ratio(e.events["contract.bound"].mean(), e.steps), ("contract.bound",)),
    Measure("contracted", "reward", "paid under the contract", lambda e: e.sum("contract.paid"), ("contract.paid",)),
    Measure("given", "reward", "given to others as gifts", lambda e: e.sum("gift.given"), ("gift.given",)),
    Measure("taxed", "reward", "paid in tax, all agents", lambda e: e.sum("tax.paid"), ("tax.paid",)),
    Measure("spent", "reward", "paid by the principal, from outside", lambda e: e.sum("principal.paid"),
            ("principal.paid",)),
    Measure("mediated", "share", "agent-time in which the mediator acted",
            lambda e: _ratio(e.events["mediator.acted"].mean(), e.steps), ("mediator.acted",)),
    Measure("yielded", "cars", "behind the ambulance when it merged", lambda e: e.sum("yielded"), ("yielded",)),
    Measure("poisoned", "share", "agent-time under the poison",
            lambda e: _ratio(e.events["sick"].mean(), e.steps), ("sick",)),
    Measure("poison", "units", "poisonous berries eaten", lambda e: e.sum("poison"), ("poison",)),
    Measure("silly", "units", "berries eaten of the harmless kind that may be forbidden", lambda e: e.sum("silly"),
            ("silly",)),
    Measure("taboo", "units", "taken against the taboo", lambda e: e.sum("taboo.violation"), ("taboo.violation",)),
    Measure("marked", "share", "agent-time marked by the taboo",
            lambda e: _ratio(e.events["taboo.marked"].mean(), e.steps), ("taboo.marked",)),
    Measure("seized", "share", "of the steps in which one could strike a violator, those in which one fired",
            lambda e: _ratio(e.sum("sanction.seized"), e.sum("sanction.ripe")), ("sanction.ripe",)),
    Measure("strayed", "share", "of the steps in which one could strike only others, those in which one fired",
            lambda e: _ratio(e.sum("sanction.strayed"), e.sum("sanction.idle")), ("sanction.idle",)),
    Measure("compliance", "share", "of what was taken, taken as the altar permits",
            lambda e: 1 - _ratio(e.sum("altar.violation"), e.sum("harvest")),
            ("altar.violation", "harvest"), ("worn",)),
    Measure("visits", "/100 steps", "arrivals at the altar, an agent",
            lambda e: 100 * _ratio(e.events["altar.visit"].mean(), e.steps), ("altar.visit",)),
    Measure("informed", "share", "agent-time with the true content in mind",
            lambda e: _ratio(e.events["altar.right"].mean(), e.steps), ("altar.right",)),
    Measure("heard", "share", "of the altar's changes, those that somebody read within 50 steps",
            lambda e: _ratio(e.sum("altar.heard"), e.sum("altar.switch")), ("altar.heard", "altar.switch")),
    Measure("ban", "share", "steps in which everything was forbidden",
            lambda e: _ratio(e.events["altar.ban"].mean(), e.steps), ("altar.ban",)),
    Measure("correct", "hits", "hits on violators", lambda e: e.sum("sanction.correct"), ("sanction.correct",)),
    Measure("wrong", "hits", "hits on others", lambda e: e.sum("sanction.wrong"), ("sanction.wrong",)),
    Measure("precision", "share", "of hits, on violators",
            lambda e: _ratio(e.sum("sanction.correct"), e.sum("sanction.correct") + e.sum("sanction.wrong")),
            ("sanction.correct",)),
    Measure("recall", "share", "correct hits per violation",
            lambda e: _ratio(e.sum("sanction.correct"), e.sum("altar.violation")),
            ("sanction.correct", "altar.violation")),
    Measure("planted", "bushes", "bushes given another colour", lambda e: e.sum("planted"), ("planted",)),
    Measure("monoculture", "share", "bushes of the most common colour, at the end",
            lambda e: e.last.max() / e.last.sum(), ("planted", "stock")),
    Measure("accord", "share", "bushes of the colour most common over the episode, averaged over time",
            lambda e: _ratio(e.stock.max(), e.stock.sum()), ("planted", "stock")),
    Measure("violations", "/1000 steps", "steps in the wrong colour, of 1000 steps in play",
            lambda e: 1000 * _ratio(e.sum("altar.violation"), e.sum("worn")), ("altar.violation", "worn")),
    Measure("struck", "hits", "sanctions received, an agent",
            lambda e: e.events["sanction.struck"].mean(), ("sanction.struck", "worn")),
)  # fmt: skip


def measures(situation: Situation) -> dict[str, Measure]:
    """The measures that are defined on a situation, by name."""
    offers = situation.offers
    return {m.name: m for m in ALL if set(m.needs) <= offers and not set(m.unless) & offers}
