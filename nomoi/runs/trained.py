"""Trained trials: agents that learn in a situation, and what they learned."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from nomoi.core import Institution, Situation, govern, pilot
from nomoi.core.learner import Learner
from nomoi.core.outline import outline
from nomoi.core.spec import spec
from nomoi.errors import Refusal
from nomoi.learners.nets import Net, graft
from nomoi.learners.ppo import PPO
from nomoi.measure.measures import measures
from nomoi.runs.record import Curve, Record
from nomoi.runs.shapes import in_force, plain
from nomoi.runs.trial import Arrays, Trial, named, trial_of

POINTS = 32  # of a curve (ours)


@dataclasses.dataclass(frozen=True, eq=False)
class Trained(Trial):
    """Agents that learn in a situation under institutions, for at least `steps` world steps.

    snapshots  how many times on the way what has been learned is kept;  film  whether the record holds one;
    parent     the label of another trained trial whose minds, seed by seed, these begin with (pretraining); it may be
               in another situation: what both know by name is carried over (see `nets.graft`)
    """

    situation: Situation
    under: tuple[Institution, ...] = ()
    steps: float = 500_000
    learner: Learner = dataclasses.field(default_factory=PPO)
    snapshots: int = 0
    film: bool = named(False)

    reaches: ClassVar[Sequence[str]] = ("nomoi.measure.ledger", "nomoi.core.worlds")

    @cached_property
    def place(self) -> Situation:
        """The situation under its institutions; those that only keep the shape of a program are there too."""
        return govern(self.situation, *self.under)

    @cached_property
    def schedule(self) -> tuple[int, int]:
        """(updates, updates a chunk)."""
        return schedule(self.learner, self.steps)

    @property
    def length(self) -> int:
        """World steps of the whole run."""
        return self.schedule[0] * self.learner.batch

    def spec(self) -> dict[str, Any]:
        told = super().spec()
        del told["options"]["under"]
        told["options"] |= {"situation": spec(plain(self.place)), "steps": float(self.steps)}
        return told

    def due(self) -> list[int]:
        """The chunks after which what has been learned is kept."""
        updates, chunk = self.schedule
        chunks = updates // chunk
        return sorted({round(k * chunks / self.snapshots) or 1 for k in range(1, self.snapshots + 1)})

    def measures(self) -> dict[str, tuple[str, str]]:
        known, meant = measures(self.place), in_force(self.place)
        return {name: (known[name].unit, known[name].meaning) for name in known if name in meant}

    def check(self, trials: Mapping[str, Trial]) -> None:
        super().check(trials)
        _ = self.schedule  # refuses who never learns, and what is too short or too long
        pilot.once(self.place, self.learner)
        if not self.parent:
            return
        origin = trials[self.parent]
        if not isinstance(origin, Trained):
            raise Refusal(f"{self.label!r} goes on from {self.parent!r}, which is not trained.")
        jax.eval_shape(_fitted, blank(origin), blank(self))

    def make(self, key: Any, parents: Sequence[Record]) -> tuple[Curve, Arrays]:
        """Trained by itself; the engine trains those that share a program side by side, and keeps checkpoints."""
        from nomoi.runs.engine import alone

        return alone(self, key, parents)


def blank(trial: Trained) -> Any:
    """The shapes of what will have been learned."""
    return jax.eval_shape(lambda key: trial.learner.init(key, trial.place), jax.random.key(0))


def learned(record: Record, trial: Trained | None = None, kept: str = "mind") -> Any:
    """What a run learned, by its record alone; refused where it does not fit `trial`, if one is given."""
    if trial is None:
        told = trial_of(record)
        if not isinstance(told, Trained):
            raise Refusal(f"in the record {record.id} nothing was learned: it is {record.kind}.")
        trial = told
    shapes, tree = jax.tree.flatten(blank(trial))
    arrays = record.arrays()
    leaves = [arrays.get(f"{kept}.{k}") for k in range(len(shapes))]
    fits = all(x is not None and x.shape == s.shape for x, s in zip(leaves, shapes, strict=True))
    if not fits or f"{kept}.{len(shapes)}" in arrays:
        raise Refusal(
            f"what was learned in the record {record.id} does not fit {trial.place.name} as it is governed here; "
            "both need the same layers, features, heads and network."
        )
    return jax.tree.unflatten(tree, [jnp.asarray(x) for x in leaves])


def inherited(start: Record, fresh: Any) -> Any:
    """What a run begins with: the mind of another one, fitted to one of its own situation where they differ."""
    return _fitted(learned(start), fresh)


def _fitted(mind: Any, fresh: Any) -> Any:
    shapes = [(jax.tree.structure(x), [leaf.shape for leaf in jax.tree.leaves(x)]) for x in (mind, fresh)]
    if shapes[0] == shapes[1]:
        return mind
    return jax.tree.map(graft, mind, fresh, is_leaf=lambda x: isinstance(x, Net))  # a mind may hold several networks


def snapshots(record: Record) -> tuple[np.ndarray, list[Any]]:
    """World steps, and what had been learned by then."""
    trial = trial_of(record)
    assert isinstance(trial, Trained)
    per_chunk = trial.schedule[1] * trial.learner.batch
    return np.array(trial.due()) * per_chunk, [learned(record, trial, f"mind@{c}") for c in trial.due()]


def check_memory(trial: Trained, lanes: int, run: Any) -> None:
    """Refuse, before compiling, what needs more memory than there is: at least the run and what all see in a batch."""
    seen = outline(trial.place).told
    size = lambda tree: sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(tree))  # noqa: E731
    need = size(run) + lanes * trial.learner.batch * size(seen)
    device = jax.devices()[0]
    have = (device.memory_stats() or {}).get("bytes_limit", 0) if device.platform != "cpu" else 0
    have = have or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if need > have:
        raise Refusal(
            f"training in {trial.place.name} needs {need / 1e9:,.0f} GB or more, and there are {have / 1e9:,.0f}; "
            "fewer worlds, steps, units or agents, or a smaller view, would do."
        )


def schedule(learner: Learner, steps: float) -> tuple[int, int]:
    """(updates, updates a chunk) for a run of at least `steps` world steps, logged about POINTS times."""
    if not (math.isfinite(steps) and 1 <= steps <= 1e12):
        raise Refusal(f"--steps is {steps:g}; a number of world steps between 1 and 1e12 would be right.")
    if not learner.batch:
        raise Refusal(f"{learner.name} never learns, so that it cannot be trained; it is a script, to be played.")
    updates = steps / learner.batch
    if updates > 2**31 - 2 * POINTS:
        raise Refusal(f"--steps is {steps:g}, which is {updates:.0g} updates, more than can be counted; more worlds or "
                      "steps between two updates would do.")  # fmt: skip
    chunk = max(1, round(updates / POINTS))
    return chunk * max(1, math.ceil(updates / chunk)), chunk
