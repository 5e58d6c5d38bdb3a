"""Setups: which situation under which institutions, as plain data that a page may change.

    {"situation": "pool", "preset": "", "options": {"agents": "3"}, "stack": [{"institution": "levy", "options": {}}]}

Options are texts, as people type them, and only those that are not the default's.  A page may name what comes with
nomoi, and what was given on the command line; it can load no file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nomoi import catalogue
from nomoi.core import Institution, Situation, build, govern, options
from nomoi.core.option import Option, typed, written
from nomoi.core.settings import changed
from nomoi.errors import Refusal
from nomoi.report.listed import sentence
from nomoi.runs import regimes

Setup = dict[str, Any]
MOST, TIMES = 24, 3  # institutions on one situation; defaults from an open slider's one end to the other (ours)
LIVE = ("setting", "number")  # kinds of options whose change compiles nothing


class Shelf:
    """What a page may name: all of nomoi's, and the classes that were given on the command line."""

    def __init__(self) -> None:
        self.own = dict[str, type[Any]]()

    def put(self, words: Sequence[str]) -> None:
        """Load files of a person's own (FILE.py or FILE.py:Name), and everything they define."""
        for word in words:
            loaded = catalogue.load(word)
            for cls in loaded if isinstance(loaded, list) else [loaded]:
                self.name(cls)

    def name(self, cls: type[Any]) -> str:
        """The name by which a page knows a class; one of a person's own is put on the shelf."""
        name = cls.__name__.lower()
        if not cls.__module__.startswith("nomoi."):
            self.own[name] = cls
        return name

    def find(self, word: Any, kind: str) -> type[Any]:
        """The class of a name."""
        if not isinstance(word, str) or any(mark in word for mark in ".:/\\"):
            raise Refusal(f"{word!r} is no name; files are given on the command line, and a page names what is there.")
        mine = self.own.get(word.lower())
        if mine is not None and issubclass(mine, catalogue.base(kind)):
            return mine
        return catalogue.find(word, kind)

    def names(self, kind: str) -> list[str]:
        """All names of a kind, those of a person's own first."""
        mine = [name for name, cls in self.own.items() if issubclass(cls, catalogue.base(kind))]
        return [*mine, *(c.name.lower() for c in catalogue.texts(kind) if c.name.lower() not in mine)]

    def about(self, kind: str) -> dict[str, str]:
        """What each of a kind is, in the first sentence of its card or the first part of it, by name."""
        cards = {c.name.lower(): c.card for c in catalogue.texts(kind)}
        cards |= {name: cls.__doc__ or "" for name, cls in self.own.items() if issubclass(cls, catalogue.base(kind))}
        return {name: sentence(cards[name]).partition("; ")[0].rstrip(".") for name in self.names(kind)}

    # --- from words of the command line, and back -------------------------------------------------------------------

    def typed(self, situation: str, under: str = "", set: Sequence[str] = (), map: str | None = None) -> Situation:
        """The governed situation that words of the command line mean."""
        given = regimes.settings(set)
        bare = regimes.place(situation, map, given)
        regime = regimes.parse(under, under, given)
        regimes.check_overrides(given, [regime], ["situation"])
        for rule in (bare, *regime.institutions):
            self.name(type(rule))
        return govern(bare, *regime.institutions)

    def setup(self, situation: Situation) -> Setup:
        """A situation as a setup."""
        stack = [{"institution": self.name(type(i)), "options": changed(i)} for i in situation.institutions]
        bare, options = situation.bare, changed(situation.bare)
        like = (name for name in type(bare).presets if changed(build(type(bare), name)) == options)
        preset = next(like, "") if options else ""
        return {"situation": self.name(type(bare)), "preset": preset, "options": {} if preset else options,
                "stack": stack}  # fmt: skip

    def build(self, setup: Any) -> Situation:
        """The situation of a setup; refused, in a sentence, where it is none."""
        stack = self.stack(setup)
        if len(stack) > MOST:
            raise Refusal(f"there are {len(stack)} institutions, and {MOST} are the most that the lab stacks.")
        cls = self.find(setup.get("situation"), "situation")
        if not isinstance(setup.get("preset", ""), str):
            raise Refusal("a preset is given by its name.")
        bare = build(cls, setup.get("preset") or None, **_texts(setup.get("options", {})))
        return govern(bare, *map(self.institution, stack))

    @staticmethod
    def stack(setup: Any) -> list[Any]:
        """The institutions of a setup, as they are given; refused where it is no setup."""
        stack = setup.get("stack", []) if isinstance(setup, Mapping) else None
        if not isinstance(stack, list):
            raise Refusal("a setup names a situation, its options, and a list of institutions.")
        return stack

    def institution(self, part: Any) -> Institution:
        """One institution of a stack."""
        if not isinstance(part, Mapping):
            raise Refusal("an institution of a setup is a table with its name and its options.")
        cls = self.find(part.get("institution"), "institution")
        return build(cls, **_texts(part.get("options", {})))


def _texts(given: Any) -> dict[str, str]:
    """Options as a page sends them: texts, and nothing that names a file."""
    if not isinstance(given, Mapping) or not all(isinstance(v, str) and isinstance(k, str) for k, v in given.items()):
        raise Refusal("options are texts by name.")
    for name, value in given.items():
        if "\n" not in value and (set("/\\") & set(value) or (len(value) < 256 and Path(value or ".").is_file())):
            raise Refusal(f"{name} cannot be {value[:60]!r} here; files are given on the command line, and a "
                          "page takes names, numbers and texts.")  # fmt: skip
    return dict(given)


def preset(made: Mapping[str, Any]) -> str:
    """What a preset changes, as far as that is short."""
    short = [f"{name} {typed(value)}" for name, value in made.items() if len(typed(value)) < 12]
    return ", ".join(short[:4]) + (" ..." if len(short) < len(made) or len(short) > 4 else "") or "the defaults"


def control(name: str, option: Option, value: str) -> dict[str, Any]:
    """What a page needs to draw a control of an option.

    form   slider, with a box beside it (a number that compiles nothing), number, radio, check, or text (several
           numbers, words)
    from, to, step   of the slider; the box takes all from `low` to `high`, of which either may be open (None)
    anew   whether a change compiles a new program
    """
    low, high = (x if abs(x) < 1e12 else None for x in (option.low, option.high))
    single = isinstance(option.default, (int, float)) and not isinstance(option.default, bool)
    form = "radio" if option.values else "check" if isinstance(option.default, bool) else "text"
    if single:
        form = "slider" if option.kind in LIVE else "number"
    return {"name": name, "symbol": option.symbol, "form": form, "value": value, "default": option.text(),
            "meaning": option.meaning, "source": option.source, "unit": option.unit, "low": low, "high": high,
            "whole": option.whole, "values": list(option.values), "anew": option.kind == "size",
            "may": option.words(), **(_reach(option, low, high, float(value)) if form == "slider" else {})}  # fmt: skip


def _reach(option: Option, low: float | None, high: float | None, value: float) -> dict[str, float]:
    """Where a slider begins and ends: an open end lies at `TIMES` the default, or as far as the value needs."""
    normal = float(option.default)
    least = 10.0 if option.whole else 1.0  # how far a slider goes whose default is nothing, or the low end (ours)
    begin = low if low is not None else min(0.0, TIMES * normal)
    end = high if high is not None else begin + least if normal <= begin else begin + TIMES * (normal - begin)
    begin, end = min(begin, value), max(end, value)
    step = 1.0 if option.whole else 10.0 ** math.floor(math.log10((end - begin) / 100 or 1.0))
    return {"from": begin + step * option.open_low, "to": end - step * option.open_high, "step": step}


def controls(rule: Any, without: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The controls of all options of an instance."""
    values = {n: written(getattr(rule, n), o) for n, o in options(type(rule)).items()}
    return [control(n, o, values[n]) for n, o in options(type(rule)).items() if n not in without]


__all__ = ["Setup", "Shelf", "changed", "control", "controls", "preset"]
