"""What becomes of a newcomer among residents: what it does and suffers, what it believes, and how the commons fares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from nomoi.core import Governed
from nomoi.core.learner import Learner
from nomoi.core.worlds import step
from nomoi.scripts.fixed import Mixed
from nomoi.scripts.inference import NULLS
from nomoi.scripts.newcomer import Newcomer

KNOWN = 0.95  # posterior, among the candidates, from which one counts as found (ours)
CURVE = (0, 1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)  # chances to sanction
EVERY = 20  # steps between two points of a curve (ours)

EVENTS = {
    "harvest": "harvest", "violation": "authority.violation", "struck": "sanction.struck",
    "correct": "sanction.correct", "wrong": "sanction.wrong", "fired": "chronicle.fired", "chance": "chronicle.chance",
}  # fmt: skip


@eqx.filter_jit
def _lives(key: PRNGKeyArray, place: Governed, learner: Learner, mind: Any, worlds: int) -> dict[str, Array]:
    def one(key: PRNGKeyArray) -> dict[str, Array]:
        born, acting, playing = jax.random.split(key, 3)
        state = place.reset(born)

        def tick(now: tuple[Any, Array, Any], t: Array) -> tuple[tuple[Any, Array, Any], dict[str, Array]]:
            state, turn, carry = now
            own = jax.random.fold_in(acting, t)
            action, carry = learner.act(own, mind, place, place.observe(state), carry)
            state, turn, outcome = step(place, playing, turn, state, action)
            facts = {name: outcome.events[event] for name, event in EVENTS.items()}
            facts |= {"payoff": outcome.payoff, "stock": place.stock(state) / place.capacity()}
            if isinstance(learner, Mixed) and isinstance(learner.first, Newcomer):
                facts["belief"] = learner.first.belief(carry[0])[0]
            return (state, turn, carry), facts

        first = (state, jnp.zeros((), jnp.int32), learner.start(mind, place))
        return jax.lax.scan(tick, first, jnp.arange(place.horizon))[1]

    return jax.vmap(one)(jax.random.split(key, worlds))


def lives(key: PRNGKeyArray, place: Governed, learner: Learner, mind: Any, worlds: int) -> dict[str, np.ndarray]:
    """One episode in each world, step by step: [W, T, n] of each event; stock [W, T, kinds]; belief [W, T, H], where
    agent 0 is a Newcomer; and chances [W, T], how often others than agent 0 could have struck somebody so far."""
    life = {name: np.asarray(value) for name, value in _lives(key, place, learner, mind, worlds).items()}
    return life | {"chances": life["chance"][..., 1:].sum(-1).cumsum(1)}


def behaviour(life: Mapping[str, np.ndarray]) -> dict[str, float]:
    """What the newcomer did and suffered, and how the commons fared: means over worlds, an episode."""
    mine = {name: life[name][..., 0].sum(1) for name in (*EVENTS, "payoff")}
    own = {name: float(mine[name].mean()) for name in ("harvest", "payoff", "violation", "struck", "correct", "wrong")}
    after = life["violation"].shape[1] // 2
    return own | {
        "compliance": 1 - _share(own["violation"], own["harvest"]),
        "late violation": float(life["violation"][:, after:, 0].sum(1).mean()),
        "others": float(life["harvest"][..., 1:].sum((1, 2)).mean()),
        "stock": float(life["stock"].mean()),
        "emptied": float((life["stock"].min(1) <= 0).mean()),
        "chances": float(life["chances"][:, -1].mean()),
        "fired": float(life["fired"][..., 1:].sum((1, 2)).mean()),
    }


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def beliefs(belief: np.ndarray, counts: np.ndarray, chances: np.ndarray, turn: int, caution: float) -> dict[str, float]:
    """What was inferred [W, T, H], where `counts` [T] says which candidate counts (-1 none).

    true         posterior of the truth at the end;  among  the same among the candidates alone, leaving out that none
                 counts;  found  share of worlds in which the truth is the most probable candidate then
    steps, seen  until `among` first reached KNOWN: steps, and chances to sanction (where it never did, those of the
                 whole time);  after a turn they are counted from it
    heeds false  share of the steps of the second half in which the candidate that is heeded does not count
    p m, q t     `true` after m chances, and `among` at step t (curves)
    """
    k, steps, half = belief.shape[-1] - NULLS, len(counts), len(counts) // 2
    candidates, nobody = belief[..., :k], belief[..., k:].sum(-1)
    best = candidates > candidates.max(-1, keepdims=True) - 1e-4  # of equals one is drawn
    best = best / best.sum(-1, keepdims=True)
    at = (slice(None), np.arange(steps), np.maximum(counts, 0))
    true = np.where(counts >= 0, candidates[at], nobody)  # [W, T]
    among = np.where(counts >= 0, candidates[at] / np.maximum(candidates.sum(-1), 1e-30), nobody)
    there = (among >= KNOWN) & (np.arange(steps) >= turn)
    first = np.where(there.any(1), there.argmax(1), steps - 1)
    before = chances[:, turn - 1] if turn else np.zeros(len(chances))
    false = np.where(nobody > caution, 0.0, np.where(counts >= 0, 1 - best[at], 1.0))
    out = {
        "true": true[:, -1].mean(),
        "among": among[:, -1].mean(),
        "found": (best[:, -1, counts[-1]] if counts[-1] >= 0 else nobody[:, -1] > 0.5).mean(),
        "steps": (first + 1 - turn).mean(),
        "seen": (np.take_along_axis(chances, first[:, None], 1)[:, 0] - before).mean(),
        "heeds false": false[:, half:].mean(),
    }
    for m in CURVE:
        when = (chances >= m).argmax(1)
        value = np.take_along_axis(true, when[:, None], 1)[:, 0]
        reached = chances[:, -1] >= m
        out[f"p {m}"] = value[reached].mean() if reached.any() else np.nan
    out |= {f"q {t}": among[:, t].mean() for t in range(0, steps, EVERY)}
    return {name: float(value) for name, value in out.items()}
