"""CPU seconds of what people wait for, here and at an earlier commit, in turns on one core.

    python benchmarks/against.py COMMIT [--times 3] [--steps 150000]

"Cold" has nothing compiled, "warm" has all programs kept from the run before, "again" finds its records there too. Each
line is the median over the turns with its range; a ratio above 1 says that this tree is the faster one.  The chunks of
training are those of the main job's one program, under a regime without and one with an altar.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from common import pin, table

HERE = Path(__file__).parent.parent
CALL = "import sys; sys.argv = ['nomoi', *sys.argv[1:]]; from nomoi.cli import main; main()"
CHUNKS = """
import statistics, sys, time
import jax, jax.numpy as jnp
from nomoi.core import govern
from nomoi.institutions.altar import Altar
from nomoi.institutions.contract import Contract
from nomoi.institutions.levy import Levy
from nomoi.institutions.sanction import Sanction
from nomoi.learners.ppo import PPO
from nomoi.situations.harvest import Harvest
four = [Levy(), Contract(), Altar(), Sanction()]
stacks = {"nothing": [i.replace(in_force=False) for i in four],
          "altar": [i.replace(in_force=i.name in ("altar", "sanction")) for i in four]}
ppo = PPO()
learn = jax.jit(lambda place, run: ppo.learn(place, run, 4, jnp.int32(100))[0])
for name, stack in stacks.items():
    place, spent = govern(Harvest(), *stack), []
    run = learn(place, jax.jit(lambda p: ppo.begin(jax.random.key(0), p))(place))
    for _ in range(7):
        began = time.process_time()
        run = jax.block_until_ready(learn(place, run))
        spent.append(time.process_time() - began)
    print(name, statistics.median(spent) / (4 * ppo.worlds * ppo.steps) * 1e5)
"""


def spent(tree: Path, folder: Path, *words: str, code: str = CALL) -> tuple[float, str]:
    """CPU seconds of a process with the nomoi of `tree`, its programs kept under `folder`; and what it printed."""
    env = os.environ | {"PYTHONPATH": str(tree), "XDG_CACHE_HOME": str(folder / "cache")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run([sys.executable, "-c", code, *words], cwd=folder, env=env, capture_output=True, text=True)
    if ran.returncode:
        sys.exit(ran.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ran.stdout


def turn(tree: Path, steps: int) -> dict[str, float]:
    """One measurement of everything."""
    out: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = ("compare", "harvest", "--seeds", "1", "--steps", "20000", "--out")
        for what, place in (("cold", "a"), ("warm", "b"), ("again", "b")):
            out[f"20,000 steps of five regimes, {what}"] = spent(tree, folder, *small, place)[0]
        whole = ("compare", "harvest", "--seeds", "1", "--steps", str(steps), "--out", "c")
        out[f"{steps:,} steps of five regimes, warm"] = spent(tree, folder, *whole)[0]
        for words in (("list",), ("show", "altar"), ("solve", "stag_hunt"), ("runs", "--out", "c")):
            out[" ".join(("nomoi", *words[:2])).removesuffix(" --out")] = min(
                spent(tree, folder, *words)[0] for _ in range(3)
            )
        for line in spent(tree, folder, code=CHUNKS)[1].splitlines():
            regime, seconds = line.split()
            out[f"100,000 steps of training, {regime}"] = float(seconds)
    return out


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("commit")
    options.add_argument("--times", type=int, default=3)
    options.add_argument("--steps", type=int, default=150_000)
    given = options.parse_args()
    pin()
    found: dict[str, list[dict[str, float]]] = {"before": [], "now": []}
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name) / "tree"
        subprocess.run(["git", "-C", HERE, "worktree", "add", "--detach", "--quiet", tree, given.commit], check=True)
        try:
            for _ in range(given.times):
                found["before"].append(turn(tree, given.steps))
                found["now"].append(turn(HERE, given.steps))
        finally:
            subprocess.run(["git", "-C", HERE, "worktree", "remove", "--force", tree], check=True)
    rows = []
    for what in found["now"][0]:
        each = {side: [one[what] for one in turns] for side, turns in found.items()}
        middle = {side: statistics.median(values) for side, values in each.items()}
        shown = {side: f"{middle[side]:.3g} [{min(v):.3g}, {max(v):.3g}]" for side, v in each.items()}
        rows.append({"CPU seconds": what, **shown, "times faster": middle["before"] / middle["now"]})
    print(table(rows))


if __name__ == "__main__":
    main()
