"""What a GPU brings: world steps a second of Commons Harvest's open map, played and trained, by how many are stacked.

    python benchmarks/gpu.py [--quick] [--peer FOLDER] [--seconds N] [--json]

Played: many worlds under random actions, every observation read.  Trained: runs of PPO stacked as one program
(`lanes`), learning included.  --peer names a checkout of SocialJax, whose open map is then played beside ours in the
same process (its observation is read as well; its training is another network's and is not compared).  Wall time; on
a CPU it runs too, and says so.  What does not fit in --seconds is left out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from common import table

STEPS = 200  # world steps in a call of a loop


def timed(call: Callable[[], Any], repeats: int) -> float:
    """Seconds of a call, the median of some."""
    import jax

    spent = []
    for _ in range(repeats):
        began = time.perf_counter()
        jax.block_until_ready(call())
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def ours(worlds: int) -> tuple[Callable[[], Any], float]:
    """A loop over the open map, and the seconds that it took to compile."""
    import jax
    from common import Loop

    from nomoi.situations.harvest import Harvest

    read = lambda view: view.astype("uint32").sum((-1, -2))  # noqa: E731
    loop = Loop(Harvest.preset("open"), worlds, STEPS, read)

    def call() -> Any:
        loop._carry = jax.block_until_ready(loop._run(loop._carry))
        return loop._carry

    return call, loop.compile_seconds


def theirs(worlds: int) -> tuple[Callable[[], Any], float]:
    """The same loop over SocialJax's open map."""
    import jax
    import jax.numpy as jnp
    import socialjax  # pyright: ignore[reportMissingImports]

    env = socialjax.make("harvest_common_open", num_agents=7, shared_rewards=False)
    reset, step = jax.vmap(env.reset), jax.vmap(env.step)
    actions = env.action_space(env.agents[0]).n

    def tick(carry: Any, t: Any) -> tuple[Any, None]:
        seen, state, key, total = carry
        key, acting, stepping = jax.random.split(jax.random.fold_in(key, t), 3)
        words = jax.random.bits(acting, (worlds, 7), jnp.uint32)
        words = words + seen.astype(jnp.uint32).reshape(worlds, 7, -1).sum(-1, dtype=jnp.uint32)
        chosen = [(words[:, i] % actions).astype(jnp.int32) for i in range(7)]
        seen, state, reward, _, _ = step(jax.random.split(stepping, worlds), state, chosen)
        return (seen, state, key, total + jnp.asarray(reward).sum()), None

    seen, state = jax.jit(reset)(jax.random.split(jax.random.key(0), worlds))
    carry = (seen, state, jax.random.key(1), jnp.zeros(()))
    began = time.perf_counter()
    run = jax.jit(lambda c: jax.lax.scan(tick, c, jnp.arange(STEPS))[0]).lower(carry).compile()
    compiled = time.perf_counter() - began
    jax.block_until_ready(run(carry))
    return lambda: run(carry), compiled


def played(name: str, build: Callable[[int], tuple[Callable[[], Any], float]], worlds: int, repeats: int) -> dict:
    call, compiled = build(worlds)
    return {"what": name, "stacked": worlds, "world steps/s": worlds * STEPS / timed(call, repeats),
            "compile s": compiled, **memory()}  # fmt: skip


def trained(lanes: int, governed: bool, updates: int, repeats: int) -> dict:
    """Runs of PPO on the open orchard, bare or under an altar, stacked."""
    import jax
    import jax.numpy as jnp

    from nomoi.core import govern
    from nomoi.institutions.altar import Altar
    from nomoi.institutions.sanction import Sanction
    from nomoi.learners.ppo import PPO
    from nomoi.runs.engine import Program
    from nomoi.runs.trained import Trained
    from nomoi.situations.harvest import Harvest

    place = govern(Harvest.preset("orchard"), Altar(), Sanction()) if governed else Harvest.preset("open")
    name, learner = ("trained, altar + sanction" if governed else "trained"), PPO()
    trial = Trained(name, place, (), updates * learner.batch, learner)
    began = time.perf_counter()
    program = Program(trial, lanes, chunk=updates).build()
    compiled = time.perf_counter() - began
    one = [trial.learner, trial.place, jax.random.key(0)]
    args: Any = jax.tree.map(lambda *x: jnp.stack(x), *[one] * lanes) if lanes > 1 else one
    run = jax.block_until_ready(program.begin(*args))
    call = lambda: program.learn(*args[:2], run, jnp.int32(1000))  # noqa: E731
    jax.block_until_ready(call())
    return {"what": name, "stacked": lanes, "world steps/s": lanes * updates * learner.batch / timed(call, repeats),
            "compile s": compiled, **memory()}  # fmt: skip


def memory() -> dict:
    """The most memory that the device held so far, in GB; none where it does not say."""
    import jax

    peak = (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    return {"peak GB": peak and peak / 1e9}


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--quick", action="store_true", help="few and small")
    options.add_argument("--peer", help="a checkout of SocialJax")
    options.add_argument("--seconds", type=float, default=600, help="begin nothing after as many seconds (600)")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    started, rows = time.perf_counter(), []
    if given.peer:
        sys.path.insert(0, given.peer)

    import jax

    from nomoi.runs import programs

    programs.single()
    worlds, lanes = ((8, 64), (1, 2)) if given.quick else ((64, 1024, 4096, 16384), (1, 4, 16, 64, 128, 256))
    updates, repeats = (1, 1) if given.quick else (2, 3)
    work: list[Callable[[], dict]] = []
    for many in worlds:
        work.append(lambda many=many: played("played", ours, many, repeats))
        if given.peer:
            work.append(lambda many=many: played("played, SocialJax", theirs, many, repeats))
    work += [lambda n=n: trained(n, False, updates, repeats) for n in lanes]
    work += [lambda n=n: trained(n, True, updates, repeats) for n in lanes[-1:]]
    for one in work:
        if time.perf_counter() - started < given.seconds:
            rows.append(one())
            print(rows[-1], file=sys.stderr, flush=True)
    if given.json:
        print(json.dumps({"device": jax.devices()[0].device_kind, "jax": jax.__version__, "rows": rows}, indent=1))
    else:
        print(f"{jax.devices()[0].device_kind}, jax {jax.__version__}, wall time, median of {repeats}\n")
        print(table(rows))


if __name__ == "__main__":
    main()
