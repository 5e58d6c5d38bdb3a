"""Measures: named numbers, with units, of what happened in an episode.

What is measured in a situation is put together here: what can be said of any (`GENERAL`), what the situation and its
institutions declare beside their events, and the sum of every event that is an amount.
"""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
from jaxtyping import Array

from nomoi.core import Situation
from nomoi.core.measure import Episode, Measure, ratio, total
from nomoi.errors import Refusal


def equality(e: Episode) -> Array:
    """1 - Gini of material reward (Perolat et al. 2017): 1 where all have the same, 1 / n where one has everything.

    A share of nothing means nothing: it is not defined where any agent's reward is negative, as the Gini coefficient
    then has no upper bound (Chen, Tsaur & Rhai 1982), nor where nobody has any.
    """
    r, n = e.reward, e.reward.shape[0]
    gaps = jnp.abs(r[:, None] - r[None, :]).sum()
    return jnp.where((r >= 0).all(), 1 - ratio(gaps, 2 * n * r.sum()), jnp.nan)


def sustainability(e: Episode) -> Array:
    """Mean over agents of the mean time of their rewarded steps; the whole length for who never took anything."""
    return jnp.where(e.takes > 0, e.when / jnp.maximum(e.takes, 1.0), e.steps).mean()


def peace(e: Episode) -> Array:
    """Agents in play, averaged over time (Perolat et al. 2017; at most n)."""
    return ratio(e.reward.shape[0] * e.steps - e.out.sum(), e.steps)


_PEROLAT = "Perolat et al. 2017, on material reward"
GENERAL = (
    Measure("harvest", "units", "taken from the commons, all agents", lambda e: e.sum("harvest"), ("harvest",),
            covers=("harvest",)),
    Measure("reward", "reward", "earned from the world (material reward), all agents", lambda e: e.reward.sum()),
    Measure("moved", "reward", "moved from agents to other agents by institutions", lambda e: e.moved),
    Measure("made", "reward", "given to agents by institutions, out of nothing", lambda e: e.made),
    Measure("burnt", "reward", "taken from agents by institutions, and given to nobody", lambda e: e.burnt),
    Measure("payoff", "reward", "what agents end with: reward + made - burnt, all agents",
            lambda e: (e.reward + e.transfer).sum()),
    Measure("efficiency", "reward/step", _PEROLAT, lambda e: ratio(e.reward.sum(), e.steps)),
    Measure("equality", "0..1", f"1 - Gini; {_PEROLAT}", equality),
    Measure("sustainability", "step", f"mean time of a reward; {_PEROLAT}", sustainability),
    Measure("peace", "agents", f"agents in play; {_PEROLAT}", peace),
    Measure("removed", "share", "agent-time out of play", lambda e: ratio(e.out.mean(), e.steps)),
    Measure("stock", "share", "mean stock, of capacity", lambda e: ratio(e.stock.sum(), e.steps * e.capacity.sum()),
            ("stock",)),
    Measure("left", "share", "stock at the end, of capacity", lambda e: e.last.sum() / e.capacity.sum(), ("stock",)),
    Measure("depletion", "share", "kinds whose stock was ever gone",
            lambda e: (e.least <= 0).astype(jnp.float32).mean(), ("stock",)),
    Measure("defection", "share", "choices that were defections", lambda e: e.share("defect"), ("defect",),
            covers=("defect",)),
)  # fmt: skip


def measures(situation: Situation) -> dict[str, Measure]:
    """All that is measured in a situation, by name: what is general, what is declared, and then sums of events.

    What the world measures keeps its name whoever governs it; an institution's takes its short name where that is
    free, else `title.name`.  An event has a row of its own unless a measure covers it or bears its name.
    """
    emits, offers = situation.emits, situation.offers
    general = [m for m in GENERAL if m.defined(emits, offers)]
    special = [m for m in situation.measures if m.defined(emits, offers)]
    covered = {event for m in (*general, *special) for event in m.covers} | {m.name for m in special}
    sums = [total(name, event) for name, event in emits.items() if event.good and name not in covered]

    every, names = (*general, *special, *sums), {}
    for m in sorted(every, key=lambda m: "." in m.name):  # the world's first
        longer = m.name if "." in m.name else f"{situation.name}.{m.name}"
        free = [name for name in (m.short, m.name, longer) if name and name not in names]
        if not free:
            raise Refusal(f"{situation.name} has two measures called {m.name!r}; give one of them another name.")
        names[free[0]] = m
    called = {id(m): name for name, m in names.items()}
    return {called[id(m)]: dataclasses.replace(m, name=called[id(m)]) for m in every}


__all__ = ["GENERAL", "Episode", "Measure", "equality", "measures"]
