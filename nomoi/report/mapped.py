"""Whether the events and marks that a mapping of statements names are there to be judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nomoi import catalogue
from nomoi.core import Event, Situation
from nomoi.errors import Refusal, nearest
from nomoi.runs import regimes
from nomoi.voices.constitution import Mapped

OWN = "charter"  # what a charter says itself is judged by nobody


def check(mapped: Sequence[Mapped], situation: str = "") -> None:
    """Refuse an event that `situation` does not emit, or an institution in it, and a mark that is no kind of it.

    Without a situation those that come with nomoi are meant, as they are by default, and one that has both is enough.
    """
    places = [regimes.place(situation, None, {})] if situation else [c() for c in catalogue.situations().values()]
    whose = places[0].name if situation else "a situation of nomoi's"
    for m in mapped:
        rules = _rules(m.event.partition(".")[0])
        institution = m.event in rules
        there = places if institution else [p for p in places if m.event in p.emits]
        if not there:
            known = rules or _names(p.emits for p in places)
            more = "" if situation else " (--situation FILE.py:Name takes one of your own)"
            said = nearest(m.event, known, "event").rstrip(".")
            raise Refusal(f"{m.where}: {m.event!r} is no event of {whose}{more}; {said}.".replace("?.", "?"))
        events = [rules[m.event]] if institution else [p.emits[m.event] for p in there]
        if not any(event.good for event in events):
            raise Refusal(f"{m.where}: {m.event!r} is a label and no act, and only acts can be judged; "
                          f"{nearest(m.event, _acts(places), 'act')}")  # fmt: skip
        marks = _names(p.kinds for p in there if "kind" in p.emits)
        if m.mark and m.mark not in marks:
            raise Refusal(f"{m.where}: {m.mark!r} is no kind of thing that {m.event} is about in {whose}; "
                          f"{nearest(m.mark, marks, 'mark')}")  # fmt: skip


def _rules(institution: str) -> dict[str, Event]:
    """The events of an institution, if there is one of the name, as others call them."""
    if institution == OWN or not any(
        c.name.lower() == institution for c in catalogue.texts("institution", institution)
    ):
        return {}
    emits = catalogue.find(institution, "institution")().emits
    return {f"{institution}.{name}": event for name, event in emits.items()}


def _acts(places: Sequence[Situation]) -> list[str]:
    good = lambda emits: [name for name, event in emits.items() if event.good]  # noqa: E731
    return _names(good(p.emits) for p in places)


def _names(some: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(name for names in some for name in names))
