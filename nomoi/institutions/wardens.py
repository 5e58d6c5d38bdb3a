"""Wardens: people of each unit who watch, and answer for it (Ostrom 1990, her fourth principle)."""

from __future__ import annotations

import warnings

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Measure, Outcome, Situation, setting, size
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal
from nomoi.grid import Scene
from nomoi.grid.words import uniform
from nomoi.institutions.units import JUDGED, column, evenly, events, heard, members, units, within


class Posts(eqx.Module):
    """post [n] who is to watch in the next step; asked [n] whose answer matters."""

    post: Bool[Array, " n"]
    asked: Bool[Array, " n"]


class Wardens(Institution):
    """Members watch their ground, and accuse whom they see take what is not allowed.

    Each unit gives `posts` by lot in each step.  A holder has the wage, paid by all members of the unit evenly, whether
    it watches (which costs it `effort`) or not; but a holder who did not watch while others did what is not allowed
    loses it with chance `accountable`.  Where they are not `paid` nobody holds a post, and any member may watch for
    nothing, for a share `spare` of the time.  With w watchers a violator is seen with chance
    1 - (1 - base) (1 - sight)^w: by the wardens of the own unit, for what it did at home, and where they may accuse
    *everywhere* by the others for the rest; a stranger by those of the ground where it is.  Who did nothing is accused
    with `false` times that chance, of `guess` of what it took.

    needs     what an institution before it calls an excess, poached, or a violation; or the event `on`, [n]
    heads     wardens.watch (0 no, 1 yes)
    emits     wardens.accused [n] units; wardens.wrong [n] those of them of which one is accused without cause;
              wardens.watched [n] (a part of the step, where not paid); wardens.wage [n] and wardens.levied [n], what a
              member got and gave for it, and wardens.toil [n], effort of watching, in units of reward
    senses    wardens.post [n, 1] whether one holds a post
    memory    see Posts

    >>> from nomoi import govern
    >>> from nomoi.institutions.quota import Quota
    >>> from nomoi.institutions.wardens import Wardens
    >>> from nomoi.situations.pool import Pool
    >>> govern(Pool(), Quota(), Wardens(posts=1)).actions
    {'request': 13, 'wardens.watch': 2}
    """

    on: str = size("", "the event of which they accuse; all that is not allowed, where none is named", "ours")
    paid: Bool[Array, ""] = setting(True, "whether there are paid posts", "ours")
    posts: Int[Array, ""] = setting(2, "posts of each unit", "ours", "people", 1)
    wage: Float[Array, ""] = setting(1.3, "what a post pays", "ours", "reward/step", 0)
    effort: Float[Array, ""] = setting(0.5, "what watching costs", "ours", "reward/step", 0)
    sight: Float[Array, ""] = setting(0.4, "chance that a watcher sees a violator", "ours", "", 0, 1)
    base: Float[Array, ""] = setting(0.04, "chance to be seen where nobody watches", "ours", "", 0, 1)
    false: Float[Array, ""] = setting(0.08, "chance to be accused without cause, of that to be seen", "ours", "", 0, 1)
    guess: Float[Array, ""] = setting(0.5, "of what one took, that one is then accused of", "ours", "", 0)
    accountable: Float[Array, ""] = setting(0.7, "chance that who did not watch loses the wage", "ours", "", 0, 1)
    spare: Float[Array, ""] = setting(0.5, "share of the time that who is not paid watches", "ours", "", 0, 1)
    everywhere: Bool[Array, ""] = setting(False, "whether they may accuse people on others' ground", "ours")

    @property
    def sentence(self) -> str:
        who = f"{int(self.posts)} paid wardens of each unit" if bool(self.paid) else "Members who like to"
        return f"{who} watch, and accuse whom they see take what is not allowed."

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.on,) if self.on else ()

    @property
    def hears(self) -> tuple[str, ...]:
        return () if self.on else JUDGED

    def fits(self, situation: Situation) -> None:
        if not self.on and not events(situation.emits, *JUDGED):
            raise Refusal(
                f"{self.name} has nothing to watch for: nothing that governs {situation.name} before it says what is "
                f"allowed; a quota or a licence does, or name an event as {self.name}.on."
            )
        few = int(units(situation).sum(0).min())
        if not isinstance(self.posts, Tracer) and (posts := int(np.max(self.posts))) > few:
            raise Refusal(
                f"{self.name}.posts is {posts}, and a unit of {situation.name} has {few} people; "
                "no more would be right."
            )
        idle = (self.wage < self.effort) & (self.accountable == 0) & self.paid
        if not isinstance(idle, Tracer) and np.any(idle):
            why = f"{self.name}.wage is below the effort of watching, and who does not watch answers to nobody"
            warnings.warn(f"{why}: nobody will watch.", stacklevel=2)

    def heads(self, situation: Situation) -> dict[str, int]:
        return {"watch": 2}

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "accused": Event("accused", "[n]", "units", "accused of, rightly or not", True),
            "wrong": Event("wrong", "[n]", "units", "accused of without cause", True),
            "watched": Event("watched", "[n]", "steps", "watched", True),
            "wage": Event("wage", "[n]", "reward", "earned by a post", True),
            "levied": Event("levied", "[n]", "reward", "paid for wages", True),
            "toil": Event("toil", "[n]", "reward", "effort of watching", True),
        }

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (Measure("watch", "share", "agent-time spent watching", lambda e: e.share("watched"), ("watched",)),)

    def chance(self, situation: Situation) -> str:
        return "who holds a post, and whom they see"

    def _drawn(self, lot: Float[Array, " n"], situation: Situation) -> Posts:
        """Of each unit those with the highest lots hold the posts."""
        of = units(situation)
        above = ((lot[None, :] > lot[:, None]) & (of @ of.T > 0)).sum(1)
        there = members(situation) > 0
        post = there & (above < self.posts) & self.paid
        return Posts(post, jnp.where(self.paid, post, there))

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Posts:
        return self._drawn(uniform(key, situation.agents), situation)

    def asked(self, memory: Posts, present: Bool[Array, " n"]) -> dict[str, Bool[Array, " n"]]:
        return {"watch": present & memory.asked}

    def inform(
        self, memory: Posts, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        return {"post": column(memory.post)}

    def settle(
        self, key: PRNGKeyArray, memory: Posts, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Posts, State, Outcome]:  # fmt: skip
        n = situation.agents
        lots, seen, blamed, called = jnp.split(uniform(key, 4 * n), 4)
        did = outcome.units(self.on) if self.on else heard(outcome, *JUDGED)
        watches = (self.said(tried, "watch") == 1) & memory.asked
        watched = jnp.where(watches, jnp.where(self.paid, 1.0, self.spare), 0.0)
        home, risk = self._risk(watched, situation, outcome)

        caught = (did > 0) & (seen < risk)
        wrong = (did <= 0) & (blamed < self.false * home)
        guess = self.guess * outcome.events.get("harvest", jnp.ones(n))
        wrongly = jnp.where(wrong, guess, 0.0)
        accused = jnp.where(caught, did, wrongly)

        missed = within(situation, (did > 0).astype(jnp.float32)) > 0
        loses = memory.post & ~watches & missed & (called < self.accountable)
        wage = jnp.where(memory.post & ~loses, self.wage, 0.0)
        toil, levied = self.effort * watched, evenly(situation, wage)
        outcome = outcome.pay(
            wage - levied - toil, self, accused=accused, wrong=wrongly, watched=watched, wage=wage, levied=levied,
            toil=toil,
        )  # fmt: skip
        return self._drawn(lots, situation), state, outcome

    def _risk(self, watched: Array, situation: Situation, outcome: Outcome) -> tuple[Array, Array]:
        """[n] the chance that who violates is seen at home (0 for strangers), and wherever it was."""
        of, mine = units(situation), members(situation)
        each = 1 - (1 - self.base) * (1 - self.sight) ** (of * watched[:, None]).sum(0)  # [U]
        home = (of * each).sum(1)
        took = outcome.events.get("harvest", jnp.ones_like(home))
        away = outcome.events.get("encroached", jnp.zeros_like(home)) / jnp.maximum(took, 1e-9)
        there = jnp.where(self.everywhere, (each.sum() - home) / max(of.shape[1] - 1, 1), 0.0)
        return home, jnp.where(mine > 0, (1 - away) * home + away * there, each.mean())
