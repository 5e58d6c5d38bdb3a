"""Plans: what a room is to be, from the command line, from a file of a person's own, or from a preset."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nomoi import files
from nomoi.errors import Refusal, nearest

PRESETS = Path(__file__).parent / "presets"
LEAVES = ("script", "pause", "end")
SEES = ("view", "map")
TALK = ("no", "before", "always")
CONSENT = (
    "This is an experiment with a laboratory called nomoi. What is kept: what is answered at each seat, and how long "
    "it took. What is not kept: names, addresses, the time of day. You may leave at any moment by closing this page."
)
TALKED = "What you write to the others is kept as well, word by word, so write nothing by which you could be known."


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a room is to be.

    situation, under, set, map   as on the command line
    persons   how many seats are for people, the first ones
    script    who plays all others, and answers for a person who does not; empty is forager where there are apples to
              walk to, else random
    deadline  seconds a turn; 0 waits; by default 20, or 0 for one person alone
    pace      milliseconds a step, in real time: the latest answer counts, and none is choice 0; 0 takes turns
    beat      seconds between two signs of life; who gives none for three of them is away
    hold      seconds for which the seat of who left is held
    leaves    what happens then: script (it takes over), pause, or end
    sees      what people see of land: the view of their agent, or the whole map
    consent   what is read before the first answer; where there is talk, a sentence on it is added
    talk      whether people may write short texts to each other: no, before play, or always (before and in between)
    letters   the longest of them
    talking   seconds for talk before play; 0 until all are ready
    """

    situation: str = ""
    title: str = ""
    about: str = ""
    under: str = ""
    set: tuple[str, ...] = ()
    map: str = ""
    persons: int = 1
    script: str = ""
    deadline: float = -1
    pace: int = 0
    beat: float = 5
    hold: float = 60
    leaves: str = "script"
    sees: str = "view"
    consent: str = CONSENT
    talk: str = "no"
    letters: int = 280
    talking: float = 120
    seed: int = 0

    def __post_init__(self) -> None:
        for name, known in (("leaves", LEAVES), ("sees", SEES), ("talk", TALK)):
            if getattr(self, name) not in known:
                raise Refusal(f"{name} cannot be {getattr(self, name)!r}; {nearest(str(getattr(self, name)), known)}")
        for name, low, high in (("persons", 0, 60), ("deadline", 0, 86400), ("pace", 0, 60000), ("beat", 0.05, 600),
                                ("hold", 0, 86400), ("letters", 1, 2000), ("talking", 0, 86400),
                                ("seed", 0, 2**63)):  # fmt: skip
            unsaid = getattr(self, name) == type(self).__dict__[name]  # as the deadline
            if not unsaid and not low <= getattr(self, name) <= high:
                raise Refusal(f"{name} cannot be {getattr(self, name)}; a number from {low} to {high} would be right.")

    @property
    def agreed(self) -> str:
        """The text to which people agree."""
        return self.consent if self.talk == "no" else f"{self.consent} {TALKED}"

    @property
    def waits(self) -> float:
        """Seconds for which a turn waits for people; 0 is for ever."""
        if self.pace:
            return self.pace / 1000
        return self.deadline if self.deadline >= 0 else 20.0 * (self.persons > 1)


def read(word: str) -> Plan:
    """The plan of a room's file (.toml, .yaml, .json), or of a preset, by its name."""
    if word.isidentifier():
        return ready(word)
    return of(files.table(Path(word), (".toml", ".yaml", ".yml", ".json")), str(word))


def ready(word: Any) -> Plan:
    """The plan of a room that comes with nomoi, by its name; a page may name no other."""
    if word not in presets():
        raise Refusal(f"there is no room {word!r}; {nearest(str(word), presets(), 'room')}")
    return of(files.table(PRESETS / f"{word}.toml", (".toml",)), word)


def presets() -> list[str]:
    """The rooms that come with nomoi, by name."""
    return sorted(p.stem for p in PRESETS.glob("*.toml"))


def of(told: Any, where: str) -> Plan:
    """A plan of plain data; refused, in a sentence, where it is none."""
    if not isinstance(told, Mapping):
        raise Refusal(f"{where} gives {repr(told)[:60]} for a plan; names and values would be right.")
    fields = {f.name: f.default for f in dataclasses.fields(Plan)}
    given = {}
    for name, value in told.items():
        if name not in fields:
            raise Refusal(f"{where} has {name!r}; {nearest(str(name), fields)}")
        default: Any = fields[name]
        if isinstance(default, tuple):
            right = isinstance(value, list) and all(isinstance(x, str) for x in value)
            value = tuple(value) if right else value
        elif isinstance(default, float) or name in ("deadline", "beat", "hold", "talking"):
            right = isinstance(value, (int, float)) and not isinstance(value, bool)
        else:
            right = isinstance(value, type(default)) and not (isinstance(value, bool) and default is not True)
        if not right:
            like = ["levy.rate=2"] if isinstance(default, tuple) else "a text" if isinstance(default, str) else default
            raise Refusal(f"{where} gives {repr(value)[:60]} for {name}; something like {like} would be right.")
        given[name] = value
    try:
        return Plan(**given)
    except Refusal as refusal:
        raise Refusal(f"{where}: {refusal}") from None
