"""A rule that was made elsewhere, kept by some: what becomes of the stock; and two fisheries of one coast beside it."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nomoi import files, govern
from nomoi.core import Situation
from nomoi.core.institution import Institution
from nomoi.errors import Refusal
from nomoi.institutions.fine import Fine
from nomoi.institutions.monitor import Monitor
from nomoi.institutions.quota import Quota
from nomoi.learners.villagers import Villagers
from nomoi.runs.effects import Effect, late, of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trained, Trial
from nomoi.situations.pool import Pool
from nomoi.studies.quotas import Keepers

OURS = "ours"
BOATS, YEARS = 10, 60
POOR = Pool(agents=BOATS, growth=0.4, most=0.06, horizon=YEARS)  # grows half as fast as where the rule is from (ours)
RULES: Mapping[str, Quota] = {
    "imported": Quota(on="request", follows=False),  # the constant that suits a growth of .8
    "follows": Quota(on="request"),
}
CHEATS = (0, 1, 2, 5)
ARMS: Mapping[str, tuple[Institution, ...]] = {  # among people who adapt
    "imported, nobody looks": (RULES["imported"], Monitor(on="quota.excess", share=0.0), Fine(rate=1.1)),
    "imported, one in ten looked at": (RULES["imported"], Monitor(on="quota.excess", share=0.1), Fine(rate=1.1)),
    "imported, all looked at": (RULES["imported"], Monitor(on="quota.excess"), Fine(rate=1.1)),
    "follows, nobody looks": (RULES["follows"], Monitor(on="quota.excess", share=0.0), Fine(rate=1.1)),
    "follows, one in ten looked at": (RULES["follows"], Monitor(on="quota.excess", share=0.1), Fine(rate=1.1)),
    "follows, all looked at": (RULES["follows"], Monitor(on="quota.excess"), Fine(rate=1.1)),
}
SERIES = ("maine_lobster", "maine_cod")


def path(key: None, rule: str, cheats: Sequence[int]) -> Mapping[str, float]:
    """The stock year by year where so many of ten take all they can and the others keep to the rule."""
    place = govern(POOR, RULES[rule])
    own: dict[str, float] = {}
    for many in cheats:
        people = Keepers(keepers=float(BOATS - many), steps=POOR.levels - 1, most=float(POOR.most))
        stock, catch = (np.asarray(x, np.float64) for x in _lived(place, people))
        own |= {f"{many} cheat, year {t}": float(stock[t]) for t in range(0, YEARS, 2)}
        own |= {f"left, {many} cheat": float(stock[-1]), f"catch, {many} cheat": float(catch.sum())}
        gone = np.flatnonzero(stock < 0.05)
        own |= {f"gone in year, {many} cheat": float(gone[0]) if len(gone) else float("nan")}
    return own


@eqx.filter_jit
def _lived(place: Situation, people: Keepers) -> tuple[Float[Array, " T"], Float[Array, " T"]]:
    """The stock at the beginning of each year, of capacity, and what all catch in it; nothing once it is over."""

    def tick(now: tuple[Any, Array], _: None) -> tuple[tuple[Any, Array], tuple[Array, Array]]:
        state, over = now
        action = people.act(key, (), place, place.observe(state), ())[0]
        after, out = place.step(key, state, action)
        left = jnp.where(over, 0.0, place.stock(state)[0])
        return (after, over | out.done), (left, jnp.where(over, 0.0, out.events["harvest"].sum()))

    key = jax.random.key(0)  # nothing is drawn
    return jax.lax.scan(tick, (place.reset(key), jnp.array(False)), None, place.horizon)[1]


# --- two series, as context -----------------------------------------------------------------------------------


def landed(key: None, first: int) -> Mapping[str, float]:
    """Landings of lobster and cod in Maine as shares of their own peaks; traps, licences and water beside them."""
    tables = {name: _table(name) for name in SERIES}
    own: dict[str, float] = {}
    for name, rows in tables.items():
        tons = {year: x for year, row in rows.items() if year >= first and (x := _number(row.get("METRIC.TONS", "")))}
        own |= {f"{name} {year}": x / max(tons.values()) for year, x in tons.items()}
    for what, column in (("traps", "NUM_TRAPS_MILLIONS"), ("licences", "NUM_LICENSE_HOLDERS"),
                         ("water", "WATER_TEMP_BOOTHBAY_HARBOR_C")):  # fmt: skip
        found = {year: _number(row.get(column, "")) for year, row in tables["maine_lobster"].items() if year >= first}
        own |= {f"{what} {year}": x for year, x in found.items() if x is not None}
    return own


def _table(name: str) -> dict[int, dict[str, str]]:
    path = files.data(f"landings/{name}.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or "YEAR" not in rows[0] or "METRIC.TONS" not in rows[0]:
        raise Refusal(f"{path} has no columns YEAR and METRIC.TONS; the landings of Maine have.")
    return {int(row["YEAR"]): row for row in rows if row["YEAR"].strip().isdigit()}


def _number(text: str) -> float | None:
    """A number that may have commas and spaces in it; None where there is none."""
    try:
        return float(text.replace(",", "").replace(" ", ""))
    except ValueError:
        return None


# --- the study --------------------------------------------------------------------------------------------------


def trials(size: str) -> Sequence[Trial]:
    steps = {"smoke": 3_200, "laptop": 96_000, "paper": 480_000}[size]
    return [
        *(Computed(rule, path, {"rule": rule, "cheats": list(CHEATS)}, exact=True) for rule in RULES),
        *(Trained(arm, POOR, stack, steps, Villagers()) for arm, stack in ARMS.items()),
        Computed("landings", landed, {"first": 1950}, exact=True),
    ]


def _gap(one: str, other: str) -> Effect:
    return late("harvest", one, other)


CLAIMS = [
    Claim("People who adapt land more under a rule that follows the stock than under the imported one, all looked at",
          OURS, _gap("follows, all looked at", "imported, all looked at"), above=0, unit="of capacity", kind="ours"),
    Claim("Under the imported rule, which the stock cannot bear, it does not help to look at everybody", OURS,
          _gap("imported, all looked at", "imported, nobody looks"), near=0, tolerance=0.05, unit="of capacity",
          kind="ours"),
    Claim("Under the rule that follows it does", OURS, _gap("follows, all looked at", "follows, nobody looks"),
          above=0, unit="of capacity", kind="ours"),
    Claim("... and to look at one in ten, for the same fine, does less", OURS,
          _gap("follows, one in ten looked at", "follows, all looked at"), below=0, unit="of capacity", kind="ours"),
]  # fmt: skip
READINGS = [
    *(Reading(f"{rule} rule: what all land in {YEARS} years where {k} of ten cheat", OURS,
              of(rule, f"catch, {k} cheat"), unit="of capacity") for rule in RULES for k in CHEATS),
    *(Reading(f"{rule} rule: what is left where {k} of ten cheat", OURS, of(rule, f"left, {k} cheat"),
              unit="of capacity") for rule in RULES for k in CHEATS),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.measure.statistics import number
    from nomoi.report import charts, figures, page

    years = np.arange(0, YEARS, 2)
    drawn = {
        rule: figures.curves({f"{k} of ten cheat": (years, np.stack([results.late(rule, f"{k} cheat, year {t}")
                                                                     for t in years], 1)) for k in CHEATS},
                             "of what the water can hold", title, xlabel="years", note="exact")
        for rule, title in (("imported", "A rule made elsewhere"), ("follows", "A rule that follows the stock"))
    }  # fmt: skip
    rows = [[arm, *(number(results.late(arm, m).mean(), 3) for m in ("stock", "harvest"))] for arm in ARMS]
    out: list[object] = [
        *(page.Figure(rule, figures.svg(fig), "Ten boats on a stock that grows half as fast as where the constant is "
                      "from; who cheats takes all it can.") for rule, fig in drawn.items()),
        page.Table("People who adapt", ["", "stock", "landed in an episode"], rows, "Of capacity."),
    ]  # fmt: skip
    if "landings" in results.missing:
        return [*out, page.Text("Not shown", [results.missing["landings"]])]

    def series(what: str) -> tuple[np.ndarray, np.ndarray]:
        known = sorted(int(m.split()[-1]) for m in results.measures("landings") if m.startswith(f"{what} "))
        return np.array(known), np.array([results.late("landings", f"{what} {year}")[0] for year in known])

    context = charts.stacked(
        {"lobster": series("maine_lobster"), "cod": series("maine_cod")},
        [("lobster traps", "millions", *series("traps")), ("lobster licences", "people", *series("licences")),
         ("water at Boothbay Harbor", "degrees Celsius", *series("water"))],
        "landings in Maine, of the own peak since 1950", "Two fisheries of one coast",
    )  # fmt: skip
    return [*out, page.Figure("Context", figures.svg(context), "The same coast under different rules, and also "
                              "different biology and warming water: nothing is fitted, and the curves above have no "
                              "axis in common with these. Maine Department of Marine Resources, as others transcribed "
                              "it.")]  # fmt: skip


STUDY = Study(
    "groundfish",
    "What becomes of a stock under a rule that was made elsewhere and is kept by some?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 6, "paper": 16},
    sections,
    "A model of ours: a constant quota that is right where a stock grows at .8, on one that grows at .4. Landings of "
    "two fisheries are shown as context, where a folder of one's own (NOMOI_DATA) has landings/maine_lobster.csv and "
    "landings/maine_cod.csv; no claim is about them, since catches alone do not identify a stock. With boats of .2 of "
    "capacity, which were tried first, nearly every arm emptied the stock and one claim of four failed; they are .06.",
    readings=READINGS,
)
