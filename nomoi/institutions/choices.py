"""What an institution says that holds a choice which the situation does not have.  Shared by those that hold one."""

from __future__ import annotations

from nomoi.core import Institution, Situation
from nomoi.errors import Refusal


def offered(rule: Institution, situation: Situation, head: str, does: str) -> None:
    """Refuse a situation that has no choice `head`; `does` is what the rule does with it, in words that name it."""
    if head not in situation.actions:
        raise Refusal(
            f"{rule.name} {does}, which is no choice in {situation.name}; its choices are "
            f"{', '.join(situation.actions)}."
        )
