"""Words: what one agent is told, and what it may answer, in text.

Whoever speaks cannot know more than whoever senses: what is said follows from the agent's own observation, from what
is asked of it, and from the settings and roles that the rules are made of; never from its number or from the state.

>>> import nomoi
>>> from nomoi.play import Table
>>> from nomoi.play.words import choices, words
>>> table = Table(nomoi.Pool(levels=3))
>>> choices(table.situation)
{'request': ('0', '0.25', '0.5')}
>>> print(words(table.situation, table.told(0)).splitlines()[-1])
request: 0, 0.25, 0.5
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nomoi.core import Institution, Situation, options, outline
from nomoi.core.option import describe_option
from nomoi.core.saying import listed, number, sections
from nomoi.errors import Refusal
from nomoi.play.table import Told

WORDINGS = (  # one of three frames around the same facts: wording is a treatment, and none of them is the right one
    {"you": "You are one of {n} who live under these rules, for at most {steps} rounds.", "rules": "The rules",
     "now": "What you are told now", "ask": "What do you answer? These are the choices there are:",
     "nothing": "Nothing is asked of you now.", "out": "You are out of play now."},
    {"you": "There are {n} participants, and you are one of them. There are at most {steps} rounds.",
     "rules": "How it works", "now": "Your information in this round", "ask": "Choose one of the options of each:",
     "nothing": "You have nothing to choose in this round.", "out": "You do not take part in this round."},
    {"you": "This goes on for {steps} rounds at most, among {n}, and you are among them.", "rules": "What holds here",
     "now": "At this moment", "ask": "It is for you to decide, and these are the possibilities:",
     "nothing": "There is nothing to decide for you at this moment.", "out": "You are not there at this moment."},
)  # fmt: skip


def choices(situation: Situation) -> dict[str, tuple[str, ...]]:
    """The choices of every head in words, {head: labels}, in the order of their numbers; checked against `actions`."""
    said, actions = dict(situation.choices), situation.actions
    if set(said) != set(actions):
        raise Refusal(f"{situation.name} has words for the choices of {list(said)}, and its heads are {list(actions)}.")
    for head, labels in said.items():
        if len(labels) != actions[head] or len({label.casefold() for label in labels}) != len(labels):
            raise Refusal(f"{situation.name} calls the choices of {head!r} {', '.join(labels)}; {actions[head]} "
                          "different words would be right.")  # fmt: skip
    return said


def words(situation: Situation, told: Told, wording: int = 0) -> str:
    """All that an agent needs to answer: the rules, what it is told now, and the choices that it is asked for."""
    role = situation.roles[told.seat]
    return "\n\n".join((rules(situation, role, wording), now(situation, told, wording),
                        question(choices(situation), told, wording)))  # fmt: skip


def rules(situation: Situation, role: str = "", wording: int = 0) -> str:
    """What holds, from the settings alone: the situation, and each institution that is in force."""
    frame, bare = WORDINGS[wording], situation.bare
    texts = bare.sentences
    lines = [frame["you"].format(n=situation.agents, steps=situation.horizon), f"{frame['rules']}:"]
    lines += [f"- {texts[wording % len(texts)]}", *_explained(bare)]
    if role and len(set(situation.roles)) > 1:
        lines.append(f"- your part: {role}")
    lines += [line for i in situation.institutions if np.all(i.in_force) for line in _institution(i, situation)]
    return "\n".join(lines)


def _explained(bare: Situation) -> list[str]:
    """What a situation that has no words of its own says of itself: its card's parts, and settings in numbers."""
    if type(bare).words is not Situation.words:
        return []
    card = sections(type(bare).__doc__)
    named = {
        "what you are told": "observation",
        "what you may do": "actions",
        "what you get": "reward",
        "it ends": "end",
    }
    return [f"- {said}: {card[part]}" for said, part in named.items() if part in card] + _settings(bare)


def _settings(thing: Any) -> list[str]:
    """Options that are one number each, in a line, with those names alone that its card uses."""
    told = []
    for name, option in options(type(thing)).items():
        value = describe_option(getattr(thing, name), option)
        if f"`{name}`" in (type(thing).__doc__ or "") and isinstance(value, (bool, int, float)):
            told.append(f"{name} {number(value)}")
    return [f"- where {', '.join(told)}"] if told else []


def _institution(institution: Institution, situation: Situation) -> list[str]:
    lines = [f"- {institution.name}: {institution.says(situation.bare)}"]
    if type(institution).words is not Institution.words:
        return lines
    card = sections(type(institution).__doc__)
    return lines + [f"  ({part}: {card[part]})" for part in ("heads", "senses") if part in card]


def now(situation: Situation, told: Told, wording: int = 0) -> str:
    """What the agent is told at this moment."""
    frame = WORDINGS[wording]
    if not told.present:
        return frame["out"]
    rest = {name: values for name, values in told.seen.items() if name != "view"}
    lines = [f"{frame['now']}:", situation.words(rest, situation.roles[told.seat])]
    if "view" in told.seen:
        lines.append(_view(situation, told.seen["view"]))
    return "\n".join(filter(None, lines))


def _view(situation: Situation, view: np.ndarray) -> str:
    """A map of what is seen: a letter a cell; what stands together in one cell has a digit or a capital."""
    look = outline(situation)
    assert look.scene is not None  # or there would be no view
    letters = _letters(look.planes)
    single = {1 << k: letter for k, letter in enumerate(letters)}
    mixed = sorted({int(code) for code in view.reshape(-1)} - {0, *single})
    spare = [c for c in "123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*+%&$!?" if c not in letters]
    single |= dict(zip(mixed, spare, strict=False))
    ahead, side = look.scene.extent.ahead, look.scene.extent.side
    rows = ["".join("@" if (r, c) == (ahead, side) and not code else "." if not code else single.get(int(code), "#")
                    for c, code in enumerate(row)) for r, row in enumerate(view)]  # fmt: skip
    present = [code for code in single if (view == code).any()]
    legend = [
        f"{single[code]} {' and '.join(p for k, p in enumerate(look.planes) if code >> k & 1)}" for code in present
    ]
    where = f"row {ahead + 1}, column {side + 1}"
    said = f"You see this, ahead upwards, yourself at {where} (. nothing{''.join(f', {x}' for x in legend)}):"
    return "\n".join((said, *rows))


def _letters(planes: Sequence[str]) -> list[str]:
    """A small letter for each plane, if there is one left of its name."""
    taken: list[str] = []
    for plane in planes:
        free = [c for c in (*plane.rpartition(".")[2], *plane, *"abcdefghijklmnopqrstuvwxyz~^<>|/") if c.islower()
                or c in "~^<>|/"]  # fmt: skip
        taken.append(next(c for c in free if c not in taken))
    return taken


def question(said: Mapping[str, Sequence[str]], told: Told, wording: int = 0) -> str:
    """The heads that are asked now, each with its choices in the order of `said`."""
    frame = WORDINGS[wording]
    if not told.asked:
        return frame["nothing"]
    return "\n".join((frame["ask"], *(f"{head}: {listed(said[head])}" for head in told.asked)))
