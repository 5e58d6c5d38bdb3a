"""Charters that come along, as people would write them in a file (see `nomoi.law.charters.read`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nomoi.errors import Refusal, nearest
from nomoi.law.charters import contents, read
from nomoi.law.rules import canonical
from nomoi.law.system import LegalSystem

MEMBERS = {"Ada": "citizen", "Ben": "citizen", "Cleo": "citizen", "Dan": "citizen", "Eve": "citizen", "Judge": "court"}
ALL = dict.fromkeys(("Ada", "Ben", "Cleo", "Dan", "Eve"), True)
SECONDARY: list[Mapping[str, Any]] = [
    {"id": "recognition", "kind": "recognition", "recognises": ["founders", "assembly"]},
    {
        "id": "change", "kind": "change", "source": "founders", "grants": ["enact", "amend", "repeal"],
        "over": ["primary", "change"], "holders": ["citizen"], "electorate": ["citizen"], "quorum": 0.6,
        "majority": 0.5,
    },
    {"id": "adjudication", "kind": "adjudication", "source": "founders", "holders": ["court"]},
]  # fmt: skip


def _charter(*primary: Mapping[str, Any], amendments: tuple[Mapping[str, Any], ...] = ()) -> dict[str, Any]:
    own = [{"kind": "primary", "source": "founders"} | dict(r) for r in primary]
    return {"members": MEMBERS, "rules": [*SECONDARY, *own], "amendments": list(amendments)}


THIN = {"id": "spare", "condition": {"act": "sparse"}}
SAMPLES: Mapping[str, Mapping[str, Any]] = {
    # whoever takes an apple with few live neighbours does wrong
    "thin": _charter(THIN),
    # from step 150 of an episode on, everything may be taken
    "lapse": _charter(
        THIN, amendments=({"time": 150, "operation": "repeal", "id": "spare", "actor": "Ada", "votes": ALL},)
    ),
    # at first everything may be taken; the assembly forbids the sparse apples at step 10
    "late": _charter(amendments=(
        {"time": 10, "operation": "enact", "actor": "Ben", "votes": ALL,
         "rule": {"id": "spare", "source": "assembly", "condition": {"act": "sparse"}}},
    )),
    # all taking is wrong, but for a more specific rule: red may be taken
    "red": _charter(
        {"id": "closed", "condition": {"act": "harvest"}},
        {"id": "red", "condition": {"act": "harvest", "kind": "red"}, "verdict": "permitted"},
    ),
    # the seller of a boycott must perform with care
    "care": _charter({"id": "care", "condition": {"act": "breach"}}),
    # a law that is no law: it names whom it forbids
    "named": _charter({"id": "ada", "condition": {"act": "sparse", "actor": "Ada"}}),
}  # fmt: skip


def text(word: str) -> str:
    """The name of a sample, or the text of the charter that `word` is or is the path of."""
    if word in SAMPLES or word.lstrip().startswith("{"):
        return word
    if "." in word or "/" in word:
        return contents(word)
    raise Refusal(f"there is no charter {word!r}, and a path would have a dot; {nearest(word, SAMPLES, 'charter')}")


def charter(word: str) -> LegalSystem:
    """The system that `word` means: the name of a sample, the path of a file, or the text of one."""
    if word in SAMPLES:
        return read(canonical(SAMPLES[word]), f"the charter {word!r}")
    return read(text(word))
