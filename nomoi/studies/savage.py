"""Look before you leap: one world planned exactly, and learned without knowing it (Savage's small and large worlds)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from nomoi.measure.statistics import number
from nomoi.runs.claims import Claim, Reading, Results
from nomoi.runs.study import Computed, Study, Trial
from nomoi.solve.foresight import SILENT, Explorer, Follower, Worlds, garnets, listed, live, plan, planned, visits

OURS, UNIT = "ours, after Savage 1954", "of what foresight brings"
COVERAGES = (0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0)
QUALITIES = (0.3, 0.5, 0.7)  # of norms
DISCOUNT, STATES, ACTIONS, BRANCHING = 0.9, 30, 4, 3  # ours
PLANNERS = ("planner", "planner with a norm")


def lives(
    key: jax.Array, coverages: Sequence[float], right: float, worlds: int, steps: int, others: Sequence[float] = ()
) -> Mapping[str, float]:
    """What each agent earns, as a share of what the best policy earns beyond acting at random.

    The norm says what to do in every state; it is the best action in a share `right` of states, else any (which may be
    the best by luck); `others` are norms of another quality.  `late` is the second half of life; `outside` is the
    share of the planner's time in states that its model does not list.
    """
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    place = garnets(rng, worlds, STATES, ACTIONS, BRANCHING)
    best = plan(place, DISCOUNT)
    mass = visits(place, best)
    norm = np.where(rng.random(best.shape) < right, best, rng.integers(0, ACTIONS, best.shape))
    known = {c: listed(mass, c) for c in coverages}
    plans = {"best": best, "random": np.full(best.shape, SILENT)}
    for c in coverages:
        plans[f"planner, {c:g}"] = planned(place, known[c], DISCOUNT)
        plans[f"planner with a norm, {c:g}"] = np.where(known[c], plans[f"planner, {c:g}"], norm)
    # all who follow a plan live side by side, each in a copy of every world
    many = Worlds(np.tile(place.transitions, (len(plans), 1, 1, 1)), np.tile(place.rewards, (len(plans), 1, 1)))
    rewards, seen = live(many, Follower(np.concatenate(list(plans.values())), ACTIONS, rng), rng, steps)
    earned = dict(zip(plans, np.split(rewards, len(plans), 1), strict=True))
    earned["explorer"] = live(place, Explorer(place.rewards.shape, DISCOUNT, rng), rng, steps)[0]
    for quality in others:  # drawn last, so that all else is the same with and without them
        norm = np.where(rng.random(best.shape) < quality, best, rng.integers(0, ACTIONS, best.shape))
        for c in coverages:
            follows = np.where(known[c], plans[f"planner, {c:g}"], norm)
            earned[f"norm {quality:g}, {c:g}"] = live(place, Follower(follows, ACTIONS, rng), rng, steps)[0]
    out = {}
    for word, part in (("", slice(None)), (", late", slice(steps // 2, None))):
        low, high = earned["random"][part].mean(), earned["best"][part].mean()
        out |= {name + word: float((e[part].mean() - low) / (high - low)) for name, e in earned.items()}
    for c, states in zip(coverages, np.split(seen, len(plans), 1)[2::2], strict=True):
        out |= {f"listed, {c:g}": float(known[c].mean()),
                f"outside, {c:g}": float((~np.take_along_axis(known[c], states.T, 1)).mean())}  # fmt: skip
    return out


def trials(size: str) -> Sequence[Trial]:
    worlds, steps = {"smoke": (4, 400), "laptop": (60, 4_000), "paper": (500, 20_000)}[size]
    settings = {"coverages": COVERAGES, "right": 0.7, "others": QUALITIES[:-1], "worlds": worlds, "steps": steps}
    return [Computed("lives", lives, settings)]


def _lead(one: str, other: str) -> Callable[[Results], np.ndarray]:
    return lambda r: r.late("lives", one) - r.late("lives", other)


def _norm(quality: float, coverage: float) -> str:
    known = "planner with a norm" if quality == QUALITIES[-1] else f"norm {quality:g}"
    return f"{known}, {coverage:g}"


def crossing(results: Results) -> np.ndarray:
    """[seeds] the coverage at which the planner overtakes the explorer (linear between those tried); NaN if none."""
    lead = np.stack([_lead(f"planner, {c:g}", "explorer")(results) for c in COVERAGES], 1)
    out = []
    for row in lead:
        last = np.flatnonzero(row < 0)
        k = last[-1] if len(last) else -1
        if k < 0 or k + 1 == len(row):
            out.append(np.nan)
        else:
            out.append(COVERAGES[k] + (COVERAGES[k + 1] - COVERAGES[k]) * -row[k] / (row[k + 1] - row[k]))
    return np.array(out)


def _ours(text: str, effect: Callable[[Results], np.ndarray], **bounds: Any) -> Claim:
    return Claim(text, OURS, effect, unit=UNIT, kind="ours", **bounds)


CLAIMS = [
    _ours("Where the model lists nine tenths of what happens, the plan beats one who learns without knowing the world",
          _lead("planner, 0.9", "explorer"), above=0),
    _ours("Where it lists a tenth, the explorer is ahead", _lead("planner, 0.1", "explorer"), below=0),
    _ours("... and further ahead late in life",
          lambda r: _lead("planner, 0.1, late", "explorer, late")(r) - _lead("planner, 0.1", "explorer")(r), below=0),
    # half: the quality was fixed before any but 0.7 had been run
    _ours("A norm that knows half of the states and else guesses, where the plan is silent, is worth more than "
          "exploring (coverage 0.4)", _lead(_norm(0.5, 0.4), "explorer"), above=0),
    _ours("... and still where the model lists a tenth", _lead(_norm(0.5, 0.1), "explorer"), above=0),
]  # fmt: skip

READINGS = [
    Reading("A plan of a model that lists all (it is the ruler: the best policy is 1)", OURS,
            lambda r: r.late("lives", "planner, 1"), unit=UNIT),
    Reading("... ahead of one who learns", OURS, _lead("planner, 1", "explorer"), unit=UNIT),
    Reading("Coverage at which plan and explorer cross", OURS, crossing, unit="coverage"),
    *(Reading(f"A norm that knows {q:g} of the states and else guesses, ahead of the explorer (coverage {c:g})", OURS,
              _lead(_norm(q, c), "explorer"), unit=UNIT) for q in (0.3, 0.7) for c in (0.4, 0.1)),
    Reading("What a norm that knows 0.7 adds to a plan that else acts at random (coverage 0.4)", OURS,
            _lead("planner with a norm, 0.4", "planner, 0.4"), unit=UNIT),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    from nomoi.report import figures, page

    read = lambda m: np.stack([results.late("lives", f"{m}, {c:g}") for c in COVERAGES], 1)  # noqa: E731
    explorer = results.late("lives", "explorer")
    lines = {name: (COVERAGES, read(name)) for name in PLANNERS}
    lines["explorer"] = (COVERAGES, np.tile(explorer[:, None], len(COVERAGES)))
    rows = [[f"{c:g}", *(number(read(m)[:, k].mean()) for m in ("listed", "outside", *PLANNERS))]
            for k, c in enumerate(COVERAGES)]  # fmt: skip
    late = number(results.late("lives", "explorer, late").mean())
    return [
        page.Figure("Small worlds and large", figures.svg(figures.curves(
            lines, "earned (best policy 1, at random 0)", "To plan pays in small worlds",
            xlabel="share of what happens that the model lists")),
            "One world, planned by policy iteration on what the model lists, or learned by trial."),
        page.Table("Numbers", ["coverage", "states listed", "time outside the model", *PLANNERS], rows,
                   "The planner acts at random outside its model; the norm knows 0.7 of the states and else guesses.  "
                   f"The explorer earns {number(explorer.mean())}, and {late} in the second half of life."),
    ]  # fmt: skip


STUDY = Study(
    "savage",
    "When is it better to plan, and when to learn as one goes?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 5, "paper": 20},
    sections,
    "Random worlds and agents are a design of ours: the tutorial gives the two proverbs and no experiment.",
    readings=READINGS,
)
