"""Transcripts: what was played at a table, as lines of plain data from which all of it can be lived through again.

A transcript keeps the seed, what every seat answered in every step and what that brought.  States, events and pictures
are not kept: `replay` lives through them again, in the very program that the table ran, and digests along the way show
that every bit is the same.  A file has one JSON object a line:

    {"transcript": 1, "situation": {...}, "seed": 7, "key": null, "versions": {...}}
    {"episode": 1, "digest": ...}
    {"step": 1, "answers": {head: [n]}, "reward": [n], "transfer": [n], "done": false, "digest": ..., "seats": [n]}
    ...
    {"end": 40, "digest": ...}

Each digest is also that of all lines before it.  `seats` says who answered, where somebody else did than before.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp

from nomoi import __version__, files
from nomoi.core import Situation
from nomoi.errors import Refusal
from nomoi.play import digest
from nomoi.play.lines import FORMAT, Line, parse, shown
from nomoi.play.table import Table


@dataclasses.dataclass(frozen=True)
class Transcript:
    """What was played: `head` says where, `lines` what (see above); plain data throughout."""

    head: Line
    lines: tuple[Line, ...]

    @staticmethod
    def of(table: Table) -> Transcript:
        """What has been played at a table so far."""
        key = None if table.key is None else jax.random.key_data(table.key).tolist()
        where = {"situation": _where(table.situation), "seed": table.seed, "key": key}
        head = {"transcript": FORMAT, **where, "versions": {"nomoi": __version__, "jax": jax.__version__}}
        return Transcript(head, (*(dict(line) for line in table.log), _end(table)))

    def save(self, path: str | Path) -> Path:
        """Write it in one step, as JSON lines."""
        return files.write(path, "".join(json.dumps(line) + "\n" for line in (self.head, *self.lines)))


def _where(situation: Situation) -> Line:
    """What a situation must have in common with the one that a transcript was played in."""
    # HOOK: spec(situation) belongs here, once things can be turned into plain data and back; `replay` can then
    # rebuild the situation from the transcript alone, and refuse one whose settings differ before anything is lived.
    under = [i.name for i in getattr(situation, "institutions", ())]
    return {
        "name": situation.name, "under": under, "agents": situation.agents, "horizon": situation.horizon,
        "actions": dict(situation.actions),
    }  # fmt: skip


def replay(transcript: Transcript, situation: Situation, watch: Callable[[Table], None] | None = None) -> Table:
    """Live through a transcript again, and give the table as it stood at its end, all seats open under their names.

    `watch` is called with the table at the start of each episode and after each step.  Refused, in a sentence that
    names the step, where anything is not bit for bit as it was.
    """
    there, here = transcript.head["situation"], _where(situation)
    for name, value in here.items():
        if there[name] != value:
            was, now = shown(there[name]), shown(value)
            raise Refusal(f"the transcript was played where {name} is {was}, and in the situation given it is {now}.")
    key = transcript.head["key"]
    table = Table(situation, transcript.head["seed"], key and jax.random.wrap_key_data(jnp.array(key, jnp.uint32)))
    for line in transcript.lines:
        if "step" in line:
            for seat in table.seats:
                if "seats" in line:
                    table.sit(seat, line["seats"][seat] or None)
                table.answer(seat, {head: choices[seat] for head, choices in line["answers"].items()})
            table.step()
        elif line.get("episode", 1) > 1:
            table.renew()
        _compare(transcript, table, line)
        if watch and "end" not in line:
            watch(table)
    return table


def _compare(transcript: Transcript, table: Table, line: Line) -> None:
    lived = _end(table) if "end" in line else table.log[-1]
    for name, what in (("reward", "rewards"), ("transfer", "transfers"), ("done", "the end"), ("digest", "a digest")):
        if name in line and json.dumps(line[name]) != json.dumps(lived[name]):
            made = transcript.head["versions"]
            now = {"nomoi": __version__, "jax": jax.__version__}
            other = "" if made == now else f" (it was written by {_words(made)}, and this is {_words(now)})"
            raise Refusal(
                f"step {table.steps} of episode {table.episode} has {what} {shown(lived[name])}, and the transcript "
                f"says {shown(line[name])}; an answer, the seed, the situation or the code is not what it was{other}."
            )


def _end(table: Table) -> Line:
    return {"end": len(table.log), "digest": digest.of(table.log[-1]["digest"], table.world)}


def _words(versions: Line) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def read(path: str | Path) -> Transcript:
    """A transcript from its file, which is checked line by line and refused where it is malformed."""
    head, *lines = parse(path)
    return Transcript(head, tuple(lines))
