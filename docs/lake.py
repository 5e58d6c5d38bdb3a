"""The table of docs/speaking.md: one lake, played by scripts, a learner, adaptive people and scripted speakers.

    python docs/lake.py [--steps 300000] [--seeds 3] [--only TEXT]

It takes some minutes of a processor, most of them for those who learn; `--only` makes the rows whose name has that
text.

Speakers are the modes of `nomoi.testing.server`, which stands in for a model; a model takes the place of one with
`--model NAME@URL`, and `--key` for the variable that has its key.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import nomoi
from nomoi.report import playing
from nomoi.testing.server import scripted

LIVED = {
    "all ask for 10": "constant(choice=10)",
    "all ask for 20": "constant(choice=20)",
    "who learns (PPO)": "ppo(worlds=32, steps=24, hidden=32)",
    "adaptive people": "villagers(villages=8)",
}
SHARE = {"adaptive people": 0.1}  # of the steps: they adapt in every one
MODES = ("ten", "greedy", "obedient", "flaky", "not json")
REGIMES = list(nomoi.Lake.regimes)


def cell(months: float, gained: float) -> str:
    return f"{months:.1f} ({gained:.0%})"


def lived(who: str, steps: float, seeds: int, out: Path) -> list[str]:
    """A row of those who are compiled with the world."""
    made = nomoi.compare("lake", nomoi.Lake.regimes, who=who, steps=steps, seeds=seeds, out=out)
    return [cell(row.estimate("survival").mean, row.estimate("gained").mean) for row in made.rows]


def spoken(seat: str, seeds: int, out: Path, key: str = "") -> list[str]:
    """A row of those who speak."""
    rows = playing.play(playing.trials("lake", [seat], list(nomoi.Lake.regimes.values()), key=key), seeds, out)
    return [cell(row.estimate("survival").mean, row.estimate("gained").mean) for row in rows]


def rows(steps: float, seeds: int, model: str, key: str, only: str, out: Path) -> Iterator[list[str]]:
    for label, who in LIVED.items():
        if only in label:
            yield [label, *lived(who, steps * SHARE.get(label, 1), seeds, out)]
    if model:
        yield [f"the model {model}", *spoken(f"model:{model}", seeds, out, key)]
        return
    for mode in (m for m in MODES if only in f"speaks: {m}"):
        with ExitStack() as stack:
            server = stack.enter_context(scripted(mode))
            yield [f"speaks: {mode}", *spoken(f"model:{mode}@{server.url}", seeds, out)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--steps", type=float, default=300_000, help="world steps of those who learn (300,000)")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each (3)")
    parser.add_argument("--model", default="", help="NAME@URL of a model that speaks, in place of the scripted server")
    parser.add_argument("--key", default="", help="the name of the environment variable that has its key")
    parser.add_argument("--only", default="", help="a text that the rows to be made have in their names")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print("| months that the lake lived, of 12 (caught, of what it could give) |", " | ".join(REGIMES), "|")
        print("|---" * (len(REGIMES) + 1) + "|")
        for row in rows(asked.steps, asked.seeds, asked.model, asked.key, asked.only, Path(folder)):
            print("|", " | ".join(row), "|", flush=True)
