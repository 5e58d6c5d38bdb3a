"""What an institution refuses of a situation: choices that it lacks or has in another shape, events that are labels."""

from __future__ import annotations

from nomoi.core import Institution, Situation
from nomoi.errors import Refusal, nearest


def offered(rule: Institution, situation: Situation, head: str, does: str) -> None:
    """Refuse a situation that has no choice `head`; `does` is what the rule does with it, in words that name it."""
    if head not in situation.actions:
        raise Refusal(
            f"{rule.name} {does}, which is no choice in {situation.name}; its choices are "
            f"{', '.join(situation.actions)}."
        )


def amounts(rule: Institution, situation: Situation, *options: str) -> None:
    """Refuse an event that one of these options names and that is a label, which cannot be summed."""
    known = [name for name, event in situation.emits.items() if event.good]
    for option in options:
        if (name := getattr(rule, option)) not in known:
            raise Refusal(f"{rule.name}.{option} is {name!r}, a label, no amount; {nearest(name, known, 'event')}")


def chosen(rule: Institution, situation: Situation, head: str) -> None:
    """Refuse a situation in which one walks, or that has no choice `head` ("" is its first): how much is not chosen."""
    if "scene" in situation.offers:
        raise Refusal(
            f"{rule.name} is about how much one chooses, and in {situation.name} one walks; pool has amounts."
        )
    if head and head not in situation.actions:
        raise Refusal(f"{rule.name}.head is {head!r}; {nearest(head, situation.actions, 'choice')}")
