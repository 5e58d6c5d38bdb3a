"""Regimes: which institutions govern, written as `altar(display=hidden)+sanction`.

All regimes of a comparison share one program: each is the same stack of institutions, of which some are not
in force.  So a regime without an altar has the same network and the same observations, with the altar's part
at zero, and only settings differ.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import jax

from nomoi import catalogue
from nomoi.core import Institution, Situation, build, describe, govern
from nomoi.core.settings import Rule
from nomoi.errors import Refusal, nearest, once, printable

NOTHING = "nothing"
_TERM = re.compile(r"^\s*([\w./:~-]+?)\s*(?:\(([^()]*)\))?\s*$")


@dataclasses.dataclass(frozen=True)
class Regime:
    """A label and the institutions in force, in the order they act; `written` are the options that its text sets."""

    label: str
    institutions: tuple[Institution, ...]
    written: frozenset[tuple[str, str]] = frozenset()

    def sentences(self) -> str:
        """What the regime is, in words."""
        return " ".join(i.sentence for i in self.institutions) or "Nobody adds any rule."


def parse(label: str, text: str, overrides: Mapping[str, Mapping[str, str]] | None = None) -> Regime:
    """A regime from its text; `overrides` are {institution: {option: text}} given by --set, where it says nothing."""
    overrides, stack, written = overrides or {}, [], set()
    if printable(text) != text:
        raise Refusal(f"the regime {text!r} has control characters; letters, digits and signs would be right.")
    for term in [] if text.strip() in ("", NOTHING) else _split(text, "+"):
        found = _TERM.match(term)
        if not found:
            raise Refusal(f"{term!r} is not a regime; something like levy(rate=2) or altar+sanction would be right.")
        named = once((_option(part, term) for part in _split(found[2] or "", ",") if part.strip()), repr(term.strip()))
        cls = catalogue.find(found[1], "institution")
        title = named.get("title", cls.__name__.lower())
        stack.append(build(cls, **(dict(overrides.get(title, {})) | named)))  # type: ignore[arg-type]
        written |= {(title, option) for option in named}
    return Regime(label, tuple(stack), frozenset(written))


def _split(text: str, mark: str) -> list[str]:
    """Split at `mark` outside of brackets; commas inside a list of numbers belong to it (a=1,2,b=3)."""
    if mark == "+":
        return re.split(r"\+(?![^()]*\))", text)
    return re.split(r",(?=\s*\w+\s*=)", text)


def _option(part: str, term: str) -> tuple[str, str]:
    name, equals, value = part.partition("=")
    if not equals:
        raise Refusal(f"{part.strip()!r} in {term.strip()!r} sets nothing; write name=value.")
    return name.strip(), value.strip()


def default(situation: Situation) -> dict[str, str]:
    """The regimes that a situation is compared under unless others are asked for."""
    return dict(situation.regimes) or {NOTHING: ""}


def check_overrides(
    overrides: Mapping[str, Mapping[str, str]], regimes: Sequence[Regime], known: Sequence[str]
) -> None:
    """Every --set must touch something."""
    there = {i.name for r in regimes for i in r.institutions} | set(known)
    for name, options in overrides.items():
        if name not in there:
            raise Refusal(f"--set {name}.… touches nothing here; {nearest(name, there)}")
        mine = [r for r in regimes if any(i.name == name for i in r.institutions)]
        for option in options:
            if mine and all((name, option) in r.written for r in mine):
                raise Refusal(
                    f"--set {name}.{option} touches nothing here: each regime says it itself; change it there."
                )


def one_program(situation: Situation, regimes: Sequence[Regime]) -> list[Situation]:
    """The situation under each regime, all as one stack of institutions where their shapes allow it.

    Regimes whose institutions of one name differ in static options, or stand in another order, get a stack
    of their own (and so another program).
    """
    stacks: list[dict[str, Institution]] = []
    home: list[int] = []
    for regime in regimes:
        govern(situation, *regime.institutions)  # refuses what does not fit
        mine = {i.name: i for i in regime.institutions}
        for place, stack in enumerate(stacks):
            merged = _merge(stack, mine)
            if merged is not None:
                stacks[place] = merged
                home.append(place)
                break
        else:
            stacks.append(mine)
            home.append(len(stacks) - 1)
    return [_under(situation, stacks[p], r) for p, r in zip(home, regimes, strict=True)]


def _under(situation: Situation, stack: Mapping[str, Institution], regime: Regime) -> Situation:
    mine = {i.name: i for i in regime.institutions}
    return govern(situation, *(mine.get(name) or other.replace(in_force=False) for name, other in stack.items()))


def _merge(stack: dict[str, Institution], mine: dict[str, Institution]) -> dict[str, Institution] | None:
    """One order that holds both, or None where their shapes or orders contradict each other."""
    for name in stack.keys() & mine.keys():
        if _shape(stack[name]) != _shape(mine[name]):
            return None
    order = list(stack)
    place = 0
    for name in mine:
        if name in order:
            if order.index(name) < place:
                return None
            place = order.index(name) + 1
        else:
            order.insert(place, name)
            place += 1
    return {name: stack.get(name, mine.get(name)) for name in order}  # type: ignore[misc]


def _shape(institution: Institution) -> Any:
    leaves, tree = jax.tree.flatten(institution)
    return tree, [leaf.shape for leaf in leaves]


def spec(rule: Rule) -> dict[str, Any]:
    """A situation, institution or learner as plain data, for records."""
    return {"class": catalogue.address(type(rule)), "options": describe(rule)}
