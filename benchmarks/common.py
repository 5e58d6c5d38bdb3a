"""What the benchmarks share: one core, the C program, a loop over many worlds, timing and a table.

Times are CPU seconds of the process, so that other programs on the machine disturb as little as they can.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def pin() -> int | None:
    """Keep this process, and all that it starts, on one core; call it before jax is imported.  None: it cannot."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    core = max(os.sched_getaffinity(0))  # the first core is where most other things run
    os.sched_setaffinity(0, {core})
    return core


def compile_c(folder: str | Path, name: str = "harvest") -> Path | None:
    """The C program, compiled into `folder`; None where there is no C compiler."""
    compiler = next((c for c in ("cc", "gcc", "clang") if shutil.which(c)), None)
    if compiler is None:
        return None
    program = Path(folder) / name
    source = HERE / f"{name}.c"
    subprocess.run([compiler, "-O3", "-march=native", "-o", program, source], check=True, capture_output=True)
    return program


def run_c(program: Path, worlds: int, steps: int, mode: int = 1) -> dict[str, Any]:
    """One run of the C program: world steps per second, and apples eaten in a step of a world."""
    ran = subprocess.run([program, str(worlds), str(steps), str(mode)], check=True, capture_output=True, text=True)
    return json.loads(ran.stdout)


class Loop:
    """Many worlds side by side under random actions, beginning new episodes where old ones end.

    Every observation is read: actions depend on what `read(view)` [W, n] gives, and on one number of each of
    the other features, so that nothing can be left out.
    """

    def __init__(
        self, situation: Any, worlds: int, steps: int, read: Callable[[Any], Any] | None = None,
        how: dict[str, Any] | None = None,
    ):  # fmt: skip
        """`how`: options of the compiler, where those of the process are not wanted."""
        import jax
        import jax.numpy as jnp

        from nomoi.core.worlds import advance, begin, renew

        self.worlds, self.steps = worlds, steps
        n = situation.agents
        first = lambda x: x.reshape(worlds, n, -1)[:, :, 0]  # noqa: E731

        def tick(carry: Any, t: Any) -> tuple[Any, None]:
            world, seen, key, total = carry
            words = jax.random.bits(jax.random.fold_in(key, t), (worlds, n), jnp.uint32)
            for name, x in seen.items():
                words = words + (read(x) if read and name == "view" else first(x)).astype(jnp.uint32)
            action = {head: (words % jnp.uint32(k)).astype(jnp.int32) for head, k in situation.actions.items()}
            world, outcome, done = advance(situation, world, action)
            world = renew(situation, world, done)
            return (world, world.observe(situation), key, total + (outcome.reward + outcome.transfer).sum()), None

        def start(key: Any) -> Any:
            world = begin(key, situation, worlds)
            return world, world.observe(situation), key, jnp.zeros(())

        carry = jax.jit(start)(jax.random.key(0))
        began = time.perf_counter()
        self._run = jax.jit(lambda c: jax.lax.scan(tick, c, jnp.arange(steps))[0]).lower(carry).compile(how)
        self.compile_seconds = time.perf_counter() - began
        self._carry = jax.block_until_ready(self._run(carry))  # warm

    def rate(self) -> float:
        """World steps per CPU second in one run of the loop, which goes on where the last one ended."""
        import jax

        began = time.process_time()
        self._carry = jax.block_until_ready(self._run(self._carry))
        return self.worlds * self.steps / (time.process_time() - began)


def medians(runs: dict[str, Callable[[], float]], repeats: int) -> dict[str, float]:
    """The median of `repeats` runs of each; in turns, so that a slow spell of the machine meets them all."""
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            rates[name].append(run())
    return {name: statistics.median(values) for name, values in rates.items()}


def table(rows: list[dict[str, Any]]) -> str:
    """Rows as text in columns; numbers to the right."""
    columns = list(rows[0])
    shown = [[_shown(row[c]) for c in columns] for row in rows]
    width = [max(len(x) for x in column) for column in zip(columns, *shown, strict=True)]
    right = [isinstance(rows[-1][c], int | float) for c in columns]
    line = lambda cells: "  ".join(  # noqa: E731
        x.rjust(w) if r else x.ljust(w) for x, w, r in zip(cells, width, right, strict=True)
    ).rstrip()
    return "\n".join([line(columns), *map(line, shown)])


def _shown(x: Any) -> str:
    if x is None:
        return "-"
    if isinstance(x, float):
        return f"{x:,.0f}" if x >= 1000 else f"{x:.2f}" if x < 10 else f"{x:.1f}"
    return f"{x:,}" if isinstance(x, int) else str(x)
