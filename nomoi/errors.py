"""Errors that are meant for people."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

# What would move the cursor, change colours or turn the text around, and halves of letters that no file can hold
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")

CLOSE = 0.65  # of the letters of two names, the share that must agree (ours): one of three may be another


class Refusal(Exception):
    """Bad input, said in one sentence: what was wrong, where, and what would be right.

    The command line prints the sentence and exits with status 2.
    """


class Missing(Refusal):
    """What is not on this machine, and may be on another: what needs it is not tested here, and nothing is wrong."""


MANY = 40  # more names than these are no help in a sentence (ours)


def like(word: str, known: Iterable[str]) -> list[str]:
    """The nearest right name, if one is near: misspelt so, or with a part that begins so."""
    known = sorted(set(known))
    close = difflib.get_close_matches(word, known, n=1, cutoff=CLOSE)
    if not close and len(word) > 2:
        begun = re.compile(rf"(^|[._ ]){re.escape(word)}")
        close = sorted(filter(begun.search, known), key=len)[:1]
    return close


def nearest(
    word: str, known: Iterable[str], what: str = "name", later: Mapping[str, str] | None = None, called: str = "",
    instead: Iterable[str] = (),
) -> str:  # fmt: skip
    """The tail of a sentence that offers the nearest right name, if one is near (`like`); else names what is known.

    later   names that would be known if who offers them stood first: name -> who
    called  how another name would be asked for, such as levy(on={}), and those that may stand `instead`
    """
    if later and word in later:
        return f"{later[word]} does, and acts after it: write {later[word]} first."
    known, instead = sorted(set(known)), list(instead)
    close = like(word, known)
    if called and instead:
        others = f"; so would {', '.join(map(called.format, instead[1:4]))}" if instead[1:] else ""
        return f"{called.format(close[0] if close and close[0] in instead else instead[0])} would be right{others}."
    if close:
        return f"did you mean {close[0]!r}?"
    if len(known) > MANY:  # a sentence, not a list
        return f"there are {len(known)}, such as {', '.join(known[:3])} (`nomoi list` has all names)."
    return f"the {_several(what)} are: {', '.join(known)}." if known else f"there is no {what} to choose from."


def _several(what: str) -> str:
    """The plural of a word."""
    if re.search("[^aeiou]y$", what):
        return f"{what[:-1]}ies"
    return what if what.endswith("ies") else f"{what}es" if re.search("(s|x|ch)$", what) else f"{what}s"


def printable(text: str) -> str:
    """The text without control characters: what a file or a person wrote never commands a terminal."""
    return _UNSEEN.sub("", text)


def once(pairs: Iterable[tuple[str, Any]], where: str) -> dict[str, Any]:
    """A table of pairs; refused where a name comes twice, since the last would win without a word."""
    out: dict[str, Any] = {}
    for name, value in pairs:
        if name in out:
            raise Refusal(f"{where} gives {name!r} twice; leave one of them out.")
        out[name] = value
    return out
