"""Temperature and distributional pluralism: what sharper answers take from whom, and what heat cannot give back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.populations.engine import seed_of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial
from nomoi.voices.pluralism import distance, entropy, heated, overton

OURS = "ours, after Sorensen et al. 2024"
SHARES = (0.4, 0.3, 0.2, 0.1)
OPTIONS = 5
HEATS = (1.0, 0.85, 0.7, 0.5, 0.35, 0.2)
GRID = np.geomspace(0.2, 20, 40)
WINDOW = 0.05  # share that makes an answer reasonable


def drawn(key: jax.Array, questions: int, spread: float) -> Mapping[str, float]:
    """Questions with groups that answer otherwise (Dirichlet of `spread`); a model that answers as everybody,
    sharper and sharper; and one that answers as the largest group."""
    rng, rows = np.random.default_rng(seed_of(key)), []
    for _ in range(questions):
        groups = rng.dirichlet(np.full(OPTIONS, spread), len(SHARES))
        groups = (groups + 1e-6) / (groups + 1e-6).sum(1, keepdims=True)
        people = np.array(SHARES) @ groups
        row: dict[str, float] = {"groups": float(np.dot(SHARES, [distance(g, people) for g in groups]))}
        window = {str(k): float(p) for k, p in enumerate(people) if p >= WINDOW}
        for heat in HEATS:
            model = heated(people, heat)
            row[f"all, T {heat:g}"] = distance(model, people)
            row[f"entropy, T {heat:g}"] = entropy(model)
            row[f"largest, T {heat:g}"] = distance(model, groups[0])
            row[f"smallest, T {heat:g}"] = distance(model, groups[-1])
            said = [str(k) for k in rng.choice(OPTIONS, 10, p=model)]
            row[f"window, T {heat:g}"] = overton(window, said).coverage
        counted = rng.multinomial(20, people) / 20
        row["twenty answers of a perfect model"] = distance(counted, people)
        at_all = [distance(heated(groups[0], t), people) for t in GRID]
        row["closed by heat"] = 1 - min(at_all) / distance(groups[0], people)
        rows.append(row)
    return {name: float(np.mean([r[name] for r in rows])) for name in rows[0]}


def trials(size: str) -> Sequence[Trial]:
    questions = {"smoke": 5, "laptop": 150, "paper": 1000}[size]
    return [Computed(label, drawn, {"questions": questions, "spread": spread})
            for label, spread in (("groups differ", 1.0), ("groups differ little", 5.0))]  # fmt: skip


def _late(measure: str, label: str = "groups differ"):
    return lambda r: r.late(label, measure)


def _gap(one: str, other: str, label: str = "groups differ"):
    return lambda r: r.late(label, one) - r.late(label, other)


def _more(r: Results) -> np.ndarray:
    far = lambda who: r.late("groups differ", f"{who}, T 0.5") - r.late("groups differ", f"{who}, T 1")  # noqa: E731
    return far("smallest") - far("largest")


CLAIMS = [
    Claim("At a temperature of .5 a model that answered as everybody is further from them than a group of them is",
          OURS,
          _gap("all, T 0.5", "groups"), above=0, unit="distance", kind="ours"),
    Claim("... also where groups differ little", OURS, _gap("all, T 0.5", "groups", "groups differ little"), above=0,
          unit="distance", kind="ours"),
    Claim("Ten answers at .5 show less than nine tenths of the reasonable answers that ten at 1 show", OURS,
          lambda r: r.late("groups differ", "window, T 0.5") / r.late("groups differ", "window, T 1"), below=0.9,
          unit="of coverage", kind="ours"),
    Claim("Sharpening takes the model further from the smallest group than from the largest", OURS, _more, above=0,
          unit="distance", kind="ours"),
    Claim("No temperature makes everybody's model of the largest group's: the best closes less than a quarter", OURS,
          _late("closed by heat"), below=0.25, unit="of the distance", kind="ours"),
    Claim("Control: twenty answers of a perfect model look further from people than the model itself at .85 is", OURS,
          _gap("twenty answers of a perfect model", "all, T 0.85"), above=0, unit="distance", kind="control"),
]  # fmt: skip

READINGS = [
    *(Reading(f"distance from people at temperature {heat:g}", OURS, _late(f"all, T {heat:g}"), unit="Jensen-Shannon")
      for heat in HEATS[1:]),
    *(Reading(f"entropy at temperature {heat:g}", OURS, _late(f"entropy, T {heat:g}"), unit="bits") for heat in (1.0,
    0.2)),
    Reading("a group's distance from everybody", OURS, _late("groups"), unit="Jensen-Shannon"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page

    def series(who: str) -> tuple[np.ndarray, np.ndarray]:
        return np.array(HEATS)[::-1], np.stack(
            [results.late("groups differ", f"{who}, T {h:g}") for h in HEATS[::-1]], 1
        )

    lines = {name: series(who) for name, who in (("everybody", "all"), ("largest group", "largest"),
                                                 ("smallest group", "smallest"))}  # fmt: skip
    far = float(results.late("groups differ", "groups").mean())
    drawn = figures.curves(lines, "Jensen-Shannon distance of the model's answers", "Whom sharper answers leave behind",
                           {"a group from everybody": far}, xlabel="temperature")  # fmt: skip
    return [page.Figure("Temperature", figures.svg(drawn),
    "A model that answers as everybody at 1. The dotted line is the "
                        "mean distance of a person's group from everybody.")]  # fmt: skip


STUDY = Study(
    "temperature",
    "What do sharper answers of a model take from whom, and can a temperature give it back?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 6, "paper": 20},
    sections,
    "Questions that are drawn, 150 a seed: five options, four groups (.4, .3, .2, .1) whose answers are drawn from a "
    "Dirichlet distribution (1, or 5 where they differ little). That distance grows and entropy falls as answers are "
    "sharpened follows from the model and gets no verdict.",
    readings=READINGS,
)
