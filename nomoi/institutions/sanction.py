"""Sanction: a hit costs the one who strikes, removes the one who is struck, and pays if it was deserved."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Measure, Outcome, Situation, choice, setting, size
from nomoi.core.measure import ratio
from nomoi.core.situation import Action, Observation, State
from nomoi.grid import Scene, rank
from nomoi.grid.lanes import once
from nomoi.grid.words import words

ONE, ALL = range(2)


class Memory(eqx.Module):
    """immune [n], steps for which a further hit has no effect; who could strike a violator, or only others, now."""

    immune: Int[Array, " n"]
    ripe: Bool[Array, " n"]
    idle: Bool[Array, " n"]


class Sanction(Institution):
    """Decentralised punishment whose worth is decided by a classification.

    Whoever hits another pays `cost`; if the one hit carries a violation (`by` says who classifies) the striker
    gains `reward` and the one hit loses `loss`; whoever is hit loses `harm` and is out of play for `exile` steps.
    Of several who strike one target in a step, one drawn at random counts, or `credit` goes to all.  With reward 0
    this is the vanilla commons, in which punishing is a public good.  After Koster et al. 2022 and Trivedi et al. 2024.

    Break-even: a hit pays in expectation only if it is right with probability above cost / reward, so agents
    that cannot tell wrong from right unlearn it.  `warmup` lets the cost rise from 0 over a share of training.

    needs     events zap and shot, <by>.violator and <by>.marked; aim; remove
    emits     sanction.correct, sanction.wrong [n] hits by the striker; sanction.struck [n] hits taken;
              sanction.ripe, sanction.seized [n] could have struck a violator, and fired;
              sanction.idle, sanction.strayed [n] could have struck only others, and fired
    senses    sanction.aim [n, 1 + L]: somebody would be hit now; and such a one bears each visible mark (L of them),
              where `aware`; without it punishing must be learned from the view, and is practised less
    memory    see Memory
    """

    by: str = size("altar", "the institution that classifies; empty is none, then no hit is deserved")
    cost: Float[Array, ""] = setting(
        10.0, "paid by the striker for each agent hit", 'the tutorial (Hadfield et al. 2024), "Punishing"', "reward", 0
    )
    reward: Float[Array, ""] = setting(
        20.0, "gained for hitting a violator", 'the tutorial (Hadfield et al. 2024), "Punishing"', "reward", 0
    )
    loss: Float[Array, ""] = setting(
        0.0, "lost by a violator who is hit", 'the tutorial (Hadfield et al. 2024), "Punishing" (none)', "reward", 0
    )
    harm: Float[Array, ""] = setting(0.0, "lost by whoever is hit", "ours", "reward", 0)
    fire: Float[Array, ""] = setting(0.0, "paid for each shot, whether it hits or not", "ours", "reward", 0)
    credit: Int[Array, ""] = choice("one", ("one", "all"), "of several who strike one target in a step, who counts")
    exile: Int[Array, ""] = setting(
        25, "steps out of play for whoever is hit", 'the tutorial (Hadfield et al. 2024), "Punishing"', "steps", 0
    )
    immunity: Int[Array, ""] = setting(0, "steps of safety after a hit or the return from it", "ours", "steps", 0)
    aware: bool = size(True, "whether agents sense that somebody would be hit, and what marks such a one bears")
    warmup: Float[Array, ""] = setting(0.0, "share of training over which the cost rises from 0", "ours", "", 0, 1)

    @property
    def sentence(self) -> str:
        worth = f", and gains {float(self.reward):g} if that one carries a violation" if self.by else ""
        hurt = f"; whoever is hit loses {float(self.harm):g}" if float(self.harm) else ""
        gone = f"; whoever is hit is out for {int(self.exile)} steps" if int(self.exile) else ""
        return f"Whoever hits another pays {float(self.cost):g}{worth}{hurt}{gone}."

    @property
    def needs(self) -> tuple[str, ...]:
        classifier = (f"{self.by}.violator", f"{self.by}.marked") if self.by else ()
        return ("zap", "shot", "aim", "remove", *classifier)

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "correct": Event("correct", "[n]", "hits", "hit a violator", True, "correct"),
            "wrong": Event("wrong", "[n]", "hits", "hit somebody who was none", True, "wrong"),
            "struck": Event("struck", "[n]", "hits", "was hit", True),
            "ripe": Event("ripe", "[n]", "steps", "could have struck a violator", True),
            "seized": Event("seized", "[n]", "steps", "could have struck a violator, and fired", True),
            "idle": Event("idle", "[n]", "steps", "could have struck only others", True),
            "strayed": Event("strayed", "[n]", "steps", "could have struck only others, and fired", True),
        }

    @property
    def measures(self) -> tuple[Measure, ...]:
        done = f"{self.by}.violation"
        recall = Measure("recall", "share", f"correct hits per violation, as the {self.by} judges",
                         lambda e: e.ratio("correct", done), ("correct", done), short="recall")  # fmt: skip
        return (
            Measure("precision", "share", "of hits, on violators",
                    lambda e: ratio(e.sum("correct"), e.sum("correct") + e.sum("wrong")), ("correct", "wrong"),
                    short="precision"),
            *((recall,) if self.by else ()),
            Measure("struck", "hits", "sanctions received, an agent", lambda e: e.events["struck"].mean(),
                    ("struck",), short="struck"),
            Measure("seized", "share", "of the steps in which one could strike a violator, those in which one fired",
                    lambda e: e.ratio("seized", "ripe"), ("seized", "ripe"), ("ripe",), short="seized"),
            Measure("strayed", "share", "of the steps in which one could strike only others, those in which one fired",
                    lambda e: e.ratio("strayed", "idle"), ("strayed", "idle"), ("idle",), short="strayed"),
        )  # fmt: skip

    def found(self, key: PRNGKeyArray, situation: Situation, state: State) -> Memory:
        nobody = jnp.zeros(situation.agents, bool)
        return Memory(jnp.zeros(situation.agents, jnp.int32), nobody, nobody)

    def settle(
        self, key: PRNGKeyArray, memory: Memory, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Memory, State, Outcome]:  # fmt: skip
        n = situation.agents
        guilty = once(outcome.events[f"{self.by}.violator"] > 0) if self.by else jnp.zeros(n, bool)
        fired = outcome.events["shot"] > 0
        hit = (outcome.events["zap"] > 0) & (memory.immune == 0)
        order = rank(words(key, n))[:, None]
        first = jnp.where(hit, order, n).min(0)  # the place in the order of the first to strike each
        hit = hit & ((order == first) | (self.credit == ALL))
        struck = hit.any(0)

        correct = (hit & guilty).sum(1).astype(jnp.float32)
        wrong = hit.sum(1).astype(jnp.float32) - correct
        amount = self.reward * correct - self.cost * (correct + wrong) - jnp.where(fired, self.fire, 0.0)
        amount = amount - jnp.where(struck, self.harm, 0.0) - jnp.where(struck & guilty, self.loss, 0.0)
        facts = {
            "correct": correct, "wrong": wrong, "struck": struck, "ripe": memory.ripe, "seized": memory.ripe & fired,
            "idle": memory.idle, "strayed": memory.idle & fired,
        }  # fmt: skip
        outcome = outcome.pay(amount, self, **facts)

        safe = jnp.where(struck, self.exile + self.immunity, jnp.maximum(memory.immune - 1, 0))
        safe = jnp.where(self.immunity > 0, safe, 0)
        state = situation.remove(state, struck, self.exile)
        marked = once(outcome.events[f"{self.by}.marked"] > 0) if self.by else jnp.zeros(n, bool)
        target = situation.aim(state) & (safe == 0)
        ripe = (target & marked).any(1)
        return Memory(safe, ripe, target.any(1) & ~ripe), state, outcome

    def inform(
        self, memory: Memory, situation: Situation, state: State, scene: Scene | None, told: Observation
    ) -> Observation:
        if not self.aware:
            return {}
        target = situation.aim(state) & (memory.immune == 0)
        seen = target.any(1, keepdims=True)
        if scene is not None:
            seen = jnp.concatenate([seen, scene.borne(target)], -1)
        return {"aim": seen.astype(jnp.float32)}

    def at(self, progress: Float[Array, ""]) -> Sanction:
        share = jnp.where(self.warmup > 0, jnp.clip(progress / jnp.maximum(self.warmup, 1e-6), 0, 1), 1.0)
        return eqx.tree_at(lambda s: s.cost, self, self.cost * share)
