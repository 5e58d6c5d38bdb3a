"""Session: an episode at a table where some seats speak, from talk before play to its measures."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from nomoi.core import Outcome, Situation
from nomoi.core.learner import Learner
from nomoi.errors import Refusal
from nomoi.measure.ledger import Ledger
from nomoi.measure.measures import measures
from nomoi.play import Table, Transcript
from nomoi.speak.desk import Desk, current
from nomoi.speak.speaker import Speaker, Voice, names

HEARD = 30  # utterances, the latest, that one is reminded of (ours)
SPEECH = {  # what is measured of those who speak
    "malformed": ("share", "answers of no use, even asked again; the last legal one, or else any, stood for them"),
    "repaired": ("share", "answers that could be used only when asked again"),
}


@dataclasses.dataclass(frozen=True)
class Played:
    """What came of an episode: measures by name, the transcript, and what was said before and between, in turn."""

    measures: dict[str, float]
    transcript: Transcript
    said: tuple[dict[str, Any], ...]

    def arrays(self) -> dict[str, np.ndarray]:
        """The transcript and what was said, as a record keeps them: text in UTF-8, a JSON object a line."""
        lines = [self.transcript.head, *self.transcript.lines]
        return {"transcript": _text(lines), "said": _text(self.said)}


def play(
    situation: Situation, seats: Sequence[Speaker | Learner], seed: int = 0, talk: int = 0, limit: int = 0,
    told: Callable[[Table], None] = lambda _: None, between: int = 0,
) -> Played:  # fmt: skip
    """Play one episode.

    seats   who sits where, in the order of agents; the last takes all seats that are left
    talk    rounds in which all who speak may say something before play, each in turn
    between the same after each step of the world but the last, when all know what came of it
    limit   steps after which it is cut, 0 where it goes to its end;  told  is called after every step
    """
    desk, table = current(), Table(situation, seed)
    voices = _seated(table, seats)
    said: list[dict[str, Any]] = []
    _talk(desk, table, voices, talk, said)
    ledger = Ledger.open(situation, table.state)
    with ThreadPoolExecutor(desk.at_once) as pool:
        while not table.over and not (limit and table.steps >= limit):
            asked = {i: told for i, told in table.ask().items() if told.asked and i in voices}
            desk.room(len(asked))
            turn = int(table.turn)  # stands still while an institution convenes
            answers = list(pool.map(lambda i: voices[i].answer(desk, asked[i]), asked))  # noqa: B023
            for i, choices in zip(asked, answers, strict=True):
                table.answer(i, choices)
            table.step()
            assert table.brought is not None  # by the step
            ledger = _added(ledger, situation, table.state, table.brought, table.turn)
            for i, voice in voices.items():
                voice.lived(table.outcome[i], table.steps)
            told(table)
            if not table.over and int(table.turn) > turn:
                _talk(desk, table, voices, between, said)
    values = {name: float(m.of(ledger.episode)) for name, m in measures(situation).items()}
    counts = [voice.count for voice in voices.values()]
    answers = sum(c.answers for c in counts)
    if voices:
        values |= {name: sum(getattr(c, name) for c in counts) / max(answers, 1) for name in SPEECH}
    return Played(values, Transcript.of(table), tuple(said))


def _seated(table: Table, seats: Sequence[Speaker | Learner]) -> dict[int, Voice]:
    n = len(table.seats)
    if not 0 < len(seats) <= n:
        raise Refusal(
            f"{len(seats)} seats are given, and {table.situation.name} has {n}; one for each, or fewer, the "
            "last of which takes all that are left, would be right."
        )
    called, voices = names(n, table.seed), {}
    for i in table.seats:
        who = seats[min(i, len(seats) - 1)]
        if isinstance(who, Speaker):
            table.sit(i, who.name)
            voices[i] = Voice(who, table.situation, i, table.seed, called[i])
        else:
            table.sit(i, who)
    return voices


def _talk(desk: Desk, table: Table, voices: dict[int, Voice], rounds: int, said: list[dict[str, Any]]) -> None:
    """All who speak and are there, each in turn; everybody hears everybody."""
    for turn in range(rounds):
        for i, voice in voices.items():
            told = table.told(i)
            if not told.present:
                continue
            desk.room(1)
            if words := voice.talk(desk, told, turn):
                said.append({"seat": voice.name, "after_round": table.steps, "words": words})
                for other in voices.values():
                    other.said = said[-HEARD:]


@eqx.filter_jit
def _added(ledger: Ledger, situation: Situation, state: Any, outcome: Outcome, turn: Any) -> Ledger:
    return ledger.add(situation, state, outcome, jnp.asarray(turn))


def _text(lines: Sequence[Any]) -> np.ndarray:
    return np.frombuffer("".join(json.dumps(line) + "\n" for line in lines).encode(), np.uint8)
