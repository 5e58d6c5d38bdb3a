"""Gambit's strategic form, .nfg: parsing and writing it.

Both versions are read (gambit 16, "Game representation formats"): payoffs listed, or outcomes listed and numbered; any
number of players; the first player's action changes fastest; commas and line breaks mean nothing outside quotes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from nomoi.errors import Refusal
from nomoi.solve.game import LARGEST, NormalForm, check_players

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_FRACTION = re.compile(r"([+-]?\d{1,300})\s*/\s*([+-]?\d{1,300})", re.ASCII)
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([{}])|([^\s,{}"]+)|(")', re.DOTALL)


def number(word: str, where: str) -> float:
    """A payoff from text: 3, -0.5, .8, 1e-3 or 1/3."""
    word = word.strip()
    fraction = _FRACTION.fullmatch(word)
    if fraction and int(fraction[2]) and (int(fraction[1]) == 0 or int(fraction[1]) / int(fraction[2])):
        return int(fraction[1]) / int(fraction[2])
    value = float(word) if len(word) < 400 and _NUMBER.fullmatch(word) else math.inf
    vanished = value == 0 and re.search("[1-9]", word.lower().partition("e")[0])  # too small for a number here
    if not math.isfinite(value) or vanished:
        shown = word if len(word) < 40 else word[:40] + "..."
        raise Refusal(f"{where}: {shown!r} is no payoff; numbers such as 3, -0.5 or 1/3 would be right.")
    return value


class _Words:
    """The words of a .nfg file, one after the other, each with its line."""

    def __init__(self, text: str, path: Path) -> None:
        self.path, self.text, self.line, self.at = path, text, 1, 0
        self.next: tuple[str, str] | None = None
        self._found = _TOKEN.finditer(text)
        self.take()

    def where(self) -> str:
        return f"{self.path}, line {self.line}"

    def take(self) -> tuple[str, str] | None:
        """(kind, text) of the word that is next, and go on; kinds are text, brace and word."""
        now = self.next
        found = next(self._found, None)
        if found is None:
            self.next = None
        else:
            self.line += self.text.count("\n", self.at, found.start())
            self.at = found.start()
            if found[4]:
                raise Refusal(f"{self.where()}: a quotation mark is never closed.")
            kind = "brace" if found[2] else "word" if found[3] else "text"
            self.next = kind, found[2] or found[3] or re.sub(r"\\(.)", r"\1", found[1] or "")
        return now

    def expect(self, kind: str, what: str, text: str = "") -> str:
        if self.next is None:
            raise Refusal(f"{self.path} ends where {what} should stand.")
        if self.next[0] != kind or (text and self.next[1] != text):
            raise Refusal(f"{self.where()}: {self.next[1]!r} stands where {what} should.")
        word = self.next[1]
        self.take()
        return word

    def sees(self, kind: str, text: str = "") -> bool:
        return self.next is not None and self.next[0] == kind and (not text or self.next[1] == text)

    def braced(self, what: str) -> Iterator[None]:
        """One turn for every thing between braces."""
        self.expect("brace", f"the opening brace of {what}", "{")
        while not self.sees("brace", "}"):
            if self.next is None:
                raise Refusal(f"{self.path} ends inside {what}; a closing brace is missing.")
            yield
        self.take()


def parse(text: str, path: Path) -> NormalForm:
    """The game that the text of a file says; Refusal that names the line where it says none."""
    words = _Words(text, path)
    words.expect("word", "NFG, the first word of a strategic form", "NFG")
    words.expect("word", "the version 1", "1")
    if words.expect("word", "R, the kind of numbers") not in ("R", "D"):
        raise Refusal(f"{path}: the third word of a .nfg file must be R (or D), the kind of its numbers.")
    title = words.expect("text", "the title in quotes") or path.stem
    players = tuple(words.expect("text", "a player's name in quotes") for _ in words.braced("the players"))
    if len(players) < 2:
        raise Refusal(f"{path} has {len(players)} player(s); a game needs two or more.")
    check_players(len(players), str(path))
    actions = tuple(_actions(words) for _ in words.braced("the strategies"))
    if len(actions) != len(players):
        raise Refusal(f"{path} gives strategies to {len(actions)} of {len(players)} players; each needs its own.")
    shape = tuple(map(len, actions))
    profiles = math.prod(shape)
    if profiles * len(players) > LARGEST:
        raise Refusal(f"{path} has {profiles * len(players):,} payoffs, more than the {LARGEST:,} that can be solved.")
    if words.sees("text"):
        words.take()  # the comment
    payoff = _outcomes(words, profiles, players) if words.sees("brace") else _listed(words, profiles, len(players))
    if words.next is not None:
        raise Refusal(f"{words.where()}: {words.next[1]!r} stands after the last of {profiles} outcomes.")
    table = np.stack([payoff[:, i].reshape(shape, order="F") for i in range(len(players))])
    return NormalForm(table, title, _named(players, "P"), tuple(_named(a, "") for a in actions))


def _named(names: Sequence[str], letter: str) -> tuple[str, ...]:
    """The names, with numbers for those that are empty."""
    return tuple(name or f"{letter}{k + 1}" for k, name in enumerate(names))


def _actions(words: _Words) -> tuple[str, ...]:
    """One player's strategies: names in braces, or how many there are."""
    if words.sees("brace", "{"):
        names = tuple(
            words.expect("text", "a strategy's name in quotes") for _ in words.braced("a player's strategies")
        )
    else:
        where, count = words.where(), words.expect("word", "a number of strategies")
        if not re.fullmatch(r"[0-9]{1,8}", count) or int(count) > LARGEST:
            raise Refusal(f"{where}: {count!r} is no number of strategies; a whole number from 1 would be right.")
        names = ("",) * int(count)
    if not names:
        raise Refusal(f"{words.where()}: a player has no strategy; each needs one or more.")
    return names


def _listed(words: _Words, profiles: int, n: int) -> np.ndarray:
    """[profiles, n] payoffs that are listed one after the other."""
    out = np.empty(profiles * n)
    for k in range(len(out)):
        if words.next is None:
            raise Refusal(f"{words.path} ends after {k} payoffs; {profiles} outcomes for {n} players need {len(out)}.")
        where = words.where()
        out[k] = number(words.expect("word", "a payoff"), where)
    return out.reshape(profiles, n)


def _outcomes(words: _Words, profiles: int, players: tuple[str, ...]) -> np.ndarray:
    """[profiles, n] payoffs by outcomes that are numbered from 1; 0 is the outcome in which all get nothing."""
    known = [[0.0] * len(players)]
    for _ in words.braced("the outcomes"):
        where, got = words.where(), []
        for _ in words.braced("an outcome"):
            if words.sees("text") and not got:
                words.take()  # its name
            else:
                at = words.where()
                got.append(number(words.expect("word", "a payoff"), at))
        if len(got) != len(players):
            raise Refusal(f"{where}: outcome {len(known)} has {len(got)} payoffs for {len(players)} players.")
        known.append(got)
    chosen = []
    for k in range(profiles):
        if words.next is None:
            raise Refusal(f"{words.path} ends after {k} outcome numbers; its strategies need {profiles}.")
        where, word = words.where(), words.expect("word", "the number of an outcome")
        if not re.fullmatch(r"[0-9]{1,9}", word) or int(word) >= len(known):
            raise Refusal(f"{where}: there is no outcome {word!r}; they are numbered 1 to {len(known) - 1}, 0 is none.")
        chosen.append(int(word))
    return np.array(known)[chosen]


def write(game: NormalForm, path: str | Path) -> Path:
    """Write a game as Gambit's strategic form, payoff version; what is read again is the same, bit for bit."""
    quoted = lambda name: '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'  # noqa: E731
    players = " ".join(map(quoted, game.players))
    actions = "\n  ".join("{ " + " ".join(map(quoted, names)) + " }" for names in game.actions)
    flat = np.stack([p.ravel(order="F") for p in game.payoff], 1)
    rows = "\n".join(" ".join(f"{v:.0f}" if v.is_integer() and abs(v) < 1e15 else repr(v) for v in row)
                     for row in flat.tolist())  # fmt: skip
    path = Path(path)
    text = f'NFG 1 R {quoted(game.title)} {{ {players} }}\n\n{{ {actions}\n}}\n""\n\n{rows}\n'
    path.write_text(text, encoding="utf-8")
    return path
