"""Marks: what an act that was judged leaves on whoever did it.  Shared by all institutions that classify."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from nomoi.core import Event, Measure

LONG = 999  # steps: an age at which nothing is fresh any more


class Marks(eqx.Module):
    """Of each agent's last judged act: was it a violation, of which kind (`none` for none), how long ago."""

    verdict: Bool[Array, " n"]
    trace: Int[Array, " n"]
    age: Int[Array, " n"]
    none: int = eqx.field(static=True)

    @classmethod
    def blank(cls, agents: int, kinds: int) -> Marks:
        none = jnp.full(agents, kinds, jnp.int32)
        return cls(jnp.zeros(agents, bool), none, jnp.full(agents, LONG, jnp.int32), kinds)

    def judge(
        self, did: Bool[Array, " n"], wrong: Bool[Array, " n"], kind: Int[Array, " n"], span: Array, sticky: Array
    ) -> Marks:
        """One step later, after some `did` what is judged.  Where `sticky`, a legal act does not launder a mark.

        Verdicts are given at the moment of the act, so that a later change of the rule makes nobody guilty.
        """
        carried = sticky & self.verdict & (self.age < span) & ~wrong
        fresh = did & ~carried
        return Marks(
            jnp.where(fresh, wrong, self.verdict),
            jnp.where(fresh, kind, self.trace),
            jnp.where(fresh, 0, jnp.minimum(self.age + 1, LONG)),
            self.none,
        )

    def clear(self, who: Bool[Array, "*n"]) -> Marks:
        """Verdict and trace of `who` are erased."""
        trace, age = jnp.where(who, self.none, self.trace), jnp.where(who, LONG, self.age)
        return Marks(self.verdict & ~who, trace, age, self.none)

    def visible(self, span: Array) -> Bool[Array, " n"]:
        """Whose trace can still be seen."""
        return (self.age <= span) & (self.trace < self.none)

    def guilty(self, span: Array) -> Bool[Array, " n"]:
        """Who still carries a violation."""
        return self.verdict & (self.age <= span)


def judged(against: str, unit: str = "units", short: str = "") -> dict[str, Event]:
    """What every institution emits that classifies, so that a sanction works with any of them.

    `unit` is that of what it judges; `short` what the sum of violations is called for short.
    """
    return {
        "violation": Event("violation", "[n]", unit, f"done against {against}", True, short),
        "violator": Event("violator", "[n]", "steps", "carried a violation when beams struck", True),
        "marked": Event("marked", "[n]", "steps", "carries a violation after the step", True),
    }


def marked(by: str, short: str = "") -> Measure:
    """How much of the time agents carried a mark; of every institution that classifies."""
    return Measure(
        "marked", "share", f"agent-time marked by {by}", lambda e: e.share("marked"), ("marked",), short=short
    )
