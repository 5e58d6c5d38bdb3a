"""Speed may be lost by a factor of ten without any result changing; these tests notice, and ask for no more.

Nothing here depends on how fast the machine is: two programs are run in turns and compared.
"""

import importlib.util
import os
from pathlib import Path

import pytest

from nomoi import grid
from nomoi.situations.harvest import Harvest

_spec = importlib.util.spec_from_file_location(
    "benchmarks_common", Path(__file__).parent.parent / "benchmarks" / "common.py"
)
common = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(common)

WORLDS, STEPS, REPEATS = 64, 50, 3
# as programs are compiled outside of tests, which hurry (see conftest)
HOW = (
    {"xla_backend_optimization_level": 3, "xla_cpu_use_fusion_emitters": True} if os.environ.get("XLA_FLAGS") else None
)


@pytest.fixture(scope="module")
def codes():
    return common.Loop(Harvest.preset("open"), WORLDS, STEPS, how=HOW)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    program = common.compile_c(tmp_path_factory.mktemp("c"))
    return program or pytest.skip("there is no C compiler")


@pytest.mark.slow
def test_harvest_is_within_an_order_of_magnitude_of_c(codes, program):
    runs = {"c": lambda: common.run_c(program, WORLDS, 10 * STEPS)["steps_per_second"], "nomoi": codes.rate}
    rates = common.medians(runs, REPEATS)
    assert rates["nomoi"] > rates["c"] / 25, rates


def test_the_c_loop_plays_the_same_game(program):
    """Under random actions as many apples are eaten in the first 200 steps, within 10 % (chance gives about 2 %)."""
    import jax

    from nomoi.core.worlds import advance, begin

    worlds, steps, harvest = 128, 200, Harvest.preset("open")

    def tick(world, key):
        action = {"move": jax.random.randint(key, (worlds, harvest.agents), 0, 8)}
        world, outcome, _ = advance(harvest, world, action)
        return world, outcome.reward.sum()

    first = begin(jax.random.key(0), harvest, worlds)
    eaten = jax.jit(lambda w, k: jax.lax.scan(tick, w, k)[1].sum())(first, jax.random.split(jax.random.key(1), steps))
    ours = float(eaten) / worlds / steps
    theirs = common.run_c(program, worlds, steps, mode=0)["eaten_per_step"]
    assert ours == pytest.approx(theirs, rel=0.1)


@pytest.mark.slow
def test_bit_planes_cost_little_more_than_codes(codes):
    """Where XLA makes the view anew for every plane, planes cost forty times as much."""
    harvest = Harvest.preset("open")
    planes = len(harvest.scene(harvest.reset(_key())).planes)
    loop = common.Loop(harvest, WORLDS, STEPS, lambda view: grid.bitplanes(view, planes).sum((2, 3, 4)), HOW)
    rates = common.medians({"codes": codes.rate, "planes": loop.rate}, REPEATS)
    assert rates["planes"] > rates["codes"] / 10, rates


def _key():
    import jax

    return jax.random.key(0)
