"""Wardens: scripted residents who live by an altar's colour and keep it, among whom a learner can be put."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Situation, outline, setting, size
from nomoi.core.learner import Learner
from nomoi.core.settings import Rule
from nomoi.core.situation import Action, Observation
from nomoi.errors import Refusal
from nomoi.grid.scene import Scene
from nomoi.scripts.fixed import _step
from nomoi.situations.walkers import ZAP


class Warden(Learner, Rule):
    """The resident of the altar version of Allelopathic Harvest (Trivedi et al. 2024, code).

    What comes first:

    strike  once the grace is over, where the beam is ready and somebody would be hit, but nobody who wears the
            permitted colour; so whoever wears another, or none, is struck
    plant   the permitted colour, where the bush ahead can take it, in `zeal` of such moments; with `renew` also on a
            bush that has it already, when it does not wear that colour itself
    roam    walks to the nearest ripe berry in sight, whatever its colour; without one, wanders

    Carries how many steps of the episode are over, and answers 0 to every head but `move`.
    """

    colour: int = size(-1, "the colour it holds for permitted, counted from 0; -1 is what it read at the altar", low=-1)
    zeal: Float[Array, ""] = setting(
        0.8, "share of the chances to plant that it takes", "Trivedi et al. 2024, code (.7 to .9)", "", 0, 1
    )
    grace: Int[Array, ""] = setting(
        50, "first steps of an episode in which it strikes nobody", "Trivedi et al. 2024, code", "steps", 0
    )
    renew: Bool[Array, ""] = setting(False, "whether it plants to be painted; of use only where the world repaints")
    reach: int = size(3, "how far it plants", "Melting Pot (Leibo et al. 2021), allelopathic_harvest__open", "cells", 1)

    def start(self, mind: Any, situation: Situation) -> Int[Array, ""]:
        return jnp.zeros((), jnp.int32)

    def act(
        self, key: PRNGKeyArray, mind: Any, situation: Situation, seen: Observation, carry: Int[Array, ""]
    ) -> tuple[Action, Int[Array, ""]]:
        n, kinds = situation.agents, situation.kinds
        scene = outline(situation).scene
        self._fits(situation, scene, seen)
        assert scene is not None  # it shows planes
        plane = {name: (seen["view"] >> scene.planes.index(name)) & 1 == 1 for name in scene.planes}
        told = seen["altar.mind"][:, : len(kinds)] if self.colour < 0 else np.eye(len(kinds))[[self.colour] * n]
        permitted = jnp.asarray(told > 0)
        keys = jax.random.split(key, n + 1)

        aim, bodies = seen["sanction.aim"] > 0, sorted(scene.bodies)
        worn = jnp.stack([aim[:, 1 + bodies.index(f"worn.{kind}")] for kind in kinds], -1)
        ready = (seen["ready"][:, 0] >= 1) & (carry >= self.grace)
        strikes = ready & permitted.any(1) & aim[:, 0] & ~(worn & permitted).any(1)

        lacks = self.renew & ~((seen["own"][:, : len(kinds)] > 0) & permitted).any(1)
        plants = _open(scene, plane, permitted, kinds, self.reach, lacks) & permitted.any(1)
        plants = plants & (seen["sow"][:, 0] >= 1) & (jax.random.uniform(keys[0], (n,)) < self.zeal)

        blocked = plane["agent"] | plane["wall"]
        move = jax.vmap(_step, (0, 0, 0, None))(keys[1:], plane["bush.ripe"], blocked, scene.extent)
        move = jnp.where(plants, ZAP + 1 + permitted.argmax(1).astype(jnp.int32), move)
        move = jnp.where(strikes, ZAP, move)
        other = {h: jnp.zeros(n, jnp.int32) for h in situation.actions if h != "move"}
        return {"move": move, **other}, carry + 1

    def _fits(self, situation: Situation, scene: Scene | None, seen: Observation) -> None:
        kinds = situation.kinds
        if self.colour >= len(kinds):
            raise Refusal(f"warden.colour is {self.colour}, and {situation.name} has {len(kinds)} colours.")
        planes = ("agent", "wall", "bush.ripe", *(f"{thing}.{k}" for thing in ("bush", "worn") for k in kinds))
        there = set(seen) | set(() if scene is None else scene.planes)
        told = ("ready", "sow", "own", "sanction.aim") + (("altar.mind",) if self.colour < 0 else ())
        for need in (*planes, *told):
            if need not in there:
                raise Refusal(
                    f"wardens look at {need!r}, which {situation.name} does not show; they live in allelopathic, under "
                    "an altar (or told their colour) and a sanction that makes aware."
                )
        if situation.actions.get("move", 0) <= ZAP + len(kinds):
            raise Refusal(f"wardens plant, and {situation.name} has no way to; allelopathic has.")


def _open(
    scene: Scene, plane: dict[str, Array], permitted: Bool[Array, "n K"], kinds: tuple[str, ...], reach: int,
    any_: Bool[Array, " n"],
) -> Bool[Array, " n"]:  # fmt: skip
    """Whether the first bush straight ahead, with nobody before it, is unripe and, unless `any_` will do, has not yet
    the permitted colour."""
    line = scene.extent.ahead - np.arange(1, min(reach, scene.extent.ahead) + 1)
    ahead = {name: layer[:, line, scene.extent.side] for name, layer in plane.items()}  # [n, reach]
    colour = jnp.stack([ahead[f"bush.{kind}"] for kind in kinds], -1)
    wrong = colour.any(-1) & (any_[:, None] | ~(colour & permitted[:, None]).any(-1)) & ~ahead["bush.ripe"]
    stop = colour.any(-1) | ahead["agent"] | ahead["wall"]
    nearest = jnp.cumsum(stop, 1) - stop.astype(jnp.int32) == 0
    # a body on the bush itself does not shield it, one on the way does
    return (wrong & nearest).any(1)
