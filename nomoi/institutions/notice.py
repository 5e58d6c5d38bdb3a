"""Notice: something is said to all, and nothing else changes."""

from __future__ import annotations

from nomoi.core import Institution, Situation, size
from nomoi.errors import Refusal, printable


class Notice(Institution):
    """A text that all who are told in words are told with the rules; whoever senses numbers alone is told nothing.

    It is what advice, a reminder or an appeal is: no information about the state, no payoff, no choice.  Against it
    stands an institution that computes (a quota that is announced) or that enforces (a fine on its excess).

    needs     nothing
    emits     nothing
    memory    none

    >>> from nomoi.institutions.notice import Notice
    >>> Notice(text="Take no more than grows back.").sentence
    'Take no more than grows back.'
    """

    text: str = size("", "what is said", "ours")

    def __check_init__(self) -> None:
        if printable(self.text) != self.text or len(self.text) > 1000:
            raise Refusal("notice.text must be one text of at most 1000 letters, without control characters.")

    @property
    def sentence(self) -> str:
        return self.text or "Nothing is said."

    def chance(self, situation: Situation) -> str:
        return ""
