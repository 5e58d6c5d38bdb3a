"""Newcomers: people who join a community with several institutions, and must find out which of them counts."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Situation, choice, setting, size
from nomoi.core.learner import Learner
from nomoi.core.settings import Rule
from nomoi.core.situation import Action, Observation
from nomoi.errors import Refusal
from nomoi.institutions.authority import candidates
from nomoi.scripts.enforcer import Eyes
from nomoi.scripts.inference import NULLS, Inference
from nomoi.situations.walkers import ZAP

NOTHING, MAJORITY, TOLD, INFERRED = range(4)


class Standing(eqx.Module):
    """What a newcomer carries: the evidence [n, H] for each hypothesis, and the steps so far []."""

    evidence: Float[Array, "n H"]
    time: Int[Array, ""]


class Newcomer(Learner, Rule):
    """Eats what the institution permits that it believes in, and enforces that one; or eats anything.

    nothing    it has no module for norms: it eats anything and strikes nobody
    majority   it goes by what more than half of the institutions say
    told       it knows which one counts (`named`, and from step `turn` on `heir`)
    inferred   it reads the chronicle, and goes by the most probable candidate, unless it is sure that none counts
    The candidates are altars with relative sight, whose contents it knows; or, with `zones`, the rules "kind k is
    prohibited", where an altar with raw sight of that name shows which kind is which.
    """

    among: str = size("altar", "the candidate altars, with commas", "ours")
    zones: str = size(
        "",
        "instead, an altar with raw sight: the candidates are rules against one kind",
        "ours, after Oldenburg & Zhi-Xuan 2024",
    )
    chronicle: str = size("chronicle", "the public record it reads")
    sanction: str = size("sanction", "the sanction it strikes with, which must be aware")
    spare: Array = setting(0, "live neighbours that an apple must have to be eaten", "ours", "apples", 0)
    believes: Array = choice("inferred", ("nothing", "majority", "told", "inferred"), "what it goes by", "ours")
    named: Array = setting(0, "which one it was told counts, counted from 0; -1 is none", "ours", "", -1)
    heir: Array = setting(-1, "which one it was told counts from step `turn` on", "ours", "", -1)
    turn: Array = setting(0, "the step of the change it was told of; 0 is never", "ours", "steps", 0)
    caution: Array = setting(0.9, "probability that none counts, above which it heeds none", "ours", "", 0, 1)
    sure: Array = setting(
        0.5, "probability that one counts, above which it strikes for it", "ours, cost / reward of a strike", "", 0, 1
    )
    hit: Array = setting(0.9, "see Inference", "ours", "", 0, 1)
    forget: Array = setting(1.0, "see Inference", "ours", "", 0, 1)
    doubt: Array = setting(0.5, "see Inference", "ours", "", 0, 1)

    @property
    def inference(self) -> Inference:
        """How it weighs what it reads."""
        return Inference(hit=self.hit, forget=self.forget, doubt=self.doubt)

    def start(self, mind: Any, situation: Situation) -> Standing:
        count = len(self._grounds(situation))
        evidence = jnp.broadcast_to(self.inference.blank(count), (situation.agents, count + NULLS))
        return Standing(evidence, jnp.zeros((), jnp.int32))

    def belief(self, carry: Standing) -> Float[Array, "n H"]:
        """Posterior of each agent: the candidates, "nobody is sanctioned", "sanctions fall at random"."""
        return self.inference.posterior(carry.evidence)

    def act(
        self, key: PRNGKeyArray, mind: Any, situation: Situation, seen: Observation, carry: Standing
    ) -> tuple[Action, Standing]:
        walk, tie = jax.random.split(key)
        eyes = Eyes("newcomers", situation, seen, self.sanction)
        evidence = self.inference.learn(carry.evidence, *self._read(situation, seen))
        carry = Standing(evidence, carry.time + 1)
        belief = self.belief(carry)
        votes = self._votes(belief + jax.random.uniform(tie, belief.shape, maxval=1e-4), carry.time)

        grounds = self._grounds(situation)
        apple = eyes.restrained(self.spare)
        permits = jnp.stack([self._permits(eyes, ground) for ground in grounds], -1).astype(jnp.float32)
        convicts = jnp.stack([eyes.target(self._mark(ground)) for ground in grounds], -1).astype(jnp.float32)
        obeys = votes.sum(-1) > 0
        lawful = ((permits * votes[:, None, None]).sum(-1) > 0.5) | ~obeys[:, None, None]
        move = eyes.forage(walk, apple & lawful, jnp.zeros_like(apple))
        likely = (belief[:, :-NULLS] * votes).sum(-1) > self.sure
        strikes = ((convicts * votes).sum(-1) > 0.5) & (likely | (self.believes != INFERRED))
        other = {h: jnp.zeros(situation.agents, jnp.int32) for h in situation.actions if h != "move"}
        return {"move": jnp.where(strikes, ZAP, move).astype(jnp.int32), **other}, carry

    def heeds(self, belief: Float[Array, "*m H"]) -> Int[Array, "*m"]:
        """The candidate that it goes by where it infers, or -1 for none."""
        k = belief.shape[-1] - NULLS
        none = belief[..., k:].sum(-1) > self.caution
        return jnp.where(none, -1, belief[..., :k].argmax(-1))

    def _votes(self, belief: Float[Array, "n H"], time: Int[Array, ""]) -> Float[Array, "n K"]:
        """How much the word of each candidate weighs; all 0 where it heeds none."""
        n, k = len(belief), belief.shape[-1] - NULLS
        told = jnp.where((self.turn > 0) & (time > self.turn), self.heir, self.named)
        equal = jnp.full((n, k), 1 / k)
        one = lambda who: (jnp.broadcast_to(who, n)[:, None] == np.arange(k)).astype(jnp.float32)  # noqa: E731
        return jnp.stack([jnp.zeros((n, k)), equal, one(told), one(self.heeds(belief))])[self.believes]

    def _read(self, situation: Situation, seen: Observation) -> tuple[Array, Array]:
        """Chances taken and passed over in the last step, against anybody and against each candidate's convicts."""
        if f"{self.chronicle}.latest" not in seen:
            raise Refusal(f"newcomers read a public record, and {situation.name} has no {self.chronicle!r} over it.")
        kinds = len(situation.kinds)
        doings = seen[f"{self.chronicle}.latest"].reshape(situation.agents, 2, -1)
        first = 1 if self.zones else 1 + kinds
        last = 1 + kinds if self.zones else doings.shape[-1]
        if last - first != len(self._grounds(situation)):
            raise Refusal(
                f"the {self.chronicle} writes down {last - first} verdicts; a newcomer among {self.among} needs it to "
                f"keep those of just these, so chronicle.among={self.among} would be right."
            )
        taken, passed = jnp.moveaxis(jnp.concatenate([doings[..., :1], doings[..., first:last]], -1), 1, 0)
        return taken, passed

    def _grounds(self, situation: Situation) -> list[str]:
        return [str(k) for k in range(len(situation.kinds))] if self.zones else candidates(self.among)

    def _permits(self, eyes: Eyes, ground: str) -> Array:
        if not self.zones:
            return eyes.plane(f"{ground}.permitted")
        return ~eyes.plane(f"{self.zones}.kind.{ground}")

    def _mark(self, ground: str) -> str:
        return f"{self.zones}.trace.{ground}" if self.zones else f"{ground}.trace.prohibited"
