"""Villagers: people who imitate those who fare better, and people who do their part as long as they trust the rest."""

from __future__ import annotations

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Outcome, Situation, setting, size
from nomoi.core.learner import Learner
from nomoi.core.settings import Rule
from nomoi.core.situation import Action, Observation
from nomoi.grid.words import uniform
from nomoi.learners.experience import live, perceived
from nomoi.learners.lives import Lives
from nomoi.learners.objectives import Objective, Own
from nomoi.learners.people import (
    DOWN,
    STAY,
    UP,
    People,
    Plan,
    Told,
    alone,
    fits,
    habits,
    head,
    model,
    shown,
    taking,
)
from nomoi.measure.ledger import Tally

Lots = Float[Array, "k n"]
SELDOM = 0.02  # least chance to watch, to idle, and to come (ours)


class Living(eqx.Module):
    """A run: groups, each in its own world, its key, and how many steps are over."""

    people: People
    lives: Lives
    key: PRNGKeyArray
    time: Int[Array, ""]


class Villagers(Learner, Rule):
    """People who adapt in every step by what they see of each other; two kinds, mixed.

    *Payoff imitators* look at another of their role, and with chance `rate` copy all of his ways with the chance
    1 / (1 + exp(-beta (his income - own))), per unit of need (Traulsen et al. 2006); who is alone in a role looks at
    whoever has it in another group.  *Conditional cooperators* do their part if and only if (trust + how well rules are
    kept) / 2 reaches a threshold of their own (after Fischbacher et al. 2001).  The ways are: to keep to what is
    allowed, or take all one can; whether to provide, as much as is one's *duty* where the world tells that; and one
    answer to every head that nothing more is known of.  Where an institution tells nothing of what is *allowed*, the
    first answer is to cooperate where the situation knows of defection, and else all imitate single answers.

    Trust is measured from experience: in each step it moves by `trust_rate` towards the mean (by `weights`) of four:
    not punished without cause (1 - fine / need), a due share (the own share for the one deserved by providing), heard
    (the rule moved as I would have voted, or I wanted no change), enough (catch / need).  Nothing is added for having
    an institution.  What a situation does not have does not count.

    Who holds a post watches by a propensity learned from what watching and idling paid.  Who is accused appeals where
    that pays.  One votes for less where the stock seems below 0.8 of what one remembers, for more where it seems above
    0.95, one keeps to the rule and it binds.  Strangers come by what coming brought, beside the wage elsewhere.

    Every group has a world to itself and goes on adapting from episode to episode.  Evaluated, nobody changes.

    >>> from nomoi.learners.villagers import Villagers
    >>> Villagers(villages=4).batch
    4
    """

    objective: Objective = eqx.field(default_factory=Own)
    villages: int = size(16, "groups, each in its own world", "ours", low=1)
    cooperators: Float[Array, ""] = setting(0.5, "share of conditional cooperators", "ours", "", 0, 1)
    low: Float[Array, ""] = setting(0.3, "lowest threshold of willingness", "ours", "", 0, 1)
    high: Float[Array, ""] = setting(0.9, "highest threshold (evenly between)", "ours", "", 0, 1)
    rate: Float[Array, ""] = setting(0.2, "chance to look at another in a step", "ours", "", 0, 1)
    beta: Float[Array, ""] = setting(4.0, "how much a difference in income counts", "ours", "per income / need", 0)
    mutation: Float[Array, ""] = setting(0.02, "chance to try the other way", "ours", "", 0, 1)
    trust_rate: Float[Array, ""] = setting(0.1, "how fast trust follows experience", "ours", "", 0, 1)
    weights: Float[Array, " 4"] = setting(
        (1.0, 1.0, 1.0, 1.0), "what counts for trust, in the order above", "ours", "", 0
    )

    def init(self, key: PRNGKeyArray, situation: Situation) -> People:
        fits(situation)
        return jax.vmap(lambda k: self.born(k, situation))(jax.random.split(key, self.villages))

    def born(self, key: PRNGKeyArray, situation: Situation) -> People:
        """One group before any experience."""
        n, known = situation.agents, habits(situation)
        kind, bar, over, provides, *rest = uniform(key, (4 + len(known)) * n).reshape(-1, n)
        habit = {h: jnp.floor(lot * k).astype(jnp.int32) for lot, (h, k) in zip(rest, known.items(), strict=True)}
        flat = lambda x: jnp.full(n, x, jnp.float32)  # noqa: E731
        return People(
            cooperator=kind < self.cooperators, threshold=self.low + (self.high - self.low) * bar, over=over < 0.5,
            provides=provides < 0.5, habit=habit, trust=flat(0.6), kept=flat(0.6), lived=jnp.full((4, n), 0.6),
            record=flat(0.5), recall=flat(0.6), earned=flat(0.0), idle=flat(0.0), watching=flat(0.0),
            coming=flat(0.0), reach=flat(1.0),
        )  # fmt: skip

    def plan(self, lots: Lots, people: People, situation: Situation, seen: Observation) -> Plan:
        """What everybody means to do, by what they are told, have lived through, and think of the stock."""
        told = Told(situation, seen)
        ruled = told.force("allowed") | jnp.array("defect" in situation.emits)  # there is a part that one could do
        willing = (people.trust + people.kept) / 2 >= people.threshold
        led = people.cooperator & ruled
        over, provides = jnp.where(led, ~willing, people.over), jnp.where(led, willing, people.provides)
        stock, allowed = perceived(told, lots[2]), told("allowed")
        binds = ~over & (allowed < 1.5 * told("need", 1.0))
        up, down = binds & (stock > 0.95 * people.recall), stock < 0.8 * people.recall
        return Plan(over, provides, jnp.where(down, DOWN, jnp.where(up, UP, STAY)).astype(jnp.int32), allowed)

    def answer(self, lots: Lots, people: People, situation: Situation, seen: Observation) -> Action:
        """Everybody's answers in one world; `lots` as `lots` draws them."""
        told, plan = Told(situation, seen), self.plan(lots, people, situation, seen)
        name, most = taking(situation)
        roams = plan.over | (told("pooled") > 0)
        density = jnp.where(roams, told("density", column=1), told("density"))
        reach = told("capacity") * density if told.has("density") else people.reach
        within = jnp.floor(plan.allowed / jnp.maximum(reach, 1e-6) * most + 1e-3).astype(jnp.int32)
        ruled = told.force("allowed")
        lawful = jnp.where(ruled, jnp.clip(within, 0, most), 0)
        free = ~ruled & jnp.array("defect" not in situation.emits)
        take = jnp.where(free, people.habit[name], jnp.where(plan.over, most, lawful))
        if told.has("density"):
            take = jnp.where(density > told("cost"), take, 0)  # not worth the effort
        if told.has("outside"):
            come = lots[0] < jnp.maximum(jax.nn.sigmoid(people.coming - told("outside")), SELDOM)
            take = jnp.where(told("stranger") > 0, jnp.where(come, most, 0), take)
        action = {h: people.habit[h] for h in habits(situation)} | {name: take.astype(jnp.int32)}
        if "worked" in situation.emits:
            duty = jnp.where(plan.provides, told("duty", 1.0), 0.0)
            action |= {"range": roams.astype(jnp.int32), "provide": duty.astype(jnp.int32)}
        for word, answer in (
            ("vote", plan.vote),
            ("watch", lots[1] < self.diligence(people)),
            ("appeal", self._appeals(told)),
        ):
            if full := head(situation, word):
                action[full] = answer.astype(jnp.int32)
        return {h: jnp.minimum(action[h], k - 1) for h, k in situation.actions.items()}

    def diligence(self, people: People) -> Float[Array, " n"]:
        """The chance to watch, of who could."""
        return jnp.clip(jax.nn.sigmoid(self.beta * (people.watching - people.idle)), SELDOM, 1 - SELDOM)

    def _appeals(self, told: Told) -> Array:
        """Whether to appeal: the chance to be right times the fine, against the fee."""
        if not told.has("case"):
            return jnp.zeros(told.n, bool)
        units, wrong, fee = (told("case", column=c) for c in range(3))
        right = told.option("case", "right", 0.5)
        chance = jnp.where(wrong > 0, right, 1 - right)
        return (units > 0) & (chance * units * told("price", 1.0) > fee)

    def adapt(
        self, lots: Lots, people: People, situation: Situation, seen: Observation, action: Action, outcome: Outcome,
        utility: Float[Array, " n"], abroad: People | None = None,
    ) -> People:  # fmt: skip
        """The people after a step of one world: `seen` before it, `utility` what it was worth.

        `abroad` is another group, to which who is alone in a role looks.
        """
        told, plan = Told(situation, seen), self.plan(lots, people, situation, seen)
        people = live(told, people, plan, action, outcome, utility, self.weights, self.trust_rate, lots[2:4])
        whom = model(situation, lots[4])
        others = jax.tree.map(lambda mine: (whom @ mine.astype(jnp.float32)).astype(mine.dtype), shown(people))
        if abroad is not None and (lonely := alone(situation)).any():
            others = jax.tree.map(lambda here, there: jnp.where(lonely, there, here), others, shown(abroad))
        better = jax.nn.sigmoid(self.beta * (others["earned"] - people.earned))
        copies = (lots[5] < self.rate) & (lots[6] < better)
        ways = jax.tree.map(lambda other, mine: jnp.where(copies, other, mine), others, shown(people))

        habit = {}
        for (name, k), (tries, which) in zip(habits(situation).items(), lots[9:].reshape(-1, 2, told.n), strict=True):
            fresh = jnp.floor(which * k).astype(jnp.int32)
            habit[name] = jnp.where(tries < self.mutation, fresh, ways["habit"][name])
        return dataclasses.replace(
            people, over=ways["over"] ^ (lots[7] < self.mutation),
            provides=ways["provides"] ^ (lots[8] < self.mutation), habit=habit,
        )  # fmt: skip

    def lots(self, key: PRNGKeyArray, situation: Situation) -> Lots:
        """All that is drawn for a step of one world, even on [0, 1): three rows for plans, six and two a habit."""
        rows = 9 + 2 * len(habits(situation))
        return uniform(key, rows * situation.agents).reshape(rows, situation.agents)

    def start(self, mind: People, situation: Situation) -> Int[Array, ""]:
        return jnp.int32(-1)  # which group lives here: not yet drawn

    def act(self, key: PRNGKeyArray, mind: People, situation: Situation, seen: Observation, carry: Any) -> Any:
        drawn, lots = jax.random.split(key)
        group = jnp.where(carry < 0, jax.random.randint(drawn, (), 0, mind.trust.shape[0]), carry)
        people = jax.tree.map(lambda x: x[group], mind)
        return self.answer(self.lots(lots, situation), people, situation, seen), group

    @property
    def batch(self) -> int:
        return self.villages

    def begin(self, key: PRNGKeyArray, situation: Situation, mind: People | None = None) -> Living:
        people = self.init(key, situation) if mind is None else mind
        return Living(people, Lives.begin(key, situation, self.villages), key, jnp.zeros((), jnp.int32))

    def mind(self, run: Living) -> People:
        return run.people

    def learn(self, situation: Situation, run: Living, updates: int, total: Int[Array, ""]) -> tuple[Living, Tally]:
        def step(now: tuple[Living, Tally], _: None) -> tuple[tuple[Living, Tally], None]:
            run, tally = now
            place = situation.at(run.time / total)
            keys = jax.random.split(jax.random.fold_in(run.key, run.time), self.villages)
            lots = jax.vmap(lambda k: self.lots(k, place))(keys)
            told = run.lives.told
            action = jax.vmap(lambda *x: self.answer(x[0], x[1], place, x[2]))(lots, run.people, told)
            lives, lived, tally = run.lives.step(place, self.objective, action, tally)
            next_ones = jax.tree.map(lambda x: jnp.roll(x, 1 + run.time % max(self.villages - 1, 1), 0), run.people)
            people = jax.vmap(lambda lot, who, *x: self.adapt(lot, who, place, *x))(
                lots, run.people, told, action, lived.outcome, lived.utility, next_ones
            )
            return (Living(people, lives, run.key, run.time + 1), tally), None

        return jax.lax.scan(step, (run, Tally.empty(situation)), None, updates)[0]
