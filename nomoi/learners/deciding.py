"""Objectives on decisions: what one member wants, what all want put together, or what an institution decides.

They differ in nothing but the score of a verdict.  What is sensed, such as the text of the rules, is no objective: a
bench tells it to whoever moderates, whatever they want.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from nomoi.core import Outcome, Situation, setting, size
from nomoi.errors import Refusal, nearest
from nomoi.learners.objectives import Objective
from nomoi.voices import aggregates


def _judged(objective: str, situation: Situation, outcome: Outcome) -> tuple[Array, Array, Array]:
    """The moderator's verdict [], what members say they wish [members], and who of them is here [members]."""
    for event in ("verdict", "wish"):
        if event not in situation.emits:
            raise Refusal(f"{objective} wants verdicts that members wish for, and {situation.name} emits no {event!r}; "
                          "moderation does.")  # fmt: skip
    wish = outcome.events["wish"][1:]
    return outcome.events["verdict"][0], wish, wish >= 0


def _first(score: Array, outcome: Outcome) -> Array:
    """The score to the moderator, and to all others their own payoff."""
    return jnp.concatenate([score[None], outcome.payoff[1:]])


class Individual(Objective):
    """The moderator wants the verdict that one member says it wants; everybody else wants their own payoff."""

    member: int = size(0, "which member, from 0", "ours", low=0)

    def feel(self, memory: Array, situation: Situation, outcome: Outcome) -> tuple[Array, Array]:
        verdict, wish, here = _judged("individual", situation, outcome)
        if self.member >= len(wish):
            raise Refusal(f"individual.member is {self.member}; {situation.name} has members 0 to {len(wish) - 1}.")
        score = aggregates.principal(wish, here, (), self.member)[verdict]
        return memory, _first(jnp.where(here[self.member], score, 0.0), outcome)


def _rule(word: Any) -> str:
    if word not in aggregates.RULES:
        raise Refusal(f"aggregate.rule is {word!r}; {nearest(str(word), aggregates.RULES, 'rule')}")
    return word


class Aggregate(Objective):
    """The moderator wants verdicts that score high by a rule of social choice over what all members say they wish.

    mean, plurality, median (of what each wants most), borda, consensus (across groups), worst (the worst-off group)
    """

    rule: str = size("mean", "the rule", "ours", converter=_rule)

    def feel(self, memory: Array, situation: Situation, outcome: Outcome) -> tuple[Array, Array]:
        verdict, wish, here = _judged("aggregate", situation, outcome)
        groups = situation.bare.groups  # type: ignore[attr-defined]
        return memory, _first(aggregates.score(self.rule, wish, here, groups)[verdict], outcome)


class Decisions(Objective):
    """Wants what an institution decides, of what it decided: `weight` for each verdict that is the institution's, or
    less it for each act that it finds to be a violation, whether or not anybody punishes it; and the own payoff.

    Where the institution did not speak there is nothing to want but the payoff.
    """

    of: str = size("bench", "the institution, by the name it acts under", "ours")
    weight: Float[Array, ""] = setting(1.0, "utility of a verdict as decided, or lost by a violation", "ours")
    beside: Float[Array, ""] = setting(1.0, "utility of one unit of the own payoff", "ours", "per reward")

    def feel(self, memory: Array, situation: Situation, outcome: Outcome) -> tuple[Array, Array]:
        own = self.beside * outcome.payoff
        if f"{self.of}.violation" in situation.emits:
            return memory, own - self.weight * outcome.units(f"{self.of}.violation")
        if f"{self.of}.decision" not in situation.emits:
            there = [i.name for i in situation.institutions if {"violation", "decision"} & i.emits.keys()]
            more = nearest(self.of, there, "institution that does") if there else "nothing that governs it does."
            raise Refusal(f"decisions.of is {self.of!r}, which decides nothing on {situation.name}; {more}")
        decided = outcome.events[f"{self.of}.decision"][0]
        score = jnp.where((decided >= 0) & (outcome.events["verdict"][0] == decided), self.weight, 0.0)
        return memory, own.at[0].add(score)
