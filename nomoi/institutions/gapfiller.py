"""Gapfiller: norms or law supply the term that the parties to a contract would have agreed on."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtri
from jax.scipy.stats import norm as normal
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from nomoi.core import Event, Institution, Outcome, Situation, choice, setting, size, unit_of
from nomoi.core.situation import Action, State
from nomoi.errors import Refusal
from nomoi.grid.words import uniform
from nomoi.institutions.parley import among_others

ALL, DOER = range(2)


class Gapfiller(Institution):
    """Judges acts that no contract names, and makes who did them pay the others what they lost, as far as it knows.

    Parties who bargained without cost would have agreed that whoever harms the other makes it good: then each does it
    only where it is worth more than that.  This is the term that is supplied (Hadfield-Menell & Hadfield 2019).  With
    chance `look` an act comes before the gapfiller, who reckons what it cost the others as

        `knows` x the true loss + (1 - `knows`) x `custom` + `error` x a standard normal number

    and awards that, `multiple` times, where it is more than `minor`; below it the act is let pass.  So who knows
    nothing of the parties goes by custom alone, the same for every act: at 0 what is not forbidden is allowed, and
    high above it what is not allowed is forbidden.  Errors do not cancel: who was not harmed gets no less than nothing,
    and so now and then something, and what harms nobody becomes dear.  To look costs, and nobody gets it.

    needs     the event `on`, the acts that are judged, which no institution before it may name: that is the gap; events
              `named`, those of them that a term does name; and `effect`, what acts were worth to the others, as only
              the world knows.  All are [n] or [n, n] (then the row's agent did it)
    emits     gapfiller.looked [n] acts that came before it; gapfiller.breach [n] those of them that were held against
              who did them; gapfiller.damages [n] awarded against one; gapfiller.paid [n] for looking; the last two in
              units of reward
    memory    none

    >>> from nomoi import govern
    >>> from nomoi.institutions.deed import Deed
    >>> from nomoi.institutions.gapfiller import Gapfiller
    >>> from nomoi.situations.vases import Vases
    >>> sorted(e for e in govern(Vases(), Deed(), Gapfiller()).emits if e.startswith("gap"))
    ['gapfiller.breach', 'gapfiller.damages', 'gapfiller.looked', 'gapfiller.paid']
    """

    least = 2
    on: str = size("disturbed", "the acts that are judged", "ours")
    named: str = size("", "events among them that a term names, with commas: those are not judged", "ours")
    effect: str = size(
        "externality", "the event that tells what an act was worth to the others", "ours, after Pigou 1920"
    )
    value: Float[Array, ""] = setting(
        1.0,
        "what a unit of that is worth to the others; -2 where it counts what harms them by 2",
        "ours",
        "reward/unit",
    )
    knows: Float[Array, ""] = setting(
        1.0, "share of the true loss in what it reckons; the rest is custom", "ours", "", 0, 1
    )
    custom: Float[Array, ""] = setting(0.0, "what a unit of such acts is held to cost", "ours", "reward/unit", 0)
    error: Float[Array, ""] = setting(0.0, "standard deviation of what it reckons", "ours", "reward", 0)
    minor: Float[Array, ""] = setting(
        0.0, "losses up to which it lets an act pass (de minimis non curat lex)", "ours", "reward", 0
    )
    look: Float[Array, ""] = setting(1.0, "chance that an act comes before it", "ours", "", 0, 1)
    multiple: Float[Array, ""] = setting(
        1.0, "how many times the loss is awarded; 1 / look makes up for acts that escape", "ours, after Becker 1968",
        "", 0,
    )  # fmt: skip
    cost: Float[Array, ""] = setting(0.1, "what a look costs", "ours, the monitor's", "reward", 0)
    payer: Int[Array, ""] = choice("all", ("all", "doer"), "who pays for a look: all evenly, or who did the act")
    mean: Bool[Array, ""] = setting(
        False, "whether each act is charged what it would be on average, which leaves nothing to chance", "ours"
    )

    @property
    def sentence(self) -> str:
        knows, custom, error = float(self.knows), float(self.custom), float(self.error)
        parts = [f"{knows:g} of the true loss"] * (knows > 0) + [f"{1 - knows:g} of {custom:g}"] * (knows < 1)
        reckons = " and ".join(parts) + (f", give or take {error:g}" if error else "")
        award = f", {float(self.multiple):g} times" * (float(self.multiple) != 1)
        award += f" where that is more than {float(self.minor):g}" * (float(self.minor) > 0)
        return (
            f"No term names a {unit_of(self.on)}: with chance {float(self.look):g} it is judged, at a cost of "
            f"{float(self.cost):g}, and who did it pays the others {reckons}{award}."
        )

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.on, self.effect, *self._named)

    @property
    def _named(self) -> list[str]:
        return [name.strip() for name in self.named.split(",") if name.strip()]

    def fits(self, situation: Situation) -> None:
        for other in situation.institutions:
            if self.on in other.needs:
                raise Refusal(
                    f"{self.name} finds no gap: {other.name} names {self.on!r} itself; an event that no institution "
                    f"before it names, as {self.name}.on, would be right."
                )

    @property
    def emits(self) -> dict[str, Event]:
        return {
            "looked": Event("looked", "[n]", "acts", "came before the gapfiller", True),
            "breach": Event("breach", "[n]", "acts", "were held against who did them", True, "held against"),
            "damages": Event("damages", "[n]", "reward", "awarded to the others against who did it", True, "awarded"),
            "paid": Event("paid", "[n]", "reward", "paid for looking", True),
        }

    def chance(self, situation: Situation) -> str:
        look, error = np.asarray(self.look), np.asarray(self.error)
        random = ((look > 0) & (look < 1)) | (error > 0)
        drawn = random & ~np.asarray(self.mean)
        return "what it looks at, and how it errs (mean=true charges what that comes to on average)" * bool(drawn.any())

    def settle(
        self, key: PRNGKeyArray, memory: Any, situation: Situation, state: State, tried: Action, action: Action,
        outcome: Outcome,
    ) -> tuple[Any, State, Outcome]:  # fmt: skip
        n, named = situation.agents, sum((outcome.units(e) for e in self._named), jnp.zeros(()))
        units = jnp.maximum(outcome.units(self.on) - named, 0.0)
        words = uniform(key, 2 * n)
        loss = -self.value * outcome.units(self.effect)
        known = self.knows * loss + (1 - self.knows) * self.custom * units
        seen = jnp.where(self.mean, self.look, (words[:n] < self.look).astype(jnp.float32))
        looked = jnp.where(units > 0, seen, 0.0)
        breach, award = (looked * x for x in self.ruling(known, words[n:]))
        damages = self.multiple * award
        looks = self.cost * looked
        paid = jnp.where(self.payer == ALL, looks.mean(), looks)
        told = {"looked": looked, "breach": breach, "damages": damages, "paid": paid}
        return memory, state, outcome.pay(among_others(damages) - damages - paid, self, **told)

    def ruling(self, known: Float[Array, " n"], words: Float[Array, " n"]) -> tuple[Array, Array]:
        """Whether what is `known` is held against one, and what is awarded once: drawn, or on average."""
        drawn = known + self.error * ndtri(jnp.clip(words, 1e-7, 1 - 1e-7))
        reckoned = jnp.where(self.mean, known, drawn)
        held = reckoned > self.minor
        spread = jnp.where(self.error > 0, self.error, 1.0)
        above = (known - self.minor) / spread
        odds, part = normal.cdf(above), known * normal.cdf(above) + spread * normal.pdf(above)
        usual = self.mean & (self.error > 0)
        return jnp.where(usual, odds, held.astype(jnp.float32)), jnp.where(usual, part, jnp.where(held, reckoned, 0.0))
