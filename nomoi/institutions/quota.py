"""Quota: how much each may take (rules that fit local conditions; Ostrom 1990, her second principle)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from nomoi.core import Event, Institution, Measure, Outcome, Situation, setting, size
from nomoi.core.saying import number
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal
from nomoi.grid import Scene
from nomoi.institutions.units import column, events, ground, heads, heard, members, room, units, within

DUST = 1e-4  # of a lot: what is within rounding of a whole one is one (ours)


class Basis(eqx.Module):
    """What quotas follow from, [n] each: left units thought to be there of the own ground; factor by which an assembly
    moved them; part of each, of an equal one; seen share of what was landed that was within quotas."""

    left: Float[Array, " n"]
    factor: Float[Array, " n"]
    part: Float[Array, " n"]
    seen: Float[Array, " n"]


class Quota(Institution):
    """In each step the members of a unit may take so much of `on` together, and each an equal part of it.

    Where it *follows* the stock that is `rate` of what is beyond `target` of the ground's capacity, so that a part
    stays; else it is the `constant` that was found right elsewhere.  What one takes beyond the own quota is an
    *excess*, which it charges to nobody: a fine on quota.excess does, or wardens accuse of it.  It goes by what a
    survey before it finds of the stock; else by what the catch tells, where the world says that; else by the stock.
    What an assembly before it decided moves it, and shares before it deal it out.  Strangers have no quota, and no
    excess: whether they may take at all is for a licence to say.

    needs     stock, and the event `on` [n]
    emits     quota.excess [n] units beyond the quota; quota.allowed [n] the quota; quota.cost [n] of pooling, paid
    senses    quota.allowed [n, 1] units, unless it is not announced;  with `public` quota.seen [n, 1] what one saw of
              others: of all that was landed from the own ground, the share within quotas;  quota.pooled [n, 1]
    memory    see Basis

    >>> from nomoi import govern
    >>> from nomoi.institutions.fine import Fine
    >>> from nomoi.institutions.quota import Quota
    >>> from nomoi.situations.pool import Pool
    >>> "fine.paid" in govern(Pool(), Quota(), Fine(on="quota.excess", rate=1.1)).emits
    True
    """

    on: str = size("harvest", "the event of which so much is allowed", "ours")
    follows: Bool[Array, ""] = setting(True, "whether it follows the stock, or is the imported constant", "ours")
    rate: Float[Array, ""] = setting(1.0, "share that may be taken of what is beyond the target", "ours", "", 0)
    target: Float[Array, ""] = setting(0.5, "what stays, of capacity", "ours (where logistic growth peaks)", "", 0, 1)
    constant: Float[Array, ""] = setting(
        0.2, "what may be taken in all where it does not follow, of capacity", "ours (r / 4 at a growth of .8)", "", 0
    )
    lot: Float[Array, ""] = setting(0.0, "what quotas are whole numbers of, rounded down; 0 is any", "ours", "units", 0)
    tolerance: Float[Array, ""] = setting(1e-4, "excess that is nobody's business, of the quota", "ours", "", 0)
    pool: Bool[Array, ""] = setting(False, "whether units pool theirs and share it by heads", "ours")
    fee: Float[Array, ""] = setting(0.3, "what pooling costs each unit", "ours", "reward/step", 0)
    announced: Bool[Array, ""] = setting(True, "whether people are told their quota", "ours")
    public: bool = size(False, "whether people see how far the others kept to theirs", "ours")

    @property
    def sentence(self) -> str:
        if bool(self.follows):
            whole = f"{float(self.rate):.3g} of the stock beyond {float(self.target):.3g} of capacity"
        else:
            whole = f"{float(self.constant):.3g} of capacity, whatever is left"
        return f"In each step the members of a unit may take {whole}, in equal parts; it is counted by {self.on}."

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.on, "stock")

    @property
    def hears(self) -> tuple[str, ...]:
        return ("estimate", "part", "factor")

    def fits(self, situation: Situation) -> None:
        event = situation.emits[self.on]
        if not event.good or event.shape != "[n]":
            raise Refusal(f"{self.name}.on is {self.on!r}, which is no amount that one takes; harvest is one.")
        for word in self.hears:
            if len(said := events(situation.emits, word)) > 1:
                raise Refusal(f"{self.name} goes by one {word}, and {', '.join(said)} are said before it; leave one.")

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "excess": Event("excess", "[n]", "units", "taken beyond the own quota", True),
            "allowed": Event("allowed", "[n]", "units", "the own quota"),
            "cost": Event("cost", "[n]", "reward", "paid for pooling quotas", True),
        }

    @property
    def measures(self) -> tuple[Measure, ...]:
        if self.on != "harvest":
            return ()
        return (
            Measure("kept", "share", "of what was taken, taken within quotas",
                    lambda e: 1 - e.ratio("excess", "harvest"), ("excess", "harvest")),
        )  # fmt: skip

    def chance(self, situation: Situation) -> str:
        return ""

    @property
    def annulled(self) -> Quota:
        """The rule of whoever annuls it, which is the imported one."""
        return eqx.tree_at(lambda q: (q.follows, q.pool), self, (jnp.array(False), jnp.array(False)))

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Basis:
        one = jnp.ones(situation.agents)
        return Basis(ground(situation, state), one, one, one)

    def each(self, basis: Basis, situation: Situation) -> Float[Array, " n"]:
        """What each may take, in units; 0 for strangers."""
        full, mine = room(situation), members(situation)
        local = self.rate * jnp.maximum(basis.left - self.target * full, 0.0)
        total = basis.factor * jnp.where(self.follows, local, self.constant * full)
        equal = total / heads(situation)
        pooled = (equal * mine).sum() / mine.sum()
        quota = basis.part * mine * jnp.where(self.pool, pooled, equal)
        lots = jnp.floor(quota / jnp.maximum(self.lot, 1e-9) + DUST) * self.lot
        return jnp.where(self.lot > 0, lots, quota)

    def inform(
        self, memory: Basis, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        news = {"allowed": column(jnp.where(self.announced, self.each(memory, situation), 0.0))}
        if not self.public:
            return news
        pooled = jnp.broadcast_to(self.pool, memory.seen.shape)
        return news | {"seen": column(memory.seen), "pooled": column(pooled)}

    def words(self, situation: Situation, seen: Mapping[str, Any]) -> str:
        if not self.announced:
            return ""
        said = f"Your quota for this round is {number(seen['allowed'][0])} (counted by {self.on})."
        return said + (f" Of all that was taken lately, {float(seen['seen'][0]):.0%} was within quotas."
                       if self.public else "")  # fmt: skip

    def settle(
        self, key: PRNGKeyArray, memory: Basis, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Basis, State, Outcome]:  # fmt: skip
        taken, mine, allowed = outcome.units(self.on), members(situation), self.each(memory, situation)
        over = jnp.maximum(taken - allowed, 0.0) * mine
        excess = jnp.where(over > self.tolerance * allowed, over, 0.0)
        cost = jnp.where(self.pool, self.fee, 0.0) * jnp.asarray(mine / heads(situation), jnp.float32)
        seen = self._seen(allowed, situation, outcome, taken) if self.public else memory.seen
        basis = Basis(self._estimate(situation, state, outcome), *self._terms(outcome), seen)
        return basis, state, outcome.pay(-cost, self, excess=excess, allowed=allowed, cost=cost)

    def _estimate(self, situation: Situation, state: State, outcome: Outcome) -> Float[Array, " n"]:
        """[n] what is thought to be left: as surveyed, or as the catch tells, or as it is."""
        told = outcome.events.get("perceived")
        told = ground(situation, state) if told is None else told
        surveyed = heard(outcome, "estimate")
        return jnp.where(surveyed > 0, surveyed, told)

    def _terms(self, outcome: Outcome) -> tuple[Array, Array]:
        """[n] by which an assembly moved it, and [n] the part of each; 1 where there is no such institution."""
        return tuple(jnp.where(said > 0, said, 1.0) for said in (heard(outcome, "factor"), heard(outcome, "part")))  # type: ignore[return-value]

    def _seen(self, allowed: Array, situation: Situation, outcome: Outcome, taken: Array) -> Float[Array, " n"]:
        """[n] of what was landed from the own ground, the share that was within quotas; 1 where nothing was."""
        mine, many = members(situation), units(situation).shape[1]
        away = outcome.events.get("encroached", jnp.zeros_like(taken))
        here = mine * (taken - away)
        others = (away.sum() - within(situation, away)) / max(many - 1, 1)
        total = within(situation, here) + others + ((1 - mine) * taken).sum() / many
        kept = within(situation, jnp.minimum(here, allowed))
        return jnp.where(total > 1e-6, jnp.clip(kept / jnp.maximum(total, 1e-6), 0.0, 1.0), 1.0)
