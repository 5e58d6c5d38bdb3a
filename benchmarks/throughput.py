"""World steps per second of Commons Harvest, bare and governed, beside a plain C loop.  One core, one run.

    python benchmarks/throughput.py [--quick] [--json] [--crowds]

The open map: 7 agents, 64 apples, views of 11 x 11 cells that are made and read in every step.  With --crowds, instead,
what 7 to 100 agents on one large map cost each.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from common import Loop, compile_c, medians, pin, run_c, table

CROWDS = (7, 25, 50, 100)  # agents


def situations(folder: Path) -> dict[str, object]:
    """What is measured: name -> situation.  The altar needs a place to stand, so its map has two cells more."""
    from nomoi import govern
    from nomoi.institutions.altar import Altar
    from nomoi.institutions.contract import Contract
    from nomoi.institutions.levy import Levy
    from nomoi.institutions.sanction import Sanction
    from nomoi.situations.harvest import Harvest
    from nomoi.situations.harvest_maps import MAPS

    rows = MAPS["open"].strip("\n").split("\n")
    rows[12] = "W          HH          W"
    (folder / "altar.txt").write_text("\n".join(rows), encoding="utf-8")
    bare = Harvest.preset("open")
    place = Harvest.preset("open", map=str(folder / "altar.txt"))
    return {
        "bare": bare,
        "levy": govern(bare, Levy()),
        "altar": govern(place, Altar()),
        "altar + sanction + levy": govern(place, Altar(), Sanction(), Levy()),
        "small map, altar + sanction + levy + contract": govern(Harvest(), Altar(), Sanction(), Levy(), Contract()),
    }


def measure(worlds: int, steps: int, repeats: int) -> dict[str, object]:
    core = pin()
    with tempfile.TemporaryDirectory() as folder:
        program = compile_c(folder)
        if program is None:
            print("There is no C compiler here (cc, gcc or clang), so the C loop is left out.", file=sys.stderr)
        loops = {name: Loop(s, worlds, steps) for name, s in situations(Path(folder)).items()}
        runs = {name: loop.rate for name, loop in loops.items()}
        if program is not None:
            runs = {"C loop": lambda: run_c(program, worlds, steps)["steps_per_second"]} | runs
        rates = medians(runs, repeats)
    rows = [
        {
            "what": name,
            "steps/s": rate,
            "of C": rate / rates["C loop"] if program else None,
            "of bare": rate / rates["bare"],
            "compile s": loops[name].compile_seconds if name in loops else None,
        }
        for name, rate in rates.items()
    ]
    return {"worlds": worlds, "steps": steps, "repeats": repeats, "core": core, "rows": rows}


def crowds(steps: int, repeats: int) -> list[dict[str, object]]:
    """The bare commons with more and more agents on one map of 60 x 48 cells: what compiling and a step cost each."""
    from nomoi.situations.harvest import Harvest

    patch = ["P   P   P   ", "   A     A  ", "  AAA   AAA ", "   A     A  ", " P    P     ", "      P     "]
    map = "\n".join(line * 5 for line in patch * 8)
    rows, loops = [], {}
    for n in CROWDS:
        harvest = Harvest.preset("open", map=map, agents=n)
        loops[n] = Loop(harvest, max(1024 // n, 1), steps)
    rates = medians({str(n): loop.rate for n, loop in loops.items()}, repeats)
    for n, loop in loops.items():
        cost = 1e6 / rates[str(n)] / n
        rows.append({"agents": n, "compile s": loop.compile_seconds, "us an agent-step": cost})
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs")
    parser.add_argument("--worlds", type=int, default=256, help="worlds side by side (256)")
    parser.add_argument("--crowds", action="store_true", help="what many agents cost")
    asked = parser.parse_args()
    steps, repeats = (100, 5) if asked.quick else (500, 9)
    if asked.crowds:
        pin()
        found: dict[str, object] = {"repeats": repeats, "rows": crowds(steps, repeats)}
    else:
        found = measure(asked.worlds, steps, repeats)
    if asked.json:
        print(json.dumps(found, indent=1))
    else:
        told = ("seconds to compile, and CPU microseconds that a step costs each agent" if asked.crowds
                else f"{asked.worlds} worlds on one core, world steps per CPU second")  # fmt: skip
        print(f"{told}, median of {repeats} runs\n")
        print(table(found["rows"]))
