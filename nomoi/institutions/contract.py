"""Contract: agents propose, sign, and then play under transfers they agreed on (Christoffersen et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi import grid
from nomoi.core import Event, Institution, Measure, Outcome, Situation, choice, setting, size, unit_of
from nomoi.core.saying import amounts, number
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal
from nomoi.grid import Scene
from nomoi.institutions.parley import PLAY, PROPOSE, SIGN, among_others, asks, in_order, stages

OTHERS, WHOM, DOER = range(3)
FLOWS = (
    "whoever does one pays that to the others", "whoever does one pays that to whom it was done",
    "the others pay that to whoever does one",
)  # fmt: skip


class Agreement(eqx.Module):
    """stage [] propose, sign or play; theta [] what was proposed; proposer [n], voters [n] who; bound [] in force.

    lot [] whether this episode's contract is drawn rather than negotiated, and drawn [] the choice that was drawn.
    """

    stage: Int[Array, ""]
    theta: Float[Array, ""]
    proposer: Bool[Array, " n"]
    voters: Bool[Array, " n"]
    bound: Bool[Array, ""]
    lot: Bool[Array, ""]
    drawn: Int[Array, ""]


class Contract(Institution):
    """Before play, one agent proposes a payment `theta` per unit of `on`; if all voters sign, it binds everybody.

    Under a contract whoever does a unit of `on` pays theta, split evenly among the others, so transfers sum to
    zero.  With `to`, what an event [n, n] costs goes to whom it was done to; or the others pay the doer, evenly, as
    for cleaning a river.  Timing is substance: the world stands still while agents propose and sign, because a
    contract signed in the same moment as play does not rescue a dilemma.  Choice 0 of `propose` is the null contract,
    which is not the same as the lowest theta.

    Learners that negotiate before they know what a contract is worth tend to agree on none, and never find out.  So
    for a first share of training (`rehearsal`) all episodes are played under a contract drawn by lot, as in the
    first stage of MOCA; outside of training, and afterwards, every contract is negotiated.

    needs     the event `on`, [n] or [n, n] (then the row's agent pays)
    heads     contract.propose (0 null, 1..levels the thetas from low to high), contract.sign (0 no, 1 yes)
    emits     contract.paid [n], contract.bound [n] (steps under a contract)
    senses    contract.terms [n, 6]: stage (3), theta / high, in force, whether one is the proposer
    memory    see Agreement

    >>> from nomoi import govern
    >>> from nomoi.institutions.contract import Contract
    >>> from nomoi.situations.harvest import Harvest
    >>> govern(Harvest(), Contract(levels=3)).actions
    {'move': 8, 'contract.propose': 4, 'contract.sign': 2}
    """

    on: str = size("sparse", "the event that is paid for", "Christoffersen et al. 2023, code (low-density apples)")
    low: Float[Array, ""] = setting(
        0.0, "lowest theta", "Christoffersen et al. 2023, code (Harvest 0..10)", "reward/unit", 0
    )
    high: Float[Array, ""] = setting(
        10.0, "highest theta", "Christoffersen et al. 2023, code (Harvest 0..10)", "reward/unit", 0
    )
    to: Int[Array, ""] = choice("others", ("others", "whom", "doer"), "who is paid", "Christoffersen et al. 2023, code")
    levels: int = size(5, "how many thetas from low to high may be proposed", low=1)
    voters: Int[Array, ""] = setting(
        2,
        "how many others, drawn by lot, must all sign; 0 is everybody",
        "Christoffersen et al. 2023, code (nu = 2)",
        "agents",
        0,
    )
    rehearsal: Float[Array, ""] = setting(0.5, "share of training that begins with contracts by lot", "ours", "", 0, 1)
    imposed: Float[Array, ""] = setting(
        0.0, "share of episodes by lot after that, and outside of training", "ours", "", 0, 1
    )
    null: Float[Array, ""] = setting(
        0.4, "share of null contracts in the lots", "SocialJax (9zehn), notes (0.1 to 0.4)", "", 0, 1
    )

    def __check_init__(self) -> None:
        in_order("contract", self.low, self.high)

    @property
    def sentence(self) -> str:
        few = f"{int(self.voters)} others, drawn by lot (or all, where there are no more),"
        return self._told(f"{few if int(self.voters) else 'all others'} sign")

    def says(self, situation: Situation) -> str:
        others, asked = situation.agents - 1, int(self.voters)
        if others == 1:
            return self._told("the other one signs")
        who = f"{asked} of the {others} others, drawn by lot," if 0 < asked < others else f"all {others} others"
        return self._told(f"{who} {'signs' if asked == 1 else 'sign'}")

    def _told(self, signed: str) -> str:
        return (
            f"Before play one agent proposes what a {unit_of(self.on)} shall cost ({float(self.low):g} to "
            f"{float(self.high):g}, or no contract); if {signed}, {FLOWS[int(self.to)]}."
        )

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.on,)

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "paid": Event("paid", "[n]", "reward", "paid to the others under the contract", True, "contracted"),
            "bound": Event("bound", "[n]", "steps", "played under a signed contract", True),
        }

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (
            Measure("bound", "share", "steps under a signed contract", lambda e: e.share("bound"), ("bound",),
                    short="bound"),
        )  # fmt: skip

    def chance(self, situation: Situation) -> str:
        if (np.asarray(self.imposed) > 0).any():
            return "whether a contract is drawn by lot (imposed=0 negotiates every one)"
        if (np.isin(np.asarray(self.voters), np.arange(1, situation.agents - 1))).any():
            return "who must sign (voters=0 asks everybody)"
        return ""

    def fits(self, situation: Situation) -> None:
        event = situation.emits.get(self.on)
        if not isinstance(self.to, jax.core.Tracer) and int(self.to) == WHOM and (not event or event.shape != "[n, n]"):
            raise Refusal(
                f"{self.name}.to is whom, and {self.on!r} is done to nobody in particular; others or doer is right."
            )

    def heads(self, situation: Situation) -> dict[str, int]:
        return {"propose": self.levels + 1, "sign": 2}

    def choices(self, situation: Situation) -> dict[str, tuple[str, ...]]:
        return {"propose": ("none", *amounts(self.low, self.high, self.levels)), "sign": ("no", "yes")}

    def answered(self, situation: Situation, head: str, label: str) -> str:
        if head == "sign":
            return "signs" if label == "yes" else "does not sign"
        if label == "none":
            return "proposes no contract"
        kind = "payment by the others" if int(self.to) == DOER else "charge"
        return f"proposes a {kind} of {label} on each unit of {self.on}"

    def words(self, situation: Situation, seen: Mapping[str, np.ndarray]) -> str:
        *stage, theta, bound, mine = map(float, seen["terms"])
        price, unit = number(theta * float(self.high)), unit_of(self.on)
        if stage[PROPOSE]:
            return "It is yours to propose a contract." if mine else "Another one is to propose a contract."
        if stage[SIGN]:
            terms = f"a {unit} costs {price}" if bound else "no contract"
            return f"The proposal is: {terms}. Those who are asked sign or do not."
        return f"All are bound by a contract: a {unit} costs {price}." if bound else "No contract is in force."

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Agreement:
        """The first agent proposes; the voters are drawn among the others."""
        n = situation.agents
        draw = grid.draw(key, order=n - 1, lot=1, null=1, drawn=1)
        place = jnp.concatenate([jnp.zeros(1, jnp.int32), 1 + grid.rank(draw["order"])])
        needed = jnp.where(self.voters == 0, n - 1, jnp.minimum(self.voters, n - 1))
        first = place == 0
        lot = grid.chance(draw["lot"])[0] < self.imposed
        drawn = jnp.where(grid.chance(draw["null"])[0] < self.null, 0, 1 + grid.pick(draw["drawn"], self.levels)[0])
        stage, theta, bound = jnp.array(PROPOSE, jnp.int32), jnp.zeros(()), jnp.array(False)
        return Agreement(stage, theta, first, ~first & (place <= needed), bound, lot, drawn)

    def holds(self, memory: Agreement) -> Bool[Array, ""]:
        return memory.stage < PLAY

    def asked(self, memory: Agreement, present: Bool[Array, " n"]) -> dict[str, Bool[Array, " n"]]:
        return asks(memory.stage, memory.proposer & ~memory.lot, memory.voters & ~memory.lot)

    def inform(
        self, memory: Agreement, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        n = situation.agents
        theta = memory.theta / jnp.maximum(self.high, 1e-6)
        common = jnp.append(stages(memory.stage), theta)
        common = jnp.append(common, memory.bound.astype(jnp.float32))
        mine = memory.proposer[:, None].astype(jnp.float32)
        return {"terms": jnp.concatenate([jnp.broadcast_to(common, (n, 5)), mine], -1)}

    def settle(
        self, key: PRNGKeyArray, memory: Agreement, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Agreement, State, Outcome]:  # fmt: skip
        play = memory.stage == PLAY
        price = jnp.where(play & memory.bound, memory.theta, 0.0)
        due = price * outcome.units(self.on)
        share = among_others(due)
        event = outcome.events[self.on]
        gain = jnp.where(self.to == WHOM, price * event.sum(0), share) if event.ndim == 2 else share
        paid, gain = jnp.where(self.to == DOER, share, due), jnp.where(self.to == DOER, due, gain)
        bound = jnp.broadcast_to(play & memory.bound, paid.shape)
        outcome = outcome.pay(gain - paid, self, paid=paid, bound=bound)
        return self._convene(memory, tried), state, outcome

    def _convene(self, memory: Agreement, tried: Action) -> Agreement:
        offer = jnp.where(memory.lot, memory.drawn, jnp.where(memory.proposer, self.said(tried, "propose"), 0).sum())
        step = (self.high - self.low) / max(self.levels - 1, 1)
        theta = jnp.where(offer == 0, 0.0, self.low + step * (offer - 1).astype(jnp.float32))
        theta = jnp.where(memory.stage == PROPOSE, theta, memory.theta)
        # The null contract keeps theta at 0; a contract at theta = 0 binds, but moves nothing.
        real = jnp.where(memory.stage == PROPOSE, offer > 0, memory.bound)
        signed = (~memory.voters | (self.said(tried, "sign") == 1)).all() | memory.lot
        bound = jnp.where(memory.stage == SIGN, memory.bound & signed, real)
        theta = jnp.where((memory.stage == SIGN) & ~bound, 0.0, theta)
        stage = jnp.minimum(memory.stage + 1, PLAY)
        return Agreement(stage, theta, memory.proposer, memory.voters, bound, memory.lot, memory.drawn)

    def at(self, progress: Float[Array, ""]) -> Contract:
        by_lot = jnp.where(progress < self.rehearsal, 1.0, self.imposed)
        return eqx.tree_at(lambda c: c.imposed, self, by_lot)
