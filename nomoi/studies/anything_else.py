"""Punishment allows the evolution of cooperation, or anything else, in sizable groups (Boyd & Richerson 1992)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import jax
import numpy as np

from nomoi.populations.engine import seed_of
from nomoi.populations.groups_at_play import play, replicate, table
from nomoi.populations.punishment import (
    Punishment,
    basin,
    least_punishment,
    moralists,
    moralists_stable,
    payoffs,
    polymorphisms,
    punisher_reluctant,
)
from nomoi.runs.effects import of, scores
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial

ABSTRACT = "Boyd & Richerson 1992, abstract"
TITLE = "Boyd & Richerson 1992, title"
OURS = "ours, derived in nomoi/populations/punishment.py"
BOUND = "(the bound is derived in nomoi/populations/punishment.py)"
GAME = vars(Punishment())
HARMFUL = GAME | {"size": 32, "benefit": -2.0, "error": 0.01}
PLAYED = GAME | {"size": 8, "error": 0.05}
SIZES = (4, 8, 16, 32, 64, 128)
PAIRS = (("M", "U"), ("M", "E"), ("M", "R"), ("M", "P"), ("P", "E"), ("R", "P"), ("E", "U"))  # resident, mutant


def margin(g: Punishment, resident: str, mutant: str, groups: int, seed: int) -> np.ndarray:
    """[groups] what a resident among its own has more than one mutant in such a group; lives are equally long."""
    lone = play(g, mutant + resident * g.others, groups, seed)[:, 0]
    return play(g, resident * g.size, groups, seed).mean(1) - lone


def contest(key: jax.Array, resident: str, mutant: str, groups: int, **game: float) -> Mapping[str, float]:
    """Payoff a period of one mutant and of a resident among its own, played, and against the closed forms."""
    g, seed = Punishment(**game), seed_of(key)  # type: ignore[arg-type]
    rounds, more = 1 - g.again, margin(g, resident, mutant, groups, seed)
    own = float(play(g, resident * g.size, groups, seed).mean()) * rounds
    exact = payoffs(g, resident, resident) - payoffs(g, resident, mutant)
    return {
        "resident": own,
        "mutant": own - more.mean() * rounds,
        "margin": more.mean() * rounds,
        "exact margin": exact * rounds,
        "standard errors off": (more.mean() - exact) / (more.std(ddof=1) / np.sqrt(groups)),
    }


def games(rng: np.random.Generator, many: int, low: float, high: float) -> Iterator[Punishment]:
    """Games drawn at random, with a benefit from `low` to `high`, in which contributing does not pay by itself."""
    while many:
        g = Punishment(
            size=int(rng.integers(4, 17)), benefit=rng.uniform(low, high), cost=rng.uniform(0.5, 1.5),
            punishing=rng.uniform(0.5, 1.5), error=rng.uniform(0.01, 0.1), again=rng.uniform(0.8, 0.95),
        )  # fmt: skip
        if g.cost > g.benefit / g.size:
            many -= 1
            yield g


def bound(g: Punishment, mutants: str = "UER") -> float:
    """The p above which moralists are stable against each of `mutants`."""
    return max(least_punishment(g, mutant).value for mutant in mutants)


def drawn(
    key: jax.Array, mutants: str, times: float, low: float, high: float, many: int, groups: int
) -> Mapping[str, float]:
    """In how many games drawn at random moralists resist each of `mutants`, played, where p is `times` the bound."""
    rng, resists = np.random.default_rng(seed_of(key)), []
    for g in games(rng, many, low, high):
        strict, seed = g.but(punished=times * bound(g, mutants)), int(rng.integers(2**31))
        resists.append(all(margin(strict, "M", mutant, groups, seed).mean() > 0 for mutant in mutants))
    return {"resists": float(np.mean(resists))}


def lone_punisher(key: jax.Array, many: int, groups: int) -> Mapping[str, float]:
    """In how many games drawn at random one punisher among the reluctant has more than they, who have 0; played.

    `pays`: where what it gains by their contributing is more than what coercing them costs, L (b - c) > k A + c - b/n;
    `dear`: where it is not.
    """
    rng, found = np.random.default_rng(seed_of(key)), {True: [], False: []}
    for g in games(rng, many, 1.0, 8.0):
        g = g.but(size=int(rng.integers(4, 33)), error=rng.uniform(0, 0.02))
        pays = g.later * (g.benefit - g.cost) > g.punishing * g.others + g.cost - g.benefit / g.size
        got = play(g, "P" + "R" * g.others, groups, int(rng.integers(2**31)))[:, 0].mean()
        found[pays].append(got > 0)
    return {name: float(np.mean(found[k])) if found[k] else np.nan for name, k in (("pays", True), ("dear", False))}


def larger(key: jax.Array, many: int) -> Mapping[str, float]:
    """In how many games drawn at random the punishment that is needed is less in groups of 128 than of 4, and falls at
    each doubling."""
    rng = np.random.default_rng(seed_of(key))
    least = np.array([[bound(g.but(size=n)) for n in SIZES] for g in games(rng, many, -3.0, 6.0)])
    return {"falls": float((least[:, -1] < least[:, 0]).mean()),
            "always falls": float((np.diff(least, axis=1) < 0).all(1).mean())}  # fmt: skip


def mixture(
    key: jax.Array, generations: int, strength: float, start: float, groups: int, **game: float
) -> Mapping[str, float]:
    """Where replicators of P and R, who play, end from a share `start` of P; and how far that is from the root of the
    closed form."""
    g = Punishment(**game)  # type: ignore[arg-type]
    paid = table(g, "PR", groups, seed_of(key))
    end = float(replicate(paid.expected, np.array([start, 1 - start]), generations, strength, 0.0)[-1, 0])
    return {"end": end, "off": end - rest(None, **game)["stable"]}


def rest(key: None, **game: float) -> Mapping[str, float]:
    """The stable mixture of P and R, by roots."""
    stable = [r.x for r in polymorphisms(Punishment(**game)) if r.stable]  # type: ignore[arg-type]
    return {"stable": stable[0] if stable else np.nan}


def stability(key: None, **game: float) -> Mapping[str, float]:
    """The bound of p, the margin of M against U, E and R, what all have where all are M, and where M begins to gain."""
    g = Punishment(**game)  # type: ignore[arg-type]
    return {
        "least": bound(g),
        "margin": moralists_stable(g).margin * (1 - g.again),
        "all M": moralists(g) * (1 - g.again),
        "basin": basin(g).value,
    }


def trials(size: str) -> Sequence[Trial]:
    groups = {"smoke": 50, "laptop": 3000, "paper": 50_000}[size]
    many = {"smoke": 3, "laptop": 40, "paper": 100}[size]
    few = max(50, groups // 3)
    life = {"generations": 200 if size == "smoke" else 1500, "strength": 0.02, "start": 0.2}
    anyhow = {"mutants": "U", "times": 1.25, "low": -3.0, "high": 6.0, "many": many, "groups": few}
    return [
        *(
            Computed(f"{m} among {r}", contest, PLAYED | {"resident": r, "mutant": m, "groups": groups})
            for r, m in PAIRS
        ),
        *(
            Computed(f"M against {m}, p {times:g} of the bound", drawn, anyhow | {"mutants": m, "times": times})
            for m in "UER"
            for times in (1.25, 0.8)
        ),
        Computed("M for harm", drawn, anyhow | {"mutants": "UER", "high": 0.0}),
        Computed("P alone", lone_punisher, {"many": 2 * many, "groups": few}),
        Computed("larger groups", larger, {"many": 5 * many}),
        Computed("P and R, played", mixture, GAME | life | {"size": 8, "again": 0.9, "groups": few}),
        *(Computed(f"P and R, n {n}", rest, GAME | {"size": n, "again": 0.9}, exact=True) for n in (8, 16)),
        Computed("harmful", stability, HARMFUL, exact=True),
        *(
            Computed(f"n {n}, b {b:g}", stability, GAME | {"size": n, "benefit": b, "error": 0.05}, exact=True)
            for n, b in ((4, -2.0), (16, 2.0), (128, -2.0), (128, 2.0))
        ),
        Computed("without errors", stability, GAME | {"error": 0.0}, exact=True),
        Computed("one period", stability, GAME | {"again": 0.0}, exact=True),
    ]


WHO = {"U": "never contributes", "E": "contributes and does not punish", "R": "waits to be punished"}
CLAIMS = [
    # controls: play against our own closed form of the bound
    *(
        Claim(f"Where being punished costs enough, a quarter more than the bound, moralists resist who {who}",
              f"ours, after {ABSTRACT} {BOUND}", of(f"M against {m}, p 1.25 of the bound", "resists"), above=0.9,
              unit="of games drawn at random", kind="control")
        for m, who in WHO.items()
    ),
    Claim("Or anything else: so they do, against all three, where what they enforce harms everybody (b < 0)",
          f"ours, after {TITLE} {BOUND}", of("M for harm", "resists"), above=0.9, unit="of games drawn at random",
          kind="control"),
    Claim("One punisher among the reluctant gains where its benefit exceeds the cost of coercing the n - 1 others",
          ABSTRACT, of("P alone", "pays"), above=0.9, unit="of games drawn at random"),
    Claim("Then punishers and reluctant cooperators coexist (n = 8, w = .9, played)", ABSTRACT,
          of("P and R, played", "end"), above=0.02, below=0.98, unit="share of punishers"),
    *(
        Claim(f"Where it costs a fifth less than the bound they do not resist who {who}", OURS,
              of(f"M against {m}, p 0.8 of the bound", "resists"), below=0.1, unit="of games drawn at random",
              kind="control")
        for m, who in WHO.items()
    ),
    Claim("One punisher does not gain where coercing the others costs more than that", OURS, of("P alone", "dear"),
          below=0.1, unit="of games drawn at random", kind="ours"),
    Claim("The mixture of punishers and reluctant cooperators is where the closed form says", OURS,
          of("P and R, played", "off"), near=0, tolerance=0.03, unit="share of punishers", kind="ours"),
    # seven contests, but not seven independent verdicts: they share seeds, and four of them the very same residents
    *(
        Claim(f"Play agrees with the closed form ({m} among {r})", OURS,
              scores(f"{m} among {r}", "standard errors off"), near=0, tolerance=2,
              unit="standard errors (last column of the table)", kind="ours")
        for r, m in PAIRS
    ),
]  # fmt: skip

READINGS = [
    Reading("in sizable groups: in how many games drawn at random groups of 128 need less punishment than groups of 4",
            f"ours, after {TITLE}", of("larger groups", "falls"), unit="of games"),
    Reading("in how many the punishment that is needed falls at each doubling from 4 to 128", OURS,
            of("larger groups", "always falls"), unit="of games"),
    Reading("all who are moralists have (n = 32, b = -2; 0 if nobody did it)", OURS, of("harmful", "all M"),
            unit="a period"),
    Reading("and more than who deviates (closed form)", OURS, of("harmful", "margin"), unit="a period"),
    Reading("played: who only punishes those who do not contribute has less than a moralist among moralists", OURS,
            of("P among M", "margin"), unit="a period"),
    Reading("played: who leaves punishing to others among punishers has less than they (second-order free rider)",
            OURS, of("E among P", "margin"), unit="a period"),
    Reading("punishers at rest beside the reluctant (n = 8, w = .9)", OURS, of("P and R, n 8", "stable"),
            unit="share"),
    Reading("the same in groups of 16", OURS, of("P and R, n 16", "stable"), unit="share"),
    Reading("punishment that is needed in groups of 4 (b = -2)", OURS, of("n 4, b -2", "least"), unit="of p"),
    Reading("in groups of 128", OURS, of("n 128, b -2", "least"), unit="of p"),
    Reading("what b = 2 instead of b = -2 changes there", OURS,
            lambda r: r.late("n 128, b -2", "least") - r.late("n 128, b 2", "least"), unit="of p"),
    Reading("moralists gain in a game of one period from a share of (n = 16)", OURS, of("n 16, b 2", "basin"),
            unit="share"),
    Reading("without errors who never punishes is never found out: moralists have more by", OURS,
            of("without errors", "margin"), unit="a period"),
    Reading("where there is no second period they have more by", OURS, of("one period", "margin"), unit="a period"),
]  # fmt: skip


def _error(results: Results, label: str) -> float:
    """One standard error of a seed's margin in a contest, mean over seeds (those count most that are far off)."""
    off, margin, exact = (results.late(label, m) for m in ("standard errors off", "margin", "exact margin"))
    return float(np.abs(margin - exact).sum() / np.abs(off).sum())


def sections(results: Results) -> list[object]:
    """The punishment that is needed by the size of groups; punishers and the reluctant."""
    from nomoi.measure.statistics import number
    from nomoi.report import charts, figures, page

    sizes = np.arange(4, 129)
    needed = {
        f"b = {b:g}": (sizes, [max(least_punishment(Punishment(size=int(n), benefit=b, error=0.05), m).value
                                   for m in "UER") for n in sizes])
        for b in (2.0, 0.0, -2.0)
    }  # fmt: skip
    bound = charts.lines(needed, "p above which moralists are stable", "Larger groups need less punishment",
                         "members of a group", log=True)  # fmt: skip
    g, x = Punishment(size=8, again=0.9), np.linspace(0, 1, 201)
    punisher, reluctant = punisher_reluctant(g, x)
    rests = {f"{'stable' if rest.stable else 'unstable'}": rest.x for rest in polymorphisms(g)}
    mixed = charts.lines({"P, punishers": (x, punisher), "R, reluctant": (x, reluctant)}, "payoff in a group's life",
                         "Punishers and reluctant cooperators", "share of punishers", marks=rests)  # fmt: skip
    rows = [
        [c, *(number(results.late(c, what).mean()) for what in ("resident", "mutant", "margin", "exact margin")),
         number(_error(results, c))]
        for c in (f"{m} among {r}" for r, m in PAIRS)
    ]  # fmt: skip
    return [
        page.Figure("How much punishment", figures.svg(bound), "c = k = 1, e = 0.05, w = 0.95; below b = 0 what is "
                    "enforced harms all."),
        page.Figure("Punishers and reluctant", figures.svg(mixed), "n = 8, b = 5, c = 1, p = 1.5, k = 1, e = 0.02, "
                    "w = 0.9."),
        page.Table("One mutant among residents", ["who", "resident", "mutant", "margin", "exact margin",
                   "one standard error"], rows, "Payoffs a period, played by groups of 8 (e = 0.05); a positive margin "
                   "resists. The standard error is that of one seed's margin. Contests share their random numbers, and "
                   "the four among M their residents, so that the seven are correlated."),
    ]  # fmt: skip


STUDY = Study(
    "anything_else",
    "Can punishment hold up anything in a large group, even what harms everybody?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 5, "paper": 10},
    sections,
    "A reconstruction: the abstract of the paper was read, not its body, so the game and its parameters are ours. U "
    "never contributes, E contributes and does not punish, R contributes once punished, P punishes who does not "
    "contribute, M also who did not punish. Games drawn at random have n from 4 to 16 (one punisher alone: to 32; "
    "larger groups: 4 to 128), b from -3 to 6 (1 to 8 for one punisher), c and k from 0.5 to 1.5, e from 0.01 to 0.1 "
    "(0 to 0.02 for one punisher) and w from 0.8 to 0.95, without those in which contributing pays by itself. "
    "That play agrees with the closed form is asked of seven contests which share their random numbers, and four their "
    "residents: their verdicts are correlated.",
    readings=READINGS,
)
