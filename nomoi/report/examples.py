"""`nomoi new KIND`: an example of a file of one's own, to be changed."""

from __future__ import annotations

from pathlib import Path

from nomoi import files
from nomoi.errors import Refusal, nearest

EXAMPLES = {  # kind -> where it stands in the package
    "situation": "examples/meadow.py",
    "commons": "examples/canal.py",
    "institution": "examples/fallow.py",
    "learner": "examples/learner.py",
    "measure": "examples/measure.py",
    "study": "examples/trial.py",
    "reward": "proxies/data/examples/reward.yaml",
    "label": "proxies/data/examples/patients.csv",
    "proxy": "proxies/data/examples/proxy.yaml",
    "scores": "proxies/data/examples/scores.csv",
}

NEXT = {  # kind -> what may be done with the file
    "situation": "`nomoi check {0}`, then `nomoi lab {0}`",
    "commons": "`nomoi check {0}`, then `nomoi lab {0}`",
    "institution": "`nomoi check {0}`, then `nomoi lab pool --own {0}`, where it is first on the shelf",
    "learner": "`nomoi check {0}`",
    "study": "`nomoi run {0} --size smoke`",
}


def place(kind: str) -> Path:
    """Where the example of a kind stands."""
    if kind not in EXAMPLES:
        raise Refusal(f"there is no example of a {kind!r}; {nearest(kind, EXAMPLES, 'example')}")
    return Path(__file__).parents[1] / EXAMPLES[kind]


def example(kind: str, to: Path | None) -> Path:
    """Write the example of a kind into a new file; Refusal where there is one already."""
    source = place(kind)
    path = to or Path(source.name)
    files.check_place(path)
    if path.exists():
        raise Refusal(f"{path} is there already; give another place with --to.")
    return files.write(path, source.read_bytes())
