"""Whether the code here trains as an earlier commit does, bit for bit; if so, records of then stay valid.

    python benchmarks/equal.py [--since HEAD] [--write]

Small golden trainings and episodes are run by both, on this machine.  A module that changed is *equal* where every
golden run that reaches it came out the same, and at least one does; `--write` adds these to nomoi/runs/equal.txt.
Of the others it is said which studies reach them: their runs are made again by `nomoi run`.  Equal golden runs are
evidence and no proof: what they do not do is not seen.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PPO = "ppo(worlds=4, steps=8, minibatches=2, epochs=1, hidden=8)"
GOLDEN = (
    ("pool", ["nothing", "levy(on=request)", "contract(on=request)"], PPO, ""),
    ("matrix", ["nothing", "contract(on=defect)"], PPO, ""),
    ("harvest", ["altar+sanction"], PPO, "small"),
)
Ran = Mapping[str, Any]  # code {module: digest}, bits


def golden() -> dict[str, Ran]:
    """Every golden run by the nomoi that is imported: of which code, and a digest of all that came of it."""
    import nomoi

    out: dict[str, Ran] = {}
    for place, under, who, drawing in GOLDEN:
        with tempfile.TemporaryDirectory() as folder:
            made = nomoi.compare(place, under, who=who, seeds=1, steps=96, map=drawing or None, out=folder, workers=1)
            for row in (*made.rows, *made.scripts, *made.chance):
                for record in row.records:
                    bits = hashlib.sha256((record.folder / "curve.parquet").read_bytes())
                    for name, x in sorted(record.arrays().items()):
                        bits.update(name.encode() + x.tobytes())
                    code = record.facts["code"]
                    out[f"{place}, {record.label}"] = {"code": code, "bits": bits.hexdigest()}
    return out


def judged(before: Mapping[str, Ran], after: Mapping[str, Ran]) -> tuple[list[str], list[str], list[str]]:
    """Lines of equal.txt; modules that are not equal; and golden runs that came out differently."""
    pairs = set[tuple[str, str, str]]()
    spoilt, differ = set[str](), list[str]()
    for label in {**before, **after}:
        was, now = (side.get(label, {"code": {}, "bits": ""}) for side in (before, after))
        changed = {home: (was["code"].get(home, "-"), now["code"].get(home, "-"))
                   for home in {**was["code"], **now["code"]}
                   if was["code"].get(home) != now["code"].get(home)}  # fmt: skip
        pairs |= {(home, *two) for home, two in changed.items()}
        if was["bits"] != now["bits"]:
            differ.append(label)
            spoilt |= set(changed)
    lines = [" ".join(pair) for pair in sorted(pairs) if pair[0] not in spoilt]
    return lines, sorted(spoilt), differ


def stamps() -> dict[str, dict[str, str]]:
    """The code that each study's runs reach, by the nomoi that is imported."""
    from nomoi.core.spec import addresses
    from nomoi.runs import code, study

    out = dict[str, dict[str, str]]()
    for one in (one for name in study.names() for one in study.find(name)):
        if one.name in out:
            continue
        of = [a for t in one.trials("laptop") for a in (*addresses(t.spec()), *t.reaches)]
        out[one.name] = code.reached([*of, "nomoi.core.keys"])
    return out


def _asked(tree: Path, what: str) -> Any:
    """What the nomoi of a tree says, in a process of its own."""
    env = os.environ | {"PYTHONPATH": str(tree), "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, __file__, what], env=env, capture_output=True, text=True, cwd=tree)
    if done.returncode:
        sys.exit(f"{tree} cannot run the golden trainings: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def main(since: str, write: bool) -> int:
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(["git", "-C", str(ROOT), "archive", since, "nomoi"], capture_output=True)
        if packed.returncode:
            sys.exit(f"there is no commit {since}; `git log --oneline` lists them.")
        subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
        sides = Path(folder), ROOT
        lines, _, differ = judged(*(_asked(tree, "--golden") for tree in sides))
        was, now = (_asked(tree, "--stamps") for tree in sides)
    for label in differ:
        print(f"not the same: {label}")
    listed = {line.split()[0] for line in lines}
    print("\n".join(f"equal: {line}" for line in lines) or "no golden run reaches a module that changed and is equal.")
    old = {name: {h for h in {**code, **was.get(name, {})} if code.get(h) != was.get(name, {}).get(h)} - listed
           for name, code in now.items() if name in was}  # fmt: skip
    for name, homes in sorted(old.items()):
        if homes:
            print(f"to be run again: nomoi run {name}   ({', '.join(sorted(homes)[:3])} changed)")
    if write and lines:
        with open(ROOT / "nomoi" / "runs" / "equal.txt", "a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))
    return int(bool(differ))


if __name__ == "__main__":
    if sys.argv[1:] in (["--golden"], ["--stamps"]):
        print(json.dumps(golden() if sys.argv[1] == "--golden" else stamps()))
        sys.exit()
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--since", default="HEAD", help="the commit to compare with (HEAD)")
    parser.add_argument("--write", action="store_true", help="add what is equal to nomoi/runs/equal.txt")
    asked = parser.parse_args()
    sys.exit(main(asked.since, asked.write))
