"""Peers: anybody may punish, at a cost, whom one sees do wrong (Fehr & Gächter 2000; Fehr & Fischbacher 2004)."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, choice, setting, size
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal
from nomoi.grid import Scene
from nomoi.grid.words import uniform
from nomoi.institutions.units import column, members

ALL, MEMBERS, STRANGERS = range(3)


class Memory(eqx.Module):
    """paid [n] what each was fined in the step before; may [n] who may punish."""

    paid: Float[Array, " n"]
    may: Bool[Array, " n"]


class Peers(Institution):
    """Whoever is willing fines everybody whom one sees do more of `on` than the norm allows, and pays for it.

    Each sees each other agent with chance `seen`.  Each who sees it and is willing takes `fine` for each unit beyond
    `allowed`, at a cost of `price` for each unit of reward taken; both are burnt.  That makes punishing a public good
    of its own: all gain by what it deters, and who punishes pays.  Where *who* is strangers only those who have no
    share in the commons may: third parties, who lose nothing by what they punish.

    With S willing observers a member who minds money alone keeps to the norm where seen x S x fine is at least what a
    unit brings it; a feeling of guilt adds to that (an objective, such as `own - 0.4*peers.violation`), and a feeling
    of duty must be at least price x fine for anybody to punish (`own + 0.2*peers.righted`).

    needs     the event `on`, [n] or [n, n] (then the row's agent did it)
    heads     peers.punish (0 no, 1 yes)
    emits     peers.violation [n] units beyond what is allowed;  peers.righted [n] units that one punished others for;
              peers.paid [n] and peers.spent [n], what one lost for being punished and for punishing, in reward
    senses    peers.blamed [n, 1] what one was fined in the step before
    memory    see Memory

    >>> from nomoi import govern
    >>> from nomoi.institutions.peers import Peers
    >>> from nomoi.situations.contribution import Contribution
    >>> govern(Contribution(), Peers()).actions
    {'keep': 11, 'peers.punish': 2}
    """

    least = 2

    on: str = size("shirked", "the event that may be punished", "ours")
    allowed: Float[Array, ""] = setting(0.0, "units of it in a step that the norm allows", "ours", "units", 0)
    seen: Float[Array, ""] = setting(0.5, "chance that one sees another", "ours", "", 0, 1)
    fine: Float[Array, ""] = setting(0.6, "taken for a unit, by each who punishes it", "ours", "reward/unit", 0)
    price: Float[Array, ""] = setting(0.3, "paid by who punishes, for each unit of reward taken", "ours", "", 0)
    who: Int[Array, ""] = choice("all", ("all", "members", "strangers"), "who may punish")

    @property
    def sentence(self) -> str:
        who = ("Anybody", "Any member", "Any stranger")[int(self.who)]
        return (
            f"{who} may take {float(self.fine):g} for each unit of {self.on} that one sees beyond "
            f"{float(self.allowed):g}, at a cost of {float(self.price):g} of that."
        )

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.on,)

    def fits(self, situation: Situation) -> None:
        if not situation.emits[self.on].good:
            raise Refusal(f"{self.name}.on is {self.on!r}, which is a label, no amount; shirked is one.")
        if isinstance(self.who, Tracer):
            return
        if (np.asarray(self.who) == STRANGERS).any() and members(situation).all():
            raise Refusal(
                f"{self.name}.who is strangers, and all agents of {situation.name} have a share in it; bystanders=1 of "
                "contribution makes one that has none."
            )

    def heads(self, situation: Situation) -> dict[str, int]:
        return {"punish": 2}

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "violation": Event("violation", "[n]", "units", "done beyond what is allowed", True),
            "righted": Event("righted", "[n]", "units", "of others' wrongs that one punished", True),
            "paid": Event("paid", "[n]", "reward", "lost for being punished", True),
            "spent": Event("spent", "[n]", "reward", "lost for punishing", True),
        }

    def chance(self, situation: Situation) -> str:
        some = (np.asarray(self.seen) > 0) & (np.asarray(self.seen) < 1)
        return "who sees whom (seen=1 lets all see all)" if some.any() else ""

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Memory:
        mine = jnp.asarray(members(situation) > 0)
        may = jnp.where(self.who == ALL, True, jnp.where(self.who == MEMBERS, mine, ~mine))
        return Memory(jnp.zeros(situation.agents), may)

    def asked(self, memory: Memory, present: Bool[Array, " n"]) -> dict[str, Bool[Array, " n"]]:
        return {"punish": present & memory.may}

    def inform(
        self, memory: Memory, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        return {"blamed": column(memory.paid)}

    def settle(
        self, key: PRNGKeyArray, memory: Memory, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Memory, State, Outcome]:  # fmt: skip
        n = situation.agents
        wrong = jnp.maximum(outcome.units(self.on) - self.allowed, 0.0)
        willing = (self.said(tried, "punish") == 1) & memory.may
        sees = (uniform(key, n * n).reshape(n, n) < self.seen) & ~np.eye(n, dtype=bool)
        units = (willing[:, None] & sees).astype(jnp.float32) * wrong  # from who punishes to who did it
        paid, righted = self.fine * units.sum(0), units.sum(1)
        spent = self.price * self.fine * righted
        facts = {"violation": wrong, "righted": righted, "paid": paid, "spent": spent}
        return Memory(paid, memory.may), state, outcome.pay(-(paid + spent), self, **facts)
