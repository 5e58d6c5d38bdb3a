"""The lines of a transcript's file: data, which is checked line by line before anything is made of it."""

from __future__ import annotations

import json
import re
from collections.abc import Set
from pathlib import Path
from typing import Any

from nomoi import files
from nomoi.errors import Refusal, once, printable

FORMAT = 1
Line = dict[str, Any]
HEAD = frozenset({"transcript", "situation", "own", "agents", "actions", "seed", "key", "versions"})
STEP = frozenset({"step", "answers", "reward", "transfer", "done", "digest"})
EPISODE, END = frozenset({"episode", "digest"}), frozenset({"end", "digest"})


def parse(path: str | Path) -> list[Line]:
    """All lines of a file; refused, in a sentence that names the line, where it is no whole transcript."""
    try:
        text = Path(path).read_text("utf-8")
    except ValueError:
        raise Refusal(f"{path} is no transcript; it is not text in UTF-8.") from None
    except OSError as error:
        raise Refusal(f"{path} cannot be read ({files.why(error)}).") from None
    return parse_lines(text, str(path))


def parse_lines(text: str, path: str) -> list[Line]:
    """All lines of the text of such a file, which a sentence calls `path`."""
    found: list[Line] = []
    for k, written in enumerate(text.split("\n")[:-1] if text.endswith("\n") else text.split("\n"), 1):
        where = f"line {k} of {path}"
        line = _object(written, where)
        said = _lacks(line, found) if found else _lacks_head(line)
        if said:
            raise Refusal(f"{where} {said}.")
        found.append(line)
    if "end" not in found[-1]:
        raise Refusal(f"{path} is cut short after line {len(found)}; a whole transcript closes with its end.")
    return found


def _object(written: str, where: str) -> Line:
    try:
        line = json.loads(written, object_pairs_hook=lambda pairs: once(pairs, where))
    except (ValueError, RecursionError):
        line = None
    if not isinstance(line, dict):
        raise Refusal(f"{where} is no JSON object; a transcript has one a line.")
    return line


def _lacks_head(line: Line) -> str:
    """What is wrong with the first line, in words; empty where nothing is."""
    if "transcript" not in line:
        return "does not begin a transcript"
    if type(line["transcript"]) is not int or line["transcript"] != FORMAT:
        return f"says format {shown(line['transcript'])}, and {FORMAT} is the one that can be read"
    if said := _keys(line, HEAD):
        return said
    place, key, heads = line["situation"], line["key"], line["actions"]
    if not _whole(line["seed"]):
        return f"has the seed {shown(line['seed'])}; a whole number of at least 0 would be right"
    if key is not None and not (_row(key, 2) and all(_whole(word, 2**32) for word in key)):
        return f"has the key {shown(key)}; null or two whole numbers below 2**32 would be right"
    for name, what in (("versions", "name: version"), ("own", "stamp: path")):
        if not isinstance(line[name], dict) or not all(isinstance(v, str) for v in line[name].values()):
            return f"has {shown(line[name])} for {name}; {{{what}}} would be right"
    if not isinstance(place, dict) or set(place) != {"class", "options"}:
        return f"has the situation {shown(place)}; its class and options would be right"
    if not _whole(line["agents"]) or not isinstance(heads, dict) or not all(map(_whole, heads.values())):
        return "does not say how many agents there are and how many choices each head has"
    return ""


def _lacks(line: Line, before: list[Line]) -> str:
    """The same for a line that comes after others."""
    last, head = before[-1], before[0]
    over = last.get("done", len(before) == 1)
    if "end" in last:
        return "comes after the end"
    if "digest" not in line or not re.fullmatch("[0-9a-f]{16}", str(line["digest"])):
        return "has no digest of 16 letters from 0 to f"
    if "end" in line:
        wrong = line["end"] != len(before) - 1 or len(before) == 1
        return f"ends {shown(line['end'])} lines, and there are {len(before) - 1}" if wrong else _keys(line, END)
    if "episode" in line:
        right = 1 + sum("episode" in one for one in before)
        wrong = line["episode"] != right or not over
        return f"begins episode {shown(line['episode'])} where that is not next" if wrong else _keys(line, EPISODE)
    right = 1 + last.get("step", 0)
    if line.get("step") != right or len(before) == 1 or last.get("done"):
        return f"is step {shown(line.get('step'))} where that is not next"
    return _keys(line, STEP, {"seats"}) or _lacks_step(line, head["agents"], head["actions"])


def _lacks_step(line: Line, n: int, heads: dict[str, int]) -> str:
    answers = line["answers"]
    if not isinstance(answers, dict) or set(answers) != set(heads):
        return f"does not answer {printable(', '.join(heads))}, and these alone"
    for head, row in answers.items():
        if not _row(row, n) or not all(_whole(choice, heads[head]) for choice in row):
            return f"answers {shown(row)} to {head!r}; {n} whole numbers from 0 to {heads[head] - 1} would be right"
    for name in ("reward", "transfer"):
        if not _row(line[name], n) or not all(type(x) in (int, float) for x in line[name]):
            return f"has the {name} {shown(line[name])}; {n} numbers would be right"
    if not isinstance(line["done"], bool):
        return f"has {shown(line['done'])} for done; true or false would be right"
    seats = line.get("seats", [""] * n)
    if not _row(seats, n) or not all(isinstance(who, str) for who in seats):
        return f"has the seats {shown(seats)}; {n} names would be right"
    return ""


def _keys(line: Line, must: Set[str], may: Set[str] = frozenset()) -> str:
    lacking, more = sorted(must - set(line)), sorted(set(line) - must - may)
    if lacking:
        return f"lacks {lacking[0]!r}"
    return f"says {printable(more[0])!r}, which no transcript has" if more else ""


def _whole(x: Any, below: float = float("inf")) -> bool:
    return type(x) is int and 0 <= x < below


def _row(x: Any, n: int) -> bool:
    return isinstance(x, list) and len(x) == n


def shown(x: Any) -> str:
    """What a file says, for a sentence."""
    text = printable(json.dumps(x))
    return text if len(text) < 80 else text[:77] + "..."
