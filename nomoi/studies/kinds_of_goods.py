"""Private, club, common-pool or public?  The kind of a good, asked by intervention, of toys and of situations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nomoi.core import Situation, build, govern
from nomoi.core.keys import key_of
from nomoi.institutions.licence import Licence
from nomoi.measure.statistics import estimate
from nomoi.probes.goods import KINDS, Good, judge, probe
from nomoi.runs.effects import of
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial
from nomoi.scripts.fixed import Constant, Forager
from nomoi.situations.commons import Commons
from nomoi.situations.harvest import Harvest
from nomoi.situations.pool import Pool

OURS = "ours, the test of nomoi/probes/goods.py"
EARLIER = "ours, by our earlier program"
N, MORE = 4, 0.2  # people of a toy, and one unit more of it
Benefit = Callable[[np.ndarray], np.ndarray]  # from what all reach for [n] to what all have [n]


def fishery(stock: float) -> Benefit:
    """All have what they reach for, or where that is too much, a part in proportion."""
    return lambda reach: reach * min(1.0, stock / max(reach.sum(), 1e-12))


def road(trips: np.ndarray) -> np.ndarray:
    """An empty road: a trip is worth the same however many there are."""
    return trips


def pot(gift: np.ndarray) -> np.ndarray:
    """A public goods game: all have an equal part of what is given, and the gift is not counted as a loss."""
    return np.full(N, gift.mean())


def basket(reach: np.ndarray) -> np.ndarray:
    """Each has a basket of one, and what is in it, whatever the others do."""
    return np.minimum(reach, 1.0)


def toy(free: Benefit, usual: float, cost: float | None = None) -> Good:
    """The good of a toy in which person 0 is asked about; `cost` is what keeping it from him costs for each unit kept,
    None where nobody can."""
    reach = np.full(N, float(usual))
    first = np.arange(N) == 0
    more, idle = reach + MORE * first, np.where(first, 0.0, reach)
    barred = None
    if cost is not None:
        kept = free(more)[0]
        barred = (np.where(first, 0.0, free(more)), cost * kept)
    return judge(0, free(reach), free(more), free(idle), first, barred)


TOYS: Mapping[str, tuple[Benefit, float, float | None, str]] = {
    "scarce open fishery": (fishery(4.0), 1.0, None, "common-pool"),
    "the same with a licence": (fishery(4.0), 1.0, 0.2, "private"),
    "fishery in plenty": (fishery(40.0), 1.0, None, "public"),
    "empty toll road": (road, 0.5, 0.1, "club"),
    "public goods game": (pot, 1.0, None, "public"),
    "own baskets, barriers kept": (basket, 1.5, 0.0, "club"),
    "own baskets, barriers lifted": (fishery(4.0), 1.5, 0.0, "private"),
}


def numbers(good: Good) -> Mapping[str, float]:
    """A good as numbers: what is no number stays none, and kappa without a barrier is none too."""
    found = {"gain": good.gain, "harm": good.harm, "sigma": good.sigma, "beta": good.beta, "idle": good.idle}
    kinds = {kind: float(good.kind == kind) for kind in (*KINDS.values(), "undecided")}
    return found | {"kappa": good.kappa if np.isfinite(good.kappa) else float("nan")} | kinds


def toys(key: None, name: str) -> Mapping[str, float]:
    free, usual, cost, _ = TOYS[name]
    return numbers(toy(free, usual, cost))


def lived(
    key: Any, situation: Situation, choice: int, steps: int, worlds: int, bar: float = 0.0, spare: int = -1,
    rather: int = -1,
) -> Mapping[str, float]:  # fmt: skip
    """Of a situation: others always take their `choice`-th, or, where there is land, forage sparing patches with fewer
    than `spare` left; the one who is asked about forages greedily rather than like that (`rather` -1: than be idle).
    With `bar` there is a licence that bars strangers with that chance."""
    place, key = govern(situation, build(Licence, bar=bar)) if bar else situation, key_of(0) if key is None else key
    if spare < 0:
        return numbers(probe(key, place, Constant(choice=choice), None, steps, worlds))
    less = Constant(choice=0) if rather < 0 else Forager(spare=rather)
    return numbers(probe(key, place, Forager(spare=spare), None, steps, worlds, less, Forager(spare=0)))


def trials(size: str) -> Sequence[Trial]:
    land = {"smoke": (2, 30), "laptop": (16, 300), "paper": (128, 1000)}[size]
    worlds = {"smoke": 4, "laptop": 64, "paper": 512}[size]

    def one(label: str, **settings: Any) -> Computed:
        return Computed(label, lived, settings, exact=isinstance(settings["situation"], Pool))

    full, scarce = build(Pool, agents=N), build(Pool, agents=N, start=0.1)
    pool = {"steps": 30, "worlds": 1}
    village = {"steps": 50, "worlds": worlds, "situation": Commons(horizon=50)}
    grid = {"situation": Harvest(horizon=land[1]), "choice": 0, "steps": land[1], "worlds": land[0]}
    return [
        *(Computed(name, toys, {"name": name}, exact=True) for name in TOYS),
        one("pool, full, modest others, 1 step", situation=full, choice=1, steps=1, worlds=1),
        one("pool, full, modest others", situation=full, choice=1, **pool),
        one("pool, scarce, greedy others, 1 step", situation=scarce, choice=4, steps=1, worlds=1),
        one("pool, scarce, greedy others", situation=scarce, choice=4, **pool),
        one("commons, modest others", choice=1, **village),
        one("commons, greedy others", choice=20, **village),
        one("commons, modest others, licence", choice=1, bar=0.9, **village),
        one("commons, greedy others, licence", choice=20, bar=0.9, **village),
        one("harvest, among the greedy", spare=0, **grid),
        one("harvest, among the restrained", spare=3, **grid),
        one("harvest, greedy rather than restrained", spare=3, rather=3, **grid),
    ]


CLAIMS = [
    Claim("Pool, full, modest others: one notch more costs the others nothing (1 step)", EARLIER,
          of("pool, full, modest others, 1 step", "sigma"), "0", near=0, tolerance=0.01, kind="replica"),
    Claim("... nor over 30 steps", EARLIER, of("pool, full, modest others", "sigma"), "0", near=0, tolerance=0.01,
          kind="replica"),
    Claim("Pool, scarce, greedy others: the others lose what one gains (1 step)", EARLIER,
          of("pool, scarce, greedy others, 1 step", "sigma"), "1.0", near=1, tolerance=0.01, kind="replica"),
    Claim("... and over 30 steps", EARLIER, of("pool, scarce, greedy others", "sigma"), "1.0", near=1, tolerance=0.01,
          kind="replica"),
    Claim("Harvest: an eater among the greedy costs the others about what it eats", EARLIER,
          of("harvest, among the greedy", "sigma"), "1.18", above=0.5, kind="replica"),
    Claim("... and among the restrained many times that: the patches die", EARLIER,
          of("harvest, among the restrained", "sigma"), "8.96", above=2, kind="replica"),
    Claim("Who is greedy rather than restrained among the restrained gains nothing by it, so that there is no ratio",
          EARLIER, of("harvest, greedy rather than restrained", "gain"), "-24.6 apples", below=0, unit="apples",
          kind="replica"),
]  # fmt: skip

COMMONS = (
    ("commons, modest others", "public"), ("commons, greedy others", "common-pool"),
    ("commons, modest others, licence", "club"), ("commons, greedy others, licence", "private"),
)  # fmt: skip
READINGS = [
    *(Reading(f"{name}: {kind}", OURS, of(name, kind), unit="(1 is yes)") for name, (*_, kind) in TOYS.items()),
    *(Reading(f"{label}: {kind}, to a stranger", OURS, of(label, kind), unit="of seeds") for label, kind in COMMONS),
    Reading("Harvest, greedy rather than restrained among the restrained: the others lose", EARLIER,
            of("harvest, greedy rather than restrained", "harm"), "", "apples"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import page

    def rows(labels: Sequence[str]) -> list[list[object]]:
        out = []
        for label in labels:
            found = {m: results.late(label, m) for m in ("gain", "harm", "sigma", "beta", "kappa")}
            kinds = [k for k in (*KINDS.values(), "undecided") if results.late(label, k).any()]
            shown = {m: estimate(x) if len(x) > 1 else float(x[0]) for m, x in found.items()}
            sigma = "no ratio" if np.isnan(found["sigma"]).all() else shown["sigma"]
            barred = ["no barrier", "-"] if np.isnan(found["kappa"]).all() else [shown["beta"], shown["kappa"]]
            out.append([label, shown["gain"], shown["harm"], sigma, *barred, " or ".join(kinds)])
        return out

    columns = ["good", "gain", "harm", "sigma", "beta", "kappa", "kind"]
    lived_in = [label for label in results.records if label not in TOYS]
    return [
        page.Table("Toys", columns, rows(list(TOYS)),
                   "Four people; one unit more is .2. Own baskets with the barriers kept show why they must be lifted "
                   "to ask for rivalry: behind one's own door nobody can be harmed, so a private good looks like a "
                   "club's."),
        page.Table("Situations", columns, rows(lived_in),
                   "State: where episodes begin, which for pool is full (stock 1) or scarce (.1). Others: the named "
                   "choice at every head, always; foragers on land. Horizon: 30 steps or 1 for pool, 50 seasons for "
                   "commons, the whole episode for harvest. The kind belongs to all of this together. The good is the "
                   "harvest. Agent 0, in commons a stranger."),
        page.Text("How to read it", [
            "sigma is what the others lose for each unit that one gains, barriers lifted; beta the share of one's "
            "benefit that the barriers keep from one; kappa what they cost for each unit kept. Rival from sigma .5; "
            "excludable from beta .5 if kappa is below 1. Where one gains nothing there is no ratio: the harm is "
            "printed. To be idle is not to be excluded: who does not fish has no fish, though nobody can keep him out.",
        ]),
    ]  # fmt: skip


STUDY = Study(
    "kinds_of_goods",
    "Private, club, common-pool or public: does the kind of a good lie in the thing, or in its institutions and state?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 3, "paper": 5},
    sections,
    "Asked by intervention, of toys and of situations; `nomoi goods` asks it of any situation under any institution. "
    "The two halves at which a good counts as rival and as excludable are ours, and what the toys are follows from how "
    "they are made, so that these are readings. Worlds are the same ones whatever is compared.",
    readings=READINGS,
)
