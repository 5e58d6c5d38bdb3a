"""Ledgers: what must be written down during an episode so that it can be measured afterwards."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from nomoi.core import Outcome, Situation
from nomoi.core.govern import choose
from nomoi.core.measure import Episode
from nomoi.core.situation import State
from nomoi.measure.measures import measures


class Ledger(eqx.Module):
    """Running sums of one episode of one world (see `Episode` for their meaning)."""

    episode: Episode

    @classmethod
    def open(cls, situation: Situation, state: State) -> Ledger:
        """An empty ledger."""
        n, kinds = situation.agents, len(situation.kinds)
        zero, none = jnp.zeros(()), jnp.zeros(n)
        stock = situation.stock(state) if kinds else jnp.zeros(0)
        totals = {name: none for name, event in situation.emits.items() if event.good}
        capacity = situation.capacity() if kinds else jnp.zeros(0)
        episode = Episode(
            steps=zero, reward=none, transfer=none, moved=zero, made=zero, burnt=zero, takes=none, when=none, out=none,
            events=totals, stock=jnp.zeros(kinds), least=stock, last=stock, capacity=capacity,
        )  # fmt: skip
        return cls(episode)

    def add(self, situation: Situation, state: State, outcome: Outcome, turn: Int[Array, ""]) -> Ledger:
        """The ledger after one more step, which led to `state`; `turn` counts the world's steps."""
        e = self.episode
        steps = turn.astype(jnp.float32)
        played = (steps > e.steps).astype(jnp.float32)  # 0 while an institution convened
        took = (outcome.reward > 0).astype(jnp.float32)
        stock = situation.stock(state) if situation.kinds else jnp.zeros(0)
        totals = {name: total + _by_doer(outcome.events[name]) for name, total in e.events.items()}
        episode = Episode(
            steps=steps,
            reward=e.reward + outcome.reward,
            transfer=e.transfer + outcome.transfer,
            moved=e.moved + outcome.moved,
            made=e.made + outcome.made,
            burnt=e.burnt + outcome.burnt,
            takes=e.takes + took,
            when=e.when + took * steps,
            out=e.out + played * (~situation.present(state)).astype(jnp.float32),
            events=totals,
            stock=e.stock + played * stock,
            least=jnp.minimum(e.least, stock),
            last=stock,
            capacity=e.capacity,
        )
        return Ledger(episode)

    def reopen(self, done: Bool[Array, ""], situation: Situation, state: State) -> Ledger:
        """An empty ledger where the episode is done."""
        return choose(done, Ledger.open(situation, state), self)


def _by_doer(event: Float[Array, "..."]) -> Float[Array, " n"]:
    return event if event.ndim == 1 else event.sum(1)


class Tally(eqx.Module):
    """Sums of the measures over ended episodes, and over how many each was defined: [M] each, by name."""

    total: Float[Array, " M"]
    count: Float[Array, " M"]

    @classmethod
    def empty(cls, situation: Situation) -> Tally:
        none = jnp.zeros(len(measures(situation)))
        return cls(none, none)

    def close(self, situation: Situation, ledgers: Ledger, done: Bool[Array, " W"]) -> Tally:
        """The tally with the episodes of the worlds that are done."""

        def count(tally: Tally) -> Tally:
            every = list(measures(situation).values())
            values = jax.vmap(lambda e: jnp.stack([m.of(e) for m in every]))(ledgers.episode)  # [W, M]
            valid = done[:, None] & jnp.isfinite(values)
            total = tally.total + jnp.where(valid, values, 0.0).sum(0)
            return Tally(total, tally.count + valid.sum(0, dtype=jnp.float32))

        return jax.lax.cond(done.any(), count, lambda tally: tally, self)

    def means(self) -> Float[Array, " M"]:
        """Mean of each measure over episodes; NaN where none ended in which it was defined."""
        return jnp.where(self.count > 0, self.total / jnp.maximum(self.count, 1.0), jnp.nan)
