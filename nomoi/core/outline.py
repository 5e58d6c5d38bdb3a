"""outline: the shapes of what a situation is made of, without computing any of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import equinox as eqx
import jax

from nomoi.core.situation import Observation, Situation, State
from nomoi.grid.scene import Scene

KEPT = 64  # outlines that are remembered (ours)


@dataclasses.dataclass(frozen=True)
class Outline:
    """Shapes and types (`jax.ShapeDtypeStruct`) in place of arrays; what is static, such as a scene's land, is there.

    state   of `reset`
    told    name -> [n, ...], of `observe`
    scene   None where there is nothing to look at
    """

    state: Any
    told: dict[str, Any]
    scene: Scene | None

    @property
    def planes(self) -> tuple[str, ...]:
        """The names of the bits of a cell of the view; none where there is no view."""
        return () if self.scene is None else self.scene.planes


_known: dict[Any, Outline] = {}


def outline(situation: Situation) -> Outline:
    """The outline of a situation, governed or not.  Situations that differ in settings alone have one, found once."""
    traced, plain = eqx.partition(situation, eqx.is_array)
    leaves, structure = jax.tree.flatten(traced)
    same = (structure, tuple((x.shape, x.dtype) for x in leaves), tuple(jax.tree.leaves(plain)))
    try:
        found = _known.get(same)
    except TypeError:  # something in it that cannot be looked up
        return _traced(situation)
    if found is None:
        if len(_known) >= KEPT:
            _known.pop(next(iter(_known)))
        found = _known[same] = _traced(situation)
    return found


def _traced(situation: Situation) -> Outline:
    def first(key: Any) -> tuple[State, Observation, Scene | None]:
        state = situation.reset(key)
        return state, situation.observe(state), situation.scene(state)

    return Outline(*jax.eval_shape(first, jax.random.key(0)))
