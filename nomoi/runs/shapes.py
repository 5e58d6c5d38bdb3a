"""Shapes: regimes that share one program, as one stack of institutions of which some are not in force.

So a regime without an altar has the same network and the same observations, with the altar's part at zero, and only
settings differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nomoi.core import Governed, Institution, Situation, govern, options
from nomoi.measure.measures import measures


def one_program(situation: Situation, stacks: Sequence[tuple[Institution, ...]]) -> list[Situation]:
    """The situation under each stack of institutions, all as one stack of institutions where their shapes allow it.

    Those whose institutions of one name differ in static options, or stand in another order, get a stack of their own
    (and so another program).
    """
    merged: list[dict[str, Institution]] = []
    home: list[int] = []
    for stack in stacks:
        govern(situation, *stack)  # refuses what does not fit
        mine = {i.name: i for i in stack}
        for place, known in enumerate(merged):
            both = _merge(known, mine)
            if both is not None:
                merged[place] = both
                home.append(place)
                break
        else:
            merged.append(mine)
            home.append(len(merged) - 1)
    return [_under(situation, merged[p], stack) for p, stack in zip(home, stacks, strict=True)]


def _under(situation: Situation, merged: Mapping[str, Institution], stack: Sequence[Institution]) -> Situation:
    mine = {i.name: i for i in stack}
    return govern(situation, *(mine.get(name) or other.replace(in_force=False) for name, other in merged.items()))


def _merge(stack: dict[str, Institution], mine: dict[str, Institution]) -> dict[str, Institution] | None:
    """One order that holds both, or None where their shapes or orders contradict each other."""
    for name in stack.keys() & mine.keys():
        if _shape(stack[name]) != _shape(mine[name]):
            return None
    order = list(stack)
    place = 0
    for name in mine:
        if name in order:
            if order.index(name) < place:
                return None
            place = order.index(name) + 1
        else:
            order.insert(place, name)
            place += 1
    return {name: stack.get(name, mine.get(name)) for name in order}  # type: ignore[misc]


def _shape(institution: Institution) -> Any:
    leaves, tree = jax.tree.flatten(institution)
    return tree, [leaf.shape for leaf in leaves]


def plain(situation: Situation) -> Situation:
    """The situation without institutions that are not in force.

    Those that keep the shape of what is seen and answered stay, with the settings of a new one: whatever they would
    be set to, what happens is the same.
    """
    stack = situation.institutions
    idle = {i.name for i in stack if not _ever(i)}
    if not idle:
        return situation
    kept = {i.name for i in stack if i.name not in idle or _seen(i, situation.bare)}
    while more := {i.name for i in stack if i.name not in kept and _needed(i, [k for k in stack if k.name in kept])}:
        kept |= more
    left = tuple(_blank(i) if i.name in idle else i for i in stack if i.name in kept)
    return Governed(situation.bare, left) if left else situation.bare


def _ever(institution: Institution) -> bool:
    """Whether it is in force, or comes into force during training."""
    moments = np.linspace(0, 1, 21) if type(institution).at is not Institution.at else ()
    return bool(institution.in_force) or any(bool(institution.at(jnp.float32(t)).in_force) for t in moments)


def _needed(institution: Institution, others: Sequence[Institution]) -> bool:
    """Whether others read its events, which then are there, at zero."""
    return any(need.startswith(f"{institution.name}.") for other in others for need in other.needs)


def _seen(institution: Institution, situation: Situation) -> bool:
    """Whether it adds to what agents see or answer."""
    mine = type(institution)
    shows = mine.layers is not Institution.layers or mine.inform is not Institution.inform
    return shows or bool(institution.heads(situation))


def _blank(institution: Institution) -> Institution:
    new = type(institution)(
        **{n: getattr(institution, n) for n, o in options(type(institution)).items() if o.kind == "size"}
    )
    shape = lambda n: getattr(institution, n).shape == getattr(new, n).shape  # noqa: E731
    odd = [n for n, o in options(type(institution)).items() if o.kind != "size" and not shape(n)]
    return new.replace(in_force=False, **{n: getattr(institution, n) for n in odd})


def in_force(situation: Situation) -> set[str]:
    """Measures that mean something here: not those of institutions that are there only to keep the shape."""
    idle = {i.name for i in situation.institutions if not bool(i.in_force)}
    return {m for m, measure in measures(situation).items() if not idle & {n.partition(".")[0] for n in measure.needs}}
