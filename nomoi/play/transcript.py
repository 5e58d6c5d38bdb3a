"""Transcripts: what was played at a table, as lines of plain data from which all of it can be lived through again.

A transcript keeps the seed, what every seat answered in every step and what that brought.  States, events and pictures
are not kept: `replay` lives through them again, in the very program that the table ran, and digests along the way show
that every bit is the same.  A file has one JSON object a line:

    {"transcript": 1, "situation": {...}, "own": {}, "agents": n, "actions": {head: choices}, "seed": 7, "key": null,
     "versions": {...}}                                                                       (all of this in one line)
    {"episode": 1, "digest": ...}
    {"step": 1, "answers": {head: [n]}, "reward": [n], "transfer": [n], "done": false, "digest": ..., "seats": [n]}
    ...
    {"end": 40, "digest": ...}

`situation` is `nomoi.core.spec.spec` of it, from which it is made again; `own` says where the files of one's own lay
that it names.  Each digest is also that of all lines before it.  `seats` says who answered, where somebody else did
than before.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from nomoi import __version__, files
from nomoi.core import Situation
from nomoi.core.spec import near, own, rebuild, spec
from nomoi.errors import Refusal, printable
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
        return Transcript(head(table), (*(dict(line) for line in table.log), end(table)))

    def save(self, path: str | Path) -> Path:
        """Write it in one step, as JSON lines."""
        return files.write(path, "".join(json.dumps(line) + "\n" for line in (self.head, *self.lines)))


def head(table: Table) -> Line:
    """The first line of a table's transcript, which is known before anything is played."""
    key = None if table.key is None else jax.random.key_data(table.key).tolist()
    where = _where(table.situation) | {"seed": table.seed, "key": key}
    return {"transcript": FORMAT, **where, "versions": {"nomoi": __version__, "jax": jax.__version__}}


def _where(situation: Situation) -> Line:
    """What the head says of a situation: all that it is, and how many answers a line holds."""
    told = json.loads(json.dumps(spec(situation), allow_nan=False))
    places = {home: str(file) for home, file in own(told).items()}
    return {"situation": told, "own": places, "agents": situation.agents, "actions": dict(situation.actions)}


def replay(
    transcript: Transcript, situation: Situation | None = None, watch: Callable[[Table], None] | None = None
) -> Table:
    """Live through a transcript again, and give the table as it stood at its end, all seats open under their names.

    The situation is made again from the transcript alone; one that is given must be the same, option by option.  A
    file of one's own is looked for where it was, and in the folder one stands in; it must have the very same text.
    `watch` is called with the table at the start of each episode and after each step.  Refused, in a sentence that
    names the step, where anything is not bit for bit as it was.
    """
    if situation is None:
        situation = _again(transcript.head)
    else:
        _same(transcript.head["situation"], _where(situation)["situation"])
    for name, has in (("agents", situation.agents), ("actions", dict(situation.actions))):
        if transcript.head[name] != has:
            said = shown(transcript.head[name])
            raise Refusal(f"the transcript says {said} for {name}, and {situation.name} has {shown(has)}.")
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


def _again(head: Line) -> Situation:
    """The situation of a transcript, made again from its first line."""
    try:
        made = rebuild(head["situation"], near(head["own"].values()))
    except Exception as error:  # a file from anywhere may say anything
        said = str(error).rstrip(".") if isinstance(error, Refusal) else f"{type(error).__name__}: {error}"
        said = printable(" ".join(said.split()))
        raise Refusal(f"the situation of the transcript cannot be made again: {said}.") from error
    if not isinstance(made, Situation):
        raise Refusal(f"the transcript was played in {shown(head['situation'])}, which is no situation.")
    return made


def _same(told: Line, here: Line) -> None:
    if found := _apart(told, here, "situation"):
        where, was, now = found
        was, now = shown(was), shown(now)
        raise Refusal(f"the transcript was played where {where} is {was}, and in the situation given it is {now}.")


def _apart(told: Any, here: Any, where: str) -> tuple[str, Any, Any] | None:
    """The first place at which two specs differ, and what each of them says there."""
    if told == here:
        return None
    one, other = _parts(told), _parts(here)
    names = {**one, **other} if one and other else {}
    inside = (_apart(one.get(name), other.get(name), f"{where}.{name}") for name in names)
    return next((found for found in inside if found), (where, told, here))


def _parts(data: Any) -> Line:
    """The parts of a spec by name, where it has any."""
    if isinstance(data, list):
        return {str(k): part for k, part in enumerate(data, 1)}
    if not isinstance(data, dict):
        return {}
    options = data.get("options")
    if isinstance(options, dict):
        return {"class": data.get("class"), **options}
    return _parts(data["tuple"]) if "tuple" in data else data


def _compare(transcript: Transcript, table: Table, line: Line) -> None:
    lived = end(table) if "end" in line else table.log[-1]
    for name, what in (("reward", "rewards"), ("transfer", "transfers"), ("done", "the end"), ("digest", "a digest")):
        if name in line and json.dumps(line[name]) != json.dumps(lived[name]):
            made = transcript.head["versions"]
            now = {"nomoi": __version__, "jax": jax.__version__}
            other = "" if made == now else f" (it was written by {_words(made)}, and this is {_words(now)})"
            raise Refusal(
                f"step {table.steps} of episode {table.episode} has {what} {shown(lived[name])}, and the transcript "
                f"says {shown(line[name])}; an answer, the seed, the situation or the code is not what it was{other}."
            )


def end(table: Table) -> Line:
    """The last line of what has been played so far."""
    return {"end": len(table.log), "digest": digest.of(table.log[-1]["digest"], table.world)}


def _words(versions: Line) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def read(path: str | Path) -> Transcript:
    """A transcript from its file, which is checked line by line and refused where it is malformed."""
    head, *lines = parse(path)
    return Transcript(head, tuple(lines))
