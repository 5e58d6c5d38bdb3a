"""What `nomoi plural` does and shows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from rich.markup import escape
from rich.table import Table

from nomoi.errors import Refusal, printable
from nomoi.measure.statistics import number
from nomoi.report.console import console
from nomoi.voices import answers
from nomoi.voices.plural import Plural, measure


def command(people: Path, model: Path | None, order: Path | None, support: float, group: str, as_json: bool) -> None:
    """Read, measure, show."""
    theirs, given = answers.both(people, group)
    if given.said and model:
        raise Refusal(f"{people} has a model's answers, and {model} others; leave the second file out, or the "
                      "pred_distribution.")  # fmt: skip
    if not given.said and not model:
        raise Refusal("what the model presents is missing; nomoi plural answers.csv presented.csv would be right (a "
                      "JSON list with pred_distribution holds both).")  # fmt: skip
    if model:
        given = answers.presented(model)
    found = measure(theirs, given, answers.order(order) if order else None, support)
    if as_json:
        print(json.dumps(found.data(), indent=1, allow_nan=False))
    else:
        show(found)


def show(found: Plural) -> None:
    """To the terminal."""
    for remark in found.remarks:
        console.print(f"! {escape(remark)}", style="yellow", highlight=False)
    names = ("coverage", "weighted", "precision", "f1")
    mean = {n: number(float(np.mean([getattr(o, n) for o in found.overton.values()]))) for n in names}
    _say(
        f"Overton ({len(found.overton)} questions)",
        f"{mean['coverage']} of the reasonable answers are presented, which {mean['weighted']} of people hold; "
        f"{mean['precision']} of what is presented is reasonable (F1 {mean['f1']}).",
    )
    if found.distributional:
        out = Table(title="Distributional: the model's answers beside people's", title_justify="left")
        for name in ("of", "questions", "distance\n[dim]JS, base 2[/dim]", "would answer\notherwise", "steps",
                     "entropy\n[dim]bits more[/dim]"):  # fmt: skip
            out.add_column(name, justify="left" if name == "of" else "right", overflow="fold")
        for a in found.distributional:
            cells = (a.distance, a.variation, a.steps, a.gap)
            out.add_row(
                escape(printable(a.group)) or "everybody",
                str(a.questions),
                *("-" if x is None else number(x) for x in cells),
            )
        console.print(out)
    else:
        _say(
            "Distributional", "not told; presented.csv has no share or count of answers given as nobody in particular."
        )
    if found.between is not None:
        console.print(f"Groups of people are themselves {number(found.between)} from everybody.", highlight=False)
    if found.steered:
        s = found.steered
        gain = "" if s.gain is None else f", {number(s.gain)} more than when not asked"
        own = f"asked as a group, answers are its own by {number(s.mean)} (the worst {number(s.worst)}){gain}"
        _say("Steerable", f"{own}; they are the other groups' by {number(s.leak)}.")
    else:
        _say("Steerable", "not told; presented.csv has no group with shares.")


def _say(kind: str, said: str) -> None:
    console.print(f"[bold]{kind}[/bold]: {escape(said)}", highlight=False)
