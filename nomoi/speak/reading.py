"""Reading: the choices that an answer in text means, or what is wrong with it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

LONG = 20_000  # letters of an answer that are looked at (ours)
TRIES = 50  # brackets at which an object may begin (ours)
YES = {True: "yes", False: "no"}


def first_object(text: str) -> dict[str, Any] | None:
    """The first whole JSON object in a text, whatever stands around it."""
    text, place = text[:LONG], -1
    decoder = json.JSONDecoder()
    for _ in range(TRIES):
        place = text.find("{", place + 1)
        if place < 0:
            return None
        try:
            found, _ = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            continue
        return found if isinstance(found, dict) else None
    return None


def read(text: str, asked: Mapping[str, Sequence[str]]) -> tuple[dict[str, int], str]:
    """The choice of each asked head that is legal, {head: number}, and what is wrong, in words; empty where nothing is.

    asked   {head: labels}, in the order of their numbers
    """
    found = first_object(text)
    if found is None:
        return {}, "there is no JSON object in it"
    chosen, wrong = dict[str, int](), []
    for head, labels in asked.items():
        if head not in found:
            wrong.append(f"the key {json.dumps(head)} is missing")
        elif (choice := _choice(found[head], labels)) is None:
            wrong.append(f"the value of {json.dumps(head)} is none of the choices")
        else:
            chosen[head] = choice
    return chosen, "; ".join(wrong)


def _choice(value: Any, labels: Sequence[str]) -> int | None:
    """Which label a value means: its words, or for numbers its number."""
    value = YES[value] if isinstance(value, bool) else value
    if not isinstance(value, (str, int, float)):
        return None
    said = str(value).strip().casefold()
    for place, label in enumerate(labels):
        if said == label.casefold():
            return place
    try:
        number = float(said)
        return next(k for k, label in enumerate(labels) if math.isclose(_number(label), number, rel_tol=1e-9))
    except (ValueError, StopIteration, OverflowError):
        return None


def _number(label: str) -> float:
    try:
        return float(label)
    except ValueError:
        return math.nan


def schema(asked: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The form of an answer as a JSON schema."""
    each = {head: _kind(labels) for head, labels in asked.items()}
    return {"type": "object", "properties": each, "required": list(each), "additionalProperties": False}


def _kind(labels: Sequence[str]) -> dict[str, Any]:
    numbers = [_number(label) for label in labels]
    if any(map(math.isnan, numbers)):
        return {"type": "string", "enum": list(labels)}
    return {"type": "integer" if all(x == int(x) for x in numbers) else "number"}
