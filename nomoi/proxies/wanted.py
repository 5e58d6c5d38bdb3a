"""What is wanted of a step, written as an expression: `own - 2*sparse`.

It is arithmetic on what a step brought each agent: its own and the others' rewards, and the events of the situation and
of its institutions under their names (`altar.violation`).  The text is parsed on the whitelist of `Expression` and is
never evaluated as Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from nomoi.core import Outcome, Situation
from nomoi.errors import Refusal, nearest
from nomoi.measure.measures import measures
from nomoi.proxies.expression import Expression

WHERE = "the objective"
# the own payoff; the mean payoff of all others, 0 where there are none; what of the own payoff the world gave, and what
# institutions gave or took
REWARDS = ("own", "others", "reward", "transfer")


@lru_cache(maxsize=256)
def parsed(text: str) -> Expression:
    """The expression that a text is; refused where it is off the whitelist, or no expression at all."""
    return Expression(text, WHERE, dotted=True)


def written(text: Any) -> str:
    """The text as an option keeps it, once it is known to be an expression."""
    return Expression(text, WHERE, dotted=True).text


def names(situation: Situation) -> list[str]:
    """All that an objective may read there: rewards, and every event by who did it."""
    return [*REWARDS, *situation.emits]


def fits(text: str, situation: Situation, under: str = "") -> None:
    """Refuse an objective that reads what no step of the situation tells; `under` is how it is governed, in words."""
    known = names(situation)
    if not parsed(text).names:
        raise Refusal(f"{WHERE}, {text!r}, reads nothing of what happens; own - 2*sparse, say, would be right.")
    for name in sorted(parsed(text).names):
        if name in known:
            continue
        here = f"{situation.name}{f' under {under!r}' if under else ''}"
        if name in measures(situation):
            raise Refusal(f"{WHERE}, {text!r}, reads {name!r}, which is measured over a whole episode in {here}; what "
                          f"a step tells would be right: {', '.join(known)}.")  # fmt: skip
        raise Refusal(f"{WHERE}, {text!r}, reads {name!r}, which no step tells in {here}; {nearest(name, known)}")


def events(text: str) -> tuple[str, ...]:
    """The events that it reads, in the order of their names."""
    return tuple(sorted(parsed(text).names - set(REWARDS)))


def brought(outcome: Outcome, wanted: Any) -> Mapping[str, Float[Array, " n"]]:
    """The `wanted` names with what a step brought each agent [n]; events between two count for the row's agent."""
    payoff = outcome.payoff
    others = (payoff.sum() - payoff) / max(payoff.shape[0] - 1, 1)
    told = {"own": payoff, "others": others, "reward": outcome.reward, "transfer": outcome.transfer}
    for name in set(wanted) - set(told):
        event = outcome.events[name].astype(jnp.float32)
        told[name] = event if event.ndim == 1 else event.sum(1)
    return told


def worth(expression: Expression, outcome: Outcome) -> Float[Array, " n"]:
    """What a step is worth to each agent [n] by the expression."""
    value = expression(brought(outcome, expression.names), jnp)
    return jnp.broadcast_to(jnp.asarray(value, jnp.float32), outcome.reward.shape)
