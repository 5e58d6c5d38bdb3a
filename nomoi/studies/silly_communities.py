"""Belief-shocked communities: the tutorial's figure of community size and activity at a cost of 0.0005."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.populations.engine import seed_of
from nomoi.populations.shocks import History, simulate
from nomoi.populations.silly import Community, legibility, patience, survival, value
from nomoi.runs.effects import of, scores
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial

FOUND = "ours, after Hadfield-Menell et al. 2019"  # its abstract and a caption in the tutorial; theta, d and t are ours
OURS = "ours, derived in nomoi/populations/silly.py"
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
    still = survival(c, h.theta, periods)[-1]
    error = np.sqrt(h.people * still * (1 - still) / communities)  # members are independent where bystanders are iid
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
            "standard errors off": (course.size[-1].mean() - h.people * still) / error if error else np.nan,
        }
    )


def drawn(key: jax.Array, worlds: int, density: int, cost: float, periods: int) -> Mapping[str, float]:
    """How many more of a hundred are still there with silly rules than without, exactly, in communities drawn at random
    that are worth joining and worth staying in; and in how many of them it is more."""
    rng, found = np.random.default_rng(seed_of(key)), []
    while len(found) < worlds:
        c = Community(
            density=density, cost=cost, gain=rng.uniform(0.5, 2), loss=rng.uniform(0.5, 2), alpha=rng.uniform(0.5, 3),
            beta=rng.uniform(0.5, 3), discount=rng.uniform(0.7, 0.95),
        )  # fmt: skip
        theta, without = c.threshold + rng.uniform(0.02, 0.3), c.but(density=0)
        if theta < 1 and min(value(c), value(without)) > 0:
            found.append(100 * (survival(c, theta, periods)[-1] - survival(without, theta, periods)[-1]))
    return {"more": float(np.mean(found)), "share": float((np.array(found) > 0).mean())}


def at_the_door(key: None, periods: int, good: float, bad: float, **rules: float | str) -> Mapping[str, float]:
    """What joining is worth at the prior, and how well a newcomer tells good communities from bad ones."""
    c = Community(**rules)  # type: ignore[arg-type]
    free = c.but(cost=0.0)
    return {
        "value": value(c),
        "free value": value(free),
        "right": (legibility(free, good, periods) + legibility(free, bad, periods)) / 2,
        "wait": float(max(patience(free, good), patience(free, bad))),
    }


def trials(size: str) -> Sequence[Trial]:
    communities = {"smoke": 1, "laptop": 10, "paper": 100}[size]
    worlds = {"smoke": 1, "laptop": 40, "paper": 200}[size]
    base = {"periods": 100, "communities": communities}

    def place(label: str, rules: Mapping[str, float | str], past: Mapping[str, float | str]) -> Trial:
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
        *(Computed(f"drawn, d {d}", drawn, {"worlds": worlds, "density": d, "cost": 0.0005, "periods": 100})
          for d in (2, 10)),
        *(Computed(f"door, d {d}", at_the_door, RULES | {"density": d, "periods": 5, "good": 0.6, "bad": 0.35},
                   exact=True)
          for d in DENSITIES),
    ]  # fmt: skip


def _rise(name: str, low: int, high: int, measure: str = "end"):
    return lambda r: r.late(f"{name}, d {high}", measure) - r.late(f"{name}, d {low}", measure)


STEPS = tuple(itertools.pairwise(DENSITIES))
CLAIMS = [
    *(
        Claim(f"Denser silly rules: more stay after a belief shock (theta {theta:g}, d {b} against {a})", FOUND,
              _rise(f"theta {theta:g}", a, b), above=0, unit="members of 100", kind="ours")
        for theta in (0.6, 0.7)
        for a, b in STEPS
    ),
    *(
        Claim(f"... and after newcomers of unknown type join (d {b} against {a})", FOUND, _rise("newcomers", a, b),
              above=0, unit="members", kind="ours")
        for a, b in STEPS
    ),
    Claim("... also where bystanders are the members still there (d 20 against 0)", FOUND, _rise("finite", 0, 20),
          above=0, unit="members of 100", kind="ours"),
    *(
        Claim(f"... and in communities whose payoffs, prior and patience are drawn (d {d} against 0)", FOUND,
              of(f"drawn, d {d}", "more"), above=0, unit="members of 100", kind="ours")
        for d in (2, 10)
    ),
    *(
        Claim(f"A community that does not enforce empties sooner (theta 0.35, t = 5, d {b} against {a})", FOUND,
              _rise("theta 0.35", a, b, "size 5"), below=0, unit="members of 100", kind="ours")
        for a, b in STEPS
    ),
    *(
        Claim(f"It is left sooner when enforcing ends: adaptability (d {b} against {a})", FOUND,
              _rise("turn", a, b, "halved"), below=0, unit="periods until half have left", kind="ours")
        for a, b in ((0, 5), (5, 20))
    ),
    Claim("Members of communities that enforce are better off (theta 0.7, d 20 against 0)", OURS,
          _rise("theta 0.7", 0, 20, "welfare"), above=0, unit="discounted payoff", kind="ours"),
    Claim("And so are those who came to one that does not (theta 0.35)", OURS,
          _rise("theta 0.35", 0, 20, "welfare"), above=0, unit="discounted payoff", kind="ours"),
    *(
        Claim(f"Simulated communities agree with the exact chances (theta {theta:g}, d {d})", OURS,
              scores(f"theta {theta:g}, d {d}", "standard errors off"), near=0, tolerance=2, unit="standard errors",
              kind="ours")
        for theta, d in ((0.6, 0), (0.6, 5), (0.7, 20))
    ),
    Claim("Rules that crowd out important encounters do not help (d 5 instead of them)", OURS,
          _rise("instead", 0, 5), below=0, unit="members of 100", kind="control"),
]  # fmt: skip

READINGS = [
    Reading("important encounters a period at t = 95, with twenty silly rules less without (theta 0.6): one a member",
            OURS, _rise("theta 0.6", 0, 20, "important 95")),
    Reading("share that leaves what is worth staying in, with twenty less without (theta 0.6): all who leave", OURS,
            _rise("theta 0.6", 0, 20, "misled"), unit="share"),
    Reading("at a cost of 0.01 twenty rules against ten (theta 0.6): with twenty it is no more worth staying", OURS,
            _rise("cost 0.01", 10, 20), unit="members of 100"),
    Reading("at a cost of 0.05 five rules against none (theta 0.6): with five it is no more worth staying", OURS,
            _rise("cost 0.05", 0, 5), unit="members of 100"),
    Reading("how much sooner a newcomer is right in 95 % (d 20 against 0, no cost): evidence comes 21 times as fast",
            OURS, _rise("door", 0, 20, "wait"), unit="periods"),
    Reading("what rules that cost nothing add to the value of joining (d 20 against 10; never less than 0: Blackwell)",
            OURS, _rise("door", 10, 20, "free value")),
    *(
        Reading(f"in how many communities drawn at random more stay with silly rules (d {d} against 0)", OURS,
                of(f"drawn, d {d}", "share"), unit="share")
        for d in (2, 10)
    ),
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
    trials,
    {"smoke": 1, "laptop": 5, "paper": 20},
    sections,
    "A reconstruction: of the paper the abstract was read, and the tutorial gives the cost 0.0005; payoffs, prior, "
    "size and dynamics are ours. Each record is the mean of 10 communities at laptop size. Communities that are drawn "
    "have gain and loss from 0.5 to 2, a prior with alpha and beta from 0.5 to 3, a discount from 0.7 to 0.95, and "
    "0.02 to 0.3 more punishers than make it worth staying; they are reckoned exactly, 40 a seed.",
    readings=READINGS,
)
