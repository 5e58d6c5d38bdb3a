"""How fast agents learn: world steps a second, learning included, and how long the program takes to compile.

    python benchmarks/training.py [--quick] [--json]

Each line is the median over several chunks of a run, in one process.  "threads" counts runs side by side.  Wall time
wants a machine that is left alone meanwhile; steps a second and core count the time that the cores worked.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from common import table


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()

    import jax
    import jax.numpy as jnp

    from nomoi.core import govern
    from nomoi.institutions.altar import Altar
    from nomoi.institutions.contract import Contract
    from nomoi.institutions.levy import Levy
    from nomoi.institutions.sanction import Sanction
    from nomoi.learners.ppo import PPO
    from nomoi.runs import regimes
    from nomoi.runs.compare import compare
    from nomoi.runs.engine import Program
    from nomoi.runs.trained import Trained
    from nomoi.situations.berries import Berries
    from nomoi.situations.harvest import Harvest
    from nomoi.studies.silly_rules import LEARNER

    updates, repeats = (2, 3) if given.quick else (8, 5)
    small, wide = Harvest(), Harvest.preset("open")
    silly = regimes.parse("", Berries.regimes["silly rule"]).institutions
    cases = {
        "open map, 7 agents, MLP": (wide, 2),
        "berries, taboo + sanction": (govern(Berries(), *silly), 1),
        "orchard, altar + sanction, 7 agents": (govern(Harvest.preset("orchard"), Altar(), Sanction()), 1),
        "small map": (small, 1),
        "small map, altar + sanction": (govern(small, Altar(), Sanction()), 1),
        "small map, all four": (govern(small, Levy(), Altar(), Sanction(), Contract()), 1),
        "small map, all four, two runs": (govern(small, Levy(), Altar(), Sanction(), Contract()), 2),
    }
    if given.quick:
        cases = {name: cases[name] for name in ("small map", "small map, all four")}
    rows = []
    for name, (situation, threads) in cases.items():
        learner = LEARNER if situation.name == "berries" else PPO()
        started = time.perf_counter()
        program = Program(Trained(name, situation, (), updates * learner.batch, learner), chunk=updates).build()
        compiled = time.perf_counter() - started
        run = program.begin(learner, situation, jax.random.key(0))

        def chunk(run=run, program=program, learner=learner, situation=situation):
            return jax.block_until_ready(program.learn(learner, situation, run, jnp.int32(100)))

        chunk()
        rates, cores = [], []
        with ThreadPoolExecutor(threads) as pool:
            for _ in range(repeats):
                start, worked = time.perf_counter(), time.process_time()
                for future in [pool.submit(chunk) for _ in range(threads)]:
                    future.result()
                steps = threads * updates * learner.worlds * learner.steps
                rates.append(steps / (time.perf_counter() - start))
                cores.append(steps / (time.process_time() - worked))
        rate = statistics.median(rates)
        spread = (max(rates) - min(rates)) / rate
        rows.append(
            {
                "what": name,
                "threads": threads,
                "world steps/s": rate,
                "and core": statistics.median(cores),
                "of the first": rate / rows[0]["world steps/s"] if rows else 1.0,
                "spread": spread,
                "compile s": compiled,
            }
        )
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        compare("pool", ["nothing", "levy(on=request)"], seeds=1, steps=2e4, out=folder)
        whole = time.perf_counter() - start
    if given.json:
        print(json.dumps({"training": rows, "small comparison, seconds": whole}, indent=1))
    else:
        print(table(rows))
        print(f"a comparison of two regimes of the fishery, from nothing to its table: {whole:.1f} s")


if __name__ == "__main__":
    main()
