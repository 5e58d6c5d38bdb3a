"""What happens to reservations when an assistant makes bookings for nothing, and what a deposit mends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nomoi import govern
from nomoi.core import Situation
from nomoi.core.institution import Institution
from nomoi.institutions.deposit import Deposit
from nomoi.institutions.fine import Fine
from nomoi.institutions.quota import Quota
from nomoi.learners.villagers import Villagers
from nomoi.runs.effects import Effect, of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trained, Trial
from nomoi.situations.reservations import Reservations

OURS = "ours"
COSTS = (1.0, 0.5, 0.25, 0.2, 0.1, 0.01, 0.001)
SHARES = tuple(range(0, 101, 5))  # of a hundred diners, how many have an assistant
ARMS: Mapping[str, tuple[float, tuple[Institution, ...]]] = {  # what a booking costs, and under what
    "by hand": (0.5, ()),
    "by machine": (0.1, ()),
    "by machine, deposit": (0.1, (Deposit(),)),
    "by machine, fee": (0.1, (Deposit(back=0.0),)),
    "by machine, quota": (0.1, (Quota(on="request", rate=0.5, target=0.0), Fine(on="quota.excess", rate=1.0))),
}


# --- solved ---------------------------------------------------------------------------------------------------


@eqx.filter_jit
def _worth(place: Situation) -> tuple[Float[Array, " K"], Float[Array, " K"]]:
    """By bookings made, while all restaurants are open: what one diner ends with, and what it and the staff do."""

    def brought(bookings: Array) -> tuple[Array, Array]:
        answers = {"book": jnp.stack([bookings, jnp.zeros((), jnp.int32)])}
        out = place.step(jax.random.key(0), place.reset(jax.random.key(0)), answers)[1]
        return out.payoff[0], out.reward.sum()

    return jax.vmap(brought)(jnp.arange(place.actions["book"]))


def _best(place: Situation) -> tuple[int, int, np.ndarray, np.ndarray]:
    """The bookings that are best for the one who makes them, and for all; and what each number is worth to both."""
    own, both = (np.asarray(x, np.float64) for x in _worth(place))
    return int(own.argmax()), int(both.argmax()), own, both


def tables(key: None, costs: Sequence[float], fee: float) -> Mapping[str, float]:
    """Whole bookings made, and best for all, by what one costs; and the cost at which restaurants stop."""
    bare = Reservations(diners=1)
    place = lambda cost, amount: govern(bare.replace(cost=cost), Deposit(amount=amount, back=0.0))  # noqa: E731
    own: dict[str, float] = {}
    for cost in costs:
        made, best, _, both = _best(place(cost, 0.0))
        charged = _best(place(cost, fee))[0]
        own |= {f"made, cost {cost:g}": made, f"best, cost {cost:g}": best, f"made with a fee, cost {cost:g}": charged}
        own |= {f"lost, cost {cost:g}": float(both[best] - both[made])}
    low, high = 0.0, 1.0
    for _ in range(24):
        middle = (low + high) / 2
        closes = _best(place(middle, 0.0))[0] > float(bare.staff)
        low, high = (middle, high) if closes else (low, middle)
    return own | {"closes below": high}


def picks(key: None, assistants: Sequence[int]) -> Mapping[str, float]:
    """The other set of numbers: the best of k spots.  What one, and all, make of it; and who tips the practice."""
    place = Reservations.preset("square", diners=1)
    own_best, best, own, both = _best(place)
    by_hand = _best(place.replace(cost=1.0))[0]
    many = Reservations.preset("square")
    state = many.reset(jax.random.key(0))
    bears = {}
    for k in assistants:
        book = jnp.where(jnp.arange(many.agents) < k, many.levels - 1, 1)
        after = many.step(jax.random.key(0), state, {"book": book})[0]
        bears[k] = float(after.open)
    closes = next((k for k in assistants if bears[k] < 1), -1)
    return {
        "made": own_best, "best": best, "made by hand": by_hand, "worth to who books 100": float(own[100]),
        "worth to who books 1": float(own[1]), "to all, best": float(both[best]), "to all, 1": float(both[1]),
        "to all, 100": float(both[100]), "assistants that close it": closes,
    }  # fmt: skip


# --- the study --------------------------------------------------------------------------------------------------


def trials(size: str) -> Sequence[Trial]:
    steps = {"smoke": 3_200, "laptop": 160_000, "paper": 640_000}[size]
    place = Reservations()
    return [
        Computed("tables", tables, {"costs": list(COSTS), "fee": float(place.attention)}, exact=True),
        Computed("picks", picks, {"assistants": list(range(101))}, exact=True),
        *(Trained(arm, place.replace(cost=cost), stack, steps, Villagers()) for arm, (cost, stack) in ARMS.items()),
    ]


def _more(measure: str, one: str, other: str) -> Effect:
    return lambda r: r.late(one, measure) - r.late(other, measure)


def _claim(text: str, effect: Effect, **more: Any) -> Claim:
    return Claim(text, OURS, effect, kind="ours", **more)


CLAIMS = [
    _claim("People who adapt and book by hand (.5) keep reservations nine evenings in ten", of("by hand", "standing"),
           above=0.9, unit="of evenings"),
    _claim("A machine that books for a fifth of it loses them on more than one evening in ten",
           of("by machine", "standing"), below=0.9, unit="of evenings"),
    *(_claim(f"... and a {what} brings them back", _more("standing", f"by machine, {what}", "by machine"), above=0,
             unit="of evenings") for what in ("deposit", "fee", "quota")),
    _claim("A deposit that comes back for the table used leaves a diner more than a fee on every booking",
           _more("income", "by machine, deposit", "by machine, fee"), above=0, unit="reward/evening"),
    _claim("Cheap bookings leave a diner poorer than dear ones", _more("income", "by machine", "by hand"), below=0,
           unit="reward/evening"),
]  # fmt: skip
READINGS = [
    *(Reading(f"Bookings made where one costs {c:g}", OURS, of("tables", f"made, cost {c:g}"), unit="bookings")
      for c in COSTS),
    Reading("... and what is best for diner and staff where it costs nearly nothing", OURS,
            of("tables", "best, cost 0.001"), unit="bookings"),
    Reading("Bookings made where one costs .5 and a fee pays for the attention", OURS,
            of("tables", "made with a fee, cost 0.5"), unit="bookings"),
    Reading("Restaurants stop where a booking costs less than this (whole bookings; .240 if they could be divided)",
            OURS, of("tables", "closes below"), unit="reward"),
    Reading("The best of k: bookings made where one costs nothing, of 100 at most", OURS, of("picks", "made"),
            unit="bookings"),
    Reading("... where one costs 1", OURS, of("picks", "made by hand"), unit="bookings"),
    Reading("... and what is best for all", OURS, of("picks", "best"), unit="bookings"),
    Reading("... what 100 bookings are worth to who makes them", OURS, of("picks", "worth to who books 100"),
            unit="reward"),
    Reading("... to a diner and the staff together, at the best", OURS, of("picks", "to all, best"), unit="reward"),
    Reading("... and where all book 100", OURS, of("picks", "to all, 100"), unit="reward"),
    Reading("... so many of a hundred diners with an assistant that books 100 are enough to end reservations", OURS,
            of("picks", "assistants that close it"), unit="diners"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.measure.statistics import number
    from nomoi.report import figures, page

    rows = [[f"{c:g}", *(number(results.late("tables", f"{w}, cost {c:g}")[0])
                         for w in ("made", "best", "made with a fee", "lost"))] for c in COSTS]  # fmt: skip
    open_ = {arm: results.curve(arm, "standing") for arm in ARMS}
    drawn = figures.curves(open_, "share of evenings", "Evenings on which restaurants take reservations",
                           labels=tuple(ARMS))  # fmt: skip
    income = figures.intervals({arm: results.late(arm, "income") for arm in ARMS}, "reward an evening",
                               "What a diner ends an evening with", labels=tuple(ARMS))  # fmt: skip
    return [
        page.Table("Whole bookings", ["one costs", "made", "best for all", "made with a fee", "lost to all"], rows,
                   "While restaurants take them: a diner's best reply, what is best for the diner and the staff that "
                   "answers, what is made where a fee pays for the staff, and what the first loses of the second."),
        page.Figure("Reservations among people who adapt", figures.svg(drawn),
                    "Diners imitate those who fare better; more than a fifth of restaurants."),
        page.Figure("What a diner ends with", figures.svg(income), "Deposits and fines that are burnt included."),
    ]  # fmt: skip


STUDY = Study(
    "bookings",
    "What happens to reservations when an assistant makes bookings for nothing, and what does a deposit mend?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 6, "paper": 16},
    sections,
    "A story of the tutorial (Hadfield et al. 2024) with numbers of ours, in two sets: any table will do, or the best "
    "of k spots is wanted. Restaurants stop where more is asked for than their staff can answer.",
    readings=READINGS,
)
