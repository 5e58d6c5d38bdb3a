"""evaluate: the measures of a behaviour that no longer learns; episodes: its sums, agent by agent."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from nomoi.core import Situation
from nomoi.core.govern import choose
from nomoi.core.learner import Learner
from nomoi.core.worlds import advance, begin, renew
from nomoi.measure.ledger import Ledger, Tally
from nomoi.measure.measures import Episode


def evaluate(
    key: PRNGKeyArray, situation: Situation, learner: Learner, mind: Any = None, worlds: int = 16, steps: int = 0
) -> Float[Array, " M"]:
    """Means of `measures(situation)` over the episodes that end within `steps` (default: one horizon).

    Pure; may be jitted and vmapped over keys and settings.
    """
    begun, minds, acting = jax.random.split(key, 3)
    mind = learner.init(minds, situation) if mind is None else mind
    first = begin(begun, situation, worlds)
    start = learner.start(mind, situation)
    carry = jax.tree.map(lambda x: jnp.broadcast_to(x, (worlds, *x.shape)), start)
    ledger = jax.vmap(lambda s: Ledger.open(situation, s))(first.state)

    def tick(now: Any, t: Array) -> tuple[Any, None]:
        running, carry, ledger, tally = now
        keys = jax.random.split(jax.random.fold_in(acting, t), worlds)
        seen = running.observe(situation)
        action, carry = jax.vmap(lambda k, s, c: learner.act(k, mind, situation, s, c))(keys, seen, carry)
        running, outcome, done = advance(situation, running, action)
        ledger = jax.vmap(lambda led, *x: led.add(situation, *x))(ledger, running.state, outcome, running.turn)
        tally = tally.close(situation, ledger, done)
        running = renew(situation, running, done)
        carry = jax.vmap(lambda d, c: choose(d, start, c))(done, carry)
        ledger = jax.vmap(lambda d, led, s: led.reopen(d, situation, s))(done, ledger, running.state)
        return (running, carry, ledger, tally), None

    # an institution that convenes may add some steps to an episode
    steps = steps or situation.horizon + 8
    now, _ = jax.lax.scan(tick, (first, carry, ledger, Tally.empty(situation)), jnp.arange(steps))
    return now[3].means()


def episodes(
    key: PRNGKeyArray, situation: Situation, learner: Learner, mind: Any = None, worlds: int = 16, steps: int = 0
) -> Episode:
    """One episode in each world, as sums agent by agent: leaves are [W, ...].

    One that lasts longer than `steps` (default: one horizon and a little more) is cut.  Pure; may be jitted.
    """
    begun, minds, acting = jax.random.split(key, 3)
    mind = learner.init(minds, situation) if mind is None else mind
    first = begin(begun, situation, worlds)
    start = learner.start(mind, situation)
    carry = jax.tree.map(lambda x: jnp.broadcast_to(x, (worlds, *x.shape)), start)
    ledger = jax.vmap(lambda s: Ledger.open(situation, s))(first.state)

    def tick(now: Any, t: Array) -> tuple[Any, None]:
        running, carry, ledger, over = now
        keys = jax.random.split(jax.random.fold_in(acting, t), worlds)
        seen = running.observe(situation)
        action, carry = jax.vmap(lambda k, s, c: learner.act(k, mind, situation, s, c))(keys, seen, carry)
        running, outcome, done = advance(situation, running, action)
        more = jax.vmap(lambda led, *x: led.add(situation, *x))(ledger, running.state, outcome, running.turn)
        ledger = jax.vmap(choose)(over, ledger, more)
        return (running, carry, ledger, over | done), None

    steps = steps or situation.horizon + 8  # an institution that convenes may add some
    now, _ = jax.lax.scan(tick, (first, carry, ledger, jnp.zeros(worlds, bool)), jnp.arange(steps))
    return now[2].episode
