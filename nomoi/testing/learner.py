"""Checks of a learner or a script, on a situation in which it can act."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from nomoi.core import Institution, Situation, govern, pilot
from nomoi.core.learner import Learner
from nomoi.errors import Refusal
from nomoi.measure.ledger import Tally
from nomoi.testing.common import Check, Wrong, ask, card, differences, grounds, mismatches

SOME, UPDATES = 8, 2  # keys with which it is asked for an answer; updates that it makes


def check_learner(learner: Learner, among: Sequence[Situation] = ()) -> Iterator[Check]:
    """All that `Learner` promises, on the first situation of `among` that it does not refuse (default: `grounds`)."""
    refused: list[str] = []
    for place in grounds(among):
        try:
            learner.init(jax.random.key(0), place)
            Exam(learner, place).shapes  # noqa: B018
        except Refusal as refusal:
            refused.append(str(refusal))
        except Exception:  # the exam says what is wrong
            yield from Exam(learner, place).run()
            return
        else:
            yield from Exam(learner, place).run()
            return
    yield Check("acts", False, f"{learner.name} refuses every situation; the first one so: {refused[0]}")


class Exam:
    """A learner in a situation, and what its checks share."""

    def __init__(self, learner: Learner, situation: Situation):
        self.l, self.s, self.key = learner, situation, jax.random.key(0)
        self.name = f"{learner.name} in {situation.name}"

    def run(self) -> Iterator[Check]:
        """All checks; where not even its first answer can be traced, only that."""
        yield ask("card", lambda: card(type(self.l), ()))
        yield (acts := ask("acts", self._acts))
        if acts.passed is False:
            return
        yield from (ask("answers", self._answers), ask("pure", self._pure))
        if not self.l.batch:
            return
        learns = {"batch": self._batch, "begins": self._begins, "learns": self._learns, "goes on": self._goes_on}
        learns |= {"phases": self._phases}
        yield from (ask(name, question) for name, question in learns.items())

    @cached_property
    def shapes(self) -> tuple[Any, Any, Any]:
        """What it carries at the start, what it answers, what it carries then."""

        def first(key: Any) -> tuple[Any, Any, Any]:
            mind = self.l.init(key, self.s)
            carry = self.l.start(mind, self.s)
            return carry, *self.l.act(key, mind, self.s, self.s.observe(self.s.reset(key)), carry)

        return jax.eval_shape(first, self.key)

    def _acts(self) -> str:
        return pilot.answers(self.l, self.s)

    @cached_property
    def said(self) -> Any:
        """Its first answers with some keys, each asked twice, by vmap and one by one."""

        def first(key: Any) -> Any:
            mind = self.l.init(self.key, self.s)
            seen = self.s.observe(self.s.reset(self.key))
            return self.l.act(key, mind, self.s, seen, self.l.start(mind, self.s))[0]

        keys, one = jax.random.split(self.key, SOME), jax.jit(first)
        return jax.jit(jax.vmap(first))(keys), one(keys[0]), one(keys[0])

    def _answers(self) -> str:
        for head, value in self.said[0].items():
            pilot.in_reach(self.name, head, value, self.s.actions[head])
        pilot.tried(self.l, self.s)
        return "answers are choices that there are."

    def _pure(self) -> str:
        many, once, again = self.said
        if differences(once, again) or differences({h: x[0] for h, x in many.items()}, once):
            raise Wrong(f"{self.name} answers otherwise when asked again; answers must follow from the arguments.")
        return "the same key, mind and view bring the same answer, alone and in a vmap."

    def _batch(self) -> str:
        if not isinstance(self.l.batch, int) or self.l.batch < 1:
            raise Wrong(f"{self.name}.batch is {self.l.batch!r}; a whole number of world steps would be right.")
        return f"{self.l.batch} world steps between two updates."

    @cached_property
    def lived(self) -> tuple[Any, Any, Any, Any, Any]:
        """A mind, a run that begins with it, the run after some updates, the same once more, and the tally."""

        def begun(key: Any) -> tuple[Any, Any]:
            mind = self.l.init(key, self.s)
            return mind, self.l.begin(self.key, self.s, mind)

        mind, run = jax.jit(begun)(jax.random.key(7))
        learn = jax.jit(lambda run: self.l.learn(self.s, run, UPDATES, jnp.int32(2 * UPDATES)))
        after, tally = learn(run)
        return mind, run, after, learn(run)[0], tally

    def _begins(self) -> str:
        fresh = jax.eval_shape(lambda key: self.l.mind(self.l.begin(key, self.s)), self.key)
        wrong = mismatches(jax.eval_shape(lambda key: self.l.init(key, self.s), self.key), fresh)
        if wrong:
            raise Wrong(f"the mind of a run of {self.name} is not what init makes ({wrong[0]}).")
        mind, run, *_ = self.lived
        wrong = differences(self.l.mind(run), mind)
        if wrong:
            raise Wrong(f"a run of {self.name} that begins with a mind does not go on from it ({wrong[0]} differs).")
        return "a run begins with a new mind, or with the one that it is given."

    def _learns(self) -> str:
        _, run, after, again, tally = self.lived
        wrong = mismatches(run, after)
        if wrong:
            raise Wrong(f"a run of {self.name} changes its type in an update ({wrong[0]}); it must stay the same.")
        wrong = mismatches(jax.eval_shape(lambda: Tally.empty(self.s)), tally)
        if wrong:
            raise Wrong(f"{self.name}.learn gives no Tally of the measures of {self.s.name} ({wrong[0]}).")
        if differences(after, again):
            raise Wrong(f"{self.name} learns otherwise when it learns again from the same run; it must be pure.")
        for leaf in jax.tree.leaves(eqx.filter(self.l.mind(after), eqx.is_inexact_array)):
            if not np.isfinite(leaf).all():
                raise Wrong(f"the mind of {self.name} is not finite after {UPDATES} updates.")
        return f"the same run learns the same; {int(tally.count.max())} episodes ended and were counted."

    def _goes_on(self) -> str:
        """Updates made one by one, as a training that is interrupted makes them."""
        _, run, after, *_ = self.lived
        one = jax.jit(lambda run: self.l.learn(self.s, run, 1, jnp.int32(2 * UPDATES))[0])
        for _ in range(UPDATES):
            run = one(run)
        wrong = differences(self.l.mind(run), self.l.mind(after), exact=False)
        if wrong:
            raise Wrong(f"{self.name} learns otherwise in {UPDATES} parts than in one go ({wrong[0]} differs).")
        return "a training in parts is the training in one go."

    def _phases(self) -> str:
        """Whether rules that are phased in hear how far the training is."""
        heard = []

        class Slow(Institution):
            """Does nothing, and notes when it is asked what it is at a moment of the training."""

            def at(self, progress: Array) -> Institution:
                heard.append(progress)
                return self

        def learn(key: Any) -> Any:
            place = govern(self.s, Slow())
            return self.l.learn(place, self.l.begin(key, place), 1, jnp.int32(2))

        jax.eval_shape(learn, self.key)
        if not heard:
            raise Wrong(f"{self.name} never asks for situation.at(progress), so rules cannot be phased in.")
        return "rules that are phased in hear how far the training is."
