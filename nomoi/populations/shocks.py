"""Communities with silly rules whose members' beliefs are shaken: member by member, many communities side by side.

What members believe and want is in `nomoi.populations.silly`.  Shocks: "reset", all beliefs become the prior;
"newcomers", people of unknown type join, and members discount what they saw by the share of those they know; "turn",
the share of punishers itself changes while beliefs do not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from nomoi.core.parameters import Parameters, count, probability
from nomoi.errors import Refusal, nearest
from nomoi.populations.engine import PEOPLE, streams, whole
from nomoi.populations.silly import NOBODY, Community, boundary

SHOCKS = ("none", "reset", "newcomers", "turn")
SIGHTS = ("own", "public")
BYSTANDERS = ("iid", "finite")
FEW = 10  # members without whom a community counts as gone (ours)


@dataclasses.dataclass(frozen=True)
class History(Parameters):
    """What befalls a community.

    shock        one of none, reset, newcomers, turn, before the decisions of period `at`
    sight        "own": a member sees its own encounters; "public": those of all
    bystanders   "iid": each punishes with the chance of the day; "finite": they are the other members still there, of
                 fixed types, so that those who leave take their punishing with them
    """

    people: int = count(100, "N", "members at the start", "ours", low=2)
    theta: float = probability(0.6, "theta*", "share of punishers", "ours")
    at: int = count(0, "t0", "period of the shock", "ours", low=0)
    newcomers: int = count(100, "M", "newcomers of that shock", "ours", low=1)
    theirs: float = probability(0.6, "theta_M", "share of punishers among newcomers", "ours (as among members)")
    after: float = probability(0.35, "theta'", "share of punishers after a turn", "ours")
    shock: str = "reset"
    sight: str = "own"
    bystanders: str = "iid"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, values in (("shock", SHOCKS), ("sight", SIGHTS), ("bystanders", BYSTANDERS)):
            given = getattr(self, name)
            if given not in values:
                raise Refusal(f"history.{name} is {given!r}; {nearest(str(given), values, 'choice')}")


@dataclasses.dataclass(frozen=True)
class Course:
    """R communities over T periods.

    size        [T + 1, R] members after t periods and the decisions that follow them
    important   [T, R] important encounters;   encounters [T, R] all
    error       [T + 1, R] root mean square error of members' belief (NaN where nobody is left)
    misled      [R] share of all who ever were members that left while the community was worth staying in
    welfare     [R] discounted payoff of a member of the first day
    """

    size: np.ndarray
    important: np.ndarray
    encounters: np.ndarray
    error: np.ndarray
    misled: np.ndarray
    welfare: np.ndarray
    flags: tuple[str, ...]

    @property
    def alive(self) -> np.ndarray:
        """[R] whether at least FEW members are there at the end."""
        return self.size[-1] >= FEW

    @property
    def collapse(self) -> np.ndarray:
        """[R] the first moment with fewer than FEW members, or T + 1 where there always were as many."""
        gone = self.size < FEW
        return np.where(gone.any(0), gone.argmax(0), len(self.size))


@dataclasses.dataclass(frozen=True)
class _Crowd:
    """R communities with room for everybody who ever comes: all [R, room], but theta [R]."""

    there: np.ndarray
    punisher: np.ndarray
    yes: np.ndarray  # alpha of the belief
    no: np.ndarray  # beta
    theta: np.ndarray

    def chance(self, h: History) -> np.ndarray:
        """[R, room] chance that the bystander of a member punishes; nobody does where nobody else is there."""
        if h.bystanders == "iid":
            return np.broadcast_to(self.theta[:, None], self.there.shape)
        present = self.there & self.punisher
        others = self.there.sum(1, keepdims=True) - self.there
        return (present.sum(1, keepdims=True) - present) / np.maximum(others, 1)


def simulate(c: Community, h: History, periods: int, seeds: Sequence[int], myopic: bool = False) -> Course:
    """One community for each of `seeds`.  In a period: the shock, if it is its day; decisions; encounters."""
    periods, rngs = whole(periods, "periods"), streams(seeds, PEOPLE)
    weights, least = boundary(c, myopic, diluted=h.shock == "newcomers")
    crowd = _found(c, h, len(rngs))
    size, error = np.empty((2, periods + 1, len(rngs)))
    important, encounters = np.zeros((2, periods, len(rngs)))
    misled, gained = np.zeros(len(rngs)), np.zeros(crowd.there.shape)
    for t in range(periods + 1):
        if t == h.at:
            crowd = _shake(c, h, crowd)
        mean, chance, before = crowd.yes / (crowd.yes + crowd.no), crowd.chance(h), crowd.there
        stay = before & (mean > np.interp(crowd.yes + crowd.no, weights, least, right=c.threshold))
        misled += (before & ~stay & (chance > c.threshold)).sum(1)
        gained += (before & ~stay) * c.outside * c.discount**t
        crowd = dataclasses.replace(crowd, there=stay)
        size[t] = stay.sum(1)
        off = np.where(stay, (mean - chance) ** 2, 0).sum(1)
        error[t] = np.sqrt(np.divide(off, size[t], out=np.full(len(rngs), np.nan), where=size[t] > 0))
        if t < periods:
            vital, silly, struck, paid = _meet(c, rngs, crowd.chance(h), stay)
            gained += paid * c.discount**t
            important[t], encounters[t] = vital.sum(1), (vital + silly).sum(1)
            crowd = _learn(h, crowd, struck, vital + silly - struck)
    flags = (NOBODY,) if not size[0].any() else ()
    founders = gained[:, : h.people].mean(1)
    return Course(size, important, encounters, error, misled / crowd.there.shape[1], founders, flags)


def _found(c: Community, h: History, replicates: int) -> _Crowd:
    """Members at the prior; the first of them, and of the newcomers to be, are the punishers."""
    place = np.arange(h.people + (h.newcomers if h.shock == "newcomers" else 0))
    old = place < h.people
    punisher = np.where(old, place < round(h.theta * h.people), place - h.people < round(h.theirs * h.newcomers))
    tile = lambda row: np.tile(row, (replicates, 1))  # noqa: E731
    prior = np.ones(len(place))
    return _Crowd(tile(old), tile(punisher), tile(prior * c.alpha), tile(prior * c.beta), np.full(replicates, h.theta))


def _shake(c: Community, h: History, crowd: _Crowd) -> _Crowd:
    """The day of the shock."""
    if h.shock == "reset":
        return dataclasses.replace(crowd, yes=np.full_like(crowd.yes, c.alpha), no=np.full_like(crowd.no, c.beta))
    if h.shock == "turn":
        punisher = np.broadcast_to(np.arange(crowd.there.shape[1]) < round(h.after * h.people), crowd.there.shape)
        return dataclasses.replace(crowd, punisher=punisher, theta=np.full_like(crowd.theta, h.after))
    if h.shock == "newcomers":
        size = crowd.there.sum(1)
        new = (h.newcomers / (size + h.newcomers))[:, None]
        return dataclasses.replace(
            crowd,
            there=crowd.there | (np.arange(crowd.there.shape[1]) >= h.people),
            yes=(1 - new) * crowd.yes + new * c.alpha,  # newcomers themselves hold the prior, and keep it
            no=(1 - new) * crowd.no + new * c.beta,
            theta=(size * crowd.theta + h.newcomers * h.theirs) / (size + h.newcomers),
        )
    return crowd


def _meet(
    c: Community, rngs: Sequence[np.random.Generator], chance: np.ndarray, there: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """[R, room] each: important encounters, silly ones, how many were punished, payoff."""
    rows = []
    for rng, p, here in zip(rngs, chance, there, strict=True):
        silly = c.density * here if c.mode == "add" else here & (rng.random(len(here)) >= c.important)
        vital = here * 1 if c.mode == "add" else here & ~silly
        struck = rng.binomial(vital, p), rng.binomial(silly, p)
        paid = c.gain * struck[0] - c.loss * (vital - 1 * struck[0]) - c.cost * silly
        rows.append((vital, silly, struck[0] + struck[1], paid))
    return tuple(np.stack(column) for column in zip(*rows, strict=True))  # type: ignore[return-value]


def _learn(h: History, crowd: _Crowd, struck: np.ndarray, spared: np.ndarray) -> _Crowd:
    """Beliefs after encounters that were punished and that were not."""
    if h.sight == "public":
        struck, spared = struck.sum(1, keepdims=True), spared.sum(1, keepdims=True)
    return dataclasses.replace(crowd, yes=crowd.yes + crowd.there * struck, no=crowd.no + crowd.there * spared)
