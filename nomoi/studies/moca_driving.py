"""Learned contracts on the road: an ambulance must merge among cars that gain nothing by letting it pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from nomoi.core import Situation
from nomoi.core.learner import Learner
from nomoi.core.situation import Action, Observation
from nomoi.runs.study import Claim, Results, Scripted, Study, Trial
from nomoi.situations.driving import Driving
from nomoi.studies import moca

SELFISH, YIELDING = "selfish cars", "yielding cars"
SIZES = (2, 4)


class Selfish(Learner):
    """Everybody accelerates."""

    def act(
        self, key: PRNGKeyArray, mind: Any, situation: Situation, seen: Observation, carry: Any
    ) -> tuple[Action, Any]:
        still = {h: jnp.zeros(situation.agents, jnp.int32) for h in situation.actions}
        return still | {"pedal": jnp.full(situation.agents, situation.actions["pedal"] - 1)}, carry


class Yielding(Learner):
    """Cars brake until the ambulance has merged."""

    def act(
        self, key: PRNGKeyArray, mind: Any, situation: Situation, seen: Observation, carry: Any
    ) -> tuple[Action, Any]:
        action, carry = Selfish().act(key, mind, situation, seen, carry)
        merged, _, ambulance = (seen["road"][:, k] > 0 for k in (-3, -2, -1))
        return action | {"pedal": jnp.where(merged | ambulance, action["pedal"], 0)}, carry


def trials(size: str) -> Sequence[Trial]:
    steps = {"smoke": 8_000, "laptop": 500_000, "paper": 10_000_000}[size]
    # A step of the ambulance costs 100, one of a car 1: with one set of parameters for all, what the ambulance wants
    # drowns what cars want, and these yield without a reason.  Each has a policy of its own, as in the published code.
    options: dict[str, Any] = {"scale": 0.01, "shared": False}
    options |= {"worlds": 8, "steps": 16, "minibatches": 2} if size == "smoke" else {}
    out: list[Trial] = []
    for n in SIZES:
        place, tag = Driving(agents=n), f"merge of {n}"
        terms, unpaid = {"on": "lead", "to": "whom", "high": 100}, moca.useless_of("yielded", 100)
        out += [Scripted(f"{SELFISH}, {tag}", place, Selfish()), Scripted(f"{YIELDING}, {tag}", place, Yielding())]
        out += moca.arms(place, tag, terms, unpaid, 10.0, steps, options, joint=True)
    return out


def _gap(label: str, n: int):
    """How much of the way from selfish to yielding cars `label` goes, seed by seed."""

    def effect(results: Results) -> np.ndarray:
        one, all_, low = (results.late(f"{x}, merge of {n}", "reward") for x in (label, YIELDING, SELFISH))
        return (one - low) / (all_ - low)

    return effect


def _claims(n: int) -> list[Claim]:
    tag = f"merge of {n}"
    near = lambda r: r.late(f"{moca.SEPARATE}, {tag}", "reward") / r.late(f"{SELFISH}, {tag}", "reward")  # noqa: E731
    return [
        *moca.orderings(tag, "reward", moca.JOINT),
        Claim(f"Separate learners drive like selfish cars ({tag})", "ours", near, near=1, tolerance=0.15,
              unit="of their cost", kind="ours"),
        Claim(f"MOCA closes 70 % of the gap to yielding cars ({tag})", "ours", _gap(moca.MOCA, n), above=0.7,
              unit="of the gap", kind="ours"),
    ]  # fmt: skip


def sections(results: Results) -> list[object]:
    labels = [moca.SEPARATE, moca.COMMON, moca.JOINT, moca.GIFTING, moca.VANILLA, moca.PLAY, moca.MOCA]
    return [
        make
        for n in SIZES
        for make in (
            moca.curves(results, f"merge of {n}", labels, "reward an episode"),
            moca.choices(results, f"merge of {n}", "reward an episode"),
            moca.table(results, f"merge of {n}"),
        )
    ]


STUDY = Study(
    "moca_driving",
    "Do cars that can sign contracts learn to let an ambulance pass?",
    [claim for n in SIZES for claim in _claims(n)],
    trials,
    {"smoke": 1, "laptop": 5, "paper": 10},
    sections,
    "Five accelerations and 100 steps instead of continuous ones and 1000. Scripts give the two ends of the scale.",
    ("reward", "yielded", "equality", "bound", "contracted"),
)
