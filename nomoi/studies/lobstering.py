"""What borders and rules do for a lobster bottom: who comes, what is left, and what is left to those who live there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from nomoi import govern
from nomoi.core import Situation, setting
from nomoi.core.institution import Institution
from nomoi.core.learner import Learner
from nomoi.core.settings import Rule
from nomoi.core.situation import Action, Observation
from nomoi.institutions.berried import Berried
from nomoi.institutions.gear import Gear
from nomoi.institutions.notch import Notch
from nomoi.institutions.season import Season
from nomoi.institutions.slot import Slot
from nomoi.institutions.traps import Traps
from nomoi.institutions.vent import Vent
from nomoi.learners.villagers import Villagers
from nomoi.runs.effects import Effect, of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trained, Trial
from nomoi.situations.lobster import Lobster

OURS = "ours"
COAST = {"boats": 5, "outsiders": 20, "luck": 0.0, "horizon": 1500}  # nothing is drawn, and the slowest fall is over
LATE = 100  # seasons over which what is settled is averaged (ours)
DISCOUNT = 0.95  # of a season (ours)
# A share of the bottom's capacity that single precision cannot tell from none beside a full bottom: a stock this low
# has not settled there but falls from season to season, and nothing, to which it falls, is told instead.
GONE = float(np.finfo(np.float32).eps)
GUARDS = tuple(range(6))
ENTRIES = ("open", "limited")
BORDERS = ("nucleated", "perimeter")
RULES: Mapping[str, Institution] = {
    "slot": Slot(), "berried": Berried(), "notch": Notch(), "vent": Vent(), "gear": Gear(), "traps": Traps(),
    "season": Season(),
}  # fmt: skip


class Coast(Learner, Rule):
    """Boats that do all that is not forbidden to land more, guard and notch as told, and so many strangers who come."""

    strangers: Float[Array, ""] = setting(0.0, "how many come", OURS, "boats", 0)
    guards: Float[Array, ""] = setting(0.0, "boats of each harbour that guard", OURS, "boats", 0)
    marks: Float[Array, ""] = setting(0.0, "other boats that notch, in turn of each harbour", OURS, "boats", 0)
    first: Float[Array, ""] = setting(0.0, "whether the first boat notches", OURS, "", 0, 1)
    wild: Float[Array, ""] = setting(
        1.0, "whether they drag, and land what is small and what bears eggs", OURS, "", 0, 1
    )

    def act(
        self, key: PRNGKeyArray, mind: Any, situation: Situation, seen: Observation, carry: Any
    ) -> tuple[Action, Any]:
        strange = seen["stranger"][:, 0] > 0
        who = jnp.arange(situation.agents, dtype=jnp.float32)
        rank = who - (~strange).sum().astype(jnp.float32)
        most, yes = situation.actions["traps"] - 1, jnp.ones(situation.agents, jnp.int32)
        boats, harbours = situation.bare.boats, situation.bare.harbours  # type: ignore[attr-defined]
        turn = who % boats * harbours + who // boats  # the first boat is 0
        marks = jnp.where(turn == 0, self.first > 0, turn <= self.marks)
        wild = jnp.where(self.wild > 0, yes, 0)
        return {
            "traps": jnp.where(strange & (rank >= self.strangers), 0, most), "range": jnp.where(strange, 1, 0),
            "guard": ((who % boats < self.guards) & ~strange).astype(jnp.int32),
            "mark": (marks & ~strange).astype(jnp.int32),
            **dict.fromkeys(("small", "large", "berried", "breeders", "blind", "drag"), wild),
        }, carry  # fmt: skip


@eqx.filter_jit
def _settled(place: Situation, coasts: Coast) -> dict[str, Array]:
    """What each boat earns and lands, and what is left, once nothing changes any more; for each of `coasts`."""
    key, full = jax.random.key(0), place.capacity().sum()

    def one(coast: Coast) -> dict[str, Array]:
        def tick(state: Any, _: None) -> tuple[Any, Any]:
            action = coast.act(key, (), place, place.observe(state), ())[0]
            after, out = place.step(key, state, action)
            events = out.events
            return after, (out.payoff, events["harvest"], events["effort"], place.stock(after).sum() / full)

        _, lived = jax.lax.scan(tick, place.reset(key), None, place.horizon)
        late = dict(zip(("payoff", "harvest", "effort", "stock"), [x[-LATE:].mean(0) for x in lived], strict=True))
        late["stock"] = jnp.where(late["stock"] < GONE, 0.0, late["stock"])
        worth = DISCOUNT ** np.arange(place.horizon, dtype=np.float32)
        return late | {"worth": (1 - DISCOUNT) * (worth[:, None] * lived[0]).sum(0)}

    return jax.vmap(one)(coasts)


def _coasts(**values: Sequence[float]) -> Coast:
    """One for each of the values."""
    many = len(next(iter(values.values())))
    rest = {
        o: [float(getattr(Coast(), o))] * many
        for o in ("strangers", "guards", "marks", "first", "wild")
        if o not in values
    }
    return Coast(**{o: jnp.asarray(v, jnp.float32) for o, v in (rest | values).items()})


def _free(place: Situation, **values: float) -> dict[str, float]:
    """What settles where strangers come as long as it brings each what is earned elsewhere."""
    bare = place.bare
    assert isinstance(bare, Lobster)
    many = range(bare.outsiders + 1)
    found = {
        k: np.asarray(v, np.float64)
        for k, v in _settled(
            place, _coasts(strangers=list(many), **{k: [v] * len(many) for k, v in values.items()})
        ).items()
    }
    home = bare.agents - bare.outsiders
    first = found["payoff"][:, home]  # of the first stranger, where any comes
    comes = [n for n in many if n and first[n] >= float(bare.outside)]
    n = max(comes, default=0)
    return _told(found, n, home) | {"strangers": float(n)}


def _told(found: Mapping[str, np.ndarray], n: int, home: int) -> dict[str, float]:
    effort = found["effort"][n].sum()
    return {
        "stock": float(found["stock"][n]), "income": float(found["payoff"][n, :home].mean()),
        "yield": float(found["harvest"][n].sum() / effort) if effort else 0.0,
    }  # fmt: skip


# --- what is asked --------------------------------------------------------------------------------------------


def borders(key: None, border: str, guards: Sequence[int], travel: float) -> Mapping[str, float]:
    """Who comes, what is left, and what a boat of a harbour earns, by how many of its boats guard."""
    place = govern(Lobster(border=border, travel=travel, **COAST), Slot(), Berried(), Gear(), Vent())
    own: dict[str, float] = {}
    for g in guards:
        own |= {f"{what}, {g} guard": x for what, x in _free(place, guards=float(g)).items()}
    best = max(guards, key=lambda g: own[f"income, {g} guard"])
    return own | {"best": float(best)} | {what: own[f"{what}, {best} guard"] for what in ("stock", "income", "yield",
                                                                                          "strangers")}  # fmt: skip


def rules(key: None, entry: str) -> Mapping[str, float]:
    """What is left and earned under no rule, each alone, all, and all but each; where entry is open, or limited to the
    boats of the harbours."""
    own: dict[str, float] = {}
    stacks = {"nothing": (), "all": tuple(RULES)} | {f"{r} alone": (r,) for r in RULES}
    stacks |= {f"all but {r}": tuple(x for x in RULES if x != r) for r in RULES}
    for name, on in stacks.items():
        place = govern(Lobster(**COAST), *(i.replace(in_force=r in on) for r, i in RULES.items()))
        if entry == "open":
            found = _free(place, **_mark("notch" in on))
        else:
            lived = _settled(place, _coasts(strangers=[0.0], **{k: [v] for k, v in _mark("notch" in on).items()}))
            found = _told({k: np.asarray(v, np.float64) for k, v in lived.items()}, 0, 10) | {"strangers": 0.0}
        own |= {f"{what}, {name}": x for what, x in found.items()}
    return own


def _mark(all_do: bool) -> dict[str, float]:
    return {"marks": 9.0 * all_do, "first": 1.0 * all_do}


def notching(key: None, labour: float) -> Mapping[str, float]:
    """What notching brings the first of ten boats, by how many others notch: a season once all is settled, and as a
    mean of all seasons from the first, discounted; and what it brings where all do.  Entry limited, rules in force."""
    place = govern(Lobster(labour=labour, **COAST), Slot(), Berried(), Notch(), Vent(), Gear())
    others = list(range(10))
    with_, without = (_settled(place, _coasts(marks=others, first=[x] * 10)) for x in (1.0, 0.0))
    own: dict[str, float] = {}
    for what, name in (("payoff", "settled"), ("worth", "discounted")):
        one, other = (np.asarray(x[what], np.float64)[:, 0] for x in (with_, without))
        own |= {f"gain {name}, {k} others": float(one[k] - other[k]) for k in others}
        every = [np.asarray(x[what], np.float64)[k, :10].mean() for x, k in ((with_, 9), (without, 0))]
        own |= {f"gain of all, {name}": float(every[0] - every[1])}
    return own


# --- the study ------------------------------------------------------------------------------------------------

TRAVELS = (0.05, 0.2, 0.4)
KEPT = (Slot(), Berried(), Vent(), Gear())
LIVED: Mapping[str, tuple[str, tuple[Institution, ...]]] = {  # among people who adapt
    "nucleated, no rule": ("nucleated", tuple(i.replace(in_force=False) for i in KEPT)),
    "perimeter, no rule": ("perimeter", tuple(i.replace(in_force=False) for i in KEPT)),
    "nucleated, rules": ("nucleated", KEPT),
    "perimeter, rules": ("perimeter", KEPT),
}


def trials(size: str) -> Sequence[Trial]:
    rough, steps = size == "smoke", {"smoke": 1_600, "laptop": 64_000, "paper": 320_000}[size]
    guards = [0, 1] if rough else list(GUARDS)
    return [
        *(Computed(f"{b}, travel {t:g}", borders, {"border": b, "guards": guards, "travel": t}, exact=True)
          for b in BORDERS for t in TRAVELS),
        *(Computed(f"entry {e}", rules, {"entry": e}, exact=True) for e in ENTRIES),
        Computed("notching", notching, {"labour": 0.02}, exact=True),
        *(Trained(label, Lobster(border=border), stack, steps, Villagers())
          for label, (border, stack) in LIVED.items()),
    ]  # fmt: skip


def _at(border: str, measure: str, travel: float = TRAVELS[0]) -> Effect:
    return of(f"{border}, travel {travel:g}", measure)


def _gap(measure: str) -> Effect:
    """What the perimeter has beyond the nucleated ground."""
    return lambda r: _at("perimeter", measure)(r) - _at("nucleated", measure)(r)


FIEFS = "ours, after Acheson 1975"
DILEMMA = "Acheson & Gardner 2011"
CLAIMS = [
    Claim("One guard in five lets fewer strangers in where the whole border is held than near the harbour alone", FIEFS,
          _gap("strangers, 1 guard"), below=0, unit="boats", kind="ours"),
    Claim("... and leaves more lobsters", FIEFS, _gap("stock, 1 guard"), above=0, unit="of capacity", kind="ours"),
    Claim("... more landed for a boatload of traps", FIEFS, _gap("yield, 1 guard"), above=0, kind="ours"),
    Claim("... and each boat of the harbour more, with the way to the border paid", FIEFS, _gap("income, 1 guard"),
          above=0, unit="reward/season", kind="ours"),
    *(Claim(f"To notch costs the one who does where {k} of nine others do", DILEMMA,
            of("notching", f"gain discounted, {k} others"), "a prisoner's dilemma", below=0, unit="reward/season")
      for k in (0, 9)),
    Claim("Where all notch all have more than where nobody does", DILEMMA, of("notching", "gain of all, discounted"),
          "a prisoner's dilemma", above=0, unit="reward/season"),
    Claim("People who adapt keep more of the bottom under rules than without, borders nucleated", OURS,
          lambda r: r.late("nucleated, rules", "stock") - r.late("nucleated, no rule", "stock"), above=0,
          unit="of capacity", kind="ours"),
    Claim("Guarding is a public good of the harbour: of people who adapt less than a fifth do", OURS,
          lambda r: r.late("perimeter, rules", "guarding"), below=0.2, unit="of seasons", kind="ours"),
]  # fmt: skip
READINGS = [
    *(Reading(f"{what} where {g} of five guard, {b}", OURS, _at(b, f"{key}, {g} guard"), unit=unit)
      for what, key, unit in (("Strangers who come", "strangers", "boats"), ("Stock", "stock", "of capacity"),
                              ("What a boat earns", "income", "reward/season"))
      for b in BORDERS for g in (0, 1, 2)),
    *(Reading(f"What a boat earns with as many guards as suit it best, {b}, the way costing {t:g} a cell", OURS,
              _at(b, "income", t), unit="reward/season") for t in TRAVELS for b in BORDERS),
    *(Reading(f"{what} under {name}, entry {e}", OURS, of(f"entry {e}", f"{key}, {name}"), unit=unit)
      for e in ENTRIES for name in ("nothing", "all")
      for what, key, unit in (("Stock", "stock", "of capacity"), ("What a boat earns", "income", "reward/season"))),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.measure.statistics import number
    from nomoi.report import figures, page

    def line(border: str, measure: str) -> tuple[np.ndarray, np.ndarray]:
        counts = [g for g in GUARDS if f"{measure}, {g} guard" in results.measures(f"{border}, travel {TRAVELS[0]:g}")]
        return np.array(counts), np.stack([_at(border, f"{measure}, {g} guard")(results) for g in counts], 1)

    drawn = {
        what: figures.curves({b: line(b, measure) for b in BORDERS}, unit, title, {},
                             "boats of five that guard", note="exact")
        for what, measure, unit, title in (
            ("Stock", "stock", "of what the bottom can hold", "Borders that are held leave more in the water"),
            ("Strangers", "strangers", "boats", "Who comes where it pays as well as elsewhere"),
            ("Income", "income", "reward a season", "What a boat of the harbour earns, guards paid"),
        )
    }  # fmt: skip
    others = list(range(10))
    gains = {
        f"to the one, {name}": (
            others,
            np.stack([results.late("notching", f"gain {name}, {k} others") for k in others], 1),
        )
        for name in ("settled", "discounted")
    }
    all_ = {"to each, where all do": float(results.late("notching", "gain of all, discounted")[0])}
    notch = figures.curves(gains, "reward a season", "Notching pays all, and costs the one who does it", all_,
                           "others of nine who notch", note="exact")  # fmt: skip
    names = ["nothing", *(f"{r} alone" for r in RULES), "all", *(f"all but {r}" for r in RULES)]
    rows = [[name, *(number(results.late(f"entry {e}", f"{what}, {name}")[0], 3) for e in ENTRIES
                     for what in ("stock", "income", "strangers")[: 3 if e == "open" else 2])]
            for name in names]  # fmt: skip
    lived = [[label, *(number(results.late(label, m).mean(), 3) for m in ("stock", "income", "guarding", "came"))]
             for label in LIVED]  # fmt: skip
    return [
        *(page.Figure(what, figures.svg(fig), "Ten boats of two harbours and up to twenty strangers, who come while "
                      "it brings each what is earned elsewhere; slot, berried, vent and gear in force.")
          for what, fig in drawn.items()),
        page.Figure("The notch", figures.svg(notch), "What notching brings the first of ten boats; slot, berried, "
                    "notch, vent and gear in force, nobody else comes."),
        page.Table("What each rule adds", ["rules", "stock, open entry", "income", "strangers",
                                           "stock, limited entry", "income"], rows,
                   "Boats land and drag all that is not forbidden; stock of what the bottom can hold, once nothing "
                   "changes any more; income of a boat of a harbour. Nobody guards."),
        page.Table("People who adapt", ["", "stock", "income", "guarding", "strangers' seasons"], lived,
                   "They imitate who fares better; strangers come by what coming brought (of 1,000 seasons)."),
    ]  # fmt: skip


STUDY = Study(
    "lobstering",
    "What do borders, and what do rules, do for a lobster bottom and for those who live there?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 5, "paper": 16},
    sections,
    "A model of ours after what Acheson and others tell of Maine; all numbers are ours but the 3.25 and 5 inches of "
    "the slot. Guards cut: near the harbour where territory is nucleated, evenly where its border is held, as many "
    "in all. Who comes follows; that fewer boats earn more (4 N / (N + 1)^2 of the most, .556 for 5 and .181 for "
    "20) is a formula that assumes it. Nothing is fitted to landings. Nine numbers of the bottom were set in two "
    "rounds after looking at it, until it neither collapsed nor stayed closed to strangers.",
    readings=READINGS,
)
