"""Checks of a situation, governed or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key, PRNGKeyArray

from nomoi.core import Situation, outline, pilot
from nomoi.core.saying import listed
from nomoi.errors import Refusal
from nomoi.play.table import Told
from nomoi.play.words import choices, words
from nomoi.testing.common import (
    LONGEST,
    PATIENCE,
    Check,
    Life,
    Skip,
    Wrong,
    ask,
    brief,
    differences,
    glimpse,
    live,
    mismatches,
    shape,
)
from nomoi.testing.measured import measured
from nomoi.testing.sense import Sense


class Bench(Sense):
    """A situation under test, and what its checks share."""

    def __init__(self, situation: Situation):
        self.s, self.n, self.name = situation, situation.agents, situation.name
        self.key = jax.random.key(0)

    @cached_property
    def shapes(self) -> dict[str, Any]:
        return jax.eval_shape(lambda key: glimpse(key, self.s), self.key)

    @cached_property
    def life(self) -> Life:
        steps = min(self.s.horizon, LONGEST) + (PATIENCE if self.s.institutions else 0)
        return jax.tree.map(np.asarray, live(self.s, self.key, steps))

    def questions(self) -> dict[str, Callable[[], str]]:
        names = (
            "sizes", "actions", "words", "reset and state", "observe", "outcome", "events", "measures", "asked",
            "strict types", "pure", "vmap", "ends", "finite", "stock", "units", "conservation", "scene", "abilities",
            "impersonality", "chance",
        )  # fmt: skip
        return {name: getattr(self, "_" + name.replace(" ", "_")) for name in names}

    def run(self) -> Iterator[Check]:
        """All checks; where not even the first two steps can be traced, only that."""
        yield (first := ask("reset, step, observe", self._traces))
        if first.passed:
            yield from (ask(name, q) for name, q in self.questions().items())

    def _traces(self) -> str:
        return f"{self.name} is traced by jit ({len(jax.tree.leaves(self.shapes))} arrays in a step)."

    def _sizes(self) -> str:
        for what in ("agents", "horizon"):
            value = getattr(self.s, what)
            if not isinstance(value, int) or value < 1:
                raise Wrong(f"{self.name}.{what} is {value!r}; a whole number of at least 1 would be right.")
        return f"{self.n} agents, at most {self.s.horizon} steps."

    def _actions(self) -> str:
        if not self.s.actions:
            raise Wrong(f"{self.name}.actions is empty; at least one head, such as {{'move': 5}}, would be right.")
        for head, k in self.s.actions.items():
            if not isinstance(k, int) or k < 2:
                raise Wrong(f"head {head!r} of {self.name} has {k!r} choices; a whole number of at least 2 is right.")
        return ", ".join(f"{head}: {k} choices" for head, k in self.s.actions.items())

    def _words(self) -> str:
        try:
            said = choices(self.s)
            seen = {name: np.zeros(x.shape[1:], x.dtype) for name, x in outline(self.s).told.items()}
            for i in dict(zip(self.s.roles, range(self.n), strict=True)).values():  # one of each role
                words(self.s, Told(i, seen, dict(self.s.actions), True, 0))
        except Refusal as refusal:
            raise Wrong(str(refusal)) from None
        return "; ".join(f"{head}: {listed(labels)}" for head, labels in said.items())

    def _reset_and_state(self) -> str:
        wrong = mismatches(self.shapes["reset"], self.shapes["state"])
        if wrong:
            raise Wrong(f"the state of {self.name} changes its type in a step ({wrong[0]}); it must stay the same.")
        return "a step keeps the state's structure, shapes and types."

    def _observe(self) -> str:
        seen = self.shapes["observe"]
        if not seen:
            raise Wrong(f"{self.name}.observe tells agents nothing; give them at least one feature in `senses`.")
        for name, value in seen.items():
            if not value.shape or value.shape[0] != self.n:
                raise Wrong(
                    f"{name!r} of {self.name}.observe is {shape(value)}; its first axis must be the agents, {self.n}."
                )
            if name != "view" and not (jnp.issubdtype(value.dtype, jnp.floating) and len(value.shape) == 2):
                raise Wrong(f"{name!r} of {self.name}.senses is {shape(value)}; features must be [n, k] floats.")
        wrong = mismatches(seen, self.shapes["observe later"])
        if wrong:
            raise Wrong(f"what {self.name} shows changes its type in a step ({wrong[0]}); it must stay the same.")
        return ", ".join(f"{name} {shape(value)}" for name, value in seen.items())

    def _outcome(self) -> str:
        out = self.shapes["outcome"]
        pilot.outcomes(self.s, out)
        if not self.s.institutions and self.life.outcome.transfer.any():
            raise Wrong(f"{self.name} pays transfers; only institutions do, so put it into the reward or a rule.")
        return "reward and transfer are [n] floats, done is one bool."

    def _measures(self) -> str:
        return measured(self.s)

    def _events(self) -> str:
        events, emits = self.shapes["outcome"].events, self.s.emits
        if set(events) != set(emits):
            extra, missing = sorted(set(events) - set(emits)), sorted(set(emits) - set(events))
            parts = [f"emits {e!r} and does not say so" for e in extra] + [
                f"says it emits {m!r} and does not" for m in missing
            ]
            raise Wrong(f"{self.name} {parts[0]}; `emits` and the outcome must name the same events.")
        for name, event in emits.items():
            axes = {"[n]": (self.n,), "[n, n]": (self.n, self.n)}[event.shape]
            value = events[name]
            if value.shape != axes:
                raise Wrong(f"event {name!r} of {self.name} is {shape(value)}; the vocabulary says {event.shape}.")
            if event.good and not jnp.issubdtype(value.dtype, jnp.floating):
                raise Wrong(f"event {name!r} of {self.name} is {value.dtype}; an amount must be float32 (use .astype).")
        return f"emits exactly what it says: {', '.join(emits) or 'nothing'}."

    def _asked(self) -> str:
        asked = self.shapes["asked"]
        if set(asked) != set(self.s.actions):
            raise Wrong(f"{self.name}.asked names {sorted(asked)}; it must name the heads, {sorted(self.s.actions)}.")
        for head, value in (asked | {"present": self.shapes["present"]}).items():
            if value.shape != (self.n,) or value.dtype != jnp.bool_:
                raise Wrong(f"{head!r} in asked or present of {self.name} is {shape(value)}; [{self.n}] bool is right.")
        return "says who is asked at every head, and who is present."

    def _strict_types(self) -> str:
        with jax.numpy_dtype_promotion("strict"):
            jax.eval_shape(lambda key: glimpse(key, self.s), self.key)
        return "no type is promoted silently."

    def _pure(self) -> str:
        # Traced twice: what is drawn from anywhere but the key shows up as another program or other constants.
        a, b = (jax.make_jaxpr(lambda key, _=i: glimpse(key, self.s))(self.key) for i in range(2))
        if str(a) != str(b) or differences(list(a.consts), list(b.consts)):
            raise Wrong(f"{self.name} gives two results for one random key; draw all chance from the key.")
        return "all chance comes from the key."

    def _vmap(self) -> str:
        keys = jax.random.split(self.key, 3)
        many = _many(self.s, keys)
        for i in range(3):
            wrong = differences(_single(self.s, keys[i]), jax.tree.map(lambda x, i=i: x[i], many), exact=False)
            if wrong:
                raise Wrong(f"{self.name} differs under vmap (in {wrong[0]}); write for one world, with no batch axis.")
        return "many worlds at once equal one by one."

    def _ends(self) -> str:
        life = self.life
        if life.alive[-1] and not life.outcome.done[-1]:
            if life.held[-PATIENCE:].all() and self.s.institutions:
                raise Wrong(f"an institution on {self.name} convenes for ever; `holds` must become false.")
            if self.s.horizon > LONGEST:
                raise Skip(f"the horizon of {self.s.horizon} steps is too far to be played out here.")
            raise Wrong(
                f"{self.name} is not done after its horizon of {self.s.horizon} steps; set done at time >= horizon."
            )
        last = life.clock[int(np.argmax(life.outcome.done))]
        if last > self.s.horizon:
            raise Wrong(f"{self.name} ends after {last} steps, beyond its horizon of {self.s.horizon}.")
        return f"an episode of random play ends after {last} steps."

    def _finite(self) -> str:
        life = self.life
        after = life.alive & ~life.outcome.done  # what would be seen next is not shown once the episode is over
        seen = {f"observation {name!r}": fine | ~after for name, fine in life.finite.items()}
        got = {"reward": life.outcome.reward, "transfer": life.outcome.transfer} | life.outcome.events
        paid = {what: np.isfinite(x).reshape(len(x), -1).all(1) | ~life.alive for what, x in got.items()}
        for what, fine in (seen | paid).items():
            if not fine.all():
                raise Wrong(f"{what} of {self.name} is not finite at step {int(np.argmin(fine))} of random play.")
        return "all that is seen, paid and emitted is finite."


@eqx.filter_jit
def _single(situation: Situation, key: PRNGKeyArray) -> Any:
    return brief(key, situation)


@eqx.filter_jit
def _many(situation: Situation, keys: Key[Array, " many"]) -> Any:
    return jax.vmap(lambda key: brief(key, situation))(keys)
