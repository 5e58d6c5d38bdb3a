"""Conventions: which one is found, what noise and changed payoffs do to it, and how a practice tips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from nomoi.measure.statistics import number
from nomoi.populations.tipping import Reservations, technology
from nomoi.runs.claims import Claim, Reading, Results
from nomoi.runs.effects import of
from nomoi.runs.study import Computed, Study, Trial
from nomoi.solve.adaptive import simulate
from nomoi.solve.attractors import basins as find_basins
from nomoi.solve.dynamics import mutating, path
from nomoi.solve.game import symmetric
from nomoi.solve.selection import select

TREES = "ours, after Young 1993 (stochastic potentials .65, .85 and 1.15 of conventions worth 3, 2 and 1)"
OURS = "ours"
GAMES = {"worth 1, 1, 1": (1.0, 1.0, 1.0), "worth 1, 2, 3": (1.0, 2.0, 3.0)}
ERRORS = (0.02, 0.05, 0.1, 0.2)
RATIOS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
CUTS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
COSTS = tuple(float(c) for c in np.round(np.arange(0.0, 1.401, 0.05), 2))
KAPPAS = (1.0, 0.5, 0.1, 0.01, 0.001)


def _rng(key: jax.Array) -> np.random.Generator:
    return np.random.default_rng(np.asarray(jax.random.key_data(key)))


def basins(key: jax.Array, worth: Sequence[float], populations: int, starts: int) -> Mapping[str, float]:
    """Shares of starts, uniform on the simplex, from which the replicator ends at each convention."""
    found = find_basins(symmetric(np.diag(worth)), starts, 2_000, _rng(key), one=populations == 1)
    out = dict.fromkeys((f"convention {k + 1}" for k in range(len(worth))), 0.0)
    for point, share in zip(found.points, found.shares, strict=True):
        if max(np.max(p) for p in point) > 0.99:
            out[f"convention {int(np.argmax(point[0])) + 1}"] = float(share)
    return out | {"welfare": sum(out[f"convention {k + 1}"] * w for k, w in enumerate(worth))}


def cut(key: jax.Array, cuts: Sequence[float], starts: int) -> Mapping[str, float]:
    """The basin of the third convention, worth 3 less a cost that is cut from it."""
    return {f"cut {c:g}": basins(key, (1.0, 2.0, 3.0 - c), 1, starts)["convention 3"] for c in cuts}


def noise(
    key: jax.Array, worth: Sequence[float], errors: Sequence[float], memory: int, sample: int, rounds: int, runs: int
) -> Mapping[str, float]:
    """Adaptive play that begins at the first convention: shares of runs at each in the end, by the chance of errors."""
    game, rng = symmetric(np.diag(worth)), _rng(key)
    selected = select(game).stable
    out = {"selected": float(selected[0][0] + 1) if len(selected) == 1 else np.nan}
    for error in errors:
        end = simulate(game, memory, sample, error, rounds, runs, rng, start=(0, 0))[-1]
        for k in range(len(worth)):
            out[f"error {error:g}, convention {k + 1}"] = float((end == k).all(1).mean())
    return out


def change(
    key: jax.Array, ratios: Sequence[float], error: float, memory: int, sample: int, rounds: int, runs: int
) -> Mapping[str, float]:
    """Two conventions, the second worth `ratio` times the first: which share of runs is at it, begun at either."""
    rng, out = _rng(key), {}
    for ratio in ratios:
        for begun in (0, 1):
            end = simulate(symmetric(np.diag([1.0, ratio])), memory, sample, error, rounds, runs, rng,
                           start=(begun, begun))[-1]  # fmt: skip
            out[f"ratio {ratio:g}, begun {begun + 1}"] = float(end.mean())
    both = [[out[f"ratio {r:g}, begun {b}"] for r in ratios] for b in (1, 2)]
    return out | {"memory of the past": float(np.trapezoid(np.subtract(both[1], both[0]), np.log2(ratios)))}


def dynamite(key: None, costs: Sequence[float], mutation: float, disapproval: float) -> Mapping[str, float]:
    """The share of a destructive technology as its cost falls step by step and rises again (deterministic)."""
    out, share = {}, mutation
    for way, series in (("falling", costs[::-1]), ("rising", costs)):
        for cost in series:
            game = technology(cost, disapproval=disapproval)
            start = [[[1 - share, share]]]
            share = float(path(game, start, 3_000, mutating(mutation), one=True, single=True)[0][-1, 0, 1])
            out[f"{way}, cost {cost:g}"] = share
    crossed = {way: [c for c in costs if out[f"{way}, cost {c:g}"] > 0.5] for way in ("falling", "rising")}
    tips, recovers = max(crossed["falling"], default=np.nan), max(crossed["rising"], default=np.nan)
    return out | {"tips at": tips, "recovers beyond": recovers, "width": recovers - tips}


def reservations(key: None, costs: Sequence[float]) -> Mapping[str, float]:
    """Bookings that diners make and should make, by what one costs them (a formula)."""
    out = {"breaks below": Reservations().breaks()}
    for cost in costs:
        world = Reservations(cost)
        out |= {f"own, cost {cost:g}": world.bookings(), f"best, cost {cost:g}": world.best(),
                f"welfare, cost {cost:g}": world.welfare(),
                f"welfare with fee, cost {cost:g}": world.welfare(world.attention),
                f"load with fee, cost {cost:g}": world.load(world.attention)}  # fmt: skip
    return out


def _label(name: str, populations: int) -> str:
    return f"{name}: {('one population', 'two populations')[populations - 1]}"


def trials(size: str) -> Sequence[Trial]:
    starts = {"smoke": 200, "laptop": 10_000, "paper": 100_000}[size]
    runs = {"smoke": 20, "laptop": 400, "paper": 4_000}[size]
    out = [
        Computed(_label(name, populations), basins, {"worth": worth, "populations": populations, "starts": starts})
        for name, worth in GAMES.items()
        for populations in (1, 2)
    ]
    rounds = 100 if size == "smoke" else 1_000
    play = {"memory": 8, "sample": 4, "rounds": rounds, "runs": runs}
    out.append(Computed("cost", cut, {"cuts": CUTS, "starts": starts}))
    out.append(Computed("noise", noise, {"worth": GAMES["worth 1, 2, 3"], "errors": ERRORS} | play))
    for error in (0.05, 0.15):
        settings = {"ratios": RATIOS, "error": error} | play | {"rounds": rounds // 5}
        out.append(Computed(f"change, error {error:g}", change, settings))
    out.append(Computed("dynamite", dynamite, {"costs": COSTS, "mutation": 1e-3, "disapproval": 0.6}, exact=True))
    out.append(Computed("reservations", reservations, {"costs": KAPPAS}, exact=True))
    return out


def _less(label: str, one: str, other: str) -> Callable[[Results], np.ndarray]:
    return lambda r: r.late(label, one) - r.late(label, other)


def _basin_claims() -> list[Claim]:
    known = {("worth 1, 2, 3", 1): (0.132, 0.338, 0.530), ("worth 1, 2, 3", 2): (0.076, 0.321, 0.603)}
    return [
        Claim(f"Convention {k + 1} is found from {share:.3f} of starts ({_label(*label)})",
              "ours (with another integrator)", of(_label(*label), f"convention {k + 1}"), near=share,
              tolerance=0.01, unit="of starts", kind="replica")
        for label, shares in known.items()
        for k, share in enumerate(shares)
    ]  # fmt: skip


def _ours(text: str, source: str, effect: Callable[[Results], np.ndarray], **more: Any) -> Claim:
    return Claim(text, source, effect, kind="ours", **more)


CLAIMS = [
    *_basin_claims(),
    _ours("The rarer the errors, the more surely they lead to the convention that trees of resistances select (0.05 "
          "against 0.2)", TREES,
          _less("noise", "error 0.05, convention 3", "error 0.2, convention 3"), above=0, unit="of runs"),
    # the bound is half, since most runs are said to stay, or to leave
    _ours("Most runs stay at a convention after a change that makes the other worth twice as much", OURS,
          of("change, error 0.05", "ratio 2, begun 1"), below=0.5, unit="of runs left"),
    _ours("... and most leave it after one that makes the other worth four times as much", OURS,
          of("change, error 0.05", "ratio 4, begun 1"), above=0.5, unit="of runs left"),
]  # fmt: skip

STORY = "ours (made-up numbers, after a story of the tutorial)"
READINGS = [
    *(Reading(f"Convention {k} is found where all are worth the same (one population)", "ours (by symmetry 1/3)",
              of(_label("worth 1, 1, 1", 1), f"convention {k}"), unit="of starts") for k in (1, 2, 3)),
    Reading("Errors of .05, begun at the worst convention: runs that are still there", TREES,
            of("noise", "error 0.05, convention 1"), unit="of runs"),
    Reading("... and that are at the one that trees of resistances select", TREES,
            of("noise", "error 0.05, convention 3"), unit="of runs"),
    Reading("Conventions worth the same: how many more are at the second where all began there than at the first", OURS,
            _less("change, error 0.05", "ratio 1, begun 2", "ratio 1, begun 1"), unit="of runs"),
    *(Reading(f"Memory of the past with errors of {e:g} (area between the lines below)", OURS,
              of(f"change, error {e:g}", "memory of the past")) for e in (0.05, 0.15)),
    Reading("What a cost of 1.5 on the best convention takes from its basin", OURS, _less("cost", "cut 0", "cut 1.5"),
            unit="of starts"),
    Reading("Dynamite tips at this cost (its gain, 1, less the disapproval, 0.6)", STORY, of("dynamite", "tips at")),
    Reading("... and is given up beyond this one (its gain, 1)", STORY, of("dynamite", "recovers beyond")),
    Reading("Bookings made where one costs a thousandth", STORY, of("reservations", "own, cost 0.001"),
            unit="bookings"),
    Reading("... and what would be best", STORY, of("reservations", "best, cost 0.001"), unit="bookings"),
    Reading("Reservations end where a booking costs less than this", STORY, of("reservations", "breaks below")),
    Reading("Load with a fee that pays for the attention, of 500", STORY,
            of("reservations", "load with fee, cost 0.001"), unit="units of attention"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page

    late = lambda label, form, over: np.stack([results.late(label, form.format(x)) for x in over], 1)  # noqa: E731
    begun = {
        f"begun at {word}, errors {e:g}": (
            np.log2(RATIOS),
            late(f"change, error {e:g}", "ratio {:g}, begun " + str(b), RATIOS),
        )
        for e in (0.05, 0.15)
        for b, word in ((1, "the first"), (2, "the second"))
    }
    tips = {f"cost {way}": (COSTS, late("dynamite", way + ", cost {:g}", COSTS)) for way in ("falling", "rising")}
    basin = {label: results.late(label, "convention 3") for label in list(results.records)[:4]}
    rows = [[f"{e:g}", *(number(results.late("noise", f"error {e:g}, convention {k}").mean()) for k in (1, 2, 3))]
            for e in ERRORS]  # fmt: skip
    booked = [[f"{c:g}", *(number(results.late("reservations", f"{w}, cost {c:g}")[0])
                           for w in ("own", "best", "welfare", "welfare with fee"))] for c in KAPPAS]  # fmt: skip
    return [
        page.Figure("Risk and opportunity", figures.svg(figures.intervals(
            basin, "share of starts", "How often the third convention is found")),
            "By what conventions are worth, and whether one population plays or two; uniform starts, replicator."),
        page.Table("Noise", ["errors", "at convention 1", "at 2", "at 3"], rows,
                   "Adaptive play begun at the worst of conventions worth 1, 2, 3: shares of runs after 1,000 rounds."),
        page.Figure("Changed payoffs", figures.svg(figures.curves(
            begun, "share of runs at the second convention", "A convention outlives what made it good",
            xlabel="worth of the second convention, that of the first being 1")),
            "Adaptive play, 200 rounds after the change.  The area between a pair of lines is memory of the past."),
        page.Figure("Spears and dynamite", figures.svg(figures.curves(
            tips, "share that uses dynamite", "A practice tips at one cost and recovers at another",
            xlabel="cost of dynamite")), "Replicator with rare mutation; the cost moves by 0.05 at a time."),
        page.Table("Reservations", ["a booking costs", "made", "best for all", "welfare", "with a fee"], booked,
                   "Welfare of a diner and the attention spent on them; nothing once restaurants stop."),
    ]  # fmt: skip


STUDY = Study(
    "conventions",
    "Which convention does a population find, and what moves it from one to another?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 5, "paper": 20},
    sections,
    "Reservations and dynamite are formulas with made-up numbers, after stories of the tutorial.",
    readings=READINGS,
)
