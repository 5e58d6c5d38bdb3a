"""Errors that are meant for people."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class Refusal(Exception):
    """Bad input, said in one sentence: what was wrong, where, and what would be right.

    The command line prints the sentence and exits with status 2.
    """


def nearest(word: str, known: Iterable[str], what: str = "name") -> str:
    """The tail of a sentence that offers the nearest right name."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"the {what}s are: {', '.join(known)}." if known else f"there is no {what} to choose from."
