"""Jobs: what a training run is, and what it learned."""

from __future__ import annotations

import dataclasses
import math
import os
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nomoi.core import Situation
from nomoi.core.govern import Governed
from nomoi.core.learner import Learner
from nomoi.core.settings import Rule
from nomoi.errors import Refusal
from nomoi.learners.nets import Net, Shape, graft
from nomoi.runs.regimes import spec
from nomoi.runs.store import Record

POINTS = 32  # of a curve (ours)


@dataclasses.dataclass(frozen=True)
class Job:
    """One training run: a learner in a situation with a seed, for `updates` updates, logged every `chunk`.

    What has been learned is kept `snapshots` times on the way.  A run may `start` with what another one learned; where
    that one's `origin` was another situation, what both know by name is carried over (see `nets.graft`).
    """

    situation: Situation
    learner: Learner
    seed: int
    updates: int
    chunk: int
    film: bool = False
    label: str = ""
    snapshots: int = 0
    start: Record | None = None
    origin: Job | None = None

    @property
    def steps(self) -> int:
        """World steps of the whole run."""
        return self.updates * self.learner.batch

    def spec(self) -> dict[str, Any]:
        """What the run is, as plain data: the same spec is the same run."""
        governed = self.situation if isinstance(self.situation, Governed) else None
        stack = governed.institutions if governed else ()
        shape = Shape.of(self.situation)
        more: dict[str, Any] = {"snapshots": self.snapshots} if self.snapshots else {}
        more |= {"start": self.start.id} if self.start else {}
        residents, conscience = (getattr(self.learner, part, None) for part in ("residents", "conscience"))
        if residents:
            script = residents.script
            more |= {"residents": spec(script) if isinstance(script, Rule) else type(script).__name__.lower()}
            more |= {"pupils": residents.pupils, "blind": residents.blind}
        more |= {"conscience": spec(conscience)} if conscience else {}
        return more | {
            "kind": "training",
            "situation": spec(governed.situation if governed else self.situation),
            "institutions": [spec(i) for i in stack if bool(i.in_force)],
            # what the network sees and answers, which may be more than this regime fills
            "network": {"planes": len(shape.planes), "features": dict(shape.features), "heads": dict(shape.heads)},
            "learner": _said(self.learner),
            "seed": self.seed,
            "updates": self.updates,
            "chunk": self.chunk,
        }

    def due(self) -> list[int]:
        """The chunks after which what has been learned is kept."""
        chunks = self.updates // self.chunk
        return sorted({round(k * chunks / self.snapshots) or 1 for k in range(1, self.snapshots + 1)})


def _said(learner: Any) -> dict[str, Any]:
    """A learner with what it wants, and with the learner that it holds."""
    held = {part: getattr(learner, part) for part in ("objective", "learner") if hasattr(learner, part)}
    return spec(learner) | {part: _said(what) for part, what in held.items()}


def mind_of(record: Record, job: Job, kept: str = "mind") -> Any:
    """What a run learned, for a job of the same shapes; refused where the networks differ."""
    shapes, tree = jax.tree.flatten(jax.eval_shape(lambda key: job.learner.init(key, job.situation), jax.random.key(0)))
    arrays = record.arrays()
    leaves = [arrays.get(f"{kept}.{k}") for k in range(len(shapes))]
    if (
        any(x is None or x.shape != s.shape for x, s in zip(leaves, shapes, strict=True))
        or f"{kept}.{len(shapes)}" in arrays
    ):
        raise Refusal(
            f"what was learned in the record {record.id} does not fit {job.situation.name} as it is governed here; "
            "both need the same layers, features, heads and network."
        )
    return jax.tree.unflatten(tree, [jnp.asarray(x) for x in leaves])


def inherited(job: Job, fresh: Any) -> Any:
    """What a run starts with: the mind of another one, fitted to its own situation where they differ."""
    assert job.start is not None
    return _fitted(mind_of(job.start, job.origin or job), fresh)


def _fitted(mind: Any, fresh: Any) -> Any:
    shapes = [(jax.tree.structure(x), [leaf.shape for leaf in jax.tree.leaves(x)]) for x in (mind, fresh)]
    if shapes[0] == shapes[1]:
        return mind
    return jax.tree.map(graft, mind, fresh, is_leaf=lambda x: isinstance(x, Net))  # a mind may hold several networks


def check_inheritance(origin: Job, job: Job) -> None:
    """Refuse, before anything is trained, a run that could not go on from what `origin` will have learned."""
    minds = [
        jax.eval_shape(lambda key, j=j: j.learner.init(key, j.situation), jax.random.key(0)) for j in (origin, job)
    ]
    jax.eval_shape(_fitted, *minds)


def snapshots(record: Record, job: Job) -> tuple[np.ndarray, list[Any]]:
    """World steps, and what had been learned by then."""
    per_chunk = job.chunk * job.learner.batch
    return np.array(job.due()) * per_chunk, [mind_of(record, job, f"mind@{c}") for c in job.due()]


def check_memory(job: Job, lanes: int, run: Any) -> None:
    """Refuse, before compiling, what needs more memory than there is: at least the run and what all see in a batch."""
    seen = jax.eval_shape(lambda key: job.situation.observe(job.situation.reset(key)), jax.random.key(0))
    size = lambda tree: sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(tree))  # noqa: E731
    need = size(run) + lanes * job.learner.batch * size(seen)
    device = jax.devices()[0]
    have = (device.memory_stats() or {}).get("bytes_limit", 0) if device.platform != "cpu" else 0
    have = have or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if need > have:
        raise Refusal(
            f"training in {job.situation.name} needs {need / 1e9:,.0f} GB or more, and there are {have / 1e9:,.0f}; "
            "fewer worlds, steps, units or agents, or a smaller view, would do."
        )


def schedule(learner: Learner, steps: float) -> tuple[int, int]:
    """(updates, updates a chunk) for a run of at least `steps` world steps, logged about POINTS times."""
    if not (math.isfinite(steps) and 1 <= steps <= 1e12):
        raise Refusal(f"--steps is {steps:g}; a number of world steps between 1 and 1e12 would be right.")
    updates = steps / learner.batch
    if updates > 2**31 - 2 * POINTS:
        raise Refusal(f"--steps is {steps:g}, which is {updates:.0g} updates, more than can be counted; more worlds or "
                      "steps between two updates would do.")  # fmt: skip
    chunk = max(1, round(updates / POINTS))
    return chunk * max(1, math.ceil(updates / chunk)), chunk
