"""Learner: what turns experience into behaviour.  A script is a learner that never learns."""

from __future__ import annotations

from typing import Any

import equinox as eqx
from jaxtyping import Array, Int, PRNGKeyArray

from nomoi.core.situation import Action, Observation, Situation
from nomoi.errors import Refusal

Mind = Any  # what has been learned; a script has none
Carry = Any  # what agents remember within an episode
Run = Any  # a training between two updates: a mind, worlds, whatever else must go on from there

LEARNS = ("batch", "begin", "learn", "mind")  # what who learns writes beside `act`


class Learner(eqx.Module):
    """Behaviour for all n agents of a situation at once.

    To answer (a script needs no more than `act`; these are for one world, and `vmap` is the caller's):

    init(key, situation) -> mind              before any experience; () by default
    start(mind, situation) -> carry           at the start of every episode; () by default
    act(key, mind, situation, seen, carry)    in every step: everybody's answer to every head, {head: [n] int32}, each
        -> (action, carry)                    from 0 to choices - 1, and what is remembered.  `seen` is what
                                              `situation.observe` told, {name: [n, ...]}, and all that it may look at;
                                              the bits of `seen["view"]` are planes, which
                                              `nomoi.grid.bitplanes(view, len(outline(situation).planes))` takes apart

    To learn (all four, or none):

    batch                                     world steps, of all worlds together, between two updates; 0 for a script
    begin(key, situation, mind=None) -> run   before the first update; goes on from `mind` where one is given
    learn(situation, run, updates, total)     `updates` more updates (a Python int) of a training that will have `total`
        -> (run, tally)                       ([] int32), each in `situation.at(updates done / total)`, as rules may be
                                              phased in.  The new run has the shapes and types of the old one; `tally`
                                              (`nomoi.measure.ledger.Tally`) sums the episodes that ended meanwhile
    mind(run) -> mind                         what has been learned so far, as `init` shapes it: a part of the run

    All of it is pure: a frozen module whose fields are its options, and whose answers follow from its arguments (the
    key, the mind, the run), so that it may be jitted, vmapped over seeds and settings, interrupted and gone on with.
    What is learned may follow any `Objective`; what is true (payoffs and events) stands in the tally.
    """

    def __check_init__(self) -> None:
        lacks = [name for name in ("act", *LEARNS) if getattr(type(self), name) is getattr(Learner, name)]
        if "act" in lacks:
            raise Refusal(f"{self.name} lacks act; act(key, mind, situation, seen, carry) -> (action, carry) is right.")
        if lacks and lacks != list(LEARNS):
            raise Refusal(
                f"{self.name} lacks {' and '.join(lacks)}: who learns has batch, begin, learn and mind, "
                "and a script has none of them."
            )

    @property
    def name(self) -> str:
        return type(self).__name__.lower()

    def init(self, key: PRNGKeyArray, situation: Situation) -> Mind:
        """A mind before any experience."""
        return ()

    def start(self, mind: Mind, situation: Situation) -> Carry:
        """What agents remember at the start of an episode, for one world."""
        return ()

    def act(
        self, key: PRNGKeyArray, mind: Mind, situation: Situation, seen: Observation, carry: Carry
    ) -> tuple[Action, Carry]:
        """Everybody's answer to every head, {head: [n]}, in one world; and what is remembered."""
        raise Refusal(f"{self.name} lacks act.")

    @property
    def batch(self) -> int:
        """World steps between two updates; 0 for who never learns."""
        return 0

    def begin(self, key: PRNGKeyArray, situation: Situation, mind: Mind | None = None) -> Run:
        """A training before its first update, which goes on from `mind` where one is given."""
        raise Refusal(f"{self.name} is a script: it acts, and has nothing to learn.")

    def learn(self, situation: Situation, run: Run, updates: int, total: Int[Array, ""]) -> tuple[Run, Any]:
        """`updates` more updates of a training of `total`, with the tally of the episodes that ended meanwhile."""
        raise Refusal(f"{self.name} is a script: it acts, and has nothing to learn.")

    def mind(self, run: Run) -> Mind:
        """What has been learned so far."""
        raise Refusal(f"{self.name} is a script: it acts, and has nothing to learn.")
