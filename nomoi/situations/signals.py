"""Signals: each sees something of its own and must act at once, so all choose beforehand what to do on which signal."""

from __future__ import annotations

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from nomoi.core import Event, Outcome, Situation, setting, size, vocabulary
from nomoi.errors import Refusal
from nomoi.situations.places import known, players


def harm(gain: float = 1.0, loss: float = 3.0) -> list[Any]:
    """Payoffs [2, 2, 2, 2, 2]: who acts gains; where its signal was 0 (somebody is in the way), the other loses."""
    signal, act = np.meshgrid([0, 1], [0, 1], indexing="ij")
    done, hurt = gain * act, -loss * act * (1 - signal)  # [signal, action]
    first = done[:, None, :, None] + hurt[None, :, None, :]
    return [first.tolist(), first.transpose(1, 0, 3, 2).tolist()]


class State(eqx.Module):
    """signal, choice [n] those of the last time, -1 before the first; time []."""

    signal: Int[Array, " n"]
    choice: Int[Array, " n"]
    time: Int[Array, ""]


class Signals(Situation):
    """A game of private signals: nobody knows what the others saw, and each chooses a rule from signals to actions.

    Dilemma: whether an action does harm depends on a signal that only who acts can see.  By default acting pays who
    acts and, where its signal is 0, harms the other more.  Chosen beforehand, rules make it a game in normal form, so
    all that is known of games can be asked of it; what all rules together can bring is what a team gets whose members
    cannot talk (a decentralised problem, Dec-POMDP, of one step).  Afterwards everything is seen (histories are
    transparent), so a contract can be about *defect*, which is to act otherwise than the plan says on one's signal.
    A contract on *act* knows only what was done.

    observation  last [n, n * (S + A)] everybody's last signal and action, one-hot, oneself first; zeros at first
    actions      rule: 0 .. A^S - 1; rule r does r // A^s % A on signal s
    reward       payoff[i, s_1, ..., s_n, a_1, ..., a_n], signals drawn from the prior each time
    events       defect (departed from the plan), act (did not choose the first action)
    end          at `horizon`
    state        see State

    >>> from nomoi.situations.signals import Signals
    >>> Signals().actions
    {'rule': 4}
    """

    regimes: ClassVar = {"nothing": "", "contract": "contract(on=defect,high=2)", "blind": "contract(on=act,high=2)"}

    payoff: Float[Array, "n *axes"] = setting(harm(), "payoff [n, S, ..., S, A, ..., A], player first", "ours")  # noqa: F821
    prior: Float[Array, "*signals"] = setting(
        [[0.25, 0.25], [0.25, 0.25]], "how probable the signals [S, ..., S] are together", "ours", "", 0, 1
    )
    plan: Int[Array, " n"] = setting([2, 2], "the rule of each agent that is agreed on", "ours, act on signal 1", "", 0)
    horizon: int = size(1, "how often it is played", "ours", "steps", low=1)

    def __check_init__(self) -> None:
        n, (signals, actions) = self.agents, (self.payoff.shape[1:2], self.payoff.shape[-1:])
        if self.payoff.shape != (n, *n * signals, *n * actions) or self.prior.shape != n * signals:
            raise Refusal(
                f"signals.payoff has shape {list(self.payoff.shape)} and signals.prior {list(self.prior.shape)}; for n "
                "players with S signals and A actions they must be [n, S, ..., S, A, ..., A] and [S, ..., S]."
            )
        if not isinstance(self.prior, jax.core.Tracer) and abs(float(self.prior.sum()) - 1) > 1e-4:
            raise Refusal(f"signals.prior sums to {float(self.prior.sum()):g}; chances must sum to 1.")
        known = not isinstance(self.plan, jax.core.Tracer)
        if self.plan.shape != (n,) or (known and (np.asarray(self.plan) >= self.actions["rule"]).any()):
            raise Refusal(f"signals.plan must be a rule from 0 to {self.actions['rule'] - 1} for each of {n} agents.")

    @property
    def agents(self) -> int:  # type: ignore[override]
        return self.payoff.shape[0]

    @property
    def sorts(self) -> int:
        """How many signals one may see."""
        return self.payoff.shape[1]

    @property
    def deeds(self) -> int:
        """How many actions there are to choose from on a signal."""
        return self.payoff.shape[-1]

    @property
    def roles(self) -> tuple[str, ...]:
        """*player* for all in a symmetric game; else those play one part who can change places."""
        n, payoff, prior, plan = (
            self.agents,
            *(known(getattr(self, k), f"signals.{k}") for k in ("payoff", "prior", "plan")),
        )

        def alike(order: list[int]) -> bool:
            axes = (0, *(1 + i for i in order), *(1 + n + i for i in order))
            moved = payoff[order].transpose(axes), prior.transpose(order), plan[order]
            return all(np.array_equal(a, b) for a, b in zip(moved, (payoff, prior, plan), strict=True))

        return players(n, alike)

    @property
    def actions(self) -> dict[str, int]:
        return {"rule": self.deeds**self.sorts}

    @property
    def emits(self) -> dict[str, Event]:
        return vocabulary("defect", "act")

    @property
    def lots(self) -> int:
        return self.prior.size

    def reset(self, key: PRNGKeyArray) -> State:
        never = jnp.full(self.agents, -1, jnp.int32)
        return State(never, never, jnp.zeros((), jnp.int32))

    def step(self, key: PRNGKeyArray, state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        lot = jax.random.choice(key, self.lots, p=self.odds(state, action))
        return self.by_lot(lot.astype(jnp.int32), state, action)

    def odds(self, state: State, action: dict[str, Int[Array, " n"]]) -> Float[Array, " lots"]:
        return self.prior.ravel()

    def by_lot(self, lot: Int[Array, ""], state: State, action: dict[str, Int[Array, " n"]]) -> tuple[State, Outcome]:
        signal = jnp.stack(jnp.unravel_index(lot, self.prior.shape)).astype(jnp.int32)
        choice = self._does(action["rule"], signal)
        reward = self.payoff[(slice(None), *signal, *choice)]
        events = {
            "defect": (choice != self._does(self.plan, signal)).astype(jnp.float32),
            "act": (choice > 0).astype(jnp.float32),
        }
        time = state.time + 1
        return State(signal, choice, time), Outcome(reward, jnp.zeros(self.agents), events, time >= self.horizon)

    def _does(self, rule: Int[Array, " n"], signal: Int[Array, " n"]) -> Int[Array, " n"]:
        return rule // self.deeds**signal % self.deeds

    def senses(self, state: State) -> dict[str, Array]:
        n = self.agents
        signal = state.signal[:, None] == np.arange(self.sorts)
        choice = state.choice[:, None] == np.arange(self.deeds)
        seen = jnp.concatenate([signal, choice], 1).astype(jnp.float32)
        around = (np.arange(n)[:, None] + np.arange(n)) % n  # oneself first
        return {"last": seen[around].reshape(n, -1)}
