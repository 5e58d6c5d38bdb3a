"""Belief-shocked communities: the tutorial's figure of community size and activity at a cost of 0.0005."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.populations.engine import seed_of
from nomoi.populations.shocks import History, simulate
from nomoi.populations.silly import Community, legibility, patience, survival, value
from nomoi.study import Claim, Computed, Condition, Results, Study

FIGURE = "tutorial (caption; Hadfield-Menell, Andrus & Hadfield 2019)"
ABSTRACT = "Hadfield-Menell, Andrus & Hadfield 2019 (abstract)"
DERIVED = "derived (spec D)"
DENSITIES = (0, 1, 2, 5, 10, 20)
TIMES = tuple(range(0, 101, 5))
RULES, PAST = vars(Community()), vars(History())


def community(key: jax.Array, periods: int, communities: int, **settings: float | str) -> Mapping[str, float]:
    """Size and activity of communities over time, and how it ended; settings are those of Community and of History."""
    c = Community(**{k: v for k, v in settings.items() if k in RULES})  # type: ignore[arg-type]
    h = History(**{k: v for k, v in settings.items() if k not in RULES})  # type: ignore[arg-type]
    first = seed_of(key)
    course = simulate(c, h, periods, [first + r for r in range(communities)])
    size = {f"size {t}": course.size[t].mean() for t in TIMES if t <= periods}
    activity = {f"activity {t}": course.encounters[t].mean() for t in TIMES if t < periods}
    important = {f"important {t}": course.important[t].mean() for t in TIMES if t < periods}
    after = course.size[h.at :].mean(1)
    return (
        size
        | activity
        | important
        | {
            "end": course.size[-1].mean(),
            "alive": course.alive.mean(),
            "misled": course.misled.mean(),
            "welfare": course.welfare.mean(),
            "collapse": course.collapse.mean() - h.at,
            "halved": float(np.argmax(after < after[0] / 2)) if after[-1] < after[0] / 2 else periods - h.at + 1.0,
            "off exact": course.size[-1].mean() - h.people * survival(c, h.theta, periods)[-1],
        }
    )


def at_the_door(key: jax.Array, periods: int, good: float, bad: float, **rules: float | str) -> Mapping[str, float]:
    """What joining is worth at the prior, and how well a newcomer tells good communities from bad ones."""
    c = Community(**rules)  # type: ignore[arg-type]
    free = c.but(cost=0.0)
    return {
        "value": value(c),
        "free value": value(free),
        "right": (legibility(free, good, periods) + legibility(free, bad, periods)) / 2,
        "wait": float(max(patience(free, good), patience(free, bad))),
    }


def conditions(size: str) -> Sequence[Condition]:
    communities = {"smoke": 1, "laptop": 10, "paper": 100}[size]
    base = {"periods": 100, "communities": communities}

    def place(label: str, rules: Mapping[str, float | str], past: Mapping[str, float | str]) -> Condition:
        return Computed(label, community, base | RULES | PAST | rules | past)

    new = {"theta": 0.65, "theirs": 0.65, "shock": "newcomers", "at": 20}
    return [
        *(place(f"theta {theta:g}, d {d}", {"density": d}, {"theta": theta})
          for theta in (0.7, 0.6, 0.35) for d in DENSITIES),
        *(place(f"cost {c:g}, d {d}", {"density": d, "cost": c}, {}) for c in (0.01, 0.05) for d in DENSITIES),
        *(place(f"newcomers, d {d}", {"density": d}, new) for d in DENSITIES),
        *(place(f"turn, d {d}", {"density": d}, {"theta": 0.7, "shock": "turn", "at": 20}) for d in (0, 5, 20)),
        *(place(f"finite, d {d}", {"density": d}, {"bystanders": "finite"}) for d in (0, 20)),
        *(place(f"instead, d {d}", {"density": d, "mode": "replace"}, {}) for d in (0, 5)),
        *(Computed(f"door, d {d}", at_the_door, RULES | {"density": d, "periods": 5, "good": 0.6, "bad": 0.35})
          for d in DENSITIES),
    ]  # fmt: skip


def _rise(name: str, low: int, high: int, measure: str = "end"):
    return lambda r: r.late(f"{name}, d {high}", measure) - r.late(f"{name}, d {low}", measure)


def _of(label: str, measure: str):
    return lambda r: r.late(label, measure)


CLAIMS = [
    *(
        Claim(f"Denser silly rules: more stay after a belief shock (theta {theta:g}, d {b} against {a})", FIGURE,
              _rise(f"theta {theta:g}", a, b), above=0, unit="members of 100")
        for theta in (0.6, 0.7)
        for a, b in ((0, 5), (5, 10), (10, 20))
    ),
    *(
        Claim(f"... and after newcomers of unknown type join (d {b} against {a})", FIGURE, _rise("newcomers", a, b),
              above=0, unit="members")
        for a, b in ((0, 5), (5, 20))
    ),
    Claim("... also where bystanders are the members still there (d 20 against 0)", FIGURE, _rise("finite", 0, 20),
          above=0, unit="members of 100"),
    Claim("Important activity is higher as well (theta 0.6, t = 95, d 20 against 0)", FIGURE,
          _rise("theta 0.6", 0, 20, "important 95"), above=0, unit="encounters a period"),
    Claim("Fewer leave by mistake what is worth staying in (theta 0.6, d 20 against 0)", DERIVED,
          _rise("theta 0.6", 0, 20, "misled"), below=0, unit="share"),
    Claim("A community that does not enforce empties sooner (theta 0.35, t = 5, d 5 against 0)", ABSTRACT,
          _rise("theta 0.35", 0, 5, "size 5"), below=0, unit="members of 100"),
    Claim("It is left sooner when enforcing ends: adaptability (d 20 against 0)", ABSTRACT,
          _rise("turn", 0, 20, "halved"), below=0, unit="periods until half have left"),
    Claim("Members of communities that enforce are better off (theta 0.7, d 20 against 0)", DERIVED,
          _rise("theta 0.7", 0, 20, "welfare"), above=0, unit="discounted payoff"),
    Claim("And so are those who came to one that does not (theta 0.35)", DERIVED,
          _rise("theta 0.35", 0, 20, "welfare"), above=0, unit="discounted payoff"),
    Claim("At a cost of 0.01 there can be too many (theta 0.6, d 20 against 10)", DERIVED,
          _rise("cost 0.01", 10, 20), below=0, unit="members of 100"),
    Claim("At a cost of 0.05 silly rules harm (theta 0.6, d 5 against 0)", DERIVED, _rise("cost 0.05", 0, 5), below=0,
          unit="members of 100"),
    Claim("Rules that crowd out important encounters do not help (d 5 instead of them)", DERIVED,
          _rise("instead", 0, 5), below=0, unit="members of 100"),
    Claim("Simulated communities agree with the exact chances (theta 0.6, d 5)", DERIVED,
          _of("theta 0.6, d 5", "off exact"), near=0, tolerance=2, unit="members of 100"),
    Claim("A newcomer knows sooner where it is (d 20 against 0)", DERIVED, _rise("door", 0, 20, "wait"), below=0,
          unit="periods to be right in 95 %"),
    Claim("Rules that cost nothing never make joining worth less (d 20 against 10)", "derived (Blackwell)",
          _rise("door", 10, 20, "free value"), above=0, unit="value at the prior"),
]  # fmt: skip


def sections(results: Results) -> list[object]:
    """Size and activity over time by density; where they end, by cost; what a newcomer can tell."""
    from nomoi.measure.statistics import number
    from nomoi.report import figures, page

    def over(name: str, what: str, times: Sequence[int]):
        return {
            f"d = {d}": (times, np.stack([results.late(f"{name}, d {d}", f"{what} {t}") for t in times], 1))
            for d in DENSITIES
        }

    size = figures.curves(over("theta 0.6", "size", TIMES), "members of 100",
                          "Belief-shocked community: size", xlabel="periods after the shock")  # fmt: skip
    activity = figures.curves(over("theta 0.6", "activity", TIMES[:-1]), "encounters a period",
                              "Belief-shocked community: activity", xlabel="periods after the shock")  # fmt: skip
    joined = figures.curves(over("newcomers", "size", TIMES), "members", "A hundred newcomers of unknown type",
                            xlabel="periods; they come at 20")  # fmt: skip
    by_cost = figures.curves(
        {
            f"cost {c}": (DENSITIES, np.stack([results.late(f"{name}, d {d}", "end") for d in DENSITIES], 1))
            for c, name in (("0.0005", "theta 0.6"), ("0.01", "cost 0.01"), ("0.05", "cost 0.05"))
        },
        "members of 100 after 100 periods", "How many silly rules, at which cost", xlabel="silly encounters a period d",
    )  # fmt: skip
    names = ("value", "free value", "right", "wait")
    rows = [[f"{d}", *(number(results.late(f"door, d {d}", n).mean()) for n in names)] for d in DENSITIES]
    return [
        page.Figure("Community size at cost 0.0005", figures.svg(size), "theta = 0.6, all beliefs reset at 0."),
        page.Figure("Community activity at cost 0.0005", figures.svg(activity), "All encounters, silly ones included."),
        page.Figure("Newcomers", figures.svg(joined), "theta = 0.65 among members and newcomers; beliefs diluted."),
        page.Figure("Cost", figures.svg(by_cost), "theta = 0.6."),
        page.Table("At the door", ["d", "value", "value at no cost", "right after 5 periods", "wait for 95 %"], rows,
                   "Right and wait: for theta 0.6 and 0.35, at no cost."),
    ]  # fmt: skip


STUDY = Study(
    "silly_communities",
    "Do silly rules keep a community together when it is shaken whether its rules are enforced?",
    CLAIMS,
    conditions,
    {"smoke": 1, "laptop": 5, "paper": 20},
    sections,
    "A reconstruction: of the paper the abstract was read, and the tutorial gives the cost 0.0005; payoffs, prior, "
    "size and dynamics are ours. Each record is the mean of 10 communities at laptop size.",
)
