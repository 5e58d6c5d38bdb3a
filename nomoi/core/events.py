"""The shared vocabulary of what happens: every event's shape, unit and meaning.

Institutions speak to situations, and to one another, only through named events.  A name without a dot
belongs to situations; `altar.violation` is emitted by the institution called *altar*.
"""

from __future__ import annotations

import dataclasses

from nomoi.errors import Refusal, nearest


@dataclasses.dataclass(frozen=True)
class Event:
    """What one event means.

    shape   "[n]" (one number an agent) or "[n, n]" (from row to column)
    good    an amount (True) or a label such as a kind (False), which must not be summed
    short   what its sum over an episode is called, where another word than its name reads better; of an institution's
            event, where it acts under the name of its class
    """

    name: str
    shape: str
    unit: str
    meaning: str
    good: bool = False
    short: str = ""


VOCABULARY = {
    e.name: e
    for e in (
        Event("harvest", "[n]", "units", "taken from the commons", True),
        Event("sparse", "[n]", "units", "taken where so little is left around that it hardly grows back", True),
        Event("request", "[n]", "units", "wanted, whether or not there was so much", True),
        Event("intrusion", "[n]", "units", "taken by a stranger, who has no share in the commons", True),
        Event("encroached", "[n]", "units", "taken from ground of others by one who has a ground of his own", True),
        Event("came", "[n]", "steps", "a stranger came and took", True),
        Event("worked", "[n]", "steps", "did a share of the work that keeps the commons up", True),
        Event("perceived", "[n]", "units", "the stock of one's own ground, as far as the catch tells"),
        Event("standing", "[n]", "steps", "ended with more than a fifth of what the commons can hold", True),
        Event("kind", "[n]", "kind", "which kind of unit was taken (0, 1, ...); read it only where harvest > 0"),
        Event("shot", "[n]", "shots", "fired the beam", True, "shots"),
        Event("zap", "[n, n]", "hits", "the beam of the row's agent reached the column's agent", True),
        Event("poison", "[n]", "units", "took a kind that harms whoever eats it, later", True),
        Event("silly", "[n]", "units", "took the harmless kind that a silly rule may forbid", True),
        Event("sick", "[n]", "steps", "lived under the poison: what one eats is worth less", True),
        Event("clean", "[n]", "units", "removed dirt from the river", True, "cleaned"),
        Event("freeride", "[n]", "units", "taken by one who has not contributed for long", True),
        Event("externality", "[n]", "reward", "what an act gave to all others together; negative where it took", True),
        Event("planted", "[n]", "bushes", "gave a bush another colour", True),
        Event("worn", "[n]", "steps", "was in play, and so wore a colour for all to see", True),
        Event("colour", "[n]", "kind", "the colour worn; grey, which is none, comes after the others"),
        Event("frozen", "[n]", "steps", "could neither move nor strike", True),
        Event("trespass", "[n]", "steps", "stood on a tile that is closed to one's role", True),
        Event("lead", "[n, n]", "distance", "how far one was ahead of the other when the ambulance merged", True),
        Event("yielded", "[n]", "cars", "was behind the ambulance when it merged", True),
        Event("sale", "[n]", "performances", "bought a performance", True),
        Event("breach", "[n]", "performances", "performed without care what was paid for", True),
        Event("traded", "[n]", "units", "agreed to sell or to buy in the market", True),
        Event("withheld", "[n]", "worth", "kept back of what one had agreed to deliver", True),
        Event("taken", "[n, n]", "worth", "the row's agent seized of the column's agent's goods", True),
        Event("reached", "[n]", "goals", "came to what was meant", True),
        Event("followed", "[n]", "signs", "came to the sign, where what was meant is not", True),
        Event("deferred", "[n]", "choices", "left the choice to somebody who knows better", True),
        Event("stopped", "[n]", "choices", "stopped what another one would have done", True),
        Event("output", "[n]", "units", "produced for the market", True),
        Event("delivered", "[n]", "boxes", "carried to where it was wanted", True),
        Event("broken", "[n]", "vases", "broken on one's way", True),
        Event("disturbed", "[n]", "things", "moved over something that stood or grew there, harmful or not", True),
        Event("goods", "[n, n]", "worth", "what the row's agent sold was worth that to the column's agent", True),
        Event("handed", "[n, n]", "reward", "the row's agent paid the column's agent", True),
        Event("papers", "[n]", "units", "offered with papers that say how good it is", True),
        Event("given", "[n]", "units", "given to what all gain by", True, "contributed"),
        Event("shirked", "[n]", "units", "could have been given to what all gain by, and was kept", True),
        Event("booked", "[n]", "bookings", "booked and answered", True),
        Event("used", "[n]", "bookings", "booked, and kept", True),
        Event("cancelled", "[n]", "bookings", "booked, and cancelled", True),
        Event("small", "[n]", "units", "landed of those too young to have bred", True),
        Event("large", "[n]", "units", "landed of the largest, which breed most", True),
        Event("berried", "[n]", "units", "landed of females that bear eggs", True),
        Event("breeders", "[n]", "units", "landed of breeders that somebody had marked", True),
        Event("notched", "[n]", "lobsters", "marked as a breeder and put back", True),
        Event("blind", "[n]", "steps", "set traps without a vent by which the young escape", True),
        Event("dragged", "[n]", "steps", "dragged a net over the bottom rather than set traps", True),
        Event("effort", "[n]", "units", "of effort: traps set, nets dragged", True),
        Event("guarded", "[n]", "steps", "guarded the border of the own ground", True),
        Event("cut", "[n]", "traps", "lost, cut by those on whose ground they stood", True),
        Event("prompted", "[n]", "questions", "asked a machine", True),
        Event("posted", "[n]", "answers", "posted what a machine had said", True),
        Event("sound", "[n]", "steps", "of a step, the share of all that stands in common that is right", True),
        Event("post", "[n]", "kind", "which post was judged: its marks as a binary number"),
        Event("verdict", "[n]", "grade", "what was decided about it: 0 keep, 1 label, 2 remove"),
        Event("wish", "[n]", "grade", "what one says should be done with it, from 0 (keep) to 1 (remove); -1 is none"),
        Event("agreed", "[n]", "verdicts", "got the verdict that one wants most", True),
        Event("appealed", "[n]", "appeals", "appealed against a verdict", True),
        Event("left", "[n]", "members", "left for good", True, "departed"),
        Event("act", "[n]", "choices", "did something rather than nothing (the first action)", True),
        Event("defect", "[n]", "choices", "chose the action that the game counts as defection", True),
    )
}


def unit_of(name: str) -> str:
    """One unit of an event in words, with what it means where it is one of the shared ones."""
    known = VOCABULARY.get(name)
    return f"unit of {name} ({known.meaning})" if known else f"unit of {name}"


def counted(*names: str) -> str:
    """The unit in which events are counted together, as far as the shared vocabulary knows them; else "acts"."""
    units = {VOCABULARY[name].unit if name in VOCABULARY else f"units of {name}" for name in names}
    return units.pop() if len(units) == 1 else "acts"


def vocabulary(*names: str) -> dict[str, Event]:
    """The named entries of the shared vocabulary."""
    for name in names:
        if name not in VOCABULARY:
            raise Refusal(f"the vocabulary has no event {name!r}; {nearest(name, VOCABULARY, 'event')}")
    return {name: VOCABULARY[name] for name in names}
