"""Who shares a stock with whom, and what institutions before say.  Shared by those that govern a commons.

Who is of which unit a situation says itself (`belongs`); all numbers here are [n], one for each agent.
"""

from __future__ import annotations

from collections.abc import Iterable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nomoi.core import Outcome, Situation
from nomoi.core.situation import State
from nomoi.errors import Refusal

JUDGED = ("excess", "poached", "violation")  # the last word of events that say what was not allowed
ACCUSED = ("accused", "caught")  # and of events that say who was seen to do it


def units(situation: Situation) -> np.ndarray:
    """[n, units] who is of which, 1 or 0, as the situation says; refused where that cannot be."""
    of, says = situation.belongs, f"{situation.bare.name}.belongs"
    if not isinstance(of, np.ndarray):
        raise Refusal(f"{says} is of type {type(of).__name__}; a NumPy array, [agents, units], would be right.")
    if of.ndim != 2 or len(of) != situation.agents or not of.shape[1]:
        raise Refusal(f"{says} is {list(of.shape)}; [{situation.agents}, units], a row an agent, would be right.")
    if not ((of == 0) | (of == 1)).all() or (of.sum(1) > 1).any() or not of.any(0).all():
        raise Refusal(f"{says} must be 1 and 0: nobody is of two units (a stranger is of none), and none is empty.")
    kinds = len(situation.kinds)
    if kinds and of.shape[1] not in (1, kinds):
        raise Refusal(
            f"{says} has {of.shape[1]} units, and there are {kinds} kinds of stock; one for each would be right."
        )
    return of.astype(np.float32)


def members(situation: Situation) -> np.ndarray:
    """[n] who is of a unit, 1 or 0."""
    return units(situation).sum(1)


def heads(situation: Situation) -> np.ndarray:
    """[n] how many are of one's own unit; 1 for strangers."""
    of = units(situation)
    return np.maximum((of * of.sum(0)).sum(1), 1)


def within(situation: Situation, x: Float[Array, " n"]) -> Float[Array, " n"]:
    """The sum of x over one's own unit; 0 for strangers."""
    of = units(situation)
    return (of * (of * x[:, None]).sum(0)).sum(1)


def evenly(situation: Situation, cost: Float[Array, " n"]) -> Float[Array, " n"]:
    """What each member pays where its unit bears evenly what costs [n] its members."""
    return within(situation, cost) / heads(situation)


def own(situation: Situation, each: Float[Array, " kinds"]) -> Float[Array, " n"]:
    """Of numbers about each kind of stock, the sum over what one's own unit holds; 0 for strangers."""
    of = units(situation)
    return (of * (each if of.shape[1] > 1 else each.sum()[None])).sum(1)


def ground(situation: Situation, state: State) -> Float[Array, " n"]:
    """The stock of one's own unit, in units; 0 for strangers."""
    return own(situation, situation.stock(state))


def room(situation: Situation) -> Float[Array, " n"]:
    """The most that one's own ground can hold, in units; 0 for strangers."""
    return own(situation, situation.capacity())


def events(names: Iterable[str], *words: str) -> list[str]:
    """Those that institutions emit and whose last word is one of `words`, whatever title they act under."""
    return [name for name in names if "." in name and name.rpartition(".")[2] in words]


def heard(outcome: Outcome, *words: str) -> Float[Array, " n"]:
    """What the institutions before say under these words, together; 0 of those that are not in force."""
    said = [outcome.events[name] for name in events(outcome.events, *words)]
    return sum(said, jnp.zeros(outcome.reward.shape[0]))


def column(x: Array) -> Float[Array, "n 1"]:
    """A feature of each agent."""
    return x.astype(jnp.float32)[:, None]
