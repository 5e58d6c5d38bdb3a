"""Arrows: why do rules persist that help nobody?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax
import numpy as np

from nomoi.populations.arrows import RULES, Village, kept, persist
from nomoi.populations.engine import seed_of
from nomoi.runs.effects import of, scores
from nomoi.runs.study import Claim, Computed, Reading, Results, Study, Trial

OURS = "ours, a model for the question that the tutorial (Hadfield et al. 2024) asks of González-Ruibal et al. 2011"
ARMS: Mapping[str, Mapping[str, float]] = {
    "copying alone": {"judgement": 0.0},
    "own judgement": {},
    "conformity": {"conformity": 1.5},
    "third-party punishment": {"punishment": 0.2},
    "punishment, much forgotten": {"punishment": 0.2, "fidelity": 0.9},
    "alone in the forest": {"people": 1},
}
HELPFUL = [k for k, r in enumerate(RULES) if r.worth > 0]
NEUTRAL = [k for k, r in enumerate(RULES) if r.worth == 0]
COSTLY = [k for k, r in enumerate(RULES) if r.worth < 0]


def village(key: jax.Array, generations: int, villages: int, **settings: float) -> Mapping[str, float]:
    """Shares that follow each rule after some generations, from all following; and means by what rules are worth."""
    seed = seed_of(key)
    own = Village(**settings)
    after = persist(own, np.array([r.worth for r in RULES]), generations, seed, villages)[-1]  # [villages, rules]
    shares, each = after.mean(0), after.mean(1)
    out = {r.name: float(x) for r, x in zip(RULES, shares, strict=True)}
    for name, which in (("helpful", HELPFUL), ("neutral", NEUTRAL), ("costly", COSTLY)):
        out[name] = float(shares[which].mean())
    error = each.std(ddof=1) / np.sqrt(villages)
    return out | {"standard errors off f^t": (each.mean() - own.fidelity**generations) / error if error else np.nan}


def drawn(key: jax.Array, worlds: int, generations: int, villages: int) -> Mapping[str, float]:
    """Villages drawn at random that live by their own judgement, conform, or punish, with a rule of no worth and one
    that costs: in how many at least half still follow, and how many more follow the costly one than by judgement."""
    rng, found = np.random.default_rng(seed_of(key)), []
    for _ in range(worlds):
        own = Village(
            people=int(rng.integers(20, 201)), fidelity=rng.uniform(0.9, 0.995), judgement=rng.uniform(0.5, 2)
        )
        ways = (own, own.but(conformity=rng.uniform(1, 3)), own.but(punishment=rng.uniform(0, 0.5)))
        worth, seed = np.array([0.0, rng.uniform(-0.05, 0)]), int(rng.integers(2**31))
        found.append([persist(way, worth, generations, seed, villages)[-1].mean(0) for way in ways])
    (_, alone), (conform, conform_costly), (punish, punish_costly) = np.array(found).transpose(1, 2, 0)
    return {
        "conformity keeps": float((conform > 0.5).mean()),
        "punishment keeps": float((punish > 0.5).mean()),
        "conformity, costly": float((conform_costly - alone).mean()),
        "punishment, costly": float((punish_costly - alone).mean()),
        "conformity loses more": float((conform_costly < alone).mean()),
    }


def large(key: None, **settings: float) -> Mapping[str, float]:
    """The share that follows in the long run of a large village, mean over the rules that cost, and of no worth."""
    own = Village(**settings)
    mean = lambda which: float(np.mean([kept(own, RULES[k].worth) for k in which]))  # noqa: E731
    return {"costly": mean(COSTLY), "neutral": mean(NEUTRAL)}


def trials(size: str) -> Sequence[Trial]:
    villages = {"smoke": 5, "laptop": 200, "paper": 1000}[size]
    many = {"worlds": {"smoke": 3, "laptop": 60, "paper": 500}[size], "generations": 100, "villages": 10}
    return [
        *(Computed(arm, village, {"generations": 100, "villages": villages} | dict(s)) for arm, s in ARMS.items()),
        Computed("drawn", drawn, many),
        Computed("large village", large, ARMS["third-party punishment"], exact=True),
    ]


def _less(one: str, other: str, measure: str):
    return lambda r: r.late(one, measure) - r.late(other, measure)


CLAIMS = [
    Claim("In most villages that are drawn conformity alone keeps a rule of no worth", OURS,
          of("drawn", "conformity keeps"), above=0.5, unit="of villages", kind="ours"),
    Claim("In most of them punishment alone does", OURS, of("drawn", "punishment keeps"), above=0.5,
          unit="of villages", kind="ours"),
    Claim("Conformity keeps rules that cost better than own judgement does", OURS, of("drawn", "conformity, costly"),
          above=0, unit="share that follows", kind="ours"),
    Claim("... in nine of ten villages", OURS, of("drawn", "conformity loses more"), below=0.1, unit="of villages",
          kind="ours"),
    Claim("A village of 60 that punishes loses costly rules that a large one would keep", OURS,
          _less("third-party punishment", "large village", "costly"), below=0, unit="share that follows", kind="ours"),
    Claim("Who lives alone, and judges as villagers do, loses more of the rules that help", OURS,
          _less("alone in the forest", "own judgement", "helpful"), below=0, unit="share that follows", kind="ours"),
]  # fmt: skip

READINGS = [
    Reading("copied and nothing else, a rule is kept for f^t, whatever it is worth: played, it is off by", OURS,
            scores("copying alone", "standard errors off f^t"), unit="standard errors"),
    *(
        Reading(f"{arm}: share that follows rules that {what}", OURS, of(arm, name))
        for arm, name, what in (
            ("own judgement", "helpful", "help"), ("own judgement", "costly", "cost"), ("conformity", "costly", "cost"),
            ("third-party punishment", "helpful", "help"), ("third-party punishment", "costly", "cost"),
            ("alone in the forest", "neutral", "do neither"), ("punishment, much forgotten", "neutral", "do neither"),
            ("large village", "costly", "cost (punished, in the long run)"),
        )
    ),
    Reading("punishment adds to what own judgement keeps of costly rules (never less than 0)", OURS,
            of("drawn", "punishment, costly"), unit="share that follows"),
]  # fmt: skip


SHOWN = ("helpful", "neutral", "costly")


def sections(results: Results) -> list[object]:
    from nomoi.report import charts, figures, page
    from nomoi.report import study as reporting

    worth = np.array([r.worth for r in RULES])
    time = np.arange(101)
    arms = [a for a in ARMS if a != "punishment, much forgotten"]
    means = {
        a: [persist(Village(**ARMS[a]), worth[COSTLY], 100, seed, 50).mean((1, 2)) for seed in range(6)] for a in arms
    }
    drawn = figures.curves({a: (time, m) for a, m in means.items()}, "share that follows",
                           "Rules about arrows that cost something", xlabel="generations")  # fmt: skip
    force = np.linspace(0, 0.3, 61)
    gone = {f"worth {w:g}": (force, [kept(Village(punishment=float(p)), w) for p in force]) for w in (0.05, 0.0, -0.02)}
    tip = charts.lines(gone, "share that follows in the long run, large village", "How much punishment a rule needs",
                       "lost by who breaks it where all others follow")  # fmt: skip
    return [
        page.Figure(
            "Rules about arrows that cost something",
            figures.svg(drawn),
            "All follow them at first; each seed is the mean of 50 villages.",
        ),
        page.Figure("How much punishment a rule needs", figures.svg(tip), "From all following; fidelity .97."),
        reporting.conditions(results, list(ARMS), SHOWN),
    ]


STUDY = Study(
    "arrows",
    "Is it conformity or third-party punishment that keeps rules which help nobody?",
    CLAIMS,
    trials,
    {"smoke": 1, "laptop": 6, "paper": 20},
    sections,
    "The tutorial tells of the arrows and asks the question; it has no model.  That a rule helps or costs is our guess."
    " The model shows that either force is enough, so it cannot tell which one it was.  Villages that are drawn have "
    "20 to 200 people, a fidelity of 0.9 to 0.995, judgement 0.5 to 2, conformity 1 to 3 or punishment 0 to 0.5, and a "
    "costly rule that costs 0 to 0.05; 60 a seed.",
    readings=READINGS,
)
