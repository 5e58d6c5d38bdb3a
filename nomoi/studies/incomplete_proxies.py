"""Two phases of optimising a proxy that leaves something out, and what four remedies save."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from nomoi.measure.statistics import number
from nomoi.proxies import incomplete
from nomoi.proxies.incomplete import World, example, flow, mention
from nomoi.runs.claims import Claim, Reading, Results
from nomoi.runs.effects import of
from nomoi.runs.study import Computed, Study, Trial

PAPER, OURS = "Zhuang & Hadfield-Menell 2020", "ours, after Zhuang & Hadfield-Menell 2020"
EVERY = (0.05, 0.2, 1, 3, 10)
PAIRS = list(combinations(range(4), 2))
TIMES = np.linspace(0, 12, 49)


def phases(key: Any, start: Sequence[float], until: float) -> Mapping[str, float]:
    """The example of four attributes: the utility along the flow for every pair that the proxy may mention."""
    out = {}
    for pair in PAIRS:
        world = example(start)
        path = flow(world, mention(world, pair), pair, until)
        name = f"{pair[0]}{pair[1]}"
        when, best = path.peak()
        turns = np.sum(np.diff(np.sign(np.diff(path.utility)[np.abs(np.diff(path.utility)) > 1e-12])) != 0)
        out |= {
            f"{name}, peak at": when,
            f"{name}, best": best,
            f"{name}, end": float(path.utility[-1]),
            f"{name}, turns": float(turns),
        }
        for t in TIMES:
            out[f"{name}, t {t:g}"] = float(np.interp(t, path.t, path.utility))
    return out | {
        "worst end": min(out[f"{a}{b}, end"] for a, b in PAIRS),
        "best end": max(out[f"{a}{b}, end"] for a, b in PAIRS),
    }


def remedies(key: Any, start: Sequence[float], until: float) -> Mapping[str, float]:
    """The utility that each remedy leaves; of updates, the mean over the second half."""
    world = example(start)
    path = flow(world, mention(world, (0, 1)), (0, 1), until)
    still = flow(world, mention(world, (0, 1)), (0, 1), until, movable=(0, 1))
    out = {
        "nothing": float(path.utility[-1]),
        "start": float(path.utility[0]),
        "no impact": float(still.utility[-1]),
        "gained, no impact": float(still.utility[-1] - still.utility[0]),
        "stopped in time": path.peak()[1],
        "both": float(incomplete.careful(world)[-1]),
    }
    late = np.linspace(until / 2, until, 1001)
    for every in EVERY:
        anew = incomplete.updated(world, 2, every, until)
        out[f"every {every:g}"] = float(np.interp(late, anew.t, anew.utility).mean())
    return {name: path.told(utility) for name, utility in out.items()}


def drawn(key: Any, worlds: int, until: float) -> Mapping[str, float]:
    """Random worlds of 3 to 6 attributes with curved utilities and costs: how often utility turns, and once only."""
    import jax

    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    down = once = 0
    for _ in range(worlds):
        n = int(rng.integers(3, 7))
        a, b, c = rng.uniform(0.5, 2, (3, n))
        utility = lambda s, a=a, b=b: (b * (1 - np.exp(-(s.T * a).T)).T).T.sum(0)  # noqa: E731
        cost = lambda s, c=c, n=n: np.exp((s.T * c).T).sum(0) - n  # noqa: E731
        names = tuple(f"x{k}" for k in range(n))
        world = World(names, utility, cost, -rng.uniform(0.2, 1.5, n), np.full(n, -np.inf))
        chosen = rng.permutation(n)[: int(rng.integers(1, n))].tolist()
        path = flow(world, mention(world, chosen), chosen, until, 101)
        moves = np.diff(path.utility)
        signs = np.sign(moves[np.abs(moves) > 1e-9])
        down += bool(path.utility[-1] < path.utility.max() - 1e-6)
        once += bool(np.sum(np.diff(signs) != 0) <= 1)
    return {"falls": down / worlds, "turns at most once": once / worlds}


def trials(size: str) -> Sequence[Trial]:
    worlds = {"smoke": 2, "laptop": 8, "paper": 100}[size]
    return [
        Computed("pairs", phases, {"start": (0.5, 0.8, 1.2, 1.5), "until": 12.0}, exact=True),
        Computed("uneven", phases, {"start": (0.2, 0.2, 1.8, 1.8), "until": 12.0}, exact=True),
        Computed("remedies", remedies, {"start": (0.2, 0.2, 1.8, 1.8), "until": 20.0}, exact=True),
        Computed("from within", remedies, {"start": (float(np.exp(-1.5)),) * 4, "until": 20.0}, exact=True),
        Computed("drawn", drawn, {"worlds": worlds, "until": 20.0}),
    ]


def _lead(label: str, one: str, other: str) -> Callable[[Results], np.ndarray]:
    return lambda r: r.late(label, one) - r.late(label, other)


def _ours(text: str, effect: Callable[[Results], np.ndarray], kind: str = "ours", **bounds: Any) -> Claim:
    return Claim(text, OURS, effect, unit="utility", kind=kind, **bounds)


CLAIMS = [
    Claim(
        "Whichever pair of attributes the proxy mentions, utility ends below its best by more than 5 (best is 0)",
        PAPER,
        of("pairs", "best end"),
        below=-5,
        unit="utility",
        published="all pairs eventually negative, in another example",
    ),
    Claim(
        "In worlds drawn at random an incomplete proxy, optimised for long, lowers utility in the end",
        PAPER,
        of("drawn", "falls"),
        above=0.9,
        unit="of worlds",
        published="under mild assumptions, for all incomplete proxies",
    ),
    Claim(
        "... in two phases: it turns at most once",
        PAPER,
        of("drawn", "turns at most once"),
        above=0.9,
        unit="of worlds",
        published="two phases",
    ),
    Claim(
        "Check against the closed form: the flow, followed in steps, turns where utility is best (t = 1.02663)",
        OURS,
        of("uneven", "01, peak at"),
        unit="time",
        kind="control",
        near=1.026631,
        tolerance=1e-4,
    ),
    _ours(
        "Attributes that are chosen anew every 0.2 keep utility near its best (every 1 would not)",
        of("remedies", "every 0.2"),
        above=-0.02,
    ),
    _ours("... every 3 far less", _lead("remedies", "every 3", "every 0.2"), below=-0.3),
    _ours("Both remedies together reach the best within ten updates", of("remedies", "both"), above=-1e-3),
    _ours(
        "Who looks only every 10 is worse off than who stops in time",
        _lead("remedies", "every 10", "stopped in time"),
        below=-1,
    ),
]

READINGS = [
    Reading(
        "Gained where what the proxy leaves out may not move, all poorly provided for (a gain by construction)",
        OURS,
        of("from within", "gained, no impact"),
        unit="utility",
    ),
    Reading(
        "... where what it leaves out has taken all there is (none, by construction)",
        OURS,
        of("remedies", "gained, no impact"),
        unit="utility",
    ),
]


def sections(results: Results) -> list[object]:
    from nomoi.report import charts, figures, page

    lines = {
        f"attributes {a} and {b}": (TIMES, [results.late("pairs", f"{a}{b}, t {t:g}")[0] for t in TIMES])
        for a, b in PAIRS
    }
    names = ["nothing", "no impact", *(f"every {e:g}" for e in EVERY), "both", "stopped in time"]
    rows = [[n, *(number(float(results.late(label, n)[0])) for label in ("remedies", "from within"))] for n in names]
    return [
        page.Figure(
            "Two phases",
            figures.svg(
                charts.lines(
                    lines,
                    "utility, whichever two attributes are asked for",
                    "What rises first, falls without end",
                    "time of optimisation",
                    of="computed path",
                )
            ),
            "At best utility is 0; the proxy rises all the while.",
        ),
        page.Table(
            "Remedies",
            ["remedy", "others well provided", "all poorly"],
            rows,
            "Utility at t = 20, or its mean from 10 to 20 where the attributes are chosen anew every so often.",
        ),
    ]


STUDY = Study(
    "incomplete_proxies",
    "What does optimising some of the things that people care about do to all of them?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 3, "paper": 10},
    sections,
    "The paper's own example was not open to us: this one is ours, and has closed forms.",
    readings=READINGS,
)
