"""The text form of regimes, players and settings, as people type them: `altar(display=hidden)+sanction`.

This form is for the command line; in Python a regime is a tuple of institutions.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nomoi import catalogue
from nomoi.core import Institution, Rule, Situation, build, govern, pilot
from nomoi.core.learner import Learner
from nomoi.errors import Refusal, nearest, once, printable

if TYPE_CHECKING:
    from nomoi.solve.game import NormalForm

NOTHING = "nothing"
_TERM = re.compile(r"^\s*([\w./:~-]+?)\s*(?:\(([^()]*)\))?\s*$")


@dataclasses.dataclass(frozen=True)
class Regime:
    """A label and the institutions in force, in the order they act; `written` are the options that its text sets."""

    label: str
    institutions: tuple[Institution, ...]
    written: frozenset[tuple[str, str]] = frozenset()

    @property
    def known(self) -> set[str]:
        """The names of its institutions."""
        return {i.name for i in self.institutions}

    def sentences(self) -> str:
        """What the regime is, in words."""
        said = [i.sentence for i in self.institutions]
        return " ".join(said + unheard(self.institutions)) or "Nobody adds any rule."


def unheard(stack: Sequence[Institution]) -> list[str]:
    """What stands too late to be heard, in sentences: who goes by it acts before it, and so never learns of it."""
    pairs = [(one, late) for k, one in enumerate(stack) for late in stack[k + 1 :]]
    return [
        f"But {late.name} acts after {one.name}, which does not hear it: {late.name}+{one.name} would be heard."
        for one, late in pairs
        if set(getattr(one, "hears", ())) & set(late.emits)
    ]


def parse(label: str, text: str, overrides: Mapping[str, Mapping[str, str]] | None = None) -> Regime:
    """A regime from its text; `overrides` are {institution: {option: text}} given by --set, where it says nothing."""
    overrides, stack, written = overrides or {}, [], set()
    if printable(text) != text:
        raise Refusal(f"the regime {text!r} has control characters; letters, digits and signs would be right.")
    for term in [] if text.strip() in ("", NOTHING) else _split(text, "+"):
        cls, named = _read(term, "institution", "levy(rate=2) or altar+sanction")
        title = named.get("title", cls.__name__.lower())
        stack.append(build(cls, **(dict(overrides.get(title, {})) | named)))  # type: ignore[arg-type]
        written |= {(title, option) for option in named}
    return Regime(label, tuple(stack), frozenset(written))


def asked(under: Sequence[str], options: Mapping[str, Mapping[str, str]]) -> list[Regime]:
    """The regimes that were typed, each once, and no rule where none was; `options` are those of --set."""
    texts = once(((text.strip() or NOTHING, text) for text in under or (NOTHING,)), "--under")
    chosen = [parse(label, text, options) for label, text in texts.items()]
    check_overrides(options, chosen, ["situation"])
    return chosen


def player(text: str, overrides: Mapping[str, str] | None = None) -> Learner:
    """Who plays, from text such as `ppo(hidden=32)` or `forager(spare=3)`: a learner, or a script, which never learns.

    `overrides` are options given by --set learner.…, of which the text says nothing.
    """
    if text.strip() == "person":
        raise Refusal("a person plays in a browser: `nomoi lab SITUATION --seat person` opens a seat.")
    cls, typed = _read(text, "player", "ppo(hidden=32) or forager(spare=3)")
    for option in typed.keys() & (overrides or {}).keys():
        raise Refusal(f"--set learner.{option} touches nothing here: the player says it itself; change it there.")
    named = typed | dict(overrides or {})
    wanted = named.pop("objective", "own")
    of_objective = {n.partition(".")[2]: named.pop(n) for n in list(named) if n.startswith("objective.")}
    if not issubclass(cls, Rule) and named:
        raise Refusal(f"{cls.__name__.lower()} has no options, and here {', '.join(named)} are given.")
    try:
        made = _made(cls, **named)
    except TypeError:
        raise Refusal(f"{cls.__name__.lower()} is made of other players, which only Python can say.") from None
    if wanted == "own" and not of_objective:
        return made
    if not hasattr(made, "objective"):
        raise Refusal(f"{cls.__name__.lower()} has no objective; ppo has.")
    return dataclasses.replace(made, objective=build(catalogue.find(wanted, "objective"), **of_objective))


def objective(text: str) -> Any:
    """An objective from text such as `svo(angle=30)` or `decisions(of=altar)`."""
    cls, named = _read(text, "objective", "decisions(of=altar)")
    return build(cls, **named)


def _read(term: str, kind: str, like: str) -> tuple[Any, dict[str, str]]:
    """The class that NAME(option=value, ...) names, and its options."""
    found = _TERM.match(term)
    if not found:
        what = "regime" if kind == "institution" else kind
        raise Refusal(f"{term!r} is not a {what}; something like {like} would be right.")
    named = once((_option(part, term) for part in _split(found[2] or "", ",") if part.strip()), repr(term.strip()))
    return catalogue.find(found[1], kind), named


def _split(text: str, mark: str) -> list[str]:
    """Split at `mark` outside of brackets; commas inside a list of numbers belong to it (a=1,2,b=3)."""
    if mark == "+":
        return re.split(r"\+(?![^()]*\))", text)
    return re.split(r",(?=\s*[\w.]+\s*=)", text)


def _option(part: str, term: str) -> tuple[str, str]:
    name, equals, value = part.partition("=")
    if not equals:
        raise Refusal(f"{part.strip()!r} in {term.strip()!r} sets nothing; write name=value.")
    return name.strip(), value.strip()


def fitting(cls: type[Institution], place: Situation) -> dict[str, str] | None:
    """The options with which an institution fits there: none are needed, or it is put on an event; None if neither."""
    events = [e for e, event in place.emits.items() if event.good] if hasattr(cls, "on") else []
    for options in ({}, *({"on": e} for e in events)):
        try:
            govern(place, build(cls, **options))
        except Refusal:
            continue
        return options
    return None


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


def settings(given: Mapping[str, str] | Sequence[str]) -> dict[str, dict[str, str]]:
    """{"levy": {"rate": "2"}} from {"levy.rate": "2"} or ["levy.rate=2"]."""
    pairs = given.items() if isinstance(given, Mapping) else [_pair(text) for text in given]
    out: dict[str, dict[str, str]] = {}
    for name, value in once(((name.strip(), value) for name, value in pairs), "--set").items():
        owner, dot, option = name.partition(".")
        if not dot:
            raise Refusal(f"--set {name}={value} names no owner; something like levy.rate=2 would be right.")
        out.setdefault(owner, {})[option] = str(value).strip()
    return out


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Refusal(f"--set {text} sets nothing; something like levy.rate=2 would be right.")
    return name, value


def game(situation: Situation | str) -> str:
    """The name of the file, where what is lived in is the game of one; else nothing."""
    path = Path(situation) if isinstance(situation, str) else Path()
    return path.name if path.suffix.lower() in (".nfg", ".csv", ".json") else ""


def source(situation: Situation | str) -> NormalForm | None:
    """The game of the file, where what is lived in is that of one."""
    from nomoi.solve import formats

    return formats.read(situation) if isinstance(situation, str) and game(situation) else None


def place(situation: Situation | str, map: str | None, options: dict[str, dict[str, str]]) -> Situation:
    """The situation that is meant; its part of the options, under "situation" or its own name, is taken out of them."""
    if isinstance(situation, str) and game(situation):
        return _game(situation, map, options)
    cls = type(situation) if isinstance(situation, Situation) else catalogue.find(situation, "situation")
    name = situation.name if isinstance(situation, Situation) else cls.__name__.lower()
    mine = [pair for owner in ("situation", name) for pair in options.pop(owner, {}).items()]
    extra = once(mine, f"--set (situation and {name} are one)")
    if isinstance(situation, Situation):
        if map or extra:
            raise Refusal("a situation that is already made takes no map and no options; set them when making it.")
        return situation
    preset = map
    if map is not None and map not in cls.presets:
        if not Path(map).is_file():
            raise Refusal(f"{name} has no preset {map!r}; {nearest(map, cls.presets, 'preset')}")
        preset, extra = None, once([("map", map), *extra.items()], "--map and --set situation.map")
    return _made(cls, preset, **extra)


def _made(cls: type[Any], preset: str | None = None, **named: str) -> Any:
    """One of a class; what a person's own `__init__` does wrong is said in a sentence."""
    try:
        return build(cls, preset, **named) if issubclass(cls, Rule) else cls()
    except Refusal:
        raise
    except Exception as error:
        if cls.__module__.startswith("nomoi."):
            raise
        right = "fields declared in the class, each with a default, would be right, and no __init__"
        raise Refusal(f"{cls.__name__} cannot be made ({pilot.fault(error)}); {right}.") from None


def _game(file: str, map: str | None, options: dict[str, dict[str, str]]) -> Situation:
    """The game of a file as a situation to live in: its payoffs are those of a matrix game."""
    from nomoi.situations.matrix import Matrix
    from nomoi.solve import formats

    game = formats.read(file)
    if len(set(game.shape)) > 1:
        many = ", ".join(str(k) for k in game.shape)
        raise Refusal(f"{file} has players with {many} actions; in what is lived in all have equally many (`nomoi "
                      "solve` takes any).")  # fmt: skip
    if map is not None:
        raise Refusal(f"{file} is a game and has no map; leave out --map.")
    mine = [pair for owner in ("situation", "matrix") for pair in options.pop(owner, {}).items()]
    return build(Matrix, payoff=game.payoff, **once(mine, "--set (situation and matrix are one)"))
