"""Treaty: a contract from a rich space, with fines and a lump sum (the theory of Christoffersen et al. 2023)."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Measure, Outcome, Situation, setting, size
from nomoi.core.saying import number
from nomoi.core.situation import Action, Observation, State
from nomoi.errors import Refusal
from nomoi.grid import Scene
from nomoi.institutions.parley import PLAY, PROPOSE, SIGN, among_others, asks, in_order, stages


class Accord(eqx.Module):
    """stage [] propose, sign or play; offer [] the choice of terms on the table or in force, 0 the null contract.

    order [n] the place of each agent: the first proposes and gets the lump sums, and fines are listed in this order.
    """

    stage: Int[Array, ""]
    offer: Int[Array, ""]
    order: Int[Array, " n"]


class Treaty(Institution):
    """Before play, fines on `on` and a lump sum are proposed; if all others sign, they bind everybody.

    It has what the theory of contracts needs and `Contract` lacks.  Fines may differ from agent to agent, and may be
    negative (a bounty that the others pay), so that every part of a two-action game can be made worth playing; and a
    lump sum moves, whatever is done later, from each of the others to the first agent when they sign.  Without it the
    proposer cannot be paid for, nor pay for, a contract that makes all together better off.  Nothing is left to
    chance.  All transfers sum to zero; a fine is split evenly among the others.

    With two proposers, both propose at once, and only terms that both name are put to the others; so each may be stuck
    with what the other says.  This is our reconstruction of a remark in the paper, whose appendix we could not read.

    needs     the event `on`, [n] or [n, n] (then the row's agent pays)
    heads     treaty.propose (0 null, then every combination of fines, agent by agent, and lump sum), treaty.sign
    emits     treaty.paid [n] fines, treaty.bound [n] (steps under a treaty)
    senses    treaty.terms [n, 7]: stage (3), the own fine and the lump sum as shares of the largest, in force,
              whether one proposes
    memory    see Accord

    >>> from nomoi import govern
    >>> from nomoi.institutions.treaty import Treaty
    >>> from nomoi.situations.matrix import Matrix
    >>> govern(Matrix(), Treaty(on="defect", fines=3, lumps=5, apart=True)).actions
    {'choose': 2, 'treaty.propose': 46, 'treaty.sign': 2}
    """

    least: ClassVar = 2

    on: str = size("sparse", "the event that is fined", "ours, the contract's")
    low: Float[Array, ""] = setting(0.0, "lowest fine; negative is a bounty", "ours", "reward/unit")
    high: Float[Array, ""] = setting(4.0, "highest fine", "ours", "reward/unit")
    fines: int = size(3, "how many fines from low to high may be proposed", low=1)
    apart: bool = size(False, "whether each agent gets a fine of its own")
    most: Float[Array, ""] = setting(4.0, "largest lump sum, either way", "ours", "reward", 0)
    lumps: int = size(5, "how many lump sums from -most to most; 1 is none at all", low=1)
    proposers: int = size(1, "how many propose at once, 1 or 2", "Christoffersen et al. 2023, one proposer", low=1)

    def __check_init__(self) -> None:
        in_order("treaty", self.low, self.high)
        if self.proposers > 2:
            raise Refusal(f"treaty.proposers is {self.proposers}; it must be 1 or 2.")
        if self.lumps % 2 == 0:
            raise Refusal(f"treaty.lumps is {self.lumps}; it must be odd, so that no lump sum is one of them.")

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.on,)

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "paid": Event("paid", "[n]", "reward", "fines paid to the others under the treaty", True),
            "bound": Event("bound", "[n]", "steps", "played under a signed treaty", True),
        }

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (Measure("bound", "share", "steps under a signed treaty", lambda e: e.share("bound"), ("bound",)),)

    def chance(self, situation: Situation) -> str:
        return ""

    def heads(self, situation: Situation) -> dict[str, int]:
        return {"propose": 1 + self.fines ** (situation.agents if self.apart else 1) * self.lumps, "sign": 2}

    def answered(self, situation: Situation, head: str, label: str) -> str:
        if head == "sign":
            return "signs" if label == "yes" else "does not sign"
        if label == "0":
            return "proposes no treaty"
        fine, lump = self.terms(jnp.asarray(int(label)), jnp.arange(situation.agents))
        fines = list(dict.fromkeys(map(number, fine.tolist())))
        each = (
            f"a fine of {fines[0]}" if len(fines) == 1 else f"fines, agent by agent, of {', '.join(map(number, fine))}"
        )
        pays = "each other one pays the first agent" if lump > 0 else "the first agent pays each other one"
        more = f" and that {pays} {number(abs(lump))}" if lump else ""
        return f"proposes {each} on each unit of {self.on}{more}"

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Accord:
        order = jnp.arange(situation.agents, dtype=jnp.int32)
        return Accord(jnp.array(PROPOSE, jnp.int32), jnp.zeros((), jnp.int32), order)

    def holds(self, memory: Accord) -> Bool[Array, ""]:
        return memory.stage < PLAY

    def asked(self, memory: Accord, present: Bool[Array, " n"]) -> dict[str, Bool[Array, " n"]]:
        first = memory.order < self.proposers
        return asks(memory.stage, first, ~first)

    def terms(self, offer: Int[Array, ""], order: Int[Array, " n"]) -> tuple[Float[Array, " n"], Float[Array, ""]]:
        """The fine of each agent [n] and the lump sum [] that a choice of terms means; nothing for the null one."""
        n = len(order)
        place = jnp.maximum(offer - 1, 0)
        lump = self.most * ((place % self.lumps).astype(jnp.float32) * 2 / max(self.lumps - 1, 1) - 1)
        which = place // self.lumps
        if self.apart:
            which = which // self.fines ** (n - 1 - order) % self.fines
        fine = self.low + (self.high - self.low) * which.astype(jnp.float32) / max(self.fines - 1, 1)
        real = offer > 0
        return jnp.where(real, jnp.broadcast_to(fine, (n,)), 0.0), jnp.where(real & (self.lumps > 1), lump, 0.0)

    def inform(
        self, memory: Accord, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        n = situation.agents
        fine, lump = self.terms(memory.offer, memory.order)
        scale = jnp.maximum(jnp.maximum(jnp.abs(self.low), jnp.abs(self.high)), 1e-6)
        bound = (memory.stage == PLAY) & (memory.offer > 0)
        common = jnp.append(stages(memory.stage), lump / jnp.maximum(self.most, 1e-6))
        common = jnp.append(common, bound.astype(jnp.float32))
        own = jnp.stack([fine / scale, (memory.order < self.proposers).astype(jnp.float32)], 1)
        return {"terms": jnp.concatenate([jnp.broadcast_to(common, (n, 5)), own], 1)}

    def settle(
        self, key: PRNGKeyArray, memory: Accord, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Accord, State, Outcome]:  # fmt: skip
        n = situation.agents
        first = memory.order < self.proposers
        said = self.said(tried, "propose")
        lowest = jnp.where(first, said, self.heads(situation)["propose"]).min()
        agreed = jnp.where(lowest == jnp.where(first, said, 0).max(), lowest, 0)  # all proposers say the same
        signed = jnp.where((first | (self.said(tried, "sign") == 1)).all(), memory.offer, 0)
        stages = [memory.stage == PROPOSE, memory.stage == SIGN]
        offer = jnp.select(stages, [agreed, signed], memory.offer)

        fine, lump = self.terms(offer, memory.order)
        play = memory.stage == PLAY
        pay = jnp.where(play, fine, 0.0) * outcome.units(self.on)
        gift = jnp.where(memory.stage == SIGN, lump, 0.0) * jnp.where(memory.order == 0, n - 1.0, -1.0)
        bound = jnp.broadcast_to(play & (offer > 0), (n,))
        moved = gift + among_others(pay) - pay
        outcome = outcome.pay(moved, self, paid=pay, bound=bound)
        return Accord(jnp.minimum(memory.stage + 1, PLAY), offer, memory.order), state, outcome
