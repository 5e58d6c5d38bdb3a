"""evaluate: the measures of a behaviour that no longer learns; episodes: its sums, agent by agent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from nomoi.core import Situation
from nomoi.core.govern import choose
from nomoi.core.learner import Learner
from nomoi.core.measure import Episode
from nomoi.core.rollout import inhabited
from nomoi.measure.ledger import Ledger, Tally


def evaluate(
    key: PRNGKeyArray, situation: Situation, learner: Learner, mind: Any = None, worlds: int = 16, steps: int = 0
) -> Float[Array, " M"]:
    """Means of `measures(situation)` over the episodes that end within `steps` (default: one horizon).

    Pure; may be jitted and vmapped over keys and settings.
    """

    def note(tally: Tally, ledgers: Ledger, done: Array) -> Tally:
        return tally.close(situation, ledgers, done)

    return _live(key, situation, learner, mind, worlds, steps, lambda _: Tally.empty(situation), note).means()


def episodes(
    key: PRNGKeyArray, situation: Situation, learner: Learner, mind: Any = None, worlds: int = 16, steps: int = 0
) -> Episode:
    """One episode in each world, as sums agent by agent: leaves are [W, ...].

    One that lasts longer than `steps` (default: one horizon and a little more) is cut.  The worlds are the same for the
    same key, whoever lives in them.  Pure; may be jitted.
    """

    def note(noted: tuple[Ledger, Array], ledgers: Ledger, done: Array) -> tuple[Ledger, Array]:
        first, over = noted
        return jax.vmap(choose)(over, first, ledgers), over | done

    opened = lambda ledgers: (ledgers, jnp.zeros(worlds, bool))  # noqa: E731
    return _live(key, situation, learner, mind, worlds, steps, opened, note)[0].episode


def _live(
    key: PRNGKeyArray, situation: Situation, learner: Learner, mind: Any, worlds: int, steps: int,
    opened: Callable[[Ledger], Any], note: Callable[[Any, Ledger, Array], Any],
) -> Any:  # fmt: skip
    """What was noted after `steps` steps; `note` gets what was noted so far, all ledgers, and which episodes ended."""
    first, live = inhabited(key, situation, learner, worlds, mind)
    ledger = jax.vmap(lambda s: Ledger.open(situation, s))(first.worlds.state)

    def tick(now: Any, t: Array) -> tuple[Any, None]:
        running, ledger, noted = now
        running, after, outcome, done = live(running, t)
        ledger = jax.vmap(lambda led, *x: led.add(situation, *x))(ledger, after.state, outcome, after.turn)
        noted = note(noted, ledger, done)
        ledger = jax.vmap(lambda d, led, s: led.reopen(d, situation, s))(done, ledger, running.worlds.state)
        return (running, ledger, noted), None

    steps = steps or situation.horizon + 8  # an institution that convenes may add some
    return jax.lax.scan(tick, (first, ledger, opened(ledger)), jnp.arange(steps))[0][2]
