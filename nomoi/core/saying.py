"""Saying: numbers, features and cards in plain words, for those who read and do not compute."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

MANY = 24  # choices that are written out one by one (ours)
FEW = 6  # numbers of a feature up to which all are written out, where they are zeros and ones (ours)

_PART = re.compile(r"([a-z]+) {2,}(\S.*)")  # "observation  level [n, 1] ..." begins a part of a card
_SHAPE = re.compile(r" ?\[[\w, *+()]*\]")


def number(x: Any) -> str:
    """A number as people write it, to four digits; nothing has no sign."""
    return f"{float(x) + 0.0:.4g}"


def amounts(low: Any, high: Any, levels: int) -> tuple[str, ...]:
    """The labels of equal steps from low to high: all different, and off by less than a hundredth of a step."""
    steps = np.linspace(float(low), float(high), levels)
    for digits in range(3, 18):
        labels = tuple(f"{x:.{digits}g}" for x in steps)
        if abs(np.array(labels, float) - steps).max() < (steps[1] - steps[0]) / 100:
            return labels
    return tuple(map(str, range(levels)))  # amounts that are all one: the choices by their number


def listed(labels: Sequence[str]) -> str:
    """The choices there are; many numbers in equal steps by the first two and the last."""
    if len(labels) <= MANY:
        return ", ".join(labels)
    return f"{labels[0]}, {labels[1]}, {labels[2]} and so on in equal steps to {labels[-1]} ({len(labels)} choices)"


def feature(values: Any) -> str:
    """What a feature is now: its numbers; of many zeros and ones, the places of the ones, counted from 0."""
    flat = np.asarray(values, float).reshape(-1)
    if len(flat) > FEW and ((flat == 0) | (flat == 1)).all():
        ones = np.flatnonzero(flat).tolist()
        return f"1 at {', '.join(map(str, ones))} of 0 to {len(flat) - 1}, else 0" if ones else f"0, {len(flat)} times"
    return ", ".join(map(number, flat))


def features(seen: Mapping[str, Any]) -> str:
    """All features, one a line."""
    return "\n".join(f"{name}: {feature(values)}" for name, values in seen.items())


def sections(card: str | None) -> dict[str, str]:
    """The parts of a card by their first words, and what stands before them as "" (its first paragraph)."""
    paragraphs = re.split(r"\n\s*\n", (card or "").strip())
    found = {"": _flat(paragraphs[0])}
    for paragraph in paragraphs[1:]:
        part = ""
        for line in paragraph.splitlines():
            if begun := _PART.fullmatch(line.strip()):
                part, text = begun.groups()
                found[part] = text
            elif part:
                found[part] += f" {line.strip()}"
    return {part: _SHAPE.sub("", _flat(text)) for part, text in found.items()}


def _flat(text: str) -> str:
    return " ".join(text.split())
